/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Heat along readings, against closed forms of domain.md 1.5. The left branch has an 800 A device whose fast
 * edge is 840 A, heating with 200 s and cooling with 250 s, and a short-time stage at 4464 A that trips in
 * 90 ms; 100 V, a meter that is 1 % wrong at most, every 16 ms, T_fresh 50 ms.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <math.h>
#include <string.h>

#include <cmocka.h>

#include "hall.h"

#define PICKUP_A 840.0
#define HEAT_S 200.0
#define COOL_S 250.0
#define PERIOD_NS (16 * NS_PER_MS)
#define ERROR 1.01

struct bed {
    struct hall hall;
    struct breaker_curve curve[1];
    int64_t t_ns;
};

static void give_device(struct bed *bed, uint32_t node)
{
    struct breaker *breaker = &bed->hall.node[node].breaker;
    bed->hall.node[node].steady_ma = 640000;    /* 80 % of 800 A */
    breaker->element_count = 2;
    breaker->element[0] = (struct breaker_element){
        .law = BREAKER_IMAGE, .role = ELEMENT_LONG_TIME, .pickup_ma = 840000, .heat_ns = 200 * NS_PER_S,
        .heat_fast_ns = 200 * NS_PER_S, .fast_above_ma = INT64_MAX, .cool_ns = 250 * NS_PER_S,
        .shortest_ns = 2 * NS_PER_S};
    breaker->element[1] = (struct breaker_element){
        .law = BREAKER_TRAVEL, .role = ELEMENT_SHORT_TIME, .reset = RESET_DECAY, .curve = 0,
        .pickup_ma = 4464000, .unit_ma = 4464000, .reset_ns = NS_PER_S / 2, .shortest_ns = 90 * NS_PER_MS};
    for (int i = 0; i < CURVE_POINTS; i++)      /* HEAT_ONE in 90 ms, per 2^30 ns, up */
        bed->curve[0].rate[i] = INT64_C(13117684674638);
    bed->hall.model.curve = bed->curve;
    bed->hall.model.curve_count = 1;
}

/* D at the left branch on every phase, kVA: 100 V, so 10 A each. */
static void expose(struct bed *bed, int64_t kva)
{
    for (uint32_t p = 0; p < PHASES; p++)
        bed->hall.sums[HALL_LEFT].exposed_mva[0][p] = kva * HALL_KW;
}

static void build(struct bed *bed)
{
    memset(bed, 0, sizeof *bed);
    hall_build(&bed->hall);
    give_device(bed, HALL_LEFT);
    bed->hall.meter[HALL_LEFT].period_ns = PERIOD_NS;
    bed->hall.model.policy.rho_ppm = 10000;
    bed->t_ns = HALL_T_NS;
}

static void open_bed(struct bed *bed)
{
    hall_open(&bed->hall);
    expose(bed, 4);
}

static void start(struct bed *bed)
{
    build(bed);
    open_bed(bed);
}

static int read_volts(struct bed *bed, double ampere, int64_t millivolt)
{
    struct reading reading = {.meter = HALL_LEFT, .crest_milli = 1414};
    for (uint32_t p = 0; p < PHASES; p++) {
        reading.current_ma[p] = (int64_t)(ampere * 1000);
        reading.voltage_mv[p] = millivolt;
    }
    return heat_reading(&bed->hall.heat, &bed->hall.ledger, &reading, bed->t_ns);
}

static int read_at(struct bed *bed, double ampere)
{
    return read_volts(bed, ampere, 100000);
}

/* Readings each period for so many of them. */
static void read_for(struct bed *bed, double ampere, int periods)
{
    for (int i = 0; i < periods; i++) {
        bed->t_ns += PERIOD_NS;
        read_at(bed, ampere);
    }
}

static double heat_of(const struct bed *bed, uint32_t phase)
{
    return (double)bed->hall.heat_node[HALL_LEFT].state.part[0][phase] / (double)HEAT_ONE;
}

static void set_heat(struct bed *bed, double heat)
{
    for (uint32_t p = 0; p < PHASES; p++)
        bed->hall.heat_node[HALL_LEFT].state.part[0][p] = (int64_t)(heat * (double)HEAT_ONE);
}

static double square(double value)
{
    return value * value;
}

/* Heat after so many seconds at this current, from `heat`. */
static double after(double heat, double ampere, double seconds)
{
    double end = square(ampere / PICKUP_A);
    return end + (heat - end) * exp(-seconds / (end > heat ? HEAT_S : COOL_S));
}

/* Never below the closed form, and hardly above it. */
static void assert_heat(const struct bed *bed, double exact)
{
    double heat = heat_of(bed, 0);
    if (heat < exact - 1e-9 || heat > exact + 2e-4)
        fail_msg("heat %.9f where %.9f is exact", heat, exact);
}

static void the_first_reading_finds_the_device_as_hot_as_it_may_be(void **state)
{
    (void)state;
    struct bed bed;
    start(&bed);
    assert_false(bed.hall.heat_node[HALL_LEFT].started);
    assert_int_equal(read_at(&bed, 400), -1);
    assert_heat(&bed, 0.9);
    start(&bed);
    read_at(&bed, 820);
    assert_heat(&bed, square(820 * ERROR / PICKUP_A));      /* 0.972 */
}

static void a_steady_overload_heats_as_the_closed_form_says_with_the_meters_error(void **state)
{
    (void)state;
    struct bed bed;
    start(&bed);
    read_at(&bed, 400);
    set_heat(&bed, 0.5);
    read_for(&bed, 1200, 625);                              /* 10 s */
    assert_heat(&bed, after(0.5, 1200 * ERROR, 10));        /* 0.5771 */
    assert_in_range(heat_of(&bed, 0) * 1e4, 5770, 5773);
}

/* A pulse of 5000 A from `from_ms` to `to_ms` on 100 A, as 16 ms readings see it: their rms. The largest
 * travel of the short-time stage that came of it. */
static double pulse_travels(struct bed *bed, int from_ms, int to_ms)
{
    double most = 0;
    start(bed);
    read_for(bed, 100, 1);
    bed->hall.heat_node[HALL_LEFT].state.part[1][0] = 0;
    for (int reading = 0; reading < 10; reading++) {
        double mean = 0;
        for (int ms = reading * 16; ms < reading * 16 + 16; ms++)
            mean += square(ms >= from_ms && ms < to_ms ? 5000 : 100) / 16;
        read_for(bed, sqrt(mean), 1);
        most = fmax(most, (double)bed->hall.heat_node[HALL_LEFT].state.part[1][0] / (double)HEAT_ONE);
    }
    return most;
}

/* The stage has gone length / 90 ms. A reading that the pulse fills by less than (4464 / 5050)^2 lies below
 * its
 * pickup: 13 ms may be missed at one end, and what follows the other end more than makes up for that over all
 * ways to begin. */
static void a_pulse_of_two_readings_and_more_is_counted_wherever_it_begins(void **state)
{
    static struct bed bed;
    (void)state;
    for (int length_ms = 32; length_ms < 56; length_ms++) {
        double sum = 0;
        for (int from_ms = 16; from_ms < 32; from_ms++) {
            double travel = pulse_travels(&bed, from_ms, from_ms + length_ms);
            double least = (length_ms - 13) / 90.0, most = (length_ms + 32) / 90.0;
            if (travel < least - 1e-9 || travel > most + 1e-9)
                fail_msg("%d ms from %d: %.6f where %.6f to %.6f is right", length_ms, from_ms, travel, least,
                         most);
            sum += travel;
        }
        assert_true(sum / 16 >= length_ms / 90.0);
    }
}

static void a_light_load_cools_it_with_its_own_time_constant(void **state)
{
    (void)state;
    struct bed bed;
    start(&bed);
    read_at(&bed, 400);
    read_for(&bed, 400, 1250);                              /* 20 s */
    assert_heat(&bed, after(0.9, 400 * ERROR, 20));
}

static void each_phase_has_a_heat_of_its_own(void **state)
{
    (void)state;
    struct bed bed;
    start(&bed);
    read_at(&bed, 400);
    struct reading reading = {.meter = HALL_LEFT, .current_ma = {400000, 1200000, 400000},
                              .voltage_mv = {100000, 100000, 100000}};
    bed.t_ns += PERIOD_NS;
    heat_reading(&bed.hall.heat, &bed.hall.ledger, &reading, bed.t_ns);
    assert_true(heat_of(&bed, 0) < 0.9 && heat_of(&bed, 2) < 0.9);
    assert_true(heat_of(&bed, 1) > 0.9);
}

static void late_readings_claim_their_own_periods(void **state)
{
    (void)state;
    struct bed on_time, late;
    start(&on_time);
    start(&late);
    read_at(&on_time, 400);
    read_at(&late, 400);
    read_for(&on_time, 400, 1);
    read_for(&on_time, 3000, 2);
    late.t_ns += 3 * PERIOD_NS;                             /* 48 ms of 50: all three at once */
    read_at(&late, 400);
    read_at(&late, 3000);
    read_at(&late, 3000);
    assert_int_equal(late.hall.heat_node[HALL_LEFT].stepped_ns, late.t_ns);
    assert_true(fabs(heat_of(&on_time, 0) - heat_of(&late, 0)) < 1e-9);
}

/* 32 ms that nobody claims within 50 ms count with the largest reading around them and D. */
static void a_lost_reading_counts_with_the_larger_neighbour_and_what_hosts_might_draw(void **state)
{
    (void)state;
    struct bed bed;
    start(&bed);
    read_at(&bed, 400);
    set_heat(&bed, 0.5);
    expose(&bed, 200);                                      /* 2000 A */
    ledger_mark_exposed(&bed.hall.ledger, HALL_LEFT);
    bed.t_ns += 2 * PERIOD_NS;                              /* two periods lost */
    read_for(&bed, 400, 1);
    assert_int_equal(bed.hall.heat_node[HALL_LEFT].stepped_ns, bed.t_ns - 2 * PERIOD_NS);
    read_for(&bed, 400, 1);                                 /* 64 ms: lost for good */
    assert_int_equal(bed.hall.heat_node[HALL_LEFT].stepped_ns, bed.t_ns);
    double heat = after(0.5, 400 * ERROR, 0.016);
    heat = after(after(heat, 2000, 0.032), 400 * ERROR, 0.016);
    assert_true(fabs(heat_of(&bed, 0) - heat) < 1e-7);
}

static void a_silence_heats_by_the_highest_exposure_of_its_time(void **state)
{
    (void)state;
    struct bed bed;
    start(&bed);
    read_at(&bed, 400);
    set_heat(&bed, 0.5);
    expose(&bed, 130);
    ledger_mark_exposed(&bed.hall.ledger, HALL_LEFT);       /* 1300 A for a moment */
    expose(&bed, 4);
    bed.t_ns += 20 * NS_PER_S;
    read_at(&bed, 400);
    assert_heat(&bed, after(after(0.5, 1300, 20 - 0.016), 400 * ERROR, 0.016));
    /* it is over: the mark began anew */
    bed.t_ns += 20 * NS_PER_S;
    double heat = heat_of(&bed, 0);
    read_at(&bed, 400);
    assert_true(heat_of(&bed, 0) < heat);
}

/* What a host claims of itself has no bound. */
static void an_exposure_beyond_all_measure_trips_and_overflows_nothing(void **state)
{
    (void)state;
    struct bed bed;
    struct heat_view view;
    start(&bed);
    read_at(&bed, 400);
    bed.hall.sums[HALL_LEFT].exposed_mva[0][0] = INT64_MAX / 4;
    ledger_mark_exposed(&bed.hall.ledger, HALL_LEFT);
    bed.t_ns += NS_PER_S;
    heat_view(&bed.hall.heat, &bed.hall.ledger, HALL_LEFT, bed.t_ns, &view);
    assert_int_equal(view.heat_ppm, 1000000);
    assert_int_equal(view.trip_in_ns, 0);
    assert_true(read_at(&bed, 400) >= 0);
    assert_true(heat_of(&bed, 0) > 0.99 && heat_of(&bed, 1) < 0.9);
}

static void a_silence_between_high_readings_heats_by_the_higher_of_them(void **state)
{
    (void)state;
    struct bed bed;
    for (int after_it = 0; after_it < 2; after_it++) {
        start(&bed);
        read_at(&bed, after_it ? 400 : 1200);
        set_heat(&bed, 0.5);
        bed.t_ns += 10 * NS_PER_S;
        read_at(&bed, after_it ? 1200 : 400);
        double end = after(0.5, 1200 * ERROR, 10 - 0.016);
        assert_heat(&bed, after(end, after_it ? 1200 * ERROR : 400 * ERROR, 0.016));
    }
}

static void a_silence_of_a_day_is_as_hot_as_its_load_for_ever(void **state)
{
    (void)state;
    struct bed bed;
    start(&bed);
    read_at(&bed, 400);
    set_heat(&bed, 0.1);
    expose(&bed, 80);
    ledger_mark_exposed(&bed.hall.ledger, HALL_LEFT);
    bed.t_ns += 24 * 3600 * NS_PER_S;
    read_at(&bed, 400);
    assert_heat(&bed, after(square(800 / PICKUP_A), 400 * ERROR, 0.016));   /* 0.907 */
}

/* Readings that come too early claim what may have come late, T_fresh at most, and nothing more. All of the
 * time that passes later counts. */
static void a_clock_that_stands_still_heats_for_t_fresh_at_most_until_it_goes_on(void **state)
{
    (void)state;
    struct bed bed;
    start(&bed);
    read_at(&bed, 400);
    set_heat(&bed, 0.5);
    for (int i = 0; i < 100; i++)
        read_at(&bed, 1200);
    assert_heat(&bed, after(0.5, 1200 * ERROR, 0.050));
    for (int i = 0; i < 100; i++)
        read_at(&bed, 400);
    assert_heat(&bed, after(0.5, 1200 * ERROR, 0.050));
    bed.t_ns += 10 * NS_PER_S;
    read_at(&bed, 400);
    assert_heat(&bed, after(after(0.5, 1200 * ERROR, 0.050), 400 * ERROR, 10));
}

/* A meter whose packets shake by up to half a period: one window each, as if they came on time; but that the
 * first may have been the latest. */
static void a_shaking_network_changes_next_to_nothing(void **state)
{
    (void)state;
    struct bed steady, shaken;
    start(&steady);
    start(&shaken);
    read_at(&steady, 400);
    read_at(&shaken, 400);
    int64_t begin_ns = shaken.t_ns;
    for (int i = 1; i <= 500; i++) {
        double ampere = i % 3 ? 700 : 1500;
        read_for(&steady, ampere, 1);
        shaken.t_ns = begin_ns + i * PERIOD_NS + i * 7919 % 15 * NS_PER_MS / 2 - 3500000;
        read_at(&shaken, ampere);
    }
    double more = heat_of(&shaken, 0) - heat_of(&steady, 0);
    assert_true(more > -1e-12 && more < 1e-4);
}

/* Three periods were given up as lost and heated by D; then their readings come after all, and are higher. */
static void a_reading_that_was_given_up_still_heats(void **state)
{
    (void)state;
    struct bed bed;
    start(&bed);
    read_at(&bed, 400);
    set_heat(&bed, 0.5);
    bed.t_ns += 64 * NS_PER_MS;
    read_at(&bed, 400);
    double heat = after(after(0.5, 400 * ERROR, 0.048), 400 * ERROR, 0.016);
    assert_heat(&bed, heat);
    for (int i = 0; i < 3; i++)
        read_at(&bed, 3000);
    assert_heat(&bed, after(heat, 3000 * ERROR, 0.048));
    assert_true(heat_of(&bed, 0) > heat + 0.002);
}

/* A meter 1 % faster than its period says heats by the time that passes, not by the readings that come. */
static void a_meter_that_is_a_little_fast_heats_by_the_clock(void **state)
{
    (void)state;
    struct bed bed;
    start(&bed);
    read_at(&bed, 400);
    set_heat(&bed, 0.5);
    for (int i = 0; i < 1000; i++) {
        bed.t_ns += 15840000;
        read_at(&bed, 1200);
    }
    double exact = after(0.5, 1200 * ERROR, 15.84), most = after(0.5, 1200 * ERROR, 15.84 + 0.050);
    assert_true(heat_of(&bed, 0) > exact - 1e-9 && heat_of(&bed, 0) < most + 1e-4);
    assert_true(heat_of(&bed, 0) < after(0.5, 1200 * ERROR, 16) - 1e-4);    /* 1,000 periods */
}

/* 100 kVA are 1000 A at 100 V and 1250 A at 80 V. */
static void exposure_is_amperes_at_the_lowest_voltage_seen(void **state)
{
    (void)state;
    static const struct { int64_t before_mv, after_mv; double ampere; } cases[] = {
        {100000, 100000, 1000}, {110000, 110000, 1000}, {80000, 100000, 1250}, {100000, 80000, 1250},
        {9999, 100000, 1000},   /* dead: says nothing */
        {10000, 100000, 2000},  /* a tenth of nominal is alive */
        {100000, 30000, 2000},  /* below half of the lowest credible voltage no supply goes on */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bed bed;
        start(&bed);
        read_volts(&bed, 0, cases[i].before_mv);
        set_heat(&bed, 0.5);
        expose(&bed, 100);
        ledger_mark_exposed(&bed.hall.ledger, HALL_LEFT);
        bed.t_ns += 10 * NS_PER_S;
        read_volts(&bed, 0, cases[i].after_mv);
        assert_heat(&bed, after(after(0.5, cases[i].ampere, 10 - 0.016), 0, 0.016));
    }
}

static void a_dead_feed_cools(void **state)
{
    (void)state;
    struct bed bed;
    start(&bed);
    read_volts(&bed, 0, 0);
    for (int i = 0; i < 625; i++) {
        bed.t_ns += PERIOD_NS;
        read_volts(&bed, 0, 0);
    }
    assert_heat(&bed, after(0.9, 0, 10));
}

/* A value over 100 ms hides pulses: D stands in, and the reading where it is higher. */
static void behind_a_slow_meter_exposure_heats(void **state)
{
    (void)state;
    struct bed bed;
    build(&bed);
    bed.hall.meter[HALL_LEFT].period_ns = 100 * NS_PER_MS;
    open_bed(&bed);
    read_at(&bed, 400);
    set_heat(&bed, 0.5);
    expose(&bed, 120);
    ledger_mark_exposed(&bed.hall.ledger, HALL_LEFT);
    for (int i = 0; i < 100; i++) {
        bed.t_ns += 100 * NS_PER_MS;
        read_at(&bed, 400);
    }
    double heat = after(0.5, 1200, 10);
    assert_heat(&bed, heat);
    for (int i = 0; i < 100; i++) {
        bed.t_ns += 100 * NS_PER_MS;
        read_at(&bed, 1500);
    }
    assert_heat(&bed, after(heat, 1500 * ERROR, 10));
}

static void a_node_of_one_phase_counts_the_fullest_sum_on_it(void **state)
{
    (void)state;
    struct bed bed;
    build(&bed);
    bed.hall.node[HALL_LEFT].phases = 1;
    open_bed(&bed);
    read_at(&bed, 400);
    set_heat(&bed, 0.5);
    bed.hall.sums[HALL_LEFT].exposed_mva[0][2] = 130 * HALL_KW;
    ledger_mark_exposed(&bed.hall.ledger, HALL_LEFT);
    bed.t_ns += 10 * NS_PER_S;
    read_at(&bed, 400);
    assert_heat(&bed, after(after(0.5, 1300, 10 - 0.016), 400 * ERROR, 0.016));
}

/* Exposure that rises and falls between two readings: the guard only tries some of it. */
static void the_high_water_mark_follows_what_was_allowed_and_not_what_was_tried(void **state)
{
    (void)state;
    struct bed bed;
    build(&bed);
    open_bed(&bed);
    expose(&bed, 0);
    bed.hall.account[0].exposed_draw_mw = bed.hall.account[1].exposed_draw_mw = 0;
    hall_holds(&bed.hall, 0, 2 * HALL_KW);
    hall_holds(&bed.hall, 1, 2 * HALL_KW);
    ledger_mark_exposed(&bed.hall.ledger, HALL_LEFT);
    int64_t *highest_mva = bed.hall.sums[HALL_LEFT].highest_mva;
    assert_int_equal(highest_mva[0], 4 * HALL_KW);
    assert_int_equal(ledger_may_send(&bed.hall.ledger, 0, 9 * HALL_KW), LEDGER_MAY_SEND);
    assert_int_equal(highest_mva[0], 4 * HALL_KW);
    hall_holds(&bed.hall, 0, 7 * HALL_KW);
    assert_int_equal(highest_mva[0], 9 * HALL_KW);
    hall_holds(&bed.hall, 0, 3 * HALL_KW);
    assert_int_equal(bed.hall.sums[HALL_LEFT].exposed_mva[0][1], 5 * HALL_KW);
    assert_int_equal(highest_mva[1], 9 * HALL_KW);
    ledger_mark_exposed(&bed.hall.ledger, HALL_LEFT);
    assert_int_equal(highest_mva[1], 5 * HALL_KW);
}

/* X = (1 / 0.99 + 0.25) * 1.01 = 1.272702 s, T_fresh 50 ms. */
static void t_resp_is_freshness_and_what_a_lease_and_the_slowest_host_take(void **state)
{
    (void)state;
    struct bed bed;
    build(&bed);
    struct model_host_type types[2] = {bed.hall.type, bed.hall.type};
    types[1].actuation_ns = 250 * NS_PER_MS;
    bed.hall.model.type = types;
    bed.hall.model.type_count = 2;
    bed.hall.host[1].type = 1;
    bed.hall.heat.meter = bed.hall.heat_node;
    heat_init(&bed.hall.heat, &bed.hall.model);
    assert_in_range(bed.hall.heat_node[HALL_LEFT].respond_ns, 1322702020, 1322702022);
    assert_in_range(bed.hall.heat_node[HALL_RIGHT].respond_ns, 1171202020, 1171202022);
    assert_in_range(bed.hall.heat_node[HALL_MAIN].respond_ns, 1322702020, 1322702022);
}

/* From 0.9, with the meter's 1 %: 1200 A trips in 200 ln((2.0818 - 0.9)/(2.0818 - 1)) = 17.68 s. Twice T_resp
 * is 2.342404 s, so the reading 15.344 s later is the first. */
static void the_reading_from_which_it_trips_within_twice_t_resp_is_the_first_that_says_so(void **state)
{
    (void)state;
    struct bed bed;
    start(&bed);
    read_at(&bed, 400);
    assert_false(heat_trips_soon(&bed.hall.heat, HALL_LEFT));
    double end = square(1200 * ERROR / PICKUP_A);
    double trips_s = HEAT_S * log((end - 0.9) / (end - 1));
    assert_in_range(trips_s * 1000, 17670, 17690);
    int readings = 0;
    do {
        read_for(&bed, 1200, 1);
        readings++;
    } while (!heat_trips_soon(&bed.hall.heat, HALL_LEFT) && readings < 2000);
    int expected = (int)ceil((trips_s - 2.342404042) / 0.016);
    assert_in_range(readings, expected - 2, expected);
}

/* 200 ln((x^2 - 0.9)/(x^2 - 1)) < 2.3424 s from x^2 = 9.49 on: 2562 A at the meter. */
static void a_heavy_overload_says_so_in_its_first_reading(void **state)
{
    (void)state;
    struct bed bed;
    start(&bed);
    read_at(&bed, 400);
    set_heat(&bed, 0.9);
    read_for(&bed, 2550, 1);
    assert_false(heat_trips_soon(&bed.hall.heat, HALL_LEFT));
    start(&bed);
    read_at(&bed, 400);
    set_heat(&bed, 0.9);
    read_for(&bed, 2575, 1);
    assert_true(heat_trips_soon(&bed.hall.heat, HALL_LEFT));
    start(&bed);
    read_at(&bed, 4450);                                    /* 4494.5 A: short-time runs */
    assert_true(heat_trips_soon(&bed.hall.heat, HALL_LEFT));
}

static void what_may_have_tripped_is_told_with_its_element(void **state)
{
    (void)state;
    struct bed bed;
    int edge = -1, readings = 0;
    start(&bed);
    read_at(&bed, 400);
    read_for(&bed, 400, 500);                               /* short-time travel has decayed in 8 s */
    while (edge < 0 && readings < 20) {
        bed.t_ns += PERIOD_NS;
        edge = read_at(&bed, 5000);
        readings++;
    }
    assert_int_equal(edge, ELEMENT_SHORT_TIME);
    assert_int_equal(readings, 6);                          /* 96 ms of 90 */
}

/* 200 ms at 6000 A that hosts might have drawn. */
static void what_may_have_tripped_while_nobody_looked_is_told_too(void **state)
{
    (void)state;
    struct bed bed;
    start(&bed);
    read_at(&bed, 400);
    read_for(&bed, 400, 500);
    expose(&bed, 600);
    ledger_mark_exposed(&bed.hall.ledger, HALL_LEFT);
    bed.t_ns += 66 * NS_PER_MS;                             /* 50 ms lost: short of 90 */
    assert_int_equal(read_at(&bed, 400), -1);
    bed.t_ns += 8 * NS_PER_S;
    expose(&bed, 4);
    ledger_mark_exposed(&bed.hall.ledger, HALL_LEFT);
    read_at(&bed, 400);
    expose(&bed, 600);
    ledger_mark_exposed(&bed.hall.ledger, HALL_LEFT);
    bed.t_ns += 200 * NS_PER_MS;
    assert_int_equal(read_at(&bed, 400), ELEMENT_SHORT_TIME);
    bed.t_ns += PERIOD_NS;
    assert_int_equal(read_at(&bed, 400), -1);
}

/* 1000 A of a sine are 1414 A of peak: 500 A at twice the crest reach it, and no crest counts below a
 * sine's. */
static void a_peak_counts_by_its_crest(void **state)
{
    (void)state;
    static const struct { int32_t crest_milli; int64_t current_ma; bool soon; } cases[] = {
        {2828, 495000, false}, {2828, 495100, true}, {0, 990000, false}, {0, 990100, true},
        {1000, 990000, false}, {1414, 990100, true}, {1415, 989300, false}, {1415, 989500, true}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bed bed;
        build(&bed);
        bed.hall.node[HALL_LEFT].breaker.element_count = 1;
        bed.hall.node[HALL_LEFT].breaker.element[0] = (struct breaker_element){
            .law = BREAKER_PEAK, .role = ELEMENT_INSTANTANEOUS, .pickup_ma = 1000000};
        open_bed(&bed);
        struct reading reading = {.meter = HALL_LEFT, .crest_milli = cases[i].crest_milli,
                                  .current_ma = {0, cases[i].current_ma, 0},
                                  .voltage_mv = {100000, 100000, 100000}};
        int edge = heat_reading(&bed.hall.heat, &bed.hall.ledger, &reading, bed.t_ns);
        assert_int_equal(edge, cases[i].soon ? ELEMENT_INSTANTANEOUS : -1);
        assert_int_equal(heat_trips_soon(&bed.hall.heat, HALL_LEFT), cases[i].soon);
    }
}

/* 1000 A and the meter's 1 %: exactly 1010 A. */
static void a_current_at_the_pickup_itself_is_looked_at(void **state)
{
    (void)state;
    struct bed bed;
    for (int above = 0; above < 2; above++) {
        build(&bed);
        bed.hall.node[HALL_LEFT].breaker.element_count = 2;
        bed.hall.node[HALL_LEFT].breaker.element[0].pickup_ma = 2000000;
        bed.hall.node[HALL_LEFT].breaker.element[1].pickup_ma = 1010000 + !above;
        bed.hall.node[HALL_LEFT].breaker.element[1].unit_ma = 1010000;
        open_bed(&bed);
        read_at(&bed, 1000);
        assert_int_equal(heat_trips_soon(&bed.hall.heat, HALL_LEFT), above);
    }
}

static void heat_seen(const struct bed *bed, uint32_t node, struct heat_view *view)
{
    memset(view, 0x5A, sizeof *view);
    heat_view(&bed->hall.heat, &bed->hall.ledger, node, bed->t_ns, view);
}

/* A relay's curve begins below 0.95 of its edge: the steady limit is admissible all the same. */
static void a_load_within_the_steady_limit_never_trips_soon(void **state)
{
    (void)state;
    struct bed bed;
    struct heat_view view;
    build(&bed);
    bed.hall.node[HALL_LEFT].steady_ma = 902500;
    bed.hall.node[HALL_LEFT].breaker.element_count = 1;
    bed.hall.node[HALL_LEFT].breaker.element[0] = (struct breaker_element){
        .law = BREAKER_TRAVEL, .role = ELEMENT_INVERSE, .reset = RESET_HOLD, .pickup_ma = 893800,
        .unit_ma = 893800, .reset_ns = NS_PER_S, .shortest_ns = INT64_MAX};
    open_bed(&bed);
    read_at(&bed, 902.5);
    for (int i = 0; i < 20; i++) {
        read_for(&bed, 902.5, 1);
        assert_false(heat_trips_soon(&bed.hall.heat, HALL_LEFT));
    }
    heat_seen(&bed, HALL_LEFT, &view);
    assert_int_equal(view.trip_in_ns, BREAKER_NEVER_NS);
    read_for(&bed, 940, 1);                                 /* 949.4 A: 0.95 of that is 901.9 A */
    assert_false(heat_trips_soon(&bed.hall.heat, HALL_LEFT));
    read_for(&bed, 941, 1);                                 /* 950.4 A */
    assert_true(heat_trips_soon(&bed.hall.heat, HALL_LEFT));
}

/* What runs far below what the model calls steady is no margin. */
static void travel_far_below_the_steady_limit_trips_soon(void **state)
{
    (void)state;
    struct bed bed;
    build(&bed);
    bed.hall.node[HALL_LEFT].steady_ma = 902500;
    bed.hall.node[HALL_LEFT].breaker.element[1].pickup_ma = 845000;
    bed.hall.node[HALL_LEFT].breaker.element[1].unit_ma = 845000;
    open_bed(&bed);
    read_at(&bed, 800);
    read_for(&bed, 891, 1);                                 /* 0.94 of 899.91 A is 845.9 A */
    assert_true(heat_trips_soon(&bed.hall.heat, HALL_LEFT));
    read_for(&bed, 889, 1);
    assert_false(heat_trips_soon(&bed.hall.heat, HALL_LEFT));
}

/* 600 A with twice the crest of a sine reach an element at 1000 A. */
static void a_peak_trips_within_the_steady_limit_too(void **state)
{
    (void)state;
    struct bed bed;
    build(&bed);
    bed.hall.node[HALL_LEFT].steady_ma = 902500;
    bed.hall.node[HALL_LEFT].breaker.element_count = 1;
    bed.hall.node[HALL_LEFT].breaker.element[0] = (struct breaker_element){
        .law = BREAKER_PEAK, .role = ELEMENT_INSTANTANEOUS, .pickup_ma = 1000000};
    open_bed(&bed);
    struct reading reading = {.meter = HALL_LEFT, .crest_milli = 2828, .current_ma = {600000, 0, 0},
                              .voltage_mv = {100000, 100000, 100000}};
    heat_reading(&bed.hall.heat, &bed.hall.ledger, &reading, bed.t_ns);
    assert_true(heat_trips_soon(&bed.hall.heat, HALL_LEFT));
}

/* 32 ms at 2000 A every 64 ms, that begin and end in the middle of a reading: half of them lies in readings
 * of 1414 A, below the 1500 A of a fuse. */
static void what_begins_within_a_reading_moves_travel_for_all_of_its_time(void **state)
{
    (void)state;
    static const double rms_a[4] = {1414.2, 2000, 1414.2, 0};
    struct bed bed;
    build(&bed);
    struct breaker_element *fuse = &bed.hall.node[HALL_LEFT].breaker.element[1];
    *fuse = (struct breaker_element){
        .law = BREAKER_TRAVEL, .role = ELEMENT_FUSE, .reset = RESET_NEVER, .pickup_ma = 1500000,
        .unit_ma = 1500000, .shortest_ns = INT64_MAX};
    for (int i = 0; i < CURVE_POINTS; i++)      /* 90 s */
        bed.curve[0].rate[i] = INT64_C(13117684675);
    open_bed(&bed);
    read_at(&bed, 0);
    double heat = 0.9, begun = (double)bed.hall.heat_node[HALL_LEFT].state.part[1][0];
    for (int i = 0; i < 400; i++) {
        read_for(&bed, rms_a[i % 4], 1);
        heat = after(heat, rms_a[i % 4] * ERROR, 0.016);
    }
    double moved = (double)bed.hall.heat_node[HALL_LEFT].state.part[1][0] - begun;
    assert_in_range(moved / (double)HEAT_ONE * 1e6, 3.2 / 90 * 1e6, 3.21 / 90 * 1e6);   /* of 6.4 s */
    assert_heat(&bed, heat);                    /* an image takes the mean of squares as it is */
}

static void what_is_shown_is_heat_time_to_trip_and_what_may_flow(void **state)
{
    (void)state;
    struct bed bed;
    struct heat_view view;
    start(&bed);
    bed.hall.node[HALL_LEFT].steady_ma = 640000;
    heat_seen(&bed, HALL_LEFT, &view);
    assert_int_equal(view.heat_ppm, -1);                    /* no reading yet */
    heat_seen(&bed, HALL_RIGHT, &view);
    assert_int_equal(view.heat_ppm, -1);                    /* no curve */
    assert_int_equal(view.admissible_ma, -1);
    read_at(&bed, 400);
    set_heat(&bed, 0.5);
    heat_seen(&bed, HALL_LEFT, &view);
    assert_in_range(view.heat_ppm, 499999, 500001);
    assert_true(view.trip_in_ns == BREAKER_NEVER_NS);
    assert_int_equal(view.trips, ELEMENT_ROLE_COUNT);
    /* T_resp / 0.7 = 1.673145 s: 0.9 is reached from 0.5 at x^2 = (0.9 - 0.5 e) / (1 - e), e = exp(-t/200):
     * 48.3, 5838 A; 0.95 of short-time's 4464 A is less */
    assert_in_range(view.admissible_ma, 4230000, 4240800);
    assert_int_equal(view.binds, ELEMENT_SHORT_TIME);
    set_heat(&bed, 0.88);
    /* x^2 = 0.88 + 0.02 / (1 - e) = 3.2807: 1521 A */
    double e = exp(-1.673145744 / HEAT_S), x2 = 0.88 + 0.02 / (1 - e);
    heat_seen(&bed, HALL_LEFT, &view);
    assert_in_range((double)view.admissible_ma / 1000, PICKUP_A * sqrt(x2) * 0.99, PICKUP_A * sqrt(x2));
    assert_int_equal(view.binds, ELEMENT_LONG_TIME);
    set_heat(&bed, 0.9);
    heat_seen(&bed, HALL_LEFT, &view);
    assert_in_range(view.admissible_ma, 780000, 797000);    /* 840 sqrt(0.9) = 796.9 A holds it at 0.9 */
    bed.hall.node[HALL_LEFT].steady_ma = 800000;
    heat_seen(&bed, HALL_LEFT, &view);
    assert_int_equal(view.admissible_ma, 800000);           /* the steady limit always is */
    assert_int_equal(view.binds, ELEMENT_ROLE_COUNT);
    read_for(&bed, 1200, 1);
    set_heat(&bed, 0.9);
    heat_seen(&bed, HALL_LEFT, &view);
    assert_in_range(view.trip_in_ns / NS_PER_MS, 17600, 17690);
    assert_int_equal(view.trips, ELEMENT_LONG_TIME);
}

/* Nobody has to read for it to be shown: 10 s at 1300 A that hosts may draw. */
static void a_silent_meters_node_is_shown_as_hot_as_exposure_makes_it(void **state)
{
    (void)state;
    struct bed bed;
    struct heat_view view;
    start(&bed);
    read_at(&bed, 400);
    set_heat(&bed, 0.5);
    expose(&bed, 130);
    ledger_mark_exposed(&bed.hall.ledger, HALL_LEFT);
    bed.t_ns += 50 * NS_PER_MS;
    heat_seen(&bed, HALL_LEFT, &view);
    assert_in_range(view.heat_ppm, 499999, 500001);
    bed.t_ns += 9950 * NS_PER_MS;
    heat_seen(&bed, HALL_LEFT, &view);
    double exact = after(0.5, 1300, 10);
    assert_in_range(view.heat_ppm, exact * 1e6, exact * 1e6 + 200);
    assert_true(view.trip_in_ns < 60 * NS_PER_S);
    assert_true(fabs(heat_of(&bed, 0) - 0.5) < 1e-9);       /* only shown */
}

/* A device at 80 %: 0.8. One rated 100 %, steady at 798 A, 805.98 with the meter's error: 0.9206. Equipment
 * does not count. */
static void it_has_cooled_when_a_load_within_the_steady_limit_has_had_its_time(void **state)
{
    (void)state;
    static const struct { int64_t steady_ma; double just; } cases[] = {{640000, 0.8}, {798000, 0.920642}};
    for (size_t i = 0; i < 2; i++) {
        struct bed bed;
        build(&bed);
        bed.hall.node[HALL_LEFT].steady_ma = cases[i].steady_ma;
        bed.hall.node[HALL_LEFT].breaker.element[1] = bed.hall.node[HALL_LEFT].breaker.element[0];
        bed.hall.node[HALL_LEFT].breaker.element[1].role = ELEMENT_CONDUCTOR;
        open_bed(&bed);
        assert_true(heat_cooled(&bed.hall.heat, HALL_LEFT));    /* nothing is known */
        read_at(&bed, 400);
        bed.hall.heat_node[HALL_LEFT].state.part[1][0] = HEAT_ONE;
        set_heat(&bed, cases[i].just + 0.0001);
        assert_false(heat_cooled(&bed.hall.heat, HALL_LEFT));
        set_heat(&bed, cases[i].just - 0.0001);
        assert_true(heat_cooled(&bed.hall.heat, HALL_LEFT));
    }
    struct bed bed;
    start(&bed);
    assert_true(heat_cooled(&bed.hall.heat, HALL_RIGHT));       /* no curve */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_reading_finds_the_device_as_hot_as_it_may_be),
        cmocka_unit_test(a_steady_overload_heats_as_the_closed_form_says_with_the_meters_error),
        cmocka_unit_test(a_pulse_of_two_readings_and_more_is_counted_wherever_it_begins),
        cmocka_unit_test(a_light_load_cools_it_with_its_own_time_constant),
        cmocka_unit_test(each_phase_has_a_heat_of_its_own),
        cmocka_unit_test(late_readings_claim_their_own_periods),
        cmocka_unit_test(a_lost_reading_counts_with_the_larger_neighbour_and_what_hosts_might_draw),
        cmocka_unit_test(a_silence_heats_by_the_highest_exposure_of_its_time),
        cmocka_unit_test(an_exposure_beyond_all_measure_trips_and_overflows_nothing),
        cmocka_unit_test(a_silence_between_high_readings_heats_by_the_higher_of_them),
        cmocka_unit_test(a_silence_of_a_day_is_as_hot_as_its_load_for_ever),
        cmocka_unit_test(a_clock_that_stands_still_heats_for_t_fresh_at_most_until_it_goes_on),
        cmocka_unit_test(a_shaking_network_changes_next_to_nothing),
        cmocka_unit_test(a_reading_that_was_given_up_still_heats),
        cmocka_unit_test(a_meter_that_is_a_little_fast_heats_by_the_clock),
        cmocka_unit_test(exposure_is_amperes_at_the_lowest_voltage_seen),
        cmocka_unit_test(a_dead_feed_cools),
        cmocka_unit_test(behind_a_slow_meter_exposure_heats),
        cmocka_unit_test(a_node_of_one_phase_counts_the_fullest_sum_on_it),
        cmocka_unit_test(the_high_water_mark_follows_what_was_allowed_and_not_what_was_tried),
        cmocka_unit_test(t_resp_is_freshness_and_what_a_lease_and_the_slowest_host_take),
        cmocka_unit_test(the_reading_from_which_it_trips_within_twice_t_resp_is_the_first_that_says_so),
        cmocka_unit_test(a_heavy_overload_says_so_in_its_first_reading),
        cmocka_unit_test(what_may_have_tripped_is_told_with_its_element),
        cmocka_unit_test(what_may_have_tripped_while_nobody_looked_is_told_too),
        cmocka_unit_test(a_peak_counts_by_its_crest),
        cmocka_unit_test(a_current_at_the_pickup_itself_is_looked_at),
        cmocka_unit_test(a_load_within_the_steady_limit_never_trips_soon),
        cmocka_unit_test(travel_far_below_the_steady_limit_trips_soon),
        cmocka_unit_test(a_peak_trips_within_the_steady_limit_too),
        cmocka_unit_test(what_begins_within_a_reading_moves_travel_for_all_of_its_time),
        cmocka_unit_test(what_is_shown_is_heat_time_to_trip_and_what_may_flow),
        cmocka_unit_test(a_silent_meters_node_is_shown_as_hot_as_exposure_makes_it),
        cmocka_unit_test(it_has_cooled_when_a_load_within_the_steady_limit_has_had_its_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
