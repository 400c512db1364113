/* SPDX-License-Identifier: Apache-2.0 */
/* What a meter takes and what it refuses, each bound from both sides; how a block connects with the one
 * before; what it leaves for the next. 8 kHz: 125,000 ns a sample, 8 to the millisecond. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/measure_inside.h"

enum { COUNT = 8, PERIOD_NS = 125000 };

static struct measure_meter meter;
static struct measure_out out;

static struct measure_config usual(void)
{
    struct measure_config config = {.period_ps = PERIOD_NS * 1000, .phases = 3, .channels = 6,
        .nominal_hz = 50, .voltage_v = 230, .sag = 0.9, .swell = 1.1, .interruption = 0.05,
        .hysteresis = 0.02};

    for (uint32_t c = 0; c < MEASURE_CHANNELS; c++)
        config.gain[c] = 1;
    return config;
}

static int init_with(const struct measure_config *config)
{
    static struct measure_meter other;

    return measure_meter_init(&other, config);
}

#define HOLDS(field, value) do { \
    struct measure_config config = usual(); \
    config.field = value; \
    assert_int_equal(init_with(&config), 0); \
} while (0)
#define REFUSED(field, value) do { \
    struct measure_config config = usual(); \
    config.field = value; \
    assert_int_equal(init_with(&config), -EINVAL); \
} while (0)
#define WITHIN(field, low, below, high, above) do { \
    HOLDS(field, low); \
    REFUSED(field, below); \
    HOLDS(field, high); \
    REFUSED(field, above); \
} while (0)

static void every_bound_of_a_configuration_is_where_it_is_said(void **state)
{
    (void)state;
    WITHIN(period_ps, 62500000, 62499999, 1000000000, 1000000001);
    WITHIN(phases, 1, 0, 3, 4);
    WITHIN(channels, 6, 5, 8, 9);
    REFUSED(channels, 7);
    WITHIN(nominal_hz, 45, 44.99, 65, 65.01);
    WITHIN(clip, 0, -1e-9, 1e9, 1.0001e9);
    WITHIN(voltage_v, 0, -1e-9, 1e9, 1.0001e9);
    WITHIN(current_a, 0, -1e-9, 1e9, 1.0001e9);
    WITHIN(sag, 0, -1e-9, 1, 1.0001);
    WITHIN(swell, 1, 0.9999, 10, 10.001);
    WITHIN(interruption, 0, -1e-9, 1, 1.0001);
    WITHIN(hysteresis, 0, -1e-9, 1, 1.0001);
    WITHIN(peak_a, 0, -1e-9, 1e9, 1.0001e9);
    WITHIN(slope_w_per_s, 0, -1e-9, 1e18, 1.0001e18);
    for (uint32_t c = 0; c < 6; c++) {
        WITHIN(gain[c], -1e9, -1.0001e9, 1e9, 1.0001e9);
        REFUSED(gain[c], 0);
        WITHIN(offset[c], -1e9, -1.0001e9, 1e9, 1.0001e9);
        WITHIN(late_ns[c], -125000, -125001, 125000, 125001);
    }
    HOLDS(gain[6], 0);                  /* a channel that is not sent */
    REFUSED(nominal_hz, NAN);
    REFUSED(slope_w_per_s, NAN);
}

/* ---- blocks ---- */

static double row[MEASURE_BLOCK_MAX * 6];

static int block(int64_t first, int64_t t_ns, uint32_t samples)
{
    struct measure_block now = {.row = row, .samples = samples, .first = first, .t_ns = t_ns};

    return measure_meter_block(&meter, &now, &out);
}

static void begin(void)
{
    struct measure_config config = usual();

    assert_int_equal(measure_meter_init(&meter, &config), 0);
}

static void started(void)
{
    begin();
    assert_int_equal(block(0, 0, COUNT), 0);
    assert_int_equal(meter.next_first, COUNT);
    assert_int_equal(meter.next_t_ns, COUNT * PERIOD_NS);
}

static void times_and_numbers_have_bounds(void **state)
{
    (void)state;
    const int64_t most = INT64_C(1) << 62, least = -(INT64_C(1) << 61);

    for (uint32_t k = 0; k < 2; k++) {
        begin();
        assert_int_equal(block(k ? most : 0, k ? 0 : most, COUNT), -EINVAL);
        assert_int_equal(block(k ? least - 1 : 0, k ? 0 : least - 1, COUNT), -EINVAL);
        assert_int_equal(meter.started, 0);
        assert_int_equal(block(k ? most - 1 : 0, k ? 0 : most - 1, COUNT), 0);
        begin();
        assert_int_equal(block(k ? least : 0, k ? 0 : least, COUNT), 0);
    }
    begin();
    assert_int_equal(block(0, 0, 0), -EINVAL);
    assert_int_equal(block(0, 0, MEASURE_BLOCK_MAX + 1), -EINVAL);
    assert_int_equal(block(0, 0, MEASURE_BLOCK_MAX), 0);
    assert_int_equal(block(MEASURE_BLOCK_MAX - 1, 0, 1), -EINVAL);
    assert_int_equal(block(MEASURE_BLOCK_MAX, 0, 1), 0);
}

/* Eight samples that are missing are filled, nine are a gap. */
static void what_is_missing_is_filled_up_to_a_millisecond(void **state)
{
    (void)state;
    for (int64_t missing = 7; missing <= 9; missing++) {
        started();
        assert_int_equal(block(COUNT + missing, (COUNT + missing) * PERIOD_NS, COUNT), 0);
        assert_int_equal(out.cycles_count, missing == 9);
        assert_int_equal(out.ticks, missing == 9 ? 1 : missing == 8 ? 2 : 1);
        if (missing == 9) {
            assert_int_equal(out.cycles[0].flags, MEASURE_GAP);
            assert_int_equal(out.cycles[0].from_ns, 0);
            assert_int_equal(out.cycles[0].t_ns, (COUNT + missing) * PERIOD_NS);
        }
    }
}

/* The oscillator runs on over a gap: 50 Hz are 1 / 160 of a cycle a sample, and so is its last value's
 * place. */
static void the_oscillator_runs_on(void **state)
{
    (void)state;
    started();
    assert_true(fabs(meter.track.turn - 7.0 / 160) < 1e-12);
    assert_int_equal(block(COUNT, COUNT * PERIOD_NS, COUNT), 0);
    assert_true(fabs(meter.track.turn - 15.0 / 160) < 1e-12);
    assert_int_equal(block(100, 100 * PERIOD_NS, COUNT), 0);
    assert_true(fabs(meter.track.turn - 107.0 / 160) < 1e-12);
    assert_int_equal(block(1000, 1000 * PERIOD_NS, COUNT), 0);
    assert_true(fabs(meter.track.turn - 1007 % 160 / 160.0) < 1e-9);
    meter.track.jump = -0.25;
    meter.track.pull = 0.01;
    meter.track.known = 1;
    assert_int_equal(block(1008, 1008 * PERIOD_NS, COUNT), 0);
    assert_true(fabs(meter.track.turn - (1015 % 160 / 160.0 - 0.25)) < 1e-9);
    assert_true(meter.track.jump == 0 && meter.track.jumps == 1 && !meter.track.known);
    assert_true(fabs(meter.track.cycles - 1.01 / 160) < 1e-12);
}

static void where_the_oscillator_stands_is_told_when_the_frequency_was_found(void **state)
{
    (void)state;
    double turn = 7, cycles = 7;

    started();
    measure_meter_turn(&meter, &turn, &cycles);
    assert_true(turn == 0 && cycles == 0);
    meter.track.found = 1;
    measure_meter_turn(&meter, &turn, &cycles);
    assert_true(fabs(turn - 7.0 / 160) < 1e-12 && fabs(cycles - 1.0 / 160) < 1e-12);
}

static void a_gap_of_more_than_a_second_forgets_the_frequency(void **state)
{
    (void)state;
    for (int64_t missing = 8000; missing <= 8001; missing++) {
        started();
        meter.track.locked = meter.track.known = 1;
        assert_int_equal(block(COUNT + missing, (COUNT + missing) * PERIOD_NS, COUNT), 0);
        assert_int_equal(meter.track.locked, missing == 8000);
        assert_int_equal(meter.track.known, 0);
    }
}

static uint32_t clock_flags(int64_t beside_ns)
{
    started();
    assert_int_equal(block(COUNT, COUNT * PERIOD_NS + beside_ns, COUNT), 0);
    assert_int_equal(out.ticks, 1);
    return out.tick[0].flags;
}

static void a_clock_is_set_where_it_is_20_us_beside(void **state)
{
    (void)state;
    assert_int_equal(clock_flags(0), 0);
    assert_int_equal(clock_flags(20000), 0);
    assert_int_equal(clock_flags(-20000), 0);
    assert_int_equal(clock_flags(20001), MEASURE_CLOCK);
    assert_int_equal(clock_flags(-20001), MEASURE_CLOCK);
}

/* ---- as protocols bring them ---- */

static struct samples packet;

static int next(uint32_t flags, uint32_t invalid, int64_t t_ns)
{
    packet.period_ps = PERIOD_NS * 1000;
    packet.count = COUNT;
    packet.channels = 6;
    packet.flags = flags;
    packet.invalid = (uint8_t)invalid;
    packet.t0_ns = t_ns;
    return measure_meter_samples(&meter, &packet, &out);
}

static void a_block_with_an_invalid_channel_is_left_out(void **state)
{
    (void)state;
    static const struct { uint32_t flags, invalid; bool is; } way[] = {
        {SAMPLES_INVALID, 1u << SAMPLES_IB, true}, {SAMPLES_INVALID, 0, true},
        {SAMPLES_INVALID, 1u << SAMPLES_VA | 1u << SAMPLES_VN, true},
        {SAMPLES_INVALID, 1u << SAMPLES_VN, false}, {0, 1u << SAMPLES_IB, false}};

    for (uint32_t k = 0; k < sizeof way / sizeof *way; k++) {
        begin();
        assert_int_equal(next(0, 0, 0), 0);
        assert_int_equal(next(way[k].flags, way[k].invalid, COUNT * PERIOD_NS), 0);
        assert_int_equal(out.ticks, !way[k].is);
        assert_int_equal(next(0, 0, 2 * COUNT * PERIOD_NS), 0);
        /* eight are missing, which is just as many as are filled */
        assert_int_equal(out.ticks, way[k].is ? 2 : 1);
        assert_int_equal(out.tick[0].flags, way[k].is ? MEASURE_FILLED : 0);
        assert_int_equal(next(0, 0, 3 * COUNT * PERIOD_NS), 0);
        assert_int_equal(out.tick[0].flags, 0);     /* and it is told once */
    }
}

static void a_meter_that_has_seen_nothing_has_no_gap(void **state)
{
    (void)state;
    begin();
    assert_int_equal(next(SAMPLES_INVALID, 0, 0), 0);
    assert_int_equal(next(SAMPLES_GAP, 0, 50 * COUNT * PERIOD_NS), 0);
    assert_int_equal(out.cycles_count, 0);
    assert_int_equal(meter.next_first, COUNT);
    assert_int_equal(meter.next_t_ns, 51 * COUNT * PERIOD_NS);
}

static void how_many_are_missing_follows_from_the_clock(void **state)
{
    (void)state;
    /* half a period is one sample; where time has not gone on there are ten, more than are filled */
    static const struct { int64_t late_ns, missing; } way[] = {
        {62499, 10}, {62500, 1}, {187499, 1}, {187500, 2}, {0, 10}, {-1, 10}, {-1000000, 10},
        {8 * PERIOD_NS, 8}, {1000 * PERIOD_NS, 1000}};

    for (uint32_t k = 0; k < sizeof way / sizeof *way; k++) {
        begin();
        assert_int_equal(next(0, 0, 0), 0);
        assert_int_equal(next(SAMPLES_GAP, 0, COUNT * PERIOD_NS + way[k].late_ns), 0);
        assert_int_equal(meter.next_first, 2 * COUNT + way[k].missing);
        assert_int_equal(out.cycles_count, way[k].missing > 8);
    }
}

static void marks_of_a_packet_are_those_of_its_ticks(void **state)
{
    (void)state;
    begin();
    assert_int_equal(next(0, 0, 0), 0);
    assert_int_equal(next(SAMPLES_CLIPPED, 0, COUNT * PERIOD_NS), 0);
    assert_int_equal(out.tick[0].flags, MEASURE_CLIPPED);
    assert_int_equal(next(SAMPLES_FILLED, 0, 2 * COUNT * PERIOD_NS), 0);
    assert_int_equal(out.tick[0].flags, MEASURE_FILLED);
    assert_int_equal(next(SAMPLES_LOCKED | SAMPLES_SIMULATED, 0, 3 * COUNT * PERIOD_NS), 0);
    assert_int_equal(out.tick[0].flags, 0);
    packet.period_ps++;
    assert_int_equal(measure_meter_samples(&meter, &packet, &out), -EINVAL);
    packet.period_ps--;
    packet.channels = 8;
    assert_int_equal(measure_meter_samples(&meter, &packet, &out), -EINVAL);
    assert_int_equal(out.ticks, 0);
}

/* 1 kHz: 100 samples of a block are 100 ms, the peak's 20 ms are over in the middle of it. */
static void a_peak_is_over_within_the_block_that_it_is_in(void **state)
{
    (void)state;
    struct measure_config config = usual();
    double samples[100][6] = {{0}};
    struct measure_block block = {.row = samples[0], .samples = 100};

    config.period_ps = 1000000000;
    config.peak_a = 500;
    samples[5][SAMPLES_IB] = 700;
    samples[90][SAMPLES_IA] = -600;
    assert_int_equal(measure_meter_init(&meter, &config), 0);
    assert_int_equal(measure_meter_block(&meter, &block, &out), 0);
    assert_int_equal(out.events, 3);
    assert_true(!out.event[0].over && out.event[0].t_ns == 5000000 && out.event[0].value == 700);
    assert_true(out.event[1].over && out.event[1].end_ns == 5000000 && out.event[1].value == 700);
    assert_true(!out.event[2].over && out.event[2].t_ns == 90000000 && out.event[2].value == 600);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_bound_of_a_configuration_is_where_it_is_said),
        cmocka_unit_test(times_and_numbers_have_bounds),
        cmocka_unit_test(what_is_missing_is_filled_up_to_a_millisecond),
        cmocka_unit_test(the_oscillator_runs_on),
        cmocka_unit_test(where_the_oscillator_stands_is_told_when_the_frequency_was_found),
        cmocka_unit_test(a_gap_of_more_than_a_second_forgets_the_frequency),
        cmocka_unit_test(a_clock_is_set_where_it_is_20_us_beside),
        cmocka_unit_test(a_block_with_an_invalid_channel_is_left_out),
        cmocka_unit_test(a_meter_that_has_seen_nothing_has_no_gap),
        cmocka_unit_test(how_many_are_missing_follows_from_the_clock),
        cmocka_unit_test(marks_of_a_packet_are_those_of_its_ticks),
        cmocka_unit_test(a_peak_is_over_within_the_block_that_it_is_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
