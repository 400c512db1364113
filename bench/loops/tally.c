/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/loops/tally.h"

#include <math.h>
#include <stdlib.h>

/* Standard deviations of a normal curve that hold 95 % of it. */
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

/* Places of a sorted list of that many between which its true median lies in 95 of 100 cases. */
static void order_statistics(uint32_t count, uint32_t *low, uint32_t *high)
{
    double half = (double)count / 2, reach = WITHIN_95 * sqrt((double)count) / 2;
    double from = floor(half - reach), to = ceil(half + reach);
    *low = from > 0 ? (uint32_t)from : 0;
    *high = to < (double)count ? (uint32_t)to : count - 1;
}

struct ratio tally_ratio(const struct tally *a, const struct tally *b, enum tally_part part)
{
    static double ratio[ROUNDS_MAX];
    struct ratio out = {0};
    uint32_t low, high;
    for (uint32_t i = 0; i < ROUNDS_MAX; i++)
        if (a->median_ns[part][i] && b->median_ns[part][i])
            ratio[out.pairs++] = (double)a->median_ns[part][i] / (double)b->median_ns[part][i];
    if (!out.pairs)
        return out;
    qsort(ratio, out.pairs, sizeof *ratio, lower_first);
    order_statistics(out.pairs, &low, &high);
    out.p50 = ratio[out.pairs / 2];
    out.p50_low = ratio[low];
    out.p50_high = ratio[high];
    out.p99 = quantile_ratio(a, b, part, 0.99);
    out.p999 = quantile_ratio(a, b, part, 0.999);
    return out;
}
