/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of core/heat share. */
#ifndef FLYBALL_CORE_HEAT_INSIDE_H
#define FLYBALL_CORE_HEAT_INSIDE_H

#include "core/heat.h"
#include "msg/reading.h"

/* What hosts claim has no bound: 1 GA trips anything at once. */
#define CURRENT_HELD_MA INT64_C(1000000000000)

/* rt: enlarges `most` to what D since the mark allowed, at the lowest credible voltage, or the measured one
 * if lower. */
void heat_keep_exposed(struct breaker_load *most, const struct model_node *node,
                       const struct ledger_sums *sums, int64_t measured_mv);

/* rt: what a reading shows, the meter's error added. Returns its lowest living voltage, INT64_MAX = none
 * lives. */
int64_t heat_take_load(const struct model_node *node, const struct model_meter *meter,
                       const struct reading *reading, struct breaker_load *load);

/* rt: enlarges `most` to this load. */
void heat_keep_larger(struct breaker_load *most, const struct breaker_load *load);

/* rt: would this load trip within twice T_resp? */
bool heat_load_trips_soon(const struct heat *heat, uint32_t meter, const struct breaker_load *load);

#endif
