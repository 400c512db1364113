/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Rows of histograms in memory that the shell sees: no map is asked, nothing is copied. */
#ifndef FLYBALL_BPF_HISTOGRAM_H
#define FLYBALL_BPF_HISTOGRAM_H

#include "latency.h"

#include <bpf/bpf_helpers.h>

/* Number of bits that `value` needs. */
static __always_inline uint32_t bit_length(uint64_t value)
{
    uint32_t bits = 0;
    if (value >> 32) { value >>= 32; bits += 32; }
    if (value >> 16) { value >>= 16; bits += 16; }
    if (value >> 8) { value >>= 8; bits += 8; }
    if (value >> 4) { value >>= 4; bits += 4; }
    if (value >> 2) { value >>= 2; bits += 2; }
    if (value >> 1) { value >>= 1; bits += 1; }
    return bits + (uint32_t)value;
}

static __always_inline uint32_t bucket_of(uint64_t ns)
{
    if (ns < 1 << LATENCY_SUB_BITS)
        return (uint32_t)ns;
    uint32_t shift = bit_length(ns) - 1 - LATENCY_SUB_BITS;
    uint32_t bucket = ((shift + 1) << LATENCY_SUB_BITS) + ((ns >> shift) & ((1 << LATENCY_SUB_BITS) - 1));
    return bucket < LATENCY_BUCKETS ? bucket : LATENCY_BUCKETS - 1;
}

/* Several cores may be at it. A maximum that two of them raise at once may be the lesser for a moment. */
static __always_inline void record(struct latency_row *row, uint64_t ns)
{
    uint32_t bucket = bucket_of(ns);
    __sync_fetch_and_add(&row->count, 1);
    __sync_fetch_and_add(&row->sum_ns, ns);
    if (ns > row->max_ns)
        row->max_ns = ns;
    if (bucket < LATENCY_BUCKETS)       /* for the verifier */
        __sync_fetch_and_add(&row->bucket[bucket], 1);
}

#endif
