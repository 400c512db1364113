/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of one meter share (measure_meter.h). Index 0 of a run is the newest sample of the block
 * before; between index k and k + 1 lies interval k. */
#ifndef FLYBALL_CORE_MEASURE_INSIDE_H
#define FLYBALL_CORE_MEASURE_INSIDE_H

#include "core/measure_meter.h"

enum {
    WORK_FILL_MAX = 16,                 /* 1 ms at the highest rate */
    /* and eight more, for sums take eight at once */
    WORK_SAMPLES = 1 + WORK_FILL_MAX + MEASURE_BLOCK_MAX + 8,
    WORK_MARKS = 5,
};

/* Samples from..to of a run have something about them. */
struct measure_mark { uint32_t from, to, flags; };

struct measure_work {
    double x[MEASURE_CHANNELS][WORK_SAMPLES];
    double zero_v[WORK_SAMPLES];        /* sum of the voltages */
    double cosine[WORK_SAMPLES], sine[WORK_SAMPLES];
    double power_w[WORK_SAMPLES];
    double peak_a[MEASURE_PHASES];      /* of samples from `fresh` on; measure_tick_run finds it */
    uint32_t n;                         /* intervals: the newest sample is at index n */
    uint32_t fresh;                     /* the first index that was not there before: 1, at a start 0 */
    uint32_t channels, marks;
    struct measure_mark mark[WORK_MARKS];
    int64_t t_ns;                       /* of index 0 */
    double period_ns;
};

/* rt: time of an index, which may lie between two */
static inline int64_t measure_work_time_ns(const struct measure_work *work, double index)
{
    return work->t_ns + (int64_t)(index * work->period_ns + 0.5);
}

/* rt: of two numbers; `most` where `value` is none */
static inline double measure_larger(double value, double most)
{
    return value > most ? value : most;
}

/* rt: of samples behind `after` up to `to` */
static inline uint32_t measure_work_flags(const struct measure_work *work, uint32_t after, uint32_t to)
{
    uint32_t flags = 0;

    for (uint32_t m = 0; m < work->marks; m++)
        if (work->mark[m].from <= to && work->mark[m].to > after)
            flags |= work->mark[m].flags;
    return flags;
}

static inline void measure_work_mark(struct measure_work *work, uint32_t from, uint32_t to, uint32_t flags)
{
    if (work->marks < WORK_MARKS)
        work->mark[work->marks++] = (struct measure_mark){from, to, flags};
}

/* rt: whether a channel is one of the phases or wires that the meter has */
static inline bool measure_uses(const struct measure_config *config, uint32_t channel)
{
    if (channel <= SAMPLES_IC)
        return channel % MEASURE_PHASES < config->phases;
    return channel < config->channels;
}

/* measure_correct.c: samples of a block into the run, from index `at` on, scaled and moved in time; what is
 * missing before them lies on a straight line */
void measure_correct(struct measure_meter *meter, const struct measure_block *block,
                     struct measure_work *work, uint32_t at);

/* measure_sums.c: over samples behind `after` up to `to` */
void measure_sums_phase(const struct measure_work *work, uint32_t phase, uint32_t after, uint32_t to,
                        double sum[MEASURE_SUMS]);
void measure_sums_shared(const struct measure_work *work, uint32_t after, uint32_t to,
                         double sum[MEASURE_SHARED]);
double measure_sums_peak(const double *x, uint32_t n);
double measure_sums_plain(const double *x, uint32_t n);
double measure_sums_square(const double *x, uint32_t n);
void measure_sums_power(struct measure_work *work);
void measure_sums_turn(struct measure_work *work, double turn, double cycles);

/* measure_grid.c: half cycles and what ends with them */
void measure_grid_start(struct measure_meter *meter, const struct measure_work *work);
void measure_grid_run(struct measure_meter *meter, const struct measure_work *work, struct measure_out *out);
/* samples were missing for so many cycles: what runs is void */
void measure_grid_gap(struct measure_meter *meter, double cycles, int64_t t_ns, struct measure_out *out);
/* the oscillator was moved: boundaries lie elsewhere */
void measure_grid_jump(struct measure_meter *meter);

/* measure_track.c: at the end of a cycle of the first phase, that took so many samples */
void measure_track_start(struct measure_meter *meter);
void measure_track_cycle(struct measure_meter *meter, double samples);
uint32_t measure_track_flags(const struct measure_meter *meter);
/* halfway and at the end of a window of `cycles`, `samples` long: its frequency and how that changes */
void measure_track_middle(struct measure_meter *meter, double samples);
void measure_track_window(struct measure_meter *meter, uint32_t cycles, double samples,
                          struct measure_cycles *reading);
void measure_track_lost(struct measure_meter *meter);

/* measure_power.c */
void measure_power_phase(const struct measure_grid *grid, struct measure_phase *phase);
void measure_power_total(const struct measure_meter *meter, struct measure_cycles *reading);

/* measure_tick.c: 1, 16 and 20 ms */
void measure_tick_start(struct measure_meter *meter);
void measure_tick_run(struct measure_meter *meter, struct measure_work *work, struct measure_out *out);
void measure_tick_gap(struct measure_meter *meter);

/* measure_slope.c: pure */
double measure_slope_five(const double value[MEASURE_SLOPE]);
double measure_slope_trend(const struct measure_trend *trend);
double measure_slope_load_factor(const struct measure_trend *trend);

/* measure_event.c */
void measure_event_half(struct measure_meter *meter, const struct measure_half *half,
                        struct measure_out *out);
void measure_event_tick(struct measure_meter *meter, const struct measure_tick *tick,
                        struct measure_out *out);
/* whether a sample of that magnitude is near the threshold of peaks; then, each of samples first..last */
bool measure_event_near(const struct measure_meter *meter, double peak_a);
void measure_event_peak(struct measure_meter *meter, const struct measure_work *work, uint32_t first,
                        uint32_t last, struct measure_out *out);

#endif
