/* SPDX-License-Identifier: Apache-2.0 */
#include "core/measure_phasors.h"

#include <math.h>

#include "core/angle.h"
#include "msg/frame.h"

enum { ERROR_NONE, ERROR_PMU, ERROR_TEST, ERROR_UNUSABLE };
/* of STAT three bits, 1 to 6 below 100 ns to 10 ms; of the frame's quality of time four, 8: within 10 ms */
enum { QUALITY_MASK = 7, QUALITY_UNKNOWN = 7, TQ_MASK = 15, TQ_10_MS = 8 };

static double magnitude(const struct phasor *phasor, bool polar)
{
    return polar ? phasor->first : sqrt(phasor->first * phasor->first + phasor->second * phasor->second);
}

/* The real part of V times the conjugate of I, either turned back by its angle. */
static double active(const struct phasor *v, const struct phasor *i, double between_rad, bool polar)
{
    double cosine, sine;

    if (polar) {
        angle_turn((v->second - i->second - between_rad) / ANGLE_TWO_PI, &cosine, &sine);
        return v->first * i->first * cosine;
    }
    angle_turn(between_rad / ANGLE_TWO_PI, &cosine, &sine);
    return (v->first * i->first + v->second * i->second) * cosine +
           (v->second * i->first - v->first * i->second) * sine;
}

/* Angles of more than a few turns are none that a PMU sends. */
static bool is_there(const struct phasor *phasor, double angle_rad)
{
    return fabs(phasor->first) < 1e12 && fabs(phasor->second) < 1e12 && fabs(angle_rad) < 1e12;
}

/* What the PMU says of its own clock, and in what is older than that word, the frame of its. */
static bool is_astray(const struct phasors *phasors, uint32_t stat)
{
    uint32_t within = stat >> PHASORS_QUALITY_SHIFT & QUALITY_MASK, frame = phasors->time_quality & TQ_MASK;

    return within == QUALITY_UNKNOWN || frame > TQ_10_MS || (!within && stat & PHASORS_UNSYNCED);
}

int measure_phasors(const struct phasors *phasors, uint32_t pmu, const struct measure_place place[2 * PHASES],
                    uint32_t phases, struct measure_values *values)
{
    const struct phasors_pmu *of = &phasors->pmu[pmu];
    uint32_t error = (uint32_t)of->stat >> PHASORS_ERROR_SHIFT;

    if (error >= ERROR_TEST)
        return error == ERROR_TEST ? REFUSED_SIMULATED : REFUSED_MALFORMED;
    bool known = of->frequency_hz > 0 && of->frequency_hz < 1000;
    bool unsure = error == ERROR_PMU || of->stat & PHASORS_MODIFIED || is_astray(phasors, of->stat);
    *values = (struct measure_values){.phases = phases, .frequency_hz = known ? of->frequency_hz : 0,
                                      .flags = READING_FILTERED | (unsure ? READING_UNSURE : 0U)};
    for (uint32_t p = 0; p < phases; p++) {
        const struct measure_place *at_v = &place[p], *at_i = &place[PHASES + p];
        const struct phasor *v = &of->phasor[at_v->index], *i = &of->phasor[at_i->index];

        if (!is_there(v, at_v->angle_rad) || !is_there(i, at_i->angle_rad))
            return REFUSED_MALFORMED;
        values->phase[p].voltage_v = magnitude(v, of->polar);
        values->phase[p].current_a = magnitude(i, of->polar);
        values->phase[p].active_w = active(v, i, at_v->angle_rad - at_i->angle_rad, of->polar);
    }
    return ACCEPTED;
}
