/* SPDX-License-Identifier: Apache-2.0 */
/* What a host would draw if it were let: its highest draw of the last moments, or unknown while a cap holds it down. */
#ifndef FLYBALL_CORE_DEMAND_H
#define FLYBALL_CORE_DEMAND_H

#include <stdbool.h>

#include "msg/lease.h"
#include "msg/model.h"

/* The newest stretch of time and the one before, each half of policy.demand_hold_ns long. */
struct demand {
    int64_t stretch_start_ns;
    int64_t draw_mw, earlier_draw_mw;       /* highest draw of each */
    int64_t held_cap_mw, earlier_held_cap_mw; /* highest cap at which the host was held down; -1 = was not */
};

/* rt: takes what a report says of draw and cap. */
void demand_report(struct demand *demand, const struct model_policy *policy, const struct report *report, int64_t t_ns);

/* rt: the cap this host can use, as far as is known; cap_max while it is held down at its newest cap. */
int64_t demand_cap_mw(const struct demand *demand, const struct model_policy *policy, const struct model_host_type *type,
                      int64_t newest_cap_mw);

#endif
