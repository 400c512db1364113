/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/loops/user.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "port/driver.h"
#include "port/ip/udp.h"

/* It does not sleep over work that is left: only after some looks in vain. */
enum { LOOKS = 16 };

/* A user's loop has its clock, too: it is never later than this with what a tick is to do. */
enum { WAIT_US = 5000, USER_BYTES_MAX = 1500, ROOM_BYTES = 8 << 20, PORTS_AT = ETHERNET_HEADER_BYTES + 20 };

struct user {
    int fd;
    struct endpoint own;
    uint32_t quiet;             /* looks since the last datagram that found none */
    struct port_counters counters;
    uint8_t data[UDP_HEADROOM + USER_BYTES_MAX];
};

static int user_attach(struct port *port, uint32_t queue)
{
    (void)port;
    return queue ? -EINVAL : 0;
}

static uint32_t user_receive(struct port *port, uint32_t queue, struct port_frame *frame, uint32_t count)
{
    struct user *user = port->state;
    struct sockaddr_in from;
    socklen_t bytes = sizeof from;
    (void)queue;
    int flags = user->quiet < LOOKS ? MSG_DONTWAIT : 0;
    ssize_t got = count ? recvfrom(user->fd, user->data + UDP_HEADROOM, USER_BYTES_MAX, flags,
                                   (struct sockaddr *)&from, &bytes)
                        : 0;
    user->quiet = got > 0 ? 0 : user->quiet + 1;
    if (got <= 0)
        return 0;
    struct endpoint source = {.ipv4 = ntohl(from.sin_addr.s_addr), .port = ntohs(from.sin_port)};
    port_made_mac(source.mac, source.ipv4);
    udp_build(frame, user->data, &source, &user->own, (uint32_t)got, PORT_FILLS_SUMS);
    frame->flags = FRAME_SUMS_GOOD;
    counter_add(&user->counters.received, 1);
    return 1;
}

/* One at a time. */
static bool user_leaves(const struct port *port, uint32_t queue)
{
    (void)queue;
    return !((const struct user *)port->state)->quiet;
}

static bool send_one(const struct user *user, const struct port_frame *frame)
{
    struct sockaddr_in to = {.sin_family = AF_INET};
    memcpy(&to.sin_addr, frame->data + ETHERNET_HEADER_BYTES + 16, sizeof to.sin_addr);
    memcpy(&to.sin_port, frame->data + PORTS_AT + 2, sizeof to.sin_port);
    size_t bytes = frame->length - UDP_HEADERS;
    return sendto(user->fd, frame->data + UDP_HEADERS, bytes, 0, (const struct sockaddr *)&to, sizeof to) ==
           (ssize_t)bytes;
}

static uint32_t user_send(struct port *port, uint32_t queue, const struct port_frame *frame, uint32_t count)
{
    struct user *user = port->state;
    uint32_t sent = 0;
    (void)queue;
    while (sent < count && send_one(user, &frame[sent]))
        sent++;
    counter_add(&user->counters.sent, sent);
    counter_add(&user->counters.refused, count - sent);
    return sent;
}

static void user_statistics(struct port *port, struct port_statistics *statistics)
{
    const struct user *user = port->state;
    port_counters_sum(&user->counters, statistics);
}

static int user_link(struct port *port)
{
    (void)port;
    return 1;
}

static void user_close(struct port *port)
{
    const struct user *user = port->state;
    close(user->fd);
}

static const struct port_driver user_driver = {
    .name = "blocking",
    .summary = "recvfrom that waits, one sendto a lease",
    .kind = PORT_DATAGRAMS,
    .state_bytes = sizeof(struct user),
    .attach = user_attach,
    .receive = user_receive,
    .leaves = user_leaves,
    .send = user_send,
    .statistics = user_statistics,
    .link = user_link,
    .close = user_close,
};

static int open_socket(const struct site_port *row)
{
    const struct timeval wait = {.tv_usec = WAIT_US};
    const struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(row->own.port),
                                     .sin_addr.s_addr = htonl(row->own.ipv4)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), room = ROOM_BYTES;
    if (fd < 0)
        return -errno;
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    for (int retry = 0; retry < 50; retry++) {  /* a ring that was closed gives its socket back late */
        if (!bind(fd, (const struct sockaddr *)&here, sizeof here))
            return fd;
        usleep(10000);
    }
    int error = -errno;
    close(fd);
    return error;
}

int user_port(struct port *port, const struct site_port *row)
{
    struct user *user = calloc(1, sizeof *user);
    if (!user)
        return -ENOMEM;
    port_close(port);
    user->own = (struct endpoint){.ipv4 = row->own.ipv4, .port = row->own.port};
    port_made_mac(user->own.mac, user->own.ipv4);
    user->fd = open_socket(row);
    int error = user->fd < 0 ? user->fd : 0;
    *port = (struct port){.driver = error ? NULL : &user_driver, .state = error ? NULL : user,
                          .mtu = row->mtu};
    memcpy(port->mac, user->own.mac, sizeof port->mac);
    if (error)
        free(user);
    return error;
}
