/* SPDX-License-Identifier: Apache-2.0 */
/* CFG-3 in several frames: each has a head, its number (CONT_IDX) and the next piece of the body. */
#include <string.h>

#include "wire/c37_inside.h"
#include "wire/crc.h"

enum { INDEX_BYTES = 2, CHECK_BYTES = 2, BODY_AT = C37_HEADER_BYTES + INDEX_BYTES, FIRST = 1, LAST = 0xFFFF };

/* The head is the first one's; the number becomes 0: the only frame. */
static void begin(struct c37_parts *parts, const uint8_t *data)
{
    memcpy(parts->joined, data, C37_HEADER_BYTES);
    parts->joined[C37_HEADER_BYTES] = parts->joined[C37_HEADER_BYTES + 1] = 0;
    parts->bytes = BODY_AT;
    parts->taken = 0;
}

int c37_parts_take(struct c37_parts *parts, const uint8_t *data, uint32_t bytes, uint32_t *joined_bytes)
{
    *joined_bytes = 0;
    if (bytes < BODY_AT + CHECK_BYTES)
        return METER_MALFORMED;
    uint32_t print = crc_32c(0, data, bytes), body = bytes - BODY_AT - CHECK_BYTES;
    uint32_t index = (uint32_t)data[C37_HEADER_BYTES] << 8 | data[C37_HEADER_BYTES + 1];

    if (index != FIRST && parts->taken_any && print == parts->newest)
        return METER_DUPLICATE;
    if (index == FIRST)
        begin(parts, data);
    bool fits = index == FIRST || (parts->taken && (index == parts->taken + 1 || index == LAST));
    if (!fits || body > C37_JOINED_BYTES - parts->bytes) {
        parts->taken = 0;
        return METER_CONFIG_PARTS;
    }
    memcpy(parts->joined + parts->bytes, data + BODY_AT, body);
    parts->bytes += body;
    parts->newest = print;
    parts->taken_any = true;
    parts->taken = index == LAST ? 0 : index;
    *joined_bytes = index == LAST ? parts->bytes : 0;
    return METER_ACCEPTED;
}
