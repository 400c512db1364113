/* SPDX-License-Identifier: Apache-2.0 */
/* What a block completes and finds no room is counted, and nothing is written beyond the end. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/measure_inside.h"
#include "waves.h"

enum { AT = 8000, MOST = 128 };         /* samples before, and of the block that is looked at */

struct stage {
    struct measure_meter meter;
    struct measure_work work;
    struct measure_out out;
};

/* A meter that has followed 60 Hz for a second. */
static struct stage *prepare(double peak_a)
{
    struct stage *stage = calloc(1, sizeof *stage);
    struct waves waves = waves_sine(60, 277.128, 600, 15);
    struct measure_config config = waves_config(&waves);
    double row[MOST * 6];

    config.peak_a = peak_a;
    assert_non_null(stage);
    assert_int_equal(measure_meter_init(&stage->meter, &config), 0);
    for (uint32_t n = 0; n < AT; n += 64) {
        for (uint32_t k = 0; k < 64 * 6; k++)
            row[k] = waves_value(&waves, k % 6, (n + k / 6) / 8000.0);
        struct measure_block block = {.row = row, .samples = 64, .first = n, .t_ns = n * INT64_C(125000)};

        assert_int_equal(measure_meter_block(&stage->meter, &block, &stage->out), 0);
        assert_int_equal(stage->out.lost, 0);
    }
    return stage;
}

/* The next MOST samples, as a block lays them behind the newest one. */
static void lay(struct stage *stage)
{
    struct waves waves = waves_sine(60, 277.128, 600, 15);
    struct measure_work *work = &stage->work;

    *work = (struct measure_work){.n = MOST, .fresh = 1, .channels = 6, .period_ns = 125000,
                                  .t_ns = (AT - 1) * INT64_C(125000)};
    for (uint32_t c = 0; c < 6; c++)
        for (uint32_t k = 0; k <= MOST; k++)
            work->x[c][k] = waves_value(&waves, c, (AT - 1 + k) / 8000.0);
    measure_sums_power(work);
    measure_sums_turn(work, stage->meter.track.turn, stage->meter.track.cycles);
    memset(&stage->out, 0, sizeof stage->out);
}

static void half_cycles_beyond_the_room_are_counted(void **state)
{
    (void)state;
    struct stage *stage = prepare(0);

    lay(stage);
    stage->out.halves = MEASURE_HALVES_MAX - 1;
    measure_grid_run(&stage->meter, &stage->work, &stage->out);
    assert_int_equal(stage->out.halves, MEASURE_HALVES_MAX);
    /* 16 ms are 0.96 of a cycle: two halves of two phases and one of the third, or the like */
    assert_in_range(stage->out.lost, 4, 5);
    assert_true(fabs(stage->out.half[MEASURE_HALVES_MAX - 1].voltage_v / 277.128 - 1) < 1e-4);
    /* the fundamental of a cycle that begins where its voltage crosses zero upwards is a sine */
    assert_true(fabs(stage->meter.grid[0].cycle_x) < 0.3);
    assert_true(fabs(stage->meter.grid[0].cycle_y + 277.128) < 0.3);
    free(stage);
}

static void readings_beyond_the_room_are_counted(void **state)
{
    (void)state;
    struct stage *stage = prepare(0);

    lay(stage);
    stage->out.cycles_count = MEASURE_CYCLES_MAX;
    stage->meter.halves = 23;
    measure_grid_run(&stage->meter, &stage->work, &stage->out);
    assert_int_equal(stage->out.cycles_count, MEASURE_CYCLES_MAX);
    assert_int_equal(stage->out.lost, 1);
    assert_int_equal(stage->out.cycles[MEASURE_CYCLES_MAX - 1].cycles, 0);
    assert_true(stage->meter.halves < 3);           /* and the next one is begun all the same */
    free(stage);
}

/* Six cycles of calm, and twelve of its own. */
static void a_reading_settles_eighteen_cycles_after_the_frequency_was_found(void **state)
{
    (void)state;
    for (uint32_t age = 16; age <= 17; age++) {
        struct stage *stage = prepare(0);

        lay(stage);
        stage->meter.halves = 23;
        stage->meter.track.age = age;       /* the cycle that ends with the reading is one more */
        measure_grid_run(&stage->meter, &stage->work, &stage->out);
        assert_int_equal(stage->out.cycles_count, 1);
        assert_int_equal(stage->out.cycles[0].cycles, 12);
        assert_int_equal(stage->out.cycles[0].flags, age < 17 ? MEASURE_SETTLING : 0);
        free(stage);
    }
}

static void ticks_and_what_is_made_of_them_beyond_the_room_are_counted(void **state)
{
    (void)state;
    struct stage *stage = prepare(0);

    lay(stage);
    stage->out.ticks = MEASURE_TICKS_MAX - 6;
    stage->out.features = MEASURE_FEATURES_MAX;
    stage->out.heats = MEASURE_HEATS_MAX;
    stage->meter.fast.feature_ticks = 12;
    stage->meter.fast.heat_ticks = 9;
    measure_tick_run(&stage->meter, &stage->work, &stage->out);
    assert_int_equal(stage->out.ticks, MEASURE_TICKS_MAX);
    assert_int_equal(stage->out.features, MEASURE_FEATURES_MAX);
    assert_int_equal(stage->out.heats, MEASURE_HEATS_MAX);
    assert_int_equal(stage->out.lost, 16 - 6 + 1 + 1);
    assert_true(stage->out.tick[MEASURE_TICKS_MAX - 1].power_w > 481e3);
    free(stage);
}

static void events_beyond_the_room_are_counted_and_known_all_the_same(void **state)
{
    (void)state;
    struct stage *stage = prepare(2000);

    lay(stage);
    stage->work.x[SAMPLES_IB][40] = -2500;
    stage->out.events = MEASURE_EVENTS_MAX;
    measure_event_peak(&stage->meter, &stage->work, 1, MOST, &stage->out);
    assert_int_equal(stage->out.events, MEASURE_EVENTS_MAX);
    assert_int_equal(stage->out.lost, 1);
    assert_int_equal(stage->meter.watch.on, 1u << MEASURE_PEAK);
    assert_int_equal(stage->meter.watch.event[MEASURE_PEAK].phase, 1);
    free(stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(half_cycles_beyond_the_room_are_counted),
        cmocka_unit_test(readings_beyond_the_room_are_counted),
        cmocka_unit_test(a_reading_settles_eighteen_cycles_after_the_frequency_was_found),
        cmocka_unit_test(ticks_and_what_is_made_of_them_beyond_the_room_are_counted),
        cmocka_unit_test(events_beyond_the_room_are_counted_and_known_all_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
