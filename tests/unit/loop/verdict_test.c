/* SPDX-License-Identifier: Apache-2.0 */
/* The one line at the top, and the words for what stands below it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/permit.h"
#include "loop/view_share.h"
#include "loop/view_words.h"
#include "msg/egress.h"
#include "msg/lease.h"

enum { NODES = 2, HOSTS = 2, METERS = 2 };
#define NOW_NS (INT64_C(100) * NS_PER_S)

struct bed {
    struct view_share share;
    struct view view;
    struct model model;
    struct model_node node[NODES];
    struct model_meter meter[METERS];
    struct model_host host[HOSTS];
    struct verdict verdict;
};

static void write_meter(struct bed *bed, uint32_t meter, int64_t t_receive_ns, int64_t age_ns)
{
    view_write_meter(&bed->view, meter, &(struct view_meter){.t_receive_ns = t_receive_ns, .age_ns = age_ns});
}

static void write_host(struct bed *bed, uint32_t host, int64_t report_t_ns)
{
    const uint64_t word[SEQLOCK_WORDS] = {1, 2, 3, (uint64_t)report_t_ns, 77, HOST_LEASED | 1 << 16};
    seqlock_write(&bed->view.host[host * VIEW_HOST_RECORDS], word);
}

/* Exposure of phase B, of a limit of 1,000,000 mVA; bit 0 emergency, bit 1 recovery. */
static void write_node(struct bed *bed, uint32_t node, uint64_t exposure_mva, uint64_t events)
{
    const uint64_t sums[SEQLOCK_WORDS] = {0, exposure_mva, 0, 0, 0, 0, events};
    const uint64_t limits[SEQLOCK_WORDS] = {1000000, 1000000, 1000000};
    seqlock_write(&bed->view.node[node * VIEW_NODE_RECORDS], sums);
    seqlock_write(&bed->view.node[node * VIEW_NODE_RECORDS + 1], limits);
}

static int open_bed(void **state)
{
    static struct bed bed;
    bed = (struct bed){
        .model = {.mode = MODE_ENFORCE,
                  .node_count = NODES,
                  .meter_count = METERS,
                  .host_count = HOSTS,
                  .contingency_count = 1,
                  .contingency = {{.name = "none"}},
                  .policy.lease_ns = NS_PER_S},
        .node = {{.name = "main", .limited = 1}, {.name = "branch", .limited = 1}},
        .meter = {{.name = "m-main", .fresh_ns = 100 * NS_PER_MS, .period_ns = 16 * NS_PER_MS},
                  {.name = "m-branch", .fresh_ns = 100 * NS_PER_MS, .period_ns = 16 * NS_PER_MS}},
        .host = {{.name = "h-1"}, {.name = "h-2"}}};
    bed.model.node = bed.node;
    bed.model.meter = bed.meter;
    bed.model.host = bed.host;
    assert_int_equal(view_share_open(&bed.share, &bed.view, NODES, HOSTS, METERS), 0);
    for (uint32_t i = 0; i < 2; i++) {
        write_meter(&bed, i, NOW_NS - 10 * NS_PER_MS, 0);
        write_host(&bed, i, NOW_NS - 10 * NS_PER_MS);
        write_node(&bed, i, 400000 + 100000 * i, 0);
    }
    *state = &bed;
    return 0;
}

static int close_bed(void **state)
{
    struct bed *bed = *state;
    view_share_close(&bed->share);
    return 0;
}

static void judge(struct bed *bed, enum verdict_level level, const char *words)
{
    verdict_make(&bed->verdict, &bed->model, &bed->view,
                 &(struct verdict_surroundings){.journal_failures = 0}, 0, NOW_NS);
    assert_string_equal(bed->verdict.words, words);
    assert_int_equal(bed->verdict.level, level);
}

static void all_is_well_in_one_line(void **state)
{
    judge(*state, VERDICT_OK,
          "2 meters fresh; 2 of 2 hosts hold a lease; nearest to its limit: branch at 50.0 % exposed");
}

static void a_loss_that_would_leave_less_room_is_named(void **state)
{
    struct bed *bed = *state;
    const uint64_t tightest[SEQLOCK_WORDS] = {930000, 1000000, 0, 0, 1};
    bed->model.contingency_count = 2;
    snprintf(bed->model.contingency[1].name, NAME_BYTES, "feed-a");
    seqlock_write(&bed->view.node[4], tightest);
    judge(bed, VERDICT_OK, "2 meters fresh; 2 of 2 hosts hold a lease; nearest to its limit: main at 93.0 % "
                           "exposed on loss of feed-a");
    bed->model.mode = MODE_SHADOW;
    verdict_make(&bed->verdict, &bed->model, &bed->view,
                 &(struct verdict_surroundings){.journal_failures = 0}, 0, NOW_NS);
    assert_non_null(strstr(bed->verdict.words, "main would be at 93.0 % of its limit on loss of feed-a"));
}

static void what_is_wrong_is_counted_and_the_first_of_it_named(void **state)
{
    struct bed *bed = *state;
    write_meter(bed, 1, NOW_NS - 117 * NS_PER_MS, 0);
    judge(bed, VERDICT_ALARM, "meters silent or stale: 1 (m-branch)");
    write_meter(bed, 0, NOW_NS - 500 * NS_PER_MS, 0);
    judge(bed, VERDICT_ALARM, "meters silent or stale: 2 (m-main, ...)");
}

static void every_cause_of_an_alarm_has_its_words_in_order_of_urgency(void **state)
{
    struct bed *bed = *state;
    write_node(bed, 1, 1000001, 3);
    write_host(bed, 1, NOW_NS - NS_PER_S - 1);
    judge(bed, VERDICT_ALARM, "nodes in emergency: 1 (branch); hosts not heard for a lease time: 1 (h-2); "
          "nodes exposed above their limit: 1 (branch); nodes in recovery: 1 (branch)");
    write_host(bed, 1, NOW_NS - NS_PER_S);
    write_node(bed, 1, 1000000, 18);        /* in recovery, and overdue */
    judge(bed, VERDICT_ALARM, "nodes in recovery: 1 (branch); "
          "recoveries that no host holds and that do not end: 1 (branch)");
    write_node(bed, 1, 1000000, 0);
    judge(bed, VERDICT_OK,
          "2 meters fresh; 2 of 2 hosts hold a lease; nearest to its limit: branch at 100.0 % exposed");
    verdict_make(&bed->verdict, &bed->model, &bed->view,
                 &(struct verdict_surroundings){.journal_failures = 3}, 0, NOW_NS);
    assert_string_equal(bed->verdict.words, "journal writes refused or slots dropped: 3");
    /* right after a start it is none yet, but an emergency is */
    verdict_make(&bed->verdict, &bed->model, &bed->view,
                 &(struct verdict_surroundings){.journal_failures = 3}, NOW_NS - 2 * NS_PER_S, NOW_NS);
    assert_int_equal(bed->verdict.level, VERDICT_STARTING);
    write_node(bed, 0, 5, 1);
    verdict_make(&bed->verdict, &bed->model, &bed->view,
                 &(struct verdict_surroundings){.journal_failures = 3}, NOW_NS - 2 * NS_PER_S, NOW_NS);
    assert_int_equal(bed->verdict.level, VERDICT_ALARM);
}

static void write_counter(struct bed *bed, size_t place, uint64_t value)
{
    uint64_t word[SEQLOCK_WORDS] = {0};
    word[place / sizeof value % SEQLOCK_WORDS] = value;
    seqlock_write(&bed->view.counter[place / sizeof value / SEQLOCK_WORDS], word);
}

/* Each of these with nothing else wrong. */
static void what_nothing_else_would_tell_is_an_alarm_by_itself(void **state)
{
    struct bed *bed = *state;
    write_host(bed, 1, NOW_NS - NS_PER_S - 1);
    judge(bed, VERDICT_ALARM, "hosts not heard for a lease time: 1 (h-2)");
    write_host(bed, 1, NOW_NS);
    write_node(bed, 1, 400000, 8);
    judge(bed, VERDICT_ALARM, "nodes above a contract limit: 1 (branch)");
    write_node(bed, 1, 400000, 2);
    judge(bed, VERDICT_ALARM, "nodes in recovery: 1 (branch)");
    write_node(bed, 1, 400000, 0);
    write_counter(bed, offsetof(struct core_counters, invariant_failures), 1);
    judge(bed, VERDICT_ALARM, "invariant failures, a defect: 1");
    write_counter(bed, offsetof(struct core_counters, invariant_failures), 0);
    judge(bed, VERDICT_OK,
          "2 meters fresh; 2 of 2 hosts hold a lease; nearest to its limit: main at 40.0 % exposed");
}

static void a_fail_safe_cap_above_the_site_files_is_an_alarm(void **state)
{
    struct bed *bed = *state;
    struct seqlock *record = &bed->view.host[1 * VIEW_HOST_RECORDS + 2];
    seqlock_write(record, (const uint64_t[SEQLOCK_WORDS]){[5] = 2000001});
    bed->model.host[1].fail_safe_mw = 2000000;
    judge(bed, VERDICT_ALARM, "hosts whose fail-safe cap is above the site file's: 1 (h-2)");
    bed->model.host[1].fail_safe_mw = 2000001;
    judge(bed, VERDICT_OK,
          "2 meters fresh; 2 of 2 hosts hold a lease; nearest to its limit: branch at 50.0 % exposed");
}

/* A row is an alarm while something is in it, named; a clock that stepped is shown and alarms nobody. */
static void what_is_degraded_is_an_alarm_until_its_row_is_left(void **state)
{
    struct bed *bed = *state;
    static const char well[] =
        "2 meters fresh; 2 of 2 hosts hold a lease; nearest to its limit: branch at 50.0 % exposed";
    static const struct { enum degradation row; uint32_t newest; const char *words;
    } rows[] = {{DEGRADED_CONTROLLER, 1,
                 "hosts that obey a newer controller (its clock was ahead, or it runs): 1 (h-2)"},
                {DEGRADED_FEED, 0, "feeds lost, unseen, or not back for long enough: 1 (none)"},
                {DEGRADED_CAP, 0, "hosts whose cap is lost or not their own: 1 (h-1)"},
                {DEGRADED_RING, 5, "lanes or ports that lose inputs: 1 (port 1)"},
                {DEGRADED_SHED, 0, "nobody would take a shed action: 1 (flyball shed)"},
                {DEGRADED_MARKS, 0, "numbers of meters that are not on the disk: 1 (disk)"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        view_write_degraded(&bed->view, rows[i].row,
                            &(struct degrade_row){.now = 1, .newest = rows[i].newest, .entered = 1});
        judge(bed, VERDICT_ALARM, rows[i].words);
        view_write_degraded(&bed->view, rows[i].row, &(struct degrade_row){.entered = 1, .left = 1});
        judge(bed, VERDICT_OK, well);
    }
    view_write_degraded(&bed->view, DEGRADED_CLOCK, &(struct degrade_row){.now = 1, .entered = 1});
    judge(bed, VERDICT_OK, well);
    /* of nodes: a meter that is not believed, a contract that is not kept; a permit that is merely stale is
     * none */
    write_node(bed, 1, 500000, PERMIT_FROZEN << 16);
    judge(bed, VERDICT_ALARM, "nodes whose meter is frozen or implausible: 1 (branch)");
    write_node(bed, 1, 500000, PERMIT_IMPLAUSIBLE << 16 | 8);
    judge(bed, VERDICT_ALARM, "nodes whose meter is frozen or implausible: 1 (branch); "
          "nodes above a contract limit: 1 (branch)");
    write_node(bed, 1, 500000, PERMIT_DEAD << 16);
    judge(bed, VERDICT_ALARM, "nodes without volts: 1 (branch)");
    write_node(bed, 1, 500000, PERMIT_BY_PARENT << 16);
    judge(bed, VERDICT_ALARM, "nodes whose meter is lost and others stand in: 1 (branch)");
    write_node(bed, 1, 500000, PERMIT_BY_CHILDREN << 16);
    judge(bed, VERDICT_ALARM, "nodes whose meter is lost and others stand in: 1 (branch)");
    write_node(bed, 1, 500000, PERMIT_STALE << 16);
    judge(bed, VERDICT_OK, well);
    /* a link that is down stands in the row, too, and is said once */
    const struct verdict_port port = {.driver = "af_packet", .interface = "eth0", .down = true};
    view_write_degraded(&bed->view, DEGRADED_RING,
                        &(struct degrade_row){.now = 1, .newest = 4, .entered = 1});
    verdict_make(&bed->verdict, &bed->model, &bed->view,
                 &(struct verdict_surroundings){.port = &port, .ports = 1}, 0, NOW_NS);
    assert_string_equal(bed->verdict.words, "link down on port af_packet eth0");
}

static void in_shadow_exposure_and_unheard_hosts_are_no_alarm_and_silent_meters_are(void **state)
{
    struct bed *bed = *state;
    bed->model.mode = MODE_SHADOW;
    write_node(bed, 1, 1600000, 2);
    write_host(bed, 0, 0);
    judge(bed, VERDICT_OK,
          "shadow: nothing is sent; 2 meters fresh; 1 of 2 hosts heard; were every host to draw all it can, "
          "branch would be at 160.0 % of its limit");
    write_meter(bed, 0, 0, 0);
    judge(bed, VERDICT_ALARM, "meters silent or stale: 1 (m-main)");
}

/* What was shed is no ordinary state, whatever else is well: it stays off until somebody puts it back. */
static void an_alert_is_an_alarm_only_where_it_says_so(void **state)
{
    struct bed *bed = *state;
    const uint64_t stands[SEQLOCK_WORDS] = {2, 5, 3};
    struct model_alert alert[3] = {{.name = "seen", .severity = ALERT_WARNING},
                                   {.name = "calm", .severity = ALERT_ALARM},
                                   {.name = "loud", .severity = ALERT_ALARM}};

    bed->model.alert = alert;
    bed->model.alert_count = 3;
    seqlock_write(&bed->view.alert[0], stands);
    judge(bed, VERDICT_OK,
          "2 meters fresh; 2 of 2 hosts hold a lease; nearest to its limit: branch at 50.0 % exposed");
    seqlock_write(&bed->view.alert[2 * VIEW_ALERT_RECORDS], stands);
    judge(bed, VERDICT_ALARM, "alerts: 1 (loud)");
}

static void what_is_shed_or_could_not_be_is_an_alarm(void **state)
{
    struct bed *bed = *state;
    verdict_make(&bed->verdict, &bed->model, &bed->view,
                 &(struct verdict_surroundings){.sheds = 2, .node_shed = 1}, 0, NOW_NS);
    assert_int_equal(bed->verdict.level, VERDICT_ALARM);
    assert_string_equal(bed->verdict.words, "nodes shed and not restored: 2 (branch, ...)");
    verdict_make(&bed->verdict, &bed->model, &bed->view,
                 &(struct verdict_surroundings){.sheds_failed = 1, .node_shed_failed = 0}, 0, NOW_NS);
    assert_int_equal(bed->verdict.level, VERDICT_ALARM);
    assert_string_equal(bed->verdict.words, "shed or restore actions that failed: 1 (main)");
}

/* A meter that lies about time: its permit may be gone, and nothing else would say so. */
static void a_meter_whose_clock_is_wrong_is_an_alarm_by_name(void **state)
{
    struct bed *bed = *state;
    verdict_make(&bed->verdict, &bed->model, &bed->view,
                 &(struct verdict_surroundings){.clocks_doubted = 1, .meter_doubted = 1}, 0, NOW_NS);
    assert_int_equal(bed->verdict.level, VERDICT_ALARM);
    assert_string_equal(bed->verdict.words, "meters whose clock drifts, they renew no permit: 1 (m-branch)");
    verdict_make(&bed->verdict, &bed->model, &bed->view,
                 &(struct verdict_surroundings){.clocks_off = 2, .meter_off = 0}, 0, NOW_NS);
    assert_int_equal(bed->verdict.level, VERDICT_ALARM);
    assert_string_equal(bed->verdict.words, "meters whose clock is off: 2 (m-main, ...)");
}

static void words_never_run_over(void **state)
{
    struct bed *bed = *state;
    memset(bed->node[1].name, 'n', NAME_BYTES - 1);
    memset(bed->host[0].name, 'h', NAME_BYTES - 1);
    memset(bed->meter[0].name, 'm', NAME_BYTES - 1);
    write_node(bed, 1, 2000000, 3);
    write_meter(bed, 0, 0, 0);
    write_host(bed, 0, 0);
    verdict_make(&bed->verdict, &bed->model, &bed->view,
                 &(struct verdict_surroundings){.journal_failures = UINT64_MAX}, 0, NOW_NS);
    assert_true(strlen(bed->verdict.words) == VERDICT_WORDS_BYTES - 1);
}

static enum meter_state state_of(int64_t since_ms, int64_t age_ms, int64_t stale_since_ms)
{
    const struct model_meter known = {.fresh_ns = 100 * NS_PER_MS, .period_ns = 16 * NS_PER_MS};
    const struct view_meter meter = {.t_receive_ns = since_ms < 0 ? 0 : NOW_NS - since_ms * NS_PER_MS,
                                     .age_ns = age_ms * NS_PER_MS};
    const struct view_stale stale = {.t_ns = stale_since_ms < 0 ? 0 : NOW_NS - stale_since_ms * NS_PER_MS};
    return verdict_meter_state(&known, &meter, &stale, NOW_NS);
}

static void a_meter_is_ok_late_stale_or_silent(void **state)
{
    (void)state;
    assert_int_equal(state_of(90, 10, -1), METER_OK);       /* 100 ms old: fresh */
    assert_int_equal(state_of(91, 10, -1), METER_LATE);
    assert_int_equal(state_of(116, 0, -1), METER_LATE);     /* fresh + period */
    assert_int_equal(state_of(117, 0, -1), METER_SILENT);
    assert_int_equal(state_of(117, 0, 116), METER_STALE);   /* it sends, too old */
    assert_int_equal(state_of(117, 0, 117), METER_SILENT);
    assert_int_equal(state_of(90, 10, 1), METER_OK);
    assert_int_equal(state_of(-1, 0, -1), METER_SILENT);
    assert_int_equal(state_of(-1, 0, 5), METER_STALE);
}

static void every_number_in_a_record_has_a_word(void **state)
{
    (void)state;
    for (int i = 0; i < NODE_KIND_COUNT; i++)
        assert_string_not_equal(view_words_kind((uint8_t)i), "?");
    for (int i = 0; i < METER_STATE_COUNT; i++)
        assert_string_not_equal(view_words_meter((enum meter_state)i), "?");
    for (int i = 0; i < EXPOSURE_BASIS_COUNT; i++)
        assert_string_not_equal(view_words_basis((uint8_t)i), "?");
    for (int i = WHY_RENEWAL; i <= WHY_FAIL_SAFE; i++)
        assert_string_not_equal(view_words_why((uint8_t)i), "?");
    assert_string_equal(view_words_why(0), "-");
    assert_string_equal(view_words_why(200), "?");
    assert_string_equal(view_words_host(&(struct core_host_view){.state = HOST_LEASED}), "unheard");
    assert_string_equal(view_words_host(&(struct core_host_view){.state = HOST_LEASED, .incarnation = 1}),
                        "leased");
    assert_string_equal(view_words_host(&(struct core_host_view){.state = 9, .incarnation = 1}), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_is_well_in_one_line, open_bed, close_bed),
        cmocka_unit_test_setup_teardown(a_loss_that_would_leave_less_room_is_named, open_bed, close_bed),
        cmocka_unit_test_setup_teardown(what_is_wrong_is_counted_and_the_first_of_it_named, open_bed,
                                        close_bed),
        cmocka_unit_test_setup_teardown(every_cause_of_an_alarm_has_its_words_in_order_of_urgency, open_bed,
                                        close_bed),
        cmocka_unit_test_setup_teardown(
            in_shadow_exposure_and_unheard_hosts_are_no_alarm_and_silent_meters_are, open_bed, close_bed),
        cmocka_unit_test_setup_teardown(what_is_degraded_is_an_alarm_until_its_row_is_left, open_bed,
                                        close_bed),
        cmocka_unit_test_setup_teardown(a_fail_safe_cap_above_the_site_files_is_an_alarm, open_bed,
                                        close_bed),
        cmocka_unit_test_setup_teardown(what_nothing_else_would_tell_is_an_alarm_by_itself, open_bed,
                                        close_bed),
        cmocka_unit_test_setup_teardown(an_alert_is_an_alarm_only_where_it_says_so, open_bed, close_bed),
        cmocka_unit_test_setup_teardown(what_is_shed_or_could_not_be_is_an_alarm, open_bed, close_bed),
        cmocka_unit_test_setup_teardown(a_meter_whose_clock_is_wrong_is_an_alarm_by_name, open_bed,
                                        close_bed),
        cmocka_unit_test_setup_teardown(words_never_run_over, open_bed, close_bed),
        cmocka_unit_test(a_meter_is_ok_late_stale_or_silent),
        cmocka_unit_test(every_number_in_a_record_has_a_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
