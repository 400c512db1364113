/* SPDX-License-Identifier: Apache-2.0 */
/* PowerMeasurement (upmu.proto): hand-written single-pass decoder and encoder. */
#ifndef FLYBALL_WIRE_UPMU_H
#define FLYBALL_WIRE_UPMU_H

#include "msg/upmu.h"

/* rt: ACCEPTED or REFUSED_MALFORMED. Follows proto3 (domain.md 3.1): unknown fields skipped, last one wins
 * for singular fields, singular messages that come twice merged, packed and unpacked harmonics; at most
 * HARMONICS_MAX of them, at most PHASES phases, nothing non-finite. Stricter than proto3: see wire/proto.h.
 * device_id points into `body`; harmonic_pct is written only up to harmonic_count; after a refusal `upmu`
 * holds nothing of use. */
int upmu_decode(const uint8_t *body, uint32_t bytes, struct upmu *upmu);

/* any: returns bytes written; 0 when they do not fit or when the decoder would refuse them. Fields at their
 * default are omitted. */
uint32_t upmu_encode(const struct upmu *upmu, uint8_t *body, uint32_t room);

#endif
