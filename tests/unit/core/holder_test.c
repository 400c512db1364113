/* SPDX-License-Identifier: Apache-2.0 */
/* The host's half of a lease, rule by rule: safety.md section 3, which leases are obeyed and for how long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/holder.h"

enum { FAIL_SAFE_MW = 2000000, PHYS_MAX_MW = 12000000, CAP_MAX_MW = 10000000 };
#define INCARNATION UINT64_C(0xA11CE)
#define MS NS_PER_MS

static const struct holder_config config = {
    .host = 3,
    .fail_safe_mw = FAIL_SAFE_MW,
    .phys_max_mw = PHYS_MAX_MW,
    .cap_max_mw = CAP_MAX_MW,
    .report_ns = 100 * MS,
    .actuation_ns = 120 * MS,
};

/* Writes whatever is due until nothing is, each read back as asked. Returns the cap now in force, -1 =
 * nothing was written. */
static int64_t settle(struct holder *holder, int64_t now_ns)
{
    uint32_t device;
    int64_t cap_mw = -1;
    for (int i = 0; i < 8 && holder_next_write(holder, &device, &cap_mw); i++)
        holder_written(holder, 0, cap_mw, now_ns);
    return cap_mw;
}

static uint64_t send_report(struct holder *holder, int64_t now_ns)
{
    struct report report;
    holder_report(holder, 0, 0, &report, now_ns);
    return report.number;
}

static struct report report_at(struct holder *holder, int64_t now_ns)
{
    struct report report;
    holder_report(holder, 0, 0, &report, now_ns);
    return report;
}

static struct lease lease_of(uint64_t sequence, uint64_t echo, int64_t cap_mw)
{
    return (struct lease){.host = 3,
                          .incarnation = INCARNATION,
                          .epoch = 5,
                          .sequence = sequence,
                          .echo = echo,
                          .cap_mw = cap_mw,
                          .floor_mw = 0,
                          .duration_ns = NS_PER_S};
}

static int give(struct holder *holder, struct lease lease, int64_t now_ns)
{
    return holder_lease(holder, &lease, now_ns);
}

/* A host at fail-safe whose report number 1 left at 1 s. */
static void start(struct holder *holder)
{
    holder_init(holder, &config, INCARNATION, 5, 0);
    settle(holder, 10 * MS);
    assert_int_equal(send_report(holder, NS_PER_S), 1);
}

static void a_new_agent_writes_fail_safe_before_anything_else(void **state)
{
    (void)state;
    uint32_t device;
    struct holder holder;
    int64_t cap_mw = 0;
    holder_init(&holder, &config, INCARNATION, 0, 77);
    assert_int_equal(report_at(&holder, 78).state, HOST_BOOT);
    assert_true(holder_next_write(&holder, &device, &cap_mw));
    assert_int_equal(cap_mw, FAIL_SAFE_MW);
    assert_int_equal(report_at(&holder, 79).state, HOST_BOOT);
    holder_written(&holder, 0, FAIL_SAFE_MW, 80);
    assert_int_equal(report_at(&holder, 81).state, HOST_FAIL_SAFE);
}

static void a_lease_that_answers_a_report_is_obeyed(void **state)
{
    (void)state;
    struct holder holder;
    start(&holder);
    assert_int_equal(give(&holder, lease_of(1, 1, 6000000), NS_PER_S + 5 * MS), HOLDER_ACCEPTED);
    assert_int_equal(settle(&holder, NS_PER_S + 20 * MS), 6000000);
    struct report report = report_at(&holder, NS_PER_S + 30 * MS);
    assert_int_equal(report.state, HOST_LEASED);
    assert_int_equal(report.applied, 1);
}

static void a_lease_of_another_incarnation_changes_nothing(void **state)
{
    (void)state;
    struct holder holder;
    start(&holder);
    struct lease lease = lease_of(1, 1, 1000000);
    lease.incarnation++;
    assert_int_equal(give(&holder, lease, NS_PER_S + MS), HOLDER_FOREIGN_INCARNATION);
    assert_int_equal(holder.refused[HOLDER_FOREIGN_INCARNATION], 1);
    assert_int_equal(settle(&holder, NS_PER_S + 2 * MS), -1);
    assert_int_equal(report_at(&holder, NS_PER_S + 3 * MS).applied, 0);
}

static void an_epoch_below_the_highest_accepted_is_refused_cuts_included(void **state)
{
    (void)state;
    struct holder holder;
    start(&holder);
    struct lease lease = lease_of(1, 1, 6000000);
    lease.epoch = 6;
    holder_epoch_saved(&holder, 6, NS_PER_S);
    assert_int_equal(give(&holder, lease, NS_PER_S + MS), HOLDER_ACCEPTED);
    assert_int_equal(give(&holder, lease_of(99, 1, 1000000), NS_PER_S + 2 * MS), HOLDER_OLD_EPOCH);
    assert_int_equal(settle(&holder, NS_PER_S + 3 * MS), 6000000);
    assert_int_equal(report_at(&holder, NS_PER_S + 4 * MS).epoch, 6);
}

static void a_persisted_epoch_outlives_the_agent(void **state)
{
    (void)state;
    struct holder holder;
    holder_init(&holder, &config, INCARNATION, 6, 0);
    settle(&holder, MS);
    struct report report = report_at(&holder, 2 * MS);
    assert_int_equal(report.epoch, 6);
    assert_int_equal(give(&holder, lease_of(1, report.number, 1000000), 3 * MS), HOLDER_OLD_EPOCH);
}

static void an_equal_or_older_sequence_is_refused_cuts_included(void **state)
{
    (void)state;
    struct holder holder;
    start(&holder);
    assert_int_equal(give(&holder, lease_of(8, 1, 6000000), NS_PER_S + MS), HOLDER_ACCEPTED);
    assert_int_equal(give(&holder, lease_of(8, 1, 1000000), NS_PER_S + 2 * MS), HOLDER_OLD_SEQUENCE);
    assert_int_equal(give(&holder, lease_of(7, 1, 1000000), NS_PER_S + 3 * MS), HOLDER_OLD_SEQUENCE);
    assert_int_equal(holder.refused[HOLDER_OLD_SEQUENCE], 2);
    assert_int_equal(settle(&holder, NS_PER_S + 4 * MS), 6000000);
}

static void a_higher_epoch_starts_its_sequences_anew(void **state)
{
    (void)state;
    struct holder holder;
    start(&holder);
    assert_int_equal(give(&holder, lease_of(8, 1, 6000000), NS_PER_S + MS), HOLDER_ACCEPTED);
    struct lease lease = lease_of(1, 1, 3000000);
    lease.epoch = 6;
    holder_epoch_saved(&holder, 6, NS_PER_S);
    assert_int_equal(give(&holder, lease, NS_PER_S + 2 * MS), HOLDER_ACCEPTED);
    assert_int_equal(settle(&holder, NS_PER_S + 3 * MS), 3000000);
}

static void an_echo_never_sent_is_refused(void **state)
{
    (void)state;
    struct holder holder;
    start(&holder);
    assert_int_equal(give(&holder, lease_of(1, 0, 1000000), NS_PER_S + MS), HOLDER_UNKNOWN_ECHO);
    assert_int_equal(give(&holder, lease_of(2, 2, 1000000), NS_PER_S + MS), HOLDER_UNKNOWN_ECHO);
    assert_int_equal(give(&holder, lease_of(3, UINT64_MAX, 1000000), NS_PER_S + MS), HOLDER_UNKNOWN_ECHO);
    assert_int_equal(settle(&holder, NS_PER_S + 2 * MS), -1);
    /* and none of these used up a sequence */
    assert_int_equal(give(&holder, lease_of(1, 1, 6000000), NS_PER_S + 3 * MS), HOLDER_ACCEPTED);
}

static void an_echo_that_left_the_table_is_refused(void **state)
{
    (void)state;
    struct holder holder;
    start(&holder);
    for (int i = 0; i < ECHOES_MAX; i++)
        send_report(&holder, NS_PER_S + MS + i);
    assert_int_equal(give(&holder, lease_of(1, 1, 1000000), NS_PER_S + 2 * MS), HOLDER_UNKNOWN_ECHO);
    assert_int_equal(give(&holder, lease_of(1, 2, 6000000), NS_PER_S + 2 * MS), HOLDER_ACCEPTED);
}

/* "the host counts D from the moment it sent that report", so no delay can stretch a lease. */
static void a_lease_ends_d_after_its_report_was_sent_however_late_it_came(void **state)
{
    (void)state;
    struct holder holder;
    start(&holder);
    assert_int_equal(give(&holder, lease_of(1, 1, 6000000), NS_PER_S + 900 * MS), HOLDER_ACCEPTED);
    settle(&holder, NS_PER_S + 910 * MS);
    holder_time(&holder, 2 * NS_PER_S - 1);
    assert_int_equal(settle(&holder, 2 * NS_PER_S - 1), -1);
    holder_time(&holder, 2 * NS_PER_S);
    assert_int_equal(settle(&holder, 2 * NS_PER_S), FAIL_SAFE_MW);
    assert_int_equal(report_at(&holder, 2 * NS_PER_S + MS).state, HOST_FAIL_SAFE);
}

static void a_newer_lease_that_answers_a_newer_report_lasts_longer(void **state)
{
    (void)state;
    struct holder holder;
    start(&holder);
    assert_int_equal(give(&holder, lease_of(1, 1, 6000000), NS_PER_S + MS), HOLDER_ACCEPTED);
    settle(&holder, NS_PER_S + 2 * MS);
    uint64_t second = send_report(&holder, NS_PER_S + 500 * MS);
    assert_int_equal(give(&holder, lease_of(2, second, 6000000), NS_PER_S + 501 * MS), HOLDER_ACCEPTED);
    holder_time(&holder, NS_PER_S + 1499 * MS);
    assert_int_equal(settle(&holder, NS_PER_S + 1499 * MS), -1);
    holder_time(&holder, NS_PER_S + 1500 * MS);
    assert_int_equal(settle(&holder, NS_PER_S + 1500 * MS), FAIL_SAFE_MW);
}

static void an_expired_echo_cannot_raise_and_is_forgotten(void **state)
{
    (void)state;
    struct holder holder;
    start(&holder);
    assert_int_equal(give(&holder, lease_of(1, 1, 6000000), 2 * NS_PER_S), HOLDER_EXPIRED_RAISE);
    assert_int_equal(settle(&holder, 2 * NS_PER_S), -1);
    assert_int_equal(give(&holder, lease_of(2, 1, FAIL_SAFE_MW), 2 * NS_PER_S), HOLDER_EXPIRED_RAISE);
    assert_int_equal(report_at(&holder, 2 * NS_PER_S).state, HOST_FAIL_SAFE);
}

static void an_expired_echo_with_a_new_epoch_cannot_raise_either(void **state)
{
    (void)state;
    struct holder holder;
    start(&holder);
    struct lease lease = lease_of(1, 1, 6000000);
    lease.epoch = 9;
    holder_epoch_saved(&holder, 9, NS_PER_S);
    assert_int_equal(give(&holder, lease, 2 * NS_PER_S), HOLDER_EXPIRED_RAISE);
    assert_int_equal(settle(&holder, 2 * NS_PER_S), -1);
}

static void an_expired_echo_may_lower_but_never_moves_the_deadline(void **state)
{
    (void)state;
    struct holder holder;
    start(&holder);
    uint64_t second = send_report(&holder, NS_PER_S + 600 * MS);
    assert_int_equal(give(&holder, lease_of(1, second, 6000000), NS_PER_S + 610 * MS), HOLDER_ACCEPTED);
    settle(&holder, NS_PER_S + 620 * MS);
    /* answers report 1, which expired at 2 s; the deadline stays at 2.6 s, neither later nor sooner */
    assert_int_equal(give(&holder, lease_of(2, 1, 4000000), 2 * NS_PER_S + MS), HOLDER_ACCEPTED);
    assert_int_equal(settle(&holder, 2 * NS_PER_S + 2 * MS), 4000000);
    holder_time(&holder, NS_PER_S + 1599 * MS);
    assert_int_equal(settle(&holder, NS_PER_S + 1599 * MS), -1);
    holder_time(&holder, NS_PER_S + 1600 * MS);
    assert_int_equal(settle(&holder, NS_PER_S + 1600 * MS), FAIL_SAFE_MW);
}

static void a_lowering_with_an_expired_echo_uses_up_its_sequence(void **state)
{
    (void)state;
    struct holder holder;
    start(&holder);
    assert_int_equal(give(&holder, lease_of(5, 1, 1000000), 2 * NS_PER_S + MS), HOLDER_ACCEPTED);
    assert_int_equal(settle(&holder, 2 * NS_PER_S + 2 * MS), 1000000);
    uint64_t second = send_report(&holder, 2 * NS_PER_S + 3 * MS);
    assert_int_equal(give(&holder, lease_of(4, second, 6000000), 2 * NS_PER_S + 4 * MS), HOLDER_OLD_SEQUENCE);
}

static void after_the_deadline_a_lease_below_fail_safe_gives_way_to_fail_safe(void **state)
{
    (void)state;
    struct holder holder;
    start(&holder);
    assert_int_equal(give(&holder, lease_of(1, 1, 500000), NS_PER_S + MS), HOLDER_ACCEPTED);
    assert_int_equal(settle(&holder, NS_PER_S + 2 * MS), 500000);
    holder_time(&holder, 2 * NS_PER_S);
    assert_int_equal(settle(&holder, 2 * NS_PER_S + MS), FAIL_SAFE_MW);
}

static void a_lease_that_arrives_after_the_deadline_answers_only_for_itself(void **state)
{
    (void)state;
    struct holder holder;
    start(&holder);
    assert_int_equal(give(&holder, lease_of(1, 1, 6000000), NS_PER_S + MS), HOLDER_ACCEPTED);
    settle(&holder, NS_PER_S + 2 * MS);
    /* nobody called holder_time: an expired echo with a cap below the old lease but above fail-safe must not
     * prolong it */
    assert_int_equal(give(&holder, lease_of(2, 1, 5000000), 2 * NS_PER_S + MS), HOLDER_EXPIRED_RAISE);
    assert_int_equal(settle(&holder, 2 * NS_PER_S + 2 * MS), FAIL_SAFE_MW);
}

static void a_cap_above_what_can_be_set_is_obeyed_as_the_largest(void **state)
{
    (void)state;
    struct holder holder;
    start(&holder);
    assert_int_equal(give(&holder, lease_of(1, 1, CAP_MAX_MW + 1), NS_PER_S + MS), HOLDER_ACCEPTED);
    assert_int_equal(settle(&holder, NS_PER_S + 2 * MS), CAP_MAX_MW);
}

/* "An expired echo may only lower the cap": what it lowered after the deadline stays lowered. */
static void a_cut_below_fail_safe_after_the_deadline_stays(void **state)
{
    (void)state;
    uint32_t device;
    struct holder holder;
    int64_t cap_mw;
    start(&holder);
    uint64_t echo = send_report(&holder, NS_PER_S);
    assert_int_equal(give(&holder, lease_of(1, echo, 5000000), NS_PER_S), HOLDER_ACCEPTED);
    settle(&holder, NS_PER_S);
    holder_time(&holder, 3 * NS_PER_S);
    settle(&holder, 3 * NS_PER_S);
    assert_int_equal(holder.device[0].readback_mw, FAIL_SAFE_MW);
    assert_int_equal(holder.state, HOST_FAIL_SAFE);
    assert_int_equal(give(&holder, lease_of(2, echo, 1000000), 3 * NS_PER_S), HOLDER_ACCEPTED);
    assert_int_equal(settle(&holder, 3 * NS_PER_S), 1000000);
    holder_time(&holder, 4 * NS_PER_S);
    assert_false(holder_next_write(&holder, &device, &cap_mw));
    assert_int_equal(holder.wanted_mw, 1000000);
}

static void a_new_agent_reports_at_once(void **state)
{
    (void)state;
    struct holder holder;
    holder_init(&holder, &config, INCARNATION, 5, 7 * NS_PER_S);
    assert_true(holder_report_due(&holder, 7 * NS_PER_S));
}

/* A lease of just the fail-safe cap: when it ends there is nothing to write, and the report says so. */
static void at_the_end_of_a_lease_of_fail_safe_it_is_at_fail_safe(void **state)
{
    (void)state;
    struct holder holder;
    start(&holder);
    assert_int_equal(give(&holder, lease_of(1, 1, FAIL_SAFE_MW), NS_PER_S + MS), HOLDER_ACCEPTED);
    settle(&holder, NS_PER_S + 2 * MS);
    assert_int_equal(report_at(&holder, NS_PER_S + 3 * MS).state, HOST_LEASED);
    holder_time(&holder, 2 * NS_PER_S - 1);
    assert_int_equal(report_at(&holder, 2 * NS_PER_S - 1).state, HOST_LEASED);
    holder_time(&holder, 2 * NS_PER_S);
    assert_int_equal(settle(&holder, 2 * NS_PER_S), -1);
    assert_int_equal(report_at(&holder, 2 * NS_PER_S).state, HOST_FAIL_SAFE);
}

/* A newer epoch that is durable is told soon; one that was so already is no news. */
static void an_epoch_that_was_durable_hurries_no_report(void **state)
{
    (void)state;
    struct holder holder;
    start(&holder);
    holder_epoch_saved(&holder, 5, NS_PER_S + MS);
    assert_int_equal(holder.receipt_due_ns, INT64_MAX);
    holder_epoch_saved(&holder, 6, NS_PER_S + 20 * MS);
    assert_int_equal(holder.receipt_due_ns, NS_PER_S + 20 * MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_agent_writes_fail_safe_before_anything_else),
        cmocka_unit_test(a_lease_that_answers_a_report_is_obeyed),
        cmocka_unit_test(a_lease_of_another_incarnation_changes_nothing),
        cmocka_unit_test(an_epoch_below_the_highest_accepted_is_refused_cuts_included),
        cmocka_unit_test(a_persisted_epoch_outlives_the_agent),
        cmocka_unit_test(an_equal_or_older_sequence_is_refused_cuts_included),
        cmocka_unit_test(a_higher_epoch_starts_its_sequences_anew),
        cmocka_unit_test(an_echo_never_sent_is_refused),
        cmocka_unit_test(an_echo_that_left_the_table_is_refused),
        cmocka_unit_test(a_lease_ends_d_after_its_report_was_sent_however_late_it_came),
        cmocka_unit_test(a_newer_lease_that_answers_a_newer_report_lasts_longer),
        cmocka_unit_test(an_expired_echo_cannot_raise_and_is_forgotten),
        cmocka_unit_test(an_expired_echo_with_a_new_epoch_cannot_raise_either),
        cmocka_unit_test(an_expired_echo_may_lower_but_never_moves_the_deadline),
        cmocka_unit_test(a_lowering_with_an_expired_echo_uses_up_its_sequence),
        cmocka_unit_test(after_the_deadline_a_lease_below_fail_safe_gives_way_to_fail_safe),
        cmocka_unit_test(a_lease_that_arrives_after_the_deadline_answers_only_for_itself),
        cmocka_unit_test(a_cap_above_what_can_be_set_is_obeyed_as_the_largest),
        cmocka_unit_test(a_cut_below_fail_safe_after_the_deadline_stays),
        cmocka_unit_test(a_new_agent_reports_at_once),
        cmocka_unit_test(at_the_end_of_a_lease_of_fail_safe_it_is_at_fail_safe),
        cmocka_unit_test(an_epoch_that_was_durable_hurries_no_report),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
