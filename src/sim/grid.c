/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/grid_parts.h"

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
    node->calm_a = node->has_breaker ? tripunit_calm_a(&node->unit, grid->crest) : INFINITY;
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

static void find_live(struct grid *grid)
{
    for (uint32_t n = 0; n < grid->model->node_count; n++) {
        const struct model_node *model = &grid->model->node[n];
        bool fed = !model->parent_count || grid_feeder_of(grid, n) != INDEX_NONE;
        bool lives = grid_source_lives(&grid->node[n], fed);
        grid->node[n].live = lives && !grid->node[n].open && !grid->node[n].lost && !grid->node[n].dark;
    }
    grid->rewired = false;
    grid_wire(grid);
}

int grid_init(struct grid *grid, const struct model *model, const struct workload *workload, bool nominal)
{
    memset(grid, 0, sizeof(*grid));
    grid->model = model;
    grid->breakers = &workload->breakers;
    grid->step_ns = workload_step_ns(workload);
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
    grid_source_init(grid, workload);
    int result = grid_init_feeds(grid);
    if (result)
        grid_finish(grid);
    else if (grid->source_count)
        find_live(grid);
    return result;
}

void grid_finish(struct grid *grid)
{
    free(grid->node);
    free(grid->feed);
    free(grid->host_w);
    grid->node = NULL;
    grid->feed = NULL;
    grid->host_w = NULL;
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

double grid_other_w(const struct grid *grid, uint32_t node, uint32_t phase)
{
    return other_present * (double)grid->model->node[node].other_mva[phase] / 1e3;
}

void grid_lose(struct grid *grid, uint32_t node, bool lost)
{
    grid->node[node].lost = lost;
    find_live(grid);
}

void grid_darken(struct grid *grid, uint32_t node, bool dark)
{
    grid->node[node].dark = dark;
    find_live(grid);
}

void grid_sag(struct grid *grid, uint32_t node, double share)
{
    grid->node[node].sag = share;
    grid->stale = true;
}

void grid_load_more(struct grid *grid, uint32_t node, double watts)
{
    struct grid_node *at = &grid->node[node];
    uint32_t phases = grid->model->node[node].phases, first = 0;
    /* a single-phase node carries what it carries on one of the three */
    for (uint32_t phase = 1; phases == 1 && phase < PHASES; phase++)
        first = at->power_w[phase] > at->power_w[first] ? phase : first;
    memset(at->more_w, 0, sizeof(at->more_w));
    for (uint32_t phase = first; phase < first + phases; phase++)
        at->more_w[phase] = watts / phases;
    grid->stale = true;
}

void grid_step(struct grid *grid, const double *host_w, int64_t t_ns, int64_t dt_ns)
{
    uint32_t trips = grid->trip_count;
    size_t bytes = grid->model->host_count * sizeof(*host_w);
    grid->changed = grid->stale || memcmp(grid->host_w, host_w, bytes);
    if (grid->changed) {
        grid_sum_up(grid);
        memcpy(grid->host_w, host_w, bytes);
        grid->stale = false;
        grid_flow(grid);
        grid_find_hot(grid, t_ns - dt_ns);
    }
    grid->held_s += (double)dt_ns / 1e9;
    grid->slice_ns += dt_ns;
    grid_heat(grid, t_ns, (double)dt_ns / 1e9);
    if (grid->source_count)
        grid->rewired |= grid_source_step(grid, t_ns, (double)dt_ns / 1e9);
    if (grid->trip_count != trips || grid->rewired)
        find_live(grid);
}
