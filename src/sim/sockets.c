/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SOCKETS_BUFFER = 4 << 20 };

/* The namespace that we are in, to come back to; -1 with errno. */
static int enter_netns(const char *name, int *home_fd)
{
    char path[256];
    *home_fd = -1;
    if (!name)
        return 0;
    snprintf(path, sizeof(path), "/run/netns/%s", name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    *home_fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    int result = *home_fd < 0 || setns(fd, CLONE_NEWNET) ? -errno : 0;
    close(fd);
    return result;
}

static int leave_netns(int home_fd)
{
    if (home_fd < 0)
        return 0;
    int result = setns(home_fd, CLONE_NEWNET) ? -errno : 0;
    close(home_fd);
    return result;
}

static int open_bound(uint16_t port, int *fd_out)
{
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(port)};
    int on = 1, bytes = SOCKETS_BUFFER;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)))
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
    if (setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)) ||
        bind(fd, (const struct sockaddr *)&any, sizeof(any))) {
        int result = -errno;
        close(fd);
        return result;
    }
    *fd_out = fd;
    return 0;
}

static int open_in(const char *netns, uint16_t port, struct sockets_queue *queue, char *why, size_t why_bytes)
{
    int home_fd;
    int result = enter_netns(netns, &home_fd);
    if (result) {
        snprintf(why, why_bytes, "network namespace %s", netns);
    } else {
        result = open_bound(port, &queue->fd);
        if (result)
            snprintf(why, why_bytes, "UDP port %u in %s", port, netns ? netns : "this network namespace");
    }
    int back = leave_netns(home_fd);
    return result ? result : back;
}

static int by_ipv4(const void *left, const void *right)
{
    const struct sockets_host *a = left, *b = right;
    return a->ipv4 < b->ipv4 ? -1 : a->ipv4 > b->ipv4;
}

static int list_hosts(struct sockets *sockets, char *why, size_t why_bytes)
{
    const struct site *site = sockets->site;
    uint32_t count = site->model.host_count;
    sockets->by_address = calloc(count + 1, sizeof(*sockets->by_address));
    if (!sockets->by_address)
        return -ENOMEM;
    for (uint32_t h = 0; h < count; h++) {
        if (site->host_address[h].port != site->host_address[0].port) {
            snprintf(why, why_bytes,
                     "hosts %s and %s have different UDP ports; the plant opens one socket for all",
                     site->model.host[0].name, site->model.host[h].name);
            return -ENOTSUP;
        }
        sockets->by_address[h] = (struct sockets_host){site->host_address[h].ipv4, h};
    }
    qsort(sockets->by_address, count, sizeof(*sockets->by_address), by_ipv4);
    return 0;
}

static void aim(struct sockets_queue *queue, const struct site_address *to)
{
    queue->to = (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(to->port), .sin_addr.s_addr = htonl(to->ipv4),
    };
    for (int i = 0; i < SOCKETS_BATCH; i++) {
        struct sockets_out *out = &queue->out[i];
        struct msghdr *header = &queue->message[i].msg_hdr;
        out->vector.iov_base = out->data;
        header->msg_name = &queue->to;
        header->msg_namelen = sizeof(queue->to);
        header->msg_iov = &out->vector;
        header->msg_iovlen = 1;
    }
}

int sockets_open(struct sockets *sockets, const struct site *site, const char *meters_netns,
                 const char *hosts_netns, char *why, size_t why_bytes)
{
    const struct site_server *server = &site->server;
    memset(sockets, 0, sizeof(*sockets));
    sockets->site = site;
    sockets->meters.fd = sockets->hosts.fd = -1;
    if (!server->port_count || !site->model.host_count) {
        snprintf(why, why_bytes, "the site names no server to speak to");
        return -EINVAL;
    }
    int result = list_hosts(sockets, why, why_bytes);
    if (!result)
        result = open_in(meters_netns, 0, &sockets->meters, why, why_bytes);
    if (!result)
        result = open_in(hosts_netns, site->host_address[0].port, &sockets->hosts, why, why_bytes);
    if (result) {
        sockets_close(sockets);
        return result;
    }
    aim(&sockets->meters, &server->port[0].own);
    aim(&sockets->hosts, &server->port[server->port_count - 1].own);
    return 0;
}

void sockets_close(struct sockets *sockets)
{
    if (sockets->meters.fd >= 0)
        close(sockets->meters.fd);
    if (sockets->hosts.fd >= 0)
        close(sockets->hosts.fd);
    sockets->meters.fd = sockets->hosts.fd = -1;
    free(sockets->by_address);
    sockets->by_address = NULL;
}

/* One that the kernel refuses is counted and skipped: the next may go. */
static void flush_queue(struct sockets *sockets, struct sockets_queue *queue)
{
    for (uint32_t at = 0; at < queue->count;) {
        int sent = sendmmsg(queue->fd, queue->message + at, queue->count - at, 0);
        if (sent < 0 && errno == EINTR)
            continue;
        sockets->failures += sent <= 0;
        at += sent > 0 ? (uint32_t)sent : 1;
    }
    queue->count = 0;
}

static void speak_as(struct sockets_out *out, struct msghdr *header, uint32_t ipv4)
{
    struct in_pktinfo from = {.ipi_spec_dst.s_addr = htonl(ipv4)};
    header->msg_control = out->control;
    header->msg_controllen = sizeof(out->control);
    struct cmsghdr *control = CMSG_FIRSTHDR(header);
    control->cmsg_level = IPPROTO_IP;
    control->cmsg_type = IP_PKTINFO;
    control->cmsg_len = CMSG_LEN(sizeof(from));
    memcpy(CMSG_DATA(control), &from, sizeof(from));
}

void sockets_send(struct sockets *sockets, bool meter, uint32_t index, const uint8_t *data, uint32_t bytes)
{
    struct sockets_queue *queue = meter ? &sockets->meters : &sockets->hosts;
    if (queue->count == SOCKETS_BATCH)
        flush_queue(sockets, queue);
    uint32_t at = queue->count++;
    memcpy(queue->out[at].data, data, bytes);
    queue->out[at].vector.iov_len = bytes;
    if (!meter)
        speak_as(&queue->out[at], &queue->message[at].msg_hdr, sockets->site->host_address[index].ipv4);
}

void sockets_flush(struct sockets *sockets)
{
    flush_queue(sockets, &sockets->meters);
    flush_queue(sockets, &sockets->hosts);
}

static bool find_host(const struct sockets *sockets, struct msghdr *header, uint32_t *host)
{
    for (struct cmsghdr *control = CMSG_FIRSTHDR(header); control; control = CMSG_NXTHDR(header, control)) {
        struct in_pktinfo to;
        if (control->cmsg_level != IPPROTO_IP || control->cmsg_type != IP_PKTINFO)
            continue;
        memcpy(&to, CMSG_DATA(control), sizeof(to));
        struct sockets_host key = {.ipv4 = ntohl(to.ipi_addr.s_addr)};
        const struct sockets_host *found = bsearch(&key, sockets->by_address, sockets->site->model.host_count,
                                                   sizeof(key), by_ipv4);
        if (!found)
            return false;
        *host = found->host;
        return true;
    }
    return false;
}

void sockets_receive(struct sockets *sockets, sockets_deliver *deliver, void *user)
{
    enum { BATCH = 32 };
    struct mmsghdr message[BATCH];
    struct sockets_out in[BATCH];
    int count;
    do {
        for (int i = 0; i < BATCH; i++) {
            in[i].vector = (struct iovec){in[i].data, sizeof(in[i].data)};
            message[i].msg_hdr = (struct msghdr){
                .msg_iov = &in[i].vector, .msg_iovlen = 1,
                .msg_control = in[i].control, .msg_controllen = sizeof(in[i].control),
            };
        }
        count = recvmmsg(sockets->hosts.fd, message, BATCH, MSG_DONTWAIT, NULL);
        for (int i = 0; i < count; i++) {
            uint32_t host;
            if (find_host(sockets, &message[i].msg_hdr, &host))
                deliver(user, host, in[i].data, message[i].msg_len);
        }
    } while (count == BATCH);
}
