/* SPDX-License-Identifier: Apache-2.0 */
/* The holder at its edges: caps of nought, what a start forgets, a bound that is not whole, two looks at a
 * clock that just meet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/holder.h"

/* 10 kW and 1 mW is no multiple of four */
enum { DEVICES = 4, FAIL_SAFE_MW = 2000000, CAP_MAX_MW = 10000001, PART_MAX_MW = 2500001 };
#define MS NS_PER_MS
#define A_NS (120 * MS)

static const struct holder_config config = {
    .host = 3,
    .devices = DEVICES,
    .fail_safe_mw = FAIL_SAFE_MW,
    .phys_max_mw = 12000000,
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

static void settle(struct holder *holder, int64_t now_ns)
{
    uint32_t device;
    int64_t mw;
    for (int i = 0; i < 64 && holder_next_write(holder, &device, &mw); i++)
        holder_written(holder, device, mw, now_ns);
}

static int lease_now(struct holder *holder, uint64_t sequence, int64_t cap_mw, int64_t now_ns)
{
    struct lease lease = {.host = 3,
                          .incarnation = holder->incarnation,
                          .epoch = 5,
                          .sequence = sequence,
                          .cap_mw = cap_mw,
                          .echo = report_at(holder, now_ns).number,
                          .duration_ns = NS_PER_S};
    return holder_lease(holder, &lease, now_ns);
}

/* Holds 6 kW, 1.5 kW each, since 1 s. */
static void start(struct holder *holder)
{
    holder_init(holder, &config, 0xB0B, 5, 0);
    settle(holder, 10 * MS);
    assert_int_equal(lease_now(holder, 1, 6000000, NS_PER_S), HOLDER_ACCEPTED);
    settle(holder, NS_PER_S);
}

static void a_start_knows_nothing(void **state)
{
    (void)state;
    struct holder holder;
    holder_init(&holder, &config, 0xB0B, 5, NS_PER_S);
    for (uint32_t i = 0; i < HOST_DEVICES_MAX; i++) {
        assert_int_equal(holder.device[i].writing_mw, -1);
        assert_int_equal(holder.device[i].written_mw, -1);
        assert_int_equal(holder.device[i].readback_mw, -1);
    }
    assert_int_equal(holder.held_since_ns, NS_PER_S);
    assert_true(holder_report_due(&holder, NS_PER_S));
    struct report report = report_at(&holder, NS_PER_S);
    assert_int_equal(report.state, HOST_BOOT);
    assert_int_equal(report.cap_mw, CAP_MAX_MW);
    assert_int_equal(report.readback_mw, 0);
    assert_int_equal(report.held_ns, 0);
}

static void a_restart_forgets_the_lease_and_asks_for_no_receipt(void **state)
{
    (void)state;
    struct holder holder;
    start(&holder);
    assert_true(holder.receipt_due_ns < INT64_MAX);
    holder_restart(&holder, 0xCAFE, NS_PER_S + 20 * MS);
    assert_int_equal(holder.deadline_ns, INT64_MIN);
    assert_int_equal(holder.receipt_due_ns, INT64_MAX);
    assert_int_equal(holder.held_since_ns, NS_PER_S + 20 * MS);
    assert_int_equal(holder.device[2].written_mw, -1);
    assert_int_equal(holder.device[2].readback_mw, -1);
    assert_true(holder_report_due(&holder, NS_PER_S + 20 * MS));
    struct report report = report_at(&holder, NS_PER_S + 20 * MS);
    assert_int_equal(report.number, 1);
    assert_int_equal(report.applied, 0);
}

static void a_device_that_goes_or_comes_is_known_of_no_more(void **state)
{
    (void)state;
    struct holder holder;
    start(&holder);
    assert_int_equal(lease_now(&holder, 2, 8000000, NS_PER_S + MS), HOLDER_ACCEPTED);
    uint32_t device;
    int64_t mw;
    while (holder_next_write(&holder, &device, &mw))
        assert_int_equal(mw, 2000000);
    holder_device(&holder, 1, true, NS_PER_S + 2 * MS);
    assert_int_equal(holder.device[1].readback_mw, -1);
    assert_int_equal(holder.device[1].writing_mw, -1);
    assert_int_equal(report_at(&holder, NS_PER_S + 3 * MS).cap_mw, 6000000 + PART_MAX_MW);
    /* one that is said to be there still has its write in flight, but what it stood at is forgotten */
    holder_device(&holder, 0, false, NS_PER_S + 4 * MS);
    assert_int_equal(holder.device[0].readback_mw, -1);
    assert_int_equal(holder.device[0].writing_mw, 2000000);
    assert_int_equal(report_at(&holder, NS_PER_S + 5 * MS).cap_mw, 4000000 + 2 * PART_MAX_MW);
    assert_int_equal(report_at(&holder, NS_PER_S + 5 * MS).readback_mw, 3000000);
}

static void one_device_of_four_that_was_never_read_back_counts_at_its_most(void **state)
{
    (void)state;
    struct holder holder;
    holder_init(&holder, &config, 0xB0B, 5, 0);
    for (uint32_t i = 1; i < DEVICES; i++)
        holder_seen(&holder, i, 100000, MS);
    struct report report = report_at(&holder, 2 * MS);
    assert_int_equal(report.cap_mw, 3 * FAIL_SAFE_MW / DEVICES + PART_MAX_MW);
    assert_int_equal(report.readback_mw, 300000);
}

static void a_cap_of_nought_is_a_cap(void **state)
{
    (void)state;
    struct holder holder;
    uint32_t device;
    int64_t mw;
    start(&holder);
    assert_int_equal(lease_now(&holder, 2, -5, NS_PER_S + MS), HOLDER_ACCEPTED);
    assert_int_equal(holder.wanted_mw, 0);
    settle(&holder, NS_PER_S + 2 * MS);
    struct report report = report_at(&holder, NS_PER_S + 7 * MS);
    assert_int_equal(report.state, HOST_LEASED);
    assert_int_equal(report.held_ns, 5 * MS);
    assert_int_equal(report.cap_mw, 0);
    assert_int_equal(report.readback_mw, 0);
    /* what stands at nought is above nothing: all four are raised at once */
    assert_int_equal(lease_now(&holder, 3, 4000000, NS_PER_S + 8 * MS), HOLDER_ACCEPTED);
    for (uint32_t i = 0; i < DEVICES; i++)
        assert_true(holder_next_write(&holder, &device, &mw));
    assert_int_equal(report_at(&holder, NS_PER_S + 9 * MS).cap_mw, 4000000);
    assert_int_equal(report_at(&holder, NS_PER_S + 9 * MS).state, HOST_LEASED);
}

/* Somebody holds one device at nought: it is above nothing, and the others need not wait for it. */
static void a_device_at_nought_keeps_nobody_from_being_raised(void **state)
{
    (void)state;
    struct holder holder;
    uint32_t device;
    int64_t mw;
    start(&holder);
    holder_seen(&holder, 2, 0, NS_PER_S + MS);
    assert_int_equal(lease_now(&holder, 2, 8000000, NS_PER_S + 2 * MS), HOLDER_ACCEPTED);
    for (uint32_t i = 0; i < DEVICES; i++) {
        assert_true(holder_next_write(&holder, &device, &mw));
        assert_int_equal(mw, 2000000);
    }
}

/* Somebody lifts a device that holds nought, it is written again, and read back while that write runs. */
static void a_write_of_nought_in_flight_is_a_write_in_flight(void **state)
{
    (void)state;
    struct holder holder;
    uint32_t device;
    int64_t mw;
    start(&holder);
    assert_int_equal(lease_now(&holder, 2, 0, NS_PER_S + MS), HOLDER_ACCEPTED);
    settle(&holder, NS_PER_S + 2 * MS);
    holder_seen(&holder, 2, 5000, NS_PER_S + 3 * MS);
    assert_true(holder_next_write(&holder, &device, &mw));
    assert_int_equal(device, 2);
    assert_int_equal(mw, 0);
    assert_false(holder_next_write(&holder, &device, &mw));
    holder_seen(&holder, 2, 0, NS_PER_S + 4 * MS);
    assert_int_equal(report_at(&holder, NS_PER_S + 5 * MS).held_ns, 0);
    holder_written(&holder, 2, 0, NS_PER_S + 6 * MS);
    assert_int_equal(report_at(&holder, NS_PER_S + 8 * MS).held_ns, 2 * MS);
    assert_int_equal(holder.device[2].writing_mw, -1);
}

static void a_boot_where_all_read_back_nought_is_known(void **state)
{
    (void)state;
    struct holder holder;
    holder_init(&holder, &config, 0xB0B, 5, 0);
    for (uint32_t i = 0; i < DEVICES; i++)
        holder_seen(&holder, i, 0, MS);
    assert_int_equal(report_at(&holder, 2 * MS).cap_mw, FAIL_SAFE_MW);
}

static void a_lease_is_in_force_when_it_is_read_back_not_when_it_is_accepted(void **state)
{
    (void)state;
    struct holder holder;
    holder_init(&holder, &config, 0xB0B, 5, 0);
    settle(&holder, 10 * MS);
    assert_int_equal(report_at(&holder, 20 * MS).state, HOST_FAIL_SAFE);
    assert_int_equal(lease_now(&holder, 1, 6000000, 30 * MS), HOLDER_ACCEPTED);
    assert_int_equal(report_at(&holder, 31 * MS).state, HOST_FAIL_SAFE);
    settle(&holder, 40 * MS);
    assert_int_equal(report_at(&holder, 41 * MS).state, HOST_LEASED);
}

/* The last device comes to its part without a write: by whoever lifted it. */
static void a_cap_that_comes_back_by_itself_takes_hold_anew(void **state)
{
    (void)state;
    struct holder holder;
    start(&holder);
    report_at(&holder, NS_PER_S + A_NS);
    holder_seen(&holder, 2, 3000000, NS_PER_S + 300 * MS);
    holder_seen(&holder, 2, 1500000, NS_PER_S + 310 * MS);
    assert_int_equal(holder.receipt_due_ns, NS_PER_S + 310 * MS + A_NS);
    assert_int_equal(report_at(&holder, NS_PER_S + 314 * MS).held_ns, 4 * MS);
    holder_seen(&holder, 2, 1500000, NS_PER_S + 320 * MS);      /* nothing new */
    assert_int_equal(report_at(&holder, NS_PER_S + 324 * MS).held_ns, 14 * MS);
}

static void a_report_after_the_deadline_tells_of_fail_safe(void **state)
{
    (void)state;
    struct holder holder;
    start(&holder);
    assert_int_equal(holder_deadline_ns(&holder), 2 * NS_PER_S);
    assert_int_equal(report_at(&holder, 2 * NS_PER_S - 1).held_ns, NS_PER_S - 1);
    struct report report = report_at(&holder, 2 * NS_PER_S);
    assert_int_equal(report.held_ns, 0);
    assert_int_equal(report.cap_mw, 6000000);
    assert_int_equal(holder.wanted_mw, FAIL_SAFE_MW);
    assert_int_equal(holder_deadline_ns(&holder), 1);   /* passed: fail-safe is not read back */
}

/* Offsets as intervals: [0, 100], [40, 140]: it lies in [40, 100]. */
static void looks_at_two_clocks_that_meet_in_a_point_agree(void **state)
{
    (void)state;
    struct holder holder;
    start(&holder);
    const int64_t t_ns = NS_PER_S;
    assert_false(holder_clock(&holder, t_ns, t_ns + 100, t_ns + 100));
    assert_false(holder_clock(&holder, t_ns, t_ns + 140, t_ns + 100));
    assert_int_equal(holder.boottime_least_ns, 40);
    assert_int_equal(holder.boottime_most_ns, 100);
    assert_false(holder_clock(&holder, t_ns, t_ns + 200, t_ns + 100));      /* [100, 200] */
    assert_int_equal(holder.boottime_least_ns, 100);
    assert_false(holder_clock(&holder, t_ns, t_ns + 100, t_ns + 100));      /* [0, 100] */
    assert_true(holder_clock(&holder, t_ns, t_ns + 99, t_ns + 99));         /* [0, 99] */
    assert_int_equal(holder.boottime_least_ns, 0);
    assert_int_equal(holder.boottime_most_ns, 99);
    assert_int_equal(holder.deadline_ns, INT64_MIN);
    assert_int_equal(holder.wanted_mw, FAIL_SAFE_MW);
    assert_int_equal(holder.state_wanted, HOST_FAIL_SAFE);
    holder_restart(&holder, 0xCAFE, t_ns);
    assert_true(holder_clock(&holder, t_ns, t_ns + 200, t_ns + 100));       /* [100, 200] */
}

static void what_is_heard_of_no_newer_epoch_asks_for_none(void **state)
{
    (void)state;
    struct holder holder;
    start(&holder);
    struct lease lease = {.host = 3, .incarnation = 0xB0B, .epoch = 9, .sequence = 1, .cap_mw = 3000000,
                          .echo = report_at(&holder, NS_PER_S).number, .duration_ns = NS_PER_S};
    assert_int_equal(holder_lease(&holder, &lease, NS_PER_S + MS), HOLDER_UNSAVED_EPOCH);
    lease.epoch = 7;
    assert_int_equal(holder_lease(&holder, &lease, NS_PER_S + MS), HOLDER_UNSAVED_EPOCH);
    assert_int_equal(holder.epoch_asked, 9);
    assert_int_equal(holder.refused[HOLDER_UNSAVED_EPOCH], 2);
}

/* Somebody else's 1 kW is in force on the first device. The write of 500 W returns, and the device keeps its
 * 1.5 kW: what reads back is no more than 1 kW, and 1.5 kW will be in force when the other limit goes. */
static void what_a_lower_limit_hides_is_reported_and_written_again(void **state)
{
    (void)state;
    struct holder holder;
    struct report report;
    uint32_t device;
    int64_t mw, t_ns = NS_PER_S + 200 * MS;
    start(&holder);
    holder_kept(&holder, 0, 1500000);
    holder_seen(&holder, 0, 1000000, t_ns);
    report = report_at(&holder, t_ns);
    assert_true(report.flags & REPORT_FOREIGN_LIMIT);
    assert_int_equal(report.cap_mw, 6000000);
    assert_int_equal(report.readback_mw, 5500000);
    assert_true(report.held_ns > 0);

    assert_int_equal(lease_now(&holder, 2, 4000000, t_ns), HOLDER_ACCEPTED);
    for (uint32_t i = 0; i < DEVICES; i++) {
        assert_true(holder_next_write(&holder, &device, &mw));
        assert_int_equal(device, i);
        assert_int_equal(mw, 1000000);
    }
    for (uint32_t i = 0; i < DEVICES; i++) {
        holder_kept(&holder, i, i ? 1000000 : 1500000);
        holder_written(&holder, i, 1000000, t_ns);
    }
    report = report_at(&holder, t_ns + A_NS);
    assert_int_equal(report.held_ns, 0);
    assert_int_equal(report.cap_mw, 4500000);
    assert_int_equal(report.readback_mw, 4000000);
    assert_true(holder_next_write(&holder, &device, &mw));
    assert_int_equal(device, 0);

    holder_kept(&holder, 0, 1000000);
    holder_written(&holder, 0, 1000000, t_ns + A_NS);
    report = report_at(&holder, t_ns + 2 * A_NS);
    assert_int_equal(report.held_ns, A_NS);
    assert_int_equal(report.cap_mw, 4000000);
    holder_restart(&holder, 0xCAFE, t_ns + 2 * A_NS);
    assert_int_equal(holder.device[0].kept_mw, -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_start_knows_nothing),
        cmocka_unit_test(a_restart_forgets_the_lease_and_asks_for_no_receipt),
        cmocka_unit_test(a_device_that_goes_or_comes_is_known_of_no_more),
        cmocka_unit_test(one_device_of_four_that_was_never_read_back_counts_at_its_most),
        cmocka_unit_test(a_cap_of_nought_is_a_cap),
        cmocka_unit_test(a_device_at_nought_keeps_nobody_from_being_raised),
        cmocka_unit_test(a_write_of_nought_in_flight_is_a_write_in_flight),
        cmocka_unit_test(a_boot_where_all_read_back_nought_is_known),
        cmocka_unit_test(a_lease_is_in_force_when_it_is_read_back_not_when_it_is_accepted),
        cmocka_unit_test(a_cap_that_comes_back_by_itself_takes_hold_anew),
        cmocka_unit_test(a_report_after_the_deadline_tells_of_fail_safe),
        cmocka_unit_test(looks_at_two_clocks_that_meet_in_a_point_agree),
        cmocka_unit_test(what_is_heard_of_no_newer_epoch_asks_for_none),
        cmocka_unit_test(what_a_lower_limit_hides_is_reported_and_written_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
