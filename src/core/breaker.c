/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One step of every element. The exact solution for a constant current, bounded from above:
 *
 *   IMAGE   theta <- x^2 + (theta - x^2) e^(-dt / tau), x = I / pickup. A true device of the band has
 *           theta' = s + (theta - s) e^(-dt / tau'), s <= x^2 being what its own current settles at; that
 *           grows with s and theta. Where x^2 is above theta it falls with tau', so heat_ns (the least of
 *           the band) and the upper bound of what is made up for give the most; else it grows with tau', so
 *           cool_ns and the lower bound do.
 *   TRAVEL  F <- F + dt / t(I) from pickup on; below it the reset laws, each with the least reset that the
 *           settings allow.
 */
#include "core/breaker_inside.h"
#include "core/compare.h"

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
                      (uint64_t)larger(tau_ns, INT64_C(1) << (INVERSE_BITS - 62)));
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

struct image_shares { uint64_t gain, gain_fast, loss; };    /* of the way to x^2 in this step */

/* Either way is worked out without a branch: phases that swing about the heat would make each one a guess.
 * The gain is rounded up, the loss down. */
static int64_t heat_after(int64_t heat, int64_t settled, uint64_t gain, uint64_t loss)
{
    int64_t way = settled - heat;
    bool heats = way > 0;
    uint64_t share = heats ? gain : loss, length = (uint64_t)(heats ? way : -way);
    int64_t change = (int64_t)(((breaker_wide)length * share + (heats ? SHARE_ONE - 1 : 0)) >> 62);

    return heats ? heat + change : heat - change;
}

static bool step_image(const struct breaker_element *element, const struct breaker_pace_element *pace,
                       const int64_t current_ma[PHASES], int64_t dt_ns, int64_t *restrict heat)
{
    const int64_t fast_above_ma = element->fast_above_ma, unit_ma = pace->unit_ma;
    const uint64_t unit = pace->unit;
    const uint32_t phases = breaker_phases(element);
    struct image_shares shares = {0};
    int64_t settled[PHASES];
    bool heats = false, cools = false, fast = false, trips = false;

    for (uint32_t phase = 0; phase < PHASES; phase++) {
        settled[phase] = breaker_square(breaker_multiple(current_ma[phase], unit_ma, unit));
        heats |= settled[phase] > heat[phase];
        cools |= settled[phase] < heat[phase];
        fast |= current_ma[phase] > fast_above_ma;
    }
    if (heats)
        shares.gain = breaker_gain(pace->heat, dt_ns);
    if (fast)
        shares.gain_fast = breaker_gain(pace->heat_fast, dt_ns);
    if (cools)
        shares.loss = breaker_share_low(breaker_exponent(dt_ns, pace->fall));
    for (uint32_t phase = 0; phase < phases; phase++) {
        uint64_t gain = current_ma[phase] > fast_above_ma ? shares.gain_fast : shares.gain;
        uint64_t held = settled[phase] < SETTLED_HELD ? gain : SHARE_ONE;
        int64_t after = heat_after(heat[phase], settled[phase], held, shares.loss);
        bool full = settled[phase] > HEAT_ONE && after >= HEAT_ONE;

        heat[phase] = full ? HEAT_ONE : after;
        trips |= full;
    }
    return trips;
}

/* A disk that runs back: dF = -dt (1 - M^2) / reset_ns. M is highest on the fast edge, which runs back last;
 * M^e with e above 2, as some relays have it, is below M^2. */
static int64_t run_back(const struct breaker_pace_element *pace, int64_t travel, int64_t current_ma,
                        uint64_t exponent)
{
    int64_t square = breaker_square(breaker_multiple(current_ma, pace->unit_ma, pace->unit));
    uint64_t slip = square < HEAT_ONE ? (uint64_t)(HEAT_ONE - square) : 0;
    breaker_wide back = (breaker_wide)exponent * slip >> DECAY_BITS;

    return back < (uint64_t)travel ? travel - (int64_t)back : 0;
}

/* What a step's time does to travel that is below pickup. */
struct fall { uint64_t exponent, loss; };

static int64_t fallen_to(const struct breaker_element *element, const struct breaker_pace_element *pace,
                         struct fall fall, int64_t travel, int64_t current_ma, int64_t waited_ns)
{
    switch (element->reset) {
    case RESET_HOLD:
        return waited_ns < element->reset_ns ? travel : 0;
    case RESET_TRAVEL:
        return run_back(pace, travel, current_ma, fall.exponent);
    case RESET_DECAY:
        return travel - (int64_t)((breaker_wide)(uint64_t)travel * fall.loss >> 62);
    case RESET_NEVER:
        return travel;
    default:
        return 0;
    }
}

static int64_t moved_on(const struct breaker_pace_element *pace, const struct breaker_curve *curve,
                        int64_t current_ma, int64_t dt_ns, int64_t travel)
{
    int64_t multiple = breaker_multiple(current_ma, pace->unit_ma, pace->unit);
    breaker_wide moved = (breaker_wide)(uint64_t)dt_ns * breaker_rate(curve, multiple);

    moved = ((moved + (UINT64_C(1) << 30) - 1) >> 30) + (uint64_t)travel;
    return moved < (uint64_t)HEAT_ONE ? (int64_t)moved : HEAT_ONE;
}

static int64_t later(int64_t waited_ns, int64_t dt_ns)
{
    return dt_ns < INT64_MAX - waited_ns ? waited_ns + dt_ns : INT64_MAX;
}

/* Mostly nothing has moved and nothing runs. */
static bool step_travel(const struct breaker_element *element, const struct breaker_pace_element *pace,
                        const struct breaker_curve *curve, const int64_t current_ma[PHASES], int64_t dt_ns,
                        int64_t *restrict travel, int64_t *restrict below_ns)
{
    const int64_t pickup_ma = element->pickup_ma;
    const uint32_t phases = breaker_phases(element);
    struct fall fall = {0};
    bool runs = false, trips = false;
    int64_t moved = 0;

    for (uint32_t phase = 0; phase < PHASES; phase++) {
        runs |= current_ma[phase] >= pickup_ma;
        moved |= travel[phase];
    }
    if (!runs && !moved)
        return false;
    if (moved && element->reset != RESET_AT_ONCE) {
        fall.exponent = breaker_exponent(dt_ns, pace->fall);
        fall.loss = element->reset == RESET_DECAY ? breaker_share_low(fall.exponent) : 0;
    }
    for (uint32_t phase = 0; phase < phases; phase++) {
        if (current_ma[phase] >= pickup_ma) {
            travel[phase] = moved_on(pace, curve, current_ma[phase], dt_ns, travel[phase]);
            below_ns[phase] = 0;
            trips |= travel[phase] == HEAT_ONE;
        } else if (travel[phase]) {
            below_ns[phase] = element->reset == RESET_HOLD ? later(below_ns[phase], dt_ns) : 0;
            travel[phase] = fallen_to(element, pace, fall, travel[phase], current_ma[phase], below_ns[phase]);
        }
    }
    return trips;
}

static bool step_peak(const struct breaker_element *element, const int64_t current_ma[PHASES],
                      int32_t crest_milli, int64_t reached[PHASES])
{
    int64_t highest_ma = larger(larger(current_ma[0], current_ma[1]), current_ma[2]);
    bool trips = breaker_peak_reaches(element, highest_ma, crest_milli);

    for (uint32_t phase = 0; phase < PHASES; phase++)
        reached[phase] =
            trips && breaker_peak_reaches(element, current_ma[phase], crest_milli) ? HEAT_ONE : 0;
    return trips;
}

int breaker_step_paced(struct breaker_state *state, const struct breaker *breaker,
                       const struct breaker_pace *pace, const struct breaker_curve *curves,
                       const struct breaker_load *load, int64_t dt_ns)
{
    int64_t phases_ma[PHASES], residual_ma[PHASES] = {breaker_current(load->residual_ma)};
    int tripped = -1;

    for (uint32_t phase = 0; phase < PHASES; phase++)
        phases_ma[phase] = breaker_current(load->current_ma[phase]);
    for (uint32_t e = 0; e < breaker->element_count; e++) {
        const struct breaker_element *element = &breaker->element[e];
        const int64_t *current_ma = element->residual ? residual_ma : phases_ma;
        bool trips = false;

        if (element->law == BREAKER_PEAK)
            trips = step_peak(element, current_ma, load->crest_milli, state->part[e]);
        else if (dt_ns > 0 && element->law == BREAKER_IMAGE)
            trips = step_image(element, &pace->element[e], current_ma, dt_ns, state->part[e]);
        else if (dt_ns > 0)
            trips = step_travel(element, &pace->element[e], &curves[element->curve], current_ma, dt_ns,
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
