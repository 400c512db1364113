/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the watts were good for. A host that wants w above idle and is granted g of it goes at the pace
 * (g / w)^a: the draw of a processor rises faster than its clock, with its square to cube where voltage
 * follows, so half the watts do more than half the work. a = 1/2 lies between that (1/3) and a voltage at
 * its floor (1); the workload says (`plant: work_exponent`). Hosts of a training job wait for each other:
 * all go at the pace of the slowest, whatever the others draw. Work counts in joules at full pace.
 */
#ifndef FLYBALL_SIM_WORK_H
#define FLYBALL_SIM_WORK_H

#include "sim/workload.h"

struct plant;

/* What hosts draw, want and do now: each by its own, and the sums that outcomes are made of. */
struct work {
    double *pace, *wanted_w;            /* by host; wanted: above idle */
    double power_w[CLASSES_MAX], demand_w[CLASSES_MAX], above_idle_w[CLASSES_MAX], done_w[CLASSES_MAX];
};

/* setup: 0 or -ENOMEM. */
int work_init(struct work *work, uint32_t host_count);
void work_finish(struct work *work);

/* any: demand or power of the host is another one now; after all such, work_sum. */
void work_note(struct plant *plant, uint32_t host);
void work_sum(struct plant *plant);

/* any: pace of a host that draws power_w where it wants demand_w; 1.0 where it wants no more than idle. */
double work_pace(double demand_w, double power_w, double idle_w, double exponent);

/* any: adds this step to the outcome's energy and work. */
void work_measure(struct plant *plant, double dt_s);

#endif
