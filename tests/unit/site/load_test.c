/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "site/derive.h"
#include "written_site.h"

#define TYPE \
    "host_types:\n" \
    "  - {id: gpu, cap: {min: 1600W, max: 8kW}, base: 1500W, efficiency: 96%, phys_max: 10.3kW, actuation: " \
    "120ms}\n"

static void load_shipped(struct site *site, const char *name)
{
    char path[512];

    snprintf(path, sizeof path, "%s/config/%s", getenv("SOURCE_ROOT"), name);
    assert_int_equal(site_load(site, path, NULL, stderr), 0);
    written_site_check_model(&site->model);
}

static void the_demo_site_has_the_figures_worked_out_by_hand(void **state)
{
    struct site site;

    (void)state;
    load_shipped(&site, "demo/site.yaml");
    const struct model *m = &site.model;
    const struct model_node *branch = &m->node[written_site_node(&site, "branch-a")];
    const struct model_node *rack = &m->node[written_site_node(&site, "rack-a1")];
    const struct model_node *top = &m->node[written_site_node(&site, "main")];

    assert_int_equal(m->mode, MODE_ENFORCE);
    assert_int_equal(m->node_count, 9);
    assert_int_equal(m->host_count, 60);
    assert_int_equal(m->meter_count, 9);
    assert_int_equal(m->contingency_count, 1);
    assert_string_equal(m->contingency[0].name, "none");
    assert_int_equal(branch->steady_ma, 249375);
    assert_int_equal(branch->volts_low_mv, 263271);
    for (uint32_t ph = 0; ph < PHASES; ph++) {
        assert_int_equal(branch->limit_mva[0][ph], 65653205);
        assert_int_equal(rack->limit_mva[0][ph], 31592520);     /* 120 A x 263.271 V */
        /* (10300 - 3250) W / 0.98 x 0.333334 = 2397.9639... VA */
        assert_int_equal(branch->bad_mva[0][ph], 2397964);
        assert_int_equal(rack->bad_mva[0][ph], 0);
        /* 1 kW at power factor 0.9, a third per phase; the main sees both branches */
        assert_int_equal(branch->other_mva[ph], 370371);
        assert_int_equal(top->other_mva[ph], 740742);
    }
    assert_int_equal(top->host_below, 60);
    assert_int_equal(branch->host_below, 30);
    assert_int_equal(branch->host_count, 0);
    assert_int_equal(rack->host_count, 10);
    assert_int_equal(m->type[0].gain_ppm, 1093750);
    assert_int_equal(m->type[0].boot_mw, 12300000);
    assert_int_equal(m->policy.lease_ns, NS_PER_S);
    assert_int_equal(m->policy.report_ns, 100 * NS_PER_MS);
    assert_int_equal(m->policy.rho_ppm, 10000);
    site_unload(&site);
}

static void a_row_with_a_count_becomes_hosts_at_consecutive_addresses(void **state)
{
    struct site site;

    (void)state;
    load_shipped(&site, "demo/site.yaml");
    uint32_t first = written_site_host(&site, "a2-01"), last = written_site_host(&site, "a2-10");

    assert_int_equal(last, first + 9);
    assert_int_equal(site.host_address[first].ipv4, 0xCB007115);    /* 203.0.113.21 */
    assert_int_equal(site.host_address[last].ipv4, 0xCB00711E);
    assert_int_equal(site.host_address[first].port, 7002);          /* of the port to the hosts */
    assert_int_equal(site.model.host[first].fail_safe_mw, 1600000);
    assert_int_equal(site.model.host[first].floor_mw, 1600000);
    assert_int_equal(site.model.host[first].weight, 1);
    site_unload(&site);
}

static void the_row_of_this_server_is_chosen_and_default_stands_in(void **state)
{
    static const char text[] = "site: t\nnodes:\n  - {id: n, kind: main, volts: 400V, rating: 100A}\n"
                               "servers:\n"
                               "  - {name: default, priority: 10, ports: [{driver: synthetic, interface: a, "
                               "address: 10.0.0.1, udp: 7001}]}\n"
                               "  - name: alpha\n"
                               "    cores: {lane: 2, decide: 3}\n"
                               "    rt_throttling: lift\n"
                               "    idle_cores: awake\n"
                               "    interrupts: away\n"
                               "    scheduler: deadline\n"
                               "    deadline: {runtime: 4.8ms, period: 5ms}\n"
                               "    hugepages: no\n"
                               "    memory: 1GiB\n"
                               "    ports:\n"
                               "      - {role: hosts, driver: af_packet, interface: h, address: 10.0.1.1, "
                               "udp: 7002, mac: '02:00:00:00:00:0B'}\n"
                               "      - {role: meters, driver: af_xdp, interface: m, address: 10.0.2.1, udp: "
                               "7001, mtu: 9000, ring: 1024}\n";
    struct written_site w;

    (void)state;
    written_site_load(&w, text, "alpha");
    assert_int_equal(w.rc, 0);
    const struct site_server *s = &w.site.server;

    assert_string_equal(s->name, "alpha");
    assert_int_equal(s->port_count, 2);
    assert_string_equal(s->port[0].driver, "af_xdp"); /* meters first, whatever the order in the file */
    assert_int_equal(s->port[0].mtu, 9000);
    assert_int_equal(s->port[0].ring_frames, 1024);
    assert_string_equal(s->port[1].interface, "h");
    assert_true(s->port[1].own.has_mac);
    assert_int_equal(s->port[1].own.mac[5], 0x0b);
    assert_int_equal(s->lane_core[0], 2);
    assert_int_equal(s->decide_core, 3);
    assert_int_equal(s->housekeeping_core, -1);
    assert_int_equal(s->memory_mib, 1024);
    assert_true(s->lift_rt_throttling);
    assert_true(s->hold_awake);
    assert_true(s->interrupts_away);
    assert_int_equal(s->deadline_runtime_ns, 4800 * NS_PER_US);
    assert_int_equal(s->deadline_period_ns, 5 * NS_PER_MS);
    assert_false(s->hugepages);
    site_unload(&w.site);

    written_site_load(&w, text, NULL);
    assert_int_equal(w.rc, 0);
    assert_string_equal(w.site.server.name, "default");
    assert_int_equal(w.site.server.lane_core[0], -1);
    assert_int_equal(w.site.server.priority, 10);
    assert_int_equal(w.site.server.deadline_period_ns, 0);
    assert_false(w.site.server.interrupts_away);
    site_unload(&w.site);

    written_site_load(&w, text, "beta");
    assert_int_equal(w.rc, -EINVAL);
    assert_non_null(strstr(w.report, ":5:3: error: there is no server 'beta'"));
}

static void a_site_without_a_row_for_this_machine_loads_only_where_that_is_asked_for(void **state)
{
    static const char text[] = "site: t\nnodes:\n  - {id: n, kind: main, volts: 400V, rating: 100A}\n"
                               "servers:\n"
                               "  - {name: some.other.machine, ports: [{driver: synthetic, interface: a, "
                               "address: 10.0.0.1, udp: 7001}]}\n";
    struct written_site w;

    (void)state;
    written_site_load(&w, text, NULL);
    assert_int_equal(w.rc, -EINVAL);
    assert_non_null(strstr(w.report, ":5:3: error: no row of servers fits host"));
    written_site_load(&w, text, "");
    assert_int_equal(w.rc, 0);
    assert_int_equal(w.site.server.port_count, 0);
    site_unload(&w.site);
}

static void losing_a_feed_moves_its_load_to_the_other_cord(void **state)
{
    struct site site;

    (void)state;
    load_shipped(&site, "dual-feed.yaml");
    const struct model *m = &site.model;
    const struct model_host *dual = &m->host[written_site_host(&site, "r1-07")];
    const struct model_host *behind_switch = &m->host[written_site_host(&site, "store-2")];

    assert_int_equal(m->contingency_count, 3);
    assert_string_equal(m->contingency[1].name, "ups-a");
    assert_string_equal(m->contingency[2].name, "ups-b");
    assert_int_equal(dual->cord[0].share_ppm[0], 550000);
    assert_int_equal(dual->cord[0].share_ppm[1], 0);
    assert_int_equal(dual->cord[1].share_ppm[1], 1000000);
    assert_int_equal(dual->cord[0].share_ppm[2], 1000000);
    assert_int_equal(dual->cord[1].share_ppm[2], 0);
    for (uint32_t c = 0; c < 3; c++) /* a transfer switch keeps its host through either loss */
        assert_int_equal(behind_switch->cord[0].share_ppm[c], 1000000);
    assert_int_equal(m->node[written_site_node(&site, "ups-a")].limit_mva[1][0], DERIVE_NO_LIMIT);
    assert_int_equal(m->node[written_site_node(&site, "busway-a1")].limit_mva[1][0], DERIVE_NO_LIMIT);
    assert_true(m->node[written_site_node(&site, "busway-b1")].limit_mva[1][0] < DERIVE_NO_LIMIT);
    assert_true(m->node[written_site_node(&site, "sts")].limit_mva[1][0] < DERIVE_NO_LIMIT);
    /* the worst is the whole gap of two hosts after the loss, half and 5 % before: k = 2 */
    assert_true(m->node[written_site_node(&site, "busway-b1")].bad_mva[1][0] >
                m->node[written_site_node(&site, "busway-b1")].bad_mva[0][0] * 18 / 10);
    site_unload(&site);
}

static void a_host_without_any_cord_left_draws_nothing_and_is_named_in_a_warning(void **state)
{
    struct written_site w;

    (void)state;
    written_site_load(&w,
                      "site: t\nnodes:\n"
                      "  - {id: a, kind: main, volts: 400V, rating: 100A}\n"
                      "  - {id: b, kind: main, volts: 400V, rating: 100A}\n" TYPE
                      "hosts:\n"
                      "  - {id: one, type: gpu, cord: a, single_corded: yes, address: 10.0.0.1}\n"
                      "  - {id: three, type: gpu, cords: [a, {node: b, psus: 2}, b], address: 10.0.0.2}\n"
                      "redundancy: {scheme: N+1, may_lose: [a]}\n",
                      NULL);
    assert_int_equal(w.rc, 0);
    const struct model *m = &w.site.model;
    const struct model_host *one = &m->host[written_site_host(&w.site, "one")];
    const struct model_host *three = &m->host[written_site_host(&w.site, "three")];

    assert_int_equal(one->cord[0].share_ppm[0], 1000000);
    assert_int_equal(one->cord[0].share_ppm[1], 0);
    assert_int_equal(three->cord[0].share_ppm[0], 300000);      /* one supply of four */
    assert_int_equal(three->cord[1].share_ppm[0], 550000);
    assert_int_equal(three->cord[1].share_ppm[1], 716667);      /* two of three, up */
    assert_int_equal(three->cord[2].share_ppm[1], 383334);
    assert_non_null(
        strstr(w.site.warnings, "one goes dark on loss of a: 0 PSUs left, 1 needed (single_corded)"));
    site_unload(&w.site);
}

static void a_host_with_two_cords_below_a_node_disobeys_there_with_both(void **state)
{
    struct written_site w;

    (void)state;
    written_site_load(&w,
                      "site: t\nnodes:\n  - {id: a, kind: main, volts: 400V, rating: 100A, k: 1}\n" TYPE
                      "hosts:\n"
                      "  - {id: h, count: 3, type: gpu, cords: [a, a], address: 10.0.0.1}\n",
                      NULL);
    assert_int_equal(w.rc, 0);
    /* (10300 - 3250) W x 0.55 / 0.95 x 0.333334 = 1360529.04 mVA on each of two cords, each rounded up */
    assert_int_equal(w.site.model.node[0].bad_mva[0][0], 2 * 1360530);
    site_unload(&w.site);
}

static void a_short_tree_takes_volts_and_phases_from_above_and_defaults_elsewhere(void **state)
{
    struct site site;

    (void)state;
    load_shipped(&site, "small-room.yaml");
    const struct model_node *row = &site.model.node[1];

    assert_string_equal(row->name, "row");
    assert_int_equal(row->phases, 3);
    assert_int_equal(row->volts_ln_mv, 230940);
    assert_int_equal(row->steady_ma, 50400);
    assert_int_equal(site.model.mode, MODE_SHADOW);
    assert_int_equal(site.model.policy.tick_ns, 20 * NS_PER_MS);
    assert_int_equal(site.model.policy.sag_pct.high, 900000);
    assert_int_equal(site.model.policy.sag_pct.low, 920000);
    assert_int_equal(site.model.meter[0].fresh_ns, 100 * NS_PER_MS);
    assert_int_equal(site.server.port_count, 0);
    site_unload(&site);
}

static void single_phase_and_unbalanced_load_stays_on_its_phases(void **state)
{
    struct site site;

    (void)state;
    load_shipped(&site, "every-key.yaml");
    const struct model_node *row = &site.model.node[written_site_node(&site, "row")];
    const struct model_node *bus = &site.model.node[written_site_node(&site, "bus")];
    const struct model_host *lone = &site.model.host[written_site_host(&site, "lone")];

    assert_int_equal(row->other_mva[0], 3000000);       /* 2 kVA and a step of 1 kVA */
    assert_int_equal(row->other_mva[1], 1000000);
    assert_int_equal(row->other_mva[2], 1111112);       /* 1 kW / 0.9, up */
    assert_int_equal(row->steady_ma, 480000);           /* 0.8 x 600 A < 0.96 x 0.9975 x 600 A < 560 A */
    assert_int_equal(row->instant_peak_ma, 3245618);    /* 0.85 x sqrt 2 x 0.9 x 3 kA */
    assert_int_equal(bus->limited, 0);
    assert_int_equal(bus->limit_mva[0][0], DERIVE_NO_LIMIT);
    assert_int_equal(bus->other_mva[0], 3000000);       /* what hangs below loads it too */
    assert_int_equal(bus->parent_count, 2);
    assert_int_equal(bus->ancestor_count, 5);           /* bus, ups, tx, street, bypass */
    assert_int_equal(lone->cord[0].phase_ppm[0], 0);
    assert_int_equal(lone->cord[0].phase_ppm[1], 1000000);
    assert_int_equal(lone->cord[0].phase_ppm[2], 0);
    const struct model_host *twin = &site.model.host[written_site_host(&site, "twin")];

    assert_int_equal(twin->cord[0].share_ppm[0], 700000); /* as written, not 2/3 and 5 % */
    assert_int_equal(twin->cord[1].share_ppm[0], 400000);
    site_unload(&site);
}

/* Three of six may be lost without a needless fail-safe. */
static void hosts_report_six_times_a_lease_at_the_least(void **state)
{
    struct written_site w;

    (void)state;
    written_site_load(&w, "site: t\npolicy: {lease: 1200ms, report: 200ms}\nnodes:\n"
                          "  - {id: m, kind: main, volts: 400V, rating: 100A}\n", NULL);
    assert_int_equal(w.rc, 0);
    assert_int_equal(w.site.model.policy.report_ns, 200 * NS_PER_MS);
    site_unload(&w.site);
    written_site_load(&w, "site: t\npolicy: {lease: 1199ms, report: 200ms}\nnodes:\n"
                          "  - {id: m, kind: main, volts: 400V, rating: 100A}\n", NULL);
    assert_int_equal(w.rc, -22);
    assert_non_null(strstr(w.report, "report 200ms is longer than a sixth of lease 1199ms"));
}

static void a_site_with_an_error_leaves_nothing_behind(void **state)
{
    struct written_site w;

    (void)state;
    written_site_load(&w, "site: t\nnodes: []\n", NULL);
    assert_int_equal(w.rc, -EINVAL);
    assert_null(w.site.memory);
    assert_null(w.site.warnings);
    assert_non_null(strstr(w.report, ":2:8: error: nodes is empty"));
    assert_int_equal(site_load(&w.site, "/nonexistent/site.yaml", NULL, stderr), -ENOENT);
}

static void hundreds_of_errors_are_counted_and_a_hundred_shown(void **state)
{
    char *text = NULL;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    struct site site;
    char path[] = "/tmp/flyball-site-XXXXXX";
    int fd = mkstemp(path);
    char *report = NULL;
    size_t report_bytes;
    FILE *to = open_memstream(&report, &report_bytes);
    uint32_t lines = 0;

    (void)state;
    fprintf(out, "site: t\nnodes:\n");
    for (int i = 0; i < 250; i++)
        fprintf(out, "  - {id: n%d, kind: main, volts: 400V, rating: %d}\n", i, i);
    fclose(out);
    FILE *file = fdopen(fd, "w");

    fwrite(text, 1, bytes, file);
    fclose(file);
    assert_int_equal(site_load(&site, path, NULL, to), -EINVAL);
    fclose(to);
    remove(path);
    for (const char *c = report; *c; c++)
        lines += *c == '\n';
    assert_int_equal(lines, 101);
    assert_non_null(strstr(report, "150 more like these are not shown"));
    free(report);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_demo_site_has_the_figures_worked_out_by_hand),
        cmocka_unit_test(a_row_with_a_count_becomes_hosts_at_consecutive_addresses),
        cmocka_unit_test(the_row_of_this_server_is_chosen_and_default_stands_in),
        cmocka_unit_test(a_site_without_a_row_for_this_machine_loads_only_where_that_is_asked_for),
        cmocka_unit_test(losing_a_feed_moves_its_load_to_the_other_cord),
        cmocka_unit_test(a_host_without_any_cord_left_draws_nothing_and_is_named_in_a_warning),
        cmocka_unit_test(a_host_with_two_cords_below_a_node_disobeys_there_with_both),
        cmocka_unit_test(a_short_tree_takes_volts_and_phases_from_above_and_defaults_elsewhere),
        cmocka_unit_test(single_phase_and_unbalanced_load_stays_on_its_phases),
        cmocka_unit_test(hosts_report_six_times_a_lease_at_the_least),
        cmocka_unit_test(a_site_with_an_error_leaves_nothing_behind),
        cmocka_unit_test(hundreds_of_errors_are_counted_and_a_hundred_shown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
