/* SPDX-License-Identifier: Apache-2.0 */
/* The printed vectors of power quantities, sags, slopes and sequences, and frequency from 40 to 70 Hz. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/measure_inside.h"
#include "waves.h"

static bool close_to(double value, double wanted, double relative)
{
    bool is = fabs(value - wanted) <= relative * fabs(wanted);

    if (!is)
        print_error("%.12g where %.12g is wanted: %.3g beside it\n", value, wanted, value / wanted - 1);
    return is;
}

/* The printed values end after ten digits; those of differences after fewer. */
#define HOLDS(value, wanted) assert_true(close_to(value, wanted, 1e-6))

static const struct measure_cycles *clean(const struct waves_result *result)
{
    for (uint32_t k = result->cycles; k-- > 0;)
        if (!result->cycle[k].flags)
            return &result->cycle[k];
    fail_msg("no reading without a flag among %u", result->cycles);
    return NULL;
}

static void power_quantities_are_the_printed_ones(void **state)
{
    (void)state;
    struct waves waves = waves_vector();
    struct measure_config config = waves_config(&waves);
    struct waves_result *result = waves_run(&waves, &config, 8000, 64);
    const struct measure_cycles *reading = clean(result);

    HOLDS(waves_value(&waves, 0, 0) , 401.4779);
    HOLDS(waves_value(&waves, 3, 3 / 8000.0), 875.5313);
    for (uint32_t p = 0; p < 3; p++) {
        const struct measure_phase *phase = &reading->phase[p];

        HOLDS(phase->voltage_v, 277.19740);
        HOLDS(phase->current_a, 604.69166);
        HOLDS(phase->active_w, 160420.4261);
        HOLDS(phase->fundamental_w, 160611.1302);
        HOLDS(phase->reactive_var, 43035.6226);
        HOLDS(phase->fundamental_va, 166276.8774);
        HOLDS(phase->apparent_va, 167618.9565);
        HOLDS(phase->nonactive_var, 48594.2537);
        HOLDS(phase->nonfundamental_va, 21168.7183);
        HOLDS(phase->current_distortion_var, 20834.4330);
        HOLDS(phase->voltage_distortion_var, 3718.0640);
        HOLDS(phase->harmonic_va, 465.8721);
        HOLDS(phase->harmonic_distortion_var, 425.0515);
        HOLDS(phase->harmonic_w, -190.7041);
        HOLDS(phase->power_factor, 0.9570542);
        HOLDS(phase->displacement, 0.9659258);
        HOLDS(phase->thd_v, 0.02236068);
        HOLDS(phase->thd_a, 0.12529964);
    }
    HOLDS(reading->phase[0].crest, 1.485565);
    HOLDS(reading->active_w, 481261.2782);
    HOLDS(reading->neutral_a, 180);
    HOLDS(reading->effective_a, 613.55684);
    HOLDS(reading->effective_v, 277.19740);
    HOLDS(reading->effective_va, 510229.0895);
    HOLDS(reading->power_factor, 0.9432259);
    HOLDS(reading->frequency_hz, 60);
    assert_int_equal(reading->cycles, 12);
    free(result);
}

/* 277.128/0, 270/-121, 280/+119 */
static double unbalanced(const struct waves *waves, uint32_t channel, double t_s)
{
    static const double rms[3] = {277.128, 270, 280}, degrees[3] = {0, -121, 119};
    double angle = 2 * 3.14159265358979323846 * (waves->frequency_hz * t_s + degrees[channel % 3] / 360);

    return channel < 3 ? rms[channel] * cos(angle) / waves_value(&(struct waves){.phases = 3,
        .frequency_hz = waves->frequency_hz, .v = {{1, 1, 0}}}, channel, t_s) * sqrt(2) : 1;
}

static void sequences_are_the_printed_ones(void **state)
{
    (void)state;
    struct waves waves = {.rate_hz = 8000,
                          .frequency_hz = 60.37,
                          .phases = 3,
                          .v = {{1, 1, 0}},
                          .i = {{1, 10, 0}},
                          .shape = unbalanced};
    struct measure_config config = waves_config(&waves);
    struct waves_result *result = waves_run(&waves, &config, 16000, 64);
    const struct measure_cycles *reading = clean(result);

    assert_true(fabs(reading->sequence_v[0] - 4.552341) < 1e-6 * 277);
    assert_true(close_to(reading->sequence_v[1], 275.699978, 1e-6));
    assert_true(fabs(reading->sequence_v[2] - 1.451866) < 1e-6 * 277);
    assert_true(fabs(reading->unbalance_v - 0.00526611) < 1e-6);
    assert_true(fabs(reading->unbalance_zero_v - 0.01651194) < 1e-6);
    free(result);
}

static double sag_of_one(const struct waves *waves, uint32_t channel, double t_s)
{
    return channel == 0 && t_s > waves->from_s - 1e-9 && t_s < waves->to_s - 1e-9 ? waves->depth : 1;
}

static void a_sag_is_the_printed_one(void **state)
{
    (void)state;
    struct waves waves = waves_sine(60, 277.128, 600, 15);
    double values[][2] = {{100, 277.128}, {108.333, 239.199}, {116.667, 193.990}, {200, 193.990},
                          {208.333, 239.199}, {216.667, 277.128}};
    uint32_t seen = 0;

    waves.shape = sag_of_one;
    waves.from_s = 0.1;
    waves.to_s = 0.2;
    waves.depth = 0.7;
    struct measure_config config = waves_config(&waves);
    struct waves_result *result = waves_run(&waves, &config, 4000, 64);

    for (uint32_t k = 0; k < result->halves; k++)
        for (uint32_t v = 0; v < 6; v++)
            if (!result->half[k].phase && llabs(result->half[k].t_ns - llround(values[v][0] * 1e6)) < 20000) {
                assert_true(close_to(result->half[k].voltage_v, values[v][1], 3e-5));
                seen |= 1u << v;
            }
    assert_int_equal(seen, 63);
    assert_int_equal(result->events, 2);
    assert_int_equal(result->event[0].end_ns, 0);
    assert_true(llabs(result->event[1].t_ns - 108333333) < 10000);
    assert_true(llabs(result->event[1].end_ns - 216666667) < 10000);
    assert_int_equal(result->event[1].kind, MEASURE_SAG);
    assert_int_equal(result->event[1].phase, 0);
    assert_true(close_to(result->event[1].value, 193.990, 3e-5));
    free(result);
}

static void a_shallow_sag_is_seen_after_a_whole_cycle(void **state)
{
    (void)state;
    struct waves waves = waves_sine(60, 277.128, 600, 15);

    waves.shape = sag_of_one;
    waves.from_s = 0.1;
    waves.to_s = 0.2;
    waves.depth = 0.88;
    struct measure_config config = waves_config(&waves);
    struct waves_result *result = waves_run(&waves, &config, 4000, 64);

    assert_int_equal(result->events, 2);
    assert_true(llabs(result->event[1].t_ns - 116666667) < 10000);
    free(result);
}

static void frequency_is_found_from_40_to_70_hz(void **state)
{
    (void)state;
    static const double hertz[] = {40, 42.5, 45, 49.5, 50, 57.3, 59.5, 60, 60.37, 61, 65, 70};

    for (uint32_t k = 0; k < sizeof hertz / sizeof *hertz; k++)
        for (uint32_t phases = 1; phases <= 3; phases += 2) {
            struct waves waves = waves_sine(hertz[k], 277.128, 600, 15);

            waves.v[1] = (struct wave_part){5, 13.85, 30};
            waves.v[2] = (struct wave_part){7, 8.3, 70};
            waves.phases = phases;
            waves.degrees = 37;
            struct measure_config config = waves_config(&waves);
            struct waves_result *result = waves_run(&waves, &config, 16000, 64);
            const struct measure_cycles *reading = clean(result);

            if (fabs(reading->frequency_hz - hertz[k]) > 5e-4)
                fail_msg("%.6f Hz where there are %.3f, of %u phases", reading->frequency_hz, hertz[k],
                         phases);
            assert_true(close_to(reading->phase[0].fundamental_v, 277.128, 5e-5));
            free(result);
        }
}

static void phases_may_go_the_other_way_round(void **state)
{
    (void)state;
    struct waves waves = waves_sine(59.2, 277.128, 600, 15);

    waves.backward = true;
    struct measure_config config = waves_config(&waves);
    struct waves_result *result = waves_run(&waves, &config, 8000, 64);
    const struct measure_cycles *reading = clean(result);

    assert_true(fabs(reading->frequency_hz - 59.2) < 1e-4);
    assert_true(reading->sequence_v[1] < 0.01 && close_to(reading->sequence_v[2], 277.128, 1e-5));
    free(result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(power_quantities_are_the_printed_ones),
        cmocka_unit_test(sequences_are_the_printed_ones),
        cmocka_unit_test(a_sag_is_the_printed_one),
        cmocka_unit_test(a_shallow_sag_is_seen_after_a_whole_cycle),
        cmocka_unit_test(frequency_is_found_from_40_to_70_hz),
        cmocka_unit_test(phases_may_go_the_other_way_round),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
