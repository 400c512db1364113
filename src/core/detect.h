/* SPDX-License-Identifier: Apache-2.0 */
/* Programmable thresholds with hysteresis on P, V, I and dP/dt of every meter. They raise alarms; caps are
 * the emergency's. */
#ifndef FLYBALL_CORE_DETECT_H
#define FLYBALL_CORE_DETECT_H

#include "msg/model.h"
#include "msg/reading.h"

enum detect_alarm {
    DETECT_POWER = 1,
    DETECT_CURRENT = 2,
    DETECT_SAG = 4,
    DETECT_SWELL = 8,
    DETECT_DP_DT = 16
};

struct detect {
    uint32_t active;            /* set of enum detect_alarm */
    int64_t measured_mw;        /* newest, all phases; -1 = none yet */
    int64_t reading_t_ns;       /* slot time of it */
};

/* rt: takes a reading of the node its meter covers; returns the alarms that were raised by it (not those
 * that stand). */
uint32_t detect_reading(struct detect *detect, const struct model *model, const struct reading *reading,
                        int64_t t_ns);

#endif
