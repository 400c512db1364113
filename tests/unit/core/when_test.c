/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions of alerts, step by step, against what was worked out by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "core/when.h"

#define MS NS_PER_MS

static const struct model_node three = {.phases = 3, .volts_ln_mv = 277000, .steady_ma = 800000};
static const struct model_node one = {.phases = 1, .volts_ln_mv = 230000};

/* 3 x 277 V at 400, 500 and 600 A. */
static struct reading ordinary(void)
{
    return (struct reading){.power_mw = {100000000, 120000000, 140000000},
                            .voltage_mv = {277000, 276000, 275000},
                            .current_ma = {400000, 500000, 600000},
                            .dp_dt_w_per_s = 5000,
                            .crest_milli = 1500,
                            .frequency_mhz = 60010,
                            .known = READING_REACTIVE | READING_THD_CURRENT | READING_FEATURES,
                            .thd_current_ppm = 80001,
                            .load_factor_ppm = 900000,
                            .reactive_mvar = -3000,
                            .trend_w_per_s = -70,
                            .harmonic_pct100 = {[2] = 625}};
}

static int64_t seen_at(const struct when_seen *seen, enum when_quantity quantity)
{
    int64_t value = INT64_MIN;

    return when_value(seen, quantity, &value) ? value : INT64_MIN;
}

static int64_t value_at(const struct model_node *node, enum when_quantity quantity)
{
    struct reading reading = ordinary();

    return seen_at(&(struct when_seen){.reading = &reading, .node = node}, quantity);
}

static void every_quantity_is_what_it_is_called(void **state)
{
    static const struct {
        enum when_quantity quantity;
        int64_t value;
    } known[] = {
        {WHEN_POWER, 360000000}, {WHEN_POWER_A, 100000000}, {WHEN_POWER_B, 120000000},
        {WHEN_POWER_C, 140000000},
        /* 277 x 400 + 276 x 500 + 275 x 600 = 413,800 VA */
        {WHEN_APPARENT, 413800000}, {WHEN_APPARENT_A, 110800000}, {WHEN_APPARENT_B, 138000000},
        {WHEN_APPARENT_C, 165000000}, {WHEN_APPARENT_EFFECTIVE, INT64_MIN}, {WHEN_REACTIVE, -3000},
        {WHEN_REACTIVE_A, INT64_MIN}, {WHEN_REACTIVE_B, INT64_MIN}, {WHEN_REACTIVE_C, INT64_MIN},
        {WHEN_POWER_FACTOR, 869985}, {WHEN_POWER_FACTOR_A, 902527}, {WHEN_POWER_FACTOR_B, 869565},
        {WHEN_POWER_FACTOR_C, 848484}, {WHEN_DISPLACEMENT, INT64_MIN}, {WHEN_DISPLACEMENT_A, INT64_MIN},
        {WHEN_DISPLACEMENT_B, INT64_MIN}, {WHEN_DISPLACEMENT_C, INT64_MIN}, {WHEN_LOAD, 750000},
        {WHEN_CURRENT_MAX, 600000}, {WHEN_CURRENT_MIN, 400000}, {WHEN_CURRENT_A, 400000},
        {WHEN_CURRENT_B, 500000}, {WHEN_CURRENT_C, 600000}, {WHEN_CURRENT_PEAK, 900000},
        {WHEN_CURRENT_NEUTRAL, INT64_MIN}, {WHEN_CURRENT_UNBALANCE, 200000},
        {WHEN_CURRENT_NEGATIVE, INT64_MIN}, {WHEN_VOLTAGE_MAX, 277000}, {WHEN_VOLTAGE_MIN, 275000},
        {WHEN_VOLTAGE_A, 277000}, {WHEN_VOLTAGE_B, 276000}, {WHEN_VOLTAGE_C, 275000},
        {WHEN_VOLTAGE_MAX_SHARE, 1000000}, {WHEN_VOLTAGE_MIN_SHARE, 992779}, {WHEN_VOLTAGE_UNBALANCE, 3623},
        {WHEN_VOLTAGE_NEGATIVE, INT64_MIN}, {WHEN_VOLTAGE_ZERO, INT64_MIN},
        {WHEN_FREQUENCY, 60010}, {WHEN_DP_DT, 5000}, {WHEN_POWER_TREND, -70}, {WHEN_LOAD_FACTOR, 900000},
        {WHEN_PEAK_FACTOR, 1500000}, {WHEN_THD_VOLTAGE, INT64_MIN}, {WHEN_THD_CURRENT, 80001},
        {WHEN_TDD, INT64_MIN}, {WHEN_K_FACTOR, INT64_MIN},
        {WHEN_HARMONIC_2, INT64_MIN}, {WHEN_HARMONIC_3, INT64_MIN}, {WHEN_HARMONIC_5, 62500},
        {WHEN_HARMONIC_7, INT64_MIN}, {WHEN_HARMONIC_9, INT64_MIN}, {WHEN_HARMONIC_11, INT64_MIN},
        {WHEN_HARMONIC_13, INT64_MIN}, {WHEN_HARMONIC_15, INT64_MIN}, {WHEN_SWING, INT64_MIN},
        {WHEN_SWING_POWER, INT64_MIN}, {WHEN_SWING_SHARE, INT64_MIN}, {WHEN_SITE_SWING, INT64_MIN},
        {WHEN_SITE_SWING_POWER, INT64_MIN}, {WHEN_SITE_SWING_SHARE, INT64_MIN}, {WHEN_SAG, 0},
        {WHEN_SWELL, 0}, {WHEN_INTERRUPTION, 0}, {WHEN_AGE, INT64_MIN},
    };

    (void)state;
    assert_int_equal(sizeof known / sizeof known[0], WHEN_QUANTITY_COUNT);
    for (uint32_t i = 0; i < WHEN_QUANTITY_COUNT; i++) {
        assert_int_equal(known[i].quantity, i);
        assert_int_equal(value_at(&three, i), known[i].value);
    }
}

static const struct quality cycles = {
    .phases = 3, .reactive_mvar = {10, 20, 40}, .apparent_mva = {1, 2, 3}, .effective_mva = 99,
    .neutral_ma = 55, .displacement_ppm = {970000, 980000, -990000}, .displacement_all_ppm = 960000,
    .unbalance_v_ppm = 5266, .unbalance_zero_v_ppm = 16512, .unbalance_a_ppm = 7000};
static const struct spectrum distorted = {
    .phases = 3, .flags = SPECTRUM_WINDOW | SPECTRUM_DEMAND, .thd_v_ppm = {1, 30000, 2},
    .thd_a_ppm = {4, 5, 120000}, .k_milli = {1000, 9138, 2000}, .tdd_ppm = {50000, 70000, 60000},
    .harmonic_pct100 = {1, 2, 3, 4, 5, 6, 7, 8}};
static const struct spectrum_swing swung = {.mean_mw = -2000000, .rms_mw = {100000}, .share_ppm = {800000}};
static const struct spectrum_swing site_swung = {.mean_mw = 8000000, .rms_mw = {200000},
                                                 .share_ppm = {500000}};

/* Of a meter whose samples are measured here: what its readings do not tell, its cycles and spectra do. */
static void what_is_measured_beside_readings_is_known(void **state)
{
    static const struct {
        enum when_quantity quantity;
        int64_t value;
    } known[] = {
        {WHEN_APPARENT_EFFECTIVE, 99}, {WHEN_REACTIVE, 70}, {WHEN_REACTIVE_A, 10}, {WHEN_REACTIVE_B, 20},
        {WHEN_REACTIVE_C, 40}, {WHEN_DISPLACEMENT, 960000}, {WHEN_DISPLACEMENT_A, 970000},
        {WHEN_DISPLACEMENT_B, 980000}, {WHEN_DISPLACEMENT_C, -990000}, {WHEN_CURRENT_NEUTRAL, 55},
        {WHEN_CURRENT_NEGATIVE, 7000}, {WHEN_VOLTAGE_NEGATIVE, 5266}, {WHEN_VOLTAGE_ZERO, 16512},
        {WHEN_THD_VOLTAGE, 30000}, {WHEN_THD_CURRENT, 120000}, {WHEN_TDD, 70000}, {WHEN_K_FACTOR, 9138000},
        {WHEN_HARMONIC_2, 100}, {WHEN_HARMONIC_3, 200}, {WHEN_HARMONIC_5, 300}, {WHEN_HARMONIC_7, 400},
        {WHEN_HARMONIC_9, 500}, {WHEN_HARMONIC_11, 600}, {WHEN_HARMONIC_13, 700}, {WHEN_HARMONIC_15, 800},
        {WHEN_SWING, 50000}, {WHEN_SWING_POWER, 100000}, {WHEN_SWING_SHARE, 800000},
        {WHEN_SITE_SWING, 25000}, {WHEN_SITE_SWING_POWER, 200000}, {WHEN_SITE_SWING_SHARE, 500000},
    };
    struct reading reading = ordinary();

    (void)state;
    reading.known = 0;
    memset(reading.harmonic_pct100, 0, sizeof reading.harmonic_pct100);
    struct when_seen seen = {&reading, &three, &cycles, &distorted, &swung, &site_swung, NULL};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        assert_int_equal(seen_at(&seen, known[i].quantity), known[i].value);
    reading = ordinary();       /* what a meter says itself goes before it */
    assert_int_equal(seen_at(&seen, WHEN_REACTIVE), -3000);
    assert_int_equal(seen_at(&seen, WHEN_THD_CURRENT), 80001);
    assert_int_equal(seen_at(&seen, WHEN_HARMONIC_5), 62500);
}

static void what_those_do_not_tell_is_unknown(void **state)
{
    struct reading reading = ordinary();
    struct quality quality = cycles;
    struct spectrum spectrum = distorted;
    struct spectrum_swing swing = swung;

    (void)state;
    reading.harmonic_pct100[2] = 0;
    quality.flags = QUALITY_NO_NEUTRAL;
    quality.phases = 1;
    quality.apparent_mva[0] = quality.apparent_mva[1] = quality.apparent_mva[2] = 0;
    spectrum.flags = 0;
    swing.mean_mw = 0;
    struct when_seen seen = {&reading, &three, &quality, &spectrum, &swing, &swing, NULL};
    static const enum when_quantity unknown[] = {
        WHEN_APPARENT_EFFECTIVE, WHEN_CURRENT_NEUTRAL, WHEN_REACTIVE_B, WHEN_REACTIVE_C, WHEN_DISPLACEMENT,
        WHEN_DISPLACEMENT_A, WHEN_CURRENT_NEGATIVE, WHEN_VOLTAGE_NEGATIVE, WHEN_VOLTAGE_ZERO, WHEN_TDD,
        WHEN_K_FACTOR, WHEN_HARMONIC_5, WHEN_SWING, WHEN_SITE_SWING};
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++)
        assert_int_equal(seen_at(&seen, unknown[i]), INT64_MIN);
    assert_int_equal(seen_at(&seen, WHEN_REACTIVE_A), 10);
    assert_int_equal(seen_at(&seen, WHEN_SWING_POWER), 100000);
}

/* Whatever a record says of it: beyond T_fresh nothing is refused by more. */
static void the_age_is_that_of_its_meter(void **state)
{
    static const struct model_meter meter = {.fresh_ns = 200 * MS};
    static const struct {
        int64_t age_ns, ppm;
    } known[] = {{0, 0}, {1, 0}, {50 * MS, 250000}, {160 * MS, 800000}, {160 * MS + 200, 800001},
                 {200 * MS, PPM}, {201 * MS, PPM}, {INT64_MAX, PPM}};
    struct reading reading = ordinary();
    struct when_seen seen = {.reading = &reading, .node = &three, .meter = &meter};

    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        reading.age_ns = known[i].age_ns;
        assert_int_equal(seen_at(&seen, WHEN_AGE), known[i].ppm);
    }
    reading.age_ns = -1;
    assert_int_equal(seen_at(&seen, WHEN_AGE), INT64_MIN);
    reading.age_ns = 1;
    seen.meter = NULL;
    assert_int_equal(seen_at(&seen, WHEN_AGE), INT64_MIN);
}

static void one_phase_has_no_others(void **state)
{
    static const enum when_quantity others[] = {
        WHEN_POWER_B, WHEN_POWER_C, WHEN_APPARENT_B, WHEN_APPARENT_C, WHEN_POWER_FACTOR_B,
        WHEN_POWER_FACTOR_C, WHEN_CURRENT_B, WHEN_CURRENT_C, WHEN_VOLTAGE_B, WHEN_VOLTAGE_C,
        WHEN_CURRENT_UNBALANCE, WHEN_VOLTAGE_UNBALANCE, WHEN_LOAD};

    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_int_equal(value_at(&one, others[i]), INT64_MIN);
    assert_int_equal(value_at(&one, WHEN_CURRENT_MAX), 400000);
    assert_int_equal(value_at(&one, WHEN_VOLTAGE_MIN), 277000);
}

static void flags_and_dead_phases_are_told(void **state)
{
    struct reading reading = ordinary();
    struct when_seen seen = {.reading = &reading, .node = &three};

    (void)state;
    reading.flags = READING_SAG;
    assert_int_equal(seen_at(&seen, WHEN_SAG), 1);
    assert_int_equal(seen_at(&seen, WHEN_SWELL), 0);
    for (uint32_t i = 0; i < PHASES; i++)
        reading.voltage_mv[i] = 27699;
    assert_int_equal(seen_at(&seen, WHEN_INTERRUPTION), 1);
    reading.voltage_mv[2] = 27700;
    assert_int_equal(seen_at(&seen, WHEN_INTERRUPTION), 0);
    for (uint32_t i = 0; i < PHASES; i++)
        reading.current_ma[i] = 0;
    assert_int_equal(seen_at(&seen, WHEN_POWER_FACTOR), INT64_MIN);
    assert_int_equal(seen_at(&seen, WHEN_CURRENT_UNBALANCE), INT64_MIN);
}

/* ---- steps ---- */

struct bench {
    struct when_program program;
    struct when_state state;
    struct reading reading;
    int64_t t_ns;
};

static void add(struct bench *bench, struct when_step step)
{
    bench->program.step[bench->program.count++] = step;
}

static enum when_truth at_power(struct bench *bench, int64_t t_ms, int64_t power_mw)
{
    bench->reading.power_mw[0] = power_mw;
    return when_reading(&bench->program, &bench->state,
                        &(struct when_seen){.reading = &bench->reading, .node = &three}, t_ms * MS, false);
}

static void a_comparison_is_left_where_it_clears(void **state)
{
    static const struct {
        enum when_op op;
        int64_t bound, clear, power_mw[6];
        enum when_truth holds[6];
    } rows[] = {
        {WHEN_ABOVE, 100, 90, {100, 101, 100, 91, 90, 100}, {0, 1, 1, 1, 0, 0}},
        {WHEN_AT_LEAST, 100, 90, {99, 100, 90, 89, 99, 100}, {0, 1, 1, 0, 0, 1}},
        {WHEN_BELOW, 100, 110, {100, 99, 100, 109, 110, 100}, {0, 1, 1, 1, 0, 0}},
        {WHEN_AT_MOST, 100, 110, {101, 100, 110, 111, 101, 100}, {0, 1, 1, 0, 0, 1}},
        {WHEN_ABOVE, 100, 100, {100, 101, 100, 101, 100, 99}, {0, 1, 0, 1, 0, 0}},
        {WHEN_ABOVE, -100, -110, {-100, -99, -109, -110, -100, -99}, {0, 1, 1, 0, 0, 1}},
    };

    (void)state;
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        struct bench bench = {0};

        add(&bench, (struct when_step){.op = (uint8_t)rows[r].op, .quantity = WHEN_POWER, .place = 23,
                                       .bound = rows[r].bound, .clear = rows[r].clear});
        for (uint32_t i = 0; i < 6; i++)
            assert_int_equal(at_power(&bench, i, rows[r].power_mw[i]), rows[r].holds[i]);
    }
}

static void a_time_runs_from_the_first_reading_of_a_run(void **state)
{
    struct bench bench = {0};

    (void)state;
    add(&bench, (struct when_step){.op = WHEN_ABOVE, .quantity = WHEN_POWER, .bound = 100, .clear = 100});
    add(&bench, (struct when_step){.op = WHEN_FOR, .place = 7, .bound = 200 * MS});
    assert_int_equal(at_power(&bench, 0, 200), WHEN_FALSE);
    assert_int_equal(at_power(&bench, 199, 200), WHEN_FALSE);
    assert_int_equal(at_power(&bench, 200, 200), WHEN_TRUE);
    assert_int_equal(at_power(&bench, 900, 200), WHEN_TRUE);
    assert_int_equal(at_power(&bench, 901, 100), WHEN_FALSE);
    assert_int_equal(at_power(&bench, 902, 200), WHEN_FALSE);
    assert_int_equal(at_power(&bench, 1101, 200), WHEN_FALSE);
    assert_int_equal(at_power(&bench, 1102, 200), WHEN_TRUE);
    /* missing readings may have said otherwise */
    struct when_seen seen = {.reading = &bench.reading, .node = &three};

    assert_int_equal(when_reading(&bench.program, &bench.state, &seen, 1300 * MS, true), WHEN_FALSE);
    assert_int_equal(at_power(&bench, 1499, 200), WHEN_FALSE);
    assert_int_equal(at_power(&bench, 1500, 200), WHEN_TRUE);
}

/* The two operands: power above 0 or not, or thd_voltage, which is not known. */
static struct when_step operand(enum when_truth truth, uint8_t place)
{
    return (struct when_step){.op = WHEN_ABOVE,
                              .quantity = truth == WHEN_UNKNOWN ? WHEN_THD_VOLTAGE : WHEN_POWER,
                              .place = place,
                              .bound = truth == WHEN_TRUE ? 0 : INT64_MAX,
                              .clear = truth == WHEN_TRUE ? 0 : INT64_MAX};
}

static enum when_truth joined(enum when_truth a, enum when_truth b, enum when_op op)
{
    struct bench bench = {0};

    add(&bench, operand(a, 0));
    if (op != WHEN_NOT)
        add(&bench, operand(b, 1));
    add(&bench, (struct when_step){.op = (uint8_t)op});
    return at_power(&bench, 0, 1);
}

static void what_is_unknown_counts_only_where_it_matters(void **state)
{
    static const enum when_truth conjunction[3][3] = {{0, 0, 0}, {0, 1, 2}, {0, 2, 2}};
    static const enum when_truth disjunction[3][3] = {{0, 1, 2}, {1, 1, 1}, {2, 1, 2}};
    static const enum when_truth negation[3] = {1, 0, 2};

    (void)state;
    for (uint32_t a = 0; a < 3; a++) {
        assert_int_equal(joined(a, 0, WHEN_NOT), negation[a]);
        for (uint32_t b = 0; b < 3; b++) {
            assert_int_equal(joined(a, b, WHEN_AND), conjunction[a][b]);
            assert_int_equal(joined(a, b, WHEN_OR), disjunction[a][b]);
        }
    }
}

static void what_was_unknown_begins_anew(void **state)
{
    struct bench bench = {0};

    (void)state;
    add(&bench, (struct when_step){.op = WHEN_ABOVE, .quantity = WHEN_FREQUENCY, .bound = 100, .clear = 90});
    add(&bench, (struct when_step){.op = WHEN_FOR, .bound = 10 * MS});
    bench.reading.frequency_mhz = 101;
    assert_int_equal(at_power(&bench, 0, 0), WHEN_FALSE);
    assert_int_equal(at_power(&bench, 10, 0), WHEN_TRUE);
    bench.reading.frequency_mhz = 0;
    assert_int_equal(at_power(&bench, 20, 0), WHEN_UNKNOWN);
    bench.reading.frequency_mhz = 95;   /* above clear, and yet below the bound */
    assert_int_equal(at_power(&bench, 30, 0), WHEN_FALSE);
    bench.reading.frequency_mhz = 101;
    assert_int_equal(at_power(&bench, 40, 0), WHEN_FALSE);
    assert_int_equal(at_power(&bench, 50, 0), WHEN_TRUE);
}

static void the_longest_program_leaves_one_result(void **state)
{
    struct bench bench = {0};

    (void)state;
    for (uint32_t i = 0; i < WHEN_COMPARISONS_MAX; i++)
        add(&bench, operand(WHEN_TRUE, (uint8_t)i));
    for (uint32_t i = 1; i < WHEN_COMPARISONS_MAX; i++)
        add(&bench, (struct when_step){.op = WHEN_AND});
    add(&bench, (struct when_step){.op = WHEN_NOT});
    assert_int_equal(bench.program.count, WHEN_STEPS_MAX);
    assert_int_equal(at_power(&bench, 0, 1), WHEN_FALSE);
    assert_int_equal(bench.state.held, 0xFFFFFF);
    assert_int_equal(at_power(&bench, 0, 0), WHEN_TRUE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_quantity_is_what_it_is_called),
        cmocka_unit_test(what_is_measured_beside_readings_is_known),
        cmocka_unit_test(what_those_do_not_tell_is_unknown),
        cmocka_unit_test(the_age_is_that_of_its_meter),
        cmocka_unit_test(one_phase_has_no_others),
        cmocka_unit_test(flags_and_dead_phases_are_told),
        cmocka_unit_test(a_comparison_is_left_where_it_clears),
        cmocka_unit_test(a_time_runs_from_the_first_reading_of_a_run),
        cmocka_unit_test(what_is_unknown_counts_only_where_it_matters),
        cmocka_unit_test(what_was_unknown_begins_anew),
        cmocka_unit_test(the_longest_program_leaves_one_result),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
