/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ethernet with or without an 802.1Q tag, IPv4's header and its checksum: what UDP, ARP and ICMP share. Only
 * files of this folder and its tests include this.
 */
#ifndef FLYBALL_PORT_IP_PACKET_H
#define FLYBALL_PORT_IP_PACKET_H

#include <string.h>

#include "msg/frame.h"
#include "port/ip/endpoint.h"
#include "port/port.h"

enum {
    ETHERNET_BYTES = 14,
    VLAN_TAG_BYTES = 4,
    /* a shorter frame is filled up with zeros; the check sequence not counted */
    ETHERNET_BYTES_MIN = 60,
    ETHERTYPE_IPV4 = 0x0800,
    ETHERTYPE_ARP = 0x0806,
    ETHERTYPE_VLAN = 0x8100,
    VLAN_ID_MASK = 0x0FFF,
    /* Of the tag, 0 to 7. Leases take 5, the three bits with which their type of service (expedited
     * forwarding) starts: above bulk, below what keeps the network itself alive (6, 7). ARP goes with them:
     * a lease may wait for it. Echo answers take 0. */
    PRIORITY_LEASE = 5,
    PRIORITY_LEAST = 0,
    PRIORITY_SHIFT = 13,
    IPV4_BYTES_MIN = 20,
    HOPS = 64,
    FLAG_DONT_FRAGMENT = 0x4000,
    PROTOCOL_ICMP = 1,
    PROTOCOL_UDP = 17,
};

/* What stands behind Ethernet's header and the tag. */
struct ethernet {
    const uint8_t *body;
    uint32_t body_bytes;
    uint16_t type;
};

static inline uint16_t load16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static inline uint32_t load32(const uint8_t *at)
{
    return (uint32_t)load16(at) << 16 | load16(at + 2);
}

static inline void store16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static inline void store32(uint8_t *at, uint32_t value)
{
    store16(at, value >> 16);
    store16(at + 2, value & 0xFFFF);
}

/* rt: ACCEPTED, truncated, or not ours: a frame belongs to a port with a VLAN when its one tag has that id,
 * to a port without when it has no tag or one that gives a priority only (id 0). The tag stands in the bytes,
 * or the device took it out. */
static inline int ethernet_parse(const struct port_frame *frame, uint16_t vlan, struct ethernet *ethernet)
{
    uint32_t header_bytes = ETHERNET_BYTES, id = 0;
    bool tagged = frame->flags & FRAME_TAGGED;
    if (frame->length < ETHERNET_BYTES)
        return REFUSED_TRUNCATED;
    if (tagged)
        id = frame->vlan_tci & VLAN_ID_MASK;
    else if (load16(frame->data + 12) == ETHERTYPE_VLAN) {
        header_bytes += VLAN_TAG_BYTES;
        if (frame->length < ETHERNET_BYTES + VLAN_TAG_BYTES)
            return REFUSED_TRUNCATED;
        tagged = true;
        id = load16(frame->data + 14) & VLAN_ID_MASK;
    }
    if (id != vlan || (vlan && !tagged))
        return REFUSED_NOT_OURS;
    ethernet->body = frame->data + header_bytes;
    ethernet->body_bytes = frame->length - header_bytes;
    ethernet->type = load16(frame->data + header_bytes - 2);
    return ACCEPTED;
}

/* rt: bytes of the header that frames from this end carry. */
static inline uint32_t ethernet_bytes(const struct endpoint *from)
{
    return from->vlan ? ETHERNET_BYTES + VLAN_TAG_BYTES : ETHERNET_BYTES;
}

/* rt: writes ethernet_bytes(from) bytes, the tag among them where `from` has one. Returns what follows. */
static inline uint8_t *ethernet_build(uint8_t *frame, const uint8_t to[6], const struct endpoint *from,
                                      uint16_t type, uint32_t priority)
{
    memcpy(frame, to, 6);
    memcpy(frame + 6, from->mac, 6);
    uint8_t *at = frame + 12;
    if (from->vlan) {
        store16(at, ETHERTYPE_VLAN);
        store16(at + 2, priority << PRIORITY_SHIFT | from->vlan);
        at += VLAN_TAG_BYTES;
    }
    store16(at, type);
    return at + 2;
}

/* rt: the ones' complement sum. Words are summed as they lie in memory, eight bytes at a time, the carry
 * brought round; RFC 1071 section 2(B): swapping all bytes swaps the sum's, so the result is put back by
 * storing it as it lies. */
static inline uint64_t sum_words(uint64_t sum, const uint8_t *data, uint32_t bytes)
{
    for (; bytes >= 8; data += 8, bytes -= 8) {
        uint64_t word;
        memcpy(&word, data, sizeof word);
        sum += word;
        sum += sum < word;
    }
    uint64_t tail = 0;
    memcpy(&tail, data, bytes);     /* an odd last byte stands before a zero byte: RFC 1071 section 1 */
    sum += tail;
    return sum + (sum < tail);
}

/* rt: the 16 bits that it comes to; a whole that carries its checksum comes to 0xFFFF. */
static inline uint16_t sum_fold(uint64_t sum)
{
    sum = (sum & UINT32_MAX) + (sum >> 32);
    sum = (sum & UINT32_MAX) + (sum >> 32);
    sum = (sum & 0xFFFF) + (sum >> 16);
    sum = (sum & 0xFFFF) + (sum >> 16);
    return (uint16_t)sum;
}

/* rt: ACCEPTED with the header's and the packet's length when an unfragmented IPv4 packet stands at `ip`;
 * `flags` are the frame's: sums found good by the device are not made again, bad ones are refused. */
int ipv4_check(const uint8_t *ip, uint32_t room, uint16_t flags, uint32_t *header_bytes,
               uint32_t *packet_bytes);

struct ipv4 {
    uint32_t source, destination;
    uint32_t packet_bytes;
    uint8_t protocol, type_of_service;
};

/* rt: a header without options, not to be fragmented. `sum`: with its checksum, else 0 stands there. */
static inline void ipv4_build(uint8_t *ip, const struct ipv4 *header, bool sum)
{
    memset(ip, 0, IPV4_BYTES_MIN);
    ip[0] = 0x45;
    ip[1] = header->type_of_service;
    store16(ip + 2, header->packet_bytes);
    store16(ip + 6, FLAG_DONT_FRAGMENT);
    ip[8] = HOPS;
    ip[9] = header->protocol;
    store32(ip + 12, header->source);
    store32(ip + 16, header->destination);
    if (!sum)
        return;
    uint16_t checksum = (uint16_t)~sum_fold(sum_words(0, ip, IPV4_BYTES_MIN));
    memcpy(ip + 10, &checksum, sizeof checksum);
}

/* any: an address that one station can have: no group, not nothing, no loopback. */
bool station_ipv4(uint32_t ipv4);

/* rt: fills a frame of `length` bytes up with zeros. Returns the length to send. */
static inline uint32_t ethernet_fill(uint8_t *frame, uint32_t length)
{
    if (length >= ETHERNET_BYTES_MIN)
        return length;
    memset(frame + length, 0, ETHERNET_BYTES_MIN - length);
    return ETHERNET_BYTES_MIN;
}

#endif
