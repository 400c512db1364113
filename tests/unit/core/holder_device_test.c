/* SPDX-License-Identifier: Apache-2.0 */
/* A host of several devices, its incarnations and its memory of epochs: safety.md section 3. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/holder.h"

enum { DEVICES = 4, FAIL_SAFE_MW = 2000000, PHYS_MAX_MW = 12000000, CAP_MAX_MW = 10000000 };
#define MS NS_PER_MS
#define A_NS (120 * MS)

static const struct holder_config config = {
    .host = 3,
    .devices = DEVICES,
    .fail_safe_mw = FAIL_SAFE_MW,
    .phys_max_mw = PHYS_MAX_MW,
    .cap_max_mw = CAP_MAX_MW,
    .report_ns = 100 * MS,
    .actuation_ns = A_NS,
};

static struct report report_at(struct holder *holder, int64_t now_ns)
{
    struct report report;
    holder_report(holder, 4500000, 5, &report, now_ns);
    return report;
}

/* Takes what is due to be written now: how many, and to which. */
static uint32_t due_writes(struct holder *holder, int64_t cap_mw[DEVICES])
{
    uint32_t device, count = 0;
    int64_t mw;
    for (uint32_t i = 0; i < DEVICES; i++)
        cap_mw[i] = -1;
    while (holder_next_write(holder, &device, &mw)) {
        assert_true(device < DEVICES && cap_mw[device] < 0);
        cap_mw[device] = mw;
        count++;
    }
    return count;
}

static void settle(struct holder *holder, int64_t now_ns)
{
    uint32_t device;
    int64_t mw;
    for (int i = 0; i < 64 && holder_next_write(holder, &device, &mw); i++)
        holder_written(holder, device, mw, now_ns);
}

static struct lease lease_of(struct holder *holder, uint64_t sequence, int64_t cap_mw, int64_t now_ns)
{
    return (struct lease){.host = 3,
                          .incarnation = holder->incarnation,
                          .epoch = 5,
                          .sequence = sequence,
                          .cap_mw = cap_mw,
                          .echo = report_at(holder, now_ns).number,
                          .duration_ns = NS_PER_S};
}

static void lease_now(struct holder *holder, uint64_t sequence, int64_t cap_mw, int64_t now_ns)
{
    struct lease lease = lease_of(holder, sequence, cap_mw, now_ns);
    assert_int_equal(holder_lease(holder, &lease, now_ns), HOLDER_ACCEPTED);
}

/* Holds 6 kW, 1.5 kW each, since 1 s. */
static void start(struct holder *holder)
{
    holder_init(holder, &config, 0xB0B, 5, 0);
    settle(holder, 10 * MS);
    lease_now(holder, 1, 6000000, NS_PER_S);
    settle(holder, NS_PER_S);
}

static void a_cap_is_split_evenly_and_never_adds_up_to_more(void **state)
{
    (void)state;
    struct holder holder;
    int64_t cap_mw[DEVICES], sum_mw = 0;
    start(&holder);
    lease_now(&holder, 2, 5999999, NS_PER_S + MS);
    assert_int_equal(due_writes(&holder, cap_mw), DEVICES);
    for (uint32_t i = 0; i < DEVICES; i++) {
        assert_int_equal(cap_mw[i], 1499999);
        sum_mw += cap_mw[i];
        holder_written(&holder, i, cap_mw[i], NS_PER_S + 5 * MS);
    }
    assert_true(sum_mw <= 5999999);
    struct report report = report_at(&holder, NS_PER_S + 6 * MS);
    assert_int_equal(report.state, HOST_LEASED);
    assert_int_equal(report.cap_mw, sum_mw);
    assert_int_equal(report.readback_mw, sum_mw);
    assert_int_equal(report.flags & REPORT_FOREIGN_LIMIT, 0);
}

static void each_device_has_one_write_in_flight(void **state)
{
    (void)state;
    struct holder holder;
    int64_t cap_mw[DEVICES];
    start(&holder);
    lease_now(&holder, 2, 4000000, NS_PER_S + MS);
    assert_int_equal(due_writes(&holder, cap_mw), DEVICES);
    lease_now(&holder, 3, 3000000, NS_PER_S + 2 * MS);
    assert_int_equal(due_writes(&holder, cap_mw), 0);
    holder_written(&holder, 2, 1000000, NS_PER_S + 3 * MS);
    assert_int_equal(due_writes(&holder, cap_mw), 1);
    assert_int_equal(cap_mw[2], 750000);
}

static void what_is_in_flight_or_queued_on_any_device_is_reported(void **state)
{
    (void)state;
    struct holder holder;
    int64_t cap_mw[DEVICES];
    start(&holder);
    lease_now(&holder, 2, 4000000, NS_PER_S + MS);
    due_writes(&holder, cap_mw);
    for (uint32_t i = 0; i < DEVICES; i++)
        /* one did not take it */
        holder_written(&holder, i, i == 1 ? 1500000 : 1000000, NS_PER_S + 3 * MS);
    struct report report = report_at(&holder, NS_PER_S + 4 * MS);
    assert_int_equal(report.cap_mw, 4500000);
    assert_int_equal(report.held_ns, 0);
    lease_now(&holder, 3, 8000000, NS_PER_S + 5 * MS);
    assert_int_equal(report_at(&holder, NS_PER_S + 6 * MS).cap_mw, 8000000);
}

/* Three stand at 1.5 kW, one still has the raise before in flight: nothing is raised until it has come
 * down. */
static void devices_are_cut_and_read_back_before_any_is_raised(void **state)
{
    (void)state;
    struct holder holder;
    int64_t cap_mw[DEVICES];
    start(&holder);
    lease_now(&holder, 2, 8000000, NS_PER_S + MS);
    assert_int_equal(due_writes(&holder, cap_mw), DEVICES);
    for (uint32_t i = 1; i < DEVICES; i++)
        holder_written(&holder, i, 500000, NS_PER_S + 2 * MS);      /* somebody else holds them at 500 W */
    /* 1.6 kW each: 0 must come down, the others go up */
    lease_now(&holder, 3, 6400000, NS_PER_S + 3 * MS);
    assert_int_equal(due_writes(&holder, cap_mw), 0);
    holder_written(&holder, 0, 2000000, NS_PER_S + 4 * MS);
    assert_int_equal(due_writes(&holder, cap_mw), 1);
    assert_int_equal(cap_mw[0], 1600000);
    holder_written(&holder, 0, 1600001, NS_PER_S + 5 * MS); /* not read back at its part: still not */
    assert_int_equal(due_writes(&holder, cap_mw), 1);
    assert_int_equal(cap_mw[0], 1600000);
    holder_written(&holder, 0, 1600000, NS_PER_S + 6 * MS);
    assert_int_equal(due_writes(&holder, cap_mw), DEVICES - 1);
    assert_int_equal(cap_mw[3], 1600000);
}

/* A device that was never read back may stand anywhere: those beside it are cut, and raised only after it. */
static void nothing_is_raised_beside_a_device_that_was_never_read_back(void **state)
{
    (void)state;
    struct holder holder;
    int64_t cap_mw[DEVICES];
    holder_init(&holder, &config, 0xB0B, 5, 0);
    for (uint32_t i = 1; i < DEVICES; i++)
        holder_seen(&holder, i, 100000, MS);
    assert_int_equal(due_writes(&holder, cap_mw), 1);
    assert_int_equal(cap_mw[0], FAIL_SAFE_MW / DEVICES);
    holder_written(&holder, 0, FAIL_SAFE_MW / DEVICES, 2 * MS);
    assert_int_equal(due_writes(&holder, cap_mw), DEVICES - 1);
    assert_int_equal(cap_mw[3], FAIL_SAFE_MW / DEVICES);
}

static void expiry_is_looked_at_after_every_write_of_every_device(void **state)
{
    (void)state;
    struct holder holder;
    int64_t cap_mw[DEVICES];
    start(&holder);
    lease_now(&holder, 2, 8000000, NS_PER_S + 100 * MS);
    assert_int_equal(due_writes(&holder, cap_mw), DEVICES);
    holder_written(&holder, 0, 2000000, NS_PER_S + 200 * MS);
    holder_written(&holder, 1, 2000000, 2 * NS_PER_S + 100 * MS);    /* the deadline */
    assert_int_equal(due_writes(&holder, cap_mw), 2);
    assert_int_equal(cap_mw[0], FAIL_SAFE_MW / DEVICES);
    assert_int_equal(cap_mw[1], FAIL_SAFE_MW / DEVICES);
    holder_written(&holder, 2, 2000000, 2 * NS_PER_S + 110 * MS);
    assert_int_equal(due_writes(&holder, cap_mw), 1);
    assert_int_equal(report_at(&holder, 2 * NS_PER_S + 111 * MS).state, HOST_LEASED);
    assert_int_equal(report_at(&holder, 2 * NS_PER_S + 112 * MS).held_ns, 0);
}

static void a_lost_device_is_told_and_starts_the_host_anew(void **state)
{
    (void)state;
    struct holder holder;
    int64_t cap_mw[DEVICES];
    start(&holder);
    struct lease late = lease_of(&holder, 2, 7000000, NS_PER_S + MS);
    holder_device(&holder, 1, true, NS_PER_S + 20 * MS);
    assert_true(holder_report_due(&holder, NS_PER_S + 20 * MS));
    holder_restart(&holder, 0xCAFE, NS_PER_S + 20 * MS);
    assert_int_equal(holder_lease(&holder, &late, NS_PER_S + 21 * MS), HOLDER_FOREIGN_INCARNATION);
    assert_int_equal(due_writes(&holder, cap_mw), DEVICES - 1);
    assert_int_equal(cap_mw[1], -1);
    assert_int_equal(cap_mw[0], FAIL_SAFE_MW / DEVICES);
    for (uint32_t i = 0; i < DEVICES; i++)
        if (i != 1)
            holder_written(&holder, i, cap_mw[i], NS_PER_S + 30 * MS);
    struct report report = report_at(&holder, NS_PER_S + 31 * MS);
    assert_int_equal(report.incarnation, 0xCAFE);
    assert_true(report.flags & REPORT_DEVICE_LOST);
    /* nothing is known of it: it may be at its most */
    assert_int_equal(report.cap_mw, 3 * FAIL_SAFE_MW / DEVICES + CAP_MAX_MW / DEVICES);
    holder_device(&holder, 1, false, NS_PER_S + 40 * MS);
    holder_restart(&holder, 0xBEEF, NS_PER_S + 40 * MS);
    assert_int_equal(due_writes(&holder, cap_mw), DEVICES);
    assert_int_equal(report_at(&holder, NS_PER_S + 41 * MS).flags & REPORT_DEVICE_LOST, 0);
    assert_int_equal(report_at(&holder, NS_PER_S + 42 * MS).state, HOST_BOOT);
}

static void a_write_in_flight_outlives_the_incarnation_that_issued_it(void **state)
{
    (void)state;
    struct holder holder;
    int64_t cap_mw[DEVICES];
    start(&holder);
    lease_now(&holder, 2, 8000000, NS_PER_S + MS);
    assert_int_equal(due_writes(&holder, cap_mw), DEVICES);
    holder_restart(&holder, 0xCAFE, NS_PER_S + 2 * MS);
    assert_int_equal(due_writes(&holder, cap_mw), 0);
    for (uint32_t i = 0; i < DEVICES; i++)
        holder_written(&holder, i, 2000000, NS_PER_S + 9 * MS);
    assert_int_equal(report_at(&holder, NS_PER_S + 10 * MS).cap_mw, 8000000);
    assert_int_equal(due_writes(&holder, cap_mw), DEVICES);
    assert_int_equal(cap_mw[0], FAIL_SAFE_MW / DEVICES);
}

static void a_limit_that_somebody_else_lifts_is_no_longer_held_and_is_written_again(void **state)
{
    (void)state;
    struct holder holder;
    int64_t cap_mw[DEVICES];
    start(&holder);
    holder_seen(&holder, 2, 1400000, NS_PER_S + 50 * MS);
    struct report report = report_at(&holder, NS_PER_S + 51 * MS);
    assert_true(report.flags & REPORT_FOREIGN_LIMIT);
    assert_int_equal(report.held_ns, 51 * MS);
    holder_seen(&holder, 2, 3000000, NS_PER_S + 60 * MS);
    report = report_at(&holder, NS_PER_S + 61 * MS);
    assert_int_equal(report.held_ns, 0);
    assert_int_equal(report.cap_mw, 7500000);
    assert_int_equal(due_writes(&holder, cap_mw), 1);
    assert_int_equal(cap_mw[2], 1500000);
    holder_written(&holder, 2, 1500000, NS_PER_S + 70 * MS);
    assert_int_equal(report_at(&holder, NS_PER_S + 75 * MS).held_ns, 5 * MS);
}

static void a_newer_epoch_is_obeyed_only_once_it_is_durable(void **state)
{
    (void)state;
    struct holder holder;
    start(&holder);
    struct lease lease = lease_of(&holder, 1, 3000000, NS_PER_S + MS);
    lease.epoch = 9;
    assert_int_equal(holder_lease(&holder, &lease, NS_PER_S + 2 * MS), HOLDER_UNSAVED_EPOCH);
    assert_int_equal(holder.epoch_asked, 9);
    assert_int_equal(report_at(&holder, NS_PER_S + 3 * MS).epoch, 5);
    lease_now(&holder, 2, 5000000, NS_PER_S + 4 * MS);      /* until then the old one is obeyed */
    holder_epoch_saved(&holder, 8, NS_PER_S + 5 * MS);
    assert_int_equal(holder_lease(&holder, &lease, NS_PER_S + 6 * MS), HOLDER_UNSAVED_EPOCH);
    holder_epoch_saved(&holder, 9, NS_PER_S + 7 * MS);
    assert_true(holder_report_due(&holder, NS_PER_S + 17 * MS));
    assert_int_equal(holder_lease(&holder, &lease, NS_PER_S + 8 * MS), HOLDER_ACCEPTED);
    assert_int_equal(report_at(&holder, NS_PER_S + 9 * MS).epoch, 9);
    struct lease old = lease_of(&holder, 3, 1000000, NS_PER_S + 10 * MS);
    assert_int_equal(holder_lease(&holder, &old, NS_PER_S + 10 * MS), HOLDER_OLD_EPOCH);
}

static void what_is_not_for_us_asks_for_no_epoch(void **state)
{
    (void)state;
    struct holder holder;
    start(&holder);
    struct lease lease = lease_of(&holder, 1, 3000000, NS_PER_S + MS);
    lease.epoch = 9;
    lease.incarnation++;
    assert_int_equal(holder_lease(&holder, &lease, NS_PER_S + 2 * MS), HOLDER_FOREIGN_INCARNATION);
    lease.incarnation--;
    lease.echo += 5;
    assert_int_equal(holder_lease(&holder, &lease, NS_PER_S + 2 * MS), HOLDER_UNKNOWN_ECHO);
    assert_int_equal(holder.epoch_asked, 5);
}

static void a_durable_epoch_outlives_the_agent(void **state)
{
    (void)state;
    struct holder holder;
    holder_init(&holder, &config, 0xB0B, 9, 0);
    settle(&holder, MS);
    struct lease old = lease_of(&holder, 99, 1000000, 2 * MS);
    assert_int_equal(holder_lease(&holder, &old, 3 * MS), HOLDER_OLD_EPOCH);
}

static bool has_passed(const struct holder *holder, int64_t now_ns)
{
    return holder_deadline_ns(holder) != 0 && holder_deadline_ns(holder) <= now_ns;
}

static void a_machine_that_slept_has_no_lease_and_no_incarnation(void **state)
{
    (void)state;
    struct holder holder;
    int64_t cap_mw[DEVICES];
    start(&holder);
    const int64_t t_ns = NS_PER_S + 10 * MS, offset_ns = 3000 * NS_PER_S;
    assert_false(holder_clock(&holder, t_ns, t_ns + offset_ns + 7, t_ns + 40));
    /* a slow look proves nothing, a look that cannot be is proof */
    assert_false(holder_clock(&holder, t_ns, t_ns + offset_ns + 90 * MS, t_ns + 100 * MS));
    assert_false(holder_clock(&holder, t_ns + 100, t_ns + offset_ns + 110, t_ns + 120));
    assert_int_not_equal(holder.incarnation, 0);
    assert_true(holder_deadline_ns(&holder) > t_ns);
    struct lease lease = lease_of(&holder, 2, 5000000, t_ns + 150);
    assert_true(holder_clock(&holder, t_ns + 200, t_ns + offset_ns + 260, t_ns + 210));
    assert_int_equal(holder.incarnation, 0);
    assert_true(has_passed(&holder, t_ns + 210));
    lease.incarnation = 0;
    assert_int_equal(holder_lease(&holder, &lease, t_ns + 300), HOLDER_FOREIGN_INCARNATION);
    assert_false(holder_report_due(&holder, t_ns + NS_PER_S));
    assert_int_equal(due_writes(&holder, cap_mw), DEVICES);
    assert_int_equal(cap_mw[0], FAIL_SAFE_MW / DEVICES);
    for (uint32_t i = 0; i < DEVICES; i++)
        holder_written(&holder, i, cap_mw[i], t_ns + MS);
    holder_restart(&holder, 0xF00D, t_ns + 2 * MS);
    assert_false(holder_clock(&holder, t_ns + 2 * MS, t_ns + 2 * MS + offset_ns + 60, t_ns + 2 * MS + 100));
    settle(&holder, t_ns + 3 * MS);
    assert_int_equal(report_at(&holder, t_ns + 4 * MS).state, HOST_FAIL_SAFE);
}

static void the_watchdogs_word_is_the_deadline_of_the_lease(void **state)
{
    (void)state;
    struct holder holder;
    holder_init(&holder, &config, 0xB0B, 5, 0);
    settle(&holder, MS);
    assert_int_equal(holder_deadline_ns(&holder), 0);
    lease_now(&holder, 1, 6000000, NS_PER_S);
    assert_int_equal(holder_deadline_ns(&holder), 2 * NS_PER_S);
}

/* The agent may die at any moment: what it leaves in the word is all that the watchdog has. */
static void the_watchdogs_word_has_passed_until_fail_safe_is_read_back(void **state)
{
    (void)state;
    int64_t cap_mw[DEVICES];
    struct holder holder;
    holder_init(&holder, &config, 0xB0B, 5, 0);
    assert_true(has_passed(&holder, MS));
    settle(&holder, MS);
    lease_now(&holder, 1, 6000000, NS_PER_S);
    settle(&holder, NS_PER_S + MS);
    holder_time(&holder, 2 * NS_PER_S);
    assert_true(has_passed(&holder, 2 * NS_PER_S));
    assert_int_equal(due_writes(&holder, cap_mw), DEVICES);
    for (uint32_t i = 0; i < DEVICES; i++) {
        assert_true(has_passed(&holder, 2 * NS_PER_S + MS));
        holder_written(&holder, i, cap_mw[i], 2 * NS_PER_S + MS);
    }
    assert_int_equal(holder_deadline_ns(&holder), 0);
    holder_seen(&holder, 1, cap_mw[1] + 1, 2 * NS_PER_S + 2 * MS);
    assert_true(has_passed(&holder, 2 * NS_PER_S + 2 * MS));
    holder_restart(&holder, 0xF00D, 2 * NS_PER_S + 3 * MS);
    assert_true(has_passed(&holder, 2 * NS_PER_S + 3 * MS));
}

static void one_device_is_the_whole_host(void **state)
{
    (void)state;
    struct holder_config single = config;
    struct holder holder;
    uint32_t device = 9;
    int64_t cap_mw;
    single.devices = 0;
    holder_init(&holder, &single, 0xB0B, 5, 0);
    assert_int_equal(report_at(&holder, 1).cap_mw, CAP_MAX_MW);
    assert_true(holder_next_write(&holder, &device, &cap_mw));
    assert_int_equal(device, 0);
    assert_int_equal(cap_mw, FAIL_SAFE_MW);
    assert_false(holder_next_write(&holder, &device, &cap_mw));
}

/* After a sleep clocks are held to what they were then: the same again is no second sleep, a step back is. */
static void after_a_sleep_the_clocks_are_narrowed_down_anew(void **state)
{
    (void)state;
    struct holder holder;
    start(&holder);
    const int64_t t_ns = NS_PER_S + 10 * MS;
    assert_false(holder_clock(&holder, t_ns, t_ns + 50, t_ns + 100));
    assert_true(holder_clock(&holder, t_ns + 200, t_ns + MS, t_ns + 300));
    holder_restart(&holder, 0xF00D, t_ns + MS);
    assert_false(holder_clock(&holder, t_ns + 400, t_ns + 200 + MS, t_ns + 500));
    assert_int_equal(holder.incarnation, 0xF00D);
    assert_true(holder_clock(&holder, t_ns + 600, t_ns + 400 + 2 * MS, t_ns + 700));
    holder_restart(&holder, 0xF00E, t_ns + MS);
    assert_true(holder_clock(&holder, t_ns + 800, t_ns + 600 + MS, t_ns + 900));
}

/* A device that is read back at nothing holds a part of nothing. */
static void a_read_back_of_nothing_is_one(void **state)
{
    (void)state;
    struct holder holder;
    int64_t cap_mw[DEVICES];
    start(&holder);
    struct lease lease = lease_of(&holder, 2, 0, NS_PER_S + 20 * MS);
    assert_int_equal(holder_lease(&holder, &lease, NS_PER_S + 21 * MS), HOLDER_ACCEPTED);
    while (due_writes(&holder, cap_mw))
        for (uint32_t i = 0; i < DEVICES; i++)
            if (holder.device[i].writing_mw >= 0)
                holder_written(&holder, i, 0, NS_PER_S + 22 * MS);
    for (uint32_t i = 0; i < DEVICES; i++)
        assert_int_equal(holder.device[i].readback_mw, 0);
    assert_int_equal(report_at(&holder, NS_PER_S + 22 * MS + NS_PER_S / 10).held_ns > 0, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cap_is_split_evenly_and_never_adds_up_to_more),
        cmocka_unit_test(each_device_has_one_write_in_flight),
        cmocka_unit_test(what_is_in_flight_or_queued_on_any_device_is_reported),
        cmocka_unit_test(devices_are_cut_and_read_back_before_any_is_raised),
        cmocka_unit_test(nothing_is_raised_beside_a_device_that_was_never_read_back),
        cmocka_unit_test(expiry_is_looked_at_after_every_write_of_every_device),
        cmocka_unit_test(a_lost_device_is_told_and_starts_the_host_anew),
        cmocka_unit_test(a_write_in_flight_outlives_the_incarnation_that_issued_it),
        cmocka_unit_test(a_limit_that_somebody_else_lifts_is_no_longer_held_and_is_written_again),
        cmocka_unit_test(a_newer_epoch_is_obeyed_only_once_it_is_durable),
        cmocka_unit_test(what_is_not_for_us_asks_for_no_epoch),
        cmocka_unit_test(a_durable_epoch_outlives_the_agent),
        cmocka_unit_test(a_machine_that_slept_has_no_lease_and_no_incarnation),
        cmocka_unit_test(the_watchdogs_word_is_the_deadline_of_the_lease),
        cmocka_unit_test(the_watchdogs_word_has_passed_until_fail_safe_is_read_back),
        cmocka_unit_test(one_device_is_the_whole_host),
        cmocka_unit_test(after_a_sleep_the_clocks_are_narrowed_down_anew),
        cmocka_unit_test(a_read_back_of_nothing_is_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
