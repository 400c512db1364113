/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 792, echo only: a request in, its answer out, no state. */
#ifndef FLYBALL_PORT_IP_ICMP_H
#define FLYBALL_PORT_IP_ICMP_H

#include "port/ip/packet.h"

enum icmp_verdict { ICMP_ANSWER, ICMP_IGNORED, ICMP_MALFORMED };

struct icmp_echo {
    uint8_t mac[6];             /* who asks, and where the answer goes: no neighbour is looked up for it */
    uint8_t type_of_service;
    uint32_t ipv4;
    const uint8_t *message;     /* from ICMP's type on */
    uint32_t message_bytes;
};

/* rt: of an IPv4 packet in a frame to us. Malformed: IPv4 or ICMP checksum, length, a fragment, more than
 * `mtu` bytes, or a sender that no station can be. Ignored: everything but an echo request. */
enum icmp_verdict icmp_parse(const struct port_frame *frame, const struct ethernet *ethernet, uint32_t mtu,
                             struct icmp_echo *echo);

/* rt: the whole frame that answers, never longer than the request's packet (IP options are not given back) or
 * the least Ethernet frame. Returns its length. */
uint32_t icmp_build(uint8_t *frame, const struct endpoint *from, const struct icmp_echo *echo);

#endif
