/* SPDX-License-Identifier: Apache-2.0 */
/* What a loss takes along, case by case: short sites, names out of order, so that places in the file and
 * in the model differ. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "site/flow/figures.h"
#include "written_site.h"

/* Feeds z and a, each with a rack; everything is written in an order that is not the model's. */
#define FEEDS \
    "site: t\nnodes:\n" \
    "  - {id: rack-z, kind: rack, parent: z, rating: 100A}\n" \
    "  - {id: rack-a, kind: rack, parent: a, rating: 100A}\n" \
    "  - {id: z, kind: main, volts: 400V, rating: 200A}\n" \
    "  - {id: a, kind: main, volts: 400V, rating: 200A}\n"
#define TYPE(name, needed) \
    "  - {id: " name ", cap: {min: 800W, max: 2.8kW}, base: 200W, phys_max: 4kW, actuation: 100ms,\n" \
    "     psus_needed: " needed "}\n"
#define TWO_CORDS(name, address) \
    "  - {id: " name ", type: lean, cords: [rack-z, rack-a], address: " address "}\n"
#define ANY_LOSS "redundancy: {scheme: N+1, may_lose: [a, z]}\n"

enum { NOTHING, LOSS_A, LOSS_Z };

struct hall {
    struct written_site w;
    struct figures f;
};

static void open_hall(struct hall *hall, const char *text)
{
    written_site_load(&hall->w, text, NULL);
    if (hall->w.rc)
        fail_msg("%s", hall->w.report);
    assert_int_equal(figures_open(&hall->f, &hall->w.site), 0);
}

static void close_hall(struct hall *hall)
{
    figures_close(&hall->f);
    site_unload(&hall->w.site);
}

static uint32_t host(const struct hall *hall, const char *name)
{
    return written_site_host(&hall->w.site, name);
}

static uint32_t node(const struct hall *hall, const char *name)
{
    return written_site_node(&hall->w.site, name);
}

static bool says(const struct hall *hall, const char *words)
{
    return strstr(hall->w.site.warnings, words) != NULL;
}

static void needs_and_words_of_honour_stay_with_their_hosts(void **state)
{
    struct hall hall;

    (void)state;
    open_hall(
        &hall,
        FEEDS "host_types:\n" TYPE("lean", "1")
            TYPE("box", "4") "hosts:\n"
                             "  - {id: z1, type: box, cords: [{node: rack-z, psus: 3}, {node: rack-a, psus: "
                             "2}], address: 10.0.0.1}\n"
                             "  - {id: b1, type: lean, cord: rack-a, single_corded: yes, address: 10.0.0.2}\n"
                             "  - {id: c1, type: lean, cords: [rack-a, a], address: 10.0.0.3}\n" ANY_LOSS);
    assert_int_equal(outage_psus_needed(&hall.w.site, host(&hall, "z1")), 4);
    assert_int_equal(outage_psus_needed(&hall.w.site, host(&hall, "b1")), 1);
    assert_int_equal(hall.w.site.redundancy.single_corded[host(&hall, "b1")], 1);
    assert_int_equal(hall.w.site.redundancy.single_corded[host(&hall, "z1")], 0);
    assert_int_equal(hall.f.outage.host[host(&hall, "z1")], 1 << LOSS_A | 1 << LOSS_Z);
    assert_int_equal(hall.f.outage.host[host(&hall, "b1")], 1 << LOSS_A);
    assert_true(says(&hall, "z1 goes dark on loss of a: 3 PSUs left, 4 needed\n"));
    assert_true(says(&hall, "z1 goes dark on loss of z: 2 PSUs left, 4 needed\n"));
    /* alike but for the word of honour: two lines */
    assert_true(says(&hall, "b1 goes dark on loss of a: 0 PSUs left, 1 needed (single_corded)\n"));
    assert_true(says(&hall, "c1 goes dark on loss of a: 0 PSUs left, 1 needed\n"));
    /* in N+1 the dark host says it all */
    assert_false(says(&hall, "every cord"));
    close_hall(&hall);
}

static void a_needless_word_of_honour_is_told(void **state)
{
    struct hall hall;

    (void)state;
    open_hall(&hall, FEEDS
              "host_types:\n" TYPE("lean", "1") "hosts:\n  - {id: h, type: lean, cords: [rack-a, rack-z], "
                                                "single_corded: yes, address: 10.0.0.1}\n" ANY_LOSS);
    assert_true(says(&hall, "host 'h' says single_corded and its cords hang on different systems"));
    close_hall(&hall);
}

static void sources_and_boards_above_a_loss_are_no_common_nodes_and_the_lost_one_is(void **state)
{
    struct hall hall;

    (void)state;
    open_hall(&hall, "site: t\nnodes:\n"
              "  - {id: grid, kind: main, volts: 400V, rating: 900A}\n"
              "  - {id: gen, kind: source, parent: grid, rating: 900A}\n"
              "  - {id: x, kind: branch, parent: gen, rating: 400A}\n"
              "  - {id: y, kind: branch, parent: gen, rating: 400A}\n"
              "  - {id: ups, kind: ups, parent: grid, rating: 400A}\n"
              "  - {id: strip, kind: rack, parent: ups, rating: 400A}\n"
              "host_types:\n" TYPE("lean", "1")
              "hosts:\n"
              "  - {id: two, type: lean, cords: [x, y], address: 10.0.0.1}\n"
              "  - {id: one, type: lean, cords: [strip, ups], address: 10.0.0.2}\n"
              "redundancy: {scheme: N+1, may_lose: [ups]}\n");
    assert_int_equal(outage_common_node(&hall.w.site, host(&hall, "two")), INDEX_NONE);
    assert_int_equal(outage_common_node(&hall.w.site, host(&hall, "one")), node(&hall, "ups"));
    assert_true(says(&hall, "the cords of 'one' all hang on 'ups'"));
    close_hall(&hall);
}

static void ways_lead_over_switches_and_not_over_clocks(void **state)
{
    struct hall hall;

    (void)state;
    open_hall(&hall, FEEDS "host_types:\n" TYPE("lean", "1") "hosts:\n" TWO_CORDS("h", "10.0.0.1")
              TWO_CORDS("g", "10.0.0.2") ANY_LOSS
              "infrastructure:\n"
              "  - {id: leaf, kind: switch, cords: [z, a], hosts: [h], links: [spine, gm]}\n"
              "  - {id: gm, kind: ptp, cords: [z, a], links: [ctl]}\n"
              "  - {id: ctl, kind: controller, cords: [z, a], hosts: [g]}\n"
              "  - {id: spine, kind: switch, cords: [rack-z], links: [ctl]}\n");
    assert_int_equal(hall.f.outage.host_cut[host(&hall, "h")], 1 << LOSS_Z);
    assert_int_equal(hall.f.outage.host_cut[host(&hall, "g")], 0);
    assert_true(
        says(&hall, "1 host (h) loses the way to a controller on loss of z: 1 switch goes dark (spine)"));
    close_hall(&hall);
}

static void where_no_controller_is_written_ways_begin_at_the_top(void **state)
{
    struct hall hall;

    (void)state;
    open_hall(&hall, FEEDS "host_types:\n" TYPE("lean", "1") "hosts:\n" TWO_CORDS("h", "10.0.0.1")
              TWO_CORDS("g", "10.0.0.2") ANY_LOSS
              "infrastructure:\n"
              "  - {id: leaf, kind: switch, cords: [a], hosts: [h], links: [top]}\n"
              "  - {id: top, kind: switch, cords: [z]}\n"
              "  - {id: twin-1, kind: switch, cords: [z], hosts: [g], links: [twin-2]}\n"
              "  - {id: twin-2, kind: switch, cords: [a], hosts: [g], links: [twin-1]}\n");
    assert_int_equal(hall.f.outage.host_cut[host(&hall, "h")], 1 << LOSS_A | 1 << LOSS_Z);
    /* a ring without a top: either will do */
    assert_int_equal(hall.f.outage.host_cut[host(&hall, "g")], 0);
    assert_int_equal(hall.f.outage.no_controller, 0);                  /* none is written: nothing is said */
    assert_false(hall.f.outage.controllers);
    close_hall(&hall);
}

static void rows_all_and_dark_hosts_on_one_switch(void **state)
{
    struct hall hall;

    (void)state;
    open_hall(&hall, FEEDS "host_types:\n" TYPE("lean", "1")
              "hosts:\n"
              "  - {id: y, count: 3, type: lean, cords: [rack-z, rack-a], address: 10.0.0.1}\n"
              "  - {id: c, count: 2, type: lean, cords: [rack-z, rack-a], address: 10.0.0.11}\n"
              "  - {id: lone, type: lean, cord: rack-a, single_corded: yes, address: 10.0.0.21}\n"
              "meters:\n  - {id: m-a, node: rack-z}\n  - {id: m-z, node: rack-a}\n" ANY_LOSS
              "infrastructure:\n"
              "  - {id: all, kind: switch, cords: [a], hosts: all, meters: all}\n"
              "  - {id: some, kind: switch, cords: [z], hosts: [c], meters: [m-z]}\n");
    /* without a only `some` is left: it serves row c and the meter of rack-a; `lone` has no power then */
    assert_int_equal(hall.f.outage.host_cut[host(&hall, "y-01")], 1 << LOSS_A);
    assert_int_equal(hall.f.outage.host_cut[host(&hall, "y-03")], 1 << LOSS_A);
    assert_int_equal(hall.f.outage.host_cut[host(&hall, "c-01")], 0);
    assert_int_equal(hall.f.outage.host_cut[host(&hall, "c-02")], 0);
    assert_int_equal(hall.f.outage.host_cut[host(&hall, "lone")], 0);
    assert_int_equal(hall.f.outage.host[host(&hall, "lone")], 1 << LOSS_A);
    const struct model *m = &hall.w.site.model;

    assert_int_equal(hall.f.outage.meter[m->node[node(&hall, "rack-z")].meter], 1 << LOSS_A);
    assert_int_equal(hall.f.outage.meter[m->node[node(&hall, "rack-a")].meter], 0);
    assert_true(says(&hall, "1 node (rack-z) lives on without a reading on loss of a"));
    close_hall(&hall);
}

static void a_dead_node_lends_nothing_and_an_empty_site_needs_no_controller(void **state)
{
    struct hall hall;

    (void)state;
    open_hall(&hall, FEEDS "host_types:\n" TYPE("lean", "1")
              "hosts:\n  - {id: h, type: lean, cord: rack-a, single_corded: yes, address: 10.0.0.1}\n"
              "meters:\n  - {id: m, node: rack-a}\n"
              "redundancy: {scheme: 2N, may_lose: [a]}\n"
              "infrastructure:\n  - {id: ctl, kind: controller, cords: [a]}\n");
    /* in 2N a last controller that dies is an error only where a host outlives it */
    assert_int_equal(hall.f.outage.no_controller, 1 << LOSS_A);
    assert_int_equal(outage_lend(&hall.w.site, &hall.f.outage, node(&hall, "rack-a"), LOSS_A), LEND_FINE);
    assert_int_equal(outage_lend(&hall.w.site, &hall.f.outage, node(&hall, "rack-a"), NOTHING), LEND_FINE);
    close_hall(&hall);
}

static void a_node_without_a_limit_is_judged_by_what_flows(void **state)
{
    struct hall hall;

    (void)state;
    open_hall(&hall, "site: t\nnodes:\n"
              "  - {id: bar, kind: main, volts: 400V, unlimited: yes, other: {B: 5kVA, C: 3kVA}}\n");
    struct figures_peak peak = figures_peak(&hall.w.site, &hall.f, 0, 0, 0);

    assert_true(peak.any);
    assert_int_equal(peak.phase, 1);
    assert_int_equal(peak.mva, 5000000);
    assert_int_equal(peak.ppm, 0);
    assert_int_equal(figures_times(&hall.w.site, &hall.f, 0), 0);
    close_hall(&hall);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(needs_and_words_of_honour_stay_with_their_hosts),
        cmocka_unit_test(a_needless_word_of_honour_is_told),
        cmocka_unit_test(sources_and_boards_above_a_loss_are_no_common_nodes_and_the_lost_one_is),
        cmocka_unit_test(ways_lead_over_switches_and_not_over_clocks),
        cmocka_unit_test(where_no_controller_is_written_ways_begin_at_the_top),
        cmocka_unit_test(rows_all_and_dark_hosts_on_one_switch),
        cmocka_unit_test(a_dead_node_lends_nothing_and_an_empty_site_needs_no_controller),
        cmocka_unit_test(a_node_without_a_limit_is_judged_by_what_flows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
