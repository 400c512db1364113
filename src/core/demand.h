/* SPDX-License-Identifier: Apache-2.0 */
/* What a host would draw if it were let: its highest draw of the last moments, or unknown while a cap
 * holds it down. */
#ifndef FLYBALL_CORE_DEMAND_H
#define FLYBALL_CORE_DEMAND_H

#include <stdbool.h>

#include "msg/lease.h"
#include "msg/model.h"

enum { DEMAND_STRETCHES = 4 };

/* policy.demand_hold_ns in equal stretches; the newest is being filled, so between three quarters and all
 * of the time is remembered. */
struct demand {
    int64_t stretch_start_ns;
    uint32_t newest;                            /* stretch being filled */
    int64_t draw_mw[DEMAND_STRETCHES];          /* highest draw */
    /* highest cap at which the host was held down; -1 = was not */
    int64_t held_cap_mw[DEMAND_STRETCHES];
};

/* setup */
void demand_init(struct demand *demand, int64_t t_ns);

/* rt: a controller before gave it this cap: it counts as used until reports have had time to say more. */
void demand_handed(struct demand *demand, const struct model_policy *policy,
                   const struct model_host_type *type, int64_t cap_mw);

/* rt: takes what a report says of draw and cap. */
void demand_report(struct demand *demand, const struct model_policy *policy, const struct report *report,
                   int64_t t_ns);

/* rt: the cap this host can use, as far as is known; cap_max while it is held down at its newest cap. */
int64_t demand_cap_mw(const struct demand *demand, const struct model_policy *policy,
                      const struct model_host_type *type, int64_t newest_cap_mw);

#endif
