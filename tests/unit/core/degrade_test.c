/* SPDX-License-Identifier: Apache-2.0 */
/* Every row of the degradation table that the decision sees: in, counted, out, by itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/core.h"
#include "stand.h"

static const struct degrade_row *row_of(const struct stand *stand, enum degradation row)
{
    return core_degraded(stand->core, row);
}

/* Everybody heard, every host admitted: nothing is in any row. */
static void start_well(struct stand *stand)
{
    for (uint32_t n = 0; n < STAND_NODES; n++)
        stand_reading(stand, n, 1000000);
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        stand_admit(stand, h);
    for (uint32_t n = 0; n < STAND_NODES; n++)
        stand_reading(stand, n, 1000000);
    stand_tick(stand);
}

static void begin(struct stand *stand)
{
    stand_site(stand);
    stand_start(stand);
    start_well(stand);
}

static void check(const struct stand *stand, enum degradation row, uint32_t now, uint64_t entered)
{
    assert_int_equal(row_of(stand, row)->now, now);
    assert_int_equal(row_of(stand, row)->entered, entered);
    assert_int_equal(row_of(stand, row)->left, entered - now);
}

/* No row but this one has anybody in it. */
static void check_alone(const struct stand *stand, enum degradation row)
{
    for (uint32_t i = 0; i < DEGRADATION_COUNT; i++)
        assert_true(i == row || row_of(stand, i)->now == 0);
}

static void wait_heard(struct stand *stand, int64_t ns, uint32_t but_host, uint32_t but_meter)
{
    for (int64_t end_ns = stand->t_ns + ns; stand->t_ns < end_ns; stand_wait(stand, 20 * NS_PER_MS)) {
        for (uint32_t n = 0; n < STAND_NODES; n++)
            if (n != but_meter)
                stand_reading(stand, n, 1000000 + (int64_t)(stand->readings % 7) * 100);
        for (uint32_t h = 0; h < STAND_HOSTS; h++)
            if (h != but_host)
                stand_obey(stand, h);
        stand_tick(stand);
    }
}

static void a_site_that_is_well_is_in_no_row(void **state)
{
    (void)state;
    struct stand stand;
    begin(&stand);
    wait_heard(&stand, 3 * NS_PER_S, INDEX_NONE, INDEX_NONE);
    for (uint32_t row = 0; row < DEGRADATION_COUNT; row++) {
        check(&stand, row, 0, 0);
        assert_int_equal(row_of(&stand, row)->newest, INDEX_NONE);
    }
    stand_stop(&stand);
}

static void a_silent_meter_is_in_after_t_fresh_and_out_with_its_next_reading(void **state)
{
    (void)state;
    struct stand stand;
    begin(&stand);
    int64_t read_ns = stand.t_ns;
    for (uint32_t n = 0; n < STAND_NODES; n++)
        stand_reading(&stand, n, 1000000);
    stand.t_ns = read_ns + T_FRESH_NS;
    stand_tick(&stand);
    check(&stand, DEGRADED_METER, 0, 0);
    stand_reading(&stand, MAIN, 1000000);
    stand_reading(&stand, BRANCH_A, 1000000);
    stand_wait(&stand, 1);
    stand_tick(&stand);
    check(&stand, DEGRADED_METER, 1, 1);
    check_alone(&stand, DEGRADED_METER);
    assert_int_equal(row_of(&stand, DEGRADED_METER)->newest, BRANCH_B);
    assert_int_equal(row_of(&stand, DEGRADED_METER)->since_ns, stand.t_ns);
    stand_tick(&stand);                 /* counted once */
    check(&stand, DEGRADED_METER, 1, 1);
    stand_reading(&stand, BRANCH_B, 1000000);
    check(&stand, DEGRADED_METER, 0, 1);
    assert_int_equal(row_of(&stand, DEGRADED_METER)->newest, INDEX_NONE);
    stand_stop(&stand);
}

/* `since` is the first one's, `newest` the last one's, and where that one is back somebody who is still
 * in. */
static void several_meters_are_told_by_the_newest_and_since_the_first(void **state)
{
    (void)state;
    struct stand stand;
    begin(&stand);
    wait_heard(&stand, 100 * NS_PER_MS, INDEX_NONE, BRANCH_A);
    int64_t since_ns = row_of(&stand, DEGRADED_METER)->since_ns;
    stand_wait(&stand, T_FRESH_NS + 1);
    stand_reading(&stand, MAIN, 1000000);
    stand_tick(&stand);
    check(&stand, DEGRADED_METER, 2, 2);
    assert_int_equal(row_of(&stand, DEGRADED_METER)->newest, BRANCH_B);
    assert_int_equal(row_of(&stand, DEGRADED_METER)->since_ns, since_ns);
    stand_reading(&stand, BRANCH_B, 1000000);
    stand_tick(&stand);
    assert_int_equal(row_of(&stand, DEGRADED_METER)->newest, BRANCH_A);
    stand_stop(&stand);
}

static void a_meter_of_which_worse_is_known_is_in_although_it_sends(void **state)
{
    (void)state;
    struct stand stand;
    begin(&stand);
    struct reading reading = {.meter = BRANCH_A, .voltage_mv = {100000, 100000, 100000}};
    struct degrade *degrade = &stand.core->degrade;
    degrade_reading(degrade, &reading, METER_IS_FROZEN, stand.t_ns);
    check(&stand, DEGRADED_METER, 1, 1);
    degrade_reading(degrade, &reading, METER_IS_IMPLAUSIBLE, stand.t_ns);
    check(&stand, DEGRADED_METER, 1, 1);
    degrade_reading(degrade, &reading, 0, stand.t_ns);
    check(&stand, DEGRADED_METER, 0, 1);
    stand_stop(&stand);
}

static void a_silent_agent_is_in_after_a_lease_time_and_out_with_its_next_report(void **state)
{
    (void)state;
    struct stand stand;
    begin(&stand);
    int64_t told_ns = stand.t_ns;
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        stand_obey(&stand, h);
    wait_heard(&stand, NS_PER_S - 20 * NS_PER_MS, 2, INDEX_NONE);
    stand.t_ns = told_ns + NS_PER_S;
    stand_tick(&stand);
    check(&stand, DEGRADED_AGENT, 0, 0);
    stand_wait(&stand, 1);
    stand_tick(&stand);
    check(&stand, DEGRADED_AGENT, 1, 1);
    assert_int_equal(row_of(&stand, DEGRADED_AGENT)->newest, 2);
    check_alone(&stand, DEGRADED_AGENT);
    stand_obey(&stand, 2);
    check(&stand, DEGRADED_AGENT, 0, 1);
    stand_stop(&stand);
}

/* A host that nobody has bounded yet has lost nothing; one that starts anew has. */
static void a_host_that_starts_anew_has_lost_its_cap_until_it_is_bounded_again(void **state)
{
    (void)state;
    struct stand stand;
    stand_site(&stand);
    stand_start(&stand);
    struct report first = stand_report_of(&stand, 1, HOST_BOOT, 0);
    stand_report(&stand, &first);
    check(&stand, DEGRADED_CAP, 0, 0);
    start_well(&stand);
    check(&stand, DEGRADED_CAP, 0, 0);
    stand.host[1].incarnation++;
    stand.host[1].number = 0;
    struct report report = stand_report_of(&stand, 1, HOST_BOOT, 0);
    stand_report(&stand, &report);
    check(&stand, DEGRADED_CAP, 1, 1);
    assert_int_equal(row_of(&stand, DEGRADED_CAP)->newest, 1);
    check_alone(&stand, DEGRADED_CAP);
    stand_admit(&stand, 1);
    check(&stand, DEGRADED_CAP, 0, 1);
    stand_stop(&stand);
}

static void a_foreign_limit_or_a_lost_device_is_a_lost_cap(void **state)
{
    (void)state;
    static const uint32_t flags[] = {REPORT_FOREIGN_LIMIT, REPORT_DEVICE_LOST};
    for (uint32_t i = 0; i < 2; i++) {
        struct stand stand;
        begin(&stand);
        stand.host[3].flags = flags[i];
        stand_obey(&stand, 3);
        check(&stand, DEGRADED_CAP, 1, 1);
        check_alone(&stand, DEGRADED_CAP);
        stand.host[3].flags = 0;
        stand_admit(&stand, 3);
        check(&stand, DEGRADED_CAP, 0, 1);
        stand_stop(&stand);
    }
}

/* Cut, heard, and it goes on showing what it had: X, A and D / 2 later that is a cut not applied. */
/* Of a host that was never bounded nobody can say that its cap is lost; of a device that is gone one can. */
static void a_lost_device_is_a_lost_cap_from_the_first_report_on(void **state)
{
    (void)state;
    struct stand stand;
    stand_site(&stand);
    stand_start(&stand);
    stand_obey(&stand, 2);
    check(&stand, DEGRADED_CAP, 0, 0);
    stand.host[3].flags = REPORT_DEVICE_LOST;
    stand_obey(&stand, 3);
    check(&stand, DEGRADED_CAP, 1, 1);
    assert_int_equal(row_of(&stand, DEGRADED_CAP)->newest, 3);
    stand_stop(&stand);
}

static void a_cut_that_is_not_applied_is_a_lost_cap(void **state)
{
    (void)state;
    struct stand stand;
    begin(&stand);
    stand.host[0].draw_mw = CAP_MAX_MW;
    stand.host[0].flags = REPORT_AT_CAP;
    wait_heard(&stand, 2 * NS_PER_S, INDEX_NONE, INDEX_NONE);
    const struct egress had = stand.host[0].last;
    assert_true(had.cap_mw > 2 * FAIL_SAFE_MW);
    ledger_scale_limit(&stand.core->ledger, BRANCH_A, 500000);
    int64_t cut_ns = stand.t_ns, within_ns = 1722 * NS_PER_MS;
    while (stand.t_ns < cut_ns + 2 * NS_PER_S) {
        wait_heard(&stand, 20 * NS_PER_MS, 0, INDEX_NONE);
        struct report report = stand_report_of(&stand, 0, HOST_LEASED, A_NS);
        report.applied = had.sequence;
        report.cap_mw = report.readback_mw = had.cap_mw;
        stand_report(&stand, &report);
        if (stand.t_ns < cut_ns + within_ns)
            check(&stand, DEGRADED_CAP, 0, 0);
    }
    check(&stand, DEGRADED_CAP, 1, 1);
    assert_int_equal(row_of(&stand, DEGRADED_CAP)->newest, 0);
    check_alone(&stand, DEGRADED_CAP);
    stand_obey(&stand, 0);
    check(&stand, DEGRADED_CAP, 0, 1);
    stand_stop(&stand);
}

/* Silent for two seconds in between: the first report after that says nothing of obeying yet. */
static void a_host_that_was_silent_has_its_time_to_apply_a_cut(void **state)
{
    (void)state;
    struct stand stand;
    begin(&stand);
    stand.host[0].draw_mw = CAP_MAX_MW;
    stand.host[0].flags = REPORT_AT_CAP;
    wait_heard(&stand, 2 * NS_PER_S, INDEX_NONE, INDEX_NONE);
    const struct egress had = stand.host[0].last;
    ledger_scale_limit(&stand.core->ledger, BRANCH_A, 500000);
    struct report report = stand_report_of(&stand, 0, HOST_LEASED, A_NS);
    report.applied = had.sequence;
    report.cap_mw = report.readback_mw = had.cap_mw;
    stand_report(&stand, &report);
    wait_heard(&stand, 2 * NS_PER_S, 0, INDEX_NONE);
    check(&stand, DEGRADED_AGENT, 1, 1);
    report.number = ++stand.host[0].number;
    stand_report(&stand, &report);
    check(&stand, DEGRADED_AGENT, 0, 1);
    check(&stand, DEGRADED_CAP, 0, 0);
    stand_stop(&stand);
}

/* Host 0 holds what it had although it was cut, and says so: X, A and D / 2 are 1722 ms and a little. */
static struct report above_its_lease(struct stand *stand)
{
    begin(stand);
    stand->host[0].draw_mw = CAP_MAX_MW;
    stand->host[0].flags = REPORT_AT_CAP;
    wait_heard(stand, 2 * NS_PER_S, INDEX_NONE, INDEX_NONE);
    const struct egress had = stand->host[0].last;
    ledger_scale_limit(&stand->core->ledger, BRANCH_A, 500000);
    struct report report = stand_report_of(stand, 0, HOST_LEASED, A_NS);
    report.applied = had.sequence;
    report.cap_mw = report.readback_mw = had.cap_mw;
    stand_report(stand, &report);
    const struct ledger_host *h = &stand->core->ledger.host[0];
    assert_true(h->bounded && h->exposed_draw_mw > h->newest_draw_mw);
    return report;
}

/* Silence is no time in which it was heard not to obey: what it then says counts from then on. */
static void silence_is_no_time_in_which_a_cut_was_not_applied(void **state)
{
    (void)state;
    struct stand stand;
    struct report report = above_its_lease(&stand);
    struct core *core = stand.core;
    struct degrade *degrade = &core->degrade;
    int64_t t_ns = stand.t_ns;
    degrade_report(degrade, &core->ledger, &report, t_ns);
    degrade_report(degrade, &core->ledger, &report, t_ns + NS_PER_S);
    degrade_scan(degrade, &core->ledger, core->detect, t_ns + 2 * NS_PER_S, 100);
    assert_true(degrade->host[0] >> DEGRADED_AGENT & 1);
    t_ns += 2100 * NS_PER_MS;
    degrade_report(degrade, &core->ledger, &report, t_ns);
    check(&stand, DEGRADED_CAP, 0, 0);
    degrade_report(degrade, &core->ledger, &report, t_ns + 1700 * NS_PER_MS);
    check(&stand, DEGRADED_CAP, 0, 0);
    degrade_report(degrade, &core->ledger, &report, t_ns + 1730 * NS_PER_MS);
    check(&stand, DEGRADED_CAP, 1, 1);
    stand_stop(&stand);
}

/* What it may draw at most falls by 10 W every half second, as receipts of a slow device show: it is on
 * its way. Then it falls no more. */
static void a_cut_that_makes_progress_is_being_applied(void **state)
{
    (void)state;
    struct stand stand;
    struct report report = above_its_lease(&stand);
    struct core *core = stand.core;
    int64_t t_ns = stand.t_ns;
    for (int i = 0; i < 40; i++, t_ns += 100 * NS_PER_MS) {
        core->ledger.host[0].unretired[0].cap_mw -= i % 5 ? 0 : 10000;
        degrade_report(&core->degrade, &core->ledger, &report, t_ns);
        check(&stand, DEGRADED_CAP, 0, 0);
    }
    for (int i = 0; i < 20; i++, t_ns += 100 * NS_PER_MS)
        degrade_report(&core->degrade, &core->ledger, &report, t_ns);
    check(&stand, DEGRADED_CAP, 1, 1);
    stand_stop(&stand);
}

/* The newest is named while it is in; when it is back, one of those that still are. */
static void several_agents_are_told_by_one_that_is_in(void **state)
{
    (void)state;
    struct stand stand;
    begin(&stand);
    struct core *core = stand.core;
    core->degrade.cursor = 0;
    degrade_scan(&core->degrade, &core->ledger, core->detect, stand.t_ns + 2 * NS_PER_S, 100);
    check(&stand, DEGRADED_AGENT, STAND_HOSTS, STAND_HOSTS);
    assert_int_equal(row_of(&stand, DEGRADED_AGENT)->newest, STAND_HOSTS - 1);
    stand_obey(&stand, STAND_HOSTS - 1);
    assert_int_equal(row_of(&stand, DEGRADED_AGENT)->newest, INDEX_NONE);
    degrade_scan(&core->degrade, &core->ledger, core->detect, stand.t_ns, 100);
    assert_int_equal(row_of(&stand, DEGRADED_AGENT)->newest, 0);
    stand_stop(&stand);
}

static void where_nothing_is_enforced_no_cap_is_lost(void **state)
{
    (void)state;
    struct stand stand;
    begin(&stand);
    stand.host[1].flags = REPORT_FOREIGN_LIMIT;
    stand_obey(&stand, 1);
    check(&stand, DEGRADED_CAP, 1, 1);
    ledger_enforce(&stand.core->ledger, false);
    stand_tick(&stand);
    check(&stand, DEGRADED_CAP, 0, 1);
    stand_obey(&stand, 0);
    check(&stand, DEGRADED_CAP, 0, 1);
    stand_stop(&stand);
}

static void a_host_that_obeys_a_newer_controller_is_in_until_it_obeys_this_one(void **state)
{
    (void)state;
    struct stand stand;
    begin(&stand);
    struct report report = stand_report_of(&stand, 0, HOST_LEASED, A_NS);
    report.epoch = stand.epoch + 1;
    stand_report(&stand, &report);
    check(&stand, DEGRADED_CONTROLLER, 1, 1);
    assert_int_equal(row_of(&stand, DEGRADED_CONTROLLER)->newest, 0);
    stand_admit(&stand, 0);
    check(&stand, DEGRADED_CONTROLLER, 0, 1);
    stand_stop(&stand);
}

/* ---- feeds ---- */

static void read_volts(struct stand *stand, uint32_t node, int64_t voltage_mv)
{
    struct slot slot;
    memset(&slot, 0, sizeof slot);
    slot.kind = SLOT_READING;
    slot.reading = (struct reading){.meter = node, .sequence = ++stand->readings, .crest_milli = 1414};
    for (uint32_t p = 0; p < PHASES; p++)
        slot.reading.voltage_mv[p] = voltage_mv;
    stand_step(stand, &slot);
}

static void begin_with_feeds(struct stand *stand)
{
    stand_site(stand);
    stand->model.contingency_count = 3;
    for (uint32_t c = 1; c < 3; c++)
        stand->model.contingency[c] =
            (struct model_contingency){.kind = CONTINGENCY_LOSS, .lasting = 1, .lost_node = c, .witness = c};
    for (uint32_t n = 0; n < STAND_NODES; n++)
        for (uint32_t i = 0; i < 2 * PHASES; i++)
            stand->node[n].limit_mva[1 + i / PHASES][i % PHASES] = stand->node[n].limit_mva[0][0];
    stand->model.policy.feed_stable_ns = 2 * NS_PER_S;
    stand_start(stand);
    start_well(stand);
}

static void a_dead_feed_is_in_at_once_and_out_when_it_was_stable(void **state)
{
    (void)state;
    struct stand stand;
    begin_with_feeds(&stand);
    check(&stand, DEGRADED_FEED, 0, 0);
    read_volts(&stand, BRANCH_A, 49999);
    check(&stand, DEGRADED_FEED, 1, 1);
    assert_int_equal(row_of(&stand, DEGRADED_FEED)->newest, 1);
    check_alone(&stand, DEGRADED_FEED);
    read_volts(&stand, BRANCH_A, 50000);
    int64_t back_ns = stand.t_ns;
    stand.t_ns = back_ns + 2 * NS_PER_S - 1;
    read_volts(&stand, BRANCH_A, 100000);
    check(&stand, DEGRADED_FEED, 1, 1);
    stand.t_ns = back_ns + 2 * NS_PER_S;
    read_volts(&stand, BRANCH_A, 100000);
    check(&stand, DEGRADED_FEED, 0, 1);
    stand_stop(&stand);
}

static void a_feed_that_fails_again_waits_anew(void **state)
{
    (void)state;
    struct stand stand;
    begin_with_feeds(&stand);
    read_volts(&stand, BRANCH_A, 0);
    stand_wait(&stand, 20 * NS_PER_MS);
    read_volts(&stand, BRANCH_A, 100000);
    stand_wait(&stand, 1990 * NS_PER_MS);
    read_volts(&stand, BRANCH_A, 0);
    stand_wait(&stand, 20 * NS_PER_MS);
    read_volts(&stand, BRANCH_A, 100000);
    check(&stand, DEGRADED_FEED, 1, 1);
    stand_stop(&stand);
}

static void a_feed_that_nobody_sees_counts_as_lost(void **state)
{
    (void)state;
    struct stand stand;
    begin_with_feeds(&stand);
    wait_heard(&stand, 100 * NS_PER_MS, INDEX_NONE, BRANCH_B);
    check(&stand, DEGRADED_METER, 1, 1);
    check(&stand, DEGRADED_FEED, 1, 1);
    assert_int_equal(row_of(&stand, DEGRADED_FEED)->newest, 2);
    stand_reading(&stand, BRANCH_B, 1000100);
    check(&stand, DEGRADED_METER, 0, 1);
    check(&stand, DEGRADED_FEED, 1, 1);
    stand_stop(&stand);
}

/* Where a reserve is lent against a feed, what permits know of it is what counts. */
static void a_feed_that_is_lent_against_follows_its_permits(void **state)
{
    (void)state;
    struct stand stand;
    begin_with_feeds(&stand);
    struct degrade *degrade = &stand.core->degrade;
    degrade_feeds(degrade, 4, 0, degrade->start_ns + NS_PER_S);     /* nobody has seen it yet */
    check(&stand, DEGRADED_FEED, 0, 0);
    degrade_feeds(degrade, 4, 4, stand.t_ns);
    read_volts(&stand, BRANCH_B, 0);
    check(&stand, DEGRADED_FEED, 0, 0);
    degrade_feeds(degrade, 4, 0, stand.t_ns);
    check(&stand, DEGRADED_FEED, 1, 1);
    assert_int_equal(row_of(&stand, DEGRADED_FEED)->newest, 2);
    degrade_feeds(degrade, 4, 4, stand.t_ns);
    check(&stand, DEGRADED_FEED, 0, 1);
    read_volts(&stand, BRANCH_A, 0);        /* its witness alone */
    check(&stand, DEGRADED_FEED, 1, 2);
    stand_stop(&stand);
}

/* The first contingency that is a loss, too; and when nothing is lent against it any more its witness
 * alone says when it was alive for long enough: since the start, as nobody has seen it dead. */
static void a_feed_that_is_lent_against_no_more_follows_its_witness(void **state)
{
    (void)state;
    struct stand stand;
    begin_with_feeds(&stand);
    struct degrade *degrade = &stand.core->degrade;
    int64_t start_ns = degrade->start_ns;
    degrade_feeds(degrade, 2, 0, start_ns + NS_PER_S);
    check(&stand, DEGRADED_FEED, 0, 0);
    degrade_feeds(degrade, 2, 0, start_ns + NS_PER_S + 1);
    check(&stand, DEGRADED_FEED, 1, 1);
    assert_int_equal(row_of(&stand, DEGRADED_FEED)->newest, 1);
    degrade_feeds(degrade, 0, 0, start_ns + NS_PER_S + 2);
    stand.t_ns = start_ns + 2 * NS_PER_S - 1;
    read_volts(&stand, BRANCH_A, 100000);
    check(&stand, DEGRADED_FEED, 1, 1);
    stand.t_ns = start_ns + 2 * NS_PER_S;
    read_volts(&stand, BRANCH_A, 100000);
    check(&stand, DEGRADED_FEED, 0, 1);
    stand_stop(&stand);
}

/* One that nobody sees for a lease time after the start is lost. */
static void a_feed_that_nobody_ever_saw_is_in_after_a_lease_time(void **state)
{
    (void)state;
    struct stand stand;
    begin_with_feeds(&stand);
    struct degrade *degrade = &stand.core->degrade;
    degrade_feeds(degrade, 4, 0, degrade->start_ns + NS_PER_S + 1);
    check(&stand, DEGRADED_FEED, 1, 1);
    stand_stop(&stand);
}

static void a_start_names_nobody(void **state)
{
    (void)state;
    struct stand stand;
    stand_site(&stand);
    stand_start(&stand);
    for (uint32_t row = 0; row < DEGRADATION_COUNT; row++)
        assert_int_equal(row_of(&stand, row)->newest, INDEX_NONE);
    stand_stop(&stand);
}

/* One at a time: every meter and every host is looked at once in as many looks as there are of both. */
static void a_round_looks_at_everybody_once(void **state)
{
    (void)state;
    struct stand stand;
    begin(&stand);
    struct core *core = stand.core;
    core->degrade.cursor = 0;
    for (uint32_t i = 1; i <= STAND_METERS + STAND_HOSTS; i++) {
        degrade_scan(&core->degrade, &core->ledger, core->detect, stand.t_ns + 2 * NS_PER_S, 1);
        uint32_t meters = i < STAND_METERS ? i : STAND_METERS, hosts = i - meters;
        check(&stand, DEGRADED_METER, meters, meters);
        check(&stand, DEGRADED_AGENT, hosts, hosts);
    }
    assert_int_equal(core->degrade.cursor, 0);
    stand_stop(&stand);
}

/* What was bounded before nothing was enforced has lost nothing when something is again. */
static void a_cap_from_before_is_not_lost_when_caps_are_set_again(void **state)
{
    (void)state;
    struct stand stand;
    begin(&stand);
    ledger_enforce(&stand.core->ledger, false);
    stand_tick(&stand);
    ledger_enforce(&stand.core->ledger, true);
    struct report report = stand_report_of(&stand, 0, HOST_LEASED, 0);  /* has not held for A yet */
    stand_report(&stand, &report);
    assert_false(stand.core->ledger.host[0].bounded);
    check(&stand, DEGRADED_CAP, 0, 0);
    stand_obey(&stand, 0);
    assert_true(stand.core->ledger.host[0].bounded);
    stand.host[0].incarnation++;
    stand.host[0].number = 0;
    report = stand_report_of(&stand, 0, HOST_BOOT, 0);
    stand_report(&stand, &report);
    check(&stand, DEGRADED_CAP, 1, 1);
    stand_stop(&stand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_site_that_is_well_is_in_no_row),
        cmocka_unit_test(a_silent_meter_is_in_after_t_fresh_and_out_with_its_next_reading),
        cmocka_unit_test(several_meters_are_told_by_the_newest_and_since_the_first),
        cmocka_unit_test(a_meter_of_which_worse_is_known_is_in_although_it_sends),
        cmocka_unit_test(a_silent_agent_is_in_after_a_lease_time_and_out_with_its_next_report),
        cmocka_unit_test(a_host_that_starts_anew_has_lost_its_cap_until_it_is_bounded_again),
        cmocka_unit_test(a_foreign_limit_or_a_lost_device_is_a_lost_cap),
        cmocka_unit_test(a_lost_device_is_a_lost_cap_from_the_first_report_on),
        cmocka_unit_test(a_cut_that_is_not_applied_is_a_lost_cap),
        cmocka_unit_test(a_host_that_was_silent_has_its_time_to_apply_a_cut),
        cmocka_unit_test(silence_is_no_time_in_which_a_cut_was_not_applied),
        cmocka_unit_test(a_cut_that_makes_progress_is_being_applied),
        cmocka_unit_test(several_agents_are_told_by_one_that_is_in),
        cmocka_unit_test(a_feed_that_is_lent_against_no_more_follows_its_witness),
        cmocka_unit_test(where_nothing_is_enforced_no_cap_is_lost),
        cmocka_unit_test(a_host_that_obeys_a_newer_controller_is_in_until_it_obeys_this_one),
        cmocka_unit_test(a_dead_feed_is_in_at_once_and_out_when_it_was_stable),
        cmocka_unit_test(a_feed_that_fails_again_waits_anew),
        cmocka_unit_test(a_feed_that_nobody_sees_counts_as_lost),
        cmocka_unit_test(a_feed_that_is_lent_against_follows_its_permits),
        cmocka_unit_test(a_feed_that_nobody_ever_saw_is_in_after_a_lease_time),
        cmocka_unit_test(a_start_names_nobody),
        cmocka_unit_test(a_round_looks_at_everybody_once),
        cmocka_unit_test(a_cap_from_before_is_not_lost_when_caps_are_set_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
