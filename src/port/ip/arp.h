/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 826 for Ethernet and IPv4: bytes to fields and back, no state. */
#ifndef FLYBALL_PORT_IP_ARP_H
#define FLYBALL_PORT_IP_ARP_H

#include "port/ip/packet.h"

enum { ARP_BYTES = 28, ARP_REQUEST = 1, ARP_REPLY = 2 };

struct arp {
    uint16_t operation;
    uint8_t sender_mac[6];
    uint32_t sender_ipv4;       /* host byte order; 0 = a probe: the sender has no address yet (RFC 5227) */
    uint32_t target_ipv4;
};

/* rt: false when it is cut short, not a request or reply between Ethernet and IPv4 addresses, or from a MAC
 * or address that no station can have. */
bool arp_parse(const uint8_t *body, uint32_t bytes, struct arp *arp);

/* rt: a whole frame to `to`, in room for ETHERNET_BYTES_MIN bytes. Returns its length. */
uint32_t arp_build(uint8_t *frame, const struct endpoint *from, const uint8_t to[6], const struct arp *arp);

#endif
