/* SPDX-License-Identifier: Apache-2.0 */
/* A neutral that is invalid, channels of different delays, and what is not over yet. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "packets.h"

/* A neutral of its own: 50 A and 3 V all the time. */
static void feed_neutral(struct packets *packets, uint32_t from, uint32_t to, uint8_t invalid, float instead)
{
    struct samples *packet = &packets->packet;

    for (uint32_t n = from; n < to; n += PACKETS_COUNT) {
        packet->t0_ns = n * INT64_C(125000);
        for (uint32_t k = 0; k < PACKETS_COUNT; k++) {
            for (uint32_t c = 0; c < 6; c++)
                packet->value[c][k] = (float)waves_value(&packets->waves, c, (n + k) / 8000.0);
            packet->value[SAMPLES_VN][k] = invalid >> SAMPLES_VN & 1 ? instead : 3;
            packet->value[SAMPLES_IN][k] = invalid >> SAMPLES_IN & 1 ? instead : 50;
        }
        packet->invalid = invalid;
        packet->flags = invalid ? SAMPLES_INVALID : 0;
        assert_int_equal(measure_meter_samples(&packets->meter, packet, &packets->out), 0);
        waves_collect(&packets->result, &packets->out);
    }
}

static void of_an_invalid_neutral_only_its_own_values_are_lost(void **state)
{
    (void)state;
    const uint8_t marks[] = {1u << SAMPLES_VN, 1u << SAMPLES_IN, 1u << SAMPLES_VN | 1u << SAMPLES_IN};
    const float instead[] = {1e9F, NAN, 0};
    struct waves waves = waves_sine(60, 277.128, 600, 15);
    struct measure_config config = waves_config(&waves);

    config.channels = MEASURE_CHANNELS;
    for (uint32_t m = 0; m < 3; m++) {
        struct packets *packets = packets_begin(&config, &waves);
        uint32_t marked = 0;
        int64_t from_ns = 2 * 8000 * INT64_C(125000), to_ns = from_ns + PACKETS_COUNT * INT64_C(125000);

        for (uint32_t c = 0; c < MEASURE_CHANNELS; c++)
            assert_true(config.gain[c] > 0);
        feed_neutral(packets, 0, 2 * 8000, 0, 0);
        feed_neutral(packets, 2 * 8000, 2 * 8000 + PACKETS_COUNT, marks[m], instead[m]);
        feed_neutral(packets, 2 * 8000 + PACKETS_COUNT, 4 * 8000, 0, 0);
        assert_int_equal(packets->result.ticks, 4000);
        for (uint32_t k = 4; k < packets->result.cycles; k++) {
            const struct measure_cycles *reading = &packets->result.cycle[k];
            bool touched = reading->from_ns < to_ns + 125000 && reading->t_ns > from_ns - 125000;
            bool no_v = touched && marks[m] >> SAMPLES_VN & 1, no_i = touched && marks[m] >> SAMPLES_IN & 1;

            marked += touched;
            assert_int_equal(reading->flags, touched ? MEASURE_NEUTRAL : 0);
            assert_true(fabs(reading->phase[1].current_a - 600) < 1e-3);
            assert_true(fabs(reading->active_w / (3 * 277.128 * 600 * cos(15 * M_PI / 180)) - 1) < 1e-6);
            assert_true(fabs(reading->effective_v - 277.128) < 1e-3);
            assert_true(fabs(reading->neutral_v - (no_v ? 0 : 3)) < 1e-3);
            assert_true(fabs(reading->neutral_a - (no_i ? 0 : 50)) < 1e-3);
            assert_true((reading->effective_a > 600) == !no_i && (reading->power_factor > 0.9) == !no_i);
        }
        assert_in_range(marked, 1, 2);
        free(packets);
    }
}

static void a_phase_may_not_be_absent(void **state)
{
    (void)state;
    struct waves waves = waves_sine(60, 277.128, 600, 15);
    struct measure_config config = waves_config(&waves);
    struct packets *packets = packets_begin(&config, &waves);
    double row[6] = {0};
    struct measure_block block = {.row = row, .samples = 1, .absent = 1u << SAMPLES_IC};

    assert_int_equal(measure_meter_block(&packets->meter, &block, &packets->out), -EINVAL);
    block.absent = 0;
    assert_int_equal(measure_meter_block(&packets->meter, &block, &packets->out), 0);
    free(packets);
}

/* What has begun and is not over is told with the worst so far, and is none once it is over. */
static void what_lasts_is_told(void **state)
{
    (void)state;
    struct waves waves = waves_sine(60, 277.128, 600, 15);
    struct measure_config config = waves_config(&waves);
    struct packets *packets = packets_begin(&config, &waves);
    struct measure_event open[MEASURE_EVENT_KINDS];

    packets_feed(packets, 0, 8000);
    assert_int_equal(measure_meter_open(&packets->meter, open), 0);
    packets->factor = 0.6;
    packets_feed(packets, 8000, 12000);
    assert_int_equal(measure_meter_open(&packets->meter, open), 1);
    assert_int_equal(open[0].kind, MEASURE_SAG);
    assert_false(open[0].over);
    assert_true(fabs(open[0].value - 0.6 * 277.128) < 0.3);
    assert_true(llabs(open[0].t_ns - 1 * INT64_C(1000000000)) < 17000000);
    packets->factor = 1;
    packets_feed(packets, 12000, 16000);
    assert_int_equal(measure_meter_open(&packets->meter, open), 0);
    free(packets);
}

/* A channel that is late by `late_s` shows what was there so much earlier. */
static double delayed(const struct waves *waves, uint32_t channel, double t_s, const double *late_ns)
{
    return waves_value(waves, channel, t_s - late_ns[channel] * 1e-9);
}

/* Worst of watts, vars, volts and amperes beside the formula, as shares of apparent power and of the rms. */
static double skewed(double rate_hz, double hertz, double lag, const double *late_ns, bool corrected)
{
    struct waves waves = waves_sine(hertz, 277.128, 600, lag);
    double worst = 0, rest = lag * M_PI / 180, apparent = 277.128 * 600;

    waves.rate_hz = rate_hz;
    struct measure_config config = waves_config(&waves);
    struct packets *packets = calloc(1, sizeof *packets);
    double row[PACKETS_COUNT * 6];

    assert_non_null(packets);
    for (uint32_t c = 0; corrected && c < 6; c++)
        config.late_ns[c] = late_ns[c];
    assert_int_equal(measure_meter_init(&packets->meter, &config), 0);
    for (uint32_t n = 0; n < 2 * rate_hz; n += PACKETS_COUNT) {
        struct measure_block block = {.row = row, .samples = PACKETS_COUNT, .first = n,
                                      .t_ns = llround(n / rate_hz * 1e9)};

        for (uint32_t k = 0; k < PACKETS_COUNT * 6; k++)
            row[k] = delayed(&waves, k % 6, (n + k / 6) / rate_hz, late_ns);
        assert_int_equal(measure_meter_block(&packets->meter, &block, &packets->out), 0);
        waves_collect(&packets->result, &packets->out);
    }
    assert_true(packets->result.cycles > 3);
    for (uint32_t p = 0; p < 3; p++) {
        const struct measure_phase *phase = &packets->result.cycle[packets->result.cycles - 1].phase[p];

        worst = fmax(worst, fabs(phase->active_w - apparent * cos(rest)) / apparent);
        worst = fmax(worst, fabs(phase->reactive_var - apparent * sin(rest)) / apparent);
        worst = fmax(worst, fabs(phase->voltage_v / 277.128 - 1));
        worst = fmax(worst, fabs(phase->current_a / 600 - 1));
    }
    free(packets);
    return worst;
}

/* 3.5 us between volts and amperes are 0.1 % of the power at a power factor of 0.8: up to a whole sample
 * (250 us at 4 kHz) is taken out to a hundredth of that. */
static void delays_of_channels_are_taken_out(void **state)
{
    (void)state;
    static const struct { double rate_hz, worst; } rates[] = {{16000, 4e-6}, {8000, 3e-6}, {4000, 1.5e-5}};
    static const double share[][6] = {
        {0, 0, 0, 1, 1, 1}, {0.5, 0.5, 0.5, -0.5, -0.5, -0.5}, {0.1, -0.3, 0.7, 0.028, -0.9, 0.45},
        {0, 0, 0, 0.028, 0.028, 0.028},
    };
    static const double hertz[] = {45, 50, 60, 65}, lag[] = {0, 36.87};
    double most = 0;

    for (uint32_t r = 0; r < 3; r++)
        for (uint32_t s = 0; s < 4; s++)
            for (uint32_t k = 0; k < 8; k++) {
                double late_ns[6];

                for (uint32_t c = 0; c < 6; c++)
                    late_ns[c] = share[s][c] * 1e9 / rates[r].rate_hz;
                double off = skewed(rates[r].rate_hz, hertz[k % 4], lag[k / 4], late_ns, true);

                most = fmax(most, off);
                assert_true(off < rates[r].worst);
            }
    print_message("delays of up to a sample: within %.2g\n", most);
    const double late_ns[6] = {0, 0, 0, 3500, 3500, 3500};

    /* and without the correction it is w dt sin(phi) of vars and w dt cos(phi) of watts */
    assert_true(fabs(skewed(8000, 60, 36.87, late_ns, false) - 2 * M_PI * 60 * 3.5e-6 * 0.8) < 1e-4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_an_invalid_neutral_only_its_own_values_are_lost),
        cmocka_unit_test(a_phase_may_not_be_absent),
        cmocka_unit_test(what_lasts_is_told),
        cmocka_unit_test(delays_of_channels_are_taken_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
