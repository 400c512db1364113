/* SPDX-License-Identifier: Apache-2.0 */
/* The largest current that may be held for a while: safety.md section 5. Closed forms, rounded down, then
 * held against the forward formula, so that what is answered is a lower bound whatever the rounding did. */
#include "core/breaker_inside.h"
#include "core/compare.h"

enum { MARGIN_PERCENT = 95 };   /* of the current that trips within the while */

/* Less than 2^-20 of a time constant counts as that much: what may settle then stays below SETTLED_HELD. */
#define GAIN_LEAST (INT64_C(1) << 42)

static int64_t largest_part(const struct breaker_state *state, uint32_t element)
{
    int64_t largest = state->part[element][0];

    for (uint32_t phase = 1; phase < PHASES; phase++)
        largest = larger(largest, state->part[element][phase]);
    return largest;
}

/* The largest current whose heat settles at most at `settled`, which is above 0: pickup x sqrt(settled). */
static int64_t current_settling_ma(const struct breaker_element *element, int64_t settled)
{
    int64_t unit_ma = breaker_unit_ma(element);
    uint64_t inverse = breaker_unit_inverse(unit_ma);
    uint32_t halves = (uint32_t)__builtin_clzll((uint64_t)settled) / 2;
    uint64_t root = breaker_root((uint64_t)settled << 2 * halves);
    int64_t current_ma = (int64_t)((breaker_wide)(uint64_t)unit_ma * root >> (20 + halves));

    while (breaker_square(breaker_multiple(current_ma, unit_ma, inverse)) > settled)
        current_ma--;
    return current_ma;
}

/* theta + (x^2 - theta)(1 - e^(-hold / tau)) <= 0.9, solved for x^2. */
static int64_t settled_within(int64_t heat, int64_t tau_ns, int64_t hold_ns)
{
    int64_t from = smaller(heat, OPERATE_HEAT);
    int64_t gain = larger((int64_t)breaker_gain(breaker_inverse_above(tau_ns), hold_ns), GAIN_LEAST);

    return from + (int64_t)(((breaker_wide)(uint64_t)(OPERATE_HEAT - from) << 62) / (uint64_t)gain);
}

static int64_t image_ma(const struct breaker_element *element, int64_t heat, int64_t hold_ns)
{
    int64_t slow_ma = current_settling_ma(element, settled_within(heat, element->heat_ns, hold_ns));

    if (slow_ma <= element->fast_above_ma)
        return slow_ma;

    int64_t fast_ma = current_settling_ma(element, settled_within(heat, element->heat_fast_ns, hold_ns));

    return larger(fast_ma, element->fast_above_ma);
}

/* Where the curve leaves `rate` behind: the largest multiple whose rate is at most that, which lies from
 * rate[0] to below the last. */
static int64_t multiple_within(const struct breaker_curve *curve, int64_t rate)
{
    uint32_t point = 0, beyond = CURVE_POINTS - 1;

    while (beyond - point > 1) {
        uint32_t middle = (point + beyond) / 2;

        if (curve->rate[middle] <= rate)
            point = middle;
        else
            beyond = middle;
    }

    uint32_t shift = 35 + point / CURVE_STEPS;
    int64_t start = (int64_t)(CURVE_STEPS + point % CURVE_STEPS) << shift;
    int64_t rise = curve->rate[point + 1] - curve->rate[point];
    breaker_wide part = (breaker_wide)(uint64_t)(rate - curve->rate[point]) << shift;

    return start + (int64_t)(part / (uint64_t)rise);
}

/* The largest current that moves by at most `left` within hold_ns; just below pickup nothing moves. */
static int64_t current_moving_ma(const struct breaker_element *element, const struct breaker_curve *curve,
                                 int64_t left, int64_t hold_ns)
{
    int64_t below_ma = element->pickup_ma - 1;
    breaker_wide most = ((breaker_wide)(uint64_t)larger(left, 0) << 30) / (uint64_t)hold_ns;

    if (most >= (uint64_t)curve->rate[CURVE_POINTS - 1])
        return INT64_MAX;

    int64_t rate = (int64_t)most;

    if (rate < curve->rate[0])
        return below_ma;

    int64_t unit_ma = breaker_unit_ma(element);
    uint64_t inverse = breaker_unit_inverse(unit_ma);
    int64_t multiple = multiple_within(curve, rate);
    int64_t current_ma = (int64_t)((breaker_wide)(uint64_t)multiple * (uint64_t)unit_ma >> 40);

    while (current_ma > below_ma &&
           (int64_t)breaker_rate(curve, breaker_multiple(current_ma, unit_ma, inverse)) > rate)
        current_ma--;
    return larger(current_ma, below_ma);
}

static int64_t travel_ma(const struct breaker_element *element, const struct breaker_curve *curve,
                         int64_t travel, int64_t hold_ns)
{
    int64_t operate_ma = current_moving_ma(element, curve, OPERATE_HEAT - travel, hold_ns);
    int64_t trip_ma = current_moving_ma(element, curve, HEAT_ONE - 1 - travel, hold_ns);

    if (trip_ma == INT64_MAX)
        return operate_ma;
    return smaller(operate_ma, trip_ma / 100 * MARGIN_PERCENT + trip_ma % 100 * MARGIN_PERCENT / 100);
}

/* 100 x current x crest < 95 x pickup x 1414 */
static int64_t peak_ma(const struct breaker_element *element, int32_t crest_milli)
{
    breaker_wide reach = (breaker_wide)breaker_peak_pickup(element) * (1414 * MARGIN_PERCENT);

    return reach ? (int64_t)((reach - 1) / (breaker_crest(crest_milli) * UINT64_C(100))) : 0;
}

static int64_t element_ma(const struct breaker_element *element, const struct breaker_curve *curves,
                          int64_t part, int64_t hold_ns, int32_t crest_milli)
{
    switch (element->law) {
    case BREAKER_IMAGE:
        return image_ma(element, part, hold_ns);
    case BREAKER_TRAVEL:
        return travel_ma(element, &curves[element->curve], part, hold_ns);
    default:
        return peak_ma(element, crest_milli);
    }
}

int64_t breaker_admissible_ma(const struct breaker_state *state, const struct breaker *breaker,
                              const struct breaker_curve *curves, int64_t hold_ns, int32_t crest_milli,
                              uint32_t *element)
{
    int64_t least_ma = INT64_MAX, held_ns = larger(hold_ns, 1);

    *element = UINT32_MAX;
    for (uint32_t e = 0; e < breaker->element_count; e++) {
        if (breaker->element[e].residual)
            continue;

        int64_t current_ma = element_ma(&breaker->element[e], curves, largest_part(state, e), held_ns,
                                        crest_milli);

        if (current_ma < least_ma) {
            least_ma = current_ma;
            *element = e;
        }
    }
    return larger(least_ma, 0);
}
