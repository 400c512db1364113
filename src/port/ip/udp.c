/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 768. Packets on the way in are summed once, on the way out once, each unless the device does it. */
#include "port/ip/udp.h"

#include "port/ip/packet.h"

enum {
    UDP_BYTES = 8,
    TYPE_OF_SERVICE = 0xB8,     /* expedited forwarding (RFC 3246) */
};

static_assert(ETHERNET_BYTES + IPV4_BYTES_MIN + UDP_BYTES == (int)UDP_HEADERS &&
              (int)UDP_HEADERS + VLAN_TAG_BYTES == (int)UDP_HEADROOM,
              "the headroom is the three headers and a tag");
static_assert(TYPE_OF_SERVICE >> 5 == PRIORITY_LEASE, "the tag says what the header says");

/* Addresses, protocol and length, in memory order like everything that is summed here. */
static uint64_t pseudo_sum(const uint8_t *addresses, uint32_t udp_bytes)
{
    uint8_t pseudo[4] = {0, PROTOCOL_UDP};
    store16(pseudo + 2, udp_bytes);
    return sum_words(sum_words(0, addresses, 8), pseudo, sizeof pseudo);
}

static uint16_t udp_sum(const uint8_t *addresses, const uint8_t *udp, uint32_t udp_bytes)
{
    return sum_fold(sum_words(pseudo_sum(addresses, udp_bytes), udp, udp_bytes));
}

/* ACCEPTED when a whole datagram to this port stands at `udp` and fills the packet. */
static int check_udp(const uint8_t *ip, const uint8_t *udp, uint32_t room, uint16_t flags,
                     uint16_t local_port)
{
    if (room < UDP_BYTES)
        return REFUSED_TRUNCATED;
    if (load16(udp + 2) != local_port)
        return REFUSED_NOT_OURS;
    uint32_t bytes = load16(udp + 4);
    if (bytes < UDP_BYTES || bytes > room)
        return REFUSED_TRUNCATED;
    if (bytes < room)
        return REFUSED_OVERSIZED;   /* bytes that no checksum covers */
    if (!load16(udp + 6))
        return REFUSED_CHECKSUM;
    if (!(flags & FRAME_SUMS_GOOD) && udp_sum(ip + 12, udp, bytes) != 0xFFFF)
        return REFUSED_CHECKSUM;
    return ACCEPTED;
}

int udp_parse(const struct port_frame *frame, const struct endpoint *local, struct udp_datagram *datagram)
{
    struct ethernet ethernet;
    int verdict = ethernet_parse(frame, local->vlan, &ethernet);
    if (verdict)
        return verdict;
    if (memcmp(frame->data, local->mac, 6) || ethernet.type != ETHERTYPE_IPV4)
        return REFUSED_NOT_OURS;
    const uint8_t *ip = ethernet.body;
    uint32_t header_bytes, packet_bytes;
    verdict = ipv4_check(ip, ethernet.body_bytes, frame->flags, &header_bytes, &packet_bytes);
    if (verdict)
        return verdict;
    if (ip[9] != PROTOCOL_UDP || load32(ip + 16) != local->ipv4)
        return REFUSED_NOT_OURS;
    const uint8_t *udp = ip + header_bytes;
    verdict = check_udp(ip, udp, packet_bytes - header_bytes, frame->flags, local->port);
    if (verdict)
        return verdict;
    *datagram = (struct udp_datagram){
        .source = {.ipv4 = load32(ip + 12), .port = load16(udp)},
        .destination_port = local->port,
        .payload = udp + UDP_BYTES,
        .payload_bytes = packet_bytes - header_bytes - UDP_BYTES,
    };
    memcpy(datagram->source.mac, frame->data + 6, 6);
    return ACCEPTED;
}

/* The device adds the datagram to the sum over the pseudo header that stands in the field, and inverts. */
static void fill_sum(const uint8_t *ip, uint8_t *udp, uint32_t udp_bytes, bool leave)
{
    uint16_t checksum = leave ? sum_fold(pseudo_sum(ip + 12, udp_bytes))
                              : (uint16_t)~udp_sum(ip + 12, udp, udp_bytes);
    if (!leave && !checksum)
        checksum = 0xFFFF;          /* zero would say "none": RFC 768 */
    memcpy(udp + 6, &checksum, sizeof checksum);
}

void udp_build(struct port_frame *frame, uint8_t *room, const struct endpoint *from,
               const struct endpoint *to, uint32_t payload_bytes, uint32_t offloads)
{
    uint32_t header_bytes = ethernet_bytes(from), udp_bytes = UDP_BYTES + payload_bytes;
    bool leave = offloads & PORT_FILLS_SUMS;
    *frame = (struct port_frame){
        .data = room + ETHERNET_BYTES + VLAN_TAG_BYTES - header_bytes,
        .length = header_bytes + IPV4_BYTES_MIN + udp_bytes,
        .flags = leave ? FRAME_SUMS_LEFT : 0,
    };
    uint8_t *ip = ethernet_build(frame->data, to->mac, from, ETHERTYPE_IPV4, PRIORITY_LEASE);
    const struct ipv4 header = {.source = from->ipv4, .destination = to->ipv4,
                                .packet_bytes = IPV4_BYTES_MIN + udp_bytes, .protocol = PROTOCOL_UDP,
                                .type_of_service = TYPE_OF_SERVICE};
    ipv4_build(ip, &header, !leave);
    uint8_t *udp = ip + IPV4_BYTES_MIN;
    store16(udp, from->port);
    store16(udp + 2, to->port);
    store16(udp + 4, udp_bytes);
    store16(udp + 6, 0);
    fill_sum(ip, udp, udp_bytes, leave);
}
