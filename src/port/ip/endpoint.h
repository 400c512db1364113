/* SPDX-License-Identifier: Apache-2.0 */
/* One end of a datagram. */
#ifndef FLYBALL_PORT_IP_ENDPOINT_H
#define FLYBALL_PORT_IP_ENDPOINT_H

#include <stdbool.h>
#include <stdint.h>

struct endpoint {
    uint8_t mac[6];
    uint16_t vlan;              /* of our own end: 802.1Q id its frames carry, 0 = untagged */
    uint32_t ipv4;              /* host byte order */
    uint16_t port;              /* host byte order */
    uint16_t reserved;
};

/* any: a MAC that one station can have: no group, not nothing. */
bool station_mac(const uint8_t mac[6]);

#endif
