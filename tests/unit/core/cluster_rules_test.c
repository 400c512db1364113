/* SPDX-License-Identifier: Apache-2.0 */
/* Arbitration's rules by hand: tiers, gangs, headroom, cords of two feeds, floors that do not fit, probing,
 * forecasts, and what is said to have bound a host. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/bound.h"
#include "hall.h"

static void all_use(struct hall *hall, int64_t draw_mw)
{
    for (uint32_t h = 0; h < HALL_HOSTS; h++)
        hall_uses(hall, h, draw_mw);
}

static void a_higher_tier_has_all_it_can_use_before_a_lower_has_more_than_fail_safe(void **state)
{
    (void)state;
    struct hall hall;
    hall_build(&hall);
    hall_limit(&hall, HALL_LEFT, 11);
    hall.host[1].tier = 1;
    hall_open(&hall);
    all_use(&hall, 8 * HALL_KW);
    hall_arbitrate(&hall, 64);
    assert_int_equal(hall.target_mw[0], 8 * HALL_KW);
    assert_int_equal(hall.target_mw[1], 3 * HALL_KW);
    assert_int_equal(hall.bound_term[0], BOUND_DEMAND);
    assert_int_equal(hall.bound_term[1], BOUND_SHARE);      /* it has what its tier has left */
    hall_limit(&hall, HALL_LEFT, 9);
    ledger_scale_limit(&hall.ledger, HALL_LEFT, 1000000);
    hall_arbitrate(&hall, 64);
    assert_int_equal(hall.target_mw[0], 7 * HALL_KW);
    assert_int_equal(hall.target_mw[1], 2 * HALL_KW);
    assert_int_equal(hall.bound_term[0], BOUND_SHARE);
    assert_int_equal(hall.bound_term[1], BOUND_TIER);
    assert_int_equal(hall.bound_node[1], HALL_LEFT);
}

static void what_nobody_can_use_is_room_to_grow_for_all_tiers(void **state)
{
    (void)state;
    struct hall hall;
    hall_build(&hall);
    hall_limit(&hall, HALL_LEFT, 12);
    hall.host[1].tier = 3;
    hall_open(&hall);
    all_use(&hall, 4 * HALL_KW);
    hall_arbitrate(&hall, 64);
    assert_int_equal(hall.target_mw[0], 6 * HALL_KW);
    assert_int_equal(hall.target_mw[1], 6 * HALL_KW);
}

/* Hosts 0 on the left and 2 and 3 on the right are one job. The left gives host 0 a cap of 4 kW: the
 * others have 4 kW, and what that frees goes to host 4 in the rack. */
static void a_gang_has_what_its_slowest_member_has(void **state)
{
    (void)state;
    struct hall hall;
    hall_build(&hall);
    hall_limit(&hall, HALL_LEFT, 8);
    hall_limit(&hall, HALL_RACK, 10);
    hall.model.gang_count = 1;
    hall.host[1].gang = hall.host[4].gang = 1;      /* as many as there are: none */
    hall_open(&hall);
    all_use(&hall, 10 * HALL_KW);
    hall_arbitrate(&hall, 64);
    assert_int_equal(hall.target_mw[0], 4 * HALL_KW);
    assert_int_equal(hall.target_mw[2], 4 * HALL_KW);
    assert_int_equal(hall.target_mw[3], 4 * HALL_KW);
    assert_int_equal(hall.target_mw[4], 6 * HALL_KW);
    assert_int_equal(hall.bound_term[0], BOUND_SHARE);
    assert_int_equal(hall.bound_term[2], BOUND_GANG);
    assert_int_equal(hall.bound_term[3], BOUND_GANG);
    assert_int_equal(hall.bound_term[4], BOUND_SHARE);
}

static void a_member_that_cannot_use_more_holds_nobody_of_its_gang_down(void **state)
{
    (void)state;
    struct hall hall;
    hall_build(&hall);
    hall.model.gang_count = 1;
    hall.host[1].gang = hall.host[4].gang = hall.host[3].gang = 1;
    hall_open(&hall);
    all_use(&hall, 10 * HALL_KW);
    hall_uses(&hall, 0, 3 * HALL_KW);
    hall_limit(&hall, HALL_LEFT, 13);
    ledger_scale_limit(&hall.ledger, HALL_LEFT, 1000000);
    hall_arbitrate(&hall, 64);
    assert_int_equal(hall.target_mw[0], 3 * HALL_KW);
    assert_int_equal(hall.target_mw[2], 10 * HALL_KW);
}

/* Equal performance is an equal share of the range above cap_min: half of 0.1 .. 10.1 and of 0.1 .. 4.1. */
static void members_of_other_types_have_the_same_share_of_their_range(void **state)
{
    (void)state;
    struct hall hall;
    struct model_host_type type[2];
    hall_build(&hall);
    hall.type.cap_max_mw = 10100 * HALL_W;
    type[0] = type[1] = hall.type;
    type[1].cap_max_mw = 4100 * HALL_W;
    hall.model.type = type;
    hall.model.type_count = 2;
    hall.host[2].type = 1;
    hall.model.gang_count = 1;
    hall.host[1].gang = hall.host[3].gang = hall.host[4].gang = 1;
    hall_limit(&hall, HALL_LEFT, 10);
    hall.host[1].weight = 1;
    hall_open(&hall);
    all_use(&hall, 11 * HALL_KW);
    hall.host[1].fail_safe_mw = hall.account[1].fail_safe_mw = 4900 * HALL_W;
    hall_arbitrate(&hall, 64);
    assert_int_equal(hall.target_mw[0], 5 * HALL_KW);       /* 49 % of ten above 0.1 */
    assert_int_equal(hall.target_mw[2], 2060 * HALL_W);     /* and of four */
}

static void headroom_is_kept_free_at_every_limit(void **state)
{
    (void)state;
    struct hall hall;
    hall_build(&hall);
    hall.model.policy.headroom_ppm = 100000;
    hall_limit(&hall, HALL_LEFT, 10);
    hall_limit(&hall, HALL_MAIN, 20);
    hall_open(&hall);
    all_use(&hall, 10 * HALL_KW);
    hall_arbitrate(&hall, 64);
    assert_int_equal(hall_capacity(&hall, HALL_LEFT, 0, 0), 9 * HALL_KW);
    assert_int_equal(hall_capacity(&hall, HALL_MAIN, 0, 2), 18 * HALL_KW);
    int64_t sum_mw = 0;
    for (uint32_t h = 0; h < HALL_HOSTS; h++)
        sum_mw += hall.target_mw[h];
    assert_in_range(sum_mw, 18 * HALL_KW - 5 * HALL_W, 18 * HALL_KW);
}

/* Host 0 hangs on the left and on the rack, half and half, all of it on the other when one is lost. The rack
 * binds it, and what the left has left over goes to host 1. */
static void a_second_cord_binds_as_the_first_does(void **state)
{
    (void)state;
    struct hall hall;
    hall_build(&hall);
    hall.model.contingency_count = 2;
    hall.host[0].cord_count = 2;
    hall.host[0].cord[1].node = HALL_RACK;
    hall.host[0].cord[0].share_ppm[0] = hall.host[0].cord[1].share_ppm[0] = 500000;
    hall.host[0].cord[0].share_ppm[1] = 0;
    hall_limit(&hall, HALL_RACK, 9);
    hall_limit(&hall, HALL_LEFT, 8);
    hall_open(&hall);
    all_use(&hall, 10 * HALL_KW);
    hall_arbitrate(&hall, 64);
    assert_int_equal(hall.target_mw[0], 3 * HALL_KW);
    assert_int_equal(hall.target_mw[3], 3 * HALL_KW);
    assert_int_equal(hall.target_mw[4], 3 * HALL_KW);
    assert_int_equal(hall.bound_node[0], HALL_RACK);
    /* without contingency the left carries 1.5 of host 0; when the other is lost nothing of it, and 8 of host
     * 1 then */
    assert_int_equal(hall.target_mw[1], 6500 * HALL_W);
}

/* 3 kVA for two fail-safes of 2: the higher tier has its floor, the lower what is left; told once. */
static void a_node_that_cannot_carry_its_floors_is_named_and_counted_once(void **state)
{
    (void)state;
    struct hall hall;
    hall_build(&hall);
    hall_limit(&hall, HALL_LEFT, 3);
    hall.host[0].tier = 1;
    hall_open(&hall);
    all_use(&hall, 10 * HALL_KW);
    hall_arbitrate(&hall, 64);
    assert_int_equal(hall.draw_mw[1], 2 * HALL_KW);
    assert_int_equal(hall.draw_mw[0], HALL_KW);
    assert_int_equal(hall.target_mw[0], 2 * HALL_KW);       /* exposure never lies below fail-safe */
    assert_int_equal(hall.cluster.floor_infeasible, 1);
    assert_int_equal(hall.cluster.floor_infeasible_node, HALL_LEFT);
    hall_uses(&hall, 0, 5 * HALL_KW);
    hall_arbitrate(&hall, 64);
    assert_int_equal(hall.cluster.floor_infeasible, 1);
    hall_limit(&hall, HALL_LEFT, 5);
    ledger_scale_limit(&hall.ledger, HALL_LEFT, 1000000);
    hall_arbitrate(&hall, 64);
    hall_limit(&hall, HALL_LEFT, 3);
    ledger_scale_limit(&hall.ledger, HALL_LEFT, 1000000);
    hall_arbitrate(&hall, 64);
    assert_int_equal(hall.cluster.floor_infeasible, 2);
}

/* At phys_max, 12 kW, beside a floor of 2: not 13, but the floors are 4. */
static void floors_are_infeasible_only_where_they_would_be_were_every_host_heard(void **state)
{
    (void)state;
    struct hall hall;
    hall_build(&hall);
    hall_limit(&hall, HALL_LEFT, 13);
    hall_open(&hall);
    all_use(&hall, 10 * HALL_KW);
    hall.account[0].bounded = false;
    hall.account[0].exposed_draw_mw = 12 * HALL_KW;
    hall_arbitrate(&hall, 64);
    assert_int_equal(hall.draw_mw[0], 12 * HALL_KW);
    assert_int_equal(hall.draw_mw[1], HALL_KW);
    assert_int_equal(hall.cluster.floor_infeasible, 0);
    hall_limit(&hall, HALL_LEFT, 4);
    ledger_scale_limit(&hall.ledger, HALL_LEFT, 1000000);
    hall_arbitrate(&hall, 64);
    assert_int_equal(hall.cluster.floor_infeasible, 0);
    hall_limit(&hall, HALL_LEFT, 3);
    ledger_scale_limit(&hall.ledger, HALL_LEFT, 1000000);
    hall_arbitrate(&hall, 64);
    assert_int_equal(hall.cluster.floor_infeasible, 1);
}

/* Both are held at 4 kW; the left has 12 for them and for nobody else: without need to share, all; then the
 * node is full, and they are probed upward. */
static void a_host_at_its_cap_is_probed_upward_where_watts_are_scarce(void **state)
{
    (void)state;
    struct hall hall;
    struct report report = {.flags = REPORT_AT_CAP, .readback_mw = 4 * HALL_KW, .draw_mw = 4 * HALL_KW};
    hall_build(&hall);
    hall_limit(&hall, HALL_LEFT, 12);
    hall_open(&hall);
    for (report.host = 0; report.host < 2; report.host++) {
        hall_holds(&hall, report.host, 4 * HALL_KW);
        demand_report(&hall.demand[report.host], &hall.model.policy, &report, HALL_T_NS);
    }
    hall_arbitrate(&hall, 64);
    assert_int_equal(hall.host_extent[0].useful_mw, 10 * HALL_KW);
    hall_arbitrate(&hall, 64);
    assert_int_equal(hall.host_extent[0].useful_mw, 4001 * HALL_W);
    assert_int_equal(hall.target_mw[0], 6 * HALL_KW);       /* what nobody claims is given all the same */
}

static void a_probe_doubles_while_it_is_taken_up(void **state)
{
    (void)state;
    struct demand demand;
    const struct model_policy policy = {.demand_hold_ns = 400};
    const struct model_host_type type = {.cap_max_mw = 1000, .quantum_mw = 10};
    static const int64_t probes_mw[] = {110, 130, 170, 250};
    int64_t cap_mw = 100;
    demand_init(&demand, 0);
    for (uint32_t i = 0; i < 4; i++) {
        struct report report = {.flags = REPORT_AT_CAP, .readback_mw = cap_mw};
        demand_report(&demand, &policy, &report, i);
        cap_mw = demand_cap_mw(&demand, &policy, &type, cap_mw, true, i);
        assert_int_equal(cap_mw, probes_mw[i]);
    }
    struct report cut = {.flags = REPORT_AT_CAP, .readback_mw = 50};
    demand_report(&demand, &policy, &cut, 500);
    demand_report(&demand, &policy, &cut, 1000);
    assert_int_equal(demand_cap_mw(&demand, &policy, &type, 50, true, 1000), 60);
}

/* Held a little higher with each of a hundred reports: it asks for one quantum more, not for everything. */
static void a_host_that_gets_less_than_its_probe_asks_for_no_more_than_that(void **state)
{
    (void)state;
    struct demand demand;
    const struct model_policy policy = {.demand_hold_ns = 400};
    const struct model_host_type type = {.cap_max_mw = 1000000, .quantum_mw = 10};
    demand_init(&demand, 0);
    for (uint32_t i = 1; i <= 100; i++) {
        struct report report = {.flags = REPORT_AT_CAP, .readback_mw = 1000 + i};
        demand_report(&demand, &policy, &report, i);
        assert_int_equal(demand_cap_mw(&demand, &policy, &type, 1000 + i, true, i), 1010 + i);
    }
}

static void a_forecast_is_claimed_in_its_time(void **state)
{
    (void)state;
    struct hall hall;
    hall_build(&hall);
    hall_limit(&hall, HALL_LEFT, 12);
    hall_open(&hall);
    hall_uses(&hall, 0, 3 * HALL_KW);
    hall_uses(&hall, 1, 8 * HALL_KW);
    demand_forecast(&hall.demand[0], 7 * HALL_KW, HALL_T_NS + 1, HALL_T_NS + 10, HALL_T_NS);
    hall_arbitrate(&hall, 64);
    assert_int_equal(hall.target_mw[1], 8 * HALL_KW);
    demand_forecast(&hall.demand[0], 7 * HALL_KW, HALL_T_NS, HALL_T_NS + 1, HALL_T_NS);
    hall_arbitrate(&hall, 64);
    assert_int_equal(hall.target_mw[0], 6 * HALL_KW);
    assert_int_equal(hall.target_mw[1], 6 * HALL_KW);
    hall_uses(&hall, 0, 3 * HALL_KW);
    demand_forecast(&hall.demand[0], 7 * HALL_KW, HALL_T_NS - 5, HALL_T_NS, HALL_T_NS);
    hall_arbitrate(&hall, 64);
    assert_int_equal(hall.target_mw[1], 8 * HALL_KW);
}

static void it_is_told_when_nothing_but_the_type_bounds_a_host(void **state)
{
    (void)state;
    struct hall hall;
    hall_build(&hall);
    hall_open(&hall);
    hall_uses(&hall, 0, 10 * HALL_KW);
    hall_uses(&hall, 1, 3 * HALL_KW);
    hall_arbitrate(&hall, 64);
    assert_int_equal(hall.bound_term[0], BOUND_CEILING);
    assert_int_equal(hall.bound_term[1], BOUND_NOTHING);
    assert_int_equal(hall.bound_node[0], INDEX_NONE);
}

/* A node is named as long as it holds a host down: what has room again names nobody. */
static void a_limit_that_binds_no_more_is_not_named(void **state)
{
    (void)state;
    struct hall hall;
    hall_build(&hall);
    hall_limit(&hall, HALL_LEFT, 40);
    hall_open(&hall);
    all_use(&hall, 10 * HALL_KW);
    ledger_scale_limit(&hall.ledger, HALL_LEFT, 300000);
    hall_arbitrate(&hall, 64);
    assert_int_equal(hall.target_mw[0], 6 * HALL_KW);
    assert_int_equal(hall.bound_node[0], HALL_LEFT);
    ledger_scale_limit(&hall.ledger, HALL_LEFT, 1000000);
    hall_arbitrate(&hall, 64);
    assert_int_equal(hall.target_mw[0], 10 * HALL_KW);
    assert_int_equal(hall.bound_term[0], BOUND_CEILING);
    assert_int_equal(hall.bound_node[0], INDEX_NONE);
}

/* 18 kVA over all phases are 6 kW for two hosts; the term says that it is the level of a pool. */
static void a_pools_level_is_named_as_such(void **state)
{
    (void)state;
    struct hall hall;
    struct pool pool[HALL_NODES] = {
        [HALL_LEFT] = {.trims = true, .capacity_mva = 18 * HALL_KW, .quantum_mva = HALL_KW}};
    struct pools pools = {.node = pool};
    hall_build(&hall);
    hall_open(&hall);
    hall.cluster.pools = &pools;
    all_use(&hall, 10 * HALL_KW);
    hall_arbitrate(&hall, 64);
    assert_int_equal(hall.target_mw[0], 3 * HALL_KW);
    assert_int_equal(hall.bound_node[0], HALL_LEFT);
    assert_int_equal(hall.bound_term[0], BOUND_LEVEL);
    assert_int_equal(hall.bound_node[2], INDEX_NONE);
}

/* 13 kVA, 1 to 100 by weight: the heavier has its largest cap, and nobody holds it down. */
static void who_has_all_it_may_is_held_down_by_nobody(void **state)
{
    (void)state;
    struct hall hall;
    hall_build(&hall);
    hall_limit(&hall, HALL_LEFT, 13);
    hall.host[1].weight = WEIGHT_MAX;
    hall_open(&hall);
    all_use(&hall, 10 * HALL_KW);
    hall_arbitrate(&hall, 64);
    assert_int_equal(hall.target_mw[1], 10 * HALL_KW);
    assert_int_equal(hall.bound_node[1], INDEX_NONE);
    assert_int_equal(hall.bound_term[1], BOUND_CEILING);
    assert_int_equal(hall.target_mw[0], 3 * HALL_KW);
    assert_int_equal(hall.bound_node[0], HALL_LEFT);
}

/* What held somebody down in one arbitration is cut no more in the next, if all fits. */
static void a_node_that_fits_again_is_cut_no_more(void **state)
{
    (void)state;
    struct hall hall;
    hall_build(&hall);
    hall_limit(&hall, HALL_LEFT, 40);
    hall_open(&hall);
    all_use(&hall, 10 * HALL_KW);
    ledger_scale_limit(&hall.ledger, HALL_LEFT, 300000);
    hall_arbitrate(&hall, 64);
    assert_int_not_equal(hall.cluster_node[HALL_LEFT].cut, 0);
    ledger_scale_limit(&hall.ledger, HALL_LEFT, 1000000);
    hall_arbitrate(&hall, 64);
    assert_int_equal(hall.cluster_node[HALL_LEFT].cut, 0);
}

static void on_phase(struct model_cord *cord, uint32_t node, uint32_t phase, uint32_t share_ppm)
{
    *cord = (struct model_cord){.node = node, .psus = 1, .share_ppm = {share_ppm}};
    cord->phase_ppm[phase] = 1000000;
}

/* RIGHT carries 4 kVA on A, where host 3 is, and 9 on B, where host 2 is beside half of host 4. The other
 * half is held to 1.5 kVA by LEFT, which is shared later: what that frees on B is host 2's, though A is
 * full. */
static void room_on_one_phase_is_given_on_though_another_is_full(void **state)
{
    (void)state;
    struct hall hall;
    hall_build(&hall);
    on_phase(&hall.host[0].cord[0], HALL_LEFT, 2, 1000000);
    on_phase(&hall.host[1].cord[0], HALL_LEFT, 2, 1000000);
    on_phase(&hall.host[2].cord[0], HALL_RIGHT, 1, 1000000);
    on_phase(&hall.host[3].cord[0], HALL_RACK, 0, 1000000);
    on_phase(&hall.host[4].cord[0], HALL_RACK, 1, 500000);
    on_phase(&hall.host[4].cord[1], HALL_LEFT, 1, 500000);
    hall.host[4].cord_count = 2;
    hall.node[HALL_RIGHT].limit_mva[0][0] = 4 * HALL_KW;
    hall.node[HALL_RIGHT].limit_mva[0][1] = 9 * HALL_KW;
    hall.node[HALL_LEFT].limit_mva[0][1] = 1500 * HALL_W;
    hall_open(&hall);
    all_use(&hall, 10 * HALL_KW);
    hall_arbitrate(&hall, 64);
    assert_int_equal(hall.target_mw[4], 3 * HALL_KW);
    assert_int_equal(hall.target_mw[3], 4 * HALL_KW);
    assert_in_range(hall.target_mw[2], 7499 * HALL_W, 7500 * HALL_W);
}

static int64_t targets_mw(const struct hall *hall)
{
    int64_t sum_mw = 0;
    for (uint32_t h = 0; h < HALL_HOSTS; h++)
        sum_mw += hall->target_mw[h];
    return sum_mw;
}

/*
 * Five hosts on one node of 17 kVA, caps in steps of 3 kW: 3.4 each, all told 3, and what is over at the last
 * (2) is nobody's. Were it the first one's in the next arbitration, five times 3.2 of 16 kVA would come to
 * 5.2 + 4 * 3.2: one host would have 6, and the sum would be 18.
 */
static void what_quanta_leave_over_ends_with_the_arbitration(void **state)
{
    (void)state;
    struct hall hall;
    hall_build(&hall);
    hall.type.quantum_mw = 3 * HALL_KW;
    for (uint32_t h = 0; h < HALL_HOSTS; h++)
        hall.host[h].cord[0].node = HALL_MAIN;
    hall_limit(&hall, HALL_MAIN, 20);
    hall_open(&hall);
    all_use(&hall, 10 * HALL_KW);
    ledger_scale_limit(&hall.ledger, HALL_MAIN, 850000);
    hall_arbitrate(&hall, 64);
    assert_int_equal(targets_mw(&hall), 15 * HALL_KW);
    ledger_scale_limit(&hall.ledger, HALL_MAIN, 800000);
    hall_arbitrate(&hall, 64);
    assert_int_equal(targets_mw(&hall), 15 * HALL_KW);
}

/* Whoever has its share is told nothing; who is to have another is named once, in the part that found it. */
static void those_apart_from_their_lease_are_named_once(void **state)
{
    (void)state;
    struct hall hall;
    hall_build(&hall);
    hall_limit(&hall, HALL_LEFT, 20);
    hall_open(&hall);
    all_use(&hall, 10 * HALL_KW);
    for (uint32_t h = 0; h < HALL_HOSTS; h++)
        hall_holds(&hall, h, 10 * HALL_KW);
    ledger_scale_limit(&hall.ledger, HALL_LEFT, 600000);
    uint32_t first, named[HALL_HOSTS] = {0}, next = 0;
    cluster_begin(&hall.cluster);
    while (hall.cluster.phase != CLUSTER_IDLE) {
        if (cluster_part(&hall.cluster, &hall.ledger, hall.demand, HALL_T_NS, 7, &first)) {
            assert_in_range(first, 0, next);        /* no host is left out between two parts */
            assert_in_range(hall.cluster.cursor, next, HALL_HOSTS);
            next = hall.cluster.cursor;
        }
        for (uint32_t i = 0; i < hall.cluster.apart_count; i++)
            named[hall.cluster.apart[i]]++;
    }
    assert_int_equal(next, HALL_HOSTS);
    for (uint32_t h = 0; h < HALL_HOSTS; h++)
        assert_int_equal(named[h], h < 2);
    hall_holds(&hall, 0, 6 * HALL_KW);
    hall_holds(&hall, 1, 6 * HALL_KW);
    hall_arbitrate(&hall, 1000);
    assert_int_equal(hall.cluster.apart_count, 0);
}

/* In one part as in many: all hosts are the caller's to act on. */
static void a_part_that_does_it_all_hands_over_all_hosts(void **state)
{
    (void)state;
    struct hall hall;
    uint32_t first = HALL_HOSTS;
    hall_build(&hall);
    hall_open(&hall);
    cluster_begin(&hall.cluster);
    assert_true(cluster_part(&hall.cluster, &hall.ledger, hall.demand, HALL_T_NS, 100000, &first));
    assert_int_equal(hall.cluster.phase, CLUSTER_IDLE);
    assert_int_equal(first, 0);
    assert_int_equal(hall.cluster.cursor, HALL_HOSTS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_higher_tier_has_all_it_can_use_before_a_lower_has_more_than_fail_safe),
        cmocka_unit_test(what_nobody_can_use_is_room_to_grow_for_all_tiers),
        cmocka_unit_test(a_gang_has_what_its_slowest_member_has),
        cmocka_unit_test(a_member_that_cannot_use_more_holds_nobody_of_its_gang_down),
        cmocka_unit_test(members_of_other_types_have_the_same_share_of_their_range),
        cmocka_unit_test(headroom_is_kept_free_at_every_limit),
        cmocka_unit_test(a_second_cord_binds_as_the_first_does),
        cmocka_unit_test(a_node_that_cannot_carry_its_floors_is_named_and_counted_once),
        cmocka_unit_test(floors_are_infeasible_only_where_they_would_be_were_every_host_heard),
        cmocka_unit_test(a_host_at_its_cap_is_probed_upward_where_watts_are_scarce),
        cmocka_unit_test(a_probe_doubles_while_it_is_taken_up),
        cmocka_unit_test(a_host_that_gets_less_than_its_probe_asks_for_no_more_than_that),
        cmocka_unit_test(a_forecast_is_claimed_in_its_time),
        cmocka_unit_test(it_is_told_when_nothing_but_the_type_bounds_a_host),
        cmocka_unit_test(a_limit_that_binds_no_more_is_not_named),
        cmocka_unit_test(a_pools_level_is_named_as_such),
        cmocka_unit_test(who_has_all_it_may_is_held_down_by_nobody),
        cmocka_unit_test(a_node_that_fits_again_is_cut_no_more),
        cmocka_unit_test(room_on_one_phase_is_given_on_though_another_is_full),
        cmocka_unit_test(what_quanta_leave_over_ends_with_the_arbitration),
        cmocka_unit_test(those_apart_from_their_lease_are_named_once),
        cmocka_unit_test(a_part_that_does_it_all_hands_over_all_hosts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
