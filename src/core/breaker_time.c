/* SPDX-License-Identifier: Apache-2.0 */
/* Time to trip: from a state with a constant current by closed form, and along a trajectory. domain.md 1.5,
 * 1.6. Every time is rounded down. */
#include "core/breaker_inside.h"
#include "core/compare.h"

/* t = tau ln((x^2 - theta) / (x^2 - 1)), domain.md 1.5; it falls with x^2 and theta, which are upper
 * bounds. */
static int64_t image_ns(const struct breaker_element *element, int64_t current_ma, int64_t heat)
{
    int64_t settled = breaker_square(breaker_multiple_of(element, current_ma));

    if (settled <= HEAT_ONE)
        return BREAKER_NEVER_NS;

    int64_t tau_ns = current_ma > element->fast_above_ma ? element->heat_fast_ns : element->heat_ns;

    if (settled >= SETTLED_HELD)
        return 0;

    int64_t left = settled - smaller(heat, HEAT_ONE);
    uint64_t log = breaker_log_low((uint64_t)left, (uint64_t)(settled - HEAT_ONE));

    return (int64_t)((breaker_wide)log * (uint64_t)larger(tau_ns, 0) >> DECAY_BITS);
}

static int64_t travel_ns(const struct breaker_element *element, const struct breaker_curve *curve,
                         int64_t current_ma, int64_t travel)
{
    if (current_ma < element->pickup_ma)
        return BREAKER_NEVER_NS;
    if (travel >= HEAT_ONE)
        return 0;

    uint64_t rate = breaker_rate(curve, breaker_multiple_of(element, current_ma));
    breaker_wide left = (breaker_wide)(uint64_t)(HEAT_ONE - travel) << 30;

    if (!rate || left / rate >= BREAKER_NEVER_NS)
        return BREAKER_NEVER_NS;
    return (int64_t)(left / rate);
}

static int64_t element_ns(const struct breaker_element *element, const struct breaker_curve *curves,
                          const struct breaker_load *load, uint32_t phase, int64_t part)
{
    int64_t current_ma = breaker_current_of(element, load, phase);

    switch (element->law) {
    case BREAKER_IMAGE:
        return image_ns(element, current_ma, part);
    case BREAKER_TRAVEL:
        return travel_ns(element, &curves[element->curve], current_ma, part);
    default:
        return breaker_peak_reaches(element, current_ma, load->crest_milli) ? 0 : BREAKER_NEVER_NS;
    }
}

void breaker_time_to_trip(const struct breaker_state *state, const struct breaker *breaker,
                          const struct breaker_curve *curves, const struct breaker_load *load,
                          struct breaker_verdict *verdict)
{
    *verdict = (struct breaker_verdict){BREAKER_NEVER_NS, UINT32_MAX, 0};
    for (uint32_t e = 0; e < breaker->element_count; e++) {
        const struct breaker_element *element = &breaker->element[e];

        for (uint32_t phase = 0; phase < breaker_phases(element); phase++) {
            int64_t t_ns = element_ns(element, curves, load, phase, state->part[e][phase]);

            if (t_ns < verdict->t_ns)
                *verdict = (struct breaker_verdict){t_ns, e, phase};
        }
    }
}

static int64_t later(int64_t t_ns, int64_t by_ns)
{
    return t_ns < BREAKER_NEVER_NS - by_ns ? t_ns + by_ns : BREAKER_NEVER_NS;
}

static void look(struct breaker_walk *walk, const struct breaker *breaker)
{
    for (uint32_t e = 0; e < breaker->element_count; e++) {
        int64_t *largest = breaker->element[e].law == BREAKER_IMAGE ? &walk->heat : &walk->travel;

        for (uint32_t phase = 0; phase < breaker_phases(&breaker->element[e]); phase++)
            *largest = larger(*largest, walk->state.part[e][phase]);
    }
}

/* A step that trips ends at the trip: the closed form from its beginning says when, and rounding in the step
 * may only have been a little ahead of it. */
static void end_at_trip(struct breaker_walk *walk, const struct breaker_state *before,
                        const struct breaker *breaker, const struct breaker_pace *pace,
                        const struct breaker_curve *curves, const struct breaker_step_ahead *step)
{
    struct breaker_verdict *verdict = &walk->verdict;

    breaker_time_to_trip(before, breaker, curves, &step->load, verdict);
    verdict->t_ns = smaller(verdict->t_ns, larger(step->dt_ns, 0));
    walk->state = *before;
    breaker_step_paced(&walk->state, breaker, pace, curves, &step->load, verdict->t_ns);
    if (verdict->element < breaker->element_count)
        walk->state.part[verdict->element][verdict->phase] = HEAT_ONE;
}

void breaker_walk_along(struct breaker_walk *walk, const struct breaker_state *state,
                        const struct breaker *breaker, const struct breaker_curve *curves,
                        const struct breaker_step_ahead *step, uint32_t count)
{
    struct breaker_pace pace;
    int64_t passed_ns = 0;

    breaker_pace(&pace, breaker);
    *walk = (struct breaker_walk){.state = *state, .verdict = {BREAKER_NEVER_NS, UINT32_MAX, 0}};
    for (uint32_t k = 0; k < count; k++) {
        struct breaker_state before = walk->state;

        if (breaker_step_paced(&walk->state, breaker, &pace, curves, &step[k].load, step[k].dt_ns) >= 0) {
            end_at_trip(walk, &before, breaker, &pace, curves, &step[k]);
            look(walk, breaker);
            walk->verdict.t_ns = later(walk->verdict.t_ns, passed_ns);
            return;
        }
        look(walk, breaker);
        passed_ns = later(passed_ns, larger(step[k].dt_ns, 0));
    }
    if (!count)
        return;
    breaker_time_to_trip(&walk->state, breaker, curves, &step[count - 1].load, &walk->verdict);
    walk->verdict.t_ns = later(walk->verdict.t_ns, passed_ns);
}

void breaker_forecast(const struct breaker_state *state, const struct breaker *breaker,
                      const struct breaker_curve *curves, const struct breaker_step_ahead *step,
                      uint32_t count, struct breaker_verdict *verdict, struct breaker_state *end)
{
    struct breaker_walk walk;

    breaker_walk_along(&walk, state, breaker, curves, step, count);
    *verdict = walk.verdict;
    if (end)
        *end = walk.state;
}
