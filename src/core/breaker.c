/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One step of every element. The exact solution for a constant current, bounded from above:
 *
 *   IMAGE   theta <- x^2 + (theta - x^2) e^(-dt / tau), x = I / pickup. With s the heat that a device's own
 *           current settles at, a true device has theta' = s + (theta - s) e^(-dt / tau'), which grows with s and
 *           theta. Where x^2 is above theta it falls with tau', so heat_ns (the least tau' of the band) and the
 *           lower bound of the decay give the most; else it grows with tau', so cool_ns and the upper bound do.
 *   TRAVEL  F <- F + dt / t(I) from pickup on; below it the reset laws, each with the least reset that the
 *           settings allow.
 */
#include "core/breaker_inside.h"

static int64_t at_least(int64_t value, int64_t least)
{
    return value > least ? value : least;
}

uint64_t breaker_inverse_above(int64_t tau_ns)
{
    if (tau_ns <= INT64_C(1) << (INVERSE_BITS - 62))
        return 0;
    return (uint64_t)(((breaker_wide)1 << INVERSE_BITS) / (uint64_t)tau_ns) + 1;
}

/* At most 2^INVERSE_BITS / tau; 0, as of no time constant, never falls. */
static uint64_t inverse_below(int64_t tau_ns)
{
    if (tau_ns <= 0)
        return 0;
    return (uint64_t)(((breaker_wide)1 << INVERSE_BITS) /
                      (uint64_t)at_least(tau_ns, INT64_C(1) << (INVERSE_BITS - 62)));
}

static struct breaker_pace_element pace_of(const struct breaker_element *element)
{
    bool image = element->law == BREAKER_IMAGE;
    int64_t unit_ma = breaker_unit_ma(element);

    return (struct breaker_pace_element){
        .unit_ma = unit_ma,
        .unit = breaker_unit_inverse(unit_ma),
        .heat = image ? breaker_inverse_above(element->heat_ns) : 0,
        .heat_fast = image ? breaker_inverse_above(element->heat_fast_ns) : 0,
        .fall = inverse_below(image ? element->cool_ns : element->reset_ns),
    };
}

void breaker_pace(struct breaker_pace *pace, const struct breaker *breaker)
{
    for (uint32_t e = 0; e < breaker->element_count; e++)
        pace->element[e] = pace_of(&breaker->element[e]);
}

/* heat x share of DECAY_ONE, rounded up. */
static int64_t share_above(int64_t heat, uint64_t share)
{
    return (int64_t)(((breaker_wide)(uint64_t)heat * share + (DECAY_ONE - 1)) >> 62);
}

struct image_shares { uint64_t gain, gain_fast, keep; };    /* 0 = not worked out yet */

static bool heat_phase(const struct breaker_element *element, const struct breaker_pace_element *pace,
                       struct image_shares *shares, int64_t current_ma, int64_t dt_ns, int64_t *heat)
{
    int64_t settled = breaker_square(breaker_multiple(current_ma, pace->unit_ma, pace->unit));

    if (settled <= *heat) {
        if (!shares->keep)
            shares->keep = breaker_decay_high(breaker_exponent(dt_ns, pace->fall));
        *heat = settled + share_above(*heat - settled, shares->keep);
        return false;
    }

    bool fast = current_ma > element->fast_above_ma;
    uint64_t *gain = fast ? &shares->gain_fast : &shares->gain;

    if (!*gain)
        *gain = breaker_gain(fast ? pace->heat_fast : pace->heat, dt_ns);
    *heat += share_above(settled - *heat, settled < SETTLED_HELD ? *gain : DECAY_ONE);
    if (settled <= HEAT_ONE || *heat < HEAT_ONE)
        return false;
    *heat = HEAT_ONE;
    return true;
}

static bool step_image(const struct breaker_element *element, const struct breaker_pace_element *pace,
                       const struct breaker_load *load, int64_t dt_ns, int64_t heat[PHASES])
{
    struct image_shares shares = {0, 0, 0};
    bool trips = false;

    for (uint32_t phase = 0; phase < breaker_phases(element); phase++)
        trips |= heat_phase(element, pace, &shares, breaker_current_of(element, load, phase), dt_ns,
                            &heat[phase]);
    return trips;
}

/* A disk that runs back: dF = -dt (1 - M^2) / reset_ns. M is highest on the fast edge, which runs back last;
 * M^e with e above 2, as some relays have it, is below M^2. */
static int64_t run_back(const struct breaker_pace_element *pace, int64_t travel, int64_t current_ma,
                        int64_t dt_ns)
{
    int64_t square = breaker_square(breaker_multiple(current_ma, pace->unit_ma, pace->unit));

    if (square >= HEAT_ONE)
        return travel;

    uint64_t exponent = breaker_exponent(dt_ns, pace->fall);
    breaker_wide back = (breaker_wide)exponent * (uint64_t)(HEAT_ONE - square) >> DECAY_BITS;

    return back >= (uint64_t)travel ? 0 : travel - (int64_t)back;
}

static int64_t reset_travel(const struct breaker_element *element, const struct breaker_pace_element *pace,
                            int64_t travel, int64_t current_ma, int64_t dt_ns, int64_t *below_ns)
{
    switch (element->reset) {
    case RESET_HOLD:
        *below_ns = dt_ns < INT64_MAX - *below_ns ? *below_ns + dt_ns : INT64_MAX;
        return *below_ns >= element->reset_ns ? 0 : travel;
    case RESET_TRAVEL:
        return run_back(pace, travel, current_ma, dt_ns);
    case RESET_DECAY:
        return share_above(travel, breaker_decay_high(breaker_exponent(dt_ns, pace->fall)));
    case RESET_NEVER:
        return travel;
    default:
        return 0;
    }
}

static bool move_phase(const struct breaker_element *element, const struct breaker_pace_element *pace,
                       const struct breaker_curve *curve, int64_t current_ma, int64_t dt_ns, int64_t *travel,
                       int64_t *below_ns)
{
    if (current_ma < element->pickup_ma) {
        if (*travel)
            *travel = reset_travel(element, pace, *travel, current_ma, dt_ns, below_ns);
        return false;
    }

    int64_t multiple = breaker_multiple(current_ma, pace->unit_ma, pace->unit);
    breaker_wide moved = (breaker_wide)(uint64_t)dt_ns * breaker_rate(curve, multiple);

    *below_ns = 0;
    moved = ((moved + (UINT64_C(1) << 30) - 1) >> 30) + (uint64_t)*travel;
    *travel = moved < (uint64_t)HEAT_ONE ? (int64_t)moved : HEAT_ONE;
    return *travel == HEAT_ONE;
}

static bool step_travel(const struct breaker_element *element, const struct breaker_pace_element *pace,
                        const struct breaker_curve *curve, const struct breaker_load *load, int64_t dt_ns,
                        int64_t travel[PHASES], int64_t below_ns[PHASES])
{
    bool trips = false;

    for (uint32_t phase = 0; phase < breaker_phases(element); phase++)
        trips |= move_phase(element, pace, curve, breaker_current_of(element, load, phase), dt_ns,
                            &travel[phase], &below_ns[phase]);
    return trips;
}

static bool step_peak(const struct breaker_element *element, const struct breaker_load *load,
                      int64_t reached[PHASES])
{
    bool trips = false;

    for (uint32_t phase = 0; phase < breaker_phases(element); phase++) {
        bool reaches = breaker_peak_reaches(element, breaker_current_of(element, load, phase),
                                            load->crest_milli);

        reached[phase] = reaches ? HEAT_ONE : 0;
        trips |= reaches;
    }
    return trips;
}

int breaker_step_paced(struct breaker_state *state, const struct breaker *breaker,
                       const struct breaker_pace *pace, const struct breaker_curve *curves,
                       const struct breaker_load *load, int64_t dt_ns)
{
    int tripped = -1;

    for (uint32_t e = 0; e < breaker->element_count; e++) {
        const struct breaker_element *element = &breaker->element[e];
        bool trips = false;

        if (element->law == BREAKER_PEAK)
            trips = step_peak(element, load, state->part[e]);
        else if (dt_ns <= 0)
            continue;
        else if (element->law == BREAKER_IMAGE)
            trips = step_image(element, &pace->element[e], load, dt_ns, state->part[e]);
        else
            trips = step_travel(element, &pace->element[e], &curves[element->curve], load, dt_ns,
                                state->part[e], state->below_ns[e]);
        if (trips && tripped < 0)
            tripped = element->role;
    }
    return tripped;
}

int breaker_step(struct breaker_state *state, const struct breaker *breaker,
                 const struct breaker_curve *curves, const struct breaker_load *load, int64_t dt_ns)
{
    struct breaker_pace pace;

    breaker_pace(&pace, breaker);
    return breaker_step_paced(state, breaker, &pace, curves, load, dt_ns);
}
