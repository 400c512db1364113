/* SPDX-License-Identifier: Apache-2.0 */
/* Devices and equipment of a site file: read, laid over their rows, filled in, compiled. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "site/derive.h"
#include "written_site.h"

#define ROW \
    "devices:\n" \
    "  - {id: acb, rating: 800A, rated: 100%, profile: schneider, opening: 40ms,\n" \
    "     long_time: {pickup: 800A, delay: 8s, at: 3, memory: no},\n" \
    "     short_time: {pickup: 4.8kA, delay: 100ms, i2t: yes, tolerance: 7%, memory: no},\n" \
    "     instantaneous: {pickup: 8kA, tolerance: 15%, clears: 60ms}, ground: {pickup: 300A, delay: 200ms}}\n"

static void load(struct written_site *w, const char *text)
{
    written_site_load(w, text, "");
    if (w->rc)
        print_error("%s", w->report);
    assert_int_equal(w->rc, 0);
    written_site_check_model(&w->site.model);
}

/* A magnetic stage is 20 % wide unless its row says otherwise (docs/curves.md): the peak that alarms counts
 * from the same fast edge as the curve does. 0.85 x sqrt 2 x 800 A = 961.66 A */
static void the_magnetic_stage_alarms_from_its_own_fast_edge(void **state)
{
    static const struct { const char *trip_unit, *stage; int64_t peak_ma; } row[] = {
        {"thermal_magnetic", "1kA", 961664},
        {"thermal_magnetic", "{pickup: 1kA, tolerance: 5%}", 1141976},
        {"electronic", "1kA", 1081872}};
    char text[400];

    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct written_site w;

        snprintf(text, sizeof text,
                 "site: t\nnodes:\n  - {id: main, kind: main, volts: 480V, rating: 100A, trip_unit: %s,\n"
                 "     long_time: {pickup: 100A, delay: 100s, at: 2}, instantaneous: %s}\n",
                 row[i].trip_unit, row[i].stage);
        load(&w, text);
        assert_int_equal(w.site.model.node[0].instant_peak_ma, row[i].peak_ma);
        site_unload(&w.site);
    }
}

static void a_node_that_names_a_row_is_set_like_the_row(void **state)
{
    struct written_site w;

    (void)state;
    load(&w, "site: t\n" ROW "nodes:\n  - {id: main, kind: main, volts: 480V, device: acb, ambient: 90%}\n");
    const struct site_device *d = &w.site.device[0];

    assert_string_equal(d->name, "acb");
    assert_int_equal(d->kind, DEVICE_ELECTRONIC);
    assert_int_equal(d->profile, PROFILE_SCHNEIDER);
    assert_false(d->thermal_memory);
    assert_int_equal(d->rating_ma, 800000);
    assert_int_equal(d->long_time_ma, 800000);
    assert_int_equal(d->long_time_ns, 8 * NS_PER_S);
    assert_int_equal(d->long_time_at_ppm, 3000000);
    assert_int_equal(d->short_time.pickup_ma, 4800000);
    assert_int_equal(d->short_time.delay_ns, 100 * NS_PER_MS);
    assert_int_equal(d->short_time.tolerance_ppm, 70000);
    assert_true(d->short_time.i2t);
    assert_false(d->short_time.memory);
    assert_int_equal(d->instantaneous.pickup_ma, 8000000);
    assert_int_equal(d->instantaneous.tolerance_ppm, 150000);
    assert_int_equal(d->clears_ns, 60 * NS_PER_MS);
    assert_int_equal(d->ground.pickup_ma, 300000);
    assert_int_equal(d->ground.delay_ns, 200 * NS_PER_MS);
    assert_int_equal(d->ground.tolerance_ppm, -1);
    assert_int_equal(d->opening_ns, 40 * NS_PER_MS);
    assert_int_equal(d->ambient_ppm, 900000);
    assert_int_equal(w.site.model.node[0].rating_ma, 800000);
    assert_int_equal(w.site.model.node[0].rated_100pct, 1);
    /* 0.9975 x 800 A x 0.9 < 800 A < 0.95 x 0.93 x 4800 A */
    assert_int_equal(w.site.model.node[0].steady_ma, 718200);
    /* 0.85 sqrt 2 x 4464 A, its fast edge, which is lower than 0.85 x 8000 A */
    assert_int_equal(w.site.model.node[0].instant_peak_ma, 5366089);
    site_unload(&w.site);
}

static void what_a_node_says_itself_wins_key_by_key(void **state)
{
    struct written_site w;

    (void)state;
    load(
        &w,
        "site: t\n" ROW "nodes:\n"
        "  - {id: a, kind: main, volts: 480V, device: acb, long_time: 640A, rated: 80%}\n"
        "  - {id: b, kind: main, volts: 480V, device: acb, rating: 1000A, short_time: {delay: 0.3s, i2t: "
        "no},\n"
        "     instantaneous: {pickup: 10kA}, profile: abb}\n"
        "  - {id: c, kind: main, volts: 480V, device: acb, long_time: {at: 6, memory: yes}, ground: 400A}\n");
    const struct site_device *a = &w.site.device[0], *b = &w.site.device[1], *c = &w.site.device[2];

    /* a plain current says the pickup alone */
    assert_int_equal(a->long_time_ma, 640000);
    assert_int_equal(a->long_time_ns, 8 * NS_PER_S);
    assert_int_equal(a->long_time_at_ppm, 3000000);
    assert_false(a->thermal_memory);
    assert_int_equal(a->rating_ma, 800000);
    assert_int_equal(w.site.model.node[0].rated_100pct, 0);
    assert_int_equal(w.site.model.node[0].steady_ma, 512000);
    assert_int_equal(b->rating_ma, 1000000);
    assert_int_equal(b->long_time_ma, 800000);
    assert_int_equal(b->short_time.pickup_ma, 4800000);
    assert_int_equal(b->short_time.delay_ns, 300 * NS_PER_MS);
    assert_false(b->short_time.i2t);
    assert_int_equal(b->short_time.tolerance_ppm, 70000);
    assert_int_equal(b->instantaneous.pickup_ma, 10000000);
    assert_int_equal(b->instantaneous.tolerance_ppm, 150000);
    assert_int_equal(b->profile, PROFILE_ABB);
    assert_int_equal(c->long_time_at_ppm, 6000000);
    assert_int_equal(c->long_time_ma, 800000);
    assert_true(c->thermal_memory);
    assert_int_equal(c->ground.pickup_ma, 400000);
    assert_int_equal(c->ground.delay_ns, 200 * NS_PER_MS);
    site_unload(&w.site);
}

static void what_nobody_says_is_as_the_manual_says(void **state)
{
    struct written_site w;

    (void)state;
    load(&w,
         "site: t\nnodes:\n"
         "  - {id: a, kind: main, volts: 480V, rating: 600A, long_time: {delay: 8s}, short_time: {pickup: "
         "3kA,\n"
         "     delay: 0.1s}, instantaneous: 6kA}\n"
         "  - {id: b, kind: main, volts: 480V, rating: 600A, short_time: 3kA, instantaneous: {pickup: 6kA,\n"
         "     tolerance: 20%}}\n");
    const struct site_device *a = &w.site.device[0], *b = &w.site.device[1];

    assert_string_equal(a->name, "");
    assert_int_equal(a->kind, DEVICE_ELECTRONIC);
    assert_int_equal(a->profile, PROFILE_ABB);
    assert_int_equal(a->long_time_ma, 600000);
    assert_int_equal(a->long_time_at_ppm, 6000000);
    assert_true(a->thermal_memory);
    assert_int_equal(a->short_time.tolerance_ppm, -1);
    assert_true(a->short_time.memory);
    assert_false(a->short_time.i2t);
    assert_int_equal(a->instantaneous.tolerance_ppm, -1);
    assert_int_equal(a->clears_ns, 80 * NS_PER_MS);
    assert_int_equal(a->opening_ns, 50 * NS_PER_MS);
    assert_int_equal(a->ground.pickup_ma, 0);
    assert_int_equal(w.site.equipment[0].fault_ma, 0);
    assert_int_equal(w.site.equipment[0].state_count, 0);
    /* without a delay no curve is known; the stages bound the limit all the same, at 10 % by default */
    assert_int_equal(b->kind, DEVICE_NONE);
    assert_int_equal(w.site.model.node[0].instant_peak_ma, w.site.model.node[1].instant_peak_ma);
    assert_int_equal(w.site.model.node[1].breaker.element_count, 0);
    site_unload(&w.site);
}

static void a_relay_a_fuse_and_points_are_kept_as_written(void **state)
{
    struct written_site w;

    (void)state;
    load(
        &w,
        "site: t\nnodes:\n"
        "  - {id: a, kind: main, volts: 10kV, rating: 400A, trip_unit: relay, rated: 100%, short_time: "
        "{pickup:\n"
        "     1kA, delay: 0.2s}, relay: {curve: u3, pickup: 200A, time_dial: 1.5, reset: definite,\n"
        "     reset_time: 9s, reset_exponent: 2.4, pickup_tolerance: 3%, time_tolerance: 7%}}\n"
        "  - {id: b, kind: main, volts: 480V, rating: 100A, rated: 100%, trip_unit: fuse, fuse: {melting: "
        "[{at: 160A,\n"
        "     time: 1h}, {at: 1kA, time: 100ms}]}}\n"
        "  - {id: c, kind: main, volts: 480V, rating: 100A, rated: 100%, trip_unit: points, points: {min: "
        "[{at:\n"
        "     90A, time: 1h}, {at: 1kA, time: 100ms}], max: [{at: 120A, time: 2h}, {at: 1kA, time: 150ms}],\n"
        "     tolerance: 5%}}\n");
    const struct site_device *a = &w.site.device[0], *b = &w.site.device[1], *c = &w.site.device[2];
    const struct model_node *n = w.site.model.node;

    assert_int_equal(a->kind, DEVICE_RELAY);
    assert_int_equal(a->relay.curve, RELAY_U3);
    assert_int_equal(a->relay.reset, RELAY_RESET_DEFINITE);
    assert_int_equal(a->relay.reset_ns, 9 * NS_PER_S);
    assert_int_equal(a->relay.pickup_ma, 200000);
    assert_int_equal(a->relay.time_dial_ppm, 1500000);
    assert_int_equal(a->relay.reset_exponent_ppm, 2400000);
    assert_int_equal(a->relay.pickup_tolerance_ppm, 30000);
    assert_int_equal(a->relay.time_tolerance_ppm, 70000);
    assert_int_equal(a->long_time_ma, 200000);  /* of the relay: below the rating */
    assert_int_equal(n[0].steady_ma, 184300);   /* 0.95 x 0.97 x 200 A */
    assert_int_equal(b->kind, DEVICE_FUSE);
    assert_int_equal(b->min_count, 2);
    assert_int_equal(b->max_count, 0);
    assert_int_equal(b->min[0].ma, 160000);
    assert_int_equal(b->min[0].ns, 3600 * NS_PER_S);
    assert_int_equal(b->min[1].ma, 1000000);
    assert_int_equal(b->points_tolerance_ppm, 100000);
    assert_int_equal(n[1].steady_ma, 100000);   /* its rating: less than 0.95 x 0.9 x 160 A */
    assert_int_equal(c->kind, DEVICE_POINTS);
    assert_int_equal(c->max_count, 2);
    assert_int_equal(c->max[1].ns, 150 * NS_PER_MS);
    assert_int_equal(n[2].steady_ma, 85500);    /* 0.95 x 90 A: the first point of the fast edge */
    site_unload(&w.site);
}

static void equipment_is_filled_in_its_own_units(void **state)
{
    struct written_site w;

    (void)state;
    load(&w, "site: t\nnodes:\n"
             "  - {id: gen, kind: generator, volts: 480V, rating: 3kA, rated: 100%, fault: 22kA,\n"
             "     generator: {step: 500kW, ramp: 200kW/s}, states: [{id: prime, active: 1500kW, current: "
             "1900A},\n"
             "     {id: standby, apparent: 2MVA}]}\n"
             "  - {id: tx, kind: transformer, parent: gen, volts: 400V, rating: 2kA, transformer: {apparent: "
             "1MVA,\n"
             "     time_constant: 2h}, conductor: {ampacity: 1900A, time_constant: 10min}}\n"
             "  - {id: ups, kind: ups, parent: tx, rating: 2kA, ups: {active: 900kW, apparent: 1MVA, "
             "overload: [{load:\n"
             "     110%, time: 10min}, {load: 150%, time: 10s}]}, conductor: 1.8kA}\n"
             "  - {id: bus, kind: busway, parent: ups, unlimited: yes, conductor: 700A}\n"
             "  - {id: round, kind: bypass, parent: ups, unlimited: yes}\n");
    const struct site_equipment *gen = w.site.equipment, *tx = &gen[1], *ups = &gen[2];

    assert_int_equal(gen->fault_ma, 22000000);
    assert_int_equal(gen->generator_step_mw, INT64_C(500000000));
    assert_int_equal(gen->generator_ramp_mw_per_s, INT64_C(200000000));
    assert_int_equal(gen->state_count, 2);
    assert_string_equal(gen->state[0].name, "prime");
    /* 1.5 MW / (3 x 277.128 V) = 1804.220 A, less than the 1900 A beside it */
    assert_int_equal(gen->state[0].current_ma, 1804220);
    assert_int_equal(gen->state[1].apparent_mva, INT64_C(2000000000));
    assert_int_equal(gen->state[1].current_ma, 2405627);
    assert_int_equal(w.site.model.node[0].steady_ma, 1804220);
    assert_int_equal(w.site.note[0].steady_term, STEADY_STATE);
    assert_int_equal(tx->transformer_mva, INT64_C(1000000000));
    assert_int_equal(tx->transformer_ns, 7200 * NS_PER_S);
    assert_int_equal(tx->conductor_ma, 1900000);
    assert_int_equal(tx->conductor_ns, 600 * NS_PER_S);
    assert_int_equal(ups->ups_mw, INT64_C(900000000));
    assert_int_equal(ups->overload_count, 2);
    assert_int_equal(ups->overload[1].load_ppm, 1500000);
    assert_int_equal(ups->overload[1].ns, 10 * NS_PER_S);
    assert_int_equal(ups->conductor_ma, 1800000);
    assert_int_equal(ups->conductor_ns, 0);
    uint32_t bus = written_site_node(&w.site, "bus"), round = written_site_node(&w.site, "round");

    assert_int_equal(w.site.model.node[bus].kind, NODE_BUSWAY);
    assert_int_equal(w.site.model.node[bus].limited, 1);
    assert_int_equal(w.site.model.node[bus].rating_ma, 0);
    assert_int_equal(w.site.model.node[bus].steady_ma, 700000);
    assert_int_equal(w.site.note[bus].steady_term, STEADY_CONDUCTOR);
    assert_int_equal(w.site.model.node[round].kind, NODE_BYPASS);
    assert_int_equal(w.site.model.node[round].limited, 0);
    site_unload(&w.site);
}

static void lists_may_be_as_long_as_they_may_be(void **state)
{
    struct written_site w;

    (void)state;
    load(&w,
         "site: t\nnodes:\n"
         "  - {id: ups, kind: ups, volts: 480V, rating: 2kA, rated: 100%, ups: {active: 900kW, overload: [\n"
         "     {load: 101%, time: 6h}, {load: 110%, time: 1h}, {load: 120%, time: 1h}, {load: 130%, time: "
         "60s},\n"
         "     {load: 140%, time: 10s}, {load: 150%, time: 1s}]}, states: [{id: a, current: 900A},\n"
         "     {id: b, current: 800A}, {id: c, active: 600kW}, {id: d, current: 1kA, apparent: 700kVA}]}\n");
    const struct site_equipment *e = w.site.equipment;

    assert_int_equal(e->overload_count, OVERLOADS_MAX);
    assert_int_equal(e->overload[2].load_ppm, 1200000);
    assert_int_equal(e->overload[2].ns, 3600 * NS_PER_S);
    assert_int_equal(e->overload[5].ns, NS_PER_S);
    assert_int_equal(e->state_count, SOURCE_STATES_MAX);
    assert_int_equal(e->state[2].current_ma, 721688);           /* 600 kW / (3 x 277.128 V) */
    assert_int_equal(e->state[3].current_ma, 841969);           /* of the 1 kA and the 700 kVA beside it */
    assert_string_equal(e->state[3].name, "d");
    assert_int_equal(w.site.model.node[0].steady_ma, 721688);
    site_unload(&w.site);
}

static void low_volts_are_inherited_and_the_worst_feed_counts(void **state)
{
    struct written_site w;

    (void)state;
    load(&w, "site: t\nnodes:\n"
             "  - {id: a, kind: main, volts: 480V, rating: 600A, volts_low: 90%}\n"
             "  - {id: b, kind: main, volts: 480V, rating: 600A}\n"
             "  - {id: tx, kind: transformer, parent: a, volts: 400V, rating: 600A}\n"
             "  - {id: ups, kind: ups, parent: tx, rating: 600A, volts_low: 98%}\n"
             "  - {id: under, kind: rack, parent: ups, rating: 600A}\n"
             "  - {id: both, kind: rack, parents: [b, a], rating: 600A}\n");
    const struct model *m = &w.site.model;
    static const struct {
        const char *name;
        int64_t low_mv;
    } want[] = {
        {"a", 249415},      /* 0.90 x 277128 */
        {"b", 263271},      /* 0.95 x 277128 */
        {"tx", 207846},     /* 0.90 x 230940: a sag comes through */
        {"ups", 226321},    /* 0.98 x 230940 */
        {"under", 226321},
        {"both", 249415},
    };

    for (uint32_t i = 0; i < sizeof want / sizeof want[0]; i++)
        assert_int_equal(m->node[written_site_node(&w.site, want[i].name)].volts_low_mv, want[i].low_mv);
    /* 480 A of the setting at the low volts */
    assert_int_equal(m->node[written_site_node(&w.site, "a")].limit_mva[0][0], 119719200);
    site_unload(&w.site);
}

static void a_node_with_a_curve_is_compiled_for_the_decision(void **state)
{
    struct written_site w;

    (void)state;
    load(&w, "site: t\n" ROW "nodes:\n"
             "  - {id: a, kind: main, volts: 480V, device: acb, long_time: {at: 6, memory: yes}}\n"
             "  - {id: b, kind: main, volts: 480V, device: acb, long_time: {at: 6, memory: yes}}\n"
             "  - {id: c, kind: main, volts: 480V, rating: 600A, conductor: {ampacity: 560A, time_constant: "
             "9min}}\n"
             "  - {id: d, kind: busway, volts: 480V, unlimited: yes, conductor: {ampacity: 560A, "
             "time_constant: 9min}}\n");
    const struct model *m = &w.site.model;
    unsigned roles = 0;

    for (uint32_t i = 0; i < m->node[0].breaker.element_count; i++)
        roles |= 1U << m->node[0].breaker.element[i].role;
    assert_int_equal(roles, 1U << ELEMENT_LONG_TIME | 1U << ELEMENT_SHORT_TIME | 1U << ELEMENT_INSTANTANEOUS |
                                1U << ELEMENT_GROUND);
    assert_int_equal(m->node[0].breaker.element_count, 5);      /* of long-time an image and a timer */
    /* the same settings are the same curves */
    assert_memory_equal(&m->node[0].breaker, &m->node[1].breaker, sizeof m->node[0].breaker);
    assert_in_range(m->curve_count, 3, 3);
    /* a breaker nobody knows the curve of, and a busbar that has none */
    assert_int_equal(m->node[2].breaker.element_count, 0);
    assert_int_equal(m->node[3].breaker.element_count, 1);
    assert_int_equal(m->node[3].breaker.element[0].role, ELEMENT_CONDUCTOR);
    site_unload(&w.site);
}

static void more_curves_than_fit_are_an_error_at_the_node(void **state)
{
    struct written_site w;
    char *text = NULL;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);

    (void)state;
    assert_non_null(out);
    fputs("site: t\nnodes:\n", out);
    for (int i = 0; i < BREAKER_CURVES_MAX + 40; i++)
        fprintf(out, "  - {id: n%d, kind: main, volts: 480V, rating: 600A, long_time: {delay: %dms}}\n", i,
                2000 + 37 * i);
    fclose(out);
    written_site_load(&w, text, "");
    free(text);
    assert_int_equal(w.rc, -EINVAL);
    /* the 1025th, in line 1027 */
    assert_non_null(
        strstr(w.report, ":1027:5: error: node 'n1024' needs one more time-current curve than the 1024"));
    assert_null(strstr(w.report, "n1025"));
}

static void more_devices_than_fit_are_an_error_at_their_list(void **state)
{
    struct written_site w;
    char *text = NULL;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);

    (void)state;
    assert_non_null(out);
    fputs("site: t\ndevices:\n", out);
    for (int i = 0; i <= DEVICES_MAX; i++)
        fprintf(out, "  - {id: d%d, rating: 600A}\n", i);
    fputs("nodes:\n  - {id: a, kind: main, volts: 480V, device: d255}\n", out);
    fclose(out);
    written_site_load(&w, text, "");
    free(text);
    assert_int_equal(w.rc, -EINVAL);
    assert_non_null(strstr(w.report, ":3:3: error: 257 devices, one flyballd governs at most 256"));
    assert_null(strstr(w.report, "d255"));
}

/* Errors of a row are said once, those of a node at the node. */
static void an_error_of_a_row_is_said_once(void **state)
{
    struct written_site w;

    (void)state;
    written_site_load(
        &w,
        "site: t\ndevices:\n  - {id: acb, rating: 800A, long_time: {delay: 8s}, short_time: 700A}\n"
        "nodes:\n"
        "  - {id: a, kind: main, volts: 480V, device: acb}\n"
        "  - {id: b, kind: main, volts: 480V, device: acb}\n"
        "  - {id: c, kind: main, volts: 480V, device: acb, short_time: {pickup: 600A, delay: 0.1s}}\n",
        "");
    assert_int_equal(w.rc, -EINVAL);
    const char *first = strstr(w.report, ":3:"),
               *below = strstr(w.report, "short_time 700A is below rating 800A");

    assert_non_null(first);
    assert_non_null(below);
    assert_null(strstr(below + 1, "short_time 700A is below rating 800A"));
    assert_non_null(strstr(w.report, ":7:72: error: short_time 600A is below rating 800A"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_magnetic_stage_alarms_from_its_own_fast_edge),
        cmocka_unit_test(a_node_that_names_a_row_is_set_like_the_row),
        cmocka_unit_test(what_a_node_says_itself_wins_key_by_key),
        cmocka_unit_test(what_nobody_says_is_as_the_manual_says),
        cmocka_unit_test(a_relay_a_fuse_and_points_are_kept_as_written),
        cmocka_unit_test(equipment_is_filled_in_its_own_units),
        cmocka_unit_test(lists_may_be_as_long_as_they_may_be),
        cmocka_unit_test(low_volts_are_inherited_and_the_worst_feed_counts),
        cmocka_unit_test(a_node_with_a_curve_is_compiled_for_the_decision),
        cmocka_unit_test(more_curves_than_fit_are_an_error_at_the_node),
        cmocka_unit_test(more_devices_than_fit_are_an_error_at_their_list),
        cmocka_unit_test(an_error_of_a_row_is_said_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
