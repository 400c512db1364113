/* SPDX-License-Identifier: Apache-2.0 */
/* A host's account, report by report: what is evidence, what retires a lease, what may be sent and how much
 * of it. safety.md sections 3 to 5, each rule at its edge. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "hall.h"

enum { EPOCH = 7 };
#define FAIL_SAFE (2 * HALL_KW)
#define PHYS_MAX (12 * HALL_KW)
#define A_NS (100 * NS_PER_MS)

static void start(struct hall *hall)
{
    hall_build(hall);
    hall_open(hall);
}

static struct ledger_host *host_0(struct hall *hall)
{
    return &hall->account[0];
}

/* The next report of host 0, holding `cap_mw` under its newest lease for A. */
static struct report next(struct hall *hall, int64_t cap_mw)
{
    return (struct report){
        .host = 0, .incarnation = host_0(hall)->incarnation, .epoch = EPOCH,
        .number = host_0(hall)->report + 1, .applied = host_0(hall)->sequence, .held_ns = A_NS,
        .cap_mw = cap_mw, .readback_mw = cap_mw, .fail_safe_mw = FAIL_SAFE, .phys_max_mw = PHYS_MAX,
        .state = HOST_LEASED,
    };
}

static uint32_t retired;

static uint32_t give(struct hall *hall, struct report report)
{
    retired = 99;
    return ledger_report(&hall->ledger, &report, HALL_T_NS + 1, &retired);
}

static int64_t exposed_mw(struct hall *hall)
{
    return host_0(hall)->exposed_draw_mw;
}

/* ---- which reports are heard ---- */

static void a_report_is_taken_over_whole(void **state)
{
    (void)state;
    struct hall hall;
    start(&hall);
    struct report report = next(&hall, FAIL_SAFE);
    report.draw_mw = 1234567;
    report.flags = REPORT_AT_CAP;
    assert_int_equal(give(&hall, report), 0);
    assert_int_equal(retired, 0);
    assert_int_equal(host_0(&hall)->report, report.number);
    assert_int_equal(host_0(&hall)->report_t_ns, HALL_T_NS + 1);
    assert_int_equal(host_0(&hall)->draw_mw, 1234567);
    assert_int_equal(host_0(&hall)->state, HOST_LEASED);
    assert_int_equal(host_0(&hall)->flags, REPORT_AT_CAP);
    assert_true(host_0(&hall)->accepted);
    report.number++;
    report.epoch = EPOCH - 1;
    give(&hall, report);
    assert_false(host_0(&hall)->accepted);
}

static void a_report_of_the_same_or_an_older_number_is_stale(void **state)
{
    (void)state;
    struct hall hall;
    start(&hall);
    struct report report = next(&hall, FAIL_SAFE);
    report.number--;
    report.draw_mw = 5;
    assert_int_equal(give(&hall, report), LEDGER_STALE);
    assert_int_equal(retired, 0);
    assert_int_equal(host_0(&hall)->draw_mw, 0);
    assert_int_equal(host_0(&hall)->report_t_ns, HALL_T_NS);
    report.number--;
    assert_int_equal(give(&hall, report), LEDGER_STALE);
}

static void late_reports_of_the_last_four_incarnations_are_stale(void **state)
{
    (void)state;
    struct hall hall;
    start(&hall);
    struct report report = next(&hall, FAIL_SAFE);
    for (uint64_t incarnation = 101; incarnation <= 104; incarnation++) {
        report.incarnation = incarnation;
        report.number = 1;
        assert_int_equal(give(&hall, report), LEDGER_RESET);
    }
    static const uint64_t former[] = {40, 101, 102, 103};
    for (uint32_t i = 0; i < 4; i++) {
        report.incarnation = former[i];
        report.number = 1000;
        assert_int_equal(give(&hall, report), LEDGER_STALE);
    }
    assert_int_equal(host_0(&hall)->incarnation, 104);
    assert_int_equal(host_0(&hall)->report, 1);
}

static void the_first_word_of_a_host_is_no_reset(void **state)
{
    (void)state;
    struct hall hall;
    hall_build(&hall);
    hall_open(&hall);
    ledger_init(&hall.ledger, &hall.model, EPOCH, hall.account, hall.sums);
    struct report report = next(&hall, FAIL_SAFE);
    report.incarnation = 1;
    assert_int_equal(give(&hall, report), 0);
    assert_int_equal(host_0(&hall)->sequence, 0);
    assert_int_equal(host_0(&hall)->newest_mw, -1);
    assert_int_equal(exposed_mw(&hall), PHYS_MAX);
    assert_int_equal(host_0(&hall)->newest_draw_mw, PHYS_MAX);
}

/* ---- new incarnations ---- */

static void a_new_incarnation_has_no_lease_and_counts_at_phys_max(void **state)
{
    (void)state;
    struct hall hall;
    start(&hall);
    hall_holds(&hall, 0, 5 * HALL_KW);
    uint64_t sequence = host_0(&hall)->sequence;
    struct report report = next(&hall, FAIL_SAFE);
    report.incarnation = 900;
    report.number = 1;
    report.applied = sequence;
    assert_int_equal(give(&hall, report), LEDGER_RESET);
    assert_false(host_0(&hall)->bounded);
    assert_int_equal(host_0(&hall)->newest_mw, -1);
    assert_int_equal(host_0(&hall)->unretired_count, 0);
    assert_int_equal(host_0(&hall)->sequence, sequence);
    assert_int_equal(exposed_mw(&hall), PHYS_MAX);
}

/* The claim is sequence s + 1; what the former incarnation applied, s, is no evidence that it was heard. */
static void only_a_lease_of_this_incarnation_is_evidence(void **state)
{
    (void)state;
    struct hall hall;
    start(&hall);
    struct report report = next(&hall, FAIL_SAFE);
    report.incarnation = 900;
    report.number = 1;
    give(&hall, report);
    ledger_sent(&hall.ledger, 0, FAIL_SAFE);
    report.number++;
    assert_int_equal(give(&hall, report), 0);
    assert_int_equal(exposed_mw(&hall), PHYS_MAX);
    report.number++;
    report.applied++;
    assert_int_equal(give(&hall, report), LEDGER_BOUNDED);
    assert_int_equal(exposed_mw(&hall), FAIL_SAFE);
}

/* ---- out of phys_max ---- */

/* A host at phys_max whose newest lease is 3 kW, 5 kW before that; it says what bounds it, but for one
 * thing. */
static void phys_max_is_left_only_on_every_evidence_at_once(void **state)
{
    (void)state;
    for (int doubt = 0; doubt < 9; doubt++) {
        struct hall hall;
        start(&hall);
        ledger_sent(&hall.ledger, 0, 5 * HALL_KW);
        ledger_sent(&hall.ledger, 0, 3 * HALL_KW);
        host_0(&hall)->bounded = false;
        struct report report = next(&hall, 3 * HALL_KW);
        report.applied--;       /* the 5 kW one: nothing retires */
        switch (doubt) {
        case 1:
            report.held_ns--;
            break;
        case 2:
            report.state = HOST_BOOT;
            break;
        case 3:
            report.flags = REPORT_DEVICE_LOST;
            break;
        case 4:
            report.epoch--;
            break;
        case 5:
            host_0(&hall)->newest_mw = -1;
            report.cap_mw = 0;
            break;
        case 6:
            host_0(&hall)->first = report.applied + 1;
            break;
        case 7:
            report.cap_mw = 3 * HALL_KW + 1;
            break;
        case 8:
            hall.ledger.enforcing = false;
            break;
        default:
            break;
        }
        uint32_t events = give(&hall, report);
        assert_int_equal(events, doubt ? 0 : LEDGER_BOUNDED);
        assert_int_equal(host_0(&hall)->bounded, !doubt);
        assert_int_equal(exposed_mw(&hall), doubt ? PHYS_MAX : 5 * HALL_KW);
    }
}

static void a_newest_lease_of_nothing_is_a_lease(void **state)
{
    (void)state;
    struct hall hall;
    start(&hall);
    ledger_sent(&hall.ledger, 0, 0);
    host_0(&hall)->bounded = false;
    assert_int_equal(give(&hall, next(&hall, 0)) & LEDGER_BOUNDED, LEDGER_BOUNDED);
    assert_int_equal(host_0(&hall)->newest_draw_mw, FAIL_SAFE);
}

static void at_or_below_fail_safe_it_is_left_though_the_newest_lease_is_lower(void **state)
{
    (void)state;
    struct hall hall;
    start(&hall);
    ledger_sent(&hall.ledger, 0, HALL_KW);
    host_0(&hall)->bounded = false;
    assert_int_equal(give(&hall, next(&hall, FAIL_SAFE)), LEDGER_BOUNDED);
}

static void what_was_merged_into_this_incarnations_first_lease_is_enough(void **state)
{
    (void)state;
    struct hall hall;
    start(&hall);
    host_0(&hall)->bounded = false;
    host_0(&hall)->first = host_0(&hall)->sequence;
    assert_int_equal(give(&hall, next(&hall, FAIL_SAFE)), LEDGER_BOUNDED);
}

/* ---- back to phys_max ---- */

static void a_read_back_above_the_applied_lease_is_foreign_once_it_has_settled(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct hall hall;
        start(&hall);
        ledger_sent(&hall.ledger, 0, 5 * HALL_KW);
        ledger_sent(&hall.ledger, 0, 3 * HALL_KW);
        struct report report = next(&hall, 3 * HALL_KW + 1);
        report.cap_mw = 3 * HALL_KW + 1;
        report.held_ns -= i == 1;
        report.state = i == 2 ? HOST_FAIL_SAFE : HOST_LEASED;
        report.readback_mw -= i == 3;
        uint32_t events = give(&hall, report);
        assert_int_equal((events & LEDGER_FOREIGN_CAP) != 0, i == 0 || i == 2 || i == 3);
        assert_int_equal(host_0(&hall)->bounded, i == 1);
    }
}

/* The same with the higher lease unretired by the report's epoch, so that only the rule itself speaks. */
static void a_read_back_at_the_applied_lease_is_its_own(void **state)
{
    (void)state;
    for (int above = 0; above < 2; above++) {
        struct hall hall;
        start(&hall);
        ledger_sent(&hall.ledger, 0, 5 * HALL_KW);
        ledger_sent(&hall.ledger, 0, 3 * HALL_KW);
        struct report report = next(&hall, 3 * HALL_KW + above);
        report.epoch--;
        assert_int_equal(give(&hall, report), above ? LEDGER_FOREIGN_CAP : 0);
        assert_int_equal(exposed_mw(&hall), above ? PHYS_MAX : 5 * HALL_KW);
    }
}

static void a_cap_above_exposure_is_foreign_at_once(void **state)
{
    (void)state;
    struct hall hall;
    start(&hall);
    ledger_sent(&hall.ledger, 0, 5 * HALL_KW);
    struct report report = next(&hall, 5 * HALL_KW);
    report.held_ns = 0;
    assert_int_equal(give(&hall, report), 0);
    report.number++;
    report.cap_mw++;
    assert_int_equal(give(&hall, report), LEDGER_FOREIGN_CAP);
    assert_int_equal(exposed_mw(&hall), PHYS_MAX);
    report.number++;
    assert_int_equal(give(&hall, report), 0);       /* said once */
}

static void a_lost_device_is_foreign_though_all_else_is_well(void **state)
{
    (void)state;
    struct hall hall;
    start(&hall);
    struct report report = next(&hall, FAIL_SAFE);
    report.flags = REPORT_DEVICE_LOST;
    assert_int_equal(give(&hall, report), LEDGER_FOREIGN_CAP);
    assert_int_equal(exposed_mw(&hall), PHYS_MAX);
}

/* ---- retirement ---- */

/* 8 kW was leased, then 5 kW: the former goes when something below 8 kW has held for A under the latter. */
static void a_lease_retires_on_every_evidence_at_once(void **state)
{
    (void)state;
    for (int doubt = 0; doubt < 5; doubt++) {
        struct hall hall;
        start(&hall);
        ledger_sent(&hall.ledger, 0, 8 * HALL_KW);
        ledger_sent(&hall.ledger, 0, 5 * HALL_KW);
        struct report report = next(&hall, 5 * HALL_KW);
        report.held_ns -= doubt == 1;
        report.epoch -= doubt == 2;
        report.applied -= doubt == 3;
        if (doubt == 4)
            report.cap_mw = 8 * HALL_KW;
        uint32_t events = give(&hall, report);
        assert_int_equal(events & LEDGER_RETIRED, doubt ? 0 : LEDGER_RETIRED);
        assert_int_equal(retired, !doubt);
        assert_int_equal(exposed_mw(&hall), doubt ? 8 * HALL_KW : 5 * HALL_KW);
    }
}

static void every_lease_that_one_report_retires_is_told(void **state)
{
    (void)state;
    struct hall hall;
    start(&hall);
    ledger_sent(&hall.ledger, 0, 8 * HALL_KW);
    ledger_sent(&hall.ledger, 0, 7 * HALL_KW);
    ledger_sent(&hall.ledger, 0, 6 * HALL_KW);
    ledger_sent(&hall.ledger, 0, 5 * HALL_KW);
    assert_int_equal(give(&hall, next(&hall, 5 * HALL_KW)), LEDGER_RETIRED);
    assert_int_equal(retired, 3);
    assert_int_equal(host_0(&hall)->unretired_count, 1);
    assert_int_equal(host_0(&hall)->unretired[0].cap_mw, 5 * HALL_KW);
}

/* "The fail-safe state after lease `applied` is newer than that lease." */
static void fail_safe_after_a_lease_retires_that_lease_and_no_later_one(void **state)
{
    (void)state;
    struct hall hall;
    start(&hall);
    ledger_sent(&hall.ledger, 0, 5 * HALL_KW);
    struct report report = next(&hall, FAIL_SAFE);
    assert_int_equal(give(&hall, report), 0);       /* leased at it, not fallen from it */
    report.number++;
    report.state = HOST_FAIL_SAFE;
    report.applied--;
    assert_int_equal(give(&hall, report), 0);
    assert_int_equal(exposed_mw(&hall), 5 * HALL_KW);
    report.number++;
    report.applied++;
    assert_int_equal(give(&hall, report), LEDGER_RETIRED);
    assert_int_equal(exposed_mw(&hall), FAIL_SAFE);
}

/* ---- what a host says of itself ---- */

static void the_larger_fail_safe_and_physical_maximum_count_and_a_difference_is_told(void **state)
{
    (void)state;
    struct hall hall;
    start(&hall);
    struct report report = next(&hall, FAIL_SAFE);
    report.fail_safe_mw = FAIL_SAFE - 1;
    report.phys_max_mw = PHYS_MAX - 1;
    assert_int_equal(give(&hall, report), LEDGER_MISMATCH);
    assert_int_equal(host_0(&hall)->fail_safe_mw, FAIL_SAFE);
    assert_int_equal(host_0(&hall)->phys_max_mw, PHYS_MAX);
    report.number++;
    report.fail_safe_mw = FAIL_SAFE + 1;
    report.phys_max_mw = PHYS_MAX + 1;
    assert_int_equal(give(&hall, report), LEDGER_MISMATCH | LEDGER_PHYS_MAX);
    assert_int_equal(host_0(&hall)->fail_safe_mw, FAIL_SAFE + 1);
    assert_int_equal(host_0(&hall)->phys_max_mw, PHYS_MAX + 1);
    assert_int_equal(exposed_mw(&hall), FAIL_SAFE + 1);
    assert_int_equal(ledger_exposed_cap_mw(host_0(&hall)), FAIL_SAFE + 1);
}

/* ---- sending ---- */

/* 8 kVA on the left, 2 of them for host 1. */
static void what_may_be_sent_is_said_to_the_milliwatt(void **state)
{
    (void)state;
    struct hall hall;
    start(&hall);
    hall.sums[HALL_LEFT].limit_mva[0][1] = 8 * HALL_KW;
    hall_look_again(&hall);
    assert_int_equal(ledger_may_send(&hall.ledger, 0, FAIL_SAFE), LEDGER_MAY_SEND);
    assert_int_equal(ledger_may_send(&hall.ledger, 0, 6 * HALL_KW), LEDGER_MAY_SEND);
    assert_int_equal(ledger_may_send(&hall.ledger, 0, 6 * HALL_KW + 1), LEDGER_OVER_S);
    hall.sums[HALL_LEFT].exposed_mva[0][1] += HALL_KW;
    hall_look_again(&hall);
    assert_int_equal(ledger_may_send(&hall.ledger, 0, 5 * HALL_KW), LEDGER_MAY_SEND);
    assert_int_equal(ledger_may_send(&hall.ledger, 0, 5 * HALL_KW + 1), LEDGER_OVER_D);
    host_0(&hall)->accepted = false;
    assert_int_equal(ledger_may_send(&hall.ledger, 0, FAIL_SAFE + 1), LEDGER_UNBOUNDED);
    assert_int_equal(ledger_may_send(&hall.ledger, 0, FAIL_SAFE), LEDGER_MAY_SEND);
    host_0(&hall)->accepted = true;
    host_0(&hall)->bounded = false;
    assert_int_equal(ledger_may_send(&hall.ledger, 0, FAIL_SAFE + 1), LEDGER_UNBOUNDED);
}

/* I1b is about leases that increase E: what is exposed already may be renewed in recovery. */
static void what_is_exposed_already_asks_nothing_of_d(void **state)
{
    (void)state;
    struct hall hall;
    start(&hall);
    ledger_sent(&hall.ledger, 0, 5 * HALL_KW);
    hall.sums[HALL_LEFT].exposed_mva[0][0] = 5000 * HALL_KW;
    hall_look_again(&hall);
    assert_int_equal(ledger_may_send(&hall.ledger, 0, 5 * HALL_KW), LEDGER_MAY_SEND);
    assert_int_equal(ledger_may_send(&hall.ledger, 0, 5 * HALL_KW + 1), LEDGER_OVER_D);
    assert_true(ledger_sent(&hall.ledger, 0, 5 * HALL_KW));
    assert_false(ledger_sent(&hall.ledger, 0, 5 * HALL_KW + 1));
    assert_true(ledger_sent(&hall.ledger, 0, FAIL_SAFE));
}

static void asking_changes_nothing(void **state)
{
    (void)state;
    struct hall hall, before;
    start(&hall);
    enum ledger_verdict bound;
    hall.sums[HALL_LEFT].limit_mva[0][1] = 8 * HALL_KW;
    hall_look_again(&hall);
    before = hall;
    ledger_may_send(&hall.ledger, 0, 9 * HALL_KW);
    ledger_room_mw(&hall.ledger, 0, 9 * HALL_KW, &bound);
    hall_look_again(&hall);     /* what was found to be left is remembered, and nothing else */
    assert_memory_equal(&hall.sums, &before.sums, sizeof hall.sums);
    assert_memory_equal(&hall.account, &before.account, sizeof hall.account);
    assert_int_equal(hall.ledger.over_count, before.ledger.over_count);
}

static void a_lease_beyond_s_is_told_as_a_defect_and_one_at_fail_safe_never(void **state)
{
    (void)state;
    struct hall hall;
    start(&hall);
    hall.sums[HALL_LEFT].limit_mva[0][1] = 8 * HALL_KW;
    hall_look_again(&hall);
    assert_true(ledger_sent(&hall.ledger, 0, 6 * HALL_KW));
    assert_false(ledger_sent(&hall.ledger, 0, 6 * HALL_KW + 1));
    hall.sums[HALL_LEFT].limit_mva[0][1] = 0;
    hall_look_again(&hall);
    assert_true(ledger_sent(&hall.ledger, 0, FAIL_SAFE));
    assert_false(ledger_sent(&hall.ledger, 0, FAIL_SAFE + 1));
}

static void room_is_the_largest_cap_that_may_leave_and_what_stood_against_more(void **state)
{
    (void)state;
    struct hall hall;
    start(&hall);
    enum ledger_verdict bound = LEDGER_UNBOUNDED;
    hall.sums[HALL_LEFT].limit_mva[0][1] = 8 * HALL_KW;
    hall_look_again(&hall);
    assert_int_equal(ledger_room_mw(&hall.ledger, 0, 5 * HALL_KW + 1, &bound), 5 * HALL_KW + 1);
    assert_int_equal(bound, LEDGER_MAY_SEND);
    assert_int_equal(ledger_room_mw(&hall.ledger, 0, 9 * HALL_KW, &bound), 6 * HALL_KW);
    assert_int_equal(bound, LEDGER_OVER_S);
    hall.sums[HALL_LEFT].exposed_mva[0][1] += HALL_KW + 1;
    hall_look_again(&hall);
    assert_int_equal(ledger_room_mw(&hall.ledger, 0, 6 * HALL_KW, &bound), 4999 * HALL_W);   /* a quantum */
    assert_int_equal(bound, LEDGER_OVER_D);
    hall.sums[HALL_LEFT].limit_mva[0][1] = 4 * HALL_KW;
    hall_look_again(&hall);
    assert_int_equal(ledger_room_mw(&hall.ledger, 0, 6 * HALL_KW, &bound), FAIL_SAFE);
    host_0(&hall)->bounded = false;
    assert_int_equal(ledger_room_mw(&hall.ledger, 0, 6 * HALL_KW, &bound), FAIL_SAFE);
    assert_int_equal(bound, LEDGER_UNBOUNDED);
}

/* Exposed are 5 kW; D is far above its limit, and S has room for them: they may be had again, no more. */
static void room_in_recovery_is_what_is_exposed_already(void **state)
{
    (void)state;
    struct hall hall;
    start(&hall);
    enum ledger_verdict bound;
    ledger_sent(&hall.ledger, 0, 5 * HALL_KW);
    ledger_sent(&hall.ledger, 0, 3 * HALL_KW);
    hall.sums[HALL_LEFT].exposed_mva[0][0] = 5000 * HALL_KW;
    hall_look_again(&hall);
    assert_int_equal(ledger_room_mw(&hall.ledger, 0, 9 * HALL_KW, &bound), 5 * HALL_KW);
    assert_int_equal(bound, LEDGER_OVER_D);
}

/* Both cords whole on one node: 2 VA there for each watt. Each cord by itself has room for 10 kW; half way
 * down from there to fail-safe are 6. */
static void where_two_cords_meet_room_is_found_by_halves(void **state)
{
    (void)state;
    struct hall hall;
    hall_build(&hall);
    hall.host[0].cord_count = 2;
    hall.host[0].cord[1] = hall.host[0].cord[0];
    hall_open(&hall);
    enum ledger_verdict bound;
    assert_int_equal(hall.sums[HALL_LEFT].newest_mva[0][0], 6 * HALL_KW);
    hall.sums[HALL_LEFT].limit_mva[0][0] = 14 * HALL_KW;        /* twice 6, and 2 of host 1 */
    hall_look_again(&hall);
    assert_int_equal(ledger_room_mw(&hall.ledger, 0, 10 * HALL_KW, &bound), 6 * HALL_KW);
    assert_int_equal(bound, LEDGER_OVER_S);
    hall.sums[HALL_LEFT].limit_mva[0][0]--;
    hall_look_again(&hall);
    /* from 9999 W */
    assert_int_equal(ledger_room_mw(&hall.ledger, 0, 10 * HALL_KW, &bound), 5999 * HALL_W);
}

static void caps_leave_in_falling_order_and_the_list_keeps_the_highest_first(void **state)
{
    (void)state;
    struct hall hall;
    start(&hall);
    ledger_sent(&hall.ledger, 0, 8 * HALL_KW);
    ledger_sent(&hall.ledger, 0, 5 * HALL_KW);
    ledger_sent(&hall.ledger, 0, 6 * HALL_KW);      /* covers the 5 */
    assert_int_equal(host_0(&hall)->unretired_count, 2);
    assert_int_equal(host_0(&hall)->unretired[0].cap_mw, 8 * HALL_KW);
    assert_int_equal(host_0(&hall)->unretired[1].cap_mw, 6 * HALL_KW);
    assert_int_equal(host_0(&hall)->unretired[1].sequence, host_0(&hall)->sequence);
    assert_int_equal(exposed_mw(&hall), 8 * HALL_KW);
    assert_int_equal(host_0(&hall)->newest_draw_mw, 6 * HALL_KW);
}

/* ---- enforce ---- */

static void leaving_enforce_counts_every_host_at_phys_max_and_coming_back_asks_for_evidence(void **state)
{
    (void)state;
    struct hall hall;
    start(&hall);
    ledger_enforce(&hall.ledger, true);
    assert_int_equal(exposed_mw(&hall), FAIL_SAFE);
    ledger_enforce(&hall.ledger, false);
    for (uint32_t h = 0; h < HALL_HOSTS; h++)
        assert_int_equal(hall.account[h].exposed_draw_mw, PHYS_MAX);
    assert_int_equal(hall.sums[HALL_MAIN].exposed_mva[0][0], HALL_HOSTS * PHYS_MAX);
    assert_int_equal(give(&hall, next(&hall, FAIL_SAFE)), 0);
    ledger_enforce(&hall.ledger, true);
    assert_int_equal(exposed_mw(&hall), PHYS_MAX);
    assert_int_equal(give(&hall, next(&hall, FAIL_SAFE)), LEDGER_BOUNDED);
}

static void a_cut_to_nothing_counts_at_fail_safe_in_s_and_as_it_was_in_d(void **state)
{
    (void)state;
    struct hall hall;
    start(&hall);
    ledger_sent(&hall.ledger, 0, 5 * HALL_KW);
    ledger_sent(&hall.ledger, 0, 0);
    assert_int_equal(exposed_mw(&hall), 5 * HALL_KW);
    assert_int_equal(host_0(&hall)->newest_draw_mw, FAIL_SAFE);
}

/* "The newest two merge into one that is retired as late as the later and allows as much as the larger." */
static void a_full_list_merges_its_newest_two(void **state)
{
    (void)state;
    struct hall hall;
    start(&hall);
    host_0(&hall)->unretired_count = 0;
    host_0(&hall)->sequence = 0;
    for (int64_t i = 1; i <= UNRETIRED_MAX + 2; i++)
        ledger_sent(&hall.ledger, 0, 10 * HALL_KW - i * HALL_W);
    assert_int_equal(host_0(&hall)->unretired_count, UNRETIRED_MAX);
    for (int64_t i = 0; i < UNRETIRED_MAX; i++) {
        assert_int_equal(host_0(&hall)->unretired[i].cap_mw, 10 * HALL_KW - (i + 1) * HALL_W);
        assert_int_equal(host_0(&hall)->unretired[i].sequence,
                         i == UNRETIRED_MAX - 1 ? UNRETIRED_MAX + 2 : i + 1);
    }
}

static void a_host_may_not_be_counted_above_its_own_physical_maximum(void **state)
{
    (void)state;
    struct hall hall;
    hall_build(&hall);
    hall.type.gain_ppm = 2000000;
    hall.type.phys_max_mw = 12 * HALL_KW;
    hall_open(&hall);
    ledger_sent(&hall.ledger, 0, 9 * HALL_KW);      /* 18 at the wall by the gain */
    assert_int_equal(exposed_mw(&hall), 12 * HALL_KW);
}

/* A wrong figure counts as long as the incarnation that told it, not until the controller is started
 * again. */
static void what_an_incarnation_told_of_itself_is_forgotten_with_it(void **state)
{
    (void)state;
    struct hall hall;
    start(&hall);
    struct report report = next(&hall, FAIL_SAFE);
    report.phys_max_mw = 1000 * PHYS_MAX;
    report.fail_safe_mw = FAIL_SAFE + 5;
    give(&hall, report);
    assert_int_equal(host_0(&hall)->phys_max_mw, 1000 * PHYS_MAX);
    assert_int_equal(host_0(&hall)->fail_safe_mw, FAIL_SAFE + 5);
    report.incarnation += 1000;
    report.number = 1;
    report.phys_max_mw = PHYS_MAX;
    report.fail_safe_mw = FAIL_SAFE;
    give(&hall, report);
    assert_int_equal(host_0(&hall)->phys_max_mw, PHYS_MAX);
    assert_int_equal(host_0(&hall)->fail_safe_mw, FAIL_SAFE);
    assert_int_equal(exposed_mw(&hall), PHYS_MAX);
}

/* The cap told is the lease's own, so the read-back alone says that somebody raised it: "read-back above
 * the lease", at once, whether it has settled or not. */
static void a_read_back_above_the_only_lease_is_foreign(void **state)
{
    (void)state;
    struct hall hall;
    start(&hall);
    hall_holds(&hall, 0, 5 * HALL_KW);
    assert_int_equal(host_0(&hall)->unretired_count, 1);
    struct report report = next(&hall, 5 * HALL_KW);
    report.readback_mw++;
    report.held_ns--;
    assert_int_equal(give(&hall, report), LEDGER_FOREIGN_CAP);
    assert_int_equal(exposed_mw(&hall), PHYS_MAX);
    report.number++;
    report.held_ns++;
    assert_int_equal(give(&hall, report), 0);       /* and stays there while it says so */
    assert_int_equal(exposed_mw(&hall), PHYS_MAX);
}

/* A lease below fail-safe: a read-back between the two is not what the host was told, and is counted,
 * though it is within what the host stands for. */
static void a_read_back_above_a_lease_below_fail_safe_is_foreign(void **state)
{
    (void)state;
    for (int above = 0; above < 2; above++) {
        struct hall hall;
        start(&hall);
        hall_holds(&hall, 0, FAIL_SAFE / 2);
        assert_int_equal(host_0(&hall)->unretired_count, 1);
        uint32_t events = give(&hall, next(&hall, FAIL_SAFE / 2 + above));
        assert_int_equal(events, above ? LEDGER_FOREIGN_CAP | LEDGER_BOUNDED : 0);
        assert_int_equal(exposed_mw(&hall), FAIL_SAFE);
    }
}

/* As many leases as may stand, and a report of one that is none of them: nothing stands behind the last. */
static void a_lease_that_stands_nowhere_is_looked_for_among_as_many_as_there_are(void **state)
{
    (void)state;
    struct hall hall;
    start(&hall);
    uint64_t before = host_0(&hall)->sequence;
    for (int64_t i = 0; i < UNRETIRED_MAX; i++)
        ledger_sent(&hall.ledger, 0, 6 * HALL_KW - i * 100 * HALL_W);
    assert_int_equal(host_0(&hall)->unretired_count, UNRETIRED_MAX);
    struct report report = next(&hall, FAIL_SAFE);
    report.applied = before;
    assert_int_equal(give(&hall, report), 0);
    assert_int_equal(exposed_mw(&hall), 6 * HALL_KW);
}

/* A lease of nothing: at fail-safe it may draw what that allows, in the sum that fail-safe leaves too. */
static void a_cut_to_nothing_may_still_draw_its_fail_safe(void **state)
{
    (void)state;
    struct hall hall;
    start(&hall);
    ledger_sent(&hall.ledger, 0, 5 * HALL_KW);
    ledger_sent(&hall.ledger, 0, 0);
    assert_int_equal(host_0(&hall)->safe_draw_mw, FAIL_SAFE);
    assert_int_equal(hall.sums[HALL_LEFT].safe_mva[0][0], 2 * FAIL_SAFE);
}

/* The cause of one report is not that of what comes after it. */
static void a_cause_ends_with_the_report_that_brought_it(void **state)
{
    (void)state;
    struct hall hall;
    start(&hall);
    struct report report = next(&hall, FAIL_SAFE);
    report.incarnation++;
    assert_true(give(&hall, report) & LEDGER_RESET);
    assert_int_equal(hall.ledger.cause, RECOVERY_NONE);
    ledger_forget(&hall.ledger, 1);
    assert_int_equal(hall.ledger.cause, RECOVERY_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_report_is_taken_over_whole),
        cmocka_unit_test(a_report_of_the_same_or_an_older_number_is_stale),
        cmocka_unit_test(late_reports_of_the_last_four_incarnations_are_stale),
        cmocka_unit_test(the_first_word_of_a_host_is_no_reset),
        cmocka_unit_test(a_new_incarnation_has_no_lease_and_counts_at_phys_max),
        cmocka_unit_test(only_a_lease_of_this_incarnation_is_evidence),
        cmocka_unit_test(phys_max_is_left_only_on_every_evidence_at_once),
        cmocka_unit_test(a_newest_lease_of_nothing_is_a_lease),
        cmocka_unit_test(at_or_below_fail_safe_it_is_left_though_the_newest_lease_is_lower),
        cmocka_unit_test(what_was_merged_into_this_incarnations_first_lease_is_enough),
        cmocka_unit_test(a_read_back_above_the_applied_lease_is_foreign_once_it_has_settled),
        cmocka_unit_test(a_read_back_at_the_applied_lease_is_its_own),
        cmocka_unit_test(a_cap_above_exposure_is_foreign_at_once),
        cmocka_unit_test(a_lost_device_is_foreign_though_all_else_is_well),
        cmocka_unit_test(a_lease_retires_on_every_evidence_at_once),
        cmocka_unit_test(every_lease_that_one_report_retires_is_told),
        cmocka_unit_test(fail_safe_after_a_lease_retires_that_lease_and_no_later_one),
        cmocka_unit_test(the_larger_fail_safe_and_physical_maximum_count_and_a_difference_is_told),
        cmocka_unit_test(what_may_be_sent_is_said_to_the_milliwatt),
        cmocka_unit_test(what_is_exposed_already_asks_nothing_of_d),
        cmocka_unit_test(asking_changes_nothing),
        cmocka_unit_test(a_lease_beyond_s_is_told_as_a_defect_and_one_at_fail_safe_never),
        cmocka_unit_test(room_is_the_largest_cap_that_may_leave_and_what_stood_against_more),
        cmocka_unit_test(room_in_recovery_is_what_is_exposed_already),
        cmocka_unit_test(where_two_cords_meet_room_is_found_by_halves),
        cmocka_unit_test(caps_leave_in_falling_order_and_the_list_keeps_the_highest_first),
        cmocka_unit_test(leaving_enforce_counts_every_host_at_phys_max_and_coming_back_asks_for_evidence),
        cmocka_unit_test(a_cut_to_nothing_counts_at_fail_safe_in_s_and_as_it_was_in_d),
        cmocka_unit_test(a_full_list_merges_its_newest_two),
        cmocka_unit_test(a_host_may_not_be_counted_above_its_own_physical_maximum),
        cmocka_unit_test(what_an_incarnation_told_of_itself_is_forgotten_with_it),
        cmocka_unit_test(a_read_back_above_the_only_lease_is_foreign),
        cmocka_unit_test(a_read_back_above_a_lease_below_fail_safe_is_foreign),
        cmocka_unit_test(a_lease_that_stands_nowhere_is_looked_for_among_as_many_as_there_are),
        cmocka_unit_test(a_cut_to_nothing_may_still_draw_its_fail_safe),
        cmocka_unit_test(a_cause_ends_with_the_report_that_brought_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
