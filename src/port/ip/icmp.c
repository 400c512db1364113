/* SPDX-License-Identifier: Apache-2.0 */
#include "port/ip/icmp.h"

enum { ICMP_BYTES = 8, ECHO_REPLY = 0, ECHO_REQUEST = 8 };

enum icmp_verdict icmp_parse(const struct port_frame *frame, const struct ethernet *ethernet, uint32_t mtu,
                             struct icmp_echo *echo)
{
    const uint8_t *ip = ethernet->body, *source_mac = frame->data + 6;
    uint32_t header_bytes, packet_bytes;
    /* what a device says of sums is about UDP: made here, by us */
    if (ipv4_check(ip, ethernet->body_bytes, 0, &header_bytes, &packet_bytes) || packet_bytes > mtu)
        return ICMP_MALFORMED;
    const uint8_t *message = ip + header_bytes;
    uint32_t bytes = packet_bytes - header_bytes;
    if (bytes < ICMP_BYTES || sum_fold(sum_words(0, message, bytes)) != 0xFFFF)
        return ICMP_MALFORMED;
    bool from_itself = !memcmp(source_mac, frame->data, 6) || load32(ip + 12) == load32(ip + 16);
    if (from_itself || !station_mac(source_mac) || !station_ipv4(load32(ip + 12)))
        return ICMP_MALFORMED;
    if (message[0] != ECHO_REQUEST || message[1] != 0)
        return ICMP_IGNORED;
    *echo = (struct icmp_echo){.type_of_service = ip[1], .ipv4 = load32(ip + 12), .message = message,
                               .message_bytes = bytes};
    memcpy(echo->mac, source_mac, sizeof echo->mac);
    return ICMP_ANSWER;
}

uint32_t icmp_build(uint8_t *frame, const struct endpoint *from, const struct icmp_echo *echo)
{
    uint8_t *ip = ethernet_build(frame, echo->mac, from, ETHERTYPE_IPV4, PRIORITY_LEAST);
    const struct ipv4 header = {.source = from->ipv4, .destination = echo->ipv4,
                                .packet_bytes = IPV4_BYTES_MIN + echo->message_bytes,
                                .protocol = PROTOCOL_ICMP, .type_of_service = echo->type_of_service};
    ipv4_build(ip, &header, true);
    uint8_t *message = ip + IPV4_BYTES_MIN;
    memcpy(message, echo->message, echo->message_bytes);
    message[0] = ECHO_REPLY;
    store16(message + 2, 0);
    uint16_t checksum = (uint16_t)~sum_fold(sum_words(0, message, echo->message_bytes));
    memcpy(message + 2, &checksum, sizeof checksum);
    return ethernet_fill(frame, (uint32_t)(message - frame) + echo->message_bytes);
}
