/* SPDX-License-Identifier: Apache-2.0 */
/* Arbitration by itself: budgets down a nested tree, weights, plenty and want, hosts that cannot be told,
 * the way from a share to a cap. domain.md 4.6 by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/bound.h"
#include "core/cluster_inside.h"
#include "hall.h"

static void all_use(struct hall *hall, int64_t draw_mw)
{
    for (uint32_t h = 0; h < HALL_HOSTS; h++)
        hall_uses(hall, h, draw_mw);
}

static void targets_are(const struct hall *hall, int64_t a, int64_t b, int64_t c, int64_t d, int64_t e)
{
    const int64_t expected[HALL_HOSTS] = {a, b, c, d, e};
    for (uint32_t h = 0; h < HALL_HOSTS; h++)
        assert_int_equal(hall->target_mw[h], expected[h]);
}

/* ---- budgets ---- */

static void without_a_limit_in_reach_everyone_has_the_largest_cap(void **state)
{
    (void)state;
    struct hall hall;
    hall_build(&hall);
    hall_open(&hall);
    hall_arbitrate(&hall, 64);
    targets_are(&hall, 10 * HALL_KW, 10 * HALL_KW, 10 * HALL_KW, 10 * HALL_KW, 10 * HALL_KW);
}

/*
 * 18 kVA over five hosts that want all, host 3 with twice the weight. 8 fit through the rack, and go 2 : 1;
 * the other ten go to the three that hang elsewhere, on whichever branch.
 */
static void shares_go_by_weight_and_stop_at_the_limits_of_nested_nodes(void **state)
{
    (void)state;
    struct hall hall;
    hall_build(&hall);
    hall_limit(&hall, HALL_MAIN, 18);
    hall_limit(&hall, HALL_RACK, 8);
    hall.host[3].weight = 2;
    hall_open(&hall);
    all_use(&hall, 10 * HALL_KW);
    hall_arbitrate(&hall, 64);
    targets_are(&hall, 3333 * HALL_W, 3333 * HALL_W, 3333 * HALL_W, 5333 * HALL_W, 2666 * HALL_W);
    assert_int_equal(hall.bound_node[0], HALL_MAIN);
    assert_int_equal(hall.bound_node[2], HALL_MAIN);
    assert_int_equal(hall.bound_node[3], HALL_RACK);
    for (uint32_t h = 0; h < HALL_HOSTS; h++)
        assert_int_equal(hall.bound_term[h], BOUND_SHARE);
}

/* "First everyone gets what it can use, then what is left is given out as room to grow." 14 kVA on the left:
 * 8 and 3 are used; the other three go to the one that has less. */
static void what_is_left_over_is_room_to_grow_for_those_who_have_least(void **state)
{
    (void)state;
    struct hall hall;
    hall_build(&hall);
    hall_limit(&hall, HALL_LEFT, 14);
    hall_open(&hall);
    hall_uses(&hall, 0, 8 * HALL_KW);
    hall_uses(&hall, 1, 3 * HALL_KW);
    hall_arbitrate(&hall, 64);
    assert_int_equal(hall.target_mw[0], 8 * HALL_KW);
    assert_int_equal(hall.target_mw[1], 6 * HALL_KW);
}

static void what_somebody_can_use_goes_before_room_for_another_to_grow(void **state)
{
    (void)state;
    struct hall hall;
    hall_build(&hall);
    hall_limit(&hall, HALL_LEFT, 12);
    hall_open(&hall);
    hall_uses(&hall, 0, 10 * HALL_KW);
    hall_uses(&hall, 1, 3 * HALL_KW);
    hall_arbitrate(&hall, 64);
    assert_int_equal(hall.target_mw[0], 9 * HALL_KW);
    assert_int_equal(hall.target_mw[1], 3 * HALL_KW);
}

/* The rack cannot carry what its two can use, the main can and has room: what is left goes to the others. */
static void plenty_and_want_are_told_apart_at_every_node_by_itself(void **state)
{
    (void)state;
    struct hall hall;
    hall_build(&hall);
    hall_limit(&hall, HALL_MAIN, 24);
    hall_limit(&hall, HALL_RACK, 7);
    hall_open(&hall);
    hall_uses(&hall, 0, 2 * HALL_KW);
    hall_uses(&hall, 1, 2 * HALL_KW);
    hall_uses(&hall, 2, 5 * HALL_KW);
    hall_uses(&hall, 3, 5 * HALL_KW);
    hall_uses(&hall, 4, 3 * HALL_KW);
    hall_arbitrate(&hall, 64);
    /* rack: 5 and 3 of 7; main: 17 left for hosts that use 2, 2 and 5 */
    targets_are(&hall, 5666 * HALL_W, 5667 * HALL_W, 5666 * HALL_W, 4 * HALL_KW, 3 * HALL_KW);
}

/*
 * 12 kVA, and the right branch weighs 30 against 2, or 3 against 20: by weight one side would fall below what
 * its hosts draw at fail-safe. That it has (4 and 6), whether its hosts hang on it or on the rack below.
 */
static void a_light_branch_has_at_least_the_fail_safes_of_all_below_it(void **state)
{
    (void)state;
    struct hall hall;
    hall_build(&hall);
    hall_limit(&hall, HALL_MAIN, 12);
    for (uint32_t h = 2; h < HALL_HOSTS; h++)
        hall.host[h].weight = 10;
    hall_open(&hall);
    all_use(&hall, 10 * HALL_KW);
    hall_arbitrate(&hall, 64);
    targets_are(&hall, 2 * HALL_KW, 2 * HALL_KW, 2666 * HALL_W, 2666 * HALL_W, 2667 * HALL_W);
    hall_build(&hall);
    hall_limit(&hall, HALL_MAIN, 12);
    hall.host[0].weight = hall.host[1].weight = 10;
    hall_open(&hall);
    all_use(&hall, 10 * HALL_KW);
    hall_arbitrate(&hall, 64);
    targets_are(&hall, 3 * HALL_KW, 3 * HALL_KW, 2 * HALL_KW, 2 * HALL_KW, 2 * HALL_KW);
}

/* What is used by a host at fail-safe is at least that. */
static void nobody_is_offered_less_than_fail_safe(void **state)
{
    (void)state;
    struct hall hall;
    hall_build(&hall);
    hall_limit(&hall, HALL_LEFT, 10);
    hall_open(&hall);
    hall_uses(&hall, 0, 10 * HALL_KW);
    hall_uses(&hall, 1, 500 * HALL_W);
    hall_arbitrate(&hall, 64);
    assert_int_equal(hall.target_mw[0], 8 * HALL_KW);
    assert_int_equal(hall.target_mw[1], 2 * HALL_KW);
    assert_int_equal(hall.host_extent[1].useful_mw, 2 * HALL_KW);
    assert_int_equal(hall.host_extent[1].least_mw, 2 * HALL_KW);
    assert_int_equal(hall.host_extent[1].most_mw, 10 * HALL_KW);
}

/* A fail-safe cap above the largest settable one counts as it is. */
static void a_fail_safe_above_the_largest_cap_is_both_least_and_most(void **state)
{
    (void)state;
    struct hall hall;
    hall_build(&hall);
    hall.host[0].fail_safe_mw = 11 * HALL_KW;
    hall_open(&hall);
    hall_arbitrate(&hall, 64);
    assert_int_equal(hall.host_extent[0].least_mw, 11 * HALL_KW);
    assert_int_equal(hall.host_extent[0].useful_mw, 11 * HALL_KW);
    assert_int_equal(hall.host_extent[0].most_mw, 11 * HALL_KW);
}

static void below_the_sum_of_fail_safes_everyone_is_at_fail_safe(void **state)
{
    (void)state;
    struct hall hall;
    hall_build(&hall);
    hall_limit(&hall, HALL_LEFT, 3);
    hall_open(&hall);
    all_use(&hall, 10 * HALL_KW);
    hall_arbitrate(&hall, 64);
    assert_int_equal(hall.target_mw[0], 2 * HALL_KW);
    assert_int_equal(hall.target_mw[1], 2 * HALL_KW);
}

/* ---- what a node has to give ---- */

/* 14 on each phase less 1 and 2, 3 of others and 1.5 and 2 for hosts that disobey. */
static void capacity_is_what_others_and_disobedience_leave_of_the_limit(void **state)
{
    (void)state;
    struct hall hall;
    hall_build(&hall);
    hall_limit(&hall, HALL_LEFT, 14);
    for (int64_t p = 0; p < PHASES; p++) {
        hall.node[HALL_LEFT].other_mva[p] = (p + 1) * HALL_KW;
        hall.node[HALL_LEFT].bad_mva[0][p] = (p + 2) * HALL_KW / 2;
    }
    hall_open(&hall);
    hall_arbitrate(&hall, 64);
    for (int64_t p = 0; p < PHASES; p++)
        assert_int_equal(hall_capacity(&hall, HALL_LEFT, 0, (uint32_t)p),
                         14 * HALL_KW - (p + 1) * HALL_KW - (p + 2) * HALL_KW / 2);
}

static void capacity_is_that_of_the_worst_contingency(void **state)
{
    (void)state;
    static const int64_t limit_kva[3] = {14, 9, 11};
    for (uint32_t first = 0; first < 3; first++) {
        struct hall hall;
        hall_build(&hall);
        hall.model.contingency_count = 3;
        for (uint32_t c = 0; c < 3; c++) {
            for (uint32_t h = 0; h < HALL_HOSTS; h++)
                hall.host[h].cord[0].share_ppm[c] = 1000000;
            for (uint32_t p = 0; p < PHASES; p++)
                hall.node[HALL_LEFT].limit_mva[c][p] = limit_kva[(first + c) % 3] * HALL_KW;
        }
        for (uint32_t p = 0; p < PHASES; p++)
            hall.node[HALL_LEFT].limit_mva[3][p] = HALL_KW;   /* there is no fourth */
        hall_open(&hall);
        all_use(&hall, 10 * HALL_KW);
        hall_arbitrate(&hall, 64);
        assert_int_equal(hall.target_mw[0], 4500 * HALL_W);
        assert_int_equal(hall.target_mw[1], 4500 * HALL_W);
    }
}

static void capacity_follows_a_limit_that_events_have_lowered(void **state)
{
    (void)state;
    struct hall hall;
    hall_build(&hall);
    hall_limit(&hall, HALL_LEFT, 10);
    hall_open(&hall);
    ledger_scale_limit(&hall.ledger, HALL_LEFT, 700000);
    hall_arbitrate(&hall, 64);
    assert_int_equal(hall_capacity(&hall, HALL_LEFT, 0, 1), 7 * HALL_KW);
}

static void a_node_with_nothing_left_has_no_capacity_rather_than_a_negative_one(void **state)
{
    (void)state;
    struct hall hall;
    hall_build(&hall);
    hall_limit(&hall, HALL_LEFT, 1);
    for (uint32_t p = 0; p < PHASES; p++)
        hall.node[HALL_LEFT].other_mva[p] = 2 * HALL_KW;
    hall_open(&hall);
    hall_arbitrate(&hall, 64);
    assert_int_equal(hall_capacity(&hall, HALL_LEFT, 0, 0), 0);
    assert_int_equal(hall.target_mw[0], 2 * HALL_KW);
}

static void a_busbar_without_a_device_bounds_nothing(void **state)
{
    (void)state;
    struct hall hall;
    hall_build(&hall);
    hall_limit(&hall, HALL_RIGHT, 1);
    hall.node[HALL_RIGHT].limited = 0;
    hall_open(&hall);
    hall_arbitrate(&hall, 64);
    targets_are(&hall, 10 * HALL_KW, 10 * HALL_KW, 10 * HALL_KW, 10 * HALL_KW, 10 * HALL_KW);
    assert_true(hall_capacity(&hall, HALL_RIGHT, 0, 0) > 1000000 * HALL_KW);
}

/* Host 0 on phase A, host 1 on phase C: each has its phase. */
static void hosts_on_different_phases_do_not_share(void **state)
{
    (void)state;
    struct hall hall;
    hall_build(&hall);
    hall_limit(&hall, HALL_LEFT, 9);
    memset(hall.host[0].cord[0].phase_ppm, 0, sizeof hall.host[0].cord[0].phase_ppm);
    memset(hall.host[1].cord[0].phase_ppm, 0, sizeof hall.host[1].cord[0].phase_ppm);
    hall.host[0].cord[0].phase_ppm[0] = 1000000;
    hall.host[1].cord[0].phase_ppm[2] = 1000000;
    hall_open(&hall);
    all_use(&hall, 10 * HALL_KW);
    hall_arbitrate(&hall, 64);
    assert_int_equal(hall.target_mw[0], 9 * HALL_KW);
    assert_int_equal(hall.target_mw[1], 9 * HALL_KW);
}

/* The left branch has room of its own and hosts that are all alike; what it carries counts at the main beside
 * a host on one phase. 30 kVA for five hosts that want 10 each. */
static void a_branch_with_room_counts_at_a_node_with_hosts_of_another_kind(void **state)
{
    (void)state;
    struct hall hall;
    hall_build(&hall);
    hall.host[2].cord[0].phase_ppm[1] = hall.host[2].cord[0].phase_ppm[2] = 0;
    hall_limit(&hall, HALL_MAIN, 30);
    hall_open(&hall);
    all_use(&hall, 10 * HALL_KW);
    hall_arbitrate(&hall, 64);
    int64_t sum_mw = 0;
    for (uint32_t h = 0; h < HALL_HOSTS; h++)
        sum_mw += hall.target_mw[h];
    assert_in_range(sum_mw, 29990 * HALL_W, 30 * HALL_KW);
    targets_are(&hall, 6 * HALL_KW, 6 * HALL_KW, 6 * HALL_KW, 6 * HALL_KW, 6 * HALL_KW);
}

/* The branch below it has had room and has it still: its hosts are cut, and their caps are given all the
 * same. */
static void a_limit_that_falls_above_cuts_hosts_of_nodes_with_room(void **state)
{
    (void)state;
    struct hall hall;
    hall_build(&hall);
    hall_limit(&hall, HALL_MAIN, 100);
    hall_open(&hall);
    all_use(&hall, 8 * HALL_KW);
    hall_arbitrate(&hall, 64);
    hall_arbitrate(&hall, 64);
    ledger_scale_limit(&hall.ledger, HALL_MAIN, 200000);
    hall_arbitrate(&hall, 64);
    targets_are(&hall, 4 * HALL_KW, 4 * HALL_KW, 4 * HALL_KW, 4 * HALL_KW, 4 * HALL_KW);
}

/* One host loads all phases, one the first and half of the second: what each wants counts once. */
static void kinds_of_hosts_below_a_node_are_counted_each_once(void **state)
{
    (void)state;
    struct hall hall;
    hall_build(&hall);
    hall.host[1].cord[0].phase_ppm[1] = 500000;
    hall.host[1].cord[0].phase_ppm[2] = 0;
    hall_limit(&hall, HALL_LEFT, 12);
    hall_open(&hall);
    all_use(&hall, 10 * HALL_KW);
    hall_arbitrate(&hall, 64);
    assert_int_equal(hall.target_mw[0], 6 * HALL_KW);
    assert_int_equal(hall.target_mw[1], 6 * HALL_KW);
    hall_uses(&hall, 0, 3 * HALL_KW);
    hall_arbitrate(&hall, 64);
    assert_int_equal(hall.target_mw[0], 3 * HALL_KW);
    assert_int_equal(hall.target_mw[1], 9 * HALL_KW);
    const int64_t *load_mva = &hall.load_mva[HALL_LEFT * hall.cluster.cells];
    assert_int_equal(load_mva[0], 12 * HALL_KW);
    assert_int_equal(load_mva[1], 7500 * HALL_W);
    assert_int_equal(load_mva[2], 3 * HALL_KW);
    hall_uses(&hall, 0, 10 * HALL_KW);      /* a fifth of a kW above both fail-safes, and not below them */
    ledger_scale_limit(&hall.ledger, HALL_LEFT, 350000);
    hall_arbitrate(&hall, 64);
    assert_int_equal(hall.target_mw[0], 2100 * HALL_W);
    assert_int_equal(hall.target_mw[1], 2100 * HALL_W);
}

static void an_empty_branch_takes_nothing_from_the_other(void **state)
{
    (void)state;
    struct hall hall;
    hall_build(&hall);
    hall_limit(&hall, HALL_MAIN, 16);
    hall.model.host_count = 2;
    hall.node[HALL_RIGHT].host_count = hall.node[HALL_RACK].host_count = 0;
    hall_open(&hall);
    hall_arbitrate(&hall, 64);
    assert_int_equal(hall.target_mw[0], 8 * HALL_KW);
    assert_int_equal(hall.target_mw[1], 8 * HALL_KW);
    assert_int_equal(hall.load_mva[HALL_RIGHT * hall.cluster.cells], 0);
}

/* ---- hosts that cannot be told anything ---- */

static void a_host_that_is_not_bounded_keeps_its_exposure_and_has_no_target(void **state)
{
    (void)state;
    struct hall hall;
    hall_build(&hall);
    hall_limit(&hall, HALL_LEFT, 17);
    hall_open(&hall);
    hall_uses(&hall, 1, 10 * HALL_KW);
    hall.account[0].bounded = false;
    hall.account[0].exposed_draw_mw = 12 * HALL_KW;
    hall_arbitrate(&hall, 64);
    assert_int_equal(hall.target_mw[0], -1);
    assert_int_equal(hall.target_mw[1], 5 * HALL_KW);
    assert_int_equal(hall.host_extent[0].least_mw, 2 * HALL_KW);        /* once it is heard */
    assert_int_equal(hall.host_extent[0].useful_mw, 12 * HALL_KW);
    assert_int_equal(hall.host_extent[0].most_mw, 12 * HALL_KW);
}

static void a_host_silent_for_longer_than_a_lease_keeps_its_exposure(void **state)
{
    (void)state;
    struct hall hall;
    hall_build(&hall);
    hall_limit(&hall, HALL_LEFT, 14);
    hall_open(&hall);
    all_use(&hall, 10 * HALL_KW);
    hall_holds(&hall, 0, 9 * HALL_KW);
    hall.account[0].report_t_ns = HALL_T_NS - NS_PER_S;
    hall_arbitrate(&hall, 64);
    assert_int_equal(hall.target_mw[0], 7 * HALL_KW);
    assert_int_equal(hall.target_mw[1], 7 * HALL_KW);
    hall.account[0].report_t_ns--;
    hall_arbitrate(&hall, 64);
    assert_int_equal(hall.target_mw[0], -1);
    assert_int_equal(hall.target_mw[1], 5 * HALL_KW);
}

/* ---- from a share to a cap ---- */

/*
 * 1.25 W at the wall per watt of cap, 400 W that no cap governs, power factor 0.8, half of the host on its
 * first cord, all of it when a feed is lost; 0.2, 0.3 and 0.5 of it on the phases.
 */
static void make_real(struct hall *hall)
{
    hall->type.gain_ppm = 1250000;
    hall->type.base_max_mw = 400 * HALL_W;
    hall->type.pf_min_ppm = 800000;
    hall->type.phys_max_mw = 14 * HALL_KW;
    hall->model.contingency_count = 2;
    for (uint32_t h = 0; h < HALL_HOSTS; h++) {
        struct model_cord *cord = &hall->host[h].cord[0];
        cord->phase_ppm[0] = 200000;
        cord->phase_ppm[1] = 300000;
        cord->phase_ppm[2] = 500000;
        cord->share_ppm[0] = 500000;
        cord->share_ppm[1] = 1000000;
        cord->share_ppm[2] = 2000000;       /* no contingency */
    }
}

/* 2 kW: 2.9 kW at the wall. 10 kW: 12.9. A draw of 4 kW is a cap of 3601 W. */
static void extents_are_wall_draws_of_caps(void **state)
{
    (void)state;
    struct hall hall;
    hall_build(&hall);
    make_real(&hall);
    hall_open(&hall);
    hall_uses(&hall, 0, 4 * HALL_KW);
    hall_arbitrate(&hall, 64);
    assert_int_equal(hall.host_extent[0].least_mw, 2900 * HALL_W);
    assert_int_equal(hall.host_extent[0].most_mw, 12900 * HALL_W);
    assert_int_equal(hall.host_extent[0].useful_mw, 4900 * HALL_W);
}

/* 5 kVA on the fullest phase, which has half of a host at power factor 0.8: 8 kW at the wall for two
 * hosts, 3.6 of 4 governed, a cap of 2880 W. */
static void a_share_becomes_the_cap_whose_largest_draw_it_is(void **state)
{
    (void)state;
    for (uint32_t swap = 0; swap < 2; swap++) {
        struct hall hall;
        hall_build(&hall);
        make_real(&hall);
        for (uint32_t h = 0; swap && h < HALL_HOSTS; h++) {
            hall.host[h].cord[0].share_ppm[0] = 1000000;
            hall.host[h].cord[0].share_ppm[1] = 500000;
        }
        for (uint32_t i = 0; i < 2 * PHASES; i++)
            hall.node[HALL_LEFT].limit_mva[i / PHASES][i % PHASES] = 5000 * HALL_W;
        hall_open(&hall);
        all_use(&hall, 9 * HALL_KW);
        hall_arbitrate(&hall, 64);
        assert_int_equal(hall.target_mw[0], 2880 * HALL_W);
        assert_int_equal(hall.target_mw[1], 2880 * HALL_W);
    }
}

/* 10 kVA for two hosts in quanta of 300 W: 5000 is 16 and two thirds of them. The first has 4800 and hands
 * 200 on, the second has 5200, so 5100. */
static void what_a_quantum_cuts_off_goes_to_the_next_host_of_the_rack(void **state)
{
    (void)state;
    struct hall hall;
    hall_build(&hall);
    hall_limit(&hall, HALL_LEFT, 10);
    hall.type.quantum_mw = 300 * HALL_W;
    hall_open(&hall);
    all_use(&hall, 10 * HALL_KW);
    hall_arbitrate(&hall, 64);
    assert_int_equal(hall.target_mw[0], 4800 * HALL_W);
    assert_int_equal(hall.target_mw[1], 5100 * HALL_W);
    hall_arbitrate(&hall, 64);
    assert_int_equal(hall.target_mw[0], 4800 * HALL_W);
    assert_int_equal(hall.target_mw[1], 5100 * HALL_W);
}

static void no_rack_is_given_what_another_lost_to_its_quanta(void **state)
{
    (void)state;
    struct hall hall;
    hall_build(&hall);
    hall_limit(&hall, HALL_LEFT, 10);
    hall_limit(&hall, HALL_RIGHT, 15);
    hall.type.quantum_mw = 300 * HALL_W;
    hall_open(&hall);
    all_use(&hall, 10 * HALL_KW);
    hall_arbitrate(&hall, 64);
    targets_are(&hall, 4800 * HALL_W, 5100 * HALL_W, 4800 * HALL_W, 4800 * HALL_W, 5100 * HALL_W);
}

/* The carry of one rack stands over when only that rack is there: the next arbitration starts without. */
static void quanta_are_not_carried_from_one_arbitration_to_the_next(void **state)
{
    (void)state;
    struct hall hall;
    hall_build(&hall);
    hall_limit(&hall, HALL_LEFT, 10);
    hall.type.quantum_mw = 300 * HALL_W;
    hall.model.host_count = 2;
    hall.model.node_count = 2;
    hall.node[HALL_MAIN].child_count = 1;
    hall_open(&hall);
    all_use(&hall, 10 * HALL_KW);
    for (int tick = 0; tick < 5; tick++) {
        hall_arbitrate(&hall, 64);
        assert_int_equal(hall.target_mw[0], 4800 * HALL_W);
        assert_int_equal(hall.target_mw[1], 5100 * HALL_W);
    }
}

static void no_target_is_below_fail_safe_and_what_stands_above_is_not_taken_from_the_next(void **state)
{
    (void)state;
    struct hall hall;
    hall_build(&hall);
    hall.type.phys_max_mw = 13 * HALL_KW;
    hall.type.cap_max_mw = 10 * HALL_KW;
    hall.host[0].fail_safe_mw = 13 * HALL_KW;
    hall_limit(&hall, HALL_LEFT, 17);
    hall_open(&hall);
    hall_uses(&hall, 1, 4 * HALL_KW);
    hall_arbitrate(&hall, 64);
    assert_int_equal(hall.target_mw[0], 13 * HALL_KW);      /* never below fail-safe */
    assert_int_equal(hall.target_mw[1], 4 * HALL_KW);
}

static void the_odd_watts_beside_a_largest_cap_off_the_grain_are_not_piled_up(void **state)
{
    (void)state;
    struct hall hall;
    hall_build(&hall);
    hall.type.quantum_mw = 300 * HALL_W;    /* 10 kW is 33 quanta and 100 W */
    hall_open(&hall);
    hall_arbitrate(&hall, 64);
    for (uint32_t h = 0; h < HALL_HOSTS; h++)
        assert_in_range(hall.target_mw[h], 9900 * HALL_W, 10 * HALL_KW);
    assert_int_equal(hall.target_mw[0], 9900 * HALL_W);
    assert_in_range(hall.cluster.carry_mw, 0, 300 * HALL_W);
}

/* ---- parts ---- */

static void parts_of_any_size_come_to_the_same_targets(void **state)
{
    (void)state;
    for (uint32_t items = 1; items < 40; items++) {
        struct hall hall;
        hall_build(&hall);
        hall_limit(&hall, HALL_MAIN, 18);
        hall_limit(&hall, HALL_RACK, 8);
        hall.host[3].weight = 2;
        hall_open(&hall);
        all_use(&hall, 10 * HALL_KW);
        hall_arbitrate(&hall, items);
        targets_are(&hall, 3333 * HALL_W, 3333 * HALL_W, 3333 * HALL_W, 5333 * HALL_W, 2666 * HALL_W);
    }
}

/* Look at 4 nodes, gather 5 hosts, spread over 4 nodes, reset 5 hosts, trim; then commit 5 hosts. */
static void a_part_visits_as_many_as_it_may_and_names_the_hosts_that_are_ready(void **state)
{
    (void)state;
    struct hall hall;
    uint32_t first = 99;
    hall_build(&hall);
    hall_open(&hall);
    cluster_begin(&hall.cluster);
    assert_int_equal(hall.cluster.phase, CLUSTER_LIMITS);
    for (uint32_t nodes = 1; nodes <= 4; nodes++) {     /* limits that are worked out: a part each */
        assert_false(cluster_part(&hall.cluster, &hall.ledger, hall.demand, HALL_T_NS, 1, &first));
        assert_int_equal(first, 0);
        assert_int_equal(hall.cluster.cursor, nodes);
    }
    assert_false(
        cluster_part(&hall.cluster, &hall.ledger, hall.demand, HALL_T_NS, 4 * COST_GATHER, &first));
    assert_int_equal(hall.cluster.phase, CLUSTER_GATHER);
    assert_int_equal(hall.cluster.cursor, 4);
    assert_false(
        cluster_part(&hall.cluster, &hall.ledger, hall.demand, HALL_T_NS, COST_GATHER + 1, &first));
    assert_int_equal(hall.cluster.phase, CLUSTER_SPREAD);
    while (hall.cluster.phase != CLUSTER_COMMIT)
        cluster_part(&hall.cluster, &hall.ledger, hall.demand, HALL_T_NS, 1, &first);
    while (hall.cluster.phase == CLUSTER_COMMIT) {
        uint32_t before = hall.cluster.cursor;
        assert_true(cluster_part(&hall.cluster, &hall.ledger, hall.demand, HALL_T_NS, 1, &first));
        assert_true(hall.cluster.cursor <= before + 1);
        for (uint32_t h = first; h < hall.cluster.cursor; h++)
            assert_int_equal(hall.target_mw[h], 10 * HALL_KW);
        for (uint32_t h = hall.cluster.cursor; h < HALL_HOSTS; h++)
            assert_int_equal(hall.target_mw[h], -1);
    }
    assert_int_equal(hall.cluster.cursor, HALL_HOSTS);
    assert_int_equal(hall.cluster.phase, CLUSTER_IDLE);
}

/* What one part was given to visit is all it visits, also inside one node. */
static void no_part_visits_more_than_it_was_given(void **state)
{
    (void)state;
    struct hall hall;
    uint32_t first, parts = 0;
    hall_build(&hall);
    hall_limit(&hall, HALL_LEFT, 12);
    hall_open(&hall);
    all_use(&hall, 10 * HALL_KW);
    cluster_begin(&hall.cluster);
    while (hall.cluster.phase != CLUSTER_IDLE) {
        uint32_t at = hall.cluster.visit.at, step = hall.cluster.visit.step, cursor = hall.cluster.cursor;
        uint8_t phase = hall.cluster.phase;
        cluster_part(&hall.cluster, &hall.ledger, hall.demand, HALL_T_NS, 1, &first);
        if (phase == hall.cluster.phase && cursor == hall.cluster.cursor && step == hall.cluster.visit.step)
            assert_true(hall.cluster.visit.at <= at + 1);
        assert_true(phase != hall.cluster.phase || hall.cluster.cursor <= cursor + 1);
        parts++;
    }
    /* 13 before and 5 after; the cut at the left looks at its two hosts in bands, claims, search and cut */
    assert_in_range(parts, 13 + 5 + 4 * 2, 18 + 5 + 20 + 20 * 2);
}

static void an_open_arbitration_is_given_up_by_the_next(void **state)
{
    (void)state;
    struct hall hall;
    uint32_t first;
    for (uint32_t items = 1; items < 60; items++) {
        hall_build(&hall);
        hall_limit(&hall, HALL_LEFT, 12);
        hall_open(&hall);
        all_use(&hall, 10 * HALL_KW);
        cluster_begin(&hall.cluster);
        cluster_part(&hall.cluster, &hall.ledger, hall.demand, HALL_T_NS, items, &first);
        hall_arbitrate(&hall, 64);
        targets_are(&hall, 6 * HALL_KW, 6 * HALL_KW, 10 * HALL_KW, 10 * HALL_KW, 10 * HALL_KW);
    }
}

/* The same with a host that is not heard: of 10 kVA it has 6. Wherever the one before was left, what it had
 * counted so far is nothing to the next, nor is anything behind the last host. */
static void what_an_arbitration_given_up_has_counted_counts_no_more(void **state)
{
    (void)state;
    struct hall hall;
    uint32_t first;
    for (uint32_t left = 1; left < 150; left++) {
        hall_build(&hall);
        hall_limit(&hall, HALL_LEFT, 10);
        hall_open(&hall);
        all_use(&hall, 10 * HALL_KW);
        hall_holds(&hall, 0, 6 * HALL_KW);
        hall.account[0].bounded = false;
        hall.account[0].exposed_draw_mw = 6 * HALL_KW;
        hall.changed[HALL_HOSTS] = 1;
        cluster_begin(&hall.cluster);
        for (uint32_t part = 0; part < left; part++)
            cluster_part(&hall.cluster, &hall.ledger, hall.demand, HALL_T_NS, 1, &first);
        hall_arbitrate(&hall, 64);
        assert_int_equal(hall.target_mw[1], 4 * HALL_KW);
        assert_int_equal(hall.target_mw[2], 10 * HALL_KW);
        assert_int_equal(hall.changed[HALL_HOSTS], 1);
    }
}

static uint32_t parts_of_one(struct hall *hall)
{
    uint32_t first, parts = 0;
    cluster_begin(&hall->cluster);
    for (; hall->cluster.phase != CLUSTER_IDLE; parts++)
        cluster_part(&hall->cluster, &hall->ledger, hall->demand, HALL_T_NS, 1, &first);
    return parts;
}

/* 4 nodes, 5 hosts and 5 hosts again, of which those whose lease is not their target yet take a part
 * alone. */
static void what_has_not_changed_is_not_shared_anew(void **state)
{
    (void)state;
    struct hall hall;
    hall_build(&hall);
    hall_limit(&hall, HALL_LEFT, 12);
    hall_open(&hall);
    all_use(&hall, 10 * HALL_KW);
    uint32_t all = parts_of_one(&hall), none = parts_of_one(&hall);
    assert_in_range(none, 14, 15);
    hall_uses(&hall, 4, 5 * HALL_KW);       /* nobody is held down there: the left is left alone */
    hall.draw_mw[0] = 5 * HALL_KW;          /* and would not be found out otherwise */
    uint32_t right = parts_of_one(&hall);
    assert_int_equal(hall.draw_mw[0], 5 * HALL_KW);
    assert_in_range(right, none + 1, all - 1);
    hall_uses(&hall, 1, 5 * HALL_KW);       /* here somebody is: all below the node share anew */
    parts_of_one(&hall);
    targets_are(&hall, 7 * HALL_KW, 5 * HALL_KW, 10 * HALL_KW, 10 * HALL_KW, 10 * HALL_KW);
    hall_limit(&hall, HALL_LEFT, 14);
    ledger_scale_limit(&hall.ledger, HALL_LEFT, 1000000);
    parts_of_one(&hall);
    targets_are(&hall, 9 * HALL_KW, 5 * HALL_KW, 10 * HALL_KW, 10 * HALL_KW, 10 * HALL_KW);
}

static void a_wish_that_moves_within_its_headroom_stays(void **state)
{
    (void)state;
    struct hall hall;
    hall_build(&hall);
    hall_limit(&hall, HALL_LEFT, 12);
    hall_open(&hall);
    all_use(&hall, 8 * HALL_KW);
    hall_arbitrate(&hall, 64);
    hall_uses(&hall, 0, 8 * HALL_KW * 32 / 33);
    hall_arbitrate(&hall, 64);
    assert_int_equal(hall.host_extent[0].useful_mw, 8 * HALL_KW);
    hall_uses(&hall, 0, 8 * HALL_KW * 28 / 32);
    hall_arbitrate(&hall, 64);
    assert_int_equal(hall.host_extent[0].useful_mw, 7 * HALL_KW);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_limit_in_reach_everyone_has_the_largest_cap),
        cmocka_unit_test(shares_go_by_weight_and_stop_at_the_limits_of_nested_nodes),
        cmocka_unit_test(what_is_left_over_is_room_to_grow_for_those_who_have_least),
        cmocka_unit_test(what_somebody_can_use_goes_before_room_for_another_to_grow),
        cmocka_unit_test(plenty_and_want_are_told_apart_at_every_node_by_itself),
        cmocka_unit_test(a_light_branch_has_at_least_the_fail_safes_of_all_below_it),
        cmocka_unit_test(nobody_is_offered_less_than_fail_safe),
        cmocka_unit_test(a_fail_safe_above_the_largest_cap_is_both_least_and_most),
        cmocka_unit_test(below_the_sum_of_fail_safes_everyone_is_at_fail_safe),
        cmocka_unit_test(capacity_is_what_others_and_disobedience_leave_of_the_limit),
        cmocka_unit_test(capacity_is_that_of_the_worst_contingency),
        cmocka_unit_test(capacity_follows_a_limit_that_events_have_lowered),
        cmocka_unit_test(a_node_with_nothing_left_has_no_capacity_rather_than_a_negative_one),
        cmocka_unit_test(a_busbar_without_a_device_bounds_nothing),
        cmocka_unit_test(hosts_on_different_phases_do_not_share),
        cmocka_unit_test(a_branch_with_room_counts_at_a_node_with_hosts_of_another_kind),
        cmocka_unit_test(a_limit_that_falls_above_cuts_hosts_of_nodes_with_room),
        cmocka_unit_test(kinds_of_hosts_below_a_node_are_counted_each_once),
        cmocka_unit_test(an_empty_branch_takes_nothing_from_the_other),
        cmocka_unit_test(a_host_that_is_not_bounded_keeps_its_exposure_and_has_no_target),
        cmocka_unit_test(a_host_silent_for_longer_than_a_lease_keeps_its_exposure),
        cmocka_unit_test(extents_are_wall_draws_of_caps),
        cmocka_unit_test(a_share_becomes_the_cap_whose_largest_draw_it_is),
        cmocka_unit_test(what_a_quantum_cuts_off_goes_to_the_next_host_of_the_rack),
        cmocka_unit_test(no_rack_is_given_what_another_lost_to_its_quanta),
        cmocka_unit_test(quanta_are_not_carried_from_one_arbitration_to_the_next),
        cmocka_unit_test(no_target_is_below_fail_safe_and_what_stands_above_is_not_taken_from_the_next),
        cmocka_unit_test(the_odd_watts_beside_a_largest_cap_off_the_grain_are_not_piled_up),
        cmocka_unit_test(parts_of_any_size_come_to_the_same_targets),
        cmocka_unit_test(a_part_visits_as_many_as_it_may_and_names_the_hosts_that_are_ready),
        cmocka_unit_test(no_part_visits_more_than_it_was_given),
        cmocka_unit_test(an_open_arbitration_is_given_up_by_the_next),
        cmocka_unit_test(what_an_arbitration_given_up_has_counted_counts_no_more),
        cmocka_unit_test(what_has_not_changed_is_not_shared_anew),
        cmocka_unit_test(a_wish_that_moves_within_its_headroom_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
