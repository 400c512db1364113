/* SPDX-License-Identifier: Apache-2.0 */
/* Worst moments and their culprits, and the heat map: what flyball latency works out by itself. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/latency/latency_map.h"
#include "cli/latency/latency_moment.h"
#include "cli/latency/latency_rows.h"
#include "msg/limits.h"

static struct latency_moment at(uint64_t begin_ns, uint64_t took_ns)
{
    return (struct latency_moment){.begin_ns = begin_ns, .end_ns = begin_ns + took_ns};
}

static struct theft_event theft(uint32_t kind, uint32_t id, uint64_t begin_ns, uint32_t took_ns)
{
    return (struct theft_event){.begin_ns = begin_ns, .took_ns = took_ns, .by = {.kind = kind, .id = id}};
}

static void the_ten_longest_stay_longest_first(void **state)
{
    (void)state;
    struct moments moments = {0};
    for (uint64_t i = 1; i <= 101; i++) {
        struct latency_moment what = at(i * 1000000, 1000 + (i * 7 % 101) * 10);
        moments_add(&moments, &what);
    }
    assert_int_equal(moments.count, MOMENTS_MAX);
    assert_int_equal(moments_told(&moments), 10);
    for (uint32_t i = 0; i < MOMENTS_MAX; i++)
        assert_int_equal(moment_ns(&moments.moment[i].what), 2000 - i * 10);
    assert_int_equal(moments_floor_ns(&moments), 2000 - (MOMENTS_MAX - 1) * 10);
}

/* One long moment that covers all that are told leaves those that were next. */
static void what_a_long_one_covers_leaves_the_next_ones(void **state)
{
    (void)state;
    struct moments moments = {0};
    for (uint64_t i = 0; i < 30; i++) {
        struct latency_moment what = at(1000000 + i * 100000, i < 10 ? 90000 - i : 5000 - i);
        moments_add(&moments, &what);
    }
    struct latency_moment longer = at(1000000, 1000000);
    assert_non_null(moments_add(&moments, &longer));
    assert_int_equal(moments_told(&moments), 10);
    assert_int_equal(moments.moment[0].together, 10);
    for (uint32_t i = 1; i < 10; i++)
        assert_int_equal(moment_ns(&moments.moment[i].what), 5000 - 9 - i);
}

static void of_those_that_overlap_the_longest_stays(void **state)
{
    (void)state;
    struct moments moments = {0};
    struct latency_moment first = at(1000, 500), within = at(1200, 100), apart = at(5000, 50),
                          longer = at(900, 4150);
    moments_add(&moments, &first);
    assert_null(moments_add(&moments, &within));
    assert_int_equal(moments.count, 1);
    assert_int_equal(moments.moment[0].together, 1);
    assert_non_null(moments_add(&moments, &apart));
    assert_int_equal(moments.count, 2);
    assert_non_null(moments_add(&moments, &longer));    /* covers all of them */
    assert_int_equal(moments.count, 1);
    assert_int_equal(moments.moment[0].together, 3);
    assert_int_equal(moments_floor_ns(&moments), 0);    /* there is room: anything may come */
}

static void time_is_blamed_on_who_took_it_within_the_moment(void **state)
{
    (void)state;
    static struct thefts thefts;
    struct theft_event event[] = {
        theft(THEFT_SWITCH, 7, 500, 800),       /* 300 of it lie within */
        theft(THEFT_SOFTIRQ, 3, 1400, 100),
        theft(THEFT_SOFTIRQ, 3, 1600, 100),
        theft(THEFT_SWITCH, 8, 2000, 500),      /* behind */
        theft(THEFT_SYSCALL, 44, 1300, 600),    /* what interrupts it lies within it */
    };
    for (size_t i = 0; i < sizeof event / sizeof event[0]; i++)
        thefts_add(&thefts, &event[i]);
    struct moment moment = {.what = at(1000, 1000)};
    moment_explain(&moment, &thefts);
    assert_int_equal(moment.culprits, 2);
    assert_int_equal(moment.culprit[0].by.id, 7);
    assert_int_equal(moment.culprit[0].took_ns, 300);
    assert_int_equal(moment.culprit[1].took_ns, 200);
    assert_int_equal(moment.culprit[1].count, 2);
    assert_int_equal(moment.explained_ns, 500);
    moment = (struct moment){.what = at(1800, 100)};
    moment_explain(&moment, &thefts);           /* nothing but the loop's own call */
    assert_int_equal(moment.culprits, 1);
    assert_int_equal(moment.culprit[0].by.id, 44);
    moment = (struct moment){.what = at(9000, 100)};
    moment_explain(&moment, &thefts);
    assert_int_equal(moment.culprits, 0);
    assert_true(moment.explained);
}

/* Received by a lane, worked by decide, sent by egress. */
static void on_another_core_nobody_took_its_time(void **state)
{
    (void)state;
    enum { LANE = 2, DECIDE = 5, EGRESS = 3, OTHER = 7 };
    static const struct { uint16_t cpu; uint64_t begin_ns, took_ns; } row[] = {
        {LANE, 1000, 100},      /* 100 before it was handed on */
        {LANE, 1350, 100},      /* 50 of it before */
        {DECIDE, 1100, 200},    /* not yet there */
        {DECIDE, 1390, 30},     /* 20 of it there */
        {DECIDE, 1700, 500},    /* 100 before it was decided */
        {LANE, 1500, 300},      /* there no longer */
        {EGRESS, 1300, 580},    /* 80 behind the decision */
        {OTHER, 0, 5000},
    };
    static struct thefts thefts;
    for (uint32_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct theft_event event = theft(THEFT_SWITCH, row[i].cpu, row[i].begin_ns, (uint32_t)row[i].took_ns);
        event.cpu = row[i].cpu;
        thefts_add(&thefts, &event);
    }
    struct moment moment = {.what = {.begin_ns = 1000, .handed_ns = 1400, .decided_ns = 1800, .end_ns = 2000,
                                     .from_cpu = LANE, .decide_cpu = DECIDE, .cpu = EGRESS}};
    moment_explain(&moment, &thefts);
    assert_int_equal(moment.culprits, 3);
    assert_int_equal(moment.culprit[0].by.id, LANE);
    assert_int_equal(moment.culprit[0].took_ns, 150);
    assert_int_equal(moment.culprit[1].by.id, DECIDE);
    assert_int_equal(moment.culprit[1].took_ns, 120);
    assert_int_equal(moment.culprit[2].took_ns, 80);
    assert_int_equal(moment.explained_ns, 350);
    moment.what.cpu = LANE;             /* egress has the lane's core */
    moment.what.decided_ns = 1700;
    moment_explain(&moment, &thefts);
    assert_int_equal(moment.culprit[0].took_ns, 250);
    assert_int_equal(moment.explained_ns, 270);
}

static void a_moment_has_the_cores_it_was_on(void **state)
{
    (void)state;
    static const struct { uint64_t handed_ns, decided_ns; uint16_t cpu[STAYS]; uint32_t stays; } row[] = {
        {1400, 1800, {1, 0, 1}, 3},
        {1400, 1800, {1, 1, 1}, 1},
        {1400, UINT64_MAX, {1, 0, 0}, 2},       /* a decision */
        {900, UINT64_MAX, {1, 0, 0}, 1},        /* its stamp was moved behind the time it was handed on */
        {1000, UINT64_MAX, {0, 0, 0}, 1},       /* a tick */
        {1000, 1500, {0, 0, 1}, 2},             /* a lease of a tick */
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct stay stay[STAYS];
        struct latency_moment what = {.begin_ns = 1000, .end_ns = 2000, .handed_ns = row[i].handed_ns,
                                      .decided_ns = row[i].decided_ns, .from_cpu = row[i].cpu[0],
                                      .decide_cpu = row[i].cpu[1], .cpu = row[i].cpu[2]};
        assert_int_equal(moment_stays(&what, stay), row[i].stays);
        assert_int_equal(stay[0].from_ns, 1000);
        assert_int_equal(stay[row[i].stays - 1].to_ns, 2000);
        assert_int_equal(stay[row[i].stays - 1].cpu, row[i].cpu[2]);
        for (uint32_t j = 1; j < row[i].stays; j++)
            assert_true(stay[j].from_ns == stay[j - 1].to_ns && stay[j].cpu != stay[j - 1].cpu);
    }
}

static void what_lies_within_another_is_taken_once(void **state)
{
    (void)state;
    static struct thefts thefts;
    struct theft_event event[] = {
        theft(THEFT_INTERRUPT, 1, 1250, 50),    /* within the softirq, which ends later */
        theft(THEFT_TIMER, 2, 1290, 30),        /* half of it behind that interrupt */
        theft(THEFT_SOFTIRQ, 3, 1200, 200),
        theft(THEFT_FAULT, 1, 1600, 100),
    };
    for (size_t i = 0; i < sizeof event / sizeof event[0]; i++)
        thefts_add(&thefts, &event[i]);
    struct moment moment = {.what = at(1000, 1000)};
    moment_explain(&moment, &thefts);
    assert_int_equal(moment.culprits, 4);
    assert_int_equal(moment.culprit[0].took_ns, 200);
    assert_int_equal(moment.culprit[2].took_ns, 50);
    assert_int_equal(moment.explained_ns, 300);
}

static void of_many_culprits_the_largest_are_named_and_all_count(void **state)
{
    (void)state;
    static struct thefts thefts;
    uint64_t sum_ns = 0;
    for (uint32_t i = 0; i < 10; i++) {
        struct theft_event event = theft(THEFT_SWITCH, 100 + i, 1000 * i, 100 + 10 * (i * 3 % 10));
        thefts_add(&thefts, &event);
        sum_ns += event.took_ns;
    }
    struct moment moment = {.what = at(0, 10000)};
    moment_explain(&moment, &thefts);
    assert_int_equal(moment.culprits, CULPRITS_MAX);
    for (uint32_t i = 0; i < CULPRITS_MAX; i++)
        assert_int_equal(moment.culprit[i].took_ns, 190 - 10 * i);
    assert_int_equal(moment.explained_ns, sum_ns);
}

static void culprits_have_words(void **state)
{
    (void)state;
    static const struct { struct theft_key by; const char *words; } row[] = {
        {{.kind = THEFT_SOFTIRQ, .id = 3}, "softirq NET_RX"},
        {{.kind = THEFT_SOFTIRQ, .id = 77}, "softirq of unknown kind"},
        {{.kind = THEFT_SWITCH, .id = 57, .name = "kworker/1:2"}, "switch kworker/1:2 (57)"},
        {{.kind = THEFT_SWITCH, .name = "swapper/1"}, "switch to idle: the thread slept or was throttled"},
        {{.kind = THEFT_TIMER, .id = 236}, "timer 236"},
        {{.kind = THEFT_SYSCALL, .id = 44}, "system_call 44"},
        {{.kind = THEFT_SWITCH, .id = 9, .name = "\033[2J\xff\n\x7f~"}, "switch ?[2J???~ (9)"},
        {{.kind = THEFT_SWITCH, .id = 9, .name = "sixteen bytes 16"}, "switch sixteen bytes 16 (9)"},
        {{.kind = 99}, "unknown"},
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        char words[80];
        culprit_words(&row[i].by, words, sizeof words);
        assert_string_equal(words, row[i].words);
    }
}

static uint64_t column_sum(const struct map *map, uint32_t column)
{
    uint64_t sum = 0;
    for (uint32_t octave = 0; octave < MAP_OCTAVES; octave++)
        sum += map->count[column][octave];
    return sum;
}

static void a_map_takes_what_is_new_into_the_column_of_its_time(void **state)
{
    (void)state;
    static struct map map;
    static struct latency_row before, after;
    after.bucket[20] = 5;       /* 20 ns */
    map_begin(&map, 1000, 100);
    map_add(&map, &before, &after, 1050);
    before = after;
    after.bucket[20] = 7;
    map_add(&map, &before, &after, 1250);
    assert_int_equal(map.columns, 3);
    assert_int_equal(map.count[0][5], 5);
    assert_int_equal(column_sum(&map, 1), 0);
    assert_int_equal(map.count[2][5], 2);
    before = after;
    after.bucket[20] = 8;
    map_add(&map, &before, &after, 1000 + 100 * MAP_COLUMNS);   /* no column left: twice the time each */
    assert_int_equal(map.column_ns, 200);
    assert_int_equal(map.count[0][5], 5);
    assert_int_equal(map.count[1][5], 2);
    assert_int_equal(column_sum(&map, MAP_COLUMNS / 2), 1);
    assert_int_equal(map.columns, MAP_COLUMNS / 2 + 1);
}

static void a_map_prints_a_line_for_each_octave_between_the_extremes(void **state)
{
    (void)state;
    static struct map map;
    static struct latency_row before, after;
    char *text;
    size_t bytes;
    after.bucket[9] = 1000;
    after.bucket[31] = 1;
    map_begin(&map, 0, NS_PER_S);
    map_add(&map, &before, &after, 1);
    FILE *out = open_memstream(&text, &bytes);
    map_print(&map, out);
    fclose(out);
    assert_string_equal(text, "   0.02 us |.|\n   0.01 us |@|\n"
                              "           1 columns of 1 s; each shade counts on a logarithmic scale up to "
                              "'@' = 1000\n");
    free(text);
}

static void an_empty_map_prints_nothing(void **state)
{
    (void)state;
    static struct map map;
    char *text;
    size_t bytes;
    map_begin(&map, 0, 0);
    FILE *out = open_memstream(&text, &bytes);
    map_print(&map, out);
    fclose(out);
    assert_string_equal(text, "");
    free(text);
}

static bool is_blocked(int number)
{
    sigset_t now;
    sigprocmask(SIG_BLOCK, NULL, &now);
    return sigismember(&now, number) == 1;
}

static void signals_that_cannot_be_held_end_the_program(void **state)
{
    (void)state;
    struct rlimit before, none;
    getrlimit(RLIMIT_NOFILE, &before);
    none = before;
    none.rlim_cur = 0;
    setrlimit(RLIMIT_NOFILE, &none);
    int refused = rows_hold_signals();
    setrlimit(RLIMIT_NOFILE, &before);
    assert_int_equal(refused, -EMFILE);
    assert_false(is_blocked(SIGINT) || is_blocked(SIGTERM));
    int held = rows_hold_signals();
    assert_true(held >= 0);
    assert_true(is_blocked(SIGINT) && is_blocked(SIGTERM));
    raise(SIGINT);
    assert_false(rows_wait(held, getpid(), 0));
    close(held);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_ten_longest_stay_longest_first),
        cmocka_unit_test(what_a_long_one_covers_leaves_the_next_ones),
        cmocka_unit_test(of_those_that_overlap_the_longest_stays),
        cmocka_unit_test(time_is_blamed_on_who_took_it_within_the_moment),
        cmocka_unit_test(on_another_core_nobody_took_its_time),
        cmocka_unit_test(a_moment_has_the_cores_it_was_on),
        cmocka_unit_test(what_lies_within_another_is_taken_once),
        cmocka_unit_test(of_many_culprits_the_largest_are_named_and_all_count),
        cmocka_unit_test(culprits_have_words),
        cmocka_unit_test(signals_that_cannot_be_held_end_the_program),
        cmocka_unit_test(a_map_takes_what_is_new_into_the_column_of_its_time),
        cmocka_unit_test(a_map_prints_a_line_for_each_octave_between_the_extremes),
        cmocka_unit_test(an_empty_map_prints_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
