/* SPDX-License-Identifier: Apache-2.0 */
/* How power swings: the printed shares, swings that are made and found, and what comes at odd times. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/measure_harmonics.h"
#include "spectra/swing.h"

#define TWO_PI 6.28318530717958647693
#define START_NS INT64_C(1700000000000000000)

typedef double power_at(double t_s);

static bool near(double value, double wanted, double relative)
{
    if (fabs(value - wanted) <= relative * fabs(wanted))
        return true;
    print_error("%.10g where %.10g is wanted\n", value, wanted);
    return false;
}

/* Values `step_ns` apart, from START_NS on. */
static struct swing *hear(power_at *power, double seconds, int64_t step_ns)
{
    struct swing *swing = calloc(1, sizeof *swing);

    assert_non_null(swing);
    for (int64_t t_ns = 0; t_ns < (int64_t)(seconds * 1e9); t_ns += step_ns)
        swing_add(swing, START_NS + t_ns, power((double)t_ns * 1e-9));
    return swing;
}

static struct swing_result take(power_at *power, double seconds, int64_t step_ns)
{
    struct swing *swing = hear(power, seconds, step_ns);
    struct swing_work work;
    struct swing_result result;

    assert_int_equal(swing_work_open(&work), 0);
    assert_true(swing_take(swing, &work, &result));
    swing_work_close(&work);
    free(swing);
    return result;
}

static double two_tones(double t_s)
{
    return 10 + sin(TWO_PI * t_s) + 0.5 * sin(TWO_PI * 25 * t_s);
}

static double square_wave(double t_s)
{
    return 10 + 1.5 * (fmod(t_s + 1e-6, 2) < 1 ? 1 : -1);
}

static double slow_and_fast(double t_s)
{
    return 10 + sin(TWO_PI * 0.05 * t_s) + sin(TWO_PI * 2 * t_s);
}

/* Vectors of 3750 values: a minute, and one more that is being filled. */
static void shares_are_the_printed_ones(void **state)
{
    (void)state;
    struct swing_result tones = take(two_tones, 60.016, SWING_STEP_NS);
    struct swing_result square = take(square_wave, 60.016, SWING_STEP_NS);
    struct swing_result slow = take(slow_and_fast, 60.016, SWING_STEP_NS);

    assert_true(near(tones.share[SWING_ALL], 0.8, 1e-5));
    assert_true(near(tones.rms_w[SWING_ALL], sqrt(0.5), 1e-5));
    assert_true(near(square.share[SWING_ALL], 0.993621, 3e-5));
    assert_true(near(square.share[SWING_TRAINING], 0.933628, 3e-5));
    assert_true(near(slow.share[SWING_ALL], 0.5, 1e-5));
    assert_true(near(tones.mean_w, 10, 1e-6));
    assert_true(near(square.least_w, 8.5, 1e-6) && near(square.most_w, 11.5, 1e-6));
    assert_true(near(square.peak_hz, 0.5, 1e-3));
}

static double noisy(double t_s)
{
    uint64_t z = (uint64_t)llround(t_s * 1e6) * UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return 600e3 + 2e3 * ((double)((z ^ z >> 31) >> 11) * 0x1p-53 - 0.5);
}

static double swing_hz, swing_w;

static double swinging(double t_s)
{
    return noisy(t_s) + swing_w * sin(TWO_PI * swing_hz * t_s);
}

/* As means of 1 ms, which is what a meter of raw samples has. Also between two bins. */
static void swings_are_found_with_what_they_weigh(void **state)
{
    (void)state;
    static const double hz[] = {0.5, 2, 8, 0.508, 7.9917, 15.6};
    static const uint32_t in[] = {SWING_AREAS, SWING_MACHINES, SWING_SHAFTS, SWING_AREAS, SWING_SHAFTS,
                                  SWING_SHAFTS};

    for (uint32_t k = 0; k < sizeof hz / sizeof *hz; k++) {
        swing_hz = hz[k];
        swing_w = 20e3;
        struct swing_result result = take(swinging, 61, NS_PER_MS);
        double rms_w = swing_w / sqrt(2), turn = TWO_PI / 2 * hz[k] * 0.016;

        assert_true(fabs(result.peak_hz - hz[k]) < 0.01);
        assert_true(near(result.peak_w, rms_w, 0.05));
        /* of means of 16 ms; all of it in its band but what a swing between two bins spreads */
        assert_true(near(result.rms_w[in[k]], rms_w * sin(turn) / turn, 0.03));
        assert_true(result.share[SWING_ALL] > 0.99);
        for (uint32_t b = SWING_AREAS; b < SWING_BANDS; b++)
            assert_true(b == in[k] || result.rms_w[b] < 0.06 * rms_w);
    }
}

static void where_nothing_swings_nothing_is_found(void **state)
{
    (void)state;
    struct swing_result result = take(noisy, 61, NS_PER_MS);

    /* noise of 577 W a millisecond: 144 W in means of 16 ms, and no line in it */
    assert_true(result.rms_w[SWING_ALL] < 160);
    assert_true(result.peak_w < 40);
    assert_true(result.share[SWING_ALL] < 0.75);
    assert_true(near(result.mean_w, 600e3, 1e-3));
    assert_true(result.ramp_up_w_per_s < 200);
}

static double constant(double t_s)
{
    (void)t_s;
    return 5e6;
}

static double ramping(double t_s)
{
    return t_s < 30 ? 1e6 : t_s < 34 ? 1e6 + 2e6 * (t_s - 30) : t_s < 50 ? 9e6 : 9e6 - 1e6 * (t_s - 50);
}

static void ramps_are_those_between_seconds(void **state)
{
    (void)state;
    struct swing_result still = take(constant, 61, SWING_STEP_NS);
    struct swing_result result = take(ramping, 60.2, 4 * NS_PER_MS);

    assert_true(still.ramp_up_w_per_s == 0 && still.ramp_down_w_per_s == 0 && still.peak_w == 0);
    assert_true(still.share[SWING_ALL] == 0);
    assert_true(near(result.ramp_up_w_per_s, 2e6, 1e-3));
    assert_true(near(result.ramp_down_w_per_s, 1e6, 1e-3));
}

/* The same minute by core's definition, which correlates. */
static void bands_are_those_by_correlation(void **state)
{
    (void)state;
    static double value[SWING_VALUES];

    swing_hz = 1.37;
    swing_w = 3e3;
    for (uint32_t k = 0; k < SWING_VALUES; k++)
        value[k] = swinging(k * 0.016);
    struct swing_result result = take(swinging, 60.016, SWING_STEP_NS);

    for (uint32_t b = 0; b < SWING_BANDS; b++) {
        struct measure_envelope wanted = measure_harmonics_envelope(value, SWING_VALUES, 0.016,
                                                                    swing_band_hz[b][0],
                                                                    swing_band_hz[b][1]);

        assert_true(near(result.share[b], wanted.ratio, 1e-3));
        assert_true(near(result.rms_w[b], wanted.rms, 1e-3));
    }
}

static void steps_without_a_value_hold_the_one_before(void **state)
{
    (void)state;
    struct swing_work work;
    struct swing_result result;
    struct swing *swing = hear(constant, 30, SWING_STEP_NS);

    assert_int_equal(swing_work_open(&work), 0);
    assert_false(swing_take(swing, &work, &result));
    assert_true(result.seconds > 29.9 && result.seconds <= 30);
    for (int64_t t_ns = 36 * NS_PER_S; t_ns < 80 * NS_PER_S; t_ns += SWING_STEP_NS)
        swing_add(swing, START_NS + t_ns, 5e6);
    assert_true(swing_take(swing, &work, &result));
    assert_true(near(result.held, 0.1, 0.01));
    assert_true(result.rms_w[SWING_ALL] < 1);
    for (int64_t t_ns = 80 * NS_PER_S; t_ns < 120 * NS_PER_S; t_ns += SWING_STEP_NS)
        swing_add(swing, START_NS + t_ns, 5e6);
    assert_true(swing_take(swing, &work, &result) && result.held < 0.001);
    swing_add(swing, START_NS + 118 * NS_PER_S, 5e6);           /* back */
    assert_false(swing_take(swing, &work, &result));
    swing_add(swing, START_NS + 119 * NS_PER_S, NAN);
    swing_add(swing, START_NS + 119 * NS_PER_S, INFINITY);
    swing_add(swing, -1, 5e6);
    assert_true(swing->came == 1 && swing->steps == 0);
    swing_add(swing, START_NS + 200 * NS_PER_S, 5e6);           /* a minute without anything */
    assert_true(swing->came == 1 && swing->steps == 0);
    swing_work_close(&work);
    free(swing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_are_the_printed_ones),
        cmocka_unit_test(swings_are_found_with_what_they_weigh),
        cmocka_unit_test(where_nothing_swings_nothing_is_found),
        cmocka_unit_test(ramps_are_those_between_seconds),
        cmocka_unit_test(bands_are_those_by_correlation),
        cmocka_unit_test(steps_without_a_value_hold_the_one_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
