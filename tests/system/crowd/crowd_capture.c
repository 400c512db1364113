/* SPDX-License-Identifier: Apache-2.0 */
/* Every frame that passes at the hosts' end of the wire to flyballd, with the kernel's time: what left, what
 * came, and how long after. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <arpa/inet.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "crowd.h"
#include "wire/cap.h"
#include "wire/frame.h"

enum { CAPTURE_BATCH = 64, HEADERS = 42, CAPTURE_BUFFER = 32 << 20 };

struct packet {
    uint8_t data[1600];
    _Alignas(struct cmsghdr) uint8_t control[64];
    struct sockaddr_ll from;
    struct iovec vector;
};

static int open_here(const char *interface)
{
    int on = 1, bytes = CAPTURE_BUFFER;
    /* of all protocols: only then what leaves is seen, too */
    struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL),
                             .sll_ifindex = (int)if_nametoindex(interface)};
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes);
    if (setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) ||
        bind(fd, (const struct sockaddr *)&at, sizeof at)) {
        int error = -errno;
        close(fd);
        return error;
    }
    return fd;
}

int crowd_capture_open(struct crowd *crowd, const char *netns, const char *interface)
{
    char path[256];
    snprintf(path, sizeof path, "/run/netns/%s", netns);
    int there = open(path, O_RDONLY | O_CLOEXEC);
    int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    int result = there < 0 || home < 0 || setns(there, CLONE_NEWNET) ? -errno : open_here(interface);
    if (home >= 0 && setns(home, CLONE_NEWNET))
        result = -errno;
    close(there);
    close(home);
    crowd->capture = result;
    return result < 0 ? result : 0;
}

static int64_t stamp_of(struct msghdr *header)
{
    struct timespec at = {0};
    for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c))
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS)
            memcpy(&at, CMSG_DATA(c), sizeof at);
    return at.tv_sec * NS_PER_S + at.tv_nsec;
}

static void report_left(struct crowd_host *host, const struct frame *frame, int64_t t_ns)
{
    struct report report;
    if (report_decode(frame->body, frame->body_bytes, &report) != ACCEPTED)
        return;
    struct crowd_sent *sent = &host->sent[report.number % CROWD_ECHOES];
    if (sent->number == report.number && sent->incarnation == report.incarnation)
        sent->real_ns = t_ns;
}

static void note_gap(struct crowd *crowd, int64_t t_ns)
{
    int64_t gap_ns = crowd->lease_real_ns ? t_ns - crowd->lease_real_ns : 0;
    crowd->lease_real_ns = t_ns;
    if (gap_ns > crowd->longest_gap_ns)
        crowd->longest_gap_ns = gap_ns;
    if (gap_ns > 100 * NS_PER_MS)
        crowd->gap_end_ns = crowd->lived_ns;
}

static void lease_came(struct crowd *crowd, struct crowd_host *host, const struct frame *frame, int64_t t_ns)
{
    struct lease lease;
    if (lease_decode(frame->body, frame->body_bytes, &lease) != ACCEPTED)
        return;
    note_gap(crowd, t_ns);
    host->caught[host->catches++ % CROWD_CAUGHT] =
        (struct crowd_caught){.sequence = frame->sequence, .real_ns = t_ns};
    struct crowd_sent *sent = &host->sent[lease.echo % CROWD_ECHOES];
    if (sent->number != lease.echo || sent->incarnation != lease.incarnation || !sent->real_ns)
        return;
    if (crowd->measuring) {
        int64_t took_ns = t_ns - sent->real_ns;
        histogram_record(&crowd->figures.answer_ns, took_ns > 0 ? (uint64_t)took_ns : 0);
        crowd->figures.answered++;
    }
    sent->real_ns = 0;
}

static void take(struct crowd *crowd, struct packet *packet, uint32_t bytes, int64_t t_ns)
{
    struct frame frame;
    if (bytes < HEADERS || packet->data[12] != 8 || packet->data[13] != 0 ||
        packet->data[23] != IPPROTO_UDP ||
        frame_decode(packet->data + HEADERS, bytes - HEADERS, &frame) != ACCEPTED ||
        frame.sender >= crowd->hosts)
        return;
    struct crowd_host *host = &crowd->host[frame.sender];
    bool leaves = packet->from.sll_pkttype == PACKET_OUTGOING;
    crowd->captured++;
    if (leaves && frame.kind == FRAME_REPORT)
        report_left(host, &frame, t_ns);
    else if (!leaves && (frame.kind == FRAME_LEASE || frame.kind == FRAME_CLAIM))
        lease_came(crowd, host, &frame, t_ns);
}

static int drain_batch(struct crowd *crowd)
{
    static struct packet packet[CAPTURE_BATCH];
    struct mmsghdr message[CAPTURE_BATCH];
    for (int i = 0; i < CAPTURE_BATCH; i++) {
        packet[i].vector = (struct iovec){packet[i].data, sizeof packet[i].data};
        message[i].msg_hdr = (struct msghdr){
            .msg_iov = &packet[i].vector, .msg_iovlen = 1,
            .msg_name = &packet[i].from, .msg_namelen = sizeof packet[i].from,
            .msg_control = packet[i].control, .msg_controllen = sizeof packet[i].control};
    }
    int count = recvmmsg(crowd->capture, message, CAPTURE_BATCH, MSG_DONTWAIT, NULL);
    for (int i = 0; i < count; i++)
        take(crowd, &packet[i], message[i].msg_len, stamp_of(&message[i].msg_hdr));
    return count;
}

void crowd_capture_drain(struct crowd *crowd)
{
    struct tpacket_stats statistics = {0};
    socklen_t bytes = sizeof statistics;
    while (drain_batch(crowd) == CAPTURE_BATCH)
        ;
    if (!getsockopt(crowd->capture, SOL_PACKET, PACKET_STATISTICS, &statistics, &bytes))
        crowd->capture_drops += statistics.tp_drops;
}

int64_t crowd_capture_came(const struct crowd_host *host, uint64_t sequence)
{
    for (uint32_t i = 0; i < CROWD_CAUGHT; i++)
        if (host->caught[i].sequence == sequence)
            return host->caught[i].real_ns;
    return 0;
}
