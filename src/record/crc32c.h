/* SPDX-License-Identifier: Apache-2.0 */
/* CRC-32C (Castagnoli), as in RFC 3720 appendix B.4: polynomial 0x1EDC6F41 reflected, start and end
 * inverted. */
#ifndef FLYBALL_RECORD_CRC32C_H
#define FLYBALL_RECORD_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* table[k][b]: what byte b contributes when k more bytes follow it. */
struct crc32c { uint32_t table[8][256]; };

/* setup */
void crc32c_init(struct crc32c *crc);

/* any: about 1 GB/s. Of consecutive pieces by passing on the result; 0 at first. */
uint32_t crc32c(const struct crc32c *crc, uint32_t before, const void *data, size_t bytes);

#endif
