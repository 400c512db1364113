/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's own UDP sockets through io_uring, for machines where DPDK cannot run and for users who are not
 * root. One ring and one socket a queue. A received datagram gets headers in front, so that it looks like any
 * port's frame: its IPv4 addresses and UDP ports are true, the MAC addresses are made from the IPv4 ones, and
 * the kernel has checked the checksums. What is sent goes where its IPv4 header says.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "port/kernel_sockets.h"
#include "port/udp_socket.h"
#include "port/uring_queue.h"

struct uring {
    uint32_t queues;
    struct udp_sockets sockets;
    struct uring_queue queue[LANES_MAX];
};

static void uring_close(struct port *port)
{
    struct uring *uring = port->state;
    for (uint32_t i = 0; i < uring->queues; i++)
        uring_queue_close(&uring->queue[i]);
    udp_sockets_close(&uring->sockets);
}

static int fail(struct port *port, int rc, const struct port_config *config)
{
    return port_fail(port, rc, "uring on %s: no ring (%s)%s", config->interface, strerror(-rc),
                     rc == -EPERM    ? "; see sysctl kernel.io_uring_disabled"
                     : rc == -EINVAL ? "; Linux 6.1 or newer is needed"
                                     : "");
}

static void tell_room(struct port *port, const struct port_config *config)
{
    const struct uring *uring = port->state;
    if (uring->sockets.room_frames < config->ring_frames)
        snprintf(
            port->note, sizeof port->note,
            "uring on %s: the kernel grants room for %u frames of full size, ring %u was asked for; run as "
            "root or raise sysctl net.core.rmem_max",
            config->interface, uring->sockets.room_frames, config->ring_frames);
}

static int uring_open(struct port *port, const struct port_config *config)
{
    struct uring *uring = port->state;
    if (config->vlan)
        return port_fail(port, -EINVAL,
                         "uring on %s: tags are the kernel's business: leave vlan out and name a VLAN "
                         "interface (ip link add link %s type vlan id %u)",
                         config->interface, config->interface, config->vlan);
    int rc = kernel_interface_check(port, config);
    if (!rc)
        rc = udp_sockets_open(&uring->sockets, port, config);
    if (rc)
        return rc;
    uring->queues = config->queues;
    /* A card's clock is the kernel's to read: each reading would be a system call. */
    if (config->stamps == STAMPS_KERNEL && udp_sockets_stamp(&uring->sockets))
        port->stamps = STAMPS_KERNEL;
    struct endpoint own = {.ipv4 = config->ipv4, .port = config->udp};
    port_made_mac(own.mac, config->ipv4);
    memcpy(port->mac, own.mac, sizeof port->mac);
    for (uint32_t i = 0; i < config->queues && !rc; i++)
        rc = uring_queue_open(&uring->queue[i], uring->sockets.fd[i], &own, config->mtu,
                              port->stamps);
    if (rc) {
        uring_close(port);
        return fail(port, rc, config);
    }
    tell_room(port, config);
    return 0;
}

static int uring_attach(struct port *port, uint32_t queue)
{
    struct uring *uring = port->state;
    return queue < uring->queues ? uring_queue_attach(&uring->queue[queue]) : -EINVAL;
}

static uint32_t uring_receive(struct port *port, uint32_t queue, struct port_frame *frame, uint32_t count)
{
    struct uring *uring = port->state;
    return uring_queue_receive(&uring->queue[queue], frame, count);
}

static bool uring_leaves(const struct port *port, uint32_t queue)
{
    const struct uring *uring = port->state;
    return uring_queue_leaves(&uring->queue[queue]);
}

static uint32_t uring_send(struct port *port, uint32_t queue, const struct port_frame *frame, uint32_t count)
{
    struct uring *uring = port->state;
    struct uring_queue *q = &uring->queue[queue];
    uint32_t fitting = port_fitting(port, frame, count), sent = 0;
    while (sent < fitting) {
        uint32_t part = fitting - sent < BURST_MAX ? fitting - sent : BURST_MAX;
        uint32_t taken = uring_queue_send(q, frame + sent, part);
        sent += taken;
        if (taken < part)
            break;
    }
    counter_add(&q->counters.refused, count - sent);
    return sent;
}

static void uring_statistics(struct port *port, struct port_statistics *statistics)
{
    struct uring *uring = port->state;
    for (uint32_t i = 0; i < uring->queues; i++) {
        port_counters_sum(&uring->queue[i].counters, statistics);
        statistics->send_errors += atomic_load_explicit(&uring->queue[i].send_errors, memory_order_relaxed);
    }
    statistics->lost += udp_sockets_lost(&uring->sockets);
    statistics->room_frames = uring->sockets.room_frames;
}

static int uring_link(struct port *port)
{
    const struct uring *uring = port->state;
    return kernel_interface_link(uring->sockets.interface);
}

const struct port_driver port_uring = {
    .name = "uring",
    .summary = "the kernel's UDP sockets through io_uring: no DPDK, no root; the kernel owns the address",
    .kind = PORT_DATAGRAMS,
    .state_bytes = sizeof(struct uring),
    .open = uring_open,
    .attach = uring_attach,
    .receive = uring_receive,
    .leaves = uring_leaves,
    .send = uring_send,
    .statistics = uring_statistics,
    .link = uring_link,
    .close = uring_close,
    .ring_bytes = udp_sockets_room_bytes,
};
