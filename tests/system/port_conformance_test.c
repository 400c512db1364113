/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every port driver must do. Run as `port_conformance_test DRIVER [PAGES [MTU]]`, PAGES being "small" or
 * "huge"; with "table" instead of a driver's name it only checks that every driver of the table has a far end
 * to be tested with.
 */
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
#include <unistd.h>
#include <cmocka.h>

#include "port_bench.h"

enum { SKIP = 77, THREADS = 200 };

static void frames_of_every_size_come_in_whole(void **state)
{
    struct bench *bench = *state;
    const uint32_t longest = bench->config.mtu + ETHERNET,
                   lengths[] = {14, 15, 60, 61, 127, 1000, longest - 1, longest};
    for (uint32_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        uint8_t sent[FRAME_ROOM];
        struct port_frame frame[BURST_MAX];
        make_frame(sent, lengths[i], bench->port.mac, bench->far.mac, i);
        assert_true(far_end_send(&bench->far, sent, lengths[i]));
        assert_int_equal(receive_some(&bench->port, frame, 2000), 1);
        assert_frame(frame[0].data, frame[0].length, lengths[i], bench->port.mac, bench->far.mac, i);
    }
}

static void frames_of_every_size_go_out_whole(void **state)
{
    struct bench *bench = *state;
    const uint32_t longest = bench->config.mtu + ETHERNET,
                   lengths[] = {14, 15, 60, 61, 127, 1000, longest - 1, longest};
    for (uint32_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        uint8_t sent[FRAME_ROOM], came[FRAME_ROOM];
        make_frame(sent, lengths[i], bench->far.mac, bench->port.mac, i);
        assert_int_equal(
            port_send(&bench->port, 0, &(struct port_frame){.data = sent, .length = lengths[i]}, 1), 1);
        uint32_t length = far_end_receive(&bench->far, came, sizeof came);
        assert_frame(came, length, lengths[i], bench->far.mac, bench->port.mac, i);
    }
}

static void a_burst_and_more_than_a_burst_go_out_in_order(void **state)
{
    send_numbered(*state, BURST_MAX, 200);
    send_numbered(*state, 3 * BURST_MAX + 5, 333);
}

static void a_burst_comes_in_in_order_and_stays_valid(void **state)
{
    struct bench *bench = *state;
    uint8_t sent[FRAME_ROOM];
    for (uint32_t i = 0; i < BURST_MAX; i++)
        assert_true(
            far_end_send(&bench->far, sent, make_frame(sent, 300, bench->port.mac, bench->far.mac, i)));
    for (uint32_t came = 0; came < BURST_MAX;) {
        struct port_frame frame[BURST_MAX];
        uint32_t got = receive_some(&bench->port, frame, 2000);
        assert_int_not_equal(got, 0);
        /* Traffic behind the burst, and sending, must not touch what we hold. */
        assert_true(
            far_end_send(&bench->far, sent, make_frame(sent, 60, bench->port.mac, bench->far.mac, 99)));
        uint8_t answer[300];
        make_frame(answer, sizeof answer, bench->far.mac, bench->port.mac, 7);
        assert_int_equal(
            port_send(&bench->port, 0, &(struct port_frame){.data = answer, .length = sizeof answer}, 1), 1);
        for (uint32_t i = 0; i < got && came < BURST_MAX; i++, came++)
            assert_frame(frame[i].data, frame[i].length, 300, bench->port.mac, bench->far.mac, came);
    }
}

static void a_frame_that_does_not_fit_is_refused_and_counted(void **state)
{
    struct bench *bench = *state;
    uint8_t frame[FRAME_ROOM], came[FRAME_ROOM];
    uint32_t longest = bench->config.mtu + ETHERNET;
    make_frame(frame, longest + 1, bench->far.mac, bench->port.mac, 1);
    const struct port_frame burst[3] = {{.data = frame, .length = 100},
                                        {.data = frame, .length = longest + 1},
                                        {.data = frame, .length = 100}};
    assert_int_equal(port_send(&bench->port, 0, burst, 3), 1);
    assert_int_equal(port_send(&bench->port, 0, burst + 1, 1), 0);
    assert_int_equal(port_send(&bench->port, 0, &(struct port_frame){.data = frame, .length = 13}, 1), 0);
    assert_int_equal(far_end_receive(&bench->far, came, sizeof came), 100);
    struct port_statistics statistics;
    port_statistics(&bench->port, &statistics);
    assert_int_equal(statistics.sent, 1);
    assert_int_equal(statistics.refused, 2 + 1 + 1);
}

/* The kernel hands the sender's ring pages on; whoever lets frames wait must not see later ones in them. */
static void frames_that_wait_at_the_far_end_are_not_overwritten(void **state)
{
    const struct bench *bench = *state;
    if (bench->far.synthetic)
        skip();
    send_numbered(*state, 3 * RING_FRAMES, 100);
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
    make_frame(frame, sizeof frame, self->bench->far.mac, self->bench->port.mac, 5);
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

static void statistics_count_frames_and_bytes(void **state)
{
    struct bench *bench = *state;
    uint8_t frame[FRAME_ROOM];
    struct port_frame burst[BURST_MAX];
    for (uint32_t i = 0; i < 5; i++) {
        assert_true(
            far_end_send(&bench->far, frame, make_frame(frame, 500, bench->port.mac, bench->far.mac, i)));
        assert_int_equal(receive_some(&bench->port, burst, 2000), 1);
    }
    send_numbered(bench, 3, 700);
    struct port_statistics statistics;
    port_statistics(&bench->port, &statistics);
    assert_int_equal(statistics.received, 5);
    assert_int_equal(statistics.received_bytes, 5 * 500);
    assert_int_equal(statistics.sent, 3);
    assert_int_equal(statistics.sent_bytes, 3 * 700);
    assert_int_equal(statistics.lost + statistics.refused, 0);
    assert_int_equal(statistics.receive_errors + statistics.send_errors, 0);
}

static void what_a_full_ring_drops_is_counted_exactly(void **state)
{
    struct bench *bench = *state;
    uint32_t sent = 0, received = 0, offered = 6 * RING_FRAMES;
    uint8_t frame[FRAME_ROOM];
    for (uint32_t i = 0; i < offered; i++) {
        sent += far_end_send(&bench->far, frame, make_frame(frame, 100, bench->port.mac, bench->far.mac, i));
        if (i % 64 == 63)
            usleep(100);        /* or the kernel's own backlog between the two ends fills first */
    }
    struct port_frame burst[BURST_MAX];
    for (uint32_t got; (got = receive_some(&bench->port, burst, 100)) != 0;)
        received += got;
    struct port_statistics statistics;
    port_statistics(&bench->port, &statistics);
    print_message("%u sent, %u received, %llu lost\n", sent, received, (unsigned long long)statistics.lost);
    assert_int_equal(received + statistics.lost, sent);
    assert_in_range(received, RING_FRAMES, offered - 1);
    port_statistics(&bench->port, &statistics);
    assert_int_equal(received + statistics.lost, sent);     /* asking does not change the answer */
}

static void a_closed_port_opens_again(void **state)
{
    for (int round = 0; round < 3; round++) {
        close_both(state);
        assert_int_equal(open_both(state), 0);
        send_numbered(*state, 4, 100);
        frames_of_every_size_come_in_whole(state);
    }
}

static void two_ports_live_in_one_process(void **state)
{
    struct bench *bench = *state;
    struct port other;
    struct port_config config = bench->config;
    config.interface = bench->far.interface[1];
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
    assert_int_equal(port_attach(&bench->port, 1), -EINVAL);
}

static void an_interface_that_is_absent_or_too_narrow_is_refused(void **state)
{
    struct bench *bench = *state;
    if (bench->far.synthetic)
        skip();
    struct port port;
    struct port_config config = bench->config;
    config.interface = "fb-nowhere";
    assert_int_equal(port_open(&port, &config), -ENODEV);
    assert_non_null(strstr(port.error, "fb-nowhere"));
    config = bench->config;
    config.interface = bench->far.interface[1];
    config.mtu = 9000;
    assert_int_equal(port_open(&port, &config), -EMSGSIZE);
    assert_non_null(strstr(port.error, "MTU"));
    config.mtu = 1500;
    config.housekeeping_core = 1000;
    assert_int_equal(port_open(&port, &config), -EINVAL);
    assert_non_null(strstr(port.error, "1000"));
}

/* DPDK's threads beside ours: each may run on the housekeeping core and nowhere else; we stay where we were.
 * */
static void the_driver_keeps_its_threads_on_the_housekeeping_core(void **state)
{
    struct bench *bench = *state;
    if (bench->far.synthetic)
        skip();
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
    assert_int_not_equal(others, 0);
}

#define CHECK(test) cmocka_unit_test_setup_teardown(test, open_both, close_both)

static int run(struct bench *bench)
{
    struct CMUnitTest tests[] = {
        CHECK(frames_of_every_size_come_in_whole),
        CHECK(frames_of_every_size_go_out_whole),
        CHECK(a_burst_and_more_than_a_burst_go_out_in_order),
        CHECK(a_burst_comes_in_in_order_and_stays_valid),
        CHECK(a_frame_that_does_not_fit_is_refused_and_counted),
        CHECK(frames_that_wait_at_the_far_end_are_not_overwritten),
        CHECK(a_port_hears_its_own_interface_only),
        CHECK(threads_come_and_go),
        CHECK(statistics_count_frames_and_bytes),
        CHECK(what_a_full_ring_drops_is_counted_exactly),
        CHECK(a_closed_port_opens_again),
        CHECK(two_ports_live_in_one_process),
        CHECK(what_cannot_be_opened_says_why),
        CHECK(an_interface_that_is_absent_or_too_narrow_is_refused),
        CHECK(the_driver_keeps_its_threads_on_the_housekeeping_core),
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++)
        tests[i].initial_state = bench;
    return cmocka_run_group_tests_name(bench->config.driver, tests, NULL, NULL);
}

static int check_table(void)
{
    for (const struct port_driver *const *driver = port_table; *driver; driver++) {
        if (far_end_known((*driver)->name))
            continue;
        printf("driver %s has no far end in port_far_end.c, so nothing tests it\n", (*driver)->name);
        return 1;
    }
    return 0;
}

static long free_hugepages(void)
{
    long pages = 0;
    char line[128];
    FILE *file = fopen("/proc/meminfo", "r");
    while (file && fgets(line, sizeof line, file))
        sscanf(line, "HugePages_Free: %ld", &pages);
    if (file)
        fclose(file);
    return pages;
}

int main(int argc, char **argv)
{
    if (argc < 2 || !strcmp(argv[1], "table"))
        return check_table();
    struct bench bench = {.config = {.driver = argv[1], .mtu = 1500, .ring_frames = RING_FRAMES, .queues = 1,
                                     .memory_mib = 128, .housekeeping_core = 0}};
    bench.config.hugepages = argc > 2 && !strcmp(argv[2], "huge");
    bench.config.mtu = argc > 3 ? (uint32_t)atoi(argv[3]) : 1500;
    if (far_end_needs_root(argv[1]) && geteuid()) {
        puts("skipped: needs root to make a network namespace and packet sockets");
        return SKIP;
    }
    if (bench.config.hugepages && free_hugepages() * 2 < bench.config.memory_mib) {
        printf("skipped: %ld huge pages free, %u MiB needed\n", free_hugepages(), bench.config.memory_mib);
        return SKIP;
    }
    note_threads(&bench);
    int rc = far_end_make(&bench.far, argv[1], bench.config.mtu);
    bench.config.interface = bench.far.interface[0];
    if (!rc)
        rc = run(&bench);
    far_end_unmake(&bench.far);
    return rc ? 1 : 0;
}
