/* SPDX-License-Identifier: Apache-2.0 */
/* Which device stands at a node of the plant: what the site sets, else the workload's breaker; and what a run
 * says of a trip. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "sim/outcome.h"
#include "tiny_site.h"

struct stand {
    struct model model;
    struct workload workload;
    struct site_device device[9];
    struct site_equipment equipment[9];
    struct grid grid;
    double watts[60];
};

/* One main, branches at 1 and 2, racks above; 30 hosts below each branch. */
static struct stand *stand(double watts)
{
    struct stand *s = calloc(1, sizeof(*s));
    assert_non_null(s);
    tiny_site_init(&s->model, &tiny_demo);
    assert_int_equal(s->model.node_count, 9);
    workload_defaults(&s->workload);
    s->workload.plant.regulation = 0;
    for (int h = 0; h < 60; h++)
        s->watts[h] = watts;
    return s;
}

static void finish(struct stand *s)
{
    grid_finish(&s->grid);
    tiny_site_finish(&s->model);
    free(s);
}

static struct site_device relay(int64_t pickup_ma)
{
    struct site_device device = {
        .name = "feeder-50", .kind = DEVICE_RELAY,
        .relay = {.curve = RELAY_IEC_VI, .pickup_ma = pickup_ma, .time_dial_ppm = 100000},
    };
    return device;
}

/* Steps to the first trip and its time. */
static double run(struct stand *s, bool nominal, double limit_s)
{
    assert_int_equal(grid_init(&s->grid, &s->model, &s->workload, nominal), 0);
    for (int64_t t_ns = NS_PER_MS; (double)t_ns / 1e9 <= limit_s; t_ns += NS_PER_MS) {
        grid_step(&s->grid, s->watts, t_ns, NS_PER_MS);
        if (s->grid.trip_count)
            return (double)s->grid.trip[0].t_ns / 1e9;
    }
    return INFINITY;
}

/* 1, 2 and 3 kVA of the rack, the branch and the main themselves; the model's sums are 1, 3 and 6. 0.6 of it
 * is there, and flows up once. */
static void load_that_no_lease_governs_flows_up_once(void **state)
{
    static const struct { uint32_t node; int64_t sum_mva; double watts; } expected[] = {
        {3, 1000000, 600}, {1, 3000000, 1800}, {2, 0, 0}, {0, 6000000, 3600}};
    struct stand *s = stand(0);
    (void)state;
    assert_int_equal(s->model.node[3].parent[0], 1);
    for (int i = 0; i < 4; i++)
        for (int phase = 0; phase < PHASES; phase++)
            s->model.node[expected[i].node].other_mva[phase] = expected[i].sum_mva;
    assert_int_equal(grid_init(&s->grid, &s->model, &s->workload, true), 0);
    grid_step(&s->grid, s->watts, NS_PER_MS, NS_PER_MS);
    for (int i = 0; i < 4; i++)
        for (int phase = 0; phase < PHASES; phase++)
            assert_true(fabs(s->grid.node[expected[i].node].power_w[phase] - expected[i].watts) < 1e-6);
    finish(s);
}

/* VI with dial 0.1 at M: 1.35 / (M - 1) s. */
static void a_node_has_the_device_that_the_site_sets(void **state)
{
    struct stand *s = stand(9000);
    (void)state;
    s->device[2] = relay(200000);
    s->workload.breakers.device = s->device;
    s->workload.breakers.equipment = s->equipment;
    double seconds = run(s, true, 10);
    const struct grid_trip *trip = &s->grid.trip[0];
    double multiple = trip->amperes / 200;
    assert_true(multiple > 1.6 && multiple < 1.7);
    assert_true(fabs(seconds - 1.35 / (multiple - 1)) < 0.0011);
    assert_int_equal(trip->node, 2);
    assert_int_equal(trip->element, TRIP_INVERSE);
    assert_int_equal(trip->device_kind, DEVICE_RELAY);
    assert_string_equal(trip->device, "feeder-50");
    assert_true(s->grid.node[2].open && !grid_host_live(&s->grid, 59) && grid_host_live(&s->grid, 0));
    finish(s);
}

/* The same site with arrays that set nothing, and without arrays: the same specimens, the same trip. */
static void nothing_changes_where_the_site_sets_nothing(void **state)
{
    struct stand *without = stand(10200), *with = stand(10200);
    (void)state;
    with->workload.breakers.device = with->device;
    with->workload.breakers.equipment = with->equipment;
    double seconds = run(without, false, 60);
    for (int n = 0; n < 9; n++) {
        const struct tripunit *unit = &without->grid.node[n].unit;
        assert_true(unit->image.rated_a > 0 && unit->timer.pickup_a == 0);
    }
    assert_true(isfinite(seconds) && seconds == run(with, false, 60));
    for (int i = 0; i < 2; i++) {
        const struct grid_trip *trip = &(i ? with : without)->grid.trip[0];
        assert_int_equal(trip->node, without->grid.trip[0].node);
        assert_int_equal(trip->element, TRIP_LONG_TIME);
        assert_int_equal(trip->device_kind, DEVICE_NONE);
        assert_string_equal(trip->device, "");
    }
    finish(without);
    finish(with);
}

/* 200 kVA at the main, which carries 541 kW: more than its last step, at once. */
static void a_ups_without_a_breaker_of_its_own_lets_go(void **state)
{
    struct stand *s = stand(9000);
    (void)state;
    s->model.node[0].limited = 0;
    s->device[1] = s->device[2] = relay(2000000);
    s->equipment[0] = (struct site_equipment){.ups_mva = 200000000, .overload_count = 1,
                                              .overload = {{1500000, 60 * NS_PER_S}}};
    s->workload.breakers.device = s->device;
    s->workload.breakers.equipment = s->equipment;
    assert_true(run(s, true, 1) == 0.001);
    assert_int_equal(s->grid.trip[0].element, TRIP_UPS);
    assert_int_equal(s->grid.trip[0].node, 0);
    assert_false(grid_host_live(&s->grid, 0));
    finish(s);
}

/* A tenth of many nodes' specimens is exactly the fast edge: relays that run from 0.95 of their pickup. */
static void some_of_the_devices_are_exactly_the_fast_edge(void **state)
{
    struct stand *s = stand(0);
    int exact = 0;
    (void)state;
    for (int n = 0; n < 9; n++)
        s->device[n] = relay(100000);
    s->workload.breakers.device = s->device;
    for (uint64_t seed = 1; seed <= 1000; seed++) {
        s->workload.seed = seed;
        assert_int_equal(grid_init(&s->grid, &s->model, &s->workload, false), 0);
        for (int n = 0; n < 9; n++)
            exact += fabs(s->grid.node[n].unit.relay.pickup_a - 95) < 1e-9;
        grid_finish(&s->grid);
    }
    /* 900 of 9,000; three sigma are 85 */
    assert_true(abs(exact - 900) < 85);
    finish(s);
}

static void a_run_says_what_tripped_where_and_with_which_device(void **state)
{
    struct stand *s = stand(9000);
    struct outcome outcome;
    char *text = NULL, *json = NULL;
    size_t bytes;
    (void)state;
    s->device[2] = relay(200000);
    s->workload.breakers.device = s->device;
    run(s, true, 10);
    assert_int_equal(outcome_init(&outcome, &s->model), 0);
    outcome.trip_count = 2;
    outcome.trip[0] = s->grid.trip[0];
    outcome.trip[1] = (struct grid_trip){.t_ns = 5 * NS_PER_S, .node = 1, .element = TRIP_LONG_TIME,
                                         .amperes = 366};
    FILE *out = open_memstream(&text, &bytes);
    outcome_print(&outcome, &s->model, &s->workload, out);
    fclose(out);
    assert_non_null(strstr(text, ": branch-2 (relay feeder-50), inverse-time element, "));
    assert_non_null(strstr(text, "5.000 s: branch-1, long-time element, 366 A on phase A\n"));
    out = open_memstream(&json, &bytes);
    outcome_json(&outcome, &s->model, &s->workload, out);
    fclose(out);
    assert_non_null(strstr(json, "\"element\": \"inverse-time\""));
    assert_non_null(strstr(json, "\"trip_unit\": \"relay\", \"device\": \"feeder-50\"}, {"));
    assert_non_null(strstr(json, "\"amperes\": 366.00, \"phase\": \"A\"}], "));
    free(text);
    free(json);
    outcome_finish(&outcome);
    finish(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(load_that_no_lease_governs_flows_up_once),
        cmocka_unit_test(a_node_has_the_device_that_the_site_sets),
        cmocka_unit_test(nothing_changes_where_the_site_sets_nothing),
        cmocka_unit_test(a_ups_without_a_breaker_of_its_own_lets_go),
        cmocka_unit_test(some_of_the_devices_are_exactly_the_fast_edge),
        cmocka_unit_test(a_run_says_what_tripped_where_and_with_which_device),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
