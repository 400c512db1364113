/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/baseline.h"

enum { LEVELS = 1024 };

/* above[] is first a histogram of demand, then summed from the top. */
static void finish_shares(struct forecast *forecast, uint64_t steps)
{
    for (uint32_t h = 0; h < forecast->host_count; h++) {
        double *above = forecast->above + (size_t)h * forecast->levels;
        double sum = 0;
        for (uint32_t i = forecast->levels; i-- > 0;) {
            sum += above[i];
            above[i] = sum / (double)steps;
        }
        forecast->mean_w[h] /= (double)steps;
    }
}

int forecast_init(struct forecast *forecast, const struct model *model, const struct workload *workload,
                  int64_t duration_ns)
{
    struct profile profile;
    uint64_t steps = 0;
    forecast->host_count = model->host_count;
    forecast->levels = LEVELS;
    forecast->mean_w = calloc(model->host_count, sizeof(*forecast->mean_w));
    forecast->above = calloc((size_t)model->host_count * LEVELS, sizeof(*forecast->above));
    if (!forecast->mean_w || !forecast->above || profile_init(&profile, workload, model)) {
        forecast_finish(forecast);
        return -ENOMEM;
    }
    for (int64_t t_ns = 0; t_ns < duration_ns; t_ns += PLANT_STEP_NS) {
        profile_step(&profile, t_ns);
        if (t_ns < workload->warmup_ns)
            continue;
        steps++;
        for (uint32_t h = 0; h < model->host_count; h++) {
            /* level i is reached by demands of at least (i + 0.5) / LEVELS of phys_max */
            double level = floor(profile.watts[h] / profile.host[h].phys_max_w * LEVELS - 0.5);
            forecast->mean_w[h] += profile.watts[h];
            if (level >= 0)
                forecast->above[(size_t)h * LEVELS + (size_t)fmin(level, LEVELS - 1)] += 1;
        }
    }
    finish_shares(forecast, steps ? steps : 1);
    profile_finish(&profile);
    return 0;
}

void forecast_finish(struct forecast *forecast)
{
    free(forecast->mean_w);
    free(forecast->above);
    memset(forecast, 0, sizeof(*forecast));
}

/* mean of min(d, b) = integral from 0 to b of P(d >= x) dx, one level a step, the last one in part. */
double forecast_mean_under_w(const struct forecast *forecast, uint32_t host, double phys_max_w,
                             double bound_w)
{
    const double *above = forecast->above + (size_t)host * forecast->levels;
    double step_w = phys_max_w / forecast->levels, sum_w = 0;
    double whole = fmin(floor(bound_w / step_w), forecast->levels);
    for (uint32_t i = 0; i < (uint32_t)whole; i++)
        sum_w += above[i] * step_w;
    if (whole < forecast->levels)
        sum_w += above[(uint32_t)whole] * (bound_w - whole * step_w);
    return sum_w;
}
