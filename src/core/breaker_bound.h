/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bounds of 1 - exp and of ln in integers, for core/breaker only. A share 1 - e^-u is a number of 2^-62
 * (SHARE_ONE = 1), an exponent u and a logarithm are numbers of 2^-57. Held against the exact values over the
 * whole range in tests/unit/core/breaker_bound_test.c.
 */
#ifndef FLYBALL_CORE_BREAKER_BOUND_H
#define FLYBALL_CORE_BREAKER_BOUND_H

#include <stdbool.h>
#include <stdint.h>

__extension__ typedef unsigned __int128 breaker_wide;     /* products */

enum { DECAY_BITS = 57, INVERSE_BITS = 81 };

#define SHARE_ONE (UINT64_C(1) << 62)

/* rt: 1 - e^-u for any u; breaker_share_low and _high below choose. */
uint64_t breaker_share_long_low(uint64_t u);
uint64_t breaker_share_long_high(uint64_t u);

/* rt: ln (above / below), rounded down; above >= below > 0, both below 2^62. */
uint64_t breaker_log_low(uint64_t above, uint64_t below);

/* rt: the square root, rounded down. */
uint64_t breaker_root(uint64_t square);

/* rt: a x b, both of 2^-64, rounded down. */
static inline uint64_t breaker_times(uint64_t a, uint64_t b)
{
    return (uint64_t)((breaker_wide)a * b >> 64);
}

static inline bool breaker_share_is_short(uint64_t u)
{
    return u < UINT64_C(1) << (DECAY_BITS - 8);
}

/* u below 2^-8: u - u^2/2 + u^3/6 - u^4/24 + u^5/120, of 2^-64, is above 1 - e^-u by less than u^6/720, 91
 * units. Products and constants are rounded by a unit each, and what enters the next line is multiplied by
 * u: together less than 3 units either way. */
static inline uint64_t breaker_share_short(uint64_t u)
{
    uint64_t v = u << (64 - DECAY_BITS);
    uint64_t sum = UINT64_MAX / 24 - breaker_times(v, UINT64_MAX / 120);

    sum = UINT64_MAX / 6 - breaker_times(v, sum);
    sum = UINT64_MAX / 2 - breaker_times(v, sum);
    return v - breaker_times(v, breaker_times(v, sum));
}

/* rt: 1 - e^-u, rounded down and up. */
static inline uint64_t breaker_share_low(uint64_t u)
{
    if (!breaker_share_is_short(u))
        return breaker_share_long_low(u);

    uint64_t share = breaker_share_short(u);

    return share > 94 ? (share - 94) >> 2 : 0;
}

static inline uint64_t breaker_share_high(uint64_t u)
{
    return breaker_share_is_short(u) ? (breaker_share_short(u) + 3 + 3) >> 2 : breaker_share_long_high(u);
}

/* rt: time by an inverse of 2^INVERSE_BITS / tau: an exponent, rounded down; held at UINT64_MAX. */
static inline uint64_t breaker_exponent(int64_t dt_ns, uint64_t inverse)
{
    breaker_wide product = (breaker_wide)(uint64_t)dt_ns * inverse >> (INVERSE_BITS - DECAY_BITS);

    return product > UINT64_MAX ? UINT64_MAX : (uint64_t)product;
}

#endif
