/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of grid*.c. */
#ifndef FLYBALL_SIM_GRID_PARTS_H
#define FLYBALL_SIM_GRID_PARTS_H

#include "sim/grid.h"

/* any: what feeds a node: its first parent that has voltage, as a transfer switch does it, or the one
 * that its described switch is on, where that has voltage; or INDEX_NONE. */
uint32_t grid_feeder_of(const struct grid *grid, uint32_t n);

/* setup: a place for every cord, and the first wiring. 0 or -ENOMEM. */
int grid_init_feeds(struct grid *grid);

/* any: works out what flows now; what flowed before is in the sums. */
void grid_flow(struct grid *grid);

/* any: before new currents count at t_ns, a unit that turns hot or calm has seen all the old ones. */
void grid_find_hot(struct grid *grid, int64_t t_ns);

/* any: dt up to t_ns of what flows; held_s and slice_ns count it already. */
void grid_heat(struct grid *grid, int64_t t_ns, double dt_s);

/* any: the node's device, or its engine, takes it off. */
void grid_note_trip(struct grid *grid, uint32_t n, enum trip_element element, int64_t t_ns);

#endif
