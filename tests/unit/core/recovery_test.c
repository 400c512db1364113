/* SPDX-License-Identifier: Apache-2.0 */
/* D above what is admissible happens only in recovery, entered by an event that is counted: safety.md
 * section 5, I1a and I1c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/core.h"
#include "stand.h"

static bool recovering(const struct stand *stand, uint32_t node)
{
    struct core_node_view view;
    core_node_view(stand->core, node, &view);
    return view.recovery;
}

/* Both hosts of branch A hold 7 kW, a full branch. */
static void start_full(struct stand *stand)
{
    stand_site(stand);
    stand_start(stand);
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        stand_admit(stand, h);
    for (uint32_t h = 0; h < 2; h++) {
        stand->host[h].draw_mw = CAP_MAX_MW;
        stand->host[h].flags = REPORT_AT_CAP;
    }
    stand_run(stand, 3 * NS_PER_S);
}

static void restart_agent(struct stand *stand, uint32_t host)
{
    stand->host[host].incarnation += 0x10000;
    stand->host[host].number = 0;
    struct report report = stand_report_of(stand, host, HOST_BOOT, 0);
    stand_report(stand, &report);
}

static void a_start_is_a_recovery_that_ends_when_the_hosts_are_known(void **state)
{
    (void)state;
    struct stand stand;
    stand_site(&stand);
    stand_start(&stand);
    assert_true(recovering(&stand, BRANCH_A));
    stand_admit(&stand, 0);
    stand_admit(&stand, 1);
    assert_false(recovering(&stand, BRANCH_A));
    assert_true(recovering(&stand, BRANCH_B));
    stand_stop(&stand);
}

static void the_reset_of_a_host_is_counted_and_others_make_no_gain_from_it(void **state)
{
    (void)state;
    struct stand stand;
    start_full(&stand);
    uint64_t recoveries = stand_counters(&stand)->recoveries;
    int64_t neighbour_mw = stand.host[1].last.cap_mw;
    stand.host[0].mute = true;
    restart_agent(&stand, 0);
    assert_true(recovering(&stand, BRANCH_A));
    assert_int_equal(stand_counters(&stand)->recoveries, recoveries + 1);
    for (int i = 0; i < 100; i++) {
        stand_run(&stand, 20 * NS_PER_MS);
        struct core_node_view view;
        core_node_view(stand.core, BRANCH_A, &view);
        assert_true(view.exposure_mva[0] <= PHYS_MAX_MW + neighbour_mw);     /* D never rises in it */
        assert_true(stand.host[1].last.cap_mw <= neighbour_mw);
    }
    assert_int_equal(stand_counters(&stand)->invariant_failures, 0);
    stand_obey(&stand, 0);
    stand.host[0].mute = false;
    stand_run(&stand, 100 * NS_PER_MS);
    assert_false(recovering(&stand, BRANCH_A));
    stand_stop(&stand);
}

/* ---- whatever raises D or S makes others give way in its slot, before any tick ---- */

static struct report restarted(struct stand *stand)
{
    stand->host[0].incarnation += 0x10000;
    stand->host[0].number = 0;
    return stand_report_of(stand, 0, HOST_BOOT, 0);
}

static struct report foreign(struct stand *stand)
{
    struct report report = stand_report_of(stand, 0, HOST_LEASED, A_NS);
    report.readback_mw = report.cap_mw = stand->host[0].last.cap_mw + 1000000;
    return report;
}

static struct report device_lost(struct stand *stand)
{
    struct report report = stand_report_of(stand, 0, HOST_LEASED, A_NS);
    report.flags |= REPORT_DEVICE_LOST;
    return report;
}

static struct report elsewhere(struct stand *stand)
{
    struct report report = stand_report_of(stand, 0, HOST_LEASED, A_NS);
    report.epoch = stand->epoch + 1;
    return report;
}

static struct report higher_fail_safe(struct stand *stand)
{
    struct report report = stand_report_of(stand, 0, HOST_LEASED, A_NS);
    report.fail_safe_mw = 9500000;
    return report;
}

static void others_make_room_in_the_slot_of_every_event(void **state)
{
    static struct report (*const event[])(struct stand *stand) = {restarted, foreign, device_lost, elsewhere,
                                                                   higher_fail_safe};
    (void)state;
    for (size_t i = 0; i < sizeof event / sizeof *event; i++) {
        struct stand stand;
        start_full(&stand);
        uint64_t cuts = stand_counters(&stand)->limit_cuts;
        int64_t neighbour_mw = stand.host[1].last.cap_mw, beside_mw = stand.host[2].last.cap_mw;
        struct report report = event[i](&stand);
        stand_report(&stand, &report);
        assert_true(stand_counters(&stand)->limit_cuts > cuts);
        assert_true(neighbour_mw > 4500000);
        assert_true(stand.host[1].last.cap_mw <= 4500000);
        assert_int_equal(stand.host[2].last.cap_mw, beside_mw);
        assert_true(recovering(&stand, BRANCH_A));
        assert_int_equal(stand_counters(&stand)->invariant_failures, 0);
        stand_stop(&stand);
    }
}

/* A host that has just joined and is claimed tells a higher physical maximum than the site file has; and one
 * that joins as an incarnation nobody knew. */
static void others_make_room_for_what_a_host_tells_when_it_joins(void **state)
{
    (void)state;
    struct stand stand;
    stand_site(&stand);
    stand.type.phys_max_mw = 6000000;
    stand.type.cap_max_mw = 6000000;
    stand_start(&stand);
    stand_admit(&stand, 1);
    stand.host[1].draw_mw = 6000000;
    stand.host[1].flags = REPORT_AT_CAP;
    stand_run(&stand, 2 * NS_PER_S);
    assert_int_equal(stand.host[1].last.cap_mw, 6000000);
    struct report report = stand_report_of(&stand, 0, HOST_BOOT, 0);
    report.phys_max_mw = 10000000;
    stand_report(&stand, &report);
    assert_in_range(stand.host[1].last.cap_mw, 3900000, 4000000);
    report = stand_report_of(&stand, 0, HOST_BOOT, 0);      /* claimed by now, and not bounded */
    report.phys_max_mw = 11500000;
    stand_report(&stand, &report);
    assert_in_range(stand.host[1].last.cap_mw, 2400000, 2500000);
    stand_stop(&stand);
}

/* ---- and how long one lasts: X is 1.12 s here, a receipt may take A and D / 2 more ---- */

#define WITHIN_NS (1122 * NS_PER_MS + A_NS + NS_PER_S / 2)

static void view_of(const struct stand *stand, uint32_t node, struct core_node_view *view)
{
    core_node_view(stand->core, node, view);
}

/* The limit of branch A falls to `ppm` of what it was. */
static void lower_limit(struct stand *stand, int64_t ppm)
{
    struct slot slot = {.kind = SLOT_REFUSED};
    ledger_scale_limit(&stand->core->ledger, BRANCH_A, ppm);
    stand_step(stand, &slot);
}

static void a_recovery_whose_hosts_obey_is_over_within_x(void **state)
{
    (void)state;
    struct stand stand;
    struct core_node_view view;
    start_full(&stand);
    lower_limit(&stand, 700000);
    assert_true(recovering(&stand, BRANCH_A));
    stand_run(&stand, 300 * NS_PER_MS);
    assert_false(recovering(&stand, BRANCH_A));
    view_of(&stand, BRANCH_A, &view);
    assert_int_equal(view.recovery_since_ns, 0);
    assert_int_equal(stand_counters(&stand)->recovery_overdue, 0);
    stand_stop(&stand);
}

/* One host silent, the other says that it still enforces what it had: both are named, once their time is
 * over. */
static void a_recovery_that_lasts_is_held_by_hosts_that_are_named(void **state)
{
    (void)state;
    struct stand stand;
    struct core_node_view view;
    start_full(&stand);
    const struct egress had = stand.host[1].last;
    stand.host[0].mute = stand.host[1].mute = true;
    lower_limit(&stand, 700000);
    int64_t event_ns = stand.t_ns;
    for (stand_run(&stand, 40 * NS_PER_MS); stand.t_ns < event_ns + 3 * NS_PER_S;) {
        struct report report = stand_report_of(&stand, 1, HOST_LEASED, A_NS);
        report.applied = had.sequence;
        report.cap_mw = report.readback_mw = had.cap_mw;
        stand_report(&stand, &report);
        stand_run(&stand, 100 * NS_PER_MS);
        view_of(&stand, BRANCH_A, &view);
        assert_true(view.recovery);
        assert_in_range(view.recovery_since_ns, event_ns, event_ns + 40 * NS_PER_MS);
        bool over = stand.t_ns - event_ns > WITHIN_NS + 40 * NS_PER_MS;
        if (stand.t_ns - event_ns < WITHIN_NS)
            assert_true(view.recovery_silent == 0 && view.recovery_bad == 0);
        else if (over)
            assert_true(view.recovery_silent == 1 && view.recovery_bad == 1);
        assert_false(view.recovery_overdue);
    }
    assert_int_equal(stand_counters(&stand)->recovery_overdue, 0);
    stand.host[0].mute = stand.host[1].mute = false;
    stand_run(&stand, 300 * NS_PER_MS);
    view_of(&stand, BRANCH_A, &view);
    assert_true(!view.recovery && !view.recovery_silent && !view.recovery_bad);
    stand_stop(&stand);
}

/* Nothing leaves, so the cut of the slot does not: flyball's own part is missing. Told in that slot, and
 * again, once, when the recovery outlasts its time. */
static void a_recovery_without_its_cut_is_overdue(void **state)
{
    (void)state;
    struct stand stand;
    struct core_node_view view;
    start_full(&stand);
    stand.outbox.capacity = 0;
    int64_t event_ns = stand.t_ns;
    lower_limit(&stand, 700000);
    assert_int_equal(stand_counters(&stand)->invariant_failures, 1);
    while (stand.t_ns < event_ns + WITHIN_NS) {
        stand_run(&stand, 20 * NS_PER_MS);
        assert_int_equal(stand_counters(&stand)->recovery_overdue, 0);
    }
    stand_run(&stand, 100 * NS_PER_MS);
    view_of(&stand, BRANCH_A, &view);
    assert_true(view.recovery_overdue);
    assert_int_equal(view.recovery_by, RECOVERY_SAG);
    stand_run(&stand, NS_PER_S);
    assert_int_equal(stand_counters(&stand)->recovery_overdue, 1);
    lower_limit(&stand, 1000000);
    stand_run(&stand, 100 * NS_PER_MS);
    view_of(&stand, BRANCH_A, &view);
    assert_true(!view.recovery && !view.recovery_overdue);
    stand_stop(&stand);
}

/* Nobody holds it, every host stands at its newest lease, and yet D is above: sums that are wrong. */
static void a_recovery_that_nobody_holds_is_overdue(void **state)
{
    (void)state;
    struct stand stand;
    start_full(&stand);
    stand.core->ledger.node[BRANCH_A].exposed_mva[0][1] += BRANCH_MVA;
    stand.core->ledger.over_count++;
    stand_run(&stand, WITHIN_NS + 200 * NS_PER_MS);
    assert_int_equal(stand_counters(&stand)->recovery_overdue, 1);
    stand_stop(&stand);
}

/* A sag so deep that fail-safe caps do not fit either: all that can be told stand there, and it lasts as long
 * as the sag. Not overdue. */
static void below_what_fail_safe_leaves_a_recovery_lasts(void **state)
{
    (void)state;
    struct stand stand;
    start_full(&stand);
    lower_limit(&stand, 200000);
    stand_run(&stand, 3 * NS_PER_S);
    assert_true(recovering(&stand, BRANCH_A));
    assert_int_equal(stand.host[0].last.cap_mw, FAIL_SAFE_MW);
    assert_int_equal(stand_counters(&stand)->recovery_overdue, 0);
    stand_stop(&stand);
}

/* Each event has its own time. */
static void another_event_begins_the_time_anew(void **state)
{
    (void)state;
    struct stand stand;
    struct core_node_view view;
    start_full(&stand);
    stand.host[0].mute = true;
    lower_limit(&stand, 600000);
    stand_run(&stand, 3 * NS_PER_S);
    view_of(&stand, BRANCH_A, &view);
    assert_int_equal(view.recovery_silent, 1);
    restart_agent(&stand, 0);
    int64_t event_ns = stand.t_ns;
    stand_run(&stand, 60 * NS_PER_MS);
    view_of(&stand, BRANCH_A, &view);
    assert_true(view.recovery && view.recovery_since_ns >= event_ns);
    assert_true(!view.recovery_silent && !view.recovery_bad);
    stand_stop(&stand);
}

static void hold_meter_at(struct stand *stand, uint32_t meter, int64_t voltage_mv, int64_t power_mw,
                          int64_t ns)
{
    struct slot slot;
    for (int64_t end_ns = stand->t_ns + ns; stand->t_ns < end_ns; stand_wait(stand, 16 * NS_PER_MS)) {
        memset(&slot, 0, sizeof slot);
        slot.kind = SLOT_READING;
        slot.reading.meter = meter;
        slot.reading.sequence = ++stand->readings;
        slot.reading.crest_milli = 1414;
        for (uint32_t p = 0; p < PHASES; p++) {
            slot.reading.voltage_mv[p] = voltage_mv;
            slot.reading.power_mw[p] = power_mw;
            slot.reading.current_ma[p] = power_mw * 1000 / voltage_mv;
        }
        stand_step(stand, &slot);
    }
}

static void hold_at(struct stand *stand, int64_t voltage_mv, int64_t power_mw, int64_t ns)
{
    hold_meter_at(stand, BRANCH_A, voltage_mv, power_mw, ns);
}

/* Where a branch has no meter of its own, the voltage above it is the one that is known. */
static void a_sag_that_stays_lowers_the_limits_below_that_no_meter_covers(void **state)
{
    (void)state;
    struct stand stand;
    struct core_node_view a, b;
    stand_site(&stand);
    stand.node[BRANCH_A].meter = INDEX_NONE;
    stand_start(&stand);
    core_node_view(stand.core, BRANCH_A, &a);
    assert_int_equal(a.limit_mva[0], BRANCH_MVA);
    hold_meter_at(&stand, MAIN, 70000, 6000000, 1100 * NS_PER_MS);
    core_node_view(stand.core, BRANCH_A, &a);
    core_node_view(stand.core, BRANCH_B, &b);
    assert_int_equal(a.limit_mva[0], BRANCH_MVA / 10 * 7);
    assert_int_equal(b.limit_mva[0], BRANCH_MVA);
    hold_meter_at(&stand, MAIN, 100000, 6000000, 61 * NS_PER_S);
    core_node_view(stand.core, BRANCH_A, &a);
    assert_int_equal(a.limit_mva[0], BRANCH_MVA);
    stand_stop(&stand);
}

/* I1a, "renewals included": at 70 % of the lowest credible voltage the same amperes carry 9.8 kVA. */
static void a_sag_that_stays_shrinks_renewals_to_what_the_amperes_carry(void **state)
{
    (void)state;
    struct stand stand;
    start_full(&stand);
    hold_at(&stand, 70000, 6000000, 1100 * NS_PER_MS);
    assert_true(recovering(&stand, BRANCH_A));
    for (uint32_t h = 0; h < 2; h++) {
        const struct egress *renewal = stand_obey(&stand, h);
        assert_non_null(renewal);
        int64_t newest_mva = stand.host[0].last.cap_mw + stand.host[1].last.cap_mw;
        assert_true(renewal->cap_mw <= FAIL_SAFE_MW || newest_mva <= BRANCH_MVA / 10 * 7);
    }
    for (int i = 0; i < 20; i++) {
        stand_obey(&stand, 0);
        stand_obey(&stand, 1);
        stand_wait(&stand, 10 * NS_PER_MS);
    }
    assert_false(recovering(&stand, BRANCH_A));
    assert_int_equal(stand_counters(&stand)->invariant_failures, 0);
    stand_stop(&stand);
}

/* I1a knows no exception for emergencies: while S is above what the amperes carry, a shot that leaves it
 * there goes down to fail-safe. */
static void an_emergency_in_a_recovery_sends_no_lease_that_s_has_no_room_for(void **state)
{
    (void)state;
    struct stand stand;
    start_full(&stand);
    hold_at(&stand, 70000, 6000000, 1100 * NS_PER_MS);
    stand_reading(&stand, MAIN, 101000000);     /* three quarters of 2 x 7 kW are still above 9.8 kVA */
    assert_int_equal(stand_counters(&stand)->emergencies, 1);
    assert_true(stand.host[0].last.flags & LEASE_EMERGENCY);
    assert_true(stand.host[0].last.cap_mw + stand.host[1].last.cap_mw <= BRANCH_MVA / 10 * 7);
    assert_int_equal(stand_counters(&stand)->invariant_failures, 0);
    stand_stop(&stand);
}

/* After the loss of a feed nothing flows there: its hosts live on from the other one and are not cut. With
 * amperes and no volts (a blown fuse of the meter) it is a sag as deep as can be. */
static void a_feed_without_volts_and_amperes_is_dead_and_no_sag(void **state)
{
    (void)state;
    struct stand stand;
    start_full(&stand);
    hold_at(&stand, 1000, 0, 3 * NS_PER_S);
    assert_false(recovering(&stand, BRANCH_A));
    int64_t cap_mw = stand.host[0].last.cap_mw;
    stand_obey(&stand, 0);
    assert_int_equal(stand.host[0].last.cap_mw, cap_mw);
    hold_at(&stand, 1000, 100000, 1100 * NS_PER_MS);
    assert_true(recovering(&stand, BRANCH_A));
    stand_stop(&stand);
}

/* The fuse of one phase's sensing has blown: the other two say that there is no sag. When they do sag, the
 * limit follows them. */
static void a_phase_whose_volts_are_lost_lowers_no_limit(void **state)
{
    (void)state;
    struct stand stand;
    start_full(&stand);
    struct slot slot = {.kind = SLOT_READING, .reading = {.meter = BRANCH_A, .crest_milli = 1414}};
    for (uint32_t p = 0; p < PHASES; p++)
        slot.reading.current_ma[p] = 1000;
    for (int part = 0; part < 2; part++) {
        int64_t end_ns = stand.t_ns + 3 * NS_PER_S,
                alive_mv = stand.node[BRANCH_A].volts_low_mv * (10 - 3 * part) / 10;
        for (; stand.t_ns < end_ns; stand_wait(&stand, 16 * NS_PER_MS)) {
            slot.reading.sequence = ++stand.readings;
            slot.reading.voltage_mv[0] = 0;
            slot.reading.voltage_mv[1] = slot.reading.voltage_mv[2] = alive_mv;
            stand_step(&stand, &slot);
        }
        assert_int_equal(recovering(&stand, BRANCH_A), part);
    }
    stand_stop(&stand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_start_is_a_recovery_that_ends_when_the_hosts_are_known),
        cmocka_unit_test(the_reset_of_a_host_is_counted_and_others_make_no_gain_from_it),
        cmocka_unit_test(a_recovery_whose_hosts_obey_is_over_within_x),
        cmocka_unit_test(a_recovery_that_lasts_is_held_by_hosts_that_are_named),
        cmocka_unit_test(a_recovery_without_its_cut_is_overdue),
        cmocka_unit_test(a_recovery_that_nobody_holds_is_overdue),
        cmocka_unit_test(below_what_fail_safe_leaves_a_recovery_lasts),
        cmocka_unit_test(another_event_begins_the_time_anew),
        cmocka_unit_test(others_make_room_in_the_slot_of_every_event),
        cmocka_unit_test(others_make_room_for_what_a_host_tells_when_it_joins),
        cmocka_unit_test(a_sag_that_stays_shrinks_renewals_to_what_the_amperes_carry),
        cmocka_unit_test(a_sag_that_stays_lowers_the_limits_below_that_no_meter_covers),
        cmocka_unit_test(an_emergency_in_a_recovery_sends_no_lease_that_s_has_no_room_for),
        cmocka_unit_test(a_feed_without_volts_and_amperes_is_dead_and_no_sag),
        cmocka_unit_test(a_phase_whose_volts_are_lost_lowers_no_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
