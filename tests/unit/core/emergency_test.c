/* SPDX-License-Identifier: Apache-2.0 */
/* Emergencies through the whole pipeline: safety.md section 8, triggers, the shot and its size, the second
 * stage, the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/emergency.h"
#include "stand.h"

static bool in_emergency(const struct stand *stand, uint32_t node)
{
    struct core_node_view view;
    core_node_view(stand->core, node, &view);
    return view.emergency;
}

/* Both hosts of branch A hold 7 kW, a full branch; the other two are idle. */
static void fill_branch_a(struct stand *stand)
{
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        stand_admit(stand, h);
    for (uint32_t h = 0; h < 2; h++) {
        stand->host[h].draw_mw = CAP_MAX_MW;
        stand->host[h].flags = REPORT_AT_CAP;
    }
    stand_run(stand, 3 * NS_PER_S);
    assert_in_range(stand->host[0].last.cap_mw, 6900000, 7000000);
    assert_in_range(stand->host[1].last.cap_mw, 6900000, 7000000);
}

static void start_full(struct stand *stand)
{
    stand_site(stand);
    stand_start(stand);
    fill_branch_a(stand);
}

static void draws_now(struct stand *stand, uint32_t host, int64_t draw_mw)
{
    stand->host[host].draw_mw = draw_mw;
    stand_obey(stand, host);
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* "In the same slot, one shot per host: min(0.75 x min(cap, measured governed draw), ...)" */
static void a_load_above_the_limit_cuts_every_host_below_in_the_same_slot(void **state)
{
    (void)state;
    struct stand stand;
    start_full(&stand);
    draws_now(&stand, 0, 6000000);
    draws_now(&stand, 1, 12000000);
    int64_t cap_0 = stand.host[0].last.cap_mw, cap_1 = stand.host[1].last.cap_mw;
    stand_reading(&stand, BRANCH_A, BRANCH_MVA + 1000000);
    assert_int_equal(stand.outbox.count, 2);
    assert_int_equal(stand.host[0].last.cap_mw, smaller(cap_0, 6000000) * 3 / 4);
    assert_int_equal(stand.host[1].last.cap_mw, smaller(cap_1, 12000000) * 3 / 4 / 1000 * 1000);
    for (uint32_t i = 0; i < 2; i++) {
        assert_true(stand.record[i].host < 2);
        assert_true(stand.record[i].flags & LEASE_EMERGENCY);
        assert_int_equal(stand.record[i].why, WHY_EMERGENCY);
        assert_int_equal(stand.record[i].slot_sequence, stand.slots);
    }
    assert_int_equal(stand_counters(&stand)->emergencies, 1);
    assert_true(in_emergency(&stand, BRANCH_A));
    assert_false(in_emergency(&stand, BRANCH_B));
    stand_stop(&stand);
}

static void a_load_at_the_limit_is_no_emergency(void **state)
{
    (void)state;
    struct stand stand;
    start_full(&stand);
    stand_reading(&stand, BRANCH_A, BRANCH_MVA - 10000);
    assert_int_equal(stand.outbox.count, 0);
    assert_false(in_emergency(&stand, BRANCH_A));
    stand_stop(&stand);
}

/* Trigger "> D x (1 + error) (somebody disobeys)", far below the limit. The meter's error is 1 %, D is 4
 * kVA. */
static void a_load_above_exposure_is_an_emergency_though_the_limit_is_far(void **state)
{
    (void)state;
    struct stand stand;
    stand_site(&stand);
    stand_start(&stand);
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        stand_admit(&stand, h);
    stand_reading(&stand, BRANCH_A, 4030000);
    assert_false(in_emergency(&stand, BRANCH_A));
    stand_reading(&stand, BRANCH_A, 4050000);
    assert_true(in_emergency(&stand, BRANCH_A));
    stand_stop(&stand);
}

/* Section 4: "every state not excluded counts as present". After the loss of its other feed a host draws
 * all of its power here, and obeys. */
static void the_load_of_a_lost_feed_is_nobody_disobeying(void **state)
{
    (void)state;
    struct stand stand;
    stand_site(&stand);
    stand.model.contingency_count = 2;
    for (uint32_t n = 0; n < STAND_NODES; n++)
        memcpy(stand.node[n].limit_mva[1], stand.node[n].limit_mva[0], sizeof stand.node[n].limit_mva[0]);
    for (uint32_t h = 0; h < STAND_HOSTS; h++) {
        stand.host_model[h].cord[0].share_ppm[0] = 550000;
        stand.host_model[h].cord[0].share_ppm[1] = 1000000;
    }
    stand_start(&stand);
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        stand_admit(&stand, h);
    stand_reading(&stand, BRANCH_A, 4000000);
    assert_false(in_emergency(&stand, BRANCH_A));
    stand_reading(&stand, BRANCH_A, 4050000);
    assert_true(in_emergency(&stand, BRANCH_A));
    stand_stop(&stand);
}

/* The one phase that a meter there reports is that of the hosts, whatever its letter upstream. */
static void a_single_phase_branch_on_phase_b_is_held_to_phase_b(void **state)
{
    (void)state;
    struct stand stand;
    stand_site(&stand);
    stand.node[BRANCH_A].phases = 1;
    for (uint32_t h = 0; h < 2; h++)
        stand.host_model[h].cord[0].phase_ppm[0] = stand.host_model[h].cord[0].phase_ppm[2] = 0;
    stand_start(&stand);
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        stand_admit(&stand, h);
    stand_reading(&stand, BRANCH_A, 4000000);
    assert_false(in_emergency(&stand, BRANCH_A));
    stand_reading(&stand, BRANCH_A, 4050000);
    assert_true(in_emergency(&stand, BRANCH_A));
    stand_stop(&stand);
}

/* Trigger "peak current >= 0.85 x the lowest fast edge": instant_peak_ma, in peak amperes. 120 A rms are
 * 169.7 A peak. */
static void a_peak_near_the_instantaneous_element_is_an_emergency(void **state)
{
    (void)state;
    struct stand stand;
    stand_site(&stand);
    stand.node[BRANCH_A].instant_peak_ma = 169000;
    stand_start(&stand);
    fill_branch_a(&stand);
    stand_reading(&stand, BRANCH_A, 11900000);
    assert_false(in_emergency(&stand, BRANCH_A));
    stand_reading(&stand, BRANCH_A, 12000000);
    assert_true(in_emergency(&stand, BRANCH_A));
    stand_stop(&stand);
}

/* I4: "no lease below a host's floor but in an emergency" */
static void an_emergency_may_cut_below_the_floor(void **state)
{
    (void)state;
    struct stand stand;
    start_full(&stand);
    draws_now(&stand, 0, 800000);
    stand_reading(&stand, BRANCH_A, BRANCH_MVA + 1000000);
    assert_int_equal(stand.host[0].last.cap_mw, 600000);
    assert_true(stand.host[0].last.cap_mw < FLOOR_MW);
    stand_stop(&stand);
}

/*
 * "min(..., the cap that gives S <= 0.95 steady_limit)". 12 of the branch's 14 kVA are load that no lease
 * governs, so three quarters of the two caps of 1 kW still leave S = 13.5 > 13.3 kVA: the shot has to go down
 * to 1.3 kW for both together.
 */
static void the_shot_brings_s_to_95_percent_where_three_quarters_do_not(void **state)
{
    (void)state;
    struct stand stand;
    stand_site(&stand);
    for (uint32_t p = 0; p < PHASES; p++)
        stand.node[BRANCH_A].other_mva[p] = 12000000;
    for (uint32_t h = 0; h < STAND_HOSTS; h++) {
        stand.host_model[h].fail_safe_mw = 300000;
        stand.host_model[h].floor_mw = 100000;
    }
    stand_start(&stand);
    stand.own_fail_safe_mw = 300000;
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        stand_admit(&stand, h);
    for (uint32_t h = 0; h < 2; h++) {
        stand.host[h].draw_mw = CAP_MAX_MW;
        stand.host[h].flags = REPORT_AT_CAP;
    }
    stand_run(&stand, 3 * NS_PER_S);
    assert_in_range(stand.host[0].last.cap_mw, 980000, 1000000);
    assert_in_range(stand.host[1].last.cap_mw, 980000, 1000000);
    stand_reading(&stand, BRANCH_A, BRANCH_MVA + 1000000);
    assert_int_equal(stand.outbox.count, 2);
    int64_t newest_mva = 12000000 + stand.host[0].last.cap_mw + stand.host[1].last.cap_mw;
    assert_true(newest_mva <= BRANCH_MVA / 100 * 95);
    assert_true(stand.host[0].last.cap_mw >= 300000);
    assert_true(stand.host[1].last.cap_mw >= 300000);
    stand_stop(&stand);
}

static void an_emergency_of_the_main_cuts_every_host(void **state)
{
    (void)state;
    struct stand stand;
    start_full(&stand);
    stand_reading(&stand, MAIN, 100100000);
    assert_int_equal(stand.outbox.count, STAND_HOSTS);
    assert_int_equal(stand_counters(&stand)->emergencies, 1);
    stand_stop(&stand);
}

/* "The next stage (all to fail-safe, [...]) only after A + T_fresh." */
static void the_second_stage_waits_for_a_and_t_fresh_and_goes_to_fail_safe(void **state)
{
    (void)state;
    struct stand stand;
    start_full(&stand);
    stand_reading(&stand, BRANCH_A, BRANCH_MVA + 1000000);
    assert_int_equal(stand.outbox.count, 2);
    for (int64_t waited_ns = 10 * NS_PER_MS; waited_ns < A_NS + T_FRESH_NS; waited_ns += 10 * NS_PER_MS) {
        stand_wait(&stand, 10 * NS_PER_MS);
        stand_reading(&stand, BRANCH_A, BRANCH_MVA + 1000000);
        assert_int_equal(stand.outbox.count, 0); /* one shot per host */
    }
    assert_int_equal(stand_counters(&stand)->emergency_stage2, 0);
    stand_wait(&stand, 10 * NS_PER_MS);
    stand_reading(&stand, BRANCH_A, BRANCH_MVA + 1000000);
    assert_int_equal(stand_counters(&stand)->emergency_stage2, 1);
    assert_int_equal(stand.outbox.count, 2);
    assert_int_equal(stand.host[0].last.cap_mw, FAIL_SAFE_MW);
    assert_int_equal(stand.host[1].last.cap_mw, FAIL_SAFE_MW);
    assert_int_equal(stand.host[0].last.why, WHY_FAIL_SAFE);
    assert_int_equal(stand_counters(&stand)->emergencies, 1);
    assert_int_equal(stand_counters(&stand)->emergency_stage3, 0);
    stand_wait(&stand, A_NS + T_FRESH_NS);
    stand_reading(&stand, BRANCH_A, BRANCH_MVA + 1000000);
    assert_int_equal(stand_counters(&stand)->emergency_stage3, 1);
    stand_stop(&stand);
}

/* Readings of that load every 16 ms, hosts silent. */
static void hold(struct stand *stand, uint32_t node, int64_t power_mw, int64_t ns)
{
    for (int64_t end_ns = stand->t_ns + ns; stand->t_ns <= end_ns; stand_wait(stand, 16 * NS_PER_MS))
        stand_reading(stand, node, power_mw);
}

/* What is shown is what another process acts on: an emergency is known by when its stage began. */
static void every_stage_is_shown_with_the_time_at_which_it_began(void **state)
{
    (void)state;
    struct stand stand;
    struct core_node_view view;
    start_full(&stand);
    core_node_view(stand.core, BRANCH_A, &view);
    assert_true(view.stage == EMERGENCY_STAGE_NONE && !view.stage_since_ns && view.enforced);
    for (uint8_t stage = EMERGENCY_STAGE_CUT; stage <= EMERGENCY_STAGE_SHED; stage++) {
        int64_t began_ns = stand.t_ns;
        stand_reading(&stand, BRANCH_A, BRANCH_MVA + 1000000);
        stand_wait(&stand, A_NS + T_FRESH_NS);
        core_node_view(stand.core, BRANCH_A, &view);
        assert_true(view.stage == stage && view.stage_since_ns == began_ns);
    }
    int64_t shed_ns = view.stage_since_ns;
    hold(&stand, BRANCH_A, BRANCH_MVA + 1000000, 3 * NS_PER_S);
    core_node_view(stand.core, BRANCH_A, &view);
    assert_true(view.stage == EMERGENCY_STAGE_SHED && view.stage_since_ns == shed_ns);
    core_node_view(stand.core, MAIN, &view);
    assert_int_equal(view.stage, EMERGENCY_STAGE_NONE);
    hold(&stand, BRANCH_A, 1000000, 1200 * NS_PER_MS);
    core_node_view(stand.core, BRANCH_A, &view);
    assert_true(view.stage == EMERGENCY_STAGE_NONE && !view.stage_since_ns);
    stand_stop(&stand);
}

static void set_mode(struct stand *stand, uint32_t mode)
{
    struct slot slot = {.kind = SLOT_ORDER, .t_ns = stand->t_ns};
    slot.sequence = ++stand->slots;
    slot.order = (struct slot_order){.kind = ORDER_MODE, .number = stand->slots, .mode = mode};
    pipeline_step(stand->core, &slot, &stand->outbox);
}

/* While nothing is sent, no stage was told to any host: it begins anew with the order to enforce. */
static void a_stage_that_was_reached_while_nothing_was_sent_does_not_count(void **state)
{
    (void)state;
    struct stand stand;
    struct core_node_view view;
    start_full(&stand);
    set_mode(&stand, MODE_SHADOW);
    hold(&stand, BRANCH_A, BRANCH_MVA + 1000000, 3 * (A_NS + T_FRESH_NS));
    core_node_view(stand.core, BRANCH_A, &view);
    assert_true(view.stage == EMERGENCY_STAGE_SHED && !view.enforced);
    set_mode(&stand, MODE_ENFORCE);
    core_node_view(stand.core, BRANCH_A, &view);
    assert_true(view.stage == EMERGENCY_STAGE_CUT && view.enforced && view.stage_since_ns == stand.t_ns);
    int64_t enforced_ns = stand.t_ns;
    while (stand.t_ns < enforced_ns + 2 * (A_NS + T_FRESH_NS)) {
        core_node_view(stand.core, BRANCH_A, &view);
        assert_true(view.stage < EMERGENCY_STAGE_SHED);
        stand_reading(&stand, BRANCH_A, BRANCH_MVA + 1000000);
        stand_wait(&stand, 10 * NS_PER_MS);
    }
    stand_reading(&stand, BRANCH_A, BRANCH_MVA + 1000000);
    core_node_view(stand.core, BRANCH_A, &view);
    assert_int_equal(view.stage, EMERGENCY_STAGE_SHED);
    int64_t since_ns = view.stage_since_ns;
    set_mode(&stand, MODE_ENFORCE);     /* no news */
    core_node_view(stand.core, BRANCH_A, &view);
    assert_true(view.stage == EMERGENCY_STAGE_SHED && view.stage_since_ns == since_ns);
    stand_stop(&stand);
}

static void the_second_stage_never_raises_a_host_that_the_first_cut_below_fail_safe(void **state)
{
    (void)state;
    struct stand stand;
    start_full(&stand);
    draws_now(&stand, 0, 800000);
    stand_reading(&stand, BRANCH_A, BRANCH_MVA + 1000000);
    assert_int_equal(stand.host[0].last.cap_mw, 600000);
    stand_wait(&stand, A_NS + T_FRESH_NS);
    stand_reading(&stand, BRANCH_A, BRANCH_MVA + 1000000);
    assert_int_equal(stand_counters(&stand)->emergency_stage2, 1);
    assert_int_equal(stand.host[0].last.cap_mw, 600000);
    assert_int_equal(stand.host[1].last.cap_mw, FAIL_SAFE_MW);
    stand_stop(&stand);
}

/* "It ends by condition (measured < 0.9 steady for 1 s), not by time" */
static void it_ends_when_the_load_was_below_nine_tenths_for_a_second(void **state)
{
    (void)state;
    struct stand stand;
    start_full(&stand);
    stand_reading(&stand, BRANCH_A, BRANCH_MVA + 1000000);
    stand_wait(&stand, 16 * NS_PER_MS);
    hold(&stand, BRANCH_A, 12700000, 5 * NS_PER_S);
    assert_true(in_emergency(&stand, BRANCH_A));
    hold(&stand, BRANCH_A, 12500000, 900 * NS_PER_MS);
    assert_true(in_emergency(&stand, BRANCH_A));
    hold(&stand, BRANCH_A, 12700000, 16 * NS_PER_MS); /* begins the second anew */
    hold(&stand, BRANCH_A, 12500000, 960 * NS_PER_MS);
    assert_true(in_emergency(&stand, BRANCH_A));
    hold(&stand, BRANCH_A, 12500000, 100 * NS_PER_MS);
    assert_false(in_emergency(&stand, BRANCH_A));
    assert_int_equal(stand_counters(&stand)->emergencies, 1);
    stand_stop(&stand);
}

static void no_host_is_raised_during_it_nor_100_ms_after(void **state)
{
    (void)state;
    struct stand stand;
    start_full(&stand);
    stand_reading(&stand, BRANCH_A, BRANCH_MVA + 1000000);
    int64_t cut_mw = stand.host[0].last.cap_mw, ended_ns = 0;
    for (int i = 0; i < 400; i++) {
        stand_run(&stand, 5 * NS_PER_MS);
        stand_reading(&stand, BRANCH_A, 6000000);
        if (!ended_ns && !in_emergency(&stand, BRANCH_A))
            ended_ns = stand.t_ns;
        if (!ended_ns || stand.t_ns < ended_ns + 100 * NS_PER_MS)
            assert_true(stand.host[0].last.cap_mw <= cut_mw);
    }
    assert_true(ended_ns > 0);
    assert_true(stand.host[0].last.cap_mw > cut_mw);
    stand_stop(&stand);
}

/* Branch A, and the main 1 ms later: hosts of the branch had their shot. The main's lets hosts 2 and 3 have
 * theirs. */
static void two_emergencies_above_a_host_are_one_shot(void **state)
{
    (void)state;
    struct stand stand;
    stand_site(&stand);
    stand.node[MAIN].steady_ma = 200000;
    stand_start(&stand);
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        stand_admit(&stand, h);
    for (uint32_t h = 0; h < STAND_HOSTS; h++) {
        stand.host[h].draw_mw = 6000000;
        stand.host[h].flags = REPORT_AT_CAP;
    }
    stand_run(&stand, 3 * NS_PER_S);
    int64_t before_mw = stand.host[2].last.cap_mw;
    stand_reading(&stand, BRANCH_A, BRANCH_MVA + 1000000);
    int64_t shot_mw = stand.host[0].last.cap_mw;
    assert_true(shot_mw < before_mw * 3 / 4 + 1000);
    stand.t_ns += NS_PER_MS;
    stand_reading(&stand, MAIN, 25000000);
    assert_int_equal(stand.host[0].last.cap_mw, shot_mw);
    assert_true(stand.host[2].last.cap_mw < before_mw * 3 / 4 + 1000);
    stand_stop(&stand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_load_above_the_limit_cuts_every_host_below_in_the_same_slot),
        cmocka_unit_test(a_load_at_the_limit_is_no_emergency),
        cmocka_unit_test(a_load_above_exposure_is_an_emergency_though_the_limit_is_far),
        cmocka_unit_test(the_load_of_a_lost_feed_is_nobody_disobeying),
        cmocka_unit_test(a_single_phase_branch_on_phase_b_is_held_to_phase_b),
        cmocka_unit_test(a_peak_near_the_instantaneous_element_is_an_emergency),
        cmocka_unit_test(an_emergency_may_cut_below_the_floor),
        cmocka_unit_test(the_shot_brings_s_to_95_percent_where_three_quarters_do_not),
        cmocka_unit_test(an_emergency_of_the_main_cuts_every_host),
        cmocka_unit_test(two_emergencies_above_a_host_are_one_shot),
        cmocka_unit_test(the_second_stage_waits_for_a_and_t_fresh_and_goes_to_fail_safe),
        cmocka_unit_test(every_stage_is_shown_with_the_time_at_which_it_began),
        cmocka_unit_test(a_stage_that_was_reached_while_nothing_was_sent_does_not_count),
        cmocka_unit_test(the_second_stage_never_raises_a_host_that_the_first_cut_below_fail_safe),
        cmocka_unit_test(it_ends_when_the_load_was_below_nine_tenths_for_a_second),
        cmocka_unit_test(no_host_is_raised_during_it_nor_100_ms_after),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
