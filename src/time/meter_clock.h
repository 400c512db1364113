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
    int64_t lag_ns;             /* least of arrival - stamp */
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
    int64_t offset_ns;          /* stamp - reference, at the newest arrival; low by the quickest way here */
    int64_t half_ns;            /* of the reference there */
    int64_t drift_ppb;          /* positive: it runs fast */
    int64_t drift_half_ppb;     /* what the scatter of the leasts may make of it */
};

/* cold: the least of (arrival - stamp) so far in the bucket of this arrival. */
void meter_clock_take(struct meter_clock *clock, int64_t mono_ns, int64_t lag_ns);

/* cold: its clock was set: what was before says nothing of it any more. */
void meter_clock_forget(struct meter_clock *clock);

/* cold: `line` NULL: no reference is known. `ahead_ns`: of the reference's scale before the meters' (37 s
 * where that is TAI and stamps are UTC). */
void meter_clock_find(const struct meter_clock *clock, const struct reference_line *line, int64_t ahead_ns,
                      struct meter_clock_found *found);

/* any: is it off by more than `within_ns`, or does it drift by more than `drift_ppb`, whatever is not known
 * of either? */
bool meter_clock_is_off(const struct meter_clock_found *found, int64_t within_ns, int64_t drift_ppb);

/* any: the same of the drift alone. */
bool meter_clock_drifts(const struct meter_clock_found *found, int64_t drift_ppb);

#endif
