/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/plant.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>


static int take_memory(struct plant *plant, const struct model *model)
{
    plant->host = calloc(model->host_count, sizeof(*plant->host));
    plant->on = calloc(model->host_count, sizeof(*plant->on));
    plant->written = calloc(model->host_count, sizeof(*plant->written));
    plant->power_w = calloc(model->host_count, sizeof(*plant->power_w));
    plant->dark = calloc(model->host_count, sizeof(*plant->dark));
    plant->asleep_until_ns = calloc(model->host_count, sizeof(*plant->asleep_until_ns));
    plant->any_wake_ns = calloc(1, sizeof(*plant->any_wake_ns));
    plant->supplied = calloc(model->host_count, sizeof(*plant->supplied));
    plant->stirred = calloc(model->host_count, sizeof(*plant->stirred));
    plant->meter = calloc(model->meter_count + 1, sizeof(*plant->meter));
    plant->due = calloc(model->meter_count + 1, sizeof(*plant->due));
    plant->reset_ns = calloc(model->host_count, sizeof(*plant->reset_ns));
    plant->unfed_ns = calloc(model->host_count, sizeof(*plant->unfed_ns));
    bool all = plant->host && plant->on && plant->written && plant->power_w && plant->meter && plant->due;
    all &= plant->any_wake_ns && plant->reset_ns && plant->dark && plant->asleep_until_ns &&
           plant->supplied && plant->stirred && plant->unfed_ns;
    return all ? work_init(&plant->work, model->host_count) : -ENOMEM;
}

int plant_init(struct plant *plant, const struct model *model, const struct workload *workload,
               enum plant_mode mode)
{
    memset(plant, 0, sizeof(*plant));
    plant->model = model;
    plant->workload = workload;
    plant->step_ns = workload_step_ns(workload);
    plant->supply_stale = true;
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
        plant->host[h].any_wake_ns = plant->any_wake_ns;
        plant->on[h] = true;
        plant->reset_ns[h] = plant->unfed_ns[h] = INT64_MAX;
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
    free(plant->dark);
    free(plant->supplied);
    free(plant->any_wake_ns);
    free(plant->stirred);
    work_finish(&plant->work);
    free(plant->asleep_until_ns);
    fault_set_finish(&plant->faults);
    free(plant->power_w);
    free(plant->meter);
    free(plant->due);
    free(plant->reset_ns);
    free(plant->unfed_ns);
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
    return since_ns >= 0 && since_ns < plant->step_ns;
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

/* Its supplies have something left, or have lost their input in this very step. */
static bool holds_up(const struct plant *plant, uint32_t host)
{
    int64_t hold_up_ns = plant->workload->plant.hold_up_ns, unfed_ns = plant->unfed_ns[host];
    return hold_up_ns && (unfed_ns == INT64_MAX || plant->t_ns < unfed_ns + hold_up_ns);
}

bool plant_host_powered(const struct plant *plant, uint32_t host)
{
    return plant->on[host] && !plant->dark[host] &&
           (grid_host_live(&plant->grid, host) || holds_up(plant, host));
}

/* ---- hosts ---- */

static void stir(struct plant *plant, uint32_t h)
{
    plant->stirred[plant->stirred_count++] = h;
}

/* Input that is back before supplies are empty fills them: the inrush of a start, beside what flows. Else it
 * boots, and whoever plays its agent says so. */
static void note_input(struct plant *plant, uint32_t h)
{
    int64_t hold_up_ns = plant->workload->plant.hold_up_ns, *unfed_ns = &plant->unfed_ns[h];
    if (!hold_up_ns)
        return;
    if (grid_host_live(&plant->grid, h)) {
        if (*unfed_ns != INT64_MAX && plant->t_ns < *unfed_ns + hold_up_ns)
            gpuhost_refill(&plant->host[h], plant->t_ns);
        *unfed_ns = INT64_MAX;
        return;
    }
    if (*unfed_ns == INT64_MAX)
        *unfed_ns = plant->t_ns;
    int64_t empty_ns = *unfed_ns + hold_up_ns;
    if (plant->t_ns < empty_ns && empty_ns < plant->next_waking_ns)
        plant->next_waking_ns = empty_ns;
}

/* Who has power may change with the wiring, with a fault, and as a host wakes up. */
static void find_supplied(struct plant *plant)
{
    if (!plant->supply_stale && plant->wirings == plant->grid.wirings && plant->t_ns < plant->next_waking_ns)
        return;
    plant->supply_stale = false;
    plant->wirings = plant->grid.wirings;
    plant->next_waking_ns = INT64_MAX;
    for (uint32_t h = 0; h < plant->model->host_count; h++) {
        int64_t asleep_ns = plant->asleep_until_ns[h];
        note_input(plant, h);
        plant->supplied[h] = plant_host_powered(plant, h) && plant->t_ns >= asleep_ns;
        plant->host[h].wake_ns = *plant->any_wake_ns = INT64_MIN;
        if (plant->t_ns < asleep_ns && asleep_ns < plant->next_waking_ns)
            plant->next_waking_ns = asleep_ns;
    }
}

static void note_wake(const struct plant *plant, const struct gpuhost *host)
{
    if (host->wake_ns < *plant->any_wake_ns)
        *plant->any_wake_ns = host->wake_ns;
}

static bool differ(double left, double right)
{
    return left < right || left > right;
}

static void step_hosts(struct plant *plant, bool demand_changed)
{
    if (!demand_changed && plant->t_ns < *plant->any_wake_ns)
        return;
    *plant->any_wake_ns = INT64_MAX;
    for (uint32_t h = 0; h < plant->model->host_count; h++) {
        struct gpuhost *host = &plant->host[h];
        if (gpuhost_rests(host, plant->profile.watts[h], plant->t_ns)) {
            note_wake(plant, host);
            continue;
        }
        double demand_w = host->demand_w, power_w = plant->power_w[h];
        bool touched = host->wake_ns == INT64_MIN;
        plant->written[h] = gpuhost_step(host, plant->profile.watts[h], plant->t_ns, plant->step_ns);
        if (!plant->supplied[h])
            host->power_w = 0;
        plant->power_w[h] = host->power_w;
        note_wake(plant, host);
        if (touched || plant->written[h] || differ(demand_w, host->demand_w) ||
            differ(power_w, host->power_w))
            stir(plant, h);
    }
}

static void grant_hosts(struct plant *plant, plant_grant *grant, void *user, bool demand_changed)
{
    grant(user, plant->profile.watts, plant->power_w);
    for (uint32_t h = 0; h < plant->model->host_count; h++) {
        double before_w = plant->grid.host_w[h];
        if (!plant->supplied[h])
            plant->power_w[h] = 0;
        if (demand_changed || differ(plant->power_w[h], before_w))
            stir(plant, h);
    }
}

static void count_work(struct plant *plant)
{
    for (uint32_t i = 0; i < plant->stirred_count; i++)
        work_note(plant, plant->stirred[i]);
    if (plant->stirred_count)
        work_sum(plant);
}

/* ---- what is seen of it ---- */

static void step_meters(struct plant *plant)
{
    int64_t end_ns = plant->t_ns + plant->step_ns;
    plant->due_count = 0;
    if (!plant->metered || (!plant->grid.changed && end_ns < plant->next_meter_ns))
        return;
    plant->next_meter_ns = INT64_MAX;
    for (uint32_t m = 0; m < plant->model->meter_count; m++) {
        struct meter *meter = &plant->meter[m];
        if (plant->grid.changed)
            meter_note(meter, &plant->grid.node[meter->model->node]);
        bool due = meter_due(meter, end_ns);
        int64_t next_ns = due ? meter->next_ns + meter->model->period_ns : meter->next_ns;
        if (due)
            plant->due[plant->due_count++] = m;
        if (next_ns < plant->next_meter_ns)
            plant->next_meter_ns = next_ns;
    }
}

static double energy_j(const struct grid_node *node)
{
    return node->sums.power_ws[0] + node->sums.power_ws[1] + node->sums.power_ws[2];
}

/* What flowed before does not count. */
static void begin_outcome(struct plant *plant)
{
    plant->warm = true;
    grid_sum_up(&plant->grid);
    for (uint32_t n = 0; n < plant->model->node_count; n++) {
        const double *power_w = plant->grid.node[n].power_w;
        double last_j = (power_w[0] + power_w[1] + power_w[2]) * (double)plant->step_ns / 1e9;
        plant->outcome.node[n].mean_w = last_j - energy_j(&plant->grid.node[n]);
    }
}

static void note_peaks(const struct grid_node *node, struct outcome_node *seen)
{
    double watts = 0;
    for (int phase = 0; phase < PHASES; phase++) {
        watts += node->power_w[phase];
        seen->peak_a = node->amperes[phase] > seen->peak_a ? node->amperes[phase] : seen->peak_a;
    }
    seen->peak_w = watts > seen->peak_w ? watts : seen->peak_w;
}

static void measure(struct plant *plant)
{
    bool begins = !plant->warm;
    if (plant->t_ns < plant->outcome.warmup_ns)
        return;
    if (begins)
        begin_outcome(plant);
    work_measure(plant, (double)plant->step_ns / 1e9);
    for (uint32_t n = 0; (plant->grid.changed || begins) && n < plant->model->node_count; n++)
        note_peaks(&plant->grid.node[n], &plant->outcome.node[n]);
    for (uint32_t n = 0; (plant->grid.heated || begins) && n < plant->model->node_count; n++) {
        const struct grid_node *node = &plant->grid.node[n];
        struct outcome_node *seen = &plant->outcome.node[n];
        if (node->has_breaker)
            seen->worst_heat = fmax(seen->worst_heat, tripunit_heat(&node->unit));
    }
    for (uint32_t i = 0; i < plant->grid.source_count; i++) {
        uint32_t n = plant->grid.source[i].said.node;
        struct outcome_node *seen = &plant->outcome.node[n];
        seen->worst_heat = fmax(seen->worst_heat, grid_engine_heat(&plant->grid, n));
    }
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
    bool demand_changed = profile_step(&plant->profile, plant->t_ns);
    for (uint32_t i = 0; i < plant->stirred_count; i++)
        plant->written[plant->stirred[i]] = false;
    plant->stirred_count = 0;
    find_supplied(plant);
    if (grant)
        grant_hosts(plant, grant, user, demand_changed);
    else
        step_hosts(plant, demand_changed);
    count_work(plant);
    grid_step(&plant->grid, plant->power_w, plant->t_ns + plant->step_ns, plant->step_ns);
    step_meters(plant);
    measure(plant);
    sample(plant);
    plant->t_ns += plant->step_ns;
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
    grid_sum_up(&plant->grid);
    for (uint32_t n = 0; n < plant->model->node_count; n++) {
        double counted_j = outcome->node[n].mean_w + energy_j(&plant->grid.node[n]);
        outcome->node[n].mean_w = plant->warm && seconds > 0 ? counted_j / seconds : 0;
    }
    outcome->trip_count = plant->grid.trip_count;
    memcpy(outcome->trip, plant->grid.trip, sizeof(outcome->trip));
}
