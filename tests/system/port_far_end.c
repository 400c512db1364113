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

#include "port/driver.h"

enum { PATIENCE_S = 2, SOCKET_ROOM_BYTES = 64 << 20, NEAR_PORT = 7001, FAR_PORT = 40001, FLOW_PORT = 41000,
       FLOW_BYTES = 8 };

/* Addresses as documented in tools/net. */
#define METERS_NEAR 0xC6336401u     /* 198.51.100.1 */
#define METERS_FAR  0xC6336402u
#define HOSTS_NEAR  0xCB007101u     /* 203.0.113.1 */
#define LOOPBACK_NEAR 0x7F010001u   /* 127.1.0.1 */
#define LOOPBACK_FAR  0x7F010002u
#define LOOPBACK_OTHER 0x7F010003u

/* Read by the leak sanitizer where there is one: libxdp 1.3 does not free what it made for its memory. */
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
    return "leak:xsk_umem__create\n";
}

enum far_kind far_end_kind(const char *driver)
{
    static const struct { const char *driver; enum far_kind kind; } known[] = {
        {"synthetic", FAR_LINK}, {"af_packet", FAR_RAW}, {"af_xdp", FAR_RAW}, {"uring", FAR_DATAGRAMS},
        {"pcap", FAR_FILES},     {"pci", FAR_ELSEWHERE},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (!strcmp(known[i].driver, driver))
            return known[i].kind;
    return FAR_UNKNOWN;
}

bool far_end_needs_root(const char *driver)
{
    enum far_kind kind = far_end_kind(driver);
    return kind == FAR_RAW || kind == FAR_DATAGRAMS;
}

bool far_end_carries_datagrams(const struct far_end *far)
{
    return far->kind == FAR_DATAGRAMS || far->kind == FAR_LOOPBACK;
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

static struct endpoint end_at(uint32_t ipv4, uint16_t port)
{
    struct endpoint end = {.ipv4 = ipv4, .port = port};
    port_made_mac(end.mac, ipv4);
    return end;
}

static int make_loopback(struct far_end *far)
{
    strcpy(far->interface[0], "lo");
    strcpy(far->interface[1], "lo");
    far->own = end_at(LOOPBACK_FAR, FAR_PORT);
    far->near[0] = end_at(LOOPBACK_NEAR, NEAR_PORT);
    far->near[1] = end_at(LOOPBACK_OTHER, NEAR_PORT);
    return 0;
}

static int make_veth(struct far_end *far, const char *driver, uint32_t mtu)
{
    char line[256];
    snprintf(far->suffix, sizeof far->suffix, "%c%03x", driver[strlen(driver) - 1],
             (unsigned)getpid() & 0xFFF);
    snprintf(far->interface[0], sizeof far->interface[0], "fb-meters-%s", far->suffix);
    snprintf(far->interface[1], sizeof far->interface[1], "fb-hosts-%s", far->suffix);
    /* The kernel is to own the port's address: not where other tests run ports without. */
    if (far->kind == FAR_DATAGRAMS && unshare(CLONE_NEWNET))
        return -errno;
    int rc = run_tool("up", far->suffix, far->kind == FAR_RAW ? "--neighbours" : "");
    if (!rc)
        rc = set_mtu(far->suffix, mtu);
    if (rc || far->kind != FAR_DATAGRAMS)
        return rc;
    far->own = end_at(METERS_FAR, FAR_PORT);
    far->near[0] = end_at(METERS_NEAR, NEAR_PORT);
    far->near[1] = end_at(HOSTS_NEAR, NEAR_PORT);
    snprintf(
        line, sizeof line,
        "ip link set lo up; ip address add 198.51.100.1/24 dev %s && ip address add 203.0.113.1/24 dev %s",
        far->interface[0], far->interface[1]);
    return system(line) ? -EIO : 0;
}

int far_end_make(struct far_end *far, const char *driver, uint32_t mtu, bool user)
{
    memset(far, 0, sizeof *far);
    far->fd = -1;
    far->kind = far_end_kind(driver);
    if (user && far->kind == FAR_DATAGRAMS)
        far->kind = FAR_LOOPBACK;
    if (far->kind == FAR_LOOPBACK)
        return make_loopback(far);
    if (far->kind == FAR_RAW || far->kind == FAR_DATAGRAMS)
        return make_veth(far, driver, mtu);
    strcpy(far->interface[0], "test-link");
    strcpy(far->interface[1], "other-link");
    return far->kind == FAR_LINK ? 0 : -ENOTSUP;
}

void far_end_unmake(struct far_end *far)
{
    if (far->suffix[0])
        (void)run_tool("down", far->suffix, "");
}

void far_end_configure(const struct far_end *far, uint32_t which, struct port_config *config)
{
    config->interface = far->interface[which];
    config->ipv4 = far->near[which].ipv4;
    config->udp = far->near[which].port;
}

int far_end_plug(const struct far_end *far, bool in)
{
    char line[128];
    if (!far->suffix[0])
        return -ENOTSUP;
    snprintf(line, sizeof line, "ip -netns flyball-meters-%s link set eth0 %s", far->suffix,
             in ? "up" : "down");
    return system(line) ? -EIO : 0;
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

static struct sockaddr_in address_of(const struct endpoint *end)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(end->port), .sin_addr.s_addr = htonl(end->ipv4)};
}

/* A UDP socket from that port of the far end's address; -1 with errno. */
static int udp_socket(const struct far_end *far, uint16_t port)
{
    struct endpoint end = far->own;
    end.port = port;
    const struct sockaddr_in here = address_of(&end);
    int fd = far->kind == FAR_LOOPBACK ? socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)
                                       : namespace_socket("meters", far->suffix, AF_INET, SOCK_DGRAM, 0);
    if (fd < 0 || !bind(fd, (const struct sockaddr *)&here, sizeof here))
        return fd;
    close(fd);
    return -1;
}

static int open_sockets(struct far_end *far)
{
    for (uint32_t i = 0; i < FLOWS_MAX && far_end_carries_datagrams(far); i++) {
        far->flow[i] = udp_socket(far, (uint16_t)(FLOW_PORT + i));
        if (far->flow[i] < 0)
            return -errno;
    }
    if (far->kind == FAR_RAW)       /* protocol 0: deaf until it is bound */
        far->fd = namespace_socket("meters", far->suffix, AF_PACKET, SOCK_RAW, 0);
    else
        far->fd = udp_socket(far, far->own.port);
    return far->fd < 0 ? -errno : 0;
}

int far_end_open(struct far_end *far, const struct port_config *config)
{
    if (far->kind == FAR_LINK) {
        int rc = port_open(&far->port, config);
        memcpy(far->mac, far->port.mac, 6);
        for (uint32_t q = 0; q < config->queues && !rc; q++)
            rc = port_attach(&far->port, q);
        return rc;
    }
    int rc = open_sockets(far);
    if (rc)
        return rc;
    struct timeval patience = {.tv_sec = PATIENCE_S};
    int room = SOCKET_ROOM_BYTES;
    setsockopt(far->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(far->fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
    memcpy(far->mac, far->own.mac, 6);
    return far->kind == FAR_RAW ? bind_raw(far) : 0;
}

void far_end_close(struct far_end *far)
{
    if (far->kind == FAR_LINK)
        port_close(&far->port);
    else if (far->fd >= 0)
        close(far->fd);
    for (uint32_t i = 0; i < FLOWS_MAX; i++) {
        if (far->flow[i] > 0)
            close(far->flow[i]);
        far->flow[i] = 0;
    }
    far->fd = -1;
    far->waiting_count = far->waiting_next = 0;
}

uint32_t wrap_datagram(uint8_t *frame, const struct endpoint *from, const struct endpoint *to,
                       uint32_t payload_bytes, uint32_t offloads)
{
    uint8_t room[FRAME_ROOM + UDP_HEADROOM];
    struct port_frame whole;
    memcpy(room + UDP_HEADROOM, frame + UDP_HEADERS, payload_bytes);
    udp_build(&whole, room, from, to, payload_bytes, offloads);
    memcpy(frame, whole.data, whole.length);
    return whole.length;
}

static bool send_datagram(const struct far_end *far, int fd, const uint8_t *payload, uint32_t bytes)
{
    const struct sockaddr_in to = address_of(&far->near[0]);
    return sendto(fd, payload, bytes, 0, (const struct sockaddr *)&to, sizeof to) == (ssize_t)bytes;
}

bool far_end_send(struct far_end *far, const uint8_t *frame, uint32_t length)
{
    uint8_t copy[FRAME_ROOM];
    if (far_end_carries_datagrams(far))
        return send_datagram(far, far->fd, frame + UDP_HEADERS, length - UDP_HEADERS);
    memcpy(copy, frame, length);
    if (far->kind == FAR_LINK)
        return port_send(&far->port, 0, &(struct port_frame){.data = copy, .length = length}, 1) == 1;
    return send(far->fd, copy, length, 0) == (ssize_t)length;
}

bool far_end_send_flow(struct far_end *far, const struct port *near, uint32_t flow, uint32_t number)
{
    uint8_t frame[UDP_HEADERS + FLOW_BYTES], *payload = frame + UDP_HEADERS;
    struct endpoint from = end_at(METERS_FAR, (uint16_t)(FLOW_PORT + flow)),
                    to = end_at(METERS_NEAR, NEAR_PORT);
    memcpy(payload, &flow, sizeof flow);
    memcpy(payload + sizeof flow, &number, sizeof number);
    if (far_end_carries_datagrams(far))
        return send_datagram(far, far->flow[flow], payload, FLOW_BYTES);
    memcpy(to.mac, near->mac, 6);
    memcpy(from.mac, far->mac, 6);
    uint32_t length = wrap_datagram(frame, &from, &to, FLOW_BYTES, 0);
    if (far->kind == FAR_LINK)
        return port_send(&far->port, flow % LANES_MAX,
                         &(struct port_frame){.data = frame, .length = length}, 1) == 1;
    return send(far->fd, frame, length, 0) == (ssize_t)length;
}

bool far_end_read_flow(const struct port_frame *frame, uint32_t *flow, uint32_t *number)
{
    if (frame->length < UDP_HEADERS + FLOW_BYTES || frame->data[12] != 0x08 || frame->data[13] != 0x00)
        return false;
    memcpy(flow, frame->data + UDP_HEADERS, sizeof *flow);
    memcpy(number, frame->data + UDP_HEADERS + sizeof *flow, sizeof *number);
    return *flow < FLOWS_MAX;
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

/* With the headers it was sent with put back before it. */
static uint32_t receive_datagram(struct far_end *far, uint8_t *frame, uint32_t room)
{
    struct sockaddr_in from;
    socklen_t bytes = sizeof from;
    ssize_t length = recvfrom(far->fd, frame + UDP_HEADERS, room - UDP_HEADERS, 0,
                              (struct sockaddr *)&from, &bytes);
    if (length < 0)
        return 0;
    struct endpoint sender = end_at(ntohl(from.sin_addr.s_addr), ntohs(from.sin_port));
    return wrap_datagram(frame, &sender, &far->own, (uint32_t)length, 0);
}

uint32_t far_end_receive(struct far_end *far, uint8_t *frame, uint32_t room)
{
    if (far->kind == FAR_LINK)
        return receive_from_port(far, frame, room);
    if (far_end_carries_datagrams(far))
        return receive_datagram(far, frame, room);
    ssize_t length = recv(far->fd, frame, room, 0);
    return length > 0 ? (uint32_t)length : 0;
}
