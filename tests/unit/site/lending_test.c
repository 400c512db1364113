/* SPDX-License-Identifier: Apache-2.0 */
/* From keys to the model: who may lend and how much, sags, gangs, contracts. Figures are worked out by
 * hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "written_site.h"

#define FROM "settings_from: {study: s, as_left: 2026-01-02, by: p}"
#define CURVE "long_time: {pickup: 800A, delay: 8s}, short_time: {pickup: 4kA, delay: 100ms}"

/* Two feeds of 800 A; `rack` hangs its hosts on both. Every %s adds keys. */
static const char site_text[] =
    "site: t\n"
    "policy: {oversubscribe: %s}\n"
    "nodes:\n"
    "  - {id: feed-a, kind: main, volts: 400V, rating: 800A, " CURVE ", " FROM "%s}\n"
    "  - {id: feed-b, kind: main, volts: 400V, rating: 800A, " CURVE ", " FROM "}\n"
    "  - {id: bare, kind: branch, parent: feed-b, rating: 100A}\n"
    "host_types:\n"
    "  - {id: box, cap: {min: 1kW, max: 8kW}, base: 1kW, phys_max: 10kW, actuation: 100ms}\n"
    "hosts:\n"
    "  - {id: h, count: 4, type: box, cords: [feed-a, feed-b], address: 10.0.0.1%s}\n"
    "  - {id: g, count: 2, type: box, cords: [feed-a, feed-b], address: 10.0.1.1%s}\n"
    "meters:\n"
    "  - {id: m-a, node: feed-a, period: %s, cords: [feed-a]}\n"
    "  - {id: m-b, node: feed-b, cords: [feed-b]}\n"
    "%s";

struct keys { const char *all, *node, *host, *other_host, *period, *rest; };

static const char redundancy_lend[] = "redundancy: {scheme: 2N, may_lose: [feed-a, feed-b], reserve: lend}\n";

static void load(struct written_site *w, const struct keys *keys)
{
    char text[4096];

    snprintf(text, sizeof text, site_text, keys->all ? keys->all : "no", keys->node ? keys->node : "",
             keys->host ? keys->host : "", keys->other_host ? keys->other_host : "",
             keys->period ? keys->period : "16ms", keys->rest ? keys->rest : "");
    written_site_load(w, text, NULL);
}

static void open_site(struct written_site *w, const struct keys *keys)
{
    load(w, keys);
    if (w->rc)
        fail_msg("%s", w->report);
}

static const struct model_node *node(const struct written_site *w, const char *name)
{
    return &w->site.model.node[written_site_node(&w->site, name)];
}

static uint32_t contingency(const struct written_site *w, const char *name)
{
    for (uint32_t c = 0; c < w->site.model.contingency_count; c++)
        if (!strcmp(w->site.model.contingency[c].name, name))
            return c;
    fail_msg("no contingency %s", name);
    return 0;
}

static void a_site_that_does_not_ask_lends_nothing(void **state)
{
    struct written_site w;

    (void)state;
    open_site(&w, &(struct keys){.rest = redundancy_lend});
    for (uint32_t n = 0; n < w.site.model.node_count; n++) {
        assert_int_equal(w.site.model.node[n].lend, 0);
        assert_int_equal(w.site.model.node[n].level_mva, 0);
    }
    site_unload(&w.site);
}

static void asked_for_once_it_holds_where_it_can(void **state)
{
    struct written_site w;

    (void)state;
    open_site(&w, &(struct keys){.all = "yes"});
    assert_int_equal(node(&w, "feed-a")->lend, 1);
    assert_int_equal(node(&w, "feed-b")->lend, 1);
    assert_int_equal(node(&w, "bare")->lend, 0);
    assert_non_null(strstr(w.site.warnings, "oversubscribe does not hold at 1 node (bare), for there is no "
                                            "curve"));
    assert_non_null(strstr(w.site.warnings, "(bare), for there is no settings_from"));
    assert_non_null(strstr(w.site.warnings, "(bare), for there is no meter"));
    site_unload(&w.site);
}

/* "lend is refused where c also removes n's only meter or both controllers": what nobody wrote down cannot be
 * refused, so it is told. */
static void a_reserve_is_lent_with_a_word_where_nobody_can_tell_what_the_loss_leaves(void **state)
{
    static const char controllers[] =
        "redundancy: {scheme: 2N, may_lose: [feed-a, feed-b], reserve: lend}\n"
        "infrastructure:\n"
        "  - {id: c-a, kind: controller, cords: [feed-a]}\n"
        "  - {id: c-b, kind: controller, cords: [feed-b]}\n";
    static const char no_controller[] =
        "the reserve for feed-a is lent although no controller is written down";
    static const char no_cords[] = "the reserve for feed-a is lent at 1 node whose meter has no cords";
    struct written_site w;
    char text[4096];

    (void)state;
    open_site(&w, &(struct keys){.all = "yes", .rest = redundancy_lend});
    assert_non_null(strstr(w.site.warnings, no_controller));
    assert_null(strstr(w.site.warnings, no_cords));
    site_unload(&w.site);
    snprintf(text, sizeof text, site_text, "yes", "", "", "", "16ms", controllers);
    written_site_load(&w, text, NULL);
    assert_int_equal(w.rc, 0);
    assert_true(node(&w, "feed-b")->lend >> contingency(&w, "feed-a") & 1);
    assert_null(strstr(w.site.warnings, "the reserve for"));
    site_unload(&w.site);
    char *cords = strstr(text, ", cords: [feed-b]}\nredundancy");
    assert_non_null(cords);
    memset(cords, ' ', strlen(", cords: [feed-b]"));
    written_site_load(&w, text, NULL);
    assert_int_equal(w.rc, 0);
    assert_non_null(strstr(w.site.warnings, no_cords));
    assert_null(strstr(w.site.warnings, no_controller));
    site_unload(&w.site);
}

static void a_node_that_says_no_is_left_out(void **state)
{
    struct written_site w;

    (void)state;
    open_site(&w, &(struct keys){.all = "yes", .node = ", oversubscribe: no"});
    assert_int_equal(node(&w, "feed-a")->lend, 0);
    assert_int_equal(node(&w, "feed-b")->lend, 1);
    site_unload(&w.site);
}

static void a_slow_meter_is_refused_where_it_was_asked_for(void **state)
{
    struct written_site w;

    (void)state;
    open_site(&w, &(struct keys){.node = ", oversubscribe: yes", .period = "20ms"});
    assert_int_equal(node(&w, "feed-a")->lend, 1);
    assert_int_equal(node(&w, "feed-b")->lend, 0);
    site_unload(&w.site);
    load(&w, &(struct keys){.node = ", oversubscribe: yes", .period = "21ms"});
    assert_int_equal(w.rc, -22);
    assert_non_null(strstr(w.report, "node 'feed-a' cannot be oversubscribed, for there is meter slower"));
}

/* The meter of each feed hangs on it: with feed-a lost, feed-b keeps its own. */
static void a_reserve_is_lent_by_who_outlives_the_loss(void **state)
{
    struct written_site w;

    (void)state;
    open_site(&w, &(struct keys){.all = "yes", .rest = redundancy_lend});
    uint32_t a = contingency(&w, "feed-a"), b = contingency(&w, "feed-b");

    assert_int_equal(node(&w, "feed-a")->lend, 1 | 1 << b);
    assert_int_equal(node(&w, "feed-b")->lend, 1 | 1 << a);
    assert_int_equal(w.site.model.contingency[a].kind, CONTINGENCY_LOSS);
    assert_int_equal(w.site.model.contingency[a].lasting, 1);
    assert_int_equal(w.site.model.contingency[a].lost_node, written_site_node(&w.site, "feed-a"));
    assert_int_equal(w.site.model.contingency[a].witness, node(&w, "feed-a")->meter);
    site_unload(&w.site);
}

static void each_loss_may_say_what_becomes_of_its_reserve(void **state)
{
    struct written_site w;

    (void)state;
    open_site(&w, &(struct keys){.all = "yes",
                                 .rest = "redundancy: {scheme: 2N, reserve: lend,\n"
                                         "  may_lose: [feed-a, {node: feed-b, reserve: keep}]}\n"});
    assert_int_equal(node(&w, "feed-a")->lend, 1);
    assert_int_equal(node(&w, "feed-b")->lend, 1 | 1 << contingency(&w, "feed-a"));
    site_unload(&w.site);
}

static void no_reserve_is_lent_that_no_meter_would_be_left_to_watch(void **state)
{
    struct written_site w;

    (void)state;
    open_site(&w, &(struct keys){.all = "yes",
                                 .rest = "  - {id: m-x, node: bare}\n"
                                         "redundancy: {scheme: 2N, may_lose: [feed-b], reserve: lend}\n"
                                         "infrastructure:\n"
                                         "  - {id: c1, kind: controller, cords: [feed-a]}\n"
                                         "  - {id: s1, kind: switch, cords: [feed-b], meters: [m-a],\n"
                                         "     links: [c1]}\n"});
    assert_int_equal(node(&w, "feed-a")->lend, 1);      /* s1 dies with feed-b, m-a is not heard any more */
    site_unload(&w.site);
}

/* Nothing dark after the loss of `third` has a meter: nobody would see it come. */
static void no_reserve_is_lent_against_a_loss_that_no_meter_shows(void **state)
{
    static const char text[] =
        "site: t\npolicy: {oversubscribe: yes}\nnodes:\n"
        "  - {id: feed-a, kind: main, volts: 400V, rating: 800A, " CURVE ", " FROM "}\n"
        "  - {id: third, kind: main, volts: 400V, rating: 800A}\n"
        "host_types:\n"
        "  - {id: box, cap: {min: 1kW, max: 8kW}, base: 1kW, phys_max: 10kW, actuation: 100ms}\n"
        "hosts:\n"
        "  - {id: h, type: box, cords: [feed-a, third], address: 10.0.0.1}\n"
        "meters:\n"
        "  - {id: m-a, node: feed-a, cords: [feed-a]}\n%s"
        "redundancy: {scheme: 2N, may_lose: [feed-a, third], reserve: lend}\n";
    static const char meter[] = "  - {id: m-3, node: third}\n";
    struct written_site w;
    char written[2048];

    (void)state;
    for (int seen = 0; seen < 2; seen++) {
        snprintf(written, sizeof written, text, seen ? meter : "");
        written_site_load(&w, written, NULL);
        if (w.rc)
            fail_msg("%s", w.report);
        assert_int_equal(node(&w, "feed-a")->lend >> contingency(&w, "third") & 1, seen);
        site_unload(&w.site);
    }
}

static void a_witness_must_go_dark_with_what_it_watches(void **state)
{
    struct written_site w;
    struct keys keys = {.all = "yes",
                        .rest = "  - {id: m-x, node: bare}\n"
                                "redundancy: {scheme: 2N, reserve: lend,\n"
                                "  may_lose: [{node: feed-b, witness: m-x}]}\n"};

    (void)state;
    open_site(&w, &keys);
    assert_int_equal(w.site.model.contingency[1].witness, node(&w, "bare")->meter);
    site_unload(&w.site);
    keys.rest = "redundancy: {scheme: 2N, may_lose: [{node: feed-b, witness: m-a}]}\n";
    load(&w, &keys);
    assert_int_equal(w.rc, -22);
    assert_non_null(strstr(w.report, "meter 'm-a' does not see the loss of feed-b"));
}

/* 400 V: 230.940 V to neutral, 219.393 V at 95 %; 640 A of 800 A for long: 140.411 kVA on a phase. */
static void a_pool_is_the_steady_limit_and_a_burst_above_it(void **state)
{
    struct written_site w;

    (void)state;
    open_site(&w, &(struct keys){.node = ", oversubscribe: yes"});
    const struct model_node *n = node(&w, "feed-a");

    assert_int_equal(n->level_mva, n->limit_mva[0][0]);
    assert_in_range(n->level_mva, 140411000, 140412000);
    assert_in_range(n->level_burst_mva, 149187000, 149188000);          /* 680 A */
    /* 40 A x 219.393 V for 600 s, in VA x ns */
    assert_in_range(n->burst_credit_va_ns_max / 1000000000, 5265430, 5265433);
    site_unload(&w.site);
    open_site(&w, &(struct keys){.node = ", oversubscribe: yes, burst: {level: 150%, credit: 1min}"});
    n = node(&w, "feed-a");
    /* 5 % below the fast edge of long-time, whose image begins to trip between 800 and 840 A */
    assert_in_range(n->level_burst_mva, 166738000, 175076000);
    assert_in_range(n->burst_credit_va_ns_max / 1000000000, 526542, 526543);
    site_unload(&w.site);
}

static void a_sag_scales_limits_and_is_not_lasting(void **state)
{
    struct written_site w;

    (void)state;
    open_site(&w, &(struct keys){.all = "yes", .rest = "sag: 76%\n"});
    uint32_t c = contingency(&w, "sag");
    const struct model_node *n = node(&w, "feed-a");

    assert_int_equal(w.site.model.contingency[c].kind, CONTINGENCY_SAG);
    assert_int_equal(w.site.model.contingency[c].lasting, 0);
    assert_int_equal(w.site.model.contingency[c].lost_node, INDEX_NONE);
    assert_in_range(n->limit_mva[c][1], n->limit_mva[0][1] * 8 / 10 - 1000, n->limit_mva[0][1] * 8 / 10 + 1);
    assert_int_equal(n->lend, 1 | 1 << c);
    for (uint32_t j = 0; j < 2; j++)
        assert_int_equal(w.site.model.host[0].cord[j].share_ppm[c],
                         w.site.model.host[0].cord[j].share_ppm[0]);
    site_unload(&w.site);
    /* no sag at all: the lowest credible volts are lower */
    open_site(&w, &(struct keys){.rest = "sag: {volts: 97%}\n"});
    assert_int_equal(node(&w, "feed-a")->limit_mva[1][0], node(&w, "feed-a")->limit_mva[0][0]);
    site_unload(&w.site);
}

static void a_ups_holds_its_output_up_and_a_bypass_does_not(void **state)
{
    static const char text[] =
        "site: t\nsag: 76%\nnodes:\n"
        "  - {id: in, kind: main, volts: 400V, rating: 100A}\n"
        "  - {id: by, kind: bypass, parent: in, rating: 100A}\n"
        "  - {id: up, kind: ups, parent: in, rating: 100A}\n"
        "  - {id: held, kind: branch, parent: up, rating: 50A}\n"
        "  - {id: either, kind: branch, parents: [up, by], rating: 50A}\n";
    struct written_site w;

    (void)state;
    written_site_load(&w, text, NULL);
    if (w.rc)
        fail_msg("%s", w.report);
    assert_true(node(&w, "in")->limit_mva[1][0] < node(&w, "in")->limit_mva[0][0]);
    assert_int_equal(node(&w, "up")->limit_mva[1][0], node(&w, "up")->limit_mva[0][0]);
    assert_int_equal(node(&w, "held")->limit_mva[1][0], node(&w, "held")->limit_mva[0][0]);
    assert_true(node(&w, "either")->limit_mva[1][0] < node(&w, "either")->limit_mva[0][0]);
    site_unload(&w.site);
}

/* Which state of a UPS is on is not known: where one of them is its bypass, a sag comes through. */
static void a_ups_that_may_be_on_its_bypass_holds_nothing_up(void **state)
{
    static const char text[] =
        "site: t\nsag: 76%%\nnodes:\n"
        "  - {id: in, kind: main, volts: 400V, rating: 100A}\n"
        "  - {id: up, kind: ups, parent: in, rating: 100A%s, states: [{id: inverter, current: 90A}, %s]}\n"
        "  - {id: below, kind: branch, parent: up, rating: 50A}\n"
        "  - {id: alone, kind: ups, volts: 400V, rating: 100A, states: [{id: inverter, current: 90A}, %s]}\n";
    static const char bypass[] = "{id: static-bypass, current: 100A}",
                      battery[] = "{id: battery, current: 80A}";
    static const char *const names[] = {"up", "below", "alone"};
    struct written_site w;
    char written[1024];

    (void)state;
    for (int i = 0; i < 2; i++) {
        snprintf(written, sizeof written, text, "", i ? bypass : battery, i ? bypass : battery);
        written_site_load(&w, written, NULL);
        if (w.rc)
            fail_msg("%s", w.report);
        for (int n = 0; n < 3; n++) {
            const int64_t *none_mva = node(&w, names[n])->limit_mva[0],
                          *sag_mva = node(&w, names[n])->limit_mva[1];

            assert_int_equal(sag_mva[0] < none_mva[0], i);
            assert_true(!i || sag_mva[0] * 95 <= none_mva[0] * 76 + 95);
        }
        site_unload(&w.site);
    }
    snprintf(written, sizeof written, text, ", volts_low: 98%", battery, battery);
    written_site_load(&w, written, NULL);
    assert_int_equal(w.rc, 0);
    site_unload(&w.site);
    snprintf(written, sizeof written, text, ", volts_low: 98%", bypass, bypass);
    written_site_load(&w, written, NULL);
    assert_int_not_equal(w.rc, 0);
    assert_non_null(strstr(
        w.report,
        "'up' may be on its bypass, and then the volts of 'up' are no higher than those of 'in'"));
    site_unload(&w.site);
}

/* Whatever people call it, and wherever below it volts are promised. */
static void only_an_inverter_holds_volts_up(void **state)
{
    static const char text[] =
        "site: t\nsag: 76%%\nnodes:\n"
        "  - {id: in, kind: main, volts: 400V, rating: 100A}\n"
        "  - {id: up, kind: ups, parent: in, rating: 100A, states: [{id: ups, current: 90A}, "
        "{id: %s, current: 90A}]}\n"
        "  - {id: tx, kind: %s, parent: up, volts: 400V, rating: 100A}\n"
        "  - {id: below, kind: branch, parent: tx, rating: 50A, volts_low: 98%%}\n";
    static const struct {
        const char *id, *kind;
        bool refused;
    } cases[] = {{"Bypass", "branch", true}, {"eco", "branch", true}, {"maintenance", "branch", true},
                 {"battery", "branch", false}, {"inverter", "branch", false}, {"eco", "transformer", false}};
    struct written_site w;
    char written[1024];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        snprintf(written, sizeof written, text, cases[i].id, cases[i].kind);
        written_site_load(&w, written, NULL);
        if (!w.rc == cases[i].refused)
            fail_msg("%s below %s: %s", cases[i].kind, cases[i].id, w.report);
        if (cases[i].refused)
            assert_non_null(strstr(w.report, "the volts of 'below' are no higher than those of 'tx'"));
        site_unload(&w.site);
    }
}

static void a_catcher_carries_a_block_once_that_is_lost(void **state)
{
    static const char text[] =
        "site: t\nnodes:\n"
        "  - {id: a, kind: ups, volts: 400V, rating: 100A}\n"
        "  - {id: b, kind: ups, volts: 400V, rating: 100A}\n"
        "  - {id: r, kind: ups, volts: 400V, rating: 100A}\n"
        "  - {id: sts-a, kind: branch, parents: [a, r], rating: 100A, other: 3kVA}\n"
        "  - {id: sts-b, kind: branch, parents: [b, r], rating: 100A}\n"
        "host_types:\n"
        "  - {id: box, cap: {min: 1kW, max: 8kW}, base: 1kW, phys_max: 10kW, actuation: 100ms}\n"
        "hosts:\n"
        "  - {id: one, type: box, cord: sts-a, address: 10.0.0.1}\n"
        "  - {id: two, type: box, cords: [sts-a, sts-b], address: 10.0.0.2}\n"
        "redundancy: {scheme: catcher, catcher: r, may_lose: [a, b, r]}\n";
    struct written_site w;

    (void)state;
    written_site_load(&w, text, NULL);
    if (w.rc)
        fail_msg("%s", w.report);
    const struct model_host *one = &w.site.model.host[written_site_host(&w.site, "one")],
                            *two = &w.site.model.host[written_site_host(&w.site, "two")];
    uint32_t a = contingency(&w, "a"), b = contingency(&w, "b"), r = contingency(&w, "r");

    assert_int_equal(node(&w, "sts-a")->ancestor_count, 2);
    assert_int_equal(one->cord_count, 2);
    assert_int_equal(one->cord[1].node, written_site_node(&w.site, "r"));
    assert_int_equal(one->cord[1].psus, 0);
    assert_int_equal(one->cord[1].share_ppm[0], 0);
    assert_int_equal(one->cord[1].share_ppm[a], 1000000);
    assert_int_equal(one->cord[1].share_ppm[b], 0);
    assert_int_equal(one->cord[1].share_ppm[r], 0);
    assert_int_equal(one->cord[0].share_ppm[a], 1000000);       /* the switch still feeds it */
    assert_int_equal(two->cord_count, 4);
    assert_int_equal(two->cord[2].share_ppm[a], two->cord[0].share_ppm[a]);
    assert_int_equal(two->cord[3].share_ppm[b], two->cord[1].share_ppm[b]);
    assert_int_equal(two->cord[3].share_ppm[a], 0);
    assert_int_equal(node(&w, "a")->other_mva[0], 1000000);
    assert_int_equal(node(&w, "r")->other_mva[0], 1000000);
    assert_int_equal(node(&w, "b")->other_mva[0], 0);
    site_unload(&w.site);
}

static void any_cord_of_hot_spares_may_carry_all(void **state)
{
    static const char text[] = "site: t\nnodes:\n"
                               "  - {id: a, kind: main, volts: 400V, rating: 100A}\n"
                               "  - {id: b, kind: main, volts: 400V, rating: 100A}\n"
                               "host_types:\n"
                               "  - {id: box, cap: {min: 1kW, max: 8kW}, base: 1kW, phys_max: 10kW, "
                               "actuation: 100ms, psu: hot_spare}\n"
                               "hosts:\n"
                               "  - {id: h, type: box, cords: [a, b], address: 10.0.0.1}\n"
                               "redundancy: {scheme: 2N, may_lose: [a, b]}\n";
    struct written_site w;

    (void)state;
    written_site_load(&w, text, NULL);
    if (w.rc)
        fail_msg("%s", w.report);
    for (uint32_t c = 0; c < 3; c++)
        for (uint32_t j = 0; j < 2; j++)
            assert_int_equal(w.site.model.host[0].cord[j].share_ppm[c], c == j + 1 ? 0 : 1000000);
    site_unload(&w.site);
}

/* What the device lets through must not harm what hangs on it. */
static void equipment_without_a_curve_of_its_own_keeps_its_limit(void **state)
{
    static const struct { const char *keys; bool lends;
    } told[] = {
        {", kind: main, conductor: 700A", false},
        {", kind: main, conductor: 800A", true},
        {", kind: main, conductor: {ampacity: 700A, time_constant: 10min}", true},
        {", kind: transformer, transformer: 500kVA", false},
        {", kind: transformer, transformer: {apparent: 500kVA, time_constant: 1h}", true},
        {", kind: ups, ups: {active: 450kW}", false},
        {", kind: ups, ups: {active: 450kW, overload: [{load: 125%, time: 1min}]}", true},
        {", kind: ups, ups: {active: 450kW, overload: [{load: 125%, time: 1min}]}, states: [{id: s, current: "
         "700A}]",
         true},
        {", kind: source, states: [{id: s, current: 700A}]", false},
        {", kind: generator", false},
    };

    (void)state;
    for (uint32_t i = 0; i < sizeof told / sizeof told[0]; i++) {
        char text[1024];
        struct written_site w;

        snprintf(text, sizeof text,
                 "site: t\npolicy: {oversubscribe: yes}\nnodes:\n"
                 "  - {id: n, volts: 400V, rating: 800A, " CURVE ", " FROM "%s}\n"
                 "meters:\n  - {id: m, node: n}\n",
                 told[i].keys);
        written_site_load(&w, text, NULL);
        if (w.rc)
            fail_msg("%s\n%s", w.report, text);
        if (node(&w, "n")->lend != told[i].lends)
            fail_msg("%s: lends %u", told[i].keys, node(&w, "n")->lend);
        site_unload(&w.site);
    }
}

static void of_the_steps_below_the_largest_counts(void **state)
{
    static const char text[] =
        "site: t\nnodes:\n"
        "  - {id: top, kind: main, volts: 400V, rating: 100A, other: 3kVA}\n"
        "  - {id: x, kind: branch, parent: top, rating: 50A, other_step: {A: 2kVA}}\n"
        "  - {id: y, kind: branch, parent: top, rating: 50A, other: 6kVA, other_step: {A: 5kVA, B: 1kVA}}\n";
    struct written_site w;

    (void)state;
    written_site_load(&w, text, NULL);
    if (w.rc)
        fail_msg("%s", w.report);
    assert_int_equal(node(&w, "x")->other_mva[0], 2000000);
    assert_int_equal(node(&w, "y")->other_mva[0], 7000000);
    assert_int_equal(node(&w, "top")->other_mva[0], 3000000 + 5000000);
    assert_int_equal(node(&w, "top")->other_mva[1], 3000000 + 1000000);
    assert_int_equal(node(&w, "top")->other_mva[2], 3000000);
    site_unload(&w.site);
}

static void hosts_of_one_job_are_one_gang(void **state)
{
    struct written_site w;

    (void)state;
    open_site(&w, &(struct keys){.host = ", job: train, tier: 2"});
    const struct model *m = &w.site.model;
    const struct model_host *h = &m->host[written_site_host(&w.site, "h-03")],
                            *g = &m->host[written_site_host(&w.site, "g-01")];

    assert_int_equal(m->gang_count, 1);
    assert_string_equal(w.site.job[0].name, "train");
    assert_int_equal(h->gang, 0);
    assert_int_equal(h->tier, 2);
    assert_true(g->gang >= m->gang_count);
    assert_int_equal(g->tier, 0);
    site_unload(&w.site);
    open_site(&w, &(struct keys){.host = ", job: train", .other_host = ", job: train"});
    assert_int_equal(w.site.model.gang_count, 1);
    assert_int_equal(w.site.model.host[written_site_host(&w.site, "g-02")].gang, 0);
    site_unload(&w.site);
}

static void more_jobs_than_fit_are_refused(void **state)
{
    enum { ROW_BYTES = 96, MANY = GANGS_MAX + 1 };
    char *text = malloc(MANY * ROW_BYTES + 1024);
    struct written_site w;

    (void)state;
    assert_non_null(text);
    for (uint32_t rows = GANGS_MAX; rows <= MANY; rows++) {
        size_t used = (size_t)sprintf(
            text, "site: t\nnodes:\n  - {id: n, kind: main, volts: 400V, rating: 20kA}\nhost_types:\n"
                  "  - {id: box, cap: {min: 1kW, max: 2kW}, base: 1kW, phys_max: 4kW, actuation: 100ms}\n"
                  "hosts:\n");

        for (uint32_t i = 0; i < rows; i++)
            used += (size_t)sprintf(text + used,
                                    "  - {id: h%u, type: box, cord: n, address: 10.0.%u.%u, job: j%u}\n", i,
                                    i / 200, i % 200 + 1, i);
        written_site_load(&w, text, NULL);
        assert_int_equal(w.rc, rows == MANY ? -22 : 0);
        if (rows == MANY)
            assert_non_null(strstr(w.report, "is one more than the 1024 that fit"));
        else
            assert_int_equal(w.site.model.gang_count, GANGS_MAX);
        site_unload(&w.site);
    }
    free(text);
}

static void what_calms_it_has_defaults(void **state)
{
    struct written_site w;
    const struct model_policy *p = &w.site.model.policy;

    (void)state;
    open_site(&w, &(struct keys){.node = ", ramp: {up: 2MW/s}"});
    assert_int_equal(p->hold_least_ns, NS_PER_S);
    assert_int_equal(p->hold_most_ns, 60 * NS_PER_S);
    assert_int_equal(p->damper_window_ns, NS_PER_S);
    assert_int_equal(p->damper_changes, 3);
    assert_int_equal(p->headroom_ppm, 0);
    assert_int_equal(p->feed_stable_ns, 60 * NS_PER_S);
    assert_int_equal(node(&w, "feed-a")->ramp_up_mw_per_s, 2000000000);
    assert_int_equal(node(&w, "feed-a")->ramp_down_mw_per_s, 0);
    site_unload(&w.site);
}

static void a_contract_is_in_force_from_hour_to_hour(void **state)
{
    struct written_site w;

    (void)state;
    open_site(&w, &(struct keys){
                      .rest = "contracts:\n"
                              "  - {id: dusk, node: feed-b, cap: 40kW, from: \"16:00\", to: \"24:00\",\n"
                              "     days: [mon, sun]}\n"
                              "  - {id: calm, node: feed-a, ramp: {down: 5kW/s}}\n"});
    const struct site_contract *dusk = &w.site.contract[0], *calm = &w.site.contract[1];

    assert_int_equal(w.site.contract_count, 2);
    assert_string_equal(dusk->name, "dusk");
    assert_int_equal(dusk->node, written_site_node(&w.site, "feed-b"));
    assert_int_equal(dusk->from_s, 16 * 3600);
    assert_int_equal(dusk->to_s, 0);
    assert_int_equal(dusk->days, 1 | 1 << 6);
    assert_int_equal(dusk->cap_mw, 40000000);
    assert_int_equal(calm->cap_mw, 0);
    assert_int_equal(calm->days, SITE_EVERY_DAY);
    assert_int_equal(calm->ramp_down_mw_per_s, 5000000);
    assert_int_equal(calm->from_s | calm->to_s, 0);
    site_unload(&w.site);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_site_that_does_not_ask_lends_nothing),
        cmocka_unit_test(asked_for_once_it_holds_where_it_can),
        cmocka_unit_test(a_reserve_is_lent_with_a_word_where_nobody_can_tell_what_the_loss_leaves),
        cmocka_unit_test(a_node_that_says_no_is_left_out),
        cmocka_unit_test(a_slow_meter_is_refused_where_it_was_asked_for),
        cmocka_unit_test(a_reserve_is_lent_by_who_outlives_the_loss),
        cmocka_unit_test(each_loss_may_say_what_becomes_of_its_reserve),
        cmocka_unit_test(no_reserve_is_lent_that_no_meter_would_be_left_to_watch),
        cmocka_unit_test(no_reserve_is_lent_against_a_loss_that_no_meter_shows),
        cmocka_unit_test(a_witness_must_go_dark_with_what_it_watches),
        cmocka_unit_test(a_pool_is_the_steady_limit_and_a_burst_above_it),
        cmocka_unit_test(a_sag_scales_limits_and_is_not_lasting),
        cmocka_unit_test(a_ups_that_may_be_on_its_bypass_holds_nothing_up),
        cmocka_unit_test(only_an_inverter_holds_volts_up),
        cmocka_unit_test(a_ups_holds_its_output_up_and_a_bypass_does_not),
        cmocka_unit_test(a_catcher_carries_a_block_once_that_is_lost),
        cmocka_unit_test(any_cord_of_hot_spares_may_carry_all),
        cmocka_unit_test(equipment_without_a_curve_of_its_own_keeps_its_limit),
        cmocka_unit_test(of_the_steps_below_the_largest_counts),
        cmocka_unit_test(hosts_of_one_job_are_one_gang),
        cmocka_unit_test(more_jobs_than_fit_are_refused),
        cmocka_unit_test(what_calms_it_has_defaults),
        cmocka_unit_test(a_contract_is_in_force_from_hour_to_hour),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
