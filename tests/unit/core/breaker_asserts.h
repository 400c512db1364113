/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of steps and of times share. */
#ifndef FLYBALL_TESTS_BREAKER_ASSERTS_H
#define FLYBALL_TESTS_BREAKER_ASSERTS_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "breaker_stock.h"

/* Between two points of its table I^2 t is a chord, which stands this much above it at most: (1/64)^2. */
#define CHORD 2.5e-4
#define EXACT 1e-6

static inline double seconds(int64_t ns)
{
    return ns == BREAKER_NEVER_NS ? INFINITY : (double)ns * 1e-9;
}

/* Not above what is printed, and below it by `share` of it at most, but for the printed figure's rounding. */
static inline void assert_time(double found_s, double printed_s, double rounding_s, double share)
{
    if (isinf(printed_s)) {
        assert_true(isinf(found_s));
        return;
    }
    if (!(found_s <= printed_s + rounding_s / 2 && found_s >= printed_s * (1 - share) - rounding_s / 2))
        fail_msg("%.9g s, expected %.9g s", found_s, printed_s);
}

static inline struct breaker_verdict time_at(const struct stock *stock, double current_a)
{
    struct breaker_load load = stock_load(current_a);
    struct breaker_verdict verdict;

    breaker_time_to_trip(&stock->state, &stock->breaker, stock->curve, &load, &verdict);
    return verdict;
}

static inline int step(struct stock *stock, double current_a, double dt_s)
{
    struct breaker_load load = stock_load(current_a);

    return breaker_step(&stock->state, &stock->breaker, stock->curve, &load, llround(dt_s * 1e9));
}

static inline void assert_part(const struct stock *stock, double expected, double tolerance)
{
    for (int phase = 0; phase < PHASES; phase++) {
        double found = (double)stock->state.part[0][phase] / (double)HEAT_ONE;

        if (!(found >= expected - 1e-12 && found <= expected + tolerance))
            fail_msg("%.9f, expected %.9f", found, expected);
    }
}

#endif
