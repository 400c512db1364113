/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/profile.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NOISE_EVERY_NS (20 * NS_PER_MS)

static void start_inference(struct profile_host *host, const struct workload_class *class)
{
    double share = (double)class->burst_ns / (double)(class->burst_ns + class->quiet_ns);
    host->bursting = random_unit(&host->random) < share;   /* the long-run mix from the first moment */
    double mean_ns = (double)(host->bursting ? class->burst_ns : class->quiet_ns);
    host->turns_ns = (int64_t)random_exponential(&host->random, mean_ns);
}

int profile_init(struct profile *profile, const struct workload *workload, const struct model *model)
{
    uint32_t seen[CLASSES_MAX] = {0};
    profile->workload = workload;
    profile->host_count = model->host_count;
    profile->host = calloc(model->host_count, sizeof(*profile->host));
    profile->watts = calloc(model->host_count, sizeof(*profile->watts));
    if (!profile->host || !profile->watts) {
        profile_finish(profile);
        return -ENOMEM;
    }
    for (uint32_t h = 0; h < model->host_count; h++) {
        struct profile_host *host = &profile->host[h];
        const struct workload_class *class = &workload->class[workload->class_of[h]];
        random_init(&host->random, workload->seed, RANDOM_DEMAND, h);
        host->phys_max_w = (double)model->type[model->host[h].type].phys_max_mw / 1e3;
        host->rank = seen[workload->class_of[h]]++;
        host->noise = 1.0;
        if (class->kind == WORKLOAD_INFERENCE)
            start_inference(host, class);
    }
    return 0;
}

void profile_finish(struct profile *profile)
{
    free(profile->host);
    free(profile->watts);
    memset(profile, 0, sizeof(*profile));
}

static double train_level(const struct workload_class *class, int64_t t_ns)
{
    if (class->checkpoint_every_ns > 0) {
        int64_t in_ns = t_ns % class->checkpoint_every_ns;
        if (in_ns >= class->checkpoint_every_ns - class->checkpoint_ns)
            return class->checkpoint_draw;
    }
    int64_t in_ns = t_ns % (class->compute_ns + class->communicate_ns);
    return in_ns < class->compute_ns ? class->compute_draw : class->communicate_draw;
}

static double inference_level(struct profile_host *host, const struct workload_class *class, int64_t t_ns)
{
    while (t_ns >= host->turns_ns) {
        host->bursting = !host->bursting;
        double mean_ns = (double)(host->bursting ? class->burst_ns : class->quiet_ns);
        host->turns_ns += 1 + (int64_t)random_exponential(&host->random, mean_ns);
    }
    return host->bursting ? class->burst_draw : class->quiet_draw;
}

static double starter_level(const struct profile_host *host, const struct workload_class *class, int64_t t_ns)
{
    int64_t period_ns = class->idle_ns + class->ramp_ns + class->full_ns;
    int64_t offset_ns = period_ns * (int64_t)(host->rank % class->groups) / (int64_t)class->groups;
    int64_t in_ns = (t_ns + offset_ns) % period_ns;
    if (in_ns < class->idle_ns)
        return class->idle_draw;
    in_ns -= class->idle_ns;
    if (in_ns >= class->ramp_ns)
        return class->full_draw;
    return class->idle_draw + (class->full_draw - class->idle_draw) * (double)in_ns / (double)class->ramp_ns;
}

bool profile_next_rise(const struct profile *profile, uint32_t host, int64_t t_ns, struct profile_rise *rise)
{
    const struct workload_class *class = &profile->workload->class[profile->workload->class_of[host]];
    int64_t period_ns, offset_ns = 0, begin_ns = 0;
    double height;
    if (class->kind == WORKLOAD_TRAIN) {
        period_ns = class->compute_ns + class->communicate_ns;
        rise->for_ns = class->compute_ns;
        height = class->compute_draw;
    } else if (class->kind == WORKLOAD_STARTER) {
        period_ns = class->idle_ns + class->ramp_ns + class->full_ns;
        offset_ns = period_ns * (int64_t)(profile->host[host].rank % class->groups) / (int64_t)class->groups;
        begin_ns = class->idle_ns;
        rise->for_ns = class->ramp_ns + class->full_ns;
        height = class->full_draw;
    } else {
        return false;
    }
    int64_t in_ns = (t_ns + offset_ns) % period_ns;
    rise->at_ns = t_ns + begin_ns - in_ns + (in_ns < begin_ns ? 0 : period_ns);
    rise->watts = height * profile->host[host].phys_max_w;
    return true;
}

static void redraw_noise(struct profile_host *host, double sigma, int64_t t_ns)
{
    if (t_ns < host->next_noise_ns)
        return;
    host->next_noise_ns += NOISE_EVERY_NS;
    host->noise = 1.0 + sigma * random_normal(&host->random);
}

void profile_step(struct profile *profile, int64_t t_ns)
{
    for (uint32_t h = 0; h < profile->host_count; h++) {
        struct profile_host *host = &profile->host[h];
        const struct workload_class *class = &profile->workload->class[profile->workload->class_of[h]];
        switch (class->kind) {
        case WORKLOAD_TRAIN: host->level = train_level(class, t_ns); break;
        case WORKLOAD_INFERENCE: host->level = inference_level(host, class, t_ns); break;
        default: host->level = starter_level(host, class, t_ns); break;
        }
        redraw_noise(host, class->noise, t_ns);
        double draw = fmin(fmax(host->level * host->noise, 0.0), 1.0);
        profile->watts[h] = draw * host->phys_max_w;
    }
}
