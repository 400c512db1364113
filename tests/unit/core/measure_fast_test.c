/* SPDX-License-Identifier: Apache-2.0 */
/* Slopes of power by the printed vectors, features at fixed times, and what a gap, a clip, a clock and a
 * change
 * spoil: the windows that they touch and no other. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/measure_inside.h"
#include "waves.h"

struct fed {
    struct measure_meter meter;
    struct measure_out out;
    struct waves_result result;
};

static struct fed *begin(const struct measure_config *config)
{
    struct fed *fed = calloc(1, sizeof *fed);

    assert_non_null(fed);
    assert_int_equal(measure_meter_init(&fed->meter, config), 0);
    return fed;
}

/* Rows of a meter's samples, from sample number `first`, `late_ns` beside their time. */
static void feed(struct fed *fed, const double *row, uint32_t samples, int64_t first, int64_t late_ns)
{
    struct measure_block block = {.row = row, .samples = samples, .first = first,
                                  .t_ns = first * 125000 + late_ns};

    assert_int_equal(measure_meter_block(&fed->meter, &block, &fed->out), 0);
    waves_collect(&fed->result, &fed->out);
}

/* Power as 1 V times watts on one phase. */
static struct fed *of_power(double (*power_w)(uint32_t n), uint32_t samples)
{
    struct measure_config config = {
        .period_ps = 125000000, .phases = 1, .channels = 6, .nominal_hz = 60, .swell = 1};

    for (uint32_t c = 0; c < 6; c++)
        config.gain[c] = 1;
    struct fed *fed = begin(&config);

    for (uint32_t n = 0; n < samples; n += 8) {
        double row[8 * 6] = {0};

        for (uint32_t k = 0; k < 8; k++) {
            row[k * 6] = 1;
            row[k * 6 + 3] = power_w(n + k);
        }
        feed(fed, row, 8, n, 0);
    }
    return fed;
}

static double printed_ramp(uint32_t n)
{
    return n < 80 ? 200e3 : n < 144 ? 200e3 + 450e3 * (n - 80) / 64 : 650e3;
}

static void slopes_without_the_notch_are_the_printed_ones(void **state)
{
    (void)state;
    static const double five[] = {0,      4.922,  18.633, 35.508, 49.922, 56.250, 56.250,
                                  56.250, 56.250, 51.328, 37.617, 20.742, 6.328,  0};
    static const double two[] = {24.609, 56.250, 56.250, 56.250, 56.250, 56.250, 56.250, 56.250, 31.641};
    struct fed *fed = of_power(printed_ramp, 400);
    const struct measure_tick *tick = fed->result.tick;

    assert_int_equal(fed->result.ticks, 50);
    for (uint32_t k = 0; k < sizeof five / sizeof *five; k++)
        assert_true(fabs(tick[9 + k].slope_fast_w_per_s * 1e-6 - five[k]) < 6e-4);
    for (uint32_t k = 0; k < sizeof two / sizeof *two; k++)
        assert_true(fabs((tick[10 + k].power_w - tick[9 + k].power_w) * 1e-3 - two[k]) < 6e-4);
    free(fed);
}

static double ripple_w(uint32_t n)
{
    return 640e3 + 32e3 * cos(2 * 3.14159265358979 * 120 * n / 8000.0) + 5e3 * n / 8000;
}

/* 5 % of unbalance: 24 MW/s of ripple. The notch leaves what power does: here 5 kW/s. */
static void the_notch_takes_ripple_out(void **state)
{
    (void)state;
    struct fed *fed = of_power(ripple_w, 1600);
    double fast = 0, calm = 0;

    for (uint32_t k = 100; k < fed->result.ticks; k++) {
        fast = fmax(fast, fabs(fed->result.tick[k].slope_fast_w_per_s));
        calm = fmax(calm, fabs(fed->result.tick[k].slope_w_per_s - 5e3));
    }
    assert_true(fast > 15e6);
    assert_true(calm < 2e3);
    free(fed);
}

static double half_megawatt_at_once(uint32_t n)
{
    return n < 800 ? 200e3 : 650e3;
}

/* The notch is half a cycle, the line five milliseconds: the whole of an edge is through after 8.3 + 5 ms,
 * the first of it in the next millisecond. */
static void an_edge_is_through_when_notch_and_line_have_passed(void **state)
{
    (void)state;
    struct fed *fed = of_power(half_megawatt_at_once, 1600);

    for (uint32_t k = 20; k < fed->result.ticks; k++) {
        double slope = fed->result.tick[k].slope_w_per_s * 1e-6;

        assert_true(k >= 100 && k <= 111 ? slope > 2 : k < 100 || k > 112 ? fabs(slope) < 1e-6 : true);
        assert_true(slope < 450e3 / 8.3333e-3 * 1e-6 * 1.01);
    }
    free(fed);
}

static void trend_and_load_factor_are_the_printed_ones(void **state)
{
    (void)state;
    struct measure_trend trend = {.count = 5, .next = 5, .power_w = {100e3, 102e3, 101e3, 105e3, 107e3}};

    assert_true(fabs(measure_slope_trend(&trend) - 106.25e3) < 1e-6);
    assert_true(fabs(measure_slope_load_factor(&trend) - 0.962617) < 1e-6);
    for (uint32_t k = 0; k < MEASURE_TREND; k++)
        trend.power_w[(k + 17) % MEASURE_TREND] = 1000.0 * k;
    trend.count = MEASURE_TREND;
    trend.next = 17;
    assert_true(fabs(measure_slope_trend(&trend) - 1000 / 0.016) < 1e-6);
    assert_true(fabs(measure_slope_load_factor(&trend) - 0.5) < 1e-9);
}

/* 1 kW, half a second of nothing, 2 kW: what was before the gap is no trend of what is after it. */
static void a_trend_begins_anew_behind_a_gap(void **state)
{
    (void)state;
    struct measure_config config = {
        .period_ps = 125000000, .phases = 1, .channels = 6, .nominal_hz = 60, .swell = 1};
    uint32_t seen = 0;

    for (uint32_t c = 0; c < 6; c++)
        config.gain[c] = 1;
    struct fed *fed = begin(&config);

    for (uint32_t n = 0; n < 8000; n += 8) {
        double row[8 * 6] = {0};

        for (uint32_t k = 0; k < 8; k++) {
            row[k * 6] = 1;
            row[k * 6 + 3] = n < 2000 ? 1000 : 2000 + (n < 6000 + 16 * 8 ? 0 : 500);
        }
        if (n < 2000 || n >= 6000)
            feed(fed, row, 8, n, 0);
    }
    for (uint32_t k = 0; k < fed->result.features; k++) {
        const struct measure_feature *now = &fed->result.feature[k];

        if (!(now->flags & MEASURE_GAP) || now->t_ns < 750000000)
            continue;
        assert_true(fabs(now->power_w - 2000) < 1e-9 && now[1].power_w > 2499.999);
        assert_true(fabs(now->trend_w_per_s) < 1e-9 && fabs(now->load_factor - 1) < 1e-12);
        assert_true(fabs(now[1].trend_w_per_s - 500 / 0.016) < 1e-6);
        assert_true(fabs(now[1].load_factor - 0.9) < 1e-9);
        seen++;
    }
    assert_int_equal(seen, 1);
    free(fed);
}

/* ---- what is wrong with a window ---- */

enum { BLOCK = 64, SECOND = 8000 };

struct spoil { uint32_t missing, clipped, moved; int64_t moved_ns; };

/* Three seconds of sines; `missing` samples are not sent behind sample 12,000, one at 12,000 is clipped,
 * or from there on the clock is another. */
static struct fed *spoilt(struct spoil spoil)
{
    struct waves waves = waves_sine(60, 277.128, 600, 15);
    struct measure_config config = waves_config(&waves);
    uint32_t from = 12000;

    config.clip = 4000;
    struct fed *fed = begin(&config);

    for (uint32_t n = 0, block; n < 3 * SECOND; n += block) {
        double row[BLOCK * 6];

        if (n == from)
            n += spoil.missing;
        block = n < from && from - n < BLOCK ? from - n : BLOCK;
        for (uint32_t k = 0; k < block; k++)
            for (uint32_t c = 0; c < 6; c++)
                row[k * 6 + c] = waves_value(&waves, c, (n + k) / 8000.0);
        if (spoil.clipped && n == from)
            row[3] = 4000;
        feed(fed, row, block, n, spoil.moved && n >= from ? spoil.moved_ns : 0);
    }
    return fed;
}

/* Readings with `flag` are those that overlap 12,000 .. 12,000 + more; the others have no flag but, at the
 * beginning, that they settle. */
static void only_touched(const struct fed *fed, uint32_t flag, uint32_t more, uint32_t wanted)
{
    int64_t from_ns = 12000 * INT64_C(125000), to_ns = from_ns + more * INT64_C(125000);
    uint32_t with = 0;

    for (uint32_t k = 0; k < fed->result.cycles; k++) {
        const struct measure_cycles *reading = &fed->result.cycle[k];
        bool touched = reading->from_ns <= to_ns && reading->t_ns >= from_ns;

        with += !!(reading->flags & flag);
        assert_false((reading->flags & flag) && !touched);
        assert_int_equal(reading->flags & ~(flag | (k ? 0 : MEASURE_SETTLING)), 0);
        if (!reading->flags)
            assert_true(fabs(reading->active_w / 481833.2 - 1) < 1e-4);
    }
    assert_int_equal(with, wanted);
    assert_true(fed->result.cycles >= 10);
}

static void a_gap_spoils_the_windows_it_touches(void **state)
{
    (void)state;
    static const uint32_t missing[] = {9, 64, 500, 4000};

    for (uint32_t k = 0; k < sizeof missing / sizeof *missing; k++) {
        struct fed *fed = spoilt((struct spoil){.missing = missing[k]});
        double worst = 0;
        uint32_t frozen = 0;

        only_touched(fed, MEASURE_GAP, missing[k], 1);
        for (uint32_t t = 50; t < fed->result.ticks; t++) {
            worst = fmax(worst, fabs(fed->result.tick[t].slope_w_per_s));
            frozen += !!(fed->result.tick[t].flags & MEASURE_GAP);
        }
        assert_true(worst < 1e4);           /* dP/dt stands still instead of seeing an edge */
        assert_true(frozen >= 9 && frozen <= 14);
        for (uint32_t h = 0; h < fed->result.halves; h++)
            assert_true(fed->result.half[h].t_ns < 100000000 ||
                        fabs(fed->result.half[h].voltage_v / 277.128 - 1) < 1e-4);
        free(fed);
    }
}

static void up_to_a_millisecond_is_filled_and_said(void **state)
{
    (void)state;
    struct fed *fed = spoilt((struct spoil){.missing = 8});

    only_touched(fed, MEASURE_FILLED, 8, 1);
    free(fed);
}

static void a_clip_is_told_where_it_was(void **state)
{
    (void)state;
    struct fed *fed = spoilt((struct spoil){.clipped = 1});
    uint32_t halves = 0, others = 0;

    for (uint32_t k = 0; k < fed->result.halves; k++) {
        bool clipped = fed->result.half[k].flags & MEASURE_CLIPPED;

        halves += clipped;
        others += clipped && llabs(fed->result.half[k].t_ns - 1500000000) > 17000000;
    }
    assert_true(halves >= 6 && halves <= 9);        /* two of each phase, three where it lies on a boundary */
    assert_int_equal(others, 0);
    assert_true(fed->result.cycles >= 13);
    free(fed);
}

static void a_clock_that_is_set_is_told_once(void **state)
{
    (void)state;
    static const int64_t moved_ns[] = {30000, -30000, 5000000000, -1000000000};

    for (uint32_t k = 0; k < sizeof moved_ns / sizeof *moved_ns; k++) {
        struct fed *fed = spoilt((struct spoil){.moved = 1, .moved_ns = moved_ns[k]});
        uint32_t with = 0;

        for (uint32_t r = 0; r < fed->result.cycles; r++) {
            with += !!(fed->result.cycle[r].flags & MEASURE_CLOCK);
            assert_int_equal(fed->result.cycle[r].flags & ~(uint32_t)(MEASURE_CLOCK | MEASURE_SETTLING), 0);
        }
        assert_true(with == 1 || with == 2);        /* it may lie on a boundary */
        assert_true(fed->result.cycle[fed->result.cycles - 1].frequency_hz > 59.999);
        free(fed);
    }
    struct fed *fed = spoilt((struct spoil){.moved = 1, .moved_ns = 15000});

    only_touched(fed, MEASURE_CLOCK, 0, 0);
    free(fed);
}

static void what_makes_no_sense_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    struct waves waves = waves_sine(60, 277.128, 600, 15);
    struct measure_config good = waves_config(&waves), config;
    struct measure_meter meter;
    struct measure_out out;
    double row[6 * 8] = {0};

#define REFUSED(field, value) do { \
    config = good; \
    config.field = value; \
    assert_int_not_equal(measure_meter_init(&meter, &config), 0); \
} while (0)
    REFUSED(period_ps, 62499999);
    REFUSED(period_ps, 1000000001);
    REFUSED(phases, 0);
    REFUSED(phases, 4);
    REFUSED(channels, 7);
    REFUSED(nominal_hz, 44);
    REFUSED(nominal_hz, NAN);
    REFUSED(gain[3], 0);
    REFUSED(gain[0], INFINITY);
    REFUSED(offset[2], NAN);
    REFUSED(late_ns[1], 125001);
    REFUSED(swell, 0.9);
    REFUSED(voltage_v, -1);
    assert_int_equal(measure_meter_init(&meter, &good), 0);
    struct measure_block block = {.row = row, .samples = 8};

    assert_int_equal(measure_meter_block(&meter, &block, &out), 0);
    struct measure_meter before = meter;
    struct measure_block wrong[] = {{.row = row, .samples = 0, .first = 8},
                                    {.row = row, .samples = 129, .first = 8},
                                    {.row = row, .samples = 8, .first = 7},
                                    {.samples = 8, .first = 8}};

    for (uint32_t k = 0; k < sizeof wrong / sizeof *wrong; k++) {
        assert_int_not_equal(measure_meter_block(&meter, &wrong[k], &out), 0);
        assert_int_equal(out.ticks + out.halves + out.events + out.cycles_count, 0);
        assert_memory_equal(&meter, &before, sizeof meter);
    }
}

/* Blocks as protocols bring them: floats by channel, gaps by their times. */
static void packets_of_a_protocol_are_the_same_samples(void **state)
{
    (void)state;
    struct waves waves = waves_sine(60, 277.128, 600, 15);
    struct measure_config config = waves_config(&waves);
    struct fed *fed = begin(&config);
    struct samples *packet = calloc(1, sizeof *packet);
    uint32_t gaps = 0;

    *packet = (struct samples){.period_ps = 125000000, .count = 32, .channels = 6};
    for (uint32_t n = 0; n < 16000; n += 32) {
        if (n >= 8000 && n < 8064)
            continue;
        packet->t0_ns = n * INT64_C(125000);
        packet->flags = (n == 8064 ? SAMPLES_GAP : 0) | (n == 12800 ? SAMPLES_INVALID : 0);
        for (uint32_t c = 0; c < 6; c++)
            for (uint32_t k = 0; k < 32; k++)
                packet->value[c][k] = (float)waves_value(&waves, c, (n + k) / 8000.0);
        assert_int_equal(measure_meter_samples(&fed->meter, packet, &fed->out), 0);
        waves_collect(&fed->result, &fed->out);
    }
    for (uint32_t k = 0; k < fed->result.cycles; k++)
        if (fed->result.cycle[k].flags & MEASURE_GAP)
            gaps++;
        else if (k)
            assert_true(fabs(fed->result.cycle[k].active_w / 481833.2 - 1) < 1e-6);
    assert_int_equal(gaps, 2);
    packet->channels = 8;
    assert_int_not_equal(measure_meter_samples(&fed->meter, packet, &fed->out), 0);
    free(packet);
    free(fed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slopes_without_the_notch_are_the_printed_ones),
        cmocka_unit_test(the_notch_takes_ripple_out),
        cmocka_unit_test(an_edge_is_through_when_notch_and_line_have_passed),
        cmocka_unit_test(trend_and_load_factor_are_the_printed_ones),
        cmocka_unit_test(a_trend_begins_anew_behind_a_gap),
        cmocka_unit_test(a_gap_spoils_the_windows_it_touches),
        cmocka_unit_test(up_to_a_millisecond_is_filled_and_said),
        cmocka_unit_test(a_clip_is_told_where_it_was),
        cmocka_unit_test(a_clock_that_is_set_is_told_once),
        cmocka_unit_test(what_makes_no_sense_is_refused_and_changes_nothing),
        cmocka_unit_test(packets_of_a_protocol_are_the_same_samples),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
