/* SPDX-License-Identifier: Apache-2.0 */
#include "record/crc32c.h"

#include <string.h>

static const uint32_t POLYNOMIAL_REFLECTED = 0x82F63B78;

void crc32c_init(struct crc32c *crc)
{
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t value = byte;

        for (int bit = 0; bit < 8; bit++)
            value = value & 1 ? value >> 1 ^ POLYNOMIAL_REFLECTED : value >> 1;
        crc->table[0][byte] = value;
    }
    for (uint32_t k = 1; k < 8; k++) {
        for (uint32_t byte = 0; byte < 256; byte++) {
            uint32_t value = crc->table[k - 1][byte];

            crc->table[k][byte] = value >> 8 ^ crc->table[0][value & 0xff];
        }
    }
}

/* Eight bytes at once: their contributions are independent and are taken from eight tables. */
static uint32_t eight_bytes(const struct crc32c *crc, uint32_t value, const uint8_t *data)
{
    uint64_t word;
    uint32_t mixed = 0;

    memcpy(&word, data, sizeof(word));
    word ^= value;
    for (uint32_t k = 0; k < 8; k++)
        mixed ^= crc->table[7 - k][word >> (8 * k) & 0xff];
    return mixed;
}

uint32_t crc32c(const struct crc32c *crc, uint32_t before, const void *data, size_t bytes)
{
    const uint8_t *next = data;
    uint32_t value = ~before;

    for (; bytes >= 8; bytes -= 8, next += 8)
        value = eight_bytes(crc, value, next);
    for (; bytes > 0; bytes--, next++)
        value = value >> 8 ^ crc->table[0][(value ^ *next) & 0xff];
    return ~value;
}
