/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/work.h"

#include <math.h>

double work_pace(double demand_w, double power_w, double idle_w, double exponent)
{
    double wanted_w = demand_w - idle_w, granted_w = power_w - idle_w;
    if (wanted_w <= 0)
        return power_w > 0 ? 1.0 : 0.0;
    if (granted_w <= 0)
        return 0.0;
    return granted_w >= wanted_w ? 1.0 : pow(granted_w / wanted_w, exponent);
}

static double pace_of(const struct plant *plant, uint32_t h)
{
    return work_pace(plant->profile.watts[h], plant->power_w[h], plant->host[h].base_w,
                     plant->workload->plant.work_exponent);
}

void work_measure(struct plant *plant, double dt_s)
{
    const struct workload *workload = plant->workload;
    struct outcome *outcome = &plant->outcome;
    double slowest[CLASSES_MAX];
    for (uint32_t c = 0; c < workload->class_count; c++)
        slowest[c] = 1.0;
    for (uint32_t h = 0; h < plant->model->host_count; h++) {
        uint32_t class = workload->class_of[h];
        if (workload->class[class].kind == WORKLOAD_TRAIN)
            slowest[class] = fmin(slowest[class], pace_of(plant, h));
    }
    for (uint32_t h = 0; h < plant->model->host_count; h++) {
        uint32_t class = workload->class_of[h];
        bool waits = workload->class[class].kind == WORKLOAD_TRAIN;
        double wanted_j = fmax(plant->profile.watts[h] - plant->host[h].base_w, 0) * dt_s;
        outcome->class_work_wanted_j[class] += wanted_j;
        outcome->class_work_j[class] += wanted_j * (waits ? slowest[class] : pace_of(plant, h));
    }
}
