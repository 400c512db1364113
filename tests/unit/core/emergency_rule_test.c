/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of an emergency one by one, each at its very edge: safety.md section 8, and the limit that
 * follows a voltage that stays low. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "hall.h"

enum { STEADY_MA = 200000 };        /* of the left branch: 20 kVA a phase */
#define ERROR_MA 40400              /* 4 kVA of exposure and one percent, at 100 V */
#define FRESH_NS (50 * NS_PER_MS)
#define A_NS (100 * NS_PER_MS)

/* All phases alike, hosts 0 and 1 holding these caps; the left branch is what is measured. */
static void open_left(struct hall *hall, int64_t cap_mw)
{
    hall_limit(hall, HALL_LEFT, 20);
    hall_open(hall);
    hall_holds(hall, 0, cap_mw);
    hall_holds(hall, 1, cap_mw);
    hall->reading = (struct reading){.meter = HALL_LEFT, .crest_milli = 1414};
}

static void start(struct hall *hall, int64_t cap_mw)
{
    hall_build(hall);
    open_left(hall, cap_mw);
}

static enum emergency_action take(struct hall *hall, int64_t t_ns)
{
    return emergency_reading(&hall->emergencies, &hall->ledger, &hall->reading, HALL_LEFT, t_ns);
}

static enum emergency_action load(struct hall *hall, int64_t current_ma, int64_t voltage_mv, int64_t t_ns)
{
    for (uint32_t p = 0; p < PHASES; p++) {
        hall->reading.current_ma[p] = current_ma;
        hall->reading.voltage_mv[p] = voltage_mv;
    }
    return take(hall, t_ns);
}

static enum emergency_action amperes(struct hall *hall, int64_t current_ma, int64_t t_ns)
{
    return load(hall, current_ma, 100000, t_ns);
}

static bool active(const struct hall *hall)
{
    return hall->emergency[HALL_LEFT].active;
}

/* ---- hosts below ---- */

static void every_node_knows_each_host_below_it_once(void **state)
{
    (void)state;
    static const uint32_t below[HALL_NODES][HALL_HOSTS + 1] = {
        {5, 0, 1, 2, 3, 4}, {2, 0, 1}, {4, 0, 2, 3, 4}, {3, 0, 3, 4}};
    struct hall hall;
    hall_build(&hall);
    assert_int_equal(emergency_below_room(&hall.model), 3 * 2 + 2 * 3);
    hall.host[0].cord_count = 2;
    hall.host[0].cord[1] = hall.host[0].cord[0];
    hall.host[0].cord[1].node = HALL_RACK;
    assert_int_equal(emergency_below_room(&hall.model), 15);
    hall_open(&hall);
    for (uint32_t n = 0; n < HALL_NODES; n++) {
        assert_int_equal(hall.below_count[n], below[n][0]);
        for (uint32_t i = 0; i < below[n][0]; i++)
            assert_int_equal(hall.below[hall.below_first[n] + i], below[n][i + 1]);
        /* room for the main's host that comes twice is kept, no more */
        assert_int_equal(hall.below_first[n], n == 0 ? 0 : n == 1 ? 6 : n == 2 ? 8 : 12);
    }
}

static void a_host_with_both_cords_on_one_node_stands_there_once(void **state)
{
    (void)state;
    struct hall hall;
    hall_build(&hall);
    hall.host[1].cord_count = 2;
    hall.host[1].cord[1] = hall.host[1].cord[0];
    hall_open(&hall);
    assert_int_equal(hall.below_count[HALL_LEFT], 2);
    assert_int_equal(hall.below[hall.below_first[HALL_LEFT]], 0);
    assert_int_equal(hall.below[hall.below_first[HALL_LEFT] + 1], 1);
}

static void before_any_reading_nothing_stands_and_no_raise_is_forbidden(void **state)
{
    (void)state;
    struct hall hall;
    start(&hall, 10 * HALL_KW);
    hall.emergencies.entered = 5;
    hall.emergency[HALL_MAIN].active = true;
    hall.emergencies.below_count = hall.below_count;
    memset(hall.below_count, 0, sizeof hall.below_count);
    emergency_init(&hall.emergencies, &hall.model, &hall.heat);
    assert_int_equal(hall.emergencies.entered, 0);
    assert_false(hall.emergency[HALL_MAIN].active);
    assert_false(emergency_forbids_raise(&hall.emergencies, 0, -NS_PER_S));
}

/* ---- what starts one ---- */

static void current_above_the_steady_limit_on_any_phase_is_one(void **state)
{
    (void)state;
    for (uint32_t p = 0; p < PHASES; p++) {
        struct hall hall;
        start(&hall, 10 * HALL_KW);
        assert_int_equal(amperes(&hall, STEADY_MA, 0), EMERGENCY_NOTHING);
        assert_false(active(&hall));
        hall.reading.current_ma[p]++;
        assert_int_equal(take(&hall, 5), EMERGENCY_CUT);
        assert_true(active(&hall));
        assert_int_equal(hall.emergency[HALL_LEFT].stage_ns, 5);
        assert_int_equal(hall.emergency[HALL_LEFT].number, 1);
        assert_int_equal(take(&hall, 6), EMERGENCY_NOTHING);
    }
}

/* "> D x (1 + error)": 4 kVA and 1 %. */
static void a_load_above_exposure_and_error_on_any_phase_is_one(void **state)
{
    (void)state;
    for (uint32_t p = 0; p < PHASES; p++) {
        struct hall hall;
        start(&hall, 2 * HALL_KW);
        assert_int_equal(amperes(&hall, ERROR_MA, 0), EMERGENCY_NOTHING);
        hall.reading.current_ma[p]++;
        assert_int_equal(take(&hall, 0), EMERGENCY_CUT);
    }
}

static void the_meters_error_is_granted_to_the_unit(void **state)
{
    (void)state;
    struct hall hall;
    start(&hall, 2 * HALL_KW);
    assert_int_equal(load(&hall, ERROR_MA, 100001, 0), EMERGENCY_CUT);      /* 4,040,040 above 4,040,000 */
}

static void apparent_power_is_current_times_voltage_of_the_same_phase(void **state)
{
    (void)state;
    struct hall hall;
    start(&hall, 2 * HALL_KW);
    assert_int_equal(load(&hall, ERROR_MA / 2, 200000, 0), EMERGENCY_NOTHING);
    hall.reading.voltage_mv[1] = 200010;
    assert_int_equal(take(&hall, 0), EMERGENCY_CUT);
}

static void a_peak_at_the_instantaneous_element_on_any_phase_is_one(void **state)
{
    (void)state;
    for (uint32_t p = 0; p < PHASES; p++) {
        struct hall hall;
        start(&hall, 10 * HALL_KW);
        hall.node[HALL_LEFT].instant_peak_ma = 150000;
        hall.reading.crest_milli = 1500;
        assert_int_equal(amperes(&hall, 99999, 0), EMERGENCY_NOTHING);
        hall.reading.current_ma[p] = 100000;
        assert_int_equal(take(&hall, 0), EMERGENCY_CUT);
    }
}

/* Not given, or less than any wave has. */
static void no_crest_counts_below_that_of_a_sine(void **state)
{
    (void)state;
    static const int32_t crest_milli[] = {0, 1000, 1413, 1414};
    for (size_t i = 0; i < sizeof crest_milli / sizeof crest_milli[0]; i++) {
        struct hall hall;
        start(&hall, 10 * HALL_KW);
        hall.node[HALL_LEFT].instant_peak_ma = 141400;
        hall.reading.crest_milli = crest_milli[i];
        assert_int_equal(amperes(&hall, 99999, 0), EMERGENCY_NOTHING);
        assert_int_equal(amperes(&hall, 100000, 0), EMERGENCY_CUT);
    }
}

static void without_an_instantaneous_element_no_peak_is_one(void **state)
{
    (void)state;
    struct hall hall;
    start(&hall, 10 * HALL_KW);
    hall.reading.crest_milli = 9000;
    assert_int_equal(amperes(&hall, STEADY_MA, 0), EMERGENCY_NOTHING);
    assert_int_equal(amperes(&hall, 0, 0), EMERGENCY_NOTHING);
}

static void a_peak_of_one_milliampere_counts_where_that_is_the_element(void **state)
{
    (void)state;
    struct hall hall;
    start(&hall, 10 * HALL_KW);
    hall.node[HALL_LEFT].instant_peak_ma = 1;
    hall.reading.crest_milli = 1000;
    assert_int_equal(amperes(&hall, 0, 0), EMERGENCY_NOTHING);
    assert_int_equal(amperes(&hall, 1, 0), EMERGENCY_CUT);
}

static void what_stands_in_phases_that_a_node_does_not_have_is_nothing(void **state)
{
    (void)state;
    struct hall hall;
    start(&hall, 10 * HALL_KW);
    hall.node[HALL_LEFT].phases = 1;
    amperes(&hall, 1000000, 0);
    assert_true(active(&hall));
    start(&hall, 10 * HALL_KW);
    hall.node[HALL_LEFT].phases = 1;
    hall.reading.current_ma[1] = hall.reading.current_ma[2] = 1000000;
    hall.reading.voltage_mv[0] = hall.reading.voltage_mv[1] = hall.reading.voltage_mv[2] = 100000;
    assert_int_equal(take(&hall, 0), EMERGENCY_NOTHING);
}

static void a_node_without_a_device_has_no_emergency(void **state)
{
    (void)state;
    struct hall hall;
    start(&hall, 10 * HALL_KW);
    hall.node[HALL_LEFT].limited = 0;
    assert_int_equal(amperes(&hall, 1000000, 0), EMERGENCY_NOTHING);
    assert_false(active(&hall));
}

static void emergencies_are_numbered_over_all_nodes(void **state)
{
    (void)state;
    struct hall hall;
    start(&hall, 10 * HALL_KW);
    amperes(&hall, STEADY_MA + 1, 0);
    hall.node[HALL_RIGHT].steady_ma = 1000;
    assert_int_equal(
        emergency_reading(&hall.emergencies, &hall.ledger, &hall.reading, HALL_RIGHT, 0), EMERGENCY_CUT);
    assert_int_equal(hall.emergency[HALL_LEFT].number, 1);
    assert_int_equal(hall.emergency[HALL_RIGHT].number, 2);
}

/* ---- the second stage ---- */

/* "only after A + T_fresh", A of the slowest host type wherever it stands in the table. */
static void the_second_stage_comes_after_the_slowest_actuation_and_one_readings_age(void **state)
{
    (void)state;
    for (uint32_t slow = 0; slow < 3; slow++) {
        struct hall hall;
        struct model_host_type type[3];
        start(&hall, 10 * HALL_KW);
        for (uint32_t i = 0; i < 3; i++) {
            type[i] = hall.type;
            type[i].actuation_ns = i == slow ? A_NS : A_NS / 2;
        }
        hall.model.type = type;
        hall.model.type_count = 3;
        amperes(&hall, STEADY_MA + 1, NS_PER_S);
        assert_int_equal(take(&hall, NS_PER_S + A_NS + FRESH_NS - 1), EMERGENCY_NOTHING);
        assert_int_equal(take(&hall, NS_PER_S + A_NS + FRESH_NS), EMERGENCY_FAIL_SAFE);
        assert_true(hall.emergency[HALL_LEFT].fail_safe);
        assert_int_equal(take(&hall, NS_PER_S + A_NS + FRESH_NS + 1), EMERGENCY_NOTHING);
        assert_false(hall.emergency[HALL_LEFT].shed);
        assert_int_equal(hall.emergencies.entered, 1);
    }
}

/* The site's shed action: A and T_fresh after fail-safe was ordered, whenever that was, and once. */
static void the_third_stage_has_waited_for_the_second_and_is_told_once(void **state)
{
    (void)state;
    struct hall hall;
    start(&hall, 10 * HALL_KW);
    amperes(&hall, STEADY_MA + 1, 0);
    assert_int_equal(amperes(&hall, STEADY_MA + 1, 5 * NS_PER_S), EMERGENCY_FAIL_SAFE);
    assert_int_equal(amperes(&hall, STEADY_MA + 1, 5 * NS_PER_S + A_NS + FRESH_NS - 1), EMERGENCY_NOTHING);
    assert_int_equal(amperes(&hall, STEADY_MA, 5 * NS_PER_S + A_NS + FRESH_NS), EMERGENCY_NOTHING);
    assert_false(hall.emergency[HALL_LEFT].shed);
    assert_int_equal(amperes(&hall, STEADY_MA + 1, 5 * NS_PER_S + A_NS + FRESH_NS), EMERGENCY_SHED);
    assert_true(hall.emergency[HALL_LEFT].shed);
    assert_int_equal(amperes(&hall, STEADY_MA + 1, 8 * NS_PER_S), EMERGENCY_NOTHING);
    amperes(&hall, 1000, 9 * NS_PER_S);
    amperes(&hall, 1000, 10 * NS_PER_S);
    assert_false(active(&hall));
    amperes(&hall, STEADY_MA + 1, 11 * NS_PER_S);
    assert_false(hall.emergency[HALL_LEFT].shed);
    amperes(&hall, STEADY_MA + 1, 12 * NS_PER_S);
    assert_int_equal(amperes(&hall, STEADY_MA + 1, 13 * NS_PER_S), EMERGENCY_SHED);
}

static void there_is_no_second_stage_where_the_first_was_enough(void **state)
{
    (void)state;
    struct hall hall;
    start(&hall, 10 * HALL_KW);
    amperes(&hall, STEADY_MA + 1, 0);
    assert_int_equal(amperes(&hall, STEADY_MA, NS_PER_S), EMERGENCY_NOTHING);
    assert_int_equal(amperes(&hall, STEADY_MA + 1, NS_PER_S + 1), EMERGENCY_FAIL_SAFE);
}

/* ---- the end ---- */

static void it_ends_below_nine_tenths_for_the_whole_time_and_not_at_nine_tenths(void **state)
{
    (void)state;
    struct hall hall;
    start(&hall, 10 * HALL_KW);
    amperes(&hall, STEADY_MA + 1, 0);
    amperes(&hall, STEADY_MA / 10 * 9, 1);
    amperes(&hall, STEADY_MA / 10 * 9, NS_PER_S + 1);
    assert_true(active(&hall));
    amperes(&hall, STEADY_MA / 10 * 9 - 1, 2 * NS_PER_S);
    amperes(&hall, STEADY_MA / 10 * 9 - 1, 3 * NS_PER_S - 1);
    assert_true(active(&hall));
    amperes(&hall, STEADY_MA / 10 * 9 - 1, 3 * NS_PER_S);
    assert_false(active(&hall));
    assert_int_equal(hall.emergency[HALL_LEFT].raise_after_ns, 3 * NS_PER_S + 100 * NS_PER_MS);
}

/* What a spoilt window reads starts an emergency as any other does, and ends none. */
static void readings_that_are_unsure_end_nothing(void **state)
{
    (void)state;
    struct hall hall;
    start(&hall, 10 * HALL_KW);
    hall.reading.flags = READING_UNSURE;
    assert_int_equal(amperes(&hall, STEADY_MA + 1, 0), EMERGENCY_CUT);
    for (int64_t t_ns = NS_PER_S; t_ns < 30 * NS_PER_S; t_ns += NS_PER_S)
        amperes(&hall, 1000, t_ns);
    assert_true(active(&hall));
    hall.reading.flags = 0;
    amperes(&hall, 1000, 30 * NS_PER_S);
    amperes(&hall, 1000, 31 * NS_PER_S - 1);
    assert_true(active(&hall));
    amperes(&hall, 1000, 31 * NS_PER_S);
    assert_false(active(&hall));
}

static void nine_tenths_are_exact_for_thousands_of_amperes(void **state)
{
    (void)state;
    struct hall hall;
    start(&hall, 10 * HALL_KW);
    hall.node[HALL_LEFT].steady_ma = 3500000;
    for (uint32_t p = 0; p < PHASES; p++)
        hall.sums[HALL_LEFT].exposed_mva[0][p] = 1000 * HALL_KW;
    amperes(&hall, 3500001, 0);
    amperes(&hall, 3150000, 1);
    amperes(&hall, 3150000, NS_PER_S + 1);
    assert_true(active(&hall));
    amperes(&hall, 3149999, 2 * NS_PER_S);
    amperes(&hall, 3149999, 3 * NS_PER_S);
    assert_false(active(&hall));
}

static void a_moment_above_begins_the_time_anew(void **state)
{
    (void)state;
    struct hall hall;
    start(&hall, 10 * HALL_KW);
    amperes(&hall, STEADY_MA + 1, 0);
    amperes(&hall, 1000, 1);
    amperes(&hall, STEADY_MA, 2);
    amperes(&hall, 1000, 3);
    amperes(&hall, 1000, NS_PER_S + 2);
    assert_true(active(&hall));
    amperes(&hall, 1000, NS_PER_S + 3);
    assert_false(active(&hall));
}

/* 60 A are far below nine tenths of 200, and half as much again as these hosts may draw. */
static void it_does_not_end_while_somebody_disobeys(void **state)
{
    (void)state;
    struct hall hall;
    start(&hall, 2 * HALL_KW);
    amperes(&hall, 60000, 0);
    assert_true(active(&hall));
    amperes(&hall, 60000, 2 * NS_PER_S);
    amperes(&hall, 60000, 4 * NS_PER_S);
    assert_true(active(&hall));
}

static void the_next_one_has_its_own_number_and_both_stages(void **state)
{
    (void)state;
    struct hall hall;
    start(&hall, 10 * HALL_KW);
    amperes(&hall, STEADY_MA + 1, 0);
    assert_int_equal(amperes(&hall, STEADY_MA + 1, NS_PER_S), EMERGENCY_FAIL_SAFE);
    amperes(&hall, 1000, 2 * NS_PER_S);
    amperes(&hall, 1000, 3 * NS_PER_S);
    assert_false(active(&hall));
    assert_int_equal(amperes(&hall, STEADY_MA + 1, 4 * NS_PER_S), EMERGENCY_CUT);
    assert_int_equal(hall.emergency[HALL_LEFT].number, 2);
    assert_int_equal(amperes(&hall, STEADY_MA + 1, 5 * NS_PER_S), EMERGENCY_FAIL_SAFE);
    amperes(&hall, 1000, 6 * NS_PER_S);     /* the calm of the last one is not of this one */
    assert_true(active(&hall));
}

/* ---- raises ---- */

static void raises_are_forbidden_during_it_and_for_its_hold_after(void **state)
{
    (void)state;
    struct hall hall;
    start(&hall, 10 * HALL_KW);
    assert_false(emergency_forbids_raise(&hall.emergencies, 0, 0));
    amperes(&hall, STEADY_MA + 1, 0);
    assert_true(emergency_forbids_raise(&hall.emergencies, 0, 0));
    assert_true(emergency_forbids_raise(&hall.emergencies, 1, NS_PER_S * 1000000));
    assert_false(emergency_forbids_raise(&hall.emergencies, 2, 0));
    amperes(&hall, 1000, NS_PER_S);
    amperes(&hall, 1000, 2 * NS_PER_S);
    assert_true(emergency_forbids_raise(&hall.emergencies, 0, 2 * NS_PER_S + 100 * NS_PER_MS - 1));
    assert_false(emergency_forbids_raise(&hall.emergencies, 0, 2 * NS_PER_S + 100 * NS_PER_MS));
}

static void an_emergency_anywhere_above_any_cord_forbids_raises(void **state)
{
    (void)state;
    for (uint32_t n = 0; n < HALL_NODES; n++) {
        struct hall hall;
        hall_build(&hall);
        hall.host[1].cord_count = 2;
        hall.host[1].cord[1] = hall.host[1].cord[0];
        hall.host[1].cord[1].node = HALL_RACK;
        open_left(&hall, 5 * HALL_KW);
        hall.emergency[n].raise_after_ns = INT64_MAX;
        assert_true(emergency_forbids_raise(&hall.emergencies, 1, 0));
        assert_int_equal(emergency_forbids_raise(&hall.emergencies, 0, 0), n == HALL_MAIN || n == HALL_LEFT);
        assert_int_equal(emergency_forbids_raise(&hall.emergencies, 3, 0), n != HALL_LEFT);
        assert_true(emergency_lasts(&hall.emergencies, 1, 0));
        assert_int_equal(emergency_lasts(&hall.emergencies, 0, 0), n == HALL_MAIN || n == HALL_LEFT);
        assert_int_equal(emergency_lasts(&hall.emergencies, 3, 0), n != HALL_LEFT);
        hall.emergency[n].raise_after_ns = 7;
        assert_true(emergency_lasts(&hall.emergencies, 1, 6));
        assert_false(emergency_lasts(&hall.emergencies, 1, 7));
        hall.emergency[n].hot = true;                   /* heat holds raises; floors hold again */
        assert_false(emergency_lasts(&hall.emergencies, 1, 7));
        assert_true(emergency_forbids_raise(&hall.emergencies, 1, 7));
    }
}

/* ---- a voltage that stays low ---- */

static int64_t limit_kva(const struct hall *hall)
{
    return hall->sums[HALL_LEFT].limit_mva[0][0] / HALL_KW;
}

static void start_at_90_volts(struct hall *hall)
{
    hall_build(hall);
    hall->node[HALL_LEFT].volts_low_mv = 90000;
    open_left(hall, 10 * HALL_KW);
}

static void a_voltage_low_for_a_second_on_any_phase_lowers_the_limit_with_it(void **state)
{
    (void)state;
    for (uint32_t p = 0; p < PHASES; p++) {
        struct hall hall;
        start_at_90_volts(&hall);
        for (uint32_t i = 0; i < PHASES; i++)
            hall.reading.voltage_mv[i] = i == p ? 45000 : 100000;
        take(&hall, 0);
        take(&hall, NS_PER_S - 1);
        assert_int_equal(limit_kva(&hall), 20);
        take(&hall, NS_PER_S);
        assert_int_equal(limit_kva(&hall), 10);
        hall.reading.voltage_mv[p] = 63000;
        take(&hall, NS_PER_S + 1);
        assert_int_equal(limit_kva(&hall), 14);
    }
}

/* Jitter of one step in a sag must not cut and raise every host below with each reading. */
static void in_a_sag_the_limit_falls_at_once_and_rises_by_two_steps(void **state)
{
    (void)state;
    static const struct {
        int64_t volts_mv, ppm;
    } then[] = {{63000, 700000}, {63500, 700000}, {63899, 700000}, {63900, 710000}, {63500, 705000},
                {63900, 705000}, {62999, 695000}, {72000, 800000}};
    struct hall hall;
    start_at_90_volts(&hall);
    load(&hall, 1000, 63000, 0);
    for (uint32_t i = 0; i < sizeof then / sizeof *then; i++) {
        load(&hall, 1000, then[i].volts_mv, NS_PER_S + i);
        assert_int_equal(hall.emergencies.node[HALL_LEFT].volts_ppm, then[i].ppm);
    }
}

static void the_lowest_credible_voltage_itself_lowers_nothing(void **state)
{
    (void)state;
    struct hall hall;
    start_at_90_volts(&hall);
    load(&hall, 1000, 90000, 0);
    load(&hall, 1000, 90000, 5 * NS_PER_S);
    assert_int_equal(hall.sums[HALL_LEFT].limit_mva[0][0], 20 * HALL_KW);
    load(&hall, 1000, 89999, 6 * NS_PER_S);
    load(&hall, 1000, 89999, 7 * NS_PER_S);
    assert_in_range(hall.sums[HALL_LEFT].limit_mva[0][0], 19 * HALL_KW, 20 * HALL_KW - 1);
}

static void a_moment_of_good_voltage_begins_the_second_anew(void **state)
{
    (void)state;
    struct hall hall;
    start_at_90_volts(&hall);
    load(&hall, 1000, 45000, 0);
    load(&hall, 1000, 90000, 1);
    load(&hall, 1000, 45000, 2);
    load(&hall, 1000, 45000, NS_PER_S + 1);
    assert_int_equal(limit_kva(&hall), 20);
    load(&hall, 1000, 45000, NS_PER_S + 2);
    assert_int_equal(limit_kva(&hall), 10);
}

static void the_limit_comes_back_after_a_minute_without(void **state)
{
    (void)state;
    struct hall hall;
    start_at_90_volts(&hall);
    load(&hall, 1000, 45000, 0);
    load(&hall, 1000, 45000, NS_PER_S);
    load(&hall, 1000, 90000, 2 * NS_PER_S);
    load(&hall, 1000, 90000, 62 * NS_PER_S - 1);
    assert_int_equal(limit_kva(&hall), 10);
    load(&hall, 1000, 89999, 62 * NS_PER_S);        /* a moment: begins the minute anew, lowers nothing */
    assert_int_equal(limit_kva(&hall), 10);
    load(&hall, 1000, 90000, 63 * NS_PER_S);
    load(&hall, 1000, 90000, 123 * NS_PER_S - 1);
    assert_int_equal(limit_kva(&hall), 10);
    load(&hall, 1000, 90000, 123 * NS_PER_S);
    assert_int_equal(limit_kva(&hall), 20);
    assert_false(hall.emergency[HALL_LEFT].limit_lowered);
    load(&hall, 1000, 45000, 124 * NS_PER_S);
    assert_int_equal(limit_kva(&hall), 20);
    load(&hall, 1000, 45000, 125 * NS_PER_S);
    assert_int_equal(limit_kva(&hall), 10);
}

static void a_limit_that_somebody_else_lowered_is_not_restored_here(void **state)
{
    (void)state;
    struct hall hall;
    start_at_90_volts(&hall);
    ledger_scale_limit(&hall.ledger, HALL_LEFT, 800000);
    load(&hall, 1000, 90000, 0);
    load(&hall, 1000, 90000, 100 * NS_PER_S);
    assert_int_equal(limit_kva(&hall), 16);
}

static void an_emergency_does_not_make_a_low_voltage_forgotten(void **state)
{
    (void)state;
    struct hall hall;
    start_at_90_volts(&hall);
    load(&hall, 1000, 45000, 0);
    assert_int_equal(load(&hall, STEADY_MA + 1, 45000, NS_PER_S / 2), EMERGENCY_CUT);
    load(&hall, STEADY_MA + 1, 45000, NS_PER_S);
    assert_int_equal(limit_kva(&hall), 10);
}

static void an_emergency_does_not_make_a_lowered_limit_or_its_minute_forgotten(void **state)
{
    (void)state;
    struct hall hall;
    start_at_90_volts(&hall);
    load(&hall, 1000, 45000, 0);
    load(&hall, 1000, 45000, NS_PER_S);
    load(&hall, 1000, 100000, 2 * NS_PER_S);
    assert_int_equal(load(&hall, STEADY_MA + 1, 100000, 30 * NS_PER_S), EMERGENCY_CUT);
    load(&hall, 1000, 100000, 62 * NS_PER_S - 1);
    assert_int_equal(limit_kva(&hall), 10);
    load(&hall, 1000, 100000, 62 * NS_PER_S);
    assert_int_equal(limit_kva(&hall), 20);
}

/* ---- the shot ---- */

/* 95 % of 20 kVA, less 4 mVA for each of CORDS_MAX cords of two hosts: 18,999,968 mVA. */
static void s_at_the_target_needs_no_scale_and_a_unit_above_does(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 2 * PHASES; i++) {
        struct hall hall;
        start(&hall, 2 * HALL_KW);
        hall.model.contingency_count = 2;
        hall.sums[HALL_LEFT].steady_mva[1][0] = hall.sums[HALL_LEFT].steady_mva[1][1] =
            hall.sums[HALL_LEFT].steady_mva[1][2] = 20 * HALL_KW;
        for (uint32_t c = 0; c < 2; c++)
            for (uint32_t p = 0; p < PHASES; p++)
                hall.sums[HALL_LEFT].newest_mva[c][p] = 18999968;
        assert_int_equal(emergency_scale_ppm(&hall.emergencies, &hall.ledger, HALL_LEFT), PPM);
        hall.sums[HALL_LEFT].newest_mva[i / PHASES][i % PHASES]++;
        /* 18,999,968 x 1000 / (18,999 + 1) */
        assert_int_equal(emergency_scale_ppm(&hall.emergencies, &hall.ledger, HALL_LEFT), 999998);
        hall.sums[HALL_LEFT].newest_mva[i / PHASES][i % PHASES] = 20 * HALL_KW;
        assert_int_equal(emergency_scale_ppm(&hall.emergencies, &hall.ledger, HALL_LEFT), 949950);
    }
}

static void only_what_is_governed_is_scaled(void **state)
{
    (void)state;
    struct hall hall;
    start(&hall, 10 * HALL_KW);
    hall.sums[HALL_LEFT].ungoverned_mva[0][1] = 10 * HALL_KW;
    /* (18,999,968 - 10,000,000) x 1000 / (10,000 + 1) */
    assert_int_equal(emergency_scale_ppm(&hall.emergencies, &hall.ledger, HALL_LEFT), 899906);
}

static void where_nothing_governed_fits_the_scale_is_nought(void **state)
{
    (void)state;
    struct hall hall;
    start(&hall, 10 * HALL_KW);
    hall.sums[HALL_LEFT].ungoverned_mva[0][1] = 18999968;
    assert_int_equal(emergency_scale_ppm(&hall.emergencies, &hall.ledger, HALL_LEFT), 0);
    hall.sums[HALL_LEFT].ungoverned_mva[0][1] = 19 * HALL_KW;
    assert_int_equal(emergency_scale_ppm(&hall.emergencies, &hall.ledger, HALL_LEFT), 0);
    hall.sums[HALL_LEFT].ungoverned_mva[0][1] = 30 * HALL_KW;
    assert_int_equal(emergency_scale_ppm(&hall.emergencies, &hall.ledger, HALL_LEFT), 0);
}

static void the_worst_phase_sets_the_scale(void **state)
{
    (void)state;
    for (uint32_t worst = 0; worst < PHASES; worst++) {
        struct hall hall;
        start(&hall, 10 * HALL_KW);
        hall.sums[HALL_LEFT].newest_mva[0][worst] = 40 * HALL_KW;
        assert_int_equal(emergency_scale_ppm(&hall.emergencies, &hall.ledger, HALL_LEFT), 474987);
    }
}

/* Host 0 of a type with 1.25 W a cap watt and 1 kW base; its lease is 8 kW, so 11 kW at the wall. */
static void aim(struct hall *hall, int64_t newest_mw, int64_t draw_mw)
{
    hall_build(hall);
    hall->type.gain_ppm = 1250000;
    hall->type.base_max_mw = HALL_KW;
    hall->type.phys_max_mw = 15 * HALL_KW;
    hall_open(hall);
    if (newest_mw >= 0)
        hall_holds(hall, 0, newest_mw);
    else
        hall->account[0].newest_mw = -1;
    hall->account[0].draw_mw = draw_mw;
}

static int64_t shot_mw(struct hall *hall, int64_t scale_ppm)
{
    return emergency_cap_mw(&hall->ledger, 0, true, scale_ppm);
}

static void the_shot_is_three_quarters_of_the_smaller_of_cap_and_governed_draw(void **state)
{
    (void)state;
    struct hall hall;
    aim(&hall, 8 * HALL_KW, 7 * HALL_KW);       /* 6 kW are governed: what a cap of 4.8 kW lets draw */
    assert_int_equal(shot_mw(&hall, PPM), 3600 * HALL_W);
    aim(&hall, 8 * HALL_KW, 11 * HALL_KW);
    assert_int_equal(shot_mw(&hall, PPM), 6 * HALL_KW);
    aim(&hall, 8 * HALL_KW, 3100 * HALL_W + 999);   /* 2100.999: a cap of 1680.799, and 1260.599 */
    assert_int_equal(shot_mw(&hall, PPM), 1260 * HALL_W);
}

/* The cap that makes S fit holds, whether or not the host has had its shot. */
static void who_had_its_shot_is_cut_as_far_as_S_demands(void **state)
{
    (void)state;
    struct hall hall;
    aim(&hall, 8 * HALL_KW, 7 * HALL_KW);
    assert_int_equal(emergency_cap_mw(&hall.ledger, 0, false, PPM), 8 * HALL_KW);
    assert_int_equal(emergency_cap_mw(&hall.ledger, 0, false, 500000), 4 * HALL_KW);
}

static void a_stage_lasts_as_the_slowest_type_and_meter(void **state)
{
    (void)state;
    struct hall hall;
    hall_build(&hall);
    hall.type.actuation_ns = 300 * NS_PER_MS;
    hall_open(&hall);
    hall.meter[HALL_LEFT].fresh_ns = 200 * NS_PER_MS;
    assert_int_equal(emergency_stage_ns(&hall.model), 500 * NS_PER_MS);
    hall.meter[HALL_MAIN].fresh_ns = 300 * NS_PER_MS;
    assert_int_equal(emergency_stage_ns(&hall.model), 600 * NS_PER_MS);
}

static void without_a_lease_the_shot_goes_by_fail_safe(void **state)
{
    (void)state;
    struct hall hall;
    aim(&hall, -1, 7 * HALL_KW);
    assert_int_equal(shot_mw(&hall, PPM), 1500 * HALL_W);
}

static void a_lease_of_no_watts_is_a_lease(void **state)
{
    (void)state;
    struct hall hall;
    aim(&hall, 8 * HALL_KW, 7 * HALL_KW);
    hall.type.cap_min_mw = 0;
    hall.account[0].newest_mw = 0;
    assert_int_equal(shot_mw(&hall, PPM), 0);
}

static void the_shot_is_never_below_the_least_settable_cap(void **state)
{
    (void)state;
    struct hall hall;
    aim(&hall, 8 * HALL_KW, HALL_KW);
    assert_int_equal(shot_mw(&hall, PPM), 100 * HALL_W);
    aim(&hall, 8 * HALL_KW, HALL_KW / 2);
    assert_int_equal(shot_mw(&hall, PPM), 100 * HALL_W);
    aim(&hall, 8 * HALL_KW, 7 * HALL_KW);
    assert_int_equal(shot_mw(&hall, 0), 100 * HALL_W);
}

/* 10 kW governed at the wall; half of it are 5 kW, a cap of 4 kW. 0.7 of it would be 5.6 kW, above the
 * shot. */
static void the_scale_bounds_what_the_lease_may_draw_at_the_wall(void **state)
{
    (void)state;
    struct hall hall;
    aim(&hall, 8 * HALL_KW, 9 * HALL_KW);
    assert_int_equal(shot_mw(&hall, 500000), 4 * HALL_KW);
    assert_int_equal(shot_mw(&hall, 700000), 4800 * HALL_W);
    assert_int_equal(shot_mw(&hall, 333333), 2666 * HALL_W);
}

static void a_lease_at_the_base_alone_scales_to_nothing(void **state)
{
    (void)state;
    struct hall hall;
    aim(&hall, 8 * HALL_KW, 7 * HALL_KW);
    hall.account[0].newest_draw_mw = HALL_KW / 2;
    assert_int_equal(shot_mw(&hall, 999999), 100 * HALL_W);
}

static void the_shot_is_exact_to_the_milliwatt(void **state)
{
    (void)state;
    struct hall hall;
    aim(&hall, 8 * HALL_KW, 7 * HALL_KW);
    hall.type.quantum_mw = 1;
    assert_int_equal(shot_mw(&hall, PPM), 3600000);
    aim(&hall, 8400 * HALL_W, 12 * HALL_KW);    /* 10.5 kW governed at the wall */
    hall.type.quantum_mw = 1;
    assert_int_equal(shot_mw(&hall, 333333), (3333330 + 166666) * 4 / 5);
}

/* 95 % of 20.5 kVA */
static void the_target_is_exact_for_limits_that_are_no_whole_kilovoltamperes(void **state)
{
    (void)state;
    struct hall hall;
    start(&hall, 2 * HALL_KW);
    for (uint32_t p = 0; p < PHASES; p++)
        hall.sums[HALL_LEFT].steady_mva[0][p] = 20500 * HALL_W;
    hall.sums[HALL_LEFT].newest_mva[0][0] = 19475000 - 32;
    assert_int_equal(emergency_scale_ppm(&hall.emergencies, &hall.ledger, HALL_LEFT), PPM);
    hall.sums[HALL_LEFT].newest_mva[0][0]++;
    assert_in_range(emergency_scale_ppm(&hall.emergencies, &hall.ledger, HALL_LEFT), 0, PPM - 1);
}

static void the_shot_is_a_whole_number_of_quanta(void **state)
{
    (void)state;
    struct hall hall;
    aim(&hall, 8 * HALL_KW, 7 * HALL_KW);
    hall.type.quantum_mw = 500 * HALL_W;
    assert_int_equal(shot_mw(&hall, PPM), 3500 * HALL_W);
}

/* ---- how it ends where calm does not come ---- */

static bool loads_until(struct hall *hall, int64_t current_ma, int64_t from_ns, int64_t until_ns)
{
    for (int64_t t_ns = from_ns; t_ns <= until_ns && active(hall); t_ns += 16 * NS_PER_MS)
        amperes(hall, current_ma, t_ns);
    return active(hall);
}

static void
a_load_that_stays_within_the_limit_ends_it_once_leases_are_within_it_for_ten_times_as_long(void **state)
{
    (void)state;
    struct hall hall;
    start(&hall, 9500 * HALL_W);
    assert_int_equal(amperes(&hall, STEADY_MA + 1, HALL_T_NS), EMERGENCY_CUT);
    assert_true(loads_until(&hall, STEADY_MA * 95 / 100, HALL_T_NS + 16 * NS_PER_MS,
                            HALL_T_NS + 10 * NS_PER_S - 16 * NS_PER_MS));
    assert_false(loads_until(&hall, STEADY_MA * 95 / 100, HALL_T_NS + 10 * NS_PER_S,
                             HALL_T_NS + 10 * NS_PER_S + 48 * NS_PER_MS));
}

/* What stands behind the contingencies that are declared is nobody's exposure. */
static void a_contingency_that_is_not_declared_keeps_no_emergency_up(void **state)
{
    (void)state;
    struct hall hall;
    start(&hall, 9500 * HALL_W);
    hall.sums[HALL_LEFT].exposed_mva[1][0] = hall.sums[HALL_LEFT].steady_mva[1][0] + 1;
    assert_int_equal(amperes(&hall, STEADY_MA + 1, HALL_T_NS), EMERGENCY_CUT);
    assert_false(loads_until(&hall, STEADY_MA * 95 / 100, HALL_T_NS + 16 * NS_PER_MS,
                             HALL_T_NS + 11 * NS_PER_S));
}

static void it_does_not_end_so_while_leases_are_above_the_limit_or_the_load_is(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 1 + PHASES; i++) {
        struct hall hall;
        start(&hall, 9500 * HALL_W);
        if (i)
            hall.sums[HALL_LEFT].steady_mva[0][i - 1] = hall.sums[HALL_LEFT].exposed_mva[0][i - 1] - 1;
        assert_int_equal(amperes(&hall, STEADY_MA + 1, HALL_T_NS), EMERGENCY_CUT);
        assert_true(loads_until(&hall, i ? STEADY_MA * 95 / 100 : STEADY_MA + 1, HALL_T_NS + 16 * NS_PER_MS,
                                HALL_T_NS + 20 * NS_PER_S));
    }
}

static void a_meter_that_dies_in_it_leaves_nobody_cut_for_ever(void **state)
{
    (void)state;
    struct hall hall;
    start(&hall, 9500 * HALL_W);
    assert_int_equal(amperes(&hall, STEADY_MA + 1, HALL_T_NS), EMERGENCY_CUT);
    int64_t t_ns = HALL_T_NS + NS_PER_S;
    emergency_look(&hall.emergencies, &hall.ledger, t_ns - 1, HALL_NODES);      /* readings look after it */
    assert_int_equal(emergency_look(&hall.emergencies, &hall.ledger, t_ns, HALL_NODES), INDEX_NONE);
    assert_int_equal(emergency_look(&hall.emergencies, &hall.ledger, t_ns + 60 * NS_PER_S - 1, HALL_NODES),
                     INDEX_NONE);
    assert_true(active(&hall));
    assert_int_equal(emergency_look(&hall.emergencies, &hall.ledger, t_ns + 60 * NS_PER_S, HALL_NODES),
                     HALL_LEFT);
    assert_false(active(&hall));
    assert_true(emergency_forbids_raise(&hall.emergencies, 0, t_ns + 60 * NS_PER_S));
    assert_false(emergency_forbids_raise(&hall.emergencies, 0, t_ns + 61 * NS_PER_S));
}

static void a_dead_meters_emergency_lasts_while_leases_are_above_the_limit(void **state)
{
    (void)state;
    struct hall hall;
    start(&hall, 9500 * HALL_W);
    assert_int_equal(amperes(&hall, STEADY_MA + 1, HALL_T_NS), EMERGENCY_CUT);
    hall.sums[HALL_LEFT].steady_mva[0][1] = hall.sums[HALL_LEFT].exposed_mva[0][1] - 1;
    for (int i = 0; i < 200; i++)
        emergency_look(&hall.emergencies, &hall.ledger, HALL_T_NS + i * NS_PER_S, HALL_NODES);
    assert_true(active(&hall));
}

/* 150 A peak at a crest of 2: the element stands at 400 A x 0.85. */
static void peaks_within_the_steady_limit_lower_it_so_that_cut_and_raise_do_not_alternate(void **state)
{
    (void)state;
    struct hall hall;
    start(&hall, 9500 * HALL_W);
    hall.node[HALL_LEFT].instant_peak_ma = 340000;
    hall.reading.crest_milli = 2000;
    assert_int_equal(amperes(&hall, 169999, HALL_T_NS), EMERGENCY_NOTHING);
    assert_int_equal(hall.sums[HALL_LEFT].limit_mva[0][0], 20 * HALL_KW);
    assert_int_equal(amperes(&hall, 170000, HALL_T_NS + 1), EMERGENCY_CUT);
    /* 170 A x 0.95 of 200 A, in half per cents: 0.805 */
    assert_int_equal(hall.sums[HALL_LEFT].limit_mva[0][0], 16100 * HALL_W);
    int64_t t_ns = HALL_T_NS + 2;
    amperes(&hall, 100000, t_ns);
    amperes(&hall, 100000, t_ns + 600 * NS_PER_S);          /* crests as before */
    assert_int_equal(hall.sums[HALL_LEFT].limit_mva[0][0], 16100 * HALL_W);
    hall.reading.crest_milli = 1600;                        /* 200 A would peak at 320 A */
    t_ns += 700 * NS_PER_S;
    amperes(&hall, 100000, t_ns);
    amperes(&hall, 100000, t_ns + 60 * NS_PER_S - 1);
    assert_int_equal(hall.sums[HALL_LEFT].limit_mva[0][0], 16100 * HALL_W);
    amperes(&hall, 100000, t_ns + 60 * NS_PER_S);
    assert_int_equal(hall.sums[HALL_LEFT].limit_mva[0][0], 20 * HALL_KW);
}

/* 100 V nominal and lowest credible. At 80 V constant power makes 1.25 times the current. */
static void a_sag_from_above_is_left_to_time_to_trip_and_one_from_below_is_not(void **state)
{
    (void)state;
    struct hall hall;
    start(&hall, 10 * HALL_KW);
    hall.heat_node[HALL_LEFT].known = true;
    int64_t low_mv = hall.node[HALL_LEFT].volts_low_mv;
    assert_int_equal(load(&hall, STEADY_MA * low_mv / 80000, 80000, HALL_T_NS), EMERGENCY_NOTHING);
    assert_int_equal(load(&hall, STEADY_MA * low_mv / 80000 + 100, 80000, HALL_T_NS + 1), EMERGENCY_CUT);
    start(&hall, 10 * HALL_KW);                            /* nobody knows how soon it trips */
    assert_int_equal(load(&hall, STEADY_MA * low_mv / 80000, 80000, HALL_T_NS), EMERGENCY_CUT);
    start(&hall, 10 * HALL_KW);                            /* no sag: the fuse of its sensing */
    hall.heat_node[HALL_LEFT].known = true;
    /* a tenth is one */
    assert_int_equal(load(&hall, STEADY_MA + 1, 10000, HALL_T_NS), EMERGENCY_NOTHING);
    assert_int_equal(load(&hall, STEADY_MA + 1, 9999, HALL_T_NS), EMERGENCY_CUT);
}

/* A load at the limit itself is within it; a milliampere above is not. */
static void a_load_at_the_limit_ends_it_where_leases_are_within(void **state)
{
    (void)state;
    for (int64_t above = 0; above < 2; above++) {
        struct hall hall;
        start(&hall, 10 * HALL_KW);
        assert_int_equal(amperes(&hall, STEADY_MA + 1, HALL_T_NS), EMERGENCY_CUT);
        assert_int_equal(loads_until(&hall, STEADY_MA + above, HALL_T_NS + 16 * NS_PER_MS,
                                     HALL_T_NS + 11 * NS_PER_S), above);
    }
}

/* One node at a time, every node once in a round. */
static void a_round_looks_at_every_node_once(void **state)
{
    (void)state;
    struct hall hall;
    start(&hall, 9500 * HALL_W);
    for (uint32_t n = 0; n < HALL_NODES; n++) {
        hall.emergency[n].heard_ns = HALL_T_NS;
        hall.emergency[n].covered_since_ns = HALL_T_NS;
    }
    uint32_t seen = 0;
    for (uint32_t i = 0; i < HALL_NODES; i++)
        seen |= 1u << emergency_look(&hall.emergencies, &hall.ledger, HALL_T_NS + 60 * NS_PER_S, 1);
    assert_int_equal(seen, (1u << HALL_NODES) - 1);
    start(&hall, 9500 * HALL_W);
    uint32_t at = hall.emergencies.looked_at;       /* no reading yet: nothing to stop at */
    emergency_look(&hall.emergencies, &hall.ledger, HALL_T_NS, 100 * HALL_NODES);
    assert_int_equal(hall.emergencies.looked_at, at);
}

static void go_round(struct hall *hall, uint32_t times, int64_t t_ns)
{
    for (uint32_t i = 0; i < times; i++)
        emergency_look(&hall->emergencies, &hall->ledger, t_ns, HALL_NODES);
}

/* Where a whole round has found nothing that holds raises back, nobody is asked node by node; whatever comes
 * up in a round counts for that round and the next. */
static void whether_anything_forbids_raises_is_found_out_in_rounds(void **state)
{
    (void)state;
    struct hall hall;
    const int64_t over_ns = 2 * NS_PER_S + 100 * NS_PER_MS;
    start(&hall, 10 * HALL_KW);
    go_round(&hall, 3, 0);
    assert_true(hall.emergencies.forbids_until_ns == INT64_MIN);
    amperes(&hall, STEADY_MA + 1, 0);
    for (uint32_t i = 0; i < 5; i++, go_round(&hall, 1, 0))
        assert_true(emergency_forbids_raise(&hall.emergencies, 0, NS_PER_S * 1000000));
    amperes(&hall, 1000, NS_PER_S);
    amperes(&hall, 1000, 2 * NS_PER_S);
    for (uint32_t i = 0; i < 5; i++, go_round(&hall, 1, 2 * NS_PER_S))
        assert_true(emergency_forbids_raise(&hall.emergencies, 0, over_ns - 1));
    assert_int_equal(hall.emergencies.forbids_until_ns, over_ns);
    assert_false(emergency_forbids_raise(&hall.emergencies, 0, over_ns));
    struct emergency handed = hall.emergency[HALL_LEFT];
    start(&hall, 10 * HALL_KW);
    go_round(&hall, 3, 0);
    handed.hot = true;
    emergency_hand(&hall.emergencies, &hall.ledger, HALL_LEFT, &handed);
    for (uint32_t i = 0; i < 5; i++, go_round(&hall, 1, 0))
        assert_true(emergency_forbids_raise(&hall.emergencies, 0, NS_PER_S * 1000000));
}

/* Peaks that come again before the limit is back: twice as long each time, an hour at most. */
static void peaks_that_come_again_hold_the_limit_down_for_longer(void **state)
{
    static const int64_t seconds[] = {60, 120, 240, 480, 960, 1920, 3600, 3600};
    (void)state;
    struct hall hall;
    start(&hall, 9500 * HALL_W);
    hall.node[HALL_LEFT].instant_peak_ma = 340000;
    int64_t t_ns = HALL_T_NS;
    for (size_t i = 0; i < sizeof seconds / sizeof *seconds; i++) {
        hall.reading.crest_milli = 2000;
        amperes(&hall, 170000, t_ns);
        assert_int_equal(hall.sums[HALL_LEFT].limit_mva[0][0], 16100 * HALL_W);
        hall.reading.crest_milli = 1600;
        t_ns += NS_PER_S;
        amperes(&hall, 100000, t_ns);
        t_ns += seconds[i] * NS_PER_S - 1;
        amperes(&hall, 100000, t_ns);
        assert_int_equal(hall.sums[HALL_LEFT].limit_mva[0][0], 16100 * HALL_W);
    }
    amperes(&hall, 100000, t_ns + 1);
    assert_int_equal(hall.sums[HALL_LEFT].limit_mva[0][0], 20 * HALL_KW);
}

/* One that is handed over is one of this controller's; one that had ended is none. */
static void an_emergency_handed_over_has_a_number_here(void **state)
{
    (void)state;
    struct hall hall;
    start(&hall, 9500 * HALL_W);
    struct emergency handed = hall.emergency[HALL_LEFT];
    handed.number = 77;
    emergency_hand(&hall.emergencies, &hall.ledger, HALL_RACK, &handed);
    assert_int_equal(hall.emergencies.entered, 0);
    handed.active = true;
    emergency_hand(&hall.emergencies, &hall.ledger, HALL_LEFT, &handed);
    assert_int_equal(hall.emergencies.entered, 1);
    assert_int_equal(hall.emergency[HALL_LEFT].number, 1);
    assert_true(active(&hall));
}

/* Nine tenths of nothing are left of a phase at a tenth of its nominal volts, which still is a phase;
 * below it the fuse of its sensing is gone, and the others tell. */
static void a_phase_below_a_tenth_of_its_volts_is_none(void **state)
{
    (void)state;
    static const struct {
        int32_t volts_mv, limit_kva;
    } at[] = {{9999, 20}, {10000, 2}};          /* 0.111 of 90 V, in half per cents: 0.11 */
    for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
        for (uint32_t p = 0; p < PHASES; p++) {
            struct hall hall;
            start_at_90_volts(&hall);
            for (uint32_t other = 0; other < PHASES; other++)
                hall.reading.voltage_mv[other] = other == p ? at[i].volts_mv : 100000;
            take(&hall, 0);
            take(&hall, NS_PER_S);
            assert_int_equal(limit_kva(&hall), at[i].limit_kva);
        }
    }
}

/* A crest of 1.415 peaks at 141.5 A for 100 A. */
static void a_crest_just_above_a_sines_counts_as_it_is(void **state)
{
    (void)state;
    struct hall hall;
    start(&hall, 10 * HALL_KW);
    hall.node[HALL_LEFT].instant_peak_ma = 141500;
    hall.reading.crest_milli = 1415;
    assert_int_equal(amperes(&hall, 99999, 0), EMERGENCY_NOTHING);
    assert_int_equal(amperes(&hall, 100000, 0), EMERGENCY_CUT);
}

/* 322 A of peak at a crest of 2 are 161 A; 0.95 of that are 0.805 of 190 A to the unit. */
static void the_limit_of_peaks_is_95_percent_to_the_unit(void **state)
{
    (void)state;
    struct hall hall;
    start(&hall, 9500 * HALL_W);
    hall.node[HALL_LEFT].steady_ma = 190000;
    hall.node[HALL_LEFT].instant_peak_ma = 322000;
    hall.reading.crest_milli = 2000;
    assert_int_equal(amperes(&hall, 161000, 0), EMERGENCY_CUT);
    assert_int_equal(hall.emergency[HALL_LEFT].peak_ppm, 805000);
}

/* "measured < 0.9 steady for 1 s": the calm that ended the last one ends no other. */
static void calm_is_counted_from_its_own_beginning(void **state)
{
    (void)state;
    struct hall hall;
    start(&hall, 9500 * HALL_W);
    amperes(&hall, STEADY_MA + 1, 0);
    amperes(&hall, 1000, 1);
    amperes(&hall, 1000, NS_PER_S + 1);
    assert_false(active(&hall));
    assert_int_equal(amperes(&hall, STEADY_MA + 1, 2 * NS_PER_S), EMERGENCY_CUT);
    amperes(&hall, 1000, 2 * NS_PER_S + 1);
    amperes(&hall, 1000, 3 * NS_PER_S);
    assert_true(active(&hall));
    amperes(&hall, 1000, 3 * NS_PER_S + 1);
    assert_false(active(&hall));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            a_load_that_stays_within_the_limit_ends_it_once_leases_are_within_it_for_ten_times_as_long),
        cmocka_unit_test(a_contingency_that_is_not_declared_keeps_no_emergency_up),
        cmocka_unit_test(it_does_not_end_so_while_leases_are_above_the_limit_or_the_load_is),
        cmocka_unit_test(a_meter_that_dies_in_it_leaves_nobody_cut_for_ever),
        cmocka_unit_test(a_dead_meters_emergency_lasts_while_leases_are_above_the_limit),
        cmocka_unit_test(peaks_within_the_steady_limit_lower_it_so_that_cut_and_raise_do_not_alternate),
        cmocka_unit_test(a_sag_from_above_is_left_to_time_to_trip_and_one_from_below_is_not),
        cmocka_unit_test(every_node_knows_each_host_below_it_once),
        cmocka_unit_test(a_host_with_both_cords_on_one_node_stands_there_once),
        cmocka_unit_test(before_any_reading_nothing_stands_and_no_raise_is_forbidden),
        cmocka_unit_test(current_above_the_steady_limit_on_any_phase_is_one),
        cmocka_unit_test(a_load_above_exposure_and_error_on_any_phase_is_one),
        cmocka_unit_test(apparent_power_is_current_times_voltage_of_the_same_phase),
        cmocka_unit_test(a_peak_at_the_instantaneous_element_on_any_phase_is_one),
        cmocka_unit_test(no_crest_counts_below_that_of_a_sine),
        cmocka_unit_test(without_an_instantaneous_element_no_peak_is_one),
        cmocka_unit_test(a_peak_of_one_milliampere_counts_where_that_is_the_element),
        cmocka_unit_test(what_stands_in_phases_that_a_node_does_not_have_is_nothing),
        cmocka_unit_test(a_node_without_a_device_has_no_emergency),
        cmocka_unit_test(emergencies_are_numbered_over_all_nodes),
        cmocka_unit_test(the_second_stage_comes_after_the_slowest_actuation_and_one_readings_age),
        cmocka_unit_test(the_third_stage_has_waited_for_the_second_and_is_told_once),
        cmocka_unit_test(there_is_no_second_stage_where_the_first_was_enough),
        cmocka_unit_test(it_ends_below_nine_tenths_for_the_whole_time_and_not_at_nine_tenths),
        cmocka_unit_test(readings_that_are_unsure_end_nothing),
        cmocka_unit_test(nine_tenths_are_exact_for_thousands_of_amperes),
        cmocka_unit_test(a_moment_above_begins_the_time_anew),
        cmocka_unit_test(it_does_not_end_while_somebody_disobeys),
        cmocka_unit_test(the_next_one_has_its_own_number_and_both_stages),
        cmocka_unit_test(raises_are_forbidden_during_it_and_for_its_hold_after),
        cmocka_unit_test(an_emergency_anywhere_above_any_cord_forbids_raises),
        cmocka_unit_test(a_voltage_low_for_a_second_on_any_phase_lowers_the_limit_with_it),
        cmocka_unit_test(in_a_sag_the_limit_falls_at_once_and_rises_by_two_steps),
        cmocka_unit_test(the_lowest_credible_voltage_itself_lowers_nothing),
        cmocka_unit_test(a_moment_of_good_voltage_begins_the_second_anew),
        cmocka_unit_test(the_limit_comes_back_after_a_minute_without),
        cmocka_unit_test(a_limit_that_somebody_else_lowered_is_not_restored_here),
        cmocka_unit_test(an_emergency_does_not_make_a_low_voltage_forgotten),
        cmocka_unit_test(an_emergency_does_not_make_a_lowered_limit_or_its_minute_forgotten),
        cmocka_unit_test(s_at_the_target_needs_no_scale_and_a_unit_above_does),
        cmocka_unit_test(only_what_is_governed_is_scaled),
        cmocka_unit_test(where_nothing_governed_fits_the_scale_is_nought),
        cmocka_unit_test(the_worst_phase_sets_the_scale),
        cmocka_unit_test(the_shot_is_three_quarters_of_the_smaller_of_cap_and_governed_draw),
        cmocka_unit_test(who_had_its_shot_is_cut_as_far_as_S_demands),
        cmocka_unit_test(a_stage_lasts_as_the_slowest_type_and_meter),
        cmocka_unit_test(without_a_lease_the_shot_goes_by_fail_safe),
        cmocka_unit_test(a_lease_of_no_watts_is_a_lease),
        cmocka_unit_test(the_shot_is_never_below_the_least_settable_cap),
        cmocka_unit_test(the_scale_bounds_what_the_lease_may_draw_at_the_wall),
        cmocka_unit_test(a_lease_at_the_base_alone_scales_to_nothing),
        cmocka_unit_test(the_shot_is_exact_to_the_milliwatt),
        cmocka_unit_test(the_target_is_exact_for_limits_that_are_no_whole_kilovoltamperes),
        cmocka_unit_test(the_shot_is_a_whole_number_of_quanta),
        cmocka_unit_test(the_meters_error_is_granted_to_the_unit),
        cmocka_unit_test(a_load_at_the_limit_ends_it_where_leases_are_within),
        cmocka_unit_test(a_round_looks_at_every_node_once),
        cmocka_unit_test(whether_anything_forbids_raises_is_found_out_in_rounds),
        cmocka_unit_test(peaks_that_come_again_hold_the_limit_down_for_longer),
        cmocka_unit_test(an_emergency_handed_over_has_a_number_here),
        cmocka_unit_test(a_phase_below_a_tenth_of_its_volts_is_none),
        cmocka_unit_test(a_crest_just_above_a_sines_counts_as_it_is),
        cmocka_unit_test(the_limit_of_peaks_is_95_percent_to_the_unit),
        cmocka_unit_test(calm_is_counted_from_its_own_beginning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
