/* SPDX-License-Identifier: Apache-2.0 */
/* How frequency is found and followed, cycle by cycle: phasors are given, and what the oscillator does with
 * each of them is worked out by hand. 8 kHz, 50 Hz nominal (160 samples), 100 V declared. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/measure_inside.h"

#define TWO_PI 6.28318530717958647693
#define ZERO_CROSSING -0.25             /* where the phasor stands when nothing is to be turned */

static struct measure_meter meter;

static struct measure_track *begin(uint32_t phases)
{
    meter = (struct measure_meter){.rate_hz = 8000,
        .config = {.phases = phases, .channels = 6, .nominal_hz = 50, .voltage_v = 100}};
    measure_track_start(&meter);
    return &meter.track;
}

/* A cycle that took so many samples, its phasor of `volts` at `turn` on each phase. */
static void cycle(double volts, double turn, double samples)
{
    for (uint32_t p = 0; p < meter.config.phases; p++) {
        double way = turn - (meter.config.phases == 3 ? p / 3.0 : 0);

        meter.grid[p].cycle_x = volts * cos(TWO_PI * way);
        meter.grid[p].cycle_y = volts * sin(TWO_PI * way);
        meter.grid[p].cycle_vv = volts * volts;
    }
    measure_track_cycle(&meter, samples);
}

static void near(double value, double wanted)
{
    if (!(fabs(value - wanted) <= 1e-12 + 1e-11 * fabs(wanted)))
        fail_msg("%.15g where %.15g is wanted", value, wanted);
}

/* Two cycles of the same phase: found, at nominal frequency, with nothing to be turned. */
static struct measure_track *found(uint32_t phases)
{
    struct measure_track *track = begin(phases);

    cycle(100, ZERO_CROSSING, 160);
    cycle(100, ZERO_CROSSING, 160);
    assert_int_equal(track->locked, 1);
    return track;
}

static void what_is_too_low_or_no_sine_or_no_number_is_absent(void **state)
{
    (void)state;
    struct measure_track *track = begin(1);
    static const struct { double x, vv; uint32_t absent; } row[] = {
        {10, 100, 1}, {10.001, 100, 0}, {20, 10000, 0}, {20, 10001, 1}, {1e15, 1e30, 0}, {1.001e15, 1e30, 1},
        {NAN, 100, 1}};

    for (uint32_t k = 0; k < sizeof row / sizeof *row; k++) {
        meter.grid[0].cycle_x = row[k].x;
        meter.grid[0].cycle_vv = row[k].vv;
        track->known = track->window_known = track->middle_known = 1;
        track->x = 100;
        measure_track_cycle(&meter, 160);
        assert_int_equal(track->absent, row[k].absent);
        assert_int_equal(track->known, !row[k].absent);
        assert_int_equal(track->window_known, !row[k].absent);
        assert_int_equal(track->middle_known, !row[k].absent);
        assert_int_equal(!!(measure_track_flags(&meter) & MEASURE_FREE), row[k].absent);
    }
}

/* The mean square is that of all phases. */
static void two_phases_that_are_there_show_the_mains(void **state)
{
    (void)state;
    struct measure_track *track = begin(3);

    meter.grid[0].cycle_x = 60;
    meter.grid[0].cycle_vv = 10000;
    meter.grid[1].cycle_vv = 10000;
    meter.grid[2].cycle_vv = 9999;
    measure_track_cycle(&meter, 160);               /* 60 / 3 V of the positive sequence: 400 of 10,000 */
    assert_int_equal(track->absent, 0);
    meter.grid[2].cycle_vv = 10004;
    measure_track_cycle(&meter, 160);
    assert_int_equal(track->absent, 1);
}

static void a_frequency_is_found_when_two_cycles_agree(void **state)
{
    (void)state;
    struct measure_track *track = begin(1);

    near(track->frequency, 1.0 / 160);
    cycle(100, 0.1, 150);
    near(track->frequency, 1.0 / 160);              /* one cycle shows nothing */
    cycle(100, 0.11, 170);                          /* 1.01 of a turn in the mean of both */
    near(track->frequency, 1.01 / 160);
    assert_int_equal(track->locked, 0);
    assert_true(measure_track_flags(&meter) & MEASURE_SETTLING);
    cycle(100, 0.1206, 170);                        /* 1.0106 of a turn in 170 samples */
    near(track->frequency, 1.0106 / 170);
    assert_int_equal(track->locked + track->found, 0);
    cycle(100, 0.1311, 170);                        /* 0.01 % less: found */
    near(track->frequency, 1.0105 / 170);
    assert_int_equal(track->locked, 1);
    assert_int_equal(track->found, 1);
    assert_int_equal(track->age, 0);
    near(track->jump, 0.1311 + 0.25);
    assert_int_equal(measure_track_flags(&meter), 0);
}

static void half_a_thousandth_is_what_two_cycles_agree_within(void **state)
{
    (void)state;
    for (int k = 0; k < 4; k++) {
        struct measure_track *track = begin(1);
        double turn = (k & 1 ? 0.00051 : 0.00049) * (k & 2 ? -1 : 1);

        cycle(100, ZERO_CROSSING, 160);
        cycle(100, ZERO_CROSSING + turn, 160);
        assert_int_equal(track->locked, !(k & 1));
        near(track->jump, 0);                       /* less than a thousandth of a turn is none */
    }
}

static void a_jump_is_due_from_a_thousandth_of_a_turn(void **state)
{
    (void)state;
    for (int k = 0; k < 4; k++) {
        struct measure_track *track = begin(1);
        double off = (k & 1 ? 0.00101 : 0.00099) * (k & 2 ? -1 : 1);

        cycle(100, ZERO_CROSSING + off, 160);
        cycle(100, ZERO_CROSSING + off, 160);
        near(track->jump, k & 1 ? off : 0);
    }
}

static void what_is_no_mains_frequency_is_not_followed(void **state)
{
    (void)state;
    static const struct { double hertz; bool is; } row[] = {{37.9, false}, {38.1, true}, {71.9, true},
                                                            {72.1, false}};

    for (uint32_t k = 0; k < 4; k++) {
        struct measure_track *track = begin(1);

        cycle(100, 0, 8000 / row[k].hertz);
        cycle(100, 0, 8000 / row[k].hertz);
        near(track->frequency, row[k].is ? row[k].hertz / 8000 : 1.0 / 160);
        assert_int_equal(track->strange, row[k].is ? 0 : 1);
        assert_int_equal(track->known, 1);
    }
}

static void four_strange_cycles_in_a_row_lose_it(void **state)
{
    (void)state;
    struct measure_track *track = found(1);

    for (int k = 1; k <= 3; k++) {
        cycle(100, ZERO_CROSSING + 0.011 * k, 160);
        assert_int_equal(track->strange, k);
    }
    near(track->frequency, 1.0 / 160);
    cycle(100, ZERO_CROSSING + 0.033 + 0.0099, 160);        /* a good one between */
    assert_int_equal(track->strange, 0);
    double turn = ZERO_CROSSING + 0.0429;

    for (int k = 1; k <= 4; k++) {
        assert_int_equal(track->locked, 1);
        cycle(100, turn += k % 2 ? 0.02 : -0.02, 160);
    }
    assert_int_equal(track->locked + track->strange, 0);
}

static void a_frequency_is_followed_by_half_then_by_a_quarter(void **state)
{
    (void)state;
    struct measure_track *track = found(1);
    double frequency = 1.0 / 160, turn = ZERO_CROSSING;

    for (uint32_t k = 0; k < 12; k++) {
        cycle(100, turn += 0.001, 160);
        frequency += (k < 6 ? 0.5 : 0.25) * (1.001 / 160 - frequency);
        near(track->frequency, frequency);
        assert_int_equal(track->age, k + 1);
        /* after six cycles what is off by then is turned at once */
        near(track->jump, k == 5 ? 0.006 : 0);
        track->jump = 0;
    }
    track->age = 999;
    cycle(100, turn, 160);
    cycle(100, turn, 160);
    assert_int_equal(track->age, 1000);
}

static void the_phase_is_pulled_slowly(void **state)
{
    (void)state;
    struct measure_track *track = found(1);
    static const struct { double off, pull; uint32_t flags; } row[] = {
        {0.0039, 0.000195, 0}, {0.0041, 0.000205, MEASURE_SETTLING}, {-0.0041, -0.000205, MEASURE_SETTLING},
        {0.0099, 0.000495, MEASURE_SETTLING}, {0.0101, 0.0005, MEASURE_SETTLING},
        {-0.0101, -0.0005, MEASURE_SETTLING}};

    track->age = 10;
    for (uint32_t k = 0; k < sizeof row / sizeof *row; k++) {
        track->x = 100 * cos(TWO_PI * (ZERO_CROSSING + row[k].off));
        track->y = 100 * sin(TWO_PI * (ZERO_CROSSING + row[k].off));
        cycle(100, ZERO_CROSSING + row[k].off, 160);
        near(track->pull, row[k].pull);
        assert_int_equal(measure_track_flags(&meter), row[k].flags);
    }
}

static void a_phase_far_off_for_twelve_cycles_is_turned_at_once(void **state)
{
    (void)state;
    for (int way = -1; way <= 1; way += 2) {
        struct measure_track *track = found(1);

        track->age = 10;
        track->x = 100 * cos(TWO_PI * (ZERO_CROSSING + way * 0.084));
        track->y = 100 * sin(TWO_PI * (ZERO_CROSSING + way * 0.084));
        for (int k = 1; k <= 11; k++) {
            cycle(100, ZERO_CROSSING + way * 0.084, 160);
            near(track->jump, 0);
            assert_int_equal(track->adrift, k);
        }
        cycle(100, ZERO_CROSSING + way * 0.084, 160);
        near(track->jump, way * 0.084);
        assert_int_equal(track->adrift, 0);
        cycle(100, ZERO_CROSSING + way * 0.084, 160);
        assert_int_equal(track->adrift, 1);
        cycle(100, ZERO_CROSSING + way * 0.083, 160);
        assert_int_equal(track->adrift, 0);
    }
}

static void which_way_round_phases_go_is_decided_until_it_is_found(void **state)
{
    (void)state;
    struct measure_track *track = found(3);

    assert_int_equal(track->backward, 0);
    near(track->x, 100 * cos(TWO_PI * ZERO_CROSSING));
    near(track->y, -100);
    for (uint32_t locked = 0; locked < 2; locked++) {
        begin(3);
        track->locked = locked;
        for (uint32_t p = 0; p < 3; p++) {
            meter.grid[p].cycle_x = 100 * cos(TWO_PI * p / 3.0);
            meter.grid[p].cycle_y = 100 * sin(TWO_PI * p / 3.0);
            meter.grid[p].cycle_vv = 10000;
        }
        measure_track_cycle(&meter, 160);
        assert_int_equal(track->backward, !locked);
        assert_int_equal(track->absent, locked);    /* of the sequence that is followed there is nothing */
        if (!locked)
            near(track->x, 100);
    }
}

/* ---- windows ---- */

static void place(double volts, double turn)
{
    meter.track.known = 1;
    meter.track.x = volts * cos(TWO_PI * turn);
    meter.track.y = volts * sin(TWO_PI * turn);
}

/* Five cycles and 0.02 of a turn in 800 samples, five and 0.03 in the next 800: 50.2 and 50.3 Hz, 0.1 s
 * apart. */
static void a_window_has_its_frequency_and_how_that_changes(void **state)
{
    (void)state;
    static const struct { double volts, rocof; } row[] = {{51, 1.0}, {50, 0}, {49, 0}};

    for (uint32_t k = 0; k < 3; k++) {
        struct measure_cycles reading = {0};
        struct measure_track *track = begin(1);

        place(row[k].volts, 0.1);
        measure_track_window(&meter, 10, 1600, &reading);
        near(reading.frequency_hz, 50);             /* there was none before: as it is followed */
        near(reading.rocof_hz_per_s, 0);
        place(row[k].volts, 0.12);
        measure_track_middle(&meter, 800);
        assert_int_equal(track->middle_known, 1);
        place(row[k].volts * (row[k].volts == 50 ? 1 - 1e-15 : 1), 0.15);
        measure_track_window(&meter, 10, 1600, &reading);
        near(reading.frequency_hz, 10.05 / 1600 * 8000);
        if (fabs(reading.rocof_hz_per_s - row[k].rocof) > 1e-9)
            fail_msg("%.15g Hz/s at %g V", reading.rocof_hz_per_s, row[k].volts);
        if (k)
            continue;
        place(100, 0.17);               /* halves of 780 and 820 samples */
        measure_track_middle(&meter, 780);
        place(100, 0.2);
        measure_track_window(&meter, 10, 1600, &reading);
        near(reading.rocof_hz_per_s, (5.03 / 820 - 5.02 / 780) * 8000 * 8000 / 800);
    }
}

static void a_window_that_is_broken_has_the_frequency_that_is_followed(void **state)
{
    (void)state;
    for (uint32_t broken = 0; broken < 3; broken++) {
        struct measure_cycles reading = {0};
        struct measure_track *track = begin(1);

        track->window_known = 1;
        place(100, 0.1);
        track->known = broken != 0;
        measure_track_middle(&meter, 800);
        assert_int_equal(track->middle_known, broken != 0);
        place(100, 0.3);
        track->known = broken != 1;
        if (broken == 2)
            measure_track_lost(&meter);
        measure_track_window(&meter, 10, 1600, &reading);
        near(reading.frequency_hz, 50);
        near(reading.rocof_hz_per_s, 0);
        assert_int_equal(track->window_known, broken == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_too_low_or_no_sine_or_no_number_is_absent),
        cmocka_unit_test(two_phases_that_are_there_show_the_mains),
        cmocka_unit_test(a_frequency_is_found_when_two_cycles_agree),
        cmocka_unit_test(half_a_thousandth_is_what_two_cycles_agree_within),
        cmocka_unit_test(a_jump_is_due_from_a_thousandth_of_a_turn),
        cmocka_unit_test(what_is_no_mains_frequency_is_not_followed),
        cmocka_unit_test(four_strange_cycles_in_a_row_lose_it),
        cmocka_unit_test(a_frequency_is_followed_by_half_then_by_a_quarter),
        cmocka_unit_test(the_phase_is_pulled_slowly),
        cmocka_unit_test(a_phase_far_off_for_twelve_cycles_is_turned_at_once),
        cmocka_unit_test(which_way_round_phases_go_is_decided_until_it_is_found),
        cmocka_unit_test(a_window_has_its_frequency_and_how_that_changes),
        cmocka_unit_test(a_window_that_is_broken_has_the_frequency_that_is_followed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
