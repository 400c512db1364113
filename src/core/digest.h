/* SPDX-License-Identifier: Apache-2.0 */
/* One word more into the digest of what was decided, by which two runs are told apart: order and every bit
 * count. */
#ifndef FLYBALL_CORE_DIGEST_H
#define FLYBALL_CORE_DIGEST_H

#include <stdint.h>

/* rt */
static inline uint64_t digest_mix(uint64_t digest, uint64_t word)
{
    digest = (digest ^ word) * UINT64_C(0x9E3779B97F4A7C15);
    return digest ^ (digest >> 29);
}

#endif
