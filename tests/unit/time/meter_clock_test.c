/* SPDX-License-Identifier: Apache-2.0 */
/* Meters whose clocks are off by what is known, over networks that delay at random. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "msg/limits.h"
#include "time/meter_clock.h"

#define START_NS (1000 * NS_PER_S)
#define WALL_NS (INT64_C(1751538645) * NS_PER_S)
#define PERIOD_NS (16 * NS_PER_MS)
#define FASTEST_NS (80 * NS_PER_US)

struct meter {
    struct meter_clock clock;
    int64_t now_ns, least_ns, bucket;
    int64_t offset_ns, drift_ppb;   /* the truth, at START_NS */
    int64_t queue_ns;               /* delays are 0 to this, above the quickest way */
    uint64_t seed;
};

/* The reference is monotonic time and the wall's. */
static const struct reference_line line = {.at_ns = START_NS, .offset_ns = WALL_NS, .half_ns = 2000,
                                           .growth_ppt = 0};

static int64_t truth_ns(const struct meter *meter)
{
    return meter->offset_ns + (meter->now_ns - START_NS) / 1000 * meter->drift_ppb / 1000000;
}

/* As a lane tells it: the least of (arrival - stamp) in the present 5 s. */
static void hear(struct meter *meter, int64_t seconds)
{
    for (int64_t end_ns = meter->now_ns + seconds * NS_PER_S; meter->now_ns < end_ns;) {
        meter->now_ns += PERIOD_NS;
        meter->seed = meter->seed * 6364136223846793005u + 1442695040888963407u;
        int64_t wait_ns = meter->queue_ns ? (int64_t)(meter->seed >> 33) % meter->queue_ns : 0;
        int64_t stamp_ns = meter->now_ns + WALL_NS + truth_ns(meter);
        int64_t arrival_ns = meter->now_ns + FASTEST_NS + wait_ns;
        int64_t lag_ns = arrival_ns - stamp_ns, bucket = arrival_ns / METER_CLOCK_BUCKET_NS;
        meter->least_ns = bucket != meter->bucket || lag_ns < meter->least_ns ? lag_ns : meter->least_ns;
        meter->bucket = bucket;
        meter_clock_take(&meter->clock, arrival_ns, meter->least_ns, 0);
    }
}

static struct meter begin(int64_t offset_ns, int64_t drift_ppb, int64_t queue_ns)
{
    return (struct meter){.now_ns = START_NS, .offset_ns = offset_ns, .drift_ppb = drift_ppb,
                          .queue_ns = queue_ns, .seed = 3};
}

static void nothing_is_known_of_a_meter_that_was_not_heard(void **state)
{
    (void)state;
    struct meter_clock clock = {0};
    struct meter_clock_found found;
    meter_clock_find(&clock, &line, 0, &found);
    assert_false(found.has_offset || found.has_drift);
    assert_false(meter_clock_is_off(&found, 0, 0));
}

static void offset_and_drift_are_found_through_queues(void **state)
{
    (void)state;
    static const int64_t offsets_ns[] = {0, 3 * NS_PER_MS, -250 * NS_PER_MS, 3600 * NS_PER_S};
    static const int64_t drifts_ppb[] = {0, 50000, -120000, 1000000};
    static const int64_t queues_ns[] = {0, 300 * NS_PER_US, 20 * NS_PER_MS};
    for (int i = 0; i < 4 * 4 * 3; i++) {
        struct meter meter = begin(offsets_ns[i % 4], drifts_ppb[i / 4 % 4], queues_ns[i / 16]);
        struct meter_clock_found found;
        hear(&meter, 75);
        meter_clock_find(&meter.clock, &line, 0, &found);
        assert_true(found.has_offset && found.has_drift);
        /* low by the quickest way; the least of 300 waits is short; a drift moves it within its 5 s */
        int64_t error_ns = found.offset_ns - (truth_ns(&meter) - FASTEST_NS);
        int64_t fast_ppb = drifts_ppb[i / 4 % 4] < 0 ? -drifts_ppb[i / 4 % 4] : drifts_ppb[i / 4 % 4];
        int64_t may_ns = queues_ns[i / 16] / 30 + 6 * fast_ppb;
        assert_in_range(error_ns + may_ns + 1000, 0, 2 * (may_ns + 1000));
        int64_t drift_error_ppb = found.drift_ppb - drifts_ppb[i / 4 % 4];
        int64_t drift_may_ppb = 100 + queues_ns[i / 16] / 1000;      /* 1 ppm for each ms of queueing */
        assert_in_range(drift_error_ppb + drift_may_ppb, 0, 2 * drift_may_ppb);
        assert_true(found.drift_half_ppb < 200 + queues_ns[i / 16] / 100);
    }
}

static void a_path_that_is_slow_for_a_while_moves_no_drift(void **state)
{
    (void)state;
    struct meter meter = begin(0, 0, 100 * NS_PER_US);
    struct meter_clock_found found;
    hear(&meter, 40);
    meter.offset_ns -= 30 * NS_PER_MS;      /* every frame 30 ms later: looks like a clock set back */
    hear(&meter, 15);
    meter.offset_ns += 30 * NS_PER_MS;
    hear(&meter, 20);
    meter_clock_find(&meter.clock, &line, 0, &found);
    assert_in_range(found.drift_ppb + 5000, 0, 10000);
    assert_false(meter_clock_is_off(&found, NS_PER_MS, 200000));
}

static void one_that_lies_is_off_and_one_that_does_not_is_not(void **state)
{
    (void)state;
    const struct { int64_t offset_ns, drift_ppb; bool off; } rows[] = {
        {0, 0, false},          {99 * NS_PER_MS, 0, false}, {101 * NS_PER_MS, 0, true},
        {-101 * NS_PER_MS, 0, true}, {0, 150000, false},    {0, 300000, true},
        {0, -300000, true}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct meter meter = begin(rows[i].offset_ns, rows[i].drift_ppb, 200 * NS_PER_US);
        struct meter_clock_found found;
        hear(&meter, 60);
        meter_clock_find(&meter.clock, &line, 0, &found);
        assert_int_equal(meter_clock_is_off(&found, 100 * NS_PER_MS, 200000), rows[i].off);
    }
}

/* Each 5 s the quickest packet still waited for up to so long: software that stamps on a loaded machine. */
static enum meter_clock_rate rate_through(int64_t drift_ppb, int64_t scatter_ns, int64_t seconds,
                                          uint64_t seed)
{
    struct meter_clock clock = {0};
    struct meter_clock_found found;
    for (int64_t at_s = 0; at_s < seconds; at_s += 5) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        int64_t late_ns = scatter_ns ? (int64_t)(seed >> 33) % scatter_ns : 0;
        meter_clock_take(&clock, START_NS + at_s * NS_PER_S, FASTEST_NS + late_ns - at_s * drift_ppb, 0);
    }
    meter_clock_find(&clock, NULL, 0, &found);
    return meter_clock_rate(&found, 200000);
}

static void what_drifts_more_than_may_be_hidden_is_told(void **state)
{
    (void)state;
    static const struct { int64_t drift_ppb, scatter_ns, seconds; enum meter_clock_rate rate; } rows[] = {
        {0, 0, 80, METER_CLOCK_KEEPS},
        {50000, 500000, 80, METER_CLOCK_KEEPS},
        {-190000, 1000, 80, METER_CLOCK_KEEPS},
        {210000, 0, 80, METER_CLOCK_RUNS_OFF},
        {-210000, 0, 100, METER_CLOCK_RUNS_OFF},
        {1000000, 0, 75, METER_CLOCK_UNKNOWN},      /* fifteen leasts */
        {1000000, 5000000, 80, METER_CLOCK_RUNS_OFF},
        {10000000, 50000000, 80, METER_CLOCK_RUNS_OFF}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (uint64_t seed = 1; seed <= 50; seed++)
            assert_int_equal(rate_through(rows[i].drift_ppb, rows[i].scatter_ns, rows[i].seconds, seed),
                             rows[i].rate);
    /* at the limit, with some scatter: the doubt is the meter's, where it is small */
    int off = 0;
    for (uint64_t seed = 1; seed <= 50; seed++)
        off += rate_through(199000, 200000, 80, seed) == METER_CLOCK_RUNS_OFF;
    assert_in_range(off, 45, 50);
}

/* A route that is another from then on, or a clock that was set once. */
static void a_jump_is_no_drift(void **state)
{
    (void)state;
    for (int64_t jump_ns = -NS_PER_S; jump_ns <= NS_PER_S; jump_ns += NS_PER_S / 500) {
        for (int64_t from = 1; from < METER_CLOCK_POINTS; from++) {
            struct meter_clock clock = {0};
            struct meter_clock_found found;
            for (int64_t i = 0; i < METER_CLOCK_POINTS; i++)
                meter_clock_take(&clock, START_NS + i * METER_CLOCK_BUCKET_NS,
                                 FASTEST_NS + i * i % 7 * 100000 + (i < from ? 0 : jump_ns), 0);
            meter_clock_find(&clock, NULL, 0, &found);
            assert_int_not_equal(meter_clock_rate(&found, 200000), METER_CLOCK_RUNS_OFF);
        }
    }
}

/* A day of 75 s each, at every scatter from 0.1 ms to half a second: no meter that keeps time is called
 * one that does not. */
static void scatter_is_no_drift(void **state)
{
    (void)state;
    uint64_t kept = 0, unknown = 0;
    for (int64_t scatter_ns = 100000; scatter_ns <= 500 * NS_PER_MS; scatter_ns += scatter_ns / 2) {
        for (uint64_t seed = 1; seed <= 1152; seed++) {
            enum meter_clock_rate rate = rate_through(seed % 2 ? 20000 : -50000, scatter_ns, 80, seed * 77);
            assert_int_not_equal(rate, METER_CLOCK_RUNS_OFF);
            kept += rate == METER_CLOCK_KEEPS;
            unknown += rate == METER_CLOCK_UNKNOWN;
        }
    }
    assert_true(kept > 1152 && unknown > 1152);
}

static void without_a_reference_drift_is_told_against_this_machine(void **state)
{
    (void)state;
    struct meter meter = begin(77 * NS_PER_MS, -40000, 0);
    struct meter_clock_found found;
    hear(&meter, 60);
    meter_clock_find(&meter.clock, NULL, 0, &found);
    assert_false(found.has_offset);
    assert_true(found.has_drift);
    assert_in_range(found.drift_ppb + 40100, 0, 200);
}

static void a_reference_that_is_tai_is_ahead_of_stamps(void **state)
{
    (void)state;
    struct meter meter = begin(5 * NS_PER_MS, 0, 0);
    struct reference_line tai = line;
    struct meter_clock_found found;
    tai.offset_ns += 37 * NS_PER_S;
    hear(&meter, 30);
    meter_clock_find(&meter.clock, &tai, 37 * NS_PER_S, &found);
    assert_true(found.offset_ns == 5 * NS_PER_MS - FASTEST_NS);
}

static void what_was_before_a_step_is_forgotten(void **state)
{
    (void)state;
    struct meter meter = begin(0, 0, 0);
    struct meter_clock_found found;
    hear(&meter, 60);
    meter_clock_forget(&meter.clock);
    meter.offset_ns = NS_PER_S;
    hear(&meter, 8);
    meter_clock_find(&meter.clock, &line, 0, &found);
    assert_true(found.has_offset && !found.has_drift);
    assert_true(found.offset_ns == NS_PER_S - FASTEST_NS);
}

/* Frames that wait for a poll up to so long, each found to have waited for at most that: the interval that is
 * told holds the truth, and is no wider than that. */
static void what_frames_wait_for_a_poll_is_not_known_of_an_offset(void **state)
{
    (void)state;
    uint64_t seed = 5;
    for (int64_t within_ns = 1000; within_ns <= 50 * NS_PER_MS; within_ns *= 3) {
        for (int64_t points = 1; points <= METER_CLOCK_POINTS; points++) {
            struct meter_clock clock = {0};
            struct meter_clock_found found;
            for (int64_t i = 0; i < points; i++) {
                seed = seed * 6364136223846793005u + 1442695040888963407u;
                int64_t waited_ns = (int64_t)(seed >> 33) % (within_ns + 1);
                int64_t at_ns = START_NS + i * METER_CLOCK_BUCKET_NS;
                meter_clock_take(&clock, at_ns, FASTEST_NS - WALL_NS + waited_ns, within_ns);
            }
            meter_clock_find(&clock, &line, 0, &found);
            int64_t low_ns = found.offset_ns - found.half_ns, high_ns = found.offset_ns + found.half_ns;
            assert_true(found.has_drift || (low_ns <= -FASTEST_NS && -FASTEST_NS <= high_ns));
            int64_t last_ns = START_NS + (points - 1) * METER_CLOCK_BUCKET_NS;
            assert_in_range(found.half_ns - reference_half_ns(&line, last_ns) - within_ns + 1, 0, 2);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_known_of_a_meter_that_was_not_heard),
        cmocka_unit_test(offset_and_drift_are_found_through_queues),
        cmocka_unit_test(a_path_that_is_slow_for_a_while_moves_no_drift),
        cmocka_unit_test(one_that_lies_is_off_and_one_that_does_not_is_not),
        cmocka_unit_test(what_drifts_more_than_may_be_hidden_is_told),
        cmocka_unit_test(a_jump_is_no_drift),
        cmocka_unit_test(scatter_is_no_drift),
        cmocka_unit_test(without_a_reference_drift_is_told_against_this_machine),
        cmocka_unit_test(a_reference_that_is_tai_is_ahead_of_stamps),
        cmocka_unit_test(what_was_before_a_step_is_forgotten),
        cmocka_unit_test(what_frames_wait_for_a_poll_is_not_known_of_an_offset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
