/* SPDX-License-Identifier: Apache-2.0 */
/* Values below 2^SUB_BITS have a bucket each; above, every power of two is cut into 2^SUB_BITS equal
 * buckets. */
#include "record/histogram.h"

enum { SUB_COUNT = 1 << HISTOGRAM_SUB_BITS, LAST = HISTOGRAM_BUCKETS - 1 };

static uint32_t bucket_of(uint64_t ns)
{
    if (ns < SUB_COUNT)
        return (uint32_t)ns;

    uint32_t shift = 63 - (uint32_t)__builtin_clzll(ns) - HISTOGRAM_SUB_BITS;
    uint32_t bucket = ((shift + 1) << HISTOGRAM_SUB_BITS) + (uint32_t)((ns >> shift) & (SUB_COUNT - 1));

    return bucket < LAST ? bucket : LAST;
}

uint64_t histogram_bucket_floor(uint32_t bucket)
{
    if (bucket < SUB_COUNT)
        return bucket;

    uint32_t shift = (bucket >> HISTOGRAM_SUB_BITS) - 1;

    return (uint64_t)(SUB_COUNT + (bucket & (SUB_COUNT - 1))) << shift;
}

void histogram_record(struct histogram *histogram, uint64_t ns)
{
    histogram->count++;
    histogram->sum_ns += ns;
    if (ns > histogram->max_ns)
        histogram->max_ns = ns;
    histogram->bucket[bucket_of(ns)]++;
}

/* The nearest-rank definition: the smallest recorded value with at least q of all values at or below it. */
static uint64_t rank_of(uint64_t count, double q)
{
    if (q <= 0)
        return 1;
    if (q >= 1)
        return count;

    double exact = q * (double)count;
    uint64_t rank = (uint64_t)exact;

    rank += (double)rank < exact;
    return rank < 1 ? 1 : rank;
}

uint64_t histogram_quantile(const struct histogram *histogram, double q)
{
    if (histogram->count == 0)
        return 0;

    uint64_t rank = rank_of(histogram->count, q), below = 0;
    uint32_t bucket = 0;

    for (; bucket < LAST; bucket++) {
        below += histogram->bucket[bucket];
        if (below >= rank)
            break;
    }

    /* The last bucket has no upper edge: everything above the range is in it. */
    uint64_t edge = bucket < LAST ? histogram_bucket_floor(bucket + 1) - 1 : UINT64_MAX;

    return edge < histogram->max_ns ? edge : histogram->max_ns;
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
    into->count += from->count;
    into->sum_ns += from->sum_ns;
    if (from->max_ns > into->max_ns)
        into->max_ns = from->max_ns;
    for (uint32_t bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++)
        into->bucket[bucket] += from->bucket[bucket];
}
