/* SPDX-License-Identifier: Apache-2.0 */
/* What spectra become when they come back as slots: whole numbers, the newest of a meter or node. They decide
 * no cap; thresholds may look at them. */
#ifndef FLYBALL_MSG_SPECTRUM_H
#define FLYBALL_MSG_SPECTRUM_H

#include "msg/model.h"
#include "msg/reading.h"

enum { SPECTRUM_BANDS = 5 };    /* of a swing: enum swing_band of spectra/swing.h */

enum spectrum_flag {
    SPECTRUM_CLIPPED = 1,       /* a sample stood at the end of its scale */
    SPECTRUM_YOUNG = 2,         /* since the last break the meter was not heard for a whole window */
    SPECTRUM_WINDOW = 4,        /* a window was transformed whole: what is of one is known */
    SPECTRUM_DEMAND = 8,        /* and the demand current is: TDD, too */
};

/* Of raw samples: over the newest 10 or 12 cycles, by phase. */
struct spectrum {
    uint32_t meter;             /* index into model.meter */
    uint16_t flags;             /* enum spectrum_flag */
    uint8_t phases, reserved;
    int64_t t_meter_ns;         /* end of the newest cycle, by the meter */
    uint64_t sample;            /* number, in the meter's wave, of the window's first one */
    uint32_t frequency_mhz;
    uint32_t thd_v_ppm[PHASES], thd_a_ppm[PHASES];      /* orders 2 to 50 against the first */
    /* of the newest window that was transformed whole, up to a window older than the above: */
    uint32_t subgroup_v_ppm[PHASES], subgroup_a_ppm[PHASES];    /* THDS of IEC 61000-4-7 */
    uint32_t k_milli[PHASES];   /* UL 1561 */
    uint32_t worst_v_ppm[PHASES], worst_a_ppm[PHASES];  /* the largest harmonic beside the first, */
    uint8_t worst_v[PHASES], worst_a[PHASES];           /* and its order; 0: none yet */
    /* currents of the orders of READING_HARMONICS, of the phase where each is largest: 0.01 % of its first */
    uint16_t harmonic_pct100[READING_HARMONIC_COUNT];
    uint32_t fundamental_ma[PHASES];
    uint32_t tdd_ppm[PHASES];   /* harmonics of the current, orders 2 to 50, of the demand current */
};

/* How the power of a node swings, over the newest minute (domain: grid-facing constraints). */
struct spectrum_swing {
    uint32_t node;              /* index into model.node, or INDEX_NONE: the site, which is its roots' sum */
    uint32_t held_ppm;          /* of the minute: no value came, the one before stands for it */
    int64_t mean_mw, least_mw, most_mw;
    int64_t rms_mw[SPECTRUM_BANDS];
    uint32_t share_ppm[SPECTRUM_BANDS];
    uint32_t peak_mhz;          /* the strongest swing of 0.1 to 20 Hz */
    int64_t peak_mw;            /* rms */
    int64_t ramp_up_mw_per_s, ramp_down_mw_per_s;   /* steepest, from one second to the next */
};

#endif
