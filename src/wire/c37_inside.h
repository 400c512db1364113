/* SPDX-License-Identifier: Apache-2.0 */
/* Big-endian fields of C37.118 frames. */
#ifndef FLYBALL_WIRE_C37_INSIDE_H
#define FLYBALL_WIRE_C37_INSIDE_H

#include "wire/c37.h"

/* Only moves forward; what lies beyond the end reads as zeros and is noted. */
struct c37_cursor {
    const uint8_t *at, *end;
    bool over;
};

/* rt: `bytes` of the frame, or NULL beyond its end. */
const uint8_t *c37_take(struct c37_cursor *in, uint32_t bytes);

/* rt: the next field, 0 beyond the end. */
uint16_t c37_u16(struct c37_cursor *in);
uint32_t c37_u32(struct c37_cursor *in);
double c37_float(struct c37_cursor *in);

/* rt: one of several frames of CFG-3, that c37_check passed: METER_ACCEPTED, and with the last one the bytes
 * of parts->joined; METER_CONFIG_PARTS, METER_DUPLICATE. */
int c37_parts_take(struct c37_parts *parts, const uint8_t *data, uint32_t bytes, uint32_t *joined_bytes);

/* rt: a configuration, head and body without the checksum. */
int c37_config_read(const uint8_t *data, uint32_t bytes, struct c37_config *config);

#endif
