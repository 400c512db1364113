/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/meter/meter_link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "msg/limits.h"

enum {
    ETHERNET_BYTES = 14,
    IPV4_BYTES = 20,
    UDP_BYTES = 8,
    WRAP_BYTES = ETHERNET_BYTES + IPV4_BYTES + UDP_BYTES,
    CAPTURE_LINK_ETHERNET = 1,
    CAPTURE_BYTES_MAX = 65535,
    METER_PORT = 49152,         /* that a meter's datagrams in a capture come from */
};

#define CAPTURE_MAGIC_NS UINT32_C(0xa1b23c4d)

static int fail(struct meter_link *link, int rc, const char *what, const char *name)
{
    snprintf(link->why, sizeof link->why, "%s %s: %s", what, name, strerror(-rc));
    return rc;
}

static int read_address(struct meter_link *link, const char *text, struct sockaddr_in *address)
{
    char host[64], *end;
    const char *colon = strrchr(text, ':');
    size_t bytes = colon ? (size_t)(colon - text) : 0;

    *address = (struct sockaddr_in){.sin_family = AF_INET};
    if (colon && bytes < sizeof host) {
        memcpy(host, text, bytes);
        host[bytes] = '\0';
        unsigned long port = strtoul(colon + 1, &end, 10);

        address->sin_port = htons((uint16_t)port);
        if (colon[1] >= '0' && colon[1] <= '9' && !*end && port > 0 && port <= UINT16_MAX &&
            inet_pton(AF_INET, host, &address->sin_addr) == 1)
            return 0;
    }
    snprintf(link->why, sizeof link->why, "%s is no IPv4 address with a port, such as 10.0.0.1:4713", text);
    return -EINVAL;
}

static int read_ends(struct meter_link *link, const char *to, const char *from)
{
    int rc = read_address(link, to, &link->to);

    link->from = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (rc || !from || inet_pton(AF_INET, from, &link->from.sin_addr) == 1)
        return rc;
    snprintf(link->why, sizeof link->why, "%s is no IPv4 address", from);
    return -EINVAL;
}

int meter_link_udp(struct meter_link *link, const char *to, const char *from)
{
    int rc = read_ends(link, to, from);

    link->fd = -1;
    if (rc)
        return rc;
    link->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (link->fd < 0)
        return fail(link, -errno, "a socket for", to);
    if (from && bind(link->fd, (const struct sockaddr *)&link->from, sizeof link->from))
        return fail(link, -errno, "from", from);
    return 0;
}

int meter_link_interface(struct meter_link *link, const char *name)
{
    struct sockaddr_ll own = {.sll_family = AF_PACKET};

    link->framed = true;
    link->fd = -1;
    own.sll_ifindex = (int)if_nametoindex(name);
    if (!own.sll_ifindex)
        return fail(link, -errno, "interface", name);
    /* protocol 0: nothing is received */
    link->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (link->fd < 0)
        return fail(link, -errno, "whole Ethernet frames (which need root, or CAP_NET_RAW) on", name);
    if (bind(link->fd, (const struct sockaddr *)&own, sizeof own))
        return fail(link, -errno, "interface", name);
    return 0;
}

int meter_link_capture(struct meter_link *link, const char *path, const char *to, const char *from)
{
    const struct {
        uint32_t magic;
        uint16_t major, minor;
        uint32_t zone, accuracy, bytes_max, link;
    } head = {CAPTURE_MAGIC_NS, 2, 4, 0, 0, CAPTURE_BYTES_MAX, CAPTURE_LINK_ETHERNET};
    int rc = to ? read_ends(link, to, from) : 0;

    link->fd = -1;
    link->framed = !to;
    if (rc)
        return rc;
    link->name = strcmp(path, "-") ? path : "standard output";
    link->file = strcmp(path, "-") ? fopen(path, "we") : stdout;
    if (!link->file)
        return fail(link, -errno, "file", path);
    return fwrite(&head, sizeof head, 1, link->file) == 1 ? 0 : fail(link, -errno, "file", link->name);
}

static void put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

/* Ethernet, IPv4 and UDP without its checksum, which 0 says. */
static void wrap(const struct meter_link *link, uint8_t *head, uint32_t bytes)
{
    uint8_t *ip = head + ETHERNET_BYTES, *udp = ip + IPV4_BYTES;
    uint32_t sum = 0;

    memset(head, 0, WRAP_BYTES);
    put16(head + 12, 0x0800);
    ip[0] = 0x45;
    put16(ip + 2, IPV4_BYTES + UDP_BYTES + bytes);
    ip[8] = 64;
    ip[9] = IPPROTO_UDP;
    memcpy(ip + 12, &link->from.sin_addr, sizeof link->from.sin_addr);
    memcpy(ip + 16, &link->to.sin_addr, sizeof link->to.sin_addr);
    for (uint32_t k = 0; k < IPV4_BYTES; k += 2)
        sum += (uint32_t)ip[k] << 8 | ip[k + 1];
    sum = (sum & 0xFFFF) + (sum >> 16);
    sum = (sum & 0xFFFF) + (sum >> 16);
    put16(ip + 10, ~sum);
    put16(udp, METER_PORT);
    put16(udp + 2, ntohs(link->to.sin_port));
    put16(udp + 4, UDP_BYTES + bytes);
}

static bool capture(struct meter_link *link, int64_t t_ns, const uint8_t *data, uint32_t bytes)
{
    uint8_t head[WRAP_BYTES];
    uint32_t wrapped = link->framed ? 0 : WRAP_BYTES;
    const uint32_t record[4] = {(uint32_t)(t_ns / NS_PER_S), (uint32_t)(t_ns % NS_PER_S), wrapped + bytes,
                                wrapped + bytes};

    if (wrapped)
        wrap(link, head, bytes);
    if (!link->error && (fwrite(record, sizeof record, 1, link->file) != 1 ||
                         fwrite(head, 1, wrapped, link->file) != wrapped ||
                         fwrite(data, 1, bytes, link->file) != bytes))
        link->error = fail(link, -errno, "file", link->name);
    return !link->error;
}

/* The socket is not connected: where nobody listens the kernel need not tell, and meters go on. */
bool meter_link_send(struct meter_link *link, int64_t t_ns, const uint8_t *data, uint32_t bytes)
{
    if (link->file)
        return capture(link, t_ns, data, bytes);
    const struct sockaddr *to = link->framed ? NULL : (const struct sockaddr *)&link->to;
    ssize_t sent;

    do
        sent = sendto(link->fd, data, bytes, 0, to, to ? sizeof link->to : 0);
    while (sent < 0 && errno == EINTR);
    if (sent == (ssize_t)bytes)
        return true;
    link->refused++;
    if (!link->error)
        link->error = sent < 0 ? -errno : -EMSGSIZE;
    return false;
}

int meter_link_close(struct meter_link *link)
{
    int rc = link->file ? link->error : 0;

    if (link->file && (link->file == stdout ? fflush(stdout) : fclose(link->file)) && !rc)
        rc = fail(link, -errno, "file", link->name);
    if (link->fd >= 0)
        close(link->fd);
    link->fd = -1;
    link->file = NULL;
    return rc;
}
