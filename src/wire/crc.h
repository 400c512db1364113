/* SPDX-License-Identifier: Apache-2.0 */
/* Checksums of meter protocols. */
#ifndef FLYBALL_WIRE_CRC_H
#define FLYBALL_WIRE_CRC_H

#include <stdint.h>

/* rt: CRC-32C (Castagnoli, RFC 3720): "123456789" is 0xE3069283. Begin with 0; pass what came out to go
 * on. */
uint32_t crc_32c(uint32_t crc, const uint8_t *data, uint32_t bytes);

/* rt: CRC-16/CCITT-FALSE, as IEEE C37.118 has it: "123456789" is 0x29B1. */
uint16_t crc_16(const uint8_t *data, uint32_t bytes);

#endif
