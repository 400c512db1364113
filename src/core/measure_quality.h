/* SPDX-License-Identifier: Apache-2.0 */
/* From the 10 or 12 cycles of a meter's chain to the whole numbers of msg/quality.h. */
#ifndef FLYBALL_CORE_MEASURE_QUALITY_H
#define FLYBALL_CORE_MEASURE_QUALITY_H

#include <stdbool.h>

#include "core/measure_meter.h"
#include "msg/quality.h"

/* rt: everything of `quality` but its meter. False where a value makes no sense (beyond 1 MV, 1 MA), and
 * where samples of the window were missing, filled, clipped or from a clock that was set, or the frequency
 * was not found yet: then it tells nothing. */
bool measure_quality(const struct measure_cycles *cycles, uint32_t phases, struct quality *quality);

#endif
