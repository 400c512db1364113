/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Receive stamps of DPDK devices, in a field of the buffer that is registered at run time. A card's are ticks
 * of its clock, which a program may read without the kernel; how fast it ticks nobody says, so it is
 * measured. A packet socket's are CLOCK_REALTIME in ns: the driver of DPDK 22.11 hands none on, and does not
 * say that it would.
 */
#define ALLOW_EXPERIMENTAL_API          /* rte_eth_read_clock, the same since it came with 19.08 */
#include <time.h>

#include "port/dpdk.h"

enum { MEASURE_NS = 20000000, MEASURES = 10, APART_PART = 1000 };
/* Clocks of cards tick at 1 MHz to 4 GHz. */
#define TICK_LEAST_Q32 (UINT64_C(1) << 30)
#define TICK_MOST_Q32 (UINT64_C(1000) << 32)

__extension__ typedef unsigned __int128 wide;

static uint8_t kind_of(const struct dpdk *dpdk)
{
    return dpdk->interface[0] ? STAMPS_KERNEL : STAMPS_CARD;
}

uint64_t dpdk_stamps_offload(struct port *port, const struct port_config *config,
                             const struct rte_eth_dev_info *info)
{
    struct dpdk *dpdk = port->state;
    dpdk->stamp_flag = 0;
    if (config->stamps != kind_of(dpdk) || !(info->rx_offload_capa & RTE_ETH_RX_OFFLOAD_TIMESTAMP) ||
        rte_mbuf_dyn_rx_timestamp_register(&dpdk->stamp_at, &dpdk->stamp_flag))
        return 0;
    return RTE_ETH_RX_OFFLOAD_TIMESTAMP;
}

static int64_t monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* ns << 32 a tick, over MEASURE_NS; 0: it cannot be read, or does not run. */
static uint64_t measure(const struct dpdk *dpdk)
{
    uint64_t first, last;
    if (dpdk->read_clock(dpdk->id, &first))
        return 0;
    int64_t from_ns = monotonic_ns();
    nanosleep(&(struct timespec){.tv_nsec = MEASURE_NS}, NULL);
    if (dpdk->read_clock(dpdk->id, &last))
        return 0;
    wide ns = (wide)(uint64_t)(monotonic_ns() - from_ns) << 32;
    wide tick = last > first ? ns / (last - first) : 0;
    return tick >= TICK_LEAST_Q32 && tick <= TICK_MOST_Q32 ? (uint64_t)tick : 0;
}

/* This thread may lose its core in the middle of a measure: two in a row have to agree. */
static uint64_t tick_of(const struct dpdk *dpdk)
{
    uint64_t before = measure(dpdk);
    for (int i = 0; i < MEASURES && before; i++) {
        uint64_t tick = measure(dpdk), apart = tick > before ? tick - before : before - tick;
        if (apart <= before / APART_PART)
            return tick;
        before = tick;
    }
    return 0;
}

void dpdk_stamps_start(struct port *port, const struct port_config *config)
{
    struct dpdk *dpdk = port->state;
    if (!dpdk->stamp_flag)
        return;
    if (!dpdk->read_clock)
        dpdk->read_clock = rte_eth_read_clock;
    dpdk->tick_ns_q32 = kind_of(dpdk) == STAMPS_KERNEL ? UINT64_C(1) << 32 : tick_of(dpdk);
    if (dpdk->tick_ns_q32)
        port->stamps = config->stamps;
    else
        dpdk->stamp_flag = 0;
}

/* Times of the next 18 years as ns since 1970, and whatever a clock says that began at 0. */
static bool to_ns(const struct dpdk *dpdk, uint64_t ticks, int64_t *ns)
{
    wide all = (wide)ticks * dpdk->tick_ns_q32 >> 32;
    *ns = (int64_t)all;
    return all < INT64_MAX / 4;
}

bool dpdk_clock(const struct port *port, int64_t *clock_ns)
{
    const struct dpdk *dpdk = port->state;
    uint64_t ticks;
    return !dpdk->read_clock(dpdk->id, &ticks) && to_ns(dpdk, ticks, clock_ns);
}

void dpdk_stamp(const struct dpdk *dpdk, const struct rte_mbuf *mbuf, struct port_frame *frame)
{
    if (!(mbuf->ol_flags & dpdk->stamp_flag))
        return;
    uint64_t ticks = *RTE_MBUF_DYNFIELD(mbuf, dpdk->stamp_at, const rte_mbuf_timestamp_t *);
    if (to_ns(dpdk, ticks, &frame->stamp_ns))
        frame->flags |= FRAME_STAMPED;
}
