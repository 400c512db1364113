/* SPDX-License-Identifier: Apache-2.0 */
#include "port/ip/ping.h"

#include "port/ip/packet.h"

enum { ICMP_BYTES = 8, ECHO_REPLY = 0, ECHO_REQUEST = 8 };

uint32_t ping_message(uint8_t *message, const struct ping *ping)
{
    message[0] = ECHO_REQUEST;
    message[1] = 0;
    store16(message + 2, 0);
    store16(message + 4, ping->identifier);
    store16(message + 6, ping->sequence);
    memset(message + ICMP_BYTES, 'f', PING_DATA_BYTES);
    uint16_t checksum = (uint16_t)~sum_fold(sum_words(0, message, ICMP_BYTES + PING_DATA_BYTES));
    memcpy(message + 2, &checksum, sizeof checksum);
    return ICMP_BYTES + PING_DATA_BYTES;
}

uint32_t ping_build(uint8_t *frame, const struct endpoint *from, const uint8_t mac[6],
                    const struct ping *ping)
{
    uint8_t *ip = ethernet_build(frame, mac, from, ETHERTYPE_IPV4, PRIORITY_LEAST);
    uint32_t bytes = ping_message(ip + IPV4_BYTES_MIN, ping);
    const struct ipv4 header = {.source = from->ipv4, .destination = ping->ipv4,
                                .packet_bytes = IPV4_BYTES_MIN + bytes, .protocol = PROTOCOL_ICMP};
    ipv4_build(ip, &header, true);
    return ethernet_fill(frame, (uint32_t)(ip - frame) + header.packet_bytes);
}

bool ping_parse(const struct port_frame *frame, const struct endpoint *own, struct ping *ping)
{
    struct ethernet ethernet;
    uint32_t header_bytes, packet_bytes;
    if (ethernet_parse(frame, own->vlan, &ethernet) || ethernet.type != ETHERTYPE_IPV4 ||
        ipv4_check(ethernet.body, ethernet.body_bytes, 0, &header_bytes, &packet_bytes))
        return false;
    const uint8_t *ip = ethernet.body, *message = ip + header_bytes;
    uint32_t bytes = packet_bytes - header_bytes;
    if (ip[9] != PROTOCOL_ICMP || load32(ip + 16) != own->ipv4 || bytes < ICMP_BYTES ||
        message[0] != ECHO_REPLY || message[1] || sum_fold(sum_words(0, message, bytes)) != 0xFFFF)
        return false;
    *ping = (struct ping){.ipv4 = load32(ip + 12), .identifier = load16(message + 4),
                          .sequence = load16(message + 6)};
    return true;
}
