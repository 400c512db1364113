/* SPDX-License-Identifier: Apache-2.0 */
/* Demand response on the plant: hosts whose caps take effect as late as real ones do, a network that delays,
 * and the load at the main seen by nobody's model. "30 % in 1 s." */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/virtual.h"
#include "tiny_site.h"

enum { MAIN = 0, ORDER_S = 10, END_S = 20 };

struct bench {
    struct model model;
    struct workload workload;
    struct virtual_config config;
};

/* The demo's shape, all its hosts training at full pace. */
static void init_bench(struct bench *bench, uint64_t seed)
{
    memset(bench, 0, sizeof *bench);
    tiny_site_init(&bench->model, &tiny_demo);
    tiny_site_policy(&bench->model);
    workload_defaults(&bench->workload);
    bench->workload.seed = seed;
    bench->workload.class_count = 1;
    bench->workload.class_of = calloc(bench->model.host_count, 1);
    workload_class_defaults(&bench->workload.class[0], WORKLOAD_TRAIN);
    bench->config = (struct virtual_config){.duration_ns = END_S * NS_PER_S, .epoch = 1,
                                            .order_ns = ORDER_S * NS_PER_S};
}

static void finish_bench(struct bench *bench)
{
    workload_unload(&bench->workload);
    tiny_site_finish(&bench->model);
}

static double load_w(const struct outcome *outcome, uint32_t sample)
{
    return (double)outcome->series.load_w[(size_t)sample * outcome->series.node_count + MAIN];
}

/* The highest load of the second before the order. */
static double load_before_w(const struct outcome *outcome)
{
    double most_w = 0;
    for (uint32_t i = (ORDER_S - 1) * 10; i < ORDER_S * 10; i++)
        most_w = load_w(outcome, i) > most_w ? load_w(outcome, i) : most_w;
    return most_w;
}

/* Samples of 100 ms after the order until the load is at or below the cap for good. They are of one
 * millisecond: a host that steps up passes its own cap by 5 % for 20 ms, of which a reading shows a part. */
static uint32_t samples_above(const struct outcome *outcome, double cap_w)
{
    uint32_t last = ORDER_S * 10;
    for (uint32_t i = last; i < outcome->series.samples; i++)
        last = load_w(outcome, i) > 1.01 * cap_w ? i + 1 : last;
    return last - ORDER_S * 10;
}

/* Below what hosts draw at their floors: told, once, and nothing else happens. */
static void a_cap_below_the_floors_is_a_breach_and_no_emergency(void **state)
{
    (void)state;
    struct bench bench;
    struct outcome free_run, ordered;
    init_bench(&bench, 1);
    assert_int_equal(virtual_run(&bench.model, &bench.workload, &bench.config, &free_run), 0);
    struct slot_order order = {.kind = ORDER_CAP, .number = 1, .node = MAIN, .value_mw = 50000000};
    bench.config.order = &order;
    assert_int_equal(virtual_run(&bench.model, &bench.workload, &bench.config, &ordered), 0);
    assert_int_equal(ordered.governor.breaches, 1);
    assert_int_equal(ordered.governor.orders, 1);
    assert_int_equal(ordered.governor.emergencies, free_run.governor.emergencies);
    assert_int_equal(ordered.governor.invariant_failures, 0);
    assert_true(load_w(&ordered, ordered.series.samples - 1) < 200e3);
    outcome_finish(&free_run);
    outcome_finish(&ordered);
    finish_bench(&bench);
}

static void thirty_per_cent_in_a_second(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct bench bench;
        struct outcome free_run, ordered;
        init_bench(&bench, seed);
        assert_int_equal(virtual_run(&bench.model, &bench.workload, &bench.config, &free_run), 0);
        double before_w = load_before_w(&free_run);
        struct slot_order order = {.kind = ORDER_CAP, .number = 1, .node = MAIN, .within_ns = NS_PER_S,
                                   .value_mw = (int64_t)(before_w * 700)};
        bench.config.order = &order;
        assert_int_equal(virtual_run(&bench.model, &bench.workload, &bench.config, &ordered), 0);
        double cap_w = 0.7 * before_w;
        double end_w = load_w(&ordered, ordered.series.samples - 1);
        printf("seed %llu: %.1f kW before, cap %.1f kW; below it for good after %u ms; %.1f kW in the end; "
               "%llu breaches\n", (unsigned long long)seed, before_w / 1e3, cap_w / 1e3,
               samples_above(&ordered, cap_w) * 100, end_w / 1e3,
               (unsigned long long)ordered.governor.breaches);
        assert_in_range(samples_above(&free_run, cap_w), (END_S - ORDER_S) * 10 - 20, 1000);
        assert_in_range(samples_above(&ordered, cap_w), 1, 5);
        assert_int_equal(ordered.governor.breaches, 0);
        assert_int_equal(ordered.governor.emergencies, free_run.governor.emergencies);
        assert_int_equal(ordered.governor.invariant_failures, 0);
        outcome_finish(&free_run);
        outcome_finish(&ordered);
        finish_bench(&bench);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thirty_per_cent_in_a_second),
        cmocka_unit_test(a_cap_below_the_floors_is_a_breach_and_no_emergency),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
