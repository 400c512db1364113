/* SPDX-License-Identifier: Apache-2.0 */
/* What was measured: written, read back, and held against the terms of the site. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "site/fresh.h"
#include "site/needs.h"
#include "written_site.h"

#define FEW "when: \"2026-11-21T02:14:03Z\", host: h, kernel: k, cpu: c, version: v"

static void fill(struct measured *m)
{
    *m = (struct measured){
        .present = true,
        .when_s = 1795227243,
        .core = 1,
        .housekeeping = 0,
        .priority = 80,
        .throttling_lifted = true,
        .hiccups = {5 * NS_PER_S, 2 * NS_PER_MS, 110 * NS_PER_US, 410, 12, 3, 76000},
        .wake_timer = {2500, 50000, 90000, 200000, 1500000},
        .wake_event = {2400, 20000, 40000, 100000, 700000},
        .reading = {100000, 400, 700, 1000, 50000},
        .report = {200000, 2000, 2500, 3000, 80000},
        .tick_part = {5000, 350, 3000, 20000, 60000},
        .emergency = {900, 2500, 11000, 40000, 60000},
        .ring_count = 1,
        .ring = {{.interface = "eth0", .offered = 41024, .absorbed = 32768}},
        .path = {.hosts = 3, .answered = 2, .sent = 60, .lost = 20, .min_ns = 20000, .p50_ns = 25000,
                 .p99_ns = 90000, .max_ns = 2000000, .worst_count = 2, .silent_count = 1,
                 .worst = {"h-02 at 2ms", "h-01 at 90us"}, .silent = {"h-03"}},
    };
    strcpy(m->host, "alpha");
    strcpy(m->kernel, "6.1 #1 \"a\\b\"");
    strcpy(m->cpu, "cpu");
    strcpy(m->version, "0.1.0 (abc)");
}

/* A site of three hosts and one meter around a block in machine alpha's row. */
static void load_for(struct written_site *w, const char *server, const char *policy, const char *fresh,
                     const char *block)
{
    char *text = NULL;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    assert_non_null(out);
    fprintf(out,
            "site: t\n%s"
            "nodes: [{id: n, kind: main, volts: 400V, rating: 100A}]\n"
            "host_types: [{id: box, cap: {min: 1kW, max: 4kW}, base: 700W, phys_max: 5.6kW, "
            "actuation: 150ms}]\n"
            "hosts: [{id: h, count: 3, type: box, cord: n, address: 10.0.0.11}]\n"
            "meters: [{id: m, node: n, period: 16ms, fresh: %s}]\n"
            "servers:\n"
            "  - name: alpha\n"
            "    ports: [{driver: synthetic, interface: eth0, address: 10.0.0.1, udp: 7001, ring: 64}]\n"
            "    %s\n",
            policy, fresh, block);
    fclose(out);
    written_site_load(w, text, server);
    free(text);
}

static void load_fresh(struct written_site *w, const char *policy, const char *fresh, const char *block)
{
    load_for(w, "alpha", policy, fresh, block);
}

static void load_with(struct written_site *w, const char *policy, const char *block)
{
    load_fresh(w, policy, "40ms", block);
}

static void load_block(struct written_site *w, const struct measured *m, bool flow)
{
    char *block = NULL;
    size_t bytes;
    FILE *out = open_memstream(&block, &bytes);
    const struct measured_style style = {.column = 4, .flow = flow, .eol = "\n"};
    assert_non_null(out);
    measured_write(m, &style, out);
    fclose(out);
    load_with(w, "", block);
    free(block);
}

static void what_is_written_reads_back_the_same(void **state)
{
    struct measured m;
    (void)state;
    fill(&m);
    for (int flow = 0; flow < 2; flow++) {
        struct written_site w;
        load_block(&w, &m, flow);
        assert_string_equal(w.report, "");
        assert_int_equal(w.rc, 0);
        struct measured back = w.site.server.measured;
        assert_int_equal(back.line, 9);
        assert_int_equal(back.column, 5);
        back.line = back.column = 0;
        assert_memory_equal(&back, &m, sizeof m);
        site_unload(&w.site);
    }
}

static void what_was_not_measured_is_not_written(void **state)
{
    struct measured m;
    struct written_site w;
    (void)state;
    fill(&m);
    m.emergency = (struct measured_spread){0};
    m.path = (struct measured_path){0};
    m.ring_count = 0;
    m.core = -1;
    load_block(&w, &m, false);
    assert_int_equal(w.rc, 0);
    assert_int_equal(w.site.server.measured.emergency.n, 0);
    assert_int_equal(w.site.server.measured.path.hosts, 0);
    assert_int_equal(w.site.server.measured.core, -1);
    assert_int_equal(w.site.server.measured.ring_count, 0);
    site_unload(&w.site);
}

static void times_are_rounded_up_as_they_will_be_read(void **state)
{
    (void)state;
    assert_int_equal(measured_rounded_ns(0), 0);
    assert_int_equal(measured_rounded_ns(999999), 999999);
    assert_int_equal(measured_rounded_ns(1000001), 1001000);
    assert_int_equal(measured_rounded_ns(52294123), 52295000);
    assert_int_equal(measured_rounded_ns(NS_PER_S + 1), NS_PER_S + NS_PER_MS);
    assert_int_equal(measured_rounded_ns(61 * NS_PER_S + 1), 61 * NS_PER_S + 20 * NS_PER_MS);
}

static void a_time_of_day_is_utc_and_exact(void **state)
{
    static const char *const bad[] = {"", "2026-11-21", "2026-11-21T02:14:03", "2026-02-30T00:00:00Z",
                                      "2026-11-21T02:14:03Zx", "2026-11-21T25:00:00Z"};
    char text[32];
    int64_t when_s;
    (void)state;
    measured_when_write(0, text, sizeof text);
    assert_string_equal(text, "1970-01-01T00:00:00Z");
    assert_int_equal(measured_when_parse("2026-11-21T02:14:03Z", &when_s), 0);
    assert_int_equal(when_s, 1795227243);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_true(measured_when_parse(bad[i], &when_s) != 0);
}

static void a_block_that_is_wrong_is_refused_with_its_place(void **state)
{
    static const struct {
        const char *block, *says;
    } wrong[] = {
        {"measured: {" FEW ", speed: 1}", ":9:86: error: unknown key 'speed' in measured"},
        {"measured: {host: h}", "error: measured has no 'when'"},
        {"measured: {when: soon, host: h, kernel: k, cpu: c, version: v}",
         ":9:22: error: when 'soon' is not a time in UTC, write one like \"2026-11-21T02:14:03Z\""},
        {"measured: {" FEW ", reading: {n: 1, p50: 9us, p99: 8us, p999: 9us, max: 9us}}",
         "error: reading does not rise from p50 to max, measure again"},
        {"measured: {" FEW ", hiccups: {longest: 1}}", "error: longest 1 has no unit"},
        {"measured: {" FEW ", rings: [{}, {}, {}]}", "error: 3 rings, a server has 2 ports at most"},
        {"measured: {" FEW ", path: {hosts: many}}", "error: hosts 'many' is not a whole number"},
        {"measured: 5", "error: measured must be a mapping of keys and values"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct written_site w;
        load_with(&w, "", wrong[i].block);
        assert_int_equal(w.rc, -EINVAL);
        if (!strstr(w.report, wrong[i].says))
            fail_msg("%s\nlacks: %s", w.report, wrong[i].says);
    }
}

/* D 1 s, report 100 ms, A 150 ms, 3 hosts; one meter of 16 ms with fresh 40 ms; longest hiccup 2 ms. */
static void needs_follow_from_the_figures(void **state)
{
    struct measured m;
    struct written_site w;
    struct need need[NEEDS_MAX];
    struct response r;
    (void)state;
    fill(&m);
    load_block(&w, &m, false);
    assert_int_equal(needs_find(&w.site, &m, need), 6);
    /* the meter 1 + 4 ms / 16 ms, each host 1 + 4 ms / 100 ms, rounded up */
    assert_int_equal(need[0].kind, NEED_RING);
    assert_int_equal(need[0].needed, 2 + 3 * 2);
    assert_int_equal(need[0].configured, 64);
    assert_false(need[0].too_small);
    assert_string_equal(need[0].term, "ring of eth0");
    assert_int_equal(need[1].kind, NEED_ABSORBED);
    assert_int_equal(need[1].configured, 32768);
    /* 16 ms + 10 ms, the default age_bound, + 2 x 2 ms + 1 us */
    assert_int_equal(need[2].kind, NEED_FRESH);
    assert_int_equal(need[2].needed, 30001000);
    assert_int_equal(need[2].configured, 40 * NS_PER_MS);
    /* 3 x 2 us / (0.5 - 400 ns / 16 ms = 25 ppm) */
    assert_int_equal(need[3].kind, NEED_REPORT);
    assert_int_equal(need[3].needed, 12001);
    /* 4 x 100 ms + 2 ms + 4 ms + 80 us + 60 us */
    assert_int_equal(need[4].kind, NEED_LEASE);
    assert_int_equal(need[4].needed, 406140000);
    assert_int_equal(need[5].kind, NEED_LEASE_ACTUATION);
    assert_int_equal(need[5].needed, 450 * NS_PER_MS);
    for (int i = 0; i < 6; i++)
        assert_false(need[i].too_small);
    /* (1 s / 0.99 + 150 ms) x 1.01, fresh 40 ms */
    needs_response(&w.site.model, &r);
    assert_int_equal(r.fresh_ns, 40 * NS_PER_MS);
    assert_int_equal(r.actuation_ns, 150 * NS_PER_MS);
    assert_int_equal(r.retire_ns, 1171702022);
    assert_int_equal(r.response_ns, 1211702022);
    site_unload(&w.site);
}

static void a_ring_that_lost_frames_below_the_need_is_too_small(void **state)
{
    struct measured m;
    struct written_site w;
    struct need need[NEEDS_MAX];
    (void)state;
    fill(&m);
    m.hiccups.longest_ns = 2 * NS_PER_S;
    m.ring[0] = (struct measured_ring){.interface = "eth0", .offered = 500, .absorbed = 300};
    load_block(&w, &m, false);
    needs_find(&w.site, &m, need);
    assert_int_equal(need[0].needed, 251 + 3 * 41);
    assert_true(need[0].too_small);
    assert_true(need[1].too_small);
    assert_string_equal(need[1].term, "absorbed by eth0");
    m.ring[0].absorbed = m.ring[0].offered = 300;       /* nothing was lost: it may hold more */
    needs_find(&w.site, &m, need);
    assert_false(need[1].too_small);
    m.hiccups.span_ns = 0;
    assert_int_equal(needs_find(&w.site, &m, need), 0);
    site_unload(&w.site);
}

static void a_core_that_readings_fill_has_no_room_for_reports(void **state)
{
    struct measured m;
    struct written_site w;
    struct need need[NEEDS_MAX];
    (void)state;
    fill(&m);
    load_block(&w, &m, false);
    m.reading.p50_ns = 8 * NS_PER_MS;
    needs_find(&w.site, &m, need);
    assert_int_equal(need[3].kind, NEED_REPORT);
    assert_true(need[3].too_small);
    site_unload(&w.site);
}

static void terms_below_the_needs_are_warned_of_where_they_stand(void **state)
{
    struct measured m;
    struct written_site w;
    (void)state;
    fill(&m);
    m.hiccups.longest_ns = 20 * NS_PER_MS;
    load_block(&w, &m, false);
    assert_int_equal(w.rc, 0);
    assert_non_null(strstr(w.site.warnings, ":5:48: warning: fresh of m is 40ms, what was measured here asks "
                           "for 66.001ms or more (period + age_bound + 2 x longest hiccup + reading p99.9)"));
    assert_null(strstr(w.site.warnings, "lease is"));
    site_unload(&w.site);
}

static void figures_of_another_machine_or_another_year_are_stale(void **state)
{
    struct measured m;
    struct written_site w;
    (void)state;
    fill(&m);
    assert_int_equal(needs_stale(&m, "alpha", "beta", m.when_s), STALE_NOT);
    assert_int_equal(needs_stale(&m, "default", "alpha", m.when_s + 365 * 86400), STALE_NOT);
    assert_int_equal(needs_stale(&m, "default", "alpha", m.when_s + 365 * 86400 + 1), STALE_OLD);
    assert_int_equal(needs_stale(&m, "default", "beta", m.when_s), STALE_OTHER_MACHINE);
    assert_int_equal(needs_stale(&m, "gamma", "alpha", m.when_s), STALE_OTHER_MACHINE);
    strcpy(m.host, "beta");
    load_block(&w, &m, false);
    assert_non_null(strstr(w.site.warnings, ":9:5: warning: measured on 'beta', which is not the machine of "
                           "row 'alpha': run `flyball tune` there"));
    site_unload(&w.site);
    strcpy(m.host, "alpha");
    m.when_s = 1577836800;      /* 2020 */
    load_block(&w, &m, false);
    assert_non_null(strstr(w.site.warnings, ":9:5: warning: measured more than a year ago"));
    site_unload(&w.site);
}

static int64_t fresh_with(const struct measured *m)
{
    struct written_site w;
    char *block = NULL;
    size_t bytes;
    FILE *out = open_memstream(&block, &bytes);
    const struct measured_style style = {.column = 4, .eol = "\n"};
    assert_non_null(out);
    measured_write(m, &style, out);
    fclose(out);
    load_fresh(&w, "policy: {lease: 1s}\n", "measured", block);
    free(block);
    if (w.rc)
        fail_msg("%s", w.report);
    assert_true(w.site.meter[0].fresh_measured);
    int64_t fresh_ns = w.site.model.meter[0].fresh_ns;
    site_unload(&w.site);
    return fresh_ns;
}

/* Two periods and the bound are 42 ms. */
static void t_fresh_follows_from_what_was_measured_and_how_often(void **state)
{
    struct measured m;
    (void)state;
    fill(&m);
    m.hiccups.longest_ns = 2 * NS_PER_MS;
    m.age = (struct measured_spread){0};
    assert_int_equal(fresh_with(&m), 47 * NS_PER_MS);           /* 2 x 2 ms and 1 us, rounded up */
    m.age = (struct measured_spread){999, 1000, 20 * NS_PER_MS, 30 * NS_PER_MS, 40 * NS_PER_MS};
    assert_int_equal(fresh_with(&m), 47 * NS_PER_MS);           /* too few to tell */
    m.age.n = FRESH_SAMPLES_P99;
    assert_int_equal(fresh_with(&m), (42 + 4 * 20) * NS_PER_MS);
    m.age.n = FRESH_SAMPLES_P999 - 1;
    assert_int_equal(fresh_with(&m), (42 + 4 * 20) * NS_PER_MS);
    m.age.n = FRESH_SAMPLES_P999;
    assert_int_equal(fresh_with(&m), (42 + 2 * 30) * NS_PER_MS);
    /* of a fast one no less than the machine's own hiccups ask for */
    m.age = (struct measured_spread){1000000, 100, 200, 300, 400};
    assert_int_equal(fresh_with(&m), 47 * NS_PER_MS);
    /* and however slow: not beyond the lease time */
    m.age.p999_ns = m.age.max_ns = 20 * NS_PER_S;
    assert_int_equal(fresh_with(&m), NS_PER_S);
}

/* The 99.9th percentile alone does not order them: of few readings the 99th counts, four times. */
static void of_two_lanes_the_later_is_told_by_what_its_ages_ask_for(void **state)
{
    const struct measured_spread few = {1200, 100, NS_PER_MS, 5 * NS_PER_MS, 6 * NS_PER_MS};
    const struct measured_spread many = {1000000, 100, 3 * NS_PER_MS, 4900 * NS_PER_US, 6 * NS_PER_MS};
    const struct measured_spread hardly = {999, 100, NS_PER_S, NS_PER_S, NS_PER_S};
    (void)state;
    assert_int_equal(fresh_age_ns(&few), 4 * NS_PER_MS);
    assert_int_equal(fresh_age_ns(&many), 9800 * NS_PER_US);
    assert_int_equal(fresh_age_ns(&hardly), -1);
}

static void t_fresh_never_leaves_what_it_may_be(void **state)
{
    unsigned seed = 20261122;
    (void)state;
    for (int i = 0; i < 100000; i++) {
        int64_t period_ns = 1 + rand_r(&seed), bound_ns = rand_r(&seed) % NS_PER_S, lease_ns = rand_r(&seed);
        struct measured m = {.age = {.n = rand_r(&seed) % 20000, .p99_ns = rand_r(&seed),
                                     .p999_ns = rand_r(&seed)},
                             .hiccups = {.span_ns = rand_r(&seed) % 2, .longest_ns = rand_r(&seed)}};
        int64_t fresh_ns = fresh_measured_ns(&m, period_ns, bound_ns, lease_ns);
        int64_t least_ns = 2 * period_ns + bound_ns, most_ns = lease_ns > least_ns ? lease_ns : least_ns;
        bool known = m.hiccups.span_ns || m.age.n >= FRESH_SAMPLES_P99;
        assert_true(known ? fresh_ns >= least_ns && fresh_ns <= most_ns : fresh_ns == -1);
    }
}

static void t_fresh_that_was_not_measured_is_refused_in_its_place(void **state)
{
    struct written_site w;
    (void)state;
    load_fresh(&w, "", "measured", "");
    assert_int_equal(w.rc, -EINVAL);
    assert_non_null(strstr(w.report, ":5:48: error: fresh is measured, but the row of this server holds no "
                           "measurement of hiccups, nor of 1000 readings' ages"));
    load_fresh(&w, "", "mesured", "");
    assert_int_equal(w.rc, -EINVAL);
}

/* A machine that is no server of the site, and asks for none: what it shows is of the longest response. */
static void away_from_the_server_t_fresh_is_the_longest_and_a_warning(void **state)
{
    struct written_site w;
    (void)state;
    load_for(&w, "", "policy: {lease: 800ms}\n", "measured", "");
    if (w.rc)
        fail_msg("%s", w.report);
    assert_int_equal(w.site.model.meter[0].fresh_ns, 800 * NS_PER_MS);
    assert_true(w.site.meter[0].fresh_measured);
    assert_non_null(strstr(w.site.warnings, ":6:48: warning: fresh is measured, and no row of servers fits "
                           "this machine: 800ms is taken here, the longest it can be\n"));
    site_unload(&w.site);
    load_for(&w, "", "", "40ms", "");
    assert_int_equal(w.rc, 0);
    assert_null(strstr(w.site.warnings, "fresh is measured"));
    site_unload(&w.site);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_reads_back_the_same),
        cmocka_unit_test(what_was_not_measured_is_not_written),
        cmocka_unit_test(times_are_rounded_up_as_they_will_be_read),
        cmocka_unit_test(a_time_of_day_is_utc_and_exact),
        cmocka_unit_test(a_block_that_is_wrong_is_refused_with_its_place),
        cmocka_unit_test(needs_follow_from_the_figures),
        cmocka_unit_test(a_ring_that_lost_frames_below_the_need_is_too_small),
        cmocka_unit_test(a_core_that_readings_fill_has_no_room_for_reports),
        cmocka_unit_test(terms_below_the_needs_are_warned_of_where_they_stand),
        cmocka_unit_test(figures_of_another_machine_or_another_year_are_stale),
        cmocka_unit_test(t_fresh_follows_from_what_was_measured_and_how_often),
        cmocka_unit_test(of_two_lanes_the_later_is_told_by_what_its_ages_ask_for),
        cmocka_unit_test(t_fresh_never_leaves_what_it_may_be),
        cmocka_unit_test(t_fresh_that_was_not_measured_is_refused_in_its_place),
        cmocka_unit_test(away_from_the_server_t_fresh_is_the_longest_and_a_warning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
