/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/rtt_stamp.h"

#include <time.h>               /* errqueue.h wants it */

#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <string.h>
#include <sys/socket.h>

#include "rt/clock.h"

enum { CONTROL_BYTES = 512, AWAIT_MS = 200, ASKED = SOF_TIMESTAMPING_TX_SCHED | SOF_TIMESTAMPING_RX_SOFTWARE |
                                                    SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_OPT_TSONLY };

bool rtt_stamps(int socket, bool on)
{
    const int flags = on ? ASKED : 0;
    return !setsockopt(socket, SOL_SOCKET, SO_TIMESTAMPING, &flags, sizeof flags);
}

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

int64_t rtt_newest_sent_ns(int socket)
{
    _Alignas(struct cmsghdr) char control[CONTROL_BYTES];
    int64_t newest_ns = 0;
    for (;;) {
        struct msghdr message = {.msg_control = control, .msg_controllen = sizeof control};
        if (recvmsg(socket, &message, MSG_ERRQUEUE) < 0)
            return newest_ns;
        newest_ns = stamp_of(&message);
    }
}

/* One that was there: its length and stamp. */
static ssize_t take(int socket, uint8_t *data, int64_t *came_ns)
{
    _Alignas(struct cmsghdr) char control[CONTROL_BYTES];
    struct iovec vector = {.iov_base = data, .iov_len = RTT_DATAGRAM_MAX};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control,
                             .msg_controllen = sizeof control};
    ssize_t bytes = recvmsg(socket, &message, 0);
    *came_ns = bytes > 0 ? stamp_of(&message) : 0;
    return bytes;
}

/* 16 echoes or 16 leases; as rtt_await, leases are obeyed afterwards. */
static bool await(struct rtt_client *client, bool echoes, int64_t *first_ns, int64_t *last_ns)
{
    static uint8_t data[4 * RTT_HOSTS][RTT_DATAGRAM_MAX];
    uint32_t bytes[4 * RTT_HOSTS], got = 0, counted = 0;
    int64_t give_up_ns = clock_monotonic_ns() + AWAIT_MS * NS_PER_MS, came_ns;
    bool stamped = true;
    while (counted < RTT_HOSTS && got < 4 * RTT_HOSTS && clock_monotonic_ns() < give_up_ns) {
        ssize_t length = take(client->socket, data[got], &came_ns);
        if (length <= 0)
            continue;
        if ((data[got][0] == RTT_ECHO) == echoes) {
            stamped = stamped && came_ns;
            *last_ns = came_ns;
            *first_ns = counted++ ? *first_ns : came_ns;
        }
        bytes[got++] = (uint32_t)length;
    }
    for (uint32_t i = 0; i < got; i++)
        rtt_obey(client, data[i], bytes[i]);
    return counted == RTT_HOSTS && stamped;
}

static bool exchange(struct rtt_stand *stand, struct rtt_side *side, bool echoes)
{
    struct rtt_client *client = &stand->client;
    int64_t first_ns, last_ns;
    rtt_newest_sent_ns(client->socket);
    if (echoes)
        rtt_send_echo(client);
    else
        rtt_send_reading(client, RTT_DANGER_A);
    bool answered = await(client, echoes, &first_ns, &last_ns);
    int64_t sent_ns = rtt_newest_sent_ns(client->socket);
    if (!answered || !sent_ns) {
        side->lost++;
        return false;
    }
    side->first_ns = first_ns - sent_ns;
    side->last_ns = last_ns - sent_ns;
    return true;
}

bool rtt_stamped_emergency(struct rtt_stand *stand, struct rtt_side *side, bool *raised)
{
    struct rtt_caps before;
    *raised = rtt_note_caps(&stand->client, &before);
    bool answered = exchange(stand, side, false);
    side->cut_newest = answered && rtt_all_cut(&stand->client, &before);
    side->cut += side->cut_newest;
    return answered;
}

bool rtt_stamped_bare(struct rtt_stand *stand, struct rtt_side *side)
{
    return exchange(stand, side, true);
}
