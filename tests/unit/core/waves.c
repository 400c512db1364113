/* SPDX-License-Identifier: Apache-2.0 */
#include "waves.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PI 3.14159265358979323846

static double uniform(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9E3779B97F4A7C15));      /* splitmix64 */

    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return (double)((z ^ z >> 31) >> 11) * 0x1p-53;
}

/* Of deviation 1: twelve uniform ones, which have no tail beyond 6. */
static double noise(uint64_t *state)
{
    double sum = -6;

    for (int k = 0; k < 12; k++)
        sum += uniform(state);
    return sum;
}

struct waves waves_vector(void)
{
    return (struct waves){.rate_hz = 8000, .frequency_hz = 60, .phases = 3,
        .v = {{1, 277.128129, 0}, {5, 277.128129 * 0.02, 30}, {7, 277.128129 * 0.01, -45}},
        .i = {{1, 600, -15}, {3, 60, 10}, {5, 36, 200}, {7, 24, 40}, {11, 12, 0}, {13, 6, 90}}};
}

struct waves waves_sine(double frequency_hz, double volts, double amperes, double degrees)
{
    return (struct waves){.rate_hz = 8000, .frequency_hz = frequency_hz, .phases = 3, .degrees = -90,
                          .v = {{1, volts, 0}}, .i = {{1, amperes, -degrees}}};
}

double waves_value(const struct waves *waves, uint32_t channel, double t_s)
{
    uint32_t phase = channel % 3;
    const struct wave_part *part = channel < 3 ? waves->v : waves->i;
    double turn = waves->degrees + (phase ? (phase == 1) == waves->backward ? 120 : -120 : 0), sum = 0;

    if (phase >= waves->phases)
        return 0;
    for (uint32_t k = 0; k < WAVES_PARTS && part[k].order > 0; k++)
        sum += part[k].rms * cos(part[k].order * (2 * PI * fmod(waves->frequency_hz * t_s, 1) +
                                                  turn * PI / 180) + part[k].degrees * PI / 180);
    return sqrt(2) * sum * (waves->shape ? waves->shape(waves, channel, t_s) : 1);
}

struct measure_config waves_config(const struct waves *waves)
{
    struct measure_config config = {.period_ps = llround(1e12 / waves->rate_hz), .phases = waves->phases,
        .channels = 6, .nominal_hz = 60, .voltage_v = 277.128, .sag = 0.9, .swell = 1.1, .interruption = 0.05,
        .hysteresis = 0.02};

    for (uint32_t c = 0; c < MEASURE_CHANNELS; c++)
        config.gain[c] = 1;
    return config;
}

void waves_collect(struct waves_result *result, const struct measure_out *out)
{
    assert_int_equal(out->lost, 0);
    for (uint32_t k = 0; k < out->ticks && result->ticks < WAVES_TICKS; k++)
        result->tick[result->ticks++] = out->tick[k];
    for (uint32_t k = 0; k < out->halves && result->halves < WAVES_OUT; k++)
        result->half[result->halves++] = out->half[k];
    for (uint32_t k = 0; k < out->events && result->events < WAVES_OUT; k++)
        result->event[result->events++] = out->event[k];
    for (uint32_t k = 0; k < out->features && result->features < WAVES_OUT; k++)
        result->feature[result->features++] = out->feature[k];
    for (uint32_t k = 0; k < out->heats && result->heats < WAVES_OUT; k++)
        result->heat[result->heats++] = out->heat[k];
    for (uint32_t k = 0; k < out->cycles_count && result->cycles < WAVES_OUT; k++)
        result->cycle[result->cycles++] = out->cycles[k];
}

struct waves_result *waves_run(const struct waves *waves, const struct measure_config *config,
                               uint32_t samples, uint32_t block)
{
    struct waves_result *result = calloc(1, sizeof *result);
    struct measure_meter *meter = malloc(sizeof *meter);
    struct measure_out *out = malloc(sizeof *out);
    double value[MEASURE_BLOCK_MAX * 6];
    uint64_t seed = waves->seed + 1;

    assert_true(result && meter && out);
    assert_int_equal(measure_meter_init(meter, config), 0);
    for (uint32_t at = 0; at < samples; at += block) {
        uint32_t n = samples - at < block ? samples - at : block;

        for (uint32_t k = 0; k < n; k++)
            for (uint32_t c = 0; c < 6; c++)
                value[k * 6 + c] = waves_value(waves, c, (at + k) / waves->rate_hz) +
                                   (waves->noise > 0 && c % 3 < waves->phases ?
                                    noise(&seed) * waves->noise * (c < 3 ? waves->v : waves->i)[0].rms : 0);
        struct measure_block now = {.row = value, .samples = n, .first = at,
                                    .t_ns = llround(at / waves->rate_hz * 1e9)};
        assert_int_equal(measure_meter_block(meter, &now, out), 0);
        waves_collect(result, out);
    }
    free(meter);
    free(out);
    return result;
}
