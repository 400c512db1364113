/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The uring driver on the loopback of a network namespace of its own, at its limits: whatever comes is
 * delivered or counted, and whatever the kernel does not send is refused or a send error. No root needed.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "port/ip/udp.h"
#include "port/port.h"

enum { SKIP = 77, OUR_PORT = 7002, PEER_PORT = 7003, OWN = 0x7f000001, PEER = 0x7f000002,
       PAYLOAD = 200, EMPTY_POLLS = 50, HELD_NS = 10000000, VLAN_BYTES = 4 };

struct rig {
    struct port port;
    int peer;
};

static bool loopback_of_our_own(void)
{
    struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    if (unshare(CLONE_NEWNET) && unshare(CLONE_NEWUSER | CLONE_NEWNET))
        return false;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool up = fd >= 0 && !ioctl(fd, SIOCSIFFLAGS, &lo);
    close(fd);
    return up;
}

static struct sockaddr_in address_of(uint32_t ipv4, uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(ipv4)};
}

static int open_with(void **state, uint8_t stamps)
{
    static struct rig rig;
    const struct sockaddr_in here = address_of(PEER, PEER_PORT);
    const struct port_config config = {.driver = "uring", .interface = "lo", .ipv4 = OWN, .udp = OUR_PORT,
                                       .mtu = 1500, .ring_frames = 64, .queues = 1,
                                       .stamps = stamps};
    rig.peer = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (rig.peer < 0 || bind(rig.peer, (const struct sockaddr *)&here, sizeof here))
        return -errno;
    int rc = port_open(&rig.port, &config);
    if (!rc)
        rc = port_attach(&rig.port, 0);
    if (rc)
        print_error("%s\n", rig.port.error);
    *state = &rig;
    return rc;
}

static int open_rig(void **state)
{
    return open_with(state, STAMPS_OFF);
}

static int open_stamped_rig(void **state)
{
    return open_with(state, STAMPS_KERNEL);
}

static int open_rig_with_a_card(void **state)
{
    return open_with(state, STAMPS_CARD);
}

static int close_rig(void **state)
{
    struct rig *rig = *state;
    port_close(&rig->port);
    close(rig->peer);
    return 0;
}

static struct port_statistics figures(struct rig *rig)
{
    struct port_statistics now;
    port_statistics(&rig->port, &now);
    return now;
}

static void peer_sends(const struct rig *rig, uint32_t bytes)
{
    static const uint8_t data[9000] = {7};
    const struct sockaddr_in to = address_of(OWN, OUR_PORT);
    assert_int_equal(sendto(rig->peer, data, bytes, 0, (const struct sockaddr *)&to, sizeof to), bytes);
}

/* Until nothing came in many polls. */
static uint32_t receive_all(struct rig *rig)
{
    struct port_frame frame[BURST_MAX];
    uint32_t all = 0;
    for (uint32_t idle = 0; idle < EMPTY_POLLS; idle++) {
        uint32_t got = port_receive(&rig->port, 0, frame, BURST_MAX);
        all += got;
        idle = got ? 0 : idle;
    }
    return all;
}

static uint32_t peer_receives(const struct rig *rig)
{
    uint8_t data[2048];
    uint32_t count = 0;
    while (recv(rig->peer, data, sizeof data, 0) >= 0)
        count++;
    return count;
}

/* A burst of `count` frames; those whose bit is set in `bad` go to port 0, which the kernel refuses. */
static uint32_t send_burst(struct rig *rig, uint32_t count, uint32_t bad)
{
    static uint8_t data[BURST_MAX][UDP_HEADROOM + PAYLOAD];
    struct port_frame frame[BURST_MAX];
    const struct endpoint from = {.ipv4 = OWN, .port = OUR_PORT};
    for (uint32_t i = 0; i < count; i++) {
        const struct endpoint to = {.ipv4 = PEER, .port = bad >> i & 1 ? 0 : PEER_PORT};
        udp_build(&frame[i], data[i], &from, &to, PAYLOAD, 0);
    }
    return port_send(&rig->port, 0, frame, count);
}

static void a_datagram_too_long_is_counted_and_the_next_ones_come(void **state)
{
    struct rig *rig = *state;
    peer_sends(rig, PAYLOAD);
    assert_int_equal(receive_all(rig), 1);
    for (uint32_t round = 1; round <= 3; round++) {
        peer_sends(rig, 3000);
        for (uint32_t i = 0; i < 10; i++)
            peer_sends(rig, PAYLOAD);
        assert_int_equal(receive_all(rig), 10);
        assert_int_equal(figures(rig).receive_errors, round);
    }
    assert_int_equal(figures(rig).received, 31);
    assert_int_equal(figures(rig).lost, 0);
}

static void an_empty_datagram_is_a_frame_and_the_next_ones_come(void **state)
{
    struct rig *rig = *state;
    for (uint32_t round = 0; round < 5; round++) {
        peer_sends(rig, PAYLOAD);
        peer_sends(rig, 0);
        peer_sends(rig, PAYLOAD);
        assert_int_equal(receive_all(rig), 3);
    }
    assert_int_equal(figures(rig).receive_errors, 0);
}

static void what_comes_is_delivered_or_lost_to_the_datagram(void **state)
{
    struct rig *rig = *state;
    uint32_t sent = 0, got = 0;
    for (uint32_t round = 1; round <= 300; round++) {
        for (uint32_t i = 0; i < 7 * round % 1000; i++, sent++)
            peer_sends(rig, i % 5 ? PAYLOAD : 0);
        got += receive_all(rig);
    }
    struct port_statistics now = figures(rig);
    print_message("sent %u, received %u, lost %" PRIu64 "\n", sent, got, now.lost);
    assert_int_equal(now.received, got);
    assert_int_equal(now.receive_errors, 0);
    assert_int_equal(got + now.lost, sent);
    assert_true(now.lost > 0);
}

static void what_the_kernel_does_not_send_is_refused_at_the_end_and_an_error_in_the_middle(void **state)
{
    struct rig *rig = *state;
    assert_int_equal(send_burst(rig, 8, 0xf0), 4);
    assert_int_equal(peer_receives(rig), 4);
    assert_int_equal(figures(rig).refused, 4);
    assert_int_equal(send_burst(rig, 8, 0x0f), 8);
    assert_int_equal(peer_receives(rig), 4);
    struct port_statistics now = figures(rig);
    assert_int_equal(now.refused, 4);
    assert_int_equal(now.send_errors, 4);
    assert_int_equal(now.sent, 12);
}

/* More failures than the queue of completions has room for, and nobody receives meanwhile. */
static void failures_are_told_however_many_there_are(void **state)
{
    struct rig *rig = *state;
    for (uint32_t i = 0; i < 200; i++)
        assert_int_equal(send_burst(rig, BURST_MAX, UINT32_MAX), 0);
    assert_int_equal(figures(rig).refused, 200 * BURST_MAX);
    for (uint32_t i = 0; i < 200; i++) {
        assert_int_equal(send_burst(rig, BURST_MAX, 0), BURST_MAX);
        assert_int_equal(peer_receives(rig), BURST_MAX);
    }
    for (uint32_t i = 0; i < 100; i++)
        peer_sends(rig, PAYLOAD);
    struct port_statistics before = figures(rig);
    assert_int_equal(receive_all(rig) + before.lost, 100);
    struct port_statistics now = figures(rig);
    assert_int_equal(now.sent, 200 * BURST_MAX);
    assert_int_equal(now.refused, 200 * BURST_MAX);
    assert_int_equal(now.send_errors + now.receive_errors, 0);
}

/* The kernel takes submissions from the owner alone: anybody else's call fails as a whole. */
struct stranger {
    struct rig *rig;
    uint32_t sent;
};

static void *send_as_a_stranger(void *argument)
{
    struct stranger *stranger = argument;
    stranger->sent = send_burst(stranger->rig, 4, 0);
    return NULL;
}

static void what_a_failed_call_refused_does_not_leave_later(void **state)
{
    struct rig *rig = *state;
    struct stranger stranger = {.rig = rig, .sent = UINT32_MAX};
    pthread_t thread;           /* race detectors do not know C11's */
    assert_int_equal(pthread_create(&thread, NULL, send_as_a_stranger, &stranger), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(stranger.sent, 0);
    assert_int_equal(send_burst(rig, 1, 0), 1);
    assert_int_equal(peer_receives(rig), 1);
    assert_int_equal(send_burst(rig, BURST_MAX, 0), BURST_MAX);
    assert_int_equal(peer_receives(rig), BURST_MAX);
    struct port_statistics now = figures(rig);
    assert_int_equal(now.sent, 1 + BURST_MAX);
    assert_int_equal(now.refused, 4);
    peer_sends(rig, PAYLOAD);
    assert_int_equal(receive_all(rig), 1);
}

/* Arrivals that nobody looks at keep their room: sends that fail meanwhile are refused, none is hidden. */
static void failures_behind_waiting_arrivals_are_told(void **state)
{
    struct rig *rig = *state;
    for (uint32_t i = 0; i < 20; i++)
        peer_sends(rig, PAYLOAD);
    for (uint32_t i = 0; i < 100; i++)
        assert_int_equal(send_burst(rig, BURST_MAX, UINT32_MAX), 0);
    assert_int_equal(receive_all(rig), 20);
    assert_int_equal(send_burst(rig, BURST_MAX, 0), BURST_MAX);
    struct port_statistics now = figures(rig);
    assert_int_equal(now.refused, 100 * BURST_MAX);
    assert_int_equal(now.send_errors + now.receive_errors + now.lost, 0);
}

static int64_t clock_of(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* One datagram, found HELD_MS after it was sent. */
static void exchange(struct rig *rig, struct port_frame *frame)
{
    uint32_t polls = 0;
    peer_sends(rig, PAYLOAD);
    nanosleep(&(struct timespec){.tv_nsec = HELD_NS}, NULL);
    while (!port_receive(&rig->port, 0, frame, 1))
        assert_true(++polls < 100000000);
    assert_int_equal(frame->length, UDP_HEADROOM - VLAN_BYTES + PAYLOAD);
    assert_int_equal(frame->data[frame->length - PAYLOAD], 7);
}

/* The kernel's clock of stamps comes on a moment after it was asked for; until then it says nothing, rather
 * than when it was asked. */
static void a_stamp_says_when_it_came_and_not_when_it_was_found(void **state)
{
    struct rig *rig = *state;
    uint32_t right = 0, tries = 0;
    assert_int_equal(rig->port.stamps, STAMPS_KERNEL);
    for (; right < 10 && tries < 500; tries++) {
        struct port_frame frame;
        int64_t apart_ns = clock_of(CLOCK_REALTIME) - clock_of(CLOCK_MONOTONIC);
        int64_t before_ns = clock_of(CLOCK_REALTIME);
        exchange(rig, &frame);
        int64_t after_ns = clock_of(CLOCK_REALTIME);
        apart_ns -= after_ns - clock_of(CLOCK_MONOTONIC);
        if (!(frame.flags & FRAME_STAMPED) || apart_ns > NS_PER_MS || apart_ns < -NS_PER_MS)
            continue;               /* not yet; or somebody set the machine's clock */
        assert_in_range(frame.stamp_ns, before_ns - NS_PER_MS, after_ns + NS_PER_MS);
        right += frame.stamp_ns <= after_ns - HELD_NS;
    }
    print_message("%u of %u\n", right, tries);
    assert_int_equal(right, 10);
}

static void a_port_without_stamps_says_none(void **state)
{
    struct rig *rig = *state;
    struct port_frame frame;
    assert_int_equal(rig->port.stamps, STAMPS_OFF);
    exchange(rig, &frame);
    assert_false(frame.flags & FRAME_STAMPED);
    assert_false(port_clock(&rig->port, &(int64_t){0}));
}

static void a_clock_that_cannot_be_read_is_noted(void **state)
{
    struct rig *rig = *state;
    assert_non_null(strstr(rig->port.note, "uring on lo: there are no stamps of a card"));
    a_port_without_stamps_says_none(state);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, open_rig, close_rig)
#define STAMPED(name) cmocka_unit_test_setup_teardown(name, open_stamped_rig, close_rig)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_datagram_too_long_is_counted_and_the_next_ones_come),
        CASE(an_empty_datagram_is_a_frame_and_the_next_ones_come),
        CASE(what_comes_is_delivered_or_lost_to_the_datagram),
        CASE(what_the_kernel_does_not_send_is_refused_at_the_end_and_an_error_in_the_middle),
        CASE(failures_are_told_however_many_there_are),
        CASE(failures_behind_waiting_arrivals_are_told),
        CASE(what_a_failed_call_refused_does_not_leave_later),
        CASE(a_port_without_stamps_says_none),
        STAMPED(a_stamp_says_when_it_came_and_not_when_it_was_found),
        STAMPED(a_datagram_too_long_is_counted_and_the_next_ones_come),
        STAMPED(an_empty_datagram_is_a_frame_and_the_next_ones_come),
        STAMPED(what_comes_is_delivered_or_lost_to_the_datagram),
        STAMPED(what_a_failed_call_refused_does_not_leave_later),
        cmocka_unit_test_setup_teardown(a_clock_that_cannot_be_read_is_noted, open_rig_with_a_card,
                                        close_rig),
    };
    if (!loopback_of_our_own()) {
        printf("uring_test: skipped: no network namespace of its own\n");
        return SKIP;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
