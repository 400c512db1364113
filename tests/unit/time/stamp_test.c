/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Made-up worlds: frames are stamped, reach the queue, are found by polls that come when they come, while
 * somebody sets the clock of the stamps and it runs as it may. The true arrival is never outside of what is
 * told.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "msg/limits.h"
#include "time/stamp.h"
#include "time/timebase.h"

#define REAL_NS (INT64_C(1795000000) * NS_PER_S)
#define START_NS (INT64_C(5000) * NS_PER_S)
#define WIDTH_NS INT64_C(80)
enum { WORLDS = 300, POLLS = 4000, FRAMES_MAX = 64 };

/* A moment as this machine tells it: what nobody sets is `even`. */
static struct stamp_moment moment(int64_t mono_ns, int64_t real_ns, int64_t width_ns)
{
    return (struct stamp_moment){.first_ns = mono_ns, .last_ns = mono_ns + width_ns, .clock_ns = real_ns,
                                 .ahead_ns = real_ns - mono_ns, .ahead_width_ns = width_ns};
}

/* The clock has been known for longer than it has to settle; the queue was seen empty at START_NS. */
static struct stamps settled(bool wanders)
{
    struct stamps stamps = {.wanders = wanders};
    for (int64_t ago_ns = 3 * NS_PER_S; ago_ns > 0; ago_ns -= NS_PER_S / 10) {
        struct stamp_moment now = moment(START_NS - ago_ns, REAL_NS - ago_ns, WIDTH_NS);
        stamps_look(&stamps, &now, START_NS - ago_ns - NS_PER_MS);
    }
    return stamps;
}

/* Found 30 ms after the queue was last seen empty, read right behind; stamped so long after that. */
static enum stamp_verdict told(struct stamps *stamps, int64_t after_ns, int64_t set_ns, int64_t *within_ns)
{
    int64_t found_ns = START_NS + 30 * NS_PER_MS;
    struct stamp_moment now = moment(found_ns + 100, REAL_NS + 30 * NS_PER_MS + 100 + set_ns, WIDTH_NS);
    stamps_look(stamps, &now, START_NS);
    return stamps_within(stamps, REAL_NS + after_ns, START_NS, found_ns, within_ns);
}

static void a_stamp_tells_when_it_came_within_what_the_polls_prove(void **state)
{
    (void)state;
    struct stamps stamps = settled(false);
    int64_t within_ns;
    assert_int_equal(told(&stamps, 20 * NS_PER_MS, 0, &within_ns), STAMP_NARROWS);
    assert_in_range(within_ns, 10 * NS_PER_MS, 10 * NS_PER_MS + 10 * NS_PER_MS / 512 + 4 * WIDTH_NS);
    stamps = settled(false);
    assert_int_equal(told(&stamps, -NS_PER_MS, 0, &within_ns), STAMP_BEFORE);
    assert_int_equal(within_ns, 30 * NS_PER_MS);
    stamps = settled(false);
    assert_int_equal(told(&stamps, 31 * NS_PER_MS, 0, &within_ns), STAMP_AFTER);
    assert_int_equal(within_ns, 30 * NS_PER_MS);
}

static void what_is_stamped_between_the_poll_and_the_reading_behind_it_is_not_believed(void **state)
{
    (void)state;
    struct stamps stamps = settled(false);
    int64_t within_ns, found_ns = START_NS + NS_PER_MS;
    struct stamp_moment now = moment(found_ns + 5 * NS_PER_MS, REAL_NS + 6 * NS_PER_MS, WIDTH_NS);
    stamps_look(&stamps, &now, START_NS);
    assert_int_equal(stamps_within(&stamps, REAL_NS + 3 * NS_PER_MS, START_NS, found_ns, &within_ns),
                     STAMP_AFTER);
    assert_int_equal(within_ns, NS_PER_MS);
}

static void a_clock_that_was_set_is_not_believed_for_a_second(void **state)
{
    (void)state;
    static const int64_t set[] = {1000, -1000, NS_PER_MS, -NS_PER_MS, NS_PER_S, -NS_PER_S, 3600 * NS_PER_S};
    for (uint32_t i = 0; i < sizeof set / sizeof set[0]; i++) {
        struct stamps stamps = settled(false);
        int64_t within_ns, at_ns = START_NS + 31 * NS_PER_MS, believed_ns = 0;
        assert_int_equal(told(&stamps, 20 * NS_PER_MS, set[i], &within_ns), STAMP_UNSURE);
        assert_int_equal(within_ns, 30 * NS_PER_MS);
        for (; !believed_ns; at_ns += NS_PER_MS) {
            struct stamp_moment now = moment(at_ns, REAL_NS + at_ns - START_NS + set[i], WIDTH_NS);
            stamps_look(&stamps, &now, at_ns - NS_PER_MS / 2);
            believed_ns = stamps.sure ? at_ns : 0;
        }
        assert_in_range(believed_ns - START_NS, NS_PER_S + 30 * NS_PER_MS, NS_PER_S + 33 * NS_PER_MS);
    }
}

/* Bursts on end, none of which leaves the queue empty: what they find may be of before. */
static void what_waited_since_before_it_was_set_is_not_believed_however_long(void **state)
{
    (void)state;
    struct stamps stamps = settled(false);
    int64_t at_ns = START_NS;
    for (; at_ns < START_NS + 5 * NS_PER_S; at_ns += 10 * NS_PER_MS) {
        struct stamp_moment now = moment(at_ns, REAL_NS + at_ns - START_NS - NS_PER_S, WIDTH_NS);
        stamps_look(&stamps, &now, START_NS - NS_PER_MS);
        assert_false(stamps.sure);
    }
    struct stamp_moment now = moment(at_ns, REAL_NS + at_ns - START_NS - NS_PER_S, WIDTH_NS);
    stamps_look(&stamps, &now, at_ns - NS_PER_MS);
    assert_true(stamps.sure);
}

static void nothing_is_believed_before_the_clock_is_known_or_where_its_readings_are_wide(void **state)
{
    (void)state;
    struct stamps stamps = {0};
    int64_t within_ns;
    assert_true(stamps_know_nothing(&stamps));
    assert_int_equal(told(&stamps, 20 * NS_PER_MS, 0, &within_ns), STAMP_UNSURE);
    assert_false(stamps_know_nothing(&stamps));
    struct stamp_moment wide =
        moment(START_NS + 40 * NS_PER_MS, REAL_NS + 40 * NS_PER_MS, STAMP_WIDTH_NS + 1);
    struct stamp_moment turned = moment(START_NS + 40 * NS_PER_MS, REAL_NS + 40 * NS_PER_MS, WIDTH_NS);
    turned.ahead_width_ns = -1;
    stamps = settled(false);
    stamps_look(&stamps, &wide, START_NS);
    assert_int_equal(stamps_within(&stamps, REAL_NS, START_NS - 1, START_NS, &within_ns), STAMP_UNSURE);
    stamps = settled(false);
    stamps_look(&stamps, &turned, START_NS);
    assert_int_equal(stamps_within(&stamps, REAL_NS, START_NS - 1, START_NS, &within_ns), STAMP_UNSURE);
    assert_false(stamps_know_nothing(&stamps));
    stamps_forget(&stamps);
    assert_true(stamps_know_nothing(&stamps));
}

/* A card's clock may run as it likes by so much, and no more. */
static void a_cards_clock_may_run_a_little_apart(void **state)
{
    (void)state;
    int64_t within_ns;
    struct stamps stamps = settled(true);
    assert_int_equal(told(&stamps, 20 * NS_PER_MS, 50000, &within_ns), STAMP_NARROWS);
    assert_in_range(within_ns, 10 * NS_PER_MS - 50000, 11 * NS_PER_MS);
    stamps = settled(true);
    assert_int_equal(told(&stamps, 20 * NS_PER_MS, 500000, &within_ns), STAMP_UNSURE);
}

/* Whatever a device says: nothing wraps round into what is believed. */
static void no_figure_of_a_card_is_too_large(void **state)
{
    (void)state;
    static const int64_t odd[] = {0, 1, INT64_MAX, INT64_MAX / 4, REAL_NS};
    for (uint32_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        struct stamps stamps = {.wanders = true};
        for (int64_t at_ns = START_NS; at_ns < START_NS + 3 * NS_PER_S; at_ns += NS_PER_S / 2) {
            struct stamp_moment now = stamp_moment_of(at_ns, at_ns + 1, odd[i]);
            stamps_look(&stamps, &now, at_ns - 1);
            for (uint32_t k = 0; k < sizeof odd / sizeof odd[0]; k++) {
                int64_t within_ns;
                (void)stamps_within(&stamps, odd[k], at_ns - 1, at_ns, &within_ns);
                assert_in_range(within_ns, 0, 1);
            }
        }
        assert_false(stamps.sure);      /* it stands still */
    }
}

static void the_machines_own_clocks_are_told_as_one_moment(void **state)
{
    (void)state;
    static struct timebase base;
    struct stamp_moment one, other;
    (void)timebase_init(&base);
    int64_t before_ns = timebase_now_ns(&base);
    stamp_moment_read(&one, &base);
    stamp_moment_read(&other, &base);
    int64_t after_ns = timebase_now_ns(&base);
    assert_true(before_ns <= one.first_ns && one.first_ns <= one.last_ns && one.last_ns <= other.first_ns &&
                other.last_ns <= after_ns);
    assert_true(one.ahead_width_ns >= 0 && one.ahead_width_ns <= one.last_ns - one.first_ns + 1000);
    assert_true(one.ahead_ns <= other.ahead_ns + other.ahead_width_ns &&
                other.ahead_ns <= one.ahead_ns + one.ahead_width_ns);
}

/* ---- worlds ---- */

struct chance { uint64_t state; };

static uint64_t draw(struct chance *chance, uint64_t below)
{
    chance->state = chance->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (chance->state >> 20) % below;
}

/* From 1 to `most`, every size as often. */
static int64_t any_size(struct chance *chance, uint32_t bits)
{
    uint64_t size = UINT64_C(1) << draw(chance, bits);
    return (int64_t)(size + draw(chance, size));
}

struct world {
    struct chance chance;
    bool card;
    int64_t true_ns;            /* monotonic, as the timebase has it */
    int64_t even_ns;            /* the clock that nobody sets */
    int64_t ppm;                /* that and the stamps' clock run ahead by so much */
    int64_t set_ns;             /* the stamps' clock before that */
    int64_t settable_ns;        /* set no earlier again */
    int64_t stamp[FRAMES_MAX], queued_ns[FRAMES_MAX];
    uint32_t waiting;
    int64_t poll_ns, empty_ns;
    struct stamps stamps;
    uint32_t verdict[STAMP_AFTER + 1];
};

static void pass(struct world *world, int64_t ns)
{
    world->true_ns += ns;
    world->even_ns += ns + ns * world->ppm / 1000000;
}

static int64_t clock_now(const struct world *world)
{
    return world->even_ns + world->set_ns;
}

static void set_clock(struct world *world)
{
    if (world->true_ns < world->settable_ns || draw(&world->chance, 100))
        return;
    int64_t by_ns = any_size(&world->chance, 36);
    world->set_ns += draw(&world->chance, 2) ? by_ns : -by_ns;
    world->settable_ns = world->true_ns + 3 * NS_PER_S;
    world->ppm = (int64_t)draw(&world->chance, 1901) - 950;
}

/* Stamped now, in the queue a little later, behind those before it. */
static void send(struct world *world)
{
    if (world->waiting == FRAMES_MAX)
        return;
    uint32_t i = world->waiting++;
    int64_t up_ns = any_size(&world->chance, draw(&world->chance, 20) ? 12 : 29);
    world->stamp[i] = clock_now(world);
    world->queued_ns[i] = world->true_ns + up_ns;
    if (i && world->queued_ns[i] < world->queued_ns[i - 1])
        world->queued_ns[i] = world->queued_ns[i - 1];
}

static struct stamp_moment look(struct world *world)
{
    struct stamp_moment now = {.first_ns = world->true_ns, .clock_ns = clock_now(world)};
    pass(world, any_size(&world->chance, 12));
    int64_t even_ns = world->even_ns;
    pass(world, any_size(&world->chance, draw(&world->chance, 50) ? 8 : 20));
    now.last_ns = world->true_ns;
    if (world->card)
        return stamp_moment_of(now.first_ns, now.last_ns, now.clock_ns);
    now.ahead_ns = now.clock_ns - even_ns;
    now.ahead_width_ns = clock_now(world) - now.clock_ns;
    return now;
}

static void check(struct world *world, uint32_t i, int64_t empty_ns, int64_t found_ns)
{
    int64_t within_ns;
    enum stamp_verdict verdict =
        stamps_within(&world->stamps, world->stamp[i], empty_ns, found_ns, &within_ns);
    world->verdict[verdict]++;
    assert_in_range(within_ns, 0, found_ns - empty_ns);
    assert_true(found_ns - within_ns <= world->queued_ns[i]);
}

/* As the lane polls: at most a burst, so that some stay behind. */
static void poll_once(struct world *world)
{
    uint32_t most = 1 + (uint32_t)draw(&world->chance, FRAMES_MAX), got = 0;
    int64_t before_ns = world->poll_ns, empty_ns = world->empty_ns, asked_ns = world->true_ns;
    while (got < most && got < world->waiting && world->queued_ns[got] <= asked_ns)
        got++;
    pass(world, any_size(&world->chance, 10));
    int64_t found_ns = world->poll_ns = world->true_ns;
    if (got < most)
        world->empty_ns = before_ns;
    if (got || stamps_know_nothing(&world->stamps)) {
        struct stamp_moment now = look(world);
        stamps_look(&world->stamps, &now, empty_ns);
    }
    for (uint32_t i = 0; i < got; i++)
        check(world, i, empty_ns, found_ns);
    world->waiting -= got;
    for (uint32_t i = 0; i < world->waiting; i++) {
        world->stamp[i] = world->stamp[i + got];
        world->queued_ns[i] = world->queued_ns[i + got];
    }
}

static void live(struct world *world)
{
    for (uint32_t i = 0; i < POLLS; i++) {
        int64_t gap_ns = any_size(&world->chance, 26);
        for (uint64_t events = draw(&world->chance, 4); events; events--) {
            pass(world, (int64_t)draw(&world->chance, (uint64_t)gap_ns));
            set_clock(world);
            if (draw(&world->chance, 2))
                send(world);
        }
        poll_once(world);
    }
}

static void the_true_arrival_is_within_whatever_is_set_and_when(void **state)
{
    (void)state;
    uint32_t verdict[2][STAMP_AFTER + 1] = {0};
    for (uint32_t seed = 0; seed < WORLDS; seed++) {
        struct world world = {.chance = {seed * 7919 + 1}, .card = seed % 2, .true_ns = START_NS,
                              .even_ns = START_NS / 3, .set_ns = REAL_NS, .poll_ns = START_NS,
                              .empty_ns = START_NS, .stamps.wanders = seed % 2};
        live(&world);
        for (uint32_t i = 0; i <= STAMP_AFTER; i++)
            verdict[world.card][i] += world.verdict[i];
    }
    for (uint32_t i = 0; i < 2; i++)
        print_message("%s: %u narrow, %u before, %u unsure, %u after\n", i ? "card" : "kernel",
                      verdict[i][STAMP_NARROWS], verdict[i][STAMP_BEFORE], verdict[i][STAMP_UNSURE],
                      verdict[i][STAMP_AFTER]);
    for (uint32_t i = 0; i < 2; i++)
        assert_true(verdict[i][STAMP_NARROWS] > WORLDS * POLLS / 16 && verdict[i][STAMP_UNSURE] > WORLDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stamp_tells_when_it_came_within_what_the_polls_prove),
        cmocka_unit_test(what_is_stamped_between_the_poll_and_the_reading_behind_it_is_not_believed),
        cmocka_unit_test(a_clock_that_was_set_is_not_believed_for_a_second),
        cmocka_unit_test(what_waited_since_before_it_was_set_is_not_believed_however_long),
        cmocka_unit_test(nothing_is_believed_before_the_clock_is_known_or_where_its_readings_are_wide),
        cmocka_unit_test(a_cards_clock_may_run_a_little_apart),
        cmocka_unit_test(no_figure_of_a_card_is_too_large),
        cmocka_unit_test(the_machines_own_clocks_are_told_as_one_moment),
        cmocka_unit_test(the_true_arrival_is_within_whatever_is_set_and_when),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
