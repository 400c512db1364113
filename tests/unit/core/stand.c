/* SPDX-License-Identifier: Apache-2.0 */
#include "stand.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void place_node(struct stand *stand, uint32_t n, uint32_t parent, int64_t ampere)
{
    struct model_node *node = &stand->node[n];
    *node = (struct model_node){
        .kind = n == MAIN ? NODE_MAIN : NODE_BRANCH,
        .phases = 3,
        .rated_100pct = 1,
        .limited = 1,
        .ancestor_count = 1,
        .ancestor = {n},
        .meter = n,
        .volts_ln_mv = 100000,
        .volts_low_mv = 100000,
        .rating_ma = ampere * 1000,
        .long_time_ma = ampere * 1000,
        .steady_ma = ampere * 1000,
    };
    if (parent != INDEX_NONE) {
        node->parent_count = 1;
        node->parent[0] = node->ancestor[1] = parent;
        node->ancestor_count = 2;
        node->host_first = node->host_below_first = 2 * (n - 1);
        node->host_count = node->host_below = 2;
    } else {
        node->child_first = BRANCH_A;
        node->child_count = 2;
        node->host_below = STAND_HOSTS;
    }
    for (uint32_t p = 0; p < PHASES; p++)
        node->limit_mva[0][p] = ampere * 100000;
    snprintf(node->name, NAME_BYTES, "node-%u", n);
    stand->meter[n] = (struct model_meter){
        .node = n, .error_ppm = 10000, .period_ns = 16 * NS_PER_MS, .fresh_ns = T_FRESH_NS};
}

static void place_host(struct stand *stand, uint32_t h)
{
    stand->host_model[h] = (struct model_host){
        .weight = 1,
        .cord_count = 1,
        .fail_safe_mw = FAIL_SAFE_MW,
        .floor_mw = FLOOR_MW,
        .cord = {{.node = BRANCH_A + h / 2,
                  .psus = 1,
                  .phase_ppm = {1000000, 1000000, 1000000},
                  .share_ppm = {1000000}}},
    };
    snprintf(stand->host_model[h].name, NAME_BYTES, "host-%u", h);
    stand->host[h] = (struct stand_host){.incarnation = 0x1000 + h, .draw_mw = 0};
}

void stand_site(struct stand *stand)
{
    memset(stand, 0, sizeof *stand);
    stand->type = (struct model_host_type){
        .cap_min_mw = 100000,
        .cap_max_mw = CAP_MAX_MW,
        .gain_ppm = 1000000,
        .phys_max_mw = PHYS_MAX_MW,
        .boot_mw = PHYS_MAX_MW,
        .pf_min_ppm = 1000000,
        .actuation_ns = A_NS,
        .quantum_mw = 1000,
    };
    place_node(stand, MAIN, INDEX_NONE, 1000);
    place_node(stand, BRANCH_A, MAIN, 140);
    place_node(stand, BRANCH_B, MAIN, 140);
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        place_host(stand, h);
    stand->model = (struct model){
        .name = "stand",
        .mode = MODE_ENFORCE,
        .node_count = STAND_NODES,
        .host_count = STAND_HOSTS,
        .type_count = 1,
        .meter_count = STAND_METERS,
        .contingency_count = 1,
        .contingency = {{.name = "none"}},
        .node = stand->node,
        .host = stand->host_model,
        .type = &stand->type,
        .meter = stand->meter,
        .policy =
            {
                .lease_ns = NS_PER_S,
                .report_ns = 100 * NS_PER_MS,
                .tick_ns = 20 * NS_PER_MS,
                .raise_after_emergency_ns = 100 * NS_PER_MS,
                .emergency_clear_ns = NS_PER_S,
                .rho_ppm = 10000,
                .demand_hold_ns = 600 * NS_PER_MS,
                .demand_headroom_ppm = 50000,
            },
    };
    stand->epoch = 7;
    stand->own_fail_safe_mw = FAIL_SAFE_MW;
    stand->t_ns = NS_PER_S + NS_PER_MS;
    stand->outbox = (struct outbox){.record = stand->record, .capacity = STAND_HOSTS};
}

void stand_two_feeds(struct stand *stand)
{
    stand_site(stand);
    stand->model.contingency_count = 2;
    stand->model.contingency[LOSS_OF_A] = (struct model_contingency){
        .name = "A", .kind = CONTINGENCY_LOSS, .lasting = 1, .lost_node = BRANCH_A, .witness = INDEX_NONE};
    for (uint32_t n = 0; n < STAND_NODES; n++)
        memcpy(stand->node[n].limit_mva[1], stand->node[n].limit_mva[0], sizeof stand->node[n].limit_mva[0]);
    for (uint32_t h = 0; h < STAND_HOSTS; h++) {
        struct model_cord *cord = stand->host_model[h].cord;
        stand->host_model[h].cord_count = 2;
        cord[1] = cord[0];
        cord[1].node = cord[0].node == BRANCH_A ? BRANCH_B : BRANCH_A;
        for (uint32_t j = 0; j < 2; j++) {
            cord[j].share_ppm[0] = 550000;
            cord[j].share_ppm[1] = cord[j].node == BRANCH_A ? 0 : 1000000;
        }
    }
}

void stand_one_phase(struct stand *stand)
{
    for (uint32_t n = 0; n < STAND_NODES; n++)
        stand->node[n].phases = 1;
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        stand->host_model[h].cord[0].phase_ppm[1] = stand->host_model[h].cord[0].phase_ppm[2] = 0;
}

void stand_start(struct stand *stand)
{
    size_t bytes = core_bytes(&stand->model);
    free(stand->memory);
    stand->memory = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (!stand->memory)
        abort();
    memset(stand->memory, 0x5A, bytes);
    stand->core = core_init(stand->memory, &stand->model, stand->epoch, stand->t_ns);
    stand->next_tick_ns = (stand->t_ns / stand->model.policy.tick_ns + 1) * stand->model.policy.tick_ns;
}

void stand_stop(struct stand *stand)
{
    free(stand->memory);
}

void stand_step(struct stand *stand, struct slot *slot)
{
    slot->sequence = ++stand->slots;
    slot->t_ns = slot->t_receive_ns = stand->t_ns;
    pipeline_step(stand->core, slot, &stand->outbox);
    if (stand->outbox.digest_due) { /* closes the second before this slot */
        stand->digest = stand->outbox.digest;
        stand->digests++;
        stand->decisions_told = stand->leases;
    }
    for (uint32_t i = 0; i < stand->outbox.count; i++) {
        stand->host[stand->record[i].host].last = stand->record[i];
        stand->host[stand->record[i].host].leases++;
        stand->leases++;
    }
}

void stand_wait(struct stand *stand, int64_t ns)
{
    stand->t_ns += ns;
}

struct report stand_report_of(struct stand *stand, uint32_t h, uint8_t state, int64_t held_ns)
{
    struct stand_host *host = &stand->host[h];
    bool leased = host->last.kind && host->last.incarnation == host->incarnation;
    struct report report = {
        .host = h,
        .flags = host->flags,
        .incarnation = host->incarnation,
        .epoch = leased ? stand->epoch : 0,
        .number = ++host->number,
        .applied = leased ? host->last.sequence : 0,
        .held_ns = held_ns,
        .cap_mw = stand->own_fail_safe_mw,
        .readback_mw = stand->own_fail_safe_mw,
        .fail_safe_mw = stand->own_fail_safe_mw,
        .phys_max_mw = PHYS_MAX_MW,
        .draw_mw = host->draw_mw,
        .state = state,
    };
    if (state == HOST_LEASED)
        report.cap_mw = report.readback_mw = host->last.cap_mw;
    if (state == HOST_BOOT)
        report.cap_mw = CAP_MAX_MW;
    return report;
}

const struct egress *stand_report(struct stand *stand, const struct report *report)
{
    struct slot slot;
    memset(&slot, 0, sizeof slot);
    slot.kind = SLOT_REPORT;
    slot.report = *report;
    stand_step(stand, &slot);
    for (uint32_t i = 0; i < stand->outbox.count; i++)
        if (stand->record[i].host == report->host)
            return &stand->record[i];
    return NULL;
}

const struct egress *stand_obey(struct stand *stand, uint32_t host)
{
    struct report report = stand_report_of(stand, host, HOST_LEASED, A_NS);
    return stand_report(stand, &report);
}

void stand_admit(struct stand *stand, uint32_t host)
{
    struct report report = stand_report_of(stand, host, HOST_FAIL_SAFE, A_NS);
    stand_report(stand, &report);
    stand_wait(stand, NS_PER_MS);
    stand_obey(stand, host);
}

void stand_reading(struct stand *stand, uint32_t node, int64_t power_mw)
{
    struct slot slot;
    memset(&slot, 0, sizeof slot);
    slot.kind = SLOT_READING;
    slot.reading = (struct reading){
        .meter = node,
        .sequence = ++stand->readings,
        .t_meter_ns = stand->t_ns,
        .t_arrival_ns = stand->t_ns,
        .crest_milli = 1414,
        .frequency_mhz = 60000,
    };
    for (uint32_t p = 0; p < PHASES; p++) {
        slot.reading.power_mw[p] = power_mw;
        slot.reading.voltage_mv[p] = 100000;
        slot.reading.current_ma[p] = power_mw / 100;
    }
    stand_step(stand, &slot);
}

enum order_refusal stand_order(struct stand *stand, struct slot_order order)
{
    struct slot slot;
    struct core_order_view view;
    memset(&slot, 0, sizeof slot);
    core_order_view(stand->core, &view);
    slot.kind = SLOT_ORDER;
    slot.order = order;
    slot.order.number = order.number ? order.number : view.newest + 1;
    stand_step(stand, &slot);
    core_order_view(stand->core, &view);
    if (view.number != slot.order.number)
        abort();        /* not decided on */
    return view.verdict;
}

void stand_tick(struct stand *stand)
{
    struct slot slot;
    memset(&slot, 0, sizeof slot);
    slot.kind = SLOT_TICK;
    slot.tick.number = (uint64_t)(stand->t_ns / stand->model.policy.tick_ns);
    stand_step(stand, &slot);
    for (int part = 0; part < 10000 && pipeline_tick_open(stand->core); part++) {
        memset(&slot, 0, sizeof slot);
        slot.kind = SLOT_TICK_PART;
        stand_step(stand, &slot);
    }
}

void stand_run(struct stand *stand, int64_t ns)
{
    int64_t end_ns = stand->t_ns + ns;
    for (; stand->t_ns < end_ns; stand->t_ns += 5 * NS_PER_MS) {
        if (stand->t_ns >= stand->next_tick_ns) {
            stand->next_tick_ns += stand->model.policy.tick_ns;
            stand_tick(stand);
        }
        for (uint32_t h = 0; h < STAND_HOSTS; h++)
            if (stand->t_ns / (5 * NS_PER_MS) % 20 == 4 * h && !stand->host[h].mute &&
                stand->host[h].last.kind)
                stand_obey(stand, h);
    }
}

int64_t stand_exposure_mw(const struct stand *stand, uint32_t host)
{
    struct core_host_view view;
    core_host_view(stand->core, host, &view);
    return view.exposure_mw;
}

const struct core_counters *stand_counters(const struct stand *stand)
{
    return core_counters(stand->core);
}
