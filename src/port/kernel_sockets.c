/* SPDX-License-Identifier: Apache-2.0 */
#include "port/kernel_sockets.h"

#include <dirent.h>
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if_packet.h>
#include <linux/if_xdp.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static bool has_domain(int fd, int domain)
{
    int found = -1;
    socklen_t bytes = sizeof found;
    return !getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &found, &bytes) && found == domain;
}

/* 0 when there is no such descriptor. The number of a closed descriptor is used again, its inode is not. */
static uint64_t inode_of(int fd)
{
    struct stat status;
    return fstat(fd, &status) ? 0 : status.st_ino;
}

static uint32_t list_sockets(int domain, int *fd, uint32_t room)
{
    uint32_t count = 0;
    DIR *folder = opendir("/proc/self/fd");
    if (!folder)
        return 0;
    for (struct dirent *entry; count < room && (entry = readdir(folder)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        int candidate = atoi(entry->d_name);
        if (has_domain(candidate, domain))
            fd[count++] = candidate;
    }
    closedir(folder);
    return count;
}

static bool was_there(const struct kernel_sockets *sockets, int fd)
{
    for (uint32_t i = 0; i < sockets->before_count; i++)
        if (sockets->before[i] == fd)
            return true;
    return false;
}

void kernel_sockets_before(struct kernel_sockets *sockets, int domain)
{
    sockets->domain = domain;
    sockets->count = 0;
    sockets->before_count = list_sockets(domain, sockets->before, SOCKETS_SEEN_MAX);
}

void kernel_sockets_after(struct kernel_sockets *sockets)
{
    int now[SOCKETS_SEEN_MAX];
    uint32_t count = list_sockets(sockets->domain, now, SOCKETS_SEEN_MAX);
    for (uint32_t i = 0; i < count && sockets->count < LANES_MAX; i++) {
        if (was_there(sockets, now[i]))
            continue;
        sockets->inode[sockets->count] = inode_of(now[i]);
        sockets->fd[sockets->count++] = now[i];
        /* What this machine's own stack sends over the interface is nothing we received. */
        int yes = 1;
        if (sockets->domain == AF_PACKET)
            (void)setsockopt(now[i], SOL_PACKET, PACKET_IGNORE_OUTGOING, &yes, sizeof yes);
    }
}

void kernel_sockets_close_left(struct kernel_sockets *sockets)
{
    for (uint32_t i = 0; i < sockets->count; i++)
        if (inode_of(sockets->fd[i]) == sockets->inode[i])
            close(sockets->fd[i]);
    sockets->count = 0;
}

static uint64_t packet_lost(struct kernel_sockets *sockets)
{
    for (uint32_t i = 0; i < sockets->count; i++) {
        struct tpacket_stats seen = {0};
        socklen_t bytes = sizeof seen;
        if (!getsockopt(sockets->fd[i], SOL_PACKET, PACKET_STATISTICS, &seen, &bytes))
            atomic_fetch_add_explicit(&sockets->lost, seen.tp_drops, memory_order_relaxed);
    }
    return atomic_load_explicit(&sockets->lost, memory_order_relaxed);
}

static uint64_t xdp_lost(const struct kernel_sockets *sockets)
{
    uint64_t lost = 0;
    for (uint32_t i = 0; i < sockets->count; i++) {
        struct xdp_statistics seen = {0};
        socklen_t bytes = sizeof seen;
        if (!getsockopt(sockets->fd[i], SOL_XDP, XDP_STATISTICS, &seen, &bytes))
            lost += seen.rx_dropped + seen.rx_ring_full;
    }
    return lost;
}

static uint64_t all_lost(struct kernel_sockets *sockets)
{
    return sockets->domain == AF_PACKET ? packet_lost(sockets) : xdp_lost(sockets);
}

void kernel_sockets_forget(struct kernel_sockets *sockets)
{
    sockets->forgotten = all_lost(sockets);
}

uint64_t kernel_sockets_lost(struct kernel_sockets *sockets)
{
    return all_lost(sockets) - sockets->forgotten;
}

/* 0 or -errno, the answer in `request`. */
static int ask_kernel(const char *interface, unsigned long what, struct ifreq *request)
{
    snprintf(request->ifr_name, sizeof request->ifr_name, "%s", interface);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    int rc = ioctl(fd, what, request) ? -errno : 0;
    close(fd);
    return rc;
}

int kernel_interface_mtu(const char *interface)
{
    struct ifreq request = {0};
    int rc = ask_kernel(interface, SIOCGIFMTU, &request);
    return rc ? rc : request.ifr_mtu;
}

int kernel_interface_link(const char *interface)
{
    struct ifreq request = {0};
    int rc = ask_kernel(interface, SIOCGIFFLAGS, &request);
    if (rc)
        return rc == -ENODEV ? 0 : rc;
    return (request.ifr_flags & (IFF_UP | IFF_RUNNING)) == (IFF_UP | IFF_RUNNING);
}

/* Protocol 0: the socket itself hears nothing. */
int kernel_hear_groups(const char *interface)
{
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    struct packet_mreq wanted = {.mr_ifindex = (int)if_nametoindex(interface), .mr_type = PACKET_MR_ALLMULTI};
    if (fd < 0 || !setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &wanted, sizeof wanted))
        return fd < 0 ? -errno : fd;
    int error = -errno;
    close(fd);
    return error;
}

/* One where it has none of the kind or cannot tell: so the driver counts too. */
int kernel_interface_channels(const char *interface)
{
    struct ethtool_channels channels = {.cmd = ETHTOOL_GCHANNELS};
    struct ifreq request = {.ifr_data = (void *)&channels};
    int rc = ask_kernel(interface, SIOCETHTOOL, &request);
    return rc || !channels.combined_count ? 1 : (int)channels.combined_count;
}

int kernel_interface_check(struct port *port, const struct port_config *config)
{
    if (strchr(config->interface, ',') || strlen(config->interface) >= IFNAMSIZ)
        return port_fail(port, -EINVAL, "%s: not a name a kernel interface can have here", config->interface);
    int mtu = kernel_interface_mtu(config->interface);
    if (mtu == -ENODEV)
        return port_fail(port, mtu, "this machine has no interface %s; ip link lists those it has",
                         config->interface);
    if (mtu < 0)
        return port_fail(port, mtu, "%s: %s", config->interface, strerror(-mtu));
    if ((uint32_t)mtu < config->mtu)
        return port_fail(port, -EMSGSIZE, "%s: the interface's MTU is %d, the port is to have %u",
                         config->interface, mtu, config->mtu);
    return 0;
}
