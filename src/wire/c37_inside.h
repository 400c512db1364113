/* SPDX-License-Identifier: Apache-2.0 */
/* Big-endian fields of C37.118 frames. */
#ifndef FLYBALL_WIRE_C37_INSIDE_H
#define FLYBALL_WIRE_C37_INSIDE_H

#include <string.h>

#include "wire/c37.h"

/* Only moves forward; what lies beyond the end reads as zeros and is noted. */
struct c37_cursor {
    const uint8_t *at, *end;
    bool over;
};

/* rt: `bytes` of the frame, or NULL beyond its end. */
static inline const uint8_t *c37_take(struct c37_cursor *in, uint32_t bytes)
{
    const uint8_t *at = in->at;

    if (in->over || (uint32_t)(in->end - at) < bytes) {
        in->over = true;
        return NULL;
    }
    in->at += bytes;
    return at;
}

/* rt */
static inline uint16_t c37_u16(struct c37_cursor *in)
{
    const uint8_t *at = c37_take(in, 2);

    return (uint16_t)(at ? at[0] << 8 | at[1] : 0);
}

/* rt */
static inline uint32_t c37_u32(struct c37_cursor *in)
{
    uint32_t high = c37_u16(in);

    return high << 16 | c37_u16(in);
}

/* rt */
static inline double c37_float(struct c37_cursor *in)
{
    uint32_t bits = c37_u32(in);
    float value;

    memcpy(&value, &bits, sizeof value);
    return (double)value;
}

/* rt: from behind the header to the checksum, of a frame that c37_check passed. */
static inline struct c37_cursor c37_body(const uint8_t *data, const struct c37_head *head)
{
    return (struct c37_cursor){.at = data + C37_HEADER_BYTES, .end = data + head->bytes - 2};
}

/* rt: one of several frames of CFG-3, that c37_check passed: METER_ACCEPTED, and with the last one the bytes
 * of parts->joined; METER_CONFIG_PARTS, METER_DUPLICATE. */
int c37_parts_take(struct c37_parts *parts, const uint8_t *data, uint32_t bytes, uint32_t *joined_bytes);

/* rt: a configuration, head and body without the checksum. */
int c37_config_read(const uint8_t *data, uint32_t bytes, struct c37_config *config);

#endif
