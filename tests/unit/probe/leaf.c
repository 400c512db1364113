/* SPDX-License-Identifier: Apache-2.0 */
/* A leaf function with a probe in it and room of its own: built twice, with the bytes below the stack pointer
 * and without. */
#include "probe/site.h"

enum { WORDS = 12 };

#ifndef LEAF
#define LEAF leaf
#define LEAF_PROBE "leaf"
#endif

uint64_t LEAF(uint64_t seed);

uint64_t LEAF(uint64_t seed)
{
    volatile uint64_t word[WORDS];
    uint64_t sum = 0;
    for (uint32_t i = 0; i < WORDS; i++)
        word[i] = seed * i;
    PROBE_SITE4(LEAF_PROBE, seed, 1, 2, 3);
    for (uint32_t i = 0; i < WORDS; i++)
        sum += word[i];
    return sum;
}
