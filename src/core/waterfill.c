/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The level is searched by Newton steps inside a bracket: the sum is piecewise linear in the level, so a step
 * lands exactly once no claim changes side; bisection takes over where a step leaves the bracket. No sorting,
 * so a pass can stop anywhere.
 */
#include "core/waterfill.h"

#include <stddef.h>

#include "core/compare.h"

enum { LEVEL_BITS = 20, LEVEL_MASK = (1 << LEVEL_BITS) - 1, FRACTION_BITS = 8 };

__extension__ typedef __int128 wide;

enum pass { PASS_LOWS, PASS_SEARCH, PASS_FRACTIONS, PASS_HAND_OUT, PASS_DONE };

/* Lies between its bounds at this level: takes a fractional unit, and more when the level rises. */
static bool is_free(const struct claim *claim, int64_t level)
{
    int64_t wanted = (int64_t)(((wide)claim->weight * level) >> LEVEL_BITS);
    return wanted >= claim->low && wanted < claim->high;
}

static uint32_t fraction_bin(const struct claim *claim, int64_t level)
{
    uint64_t fraction = (uint64_t)((wide)claim->weight * level & LEVEL_MASK);
    return (uint32_t)(fraction >> (LEVEL_BITS - FRACTION_BITS));
}

static void start_pass(struct waterfill *fill, enum pass pass)
{
    fill->pass = (uint8_t)pass;
    fill->cursor = 0;
    fill->sum = 0;
    fill->free_weight = 0;
    fill->fractions = 0;
}

void waterfill_open(struct waterfill *fill, int64_t start, int64_t rough)
{
    fill->claim = NULL;
    fill->count = 0;
    fill->budget = 0;
    fill->highest = 0;
    fill->lightest = WATERFILL_WEIGHT_MAX;
    fill->lows = fill->highs = 0;
    fill->rough = rough;
    fill->start = fill->level = start;
    fill->level_low = fill->level_high = 0;
    fill->whole = true;
    fill->left = fill->left_before = 0;
    fill->all = false;
    start_pass(fill, PASS_SEARCH);
}

struct bounds_and_sums {
    int64_t level, sum, free_weight, fractions;
    int64_t lows, highs, highest, lightest;
};

/* What claims take at the level: every cut goes through here several times, so there is no branch inside, and
 * 64 bits where they hold the product. The first time bounds are taken, too. */
static inline void search_in(struct waterfill *fill, struct claim *claim, uint32_t count, bool narrow,
                             bool first)
{
    struct bounds_and_sums sums = {
        .level = fill->level, .highest = fill->highest, .lightest = fill->lightest};
    for (uint32_t i = 0; i < count; i++) {
        int64_t low = claim[i].low, high = claim[i].high, weight = claim[i].weight;
        uint64_t product = (uint64_t)weight * (uint64_t)sums.level;
        int64_t wanted =
            narrow ? (int64_t)(product >> LEVEL_BITS) : (int64_t)((wide)weight * sums.level >> LEVEL_BITS);
        int64_t share = smaller(larger(wanted, low), high);
        int64_t free = -(int64_t)((wanted >= low) & (wanted < high));
        claim[i].share = share;
        sums.sum += share;
        sums.free_weight += weight & free;
        sums.fractions += (int64_t)product & LEVEL_MASK & free;
        sums.lows += first ? low : 0;
        sums.highs += first ? high : 0;
        sums.highest = first ? larger(sums.highest, high) : 0;
        sums.lightest = first ? smaller(sums.lightest, weight) : 0;
    }
    fill->sum += sums.sum;
    fill->free_weight += sums.free_weight;
    fill->fractions += sums.fractions;
    fill->lows += sums.lows;
    fill->highs += sums.highs;
    fill->highest = first ? sums.highest : fill->highest;
    fill->lightest = first ? sums.lightest : fill->lightest;
}

static bool is_narrow(const struct waterfill *fill)
{
    return fill->level < INT64_MAX / WATERFILL_WEIGHT_MAX;
}

static void search(struct waterfill *fill, struct claim *claim, uint32_t count)
{
    if (is_narrow(fill))
        search_in(fill, claim, count, true, false);
    else
        search_in(fill, claim, count, false, false);
}

void waterfill_take(struct waterfill *fill, struct claim *claim, uint32_t count)
{
    if (is_narrow(fill))
        search_in(fill, claim, count, true, true);
    else
        search_in(fill, claim, count, false, true);
    fill->count += count;
}

static void end_search(struct waterfill *fill);

/* A level at which every claim has its high; where the search begins, or has begun. */
void waterfill_close(struct waterfill *fill, int64_t budget, struct claim *claim)
{
    int64_t lows = fill->lows, highs = fill->highs;
    uint64_t weight = (uint64_t)fill->lightest, scaled = ((uint64_t)fill->highest << LEVEL_BITS) + weight - 1;
    bool plenty = budget >= highs;
    fill->claim = claim;
    fill->budget = plenty ? highs : budget;
    fill->level_high = (int64_t)(scaled / weight);
    if (budget <= lows) {
        start_pass(fill, fill->count ? PASS_LOWS : PASS_DONE);
    } else if (!plenty && fill->start > 0 && fill->start < fill->level_high) {
        end_search(fill);
    } else {
        fill->level = plenty ? fill->level_high
                             : (int64_t)((wide)fill->level_high * (budget - lows) / (highs - lows));
        start_pass(fill, PASS_SEARCH);
    }
}

void waterfill_begin(struct waterfill *fill, int64_t budget, struct claim *claim, uint32_t count)
{
    waterfill_open(fill, 0, 0);
    waterfill_take(fill, claim, count);
    waterfill_close(fill, budget, claim);
}

static void end_search(struct waterfill *fill)
{
    int64_t short_of = fill->budget - fill->sum;
    wide exactly_short_of = (wide)short_of * (LEVEL_MASK + 1) - fill->fractions;
    bool settled = exactly_short_of >= 0 && exactly_short_of <= fill->free_weight;
    if (fill->rough > 0 && short_of >= 0 && short_of <= fill->rough) {
        start_pass(fill, PASS_DONE);
        return;
    }
    if (settled || fill->level_high - fill->level_low <= 1) {
        fill->left = larger(short_of, 0);
        for (uint32_t i = 0; i < WATERFILL_BINS; i++)
            fill->bin[i] = 0;
        start_pass(fill, fill->left && fill->whole ? PASS_FRACTIONS : PASS_DONE);
        return;
    }
    if (exactly_short_of > 0)
        fill->level_low = fill->level;
    else
        fill->level_high = fill->level;
    int64_t next = fill->level_low + (fill->level_high - fill->level_low) / 2;
    if (fill->free_weight) {
        wide newton = fill->level + exactly_short_of / fill->free_weight;
        if (newton > fill->level_low && newton < fill->level_high)
            next = (int64_t)newton;
    }
    fill->level = next;
    start_pass(fill, PASS_SEARCH);
}

/* Whole units that the floors left over go to the largest fractional parts, ties to the lowest index. */
static void end_fractions(struct waterfill *fill)
{
    int64_t left = fill->left;
    uint32_t bin = WATERFILL_BINS;
    while (bin > 0 && left > 0) {
        bin--;
        if (fill->bin[bin] >= left)
            break;
        left -= fill->bin[bin];
    }
    fill->threshold = bin;
    fill->at_threshold = (uint32_t)left;
    start_pass(fill, PASS_HAND_OUT);
}

static void visit_hand_out(struct waterfill *fill, struct claim *claim)
{
    if (fill->left == 0 || !is_free(claim, fill->level) || claim->share >= claim->high)
        return;
    uint32_t bin = fraction_bin(claim, fill->level);
    bool ties = bin == fill->threshold && fill->at_threshold > 0;
    if (!fill->all && !ties && bin <= fill->threshold)
        return;
    fill->at_threshold -= ties;
    claim->share++;
    fill->left--;
}

/* Heavy claims move by more than a unit from one level to the next: then there is more to hand out than
 * one each. */
static void end_hand_out(struct waterfill *fill)
{
    bool stuck = fill->all && fill->left == fill->left_before;
    fill->all = true;
    fill->left_before = fill->left;
    start_pass(fill, fill->left && !stuck ? PASS_HAND_OUT : PASS_DONE);
}

static void visit(struct waterfill *fill, struct claim *claim, uint32_t count)
{
    if (fill->pass == PASS_SEARCH) {
        search(fill, claim, count);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (fill->pass == PASS_LOWS)
            claim[i].share = claim[i].low;
        else if (fill->pass == PASS_HAND_OUT)
            visit_hand_out(fill, &claim[i]);
        else if (is_free(&claim[i], fill->level))
            fill->bin[fraction_bin(&claim[i], fill->level)]++;
    }
}

static void end_pass(struct waterfill *fill)
{
    switch (fill->pass) {
    case PASS_LOWS:
        fill->pass = PASS_DONE;
        break;
    case PASS_SEARCH:
        end_search(fill);
        break;
    case PASS_FRACTIONS:
        end_fractions(fill);
        break;
    default:
        end_hand_out(fill);
    }
}

bool waterfill_step(struct waterfill *fill, uint32_t *items)
{
    while (fill->pass != PASS_DONE) {
        uint32_t left = fill->count - fill->cursor, now = (uint32_t)smaller(left, *items);
        if (now)
            visit(fill, &fill->claim[fill->cursor], now);
        fill->cursor += now;
        *items -= now;
        if (now < left)
            return false;
        end_pass(fill);
    }
    return true;
}
