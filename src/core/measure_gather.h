/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One reading a cycle out of what a meter's samples complete: volts, amperes and watts of each phase over its
 * own cycle, and of the time since the reading before the highest peak and the steepest slope. The cycles of
 * a phase that are read follow on each other: none is left out but where samples are missing.
 */
#ifndef FLYBALL_CORE_MEASURE_GATHER_H
#define FLYBALL_CORE_MEASURE_GATHER_H

#include "core/measure.h"
#include "core/measure_meter.h"

struct measure_gather {
    struct {
        double voltage_v, current_a, active_w;
        int64_t t_ns;           /* end of the cycle */
        uint32_t halves;        /* since the reading before; what stands above is of the second */
    } phase[MEASURE_PHASES];
    uint32_t flags;             /* enum measure_flag, of the cycles and ticks since */
    double peak_a;              /* of any phase since */
    double slope_w_per_s;       /* since, the one of the largest magnitude */
    double load_factor, trend_w_per_s;  /* of the newest second; the first 0: it was not whole */
};

enum { MEASURE_READINGS_MAX = MEASURE_HALVES_MAX / 2 + 1 };

/* What spoils a window: its values may be wrong by more than their class. */
#define MEASURE_UNSURE (MEASURE_SETTLING | MEASURE_GAP | MEASURE_FILLED | MEASURE_CLIPPED | MEASURE_CLOCK)

/* rt: what a block completed, of that meter. Returns how many readings stand in `values`, oldest first: their
 * time is the end of the cycle that ended first, and they are READING_UNSURE where MEASURE_UNSURE is so. */
uint32_t measure_gather(struct measure_gather *gather, const struct measure_meter *meter,
                        const struct measure_out *out, struct measure_values values[MEASURE_READINGS_MAX]);

#endif
