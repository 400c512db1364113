/* SPDX-License-Identifier: Apache-2.0 */
/* A host whose agent stops: it asks for its own limits, and takes them by an answer to that alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/holder.h"

enum { FAIL_SAFE_MW = 2000000, CAP_MAX_MW = 10000000, OWN_MW = 6000000, DEVICES = 2 };
enum { INCARNATION = 77, EPOCH = 5 };
#define MS NS_PER_MS

static const struct holder_config config = {
    .host = 3, .devices = DEVICES, .fail_safe_mw = FAIL_SAFE_MW, .phys_max_mw = 14000000,
    .cap_max_mw = CAP_MAX_MW, .report_ns = 100 * MS, .actuation_ns = 120 * MS,
    .own_mw = {OWN_MW, 0},
};

static int64_t in_force_mw[DEVICES];

static void settle(struct holder *holder, int64_t now_ns)
{
    uint32_t device;
    int64_t cap_mw;
    for (int i = 0; i < 8 && holder_next_write(holder, &device, &cap_mw); i++) {
        in_force_mw[device] = cap_mw;
        holder_written(holder, device, cap_mw, now_ns);
    }
}

static struct report tell(struct holder *holder, int64_t now_ns)
{
    struct report report;
    holder_report(holder, 0, 0, &report, now_ns);
    return report;
}

static struct lease lease_of(uint64_t sequence, uint64_t echo, uint32_t flags, int64_t cap_mw)
{
    return (struct lease){.host = 3, .incarnation = INCARNATION, .epoch = EPOCH, .sequence = sequence,
                          .echo = echo, .cap_mw = cap_mw, .duration_ns = NS_PER_S, .flags = flags};
}

static int give(struct holder *holder, struct lease lease, int64_t now_ns)
{
    int verdict = holder_lease(holder, &lease, now_ns);
    settle(holder, now_ns);
    return verdict;
}

/* Leased 4 kW; report 1 went at 1 s, lease 1 answered it. */
static void start(struct holder *holder)
{
    holder_init(holder, &config, INCARNATION, EPOCH, 0);
    settle(holder, 10 * MS);
    assert_int_equal(tell(holder, NS_PER_S).number, 1);
    assert_int_equal(give(holder, lease_of(1, 1, 0, 4000000), NS_PER_S + MS), HOLDER_ACCEPTED);
    assert_int_equal(in_force_mw[0], 2000000);
}

static void it_asks_soon_and_in_every_report_and_is_leased_meanwhile(void **state)
{
    (void)state;
    struct holder holder;
    start(&holder);
    assert_false(tell(&holder, NS_PER_S + 5 * MS).flags & REPORT_LEAVING);
    holder_leave(&holder, NS_PER_S + 6 * MS);
    assert_true(holder_report_due(&holder, NS_PER_S + 20 * MS));
    for (int i = 0; i < 3; i++)
        assert_true(tell(&holder, NS_PER_S + (20 + i) * MS).flags & REPORT_LEAVING);
    assert_int_equal(holder.leaving, 3);
    assert_int_equal(give(&holder, lease_of(2, 4, 0, 5000000), NS_PER_S + 30 * MS), HOLDER_ACCEPTED);
    assert_int_equal(in_force_mw[0], 2500000);
    assert_int_equal(holder_deadline_ns(&holder), NS_PER_S + 21 * MS + NS_PER_S);
    assert_false(holder.let_go);
}

static void let_go_each_device_has_its_own_limit_and_one_without_stays_at_fail_safe(void **state)
{
    (void)state;
    struct holder holder;
    start(&holder);
    holder_leave(&holder, NS_PER_S + 20 * MS);
    uint64_t asked = tell(&holder, NS_PER_S + 20 * MS).number;
    assert_int_equal(give(&holder, lease_of(2, asked, LEASE_LET_GO, FAIL_SAFE_MW), NS_PER_S + 30 * MS),
                     HOLDER_ACCEPTED);
    assert_true(holder.let_go);
    assert_int_equal(in_force_mw[0], OWN_MW);
    assert_int_equal(in_force_mw[1], FAIL_SAFE_MW / DEVICES);
    assert_int_equal(holder_deadline_ns(&holder), INT64_MAX);
    holder_time(&holder, 100 * NS_PER_S);
    settle(&holder, 100 * NS_PER_S);
    assert_int_equal(in_force_mw[0], OWN_MW);
    assert_false(holder_report_due(&holder, 100 * NS_PER_S));
    assert_int_not_equal(give(&holder, lease_of(3, asked, 0, FAIL_SAFE_MW), NS_PER_S + 40 * MS),
                         HOLDER_ACCEPTED);
    assert_int_equal(in_force_mw[0], OWN_MW);
}

/* Each row differs by one thing from an agreement that would be obeyed. */
static void nothing_else_lets_it_go(void **state)
{
    (void)state;
    const struct { struct lease lease; int64_t at_ns; int verdict; } row[] = {
        {lease_of(2, 2, LEASE_LET_GO, FAIL_SAFE_MW), 1030 * MS, HOLDER_UNASKED},
        {lease_of(2, 9, LEASE_LET_GO, FAIL_SAFE_MW), 1030 * MS, HOLDER_UNKNOWN_ECHO},
        {lease_of(1, 3, LEASE_LET_GO, FAIL_SAFE_MW), 1030 * MS, HOLDER_OLD_SEQUENCE},
        {lease_of(2, 3, LEASE_LET_GO, FAIL_SAFE_MW), 2020 * MS, HOLDER_EXPIRED_RAISE},
        {lease_of(2, 3, LEASE_EMERGENCY, FAIL_SAFE_MW), 1030 * MS, HOLDER_ACCEPTED},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct holder holder;
        start(&holder);
        tell(&holder, 1005 * MS);
        holder_leave(&holder, 1020 * MS);
        assert_int_equal(tell(&holder, 1020 * MS).number, 3);
        assert_int_equal(give(&holder, row[i].lease, row[i].at_ns), row[i].verdict);
        assert_false(holder.let_go);
        assert_true(in_force_mw[0] <= 2000000);
    }
}

/* An expired cut would be obeyed as one where it is lower; an expired agreement is nothing at all. */
static void an_agreement_older_than_d_is_refused_though_its_cap_is_lower(void **state)
{
    (void)state;
    struct holder holder;
    start(&holder);
    holder_leave(&holder, 1020 * MS);
    uint64_t asked = tell(&holder, 1020 * MS).number;
    uint64_t again = tell(&holder, 1500 * MS).number;
    assert_int_equal(give(&holder, lease_of(2, again, 0, 4000000), 1510 * MS), HOLDER_ACCEPTED);
    assert_int_equal(give(&holder, lease_of(3, asked, LEASE_LET_GO, FAIL_SAFE_MW), 2020 * MS),
                     HOLDER_EXPIRED_RAISE);
    assert_false(holder.let_go);
    assert_int_equal(holder.applied, 2);
    assert_int_equal(in_force_mw[0], 2000000);
    assert_int_equal(give(&holder, lease_of(3, asked, 0, FAIL_SAFE_MW), 2021 * MS), HOLDER_ACCEPTED);
    assert_int_equal(in_force_mw[0], FAIL_SAFE_MW / DEVICES);
}

static void a_lease_of_another_incarnation_epoch_or_before_it_is_durable_lets_nobody_go(void **state)
{
    (void)state;
    struct holder holder;
    start(&holder);
    holder_leave(&holder, 1020 * MS);
    uint64_t asked = tell(&holder, 1020 * MS).number;
    struct lease lease = lease_of(2, asked, LEASE_LET_GO, FAIL_SAFE_MW);
    lease.incarnation++;
    assert_int_equal(give(&holder, lease, 1030 * MS), HOLDER_FOREIGN_INCARNATION);
    lease.incarnation = INCARNATION;
    lease.epoch = EPOCH - 1;
    assert_int_equal(give(&holder, lease, 1030 * MS), HOLDER_OLD_EPOCH);
    lease.epoch = EPOCH + 1;
    assert_int_equal(give(&holder, lease, 1030 * MS), HOLDER_UNSAVED_EPOCH);
    assert_false(holder.let_go);
    holder_epoch_saved(&holder, EPOCH + 1, 1031 * MS);
    assert_int_equal(give(&holder, lease, 1032 * MS), HOLDER_ACCEPTED);
    assert_true(holder.let_go);
}

/* A copy of the agreement, or one that was held up, finds the host asking no more, or another incarnation. */
static void a_new_incarnation_asks_no_more_and_the_agreement_is_nothing_to_it(void **state)
{
    (void)state;
    struct holder holder;
    start(&holder);
    holder_leave(&holder, 1020 * MS);
    uint64_t asked = tell(&holder, 1020 * MS).number;
    struct lease lease = lease_of(2, asked, LEASE_LET_GO, FAIL_SAFE_MW);
    assert_int_equal(give(&holder, lease, 1030 * MS), HOLDER_ACCEPTED);
    holder_restart(&holder, INCARNATION + 1, 1040 * MS);
    assert_false(holder.let_go);
    settle(&holder, 1041 * MS);
    assert_int_equal(in_force_mw[0], FAIL_SAFE_MW / DEVICES);
    while (holder.next_report <= asked)
        assert_false(tell(&holder, 1050 * MS).flags & REPORT_LEAVING);
    assert_int_equal(give(&holder, lease, 1060 * MS), HOLDER_FOREIGN_INCARNATION);
    lease.incarnation++;
    assert_int_equal(give(&holder, lease, 1060 * MS), HOLDER_UNASKED);
    assert_int_equal(holder_deadline_ns(&holder), 0);
    assert_int_equal(in_force_mw[0], FAIL_SAFE_MW / DEVICES);
}

static void a_machine_that_slept_is_let_go_no_more(void **state)
{
    (void)state;
    struct holder holder;
    start(&holder);
    assert_false(holder_clock(&holder, 1000 * MS, 1000 * MS, 1000 * MS));
    holder_leave(&holder, 1020 * MS);
    uint64_t asked = tell(&holder, 1020 * MS).number;
    give(&holder, lease_of(2, asked, LEASE_LET_GO, FAIL_SAFE_MW), 1030 * MS);
    assert_true(holder.let_go);
    assert_true(holder_clock(&holder, 1040 * MS, 9040 * MS, 1040 * MS));
    assert_false(holder.let_go);
    settle(&holder, 1041 * MS);
    assert_int_equal(in_force_mw[0], FAIL_SAFE_MW / DEVICES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_asks_soon_and_in_every_report_and_is_leased_meanwhile),
        cmocka_unit_test(let_go_each_device_has_its_own_limit_and_one_without_stays_at_fail_safe),
        cmocka_unit_test(nothing_else_lets_it_go),
        cmocka_unit_test(an_agreement_older_than_d_is_refused_though_its_cap_is_lower),
        cmocka_unit_test(a_lease_of_another_incarnation_epoch_or_before_it_is_durable_lets_nobody_go),
        cmocka_unit_test(a_new_incarnation_asks_no_more_and_the_agreement_is_nothing_to_it),
        cmocka_unit_test(a_machine_that_slept_is_let_go_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
