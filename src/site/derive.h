/* SPDX-License-Identifier: Apache-2.0 */
/* From what an engineer writes to the integers the decision uses. Draws round up, limits round down. Pure. */
#ifndef FLYBALL_SITE_DERIVE_H
#define FLYBALL_SITE_DERIVE_H

#include "msg/model.h"

/* Stands for "no limit" in sums: far above any, far below overflow. */
#define DERIVE_NO_LIMIT (INT64_MAX / 4)

/* Cord wiring, in the order of the words A B C AB BC CA ABC. */
enum wiring { WIRING_A, WIRING_B, WIRING_C, WIRING_AB, WIRING_BC, WIRING_CA, WIRING_ABC, WIRING_COUNT };

/* The terms of steady_limit (safety.md section 2). */
enum steady_term {
    STEADY_LONG_TIME,
    STEADY_FAST_EDGE,
    STEADY_DEFINITE,
    STEADY_CONDUCTOR,
    STEADY_TRANSFORMER,
    STEADY_UPS_KVA,
    STEADY_UPS_KW,
    STEADY_STATE,               /* of a source: the least of all, which one is on is not known */
    STEADY_NONE
};

struct device {
    int64_t long_time_ma;       /* 0 = no device: a busbar with an ampacity */
    int rated_100pct;
    int64_t ambient_ppm;        /* what heat leaves of the long-time pickup */
    int64_t conductor_ma;       /* 0 = not given, as for all below */
    int64_t definite_ma;        /* lowest fast edge of short-time and instantaneous, rms */
    int64_t transformer_mva;    /* three-phase figures */
    int64_t ups_mva, ups_mw;
    int64_t state_ma;           /* least of the source's states */
    int64_t edge_ma;            /* fast edge of a relay, fuse or curve; 0 = 1.05 x long_time_ma */
    int64_t volts_ln_mv;
    uint32_t phases;
};

/* any: ceil(a * b / c) and floor(a * b / c) in 128 bits; a, b >= 0, c > 0; results above
 * INT64_MAX are held there. */
int64_t derive_round_up(int64_t a, int64_t b, int64_t c);
int64_t derive_round_down(int64_t a, int64_t b, int64_t c);

/* any: line to neutral from line to line, down; lowest credible, so much of it, down. */
int64_t derive_volts_ln_mv(int64_t volts_ll_mv);
int64_t derive_volts_low_mv(int64_t volts_ln_mv, int64_t low_ppm);

/* any: a rating in power as amperes per phase at nominal volts, down. One phase may be wired line to line:
 * the higher volts give the lower limit. */
int64_t derive_power_ma(int64_t power_m, int64_t volts_ln_mv, uint32_t phases);

/* any: amperes per phase a device carries for long; says which term is the least. */
int64_t derive_steady_ma(const struct device *device, enum steady_term *term);

/* any: the same once `term` (of the call before) is relaxed: a device rated 100 %, a higher setting, a larger
 * conductor, transformer or UPS. `next` binds then; 0 and STEADY_NONE when nothing else does. */
int64_t derive_relaxed_ma(const struct device *device, enum steady_term term, enum steady_term *next);

/* any: the same as apparent power on one phase at the lowest credible voltage. */
int64_t derive_limit_mva(int64_t steady_ma, int64_t volts_low_mv);

/* any: lowest fast edge of short-time and instantaneous, rms amperes; a pickup of 0 = not there,
 * 0 = neither. */
int64_t derive_definite_ma(int64_t short_time_ma, int64_t short_tolerance_ppm, int64_t instantaneous_ma,
                           int64_t tolerance_ppm);

/* any: 0.85 x such an edge in peak amperes. */
int64_t derive_instant_peak_ma(int64_t definite_ma);

/* any: overshoot / efficiency, and the draw at the wall it gives for a cap. */
int64_t derive_gain_ppm(int64_t overshoot_ppm, int64_t efficiency_ppm);
int64_t derive_draw_max_mw(const struct model_host_type *type, int64_t cap_mw);

/* any: mVA on each phase per mVA of a cord. */
void derive_phase_ppm(enum wiring wiring, uint32_t phase_ppm[PHASES]);

/* any: share(h, j) of one cord when `psus` of `alive_psus` hang on it and `alive` cords are left. */
uint32_t derive_share_ppm(uint32_t psus, uint32_t alive_psus, uint32_t alive);

/* any: what a draw puts on one phase through one cord, in mVA. */
int64_t derive_contribution_mva(int64_t draw_mw, const struct model_cord *cord, uint32_t contingency,
                                uint32_t phase, int64_t pf_min_ppm);

#endif
