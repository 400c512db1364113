/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Permits through the whole pipeline: safety.md section 5 (I3). Branch A carries 140 A steady at 100 V under
 * a device that heats with 20 s; its two hosts may draw 200 A. T_fresh is 50 ms, a window 16 ms: a reading
 * lends for 34 ms from its arrival.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/core.h"
#include "stand.h"

#define PERIOD_NS (16 * NS_PER_MS)
#define LENDS_NS (T_FRESH_NS - PERIOD_NS)

static void give_device(struct stand *stand)
{
    struct breaker *breaker = &stand->node[BRANCH_A].breaker;
    breaker->element_count = 1;
    breaker->element[0] = (struct breaker_element){
        .law = BREAKER_IMAGE, .role = ELEMENT_LONG_TIME, .pickup_ma = 183750,
        .heat_ns = 20 * NS_PER_S, .heat_fast_ns = 20 * NS_PER_S, .fast_above_ma = INT64_MAX,
        .cool_ns = 25 * NS_PER_S};
    stand->node[BRANCH_A].lend = 1;
}

static void set_heat(struct stand *stand, double heat)
{
    for (uint32_t p = 0; p < PHASES; p++)
        stand->core->heat.meter[BRANCH_A].state.part[0][p] = (int64_t)(heat * (double)HEAT_ONE);
}

static enum permit permit(const struct stand *stand)
{
    return permit_of(&stand->core->permits, BRANCH_A);
}

static int64_t limit_mva(const struct stand *stand)
{
    return stand->core->ledger.node[BRANCH_A].limit_mva[0][0];
}

static int64_t newest_mva(const struct stand *stand)
{
    return stand->core->ledger.node[BRANCH_A].newest_mva[0][0];
}

/* A meter's readings are never alike. */
static void measure(struct stand *stand, int64_t kilowatts)
{
    stand_reading(stand, BRANCH_A, kilowatts * 1000000 + (int64_t)(stand->readings % 7) * 100);
}

static void measure_unsure(struct stand *stand, int64_t kilowatts)
{
    struct slot slot;
    memset(&slot, 0, sizeof slot);
    slot.kind = SLOT_READING;
    slot.reading = (struct reading){.meter = BRANCH_A, .flags = READING_UNSURE, .sequence = ++stand->readings,
        .t_meter_ns = stand->t_ns, .t_arrival_ns = stand->t_ns, .crest_milli = 1414, .frequency_mhz = 60000};
    for (uint32_t p = 0; p < PHASES; p++) {
        slot.reading.power_mw[p] = kilowatts * 1000000 + (int64_t)(stand->readings % 7) * 100;
        slot.reading.voltage_mv[p] = 100000;
        slot.reading.current_ma[p] = slot.reading.power_mw[p] / 100;
    }
    stand_step(stand, &slot);
}

/* Hosts go on obeying and reporting, the branch is read every 16 ms. */
static void live(struct stand *stand, int64_t kilowatts, int64_t ns)
{
    for (int64_t end_ns = stand->t_ns + ns; stand->t_ns < end_ns;) {
        stand_run(stand, 15 * NS_PER_MS);
        stand_wait(stand, NS_PER_MS);
        measure(stand, kilowatts);
    }
}

static void ask_for_all(struct stand *stand)
{
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        stand_admit(stand, h);
    for (uint32_t h = 0; h < 2; h++) {
        stand->host[h].draw_mw = 1400000;
        stand->host[h].flags = REPORT_AT_CAP;
    }
}

/* Cold, both hosts of the branch asking for all there is. */
static void start_lending(struct stand *stand)
{
    stand_site(stand);
    give_device(stand);
    stand_start(stand);
    ask_for_all(stand);
    measure(stand, 3);
    set_heat(stand, 0.2);
    live(stand, 3, 2 * NS_PER_S);
    live(stand, 12, NS_PER_S);
    assert_int_equal(permit(stand), PERMIT_HELD);
}

static void under_a_permit_leases_pass_the_steady_limit(void **state)
{
    (void)state;
    struct stand stand;
    start_lending(&stand);
    assert_true(limit_mva(&stand) > BRANCH_MVA);
    assert_true(newest_mva(&stand) > BRANCH_MVA);
    assert_int_equal(stand.host[0].last.cap_mw, CAP_MAX_MW);
    assert_int_equal(stand_counters(&stand)->invariant_failures, 0);
    stand_stop(&stand);
}

static void without_the_sites_leave_nothing_is_lent(void **state)
{
    (void)state;
    struct stand stand;
    stand_site(&stand);
    give_device(&stand);
    stand.node[BRANCH_A].lend = 0;
    stand_start(&stand);
    ask_for_all(&stand);
    measure(&stand, 3);
    set_heat(&stand, 0.2);
    live(&stand, 3, 3 * NS_PER_S);
    assert_int_equal(permit(&stand), PERMIT_NONE);
    assert_int_equal(limit_mva(&stand), BRANCH_MVA);
    assert_true(newest_mva(&stand) <= BRANCH_MVA);
    stand_stop(&stand);
}

/* A slot that says nothing about the branch. */
static void any_slot(struct stand *stand)
{
    struct slot slot;
    memset(&slot, 0, sizeof slot);
    slot.kind = SLOT_REFUSED;
    stand_step(stand, &slot);
}

static void a_permit_lapses_by_time_and_all_hosts_come_down_in_that_slot(void **state)
{
    (void)state;
    struct stand stand;
    start_lending(&stand);
    stand_wait(&stand, LENDS_NS);
    any_slot(&stand);
    assert_int_equal(permit(&stand), PERMIT_HELD);
    assert_int_equal(stand.outbox.count, 0);
    stand_wait(&stand, 1);
    any_slot(&stand);
    assert_int_equal(permit(&stand), PERMIT_STALE);
    assert_int_equal(limit_mva(&stand), BRANCH_MVA);
    assert_int_equal(stand.outbox.count, 2);
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(stand.record[i].why, WHY_LIMIT);
        assert_in_range(stand.record[i].cap_mw, 6990000, 7000000); /* alike, and all that fits */
    }
    assert_true(newest_mva(&stand) <= BRANCH_MVA);
    assert_true(stand.core->recovering);                    /* what was lent is still out */
    assert_int_equal(stand_counters(&stand)->recoveries_limit, 1);
    assert_int_equal(stand.core->ledger.node[BRANCH_A].recovery_by, RECOVERY_LIMIT);
    live(&stand, 12, NS_PER_S);
    assert_false(stand.core->recovering);
    stand_stop(&stand);
}

/* The order that comes with the lapse finds both hosts cut in its slot already: it changes their leases. */
static void a_contract_and_a_lapse_in_one_slot_give_each_host_one_lease(void **state)
{
    (void)state;
    struct stand stand;
    struct slot slot;
    start_lending(&stand);
    stand_wait(&stand, LENDS_NS + 1);
    memset(&slot, 0, sizeof slot);
    slot.kind = SLOT_ORDER;
    slot.order = (struct slot_order){.number = 1, .kind = ORDER_CAP, .node = BRANCH_A, .value_mw = 9000000};
    stand_step(&stand, &slot);
    assert_int_equal(permit(&stand), PERMIT_STALE);
    assert_int_equal(stand_counters(&stand)->trims, 1);
    assert_int_equal(stand.outbox.count, 2);
    assert_int_equal(stand.record[0].host + stand.record[1].host, 1);
    for (uint32_t i = 0; i < 2; i++) {
        const struct egress *lease = &stand.record[i];
        assert_in_range(lease->cap_mw, 4400000, 4500000);
        assert_int_equal(lease->cap_mw, stand.core->ledger.host[lease->host].newest_mw);
    }
    stand_stop(&stand);
}

static void a_meter_that_repeats_itself_is_as_good_as_silent(void **state)
{
    (void)state;
    struct stand stand;
    start_lending(&stand);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(permit(&stand), PERMIT_HELD);
        stand_reading(&stand, BRANCH_A, 12000000);
        stand_wait(&stand, PERIOD_NS);
    }
    stand_reading(&stand, BRANCH_A, 12000000);
    assert_int_equal(permit(&stand), PERMIT_FROZEN);
    assert_true(newest_mva(&stand) <= BRANCH_MVA);
    stand_stop(&stand);
}

/* Gaps, clipped samples and the like: a reading that says so of itself renews nothing, and heats nothing. */
static void readings_of_spoilt_windows_are_as_good_as_none(void **state)
{
    (void)state;
    struct stand stand;
    start_lending(&stand);
    int64_t newest_ma = stand.core->heat.meter[BRANCH_A].newest.current_ma[0];
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(permit(&stand), PERMIT_HELD);
        measure_unsure(&stand, 11);
        stand_wait(&stand, PERIOD_NS);
    }
    measure_unsure(&stand, 11);
    assert_int_equal(permit(&stand), PERMIT_STALE);
    assert_true(newest_mva(&stand) <= BRANCH_MVA);
    assert_int_equal(stand.core->heat.meter[BRANCH_A].newest.current_ma[0], newest_ma);
    stand_stop(&stand);
}

static void readings_of_spoilt_windows_only_raise_heat_and_no_level_follows_them(void **state)
{
    (void)state;
    struct stand stand;
    start_lending(&stand);
    struct heat_node heat = stand.core->heat.meter[BRANCH_A];
    struct pool pool = stand.core->pools.node[BRANCH_A];
    stand_wait(&stand, PERIOD_NS);
    measure_unsure(&stand, 1);
    measure_unsure(&stand, 40);
    assert_true(stand.core->heat.meter[BRANCH_A].most.current_ma[0] >= 400000);
    assert_int_equal(stand.core->heat.meter[BRANCH_A].stepped_ns, heat.stepped_ns);
    assert_int_equal(stand.core->heat.meter[BRANCH_A].newest.current_ma[0], heat.newest.current_ma[0]);
    assert_int_equal(stand.core->pools.node[BRANCH_A].measured_mva[0], pool.measured_mva[0]);
    assert_int_equal(stand.core->pools.node[BRANCH_A].measured_t_ns, pool.measured_t_ns);
    stand_stop(&stand);
}

static void an_old_reading_lends_for_so_much_less(void **state)
{
    (void)state;
    struct stand stand;
    struct slot slot;
    start_lending(&stand);
    stand_wait(&stand, PERIOD_NS);
    measure(&stand, 12);
    memset(&slot, 0, sizeof slot);
    slot.kind = SLOT_READING;
    slot.reading = (struct reading){.meter = BRANCH_A, .age_ns = 30 * NS_PER_MS, .crest_milli = 1414};
    for (uint32_t p = 0; p < PHASES; p++) {
        slot.reading.voltage_mv[p] = 100000;
        slot.reading.current_ma[p] = 119999;
    }
    stand_wait(&stand, 40 * NS_PER_MS);
    stand_step(&stand, &slot);
    stand_wait(&stand, LENDS_NS - 30 * NS_PER_MS);
    any_slot(&stand);
    assert_int_equal(permit(&stand), PERMIT_HELD);
    stand_wait(&stand, 1);
    any_slot(&stand);
    assert_int_equal(permit(&stand), PERMIT_STALE);
    stand_stop(&stand);
}

static void heat_above_theta_op_ends_the_lending(void **state)
{
    (void)state;
    struct stand stand;
    start_lending(&stand);
    set_heat(&stand, 0.91);
    stand_wait(&stand, PERIOD_NS);
    measure(&stand, 12);
    assert_int_equal(permit(&stand), PERMIT_HOT);
    assert_true(newest_mva(&stand) <= BRANCH_MVA);
    set_heat(&stand, 0.85);
    stand_wait(&stand, PERIOD_NS);
    measure(&stand, 12);
    assert_int_equal(permit(&stand), PERMIT_HOLD);          /* not before it has cooled to 0.8 */
    set_heat(&stand, 0.7);
    stand_wait(&stand, PERIOD_NS);
    measure(&stand, 12);
    assert_int_equal(permit(&stand), PERMIT_HELD);
    stand_stop(&stand);
}

static void a_lost_permit_comes_back_after_its_hold(void **state)
{
    (void)state;
    struct stand stand;
    stand_site(&stand);
    give_device(&stand);
    stand.model.policy.hold_least_ns = NS_PER_S;
    stand_start(&stand);
    ask_for_all(&stand);
    measure(&stand, 3);
    set_heat(&stand, 0.2);
    stand_wait(&stand, PERIOD_NS);
    measure(&stand, 3);
    assert_int_equal(permit(&stand), PERMIT_HELD);
    stand_wait(&stand, 2 * T_FRESH_NS);
    int64_t lost_ns = stand.t_ns;
    any_slot(&stand);
    while (stand.t_ns < lost_ns + NS_PER_S) {
        measure(&stand, 3);
        assert_int_equal(permit(&stand), PERMIT_HOLD);
        stand_wait(&stand, PERIOD_NS);
    }
    measure(&stand, 3);
    assert_int_equal(permit(&stand), PERMIT_HELD);
    stand_stop(&stand);
}

/* Readings come for 200 ms and stay away for as long, again and again: the permit waits ever longer, raises
 * within the steady limit do not wait for it. */
static void a_meter_that_comes_and_goes_holds_no_raise_within_the_steady_limit(void **state)
{
    (void)state;
    struct stand stand;
    stand_site(&stand);
    give_device(&stand);
    stand.model.policy.hold_least_ns = NS_PER_S;
    stand.model.policy.hold_most_ns = 60 * NS_PER_S;
    stand_start(&stand);
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        stand_admit(&stand, h);
    measure(&stand, 3);
    set_heat(&stand, 0.2);
    stand.host[0].draw_mw = CAP_MAX_MW;
    stand.host[0].flags = REPORT_AT_CAP;
    for (uint32_t i = 0; i < 30; i++) {
        live(&stand, 4, 200 * NS_PER_MS);
        stand_run(&stand, 200 * NS_PER_MS);
    }
    assert_int_equal(stand.core->permits.lost[PERMIT_STALE], 4);   /* 1, 2, 4 s, and now 8 s */
    live(&stand, 4, 100 * NS_PER_MS);
    assert_int_equal(permit(&stand), PERMIT_HOLD);
    assert_in_range(stand.host[1].last.cap_mw, FAIL_SAFE_MW, 5000000);
    stand.host[0].draw_mw = 1000000;
    stand.host[0].flags = 0;
    stand.host[1].draw_mw = CAP_MAX_MW;
    stand.host[1].flags = REPORT_AT_CAP;
    live(&stand, 4, 2 * NS_PER_S);
    assert_int_equal(permit(&stand), PERMIT_HOLD);
    assert_true(stand.host[1].last.cap_mw > 9000000);
    assert_true(newest_mva(&stand) <= BRANCH_MVA);
    stand_stop(&stand);
}

static void measured_above_what_is_admissible_is_the_emergency_where_something_is_lent(void **state)
{
    (void)state;
    struct stand stand;
    start_lending(&stand);
    live(&stand, 19, 200 * NS_PER_MS);                      /* 190 A, steady is 140 A */
    assert_int_equal(stand_counters(&stand)->emergencies, 0);
    int64_t most_ma = permit_trigger_ma(&stand.core->permits, BRANCH_A, stand.t_ns);
    stand_wait(&stand, PERIOD_NS);
    measure(&stand, most_ma / 10000 + 1);
    assert_int_equal(stand_counters(&stand)->emergencies, 1);
    assert_true(newest_mva(&stand) <= BRANCH_MVA / 100 * 95);
    stand_stop(&stand);
}

/* 200 A heat it from 0.2 on: what may be lent falls, and S with it, never above, by arbitration: it keeps 3 %
 * of it free, so that nobody has to come down in a slot; measured stays admissible. */
static void leases_follow_what_heat_leaves_and_no_emergency_is_needed(void **state)
{
    (void)state;
    struct stand stand;
    start_lending(&stand);
    uint64_t recoveries = stand_counters(&stand)->recoveries;
    for (uint32_t i = 0; i < 3000; i++) {
        int64_t draw_mw = 0;
        stand_run(&stand, 15 * NS_PER_MS);
        for (uint32_t h = 0; h < 2; h++)
            draw_mw += stand.host[h].draw_mw = stand.host[h].last.cap_mw;
        stand_wait(&stand, NS_PER_MS);
        stand_reading(&stand, BRANCH_A, draw_mw - i % 3 * 100);
        assert_true(newest_mva(&stand) <= limit_mva(&stand));
    }
    assert_int_equal(permit(&stand), PERMIT_HELD);
    assert_true(stand_counters(&stand)->cuts > 0);
    assert_int_equal(stand_counters(&stand)->limit_cuts, 0);
    assert_true(newest_mva(&stand) <= limit_mva(&stand) / 100 * 98);
    assert_true(newest_mva(&stand) >= limit_mva(&stand) / 100 * 95);
    assert_int_equal(stand_counters(&stand)->emergencies, 0);
    assert_int_equal(stand_counters(&stand)->recoveries, recoveries);
    assert_int_equal(stand_counters(&stand)->invariant_failures, 0);
    assert_true(breaker_heat_ppm(&stand.core->heat.meter[BRANCH_A].state, &stand.node[BRANCH_A].breaker) <=
                BREAKER_OPERATE_PPM);
    assert_true(newest_mva(&stand) > BRANCH_MVA);           /* and more than steady is still lent */
    stand_stop(&stand);
}

/* ---- plausible and corroborated ---- */

static void reports(struct stand *stand, int64_t draw_mw)
{
    for (uint32_t h = 0; h < 2; h++)
        stand->host[h].draw_mw = draw_mw;
}

/* 18 kW by the hosts' word; every phase carries a third of it. */
static void a_meter_that_reads_less_than_hosts_report_is_not_believed(void **state)
{
    (void)state;
    struct stand stand;
    start_lending(&stand);
    reports(&stand, 9000000);
    live(&stand, 6, 2 * NS_PER_S);
    assert_int_equal(permit(&stand), PERMIT_HELD);
    for (int64_t end_ns = stand.t_ns + 2 * NS_PER_S; stand.t_ns < end_ns;) {
        stand_run(&stand, 15 * NS_PER_MS);
        stand_wait(&stand, NS_PER_MS);
        stand_reading(&stand, BRANCH_A, 5400000 + (int64_t)(stand.readings % 7) * 100);    /* 10 % low */
    }
    assert_int_equal(permit(&stand), PERMIT_IMPLAUSIBLE);
    assert_true(newest_mva(&stand) <= BRANCH_MVA);
    live(&stand, 6, 8 * NS_PER_S);
    assert_int_equal(permit(&stand), PERMIT_HELD);
    stand_stop(&stand);
}

/* Reports are of different moments: what a pulse makes of their sum is no doubt of the meter. */
static void pulses_are_no_doubt(void **state)
{
    (void)state;
    struct stand stand;
    start_lending(&stand);
    for (uint32_t i = 0; i < 400; i++) {
        bool high = i % 40 < 20;
        reports(&stand, high ? 9000000 : 1000000);
        stand_run(&stand, 15 * NS_PER_MS);
        stand_wait(&stand, NS_PER_MS);
        stand_reading(&stand, BRANCH_A, (high ? 6000000 : 700000) + i % 7 * 100);
        assert_int_equal(permit(&stand), PERMIT_HELD);
    }
    stand_stop(&stand);
}

static void a_meter_that_nobody_vouches_for_lends_nothing(void **state)
{
    (void)state;
    struct stand stand;
    start_lending(&stand);
    stand.host[0].mute = stand.host[1].mute = true;
    live(&stand, 12, NS_PER_S);
    assert_int_equal(permit(&stand), PERMIT_HELD);
    live(&stand, 12, NS_PER_S);
    assert_int_equal(permit(&stand), PERMIT_ALONE);
    stand_stop(&stand);
}

/* ---- feeds ---- */

/* What branch B feeds may be lost; hosts 2 and 3 hang on it with two supplies each. */
static void start_reserve(struct stand *stand)
{
    stand_site(stand);
    give_device(stand);
    stand->model.contingency_count = 2;
    stand->model.contingency[1] = (struct model_contingency){
        .kind = CONTINGENCY_LOSS, .lasting = 1, .lost_node = BRANCH_B, .witness = BRANCH_B};
    stand->model.policy.feed_stable_ns = 2 * NS_PER_S;
    stand->node[BRANCH_A].lend = 3;
    for (uint32_t n = 0; n < STAND_NODES; n++)
        memcpy(stand->node[n].limit_mva[1], stand->node[n].limit_mva[0], sizeof stand->node[n].limit_mva[0]);
    for (uint32_t h = 0; h < STAND_HOSTS; h++) {
        stand->host_model[h].cord[0].psus = 2;
        stand->host_model[h].cord[0].share_ppm[1] = h < 2 ? 1000000 : 0;
    }
    stand_start(stand);
    ask_for_all(stand);
    measure(stand, 3);
    set_heat(stand, 0.2);
}

static int64_t reserve_mva(const struct stand *stand)
{
    return stand->core->ledger.node[BRANCH_A].limit_mva[1][0];
}

static void witness(struct stand *stand, int64_t voltage_mv)
{
    struct slot slot;
    memset(&slot, 0, sizeof slot);
    slot.kind = SLOT_READING;
    slot.reading = (struct reading){.meter = BRANCH_B, .crest_milli = 1414};
    for (uint32_t p = 0; p < PHASES; p++) {
        slot.reading.voltage_mv[p] = voltage_mv;
        slot.reading.current_ma[p] = (int64_t)(stand->slots % 9);
    }
    stand_step(stand, &slot);
}

static void both(struct stand *stand, int64_t voltage_mv, int64_t ns)
{
    for (int64_t end_ns = stand->t_ns + ns; stand->t_ns < end_ns;) {
        witness(stand, voltage_mv);
        live(stand, 3, PERIOD_NS);
    }
}

static void a_reserve_is_lent_once_its_feed_is_seen_and_no_longer_when_it_is_lost(void **state)
{
    (void)state;
    struct stand stand;
    start_reserve(&stand);
    live(&stand, 3, NS_PER_S);
    assert_int_equal(reserve_mva(&stand), BRANCH_MVA);      /* nobody has seen the feed */
    both(&stand, 100000, NS_PER_S);
    assert_true(reserve_mva(&stand) > BRANCH_MVA);
    assert_true(newest_mva(&stand) > BRANCH_MVA);
    witness(&stand, 40000);
    assert_int_equal(permit(&stand), PERMIT_FEED);
    assert_int_equal(reserve_mva(&stand), BRANCH_MVA);
    assert_true(stand.core->ledger.node[BRANCH_A].newest_mva[1][0] <= BRANCH_MVA);
    assert_int_equal(stand.outbox.count, 2);
    both(&stand, 100000, 2 * NS_PER_S - 3 * PERIOD_NS);
    assert_int_equal(reserve_mva(&stand), BRANCH_MVA);      /* back, and not yet for long enough */
    both(&stand, 100000, 6 * PERIOD_NS);
    assert_true(reserve_mva(&stand) > BRANCH_MVA);
    stand_wait(&stand, LENDS_NS + 1);                       /* unseen is as good as lost */
    measure(&stand, 3);
    assert_int_equal(reserve_mva(&stand), BRANCH_MVA);
    stand_stop(&stand);
}

/* Nothing is lent on the witness's own node; what it shows of its feed is lost with it, and that it is. */
static void a_witness_that_repeats_itself_is_a_frozen_meter(void **state)
{
    (void)state;
    struct stand stand;
    struct slot slot;
    start_reserve(&stand);
    both(&stand, 100000, NS_PER_S);
    const struct degrade_row *row = core_degraded(stand.core, DEGRADED_METER);
    uint64_t entered = row->entered;
    memset(&slot, 0, sizeof slot);
    slot.kind = SLOT_READING;
    slot.reading = (struct reading){.meter = BRANCH_B, .crest_milli = 1414, .current_ma = {7, 7, 7},
                                    .voltage_mv = {100000, 100000, 100000}};
    for (uint32_t i = 0; i < 5; i++) {
        stand_step(&stand, &slot);
        live(&stand, 3, PERIOD_NS);
    }
    assert_int_equal(row->entered, entered + 1);
    assert_int_equal(stand.core->degrade.meter[BRANCH_B], METER_IS_FROZEN);
    assert_int_equal(reserve_mva(&stand), BRANCH_MVA);
    witness(&stand, 99000);
    assert_int_equal(stand.core->degrade.meter[BRANCH_B], 0);
    for (uint32_t i = 0; i < 6; i++) {      /* a dead feed has nothing to read */
        memset(slot.reading.current_ma, 0, sizeof slot.reading.current_ma);
        memset(slot.reading.voltage_mv, 0, sizeof slot.reading.voltage_mv);
        stand_step(&stand, &slot);
        stand_wait(&stand, PERIOD_NS);
    }
    assert_int_equal(stand.core->degrade.meter[BRANCH_B], 0);
    stand_stop(&stand);
}

static void show_dark(struct stand *stand, uint32_t host)
{
    struct report report = stand_report_of(stand, host, HOST_LEASED, A_NS);
    report.flags |= REPORT_PSU_KNOWN;
    report.psu_inputs = 0;
    stand_report(stand, &report);
}

/* Supplies fail one by one: two of 33 hosts are none of a feed's. */
static void dark_inputs_of_a_sixteenth_of_the_hosts_are_a_lost_feed(void **state)
{
    (void)state;
    for (uint32_t hosts = 32; hosts <= 33; hosts++) {
        struct stand stand;
        start_reserve(&stand);
        both(&stand, 100000, NS_PER_S);
        for (uint32_t c = 1; c < CONTINGENCIES_MAX; c++)
            stand.core->permits.feed[c].hosts = hosts;
        show_dark(&stand, 2);
        show_dark(&stand, 3);
        assert_int_equal(reserve_mva(&stand) > BRANCH_MVA, hosts == 33);
        stand_stop(&stand);
    }
}

static void dark_inputs_of_two_hosts_are_a_lost_feed_and_those_of_one_are_not(void **state)
{
    (void)state;
    struct stand stand;
    start_reserve(&stand);
    both(&stand, 100000, NS_PER_S);
    for (uint32_t h = 2; h < 4; h++) {
        assert_true(reserve_mva(&stand) > BRANCH_MVA);
        struct report report = stand_report_of(&stand, h, HOST_LEASED, A_NS);
        report.flags |= REPORT_PSU_KNOWN;
        report.psu_inputs = 0x1;                            /* one of its two still has power */
        stand_report(&stand, &report);
        assert_true(reserve_mva(&stand) > BRANCH_MVA);
        report.number = ++stand.host[h].number;
        report.psu_inputs = 0;
        stand_report(&stand, &report);
    }
    assert_int_equal(reserve_mva(&stand), BRANCH_MVA);
    stand_stop(&stand);
}

/* The feed's hosts report it dark and die with it; then the feed is back, and they are not. */
static void start_dark_and_silent(struct stand *stand, bool witnessed)
{
    start_reserve(stand);
    if (!witnessed)
        stand->model.contingency[1].witness = INDEX_NONE;
    stand_start(stand);
    ask_for_all(stand);
    measure(stand, 3);
    set_heat(stand, 0.2);
    both(stand, 100000, NS_PER_S);
    assert_true(reserve_mva(stand) > BRANCH_MVA);
    show_dark(stand, 2);
    show_dark(stand, 3);
    assert_int_equal(reserve_mva(stand), BRANCH_MVA);
    stand->host[2].mute = stand->host[3].mute = true;
}

static void dark_inputs_of_hosts_that_went_silent_are_no_evidence(void **state)
{
    (void)state;
    struct stand stand;
    start_dark_and_silent(&stand, true);
    both(&stand, 100000, 2800 * NS_PER_MS);
    assert_int_equal(reserve_mva(&stand), BRANCH_MVA);      /* D, and feed_stable of 2 s after it */
    both(&stand, 100000, 400 * NS_PER_MS);
    assert_true(reserve_mva(&stand) > BRANCH_MVA);
    stand_stop(&stand);
}

static void show_lit(struct stand *stand, uint32_t host)
{
    struct report report = stand_report_of(stand, host, HOST_LEASED, A_NS);
    report.flags |= REPORT_PSU_KNOWN;
    report.psu_inputs = 1;
    stand_report(stand, &report);
}

/* Where no meter sees the feed, that nobody is left to call it dark is no evidence either. */
static void a_feed_that_only_hosts_see_is_back_when_they_say_so(void **state)
{
    (void)state;
    struct stand stand;
    start_dark_and_silent(&stand, false);
    both(&stand, 100000, 5 * NS_PER_S);
    assert_int_equal(reserve_mva(&stand), BRANCH_MVA);
    for (uint32_t i = 0; i < 26; i++) {
        show_lit(&stand, 2);
        if (i >= 10)
            show_lit(&stand, 3);
        both(&stand, 100000, 100 * NS_PER_MS);
        assert_int_equal(reserve_mva(&stand), BRANCH_MVA);  /* one of two, then not for long enough */
    }
    show_lit(&stand, 2);
    show_lit(&stand, 3);
    both(&stand, 100000, 400 * NS_PER_MS);
    assert_true(reserve_mva(&stand) > BRANCH_MVA);
    stand_stop(&stand);
}

/* 18 kVA leased in any case, of which nothing lost explains 9: B's share of it is on A now. */
static void a_survivor_that_reads_more_than_no_loss_explains_lends_no_reserve(void **state)
{
    (void)state;
    struct stand stand;
    start_reserve(&stand);
    for (uint32_t h = 0; h < 2; h++)
        stand.host_model[h].cord[0].share_ppm[0] = 500000;
    stand_start(&stand);
    ask_for_all(&stand);
    measure(&stand, 2);
    set_heat(&stand, 0.2);
    both(&stand, 100000, 3 * NS_PER_S);
    assert_true(reserve_mva(&stand) > BRANCH_MVA);
    int64_t none_mva = stand.core->ledger.node[BRANCH_A].exposed_mva[0][0];
    stand_reading(&stand, BRANCH_A, none_mva / 100 * 102);
    assert_int_equal(reserve_mva(&stand), BRANCH_MVA);
    stand_stop(&stand);
}

/* A branch that lends is weighed with the meter above it, which need not lend; where there is none, it is
 * not. */
static void a_lender_counts_at_the_meter_above_it_if_there_is_one(void **state)
{
    (void)state;
    for (int metered = 0; metered < 2; metered++) {
        struct stand stand;
        stand_site(&stand);
        give_device(&stand);
        stand.node[BRANCH_A].lend = 1;
        stand.node[MAIN].lend = 0;
        uint32_t meter = stand.node[BRANCH_A].meter;
        if (!metered)
            stand.node[MAIN].meter = INDEX_NONE;
        stand_start(&stand);
        assert_int_equal(stand.core->permits.meter[meter].counts_above, metered);
        stand_stop(&stand);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lender_counts_at_the_meter_above_it_if_there_is_one),
        cmocka_unit_test(under_a_permit_leases_pass_the_steady_limit),
        cmocka_unit_test(without_the_sites_leave_nothing_is_lent),
        cmocka_unit_test(a_permit_lapses_by_time_and_all_hosts_come_down_in_that_slot),
        cmocka_unit_test(a_contract_and_a_lapse_in_one_slot_give_each_host_one_lease),
        cmocka_unit_test(a_meter_that_repeats_itself_is_as_good_as_silent),
        cmocka_unit_test(readings_of_spoilt_windows_are_as_good_as_none),
        cmocka_unit_test(readings_of_spoilt_windows_only_raise_heat_and_no_level_follows_them),
        cmocka_unit_test(an_old_reading_lends_for_so_much_less),
        cmocka_unit_test(heat_above_theta_op_ends_the_lending),
        cmocka_unit_test(a_lost_permit_comes_back_after_its_hold),
        cmocka_unit_test(a_meter_that_comes_and_goes_holds_no_raise_within_the_steady_limit),
        cmocka_unit_test(measured_above_what_is_admissible_is_the_emergency_where_something_is_lent),
        cmocka_unit_test(a_meter_that_reads_less_than_hosts_report_is_not_believed),
        cmocka_unit_test(pulses_are_no_doubt),
        cmocka_unit_test(a_meter_that_nobody_vouches_for_lends_nothing),
        cmocka_unit_test(a_reserve_is_lent_once_its_feed_is_seen_and_no_longer_when_it_is_lost),
        cmocka_unit_test(dark_inputs_of_a_sixteenth_of_the_hosts_are_a_lost_feed),
        cmocka_unit_test(dark_inputs_of_two_hosts_are_a_lost_feed_and_those_of_one_are_not),
        cmocka_unit_test(a_witness_that_repeats_itself_is_a_frozen_meter),
        cmocka_unit_test(dark_inputs_of_hosts_that_went_silent_are_no_evidence),
        cmocka_unit_test(a_feed_that_only_hosts_see_is_back_when_they_say_so),
        cmocka_unit_test(a_survivor_that_reads_more_than_no_loss_explains_lends_no_reserve),
        cmocka_unit_test(leases_follow_what_heat_leaves_and_no_emergency_is_needed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
