/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Figures worked out by hand. The hall: two feeds of 13.8 kV, a transformer to 400 V on each, two racks, a
 * transfer switch between them. The host type draws exactly 1 kVA at fail-safe and 3 kVA at phys_max
 * (efficiency and power factor 1, no overshoot, 200 W of base, caps of 800 W to 2.8 kW), so that every figure
 * below is a sum of kVA.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "site/flow/figures.h"
#include "written_site.h"

#define HALL \
    "site: t\nnodes:\n" \
    "  - {id: grid-a, kind: source, volts: 13.8kV, rating: 100A}\n" \
    "  - {id: grid-b, kind: source, volts: 13.8kV, rating: 100A}\n" \
    "  - {id: tx-a, kind: transformer, parent: grid-a, volts: 400V, rating: 400A, transformer: 100kVA}\n" \
    "  - {id: tx-b, kind: transformer, parent: grid-b, volts: 400V, rating: 400A, rated: 100%,\n" \
    "     conductor: 390A}\n" \
    "  - {id: rack-a, kind: rack, parent: tx-a, rating: 100A, k: 1, other: {A: 2kVA}}\n" \
    "  - {id: rack-b, kind: rack, parent: tx-b, rating: 100A}\n" \
    "  - {id: sts, kind: distribution, parents: [tx-a, tx-b], rating: 50A}\n"
#define TYPES \
    "host_types:\n" \
    "  - {id: box, cap: {min: 800W, max: 2.8kW}, base: 200W, overshoot: 0%, efficiency: 100%,\n" \
    "     phys_max: 3kW, power_factor: 1, actuation: 100ms, psus_needed: 4}\n" \
    "  - {id: lean, cap: {min: 800W, max: 2.8kW}, base: 200W, overshoot: 0%, efficiency: 100%,\n" \
    "     phys_max: 3kW, power_factor: 1, actuation: 100ms}\n"
/* Three layouts of supplies: 3 + 3, 4 + 2 on phase B, and one cord on the transfer switch's phase C. */
#define HOSTS \
    "hosts:\n" \
    "  - {id: even, type: box, phases: A, cords: [{node: rack-a, psus: 3}, {node: rack-b, psus: 3}],\n" \
    "     address: 10.0.0.1}\n" \
    "  - {id: odd, type: box, phases: B, cords: [{node: rack-a, psus: 4}, {node: rack-b, psus: 2}],\n" \
    "     address: 10.0.0.2}\n" \
    "  - {id: store, type: lean, cords: [{node: sts, phases: C}], single_corded: yes, address: 10.0.0.3}\n"
#define LOSSES "redundancy: {scheme: 2N, may_lose: [grid-a, tx-b]}\n"

enum { NOTHING, LOSS_A, LOSS_B };

static void open_hall(struct written_site *w, struct figures *f, const char *text)
{
    written_site_load(w, text, NULL);
    if (w->rc)
        fail_msg("%s", w->report);
    assert_int_equal(figures_open(f, &w->site), 0);
}

static void close_hall(struct written_site *w, struct figures *f)
{
    figures_close(f);
    site_unload(&w->site);
}

static void expect(const struct written_site *w, const struct figures *f, const char *name, uint32_t c,
                   int64_t a, int64_t b, int64_t on_c)
{
    uint32_t node = written_site_node(&w->site, name);

    assert_int_equal(f->node[node].fail_safe_mva[c][0], a);
    assert_int_equal(f->node[node].fail_safe_mva[c][1], b);
    assert_int_equal(f->node[node].fail_safe_mva[c][2], on_c);
}

static void loads_by_phase_follow_the_cords_that_are_left(void **state)
{
    struct written_site w;
    struct figures f;

    (void)state;
    open_hall(&w, &f, HALL TYPES HOSTS LOSSES);
    /* 3 of 6 supplies + 5 % of 1 kVA; 4 of 6 (66.6667 %, up) + 5 %, 2 of 6 (33.3334 %) + 5 % */
    expect(&w, &f, "rack-a", NOTHING, 550000, 716667, 0);
    expect(&w, &f, "rack-b", NOTHING, 550000, 383334, 0);
    /* the transfer switch counts on both of its feeds, whichever it hangs on */
    expect(&w, &f, "sts", NOTHING, 0, 0, 1000000);
    expect(&w, &f, "tx-a", NOTHING, 550000, 716667, 1000000);
    expect(&w, &f, "tx-b", NOTHING, 550000, 383334, 1000000);
    expect(&w, &f, "grid-a", NOTHING, 550000, 716667, 1000000);
    /* the loss of one: everything on the other, also of hosts that have too few supplies left */
    expect(&w, &f, "rack-a", LOSS_A, 0, 0, 0);
    expect(&w, &f, "rack-b", LOSS_A, 1000000, 1000000, 0);
    expect(&w, &f, "tx-b", LOSS_A, 1000000, 1000000, 1000000);
    expect(&w, &f, "rack-a", LOSS_B, 1000000, 1000000, 0);
    expect(&w, &f, "grid-a", LOSS_B, 1000000, 1000000, 1000000);
    close_hall(&w, &f);
}

static void limits_bind_where_they_should_and_say_what_relaxes_them(void **state)
{
    struct written_site w;
    struct figures f;

    (void)state;
    open_hall(&w, &f, HALL TYPES HOSTS LOSSES);
    const struct model *m = &w.site.model;
    uint32_t tx_a = written_site_node(&w.site, "tx-a"), tx_b = written_site_node(&w.site, "tx-b"),
             rack = written_site_node(&w.site, "rack-a");

    /* 100 kVA / (3 x 230.940 V) = 144.338 A; without it 0.8 x 400 A */
    assert_int_equal(m->node[tx_a].steady_ma, 144337);
    assert_int_equal(w.site.note[tx_a].steady_term, 4);
    assert_int_equal(w.site.note[tx_a].next_ma, 320000);
    assert_int_equal(w.site.note[tx_a].next_term, 0);
    /* the cable; without it 0.9975 x 400 A */
    assert_int_equal(m->node[tx_b].steady_ma, 390000);
    assert_int_equal(w.site.note[tx_b].next_ma, 399000);
    assert_int_equal(w.site.note[tx_b].next_term, 1);
    /* 0.8 x 100 A; a device rated 100 % is held by the fast edge */
    assert_int_equal(m->node[rack].steady_ma, 80000);
    assert_int_equal(w.site.note[rack].next_ma, 99750);
    /* 80 A x 0.95 x 230.940 V */
    assert_int_equal(m->node[rack].limit_mva[0][0], 17551440);
    close_hall(&w, &f);
}

static void the_worst_loss_names_its_phase_and_counts_bad_and_other(void **state)
{
    struct written_site w;
    struct figures f;

    (void)state;
    open_hall(&w, &f, HALL TYPES HOSTS LOSSES);
    uint32_t rack_a = written_site_node(&w.site, "rack-a"), rack_b = written_site_node(&w.site, "rack-b");
    struct figures_peak normal = figures_peak(&w.site, &f, rack_a, 0, 0),
                        worst = figures_peak(&w.site, &f, rack_a, 1, 2);

    /* phase A: 550 VA of `even`, 2 kVA of other, and 0.55 x 2 kVA that one disobeying host may add */
    assert_int_equal(normal.phase, 0);
    assert_int_equal(normal.mva, 550000 + 2000000 + 1100000);
    assert_int_equal(worst.contingency, LOSS_B);
    assert_int_equal(worst.phase, 0);
    assert_int_equal(worst.mva, 1000000 + 2000000 + 2000000);
    assert_int_equal(worst.ppm, 284877);            /* 5 of 17.55144 kVA, up */
    /* rack-b dies with tx-b: its worst loss is the other one, phases A and B alike */
    worst = figures_peak(&w.site, &f, rack_b, 1, 2);
    assert_int_equal(worst.contingency, LOSS_A);
    assert_int_equal(worst.mva, 1000000);
    assert_false(figures_peak(&w.site, &f, rack_b, LOSS_B, LOSS_B).any);
    /* rack-a: phase C carries nothing at all */
    assert_int_equal(figures_unbalance_ppm(&f, rack_a), PPM);
    /* phys_max after the loss of tx-b: 3 kVA on phase A of 17.55 */
    assert_int_equal(figures_times(&w.site, &f, rack_a), 170);
    close_hall(&w, &f);
}

static void hosts_go_dark_by_the_supplies_that_are_left(void **state)
{
    struct written_site w;
    struct figures f;

    (void)state;
    open_hall(&w, &f, HALL TYPES HOSTS LOSSES);
    uint32_t even = written_site_host(&w.site, "even"), odd = written_site_host(&w.site, "odd"),
             store = written_site_host(&w.site, "store");

    assert_int_equal(f.outage.host[even], 1 << LOSS_A | 1 << LOSS_B);
    assert_int_equal(outage_psus_left(&w.site, even, LOSS_A), 3);
    assert_int_equal(f.outage.host[odd], 1 << LOSS_A);      /* four are left without tx-b */
    assert_int_equal(outage_psus_left(&w.site, odd, LOSS_A), 2);
    assert_int_equal(f.outage.host[store], 0);              /* the transfer switch has the other feed */
    assert_non_null(
        strstr(w.site.warnings, "warning: even goes dark on loss of grid-a: 3 PSUs left, 4 needed\n"));
    assert_non_null(
        strstr(w.site.warnings, "warning: even goes dark on loss of tx-b: 3 PSUs left, 4 needed\n"));
    assert_non_null(
        strstr(w.site.warnings, "warning: odd goes dark on loss of grid-a: 2 PSUs left, 4 needed\n"));
    assert_null(strstr(w.site.warnings, "store"));
    /* nodes: grid-a takes tx-a and rack-a, not the transfer switch */
    assert_int_equal(f.outage.node[written_site_node(&w.site, "rack-a")], 1 << LOSS_A);
    assert_int_equal(f.outage.node[written_site_node(&w.site, "sts")], 0);
    assert_int_equal(f.outage.node[written_site_node(&w.site, "rack-b")], 1 << LOSS_B);
    assert_int_equal(f.outage.node[written_site_node(&w.site, "grid-b")], 0);
    close_hall(&w, &f);
}

static void a_common_node_counts_only_where_its_loss_takes_every_cord(void **state)
{
    struct written_site w;
    struct figures f;

    (void)state;
    open_hall(&w, &f,
              HALL TYPES HOSTS "  - {id: both, type: lean, cords: [rack-a, sts], address: 10.0.0.4}\n"
                               "  - {id: same, type: lean, cords: [rack-a, rack-a], single_corded: yes, "
                               "address: 10.0.0.5}\n" LOSSES);
    /* tx-a is above both cords of `both`, but the switch lives on from tx-b */
    assert_int_equal(outage_common_node(&w.site, written_site_host(&w.site, "both")), INDEX_NONE);
    assert_int_equal(outage_common_node(&w.site, written_site_host(&w.site, "same")),
                     written_site_node(&w.site, "rack-a"));
    assert_int_equal(outage_common_node(&w.site, written_site_host(&w.site, "even")), INDEX_NONE);
    close_hall(&w, &f);
}

static void a_switchboard_above_what_may_be_lost_is_no_common_node(void **state)
{
    static const char text[] = "site: t\nnodes:\n"
                               "  - {id: grid, kind: source, volts: 400V, rating: 900A}\n"
                               "  - {id: board, kind: main, parent: grid, rating: 900A}\n"
                               "  - {id: ups-a, kind: ups, parent: board, rating: 400A}\n"
                               "  - {id: ups-b, kind: ups, parent: board, rating: 400A}\n"
                               "  - {id: other, kind: branch, parent: board, rating: 400A}\n" TYPES
                               "hosts:\n"
                               "  - {id: two, type: lean, cords: [ups-a, ups-b], address: 10.0.0.1}\n"
                               "  - {id: one, type: lean, cords: [other, other], single_corded: yes,\n"
                               "     address: 10.0.0.2}\n"
                               "redundancy: {scheme: 2N, may_lose: [ups-a, ups-b]}\n";
    struct written_site w;
    struct figures f;

    (void)state;
    open_hall(&w, &f, text);
    assert_int_equal(outage_common_node(&w.site, written_site_host(&w.site, "two")), INDEX_NONE);
    assert_int_equal(outage_common_node(&w.site, written_site_host(&w.site, "one")),
                     written_site_node(&w.site, "other"));
    close_hall(&w, &f);
}

#define NETWORK \
    "meters:\n  - {id: m-a, node: rack-a, cords: [grid-b]}\n  - {id: m-b, node: rack-b}\n" \
    "infrastructure:\n" \
    "  - {id: ctl, kind: controller, cords: [tx-a, tx-b]}\n" \
    "  - {id: spine, kind: switch, cords: [grid-a], links: [ctl], meters: [m-b]}\n" \
    "  - {id: leaf, kind: switch, cords: [rack-b], links: [spine], hosts: [even]}\n" \
    "  - {id: edge, kind: switch, cords: [tx-b], hosts: [odd]}\n" \
    "  - {id: gm, kind: ptp, cords: [tx-b]}\n"

static void a_host_is_cut_off_when_no_powered_way_leads_to_a_controller(void **state)
{
    struct written_site w;
    struct figures f;

    (void)state;
    open_hall(&w, &f, HALL TYPES
              "hosts:\n"
              "  - {id: even, type: lean, cords: [rack-a, rack-b], address: 10.0.0.1}\n"
              "  - {id: odd, type: lean, cords: [rack-a, rack-b], address: 10.0.0.2}\n"
              "  - {id: wild, type: lean, cords: [rack-a, rack-b], address: 10.0.0.3}\n" NETWORK LOSSES);
    uint32_t even = written_site_host(&w.site, "even"), odd = written_site_host(&w.site, "odd"),
             wild = written_site_host(&w.site, "wild"), rack_b = written_site_node(&w.site, "rack-b");

    /* leaf has power without grid-a, the spine above it has not; without tx-b leaf itself is dark */
    assert_int_equal(f.outage.host_cut[even], 1 << LOSS_A | 1 << LOSS_B);
    /* nothing is written of edge's way up: only its own power counts */
    assert_int_equal(f.outage.host_cut[odd], 1 << LOSS_B);
    assert_int_equal(f.outage.host_cut[wild], 0);
    /* m-b hangs on the spine; m-a is powered from grid-b, and its node dies with grid-a anyway */
    assert_int_equal(f.outage.meter[w.site.model.node[rack_b].meter], 1 << LOSS_A);
    assert_int_equal(outage_lend(&w.site, &f.outage, rack_b, LOSS_A), LEND_NO_METER);
    assert_int_equal(outage_lend(&w.site, &f.outage, rack_b, LOSS_B), LEND_FINE);     /* dead itself */
    assert_int_equal(f.outage.no_clock, 1 << LOSS_B);
    assert_int_equal(f.outage.no_controller, 0);
    assert_non_null(strstr(w.site.warnings,
                           "1 host (even) loses the way to a controller on loss of grid-a: 1 switch "
                           "goes dark (spine)"));
    close_hall(&w, &f);
}

static void without_a_controller_nothing_is_lent(void **state)
{
    struct written_site w;
    struct figures f;

    (void)state;
    open_hall(&w, &f, HALL TYPES
              "hosts:\n  - {id: even, type: lean, cords: [rack-a, rack-b], address: 10.0.0.1}\n"
              "meters:\n  - {id: m-a, node: rack-a}\n"
              "infrastructure:\n  - {id: ctl, kind: controller, cords: [rack-b]}\n"
              "redundancy: {scheme: N+1, may_lose: [grid-a, tx-b]}\n");
    uint32_t rack_a = written_site_node(&w.site, "rack-a");

    assert_int_equal(f.outage.no_controller, 1 << LOSS_B);
    assert_int_equal(outage_lend(&w.site, &f.outage, rack_a, LOSS_B), LEND_NO_CONTROLLER);
    assert_int_equal(outage_lend(&w.site, &f.outage, rack_a, LOSS_A), LEND_FINE);     /* dead itself */
    assert_non_null(
        strstr(w.site.warnings,
               "no controller is left on loss of tx-b (ctl) and 1 host lives on at fail-safe caps"));
    close_hall(&w, &f);
}

/* 60 + 60 + 10 %: without the first, 60 and 10 of the 70 left; 1 kVA of draw. Without the last, each has its
 * half and the 5 % of two supplies, less than the 60 it may carry anyway. */
static void what_a_loss_takes_moves_in_the_proportion_of_given_shares(void **state)
{
    static const char three[] =
        "site: t\nnodes:\n  - {id: a, kind: source, volts: 400V, rating: 100A}\n"
        "  - {id: b, kind: source, volts: 400V, rating: 100A}\n"
        "  - {id: c, kind: source, volts: 400V, rating: 100A}\n" TYPES
        "hosts:\n  - {id: one, type: lean, phases: A, address: 10.0.0.1,\n"
        "     cords: [{node: a, share: 60%}, {node: b, share: 60%}, {node: c, share: 10%}]}\n"
        "redundancy: {scheme: N+1, may_lose: [a, c]}\n";
    enum { LOSS_OF_A = 1, LOSS_OF_C };
    struct written_site w;
    struct figures f;

    (void)state;
    open_hall(&w, &f, three);
    expect(&w, &f, "b", NOTHING, 600000, 0, 0);
    expect(&w, &f, "b", LOSS_OF_A, 857143, 0, 0);
    expect(&w, &f, "c", LOSS_OF_A, 550000, 0, 0);
    expect(&w, &f, "a", LOSS_OF_C, 600000, 0, 0);
    close_hall(&w, &f);
}

/* 10 kVA at start each, half on either feed and 5 %; all of it on the one that is left. 0.85 of 7 A less 10 %
 * is 5.354 A, 1.17 kVA on one phase at 219.4 V: enough for 2 hosts at 0.55 kVA, not for 2 at 1 kVA. */
static void hosts_that_start_together_do_so_after_a_loss_too(void **state)
{
    static const char two[] =
        "site: t\nnodes:\n"
        "  - {id: a, kind: source, volts: 400V, rating: 7A, k: 2, instantaneous: 7A}\n"
        "  - {id: b, kind: source, volts: 400V, rating: 900A}\n"
        "host_types:\n"
        "  - {id: tiny, cap: {min: 80W, max: 280W}, base: 20W, overshoot: 0%, efficiency: 100%, inrush: "
        "700W,\n"
        "     phys_max: 300W, power_factor: 1, actuation: 100ms}\n"
        "hosts:\n  - {id: h, count: 2, type: tiny, phases: A, cords: [a, b], address: 10.0.0.1}\n";
    char text[1024];
    struct written_site w;
    struct figures f;

    (void)state;
    open_hall(&w, &f, two);
    close_hall(&w, &f);
    snprintf(text, sizeof text, "%sredundancy: {scheme: N+1, may_lose: [b]}\n", two);
    written_site_load(&w, text, NULL);
    assert_int_equal(w.rc, -EINVAL);
    assert_non_null(
        strstr(w.report, "node 'a' phase A after the loss of b: 2 hosts that start together may draw 2.00 "
                         "kVA, 0.85 of the fast edge of its fastest stage is 1.17 kVA: lower inrush or k\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loads_by_phase_follow_the_cords_that_are_left),
        cmocka_unit_test(what_a_loss_takes_moves_in_the_proportion_of_given_shares),
        cmocka_unit_test(hosts_that_start_together_do_so_after_a_loss_too),
        cmocka_unit_test(limits_bind_where_they_should_and_say_what_relaxes_them),
        cmocka_unit_test(the_worst_loss_names_its_phase_and_counts_bad_and_other),
        cmocka_unit_test(hosts_go_dark_by_the_supplies_that_are_left),
        cmocka_unit_test(a_common_node_counts_only_where_its_loss_takes_every_cord),
        cmocka_unit_test(a_switchboard_above_what_may_be_lost_is_no_common_node),
        cmocka_unit_test(a_host_is_cut_off_when_no_powered_way_leads_to_a_controller),
        cmocka_unit_test(without_a_controller_nothing_is_lent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
