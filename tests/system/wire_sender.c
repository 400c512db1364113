/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One host that sends a report, waits for the lease that answers it, and so on; and measures that itself: by
 * the kernel's stamps of its own socket (frame handed to the interface, frame taken from it), and by its own
 * clock around the calls.
 *
 * usage: wire_sender SITE SUFFIX SECONDS, or until SIGTERM. Prints [[MONOTONIC before, wire ns, own ns],
 * ...].
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "msg/lease.h"
#include "site/site.h"
#include "wire/cap.h"
#include "wire/frame.h"

enum { GAP_US = 250, AWAIT_MS = 2000, FIRST_MS = 100, CONTROL_BYTES = 512 };

struct sender {
    struct site site;
    int socket;
    struct sockaddr_in to;
    struct lease newest;
    uint64_t frame, report, incarnation;
    uint64_t printed;
};

static volatile sig_atomic_t told_to_stop;

static void stop(int number)
{
    told_to_stop = number;
}

static int64_t clock_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "wire_sender: %s: %s\n", what, strerror(errno));
    exit(2);
}

static struct sockaddr_in address(const struct site_address *from)
{
    return (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(from->port),
                                .sin_addr.s_addr = htonl(from->ipv4)};
}

static void start(struct sender *sender, const char *suffix)
{
    const struct site_server *server = &sender->site.server;
    const int stamps = SOF_TIMESTAMPING_TX_SCHED | SOF_TIMESTAMPING_RX_SOFTWARE |
                       SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_OPT_TSONLY;
    char path[128];
    snprintf(path, sizeof path, "/run/netns/flyball-hosts-%s", suffix);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || setns(fd, CLONE_NEWNET))
        fail(path);
    close(fd);
    struct sockaddr_in own = address(&sender->site.host_address[0]);
    sender->to = address(&server->port[server->port_count - 1].own);
    sender->socket = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (sender->socket < 0 || bind(sender->socket, (struct sockaddr *)&own, sizeof own) ||
        setsockopt(sender->socket, SOL_SOCKET, SO_TIMESTAMPING, &stamps, sizeof stamps))
        fail("socket");
    sender->frame = sender->incarnation = (uint64_t)clock_ns(CLOCK_REALTIME);
}

/* The kernel's stamp beside what recvmsg took, 0 where there is none. */
static int64_t stamp_of(struct msghdr *message)
{
    for (struct cmsghdr *at = CMSG_FIRSTHDR(message); at; at = CMSG_NXTHDR(message, at)) {
        struct scm_timestamping stamps;
        if (at->cmsg_level != SOL_SOCKET || at->cmsg_type != SCM_TIMESTAMPING)
            continue;
        memcpy(&stamps, CMSG_DATA(at), sizeof stamps);
        return stamps.ts[0].tv_sec * NS_PER_S + stamps.ts[0].tv_nsec;
    }
    return 0;
}

static ssize_t take(const struct sender *sender, int flags, uint8_t *data, size_t bytes, int64_t *stamp_ns)
{
    _Alignas(struct cmsghdr) char control[CONTROL_BYTES];
    struct iovec vector = {.iov_base = data, .iov_len = bytes};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control,
                             .msg_controllen = sizeof control};
    ssize_t got = recvmsg(sender->socket, &message, flags);
    *stamp_ns = got >= 0 ? stamp_of(&message) : 0;
    return got;
}

static void report(struct sender *sender)
{
    const struct model *model = &sender->site.model;
    const struct model_host_type *type = &model->type[model->host[0].type];
    const struct lease *lease = &sender->newest;
    int64_t cap_mw = lease->sequence ? lease->cap_mw : model->host[0].fail_safe_mw;
    uint8_t data[DATAGRAM_MAX];
    struct report body = {
        .incarnation = sender->incarnation, .epoch = lease->epoch, .number = ++sender->report,
        .applied = lease->sequence, .held_ns = NS_PER_S, .cap_mw = cap_mw, .readback_mw = cap_mw,
        .fail_safe_mw = model->host[0].fail_safe_mw, .phys_max_mw = type->phys_max_mw, .draw_mw = cap_mw / 2,
        .state = lease->sequence ? HOST_LEASED : HOST_FAIL_SAFE, .session = lease->session};
    struct frame frame = {.kind = FRAME_REPORT, .sender = 0, .sequence = ++sender->frame};
    frame.body_bytes = report_encode(&body, data + FRAME_HEADER_BYTES, sizeof data - FRAME_HEADER_BYTES);
    uint32_t bytes = frame_encode(data, &frame);
    if (sendto(sender->socket, data, bytes, 0, (struct sockaddr *)&sender->to, sizeof sender->to) < 0)
        fail("send");
}

/* Until the lease that answers the newest report; the stamp of its arrival, 0 = none came. */
static int64_t await(struct sender *sender, int64_t until_ns)
{
    while (clock_ns(CLOCK_MONOTONIC) < until_ns) {
        uint8_t data[DATAGRAM_MAX];
        struct frame frame;
        struct lease lease = {0};
        int64_t stamp_ns;
        ssize_t got = take(sender, 0, data, sizeof data, &stamp_ns);
        if (got <= 0 || frame_decode(data, (uint32_t)got, &frame) ||
            lease_decode(frame.body, frame.body_bytes, &lease))
            continue;
        if (lease.sequence > sender->newest.sequence)
            sender->newest = lease;
        if (lease.echo == sender->report)
            return stamp_ns;
    }
    return 0;
}

/* Others may stand before it, of reports whose answer was waited for in vain. */
static int64_t newest_sent_ns(const struct sender *sender)
{
    uint8_t nothing[DATAGRAM_MAX];
    int64_t stamp_ns, newest_ns = 0;
    while (take(sender, MSG_ERRQUEUE, nothing, sizeof nothing, &stamp_ns) >= 0)
        newest_ns = stamp_ns;
    return newest_ns;
}

static void turn(struct sender *sender)
{
    int64_t before_ns = clock_ns(CLOCK_MONOTONIC);
    report(sender);
    /* the very first may find nobody who knows the way back */
    int64_t most_ns = (sender->printed ? AWAIT_MS : FIRST_MS) * NS_PER_MS;
    int64_t came_ns = await(sender, before_ns + most_ns), after_ns = clock_ns(CLOCK_MONOTONIC);
    int64_t sent_ns = newest_sent_ns(sender);
    if (came_ns && sent_ns)
        printf("%s[%lld, %lld, %lld]", sender->printed++ ? ",\n" : "", (long long)before_ns,
               (long long)(came_ns - sent_ns), (long long)(after_ns - before_ns));
    const struct timespec gap = {.tv_nsec = GAP_US * 1000};
    nanosleep(&gap, NULL);
}

/* Beside the daemon's core and as urgent: what others take must not stand between the two measurements. */
static void be_urgent(void)
{
    const struct sched_param priority = {.sched_priority = 70};
    cpu_set_t core;
    CPU_ZERO(&core);
    CPU_SET(0, &core);
    if (sched_setaffinity(0, sizeof core, &core) || sched_setscheduler(0, SCHED_FIFO, &priority))
        fprintf(stderr, "wire_sender: not in real time: %s\n", strerror(errno));
}

int main(int argc, char **argv)
{
    static struct sender sender;
    if (argc != 4) {
        fprintf(stderr, "usage: wire_sender SITE SUFFIX SECONDS\n");
        return 2;
    }
    if (site_load(&sender.site, argv[1], "default", stderr))
        return 2;
    start(&sender, argv[2]);
    be_urgent();
    signal(SIGTERM, stop);
    int64_t end_ns = clock_ns(CLOCK_MONOTONIC) + (int64_t)(atof(argv[3]) * 1e9);
    printf("[");
    while (!told_to_stop && clock_ns(CLOCK_MONOTONIC) < end_ns)
        turn(&sender);
    printf("]\n");
    site_unload(&sender.site);
    return 0;
}
