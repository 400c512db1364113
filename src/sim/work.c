/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/work.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "sim/plant.h"

double work_pace(double demand_w, double power_w, double idle_w, double exponent)
{
    double wanted_w = demand_w - idle_w, granted_w = power_w - idle_w;
    if (wanted_w <= 0)
        return power_w > 0 ? 1.0 : 0.0;
    if (granted_w <= 0)
        return 0.0;
    if (granted_w >= wanted_w)
        return 1.0;
    bool root = exponent >= 0.5 && exponent <= 0.5;     /* the usual one, and the quickest */
    return root ? sqrt(granted_w / wanted_w) : pow(granted_w / wanted_w, exponent);
}

int work_init(struct work *work, uint32_t host_count)
{
    work->pace = calloc(host_count + 1, sizeof(*work->pace));
    work->wanted_w = calloc(host_count + 1, sizeof(*work->wanted_w));
    return work->pace && work->wanted_w ? 0 : -ENOMEM;
}

void work_finish(struct work *work)
{
    free(work->pace);
    free(work->wanted_w);
    work->pace = work->wanted_w = NULL;
}

void work_note(struct plant *plant, uint32_t h)
{
    double idle_w = plant->host[h].base_w, wanted_w = plant->profile.watts[h] - idle_w;
    plant->work.wanted_w[h] = wanted_w > 0 ? wanted_w : 0;
    plant->work.pace[h] = work_pace(plant->profile.watts[h], plant->power_w[h], idle_w,
                                    plant->workload->plant.work_exponent);
}

struct sum {
    double power_w, demand_w, above_idle_w, own_w, slowest;
};

/* Of hosts one behind the other that are of one class; what is summed up stays in registers. */
static uint32_t sum_run(const struct plant *plant, uint32_t h, struct sum *of_class)
{
    const struct work *work = &plant->work;
    const uint8_t *class_of = plant->workload->class_of;
    struct sum sum = *of_class;
    uint32_t class = class_of[h];
    for (; h < plant->model->host_count && class_of[h] == class; h++) {
        double pace = work->pace[h], wanted_w = work->wanted_w[h];
        sum.power_w += plant->power_w[h];
        sum.demand_w += plant->profile.watts[h];
        sum.above_idle_w += wanted_w;
        sum.own_w += wanted_w * pace;
        sum.slowest = pace < sum.slowest ? pace : sum.slowest;
    }
    *of_class = sum;
    return h;
}

void work_sum(struct plant *plant)
{
    const struct workload *workload = plant->workload;
    struct work *work = &plant->work;
    struct sum sum[CLASSES_MAX];
    for (uint32_t c = 0; c < workload->class_count; c++)
        sum[c] = (struct sum){.slowest = 1.0};
    for (uint32_t h = 0; h < plant->model->host_count;)
        h = sum_run(plant, h, &sum[workload->class_of[h]]);
    for (uint32_t c = 0; c < workload->class_count; c++) {
        /* hosts of a training job, not of many staggered ones, go at the pace of their slowest */
        bool waits = workload->class[c].kind == WORKLOAD_TRAIN && !workload->class[c].stagger_ns;
        work->power_w[c] = sum[c].power_w;
        work->demand_w[c] = sum[c].demand_w;
        work->above_idle_w[c] = sum[c].above_idle_w;
        work->done_w[c] = waits ? sum[c].above_idle_w * sum[c].slowest : sum[c].own_w;
    }
}

void work_measure(struct plant *plant, double dt_s)
{
    const struct work *work = &plant->work;
    struct outcome *outcome = &plant->outcome;
    for (uint32_t c = 0; c < plant->workload->class_count; c++) {
        outcome->energy_j += work->power_w[c] * dt_s;
        outcome->demand_j += work->demand_w[c] * dt_s;
        outcome->class_energy_j[c] += work->power_w[c] * dt_s;
        outcome->class_work_wanted_j[c] += work->above_idle_w[c] * dt_s;
        outcome->class_work_j[c] += work->done_w[c] * dt_s;
    }
}
