/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How far a meter's clock is off, and how fast it runs off, from its stamps and their arrivals alone. What
 * a network adds is never negative, so the least of (arrival - stamp) in every few seconds is the clock and
 * the quickest way here; queueing does not reach it. A constant way cannot be told from an offset: the
 * offset is low by that. Drift is the median of slopes between such leasts. Pure.
 */
#ifndef FLYBALL_TIME_METER_CLOCK_H
#define FLYBALL_TIME_METER_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "time/reference.h"

enum { METER_CLOCK_POINTS = 16, METER_CLOCK_ENOUGH = 4 };

/* A point for each of these. */
#define METER_CLOCK_BUCKET_NS INT64_C(5000000000)

struct meter_clock_point {
    int64_t mono_ns;            /* arrival */
    int64_t lag_ns;             /* least of arrival - stamp, by the poll that found it */
    int64_t within_ns;          /* it came at most so long before */
};

/* Zeroed at first. */
struct meter_clock {
    struct meter_clock_point point[METER_CLOCK_POINTS];     /* the newest last; it may still fall */
    uint32_t count;
    int64_t bucket;
};

struct meter_clock_found {
    bool has_offset;            /* against a reference; else only drift, against this machine */
    bool has_drift;
    uint32_t points;            /* leasts that it is found from */
    int64_t offset_ns;          /* stamp - reference, at the newest arrival; low by the quickest way here */
    int64_t half_ns;            /* of the reference there, and what frames may have waited for a poll */
    int64_t drift_ppb;          /* positive: it runs fast */
    int64_t drift_half_ppb;     /* what the scatter of the leasts may make of it */
};

/* cold: the least of (arrival - stamp) so far in the bucket of this arrival; it is less by within_ns at most,
 * what the frame may have waited for the poll that found it. */
void meter_clock_take(struct meter_clock *clock, int64_t mono_ns, int64_t lag_ns, int64_t within_ns);

/* cold: its clock was set: what was before says nothing of it any more. */
void meter_clock_forget(struct meter_clock *clock);

/* cold: `line` NULL: no reference is known. `ahead_ns`: of the reference's scale before the meters' (37 s
 * where that is TAI and stamps are UTC). */
void meter_clock_find(const struct meter_clock *clock, const struct reference_line *line, int64_t ahead_ns,
                      struct meter_clock_found *found);

/* any: is it off by more than `within_ns`, or does it drift by more than `drift_ppb`, whatever is not known
 * of either? */
bool meter_clock_is_off(const struct meter_clock_found *found, int64_t within_ns, int64_t drift_ppb);

/* Of a drift, by who would lend on ages that it falsifies. */
enum meter_clock_rate {
    METER_CLOCK_UNKNOWN,        /* not METER_CLOCK_POINTS leasts yet, or they scatter too much to tell */
    METER_CLOCK_KEEPS,          /* with all that is not known of it, it is within */
    METER_CLOCK_RUNS_OFF        /* it may be beyond, or it surely is */
};

/* any: is it within `drift_ppb`? Scatter speaks against a meter only where it is small: packets that software
 * stamps to some ms make no drift. Where it is large only a drift far beyond it counts. */
enum meter_clock_rate meter_clock_rate(const struct meter_clock_found *found, int64_t drift_ppb);

#endif
