/* SPDX-License-Identifier: Apache-2.0 */
/* A device that gives what it is told to, in the place of one of DPDK's: no environment is started. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "port/dpdk.h"

enum { DEVICE = 3, QUEUE = 1, WAITING_MAX = 4 * BURST_MAX, FRAME_BYTES = 100, NEVER_FREED = 1000 };

struct device {
    struct rte_mbuf waiting[WAITING_MAX], more;
    uint8_t bytes[FRAME_BYTES];
    uint32_t count, at;
};

struct bed {
    struct device device;
    struct dpdk dpdk;
    struct port port;
    struct port_frame frame[BURST_MAX];
};

static uint16_t give(void *queue, struct rte_mbuf **burst, uint16_t count)
{
    struct device *device = queue;
    uint16_t given = 0;
    while (given < count && device->at < device->count)
        burst[given++] = &device->waiting[device->at++];
    return given;
}

/* Somebody else holds each buffer, too, so that none goes back to a pool. */
static struct rte_mbuf buffer_of(struct device *device)
{
    return (struct rte_mbuf){.buf_addr = device->bytes, .data_len = FRAME_BYTES, .pkt_len = FRAME_BYTES,
                             .nb_segs = 1, .refcnt = NEVER_FREED};
}

static int make_bed(void **state)
{
    static struct bed bed;
    bed = (struct bed){.dpdk = {.id = DEVICE, .queues = QUEUE + 1}};
    bed.port.state = &bed.dpdk;
    bed.device.more = buffer_of(&bed.device);
    static void *queues[QUEUE + 1], *no_calls[QUEUE + 1];
    queues[QUEUE] = &bed.device;
    rte_eth_fp_ops[DEVICE] = (struct rte_eth_fp_ops){
        .rx_pkt_burst = give, .rxq = {.data = queues, .clbk = no_calls}};
    *state = &bed;
    return 0;
}

/* `count` frames more in the device; those whose bit is set in `long_ones` are of two buffers. */
static void arrive(struct bed *bed, uint32_t count, uint32_t long_ones)
{
    struct device *device = &bed->device;
    assert_true(device->count + count <= WAITING_MAX);
    for (uint32_t i = 0; i < count; i++) {
        struct rte_mbuf *mbuf = &device->waiting[device->count++];
        *mbuf = buffer_of(device);
        if (i < 32 && long_ones >> i & 1) {
            mbuf->nb_segs = 2;
            mbuf->next = &device->more;
        }
    }
}

static uint32_t receive(struct bed *bed, uint32_t count)
{
    return dpdk_receive(&bed->port, QUEUE, bed->frame, count);
}

static uint64_t errors(struct bed *bed)
{
    return atomic_load(&bed->dpdk.queue[QUEUE].counters.receive_errors);
}

static void frames_longer_than_a_buffer_are_counted_and_the_others_come(void **state)
{
    struct bed *bed = *state;
    arrive(bed, 8, 0x12);
    assert_int_equal(receive(bed, BURST_MAX), 6);
    assert_int_equal(errors(bed), 2);
    assert_int_equal(bed->frame[5].length, FRAME_BYTES);
    assert_false(dpdk_leaves(&bed->port, QUEUE));       /* the device had no more */
    assert_int_equal(receive(bed, BURST_MAX), 0);
    assert_false(dpdk_leaves(&bed->port, QUEUE));
}

/* Behind a full burst the device was not asked, however few of its frames were kept. */
static void a_full_burst_with_a_long_frame_in_it_is_not_the_end(void **state)
{
    struct bed *bed = *state;
    arrive(bed, BURST_MAX, 1);
    arrive(bed, BURST_MAX, UINT32_MAX);
    arrive(bed, 5, 0);
    assert_int_equal(receive(bed, BURST_MAX), BURST_MAX - 1);
    assert_true(dpdk_leaves(&bed->port, QUEUE));
    assert_int_equal(receive(bed, BURST_MAX), 0);
    assert_true(dpdk_leaves(&bed->port, QUEUE));
    assert_int_equal(receive(bed, BURST_MAX), 5);
    assert_false(dpdk_leaves(&bed->port, QUEUE));
    assert_int_equal(errors(bed), 1 + BURST_MAX);
}

static void the_end_is_known_of_a_queue_that_was_empty_from_the_first(void **state)
{
    struct bed *bed = *state;
    const struct port_driver driver = {DPDK_DRIVER}, never = {.receive = dpdk_receive};
    bed->port.driver = &driver;
    arrive(bed, BURST_MAX, 1);
    assert_int_equal(port_receive(&bed->port, QUEUE, bed->frame, BURST_MAX), BURST_MAX - 1);
    assert_false(port_emptied(&bed->port, QUEUE));
    assert_int_equal(port_receive(&bed->port, QUEUE, bed->frame, BURST_MAX), 0);
    assert_true(port_emptied(&bed->port, QUEUE));
    bed->port.driver = &never;      /* a driver that never leaves any says nothing */
    bed->dpdk.queue[QUEUE].leaves = true;
    assert_true(port_emptied(&bed->port, QUEUE));
}

/* As a device would: its ticks in a field of the buffer, which others may use for what they like. */
static void put_stamp(struct bed *bed, uint32_t at, uint64_t ticks, uint64_t flags)
{
    struct rte_mbuf *mbuf = &bed->device.waiting[at];
    *RTE_MBUF_DYNFIELD(mbuf, bed->dpdk.stamp_at, uint64_t *) = ticks;
    mbuf->ol_flags |= flags;
}

static void a_cards_ticks_are_told_in_ns_where_it_says_that_it_stamped(void **state)
{
    struct bed *bed = *state;
    enum { FLAG = 1 << 23, OTHER = 1 << 22 };
    bed->dpdk.stamp_at = (offsetof(struct rte_mbuf, dynfield1) + 7) / 8 * 8;
    bed->dpdk.stamp_flag = FLAG;
    bed->dpdk.tick_ns_q32 = (UINT64_C(8) << 32) + (UINT64_C(1) << 31);      /* 8.5 ns */
    arrive(bed, 4, 0);
    put_stamp(bed, 0, 1000, FLAG);
    put_stamp(bed, 1, 1000, OTHER);
    put_stamp(bed, 2, UINT64_MAX, FLAG);
    put_stamp(bed, 3, UINT64_C(200000000000000000), FLAG);
    assert_int_equal(receive(bed, BURST_MAX), 4);
    assert_int_equal(bed->frame[0].flags, FRAME_STAMPED);
    assert_int_equal(bed->frame[0].stamp_ns, 8500);
    assert_int_equal(bed->frame[1].flags, 0);
    assert_int_equal(bed->frame[2].flags, 0);           /* no time */
    assert_int_equal(bed->frame[3].stamp_ns, INT64_C(1700000000000000000));
    bed->dpdk.stamp_flag = 0;
    arrive(bed, 1, 0);
    put_stamp(bed, 4, 1000, FLAG);
    assert_int_equal(receive(bed, BURST_MAX), 1);
    assert_int_equal(bed->frame[0].flags, 0);           /* not asked for */
}

/* 125 MHz of the machine's clock, as many cards have it; or what is scripted. */
static int read_clock(uint16_t id, uint64_t *ticks)
{
    struct timespec now;
    assert_int_equal(id, DEVICE);
    clock_gettime(CLOCK_MONOTONIC, &now);
    *ticks = ((uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec) / 8;
    return 0;
}

static int stand_still(uint16_t id, uint64_t *ticks)
{
    (void)id;
    *ticks = 7;
    return 0;
}

static int refuse(uint16_t id, uint64_t *ticks)
{
    (void)id, (void)ticks;
    return -ENOTSUP;
}

static void how_fast_a_cards_clock_ticks_is_measured(void **state)
{
    struct bed *bed = *state;
    const struct port_config config = {.driver = "pci", .interface = "0000:01:00.0", .stamps = STAMPS_CARD};
    int64_t first_ns, second_ns;
    bed->dpdk.stamp_flag = 1;
    bed->dpdk.read_clock = read_clock;
    dpdk_stamps_start(&bed->port, &config);
    assert_int_equal(bed->port.stamps, STAMPS_CARD);
    assert_in_range(bed->dpdk.tick_ns_q32 / 1000, (UINT64_C(7990) << 32) / 1000000,
                    (UINT64_C(8010) << 32) / 1000000);
    assert_true(dpdk_clock(&bed->port, &first_ns) && dpdk_clock(&bed->port, &second_ns));
    assert_true(first_ns > 0 && second_ns >= first_ns);
    bed->dpdk.read_clock = refuse;
    assert_false(dpdk_clock(&bed->port, &first_ns));
}

static void a_clock_that_stands_or_cannot_be_read_gives_no_stamps(void **state)
{
    struct bed *bed = *state;
    const struct port_config config = {.driver = "pci", .interface = "0000:01:00.0", .stamps = STAMPS_CARD};
    int (*const clocks[])(uint16_t, uint64_t *) = {stand_still, refuse};
    for (uint32_t i = 0; i < 2; i++) {
        bed->dpdk.stamp_flag = 1;
        bed->dpdk.read_clock = clocks[i];
        dpdk_stamps_start(&bed->port, &config);
        assert_int_equal(bed->port.stamps, STAMPS_OFF);
        assert_int_equal(bed->dpdk.stamp_flag, 0);
    }
}

/* A card's where there is a card, the kernel's where there is an interface of its, and only what is
 * offered. */
static void stamps_are_asked_for_where_they_are_wanted_and_offered(void **state)
{
    struct bed *bed = *state;
    const struct rte_eth_dev_info offers = {.rx_offload_capa = RTE_ETH_RX_OFFLOAD_TIMESTAMP}, none = {0};
    struct port_config config = {.driver = "pci", .interface = "0000:01:00.0"};
    assert_int_equal(dpdk_stamps_offload(&bed->port, &config, &offers), 0);
    config.stamps = STAMPS_KERNEL;
    assert_int_equal(dpdk_stamps_offload(&bed->port, &config, &offers), 0);
    config.stamps = STAMPS_CARD;
    assert_int_equal(dpdk_stamps_offload(&bed->port, &config, &none), 0);
    strcpy(bed->dpdk.interface, "eth0");
    assert_int_equal(dpdk_stamps_offload(&bed->port, &config, &offers), 0);
    dpdk_stamps_start(&bed->port, &config);
    assert_int_equal(bed->port.stamps, STAMPS_OFF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(frames_longer_than_a_buffer_are_counted_and_the_others_come, make_bed),
        cmocka_unit_test_setup(a_full_burst_with_a_long_frame_in_it_is_not_the_end, make_bed),
        cmocka_unit_test_setup(the_end_is_known_of_a_queue_that_was_empty_from_the_first, make_bed),
        cmocka_unit_test_setup(a_cards_ticks_are_told_in_ns_where_it_says_that_it_stamped, make_bed),
        cmocka_unit_test_setup(how_fast_a_cards_clock_ticks_is_measured, make_bed),
        cmocka_unit_test_setup(a_clock_that_stands_or_cannot_be_read_gives_no_stamps, make_bed),
        cmocka_unit_test_setup(stamps_are_asked_for_where_they_are_wanted_and_offered, make_bed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
