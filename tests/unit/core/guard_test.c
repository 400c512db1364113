/* SPDX-License-Identifier: Apache-2.0 */
/* The last word before a lease leaves, asked directly: what it lets pass, what the lease carries, what is
 * counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/core.h"
#include "core/guard.h"
#include "stand.h"

static void start(struct stand *stand)
{
    stand_site(stand);
    stand_start(stand);
}

static void admit_all(struct stand *stand)
{
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        stand_admit(stand, h);
}

static void start_admitted(struct stand *stand)
{
    start(stand);
    admit_all(stand);
}

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

static void a_lease_carries_where_it_came_from_and_how_long_it_holds(void **state)
{
    (void)state;
    struct stand stand;
    start_admitted(&stand);
    struct slot slot = slot_of(SLOT_REPORT);
    slot.report = stand_report_of(&stand, 1, HOST_LEASED, A_NS);
    slot.waited = 3;
    step(&stand, slot);
    const struct egress *lease = &stand.record[0];
    assert_int_equal(lease->kind, FRAME_LEASE);
    assert_int_equal(lease->flags, 0);
    assert_int_equal(lease->waited, 3);
    assert_int_equal(lease->host, 1);
    assert_int_equal(lease->t_receive_ns, stand.t_ns);
    assert_int_equal(lease->slot_sequence, stand.slots);
    assert_int_equal(lease->duration_us, 1000000);
    assert_int_equal(lease->floor_w, 1000);
    assert_int_equal(lease->incarnation, 0x1001);
    assert_int_equal(lease->echo, slot.report.number);
    assert_int_equal(lease->sequence, account(&stand, 1)->sequence);
    stand_stop(&stand);
}

static void a_full_outbox_takes_no_more_and_the_ledger_counts_no_more(void **state)
{
    (void)state;
    struct stand stand;
    start_admitted(&stand);
    stand.outbox.capacity = 2;
    stand_reading(&stand, MAIN, 200000000);
    assert_int_equal(stand.outbox.count, 2);
    assert_int_equal(account(&stand, 1)->sequence, 3);
    assert_int_equal(account(&stand, 2)->sequence, 2);
    stand.outbox.capacity = 0;
    assert_null(stand_obey(&stand, 0));
    assert_int_equal(account(&stand, 0)->sequence, 3);
    stand_stop(&stand);
}

/* Host 0 holds 5 kW; `cap_mw` is asked for it. Returns what leaves. */
static int64_t ask(struct stand *stand, int64_t cap_mw, uint8_t flags)
{
    static const struct slot slot = {.kind = SLOT_REPORT};
    stand->core->slot = &slot;      /* the step before ended, and its slot with it */
    stand->core->steps++;
    stand->outbox.count = 0;
    if (flags)
        guard_cut(stand->core, 0, cap_mw, flags, WHY_EMERGENCY);
    else
        guard_send(stand->core, 0, cap_mw, flags, WHY_SHARE);
    assert_int_equal(stand->outbox.count, 1);
    return stand->record[0].cap_mw;
}

static void start_asking(struct stand *stand)
{
    start_admitted(stand);
    assert_int_equal(ask(stand, 5000000, 0), 5000000);
}

/* What cuts it again in that slot changes the one lease it has; anything else comes too late. */
static void a_host_has_one_lease_in_a_slot(void **state)
{
    (void)state;
    struct stand stand;
    start_asking(&stand);
    uint64_t leases = stand_counters(&stand)->leases;
    guard_send(stand.core, 0, 6000000, 0, WHY_SHARE);
    uint64_t sequence = account(&stand, 0)->sequence;
    guard_send(stand.core, 0, 5000000, 0, WHY_RENEWAL);
    assert_int_equal(stand.outbox.count, 1);
    assert_int_equal(stand.record[0].cap_mw, 5000000);
    assert_int_equal(account(&stand, 0)->sequence, sequence);   /* the same again is no further lease */
    guard_cut(stand.core, 0, 5000000, 0, WHY_LIMIT);
    assert_int_equal(account(&stand, 0)->sequence, sequence);
    guard_cut(stand.core, 0, 4000000, LEASE_EMERGENCY, WHY_EMERGENCY);
    assert_int_equal(account(&stand, 0)->sequence, sequence + 1);
    guard_cut(stand.core, 0, 4500000, 0, WHY_LIMIT);
    guard_send(stand.core, 0, 3000000, 0, WHY_ORDER);
    assert_int_equal(stand.outbox.count, 1);
    assert_int_equal(stand.record[0].cap_mw, 3000000);
    assert_int_equal(stand.record[0].sequence, account(&stand, 0)->sequence);
    assert_int_equal(stand.record[0].flags, LEASE_EMERGENCY);   /* it leaves as early as the first */
    assert_int_equal(stand_counters(&stand)->leases, leases);
    stand.outbox.capacity = 1;          /* needs no second place */
    guard_cut(stand.core, 0, 2500000, 0, WHY_LIMIT);
    assert_int_equal(stand.record[0].cap_mw, 2500000);
    assert_int_equal(ask(&stand, 2600000, 0), 2600000);
    stand_stop(&stand);
}

static void no_cap_leaves_below_the_floor_or_above_the_largest(void **state)
{
    (void)state;
    struct stand stand;
    start_asking(&stand);
    assert_int_equal(ask(&stand, CAP_MAX_MW + 1, 0), CAP_MAX_MW);
    assert_int_equal(ask(&stand, FLOOR_MW - 1, 0), FLOOR_MW);
    assert_int_equal(ask(&stand, FLOOR_MW + 1, 0), FLOOR_MW + 1);
    assert_int_equal(stand_counters(&stand)->withheld_s, 0);
    assert_int_equal(stand_counters(&stand)->withheld_d, 0);
    stand_stop(&stand);
}

static void an_emergency_never_raises_and_may_pass_below_the_floor(void **state)
{
    (void)state;
    struct stand stand;
    start_asking(&stand);
    assert_int_equal(ask(&stand, 6000000, LEASE_EMERGENCY), 5000000);
    assert_int_equal(ask(&stand, 400000, LEASE_EMERGENCY), 400000);
    assert_int_equal(stand.record[0].flags, LEASE_EMERGENCY);
    assert_int_equal(ask(&stand, 50000, LEASE_EMERGENCY), 50000);
    assert_int_equal(ask(&stand, 90000, LEASE_EMERGENCY), 90000);    /* up to the least settable cap */
    assert_int_equal(ask(&stand, 200000, LEASE_EMERGENCY), 100000);
    stand_stop(&stand);
}

static void a_raise_in_the_aftermath_of_an_emergency_is_held_at_what_was(void **state)
{
    (void)state;
    struct stand stand;
    start_asking(&stand);
    stand.core->emergencies.node[BRANCH_A].raise_after_ns = stand.core->t_ns + 1;
    assert_int_equal(ask(&stand, 5000001, 0), 5000000);
    assert_int_equal(stand.record[0].why, WHY_EMERGENCY);
    assert_int_equal(ask(&stand, 5000000, 0), 5000000);
    assert_int_equal(stand.record[0].why, WHY_SHARE);
    assert_int_equal(ask(&stand, 4000000, 0), 4000000);
    stand_stop(&stand);
}

static void what_is_withheld_is_counted_by_the_sum_that_withheld_it(void **state)
{
    (void)state;
    struct stand stand;
    start_asking(&stand);
    struct ledger_sums *sums = &stand.core->ledger.node[BRANCH_A];
    sums->newest_mva[0][0] = BRANCH_MVA - 1000000;
    sums->left_mva[0] = sums->left_mva[1] = 0;      /* look again */
    assert_int_equal(ask(&stand, 9000000, 0), 6000000);
    assert_int_equal(stand.record[0].why, WHY_GUARD_S);
    assert_int_equal(stand_counters(&stand)->withheld_s, 1);
    sums->newest_mva[0][0] = 8000000;
    sums->exposed_mva[0][0] = BRANCH_MVA - 2000000;
    sums->left_mva[0] = sums->left_mva[1] = 0;
    assert_int_equal(ask(&stand, 9000000, 0), 8000000);
    assert_int_equal(stand.record[0].why, WHY_GUARD_D);
    assert_int_equal(stand_counters(&stand)->withheld_d, 1);
    assert_int_equal(stand_counters(&stand)->withheld_s, 1);
    assert_int_equal(stand_counters(&stand)->invariant_failures, 0);
    stand_stop(&stand);
}

/* Branch A is to draw 8 kW at most, host 1 stands at 2: 6 are left for host 0. */
static void a_raise_that_a_contract_bounds_says_so(void **state)
{
    (void)state;
    struct stand stand;
    start_asking(&stand);
    struct slot_order order = {
        .kind = ORDER_CAP, .number = 5, .contract = 1, .node = BRANCH_A, .value_mw = 8000000};
    assert_int_equal(contract_give(&stand.core->contracts, &order, stand.t_ns), ORDER_TAKEN);
    assert_int_equal(ask(&stand, 5999000, 0), 5999000);
    assert_int_equal(stand.record[0].why, WHY_SHARE);
    assert_in_range(ask(&stand, 7000000, 0), 5999000, 6000000);
    assert_int_equal(stand.record[0].why, WHY_ORDER);
    assert_int_equal(stand.core->bound[0].term, BOUND_CONTRACT);
    assert_int_equal(stand.core->bound[0].node, BRANCH_A);
    stand_stop(&stand);
}

static void a_cut_of_an_emergency_is_counted_as_one(void **state)
{
    (void)state;
    struct stand stand;
    start_asking(&stand);
    struct core_counters was = *stand_counters(&stand);
    ask(&stand, 3000000, LEASE_EMERGENCY);
    assert_int_equal(stand_counters(&stand)->cuts - was.cuts, 1);
    assert_int_equal(stand_counters(&stand)->leases - was.leases, 1);
    assert_int_equal(stand_counters(&stand)->fail_safes - was.fail_safes, 0);
    ask(&stand, 400000, LEASE_EMERGENCY);
    assert_int_equal(stand_counters(&stand)->cuts - was.cuts, 2);
    assert_int_equal(stand_counters(&stand)->fail_safes - was.fail_safes, 1);
    assert_int_equal(stand_counters(&stand)->raises - was.raises, 0);
    stand_stop(&stand);
}

static void cuts_raises_and_falls_to_fail_safe_are_counted(void **state)
{
    (void)state;
    struct stand stand;
    start_admitted(&stand);
    const struct core_counters *count = stand_counters(&stand);
    static const struct { int64_t cap_mw; uint32_t raises, cuts, fail_safes; } asked[] = {
        {5000000, 1, 0, 0}, {5000000, 0, 0, 0}, {4000000, 0, 1, 0}, {FAIL_SAFE_MW, 0, 1, 1},
        {FAIL_SAFE_MW, 0, 0, 0}, {FAIL_SAFE_MW - 1000, 0, 1, 0}, {FAIL_SAFE_MW + 1000, 1, 0, 0},
        {FAIL_SAFE_MW - 1000, 0, 1, 1},
    };
    for (uint32_t i = 0; i < sizeof asked / sizeof asked[0]; i++) {
        struct core_counters was = *count;
        ask(&stand, asked[i].cap_mw, 0);
        assert_int_equal(count->raises - was.raises, asked[i].raises);
        assert_int_equal(count->cuts - was.cuts, asked[i].cuts);
        assert_int_equal(count->fail_safes - was.fail_safes, asked[i].fail_safes);
        assert_int_equal(count->leases - was.leases, 1);
        assert_int_equal(count->claims - was.claims, 0);
    }
    stand_stop(&stand);
}

static void the_first_claim_is_neither_a_raise_nor_a_cut(void **state)
{
    (void)state;
    struct stand stand;
    start(&stand);
    struct report report = stand_report_of(&stand, 0, HOST_BOOT, 0);
    stand_report(&stand, &report);
    assert_int_equal(stand_counters(&stand)->claims, 1);
    assert_int_equal(stand_counters(&stand)->raises, 0);
    assert_int_equal(stand_counters(&stand)->cuts, 0);
    assert_int_equal(stand_counters(&stand)->fail_safes, 0);
    assert_int_equal(ask(&stand, FAIL_SAFE_MW - 5000, 0), FAIL_SAFE_MW);    /* less would save nothing */
    assert_int_equal(stand.record[0].why, WHY_CLAIM);
    assert_int_equal(stand.record[0].flags, LEASE_CLAIM);
    assert_int_equal(ask(&stand, FAIL_SAFE_MW + 5000, 0), FAIL_SAFE_MW);
    stand_stop(&stand);
}

/* What an emergency took of a host that binds to nothing stays taken until 100 ms after it, no longer. */
static void a_claim_is_below_fail_safe_in_an_emergency_alone(void **state)
{
    (void)state;
    struct stand stand;
    start(&stand);
    struct report report = stand_report_of(&stand, 0, HOST_BOOT, 0);
    stand_report(&stand, &report);
    struct emergency *emergency = &stand.core->emergencies.node[BRANCH_A];
    emergency->raise_after_ns = stand.core->t_ns + 1;
    assert_int_equal(ask(&stand, FLOOR_MW - 5000, 0), FLOOR_MW - 5000);
    assert_int_equal(ask(&stand, FAIL_SAFE_MW + 5000, 0), FAIL_SAFE_MW);
    emergency->raise_after_ns = stand.core->t_ns;
    emergency->hot = true;
    assert_int_equal(ask(&stand, FLOOR_MW - 5000, 0), FAIL_SAFE_MW);
    stand_stop(&stand);
}

/* I4: heat, contract or a hold keep nobody below the floor, the emergency itself does. */
static void after_an_emergency_a_host_has_its_floor_at_once(void **state)
{
    (void)state;
    struct stand stand;
    start_admitted(&stand);
    struct emergency *emergency = &stand.core->emergencies.node[BRANCH_A];
    emergency->raise_after_ns = stand.core->t_ns + 1;
    ledger_enter(&stand.core->ledger, 0, FLOOR_MW - 5000);
    assert_int_equal(ask(&stand, 5000000, 0), FLOOR_MW - 5000);
    emergency->raise_after_ns = stand.core->t_ns;
    emergency->hot = true;
    assert_int_equal(ask(&stand, 5000000, 0), FLOOR_MW);
    assert_int_equal(ask(&stand, 5000000, 0), FLOOR_MW);
    emergency->hot = false;
    assert_int_equal(ask(&stand, 5000000, 0), 5000000);
    stand_stop(&stand);
}

/* "off, shadow (decide and record, send nothing)": the record itself says that it may not leave. */
static void what_is_decided_after_an_order_to_shadow_is_marked_as_never_sent(void **state)
{
    (void)state;
    struct stand stand;
    struct slot slot = {.kind = SLOT_ORDER,
                        .order = {.kind = ORDER_MODE, .number = 1, .mode = MODE_SHADOW}};
    start_admitted(&stand);
    ask(&stand, 3000000, 0);
    assert_false(stand.record[0].flags & LEASE_SHADOW);
    stand_step(&stand, &slot);
    ask(&stand, 3000000, 0);
    assert_true(stand.record[0].flags & LEASE_SHADOW);
    stand_stop(&stand);
}

static void a_report_under_a_newer_epoch_is_counted(void **state)
{
    (void)state;
    struct stand stand;
    start_admitted(&stand);
    struct report report = stand_report_of(&stand, 0, HOST_LEASED, A_NS);
    report.epoch = stand.epoch;
    stand_report(&stand, &report);
    assert_int_equal(stand_counters(&stand)->newer_epochs, 0);
    report = stand_report_of(&stand, 0, HOST_LEASED, A_NS);
    report.epoch = stand.epoch + 1;
    stand_report(&stand, &report);
    assert_int_equal(stand_counters(&stand)->newer_epochs, 1);
    stand_stop(&stand);
}

static void from_nothing_upward_is_a_raise(void **state)
{
    (void)state;
    struct stand stand;
    start_admitted(&stand);
    account(&stand, 0)->newest_mw = 0;
    uint64_t raises = stand_counters(&stand)->raises;
    ask(&stand, 5000000, 0);
    assert_int_equal(stand_counters(&stand)->raises, raises + 1);
    stand_stop(&stand);
}

/* A defect, planted: S passes a limit after all. What may always be sent takes the place of every lease of
 * the slot that is above it, and it is counted and decided on anew. */
static void a_lease_that_should_not_have_been_becomes_fail_safe(void **state)
{
    (void)state;
    struct stand stand;
    start_asking(&stand);
    ask(&stand, 4000000, LEASE_EMERGENCY);
    guard_send(stand.core, 1, FAIL_SAFE_MW, 0, WHY_SHARE);
    guard_answer(stand.core, &(struct token_response){.host = 2, .granted_mw = 9000000});
    uint64_t digest = stand.core->digest, sequence = account(&stand, 0)->sequence;
    guard_verify(stand.core);
    assert_int_equal(stand.record[0].cap_mw, 4000000);
    assert_int_equal(stand_counters(&stand)->invariant_failures, 0);
    struct ledger_sums *sums = &stand.core->ledger.node[MAIN];
    sums->newest_mva[0][1] = sums->limit_mva[0][1] + 90000000;
    sums->left_mva[0] = sums->left_mva[1] = 0;
    guard_verify(stand.core);
    assert_int_equal(stand_counters(&stand)->invariant_failures, 1);
    assert_int_equal(stand.record[0].cap_mw, FAIL_SAFE_MW);
    assert_int_equal(stand.record[0].why, WHY_FAIL_SAFE);
    assert_int_equal(stand.record[0].flags, LEASE_EMERGENCY);
    assert_int_equal(stand.record[0].sequence, sequence + 1);
    assert_int_equal(account(&stand, 0)->newest_mw, FAIL_SAFE_MW);
    assert_int_equal(stand.record[1].cap_mw, FAIL_SAFE_MW);
    assert_int_not_equal(stand.record[1].why, WHY_FAIL_SAFE);       /* may always be sent */
    assert_int_equal(stand.record[2].kind, FRAME_TOKEN_RESPONSE);
    assert_int_equal(stand.record[2].cap_mw, 9000000);
    assert_true(stand.core->digest != digest);
    assert_int_equal(stand.core->contracts.counted_mw[0], 5000000);  /* nothing has retired yet */
    stand_stop(&stand);
}

/* A defect, planted: what is remembered of the room on branch A lends more than there is. What the lease
 * asked for leaves room for is found false once it is entered, and fail-safe leaves in its place, entered
 * too. */
static void a_lease_found_too_large_once_entered_leaves_as_fail_safe(void **state)
{
    (void)state;
    struct stand stand;
    start_asking(&stand);
    struct ledger_sums *sums = &stand.core->ledger.node[BRANCH_A];
    sums->newest_mva[0][0] = sums->limit_mva[0][0] - 999999;
    sums->left_mva[1] = 1000000;
    uint64_t sequence = account(&stand, 0)->sequence;
    assert_int_equal(ask(&stand, 6000000, 0), FAIL_SAFE_MW);
    assert_int_equal(stand.record[0].why, WHY_FAIL_SAFE);
    assert_int_equal(stand_counters(&stand)->invariant_failures, 1);
    assert_int_equal(account(&stand, 0)->newest_mw, FAIL_SAFE_MW);
    assert_int_equal(account(&stand, 0)->sequence, sequence + 2);
    assert_int_equal(stand.record[0].sequence, sequence + 2);
    assert_int_equal(ledger_exposed_cap_mw(account(&stand, 0)), 6000000);  /* until a report retires it */
    stand_stop(&stand);
}

/* The same of what is exposed: S keeps to the limit and D would not. */
static void a_raise_that_passes_what_may_flow_now_leaves_as_fail_safe(void **state)
{
    (void)state;
    struct stand stand;
    start_asking(&stand);
    struct ledger_sums *sums = &stand.core->ledger.node[BRANCH_A];
    sums->exposed_mva[0][2] = sums->limit_mva[0][2] - 999999;
    sums->left_mva[0] = 1000000;
    assert_int_equal(ask(&stand, 6000000, 0), FAIL_SAFE_MW);
    assert_int_equal(stand.record[0].why, WHY_FAIL_SAFE);
    assert_int_equal(stand_counters(&stand)->invariant_failures, 1);
    stand_stop(&stand);
}

/* A site that holds raises for a second after an emergency; so branch A is from `hold` on. */
static void start_holding(struct stand *stand)
{
    stand_site(stand);
    stand->model.policy.hold_least_ns = NS_PER_S;
    stand->model.policy.hold_most_ns = 60 * NS_PER_S;
    stand_start(stand);
}

static void hold(struct stand *stand)
{
    hold_observe(&stand->core->holds, &stand->core->heat, BRANCH_A, HOLD_EMERGENCY, true, stand->t_ns);
}

static void a_raise_that_is_held_is_a_renewal_and_says_what_holds_it(void **state)
{
    (void)state;
    struct stand stand;
    start_holding(&stand);
    admit_all(&stand);
    assert_int_equal(ask(&stand, 5000000, 0), 5000000);
    hold(&stand);
    assert_int_equal(ask(&stand, 6000000, 0), 5000000);
    assert_int_equal(stand.record[0].why, WHY_RENEWAL);
    assert_int_equal(stand.core->bound[0].term, BOUND_HOLD);
    assert_int_equal(stand.core->bound[0].node, BRANCH_A);
    assert_int_equal(ask(&stand, 4000000, 0), 4000000);
    assert_int_equal(stand.record[0].why, WHY_SHARE);
    stand_stop(&stand);
}

/* What held one host's raise is no reason of what another host has in the same slot. */
static void what_holds_one_host_is_not_told_of_the_next(void **state)
{
    (void)state;
    struct stand stand;
    start_holding(&stand);
    for (uint32_t h = 0; h < STAND_HOSTS - 1; h++)
        stand_admit(&stand, h);
    struct report report = stand_report_of(&stand, 3, HOST_BOOT, 0);
    stand_report(&stand, &report);
    assert_int_equal(ask(&stand, 5000000, 0), 5000000);
    hold(&stand);
    assert_int_equal(ask(&stand, 6000000, 0), 5000000);
    guard_send(stand.core, 3, 6000000, 0, WHY_SHARE);
    assert_int_equal(stand.record[1].why, WHY_CLAIM);
    assert_int_not_equal(stand.core->bound[3].term, BOUND_HOLD);
    assert_int_equal(ask(&stand, 6000000, 0), 5000000);
    guard_cut(stand.core, 2, FLOOR_MW, LEASE_EMERGENCY, WHY_EMERGENCY);
    assert_int_equal(stand.record[1].cap_mw, FLOOR_MW);
    assert_int_not_equal(stand.core->bound[2].term, BOUND_HOLD);
    stand_stop(&stand);
}

/* What leaves counts against a contract at once: of 9 kW on branch A host 0 takes 5 and host 1 has the rest,
 * in the same slot. */
static void what_leaves_counts_against_a_contract_at_once(void **state)
{
    (void)state;
    struct stand stand;
    start_admitted(&stand);
    struct slot_order order = {
        .kind = ORDER_CAP, .number = 5, .contract = 1, .node = BRANCH_A, .value_mw = 9000000};
    assert_int_equal(contract_give(&stand.core->contracts, &order, stand.t_ns), ORDER_TAKEN);
    assert_int_equal(ask(&stand, 5000000, 0), 5000000);
    guard_send(stand.core, 1, 8000000, 0, WHY_SHARE);
    assert_int_equal(stand.record[1].why, WHY_ORDER);
    assert_in_range(stand.record[1].cap_mw, 3999000, 4000000);
    stand_stop(&stand);
}

/* An answer takes a place in the outbox while there is one, and none where nothing leaves. */
static void an_answer_leaves_while_there_is_room(void **state)
{
    (void)state;
    struct stand stand;
    start_asking(&stand);
    struct token_response response = {.host = 3, .request = 7, .reason = TOKEN_POOL_EMPTY,
                                      .alternative_mw = 5000999, .retry_after_ns = 70001};
    uint64_t decisions = stand.core->decisions;
    stand.outbox.capacity = 2;
    guard_answer(stand.core, &response);
    assert_int_equal(stand.outbox.count, 2);
    assert_int_equal(stand.record[1].why, TOKEN_POOL_EMPTY);
    assert_int_equal(stand.record[1].echo, 7);
    assert_int_equal(stand.record[1].duration_us, 70);
    assert_int_equal(stand.record[1].floor_w, 5000);
    assert_int_equal(stand.record[1].flags, 0);
    assert_int_equal(stand.core->decisions, decisions + 1);
    guard_answer(stand.core, &response);
    assert_int_equal(stand.outbox.count, 2);
    stand.outbox.capacity = STAND_HOSTS;
    stand.core->mode = MODE_OFF;
    guard_answer(stand.core, &response);
    assert_int_equal(stand.outbox.count, 2);
    stand.core->mode = MODE_SHADOW;
    response.retry_after_ns = (INT64_C(1) << 32) * NS_PER_US;       /* longer than the field holds */
    guard_answer(stand.core, &response);
    assert_int_equal(stand.outbox.count, 3);
    assert_int_equal(stand.record[2].flags, LEASE_SHADOW);
    assert_int_equal(stand.record[2].duration_us, UINT32_MAX);
    stand_stop(&stand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lease_carries_where_it_came_from_and_how_long_it_holds),
        cmocka_unit_test(a_full_outbox_takes_no_more_and_the_ledger_counts_no_more),
        cmocka_unit_test(a_host_has_one_lease_in_a_slot),
        cmocka_unit_test(no_cap_leaves_below_the_floor_or_above_the_largest),
        cmocka_unit_test(an_emergency_never_raises_and_may_pass_below_the_floor),
        cmocka_unit_test(a_raise_in_the_aftermath_of_an_emergency_is_held_at_what_was),
        cmocka_unit_test(what_is_withheld_is_counted_by_the_sum_that_withheld_it),
        cmocka_unit_test(cuts_raises_and_falls_to_fail_safe_are_counted),
        cmocka_unit_test(the_first_claim_is_neither_a_raise_nor_a_cut),
        cmocka_unit_test(a_claim_is_below_fail_safe_in_an_emergency_alone),
        cmocka_unit_test(after_an_emergency_a_host_has_its_floor_at_once),
        cmocka_unit_test(what_is_decided_after_an_order_to_shadow_is_marked_as_never_sent),
        cmocka_unit_test(a_report_under_a_newer_epoch_is_counted),
        cmocka_unit_test(from_nothing_upward_is_a_raise),
        cmocka_unit_test(a_lease_that_should_not_have_been_becomes_fail_safe),
        cmocka_unit_test(a_lease_found_too_large_once_entered_leaves_as_fail_safe),
        cmocka_unit_test(a_raise_that_passes_what_may_flow_now_leaves_as_fail_safe),
        cmocka_unit_test(a_raise_that_is_held_is_a_renewal_and_says_what_holds_it),
        cmocka_unit_test(what_holds_one_host_is_not_told_of_the_next),
        cmocka_unit_test(what_leaves_counts_against_a_contract_at_once),
        cmocka_unit_test(an_answer_leaves_while_there_is_room),
        cmocka_unit_test(a_raise_that_a_contract_bounds_says_so),
        cmocka_unit_test(a_cut_of_an_emergency_is_counted_as_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
