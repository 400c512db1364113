/* SPDX-License-Identifier: Apache-2.0 */
/* Every DPDK device, whatever made it: buffers, queues, bursts. */
#include "port/dpdk.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_dev.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#undef NS_PER_S                     /* DPDK's is a plain int; msg/limits.h has ours */

#include "port/eal.h"
#include "port/kernel_sockets.h"

enum {
    CACHED_BUFFERS = 64,            /* per thread */
    RETRIES = 100,
    PATIENCE_US = 20000,
};

static int fail(struct port *port, int rc, const struct port_config *config, const char *what)
{
    char words[96];
    eal_first_error(words, sizeof words);
    return port_fail(port, rc, "%s on %s: %s (%s) %s%s", config->driver, config->interface, what,
                     strerror(-rc), words,
                     geteuid() ? "; an ordinary user may not: run it as root, or take driver uring" : "");
}

static int make_device(struct port *port, const struct port_config *config, const struct recipe *recipe)
{
    struct dpdk *dpdk = port->state;
    snprintf(dpdk->bus, sizeof dpdk->bus, "%s", recipe->bus);
    snprintf(dpdk->device, sizeof dpdk->device, "%s", recipe->device);
    if (!rte_eth_dev_get_port_by_name(dpdk->device, &dpdk->id)) {
        dpdk->device[0] = '\0';
        return port_fail(port, -EBUSY, "%s on %s: this process has it open already", config->driver,
                         config->interface);
    }
    int rc = rte_eal_hotplug_add(dpdk->bus, dpdk->device, recipe->arguments);
    if (rc) {
        dpdk->device[0] = '\0';
        return fail(port, rc < -1 ? rc : -EIO, config, "no device");
    }
    return rte_eth_dev_get_port_by_name(dpdk->device, &dpdk->id)
               ? fail(port, -ENODEV, config, "device without a port")
               : 0;
}

static int make_pool(struct dpdk *dpdk, const struct recipe *recipe)
{
    char name[RTE_MEMPOOL_NAMESIZE];
    snprintf(name, sizeof name, "flyball-%u", dpdk->id);
    uint32_t room = (RTE_PKTMBUF_HEADROOM + recipe->buffer_bytes + 63) / 64 * 64;
    dpdk->pool = rte_pktmbuf_pool_create(name, recipe->buffers * dpdk->queues - 1, CACHED_BUFFERS, 0,
                                         (uint16_t)room, SOCKET_ID_ANY);
    return dpdk->pool ? 0 : -rte_errno;
}

static int set_up_queues(struct dpdk *dpdk, uint32_t ring_frames)
{
    uint16_t receive = (uint16_t)(ring_frames < 32768 ? ring_frames : 32768), send = receive;
    int rc = rte_eth_dev_adjust_nb_rx_tx_desc(dpdk->id, &receive, &send);
    for (uint16_t q = 0; q < dpdk->queues && !rc; q++) {
        rc = rte_eth_rx_queue_setup(dpdk->id, q, receive, SOCKET_ID_ANY, NULL, dpdk->pool);
        if (!rc)
            rc = rte_eth_tx_queue_setup(dpdk->id, q, send, SOCKET_ID_ANY, NULL);
    }
    return rc;
}

/* What a device may do for us where it offers that. Checksums to send are left to it only where it makes
 * both. */
#define RECEIVE_OFFLOADS \
    (RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM | RTE_ETH_RX_OFFLOAD_VLAN_STRIP)
#define SEND_OFFLOADS (RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM)

static bool fills_sums(const struct rte_eth_dev_info *info)
{
    return (info->tx_offload_capa & SEND_OFFLOADS) == SEND_OFFLOADS;
}

/* The MTU of the kernel's interfaces is not told to DPDK: those drivers take it as an order to change the
 * interface's, or claim to know 1500 only. */
static int start_device(struct port *port, const struct port_config *config, const struct recipe *recipe)
{
    struct dpdk *dpdk = port->state;
    struct rte_eth_dev_info info = {0};
    int rc = rte_eth_dev_info_get(dpdk->id, &info);
    if (!rc && info.max_mtu < config->mtu)
        return port_fail(port, -EMSGSIZE, "%s on %s: it carries MTU %u at most", config->driver,
                         config->interface, info.max_mtu);
    const struct rte_eth_conf conf = {
        .rxmode = {.offloads = (info.rx_offload_capa & RECEIVE_OFFLOADS) |
                               dpdk_stamps_offload(port, config, &info)},
        .txmode = {.offloads = fills_sums(&info) ? SEND_OFFLOADS : 0},
    };
    port->offloads = fills_sums(&info) ? PORT_FILLS_SUMS : 0;
    if (!rc)
        rc = rte_eth_dev_configure(dpdk->id, (uint16_t)dpdk->queues, (uint16_t)dpdk->queues, &conf);
    if (!rc && recipe->sets_mtu)
        rc = rte_eth_dev_set_mtu(dpdk->id, (uint16_t)config->mtu);
    if (!rc)
        rc = set_up_queues(dpdk, config->ring_frames);
    if (!rc)
        rc = rte_eth_dev_start(dpdk->id);
    if (rc)
        return fail(port, rc, config, "the device does not start");
    dpdk->started = true;
    dpdk_stamps_start(port, config);
    struct rte_ether_addr mac;
    rc = rte_eth_macaddr_get(dpdk->id, &mac);
    memcpy(port->mac, mac.addr_bytes, sizeof port->mac);
    return rc ? fail(port, rc, config, "no MAC address") : 0;
}

void dpdk_close(struct port *port)
{
    struct dpdk *dpdk = port->state;
    for (uint32_t q = 0; q < dpdk->queues; q++)
        rte_pktmbuf_free_bulk(dpdk->queue[q].held, dpdk->queue[q].held_count);
    if (dpdk->started)
        (void)rte_eth_dev_stop(dpdk->id);
    if (dpdk->device[0]) {
        (void)rte_eth_dev_close(dpdk->id);
        (void)rte_eal_hotplug_remove(dpdk->bus, dpdk->device);
    }
    if (dpdk->hears_groups)
        close(dpdk->groups);
    dpdk->hears_groups = false;
    kernel_sockets_close_left(&dpdk->sockets);
    rte_mempool_free(dpdk->pool);
    dpdk->started = false;
    dpdk->device[0] = '\0';
    dpdk->pool = NULL;
}

/* The driver's packet socket hears every interface of the machine until the driver binds it to ours. What
 * came in by then is thrown away here, with its count: a port hears its own interface and nothing else. */
static void discard_arrivals(struct dpdk *dpdk, uint32_t at_most)
{
    struct rte_mbuf *burst[BURST_MAX];
    for (uint16_t q = 0; q < dpdk->queues; q++) {
        uint32_t left = at_most, got;
        while (left && (got = rte_eth_rx_burst(dpdk->id, q, burst, BURST_MAX)) != 0) {
            rte_pktmbuf_free_bulk(burst, got);
            left -= got < left ? got : left;
        }
    }
    if (dpdk->sockets.domain)
        kernel_sockets_forget(&dpdk->sockets);
}

/* Sampled values go to groups, which a device passes on only where somebody asks for them. */
static void hear_groups(struct port *port, const struct port_config *config, const struct recipe *recipe)
{
    struct dpdk *dpdk = port->state;
    int rc = recipe->domain ? kernel_hear_groups(config->interface) : rte_eth_allmulticast_enable(dpdk->id);
    dpdk->hears_groups = recipe->domain && rc >= 0;
    dpdk->groups = rc;
    if (rc < 0)
        snprintf(port->note, sizeof port->note, "%s: frames to groups (sampled values) may not come in: %s",
                 config->interface, strerror(-rc));
}

static int open_once(struct port *port, const struct port_config *config, const struct recipe *recipe)
{
    struct dpdk *dpdk = port->state;
    if (recipe->domain)
        kernel_sockets_before(&dpdk->sockets, recipe->domain);
    int rc = make_device(port, config, recipe);
    if (rc)
        return rc;
    rc = make_pool(dpdk, recipe);
    rc = rc ? fail(port, rc, config, "no memory for buffers") : start_device(port, config, recipe);
    if (recipe->domain)
        kernel_sockets_after(&dpdk->sockets);
    if (rc)
        dpdk_close(port);
    else
        discard_arrivals(dpdk, 2 * config->ring_frames);
    if (!rc && config->groups)
        hear_groups(port, config, recipe);
    return rc;
}

/* The kernel takes an AF_XDP queue back in a work item some time after its socket was closed, and until then
 * refuses the next one; the driver makes -EINVAL of that. So a port that was closed, or a process that died,
 * a moment ago needs patience. */
int dpdk_open(struct port *port, const struct port_config *config, const struct recipe *recipe)
{
    struct dpdk *dpdk = port->state;
    int rc = eal_start(port, config, EAL_VIRTUAL);
    if (rc)
        return rc;
    dpdk->queues = config->queues;
    if (recipe->domain)
        snprintf(dpdk->interface, sizeof dpdk->interface, "%s", config->interface);
    rc = open_once(port, config, recipe);
    for (int retry = 0; rc == -EINVAL && recipe->patient && retry < RETRIES; retry++) {
        rte_delay_us_sleep(PATIENCE_US);
        rc = open_once(port, config, recipe);
    }
    return rc;
}

int dpdk_open_interface(struct port *port, const struct port_config *config, dpdk_compose *compose)
{
    struct recipe recipe = {0};
    int rc = kernel_interface_check(port, config);
    if (!rc)
        rc = compose(port, config, &recipe);
    return rc ? rc : dpdk_open(port, config, &recipe);
}

int dpdk_attach(struct port *port, uint32_t queue)
{
    const struct dpdk *dpdk = port->state;
    return queue < dpdk->queues ? eal_adopt_thread() : -EINVAL;
}

static uint16_t flags_of(const struct rte_mbuf *mbuf)
{
    uint64_t ip = mbuf->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK,
             l4 = mbuf->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK;
    uint16_t tagged = mbuf->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED ? FRAME_TAGGED : 0;
    if (ip == RTE_MBUF_F_RX_IP_CKSUM_BAD || l4 == RTE_MBUF_F_RX_L4_CKSUM_BAD)
        return tagged | FRAME_SUMS_BAD;
    bool good = ip == RTE_MBUF_F_RX_IP_CKSUM_GOOD && l4 == RTE_MBUF_F_RX_L4_CKSUM_GOOD;
    return tagged | (good ? FRAME_SUMS_GOOD : 0);
}

uint32_t dpdk_receive(struct port *port, uint32_t queue, struct port_frame *frame, uint32_t count)
{
    struct dpdk *dpdk = port->state;
    struct dpdk_queue *q = &dpdk->queue[queue];
    struct rte_mbuf *burst[BURST_MAX];
    rte_pktmbuf_free_bulk(q->held, q->held_count);
    q->held_count = 0;
    q->leaves = false;
    uint32_t arrived = rte_eth_rx_burst(dpdk->id, (uint16_t)queue, burst, (uint16_t)count);
    if (!arrived)
        return 0;
    uint64_t bytes = 0;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < arrived; i++) {
        if (burst[i]->nb_segs != 1) {       /* longer than a buffer: nothing of ours is */
            rte_pktmbuf_free(burst[i]);
            continue;
        }
        frame[kept] = (struct port_frame){.data = rte_pktmbuf_mtod(burst[i], uint8_t *),
                                          .length = burst[i]->data_len,
                                          .flags = flags_of(burst[i]),
                                          .vlan_tci = burst[i]->vlan_tci};
        dpdk_stamp(dpdk, burst[i], &frame[kept]);
        bytes += burst[i]->data_len;
        q->held[kept++] = burst[i];
    }
    q->held_count = kept;
    q->leaves = arrived == count;
    counter_add(&q->counters.received, kept);
    counter_add(&q->counters.received_bytes, bytes);
    counter_add(&q->counters.receive_errors, arrived - kept);
    return kept;
}

/* Whatever of a full burst was thrown away, behind it the device was not asked. */
bool dpdk_leaves(const struct port *port, uint32_t queue)
{
    const struct dpdk *dpdk = port->state;
    return dpdk->queue[queue].leaves;
}

/* Where the headers end, for a device that fills in the checksums behind them. */
static void leave_sums(struct rte_mbuf *mbuf)
{
    const uint8_t *frame = rte_pktmbuf_mtod(mbuf, const uint8_t *);
    bool tagged = frame[12] == 0x81 && frame[13] == 0x00;   /* IEEE 802.1Q */
    mbuf->l2_len = ETHERNET_HEADER_BYTES + (tagged ? DPDK_VLAN_BYTES : 0);
    mbuf->l3_len = (frame[mbuf->l2_len] & 15u) * 4;
    mbuf->ol_flags |= RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_UDP_CKSUM;
}

/* At most BURST_MAX frames, each known to fit. A frame the driver took may still fail: send_errors. */
static uint32_t send_burst(struct dpdk *dpdk, uint16_t queue, const struct port_frame *frame, uint32_t count)
{
    struct rte_mbuf *burst[BURST_MAX];
    if (rte_pktmbuf_alloc_bulk(dpdk->pool, burst, count))
        return 0;
    uint32_t left = 0, ready = count;
    for (uint32_t i = 0; i < count; i++) {
        memcpy(rte_pktmbuf_mtod(burst[i], void *), frame[i].data, frame[i].length);
        burst[i]->data_len = (uint16_t)frame[i].length;
        burst[i]->pkt_len = frame[i].length;
        if (frame[i].flags & FRAME_SUMS_LEFT) {
            leave_sums(burst[i]);
            left++;
        }
    }
    if (left)
        ready = rte_eth_tx_prepare(dpdk->id, queue, burst, (uint16_t)count);
    uint32_t taken = rte_eth_tx_burst(dpdk->id, queue, burst, (uint16_t)ready);
    rte_pktmbuf_free_bulk(burst + taken, count - taken);
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < taken; i++)
        bytes += frame[i].length;
    counter_add(&dpdk->queue[queue].counters.sent, taken);
    counter_add(&dpdk->queue[queue].counters.sent_bytes, bytes);
    return taken;
}

uint32_t dpdk_send(struct port *port, uint32_t queue, const struct port_frame *frame, uint32_t count)
{
    struct dpdk *dpdk = port->state;
    uint32_t fitting = port_fitting(port, frame, count), sent = 0;
    while (sent < fitting) {
        uint32_t part = fitting - sent < BURST_MAX ? fitting - sent : BURST_MAX;
        uint32_t taken = send_burst(dpdk, (uint16_t)queue, frame + sent, part);
        sent += taken;
        if (taken < part)
            break;
    }
    counter_add(&dpdk->queue[queue].counters.refused, count - sent);
    return sent;
}

void dpdk_statistics(struct port *port, struct port_statistics *statistics)
{
    struct dpdk *dpdk = port->state;
    struct rte_eth_stats stats = {0};
    for (uint32_t q = 0; q < dpdk->queues; q++)
        port_counters_sum(&dpdk->queue[q].counters, statistics);
    if (rte_eth_stats_get(dpdk->id, &stats))
        return;
    statistics->receive_errors += stats.ierrors;
    statistics->send_errors += stats.oerrors;
    /* The kernel's own figures where its sockets were found: the driver's `imissed` is a part of them, and a
     * frame for which there was no buffer just now stays in the kernel's ring. */
    statistics->lost +=
        dpdk->sockets.count ? kernel_sockets_lost(&dpdk->sockets) : stats.imissed + stats.rx_nombuf;
}

/* DPDK's drivers for the kernel's interfaces say "up" from start to stop, whatever becomes of the carrier. */
int dpdk_link(struct port *port)
{
    const struct dpdk *dpdk = port->state;
    if (dpdk->interface[0])
        return kernel_interface_link(dpdk->interface);
    struct rte_eth_link link = {0};
    int rc = rte_eth_link_get_nowait(dpdk->id, &link);
    return rc ? rc : link.link_status == RTE_ETH_LINK_UP;
}
