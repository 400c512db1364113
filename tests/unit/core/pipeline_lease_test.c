/* SPDX-License-Identifier: Apache-2.0 */
/* The controller's side of a lease through the whole pipeline: safety.md section 3, claims, exposure,
 * retirement, resets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "stand.h"

static void start(struct stand *stand)
{
    stand_site(stand);
    stand_start(stand);
}

/* Host 0 wants all it can get, the others nothing; it ends well above fail-safe. Returns its cap. */
static int64_t raise_host_0(struct stand *stand)
{
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        stand_admit(stand, h);
    stand->host[0].draw_mw = CAP_MAX_MW;
    stand->host[0].flags = REPORT_AT_CAP;
    stand_run(stand, 2 * NS_PER_S);
    assert_true(stand->host[0].last.cap_mw > 5000000);
    return stand->host[0].last.cap_mw;
}

static void the_first_report_is_answered_by_a_claim_at_once(void **state)
{
    (void)state;
    struct stand stand;
    start(&stand);
    struct report report = stand_report_of(&stand, 2, HOST_BOOT, 0);
    const struct egress *claim = stand_report(&stand, &report);
    assert_non_null(claim);
    assert_int_equal(stand.outbox.count, 1);
    assert_int_equal(claim->kind, FRAME_CLAIM);
    assert_true(claim->flags & LEASE_CLAIM);
    assert_int_equal(claim->why, WHY_CLAIM);
    assert_true(claim->cap_mw <= FAIL_SAFE_MW);
    assert_int_equal(claim->incarnation, 0x1002);
    assert_int_equal(claim->echo, report.number);
    assert_true(claim->sequence >= 1);
    assert_int_equal(claim->duration_us, 1000000);
    stand_stop(&stand);
}

static void nothing_is_sent_to_a_host_never_heard_of(void **state)
{
    (void)state;
    struct stand stand;
    start(&stand);
    stand_admit(&stand, 0);
    stand_run(&stand, NS_PER_S);
    for (uint32_t h = 1; h < STAND_HOSTS; h++)
        assert_int_equal(stand.host[h].leases, 0);
    stand_stop(&stand);
}

static void a_host_counts_at_phys_max_until_it_holds_fail_safe_under_this_epoch(void **state)
{
    (void)state;
    struct stand stand;
    start(&stand);
    assert_int_equal(stand_exposure_mw(&stand, 0), PHYS_MAX_MW);
    struct report report = stand_report_of(&stand, 0, HOST_FAIL_SAFE, 10 * A_NS); /* epoch not accepted yet */
    stand_report(&stand, &report);
    assert_int_equal(stand_exposure_mw(&stand, 0), PHYS_MAX_MW);
    report = stand_report_of(&stand, 0, HOST_LEASED, A_NS - 1);
    stand_report(&stand, &report);
    assert_int_equal(stand_exposure_mw(&stand, 0), PHYS_MAX_MW);
    report = stand_report_of(&stand, 0, HOST_LEASED, A_NS);
    stand_report(&stand, &report);
    assert_int_equal(stand_exposure_mw(&stand, 0), FAIL_SAFE_MW);
    stand_stop(&stand);
}

static void a_host_of_another_epoch_is_sent_claims_only_and_counts_at_phys_max(void **state)
{
    (void)state;
    struct stand stand;
    start(&stand);
    for (uint32_t h = 1; h < STAND_HOSTS; h++)
        stand_admit(&stand, h);
    stand.host[0].flags = REPORT_AT_CAP;
    for (int i = 0; i < 30; i++) {
        struct report report = stand_report_of(&stand, 0, HOST_LEASED, 5 * NS_PER_S);
        report.epoch = 6;
        const struct egress *answer = stand_report(&stand, &report);
        assert_non_null(answer);
        assert_true(answer->cap_mw <= FAIL_SAFE_MW);
        assert_int_equal(answer->kind, FRAME_CLAIM);
        stand_wait(&stand, 20 * NS_PER_MS);
        stand_tick(&stand);
    }
    assert_true(stand.host[0].last.cap_mw <= FAIL_SAFE_MW);
    assert_int_equal(stand_exposure_mw(&stand, 0), PHYS_MAX_MW);
    stand_stop(&stand);
}

static void every_report_is_answered_in_its_own_slot(void **state)
{
    (void)state;
    struct stand stand;
    start(&stand);
    raise_host_0(&stand);
    for (int i = 0; i < 50; i++) {
        uint64_t sequence = stand.host[0].last.sequence;
        const struct egress *answer = stand_obey(&stand, 0);
        assert_non_null(answer);
        assert_int_equal(answer->echo, stand.host[0].number);
        assert_true(answer->sequence > sequence);
        assert_int_equal(answer->kind, FRAME_LEASE);
        stand_wait(&stand, 10 * NS_PER_MS);
    }
    stand_stop(&stand);
}

static void a_lower_lease_retires_the_higher_only_when_it_has_held_for_a(void **state)
{
    (void)state;
    struct stand stand;
    start(&stand);
    int64_t high_mw = raise_host_0(&stand);
    stand.host[0].mute = true;
    stand.host[0].draw_mw = 0;
    stand.host[0].flags = 0;
    stand.host[1].draw_mw = CAP_MAX_MW;
    stand.host[1].flags = REPORT_AT_CAP;
    uint64_t old = stand.host[0].last.sequence;
    for (int i = 0; i < 100 && stand.host[0].last.cap_mw == high_mw; i++) { /* the neighbour wants it */
        struct report report = stand_report_of(&stand, 0, HOST_LEASED, A_NS - 1);
        stand_report(&stand, &report);
        stand_run(&stand, 20 * NS_PER_MS);
    }
    assert_true(stand.host[0].last.cap_mw < high_mw);
    int64_t cut_mw = stand.host[0].last.cap_mw;
    uint64_t cut = stand.host[0].last.sequence;
    struct report report = stand_report_of(&stand, 0, HOST_LEASED, 10 * A_NS);
    report.applied = old; /* old state, held for long */
    report.cap_mw = report.readback_mw = high_mw;
    stand_report(&stand, &report);
    assert_int_equal(stand_exposure_mw(&stand, 0), high_mw);
    report = stand_report_of(&stand, 0, HOST_LEASED, A_NS - 1); /* new state, not held */
    report.applied = cut;
    report.cap_mw = report.readback_mw = cut_mw;
    stand_report(&stand, &report);
    assert_int_equal(stand_exposure_mw(&stand, 0), high_mw);
    report = stand_report_of(&stand, 0, HOST_LEASED,
                             10 * A_NS); /* new sequence, but a write above it is in flight */
    report.applied = cut;
    report.cap_mw = high_mw;
    report.readback_mw = cut_mw;
    stand_report(&stand, &report);
    assert_int_equal(stand_exposure_mw(&stand, 0), high_mw);
    report = stand_report_of(&stand, 0, HOST_LEASED, A_NS);
    report.applied = cut;
    report.cap_mw = report.readback_mw = cut_mw;
    stand_report(&stand, &report);
    assert_true(stand_exposure_mw(&stand, 0) < high_mw);
    assert_true(stand_exposure_mw(&stand, 0) >= cut_mw);
    stand_stop(&stand);
}

/* "A silent host therefore keeps its highest unretired lease until it is heard": X retires nothing. */
static void a_silent_host_keeps_its_exposure_for_ever(void **state)
{
    (void)state;
    struct stand stand;
    start(&stand);
    int64_t high_mw = raise_host_0(&stand);
    stand.host[0].mute = true;
    stand.host[1].flags = REPORT_AT_CAP;
    stand.host[1].draw_mw = CAP_MAX_MW;
    stand_run(&stand, 60 * NS_PER_S);
    assert_int_equal(stand_exposure_mw(&stand, 0), high_mw);
    assert_true(stand.host[1].last.cap_mw <= BRANCH_MVA - high_mw ||
                stand.host[1].last.cap_mw <= FAIL_SAFE_MW);
    stand_stop(&stand);
}

static void a_lease_that_ran_out_retires_when_fail_safe_has_held(void **state)
{
    (void)state;
    struct stand stand;
    start(&stand);
    int64_t high_mw = raise_host_0(&stand);
    struct report report = stand_report_of(&stand, 0, HOST_FAIL_SAFE, A_NS - 1);
    stand_report(&stand, &report);
    assert_int_equal(stand_exposure_mw(&stand, 0), high_mw);
    report = stand_report_of(&stand, 0, HOST_FAIL_SAFE, A_NS);
    uint64_t newer =
        report.applied; /* the answer to the report before is still on its way: it may yet be obeyed */
    report.applied = newer - 1;
    stand_report(&stand, &report);
    assert_true(stand_exposure_mw(&stand, 0) >= high_mw);
    stand_stop(&stand);
}

static void a_new_incarnation_counts_at_phys_max_at_once(void **state)
{
    (void)state;
    struct stand stand;
    start(&stand);
    raise_host_0(&stand);
    stand.host[0].incarnation = 0x9999;
    stand.host[0].number = 0;
    struct report report = stand_report_of(&stand, 0, HOST_FAIL_SAFE, 10 * A_NS);
    report.epoch = stand.epoch; /* persisted by the agent */
    const struct egress *answer = stand_report(&stand, &report);
    assert_int_equal(stand_exposure_mw(&stand, 0), PHYS_MAX_MW);
    assert_int_equal(stand_counters(&stand)->resets, 1);
    assert_non_null(answer);
    assert_int_equal(answer->incarnation, 0x9999);
    assert_true(answer->cap_mw <= FAIL_SAFE_MW);
    stand_obey(&stand, 0); /* the claim, held for A; the answer may raise it again */
    assert_int_equal(stand_exposure_mw(&stand, 0), stand.host[0].last.cap_mw);
    stand_stop(&stand);
}

/*
 * "a report of its current incarnation": what the network held back from the incarnation before is no
 * evidence of this one. Section 3, "leaves phys_max when a report of its current incarnation [...] shows".
 */
static void a_late_report_of_an_older_incarnation_does_not_lower_exposure(void **state)
{
    (void)state;
    struct stand stand;
    start(&stand);
    stand_admit(&stand, 0);
    struct report first = stand_report_of(&stand, 0, HOST_LEASED, 10 * A_NS);
    struct report second = stand_report_of(&stand, 0, HOST_LEASED, 11 * A_NS);
    stand.host[0].incarnation = 0x9999;
    stand.host[0].number = 0;
    struct report reset = stand_report_of(&stand, 0, HOST_BOOT, 0);
    stand_report(&stand, &reset);
    assert_int_equal(stand_exposure_mw(&stand, 0), PHYS_MAX_MW);
    stand_report(&stand, &first);
    assert_int_equal(stand_exposure_mw(&stand, 0), PHYS_MAX_MW);
    stand_report(&stand, &second);
    assert_int_equal(stand_exposure_mw(&stand, 0), PHYS_MAX_MW);
    stand_stop(&stand);
}

static void a_read_back_above_the_lease_counts_at_phys_max(void **state)
{
    (void)state;
    struct stand stand;
    start(&stand);
    stand_admit(&stand, 0);
    struct report report = stand_report_of(&stand, 0, HOST_LEASED, 0);
    report.cap_mw = report.readback_mw = 5000000;
    stand_report(&stand, &report);
    assert_int_equal(stand_exposure_mw(&stand, 0), PHYS_MAX_MW);
    assert_int_equal(stand_counters(&stand)->foreign_caps, 1);
    stand_stop(&stand);
}

/* "E(h) = phys_max [...] on a new incarnation or boot id, device loss": the same report cannot be the way
 * out of it. */
/* `cap` is "the largest of read-back limit and every write": a report that says less contradicts itself. */
static void a_read_back_above_the_cap_of_its_own_report_counts(void **state)
{
    (void)state;
    struct stand stand;
    start(&stand);
    stand_admit(&stand, 0);
    struct report report = stand_report_of(&stand, 0, HOST_FAIL_SAFE, A_NS);
    report.readback_mw = CAP_MAX_MW;
    stand_report(&stand, &report);
    assert_int_equal(stand_exposure_mw(&stand, 0), PHYS_MAX_MW);
    stand_stop(&stand);
}

static void a_lost_device_counts_at_phys_max_though_the_others_read_back_well(void **state)
{
    (void)state;
    struct stand stand;
    start(&stand);
    stand_admit(&stand, 0);
    struct report report = stand_report_of(&stand, 0, HOST_LEASED, 10 * A_NS);
    report.flags = REPORT_DEVICE_LOST;
    stand_report(&stand, &report);
    assert_int_equal(stand_exposure_mw(&stand, 0), PHYS_MAX_MW);
    report = stand_report_of(&stand, 0, HOST_LEASED, 11 * A_NS);
    report.flags = REPORT_DEVICE_LOST;
    stand_report(&stand, &report);
    assert_int_equal(stand_exposure_mw(&stand, 0), PHYS_MAX_MW);
    stand_stop(&stand);
}

/* "A read-back below what was asked (somebody else's limit) does not lower exposure." */
static void somebody_elses_limit_does_not_lower_exposure(void **state)
{
    (void)state;
    struct stand stand;
    start(&stand);
    int64_t high_mw = raise_host_0(&stand);
    struct report report = stand_report_of(&stand, 0, HOST_LEASED, 10 * A_NS);
    report.cap_mw = report.readback_mw = 500000;
    report.flags = REPORT_FOREIGN_LIMIT;
    stand_report(&stand, &report);
    assert_int_equal(stand_exposure_mw(&stand, 0), high_mw);
    stand_stop(&stand);
}

static void of_two_fail_safe_caps_the_larger_counts(void **state)
{
    (void)state;
    struct stand stand;
    start(&stand);
    stand_admit(&stand, 0);
    struct report report = stand_report_of(&stand, 0, HOST_LEASED, A_NS);
    report.fail_safe_mw = 3000000;
    stand_report(&stand, &report);
    assert_int_equal(stand_exposure_mw(&stand, 0), 3000000);
    assert_true(stand_counters(&stand)->fail_safe_mismatch > 0);
    stand_admit(&stand, 1);
    report = stand_report_of(&stand, 1, HOST_LEASED, A_NS);
    report.fail_safe_mw = 500000;
    stand_report(&stand, &report);
    assert_int_equal(stand_exposure_mw(&stand, 1), FAIL_SAFE_MW);
    stand_stop(&stand);
}

/* I1a: "or its cap is <= fail-safe", for which I2 has room. What an agent says of its own fail-safe cap was
 * checked by nobody, so it counts in E and opens no door. */
static void a_reported_fail_safe_cap_lets_nothing_past_the_sums(void **state)
{
    (void)state;
    struct stand stand;
    start(&stand);
    stand_admit(&stand, 0);
    stand_admit(&stand, 1);
    stand.own_fail_safe_mw = CAP_MAX_MW;    /* two of them are more than the branch may carry */
    for (uint32_t h = 0; h < 2; h++)
        stand.host[h].flags = REPORT_AT_CAP;
    stand_run(&stand, 3 * NS_PER_S);
    for (uint32_t h = 0; h < 2; h++) {
        assert_int_equal(stand_exposure_mw(&stand, h), CAP_MAX_MW);
        assert_int_equal(stand.host[h].last.cap_mw, FAIL_SAFE_MW);
    }
    assert_int_equal(stand_counters(&stand)->invariant_failures, 0);
    stand_stop(&stand);
}

/* A claim needs no room in the sums, so its cap comes from the site file. */
static void a_claim_is_never_above_the_fail_safe_cap_of_the_site_file(void **state)
{
    (void)state;
    struct stand stand;
    start(&stand);
    struct report report = stand_report_of(&stand, 0, HOST_FAIL_SAFE, A_NS);
    report.fail_safe_mw = 2 * CAP_MAX_MW;
    const struct egress *claim = stand_report(&stand, &report);
    assert_int_equal(claim->kind, FRAME_CLAIM);
    assert_int_equal(claim->cap_mw, FAIL_SAFE_MW);
    stand_stop(&stand);
}

static void a_report_older_than_the_newest_changes_nothing(void **state)
{
    (void)state;
    struct stand stand;
    start(&stand);
    stand_admit(&stand, 0);
    struct report old = stand_report_of(&stand, 0, HOST_LEASED, A_NS);
    old.cap_mw = old.readback_mw = 5000000;
    stand_obey(&stand, 0);
    uint64_t leases = stand.host[0].leases;
    stand_report(&stand, &old);
    assert_int_equal(stand_exposure_mw(&stand, 0), FAIL_SAFE_MW);
    assert_int_equal(stand_counters(&stand)->reports_stale, 1);
    assert_int_equal(stand.host[0].leases, leases);
    stand_stop(&stand);
}

/* "E(h) = phys_max [...] or a zone not in enforce" */
static void a_zone_that_leaves_enforce_counts_its_hosts_at_phys_max(void **state)
{
    (void)state;
    struct stand stand;
    struct slot slot;
    start(&stand);
    stand_admit(&stand, 0);
    memset(&slot, 0, sizeof slot);
    slot.kind = SLOT_ORDER;
    slot.order = (struct slot_order){.kind = ORDER_MODE, .number = 1, .mode = MODE_SHADOW};
    stand_step(&stand, &slot);
    assert_int_equal(stand_exposure_mw(&stand, 0), PHYS_MAX_MW);
    stand_stop(&stand);
}

static void a_lease_that_the_port_refused_stays_in_the_account(void **state)
{
    (void)state;
    struct stand stand;
    struct slot slot;
    start(&stand);
    int64_t high_mw = raise_host_0(&stand);
    memset(&slot, 0, sizeof slot);
    slot.kind = SLOT_REFUSED;
    slot.refused = (struct slot_refused){.host = 0, .sequence = stand.host[0].last.sequence};
    stand_step(&stand, &slot);
    assert_int_equal(stand_counters(&stand)->refused_sends, 1);
    assert_int_equal(stand_exposure_mw(&stand, 0), high_mw);
    assert_non_null(stand_obey(&stand, 0));
    stand_stop(&stand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_report_is_answered_by_a_claim_at_once),
        cmocka_unit_test(nothing_is_sent_to_a_host_never_heard_of),
        cmocka_unit_test(a_host_counts_at_phys_max_until_it_holds_fail_safe_under_this_epoch),
        cmocka_unit_test(a_host_of_another_epoch_is_sent_claims_only_and_counts_at_phys_max),
        cmocka_unit_test(every_report_is_answered_in_its_own_slot),
        cmocka_unit_test(a_lower_lease_retires_the_higher_only_when_it_has_held_for_a),
        cmocka_unit_test(a_silent_host_keeps_its_exposure_for_ever),
        cmocka_unit_test(a_lease_that_ran_out_retires_when_fail_safe_has_held),
        cmocka_unit_test(a_new_incarnation_counts_at_phys_max_at_once),
        cmocka_unit_test(a_late_report_of_an_older_incarnation_does_not_lower_exposure),
        cmocka_unit_test(a_read_back_above_the_lease_counts_at_phys_max),
        cmocka_unit_test(a_read_back_above_the_cap_of_its_own_report_counts),
        cmocka_unit_test(a_lost_device_counts_at_phys_max_though_the_others_read_back_well),
        cmocka_unit_test(somebody_elses_limit_does_not_lower_exposure),
        cmocka_unit_test(of_two_fail_safe_caps_the_larger_counts),
        cmocka_unit_test(a_reported_fail_safe_cap_lets_nothing_past_the_sums),
        cmocka_unit_test(a_claim_is_never_above_the_fail_safe_cap_of_the_site_file),
        cmocka_unit_test(a_report_older_than_the_newest_changes_nothing),
        cmocka_unit_test(a_zone_that_leaves_enforce_counts_its_hosts_at_phys_max),
        cmocka_unit_test(a_lease_that_the_port_refused_stays_in_the_account),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
