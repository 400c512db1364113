/* SPDX-License-Identifier: Apache-2.0 */
/* A kernel that does not take a submission: what was refused never leaves, and what follows leaves once. And
 * whether a queue is empty, which fewer frames than asked for do not tell. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/net_tstamp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "port/uring_queue.h"

enum { LOOPBACK = 0x7F000001, MTU = 1500, BURST = 3, PAYLOAD_BYTES = 20, REFUSALS = 10, STAMPED = 300 };

struct bed {
    struct uring_queue queue;
    int near, far, kept;            /* sockets; the ring while the kernel refuses */
    struct endpoint own, to;
    uint8_t room[BURST][UDP_HEADROOM + PAYLOAD_BYTES];
    struct port_frame frame[BURST];
};

static int socket_at(struct endpoint *end)
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(LOOPBACK)};
    socklen_t bytes = sizeof here;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&here, sizeof here), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&here, &bytes), 0);
    *end = (struct endpoint){.ipv4 = LOOPBACK, .port = ntohs(here.sin_port)};
    return fd;
}

static int open_with(void **state, bool stamps)
{
    struct bed *bed = aligned_alloc(64, (sizeof *bed + 63) / 64 * 64);
    if (!bed)
        return -1;
    memset(bed, 0, sizeof *bed);
    bed->near = socket_at(&bed->own);
    bed->far = socket_at(&bed->to);
    bed->kept = -1;
    int rc = uring_queue_open(&bed->queue, bed->near, &bed->own, MTU, stamps);
    if (rc == -EPERM || rc == -ENOSYS) {
        print_message("no ring here: %s\n", strerror(-rc));
        exit(77);
    }
    assert_int_equal(rc, 0);
    *state = bed;
    return 0;
}

static int open_bed(void **state)
{
    return open_with(state, false);
}

static int open_stamped_bed(void **state)
{
    return open_with(state, true);
}

static int close_bed(void **state)
{
    struct bed *bed = *state;
    uring_queue_close(&bed->queue);
    close(bed->near);
    close(bed->far);
    free(bed);
    return 0;
}

/* In the ring's place stands something that no call for a ring works on. */
static void refuse(struct bed *bed)
{
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    bed->kept = dup(bed->queue.ring.ring_fd);
    assert_int_equal(dup2(nothing, bed->queue.ring.ring_fd), bed->queue.ring.ring_fd);
    close(nothing);
}

static void accept_again(struct bed *bed)
{
    assert_int_equal(dup2(bed->kept, bed->queue.ring.ring_fd), bed->queue.ring.ring_fd);
    close(bed->kept);
}

static uint32_t send_marked(struct bed *bed, uint32_t count, char mark)
{
    for (uint32_t i = 0; i < count; i++) {
        memset(bed->room[i] + UDP_HEADROOM, mark + (int)i, PAYLOAD_BYTES);
        udp_build(&bed->frame[i], bed->room[i], &bed->own, &bed->to, PAYLOAD_BYTES, 0);
    }
    return uring_queue_send(&bed->queue, bed->frame, count);
}

/* The first byte of each datagram that has come, as a word. */
static const char *arrived(const struct bed *bed)
{
    static char marks[64];
    uint8_t payload[2 * PAYLOAD_BYTES];
    size_t count = 0;
    while (count + 1 < sizeof marks && recv(bed->far, payload, sizeof payload, MSG_DONTWAIT) == PAYLOAD_BYTES)
        marks[count++] = (char)payload[0];
    marks[count] = '\0';
    return marks;
}

static void what_the_kernel_refused_never_leaves(void **state)
{
    struct bed *bed = *state;
    assert_int_equal(uring_queue_attach(&bed->queue), 0);
    assert_int_equal(send_marked(bed, 2, 'a'), 2);
    assert_string_equal(arrived(bed), "ab");
    refuse(bed);
    for (int i = 0; i < REFUSALS; i++)
        assert_int_equal(send_marked(bed, 3, 'k'), 0);
    accept_again(bed);
    assert_int_equal(send_marked(bed, 1, 'x'), 1);
    assert_string_equal(arrived(bed), "x");
    assert_int_equal(send_marked(bed, 3, 'p'), 3);
    assert_string_equal(arrived(bed), "pqr");
    assert_int_equal(bed->queue.counters.sent, 6);
    assert_int_equal(bed->queue.send_errors, 0);
}

/* The receive that could not be asked for is asked for once, by the first call that can. */
static void a_receive_that_was_refused_is_asked_for_again(void **state)
{
    struct bed *bed = *state;
    struct port_frame frame[BURST_MAX];
    const struct sockaddr_in near = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(LOOPBACK),
                                     .sin_port = htons(bed->own.port)};
    assert_int_equal(uring_queue_attach(&bed->queue), 0);
    bed->queue.armed = false;
    refuse(bed);
    for (int i = 0; i < REFUSALS; i++) {
        assert_int_equal(uring_queue_receive(&bed->queue, frame, BURST_MAX), 0);
        assert_false(bed->queue.armed);
        assert_true(uring_queue_leaves(&bed->queue));       /* nobody asked the socket */
    }
    accept_again(bed);
    assert_int_equal(uring_queue_receive(&bed->queue, frame, BURST_MAX), 0);
    assert_true(bed->queue.armed);
    assert_false(uring_queue_leaves(&bed->queue));
    assert_int_equal(io_uring_sq_ready(&bed->queue.ring), 0);
    assert_int_equal(sendto(bed->far, "0123456789", 10, 0, (const struct sockaddr *)&near, sizeof near), 10);
    assert_int_equal(uring_queue_receive(&bed->queue, frame, BURST_MAX), 1);
    assert_int_equal(frame[0].length, UDP_HEADERS + 10);
}

static void arrive(const struct bed *bed, uint32_t count, size_t bytes)
{
    static const uint8_t payload[MTU] = {7};
    const struct sockaddr_in near = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(LOOPBACK),
                                     .sin_port = htons(bed->own.port)};
    const struct sockaddr *to = (const struct sockaddr *)&near;
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(sendto(bed->far, payload, bytes, 0, to, sizeof near), bytes);
}

/* To port 0, which the kernel refuses. */
static void fail_to_send(struct bed *bed, uint32_t count)
{
    uint16_t port = bed->to.port;
    bed->to.port = 0;
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(send_marked(bed, 1, 'f'), 0);
    bed->to.port = port;
}

/* Receives until the queue says that it is empty. */
static uint32_t receive_to_the_end(struct bed *bed)
{
    struct port_frame frame[BURST_MAX];
    uint32_t all = 0, got;
    do {
        got = uring_queue_receive(&bed->queue, frame, BURST_MAX);
        all += got;
    } while (got == BURST_MAX || uring_queue_leaves(&bed->queue));
    return all;
}

/* Datagrams too long for a slot, and sends that failed, take the places of frames in a burst. */
static void a_burst_that_is_not_full_is_the_end_only_where_nothing_is_left(void **state)
{
    struct bed *bed = *state;
    struct port_frame frame[BURST_MAX];
    assert_int_equal(uring_queue_attach(&bed->queue), 0);
    for (uint32_t bad = 0; bad <= BURST_MAX; bad += BURST_MAX / 4) {
        arrive(bed, bad, MTU);
        arrive(bed, 2 * BURST_MAX, PAYLOAD_BYTES);
        assert_int_equal(receive_to_the_end(bed), 2 * BURST_MAX);
        assert_int_equal(uring_queue_receive(&bed->queue, frame, BURST_MAX), 0);
        assert_false(uring_queue_leaves(&bed->queue));
    }
    /* a burst's worth of completions, half of them frames; what came behind them is with the kernel yet */
    arrive(bed, BURST_MAX, PAYLOAD_BYTES);
    assert_int_equal(uring_queue_receive(&bed->queue, frame, BURST_MAX / 2), BURST_MAX / 2);
    fail_to_send(bed, BURST_MAX / 2);
    arrive(bed, BURST_MAX, PAYLOAD_BYTES);
    assert_int_equal(uring_queue_receive(&bed->queue, frame, BURST_MAX), BURST_MAX / 2);
    assert_true(uring_queue_leaves(&bed->queue));
    assert_int_equal(receive_to_the_end(bed), BURST_MAX);
}

/* Arrivals good and too long, sends that fail and polls of any size, in any order: where a poll that was not
 * full leaves nothing, everything that was sent by then has been delivered or counted. */
static void an_empty_queue_has_nothing_left_whatever_went_before(void **state)
{
    enum { STEPS = 4000, OUTSTANDING_MAX = 60 };
    struct bed *bed = *state;
    struct port_frame frame[BURST_MAX];
    const struct port_counters *counters = &bed->queue.counters;
    unsigned seed = 20261122;
    uint64_t sent = 0, empty = 0;
    assert_int_equal(uring_queue_attach(&bed->queue), 0);
    for (uint32_t step = 0; step < STEPS; step++) {
        uint64_t seen = counters->received + counters->receive_errors;
        uint32_t count = 1 + (uint32_t)rand_r(&seed) % BURST_MAX;
        int what = rand_r(&seed) % 4;
        if (what == 0)
            fail_to_send(bed, count);
        if (what == 1 && sent - seen + count <= OUTSTANDING_MAX) {
            arrive(bed, count, rand_r(&seed) % 3 ? PAYLOAD_BYTES : MTU);
            sent += count;
        }
        if (what < 2)
            continue;
        uint32_t got = uring_queue_receive(&bed->queue, frame, count);
        if (got == count || uring_queue_leaves(&bed->queue))
            continue;
        assert_int_equal(counters->received + counters->receive_errors, sent);
        empty++;
    }
    assert_true(empty > STEPS / 10);
}

static bool comes_with_a_stamp(struct bed *bed)
{
    const struct sockaddr_in near = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(LOOPBACK),
                                     .sin_port = htons(bed->own.port)};
    struct port_frame frame[BURST_MAX];
    uint32_t polls = 0;
    assert_int_equal(sendto(bed->far, "a", 1, 0, (const struct sockaddr *)&near, sizeof near), 1);
    while (!uring_queue_receive(&bed->queue, frame, BURST_MAX))
        assert_true(++polls < 100000000);
    assert_int_equal(frame[0].data[frame[0].length - 1], 'a');
    return frame[0].flags & FRAME_STAMPED;
}

/* Each slot still holds the stamp of what was there before: that is nobody's any more. */
static void what_the_kernel_did_not_stamp_has_no_stamp(void **state)
{
    struct bed *bed = *state;
    int what = SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE;
    uint32_t stamped = 0;
    assert_int_equal(setsockopt(bed->near, SOL_SOCKET, SO_TIMESTAMPING, &what, sizeof what), 0);
    assert_int_equal(uring_queue_attach(&bed->queue), 0);
    for (uint32_t i = 0; i < 100000 && stamped < STAMPED; i++)
        stamped += comes_with_a_stamp(bed);
    assert_int_equal(stamped, STAMPED);
    what = 0;
    assert_int_equal(setsockopt(bed->near, SOL_SOCKET, SO_TIMESTAMPING, &what, sizeof what), 0);
    for (uint32_t i = 0; i < STAMPED; i++)
        assert_false(comes_with_a_stamp(bed));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_the_kernel_refused_never_leaves, open_bed, close_bed),
        cmocka_unit_test_setup_teardown(what_the_kernel_did_not_stamp_has_no_stamp, open_stamped_bed,
                                        close_bed),
        cmocka_unit_test_setup_teardown(a_receive_that_was_refused_is_asked_for_again, open_bed, close_bed),
        cmocka_unit_test_setup_teardown(a_burst_that_is_not_full_is_the_end_only_where_nothing_is_left,
                                        open_bed, close_bed),
        cmocka_unit_test_setup_teardown(an_empty_queue_has_nothing_left_whatever_went_before, open_bed,
                                        close_bed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
