/* SPDX-License-Identifier: Apache-2.0 */
/* The white paper's PowerMeasurement, decoded: bytes already checked for form, values not yet for sense. */
#ifndef FLYBALL_MSG_UPMU_H
#define FLYBALL_MSG_UPMU_H

#include "msg/limits.h"

struct upmu_phase {
    double voltage_rms_v;
    double current_rms_a;
    double power_active_w;
    double power_reactive_var;
    double power_apparent_va;
    double power_factor;
};

struct upmu {
    int64_t timestamp_ns;           /* Unix epoch, UTC */
    const char *device_id;          /* points into the datagram, not terminated */
    uint32_t device_id_bytes;
    uint32_t phase_count;           /* phases present, A B C first; more than PHASES is refused */
    struct upmu_phase phase[PHASES];
    double thd_voltage_pct;
    double thd_current_pct;
    double frequency_hz;
    uint32_t harmonic_count;
    double harmonic_pct[HARMONICS_MAX];  /* [0] is the fundamental of current = 100 */
    int sag_detected;
    int swell_detected;
    double dp_dt_mw_per_s;
    double peak_factor;
    double load_factor;
    double power_trend;
};

#endif
