/* SPDX-License-Identifier: Apache-2.0 */
/* exp(-u) and ln q between integers: a table of whole units and thirty-seconds, and series whose remainder
 * has a known sign. Every table value is rounded down, so the true one lies below it plus 1. */
#include "core/breaker_bound.h"
#include "core/compare.h"

enum { WHOLE = 43, PARTS = 32 };

/* e^-k; e^-43 is less than 1 / SHARE_ONE. */
static const uint64_t whole[WHOLE] = {
    4611686018427387904, 1696544475317221318, 624123833502197199, 229602327090566617, 84465975781740359,
    31073295968587224, 11431226756278699, 4205313311003847, 1547048310802923, 569127268043403,
    209370221323236, 77023000018333, 28335178204092, 10423929523214, 3834749367810, 1410725454462,
    518976891834, 190920928948, 70235884649, 25838337995, 9505393342, 3496838790, 1286415100, 473245668,
    174097351, 64046836, 23561514, 8667796, 3188704, 1173058, 431544, 158756, 58403, 21485, 7904, 2907,
    1069, 393, 144, 53, 19, 7, 2,
};

/* e^-(j / 32) */
static const uint64_t part[PARTS] = {
    4611686018427387904, 4469799356029710114, 4332278087304955804, 4198987903209571686, 4069798626954855183,
    3944584086870838351, 3823221993181738880, 3705593818572631895, 3591584682430698960, 3481083238647999442,
    3373981566876187686, 3270175067126970820, 3169562357615369556, 3072045175746011434, 2977528282145755564,
    2885919367648923100, 2797128963144291324, 2711070352195804117, 2627659486351660543, 2546814903059068855,
    2468457646104498006, 2392511188501725295, 2318901357752369368, 2247556263405914872, 2178406226848480850,
    2111383713251761637, 2046423265615678724, 1983461440840326902, 1922436747764779840, 1863289587112241203,
    1805962193282889230, 1750398577937567208,
};

#define LN2 UINT64_C(3196577161300663914)

/* a x b of SHARE_ONE, rounded down. */
static uint64_t times(uint64_t a, uint64_t b)
{
    return (uint64_t)((breaker_wide)a * b >> 62);
}

/* e^-u for u below 1 / 32 to the seventh power of u: below the true value by less than u^8 / 40320 <
 * 2^-55, 105 units, and rounded by less than 2. */
static uint64_t rest_of(uint64_t u)
{
    static const uint64_t factor[] = {5040, 720, 120, 24, 6, 2, 1, 1};
    uint64_t v = (u & ((UINT64_C(1) << (DECAY_BITS - 5)) - 1)) << (62 - DECAY_BITS), sum = 0;

    for (int n = 0; n < 8; n++)
        sum = SHARE_ONE / factor[n] - times(v, sum);
    return sum;
}

static uint32_t part_of(uint64_t u)
{
    return (uint32_t)(u >> (DECAY_BITS - 5)) & (PARTS - 1);
}

/* What the decay below may be under e^-u and above it, in units. Under: rest_of 107, and a unit for each of
 * two table values and two products. Above: rest_of 2. */
enum { DECAY_UNDER = 111, DECAY_ABOVE = 2 };

/* e^-u; 0 from WHOLE on. */
static uint64_t decay_of(uint64_t u)
{
    if (u >= (uint64_t)WHOLE << DECAY_BITS)
        return 0;
    return times(times(rest_of(u), part[part_of(u)]), whole[u >> DECAY_BITS]);
}

uint64_t breaker_share_long_low(uint64_t u)
{
    return SHARE_ONE - (uint64_t)smaller((int64_t)decay_of(u) + DECAY_UNDER, SHARE_ONE);
}

uint64_t breaker_share_long_high(uint64_t u)
{
    return SHARE_ONE - (uint64_t)larger((int64_t)decay_of(u) - DECAY_ABOVE, 0);
}

/* ln q = n ln 2 + 2 atanh s with s = (m - 1) / (m + 1), m = q / 2^n in [1, 2). Every term is positive and
 * rounded down. */
uint64_t breaker_log_low(uint64_t above, uint64_t below)
{
    breaker_wide base = below;
    uint64_t halvings = 0, sum = 0;

    for (; base * 2 <= above; base *= 2)
        halvings++;

    uint64_t s = (uint64_t)(((above - base) << 62) / (above + base));
    uint64_t square = times(s, s);

    for (uint64_t power = s, n = 1; power; power = times(power, square), n += 2)
        sum += power / n;
    return halvings * (LN2 >> (62 - DECAY_BITS)) + (sum >> (61 - DECAY_BITS));
}

uint64_t breaker_root(uint64_t square)
{
    uint64_t root = 0;

    for (uint64_t bit = UINT64_C(1) << 62; bit; bit >>= 2) {
        bool fits = square >= root + bit;

        square -= fits ? root + bit : 0;
        root = (root >> 1) + (fits ? bit : 0);
    }
    return root;
}
