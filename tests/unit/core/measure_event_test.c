/* SPDX-License-Identifier: Apache-2.0 */
/* Events at their thresholds, value by value: 100 V declared, a sag below 90, over from 92; a swell above
 * 110, over at 108; an interruption below 5, over from 7; peaks from 100 A, slopes from 1000 W/s. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/measure_inside.h"

struct watch {
    struct measure_meter meter;
    struct measure_out out;
    int64_t t_ns;
};

static struct watch *begin(void)
{
    struct watch *watch = calloc(1, sizeof *watch);

    assert_non_null(watch);
    watch->meter.config = (struct measure_config){.phases = 3, .channels = 6, .voltage_v = 100, .sag = 0.9,
        .swell = 1.1, .interruption = 0.05, .hysteresis = 0.02, .peak_a = 100, .slope_w_per_s = 1000};
    watch->meter.track.locked = 1;
    return watch;
}

/* One value of a phase, 10 ms after the one before; returns how many events it made. */
static uint32_t half(struct watch *watch, uint32_t phase, double volts, uint32_t flags)
{
    struct measure_half now = {.t_ns = watch->t_ns += 10, .phase = phase, .voltage_v = volts, .flags = flags};

    watch->out.events = 0;
    measure_event_half(&watch->meter, &now, &watch->out);
    return watch->out.events;
}

static void rest(struct watch *watch)
{
    for (uint32_t p = 0; p < 3; p++)
        assert_int_equal(half(watch, p, 100, 0), 0);
}

static void is(const struct measure_event *event, uint32_t kind, uint32_t phase, double value, int64_t t_ns,
               int64_t end_ns)
{
    assert_int_equal(event->kind, kind);
    assert_int_equal(event->phase, phase);
    assert_true(fabs(event->value - value) < 1e-9);
    assert_int_equal(event->t_ns, t_ns);
    assert_int_equal(event->end_ns, end_ns);
    assert_int_equal(event->over, end_ns != 0);
}

static void a_sag_is_of_any_phase_and_over_when_all_are_back(void **state)
{
    (void)state;
    struct watch *watch = begin();

    rest(watch);
    assert_int_equal(half(watch, 1, 90, 0), 0);
    assert_int_equal(half(watch, 1, 89.999, MEASURE_CHANGING), 1);
    int64_t from_ns = watch->t_ns;

    is(&watch->out.event[0], MEASURE_SAG, 1, 89.999, from_ns, 0);
    assert_int_equal(watch->out.event[0].flags, MEASURE_CHANGING);
    assert_int_equal(watch->meter.watch.on, 1u << MEASURE_SAG);
    assert_int_equal(half(watch, 2, 70, MEASURE_CLIPPED), 0);
    assert_int_equal(half(watch, 2, 80, 0), 0);         /* the worst stays */
    assert_int_equal(half(watch, 1, 100, 0), 0);
    assert_int_equal(half(watch, 2, 91.999, 0), 0);
    assert_int_equal(half(watch, 2, 92, 0), 1);
    is(&watch->out.event[0], MEASURE_SAG, 2, 70, from_ns, watch->t_ns);
    assert_int_equal(watch->out.event[0].flags, MEASURE_CHANGING | MEASURE_CLIPPED);
    assert_int_equal(watch->meter.watch.on, 0);
    assert_int_equal(half(watch, 0, 91, 0), 0);         /* no sag begins between the two thresholds */
    free(watch);
}

static void a_swell_is_of_any_phase_and_over_when_all_are_back(void **state)
{
    (void)state;
    struct watch *watch = begin();

    rest(watch);
    assert_int_equal(half(watch, 0, 110, 0), 0);
    assert_int_equal(half(watch, 0, 110.001, 0), 1);
    int64_t from_ns = watch->t_ns;

    is(&watch->out.event[0], MEASURE_SWELL, 0, 110.001, from_ns, 0);
    assert_int_equal(half(watch, 2, 130, 0), 0);
    assert_int_equal(half(watch, 2, 108.001, 0), 0);
    assert_int_equal(half(watch, 2, 107, 0), 0);        /* the first phase is still above */
    assert_int_equal(half(watch, 0, 107.999, 0), 1);
    is(&watch->out.event[0], MEASURE_SWELL, 2, 130, from_ns, watch->t_ns);
    free(watch);
}

static void an_interruption_is_of_all_phases_and_over_when_any_is_back(void **state)
{
    (void)state;
    struct watch *watch = begin();

    rest(watch);
    assert_int_equal(half(watch, 0, 4, 0), 1);
    is(&watch->out.event[0], MEASURE_SAG, 0, 4, watch->t_ns, 0);
    assert_int_equal(half(watch, 1, 3, 0), 0);
    assert_int_equal(half(watch, 2, 5, 0), 0);
    assert_int_equal(half(watch, 2, 4.999, 0), 1);
    int64_t from_ns = watch->t_ns;

    is(&watch->out.event[0], MEASURE_INTERRUPTION, 2, 4.999, from_ns, 0);
    assert_int_equal(half(watch, 2, 1, 0), 0);
    assert_int_equal(half(watch, 0, 2, 0), 0);          /* the highest is 3 now, of the second phase */
    assert_int_equal(half(watch, 0, 6.999, 0), 0);
    assert_int_equal(half(watch, 0, 7, 0), 1);
    is(&watch->out.event[0], MEASURE_INTERRUPTION, 1, 3, from_ns, watch->t_ns);
    assert_int_equal(watch->meter.watch.on, 1u << MEASURE_SAG);
    free(watch);
}

static void nothing_is_said_before_all_phases_are_known_and_the_frequency_is(void **state)
{
    (void)state;
    struct watch *watch = begin();

    assert_int_equal(half(watch, 0, 50, 0), 0);
    assert_int_equal(half(watch, 2, 50, 0), 0);
    watch->meter.track.locked = 0;
    assert_int_equal(half(watch, 1, 50, 0), 0);
    watch->meter.track.absent = 1;
    assert_int_equal(half(watch, 1, 50, 0), 0);
    watch->meter.track.found = 1;           /* the mains are gone, and were there: a cycle is as it was */
    assert_int_equal(half(watch, 1, 50, 0), 1);
    watch->meter.track.absent = 0;
    assert_int_equal(half(watch, 1, 100, 0), 0);
    watch->meter.track.locked = 1;
    watch->meter.config.voltage_v = 0;
    assert_int_equal(half(watch, 0, 1, 0), 0);
    free(watch);
}

static void a_meter_of_one_phase_looks_at_that_alone(void **state)
{
    (void)state;
    struct watch *watch = begin();

    watch->meter.config.phases = 1;
    watch->meter.watch.voltage_v[1] = watch->meter.watch.voltage_v[2] = 200;
    assert_int_equal(half(watch, 0, 3, 0), 2);
    is(&watch->out.event[0], MEASURE_SAG, 0, 3, watch->t_ns, 0);
    is(&watch->out.event[1], MEASURE_INTERRUPTION, 0, 3, watch->t_ns, 0);
    free(watch);
}

/* ---- slopes ---- */

static uint32_t tick(struct watch *watch, double fast, double calm)
{
    struct measure_tick now = {.t_ns = watch->t_ns += MEASURE_TICK_NS, .slope_fast_w_per_s = fast,
                               .slope_w_per_s = calm};

    watch->out.events = 0;
    measure_event_tick(&watch->meter, &now, &watch->out);
    return watch->out.events;
}

static void an_edge_is_above_the_threshold_and_above_the_ripple(void **state)
{
    (void)state;
    struct watch *watch = begin();

    watch->meter.fast.raw_ticks = MEASURE_SLOPE - 1;
    assert_int_equal(tick(watch, 5000, 0), 0);
    watch->meter.fast.raw_ticks = MEASURE_SLOPE;
    assert_int_equal(tick(watch, 999.9, 5000), 0);
    assert_int_equal(tick(watch, -1000, 0), 1);
    int64_t from_ns = watch->t_ns;

    is(&watch->out.event[0], MEASURE_EDGE, 0, -1000, from_ns, 0);
    assert_int_equal(tick(watch, 1500, 0), 0);
    assert_int_equal(tick(watch, -1200, 0), 0);
    assert_int_equal(tick(watch, 800, 0), 0);
    assert_int_equal(tick(watch, 799.9, 0), 1);
    is(&watch->out.event[0], MEASURE_EDGE, 0, 1500, from_ns, watch->t_ns);
    watch->meter.fast.ripple = 1e6;                 /* 3 sqrt(2 10^6) is 4242.64 */
    assert_int_equal(tick(watch, 4242, 0), 0);
    assert_int_equal(tick(watch, 4243, 0), 1);
    assert_int_equal(tick(watch, 0.8 * 4242.7, 0), 0);
    assert_int_equal(tick(watch, 0.8 * 4242.6, 0), 1);
    watch->meter.config.slope_w_per_s = 0;
    assert_int_equal(tick(watch, 1e9, 1e9), 0);
    free(watch);
}

static void a_ramp_is_what_the_notch_leaves(void **state)
{
    (void)state;
    struct watch *watch = begin();

    watch->meter.fast.raw_ticks = MEASURE_SLOPE;
    watch->meter.fast.ripple = 1e12;
    watch->meter.fast.calm_ticks = MEASURE_SLOPE - 1;
    assert_int_equal(tick(watch, 0, 5000), 0);
    watch->meter.fast.calm_ticks = MEASURE_SLOPE;
    assert_int_equal(tick(watch, 0, -999.9), 0);
    assert_int_equal(tick(watch, 0, 1000), 1);
    int64_t from_ns = watch->t_ns;

    is(&watch->out.event[0], MEASURE_RAMP, 0, 1000, from_ns, 0);
    assert_int_equal(tick(watch, 0, -2000), 0);
    assert_int_equal(tick(watch, 0, -800), 0);
    assert_int_equal(tick(watch, 0, -799.9), 1);
    is(&watch->out.event[0], MEASURE_RAMP, 0, -2000, from_ns, watch->t_ns);
    watch->meter.config.slope_w_per_s = 0.5;        /* every threshold above nought is one */
    assert_int_equal(tick(watch, 0, 0.5), 1);
    watch->meter.fast.calm_ticks = 0;
    watch->meter.fast.ripple = 0;
    assert_int_equal(tick(watch, 0.5, 0), 1);
    assert_int_equal(watch->out.event[0].kind, MEASURE_EDGE);
    free(watch);
}

/* Of what the notch takes out, the mean square, by 1/1024 of what is new: 32 W/s squared are 1024. */
static void ripple_is_learnt_while_nothing_happens(void **state)
{
    (void)state;
    struct watch *watch = begin();
    const double *ripple = &watch->meter.fast.ripple;

    watch->meter.fast.raw_ticks = MEASURE_SLOPE;
    assert_int_equal(tick(watch, 132, 100), 0);
    assert_true(*ripple == 0);                      /* the notch is not filled yet */
    watch->meter.fast.calm_ticks = MEASURE_SLOPE;
    assert_int_equal(tick(watch, 132, 100), 0);
    assert_true(*ripple == 1);
    assert_int_equal(tick(watch, 100, 100), 0);
    assert_true(*ripple == 1 - 1.0 / 1024);
    assert_int_equal(tick(watch, 1000, 100), 1);
    assert_int_equal(tick(watch, 900, 100), 0);     /* an edge is no ripple */
    assert_true(*ripple == 1 - 1.0 / 1024);
    assert_int_equal(tick(watch, 0, 1000), 2);      /* it is over, and a ramp begins: that is none either */
    assert_true(*ripple == 1 - 1.0 / 1024);
    assert_int_equal(tick(watch, 0, 0), 1);
    assert_true(*ripple < 1 - 1.0 / 1024);
    free(watch);
}

/* ---- peaks ---- */

static struct measure_work *samples_of(struct watch *watch)
{
    static struct measure_work work;

    work = (struct measure_work){.n = 32, .fresh = 1, .channels = 6, .period_ns = 125000,
                                 .t_ns = watch->t_ns};
    watch->out.events = 0;
    return &work;
}

static void a_peak_lasts_while_samples_are_near_it(void **state)
{
    (void)state;
    struct watch *watch = begin();
    struct measure_work *work = samples_of(watch);

    work->x[SAMPLES_IA][0] = 1000;                  /* of the block before */
    work->x[SAMPLES_IA][3] = 99.999;
    measure_event_peak(&watch->meter, work, work->fresh, work->n, &watch->out);
    assert_int_equal(watch->out.events, 0);
    work->x[SAMPLES_IB][4] = -100;
    work->x[SAMPLES_IC][32] = 95.001;
    measure_event_peak(&watch->meter, work, work->fresh, work->n, &watch->out);
    assert_int_equal(watch->out.events, 1);
    is(&watch->out.event[0], MEASURE_PEAK, 1, 100, 4 * 125000, 0);
    assert_int_equal(watch->meter.watch.peak_ns, 32 * 125000);
    work = samples_of(watch);
    work->t_ns = 4000000;
    work->x[SAMPLES_IC][8] = 120;
    work->x[SAMPLES_IA][9] = 119;
    work->x[SAMPLES_IA][12] = 94.999;
    measure_event_peak(&watch->meter, work, work->fresh, work->n, &watch->out);
    assert_int_equal(watch->out.events, 0);
    assert_int_equal(watch->meter.watch.peak_ns, 4000000 + 9 * 125000);
    watch->t_ns = 4000000 + 9 * 125000 + 19 * MEASURE_TICK_NS;
    assert_int_equal(tick(watch, 0, 0), 0);         /* 20 ms later to the nanosecond */
    watch->t_ns += 1 - MEASURE_TICK_NS;
    assert_int_equal(tick(watch, 0, 0), 1);
    is(&watch->out.event[0], MEASURE_PEAK, 2, 120, 4 * 125000, 4000000 + 9 * 125000);
    free(watch);
}

static void without_a_threshold_there_are_no_peaks(void **state)
{
    (void)state;
    struct watch *watch = begin();
    struct measure_work *work = samples_of(watch);

    watch->meter.config.peak_a = 0;
    work->x[SAMPLES_IA][5] = 1e9;
    measure_event_peak(&watch->meter, work, work->fresh, work->n, &watch->out);
    assert_int_equal(watch->out.events, 0);
    watch->meter.config.peak_a = 100;
    watch->meter.config.phases = 2;
    work->x[SAMPLES_IA][5] = 0;
    work->x[SAMPLES_IC][5] = 1e9;                   /* a phase that the meter has not */
    measure_event_peak(&watch->meter, work, work->fresh, work->n, &watch->out);
    assert_int_equal(watch->out.events, 0);
    work->x[SAMPLES_IB][1] = 100;
    measure_event_peak(&watch->meter, work, work->fresh, work->n, &watch->out);
    assert_int_equal(watch->out.events, 1);
    free(watch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sag_is_of_any_phase_and_over_when_all_are_back),
        cmocka_unit_test(a_swell_is_of_any_phase_and_over_when_all_are_back),
        cmocka_unit_test(an_interruption_is_of_all_phases_and_over_when_any_is_back),
        cmocka_unit_test(nothing_is_said_before_all_phases_are_known_and_the_frequency_is),
        cmocka_unit_test(a_meter_of_one_phase_looks_at_that_alone),
        cmocka_unit_test(an_edge_is_above_the_threshold_and_above_the_ripple),
        cmocka_unit_test(a_ramp_is_what_the_notch_leaves),
        cmocka_unit_test(ripple_is_learnt_while_nothing_happens),
        cmocka_unit_test(a_peak_lasts_while_samples_are_near_it),
        cmocka_unit_test(without_a_threshold_there_are_no_peaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
