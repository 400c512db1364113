/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What arbitration walks and counts, by hand in the small hall: runs of cords below every node, what a watt
 * loads each cell with, what a node can carry, gangs. Host 0 has half of itself on LEFT and half on RACK, and
 * under a loss all of it on LEFT; hosts 3 and 4 are alike; the power factor is 0.8.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/cluster_inside.h"
#include "core/bound.h"
#include "core/draw.h"
#include "hall.h"

static void build(struct hall *hall)
{
    hall_build(hall);
    hall->type.pf_min_ppm = 800000;
    hall->model.contingency_count = 2;
    struct model_host *host = &hall->host[0];
    host->cord_count = 2;
    host->cord[1].node = HALL_RACK;
    host->cord[0].share_ppm[0] = host->cord[1].share_ppm[0] = 500000;
    host->cord[1].share_ppm[1] = 0;
}

static bool is_above(const struct hall *hall, uint32_t node, const struct model_cord *cord)
{
    const struct model_node *below = &hall->node[cord->node];
    for (uint32_t a = 0; a < below->ancestor_count; a++)
        if (below->ancestor[a] == node)
            return true;
    return false;
}

/* How often a node's runs name a cord of this host: all of them, or its own first ones. */
static uint32_t named(const struct hall *hall, uint32_t n, uint32_t host, bool own)
{
    const struct cluster_node *node = &hall->cluster_node[n];
    uint32_t times = 0;
    for (uint32_t i = 0; i < (own ? node->own_count : node->count); i++) {
        const struct cluster_run *run = &hall->cluster.below[node->first + i];
        times += host >= run->host && host < run->host + run->count;
    }
    return times;
}

static void every_cord_below_a_node_is_walked_once(void **state)
{
    (void)state;
    struct hall hall;
    build(&hall);
    hall_open(&hall);
    for (uint32_t n = 0; n < HALL_NODES; n++)
        for (uint32_t h = 0; h < HALL_HOSTS; h++) {
            uint32_t cords = 0, own = 0;
            for (uint32_t j = 0; j < hall.host[h].cord_count; j++) {
                cords += is_above(&hall, n, &hall.host[h].cord[j]);
                own += hall.host[h].cord[j].node == n;
            }
            assert_int_equal(named(&hall, n, h, false), cords);
            assert_int_equal(named(&hall, n, h, true), own);
        }
    const struct cluster_node *rack = &hall.cluster_node[HALL_RACK];
    assert_int_equal(rack->count, 2);                       /* host 0's second cord; 3 and 4 as one run */
    assert_int_equal(hall.cluster.below[rack->first + 1].host, 3);
    assert_int_equal(hall.cluster.below[rack->first + 1].count, 2);
    for (uint32_t h = 0; h < HALL_HOSTS; h++)
        for (uint32_t j = 0; j < CORDS_MAX; j++)
            assert_int_equal(hall.cluster.cord_node[h][j],
                             j < hall.host[h].cord_count ? hall.host[h].cord[j].node : INDEX_NONE);
}

/* The shape of the run that names this host at a node, the first or the second of them. */
static const int64_t *coefficients(const struct hall *hall, uint32_t n, uint32_t host)
{
    const struct cluster_node *node = &hall->cluster_node[n];
    for (uint32_t i = 0; i < node->own_count; i++) {
        const struct cluster_run *run = &hall->cluster.below[node->first + i];
        if (host >= run->host && host < run->host + run->count)
            return &hall->cluster.coefficient[(size_t)run->shape * hall->cluster.cells];
    }
    return NULL;
}

/* In 2^-20 mVA for a mW. Half of 1 / 0.8 is 655360; all of it 1310720; a third of a phase, up. */
static void a_watt_loads_every_cell_by_share_phase_and_power_factor(void **state)
{
    (void)state;
    struct hall hall;
    build(&hall);
    hall.host[2].cord[0].phase_ppm[1] = 333333;
    hall.host[2].cord[0].phase_ppm[2] = 0;
    hall_open(&hall);
    const int64_t *left = coefficients(&hall, HALL_LEFT, 0), *rack = coefficients(&hall, HALL_RACK, 0),
                  *right = coefficients(&hall, HALL_RIGHT, 2);
    for (uint32_t p = 0; p < PHASES; p++) {
        assert_int_equal(left[p], 655360);
        assert_int_equal(left[PHASES + p], 1310720);
        assert_int_equal(rack[p], 655360);
        assert_int_equal(rack[PHASES + p], 0);
    }
    assert_int_equal(right[0], 1310720);
    assert_int_equal(right[1], 436907);                     /* 436906.2 */
    assert_int_equal(right[2], 0);
    /* a pool counts all phases under the heaviest contingency, a contract the part of the watts */
    assert_int_equal(left[2 * PHASES], 3 * 1310720);
    assert_int_equal(rack[2 * PHASES], 3 * 655360);
    assert_int_equal(left[2 * PHASES + 1], 524288);
    assert_int_equal(right[2 * PHASES + 1], 1048576);
    assert_int_equal(loads_mva(8, 655360), 5);
    assert_int_equal(loads_mva(9, 655360), 6);              /* up */
}

/* A quarter of a watt at a power factor of 0.825471 is 317569.0000012: never less is counted than is
 * there. */
static void what_a_watt_loads_is_rounded_up_by_the_least_part(void **state)
{
    (void)state;
    struct hall hall;
    hall_build(&hall);
    hall.type.pf_min_ppm = 825471;
    hall.host[2].cord[0].share_ppm[0] = 250000;
    hall_open(&hall);
    assert_int_equal(coefficients(&hall, HALL_RIGHT, 2)[0], 317570);
}

/*
 * Two hosts that differ on one phase in one contingency alone load it as each does: 0.5 and 0.6 of their
 * watts on phase A of LEFT while nothing is lost, all of them else. 5.5 kVA there leave 5 kW for each; taken
 * for one shape they would have 5.5, which is 6.05 kVA.
 */
static void hosts_that_differ_in_one_cell_are_two_shapes(void **state)
{
    (void)state;
    struct hall hall;
    hall_build(&hall);
    hall.model.contingency_count = 2;
    for (uint32_t h = 0; h < 2; h++) {
        hall.host[h].cord[0].phase_ppm[1] = hall.host[h].cord[0].phase_ppm[2] = 0;
        hall.host[h].cord[0].share_ppm[0] = 500000 + 100000 * h;
    }
    hall_limit(&hall, HALL_LEFT, 100);
    hall.node[HALL_LEFT].limit_mva[0][0] = 5500 * HALL_W;
    hall_open(&hall);
    for (uint32_t h = 0; h < 2; h++)
        hall_uses(&hall, h, 10 * HALL_KW);
    hall_arbitrate(&hall, 64);
    int64_t load = hall.target_mw[0] * 5 + hall.target_mw[1] * 6;
    assert_in_range(load, 54980 * HALL_W, 55000 * HALL_W);
}

/* Only where a later cut may free room that an earlier one had not: second cords, or phases that differ. */
static void what_crosses_is_known(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        struct hall hall;
        hall_build(&hall);
        if (i == 1) {
            hall.host[4].cord_count = 2;
            hall.host[4].cord[1].node = HALL_LEFT;
        }
        if (i > 1)
            hall.host[4].cord[0].phase_ppm[i - 2] = 500000;
        hall_open(&hall);
        assert_int_equal(hall.cluster.crossing, i > 0);
        assert_int_equal(hall.cluster_node[HALL_RACK].even, i < 2);
        assert_int_equal(hall.cluster_node[HALL_MAIN].even, i < 2);
        assert_true(hall.cluster_node[HALL_LEFT].even);
    }
}

/* A node on two feeds is a child of the second one by a run of its own. */
static void a_second_parent_knows_its_child(void **state)
{
    (void)state;
    struct hall hall;
    hall_build(&hall);
    uint32_t room = cluster_other_room(&hall.model);
    hall.node[HALL_RACK].parent_count = 2;
    hall.node[HALL_RACK].parent[1] = HALL_LEFT;
    assert_int_equal(cluster_other_room(&hall.model), room + 1);
    hall_open(&hall);
    assert_int_equal(hall.cluster_node[HALL_LEFT].other_count, 1);
    assert_int_equal(hall.cluster.other[hall.cluster_node[HALL_LEFT].other_first], HALL_RACK);
    assert_int_equal(hall.cluster_node[HALL_RIGHT].other_count, 0);
    assert_int_equal(hall.cluster_node[HALL_MAIN].other_count, 0);
    assert_int_equal(hall.cluster_node[HALL_MAIN].other_first, 0);
    assert_int_equal(hall.cluster_node[HALL_RACK].other_first, 1);
    /* groups lie behind: two cords below two nodes, three hosts of the right below two or three */
    assert_int_equal(hall.cluster.group_other, 1);
    assert_int_equal(hall.cluster.group_below, 2 * 2 + 2 + 2 * 3);
    hall.node[HALL_RACK].parent[0] = HALL_LEFT;     /* and of the node right before it */
    hall.node[HALL_RACK].parent[1] = HALL_RIGHT;
    hall_open(&hall);
    assert_int_equal(hall.cluster_node[HALL_LEFT].other_count, 0);
    assert_int_equal(hall.cluster_node[HALL_RIGHT].other_count, 1);
    assert_int_equal(hall.cluster.other[hall.cluster_node[HALL_RIGHT].other_first], HALL_RACK);
}

static void every_node_knows_those_above_it_and_no_more(void **state)
{
    (void)state;
    struct hall hall;
    hall_build(&hall);
    memset(hall.above, 0x11, sizeof hall.above);
    hall_open(&hall);
    for (uint32_t n = 0; n < HALL_NODES; n++)
        for (uint32_t a = 0; a < ANCESTORS_MAX; a++)
            assert_int_equal(hall.above[n][a], a < hall.node[n].ancestor_count ? hall.node[n].ancestor[a]
                                                                              : CLUSTER_NONE);
}

static void at_first_no_host_has_a_target_and_nothing_behind_them_is_touched(void **state)
{
    (void)state;
    struct hall hall;
    hall_build(&hall);
    hall.target_mw[HALL_HOSTS] = 77;
    hall.bound_node[HALL_HOSTS] = 77;
    hall_open(&hall);
    for (uint32_t h = 0; h < HALL_HOSTS; h++) {
        assert_int_equal(hall.target_mw[h], -1);
        assert_int_equal(hall.bound_node[h], INDEX_NONE);
    }
    assert_int_equal(hall.target_mw[HALL_HOSTS], 77);
    assert_int_equal(hall.bound_node[HALL_HOSTS], 77);
}

static void the_grain_is_the_smallest_quantum(void **state)
{
    (void)state;
    for (uint32_t small = 0; small < 3; small++) {
        struct hall hall;
        struct model_host_type type[3];
        hall_build(&hall);
        for (uint32_t i = 0; i < 3; i++) {
            type[i] = hall.type;
            type[i].quantum_mw = i == small ? 5 * HALL_W : 9 * HALL_W;
        }
        hall.model.type = type;
        hall.model.type_count = 3;
        hall_open(&hall);
        assert_int_equal(hall.cluster.grain_mw, 5 * HALL_W);
    }
}

/* Where nothing steers, what steered last is looked at once more, and then no more. */
static void without_pools_and_contracts_only_what_moved_is_looked_at(void **state)
{
    (void)state;
    struct hall hall;
    hall_build(&hall);
    hall_open(&hall);
    cluster_steer(&hall.cluster);
    assert_true(hall.cluster.look_at_all);
    cluster_steer(&hall.cluster);
    assert_false(hall.cluster.look_at_all);
    struct contracts contracts = {.count = 1};
    hall.cluster.contracts = &contracts;
    cluster_steer(&hall.cluster);
    assert_true(hall.cluster.look_at_all);
    contracts.count = 0;
    cluster_steer(&hall.cluster);
    assert_true(hall.cluster.look_at_all);
    cluster_steer(&hall.cluster);
    assert_false(hall.cluster.look_at_all);
}

/* Whatever stands behind the pools: nodes that a contract bounds together have none. */
static void a_group_has_no_pool(void **state)
{
    (void)state;
    struct hall hall;
    struct cluster_node node[HALL_NODES + 1];
    struct pool pool[HALL_NODES + 1];
    struct pools pools = {.node = pool};
    hall_build(&hall);
    hall_open(&hall);
    memcpy(node, hall.cluster_node, sizeof hall.cluster_node);
    memset(&node[HALL_NODES], 0, sizeof node[HALL_NODES]);
    memset(pool, 0, sizeof pool);
    for (uint32_t n = HALL_RACK; n <= HALL_NODES; n++)
        pool[n] = (struct pool){.trims = true, .capacity_mva = 5 * HALL_KW, .quantum_mva = HALL_KW};
    hall.cluster.node = node;
    hall.cluster.pools = &pools;
    cluster_steer(&hall.cluster);
    uint32_t items = 1000;
    cluster_limits(&hall.cluster, &hall.ledger, HALL_RACK, &items);
    cluster_limits(&hall.cluster, &hall.ledger, HALL_NODES, &items);
    assert_int_equal(hall_capacity(&hall, HALL_RACK, 1, 0), 5 * HALL_KW);
    assert_true(hall_capacity(&hall, HALL_NODES, 1, 0) >= INT64_MAX / 4);
}

static bool limits_change(struct hall *hall, uint32_t node)
{
    uint32_t items = UINT32_MAX;
    return cluster_limits(&hall->cluster, &hall->ledger, node, &items);
}

/* 14 kVA, of which 5 % are kept free for protection, 100 VA for who disobeys, 200 for others: 13. */
static void a_node_carries_what_is_left_of_its_limit(void **state)
{
    (void)state;
    struct hall hall;
    build(&hall);
    hall.model.policy.headroom_ppm = 50000;
    hall_limit(&hall, HALL_LEFT, 14);
    hall.node[HALL_LEFT].bad_mva[1][2] = 100 * HALL_W;
    hall.node[HALL_LEFT].other_mva[2] = 200 * HALL_W;
    hall_limit(&hall, HALL_RACK, 0);
    hall.node[HALL_RACK].other_mva[0] = 200 * HALL_W;
    hall.node[HALL_RIGHT].limited = 0;
    hall_open(&hall);
    cluster_steer(&hall.cluster);
    for (uint32_t n = 0; n < HALL_NODES; n++) {
        assert_true(limits_change(&hall, n));
        assert_false(limits_change(&hall, n));  /* the same again */
    }
    assert_int_equal(hall_capacity(&hall, HALL_LEFT, 1, 2), 13 * HALL_KW);
    assert_int_equal(hall_capacity(&hall, HALL_LEFT, 0, 2), 13100 * HALL_W);
    assert_int_equal(hall_capacity(&hall, HALL_LEFT, 1, 1), 13300 * HALL_W);
    assert_int_equal(hall_capacity(&hall, HALL_RACK, 0, 0), 0);
    assert_true(hall_capacity(&hall, HALL_RIGHT, 1, 2) >= INT64_MAX / 4);
    assert_true(hall_capacity(&hall, HALL_LEFT, 2, 0) >= INT64_MAX / 4);   /* no pool, no contract */
    assert_true(hall_capacity(&hall, HALL_LEFT, 2, 1) >= INT64_MAX / 4);
    hall.ledger.node[HALL_LEFT].limit_mva[0][1] = 20 * HALL_KW;            /* as under a permit */
    assert_true(limits_change(&hall, HALL_LEFT));
    /* of what is lent 0.96 is given out, 0.97 held, headroom of whole kVA off that */
    assert_int_equal(hall_capacity(&hall, HALL_LEFT, 0, 1), 19200 * HALL_W - 950 * HALL_W);
    hall.ledger.node[HALL_LEFT].newest_mva[0][1] = 19300 * HALL_W;
    assert_true(limits_change(&hall, HALL_LEFT));
    assert_int_equal(hall_capacity(&hall, HALL_LEFT, 0, 1), 19300 * HALL_W - 950 * HALL_W);
    hall.ledger.node[HALL_LEFT].newest_mva[0][1] = 19900 * HALL_W;
    assert_true(limits_change(&hall, HALL_LEFT));
    assert_int_equal(hall_capacity(&hall, HALL_LEFT, 0, 1), 19400 * HALL_W - 950 * HALL_W);
}

/* What stood above 0.96 when the limit moved is held, not more, and not once S has come down. */
static void what_is_held_is_over_once_less_is_leased(void **state)
{
    (void)state;
    struct hall hall;
    uint8_t moved[HALL_NODES] = {0};
    hall_build(&hall);
    hall_limit(&hall, HALL_RIGHT, 14);
    hall_open(&hall);
    hall.ledger.moved.node = moved;
    moved[HALL_RIGHT] = 1;
    struct ledger_sums *sums = &hall.ledger.node[HALL_RIGHT];
    sums->limit_mva[0][1] = 20 * HALL_KW;
    sums->newest_mva[0][1] = 19300 * HALL_W;
    assert_true(limits_change(&hall, HALL_RIGHT));
    assert_int_equal(hall_capacity(&hall, HALL_RIGHT, 0, 1), 19300 * HALL_W);
    assert_int_equal(moved[HALL_RIGHT], NODE_HELD);
    sums->newest_mva[0][1] = 19400 * HALL_W;
    assert_false(limits_change(&hall, HALL_RIGHT));
    sums->newest_mva[0][1] = 19201 * HALL_W;
    assert_false(limits_change(&hall, HALL_RIGHT));
    assert_int_equal(moved[HALL_RIGHT], NODE_HELD);
    sums->newest_mva[0][1] = 19200 * HALL_W;
    assert_true(limits_change(&hall, HALL_RIGHT));
    assert_int_equal(hall_capacity(&hall, HALL_RIGHT, 0, 1), 19200 * HALL_W);
    assert_int_equal(moved[HALL_RIGHT], 0);
}

/* All nodes may move with the readings of one moment: a part takes no more of them than it has time for. */
static void a_limit_that_moves_takes_its_time_of_a_part(void **state)
{
    (void)state;
    struct hall hall;
    uint8_t moved[HALL_NODES] = {0};
    uint32_t rests = 1000, moves = 1000, changes = 1000;
    hall_build(&hall);
    hall_limit(&hall, HALL_RIGHT, 14);
    hall_open(&hall);
    hall.ledger.moved.node = moved;
    limits_change(&hall, HALL_RIGHT);
    cluster_limits(&hall.cluster, &hall.ledger, HALL_RIGHT, &rests);
    moved[HALL_RIGHT] = 1;
    limits_change(&hall, HALL_RIGHT);
    moved[HALL_RIGHT] = 1;
    cluster_limits(&hall.cluster, &hall.ledger, HALL_RIGHT, &moves);
    hall.ledger.node[HALL_RIGHT].limit_mva[0][1] += HALL_KW;
    moved[HALL_RIGHT] = 1;
    cluster_limits(&hall.cluster, &hall.ledger, HALL_RIGHT, &changes);
    assert_int_equal(1000 - rests, COST_LIMITS);
    assert_int_equal(rests - moves, (hall.cluster.cells - CLUSTER_STEERED) * COST_CELL);
    assert_true(hall.cluster.node[HALL_RIGHT].alike);
    assert_int_equal(moves - changes, hall.cluster.cells * COST_FITS);
}

/* ---- gangs ---- */

static void a_share_of_a_range_is_a_cap_and_back(void **state)
{
    (void)state;
    const struct model_host_type type = {.cap_min_mw = 1000, .cap_max_mw = 5000};
    assert_int_equal(cluster_gang_cap_mw(&type, 0), 1000);
    assert_int_equal(cluster_gang_cap_mw(&type, CLUSTER_WHOLE), 5000);
    assert_int_equal(cluster_gang_cap_mw(&type, CLUSTER_WHOLE / 2), 3000);
    assert_int_equal(cluster_gang_cap_mw(&type, CLUSTER_WHOLE / 2 + 1), 3001);     /* up */
    assert_int_equal(cluster_gang_cap_mw(&type, 1), 1001);
}

/* Hosts 1 to 3 are a gang, 4 names one that there is not. */
static void open_gang(struct hall *hall)
{
    hall_build(hall);
    hall->model.gang_count = 2;
    for (uint32_t h = 0; h < HALL_HOSTS; h++) {
        hall->host[h].gang = h == 0 ? 0 : h == 4 ? 2 : 1;
        hall->host[h].weight = 7 - h;
        hall->host[h].tier = h == 2 ? 1 : 0;
    }
    hall_open(hall);
}

static void a_gang_has_the_least_weight_and_the_last_tier_of_its_members(void **state)
{
    (void)state;
    struct hall hall;
    open_gang(&hall);
    assert_int_equal(hall.gang[1].members, 3);
    assert_int_equal(hall.gang[1].weight, 4);
    assert_int_equal(hall.gang[1].tier, 1);
    assert_int_equal(hall.gang[0].members, 1);
    assert_int_equal(hall.gang[0].weight, 7);
    assert_int_equal(hall.gang[0].tier, 0);
    assert_int_equal(hall.cluster.job[3], 1);
    assert_int_equal(hall.cluster.job[4], INDEX_NONE);
}

static void stands(struct hall *hall, uint32_t host, int64_t draw_mw, int64_t useful_mw, uint32_t bound)
{
    hall->cluster.tier[host] = 0;
    hall->cluster.draw_mw[host] = draw_mw;
    hall->cluster.host_extent[host].least_mw = 2 * HALL_KW;
    hall->cluster.host_extent[host].useful_mw = useful_mw;
    hall->cluster.bound_node[host] = bound;
}

/* The range of caps is 0.1 to 10 kW: 5.05 kW are half of it. Only who is held below what it can use counts,
 * and only who has more goes down to it; never below what it must have. */
static void a_gang_goes_as_slowly_as_a_member_that_is_held_down(void **state)
{
    (void)state;
    struct hall hall;
    open_gang(&hall);
    stands(&hall, 1, 5050 * HALL_W, 9 * HALL_KW, HALL_LEFT);
    stands(&hall, 2, 3 * HALL_KW, 3 * HALL_KW, HALL_RIGHT);                 /* can use no more */
    stands(&hall, 3, 2500 * HALL_W, 9 * HALL_KW, INDEX_NONE);               /* nobody holds it */
    for (uint32_t h = 0; h < HALL_HOSTS; h++)
        cluster_gang_take(&hall.cluster, h);
    assert_int_equal(hall.gang[1].lowest, CLUSTER_WHOLE / 2);
    assert_int_equal(hall.gang[0].lowest, CLUSTER_WHOLE);
    stands(&hall, 3, 8 * HALL_KW, 9 * HALL_KW, HALL_RACK);
    cluster_gang_take(&hall.cluster, 3);                                    /* held, but faster */
    assert_int_equal(hall.gang[1].lowest, CLUSTER_WHOLE / 2);
    hall.cluster.node[HALL_RACK].dirty = hall.cluster.node[HALL_RIGHT].dirty = false;
    for (uint32_t h = 1; h < 4; h++)
        cluster_gang_pace(&hall.cluster, h);
    assert_int_equal(hall.cluster.draw_mw[1], 5050 * HALL_W);
    assert_int_equal(hall.cluster.bound_node[1], HALL_LEFT);
    assert_int_equal(hall.cluster.draw_mw[2], 3 * HALL_KW);
    assert_int_equal(hall.cluster.draw_mw[3], 5050 * HALL_W);
    assert_int_equal(hall.cluster.bound_term[3], BOUND_GANG);
    assert_int_equal(hall.cluster.bound_node[3], INDEX_NONE);
    assert_true(hall.cluster.node[HALL_RACK].dirty);
    assert_false(hall.cluster.node[HALL_RIGHT].dirty);
    hall.gang[1].paced_type = INDEX_NONE;
    hall.gang[1].lowest = 0;                                        /* the least cap: fail-safe stays */
    cluster_gang_pace(&hall.cluster, 2);
    assert_int_equal(hall.cluster.draw_mw[2], 2 * HALL_KW);
    hall.cluster.tier[1] = CLUSTER_FIXED;                                   /* cannot be told */
    cluster_gang_pace(&hall.cluster, 1);
    assert_int_equal(hall.cluster.draw_mw[1], 5050 * HALL_W);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cord_below_a_node_is_walked_once),
        cmocka_unit_test(a_watt_loads_every_cell_by_share_phase_and_power_factor),
        cmocka_unit_test(what_a_watt_loads_is_rounded_up_by_the_least_part),
        cmocka_unit_test(hosts_that_differ_in_one_cell_are_two_shapes),
        cmocka_unit_test(what_crosses_is_known),
        cmocka_unit_test(a_second_parent_knows_its_child),
        cmocka_unit_test(every_node_knows_those_above_it_and_no_more),
        cmocka_unit_test(at_first_no_host_has_a_target_and_nothing_behind_them_is_touched),
        cmocka_unit_test(the_grain_is_the_smallest_quantum),
        cmocka_unit_test(without_pools_and_contracts_only_what_moved_is_looked_at),
        cmocka_unit_test(a_group_has_no_pool),
        cmocka_unit_test(a_node_carries_what_is_left_of_its_limit),
        cmocka_unit_test(what_is_held_is_over_once_less_is_leased),
        cmocka_unit_test(a_limit_that_moves_takes_its_time_of_a_part),
        cmocka_unit_test(a_share_of_a_range_is_a_cap_and_back),
        cmocka_unit_test(a_gang_has_the_least_weight_and_the_last_tier_of_its_members),
        cmocka_unit_test(a_gang_goes_as_slowly_as_a_member_that_is_held_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
