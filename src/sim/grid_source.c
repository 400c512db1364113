/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/grid_source.h"

#include <math.h>
#include <string.h>

#include "sim/grid_parts.h"

/* Of an engine: what it gives at most, and what its mass gives until it is 10 % slow: the inertia constant
 * H = 1 s at its rating, and 1 - 0.9^2 of what is stored. */
static const double most_share = 1.1, mass_s = 0.19;

/* ---- setup ---- */

static double watts(const struct grid_node *node)
{
    return node->power_w[0] + node->power_w[1] + node->power_w[2];
}

/* What a node may carry for long. A generator's kW are those of its states, where it has any. */
static double rated_w(const struct grid *grid, uint32_t n)
{
    const struct model_node *model = &grid->model->node[n];
    double least_w = (double)model->steady_ma / 1e3 * (double)model->volts_ln_mv / 1e3 * model->phases;
    const struct site_equipment *equipment =
        grid->breakers->equipment ? &grid->breakers->equipment[n] : NULL;
    for (uint32_t i = 0; equipment && i < equipment->state_count; i++) {
        if (equipment->state[i].active_mw)
            least_w = fmin(least_w, (double)equipment->state[i].active_mw / 1e3);
    }
    return least_w;
}

static bool runs_always(const struct model *model, uint32_t generator)
{
    bool spare = false;
    for (uint32_t n = 0; n < model->node_count; n++) {
        for (uint32_t i = 0; i < model->node[n].parent_count; i++) {
            if (model->node[n].parent[i] != generator)
                continue;
            if (!i)
                return true;
            spare = true;
        }
    }
    return !spare;
}

static void init_one(struct grid *grid, struct grid_source *source)
{
    uint32_t n = source->said.node;
    const struct site_equipment *equipment =
        grid->breakers->equipment ? &grid->breakers->equipment[n] : NULL;
    grid->node[n].source = source;
    source->taken = 1;
    source->off_ns = INT64_MAX;
    if (source->said.kinds & SOURCE_GENERATOR) {
        source->rated_w = rated_w(grid, n);
        source->step_w = equipment ? (double)equipment->generator_step_mw / 1e3 : 0;
        source->ramp_w_per_s = equipment ? (double)equipment->generator_ramp_mw_per_s / 1e3 : 0;
        source->engine = runs_always(grid->model, n) ? ENGINE_RUNS : ENGINE_OFF;
    }
    if (source->said.kinds & SOURCE_UPS)
        source->capacity_ws = source->charge_ws = rated_w(grid, n) * (double)source->said.battery_ns / 1e9;
    for (uint32_t i = 0; i < PARENTS_MAX; i++)
        source->good_ns[i] = INT64_MAX;
}

void grid_source_init(struct grid *grid, const struct workload *workload)
{
    grid->source_count = workload->source_count;
    for (uint32_t i = 0; i < workload->source_count; i++) {
        struct grid_source *source = &grid->source[i];
        *source = (struct grid_source){.said = workload->source[i]};
        random_init(&source->random, workload->seed, RANDOM_SOURCE, source->said.node);
        init_one(grid, source);
    }
}

/* ---- what lives ---- */

static bool is(const struct grid_node *node, enum workload_source_kind kind)
{
    return node->source && node->source->said.kinds & kind;
}

bool grid_source_lives(const struct grid_node *node, bool fed)
{
    if (is(node, SOURCE_GENERATOR))
        return node->source->engine == ENGINE_RUNS;
    if (is(node, SOURCE_UPS))
        return fed || (!node->source->trouble.bypassed && node->source->charge_ws > 0);
    return fed;
}

uint32_t grid_source_input(const struct grid *grid, uint32_t n)
{
    const struct grid_source *source = grid->node[n].source;
    return source->moving ? INDEX_NONE : grid->model->node[n].parent[source->on];
}

double grid_engine_heat(const struct grid *grid, uint32_t n)
{
    const struct grid_source *source = grid->node[n].source;
    return is(&grid->node[n], SOURCE_GENERATOR) ? source->missing_ws / (mass_s * source->rated_w) : 0;
}

void grid_source_trouble(struct grid *grid, uint32_t n, const struct grid_source_trouble *trouble)
{
    if (!grid->node[n].source)
        return;
    grid->node[n].source->trouble = *trouble;
    grid->rewired = true;
}

/* ---- switches ---- */

static void note_inputs(const struct grid *grid, struct grid_source *source, int64_t t_ns)
{
    const struct model_node *model = &grid->model->node[source->said.node];
    for (uint32_t i = 0; i < model->parent_count; i++) {
        bool live = grid->node[model->parent[i]].live;
        if (!live)
            source->good_ns[i] = INT64_MAX;
        else if (source->good_ns[i] == INT64_MAX)
            source->good_ns[i] = t_ns;
    }
}

static bool is_good(const struct grid_source *source, uint32_t input)
{
    return source->good_ns[input] != INT64_MAX;
}

/* The first input that is good, and has been for long enough where another one is in use that is good, too;
 * with a hand on the switch any but the first, if there is one. The one in use, where nothing is good. */
static uint32_t best_input(const struct grid *grid, const struct grid_source *source, int64_t t_ns)
{
    uint32_t count = grid->model->node[source->said.node].parent_count;
    bool held = is_good(source, source->on);
    for (uint32_t i = 1; source->trouble.transferred && i < count; i++) {
        if (is_good(source, i))
            return i;
    }
    for (uint32_t i = 0; i < count; i++) {
        bool settled = i >= source->on || !held || t_ns - source->good_ns[i] >= source->said.retransfer_ns;
        if (is_good(source, i) && settled)
            return i;
    }
    return source->on;
}

static bool step_switch(const struct grid *grid, struct grid_source *source, int64_t t_ns)
{
    note_inputs(grid, source, t_ns);
    if (source->moving && t_ns >= source->moved_ns) {
        source->moving = false;
        source->on = source->to;
        return true;
    }
    uint32_t best = source->moving ? source->on : best_input(grid, source, t_ns);
    if (best == source->on)
        return false;
    source->to = best;
    source->moved_ns = t_ns + source->said.break_ns;
    source->moving = source->said.break_ns > 0;
    source->on = source->moving ? source->on : best;
    return true;
}

/* ---- generators ---- */

/* Some node has it as a spare and nothing before it, or a hand has put the node's switch on it. */
static bool wants(const struct grid *grid, uint32_t n, uint32_t generator)
{
    const struct model_node *model = &grid->model->node[n];
    const struct grid_source *source = grid->node[n].source;
    bool hand = source && source->trouble.transferred;
    for (uint32_t i = 0; i < model->parent_count; i++) {
        if (model->parent[i] == generator)
            return i > 0;
        if (grid->node[model->parent[i]].live && !(hand && i == 0))
            return false;
    }
    return false;
}

static bool carries(const struct grid *grid, uint32_t n, uint32_t generator)
{
    const struct grid_source *source = grid->node[n].source;
    const struct model_node *model = &grid->model->node[n];
    if (grid->node[n].feeder == generator)
        return true;
    return source && source->moving && model->parent[source->to] == generator;
}

static bool is_wanted(const struct grid *grid, uint32_t generator)
{
    for (uint32_t n = 0; n < grid->model->node_count; n++) {
        if (wants(grid, n, generator) || carries(grid, n, generator))
            return true;
    }
    return false;
}

/* From being wanted until it carries load, every start that fails included. */
static int64_t start_ns(struct grid_source *source)
{
    double spread = (double)source->said.spread_ns, takes_ns = (double)source->said.start_ns;
    double all_ns = takes_ns + random_between(&source->random, -spread, spread);
    while (random_unit(&source->random) < source->said.fails)
        all_ns += takes_ns;
    return (int64_t)(all_ns + source->trouble.late_s * 1e9);
}

static bool run_engine(const struct grid *grid, struct grid_source *source, int64_t t_ns)
{
    enum engine_state before = source->engine;
    bool wanted = is_wanted(grid, source->said.node);
    switch (before) {
    case ENGINE_OFF:
        if (wanted) {
            source->ready_ns = t_ns + start_ns(source);
            source->engine = ENGINE_STARTS;
        }
        break;
    case ENGINE_STARTS:
        if (source->trouble.no_start)       /* it begins anew when it can */
            source->engine = ENGINE_OFF;
        else if (t_ns >= source->ready_ns)
            source->engine = ENGINE_RUNS;
        break;
    case ENGINE_RUNS:
        if (wanted)
            source->off_ns = t_ns + source->said.cool_ns;
        else if (t_ns >= source->off_ns)
            source->engine = ENGINE_OFF;
        break;
    }
    if (source->engine == ENGINE_RUNS && before == ENGINE_STARTS)
        source->off_ns = t_ns + source->said.cool_ns;
    return (source->engine == ENGINE_RUNS) != (before == ENGINE_RUNS);
}

/* What the engine does not give, its mass does. */
static void load_engine(struct grid *grid, struct grid_source *source, int64_t t_ns, double dt_s)
{
    struct grid_node *node = &grid->node[source->said.node];
    double wanted_w = watts(node), able_w = most_share * source->rated_w;
    if (source->step_w > 0)
        able_w = fmin(able_w, source->given_w + source->step_w);
    source->missing_ws = fmax(source->missing_ws + (wanted_w - able_w) * dt_s, 0);
    if (source->ramp_w_per_s > 0 && source->given_w < wanted_w)
        source->given_w = fmin(wanted_w, source->given_w + source->ramp_w_per_s * dt_s);
    else
        source->given_w = wanted_w;
    if (source->missing_ws >= mass_s * source->rated_w && !node->open)
        grid_note_trip(grid, source->said.node, TRIP_ENGINE, t_ns);
}

static bool step_generator(struct grid *grid, struct grid_source *source, int64_t t_ns, double dt_s)
{
    bool changed = run_engine(grid, source, t_ns);
    if (source->engine == ENGINE_RUNS)
        load_engine(grid, source, t_ns, dt_s);
    else
        source->given_w = source->missing_ws = 0;
    return changed;
}

/* ---- UPSs ---- */

static bool store_lasts(struct grid_source *source, double out_ws)
{
    double most_ws = source->capacity_ws * (1 - source->trouble.lost);
    bool held = source->charge_ws > 0;
    source->charge_ws = fmin(fmax(source->charge_ws - out_ws, 0), most_ws);
    return held == (source->charge_ws > 0);
}

/* With input: first the load, by and by, then the battery. */
static void take_input(struct grid *grid, struct grid_source *source, double dt_s)
{
    double walk_s = (double)source->said.walk_in_ns / 1e9, taken = source->taken;
    double most_ws = source->capacity_ws * (1 - source->trouble.lost), before_w = source->charging_w;
    source->taken = walk_s > 0 && source->charge_ws > 0 ? fmin(taken + dt_s / walk_s, 1) : 1;
    source->charging_w = 0;
    if (source->taken >= 1 && source->charge_ws < most_ws)
        source->charging_w = source->capacity_ws / ((double)source->said.recharge_ns / 1e9);
    grid->stale |= taken < source->taken || before_w < source->charging_w || before_w > source->charging_w;
}

static bool step_ups(struct grid *grid, struct grid_source *source, double dt_s)
{
    struct grid_node *node = &grid->node[source->said.node];
    bool lasts = true;
    if (!node->live)
        return false;
    if (source->trouble.bypassed) {
        grid->stale |= source->taken < 1 || source->charging_w > 0;
        source->taken = 1;
        source->charging_w = 0;
    } else if (node->feeder == INDEX_NONE) {
        lasts = store_lasts(source, watts(node) * dt_s);
        source->taken = source->charging_w = 0;
    } else {
        lasts = store_lasts(source, ((1 - source->taken) * watts(node) - source->charging_w) * dt_s);
        take_input(grid, source, dt_s);
    }
    return !lasts;
}

bool grid_source_step(struct grid *grid, int64_t t_ns, double dt_s)
{
    bool changed = false;
    for (uint32_t i = 0; i < grid->source_count; i++) {
        struct grid_source *source = &grid->source[i];
        if (source->said.kinds & SOURCE_SWITCH)
            changed |= step_switch(grid, source, t_ns);
        if (source->said.kinds & SOURCE_GENERATOR)
            changed |= step_generator(grid, source, t_ns, dt_s);
        if (source->said.kinds & SOURCE_UPS)
            changed |= step_ups(grid, source, dt_s);
    }
    return changed;
}
