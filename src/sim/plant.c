/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/plant.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/work.h"

static int take_memory(struct plant *plant, const struct model *model)
{
    plant->host = calloc(model->host_count, sizeof(*plant->host));
    plant->on = calloc(model->host_count, sizeof(*plant->on));
    plant->written = calloc(model->host_count, sizeof(*plant->written));
    plant->power_w = calloc(model->host_count, sizeof(*plant->power_w));
    plant->meter = calloc(model->meter_count + 1, sizeof(*plant->meter));
    plant->due = calloc(model->meter_count + 1, sizeof(*plant->due));
    plant->reset_ns = calloc(model->host_count, sizeof(*plant->reset_ns));
    bool all = plant->host && plant->on && plant->written && plant->power_w && plant->meter && plant->due;
    return all && plant->reset_ns ? 0 : -ENOMEM;
}

int plant_init(struct plant *plant, const struct model *model, const struct workload *workload,
               enum plant_mode mode)
{
    memset(plant, 0, sizeof(*plant));
    plant->model = model;
    plant->workload = workload;
    int result = take_memory(plant, model);
    if (!result)
        result = profile_init(&plant->profile, workload, model);
    if (!result)
        result = grid_init(&plant->grid, model, workload, false);
    if (!result)
        result = outcome_init(&plant->outcome, model);
    if (result) {
        plant_finish(plant);
        return result;
    }
    for (uint32_t h = 0; h < model->host_count; h++) {
        gpuhost_init(&plant->host[h], &model->type[model->host[h].type], workload, h);
        plant->on[h] = true;
        plant->reset_ns[h] = INT64_MAX;
    }
    for (uint32_t m = 0; m < model->meter_count; m++)
        meter_init(&plant->meter[m], model, workload, m);
    plant->outcome.mode = mode;
    plant->outcome.seed = workload->seed;
    plant->outcome.warmup_ns = workload->warmup_ns;
    plant->outcome.class_count = workload->class_count;
    return 0;
}

void plant_finish(struct plant *plant)
{
    profile_finish(&plant->profile);
    grid_finish(&plant->grid);
    outcome_finish(&plant->outcome);
    free(plant->host);
    free(plant->on);
    free(plant->written);
    free(plant->power_w);
    free(plant->meter);
    free(plant->due);
    free(plant->reset_ns);
    memset(plant, 0, sizeof(*plant));
}

static void reset_hosts(struct plant *plant, uint32_t event)
{
    for (uint32_t h = 0; h < plant->model->host_count; h++) {
        if (!(plant->workload->resets[h] >> event & 1))
            continue;
        gpuhost_reset(&plant->host[h]);
        plant->written[h] = false;
        plant->reset_ns[h] = plant->t_ns;
    }
}

bool plant_event_due(const struct plant *plant, uint32_t event)
{
    int64_t since_ns = plant->t_ns - plant->workload->event[event].at_ns;
    return since_ns >= 0 && since_ns < PLANT_STEP_NS;
}

static void step_events(struct plant *plant)
{
    for (uint32_t i = 0; i < plant->workload->event_count; i++) {
        const struct workload_event *event = &plant->workload->event[i];
        if (!plant_event_due(plant, i))
            continue;
        if (event->kind == EVENT_RESET)
            reset_hosts(plant, i);
        else
            grid_lose(&plant->grid, event->node, event->kind == EVENT_LOSE);
    }
}

static void step_hosts(struct plant *plant, plant_grant *grant, void *user)
{
    if (grant)
        grant(user, plant->profile.watts, plant->power_w);
    for (uint32_t h = 0; h < plant->model->host_count; h++) {
        struct gpuhost *host = &plant->host[h];
        plant->written[h] = gpuhost_step(host, plant->profile.watts[h], plant->t_ns, PLANT_STEP_NS);
        if (!grant)
            plant->power_w[h] = host->power_w;
        if (!plant->on[h] || !grid_host_live(&plant->grid, h))
            plant->power_w[h] = host->power_w = 0;
    }
}

static void step_meters(struct plant *plant)
{
    plant->due_count = 0;
    if (!plant->metered)
        return;
    for (uint32_t m = 0; m < plant->model->meter_count; m++) {
        const struct grid_node *node = &plant->grid.node[plant->meter[m].model->node];
        if (meter_step(&plant->meter[m], node, plant->t_ns + PLANT_STEP_NS))
            plant->due[plant->due_count++] = m;
    }
}

static void measure_node(struct plant *plant, uint32_t n, double dt_s)
{
    const struct grid_node *node = &plant->grid.node[n];
    struct outcome_node *seen = &plant->outcome.node[n];
    double watts = 0;
    for (int phase = 0; phase < PHASES; phase++) {
        watts += node->power_w[phase];
        seen->peak_a = fmax(seen->peak_a, node->amperes[phase]);
    }
    seen->mean_w += watts * dt_s;
    seen->peak_w = fmax(seen->peak_w, watts);
    if (node->has_breaker)
        seen->worst_heat = fmax(seen->worst_heat, tripunit_heat(&node->unit));
}

static void measure(struct plant *plant)
{
    const double dt_s = (double)PLANT_STEP_NS / 1e9;
    struct outcome *outcome = &plant->outcome;
    if (plant->t_ns < outcome->warmup_ns)
        return;
    for (uint32_t h = 0; h < plant->model->host_count; h++) {
        outcome->energy_j += plant->power_w[h] * dt_s;
        outcome->demand_j += plant->profile.watts[h] * dt_s;
        outcome->class_energy_j[plant->workload->class_of[h]] += plant->power_w[h] * dt_s;
    }
    work_measure(plant, dt_s);
    for (uint32_t n = 0; n < plant->model->node_count; n++)
        measure_node(plant, n, dt_s);
}

static void sample(struct plant *plant)
{
    struct series *series = &plant->outcome.series;
    if (!series_due(series, plant->t_ns))
        return;
    series_next(series);
    for (uint32_t n = 0; n < plant->model->node_count; n++) {
        const double *power_w = plant->grid.node[n].power_w;
        series_put(series, n, power_w[0] + power_w[1] + power_w[2]);
    }
}

void plant_step(struct plant *plant, plant_grant *grant, void *user)
{
    step_events(plant);
    profile_step(&plant->profile, plant->t_ns);
    step_hosts(plant, grant, user);
    grid_step(&plant->grid, plant->power_w, plant->t_ns + PLANT_STEP_NS, PLANT_STEP_NS);
    step_meters(plant);
    measure(plant);
    sample(plant);
    plant->t_ns += PLANT_STEP_NS;
}

void plant_hand_over(struct plant *plant, struct outcome *outcome)
{
    double seconds = (double)(plant->t_ns - plant->outcome.warmup_ns) / 1e9;
    *outcome = plant->outcome;
    plant->outcome.node = NULL;
    plant->outcome.series.load_w = NULL;
    plant->outcome.meter_frames = NULL;
    outcome->duration_ns = plant->t_ns;
    outcome->hosts_on = 0;
    for (uint32_t h = 0; h < plant->model->host_count; h++)
        outcome->hosts_on += plant->on[h];
    for (uint32_t n = 0; n < plant->model->node_count; n++)
        outcome->node[n].mean_w = seconds > 0 ? outcome->node[n].mean_w / seconds : 0;
    outcome->trip_count = plant->grid.trip_count;
    memcpy(outcome->trip, plant->grid.trip, sizeof(outcome->trip));
}
