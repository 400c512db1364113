/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes of worked examples, as they are printed. */
#ifndef FLYBALL_TESTS_HEX_H
#define FLYBALL_TESTS_HEX_H

#include <stdint.h>
#include <stdlib.h>

/* Pairs of digits without blanks; how many bytes they are. */
static inline uint32_t hex_read(const char *hex, uint8_t *out)
{
    uint32_t bytes = 0;

    for (; hex[0] && hex[1]; hex += 2) {
        const char pair[] = {hex[0], hex[1], 0};
        out[bytes++] = (uint8_t)strtoul(pair, NULL, 16);
    }
    return bytes;
}

#endif
