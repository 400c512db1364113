/* SPDX-License-Identifier: Apache-2.0 */
/* Baselines that are too weak flatter the governor: the static optimum
 * against brute force, the oracle against its bound. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "sim/baseline.h"
#include "sim/capacity.h"
#include "tiny_site.h"

enum { HOSTS = 4, STEPS = 9 };

/* One branch of two racks of two hosts with caps of 1600, 2400 .. 8000 W, and a random forecast. */
struct tiny {
    struct model model;
    struct workload workload;
    struct forecast forecast;
};

static void init_forecast(struct forecast *forecast, struct random *random)
{
    forecast->host_count = HOSTS;
    forecast->levels = 64;
    forecast->mean_w = calloc(HOSTS, sizeof(double));
    forecast->above = calloc(HOSTS * 64, sizeof(double));
    for (int h = 0; h < HOSTS; h++) {
        double share = 1.0;
        for (int i = 0; i < 64; i++) {
            share *= random_unit(random) < 0.15 ? random_unit(random) : 1.0;
            forecast->above[h * 64 + i] = share;
            forecast->mean_w[h] += share * 10300 / 64;
        }
    }
}

static void init_tiny(struct tiny *tiny, struct random *random)
{
    const struct tiny_shape shape = {.branches = 1, .racks = 2, .hosts = 2, .main_a = 1000, .branch_a = 1000,
                                     .rack_a = 1000, .k = 0};
    tiny_site_init(&tiny->model, &shape);
    workload_defaults(&tiny->workload);
    tiny->model.type[0].quantum_mw = 800000;
    tiny_site_limit(&tiny->model, 1, (int64_t)random_between(random, 5e6, 13e6));   /* the branch */
    tiny_site_limit(&tiny->model, 2, (int64_t)random_between(random, 2.5e6, 8e6));  /* a rack */
    init_forecast(&tiny->forecast, random);
}

static double value_w(const struct tiny *tiny, const int64_t *cap_mw)
{
    double sum_w = 0;
    for (uint32_t h = 0; h < HOSTS; h++) {
        double bound_w = (double)cap_mw[h] / 1e3 * 1.09375 / tiny->workload.plant.overshoot + 1500;
        sum_w += forecast_mean_under_w(&tiny->forecast, h, 10300, fmin(bound_w, 10300));
    }
    return sum_w;
}

static bool is_safe(const struct tiny *tiny, const int64_t *cap_mw)
{
    struct capacity capacity;
    bool safe = true;
    assert_int_equal(capacity_init(&capacity, &tiny->model), 0);
    for (uint32_t h = 0; h < HOSTS; h++)
        safe = capacity_move(&capacity, h, 0, capacity_draw_mw(&tiny->model, h, cap_mw[h])) && safe;
    capacity_finish(&capacity);
    return safe;
}

static double best_by_force_w(const struct tiny *tiny)
{
    double best_w = -1;
    for (int code = 0; code < STEPS * STEPS * STEPS * STEPS; code++) {
        int64_t cap_mw[HOSTS];
        for (int h = 0, rest = code; h < HOSTS; h++, rest /= STEPS)
            cap_mw[h] = 1600000 + rest % STEPS * INT64_C(800000);
        double value = value_w(tiny, cap_mw);
        if (value > best_w && is_safe(tiny, cap_mw))
            best_w = value;
    }
    return best_w;
}

static void static_caps_are_the_optimum_that_brute_force_finds(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct tiny tiny;
        struct random random;
        int64_t cap_mw[HOSTS];
        random_init(&random, seed, RANDOM_DEMAND, 0);
        init_tiny(&tiny, &random);
        assert_int_equal(baseline_static(&tiny.model, &tiny.workload, &tiny.forecast, KNOWS_DISTRIBUTION,
                                         cap_mw), 0);
        double found_w = value_w(&tiny, cap_mw), best_w = best_by_force_w(&tiny);
        if (best_w >= 0 && (!is_safe(&tiny, cap_mw) || fabs(found_w - best_w) > 1e-6))
            fail_msg("seed %d: %.3f W, brute force %.3f W", (int)seed, found_w, best_w);
        forecast_finish(&tiny.forecast);
        tiny_site_finish(&tiny.model);
    }
}

/* Every bound kept at every instant, and no watt left that anybody could still take. */
static void the_oracle_keeps_every_bound_and_leaves_nothing(void **state)
{
    struct model model;
    struct random random;
    double demand_w[60], granted_w[60];
    (void)state;
    tiny_site_init(&model, &tiny_demo);
    random_init(&random, 5, RANDOM_DEMAND, 0);
    struct oracle *oracle = oracle_create(&model, NULL);
    for (int round = 0; round < 300; round++) {
        double sum_w[2] = {0}, wanted_w[2] = {0};
        double hunger = random_between(&random, 0.2, 1.0);
        for (int h = 0; h < 60; h++)
            demand_w[h] = 10300 * fmin(1, hunger * random_between(&random, 0.2, 1.6));
        oracle_grant(oracle, demand_w, granted_w);
        for (int h = 0; h < 60; h++) {
            assert_true(granted_w[h] <= demand_w[h] + 1e-6);
            sum_w[h / 30] += granted_w[h];
            wanted_w[h / 30] += demand_w[h];
        }
        for (int b = 0; b < 2; b++) {
            double room_w = (double)capacity_room_mva(&model, 1 + (uint32_t)b, 0, 0) / 1e3 * 0.98 / 0.333334;
            assert_true(fabs(sum_w[b] - fmin(wanted_w[b], room_w)) < 1.0);
        }
    }
    oracle_destroy(oracle);
    tiny_site_finish(&model);
}

static double granted_below_w(const double *granted_w, int first, int count)
{
    double sum_w = 0;
    for (int h = first; h < first + count; h++)
        sum_w += granted_w[h];
    return sum_w;
}

/* Branch 1 lends: no bad, other load as it flows, nominal volts instead of the lowest. Branch 2 does not. */
static void where_a_node_lends_the_oracle_fills_the_level_of_its_pool(void **state)
{
    struct model model;
    double demand_w[60], granted_w[60];
    (void)state;
    tiny_site_init(&model, &tiny_demo);
    struct model_node *branch = &model.node[1];
    branch->lend = 1;
    branch->level_mva = branch->level_burst_mva = branch->limit_mva[0][0];
    struct oracle *oracle = oracle_create(&model, NULL);
    for (int h = 0; h < 60; h++)
        demand_w[h] = 9000;
    oracle_grant(oracle, demand_w, granted_w);
    double level_w = (249.375 * 277.128 - 333.334) * 0.98 / 0.333334;
    double steady_w = (double)capacity_room_mva(&model, 2, 0, 0) / 1e3 * 0.98 / 0.333334;
    assert_true(fabs(granted_below_w(granted_w, 0, 30) - level_w) < 1.0);
    assert_true(fabs(granted_below_w(granted_w, 30, 30) - steady_w) < 1.0);
    assert_true(level_w > steady_w * 1.09);
    oracle_destroy(oracle);
    tiny_site_finish(&model);
}

static void a_burst_lasts_as_long_as_its_credit(void **state)
{
    struct model model;
    double demand_w[60], granted_w[60], level_w, burst_w = 0;
    int steps = 0;
    (void)state;
    tiny_site_init(&model, &tiny_demo);
    struct model_node *branch = &model.node[1];
    branch->lend = 1;
    branch->level_mva = branch->limit_mva[0][0];
    branch->level_burst_mva = branch->level_mva / 16 * 17;
    /* half a second of it, at the lowest volts that levels are written at and the nominal ones that flow */
    branch->burst_credit_va_ns_max = (branch->level_burst_mva - branch->level_mva) / 1000 * (NS_PER_S / 2);
    struct oracle *oracle = oracle_create(&model, NULL);
    for (int h = 0; h < 60; h++)
        demand_w[h] = 9000;
    oracle_grant(oracle, demand_w, granted_w);
    double first_w = burst_w = granted_below_w(granted_w, 0, 30);
    for (; burst_w > first_w - 1 && steps < 2000; steps++) {
        oracle_grant(oracle, demand_w, granted_w);
        burst_w = granted_below_w(granted_w, 0, 30);
    }
    level_w = (249.375 * 277.128 - 333.334) * 0.98 / 0.333334;
    assert_in_range(steps, 490, 510);
    assert_true(fabs(burst_w - level_w) < 1.0);
    assert_true(first_w > level_w * 1.06);
    oracle_destroy(oracle);
    tiny_site_finish(&model);
}

/* Host 0 on both branches alone. Losing branch 1 puts all of it on branch 2: with reserve kept that binds
 * before anything is lost, with reserve lent only then. */
static void a_reserve_that_is_lent_binds_when_its_feed_is_lost(void **state)
{
    struct model model;
    struct workload workload;
    struct grid grid;
    double demand_w[60] = {10000}, granted_w[60];
    (void)state;
    tiny_site_init(&model, &tiny_demo);
    workload_defaults(&workload);
    model.host[0].cord[1] = model.host[0].cord[0];
    model.host[0].cord[1].node = 6;
    model.host[0].cord_count = 2;
    model.contingency_count = 2;
    model.contingency[1] = (struct model_contingency){.kind = CONTINGENCY_LOSS, .lost_node = 1};
    model.host[0].cord[0].share_ppm[0] = model.host[0].cord[1].share_ppm[0] = 550000;
    model.host[0].cord[1].share_ppm[1] = PPM;
    tiny_site_limit(&model, 2, 2000000);
    for (int phase = 0; phase < PHASES; phase++)
        for (uint32_t n = 0; n < model.node_count; n++)
            model.node[n].limit_mva[1][phase] = model.node[n].limit_mva[0][phase];
    assert_int_equal(grid_init(&grid, &model, &workload, true), 0);
    for (int lend = 0; lend < 2; lend++) {
        model.node[2].lend = lend ? 2 : 0;
        struct oracle *oracle = oracle_create(&model, &grid);
        oracle_grant(oracle, demand_w, granted_w);
        double all_w = 2000 * 0.98 / 0.333334;
        assert_true(fabs(granted_w[0] - (lend ? 10000 : all_w)) < 1.0);
        grid_lose(&grid, 1, true);
        oracle_grant(oracle, demand_w, granted_w);
        assert_true(fabs(granted_w[0] - all_w) < 1.0);
        grid_lose(&grid, 1, false);
        oracle_destroy(oracle);
    }
    grid_finish(&grid);
    tiny_site_finish(&model);
}

/* 250 A x 277 V x 3 x 0.98 x 0.65 = 132.4 kW: twelve hosts of 10.3 kW on each branch. */
static void derating_switches_on_twelve_hosts_a_branch(void **state)
{
    struct model model;
    struct forecast forecast = {.host_count = 60};
    bool on[60];
    uint32_t branch_a = 0;
    (void)state;
    tiny_site_init(&model, &tiny_demo);
    forecast.mean_w = calloc(60, sizeof(double));
    for (int h = 0; h < 60; h++)
        forecast.mean_w[h] = 1000 + h;
    assert_int_equal(baseline_derated(&model, &forecast, on), 24);
    for (int h = 0; h < 30; h++)
        branch_a += on[h];
    assert_int_equal(branch_a, 12);
    assert_true(on[59] && on[29] && !on[0] && !on[30]);     /* highest means first */
    /* a busbar of 125 A without a device: half of that, six hosts */
    model.node[1].rating_ma = model.node[1].long_time_ma = 0;
    model.node[1].steady_ma = 125000;
    assert_int_equal(baseline_derated(&model, &forecast, on), 18);
    free(forecast.mean_w);
    tiny_site_finish(&model);
}

/* Half train in step, the others serve bursts and start by turns: as the demo. */
static void init_mixed(struct workload *workload, const struct model *model)
{
    workload_defaults(workload);
    workload->warmup_ns = 3 * NS_PER_S;
    workload->class_count = WORKLOAD_KIND_COUNT;
    workload->class_of = calloc(model->host_count, 1);
    for (int kind = 0; kind < WORKLOAD_KIND_COUNT; kind++)
        workload_class_defaults(&workload->class[kind], (enum workload_kind)kind);
    for (uint32_t h = 0; h < model->host_count; h++)
        workload->class_of[h] = (uint8_t)(h < model->host_count / 2 ? 0 : 1 + h % 2);
}

static double oracle_energy_j(const struct model *model, const struct workload *workload, bool exact)
{
    struct plant plant;
    assert_int_equal(plant_init(&plant, model, workload, PLANT_ORACLE), 0);
    struct oracle *oracle = oracle_create(model, &plant.grid);
    if (exact)
        oracle_be_exact(oracle);
    while (plant.t_ns < 40 * NS_PER_S)
        plant_step(&plant, oracle_grant, oracle);
    double energy_j = plant.outcome.energy_j;
    oracle_destroy(oracle);
    plant_finish(&plant);
    return energy_j;
}

/* What the oracle saves time by costs it next to nothing; branch 1 lends, so that volts and credit matter. */
static void an_oracle_that_holds_loses_less_than_a_thousandth(void **state)
{
    struct model model;
    struct workload workload;
    (void)state;
    tiny_site_init(&model, &tiny_demo);
    model.node[1].lend = 1;
    model.node[1].level_mva = model.node[1].limit_mva[0][0];
    model.node[1].level_burst_mva = model.node[1].level_mva / 16 * 17;
    model.node[1].burst_credit_va_ns_max = model.node[1].level_mva / 1000 * NS_PER_S;
    init_mixed(&workload, &model);
    double exact_j = oracle_energy_j(&model, &workload, true);
    double held_j = oracle_energy_j(&model, &workload, false);
    if (held_j < 0.999 * exact_j || held_j > 1.001 * exact_j)
        fail_msg("exact %.0f J, held %.0f J", exact_j, held_j);
    workload_unload(&workload);
    tiny_site_finish(&model);
}

static void fixed_caps_bring_what_their_plan_says(void **state)
{
    struct model model;
    struct workload workload;
    struct outcome outcome;
    (void)state;
    tiny_site_init(&model, &tiny_demo);
    init_mixed(&workload, &model);
    assert_int_equal(baseline_run(&model, &workload, PLANT_STATIC, 40 * NS_PER_S, &outcome), 0);
    assert_string_equal(outcome.variant, "distribution");
    double planned_j = outcome.distribution_plan_j;
    if (fabs(outcome.energy_j - planned_j) > 0.002 * planned_j || outcome.mean_plan_j >= planned_j)
        fail_msg("%.0f J, planned %.0f J, knowing means %.0f J", outcome.energy_j, planned_j,
                 outcome.mean_plan_j);
    outcome_finish(&outcome);
    workload_unload(&workload);
    tiny_site_finish(&model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(static_caps_are_the_optimum_that_brute_force_finds),
        cmocka_unit_test(the_oracle_keeps_every_bound_and_leaves_nothing),
        cmocka_unit_test(where_a_node_lends_the_oracle_fills_the_level_of_its_pool),
        cmocka_unit_test(a_burst_lasts_as_long_as_its_credit),
        cmocka_unit_test(a_reserve_that_is_lent_binds_when_its_feed_is_lost),
        cmocka_unit_test(an_oracle_that_holds_loses_less_than_a_thousandth),
        cmocka_unit_test(fixed_caps_bring_what_their_plan_says),
        cmocka_unit_test(derating_switches_on_twelve_hosts_a_branch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
