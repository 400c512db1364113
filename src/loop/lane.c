/* SPDX-License-Identifier: Apache-2.0 */
#include "loop/lane.h"

#include <string.h>

#include "loop/lane_inside.h"
#include "loop/lane_meter.h"
#include "probe/points.h"
#include "wire/cap.h"
#include "wire/detail.h"

#define STANDSTILL_NS (INT64_C(54) * NS_PER_MS)
enum { PLACES_LEAST = 4096 };

uint32_t lane_places(const struct model *model)
{
    int64_t reports_each = model->policy.report_ns > 0 ? STANDSTILL_NS / model->policy.report_ns + 1 : 1;
    int64_t reserve = model->host_count * (reports_each + 1) + BURST_MAX;
    uint32_t places = PLACES_LEAST;
    while (places * (int64_t)(100 - READING_SHED_PCT) / 100 < reserve)
        places *= 2;
    return places;
}

static bool has_room(const struct lane *lane, enum slot_class class)
{
    static const uint32_t shed_pct[CLASS_COUNT] = {DETAIL_SHED_PCT, READING_SHED_PCT, 100};
    return (uint64_t)lane->depth * 100 < (uint64_t)lane->out->count * shed_pct[class];
}

struct slot *lane_admit(struct lane *lane, enum slot_class class)
{
    struct slot *slot = NULL;
    if (has_room(lane, class))
        slot = spsc_claim(lane->out);
    if (!slot) {
        lane->shed[class]++;
        count_add(&lane->counters.shed[class], 1);
        return NULL;
    }
    *slot = (struct slot){.lane = lane->index};
    memcpy(slot->shed, lane->shed, sizeof slot->shed);
    memset(lane->shed, 0, sizeof lane->shed);
    return slot;
}

bool lane_take(struct lane *lane, struct sender *senders, uint32_t index)
{
    return !senders || sender_take(&senders[index], &lane->sender_ns);
}

void lane_leave(struct lane *lane, struct sender *senders, uint32_t index)
{
    if (senders)
        sender_leave(&senders[index], lane->sender_ns);
}

/* Where a sender may come by several threads, its slots are stamped in the order of its frames, and those of
 * a lane never go back: decide's merge by stamp then keeps both orders. It moves a stamp by less than
 * two threads' bursts lie apart. */
static int64_t stamp(struct lane *lane, int64_t t_receive_ns)
{
    if (!lane->meter_sender)
        return t_receive_ns;
    if (t_receive_ns <= lane->sender_ns)
        t_receive_ns = lane->sender_ns + 1;
    if (t_receive_ns < lane->newest_ns)
        t_receive_ns = lane->newest_ns;
    lane->newest_ns = lane->sender_ns = t_receive_ns;
    return t_receive_ns;
}

void lane_publish(struct lane *lane, struct slot *slot, uint64_t sequence, int64_t t_receive_ns)
{
    int64_t now_ns = timebase_now_ns(lane->base), took_ns = now_ns - t_receive_ns;
    gap_mark(lane->gap, now_ns, true);
    slot->t_receive_ns = stamp(lane, t_receive_ns);
    slot->waited = lane->waited;
    slot->stage_ns[STAGE_DECODED] = took_ns < UINT32_MAX ? (uint32_t)took_ns : UINT32_MAX;
    probe_decoded(slot, sequence, t_receive_ns);
    spsc_publish(lane->out);
    lane->depth++;
    histogram_record(&lane->decoded.live, (uint64_t)took_ns);
}

int lane_check_sequence(struct lane *lane, struct replay_window *window, bool keyed, uint64_t sequence,
                        int64_t t_receive_ns)
{
    if (keyed)
        return replay_check(window, sequence);
    int refused = replay_admit(window, sequence, t_receive_ns);
    count_add(&lane->counters.sequence_restarts, window->began_again);
    window->began_again = false;
    return refused;
}

static int check_host_sequence(struct lane *lane, uint32_t host, uint64_t sequence, int64_t t_receive_ns)
{
    return lane_check_sequence(lane, &lane->host_window[host], lane->trust.hosts, sequence, t_receive_ns);
}

/* Where the host answers from now: used for its leases where the site file gives no MAC. Not one that no host
 * can have: leases sent there would reach everybody or nobody. */
static void learn_mac(struct lane *lane, uint32_t host, const uint8_t mac[6])
{
    if (!station_mac(mac) || !memcmp(mac, lane->local.mac, sizeof lane->local.mac))
        return;
    uint64_t learned = UINT64_C(1) << 48;
    for (int i = 0; i < 6; i++)
        learned |= (uint64_t)mac[i] << (8 * i);
    atomic_store_explicit(&lane->host_mac[host], learned, memory_order_relaxed);
}

/* What a host sends carries its number in the frame and its address in the packet: both must be the site
 * file's. */
static int check_host(const struct lane *lane, uint32_t host, const struct endpoint *from)
{
    if (host >= lane->model->host_count)
        return REFUSED_UNKNOWN_HOST;
    return from->ipv4 == lane->host_address[host].ipv4 ? ACCEPTED : REFUSED_SOURCE;
}

/* Whoever takes it leaves it. */
static int take_host(struct lane *lane, uint32_t host, const struct endpoint *from)
{
    int refused = check_host(lane, host, from);
    if (refused)
        return refused;
    return lane_take(lane, lane->host_sender, host) ? ACCEPTED : REFUSED_HELD;
}

/* The host is in hand. */
static int admit_report(struct lane *lane, const struct report *body, uint64_t sequence,
                        const struct endpoint *from, int64_t t_receive_ns)
{
    int refused = check_host_sequence(lane, body->host, sequence, t_receive_ns);
    if (refused)
        return refused;
    trust_note(&lane->trust, body, &lane->host_window[body->host]);
    learn_mac(lane, body->host, from->mac);
    struct slot *slot = lane_admit(lane, CLASS_RESERVED);
    if (!slot)
        return ACCEPTED;
    slot->kind = SLOT_REPORT;
    slot->report = *body;
    lane_publish(lane, slot, sequence, t_receive_ns);
    return ACCEPTED;
}

static int report(struct lane *lane, const struct frame *frame, const struct endpoint *from,
                  int64_t t_receive_ns)
{
    struct report body = {0};
    bool unproven;
    int refused = report_decode(frame->body, frame->body_bytes, &body);
    if (!refused)
        refused = trust_report(&lane->trust, frame->sender, &body, t_receive_ns, &unproven);
    if (!refused)
        refused = take_host(lane, frame->sender, from);
    if (refused)
        return refused;
    body.host = frame->sender;
    refused = admit_report(lane, &body, frame->sequence, from, t_receive_ns);
    if (!refused)
        trust_heard(&lane->trust, frame);
    lane_leave(lane, lane->host_sender, body.host);
    count_add(&lane->counters.unproven, !refused && unproven);
    return refused;
}

/* The host is in hand. */
static int admit_token(struct lane *lane, const struct token_request *body, uint64_t sequence,
                       int64_t t_receive_ns)
{
    int refused = check_host_sequence(lane, body->host, sequence, t_receive_ns);
    if (refused)
        return refused;
    count_add(&lane->counters.token_requests, 1);
    struct slot *slot = lane_admit(lane, CLASS_DETAIL);     /* first to be shed: a host asks again */
    if (!slot)
        return ACCEPTED;
    slot->kind = SLOT_TOKEN;
    slot->token = *body;
    lane_publish(lane, slot, sequence, t_receive_ns);
    return ACCEPTED;
}

static int token_request(struct lane *lane, const struct frame *frame, const struct endpoint *from,
                         int64_t t_receive_ns)
{
    struct token_request body = {0};
    int refused = token_request_decode(frame->body, frame->body_bytes, &body);
    if (!refused)
        refused = trust_request(&lane->trust, &body);
    if (refused)
        return refused;
    refused = take_host(lane, frame->sender, from);
    if (refused)
        return refused;
    body.host = frame->sender;
    refused = admit_token(lane, &body, frame->sequence, t_receive_ns);
    lane_leave(lane, lane->host_sender, body.host);
    return refused;
}

/* The host is in hand. No slot comes of it: no decision hangs on it, and the journal has none of it. */
static int show_detail(struct lane *lane, const struct detail *body, uint64_t sequence, int64_t t_receive_ns)
{
    int refused = trust_detail(&lane->trust, &lane->host_window[body->host]);
    if (!refused)
        refused = check_host_sequence(lane, body->host, sequence, t_receive_ns);
    if (refused)
        return refused;
    count_add(&lane->counters.details, 1);
    if (has_room(lane, CLASS_DETAIL))       /* else there is more important work */
        view_write_detail(lane->view, body, t_receive_ns);
    else
        count_add(&lane->counters.shed[CLASS_DETAIL], 1);
    return ACCEPTED;
}

static int detail(struct lane *lane, const struct frame *frame, const struct endpoint *from,
                  int64_t t_receive_ns)
{
    struct detail body;
    int refused = detail_decode(frame->body, frame->body_bytes, &body);
    if (refused)
        return refused;
    refused = take_host(lane, frame->sender, from);
    if (refused)
        return refused;
    body.host = frame->sender;
    refused = show_detail(lane, &body, frame->sequence, t_receive_ns);
    lane_leave(lane, lane->host_sender, body.host);
    return refused;
}

/* The sender is what the frame says it is: nobody has proven that. */
static int tell_untrue(struct lane *lane, const struct frame *frame, int refused, int64_t t_receive_ns)
{
    if (lane->host_untrue && frame->kind != FRAME_MEASUREMENT && frame->sender < lane->model->host_count &&
        untrue_is(refused))
        untrue_note(&lane->host_untrue[frame->sender], refused, t_receive_ns);
    return refused;
}

static int examine(struct lane *lane, const struct port_frame *received, int64_t t_receive_ns)
{
    struct udp_datagram datagram;
    struct frame frame;
    if (lane->meters && lane_meter_is_ethernet(received))
        return lane_meter_ethernet(lane, received, t_receive_ns);
    int refused = udp_parse(received, &lane->local, &datagram);
    if (!refused && lane->meters && lane_meter_is_bare(lane->meters, &datagram))
        return lane_meter_datagram(lane, &datagram, t_receive_ns);
    if (!refused)
        refused = frame_decode(datagram.payload, datagram.payload_bytes, &frame);
    if (refused)
        return refused;
    if (frame.kind >= FRAME_KIND_COUNT || !(lane->kinds >> frame.kind & 1))
        return REFUSED_KIND;
    refused = trust_frame(&lane->trust, lane->model->host_count, datagram.payload, &frame);
    if (refused)
        return tell_untrue(lane, &frame, refused, t_receive_ns);
    if (frame.kind == FRAME_MEASUREMENT)
        return lane_measurement(lane, &frame, t_receive_ns);
    if (frame.kind == FRAME_REPORT)
        return report(lane, &frame, &datagram.source, t_receive_ns);
    if (frame.kind == FRAME_DETAIL)
        return detail(lane, &frame, &datagram.source, t_receive_ns);
    return token_request(lane, &frame, &datagram.source, t_receive_ns);
}

int lane_frame(struct lane *lane, const struct port_frame *frame, int64_t t_receive_ns)
{
    int refused = examine(lane, frame, t_receive_ns);
    count_add(&lane->counters.frames, 1);
    if (refused == REFUSED_NOT_OURS && lane->aside && ip_set_aside(lane->aside, frame))
        count_add(&lane->counters.aside, 1);
    else
        count_add(refused ? &lane->counters.refused[refused] : &lane->counters.accepted, 1);
    return refused;
}

/* A clock that its thread has read before it polls, the newest there is: decide on the same thread reads it
 * between two polls, so that a gap before one is not in what the next finds. Where nobody does, it is, and
 * what that one finds counts as older than it may be. */
static int64_t newest_clock(const struct lane *lane)
{
    return lane->gap ? lane->gap->last_ns : lane->t_poll_ns;
}

/* How long what was found may have waited. What came while nobody polled yet, from the opening of the ports
 * on, is as old as that, but its wait is nobody's miss. */
static void look_back(struct lane *lane, int64_t now_ns, int64_t before_ns, bool left_nothing)
{
    lane->within_ns = now_ns - lane->t_empty_ns;
    lane->waits = lane->emptied;
    lane->waited = lane->emptied ? budget_waited(&lane->budget, lane->within_ns) : 0;
    if (!left_nothing)
        return;
    lane->t_empty_ns = before_ns;
    lane->emptied = true;
}

uint32_t lane_burst(struct lane *lane)
{
    struct port_frame frame[BURST_MAX];
    int64_t clock_ns = newest_clock(lane), before_ns = lane->t_poll_ns, empty_ns = lane->t_empty_ns;
    uint32_t count = port_receive(lane->port, lane->queue, frame, BURST_MAX);
    int64_t now_ns = timebase_now_ns(lane->base);
    lane->t_poll_ns = now_ns;
    gap_mark(lane->gap, now_ns, false);
    look_back(lane, now_ns, clock_ns, count < BURST_MAX && port_emptied(lane->port, lane->queue));
    if (lane->port->stamps)
        lane_stamps_look(lane, frame, count, empty_ns);
    count_add(&lane->counters.turns, 1);
    if (lane->trust.user)
        auth_look(lane->trust.user);
    if (!count) {
        count_add(&lane->counters.empty_turns, 1);
        return 0;
    }
    probe_burst(lane->index, count, before_ns, now_ns);
    lane->depth = spsc_depth(lane->out);
    for (uint32_t i = 0; i < count; i++) {
        if (lane->port->stamps)
            lane_stamps_frame(lane, &frame[i], empty_ns, now_ns);
        lane_frame(lane, &frame[i], now_ns);
    }
    count_most(&lane->counters.depth_most, lane->depth);
    return count;
}
