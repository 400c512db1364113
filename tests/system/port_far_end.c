/* SPDX-License-Identifier: Apache-2.0 */
#include "port_far_end.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_S = 2, SOCKET_ROOM_BYTES = 64 << 20 };

/* Read by the leak sanitizer where there is one: libxdp 1.3 does not free what it made for its memory. */
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
    return "leak:xsk_umem__create\n";
}

bool far_end_known(const char *driver)
{
    return !strcmp(driver, "synthetic") || far_end_needs_root(driver);
}

bool far_end_needs_root(const char *driver)
{
    return !strcmp(driver, "af_packet") || !strcmp(driver, "af_xdp");
}

/* `tools/net VERB SUFFIX OPTION`, its words kept off the test's output. Nobody answers ARP at these ports. */
static int run_tool(const char *verb, const char *suffix, const char *option)
{
    const char *tool = getenv("FLYBALL_NET_TOOL");
    char line[512];
    snprintf(line, sizeof line, "'%s' %s %s %s >/dev/null", tool ? tool : "tools/net", verb, suffix, option);
    return system(line) ? -EIO : 0;
}

static int set_mtu(const char *suffix, uint32_t mtu)
{
    char line[256];
    snprintf(line, sizeof line,
             "ip link set fb-meters-%s mtu %u && ip -netns flyball-meters-%s link set eth0 mtu %u", suffix,
             mtu, suffix, mtu);
    return system(line) ? -EIO : 0;
}

int far_end_make(struct far_end *far, const char *driver, uint32_t mtu)
{
    memset(far, 0, sizeof *far);
    far->fd = -1;
    far->synthetic = !far_end_needs_root(driver);
    if (far->synthetic) {
        strcpy(far->interface[0], "test-link");
        strcpy(far->interface[1], "other-link");
        return 0;
    }
    snprintf(far->suffix, sizeof far->suffix, "%c%03x", driver[3], (unsigned)getpid() & 0xFFF);
    snprintf(far->interface[0], sizeof far->interface[0], "fb-meters-%s", far->suffix);
    snprintf(far->interface[1], sizeof far->interface[1], "fb-hosts-%s", far->suffix);
    int rc = run_tool("up", far->suffix, "--neighbours");
    return rc ? rc : set_mtu(far->suffix, mtu);
}

void far_end_unmake(struct far_end *far)
{
    if (!far->synthetic)
        (void)run_tool("down", far->suffix, "");
}

int namespace_socket(const char *role, const char *suffix, int family, int type, int protocol)
{
    char path[64];
    snprintf(path, sizeof path, "/var/run/netns/flyball-%s-%s", role, suffix);
    int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), there = open(path, O_RDONLY | O_CLOEXEC);
    int fd = -1;
    if (home >= 0 && there >= 0 && !setns(there, CLONE_NEWNET)) {
        fd = socket(family, type | SOCK_CLOEXEC, protocol);
        if (setns(home, CLONE_NEWNET))
            abort();
    }
    close(home);
    close(there);
    return fd;
}

/* Bound to eth0 of its namespace, whose MAC is the far end's. */
static int bind_raw(struct far_end *far)
{
    struct ifreq request = {.ifr_name = "eth0"};
    if (ioctl(far->fd, SIOCGIFHWADDR, &request))
        return -errno;
    memcpy(far->mac, request.ifr_hwaddr.sa_data, 6);
    if (ioctl(far->fd, SIOCGIFINDEX, &request))
        return -errno;
    struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons(TEST_ETHERTYPE),
                                  .sll_ifindex = request.ifr_ifindex};
    return bind(far->fd, (struct sockaddr *)&address, sizeof address) ? -errno : 0;
}

int far_end_open(struct far_end *far, const struct port_config *config)
{
    if (far->synthetic) {
        int rc = port_open(&far->port, config);
        memcpy(far->mac, far->port.mac, 6);
        return rc ? rc : port_attach(&far->port, 0);
    }
    /* Protocol 0: deaf until it is bound. */
    far->fd = namespace_socket("meters", far->suffix, AF_PACKET, SOCK_RAW, 0);
    if (far->fd < 0)
        return -errno;
    struct timeval patience = {.tv_sec = PATIENCE_S};
    int room = SOCKET_ROOM_BYTES;
    setsockopt(far->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(far->fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
    return bind_raw(far);
}

void far_end_close(struct far_end *far)
{
    if (far->synthetic)
        port_close(&far->port);
    else if (far->fd >= 0)
        close(far->fd);
    far->fd = -1;
    far->waiting_count = far->waiting_next = 0;
}

bool far_end_send(struct far_end *far, const uint8_t *frame, uint32_t length)
{
    uint8_t copy[FRAME_ROOM];
    memcpy(copy, frame, length);
    if (far->synthetic)
        return port_send(&far->port, 0, &(struct port_frame){.data = copy, .length = length}, 1) == 1;
    return send(far->fd, copy, length, 0) == (ssize_t)length;
}

static uint32_t receive_from_port(struct far_end *far, uint8_t *frame, uint32_t room)
{
    time_t end = time(NULL) + PATIENCE_S;
    while (far->waiting_next == far->waiting_count) {
        if (time(NULL) > end)
            return 0;
        far->waiting_count = port_receive(&far->port, 0, far->waiting, BURST_MAX);
        far->waiting_next = 0;
    }
    const struct port_frame *next = &far->waiting[far->waiting_next++];
    memcpy(frame, next->data, next->length < room ? next->length : room);
    return next->length;
}

uint32_t far_end_receive(struct far_end *far, uint8_t *frame, uint32_t room)
{
    if (far->synthetic)
        return receive_from_port(far, frame, room);
    ssize_t length = recv(far->fd, frame, room, 0);
    return length > 0 ? (uint32_t)length : 0;
}
