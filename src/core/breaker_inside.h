/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of core/breaker share. A multiple M = I / pickup is a number of 2^-40 like heat, so its
 * square is what the heat settles at. Multiples, heats, rates and travels round up; reciprocals are made so
 * that whatever is made from them errs toward an earlier trip.
 */
#ifndef FLYBALL_CORE_BREAKER_INSIDE_H
#define FLYBALL_CORE_BREAKER_INSIDE_H

#include "core/breaker.h"
#include "core/breaker_bound.h"

/* from here on an image trips at once, a curve is flat long since */
#define MULTIPLE_HELD (HEAT_ONE << 10)
#define SETTLED_HELD (INT64_C(1) << 60)     /* its square */
#define OPERATE_HEAT (HEAT_ONE / PPM * BREAKER_OPERATE_PPM + HEAT_ONE % PPM * BREAKER_OPERATE_PPM / PPM)

static inline int64_t breaker_current(int64_t current_ma)
{
    return current_ma > 0 ? current_ma : 0;
}

static inline uint32_t breaker_phases(const struct breaker_element *element)
{
    return element->residual ? 1 : PHASES;
}

static inline int64_t breaker_current_of(const struct breaker_element *element,
                                         const struct breaker_load *load, uint32_t phase)
{
    return breaker_current(element->residual ? load->residual_ma : load->current_ma[phase]);
}

/* The current of M = 1. */
static inline int64_t breaker_unit_ma(const struct breaker_element *element)
{
    int64_t unit_ma = element->law == BREAKER_TRAVEL ? element->unit_ma : element->pickup_ma;

    return unit_ma > 1 ? unit_ma : 1;
}

/* A little more than 2^63 / unit. */
static inline uint64_t breaker_unit_inverse(int64_t unit_ma)
{
    return (UINT64_C(1) << 63) / (uint64_t)unit_ma + 1;
}

/* M = current / unit. */
static inline int64_t breaker_multiple(int64_t current_ma, int64_t unit_ma, uint64_t inverse)
{
    if (current_ma >> 10 >= unit_ma)
        return MULTIPLE_HELD;

    breaker_wide product = (breaker_wide)(uint64_t)current_ma * inverse;

    return (int64_t)((product + (UINT64_C(1) << 23) - 1) >> 23);
}

static inline int64_t breaker_square(int64_t multiple)
{
    breaker_wide square = (breaker_wide)(uint64_t)multiple * (uint64_t)multiple;

    return (int64_t)((square + (uint64_t)HEAT_ONE - 1) >> 40);
}

/* M of an element where no reciprocal is at hand. */
static inline int64_t breaker_multiple_of(const struct breaker_element *element, int64_t current_ma)
{
    int64_t unit_ma = breaker_unit_ma(element);

    return breaker_multiple(current_ma, unit_ma, breaker_unit_inverse(unit_ma));
}

/* What of x^2 - theta is made up for in dt, of SHARE_ONE; `inverse` as breaker_inverse_above makes it. */
static inline uint64_t breaker_gain(uint64_t inverse, int64_t dt_ns)
{
    if (!inverse)
        return SHARE_ONE;

    uint64_t exponent = breaker_exponent(dt_ns, inverse);

    return breaker_share_high(exponent < UINT64_MAX ? exponent + 1 : exponent);
}

/* A little more than 2^INVERSE_BITS / tau; 0 stands for a time constant so short that it is none. */
uint64_t breaker_inverse_above(int64_t tau_ns);

/* Travel per 2^30 ns at a multiple. */
static inline uint64_t breaker_rate(const struct breaker_curve *curve, int64_t multiple)
{
    if (multiple <= HEAT_ONE)
        return (uint64_t)curve->rate[0];

    uint32_t octave = 23 - (uint32_t)__builtin_clzll((uint64_t)multiple);

    if (octave >= CURVE_OCTAVES)
        return (uint64_t)curve->rate[CURVE_POINTS - 1];

    /* The leading bit, five bits of a step, 32 bits of the way through it, the rest rounded up. */
    uint64_t digits = (uint64_t)multiple << (23 - octave);
    uint32_t point = octave * CURVE_STEPS + ((uint32_t)(digits >> 58) & (CURVE_STEPS - 1));
    uint64_t way = (digits >> 26 & UINT32_MAX) + 1;
    uint64_t rise = (uint64_t)(curve->rate[point + 1] - curve->rate[point]);

    uint64_t risen = (uint64_t)((breaker_wide)rise * way >> 32) + 1;

    return (uint64_t)curve->rate[point] + (risen < rise ? risen : rise);
}

/* In thousandths; a wave has at least that of a sine. */
static inline uint32_t breaker_crest(int32_t crest_milli)
{
    return crest_milli > 1414 ? (uint32_t)crest_milli : 1414;
}

/* The current of a PEAK element, where it is there at all. */
static inline uint64_t breaker_peak_pickup(const struct breaker_element *element)
{
    return element->pickup_ma > 0 ? (uint64_t)element->pickup_ma : 0;
}

/* Does a peak of so much rms and so high a crest reach it? */
static inline bool breaker_peak_reaches(const struct breaker_element *element, int64_t current_ma,
                                        int32_t crest_milli)
{
    uint32_t crest = breaker_crest(crest_milli);

    return (breaker_wide)(uint64_t)current_ma * crest >= (breaker_wide)breaker_peak_pickup(element) * 1414;
}

/* A walk along a trajectory: what breaker_forecast and breaker_risk need of it. */
struct breaker_walk {
    struct breaker_state state;     /* at its end, or at the trip */
    struct breaker_verdict verdict;
    int64_t heat, travel;           /* largest on the way, of HEAT_ONE */
};

void breaker_walk_along(struct breaker_walk *walk, const struct breaker_state *state,
                        const struct breaker *breaker, const struct breaker_curve *curves,
                        const struct breaker_step_ahead *step, uint32_t count);

#endif
