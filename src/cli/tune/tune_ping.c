/* SPDX-License-Identifier: Apache-2.0 */
/* Echo through the kernel: for ports that are sockets of the kernel themselves. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/tune/tune_path.h"
#include "port/ip/ping.h"
#include "rt/clock.h"

enum { ROOM = 256, IPV4_LENGTH_MASK = 15, IPV4_WORD = 4, ICMP_BYTES = 8, ECHO_REPLY = 0 };

struct kernel_way {
    const struct site *site;
    int fd;
    bool raw;                   /* answers come with their IP header, and everybody's come */
    uint16_t identifier;
};

/* A ping socket serves the groups of net.ipv4.ping_group_range, a raw one root. */
static int open_socket(struct kernel_way *way)
{
    way->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_ICMP);
    if (way->fd >= 0)
        return 0;
    way->raw = true;
    way->fd = socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_ICMP);
    return way->fd < 0 ? -errno : 0;
}

/* As the port's own frames: from its address, by its interface. Where that is refused, by the kernel's
 * routes. */
static void bind_as_port(const struct kernel_way *way)
{
    const struct site_port *row = &way->site->server.port[way->site->server.port_count - 1];
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(row->own.ipv4)};
    if (bind(way->fd, (const struct sockaddr *)&own, sizeof own))
        return;
    setsockopt(way->fd, SOL_SOCKET, SO_BINDTODEVICE, row->interface, (socklen_t)strlen(row->interface));
}

static int send_one(void *argument, uint32_t host, uint16_t round)
{
    struct kernel_way *way = argument;
    uint8_t message[ROOM];
    const struct ping ping = {.identifier = way->identifier, .sequence = round};
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(way->site->host_address[host].ipv4)};
    uint32_t bytes = ping_message(message, &ping);
    ssize_t sent = sendto(way->fd, message, bytes, 0, (const struct sockaddr *)&to, sizeof to);
    return sent == (ssize_t)bytes ? 0 : -errno;
}

static bool receive_one(void *argument, uint32_t *ipv4, uint16_t *round, int64_t *t_ns)
{
    struct kernel_way *way = argument;
    uint8_t data[ROOM];
    struct sockaddr_in from;
    socklen_t from_bytes = sizeof from;
    ssize_t got;
    while ((got = recvfrom(way->fd, data, sizeof data, 0, (struct sockaddr *)&from, &from_bytes)) >= 0) {
        const uint8_t *message = way->raw ? data + (data[0] & IPV4_LENGTH_MASK) * IPV4_WORD : data;
        *t_ns = clock_monotonic_ns();
        if (message + ICMP_BYTES > data + got || message[0] != ECHO_REPLY)
            continue;
        /* of a ping socket the kernel has chosen the identifier, and sorts the answers by it */
        if (way->raw && (message[4] << 8 | message[5]) != way->identifier)
            continue;
        *ipv4 = ntohl(from.sin_addr.s_addr);
        *round = (uint16_t)(message[6] << 8 | message[7]);
        return true;
    }
    return false;
}

int path_by_kernel(const struct site *site, int64_t span_ns, struct measured_path *out)
{
    struct kernel_way kernel = {.site = site, .identifier = (uint16_t)getpid()};
    const struct path_way way = {.way = &kernel, .send = send_one, .receive = receive_one};
    int rc = open_socket(&kernel);
    if (rc)
        return rc;
    bind_as_port(&kernel);
    rc = path_measure(site, &way, span_ns, out);
    close(kernel.fd);
    return rc;
}
