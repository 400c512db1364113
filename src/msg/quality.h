/* SPDX-License-Identifier: Apache-2.0 */
/* What a meter's samples come to over 10 cycles of 50 Hz, 12 of 60 Hz (IEC 61000-4-30), in whole numbers: the
 * quantities of IEEE 1459 that no decision needs and alerts may ask for. */
#ifndef FLYBALL_MSG_QUALITY_H
#define FLYBALL_MSG_QUALITY_H

#include "msg/limits.h"

enum quality_flag {
    QUALITY_NO_NEUTRAL = 1,     /* it was invalid: what needs it is 0 */
    QUALITY_CHANGING = 2,       /* the load changed within the window, or a sag or swell lasted */
};

/* Of a phase that the meter has not, and of three phases where it has one: 0. */
struct quality {
    uint32_t meter;             /* index into model.meter */
    uint16_t flags;             /* enum quality_flag */
    uint8_t phases, cycles;
    int64_t t_meter_ns;         /* end of the window, UTC */
    int64_t reactive_mvar[PHASES];      /* Q1: of the fundamental, inductive is positive */
    int64_t apparent_mva[PHASES];
    int64_t effective_mva;      /* Se of all wires */
    int64_t neutral_ma;         /* rms: as sent, else of the sum of the phases' samples */
    int32_t power_factor_ppm[PHASES], displacement_ppm[PHASES];     /* P / S; P1 / S1 */
    int32_t power_factor_all_ppm;       /* P / Se */
    int32_t displacement_all_ppm;       /* P1 by the root of P1^2 + Q1^2, of the sums of the phases */
    uint32_t unbalance_v_ppm, unbalance_zero_v_ppm, unbalance_a_ppm;    /* V2 / V1, V0 / V1, I2 / I1 */
    uint32_t frequency_mhz;
    int32_t rocof_mhz_per_s;
    uint32_t reserved;
};

#endif
