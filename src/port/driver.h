/* SPDX-License-Identifier: Apache-2.0 */
/* What the drivers share and nobody else sees: the counters of one queue and the words of a failed open. */
#ifndef FLYBALL_PORT_DRIVER_H
#define FLYBALL_PORT_DRIVER_H

#include <stdatomic.h>

#include "port/port.h"

enum { ETHERNET_HEADER_BYTES = 14, VLAN_TAG_HEADER_BYTES = 4, MTU_MIN = 576, MTU_MAX = 9216 };

extern const struct port_driver port_af_packet;
extern const struct port_driver port_af_xdp;
extern const struct port_driver port_pcap;
extern const struct port_driver port_pci;
extern const struct port_driver port_synthetic;
extern const struct port_driver port_uring;

/* Written by the thread that owns the queue, read by whoever asks for statistics: relaxed, since no counter
 * orders another. */
struct port_counters {
    _Alignas(64) _Atomic uint64_t received;
    _Atomic uint64_t received_bytes, receive_errors;
    _Atomic uint64_t sent, sent_bytes, refused;
};

/* rt, the one writer: a plain add, no locked instruction. */
static inline void counter_add(_Atomic uint64_t *counter, uint64_t amount)
{
    uint64_t now = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, now + amount, memory_order_relaxed);
}

/* any: adds one queue's counters to the sum. */
void port_counters_sum(const struct port_counters *counters, struct port_statistics *statistics);

/* any: bytes of the longest frame that the port may carry, a tag included: what buffers are made for. */
static inline uint32_t port_longest(const struct port *port)
{
    return port->mtu + ETHERNET_HEADER_BYTES + VLAN_TAG_HEADER_BYTES;
}

/* any: the frame is neither shorter than an Ethernet header nor longer than the MTU allows, a tag not
 * counted. */
bool port_fits(const struct port *port, const uint8_t *frame, uint32_t length);

/* rt: how many frames from the front the port may carry: stops at the first that does not fit. */
uint32_t port_fitting(const struct port *port, const struct port_frame *frame, uint32_t count);

/* setup: the MAC address that stands for an IPv4 one where no device has any: locally administered, the same
 * on every machine. */
void port_made_mac(uint8_t mac[6], uint32_t ipv4);

/* setup: writes port->error and returns `error` (a negative errno). */
int port_fail(struct port *port, int error, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
