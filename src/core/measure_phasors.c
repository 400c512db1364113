/* SPDX-License-Identifier: Apache-2.0 */
#include "core/measure_phasors.h"

#include <math.h>

#include "core/angle.h"
#include "msg/frame.h"

enum { ERROR_NONE, ERROR_PMU, ERROR_TEST, ERROR_UNUSABLE };

static double magnitude(const struct phasor *phasor, bool polar)
{
    return polar ? phasor->first : sqrt(phasor->first * phasor->first + phasor->second * phasor->second);
}

/* The real part of V times the conjugate of I. */
static double active(const struct phasor *v, const struct phasor *i, bool polar)
{
    double cosine, sine;

    if (!polar)
        return v->first * i->first + v->second * i->second;
    angle_turn((v->second - i->second) / ANGLE_TWO_PI, &cosine, &sine);
    return v->first * i->first * cosine;
}

/* Angles of more than a few turns are none that a PMU sends. */
static bool is_there(const struct phasor *phasor)
{
    return fabs(phasor->first) < 1e12 && fabs(phasor->second) < 1e12;
}

int measure_phasors(const struct phasors_pmu *pmu, const uint8_t place[2 * PHASES], uint32_t phases,
                    struct measure_values *values)
{
    uint32_t error = (uint32_t)pmu->stat >> PHASORS_ERROR_SHIFT;

    if (error >= ERROR_TEST)
        return error == ERROR_TEST ? REFUSED_SIMULATED : REFUSED_MALFORMED;
    bool known = pmu->frequency_hz > 0 && pmu->frequency_hz < 1000;
    *values = (struct measure_values){.phases = phases, .frequency_hz = known ? pmu->frequency_hz : 0,
                                      .flags = READING_FILTERED | (error == ERROR_PMU ? READING_UNSURE : 0U)};
    for (uint32_t p = 0; p < phases; p++) {
        const struct phasor *v = &pmu->phasor[place[p]], *i = &pmu->phasor[place[PHASES + p]];

        if (!is_there(v) || !is_there(i))
            return REFUSED_MALFORMED;
        values->phase[p].voltage_v = magnitude(v, pmu->polar);
        values->phase[p].current_a = magnitude(i, pmu->polar);
        values->phase[p].active_w = active(v, i, pmu->polar);
    }
    return ACCEPTED;
}
