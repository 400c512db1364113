/* SPDX-License-Identifier: Apache-2.0 */
#include "rig.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <x86intrin.h>

void rig_site_init(struct rig_site *site)
{
    *site = (struct rig_site){0};
    struct model *model = &site->model;
    *model = (struct model){.mode = MODE_ENFORCE,
                            .node_count = RIG_NODES,
                            .host_count = RIG_HOSTS,
                            .type_count = 1,
                            .meter_count = RIG_METERS,
                            .contingency_count = 1,
                            .node = site->node,
                            .host = site->host,
                            .type = &site->type,
                            .meter = site->meter};
    strcpy(model->name, "rig");
    model->policy =
        (struct model_policy){.lease_ns = NS_PER_S, .report_ns = 100 * NS_PER_MS, .tick_ns = 20 * NS_PER_MS};
    for (uint32_t i = 0; i < RIG_NODES; i++) {
        snprintf(site->node[i].name, NAME_BYTES, "node-%u", i);
        site->node[i].phases = PHASES;
    }
    for (uint32_t i = 0; i < RIG_METERS; i++) {
        snprintf(site->meter[i].name, NAME_BYTES, "m-%u", i);
        site->meter[i].node = i;
        site->meter[i].period_ns = 16 * NS_PER_MS;
        site->meter[i].fresh_ns = 100 * NS_PER_MS;
    }
    for (uint32_t i = 0; i < RIG_HOSTS; i++) {
        snprintf(site->host[i].name, NAME_BYTES, "h-%u", i);
        site->address[i] = (struct site_address){.ipv4 = 0xCB007100 + 11 + i, .port = 7102};
    }
}

/* The map of a timebase is two lines (tsc, ns, rate); at a rate of 2^-32 ns a tick the clock stands still. */
void rig_clock_init(struct timebase *base, int64_t now_ns)
{
    *base = (struct timebase){.shift_ns = now_ns};
    uint64_t word[SEQLOCK_WORDS] = {__rdtsc(), 0, 1, __rdtsc(), 0, 1, 0};
    seqlock_write(&base->map[0], word);
}

void rig_clock_set(struct timebase *base, int64_t now_ns)
{
    base->shift_ns = now_ns;
}

static uint32_t rig_receive(struct port *port, uint32_t queue, struct port_frame *frame, uint32_t count)
{
    (void)port, (void)queue, (void)frame, (void)count;
    return 0;
}

static uint32_t rig_send(struct port *port, uint32_t queue, const struct port_frame *frame, uint32_t count)
{
    struct rig_port *rig = port->state;
    (void)queue;
    uint32_t take = count < rig->takes ? count : rig->takes;
    for (uint32_t i = 0; i < take; i++) {
        assert(rig->sent < RIG_SENT_MAX && frame[i].length <= EGRESS_FRAME_BYTES);
        memcpy(rig->data[rig->sent], frame[i].data, frame[i].length);
        rig->length[rig->sent++] = frame[i].length;
    }
    return take;
}

static const struct port_driver rig_driver = {.name = "rig", .receive = rig_receive, .send = rig_send};

void rig_port_init(struct rig_port *port)
{
    memset(port, 0, sizeof *port);
    port->port = (struct port){.driver = &rig_driver, .state = port, .mtu = 1500};
    port->takes = BURST_MAX;
}

struct spsc *rig_queue(uint32_t record_bytes, uint32_t count)
{
    struct spsc *queue = aligned_alloc(64, sizeof *queue);
    void *memory = aligned_alloc(64, spsc_bytes(record_bytes, count));
    assert(queue && memory);
    int error = spsc_init(queue, memory, record_bytes, count);
    assert(!error);
    return queue;
}

void rig_queue_drop(struct spsc *queue)
{
    free(queue->record);
    free(queue);
}

void pipeline_expect(struct core *core, const struct slot *next)
{
    core->told++;
    core->next = *next;
}

void pipeline_step(struct core *core, const struct slot *slot, struct outbox *outbox)
{
    assert(core->steps < RIG_STEPS_MAX);
    core->step[core->steps++] = *slot;
    if (core->clock)
        core->clock->shift_ns += core->took_ns;
    outbox->count = 0;
    for (uint32_t i = 0; i < core->leases + core->emergencies; i++)
        outbox->record[outbox->count++] = (struct egress){.kind = FRAME_LEASE,
                                                          .flags = i < core->leases ? 0 : LEASE_EMERGENCY,
                                                          .host = i % RIG_HOSTS,
                                                          .sequence = slot->sequence,
                                                          .t_receive_ns = slot->t_receive_ns,
                                                          .cap_mw = 1000,
                                                          .duration_us = 1000};
    outbox->digest_due = core->digest;
    outbox->digest = (struct slot_digest){.second = 7, .digest = 99, .decisions = core->steps};
}

void core_order_view(const struct core *core, struct core_order_view *view)
{
    *view = (struct core_order_view){.newest = core->steps, .number = core->steps};
}

void core_contract_view(const struct core *core, uint32_t place, struct core_contract_view *view)
{
    *view = (struct core_contract_view){.number = core->steps, .id = place};
}

void core_maintenance_view(const struct core *core, uint32_t place, struct core_maintenance_view *view)
{
    *view = (struct core_maintenance_view){.number = core->steps, .node = place};
}

bool pipeline_tick_open(const struct core *core)
{
    return core->open;
}

const struct core_counters *core_counters(const struct core *core)
{
    return &core->counters;
}

const struct degrade_row *core_degraded(const struct core *core, enum degradation row)
{
    return &core->degraded[row];
}

void core_alert_view(const struct core *core, uint32_t alert, struct core_alert_view *view)
{
    *view = (struct core_alert_view){.row = {.now = 1, .newest = alert, .entered = core->steps, .left = 3,
                                             .since_ns = 4},
                                     .newest_since_ns = 5,
                                     .unknown = 6,
                                     .value = {7, ALERT_VALUE_UNKNOWN, -8}};
}

void core_node_view(const struct core *core, uint32_t node, struct core_node_view *view)
{
    *view = (struct core_node_view){.measured_mw = (int64_t)node + core->steps,
                                    .reading_t_ns = 5,
                                    .exposure_mva = {10, 30, 20},
                                    .newest_mva = {1, 2, 3},
                                    .limit_mva = {100, 100, 100},
                                    .emergency = node == 1};
}

void core_host_view(const struct core *core, uint32_t host, struct core_host_view *view)
{
    *view = (struct core_host_view){.lease_mw = (int64_t)host * 1000,
                                    .exposure_mw = -1,
                                    .draw_mw = core->steps,
                                    .incarnation = UINT64_MAX,
                                    .state = 2,
                                    .why = 7,
                                    .accepted = host % 2 == 1};
}
