/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's sockets under an af_packet or af_xdp port. Frames that found the ring full are counted by the
 * kernel alone and told to nobody but the socket's owner; the DPDK drivers never ask. They are our process's
 * sockets, so we do.
 */
#ifndef FLYBALL_PORT_KERNEL_SOCKETS_H
#define FLYBALL_PORT_KERNEL_SOCKETS_H

#include <stdatomic.h>

#include "port/driver.h"

enum { SOCKETS_SEEN_MAX = 64 };

struct kernel_sockets {
    int domain;                     /* AF_PACKET or AF_XDP */
    uint32_t count;
    int fd[LANES_MAX];              /* the driver's */
    uint64_t inode[LANES_MAX];
    uint32_t before_count;
    int before[SOCKETS_SEEN_MAX];
    _Atomic uint64_t lost;          /* AF_PACKET: reading the kernel's count clears it */
    uint64_t forgotten;
};

/* setup: notes which sockets of that domain there are; then, after the driver made its own, finds those that
 * are new. */
void kernel_sockets_before(struct kernel_sockets *sockets, int domain);
void kernel_sockets_after(struct kernel_sockets *sockets);

/* setup: starts the count of lost frames at zero. */
void kernel_sockets_forget(struct kernel_sockets *sockets);

/* setup, after the driver closed its device: closes what the driver left open. libxdp 1.3 forgets the socket
 * of its memory, and while that lives the kernel lends the interface's queue to nobody else. */
void kernel_sockets_close_left(struct kernel_sockets *sockets);

/* cold: frames the kernel dropped for want of room in our rings, since the port was opened. */
uint64_t kernel_sockets_lost(struct kernel_sockets *sockets);

/* setup: the interface's MTU, or -errno. */
int kernel_interface_mtu(const char *interface);

/* cold: 1 when the interface is up and has a carrier, 0 when not, or when it is gone; or -errno. */
int kernel_interface_link(const char *interface);

/* setup: the interface takes frames to every group until the socket that is returned is closed; -errno. */
int kernel_hear_groups(const char *interface);

/* setup: pairs of a receive and a send queue that the interface has now. */
int kernel_interface_channels(const char *interface);

/* setup: is there such an interface, and is its MTU large enough. 0 or -errno with port->error. */
int kernel_interface_check(struct port *port, const struct port_config *config);

#endif
