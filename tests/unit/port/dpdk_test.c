/* SPDX-License-Identifier: Apache-2.0 */
/* A device that gives what it is told to, in the place of one of DPDK's: no environment is started. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(frames_longer_than_a_buffer_are_counted_and_the_others_come, make_bed),
        cmocka_unit_test_setup(a_full_burst_with_a_long_frame_in_it_is_not_the_end, make_bed),
        cmocka_unit_test_setup(the_end_is_known_of_a_queue_that_was_empty_from_the_first, make_bed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
