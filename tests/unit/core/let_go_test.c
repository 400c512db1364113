/* SPDX-License-Identifier: Apache-2.0 */
/* A host whose agent stops and asks for its own limits: what the controller agrees to, and what it counts
 * from then on (core/ledger_let_go.c). A branch carries one host at phys_max beside one at fail-safe. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/account.h"
#include "core/core.h"
#include "stand.h"

static void start(struct stand *stand)
{
    stand_site(stand);
    stand->model.policy.let_go = 1;
    stand_start(stand);
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        stand_admit(stand, h);
}

/* The answer to a report of its newest lease, held for A, that asks. */
static const struct egress *ask(struct stand *stand, uint32_t host)
{
    struct report report = stand_report_of(stand, host, HOST_LEASED, A_NS);
    report.flags |= REPORT_LEAVING;
    stand_wait(stand, NS_PER_MS);
    return stand_report(stand, &report);
}

static bool agrees(const struct egress *answer)
{
    assert_non_null(answer);
    return answer->flags & LEASE_LET_GO;
}

static void a_host_that_asks_is_let_go_and_counts_at_phys_max_before_the_answer_leaves(void **state)
{
    (void)state;
    struct stand stand;
    start(&stand);
    uint64_t sequence = stand.host[0].last.sequence;
    const struct egress *answer = ask(&stand, 0);
    assert_true(agrees(answer));
    assert_int_equal(answer->kind, FRAME_LEASE);
    assert_int_equal(answer->why, WHY_LET_GO);
    assert_int_equal(answer->sequence, sequence + 1);
    assert_int_equal(answer->echo, stand.host[0].number);
    assert_int_equal(answer->incarnation, stand.host[0].incarnation);
    assert_int_equal(answer->cap_mw, FAIL_SAFE_MW);     /* whoever does not know the flag obeys this */
    assert_int_equal(stand_exposure_mw(&stand, 0), PHYS_MAX_MW);
    assert_int_equal(stand.core->ledger.node[BRANCH_A].newest_mva[0][0], PHYS_MAX_MW + FAIL_SAFE_MW);
    assert_int_equal(stand_counters(&stand)->let_go, 1);
    assert_int_equal(stand_counters(&stand)->kept, 0);
    assert_int_equal(stand_counters(&stand)->recoveries_reset, 0);
    assert_int_equal(stand_counters(&stand)->invariant_failures, 0);
    assert_true(agrees(ask(&stand, 0)));        /* the answer was lost: it is told again */
    assert_int_equal(stand_counters(&stand)->let_go, 1);
    stand_stop(&stand);
}

static void nobody_is_let_go_who_does_not_ask_or_where_the_site_does_not_allow_it(void **state)
{
    (void)state;
    struct stand stand;
    start(&stand);
    assert_false(agrees(stand_obey(&stand, 0)));
    stand.model.policy.let_go = 0;
    const struct egress *answer = ask(&stand, 0);
    assert_false(agrees(answer));
    assert_int_equal(answer->cap_mw, stand.core->ledger.host[0].newest_mw);
    assert_int_equal(stand_exposure_mw(&stand, 0), FAIL_SAFE_MW);
    assert_int_equal(stand_counters(&stand)->kept, 1);
    stand_stop(&stand);
}

static void a_host_is_kept_while_its_phys_max_does_not_fit_beside_what_others_hold(void **state)
{
    (void)state;
    struct stand stand;
    start(&stand);
    stand.host[1].draw_mw = CAP_MAX_MW;
    stand.host[1].flags = REPORT_AT_CAP;
    stand_run(&stand, NS_PER_S);
    assert_true(stand.host[1].last.cap_mw > FAIL_SAFE_MW);
    assert_false(agrees(ask(&stand, 0)));
    assert_true(stand_exposure_mw(&stand, 0) < PHYS_MAX_MW);
    stand_stop(&stand);
}

/* D bounds it where S does not: a cut of a neighbour that no report has shown yet. */
static void a_host_is_kept_until_what_makes_room_is_confirmed(void **state)
{
    (void)state;
    struct stand stand;
    start(&stand);
    struct ledger *ledger = &stand.core->ledger;
    assert_true(ledger_sent(ledger, 1, 2 * FAIL_SAFE_MW));
    assert_true(ledger_sent(ledger, 1, FAIL_SAFE_MW));
    assert_false(ledger_may_let_go(ledger, 0));
    stand.host[1].last.sequence = ledger->host[1].sequence;
    stand_obey(&stand, 1);
    assert_true(ledger_may_let_go(ledger, 0));
    stand_stop(&stand);
}

/* S bounds it where D does not: a neighbour fell to fail-safe, and the lease that it had may be renewed. */
static void a_host_is_kept_while_a_neighbours_newest_lease_stands_in_s(void **state)
{
    (void)state;
    struct stand stand;
    uint32_t retired;
    start(&stand);
    struct ledger *ledger = &stand.core->ledger;
    assert_true(ledger_sent(ledger, 1, CAP_MAX_MW));
    stand.host[1].last.sequence = ledger->host[1].sequence;
    struct report fallen = stand_report_of(&stand, 1, HOST_FAIL_SAFE, A_NS);
    ledger_report(ledger, &fallen, stand.t_ns, &retired);
    assert_int_equal(stand_exposure_mw(&stand, 1), FAIL_SAFE_MW);
    assert_int_equal(ledger->host[1].newest_mw, CAP_MAX_MW);
    assert_false(ledger_may_let_go(ledger, 0));
    assert_true(ledger_sent(ledger, 1, FAIL_SAFE_MW));
    assert_true(ledger_may_let_go(ledger, 0));
    stand_stop(&stand);
}

/* What a permit lends is no room for ever: I2 holds with every lease run out. */
static void what_is_lent_lets_nobody_go(void **state)
{
    (void)state;
    struct stand stand;
    start(&stand);
    struct ledger *ledger = &stand.core->ledger;
    const struct ledger_lend lend = {.contingencies = 1, .lendable_ma = 300000, .admissible_ma = 300000};
    ledger_lend(ledger, BRANCH_A, &lend);
    assert_true(ledger_may_send(ledger, 1, CAP_MAX_MW) == LEDGER_MAY_SEND);
    assert_true(ledger_may_let_go(ledger, 0));
    assert_true(ledger_let_go(ledger, 0));
    assert_true(ledger_may_send(ledger, 1, CAP_MAX_MW) == LEDGER_MAY_SEND);
    assert_false(ledger_may_let_go(ledger, 1));
    stand_stop(&stand);
}

static void nothing_is_given_of_what_a_host_that_was_let_go_may_draw(void **state)
{
    (void)state;
    struct stand stand;
    start(&stand);
    assert_true(agrees(ask(&stand, 0)));
    stand.host[0].mute = true;
    for (uint32_t h = 1; h < STAND_HOSTS; h++) {
        stand.host[h].draw_mw = CAP_MAX_MW;
        stand.host[h].flags = REPORT_AT_CAP;
    }
    stand_run(&stand, 20 * NS_PER_S);
    assert_int_equal(stand_exposure_mw(&stand, 0), PHYS_MAX_MW);
    assert_int_equal(stand_exposure_mw(&stand, 1), FAIL_SAFE_MW);
    assert_true(stand_exposure_mw(&stand, 2) > FAIL_SAFE_MW);
    assert_int_equal(stand_counters(&stand)->invariant_failures, 0);
    assert_int_equal(stand.core->degrade.row[DEGRADED_CAP].entered, 0);
    stand_stop(&stand);
}

/* The agreement may be on its way still: what shows a state before it is no evidence against it. */
static void what_was_sent_before_the_agreement_came_brings_nobody_back(void **state)
{
    (void)state;
    struct stand stand;
    start(&stand);
    struct report before = stand_report_of(&stand, 0, HOST_LEASED, A_NS);
    before.number += 5;
    stand.host[0].number += 5;
    struct report asking = stand_report_of(&stand, 0, HOST_LEASED, A_NS);
    asking.number = before.number - 4;
    asking.flags |= REPORT_LEAVING;
    assert_true(agrees(stand_report(&stand, &asking)));
    stand_report(&stand, &before);
    assert_int_equal(stand_exposure_mw(&stand, 0), PHYS_MAX_MW);
    struct report fallen = stand_report_of(&stand, 0, HOST_FAIL_SAFE, 10 * A_NS);
    fallen.applied = before.applied;            /* the lease before the agreement ran out */
    stand_report(&stand, &fallen);
    assert_int_equal(stand_exposure_mw(&stand, 0), PHYS_MAX_MW);
    stand_stop(&stand);
}

static void a_newer_lease_that_is_shown_rules_the_agreement_out(void **state)
{
    (void)state;
    struct stand stand;
    start(&stand);
    assert_true(agrees(ask(&stand, 0)));
    struct report applied = stand_report_of(&stand, 0, HOST_LEASED, A_NS);
    stand_report(&stand, &applied);             /* says that it obeyed it as a lease: that is not enough */
    assert_int_equal(stand_exposure_mw(&stand, 0), PHYS_MAX_MW);
    assert_int_equal(stand.host[0].last.kind, FRAME_CLAIM);
    stand_obey(&stand, 0);
    assert_int_equal(stand_exposure_mw(&stand, 0), FAIL_SAFE_MW);
    stand_stop(&stand);
}

static void a_host_that_comes_back_is_claimed_anew(void **state)
{
    (void)state;
    struct stand stand;
    start(&stand);
    assert_true(agrees(ask(&stand, 0)));
    stand.host[0].mute = true;
    stand_run(&stand, 5 * NS_PER_S);
    stand.host[0].incarnation++;
    stand.host[0].number = 0;
    struct report report = stand_report_of(&stand, 0, HOST_BOOT, 0);
    const struct egress *claim = stand_report(&stand, &report);
    assert_int_equal(claim->kind, FRAME_CLAIM);
    assert_false(agrees(claim));
    assert_int_equal(stand_exposure_mw(&stand, 0), PHYS_MAX_MW);
    stand_admit(&stand, 0);
    assert_int_equal(stand_exposure_mw(&stand, 0), FAIL_SAFE_MW);
    stand_stop(&stand);
}

static void its_account_is_not_handed_over(void **state)
{
    (void)state;
    struct stand stand;
    struct slot_account account;
    start(&stand);
    core_account(stand.core, 0, &account);
    assert_true(account.bounded);
    assert_true(agrees(ask(&stand, 0)));
    core_account(stand.core, 0, &account);
    assert_false(account.bounded);
    stand_stop(&stand);
}

static void nobody_is_let_go_in_an_emergency_or_under_a_contract_without_room(void **state)
{
    (void)state;
    struct stand stand;
    start(&stand);
    stand_order(&stand, (struct slot_order){.kind = ORDER_CAP, .contract = 1, .node = MAIN,
                                            .value_mw = 12000000});
    stand_wait(&stand, NS_PER_MS);
    assert_false(agrees(ask(&stand, 0)));
    stand_order(&stand, (struct slot_order){.kind = ORDER_LIFT, .contract = 1});
    stand_reading(&stand, BRANCH_A, 3 * (int64_t)BRANCH_MVA);
    assert_false(agrees(ask(&stand, 0)));
    assert_int_equal(stand_counters(&stand)->let_go, 0);
    stand_stop(&stand);
}

/* To be let go is a raise, and takes from a ramp what a raise does. */
static void a_host_is_kept_while_a_ramp_does_not_allow_all_of_it(void **state)
{
    (void)state;
    struct stand stand;
    start(&stand);
    struct ramp_bucket *up = &stand.core->ramps.node[MAIN].bucket[RAMP_UP];
    stand.core->ramps.limited = 1;
    *up = (struct ramp_bucket){.rate_mw_per_s = 1, .most_mw = CAP_MAX_MW, .credit_mw = CAP_MAX_MW / 2,
                               .t_ns = stand.t_ns};
    assert_false(agrees(ask(&stand, 0)));
    up->credit_mw = CAP_MAX_MW;
    assert_true(agrees(ask(&stand, 0)));
    assert_true(up->credit_mw <= FAIL_SAFE_MW);
    assert_true(agrees(ask(&stand, 0)));        /* told again, it takes no more */
    stand_stop(&stand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_host_that_asks_is_let_go_and_counts_at_phys_max_before_the_answer_leaves),
        cmocka_unit_test(nobody_is_let_go_who_does_not_ask_or_where_the_site_does_not_allow_it),
        cmocka_unit_test(a_host_is_kept_while_its_phys_max_does_not_fit_beside_what_others_hold),
        cmocka_unit_test(a_host_is_kept_until_what_makes_room_is_confirmed),
        cmocka_unit_test(a_host_is_kept_while_a_neighbours_newest_lease_stands_in_s),
        cmocka_unit_test(what_is_lent_lets_nobody_go),
        cmocka_unit_test(nothing_is_given_of_what_a_host_that_was_let_go_may_draw),
        cmocka_unit_test(what_was_sent_before_the_agreement_came_brings_nobody_back),
        cmocka_unit_test(a_newer_lease_that_is_shown_rules_the_agreement_out),
        cmocka_unit_test(a_host_that_comes_back_is_claimed_anew),
        cmocka_unit_test(its_account_is_not_handed_over),
        cmocka_unit_test(nobody_is_let_go_in_an_emergency_or_under_a_contract_without_room),
        cmocka_unit_test(a_host_is_kept_while_a_ramp_does_not_allow_all_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
