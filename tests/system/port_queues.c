/* SPDX-License-Identifier: Apache-2.0 */
/* Several receive queues, and a receiver that stands still for as long as this machine has been seen to. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "port_bench.h"

enum {
    QUEUES = LANES_MAX,
    FRAMES_EACH = 20,
    STOP_MS = 54,                   /* the longest standstill seen with a fair server */
    RATE = 125000,                  /* frames a second */
    STOP_FRAMES = RATE / 1000 * STOP_MS,
    DEEP_RING = 32768,              /* the site file's default */
    XDP_FRAMES = 2048,              /* an af_xdp queue holds no more, whatever is asked for */
};

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

struct seen {
    uint32_t next[FLOWS_MAX];       /* the number that is due in each flow */
    int queue[FLOWS_MAX];           /* where the flow comes in; -1: not yet seen */
    uint32_t frames;
};

static void take_burst(struct bench *bench, uint32_t queue, struct seen *seen)
{
    struct port_frame frame[BURST_MAX];
    uint32_t got = port_receive(&bench->port, queue, frame, BURST_MAX);
    for (uint32_t i = 0; i < got; i++) {
        uint32_t flow, number;
        if (!far_end_read_flow(&frame[i], &flow, &number))
            continue;
        if (seen->queue[flow] < 0)
            seen->queue[flow] = (int)queue;
        assert_int_equal(seen->queue[flow], queue);
        assert_int_equal(number, seen->next[flow]);
        seen->next[flow]++;
        seen->frames++;
    }
}

/* Every flow on one queue and in order, all frames once, more than one queue at work. */
static void flows_keep_to_their_queues(void **state)
{
    struct bench *bench = *state;
    struct seen seen = {.frames = 0};
    uint32_t used = 0, offered = FLOWS_MAX * FRAMES_EACH;
    memset(seen.queue, 0xFF, sizeof seen.queue);
    int64_t end_ns = now_ns() + 3 * NS_PER_S;
    for (uint32_t number = 0; number < FRAMES_EACH; number++) {
        for (uint32_t flow = 0; flow < FLOWS_MAX; flow++)
            assert_true(far_end_send_flow(&bench->far, &bench->port, flow, number));
        for (uint32_t queue = 0; queue < QUEUES; queue++)
            take_burst(bench, queue, &seen);
    }
    while (seen.frames < offered && now_ns() < end_ns)
        for (uint32_t queue = 0; queue < QUEUES; queue++)
            take_burst(bench, queue, &seen);
    assert_int_equal(seen.frames, offered);
    for (uint32_t queue = 0, flow; queue < QUEUES; queue++) {
        for (flow = 0; flow < FLOWS_MAX && seen.queue[flow] != (int)queue; flow++)
            ;
        used += flow < FLOWS_MAX;
    }
    print_message("%d flows on %u of %d queues\n", FLOWS_MAX, used, QUEUES);
    assert_in_range(used, 2, QUEUES);
}

static void every_queue_sends(void **state)
{
    struct bench *bench = *state;
    if (bench->far.kind == FAR_LINK)
        skip();                     /* its far end reads queue 0 alone */
    for (uint32_t queue = 0; queue < QUEUES; queue++) {
        uint8_t frame[200], came[FRAME_ROOM];
        make_frame(bench, FROM_PORT, frame, sizeof frame, queue);
        struct port_frame one = {.data = frame, .length = sizeof frame};
        assert_int_equal(port_send(&bench->port, queue, &one, 1), 1);
        uint32_t length = far_end_receive(&bench->far, came, sizeof came);
        assert_frame(bench, FROM_PORT, came, length, sizeof frame, queue);
    }
    struct port_statistics statistics;
    port_statistics(&bench->port, &statistics);
    assert_int_equal(statistics.sent, QUEUES);
}

static void more_queues_than_the_interface_has_are_refused(void **state)
{
    const struct bench *bench = *state;
    struct port port;
    struct port_config config = bench->config;
    config.queues = QUEUES;
    assert_int_equal(port_open(&port, &config), -EINVAL);
    assert_non_null(strstr(port.error, config.interface));
    assert_non_null(strstr(port.error, "1 combined channel"));
}

/* Frames at RATE while nobody receives. Returns how many left, and how long that took. */
static uint32_t send_paced(struct bench *bench, uint32_t count, double *ms)
{
    uint8_t frame[FRAME_ROOM];
    uint32_t sent = 0;
    int64_t start_ns = now_ns();
    for (uint32_t i = 0; i < count; i++) {
        uint32_t length = make_frame(bench, TO_PORT, frame, 300, i);
        while (now_ns() - start_ns < i * NS_PER_S / RATE)
            ;
        sent += far_end_send(&bench->far, frame, length);
    }
    *ms = (double)(now_ns() - start_ns) / 1e6;
    return sent;
}

/* The frames that came, each whole; with none missing also in order. */
static uint32_t take_all(struct bench *bench, bool whole_run)
{
    struct port_frame burst[BURST_MAX];
    uint32_t received = 0;
    for (uint32_t got; (got = receive_some(bench, burst, 200)) != 0;)
        for (uint32_t i = 0; i < got; i++, received++)
            if (whole_run)
                assert_frame(bench, TO_PORT, burst[i].data, burst[i].length, 300, received);
    return received;
}

static void a_receiver_that_stops_for_54_ms_loses_nothing(void **state)
{
    struct bench *bench = *state;
    struct port_statistics statistics;
    bool xdp = !strcmp(bench->config.driver, "af_xdp");
    double ms;
    uint32_t sent = send_paced(bench, STOP_FRAMES, &ms);
    uint32_t received = take_all(bench, !xdp && !bench->user);
    port_statistics(&bench->port, &statistics);
    print_message("%s: stopped for %.1f ms, %u frames sent, %u received, %llu lost\n", bench->config.driver,
                  ms, sent, received, (unsigned long long)statistics.lost);
    assert_int_equal(sent, STOP_FRAMES);
    assert_true(ms > STOP_MS - 1);
    assert_int_equal(received + statistics.lost, sent);
    if (xdp)
        assert_in_range(received, XDP_FRAMES, sent);
    else if (bench->user)
        assert_in_range(received, statistics.room_frames < sent ? statistics.room_frames : sent, sent);
    else
        assert_int_equal(received, sent);
}

#define CHECK(test) cmocka_unit_test_setup_teardown(test, open_both, close_both)

static int run(struct bench *bench, const char *name, struct CMUnitTest *tests, size_t count)
{
    for (size_t i = 0; i < count; i++)
        tests[i].initial_state = bench;
    return _cmocka_run_group_tests(name, tests, count, NULL, NULL);
}

int check_queues(struct bench *bench)
{
    struct CMUnitTest many[] = {CHECK(flows_keep_to_their_queues), CHECK(every_queue_sends)};
    struct CMUnitTest one[] = {CHECK(more_queues_than_the_interface_has_are_refused)};
    struct CMUnitTest deep[] = {CHECK(a_receiver_that_stops_for_54_ms_loses_nothing)};
    /* A veth has no channels, which is what the driver counts. */
    bool single = !strcmp(bench->config.driver, "af_xdp");
    const struct port_config config = bench->config;
    bench->config.queues = single ? 1 : QUEUES;
    int failed = single ? run(bench, "one queue", one, sizeof one / sizeof one[0])
                        : run(bench, "several queues", many, sizeof many / sizeof many[0]);
    bench->config = config;
    bench->config.ring_frames = DEEP_RING;
    failed += run(bench, "deep ring", deep, sizeof deep / sizeof deep[0]);
    bench->config = config;
    return failed;
}
