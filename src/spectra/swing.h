/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How power swings, 0.1 to 20 Hz over a sliding minute: what the grid hears of a hall (forced oscillations
 * of its machines, flicker of its lamps). Of means of 16 ms, so rms at 8 Hz reads 2.7 % low, at 20 Hz 16 %.
 */
#ifndef FLYBALL_SPECTRA_SWING_H
#define FLYBALL_SPECTRA_SWING_H

#include <stdbool.h>
#include <stdint.h>

#include "msg/limits.h"

enum {
    SWING_STEP_MS = 16,
    SWING_VALUES = 3750,            /* a minute */
    SWING_BINS = SWING_VALUES / 2 + 1,
};
#define SWING_STEP_NS (SWING_STEP_MS * NS_PER_MS)

/* All of it; where swings of training concentrate; oscillations between areas, of machines close by, of
 * shafts. Both ends of a band are in it. */
enum swing_band { SWING_ALL, SWING_TRAINING, SWING_AREAS, SWING_MACHINES, SWING_SHAFTS, SWING_BANDS };
extern const double swing_band_hz[SWING_BANDS][2];

/* The newest minute of one power. Zeroed, it has heard nothing. */
struct swing {
    float value_w[SWING_VALUES];    /* by number of the step */
    int64_t step;                   /* that is being filled: time / 16 ms */
    double sum_w;                   /* of what came in it */
    uint32_t came;
    float last_w;                   /* of the newest step that anything came in */
    uint32_t steps;                 /* in value_w, at most SWING_VALUES */
    uint32_t held;                  /* of these, the value before, for nothing came: where is_held */
    uint8_t is_held[SWING_VALUES];
};

struct swing_result {
    double seconds;                 /* that were heard, 60 at most */
    double held;                    /* share of it that lies on the value before: nothing came */
    double mean_w, least_w, most_w;
    double share[SWING_BANDS];      /* of all that is not the mean */
    double rms_w[SWING_BANDS];
    double peak_hz, peak_w;         /* the strongest swing in the first band, rms; 0: none */
    double ramp_up_w_per_s, ramp_down_w_per_s;  /* steepest between means of 1 s that follow each other */
};

struct kiss_fftr_state;
struct swing_work {
    struct kiss_fftr_state *plan;
    float *line;
    float (*spectrum)[2];
};

/* setup: 0 or -ENOMEM */
int swing_work_open(struct swing_work *work);
void swing_work_close(struct swing_work *work);

/* any: a power at a time, which is its own or a mean over some ms. What comes in one step is averaged; a
 * step in which nothing came holds what was there before; a minute without anything, and time that goes back,
 * begin anew. Powers that are no numbers are left out. */
void swing_add(struct swing *swing, int64_t t_ns, double power_w);

/* any: of the steps that are complete. False while less than a minute was heard. */
bool swing_take(const struct swing *swing, struct swing_work *work, struct swing_result *result);

#endif
