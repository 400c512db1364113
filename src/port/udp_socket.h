/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's UDP sockets of one address, one a queue: of several, the kernel keeps a sender's datagrams to
 * one by a hash over both addresses and ports (SO_REUSEPORT).
 */
#ifndef FLYBALL_PORT_UDP_SOCKET_H
#define FLYBALL_PORT_UDP_SOCKET_H

#include <stdbool.h>
#include <stdint.h>

#include "msg/limits.h"
#include "port/driver.h"

struct udp_sockets {
    uint32_t count;
    int fd[LANES_MAX];
    uint32_t room_frames;       /* full-sized datagrams that may wait in one queue: what the kernel granted */
    char interface[INTERFACE_BYTES];
};

/* setup: all of them, bound to config->ipv4:udp and, where that is allowed, to config->interface. 0, or
 * -errno with port->error and none left open; -EBUSY: somebody has that address and port, we or another
 * process. */
int udp_sockets_open(struct udp_sockets *sockets, struct port *port, const struct port_config *config);
void udp_sockets_close(struct udp_sockets *sockets);

/* setup: the kernel says of each datagram when it came. False: it does not. */
bool udp_sockets_stamp(const struct udp_sockets *sockets);

/* any: what the kernel is asked to let wait in one queue's socket, its own records included. */
uint64_t udp_sockets_room_bytes(uint32_t mtu, uint32_t ring_frames);

/* cold: datagrams the kernel dropped since the sockets were opened: no room, or a wrong checksum. It keeps 32
 * bits of that, so a count above 2^32 begins anew. */
uint64_t udp_sockets_lost(const struct udp_sockets *sockets);

#endif
