/* SPDX-License-Identifier: Apache-2.0 */
#include "port/udp_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/net_tstamp.h>
#include <linux/sock_diag.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "port/kernel_sockets.h"

enum {
    TYPE_OF_SERVICE = 0xB8,         /* expedited forwarding (RFC 3246), as in our own headers */
    SEND_ROOM_BYTES = 4 << 20,
    RETRIES = 50,
    PATIENCE_NS = 10000000,
};

/* What one waiting datagram is charged: a head of a power of two bytes with the kernel's own record at its
 * end, and what describes it. */
enum { HEAD_EXTRA_BYTES = 448, DESCRIPTION_BYTES = 256 };

static uint64_t charged_bytes(uint32_t mtu)
{
    uint64_t head = 1;
    while (head < mtu + HEAD_EXTRA_BYTES)
        head *= 2;
    return head + DESCRIPTION_BYTES;
}

uint64_t udp_sockets_room_bytes(uint32_t mtu, uint32_t ring_frames)
{
    return ring_frames * charged_bytes(mtu);
}

/* The kernel doubles what it is asked for, and gives less than asked for without a word. Returns the
 * frames it granted. */
static uint32_t make_room(int fd, const struct port_config *config)
{
    uint64_t wanted = udp_sockets_room_bytes(config->mtu, config->ring_frames) / 2 + 1;
    int room = wanted < INT32_MAX / 2 ? (int)wanted : INT32_MAX / 2, send = SEND_ROOM_BYTES;
    socklen_t bytes = sizeof room;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room))
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &send, sizeof send))
        (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &send, sizeof send);
    if (getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, &bytes))
        return 0;
    return (uint32_t)((uint64_t)room / charged_bytes(config->mtu));
}

static int set_options(int fd, const struct port_config *config)
{
    int service = TYPE_OF_SERVICE, whole = IP_PMTUDISC_DO;
    if (setsockopt(fd, IPPROTO_IP, IP_TOS, &service, sizeof service) ||
        setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &whole, sizeof whole))
        return -errno;
    /* Without that right the address alone says where datagrams come in. */
    if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, config->interface,
                   (socklen_t)strlen(config->interface)) && errno != EPERM)
        return -errno;
    return 0;
}

/* The first binds without sharing, so that it finds out whoever is there, a group of ours included; then it
 * shares with the others of its own. */
static int bind_one(int fd, const struct port_config *config, uint32_t queue)
{
    const int yes = 1;
    const struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(config->udp),
                                     .sin_addr.s_addr = htonl(config->ipv4)};
    if (queue && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof yes))
        return -errno;
    int rc = bind(fd, (const struct sockaddr *)&here, sizeof here) ? -errno : 0;
    /* A ring that was closed a moment ago gives its socket back in the background. */
    for (int retry = 0; rc == -EADDRINUSE && retry < RETRIES; retry++) {
        nanosleep(&(struct timespec){.tv_nsec = PATIENCE_NS}, NULL);
        rc = bind(fd, (const struct sockaddr *)&here, sizeof here) ? -errno : 0;
    }
    if (!rc && !queue && config->queues > 1 && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof yes))
        return -errno;
    return rc;
}

static int fail(struct port *port, int rc, const struct port_config *config)
{
    char address[INET_ADDRSTRLEN] = "";
    const struct in_addr ipv4 = {.s_addr = htonl(config->ipv4)};
    inet_ntop(AF_INET, &ipv4, address, sizeof address);
    if (rc == -EADDRINUSE)
        return port_fail(port, -EBUSY, "uring on %s: somebody has %s:%u open already", config->interface,
                         address, config->udp);
    if (rc == -EADDRNOTAVAIL)
        return port_fail(
            port, rc,
            "uring on %s: %s is no address of this machine; with uring the kernel owns the port's "
            "address: ip address add %s dev %s",
            config->interface, address, address, config->interface);
    return port_fail(port, rc, "uring on %s: no socket for %s:%u (%s)", config->interface, address,
                     config->udp, strerror(-rc));
}

int udp_sockets_open(struct udp_sockets *sockets, struct port *port, const struct port_config *config)
{
    int rc = 0;
    *sockets = (struct udp_sockets){.room_frames = UINT32_MAX};
    snprintf(sockets->interface, sizeof sockets->interface, "%s", config->interface);
    for (uint32_t queue = 0; queue < config->queues && !rc; queue++) {
        int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd < 0) {
            rc = -errno;
            break;
        }
        sockets->fd[sockets->count++] = fd;
        uint32_t room = make_room(fd, config);
        sockets->room_frames = room < sockets->room_frames ? room : sockets->room_frames;
        rc = set_options(fd, config);
        if (!rc)
            rc = bind_one(fd, config, queue);
    }
    if (rc)
        udp_sockets_close(sockets);
    return rc ? fail(port, rc, config) : 0;
}

void udp_sockets_close(struct udp_sockets *sockets)
{
    for (uint32_t i = 0; i < sockets->count; i++)
        close(sockets->fd[i]);
    sockets->count = 0;
}

/* SO_TIMESTAMPNS would stamp what has no stamp as it is read. */
bool udp_sockets_stamp(const struct udp_sockets *sockets)
{
    const int what = SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE;
    for (uint32_t i = 0; i < sockets->count; i++)
        if (setsockopt(sockets->fd[i], SOL_SOCKET, SO_TIMESTAMPING, &what, sizeof what))
            return false;
    return true;
}

uint64_t udp_sockets_lost(const struct udp_sockets *sockets)
{
    uint64_t lost = 0;
    for (uint32_t i = 0; i < sockets->count; i++) {
        uint32_t memory[SK_MEMINFO_VARS] = {0};
        socklen_t bytes = sizeof memory;
        if (!getsockopt(sockets->fd[i], SOL_SOCKET, SO_MEMINFO, memory, &bytes))
            lost += memory[SK_MEMINFO_DROPS];
    }
    return lost;
}
