/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a host would draw if it were let: its highest draw of the last moments, or unknown while a cap holds
 * it down. Then it is probed upward (safety.md section 9): by one quantum where the watts are others', twice
 * as much each time that it was given so much and has taken it up; where nobody else wants them it claims all
 * it may have.
 */
#ifndef FLYBALL_CORE_DEMAND_H
#define FLYBALL_CORE_DEMAND_H

#include <stdbool.h>

#include "msg/lease.h"
#include "msg/model.h"

enum { DEMAND_STRETCHES = 4 };

/* A grant's, and two that are ordered: one for now and one for later. */
enum { DEMAND_GRANT, DEMAND_ORDERS, DEMAND_FORECASTS = DEMAND_ORDERS + 2 };

/* policy.demand_hold_ns in equal stretches; the newest is being filled, so between three quarters and all
 * of the time is remembered. */
struct demand {
    int64_t stretch_start_ns;
    uint32_t newest;                            /* stretch being filled */
    int64_t draw_mw[DEMAND_STRETCHES];          /* highest draw */
    /* highest cap at which the host was held down; -1 = was not */
    int64_t held_cap_mw[DEMAND_STRETCHES];
    int64_t probed_mw;          /* the cap at which it was held down last */
    int64_t probe_mw;           /* what it is probed upward by next; 0 = one quantum */
    int64_t forecast_until_ns;  /* the latest end of any forecast */
    struct demand_forecast {
        int64_t cap_mw, from_ns, until_ns;
    } forecast[DEMAND_FORECASTS];
};

/* setup */
void demand_init(struct demand *demand, int64_t t_ns);

/* rt: a controller before gave it this cap: it counts as used until reports have had time to say more. */
void demand_handed(struct demand *demand, const struct model_policy *policy,
                   const struct model_host_type *type, int64_t cap_mw);

/* rt: takes what a report says of draw and cap. */
void demand_report(struct demand *demand, const struct model_policy *policy, const struct report *report,
                   int64_t t_ns);

/* rt: it asked for this cap itself, until then (slot time), and was granted it: one grant at a time. */
void demand_granted(struct demand *demand, int64_t cap_mw, int64_t t_ns, int64_t until_t_ns);

/* rt: it is expected to want this cap from then until then (slot time). Takes the place of a forecast that it
 * overlaps, then of one that is over, then of the one that begins last. */
void demand_forecast(struct demand *demand, int64_t cap_mw, int64_t from_t_ns, int64_t until_t_ns,
                     int64_t t_ns);

/* rt: the cap this host can use, as far as is known. While it is held down at its newest cap: cap_max, or,
 * where watts are `scarce`, a probe above it. */
int64_t demand_cap_mw(const struct demand *demand, const struct model_policy *policy,
                      const struct model_host_type *type, int64_t newest_cap_mw, bool scarce, int64_t t_ns);

/* rt: when a forecast begins or ends next; INT64_MAX where none does. */
int64_t demand_changes_ns(const struct demand *demand, int64_t t_ns);

#endif
