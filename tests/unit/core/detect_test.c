/* SPDX-License-Identifier: Apache-2.0 */
/* Programmable thresholds: each raises its alarm once, stands inside its hysteresis, and clears beyond it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/detect.h"

/* A three-phase node of 100 A at 100 V: 30 kW is all of it. */
struct bench {
    struct model model;
    struct model_node node;
    struct model_meter meter;
    struct detect detect;
    struct reading reading;
};

static void start(struct bench *bench)
{
    memset(bench, 0, sizeof *bench);
    bench->node = (struct model_node){.phases = 3, .limited = 1, .volts_ln_mv = 100000, .volts_low_mv = 95000,
                                      .steady_ma = 100000};
    bench->meter = (struct model_meter){.node = 0, .error_ppm = 10000};
    bench->model = (struct model){.node_count = 1, .meter_count = 1, .contingency_count = 1,
                                  .node = &bench->node, .meter = &bench->meter};
    bench->model.policy.power_pct = (struct model_threshold){980000, 900000};
    bench->model.policy.current_pct = (struct model_threshold){980000, 900000};
    bench->model.policy.sag_pct = (struct model_threshold){900000, 920000};
    bench->model.policy.swell_pct = (struct model_threshold){1100000, 1080000};
    bench->model.policy.dp_dt_w_per_s = (struct model_threshold){50000, 40000};
    for (int p = 0; p < PHASES; p++) {
        bench->reading.voltage_mv[p] = 100000;
        bench->reading.current_ma[p] = 10000;
        bench->reading.power_mw[p] = 1000000;
    }
}

static uint32_t take(struct bench *bench)
{
    return detect_reading(&bench->detect, &bench->model, &bench->reading, 5);
}

static void a_quiet_reading_raises_nothing_and_is_remembered(void **state)
{
    (void)state;
    struct bench bench;
    start(&bench);
    assert_int_equal(take(&bench), 0);
    assert_int_equal(bench.detect.measured_mw, 3000000);
    assert_int_equal(bench.detect.reading_t_ns, 5);
}

static void current_alarms_by_its_worst_phase_with_hysteresis(void **state)
{
    (void)state;
    struct bench bench;
    start(&bench);
    bench.reading.current_ma[2] = 97900;
    assert_int_equal(take(&bench), 0);
    bench.reading.current_ma[2] = 98100;
    assert_int_equal(take(&bench), DETECT_CURRENT);
    assert_int_equal(take(&bench), 0);      /* raised once */
    bench.reading.current_ma[2] = 91000;
    assert_int_equal(take(&bench), 0);
    assert_int_equal(bench.detect.active, DETECT_CURRENT);
    bench.reading.current_ma[2] = 89900;
    assert_int_equal(take(&bench), 0);
    assert_int_equal(bench.detect.active, 0);
    bench.reading.current_ma[2] = 98100;
    assert_int_equal(take(&bench), DETECT_CURRENT);
}

static void power_alarms_by_the_sum_of_its_phases(void **state)
{
    (void)state;
    struct bench bench;
    start(&bench);
    for (int p = 0; p < PHASES; p++)
        bench.reading.power_mw[p] = 9790000;
    assert_int_equal(take(&bench), 0);
    bench.reading.power_mw[0] = 9890000;
    assert_int_equal(take(&bench), DETECT_POWER);
    for (int p = 0; p < PHASES; p++)
        bench.reading.power_mw[p] = 9000000 + 1000;
    take(&bench);
    assert_int_equal(bench.detect.active, DETECT_POWER);
    for (int p = 0; p < PHASES; p++)
        bench.reading.power_mw[p] = 8990000;
    take(&bench);
    assert_int_equal(bench.detect.active, 0);
}

static void a_sag_starts_below_90_and_ends_above_92_percent_of_its_lowest_phase(void **state)
{
    (void)state;
    struct bench bench;
    start(&bench);
    bench.reading.voltage_mv[1] = 90100;
    assert_int_equal(take(&bench), 0);
    bench.reading.voltage_mv[1] = 89900;
    assert_int_equal(take(&bench), DETECT_SAG);
    bench.reading.voltage_mv[1] = 91900;
    take(&bench);
    assert_int_equal(bench.detect.active, DETECT_SAG);
    bench.reading.voltage_mv[1] = 92100;
    take(&bench);
    assert_int_equal(bench.detect.active, 0);
}

static void a_swell_starts_above_110_and_ends_below_108_percent(void **state)
{
    (void)state;
    struct bench bench;
    start(&bench);
    bench.reading.voltage_mv[0] = 110100;
    assert_int_equal(take(&bench), DETECT_SWELL);
    bench.reading.voltage_mv[0] = 108100;
    take(&bench);
    assert_int_equal(bench.detect.active, DETECT_SWELL);
    bench.reading.voltage_mv[0] = 107900;
    take(&bench);
    assert_int_equal(bench.detect.active, 0);
}

static void a_steep_rise_of_power_alarms(void **state)
{
    (void)state;
    struct bench bench;
    start(&bench);
    bench.reading.dp_dt_w_per_s = 50001;
    assert_int_equal(take(&bench), DETECT_DP_DT);
    bench.reading.dp_dt_w_per_s = -50001;
    assert_int_equal(take(&bench), 0);
    assert_int_equal(bench.detect.active, 0);
}

static void what_is_not_watched_never_alarms(void **state)
{
    (void)state;
    struct bench bench;
    start(&bench);
    memset(&bench.model.policy, 0, sizeof bench.model.policy);
    for (int p = 0; p < PHASES; p++) {
        bench.reading.current_ma[p] = 500000;
        bench.reading.power_mw[p] = 90000000;
        bench.reading.voltage_mv[p] = 10;
    }
    bench.reading.dp_dt_w_per_s = 1000000000;
    assert_int_equal(take(&bench), 0);
}

/* The thresholds themselves belong to neither side: "raise above high, clear below low". */
struct edge {
    uint32_t alarm;
    int64_t quiet, at_high, beyond_high, at_low, beyond_low;
};

static void set_quantity(struct bench *bench, uint32_t alarm, int64_t value)
{
    switch (alarm) {
    case DETECT_POWER:
        bench->reading.power_mw[2] = value - 2000000;
        break;
    case DETECT_CURRENT:
        bench->reading.current_ma[0] = value;
        break;
    case DETECT_DP_DT:
        bench->reading.dp_dt_w_per_s = value;
        break;
    default:
        bench->reading.voltage_mv[2] = value;
    }
}

static const struct edge edges[] = {
    /* a ppm of 30 kW is 30 mW */
    {DETECT_POWER, 3000000, 29400000, 29400030, 27000000, 26999970},
    {DETECT_CURRENT, 10000, 98000, 98001, 90000, 89999},
    {DETECT_SAG, 100000, 90000, 89999, 92000, 92001},
    {DETECT_SWELL, 100000, 110000, 110001, 108000, 107999},
    {DETECT_DP_DT, 0, 50000, 50001, 40000, 39999},
};

static void every_alarm_starts_beyond_its_high_and_ends_beyond_its_low_threshold(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < sizeof edges / sizeof edges[0]; i++) {
        const struct edge *edge = &edges[i];
        struct bench bench;
        start(&bench);
        set_quantity(&bench, edge->alarm, edge->at_high);
        assert_int_equal(take(&bench), 0);
        assert_int_equal(bench.detect.active, 0);
        set_quantity(&bench, edge->alarm, edge->at_low);
        take(&bench);
        assert_int_equal(bench.detect.active, 0);
        set_quantity(&bench, edge->alarm, edge->beyond_high);
        assert_int_equal(take(&bench), edge->alarm);
        set_quantity(&bench, edge->alarm, edge->at_low);
        assert_int_equal(take(&bench), 0);
        assert_int_equal(bench.detect.active, edge->alarm);
        set_quantity(&bench, edge->alarm, edge->beyond_low);
        assert_int_equal(take(&bench), 0);
        assert_int_equal(bench.detect.active, 0);
    }
}

static void an_alarm_that_is_no_longer_watched_goes(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < sizeof edges / sizeof edges[0]; i++) {
        struct bench bench;
        start(&bench);
        set_quantity(&bench, edges[i].alarm, edges[i].beyond_high);
        take(&bench);
        assert_int_equal(bench.detect.active, edges[i].alarm);
        memset(&bench.model.policy, 0, sizeof bench.model.policy);
        take(&bench);
        assert_int_equal(bench.detect.active, 0);
    }
}

static void alarms_that_stand_are_not_raised_again_by_another(void **state)
{
    (void)state;
    struct bench bench;
    start(&bench);
    bench.reading.current_ma[1] = 99000;
    assert_int_equal(take(&bench), DETECT_CURRENT);
    bench.reading.dp_dt_w_per_s = 60000;
    bench.reading.voltage_mv[0] = 111000;
    assert_int_equal(take(&bench), DETECT_DP_DT | DETECT_SWELL);
    assert_int_equal(bench.detect.active, DETECT_CURRENT | DETECT_DP_DT | DETECT_SWELL);
}

/* On one phase 10 kW is all of it, and what stands in the others is no measurement. */
static void a_single_phase_node_is_judged_by_its_one_phase(void **state)
{
    (void)state;
    struct bench bench;
    start(&bench);
    bench.node.phases = 1;
    bench.reading.current_ma[1] = bench.reading.voltage_mv[1] = 0;
    bench.reading.current_ma[2] = bench.reading.voltage_mv[2] = 500000;
    bench.reading.power_mw[0] = 9800000;
    bench.reading.power_mw[1] = 7000000;
    assert_int_equal(take(&bench), 0);
    assert_int_equal(bench.detect.measured_mw, 9800000);
    bench.reading.power_mw[0] = 9800010;
    assert_int_equal(take(&bench), DETECT_POWER);
}

static void the_meter_names_the_node_whose_ratings_count(void **state)
{
    (void)state;
    struct bench bench;
    start(&bench);
    struct model_node node[2] = {bench.node, bench.node};
    struct model_meter meter[2] = {{.node = 0}, {.node = 1}};
    node[1].steady_ma = 10000;
    bench.model.node = node;
    bench.model.meter = meter;
    bench.reading.current_ma[0] = 10000;
    assert_int_equal(take(&bench), 0);
    bench.reading.meter = 1;
    assert_int_equal(take(&bench), DETECT_POWER | DETECT_CURRENT);
}

static void a_node_without_ratings_alarms_on_nothing_but_its_slope(void **state)
{
    (void)state;
    struct bench bench;
    start(&bench);
    bench.node.steady_ma = bench.node.volts_ln_mv = 0;
    bench.model.policy.sag_pct = (struct model_threshold){0, 0};
    bench.reading.current_ma[0] = 500000;
    bench.reading.dp_dt_w_per_s = 60000;
    assert_int_equal(take(&bench), DETECT_DP_DT);
}

static void the_smallest_ratings_and_thresholds_are_taken_as_they_are(void **state)
{
    (void)state;
    struct bench bench;
    start(&bench);
    bench.node.steady_ma = bench.node.volts_ln_mv = 1;
    bench.model.policy.swell_pct = (struct model_threshold){900000, 900000};
    memset(&bench.reading, 0, sizeof bench.reading);
    assert_int_equal(take(&bench), DETECT_SAG);
    bench.reading.current_ma[2] = bench.reading.voltage_mv[2] = 1;
    assert_int_equal(take(&bench), DETECT_CURRENT | DETECT_SWELL);
    start(&bench);
    bench.node.steady_ma = 0;
    bench.model.policy.power_pct = (struct model_threshold){1, 1};
    bench.detect.active = DETECT_POWER;
    assert_int_equal(take(&bench), 0);
    assert_int_equal(bench.detect.active, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_quiet_reading_raises_nothing_and_is_remembered),
        cmocka_unit_test(current_alarms_by_its_worst_phase_with_hysteresis),
        cmocka_unit_test(power_alarms_by_the_sum_of_its_phases),
        cmocka_unit_test(a_sag_starts_below_90_and_ends_above_92_percent_of_its_lowest_phase),
        cmocka_unit_test(a_swell_starts_above_110_and_ends_below_108_percent),
        cmocka_unit_test(a_steep_rise_of_power_alarms),
        cmocka_unit_test(what_is_not_watched_never_alarms),
        cmocka_unit_test(every_alarm_starts_beyond_its_high_and_ends_beyond_its_low_threshold),
        cmocka_unit_test(an_alarm_that_is_no_longer_watched_goes),
        cmocka_unit_test(alarms_that_stand_are_not_raised_again_by_another),
        cmocka_unit_test(a_single_phase_node_is_judged_by_its_one_phase),
        cmocka_unit_test(the_meter_names_the_node_whose_ratings_count),
        cmocka_unit_test(a_node_without_ratings_alarms_on_nothing_but_its_slope),
        cmocka_unit_test(the_smallest_ratings_and_thresholds_are_taken_as_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
