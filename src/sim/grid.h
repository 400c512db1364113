/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The wires: host powers over their cords into three-phase currents at every node, a little voltage drop,
 * and a breaker wherever the model says a node has one. A trip takes everything below it down.
 */
#ifndef FLYBALL_SIM_GRID_H
#define FLYBALL_SIM_GRID_H

#include "sim/tripunit.h"
#include "sim/workload.h"

enum { TRIPS_MAX = 64 };

struct grid_node {
    double power_w[PHASES], reactive_var[PHASES], volts[PHASES], amperes[PHASES];
    double nominal_v, rating_a, limit_a;
    double other_w[PHASES];             /* load no lease governs */
    bool has_breaker, open, lost;       /* tripped; without power by an event */
    bool live;                          /* one of its parents is, and it is neither */
    struct tripunit unit;
};

struct grid_trip {
    int64_t t_ns;
    uint32_t node;
    uint32_t phase;                     /* of the largest current */
    enum trip_element element;
    double amperes;
    uint8_t device_kind;                /* enum device_kind; DEVICE_NONE: one of the workload's breakers */
    char device[NAME_BYTES];            /* its row of `devices:`, "" = none */
};

struct grid {
    const struct model *model;
    const struct workload_breakers *breakers;
    double crest, regulation;
    struct grid_node *node;
    uint32_t trip_count;                /* all; the first TRIPS_MAX are kept */
    struct grid_trip trip[TRIPS_MAX];
};

/* So many of the site's devices are exactly the fast edge of their band; the rest lie anywhere within. */
#define GRID_FAST_SHARE 0.1

/* setup: 0 or -ENOMEM. `nominal` leaves every breaker at its nominal curve instead of drawing from the band.
 * `workload` must outlive the grid. */
int grid_init(struct grid *grid, const struct model *model, const struct workload *workload, bool nominal);
void grid_finish(struct grid *grid);

/* any: the host has at least one cord with voltage. */
bool grid_host_live(const struct grid *grid, uint32_t host);

/* any: bit i: PSU i has voltage; a host's PSUs are counted along its cords. */
uint16_t grid_psu_inputs(const struct grid *grid, uint32_t host);

/* any: what flows there besides hosts, from it and all below it, as long as all have voltage. */
double grid_other_w(const struct grid *grid, uint32_t node, uint32_t phase);

/* any: the node has no power from above from now on, or has it again. Cords that are left share what their
 * host draws from the next step on: its PSUs share within a cycle. */
void grid_lose(struct grid *grid, uint32_t node, bool lost);

/* any: flows for these host powers (W by host, 0 where dead), then dt of heating; trips are noted. */
void grid_step(struct grid *grid, const double *host_w, int64_t t_ns, int64_t dt_ns);

#endif
