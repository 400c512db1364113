/* SPDX-License-Identifier: Apache-2.0 */
/* The loop whole, its threads running, on ports in memory: one hot thread or two, the door asked all the
 * while. The test that a race detector is to watch. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "frames.h"
#include "loop/loop.h"
#include "loop/verdict.h"

enum { FRAME_ROOM = 2048, FAR_MAC = 9, ROUNDS = 120, REPORT_EVERY = 10, ROUND_MS = 5, THROUGH_MS = 20000 };

struct bed {
    struct site site;
    struct loop loop;
    struct port far[PORTS_MAX];     /* the other ends: meters, hosts */
    struct frames_from meters, hosts;
    uint64_t measurements, reports, leases;
    pthread_t asker;
    _Atomic bool stop_asking;
    uint64_t documents;
};

static int64_t realtime_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static void rest(int ms)
{
    const struct timespec time = {.tv_nsec = ms * NS_PER_MS};
    nanosleep(&time, NULL);
}

/* The demo's site on ports in memory, asking the machine for nothing. */
static void load(struct bed *bed, int lane_core, int decide_core)
{
    const char *path = getenv("FLYBALL_DEMO_SITE");
    assert_non_null(path);
    assert_int_equal(site_load(&bed->site, path, "default", stderr), 0);
    struct site_server *server = &bed->site.server;
    for (uint32_t i = 0; i < server->port_count; i++) {
        strcpy(server->port[i].driver, "synthetic");
        server->port[i].ring_frames = 1024;
    }
    server->lane_core = lane_core;
    server->decide_core = decide_core;
    server->housekeeping_core = -1;
    server->priority = 0;
    server->lock_memory = false;
    server->journal[0] = 0;
}

static struct frames_from from_far(const struct bed *bed, uint32_t port)
{
    const struct site_port *row = &bed->site.server.port[port];
    struct frames_from from = {
        .from = {.mac = {2, 0, 0, 0, 0, FAR_MAC}, .ipv4 = row->own.ipv4 + 1, .port = 9000},
        .to = {.ipv4 = row->own.ipv4, .port = row->own.port},
        .sequence = (uint64_t)realtime_ns()};
    memcpy(from.to.mac, bed->loop.port[port].mac, 6);
    return from;
}

static void open_far(struct bed *bed)
{
    for (uint32_t i = 0; i < PORTS_MAX; i++) {
        const struct site_port *row = &bed->site.server.port[i];
        struct port_config config = {.driver = "synthetic", .interface = row->interface, .mtu = row->mtu,
                                     .ring_frames = row->ring_frames, .queues = 1, .housekeeping_core = -1};
        assert_int_equal(port_open(&bed->far[i], &config), 0);
        assert_int_equal(port_attach(&bed->far[i], 0), 0);
    }
    bed->meters = from_far(bed, 0);
    bed->hosts = from_far(bed, 1);
}

static void *ask(void *argument)
{
    struct bed *bed = argument;
    while (!atomic_load(&bed->stop_asking)) {
        char *text = NULL;
        size_t bytes = 0;
        FILE *out = open_memstream(&text, &bytes);
        loop_document(&bed->loop, out);
        fclose(out);
        if (bytes < 100 || text[0] != '{')
            abort();
        free(text);
        bed->documents++;
    }
    return NULL;
}

static void start(struct bed *bed, int lane_core, int decide_core)
{
    struct loop_options options = {.journal = "", .door = ""};
    memset(bed, 0, sizeof *bed);
    load(bed, lane_core, decide_core);
    assert_int_equal(loop_build(&bed->loop, &bed->site, &options), 0);
    open_far(bed);
    assert_int_equal(loop_start(&bed->loop, stderr), 0);
    assert_int_equal(pthread_create(&bed->asker, NULL, ask, bed), 0);
}

static void send_one(struct port *port, struct port_frame frame)
{
    while (!port_send(port, 0, &frame, 1))
        rest(1);
}

static void take_leases(struct bed *bed)
{
    struct port_frame frame[BURST_MAX];
    for (uint32_t got; (got = port_receive(&bed->far[1], 0, frame, BURST_MAX)) > 0;)
        for (uint32_t i = 0; i < got; i++)
            bed->leases += frame[i].data[13] == 0;      /* IPv4; what else comes are announcements by ARP */
}

static void play(struct bed *bed)
{
    const struct model *model = &bed->site.model;
    uint8_t data[FRAME_ROOM];
    for (uint64_t round = 1; round <= ROUNDS; round++) {
        for (uint32_t i = 0; i < model->meter_count; i++, bed->measurements++) {
            bed->meters.sequence++;
            send_one(&bed->far[0],
                     frames_measurement(data, &bed->meters, model->meter[i].name, realtime_ns()));
        }
        for (uint32_t i = 0; round % REPORT_EVERY == 1 && i < model->host_count; i++, bed->reports++) {
            bed->hosts.sequence++;
            bed->hosts.from.ipv4 = bed->site.host_address[i].ipv4;
            send_one(&bed->far[1], frames_report(data, &bed->hosts, i, round));
        }
        rest(ROUND_MS);
        take_leases(bed);
    }
}

static bool all_through(const struct bed *bed)
{
    const struct loop *loop = &bed->loop;
    uint64_t waiting = spsc_depth(&loop->normal) + spsc_depth(&loop->emergency) + spsc_depth(&loop->returns);
    for (uint32_t i = 0; i < loop->path.lanes; i++)
        waiting += spsc_depth(&loop->lane_queue[i]);
    return !waiting && count_read(&loop->path.lane[0].counters.frames) == bed->measurements &&
           count_read(&loop->path.lane[1].counters.frames) == bed->reports;
}

/* On a busy machine the hot threads may come late: they are given time, then they must have taken
 * everything. */
static void stop(struct bed *bed)
{
    for (int i = 0; i < THROUGH_MS && !all_through(bed); i++)
        rest(1);
    loop_stop(&bed->loop);
    take_leases(bed);
}

/* What went in came out again or was counted, and no number disagrees with another. */
static void check(struct bed *bed)
{
    const struct path *path = &bed->loop.path;
    const struct core_counters *core = core_counters(bed->loop.core);
    uint64_t digests = count_read(&bed->loop.drain.slots) - count_read(&path->decide->counters.slots);

    assert_int_equal(count_read(&path->lane[0].counters.accepted) +
                     count_read(&path->lane[0].counters.refused[REFUSED_STALE]), bed->measurements);
    assert_int_equal(count_read(&path->lane[1].counters.accepted), bed->reports);
    assert_int_equal(core->readings, count_read(&path->lane[0].counters.accepted));
    assert_int_equal(core->reports, bed->reports);
    assert_true(bed->leases >= bed->reports);   /* every report is answered at once */
    assert_int_equal(count_read(&path->egress->counters.sent), bed->leases);
    assert_int_equal(core->leases, bed->leases);
    assert_int_equal(count_read(&path->decide->counters.tap_dropped[CLASS_READING]), 0);
    assert_true(digests <= 30);
    assert_true(bed->documents > 0);
    assert_int_equal(path->egress->sent.live.count, bed->leases);
    assert_int_equal(core->invariant_failures, 0);
}

static void run(int lane_core, int decide_core)
{
    static struct bed bed;
    start(&bed, lane_core, decide_core);
    play(&bed);
    struct verdict verdict;
    const struct verdict_surroundings around = {0};
    verdict_make(&verdict, &bed.site.model, &bed.loop.view, &around, bed.loop.t_start_ns,
                 timebase_now_ns(&bed.loop.base));
    atomic_store(&bed.stop_asking, true);
    pthread_join(bed.asker, NULL);
    stop(&bed);
    print_message("%s; %llu documents, %llu leases\n", verdict.words, (unsigned long long)bed.documents,
                  (unsigned long long)bed.leases);
    check(&bed);
    for (uint32_t i = 0; i < PORTS_MAX; i++)
        port_close(&bed.far[i]);
    loop_close(&bed.loop);
    site_unload(&bed.site);
}

static void one_hot_thread_does_it_all(void **state)
{
    (void)state;
    run(-1, -1);
}

static void two_hot_threads_share_the_path(void **state)
{
    (void)state;
    run(0, 1);
}

static void second_start_after_a_stop_is_a_higher_epoch(void **state)
{
    (void)state;
    static struct bed bed;
    uint64_t before = 0;

    for (int turn = 0; turn < 2; turn++) {
        start(&bed, -1, -1);
        assert_true(bed.loop.epoch > before);
        before = bed.loop.epoch;
        atomic_store(&bed.stop_asking, true);
        pthread_join(bed.asker, NULL);
        stop(&bed);
        for (uint32_t i = 0; i < PORTS_MAX; i++)
            port_close(&bed.far[i]);
        loop_close(&bed.loop);
        site_unload(&bed.site);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_hot_thread_does_it_all),
        cmocka_unit_test(two_hot_threads_share_the_path),
        cmocka_unit_test(second_start_after_a_stop_is_a_higher_epoch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
