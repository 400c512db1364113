/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/tune/tune_burst.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "cli/tune/tune_path.h"
#include "port/ip/udp.h"
#include "rt/clock.h"
#include "rt/thread.h"

/* A marked datagram: nothing that flyball takes for one of its own. `f`: looks whether frames arrive at all;
 * `b`: one of the burst. */
enum { MARK_BYTES = 8, DATA_BYTES = 160, BATCH = 64, OFFERED_MOST = 1 << 18, FRAME_ROOM = 256 };
#define FIRST_EVERY_NS (10 * NS_PER_MS)
#define FIRST_NS (2 * NS_PER_S)
#define SETTLE_NS (50 * NS_PER_MS)
static const char mark[MARK_BYTES] = "tune\x7f\x01\x02";

struct sender {
    const struct burst *burst;
    uint32_t wanted;
    _Atomic bool seen;          /* the port has received a first one */
    uint32_t sent;
    int error;
};

static void rest(int64_t ns)
{
    const struct timespec time = {.tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S};
    nanosleep(&time, NULL);
}

static void fill(uint8_t data[DATA_BYTES], char what)
{
    memset(data, what, DATA_BYTES);
    memcpy(data, mark, MARK_BYTES);
}

static bool is_marked(const struct port_frame *frame, char what)
{
    for (uint32_t at = UDP_HEADERS; at <= UDP_HEADROOM; at += UDP_HEADROOM - UDP_HEADERS)
        if (frame->length >= at + DATA_BYTES && !memcmp(frame->data + at, mark, MARK_BYTES) &&
            frame->data[at + MARK_BYTES] == (uint8_t)what)
            return true;
    return false;
}

static uint32_t offered(const struct site_port *row)
{
    uint32_t frames = row->ring_frames + row->ring_frames / 4 + BATCH;
    return frames < OFFERED_MOST ? frames : OFFERED_MOST;
}

/* ---- the sender: a thread in the other namespace ---- */

static int open_there(const struct burst *burst)
{
    char path[256];
    snprintf(path, sizeof path, "/run/netns/%s", burst->netns);
    int space = open(path, O_RDONLY | O_CLOEXEC);
    if (space < 0)
        return -errno;
    int rc = setns(space, CLONE_NEWNET) ? -errno : 0;
    close(space);
    if (rc)
        return rc;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(burst->row->own.port),
                             .sin_addr.s_addr = htonl(burst->row->own.ipv4)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (!connect(fd, (const struct sockaddr *)&to, sizeof to))
        return fd;
    rc = -errno;
    close(fd);
    return rc;
}

static void send_first(struct sender *sender, int fd)
{
    uint8_t data[DATA_BYTES];
    int64_t end_ns = clock_monotonic_ns() + FIRST_NS;
    fill(data, 'f');
    while (!atomic_load_explicit(&sender->seen, memory_order_acquire) && clock_monotonic_ns() < end_ns) {
        send(fd, data, sizeof data, 0);
        rest(FIRST_EVERY_NS);
    }
}

static void send_burst(struct sender *sender, int fd)
{
    uint8_t data[DATA_BYTES];
    struct iovec vector = {data, sizeof data};
    struct mmsghdr message[BATCH];
    fill(data, 'b');
    for (int i = 0; i < BATCH; i++)
        message[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &vector, .msg_iovlen = 1}};
    while (sender->sent < sender->wanted) {
        int sent = sendmmsg(fd, message, BATCH, 0);
        if (sent <= 0 && errno != EINTR) {
            sender->error = -errno;
            return;
        }
        sender->sent += sent > 0 ? (uint32_t)sent : 0;
    }
}

static void *sender_run(void *argument)
{
    struct sender *sender = argument;
    rt_pin(sender->burst->sender_core);
    int fd = open_there(sender->burst);
    if (fd < 0) {
        sender->error = fd;
        return NULL;
    }
    send_first(sender, fd);
    if (atomic_load_explicit(&sender->seen, memory_order_acquire))
        send_burst(sender, fd);
    rest(SETTLE_NS);
    close(fd);
    return NULL;
}

/* ---- the receiver ---- */

/* One poll: how many marked frames it found. What concerns ARP is answered, so that the sender finds us. */
static uint32_t poll_once(const struct burst *burst, char what, uint32_t *found)
{
    struct port_frame frame[BURST_MAX];
    uint32_t got = port_receive(burst->port, 0, frame, BURST_MAX), marked = 0;
    for (uint32_t i = 0; i < got; i++) {
        if (is_marked(&frame[i], what))
            marked++;
        else if (burst->ip)
            ip_set_aside(&burst->ip->aside[0], &frame[i]);
    }
    if (burst->ip)
        ip_turn(burst->ip, clock_monotonic_ns());
    if (found)
        *found += marked;
    return got;
}

static bool wait_for_first(const struct burst *burst)
{
    uint32_t found = 0;
    for (int64_t end_ns = clock_monotonic_ns() + FIRST_NS; !found && clock_monotonic_ns() < end_ns;) {
        if (!poll_once(burst, 'f', &found))
            rest(NS_PER_MS);
    }
    return found > 0;
}

static uint32_t count_all(const struct burst *burst)
{
    uint32_t found = 0;
    for (int64_t end_ns = clock_monotonic_ns() + SETTLE_NS; clock_monotonic_ns() < end_ns;)
        if (poll_once(burst, 'b', &found))
            end_ns = clock_monotonic_ns() + SETTLE_NS;
    return found;
}

static void keep(const struct burst *burst, uint32_t sent, uint32_t absorbed, struct measured_ring *ring)
{
    *ring = (struct measured_ring){.offered = sent, .absorbed = absorbed};
    snprintf(ring->interface, sizeof ring->interface, "%.*s", MEASURED_TEXT_BYTES - 1, burst->row->interface);
}

int burst_measure(const struct burst *burst, struct measured_ring *ring)
{
    struct sender sender = {.burst = burst, .wanted = offered(burst->row)};
    pthread_t thread;
    int rc = rt_spawn(&thread, "fb-sender", sender_run, &sender);
    if (rc)
        return rc;
    bool arrives = wait_for_first(burst);
    atomic_store_explicit(&sender.seen, arrives, memory_order_release);
    pthread_join(thread, NULL);         /* nobody polls meanwhile */
    if (sender.error)
        return sender.error;
    if (!arrives)
        return -ETIMEDOUT;
    keep(burst, sender.sent, count_all(burst), ring);
    return 0;
}

int burst_in_memory(const struct burst *burst, struct measured_ring *ring)
{
    struct port_config config = {.driver = burst->row->driver, .interface = burst->row->interface,
                                 .mtu = burst->row->mtu, .ring_frames = burst->row->ring_frames, .queues = 1,
                                 .housekeeping_core = -1};
    uint8_t data[FRAME_ROOM] = {0};
    const struct port_frame frame = {.data = data, .length = UDP_HEADERS + DATA_BYTES};
    struct port far;
    uint32_t sent = 0;
    int rc = port_open(&far, &config);
    if (rc)
        return rc;
    fill(data + UDP_HEADERS, 'b');
    while (sent < offered(burst->row) && port_send(&far, 0, &frame, 1))
        sent++;
    keep(burst, offered(burst->row), count_all(burst), ring);
    port_close(&far);
    return 0;
}
