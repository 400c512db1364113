/* SPDX-License-Identifier: Apache-2.0 */
/* What a host writes and what it says of it: safety.md section 3, serialised writes, read-back, reports as
 * evidence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/holder.h"

enum { FAIL_SAFE_MW = 2000000, PHYS_MAX_MW = 12000000, CAP_MAX_MW = 10000000 };
#define INCARNATION UINT64_C(0xB0B)
#define MS NS_PER_MS
#define A_NS (120 * MS)

static const struct holder_config config = {
    .host = 3,
    .fail_safe_mw = FAIL_SAFE_MW,
    .phys_max_mw = PHYS_MAX_MW,
    .cap_max_mw = CAP_MAX_MW,
    .report_ns = 100 * MS,
    .actuation_ns = A_NS,
};

static struct report report_at(struct holder *holder, int64_t now_ns)
{
    struct report report;
    memset(&report, 0xEE, sizeof report);
    holder_report(holder, 4500000, 5, &report, now_ns);
    return report;
}

static void write_expected(struct holder *holder, int64_t cap_mw)
{
    uint32_t device;
    int64_t due_mw = -1;
    assert_true(holder_next_write(holder, &device, &due_mw));
    assert_int_equal(due_mw, cap_mw);
}

static void write_all(struct holder *holder, int64_t now_ns)
{
    uint32_t device;
    int64_t cap_mw;
    for (int i = 0; i < 8 && holder_next_write(holder, &device, &cap_mw); i++)
        holder_written(holder, 0, cap_mw, now_ns);
}

/* Answers a report made at this moment. */
static void lease_now(struct holder *holder, uint64_t sequence, int64_t cap_mw, int64_t now_ns)
{
    struct lease lease = {.host = 3,
                          .incarnation = INCARNATION,
                          .epoch = 5,
                          .sequence = sequence,
                          .cap_mw = cap_mw,
                          .echo = report_at(holder, now_ns).number,
                          .duration_ns = NS_PER_S};
    assert_int_equal(holder_lease(holder, &lease, now_ns), HOLDER_ACCEPTED);
}

/* Holds a lease of 6 kW, sequence 1, since 1 s. */
static void start(struct holder *holder)
{
    holder_init(holder, &config, INCARNATION, 5, 0);
    write_all(holder, 10 * MS);
    lease_now(holder, 1, 6000000, NS_PER_S);
    write_all(holder, NS_PER_S);
}

static void writes_go_one_at_a_time_and_the_newest_wish_follows(void **state)
{
    (void)state;
    uint32_t device;
    struct holder holder;
    int64_t cap_mw;
    start(&holder);
    lease_now(&holder, 2, 5000000, NS_PER_S + 100 * MS);
    write_expected(&holder, 5000000);
    lease_now(&holder, 3, 7000000, NS_PER_S + 110 * MS);
    lease_now(&holder, 4, 3000000, NS_PER_S + 120 * MS);
    assert_false(holder_next_write(&holder, &device, &cap_mw));
    holder_written(&holder, 0, 5000000, NS_PER_S + 130 * MS);
    write_expected(&holder, 3000000);
    holder_written(&holder, 0, 3000000, NS_PER_S + 140 * MS);
    assert_false(holder_next_write(&holder, &device, &cap_mw));
}

/* "expiry re-checked after each" write: the owner need not have called holder_time in between. */
static void a_write_that_returns_after_the_deadline_is_followed_by_fail_safe(void **state)
{
    (void)state;
    struct holder holder;
    start(&holder);
    lease_now(&holder, 2, 7000000, NS_PER_S + 100 * MS);
    write_expected(&holder, 7000000);
    holder_written(&holder, 0, 7000000, NS_PER_S + 1100 * MS);
    write_expected(&holder, FAIL_SAFE_MW);
    holder_written(&holder, 0, FAIL_SAFE_MW, NS_PER_S + 1150 * MS);
    assert_int_equal(report_at(&holder, NS_PER_S + 1151 * MS).state, HOST_FAIL_SAFE);
}

static void a_report_carries_who_what_and_how_much(void **state)
{
    (void)state;
    struct holder holder;
    start(&holder);
    struct report first = report_at(&holder, NS_PER_S + 50 * MS);
    struct report second = report_at(&holder, NS_PER_S + 60 * MS);
    assert_int_equal(first.host, 3);
    assert_int_equal(first.incarnation, INCARNATION);
    assert_int_equal(first.epoch, 5);
    assert_int_equal(first.applied, 1);
    assert_int_equal(first.cap_mw, 6000000);
    assert_int_equal(first.readback_mw, 6000000);
    assert_int_equal(first.fail_safe_mw, FAIL_SAFE_MW);
    assert_int_equal(first.phys_max_mw, PHYS_MAX_MW);
    assert_int_equal(first.draw_mw, 4500000);
    assert_int_equal(first.psu_inputs, 5);
    assert_int_equal(first.state, HOST_LEASED);
    assert_int_equal(second.number, first.number + 1);
}

/* "cap = the largest of read-back limit and every write queued or in flight" */
static void a_raise_counts_as_soon_as_it_is_queued(void **state)
{
    (void)state;
    struct holder holder;
    start(&holder);
    lease_now(&holder, 2, 8000000, NS_PER_S + 200 * MS);
    assert_int_equal(report_at(&holder, NS_PER_S + 201 * MS).cap_mw, 8000000);
    write_expected(&holder, 8000000);
    assert_int_equal(report_at(&holder, NS_PER_S + 202 * MS).cap_mw, 8000000);
}

static void a_raise_in_flight_counts_until_the_cut_after_it_is_read_back(void **state)
{
    (void)state;
    struct holder holder;
    start(&holder);
    lease_now(&holder, 2, 8000000, NS_PER_S + 200 * MS);
    write_expected(&holder, 8000000);
    lease_now(&holder, 3, 3000000, NS_PER_S + 210 * MS);
    assert_int_equal(report_at(&holder, NS_PER_S + 211 * MS).cap_mw, 8000000);
    holder_written(&holder, 0, 8000000, NS_PER_S + 220 * MS);
    write_expected(&holder, 3000000);
    assert_int_equal(report_at(&holder, NS_PER_S + 221 * MS).cap_mw, 8000000);
    holder_written(&holder, 0, 3000000, NS_PER_S + 230 * MS);
    assert_int_equal(report_at(&holder, NS_PER_S + 231 * MS).cap_mw, 3000000);
}

static void a_cut_does_not_count_before_it_is_read_back(void **state)
{
    (void)state;
    struct holder holder;
    start(&holder);
    lease_now(&holder, 2, 3000000, NS_PER_S + 200 * MS);
    struct report report = report_at(&holder, NS_PER_S + 201 * MS);
    assert_int_equal(report.cap_mw, 6000000);
    assert_int_equal(report.held_ns, 0);
    write_expected(&holder, 3000000);
    report = report_at(&holder, NS_PER_S + 202 * MS);
    assert_int_equal(report.cap_mw, 6000000);
    assert_int_equal(report.held_ns, 0);
}

static void before_the_first_read_back_the_cap_is_not_claimed_to_be_low(void **state)
{
    (void)state;
    struct holder holder;
    holder_init(&holder, &config, INCARNATION, 5, 0);
    struct report report = report_at(&holder, MS);
    assert_int_equal(report.state, HOST_BOOT);
    assert_true(report.cap_mw >= CAP_MAX_MW);
    assert_int_equal(report.held_ns, 0);
}

static void the_time_held_counts_from_the_read_back(void **state)
{
    (void)state;
    struct holder holder;
    start(&holder);
    lease_now(&holder, 2, 3000000, NS_PER_S + 200 * MS);
    write_expected(&holder, 3000000);
    holder_written(&holder, 0, 3000000, NS_PER_S + 250 * MS);
    assert_int_equal(report_at(&holder, NS_PER_S + 250 * MS).held_ns, 0);
    assert_int_equal(report_at(&holder, NS_PER_S + 390 * MS).held_ns, 140 * MS);
}

static void a_renewal_keeps_the_time_held_and_shows_the_new_sequence(void **state)
{
    (void)state;
    uint32_t device;
    struct holder holder;
    int64_t cap_mw;
    start(&holder);
    lease_now(&holder, 2, 6000000, NS_PER_S + 500 * MS);
    assert_false(holder_next_write(&holder, &device, &cap_mw));
    struct report report = report_at(&holder, NS_PER_S + 501 * MS);
    assert_int_equal(report.applied, 2);
    assert_int_equal(report.state, HOST_LEASED);
    assert_int_equal(report.held_ns, 501 * MS);
}

/* A raise comes and goes while writes are under way, and the last lease wants what a write has just brought
 * about: nothing is written for it, yet the cut before has not settled. */
static void a_cut_that_comes_to_be_wanted_has_held_since_its_own_read_back(void **state)
{
    (void)state;
    struct holder holder;
    start(&holder);
    lease_now(&holder, 2, 8000000, NS_PER_S + 500 * MS);
    write_expected(&holder, 8000000);
    lease_now(&holder, 3, 6000000, NS_PER_S + 501 * MS);
    holder_written(&holder, 0, 8000000, NS_PER_S + 510 * MS);
    write_expected(&holder, 6000000);
    lease_now(&holder, 4, 8000000, NS_PER_S + 511 * MS);
    holder_written(&holder, 0, 6000000, NS_PER_S + 520 * MS);
    lease_now(&holder, 5, 6000000, NS_PER_S + 521 * MS);
    struct report report = report_at(&holder, NS_PER_S + 522 * MS);
    assert_int_equal(report.applied, 5);
    assert_int_equal(report.held_ns, 2 * MS);
    assert_true(holder_report_due(&holder, NS_PER_S + 520 * MS + A_NS));
}

static void a_fall_to_fail_safe_starts_the_time_held_anew(void **state)
{
    (void)state;
    struct holder holder;
    start(&holder);
    holder_time(&holder, 2 * NS_PER_S);
    assert_int_equal(report_at(&holder, 2 * NS_PER_S + MS).held_ns, 0);
    write_all(&holder, 2 * NS_PER_S + 30 * MS);
    struct report report = report_at(&holder, 2 * NS_PER_S + 40 * MS);
    assert_int_equal(report.state, HOST_FAIL_SAFE);
    assert_int_equal(report.applied, 1);
    assert_int_equal(report.cap_mw, FAIL_SAFE_MW);
    assert_int_equal(report.held_ns, 10 * MS);
}

/* msg/lease.h: HOST_LEASED means that the lease in `applied` is enforced. Evidence needs a time held, so
 * that must be 0. */
static void a_write_that_did_not_take_is_told_and_tried_again(void **state)
{
    (void)state;
    struct holder holder;
    start(&holder);
    lease_now(&holder, 2, 3000000, NS_PER_S + 200 * MS);
    write_expected(&holder, 3000000);
    holder_written(&holder, 0, 6000000, NS_PER_S + 250 * MS);
    struct report report = report_at(&holder, NS_PER_S + 300 * MS);
    assert_int_equal(report.readback_mw, 6000000);
    assert_int_equal(report.cap_mw, 6000000);
    assert_int_equal(report.held_ns, 0);
    write_expected(&holder, 3000000);
}

static void a_read_back_below_what_was_asked_is_somebody_elses_limit(void **state)
{
    (void)state;
    uint32_t device;
    struct holder holder;
    int64_t cap_mw;
    start(&holder);
    lease_now(&holder, 2, 8000000, NS_PER_S + 200 * MS);
    write_expected(&holder, 8000000);
    holder_written(&holder, 0, 7000000, NS_PER_S + 250 * MS);
    struct report report = report_at(&holder, NS_PER_S + 260 * MS);
    assert_true(report.flags & REPORT_FOREIGN_LIMIT);
    assert_int_equal(report.readback_mw, 7000000);
    assert_int_equal(report.state, HOST_LEASED);
    assert_false(holder_next_write(&holder, &device, &cap_mw));
}

static void reports_are_never_further_apart_than_agreed(void **state)
{
    (void)state;
    struct holder holder;
    start(&holder);
    report_at(&holder, 3 * NS_PER_S);
    write_all(&holder, 3 * NS_PER_S);
    report_at(&holder, 4 * NS_PER_S);
    assert_false(holder_report_due(&holder, 4 * NS_PER_S + 99 * MS));
    assert_true(holder_report_due(&holder, 4 * NS_PER_S + 100 * MS));
}

/* Without it the ledger would wait for the next turn to retire a cut. */
static void a_state_is_reported_again_as_soon_as_it_has_held_for_a(void **state)
{
    (void)state;
    struct holder holder;
    start(&holder);
    lease_now(&holder, 2, 3000000, NS_PER_S + 200 * MS);
    write_expected(&holder, 3000000);
    holder_written(&holder, 0, 3000000, NS_PER_S + 210 * MS);
    report_at(&holder, NS_PER_S + 300 * MS);
    assert_false(holder_report_due(&holder, NS_PER_S + 210 * MS + A_NS - 1));
    assert_true(holder_report_due(&holder, NS_PER_S + 210 * MS + A_NS));
    struct report report = report_at(&holder, NS_PER_S + 210 * MS + A_NS);
    assert_int_equal(report.held_ns, A_NS);
    assert_false(holder_report_due(&holder, NS_PER_S + 220 * MS + A_NS));
}

/* An unasked report comes 10 ms after the last one at the earliest. */
static void a_host_that_comes_to_its_cap_says_so_soon_but_not_at_once(void **state)
{
    (void)state;
    struct holder holder;
    holder_init(&holder, &config, INCARNATION, 0, 0);
    write_all(&holder, 0);
    report_at(&holder, 500 * MS);
    holder_flags(&holder, REPORT_AT_CAP, 501 * MS);
    assert_false(holder_report_due(&holder, 510 * MS - 1));
    assert_true(holder_report_due(&holder, 510 * MS));
    struct report report = report_at(&holder, 510 * MS);
    assert_int_equal(report.flags, REPORT_AT_CAP);
    holder_flags(&holder, REPORT_AT_CAP, 515 * MS);     /* no news */
    assert_false(holder_report_due(&holder, 600 * MS));
    holder_flags(&holder, REPORT_AT_CAP | REPORT_DEVICE_LOST, 550 * MS);
    assert_true(holder_report_due(&holder, 550 * MS));
}

static void what_is_no_news_hurries_no_report(void **state)
{
    (void)state;
    struct holder holder;
    holder_init(&holder, &config, INCARNATION, 0, 0);
    write_all(&holder, 0);
    report_at(&holder, 500 * MS);
    holder_flags(&holder, REPORT_PSU_KNOWN, 550 * MS);
    assert_false(holder_report_due(&holder, 599 * MS));
    report_at(&holder, 600 * MS);
    holder_flags(&holder, 0, 650 * MS);
    assert_false(holder_report_due(&holder, 699 * MS));
}

static void what_was_written_is_reported_when_it_has_held_for_a_whatever_the_turn(void **state)
{
    (void)state;
    struct holder holder;
    struct holder_config seldom = config;
    seldom.report_ns = 10 * NS_PER_S;
    holder_init(&holder, &seldom, INCARNATION, 0, 0);
    report_at(&holder, 0);
    write_all(&holder, 10 * MS);
    assert_false(holder_report_due(&holder, 10 * MS + A_NS - 1));
    assert_true(holder_report_due(&holder, 10 * MS + A_NS));
}

/* A controller knows by it whether a report answers what it sent itself. */
static void a_report_says_back_the_session_of_the_lease_obeyed(void **state)
{
    struct holder holder;

    (void)state;
    start(&holder);
    assert_int_equal(report_at(&holder, 2 * NS_PER_S).session, 0);
    for (uint64_t i = 2; i < 4; i++) {
        struct report report = report_at(&holder, 2 * NS_PER_S);
        struct lease lease = {.host = 3, .incarnation = INCARNATION, .epoch = 5, .sequence = i,
                              .session = 70 + i, .cap_mw = 5000000, .echo = report.number,
                              .duration_ns = NS_PER_S};
        assert_int_equal(holder_lease(&holder, &lease, 2 * NS_PER_S), HOLDER_ACCEPTED);
        lease.session = 99;
        assert_true(holder_lease(&holder, &lease, 2 * NS_PER_S) != HOLDER_ACCEPTED);    /* the same again */
        assert_int_equal(report_at(&holder, 2 * NS_PER_S).session, 70 + i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_report_says_back_the_session_of_the_lease_obeyed),
        cmocka_unit_test(writes_go_one_at_a_time_and_the_newest_wish_follows),
        cmocka_unit_test(a_write_that_returns_after_the_deadline_is_followed_by_fail_safe),
        cmocka_unit_test(a_report_carries_who_what_and_how_much),
        cmocka_unit_test(a_raise_counts_as_soon_as_it_is_queued),
        cmocka_unit_test(a_raise_in_flight_counts_until_the_cut_after_it_is_read_back),
        cmocka_unit_test(a_cut_does_not_count_before_it_is_read_back),
        cmocka_unit_test(before_the_first_read_back_the_cap_is_not_claimed_to_be_low),
        cmocka_unit_test(the_time_held_counts_from_the_read_back),
        cmocka_unit_test(a_renewal_keeps_the_time_held_and_shows_the_new_sequence),
        cmocka_unit_test(a_cut_that_comes_to_be_wanted_has_held_since_its_own_read_back),
        cmocka_unit_test(a_fall_to_fail_safe_starts_the_time_held_anew),
        cmocka_unit_test(a_write_that_did_not_take_is_told_and_tried_again),
        cmocka_unit_test(a_read_back_below_what_was_asked_is_somebody_elses_limit),
        cmocka_unit_test(reports_are_never_further_apart_than_agreed),
        cmocka_unit_test(a_state_is_reported_again_as_soon_as_it_has_held_for_a),
        cmocka_unit_test(a_host_that_comes_to_its_cap_says_so_soon_but_not_at_once),
        cmocka_unit_test(what_is_no_news_hurries_no_report),
        cmocka_unit_test(what_was_written_is_reported_when_it_has_held_for_a_whatever_the_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
