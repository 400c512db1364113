/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/loops/sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { ROOM_BYTES = 8 << 20, BURST = 32 };

static int open_socket(const struct site_address *own)
{
    const struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(own->port),
                                     .sin_addr.s_addr = htonl(own->ipv4)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), room = ROOM_BYTES;
    if (fd < 0)
        return -errno;
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room);
    if (!bind(fd, (const struct sockaddr *)&here, sizeof here))
        return fd;
    int error = -errno;
    close(fd);
    return error;
}

static void make_answers(struct sockets *sockets, uint32_t answer_bytes)
{
    memset(sockets->answer, RTT_ECHO, sizeof sockets->answer);
    sockets->payload = (struct iovec){.iov_base = sockets->answer, .iov_len = answer_bytes};
    for (uint32_t i = 0; i < RTT_HOSTS; i++) {
        const struct site_address *host = &sockets->stand.site.host_address[i];
        sockets->to[i] = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(host->port),
                                              .sin_addr.s_addr = htonl(host->ipv4)};
        sockets->message[i].msg_hdr = (struct msghdr){
            .msg_name = &sockets->to[i], .msg_namelen = sizeof sockets->to[i],
            .msg_iov = &sockets->payload, .msg_iovlen = 1};
    }
}

int sockets_open(struct sockets *sockets, uint32_t answer_bytes)
{
    struct rtt_stand *stand = &sockets->stand;
    sockets->fd = -1;
    stand->driver = "uring";            /* of its kind: the kernel owns the address */
    stand->no_loop = true;
    int result = rtt_stand_open(stand);
    if (result)
        return result;
    int home = rtt_stand_enter(stand);
    sockets->fd = home < 0 ? home : open_socket(&stand->site.server.port[0].own);
    if (home >= 0 && rtt_stand_leave(home))
        return 3;
    make_answers(sockets, answer_bytes);
    if (sockets->fd < 0)
        snprintf(stand->error, sizeof stand->error, "no socket: %s", strerror(-sockets->fd));
    return sockets->fd < 0 ? 3 : 0;
}

void sockets_close(struct sockets *sockets)
{
    if (sockets->fd >= 0)
        close(sockets->fd);
    rtt_stand_close(&sockets->stand);
}

bool sockets_answer(struct sockets *sockets, struct worker *worker, uint8_t letter)
{
    unsigned count = letter == RTT_ECHO ? RTT_HOSTS : letter == RTT_ECHO_ONE ? 1 : 0;
    int sent = count ? sendmmsg(sockets->fd, sockets->message, count, 0) : 0;
    sockets->send_errors += sent != (int)count;
    return letter != SOCKETS_WAKE && worker_on(worker);
}

void sockets_blocking(struct worker *worker, void *argument)
{
    struct sockets *sockets = argument;
    uint8_t data[RTT_DATAGRAM_MAX];
    ssize_t got;
    do
        got = recv(sockets->fd, data, sizeof data, 0);
    while (sockets_answer(sockets, worker, got > 0 ? data[0] : 0));
}

void sockets_epoll(struct worker *worker, void *argument)
{
    struct sockets *sockets = argument;
    uint8_t data[RTT_DATAGRAM_MAX];
    struct epoll_event event = {.events = EPOLLIN};
    int poll = epoll_create1(EPOLL_CLOEXEC);
    bool more = poll >= 0 && !epoll_ctl(poll, EPOLL_CTL_ADD, sockets->fd, &event);
    while (more && epoll_wait(poll, &event, 1, -1) >= 0) {
        ssize_t got = recv(sockets->fd, data, sizeof data, MSG_DONTWAIT);
        more = sockets_answer(sockets, worker, got > 0 ? data[0] : 0);
    }
    close(poll);
}

void sockets_spin(struct worker *worker, void *argument)
{
    static uint8_t data[BURST][RTT_DATAGRAM_MAX];
    struct sockets *sockets = argument;
    struct iovec vector[BURST];
    struct mmsghdr message[BURST];
    memset(message, 0, sizeof message);
    for (int i = 0; i < BURST; i++) {
        vector[i] = (struct iovec){.iov_base = data[i], .iov_len = sizeof data[i]};
        message[i].msg_hdr = (struct msghdr){.msg_iov = &vector[i], .msg_iovlen = 1};
    }
    bool more = true;
    while (more && worker_on(worker)) {
        int got = recvmmsg(sockets->fd, message, BURST, MSG_DONTWAIT, NULL);
        for (int i = 0; i < got; i++)
            more &= sockets_answer(sockets, worker, data[i][0]);
    }
}

/* A datagram that was sent while the job ended on its own finds the next one, which drops it. */
void sockets_end(struct sockets *sockets, struct worker *worker)
{
    struct rtt_client *client = &sockets->stand.client;
    while (!worker_end(worker))
        rtt_send_letter(client, SOCKETS_WAKE);
    uint8_t left[RTT_DATAGRAM_MAX];
    while (recv(sockets->fd, left, sizeof left, MSG_DONTWAIT) >= 0)
        continue;
    rtt_drain(client, RTT_GAP_US * 1000);
}
