/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's AF_PACKET ring under DPDK's packet driver. */
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

#include "port/dpdk.h"

enum {
    HEADROOM = 96,                  /* before the frame in a slot: its header, an address, alignment */
    /* what the driver takes off a slot to see whether a buffer could hold it */
    SLOT_OVERHEAD = 32,
    BLOCK_BYTES = 65536,
};
/* The driver maps both rings at once and counts the bytes in an unsigned int. */
#define RING_BYTES_MAX (UINT64_C(1) << 31)

static uint32_t power_of_two(uint32_t at_least)
{
    uint32_t size = 1;
    while (size < at_least)
        size *= 2;
    return size;
}

static uint32_t slot_bytes(uint32_t mtu)
{
    return power_of_two(mtu + ETHERNET_HEADER_BYTES + DPDK_VLAN_BYTES + HEADROOM);
}

static uint32_t slots_of(uint32_t ring_frames, uint32_t slot)
{
    uint32_t per_block = BLOCK_BYTES / slot;
    return (ring_frames + per_block - 1) / per_block * per_block;
}

static uint64_t packet_ring_bytes(uint32_t mtu, uint32_t ring_frames)
{
    uint32_t slot = slot_bytes(mtu);
    return 2 * (uint64_t)slots_of(ring_frames, slot) * slot;
}

/* The driver joins a fan-out group numbered (process id ^ interface index) mod 2^16 even for one queue: of 2
 * processes whose numbers meet, the second cannot open, and says "could not set PACKET_FANOUT".
 * The driver takes slot i at base + i * slot: no slot may straddle blocks, hence powers of two. A longer
 * frame than a slot holds arrives cut; udp_parse refuses it as truncated. */
static int compose(struct port *port, const struct port_config *config, struct recipe *recipe)
{
    uint32_t slot = slot_bytes(config->mtu), slots = slots_of(config->ring_frames, slot);
    if (packet_ring_bytes(config->mtu, config->ring_frames) >= RING_BYTES_MAX)
        return port_fail(port, -EINVAL, "%s: two rings of %u slots of %u bytes pass 2 GiB", config->interface,
                         slots, slot);
    recipe->bus = "vdev";
    snprintf(recipe->device, sizeof recipe->device, "net_af_packet_%s", config->interface);
    recipe->domain = AF_PACKET;
    recipe->buffers = DPDK_COPY_BUFFERS;
    recipe->buffer_bytes = slot - SLOT_OVERHEAD;
    snprintf(recipe->arguments, sizeof recipe->arguments,
             "iface=%s,qpairs=%u,blocksz=%d,framesz=%u,framecnt=%u,qdisc_bypass=1",
             config->interface, config->queues, BLOCK_BYTES, slot, slots);
    return 0;
}

static int packet_open(struct port *port, const struct port_config *config)
{
    return dpdk_open_interface(port, config, compose);
}

const struct port_driver port_af_packet = {
    .name = "af_packet",
    .summary = "the kernel's packet ring through DPDK: any interface, any MTU, deep ring",
    DPDK_DRIVER,
    .shares = true,
    .open = packet_open,
    .ring_bytes = packet_ring_bytes,
};
