/* SPDX-License-Identifier: Apache-2.0 */
/* One meter's 16 ms reading in integers: what detection, the ledger and replay work on. */
#ifndef FLYBALL_MSG_READING_H
#define FLYBALL_MSG_READING_H

#include "msg/limits.h"

enum reading_flag {
    READING_SAG = 1,
    READING_SWELL = 2,
    /* of a window that is not to be relied upon: samples were missing, clipped or from a clock that was set,
     * or repeat themselves; the meter says so, or whoever measured */
    READING_UNSURE = 4,
    /* of a moment between two readings: a single sample, or a slope, passed its threshold. All else is of the
     * reading before, and so it is unsure, too */
    READING_PEAK = 8,
    READING_EDGE = 16,
    /* its stamp is the middle of a filter's window, whose length nobody tells */
    READING_FILTERED = 32,
};

struct reading {
    uint32_t meter;             /* index into model.meter */
    uint32_t flags;             /* enum reading_flag */
    uint64_t sequence;          /* of the frame */
    int64_t t_meter_ns;         /* the meter's own stamp, UTC */
    int64_t t_arrival_ns;       /* same clock family as t_meter_ns, at the poll that found the frame */
    /* how old its end was when it arrived, by the rule of safety.md section 5, the configured bound added */
    int64_t age_ns;
    int64_t power_mw[PHASES];   /* active, positive = consumed */
    int64_t voltage_mv[PHASES]; /* rms, line to neutral */
    int64_t current_ma[PHASES]; /* rms */
    int64_t dp_dt_w_per_s;
    int32_t crest_milli;        /* peak / rms of current, 1414 for a sine; 0 = not given */
    int32_t frequency_mhz;      /* millihertz */
};

#endif
