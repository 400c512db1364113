/* SPDX-License-Identifier: Apache-2.0 */
/* The plant as a whole: power is conserved, seeds decide everything,
 * workloads have the means they were written with. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "sim/baseline.h"
#include "tiny_site.h"

/* Half trains, a quarter serves, a quarter starts. */
static void init_workload(struct workload *workload, const struct model *model)
{
    workload_defaults(workload);
    workload->class_count = 3;
    workload->class_of = calloc(model->host_count, 1);
    for (int kind = 0; kind <= WORKLOAD_STARTER; kind++) {
        workload_class_defaults(&workload->class[kind], (enum workload_kind)kind);
        strcpy(workload->class[kind].name, (const char *[]){"training", "serving", "starting"}[kind]);
    }
    for (uint32_t h = 0; h < model->host_count; h++)
        workload->class_of[h] = (uint8_t)(h < model->host_count / 2 ? 0 : 1 + h % 2);
}

static double node_w(const struct plant *plant, uint32_t node)
{
    const struct grid_node *n = &plant->grid.node[node];
    return n->power_w[0] + n->power_w[1] + n->power_w[2];
}

static double other_w(const struct plant *plant)
{
    double sum_w = 0;
    for (uint32_t n = 0; n < plant->model->node_count; n++) {
        for (int phase = 0; phase < PHASES; phase++)
            sum_w += plant->grid.node[n].live ? plant->grid.node[n].other_w[phase] : 0;
    }
    return sum_w;
}

static void power_is_conserved_up_the_tree_before_and_after_a_trip(void **state)
{
    struct model model;
    struct workload workload;
    struct plant plant;
    (void)state;
    tiny_site_init(&model, &tiny_demo);
    init_workload(&workload, &model);
    assert_int_equal(plant_init(&plant, &model, &workload, PLANT_UNGOVERNED), 0);
    for (int64_t step = 0; step < 60000; step++) {
        double sum_w = 0, other_before_w = other_w(&plant);
        plant_step(&plant, NULL, NULL);
        for (uint32_t h = 0; h < model.host_count; h++)
            sum_w += plant.power_w[h];
        assert_true(fabs(node_w(&plant, 0) - sum_w - other_before_w) < 1e-3);
    }
    assert_true(plant.grid.trip_count >= 1);
    uint32_t tripped = plant.grid.trip[0].node;
    assert_true(node_w(&plant, tripped) == 0);
    for (uint32_t h = 0; h < model.host_count / 2; h++)
        assert_true(tripped != 1 || plant.power_w[h] == 0);
    plant_finish(&plant);
    workload_unload(&workload);
    tiny_site_finish(&model);
}

/* Three balanced phases: I = P / (3 V pf), V = nominal less the regulation of two levels at these loads. */
static void currents_follow_from_power_voltage_and_power_factor(void **state)
{
    struct model model;
    struct workload workload;
    struct grid grid;
    double watts[60];
    (void)state;
    tiny_site_init(&model, &tiny_demo);
    init_workload(&workload, &model);
    workload.plant.regulation = 0;
    assert_int_equal(grid_init(&grid, &model, &workload, true), 0);
    for (int h = 0; h < 60; h++)
        watts[h] = 5000;
    grid_step(&grid, watts, NS_PER_MS, NS_PER_MS);
    for (int phase = 0; phase < PHASES; phase++)
        assert_true(fabs(grid.node[3].amperes[phase] - 50000 / 3.0 / 277.128 / 0.98) < 0.01);
    grid_finish(&grid);
    workload_unload(&workload);
    tiny_site_finish(&model);
}

static double energy_of_seed(const struct model *model, struct workload *workload, uint64_t seed)
{
    struct outcome outcome;
    workload->seed = seed;
    assert_int_equal(baseline_run(model, workload, PLANT_ORACLE, 10 * NS_PER_S, &outcome), 0);
    double energy_j = outcome.energy_j;
    outcome_finish(&outcome);
    return energy_j;
}

static void the_same_seed_gives_the_same_run_and_another_seed_another(void **state)
{
    struct model model;
    struct workload workload;
    (void)state;
    tiny_site_init(&model, &tiny_demo);
    init_workload(&workload, &model);
    double first_j = energy_of_seed(&model, &workload, 11);
    assert_true(first_j == energy_of_seed(&model, &workload, 11));
    assert_true(first_j != energy_of_seed(&model, &workload, 12));
    workload_unload(&workload);
    tiny_site_finish(&model);
}

static void demand_is_the_same_whatever_the_mode(void **state)
{
    struct model model;
    struct workload workload;
    double demand_j[4];
    (void)state;
    tiny_site_init(&model, &tiny_demo);
    init_workload(&workload, &model);
    for (int mode = PLANT_UNGOVERNED; mode <= PLANT_ORACLE; mode++) {
        struct outcome outcome;
        assert_int_equal(baseline_run(&model, &workload, (enum plant_mode)mode, 10 * NS_PER_S, &outcome), 0);
        demand_j[mode] = outcome.demand_j;
        outcome_finish(&outcome);
        assert_true(demand_j[mode] == demand_j[0]);
    }
    workload_unload(&workload);
    tiny_site_finish(&model);
}

/* Long-run means: train by its duty, inference by burst / (burst + quiet), starter by its turns. */
static void classes_have_the_means_they_were_written_with(void **state)
{
    struct model model;
    struct workload workload;
    struct forecast forecast;
    double mean[3] = {0};
    (void)state;
    tiny_site_init(&model, &tiny_demo);
    init_workload(&workload, &model);
    assert_int_equal(forecast_init(&forecast, &model, &workload, 600 * NS_PER_S), 0);
    for (uint32_t h = 0; h < model.host_count; h++)
        mean[workload.class_of[h]] += forecast.mean_w[h] / 10300.0 / (workload.class_of[h] ? 15.0 : 30.0);
    double train = (28.0 * 0.80 + 2.0 * 0.20) / 30.0;
    double inference = (4 * 0.15 + 3 * 0.95) / 7.0;
    double starter = (6 * 0.12 + 0.535 + 5 * 0.95) / 12.0;
    assert_true(fabs(mean[0] - train) < 0.005);
    assert_true(fabs(mean[1] - inference) < 0.03);
    assert_true(fabs(mean[2] - starter) < 0.005);
    forecast_finish(&forecast);
    workload_unload(&workload);
    tiny_site_finish(&model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(power_is_conserved_up_the_tree_before_and_after_a_trip),
        cmocka_unit_test(currents_follow_from_power_voltage_and_power_factor),
        cmocka_unit_test(the_same_seed_gives_the_same_run_and_another_seed_another),
        cmocka_unit_test(demand_is_the_same_whatever_the_mode),
        cmocka_unit_test(classes_have_the_means_they_were_written_with),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
