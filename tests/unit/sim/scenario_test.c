/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of scenarios, and where they strike. What a run comes to is for tests/sim. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/plant_fault.h"
#include "sim/scenario.h"
#include "sim/virtual.h"
#include "site/site.h"

static struct site demo;

static int load_demo(void **state)
{
    char path[4096];
    (void)state;
    snprintf(path, sizeof path, "%s/config/demo/site.yaml", getenv("SOURCE_ROOT"));
    return site_load(&demo, path, "", stderr);
}

static int unload_demo(void **state)
{
    (void)state;
    site_unload(&demo);
    return 0;
}

static void there_are_sixty_at_least_by_rising_number(void **state)
{
    (void)state;
    assert_true(scenario_count() >= 60);
    for (uint32_t i = 0; i < scenario_count(); i++) {
        const struct scenario *scenario = scenario_at(i);
        char number[8];
        snprintf(number, sizeof number, "%u", scenario->number);
        assert_ptr_equal(scenario_find(scenario->name), scenario);
        assert_ptr_equal(scenario_find(number), scenario);
        assert_true(i == 0 || scenario->number > scenario_at(i - 1)->number);
    }
    assert_null(scenario_at(scenario_count()));
    assert_null(scenario_find("0"));
}

static void each_is_whole(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < scenario_count(); i++) {
        const struct scenario *scenario = scenario_at(i);
        assert_true(strlen(scenario->rule) > 0 && strlen(scenario->what) > 20);
        assert_true(scenario->duration_s >= 20 && scenario->duration_s <= 120);
        assert_true(scenario->strike[0].at_s > 0 || scenario->anyway);
        assert_true(!scenario->anyway || strlen(scenario->anyway) > 20);
        assert_true(scenario->bounds.heat > 0 && scenario->bounds.heat < 1);
        assert_true(scenario->bounds.over_ms > 0 && scenario->bounds.energy_least > 0);
    }
}

static void every_kind_of_fault_strikes_in_one(void **state)
{
    bool seen[FAULT_KIND_COUNT] = {false};
    (void)state;
    for (uint32_t i = 0; i < scenario_count(); i++) {
        const struct scenario *scenario = scenario_at(i);
        for (int s = 0; s < SCENARIO_STRIKES_MAX && scenario->strike[s].at_s > 0; s++)
            seen[scenario->strike[s].kind] = true;
    }
    for (int kind = 0; kind < FAULT_KIND_COUNT; kind++) {
        if (!seen[kind])
            fail_msg("no scenario has %s", fault_name((enum fault_kind)kind));
    }
}

static struct history struck_by(enum scenario_place place)
{
    struct scenario scenario = {.strike = {{FAULT_RESET, place, 3, 0, 0}}};
    struct history history = {0};
    assert_int_equal(scenario_history(&scenario, &demo.model, &history), 0);
    return history;
}

static void assert_strikes(enum scenario_place place, uint32_t count, const char *first)
{
    struct history history = struck_by(place);
    assert_int_equal(history.count, count);
    const struct fault *fault = &history.fault[0];
    assert_string_equal(
        fault->at_host ? demo.model.host[fault->place].name : demo.model.node[fault->place].name, first);
    assert_int_equal(fault->at_ns, 3 * NS_PER_S);
    history_finish(&history);
}

static void places_are_found_by_what_they_are(void **state)
{
    (void)state;
    assert_strikes(AT_ROOT, 1, "main");
    assert_strikes(AT_BUSY, 1, "branch-a");
    assert_strikes(AT_LEAF, 1, "rack-a1");
    assert_strikes(AT_BESIDE, 1, "branch-b");
    assert_strikes(AT_HOST, 1, "a1-01");
    assert_strikes(AT_K_HOSTS, 1, "a1-01");
    assert_strikes(AT_MORE_HOSTS, 3, "a1-01");
    assert_strikes(AT_HALF, 15, "a1-01");
    assert_strikes(AT_FEW, 1, "a1-01");
    assert_strikes(AT_LOST, 1, "rack-a1");
}

static void a_place_that_a_site_lacks_is_told(void **state)
{
    struct scenario scenario = {.strike = {{FAULT_CUT_UP, AT_BESIDE, 3, 1, 0}}};
    struct history history = {0};
    uint8_t limited[64];
    (void)state;
    assert_true(demo.model.node_count <= sizeof limited);
    for (uint32_t n = 0; n < demo.model.node_count; n++) {
        limited[n] = demo.model.node[n].limited;
        demo.model.node[n].limited = n == 0;
    }
    assert_int_equal(scenario_history(&scenario, &demo.model, &history), -ENOENT);
    demo.model.node[0].limited = 0;
    assert_int_equal(scenario_history(&scenario, &demo.model, &history), -ENOENT);
    for (uint32_t n = 0; n < demo.model.node_count; n++)
        demo.model.node[n].limited = limited[n];
    history_finish(&history);
}

static void bounds_break_where_they_are_passed(void **state)
{
    struct scenario_bounds bounds = {
        .heat = 0.9, .energy_least = 0.5, .count = {{"resets", 2, SCENARIO_ANY}}};
    struct outcome outcome = {.figures = {.worst_heat = 0.9}, .energy_j = 5, .demand_j = 10,
                              .governor = {.resets = 2}};
    struct judgement judgement[JUDGEMENTS_MAX];
    uint32_t broken;
    (void)state;
    assert_int_equal(scenario_judge(NULL, &outcome, judgement, &broken), 3);
    assert_int_equal(broken, 0);
    assert_int_equal(scenario_judge(&bounds, &outcome, judgement, &broken), 6);
    assert_int_equal(broken, 0);
    outcome.figures.worst_heat = 0.91;
    outcome.energy_j = 4.9;
    outcome.governor.resets = 1;
    scenario_judge(&bounds, &outcome, judgement, &broken);
    assert_int_equal(broken, 3);
    outcome.figures.trips = outcome.figures.guard_hits = outcome.figures.exposure_short = 1;
    scenario_judge(NULL, &outcome, judgement, &broken);
    assert_int_equal(broken, 3);
}

/* The hours that gates are held in must not be without what hurts most: a limited node that covers no host
 * that disobeys (its k) would leave all of that out, and nobody would see. */
static void on_the_sites_of_the_safety_bench_hosts_disobey_too(void **state)
{
    static const char *const name[] = {"hall-1mw", "plain-20", "dual-20", "ups-20", "sources-20"};
    static const enum fault_kind kinds[] = {FAULT_RESET,    FAULT_STICK,     FAULT_LIE,   FAULT_STALL,
                                            FAULT_OVERDRAW, FAULT_OVERSHOOT, FAULT_RAISE, FAULT_REBOOT,
                                            FAULT_WATCHDOG, FAULT_HOST_STEP};
    (void)state;
    for (size_t i = 0; i < sizeof name / sizeof name[0]; i++) {
        uint32_t drawn[FAULT_KIND_COUNT] = {0};
        struct history history;
        struct site site;
        char path[4096];
        snprintf(path, sizeof path, "%s/bench/safety/%s.yaml", getenv("SOURCE_ROOT"), name[i]);
        assert_int_equal(site_load(&site, path, "", stderr), 0);
        assert_int_equal(history_draw(&history, &site.model, LEVEL_HOSTILE, 1, 7200 * NS_PER_S), 0);
        for (uint32_t f = 0; f < history.count; f++)
            drawn[history.fault[f].kind]++;
        for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
            if (!drawn[kinds[k]])
                fail_msg("two hours on %s have no %s", name[i], fault_name(kinds[k]));
        }
        history_finish(&history);
        site_unload(&site);
    }
}

struct stage {
    struct site site;
    struct workload workload;
    struct history history;
};

static void open_stage(struct stage *stage, const char *name)
{
    char path[4096];
    memset(stage, 0, sizeof *stage);
    snprintf(path, sizeof path, "%s/bench/safety/%s.yaml", getenv("SOURCE_ROOT"), name);
    assert_int_equal(site_load(&stage->site, path, "", stderr), 0);
    snprintf(path, sizeof path, "%s/bench/safety/%s.workload.yaml", getenv("SOURCE_ROOT"), name);
    assert_int_equal(workload_load(&stage->workload, path, &stage->site.model, stderr), 0);
    stage->workload.breakers.device = stage->site.device;
    stage->workload.breakers.equipment = stage->site.equipment;
}

static void close_stage(struct stage *stage)
{
    history_finish(&stage->history);
    workload_unload(&stage->workload);
    site_unload(&stage->site);
}

static void what_befalls_sources_is_drawn_where_they_are_described(void **state)
{
    uint32_t drawn[FAULT_KIND_COUNT] = {0};
    struct stage stage;
    (void)state;
    open_stage(&stage, "sources-20");
    for (stage.workload.seed = 1; stage.workload.seed <= 8; stage.workload.seed++) {
        assert_int_equal(history_draw_sources(&stage.history, &stage.site.model, &stage.workload,
                                              LEVEL_HOSTILE, 3600 * NS_PER_S), 0);
        for (uint32_t f = 0; f < stage.history.count; f++)
            drawn[stage.history.fault[f].kind]++;
        history_finish(&stage.history);
    }
    for (int kind = FAULT_NO_START; kind <= FAULT_TRANSFER; kind++)
        assert_true(drawn[kind] >= 3);
    assert_true(drawn[FAULT_DARK] >= 20);
    close_stage(&stage);
    open_stage(&stage, "dual-20");
    assert_int_equal(history_draw(&stage.history, &stage.site.model, LEVEL_HOSTILE, 1, 600 * NS_PER_S), 0);
    uint32_t before = stage.history.count;
    assert_int_equal(history_draw_sources(&stage.history, &stage.site.model, &stage.workload, LEVEL_HOSTILE,
                                          600 * NS_PER_S), 0);
    assert_int_equal(stage.history.count, before);
    close_stage(&stage);
}

/* Ends before it begins, as in a run. */
static void play_faults(struct plant *plant, const struct history *history, int64_t from_ns, int64_t to_ns)
{
    for (int begins = 0; begins < 2; begins++) {
        for (uint32_t f = 0; f < history->count; f++) {
            const struct fault *fault = &history->fault[f];
            int64_t at_ns = begins ? fault->at_ns : fault->at_ns + fault->for_ns;
            if (at_ns > from_ns && at_ns <= to_ns)
                assert_int_equal(plant_fault(plant, fault, begins), 0);
        }
    }
}

enum { GENERATOR };            /* the first node of sources-20 */

/* On its generator everybody idles, every report asks for the largest cap, and then all draw at once what
 * they got. Returns the worst that the engine saw, 1 = it stalls; nothing else trips. */
static double step_of_all(struct stage *stage, const struct model *believed, double accepts_kw)
{
    static const char *const faults[] = {"idle main at 2s for 59s", "dark utility at 20s for 70s",
                                         "surge main at 61s for 10s"};
    struct virtual_config config = {.duration_ns = 75 * NS_PER_S, .epoch = 1, .history = &stage->history,
                                    .greedy = true, .believed = believed};
    struct outcome outcome;
    char why[160];
    assert_int_equal(stage->site.model.node[GENERATOR].kind, NODE_GENERATOR);
    stage->site.equipment[GENERATOR].generator_step_mw = llround(accepts_kw * 1e6);
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        struct fault fault;
        assert_int_equal(fault_parse(faults[i], &stage->site.model, &fault, why, sizeof why), 0);
        assert_int_equal(history_add(&stage->history, &fault), 0);
    }
    assert_int_equal(virtual_run(&stage->site.model, &stage->workload, &config, &outcome), 0);
    double worst = outcome.node[GENERATOR].worst_heat;
    assert_int_equal(outcome.trip_count > 0, worst >= 1);
    if (outcome.trip_count)
        assert_true(outcome.trip[0].node == GENERATOR && outcome.trip[0].element == TRIP_ENGINE);
    outcome_finish(&outcome);
    history_finish(&stage->history);
    return worst;
}

/* The step that a generator takes is no limit that leases know; how far all may step at once is theirs. */
static void leases_leave_the_step_that_the_generator_takes(void **state)
{
    struct stage stage;
    (void)state;
    open_stage(&stage, "sources-20");
    const struct model *model = &stage.site.model;
    struct model unlimited = *model;
    double accepts_kw = (double)stage.site.equipment[GENERATOR].generator_step_mw / 1e6;
    unlimited.node = calloc(model->node_count, sizeof *unlimited.node);
    assert_non_null(unlimited.node);
    memcpy(unlimited.node, model->node, model->node_count * sizeof *unlimited.node);
    for (uint32_t n = 0; n < model->node_count; n++) {
        struct model_node *node = &unlimited.node[n];
        node->breaker.element_count = 0;
        node->instant_peak_ma = 0;
        node->steady_ma *= 4;
        for (uint32_t i = 0; i < CONTINGENCIES_MAX * PHASES; i++)
            node->limit_mva[i / PHASES][i % PHASES] *=
                node->limit_mva[i / PHASES][i % PHASES] < INT64_MAX / 4 ? 4 : 1;
        node->level_mva *= 4;
        node->level_burst_mva *= 4;
    }
    double within = step_of_all(&stage, NULL, accepts_kw), less = step_of_all(&stage, NULL, accepts_kw - 30);
    double without = step_of_all(&stage, &unlimited, accepts_kw);
    print_message("worst of the engine %.2f, with a smaller step %.2f, without limits %.2f\n", within, less,
                  without);
    assert_true(within < 0.9 && less >= 1 && without >= 1);
    free(unlimited.node);
    close_stage(&stage);
}

/* However late a generator starts and old a battery is: the premise of what is drawn. */
static void batteries_bridge_all_that_is_drawn(void **state)
{
    struct stage stage;
    uint32_t on_generator = 0;
    (void)state;
    open_stage(&stage, "sources-20");
    for (stage.workload.seed = 1; stage.workload.seed <= 3; stage.workload.seed++) {
        const struct model *model = &stage.site.model;
        struct plant plant;
        int64_t end_ns = 1800 * NS_PER_S;
        assert_int_equal(history_draw_sources(&stage.history, model, &stage.workload, LEVEL_HOSTILE, end_ns),
                         0);
        assert_true(stage.history.count > 5);
        assert_int_equal(plant_init(&plant, model, &stage.workload, PLANT_VIRTUAL), 0);
        for (uint32_t h = 0; h < model->host_count; h++)    /* what the branches may carry, nearly */
            gpuhost_preset(&plant.host[h], 6700000);
        while (plant.t_ns < end_ns) {
            play_faults(&plant, &stage.history, plant.t_ns - plant.step_ns, plant.t_ns);
            plant_step(&plant, NULL, NULL);
            on_generator += plant.grid.node[0].power_w[0] > 10000;
            for (uint32_t h = 0; h < model->host_count; h++)
                assert_true(plant_host_powered(&plant, h));
        }
        plant_finish(&plant);
        history_finish(&stage.history);
    }
    assert_string_equal(stage.site.model.node[0].name, "gen");
    close_stage(&stage);
    assert_true(on_generator > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_are_sixty_at_least_by_rising_number),
        cmocka_unit_test(each_is_whole),
        cmocka_unit_test(every_kind_of_fault_strikes_in_one),
        cmocka_unit_test(places_are_found_by_what_they_are),
        cmocka_unit_test(a_place_that_a_site_lacks_is_told),
        cmocka_unit_test(on_the_sites_of_the_safety_bench_hosts_disobey_too),
        cmocka_unit_test(what_befalls_sources_is_drawn_where_they_are_described),
        cmocka_unit_test(leases_leave_the_step_that_the_generator_takes),
        cmocka_unit_test(batteries_bridge_all_that_is_drawn),
        cmocka_unit_test(bounds_break_where_they_are_passed),
    };
    return cmocka_run_group_tests(tests, load_demo, unload_demo);
}
