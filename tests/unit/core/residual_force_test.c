/* SPDX-License-Identifier: Apache-2.0 */
/* Load that no lease governs, once it is learnt: what follows from it, how it is shown and handed over. A
 * branch carries 14 kVA on a phase; hosts at fail-safe draw 4 of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "succession.h"
#include "truth.h"

static void lay_out_full(struct truth *truth)
{
    lay_out(truth);
    truth->obeys = true;
    for (uint32_t n = 0; n < STAND_NODES; n++)
        for (uint32_t p = 0; p < PHASES; p++)
            truth->stand.node[n].limit_mva[0][p] = n == MAIN ? 100 * KW : BRANCH_MVA;
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        truth->draw_mw[h] = 10 * KW;
}

static const struct ledger_sums *sums(const struct truth *truth, uint32_t node)
{
    return &truth->stand.core->ledger.node[node];
}

/* Both hosts have all that the branch carries, and something else takes a tenth of it: emergencies cut
 * them for a while and again; then it is known, they have less for good, and the branch carries all of it. */
static void hosts_make_room_for_what_is_learnt(void **state)
{
    (void)state;
    struct truth truth;
    lay_out_full(&truth);
    open_truth(&truth);
    pass(&truth, 20 * NS_PER_S);
    assert_true(sums(&truth, BRANCH_A)->newest_mva[0][0] > BRANCH_MVA - KW / 2);
    assert_int_equal(stand_counters(&truth.stand)->emergencies, 0);
    truth.other_mw[BRANCH_A] = 7 * KW / 5;
    pass(&truth, 40 * NS_PER_S);
    assert_in_range(learnt(&truth, BRANCH_A), 6 * KW / 5, 2 * KW);
    uint64_t emergencies = stand_counters(&truth.stand)->emergencies;
    pass(&truth, 40 * NS_PER_S);
    assert_int_equal(stand_counters(&truth.stand)->emergencies, emergencies);
    assert_true(sums(&truth, BRANCH_A)->newest_mva[0][0] <= BRANCH_MVA);
    assert_true(truth.stand.host[0].last.cap_mw + truth.stand.host[1].last.cap_mw +
                    truth.other_mw[BRANCH_A] <=
                BRANCH_MVA);
    assert_true(truth.stand.host[2].last.cap_mw + truth.stand.host[3].last.cap_mw > BRANCH_MVA - KW / 2);
    truth.other_mw[BRANCH_A] = 0;
    pass(&truth, 80 * NS_PER_S);
    assert_int_equal(learnt(&truth, BRANCH_A), 0);
    assert_true(sums(&truth, BRANCH_A)->newest_mva[0][0] > BRANCH_MVA - KW / 2);
    assert_int_equal(stand_counters(&truth.stand)->invariant_failures, 0);
    stand_stop(&truth.stand);
}

/* Hosts have leases that they do not draw, so that nothing is above any limit; but what may flow is: S is
 * cut to the limit in the slot that learns it, and D is recovery by a cause of its own until reports show
 * the cuts. */
static void the_slot_that_learns_cuts_and_says_why(void **state)
{
    (void)state;
    struct truth truth;
    struct core_node_view view;
    lay_out_full(&truth);
    truth.obeys = false;
    for (uint32_t h = 0; h < STAND_HOSTS; h++) {
        truth.draw_mw[h] = 5 * KW;
        truth.stand.host[h].flags = REPORT_AT_CAP;
    }
    open_truth(&truth);
    pass(&truth, 10 * NS_PER_S);
    assert_true(sums(&truth, BRANCH_A)->newest_mva[0][0] > BRANCH_MVA - KW / 2);
    truth.other_mw[BRANCH_A] = 3 * KW;
    uint64_t recoveries = stand_counters(&truth.stand)->recoveries;
    pass_until_learnt(&truth, BRANCH_A);
    assert_in_range(learnt(&truth, BRANCH_A), 3 * KW - KW / 10, 3 * KW + KW / 2);
    assert_true(sums(&truth, BRANCH_A)->newest_mva[0][0] <= BRANCH_MVA);
    assert_int_equal(stand_counters(&truth.stand)->recoveries_other, 1);
    assert_int_equal(stand_counters(&truth.stand)->recoveries, recoveries + 1);
    core_node_view(truth.stand.core, BRANCH_A, &view);
    assert_true(view.recovery);
    assert_int_equal(view.recovery_by, RECOVERY_OTHER);
    assert_int_equal(view.learnt_mva[0], learnt(&truth, BRANCH_A));
    assert_int_equal(view.raised_mva, 0);
    assert_false(view.outgrown);
    pass(&truth, NS_PER_S);
    core_node_view(truth.stand.core, BRANCH_A, &view);
    assert_false(view.recovery);
    assert_int_equal(stand_counters(&truth.stand)->invariant_failures, 0);
    stand_stop(&truth.stand);
}

static void give_device(struct truth *truth)
{
    struct breaker *breaker = &truth->stand.node[BRANCH_A].breaker;
    breaker->element_count = 1;
    breaker->element[0] = (struct breaker_element){
        .law = BREAKER_IMAGE, .role = ELEMENT_LONG_TIME, .pickup_ma = 183750,
        .heat_ns = 20 * NS_PER_S, .heat_fast_ns = 20 * NS_PER_S, .fast_above_ma = INT64_MAX,
        .cool_ns = 25 * NS_PER_S};
    truth->stand.node[BRANCH_A].lend = 1;
}

/* 14 - 4 are left by fail-safe caps. 9.5 lets the branch lend; 10.5 does not: shown, counted, and over by
 * itself. */
static void where_fail_safe_caps_have_no_room_nothing_is_lent(void **state)
{
    (void)state;
    struct truth truth;
    struct core_node_view view;
    lay_out_full(&truth);
    give_device(&truth);
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        truth.draw_mw[h] = KW;
    open_truth(&truth);
    truth.other_mw[BRANCH_A] = 19 * KW / 2;
    pass(&truth, 90 * NS_PER_S);
    const struct degrade_row *row = core_degraded(truth.stand.core, DEGRADED_ROOM);
    assert_true(learnt(&truth, BRANCH_A) > 9 * KW);
    assert_int_equal(permit_of(&truth.stand.core->permits, BRANCH_A), PERMIT_HELD);
    assert_int_equal(sums(&truth, BRANCH_A)->lend.contingencies, 1);
    assert_int_equal(row->now, 0);
    truth.other_mw[BRANCH_A] = 21 * KW / 2;
    pass_until_learnt(&truth, BRANCH_A);
    assert_int_equal(permit_of(&truth.stand.core->permits, BRANCH_A), PERMIT_OUTGROWN);
    assert_int_equal(sums(&truth, BRANCH_A)->lend.contingencies, 0);
    assert_int_equal(row->now, 1);
    assert_int_equal(row->newest, BRANCH_A);
    assert_int_equal(stand_counters(&truth.stand)->other_outgrown, 1);
    core_node_view(truth.stand.core, BRANCH_A, &view);
    assert_true(view.outgrown);
    core_node_view(truth.stand.core, MAIN, &view);
    assert_false(view.outgrown);
    truth.other_mw[BRANCH_A] = KW;
    pass(&truth, 180 * NS_PER_S);
    assert_int_equal(row->now, 0);
    assert_int_equal(row->left, 1);
    assert_int_equal(permit_of(&truth.stand.core->permits, BRANCH_A), PERMIT_HELD);
    assert_int_equal(sums(&truth, BRANCH_A)->lend.contingencies, 1);
    assert_int_equal(stand_counters(&truth.stand)->invariant_failures, 0);
    stand_stop(&truth.stand);
}

static void hand_over(bool mute_main)
{
    struct truth truth;
    struct succession succession;
    lay_out_full(&truth);
    open_truth(&truth);
    truth.other_mw[BRANCH_A] = 3 * KW;
    truth.other_mw[MAIN] = 8 * KW;
    pass(&truth, 40 * NS_PER_S);
    int64_t branch_mva = learnt(&truth, BRANCH_A), main_mva = learnt(&truth, MAIN);
    assert_true(branch_mva > 2 * KW && main_mva > branch_mva + 6 * KW);
    succession_of(&truth.stand, &succession);
    succession_restart(&truth.stand);
    assert_int_equal(learnt(&truth, BRANCH_A), 0);
    succession_accounts(&truth.stand, succession.account);
    succession_records(&truth.stand, &succession);
    assert_int_equal(learnt(&truth, BRANCH_A), branch_mva);
    assert_int_equal(learnt(&truth, MAIN), main_mva);
    assert_int_equal(sums(&truth, BRANCH_A)->raised_mva[0], branch_mva);
    assert_int_equal(sums(&truth, MAIN)->raised_mva[1], main_mva);
    assert_int_equal(stand_counters(&truth.stand)->other_raised, 0);
    truth.other_mw[BRANCH_A] = truth.other_mw[MAIN] = 0;
    truth.mute[MAIN] = mute_main;
    pass(&truth, 30 * NS_PER_S);
    assert_true(learnt(&truth, BRANCH_A) >= branch_mva);
    pass(&truth, 60 * NS_PER_S);
    assert_int_equal(learnt(&truth, BRANCH_A), 0);
    /* mute: for all that its meter knows the branch's load has moved there */
    assert_int_equal(learnt(&truth, MAIN), mute_main ? main_mva : 0);
    truth.mute[MAIN] = false;
    pass(&truth, 75 * NS_PER_S);
    assert_int_equal(learnt(&truth, MAIN), 0);
    assert_int_equal(stand_counters(&truth.stand)->invariant_failures, 0);
    stand_stop(&truth.stand);
}

static void what_is_learnt_is_handed_over(void **state)
{
    (void)state;
    hand_over(false);
    hand_over(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hosts_make_room_for_what_is_learnt),
        cmocka_unit_test(the_slot_that_learns_cuts_and_says_why),
        cmocka_unit_test(where_fail_safe_caps_have_no_room_nothing_is_lent),
        cmocka_unit_test(what_is_learnt_is_handed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
