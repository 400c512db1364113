/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The wires: host powers over their cords into three-phase currents at every node, a little voltage drop,
 * and a breaker wherever the model says a node has one. A trip takes everything below it down.
 *
 * Flows are worked out only when something changed, and stand until then; what flowed is summed up over the
 * time for which it stood. A breaker none of whose pickups is reached lives on the mean of the current's
 * square over slices of GRID_SLICE_NS, short against every thermal time constant; one that may count or trip
 * is stepped with every call.
 */
#ifndef FLYBALL_SIM_GRID_H
#define FLYBALL_SIM_GRID_H

#include "sim/grid_source.h"
#include "sim/tripunit.h"
#include "sim/workload.h"

enum { TRIPS_MAX = 64 };
#define GRID_SLICE_NS (20 * NS_PER_MS)

/* Since the start, for means over any time. */
struct grid_sums {
    double power_ws[PHASES], reactive_vars[PHASES], volts2_s[PHASES], amperes2_s[PHASES];
};

struct grid_node {
    double power_w[PHASES], reactive_var[PHASES], volts[PHASES], amperes[PHASES];
    double nominal_v, rating_a, limit_a;
    double per_unit[PHASES];            /* volts of nominal_v */
    struct grid_sums sums;
    double other_w[PHASES];             /* load no lease governs */
    double more_w[PHASES];              /* and what a fault adds to it */
    double sag;                         /* share of voltage that a fault takes here */
    bool has_breaker, open, lost;       /* tripped; without power by an event */
    bool dark;                          /* without power by a fault */
    bool live;                          /* one of its parents is, and it is neither */
    bool even;                          /* its feeds below have all the same shares */
    bool hot;                           /* its unit may count or trip */
    uint32_t feeder;                    /* the live parent it hangs on, or INDEX_NONE */
    uint32_t feed_first, feed_count;    /* live cords of hosts on it */
    double calm_a;                      /* tripunit_calm_a */
    double slice_s, slice_a2s[PHASES];  /* what its unit has not seen yet; the sums where it began */
    struct grid_source *source;         /* NULL: it is none that the workload describes */
    struct tripunit unit;
};

/* A live cord: what a watt of its host is on each phase. */
struct grid_feed {
    uint32_t host;
    double power[PHASES], reactive[PHASES];
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
    int64_t step_ns;                    /* of the plant that steps it */
    double crest, regulation;
    struct grid_feed *feed;             /* by node */
    double *host_w;                     /* by host: what flows now is made of */
    bool stale;                         /* something but host powers changed: whoever does it says so */
    bool changed;                       /* flows are not those of the step before */
    bool rewired;                       /* a source changed: what is live is to be found anew */
    uint32_t wirings;                   /* counts changes of what is live */
    double held_s;                      /* what flows has stood for so long and is not in the sums */
    int64_t slice_ns;                   /* since the last slice ended */
    uint32_t hot_count;                 /* nodes that were hot when flows last changed */
    bool heated;                        /* some unit was stepped in the last call */
    struct grid_node *node;
    uint32_t source_count;
    struct grid_source source[SOURCES_MAX];
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

/* any: the same for a fault, beside any event. */
void grid_darken(struct grid *grid, uint32_t node, bool dark);

/* any: voltage at the node, and so below it, falls by this share: loads draw constant power, so current
 * rises. */
void grid_sag(struct grid *grid, uint32_t node, double share);

/* any: so much load that no lease governs draws at the node beside other_w, over its phases. */
void grid_load_more(struct grid *grid, uint32_t node, double watts);

/* any: what is wrong with a source from now on; nothing where the workload describes none. */
void grid_source_trouble(struct grid *grid, uint32_t node, const struct grid_source_trouble *trouble);

/* any: how near its engine is to stalling: 1 stalls; 0 where there is none. */
double grid_engine_heat(const struct grid *grid, uint32_t node);

/* any: who hangs on what, after `live` of a node was changed. */
void grid_wire(struct grid *grid);

/* any: brings every node's sums up to the end of the last step. */
void grid_sum_up(struct grid *grid);

/* any: flows for these host powers (W by host, 0 where dead), then dt of heating up to t_ns; trips are
 * noted. */
void grid_step(struct grid *grid, const double *host_w, int64_t t_ns, int64_t dt_ns);

#endif
