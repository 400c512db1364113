/* SPDX-License-Identifier: Apache-2.0 */
#include "hall.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void place_node(struct hall *hall, uint32_t n, uint32_t parent)
{
    struct model_node *node = &hall->node[n];
    *node = (struct model_node){.phases = 3, .limited = 1, .ancestor_count = 1, .ancestor = {n}, .meter = n,
                                .volts_ln_mv = 100000, .volts_low_mv = 100000};
    hall->meter[n] = (struct model_meter){.node = n, .error_ppm = 10000, .fresh_ns = 50 * NS_PER_MS};
    if (n != parent) {
        node->parent_count = 1;
        node->parent[0] = parent;
        for (uint32_t i = 0; i < hall->node[parent].ancestor_count; i++)
            node->ancestor[node->ancestor_count++] = hall->node[parent].ancestor[i];
    }
    for (uint32_t i = node->ancestor_count; i < ANCESTORS_MAX; i++)
        node->ancestor[i] = n == HALL_RACK || n == HALL_RIGHT ? HALL_LEFT : HALL_RACK;
}

static void place_host(struct hall *hall, uint32_t h, uint32_t node)
{
    hall->host[h] = (struct model_host){
        .weight = 1, .cord_count = 1, .fail_safe_mw = 2 * HALL_KW, .floor_mw = HALL_KW,
    };
    for (uint32_t i = 0; i < CORDS_MAX * CONTINGENCIES_MAX; i++) {
        struct model_cord *cord = &hall->host[h].cord[i / CONTINGENCIES_MAX];
        cord->node = i < CONTINGENCIES_MAX ? node : node == HALL_LEFT ? HALL_RACK : HALL_LEFT;
        cord->psus = 1;
        cord->share_ppm[i % CONTINGENCIES_MAX] = 1000000;
        for (uint32_t p = 0; p < PHASES; p++)
            cord->phase_ppm[p] = 1000000;
    }
    if (hall->node[node].host_count++ == 0)
        hall->node[node].host_first = h;
}

void hall_limit(struct hall *hall, uint32_t node, int64_t kva)
{
    for (uint32_t i = 0; i < CONTINGENCIES_MAX * PHASES; i++)
        hall->node[node].limit_mva[i / PHASES][i % PHASES] = kva * HALL_KW;
    hall->node[node].steady_ma = kva * 10000;
}

void hall_build(struct hall *hall)
{
    static const uint32_t above[HALL_NODES] = {HALL_MAIN, HALL_MAIN, HALL_MAIN, HALL_RIGHT};
    static const uint32_t hangs_on[HALL_HOSTS] = {HALL_LEFT, HALL_LEFT, HALL_RIGHT, HALL_RACK, HALL_RACK};
    memset(hall, 0, sizeof *hall);
    hall->type = (struct model_host_type){
        .cap_min_mw = 100 * HALL_W, .cap_max_mw = 10 * HALL_KW, .gain_ppm = 1000000,
        .phys_max_mw = 12 * HALL_KW, .boot_mw = 12 * HALL_KW, .pf_min_ppm = 1000000,
        .actuation_ns = 100 * NS_PER_MS, .quantum_mw = HALL_W,
    };
    for (uint32_t n = 0; n < HALL_NODES; n++) {
        place_node(hall, n, above[n]);
        hall_limit(hall, n, 1000);
    }
    for (uint32_t h = 0; h < HALL_HOSTS; h++)
        place_host(hall, h, hangs_on[h]);
    hall->node[HALL_MAIN].child_first = HALL_LEFT;
    hall->node[HALL_MAIN].child_count = 2;
    hall->node[HALL_RIGHT].child_first = HALL_RACK;
    hall->node[HALL_RIGHT].child_count = 1;
    hall->model = (struct model){
        .mode = MODE_ENFORCE, .node_count = HALL_NODES, .host_count = HALL_HOSTS, .type_count = 1,
        .meter_count = HALL_NODES, .contingency_count = 1, .node = hall->node, .host = hall->host,
        .type = &hall->type, .meter = hall->meter,
    };
    hall->model.policy = (struct model_policy){
        .lease_ns = NS_PER_S, .report_ns = 100 * NS_PER_MS, .tick_ns = 20 * NS_PER_MS,
        .raise_after_emergency_ns = 100 * NS_PER_MS, .emergency_clear_ns = NS_PER_S,
        .demand_hold_ns = 400 * NS_PER_MS,
    };
}

static void carve(struct hall *hall)
{
    hall->cluster = (struct cluster){
        .host_extent = hall->host_extent,
        .draw_mw = hall->draw_mw,
        .target_mw = hall->target_mw,
        .bound_node = hall->bound_node,
        .bound_term = hall->bound_term,
        .tier = hall->tier,
        .changed = hall->changed,
        .wake_ns = hall->wake_ns,
        .was_scarce = hall->was_scarce, .refused = hall->refused,
        .type = hall->type_of, .own_tier = hall->own_tier,
        .weight = hall->weight,
        .job = hall->job,
        .cord_node = hall->cord_node,
        .node = hall->cluster_node, .above = hall->above,
        .capacity_mva = hall->capacity_mva,
        .load_mva = hall->load_mva,
        .gang = hall->gang,
        .below = hall->runs_below,
        .other = hall->other,
        .coefficient = hall->coefficient,
        .claim = hall->claim,
    };
    hall->emergencies = (struct emergencies){
        .node = hall->emergency, .below_first = hall->below_first,
        .below_count = hall->below_count, .below = hall->below,
    };
}

static void receive(struct hall *hall, uint32_t h, uint8_t state, int64_t cap_mw)
{
    struct ledger_host *account = &hall->account[h];
    uint32_t retired;
    struct report report = {
        .host = h, .incarnation = 40 + h, .epoch = account->sequence ? 7 : 0, .number = account->report + 1,
        .applied = account->sequence, .held_ns = hall->type.actuation_ns, .cap_mw = cap_mw,
        .readback_mw = cap_mw, .fail_safe_mw = hall->host[h].fail_safe_mw,
        .phys_max_mw = hall->type.phys_max_mw, .state = state,
    };
    ledger_report(&hall->ledger, &report, HALL_T_NS, &retired);
}

void hall_holds(struct hall *hall, uint32_t h, int64_t cap_mw)
{
    ledger_sent(&hall->ledger, h, cap_mw);
    receive(hall, h, HOST_LEASED, cap_mw);
}

void hall_open(struct hall *hall)
{
    carve(hall);
    cluster_init(&hall->cluster, &hall->model);
    ledger_init(&hall->ledger, &hall->model, 7, hall->account, hall->sums);
    hall->heat.meter = hall->heat_node;
    heat_init(&hall->heat, &hall->model);
    emergency_init(&hall->emergencies, &hall->model, &hall->heat);
    for (uint32_t h = 0; h < hall->model.host_count; h++) {
        demand_init(&hall->demand[h], HALL_T_NS);
        receive(hall, h, HOST_FAIL_SAFE, hall->host[h].fail_safe_mw);
        hall_holds(hall, h, hall->host[h].fail_safe_mw);
        assert_true(hall->account[h].bounded);
    }
}

void hall_uses(struct hall *hall, uint32_t host, int64_t draw_mw)
{
    demand_init(&hall->demand[host], HALL_T_NS);
    hall->demand[host].draw_mw[0] = draw_mw - hall->type.quantum_mw;
}

int64_t hall_capacity(const struct hall *hall, uint32_t node, uint32_t contingency, uint32_t phase)
{
    return hall->capacity_mva[node * hall->cluster.cells + contingency * PHASES + phase];
}

void hall_arbitrate(struct hall *hall, uint32_t items)
{
    uint32_t first, parts = 0;
    cluster_begin(&hall->cluster);
    while (hall->cluster.phase != CLUSTER_IDLE && parts++ < 100000)
        cluster_part(&hall->cluster, &hall->ledger, hall->demand, HALL_T_NS, items, &first);
    assert_int_equal(hall->cluster.phase, CLUSTER_IDLE);
}
