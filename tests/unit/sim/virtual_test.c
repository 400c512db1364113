/* SPDX-License-Identifier: Apache-2.0 */
/* The closed loop in virtual time: it governs, it repeats, it survives a bad network. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "sim/baseline.h"
#include "sim/virtual.h"
#include "tiny_site.h"

struct bench {
    struct model model;
    struct workload workload;
    struct virtual_config config;
};

/* The demo's shape with 20 s of an overload that trips it when nobody governs. */
static void init_bench(struct bench *bench)
{
    memset(bench, 0, sizeof(*bench));
    tiny_site_init(&bench->model, &tiny_demo);
    tiny_site_policy(&bench->model);
    workload_defaults(&bench->workload);
    bench->workload.class_count = 2;
    bench->workload.class_of = calloc(bench->model.host_count, 1);
    bench->workload.breakers.tr_ns = NS_PER_S / 4;
    workload_class_defaults(&bench->workload.class[0], WORKLOAD_TRAIN);
    workload_class_defaults(&bench->workload.class[1], WORKLOAD_INFERENCE);
    for (uint32_t h = 0; h < bench->model.host_count; h++)
        bench->workload.class_of[h] = h >= 30;
    bench->config = (struct virtual_config){.duration_ns = 20 * NS_PER_S, .epoch = 1};
}

static void finish_bench(struct bench *bench)
{
    workload_unload(&bench->workload);
    tiny_site_finish(&bench->model);
}

static void what_trips_ungoverned_does_not_trip_governed(void **state)
{
    struct bench bench;
    struct outcome bare, governed;
    (void)state;
    init_bench(&bench);
    assert_int_equal(baseline_run(&bench.model, &bench.workload, PLANT_UNGOVERNED, bench.config.duration_ns,
                                  &bare), 0);
    assert_int_equal(virtual_run(&bench.model, &bench.workload, &bench.config, &governed), 0);
    assert_true(bare.trip_count >= 1);
    assert_int_equal(governed.trip_count, 0);
    assert_int_equal(governed.governor.invariant_failures, 0);
    assert_true(governed.caps.enforced > 60);
    outcome_finish(&bare);
    outcome_finish(&governed);
    finish_bench(&bench);
}

static void a_virtual_run_repeats_to_the_last_joule(void **state)
{
    struct bench bench;
    struct outcome first, second;
    (void)state;
    init_bench(&bench);
    bench.config.loss = 0.02;
    assert_int_equal(virtual_run(&bench.model, &bench.workload, &bench.config, &first), 0);
    assert_int_equal(virtual_run(&bench.model, &bench.workload, &bench.config, &second), 0);
    assert_true(first.energy_j == second.energy_j);
    assert_int_equal(first.caps.enforced, second.caps.enforced);
    assert_int_equal(first.lost, second.lost);
    assert_true(first.lost > 0);
    outcome_finish(&first);
    outcome_finish(&second);
    finish_bench(&bench);
}

/* Messages that pass decoded say what they would have said in bytes. */
static void a_run_through_the_wire_is_the_same_run(void **state)
{
    struct outcome outcome[2];
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct bench bench;
        init_bench(&bench);
        bench.config.loss = 0.02;
        bench.config.wire = i;
        assert_int_equal(virtual_run(&bench.model, &bench.workload, &bench.config, &outcome[i]), 0);
        finish_bench(&bench);
    }
    assert_true(outcome[0].energy_j == outcome[1].energy_j);
    assert_memory_equal(&outcome[0].governor, &outcome[1].governor, sizeof outcome[0].governor);
    assert_memory_equal(&outcome[0].caps, &outcome[1].caps, sizeof outcome[0].caps);
    for (int i = 0; i < 2; i++)
        outcome_finish(&outcome[i]);
}

/* All datagrams lost: hosts stay at fail-safe, nobody is hurt. One
 * in five lost: still governed, still no trip. */
static void loss_costs_energy_and_never_a_trip(void **state)
{
    const double loss[] = {0, 0.2, 1.0};
    double energy_j[3];
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct bench bench;
        struct outcome outcome;
        init_bench(&bench);
        bench.config.loss = loss[i];
        assert_int_equal(virtual_run(&bench.model, &bench.workload, &bench.config, &outcome), 0);
        assert_int_equal(outcome.trip_count, 0);
        energy_j[i] = outcome.energy_j;
        outcome_finish(&outcome);
        finish_bench(&bench);
    }
    assert_true(energy_j[1] > 1.2 * energy_j[2]);
    assert_true(energy_j[0] >= energy_j[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_trips_ungoverned_does_not_trip_governed),
        cmocka_unit_test(a_virtual_run_repeats_to_the_last_joule),
        cmocka_unit_test(a_run_through_the_wire_is_the_same_run),
        cmocka_unit_test(loss_costs_energy_and_never_a_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
