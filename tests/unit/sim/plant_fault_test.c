/* SPDX-License-Identifier: Apache-2.0 */
/* Faults of hosts, load and power: what a host draws and a node carries before, during and after each. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "fault_bench.h"

/* Figures of tiny_site's host type: 1.5 kW that no cap governs, 1.6 kW fail-safe, 10.3 kW at most. Bounds of
 * caps without overshoot: 1.5 kW + cap x 1.09375 / 1.05. */
#define BOUND_W(cap_w) (1500 + (cap_w) * 1.09375 / 1.05)

static double draw_w(const struct bench *bench, uint32_t host)
{
    return bench->plant.power_w[host];
}

static bool near(double is, double wanted, double by)
{
    return fabs(is - wanted) <= by;
}

/* Fail-safe is in force after half a second; a lease of host 0 raises it to 4 kW of cap. */
static struct bench *start_leased(void)
{
    struct bench *bench = bench_start(0.9);
    bench_run(bench, 500);
    assert_true(near(draw_w(bench, 0), BOUND_W(1600), 1));
    bench_lease(bench, 0, 4000, 10000);
    bench_run(bench, 2000);
    assert_true(near(draw_w(bench, 0), BOUND_W(4000), 1));
    return bench;
}

static void reset_uncaps_until_the_agent_notices(void **state)
{
    struct bench *bench = start_leased();
    (void)state;
    bench_fault(bench, "reset h-000", true);
    bench_run(bench, 2049);
    assert_true(draw_w(bench, 0) > BOUND_W(4000) + 500);
    assert_true(near(draw_w(bench, 1), BOUND_W(1600), 1));
    bench_run(bench, 2600);
    assert_true(near(draw_w(bench, 0), BOUND_W(1600), 1));  /* a new incarnation, no lease */
    bench_finish(bench);
}

static void a_stuck_device_keeps_its_cap_and_reads_it_back(void **state)
{
    struct bench *bench = start_leased();
    (void)state;
    bench_fault(bench, "stick h-000", true);
    bench_lease(bench, 0, 2000, 10000);
    bench_run(bench, 3000);
    assert_true(near(draw_w(bench, 0), BOUND_W(4000), 1));
    assert_int_equal(bench->last[0].readback_mw, 4000000);
    assert_true(bench->last[0].cap_mw >= 4000000);
    bench_fault(bench, "stick h-000", false);
    bench_run(bench, 3500);
    assert_true(near(draw_w(bench, 0), BOUND_W(2000), 1));
    assert_int_equal(bench->last[0].readback_mw, 2000000);
    bench_finish(bench);
}

static void a_lying_device_keeps_its_cap_and_says_what_was_asked_for(void **state)
{
    struct bench *bench = start_leased();
    (void)state;
    bench_fault(bench, "lie h-000", true);
    bench_run(bench, 2400);
    assert_int_equal(bench->last[0].readback_mw, 4000000);
    bench_lease(bench, 0, 2000, 10000);
    bench_run(bench, 3000);
    assert_true(near(draw_w(bench, 0), BOUND_W(4000), 1));
    assert_int_equal(bench->last[0].readback_mw, 2000000);
    assert_int_equal(bench->last[0].cap_mw, 2000000);
    /* then the truth comes out, and the agent looks at it within twice the notice */
    bench_fault(bench, "lie h-000", false);
    bench_run(bench, 3500);
    assert_true(near(draw_w(bench, 0), BOUND_W(2000), 1));
    bench_finish(bench);
}

static void a_stalled_write_comes_later_and_reports_go_on(void **state)
{
    struct bench *bench = start_leased();
    (void)state;
    bench_fault(bench, "stall h-000 1s", true);
    bench_fault(bench, "stall rack-3 500ms", true);
    bench_lease(bench, 0, 2000, 10000);
    uint32_t reports = bench->reports[0];
    bench_run(bench, 3490);
    assert_true(near(draw_w(bench, 0), BOUND_W(4000), 1));
    assert_true(bench->reports[0] - reports >= 14);
    assert_int_equal(bench->last[0].cap_mw, 4000000);
    bench_run(bench, 3800);
    assert_true(near(draw_w(bench, 0), BOUND_W(2000), 1));
    bench_fault(bench, "stall h-000 1s", false);
    bench_fault(bench, "stall rack-3 500ms", false);
    bench_lease(bench, 0, 3000, 10000);
    bench_run(bench, 4800);
    assert_true(near(draw_w(bench, 0), BOUND_W(3000), 5));
    bench_finish(bench);
}

static void overdraw_stands_above_what_the_cap_allows_and_shares_multiply(void **state)
{
    struct bench *bench = start_leased();
    (void)state;
    bench_fault(bench, "overdraw h-000 20%", true);
    bench_run(bench, 2010);
    assert_true(near(draw_w(bench, 0), BOUND_W(4000) * 1.2, 1));
    bench_fault(bench, "overdraw rack-3 10%", true);
    bench_run(bench, 2020);
    assert_true(near(draw_w(bench, 0), BOUND_W(4000) * 1.32, 1));
    assert_true(near(draw_w(bench, 1), BOUND_W(1600) * 1.1, 1));
    bench_fault(bench, "overdraw h-000 20%", false);
    bench_run(bench, 2030);
    assert_true(near(draw_w(bench, 0), BOUND_W(4000) * 1.1, 1));
    bench_fault(bench, "overdraw rack-3 10%", false);
    bench_run(bench, 2040);
    assert_true(near(draw_w(bench, 0), BOUND_W(4000), 0.5));
    bench_finish(bench);
}

/* Declared is 5 % of what is governed, for 20 ms; that much stays below draw_max, this goes beyond it. */
static void overshoot_stands_above_draw_max_for_a_fifth_of_a_second_after_a_step(void **state)
{
    const double draw_max_w = 1500 + 3000 * 1.09375;
    struct bench *bench = start_leased();
    (void)state;
    bench_fault(bench, "overshoot h-000 20%", true);
    bench_run(bench, 2100);
    assert_true(near(draw_w(bench, 0), BOUND_W(4000), 1));      /* no step, nothing to overshoot */
    bench_lease(bench, 0, 3000, 10000);
    bench_run(bench, 2290);
    assert_true(near(draw_w(bench, 0), draw_max_w * 1.2, 5));
    bench_run(bench, 2330);
    assert_true(near(draw_w(bench, 0), BOUND_W(3000), 1));
    bench_fault(bench, "overshoot h-000 20%", false);
    bench_lease(bench, 0, 2000, 10000);
    bench_run(bench, 2430);
    assert_true(near(draw_w(bench, 0), BOUND_W(2000), 10));
    bench_finish(bench);
}

/* 2 kW by somebody else, 4 kW kept, and 3 kW is never taken: 4 kW comes up when the other lets go. */
static void a_cap_that_sticks_below_a_foreign_limit_is_not_taken_for_the_lower_one(void **state)
{
    struct bench *bench = start_leased();
    (void)state;
    bench_fault(bench, "foreign h-000 25%", true);
    bench_fault(bench, "stick h-000", true);
    bench_run(bench, 2400);
    bench_lease(bench, 0, 3000, 10000);
    bench_run(bench, 3400);
    assert_int_equal(bench->last[0].readback_mw, 2000000);
    assert_int_equal(bench->last[0].cap_mw, 4000000);
    assert_int_equal(bench->last[0].held_ns, 0);
    bench_fault(bench, "stick h-000", false);
    bench_run(bench, 4400);
    assert_int_equal(bench->last[0].cap_mw, 3000000);
    assert_true(bench->last[0].held_ns > 0);
    bench_finish(bench);
}

static void the_lower_of_cap_and_foreign_limit_binds(void **state)
{
    struct bench *bench = start_leased();
    (void)state;
    bench_fault(bench, "foreign h-000 25%", true);      /* of 8 kW */
    bench_run(bench, 2400);
    assert_true(near(draw_w(bench, 0), BOUND_W(2000), 1));
    assert_int_equal(bench->last[0].readback_mw, 2000000);
    assert_true(bench->last[0].flags & REPORT_FOREIGN_LIMIT);
    assert_true(near(draw_w(bench, 1), BOUND_W(1600), 1));
    bench_fault(bench, "foreign h-000 25%", false);
    bench_run(bench, 4000);
    assert_true(near(draw_w(bench, 0), BOUND_W(4000), 1));
    assert_false(bench->last[0].flags & REPORT_FOREIGN_LIMIT);
    bench_finish(bench);
}

/* Its agent sees it by itself, says so at once, and has its cap again when the other lets go. */
static void a_cap_that_somebody_raises_is_read_back_and_told(void **state)
{
    struct bench *bench = start_leased();
    (void)state;
    bench_fault(bench, "raise h-000 75%", true);        /* of 8 kW */
    bench_run(bench, 2160);
    assert_int_equal(bench->last[0].readback_mw, 6000000);
    assert_true(bench->last[0].cap_mw >= 6000000);
    bench_run(bench, 3800);
    assert_true(near(draw_w(bench, 0), BOUND_W(6000), 1));
    assert_true(near(draw_w(bench, 1), BOUND_W(1600), 1));
    bench_lease(bench, 0, 2000, 10000);
    bench_run(bench, 4600);
    assert_true(near(draw_w(bench, 0), BOUND_W(6000), 1));
    bench_fault(bench, "raise h-000 75%", false);
    bench_run(bench, 6500);
    assert_true(near(draw_w(bench, 0), BOUND_W(2000), 1));
    assert_int_equal(bench->last[0].readback_mw, 2000000);
    bench_finish(bench);
}

/* Held up to less than it stands at is no change. */
static void a_cap_above_is_not_raised(void **state)
{
    struct bench *bench = start_leased();
    (void)state;
    bench_fault(bench, "raise h-000 25%", true);
    bench_run(bench, 2600);
    assert_true(near(draw_w(bench, 0), BOUND_W(4000), 1));
    assert_int_equal(bench->last[0].readback_mw, 4000000);
    bench_finish(bench);
}

static void a_reboot_is_dark_then_comes_with_an_inrush_and_without_a_cap(void **state)
{
    struct bench *bench = start_leased();
    uint64_t incarnation = bench->last[0].incarnation;
    (void)state;
    bench_fault(bench, "reboot h-000", true);
    bench_run(bench, 2001);
    uint32_t reports = bench->reports[0];
    bench_run(bench, 3000);
    assert_true(draw_w(bench, 0) == 0);
    assert_true(draw_w(bench, 1) > 1000);
    assert_int_equal(bench->reports[0], reports);
    bench_fault(bench, "reboot h-000", false);
    bench_run(bench, 3010);
    assert_true(near(draw_w(bench, 0), 12300, 1));
    bench_run(bench, 3023);
    assert_true(draw_w(bench, 0) > BOUND_W(1600) && draw_w(bench, 0) <= 0.9 * 10300);
    bench_run(bench, 3500);
    assert_true(near(draw_w(bench, 0), BOUND_W(1600), 1));
    assert_true(bench->last[0].incarnation != incarnation);
    bench_finish(bench);
}

/* Two reboots that overlap are one that lasts until both are over. */
static void faults_that_overlap_end_in_any_order(void **state)
{
    struct bench *bench = start_leased();
    (void)state;
    bench_fault(bench, "reboot h-000", true);
    bench_fault(bench, "reboot rack-3", true);
    bench_run(bench, 2100);
    bench_fault(bench, "reboot h-000", false);
    bench_run(bench, 2200);
    assert_true(draw_w(bench, 0) == 0 && draw_w(bench, 1) == 0);
    bench_fault(bench, "reboot rack-3", false);
    bench_fault(bench, "reboot rack-3", false);         /* an end without a beginning */
    bench_run(bench, 2700);
    assert_true(near(draw_w(bench, 0), BOUND_W(1600), 1) && near(draw_w(bench, 1), BOUND_W(1600), 1));
    bench_finish(bench);
}

static double wants_w(const struct bench *bench, uint32_t host)
{
    return bench->plant.profile.watts[host];
}

static void surge_pulse_and_idle_bend_what_jobs_want_and_the_newest_counts(void **state)
{
    struct bench *bench = bench_start(0.5);
    (void)state;
    bench_run(bench, 1000);
    assert_true(near(wants_w(bench, 0), 5150, 1e-6));
    bench_fault(bench, "idle rack-3", true);
    bench_run(bench, 1001);
    assert_true(near(wants_w(bench, 0), 1030, 1e-6) && near(wants_w(bench, 10), 5150, 1e-6));
    bench_fault(bench, "surge h-000", true);
    bench_run(bench, 1002);
    assert_true(near(wants_w(bench, 0), 10300, 1e-6) && near(wants_w(bench, 1), 1030, 1e-6));
    bench_fault(bench, "pulse branch-1 100ms", true);
    double highest_w = 0, lowest_w = INFINITY, mean_w = 0;
    for (int64_t t_ms = 1100; t_ms < 1300; t_ms++) {
        bench_run(bench, t_ms + 1);
        assert_true(wants_w(bench, 0) == wants_w(bench, 29));   /* in step */
        highest_w = fmax(highest_w, wants_w(bench, 29));
        lowest_w = fmin(lowest_w, wants_w(bench, 29));
        mean_w += wants_w(bench, 29) / 200;
    }
    assert_true(near(highest_w, 10300, 1e-6) && near(lowest_w, 1030, 1e-6) && near(mean_w, 5665, 1));
    bench_fault(bench, "pulse branch-1 100ms", false);
    bench_run(bench, 1301);
    assert_true(near(wants_w(bench, 0), 10300, 1e-6) && near(wants_w(bench, 1), 1030, 1e-6));
    bench_fault(bench, "idle rack-3", false);
    bench_fault(bench, "surge h-000", false);
    bench_run(bench, 1302);
    assert_true(near(wants_w(bench, 0), 5150, 1e-6) && near(wants_w(bench, 1), 5150, 1e-6));
    bench_finish(bench);
}

static void a_dark_node_takes_all_below_it_and_gives_it_back(void **state)
{
    struct bench *bench = start_leased();
    (void)state;
    bench_fault(bench, "dark branch-1", true);
    bench_fault(bench, "dark main-0", true);
    bench_run(bench, 2010);
    assert_true(draw_w(bench, 0) == 0 && draw_w(bench, 59) == 0 && bench_volts(bench, BENCH_MAIN) == 0);
    bench_fault(bench, "dark main-0", false);
    bench_run(bench, 2020);
    assert_true(draw_w(bench, 0) == 0 && draw_w(bench, 59) > 0);
    assert_true(bench_amperes(bench, BENCH_BRANCH) == 0 && bench_volts(bench, BENCH_BRANCH_B) > 270);
    bench_fault(bench, "dark branch-1", false);
    bench_run(bench, 2030);
    assert_true(near(draw_w(bench, 0), 12300, 1));
    bench_run(bench, 2600);
    assert_true(near(draw_w(bench, 0), BOUND_W(1600), 1));
    bench_finish(bench);
}

static void in_a_sag_voltage_falls_and_current_rises_at_constant_power(void **state)
{
    struct bench *bench = start_leased();
    (void)state;
    double volts = bench_volts(bench, BENCH_BRANCH), amperes = bench_amperes(bench, BENCH_BRANCH);
    double watts = draw_w(bench, 0);
    bench_fault(bench, "sag branch-1 20%", true);
    bench_run(bench, 2010);
    assert_true(near(bench_volts(bench, BENCH_BRANCH), 0.8 * volts, 0.5));
    assert_true(near(bench_amperes(bench, BENCH_BRANCH), amperes / 0.8, 1));
    assert_true(near(bench_volts(bench, BENCH_RACK), 0.8 * volts, 1));
    assert_true(bench_volts(bench, BENCH_BRANCH_B) > 0.99 * volts);
    assert_true(near(draw_w(bench, 0), watts, 1));
    bench_fault(bench, "sag main-0 10%", true);
    bench_run(bench, 2020);
    assert_true(near(bench_volts(bench, BENCH_BRANCH), 0.72 * volts, 0.5));
    bench_fault(bench, "sag branch-1 20%", false);
    bench_fault(bench, "sag main-0 10%", false);
    bench_run(bench, 2030);
    assert_true(near(bench_volts(bench, BENCH_BRANCH), volts, 0.01));
    assert_true(near(bench_amperes(bench, BENCH_BRANCH), amperes, 0.01));
    bench_finish(bench);
}

static double node_w(const struct bench *bench, uint32_t node)
{
    const double *watts = bench->plant.grid.node[node].power_w;
    return watts[0] + watts[1] + watts[2];
}

static void other_load_appears_over_all_phases_adds_up_and_goes(void **state)
{
    struct bench *bench = start_leased();
    (void)state;
    double before_w = node_w(bench, BENCH_BRANCH), above_w = node_w(bench, BENCH_MAIN);
    bench_fault(bench, "other branch-1 12kW", true);
    bench_fault(bench, "other branch-1 3kW", true);
    bench_run(bench, 2010);
    assert_true(near(node_w(bench, BENCH_BRANCH) - before_w, 15000, 1));
    assert_true(near(node_w(bench, BENCH_MAIN) - above_w, 15000, 1));
    assert_true(near(node_w(bench, BENCH_RACK), draw_w(bench, 0) + 9 * BOUND_W(1600), 20));
    const double *phase_w = bench->plant.grid.node[BENCH_BRANCH].power_w;
    assert_true(near(phase_w[0], phase_w[2], 1));
    bench_fault(bench, "other branch-1 12kW", false);
    bench_run(bench, 2020);
    assert_true(near(node_w(bench, BENCH_BRANCH) - before_w, 3000, 1));
    bench_fault(bench, "other branch-1 3kW", false);
    bench_run(bench, 2030);
    assert_true(near(node_w(bench, BENCH_BRANCH), before_w, 1));
    bench_finish(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reset_uncaps_until_the_agent_notices),
        cmocka_unit_test(a_stuck_device_keeps_its_cap_and_reads_it_back),
        cmocka_unit_test(a_lying_device_keeps_its_cap_and_says_what_was_asked_for),
        cmocka_unit_test(a_stalled_write_comes_later_and_reports_go_on),
        cmocka_unit_test(overdraw_stands_above_what_the_cap_allows_and_shares_multiply),
        cmocka_unit_test(overshoot_stands_above_draw_max_for_a_fifth_of_a_second_after_a_step),
        cmocka_unit_test(a_cap_that_sticks_below_a_foreign_limit_is_not_taken_for_the_lower_one),
        cmocka_unit_test(the_lower_of_cap_and_foreign_limit_binds),
        cmocka_unit_test(a_cap_that_somebody_raises_is_read_back_and_told),
        cmocka_unit_test(a_cap_above_is_not_raised),
        cmocka_unit_test(a_reboot_is_dark_then_comes_with_an_inrush_and_without_a_cap),
        cmocka_unit_test(faults_that_overlap_end_in_any_order),
        cmocka_unit_test(surge_pulse_and_idle_bend_what_jobs_want_and_the_newest_counts),
        cmocka_unit_test(a_dark_node_takes_all_below_it_and_gives_it_back),
        cmocka_unit_test(in_a_sag_voltage_falls_and_current_rises_at_constant_power),
        cmocka_unit_test(other_load_appears_over_all_phases_adds_up_and_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
