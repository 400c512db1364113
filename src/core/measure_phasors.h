/* SPDX-License-Identifier: Apache-2.0 */
/* Volts, amperes and watts of synchrophasors: of the fundamental alone. */
#ifndef FLYBALL_CORE_MEASURE_PHASORS_H
#define FLYBALL_CORE_MEASURE_PHASORS_H

#include "core/measure.h"
#include "msg/phasors.h"

/* rt: `place` says where in the list of the PMU VA VB VC IA IB IC stand; of `phases` the first ones are
 * looked at. Fills everything but t_ns and slope_w_per_s. 0; REFUSED_SIMULATED where the PMU says that they
 * are a test's, REFUSED_MALFORMED where it says that they are not to be used, or a value is not there. A PMU
 * that reports an error of its own makes the window unsure. */
int measure_phasors(const struct phasors_pmu *pmu, const uint8_t place[2 * PHASES], uint32_t phases,
                    struct measure_values *values);

#endif
