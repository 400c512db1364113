/* SPDX-License-Identifier: Apache-2.0 */
/* When arbitration looks at a host's wish again, and what it then takes the wish to be: by hand in the
 * hall. A host wants what it draws. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/cluster_inside.h"
#include "core/contract.h"
#include "hall.h"

struct round {
    struct hall hall;
    uint8_t moved[HALL_HOSTS];
};

/* Everything looked at once, nothing has moved since. */
static void open_round(struct round *round)
{
    struct hall *hall = &round->hall;
    memset(round, 0, sizeof *round);
    hall_build(hall);
    hall->type.cap_max_mw = 10 * HALL_KW;
    hall_open(hall);
    for (uint32_t h = 0; h < HALL_HOSTS; h++)
        hall_uses(hall, h, 6400 * HALL_W);
    hall_arbitrate(hall, 64);
    hall_arbitrate(hall, 64);
    hall->ledger.moved.host = round->moved;
}

/* Returns the visits that were not used. */
static uint32_t gather(struct round *round, int64_t t_ns, uint32_t items)
{
    struct cluster *cluster = &round->hall.cluster;
    memset(round->hall.changed, 0, sizeof round->hall.changed);
    cluster->cursor = 0;
    cluster_gather(cluster, &round->hall.ledger, round->hall.demand, t_ns, &items);
    return items;
}

static void look(struct round *round, uint32_t host)
{
    round->moved[host] = 1;
    gather(round, HALL_T_NS, 1000);
    assert_int_equal(round->moved[host], 0);
}

/* A 32nd part less or a 64th more: 200 and 100 of 6400 W. */
static void a_wish_stays_within_a_32nd_below_and_a_64th_above(void **state)
{
    static const struct {
        int64_t draw_mw, wish_mw;
    } to[] = {{6200 * HALL_W, 6400 * HALL_W}, {6200 * HALL_W - 1, 6200 * HALL_W - 1},
              {6500 * HALL_W, 6400 * HALL_W}, {6500 * HALL_W + 1, 6500 * HALL_W + 1},
              {6400 * HALL_W, 6400 * HALL_W}, {9 * HALL_KW, 9 * HALL_KW}};
    (void)state;
    for (size_t i = 0; i < sizeof to / sizeof *to; i++) {
        struct round round;
        open_round(&round);
        hall_uses(&round.hall, 1, to[i].draw_mw);
        look(&round, 1);
        assert_int_equal(round.hall.host_extent[1].useful_mw, to[i].wish_mw);
        assert_int_equal(round.hall.changed[1], to[i].wish_mw != 6400 * HALL_W);
    }
}

/* Fail-safe that the host reports, what it can use, what its type allows: each alone is a change. */
static void any_edge_of_what_it_may_have_makes_it_shared_anew(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct round round;
        open_round(&round);
        round.hall.account[2].fail_safe_mw += i == 1;
        if (i == 2)
            hall_uses(&round.hall, 2, 5 * HALL_KW);
        round.hall.type.cap_max_mw += i == 3;
        look(&round, 2);
        assert_int_equal(round.hall.changed[2], i != 0);
        assert_false(round.hall.changed[1]);
    }
}

/* "fail-safe, or what a contract leaves: never less than the floor". */
static void below_fail_safe_a_contract_alone_asks(void **state)
{
    (void)state;
    struct round round;
    struct contracts contracts;
    int64_t budget_mw[HALL_NODES + CONTRACT_GROUPS_MAX], fail_safe_mw[HALL_NODES + CONTRACT_GROUPS_MAX];
    uint32_t within[HALL_NODES] = {0};
    open_round(&round);
    memset(&contracts, 0, sizeof contracts);
    contracts.model = &round.hall.model;
    contracts.budget_mw = budget_mw;
    contracts.fail_safe_mw = fail_safe_mw;
    contracts.within = within;
    contracts.count = 1;
    for (uint32_t n = 0; n < HALL_NODES + CONTRACT_GROUPS_MAX; n++)
        budget_mw[n] = fail_safe_mw[n] = 4 * HALL_KW;
    const struct ledger *ledger = &round.hall.ledger;
    struct cluster *cluster = &round.hall.cluster;
    assert_int_equal(cluster_least_cap_mw(cluster, ledger, 0), 2 * HALL_KW);
    cluster->contracts = &contracts;
    assert_int_equal(cluster_least_cap_mw(cluster, ledger, 0), 2 * HALL_KW);
    budget_mw[HALL_LEFT]--;
    assert_int_equal(cluster_least_cap_mw(cluster, ledger, 0), HALL_KW);
    assert_int_equal(cluster_least_cap_mw(cluster, ledger, 2), 2 * HALL_KW);
    round.hall.host[0].floor_mw = 3 * HALL_KW;          /* above what it falls to by itself */
    assert_int_equal(cluster_least_cap_mw(cluster, ledger, 0), 2 * HALL_KW);
}

/* A host silent for longer than D = 1 s is looked at in that nanosecond, though nothing else has happened. */
static void silence_wakes_it_after_a_lease(void **state)
{
    (void)state;
    struct round round;
    open_round(&round);
    for (uint32_t h = 0; h < HALL_HOSTS; h++)
        look(&round, h);
    gather(&round, HALL_T_NS + NS_PER_S, 1000);
    for (uint32_t h = 0; h < HALL_HOSTS; h++) {
        assert_int_equal(round.hall.wake_ns[h], HALL_T_NS + NS_PER_S + 1);
        assert_int_not_equal(round.hall.tier[h], CLUSTER_FIXED);
    }
    round.moved[3] = 1;                                 /* looked at in the last moment: wakes all the same */
    gather(&round, HALL_T_NS + NS_PER_S, 1000);
    gather(&round, HALL_T_NS + NS_PER_S + 1, 1000);
    for (uint32_t h = 0; h < HALL_HOSTS; h++)
        assert_int_equal(round.hall.tier[h], CLUSTER_FIXED);
}

/* At its cap of 2 kW: held down it is probed by a quantum, let go it may want everything. */
static void what_holds_it_down_is_looked_at_when_it_comes_and_when_it_goes(void **state)
{
    (void)state;
    struct round round;
    open_round(&round);
    demand_init(&round.hall.demand[0], HALL_T_NS);
    round.hall.demand[0].held_cap_mw[0] = 2 * HALL_KW;
    round.hall.bound_node[0] = INDEX_NONE;
    look(&round, 0);
    assert_int_equal(round.hall.host_extent[0].useful_mw, 10 * HALL_KW);
    for (int i = 0; i < 2; i++) {
        round.hall.bound_node[0] = HALL_LEFT;
        gather(&round, HALL_T_NS, 1000);
        assert_int_equal(round.hall.host_extent[0].useful_mw, 2 * HALL_KW + HALL_W);
        round.hall.bound_node[0] = INDEX_NONE;
        gather(&round, HALL_T_NS, 1000);
        assert_int_equal(round.hall.host_extent[0].useful_mw, 10 * HALL_KW);
    }
}

/* Two that sleep take a visit; one that is looked at takes its cost. */
static void a_part_passes_two_sleepers_a_visit(void **state)
{
    (void)state;
    struct round round;
    open_round(&round);
    gather(&round, HALL_T_NS, 1000);
    assert_int_equal(gather(&round, HALL_T_NS, 2), 0);
    assert_int_equal(round.hall.cluster.cursor, 4);
    assert_int_equal(gather(&round, HALL_T_NS, 3), 1);
    assert_int_equal(round.hall.cluster.cursor, HALL_HOSTS);
    memset(round.moved, 1, sizeof round.moved);
    assert_int_equal(gather(&round, HALL_T_NS, 2 * COST_GATHER), 0);
    assert_int_equal(round.hall.cluster.cursor, 2);
}

/* A wish that moves by little is the wish it was, but not one for all there is: the last watts are asked
 * for. */
static void a_host_that_can_use_its_largest_cap_is_not_kept_below_it(void **state)
{
    (void)state;
    struct hall hall;
    hall_build(&hall);
    hall_limit(&hall, HALL_LEFT, 14);
    hall.host[1].tier = 1;
    hall_open(&hall);
    hall_uses(&hall, 0, 9900 * HALL_W);
    hall_uses(&hall, 1, 10 * HALL_KW);
    hall_arbitrate(&hall, 64);
    assert_int_equal(hall.target_mw[0], 9900 * HALL_W);
    hall_uses(&hall, 0, 10 * HALL_KW);
    hall_arbitrate(&hall, 64);
    assert_int_equal(hall.target_mw[0], 10 * HALL_KW);
    assert_int_equal(hall.target_mw[1], 4 * HALL_KW);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wish_stays_within_a_32nd_below_and_a_64th_above),
        cmocka_unit_test(any_edge_of_what_it_may_have_makes_it_shared_anew),
        cmocka_unit_test(below_fail_safe_a_contract_alone_asks),
        cmocka_unit_test(silence_wakes_it_after_a_lease),
        cmocka_unit_test(what_holds_it_down_is_looked_at_when_it_comes_and_when_it_goes),
        cmocka_unit_test(a_part_passes_two_sleepers_a_visit),
        cmocka_unit_test(a_host_that_can_use_its_largest_cap_is_not_kept_below_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
