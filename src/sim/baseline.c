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

static double gain_of(const struct model *model, const struct workload *workload,
                      const struct forecast *forecast,
                      const struct choice *choice, enum static_knowledge knowledge)
{
    const struct model_host *host = &model->host[choice->host];
    const struct model_host_type *type = &model->type[host->type];
    double phys_max_w = (double)type->phys_max_mw / 1e3, value[2];
    for (int i = 0; i < 2; i++) {
        int64_t quanta = (int64_t)choice->step + i;
        double cap_w = (double)(host->fail_safe_mw + quanta * type->quantum_mw) / 1e3;
        double bound_w = cap_w * (double)type->gain_ppm / 1e6 / workload->plant.overshoot +
                         (double)type->base_max_mw / 1e3;
        bound_w = fmin(bound_w, phys_max_w);
        if (knowledge == KNOWS_MEAN)
            value[i] = fmin(forecast->mean_w[choice->host], bound_w);
        else
            value[i] = forecast_mean_under_w(forecast, choice->host, phys_max_w, bound_w);
    }
    return value[1] - value[0];
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

static int prepare(struct plant *plant, enum plant_mode mode, enum static_knowledge knowledge,
                   const struct forecast *forecast)
{
    const struct model *model = plant->model;
    if (mode == PLANT_DERATED)
        return baseline_derated(model, forecast, plant->on) ? 0 : -EINVAL;
    if (mode != PLANT_STATIC)
        return 0;
    int64_t *cap_mw = calloc(model->host_count + 1, sizeof(*cap_mw));
    int result = cap_mw ? baseline_static(model, plant->workload, forecast, knowledge, cap_mw) : -ENOMEM;
    for (uint32_t h = 0; !result && h < model->host_count; h++)
        gpuhost_preset(&plant->host[h], cap_mw[h]);
    free(cap_mw);
    const char *variant = knowledge == KNOWS_MEAN ? "mean" : "distribution";
    memcpy(plant->outcome.variant, variant, strlen(variant) + 1);
    return result;
}

static int run(const struct model *model, const struct workload *workload, enum plant_mode mode,
               enum static_knowledge knowledge, int64_t duration_ns, struct outcome *outcome)
{
    struct forecast forecast = {0};
    struct plant plant;
    int result = plant_init(&plant, model, workload, mode);
    struct oracle *oracle = !result && mode == PLANT_ORACLE ? oracle_create(model, &plant.grid) : NULL;
    if (!result && mode == PLANT_ORACLE && !oracle)
        result = -ENOMEM;
    if (!result && (mode == PLANT_DERATED || mode == PLANT_STATIC))
        result = forecast_init(&forecast, model, workload, duration_ns);
    if (!result)
        result = prepare(&plant, mode, knowledge, &forecast);
    while (!result && plant.t_ns < duration_ns)
        plant_step(&plant, oracle ? oracle_grant : NULL, oracle);
    if (!result)
        plant_hand_over(&plant, outcome);
    plant_finish(&plant);
    forecast_finish(&forecast);
    oracle_destroy(oracle);
    return result;
}

int baseline_run_static(const struct model *model, const struct workload *workload,
                        enum static_knowledge knowledge, int64_t duration_ns, struct outcome *outcome)
{
    return run(model, workload, PLANT_STATIC, knowledge, duration_ns, outcome);
}

static int run_better_static(const struct model *model, const struct workload *workload, int64_t duration_ns,
                             struct outcome *outcome)
{
    struct outcome other;
    int result = run(model, workload, PLANT_STATIC, KNOWS_DISTRIBUTION, duration_ns, outcome);
    if (result)
        return result;
    result = run(model, workload, PLANT_STATIC, KNOWS_MEAN, duration_ns, &other);
    if (result) {
        outcome_finish(outcome);
        return result;
    }
    double distribution_j = outcome->energy_j, mean_j = other.energy_j;
    if (mean_j > distribution_j) {
        struct outcome keep = *outcome;
        *outcome = other;
        other = keep;
    }
    outcome->distribution_plan_j = distribution_j;
    outcome->mean_plan_j = mean_j;
    outcome_finish(&other);
    return 0;
}

int baseline_run(const struct model *model, const struct workload *workload, enum plant_mode mode,
                 int64_t duration_ns, struct outcome *outcome)
{
    if (mode == PLANT_STATIC)
        return run_better_static(model, workload, duration_ns, outcome);
    return run(model, workload, mode, KNOWS_MEAN, duration_ns, outcome);
}
