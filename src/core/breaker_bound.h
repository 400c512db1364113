/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bounds of exp and ln in integers, for core/breaker only. A decay e^-u is a number of 2^-62 (DECAY_ONE = 1),
 * an exponent u and a logarithm are numbers of 2^-57. Compared with the exact values over the whole range in
 * tests/unit/core/breaker_bound_test.c.
 */
#ifndef FLYBALL_CORE_BREAKER_BOUND_H
#define FLYBALL_CORE_BREAKER_BOUND_H

#include <stdbool.h>
#include <stdint.h>

__extension__ typedef unsigned __int128 breaker_wide;     /* products */

enum { DECAY_BITS = 57, INVERSE_BITS = 81 };

#define DECAY_ONE (UINT64_C(1) << 62)

/* rt: a x b of DECAY_ONE, rounded down. */
static inline uint64_t breaker_times(uint64_t a, uint64_t b)
{
    return (uint64_t)((breaker_wide)a * b >> 62);
}

/* rt: the same functions for any u; breaker_decay_low and _high below choose. */
uint64_t breaker_decay_long_low(uint64_t u);
uint64_t breaker_decay_long_high(uint64_t u);

/* rt: ln (above / below), rounded down; above >= below > 0, both below 2^62. */
uint64_t breaker_log_low(uint64_t above, uint64_t below);

/* rt: the square root, rounded down. */
uint64_t breaker_root(uint64_t square);

/* u below 2^-10: 1 - u + u^2/2 - u^3/6 + u^4/24 - u^5/120 is below e^-u by less than u^6/720 < 2^-69. Each
 * product and constant is rounded by less than one unit, and enters the next step times u: the true value
 * lies between the result - 2 and the result + 1. */
static inline uint64_t breaker_decay_short(uint64_t u)
{
    uint64_t v = u << (62 - DECAY_BITS);
    uint64_t sum = DECAY_ONE / 24 - breaker_times(v, DECAY_ONE / 120);

    sum = DECAY_ONE / 6 - breaker_times(v, sum);
    sum = DECAY_ONE / 2 - breaker_times(v, sum);
    sum = DECAY_ONE - breaker_times(v, sum);
    return DECAY_ONE - breaker_times(v, sum);
}

static inline bool breaker_decay_is_short(uint64_t u)
{
    return u < UINT64_C(1) << (DECAY_BITS - 10);
}

/* rt: e^-u, rounded down and up. */
static inline uint64_t breaker_decay_low(uint64_t u)
{
    return breaker_decay_is_short(u) ? breaker_decay_short(u) - 2 : breaker_decay_long_low(u);
}

static inline uint64_t breaker_decay_high(uint64_t u)
{
    if (!breaker_decay_is_short(u))
        return breaker_decay_long_high(u);

    uint64_t high = breaker_decay_short(u) + 1;

    return high < DECAY_ONE ? high : DECAY_ONE;
}

/* rt: time by an inverse of 2^INVERSE_BITS / tau: an exponent, rounded down; held at UINT64_MAX. */
static inline uint64_t breaker_exponent(int64_t dt_ns, uint64_t inverse)
{
    breaker_wide product = (breaker_wide)(uint64_t)dt_ns * inverse >> (INVERSE_BITS - DECAY_BITS);

    return product > UINT64_MAX ? UINT64_MAX : (uint64_t)product;
}

#endif
