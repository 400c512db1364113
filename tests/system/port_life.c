/* SPDX-License-Identifier: Apache-2.0 */
/* How a port comes and goes: opened, refused, opened again, by threads that end, with the plug pulled. */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "port_bench.h"

enum { THREADS = 200, LINK_PATIENCE_MS = 2000 };

static bool stands_on_dpdk(const struct bench *bench)
{
    return bench->far.kind == FAR_RAW;
}

static void *chatter(void *argument)
{
    const _Atomic bool *stop = argument;
    struct sockaddr_in nobody = {.sin_family = AF_INET, .sin_port = htons(9)};
    nobody.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    while (!atomic_load(stop))
        (void)sendto(fd, "chatter", 7, MSG_DONTWAIT, (struct sockaddr *)&nobody, sizeof nobody);
    close(fd);
    return NULL;
}

/* A packet socket hears the whole machine until it is bound: nothing of that may reach the port's owner. */
static void a_port_hears_its_own_interface_only(void **state)
{
    struct bench *bench = *state;
    _Atomic bool stop = false;
    pthread_t thread;
    uint32_t strangers = 0;
    assert_int_equal(pthread_create(&thread, NULL, chatter, &stop), 0);
    for (int round = 0; round < 4; round++) {
        struct port_frame frame[BURST_MAX];
        close_both(state);
        if (open_both(state))
            break;
        for (int i = 0; i < 1000; i++)
            strangers += port_receive(&bench->port, 0, frame, BURST_MAX);
    }
    atomic_store(&stop, true);
    pthread_join(thread, NULL);
    assert_non_null(bench->port.driver);
    assert_int_equal(strangers, 0);
}

struct passer_by {
    struct bench *bench;
    int outcome;
};

static void *attach_and_send(void *argument)
{
    struct passer_by *self = argument;
    uint8_t frame[100];
    make_frame(self->bench, FROM_PORT, frame, sizeof frame, 5);
    self->outcome = port_attach(&self->bench->port, 0);
    if (!self->outcome &&
        port_send(&self->bench->port, 0, &(struct port_frame){.data = frame, .length = sizeof frame}, 1) != 1)
        self->outcome = -EIO;
    return NULL;
}

/* DPDK has room for 128 threads: each must give its place back. */
static void threads_come_and_go(void **state)
{
    struct bench *bench = *state;
    for (int i = 0; i < THREADS; i++) {
        struct passer_by self = {.bench = bench};
        pthread_t thread;
        uint8_t came[FRAME_ROOM];
        assert_int_equal(pthread_create(&thread, NULL, attach_and_send, &self), 0);
        pthread_join(thread, NULL);
        assert_int_equal(self.outcome, 0);
        assert_int_equal(far_end_receive(&bench->far, came, sizeof came), 100);
    }
}

static void a_closed_port_opens_again(void **state)
{
    for (int round = 0; round < 3; round++) {
        close_both(state);
        assert_int_equal(open_both(state), 0);
        send_numbered(*state, 4, 100);
        receive_all_sizes(*state);
    }
}

static void two_ports_live_in_one_process(void **state)
{
    struct bench *bench = *state;
    struct port other;
    struct port_config config = bench->config;
    far_end_configure(&bench->far, 1, &config);
    config.mtu = 1500;
    assert_int_equal(port_open(&other, &config), 0);
    assert_int_equal(port_attach(&other, 0), 0);
    assert_memory_not_equal(other.mac, bench->port.mac, 6);
    send_numbered(bench, 10, 100);
    port_close(&other);
    send_numbered(bench, 10, 100);
}

static void what_cannot_be_opened_says_why(void **state)
{
    struct bench *bench = *state;
    struct port port;
    struct port_config config = bench->config;
    assert_int_equal(port_open(&port, &config), -EBUSY);        /* both ends taken, or the interface in use */
    assert_non_null(strstr(port.error, config.interface));
    config.driver = "pigeon";
    assert_int_equal(port_open(&port, &config), -ENOENT);
    assert_non_null(strstr(port.error, "pigeon"));
    config = bench->config;
    config.mtu = 100000;
    assert_int_equal(port_open(&port, &config), -EINVAL);
    config = bench->config;
    config.queues = 0;
    assert_int_equal(port_open(&port, &config), -EINVAL);
    if (far_end_carries_datagrams(&bench->far)) {
        far_end_configure(&bench->far, 1, &config);
        config.queues = 1;
        config.vlan = 7;
        assert_int_equal(port_open(&port, &config), -EINVAL);
        assert_non_null(strstr(port.error, "vlan"));
        config.vlan = 0;
        config.mtu = 1500;
        config.ipv4 ^= 0x40;                    /* 203.0.113.65, 127.1.0.67 */
        int rc = port_open(&port, &config);
        assert_int_equal(rc, bench->user ? 0 : -EADDRNOTAVAIL);     /* all of 127/8 is the kernel's */
        if (rc)
            assert_non_null(strstr(port.error, "203.0.113.65"));
        else
            port_close(&port);
    }
    assert_int_equal(port_attach(&bench->port, 1), -EINVAL);
}

static void an_interface_that_is_absent_or_too_narrow_is_refused(void **state)
{
    struct bench *bench = *state;
    if (bench->far.kind == FAR_LINK)
        skip();
    struct port port;
    struct port_config config = bench->config;
    config.interface = "fb-nowhere";
    assert_int_equal(port_open(&port, &config), -ENODEV);
    assert_non_null(strstr(port.error, "fb-nowhere"));
    config = bench->config;
    far_end_configure(&bench->far, 1, &config);
    config.mtu = 9000;
    if (bench->user)        /* the loopback interface takes 65536 */
        return;
    assert_int_equal(port_open(&port, &config), -EMSGSIZE);
    assert_non_null(strstr(port.error, "MTU"));
    if (!stands_on_dpdk(bench))
        return;
    config.mtu = 1500;
    config.housekeeping_core = 1000;
    assert_int_equal(port_open(&port, &config), -EINVAL);
    assert_non_null(strstr(port.error, "1000"));
}

/* DPDK's threads beside ours: each may run on the housekeeping core and nowhere else; we stay where we were.
 * Who needs no DPDK makes no thread. */
static void the_driver_keeps_its_threads_on_the_housekeeping_core(void **state)
{
    struct bench *bench = *state;
    cpu_set_t set;
    assert_int_equal(sched_getaffinity(0, sizeof set, &set), 0);
    assert_int_equal(CPU_COUNT(&set), sysconf(_SC_NPROCESSORS_ONLN));
    DIR *folder = opendir("/proc/self/task");
    uint32_t others = 0;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        int thread = atoi(entry->d_name);
        if (thread <= 0 || thread_is_known(bench, thread))
            continue;
        assert_int_equal(sched_getaffinity(thread, sizeof set, &set), 0);
        assert_int_equal(CPU_COUNT(&set), 1);
        assert_true(CPU_ISSET((unsigned)bench->config.housekeeping_core, &set));
        others++;
    }
    closedir(folder);
    assert_int_equal(others != 0, stands_on_dpdk(bench));
}

static void a_device_with_another_mac_is_refused_by_name(void **state)
{
    struct bench *bench = *state;
    struct port_config config = bench->config;
    uint8_t mac[6];
    memcpy(mac, bench->port.mac, sizeof mac);
    close_both(state);
    struct port port;
    mac[5] ^= 1;
    config.mac = mac;
    assert_int_equal(port_open(&port, &config), -ENODEV);
    assert_non_null(strstr(port.error, config.interface));
    assert_non_null(strstr(port.error, "MAC"));
    assert_int_equal(port_open(&port, &config), -ENODEV);       /* and it was let go */
    mac[5] ^= 1;
    assert_int_equal(port_open(&port, &config), 0);
    assert_memory_equal(port.mac, mac, sizeof mac);
    port_close(&port);
    assert_int_equal(open_both(state), 0);
}

static int link_becomes(struct port *port, int wanted)
{
    int link = port_link(port);
    for (int waited_ms = 0; link != wanted && waited_ms < LINK_PATIENCE_MS; waited_ms++) {
        nanosleep(&(struct timespec){.tv_nsec = NS_PER_MS}, NULL);
        link = port_link(port);
    }
    return link;
}

static void the_link_is_followed_down_and_up(void **state)
{
    struct bench *bench = *state;
    assert_int_equal(port_link(&bench->port), 1);
    if (far_end_plug(&bench->far, false) == -ENOTSUP)
        return;                     /* nothing to pull: up for ever */
    assert_int_equal(link_becomes(&bench->port, 0), 0);
    assert_int_equal(far_end_plug(&bench->far, true), 0);
    assert_int_equal(link_becomes(&bench->port, 1), 1);
    far_end_close(&bench->far);     /* its socket remembers that the interface was down */
    assert_int_equal(far_end_open(&bench->far, &bench->config), 0);
    receive_all_sizes(bench);
    send_numbered(bench, 10, 100);
}

/* What the kernel grants less than was asked for is said when the port opens, and stands in its statistics.
 * 400,000 datagrams need 0.9 GB: nobody's rmem_max is that large. */
static void less_room_than_asked_for_is_told(void **state)
{
    struct bench *bench = *state;
    struct port_statistics statistics;
    port_statistics(&bench->port, &statistics);
    assert_string_equal(bench->port.note, "");
    assert_true(!statistics.room_frames || statistics.room_frames >= RING_FRAMES);
    if (!far_end_carries_datagrams(&bench->far))
        return;
    struct port port;
    struct port_config config = bench->config;
    far_end_configure(&bench->far, 1, &config);
    config.mtu = 1500;
    config.ring_frames = 400000;
    assert_int_equal(port_open(&port, &config), 0);
    port_statistics(&port, &statistics);
    port_close(&port);
    assert_int_equal(statistics.room_frames < config.ring_frames, bench->user);
    assert_int_equal(strstr(port.note, "rmem_max") != NULL, bench->user);
    assert_int_not_equal(statistics.room_frames, 0);
}

#define CHECK(test) cmocka_unit_test_setup_teardown(test, open_both, close_both)

int check_life(struct bench *bench)
{
    struct CMUnitTest tests[] = {
        CHECK(a_port_hears_its_own_interface_only),
        CHECK(threads_come_and_go),
        CHECK(a_closed_port_opens_again),
        CHECK(two_ports_live_in_one_process),
        CHECK(what_cannot_be_opened_says_why),
        CHECK(an_interface_that_is_absent_or_too_narrow_is_refused),
        CHECK(the_driver_keeps_its_threads_on_the_housekeeping_core),
        CHECK(a_device_with_another_mac_is_refused_by_name),
        CHECK(the_link_is_followed_down_and_up),
        CHECK(less_room_than_asked_for_is_told),
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++)
        tests[i].initial_state = bench;
    return cmocka_run_group_tests_name("life", tests, NULL, NULL);
}
