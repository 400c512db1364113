/* SPDX-License-Identifier: Apache-2.0 */
/* What every port does with frames: all sizes, bursts, order, counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>

#include "port_bench.h"

static void frames_of_every_size_come_in_whole(void **state)
{
    receive_all_sizes(*state);
}

static void frames_of_every_size_go_out_whole(void **state)
{
    struct bench *bench = *state;
    uint32_t length[SIZES];
    frame_sizes(bench, length);
    for (uint32_t i = 0; i < SIZES; i++) {
        uint8_t sent[FRAME_ROOM], came[FRAME_ROOM];
        make_frame(bench, FROM_PORT, sent, length[i], i);
        assert_int_equal(
            port_send(&bench->port, 0, &(struct port_frame){.data = sent, .length = length[i]}, 1), 1);
        uint32_t came_bytes = far_end_receive(&bench->far, came, sizeof came);
        assert_frame(bench, FROM_PORT, came, came_bytes, length[i], i);
    }
}

static void a_burst_and_more_than_a_burst_go_out_in_order(void **state)
{
    send_numbered(*state, BURST_MAX, 200);
    send_numbered(*state, 3 * BURST_MAX + 5, 333);
}

static void a_burst_comes_in_in_order_and_stays_valid(void **state)
{
    struct bench *bench = *state;
    uint8_t sent[FRAME_ROOM];
    for (uint32_t i = 0; i < BURST_MAX; i++)
        assert_true(far_end_send(&bench->far, sent, make_frame(bench, TO_PORT, sent, 300, i)));
    for (uint32_t came = 0; came < BURST_MAX;) {
        struct port_frame frame[BURST_MAX];
        uint32_t got = receive_some(bench, frame, 2000);
        assert_int_not_equal(got, 0);
        /* Traffic behind the burst, and sending, must not touch what we hold. */
        assert_true(far_end_send(&bench->far, sent, make_frame(bench, TO_PORT, sent, 60, 99)));
        uint8_t answer[300];
        make_frame(bench, FROM_PORT, answer, sizeof answer, 7);
        assert_int_equal(
            port_send(&bench->port, 0, &(struct port_frame){.data = answer, .length = sizeof answer}, 1), 1);
        for (uint32_t i = 0; i < got && came < BURST_MAX; i++, came++)
            assert_frame(bench, TO_PORT, frame[i].data, frame[i].length, 300, came);
    }
}

static void a_frame_that_does_not_fit_is_refused_and_counted(void **state)
{
    struct bench *bench = *state;
    uint8_t frame[FRAME_ROOM], came[FRAME_ROOM], longer[FRAME_ROOM];
    uint32_t longest = bench->config.mtu + ETHERNET;
    make_frame(bench, FROM_PORT, frame, 100, 1);
    make_frame(bench, FROM_PORT, longer, longest + 1, 1);
    const struct port_frame burst[3] = {{.data = frame, .length = 100},
                                        {.data = longer, .length = longest + 1},
                                        {.data = frame, .length = 100}};
    assert_int_equal(port_send(&bench->port, 0, burst, 3), 1);
    assert_int_equal(port_send(&bench->port, 0, burst + 1, 1), 0);
    assert_int_equal(port_send(&bench->port, 0, &(struct port_frame){.data = frame, .length = 13}, 1), 0);
    assert_int_equal(far_end_receive(&bench->far, came, sizeof came), 100);
    struct port_statistics statistics;
    port_statistics(&bench->port, &statistics);
    assert_int_equal(statistics.sent, 1);
    assert_int_equal(statistics.refused, 2 + 1 + 1);
}

/* A port for datagrams sends what its own address and UDP port send, as udp_build makes it. */
static void what_is_no_datagram_of_ours_is_refused_where_datagrams_are_carried(void **state)
{
    struct bench *bench = *state;
    if (!far_end_carries_datagrams(&bench->far))
        skip();
    static const struct { uint32_t at; uint8_t flip; } spoilt[] = {
        {12, 0x80},     /* not IPv4 */
        {14, 0x01},     /* options in the header */
        {23, 0x01},     /* not UDP */
        {35, 0x01},     /* from another port */
        {38, 0x40},     /* longer than the frame */
    };
    uint32_t count = sizeof spoilt / sizeof spoilt[0];
    for (uint32_t i = 0; i < count; i++) {
        uint8_t frame[100];
        make_frame(bench, FROM_PORT, frame, sizeof frame, i);
        frame[spoilt[i].at] ^= spoilt[i].flip;
        assert_int_equal(
            port_send(&bench->port, 0, &(struct port_frame){.data = frame, .length = sizeof frame}, 1), 0);
    }
    struct port_statistics statistics;
    port_statistics(&bench->port, &statistics);
    assert_int_equal(statistics.refused, count);
    send_numbered(bench, 3, 100);
}

/* The kernel hands the sender's ring pages on; whoever lets frames wait must not see later ones in them. */
static void frames_that_wait_at_the_far_end_are_not_overwritten(void **state)
{
    struct bench *bench = *state;
    if (bench->far.kind == FAR_LINK)
        skip();
    /* a far end that is not root has room for 166 of the kernel's least, and these are not larger */
    send_numbered(bench, bench->user ? 150 : 3 * RING_FRAMES, 100);
}

static void statistics_count_frames_and_bytes(void **state)
{
    struct bench *bench = *state;
    uint8_t frame[FRAME_ROOM];
    struct port_frame burst[BURST_MAX];
    for (uint32_t i = 0; i < 5; i++) {
        assert_true(far_end_send(&bench->far, frame, make_frame(bench, TO_PORT, frame, 500, i)));
        assert_int_equal(receive_some(bench, burst, 2000), 1);
    }
    send_numbered(bench, 3, 700);
    struct port_statistics statistics;
    port_statistics(&bench->port, &statistics);
    assert_int_equal(statistics.received, 5);
    assert_int_equal(statistics.received_bytes, 5 * 500);
    assert_int_equal(statistics.sent, 3);
    assert_int_equal(statistics.sent_bytes, 3 * 700);
    assert_int_equal(statistics.lost + statistics.refused, 0);
    assert_int_equal(statistics.receive_errors + statistics.send_errors, 0);
}

static void what_a_full_ring_drops_is_counted_exactly(void **state)
{
    struct bench *bench = *state;
    uint32_t sent = 0, received = 0, offered = 6 * RING_FRAMES;
    uint8_t frame[FRAME_ROOM];
    /* a socket's room is bytes, and its frames are of full size */
    uint32_t length = far_end_carries_datagrams(&bench->far) ? bench->config.mtu + ETHERNET : 100;
    for (uint32_t i = 0; i < offered; i++) {
        sent += far_end_send(&bench->far, frame, make_frame(bench, TO_PORT, frame, length, i));
        if (i % 64 == 63)
            usleep(100);        /* or the kernel's own backlog between the two ends fills first */
    }
    struct port_frame burst[BURST_MAX];
    for (uint32_t got; (got = receive_some(bench, burst, 100)) != 0;)
        received += got;
    struct port_statistics statistics;
    port_statistics(&bench->port, &statistics);
    print_message("%u sent, %u received, %llu lost\n", sent, received, (unsigned long long)statistics.lost);
    assert_int_equal(received + statistics.lost, sent);
    bool less = statistics.room_frames && statistics.room_frames < RING_FRAMES;
    assert_in_range(received, less ? statistics.room_frames : RING_FRAMES, offered - 1);
    port_statistics(&bench->port, &statistics);
    assert_int_equal(received + statistics.lost, sent);     /* asking does not change the answer */
}

#define CHECK(test) cmocka_unit_test_setup_teardown(test, open_both, close_both)

int check_traffic(struct bench *bench)
{
    struct CMUnitTest tests[] = {
        CHECK(frames_of_every_size_come_in_whole),
        CHECK(frames_of_every_size_go_out_whole),
        CHECK(a_burst_and_more_than_a_burst_go_out_in_order),
        CHECK(a_burst_comes_in_in_order_and_stays_valid),
        CHECK(a_frame_that_does_not_fit_is_refused_and_counted),
        CHECK(what_is_no_datagram_of_ours_is_refused_where_datagrams_are_carried),
        CHECK(frames_that_wait_at_the_far_end_are_not_overwritten),
        CHECK(statistics_count_frames_and_bytes),
        CHECK(what_a_full_ring_drops_is_counted_exactly),
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++)
        tests[i].initial_state = bench;
    return cmocka_run_group_tests_name("traffic", tests, NULL, NULL);
}
