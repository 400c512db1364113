/* SPDX-License-Identifier: Apache-2.0 */
/* What flows heats: breakers by slices while nothing of them counts, by steps where something does. */
#include <math.h>
#include <string.h>

#include "sim/grid_parts.h"

void grid_note_trip(struct grid *grid, uint32_t n, enum trip_element element, int64_t t_ns)
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

static void step_unit(struct grid *grid, uint32_t n, const double current_a[PHASES], int64_t t_ns,
                      double dt_s)
{
    struct grid_node *node = &grid->node[n];
    /* the neutral is in the sum and nothing leaks: no residual current */
    struct tripunit_load load = {.crest = grid->crest};
    memcpy(load.current_a, current_a, sizeof(load.current_a));
    enum trip_element element = tripunit_step(&node->unit, &load, dt_s);
    if (element != TRIP_NONE)
        grid_note_trip(grid, n, element, t_ns);
}

static bool has_unit(const struct grid_node *node)
{
    return node->has_breaker && !node->open;
}

/* Everything is in the sums: the unit sees the slice, and the next one begins. */
static void end_slice(struct grid *grid, uint32_t n, int64_t t_ns)
{
    struct grid_node *node = &grid->node[n];
    double mean_a[PHASES];
    for (int phase = 0; phase < PHASES; phase++) {
        double a2s = node->sums.amperes2_s[phase] - node->slice_a2s[phase];
        mean_a[phase] = node->slice_s > 0 && a2s > 0 ? sqrt(a2s / node->slice_s) : 0;
    }
    if (!node->hot && has_unit(node) && node->slice_s > 0)
        step_unit(grid, n, mean_a, t_ns, node->slice_s);
    node->slice_s = 0;
    memcpy(node->slice_a2s, node->sums.amperes2_s, sizeof(node->slice_a2s));
}

static bool is_hot(const struct grid_node *node)
{
    return node->amperes[0] >= node->calm_a || node->amperes[1] >= node->calm_a ||
           node->amperes[2] >= node->calm_a;
}

/* Before new currents count, a unit that turns hot has seen all the old ones. */
void grid_find_hot(struct grid *grid, int64_t t_ns)
{
    grid->hot_count = 0;
    for (uint32_t n = 0; n < grid->model->node_count; n++) {
        struct grid_node *node = &grid->node[n];
        bool hot = has_unit(node) && is_hot(node);
        grid->hot_count += hot;
        if (hot == node->hot)
            continue;
        end_slice(grid, n, t_ns);
        node->hot = hot;
    }
}

static void end_slices(struct grid *grid, int64_t t_ns)
{
    grid->slice_ns = 0;
    grid_sum_up(grid);
    for (uint32_t n = 0; n < grid->model->node_count; n++)
        end_slice(grid, n, t_ns);
}

void grid_heat(struct grid *grid, int64_t t_ns, double dt_s)
{
    grid->heated = grid->slice_ns >= GRID_SLICE_NS;
    for (uint32_t n = 0; grid->hot_count && n < grid->model->node_count; n++) {
        if (!grid->node[n].hot || !has_unit(&grid->node[n]))
            continue;
        step_unit(grid, n, grid->node[n].amperes, t_ns, dt_s);
        grid->heated = true;
    }
    if (grid->slice_ns >= GRID_SLICE_NS)
        end_slices(grid, t_ns);
}
