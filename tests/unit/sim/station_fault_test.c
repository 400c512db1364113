/* SPDX-License-Identifier: Apache-2.0 */
/* Faults of agents, watchdogs, clocks and meters: what they say and do before, during and after each. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "fault_bench.h"

#define BOUND_W(cap_w) (1500 + (cap_w) * 1.09375 / 1.05)

static bool draws(const struct bench *bench, double watts)
{
    return fabs(bench->plant.power_w[0] - watts) < 5;
}

/* Host 0 holds 4 kW until 3.9 s at the earliest, 4 s at the latest: the report it answers came within 100 ms
 * before 2 s. */
static struct bench *start_leased(void)
{
    struct bench *bench = bench_start(0.9);
    bench_run(bench, 1000);
    bench_lease(bench, 0, 4000, 10000);
    bench_run(bench, 2000);
    assert_true(draws(bench, BOUND_W(4000)));
    bench_lease(bench, 0, 4000, 2000);
    return bench;
}

static void the_watchdog_writes_fail_safe_for_a_dead_agent_at_the_deadline(void **state)
{
    struct bench *bench = start_leased();
    uint64_t incarnation = bench->last[0].incarnation;
    (void)state;
    bench_fault(bench, "agent h-000", true);
    bench_run(bench, 2001);
    uint32_t reports = bench->reports[0];
    bench_lease(bench, 0, 5000, 9000);                  /* nobody hears it */
    bench_run(bench, 3890);
    assert_true(draws(bench, BOUND_W(4000)));
    bench_run(bench, 4300);
    assert_true(draws(bench, BOUND_W(1600)));
    assert_int_equal(bench->reports[0], reports);
    bench_fault(bench, "agent h-000", false);
    bench_run(bench, 4500);
    assert_true(bench->reports[0] > reports && bench->last[0].incarnation != incarnation);
    assert_int_equal(bench->last[0].state, HOST_FAIL_SAFE);
    bench_finish(bench);
}

static void without_a_watchdog_the_cap_stays_until_a_new_agent_starts(void **state)
{
    struct bench *bench = start_leased();
    (void)state;
    bench_fault(bench, "watchdog h-000", true);
    bench_fault(bench, "agent h-000", true);
    bench_run(bench, 6000);
    assert_true(draws(bench, BOUND_W(4000)));
    bench_fault(bench, "agent h-000", false);           /* the other fault still keeps it down */
    bench_run(bench, 7000);
    assert_true(draws(bench, BOUND_W(4000)));
    bench_fault(bench, "watchdog h-000", false);
    bench_run(bench, 7500);
    assert_true(draws(bench, BOUND_W(1600)));
    bench_finish(bench);
}

/* Fail-safe was in force when the agent stopped, and its word says nothing: it was not seen for 2 s. */
static void the_watchdog_sees_that_fail_safe_stays_when_the_agent_stands_still(void **state)
{
    struct bench *bench = bench_start(0.9);
    (void)state;
    bench_run(bench, 1000);
    assert_true(draws(bench, BOUND_W(1600)));
    bench_fault(bench, "freeze h-000", true);
    bench_run(bench, 1500);
    bench_fault(bench, "reset h-000", true);
    bench_run(bench, 2800);
    assert_true(bench->plant.power_w[0] > BOUND_W(5000));
    bench_run(bench, 3600);
    assert_true(draws(bench, BOUND_W(1600)));
    bench_fault(bench, "reset h-000", true);            /* once more, and it is still there */
    bench_run(bench, 4200);
    assert_true(draws(bench, BOUND_W(1600)));
    bench_finish(bench);
}

/* It asks, and is leased meanwhile; let go it has its own limits, which no watchdog takes away; it comes back
 * to fail-safe. */
static void an_agent_that_is_told_to_stop_asks_and_is_let_go(void **state)
{
    struct bench *bench = start_leased();
    uint64_t incarnation = bench->last[0].incarnation;
    (void)state;
    bench->model.policy.let_go = 1;
    assert_false(bench->last[0].flags & REPORT_LEAVING);
    bench_fault(bench, "leave h-000", true);
    bench_run(bench, 2050);
    assert_true(bench->last[0].flags & REPORT_LEAVING);
    bench_lease(bench, 0, 4000, 2000);
    bench_run(bench, 2500);
    assert_true(draws(bench, BOUND_W(4000)));
    bench_let_go(bench, 0, 1600);
    bench_run(bench, 2510);
    uint32_t reports = bench->reports[0];
    bench_run(bench, 9000);
    assert_true(bench->plant.power_w[0] > BOUND_W(6000));
    assert_true(bench->station.agent[0].ended);
    assert_int_equal(bench->reports[0], reports);
    bench_fault(bench, "leave h-000", false);
    bench_run(bench, 9500);
    assert_true(draws(bench, BOUND_W(1600)));
    assert_true(bench->reports[0] > reports && bench->last[0].incarnation != incarnation);
    assert_false(bench->last[0].flags & REPORT_LEAVING);
    bench_finish(bench);
}

/* Nobody answers for two seconds, or the site does not let anybody go: fail-safe stays. One that was to come
 * back sooner comes back then. */
static void an_agent_that_nobody_lets_go_ends_at_fail_safe(void **state)
{
    (void)state;
    for (uint32_t asks = 0; asks < 2; asks++) {
        struct bench *bench = start_leased();
        bench->model.policy.let_go = asks;
        bench_lease(bench, 0, 4000, 9000);
        bench_fault(bench, "leave h-000", true);
        bench_run(bench, 2050 + 1900 * asks);
        assert_int_equal((bench->last[0].flags & REPORT_LEAVING) != 0, asks);
        assert_int_equal(bench->station.agent[0].leaving, asks);
        bench_run(bench, 4500);
        assert_true(bench->station.agent[0].ended);
        assert_true(draws(bench, BOUND_W(1600)));
        uint32_t reports = bench->reports[0];
        bench_run(bench, 9000);
        assert_int_equal(bench->reports[0], reports);
        assert_true(draws(bench, BOUND_W(1600)));
        bench_fault(bench, "leave h-000", false);
        bench_run(bench, 9500);
        assert_true(bench->reports[0] > reports);
        bench_fault(bench, "leave h-000", true);
        bench_fault(bench, "leave h-000", false);
        bench_run(bench, 12000);
        assert_false(bench->station.agent[0].ended || bench->station.agent[0].leaving);
        assert_int_equal(bench->last[0].state, HOST_FAIL_SAFE);
        bench_finish(bench);
    }
}

static void a_stopped_agent_goes_on_where_it_was_with_what_came_meanwhile(void **state)
{
    struct bench *bench = start_leased();
    uint64_t incarnation = bench->last[0].incarnation;
    (void)state;
    bench_fault(bench, "freeze h-000", true);
    bench_run(bench, 2100);
    uint32_t reports = bench->reports[0];
    bench_lease(bench, 0, 5000, 4000);
    bench_run(bench, 3890);
    assert_true(draws(bench, BOUND_W(4000)));
    assert_int_equal(bench->reports[0], reports);
    bench_run(bench, 4300);
    assert_true(draws(bench, BOUND_W(1600)));           /* the watchdog knows of the first lease only */
    bench_fault(bench, "freeze h-000", false);
    bench_run(bench, 4301);
    assert_int_equal(bench->station.holder[0].wanted_mw, 5000000);
    bench_run(bench, 5500);
    assert_true(draws(bench, BOUND_W(5000)));           /* it lasts until 6 s */
    assert_true(bench->last[0].incarnation == incarnation && bench->reports[0] > reports);
    bench_run(bench, 6500);
    assert_true(draws(bench, BOUND_W(1600)));
    bench_finish(bench);
}

static void a_stopped_agent_that_wakes_too_late_obeys_nothing_old(void **state)
{
    struct bench *bench = start_leased();
    (void)state;
    bench_fault(bench, "freeze h-000", true);
    bench_run(bench, 2100);
    bench_lease(bench, 0, 5000, 2000);
    bench_run(bench, 8000);
    uint64_t refused = bench->plant.outcome.caps.refused[HOLDER_EXPIRED_RAISE];
    bench_fault(bench, "freeze h-000", false);
    double most_w = 0;
    for (int64_t t_ms = 8000; t_ms < 8500; t_ms++) {
        bench_run(bench, t_ms + 1);
        most_w = fmax(most_w, bench->plant.power_w[0]);
    }
    assert_true(most_w < BOUND_W(1600) + 2);
    assert_int_equal(bench->plant.outcome.caps.refused[HOLDER_EXPIRED_RAISE], refused + 1);
    bench_finish(bench);
}

/* Its second is 0.8 of ours: a lease of 2 s is over after 1.6 s. */
static void a_fast_clock_shortens_a_lease_and_the_pause_between_reports(void **state)
{
    struct bench *bench = start_leased();
    (void)state;
    bench_fault(bench, "host-rate h-000 25%", true);
    bench_run(bench, 2100);
    bench_lease(bench, 0, 4000, 2000);
    uint32_t reports = bench->reports[0];
    int64_t from_ns = bench->last_ns[0];
    bench_run(bench, 3600);
    assert_in_range(bench->reports[0] - reports, 18, 20);
    assert_true(draws(bench, BOUND_W(4000)));
    bench_run(bench, from_ns / NS_PER_MS + 1599);
    assert_int_equal(bench->station.holder[0].state_wanted, HOST_LEASED);
    bench_run(bench, from_ns / NS_PER_MS + 1602);
    assert_int_equal(bench->station.holder[0].state_wanted, HOST_FAIL_SAFE);
    bench_fault(bench, "host-rate h-000 25%", false);
    bench_run(bench, 5000);
    reports = bench->reports[0];
    bench_run(bench, 6500);
    assert_in_range(bench->reports[0] - reports, 14, 16);
    bench_finish(bench);
}

static void a_host_that_sleeps_draws_nothing_and_wakes_into_a_new_incarnation(void **state)
{
    struct bench *bench = start_leased();
    uint64_t incarnation = bench->last[0].incarnation;
    (void)state;
    bench_fault(bench, "host-step h-000 3s", true);
    bench_run(bench, 2001);
    uint32_t reports = bench->reports[0];
    assert_true(draws(bench, 0));
    bench_run(bench, 4999);
    assert_true(draws(bench, 0));
    assert_int_equal(bench->reports[0], reports);
    int64_t lags_ns = bench->plant.t_ns - station_local_ns(&bench->station, 0, bench->plant.t_ns);
    bench_run(bench, 5002);
    assert_true(draws(bench, BOUND_W(4000)));           /* the device remembers its cap ... */
    assert_true(bench->last[0].incarnation != incarnation); /* ... the agent its sleep */
    assert_true(llabs(lags_ns - 3 * NS_PER_S) < 2 * NS_PER_MS);
    bench_run(bench, 5500);
    assert_true(draws(bench, BOUND_W(1600)));
    bench_finish(bench);
}

/* ---- meters ---- */

static const struct bench_frame *newest(const struct bench *bench)
{
    return &bench->frame[bench->frames - 1];
}

static double truth_a(const struct bench *bench)
{
    return bench_amperes(bench, BENCH_BRANCH);
}

/* What the newest frame reads of what flows. */
static double reads(const struct bench *bench)
{
    return newest(bench)->upmu.phase[0].current_rms_a / truth_a(bench);
}

/* Steady load, so one reading compares with the next. */
static struct bench *start_steady(void)
{
    struct bench *bench = bench_start(0.9);
    bench->workload.plant.meter_noise = 0;
    bench_run(bench, 2000);
    assert_true(fabs(reads(bench) - 1) < 0.006);
    return bench;
}

static void a_meter_reads_low_and_high_and_errors_multiply(void **state)
{
    struct bench *bench = start_steady();
    double right = reads(bench);
    (void)state;
    bench_fault(bench, "meter-error branch-1 -10%", true);
    bench_run(bench, 2100);
    assert_true(fabs(reads(bench) / right - 0.9) < 1e-6);
    double watts = newest(bench)->upmu.phase[1].power_active_w;
    assert_true(fabs(watts / bench->plant.grid.node[BENCH_BRANCH].power_w[1] - 0.9) < 0.01);
    assert_true(newest(bench)->upmu.phase[0].voltage_rms_v > 270);
    bench_fault(bench, "meter-error branch-1 50%", true);
    bench_run(bench, 2200);
    assert_true(fabs(reads(bench) / right - 1.35) < 1e-6);
    bench_fault(bench, "meter-error branch-1 -10%", false);
    bench_fault(bench, "meter-error branch-1 50%", false);
    bench_run(bench, 2300);
    assert_true(fabs(reads(bench) / right - 1) < 1e-6);
    bench_finish(bench);
}

/* bench_fault says `for 2s`: half of it after one. */
static void a_drift_grows_over_its_time(void **state)
{
    struct bench *bench = start_steady();
    double right = reads(bench);
    (void)state;
    bench_fault(bench, "meter-drift branch-1 -8%", true);
    bench_run(bench, 2032);
    assert_true(fabs(reads(bench) / right - 1) < 0.002);
    bench_run(bench, 3000);
    assert_true(fabs(reads(bench) / right - 0.96) < 0.001);
    bench_run(bench, 4000);
    assert_true(fabs(reads(bench) / right - 0.92) < 0.001);
    bench_fault(bench, "meter-drift branch-1 -8%", false);
    bench_run(bench, 4100);
    assert_true(fabs(reads(bench) / right - 1) < 1e-6);
    bench_finish(bench);
}

static void a_frozen_meter_repeats_itself_with_new_times(void **state)
{
    struct bench *bench = start_steady();
    (void)state;
    bench_fault(bench, "meter-freeze branch-1", true);
    bench_run(bench, 2100);
    bench_fault(bench, "other branch-1 30kW", true);
    uint32_t frames = bench->frames;
    double before_a = newest(bench)->upmu.phase[0].current_rms_a;
    bench_run(bench, 3000);
    assert_in_range(bench->frames - frames, 55, 57);
    assert_true(newest(bench)->upmu.phase[0].current_rms_a == before_a && truth_a(bench) > 1.3 * before_a);
    assert_true(newest(bench)->upmu.timestamp_ns == NS_PER_S + newest(bench)->t_ns);
    bench_fault(bench, "meter-freeze branch-1", false);
    bench_run(bench, 3100);
    assert_true(newest(bench)->upmu.phase[0].current_rms_a > 1.3 * before_a);
    bench_finish(bench);
}

static void a_late_meter_tells_the_right_time_and_says_all_when_it_is_well(void **state)
{
    struct bench *bench = start_steady();
    (void)state;
    uint32_t before = bench->frames;
    bench_fault(bench, "meter-delay branch-1 500ms", true);
    bench_run(bench, 2500);
    assert_int_equal(bench->frames, before);
    bench_run(bench, 3000);
    assert_in_range(bench->frames - before, 30, 32);
    int64_t late_ns = newest(bench)->t_ns + NS_PER_S - newest(bench)->upmu.timestamp_ns;
    assert_true(late_ns == 500 * NS_PER_MS);
    bench_fault(bench, "meter-delay branch-1 500ms", false);
    bench_run(bench, 3020);
    assert_in_range(bench->frames - before, 62, 65);
    late_ns = newest(bench)->t_ns + NS_PER_S - newest(bench)->upmu.timestamp_ns;
    assert_true(late_ns < 20 * NS_PER_MS);
    bench_finish(bench);
}

static void a_silent_meter_says_nothing_also_of_what_it_held_back(void **state)
{
    struct bench *bench = start_steady();
    (void)state;
    bench_fault(bench, "meter-delay branch-1 100ms", true);
    bench_run(bench, 2200);
    uint32_t before = bench->frames;
    bench_fault(bench, "meter-silent branch-1", true);
    bench_run(bench, 2600);
    assert_int_equal(bench->frames, before);
    bench_fault(bench, "meter-silent branch-1", false);
    bench_fault(bench, "meter-delay branch-1 100ms", false);
    bench_run(bench, 3000);
    assert_in_range(bench->frames - before, 24, 32);    /* 400 ms, and at most 100 ms of what was held */
    bench_finish(bench);
}

static void a_meter_clock_is_off_or_runs_fast_and_is_right_again(void **state)
{
    struct bench *bench = start_steady();
    (void)state;
    bench_fault(bench, "meter-step branch-1 -2s", true);
    bench_run(bench, 2100);
    int64_t off_ns = newest(bench)->upmu.timestamp_ns - NS_PER_S - newest(bench)->t_ns;
    assert_true(off_ns == -2 * NS_PER_S);
    bench_fault(bench, "meter-rate branch-1 1%", true);
    bench_run(bench, 3100);
    off_ns = newest(bench)->upmu.timestamp_ns - NS_PER_S - newest(bench)->t_ns;
    assert_true(llabs(off_ns + 1990 * NS_PER_MS) < NS_PER_MS);
    bench_fault(bench, "meter-step branch-1 -2s", false);
    bench_fault(bench, "meter-rate branch-1 1%", false);
    bench_run(bench, 3200);
    assert_true(newest(bench)->upmu.timestamp_ns == NS_PER_S + newest(bench)->t_ns);
    bench_finish(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_watchdog_writes_fail_safe_for_a_dead_agent_at_the_deadline),
        cmocka_unit_test(without_a_watchdog_the_cap_stays_until_a_new_agent_starts),
        cmocka_unit_test(the_watchdog_sees_that_fail_safe_stays_when_the_agent_stands_still),
        cmocka_unit_test(an_agent_that_is_told_to_stop_asks_and_is_let_go),
        cmocka_unit_test(an_agent_that_nobody_lets_go_ends_at_fail_safe),
        cmocka_unit_test(a_stopped_agent_goes_on_where_it_was_with_what_came_meanwhile),
        cmocka_unit_test(a_stopped_agent_that_wakes_too_late_obeys_nothing_old),
        cmocka_unit_test(a_fast_clock_shortens_a_lease_and_the_pause_between_reports),
        cmocka_unit_test(a_host_that_sleeps_draws_nothing_and_wakes_into_a_new_incarnation),
        cmocka_unit_test(a_meter_reads_low_and_high_and_errors_multiply),
        cmocka_unit_test(a_drift_grows_over_its_time),
        cmocka_unit_test(a_frozen_meter_repeats_itself_with_new_times),
        cmocka_unit_test(a_late_meter_tells_the_right_time_and_says_all_when_it_is_well),
        cmocka_unit_test(a_silent_meter_says_nothing_also_of_what_it_held_back),
        cmocka_unit_test(a_meter_clock_is_off_or_runs_fast_and_is_right_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
