/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One meter, from raw samples of three phases to readings (docs/measurement.md has the formulas and where
 * they are from). A block of samples goes in, what was completed with it comes out: nothing is allocated,
 * nothing is remembered but `struct measure_meter`, and the same blocks give the same bits on every build.
 *
 * Each phase has a grid of half cycles: it begins where the fundamental of its voltage crosses zero, by an
 * oscillator that follows the frequency. Whatever is integrated over cycles is integrated from boundary to
 * boundary, which lie between samples.
 */
#ifndef FLYBALL_CORE_MEASURE_METER_H
#define FLYBALL_CORE_MEASURE_METER_H

#include <stdbool.h>
#include <stdint.h>

#include "msg/measure.h"

enum {
    MEASURE_BLOCK_MAX = SAMPLES_MAX,
    MEASURE_TICK_NS = 1000000,
    MEASURE_NOTCH_KEEP = 232,           /* samples: half a cycle of 40 Hz at 16 kHz, and a tick */
    MEASURE_TREND = 60,                 /* values of 16 ms */
    MEASURE_TREND_PLACES = 64,
    MEASURE_SLOPE = 5,                  /* values of 1 ms that a slope is laid through */
    MEASURE_SKEW_TAPS = 5,
};

/* What may be wrong with a window. */
enum measure_flag {
    MEASURE_SETTLING = 1,               /* the frequency is not found yet, or the grid still moves */
    MEASURE_FREE = 2,                   /* no voltage to follow: the oscillator runs on as it was */
    MEASURE_GAP = 4,                    /* samples are missing: no values */
    MEASURE_FILLED = 8,                 /* up to 1 ms was missing and lies on a straight line */
    MEASURE_CLIPPED = 16,               /* a sample stood at the end of the scale */
    MEASURE_CLOCK = 32,                 /* the clock of the samples was set */
    MEASURE_DURING = 64,                /* in a sag, swell or interruption */
    MEASURE_CHANGING = 128,             /* what was before a change and what was after are both in it */
    MEASURE_NEUTRAL = 256,              /* readings: the neutral was invalid; it and what needs it are 0 */
};

/* Samples one after the other. */
struct measure_block {
    const double *row;                  /* all channels of one moment together; NULL: */
    const float (*column)[SAMPLES_MAX]; /* all moments of one channel together */
    uint32_t samples;                   /* 1 to MEASURE_BLOCK_MAX */
    uint32_t flags;                     /* enum measure_flag that holds for all of them */
    uint32_t absent;                    /* bit i: channel i says nothing; SAMPLES_VN, SAMPLES_IN only */
    int64_t first;                      /* number of the first sample, from any start */
    int64_t t_ns;                       /* its time */
};

/* Root mean squares over the last cycle, every half cycle of a phase (IEC 61000-4-30: U(1/2)). */
struct measure_half {
    int64_t t_ns;                       /* end of the cycle */
    double voltage_v, current_a, active_w;
    uint32_t phase;
    uint32_t flags;
};

/* 1 ms. Slopes in W/s. */
struct measure_tick {
    int64_t t_ns;                       /* end of the millisecond */
    double power_w;                     /* mean, all phases */
    double slope_fast_w_per_s;          /* least squares over 5 ms: an edge is seen, ripple too */
    double slope_w_per_s;               /* the same behind the notch of half a cycle */
    double peak_a[MEASURE_PHASES];
    uint32_t flags;
};

/* 16 ms. */
struct measure_feature {
    int64_t t_ns;
    double power_w;
    double slope_w_per_s;               /* of the last tick */
    double trend_w_per_s;               /* least squares over the last 60 of these */
    double load_factor;                 /* mean by highest of the same */
    double peak_factor;                 /* of the phase where it is highest */
    double peak_a[MEASURE_PHASES];
    uint32_t flags;
};

/* 20 ms: what heats a breaker. */
struct measure_heat {
    int64_t t_ns;
    double current_a[MEASURE_PHASES];   /* rms */
    double worst_a;
    uint32_t flags;
};

/* IEEE 1459, of one phase. Angles in cycles, against the fundamental of the first phase's voltage. */
struct measure_phase {
    double voltage_v, current_a, active_w, apparent_va, nonactive_var, power_factor;
    double fundamental_v, fundamental_a, angle_v, angle_a;
    double fundamental_w, reactive_var, fundamental_va, displacement;   /* P1, Q1, S1, P1/S1 */
    double thd_v, thd_a;                /* ratios */
    double current_distortion_var, voltage_distortion_var, harmonic_va; /* DI, DV, SH */
    double nonfundamental_va, harmonic_w, harmonic_distortion_var;      /* SN, PH, DH */
    double peak_a, crest;
};

/* 10 cycles at 50 Hz, 12 at 60 Hz: about 200 ms. */
struct measure_cycles {
    int64_t from_ns, t_ns;
    uint32_t cycles, flags;
    double frequency_hz, rocof_hz_per_s;
    struct measure_phase phase[MEASURE_PHASES];
    double active_w, reactive_var, apparent_va; /* sums */
    double effective_v, effective_a, effective_va, power_factor;        /* Ve, Ie, Se, P/Se */
    double neutral_a, neutral_v;        /* neutral_v only where it is sent; see MEASURE_NEUTRAL */
    double sequence_v[3], sequence_a[3];/* zero, positive, negative */
    double unbalance_v, unbalance_zero_v, unbalance_a;  /* ratios: V2/V1, V0/V1, I2/I1 */
};

enum measure_event_kind { MEASURE_SAG, MEASURE_SWELL, MEASURE_INTERRUPTION, MEASURE_PEAK, MEASURE_EDGE,
                          MEASURE_RAMP, MEASURE_EVENT_KINDS };

struct measure_event {
    int64_t t_ns;                       /* start */
    int64_t end_ns;                     /* where `over`, else 0: it begins */
    double value;                       /* the worst so far: V, A or W/s */
    uint32_t phase;                     /* where; of ramps and edges 0 */
    uint16_t kind;
    uint16_t flags;
    bool over;
};

/* What one block may complete, at the most. `lost` counts what found no room. */
enum { MEASURE_TICKS_MAX = 130, MEASURE_HALVES_MAX = 64, MEASURE_EVENTS_MAX = 32, MEASURE_FEATURES_MAX = 10,
       MEASURE_HEATS_MAX = 8, MEASURE_CYCLES_MAX = 2 };

struct measure_out {
    uint32_t ticks, halves, events, features, heats, cycles_count, lost;
    struct measure_tick tick[MEASURE_TICKS_MAX];
    struct measure_half half[MEASURE_HALVES_MAX];
    struct measure_event event[MEASURE_EVENTS_MAX];
    struct measure_feature feature[MEASURE_FEATURES_MAX];
    struct measure_heat heat[MEASURE_HEATS_MAX];
    struct measure_cycles cycles[MEASURE_CYCLES_MAX];
};

/* What is summed over a phase's samples: mean squares, power, fundamental by cosine and sine. */
enum measure_sum { SUM_VV, SUM_II, SUM_VI, SUM_VC, SUM_VS, SUM_IC, SUM_IS, MEASURE_SUMS };
/* And over all phases together. */
enum measure_shared { SHARED_V0, SHARED_N, SHARED_VN, MEASURE_SHARED };

struct measure_grid {
    double ahead;                       /* cycles from the last sample to the next boundary */
    double since;                       /* samples from the boundary before to the last sample */
    double open[MEASURE_SUMS];          /* of the half cycle that runs */
    double last[MEASURE_SUMS], last_samples;
    double earlier_vv, earlier_ii;      /* mean squares of the half cycle before that; negative: none */
    double whole[MEASURE_SUMS], whole_samples;  /* since the reading before */
    double cycle_x, cycle_y;            /* fundamental of the voltage over the last cycle, rms */
    double cycle_vv;                    /* mean square of the voltage over it */
    double peak_a, cycle_a;             /* highest since the reading before; rms of the last cycle */
    uint32_t open_flags, last_flags, whole_flags;
    uint32_t broken;                    /* the half cycle that runs did not begin at a boundary */
};

struct measure_track {
    double turn;                        /* cycles: where the oscillator stands at the last sample */
    double cycles;                      /* per sample: of the oscillator */
    double frequency;                   /* per sample: as followed */
    double pull;                        /* relative: how much faster it runs for its phase */
    double x, y;                        /* fundamental of a cycle ago */
    double samples;                     /* and how long that cycle was */
    double window_x, window_y, middle_x, middle_y, middle_samples;
    uint32_t known, window_known, middle_known;
    double jump;                        /* cycles: due at the end of this block */
    uint32_t age;                       /* cycles since the frequency was found */
    /* found: at any time */
    uint32_t locked, found, absent, strange, adrift, backward, jumps;
};

struct measure_fast {
    double left;                        /* samples to the end of the tick */
    double energy, peak_a[MEASURE_PHASES];                          /* of the tick that runs */
    double raw_w[MEASURE_SLOPE], calm_w[MEASURE_SLOPE];             /* newest last */
    double ripple;                      /* mean square of what the notch takes out of the slope */
    double slope_w_per_s;
    double feature_w, feature_peak_a[MEASURE_PHASES], heat[MEASURE_PHASES];
    uint32_t ticks;                     /* since the start or the last gap */
    uint32_t feature_ticks, heat_ticks, flags, feature_flags, heat_flags, raw_ticks, calm_ticks;
    uint32_t kept;                      /* samples in power_w */
};

/* room for whole groups of eight: sums read those */
struct measure_trend { double power_w[MEASURE_TREND_PLACES]; uint32_t count, next; };

struct measure_watch {
    struct measure_event event[MEASURE_EVENT_KINDS];    /* those that last */
    double voltage_v[MEASURE_PHASES];   /* the newest rms of each phase */
    uint32_t seen;                      /* phases that have one */
    uint32_t on;                        /* kinds that last */
    int64_t peak_ns;                    /* the newest sample near the peak threshold */
};

/* One meter. Nothing of it is for others to touch. */
struct measure_meter {
    struct measure_config config;
    double samples_per_tick, period_ns, rate_hz;
    /* samples by which all are later where a channel has a skew, else 0 */
    double reach;
    double last[MEASURE_CHANNELS];      /* the newest sample, corrected */
    double tail[MEASURE_CHANNELS][MEASURE_SKEW_TAPS];   /* before the correction of skews, oldest first */
    int64_t next_first, next_t_ns;      /* what a block without a gap begins with */
    uint32_t started, omitted;          /* omitted: an invalid block, since the one before */
    /* samples of the next block that still have of marked ones in them */
    uint32_t carried, carried_flags;
    uint32_t absent;                    /* channels of the neutral that say nothing in the newest block, */
    uint32_t absent_whole;              /* and since the last reading */
    uint32_t halves;                    /* half cycles of the first phase since the last reading */
    int64_t whole_from_ns;
    struct measure_track track;
    struct measure_grid grid[MEASURE_PHASES];
    double shared[MEASURE_SHARED], shared_whole[MEASURE_SHARED], shared_samples;
    struct measure_fast fast;
    struct measure_trend trend;
    struct measure_watch watch;
    double power_w[MEASURE_NOTCH_KEEP];
};

static_assert(sizeof(struct measure_meter) <= 6144, "a thousand meters a core: their state fits its cache");

/* setup: 0, or -EINVAL where a value is outside its range. `meter` is the caller's. */
int measure_meter_init(struct measure_meter *meter, const struct measure_config *config);

/* rt: takes a block; fills `out` with what it completed. Returns 0, or -EINVAL where the block has no samples
 * or too many, begins before the one before ended, lies beyond the year 2116, or lacks a channel of a phase:
 * then nothing changed and nothing is in `out`. */
int measure_meter_block(struct measure_meter *meter, const struct measure_block *block,
                        struct measure_out *out);

/* rt: the same of a block as protocols bring it. What is missing before it follows from its time, where it
 * says that something is; where its time has not gone on, the gap is one of unknown length. Blocks in which a
 * channel of a phase that is measured is invalid are left out: a gap, which the next one shows. Of an invalid
 * neutral only the neutral's values and the effective ones are lost. */
int measure_meter_samples(struct measure_meter *meter, const struct samples *samples,
                          struct measure_out *out);

/* any: what has begun and is not over, with the worst so far; how many. */
uint32_t measure_meter_open(const struct measure_meter *meter,
                            struct measure_event open[MEASURE_EVENT_KINDS]);

/* any: the newest block was left out, for a channel of a phase was invalid */
bool measure_meter_left_out(const struct measure_meter *meter);

/* any: mains frequency as followed, Hz */
double measure_meter_frequency_hz(const struct measure_meter *meter);

/* any: the oscillator at the newest sample, in cycles from where the first voltage crosses zero upward, and
 * cycles a sample; both 0 until the frequency was found */
void measure_meter_turn(const struct measure_meter *meter, double *turn, double *cycles);

#endif
