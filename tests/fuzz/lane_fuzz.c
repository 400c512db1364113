/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream of datagrams into a lane that asks for tags, by somebody who has the keys: bodies are damaged
 * first and sealed then, so that what stands behind the check is reached. The same without a key, with a bit
 * turned behind the seal, and under a neighbour's key. Judged by code of its own: what is not truly sealed
 * changes nothing at all, and what is comes to the verdict that its body, its number and its source ask for.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/loop/rig.h"
#include "target.h"
#include "wire/cap.h"
#include "wire/detail.h"

/* Before each datagram: how it is sent, who sends it, length low, length high. */
enum { STEP_BYTES = 4, FRAMES_MAX = 64, ROOM = 2048, HOST_KEY = 7, METER_KEY = 40, AT_KIND = 5 };
enum { HOW_AS_IT_IS, HOW_TRUE, HOW_TURNED, HOW_NEIGHBOUR, HOW_MASK = 3, ELSEWHERE = 4, AGAIN = 8, LATER = 16,
       TAKE_OVER = 32 };
/* of the seeds: the present one, or, after a take-over, that of the controller before */
#define SESSION UINT64_C(0xFEDCBA9876543210)
#define AFTER (SESSION ^ 1)
#define INCARNATION UINT64_C(0x0123456789ABCDEF)
#define BEGIN_NS (INT64_C(1000) * NS_PER_S)

struct keys {
    struct auth lane, peers;
    struct auth_row row[RIG_HOSTS + RIG_METERS];
    struct rig_site site;
    bool opened;
};

struct bed {
    struct timebase base;
    struct view view;
    struct seqlock meter[RIG_METERS], stale[RIG_METERS], detail[RIG_HOSTS * VIEW_DETAIL_RECORDS];
    struct meter_names names;
    uint32_t places[64];
    struct replay_window meter_window[RIG_METERS], host_window[RIG_HOSTS];
    struct age age[RIG_METERS];
    _Atomic uint64_t host_mac[RIG_HOSTS];
    uint64_t before[RIG_HOSTS];
    struct lane lane;
    struct keys *keys;
    int64_t t_ns;
    uint64_t session, sequence;
};

/* What a frame that is refused must leave as it was. */
struct memory {
    struct replay_window meter_window[RIG_METERS], host_window[RIG_HOSTS];
    uint16_t heard[RIG_HOSTS];
    uint64_t mac[RIG_HOSTS];
};

static void require(int condition)
{
    if (!condition)
        abort();
}

static const char *host_name(const void *model, uint32_t index)
{
    return ((const struct model *)model)->host[index].name;
}

static const char *meter_name(const void *model, uint32_t index)
{
    return ((const struct model *)model)->meter[index].name;
}

static void add(struct keys *keys, uint32_t at, enum auth_who who, const char *name, uint32_t id)
{
    struct auth_row *row = &keys->row[at];
    *row = (struct auth_row){.who = (uint8_t)who, .id = (uint16_t)id, .not_before_s = INT64_MIN,
                             .not_after_s = INT64_MAX};
    snprintf(row->name, sizeof row->name, "%s", name);
    snprintf((char *)row->up, sizeof row->up, "up %u", at);
    snprintf((char *)row->down, sizeof row->down, "down %u", at);
}

/* Once for all streams: libcrypto's contexts take long to make. */
static struct keys *all_keys(void)
{
    static struct keys keys;
    if (keys.opened)
        return &keys;
    keys.opened = true;
    rig_site_init(&keys.site);
    const struct model *model = &keys.site.model;
    const struct auth_names names = {.hosts = RIG_HOSTS, .meters = RIG_METERS, .host = host_name,
                                     .meter = meter_name, .names = model};
    for (uint32_t h = 0; h < RIG_HOSTS; h++)
        add(&keys, h, AUTH_HOST, model->host[h].name, HOST_KEY);
    for (uint32_t m = 0; m < RIG_METERS; m++)
        add(&keys, RIG_HOSTS + m, AUTH_METER, model->meter[m].name, METER_KEY + m);
    const struct auth_keys rows = {.row = keys.row, .count = RIG_HOSTS + RIG_METERS};
    struct auth *const end[] = {&keys.lane, &keys.peers};
    for (int i = 0; i < 2; i++) {
        require(!auth_open(end[i], i ? AUTH_PEER : AUTH_CONTROLLER, &names, 1));
        require(!auth_publish(end[i], &rows, 0));
        auth_look(&end[i]->user[0]);
    }
    return &keys;
}

static void begin(struct bed *bed, bool takes_over)
{
    static struct spsc *queue;
    struct keys *keys = all_keys();
    memset(bed, 0, sizeof *bed);
    if (!queue)
        queue = rig_queue(SLOT_BYTES, RIG_PLACES);
    bed->keys = keys;
    bed->t_ns = BEGIN_NS;
    bed->session = SESSION;
    rig_clock_init(&bed->base, bed->t_ns);
    meter_names_init(&bed->names, bed->places, &keys->site.model);
    bed->view.meter = bed->meter;
    bed->view.detail = bed->detail;
    bed->view.stale = bed->stale;
    for (uint32_t h = 0; h < RIG_HOSTS; h++)
        auth_heard(&keys->lane.user[0], auth_host(h), 0);
    bed->lane = (struct lane){
        .model = &keys->site.model, .base = &bed->base, .names = &bed->names, .view = &bed->view,
        .local = {.mac = {2, 0, 0, 0, 0, 1}, .ipv4 = 0xCB007101, .port = 7001},
        .kinds = 1U << FRAME_MEASUREMENT | 1U << FRAME_REPORT | 1U << FRAME_TOKEN_REQUEST |
                 1U << FRAME_DETAIL,
        .trust = {.user = &keys->lane.user[0], .hosts = true, .meters = true, .session = SESSION},
        .out = queue, .meter_window = bed->meter_window, .host_window = bed->host_window, .age = bed->age,
        .host_mac = bed->host_mac, .host_address = keys->site.address};
    if (!takes_over)
        return;
    for (uint32_t h = 0; h < RIG_HOSTS; h++)
        bed->before[h] = h % 2 ? INCARNATION : 1;
    bed->session = AFTER;
    bed->lane.trust.session = AFTER;
    bed->lane.trust.before = SESSION;
    bed->lane.trust.before_incarnation = bed->before;
    bed->lane.trust.before_until_ns = BEGIN_NS + NS_PER_S;
}

static void remember(const struct bed *bed, struct memory *memory)
{
    memset(memory, 0, sizeof *memory);
    memcpy(memory->meter_window, bed->meter_window, sizeof memory->meter_window);
    memcpy(memory->host_window, bed->host_window, sizeof memory->host_window);
    for (uint32_t h = 0; h < RIG_HOSTS; h++) {
        memory->heard[h] = bed->keys->lane.heard[h];
        memory->mac[h] = bed->host_mac[h];
    }
}

/* The header made good, the body as it stands; then the seal, and what is done behind it. */
static uint32_t dress(struct bed *bed, uint8_t how, uint32_t who, uint8_t *data, uint32_t bytes)
{
    uint8_t kind = (uint8_t)(data[AT_KIND] % FRAME_KIND_COUNT);
    bool meter = kind == FRAME_MEASUREMENT;
    bed->sequence += !(how & AGAIN);
    struct frame frame = {.kind = kind, .sender = meter ? 0 : who % RIG_HOSTS,
                          .sequence = bed->sequence ? bed->sequence : 1,
                          .body_bytes = bytes - FRAME_HEADER_BYTES};
    uint32_t peer = meter ? auth_meter(&bed->keys->peers, who % RIG_METERS) : auth_host(who % RIG_HOSTS);
    if ((how & HOW_MASK) == HOW_NEIGHBOUR)
        peer = meter ? auth_host(0) : auth_host((who + 1) % RIG_HOSTS);
    bytes = frame_encode(data, &frame);
    if (!bytes || auth_seal(&bed->keys->peers.user[0], peer, data, bytes))
        return bytes;
    if ((how & HOW_MASK) == HOW_TURNED) {
        uint32_t bit = 8 * (FRAME_HEADER_BYTES - FRAME_TAG_BYTES) + who * 31 %
                       (8 * (bytes - FRAME_HEADER_BYTES + FRAME_TAG_BYTES));
        data[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    return bytes;
}

static int expected_number(const struct replay_window *window, uint64_t sequence)
{
    if (sequence > window->newest)
        return ACCEPTED;
    return window->newest - sequence < 64 && window->seen >> (window->newest - sequence) & 1
        ? REFUSED_DUPLICATE : REFUSED_REORDERED;
}

/* Handed over, and still said by the agent that it was handed over with. */
static bool is_of_before(const struct bed *bed, uint32_t host, const struct report *report)
{
    return bed->session == AFTER && report->session == SESSION && bed->t_ns < BEGIN_NS + NS_PER_S &&
           host % 2 && report->incarnation == INCARNATION;
}

/* What a truly sealed report or request comes to. */
static int expected(const struct bed *bed, const struct memory *memory, const struct frame *frame,
                    uint8_t how)
{
    struct report report;
    struct token_request request;
    bool asks = frame->kind == FRAME_TOKEN_REQUEST;
    int refused = asks ? token_request_decode(frame->body, frame->body_bytes, &request)
                       : report_decode(frame->body, frame->body_bytes, &report);
    if (refused)
        return refused;
    if (asks && request.session != bed->session)
        return REFUSED_SESSION;
    if (!asks && report.session != bed->session && bed->t_ns < bed->lane.trust.before_until_ns &&
        !is_of_before(bed, frame->sender, &report))
        return REFUSED_SESSION;
    if (how & ELSEWHERE)
        return REFUSED_SOURCE;
    return expected_number(&memory->host_window[frame->sender], frame->sequence);
}

static void judge_slot(struct bed *bed, const struct frame *frame)
{
    const struct slot *slot = spsc_peek(bed->lane.out);
    if (frame->kind == FRAME_DETAIL) {
        require(!slot);
        return;
    }
    require(slot != NULL);
    if (frame->kind == FRAME_REPORT) {
        const struct report *report = &slot->report;
        require(slot->kind == SLOT_REPORT && report->host == frame->sender);
        require(report->session == bed->session || is_of_before(bed, frame->sender, report) ||
                (report->state == HOST_BOOT && !report->epoch && !report->applied && !report->held_ns));
    }
    spsc_release(bed->lane.out);
    require(!spsc_peek(bed->lane.out));
}

static void judge(struct bed *bed, const struct memory *before, uint8_t how, const uint8_t *data,
                  uint32_t bytes, int verdict)
{
    struct frame frame = {0};
    struct memory after;
    bool true_tag = (how & HOW_MASK) == HOW_TRUE;
    require(verdict >= ACCEPTED && verdict < REFUSAL_COUNT);
    int header = frame_decode(data, bytes, &frame);
    if (header || !true_tag)
        require(verdict != ACCEPTED);
    if (verdict == ACCEPTED) {
        judge_slot(bed, &frame);
        return;
    }
    require(!spsc_peek(bed->lane.out));
    remember(bed, &after);
    if (verdict != REFUSED_STALE)       /* its number was new */
        require(!memcmp(&after, before, sizeof after));
}

static void come_in(struct bed *bed, uint8_t how, uint8_t who, const uint8_t *body, uint32_t length)
{
    uint8_t payload[ROOM], room[ROOM];
    struct port_frame whole;
    struct memory before;
    struct frame frame;
    uint32_t bytes = length;
    memcpy(payload, body, length);
    if (how & HOW_MASK && length >= FRAME_HEADER_BYTES)
        bytes = dress(bed, how, who, payload, length);
    const struct endpoint from = {.mac = {2, 0, 0, 0, 0, who}, .port = 9000,
                                  .ipv4 = bed->keys->site.address[who % RIG_HOSTS].ipv4 +
                                          (how & ELSEWHERE ? 100 : 0)};
    bed->t_ns += how & LATER ? NS_PER_S : NS_PER_MS;
    rig_clock_set(&bed->base, bed->t_ns);
    memcpy(room + UDP_HEADROOM, payload, bytes);
    udp_build(&whole, room, &from, &bed->lane.local, bytes, 0);
    remember(bed, &before);
    int verdict = lane_frame(&bed->lane, &whole, bed->t_ns);
    judge(bed, &before, how, payload, bytes, verdict);
    if ((how & HOW_MASK) == HOW_TRUE && !frame_decode(payload, bytes, &frame) &&
        (frame.kind == FRAME_REPORT || frame.kind == FRAME_TOKEN_REQUEST))
        require(verdict == expected(bed, &before, &frame, how));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static struct bed bed;
    begin(&bed, bytes && data[0] & TAKE_OVER);
    for (int i = 0; bytes >= STEP_BYTES && i < FRAMES_MAX; i++) {
        size_t length = data[2] | (size_t)data[3] << 8;
        const uint8_t *step = data;
        data += STEP_BYTES;
        bytes -= STEP_BYTES;
        length = length > bytes ? bytes : length;
        length = length > DATAGRAM_MAX ? DATAGRAM_MAX : length;
        come_in(&bed, step[0], step[1], data, (uint32_t)length);
        data += length;
        bytes -= length;
    }
    return 0;
}
