/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Steps of 1, 2 and 4 ms tell the same story: energy, heat, trips, what meters read. What a step of 4 ms
 * hides: edges and cap writes fall on multiples of it, so each may come up to 4 ms later.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "fault_bench.h"
#include "sim/baseline.h"
#include "sim/virtual.h"

static const int64_t step_ms[] = {1, 2, 4};
enum { STEPS = sizeof(step_ms) / sizeof(step_ms[0]), MAIN = 0, BRANCH = 1 };

struct stand {
    struct model model;
    struct workload workload;
};

/* The demo's shape: half train in step, half serve. */
static void start(struct stand *stand, int64_t step_ns)
{
    memset(stand, 0, sizeof(*stand));
    tiny_site_init(&stand->model, &tiny_demo);
    tiny_site_policy(&stand->model);
    workload_defaults(&stand->workload);
    stand->workload.plant.step_ns = step_ns;
    stand->workload.class_count = 2;
    stand->workload.class_of = calloc(stand->model.host_count, 1);
    stand->workload.breakers.tr_ns = NS_PER_S / 4;
    workload_class_defaults(&stand->workload.class[0], WORKLOAD_TRAIN);
    workload_class_defaults(&stand->workload.class[1], WORKLOAD_INFERENCE);
    for (uint32_t h = 0; h < stand->model.host_count; h++)
        stand->workload.class_of[h] = h >= 30;
}

static void finish(struct stand *stand)
{
    workload_unload(&stand->workload);
    tiny_site_finish(&stand->model);
}

static bool close_to(double left, double right, double share)
{
    return fabs(left - right) <= share * fabs(right);
}

static void governed_runs_agree_in_energy_work_and_heat(void **state)
{
    struct outcome outcome[STEPS];
    (void)state;
    for (int i = 0; i < STEPS; i++) {
        struct stand stand;
        const struct virtual_config config = {.duration_ns = 60 * NS_PER_S, .epoch = 1};
        start(&stand, step_ms[i] * NS_PER_MS);
        assert_int_equal(virtual_run(&stand.model, &stand.workload, &config, &outcome[i]), 0);
        finish(&stand);
        assert_int_equal(outcome[i].trip_count, 0);
        assert_int_equal(outcome[i].governor.invariant_failures, 0);
        assert_true(close_to(outcome[i].demand_j, outcome[0].demand_j, 0.001));
        assert_true(close_to(outcome[i].energy_j, outcome[0].energy_j, 0.005));
        assert_true(close_to(outcome[i].class_work_j[0], outcome[0].class_work_j[0], 0.01));
        assert_true(close_to(outcome[i].node[BRANCH].worst_heat, outcome[0].node[BRANCH].worst_heat, 0.02));
        assert_true(close_to(outcome[i].node[MAIN].mean_w, outcome[0].node[MAIN].mean_w, 0.005));
    }
    for (int i = 0; i < STEPS; i++)
        outcome_finish(&outcome[i]);
}

static void what_trips_ungoverned_trips_at_the_same_time(void **state)
{
    struct outcome outcome[STEPS];
    (void)state;
    for (int i = 0; i < STEPS; i++) {
        struct stand stand;
        start(&stand, step_ms[i] * NS_PER_MS);
        assert_int_equal(baseline_run(&stand.model, &stand.workload, PLANT_UNGOVERNED, 20 * NS_PER_S,
                                      &outcome[i]), 0);
        finish(&stand);
        assert_true(outcome[0].trip_count >= 1);
        assert_int_equal(outcome[i].trip_count, outcome[0].trip_count);
        for (uint32_t trip = 0; trip < outcome[0].trip_count; trip++) {
            int64_t later_ns = outcome[i].trip[trip].t_ns - outcome[0].trip[trip].t_ns;
            assert_int_equal(outcome[i].trip[trip].node, outcome[0].trip[trip].node);
            assert_int_equal(outcome[i].trip[trip].element, outcome[0].trip[trip].element);
            assert_true(llabs(later_ns) <= 8 * NS_PER_MS);
        }
    }
    for (int i = 0; i < STEPS; i++)
        outcome_finish(&outcome[i]);
}

struct seen {
    double joules, squares_a2s;         /* over 2 s, of the branch */
    double metered_j, worst_heat;
};

/* A pulse of all hosts of the branch from the driver's defaults, after which there is no cap. */
static struct seen pulses(int64_t step_ns, const char *pulse)
{
    struct bench *bench = bench_start(0.5);
    const struct grid_node *node = &bench->plant.grid.node[BRANCH];
    struct seen seen = {0};
    bench->plant.step_ns = bench->plant.grid.step_ns = step_ns;
    bench->workload.plant.meter_noise = 0;
    bench_fault(bench, "watchdog main-0", true);
    bench_fault(bench, "reset main-0", true);
    bench_fault(bench, pulse, true);
    bench_run(bench, 1000);
    grid_sum_up(&bench->plant.grid);
    struct grid_sums before = node->sums;
    uint32_t first = bench->frames;
    bench_run(bench, 3000);
    grid_sum_up(&bench->plant.grid);
    for (int phase = 0; phase < PHASES; phase++) {
        seen.joules += node->sums.power_ws[phase] - before.power_ws[phase];
        for (uint32_t i = first; i < bench->frames; i++)
            seen.metered_j += bench->frame[i].upmu.phase[phase].power_active_w * 0.016;
    }
    seen.squares_a2s = node->sums.amperes2_s[0] - before.amperes2_s[0];
    seen.worst_heat = bench->plant.outcome.node[BRANCH].worst_heat;
    bench_finish(bench);
    return seen;
}

/* 8 ms on and 8 ms off, and 20 on and 20 off: breakers and meters see every edge. */
static void edges_of_eight_milliseconds_are_seen_by_breakers_and_meters(void **state)
{
    static const char *const pulse[] = {"pulse branch-1 16ms", "pulse branch-1 40ms"};
    (void)state;
    for (int p = 0; p < 2; p++) {
        struct seen fine = pulses(NS_PER_MS, pulse[p]);
        for (int i = 1; i < STEPS; i++) {
            struct seen coarse = pulses(step_ms[i] * NS_PER_MS, pulse[p]);
            assert_true(close_to(coarse.joules, fine.joules, 0.005));
            assert_true(close_to(coarse.squares_a2s, fine.squares_a2s, 0.005));
            assert_true(close_to(coarse.worst_heat, fine.worst_heat, 0.01));
            assert_true(close_to(coarse.metered_j, coarse.joules, 0.02));
        }
    }
}

/* A host that rises from idle to its cap stands 5 % above it for 20 ms. */
static void an_overshoot_of_twenty_milliseconds_is_seen(void **state)
{
    double excess_j[STEPS];
    (void)state;
    for (int i = 0; i < STEPS; i++) {
        struct bench *bench = bench_start(0.9);
        double bound_w = 1500 + 1600 * 1.09375 / 1.05, most_w = 0;
        excess_j[i] = 0;
        bench->plant.step_ns = bench->plant.grid.step_ns = step_ms[i] * NS_PER_MS;
        bench_run(bench, 1000);
        bench_fault(bench, "idle h-000", true);
        bench_run(bench, 1400);
        bench_fault(bench, "idle h-000", false);
        while (bench->plant.t_ns < 1500 * NS_PER_MS) {
            bench_run(bench, bench->plant.t_ns / NS_PER_MS + step_ms[i]);
            most_w = fmax(most_w, bench->plant.power_w[0]);
            excess_j[i] += fmax(bench->plant.power_w[0] - bound_w, 0) * (double)step_ms[i] / 1e3;
        }
        assert_true(close_to(most_w, 1500 + 1600 * 1.09375, 0.001));
        assert_true(close_to(excess_j[i], excess_j[0], 0.01));
        bench_finish(bench);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(governed_runs_agree_in_energy_work_and_heat),
        cmocka_unit_test(what_trips_ungoverned_trips_at_the_same_time),
        cmocka_unit_test(edges_of_eight_milliseconds_are_seen_by_breakers_and_meters),
        cmocka_unit_test(an_overshoot_of_twenty_milliseconds_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
