/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of core/heat share. */
#ifndef FLYBALL_CORE_HEAT_INSIDE_H
#define FLYBALL_CORE_HEAT_INSIDE_H

#include "core/heat.h"

/* What hosts claim has no bound: 1 GA trips anything at once. */
#define CURRENT_HELD_MA INT64_C(1000000000000)

/* rt: enlarges `most` to what D since the mark allowed, at the lowest credible voltage, or the measured one
 * if lower. */
void heat_keep_exposed(struct breaker_load *most, const struct model_node *node,
                       const struct ledger_sums *sums, int64_t measured_mv);

#endif
