/* SPDX-License-Identifier: Apache-2.0 */
/* A state as it begins, and as it is shown. */
#include "core/breaker_inside.h"
#include "core/compare.h"

static int64_t started_image(const struct breaker_element *element, int64_t current_ma)
{
    int64_t settled = breaker_square(breaker_multiple_of(element, current_ma));

    if (settled < OPERATE_HEAT)
        return OPERATE_HEAT;
    return smaller(settled, HEAT_ONE - 1);
}

static int64_t started_part(const struct breaker_element *element, const struct breaker_load *load,
                            uint32_t phase)
{
    switch (element->law) {
    case BREAKER_IMAGE:
        return started_image(element, load ? breaker_current_of(element, load, phase) : 0);
    case BREAKER_TRAVEL:
        if (element->role == ELEMENT_SHORT_TIME || element->role == ELEMENT_GROUND)
            return HEAT_ONE - 1;
        return OPERATE_HEAT;
    default:
        return 0;
    }
}

void breaker_start(struct breaker_state *state, const struct breaker *breaker,
                   const struct breaker_load *load)
{
    *state = (struct breaker_state){0};
    for (uint32_t e = 0; e < breaker->element_count; e++)
        for (uint32_t phase = 0; phase < breaker_phases(&breaker->element[e]); phase++)
            state->part[e][phase] = started_part(&breaker->element[e], load, phase);
}

void breaker_rest(struct breaker_state *state, const struct breaker *breaker, int64_t heat_ppm)
{
    int64_t held_ppm = smaller(larger(heat_ppm, 0), PPM);
    int64_t heat = (held_ppm * HEAT_ONE + PPM - 1) / PPM;

    *state = (struct breaker_state){0};
    for (uint32_t e = 0; e < breaker->element_count; e++)
        for (uint32_t phase = 0; phase < breaker_phases(&breaker->element[e]); phase++)
            state->part[e][phase] = breaker->element[e].law == BREAKER_IMAGE ? heat : 0;
}

static int64_t largest_ppm(const struct breaker_state *state, const struct breaker *breaker, bool images)
{
    int64_t largest = 0;

    for (uint32_t e = 0; e < breaker->element_count; e++)
        for (uint32_t phase = 0; phase < breaker_phases(&breaker->element[e]); phase++)
            if ((breaker->element[e].law == BREAKER_IMAGE) == images && state->part[e][phase] > largest)
                largest = state->part[e][phase];
    return (largest * PPM + HEAT_ONE - 1) >> 40;
}

int64_t breaker_heat_ppm(const struct breaker_state *state, const struct breaker *breaker)
{
    return largest_ppm(state, breaker, true);
}

int64_t breaker_travel_ppm(const struct breaker_state *state, const struct breaker *breaker)
{
    return largest_ppm(state, breaker, false);
}
