/* SPDX-License-Identifier: Apache-2.0 */
/* Volts, amperes and watts of phasors, worked out by the cosine of their angles, and what PMU and frame say
 * of themselves. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/measure_phasors.h"
#include "msg/frame.h"

#define PI 3.14159265358979323846
enum { PMU = 2, GOOD = 1 << PHASORS_QUALITY_SHIFT };

static struct phasors frame;
static struct measure_place place[2 * PHASES];
static struct measure_values values;

/* Volts stand behind amperes in the list, in no order. */
static const uint32_t index_of[2 * PHASES] = {5, 3, 4, 0, 2, 1};

static void set(uint32_t channel, double size, double angle)
{
    struct phasor *phasor = &frame.pmu[PMU].phasor[index_of[channel]];

    *phasor = frame.pmu[PMU].polar ? (struct phasor){size, angle}
                                   : (struct phasor){size * cos(angle), size * sin(angle)};
}

/* 230, 231, 232 V and 10, 20, 30 A that lag by 0.1, 0.2 and 0.3. */
static void fill(bool polar)
{
    frame = (struct phasors){.pmus = PMU + 1};
    frame.pmu[PMU] = (struct phasors_pmu){.polar = polar, .phasors = 6, .frequency_hz = 59.9, .stat = GOOD};
    for (uint32_t p = 0; p < PHASES; p++) {
        set(p, 230 + p, 1 - 2 * PI * p / 3);
        set(PHASES + p, 10 * (p + 1), 1 - 2 * PI * p / 3 - 0.1 * (p + 1));
        place[p] = (struct measure_place){index_of[p], 0};
        place[PHASES + p] = (struct measure_place){index_of[PHASES + p], 0};
    }
}

static int take(void)
{
    return measure_phasors(&frame, PMU, place, PHASES, &values);
}

static void expect(double turned)
{
    assert_int_equal(take(), ACCEPTED);
    assert_true(values.frequency_hz == 59.9 && values.phases == PHASES);
    for (uint32_t p = 0; p < PHASES; p++) {
        double watts = (230 + p) * 10.0 * (p + 1) * cos(0.1 * (p + 1) + turned);

        assert_true(fabs(values.phase[p].voltage_v - (230 + p)) < 1e-9);
        assert_true(fabs(values.phase[p].current_a - 10.0 * (p + 1)) < 1e-9);
        assert_true(fabs(values.phase[p].active_w - watts) < 1e-9);
    }
}

static void phasors_of_either_form_are_volts_amperes_and_watts(void **state)
{
    (void)state;
    for (int polar = 0; polar < 2; polar++) {
        fill(polar);
        expect(0);
        assert_int_equal(values.flags, READING_FILTERED);
    }
}

/* Volts are measured on the other side of a transformer that turns them by 30 degrees. */
static void angles_of_transducers_are_taken_off(void **state)
{
    (void)state;
    for (int polar = 0; polar < 2; polar++) {
        fill(polar);
        for (uint32_t p = 0; p < PHASES; p++) {
            set(p, 230 + p, 1 - 2 * PI * p / 3 + PI / 6);
            place[p].angle_rad = PI / 6;
        }
        expect(0);
        for (uint32_t p = 0; p < PHASES; p++)
            place[PHASES + p].angle_rad = PI / 6;       /* of amperes, too: nothing but turned both */
        expect(PI / 6);
        place[0].angle_rad = 1e30;
        assert_int_equal(take(), REFUSED_MALFORMED);
        place[0].angle_rad = NAN;
        assert_int_equal(take(), REFUSED_MALFORMED);
    }
}

static bool is_unsure(uint32_t stat, uint8_t time_quality)
{
    fill(true);
    frame.pmu[PMU].stat = (uint16_t)stat;
    frame.time_quality = time_quality;
    assert_int_equal(take(), ACCEPTED);
    return values.flags & READING_UNSURE;
}

static void a_pmu_that_doubts_itself_is_unsure(void **state)
{
    (void)state;
    assert_true(is_unsure(1 << PHASORS_ERROR_SHIFT | GOOD, 0));
    assert_true(is_unsure(PHASORS_MODIFIED | GOOD, 0));
    assert_false(is_unsure(PHASORS_BY_ARRIVAL | PHASORS_TRIGGERED | PHASORS_CONFIG_PENDING | GOOD | 5, 0));
    fill(true);
    frame.pmu[PMU].stat = 2 << PHASORS_ERROR_SHIFT;
    assert_int_equal(take(), REFUSED_SIMULATED);
    frame.pmu[PMU].stat = (uint16_t)(3u << PHASORS_ERROR_SHIFT);
    assert_int_equal(take(), REFUSED_MALFORMED);
}

static void a_clock_that_may_be_far_off_is_unsure(void **state)
{
    (void)state;
    for (uint32_t within = 1; within <= 6; within++) {
        assert_false(is_unsure(within << PHASORS_QUALITY_SHIFT, 0));
        /* not in sync, but it says how far off it is at the most */
        assert_false(is_unsure(within << PHASORS_QUALITY_SHIFT | PHASORS_UNSYNCED, 0));
    }
    assert_true(is_unsure(7 << PHASORS_QUALITY_SHIFT, 0));
    assert_false(is_unsure(0, 0));                      /* 2005: not said */
    assert_true(is_unsure(PHASORS_UNSYNCED, 0));
    for (uint8_t quality = 0; quality <= 15; quality++) {
        assert_int_equal(is_unsure(GOOD, quality), quality > 8);
        assert_int_equal(is_unsure(GOOD, 0x70 | quality), quality > 8);     /* beside leap seconds */
    }
}

static void what_is_not_there_is_refused(void **state)
{
    (void)state;
    fill(true);
    set(PHASES + 1, NAN, 0);
    assert_int_equal(take(), REFUSED_MALFORMED);
    assert_int_equal(measure_phasors(&frame, PMU, place, 1, &values), ACCEPTED);
    frame.pmu[PMU].frequency_hz = NAN;
    assert_int_equal(measure_phasors(&frame, PMU, place, 1, &values), ACCEPTED);
    assert_true(values.frequency_hz == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(phasors_of_either_form_are_volts_amperes_and_watts),
        cmocka_unit_test(angles_of_transducers_are_taken_off),
        cmocka_unit_test(a_pmu_that_doubts_itself_is_unsure),
        cmocka_unit_test(a_clock_that_may_be_far_off_is_unsure),
        cmocka_unit_test(what_is_not_there_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
