/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/measure/measure_spectra.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHANNELS = 6 };

int measure_spectra_open(struct measure_spectra *spectra, const struct measure_config *config)
{
    struct spectra_config mine = {.phases = config->phases, .gain_v = {1, 1, 1}, .gain_a = {1, 1, 1}};
    double rate_hz = 1e12 / (double)config->period_ps;

    memset(spectra, 0, sizeof *spectra);
    spectra->phases = config->phases;
    spectra->swing_told_ns = INT64_MIN;
    int rc = spectra_plan_open(&spectra->plan, rate_hz, config->nominal_hz);

    if (!rc)
        rc = spectra_work_open(&spectra->work);
    if (!rc)
        rc = swing_work_open(&spectra->swing_work);
    if (!rc)
        rc = spectra_meter_init(&spectra->meter, &mine);
    if (rc)
        return rc;
    uint32_t samples = spectra_plan_samples(&spectra->plan);

    spectra->memory = aligned_alloc(64, wave_bytes(CHANNELS, samples));
    spectra->block = (struct samples){.channels = CHANNELS, .period_ps = (uint32_t)config->period_ps};
    return spectra->memory ? wave_init(&spectra->wave, spectra->memory, CHANNELS, samples) : -ENOMEM;
}

void measure_spectra_close(struct measure_spectra *spectra)
{
    spectra_plan_close(&spectra->plan);
    spectra_work_close(&spectra->work);
    swing_work_close(&spectra->swing_work);
    free(spectra->memory);
    spectra->memory = NULL;
}

static double seconds(int64_t t_ns)
{
    return (double)t_ns * 1e-9;
}

static void print_orders(const char *name, const double value[HARMONICS_HIGHEST + 1], uint32_t first,
                         uint32_t orders)
{
    printf(",\"%s\":[", name);
    for (uint32_t h = first; h < first + orders; h++)
        printf("%s%.6g", h > first ? "," : "", value[h]);
    putchar(']');
}

static void print_side(const char *of, const struct measure_harmonics *h)
{
    printf("\"%s\":{\"thd_percent\":%.6g,\"thdg_percent\":%.6g,\"thds_percent\":%.6g", of, h->thd * 100,
           h->thd_group * 100, h->thd_subgroup * 100);
    print_orders("harmonics", h->harmonic, 1, h->orders);
    print_orders("groups", h->group, 1, h->orders);
    print_orders("subgroups", h->subgroup, 1, h->orders);
    print_orders("between", h->between, 1, h->orders ? h->orders - 1 : 0);
}

static void print_window(const struct spectra_window *window)
{
    printf("{\"reading\":\"spectrum\",\"from_s\":%.9f,\"t_s\":%.9f,\"cycles\":%u,\"frequency_hz\":%.6f,"
           "\"clipped\":%s,\"phases\":[", seconds(window->from_ns), seconds(window->t_ns), window->cycles,
           window->frequency_hz, window->flags & SPECTRA_CLIPPED ? "true" : "false");
    for (uint32_t p = 0; p < window->phases; p++) {
        const struct spectra_phase *phase = &window->phase[p];

        printf("%s{", p ? "," : "");
        print_side("voltage", &phase->v);
        printf("},");
        print_side("current", &phase->a);
        printf("},\"k_factor\":%.6g,\"factor_k\":%.6g}", phase->a.k_factor, phase->a.factor_k);
    }
    printf("]}\n");
}

static void print_swing(const struct swing_result *result, int64_t t_ns)
{
    printf("{\"reading\":\"swing\",\"t_s\":%.9f,\"held_percent\":%.4g,\"mean_w\":%.9g,\"least_w\":%.9g,"
           "\"most_w\":%.9g,\"peak_hz\":%.6g,\"peak_w\":%.6g,\"ramp_up_w_per_s\":%.6g,"
           "\"ramp_down_w_per_s\":%.6g,\"bands\":[", seconds(t_ns), result->held * 100, result->mean_w,
           result->least_w, result->most_w, result->peak_hz, result->peak_w, result->ramp_up_w_per_s,
           result->ramp_down_w_per_s);
    for (uint32_t b = 0; b < SWING_BANDS; b++)
        printf("%s{\"from_hz\":%g,\"to_hz\":%g,\"rms_w\":%.6g,\"share_percent\":%.6g}", b ? "," : "",
               swing_band_hz[b][0], swing_band_hz[b][1], result->rms_w[b], result->share[b] * 100);
    printf("]}\n");
}

static void take_ticks(struct measure_spectra *spectra, const struct measure_out *out)
{
    struct swing_result result;

    for (uint32_t k = 0; k < out->ticks; k++) {
        const struct measure_tick *tick = &out->tick[k];

        swing_add(&spectra->swing, tick->t_ns, tick->power_w);
        if (spectra->swing_told_ns == INT64_MIN)
            spectra->swing_told_ns = tick->t_ns;
        if (tick->t_ns - spectra->swing_told_ns < NS_PER_S)
            continue;
        spectra->swing_told_ns = tick->t_ns;
        if (swing_take(&spectra->swing, &spectra->swing_work, &result))
            print_swing(&result, tick->t_ns);
    }
}

void measure_spectra_block(struct measure_spectra *spectra, const struct measure_block *block,
                           const struct measure_meter *meter, const struct measure_out *out)
{
    struct samples *samples = &spectra->block;
    struct spectra_distortion distortion;
    struct spectra_window window;
    double turn, cycles;
    uint32_t done;

    samples->count = (uint16_t)block->samples;
    samples->t0_ns = block->t_ns;
    samples->flags = block->first != spectra->next ? SAMPLES_GAP : 0;
    spectra->next = block->first + block->samples;
    for (uint32_t k = 0; k < block->samples; k++)
        for (uint32_t c = 0; c < CHANNELS; c++)
            samples->value[c][k] = (float)block->row[(size_t)k * meter->config.channels + c];
    measure_meter_turn(meter, &turn, &cycles);
    wave_write(&spectra->wave, samples, turn, cycles);
    do {
        done = spectra_meter_next(&spectra->meter, &spectra->plan, &spectra->work, &spectra->wave,
                                  &distortion, &window);
        if (done & SPECTRA_WINDOW)
            print_window(&window);
    } while (done);
    take_ticks(spectra, out);
}
