/* SPDX-License-Identifier: Apache-2.0 */
/* How many hosts a node carries, what binds, how a dark one starts: safety.md section 6, worked out by
 * hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/breaker.h"
#include "site/coordination/coordination.h"
#include "written_site.h"

/* 480 V: 277.128 V to neutral, 831.384 W an ampere over three phases. A host at fail-safe: 1.6 kW x 1.05 /
 * 0.96
 * + 4.1 kW = 5.85 kW; disobeying 4.15 kW more. X = (1 s / 0.99 + 0.1 s) 1.01 = 1.121202 s, T_fresh 100 ms. */
#define SETTINGS "settings_from: {study: s, as_left: 2026-11-21, by: b}"
#define BRANCH(more) \
    "site: t\nnodes:\n  - {id: branch, kind: branch, volts: 480V, rating: 800A, k: 1,\n     " \
    "long_time: {pickup: 800A, delay: 8s}, " more "}\n"
#define STAGES "short_time: {pickup: 4.8kA, delay: 100ms}, instantaneous: 8kA"
#define TYPE(more) \
    "host_types:\n  - {id: gpu, cap: {min: 1.6kW, max: 5.3kW}, base: 4.1kW, overshoot: 5%,\n" \
    "     efficiency: 96%, phys_max: 10kW, power_factor: 0.98, actuation: 100ms" more "}\n"
#define HOSTS(count) "hosts:\n  - {id: h, count: " #count ", type: gpu, cord: branch, address: 10.0.0.1}\n"
#define METER "meters:\n  - {id: m, node: branch, period: 16ms}\n"

struct looked {
    struct written_site w;
    struct figures figures;
    struct coordination all;
    const struct coordination_node *branch;
};

static void look(struct looked *l, const char *text)
{
    written_site_load(&l->w, text, "");
    if (l->w.rc)
        fail_msg("%s", l->w.report);
    assert_int_equal(figures_open(&l->figures, &l->w.site), 0);
    assert_int_equal(coordination_open(&l->all, &l->w.site, &l->figures), 0);
    l->branch = &l->all.node[written_site_node(&l->w.site, "branch")];
}

static void done(struct looked *l)
{
    coordination_close(&l->all);
    figures_close(&l->figures);
    site_unload(&l->w.site);
}

static void near(double got, double want, double relative)
{
    if (!(fabs(got - want) <= relative * fabs(want)))
        fail_msg("%.9g, not %.9g", got, want);
}

static void the_worked_example_carries_88_hosts_instead_of_52(void **state)
{
    struct looked l;

    (void)state;
    look(&l, BRANCH("volts_low: 100%, " SETTINGS ", " STAGES) TYPE("") HOSTS(88) METER);
    near(l.branch->hosts_static, 52.1444, 1e-5);        /* 640 A = 521.444 kW, 10 kW each */
    near(l.branch->hosts_fail_safe, 88.4263, 1e-5);     /* less 4.15 kW, 5.85 kW each */
    near(l.branch->hosts_leased, 88.4263, 1e-5);
    assert_int_equal(l.branch->term, LEASE_TERM_FAIL_SAFE);
    assert_int_equal(l.branch->obstacles, 0);
    /* 0.95 x 0.90 x 4.8 kA, no heat: 3,343.8 kW */
    near(l.branch->admissible_a, 4104, 1e-9);
    assert_int_equal(l.branch->admissible_role, ELEMENT_SHORT_TIME);
    near(l.branch->hosts_in_full, 334.376, 1e-5);
    near(l.branch->base_a, 88 * 4100 / 0.98 / 831.384, 1e-5);
    near(l.branch->caps_a, 88 * 1750 / 0.98 / 831.384, 1e-5);
    near(l.branch->bad_a, 4150 / 0.98 / 831.384, 1e-5);
    assert_true(l.branch->other_a == 0);
    near(l.branch->relaxed[RELAX_FAIL_SAFE], 88.4263, 1e-5);    /* the floor is as low already */
    near(l.branch->relaxed[RELAX_BASE], 95.0908, 1e-5);         /* 5.44 kW each */
    near(l.branch->relaxed[RELAX_K], 89.1357, 1e-5);
    near(l.branch->relaxed[RELAX_TIME], 88.4263, 1e-5);
    done(&l);
}

static void in_full_88_hosts_give_111_s_and_60_never_trip(void **state)
{
    struct looked l;

    (void)state;
    look(&l, BRANCH("volts_low: 100%, " SETTINGS ", " STAGES) TYPE("") HOSTS(88) METER);
    near(l.branch->respond_s, 1.221202, 1e-7);
    near(l.branch->hold_s, 1.744574, 1e-6);
    near(l.branch->full_a, 1080.08, 1e-5);
    /* 223.5317 ln((1.82276 - 0.64) / (1.82276 - 1.1025)), then from 0.9 x 1.1025 */
    near(l.branch->full_settled_s, 110.875, 1e-4);
    near(l.branch->full_trips_s, 31.840, 2e-4);
    assert_int_equal(l.branch->full_role, ELEMENT_LONG_TIME);
    assert_int_equal(l.branch->prearmed, 1u << ELEMENT_SHORT_TIME | 1u << ELEMENT_INSTANTANEOUS);
    near(l.branch->lent_a, 1080.08 - 640, 1e-4);
    done(&l);
    look(&l, BRANCH("volts_low: 100%, " SETTINGS ", " STAGES) TYPE("") HOSTS(60) METER);
    near(l.branch->full_a, 736.42, 1e-5);       /* 0.92 Ir, above the steady 640 A */
    assert_true(isinf(l.branch->full_settled_s) && isinf(l.branch->full_trips_s));
    assert_int_equal(l.branch->full_role, ELEMENT_ROLE_COUNT);
    near(l.branch->lent_a, 96.42, 1e-4);
    near(l.branch->hosts_leased, 88.4263, 1e-5);
    done(&l);
}

/* (1 s / 0.99 + A) 1.01, A 0.1 s below branch and 0.5 s elsewhere; T_fresh 50 ms where the meter says so,
 * else the longest of the site. */
static void t_resp_is_of_the_slowest_type_below(void **state)
{
    struct looked l;

    (void)state;
    look(
        &l,
        "site: t\nnodes:\n  - {id: top, kind: main, volts: 480V, rating: 2kA}\n"
        "  - {id: branch, kind: branch, parent: top, rating: 800A}\n"
        "  - {id: far, kind: branch, parent: top, rating: 800A}\n"
        "host_types:\n  - {id: fast, cap: {min: 1kW, max: 2kW}, base: 1kW, phys_max: 4kW, actuation: 100ms}\n"
        "  - {id: slow, cap: {min: 1kW, max: 2kW}, base: 1kW, phys_max: 4kW, actuation: 500ms}\n"
        "hosts:\n  - {id: a, type: fast, cord: branch, address: 10.0.0.1}\n"
        "  - {id: b, type: slow, cord: far, address: 10.0.0.2}\n"
        "meters:\n  - {id: m, node: branch, fresh: 50ms}\n  - {id: n, node: far, fresh: 100ms}\n");
    near(l.branch->fresh_s, 0.05, 1e-9);
    near(l.branch->respond_s, 0.05 + 1.121202, 1e-7);
    near(l.all.node[written_site_node(&l.w.site, "far")].respond_s, 0.1 + 1.525202, 1e-7);
    near(l.all.node[written_site_node(&l.w.site, "top")].respond_s, 0.1 + 1.525202, 1e-7);
    done(&l);
}

#define MEASURED(longest, age) \
    "servers:\n  - name: default\n    ports: [{driver: synthetic, interface: eth0, address: 10.0.0.9, " \
    "udp: 7001}]\n    measured:\n      when: \"2026-11-21T02:14:03Z\"\n      host: h\n      kernel: k\n" \
    "      cpu: c\n      version: v\n      hiccups: {span: 5s, longest: " longest ", p999: 1us, " \
    "over_10us: 0, over_100us: 0, over_1ms: 0, lost: 0%}\n      age: " age "\n"
#define FRESH_MEASURED "meters:\n  - {id: m, node: branch, period: 16ms, fresh: measured}\n"
#define HEATS BRANCH("volts_low: 100%, " SETTINGS ", instantaneous: 16kA") TYPE("") HOSTS(60)
#define PROMPT "{n: 20000, p50: 1us, p99: 10us, p999: 100us, max: 1ms}"

/* What it measured of itself makes T_fresh longer, and with it T_resp: less can be held for longer. */
static void a_slow_machine_derates_itself(void **state)
{
    static const char *const machine[] = {
        HEATS FRESH_MEASURED MEASURED("100us", PROMPT), HEATS FRESH_MEASURED MEASURED("60ms", PROMPT),
        HEATS FRESH_MEASURED MEASURED("100us", "{n: 20000, p50: 1ms, p99: 80ms, p999: 150ms, max: 2s}"),
        HEATS FRESH_MEASURED MEASURED("100us", "{n: 20000, p50: 1ms, p99: 80ms, p999: 20s, max: 30s}")};
    static const double fresh_s[] = {0.043, 0.162, 0.342, 1};
    double before_a = INFINITY;
    struct looked l;

    (void)state;
    look(&l, HEATS METER);      /* 100 ms */
    double written_a = l.branch->admissible_a;
    done(&l);
    for (size_t i = 0; i < sizeof machine / sizeof machine[0]; i++) {
        look(&l, machine[i]);
        near(l.branch->fresh_s, fresh_s[i], 1e-9);
        near(l.branch->respond_s, fresh_s[i] + 1.121202, 1e-6);
        assert_true(l.branch->admissible_a < before_a);
        assert_true((l.branch->admissible_a > written_a) == (i == 0));
        before_a = l.branch->admissible_a;
        done(&l);
    }
    assert_true(before_a < 0.9 * written_a);
    /* what is written no machine changes */
    look(&l, HEATS METER MEASURED("60ms", "{n: 20000, p50: 1ms, p99: 80ms, p999: 20s, max: 30s}"));
    near(l.branch->admissible_a, written_a, 1e-9);
    done(&l);
}

static void lower_volts_carry_fewer(void **state)
{
    struct looked l;

    (void)state;
    look(&l, BRANCH(SETTINGS ", " STAGES) TYPE("") HOSTS(83) METER);     /* 95 % is the default */
    near(l.branch->hosts_static, 49.5371, 1e-5);
    near(l.branch->hosts_leased, 83.9693, 1e-5);
    near(l.branch->full_a, 83 * 10000 / 0.98 / (0.95 * 831.384), 1e-5);
    done(&l);
    written_site_load(&l.w, BRANCH("volts_low: 100%, " SETTINGS) TYPE("") HOSTS(89) METER, "");
    assert_int_equal(l.w.rc, -EINVAL);
    assert_non_null(strstr(l.w.report, "with every host at fail-safe"));
}

/* 12 kVA of other load are 14.4338 A, or 11.76 kW of hosts; two bad hosts 8.3 kW. At the floor of 1 kW a host
 * draws
 * 5.19375 kW, and a bad one so much more. After the loss of its twin the branch carries all of each host. */
static void other_load_and_a_loss_take_their_part(void **state)
{
    static const char feeds[] =
        "site: t\nnodes:\n"
        "  - {id: branch, kind: branch, volts: 480V, volts_low: 100%, rating: 800A, k: 2, other: 12kVA,\n"
        "     long_time: {pickup: 800A, delay: 8s}, " SETTINGS "}\n"
        "  - {id: twin, kind: branch, volts: 480V, volts_low: 100%, rating: 800A, k: 2}\n"
        "host_types:\n  - {id: gpu, cap: {min: 1kW, max: 5.3kW}, base: 4.1kW, overshoot: 5%,\n"
        "     efficiency: 96%, phys_max: 10kW, power_factor: 0.98, actuation: 100ms, fail_safe: 1.6kW}\n"
        "hosts:\n  - {id: h, count: 40, type: gpu, cords: [branch, twin], address: 10.0.0.1}\n"
        "meters:\n  - {id: m, node: branch, period: 16ms}\n";
    char text[2048];
    struct looked l;

    (void)state;
    snprintf(text, sizeof text, "%sredundancy: {scheme: N+1, may_lose: [twin]}\n", feeds);
    look(&l, text);
    near(l.branch->other_a, 14.4338, 1e-5);
    near(l.branch->bad_a, 2 * 4150 / 0.98 / 831.384, 1e-5);
    near(l.branch->hosts_static, (521.4440 - 11.76) / 10, 1e-5);
    near(l.branch->hosts_fail_safe, (521.4440 - 11.76 - 8.3) / 5.85, 1e-5);
    near(l.branch->full_a, 40 * 10000 / 0.98 / 831.384 + 14.4338, 1e-5);
    near(l.branch->relaxed[RELAX_FAIL_SAFE], (521.4440 - 11.76 - 2 * (10 - 5.19375)) / 5.19375, 1e-5);
    near(l.branch->relaxed[RELAX_BASE], (521.4440 - 11.76 - 8.3) / 5.44, 1e-5);
    near(l.branch->relaxed[RELAX_K], (521.4440 - 11.76 - 4.15) / 5.85, 1e-5);
    done(&l);
    look(&l, feeds);            /* nothing may be lost: 55 % of each */
    near(l.branch->hosts_static, (521.4440 - 11.76) / 5.5, 1e-5);
    near(l.branch->bad_a, 0.55 * 2 * 4150 / 0.98 / 831.384, 1e-5);
    done(&l);
}

/* No stage: 0.9 of the image. (640 / 840)^2 = 0.580499 of the trip; 0.9 = 0.580499 q + X (1 - q), with the
 * time constant above 6 In, 204.771 s: q = 0.9915166, X = 38.241, 840 A x sqrt X. */
static void without_stages_heat_bounds_what_may_flow(void **state)
{
    struct looked l;

    (void)state;
    look(&l, BRANCH("volts_low: 100%, " SETTINGS) TYPE("") HOSTS(60) METER);
    near(l.branch->admissible_a, 5194.5, 1e-3);
    assert_int_equal(l.branch->admissible_role, ELEMENT_LONG_TIME);
    assert_int_equal(l.branch->admissible_term, LEASE_TERM_HEAT);
    assert_int_equal(l.branch->prearmed, 0);
    assert_true(l.branch->boot_limit_a == 0);
    assert_int_equal(l.branch->boot_at_once, 60);
    assert_int_equal(l.branch->boot_groups, 1);
    done(&l);
}

/* 500 kVA, 125 % for 10 min, 150 % for 1 min, more not at all. The decision takes a current for 1 / 0.97 of
 * it, its table has 32 points to the octave and is nowhere below the true rate: the minute lasts up to 0.97 x
 * 1.46875 of the rating, and 0.95 of that may flow: 676.7 kVA or 663.2 kW of hosts in full. At fail-safe 2 kW
 * each: (490 - 8) / 2 =
 * 241. */
static void a_ups_near_its_rating_binds_by_its_overload(void **state)
{
    static const char head[] = BRANCH(
        "volts_low: 100%, " SETTINGS ",\n     ups: {apparent: 500kVA, overload: [{load: 125%, time: 10min}, "
        "{load: 150%, time: 1min}]}");
    static const char type[] =
        "host_types:\n  - {id: gpu, cap: {min: 1kW, max: 9kW}, base: 1kW, overshoot: 0%, efficiency: 100%,\n"
        "     phys_max: 10kW, power_factor: 0.98, actuation: 100ms}\n";
    char text[2048];
    struct looked l;

    (void)state;
    snprintf(text, sizeof text, "%s%s%s", head, type, HOSTS(60) METER);
    look(&l, text);
    near(l.branch->steady_a, 601.408, 1e-5);
    near(l.branch->admissible_a, 0.95 * 0.97 * 1.46875 * 601.408, 1e-4);
    assert_int_equal(l.branch->admissible_role, ELEMENT_UPS);
    near(l.branch->hosts_static, 49.0, 1e-4);
    near(l.branch->hosts_in_full, 66.3190, 1e-4);
    near(l.branch->hosts_fail_safe, 241.0, 1e-4);
    assert_int_equal(l.branch->term, LEASE_TERM_TRAVEL);
    near(l.branch->relaxed[RELAX_FAIL_SAFE], 66.3190, 1e-4);
    /* 0.85 x 150 %, 10 kW are 12.2734 A: 60 at 736.4 A may start together, 0.85 x 902.1 A = 766.8 A */
    near(l.branch->boot_limit_a, 766.795, 1e-5);
    assert_int_equal(l.branch->boot_at_once, 60);
    near(l.branch->relaxed[RELAX_TIME], 66.3190, 1e-4);  /* beyond that no time is short enough */
    done(&l);
    /* 80 hosts in full are 816 kVA, 163 %: it may let go at once */
    char lines[2048] = "";
    FILE *out = fmemopen(lines, sizeof lines - 1, "w");

    snprintf(text, sizeof text, "%s%s%s", head, type, HOSTS(80) METER);
    look(&l, text);
    assert_int_equal(l.branch->boot_at_once, 62);
    assert_int_equal(l.branch->boot_groups, 2);
    assert_true(l.branch->full_trips_s < 1e-3);
    assert_int_equal(l.branch->full_role, ELEMENT_UPS);
    assert_int_equal(l.branch->prearmed, 1u << ELEMENT_UPS);
    assert_int_equal(coordination_warn(&l.all, &l.w.site, "x.yaml", out), 1);
    fclose(out);
    assert_string_equal(lines,
                        "x.yaml:3:5: warning: 1 node (branch): everything leased in full may trip it within "
                        "T_resp / 0.7: only caps set beforehand protect\n");
    done(&l);
}

/* What check tells is what the decision will say from the same heat, to the milliampere or a hair above. */
static void check_and_decision_agree(void **state)
{
    static const char *const device[] = {
        STAGES,
        "rated: 80%",
        "ambient: 80%",
        "instantaneous: 8kA, conductor: {ampacity: 700A, time_constant: 90s}",
        "transformer: {apparent: 600kVA, time_constant: 20s}",
        "ups: {apparent: 500kVA, overload: [{load: 110%, time: 1h}, {load: 150%, time: 10s}]}",
        "short_time: {pickup: 1.5kA, delay: 400ms, i2t: yes, memory: yes}"};
    char text[2048];

    (void)state;
    for (uint32_t i = 0; i < sizeof device / sizeof device[0]; i++) {
        struct breaker_state from;
        uint32_t element;
        struct looked l;

        snprintf(text, sizeof text, BRANCH("%s"), device[i]);
        strcat(text, TYPE("") HOSTS(1) METER);
        look(&l, text);
        const struct model *m = &l.w.site.model;
        const struct breaker *b = &m->node[written_site_node(&l.w.site, "branch")].breaker;

        assert_true(b->element_count >= 2);
        breaker_rest(&from, b, 0);
        for (uint32_t e = 0; e < b->element_count; e++)
            for (uint32_t ph = 0; ph < PHASES && b->element[e].law == BREAKER_IMAGE; ph++) {
                double x = fmin(640, l.branch->steady_a) * 1e3 / (double)b->element[e].pickup_ma;

                from.part[e][ph] = (int64_t)(x * x * (double)HEAT_ONE);
            }
        int64_t ma =
            breaker_admissible_ma(&from, b, m->curve, (int64_t)(l.branch->hold_s * 1e9), 1414, &element);

        assert_true((double)ma / 1e3 <= l.branch->admissible_a * (1 + 1e-9));
        /* the steady limit always is */
        near(fmax((double)ma / 1e3, l.branch->steady_a), l.branch->admissible_a, 2e-5);
        assert_int_equal(b->element[element].role, l.branch->admissible_role);
        done(&l);
    }
}

/* Instantaneous at 850 A: 0.95 x 765 A = 726.75 A may flow, 592.12 kW of hosts. 0.85 x 765 A = 650.25 A,
 * 529.79 kW, may start: less 194.15 kW for one host with an inrush of 190 kW, 5.85 kW each. */
static void a_stage_near_the_rating_binds_by_itself_or_by_inrush(void **state)
{
    struct looked l;

    (void)state;
    look(&l, BRANCH("volts_low: 100%, " SETTINGS ", instantaneous: 850A") TYPE("") HOSTS(60) METER);
    near(l.branch->admissible_a, 726.75, 1e-6);
    near(l.branch->hosts_in_full, 59.2122, 1e-5);
    near(l.branch->hosts_fail_safe, 88.4263, 1e-5);
    near(l.branch->hosts_leased, 59.2122, 1e-5);
    assert_int_equal(l.branch->term, LEASE_TERM_DEFINITE);
    near(l.branch->lent_a, 86.75, 1e-5);        /* all in full would be 96.42 A */
    done(&l);
    look(&l, BRANCH("volts_low: 100%, " SETTINGS ", instantaneous: 850A") TYPE(", inrush: 190kW") HOSTS(40)
                 METER);
    near(l.branch->hosts_fail_safe, 57.3746, 1e-4);
    assert_int_equal(l.branch->term, LEASE_TERM_INRUSH);
    near(l.branch->relaxed[RELAX_K], 59.2122, 1e-5);    /* then the stage binds */
    done(&l);
}

static void what_stands_against_a_lease_above_the_limit_is_told(void **state)
{
    struct looked l;

    (void)state;
    look(&l, BRANCH("volts_low: 100%") TYPE("") HOSTS(60));
    assert_int_equal(l.branch->obstacles, OBSTACLE_NO_SETTINGS_FROM | OBSTACLE_NO_METER);
    near(l.branch->hosts_leased, 52.1444, 1e-5);
    assert_int_equal(l.branch->term, LEASE_TERM_STEADY);
    assert_true(l.branch->lent_a == 0);
    done(&l);
    look(&l, BRANCH(SETTINGS) TYPE("") HOSTS(60) "meters:\n  - {id: m, node: branch, period: 21ms}\n");
    assert_int_equal(l.branch->obstacles, OBSTACLE_SLOW_METER);
    done(&l);
    look(&l, BRANCH(SETTINGS) TYPE("") HOSTS(60) "meters:\n  - {id: m, node: branch, period: 20ms}\n");
    assert_int_equal(l.branch->obstacles, 0);
    done(&l);
    /* whose samples are measured here is read once a cycle, at 50 Hz too */
    look(&l, BRANCH(SETTINGS) TYPE("") HOSTS(60) "meters:\n  - {id: m, node: branch, protocol: raw, "
             "number: 1, frequency: 50Hz}\n");
    assert_int_equal(l.branch->obstacles, 0);
    done(&l);
    look(&l, "site: t\nnodes:\n  - {id: branch, kind: branch, volts: 480V, rating: 800A, " SETTINGS
             "}\n" TYPE("") HOSTS(60) METER);
    assert_int_equal(l.branch->obstacles, OBSTACLE_NO_CURVE);
    assert_int_equal(l.all.pair_count, 0);
    done(&l);
}

/* 18 kW at start are 22.0927 A, 5.85 kW at fail-safe 7.18013 A; 0.85 x 0.9 x 1 kA = 765 A. Groups of 34, then
 * (765 - 34 x 7.18013) / 22.0927 = 23.6, then the last 3. */
static void a_dark_start_goes_in_groups(void **state)
{
    struct looked l;

    (void)state;
    look(&l, BRANCH("volts_low: 100%, " SETTINGS ", instantaneous: 1kA")
             TYPE(", inrush: 8kW") HOSTS(60) METER);
    near(l.branch->boot_a, 60 * 22.0927, 1e-5);
    near(l.branch->boot_limit_a, 765, 1e-5);
    assert_int_equal(l.branch->boot_at_once, 34);
    assert_int_equal(l.branch->boot_groups, 3);
    assert_true(l.branch->boot_trips_s == 0);
    assert_int_equal(l.branch->boot_role, ELEMENT_INSTANTANEOUS);
    done(&l);
    /* 410 kW, 503.2 A: one at a time, and none once more than 36 run */
    look(&l,
         "site: t\nnodes:\n  - {id: branch, kind: branch, volts: 480V, rating: 800A, volts_low: 100%,\n     "
         "instantaneous: 1kA}\n" TYPE(", inrush: 400kW") HOSTS(60) METER);
    assert_int_equal(l.branch->boot_at_once, 1);
    assert_int_equal(l.branch->boot_groups, 0);
    done(&l);
}

/* 10.2041 kVA a host at start: nine are within 100 kW, the last of 60 run with the seventh group. From base
 * to
 * phys_max: 60 x 5.9 kW / 0.98 = 361.22 kVA; 612.24 kVA at 50 kW/s take 12.245 s. */
static void a_generator_takes_a_dark_start_in_steps(void **state)
{
    struct looked l;

    (void)state;
    look(&l, "site: t\nnodes:\n  - {id: branch, kind: generator, volts: 480V, rating: 2kA,\n"
             "     generator: {step: 100kW, ramp: 50kW/s}}\n" TYPE("") HOSTS(60) METER);
    assert_int_equal(l.branch->boot_at_once, 9);
    assert_int_equal(l.branch->boot_groups, 7);
    near(l.branch->step_va, 361224.5, 1e-5);
    near(l.branch->boot_ramp_s, 12.2449, 1e-5);
    done(&l);
    look(&l, "site: t\nnodes:\n  - {id: branch, kind: generator, volts: 480V, rating: 2kA,\n"
             "     generator: {step: 10kW}}\n" TYPE("") HOSTS(60) METER);
    assert_int_equal(l.branch->boot_at_once, 0);
    assert_int_equal(l.branch->boot_groups, 0);
    assert_true(l.branch->boot_ramp_s == 0);
    done(&l);
}

/* bus has no device: main is the next above row; strip hangs on both feeds. */
#define GRAPH(fault, main_ii) \
    "site: t\nnodes:\n" \
    "  - {id: grid, kind: source, volts: 13.8kV, rating: 200A,\n" \
    "     ground: {pickup: 50A, delay: 100ms}, long_time: {pickup: 200A, delay: 12s}}\n" \
    "  - {id: main, kind: transformer, parent: grid, volts: 480V, rating: 3kA, " fault \
    "     long_time: {pickup: 3kA, delay: 12s}, instantaneous: " main_ii ",\n" \
    "     short_time: {pickup: 12kA, delay: 300ms, i2t: yes}, ground: {pickup: 1.2kA, delay: 300ms}}\n" \
    "  - {id: spare, kind: transformer, parent: grid, volts: 480V, rating: 3kA}\n" \
    "  - {id: bus, kind: distribution, parents: [main, spare], unlimited: yes}\n" \
    "  - {id: row, kind: branch, parent: bus, rating: 800A, \n" \
    "     long_time: {pickup: 800A, delay: 8s}, " STAGES "}\n" \
    "  - {id: branch, kind: rack, parent: row, rating: 100A}\n"

static void pairs_skip_nodes_without_a_device_and_inherit_the_fault(void **state)
{
    struct looked l;
    char lines[2048] = "";
    FILE *out = fmemopen(lines, sizeof lines - 1, "w");

    (void)state;
    look(&l, GRAPH("fault: 65kA,\n", "36kA") TYPE("") HOSTS(1));
    /* grid over row too: by way of spare, which has no curve */
    assert_int_equal(l.all.pair_count, 3);
    const struct coordination_pair *up = &l.all.pair[0], *row = &l.all.pair[2];

    assert_int_equal(l.all.pair[1].child, row->child);
    assert_int_equal(l.all.pair[1].parent, up->parent);

    assert_int_equal(up->child, written_site_node(&l.w.site, "main"));
    assert_int_equal(up->parent, written_site_node(&l.w.site, "grid"));
    /* 200 A at 13.8 kV are 5,750 A at 480 V: 0.9 x 12 s x 36 (5,750 / I)^2, 0.8 from 6 In = 34.5 kA on,
     * above the 80 ms of main to the end: 0.8 x 12 x 36 (5,750 / 65,000)^2 = 2.70 s */
    assert_true(up->fault_stated && up->total);
    assert_int_equal(up->clashes, 0);       /* the ground stages are on two sides of a transformer */
    near(up->parent_trips_s, 2.70447, 1e-5);
    assert_int_equal(row->child, written_site_node(&l.w.site, "row"));
    assert_int_equal(row->parent, written_site_node(&l.w.site, "main"));
    assert_true(row->fault_stated);
    near(row->fault_a, 65000, 1e-12);
    near(row->limit_a, 32400, 1e-8);
    assert_int_equal(coordination_warn(&l.all, &l.w.site, "x.yaml", out), 2);
    fclose(out);
    assert_string_equal(
        lines,
        "x.yaml:10:5: warning: 1 pair (main over row): instantaneous of the parent within the fault current "
        "below it\n"
        "x.yaml:10:5: warning: 1 pair (main over row): selective only below a current that a fault there can "
        "reach, the least 32400 A\n");
    done(&l);
}

static void an_unstated_fault_warns_of_nothing(void **state)
{
    struct looked l;
    char lines[256] = "";
    FILE *out = fmemopen(lines, sizeof lines - 1, "w");

    (void)state;
    look(&l, GRAPH("\n", "36kA") TYPE("") HOSTS(1));
    assert_false(l.all.pair[2].total);
    assert_false(l.all.pair[2].fault_stated);
    assert_int_equal(coordination_warn(&l.all, &l.w.site, "x.yaml", out), 0);
    fclose(out);
    assert_string_equal(lines, "");
    done(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_worked_example_carries_88_hosts_instead_of_52),
        cmocka_unit_test(in_full_88_hosts_give_111_s_and_60_never_trip),
        cmocka_unit_test(t_resp_is_of_the_slowest_type_below),
        cmocka_unit_test(lower_volts_carry_fewer),
        cmocka_unit_test(other_load_and_a_loss_take_their_part),
        cmocka_unit_test(without_stages_heat_bounds_what_may_flow),
        cmocka_unit_test(a_ups_near_its_rating_binds_by_its_overload),
        cmocka_unit_test(check_and_decision_agree),
        cmocka_unit_test(a_stage_near_the_rating_binds_by_itself_or_by_inrush),
        cmocka_unit_test(what_stands_against_a_lease_above_the_limit_is_told),
        cmocka_unit_test(a_dark_start_goes_in_groups),
        cmocka_unit_test(a_generator_takes_a_dark_start_in_steps),
        cmocka_unit_test(pairs_skip_nodes_without_a_device_and_inherit_the_fault),
        cmocka_unit_test(a_slow_machine_derates_itself),
        cmocka_unit_test(an_unstated_fault_warns_of_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
