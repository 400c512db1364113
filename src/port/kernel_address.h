/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who owns an address: the kernel of this network namespace, or flyball. Never both: each would answer for
 * the other, and the kernel refuses what it does not know.
 */
#ifndef FLYBALL_PORT_KERNEL_ADDRESS_H
#define FLYBALL_PORT_KERNEL_ADDRESS_H

#include <net/if.h>

#include "port/port.h"

/* setup: 1 when an interface of this network namespace has that IPv4 address (host byte order), its name in
 * `interface`; 0 when none has; -errno when the kernel does not say. */
int kernel_owns_address(uint32_t ipv4, char interface[IF_NAMESIZE]);

/* setup: whether a port of that driver may have that address: one that carries frames only where the kernel
 * does not own it, one that carries datagrams only where it does. 0, or -EADDRINUSE or -EADDRNOTAVAIL with
 * `words` filled: what is wrong and what to do, names included. A driver that this build lacks passes:
 * opening it says so. */
int kernel_address_check(const char *driver, const char *interface, uint32_t ipv4, char *words, size_t bytes);

#endif
