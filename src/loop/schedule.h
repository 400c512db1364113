/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Contracts of the site file, given as orders at their wall times by a cold thread, and lifted when their
 * window ends. Nothing is remembered but what was given: every look compares it with what the wall clock says
 * should be in force now, so that a start in the middle of a window, a clock that is set, and a change to
 * summer time need no rules of their own. A cap is given LEAD before its window, so that it holds when that
 * begins.
 */
#ifndef FLYBALL_LOOP_SCHEDULE_H
#define FLYBALL_LOOP_SCHEDULE_H

#include "loop/orders.h"

#define SCHEDULE_LEAD_S 5
#define SCHEDULE_AGAIN_NS (5 * NS_PER_S)    /* an order that was not taken is given anew after this */

struct schedule_item {
    bool given;
    int64_t tried_ns;           /* monotonic, of the newest order; INT64_MIN = never */
};

struct schedule {
    const struct site *site;
    struct orders *orders;
    int core;
    pthread_t thread;
    _Atomic bool stop;
    /* a contract may give two orders: a cap and a ramp */
    struct schedule_item item[SITE_CONTRACTS_MAX][2];
    count_t failed;             /* orders that were not taken */
};

/* any: is the contract's window open at this wall time, seconds since 1970, by the local calendar? */
bool schedule_is_open(const struct site_contract *contract, int64_t wall_s);

/* setup: nothing was given yet. */
void schedule_begin(struct schedule *schedule);

/* cold: one look at the wall time given; what is due is given, what is over lifted. */
void schedule_look(struct schedule *schedule, int64_t wall_s, int64_t now_ns);

/* cold: the thread's body. */
void *schedule_run(void *schedule);

#endif
