/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/baseline.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/capacity.h"

static const double derating = 0.65;

struct choice {
    double gain_w;              /* mean watts this quantum brings */
    uint32_t host, step;        /* step: quanta above the fail-safe cap */
};

static int by_gain(const void *left, const void *right)
{
    const struct choice *a = left, *b = right;
    if (a->gain_w != b->gain_w)
        return a->gain_w > b->gain_w ? -1 : 1;
    if (a->step != b->step)
        return a->step < b->step ? -1 : 1;
    return a->host < b->host ? -1 : a->host > b->host;
}

static bool fits_derated(const struct model *model, const double *sum_w, uint32_t host)
{
    const struct model_host *h = &model->host[host];
    const struct model_host_type *type = &model->type[h->type];
    const struct model_node *node = &model->node[h->cord[0].node];
    for (uint32_t i = 0; i < node->ancestor_count; i++) {
        const struct model_node *above = &model->node[node->ancestor[i]];
        /* a busbar has none */
        int64_t rating_ma = above->rating_ma ? above->rating_ma : above->steady_ma;
        double rating_w = (double)rating_ma / 1e3 * (double)above->volts_ln_mv / 1e3 * above->phases *
                          (double)type->pf_min_ppm / 1e6;
        double with_w = sum_w[node->ancestor[i]] + (double)type->phys_max_mw / 1e3;
        if (above->limited && with_w > derating * rating_w)
            return false;
    }
    return true;
}

uint32_t baseline_derated(const struct model *model, const struct forecast *forecast, bool *on)
{
    struct choice *order = calloc(model->host_count + 1, sizeof(*order));
    double *sum_w = calloc(model->node_count + 1, sizeof(*sum_w));
    uint32_t count = 0;
    for (uint32_t h = 0; order && sum_w && h < model->host_count; h++)
        order[h] = (struct choice){.gain_w = forecast->mean_w[h], .host = h};
    if (order && sum_w)
        qsort(order, model->host_count, sizeof(*order), by_gain);
    memset(on, 0, model->host_count * sizeof(*on));
    for (uint32_t i = 0; order && sum_w && i < model->host_count; i++) {
        uint32_t host = order[i].host;
        if (!fits_derated(model, sum_w, host))
            continue;
        const struct model_node *node = &model->node[model->host[host].cord[0].node];
        for (uint32_t a = 0; a < node->ancestor_count; a++)
            sum_w[node->ancestor[a]] += (double)model->type[model->host[host].type].phys_max_mw / 1e3;
        on[host] = true;
        count++;
    }
    free(order);
    free(sum_w);
    return count;
}

/* Mean draw of a host under a cap, as one planner sees it. */
static double mean_under_w(const struct model *model, const struct workload *workload,
                           const struct forecast *forecast, uint32_t host, int64_t cap_mw,
                           enum static_knowledge knowledge)
{
    const struct model_host_type *type = &model->type[model->host[host].type];
    double phys_max_w = (double)type->phys_max_mw / 1e3;
    double bound_w = (double)cap_mw / 1e3 * (double)type->gain_ppm / 1e6 / workload->plant.overshoot +
                     (double)type->base_max_mw / 1e3;
    bound_w = fmin(bound_w, phys_max_w);
    if (knowledge == KNOWS_MEAN)
        return fmin(forecast->mean_w[host], bound_w);
    return forecast_mean_under_w(forecast, host, phys_max_w, bound_w);
}

static double gain_of(const struct model *model, const struct workload *workload,
                      const struct forecast *forecast, const struct choice *choice,
                      enum static_knowledge knowledge)
{
    const struct model_host *host = &model->host[choice->host];
    int64_t quantum_mw = model->type[host->type].quantum_mw;
    int64_t cap_mw = host->fail_safe_mw + (int64_t)choice->step * quantum_mw;
    return mean_under_w(model, workload, forecast, choice->host, cap_mw + quantum_mw, knowledge) -
           mean_under_w(model, workload, forecast, choice->host, cap_mw, knowledge);
}

static uint32_t steps_of(const struct model *model, uint32_t host)
{
    const struct model_host_type *type = &model->type[model->host[host].type];
    int64_t above_mw = type->cap_max_mw - model->host[host].fail_safe_mw;
    return above_mw > 0 && type->quantum_mw > 0 ? (uint32_t)(above_mw / type->quantum_mw) : 0;
}

static size_t list_choices(const struct model *model, const struct workload *workload,
                           const struct forecast *forecast, enum static_knowledge knowledge,
                           struct choice *choice)
{
    size_t count = 0;
    for (uint32_t h = 0; h < model->host_count; h++) {
        for (uint32_t step = 0; step < steps_of(model, h); step++) {
            if (choice) {
                choice[count] = (struct choice){.host = h, .step = step};
                choice[count].gain_w = gain_of(model, workload, forecast, &choice[count], knowledge);
            }
            count++;
        }
    }
    return count;
}

/* A quantum that does not fit now never will: limits only fill. Its host then stays where it is. */
static void fill_up(const struct model *model, struct capacity *capacity, const struct choice *choice,
                    size_t count, int64_t *cap_mw, bool *full)
{
    for (uint32_t h = 0; h < model->host_count; h++) {
        cap_mw[h] = model->host[h].fail_safe_mw;
        capacity_force(capacity, h, 0, capacity_draw_mw(model, h, cap_mw[h]));
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t h = choice[i].host;
        int64_t quantum_mw = model->type[model->host[h].type].quantum_mw;
        /* equal gains may sort a later step first by rounding: steps are taken in order all the same */
        if (full[h])
            continue;
        if (capacity_move(capacity, h, capacity_draw_mw(model, h, cap_mw[h]),
                          capacity_draw_mw(model, h, cap_mw[h] + quantum_mw)))
            cap_mw[h] += quantum_mw;
        else
            full[h] = true;
    }
}

int baseline_static(const struct model *model, const struct workload *workload,
                    const struct forecast *forecast, enum static_knowledge knowledge, int64_t *cap_mw)
{
    struct capacity capacity = {0};
    size_t count = list_choices(model, workload, forecast, knowledge, NULL);
    struct choice *choice = calloc(count + 1, sizeof(*choice));
    bool *full = calloc(model->host_count + 1, sizeof(*full));
    int result = choice && full ? capacity_init(&capacity, model) : -ENOMEM;
    if (!result) {
        list_choices(model, workload, forecast, knowledge, choice);
        qsort(choice, count, sizeof(*choice), by_gain);
        fill_up(model, &capacity, choice, count, cap_mw, full);
    }
    capacity_finish(&capacity);
    free(choice);
    free(full);
    return result;
}

/* What a plan brings, whatever its planner knew: all of the demand is looked at. */
static double planned_w(const struct model *model, const struct workload *workload,
                        const struct forecast *forecast, const int64_t *cap_mw)
{
    double sum_w = 0;
    for (uint32_t h = 0; h < model->host_count; h++)
        sum_w += mean_under_w(model, workload, forecast, h, cap_mw[h], KNOWS_DISTRIBUTION);
    return sum_w;
}

/* Both planners' caps: those that bring more are the baseline. */
static int prepare_static(struct plant *plant, const struct forecast *forecast, int64_t duration_ns)
{
    const struct model *model = plant->model;
    const struct workload *workload = plant->workload;
    double seconds = (double)(duration_ns - workload->warmup_ns) / 1e9, plan_w[2] = {0};
    int64_t *cap_mw[2];
    int result = 0;
    for (int i = 0; i < 2; i++) {
        cap_mw[i] = calloc(model->host_count + 1, sizeof(*cap_mw[i]));
        if (!cap_mw[i])
            result = -ENOMEM;
        if (!result)
            result = baseline_static(model, workload, forecast, (enum static_knowledge)i, cap_mw[i]);
        if (!result)
            plan_w[i] = planned_w(model, workload, forecast, cap_mw[i]);
    }
    int best = plan_w[KNOWS_MEAN] > plan_w[KNOWS_DISTRIBUTION] ? KNOWS_MEAN : KNOWS_DISTRIBUTION;
    for (uint32_t h = 0; !result && h < model->host_count; h++)
        gpuhost_preset(&plant->host[h], cap_mw[best][h]);
    plant->outcome.mean_plan_j = plan_w[KNOWS_MEAN] * seconds;
    plant->outcome.distribution_plan_j = plan_w[KNOWS_DISTRIBUTION] * seconds;
    const char *variant = best == KNOWS_MEAN ? "mean" : "distribution";
    memcpy(plant->outcome.variant, variant, strlen(variant) + 1);
    free(cap_mw[0]);
    free(cap_mw[1]);
    return result;
}

static int prepare(struct plant *plant, enum plant_mode mode, int64_t duration_ns)
{
    struct forecast forecast = {0};
    if (mode != PLANT_DERATED && mode != PLANT_STATIC)
        return 0;
    int result = forecast_init(&forecast, plant->model, plant->workload, duration_ns);
    if (!result && mode == PLANT_DERATED)
        result = baseline_derated(plant->model, &forecast, plant->on) ? 0 : -EINVAL;
    else if (!result)
        result = prepare_static(plant, &forecast, duration_ns);
    forecast_finish(&forecast);
    return result;
}

int baseline_run(const struct model *model, const struct workload *workload, enum plant_mode mode,
                 int64_t duration_ns, struct outcome *outcome)
{
    struct plant plant;
    int result = plant_init(&plant, model, workload, mode);
    struct oracle *oracle = !result && mode == PLANT_ORACLE ? oracle_create(model, &plant.grid) : NULL;
    if (!result && mode == PLANT_ORACLE && !oracle)
        result = -ENOMEM;
    if (!result)
        result = prepare(&plant, mode, duration_ns);
    while (!result && plant.t_ns < duration_ns)
        plant_step(&plant, oracle ? oracle_grant : NULL, oracle);
    if (!result)
        plant_hand_over(&plant, outcome);
    plant_finish(&plant);
    oracle_destroy(oracle);
    return result;
}
