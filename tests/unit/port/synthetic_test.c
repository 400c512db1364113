/* SPDX-License-Identifier: Apache-2.0 */
/* What is particular to the link in memory; what it shares with every driver stands in
 * tests/system/port_conformance_test.c. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "port/port.h"

enum { RING = 64, STRESS_FRAMES = 200000 };

static struct port_config config_of(const char *link)
{
    return (struct port_config){
        .driver = "synthetic", .interface = link, .mtu = 1500, .ring_frames = RING, .queues = 2};
}

static void open_end(struct port *port, const char *link)
{
    struct port_config config = config_of(link);
    assert_int_equal(port_open(port, &config), 0);
    assert_int_equal(port_attach(port, 0), 0);
    assert_int_equal(port_attach(port, 1), 0);
}

static uint32_t send_one(struct port *port, uint32_t queue, uint8_t mark)
{
    uint8_t frame[64] = {mark};
    return port_send(port, queue, &(struct port_frame){.data = frame, .length = sizeof frame}, 1);
}

static void the_ends_must_agree(void **state)
{
    (void)state;
    struct port a, b;
    open_end(&a, "agree");
    struct port_config config = config_of("agree");
    config.mtu = 9000;
    assert_int_equal(port_open(&b, &config), -EINVAL);
    config.mtu = 1500;
    config.queues = 1;
    assert_int_equal(port_open(&b, &config), -EINVAL);
    assert_non_null(strstr(b.error, "2 queues"));
    open_end(&b, "agree");
    assert_memory_not_equal(a.mac, b.mac, 6);
    port_close(&a);
    port_close(&b);
}

static void a_full_queue_refuses_and_loses_nothing(void **state)
{
    (void)state;
    struct port a, b;
    open_end(&a, "full");
    open_end(&b, "full");
    uint32_t sent = 0, received = 0;
    for (int i = 0; i < 3 * RING; i++)
        sent += send_one(&a, 0, (uint8_t)i);
    assert_int_equal(sent, RING);
    struct port_frame frame[BURST_MAX];
    for (uint32_t got; (got = port_receive(&b, 0, frame, BURST_MAX)) != 0;)
        for (uint32_t i = 0; i < got; i++)
            assert_int_equal(frame[i].data[0], received++);
    assert_int_equal(received, RING);
    struct port_statistics statistics;
    port_statistics(&a, &statistics);
    assert_int_equal(statistics.refused, 2 * RING);
    port_close(&a);
    port_close(&b);
}

static void queues_do_not_mix(void **state)
{
    (void)state;
    struct port a, b;
    struct port_frame frame[BURST_MAX];
    open_end(&a, "queues");
    open_end(&b, "queues");
    assert_int_equal(send_one(&a, 1, 11), 1);
    assert_int_equal(port_receive(&b, 0, frame, BURST_MAX), 0);
    assert_int_equal(port_receive(&b, 1, frame, BURST_MAX), 1);
    assert_int_equal(frame[0].data[0], 11);
    port_close(&a);
    port_close(&b);
}

static void an_end_that_opens_finds_its_queue_empty(void **state)
{
    (void)state;
    struct port a, b;
    struct port_frame frame[BURST_MAX];
    open_end(&a, "wait");
    assert_int_equal(send_one(&a, 0, 0), 1);
    open_end(&b, "wait");
    assert_int_equal(port_receive(&b, 0, frame, BURST_MAX), 0);
    assert_int_equal(send_one(&a, 0, 1), 1);
    port_close(&b);
    open_end(&b, "wait");
    assert_int_equal(port_receive(&b, 0, frame, BURST_MAX), 0);
    assert_int_equal(send_one(&a, 0, 2), 1);
    assert_int_equal(port_receive(&b, 0, frame, BURST_MAX), 1);
    assert_int_equal(frame[0].data[0], 2);
    port_close(&a);
    port_close(&b);
}

static void links_end_with_their_last_port(void **state)
{
    (void)state;
    for (int round = 0; round < 100; round++) {
        char name[16];
        struct port a;
        snprintf(name, sizeof name, "link-%d", round);
        open_end(&a, name);
        port_close(&a);
    }
}

static void seventeen_links_are_one_too_many(void **state)
{
    (void)state;
    struct port port[17];
    char name[17][16];
    for (int i = 0; i < 17; i++) {
        snprintf(name[i], sizeof name[i], "link-%d", i);
        struct port_config config = config_of(name[i]);
        assert_int_equal(port_open(&port[i], &config), i < 16 ? 0 : -ENOSPC);
    }
    for (int i = 0; i < 16; i++)
        port_close(&port[i]);
}

/* Bounces what it receives back until the first thread has had every frame. */
static void *echo(void *argument)
{
    struct port *port = argument;
    uint32_t bounced = 0;
    while (bounced < STRESS_FRAMES) {
        struct port_frame frame[BURST_MAX];
        uint32_t got = port_receive(port, 0, frame, BURST_MAX), sent = 0;
        while (sent < got)
            sent += port_send(port, 0, frame + sent, got - sent);
        bounced += got;
        if (!got)
            sched_yield();
    }
    return NULL;
}

static uint32_t stress_send(struct port *port, uint32_t next)
{
    uint8_t data[BURST_MAX][200];
    struct port_frame frame[BURST_MAX];
    uint32_t count = STRESS_FRAMES - next < BURST_MAX ? STRESS_FRAMES - next : BURST_MAX;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t number = next + i;
        memset(data[i], (int)(number & 0xFF), sizeof data[i]);
        memcpy(data[i], &number, sizeof number);
        frame[i] = (struct port_frame){.data = data[i], .length = 20 + number % 180};
    }
    return port_send(port, 0, frame, count);
}

static void two_threads_pass_every_frame_in_order(void **state)
{
    (void)state;
    struct port a, b;
    pthread_t thread;
    uint32_t sent = 0, received = 0;
    open_end(&a, "stress");
    open_end(&b, "stress");
    assert_int_equal(pthread_create(&thread, NULL, echo, &b), 0);
    while (received < STRESS_FRAMES) {
        struct port_frame frame[BURST_MAX];
        uint32_t got = port_receive(&a, 0, frame, BURST_MAX);
        for (uint32_t i = 0; i < got; i++, received++) {
            uint32_t number;
            memcpy(&number, frame[i].data, sizeof number);
            assert_int_equal(number, received);
            assert_int_equal(frame[i].length, 20 + number % 180);
            assert_int_equal(frame[i].data[frame[i].length - 1], number & 0xFF);
        }
        uint32_t taken = stress_send(&a, sent);
        sent += taken;
        if (!got && !taken)
            sched_yield();
    }
    pthread_join(thread, NULL);
    port_close(&a);
    port_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_ends_must_agree),
        cmocka_unit_test(a_full_queue_refuses_and_loses_nothing),
        cmocka_unit_test(queues_do_not_mix),
        cmocka_unit_test(an_end_that_opens_finds_its_queue_empty),
        cmocka_unit_test(links_end_with_their_last_port),
        cmocka_unit_test(seventeen_links_are_one_too_many),
        cmocka_unit_test(two_threads_pass_every_frame_in_order),
    };
    return cmocka_run_group_tests_name("synthetic", tests, NULL, NULL);
}
