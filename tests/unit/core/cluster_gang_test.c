/* SPDX-License-Identifier: Apache-2.0 */
/* Who holds a gang down, member by member, in the small hall: hosts 0 and 1 may have 0.1 to 10 kW, hosts 2
 * and 3 0.1 to 20.1 kW, host 4 what a test says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/cluster_inside.h"
#include "hall.h"

enum { SMALL, LARGE, OTHER, TYPES };

struct bench {
    struct hall hall;
    struct model_host_type type[TYPES];
};

static const struct cluster_gang *open_bench(struct bench *bench)
{
    memset(bench, 0, sizeof *bench);
    hall_build(&bench->hall);
    for (uint32_t t = 0; t < TYPES; t++)
        bench->type[t] = bench->hall.type;
    bench->type[LARGE].cap_max_mw = 20100 * HALL_W;
    bench->type[LARGE].phys_max_mw = bench->type[LARGE].boot_mw = 30 * HALL_KW;
    bench->hall.model.type = bench->type;
    bench->hall.model.type_count = TYPES;
    bench->hall.model.gang_count = 1;
    for (uint32_t h = 0; h < HALL_HOSTS; h++)
        bench->hall.host[h].type = (uint16_t)(h / 2);
    hall_open(&bench->hall);
    assert_int_equal(bench->hall.gang[0].lowest, CLUSTER_WHOLE);
    return &bench->hall.gang[0];
}

/* A node gives this member so much, less than it can use. */
static void take(struct bench *bench, uint32_t host, int64_t draw_mw)
{
    bench->hall.bound_node[host] = HALL_LEFT;
    bench->hall.draw_mw[host] = draw_mw;
    bench->hall.host_extent[host].useful_mw = 30 * HALL_KW;
    cluster_gang_take(&bench->hall.cluster, host);
}

static void the_least_share_of_any_type_counts(void **state)
{
    (void)state;
    struct bench bench;
    const struct cluster_gang *gang = open_bench(&bench);
    take(&bench, 0, 5050 * HALL_W);
    assert_int_equal(gang->lowest, CLUSTER_WHOLE / 2);
    assert_int_equal(gang->lowest_type, SMALL);
    assert_int_equal(gang->lowest_mw, 5050 * HALL_W);
    bench.hall.gang[0].paced_type = SMALL;
    take(&bench, 1, 6 * HALL_KW);
    take(&bench, 2, 10100 * HALL_W);            /* the same share of another type */
    assert_int_equal(gang->lowest_type, SMALL);
    assert_int_equal(gang->paced_type, SMALL);
    take(&bench, 2, 6 * HALL_KW);               /* more watts, less of its range */
    assert_true(gang->lowest < CLUSTER_WHOLE / 10 * 3 && gang->lowest > CLUSTER_WHOLE / 10 * 2);
    assert_int_equal(gang->lowest_type, LARGE);
    assert_int_equal(gang->lowest_mw, 6 * HALL_KW);
    assert_int_equal(gang->paced_type, INDEX_NONE);
    uint64_t lowest = gang->lowest;
    take(&bench, 1, 4 * HALL_KW);
    take(&bench, 3, 7 * HALL_KW);
    assert_int_equal(gang->lowest, lowest);
    take(&bench, 3, 4100 * HALL_W);
    assert_int_equal(gang->lowest, CLUSTER_WHOLE / 5);
    assert_int_equal(gang->lowest_mw, 4100 * HALL_W);
}

static void everybody_is_paced_to_that_share(void **state)
{
    (void)state;
    struct bench bench;
    const struct cluster_gang *gang = open_bench(&bench);
    for (int turn = 0; turn < 2; turn++) {
        take(&bench, 0, turn ? 4060 * HALL_W : 5050 * HALL_W);
        for (uint32_t h = 1; h < 4; h++) {
            bench.hall.draw_mw[h] = 9 * HALL_KW + h * 2 * HALL_KW;
            cluster_gang_pace(&bench.hall.cluster, h);
            int64_t large_mw = turn ? 8100 * HALL_W : 10100 * HALL_W;
            int64_t paced_mw = h / 2 == LARGE ? large_mw : gang->lowest_mw;
            assert_int_equal(bench.hall.draw_mw[h], paced_mw);
            assert_int_equal(gang->paced_type, h / 2);
            assert_int_equal(bench.hall.bound_node[h], INDEX_NONE);
        }
    }
}

static void a_range_of_nothing_is_whole_and_its_least_is_nought(void **state)
{
    (void)state;
    struct bench bench;
    const struct cluster_gang *gang = open_bench(&bench);
    bench.type[OTHER].cap_min_mw = bench.type[OTHER].cap_max_mw = 5 * HALL_KW;
    take(&bench, 4, 4 * HALL_KW);
    assert_int_equal(gang->lowest, CLUSTER_WHOLE);
    bench.type[OTHER].cap_max_mw++;
    take(&bench, 4, 5 * HALL_KW + 1);
    assert_int_equal(gang->lowest, CLUSTER_WHOLE);
    take(&bench, 4, 5 * HALL_KW);
    assert_int_equal(gang->lowest, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_least_share_of_any_type_counts),
        cmocka_unit_test(everybody_is_paced_to_that_share),
        cmocka_unit_test(a_range_of_nothing_is_whole_and_its_least_is_nought),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
