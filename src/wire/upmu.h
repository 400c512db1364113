/* SPDX-License-Identifier: Apache-2.0 */
/* PowerMeasurement (upmu.proto): hand-written single-pass decoder and encoder, bounds-checked, no allocation. */
#ifndef FLYBALL_WIRE_UPMU_H
#define FLYBALL_WIRE_UPMU_H

#include "msg/upmu.h"

/* rt: ACCEPTED or REFUSED_MALFORMED. Follows proto3 (domain.md 3.1): unknown fields skipped, last one wins for singular fields,
 * packed and unpacked harmonics, at most HARMONICS_MAX of them, at most PHASES phases, nothing non-finite. */
int upmu_decode(const uint8_t *body, uint32_t bytes, struct upmu *upmu);

/* any: returns bytes written, 0 when they do not fit. Fields at their default are omitted. */
uint32_t upmu_encode(const struct upmu *upmu, uint8_t *body, uint32_t room);

#endif
