/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Spectra of a meter's raw samples, beside the hot path (docs/measurement.md, Spectra). They are taken out of
 * the meter's wave, along the cycles that its lane found there: by kissfft, over each cycle for distortion
 * that slides along, and over the 10 or 12 cycles of IEC 61000-4-7 for harmonics, groups and what lies
 * between. What is a harmonic, a group or a factor is core/measure_harmonics.h.
 */
#ifndef FLYBALL_SPECTRA_SPECTRA_H
#define FLYBALL_SPECTRA_SPECTRA_H

#include <stdbool.h>
#include <stdint.h>

#include "core/measure_harmonics.h"
#include "ring/wave.h"

enum {
    SPECTRA_PHASES = 3,
    SPECTRA_CYCLES_MAX = HARMONICS_PER_MAX,
    SPECTRA_REACH = 3,              /* samples that it takes on either side of a window */
};

/* What may be wrong with a window. */
enum spectra_flag {
    SPECTRA_CLIPPED = 1,            /* a sample stood at the end of its scale */
    SPECTRA_YOUNG = 2,              /* since the last break it was not heard for a whole window */
};

/* VA IA VB IB, VC IC VN IN of one moment */
typedef float spectra_four __attribute__((vector_size(16)));
struct spectra_row { spectra_four ab, cn; };

/* of the six samples around a moment, and twice 0 */
struct spectra_weights { spectra_four of[2]; };

struct kiss_fft_state;

/* What meters of one rate and one nominal frequency share; constant after open. */
struct spectra_plan {
    double rate_hz, nominal_hz;
    uint32_t per;                   /* cycles of a window */
    uint32_t points;                /* that a cycle is resampled to */
    uint32_t rows;                  /* samples of the longest window there may be, with reach */
    struct kiss_fft_state *cycle, *window;
    struct spectra_weights *weight; /* of the kernel, by part of a sample */
    float *upright;                 /* what a frequency is multiplied by for what the kernel took of it */
};

/* Scratch of one thread. */
struct spectra_work {
    struct wave_pair *pair;
    struct spectra_row *row, *even; /* samples; the same evenly spread over cycles */
    float (*spectrum)[2];
    double *rms_v, *rms_a;
};

struct spectra_config {
    uint32_t phases;                /* 1 to 3 */
    double gain_v[SPECTRA_PHASES];  /* V or A per unit of the wave */
    double gain_a[SPECTRA_PHASES];
    double voltage_v, current_a;    /* nominal; 0: not known */
};

/* Over the newest 10 or 12 cycles, after each of them: orders 2 to 50 against the first. */
struct spectra_distortion {
    int64_t t_ns;                   /* end of the newest cycle */
    uint32_t flags;                 /* enum spectra_flag */
    double frequency_hz;
    double thd_v[SPECTRA_PHASES], thd_a[SPECTRA_PHASES];
    double fundamental_v[SPECTRA_PHASES], fundamental_a[SPECTRA_PHASES];
};

struct spectra_phase { struct measure_harmonics v, a; };

struct spectra_window {
    int64_t from_ns, t_ns;
    uint64_t first;                 /* number of the first sample that is in it */
    uint32_t flags, phases, cycles;
    double frequency_hz;
    struct spectra_phase phase[SPECTRA_PHASES];
};

/* One cycle's harmonics, voltage and current of each phase: [channel][order][real, imaginary] */
struct spectra_cycle { float of[2 * SPECTRA_PHASES][HARMONICS_HIGHEST + 1][2]; };

struct spectra_meter {
    struct spectra_config config;
    double like;                    /* currents are multiplied by it, so that they are as large as voltages */
    bool going;
    uint64_t base;                  /* sample that positions count from, moved along */
    double at, window_at;           /* where the next cycle begins, and the window that is being filled */
    uint32_t cycles, next;          /* cycles in the sum, at most a window's; the oldest place */
    uint32_t filled;                /* cycles since window_at */
    struct spectra_cycle newest[SPECTRA_CYCLES_MAX];
    double sum[2 * SPECTRA_PHASES][HARMONICS_HIGHEST + 1][2];
    /* windows and cycles that were lost because samples were overwritten before they were read; breaks: gaps,
     * steps, and oscillators that moved */
    uint64_t overtaken, breaks;
};

/* setup: 0; -EINVAL where the rate is not 1 to 16 kHz or the nominal frequency not 45 to 65 Hz; -ENOMEM. */
int spectra_plan_open(struct spectra_plan *plan, double rate_hz, double nominal_hz);
void spectra_plan_close(struct spectra_plan *plan);

/* setup: samples that a wave should hold, for a reader of this plan that looks every 50 ms. */
uint32_t spectra_plan_samples(const struct spectra_plan *plan);

/* setup: enough for any plan. 0 or -ENOMEM. */
int spectra_work_open(struct spectra_work *work);
void spectra_work_close(struct spectra_work *work);

/* setup: -EINVAL where there are no phases, or too many. */
int spectra_meter_init(struct spectra_meter *meter, const struct spectra_config *config);

/* any, the one reader of this meter: the next cycle, if it has come. Returns a set: 1, `distortion` is of it;
 * 2, and it was the last one of a window: `window` is; 2 alone where the writer was in
 * the way before. 0: nothing to be done yet. */
enum { SPECTRA_CYCLE = 1, SPECTRA_WINDOW = 2 };
uint32_t spectra_meter_next(struct spectra_meter *meter, const struct spectra_plan *plan,
                            struct spectra_work *work, const struct wave *wave,
                            struct spectra_distortion *distortion, struct spectra_window *window);

#endif
