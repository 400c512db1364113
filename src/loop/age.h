/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How old a reading is where no common clock is known (safety.md section 5): the growth of (arrival - meter
 * stamp) over its least value of the last 60 s. A constant offset between the clocks, however large, counts
 * for nothing.
 *
 * An arrival is an interval: a frame came between the last poll that found its queue empty and the one that
 * found it, and may have waited as long. How old a reading is goes by the later end; what it is held against,
 * the least value, by the earlier one, so that what all readings wait is not taken for the network's. Only
 * where that interval is wide, AGE_SURE_NS, does a reading tell of the least value by its later end alone:
 * after the receiver stood still nothing is known of when it came, and one such moment would make every
 * reading look old for 60 s. Where all of 60 s are so wide, the earlier ends are believed. An age is never
 * less than by the polls alone.
 *
 * A stamp far ahead of the line would pull the least value down and make every later reading look old for 60
 * s. So a step ahead is believed only when readings in a row confirm it; until then they count as too old.
 * The first AGE_YOUNG readings are not yet a line: a receiver that starts late hears a backlog first, and
 * recovers with the first prompt reading.
 *
 * A step ahead takes as much off every age: of readings that were late it may leave none. So for 60 s behind
 * one readings are doubted: they may be older than is said. Where they were late it need not come below the
 * least value; so one is seen by what AGE_RECENT readings and more before it had in common, too: stamps that
 * leave out more than a period while arrivals leave out nothing. That is what a network looks like as well
 * that was late for all of them, and then lost readings and its lateness at once. A step of up to
 * AGE_STEP_NS and a period passes unseen, and so does one within AGE_RECENT readings of the delay it hides.
 */
#ifndef FLYBALL_LOOP_AGE_H
#define FLYBALL_LOOP_AGE_H

#include <stdbool.h>
#include <stdint.h>

enum { AGE_BUCKETS = 12, AGE_CONFIRMATIONS = 4, AGE_YOUNG = 64, AGE_RECENT = 4 };
/* more than this below the floor is a step of the meter's clock */
#define AGE_STEP_NS INT64_C(50000000)
#define AGE_AGREE_NS INT64_C(20000000)      /* readings after a step agree to within this */
#define AGE_SURE_NS INT64_C(1000000)        /* an arrival that is known to within this */
#define AGE_BUCKET_NS INT64_C(5000000000)   /* 12 x 5 s = the 60 s of the rule */

#define AGE_FORGETS_NS (AGE_BUCKETS * AGE_BUCKET_NS)

/* Leasts of (arrival - stamp); INT64_MAX = none. */
struct age_least {
    int64_t found;              /* by the polls that found them */
    int64_t sure;               /* by the earlier ends, of arrivals that are known to within AGE_SURE_NS */
    int64_t early;              /* by the earlier ends, of all */
};

struct age {
    struct age_least least[AGE_BUCKETS];    /* in each 5 s */
    struct age_least all;       /* least of them all */
    int64_t found_within_ns;    /* the interval of the newest bucket's `found` */
    int64_t bucket;             /* number of the newest bucket, 0 = never heard */
    int64_t ahead_ns;           /* arrival - stamp of the readings that claim a step ahead */
    uint32_t ahead;             /* how many in a row, and agree */
    uint32_t seen;              /* readings of this line, up to AGE_YOUNG */
    /* leasts of (arrival - stamp) by the earlier ends, of up to AGE_RECENT newest and of as many before */
    int64_t recent_ns, before_ns;
    uint32_t recents;           /* readings in them; beyond AGE_RECENT, those of the newest and AGE_RECENT */
    int64_t period_ns;          /* from reading to reading, by whoever knows; 0: not known, short */
    bool stepped;               /* a step was confirmed; whoever counts it clears this */
    /* by arrival: until the time before the newest step is forgotten; before that a reading may be older than
     * is said */
    int64_t doubted_until_ns;
};

/* rt: takes one reading, found at arrival_ns and there for at most within_ns, and says how old it is then,
 * ns, never negative; INT64_MAX while a step ahead is not confirmed. Times in one clock, all >= 0. A reading
 * that waited (the receiver stood still) is as old as it waited, and leaves the floor where it was. */
int64_t age_observe(struct age *age, int64_t arrival_ns, int64_t within_ns, int64_t stamp_ns);

/* rt: the least of (arrival - stamp) in the newest 5 s by the poll that found it, after a reading; it may
 * have come age->found_within_ns before. */
static inline int64_t age_lag_ns(const struct age *age)
{
    return age->least[age->bucket % AGE_BUCKETS].found;
}

/* any: what (arrival - stamp) is held against: the least of 60 s. */
static inline int64_t age_floor(const struct age *age)
{
    int64_t early = age->all.sure < INT64_MAX ? age->all.sure : age->all.early;
    return early < age->all.found ? early : age->all.found;
}

/* setup: before the first reading: the floor that somebody else knew goes on for 60 s from now, as if surely
 * met: it goes by earlier ends, so no reading looks younger by it than it is. One that was not sure makes
 * them look older, for those 60 s. Counted as not sure, what waited while we started would look as old as
 * that start took. */
void age_resume(struct age *age, int64_t floor, int64_t now_ns);

/* rt: somebody set the meter's time, and nobody knows by how much: a step, and a doubt. */
void age_set_anew(struct age *age, int64_t arrival_ns);

/* any: from now_ns on, for 60 s, nobody knows how late the meter was before. */
void age_doubt(struct age *age, int64_t now_ns);

#endif
