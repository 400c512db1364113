/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger alone, where the pipeline cannot be led: full lists, caps that reports contradict, sums to the
 * unit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/ledger.h"
#include "stand.h"

struct account {
    struct stand stand;         /* only its model */
    struct ledger ledger;
    struct ledger_host host[STAND_HOSTS];
    struct ledger_sums node[STAND_NODES];
    uint64_t number[STAND_HOSTS];
};

static void report(struct account *account, uint32_t h, uint8_t state, uint64_t applied, int64_t cap_mw)
{
    uint32_t retired;
    struct report report = {
        .host = h, .incarnation = 77, .epoch = applied ? 7 : 0, .number = ++account->number[h],
        .applied = applied, .held_ns = A_NS,
        .cap_mw = cap_mw, .readback_mw = cap_mw, .fail_safe_mw = FAIL_SAFE_MW,
        .phys_max_mw = PHYS_MAX_MW, .state = state,
    };
    ledger_report(&account->ledger, &report, NS_PER_S, &retired);
}

/* Every host known and at fail-safe, sequence 1 applied. */
static void open_account(struct account *account)
{
    memset(account, 0, sizeof *account);
    stand_site(&account->stand);
    ledger_init(&account->ledger, &account->stand.model, 7, account->host, account->node);
    for (uint32_t h = 0; h < STAND_HOSTS; h++) {
        report(account, h, HOST_FAIL_SAFE, 0, FAIL_SAFE_MW);
        ledger_sent(&account->ledger, h, FAIL_SAFE_MW);
        report(account, h, HOST_LEASED, 1, FAIL_SAFE_MW);
        assert_int_equal(account->host[h].exposed_draw_mw, FAIL_SAFE_MW);
    }
}

/* UNRETIRED_MAX bounds the list, not what may be in force: merged leases go when the latest of them goes. */
static void more_cuts_than_the_list_holds_never_count_for_less(void **state)
{
    (void)state;
    struct account account;
    int64_t cap_mw[3 * UNRETIRED_MAX + 2];
    open_account(&account);
    for (uint64_t sequence = 2; sequence < 3 * UNRETIRED_MAX + 2; sequence++) {
        cap_mw[sequence] = CAP_MAX_MW - (int64_t)sequence * 100000;
        assert_true(ledger_sent(&account.ledger, 0, cap_mw[sequence]));
        assert_int_equal(account.host[0].sequence, sequence);
        assert_int_equal(account.host[0].exposed_draw_mw, cap_mw[2]);
    }
    for (uint64_t sequence = 2; sequence < 3 * UNRETIRED_MAX + 2; sequence++) {
        report(&account, 0, HOST_LEASED, sequence, cap_mw[sequence]);
        assert_true(account.host[0].exposed_draw_mw >= cap_mw[sequence]);
    }
    uint64_t last = 3 * UNRETIRED_MAX + 1;
    ledger_sent(&account.ledger, 0, cap_mw[last]);      /* what was merged goes with the next */
    report(&account, 0, HOST_LEASED, last + 1, cap_mw[last]);
    assert_int_equal(account.host[0].exposed_draw_mw, cap_mw[last]);
}

/* "E(h) = phys_max [...] on read-back above the lease": the lease that allowed it may be retired by the same
 * report. */
static void a_cap_above_all_that_is_left_counts_at_phys_max(void **state)
{
    (void)state;
    struct account account;
    open_account(&account);
    ledger_sent(&account.ledger, 0, 5000000);
    report(&account, 0, HOST_FAIL_SAFE, 2, 4999999);
    assert_int_equal(account.host[0].exposed_draw_mw, PHYS_MAX_MW);
}

/* A host that nobody knows, sent 5 kW and then a claim: what shows that the claim binds it is shown whole,
 * or it counts at phys_max. */
static void a_host_leaves_phys_max_only_with_all_that_shows_why(void **state)
{
    (void)state;
    const struct report good = {
        .incarnation = 77, .epoch = 7, .applied = 2, .held_ns = A_NS, .cap_mw = FAIL_SAFE_MW,
        .readback_mw = FAIL_SAFE_MW, .fail_safe_mw = FAIL_SAFE_MW, .phys_max_mw = PHYS_MAX_MW,
        .state = HOST_LEASED};
    struct report lacks[7];
    uint32_t retired;
    struct account account;
    for (uint32_t i = 0; i < 7; i++)
        lacks[i] = good;
    lacks[0].state = HOST_BOOT;                         /* fail-safe caps are not read back */
    lacks[1].flags = REPORT_DEVICE_LOST;
    lacks[2].applied = 0;                               /* nothing of this incarnation is applied */
    lacks[3].held_ns = A_NS - 1;
    lacks[4].epoch = 6;
    lacks[5].applied = 1;                               /* below what it may have, above its newest lease */
    lacks[5].cap_mw = lacks[5].readback_mw = 4000000;
    lacks[6].cap_mw = 6000000;                          /* above all that it was ever sent */
    for (uint32_t i = 0; i < 7; i++) {
        memset(&account, 0, sizeof account);
        stand_site(&account.stand);
        ledger_init(&account.ledger, &account.stand.model, 7, account.host, account.node);
        report(&account, 0, HOST_BOOT, 0, FAIL_SAFE_MW);
        ledger_enter(&account.ledger, 0, 5000000);
        ledger_enter(&account.ledger, 0, FAIL_SAFE_MW);
        lacks[i].number = 2;
        ledger_report(&account.ledger, &lacks[i], NS_PER_S, &retired);
        assert_int_equal(account.host[0].exposed_draw_mw, PHYS_MAX_MW);
        struct report whole = good;
        whole.number = 3;
        ledger_report(&account.ledger, &whole, NS_PER_S, &retired);
        assert_int_equal(account.host[0].exposed_draw_mw, FAIL_SAFE_MW);
    }
}

/* Lease 2 of 8 kW still may be obeyed, but the host says that it enforces lease 3 of 5 kW, and reads back
 * 8. */
static void a_cap_above_the_lease_it_is_said_to_enforce_counts_at_phys_max(void **state)
{
    (void)state;
    struct account account;
    open_account(&account);
    ledger_sent(&account.ledger, 0, 8000000);
    ledger_sent(&account.ledger, 0, 5000000);
    report(&account, 0, HOST_LEASED, 2, 8000000);
    assert_int_equal(account.host[0].exposed_draw_mw, 8000000);
    report(&account, 0, HOST_LEASED, 3, 8000000);
    assert_int_equal(account.host[0].exposed_draw_mw, PHYS_MAX_MW);
}

static void where_no_caps_are_enforced_every_host_counts_at_phys_max(void **state)
{
    (void)state;
    struct account account;
    open_account(&account);
    ledger_enforce(&account.ledger, false);
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        assert_int_equal(account.host[h].exposed_draw_mw, PHYS_MAX_MW);
    report(&account, 0, HOST_LEASED, 1, FAIL_SAFE_MW);
    assert_int_equal(account.host[0].exposed_draw_mw, PHYS_MAX_MW);
    ledger_enforce(&account.ledger, true);
    report(&account, 0, HOST_LEASED, 1, FAIL_SAFE_MW);
    assert_int_equal(account.host[0].exposed_draw_mw, FAIL_SAFE_MW);
}

/* "Shows that newer state enforced": a sequence that was never sent is no state of this host. */
static void a_lease_that_was_never_sent_retires_nothing(void **state)
{
    (void)state;
    struct account account;
    open_account(&account);
    ledger_sent(&account.ledger, 0, 5000000);
    report(&account, 0, HOST_LEASED, 3, FAIL_SAFE_MW);
    assert_int_equal(account.host[0].exposed_draw_mw, 5000000);
    ledger_sent(&account.ledger, 0, FAIL_SAFE_MW);
    report(&account, 0, HOST_LEASED, 3, FAIL_SAFE_MW);
    assert_int_equal(account.host[0].exposed_draw_mw, FAIL_SAFE_MW);
}

/* E is draw_max of what the host can do, not of what its type was thought to do. */
static void a_host_larger_than_its_type_counts_in_full(void **state)
{
    (void)state;
    struct account account;
    uint32_t retired;
    open_account(&account);
    struct report report = {.host = 0,
                            .incarnation = 77,
                            .epoch = 7,
                            .number = ++account.number[0],
                            .applied = 1,
                            .held_ns = A_NS,
                            .cap_mw = 15000000,
                            .readback_mw = 15000000,
                            .fail_safe_mw = 15000000,
                            .phys_max_mw = 20000000,
                            .state = HOST_FAIL_SAFE};
    ledger_report(&account.ledger, &report, NS_PER_S, &retired);
    assert_int_equal(account.host[0].exposed_draw_mw, 15000000);
}

static void equal_caps_are_held_by_the_newer_lease(void **state)
{
    (void)state;
    struct account account;
    open_account(&account);
    ledger_sent(&account.ledger, 0, 5000000);
    ledger_sent(&account.ledger, 0, 3000000);
    ledger_sent(&account.ledger, 0, 5000000);
    report(&account, 0, HOST_LEASED, 3, 3000000);   /* the third may still arrive */
    assert_int_equal(account.host[0].exposed_draw_mw, 5000000);
}

static void sums_are_exact_to_the_unit_and_the_limit_itself_is_allowed(void **state)
{
    (void)state;
    struct account account;
    open_account(&account);
    assert_int_equal(account.node[BRANCH_A].exposed_mva[0][0], 2 * FAIL_SAFE_MW);
    assert_int_equal(account.node[MAIN].exposed_mva[0][2], 4 * FAIL_SAFE_MW);
    assert_int_equal(ledger_may_send(&account.ledger, 1, CAP_MAX_MW), LEDGER_MAY_SEND);
    assert_true(ledger_sent(&account.ledger, 1, CAP_MAX_MW));
    assert_int_equal(ledger_may_send(&account.ledger, 0, 4000000), LEDGER_MAY_SEND);
    assert_int_equal(ledger_may_send(&account.ledger, 0, 4000001), LEDGER_OVER_S);
    assert_int_equal(account.node[BRANCH_A].exposed_mva[0][0], CAP_MAX_MW + FAIL_SAFE_MW);
    assert_int_equal(account.node[BRANCH_A].newest_mva[0][0], CAP_MAX_MW + FAIL_SAFE_MW);
}

static void what_a_cut_frees_is_in_s_at_once_and_in_d_only_on_evidence(void **state)
{
    (void)state;
    struct account account;
    open_account(&account);
    ledger_sent(&account.ledger, 1, CAP_MAX_MW);
    ledger_sent(&account.ledger, 1, 3000000);
    assert_int_equal(account.node[BRANCH_A].newest_mva[0][0], 3000000 + FAIL_SAFE_MW);
    assert_int_equal(account.node[BRANCH_A].exposed_mva[0][0], CAP_MAX_MW + FAIL_SAFE_MW);
    assert_int_equal(ledger_may_send(&account.ledger, 0, 4000001), LEDGER_OVER_D);
    report(&account, 1, HOST_LEASED, 3, 3000000);
    assert_int_equal(ledger_may_send(&account.ledger, 0, CAP_MAX_MW), LEDGER_MAY_SEND);
}

/* bad(n): the k largest of draw_max(phys_max) - draw_max(E), while these hosts are not at phys_max already.
 * */
static void room_for_hosts_that_disobey_is_kept(void **state)
{
    (void)state;
    struct account account;
    open_account(&account);
    account.stand.node[BRANCH_A].k = 1;
    account.stand.node[BRANCH_A].bad_mva[0][0] = PHYS_MAX_MW - FAIL_SAFE_MW;
    ledger_init(&account.ledger, &account.stand.model, 7, account.host, account.node);
    memset(account.number, 0, sizeof account.number);
    for (uint32_t h = 0; h < 2; h++) {
        report(&account, h, HOST_FAIL_SAFE, 0, FAIL_SAFE_MW);
        ledger_sent(&account.ledger, h, FAIL_SAFE_MW);
        report(&account, h, HOST_LEASED, 1, FAIL_SAFE_MW);
    }
    /* 2 + 2 + 10 fill the branch: not one watt more for either */
    assert_int_equal(ledger_may_send(&account.ledger, 0, FAIL_SAFE_MW + 1), LEDGER_OVER_S);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(more_cuts_than_the_list_holds_never_count_for_less),
        cmocka_unit_test(a_cap_above_all_that_is_left_counts_at_phys_max),
        cmocka_unit_test(a_host_leaves_phys_max_only_with_all_that_shows_why),
        cmocka_unit_test(a_cap_above_the_lease_it_is_said_to_enforce_counts_at_phys_max),
        cmocka_unit_test(where_no_caps_are_enforced_every_host_counts_at_phys_max),
        cmocka_unit_test(a_lease_that_was_never_sent_retires_nothing),
        cmocka_unit_test(a_host_larger_than_its_type_counts_in_full),
        cmocka_unit_test(equal_caps_are_held_by_the_newer_lease),
        cmocka_unit_test(sums_are_exact_to_the_unit_and_the_limit_itself_is_allowed),
        cmocka_unit_test(what_a_cut_frees_is_in_s_at_once_and_in_d_only_on_evidence),
        cmocka_unit_test(room_for_hosts_that_disobey_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
