/* SPDX-License-Identifier: Apache-2.0 */
/* What a meter makes of samples that no mains have: none, huge ones, clocks that go back, channels that
 * nobody wired. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/measure_inside.h"
#include "packets.h"

static void huge_samples_end_and_are_over_when_they_are(void **state)
{
    (void)state;
    static const double huge[] = {1e200, 1e38, INFINITY, NAN, 1e154};
    struct waves waves = waves_sine(60, 277.128, 600, 15);
    struct measure_config config = waves_config(&waves);

    for (uint32_t h = 0; h < sizeof huge / sizeof *huge; h++) {
        struct packets *packets = packets_begin(&config, &waves);
        double row[PACKETS_COUNT * 6];
        struct measure_block block = {.row = row, .samples = PACKETS_COUNT};

        for (uint32_t n = 0; n < 24000; n += PACKETS_COUNT) {
            for (uint32_t k = 0; k < PACKETS_COUNT * 6; k++)
                row[k] = n >= 8000 && n < 9600 ? (k & 1 ? -huge[h] : huge[h])
                                               : waves_value(&waves, k % 6, (n + k / 6) / 8000.0);
            block.first = n;
            block.t_ns = n * INT64_C(125000);
            assert_int_equal(measure_meter_block(&packets->meter, &block, &packets->out), 0);
            waves_collect(&packets->result, &packets->out);
        }
        const struct measure_cycles *last = &packets->result.cycle[packets->result.cycles - 1];

        assert_true(fabs(last->frequency_hz - 60) < 1e-3);
        assert_true(fabs(last->active_w / 481833.2 - 1) < 1e-4);
        assert_true(isfinite(packets->result.tick[packets->result.ticks - 1].slope_w_per_s));
        free(packets);
    }
}

/* Leaves no number where a meter's work will stand. */
static __attribute__((noinline)) void spoil_the_stack(void)
{
    volatile unsigned char below[3 * sizeof(struct measure_work)];

    for (size_t k = 0; k < sizeof below; k++)
        below[k] = 0xFF;
}

static void a_first_block_of_one_sample_is_a_beginning(void **state)
{
    (void)state;
    struct waves waves = waves_sine(60, 277.128, 600, 15);
    struct measure_config config = waves_config(&waves);
    struct packets *packets = packets_begin(&config, &waves);
    double row[6];
    struct measure_block block = {.row = row, .samples = 1};

    for (uint32_t n = 0; n < 8000; n++) {
        for (uint32_t c = 0; c < 6; c++)
            row[c] = waves_value(&waves, c, n / 8000.0);
        block.first = n;
        block.t_ns = n * INT64_C(125000);
        if (!n)
            spoil_the_stack();
        assert_int_equal(measure_meter_block(&packets->meter, &block, &packets->out), 0);
        waves_collect(&packets->result, &packets->out);
    }
    assert_true(fabs(packets->result.half[0].voltage_v / 277.128 - 1) < 1e-3);
    assert_true(fabs(packets->result.cycle[0].active_w / 481833.2 - 1) < 1e-3);
    assert_true(packets->result.cycle[0].effective_a > 500);
    free(packets);
}

static void times_without_differences_are_refused(void **state)
{
    (void)state;
    static const int64_t far[] = {INT64_MAX, INT64_MIN, INT64_C(1) << 62};
    struct waves waves = waves_sine(60, 277.128, 600, 15);
    struct measure_config config = waves_config(&waves);
    struct packets *packets = packets_begin(&config, &waves);
    double row[PACKETS_COUNT * 6] = {0};

    packets_feed(packets, 0, 8000);
    for (uint32_t k = 0; k < sizeof far / sizeof *far; k++) {
        struct measure_block block = {.row = row, .samples = PACKETS_COUNT, .first = 8000, .t_ns = far[k]};

        packets->out.halves = packets->out.ticks = 1;
        assert_int_equal(measure_meter_block(&packets->meter, &block, &packets->out), -EINVAL);
        packets->packet.t0_ns = far[k];
        packets->packet.flags = SAMPLES_GAP;
        packets->out.halves = packets->out.ticks = 1;
        assert_int_equal(measure_meter_samples(&packets->meter, &packets->packet, &packets->out), -EINVAL);
        assert_int_equal(packets->out.halves + packets->out.ticks, 0);
    }
    packets->packet.channels = 8;
    packets->out.ticks = 1;
    assert_int_equal(measure_meter_samples(&packets->meter, &packets->packet, &packets->out), -EINVAL);
    assert_int_equal(packets->out.ticks, 0);
    packets->packet.channels = 6;
    packets->packet.flags = 0;
    packets_feed(packets, 8000, 9600);
    assert_int_equal(packets->result.cycle[packets->result.cycles - 1].flags, 0);
    free(packets);
}

/* A packet is lost and the sender's clock goes back by more: what is missing, nobody can say. */
static void a_gap_of_which_the_clock_says_nothing_is_a_gap(void **state)
{
    (void)state;
    static const int64_t moved_ns[] = {-9000000, -4000000, -1000000000};
    struct waves waves = waves_sine(60, 277.128, 600, 15);
    struct measure_config config = waves_config(&waves);

    for (uint32_t m = 0; m < 2 * sizeof moved_ns / sizeof *moved_ns; m++) {
        struct packets *packets = packets_begin(&config, &waves);
        uint32_t gaps = 0;

        packets_feed(packets, 0, 8000);
        if (m % 2) {                    /* the same of a block that was invalid */
            packets->packet.flags = SAMPLES_INVALID;
            packets_feed(packets, 8000, 8032);
        }
        packets->moved_ns = moved_ns[m / 2];
        packets->packet.flags = m % 2 ? 0 : SAMPLES_GAP;
        packets_feed(packets, 8032, 16000);
        for (uint32_t k = 0; k < packets->result.ticks; k++)
            assert_true(k < 50 || fabs(packets->result.tick[k].slope_w_per_s) < 1e4);
        for (uint32_t k = 1; k < packets->result.cycles; k++) {
            const struct measure_cycles *reading = &packets->result.cycle[k];

            gaps += !!(reading->flags & MEASURE_GAP);
            assert_true(reading->flags || fabs(reading->frequency_hz - 60) < 1e-3);
        }
        assert_int_equal(gaps, 1);
        free(packets);
    }
}

static void a_gap_is_not_a_clock_that_was_set(void **state)
{
    (void)state;
    struct waves waves = waves_sine(60, 277.128, 600, 15);
    struct measure_config config = waves_config(&waves);
    struct packets *packets = packets_begin(&config, &waves);

    packets_feed(packets, 0, 8000);
    packets->packet.flags = SAMPLES_GAP;
    packets_feed(packets, 8320, 16000);
    for (uint32_t k = 0; k < packets->result.ticks; k++)
        assert_false(packets->result.tick[k].flags & MEASURE_CLOCK);
    free(packets);
}

static uint32_t flags_at(const struct packets *packets, int64_t t_ns)
{
    for (uint32_t k = 0; k < packets->result.ticks; k++)
        if (packets->result.tick[k].t_ns >= t_ns)
            return packets->result.tick[k].flags;
    fail_msg("no tick behind %lld ns", (long long)t_ns);
    return 0;
}

/* A channel is late by half a sample: all come out two samples later, and a sample is in four of them. */
static void marks_go_where_delays_move_samples(void **state)
{
    (void)state;
    struct waves waves = waves_sine(60, 277.128, 600, 15);
    struct measure_config config = waves_config(&waves);

    config.late_ns[SAMPLES_IB] = 62500;
    for (uint32_t flag = SAMPLES_CLIPPED; flag; flag = flag == SAMPLES_CLIPPED ? SAMPLES_FILLED : 0) {
        uint32_t wanted = flag == SAMPLES_CLIPPED ? MEASURE_CLIPPED : MEASURE_FILLED;
        struct packets *packets = packets_begin(&config, &waves);
        uint32_t marked = 0;

        packets_feed(packets, 0, 8000);
        packets->packet.flags = flag;
        packets_feed(packets, 8000, 8800);
        for (uint32_t k = 0; k < packets->result.ticks; k++)
            marked += !!(packets->result.tick[k].flags & wanted);
        /* the block is 4 ms; the cubic carries it into the millisecond behind it */
        assert_true(flags_at(packets, 1000200000) & wanted);
        assert_true(flags_at(packets, 1003700000) & wanted);
        assert_true(marked >= 5 && marked <= 6);
        free(packets);
    }
}

/* What a clip level finds: the last sample of a block, of which all but one output lies in the next. */
static void a_clip_is_carried_over_the_end_of_its_block(void **state)
{
    (void)state;
    struct waves waves = waves_sine(60, 277.128, 600, 15);
    struct measure_config config = waves_config(&waves);
    struct measure_work work;
    static double row[PACKETS_COUNT * 6];
    uint32_t from = 0, to = 0;

    config.late_ns[SAMPLES_VA] = 62500;
    config.clip = 4000;
    struct packets *packets = packets_begin(&config, &waves);
    struct measure_block block = {.row = row, .samples = PACKETS_COUNT};

    memset(&work, 0, sizeof work);
    work.n = PACKETS_COUNT - 1;
    row[(PACKETS_COUNT - 1) * 6] = 5000;
    measure_correct(&packets->meter, &block, &work, 0);
    row[(PACKETS_COUNT - 1) * 6] = 0;
    for (uint32_t k = 0; k < PACKETS_COUNT - 1; k++)
        assert_true(work.x[SAMPLES_VA][k] == 0);
    work.marks = 0;
    work.n = PACKETS_COUNT;
    measure_correct(&packets->meter, &block, &work, 1);
    for (uint32_t k = 1; k <= PACKETS_COUNT; k++)
        if (work.x[SAMPLES_VA][k] != 0) {
            from = from ? from : k;
            to = k;
        }
    assert_true(from >= 1 && to > from && to <= 4);
    for (uint32_t k = from; k <= to; k++)
        assert_true(measure_work_flags(&work, k - 1, k) & MEASURE_CLIPPED);
    assert_int_equal(measure_work_flags(&work, 4, PACKETS_COUNT), 0);
    free(packets);
}

/* Up to 1 ms is filled before delays are corrected: what came before the gap stays before it. */
static void a_fill_under_a_delay_is_where_the_gap_is(void **state)
{
    (void)state;
    struct waves waves = waves_sine(60, 277.128, 600, 15);
    struct measure_config config = waves_config(&waves);
    struct measure_work work;
    static double row[PACKETS_COUNT * 6];

    config.late_ns[SAMPLES_IB] = 62500;
    struct packets *packets = packets_begin(&config, &waves);
    struct measure_block block = {.row = row, .samples = PACKETS_COUNT};

    memset(&work, 0, sizeof work);
    for (uint32_t k = 0; k < PACKETS_COUNT; k++)
        row[k * 6] = k;
    work.n = PACKETS_COUNT - 1;
    measure_correct(&packets->meter, &block, &work, 0);
    work.x[SAMPLES_VA][0] = work.x[SAMPLES_VA][PACKETS_COUNT - 1];
    for (uint32_t k = 0; k < PACKETS_COUNT; k++)
        row[k * 6] = PACKETS_COUNT + 5 + k;
    work.n = PACKETS_COUNT + 5;
    measure_correct(&packets->meter, &block, &work, 6);
    for (uint32_t k = 1; k <= work.n; k++)
        assert_true(fabs(work.x[SAMPLES_VA][k] - (PACKETS_COUNT - 3 + k)) < 1e-9);
    assert_true(measure_work_flags(&work, 0, 1) & MEASURE_FILLED);
    assert_true(measure_work_flags(&work, 8, 9) & MEASURE_FILLED);
    assert_int_equal(measure_work_flags(&work, 9, work.n), 0);
    free(packets);
}

/* No cycle is made of what was before a gap and what is behind it. */
static void what_was_before_a_gap_is_in_no_cycle_behind_it(void **state)
{
    (void)state;
    struct waves waves = waves_sine(60, 277.128, 600, 15);
    struct measure_config config = waves_config(&waves);
    struct packets *packets = packets_begin(&config, &waves);
    uint32_t behind = 0;

    packets_feed(packets, 0, 8000);
    packets->packet.flags = SAMPLES_GAP;
    packets->factor = 0.95;
    packets_feed(packets, 8512, 12800);
    for (uint32_t k = 0; k < packets->result.halves; k++) {
        const struct measure_half *half = &packets->result.half[k];

        if (half->t_ns < 8512 * INT64_C(125000))
            continue;
        assert_true(fabs(half->voltage_v / (0.95 * 277.128) - 1) < 1e-4);
        assert_int_equal(half->flags, 0);
        behind++;
    }
    assert_in_range(behind, 180, 193);
    free(packets);
}

static void an_interruption_behind_a_long_gap_is_told(void **state)
{
    (void)state;
    struct waves waves = waves_sine(60, 277.128, 600, 15);
    struct measure_config config = waves_config(&waves);
    struct packets *packets = packets_begin(&config, &waves);
    uint32_t begun = 0, over = 0;

    packets_feed(packets, 0, 8000);
    packets->packet.flags = SAMPLES_GAP;
    packets->factor = 0;
    packets_feed(packets, 20000, 28000);
    for (uint32_t k = 0; k < packets->result.events; k++)
        begun += packets->result.event[k].kind == MEASURE_INTERRUPTION && !packets->result.event[k].over;
    assert_int_equal(begun, 1);
    packets->factor = 1;
    packets_feed(packets, 28000, 36000);
    for (uint32_t k = 0; k < packets->result.events; k++)
        over += packets->result.event[k].kind == MEASURE_INTERRUPTION && packets->result.event[k].over;
    assert_int_equal(over, 1);
    free(packets);
}

static void a_frequency_that_is_none_is_not_followed_and_said(void **state)
{
    (void)state;
    struct waves waves = waves_sine(60, 277.128, 600, 15);
    struct measure_config config = waves_config(&waves);
    struct packets *packets = packets_begin(&config, &waves);

    packets_feed(packets, 0, 8000);
    packets->waves.frequency_hz = 33;
    packets_feed(packets, 8000, 24000);
    assert_true(packets->result.cycle[packets->result.cycles - 1].flags & MEASURE_SETTLING);
    packets->waves.frequency_hz = 60;
    packets_feed(packets, 24000, 40000);
    assert_true(fabs(measure_meter_frequency_hz(&packets->meter) - 60) < 1e-3);
    assert_int_equal(packets->result.cycle[packets->result.cycles - 1].flags, 0);
    free(packets);
}

static void phases_that_a_meter_has_not_are_no_power(void **state)
{
    (void)state;
    struct waves waves = waves_sine(60, 277.128, 600, 15);
    struct measure_config config = waves_config(&waves);

    for (config.phases = 1; config.phases <= 3; config.phases++) {
        struct packets *packets = packets_begin(&config, &waves);
        double wanted_w = 481833.2 / 3 * config.phases;

        for (uint32_t n = 0; n < 16000; n += PACKETS_COUNT) {
            packets->packet.invalid = config.phases == 1 ? 1u << SAMPLES_VB | 1u << SAMPLES_IC : 0;
            packets->packet.flags = packets->packet.invalid ? SAMPLES_INVALID : 0;
            packets_feed(packets, n, n + PACKETS_COUNT);
        }
        const struct measure_feature *feature = packets->result.feature;
        double mean_w = 0;

        for (uint32_t k = 0; k < 25; k++)       /* 400 ms: whole cycles */
            mean_w += feature[packets->result.features - 1 - k].power_w / 25;
        assert_true(fabs(mean_w / wanted_w - 1) < 1e-3);
        assert_true(fabs(packets->result.cycle[packets->result.cycles - 1].active_w / wanted_w - 1) < 1e-4);
        free(packets);
    }
}

static void a_peak_that_ends_at_zero_has_ended(void **state)
{
    (void)state;
    struct waves waves = waves_sine(60, 277.128, 600, 15);
    struct measure_config config = waves_config(&waves);

    config.peak_a = 2000;
    struct packets *packets = packets_begin(&config, &waves);
    double row[PACKETS_COUNT * 6] = {0};
    struct measure_block block = {.row = row, .samples = PACKETS_COUNT};

    row[SAMPLES_IA] = 3000;
    for (uint32_t n = 0; n < 800; n += PACKETS_COUNT) {
        block.first = n;
        block.t_ns = n * INT64_C(125000);
        assert_int_equal(measure_meter_block(&packets->meter, &block, &packets->out), 0);
        waves_collect(&packets->result, &packets->out);
        row[SAMPLES_IA] = 0;
    }
    assert_int_equal(packets->result.events, 2);
    assert_true(!packets->result.event[0].over && packets->result.event[1].over);
    assert_int_equal(packets->result.event[1].end_ns, 0);
    free(packets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(huge_samples_end_and_are_over_when_they_are),
        cmocka_unit_test(a_first_block_of_one_sample_is_a_beginning),
        cmocka_unit_test(times_without_differences_are_refused),
        cmocka_unit_test(a_gap_of_which_the_clock_says_nothing_is_a_gap),
        cmocka_unit_test(a_gap_is_not_a_clock_that_was_set),
        cmocka_unit_test(marks_go_where_delays_move_samples),
        cmocka_unit_test(a_clip_is_carried_over_the_end_of_its_block),
        cmocka_unit_test(a_fill_under_a_delay_is_where_the_gap_is),
        cmocka_unit_test(what_was_before_a_gap_is_in_no_cycle_behind_it),
        cmocka_unit_test(an_interruption_behind_a_long_gap_is_told),
        cmocka_unit_test(a_frequency_that_is_none_is_not_followed_and_said),
        cmocka_unit_test(phases_that_a_meter_has_not_are_no_power),
        cmocka_unit_test(a_peak_that_ends_at_zero_has_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
