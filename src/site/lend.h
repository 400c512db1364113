/* SPDX-License-Identifier: Apache-2.0 */
/* Where a node may carry more than its steady limit for a while, and why not (safety.md section 5: I3,
 * I5). */
#ifndef FLYBALL_SITE_LEND_H
#define FLYBALL_SITE_LEND_H

#include "site/flow/outage.h"

/* Why no lease may pass the steady limit at a node; a set. X(symbol, bit, words) */
#define LEND_OBSTACLES(X) \
    X(OBSTACLE_NO_CURVE, 1, "no curve") \
    X(OBSTACLE_NO_SETTINGS_FROM, 2, "no settings_from") \
    X(OBSTACLE_NO_METER, 4, "no meter") \
    X(OBSTACLE_SLOW_METER, 8, "meter slower than 20 ms") \
    X(OBSTACLE_EQUIPMENT, 16, "no curve of its equipment") \
    X(OBSTACLE_PHASORS, 32, "a meter of phasors, which are no rms")

enum lend_obstacle {
#define LEND_SYMBOL(symbol, bit, words) symbol = bit,
    LEND_OBSTACLES(LEND_SYMBOL)
#undef LEND_SYMBOL
};

/* Longer windows hide pulses that heat (safety.md section 5). */
#define LEND_METER_NS (20 * NS_PER_MS)

/* any: a set of enum lend_obstacle, asked for or not. */
uint32_t lend_obstacles(const struct site *site, uint32_t node);

/* any: a meter whose volts vanish with the loss: that of the lost node itself, else the first below it that
 * goes dark; INDEX_NONE = none. */
uint32_t lend_witness(const struct site *site, const struct outage *outage, uint32_t c);

#endif
