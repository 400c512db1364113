/* SPDX-License-Identifier: Apache-2.0 */
#include "loop/egress.h"

#include <string.h>

#include "msg/lease.h"
#include "probe/points.h"
#include "wire/cap.h"
#include "wire/frame.h"

/* Where the host is reached: the site file's MAC, else the one its last valid report came from, else what ARP
 * tells of it or of the gateway before it. */
static bool destination(struct egress_stage *stage, uint32_t host, struct endpoint *to)
{
    const struct site_address *address = &stage->host_address[host];
    *to = (struct endpoint){.ipv4 = address->ipv4, .port = address->port};
    if (address->has_mac) {
        memcpy(to->mac, address->mac, sizeof to->mac);
        return true;
    }
    uint64_t learned = atomic_load_explicit(&stage->host_mac[host], memory_order_relaxed);
    for (int i = 0; i < 6; i++)
        to->mac[i] = (uint8_t)(learned >> (8 * i));
    if (learned || stage->port->driver->kind == PORT_DATAGRAMS)
        return true;
    return stage->ip && ip_find_mac(stage->ip, to->ipv4, to->mac);
}

static void give_back(struct egress_stage *stage, uint32_t host, uint64_t sequence)
{
    /* egress_burst left the records where they were unless a whole burst could be returned */
    struct slot *slot = spsc_claim(stage->returns);
    if (!slot)
        return;
    *slot = (struct slot){.kind = SLOT_REFUSED,
                          .lane = stage->lane,
                          .t_receive_ns = timebase_now_ns(stage->base),
                          .refused = {.host = host, .sequence = sequence}};
    spsc_publish(stage->returns);
    count_most(&stage->counters.returns_most, spsc_depth(stage->returns));
}

/* Of its type, the same in every lease: a record need not carry it. */
static void tell_ramps(const struct egress_stage *stage, uint32_t host, struct lease *lease)
{
    if (!stage->model)
        return;
    const struct model_host_type *type = &stage->model->type[stage->model->host[host].type];
    lease->ramp_up_mw_per_s = type->ramp_up_mw_per_s;
    lease->ramp_down_mw_per_s = type->ramp_down_mw_per_s;
    lease->hysteresis_ns = type->hysteresis_ns;
}

static uint32_t encode_lease(const struct egress_stage *stage, const struct egress *record, uint8_t *body,
                             uint32_t room)
{
    struct lease lease = {
        .host = record->host,
        .flags = record->flags | (record->kind == FRAME_CLAIM ? LEASE_CLAIM : 0),
        .incarnation = record->incarnation,
        .epoch = stage->epoch,
        .sequence = record->sequence,
        .echo = record->echo,
        .cap_mw = record->cap_mw,
        .floor_mw = (int64_t)record->floor_w * 1000,
        .duration_ns = (int64_t)record->duration_us * NS_PER_US,
        .session = stage->session,
    };
    tell_ramps(stage, record->host, &lease);
    return lease_encode(&lease, body, room);
}

static uint32_t encode_token(const struct egress *record, uint8_t *body, uint32_t room)
{
    struct token_response response = {
        .host = record->host,
        .reason = record->why,
        .request = record->echo,
        .granted_mw = record->cap_mw,
        .alternative_mw = (int64_t)record->floor_w * 1000,
        .retry_after_ns = (int64_t)record->duration_us * NS_PER_US,
    };
    return token_response_encode(&response, body, room);
}

static uint32_t encode(struct egress_stage *stage, const struct egress *record, uint8_t *data)
{
    uint8_t *payload = data + UDP_HEADROOM, *body = payload + FRAME_HEADER_BYTES;
    uint32_t room = EGRESS_FRAME_BYTES - UDP_HEADROOM - FRAME_HEADER_BYTES;
    uint32_t body_bytes = record->kind == FRAME_TOKEN_RESPONSE ? encode_token(record, body, room)
                                                               : encode_lease(stage, record, body, room);
    struct frame frame = {.kind = record->kind, .sender = record->host, .sequence = ++stage->frame_sequence,
                          .body = body, .body_bytes = body_bytes};
    probe_framed(record, frame.sequence);
    return body_bytes ? frame_encode(payload, &frame) : 0;
}

static bool seal(struct egress_stage *stage, uint32_t host, uint8_t *data, uint32_t payload_bytes)
{
    if (!stage->auth || !auth_seal(stage->auth, auth_host(host), data + UDP_HEADROOM, payload_bytes))
        return true;
    count_add(&stage->counters.keyless, 1);
    return false;
}

/* Builds the frame of one record as number `at` of the burst. False when it cannot go anywhere. */
static bool build(struct egress_stage *stage, const struct egress *record, bool emergency, uint32_t at)
{
    struct endpoint to;
    uint8_t *data = stage->data[at];
    uint32_t payload_bytes = 0;
    if (destination(stage, record->host, &to))
        payload_bytes = encode(stage, record, data);
    if (!payload_bytes)
        count_add(&stage->counters.unreachable, 1);
    if (!payload_bytes || !seal(stage, record->host, data, payload_bytes)) {
        give_back(stage, record->host, record->sequence);
        return false;
    }
    udp_build(&stage->frame[at], data, &stage->local, &to, payload_bytes, stage->port->offloads);
    stage->pending[at] = (struct egress_pending){.host = record->host,
                                                 .emergency = emergency,
                                                 .waited = record->waited,
                                                 .slot_sequence = record->slot_sequence,
                                                 .sequence = record->sequence,
                                                 .t_receive_ns = record->t_receive_ns};
    return true;
}

/* Of a slot that was in time when it was decided. */
static void judge(struct egress_stage *stage, const struct egress_pending *pending, int64_t took_ns)
{
    struct budget *budget = &stage->budget;
    if (budget_spent_ns(budget, pending->waited, took_ns) <= budget->budget_ns || !budget->budget_ns ||
        pending->waited & WAITED_LATE)
        return;
    const struct budget_lease lease = {
        .hand = stage->hand ? *stage->hand : NULL,
        .t_receive_ns = pending->t_receive_ns, .sent_ns = stage->sent_ns,
        .slot_sequence = pending->slot_sequence, .host = pending->host, .waited = pending->waited,
        .emergency = pending->emergency,
        .behind = spsc_depth(stage->normal) + spsc_depth(stage->emergency) > BURST_MAX};
    budget_lease_missed(budget, stage->ring, &lease);
}

static void transmit(struct egress_stage *stage, uint32_t count)
{
    uint32_t taken = port_send(stage->port, stage->queue, stage->frame, count);
    stage->sent_ns = timebase_now_ns(stage->base);
    gap_mark(stage->gap, stage->sent_ns, true);
    for (uint32_t i = 0; i < count; i++) {
        const struct egress_pending *pending = &stage->pending[i];
        if (i >= taken) {
            give_back(stage, pending->host, pending->sequence);
            continue;
        }
        int64_t took_ns = stage->sent_ns - pending->t_receive_ns;
        probe_sent(pending->host, pending->sequence, pending->emergency, pending->t_receive_ns);
        histogram_record(&stage->sent.live, took_ns > 0 ? (uint64_t)took_ns : 0);
        judge(stage, pending, took_ns);
        if (!pending->emergency)
            continue;
        histogram_record(&stage->sent_emergency.live, took_ns > 0 ? (uint64_t)took_ns : 0);
        count_add(&stage->counters.emergencies, 1);
    }
    count_add(&stage->counters.sent, taken);
    count_add(&stage->counters.refused, count - taken);
}

/* The first leases of an emergency leave before the rest is encoded: they arrive sooner than a whole burst
 * would by what encoding it takes, at the price of one more call of the driver. */
static uint32_t burst_most(struct egress_stage *stage)
{
    bool emergency = spsc_peek(stage->emergency) != NULL;
    bool opens = emergency && !stage->emergency_open;
    stage->emergency_open = emergency;
    return opens ? EMERGENCY_FIRST : BURST_MAX;
}

/* Another thread may have decided while this one did not run: that was before its work, not in it. */
static void mark_begin(struct egress_stage *stage)
{
    if (!stage->hand && (spsc_depth(stage->emergency) || spsc_depth(stage->normal)))
        gap_mark(stage->gap, timebase_now_ns(stage->base), false);
}

uint32_t egress_burst(struct egress_stage *stage)
{
    uint32_t left = 0, count = 0;
    mark_begin(stage);
    if (stage->auth)
        auth_look(stage->auth);
    if (stage->returns->count - spsc_depth(stage->returns) < BURST_MAX)
        return 0;
    uint32_t most = burst_most(stage);
    while (left < most) {
        const struct egress *record = spsc_peek(stage->emergency);
        struct spsc *queue = record ? stage->emergency : stage->normal;
        if (!record)
            record = spsc_peek(stage->normal);
        if (!record)
            break;
        if (!stage->enforce || record->flags & LEASE_SHADOW)
            count_add(&stage->counters.withheld, 1);
        else if (build(stage, record, queue == stage->emergency, count))
            count++;
        spsc_release(queue);
        left++;
    }
    if (count)
        transmit(stage, count);
    return left;
}
