/* SPDX-License-Identifier: Apache-2.0 */
/* From samples as they came to volts and amperes of one moment: gains and offsets, delays by a cubic, gaps of
 * up to a millisecond by a straight line, and which samples are marked. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/measure_inside.h"

enum { COUNT = 16 };

struct desk {
    struct measure_meter meter;
    struct measure_work work;
    double row[COUNT * MEASURE_CHANNELS];
    float column[MEASURE_CHANNELS][SAMPLES_MAX];
    struct measure_block block;
};

static struct desk *begin(uint32_t channels, const double late[6])
{
    struct desk *desk = calloc(1, sizeof *desk);
    struct measure_config config = {.period_ps = 125000000, .phases = 3, .channels = channels,
                                    .nominal_hz = 50, .swell = 1};

    assert_non_null(desk);
    for (uint32_t c = 0; c < MEASURE_CHANNELS; c++) {
        config.gain[c] = 1;
        config.late_ns[c] = late && c < 6 ? late[c] * 125000 : 0;
    }
    assert_int_equal(measure_meter_init(&desk->meter, &config), 0);
    desk->block = (struct measure_block){.row = desk->row, .samples = COUNT};
    return desk;
}

/* The block at index `at` of the run, as measure_meter.c lays it. */
static struct measure_work *lay(struct desk *desk, uint32_t at)
{
    desk->work.n = at + desk->block.samples - 1;
    desk->work.marks = 0;
    measure_correct(&desk->meter, &desk->block, &desk->work, at);
    return &desk->work;
}

static double cubic(double t)
{
    return 0.01 * t * t * t - 0.2 * t * t + 3 * t - 7;
}

static void fill(struct desk *desk, double from)
{
    for (uint32_t k = 0; k < COUNT; k++)
        for (uint32_t c = 0; c < desk->meter.config.channels; c++)
            desk->row[k * desk->meter.config.channels + c] = cubic(from + k) + c;
}

/* What goes through a cubic is a cubic: all channels are two samples later, less what each is late by. */
static void a_delay_is_moved_back_by_a_cubic(void **state)
{
    (void)state;
    static const double late[6] = {0, 0.25, -0.5, 0.9, 1, -1};
    struct desk *desk = begin(6, late);

    for (uint32_t block = 0; block < 3; block++) {
        fill(desk, 16.0 * block);
        struct measure_work *work = lay(desk, block ? 1 : 0);

        for (uint32_t c = 0; c < 6; c++)
            for (uint32_t k = block ? 0 : 4; k < COUNT; k++) {
                double wanted = cubic(16.0 * block + k - 2 + late[c]) + c;

                if (fabs(work->x[c][k + (block ? 1 : 0)] - wanted) > 1e-9)
                    fail_msg("channel %u sample %u: %.12g where %.12g is wanted", c, k,
                             work->x[c][k + (block ? 1 : 0)], wanted);
            }
        assert_int_equal(work->marks, 0);
    }
    free(desk);
}

static void what_was_before_the_first_sample_is_the_first_sample(void **state)
{
    (void)state;
    static const double late[6] = {0, 0, 0, 0, 0, 0.5};
    struct desk *desk = begin(6, late);

    fill(desk, 100);
    struct measure_work *work = lay(desk, 0);

    for (uint32_t c = 0; c < 6; c++)
        assert_true(fabs(work->x[c][0] - (cubic(100) + c)) < 1e-9);
    assert_true(fabs(work->x[0][1] - cubic(100)) < 1e-9);
    assert_true(fabs(work->x[0][2] - cubic(100)) < 1e-9);
    assert_true(fabs(work->x[0][3] - cubic(101)) < 1e-9);
    free(desk);
}

static void gain_and_offset_are_those_of_the_channel_in_either_shape(void **state)
{
    (void)state;
    struct desk *desk = begin(8, NULL);

    for (uint32_t c = 0; c < 8; c++) {
        desk->meter.config.gain[c] = 2 + c;
        desk->meter.config.offset[c] = 0.5 * c - 1;
        for (uint32_t k = 0; k < COUNT; k++) {
            desk->row[k * 8 + c] = 10 * k + c;
            desk->column[c][k] = (float)(10 * k + c);
        }
    }
    for (uint32_t shape = 0; shape < 2; shape++) {
        desk->block.row = shape ? NULL : desk->row;
        desk->block.column = shape ? (const float (*)[SAMPLES_MAX])desk->column : NULL;
        struct measure_work *work = lay(desk, 1);

        for (uint32_t c = 0; c < 8; c++)
            for (uint32_t k = 0; k < COUNT; k++)
                assert_true(fabs(work->x[c][1 + k] - ((10.0 * k + c) * (2 + c) + 0.5 * c - 1)) < 1e-9);
    }
    free(desk);
}

static void what_is_missing_lies_on_a_straight_line(void **state)
{
    (void)state;
    struct desk *desk = begin(6, NULL);

    for (uint32_t k = 0; k < COUNT * 6; k++)
        desk->row[k] = 50 + k / 6;
    for (uint32_t c = 0; c < 6; c++)
        desk->work.x[c][0] = 10;
    struct measure_work *work = lay(desk, 4);

    for (uint32_t c = 0; c < 6; c++)
        for (uint32_t k = 1; k < 4 + COUNT; k++)
            assert_true(fabs(work->x[c][k] - (k < 4 ? 10 + 10.0 * k : 46 + k)) < 1e-9);
    assert_int_equal(work->marks, 1);
    assert_int_equal(work->mark[0].flags, MEASURE_FILLED);
    assert_int_equal(work->mark[0].from, 1);
    assert_int_equal(work->mark[0].to, 3);
    free(desk);
}

static void a_phase_that_the_meter_has_not_is_nought(void **state)
{
    (void)state;
    struct desk *desk = begin(8, NULL);

    desk->meter.config.phases = 2;
    for (uint32_t k = 0; k < COUNT * 8; k++)
        desk->row[k] = 5;
    memset(desk->work.x, 0x55, sizeof desk->work.x);
    struct measure_work *work = lay(desk, 3);

    for (uint32_t c = 0; c < 8; c++)
        for (uint32_t k = 3; k < 3 + COUNT; k++)
            assert_true(work->x[c][k] == (c % 3 == 2 && c < 6 ? 0.0 : 5.0));
    for (uint32_t k = 0; k < 3; k++)
        assert_true(work->x[SAMPLES_VC][k] == 0 && work->x[SAMPLES_IC][k] == 0);
    free(desk);
}

static void is(const struct measure_work *work, uint32_t mark, uint32_t from, uint32_t to, uint32_t flags)
{
    assert_true(mark < work->marks);
    assert_int_equal(work->mark[mark].from, from);
    assert_int_equal(work->mark[mark].to, to);
    assert_int_equal(work->mark[mark].flags, flags);
}

static void clips_are_marked_from_the_first_to_the_last(void **state)
{
    (void)state;
    struct desk *desk = begin(6, NULL);

    desk->meter.config.clip = 100;
    desk->meter.config.gain[3] = 1e-3;              /* before scaling it is what the converter said */
    desk->row[4 * 6 + 3] = -100;
    desk->row[9 * 6 + 1] = 100;
    desk->row[11 * 6 + 1] = 99.999;
    struct measure_work *work = lay(desk, 1);

    assert_int_equal(work->marks, 1);
    is(work, 0, 5, 10, MEASURE_CLIPPED);
    desk->meter.config.phases = 1;                  /* nobody looks at the others */
    assert_int_equal(lay(desk, 1)->marks, 1);
    is(&desk->work, 0, 5, 5, MEASURE_CLIPPED);
    desk->row[4 * 6 + 3] = 0;
    assert_int_equal(lay(desk, 1)->marks, 0);
    desk->row[0] = 100;
    is(lay(desk, 1), 0, 1, 1, MEASURE_CLIPPED);
    free(desk);
}

static void what_is_said_of_a_block_holds_for_all_of_it(void **state)
{
    (void)state;
    struct desk *desk = begin(6, NULL);

    desk->block.flags = MEASURE_CLIPPED | MEASURE_FILLED;
    is(lay(desk, 1), 0, 1, COUNT, MEASURE_CLIPPED | MEASURE_FILLED);
    assert_int_equal(desk->work.marks, 1);
    is(lay(desk, 0), 0, 0, COUNT - 1, MEASURE_CLIPPED | MEASURE_FILLED);
    free(desk);
}

/* Where channels are moved, a sample is in four of those that come out: what goes beyond the block is carried
 * into the next one, and once. */
static void marks_spread_over_what_is_moved(void **state)
{
    (void)state;
    static const double late[6] = {0, 0.5, 0, 0, 0, 0};
    struct desk *desk = begin(6, late);

    desk->meter.config.clip = 100;
    lay(desk, 0);
    desk->row[3 * 6] = 100;
    struct measure_work *work = lay(desk, 1);

    assert_int_equal(work->marks, 1);
    is(work, 0, 4, 8, MEASURE_CLIPPED);
    desk->row[3 * 6] = 0;
    desk->row[14 * 6] = 100;
    work = lay(desk, 1);
    is(work, 0, 15, 16, MEASURE_CLIPPED);
    desk->row[14 * 6] = 0;
    desk->block.flags = MEASURE_FILLED;
    work = lay(desk, 1);
    assert_int_equal(work->marks, 2);
    is(work, 0, 1, 3, MEASURE_CLIPPED);
    is(work, 1, 1, 16, MEASURE_FILLED);
    desk->block.flags = 0;
    work = lay(desk, 1);
    assert_int_equal(work->marks, 1);
    is(work, 0, 1, 4, MEASURE_FILLED);
    assert_int_equal(lay(desk, 1)->marks, 0);
    free(desk);
}

/* A block of one sample at a time, or a start anew. */
static void what_is_carried_goes_on_or_is_dropped(void **state)
{
    (void)state;
    static const double late[6] = {0, 0.5, 0, 0, 0, 0};
    struct desk *desk = begin(6, late);

    desk->block.samples = 1;
    lay(desk, 0);
    desk->block.flags = MEASURE_CLIPPED;
    is(lay(desk, 1), 0, 1, 1, MEASURE_CLIPPED);
    desk->block.flags = 0;
    for (uint32_t k = 0; k < 4; k++) {
        assert_int_equal(lay(desk, 1)->marks, 1);
        is(&desk->work, 0, 1, 1, MEASURE_CLIPPED);
    }
    assert_int_equal(lay(desk, 1)->marks, 0);
    desk->block.flags = MEASURE_CLIPPED;
    lay(desk, 1);
    desk->block.flags = 0;
    assert_int_equal(lay(desk, 0)->marks, 0);       /* nothing connects */
    assert_int_equal(lay(desk, 1)->marks, 0);
    free(desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_delay_is_moved_back_by_a_cubic),
        cmocka_unit_test(what_was_before_the_first_sample_is_the_first_sample),
        cmocka_unit_test(gain_and_offset_are_those_of_the_channel_in_either_shape),
        cmocka_unit_test(what_is_missing_lies_on_a_straight_line),
        cmocka_unit_test(a_phase_that_the_meter_has_not_is_nought),
        cmocka_unit_test(clips_are_marked_from_the_first_to_the_last),
        cmocka_unit_test(what_is_said_of_a_block_holds_for_all_of_it),
        cmocka_unit_test(marks_spread_over_what_is_moved),
        cmocka_unit_test(what_is_carried_goes_on_or_is_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
