/* SPDX-License-Identifier: Apache-2.0 */
/* When a target that arbitration set is pushed to its host at once, and what a report is answered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/core.h"
#include "stand.h"

static struct slot slot_of(uint8_t kind)
{
    struct slot slot;
    memset(&slot, 0, sizeof slot);
    slot.kind = kind;
    return slot;
}

static void step(struct stand *stand, struct slot slot)
{
    stand_step(stand, &slot);
}

static struct ledger_host *account(struct stand *stand, uint32_t host)
{
    return &stand->core->ledger.host[host];
}

static bool pushed(const struct stand *stand, uint32_t host)
{
    for (uint32_t i = 0; i < stand->outbox.count; i++)
        if (stand->record[i].host == host)
            return true;
    return false;
}

enum { WIDE_MVA = 30000000 };

/* Host 2 has room enough, holds `newest_mw` on evidence, and its share is 9 kW. */
static void aim_host_2(struct stand *stand, int64_t newest_mw)
{
    stand_site(stand);
    stand->type.cap_max_mw = 9000000;
    for (uint32_t p = 0; p < PHASES; p++)
        stand->node[BRANCH_B].limit_mva[0][p] = WIDE_MVA;
    stand_start(stand);
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        stand_admit(stand, h);
    stand_wait(stand, 10 * NS_PER_MS);
    stand->core->cluster.target_mw[2] = -1;
    ledger_sent(&stand->core->ledger, 2, newest_mw);
    struct report report = stand_report_of(stand, 2, HOST_LEASED, A_NS);
    report.applied = account(stand, 2)->sequence;
    report.cap_mw = report.readback_mw = newest_mw;
    stand_report(stand, &report);
    assert_int_equal(account(stand, 2)->newest_mw, newest_mw);
}

static void a_raise_of_more_than_a_quantum_is_pushed_and_one_of_a_quantum_waits(void **state)
{
    (void)state;
    struct stand stand;
    aim_host_2(&stand, 8999000);
    step(&stand, slot_of(SLOT_TICK));
    assert_int_equal(stand.core->cluster.target_mw[2], 9000000);
    assert_false(pushed(&stand, 2));
    stand_stop(&stand);
    aim_host_2(&stand, 8998999);
    step(&stand, slot_of(SLOT_TICK));
    assert_true(pushed(&stand, 2));
    assert_int_equal(stand.host[2].last.cap_mw, 9000000);
    assert_int_equal(stand.host[2].last.why, WHY_SHARE);
    assert_int_equal(stand.host[2].last.flags, 0);
    stand_stop(&stand);
}

static void a_cut_of_more_than_a_quantum_is_pushed_and_one_of_a_quantum_waits(void **state)
{
    (void)state;
    struct stand stand;
    aim_host_2(&stand, 8000000);
    stand.type.cap_max_mw = 7999000;
    step(&stand, slot_of(SLOT_TICK));
    assert_int_equal(stand.core->cluster.target_mw[2], 7999000);
    assert_false(pushed(&stand, 2));
    stand.type.cap_max_mw = 7998000;
    step(&stand, slot_of(SLOT_TICK));
    assert_true(pushed(&stand, 2));
    assert_int_equal(stand.host[2].last.cap_mw, 7998000);
    assert_int_equal(stand.host[2].last.why, WHY_CUT);
    assert_int_equal(stand.host[2].last.flags, 0);
    stand_stop(&stand);
}

/* "A raise wants a report fresh enough that the host will not have run out of it": half of D. */
static void a_raise_is_pushed_to_a_report_of_half_a_lease_and_not_to_an_older_one(void **state)
{
    (void)state;
    struct stand stand;
    aim_host_2(&stand, 5000000);
    stand_wait(&stand, NS_PER_S / 2 + 1);
    step(&stand, slot_of(SLOT_TICK));
    assert_int_equal(stand.core->cluster.target_mw[2], 9000000);
    assert_false(pushed(&stand, 2));
    stand_stop(&stand);
    aim_host_2(&stand, 5000000);
    stand_wait(&stand, NS_PER_S / 2);
    step(&stand, slot_of(SLOT_TICK));
    assert_true(pushed(&stand, 2));
    stand_stop(&stand);
}

static void a_cut_is_pushed_however_old_the_report_is_within_its_lease(void **state)
{
    (void)state;
    struct stand stand;
    aim_host_2(&stand, 8000000);
    stand.type.cap_max_mw = 5000000;
    stand_wait(&stand, NS_PER_S);
    step(&stand, slot_of(SLOT_TICK));
    assert_true(pushed(&stand, 2));
    stand_stop(&stand);
}

static void no_raise_is_pushed_under_an_emergency(void **state)
{
    (void)state;
    struct stand stand;
    aim_host_2(&stand, 5000000);
    stand.core->emergencies.node[MAIN].raise_after_ns = stand.t_ns + 1;
    step(&stand, slot_of(SLOT_TICK));
    assert_false(pushed(&stand, 2));
    stand.core->emergencies.node[MAIN].raise_after_ns = stand.t_ns;
    step(&stand, slot_of(SLOT_TICK));
    assert_true(pushed(&stand, 2));
    stand_stop(&stand);
}

/* It has 5 kW of 9, so half of the raise is 2 kW. */
static void a_raise_of_which_not_half_fits_waits_for_the_next_report(void **state)
{
    (void)state;
    struct stand stand;
    aim_host_2(&stand, 5000000);
    struct ledger_sums *sums = &stand.core->ledger.node[BRANCH_B];
    sums->newest_mva[0][0] = WIDE_MVA - 1999000;
    sums->left_mva[1] = 0;      /* look again */
    step(&stand, slot_of(SLOT_TICK));
    assert_false(pushed(&stand, 2));
    sums->newest_mva[0][0] = WIDE_MVA - 2000000;
    sums->left_mva[1] = 0;      /* look again */
    step(&stand, slot_of(SLOT_TICK));
    assert_false(pushed(&stand, 2));
    stand.core->ledger.moved.host[2] = 1;       /* as a report would */
    step(&stand, slot_of(SLOT_TICK));
    assert_true(pushed(&stand, 2));
    assert_int_equal(stand.host[2].last.cap_mw, 7000000);
    assert_int_equal(stand.host[2].last.why, WHY_GUARD_S);
    stand_stop(&stand);
}

static void a_raise_is_not_pushed_when_the_next_report_is_due_before_the_next_tick(void **state)
{
    (void)state;
    struct stand stand;
    aim_host_2(&stand, 5000000);
    const struct model_policy *policy = &stand.core->model->policy;
    stand_wait(&stand, policy->report_ns - policy->tick_ns - 1);
    account(&stand, 2)->report_t_ns = stand.t_ns - (policy->report_ns - policy->tick_ns);
    step(&stand, slot_of(SLOT_TICK));
    assert_false(pushed(&stand, 2));
    account(&stand, 2)->report_t_ns = stand.t_ns - policy->report_ns;   /* it was lost */
    step(&stand, slot_of(SLOT_TICK));
    assert_true(pushed(&stand, 2));
    stand_stop(&stand);
}

static void a_cut_is_left_alone_until_it_is_confirmed(void **state)
{
    (void)state;
    struct stand stand;
    aim_host_2(&stand, 8000000);
    stand.type.cap_max_mw = 5000000;
    step(&stand, slot_of(SLOT_TICK));
    assert_int_equal(stand.host[2].last.cap_mw, 5000000);
    stand.type.cap_max_mw = 4000000;
    step(&stand, slot_of(SLOT_TICK));
    assert_false(pushed(&stand, 2));
    struct report report = stand_report_of(&stand, 2, HOST_LEASED, 0);
    const struct egress *answer = stand_report(&stand, &report);
    assert_int_equal(answer->cap_mw, 4000000);      /* no cap passes what the type can be set to */
    assert_int_equal(answer->why, WHY_RENEWAL);
    stand_stop(&stand);
}

static void an_answer_says_whether_it_raises_cuts_or_renews(void **state)
{
    (void)state;
    struct stand stand;
    aim_host_2(&stand, 5000000);
    static const struct { int64_t target_mw, cap_mw; uint8_t why; } answers[] = {
        {-1, 5000000, WHY_RENEWAL},
        {5000000, 5000000, WHY_RENEWAL},
        {5001000, 5001000, WHY_SHARE},
        {4000000, 4000000, WHY_CUT},
    };
    for (uint32_t i = 0; i < 4; i++) {
        stand.core->cluster.target_mw[2] = answers[i].target_mw;
        const struct egress *answer = stand_obey(&stand, 2);
        assert_int_equal(answer->cap_mw, answers[i].cap_mw);
        assert_int_equal(answer->why, answers[i].why);
        assert_int_equal(stand.core->bound[2].why, answers[i].why);
    }
    stand_stop(&stand);
}

static const struct egress *answer_to(struct stand *stand, int64_t target_mw, int64_t newest_mw)
{
    stand->core->cluster.target_mw[2] = target_mw;
    account(stand, 2)->newest_mw = newest_mw;
    struct report report = stand_report_of(stand, 2, HOST_FAIL_SAFE, 0);
    return stand_report(stand, &report);
}

/* Nothing is a cap too: neither "no lease" nor "no target". The floor of 1 kW stands under both. */
static void a_cap_of_nothing_is_not_taken_for_none(void **state)
{
    (void)state;
    struct stand stand;
    aim_host_2(&stand, 5000000);
    const struct egress *answer = answer_to(&stand, 0, 5000000);
    assert_int_equal(answer->cap_mw, FLOOR_MW);
    assert_int_equal(answer->why, WHY_CUT);
    answer = answer_to(&stand, -1, 0);
    assert_int_equal(answer->cap_mw, FLOOR_MW);
    assert_int_equal(answer->why, WHY_RENEWAL);
    stand_stop(&stand);
    aim_host_2(&stand, 5000000);
    answer = answer_to(&stand, 3000000, 0);     /* 5 kW is still exposed: the cut to nothing settles */
    assert_int_equal(answer->cap_mw, FLOOR_MW);
    assert_int_equal(answer->why, WHY_RENEWAL);
    stand_stop(&stand);
}

static void a_host_below_fail_safe_waits_for_no_evidence(void **state)
{
    (void)state;
    struct stand stand;
    aim_host_2(&stand, FAIL_SAFE_MW);
    account(&stand, 2)->newest_mw = FAIL_SAFE_MW;
    assert_int_equal(ledger_exposed_cap_mw(account(&stand, 2)), FAIL_SAFE_MW);
    const struct egress *answer = answer_to(&stand, 3000000, 1500000);
    assert_int_equal(answer->cap_mw, 3000000);
    assert_int_equal(answer->why, WHY_SHARE);
    stand_stop(&stand);
}

/* Its lease has run out or runs out before anything could reach it. */
static void a_host_silent_for_longer_than_its_lease_is_told_nothing(void **state)
{
    (void)state;
    struct stand stand;
    aim_host_2(&stand, 8000000);
    stand_wait(&stand, NS_PER_S + 1);
    step(&stand, slot_of(SLOT_TICK));
    assert_int_equal(stand.core->cluster.target_mw[2], -1);
    assert_int_equal(stand.outbox.count, 0);
    stand_stop(&stand);
}

static void a_target_of_nothing_is_pushed_and_left_again(void **state)
{
    (void)state;
    struct stand stand;
    stand_site(&stand);
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        stand.host_model[h].fail_safe_mw = stand.host_model[h].floor_mw = 0;
    stand.own_fail_safe_mw = 0;
    stand_start(&stand);
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        stand_admit(&stand, h);
    stand_tick(&stand);
    assert_int_equal(stand.host[2].last.cap_mw, BRANCH_MVA / 2);    /* a raise from nothing */
    stand_obey(&stand, 2);
    stand_obey(&stand, 3);
    ledger_scale_limit(&stand.core->ledger, BRANCH_B, 0);
    stand_tick(&stand);
    assert_int_equal(stand.core->cluster.target_mw[2], 0);
    assert_int_equal(stand.host[2].last.cap_mw, 0);
    stand_stop(&stand);
}

/* Host 0 needs far less than the 7 kW it has, host 1 would like them and may not be raised: the cut waits,
 * and no tick sends a lease that changes nothing. */
static void a_cut_that_is_held_is_not_pushed_as_a_renewal(void **state)
{
    (void)state;
    struct stand stand;
    stand_site(&stand);
    stand.model.policy.hold_least_ns = NS_PER_S;
    stand.model.policy.hold_most_ns = 60 * NS_PER_S;
    stand.model.policy.damper_window_ns = NS_PER_S;
    stand.model.policy.damper_changes = 3;
    stand_start(&stand);
    struct core *core = stand.core;
    for (uint32_t h = 0; h < STAND_HOSTS; h++) {
        stand_admit(&stand, h);
        stand.host[h].draw_mw = CAP_MAX_MW;
        stand.host[h].flags = REPORT_AT_CAP;
    }
    stand_run(&stand, 3 * NS_PER_S);
    hold_observe(&core->holds, &core->heat, BRANCH_A, HOLD_EMERGENCY, true, stand.t_ns);
    stand_run(&stand, 200 * NS_PER_MS);
    stand.host[0].draw_mw = 1500000;
    stand.host[0].flags = 0;
    stand_run(&stand, 2 * NS_PER_S);
    assert_true(core->cluster.target_mw[0] < core->ledger.host[0].newest_mw - 1000000);
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        stand_obey(&stand, h);
    uint64_t leases = stand.leases;
    for (int i = 0; i < 5; i++) {
        stand_wait(&stand, 20 * NS_PER_MS);
        stand_tick(&stand);
    }
    assert_int_equal(stand.leases, leases);
    assert_int_equal(core->bound[0].term, BOUND_HOLD);
    stand_stop(&stand);
}

/* D that rose without a cause is a defect, and counted once. */
static void a_rise_without_a_cause_is_counted(void **state)
{
    (void)state;
    struct stand stand;
    stand_site(&stand);
    stand_start(&stand);
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        stand_admit(&stand, h);
    assert_int_equal(stand_counters(&stand)->invariant_failures, 0);
    stand.core->ledger.unexplained = true;
    stand_tick(&stand);
    assert_int_equal(stand_counters(&stand)->invariant_failures, 1);
    stand_stop(&stand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_raise_of_more_than_a_quantum_is_pushed_and_one_of_a_quantum_waits),
        cmocka_unit_test(a_cut_of_more_than_a_quantum_is_pushed_and_one_of_a_quantum_waits),
        cmocka_unit_test(a_raise_is_pushed_to_a_report_of_half_a_lease_and_not_to_an_older_one),
        cmocka_unit_test(a_cut_is_pushed_however_old_the_report_is_within_its_lease),
        cmocka_unit_test(no_raise_is_pushed_under_an_emergency),
        cmocka_unit_test(a_raise_of_which_not_half_fits_waits_for_the_next_report),
        cmocka_unit_test(a_raise_is_not_pushed_when_the_next_report_is_due_before_the_next_tick),
        cmocka_unit_test(a_cut_is_left_alone_until_it_is_confirmed),
        cmocka_unit_test(an_answer_says_whether_it_raises_cuts_or_renews),
        cmocka_unit_test(a_cap_of_nothing_is_not_taken_for_none),
        cmocka_unit_test(a_host_below_fail_safe_waits_for_no_evidence),
        cmocka_unit_test(a_host_silent_for_longer_than_its_lease_is_told_nothing),
        cmocka_unit_test(a_target_of_nothing_is_pushed_and_left_again),
        cmocka_unit_test(a_cut_that_is_held_is_not_pushed_as_a_renewal),
        cmocka_unit_test(a_rise_without_a_cause_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
