/* SPDX-License-Identifier: Apache-2.0 */
/* One device above another, against domain.md 1.8 and numbers worked out by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "curve_devices.h"
#include "site/coordination/parts.h"

static void near(double got, double want, double relative)
{
    if (!(fabs(got - want) <= relative * fabs(want)))
        fail_msg("%.9g, not %.9g", got, want);
}

static struct coordination_pair judge(const struct site_device *parent, const struct site_device *child,
                                      double ratio, double fault_a)
{
    const struct coordination_two two = {parent, child, ratio, fault_a, false};
    struct coordination_pair pair = {0};

    coordination_judge(&two, &pair);
    return pair;
}

/* 32,399 A: selective, 32,400 A = 0.9 x 36 kA: the main's instantaneous races the branch's 80 ms */
static void the_reference_main_is_selective_up_to_32_4_ka(void **state)
{
    (void)state;
    struct coordination_pair p = judge(&mn3000, &br800, 1, 65000);

    assert_false(p.total);
    assert_true(p.fault_stated);
    near(p.limit_a, 32400, 1e-8);
    near(p.child_clears_s, 0.080, 1e-9);
    assert_true(p.parent_trips_s == 0);
    assert_int_equal(p.parent_role, ELEMENT_INSTANTANEOUS);
    assert_int_equal(p.clashes, CLASH_INSTANTANEOUS);
}

/* Nearest at the end of the grid: 0.80 x 0.30 s x (30 / 32.399)^2, not below 0.8 x 0.3, over the 80 ms. */
static void below_it_the_pair_is_selective_all_the_way(void **state)
{
    (void)state;
    struct coordination_pair p = judge(&mn3000, &br800, 1, 32399);

    assert_true(p.total);
    assert_true(isinf(p.limit_a));
    near(p.parent_trips_s, 0.24, 1e-6);
    near(p.child_clears_s, 0.080, 1e-9);
    assert_int_equal(p.parent_role, ELEMENT_SHORT_TIME);
    assert_int_equal(p.clashes, 0);
}

/* 45 kA = 1.25 x 36 kA */
static void without_a_fault_current_it_looks_beyond_the_largest_instantaneous(void **state)
{
    (void)state;
    struct coordination_pair p = judge(&mn3000, &br800, 1, 0);

    assert_false(p.fault_stated);
    near(p.fault_a, 45000, 1e-12);
    near(p.limit_a, 32400, 1e-8);
    assert_int_equal(p.clashes, 0);     /* nothing is known of the fault there */
}

/* The main at 13.8 kV sees 480 / 13,800 of the branch's amperes: 32.4 kA of it flow at 931.5 kA below. */
static void across_a_transformer_amperes_go_by_volts(void **state)
{
    (void)state;
    double ratio = 480.0 / 13800;
    struct coordination_pair p = judge(&mn3000, &br800, ratio, 65000);

    assert_true(p.total);
    near(judge(&mn3000, &br800, ratio, 2e6).limit_a, 32400 / ratio, 1e-8);
    /* nobody says: 1.25 x 36 kA as it looks from below */
    near(judge(&mn3000, &br800, ratio, 0).fault_a, 1.25 * 36000 / ratio, 1e-12);
    /* Isd 12 kA is 345 kA below, Ir 86 kA: nothing clashes */
    assert_int_equal(p.clashes, 0);
}

/* Two alike: the parent may trip at 1.05 Ir, where the child need not before 1.20. */
static void a_device_over_its_like_is_selective_nowhere(void **state)
{
    (void)state;
    struct coordination_pair p = judge(&br800, &br800, 1, 20000);

    assert_false(p.total);
    near(p.limit_a, 840, 1e-12);
    assert_true(isinf(p.child_clears_s));
    near(p.parent_trips_s, 0.9 * 8 * 36 / (1.05 * 1.05), 1e-9);
    assert_int_equal(p.parent_role, ELEMENT_LONG_TIME);
    assert_int_equal(p.clashes, CLASH_SHORT_TIME | CLASH_SHORT_DELAY | CLASH_INSTANTANEOUS);
}

/* The parent is definite from 0.93 x 9,470 = 8,807.1 A in 0.9 x 0.12 = 0.108 s; the child clears in 0.11 +
 * 0.05 =
 * 0.16 s up to 1.1 x 8,007.3 = 8,808 A, and in 0.08 s from there. The grid steps by 1.8 %. */
static void a_notch_between_two_points_of_the_grid_is_found(void **state)
{
    struct site_device parent = mn3000, child = br800;

    (void)state;
    child.instantaneous.pickup_ma = 8007272;
    parent.short_time =
        (struct device_stage){.pickup_ma = 9470000, .delay_ns = 120 * NS_PER_MS, .tolerance_ppm = -1};
    struct coordination_pair p = judge(&parent, &child, 1, 32000);

    assert_false(p.total);
    near(p.limit_a, 8807.1, 1e-6);
    near(p.child_clears_s, 0.16, 1e-6);
    near(p.parent_trips_s, 0.108, 1e-6);
    assert_int_equal(p.parent_role, ELEMENT_SHORT_TIME);
}

static void settings_are_held_against_each_other_one_by_one(void **state)
{
    struct site_device parent = mn3000, child = br800;

    (void)state;
    parent.long_time_ma = MA(799);
    assert_int_equal(judge(&parent, &child, 1, 30000).clashes, CLASH_LONG_TIME);
    parent = mn3000;
    parent.short_time.pickup_ma = MA(6239);
    assert_int_equal(judge(&parent, &child, 1, 30000).clashes, CLASH_SHORT_TIME);
    parent.short_time.pickup_ma = MA(6240);
    assert_int_equal(judge(&parent, &child, 1, 30000).clashes, 0);
    parent.short_time.delay_ns = 100 * NS_PER_MS;
    assert_int_equal(judge(&parent, &child, 1, 30000).clashes, CLASH_SHORT_DELAY);
    parent = mn3000;
    child.ground = parent.ground;
    assert_int_equal(judge(&parent, &child, 1, 30000).clashes, CLASH_GROUND);
    child.ground.pickup_ma = MA(800);
    assert_int_equal(judge(&parent, &child, 1, 30000).clashes, CLASH_GROUND);
    child.ground.delay_ns = 100 * NS_PER_MS;
    assert_int_equal(judge(&parent, &child, 1, 30000).clashes, 0);
    /* at twice the volts half the amperes: 3,000 A there are 6,000 A here */
    child = br800;
    child.long_time_ma = MA(6001);
    assert_int_equal(judge(&parent, &child, 0.5, 30000).clashes & CLASH_LONG_TIME, CLASH_LONG_TIME);
    child.long_time_ma = MA(6000);
    assert_int_equal(judge(&parent, &child, 0.5, 30000).clashes & CLASH_LONG_TIME, 0);
}

static void what_trips_first_is_named(void **state)
{
    double seconds;

    (void)state;
    assert_int_equal(coordination_first(&br800, EDGE_FAST, 839, &seconds), ELEMENT_ROLE_COUNT);
    assert_true(isinf(seconds));
    assert_int_equal(coordination_first(&br800, EDGE_FAST, 1200, &seconds), ELEMENT_LONG_TIME);
    near(seconds, 115.2, 1e-9);
    assert_int_equal(coordination_first(&br800, EDGE_FAST, 6000, &seconds), ELEMENT_SHORT_TIME);
    near(coordination_lowest_a(&br800), 840, 1e-12);
    assert_true(coordination_has_curve(&br800));
    assert_false(coordination_has_curve(&(struct site_device){.kind = DEVICE_NONE}));
    struct site_device stages = br800;

    stages.long_time_ns = 0;            /* what a long overload does is not known */
    assert_false(coordination_has_curve(&stages));
}

/* ---- by chance ---- */

static uint64_t seed = 20261121;

static int64_t draw(int64_t from, int64_t to)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return from + (int64_t)(seed % (uint64_t)(to - from + 1));
}

/* From 0.9 at 5 and 7 times the pickup: 200 ln(24.1 / 24) and, above six times, 160 ln(48.1 / 48). */
static void an_image_heats_faster_where_its_tolerance_widens(void **state)
{
    const struct breaker_element e = {.law = BREAKER_IMAGE, .role = ELEMENT_LONG_TIME, .pickup_ma = 1000000,
                                      .heat_ns = 200 * NS_PER_S, .heat_fast_ns = 160 * NS_PER_S,
                                      .fast_above_ma = 6000000, .cool_ns = 250 * NS_PER_S};
    const struct model model = {0};

    (void)state;
    near(coordination_element_s(&model, &e, 0.9, 5000), 0.8316, 1e-4);
    near(coordination_element_s(&model, &e, 0.9, 7000), 0.3330, 1e-4);
}

static void draw_stages(struct site_device *d, int64_t ir_ma)
{
    if (draw(0, 3))
        d->short_time = (struct device_stage){.pickup_ma = ir_ma * draw(15, 100) / 10,
                                              .delay_ns = draw(5, 40) * 10 * NS_PER_MS,
                                              .tolerance_ppm = -1, .i2t = draw(0, 1) != 0};
    if (draw(0, 4))
        d->instantaneous =
            (struct device_stage){.pickup_ma = ir_ma * draw(20, 150) / 10, .tolerance_ppm = -1};
}

static void draw_points(struct site_device *d, int64_t ir_ma)
{
    d->min_count = (uint32_t)draw(3, 8);
    for (uint32_t i = 0; i < d->min_count; i++) {
        d->min[i].ma = (i ? d->min[i - 1].ma : ir_ma) * draw(12, 25) / 10;
        d->min[i].ns = (i ? d->min[i - 1].ns : draw(100, 4000) * NS_PER_S) / draw(2, 12);
    }
    d->points_tolerance_ppm = 100000;
}

static void draw_device(struct site_device *d, int64_t ir_ma)
{
    static const uint8_t kind[] = {DEVICE_ELECTRONIC, DEVICE_ELECTRONIC, DEVICE_THERMAL_MAGNETIC,
                                   DEVICE_RELAY, DEVICE_FUSE};

    *d = (struct site_device){.kind = kind[draw(0, 4)], .thermal_memory = draw(0, 1) != 0, .rating_ma = ir_ma,
                              .long_time_ma = ir_ma, .long_time_ns = draw(2, 24) * NS_PER_S,
                              .long_time_at_ppm = 6 * PPM, .opening_ns = 50 * NS_PER_MS,
                              .clears_ns = 80 * NS_PER_MS, .ambient_ppm = PPM};
    if (d->kind == DEVICE_FUSE)
        draw_points(d, ir_ma);
    else
        draw_stages(d, ir_ma);
    if (d->kind == DEVICE_RELAY)
        d->relay = (struct device_relay){.curve = (uint8_t)draw(0, RELAY_CURVE_COUNT - 1), .pickup_ma = ir_ma,
                                         .time_dial_ppm = draw(1, 50) * PPM / 10};
}

static bool wrong_at(const struct coordination_two *two, double amperes)
{
    double trips = curve_time_s(two->parent, EDGE_FAST, amperes * two->ratio);

    return !isinf(trips) && trips < curve_clearing_s(two->child, amperes);
}

/* A scan of 4,000 currents finds no fault below the limit that was told, and one at it. */
static void a_finer_look_finds_nothing_else(void **state)
{
    enum { PAIRS = 300, FINE = 4000 };
    uint32_t total = 0, partial = 0;

    (void)state;
    print_message("seed %llu\n", (unsigned long long)seed);
    for (uint32_t i = 0; i < PAIRS; i++) {
        struct site_device parent, child;
        int64_t ir_ma = draw(100, 1000) * 1000;

        draw_device(&child, ir_ma);
        draw_device(&parent, ir_ma * draw(8, 40) / 10);
        const struct coordination_two two = {&parent, &child, draw(0, 3) ? 1 : 0.5,
                                             (double)(ir_ma / 1000 * draw(3, 90)), false};
        struct coordination_pair pair = {0};

        coordination_judge(&two, &pair);
        double from = coordination_lowest_a(&child), to = fmin(pair.fault_a, pair.limit_a * (1 - 1e-8));

        total += pair.total;
        partial += !pair.total;
        assert_true(pair.total || wrong_at(&two, pair.limit_a));
        for (uint32_t k = 0; k < FINE && to > from; k++) {
            double amperes = from * pow(to / from, (double)k / (FINE - 1));

            if (wrong_at(&two, amperes))
                fail_msg("pair %u: wrong at %.6f A, told up to %.6f A", i, amperes, pair.limit_a);
        }
    }
    print_message("%u selective, %u up to a limit\n", total, partial);
    assert_true(total >= 60 && partial >= 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_reference_main_is_selective_up_to_32_4_ka),
        cmocka_unit_test(below_it_the_pair_is_selective_all_the_way),
        cmocka_unit_test(without_a_fault_current_it_looks_beyond_the_largest_instantaneous),
        cmocka_unit_test(across_a_transformer_amperes_go_by_volts),
        cmocka_unit_test(a_device_over_its_like_is_selective_nowhere),
        cmocka_unit_test(a_notch_between_two_points_of_the_grid_is_found),
        cmocka_unit_test(settings_are_held_against_each_other_one_by_one),
        cmocka_unit_test(an_image_heats_faster_where_its_tolerance_widens),
        cmocka_unit_test(what_trips_first_is_named),
        cmocka_unit_test(a_finer_look_finds_nothing_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
