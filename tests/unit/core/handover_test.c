/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts of the controller before: what they are worth, and what ends that (safety.md section 10). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/core.h"
#include "succession.h"

enum { HELD_MW = 6000000 };

/* The controller of epoch 7 has given host 0 some share and stops; a new one of epoch 8 starts on the same
 * hosts. */
static void run_first_of(struct stand *stand)
{
    stand_start(stand);
    for (uint32_t h = 0; h < STAND_HOSTS; h++) {
        stand->host[h].draw_mw = HELD_MW;
        stand_admit(stand, h);
    }
    stand_run(stand, 2 * NS_PER_S);
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        stand_obey(stand, h);
}

static void run_first(struct stand *stand)
{
    stand_site(stand);
    run_first_of(stand);
}

static void accounts_of(const struct stand *stand, struct slot_account account[STAND_HOSTS])
{
    struct succession succession;
    succession_of(stand, &succession);
    memcpy(account, succession.account, sizeof succession.account);
}

static void hosts_keep_cap_and_exposure(void **state)
{
    (void)state;
    struct stand stand;
    struct slot_account account[STAND_HOSTS];
    int64_t exposure_mw[STAND_HOSTS], cap_mw[STAND_HOSTS];
    run_first(&stand);
    accounts_of(&stand, account);
    for (uint32_t h = 0; h < STAND_HOSTS; h++) {
        exposure_mw[h] = stand_exposure_mw(&stand, h);
        cap_mw[h] = stand.host[h].last.cap_mw;
        assert_true(cap_mw[h] > FAIL_SAFE_MW);
        assert_true(account[h].bounded);
    }
    succession_restart(&stand);
    succession_accounts(&stand, account);
    assert_int_equal(stand_counters(&stand)->handed, STAND_HOSTS);
    assert_int_equal(stand_counters(&stand)->recoveries, 0);
    for (uint32_t h = 0; h < STAND_HOSTS; h++) {
        assert_int_equal(stand_exposure_mw(&stand, h), exposure_mw[h]);
        struct report report = succession_report(&stand, h);
        const struct egress *lease = stand_report(&stand, &report);
        assert_non_null(lease);
        assert_int_equal(lease->kind, FRAME_LEASE);
        assert_int_equal(lease->why, WHY_HANDED);
        assert_int_equal(lease->cap_mw, cap_mw[h]);
        assert_true(lease->sequence > account[h].sequence);
    }
    /* and on they go: the stand lets every host obey its newest lease, ticks arbitrate */
    stand_run(&stand, 300 * NS_PER_MS);
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        assert_int_equal(stand.host[h].last.cap_mw, cap_mw[h]);
    assert_int_equal(stand_counters(&stand)->claims, 0);
    assert_int_equal(stand_counters(&stand)->invariant_failures, 0);
    assert_true(stand.core->accounts.settled);      /* limits are looked at once for that, not for ever */
    stand_stop(&stand);
}

/* Handed over, and sent nothing since: both, and to the sequence. */
static void an_account_is_fresh_until_the_first_lease_beyond_it(void **state)
{
    (void)state;
    static const struct {
        bool handed, fresh;
        uint64_t sequence;
    } of[] = {{true, true, 40}, {true, false, 41}, {true, false, 39}, {false, false, 40}, {false, false, 41}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        struct ledger_host host = {.handed = of[i].handed, .sequence = of[i].sequence, .first = 41};
        assert_int_equal(account_is_fresh(&host), of[i].fresh);
    }
}

/* One branch above its limit on its one phase is enough. */
static void a_start_that_takes_over_all_but_one_host_is_a_recovery(void **state)
{
    (void)state;
    struct stand stand;
    struct slot_account account[STAND_HOSTS];
    stand_site(&stand);
    stand_one_phase(&stand);
    run_first_of(&stand);
    accounts_of(&stand, account);
    account[0].bounded = 0;
    succession_restart(&stand);
    succession_accounts(&stand, account);
    assert_int_equal(stand.core->ledger.over_count, 1);
    assert_int_equal(stand_counters(&stand)->recoveries, 1);
    assert_true(stand.core->recovering);
    stand_stop(&stand);
}

static void a_tick_before_the_first_report_sends_nothing_else(void **state)
{
    (void)state;
    struct stand stand;
    struct slot_account account[STAND_HOSTS];
    run_first(&stand);
    accounts_of(&stand, account);
    succession_restart(&stand);
    succession_accounts(&stand, account);
    uint64_t leases = stand.leases;
    stand_tick(&stand);
    assert_int_equal(stand.leases, leases);
    stand_stop(&stand);
}

/* What a cut shares out must be the same as with the hosts known from the start. */
static void sums_are_those_of_the_controller_before(void **state)
{
    (void)state;
    struct stand stand;
    struct slot_account account[STAND_HOSTS];
    struct core_node_view before, after;
    int64_t safe_mva[PHASES];
    run_first(&stand);
    accounts_of(&stand, account);
    core_node_view(stand.core, BRANCH_A, &before);
    memcpy(safe_mva, stand.core->ledger.node[BRANCH_A].safe_mva[0], sizeof safe_mva);
    succession_restart(&stand);
    succession_accounts(&stand, account);
    core_node_view(stand.core, BRANCH_A, &after);
    assert_memory_equal(before.exposure_mva, after.exposure_mva, sizeof before.exposure_mva);
    assert_memory_equal(before.newest_mva, after.newest_mva, sizeof before.newest_mva);
    assert_memory_equal(stand.core->ledger.node[BRANCH_A].safe_mva[0], safe_mva, sizeof safe_mva);
    stand_stop(&stand);
}

static void a_report_that_was_sent_before_the_account_is_stale(void **state)
{
    (void)state;
    struct stand stand;
    struct slot_account account[STAND_HOSTS];
    run_first(&stand);
    struct report late = stand_report_of(&stand, 0, HOST_LEASED, A_NS);
    stand_obey(&stand, 0);
    accounts_of(&stand, account);
    assert_int_equal(account[0].report, late.number + 1);
    succession_restart(&stand);
    succession_accounts(&stand, account);
    assert_null(stand_report(&stand, &late));
    assert_int_equal(stand_counters(&stand)->reports_stale, 1);
    stand_stop(&stand);
}

/* Two hosts of unequal caps want more: a tick would share, but the others of their node cannot have been
 * heard. */
static void arbitration_rests_until_all_can_have_been_heard(void **state)
{
    (void)state;
    struct stand stand;
    struct slot_account account[STAND_HOSTS];
    run_first(&stand);
    accounts_of(&stand, account);
    account[0].newest_mw = account[0].exposed_mw = 8000000;
    account[1].newest_mw = account[1].exposed_mw = 3000000;
    succession_restart(&stand);
    succession_accounts(&stand, account);
    for (uint32_t h = 0; h < 2; h++) {
        struct report report = succession_report(&stand, h);
        report.flags = REPORT_AT_CAP;
        report.cap_mw = report.readback_mw = report.draw_mw = account[h].newest_mw;
        assert_int_equal(stand_report(&stand, &report)->why, WHY_HANDED);
    }
    uint64_t leases = stand.leases;
    const int64_t rest_ns = 2 * stand.model.policy.report_ns;
    for (int64_t waited_ns = 0; waited_ns < rest_ns - 40 * NS_PER_MS; waited_ns += 20 * NS_PER_MS) {
        stand_wait(&stand, 20 * NS_PER_MS);
        stand_tick(&stand);
    }
    assert_int_equal(stand.leases, leases);
    stand_wait(&stand, 60 * NS_PER_MS);
    stand_tick(&stand);
    assert_true(stand.leases > leases);
    stand_stop(&stand);
}

static void what_was_handed_over_retires_only_under_the_new_epoch(void **state)
{
    (void)state;
    struct stand stand;
    struct slot_account account[STAND_HOSTS];
    run_first(&stand);
    accounts_of(&stand, account);
    account[0].exposed_mw = 9000000;    /* a lease before a cut that no report has retired */
    succession_restart(&stand);
    succession_accounts(&stand, account);
    assert_int_equal(stand_exposure_mw(&stand, 0), 9000000);
    struct report report = succession_report(&stand, 0);
    stand_report(&stand, &report);
    report = succession_report(&stand, 0);
    stand_report(&stand, &report);
    assert_int_equal(stand_exposure_mw(&stand, 0), 9000000);
    stand_obey(&stand, 0);
    assert_int_equal(stand_exposure_mw(&stand, 0), account[0].newest_mw);
    stand_stop(&stand);
}

/* Fed with one thing wrong: everything is claimed anew, whatever came before it. */
static void refused(struct stand *stand, const struct slot_account account[STAND_HOSTS])
{
    succession_restart(stand);
    succession_accounts(stand, account);
    stand_tick(stand);
    assert_int_equal(stand_counters(stand)->handed, 0);
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        assert_int_equal(stand_exposure_mw(stand, h), PHYS_MAX_MW);
    struct report report = succession_report(stand, 0);
    const struct egress *lease = stand_report(stand, &report);
    assert_non_null(lease);
    assert_int_equal(lease->kind, FRAME_CLAIM);
    assert_true(lease->cap_mw <= FAIL_SAFE_MW);
}

static void a_set_with_one_fault_counts_for_nothing(void **state)
{
    (void)state;
    struct stand stand;
    struct slot_account account[STAND_HOSTS], whole[STAND_HOSTS];
    run_first(&stand);
    accounts_of(&stand, whole);
    const size_t bytes = sizeof whole;
    memcpy(account, whole, bytes), account[3].last = 0;
    refused(&stand, account);
    memcpy(account, whole, bytes), account[2].last = 1;
    refused(&stand, account);
    memcpy(account, whole, bytes), account[2].host = 1;
    refused(&stand, account);
    memcpy(account, whole, bytes), account[1].host = STAND_HOSTS;
    refused(&stand, account);
    memcpy(account, whole, bytes), account[3].age_ns = NS_PER_S + 1;
    refused(&stand, account);
    memcpy(account, whole, bytes), account[1].epoch--;
    refused(&stand, account);
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        account[h].epoch = stand.epoch + 1;     /* that of the controller that takes it */
    refused(&stand, account);
    memcpy(account, whole, bytes), account[0].exposed_mw = account[0].newest_mw - 1;
    refused(&stand, account);
    memcpy(account, whole, bytes), account[0].incarnation = 0;
    refused(&stand, account);
    stand_stop(&stand);
}

struct fault {
    size_t offset;              /* of the figure in the account */
    int64_t good, bad;
};

/* Figures that no ledger has; each at its edge is one. Of a host that is not bounded none counts. */
static void a_figure_beyond_its_edge_is_a_fault(void **state)
{
    (void)state;
    static const struct fault of[] = {
        {offsetof(struct slot_account, age_ns), 0, -1},
        {offsetof(struct slot_account, age_ns), NS_PER_S, NS_PER_S + 1},
        {offsetof(struct slot_account, newest_mw), 0, -1},
        {offsetof(struct slot_account, fail_safe_mw), 0, -1},
        {offsetof(struct slot_account, phys_max_mw), 0, -1},
    };
    struct stand stand;
    struct slot_account account[STAND_HOSTS], whole[STAND_HOSTS];
    run_first(&stand);
    accounts_of(&stand, whole);
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        memcpy(account, whole, sizeof whole);
        memcpy((char *)&account[2] + of[i].offset, &of[i].good, sizeof of[i].good);
        succession_restart(&stand);
        succession_accounts(&stand, account);
        assert_int_equal(stand_counters(&stand)->handed, STAND_HOSTS);
        for (uint32_t bounded = 0; bounded < 2; bounded++) {
            memcpy((char *)&account[2] + of[i].offset, &of[i].bad, sizeof of[i].bad);
            account[2].bounded = (uint8_t)bounded;
            succession_restart(&stand);
            succession_accounts(&stand, account);
            assert_int_equal(stand_counters(&stand)->handed, bounded || i < 2 ? 0 : STAND_HOSTS - 1);
        }
    }
    stand_stop(&stand);
}

/* Nothing of what was taken before the fault stays: no lease, no wish. */
static void a_fault_forgets_what_was_taken_before_it(void **state)
{
    (void)state;
    struct stand stand;
    struct slot_account account[STAND_HOSTS];
    run_first(&stand);
    accounts_of(&stand, account);
    account[2].newest_mw = -1;
    succession_restart(&stand);
    succession_account(&stand, &account[0]);
    succession_account(&stand, &account[1]);
    assert_true(stand.core->demand[1].draw_mw[0] > 0);
    succession_account(&stand, &account[2]);
    for (uint32_t h = 0; h < STAND_HOSTS; h++) {
        assert_int_equal(stand.core->demand[h].draw_mw[0], 0);
        assert_int_equal(stand.core->ledger.host[h].newest_mw, -1);
        assert_false(stand.core->ledger.host[h].bounded);
    }
    stand_stop(&stand);
}

static void an_age_of_d_still_counts(void **state)
{
    (void)state;
    struct stand stand;
    struct slot_account account[STAND_HOSTS];
    run_first(&stand);
    accounts_of(&stand, account);
    account[3].age_ns = NS_PER_S;
    succession_restart(&stand);
    succession_accounts(&stand, account);
    assert_int_equal(stand_counters(&stand)->handed, STAND_HOSTS);
    stand_stop(&stand);
}

static void an_interrupted_set_counts_for_nothing_and_comes_no_second_time(void **state)
{
    (void)state;
    struct stand stand;
    struct slot_account account[STAND_HOSTS];
    run_first(&stand);
    accounts_of(&stand, account);
    succession_restart(&stand);
    for (uint32_t h = 0; h + 1 < STAND_HOSTS; h++)
        succession_account(&stand, &account[h]);
    stand_tick(&stand);
    succession_account(&stand, &account[STAND_HOSTS - 1]);
    succession_accounts(&stand, account);
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        assert_int_equal(stand_exposure_mw(&stand, h), PHYS_MAX_MW);
    assert_int_equal(stand_counters(&stand)->handed, 0);
    stand_stop(&stand);
}

static void a_mode_that_sends_nothing_takes_nothing(void **state)
{
    (void)state;
    struct stand stand;
    struct slot_account account[STAND_HOSTS];
    run_first(&stand);
    accounts_of(&stand, account);
    stand.model.mode = MODE_SHADOW;
    succession_restart(&stand);
    succession_accounts(&stand, account);
    assert_int_equal(stand_exposure_mw(&stand, 0), PHYS_MAX_MW);
    stand_stop(&stand);
}

static void a_host_of_a_third_controller_counts_at_phys_max(void **state)
{
    (void)state;
    struct stand stand;
    struct slot_account account[STAND_HOSTS];
    run_first(&stand);
    accounts_of(&stand, account);
    stand.epoch++;              /* one has been there between the two */
    succession_restart(&stand);
    succession_accounts(&stand, account);
    struct report report = succession_report(&stand, 0);
    const struct egress *lease = stand_report(&stand, &report);
    assert_int_equal(lease->kind, FRAME_CLAIM);
    assert_int_equal(stand_exposure_mw(&stand, 0), PHYS_MAX_MW);
    assert_true(stand.host[1].last.cap_mw < account[1].newest_mw);  /* makes room in that slot */
    report = succession_report(&stand, 2);
    report.epoch = stand.epoch - 2;     /* this one it did not reach */
    lease = stand_report(&stand, &report);
    assert_int_equal(lease->why, WHY_HANDED);
    assert_int_equal(stand_exposure_mw(&stand, 2), account[2].exposed_mw);
    stand_stop(&stand);
}

static void a_host_that_a_newer_controller_has_counts_at_phys_max(void **state)
{
    (void)state;
    struct stand stand;
    run_first(&stand);
    assert_true(stand_exposure_mw(&stand, 0) < PHYS_MAX_MW);
    struct report report = stand_report_of(&stand, 0, HOST_LEASED, A_NS);
    report.epoch = stand.epoch + 1;
    const struct egress *lease = stand_report(&stand, &report);
    assert_int_equal(lease->kind, FRAME_CLAIM);
    assert_true(lease->cap_mw <= FAIL_SAFE_MW);
    assert_int_equal(stand_exposure_mw(&stand, 0), PHYS_MAX_MW);
    assert_int_equal(stand_counters(&stand)->newer_epochs, 1);
    stand_stop(&stand);
}

/* The reset host is unbounded in the account and claimed; the others are not touched by that. */
static void a_host_not_bounded_before_is_claimed(void **state)
{
    (void)state;
    struct stand stand;
    struct slot_account account[STAND_HOSTS];
    run_first(&stand);
    stand.host[0].incarnation++;
    struct report report = stand_report_of(&stand, 0, HOST_BOOT, 0);
    stand_report(&stand, &report);
    accounts_of(&stand, account);
    assert_false(account[0].bounded);
    succession_restart(&stand);
    succession_accounts(&stand, account);
    assert_int_equal(stand_counters(&stand)->handed, STAND_HOSTS - 1);
    assert_int_equal(stand_exposure_mw(&stand, 0), PHYS_MAX_MW);
    assert_int_equal(stand_exposure_mw(&stand, 3), account[3].exposed_mw);
    stand_stop(&stand);
}

/* Until a host has shown the new epoch, an account of it says nothing a third controller could use. */
static void an_account_is_handed_on_only_once_the_host_has_accepted(void **state)
{
    (void)state;
    struct stand stand;
    struct slot_account account[STAND_HOSTS];
    run_first(&stand);
    accounts_of(&stand, account);
    succession_restart(&stand);
    succession_accounts(&stand, account);
    struct report report = succession_report(&stand, 0);
    stand_report(&stand, &report);
    core_account(stand.core, 0, &account[0]);
    assert_false(account[0].bounded);
    stand_obey(&stand, 0);
    core_account(stand.core, 0, &account[0]);
    assert_true(account[0].bounded);
    stand_stop(&stand);
}

/* Bounded, but of a host that had not accepted that controller: what it may hold is another's. */
static void a_bounded_host_that_had_not_accepted_is_not_handed_over(void **state)
{
    (void)state;
    struct stand stand;
    struct slot_account account[STAND_HOSTS];
    run_first(&stand);
    accounts_of(&stand, account);
    succession_restart(&stand);
    account[1].accepted = 0;
    account[2].bounded = 0;
    account[3].fail_safe_mw = account[3].phys_max_mw = 0;   /* figures of nothing are figures */
    succession_accounts(&stand, account);
    assert_int_equal(stand_counters(&stand)->handed, 2);
    assert_int_equal(stand_exposure_mw(&stand, 1), PHYS_MAX_MW);
    assert_int_equal(stand_exposure_mw(&stand, 2), PHYS_MAX_MW);
    assert_true(stand.core->ledger.host[0].handed && stand.core->ledger.host[3].handed);
    assert_false(stand.core->ledger.host[1].handed || stand.core->ledger.host[2].handed);
    stand_stop(&stand);
}

/* A fault ends it: the right record behind the wrong one comes too late. */
static void what_follows_a_fault_counts_for_nothing(void **state)
{
    (void)state;
    struct stand stand;
    struct slot_account account[STAND_HOSTS];
    run_first(&stand);
    accounts_of(&stand, account);
    succession_restart(&stand);
    for (uint32_t h = 0; h + 1 < STAND_HOSTS; h++)
        succession_account(&stand, &account[h]);
    struct slot_account old = account[STAND_HOSTS - 1];
    old.age_ns = NS_PER_S + 1;
    succession_account(&stand, &old);
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        assert_int_equal(stand_exposure_mw(&stand, h), PHYS_MAX_MW);
    succession_account(&stand, &account[STAND_HOSTS - 1]);
    succession_accounts(&stand, account);
    stand_tick(&stand);
    assert_int_equal(stand_counters(&stand)->handed, 0);
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        assert_int_equal(stand_exposure_mw(&stand, h), PHYS_MAX_MW);
    stand_stop(&stand);
}

/* 12 kW of it and 6 of its neighbour do not fit into 14: the neighbour makes room before anything else is
 * sent, and nobody on the other branch has to. */
static void a_host_not_handed_over_has_room_made_for_it_at_once(void **state)
{
    (void)state;
    struct stand stand;
    struct slot_account account[STAND_HOSTS];
    run_first(&stand);
    accounts_of(&stand, account);
    account[0].bounded = false;
    succession_restart(&stand);
    succession_accounts(&stand, account);
    uint64_t leases = stand.leases;
    stand_tick(&stand);
    assert_int_equal(stand.leases, leases + 1);
    assert_int_equal(stand.host[1].last.why, WHY_LIMIT);
    assert_int_equal(stand.host[1].last.cap_mw, FAIL_SAFE_MW);
    assert_true(stand.core->ledger.node[BRANCH_A].newest_mva[0][0] <= BRANCH_MVA);
    stand_tick(&stand);
    assert_int_equal(stand.leases, leases + 1);
    assert_int_equal(stand_counters(&stand)->limit_cuts, 1);
    assert_int_equal(stand_counters(&stand)->invariant_failures, 0);
    stand_stop(&stand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hosts_keep_cap_and_exposure),
        cmocka_unit_test(a_tick_before_the_first_report_sends_nothing_else),
        cmocka_unit_test(arbitration_rests_until_all_can_have_been_heard),
        cmocka_unit_test(sums_are_those_of_the_controller_before),
        cmocka_unit_test(a_report_that_was_sent_before_the_account_is_stale),
        cmocka_unit_test(what_was_handed_over_retires_only_under_the_new_epoch),
        cmocka_unit_test(a_set_with_one_fault_counts_for_nothing),
        cmocka_unit_test(an_account_is_fresh_until_the_first_lease_beyond_it),
        cmocka_unit_test(a_figure_beyond_its_edge_is_a_fault),
        cmocka_unit_test(a_start_that_takes_over_all_but_one_host_is_a_recovery),
        cmocka_unit_test(a_fault_forgets_what_was_taken_before_it),
        cmocka_unit_test(an_age_of_d_still_counts),
        cmocka_unit_test(an_interrupted_set_counts_for_nothing_and_comes_no_second_time),
        cmocka_unit_test(a_mode_that_sends_nothing_takes_nothing),
        cmocka_unit_test(a_host_of_a_third_controller_counts_at_phys_max),
        cmocka_unit_test(a_host_that_a_newer_controller_has_counts_at_phys_max),
        cmocka_unit_test(a_host_not_bounded_before_is_claimed),
        cmocka_unit_test(a_host_not_handed_over_has_room_made_for_it_at_once),
        cmocka_unit_test(an_account_is_handed_on_only_once_the_host_has_accepted),
        cmocka_unit_test(a_bounded_host_that_had_not_accepted_is_not_handed_over),
        cmocka_unit_test(what_follows_a_fault_counts_for_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
