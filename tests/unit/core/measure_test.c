/* SPDX-License-Identifier: Apache-2.0 */
/* From a decoded measurement to integers: what makes no sense is refused whole, the rest is rounded to
 * thousandths. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/measure.h"
#include "msg/frame.h"

static struct upmu good(void)
{
    struct upmu upmu = {.timestamp_ns = 1751538645123456789,
                        .phase_count = 3,
                        .frequency_hz = 59.9876,
                        .dp_dt_mw_per_s = -12.5,
                        .peak_factor = 1.5};
    for (uint32_t p = 0; p < 3; p++)
        upmu.phase[p] = (struct upmu_phase){.voltage_rms_v = 277.1254 + p,
                                            .current_rms_a = 600.5006 + p,
                                            .power_active_w = 160400.25 + p,
                                            .power_factor = 0.9638};
    return upmu;
}

static struct model_node node_of(uint8_t phases)
{
    return (struct model_node){.phases = phases};
}

static int measured(const struct upmu *upmu, uint8_t phases, struct reading *reading)
{
    struct model_node node = node_of(phases);
    memset(reading, 0xEE, sizeof *reading);
    return measure_reading(upmu, &node, reading);
}

static void a_good_measurement_becomes_thousandths(void **state)
{
    (void)state;
    struct reading reading;
    struct upmu upmu = good();
    assert_int_equal(measured(&upmu, 3, &reading), ACCEPTED);
    for (int p = 0; p < 3; p++) {
        assert_int_equal(reading.voltage_mv[p], 277125 + 1000 * p);
        assert_int_equal(reading.current_ma[p], 600501 + 1000 * p);
        assert_int_equal(reading.power_mw[p], 160400250 + 1000 * p);
    }
    assert_int_equal(reading.t_meter_ns, 1751538645123456789);
    assert_int_equal(reading.dp_dt_w_per_s, -12500000);
    assert_int_equal(reading.crest_milli, 1500);
    assert_int_equal(reading.frequency_mhz, 59988);
    assert_int_equal(reading.flags, 0);
}

static void sag_and_swell_are_carried_over(void **state)
{
    (void)state;
    struct reading reading;
    struct upmu upmu = good();
    upmu.sag_detected = 1;
    assert_int_equal(measured(&upmu, 3, &reading), ACCEPTED);
    assert_int_equal(reading.flags, READING_SAG);
    upmu.sag_detected = 0;
    upmu.swell_detected = 1;
    assert_int_equal(measured(&upmu, 3, &reading), ACCEPTED);
    assert_int_equal(reading.flags, READING_SWELL);
}

/* Every number that a decision uses, one after the other, with every value that is none. */
static void a_value_that_is_no_number_refuses_the_whole_reading(void **state)
{
    (void)state;
    static const size_t fields[] = {
        offsetof(struct upmu, phase[0].voltage_rms_v),
        offsetof(struct upmu, phase[1].current_rms_a),
        offsetof(struct upmu, phase[2].power_active_w),
        offsetof(struct upmu, dp_dt_mw_per_s),
        offsetof(struct upmu, peak_factor),
        offsetof(struct upmu, frequency_hz),
    };
    const double values[] = {(double)NAN, (double)INFINITY, -(double)INFINITY, 1e300, -1e300};
    for (size_t f = 0; f < sizeof fields / sizeof fields[0]; f++)
        for (size_t v = 0; v < sizeof values / sizeof values[0]; v++) {
            struct reading reading;
            struct upmu upmu = good();
            memcpy((char *)&upmu + fields[f], &values[v], sizeof values[v]);
            assert_int_equal(measured(&upmu, 3, &reading), REFUSED_MALFORMED);
        }
}

static void rms_values_cannot_be_negative_but_power_can(void **state)
{
    (void)state;
    struct reading reading;
    struct upmu upmu = good();
    upmu.phase[1].voltage_rms_v = -0.001;
    assert_int_equal(measured(&upmu, 3, &reading), REFUSED_MALFORMED);
    upmu = good();
    upmu.phase[1].current_rms_a = -0.001;
    assert_int_equal(measured(&upmu, 3, &reading), REFUSED_MALFORMED);
    upmu = good();
    upmu.frequency_hz = -50;
    assert_int_equal(measured(&upmu, 3, &reading), REFUSED_MALFORMED);
    upmu = good();
    upmu.peak_factor = -1.5;
    assert_int_equal(measured(&upmu, 3, &reading), REFUSED_MALFORMED);
    upmu = good();
    upmu.phase[1].power_active_w = -1234.5678;
    assert_int_equal(measured(&upmu, 3, &reading), ACCEPTED);
    assert_int_equal(reading.power_mw[1], -1234568);
}

static void the_bounds_are_a_megavolt_a_megaampere_and_a_gigawatt(void **state)
{
    (void)state;
    struct reading reading;
    struct upmu upmu = good();
    upmu.phase[0].voltage_rms_v = 1e6;
    upmu.phase[0].current_rms_a = 1e6;
    upmu.phase[0].power_active_w = 1e9;
    assert_int_equal(measured(&upmu, 3, &reading), ACCEPTED);
    assert_int_equal(reading.voltage_mv[0], 1000000000);
    assert_int_equal(reading.power_mw[0], INT64_C(1000000000000));
    upmu.phase[0].voltage_rms_v = 1000001;
    assert_int_equal(measured(&upmu, 3, &reading), REFUSED_MALFORMED);
    upmu = good();
    upmu.phase[0].current_rms_a = 1000001;
    assert_int_equal(measured(&upmu, 3, &reading), REFUSED_MALFORMED);
    upmu = good();
    upmu.phase[0].power_active_w = 1000000001;
    assert_int_equal(measured(&upmu, 3, &reading), REFUSED_MALFORMED);
}

static void phases_that_the_node_has_may_not_be_missing(void **state)
{
    (void)state;
    struct reading reading;
    struct upmu upmu = good();
    for (uint32_t count = 0; count < 3; count++) {
        upmu.phase_count = count;
        assert_int_equal(measured(&upmu, 3, &reading), REFUSED_MALFORMED);
    }
    upmu.phase_count = 0;
    assert_int_equal(measured(&upmu, 1, &reading), REFUSED_MALFORMED);
}

static void phases_that_the_node_has_not_count_for_nothing(void **state)
{
    (void)state;
    struct reading reading;
    struct upmu upmu = good();
    upmu.phase_count = 1;
    upmu.phase[1].voltage_rms_v = (double)NAN;
    assert_int_equal(measured(&upmu, 1, &reading), ACCEPTED);
    assert_int_equal(reading.current_ma[0], 600501);
    for (int p = 1; p < 3; p++) {
        assert_int_equal(reading.current_ma[p], 0);
        assert_int_equal(reading.power_mw[p], 0);
        assert_int_equal(reading.voltage_mv[p], 0);
    }
}

static void zero_is_a_value(void **state)
{
    (void)state;
    struct reading reading;
    struct upmu upmu = good();
    memset(upmu.phase, 0, sizeof upmu.phase);
    upmu.dp_dt_mw_per_s = upmu.peak_factor = upmu.frequency_hz = 0;
    assert_int_equal(measured(&upmu, 3, &reading), ACCEPTED);
    assert_int_equal(reading.current_ma[2], 0);
    assert_int_equal(reading.crest_milli, 0);
}

static void less_than_a_unit_is_rounded_like_anything_else(void **state)
{
    (void)state;
    struct reading reading;
    struct upmu upmu = good();
    upmu.phase[0].voltage_rms_v = 0.0006;
    upmu.phase[0].current_rms_a = 0.0004;
    upmu.phase[0].power_active_w = -0.0006;
    assert_int_equal(measured(&upmu, 3, &reading), ACCEPTED);
    assert_int_equal(reading.voltage_mv[0], 1);
    assert_int_equal(reading.current_ma[0], 0);
    assert_int_equal(reading.power_mw[0], -1);
}

static void peak_factor_and_frequency_end_at_a_thousand(void **state)
{
    (void)state;
    struct reading reading;
    struct upmu upmu = good();
    upmu.peak_factor = upmu.frequency_hz = 1000;
    assert_int_equal(measured(&upmu, 3, &reading), ACCEPTED);
    upmu.peak_factor = 1000.5;
    assert_int_equal(measured(&upmu, 3, &reading), REFUSED_MALFORMED);
    upmu.peak_factor = 1000;
    upmu.frequency_hz = 1000.5;
    assert_int_equal(measured(&upmu, 3, &reading), REFUSED_MALFORMED);
}

static void a_reading_without_a_stamp_is_refused(void **state)
{
    (void)state;
    struct reading reading;
    struct upmu upmu = good();
    upmu.timestamp_ns = 0;
    assert_int_equal(measured(&upmu, 3, &reading), REFUSED_MALFORMED);
    upmu.timestamp_ns = 1;
    assert_int_equal(measured(&upmu, 3, &reading), ACCEPTED);
}

/* Of a node of two phases less, the third phase's share is not its load. */
static void what_alerts_alone_are_made_of_is_taken_where_it_makes_sense(void **state)
{
    (void)state;
    struct reading reading;
    struct upmu upmu = good();
    upmu.phase[0].power_reactive_var = -1000.5;
    upmu.phase[1].power_reactive_var = 3000;
    upmu.phase[2].power_reactive_var = 0.0004;
    upmu.thd_voltage_pct = 1.25;
    upmu.thd_current_pct = 1000;
    upmu.load_factor = 0.875;
    upmu.power_trend = -0.0125;
    upmu.harmonic_count = 5;
    for (uint32_t i = 0; i < 5; i++)
        upmu.harmonic_pct[i] = i ? 10.004 * i : 100;
    assert_int_equal(measured(&upmu, 3, &reading), ACCEPTED);
    assert_int_equal(reading.known,
                     READING_REACTIVE | READING_THD_VOLTAGE | READING_THD_CURRENT | READING_FEATURES);
    assert_int_equal(reading.reactive_mvar, 1999500);
    assert_int_equal(reading.thd_voltage_ppm, 12500);
    assert_int_equal(reading.thd_current_ppm, 10000000);
    assert_int_equal(reading.load_factor_ppm, 875000);
    assert_int_equal(reading.trend_w_per_s, -12500);
    /* orders 2, 3 and 5; there is no 7th */
    static const uint16_t harmonics[READING_HARMONIC_COUNT] = {1000, 2001, 4002};
    assert_memory_equal(reading.harmonic_pct100, harmonics, sizeof harmonics);
    assert_int_equal(measured(&upmu, 1, &reading), ACCEPTED);
    assert_int_equal(reading.reactive_mvar, -1000500);
}

static void what_makes_no_sense_of_it_is_not_given_and_the_reading_stands(void **state)
{
    (void)state;
    static const double senseless[] = {-1, 1e12, 0, INFINITY, NAN};
    struct reading reading;
    for (size_t i = 0; i < sizeof senseless / sizeof senseless[0]; i++) {
        struct upmu upmu = good();
        upmu.phase[1].power_reactive_var = senseless[i] < 0 ? -1e12 : senseless[i];
        upmu.thd_voltage_pct = upmu.thd_current_pct = upmu.load_factor = senseless[i];
        upmu.power_trend = 1;
        upmu.harmonic_count = 2;
        upmu.harmonic_pct[1] = senseless[i];
        assert_int_equal(measured(&upmu, 3, &reading), ACCEPTED);
        assert_int_equal(reading.known, 0);
        assert_int_equal(reading.reactive_mvar, 0);
        assert_int_equal(reading.thd_voltage_ppm + reading.thd_current_ppm + reading.load_factor_ppm, 0);
        assert_int_equal(reading.trend_w_per_s, 0);
        for (uint32_t h = 0; h < READING_HARMONIC_COUNT; h++)
            assert_int_equal(reading.harmonic_pct100[h], 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_measurement_becomes_thousandths),
        cmocka_unit_test(sag_and_swell_are_carried_over),
        cmocka_unit_test(a_value_that_is_no_number_refuses_the_whole_reading),
        cmocka_unit_test(rms_values_cannot_be_negative_but_power_can),
        cmocka_unit_test(the_bounds_are_a_megavolt_a_megaampere_and_a_gigawatt),
        cmocka_unit_test(phases_that_the_node_has_may_not_be_missing),
        cmocka_unit_test(phases_that_the_node_has_not_count_for_nothing),
        cmocka_unit_test(zero_is_a_value),
        cmocka_unit_test(less_than_a_unit_is_rounded_like_anything_else),
        cmocka_unit_test(peak_factor_and_frequency_end_at_a_thousand),
        cmocka_unit_test(a_reading_without_a_stamp_is_refused),
        cmocka_unit_test(what_alerts_alone_are_made_of_is_taken_where_it_makes_sense),
        cmocka_unit_test(what_makes_no_sense_of_it_is_not_given_and_the_reading_stands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
