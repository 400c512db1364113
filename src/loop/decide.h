/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one sequencer: merges the lanes into the ring, lets ticks in at their times, takes the step, hands
 * leases to egress and a copy of the slot to the tap. One thread owns it.
 */
#ifndef FLYBALL_LOOP_DECIDE_H
#define FLYBALL_LOOP_DECIDE_H

#include "core/pipeline.h"
#include "loop/board.h"
#include "loop/budget.h"
#include "loop/count.h"
#include "loop/lane.h"
#include "loop/latency.h"
#include "loop/view.h"
#include "record/account.h"
#include "ring/ring.h"
#include "ring/spsc.h"
#include "time/timebase.h"

enum { INPUTS_MAX = LANES_MAX + 3 };

/* The tap drops spectra, and then readings, when it is this full: reports, ticks and what they need to be
 * understood come last. */
enum { TAP_DETAIL_DROP_PCT = 75, TAP_READING_DROP_PCT = 90 };

struct decide_counters {
    count_t slots;                      /* entered the ring */
    count_t tap_dropped[CLASS_COUNT];   /* did not fit into the tap, by class */
    count_t waits;                      /* turns in which egress had no room, so nothing was decided */
    count_t normal_most, emergency_most, tap_most;  /* records that waited in each queue at once, at most */
};

struct decide {
    /* constant after build */
    const struct timebase *base;
    struct core *core;
    struct spsc *input[INPUTS_MAX];     /* the lanes, orders, spectra, last what egress returns */
    uint32_t inputs;
    bool look_again;                    /* a sender may come by several lanes, filled by other threads */
    struct spsc *normal, *emergency, *tap;
    struct view *view;
    struct board *board;                /* NULL = none */
    struct account_file *account;       /* NULL = none */
    int64_t tick_ns;
    uint32_t meters;
    int64_t age_bound_ns;               /* that lanes added to the age of a reading */
    /* the deciding thread's own */
    struct ring ring;
    struct outbox outbox;
    int64_t t_ns;                       /* slot time of the newest slot */
    uint64_t tick;                      /* newest tick entered */
    uint64_t feed_turns;                /* of core_feed_turns, when feeds were last written */
    struct slot *slot;                  /* in the ring, decided, not yet tapped; NULL = none */
    bool digest_due;
    struct slot_digest digest;
    struct decide_counters counters;
    struct latency decided;             /* receive -> decided, slots that came from a lane */
    struct latency spent[BUDGET_CLASSES];       /* of the budget, once decided, wait included */
    struct budget budget;
    bool held;                          /* in the turn before, egress had no room */
    int64_t held_until_ns;              /* and this was the last such turn's end */
    struct gap *gap;                    /* of the thread; NULL: not measured */
};

/* setup: t_ns is what core_init was given. */
void decide_start(struct decide *decide, int64_t t_ns, int64_t tick_ns);

/* What the file has beside a record's words (core/handed.h): how far a meter's clock stands off ours, so that
 * its readings are no younger to the one who takes over. */
struct decide_record {
    uint32_t words;             /* of core_handed; 0 = none */
    int64_t word[HANDED_WORDS_MAX];
    int64_t floor_ns;           /* age_floor_ns; INT64_MAX = not known, INT64_MIN = its clock has stepped */
};

/* setup, before the deciding thread runs, the tap's reader running: what the controller before left are the
 * first slots, as of t_ns, and from then on the file has everybody's. `record` has room for all meters and
 * feeds, or is NULL. */
void decide_take_over(struct decide *decide, const struct slot_account *account, uint32_t count,
                      const struct decide_record *record, int64_t t_ns);

/* setup: a record as it stands in the file; the newest whole one. */
void decide_read_record(const struct account_file *file, uint32_t number, uint32_t meters,
                        struct decide_record *record);

/* rt: takes the oldest input or the tick that is due before it, through the step. False when nothing is
 * due, or egress has no room for what a step may send. The slot stays in hand until decide_tap. */
bool decide_next(struct decide *decide);

/* rt: some lane has an input that waits. */
bool decide_waiting(const struct decide *decide);

/* rt: one part of an open tick. False when none is open, or a new tick is due. */
bool decide_part(struct decide *decide);

/* rt: ends the slot in hand: copies it into the tap, a due digest behind it. sent_ns: when its leases
 * left, where this thread knows, else 0. */
void decide_tap(struct decide *decide, int64_t sent_ns);

#endif
