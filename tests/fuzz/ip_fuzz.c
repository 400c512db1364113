/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream of frames into a port that owns its address, under a clock that the stream moves: ARP, echo and
 * UDP, with and without tags. Whatever comes in, what goes out is judged by code of its own: whole, from us,
 * with right checksums, no longer than what asked for it, no more often than the rates allow; and nobody gets
 * into the table who was not wanted.
 */
#include <stdlib.h>
#include <string.h>

#include "port/ip/ip.h"
#include "port/ip/udp.h"
#include "target.h"

/* Before each frame: what to do first, length low, length high; see step(). */
enum { MTU = 576, NEIGHBOURS = 4, FRAMES_MAX = 256, STEP_BYTES = 3, VLAN = 100, LEAST = 60, ARP_PART = 28,
       ECHO_LEAST = 28, TAG = 4 };
#define OWN     UINT32_C(0xC6336401)    /* 198.51.100.1 */
#define GATEWAY UINT32_C(0xC63364FE)

static const uint8_t own_mac[6] = {0x02, 0xf1, 0xba, 0x11, 0x01, 0x01};

struct watched {
    struct ip_port ip;
    struct port port;
    struct endpoint own;
    _Atomic uint64_t link;
    int64_t t_ns;
    uint32_t longest_in;                /* of the stream so far */
    uint64_t arp_answers, echo_answers, requests;
};

static void require(int condition)
{
    if (!condition)
        abort();
}

/* The textbook sum, two bytes at a time: shares nothing with the code under test. */
static uint32_t plain_sum(const uint8_t *data, uint32_t bytes)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < bytes; i++)
        sum += i % 2 ? data[i] : (uint32_t)data[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xFFFF) + (sum >> 16);
    return sum;
}

static uint32_t be32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void judge_arp(struct watched *watched, const uint8_t *body, uint32_t bytes)
{
    static const uint8_t kind[7] = {0, 1, 8, 0, 6, 4, 0};
    require(bytes >= ARP_PART && memcmp(body, kind, sizeof kind) == 0 && (body[7] == 1 || body[7] == 2));
    require(memcmp(body + 8, own_mac, 6) == 0);
    require(be32(body + 14) == OWN || (be32(body + 14) == 0 && be32(body + 24) == OWN));
    watched->arp_answers += body[7] == 2;
    watched->requests += body[7] == 1 && be32(body + 24) != OWN;
}

static void judge_echo(struct watched *watched, const uint8_t *ip, uint32_t bytes)
{
    uint32_t packet = (uint32_t)ip[2] << 8 | ip[3];
    require(ip[0] == 0x45 && ip[9] == 1 && packet >= ECHO_LEAST && packet <= bytes && packet <= MTU);
    require(plain_sum(ip, 20) == 0xFFFF && plain_sum(ip + 20, packet - 20) == 0xFFFF);
    require(be32(ip + 12) == OWN && ip[20] == 0 && ip[21] == 0 && ip[16] != 0 && ip[16] < 224 &&
            ip[16] != 127);
    watched->echo_answers++;
}

static uint32_t judge(struct port *port, uint32_t queue, const struct port_frame *frame, uint32_t count)
{
    struct watched *watched = port->state;
    const uint8_t *at = frame->data + 12;
    uint32_t most = watched->longest_in + TAG > LEAST ? watched->longest_in + TAG : LEAST;
    require(count == 1 && queue == 0 && !frame->flags && frame->length >= LEAST && frame->length <= most);
    require(frame->length <= MTU + 14 + TAG && memcmp(frame->data + 6, own_mac, 6) == 0);
    require(memcmp(frame->data, own_mac, 6) != 0);
    if (watched->own.vlan) {
        require(at[0] == 0x81 && at[1] == 0 && (at[2] == 0xA0 || at[2] == 0) && at[3] == VLAN);
        at += TAG;
    }
    uint32_t left = (uint32_t)(frame->data + frame->length - at - 2);
    if (at[0] == 8 && at[1] == 6)
        judge_arp(watched, at + 2, left);
    else if (at[0] == 8 && at[1] == 0)
        judge_echo(watched, at + 2, left);
    else
        abort();
    return 1;
}

/* A datagram is sent back as it came: who it was from takes it. */
static void answer(const struct watched *watched, const struct udp_datagram *datagram)
{
    static uint8_t room[UDP_HEADROOM + UINT16_MAX];
    struct endpoint to = datagram->source;
    struct udp_datagram back;
    struct port_frame frame;

    memcpy(room + UDP_HEADROOM, datagram->payload, datagram->payload_bytes);
    to.vlan = watched->own.vlan;
    udp_build(&frame, room, &watched->own, &to, datagram->payload_bytes, 0);
    require(udp_parse(&frame, &to, &back) == ACCEPTED && back.payload_bytes == datagram->payload_bytes);
    require(back.source.ipv4 == OWN && back.source.port == watched->own.port);
    udp_build(&frame, room, &watched->own, &to, datagram->payload_bytes, PORT_FILLS_SUMS);
    require(frame.flags == FRAME_SUMS_LEFT && udp_parse(&frame, &to, &back) == REFUSED_CHECKSUM);
}

/* As a lane does: UDP first, and what is not ours may be the port's own business. */
static void come_in(struct watched *watched, const uint8_t *data, uint32_t length, uint16_t flags,
                    uint16_t tci)
{
    uint8_t *own = malloc(length ? length : 1);     /* one byte too far is one byte outside */
    require(own != NULL);
    memcpy(own, data, length);
    const struct port_frame frame = {.data = own, .length = length, .flags = flags, .vlan_tci = tci};
    struct udp_datagram datagram;
    int verdict = udp_parse(&frame, &watched->own, &datagram);
    require(verdict >= ACCEPTED && verdict < REFUSAL_COUNT);
    if (verdict == ACCEPTED) {
        require(datagram.payload >= own + UDP_HEADERS &&
                datagram.payload + datagram.payload_bytes <= own + length);
        answer(watched, &datagram);
    }
    if (length > watched->longest_in)
        watched->longest_in = length;
    bool aside = ip_set_aside(&watched->ip.aside[0], &frame);
    require(!aside || verdict != ACCEPTED);
    free(own);
}

static void check_rates(const struct watched *watched, int64_t passed_ns)
{
    uint64_t ms = (uint64_t)(passed_ns / NS_PER_MS) + 1;
    require(watched->arp_answers <= IP_ARP_BURST + ms * IP_ARP_PER_S / 1000 + 1);
    require(watched->echo_answers <= IP_ECHO_BURST + ms * IP_ECHO_PER_S / 1000 + 1);
    require(watched->requests <= IP_ASK_BURST + ms * IP_ASK_PER_S / 1000 + 1);
}

static void check_conflict(const struct watched *watched)
{
    uint8_t mac[6];
    uint64_t claims = ip_counted(&watched->ip, IP_ADDRESS_CONFLICTS);
    if (ip_conflict(&watched->ip, watched->t_ns, mac))
        require(claims && memcmp(mac, own_mac, 6) != 0 && !(mac[0] & 1));
    for (int i = 0; i < IP_COUNTER_COUNT; i++)
        require(ip_counter_name(i) && ip_counter_meaning(i));
}

static void check_table(const struct watched *watched)
{
    const struct neighbours *all = &watched->ip.neighbours;
    require(all->count <= NEIGHBOURS + 1);
    for (uint32_t i = 0; i < all->count; i++) {
        const struct neighbour *one = &all->entry[i];
        require(one->ipv4 == GATEWAY || (one->ipv4 > OWN && one->ipv4 <= OWN + NEIGHBOURS));
        require(!one->known || (!(one->mac[0] & 1) && memcmp(one->mac, own_mac, 6) != 0));
    }
}

/* Bits of the first byte: 0-1 which host is wanted; 2 tag beside the frame; 3 sums good; 4-5 how far time
 * goes; 6 the turn is taken; 7 the link changes. */
static void step(struct watched *watched, uint8_t what, const uint8_t *data, uint32_t length)
{
    static const int64_t ahead_ns[4] = {0, NS_PER_MS, NS_PER_S, 40 * NS_PER_S};
    uint8_t mac[6];
    uint16_t flags = (uint16_t)((what & 4 ? FRAME_TAGGED : 0) | (what & 8 ? FRAME_SUMS_GOOD : 0));
    if (what & 3)
        ip_find_mac(&watched->ip, OWN + (what & 3u), mac);
    come_in(watched, data, length, flags, what & 16 ? VLAN : 0);
    watched->t_ns += ahead_ns[what >> 4 & 3];
    if (what & 128)
        watched->link = (((watched->link >> 1) + 1) << 1) | (~watched->link & 1);
    if (what & 64)
        require(ip_turn(&watched->ip, watched->t_ns) <= IP_TURN_FRAMES + IP_TURN_REQUESTS + 1);
}

static void run(struct watched *watched, void *memory, const uint8_t *data, size_t bytes)
{
    static const struct port_driver driver = {.name = "judge", .kind = PORT_FRAMES, .send = judge};
    watched->port = (struct port){.driver = &driver, .state = watched, .mtu = MTU};
    watched->link = 1;
    watched->t_ns = NS_PER_S;
    watched->own = (struct endpoint){.ipv4 = OWN, .port = 7001, .vlan = data[0] & 1 ? VLAN : 0};
    memcpy(watched->own.mac, own_mac, 6);
    const struct ip_config config = {.own = watched->own, .prefix = 24, .gateway = data[0] & 2 ? GATEWAY : 0,
                                     .port = &watched->port, .asides = 1, .mtu = MTU,
                                     .neighbours = NEIGHBOURS, .link = &watched->link};
    ip_init(&watched->ip, &config, memory);
    const int64_t begin_ns = watched->t_ns;
    data++;
    bytes--;
    for (int i = 0; bytes >= STEP_BYTES && i < FRAMES_MAX; i++) {
        size_t length = data[1] | (size_t)data[2] << 8;
        uint8_t what = data[0];
        data += STEP_BYTES;
        bytes -= STEP_BYTES;
        length = length < bytes ? length : bytes;
        step(watched, what, data, (uint32_t)length);
        data += length;
        bytes -= length;
    }
    for (int i = 0; i < IP_ASIDE_FRAMES; i++)
        ip_turn(&watched->ip, watched->t_ns);
    require(!ip_turn(&watched->ip, watched->t_ns) || watched->ip.neighbours.count);
    check_rates(watched, watched->t_ns - begin_ns);
    check_table(watched);
    check_conflict(watched);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static struct watched watched;
    if (!bytes)
        return 0;
    memset(&watched, 0, sizeof watched);
    void *memory = aligned_alloc(64, (ip_bytes(MTU, NEIGHBOURS, 1) + 63) / 64 * 64);
    require(memory != NULL);
    run(&watched, memory, data, bytes);
    free(memory);
    return 0;
}
