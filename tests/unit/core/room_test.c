/* SPDX-License-Identifier: Apache-2.0 */
/* Others make room (safety.md section 11), and a raise never takes. Branch A carries 14 kVA, its two hosts
 * may have 10 kW each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/core.h"
#include "core/sums.h"
#include "stand.h"

static void start_full(struct stand *stand)
{
    stand_start(stand);
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        stand_admit(stand, h);
    for (uint32_t h = 0; h < STAND_HOSTS; h++) {
        stand->host[h].draw_mw = CAP_MAX_MW;
        stand->host[h].flags = REPORT_AT_CAP;
    }
    stand_run(stand, 3 * NS_PER_S);
}

/* A driver reload on host 0: its report shows more than it was ever sent. Nothing above it is metered
 * here. */
static void lose_cap(struct stand *stand)
{
    struct report report = stand_report_of(stand, 0, HOST_LEASED, A_NS);
    report.cap_mw = report.readback_mw = CAP_MAX_MW;
    report.draw_mw = PHYS_MAX_MW;
    stand_report(stand, &report);
}

/* The ramp of a grid contract is nothing to a cut that brings D back within its limit. */
static void a_ramp_delays_no_room_for_a_host_that_lost_its_cap(void **state)
{
    (void)state;
    struct stand stand;
    stand_site(&stand);
    stand.node[BRANCH_A].ramp_down_mw_per_s = 10 * 1000;
    start_full(&stand);
    int64_t before_mw = stand.host[1].last.cap_mw;
    assert_true(before_mw > 2 * FAIL_SAFE_MW);
    stand.host[0].mute = true;
    for (int i = 0; i < 15; i++) {
        lose_cap(&stand);
        stand_run(&stand, 100 * NS_PER_MS);
    }
    assert_true(stand.host[1].last.cap_mw <= FAIL_SAFE_MW);
    assert_int_equal(stand_counters(&stand)->invariant_failures, 0);
    stand_stop(&stand);
}

static void hang_on_both_branches(struct stand *stand)
{
    for (uint32_t h = 0; h < STAND_HOSTS; h++) {
        struct model_host *host = &stand->host_model[h];
        host->cord_count = 2;
        host->cord[1] = host->cord[0];
        host->cord[0].node = BRANCH_A;
        host->cord[1].node = BRANCH_B;
        host->cord[0].share_ppm[0] = host->cord[1].share_ppm[0] = PPM / 2;
    }
    for (uint32_t p = 0; p < PHASES; p++) {
        stand->node[BRANCH_A].limit_mva[0][p] = stand->node[BRANCH_B].limit_mva[0][p] = 100 * 1000 * 1000;
        stand->node[MAIN].limit_mva[0][p] = 28 * 1000 * 1000;
    }
    for (uint32_t n = BRANCH_A; n <= BRANCH_B; n++) {
        stand->node[n].host_first = stand->node[n].host_below_first = 0;
        stand->node[n].host_count = stand->node[n].host_below = STAND_HOSTS;
    }
}

/* Rooms are taken cord by cord, and where two cords meet each finds all of it: what is too much then may be
 * less of a raise, never less than what the host has and may keep. */
static void little_room_where_two_cords_meet_takes_nothing(void **state)
{
    (void)state;
    struct stand stand;
    stand_site(&stand);
    hang_on_both_branches(&stand);
    start_full(&stand);
    struct ledger *ledger = &stand.core->ledger;
    int64_t newest_mw = ledger->host[0].newest_mw;
    enum ledger_verdict bound;
    assert_true(newest_mw > FAIL_SAFE_MW);
    for (uint32_t p = 0; p < PHASES; p++)
        ledger->node[MAIN].limit_mva[0][p] = ledger->node[MAIN].newest_mva[0][p] + 500 * 1000;
    assert_true(ledger_room_mw(ledger, 0, CAP_MAX_MW, &bound) >= newest_mw);
    assert_int_equal(bound, LEDGER_OVER_S);
    stand_stop(&stand);
}

/* Two hosts want by turns while raises wait on hold(n): a cut for the other would free watts that nobody may
 * be given, and caps would only sink. */
static void caps_do_not_sink_while_raises_wait(void **state)
{
    (void)state;
    struct stand stand;
    stand_site(&stand);
    stand.model.policy.damper_window_ns = NS_PER_S;
    stand.model.policy.damper_changes = 3;
    stand.model.policy.hold_least_ns = stand.model.policy.hold_most_ns = 60 * NS_PER_S;
    start_full(&stand);
    struct core *core = stand.core;
    int64_t before_mw = stand.host[0].last.cap_mw + stand.host[1].last.cap_mw;
    hold_observe(&core->holds, &core->heat, BRANCH_A, HOLD_EMERGENCY, true, stand.t_ns);
    hold_observe(&core->holds, &core->heat, BRANCH_A, HOLD_EMERGENCY, false, stand.t_ns);
    for (uint32_t i = 0; i < 8; i++) {
        struct stand_host *gives = &stand.host[i % 2], *wants = &stand.host[1 - i % 2];
        gives->draw_mw = 3000 * 1000;
        gives->flags = 0;
        wants->draw_mw = wants->last.cap_mw;
        wants->flags = REPORT_AT_CAP;
        stand_run(&stand, 3 * NS_PER_S);
    }
    assert_true(stand.host[0].last.cap_mw + stand.host[1].last.cap_mw >= before_mw - 200 * 1000);
    assert_true(hold_runs(&core->holds, BRANCH_A, stand.t_ns));
    stand_stop(&stand);
}

/* But what a node is to carry less of, it gets: the limit falls, raises waiting or not. */
static void a_node_that_is_to_carry_less_gets_its_cuts_while_raises_wait(void **state)
{
    (void)state;
    struct stand stand;
    stand_site(&stand);
    stand.model.policy.damper_window_ns = NS_PER_S;
    stand.model.policy.damper_changes = 3;
    stand.model.policy.hold_least_ns = stand.model.policy.hold_most_ns = 60 * NS_PER_S;
    start_full(&stand);
    struct core *core = stand.core;
    hold_observe(&core->holds, &core->heat, MAIN, HOLD_EMERGENCY, true, stand.t_ns);
    hold_observe(&core->holds, &core->heat, MAIN, HOLD_EMERGENCY, false, stand.t_ns);
    stand_run(&stand, NS_PER_S);
    stand.host[0].mute = true;
    for (int i = 0; i < 15; i++) {
        lose_cap(&stand);
        stand_run(&stand, 100 * NS_PER_MS);
    }
    assert_true(stand.host[1].last.cap_mw <= FAIL_SAFE_MW);
    stand_stop(&stand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ramp_delays_no_room_for_a_host_that_lost_its_cap),
        cmocka_unit_test(little_room_where_two_cords_meet_takes_nothing),
        cmocka_unit_test(caps_do_not_sink_while_raises_wait),
        cmocka_unit_test(a_node_that_is_to_carry_less_gets_its_cuts_while_raises_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
