/* SPDX-License-Identifier: Apache-2.0 */
/* Volts, amperes and watts of synchrophasors: of the fundamental alone. */
#ifndef FLYBALL_CORE_MEASURE_PHASORS_H
#define FLYBALL_CORE_MEASURE_PHASORS_H

#include "core/measure.h"
#include "msg/phasors.h"

/* A phasor: where in the list of its PMU it stands, and the angle that the configuration says is to be taken
 * off it (that of a transformer between delta and wye; CFG-3 only). */
struct measure_place {
    uint32_t index;
    double angle_rad;
};

/* rt: of one PMU of a frame. `place` says where VA VB VC IA IB IC stand; of `phases` the first ones are
 * looked at. Fills everything but t_ns and slope_w_per_s. 0; REFUSED_SIMULATED where the PMU says that they
 * are a test's, REFUSED_MALFORMED where it says that they are not to be used, or a value is not there. A PMU
 * that reports an error of its own, says that its values were modified, or whose clock may be more than 10 ms
 * beside (or nobody knows how far) makes the window unsure: by how old values are, others are judged. */
int measure_phasors(const struct phasors *phasors, uint32_t pmu, const struct measure_place place[2 * PHASES],
                    uint32_t phases, struct measure_values *values);

#endif
