/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Generators, UPSs and transfer switches as the workload describes them.
 *
 * - A generator runs where it stands first at some node. Elsewhere it starts once everything before it at a
 *   switch is dead, and is live from when it carries load. Its engine takes at once what `generator: step` of
 *   the site says, more of it at `ramp`, and 1.1 times its rating at most; what is missing the rotating mass
 *   gives (inertia of 1 s), until it is 10 % slow, and under-frequency takes it off the bus: a trip.
 * - A UPS without input lives on its battery until that is empty, and dies then. With input back its
 *   rectifier takes the load over walk_in, then fills the battery; what comes in goes out at full voltage.
 * - A transfer switch is open for its break between two inputs, and goes back to an earlier one only after
 *   that was good for `retransfer`.
 */
#ifndef FLYBALL_SIM_GRID_SOURCE_H
#define FLYBALL_SIM_GRID_SOURCE_H

#include "sim/random.h"
#include "sim/workload.h"

struct grid;
struct grid_node;

enum engine_state { ENGINE_OFF, ENGINE_STARTS, ENGINE_RUNS };

/* All zero: nothing. */
struct grid_source_trouble {
    bool no_start;              /* the generator does not start, but runs on */
    double late_s;              /* it takes so much longer */
    double lost;                /* of its capacity the battery has lost this share */
    bool bypassed;              /* the UPS is on its bypass: no battery, and volts as they come */
    bool transferred;           /* the switch is on another input than its first: a test, a hand on it */
};

struct grid_source {
    struct workload_source said;
    struct grid_source_trouble trouble;
    struct random random;
    /* generator */
    enum engine_state engine;
    int64_t ready_ns, off_ns;
    double rated_w, step_w, ramp_w_per_s;
    double given_w;             /* that the engine gives without the rotating mass */
    double missing_ws;          /* that the mass has given */
    /* UPS */
    double capacity_ws, charge_ws;
    double charging_w;          /* into the battery, on top of what goes out */
    double taken;               /* share of the load that comes from its input */
    /* switch: index of the parent it is on; moving to another, closed there at moved_ns */
    uint32_t on, to;
    bool moving;
    int64_t moved_ns, good_ns[PARENTS_MAX];     /* each input has been good since; INT64_MAX: it is not */
};

/* setup: of every node that the workload describes, on its first input, battery full, nothing running that
 * need not. */
void grid_source_init(struct grid *grid, const struct workload *workload);

/* any: it gives power though nothing feeds it; or gives none though it stands at the top. */
bool grid_source_lives(const struct grid_node *node, bool fed);

/* any: the parent that a switch is on, dead or alive, or INDEX_NONE while it is open. */
uint32_t grid_source_input(const struct grid *grid, uint32_t node);

/* any: dt up to t_ns of what flows; true: what is live may have changed. */
bool grid_source_step(struct grid *grid, int64_t t_ns, double dt_s);

#endif
