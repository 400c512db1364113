/* SPDX-License-Identifier: Apache-2.0 */
/* Generators, UPSs and transfer switches of the plant: what lives when, what flows where, and what stalls an
 * engine. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "sim/plant.h"
#include "sim/workload_made.h"
#include "tiny_site.h"

/* utility and generator, a switch, a UPS, a rack of 10 hosts. */
enum { UTILITY, GENERATOR, SWITCH, UPS, RACK, NODES, HOSTS = 10 };
#define VOLTS 277.128
#define LIMIT_A 200
#define LIMIT_W (3 * VOLTS * LIMIT_A)

struct stand {
    struct model model;
    struct workload workload;
    struct site_device device[NODES];
    struct site_equipment equipment[NODES];
    struct grid grid;
    double watts[HOSTS];
    int64_t t_ns;
};

static void set_node(struct model_node *node, uint32_t n, const char *name, uint8_t kind)
{
    memset(node, 0, sizeof *node);
    snprintf(node->name, sizeof node->name, "%s", name);
    node->kind = kind;
    node->phases = 3;
    node->limited = 1;
    node->meter = INDEX_NONE;
    node->volts_ln_mv = 277128;
    node->volts_low_mv = 263272;
    node->steady_ma = LIMIT_A * 1000;
    node->ancestor[node->ancestor_count++] = n;
}

static void set_parents(struct model_node *node, const struct model_node *all, uint32_t first, uint32_t count)
{
    node->parent_count = count;
    for (uint32_t i = 0; i < count; i++) {
        node->parent[i] = first + i;
        for (uint32_t a = 0; a < all[first + i].ancestor_count; a++)
            node->ancestor[node->ancestor_count++] = all[first + i].ancestor[a];
    }
}

/* No breaker trips here: nothing has settings. Every host draws 10 kW. */
static struct stand *stand(void)
{
    static const struct tiny_shape shape = {1, 3, 4, 400, 400, 400, 1};
    struct stand *s = calloc(1, sizeof *s);
    assert_non_null(s);
    tiny_site_init(&s->model, &shape);
    struct model_node *node = s->model.node;
    assert_true(s->model.node_count == NODES && s->model.host_count >= HOSTS);
    s->model.host_count = HOSTS;
    s->model.meter_count = 0;
    set_node(&node[UTILITY], UTILITY, "utility", NODE_SOURCE);
    set_node(&node[GENERATOR], GENERATOR, "gen", NODE_GENERATOR);
    set_node(&node[SWITCH], SWITCH, "switch", NODE_MAIN);
    set_node(&node[UPS], UPS, "ups", NODE_UPS);
    set_node(&node[RACK], RACK, "rack", NODE_RACK);
    set_parents(&node[SWITCH], node, UTILITY, 2);
    set_parents(&node[UPS], node, SWITCH, 1);
    set_parents(&node[RACK], node, UPS, 1);
    for (int h = 0; h < HOSTS; h++) {
        s->model.host[h].cord[0].node = RACK;
        s->watts[h] = 10000;
    }
    workload_defaults(&s->workload);
    s->workload.plant.regulation = 0;
    s->workload.breakers.device = s->device;
    s->workload.breakers.equipment = s->equipment;
    workload_describe_sources(&s->workload, &s->model);
    assert_int_equal(s->workload.source_count, 3);
    return s;
}

static void start(struct stand *s)
{
    assert_int_equal(grid_init(&s->grid, &s->model, &s->workload, true), 0);
}

static void finish(struct stand *s)
{
    grid_finish(&s->grid);
    tiny_site_finish(&s->model);
    free(s);
}

static void until(struct stand *s, double end_s)
{
    while ((double)s->t_ns < end_s * 1e9 - 1) {
        s->t_ns += NS_PER_MS;
        grid_step(&s->grid, s->watts, s->t_ns, NS_PER_MS);
    }
}

static double kw(const struct stand *s, uint32_t n)
{
    const double *power_w = s->grid.node[n].power_w;
    return (power_w[0] + power_w[1] + power_w[2]) / 1e3;
}

static bool near(double is, double wanted, double by)
{
    return fabs(is - wanted) <= by;
}

static struct workload_source *said(struct stand *s, uint32_t n)
{
    for (uint32_t i = 0; i < s->workload.source_count; i++) {
        if (s->workload.source[i].node == n)
            return &s->workload.source[i];
    }
    return NULL;
}

/* Start 4 s, break 100 ms: at 5.1 s after the loss it carries the load, which the battery carried till then
 * and gives back over the walk-in. */
static void a_generator_takes_over_what_a_battery_bridged(void **state)
{
    struct stand *s = stand();
    (void)state;
    said(s, GENERATOR)->start_ns = 4 * NS_PER_S;
    said(s, GENERATOR)->spread_ns = 0;
    said(s, UPS)->walk_in_ns = 2 * NS_PER_S;
    start(s);
    until(s, 1);
    assert_true(near(kw(s, UTILITY), 100, 1e-6) && !s->grid.node[GENERATOR].live);
    grid_lose(&s->grid, UTILITY, true);
    until(s, 4.9);
    assert_true(kw(s, UTILITY) == 0 && !s->grid.node[SWITCH].live);
    assert_true(near(kw(s, UPS), 100, 1e-6) && grid_host_live(&s->grid, 0));
    until(s, 5.05);
    assert_true(s->grid.node[GENERATOR].live && !s->grid.node[SWITCH].live);
    until(s, 6.12);
    assert_true(near(kw(s, GENERATOR), 50, 2));
    until(s, 8);
    assert_true(near(kw(s, UPS), 100, 1e-6));
    double charge_w = LIMIT_W * 300 / 3600;
    assert_true(near(kw(s, GENERATOR), 100 + charge_w / 1e3, 1e-3));
    assert_int_equal(s->grid.trip_count, 0);
    finish(s);
}

/* A minute at its limit is 166 s at 60 % of it. */
static void a_battery_empties_and_its_loads_go_dark(void **state)
{
    struct stand *s = stand();
    struct grid_source_trouble stuck = {.no_start = true};
    (void)state;
    said(s, UPS)->battery_ns = 60 * NS_PER_S;
    start(s);
    grid_source_trouble(&s->grid, GENERATOR, &stuck);
    until(s, 1);
    grid_lose(&s->grid, UTILITY, true);
    double lasts_s = 60 * LIMIT_W / 100e3;
    until(s, 1 + lasts_s - 0.05);
    assert_true(grid_host_live(&s->grid, 0));
    until(s, 1 + lasts_s + 0.05);
    assert_false(grid_host_live(&s->grid, 0));
    assert_true(kw(s, UPS) == 0);
    grid_lose(&s->grid, UTILITY, false);
    until(s, 1 + lasts_s + 0.3);
    assert_true(grid_host_live(&s->grid, 0));
    assert_true(near(kw(s, UTILITY), 100 + LIMIT_W / 3600 / 1e3 * 60, 1e-3));
    finish(s);
}

static void an_old_battery_lasts_as_long_as_what_is_left_of_it(void **state)
{
    struct stand *s = stand();
    struct grid_source_trouble old = {.lost = 0.9}, stuck = {.no_start = true};
    (void)state;
    said(s, UPS)->battery_ns = 60 * NS_PER_S;
    start(s);
    grid_source_trouble(&s->grid, GENERATOR, &stuck);
    grid_source_trouble(&s->grid, UPS, &old);
    until(s, 1);
    grid_lose(&s->grid, UTILITY, true);
    double lasts_s = 6 * LIMIT_W / 100e3;
    until(s, 1 + lasts_s - 0.05);
    assert_true(grid_host_live(&s->grid, 0));
    until(s, 1 + lasts_s + 0.05);
    assert_false(grid_host_live(&s->grid, 0));
    finish(s);
}

static void a_switch_goes_back_only_after_its_first_input_was_good_for_long(void **state)
{
    struct stand *s = stand();
    (void)state;
    said(s, GENERATOR)->start_ns = said(s, GENERATOR)->spread_ns = 0;
    said(s, GENERATOR)->cool_ns = 3 * NS_PER_S;
    said(s, SWITCH)->retransfer_ns = 5 * NS_PER_S;
    start(s);
    grid_lose(&s->grid, UTILITY, true);
    until(s, 2);
    assert_int_equal(s->grid.node[SWITCH].feeder, GENERATOR);
    grid_lose(&s->grid, UTILITY, false);
    until(s, 6);
    grid_lose(&s->grid, UTILITY, true);
    until(s, 7);
    grid_lose(&s->grid, UTILITY, false);
    until(s, 11.9);
    assert_int_equal(s->grid.node[SWITCH].feeder, GENERATOR);
    until(s, 12.05);
    assert_int_equal(s->grid.node[SWITCH].feeder, INDEX_NONE);
    until(s, 12.2);
    assert_int_equal(s->grid.node[SWITCH].feeder, UTILITY);
    assert_true(s->grid.node[GENERATOR].live);
    until(s, 16);
    assert_false(s->grid.node[GENERATOR].live);
    finish(s);
}

/* 1.3 of its rating: 0.2 too much of it, and 0.19 s of the rating in the mass. Nothing of a breaker's. */
static void an_engine_stalls_by_what_its_mass_cannot_give(void **state)
{
    struct stand *s = stand();
    (void)state;
    s->equipment[GENERATOR].state_count = 1;
    s->equipment[GENERATOR].state[0].active_mw = 100000000 / 13 * 10;
    said(s, GENERATOR)->start_ns = said(s, GENERATOR)->spread_ns = 0;
    said(s, UPS)->walk_in_ns = said(s, SWITCH)->break_ns = 0;
    said(s, UPS)->recharge_ns = INT64_MAX;
    start(s);
    grid_lose(&s->grid, UTILITY, true);
    until(s, 0.9);
    assert_int_equal(s->grid.trip_count, 0);
    assert_true(grid_engine_heat(&s->grid, GENERATOR) > 0.9);
    until(s, 1.1);
    assert_int_equal(s->grid.trip_count, 1);
    assert_int_equal(s->grid.trip[0].node, GENERATOR);
    assert_int_equal(s->grid.trip[0].element, TRIP_ENGINE);
    assert_true(near((double)s->grid.trip[0].t_ns / 1e9, 0.95, 0.02));
    assert_false(s->grid.node[GENERATOR].live);
    finish(s);
}

/* 100 kW at once where the engine takes 40 and 20 more a second: 60 kW, then 20 less a second, 90 kJ in all
 * against 19 % of 166 kJ. Walked in over 10 s it takes the same load without effort. */
static void a_block_of_load_stalls_an_engine_that_takes_it_in_steps(void **state)
{
    (void)state;
    for (int walks = 0; walks < 2; walks++) {
        struct stand *s = stand();
        s->equipment[GENERATOR].generator_step_mw = 40000000;
        s->equipment[GENERATOR].generator_ramp_mw_per_s = 20000000;
        said(s, GENERATOR)->start_ns = said(s, GENERATOR)->spread_ns = 0;
        said(s, UPS)->walk_in_ns = walks * 10 * NS_PER_S;
        start(s);
        grid_lose(&s->grid, UTILITY, true);
        until(s, 20);
        assert_int_equal(s->grid.trip_count, !walks);
        finish(s);
    }
}

static void a_ups_keeps_volts_up_and_its_bypass_does_not(void **state)
{
    struct stand *s = stand();
    struct grid_source_trouble bypassed = {.bypassed = true};
    (void)state;
    start(s);
    grid_sag(&s->grid, UTILITY, 0.3);
    until(s, 0.1);
    assert_true(near(s->grid.node[RACK].volts[0], VOLTS, 0.01));
    assert_true(near(s->grid.node[SWITCH].volts[0], 0.7 * VOLTS, 0.01));
    grid_source_trouble(&s->grid, UPS, &bypassed);
    until(s, 0.2);
    assert_true(near(s->grid.node[RACK].volts[0], 0.7 * VOLTS, 0.01));
    grid_lose(&s->grid, UTILITY, true);
    until(s, 0.3);
    assert_false(grid_host_live(&s->grid, 0));
    finish(s);
}

static void a_hand_on_the_switch_starts_the_generator_and_goes_over(void **state)
{
    struct stand *s = stand();
    struct grid_source_trouble hand = {.transferred = true}, none = {0};
    (void)state;
    said(s, GENERATOR)->start_ns = 2 * NS_PER_S;
    said(s, GENERATOR)->spread_ns = 0;
    said(s, SWITCH)->retransfer_ns = NS_PER_S;
    start(s);
    until(s, 1);
    grid_source_trouble(&s->grid, SWITCH, &hand);
    until(s, 2.9);
    assert_int_equal(s->grid.node[SWITCH].feeder, UTILITY);
    until(s, 3.2);
    assert_int_equal(s->grid.node[SWITCH].feeder, GENERATOR);
    grid_source_trouble(&s->grid, SWITCH, &none);
    until(s, 3.4);
    assert_int_equal(s->grid.node[SWITCH].feeder, UTILITY);
    finish(s);
}

static void what_is_not_described_is_as_it_was(void **state)
{
    struct stand *s = stand();
    (void)state;
    s->workload.source_count = 0;
    start(s);
    until(s, 0.1);
    assert_true(s->grid.node[GENERATOR].live);
    grid_lose(&s->grid, UTILITY, true);
    until(s, 0.102);
    assert_int_equal(s->grid.node[SWITCH].feeder, GENERATOR);
    assert_true(near(kw(s, GENERATOR), 100, 1e-6));
    grid_lose(&s->grid, GENERATOR, true);
    until(s, 0.11);
    assert_false(grid_host_live(&s->grid, 0));
    finish(s);
}

/* ---- hosts ---- */

static void play(struct plant *plant, double end_s)
{
    while ((double)plant->t_ns < end_s * 1e9 - 1)
        plant_step(plant, NULL, NULL);
}

/* A break of 10 ms is bridged by supplies that hold 16, and fills them again: 2 kW a host for 20 ms. One of
 * 30 ms is not. */
static void supplies_bridge_a_break_as_long_as_they_hold(void **state)
{
    (void)state;
    for (int longer = 0; longer < 2; longer++) {
        struct stand *s = stand();
        struct plant plant;
        assert_int_equal(workload_make(&s->workload, &s->model, DEMAND_LOW), 0);
        workload_describe_sources(&s->workload, &s->model);
        s->workload.plant.hold_up_ns = 16 * NS_PER_MS;
        said(s, UPS)->battery_ns = 0;
        said(s, GENERATOR)->start_ns = said(s, GENERATOR)->spread_ns = 0;
        said(s, SWITCH)->break_ns = (longer ? 30 : 10) * NS_PER_MS;
        assert_int_equal(plant_init(&plant, &s->model, &s->workload, PLANT_VIRTUAL), 0);
        play(&plant, 1);
        double before_w = plant.power_w[0];
        grid_lose(&plant.grid, UTILITY, true);
        play(&plant, 1.01);
        assert_true(plant.grid.node[RACK].power_w[0] == 0 && plant_host_powered(&plant, 0));
        play(&plant, 1.025);
        assert_int_equal(plant_host_powered(&plant, 0), !longer);
        if (!longer)
            assert_true(near(plant.power_w[0], before_w + 2000, 0.1 * before_w));
        play(&plant, 1.06);
        assert_true(plant_host_powered(&plant, 0) && near(plant.power_w[0], before_w, 0.1 * before_w));
        plant_finish(&plant);
        workload_unload(&s->workload);
        tiny_site_finish(&s->model);
        free(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_generator_takes_over_what_a_battery_bridged),
        cmocka_unit_test(a_battery_empties_and_its_loads_go_dark),
        cmocka_unit_test(an_old_battery_lasts_as_long_as_what_is_left_of_it),
        cmocka_unit_test(a_switch_goes_back_only_after_its_first_input_was_good_for_long),
        cmocka_unit_test(an_engine_stalls_by_what_its_mass_cannot_give),
        cmocka_unit_test(a_block_of_load_stalls_an_engine_that_takes_it_in_steps),
        cmocka_unit_test(a_ups_keeps_volts_up_and_its_bypass_does_not),
        cmocka_unit_test(a_hand_on_the_switch_starts_the_generator_and_goes_over),
        cmocka_unit_test(what_is_not_described_is_as_it_was),
        cmocka_unit_test(supplies_bridge_a_break_as_long_as_they_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
