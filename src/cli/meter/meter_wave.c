/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/meter/meter_wave.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

enum { CHANNELS = SAMPLES_IC + 1, PHASE_COUNT = 3, PIECES = 4, PIECE_BITS = 16 };

static const double pi = 3.14159265358979323846;

static double magnitude(const struct meter_wave *wave, uint32_t phase)
{
    static const double side[PHASE_COUNT] = {0, -1, 1};

    return 1 + side[phase] * wave->unbalance;
}

static double point(const struct meter_wave *wave, uint32_t channel, double turn)
{
    bool current = channel >= SAMPLES_IA;
    uint32_t phase = channel % PHASE_COUNT;
    double angle = 2 * pi * turn - 2 * pi * phase / PHASE_COUNT;
    double value = cos(angle - (current ? wave->lag_deg * pi / 180 : 0));

    for (uint32_t k = 0; k < wave->parts; k++) {
        const struct meter_wave_part *part = &wave->part[k];

        if (part->current == current)
            value += part->share * cos(part->order * angle + part->angle_deg * pi / 180);
    }
    return value * sqrt(2.0) * (current ? wave->current_a : wave->voltage_v) * magnitude(wave, phase);
}

/* In the order of their times; of the same time, as they were given. */
static void sort_steps(struct meter_wave *wave)
{
    for (uint32_t k = 1; k < wave->steps; k++)
        for (uint32_t at = k; at && wave->step[at].at_s < wave->step[at - 1].at_s; at--) {
            struct meter_wave_step later = wave->step[at - 1];

            wave->step[at - 1] = wave->step[at];
            wave->step[at] = later;
        }
}

int meter_wave_init(struct meter_wave *wave)
{
    sort_steps(wave);
    wave->table = calloc(CHANNELS, sizeof *wave->table);
    if (!wave->table)
        return -ENOMEM;
    for (uint32_t c = 0; c < CHANNELS; c++)
        for (uint32_t k = 0; k <= METER_WAVE_TABLE; k++)
            wave->table[c][k] = point(wave, c, (double)k / METER_WAVE_TABLE);
    return 0;
}

void meter_wave_finish(struct meter_wave *wave)
{
    free(wave->table);
    wave->table = NULL;
}

/* The finaliser of SplitMix64: neighbours of a counter give numbers that have nothing in common. */
static uint64_t mixed(uint64_t x)
{
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

/* The sum of four uniform numbers, which is normal enough for noise and ends at 3.5 sigma. */
static double noise_of(const struct meter_wave *wave, uint32_t meter, uint64_t n, uint32_t channel)
{
    uint64_t who = mixed(wave->seed + UINT64_C(0x9e3779b97f4a7c15) * (meter + 1));
    uint64_t bits = mixed(who + UINT64_C(0x9e3779b97f4a7c15) * (n * CHANNELS + channel + 1));
    double sum = 0;

    for (uint32_t k = 0; k < PIECES; k++)
        sum += (double)(bits >> (k * PIECE_BITS) & 0xFFFF) + 0.5;
    return (sum / 65536 - 0.5 * PIECES) * sqrt(12.0 / PIECES);
}

static double volts_share(const struct meter_wave *wave, uint32_t phase, double t_s)
{
    double share = 1;

    for (uint32_t k = 0; k < wave->sags; k++) {
        const struct meter_wave_sag *sag = &wave->sag[k];

        if (t_s >= sag->at_s && t_s < sag->at_s + sag->for_s && sag->phases >> phase & 1)
            share = sag->share;
    }
    return share;
}

static double load_share(const struct meter_wave *wave, double t_s)
{
    double share = 1;

    for (uint32_t k = 0; k < wave->steps; k++) {
        const struct meter_wave_step *step = &wave->step[k];
        double done = step->over_s > 0 ? (t_s - step->at_s) / step->over_s : 1;

        if (t_s >= step->at_s)
            share += (step->factor - share) * (done < 1 ? done : 1);
    }
    if (wave->swing_share > 0)
        share *= 1 + wave->swing_share * sin(2 * pi * fmod(t_s * wave->swing_hz, 1));
    return share;
}

void meter_wave_row(const struct meter_wave *wave, uint32_t meter, uint64_t n, double t_s, double load,
                    double row[SAMPLES_CHANNELS_MAX])
{
    double turns = t_s * wave->frequency_hz, place = (turns - floor(turns)) * METER_WAVE_TABLE;
    uint32_t at = (uint32_t)place;
    double rest = place - at, amperes = load * load_share(wave, t_s);

    at = at < METER_WAVE_TABLE ? at : METER_WAVE_TABLE - 1;
    for (uint32_t c = 0; c < CHANNELS; c++) {
        const double *table = wave->table[c];
        double value = table[at] + rest * (table[at + 1] - table[at]);

        value *= c >= SAMPLES_IA ? amperes : volts_share(wave, c, t_s);
        if (wave->noise > 0)
            value += noise_of(wave, meter, n, c) * wave->noise *
                     (c >= SAMPLES_IA ? wave->current_a * amperes : wave->voltage_v);
        row[c] = value;
    }
    row[SAMPLES_VN] = 0;
    row[SAMPLES_IN] = row[SAMPLES_IA] + row[SAMPLES_IB] + row[SAMPLES_IC];
}
