/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The demo's network as tools/net makes it, with the kernel's own UDP at the far ends: what a meter's socket
 * sends is accepted with its checksums, and what we build reaches the socket of every host.
 */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "port/port.h"
#include "port/ip/udp.h"
#include "port_far_end.h"

enum { SKIP = 77, METER_PORT = 40001, OUR_PORT = 7001, HOST_PORT = 7002, HOST_FIRST = 11, HOST_LAST = 70 };

/* As documented in tools/net. */
static const uint8_t meters_peer_mac[6] = {0x02, 0xf1, 0xba, 0x11, 0x00, 0x02};
static const uint8_t hosts_peer_mac[6] = {0x02, 0xf1, 0xba, 0x11, 0x01, 0x02};

struct network {
    struct far_end far;
    struct port meters, hosts;
};

static struct sockaddr_in address_of(uint32_t ipv4, uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(ipv4)};
}

static uint32_t ipv4(const char *text)
{
    return ntohl(inet_addr(text));
}

static int open_port(struct port *port, const char *interface)
{
    const struct port_config config = {.driver = "af_packet",
                                       .interface = interface,
                                       .mtu = 1500,
                                       .ring_frames = 1024,
                                       .queues = 1,
                                       .memory_mib = 128,
                                       .housekeeping_core = 0};
    int rc = port_open(port, &config);
    if (rc)
        print_error("%s\n", port->error);
    return rc ? rc : port_attach(port, 0);
}

static int open_udp(struct network *network, const char *role, uint32_t address, uint16_t port)
{
    const struct sockaddr_in here = address_of(address, port);
    const struct timeval patience = {.tv_sec = 2};
    int fd = namespace_socket(role, network->far.suffix, AF_INET, SOCK_DGRAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&here, sizeof here), 0);
    return fd;
}

/* What becomes of the next frame that is for us. */
static int receive_datagram(struct port *port, const struct endpoint *us, struct udp_datagram *datagram)
{
    time_t end = time(NULL) + 2;
    int verdict = REFUSED_TRUNCATED;
    while (time(NULL) <= end) {
        struct port_frame frame;
        if (!port_receive(port, 0, &frame, 1))
            continue;
        verdict = udp_parse(&frame, us, datagram);
        if (verdict != REFUSED_NOT_OURS)
            return verdict;
    }
    return verdict;
}

static struct endpoint our_end(const struct port *port, const char *address)
{
    struct endpoint us = {.ipv4 = ipv4(address), .port = OUR_PORT};
    memcpy(us.mac, port->mac, 6);
    return us;
}

static void datagrams_of_a_kernel_socket_are_accepted(void **state)
{
    struct network *network = *state;
    const struct endpoint us = our_end(&network->meters, "198.51.100.1");
    const struct sockaddr_in there = address_of(us.ipv4, OUR_PORT);
    int meter = open_udp(network, "meters", ipv4("198.51.100.2"), METER_PORT);
    const uint32_t sizes[] = {0, 1, 2, 3, 199, 200, 1471, DATAGRAM_MAX};
    for (uint32_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        uint8_t payload[DATAGRAM_MAX];
        struct udp_datagram datagram;
        memset(payload, (int)(i + 65), sizeof payload);
        assert_int_equal(sendto(meter, payload, sizes[i], 0, (const struct sockaddr *)&there, sizeof there),
                         sizes[i]);
        assert_int_equal(receive_datagram(&network->meters, &us, &datagram), ACCEPTED);
        assert_int_equal(datagram.payload_bytes, sizes[i]);
        assert_memory_equal(datagram.payload, payload, sizes[i]);
        assert_int_equal(datagram.source.ipv4, ipv4("198.51.100.2"));
        assert_int_equal(datagram.source.port, METER_PORT);
        assert_memory_equal(datagram.source.mac, meters_peer_mac, 6);
    }
    close(meter);
}

static void what_the_kernel_leaves_unfinished_is_refused(void **state)
{
    struct network *network = *state;
    char command[128];
    snprintf(command, sizeof command, "ip netns exec flyball-meters-%s ethtool -K eth0 tx on >/dev/null",
             network->far.suffix);
    assert_int_equal(system(command), 0);
    const struct endpoint us = our_end(&network->meters, "198.51.100.1");
    const struct sockaddr_in there = address_of(us.ipv4, OUR_PORT);
    int meter = open_udp(network, "meters", ipv4("198.51.100.2"), METER_PORT);
    struct udp_datagram datagram;
    assert_int_equal(sendto(meter, "half", 4, 0, (const struct sockaddr *)&there, sizeof there), 4);
    assert_int_equal(receive_datagram(&network->meters, &us, &datagram), REFUSED_CHECKSUM);
    close(meter);
}

static void what_we_build_reaches_every_host(void **state)
{
    struct network *network = *state;
    const struct endpoint us = our_end(&network->hosts, "203.0.113.1");
    for (uint32_t host = HOST_FIRST; host <= HOST_LAST; host++) {
        struct endpoint to = {.ipv4 = (ipv4("203.0.113.0")) + host, .port = HOST_PORT};
        uint8_t frame[UDP_HEADROOM + DATAGRAM_MAX], came[2048];
        uint32_t bytes = host == HOST_LAST ? DATAGRAM_MAX : host;
        struct sockaddr_in from;
        socklen_t from_bytes = sizeof from;
        memcpy(to.mac, hosts_peer_mac, 6);
        memset(frame, (int)host, sizeof frame);
        int fd = open_udp(network, "hosts", to.ipv4, HOST_PORT);
        struct port_frame whole;
        udp_build(&whole, frame, &us, &to, bytes, 0);
        assert_int_equal(port_send(&network->hosts, 0, &whole, 1), 1);
        assert_int_equal(recvfrom(fd, came, sizeof came, 0, (struct sockaddr *)&from, &from_bytes), bytes);
        assert_memory_equal(came, frame + UDP_HEADROOM, bytes);
        assert_int_equal(ntohl(from.sin_addr.s_addr), us.ipv4);
        assert_int_equal(ntohs(from.sin_port), OUR_PORT);
        close(fd);
    }
}

static void hosts_answer_without_asking_for_our_mac(void **state)
{
    struct network *network = *state;
    const struct endpoint us = our_end(&network->hosts, "203.0.113.1");
    const struct sockaddr_in there = address_of(us.ipv4, OUR_PORT);
    int fd = open_udp(network, "hosts", ipv4("203.0.113.33"), HOST_PORT);
    struct udp_datagram datagram;
    assert_int_equal(sendto(fd, "report", 6, 0, (const struct sockaddr *)&there, sizeof there), 6);
    assert_int_equal(receive_datagram(&network->hosts, &us, &datagram), ACCEPTED);
    assert_int_equal(datagram.source.ipv4, ipv4("203.0.113.33"));
    assert_memory_equal(datagram.source.mac, hosts_peer_mac, 6);
    close(fd);
}

static int set_up(void **state)
{
    static struct network network;
    *state = &network;
    int rc = far_end_make(&network.far, "af_packet", 1500, false);
    if (!rc)
        rc = open_port(&network.meters, network.far.interface[0]);
    return rc ? rc : open_port(&network.hosts, network.far.interface[1]);
}

static int tear_down(void **state)
{
    struct network *network = *state;
    port_close(&network->meters);
    port_close(&network->hosts);
    far_end_unmake(&network->far);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(datagrams_of_a_kernel_socket_are_accepted),
        cmocka_unit_test(what_we_build_reaches_every_host),
        cmocka_unit_test(hosts_answer_without_asking_for_our_mac),
        cmocka_unit_test(what_the_kernel_leaves_unfinished_is_refused),
    };
    if (geteuid()) {
        puts("skipped: needs root to make network namespaces and packet sockets");
        return SKIP;
    }
    return cmocka_run_group_tests_name("UDP through two ports", tests, set_up, tear_down);
}
