/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the drivers on DPDK share. They differ in the words that make the device and in how its buffers are
 * sized; every packet takes the same path (dpdk.c). Only files of this folder include this.
 */
#ifndef FLYBALL_PORT_DPDK_H
#define FLYBALL_PORT_DPDK_H

#include <rte_dev.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_mbuf_dyn.h>
#undef NS_PER_S                     /* DPDK's is a plain int; msg/limits.h has ours */

#include "port/driver.h"
#include "port/kernel_sockets.h"

enum {
    DPDK_COPY_BUFFERS = 1024,       /* per queue, where the driver copies: bursts in hand, the caches */
    DPDK_VLAN_BYTES = 4,
    DPDK_ARGUMENTS_BYTES = 640,
};

struct dpdk_queue {
    struct port_counters counters;
    _Alignas(64) struct rte_mbuf *held[BURST_MAX];  /* the burst that the caller still looks at */
    uint32_t held_count;
    bool leaves;                        /* as port.h says */
};

struct dpdk {
    uint16_t id;
    uint32_t queues;
    bool started;
    bool hears_groups;                  /* by the socket `groups`, of a kernel's interface */
    int groups;
    char interface[INTERFACE_BYTES];    /* of the kernel, "" = the device is not the kernel's */
    char bus[8], device[RTE_DEV_NAME_MAX_LEN];
    struct rte_mempool *pool;
    struct kernel_sockets sockets;
    int stamp_at;                       /* in a buffer: where the device writes when the frame came */
    uint64_t stamp_flag;                /* of a buffer in which it did; 0: it never does */
    uint64_t tick_ns_q32;               /* of the device's clock, ns << 32 */
    int (*read_clock)(uint16_t id, uint64_t *ticks);    /* rte_eth_read_clock, but in tests */
    struct dpdk_queue queue[LANES_MAX];
};

/* How a device is made: its name on its bus, its arguments, and the buffers it wants. */
struct recipe {
    const char *bus;                /* "vdev" or "pci" */
    int domain;                     /* of the kernel's sockets under it, 0 = none */
    bool patient;                   /* -EINVAL may mean "not yet": try again for a while */
    bool sets_mtu;                  /* the device is ours: its MTU is set, else only looked at */
    uint32_t buffers;               /* per queue */
    uint32_t buffer_bytes;
    char device[RTE_DEV_NAME_MAX_LEN];
    char arguments[DPDK_ARGUMENTS_BYTES];
};

/* setup: starts DPDK where it is not running yet, then makes, fills and starts the device. */
int dpdk_open(struct port *port, const struct port_config *config, const struct recipe *recipe);

/* setup: the same over an interface of the kernel: checks it, lets `compose` fill in the recipe, opens. */
typedef int dpdk_compose(struct port *port, const struct port_config *config, struct recipe *recipe);
int dpdk_open_interface(struct port *port, const struct port_config *config, dpdk_compose *compose);

/* The rest of a driver's table, as port.h says. */
int dpdk_attach(struct port *port, uint32_t queue);
uint32_t dpdk_receive(struct port *port, uint32_t queue, struct port_frame *frame, uint32_t count);
bool dpdk_clock(const struct port *port, int64_t *clock_ns);
bool dpdk_leaves(const struct port *port, uint32_t queue);
uint32_t dpdk_send(struct port *port, uint32_t queue, const struct port_frame *frame, uint32_t count);
void dpdk_statistics(struct port *port, struct port_statistics *statistics);
int dpdk_link(struct port *port);
void dpdk_close(struct port *port);

/* setup, before the device is configured: the offload that makes it stamp frames, 0 where it has none or none
 * is wanted. Behind the start: finds out how its clock runs, and whether frames will have stamps at all. */
uint64_t dpdk_stamps_offload(struct port *port, const struct port_config *config,
                             const struct rte_eth_dev_info *info);
void dpdk_stamps_start(struct port *port, const struct port_config *config);

/* rt: the frame's stamp, where the device gave it one. */
void dpdk_stamp(const struct dpdk *dpdk, const struct rte_mbuf *mbuf, struct port_frame *frame);

/* What stands alike in the table of every driver on DPDK. */
#define DPDK_DRIVER \
    .kind = PORT_FRAMES, \
    .state_bytes = sizeof(struct dpdk), \
    .attach = dpdk_attach, \
    .receive = dpdk_receive, \
    .leaves = dpdk_leaves, \
    .clock = dpdk_clock, \
    .send = dpdk_send, \
    .statistics = dpdk_statistics, \
    .link = dpdk_link, \
    .close = dpdk_close

#endif
