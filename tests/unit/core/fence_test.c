/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts, sums, pools and arbitration on a site whose arrays each end where a page ends that nobody may
 * touch: one look beyond the last host, node, type or run ends the program. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/pool.h"
#include "core/sums.h"
#include "hall.h"

enum { CELLS = 2 * PHASES + CLUSTER_STEERED, FENCES_MAX = 64 };

static struct fence {
    char *at;
    size_t bytes;
} fenced[FENCES_MAX];
static uint32_t fences;

/* `size` bytes that end at a page without access, with what `from` holds; nought without it. Rounded up to
 * what its elements are aligned to. */
static void *fence(const void *from, size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), room = (size + page - 1) / page * page + page;
    char *at = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(at != MAP_FAILED && fences < FENCES_MAX);
    assert_int_equal(mprotect(at + room - page, page, PROT_NONE), 0);
    fenced[fences++] = (struct fence){at, room};
    char *used = at + room - page - size;
    if (from)
        memcpy(used, from, size);
    return used;
}

static void take_down(void)
{
    while (fences) {
        fences--;
        munmap(fenced[fences].at, fenced[fences].bytes);
    }
}

static void fence_model(struct hall *hall)
{
    struct model *model = &hall->model;
    model->node = fence(hall->node, sizeof *hall->node * model->node_count);
    model->host = fence(hall->host, sizeof *hall->host * model->host_count);
    model->type = fence(&hall->type, sizeof hall->type * model->type_count);
    model->meter = fence(hall->meter, sizeof *hall->meter * model->meter_count);
}

static void fence_cluster(struct hall *hall)
{
    uint32_t hosts = hall->model.host_count, nodes = hall->model.node_count;
    uint32_t cords = cluster_cord_count(&hall->model);
    uint32_t below = cluster_below_room(&hall->model) - CONTRACT_GROUPS_MAX * cords;
    uint32_t other = 1;                                 /* RACK's second parent */
    hall->cluster = (struct cluster){
        .host_extent = fence(NULL, sizeof(struct extent) * hosts),
        .draw_mw = fence(NULL, sizeof(int64_t) * hosts),
        .target_mw = fence(NULL, sizeof(int64_t) * hosts),
        .bound_node = fence(NULL, sizeof(uint32_t) * hosts),
        .bound_term = fence(NULL, hosts),
        .tier = fence(NULL, hosts),
        .changed = fence(NULL, hosts),
        .wake_ns = fence(NULL, sizeof(int64_t) * hosts),
        .was_scarce = fence(NULL, hosts),
        .refused = fence(NULL, hosts),
        .own_tier = fence(NULL, hosts),
        .type = fence(NULL, sizeof(uint32_t) * hosts),
        .weight = fence(NULL, sizeof(uint32_t) * hosts),
        .job = fence(NULL, sizeof(uint32_t) * hosts),
        .cord_node = fence(NULL, sizeof(uint32_t[CORDS_MAX]) * hosts),
        .node = fence(NULL, sizeof(struct cluster_node) * nodes),
        .above = fence(NULL, sizeof(uint16_t[ANCESTORS_MAX]) * nodes),
        .capacity_mva = fence(NULL, sizeof(int64_t[CELLS]) * nodes),
        .load_mva = fence(NULL, sizeof(int64_t[CELLS]) * nodes),
        .below = fence(NULL, sizeof(struct cluster_run) * below),
        .other = fence(NULL, sizeof(uint32_t) * other),
        .coefficient = fence(NULL, sizeof(int64_t[CELLS]) * (cords + 1)),
        .claim = fence(NULL, sizeof(struct claim) * cords),
        .gang = fence(NULL, sizeof(struct cluster_gang) * HALL_GANGS),
    };
    cluster_init(&hall->cluster, &hall->model);
}

static void hear(struct hall *hall, uint32_t host, uint8_t state, int64_t cap_mw)
{
    const struct ledger_host *account = &hall->ledger.host[host];
    uint32_t retired;
    struct report report = {
        .host = host, .incarnation = 40 + host, .epoch = account->sequence ? 7 : 0,
        .number = account->report + 1, .applied = account->sequence,
        .held_ns = hall->type.actuation_ns, .cap_mw = cap_mw, .readback_mw = cap_mw,
        .fail_safe_mw = hall->host[host].fail_safe_mw, .phys_max_mw = hall->type.phys_max_mw + HALL_KW,
        .state = state,
    };
    ledger_report(&hall->ledger, &report, HALL_T_NS, &retired);
}

/* Two contingencies, the last host with two cords that meet at the main, RACK under both branches, a gang,
 * other phases and shares. */
static void open_hall(struct hall *hall)
{
    hall_build(hall);
    hall->model.contingency_count = 2;
    hall->host[4].cord_count = 2;
    hall->host[4].cord[0].share_ppm[0] = hall->host[4].cord[1].share_ppm[0] = 500000;
    hall->host[4].cord[1].node = HALL_LEFT;
    hall->host[4].cord[1].phase_ppm[2] = 700000;
    hall->host[1].tier = 2;
    hall->host[0].weight = 3;
    hall->node[HALL_RACK].parent_count = 2;
    hall->node[HALL_RACK].parent[1] = HALL_LEFT;
    hall->node[HALL_RACK].ancestor[hall->node[HALL_RACK].ancestor_count++] = HALL_LEFT;
    hall->node[HALL_LEFT].level_mva = 9 * HALL_KW;
    fence_model(hall);
    struct ledger_host *account = fence(NULL, sizeof *account * HALL_HOSTS);
    struct ledger_sums *sums = fence(NULL, sizeof *sums * HALL_NODES);
    fence_cluster(hall);
    ledger_init(&hall->ledger, &hall->model, 7, account, sums);
    hall->ledger.moved.host = fence(NULL, HALL_HOSTS);
    hall->ledger.moved.node = fence(NULL, HALL_NODES);
    memset(hall->ledger.moved.node, 1, HALL_NODES);     /* nobody has looked yet */
    hall->ledger.fell.node = fence(NULL, sizeof(uint32_t) * HALL_NODES);
    hall->ledger.fell.marked = fence(NULL, HALL_NODES);
    for (uint32_t h = 0; h < HALL_HOSTS; h++) {
        hear(hall, h, HOST_FAIL_SAFE, hall->host[h].fail_safe_mw);
        ledger_sent(&hall->ledger, h, hall->host[h].fail_safe_mw);
        hear(hall, h, HOST_LEASED, hall->host[h].fail_safe_mw);
        assert_true(account[h].bounded);
    }
}

static void arbitrate(struct hall *hall, const struct demand *demand, uint32_t items)
{
    uint32_t first, parts = 0;
    cluster_begin(&hall->cluster);
    while (hall->cluster.phase != CLUSTER_IDLE && parts++ < 100000)
        cluster_part(&hall->cluster, &hall->ledger, demand, HALL_T_NS, items, &first);
    assert_int_equal(hall->cluster.phase, CLUSTER_IDLE);
}

static void arbitration_keeps_within_its_arrays(void **state)
{
    (void)state;
    static struct hall hall;
    static const uint32_t sizes[] = {1, 3, 8, 1000};
    for (uint32_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        open_hall(&hall);
        struct demand *demand = fence(NULL, sizeof *demand * HALL_HOSTS);
        for (uint32_t h = 0; h < HALL_HOSTS; h++) {
            demand_init(&demand[h], HALL_T_NS);
            demand[h].draw_mw[0] = 9 * HALL_KW;
        }
        ledger_scale_limit(&hall.ledger, HALL_RACK, 12000);      /* 12 kVA: scarce */
        arbitrate(&hall, demand, sizes[i]);
        assert_true(hall.cluster.target_mw[3] >= 2 * HALL_KW && hall.cluster.target_mw[3] < 9 * HALL_KW);
        assert_true(hall.cluster.target_mw[0] > 8 * HALL_KW);
        ledger_scale_limit(&hall.ledger, HALL_RACK, PPM);
        memset(hall.ledger.moved.host, 1, HALL_HOSTS);
        memset(hall.ledger.moved.node, 1, HALL_NODES);
        arbitrate(&hall, demand, sizes[i]);
        for (uint32_t h = 0; h < HALL_HOSTS; h++)
            assert_true(hall.cluster.target_mw[h] > 8 * HALL_KW);
        take_down();
    }
}

static void accounts_keep_within_their_arrays(void **state)
{
    (void)state;
    static struct hall hall;
    open_hall(&hall);
    enum ledger_verdict bound;
    for (uint32_t h = 0; h < HALL_HOSTS; h++) {
        int64_t cap_mw = ledger_room_mw(&hall.ledger, h, 10 * HALL_KW, &bound);
        assert_int_equal(cap_mw, 10 * HALL_KW);
        assert_true(ledger_sent(&hall.ledger, h, cap_mw));
        hear(&hall, h, HOST_LEASED, cap_mw);
    }
    for (uint32_t i = 0; i < 3 * (HALL_HOSTS + HALL_NODES); i++)
        sums_lower_bad(&hall.ledger, 1);
    ledger_enforce(&hall.ledger, false);
    for (uint32_t n = 0; n < HALL_NODES; n++) {
        ledger_mark_exposed(&hall.ledger, n);
        ledger_scale_limit(&hall.ledger, n, 5000);
    }
    assert_int_equal(hall.ledger.fell.count, HALL_NODES);
    take_down();
}

static void pools_keep_within_their_arrays(void **state)
{
    (void)state;
    static struct hall hall;
    open_hall(&hall);
    struct pools pools = {.node = fence(NULL, sizeof(struct pool) * HALL_NODES),
                          .host = fence(NULL, sizeof(struct pool_host) * HALL_HOSTS)};
    pool_init(&pools, &hall.model, &hall.ledger, HALL_T_NS);
    assert_int_equal(pools.levels, 1);
    for (uint32_t h = 0; h < HALL_HOSTS; h++) {
        pool_report(&pools, h, 3 * HALL_KW, HALL_T_NS);
        pool_note(&pools, h, HALL_T_NS);
        pool_reserve(&pools, h, 4 * HALL_KW, HALL_T_NS + 1);
        assert_int_equal(pool_reserved_mw(&pools, h, HALL_T_NS), 4 * HALL_KW);
    }
    for (uint32_t i = 0; i < 3; i++) {
        pool_tick(&pools, HALL_T_NS + 2 + i);
        for (uint32_t h = 0; h < HALL_HOSTS; h++)
            assert_int_equal(pool_reserved_mw(&pools, h, HALL_T_NS + 2), 0);
    }
    take_down();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arbitration_keeps_within_its_arrays),
        cmocka_unit_test(accounts_keep_within_their_arrays),
        cmocka_unit_test(pools_keep_within_their_arrays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
