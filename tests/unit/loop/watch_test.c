/* SPDX-License-Identifier: Apache-2.0 */
/* What the cold side sees: heartbeats, copies of histograms, records; and RT throttling put back. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "loop/cold.h"
#include "loop/latency.h"
#include "loop/link.h"
#include "loop/verdict.h"
#include "rig.h"
#include "rt/throttle.h"

static void rest(void)
{
    const struct timespec time = {.tv_nsec = NS_PER_MS};
    nanosleep(&time, NULL);
}

static void fatal_stall(const struct hot *hot, int64_t stall_ns)
{
    assert_true(stall_ns > STALL_FATAL_NS);
    *(bool *)hot->path = true;
}

static void stall_is_counted_once_and_five_seconds_are_fatal(void **state)
{
    (void)state;
    bool ended = false;
    struct hot hot = {.state = HOT_READY, .path = (struct path *)&ended};
    struct watchdog dog = {.hot = &hot, .hots = 1, .counted_ns = STALL_COUNTED_NS, .fatal_ns = STALL_FATAL_NS,
                           .fatal = fatal_stall};
    int64_t now_ns = NS_PER_S;

    watchdog_start(&dog, now_ns);
    for (int i = 0; i < 50; i++) {
        count_add(&hot.beat, 1);
        watchdog_look(&dog, now_ns += 99 * NS_PER_MS);
    }
    assert_int_equal(count_read(&dog.stalls), 0);
    for (int i = 0; i < 30; i++)
        watchdog_look(&dog, now_ns += 10 * NS_PER_MS);
    assert_int_equal(count_read(&dog.stalls), 1);
    assert_int_equal(count_read(&dog.longest_ns), 300 * NS_PER_MS);
    count_add(&hot.beat, 1);
    watchdog_look(&dog, now_ns += NS_PER_MS);
    for (int64_t stood_ns = 0; stood_ns < STALL_FATAL_NS; stood_ns += 10 * NS_PER_MS)
        watchdog_look(&dog, now_ns += 10 * NS_PER_MS);
    assert_int_equal(count_read(&dog.stalls), 2);
    assert_false(ended);
    watchdog_look(&dog, now_ns += 10 * NS_PER_MS);
    assert_true(ended);
}

static void thread_that_has_ended_is_not_missed(void **state)
{
    (void)state;
    struct hot hot = {.state = HOT_ENDED};
    struct watchdog dog = {
        .hot = &hot, .hots = 1, .counted_ns = STALL_COUNTED_NS, .fatal_ns = STALL_FATAL_NS};

    watchdog_start(&dog, 0);
    for (int64_t now_ns = 0; now_ns < 20 * NS_PER_S; now_ns += NS_PER_S)
        watchdog_look(&dog, now_ns);
    assert_int_equal(count_read(&dog.stalls), 0);
}

static void copy_of_a_histogram_comes_in_pieces_and_whole(void **state)
{
    (void)state;
    static struct latency latency;
    static struct histogram copy;
    uint32_t turns = 0;

    for (uint64_t ns = 1; ns <= 1000; ns++)
        histogram_record(&latency.live, ns * 1000);
    assert_false(latency_serve(&latency));
    latency_ask(&latency);
    latency_ask(&latency);      /* the second changes nothing while the first is under way */
    while (!latency_take(&latency, &copy)) {
        latency_serve(&latency);
        turns++;
    }
    assert_int_equal(turns, (sizeof copy + LATENCY_PIECE_BYTES - 1) / LATENCY_PIECE_BYTES);
    assert_int_equal(copy.count, 1000);
    assert_int_equal(copy.max_ns, 1000000);
    assert_memory_equal(copy.bucket, latency.live.bucket, sizeof copy.bucket);
    histogram_record(&latency.live, 5);
    assert_true(latency_take(&latency, &copy));
    assert_int_equal(copy.count, 1000);
}

static void records_come_back_as_written(void **state)
{
    (void)state;
    static struct seqlock record[VIEW_COUNTER_RECORDS + DEGRADATION_COUNT + 2 * VIEW_NODE_RECORDS +
                                 3 * VIEW_HOST_RECORDS + 2 + 3 * VIEW_DETAIL_RECORDS +
                                 ALERTS_MAX * VIEW_ALERT_RECORDS];
    static struct core core = {.steps = 77};
    struct view view;
    struct core_node_view seen_node;
    struct core_host_view seen_host;
    struct core_counters counters;
    uint64_t *word = (uint64_t *)&core.counters;

    assert_int_equal(view_layout(2, 3, 1).end, sizeof record);
    view_place(&view, record, 2, 3, 1);
    for (uint32_t i = 0; i < VIEW_COUNTERS; i++)
        word[i] = 1000 + i;
    /* one record a call: a round takes exactly as many calls as there are records */
    for (uint32_t i = 0; i < VIEW_COUNTER_RECORDS + DEGRADATION_COUNT + 2 + 3; i++)
        view_refresh(&view, &core, 1);
    assert_true(view_read_counters(&view, &counters));
    assert_memory_equal(&counters, &core.counters, sizeof counters);
    assert_true(view_read_node(&view, 1, &seen_node));
    assert_int_equal(view_worst_phase(&seen_node, NULL), 1);      /* the phase nearest its limit */
    assert_int_equal(seen_node.exposure_mva[1], 30);
    assert_int_equal(seen_node.newest_mva[1], 2);
    assert_int_equal(seen_node.limit_mva[2], 100);
    assert_int_equal(seen_node.measured_mw, 78);
    assert_true(seen_node.emergency && !seen_node.recovery);
    assert_true(view_read_host(&view, 1, &seen_host));
    assert_true(seen_host.lease_mw == 1000 && seen_host.exposure_mw == -1 &&
                seen_host.incarnation == UINT64_MAX);
    assert_true(seen_host.state == 2 && seen_host.why == 7 && seen_host.accepted);
    assert_true(view_read_host(&view, 2, &seen_host));
    assert_false(seen_host.accepted);
    assert_int_equal(view.next, 0);
}

/* Decide writes what the core sees and leaves alone what another thread writes. */
static void decide_shows_the_cores_rows_and_leaves_the_loops_alone(void **state)
{
    (void)state;
    static struct seqlock record[VIEW_COUNTER_RECORDS + DEGRADATION_COUNT + VIEW_NODE_RECORDS +
                                 VIEW_HOST_RECORDS + 2];
    static struct core core;
    struct view view;
    view_place(&view, record, 1, 1, 1);
    for (uint32_t row = 0; row < DEGRADATION_COUNT; row++)
        core.degraded[row] = (struct degrade_row){.now = 10 + row, .newest = row, .entered = 20 + row};
    view_refresh_all(&view, &core);
    for (uint32_t row = 0; row < DEGRADATION_COUNT; row++) {
        struct degrade_row seen;
        bool loops = row == DEGRADED_CLOCK || row == DEGRADED_RING || row == DEGRADED_JOURNAL ||
                     row == DEGRADED_SHED || row == DEGRADED_MARKS;
        assert_true(view_read_degraded(&view, row, &seen));
        assert_int_equal(seen.now, loops ? 0 : 10 + row);
        assert_int_equal(seen.entered, loops ? 0 : 20 + row);
    }
}

/* ---- links ---- */

static int told_link;

static int tell_link(struct port *port)
{
    (void)port;
    return told_link;
}

static void links_are_looked_at_ten_times_a_second_and_changes_counted(void **state)
{
    (void)state;
    const struct port_driver driver = {.name = "told", .link = tell_link};
    struct port port = {.driver = &driver};
    struct link_watch watch;
    int64_t now_ns = NS_PER_S;

    told_link = 0;
    link_watch_start(&watch, &port, 1);
    assert_true(link_up(&watch, 0));
    link_watch_look(&watch, now_ns);
    assert_false(link_up(&watch, 0));
    assert_int_equal(link_changes(&watch, 0), 1);
    told_link = 1;
    link_watch_look(&watch, now_ns + 100 * NS_PER_MS - 1);
    assert_false(link_up(&watch, 0));
    link_watch_look(&watch, now_ns + 100 * NS_PER_MS);
    assert_true(link_up(&watch, 0));
    told_link = -ENODEV;                            /* nothing can be told: as it was */
    link_watch_look(&watch, INT64_MAX);
    assert_true(link_up(&watch, 0));
    assert_int_equal(link_changes(&watch, 0), 2);
}

static _Atomic int slow_link;

static int tell_slowly(struct port *port)
{
    (void)port;
    int link;
    while ((link = atomic_load(&slow_link)) == -EAGAIN)
        rest();
    return link;
}

static void wait_for_link(const struct link_watch *watch, bool up)
{
    for (int i = 0; i < 5000 && link_up(watch, 0) != up; i++)
        rest();
    assert_int_equal(link_up(watch, 0), up);
}

/* A driver that takes its time keeps its own thread waiting and no other; the change is not lost. */
static void links_are_followed_by_a_thread_that_may_wait(void **state)
{
    (void)state;
    const struct port_driver driver = {.name = "slow", .link = tell_slowly};
    struct port port = {.driver = &driver};
    struct link_watch watch;
    atomic_store(&slow_link, 0);
    link_watch_start(&watch, &port, 1);
    watch.core = -1;
    assert_int_equal(pthread_create(&watch.thread, NULL, link_watch_run, &watch), 0);
    wait_for_link(&watch, false);
    atomic_store(&slow_link, -EAGAIN);
    for (int i = 0; i < 200; i++)
        rest();
    assert_int_equal(link_changes(&watch, 0), 1);
    atomic_store(&slow_link, 1);
    wait_for_link(&watch, true);
    assert_int_equal(link_changes(&watch, 0), 2);
    atomic_store(&watch.stop, true);
    pthread_join(watch.thread, NULL);
}

static void links_and_claims_are_alarms_by_name(void **state)
{
    (void)state;
    const struct model model = {.mode = MODE_SHADOW};
    struct verdict_port port[2] = {
        {.driver = "af_packet", .interface = "fb-meters"},
        {.driver = "af_xdp", .interface = "fb-hosts", .mac = {2, 0, 0, 0, 0, 0xee}}};
    const struct verdict_surroundings around = {.port = port, .ports = 2};
    struct seqlock counter[VIEW_COUNTER_RECORDS] = {0};
    struct seqlock degraded[DEGRADATION_COUNT] = {0};
    const struct view view = {.counter = counter, .degraded = degraded};
    struct verdict verdict;

    verdict_make(&verdict, &model, &view, &around, 0, 60 * NS_PER_S);
    assert_int_equal(verdict.level, VERDICT_OK);
    port[0].down = port[1].conflict = true;
    verdict_make(&verdict, &model, &view, &around, 0, 60 * NS_PER_S);
    assert_int_equal(verdict.level, VERDICT_ALARM);
    assert_int_equal(verdict.ports_wrong, 2);
    assert_string_equal(verdict.words,
                        "link down on port af_packet fb-meters; address of port af_xdp fb-hosts "
                        "claimed by MAC 02:00:00:00:00:ee too");
    verdict_make(&verdict, &model, &view, &around, 0, NS_PER_S);
    assert_int_equal(verdict.level, VERDICT_STARTING);
}

/* ---- RT throttling, on a file that stands for the kernel's ---- */

static void make_file(char *path, const char *text)
{
    strcpy(path, "/tmp/flyball-throttle-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static long file_value(const char *path)
{
    long value = 0;
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%ld", &value), 1);
    fclose(file);
    return value;
}

static void throttling_is_lifted_and_put_back(void **state)
{
    (void)state;
    struct rt_throttle throttle;
    char path[64];

    make_file(path, "950000\n");
    assert_int_equal(rt_throttle_lift(&throttle, path), 1);
    assert_int_equal(file_value(path), -1);
    assert_int_equal(rt_throttle_restore(&throttle), 0);
    assert_int_equal(file_value(path), 950000);
    assert_int_equal(rt_throttle_restore(&throttle), 0);
    unlink(path);
}

static void nothing_throttled_is_nothing_to_put_back(void **state)
{
    (void)state;
    struct rt_throttle throttle;
    char path[64];

    make_file(path, "-1\n");
    assert_int_equal(rt_throttle_lift(&throttle, path), 0);
    assert_int_equal(rt_throttle_restore(&throttle), 0);
    assert_int_equal(file_value(path), -1);
    unlink(path);
    assert_true(rt_throttle_lift(&throttle, path) < 0);
}

static void throttling_is_put_back_even_after_a_kill(void **state)
{
    (void)state;
    char path[64];
    const struct timespec rest = {.tv_nsec = 5 * NS_PER_MS};

    make_file(path, "950000\n");
    pid_t child = fork();
    if (child == 0) {
        struct rt_throttle throttle;
        rt_throttle_lift(&throttle, path);
        for (;;)
            pause();
    }
    for (int i = 0; i < 400 && file_value(path) != -1; i++)
        nanosleep(&rest, NULL);
    assert_int_equal(file_value(path), -1);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    for (int i = 0; i < 400 && file_value(path) == -1; i++)
        nanosleep(&rest, NULL);
    assert_int_equal(file_value(path), 950000);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stall_is_counted_once_and_five_seconds_are_fatal),
        cmocka_unit_test(thread_that_has_ended_is_not_missed),
        cmocka_unit_test(copy_of_a_histogram_comes_in_pieces_and_whole),
        cmocka_unit_test(records_come_back_as_written),
        cmocka_unit_test(decide_shows_the_cores_rows_and_leaves_the_loops_alone),
        cmocka_unit_test(links_are_looked_at_ten_times_a_second_and_changes_counted),
        cmocka_unit_test(links_are_followed_by_a_thread_that_may_wait),
        cmocka_unit_test(links_and_claims_are_alarms_by_name),
        cmocka_unit_test(throttling_is_lifted_and_put_back),
        cmocka_unit_test(nothing_throttled_is_nothing_to_put_back),
        cmocka_unit_test(throttling_is_put_back_even_after_a_kill),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
