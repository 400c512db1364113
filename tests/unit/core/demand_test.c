/* SPDX-License-Identifier: Apache-2.0 */
/* What a host can use: the highest draw of a sliding time, everything while a cap holds it down. Four
 * stretches of 100 ns each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/demand.h"

enum { START_NS = 1000, BASE_MW = 1000000, QUANTUM_MW = 1000, CAP_MIN_MW = 200000, CAP_MAX_MW = 10000000 };

static const struct model_policy policy = {.demand_hold_ns = 400, .demand_headroom_ppm = 50000};
static const struct model_host_type type = {
    .cap_min_mw = CAP_MIN_MW, .cap_max_mw = CAP_MAX_MW, .base_max_mw = BASE_MW, .quantum_mw = QUANTUM_MW};

static void draws(struct demand *demand, int64_t after_ns, int64_t draw_mw)
{
    struct report report = {.draw_mw = draw_mw, .readback_mw = 9000000};
    demand_report(demand, &policy, &report, START_NS + after_ns);
}

static void is_held(struct demand *demand, int64_t after_ns, int64_t cap_mw)
{
    struct report report = {.flags = REPORT_AT_CAP, .readback_mw = cap_mw};
    demand_report(demand, &policy, &report, START_NS + after_ns);
}

static int64_t wanted_mw(const struct demand *demand, int64_t newest_cap_mw)
{
    return demand_cap_mw(demand, &policy, &type, newest_cap_mw, false, START_NS);
}

static void a_host_that_draws_nothing_can_use_the_least_cap(void **state)
{
    (void)state;
    struct demand demand;
    demand_init(&demand, START_NS);
    assert_int_equal(wanted_mw(&demand, 5000000), CAP_MIN_MW);
    assert_int_equal(wanted_mw(&demand, -1), CAP_MIN_MW);
    draws(&demand, 0, BASE_MW - 1);
    assert_int_equal(wanted_mw(&demand, 5000000), CAP_MIN_MW);
}

static void below_a_quantum_it_can_use_a_quantum(void **state)
{
    (void)state;
    struct model_host_type fine = type;
    struct demand demand;
    fine.cap_min_mw = 0;
    demand_init(&demand, START_NS);
    assert_int_equal(demand_cap_mw(&demand, &policy, &fine, -1, false, START_NS), QUANTUM_MW);
}

static void what_is_forgotten_leaves_nothing_behind(void **state)
{
    (void)state;
    struct model_host_type all_governed = type;
    struct demand demand;
    all_governed.cap_min_mw = all_governed.base_max_mw = 0;
    demand_init(&demand, START_NS);
    for (int64_t t_ns = 0; t_ns <= 800; t_ns += 100) {
        draws(&demand, t_ns, 0);
        assert_int_equal(demand_cap_mw(&demand, &policy, &all_governed, -1, false, START_NS), QUANTUM_MW);
    }
}

/* 2.5 W of 3.5 W are governed; 5 % of headroom and one quantum come on top. */
static void demand_is_governed_draw_with_headroom_and_a_quantum(void **state)
{
    (void)state;
    struct demand demand;
    demand_init(&demand, START_NS);
    draws(&demand, 0, 3500000);
    assert_int_equal(wanted_mw(&demand, -1), 2500000 + 125000 + 1000);
    draws(&demand, 1, 7000000);
    assert_int_equal(wanted_mw(&demand, -1), 6000000 + 300000 + 1000);
}

static void demand_never_passes_the_largest_cap(void **state)
{
    (void)state;
    struct demand demand;
    demand_init(&demand, START_NS);
    draws(&demand, 0, BASE_MW + 9600000);
    assert_int_equal(wanted_mw(&demand, -1), CAP_MAX_MW);
}

static void the_highest_draw_of_a_stretch_counts_not_its_last(void **state)
{
    (void)state;
    struct demand demand;
    demand_init(&demand, START_NS);
    draws(&demand, 0, 5000000);
    draws(&demand, 99, 2000000);
    assert_int_equal(wanted_mw(&demand, -1), 4201000);
}

static void a_draw_is_remembered_for_the_whole_time_and_no_longer(void **state)
{
    (void)state;
    for (int64_t stretch = 0; stretch < 8; stretch++) {
        struct demand demand;
        demand_init(&demand, START_NS);
        for (int64_t i = 0; i < stretch; i++)
            draws(&demand, 100 * i, 0);
        draws(&demand, 100 * stretch, 5000000);
        for (int64_t i = 1; i < 4; i++)
            draws(&demand, 100 * (stretch + i), 0);
        draws(&demand, 100 * stretch + 399, 0);
        assert_int_equal(wanted_mw(&demand, -1), 4201000);
        draws(&demand, 100 * stretch + 400, 0);
        assert_int_equal(wanted_mw(&demand, -1), CAP_MIN_MW);
    }
}

static void a_draw_at_the_end_of_a_stretch_is_remembered_for_three_quarters(void **state)
{
    (void)state;
    struct demand demand;
    demand_init(&demand, START_NS);
    draws(&demand, 99, 5000000);
    draws(&demand, 100, 2000000);
    draws(&demand, 399, 0);
    assert_int_equal(wanted_mw(&demand, -1), 4201000);
    draws(&demand, 400, 0);
    assert_int_equal(wanted_mw(&demand, -1), 1051000);
    draws(&demand, 499, 0);
    assert_int_equal(wanted_mw(&demand, -1), 1051000);
    draws(&demand, 500, 0);
    assert_int_equal(wanted_mw(&demand, -1), CAP_MIN_MW);
}

static void after_a_long_silence_everything_is_forgotten_and_time_begins_anew(void **state)
{
    (void)state;
    struct demand demand;
    demand_init(&demand, START_NS);
    for (int64_t i = 0; i < 4; i++)
        draws(&demand, 100 * i, 5000000);
    draws(&demand, 1050, 2000000);
    assert_int_equal(wanted_mw(&demand, -1), 1051000);
    assert_int_equal(demand.stretch_start_ns, START_NS + 1050);
    draws(&demand, 1449, 0);
    assert_int_equal(wanted_mw(&demand, -1), 1051000);
    draws(&demand, 1450, 0);
    assert_int_equal(wanted_mw(&demand, -1), CAP_MIN_MW);
}

static void a_silence_shorter_than_a_stretch_beyond_memory_keeps_the_grid(void **state)
{
    (void)state;
    struct demand demand;
    demand_init(&demand, START_NS);
    draws(&demand, 499, 0);
    assert_int_equal(demand.stretch_start_ns, START_NS + 400);
    demand_init(&demand, START_NS);
    draws(&demand, 501, 0);
    assert_int_equal(demand.stretch_start_ns, START_NS + 501);
    demand_init(&demand, START_NS);
    draws(&demand, 500, 0);
    assert_int_equal(demand.stretch_start_ns, START_NS + 500);
    demand_init(&demand, START_NS);
    draws(&demand, 350, 0);
    assert_int_equal(demand.stretch_start_ns, START_NS + 300);
}

/* "A host at its cap has unknown demand": safety.md section 9. */
static void a_host_held_at_its_cap_claims_all_it_may_have(void **state)
{
    (void)state;
    struct demand demand;
    demand_init(&demand, START_NS);
    is_held(&demand, 0, 4000000);
    assert_int_equal(wanted_mw(&demand, 4000000), CAP_MAX_MW);
    assert_int_equal(wanted_mw(&demand, 4000000 + QUANTUM_MW), CAP_MAX_MW);
}

static void once_raised_by_more_than_a_quantum_it_keeps_what_it_has(void **state)
{
    (void)state;
    struct demand demand;
    demand_init(&demand, START_NS);
    is_held(&demand, 0, 4000000);
    assert_int_equal(wanted_mw(&demand, 4000001 + QUANTUM_MW), 4000001 + QUANTUM_MW);
    draws(&demand, 10, 8000000);
    assert_int_equal(wanted_mw(&demand, 4000001 + QUANTUM_MW), 7351000);
    assert_int_equal(wanted_mw(&demand, 7500000), 7500000);
}

static void a_host_held_at_no_watts_at_all_is_held_too(void **state)
{
    (void)state;
    struct demand demand;
    demand_init(&demand, START_NS);
    is_held(&demand, 0, 0);
    assert_int_equal(wanted_mw(&demand, 0), CAP_MAX_MW);
    assert_int_equal(wanted_mw(&demand, 3000000), 3000000);
}

static void the_highest_cap_it_was_held_at_counts(void **state)
{
    (void)state;
    struct demand demand;
    demand_init(&demand, START_NS);
    is_held(&demand, 0, 4000000);
    is_held(&demand, 1, 3000000);
    draws(&demand, 2, 0);
    assert_int_equal(wanted_mw(&demand, 4000000), CAP_MAX_MW);
    is_held(&demand, 100, 5000000);
    assert_int_equal(wanted_mw(&demand, 5000000), CAP_MAX_MW);
    is_held(&demand, 200, 3000000);
    assert_int_equal(wanted_mw(&demand, 5000000), CAP_MAX_MW);
}

static void that_it_was_held_is_forgotten_with_the_time(void **state)
{
    (void)state;
    for (int64_t stretch = 0; stretch < 4; stretch++) {
        struct demand demand;
        demand_init(&demand, START_NS);
        is_held(&demand, 100 * stretch, 4000000);
        draws(&demand, 100 * stretch + 399, 0);
        assert_int_equal(wanted_mw(&demand, 4000000), CAP_MAX_MW);
        draws(&demand, 100 * stretch + 400, 0);
        assert_int_equal(wanted_mw(&demand, 4000000), CAP_MIN_MW);
    }
}

/* Two hours by two orders, and a grant beside them. */
static void forecasts_of_different_times_stand_side_by_side(void **state)
{
    (void)state;
    struct demand demand;
    demand_init(&demand, START_NS);
    demand_forecast(&demand, 5000000, START_NS - 5, START_NS + 1, START_NS);
    demand_forecast(&demand, 9000000, START_NS + 50, START_NS + 60, START_NS);
    assert_int_equal(wanted_mw(&demand, 0), 5000000);
    demand_granted(&demand, 0, START_NS, START_NS + 10);
    assert_int_equal(wanted_mw(&demand, 0), 5000000);
    demand_granted(&demand, 6000000, START_NS, START_NS + 1);
    assert_int_equal(wanted_mw(&demand, 0), 6000000);
    assert_int_equal(demand_cap_mw(&demand, &policy, &type, 0, false, START_NS + 50), 9000000);
    assert_int_equal(demand_cap_mw(&demand, &policy, &type, 0, false, START_NS + 60), CAP_MIN_MW);
}

static void a_forecast_takes_the_place_of_what_it_overlaps(void **state)
{
    (void)state;
    struct demand demand;
    demand_init(&demand, START_NS);
    demand_forecast(&demand, 5000000, START_NS, START_NS + 10, START_NS);
    demand_forecast(&demand, 9000000, START_NS + 20, START_NS + 30, START_NS);
    demand_forecast(&demand, 3000000, START_NS + 9, START_NS + 21, START_NS);   /* both */
    assert_int_equal(wanted_mw(&demand, 0), CAP_MIN_MW);
    assert_int_equal(demand_cap_mw(&demand, &policy, &type, 0, false, START_NS + 9), 3000000);
    assert_int_equal(demand_cap_mw(&demand, &policy, &type, 0, false, START_NS + 20), 3000000);
    assert_int_equal(demand_cap_mw(&demand, &policy, &type, 0, false, START_NS + 21), CAP_MIN_MW);
}

/* A third one beside two that stand: the later of them gives way, never the one of now. */
static void a_third_forecast_takes_the_place_of_the_last_to_begin(void **state)
{
    (void)state;
    struct demand demand;
    demand_init(&demand, START_NS);
    demand_forecast(&demand, 9000000, START_NS + 20, START_NS + 30, START_NS);
    demand_forecast(&demand, 5000000, START_NS, START_NS + 10, START_NS);
    demand_forecast(&demand, 7000000, START_NS + 40, START_NS + 50, START_NS);
    assert_int_equal(wanted_mw(&demand, 0), 5000000);
    assert_int_equal(demand_cap_mw(&demand, &policy, &type, 0, false, START_NS + 20), CAP_MIN_MW);
    assert_int_equal(demand_cap_mw(&demand, &policy, &type, 0, false, START_NS + 40), 7000000);
    /* the first is over: its place is free */
    demand_forecast(&demand, 6000000, START_NS + 12, START_NS + 13, START_NS + 10);
    assert_int_equal(demand_cap_mw(&demand, &policy, &type, 0, false, START_NS + 12), 6000000);
    assert_int_equal(demand_cap_mw(&demand, &policy, &type, 0, false, START_NS + 40), 7000000);
}

/* The same where the later one came second. */
static void the_place_of_the_last_to_begin_is_wherever_it_stands(void **state)
{
    (void)state;
    struct demand demand;
    demand_init(&demand, START_NS);
    demand_forecast(&demand, 5000000, START_NS, START_NS + 10, START_NS);
    demand_forecast(&demand, 9000000, START_NS + 20, START_NS + 30, START_NS);
    demand_forecast(&demand, 7000000, START_NS + 40, START_NS + 50, START_NS);
    assert_int_equal(wanted_mw(&demand, 0), 5000000);
    assert_int_equal(demand_cap_mw(&demand, &policy, &type, 0, false, START_NS + 20), CAP_MIN_MW);
    assert_int_equal(demand_cap_mw(&demand, &policy, &type, 0, false, START_NS + 40), 7000000);
    demand_forecast(&demand, 4000000, START_NS + 12, START_NS + 13, START_NS + 9);  /* the first lasts yet */
    assert_int_equal(demand_cap_mw(&demand, &policy, &type, 0, false, START_NS + 9), 5000000);
    assert_int_equal(demand_cap_mw(&demand, &policy, &type, 0, false, START_NS + 40), CAP_MIN_MW);
}

static void forecasts_that_meet_do_not_overlap(void **state)
{
    (void)state;
    for (int before = 0; before < 2; before++) {
        struct demand demand;
        demand_init(&demand, START_NS);
        demand_forecast(&demand, 5000000, START_NS + 10, START_NS + 20, START_NS);
        demand_forecast(&demand, 3000000, START_NS + (before ? 5 : 20), START_NS + (before ? 10 : 25),
                        START_NS);
        assert_int_equal(demand_cap_mw(&demand, &policy, &type, 0, false, START_NS + 10), 5000000);
        assert_int_equal(demand_cap_mw(&demand, &policy, &type, 0, false, START_NS + 19), 5000000);
        assert_int_equal(demand_cap_mw(&demand, &policy, &type, 0, false, START_NS + (before ? 9 : 20)),
                         3000000);
    }
}

/* A wish changes by time where a forecast or a grant begins or ends, and nowhere else. */
static void the_next_change_is_the_next_edge_of_a_forecast(void **state)
{
    (void)state;
    static const struct {
        int64_t at_ns, next_ns;
    } of[] = {{0, 10}, {9, 10}, {10, 15}, {15, 20}, {19, 20}, {20, 30}, {30, 40}, {39, 40}, {40, INT64_MAX},
              {99, INT64_MAX}};
    struct demand demand;
    demand_init(&demand, START_NS);
    assert_int_equal(demand_changes_ns(&demand, 0), INT64_MAX);
    demand_forecast(&demand, 5000000, 30, 40, 0);
    demand_forecast(&demand, 9000000, 10, 20, 0);
    demand_granted(&demand, 1000000, 0, 15);
    for (size_t i = 0; i < sizeof of / sizeof *of; i++)
        assert_int_equal(demand_changes_ns(&demand, of[i].at_ns), of[i].next_ns);
}

/* "twice as much each time that it was given so much and has taken it up": not for being held where it was,
 * not the first time, and not for less than it was probed by. */
static void a_probe_doubles_by_what_was_taken_up_alone(void **state)
{
    (void)state;
    struct demand demand;
    demand_init(&demand, START_NS);
    assert_int_equal(demand.probed_mw, 0);
    is_held(&demand, 0, 2000000);
    assert_int_equal(demand.probe_mw, 0);
    is_held(&demand, 1, 2001000);
    assert_int_equal(demand.probe_mw, 2000);
    is_held(&demand, 2, 2001000);
    assert_int_equal(demand.probe_mw, 2000);
    is_held(&demand, 3, 2003000);
    assert_int_equal(demand.probe_mw, 4000);
    is_held(&demand, 4, 2006999);
    assert_int_equal(demand.probe_mw, 4000);
    is_held(&demand, 5, 2010999);
    assert_int_equal(demand.probe_mw, 8000);
    is_held(&demand, 6, 2020999);               /* more than that: it may well take as much again */
    assert_int_equal(demand.probe_mw, 20000);
    is_held(&demand, 7, 2020998);
    assert_int_equal(demand.probe_mw, 0);
}

/* Where the watts are others': beside what it has, one quantum at least. */
static void a_host_among_others_is_probed_by_a_quantum_or_by_what_it_took_up(void **state)
{
    (void)state;
    struct demand demand;
    demand_init(&demand, START_NS);
    is_held(&demand, 0, 2000000);
    assert_int_equal(demand_cap_mw(&demand, &policy, &type, 2000000, true, START_NS), 2000000 + QUANTUM_MW);
    is_held(&demand, 1, 2000100);               /* a tenth of it */
    assert_int_equal(demand_cap_mw(&demand, &policy, &type, 2000100, true, START_NS), 2000100 + QUANTUM_MW);
    is_held(&demand, 2, 2001100);
    is_held(&demand, 3, 2001200);
    assert_int_equal(demand_cap_mw(&demand, &policy, &type, 2001200, true, START_NS),
                     2001200 + 2 * QUANTUM_MW);
}

/* What a controller before gave is wanted to the milliwatt or two. */
static void a_cap_that_was_handed_over_is_wanted(void **state)
{
    (void)state;
    static const int64_t cap_mw[] = {CAP_MIN_MW, 1234567, 2000000, 3999999, 7654321, CAP_MAX_MW};
    for (size_t i = 0; i < sizeof cap_mw / sizeof *cap_mw; i++) {
        struct demand demand;
        demand_init(&demand, START_NS);
        demand_handed(&demand, &policy, &type, cap_mw[i]);
        assert_in_range(wanted_mw(&demand, 0), cap_mw[i] - 2, cap_mw[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_host_that_draws_nothing_can_use_the_least_cap),
        cmocka_unit_test(below_a_quantum_it_can_use_a_quantum),
        cmocka_unit_test(what_is_forgotten_leaves_nothing_behind),
        cmocka_unit_test(demand_is_governed_draw_with_headroom_and_a_quantum),
        cmocka_unit_test(demand_never_passes_the_largest_cap),
        cmocka_unit_test(the_highest_draw_of_a_stretch_counts_not_its_last),
        cmocka_unit_test(a_draw_is_remembered_for_the_whole_time_and_no_longer),
        cmocka_unit_test(a_draw_at_the_end_of_a_stretch_is_remembered_for_three_quarters),
        cmocka_unit_test(after_a_long_silence_everything_is_forgotten_and_time_begins_anew),
        cmocka_unit_test(a_silence_shorter_than_a_stretch_beyond_memory_keeps_the_grid),
        cmocka_unit_test(a_host_held_at_its_cap_claims_all_it_may_have),
        cmocka_unit_test(once_raised_by_more_than_a_quantum_it_keeps_what_it_has),
        cmocka_unit_test(a_host_held_at_no_watts_at_all_is_held_too),
        cmocka_unit_test(the_highest_cap_it_was_held_at_counts),
        cmocka_unit_test(that_it_was_held_is_forgotten_with_the_time),
        cmocka_unit_test(forecasts_of_different_times_stand_side_by_side),
        cmocka_unit_test(a_forecast_takes_the_place_of_what_it_overlaps),
        cmocka_unit_test(a_third_forecast_takes_the_place_of_the_last_to_begin),
        cmocka_unit_test(the_place_of_the_last_to_begin_is_wherever_it_stands),
        cmocka_unit_test(forecasts_that_meet_do_not_overlap),
        cmocka_unit_test(the_next_change_is_the_next_edge_of_a_forecast),
        cmocka_unit_test(a_probe_doubles_by_what_was_taken_up_alone),
        cmocka_unit_test(a_host_among_others_is_probed_by_a_quantum_or_by_what_it_took_up),
        cmocka_unit_test(a_cap_that_was_handed_over_is_wanted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
