/* SPDX-License-Identifier: Apache-2.0 */
/* Who hangs on what, what flows there now, and what flowed. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/grid_parts.h"

/* ---- who hangs on what ---- */

/* What feeds a node: its first parent that has voltage, as a transfer switch does it. */
uint32_t grid_feeder_of(const struct grid *grid, uint32_t n)
{
    const struct model_node *model = &grid->model->node[n];
    const struct grid_source *source = grid->node[n].source;
    if (source && source->said.kinds & SOURCE_SWITCH) {
        uint32_t input = grid_source_input(grid, n);
        return input != INDEX_NONE && grid->node[input].live ? input : INDEX_NONE;
    }
    for (uint32_t i = 0; i < model->parent_count; i++) {
        if (grid->node[model->parent[i]].live)
            return model->parent[i];
    }
    return INDEX_NONE;
}

/* A balanced cord's ppm are rounded up in the model; a cord between
 * two phases truly carries more than its sum. */
static double apparent_part(const struct model_cord *cord, int phase, double sum_ppm)
{
    double whole = sum_ppm < 1.00001e6 ? sum_ppm : 1e6;
    return (double)cord->phase_ppm[phase] / whole;
}

static void set_feed(struct grid_feed *feed, const struct model_cord *cord, double share, double pf)
{
    double sum_ppm = 0;
    for (int phase = 0; phase < PHASES; phase++)
        sum_ppm += (double)cord->phase_ppm[phase];
    for (int phase = 0; phase < PHASES; phase++) {
        double power = (double)cord->phase_ppm[phase] / sum_ppm;
        double apparent = apparent_part(cord, phase, sum_ppm) / pf;
        feed->power[phase] = share * power;
        feed->reactive[phase] = share * sqrt(fmax(apparent * apparent - power * power, 0));
    }
}

static double live_share(const struct grid *grid, const struct model_host *host)
{
    double share = 0;
    for (uint32_t c = 0; c < host->cord_count; c++) {
        if (grid->node[host->cord[c].node].live)
            share += (double)host->cord[c].share_ppm[0];
    }
    return share;
}

static void wire_host(struct grid *grid, uint32_t h)
{
    const struct model_host *host = &grid->model->host[h];
    double pf = (double)grid->model->type[host->type].pf_min_ppm / 1e6, sum = live_share(grid, host);
    for (uint32_t c = 0; c < host->cord_count && sum > 0; c++) {
        const struct model_cord *cord = &host->cord[c];
        struct grid_node *node = &grid->node[cord->node];
        if (!node->live)
            continue;
        struct grid_feed *feed = &grid->feed[node->feed_first + node->feed_count++];
        feed->host = h;
        set_feed(feed, cord, (double)cord->share_ppm[0] / sum, pf);
    }
}

static bool all_even(const struct grid *grid, const struct grid_node *node)
{
    const struct grid_feed *first = &grid->feed[node->feed_first];
    for (uint32_t i = 1; i < node->feed_count; i++) {
        if (memcmp(first[i].power, first->power, sizeof(first->power)) ||
            memcmp(first[i].reactive, first->reactive, sizeof(first->reactive)))
            return false;
    }
    return true;
}

void grid_wire(struct grid *grid)
{
    const struct model *model = grid->model;
    for (uint32_t n = 0; n < model->node_count; n++) {
        grid->node[n].feed_count = 0;
        grid->node[n].feeder = grid->node[n].live ? grid_feeder_of(grid, n) : INDEX_NONE;
    }
    for (uint32_t h = 0; h < model->host_count; h++)
        wire_host(grid, h);
    for (uint32_t n = 0; n < model->node_count; n++)
        grid->node[n].even = all_even(grid, &grid->node[n]);
    grid->stale = true;
    grid->wirings++;
}

/* A place for every cord, whether it lives or not. */
int grid_init_feeds(struct grid *grid)
{
    const struct model *model = grid->model;
    uint32_t cords = 0;
    for (uint32_t h = 0; h < model->host_count; h++) {
        for (uint32_t c = 0; c < model->host[h].cord_count; c++, cords++)
            grid->node[model->host[h].cord[c].node].feed_count++;
    }
    for (uint32_t n = 1; n < model->node_count; n++)
        grid->node[n].feed_first = grid->node[n - 1].feed_first + grid->node[n - 1].feed_count;
    grid->feed = calloc(cords + 1, sizeof(*grid->feed));
    grid->host_w = calloc(model->host_count + 1, sizeof(*grid->host_w));
    if (!grid->feed || !grid->host_w)
        return -ENOMEM;
    grid_wire(grid);
    return 0;
}

/* ---- what flows ---- */

static void draw(const struct grid *grid, struct grid_node *node)
{
    const struct grid_feed *feed = &grid->feed[node->feed_first];
    for (int phase = 0; phase < PHASES; phase++) {
        node->power_w[phase] = node->live ? node->other_w[phase] + node->more_w[phase] : 0;
        node->reactive_var[phase] = 0;
    }
    if (node->even && node->feed_count) {
        double watts = 0;
        for (uint32_t i = 0; i < node->feed_count; i++)
            watts += grid->host_w[feed[i].host];
        for (int phase = 0; phase < PHASES; phase++) {
            node->power_w[phase] += watts * feed->power[phase];
            node->reactive_var[phase] += watts * feed->reactive[phase];
        }
        return;
    }
    for (uint32_t i = 0; i < node->feed_count; i++) {
        double watts = grid->host_w[feed[i].host];
        for (int phase = 0; phase < PHASES; phase++) {
            node->power_w[phase] += watts * feed[i].power[phase];
            node->reactive_var[phase] += watts * feed[i].reactive[phase];
        }
    }
}

/* Of what a UPS gives, some may come from its battery, or go into it beside. */
static void add_source(struct grid_node *parent, const struct grid_node *node)
{
    const struct grid_source *source = node->source;
    for (int phase = 0; phase < PHASES; phase++) {
        parent->power_w[phase] += node->power_w[phase] * source->taken + source->charging_w / PHASES;
        parent->reactive_var[phase] += node->reactive_var[phase] * source->taken;
    }
}

static void add_to_parent(struct grid *grid, const struct grid_node *node)
{
    if (node->feeder == INDEX_NONE)
        return;
    struct grid_node *parent = &grid->node[node->feeder];
    if (node->source) {
        add_source(parent, node);
        return;
    }
    for (int phase = 0; phase < PHASES; phase++) {
        parent->power_w[phase] += node->power_w[phase];
        parent->reactive_var[phase] += node->reactive_var[phase];
    }
}

/* Volts v at current S / v: v = e (1 - r S / (v Ir)), so v = (e + sqrt(e^2 - 4 e r S / Ir)) / 2. A load
 * that no voltage could carry stands at e / 2. */
static void settle_phase(const struct grid *grid, struct grid_node *node, int phase, double above)
{
    double power_w = node->power_w[phase], reactive_var = node->reactive_var[phase];
    double apparent_va = sqrt(power_w * power_w + reactive_var * reactive_var);
    double open_v = node->nominal_v * above * (1.0 - node->sag), inside;
    if (!node->live || open_v <= 0) {
        node->volts[phase] = node->per_unit[phase] = node->amperes[phase] = 0;
        return;
    }
    inside = open_v * open_v;
    if (node->rating_a > 0)
        inside -= 4 * open_v * grid->regulation * apparent_va / node->rating_a;
    node->volts[phase] = 0.5 * (open_v + (inside > 0 ? sqrt(inside) : 0));
    node->per_unit[phase] = node->volts[phase] / node->nominal_v;
    node->amperes[phase] = apparent_va / node->volts[phase];
}

static bool is(double left, double right)
{
    return left <= right && left >= right;
}

static void settle(struct grid *grid, struct grid_node *node)
{
    static const double whole[PHASES] = {1, 1, 1};
    const struct grid_source *source = node->source;
    bool kept = node->feeder == INDEX_NONE ||
        (source && source->said.kinds & SOURCE_UPS && !source->trouble.bypassed);
    const double *above = kept ? whole : grid->node[node->feeder].per_unit;
    settle_phase(grid, node, 0, above[0]);
    for (int phase = 1; phase < PHASES; phase++) {
        bool alike = is(node->power_w[phase], node->power_w[0]) && is(above[phase], above[0]) &&
            is(node->reactive_var[phase], node->reactive_var[0]);
        if (!alike) {
            settle_phase(grid, node, phase, above[phase]);
            continue;
        }
        node->volts[phase] = node->volts[0];
        node->per_unit[phase] = node->per_unit[0];
        node->amperes[phase] = node->amperes[0];
    }
}

void grid_flow(struct grid *grid)
{
    uint32_t nodes = grid->model->node_count;
    for (uint32_t n = 0; n < nodes; n++)
        draw(grid, &grid->node[n]);
    for (uint32_t n = nodes; n-- > 0;)
        add_to_parent(grid, &grid->node[n]);
    for (uint32_t n = 0; n < nodes; n++)
        settle(grid, &grid->node[n]);
}

/* ---- what flowed ---- */

void grid_sum_up(struct grid *grid)
{
    double held_s = grid->held_s;
    if (held_s <= 0)
        return;
    grid->held_s = 0;
    for (uint32_t n = 0; n < grid->model->node_count; n++) {
        struct grid_node *node = &grid->node[n];
        for (int phase = 0; phase < PHASES; phase++) {
            node->sums.power_ws[phase] += node->power_w[phase] * held_s;
            node->sums.reactive_vars[phase] += node->reactive_var[phase] * held_s;
            node->sums.volts2_s[phase] += node->volts[phase] * node->volts[phase] * held_s;
            node->sums.amperes2_s[phase] += node->amperes[phase] * node->amperes[phase] * held_s;
        }
        node->slice_s += held_s;
    }
}
