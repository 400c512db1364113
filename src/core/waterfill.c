/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The level is searched by Newton steps inside a bracket: the sum is piecewise linear in the level, so a step
 * lands exactly once no claim changes side; bisection takes over where a step leaves the bracket. No sorting,
 * so a pass can stop anywhere.
 */
#include "core/waterfill.h"

enum { LEVEL_BITS = 20, LEVEL_MASK = (1 << LEVEL_BITS) - 1, FRACTION_BITS = 8 };

__extension__ typedef __int128 wide;

enum pass { PASS_EXTENT, PASS_SEARCH, PASS_FRACTIONS, PASS_HAND_OUT, PASS_DONE };

static struct claim *claim_at(const struct waterfill *fill, uint32_t i)
{
    return i < fill->segment_count[0] ? &fill->segment[0][i] : &fill->segment[1][i - fill->segment_count[0]];
}

static int64_t wanted_at(const struct claim *claim, int64_t level)
{
    return (int64_t)(((wide)claim->weight * level) >> LEVEL_BITS);
}

static int64_t share_at(const struct claim *claim, int64_t level)
{
    int64_t wanted = wanted_at(claim, level);
    return wanted < claim->low ? claim->low : wanted > claim->high ? claim->high : wanted;
}

/* Lies between its bounds at this level: takes a fractional unit, and more when the level rises. */
static bool is_free(const struct claim *claim, int64_t level)
{
    int64_t wanted = wanted_at(claim, level);
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

void waterfill_begin(struct waterfill *fill, int64_t budget, struct claim *first, uint32_t first_count,
                     struct claim *second, uint32_t second_count)
{
    fill->segment[0] = first;
    fill->segment[1] = second;
    fill->segment_count[0] = first_count;
    fill->segment_count[1] = second_count;
    fill->count = first_count + second_count;
    fill->budget = budget;
    fill->rough = fill->start = 0;
    fill->whole = true;
    fill->level = fill->level_low = fill->level_high = 0;
    fill->left = fill->left_before = 0;
    fill->all = false;
    start_pass(fill, PASS_EXTENT);
}

void waterfill_aim(struct waterfill *fill, int64_t level, int64_t rough)
{
    fill->start = level;
    fill->rough = rough;
}

/* First pass: the shares at level 0 (all lows) and the level at which every claim has its high. */
static void visit_extent(struct waterfill *fill, struct claim *claim)
{
    claim->share = claim->low;
    fill->sum += claim->low;
    fill->free_weight += claim->high - claim->low;
    /* WATERFILL_QUANTITY_MAX leaves it in 64 bits */
    uint64_t scaled = ((uint64_t)claim->high << LEVEL_BITS) + claim->weight - 1;
    int64_t full = (int64_t)(scaled / claim->weight);
    fill->level_high = full > fill->level_high ? full : fill->level_high;
}

static void end_extent(struct waterfill *fill)
{
    int64_t lows = fill->sum, highs = fill->sum + fill->free_weight;
    if (fill->budget <= lows) {
        start_pass(fill, PASS_DONE);
        return;
    }
    bool plenty = fill->budget >= highs;
    fill->level = plenty ? fill->level_high
                         : (int64_t)((wide)fill->level_high * (fill->budget - lows) / (highs - lows));
    fill->budget = plenty ? highs : fill->budget;
    if (!plenty && fill->start > 0 && fill->start < fill->level_high)
        fill->level = fill->start;
    start_pass(fill, PASS_SEARCH);
}

static void visit_search(struct waterfill *fill, struct claim *claim)
{
    claim->share = share_at(claim, fill->level);
    fill->sum += claim->share;
    if (is_free(claim, fill->level)) {
        fill->free_weight += claim->weight;
        fill->fractions += (int64_t)((wide)claim->weight * fill->level & LEVEL_MASK);
    }
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
        fill->left = short_of > 0 ? short_of : 0;
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

static void visit(struct waterfill *fill, struct claim *claim)
{
    switch (fill->pass) {
    case PASS_EXTENT:
        visit_extent(fill, claim);
        break;
    case PASS_SEARCH:
        visit_search(fill, claim);
        break;
    case PASS_FRACTIONS:
        if (is_free(claim, fill->level))
            fill->bin[fraction_bin(claim, fill->level)]++;
        break;
    default:
        visit_hand_out(fill, claim);
    }
}

static void end_pass(struct waterfill *fill)
{
    switch (fill->pass) {
    case PASS_EXTENT:
        end_extent(fill);
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
        for (; fill->cursor < fill->count; fill->cursor++, (*items)--) {
            if (*items == 0)
                return false;
            visit(fill, claim_at(fill, fill->cursor));
        }
        end_pass(fill);
    }
    return true;
}
