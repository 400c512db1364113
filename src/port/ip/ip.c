/* SPDX-License-Identifier: Apache-2.0 */
#include "port/ip/ip.h"

#include "port/ip/arp.h"
#include "port/ip/icmp.h"

enum { LINE = 64 };

static const uint8_t everybody[6] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};

#define NAME(symbol, name, meaning) [symbol] = name,
#define MEANING(symbol, name, meaning) [symbol] = meaning,
static const char *const names[IP_COUNTER_COUNT] = {IP_COUNTERS(NAME)};
static const char *const meanings[IP_COUNTER_COUNT] = {IP_COUNTERS(MEANING)};

const char *ip_counter_name(enum ip_counter counter)
{
    return names[counter];
}

const char *ip_counter_meaning(enum ip_counter counter)
{
    return meanings[counter];
}

/* One writer: a plain add. */
static void count_one(_Atomic uint64_t *counter)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + 1,
                          memory_order_relaxed);
}

static void count(struct ip_port *ip, enum ip_counter counter)
{
    count_one(&ip->counter[counter]);
}

uint64_t ip_counted(const struct ip_port *ip, enum ip_counter counter)
{
    uint64_t sum = atomic_load_explicit(&ip->counter[counter], memory_order_relaxed);
    for (uint32_t i = 0; counter == IP_OVERFLOWED && i < ip->config.asides; i++)
        sum += atomic_load_explicit(&ip->aside[i].overflowed, memory_order_relaxed);
    return sum;
}

/* The longest frame of a link with that MTU, tag included. */
static uint32_t stride_of(uint32_t mtu)
{
    return (ETHERNET_BYTES + VLAN_TAG_BYTES + mtu + LINE - 1) / LINE * LINE;
}

size_t ip_bytes(uint32_t mtu, uint32_t neighbours, uint32_t asides)
{
    return (size_t)(IP_ASIDE_FRAMES * asides + 1) * stride_of(mtu) + neighbours_bytes(neighbours + 1);
}

static struct bucket bucket_of(int64_t per_s, int64_t room)
{
    return (struct bucket){.each_ns = NS_PER_S / per_s, .room_ns = NS_PER_S / per_s * room};
}

void ip_init(struct ip_port *ip, const struct ip_config *config, void *memory)
{
    memset(ip, 0, sizeof *ip);
    ip->config = *config;
    uint32_t stride = stride_of(config->mtu);
    uint8_t *data = memory;
    for (uint32_t i = 0; i < config->asides; i++, data += (size_t)IP_ASIDE_FRAMES * stride) {
        ip->aside[i].own = config->own;
        ip->aside[i].stride = stride;
        ip->aside[i].data = data;
    }
    ip->out = data;
    neighbours_init(&ip->neighbours, ip->out + stride, config->neighbours + 1);
    ip->arp_answers = bucket_of(IP_ARP_PER_S, IP_ARP_BURST);
    ip->echo_answers = bucket_of(IP_ECHO_PER_S, IP_ECHO_BURST);
    ip->requests = bucket_of(IP_ASK_PER_S, IP_ASK_BURST);
}

/* ---- set aside ---- */

enum kind { KIND_NONE, KIND_ARP, KIND_ICMP };

/* ARP is broadcast: on a full link most of it is about others. What is malformed is let through, to be
 * counted where it is worked. */
static bool arp_concerns(const struct endpoint *own, const struct ethernet *ethernet)
{
    struct arp arp;
    if (!arp_parse(ethernet->body, ethernet->body_bytes, &arp))
        return true;
    return arp.target_ipv4 == own->ipv4 || arp.sender_ipv4 == own->ipv4 || arp.target_ipv4 == arp.sender_ipv4;
}

static enum kind kind_of(const struct endpoint *own, const struct port_frame *frame)
{
    struct ethernet ethernet;
    if (ethernet_parse(frame, own->vlan, &ethernet))
        return KIND_NONE;
    bool to_us = !memcmp(frame->data, own->mac, 6);
    bool to_all = !memcmp(frame->data, everybody, 6);
    if (ethernet.type == ETHERTYPE_ARP)
        return to_us || (to_all && arp_concerns(own, &ethernet)) ? KIND_ARP : KIND_NONE;
    if (ethernet.type != ETHERTYPE_IPV4 || !to_us || ethernet.body_bytes < IPV4_BYTES_MIN)
        return KIND_NONE;
    return ethernet.body[9] == PROTOCOL_ICMP && load32(ethernet.body + 16) == own->ipv4 ? KIND_ICMP
                                                                                       : KIND_NONE;
}

bool ip_set_aside(struct ip_aside *aside, const struct port_frame *frame)
{
    enum kind kind = kind_of(&aside->own, frame);
    if (kind == KIND_NONE)
        return false;
    /* a flood of echo requests must not keep ARP out */
    uint32_t room = kind == KIND_ARP ? IP_ASIDE_FRAMES : IP_ASIDE_FRAMES / 2;
    uint32_t tail = atomic_load_explicit(&aside->tail, memory_order_relaxed);
    uint32_t waiting = tail - atomic_load_explicit(&aside->head, memory_order_acquire);
    if (waiting >= room) {
        count_one(&aside->overflowed);
        return true;
    }
    /* of a frame longer than the link's own the rest does not matter: its length tells */
    struct port_frame *copy = &aside->frame[tail % IP_ASIDE_FRAMES];
    *copy = *frame;
    copy->data = aside->data + (size_t)(tail % IP_ASIDE_FRAMES) * aside->stride;
    copy->length = frame->length < aside->stride ? frame->length : aside->stride;
    memcpy(copy->data, frame->data, copy->length);
    atomic_store_explicit(&aside->tail, tail + 1, memory_order_release);
    return true;
}

/* ---- out ---- */

static void transmit(struct ip_port *ip, uint32_t length, enum ip_counter counter)
{
    const struct port_frame frame = {.data = ip->out, .length = length};
    bool taken = port_send(ip->config.port, ip->config.queue, &frame, 1) == 1;
    count(ip, taken ? counter : IP_NOT_SENT);
}

static void send_arp(struct ip_port *ip, uint16_t operation, const uint8_t to[6], uint32_t sender_ipv4,
                     uint32_t target_ipv4, enum ip_counter counter)
{
    struct arp arp = {.operation = operation, .sender_ipv4 = sender_ipv4, .target_ipv4 = target_ipv4};
    memcpy(arp.sender_mac, ip->config.own.mac, 6);
    transmit(ip, arp_build(ip->out, &ip->config.own, to, &arp), counter);
}

static void announce(struct ip_port *ip)
{
    uint32_t own = ip->config.own.ipv4;
    send_arp(ip, ARP_REQUEST, everybody, own, own, IP_ANNOUNCED);
}

/* ---- in ---- */

/* RFC 5227 section 2.4 (b): keep the address, say so, but not again within DEFEND_INTERVAL, or two that both
 * defend it would never stop. */
static void conflict(struct ip_port *ip, const struct arp *arp)
{
    uint64_t mac = 0;
    for (int i = 0; i < 6; i++)
        mac |= (uint64_t)arp->sender_mac[i] << (8 * i);
    count(ip, IP_ADDRESS_CONFLICTS);
    bool defend = !ip->t_defended_ns || ip->t_ns - ip->t_defended_ns >= IP_DEFEND_EVERY_NS;
    atomic_store_explicit(&ip->conflict_mac, mac, memory_order_relaxed);
    /* release: pairs with ip_conflict; the MAC is then visible */
    atomic_store_explicit(&ip->t_conflict_ns, ip->t_ns, memory_order_release);
    if (!defend)
        return;
    ip->t_defended_ns = ip->t_ns;
    announce(ip);
}

static void learn(struct ip_port *ip, const struct arp *arp)
{
    enum neighbour_news news = neighbours_hear(&ip->neighbours, arp->sender_ipv4, arp->sender_mac,
                                               arp->operation == ARP_REPLY, ip->t_ns);
    count(ip, news == NEIGHBOUR_UNHEARD ? IP_ARP_IGNORED : IP_ARP_LEARNED);
    if (news == NEIGHBOUR_MOVED)
        count(ip, IP_ARP_MOVED);
}

static void answer_arp(struct ip_port *ip, const struct arp *arp)
{
    if (bucket_take(&ip->arp_answers, ip->t_ns))
        send_arp(ip, ARP_REPLY, arp->sender_mac, ip->config.own.ipv4, arp->sender_ipv4, IP_ARP_ANSWERED);
    else
        count(ip, IP_RATE_LIMITED);
}

static void work_arp(struct ip_port *ip, const struct port_frame *frame, const struct ethernet *ethernet)
{
    uint32_t own = ip->config.own.ipv4;
    struct arp arp;
    if (!arp_parse(ethernet->body, ethernet->body_bytes, &arp)) {
        count(ip, IP_ARP_MALFORMED);
        return;
    }
    bool for_us = arp.target_ipv4 == own, request = arp.operation == ARP_REQUEST;
    if (!memcmp(arp.sender_mac, ip->config.own.mac, 6)) {
        count(ip, IP_ARP_IGNORED);      /* our own, come back */
        return;
    }
    if (arp.sender_ipv4 == own) {
        conflict(ip, &arp);
        return;
    }
    bool may_teach = request ? for_us || arp.target_ipv4 == arp.sender_ipv4
                             : !memcmp(frame->data, ip->config.own.mac, 6);
    bool known = may_teach && neighbours_find(&ip->neighbours, arp.sender_ipv4);
    if (known)
        learn(ip, &arp);
    if (request && for_us)
        answer_arp(ip, &arp);
    else if (!known)
        count(ip, IP_ARP_IGNORED);
}

static void work_icmp(struct ip_port *ip, const struct port_frame *frame, const struct ethernet *ethernet)
{
    struct icmp_echo echo;
    enum icmp_verdict verdict = icmp_parse(frame, ethernet, ip->config.mtu, &echo);
    if (verdict != ICMP_ANSWER)
        count(ip, verdict == ICMP_IGNORED ? IP_ICMP_IGNORED : IP_ICMP_MALFORMED);
    else if (!bucket_take(&ip->echo_answers, ip->t_ns))
        count(ip, IP_RATE_LIMITED);
    else
        transmit(ip, icmp_build(ip->out, &ip->config.own, &echo), IP_ECHO_ANSWERED);
}

static void work(struct ip_port *ip, const struct port_frame *frame)
{
    struct ethernet ethernet;
    if (ethernet_parse(frame, ip->config.own.vlan, &ethernet))
        return;                         /* nothing of the kind is set aside */
    if (ethernet.type == ETHERTYPE_ARP)
        work_arp(ip, frame, &ethernet);
    else
        work_icmp(ip, frame, &ethernet);
}

/* Of every queue in turn, so that none keeps another out. */
static uint32_t work_some(struct ip_port *ip)
{
    uint32_t worked = 0;
    for (uint32_t empty = 0; worked < IP_TURN_FRAMES && empty < ip->config.asides;) {
        ip->next_aside = ip->next_aside + 1 < ip->config.asides ? ip->next_aside + 1 : 0;
        struct ip_aside *aside = &ip->aside[ip->next_aside];
        uint32_t head = atomic_load_explicit(&aside->head, memory_order_relaxed);
        if (head == atomic_load_explicit(&aside->tail, memory_order_acquire)) {
            empty++;
            continue;
        }
        work(ip, &aside->frame[head % IP_ASIDE_FRAMES]);
        atomic_store_explicit(&aside->head, head + 1, memory_order_release);
        empty = 0;
        worked++;
    }
    return worked;
}

/* ---- on our own account ---- */

/* A start, and a link that is up again: others may hold an old MAC for our address, and what we hold may be
 * wrong. */
static void begin(struct ip_port *ip)
{
    ip->announcements = IP_ANNOUNCEMENTS;
    ip->t_announce_ns = ip->t_ns;
    neighbours_restart(&ip->neighbours);
    struct neighbour *gateway = NULL;
    if (ip->config.gateway)
        gateway = neighbours_want(&ip->neighbours, ip->config.gateway, ip->t_ns);
    if (gateway)
        gateway->kept = true;
}

/* Whether the link is up; notices that it came. */
static bool follow_link(struct ip_port *ip)
{
    uint64_t link = 1;
    /* acquire: pairs with the release of whoever looks at the link */
    if (ip->config.link)
        link = atomic_load_explicit(ip->config.link, memory_order_acquire);
    if (ip->started && link == ip->link_seen)
        return link & 1;
    ip->started = true;
    ip->link_seen = link;
    if (link & 1)
        begin(ip);
    return link & 1;
}

/* The first announcement goes with a probe, which asks for our address as if we had none: unlike an
 * announcement, every owner of an address answers that. Nothing waits for the answer: the address comes from
 * the site file, and two of them are for people to part. */
static uint32_t announce_due(struct ip_port *ip)
{
    if (!ip->announcements || ip->t_ns < ip->t_announce_ns)
        return 0;
    if (ip->announcements == IP_ANNOUNCEMENTS)
        send_arp(ip, ARP_REQUEST, everybody, 0, ip->config.own.ipv4, IP_ANNOUNCED);
    announce(ip);
    ip->announcements--;
    ip->t_announce_ns = ip->t_ns + IP_ANNOUNCE_EVERY_NS;
    return 1;
}

/* A neighbour that is known is asked at its MAC, which spares everybody else (RFC 1122, 2.3.2.1). */
static uint32_t ask_some(struct ip_port *ip)
{
    uint32_t asked = 0;
    while (asked < IP_TURN_REQUESTS) {
        struct neighbour *neighbour = neighbours_due(&ip->neighbours, ip->t_ns);
        if (!neighbour || !bucket_take(&ip->requests, ip->t_ns))
            break;
        send_arp(ip, ARP_REQUEST, neighbour->known ? neighbour->mac : everybody, ip->config.own.ipv4,
                 neighbour->ipv4, IP_ARP_ASKED);
        neighbour_asked(neighbour, ip->t_ns);
        asked++;
    }
    return asked;
}

uint32_t ip_turn(struct ip_port *ip, int64_t now_ns)
{
    ip->t_ns = now_ns;
    bool up = follow_link(ip);
    uint32_t done = work_some(ip);
    return up ? done + announce_due(ip) + ask_some(ip) : done;
}

bool ip_find_mac(struct ip_port *ip, uint32_t ipv4, uint8_t mac[6])
{
    const struct ip_config *config = &ip->config;
    bool on_link = !config->prefix || !((ipv4 ^ config->own.ipv4) >> (32 - config->prefix));
    uint32_t hop = on_link ? ipv4 : config->gateway;
    const struct neighbour *neighbour = hop ? neighbours_want(&ip->neighbours, hop, ip->t_ns) : NULL;
    if (!neighbour || !neighbour->known)
        return false;
    memcpy(mac, neighbour->mac, sizeof neighbour->mac);
    return true;
}

bool ip_conflict(const struct ip_port *ip, int64_t now_ns, uint8_t mac[6])
{
    int64_t t_ns = atomic_load_explicit(&ip->t_conflict_ns, memory_order_acquire);
    uint64_t claimed = atomic_load_explicit(&ip->conflict_mac, memory_order_relaxed);
    for (int i = 0; i < 6; i++)
        mac[i] = (uint8_t)(claimed >> (8 * i));
    return t_ns && now_ns - t_ns <= IP_CONFLICT_SHOWN_NS;
}
