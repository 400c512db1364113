/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/profile.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NOISE_EVERY_NS (20 * NS_PER_MS)

/* The long-run mix from the first moment. */
static void start_turns(struct profile_host *host, int64_t burst_ns, int64_t quiet_ns)
{
    double share = (double)burst_ns / (double)(burst_ns + quiet_ns);
    host->bursting = random_unit(&host->random) < share;
    double mean_ns = (double)(host->bursting ? burst_ns : quiet_ns);
    host->turns_ns = (int64_t)random_exponential(&host->random, mean_ns);
}

static void wait_for_query(struct profile_host *host, const struct workload_class *class)
{
    double all = class->rate_per_s * (1 + class->swing) + 1e9 / (double)class->query_ns * host->queries;
    host->turns_ns += 1 + (int64_t)(all > 1e-9 ? random_exponential(&host->random, 1e9 / all) : 1e18);
}

/* What is there in the long run is Poisson around rate x length. */
static void start_queries(struct profile_host *host, const struct workload_class *class)
{
    double mean = class->rate_per_s * (double)class->query_ns / 1e9;
    for (double sum = random_exponential(&host->random, 1); sum < mean; host->queries++)
        sum += random_exponential(&host->random, 1);
    wait_for_query(host, class);
}

int profile_init(struct profile *profile, const struct workload *workload, const struct model *model)
{
    uint32_t seen[CLASSES_MAX] = {0};
    *profile = (struct profile){.workload = workload, .host_count = model->host_count};
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
        random_init(&host->dither, workload->seed, RANDOM_DEMAND, UINT64_C(1) << 32 | h);
        host->phys_max_w = (double)model->type[model->host[h].type].phys_max_mw / 1e3;
        host->rank = seen[workload->class_of[h]]++;
        host->noise = 1.0;
        host->base_w = (double)model->type[model->host[h].type].base_max_mw / 1e3;
        if (class->kind == WORKLOAD_INFERENCE)
            start_turns(host, class->burst_ns, class->quiet_ns);
        if (class->kind == WORKLOAD_FINETUNE)
            start_turns(host, class->high_ns, class->low_ns);
        if (class->kind == WORKLOAD_QUERIES)
            start_queries(host, class);
    }
    return 0;
}

void profile_finish(struct profile *profile)
{
    free(profile->host);
    free(profile->watts);
    memset(profile, 0, sizeof(*profile));
}

/* A level, and until when it stands. */
struct span {
    double level;
    int64_t until_ns;
};

static struct span job_span(const struct workload_class *class, int64_t t_ns)
{
    int64_t period_ns = class->compute_ns + class->communicate_ns, in_ns = t_ns % period_ns;
    bool computes = in_ns < class->compute_ns;
    struct span span = {computes ? class->compute_draw : class->communicate_draw,
                        t_ns - in_ns + (computes ? class->compute_ns : period_ns)};
    if (class->checkpoint_every_ns <= 0)
        return span;
    int64_t every_ns = class->checkpoint_every_ns, saved_ns = t_ns % every_ns;
    int64_t begins_ns = t_ns - saved_ns + every_ns - class->checkpoint_ns;
    if (t_ns >= begins_ns)
        return (struct span){class->checkpoint_draw, t_ns - saved_ns + every_ns};
    if (begins_ns < span.until_ns)
        span.until_ns = begins_ns;
    return span;
}

/* Equations (11) and (12). */
static struct span train_span(const struct profile_host *host, const struct workload_class *class,
                              int64_t t_ns)
{
    int64_t later_ns = class->stagger_ns * (int64_t)host->rank, in_ns = t_ns - class->start_ns - later_ns;
    if (in_ns < 0)
        return (struct span){class->stopped_draw, class->start_ns + later_ns};
    if (class->stop_ns && t_ns >= class->stop_ns)
        return (struct span){class->stopped_draw, INT64_MAX};
    struct span span = job_span(class, in_ns);
    span.until_ns += t_ns - in_ns;
    if (class->stop_ns && class->stop_ns < span.until_ns)
        span.until_ns = class->stop_ns;
    return span;
}

static void take_turns(struct profile_host *host, int64_t burst_ns, int64_t quiet_ns, int64_t t_ns)
{
    while (t_ns >= host->turns_ns) {
        host->bursting = !host->bursting;
        double mean_ns = (double)(host->bursting ? burst_ns : quiet_ns);
        host->turns_ns += 1 + (int64_t)random_exponential(&host->random, mean_ns);
    }
}

static struct span inference_span(struct profile_host *host, const struct workload_class *class, int64_t t_ns)
{
    take_turns(host, class->burst_ns, class->quiet_ns, t_ns);
    return (struct span){host->bursting ? class->burst_draw : class->quiet_draw, host->turns_ns};
}

/* Equations (13) and (14). */
static struct span finetune_span(struct profile_host *host, const struct workload_class *class, int64_t t_ns)
{
    take_turns(host, class->high_ns, class->low_ns, t_ns);
    double base = host->base_w / host->phys_max_w, alpha = host->bursting ? 1 : class->beta;
    return (struct span){base + alpha * (class->high_draw - base), host->turns_ns};
}

/* Equation (16): arrivals at the highest rate of the day, of which lambda(t) / highest are some;
 * departures at one over the mean length for each that is there. */
static void take_query(struct profile_host *host, const struct workload_class *class)
{
    double highest = class->rate_per_s * (1 + class->swing), leave = 1e9 / (double)class->query_ns;
    double now = class->rate_per_s;
    if (class->day_ns > 0)
        now *= 1 + class->swing * sin(2 * M_PI * (double)host->turns_ns / (double)class->day_ns);
    if (random_unit(&host->random) * (highest + leave * host->queries) >= highest)
        host->queries--;
    else
        host->queries += random_unit(&host->random) * highest < now;
    wait_for_query(host, class);
}

/* Equation (15). */
static struct span queries_span(struct profile_host *host, const struct workload_class *class, int64_t t_ns)
{
    while (t_ns >= host->turns_ns)
        take_query(host, class);
    return (struct span){class->base_draw + host->queries * class->query_draw, host->turns_ns};
}

static struct span starter_span(const struct profile_host *host, const struct workload_class *class,
                                int64_t t_ns)
{
    int64_t period_ns = class->idle_ns + class->ramp_ns + class->full_ns;
    int64_t offset_ns = period_ns * (int64_t)(host->rank % class->groups) / (int64_t)class->groups;
    int64_t in_ns = (t_ns + offset_ns) % period_ns, from_ns = t_ns - in_ns;
    if (in_ns < class->idle_ns)
        return (struct span){class->idle_draw, from_ns + class->idle_ns};
    in_ns -= class->idle_ns;
    if (in_ns >= class->ramp_ns)
        return (struct span){class->full_draw, from_ns + period_ns};
    double along = (double)in_ns / (double)class->ramp_ns;
    return (struct span){class->idle_draw + (class->full_draw - class->idle_draw) * along, t_ns};
}

static struct span trace_span(const struct profile *profile, uint32_t h, int64_t t_ns)
{
    struct profile_host *host = &profile->host[h];
    struct trace_now now = trace_play(&profile->workload->trace, h, host->phys_max_w, t_ns, &host->cursor);
    return (struct span){now.power_w / host->phys_max_w, now.until_ns};
}

bool profile_next_rise(const struct profile *profile, uint32_t host, int64_t t_ns, struct profile_rise *rise)
{
    const struct workload_class *class = &profile->workload->class[profile->workload->class_of[host]];
    int64_t period_ns, offset_ns = 0, begin_ns = 0;
    double height;
    if (class->kind == WORKLOAD_TRAIN) {
        int64_t from_ns = class->start_ns + class->stagger_ns * (int64_t)profile->host[host].rank;
        if (t_ns < from_ns || (class->stop_ns && t_ns >= class->stop_ns))
            return false;
        offset_ns = -from_ns;
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

void profile_bend(struct profile *profile, uint32_t host, enum profile_bend bend, int64_t pulse_ns)
{
    profile->host[host].bend = (uint8_t)bend;
    profile->host[host].pulse_ns = pulse_ns;
    profile->host[host].until_ns = profile->next_ns = INT64_MIN;
}

static struct span bent_span(const struct profile_host *host, int64_t t_ns)
{
    const double tenth = 0.1;
    if (host->bend != BEND_PULSE)
        return (struct span){host->bend == BEND_ALL ? 1.0 : tenth, INT64_MAX};
    int64_t in_ns = t_ns % host->pulse_ns, half_ns = host->pulse_ns / 2;
    bool all = in_ns < half_ns;
    return (struct span){all ? 1.0 : tenth, t_ns - in_ns + (all ? half_ns : host->pulse_ns)};
}

static struct span span_of(struct profile *profile, uint32_t h, int64_t t_ns)
{
    struct profile_host *host = &profile->host[h];
    const struct workload_class *class = &profile->workload->class[profile->workload->class_of[h]];
    if (host->bend != BEND_NONE)
        return bent_span(host, t_ns);
    switch (class->kind) {
    case WORKLOAD_TRAIN: return train_span(host, class, t_ns);
    case WORKLOAD_FINETUNE: return finetune_span(host, class, t_ns);
    case WORKLOAD_QUERIES: return queries_span(host, class, t_ns);
    case WORKLOAD_INFERENCE: return inference_span(host, class, t_ns);
    case WORKLOAD_TRACE: return trace_span(profile, h, t_ns);
    default: return starter_span(host, class, t_ns);
    }
}

static double share_of(const struct profile_host *host)
{
    double draw = host->level * (host->bend == BEND_NONE ? host->noise : 1.0);
    return draw < 0 ? 0 : draw > 1 ? 1 : draw;
}

/* However noise is drawn, the jobs of a seed come and go at the same times: their dice go on by the two
 * throws that a normal number takes by the method of Box and Muller, from which those times once came. */
static void redraw_noise(struct profile_host *host, double sigma)
{
    random_skip(&host->random, 2);
    if (sigma > 0)
        host->noise = 1.0 + sigma * random_normal(&host->dither);
}

bool profile_step(struct profile *profile, int64_t t_ns)
{
    if (t_ns < profile->next_ns)
        return false;
    bool redraw = t_ns >= profile->noise_ns;
    profile->noise_ns += redraw ? NOISE_EVERY_NS : 0;
    profile->next_ns = profile->noise_ns;
    for (uint32_t h = 0; h < profile->host_count; h++) {
        struct profile_host *host = &profile->host[h];
        double sigma = profile->workload->class[profile->workload->class_of[h]].noise;
        if (t_ns >= host->until_ns) {
            struct span span = span_of(profile, h, t_ns);
            host->level = span.level;
            host->until_ns = span.until_ns;
        }
        if (redraw)
            redraw_noise(host, sigma);
        if (host->until_ns < profile->next_ns)
            profile->next_ns = host->until_ns;
        profile->watts[h] = share_of(host) * host->phys_max_w;
    }
    return true;
}
