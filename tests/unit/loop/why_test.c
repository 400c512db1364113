/* SPDX-License-Identifier: Apache-2.0 */
/* Why a host has its cap: the core brought into a state by inputs, the view, the document, the screen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../core/stand.h"
#include "cli/why/why.h"
#include "core/core.h"
#include "core/permit.h"
#include "loop/view_share.h"
#include "loop/why.h"

struct bed {
    struct stand stand;
    struct site site;
    struct view_share share;
    struct view view;
    char *text;
};

static int open_bed(void **state)
{
    struct bed *bed = calloc(1, sizeof *bed);
    assert_non_null(bed);
    stand_site(&bed->stand);
    strcpy(bed->stand.type.name, "box");
    for (uint32_t n = 0; n < STAND_NODES; n++)
        strcpy(bed->stand.meter[n].name, (const char *[]){"m-main", "m-a", "m-b"}[n]);
    stand_start(&bed->stand);
    bed->site.model = bed->stand.model;
    assert_int_equal(view_share_open(&bed->share, &bed->view, STAND_NODES, STAND_HOSTS, STAND_METERS), 0);
    *state = bed;
    return 0;
}

static int close_bed(void **state)
{
    struct bed *bed = *state;
    free(bed->text);
    view_share_close(&bed->share);
    stand_stop(&bed->stand);
    free(bed);
    return 0;
}

/* The daemon's answer, to be decref'd. */
static json_t *ask(struct bed *bed, const char *name, bool known)
{
    char *text = NULL;
    size_t bytes = 0;
    json_error_t error;
    FILE *out = open_memstream(&text, &bytes);
    const struct why why = {.site = &bed->site, .view = &bed->view, .now_ns = bed->stand.t_ns, .out = out};
    view_refresh_all(&bed->view, bed->stand.core);
    assert_int_equal(why_write(&why, name), known);
    assert_int_equal(fclose(out), 0);
    json_t *document = json_loads(text, 0, &error);
    if (!document)
        fail_msg("%s in %s", error.text, text);
    free(text);
    return document;
}

static const char *screen(struct bed *bed, const char *name)
{
    size_t bytes = 0;
    json_t *document = ask(bed, name, true);
    free(bed->text);
    bed->text = NULL;
    FILE *out = open_memstream(&bed->text, &bytes);
    why_print(out, document);
    assert_int_equal(fclose(out), 0);
    json_decref(document);
    for (const char *line = bed->text; *line; line += strcspn(line, "\n") + 1)
        assert_true(strcspn(line, "\n") <= WHY_COLUMNS);
    return bed->text;
}

/* Four hosts at fail-safe; host-0 has asked for everything, and then host-1 has. */
static void fill_branch(struct bed *bed)
{
    struct stand *stand = &bed->stand;
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        stand_admit(stand, h);
    stand->core->cluster.target_mw[0] = 9000000;
    stand_obey(stand, 0);
    stand_wait(stand, 40 * NS_PER_MS);
    stand->core->cluster.target_mw[1] = 9000000;
    stand->host[1].draw_mw = 1900000;
    stand_obey(stand, 1);
    stand_wait(stand, 60 * NS_PER_MS);
}

static void a_host_that_a_full_branch_holds_down_says_where_and_who_holds_most(void **state)
{
    struct bed *bed = *state;
    fill_branch(bed);
    assert_string_equal(screen(bed, "host-1"),
        "host host-1: leased, drew 1.9 kW at the wall 60 ms ago\n"
        "          type box, tier 0, weight 1\n"
        "\n"
        "lease     cap 5.0 kW instead of 9.0 kW (fail-safe 2.0 kW, at most 10.0 kW)\n"
        "          sent 60 ms ago (guard_s), on a report 60 ms old; runs out in 940 ms\n"
        "because   for 60 ms now, by report 3 of host-1: it drew 1.9 kW (slot 10); rule\n"
        "          guard_s\n"
        "held by   steady: the newest leases together at a node's steady limit (I1a, I3)\n"
        "          at node-1 phase A: 140.0 of 140.0 A (14.0 of 14.0 kVA)\n"
        "exposed   may draw 5.0 kW, a cap of 5.0 kW: its newest lease\n"
        "\n"
        "more by   - less wanted by others at node-1: host-0 holds most, 90.0 A of it\n"
        "          - node-1 lends nothing: its steady limit is all there is\n"
        "\n"
        "above it, A       ph on loss of   leased may flow    limit     left permit\n"
        "node-1            A  none          140.0    140.0    140.0      0.0\n"
        "node-0            A  none          180.0    180.0   1000.0    820.0\n");
}

static void a_node_says_what_its_limit_is_made_of_and_who_holds_it(void **state)
{
    struct bed *bed = *state;
    fill_branch(bed);
    stand_reading(&bed->stand, BRANCH_A, 1500000);
    view_write_meter(
        &bed->view, BRANCH_A,
        &(struct view_meter){.t_receive_ns = bed->stand.t_ns, .current_ma = {15000, 15100, 14900}});
    stand_wait(&bed->stand, 10 * NS_PER_MS);
    assert_string_equal(screen(bed, "node-1"),
        "node node-1: branch, measured 4.5 kW, 10 ms ago by m-a\n"
        "\n"
        "permit    none: never: not asked for, or without curve, settings_from or meter\n"
        "leased    node-1 phase A: 140.0 of 140.0 A (14.0 of 14.0 kVA), once all that was\n"
        "          sent is obeyed\n"
        "may flow  node-1 phase A: 140.0 of 140.0 A (14.0 of 14.0 kVA), whatever is lost\n"
        "          from here on\n"
        "made of   base 0.0, fail-safe caps 40.0, lent above them 100.0, bad(k = 0) 0.0,\n"
        "          other load 0.0 A; left 0.0\n"
        "\n"
        "phase, A        load    leased  may flow     limit    steady\n"
        "A               15.0     140.0     140.0     140.0     140.0\n"
        "B               15.1     140.0     140.0     140.0     140.0\n"
        "C               14.9     140.0     140.0     140.0     140.0\n"
        "\n"
        "holds most            lease kW   draw kW  may draw    A here  exposed by\n"
        "host-0                     9.0       0.0       9.0      90.0  lease\n"
        "host-1                     5.0       1.9       5.0      50.0  lease\n"
        "\n"
        "more by   - lower fail-safe caps: those of 2 hosts take 40.0 A for good\n");
}

/* A host tells 2 kW more than its type's 12: of k = 1 hosts that counts. */
static void what_hosts_tell_above_their_type_is_of_bad_and_named(void **state)
{
    struct bed *bed = *state;
    bed->stand.node[BRANCH_A].k = 1;
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        stand_admit(&bed->stand, h);
    struct report report = stand_report_of(&bed->stand, 1, HOST_LEASED, A_NS);
    report.phys_max_mw = PHYS_MAX_MW + 2000000;
    stand_report(&bed->stand, &report);
    const char *text = screen(bed, "node-1");
    assert_non_null(strstr(text, "fail-safe caps 40.0, lent above them 0.0, bad(k = 1) 20.0,"));
    assert_non_null(strstr(text, "report more than their type's physical"));
}

/* host-0 was cut and has not shown it: what it gave up is not there for host-1 yet. */
static void watts_that_wait_for_a_receipt_are_counted_and_their_host_named(void **state)
{
    struct bed *bed = *state;
    struct stand *stand = &bed->stand;
    fill_branch(bed);
    stand->core->cluster.target_mw[0] = 6000000;
    stand_obey(stand, 0);
    stand->core->cluster.target_mw[1] = 8000000;
    stand_obey(stand, 1);
    stand_wait(stand, 20 * NS_PER_MS);
    assert_string_equal(screen(bed, "host-1"),
        "host host-1: leased, drew 1.9 kW at the wall 20 ms ago\n"
        "          type box, tier 0, weight 1\n"
        "\n"
        "lease     cap 5.0 kW instead of 8.0 kW (fail-safe 2.0 kW, at most 10.0 kW)\n"
        "          sent 20 ms ago (guard_d), on a report 20 ms old; runs out in 980 ms\n"
        "because   for 20 ms now, by report 4 of host-1: it drew 1.9 kW (slot 12); rule\n"
        "          guard_d\n"
        "held by   exposure: older leases that no report has retired yet (I1b)\n"
        "          at node-1 phase A: 140.0 of 140.0 A (14.0 of 14.0 kVA)\n"
        "exposed   may draw 5.0 kW, a cap of 5.0 kW: its newest lease\n"
        "\n"
        "more by   - 3.0 kW more (30.0 A) at node-1 phase A once host-0 has shown that\n"
        "            its cut holds\n"
        "\n"
        "above it, A       ph on loss of   leased may flow    limit     left permit\n"
        "node-1            A  none          110.0    140.0    140.0      0.0\n"
        "node-0            A  none          150.0    180.0   1000.0    820.0\n");
    assert_string_equal(screen(bed, "node-1"),
        "node node-1: branch, no reading yet of m-a\n"
        "\n"
        "permit    none: never: not asked for, or without curve, settings_from or meter\n"
        "leased    node-1 phase A: 110.0 of 140.0 A (11.0 of 14.0 kVA), once all that was\n"
        "          sent is obeyed\n"
        "may flow  node-1 phase A: 140.0 of 140.0 A (14.0 of 14.0 kVA), whatever is lost\n"
        "          from here on\n"
        "made of   base 0.0, fail-safe caps 40.0, lent above them 100.0, bad(k = 0) 0.0,\n"
        "          other load 0.0 A; left 0.0\n"
        "\n"
        "phase, A        load    leased  may flow     limit    steady\n"
        "A                  -     110.0     140.0     140.0     140.0\n"
        "B                  -     110.0     140.0     140.0     140.0\n"
        "C                  -     110.0     140.0     140.0     140.0\n"
        "\n"
        "holds most            lease kW   draw kW  may draw    A here  exposed by\n"
        "host-0                     6.0       0.0       9.0      90.0  older_lease\n"
        "host-1                     5.0       1.9       5.0      50.0  lease\n"
        "\n"
        "more by   - 30.0 A (3.0 kVA) at node-1 phase A once host-0 has shown that its\n"
        "            cut holds\n"
        "          - lower fail-safe caps: those of 2 hosts take 40.0 A for good\n");
}

/* The cut names the reading, with its phases. */
static void a_cut_in_an_emergency_names_the_reading_that_caused_it(void **state)
{
    struct bed *bed = *state;
    fill_branch(bed);
    bed->stand.host[1].draw_mw = 5000000;
    stand_reading(&bed->stand, BRANCH_A, 15000000);
    stand_wait(&bed->stand, 2 * NS_PER_S);
    assert_string_equal(screen(bed, "host-1"),
        "host host-1: leased, QUIET, drew 1.9 kW at the wall 2.0 s ago\n"
        "          type box, tier 0, weight 1\n"
        "\n"
        "lease     cap 1.4 kW instead of 5.0 kW (fail-safe 2.0 kW, at most 10.0 kW)\n"
        "          sent 2.0 s ago (emergency), on a report 2.0 s old; ran out 1.0 s ago\n"
        "because   for 2.0 s now, by reading 1 of m-a: it read 45.0 kW, 150.0 150.0 150.0\n"
        "          A (slot 11); rule emergency\n"
        "held by   emergency: measured above what is admissible, or about to trip\n"
        "          at node-1\n"
        "exposed   may draw 5.0 kW, a cap of 5.0 kW: a higher lease before it, until a\n"
        "          report shows the cut held for A\n"
        "\n"
        "more by   - the end of the emergency at node-1: measured below 0.9 of its steady\n"
        "            limit for 1.0 s\n"
        "\n"
        "above it, A       ph on loss of   leased may flow    limit     left permit\n"
        "node-1            A  none           40.0    140.0    140.0      0.0 EMERGENCY\n"
        "node-0            A  none           80.0    180.0   1000.0    820.0\n");
}

static void
a_host_that_was_never_heard_counts_at_phys_max_and_one_that_claims_says_what_is_missing(void **state)
{
    struct bed *bed = *state;
    struct report report = stand_report_of(&bed->stand, 2, HOST_BOOT, 0);
    stand_report(&bed->stand, &report);
    assert_string_equal(screen(bed, "host-3"),
        "host host-3: unheard, QUIET\n"
        "          type box, tier 0, weight 1\n"
        "\n"
        "lease     none yet; fail-safe cap 2.0 kW, at most 10.0 kW\n"
        "exposed   may draw 12.0 kW: phys_max: no report since the start\n"
        "\n"
        "more by   - a report: it has not been heard since the start of the daemon\n"
        "\n"
        "above it, A       ph on loss of   leased may flow    limit     left permit\n"
        "node-2            A  none          240.0    240.0    140.0   -100.0 recovery\n"
        "node-0            A  none          480.0    480.0   1000.0    520.0\n");
    assert_string_equal(screen(bed, "host-2"),
        "host host-2: boot, drew 0.0 kW at the wall 0 ms ago\n"
        "          type box, tier 0, weight 1\n"
        "\n"
        "lease     cap 2.0 kW (fail-safe 2.0 kW, at most 10.0 kW)\n"
        "          sent 0 ms ago (claim), on a report 0 ms old; runs out in 1.0 s\n"
        "because   for 0 ms now, by report 1 of host-2: it drew 0.0 kW (slot 1); rule\n"
        "          claim\n"
        "held by   claim: it has not yet shown that it obeys this controller\n"
        "exposed   may draw 12.0 kW: phys_max: has not accepted this controller's epoch\n"
        "\n"
        "more by   - a report that shows every cap at or below 2.0 kW, held for 100 ms,\n"
        "            under this epoch\n"
        "          - the end of the recovery at node-2: no exposure is raised while it\n"
        "            lasts; it came by this: a start: hosts count at phys_max until they\n"
        "            are known\n"
        "\n"
        "above it, A       ph on loss of   leased may flow    limit     left permit\n"
        "node-2            A  none          240.0    240.0    140.0   -100.0 recovery\n"
        "node-0            A  none          480.0    480.0   1000.0    520.0\n");
}

/* A renewal keeps the input that gave the cap its value; another reason for the same cap is a new one. */
static void a_renewal_keeps_the_cause_and_its_time(void **state)
{
    struct bed *bed = *state;
    struct core_host_view before, after;
    fill_branch(bed);
    view_refresh_all(&bed->view, bed->stand.core);
    assert_true(view_read_host(&bed->view, 1, &before));
    stand_wait(&bed->stand, 100 * NS_PER_MS);
    stand_obey(&bed->stand, 1);
    view_refresh_all(&bed->view, bed->stand.core);
    assert_true(view_read_host(&bed->view, 1, &after));
    assert_true(after.bound.t_ns > before.bound.t_ns && after.bound.echo_t_ns == bed->stand.t_ns);
    assert_int_equal(after.bound.since_ns, before.bound.since_ns);
    assert_int_equal(after.bound.slot_sequence, before.bound.slot_sequence);
    assert_int_equal(after.bound.rule, WHY_GUARD_S);
    assert_int_equal(after.bound.term, BOUND_STEADY);
    bed->stand.core->cluster.target_mw[1] = 5000000;        /* it is content now, for the same cap */
    stand_obey(&bed->stand, 1);
    view_refresh_all(&bed->view, bed->stand.core);
    assert_true(view_read_host(&bed->view, 1, &after));
    assert_int_equal(after.bound.why, WHY_RENEWAL);
}

static void what_keeps_a_permit_away_and_what_raises_wait_for_is_said_with_its_time(void **state)
{
    struct bed *bed = *state;
    fill_branch(bed);
    json_t *document = ask(bed, "node-1", true);
    json_decref(document);
    /* as decide would write it: frozen for 12 s, raises wait 3 s more, in recovery */
    struct seqlock *record = &bed->view.node[BRANCH_A * VIEW_NODE_RECORDS];
    uint64_t word[SEQLOCK_WORDS];
    assert_true(seqlock_read(record, word));
    word[6] = (word[6] & ~(UINT64_C(0xff) << 16)) | (uint64_t)PERMIT_FROZEN << 16 | 2;
    seqlock_write(record, word);
    assert_true(seqlock_read(record + 1, word));
    word[5] = (uint64_t)(bed->stand.t_ns - 12 * NS_PER_S);
    word[6] = (uint64_t)(bed->stand.t_ns + 3 * NS_PER_S);
    seqlock_write(record + 1, word);
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    const struct why why = {.site = &bed->site, .view = &bed->view, .now_ns = bed->stand.t_ns, .out = out};
    assert_true(why_write(&why, "host-1"));
    assert_int_equal(fclose(out), 0);
    assert_non_null(strstr(text, "\"a permit at node-1 (m-a): frozen for 12 s, the meter repeats itself\""));
    assert_non_null(strstr(text, "\"raises below node-1 wait for 3.0 s more\""));
    assert_non_null(
        strstr(text, "\"the end of the recovery at node-1: no exposure is raised while it lasts"));
    free(text);
}

static void who_stands_in_for_a_lost_meter_is_named(void **state)
{
    static const struct { uint8_t permit; const char *said;
    } cases[] = {
        {PERMIT_BY_PARENT,
         "\"the meter of node-1 (m-a) back: lost, for 12 s that of node-0 stands in, less what "
         "those beside it read\""},
        {PERMIT_BY_CHILDREN,
         "\"the meter of node-1 (m-a) back: lost, for 12 s all meters right below it stand in\""},
    };
    struct bed *bed = *state;
    fill_branch(bed);
    json_decref(ask(bed, "node-1", true));
    for (uint32_t i = 0; i < 2; i++) {
        struct seqlock *record = &bed->view.node[BRANCH_A * VIEW_NODE_RECORDS];
        uint64_t word[SEQLOCK_WORDS];
        assert_true(seqlock_read(record, word));
        word[6] = (word[6] & ~(UINT64_C(0xff) << 16)) | (uint64_t)cases[i].permit << 16;
        seqlock_write(record, word);
        assert_true(seqlock_read(record + 1, word));
        word[5] = (uint64_t)(bed->stand.t_ns - 12 * NS_PER_S);
        seqlock_write(record + 1, word);
        char *text = NULL;
        size_t bytes = 0;
        FILE *out = open_memstream(&text, &bytes);
        const struct why why = {
            .site = &bed->site, .view = &bed->view, .now_ns = bed->stand.t_ns, .out = out};
        assert_true(why_write(&why, "node-1"));
        assert_int_equal(fclose(out), 0);
        assert_non_null(strstr(text, cases[i].said));
        assert_null(strstr(text, "\"a permit at node-1"));
        free(text);
    }
}

static void orders_that_withdraw_or_bound_are_told_with_how_to_end_them(void **state)
{
    struct bed *bed = *state;
    struct board board = {0};
    struct orders orders = {.site = &bed->site, .board = &board};
    fill_branch(bed);
    json_decref(ask(bed, "node-1", true));
    assert_int_equal(pthread_mutex_init(&orders.lock, NULL), 0);
    bed->stand.node[BRANCH_A].lend = 3;
    const uint64_t cap[SEQLOCK_WORDS] = {7, 9 | (uint64_t)BRANCH_A << 32, ORDER_CAP | 1 << 16, 250000000};
    seqlock_write(&board.contract[0], cap);
    seqlock_write(&board.maintenance[0], (const uint64_t[SEQLOCK_WORDS]){8, 0, 1});
    /* as decide would write it: nothing lent under a contingency that could be */
    struct seqlock *record = &bed->view.node[BRANCH_A * VIEW_NODE_RECORDS];
    uint64_t word[SEQLOCK_WORDS];
    assert_true(seqlock_read(record, word));
    word[6] = (word[6] & ~(UINT64_C(0xff) << 16)) | (uint64_t)PERMIT_FEED << 16;
    seqlock_write(record, word);
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    const struct why why = {.site = &bed->site, .view = &bed->view, .now_ns = bed->stand.t_ns, .out = out,
                            .orders = &orders};
    assert_true(why_write(&why, "node-1"));
    assert_int_equal(fclose(out), 0);
    assert_non_null(strstr(text, "\"the end of contract : node-1 at most 250.0 kW, order 7\""));
    assert_non_null(
        strstr(text, "\"flyball maintenance put-back node-0: what node-1 may lend on the loss of"));
    assert_null(strstr(text, "\"a permit at node-1"));
    free(text);
    pthread_mutex_destroy(&orders.lock);
}

/* What stands there without a lease: 500 W of base a host, and k = 1 host that may be bad for 2 kVA. */
static void a_node_names_base_and_k_beside_fail_safe(void **state)
{
    struct bed *bed = *state;
    fill_branch(bed);
    bed->stand.type.base_max_mw = 500000;
    bed->stand.node[BRANCH_A].k = 1;
    for (uint32_t phase = 0; phase < PHASES; phase++)
        bed->stand.node[BRANCH_A].bad_mva[0][phase] = 2000000;
    const char *text = screen(bed, "node-1");
    assert_non_null(strstr(text, "made of   base 10.0, fail-safe caps 40.0, lent above them 70.0, bad(k = 1) "
                                 "20.0,"));
    assert_non_null(strstr(text, "a smaller k: 1 host that may disobey takes 20.0 A"));
}

/* The site file has 1 kVA of other load; the controller before learnt 3 more on phase B, and less on others:
 * what may flow has it, and the answer tells the part that meters found. */
static void load_that_meters_found_is_told_beside_what_the_site_file_has(void **state)
{
    struct bed *bed = *state;
    struct stand *stand = &bed->stand;
    static const int64_t learnt_mva[PHASES] = {2000000, 3000000, 1000000};
    for (uint32_t phase = 0; phase < PHASES; phase++)
        stand->node[BRANCH_A].other_mva[phase] = 1000000;
    stand_start(stand);
    fill_branch(bed);
    assert_non_null(strstr(screen(bed, "node-1"),
        "made of   base 0.0, fail-safe caps 40.0, lent above them 90.0, bad(k = 0) 0.0,\n"
        "          other load 10.0 A; left 0.0\n"));
    residual_hand(&stand->core->residual, BRANCH_A, learnt_mva, stand->t_ns);
    assert_non_null(strstr(screen(bed, "node-1"),
        "may flow  node-1 phase B: 170.0 of 140.0 A (17.0 of 14.0 kVA), whatever is lost\n"
        "          from here on\n"
        "made of   base 0.0, fail-safe caps 40.0, lent above them 90.0, bad(k = 0) 0.0,\n"
        "          other load 40.0 (30.0 of it measured) A; left -30.0\n"));
    json_t *document = ask(bed, "node-1", true), *made = json_object_get(document, "made_of");
    assert_true(json_number_value(json_object_get(made, "other_a")) == 40);
    assert_true(json_number_value(json_object_get(made, "other_learnt_a")) == 30);
    json_decref(document);
    document = ask(bed, "node-0", true);        /* it flows through there, too */
    made = json_object_get(document, "made_of");
    assert_true(json_number_value(json_object_get(made, "other_a")) == 30);
    assert_true(json_number_value(json_object_get(made, "other_learnt_a")) == 30);
    json_decref(document);
}

/* 14 kVA, of which fail-safe caps have 4: what is learnt leaves them less, and the branch lends nothing. */
static void a_node_that_its_other_load_has_outgrown_says_why_it_lends_nothing(void **state)
{
    struct bed *bed = *state;
    struct stand *stand = &bed->stand;
    static const int64_t learnt_mva[PHASES] = {10500000, 10500000, 10500000};
    stand->node[BRANCH_A].breaker.element_count = 1;
    stand->node[BRANCH_A].breaker.element[0] = (struct breaker_element){
        .law = BREAKER_IMAGE, .role = ELEMENT_LONG_TIME, .pickup_ma = 183750, .heat_ns = 20 * NS_PER_S,
        .heat_fast_ns = 20 * NS_PER_S, .fast_above_ma = INT64_MAX, .cool_ns = 25 * NS_PER_S};
    stand->node[BRANCH_A].lend = 1;
    stand_start(stand);
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        stand_admit(stand, h);
    for (uint32_t i = 0; i < 60; i++) {
        stand_reading(stand, BRANCH_A, (int64_t)(2000000 + i * 1000));
        stand_run(stand, 20 * NS_PER_MS);
    }
    assert_non_null(strstr(screen(bed, "node-1"), "permit    held for "));
    assert_null(strstr(bed->text, "140.0 A ("));
    residual_hand(&stand->core->residual, BRANCH_A, learnt_mva, stand->t_ns);
    screen(bed, "node-1");
    assert_non_null(strstr(bed->text,
        "permit    outgrown for 0 ms: load that no lease governs takes more than\n"
        "          fail-safe caps leave of the limit\n"));
    assert_non_null(strstr(bed->text, " of 140.0 A (28.4 of 14.0 kVA), whatever is lost\n"));
    assert_non_null(strstr(bed->text, "other load 105.0 (105.0 of it measured) A; left -143.7\n"));
    assert_non_null(strstr(bed->text, "- a permit at node-1 (m-a): outgrown for 0.0 s, load that no"));
    assert_non_null(strstr(bed->text,
        "          - less other load than is measured: 105.0 A beyond the site file, here\n"
        "            or below, for as long as that was seen within the last minute\n"));
}

/* A node that both cords hang below is one node. */
static void every_node_above_any_cord_is_listed_once(void **state)
{
    struct bed *bed = *state;
    struct model_host *host = &bed->stand.host_model[1];
    fill_branch(bed);
    host->cord[1] = host->cord[0];
    host->cord[1].node = BRANCH_B;
    host->cord_count = 2;
    json_t *document = ask(bed, "host-1", true), *above = json_object_get(document, "above");
    static const char *const names[] = {"node-1", "node-0", "node-2"};
    host->cord_count = 1;
    assert_int_equal(json_array_size(above), 3);
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(json_string_value(json_object_get(json_array_get(above, i), "id")), names[i]);
    json_decref(document);
}

static void a_contract_that_binds_a_host_is_told_with_how_to_end_it(void **state)
{
    struct bed *bed = *state;
    struct board board = {0};
    struct orders orders = {.site = &bed->site, .board = &board};
    fill_branch(bed);
    assert_int_equal(pthread_mutex_init(&orders.lock, NULL), 0);
    const uint64_t cap[SEQLOCK_WORDS] = {7, 9 | (uint64_t)BRANCH_A << 32, ORDER_CAP | 1 << 16, 250000000};
    seqlock_write(&board.contract[0], cap);
    struct bound *bound = &bed->stand.core->bound[1];
    bound->term = BOUND_CONTRACT;
    bound->node = BRANCH_A;
    bound->contract = 9;
    view_refresh_all(&bed->view, bed->stand.core);
    for (int over = 0; over < 2; over++) {
        char *text = NULL;
        size_t bytes = 0;
        FILE *out = open_memstream(&text, &bytes);
        const struct why why = {.site = &bed->site, .view = &bed->view, .now_ns = bed->stand.t_ns, .out = out,
                                .orders = &orders};
        assert_true(why_write(&why, "host-1"));
        assert_int_equal(fclose(out), 0);
        assert_int_equal(strstr(text, "the end of contract : node-1 at most 250.0 kW, order 7") != NULL,
                         !over);
        assert_int_equal(strstr(text, "time: the contract at node-1 is over, and caps rise again") != NULL,
                         over);
        free(text);
        seqlock_write(&board.contract[0], (const uint64_t[SEQLOCK_WORDS]){0});
    }
    pthread_mutex_destroy(&orders.lock);
}

static void a_job_is_told_by_its_name(void **state)
{
    struct bed *bed = *state;
    struct site_job job = {.name = "training"};
    json_t *document = ask(bed, "host-1", true);
    assert_true(json_is_null(json_object_get(document, "job")));
    json_decref(document);
    bed->site.job = &job;
    bed->site.model.gang_count = bed->stand.model.gang_count = 1;
    bed->stand.host_model[1].gang = 0;
    document = ask(bed, "host-1", true);
    assert_string_equal(json_string_value(json_object_get(document, "job")), "training");
    json_decref(document);
}

/* One at its cap, one that somebody else holds down and that is too hot, one that is gone. */
static void devices_say_apart_what_holds_them_down(void **state)
{
    struct bed *bed = *state;
    const struct detail detail = {
        .host = 1, .marks = DETAIL_WATCHDOG | 6 << DETAIL_SUPPLIES_SHIFT | 0x2B << DETAIL_INPUTS_SHIFT,
        .watchdog_us = 12000, .write_errors = 2, .version = "0.6.0",
        .jobs = 3, .job_count = 2, .job = {"4711.0", "0f3c9a52-5d0e-4b0a-9a55-0c6b3c8d1e2f"},
        .device_count = 3,
        .device = {
            {.index = 0, .known = 0x1FF, .asked_mw = 700000, .enforced_mw = 700000, .draw_mw = 698200,
             .average_mw = 650000, .window_us = 1000000, .energy_mj = 5500, .temperature_mc = 61500,
             .clock_mhz = 1755, .write_us = 9100, .write_worst_us = 42000, .throttle = DETAIL_THROTTLE_CAP},
            {.index = 1, .known = DETAIL_KNOWN_ENFORCED | DETAIL_KNOWN_THROTTLE | DETAIL_WRITE_FAILED,
             .asked_mw = 700000, .enforced_mw = 400000,
             .throttle = DETAIL_THROTTLE_THERMAL | DETAIL_THROTTLE_FOREIGN | DETAIL_THROTTLE_HARDWARE},
            {.index = 7, .known = DETAIL_DEVICE_LOST, .asked_mw = 700000}}};
    fill_branch(bed);
    assert_null(strstr(screen(bed, "host-1"), "agent"));
    view_write_detail(&bed->view, &detail, bed->stand.t_ns - 400 * NS_PER_MS);
    const char *text = strstr(screen(bed, "host-1"), "\nagent");
    assert_non_null(text);
    assert_string_equal(text, "\n"
        "agent     0.6.0, told this 400 ms ago; its watchdog was seen 12 ms before; 2\n"
        "          writes failed\n"
        "supplies  4 of 6 have input power; NONE: 3, 5\n"
        "jobs      4711.0, 0f3c9a52-5d0e-4b0a-9a55-0c6b3c8d1e2f and 1 more\n"
        "device, W  asked enforced   draw   mean    C   MHz  write  worst held by\n"
        "0            700      700    698    650   62  1755    9.1   42.0 cap\n"
        "1            700      400      -      -    -     -      -      - UNWRITTEN\n"
        "          held by hardware thermal foreign\n"
        "7            700        -      -      -    -     -      -      - LOST\n");
    json_t *document = ask(bed, "host-1", true), *devices = json_object_get(document, "devices");
    assert_int_equal(json_array_size(devices), 3);
    json_t *first = json_array_get(devices, 0), *agent = json_object_get(document, "agent");
    assert_int_equal(json_integer_value(json_object_get(agent, "supplies")), 6);
    assert_int_equal(json_integer_value(json_array_get(json_object_get(agent, "without_input"), 1)), 5);
    assert_true(json_number_value(json_object_get(first, "energy_j")) == 5.5);
    assert_true(json_is_true(json_object_get(first, "draw_is_now")));
    assert_true(json_is_null(json_object_get(json_array_get(devices, 2), "held_by")));
    json_decref(document);
}

static void a_name_that_nobody_has_is_an_error(void **state)
{
    struct bed *bed = *state;
    json_t *document = ask(bed, "host-9", false);
    assert_true(json_is_string(json_object_get(document, "error")));
    json_decref(document);
    document = ask(bed, "", false);
    json_decref(document);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_host_that_a_full_branch_holds_down_says_where_and_who_holds_most,
                                        open_bed, close_bed),
        cmocka_unit_test_setup_teardown(what_hosts_tell_above_their_type_is_of_bad_and_named, open_bed,
                                        close_bed),
        cmocka_unit_test_setup_teardown(a_node_says_what_its_limit_is_made_of_and_who_holds_it, open_bed,
                                        close_bed),
        cmocka_unit_test_setup_teardown(watts_that_wait_for_a_receipt_are_counted_and_their_host_named,
                                        open_bed, close_bed),
        cmocka_unit_test_setup_teardown(a_cut_in_an_emergency_names_the_reading_that_caused_it, open_bed,
                                        close_bed),
        cmocka_unit_test_setup_teardown(
            a_host_that_was_never_heard_counts_at_phys_max_and_one_that_claims_says_what_is_missing, open_bed,
            close_bed),
        cmocka_unit_test_setup_teardown(a_renewal_keeps_the_cause_and_its_time, open_bed, close_bed),
        cmocka_unit_test_setup_teardown(who_stands_in_for_a_lost_meter_is_named, open_bed, close_bed),
        cmocka_unit_test_setup_teardown(
            what_keeps_a_permit_away_and_what_raises_wait_for_is_said_with_its_time, open_bed, close_bed),
        cmocka_unit_test_setup_teardown(orders_that_withdraw_or_bound_are_told_with_how_to_end_them, open_bed,
                                        close_bed),
        cmocka_unit_test_setup_teardown(a_job_is_told_by_its_name, open_bed, close_bed),
        cmocka_unit_test_setup_teardown(a_contract_that_binds_a_host_is_told_with_how_to_end_it, open_bed,
                                        close_bed),
        cmocka_unit_test_setup_teardown(every_node_above_any_cord_is_listed_once, open_bed, close_bed),
        cmocka_unit_test_setup_teardown(a_node_names_base_and_k_beside_fail_safe, open_bed, close_bed),
        cmocka_unit_test_setup_teardown(load_that_meters_found_is_told_beside_what_the_site_file_has,
                                        open_bed, close_bed),
        cmocka_unit_test_setup_teardown(a_node_that_its_other_load_has_outgrown_says_why_it_lends_nothing,
                                        open_bed, close_bed),
        cmocka_unit_test_setup_teardown(devices_say_apart_what_holds_them_down, open_bed, close_bed),
        cmocka_unit_test_setup_teardown(a_name_that_nobody_has_is_an_error, open_bed, close_bed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
