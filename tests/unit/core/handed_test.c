/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Heat, permits and what holds raises back, handed over (core/handed.h, safety.md sections 3, 5 and 10).
 * Branch A carries 140 A steady at 100 V under a device that heats with 20 s, and lends; its two hosts may
 * draw 200 A. T_fresh is 50 ms, a window 16 ms.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/core.h"
#include "succession.h"

#define PERIOD_NS (16 * NS_PER_MS)

enum { LOAD_KW = 12 };

static void give_device(struct stand *stand, uint32_t node)
{
    struct breaker *breaker = &stand->node[node].breaker;
    breaker->element_count = 1;
    breaker->element[0] = (struct breaker_element){
        .law = BREAKER_IMAGE, .role = ELEMENT_LONG_TIME, .pickup_ma = 183750,
        .heat_ns = 20 * NS_PER_S, .heat_fast_ns = 20 * NS_PER_S, .fast_above_ma = INT64_MAX,
        .cool_ns = 25 * NS_PER_S};
    stand->node[node].lend = 1;
}

static struct heat_node *heat(const struct stand *stand)
{
    return &stand->core->heat.meter[BRANCH_A];
}

static void set_heat(struct stand *stand, double part)
{
    for (uint32_t p = 0; p < PHASES; p++)
        heat(stand)->state.part[0][p] = (int64_t)(part * (double)HEAT_ONE);
}

static enum permit permit(const struct stand *stand)
{
    return permit_of(&stand->core->permits, BRANCH_A);
}

static void measure(struct stand *stand, int64_t kilowatts)
{
    stand_reading(stand, BRANCH_A, kilowatts * 1000000 + (int64_t)(stand->readings % 7) * 100);
}

static void live(struct stand *stand, int64_t kilowatts, int64_t ns)
{
    for (int64_t end_ns = stand->t_ns + ns; stand->t_ns < end_ns;) {
        stand_run(stand, 15 * NS_PER_MS);
        stand_wait(stand, NS_PER_MS);
        measure(stand, kilowatts);
    }
}

/* Both hosts of branch A ask for all there is, and hold it: above the steady limit. */
static void lend(struct stand *stand)
{
    stand_site(stand);
    give_device(stand, BRANCH_A);
    stand_start(stand);
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        stand_admit(stand, h);
    for (uint32_t h = 0; h < 2; h++) {
        stand->host[h].draw_mw = 1400000;
        stand->host[h].flags = REPORT_AT_CAP;
    }
    measure(stand, 3);
    set_heat(stand, 0.2);
    live(stand, 3, 2 * NS_PER_S);
    live(stand, LOAD_KW, NS_PER_S);
    assert_int_equal(permit(stand), PERMIT_HELD);
    assert_int_equal(stand->host[0].last.cap_mw, CAP_MAX_MW);
    assert_int_equal(stand->host[1].last.cap_mw, CAP_MAX_MW);
}

/* A new controller takes everything after a gap. */
static void hand_over(struct stand *stand, struct succession *left, int64_t gap_ns)
{
    succession_of(stand, left);
    stand_wait(stand, gap_ns);
    succession_restart(stand);
    succession_accounts(stand, left->account);
    succession_records(stand, left);
}

static const struct egress *old_report(struct stand *stand, uint32_t host)
{
    struct report report = succession_report(stand, host);
    return stand_report(stand, &report);
}

static void what_was_lent_stays_over_a_hand_over(void **state)
{
    (void)state;
    struct stand stand;
    struct succession left;
    lend(&stand);
    hand_over(&stand, &left, 300 * NS_PER_MS);
    assert_int_equal(stand_counters(&stand)->handed_meters, STAND_METERS);
    measure(&stand, LOAD_KW);
    assert_int_equal(permit(&stand), PERMIT_HELD);
    assert_int_equal(stand.outbox.count, 0);
    for (uint32_t h = 0; h < 2; h++) {
        const struct egress *lease = old_report(&stand, h);
        assert_non_null(lease);
        assert_int_equal(lease->why, WHY_HANDED);
        assert_int_equal(lease->cap_mw, CAP_MAX_MW);
    }
    live(&stand, LOAD_KW, 2 * NS_PER_S);
    for (uint32_t h = 0; h < 2; h++)
        assert_int_equal(stand.host[h].last.cap_mw, CAP_MAX_MW);
    assert_int_equal(stand_counters(&stand)->cuts, 0);
    assert_int_equal(stand_counters(&stand)->limit_cuts, 0);
    assert_int_equal(stand_counters(&stand)->invariant_failures, 0);
    stand_stop(&stand);
}

static int64_t largest_heat(const struct stand *stand)
{
    int64_t most = 0;
    for (uint32_t p = 0; p < PHASES; p++)
        most = heat(stand)->state.part[0][p] > most ? heat(stand)->state.part[0][p] : most;
    return most;
}

/* The same gap over which a controller merely hears nothing. */
static void heat_is_that_of_a_controller_that_heard_nothing(void **state)
{
    (void)state;
    static const int64_t gap_ns[] = {NS_PER_MS, 30 * NS_PER_MS, 200 * NS_PER_MS, NS_PER_S};
    for (uint32_t i = 0; i < 4; i++) {
        struct stand stand, deaf;
        struct succession left;
        lend(&stand);
        lend(&deaf);
        stand_wait(&deaf, gap_ns[i]);
        hand_over(&stand, &left, gap_ns[i]);
        int64_t before = largest_heat(&stand);
        measure(&deaf, LOAD_KW);
        measure(&stand, LOAD_KW);
        assert_true(largest_heat(&stand) == largest_heat(&deaf));
        assert_true(largest_heat(&stand) > before);
        assert_int_equal(heat(&stand)->stepped_ns, heat(&deaf)->stepped_ns);
        stand_stop(&stand);
        stand_stop(&deaf);
    }
}

/* The highest D since the newest reading counts for the gap, though it has fallen since. */
static void what_hosts_might_have_drawn_heats_the_gap(void **state)
{
    (void)state;
    struct stand stand;
    struct succession left;
    lend(&stand);
    int64_t highest_mva = stand.core->ledger.node[BRANCH_A].highest_mva[0];
    succession_of(&stand, &left);
    for (uint32_t h = 0; h < 2; h++)
        left.account[h].newest_mw = left.account[h].exposed_mw = FAIL_SAFE_MW;
    stand_wait(&stand, 500 * NS_PER_MS);
    succession_restart(&stand);
    succession_accounts(&stand, left.account);
    succession_records(&stand, &left);
    assert_int_equal(stand.core->ledger.node[BRANCH_A].highest_mva[0], highest_mva);
    stand_stop(&stand);
}

/* More than before, where the accounts say so. */
static void what_accounts_say_heats_the_gap_too(void **state)
{
    (void)state;
    struct stand stand;
    struct succession left;
    lend(&stand);
    succession_of(&stand, &left);
    left.account[0].bounded = left.account[0].accepted = 0;
    succession_restart(&stand);
    succession_accounts(&stand, left.account);
    succession_records(&stand, &left);
    assert_true(stand.core->ledger.node[BRANCH_A].highest_mva[0] >= PHYS_MAX_MW + CAP_MAX_MW);
    stand_stop(&stand);
}

static void until_a_reading_comes_no_host_below_is_sent_anything(void **state)
{
    (void)state;
    struct stand stand;
    struct succession left;
    lend(&stand);
    hand_over(&stand, &left, 100 * NS_PER_MS);
    uint64_t leases = stand.host[0].leases + stand.host[1].leases;
    assert_null(old_report(&stand, 0));
    stand_tick(&stand);
    stand_wait(&stand, T_FRESH_NS);
    assert_null(old_report(&stand, 1));
    assert_non_null(old_report(&stand, 2));     /* on the other branch */
    assert_int_equal(stand.host[0].leases + stand.host[1].leases, leases);
    assert_int_not_equal(permit(&stand), PERMIT_HELD);
    stand_stop(&stand);
}

/* The meter stays silent: T_fresh after the start they come down together. */
static void without_a_reading_they_come_down_after_t_fresh(void **state)
{
    (void)state;
    struct stand stand;
    struct succession left;
    lend(&stand);
    hand_over(&stand, &left, 100 * NS_PER_MS);
    stand_tick(&stand);
    stand_wait(&stand, T_FRESH_NS + 1);
    stand_tick(&stand);
    for (uint32_t h = 0; h < 2; h++) {
        assert_int_equal(stand.host[h].last.why, WHY_LIMIT);
        assert_true(stand.host[h].last.cap_mw < CAP_MAX_MW);
    }
    assert_true(stand.core->ledger.node[BRANCH_A].newest_mva[0][0] <= BRANCH_MVA);
    assert_int_equal(stand_counters(&stand)->invariant_failures, 0);
    /* it was lost: it does not come back with the next reading alone */
    assert_true(stand.core->permits.meter[BRANCH_A].lost);
    stand_stop(&stand);
}

static void a_host_that_resets_meanwhile_brings_them_down_at_once(void **state)
{
    (void)state;
    struct stand stand;
    struct succession left;
    lend(&stand);
    hand_over(&stand, &left, 100 * NS_PER_MS);
    stand.host[0].incarnation++;
    struct report report = stand_report_of(&stand, 0, HOST_BOOT, 0);
    stand_report(&stand, &report);
    assert_int_equal(stand.host[1].last.why, WHY_LIMIT);
    assert_true(stand.host[1].last.cap_mw < CAP_MAX_MW);
    assert_int_equal(stand.core->permits.awaiting, 0);          /* nobody waits for the reading any more */
    assert_true(stand.core->permits.meter[BRANCH_A].lost);
    assert_int_equal(stand_counters(&stand)->invariant_failures, 0);
    stand_stop(&stand);
}

/* What the one before had just read is no news to the next. */
static void a_frozen_meter_stays_frozen(void **state)
{
    (void)state;
    struct stand stand;
    struct succession left;
    lend(&stand);
    stand_reading(&stand, BRANCH_A, 12000000);
    hand_over(&stand, &left, 100 * NS_PER_MS);
    stand_reading(&stand, BRANCH_A, 12000000);
    assert_int_equal(permit(&stand), PERMIT_FROZEN);
    stand_reading(&stand, BRANCH_A, 12000100);
    assert_int_equal(permit(&stand), PERMIT_HELD);
    stand_stop(&stand);
}

/* Nobody corroborates it for some 250 ms before and 300 ms after: that is doubt. */
static void doubt_goes_on_where_it_stood(void **state)
{
    (void)state;
    struct stand stand;
    struct succession left;
    lend(&stand);
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        stand.host[h].mute = true;
    live(&stand, LOAD_KW, NS_PER_S + 200 * NS_PER_MS);      /* a report is fresh for D */
    assert_int_equal(permit(&stand), PERMIT_HELD);
    hand_over(&stand, &left, 10 * NS_PER_MS);
    live(&stand, LOAD_KW, 100 * NS_PER_MS);
    assert_int_equal(permit(&stand), PERMIT_HELD);
    live(&stand, LOAD_KW, 200 * NS_PER_MS);
    assert_int_equal(permit(&stand), PERMIT_ALONE);
    stand_stop(&stand);
}

/* A permit lost before stays lost for hold(n), and raises wait as long. */
static void a_hold_runs_on(void **state)
{
    (void)state;
    struct stand stand;
    struct succession left;
    lend(&stand);
    stand.model.policy.hold_least_ns = 2 * NS_PER_S;
    stand.model.policy.hold_most_ns = 60 * NS_PER_S;
    stand_run(&stand, 200 * NS_PER_MS);         /* and no reading */
    measure(&stand, 3);
    assert_int_equal(permit(&stand), PERMIT_HOLD);
    hand_over(&stand, &left, 100 * NS_PER_MS);
    measure(&stand, 3);
    assert_int_equal(permit(&stand), PERMIT_HOLD);
    assert_true(hold_runs(&stand.core->holds, BRANCH_A, stand.t_ns));
    live(&stand, 3, 2 * NS_PER_S);
    assert_int_equal(permit(&stand), PERMIT_HELD);
    stand_stop(&stand);
}

static void an_emergency_goes_on(void **state)
{
    (void)state;
    struct stand stand;
    struct succession left;
    lend(&stand);
    measure(&stand, 30);
    assert_true(stand.core->emergencies.node[BRANCH_A].active);
    hand_over(&stand, &left, 100 * NS_PER_MS);
    assert_true(stand.core->emergencies.node[BRANCH_A].active);
    assert_true(emergency_forbids_raise(&stand.core->emergencies, 0, stand.t_ns));
    stand_stop(&stand);
}

/* A limit that a sag lowered is that low from the first slot on. */
static void a_lowered_limit_stays_lowered(void **state)
{
    (void)state;
    struct stand stand;
    struct succession left;
    lend(&stand);
    stand.core->emergencies.node[BRANCH_A].scale_ppm = 900000;
    stand.core->emergencies.node[BRANCH_A].volts_ppm = 900000;
    stand.core->emergencies.node[BRANCH_A].limit_lowered = true;
    hand_over(&stand, &left, 100 * NS_PER_MS);
    assert_int_equal(stand.core->ledger.node[BRANCH_A].steady_mva[0][0], BRANCH_MVA / 10 * 9);
    stand_stop(&stand);
}

static bool started(const struct stand *stand)
{
    return heat(stand)->started;
}

/* Handed over with one thing wrong: its meter starts as after any start, and what was lent is cut. */
static void refused(struct stand *stand, const struct succession *left)
{
    succession_restart(stand);
    succession_accounts(stand, left->account);
    succession_records(stand, left);
    assert_false(started(stand));
    assert_int_equal(stand_counters(stand)->handed, STAND_HOSTS);
    measure(stand, LOAD_KW);
    assert_int_not_equal(permit(stand), PERMIT_HELD);
    assert_true(largest_heat(stand) >= HEAT_ONE / 10 * 9);
    const struct egress *lease = old_report(stand, 0);
    assert_non_null(lease);
    assert_true(lease->cap_mw < CAP_MAX_MW);
}

static void a_record_with_a_fault_counts_for_nothing(void **state)
{
    (void)state;
    struct stand stand;
    struct succession whole, left;
    lend(&stand);
    succession_of(&stand, &whole);
    for (uint32_t i = 1; i <= 18; i++) {    /* loads, volts, times, heat, the mark of D */
        left = whole, left.word[BRANCH_A][i] = -1;
        refused(&stand, &left);
    }
    left = whole, left.word[BRANCH_A][13] = HEAT_ONE + 1;
    refused(&stand, &left);
    left = whole, left.word[BRANCH_A][10] = stand.t_ns + 1;
    refused(&stand, &left);
    left = whole, left.word[BRANCH_A][0] &= ~1;
    refused(&stand, &left);
    left = whole, left.words[BRANCH_A]--;
    refused(&stand, &left);
    left = whole, left.words[BRANCH_A]++;
    refused(&stand, &left);
    stand_stop(&stand);
}

static void records_count_only_behind_whole_accounts_and_before_anything_else(void **state)
{
    (void)state;
    struct stand stand;
    struct succession left;
    lend(&stand);
    succession_of(&stand, &left);
    succession_restart(&stand);
    succession_records(&stand, &left);
    assert_false(started(&stand));
    succession_accounts(&stand, left.account);
    assert_int_equal(stand_counters(&stand)->handed, 0);
    succession_restart(&stand);
    left.account[1].epoch--;
    succession_accounts(&stand, left.account);
    succession_records(&stand, &left);
    assert_false(started(&stand));
    left.account[1].epoch = left.account[0].epoch;
    succession_restart(&stand);
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        left.account[h].epoch = stand.epoch - 1;
    succession_accounts(&stand, left.account);
    stand_tick(&stand);
    succession_records(&stand, &left);
    assert_false(started(&stand));
    stand_stop(&stand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_lent_stays_over_a_hand_over),
        cmocka_unit_test(heat_is_that_of_a_controller_that_heard_nothing),
        cmocka_unit_test(what_hosts_might_have_drawn_heats_the_gap),
        cmocka_unit_test(what_accounts_say_heats_the_gap_too),
        cmocka_unit_test(until_a_reading_comes_no_host_below_is_sent_anything),
        cmocka_unit_test(without_a_reading_they_come_down_after_t_fresh),
        cmocka_unit_test(a_host_that_resets_meanwhile_brings_them_down_at_once),
        cmocka_unit_test(a_frozen_meter_stays_frozen),
        cmocka_unit_test(doubt_goes_on_where_it_stood),
        cmocka_unit_test(a_hold_runs_on),
        cmocka_unit_test(an_emergency_goes_on),
        cmocka_unit_test(a_lowered_limit_stays_lowered),
        cmocka_unit_test(a_record_with_a_fault_counts_for_nothing),
        cmocka_unit_test(records_count_only_behind_whole_accounts_and_before_anything_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
