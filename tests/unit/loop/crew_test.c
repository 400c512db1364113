/* SPDX-License-Identifier: Apache-2.0 */
/* Which threads a server's row makes, which lanes are whose, who sends; and one of several that fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <string.h>

#include <cmocka.h>

#include "loop/cold.h"
#include "loop/crew.h"

struct row {
    const char *what;
    uint32_t queues[2];         /* 0 = there is no such port */
    uint32_t lane_cores;
    int lane_core[LANES_MAX], decide_core;
    struct {
        const char *name;
        uint32_t roles, lanes;
        int core;
    } thread[HOTS_MAX];
    uint32_t sending_lane;
    bool roaming, look_again;
};

enum { R = HOT_RECEIVE, D = HOT_DECIDE, S = HOT_SEND };

static const struct row rows[] = {
    {"one port, one core: run to completion", {1}, 1, {1}, 1, {{"fb-hot", R | D | S, 1, 1}}, 0, false, false},
    {"not pinned: one thread", {2, 1}, 1, {-1}, -1, {{"fb-hot", R | D | S, 7, -1}}, 2, false, false},
    {"one port, two cores", {1}, 1, {2}, 3, {{"fb-decide", D, 0, 3}, {"fb-lane-0", R | S, 1, 2}},
     0, false, false},
    {"two ports, two cores: as before", {1, 1}, 1, {2}, 3,
     {{"fb-decide", D, 0, 3}, {"fb-lane-0", R | S, 3, 2}}, 1, false, false},
    {"two queues on one thread, which is not decide's", {2}, 1, {2}, 3,
     {{"fb-decide", D, 0, 3}, {"fb-lane-0", R | S, 3, 2}}, 0, false, true},
    {"two queues, two threads, decide has one", {2}, 2, {2, 1}, 1,
     {{"fb-hot", R | D | S, 2, 1}, {"fb-lane-0", R, 1, 2}}, 1, true, true},
    {"two queues, three threads", {2}, 2, {2, 3}, 1,
     {{"fb-decide", D, 0, 1}, {"fb-lane-0", R | S, 1, 2}, {"fb-lane-1", R, 2, 3}}, 0, true, true},
    {"meters on decide's core, hosts on another: the hosts' thread sends", {1, 1}, 2, {1, 2}, 1,
     {{"fb-hot", R | D, 1, 1}, {"fb-lane-1", R | S, 2, 2}}, 1, false, false},
    {"three queues of meters, one of hosts, cores in turn", {3, 1}, 2, {2, 3}, 3,
     {{"fb-hot", R | D | S, 10, 3}, {"fb-lane-0", R, 5, 2}}, 3, true, true},
    {"four lanes, five threads", {2, 2}, 4, {1, 2, 3, 4}, 5,
     {{"fb-decide", D, 0, 5}, {"fb-lane-0", R, 1, 1}, {"fb-lane-1", R, 2, 2}, {"fb-lane-2", R | S, 4, 3},
      {"fb-lane-3", R, 8, 4}}, 2, true, true},
};

static struct site_server server_of(const struct row *row)
{
    struct site_server server = {.lane_cores = row->lane_cores, .decide_core = row->decide_core};
    memcpy(server.lane_core, row->lane_core, sizeof server.lane_core);
    for (uint32_t i = 0; i < 2 && row->queues[i]; i++) {
        server.port[i].queues = row->queues[i];
        server.port_count++;
    }
    return server;
}

static void check(const struct row *row)
{
    struct site_server server = server_of(row);
    struct crew crew;
    uint32_t threads = 0, lanes = 0, senders = 0;

    print_message("%s\n", row->what);
    assert_int_equal(crew_make(&crew, &server), 0);
    while (threads < HOTS_MAX && row->thread[threads].name)
        threads++;
    assert_int_equal(crew.threads, threads);
    for (uint32_t i = 0; i < threads; i++) {
        assert_string_equal(crew.thread[i].name, row->thread[i].name);
        assert_int_equal(crew.thread[i].roles, row->thread[i].roles);
        assert_int_equal(crew.thread[i].lanes, row->thread[i].lanes);
        assert_int_equal(crew.thread[i].core, row->thread[i].core);
        assert_int_equal(lanes & crew.thread[i].lanes, 0);      /* a queue has one owner */
        lanes |= crew.thread[i].lanes;
        senders += crew.thread[i].roles & HOT_SEND ? 1 : 0;
        if (crew.thread[i].roles & HOT_SEND)
            assert_true(crew.thread[i].lanes >> crew.sending_lane & 1);
    }
    assert_int_equal(senders, 1);
    assert_int_equal(lanes, (1U << crew.lanes) - 1);
    assert_int_equal(crew.lanes, row->queues[0] + row->queues[1]);
    assert_int_equal(crew.sending_lane, row->sending_lane);
    assert_int_equal(crew.lane[crew.sending_lane].port, server.port_count - 1);
    assert_int_equal(crew.roaming, row->roaming);
    assert_int_equal(crew.look_again, row->look_again);
}

static void every_row_makes_its_threads_and_one_of_them_sends(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check(&rows[i]);
}

static void lanes_are_numbered_by_port_then_queue(void **state)
{
    (void)state;
    struct site_server server = {.port_count = 2, .lane_cores = 1, .port = {{.queues = 1}, {.queues = 3}}};
    struct crew crew;
    const struct crew_lane wanted[] = {{0, 0}, {1, 0}, {1, 1}, {1, 2}};

    assert_int_equal(crew_make(&crew, &server), 0);
    assert_memory_equal(crew.lane, wanted, sizeof wanted);
}

static void more_queues_than_lanes_or_none_are_refused(void **state)
{
    (void)state;
    struct site_server server = {.port_count = 2, .lane_cores = 1, .port = {{.queues = 2}, {.queues = 3}}};
    struct crew crew;

    assert_int_equal(crew_make(&crew, &server), -EINVAL);
    server.port_count = 0;
    assert_int_equal(crew_make(&crew, &server), -EINVAL);
}

static int attach_all_but_queue_1(struct port *port, uint32_t queue)
{
    (void)port;
    return queue == 1 ? -ENODEV : 0;
}

static void thread_whose_queue_cannot_be_had_says_which_and_is_not_waited_for(void **state)
{
    (void)state;
    const struct port_driver driver = {.name = "half", .attach = attach_all_but_queue_1};
    struct port port = {.driver = &driver};
    static struct lane lane[3];
    struct path path = {.lane = lane, .lanes = 3, .receiving = 2};
    struct hot hot = {.path = &path, .roles = HOT_RECEIVE, .lanes = 6, .core = -1};

    for (uint32_t i = 0; i < 3; i++)
        lane[i] = (struct lane){.port = &port, .queue = i};
    assert_null(hot_run(&hot));
    assert_int_equal(hot.state, HOT_FAILED);
    assert_int_equal(hot.attach_error, -ENODEV);
    assert_int_equal(hot.attach_lane, 1);
    assert_int_equal(path.receiving, 1);
}

static void fatal_stall(const struct hot *hot, int64_t stall_ns)
{
    assert_string_equal(hot->name, "fb-lane-1");
    assert_true(stall_ns > STALL_FATAL_NS);
    *(bool *)hot->path = true;
}

static void watchdog_sees_the_one_of_five_that_stands_still(void **state)
{
    (void)state;
    bool ended = false;
    struct hot hot[HOTS_MAX] = {0};
    struct watchdog dog = {.hot = hot, .hots = HOTS_MAX, .counted_ns = STALL_COUNTED_NS,
                           .fatal_ns = STALL_FATAL_NS, .fatal = fatal_stall};
    for (uint32_t i = 0; i < HOTS_MAX; i++)
        hot[i] = (struct hot){.path = (struct path *)&ended, .state = HOT_READY};
    strcpy(hot[HOTS_MAX - 1].name, "fb-lane-1");
    watchdog_start(&dog, 0);
    for (int64_t now_ns = 0; now_ns <= STALL_FATAL_NS + 10 * NS_PER_MS; now_ns += 10 * NS_PER_MS) {
        assert_false(ended);
        for (uint32_t i = 0; i < HOTS_MAX - 1; i++)
            count_add(&hot[i].beat, 1);
        watchdog_look(&dog, now_ns);
    }
    assert_true(ended);
    assert_int_equal(count_read(&dog.stalls), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_makes_its_threads_and_one_of_them_sends),
        cmocka_unit_test(lanes_are_numbered_by_port_then_queue),
        cmocka_unit_test(thread_whose_queue_cannot_be_had_says_which_and_is_not_waited_for),
        cmocka_unit_test(watchdog_sees_the_one_of_five_that_stands_still),
        cmocka_unit_test(more_queues_than_lanes_or_none_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
