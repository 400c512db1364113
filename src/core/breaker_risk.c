/* SPDX-License-Identifier: Apache-2.0 */
/* breaker_risk: domain.md 1.7. */
#include "core/breaker_inside.h"
#include "core/compare.h"

/* The heat that 80 % of Ir settles at, on the fast edge: 0.64 / 1.1025 */
#define HEAT_AT_80 (HEAT_ONE / 11025 * 6400 + HEAT_ONE % 11025 * 6400 / 11025)

/* part / whole, rounded up, at most PPM */
static int64_t ratio_ppm(breaker_wide part, breaker_wide whole)
{
    return part >= whole ? PPM : (int64_t)((part * (uint64_t)PPM + whole - 1) / whole);
}

static int64_t excess_ppm(breaker_wide part, breaker_wide from, breaker_wide whole)
{
    return part > from ? ratio_ppm(part - from, whole) : 0;
}

/* (x - 0.5) / 0.5 with x = peak / pickup, the current enlarged by 10 / tenths. */
static int64_t peak_ppm(const struct breaker_element *element, const struct breaker_load *load,
                        uint32_t tenths)
{
    breaker_wide pickup = (breaker_wide)breaker_peak_pickup(element) * 1414 * tenths;
    int64_t current_ma = 0;

    for (uint32_t phase = 0; phase < breaker_phases(element); phase++)
        current_ma = larger(current_ma, breaker_current_of(element, load, phase));

    breaker_wide peak = (breaker_wide)(uint64_t)current_ma * breaker_crest(load->crest_milli) * 10;

    return excess_ppm(peak * 2, pickup, pickup);
}

static void judge_peaks(const struct breaker *breaker, const struct breaker_load *load,
                        struct breaker_risk *risk)
{
    for (uint32_t e = 0; e < breaker->element_count; e++) {
        if (breaker->element[e].law != BREAKER_PEAK)
            continue;
        risk->level_ppm = larger(risk->level_ppm, peak_ppm(&breaker->element[e], load, 10));
        risk->sag_ppm = larger(risk->sag_ppm, peak_ppm(&breaker->element[e], load, 9));
    }
}

void breaker_risk_parts(const struct breaker_state *state, const struct breaker *breaker,
                        const struct breaker_curve *curves, const struct breaker_step_ahead *step,
                        uint32_t count, int64_t respond_ns, struct breaker_risk *risk)
{
    struct breaker_walk walk;

    *risk = (struct breaker_risk){0};
    breaker_walk_along(&walk, state, breaker, curves, step, count);
    for (uint32_t k = 0; k < count; k++)
        judge_peaks(breaker, &step[k].load, risk);
    if (walk.verdict.t_ns < BREAKER_NEVER_NS)
        risk->time_ppm = ratio_ppm((uint64_t)larger(respond_ns, 0), (uint64_t)walk.verdict.t_ns);
    risk->heat_ppm = larger(excess_ppm((uint64_t)walk.heat, HEAT_AT_80, HEAT_ONE - HEAT_AT_80),
                            ratio_ppm((uint64_t)walk.travel, HEAT_ONE));
}

int64_t breaker_risk_ppm(const struct breaker_state *state, const struct breaker *breaker,
                         const struct breaker_curve *curves, const struct breaker_step_ahead *step,
                         uint32_t count, int64_t respond_ns)
{
    struct breaker_risk risk;

    breaker_risk_parts(state, breaker, curves, step, count, respond_ns, &risk);
    return larger(larger(risk.level_ppm, risk.sag_ppm), larger(risk.time_ppm, risk.heat_ppm));
}
