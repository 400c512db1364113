/* SPDX-License-Identifier: Apache-2.0 */
/* Who says what: the words of settings_from, and what of a device nobody says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "written_site.h"

static void load(struct written_site *w, const char *text)
{
    written_site_load(w, text, "");
    if (w->rc)
        print_error("%s", w->report);
    assert_int_equal(w->rc, 0);
}

static void each_different_settings_from_is_kept_once(void **state)
{
    struct written_site w;

    (void)state;
    load(&w, "site: t\nnodes:\n"
             "  - {id: a, kind: main, volts: 480V, rating: 800A,\n"
             "     settings_from: {study: \"S <1> & r2\", as_left: 2026-02-11, by: \"A. Person\"}}\n"
             "  - {id: b, kind: branch, parent: a, rating: 100A,\n"
             "     settings_from: {study: \"S <1> & r2\", as_left: 2026-02-12, by: \"A. Person\"}}\n"
             "  - {id: c, kind: branch, parent: a, rating: 100A,\n"
             "     settings_from: {study: \"S <1> & r2\", as_left: 2026-02-11, by: \"A. Person\"}}\n"
             "  - {id: d, kind: branch, parent: a, rating: 100A}\n");
    assert_int_equal(w.site.settings_count, 2);
    assert_string_equal(w.site.settings[0].study, "S <1> & r2");
    assert_string_equal(w.site.settings[0].as_left, "2026-02-11");
    assert_string_equal(w.site.settings[0].by, "A. Person");
    assert_string_equal(w.site.settings[1].as_left, "2026-02-12");
    for (uint32_t n = 0; n < w.site.model.node_count; n++) {
        const char *name = w.site.model.node[n].name;
        uint32_t expected = *name == 'd' ? INDEX_NONE : *name == 'b';

        assert_int_equal(w.site.note[n].settings, expected);
    }
    site_unload(&w.site);
    assert_null(w.site.settings);
}

static const struct site_device *device(const struct written_site *w, const char *name)
{
    for (uint32_t n = 0; n < w->site.model.node_count; n++)
        if (!strcmp(w->site.model.node[n].name, name))
            return &w->site.device[n];
    fail_msg("no node %s", name);
    return NULL;
}

static void what_the_file_says_is_not_assumed(void **state)
{
    const uint32_t all = ASSUMED_PROFILE | ASSUMED_LONG_TIME | ASSUMED_AT | ASSUMED_MEMORY | ASSUMED_OPENING |
                         ASSUMED_CLEARS | ASSUMED_AMBIENT | ASSUMED_RESET | ASSUMED_TOLERANCE | ASSUMED_RATED;
    struct written_site w;

    (void)state;
    load(&w, "site: t\ndevices:\n"
             "  - {id: row, rating: 800A, rated: 80%, opening: 40ms, long_time: {delay: 8s, memory: no}}\n"
             "nodes:\n"
             "  - {id: bare, kind: main, volts: 480V, rating: 800A}\n"
             "  - {id: rowed, kind: branch, parent: bare, device: row, ambient: 96%}\n"
             "  - {id: whole, kind: branch, parent: bare, rating: 800A, profile: schneider, ambient: 100%,\n"
             "     opening: 50ms, long_time: {pickup: 800A, delay: 8s, at: 6, memory: yes},\n"
             "     instantaneous: {pickup: 8kA, clears: 80ms}}\n"
             "  - {id: relayed, kind: branch, parent: bare, rating: 800A, trip_unit: relay,\n"
             "     relay: {curve: iec_vi, pickup: 600A, time_dial: 1, reset: at_once, pickup_tolerance: 5%,\n"
             "             time_tolerance: 5%}}\n"
             "  - {id: half, kind: branch, parent: bare, rating: 800A, trip_unit: relay,\n"
             "     relay: {curve: iec_vi, pickup: 600A, time_dial: 1, pickup_tolerance: 5%}}\n");
    assert_int_equal(device(&w, "bare")->assumed, all);
    assert_int_equal(device(&w, "rowed")->assumed,
                     all & ~(uint32_t)(ASSUMED_OPENING | ASSUMED_MEMORY | ASSUMED_AMBIENT | ASSUMED_RATED));
    assert_int_equal(device(&w, "whole")->assumed, ASSUMED_RESET | ASSUMED_TOLERANCE | ASSUMED_RATED);
    assert_int_equal(device(&w, "relayed")->assumed, all & ~(uint32_t)(ASSUMED_RESET | ASSUMED_TOLERANCE));
    assert_int_equal(device(&w, "half")->assumed, all);
    site_unload(&w.site);
}

static void so_do_host_types_meters_and_the_policy(void **state)
{
    struct written_site w;

    (void)state;
    load(
        &w,
        "site: t\npolicy: {lease: 1s}\nnodes:\n"
        "  - {id: a, kind: main, volts: 480V, rating: 800A}\n"
        "  - {id: b, kind: branch, parent: a, rating: 800A}\n"
        "host_types:\n"
        "  - {id: z, cap: {min: 1kW, max: 4kW}, base: 700W, phys_max: 5kW, actuation: 100ms, overshoot: 5%,\n"
        "     inrush: 1kW}\n"
        "  - {id: y, cap: {min: 1kW, max: 4kW}, base: 700W, phys_max: 5kW, actuation: 100ms,\n"
        "     efficiency: 94%, power_factor: 0.95}\n"
        "hosts:\n"
        "  - {id: h, type: z, cord: b, address: 10.0.0.1}\n"
        "  - {id: i, type: y, cord: b, address: 10.0.0.2}\n"
        "meters:\n"
        "  - {id: m, node: b, error: 1%, period: 16ms}\n"
        "  - {id: n, node: a, fresh: 100ms}\n");
    for (uint32_t t = 0; t < 2; t++)
        assert_int_equal(w.site.type_assumed[t], *w.site.model.type[t].name == 'z'
                                                     ? ASSUMED_EFFICIENCY | ASSUMED_POWER_FACTOR
                                                     : ASSUMED_OVERSHOOT | ASSUMED_INRUSH);
    for (uint32_t i = 0; i < 2; i++)
        assert_int_equal(w.site.meter_assumed[i],
                         *w.site.model.meter[i].name == 'm' ? ASSUMED_FRESH : ASSUMED_ERROR | ASSUMED_PERIOD);
    assert_int_equal(w.site.policy_assumed, ASSUMED_CLOCKS);
    site_unload(&w.site);
}

static void low_volts_are_assumed_where_no_node_above_says_them(void **state)
{
    struct written_site w;

    (void)state;
    load(&w, "site: t\nnodes:\n"
             "  - {id: a, kind: source, volts: 10kV, rating: 800A}\n"
             "  - {id: b, kind: transformer, parent: a, volts: 400V, rating: 800A, volts_low: 95%}\n"
             "  - {id: c, kind: branch, parent: b, rating: 100A}\n"
             "  - {id: d, kind: branch, parent: a, rating: 100A}\n");
    for (uint32_t n = 0; n < w.site.model.node_count; n++) {
        char name = *w.site.model.node[n].name;

        assert_int_equal(w.site.note[n].volts_low_assumed, name == 'a' || name == 'd');
    }
    site_unload(&w.site);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_different_settings_from_is_kept_once),
        cmocka_unit_test(what_the_file_says_is_not_assumed),
        cmocka_unit_test(so_do_host_types_meters_and_the_policy),
        cmocka_unit_test(low_volts_are_assumed_where_no_node_above_says_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
