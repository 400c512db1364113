/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ethernet, a VLAN tag where there is one, IPv4 and UDP around a payload: parsed with every checksum checked,
 * built with every checksum made, by the device where it does that.
 */
#ifndef FLYBALL_PORT_IP_UDP_H
#define FLYBALL_PORT_IP_UDP_H

#include "msg/frame.h"
#include "port/ip/endpoint.h"
#include "port/port.h"

enum {
    UDP_HEADERS = 42,           /* 14 Ethernet + 20 IPv4 + 8 UDP, before the payload of an untagged frame */
    UDP_HEADROOM = 46,          /* and room for a tag */
};

struct udp_datagram {
    struct endpoint source;
    uint16_t destination_port;
    const uint8_t *payload;
    uint32_t payload_bytes;
};

/* rt: returns ACCEPTED or an enum refusal. `local` is who we are, its `vlan` included; a UDP checksum of 0 is
 * refused (IPv4 allows it, we do not). FRAME_SUMS_GOOD: the device has checked, and it is not done again;
 * FRAME_SUMS_BAD: refused as `checksum`; neither: checked here. */
int udp_parse(const struct port_frame *frame, const struct endpoint *local, struct udp_datagram *datagram);

/* rt: writes the headers before a payload that already stands at room + UDP_HEADROOM, the tag of `from` among
 * them, and describes the whole in `frame`, which begins in `room` or 4 bytes into it. `offloads` are the
 * port's: with PORT_FILLS_SUMS the checksums are left to the device. */
void udp_build(struct port_frame *frame, uint8_t *room, const struct endpoint *from,
               const struct endpoint *to, uint32_t payload_bytes, uint32_t offloads);

#endif
