/* SPDX-License-Identifier: Apache-2.0 */
/* What arbitration costs: in how many parts of so many items it comes to its end, in the small hall. Who
 * changes what a visit counts for changes how long a slot may take, and looks after these figures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "hall.h"

enum { SIZES = 6, SITES = 4 };

/* 0: nobody is short. 1: everybody is. 2: and one host has two feeds. 3: and two are a gang. */
static void open_hall(struct hall *hall, uint32_t site)
{
    hall_build(hall);
    hall->model.contingency_count = 2;
    for (uint32_t h = 0; h < HALL_HOSTS; h++)
        hall->host[h].gang = site > 2 && h > 2 ? 0 : INDEX_NONE;
    hall->model.gang_count = site > 2;
    if (site > 1) {
        struct model_host *host = &hall->host[0];
        host->cord_count = 2;
        host->cord[1].node = HALL_RACK;
        host->cord[0].share_ppm[0] = host->cord[1].share_ppm[0] = 500000;
        host->cord[1].share_ppm[1] = 0;
    }
    hall_open(hall);
    for (uint32_t h = 0; h < HALL_HOSTS; h++)
        hall_uses(hall, h, (4 + h) * HALL_KW);
    for (uint32_t n = 0; site && n < HALL_NODES; n++)
        ledger_scale_limit(&hall->ledger, n, n == HALL_MAIN ? 24000 : n == HALL_RIGHT ? 14000 : 9000);
}

static uint32_t parts_of(struct hall *hall, uint32_t items)
{
    uint32_t first, parts = 0;
    cluster_begin(&hall->cluster);
    for (; hall->cluster.phase != CLUSTER_IDLE && parts < 100000; parts++)
        cluster_part(&hall->cluster, &hall->ledger, hall->demand, HALL_T_NS, items, &first);
    return parts;
}

/* Each site twice: from its start, and with everything as it was. */
static void an_arbitration_takes_so_many_parts(void **state)
{
    static const uint32_t items[SIZES] = {1, 2, 5, 17, 64, 1000};
    static const uint32_t parts[SITES][2][SIZES] = {
        {{23, 20, 18, 10, 6, 1}, {14, 14, 14, 6, 3, 1}},
        {{56, 37, 24, 12, 7, 1}, {14, 14, 14, 6, 3, 1}},
        {{94, 55, 33, 16, 5, 1}, {14, 14, 14, 6, 3, 1}},
        {{99, 57, 34, 17, 5, 1}, {14, 14, 14, 6, 3, 1}},
    };
    (void)state;
    for (uint32_t site = 0; site < SITES; site++)
        for (uint32_t i = 0; i < SIZES; i++) {
            static struct hall hall;
            open_hall(&hall, site);
            for (uint32_t again = 0; again < 2; again++)
                assert_int_equal(parts_of(&hall, items[i]), parts[site][again][i]);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(an_arbitration_takes_so_many_parts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
