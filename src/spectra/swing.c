/* SPDX-License-Identifier: Apache-2.0 */
#include "spectra/swing.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <kiss_fftr.h>

enum {
    PEAK_REACH = 2,             /* bins on either side that a swing between two bins is spread over, mostly */
    RAMP_STEPS = 62,            /* a second */
};
#define STEP_S (SWING_STEP_MS * 1e-3)
#define MINUTE_S (SWING_VALUES * STEP_S)
#define POWER_MAX_W 1e12
#define PI 3.14159265358979323846

const double swing_band_hz[SWING_BANDS][2] = {
    [SWING_ALL] = {0.1, 20}, [SWING_TRAINING] = {0.2, 3}, [SWING_AREAS] = {0.1, 1},
    [SWING_MACHINES] = {1, 2.5}, [SWING_SHAFTS] = {7, 20}};

int swing_work_open(struct swing_work *work)
{
    work->plan = kiss_fftr_alloc(SWING_VALUES, 0, NULL, NULL);
    work->line = malloc(SWING_VALUES * sizeof *work->line);
    work->spectrum = malloc(SWING_BINS * sizeof *work->spectrum);
    if (work->plan && work->line && work->spectrum)
        return 0;
    swing_work_close(work);
    return -ENOMEM;
}

void swing_work_close(struct swing_work *work)
{
    kiss_fftr_free(work->plan);
    free(work->line);
    free(work->spectrum);
    memset(work, 0, sizeof *work);
}

static uint32_t place(int64_t step)
{
    return (uint32_t)((uint64_t)step % SWING_VALUES);
}

static void put(struct swing *swing, float value_w, uint8_t held)
{
    uint32_t at = place(swing->step);

    swing->held += held - swing->is_held[at];
    swing->is_held[at] = held;
    swing->value_w[at] = value_w;
    swing->last_w = value_w;
    swing->steps += swing->steps < SWING_VALUES;
}

/* The step that runs is over: its mean counts, and the value before in steps that nothing came in. */
static void go_on(struct swing *swing, int64_t step)
{
    put(swing, (float)(swing->sum_w / swing->came), 0);
    for (swing->step++; swing->step < step; swing->step++)
        put(swing, swing->last_w, 1);
    swing->sum_w = 0;
    swing->came = 0;
}

void swing_add(struct swing *swing, int64_t t_ns, double power_w)
{
    int64_t step = t_ns / SWING_STEP_NS;

    if (!(fabs(power_w) <= POWER_MAX_W) || t_ns < 0)
        return;
    if (swing->came && (step < swing->step || step - swing->step >= SWING_VALUES))
        memset(swing, 0, sizeof *swing);
    if (swing->came && step > swing->step)
        go_on(swing, step);
    swing->step = step;
    swing->sum_w += power_w;
    swing->came++;
}

/* Oldest first, less its mean. */
static void lay(const struct swing *swing, struct swing_work *work, struct swing_result *result)
{
    uint32_t oldest = place(swing->step);
    double sum = 0;

    for (uint32_t k = 0; k < SWING_VALUES; k++) {
        float value_w = swing->value_w[(oldest + k) % SWING_VALUES];

        work->line[k] = value_w;
        sum += (double)value_w;
        result->least_w = k && result->least_w < (double)value_w ? result->least_w : (double)value_w;
        result->most_w = k && result->most_w > (double)value_w ? result->most_w : (double)value_w;
    }
    result->mean_w = sum / SWING_VALUES;
}

/* Means of one second (62 steps) against those of the second before, at each step. */
static void find_ramps(const struct swing_work *work, struct swing_result *result)
{
    uint32_t whole = RAMP_STEPS;
    double newer = 0, older = 0;

    for (uint32_t k = 0; k < 2 * whole; k++)
        *(k < whole ? &older : &newer) += (double)work->line[k];
    for (uint32_t k = 2 * whole;; k++) {
        double ramp = (newer - older) / whole / (whole * STEP_S);

        result->ramp_up_w_per_s = ramp > result->ramp_up_w_per_s ? ramp : result->ramp_up_w_per_s;
        result->ramp_down_w_per_s = -ramp > result->ramp_down_w_per_s ? -ramp : result->ramp_down_w_per_s;
        if (k == SWING_VALUES)
            return;
        newer += (double)(work->line[k] - work->line[k - whole]);
        older += (double)(work->line[k - whole] - work->line[k - 2 * whole]);
    }
}

/* Mean square of bin k and of its mirror image. */
static double square(const struct swing_work *work, uint32_t k)
{
    const float *z = work->spectrum[k];
    double both = 2 * k == SWING_VALUES ? 1 : 2;

    return both * ((double)z[0] * (double)z[0] + (double)z[1] * (double)z[1]) /
           ((double)SWING_VALUES * SWING_VALUES);
}

static double band(const struct swing_work *work, double low_hz, double high_hz)
{
    uint32_t last = (uint32_t)(high_hz * MINUTE_S + 1e-6);
    double sum = 0;

    for (uint32_t k = (uint32_t)(low_hz * MINUTE_S + 0.999999); k <= last; k++)
        sum += square(work, k);
    return sum;
}

/* Its neighbours count: a swing between two bins is in both. What the mean of 16 ms took is given back. */
static void find_peak(const struct swing_work *work, struct swing_result *result)
{
    uint32_t first = (uint32_t)(swing_band_hz[SWING_ALL][0] * MINUTE_S + 0.999999);
    uint32_t last = (uint32_t)(swing_band_hz[SWING_ALL][1] * MINUTE_S + 1e-6), most = first;
    double sum = 0, at = 0;

    for (uint32_t k = first; k <= last; k++)
        most = square(work, k) > square(work, most) ? k : most;
    for (uint32_t k = most - PEAK_REACH; k <= most + PEAK_REACH; k++) {
        sum += square(work, k);
        at += k * square(work, k);
    }
    if (!(sum > 0))
        return;
    result->peak_hz = at / sum / MINUTE_S;
    double turn = PI * result->peak_hz * STEP_S;

    result->peak_w = sqrt(sum) * turn / sin(turn);
}

bool swing_take(const struct swing *swing, struct swing_work *work, struct swing_result *result)
{
    double all = 0;

    memset(result, 0, sizeof *result);
    result->seconds = swing->steps * STEP_S;
    result->held = (double)swing->held / SWING_VALUES;
    if (swing->steps < SWING_VALUES)
        return false;
    lay(swing, work, result);
    find_ramps(work, result);
    for (uint32_t k = 0; k < SWING_VALUES; k++)
        work->line[k] = (float)((double)work->line[k] - result->mean_w);
    kiss_fftr(work->plan, work->line, (kiss_fft_cpx *)(void *)work->spectrum);
    for (uint32_t k = 1; k < SWING_BINS; k++)
        all += square(work, k);
    for (uint32_t b = 0; b < SWING_BANDS; b++) {
        double within = band(work, swing_band_hz[b][0], swing_band_hz[b][1]);

        result->rms_w[b] = sqrt(within);
        result->share[b] = all > 0 ? within / all : 0;
    }
    find_peak(work, result);
    return true;
}
