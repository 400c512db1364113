/* SPDX-License-Identifier: Apache-2.0 */
/* From what a meter measured, or what was measured of its samples or phasors here, to the integers that
 * decisions are made of. */
#ifndef FLYBALL_CORE_MEASURE_H
#define FLYBALL_CORE_MEASURE_H

#include "msg/model.h"
#include "msg/reading.h"
#include "msg/upmu.h"

struct measure_values {
    int64_t t_ns;               /* end of the window, Unix epoch, UTC */
    uint32_t flags;             /* enum reading_flag */
    uint32_t phases;            /* that have values */
    struct { double voltage_v, current_a, active_w; } phase[PHASES];
    double slope_w_per_s;
    double crest;               /* of the current; 0 = not known */
    double frequency_hz;
    /* what alerts alone are made of: 0 = not given, and so is what makes no sense */
    double reactive_var;        /* all phases */
    double thd_voltage_pct, thd_current_pct;
    double load_factor, trend_w_per_s;          /* the second counts where the first is given */
    double harmonic_pct[READING_HARMONIC_COUNT];
};

/* rt: fills everything of `reading` but meter, sequence, t_arrival_ns and age_ns. Returns 0, or
 * REFUSED_MALFORMED where a value is not finite, negative where it cannot be, beyond 1 MV / 1 MA / 1 GW,
 * or phases are missing that the node has. */
int measure_convert(const struct measure_values *values, const struct model_node *node,
                    struct reading *reading);

/* rt: the same of a meter that computes its 16 ms values itself. */
int measure_reading(const struct upmu *upmu, const struct model_node *node, struct reading *reading);

#endif
