/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every port driver must do. Run as `port_conformance_test DRIVER [PAGES [MTU]]`, PAGES being "small" or "huge"; with
 * "table" instead of a driver's name it only checks that every driver of the table has a far end to be tested with.
 */
#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "port/port.h"
#include "port_far_end.h"

enum { SKIP = 77, RING_FRAMES = 1024, ETHERNET = 14 };

struct bench {
    struct port_config config;
    struct far_end far;
    struct port port;
};

/* A frame whose every byte follows from its number, so that a mix-up cannot pass. */
static uint32_t make_frame(uint8_t *frame, uint32_t length, const uint8_t *to, const uint8_t *from, uint32_t number)
{
    for (uint32_t i = ETHERNET; i < length; i++)
        frame[i] = (uint8_t)(number * 131 + i * 7 + (i >> 8));
    memcpy(frame, to, 6);
    memcpy(frame + 6, from, 6);
    frame[12] = TEST_ETHERTYPE >> 8;
    frame[13] = TEST_ETHERTYPE & 0xFF;
    return length;
}

static void assert_frame(const uint8_t *frame, uint32_t length, uint32_t expected, const uint8_t *to, const uint8_t *from,
                         uint32_t number)
{
    uint8_t wanted[FRAME_ROOM];
    make_frame(wanted, expected, to, from, number);
    assert_int_equal(length, expected);
    assert_memory_equal(frame, wanted, expected);
}

static bool is_test_frame(const struct port_frame *frame)
{
    return frame->length >= ETHERNET && frame->data[12] == TEST_ETHERTYPE >> 8 && frame->data[13] == (TEST_ETHERTYPE & 0xFF);
}

/* One burst with at least one test frame in it, strangers removed; 0 when `patience_ms` went by. */
static uint32_t receive_some(struct port *port, struct port_frame frame[BURST_MAX], int patience_ms)
{
    struct timespec start, now;
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (;;) {
        uint32_t got = port_receive(port, 0, frame, BURST_MAX), kept = 0;
        for (uint32_t i = 0; i < got; i++)
            if (is_test_frame(&frame[i]))
                frame[kept++] = frame[i];
        if (kept)
            return kept;
        clock_gettime(CLOCK_MONOTONIC, &now);
        if ((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000 > patience_ms)
            return 0;
    }
}

static int open_both(void **state)
{
    struct bench *bench = *state;
    if (port_open(&bench->port, &bench->config)) {
        print_error("%s\n", bench->port.error);
        return -1;
    }
    int rc = port_attach(&bench->port, 0);
    return rc ? rc : far_end_open(&bench->far, &bench->config);
}

static int close_both(void **state)
{
    struct bench *bench = *state;
    far_end_close(&bench->far);
    port_close(&bench->port);
    return 0;
}

static void frames_of_every_size_come_in_whole(void **state)
{
    struct bench *bench = *state;
    const uint32_t longest = bench->config.mtu + ETHERNET, lengths[] = {14, 15, 60, 61, 127, 1000, longest - 1, longest};
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
    const uint32_t longest = bench->config.mtu + ETHERNET, lengths[] = {14, 15, 60, 61, 127, 1000, longest - 1, longest};
    for (uint32_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        uint8_t sent[FRAME_ROOM], came[FRAME_ROOM];
        make_frame(sent, lengths[i], bench->far.mac, bench->port.mac, i);
        assert_int_equal(port_send(&bench->port, 0, &(struct port_frame){sent, lengths[i]}, 1), 1);
        uint32_t length = far_end_receive(&bench->far, came, sizeof came);
        assert_frame(came, length, lengths[i], bench->far.mac, bench->port.mac, i);
    }
}

static void send_numbered(struct bench *bench, uint32_t count, uint32_t length)
{
    uint8_t *memory = malloc((size_t)count * length);
    struct port_frame *frame = calloc(count, sizeof *frame);
    for (uint32_t i = 0; i < count; i++) {
        frame[i].data = memory + (size_t)i * length;
        frame[i].length = make_frame(frame[i].data, length, bench->far.mac, bench->port.mac, i);
    }
    assert_int_equal(port_send(&bench->port, 0, frame, count), count);
    memset(memory, 0xEE, (size_t)count * length);       /* it was copied: the caller's memory is his again */
    free(frame);
    free(memory);
    for (uint32_t i = 0; i < count; i++) {
        uint8_t came[FRAME_ROOM];
        uint32_t got = far_end_receive(&bench->far, came, sizeof came);
        assert_frame(came, got, length, bench->far.mac, bench->port.mac, i);
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
        assert_true(far_end_send(&bench->far, sent, make_frame(sent, 300, bench->port.mac, bench->far.mac, i)));
    for (uint32_t came = 0; came < BURST_MAX;) {
        struct port_frame frame[BURST_MAX];
        uint32_t got = receive_some(&bench->port, frame, 2000);
        assert_int_not_equal(got, 0);
        /* Traffic behind the burst, and sending, must not touch what we hold. */
        assert_true(far_end_send(&bench->far, sent, make_frame(sent, 60, bench->port.mac, bench->far.mac, 99)));
        uint8_t answer[300];
        make_frame(answer, sizeof answer, bench->far.mac, bench->port.mac, 7);
        assert_int_equal(port_send(&bench->port, 0, &(struct port_frame){answer, sizeof answer}, 1), 1);
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
    const struct port_frame burst[3] = {{frame, 100}, {frame, longest + 1}, {frame, 100}};
    assert_int_equal(port_send(&bench->port, 0, burst, 3), 1);
    assert_int_equal(port_send(&bench->port, 0, burst + 1, 1), 0);
    assert_int_equal(port_send(&bench->port, 0, &(struct port_frame){frame, 13}, 1), 0);
    assert_int_equal(far_end_receive(&bench->far, came, sizeof came), 100);
    struct port_statistics statistics;
    port_statistics(&bench->port, &statistics);
    assert_int_equal(statistics.sent, 1);
    assert_int_equal(statistics.refused, 2 + 1 + 1);
}

static void statistics_count_frames_and_bytes(void **state)
{
    struct bench *bench = *state;
    uint8_t frame[FRAME_ROOM];
    struct port_frame burst[BURST_MAX];
    for (uint32_t i = 0; i < 5; i++) {
        assert_true(far_end_send(&bench->far, frame, make_frame(frame, 500, bench->port.mac, bench->far.mac, i)));
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
            usleep(100);        /* so that the kernel's own backlog between the two ends does not fill first */
    }
    struct port_frame burst[BURST_MAX];
    for (uint32_t got; (got = receive_some(&bench->port, burst, 100)) != 0;)
        received += got;
    struct port_statistics statistics;
    port_statistics(&bench->port, &statistics);
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
}

/* DPDK's threads beside ours: each may run on the housekeeping core and nowhere else; we stay where we were. */
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
        if (thread <= 0 || thread == getpid())
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
    int rc = far_end_make(&bench.far, argv[1], bench.config.mtu);
    bench.config.interface = bench.far.interface[0];
    if (!rc)
        rc = run(&bench);
    far_end_unmake(&bench.far);
    return rc ? 1 : 0;
}
