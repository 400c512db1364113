/* SPDX-License-Identifier: Apache-2.0 */
#include "loop/lane_meter.h"

#include <string.h>

#include "loop/lane_inside.h"
#include "loop/lane_road.h"

enum { PLACES_PER_METER = 4, PLACES_LEAST = 16, ETHERTYPE_AT = 12, TAG_BYTES = 4 };

/* ---- memory ---- */

#define NAME(symbol, name) [symbol] = name,
static const char *const names[PROTOCOL_COUNT] = {SITE_PROTOCOLS(NAME)};

static const struct meter_protocol *protocol_of(const struct site_meter *meter)
{
    return site_meter_is_bare(meter) ? meter_protocol_named(names[meter->protocol]) : NULL;
}

static size_t lines(size_t bytes)
{
    return (bytes + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
}

static uint32_t places(const struct site *site)
{
    uint32_t count = PLACES_LEAST;
    while (count < PLACES_PER_METER * site->model.meter_count)
        count *= 2;
    return count;
}

static size_t own_bytes(const struct site_meter *meter)
{
    const struct meter_protocol *protocol = protocol_of(meter);
    if (!protocol)
        return 0;
    return lines(protocol->stream_bytes) +
           (site_meter_samples(meter) ? lines(sizeof(struct measure_meter)) : 0);
}

size_t lane_meters_bytes(const struct site *site)
{
    size_t own = 0;
    for (uint32_t i = 0; i < site->model.meter_count; i++)
        own += own_bytes(&site->meter[i]);
    return own ? own + lines(site->model.meter_count * sizeof(struct lane_road)) +
                     lines(places(site) * sizeof(uint32_t)) : 0;
}

/* ---- what names a meter ---- */

/* FNV-1a, 32 bit. */
static uint32_t hash(uint32_t protocol, uint32_t number, const uint8_t *name, uint32_t bytes)
{
    uint32_t value = (UINT32_C(2166136261) ^ protocol) * UINT32_C(16777619);
    for (uint32_t i = 0; i < 4; i++)
        value = (value ^ (number >> (8 * i) & 0xFF)) * UINT32_C(16777619);
    for (uint32_t i = 0; i < bytes; i++)
        value = (value ^ name[i]) * UINT32_C(16777619);
    return value ^ value >> 15;
}

static bool is_named(const struct site_meter *meter, uint32_t protocol, uint32_t number, const uint8_t *name,
                     uint32_t bytes)
{
    return meter->protocol == protocol && meter->number == number && strlen(meter->svid) == bytes &&
           !memcmp(meter->svid, name, bytes);
}

/* Of several that have the same names, PMUs of one stream, the first. */
static uint32_t find(const struct lane_meters *meters, uint32_t protocol, uint32_t number,
                     const uint8_t *name, uint32_t bytes)
{
    for (uint32_t at = hash(protocol, number, name, bytes) & meters->mask; meters->place[at];
         at = (at + 1) & meters->mask)
        if (is_named(meters->road[meters->place[at] - 1].site, protocol, number, name, bytes))
            return meters->place[at] - 1;
    return INDEX_NONE;
}

/* ---- setup ---- */

static void put(struct lane_meters *meters, uint32_t meter)
{
    const struct site_meter *site = meters->road[meter].site;
    const uint8_t *name = (const uint8_t *)site->svid;
    uint32_t bytes = (uint32_t)strlen(site->svid);
    uint32_t first = find(meters, site->protocol, site->number, name, bytes);
    meters->road[meter].first = first == INDEX_NONE ? meter : first;
    if (first != INDEX_NONE) {
        struct lane_road *last = &meters->road[first];
        while (last->next != INDEX_NONE)
            last = &meters->road[last->next];
        last->next = meter;
        return;
    }
    uint32_t at = hash(site->protocol, site->number, name, bytes) & meters->mask;
    while (meters->place[at])
        at = (at + 1) & meters->mask;
    meters->place[at] = meter + 1;
}

static char *make_road(struct lane_road *road, char *memory)
{
    const struct meter_protocol *protocol = protocol_of(road->site);
    if (!protocol)
        return memory;
    road->stream = (union meter_stream *)(void *)memory;
    memory += lines(protocol->stream_bytes);
    if (road->site->protocol == PROTOCOL_SV) {
        road->stream->sv.rate_hz = road->site->rate_hz;
        road->stream->sv.nominal_hz = (uint32_t)road->site->measure.nominal_hz;
    }
    for (uint32_t i = 0; i < SITE_PHASORS; i++)
        road->phasor[i] = c37_name_print((const uint8_t *)road->site->phasor[i],
                                         (uint32_t)strlen(road->site->phasor[i]));
    if (!site_meter_samples(road->site))
        return memory;
    road->measure = (struct measure_meter *)(void *)memory;
    return memory + lines(sizeof *road->measure);
}

void lane_meters_init(struct lane_meters *meters, void *memory, const struct site *site)
{
    const struct model *model = &site->model;
    char *at = memory;
    memset(memory, 0, lane_meters_bytes(site));
    *meters = (struct lane_meters){.road = memory, .count = model->meter_count, .mask = places(site) - 1};
    at += lines(model->meter_count * sizeof *meters->road);
    meters->place = (uint32_t *)(void *)at;
    at += lines(places(site) * sizeof *meters->place);
    for (uint32_t i = PROTOCOL_UPMU + 1; i < PROTOCOL_COUNT; i++)
        meters->protocol[i] = meter_protocol_named(names[i]);
    for (uint32_t i = 0; i < model->meter_count; i++) {
        struct lane_road *road = &meters->road[i];
        road->site = &site->meter[i];
        road->node = &model->node[model->meter[i].node];
        road->next = INDEX_NONE;
        at = make_road(road, at);
        if (site_meter_is_bare(road->site))
            put(meters, i);
    }
}

/* ---- packets ---- */

static uint32_t load16(const uint8_t *at)
{
    return (uint32_t)(at[0] << 8 | at[1]);
}

bool lane_meter_is_ethernet(const struct port_frame *frame)
{
    if (frame->length < ETHERTYPE_AT + TAG_BYTES + 2)
        return false;
    uint32_t type = load16(frame->data + ETHERTYPE_AT);
    if (type == 0x8100)
        type = load16(frame->data + ETHERTYPE_AT + TAG_BYTES);
    return type == 0x88BA;
}

bool lane_meter_is_bare(const struct lane_meters *meters, const struct udp_datagram *datagram)
{
    return meters->protocol[PROTOCOL_RAW]->match(datagram->payload, datagram->payload_bytes) ||
           meters->protocol[PROTOCOL_C37118]->match(datagram->payload, datagram->payload_bytes);
}

int lane_road_refusal(int refusal)
{
    static const uint8_t as[METER_REFUSAL_COUNT] = {
        [METER_ACCEPTED] = ACCEPTED, [METER_TRUNCATED] = REFUSED_TRUNCATED,
        [METER_OVERSIZED] = REFUSED_OVERSIZED, [METER_MTU] = REFUSED_MTU, [METER_MAGIC] = REFUSED_MAGIC,
        [METER_VERSION] = REFUSED_VERSION, [METER_CHECKSUM] = REFUSED_CHECKSUM,
        [METER_MALFORMED] = REFUSED_MALFORMED, [METER_SHAPE] = REFUSED_SHAPE,
        [METER_DUPLICATE] = REFUSED_DUPLICATE, [METER_REORDERED] = REFUSED_REORDERED,
        [METER_OTHER] = REFUSED_UNKNOWN_METER, [METER_CONFIG_UNKNOWN] = REFUSED_CONFIG_UNKNOWN,
        [METER_CONFIG_CHANGED] = REFUSED_CONFIG_CHANGED, [METER_CONFIG_PARTS] = REFUSED_CONFIG_PARTS,
    };
    return refusal >= 0 && refusal < METER_REFUSAL_COUNT ? as[refusal] : REFUSED_MALFORMED;
}

struct packet {
    const struct meter_protocol *protocol;
    const uint8_t *data;
    uint32_t bytes;
    uint32_t meter;             /* the first of its stream */
    int64_t t_receive_ns;
};

/* The meter is in hand. */
static int decode(struct lane *lane, const struct packet *packet)
{
    struct lane_road *road = &lane->meters->road[packet->meter];
    struct meter_message *message = &lane->work->message;
    if (road->site->protocol == PROTOCOL_SV)
        road->stream->sv.unix_ahead_ns =
            timebase_realtime_ns(lane->base, packet->t_receive_ns) - packet->t_receive_ns;
    int refused = lane_road_refusal(packet->protocol->decode(road->stream, packet->data, packet->bytes,
                                                             packet->t_receive_ns, message));
    if (refused)
        return refused;
    if (message->kind == METER_SAMPLES)
        return lane_road_samples(lane, packet->meter, packet->t_receive_ns);
    return message->kind == METER_PHASORS ? lane_road_phasors(lane, packet->meter, packet->t_receive_ns)
                                          : ACCEPTED;
}

static int take_packet(struct lane *lane, const struct packet *packet)
{
    if (packet->meter == INDEX_NONE)
        return REFUSED_UNKNOWN_METER;
    if (!lane_take(lane, lane->meter_sender, packet->meter))
        return REFUSED_HELD;
    int refused = decode(lane, packet);
    lane_leave(lane, lane->meter_sender, packet->meter);
    return refused;
}

/* Only where meters speak. */
static bool hears_meters(const struct lane *lane)
{
    return lane->kinds >> FRAME_MEASUREMENT & 1;
}

int lane_meter_ethernet(struct lane *lane, const struct port_frame *frame, int64_t t_receive_ns)
{
    struct sv_frame named;
    if (!hears_meters(lane))
        return REFUSED_KIND;
    int refused = lane_road_refusal(sv_decode(frame->data, frame->length, &named));
    if (refused)
        return refused;
    if (sv_is_simulated(&named))
        return REFUSED_SIMULATED;
    const struct sv_asdu *asdu = &named.asdu[0];
    struct packet packet = {.protocol = lane->meters->protocol[PROTOCOL_SV], .data = frame->data,
        .bytes = frame->length, .t_receive_ns = t_receive_ns,
        .meter = find(lane->meters, PROTOCOL_SV, named.appid, asdu->id, asdu->id_bytes)};
    return take_packet(lane, &packet);
}

/* Little endian in raw datagrams, big endian in synchrophasors. */
static uint32_t meter_of(const struct lane *lane, const uint8_t *data, bool raw)
{
    uint32_t number = raw ? data[8] | (uint32_t)data[9] << 8 | (uint32_t)data[10] << 16 |
                                (uint32_t)data[11] << 24
                          : load16(data + 4);
    return find(lane->meters, raw ? PROTOCOL_RAW : PROTOCOL_C37118, number, (const uint8_t *)"", 0);
}

int lane_meter_datagram(struct lane *lane, const struct udp_datagram *datagram, int64_t t_receive_ns)
{
    struct packet packet = {.data = datagram->payload, .bytes = datagram->payload_bytes,
        .t_receive_ns = t_receive_ns};
    bool raw = lane->meters->protocol[PROTOCOL_RAW]->match(packet.data, packet.bytes);
    packet.protocol = lane->meters->protocol[raw ? PROTOCOL_RAW : PROTOCOL_C37118];
    if (!hears_meters(lane))
        return REFUSED_KIND;
    if (packet.bytes < (raw ? (uint32_t)RAW_HEADER_BYTES : (uint32_t)C37_HEADER_BYTES))
        return REFUSED_TRUNCATED;
    packet.meter = meter_of(lane, packet.data, raw);
    uint32_t from = packet.meter == INDEX_NONE ? 0 : lane->meters->road[packet.meter].site->ipv4;
    if (from && from != datagram->source.ipv4)
        return REFUSED_SOURCE;
    return take_packet(lane, &packet);
}
