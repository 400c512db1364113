/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's document in words and tables, worked out by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/status/status.h"

enum { PAGE_LINES = 60, COLUMNS = 100 };

static const char head[] = "\"site\": \"s\", \"mode\": \"enforce\", \"epoch\": 17, \"uptime_s\": 5.04, "
                           "\"verdict\": \"alarm\", \"words\": \"w\"";

/* What is printed of a document, to be freed. */
static char *print(json_t *document, const struct status_choice *choice)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    assert_non_null(document);
    status_print(out, document, choice);
    assert_int_equal(fclose(out), 0);
    json_decref(document);
    return text;
}

static char *print_text(const char *members, uint32_t parts, bool whole, bool zeros)
{
    char *text = NULL;
    struct status_choice choice = {.parts = parts, .whole = whole, .zeros = zeros, .columns = COLUMNS};
    json_error_t error;
    assert_true(asprintf(&text, "{%s, %s}", head, members) > 0);
    json_t *document = json_loads(text, 0, &error);
    if (!document)
        fail_msg("%s in %s", error.text, text);
    free(text);
    return print(document, &choice);
}

static void check(char *text, const char *expected)
{
    assert_string_equal(text, expected);
    free(text);
}

#define HEAD "alarm: w\nsite s, mode enforce, epoch 17, up 5.0 s\n"
#define NODES_HEADING \
    "\nnode                 kind                load A   limit A      load   exposed    leased\n"

static void a_node_has_one_line_where_its_phases_are_alike_and_one_each_where_they_differ(void **state)
{
    (void)state;
#define PHASE(letter, load) \
    "{\"phase\": \"" letter "\", \"load_a\": " load \
    ", \"exposure_a\": 90, \"leased_a\": 80, \"limit_a\": 200}"
    static const char nodes[] =
        "\"nodes\": [{\"id\": \"calm\", \"kind\": \"rack\", \"worst_phase\": \"A\", \"phases\": ["
        PHASE("A", "50") "," PHASE("B", "50") "," PHASE("C", "50.01") "]},"
        "{\"id\": \"skew\", \"kind\": \"branch\", \"worst_phase\": \"B\", \"emergency\": true, \"phases\": ["
        PHASE("A", "50") "," PHASE("B", "210.5") "," PHASE("C", "null") "]},"
        "{\"id\": \"bus\", \"kind\": \"main\", \"worst_phase\": \"A\", \"recovery\": true, \"phases\": ["
        "{\"phase\": \"A\", \"load_a\": null, \"exposure_a\": 7, \"leased_a\": 7, \"limit_a\": null}]}]";
    check(
        print_text(nodes, STATUS_NODES, true, false), HEAD NODES_HEADING
        "skew                 branch       B*      210.5     200.0   105.2 %    45.0 %    40.0 %  EMERGENCY\n"
        "                                  A        50.0     200.0    25.0 %    45.0 %    40.0 %\n"
        "                                  C           -     200.0         -    45.0 %    40.0 %\n"
        "bus                  main         A           -      none         -         -         -  recovery\n"
        "calm                 rack         ABC      50.0     200.0    25.0 %    45.0 %    40.0 %\n"
        "* the worst phase; load as metered, leased once all that was sent is obeyed\n");
#undef PHASE
}

static void how_the_time_is_known_stands_in_the_third_line(void **state)
{
    (void)state;
    check(print_text("\"clock\": {\"source\": \"ptp\", \"state\": \"locked\", \"fault\": \"none\", "
                     "\"system_offset_ns\": -2540, \"uncertainty_ns\": 1260, "
                     "\"grandmaster\": \"001122.fffe.334455\"}", 0, true, false),
          HEAD "time locked, known within 1.3 us, system clock -2.5 us ahead, source ptp, "
          "grandmaster 001122.fffe.334455\n");
    check(print_text("\"clock\": {\"source\": \"system\", \"state\": \"unsync\", \"fault\": \"no_master\", "
                     "\"system_offset_ns\": 0, \"uncertainty_ns\": null, \"grandmaster\": null}", 0, true,
                     false),
          HEAD "time unsync (no_master), source system\n");
}

/* Columns of what may be lost stand where a site declares it; the worst of all counts in the order. */
static void a_node_shows_the_loss_that_leaves_it_least_room(void **state)
{
    (void)state;
#define NODE(name, tightest) \
    "{\"id\": \"" name "\", \"kind\": \"branch\", \"worst_phase\": \"A\", \"tightest\": " tightest ", " \
    "\"phases\": [{\"phase\": \"A\", \"load_a\": 50, \"exposure_a\": 90, \"leased_a\": 80, " \
    "\"limit_a\": 200}]}"
    static const char nodes[] =
        "\"nodes\": [" NODE("bus", "null") ","
        NODE("calm", "{\"contingency\": \"none\", \"phase\": \"A\", \"exposure_a\": 90, \"limit_a\": 200}")
        "," NODE("feed-b", "{\"contingency\": \"feed-a\", \"phase\": \"A\", \"exposure_a\": 194.6, "
                           "\"limit_a\": 210}") "]";
    check(
        print_text(nodes, STATUS_NODES, true, false), HEAD
        "\nnode                 kind                load A   limit A      load   exposed    leased     worst "
        "on loss of\n"
        "feed-b               branch       A        50.0     200.0    25.0 %    45.0 %    40.0 %    92.7 % "
        "feed-a    \n"
        "bus                  branch       A        50.0     200.0    25.0 %    45.0 %    40.0 %         - "
        "-         \n"
        "calm                 branch       A        50.0     200.0    25.0 %    45.0 %    40.0 %    45.0 % "
        "-         \n"
        "* the worst phase; load as metered, leased once all that was sent is obeyed\n"
        "worst: exposed in the loss and phase that leave least room, of the limit there\n");
#undef NODE
}

/* Columns of heat stand where at least one node has a curve; the larger of heat and travel counts. */
static void a_node_with_a_curve_shows_its_heat_and_when_it_trips(void **state)
{
    (void)state;
    static const char nodes[] =
        "\"nodes\": [{\"id\": \"hot\", \"kind\": \"branch\", \"worst_phase\": \"A\", \"emergency\": true, "
        "\"heat_pct\": 93.25, \"travel_pct\": 12.5, \"trip_in_s\": 17.68, \"phases\": ["
        "{\"phase\": \"A\", \"load_a\": 50, \"exposure_a\": 90, \"leased_a\": 80, \"limit_a\": 200}]},"
        "{\"id\": \"relay\", \"kind\": \"main\", \"worst_phase\": \"A\", \"heat_pct\": 0, "
        "\"travel_pct\": 40, \"trip_in_s\": null, \"phases\": ["
        "{\"phase\": \"A\", \"load_a\": 20, \"exposure_a\": 60, \"leased_a\": 80, \"limit_a\": 200}]},"
        "{\"id\": \"bus\", \"kind\": \"main\", \"worst_phase\": \"A\", \"heat_pct\": null, \"phases\": ["
        "{\"phase\": \"A\", \"load_a\": null, \"exposure_a\": 7, \"leased_a\": 7, \"limit_a\": null}]}]";
    check(
        print_text(nodes, STATUS_NODES, true, false), HEAD
        "\nnode                 kind                load A   limit A      load   exposed    leased      "
        "heat  trips in\n"
        "hot                  branch       A        50.0     200.0    25.0 %    45.0 %    40.0 %    93.2 %  "
        "    17 s  EMERGENCY\n"
        "relay                main         A        20.0     200.0    10.0 %    30.0 %    40.0 %    40.0 %  "
        "   never\n"
        "bus                  main         A           -      none         -         -         -         -  "
        "       -\n"
        "* the worst phase; load as metered, leased once all that was sent is obeyed\n"
        "heat of what trips, at most; trips in at least, were the load to stay\n");
}

/* A column for permits where any node may lend, and words behind for what orders and time do there. */
static void permits_contracts_and_orders_stand_behind_a_nodes_figures(void **state)
{
    (void)state;
#define NODE(name, more) \
    "{\"id\": \"" name "\", \"kind\": \"main\", \"worst_phase\": \"A\", " more ", \"phases\": [" \
    "{\"phase\": \"A\", \"load_a\": 50, \"exposure_a\": 90, \"leased_a\": 80, \"limit_a\": 200}]}"
    static const char nodes[] =
        "\"nodes\": [" NODE("a", "\"permit\": \"frozen\", \"breach\": true, \"contract_w\": 51000, "
                                  "\"maintenance\": \"lowering\", \"held\": true") ","
        NODE("b", "\"permit\": \"none\", \"maintenance\": \"none\", \"held\": false, \"recovery\": true, "
                  "\"recovery_by\": \"a host reset\", \"recovery_for_s\": 12.34, \"recovery_silent\": 2, "
                  "\"recovery_bad\": 1, \"recovery_overdue\": true") ","
        NODE("c", "\"emergency\": true, \"emergency_stage\": \"fail_safe\", "
                  "\"emergency_stage_for_s\": 0.25, \"shed_state\": \"done\", \"held\": true") "]";
    check(
        print_text(nodes, STATUS_NODES, true, false), HEAD
        "\nnode                 kind                load A   limit A      load   exposed    leased      "
        "permit\n"
        "c                    main         A        50.0     200.0    25.0 %    45.0 %    40.0 %           -"
        "  EMERGENCY: fail_safe for 0.2 s  shed: done  raises wait\n"
        "b                    main         A        50.0     200.0    25.0 %    45.0 %    40.0 %           -"
        "  recovery: a host reset, for 12.3 s, held by 2 silent and 1 disobeying hosts, OVERDUE\n"
        "a                    main         A        50.0     200.0    25.0 %    45.0 %    40.0 %      frozen"
        "  above its contract of 51.0 kW  take out: lowering  raises wait\n"
        "* the worst phase; load as metered, leased once all that was sent is obeyed\n");
#undef NODE
}

/* Load that no lease governs stands there where meters found more of it than the site file has, and where it
 * leaves hosts less than their fail-safe caps. */
static void load_that_meters_found_stands_behind_a_nodes_figures(void **state)
{
    (void)state;
#define NODE(name, more) \
    "{\"id\": \"" name "\", \"kind\": \"main\", \"worst_phase\": \"A\", " more ", \"phases\": [" \
    "{\"phase\": \"A\", \"load_a\": 50, \"exposure_a\": 90, \"leased_a\": 80, \"limit_a\": 200}]}"
    static const char nodes[] =
        "\"nodes\": [" NODE("a", "\"other_a\": 7.5, \"other_learnt_a\": 0, \"outgrown\": false") ","
        NODE("b", "\"other_a\": 7.5, \"other_learnt_a\": 12.34, \"outgrown\": false, "
                  "\"maintenance\": \"lowering\", \"shed_state\": \"done\"") ","
        NODE("c", "\"other_a\": 0, \"other_learnt_a\": 161.5, \"outgrown\": true, \"held\": true") "]";
    check(
        print_text(nodes, STATUS_NODES, true, false), HEAD NODES_HEADING
        "b                    main         A        50.0     200.0    25.0 %    45.0 %    40.0 %"
        "  take out: lowering  other load: 12.3 A measured beyond the site file's 7.5 A  shed: done\n"
        "a                    main         A        50.0     200.0    25.0 %    45.0 %    40.0 %\n"
        "c                    main         A        50.0     200.0    25.0 %    45.0 %    40.0 %"
        "  other load: 161.5 A measured beyond the site file's 0.0 A, MORE THAN FAIL-SAFE LEAVES"
        "  raises wait\n"
        "* the worst phase; load as metered, leased once all that was sent is obeyed\n");
#undef NODE
}

static void meters_come_by_state_then_age_with_the_state_in_a_word(void **state)
{
    (void)state;
    static const char meters[] =
        "\"meters\": [{\"id\": \"m1\", \"node\": \"n1\", \"state\": \"ok\", \"age_ms\": 20.04, \"fresh_ms\": "
        "100, "
        "\"power_w\": 309400, \"current_a\": 381.2, \"voltage_v\": 276.44, \"stale\": 3},"
        "{\"id\": \"m2\", \"node\": \"n2\", \"state\": \"silent\", \"age_ms\": null, \"fresh_ms\": 100}]";
    check(
        print_text(meters, STATUS_METERS, true, false), HEAD
        "\nmeter                node                 state      age ms  fresh ms        kW         A         "
        "V\n"
        "m2                   n2                   silent  never heard\n"
        "m1                   n1                   ok           20.0     100.0     309.4     381.2     276.4"
        "  3 refused as stale\n");
}

static void hosts_are_summed_up_and_those_without_a_lease_in_force_listed(void **state)
{
    (void)state;
    static const char hosts[] =
        "\"hosts\": [{\"id\": \"h1\", \"state\": \"leased\", \"lease_w\": 4200, \"exposure_w\": 6100, "
        "\"exposed_by\": \"lease\", \"draw_w\": 5900, \"report_age_ms\": 12.4, \"incarnation\": \"00ab\", "
        "\"quiet\": false, \"accepted\": true, \"why\": \"share\"},"
        "{\"id\": \"h2\", \"state\": \"unheard\", \"lease_w\": null, \"exposure_w\": 10300, "
        "\"exposed_by\": \"unheard\", \"draw_w\": null, \"report_age_ms\": null, \"incarnation\": null, "
        "\"quiet\": true, \"accepted\": false, \"why\": \"-\"}]";
#define SUMMARY HEAD "\nhosts 2: 1 leased, 0 fail_safe, 0 boot, 1 unheard; 1 count at phys_max; " \
    "draw 5.9 kW, exposed 16.4 kW\n" \
    "host             state      lease kW  draw kW  exposed  exposed by     report ms  incarnation" \
    "      why\n" \
    "h2               unheard           -        -     10.3  unheard                -  -                -\n"
    check(print_text(hosts, STATUS_HOSTS, false, false), SUMMARY);
    check(print_text(hosts, STATUS_HOSTS, true, false),
          SUMMARY "h1               leased          4.2      5.9      6.1  lease                 12  00ab    "
                  "         share\n");
#undef SUMMARY
}

/* Rows that somebody is in, with what flyball does about it; all of them where the part was asked for. */
static void what_is_degraded_is_told_with_what_is_done_about_it(void **state)
{
    (void)state;
    static const char rows[] =
        "\"degraded\": [{\"row\": \"meter\", \"lost\": \"a meter\", \"does\": \"steady limits\", "
        "\"now\": 2, \"since_s\": 12.34, \"newest\": \"m-main\", \"entered\": 5, \"left\": 3},"
        "{\"row\": \"ring\", \"lost\": \"places\", \"does\": \"shed\", \"now\": 0, \"since_s\": null, "
        "\"newest\": null, \"entered\": 1, \"left\": 1}]";
#define ROWS HEAD "\ndegraded      now    since  newest                           entered     left\n" \
    "meter           2     12 s  m-main                                 5        3\n" \
    "  a meter\n  -> steady limits\n"
    check(print_text(rows, STATUS_DEGRADED, false, false), ROWS);
    check(print_text(rows, STATUS_DEGRADED, true, false),
          ROWS "ring            0        -  -                                      1        1\n");
    check(print_text("\"degraded\": []", STATUS_DEGRADED, false, false), HEAD);
#undef ROWS
}

static const char counters[] =
    "\"counters\": {\"lanes\": [{\"interface\": \"eth.0\", \"frames\": 5, \"refused\": {\"stale\": 2}, "
    "\"port\": {\"lost\": 0}}], \"core\": {\"cuts\": 7, \"ticks_missed\": 1}, \"new\": {\"thing\": 9}}";

static void counters_are_told_with_their_meaning(void **state)
{
    (void)state;
    check(print_text(counters, STATUS_COUNTERS, true, false), HEAD "\ncounters\n"
          "lanes[eth.0].frames                                   5  frames received\n"
          "lanes[eth.0].refused.stale                            2  the reading is older than T_fresh\n"
          "core.cuts                                             7  leases below the newest one\n"
          "core.ticks_missed                                     1  ticks that a stall swallowed\n"
          "new.thing                                             9  \n");
    char *text = print_text(counters, STATUS_COUNTERS, true, true);
    assert_non_null(
        strstr(text, "lanes[eth.0].port.lost                                0  frames that arrived and"));
    free(text);
}

static void a_page_tells_only_the_counters_that_should_not_move(void **state)
{
    (void)state;
    check(print_text(counters, STATUS_COUNTERS, false, false),
          HEAD "\ncounters that do not move while all is well\n"
          "lanes[eth.0].refused.stale                            2  the reading is older than T_fresh\n"
          "core.ticks_missed                                     1  ticks that a stall swallowed\n"
          "new.thing                                             9  \n");
    check(print_text("\"counters\": {\"core\": {\"cuts\": 7, \"alarms\": 3}}", STATUS_COUNTERS, false, false),
          HEAD "\ncounters that do not move while all is well\nnone has moved\n");
}

static void stages_and_queues_are_told(void **state)
{
    (void)state;
    check(print_text(
              "\"latency_us\": {\"loop\": {\"n\": 4025, \"p50\": 18.44, \"p99\": 200.7, \"p999\": 270.3, "
              "\"max\": 346.2}, \"decided\": {\"n\": null}, "
              "\"emergency\": {\"n\": 0, \"p50\": 0, \"p99\": 0, \"p999\": 0, \"max\": 0}}, "
              "\"queues\": {\"lane\": {\"places\": 4096, \"depth\": 3, \"most\": 40}, "
              "\"ring\": {\"places\": 16384, \"depth\": 6613, \"most\": 6613}}",
              STATUS_STAGES, false, false),
          HEAD "\nus from receive               n        p50        p99      p99.9        max\n"
               "loop                       4025       18.4      200.7      270.3      346.2\n"
               "decided              the loop was too busy to tell\n"
               "emergency                     0          -          -          -          -\n"
               "queues, waiting now (most ever) of places: lane 3 (40) of 4096;\n"
               "  the ring keeps the newest 6613 of 16384 slots;\n");
}

static void what_was_old_when_it_came_is_no_miss_of_the_budget(void **state)
{
    (void)state;
    static const char budget[] =
        "\"budget\": {\"budget_ms\": 50.0, \"stages\": ["
        "{\"stage\": \"way\", \"share_ms\": 0.0, \"gap\": 0, \"long\": 0, \"backlog\": 0, \"work\": 0, "
        "\"peer\": 0, \"network\": 40}, "
        "{\"stage\": \"queue\", \"share_ms\": 15.0, \"gap\": 2, \"long\": 1, \"backlog\": 0, \"work\": 0, "
        "\"peer\": 4, \"network\": 0}], \"threads\": [], \"newest\": []}";
    check(print_text(budget, STATUS_BUDGET, false, false),
          HEAD "\nbudget 50.0 ms: 7 missed it; --budget tells where and why\n");
    check(print_text(budget, STATUS_BUDGET, true, false),
          HEAD "\nbudget 50.0 ms: 7 missed it\n"
               "stage      share ms        gap       long    backlog       work       peer    network\n"
               "way             0.0          0          0          0          0          0         40\n"
               "queue          15.0          2          1          0          0          4          0\n"
               "did not run          > 1 ms    > 10 ms    > 20 ms    lost ms    longest      s ago\n");
}

static void a_wait_that_is_more_than_counted_is_told_as_such(void **state)
{
    (void)state;
    char *text = print_text(
        "\"budget\": {\"budget_ms\": 50.0, \"stages\": [], \"threads\": [], \"newest\": ["
        "{\"ago_s\": 2.0, \"ms\": 99.5, \"stage\": \"wait\", \"stage_ms\": 99.2, \"cause\": \"gap\", "
        "\"class\": \"reading\", \"lease\": false, \"emergency\": false, \"at_least\": true, "
        "\"gap_ms\": 99.0, \"of\": \"m-1\"}, "
        "{\"ago_s\": 3.0, \"ms\": 60.5, \"stage\": \"wait\", \"stage_ms\": 50.0, "
        "\"cause\": \"gap\", \"class\": \"reading\", \"lease\": false, \"emergency\": false, "
        "\"at_least\": false, \"gap_ms\": 50.0, \"of\": \"m-1\"}]}", STATUS_BUDGET, true, false);
    assert_non_null(strstr(text, "2.0 s ago     99.500 ms or more  wait took 99.200 ms or more: gap  r"));
    assert_non_null(strstr(text, "3.0 s ago     60.500 ms  wait took 50.000 ms: gap  reading m-1, gaps"));
    free(text);
}

static json_t *many(size_t count, const char *row)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_loads(row, 0, NULL));
    return list;
}

/* 10,000 hosts unheard, 4,096 nodes, 2,048 silent meters and every counter moved: still a page. */
static void the_largest_site_in_trouble_fits_a_page_and_whole_it_does_not(void **state)
{
    (void)state;
    struct status_choice choice = {.parts = STATUS_EVERYTHING, .columns = COLUMNS};
    json_t *document = json_pack("{s:s, s:s}", "verdict", "alarm", "words", "w");
    json_object_set_new(
        document, "nodes",
        many(4096, "{\"id\": \"n\", \"worst_phase\": \"A\", \"phases\": [{\"phase\": \"A\", "
                   "\"load_a\": 1, \"limit_a\": 2}, {\"phase\": \"B\", \"load_a\": 9, \"limit_a\": 2}]}"));
    json_object_set_new(document, "meters", many(2048, "{\"id\": \"m\", \"state\": \"silent\"}"));
    json_object_set_new(document, "hosts", many(10000, "{\"id\": \"h\", \"state\": \"unheard\"}"));
    json_t *moved = json_object(), *core = json_object();
    for (int i = 0; i < 100; i++) {
        char name[16];
        snprintf(name, sizeof name, "x%d", i);
        json_object_set_new(core, name, json_integer(1));
    }
    json_object_set_new(moved, "core", core);
    json_object_set_new(document, "counters", moved);
    for (int whole = 0; whole < 2; whole++) {
        size_t lines = 0;
        choice.whole = whole;
        json_incref(document);
        char *text = print(document, &choice);
        for (char *c = text; (c = strchr(c, '\n')); c++)
            lines++;
        free(text);
        if (whole)
            assert_true(lines > 10000 + 2 * 4096 + 2048 + 100);
        else
            assert_in_range(lines, 30, PAGE_LINES);
    }
    json_decref(document);
}

static void harmonics_stand_behind_a_meter_at_the_point_of_common_coupling(void **state)
{
    (void)state;
#define AT_PCC(limits) \
    "\"meters\": [{\"id\": \"m\", \"node\": \"n\", \"state\": \"fresh\", \"ieee519\": " limits "}]"
    char *text = print_text(AT_PCC("{\"verdict\": \"beyond\", \"why\": \"\", \"demand_a\": 1000, "
                                   "\"demand_from\": \"site file\", \"fault_a\": 15000, \"fault_from\": "
                                   "\"site file\", \"short_circuit_ratio\": 15, \"tdd_percent\": 4.8, "
                                   "\"tdd_limit_percent\": 5, \"worst_order\": 5, "
                                   "\"worst_order_percent\": 4.8, \"worst_order_limit_percent\": 4}"),
                            STATUS_METERS, true, false);
    assert_non_null(strstr(text, "\n  IEEE 519: beyond, TDD 4.80 % of 5.00 %, order 5 4.80 % of 4.00 %\n"
                                 "    by demand 1000.0 A (site file) and fault 15000 A (site file), "
                                 "Isc/IL 15.0\n"));
    free(text);
    text = print_text(AT_PCC("{\"verdict\": \"unknown\", \"why\": \"no fault current\", \"demand_a\": 80, "
                             "\"demand_from\": \"site file\", \"fault_a\": null, \"tdd_percent\": 3}"),
                      STATUS_METERS, true, false);
    assert_non_null(strstr(text, "\n  IEEE 519: unknown, no fault current, TDD 3.00 %\n    by demand 80.0 A "
                                 "(site file)\n"));
    free(text);
    text = print_text(AT_PCC("null"), STATUS_METERS, true, false);
    assert_null(strstr(text, "519"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(how_the_time_is_known_stands_in_the_third_line),
        cmocka_unit_test(a_node_has_one_line_where_its_phases_are_alike_and_one_each_where_they_differ),
        cmocka_unit_test(a_node_shows_the_loss_that_leaves_it_least_room),
        cmocka_unit_test(a_node_with_a_curve_shows_its_heat_and_when_it_trips),
        cmocka_unit_test(permits_contracts_and_orders_stand_behind_a_nodes_figures),
        cmocka_unit_test(load_that_meters_found_stands_behind_a_nodes_figures),
        cmocka_unit_test(meters_come_by_state_then_age_with_the_state_in_a_word),
        cmocka_unit_test(harmonics_stand_behind_a_meter_at_the_point_of_common_coupling),
        cmocka_unit_test(what_is_degraded_is_told_with_what_is_done_about_it),
        cmocka_unit_test(hosts_are_summed_up_and_those_without_a_lease_in_force_listed),
        cmocka_unit_test(counters_are_told_with_their_meaning),
        cmocka_unit_test(a_page_tells_only_the_counters_that_should_not_move),
        cmocka_unit_test(stages_and_queues_are_told),
        cmocka_unit_test(what_was_old_when_it_came_is_no_miss_of_the_budget),
        cmocka_unit_test(a_wait_that_is_more_than_counted_is_told_as_such),
        cmocka_unit_test(the_largest_site_in_trouble_fits_a_page_and_whole_it_does_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
