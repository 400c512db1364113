/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What hosts draw and have been granted ahead, on every node above them, by hand in the small hall. Host 0
 * has half of its draw on LEFT and half on RACK; when RACK's feed is lost, all of it is on LEFT. The power
 * factor is 0.8: 10 kW are 12.5 kVA on each of three phases. Fail-safe is 2 kW, the largest cap 10.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/pool_inside.h"
#include "hall.h"

struct bed {
    struct hall hall;
    struct pools pools;
    struct pool node[HALL_NODES];
    struct pool_host host[HALL_HOSTS];
};

static void build(struct bed *bed)
{
    memset(bed, 0, sizeof *bed);
    hall_build(&bed->hall);
    bed->hall.type.pf_min_ppm = 800000;
    bed->hall.model.contingency_count = 2;
    bed->hall.node[HALL_MAIN].level_mva = 900 * HALL_KW;
    struct model_host *host = &bed->hall.host[0];
    host->cord_count = 2;
    host->cord[1].node = HALL_RACK;
    host->cord[0].share_ppm[0] = host->cord[1].share_ppm[0] = 500000;
    host->cord[1].share_ppm[1] = 0;
}

static void start(struct bed *bed)
{
    hall_open(&bed->hall);
    memset(&bed->pools, 0x5A, sizeof bed->pools);
    memset(bed->node, 0x5A, sizeof bed->node);
    memset(bed->host, 0x5A, sizeof bed->host);
    bed->pools.node = bed->node;
    bed->pools.host = bed->host;
    pool_init(&bed->pools, &bed->hall.model, &bed->hall.ledger, HALL_T_NS);
}

static void open_bed(struct bed *bed)
{
    build(bed);
    start(bed);
}

static void draws(struct bed *bed, int64_t w)
{
    pool_report(&bed->pools, 0, w * HALL_W, HALL_T_NS);
}

static void check(const struct bed *bed, uint32_t n, int64_t drawn_va, int64_t none_va, int64_t loss_va)
{
    for (uint32_t p = 0; p < PHASES; p++) {
        assert_int_equal(bed->node[n].drawn_mva[0][p], drawn_va * HALL_W);
        assert_int_equal(pool_committed_mva(&bed->node[n], 0, p), none_va * HALL_W);
        assert_int_equal(pool_committed_mva(&bed->node[n], 1, p), loss_va * HALL_W);
    }
}

static void a_start_knows_of_no_load_and_no_trim(void **state)
{
    (void)state;
    struct bed bed;
    open_bed(&bed);
    assert_int_equal(bed.pools.levels, 1);
    assert_int_equal(bed.pools.trims, 0);
    assert_int_equal(bed.pools.t_ns, HALL_T_NS);
    for (uint32_t n = 0; n < HALL_NODES; n++) {
        struct pool_view view;
        pool_view(&bed.pools, n, &view);
        assert_int_equal(view.level_mva, n == HALL_MAIN ? 900 * HALL_KW : 0);
        assert_int_equal(view.load_mva, 0);
        assert_int_equal(view.capacity_mva, INT64_MAX);
        assert_false(view.trims || view.binds || view.burst);
        assert_int_equal(bed.node[n].low_since_ns, INT64_MAX);
    }
    for (uint32_t h = 0; h < HALL_HOSTS; h++)
        assert_int_equal(pool_reserved_mw(&bed.pools, h, HALL_T_NS), 0);
}

/* 190 ms until what an arbitration gives is read: 50 of T_fresh, 100 of A, a tick of 20 and two periods of
 * 10. A ninth of it, up, is a control period, and with its own mean that makes ten steps. */
static void a_control_period_is_a_ninth_of_the_dead_time(void **state)
{
    (void)state;
    struct bed bed;
    build(&bed);
    bed.hall.meter[HALL_LEFT].period_ns = 10 * NS_PER_MS;
    start(&bed);
    assert_int_equal(bed.node[HALL_LEFT].dead_ns, 190 * NS_PER_MS);
    assert_int_equal(bed.node[HALL_LEFT].period_ns, 21111112);
    assert_int_equal(bed.node[HALL_LEFT].gain_ppm, 35049);
    build(&bed);
    bed.hall.model.policy.tick_ns = 100 * NS_PER_MS;        /* never shorter than a tick: 250 of 100, 4 */
    start(&bed);
    assert_int_equal(bed.node[HALL_LEFT].period_ns, 100 * NS_PER_MS);
    assert_int_equal(bed.node[HALL_LEFT].gain_ppm, 81920);
}

static void a_draw_stands_on_every_node_above_each_cord(void **state)
{
    (void)state;
    struct bed bed;
    open_bed(&bed);
    draws(&bed, 9901);                                  /* up to whole quanta of 100 W: 10 kW */
    check(&bed, HALL_LEFT, 6250, 6250, 12500);
    check(&bed, HALL_RACK, 6250, 6250, 0);
    check(&bed, HALL_RIGHT, 6250, 6250, 0);
    check(&bed, HALL_MAIN, 12500, 12500, 12500);
    draws(&bed, 4000);
    check(&bed, HALL_LEFT, 2500, 2500, 5000);
    pool_report(&bed.pools, 0, 4700 * HALL_W + 1, HALL_T_NS);
    check(&bed, HALL_LEFT, 3000, 3000, 6000);
    draws(&bed, 0);
    for (uint32_t n = 0; n < HALL_NODES; n++)
        check(&bed, n, 0, 0, 0);
}

/* As arbitration counts: all phases, every cord at its most. LEFT's is under the loss: 37.5 kVA for 10 kW;
 * RACK's half of it. */
static void what_is_claimed_counts_every_cord_at_its_most(void **state)
{
    (void)state;
    struct bed bed;
    open_bed(&bed);
    assert_int_equal(bed.node[HALL_LEFT].most_mva, 75 * HALL_KW);
    assert_int_equal(bed.node[HALL_RACK].most_mva, 93750 * HALL_W);
    assert_int_equal(bed.node[HALL_MAIN].most_mva, 206250 * HALL_W);
    draws(&bed, 10000);
    assert_int_equal(bed.node[HALL_LEFT].claim_mva, 37500 * HALL_W);
    assert_int_equal(bed.node[HALL_RACK].claim_mva, 18750 * HALL_W);
    assert_int_equal(bed.node[HALL_MAIN].claim_mva, 56250 * HALL_W);
}

/* Who draws less than fail-safe allows is held at that: 7.5 kVA on LEFT for each of its hosts. */
static void what_is_held_is_never_less_than_fail_safe(void **state)
{
    (void)state;
    struct bed bed;
    open_bed(&bed);
    assert_int_equal(bed.node[HALL_LEFT].held_mva, 15 * HALL_KW);
    draws(&bed, 1000);
    assert_int_equal(bed.node[HALL_LEFT].held_mva, 15 * HALL_KW);
    assert_int_equal(bed.node[HALL_LEFT].claim_mva, 3750 * HALL_W);
    draws(&bed, 3000);
    assert_int_equal(bed.node[HALL_LEFT].held_mva, (7500 + 11250) * HALL_W);
    draws(&bed, 2000);
    assert_int_equal(bed.node[HALL_LEFT].held_mva, 15 * HALL_KW);
    draws(&bed, 10000);
    assert_int_equal(bed.node[HALL_LEFT].held_mva, (7500 + 37500) * HALL_W);
    draws(&bed, 100);
    assert_int_equal(bed.node[HALL_LEFT].held_mva, 15 * HALL_KW);
}

/* The larger of draw and reservation is committed, under every contingency; a forecast is load and what is
 * granted beyond the draw. */
static void the_larger_of_draw_and_reservation_is_committed(void **state)
{
    (void)state;
    struct bed bed;
    open_bed(&bed);
    draws(&bed, 4000);
    pool_reserve(&bed.pools, 0, 10 * HALL_KW, HALL_T_NS + NS_PER_S);
    check(&bed, HALL_LEFT, 2500, 6250, 12500);
    check(&bed, HALL_RACK, 2500, 6250, 0);
    check(&bed, HALL_MAIN, 5000, 12500, 12500);
    assert_int_equal(pool_forecast_mva(&bed.pools, HALL_LEFT, 1, 7), 6250 * HALL_W + 7);
    draws(&bed, 12000);
    check(&bed, HALL_LEFT, 7500, 7500, 15000);
    draws(&bed, 4000);
    check(&bed, HALL_LEFT, 2500, 6250, 12500);
    pool_reserve(&bed.pools, 0, 6 * HALL_KW, HALL_T_NS + NS_PER_S);    /* takes the place of the other */
    check(&bed, HALL_LEFT, 2500, 3750, 7500);
    pool_report(&bed.pools, 0, 4 * HALL_KW, HALL_T_NS + NS_PER_S - 1);
    check(&bed, HALL_LEFT, 2500, 3750, 7500);
    pool_report(&bed.pools, 0, 4 * HALL_KW, HALL_T_NS + NS_PER_S);     /* its time is over */
    check(&bed, HALL_LEFT, 2500, 2500, 5000);
    for (uint32_t p = 0; p < PHASES; p++)
        assert_int_equal(bed.node[HALL_LEFT].measured_mva[p], -1);
}

/* Without a reading for twice T_fresh and a period, what hosts report and others may draw. */
static void load_is_measured_while_the_meter_is_heard(void **state)
{
    (void)state;
    struct bed bed;
    build(&bed);
    bed.hall.meter[HALL_LEFT].period_ns = 16 * NS_PER_MS;
    bed.hall.node[HALL_LEFT].other_mva[1] = 300 * HALL_W;
    start(&bed);
    draws(&bed, 4000);
    assert_int_equal(pool_load_mva(&bed.pools, HALL_LEFT, 1), 2800 * HALL_W);
    struct reading reading = {.meter = HALL_LEFT};
    for (int p = 0; p < PHASES; p++)
        reading.current_ma[p] = (1 + p) * 10000, reading.voltage_mv[p] = 100000;
    pool_reading(&bed.pools, HALL_LEFT, &reading, HALL_T_NS);
    for (uint32_t p = 0; p < PHASES; p++)               /* and its error of 1 % */
        assert_int_equal(pool_load_mva(&bed.pools, HALL_LEFT, p), (1 + p) * 1010 * HALL_W);
    pool_tick(&bed.pools, HALL_T_NS + 132 * NS_PER_MS);
    assert_int_equal(pool_load_mva(&bed.pools, HALL_LEFT, 1), 2020 * HALL_W);
    pool_tick(&bed.pools, HALL_T_NS + 132 * NS_PER_MS + 1);
    assert_int_equal(pool_load_mva(&bed.pools, HALL_LEFT, 1), 2800 * HALL_W);
    assert_int_equal(pool_load_mva(&bed.pools, HALL_LEFT, 0), 2500 * HALL_W);
}

/* Nothing on the first phase is read, and is no want of a reading. */
static void a_load_of_nought_is_one(void **state)
{
    (void)state;
    struct bed bed;
    open_bed(&bed);
    draws(&bed, 4000);
    struct reading reading = {.meter = HALL_LEFT, .current_ma = {0, 20000, 30000},
                              .voltage_mv = {100000, 100000, 100000}};
    pool_reading(&bed.pools, HALL_LEFT, &reading, HALL_T_NS);
    for (uint32_t p = 0; p < PHASES; p++)
        assert_int_equal(pool_load_mva(&bed.pools, HALL_LEFT, p), p ? (1 + p) * 1010 * HALL_W : 0);
}

/* The meter of a single-phase node reads the phase that its hosts hang on, whichever that is, also where
 * nothing of them is left on it in a contingency. */
static void the_one_phase_of_a_node_is_that_of_its_hosts(void **state)
{
    (void)state;
    struct bed bed;
    build(&bed);
    bed.hall.node[HALL_LEFT].phases = 1;
    bed.hall.host[0].cord[0].phase_ppm[0] = bed.hall.host[0].cord[0].phase_ppm[2] = 0;
    bed.hall.host[0].cord[0].share_ppm[1] = 0;
    start(&bed);
    draws(&bed, 4000);
    struct reading reading = {.meter = HALL_LEFT, .current_ma = {20000}, .voltage_mv = {100000}};
    pool_reading(&bed.pools, HALL_LEFT, &reading, HALL_T_NS);
    assert_int_equal(pool_load_mva(&bed.pools, HALL_LEFT, 0), 0);
    assert_int_equal(pool_load_mva(&bed.pools, HALL_LEFT, 1), 2020 * HALL_W);
    assert_int_equal(pool_load_mva(&bed.pools, HALL_LEFT, 2), 0);
}

static void account(struct bed *bed, int64_t exposed_mw, int64_t newest_mw, int64_t t_ns)
{
    bed->hall.account[1].exposed_draw_mw = exposed_mw;
    bed->hall.account[1].newest_draw_mw = newest_mw;
    pool_note(&bed->pools, 1, t_ns);
}

/* What may be drawn beyond the newest lease is a cut that no report has shown to hold; the time of the newest
 * one counts, not of a receipt. */
static void a_cut_is_unconfirmed_until_exposure_has_followed(void **state)
{
    (void)state;
    struct bed bed;
    open_bed(&bed);
    account(&bed, 8 * HALL_KW, 8 * HALL_KW, 100);
    assert_int_equal(bed.node[HALL_LEFT].unconfirmed_mw, 0);
    account(&bed, 8 * HALL_KW, 5 * HALL_KW, 200);
    for (uint32_t n = HALL_MAIN; n <= HALL_LEFT; n++) {
        assert_int_equal(bed.node[n].unconfirmed_mw, 3 * HALL_KW);
        assert_int_equal(bed.node[n].cut_ns, 200);
    }
    assert_int_equal(bed.node[HALL_RIGHT].unconfirmed_mw, 0);
    assert_int_equal(bed.node[HALL_RACK].unconfirmed_mw, 0);
    account(&bed, 8 * HALL_KW, 4 * HALL_KW, 300);
    assert_int_equal(bed.node[HALL_LEFT].cut_ns, 300);
    account(&bed, 6 * HALL_KW, 4 * HALL_KW, 400);       /* half of it is shown */
    assert_int_equal(bed.node[HALL_LEFT].unconfirmed_mw, 2 * HALL_KW);
    assert_int_equal(bed.node[HALL_LEFT].cut_ns, 300);
    bed.hall.account[1].bounded = false;                /* at phys_max nothing is cut */
    account(&bed, 12 * HALL_KW, 4 * HALL_KW, 500);
    assert_int_equal(bed.node[HALL_LEFT].unconfirmed_mw, 0);
}

/* "Granted" ends with its time or with its host: one that was heard D ago may still run. */
static void a_reservation_ends_when_its_host_is_silent_for_longer_than_a_lease(void **state)
{
    (void)state;
    struct bed bed;
    open_bed(&bed);
    const int64_t lease_ns = bed.hall.model.policy.lease_ns;
    pool_reserve(&bed.pools, 0, 6 * HALL_KW, HALL_T_NS + 100 * NS_PER_S);
    bed.hall.account[0].report_t_ns = HALL_T_NS;
    pool_tick(&bed.pools, HALL_T_NS + lease_ns);
    assert_int_equal(pool_reserved_mw(&bed.pools, 0, HALL_T_NS + lease_ns), 6 * HALL_KW);
    pool_tick(&bed.pools, HALL_T_NS + lease_ns + 1);
    assert_int_equal(pool_reserved_mw(&bed.pools, 0, HALL_T_NS + lease_ns + 1), 0);
    check(&bed, HALL_MAIN, 0, 0, 0);
}

/* As many contingencies as there may be, each with shares of its own: 10, 20 ... 80 % of 8 kW at 0.8 on
 * LEFT. */
static void every_contingency_has_its_own_part_of_a_reservation(void **state)
{
    (void)state;
    struct bed bed;
    build(&bed);
    bed.hall.model.contingency_count = CONTINGENCIES_MAX;
    for (uint32_t c = 0; c < CONTINGENCIES_MAX; c++)
        bed.hall.host[0].cord[0].share_ppm[c] = (c + 1) * 100000;
    start(&bed);
    pool_reserve(&bed.pools, 0, 8 * HALL_KW, HALL_T_NS + NS_PER_S);
    for (uint32_t c = 0; c < CONTINGENCIES_MAX; c++)
        for (uint32_t p = 0; p < PHASES; p++)
            assert_int_equal(pool_committed_mva(&bed.node[HALL_LEFT], c, p), (c + 1) * HALL_KW);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_start_knows_of_no_load_and_no_trim),
        cmocka_unit_test(a_control_period_is_a_ninth_of_the_dead_time),
        cmocka_unit_test(a_draw_stands_on_every_node_above_each_cord),
        cmocka_unit_test(what_is_claimed_counts_every_cord_at_its_most),
        cmocka_unit_test(what_is_held_is_never_less_than_fail_safe),
        cmocka_unit_test(the_larger_of_draw_and_reservation_is_committed),
        cmocka_unit_test(load_is_measured_while_the_meter_is_heard),
        cmocka_unit_test(a_load_of_nought_is_one),
        cmocka_unit_test(the_one_phase_of_a_node_is_that_of_its_hosts),
        cmocka_unit_test(a_cut_is_unconfirmed_until_exposure_has_followed),
        cmocka_unit_test(a_reservation_ends_when_its_host_is_silent_for_longer_than_a_lease),
        cmocka_unit_test(every_contingency_has_its_own_part_of_a_reservation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
