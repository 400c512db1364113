/* SPDX-License-Identifier: Apache-2.0 */
/* Ethernet, IPv4 and UDP around a payload: parsed with every checksum checked, built with every checksum
 * made. */
#ifndef FLYBALL_PORT_UDP_H
#define FLYBALL_PORT_UDP_H

#include "msg/frame.h"

enum { UDP_HEADROOM = 42 };     /* 14 Ethernet + 20 IPv4 + 8 UDP */

struct endpoint {
    uint8_t mac[6];
    uint8_t reserved[2];
    uint32_t ipv4;              /* host byte order */
    uint16_t port;              /* host byte order */
    uint16_t reserved2;
};

struct udp_datagram {
    struct endpoint source;
    uint16_t destination_port;
    const uint8_t *payload;
    uint32_t payload_bytes;
};

/* rt: returns ACCEPTED or an enum refusal. `local` is who we are; a UDP checksum of 0 is refused (IPv4
 * allows it, we do not). */
int udp_parse(const uint8_t *frame, uint32_t length, const struct endpoint *local,
              struct udp_datagram *datagram);

/* rt: writes the headers before a payload that already stands at frame + UDP_HEADROOM. Returns the frame's
 * length. */
uint32_t udp_build(uint8_t *frame, const struct endpoint *from, const struct endpoint *to,
                   uint32_t payload_bytes);

#endif
