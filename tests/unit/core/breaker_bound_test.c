/* SPDX-License-Identifier: Apache-2.0 */
/* The integer bounds of exp, ln and the square root against long double, whose 64 bits of mantissa judge
 * them to a few units of 2^-62. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/breaker_bound.h"
#include "chance.h"

enum { CASES = 200000 };

static void judge_share(uint64_t u)
{
    long double exact = -expm1l(-ldexpl((long double)u, -DECAY_BITS)) * 0x1p62L;
    long double low = breaker_share_low(u), high = breaker_share_high(u);

    /* long double is right to 2^-63 of the value; what may be lost is 2^-54 of one. */
    if (!(low <= exact + 0.5L && high >= exact - 0.5L && high - low <= 256))
        fail_msg("u = %llu: %.3Lf below, %.3Lf above", (unsigned long long)u, exact - low, high - exact);
}

static void shares_hold_the_exact_value_between_them(void **state)
{
    struct chance chance = {4};

    (void)state;
    for (int i = 0; i < CASES; i++)                     /* every size of u alike */
        judge_share(chance_next(&chance) >> (i % 64));
    for (uint64_t u = 0; u < 100; u++) {
        judge_share(u);
        judge_share((UINT64_C(1) << (DECAY_BITS - 8)) - 50 + u);
        judge_share((UINT64_C(43) << DECAY_BITS) - 50 + u);
        judge_share(UINT64_MAX - u);
    }
    for (uint64_t edge = 1; edge < 43 * 32; edge++) {   /* every entry of the tables */
        judge_share((edge << (DECAY_BITS - 5)) - 1);
        judge_share(edge << (DECAY_BITS - 5));
    }
    assert_int_equal(breaker_share_low(0), 0);
    assert_true(breaker_share_high(0) <= 2);
    assert_true(breaker_share_high(UINT64_MAX) == SHARE_ONE);
}

/* e^-u by its series at u / 1024, squared ten times: 2^-100 and better. */
__extension__ typedef __float128 quad;

static quad decay_exactly(uint64_t u)
{
    quad v = (quad)u / 1024 / (quad)(UINT64_C(1) << DECAY_BITS), term = 1, sum = 0;

    for (int n = 1; n < 24; n++) {
        sum += term;
        term *= -v / n;
    }
    for (int i = 0; i < 10; i++)
        sum *= sum;
    return sum;
}

/* Against 113 bits of mantissa, whatever unit is lost shows. */
static void judge_to_the_unit(uint64_t u)
{
    double low = (double)((1 - decay_exactly(u)) * (quad)SHARE_ONE - (quad)breaker_share_long_low(u));
    double high = (double)((quad)breaker_share_long_high(u) - (1 - decay_exactly(u)) * (quad)SHARE_ONE);

    if (!(low >= 0 && high >= 0 && low + high <= 113))
        fail_msg("u = %llu: %.3f units below, %.3f above", (unsigned long long)u, low, high);
}

static void shares_are_bounds_to_the_unit(void **state)
{
    struct chance chance = {8};

    (void)state;
    for (int i = 0; i < CASES / 20; i++)
        judge_to_the_unit(chance_next(&chance) % (UINT64_C(44) << DECAY_BITS) >> (i % 56));
    for (uint64_t edge = 1; edge < 44 * 32; edge++) {
        judge_to_the_unit((edge << (DECAY_BITS - 5)) - 1);
        judge_to_the_unit(edge << (DECAY_BITS - 5));
    }
    assert_int_equal(breaker_share_long_low(0), 0);
}

/* Below 1 / 32 no table has a part in it: what the series leaves out is u^8 / 40320, and the rest of what is
 * lost is two units of rounding, beside the two that are added. */
static void the_series_loses_what_it_leaves_out(void **state)
{
    const uint64_t end = UINT64_C(1) << (DECAY_BITS - 5);
    struct chance chance = {9};

    (void)state;
    for (int i = 0; i < CASES / 20; i++) {
        uint64_t u = end - 1 - (chance_next(&chance) % end >> (i % 40));
        quad above = (quad)breaker_share_long_high(u) - (1 - decay_exactly(u)) * (quad)SHARE_ONE;
        double left_out = pow(ldexp((double)u, -DECAY_BITS), 8) / 40320 * 0x1p62;

        if (fabs((double)above - left_out - 2) > 2.5)
            fail_msg("u = %llu: %.3f units, %.3f left out", (unsigned long long)u, (double)above, left_out);
    }
}

static void shares_never_fall_as_time_goes_on(void **state)
{
    struct chance chance = {5};

    (void)state;
    for (int i = 0; i < CASES; i++) {
        uint64_t u = chance_next(&chance) >> (6 + i % 58);
        uint64_t more = u + (chance_next(&chance) >> (6 + i % 58)) / 16 + 4096;

        assert_true(breaker_share_low(more) >= breaker_share_low(u));
        assert_true(breaker_share_high(more) >= breaker_share_high(u));
    }
}

static void logarithms_are_below_the_exact_ones_by_little(void **state)
{
    struct chance chance = {6};

    (void)state;
    for (int i = 0; i < CASES; i++) {
        uint64_t below = (chance_next(&chance) >> (3 + i % 59)) + 1;
        uint64_t above = below + (chance_next(&chance) >> (3 + i / 59 % 60));
        long double exact = log1pl((long double)(above - below) / (long double)below);
        long double found = ldexpl((long double)breaker_log_low(above, below), -DECAY_BITS);

        if (!(found <= exact * (1 + 0x1p-60L) && found >= exact * (1 - 1e-9L) - 0x1p-51L))
            fail_msg("ln(%llu / %llu) = %.18Lg, found %.18Lg", (unsigned long long)above,
                     (unsigned long long)below, exact, found);
    }
    assert_int_equal(breaker_log_low(7, 7), 0);
    assert_true(fabsl(ldexpl((long double)breaker_log_low(UINT64_C(1) << 41, 1), -DECAY_BITS) -
                      41 * logl(2)) < 1e-14L);
}

static void roots_are_rounded_down(void **state)
{
    struct chance chance = {7};

    (void)state;
    for (int i = 0; i < CASES; i++) {
        uint64_t square = chance_next(&chance) >> (i % 64), root = breaker_root(square);

        assert_true(root * root <= square);
        assert_true(root == UINT32_MAX || (root + 1) * (root + 1) > square);
        root = square >> 32;
        assert_int_equal(breaker_root(root * root), root);
    }
    for (uint64_t bit = 0; bit < 32; bit++)
        assert_int_equal(breaker_root(UINT64_C(1) << 2 * bit), UINT64_C(1) << bit);
    assert_int_equal(breaker_root(UINT64_MAX), UINT32_MAX);
    assert_int_equal(breaker_root(0), 0);
    assert_int_equal(breaker_root(144), 12);
}

static void exponents_are_times_over_time_constants(void **state)
{
    uint64_t inverse = (uint64_t)(((breaker_wide)1 << INVERSE_BITS) / 1000000000);     /* 1 s */

    (void)state;
    assert_true(fabsl(ldexpl((long double)breaker_exponent(1500000000, inverse), -DECAY_BITS) - 1.5L) <
                1e-12L);
    assert_int_equal(breaker_exponent(0, inverse), 0);
    assert_true(breaker_exponent(INT64_MAX, inverse) == UINT64_MAX);
    assert_true(breaker_exponent(64000000000, inverse) <= UINT64_C(64) << DECAY_BITS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_hold_the_exact_value_between_them),
        cmocka_unit_test(shares_are_bounds_to_the_unit),
        cmocka_unit_test(the_series_loses_what_it_leaves_out),
        cmocka_unit_test(shares_never_fall_as_time_goes_on),
        cmocka_unit_test(logarithms_are_below_the_exact_ones_by_little),
        cmocka_unit_test(roots_are_rounded_down),
        cmocka_unit_test(exponents_are_times_over_time_constants),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
