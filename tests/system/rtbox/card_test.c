/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a port must do, on a card of its own: frames of every size, bursts, figures, checksums. The other end
 * of its cable is a second card in the same machine, which the kernel drives and a raw socket speaks through.
 *
 * usage: card_test PCI-ADDRESS INTERFACE PAGES MTU; PAGES: "huge" for a driver that wants such, or "small"
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
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

#include "port/ip/udp.h"
#include "port/port.h"

enum { ETHERNET = 14, SHORTEST = 60, FRAME_ROOM = 9300, ETHERTYPE = 0x88B5, IPV4 = 0x0800, PATIENCE_S = 5,
       QUIET_S = 1, RING = 512, PAYLOAD = 200 };

struct bench {
    struct port_config config;
    const char *interface;      /* of the far end */
    struct port port;
    int fd;
    uint8_t far_mac[6];
};

static uint32_t padded(uint32_t length)
{
    return length < SHORTEST ? SHORTEST : length;
}

/* Every byte follows from the number. */
static void fill(uint8_t *frame, uint32_t length, const uint8_t *to, const uint8_t *from, uint32_t number)
{
    for (uint32_t i = ETHERNET; i < length; i++)
        frame[i] = (uint8_t)(number * 131 + i * 7 + (i >> 8));
    memcpy(frame, to, 6);
    memcpy(frame + 6, from, 6);
    frame[12] = ETHERTYPE >> 8;
    frame[13] = ETHERTYPE & 0xFF;
}

static bool is_kind(const uint8_t *frame, uint32_t kind)
{
    return frame[12] == kind >> 8 && frame[13] == (kind & 0xFF);
}

static bool is_late(const struct timespec *end)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec > end->tv_sec || (now.tv_sec == end->tv_sec && now.tv_nsec > end->tv_nsec);
}

static struct timespec in_seconds(int seconds)
{
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += seconds;
    return end;
}

/* Frames of that kind, strangers left out; 0 when none came in time. */
static uint32_t receive_for(struct bench *bench, struct port_frame frame[BURST_MAX], uint32_t kind,
                            int seconds)
{
    for (struct timespec end = in_seconds(seconds); !is_late(&end);) {
        uint32_t got = port_receive(&bench->port, 0, frame, BURST_MAX), kept = 0;
        for (uint32_t i = 0; i < got; i++)
            if (is_kind(frame[i].data, kind))
                frame[kept++] = frame[i];
        if (kept)
            return kept;
    }
    return 0;
}

static uint32_t receive(struct bench *bench, struct port_frame frame[BURST_MAX], uint32_t kind)
{
    return receive_for(bench, frame, kind, PATIENCE_S);
}

static void far_send(struct bench *bench, const uint8_t *frame, uint32_t length)
{
    while (send(bench->fd, frame, length, 0) < 0)
        assert_true(errno == ENOBUFS || errno == EAGAIN);       /* the kernel's queue is full just now */
}

static uint32_t far_receive(struct bench *bench, uint8_t *frame, uint32_t kind)
{
    for (struct timespec end = in_seconds(PATIENCE_S); !is_late(&end);) {
        ssize_t length = recv(bench->fd, frame, FRAME_ROOM, 0);
        struct timespec rest = {.tv_nsec = 1000000};
        if (length >= ETHERNET && is_kind(frame, kind) && !memcmp(frame, bench->far_mac, 6))
            return (uint32_t)length;
        if (length < 0)
            nanosleep(&rest, NULL);
    }
    return 0;
}

static int open_far(struct bench *bench)
{
    struct ifreq request = {0};
    int room = 32 << 20;
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", bench->interface);
    bench->fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, 0);
    if (bench->fd < 0 || ioctl(bench->fd, SIOCGIFHWADDR, &request))
        return -errno;
    memcpy(bench->far_mac, request.ifr_hwaddr.sa_data, 6);
    if (ioctl(bench->fd, SIOCGIFINDEX, &request))
        return -errno;
    setsockopt(bench->fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
    const struct sockaddr_ll here = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL),
                                     .sll_ifindex = request.ifr_ifindex};
    return bind(bench->fd, (const struct sockaddr *)&here, sizeof here) ? -errno : 0;
}

/* A card that was opened a moment ago has yet to agree with the other end. */
static int wait_for_link(struct bench *bench)
{
    for (struct timespec end = in_seconds(PATIENCE_S); !is_late(&end);)
        if (port_link(&bench->port) == 1)
            return 0;
    print_error("no link\n");
    return -1;
}

static int open_both(void **state)
{
    struct bench *bench = *state;
    if (port_open(&bench->port, &bench->config)) {
        print_error("%s\n", bench->port.error);
        return -1;
    }
    int rc = port_attach(&bench->port, 0);
    if (!rc)
        rc = open_far(bench);
    return rc ? rc : wait_for_link(bench);
}

static int close_both(void **state)
{
    struct bench *bench = *state;
    close(bench->fd);
    port_close(&bench->port);
    return 0;
}

static uint32_t lengths_of(const struct bench *bench, uint32_t length[8])
{
    const uint32_t longest = bench->config.mtu + ETHERNET,
                   wanted[8] = {ETHERNET, 15, 60, 61, 127, 1000, longest - 1, longest};
    memcpy(length, wanted, sizeof wanted);
    return 8;
}

/* What the cable pads is not the sender's. */
static void assert_frame(const uint8_t *frame, uint32_t length, const uint8_t *wanted, uint32_t wanted_length)
{
    assert_int_equal(length, padded(wanted_length));
    assert_memory_equal(frame, wanted, wanted_length);
}

static void frames_of_every_size_come_in_whole(void **state)
{
    struct bench *bench = *state;
    uint32_t length[8], count = lengths_of(bench, length);
    for (uint32_t i = 0; i < count; i++) {
        uint8_t sent[FRAME_ROOM];
        struct port_frame frame[BURST_MAX];
        /* the kernel's driver sends nothing shorter than its own header and a byte */
        uint32_t bytes = length[i] < 18 ? 18 : length[i];
        fill(sent, bytes, bench->port.mac, bench->far_mac, i);
        far_send(bench, sent, bytes);
        assert_int_equal(receive(bench, frame, ETHERTYPE), 1);
        assert_frame(frame[0].data, frame[0].length, sent, bytes);
    }
}

static void frames_of_every_size_go_out_whole(void **state)
{
    struct bench *bench = *state;
    uint32_t length[8], count = lengths_of(bench, length);
    for (uint32_t i = 0; i < count; i++) {
        uint8_t sent[FRAME_ROOM], came[FRAME_ROOM];
        fill(sent, length[i], bench->far_mac, bench->port.mac, i);
        assert_int_equal(
            port_send(&bench->port, 0, &(struct port_frame){.data = sent, .length = length[i]}, 1), 1);
        uint32_t got = far_receive(bench, came, ETHERTYPE);
        assert_frame(came, got, sent, length[i]);
    }
}

static void send_numbered(struct bench *bench, uint32_t count, uint32_t length)
{
    uint8_t *memory = malloc((size_t)count * length), wanted[FRAME_ROOM], came[FRAME_ROOM];
    struct port_frame *frame = calloc(count, sizeof *frame);
    for (uint32_t i = 0; i < count; i++) {
        frame[i] = (struct port_frame){.data = memory + (size_t)i * length, .length = length};
        fill(frame[i].data, length, bench->far_mac, bench->port.mac, i);
    }
    assert_int_equal(port_send(&bench->port, 0, frame, count), count);
    memset(memory, 0xEE, (size_t)count * length);       /* it was copied: the caller's memory is his again */
    free(frame);
    free(memory);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t got = far_receive(bench, came, ETHERTYPE);
        fill(wanted, length, bench->far_mac, bench->port.mac, i);
        assert_frame(came, got, wanted, length);
    }
}

static void bursts_go_out_in_order(void **state)
{
    send_numbered(*state, BURST_MAX, 200);
    send_numbered(*state, 3 * BURST_MAX + 5, 333);
}

static void a_burst_comes_in_in_order(void **state)
{
    struct bench *bench = *state;
    uint8_t sent[300];
    for (uint32_t i = 0; i < BURST_MAX; i++) {
        fill(sent, sizeof sent, bench->port.mac, bench->far_mac, i);
        far_send(bench, sent, sizeof sent);
    }
    for (uint32_t came = 0; came < BURST_MAX;) {
        struct port_frame frame[BURST_MAX];
        uint32_t got = receive(bench, frame, ETHERTYPE);
        assert_int_not_equal(got, 0);
        for (uint32_t i = 0; i < got; i++, came++) {
            fill(sent, sizeof sent, bench->port.mac, bench->far_mac, came);
            assert_frame(frame[i].data, frame[i].length, sent, sizeof sent);
        }
    }
}

static void a_frame_that_does_not_fit_is_refused_and_counted(void **state)
{
    struct bench *bench = *state;
    uint8_t frame[FRAME_ROOM], came[FRAME_ROOM];
    uint32_t longest = bench->config.mtu + ETHERNET;
    fill(frame, longest + 1, bench->far_mac, bench->port.mac, 1);
    const struct port_frame burst[3] = {{.data = frame, .length = 100},
                                        {.data = frame, .length = longest + 1},
                                        {.data = frame, .length = 100}};
    struct port_statistics statistics;
    assert_int_equal(port_send(&bench->port, 0, burst, 3), 1);
    assert_int_equal(far_receive(bench, came, ETHERTYPE), 100);
    port_statistics(&bench->port, &statistics);
    assert_int_equal(statistics.sent, 1);
    assert_int_equal(statistics.refused, 2);
}

/* More than its ring: whatever does not arrive is counted as lost, to the frame. */
static void what_the_ring_cannot_hold_is_counted(void **state)
{
    struct bench *bench = *state;
    uint8_t sent[100];
    struct port_frame frame[BURST_MAX];
    struct port_statistics statistics;
    uint32_t came = 0;
    for (uint32_t i = 0; i < 3 * RING; i++) {
        fill(sent, sizeof sent, bench->port.mac, bench->far_mac, i);
        far_send(bench, sent, sizeof sent);
    }
    for (uint32_t got; (got = receive_for(bench, frame, ETHERTYPE, QUIET_S)) != 0;)
        came += got;
    port_statistics(&bench->port, &statistics);
    print_message("%d sent, %u received, %llu lost\n", 3 * RING, came, (unsigned long long)statistics.lost);
    assert_in_range(came, RING / 2, 3 * RING);
    assert_int_equal(came + statistics.lost, 3 * RING);
}

static void a_closed_card_opens_again(void **state)
{
    for (int round = 0; round < 2; round++) {
        close_both(state);
        assert_int_equal(open_both(state), 0);
        send_numbered(*state, 4, 100);
    }
}

/* Payload bytes that follow from nothing but their place; `room` must live as long as the frame. */
static struct port_frame make_datagram(const struct bench *bench, uint8_t *room, bool inward,
                                       uint32_t offloads)
{
    struct endpoint near = {.ipv4 = 0xC6336401, .port = 7001}, far = {.ipv4 = 0xC6336402, .port = 40001};
    struct port_frame frame = {0};
    memcpy(near.mac, bench->port.mac, 6);
    memcpy(far.mac, bench->far_mac, 6);
    for (uint32_t i = 0; i < PAYLOAD; i++)
        room[UDP_HEADROOM + i] = (uint8_t)(i * 3);
    udp_build(&frame, room, inward ? &far : &near, inward ? &near : &far, PAYLOAD, offloads);
    return frame;
}

static uint16_t flags_of_one(struct bench *bench, const uint8_t *sent, uint32_t length)
{
    struct port_frame frame[BURST_MAX];
    far_send(bench, sent, length);
    assert_int_equal(receive(bench, frame, IPV4), 1);
    assert_memory_equal(frame[0].data, sent, length);       /* whatever it thinks of it, it hands it out */
    return frame[0].flags & (FRAME_SUMS_GOOD | FRAME_SUMS_BAD);
}

/* DPDK's driver for e1000e says which sums are wrong, never that they are right: those are checked again. */
static void the_card_checks_sums_that_come_in(void **state)
{
    struct bench *bench = *state;
    uint8_t room[FRAME_ROOM];
    struct port_frame sent = make_datagram(bench, room, true, 0);
    uint16_t good = flags_of_one(bench, sent.data, sent.length);
    sent.data[sent.length - 1] ^= 0x40;
    uint16_t wrong_udp = flags_of_one(bench, sent.data, sent.length);
    sent.data[sent.length - 1] ^= 0x40;
    sent.data[ETHERNET + 8] ^= 0x04;                        /* time to live, in the header's own sum */
    uint16_t wrong_ip = flags_of_one(bench, sent.data, sent.length);
    print_message("flags: good %u, wrong UDP sum %u, wrong IPv4 sum %u\n", good, wrong_udp, wrong_ip);
    assert_int_not_equal(good, FRAME_SUMS_BAD);
    assert_int_equal(wrong_udp, FRAME_SUMS_BAD);
    assert_int_equal(wrong_ip, FRAME_SUMS_BAD);
}

static void the_card_fills_sums_that_go_out(void **state)
{
    struct bench *bench = *state;
    uint8_t room[FRAME_ROOM], whole_room[FRAME_ROOM], came[FRAME_ROOM];
    assert_int_equal(bench->port.offloads & PORT_FILLS_SUMS, PORT_FILLS_SUMS);
    const struct port_frame left = make_datagram(bench, room, false, PORT_FILLS_SUMS),
                            whole = make_datagram(bench, whole_room, false, 0);
    assert_int_equal(left.flags, FRAME_SUMS_LEFT);
    assert_memory_not_equal(left.data, whole.data, whole.length);
    assert_int_equal(port_send(&bench->port, 0, &left, 1), 1);
    assert_int_equal(far_receive(bench, came, IPV4), whole.length);
    assert_memory_equal(came, whole.data, whole.length);
}

static void what_cannot_be_opened_says_why(void **state)
{
    struct bench *bench = *state;
    struct port port;
    struct port_config config = bench->config;
    assert_int_equal(port_open(&port, &config), -EBUSY);
    assert_non_null(strstr(port.error, config.interface));
    config.hugepages = false;
    assert_int_equal(port_open(&port, &config), bench->config.hugepages ? -ENOMEM : -EBUSY);
    assert_non_null(strstr(port.error, bench->config.hugepages ? "huge pages" : "already"));
    config = bench->config;
    config.interface = "0000:00:1f.0";
    assert_int_equal(port_open(&port, &config), -EBUSY);
    assert_non_null(strstr(port.error, "driverctl set-override 0000:00:1f.0 vfio-pci"));
    assert_int_equal(port_attach(&bench->port, 1), -EINVAL);
}

#define CHECK(test) cmocka_unit_test_setup_teardown(test, open_both, close_both)

int main(int argc, char **argv)
{
    if (argc != 5)
        return 2;
    struct bench bench = {.interface = argv[2],
                          .config = {.driver = "pci", .interface = argv[1], .mtu = (uint32_t)atoi(argv[4]),
                                     .ring_frames = RING, .queues = 1, .memory_mib = 64,
                                     .hugepages = !strcmp(argv[3], "huge"),
                                     .housekeeping_core = 0}};
    struct CMUnitTest tests[] = {
        CHECK(frames_of_every_size_come_in_whole),
        CHECK(frames_of_every_size_go_out_whole),
        CHECK(bursts_go_out_in_order),
        CHECK(a_burst_comes_in_in_order),
        CHECK(a_frame_that_does_not_fit_is_refused_and_counted),
        CHECK(what_the_ring_cannot_hold_is_counted),
        CHECK(a_closed_card_opens_again),
        CHECK(the_card_checks_sums_that_come_in),
        CHECK(the_card_fills_sums_that_go_out),
        CHECK(what_cannot_be_opened_says_why),
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++)
        tests[i].initial_state = &bench;
    return cmocka_run_group_tests_name("pci", tests, NULL, NULL);
}
