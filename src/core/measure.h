/* SPDX-License-Identifier: Apache-2.0 */
/* From a decoded measurement to the integers that decisions are made of. First form: 16 ms values as the
 * meter computed them. */
#ifndef FLYBALL_CORE_MEASURE_H
#define FLYBALL_CORE_MEASURE_H

#include "msg/model.h"
#include "msg/reading.h"
#include "msg/upmu.h"

/* rt: fills everything of `reading` but meter, sequence, t_arrival_ns and age_ns. Returns 0, or
 * REFUSED_MALFORMED where a value is not finite, negative where it cannot be, beyond 1 MV / 1 MA / 1 GW,
 * or phases are missing that the node has. */
int measure_reading(const struct upmu *upmu, const struct model_node *node, struct reading *reading);

#endif
