/* SPDX-License-Identifier: Apache-2.0 */
/* `time:` of the site file: whose time it is, how well it must be known, how far meters may be beside it. */
#ifndef FLYBALL_SITE_CLOCK_H
#define FLYBALL_SITE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

enum { SITE_CLOCK_PATH_BYTES = 108 };

enum site_clock_source { SITE_CLOCK_SYSTEM, SITE_CLOCK_PTP, SITE_CLOCK_PHC };

struct site_clock {
    bool said;                          /* the file has the section */
    uint8_t source;                     /* enum site_clock_source */
    uint8_t domain;
    bool any_grandmaster;
    char ptp[SITE_CLOCK_PATH_BYTES];    /* ptp4l's socket; "" = it is not asked */
    char phc[SITE_CLOCK_PATH_BYTES];    /* of source phc */
    int64_t lock_within_ns, lock_after_ns, lost_after_ns, holdover_budget_ns;
    int64_t drift_ppm;                  /* of this machine's own clock */
    int64_t meter_within_ns, meter_drift_ppm;
};

#endif
