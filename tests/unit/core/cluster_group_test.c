/* SPDX-License-Identifier: Apache-2.0 */
/* How arbitration takes in nodes that a contract bounds together, place by place, in the small hall: group 0
 * of LEFT and RACK, group 2 of RIGHT, under which RACK hangs; group 1 is nobody's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/cluster_inside.h"
#include "hall.h"

enum { GROUP_CORDS = HALL_HOSTS };      /* one each: the room of a group */

struct bench {
    struct hall hall;
    struct contracts contracts;
    uint32_t within[HALL_NODES];
    struct cluster_node node[HALL_NODES + CONTRACT_GROUPS_MAX + 1];
    uint32_t other[4 * HALL_NODES + CONTRACT_GROUPS_MAX * ORDER_NODES_MAX];
};

static void start(struct bench *bench)
{
    memset(bench, 0, sizeof *bench);
    hall_build(&bench->hall);
    hall_open(&bench->hall);
    struct cluster *cluster = &bench->hall.cluster;
    memset(bench->node, 0x5A, sizeof bench->node);
    memset(bench->other, 0x5A, sizeof bench->other);
    memcpy(bench->node, bench->hall.cluster_node, sizeof bench->hall.cluster_node);
    cluster->node = bench->node;
    cluster->other = bench->other;
    cluster->group_other = 3;
    cluster->contracts = &bench->contracts;
    bench->contracts.model = &bench->hall.model;
    bench->contracts.within = bench->within;
    bench->contracts.generation = 9;
    bench->contracts.group[0].contracts = 1;
    bench->contracts.group[0].count = 2;
    bench->contracts.group[0].node[0] = HALL_LEFT;
    bench->contracts.group[0].node[1] = HALL_RACK;
    bench->contracts.group[2].contracts = 2;
    bench->contracts.group[2].count = 1;
    bench->contracts.group[2].node[0] = HALL_RIGHT;
    bench->within[HALL_LEFT] = 1;
    bench->within[HALL_RIGHT] = 4;
    bench->within[HALL_RACK] = 5;
    for (uint32_t n = 0; n < HALL_NODES; n++)
        bench->node[n].summed = false;
}

static void run_is(const struct bench *bench, uint32_t at, uint32_t host, uint32_t count)
{
    assert_int_equal(bench->hall.runs_below[at].host, host);
    assert_int_equal(bench->hall.runs_below[at].count, count);
}

static void a_group_has_the_cords_of_its_nodes_each_once(void **state)
{
    (void)state;
    struct bench bench;
    start(&bench);
    struct cluster *cluster = &bench.hall.cluster;
    const struct cluster_node *both = &bench.node[HALL_NODES], *right = &bench.node[HALL_NODES + 2];
    cluster_take_groups(cluster);
    assert_int_equal(cluster->generation, 9);
    assert_int_equal(cluster->places, HALL_NODES + 3);
    assert_true(cluster->given_up);
    assert_int_equal(both->first, cluster->group_below);
    assert_int_equal(both->count, 2);
    assert_int_equal(both->cords, 4);
    assert_int_equal(both->other_first, 3);
    assert_int_equal(both->other_count, 2);
    assert_int_equal(bench.other[3], HALL_LEFT);
    assert_int_equal(bench.other[4], HALL_RACK);
    run_is(&bench, both->first, 0, 2);
    run_is(&bench, both->first + 1, 3, 2);
    assert_int_equal(right->first, cluster->group_below + 2 * GROUP_CORDS);
    assert_int_equal(right->count, 2);
    assert_int_equal(right->cords, 3);
    assert_int_equal(right->other_first, 3 + 2 * ORDER_NODES_MAX);
    assert_int_equal(right->other_count, 1);
    assert_int_equal(bench.other[3 + 2 * ORDER_NODES_MAX], HALL_RIGHT);
    run_is(&bench, right->first, 2, 1);
    run_is(&bench, right->first + 1, 3, 2);
    assert_false(bench.node[HALL_MAIN].summed);
    assert_true(bench.node[HALL_LEFT].summed);
    assert_true(bench.node[HALL_RIGHT].summed);
    assert_true(bench.node[HALL_RACK].summed);
}

/* A root may be bound, too, with hosts that hang on it. */
static void the_first_node_counts_as_any_other(void **state)
{
    (void)state;
    struct bench bench;
    start(&bench);
    struct cluster *cluster = &bench.hall.cluster;
    bench.contracts.group[1].contracts = 1;
    bench.contracts.group[1].count = 1;
    bench.contracts.group[1].node[0] = HALL_MAIN;
    bench.within[HALL_MAIN] = 2;
    bench.node[HALL_MAIN].own_count = bench.node[HALL_MAIN].own_cords = 1;
    cluster_take_groups(cluster);
    const struct cluster_node *group = &bench.node[HALL_NODES + 1];
    assert_int_equal(group->count, 1);
    assert_int_equal(group->cords, 1);
    run_is(&bench, group->first, bench.hall.runs_below[bench.node[HALL_MAIN].first].host,
           bench.hall.runs_below[bench.node[HALL_MAIN].first].count);
}

static void a_place_without_a_group_is_empty(void **state)
{
    (void)state;
    static const struct cluster_node empty;
    struct bench bench;
    start(&bench);
    struct cluster *cluster = &bench.hall.cluster;
    cluster_take_groups(cluster);
    for (uint32_t g = 1; g < CONTRACT_GROUPS_MAX; g++)
        if (g != 2)
            assert_memory_equal(&bench.node[HALL_NODES + g], &empty, sizeof empty);
    const uint8_t *beyond = (const uint8_t *)&bench.node[HALL_NODES + CONTRACT_GROUPS_MAX];
    for (uint32_t i = 0; i < sizeof empty; i++)
        assert_int_equal(beyond[i], 0x5A);
    memset(bench.contracts.group, 0, sizeof bench.contracts.group);
    bench.contracts.generation++;
    cluster->given_up = false;
    cluster_take_groups(cluster);
    assert_int_equal(cluster->generation, 10);
    assert_int_equal(cluster->places, HALL_NODES);
    assert_true(cluster->given_up);
    for (uint32_t g = 0; g < CONTRACT_GROUPS_MAX; g++)
        assert_memory_equal(&bench.node[HALL_NODES + g], &empty, sizeof empty);
}

/* The one that has the share has its own cap back; a 2^-32th of one mW is that mW. */
static void a_gangs_cap_is_rounded_up(void **state)
{
    (void)state;
    struct model_host_type type = {.cap_min_mw = 100, .cap_max_mw = 101};
    assert_int_equal(cluster_gang_cap_mw(&type, 0), 100);
    assert_int_equal(cluster_gang_cap_mw(&type, 1), 101);
    assert_int_equal(cluster_gang_cap_mw(&type, CLUSTER_WHOLE), 101);
    type.cap_max_mw = 100 + 8000;
    assert_int_equal(cluster_gang_cap_mw(&type, CLUSTER_WHOLE / 2), 4100);
    assert_int_equal(cluster_gang_cap_mw(&type, CLUSTER_WHOLE / 2 + 1), 4101);
    assert_int_equal(cluster_gang_cap_mw(&type, CLUSTER_WHOLE), 8100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_group_has_the_cords_of_its_nodes_each_once),
        cmocka_unit_test(the_first_node_counts_as_any_other),
        cmocka_unit_test(a_place_without_a_group_is_empty),
        cmocka_unit_test(a_gangs_cap_is_rounded_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
