/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/loops/tally.h"

#include <math.h>
#include <stdlib.h>

/* Of the chance that the interval misses the median, half at either end. */
#define BEYOND_EACH_END 0.025
/* Above, the chance of the least count of a binomial is no double any more: the normal curve serves. */
enum { EXACT_MOST = 1000 };
#define WITHIN_95 1.96

void tally_add(struct tally *tally, struct block_samples *samples, enum tally_part part, int64_t ns)
{
    uint64_t value = ns > 0 ? (uint64_t)ns : 1;
    histogram_record(&tally->part[part], value);
    if (samples->count[part] < BLOCK_SAMPLES_MAX)
        samples->ns[part][samples->count[part]++] = value < UINT32_MAX ? (uint32_t)value : UINT32_MAX;
}

static int smaller_first(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return a < b ? -1 : a > b;
}

static uint32_t median(uint32_t *ns, uint32_t count)
{
    if (!count)
        return 0;
    qsort(ns, count, sizeof *ns, smaller_first);
    return ns[count / 2];
}

void tally_close_block(struct tally *tally, struct block_samples *samples, uint32_t round)
{
    tally->blocks++;
    for (int part = 0; part < PARTS; part++) {
        if (round < ROUNDS_MAX)
            tally->median_ns[part][round] = median(samples->ns[part], samples->count[part]);
        samples->count[part] = 0;
    }
}

static int lower_first(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return a < b ? -1 : a > b;
}

static double quantile_ratio(const struct tally *a, const struct tally *b, enum tally_part part, double q)
{
    uint64_t over = histogram_quantile(&a->part[part], q), under = histogram_quantile(&b->part[part], q);
    return under ? (double)over / (double)under : 0;
}

/* How many of the lowest, and of the highest, of a sorted list may be left out so that the true median lies
 * between the rest in 95 of 100 cases: it lies above each value with the chance one half. -1: five values or
 * fewer have no such interval, not even from end to end. */
static int32_t left_out(uint32_t count)
{
    if (count > EXACT_MOST)
        return (int32_t)(((double)count - WITHIN_95 * sqrt((double)count)) / 2) - 1;
    double chance = ldexp(1, -(int)count), sum = chance;
    int32_t out = -1;
    while (sum <= BEYOND_EACH_END) {
        out++;
        chance *= (double)(count - (uint32_t)out) / (out + 1);
        sum += chance;
    }
    return out;
}

static double middle(const double *sorted, uint32_t count)
{
    return (sorted[(count - 1) / 2] + sorted[count / 2]) / 2;
}

struct ratio tally_ratio(const struct tally *a, const struct tally *b, enum tally_part part)
{
    static double ratio[ROUNDS_MAX];
    struct ratio out = {0};
    for (uint32_t i = 0; i < ROUNDS_MAX; i++)
        if (a->median_ns[part][i] && b->median_ns[part][i])
            ratio[out.pairs++] = (double)a->median_ns[part][i] / (double)b->median_ns[part][i];
    if (!out.pairs)
        return out;
    qsort(ratio, out.pairs, sizeof *ratio, lower_first);
    out.p50 = middle(ratio, out.pairs);
    int32_t out_each = left_out(out.pairs);
    out.has_interval = out_each >= 0;
    if (out.has_interval) {
        out.p50_low = ratio[out_each];
        out.p50_high = ratio[out.pairs - 1 - (uint32_t)out_each];
    }
    out.p99 = quantile_ratio(a, b, part, 0.99);
    out.p999 = quantile_ratio(a, b, part, 0.999);
    return out;
}
