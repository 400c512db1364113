/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/grid.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The uncontrolled load really present, of what the site file allows for. */
static const double other_present = 0.6;

/* A node without settings has the workload's breaker: an electronic unit with a thermal image. */
static void workload_device(struct site_device *device, const struct model_node *model,
                            const struct workload_breakers *breakers)
{
    double long_time_ma = (double)model->long_time_ma;
    *device = (struct site_device){
        .kind = DEVICE_ELECTRONIC, .thermal_memory = true,
        .rating_ma = model->rating_ma, .long_time_ma = model->long_time_ma, .long_time_ns = breakers->tr_ns,
        .short_time = {.pickup_ma = llround(breakers->short_time * long_time_ma), .tolerance_ppm = -1,
                       .delay_ns = breakers->short_time_ns, .memory = true},
        .instantaneous = {.pickup_ma = llround(breakers->instantaneous * long_time_ma), .tolerance_ppm = -1},
    };
}

static bool gives_in(const struct site_equipment *equipment)
{
    return equipment && (equipment->transformer_mva || equipment->conductor_ma || equipment->overload_count);
}

static void init_breaker(struct grid *grid, uint32_t n, struct random *random)
{
    const struct workload_breakers *breakers = grid->breakers;
    const struct model_node *model = &grid->model->node[n];
    struct grid_node *node = &grid->node[n];
    struct site_device device = {.kind = DEVICE_NONE};
    struct tripunit_setup setup = {
        .device = &device, .equipment = breakers->equipment ? &breakers->equipment[n] : NULL,
        .volts_ln = node->nominal_v, .phases = model->phases,
        .truth = random ? TRUTH_DRAWN : TRUTH_NOMINAL, .random = random,
        .initial_heat = breakers->initial_heat,
    };
    if (breakers->device && breakers->device[n].kind != DEVICE_NONE) {
        setup.device = &breakers->device[n];
        setup.fast_share = GRID_FAST_SHARE;
        if (breakers->fast_edge)
            setup.truth = TRUTH_FAST;
    } else if (model->limited && model->long_time_ma > 0) {
        workload_device(&device, model, breakers);
        setup.long_time = LONG_TIME_IMAGE;
    }
    node->has_breaker = setup.device->kind != DEVICE_NONE || gives_in(setup.equipment);
    if (node->has_breaker)
        tripunit_init(&node->unit, &setup);
}

/* The model's other load of a node has that of all below it in it; here each stands where it is drawn, as
 * power flows up from there. Nodes come after their parents. */
static void place_other(struct grid *grid)
{
    const struct model *model = grid->model;
    for (uint32_t n = model->node_count; n-- > 0;) {
        const struct model_node *node = &model->node[n];
        for (int phase = 0; phase < PHASES; phase++) {
            double *own_w = &grid->node[n].other_w[phase];
            *own_w = fmax(*own_w + other_present * (double)node->other_mva[phase] / 1e3, 0);
            for (uint32_t a = 1; a < node->ancestor_count; a++)
                grid->node[node->ancestor[a]].other_w[phase] -= *own_w;
        }
    }
}

int grid_init(struct grid *grid, const struct model *model, const struct workload *workload, bool nominal)
{
    memset(grid, 0, sizeof(*grid));
    grid->model = model;
    grid->breakers = &workload->breakers;
    grid->crest = workload->plant.crest;
    grid->regulation = workload->plant.regulation;
    grid->node = calloc(model->node_count, sizeof(*grid->node));
    if (!grid->node)
        return -ENOMEM;
    for (uint32_t n = 0; n < model->node_count; n++) {
        struct grid_node *node = &grid->node[n];
        struct random random;
        random_init(&random, workload->seed, RANDOM_TRIPUNIT, n);
        node->nominal_v = (double)model->node[n].volts_ln_mv / 1e3;
        node->rating_a = (double)model->node[n].rating_ma / 1e3;
        node->limit_a = (double)model->node[n].steady_ma / 1e3;
        node->live = true;
        for (int phase = 0; phase < PHASES; phase++)
            node->volts[phase] = node->nominal_v;
        init_breaker(grid, n, nominal ? NULL : &random);
    }
    place_other(grid);
    return 0;
}

void grid_finish(struct grid *grid)
{
    free(grid->node);
    grid->node = NULL;
}

bool grid_host_live(const struct grid *grid, uint32_t host)
{
    const struct model_host *model = &grid->model->host[host];
    for (uint32_t c = 0; c < model->cord_count; c++) {
        if (grid->node[model->cord[c].node].live)
            return true;
    }
    return false;
}

uint16_t grid_psu_inputs(const struct grid *grid, uint32_t host)
{
    const struct model_host *model = &grid->model->host[host];
    uint32_t inputs = 0, psu = 0;
    for (uint32_t c = 0; c < model->cord_count; c++) {
        for (uint32_t i = 0; i < model->cord[c].psus; i++, psu++)
            inputs |= (grid->node[model->cord[c].node].live && psu < 16 ? 1u : 0u) << psu % 16;
    }
    return (uint16_t)inputs;
}

/* A balanced cord's ppm are rounded up in the model; a cord between
 * two phases truly carries more than its sum. */
static double apparent_part(const struct model_cord *cord, int phase, double sum_ppm)
{
    double whole = sum_ppm < 1.00001e6 ? sum_ppm : 1e6;
    return (double)cord->phase_ppm[phase] / whole;
}

static void add_cord(struct grid *grid, const struct model_cord *cord, double watts, double pf)
{
    struct grid_node *node = &grid->node[cord->node];
    double sum_ppm = 0;
    for (int phase = 0; phase < PHASES; phase++)
        sum_ppm += (double)cord->phase_ppm[phase];
    for (int phase = 0; phase < PHASES; phase++) {
        double power_w = watts * (double)cord->phase_ppm[phase] / sum_ppm;
        double apparent_va = watts / pf * apparent_part(cord, phase, sum_ppm);
        node->power_w[phase] += power_w;
        node->reactive_var[phase] += sqrt(fmax(apparent_va * apparent_va - power_w * power_w, 0));
    }
}

static void add_host(struct grid *grid, uint32_t h, double watts)
{
    const struct model_host *host = &grid->model->host[h];
    double pf = (double)grid->model->type[host->type].pf_min_ppm / 1e6, live_share = 0;
    for (uint32_t c = 0; c < host->cord_count; c++) {
        if (grid->node[host->cord[c].node].live)
            live_share += (double)host->cord[c].share_ppm[0];
    }
    for (uint32_t c = 0; c < host->cord_count; c++) {
        const struct model_cord *cord = &host->cord[c];
        if (grid->node[cord->node].live && live_share > 0)
            add_cord(grid, cord, watts * (double)cord->share_ppm[0] / live_share, pf);
    }
}

/* What feeds a node: its first parent that has voltage, as a transfer switch does it. */
static uint32_t feeder_of(const struct grid *grid, uint32_t n)
{
    const struct model_node *model = &grid->model->node[n];
    for (uint32_t i = 0; i < model->parent_count; i++) {
        if (grid->node[model->parent[i]].live)
            return model->parent[i];
    }
    return INDEX_NONE;
}

static void add_to_parent(struct grid *grid, uint32_t n)
{
    struct grid_node *node = &grid->node[n], *parent;
    uint32_t feeder = feeder_of(grid, n);
    for (int phase = 0; phase < PHASES; phase++)
        node->power_w[phase] += node->live ? node->other_w[phase] : 0;
    if (feeder == INDEX_NONE || !node->live)
        return;
    parent = &grid->node[feeder];
    for (int phase = 0; phase < PHASES; phase++) {
        parent->power_w[phase] += node->power_w[phase];
        parent->reactive_var[phase] += node->reactive_var[phase];
    }
}

/* Volts drop with the load of the step before: the loop closes a
 * millisecond late, far below what it moves. */
static void settle(struct grid *grid, uint32_t n)
{
    struct grid_node *node = &grid->node[n];
    uint32_t feeder = feeder_of(grid, n);
    for (int phase = 0; phase < PHASES; phase++) {
        double above = 1.0;
        if (feeder != INDEX_NONE) {
            const struct grid_node *parent = &grid->node[feeder];
            above = parent->volts[phase] / parent->nominal_v;
        }
        double load = node->rating_a > 0 ? node->amperes[phase] / node->rating_a : 0;
        node->volts[phase] = node->live ? node->nominal_v * above * (1.0 - grid->regulation * load) : 0;
        double apparent_va = hypot(node->power_w[phase], node->reactive_var[phase]);
        node->amperes[phase] = node->live ? apparent_va / node->volts[phase] : 0;
    }
}

static void note_trip(struct grid *grid, uint32_t n, enum trip_element element, int64_t t_ns)
{
    struct grid_node *node = &grid->node[n];
    struct grid_trip trip = {.t_ns = t_ns, .node = n, .element = element};
    node->open = true;
    if (grid->breakers->device) {
        const struct site_device *device = &grid->breakers->device[n];
        trip.device_kind = device->kind;
        memcpy(trip.device, device->name, sizeof(trip.device));
    }
    for (uint32_t phase = 0; phase < PHASES; phase++) {
        if (node->amperes[phase] <= trip.amperes)
            continue;
        trip.amperes = node->amperes[phase];
        trip.phase = phase;
    }
    if (grid->trip_count < TRIPS_MAX)
        grid->trip[grid->trip_count] = trip;
    grid->trip_count++;
}

static void heat_breakers(struct grid *grid, int64_t t_ns, int64_t dt_ns)
{
    for (uint32_t n = 0; n < grid->model->node_count; n++) {
        struct grid_node *node = &grid->node[n];
        if (!node->has_breaker || node->open)
            continue;
        /* the neutral is in the sum and nothing leaks: no residual current */
        struct tripunit_load load = {.crest = grid->crest};
        memcpy(load.current_a, node->amperes, sizeof(load.current_a));
        enum trip_element element = tripunit_step(&node->unit, &load, (double)dt_ns / 1e9);
        if (element != TRIP_NONE)
            note_trip(grid, n, element, t_ns);
    }
}

static void find_live(struct grid *grid)
{
    for (uint32_t n = 0; n < grid->model->node_count; n++) {
        const struct model_node *model = &grid->model->node[n];
        bool fed = !model->parent_count || feeder_of(grid, n) != INDEX_NONE;
        grid->node[n].live = fed && !grid->node[n].open && !grid->node[n].lost;
    }
}

double grid_other_w(const struct grid *grid, uint32_t node, uint32_t phase)
{
    return other_present * (double)grid->model->node[node].other_mva[phase] / 1e3;
}

void grid_lose(struct grid *grid, uint32_t node, bool lost)
{
    grid->node[node].lost = lost;
    find_live(grid);
}

void grid_step(struct grid *grid, const double *host_w, int64_t t_ns, int64_t dt_ns)
{
    uint32_t trips = grid->trip_count;
    for (uint32_t n = 0; n < grid->model->node_count; n++) {
        memset(grid->node[n].power_w, 0, sizeof(grid->node[n].power_w));
        memset(grid->node[n].reactive_var, 0, sizeof(grid->node[n].reactive_var));
    }
    for (uint32_t h = 0; h < grid->model->host_count; h++)
        add_host(grid, h, host_w[h]);
    for (uint32_t n = grid->model->node_count; n-- > 0;)
        add_to_parent(grid, n);
    for (uint32_t n = 0; n < grid->model->node_count; n++)
        settle(grid, n);
    heat_breakers(grid, t_ns, dt_ns);
    if (grid->trip_count != trips)
        find_live(grid);
}
