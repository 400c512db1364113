/* SPDX-License-Identifier: Apache-2.0 */
/* A workload for a site that has none of its own: the same site and seed, the same demand. */
#ifndef FLYBALL_SIM_WORKLOAD_MADE_H
#define FLYBALL_SIM_WORKLOAD_MADE_H

#include "sim/workload.h"

enum demand {
    DEMAND_MIXED,       /* half train in step, a quarter serves bursts, a quarter starts by turns */
    DEMAND_FULL,        /* every host wants nearly all that it can draw, always */
    DEMAND_LOW,         /* every host wants a third */
    DEMAND_NEAR,        /* steadily 80 % of what the busiest node may carry */
    DEMAND_PULSES,      /* all in step: 130 % of what the busiest node may carry for 1 s, 80 % for 1 s */
    DEMAND_STARTS,      /* groups idle, ramp up and run full by turns */
    DEMAND_KIND_COUNT
};

/* setup: 0 or -ENOMEM; ended by workload_unload. */
int workload_make(struct workload *workload, const struct model *model, enum demand demand);

/* any: of the nodes that have a limit, the one whose hosts could take the largest share of it, the first of
 * those alike; INDEX_NONE: there is none. */
uint32_t workload_busiest(const struct model *model);

#endif
