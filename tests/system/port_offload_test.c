/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a device may do for us, with the one DPDK device every Linux has that does it: a TAP interface, whose
 * driver verifies checksums that come in and fills in those that go out. Its other side is the kernel's,
 * where a raw socket sees the bytes. Needs root; in a network namespace of its own.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "port/dpdk.h"
#include "port/ip/udp.h"

enum { SKIP = 77, MTU = 1500, BUFFERS = 4096, RING = 512, PAYLOAD = 201 };

static const struct port_driver tap_driver = {
    .name = "tap", .state_bytes = sizeof(struct dpdk), .attach = dpdk_attach, .receive = dpdk_receive,
    .send = dpdk_send, .statistics = dpdk_statistics, .link = dpdk_link, .close = dpdk_close};

static const struct endpoint near = {{0x02, 0, 0, 0, 0, 1}, 0, 0xC6336401u, 7001, 0},
                             far = {{0x02, 0, 0, 0, 0, 2}, 0, 0xC6336402u, 40001, 0};

struct tap {
    struct port port;
    int fd;
};

static int open_port(struct port *port)
{
    const struct port_config config = {.driver = "tap", .interface = "fb-tap", .mtu = MTU,
                                       .ring_frames = RING, .queues = 1, .memory_mib = 128,
                                       .housekeeping_core = 0};
    struct recipe recipe = {.bus = "vdev", .buffers = BUFFERS, .buffer_bytes = MTU + 64,
                            .device = "net_tap0", .arguments = "iface=fb-tap,mac=02:00:00:00:00:01"};
    port->driver = &tap_driver;
    port->mtu = MTU;
    port->state = calloc(1, (sizeof(struct dpdk) + 63) / 64 * 64);
    int rc = dpdk_open(port, &config, &recipe);
    if (rc)
        print_error("%s\n", port->error);
    return rc ? rc : port_attach(port, 0);
}

static int open_tap(void **state)
{
    static _Alignas(64) struct tap tap;
    *state = &tap;
    if (open_port(&tap.port))
        return -1;
    struct ifreq request = {.ifr_name = "fb-tap"};
    const struct timeval patience = {.tv_sec = 2};
    tap.fd = socket(AF_PACKET, SOCK_RAW, htons(0x0800));
    if (tap.fd < 0 || ioctl(tap.fd, SIOCGIFINDEX, &request))
        return -1;
    const struct sockaddr_ll here = {.sll_family = AF_PACKET, .sll_protocol = htons(0x0800),
                                     .sll_ifindex = request.ifr_ifindex};
    setsockopt(tap.fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return bind(tap.fd, (const struct sockaddr *)&here, sizeof here);
}

static int close_tap(void **state)
{
    struct tap *tap = *state;
    close(tap->fd);
    dpdk_close(&tap->port);
    free(tap->port.state);
    return 0;
}

static void make(struct port_frame *frame, uint8_t *room, const struct endpoint *from,
                 const struct endpoint *to, uint32_t offloads)
{
    for (uint32_t i = 0; i < PAYLOAD; i++)
        room[UDP_HEADROOM + i] = (uint8_t)(i * 7 + 1);
    udp_build(frame, room, from, to, PAYLOAD, offloads);
}

/* The next frame for us, what the kernel itself says over its interface passed over. */
static bool receive(struct tap *tap, struct port_frame *frame)
{
    for (time_t end = time(NULL) + 2; time(NULL) <= end;)
        if (port_receive(&tap->port, 0, frame, 1) && !memcmp(frame->data, near.mac, 6))
            return true;
    return false;
}

static void sums_are_judged_by_the_device(void **state)
{
    struct tap *tap = *state;
    static const struct { uint32_t at; uint16_t flags; int verdict; } cases[] = {
        {0, FRAME_SUMS_GOOD, ACCEPTED},
        {UDP_HEADERS + 50, FRAME_SUMS_BAD, REFUSED_CHECKSUM},       /* a byte of the payload */
        {24, FRAME_SUMS_BAD, REFUSED_CHECKSUM},                     /* the IPv4 header's own sum */
    };
    for (uint32_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t room[UDP_HEADROOM + PAYLOAD];
        struct port_frame sent, came;
        struct udp_datagram datagram;
        make(&sent, room, &far, &near, 0);
        if (cases[i].at)
            sent.data[cases[i].at] ^= 0x10;
        assert_int_equal(send(tap->fd, sent.data, sent.length, 0), sent.length);
        assert_true(receive(tap, &came));
        assert_int_equal(came.flags, cases[i].flags);
        assert_int_equal(udp_parse(&came, &near, &datagram), cases[i].verdict);
    }
}

static void sums_that_are_left_are_filled_in(void **state)
{
    struct tap *tap = *state;
    assert_int_equal(tap->port.offloads, PORT_FILLS_SUMS);
    uint8_t wanted_room[UDP_HEADROOM + PAYLOAD];
    struct port_frame wanted;
    make(&wanted, wanted_room, &near, &far, 0);
    for (uint32_t round = 0; round < 2; round++) {
        uint8_t room[UDP_HEADROOM + PAYLOAD], came[2048];
        struct port_frame frame;
        make(&frame, room, &near, &far, round ? 0 : tap->port.offloads);
        assert_int_equal(frame.flags, round ? 0 : FRAME_SUMS_LEFT);
        assert_int_equal(memcmp(frame.data, wanted.data, wanted.length) == 0, round);
        assert_int_equal(port_send(&tap->port, 0, &frame, 1), 1);
        assert_int_equal(recv(tap->fd, came, sizeof came, 0), wanted.length);
        assert_memory_equal(came, wanted.data, wanted.length);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_are_judged_by_the_device),
        cmocka_unit_test(sums_that_are_left_are_filled_in),
    };
    if (geteuid() || access("/dev/net/tun", R_OK | W_OK)) {
        puts("skipped: needs root and /dev/net/tun to make a TAP interface");
        return SKIP;
    }
    if (unshare(CLONE_NEWNET)) {
        perror("unshare");
        return 1;
    }
    return cmocka_run_group_tests_name("offloads", tests, open_tap, close_tap);
}
