/* SPDX-License-Identifier: Apache-2.0 */
/* The hiccup meter's sums, on gaps that are known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rt/hiccup.h"

enum { ROOM = 64 };

static void gaps_are_counted_by_length_and_summed(void **state)
{
    uint32_t gap[ROOM];
    struct hiccups h = {.gap_ns = gap, .room = ROOM};
    (void)state;
    hiccup_note(&h, 22);                /* two reads of the clock */
    hiccup_note(&h, 999);
    hiccup_note(&h, 1000);
    hiccup_note(&h, 10000);
    hiccup_note(&h, 10001);
    hiccup_note(&h, 100001);
    hiccup_note(&h, 1000001);
    assert_int_equal(h.seen, 5);
    assert_int_equal(h.count, 5);
    assert_int_equal(h.over_10us, 3);
    assert_int_equal(h.over_100us, 2);
    assert_int_equal(h.over_1ms, 1);
    assert_int_equal(h.longest_ns, 1000001);
    assert_int_equal(h.lost_ns, 1000 + 10000 + 10001 + 100001 + 1000001);
}

/* One gap of 10 ms in 1 s: 1 % of moments lie in it, evenly, so 0.1 % wait longer than 9 ms. */
static void a_random_moment_waits_for_the_rest_of_its_gap(void **state)
{
    uint32_t gap[ROOM];
    struct hiccups h = {.gap_ns = gap, .room = ROOM, .span_ns = NS_PER_S};
    (void)state;
    hiccup_note(&h, 10 * NS_PER_MS);
    assert_int_equal(hiccup_wait_ns(&h, 0.999), 9 * NS_PER_MS);
    assert_int_equal(hiccup_wait_ns(&h, 0.995), 5 * NS_PER_MS);
    assert_int_equal(hiccup_wait_ns(&h, 0.98), 0);          /* most moments wait for nothing */
}

/* Ten gaps of 1 ms and one of 2 ms in 1 s. More than 1 ms waits 0.1 %, more than 0.5 ms
 * 0.15 % + 10 x 0.05 %. */
static void gaps_of_different_length_add_up(void **state)
{
    uint32_t gap[ROOM];
    struct hiccups h = {.gap_ns = gap, .room = ROOM, .span_ns = NS_PER_S};
    (void)state;
    for (int i = 0; i < 10; i++)
        hiccup_note(&h, NS_PER_MS);
    hiccup_note(&h, 2 * NS_PER_MS);
    assert_int_equal(hiccup_wait_ns(&h, 0.9995), 1500 * NS_PER_US);
    assert_int_equal(hiccup_wait_ns(&h, 0.999), NS_PER_MS);
    assert_int_equal(hiccup_wait_ns(&h, 1 - 0.0065), 500 * NS_PER_US);
}

/* Sixty gaps of 5 ms in 10 s, three of them kept: told as if all were. */
static void gaps_beyond_the_room_are_waited_for(void **state)
{
    uint32_t gap[ROOM], few[3];
    struct hiccups all = {.gap_ns = gap, .room = ROOM, .span_ns = 10 * NS_PER_S};
    struct hiccups some = {.gap_ns = few, .room = 3, .span_ns = 10 * NS_PER_S};
    (void)state;
    for (int i = 0; i < 60; i++) {
        hiccup_note(&all, 5 * NS_PER_MS);
        hiccup_note(&some, 5 * NS_PER_MS);
    }
    for (int i = 1; i < 10; i++)
        assert_int_equal(hiccup_wait_ns(&some, 1 - i * 0.002), hiccup_wait_ns(&all, 1 - i * 0.002));
    hiccup_note(&some, 4 * NS_PER_MS);          /* counts as 0.8 of one of 5 ms: too high, never too low */
    assert_int_equal(hiccup_wait_ns(&some, 0.99), 3355263);
}

static void gaps_beyond_the_room_are_counted_all_the_same(void **state)
{
    uint32_t gap[2];
    struct hiccups h = {.gap_ns = gap, .room = 2};
    (void)state;
    for (int i = 1; i <= 5; i++)
        hiccup_note(&h, i * NS_PER_MS);
    hiccup_note(&h, INT64_C(5000000000));
    assert_int_equal(h.count, 2);
    assert_int_equal(h.seen, 6);
    assert_int_equal(h.longest_ns, INT64_C(5000000000));
}

static void a_run_lasts_as_long_as_asked_and_finds_no_more_than_there_was(void **state)
{
    static uint32_t gap[1 << 16];
    struct hiccups h = {.gap_ns = gap, .room = 1 << 16};
    (void)state;
    hiccup_run(&h, 20 * NS_PER_MS);
    assert_true(h.span_ns >= 20 * NS_PER_MS);
    assert_true(h.reads > 100);
    assert_true(h.lost_ns <= h.span_ns);
    assert_true(h.longest_ns <= h.lost_ns);
    assert_true(hiccup_wait_ns(&h, 0.999) <= h.longest_ns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gaps_are_counted_by_length_and_summed),
        cmocka_unit_test(a_random_moment_waits_for_the_rest_of_its_gap),
        cmocka_unit_test(gaps_of_different_length_add_up),
        cmocka_unit_test(gaps_beyond_the_room_are_waited_for),
        cmocka_unit_test(gaps_beyond_the_room_are_counted_all_the_same),
        cmocka_unit_test(a_run_lasts_as_long_as_asked_and_finds_no_more_than_there_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
