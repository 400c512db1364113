/* SPDX-License-Identifier: Apache-2.0 */
/* What can be had without a governor, and what no governor can
 * beat: the baselines that the demo divides by. */
#ifndef FLYBALL_SIM_BASELINE_H
#define FLYBALL_SIM_BASELINE_H

#include "sim/plant.h"

/* The workload as an omniscient planner sees it: by host its mean,
 * and how long it wants more than each level. */
struct forecast {
    uint32_t host_count, levels;        /* levels of 1 / levels of phys_max */
    double *mean_w;                     /* by host */
    /* [host * levels + i]: share of time with demand >= (i + 0.5) / levels x phys_max */
    double *above;
};

/* setup: runs the demand alone from warm-up to duration_ns. 0 or -ENOMEM. */
int forecast_init(struct forecast *forecast, const struct model *model, const struct workload *workload,
                  int64_t duration_ns);
void forecast_finish(struct forecast *forecast);

/* any: mean of min(demand, bound_w) over the run. */
double forecast_mean_under_w(const struct forecast *forecast, uint32_t host, double phys_max_w,
                             double bound_w);

/* setup: fills on[]: the hosts of highest mean demand first, as many as fit with the
 * sum of phys_max at or below 0.65 of the rating (amperes x nominal volts x power
 * factor) at every limited node. Returns how many are on. */
uint32_t baseline_derated(const struct model *model, const struct forecast *forecast, bool *on);

enum static_knowledge { KNOWS_MEAN, KNOWS_DISTRIBUTION };

/* setup: fills cap_mw[]: fixed caps that are safe without a controller, by the ledger's arithmetic in
 * every contingency: sum of share x max(draw_max(cap), draw_max(fail-safe)) + bad + other <= limit at
 * every node and phase. Quantum by quantum to where it brings most energy; energy is concave in each cap
 * and the limits are nested, so with KNOWS_DISTRIBUTION this is the optimum. 0 or -ENOMEM. */
int baseline_static(const struct model *model, const struct workload *workload,
                    const struct forecast *forecast, enum static_knowledge knowledge, int64_t *cap_mw);

struct oracle;

/* setup: NULL when memory is short. `grid` says which feeds live and at which volts; NULL: all, nominal. */
struct oracle *oracle_create(const struct model *model, const struct grid *grid);
void oracle_destroy(struct oracle *oracle);

/* setup: nothing is held from one step to the next, as oracle.c does to save time. */
void oracle_be_exact(struct oracle *oracle);

/* any: a plant_grant: at each instant the weighted max-min of draws with
 * sum of share x draw + bad + other <= limit at every node and phase, in every contingency; where a node
 * may lend, sum of draws + other load present <= the level of its pool instead. */
void oracle_grant(void *oracle, const double *demand_w, double *granted_w);

/* setup: runs one virtual-time mode (not virtual or governed) to its outcome, which the caller finishes.
 * Static: the plan that brings more over this very demand. 0 or -errno. */
int baseline_run(const struct model *model, const struct workload *workload, enum plant_mode mode,
                 int64_t duration_ns, struct outcome *outcome);

#endif
