/* SPDX-License-Identifier: Apache-2.0 */
/* Log-linear latency histogram (HDR layout, 1/32 relative resolution, 1 ns to 2^40 ns): about 2 ns a
 * record, no allocation. */
#ifndef FLYBALL_RECORD_HISTOGRAM_H
#define FLYBALL_RECORD_HISTOGRAM_H

#include <stdint.h>

enum { HISTOGRAM_SUB_BITS = 5, HISTOGRAM_BUCKETS = (40 - HISTOGRAM_SUB_BITS + 1) << HISTOGRAM_SUB_BITS };

struct histogram {
    uint64_t count;
    uint64_t sum_ns;
    uint64_t max_ns;
    uint64_t bucket[HISTOGRAM_BUCKETS];
};

/* rt: values above the range count in the last bucket; max is exact. */
void histogram_record(struct histogram *histogram, uint64_t ns);

/* any: upper edge of the bucket that holds quantile q (0..1); 0 when empty; never above max. */
uint64_t histogram_quantile(const struct histogram *histogram, double q);
void histogram_merge(struct histogram *into, const struct histogram *from);

/* any: lower edge of a bucket, for export. */
uint64_t histogram_bucket_floor(uint32_t bucket);

#endif
