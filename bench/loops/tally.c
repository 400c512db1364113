/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/loops/tally.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Of the chance that the interval misses the median, half at either end. */
#define BEYOND_EACH_END 0.025
/* Above, the chance of the least count of a binomial is no double any more: the normal curve serves. */
enum { EXACT_MOST = 1000, DRAWS = 400, TAIL_PAIRS = 10 };
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

/* Of sorted samples. */
static void keep(struct block_counts *counts, const uint32_t *ns, uint32_t count)
{
    struct histogram whole = {0};
    uint32_t buckets = 0;
    for (uint32_t i = 0; i < count; i++)
        histogram_record(&whole, ns[i]);
    for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++)
        buckets += whole.bucket[i] != 0;
    counts->row = buckets ? calloc(buckets, sizeof *counts->row) : NULL;
    for (uint32_t i = 0; counts->row && i < HISTOGRAM_BUCKETS; i++)
        if (whole.bucket[i])
            counts->row[counts->buckets++] = (struct bucket_count){(uint16_t)i, (uint16_t)whole.bucket[i]};
}

void tally_close_block(struct tally *tally, struct block_samples *samples, uint32_t round)
{
    tally->blocks++;
    for (int part = 0; part < PARTS; part++) {
        if (round < ROUNDS_MAX && !tally->counts[part][round].row) {
            tally->median_ns[part][round] = median(samples->ns[part], samples->count[part]);
            keep(&tally->counts[part][round], samples->ns[part], samples->count[part]);
        }
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

void tally_close(struct tally *tally)
{
    for (int part = 0; part < PARTS; part++)
        for (uint32_t round = 0; round < ROUNDS_MAX; round++)
            free(tally->counts[part][round].row);
}

/* ---- p99 of rounds drawn again ---- */

struct drawn {
    uint32_t count[HISTOGRAM_BUCKETS];
    uint64_t all;
};

static void draw(struct drawn *drawn, const struct block_counts *counts)
{
    for (uint32_t i = 0; i < counts->buckets; i++) {
        drawn->count[counts->row[i].bucket] += counts->row[i].count;
        drawn->all += counts->row[i].count;
    }
}

/* Evenly within its bucket: steps of 3 % would be an interval of their own. */
static double p99_of(const struct drawn *drawn)
{
    double left = 0.99 * (double)drawn->all;
    for (uint32_t i = 0; i + 1 < HISTOGRAM_BUCKETS; i++) {
        double count = drawn->count[i], low = (double)histogram_bucket_floor(i),
               wide = (double)histogram_bucket_floor(i + 1) - low;
        if (count > 0 && left <= count)
            return low + wide * left / count;
        left -= count;
    }
    return 0;
}

static uint32_t next(uint64_t *dice)
{
    *dice = *dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*dice >> 33);
}

static double drawn_ratio(const struct tally *a, const struct tally *b, enum tally_part part,
                          const uint32_t *round, uint32_t rounds, uint64_t *dice)
{
    static struct drawn over, under;
    memset(&over, 0, sizeof over);
    memset(&under, 0, sizeof under);
    for (uint32_t i = 0; i < rounds; i++) {
        uint32_t at = round[next(dice) % rounds];
        draw(&over, &a->counts[part][at]);
        draw(&under, &b->counts[part][at]);
    }
    double below = p99_of(&under);
    return below > 0 ? p99_of(&over) / below : 0;
}

static void bootstrap(struct ratio *ratio, const struct tally *a, const struct tally *b, enum tally_part part)
{
    static double found[DRAWS];
    static uint32_t round[ROUNDS_MAX];
    uint32_t rounds = 0;
    uint64_t dice = 1;
    for (uint32_t i = 0; i < ROUNDS_MAX; i++)
        if (a->counts[part][i].buckets && b->counts[part][i].buckets)
            round[rounds++] = i;
    ratio->has_tail = rounds >= TAIL_PAIRS;
    if (!ratio->has_tail)
        return;
    for (int i = 0; i < DRAWS; i++)
        found[i] = drawn_ratio(a, b, part, round, rounds, &dice);
    qsort(found, DRAWS, sizeof *found, lower_first);
    ratio->p99_low = found[(int)(BEYOND_EACH_END * DRAWS)];
    ratio->p99_high = found[DRAWS - 1 - (int)(BEYOND_EACH_END * DRAWS)];
}

/* The median of ratios that begin at `ratio` and its interval. */
static void take_middle(struct ratio *out, double *ratio)
{
    if (!out->pairs)
        return;
    qsort(ratio, out->pairs, sizeof *ratio, lower_first);
    out->p50 = middle(ratio, out->pairs);
    int32_t out_each = left_out(out->pairs);
    out->has_interval = out_each >= 0;
    if (out->has_interval) {
        out->p50_low = ratio[out_each];
        out->p50_high = ratio[out->pairs - 1 - (uint32_t)out_each];
    }
}

static double of_round(const struct tally *a, const struct tally *b, enum tally_part part, uint32_t round)
{
    uint32_t over = a->median_ns[part][round], under = b->median_ns[part][round];
    return over && under ? (double)over / (double)under : 0;
}

struct ratio tally_ratio_of_ratios(const struct tally *a, const struct tally *b, const struct tally *c,
                                   const struct tally *d, enum tally_part part)
{
    static double ratio[ROUNDS_MAX];
    struct ratio out = {0};
    for (uint32_t i = 0; i < ROUNDS_MAX; i++) {
        double over = of_round(a, b, part, i), under = of_round(c, d, part, i);
        if (over > 0 && under > 0)
            ratio[out.pairs++] = over / under;
    }
    take_middle(&out, ratio);
    return out;
}

struct ratio tally_ratio(const struct tally *a, const struct tally *b, enum tally_part part)
{
    static double ratio[ROUNDS_MAX];
    struct ratio out = {0};
    for (uint32_t i = 0; i < ROUNDS_MAX; i++)
        if (of_round(a, b, part, i) > 0)
            ratio[out.pairs++] = of_round(a, b, part, i);
    take_middle(&out, ratio);
    if (!out.pairs)
        return out;
    out.p99 = quantile_ratio(a, b, part, 0.99);
    out.p999 = quantile_ratio(a, b, part, 0.999);
    bootstrap(&out, a, b, part);
    return out;
}
