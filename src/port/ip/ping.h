/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 792, the asking side of echo: requests out, answers in, no state. icmp.h has the answering side. */
#ifndef FLYBALL_PORT_IP_PING_H
#define FLYBALL_PORT_IP_PING_H

#include <stdbool.h>

#include "port/ip/endpoint.h"
#include "port/port.h"

enum { PING_DATA_BYTES = 56, PING_FRAME_BYTES = 128 };

struct ping {
    uint32_t ipv4;              /* who is asked, or who answers; host byte order */
    uint16_t identifier, sequence;
};

/* rt: a whole frame with an echo request to ping->ipv4 at `mac`, in room for PING_FRAME_BYTES. Returns its
 * length. */
uint32_t ping_build(uint8_t *frame, const struct endpoint *from, const uint8_t mac[6],
                    const struct ping *ping);

/* rt: true when the frame is a whole echo reply to `own`; whose, and to what, is in `ping`. */
bool ping_parse(const struct port_frame *frame, const struct endpoint *own, struct ping *ping);

/* any: the ICMP message alone, for sockets that make the rest: 8 + PING_DATA_BYTES bytes. */
uint32_t ping_message(uint8_t *message, const struct ping *ping);

#endif
