/* SPDX-License-Identifier: Apache-2.0 */
/* Frames of flyball top over a view in memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/top/top_screen.h"
#include "core/permit.h"
#include "loop/view_share.h"
#include "msg/lease.h"

#define NOW_NS (INT64_C(100) * NS_PER_S)

static const char names[] =
    "{\"site\": \"s\", \"epoch\": 17, \"lease_ms\": 1000.0, \"nodes\": ["
    "{\"id\": \"main\", \"kind\": 1, \"phases\": 3, \"limited\": true, \"volts_low\": 100.0, \"meter\": 0},"
    "{\"id\": \"branch\", \"kind\": 3, \"phases\": 3, \"limited\": true, \"volts_low\": 100.0, \"meter\": "
    "-1}],"
    "\"meters\": [{\"id\": \"m-main\", \"node\": 0, \"fresh_ms\": 100.0, \"period_ms\": 16.0}],"
    "\"hosts\": [\"h-3\", \"h-1\", \"h-2\"]}";

struct bed {
    struct top_source source;
    struct view_share share;
    struct top_screen screen;
    char *text;
};

/* Limits of 200 A at 100 V; main exposed to 150 A on phase B, branch to 210 A on A. */
static void fill(struct view *view)
{
    const uint64_t main_sums[SEQLOCK_WORDS] = {5000000,  15000000, 5000000, 4000000,
                                               14000000, 4000000,  PERMIT_NONE << 16};
    const uint64_t branch_sums[SEQLOCK_WORDS] = {21000000, 0, 0, 20000000, 0, 0, 2 | PERMIT_NONE << 16};
    const uint64_t limits[SEQLOCK_WORDS] = {20000000, 20000000, 20000000, 30000000};
    const uint64_t leased[SEQLOCK_WORDS] = {4200000, 6100000, 5900000, NOW_NS - 12 * NS_PER_MS, 0xAB,
                                            HOST_LEASED | 3 << 8 | 1 << 16 | BASIS_LEASE << 24 |
                                                UINT64_C(62) << 48};
    const uint64_t quiet[SEQLOCK_WORDS] = {4200000, 6100000, 5900000, NOW_NS - 2 * NS_PER_S, 0xAC,
                                           HOST_LEASED | 3 << 8 | 1 << 16 | BASIS_LEASE << 24};
    const uint64_t unheard[SEQLOCK_WORDS] = {UINT64_MAX, 10300000, 0, 0, 0, BASIS_UNHEARD << 24};
    /* 61.29 % of heat, 12 % of travel, 128.9 s to trip, 2.4 kA admissible */
    const uint64_t heat[SEQLOCK_WORDS] = {612900, 120000, 128900 * NS_PER_MS, 2400000,
                                          ELEMENT_LONG_TIME | ELEMENT_SHORT_TIME << 8};
    const uint64_t no_curve[SEQLOCK_WORDS] = {UINT64_MAX, UINT64_MAX, INT64_MAX, UINT64_MAX,
                                              ELEMENT_ROLE_COUNT | ELEMENT_ROLE_COUNT << 8};
    seqlock_write(&view->node[0], main_sums);
    seqlock_write(&view->node[1], limits);
    seqlock_write(&view->node[2], heat);
    seqlock_write(&view->node[VIEW_NODE_RECORDS], branch_sums);
    seqlock_write(&view->node[VIEW_NODE_RECORDS + 1], limits);
    seqlock_write(&view->node[VIEW_NODE_RECORDS + 2], no_curve);
    seqlock_write(&view->host[0 * VIEW_HOST_RECORDS], leased);
    seqlock_write(&view->host[1 * VIEW_HOST_RECORDS], quiet);
    seqlock_write(&view->host[2 * VIEW_HOST_RECORDS], unheard);
    view_write_meter(view, 0,
                     &(struct view_meter){.t_receive_ns = NOW_NS - 20 * NS_PER_MS,
                                          .power_mw = 30000000,
                                          .current_ma = {100000, 110000, 90500},
                                          .voltage_mv = {101000, 99500, 100000}});
}

static int open_bed(void **state)
{
    static struct bed bed;
    bed = (struct bed){.screen = {.columns = 80, .lines = 12}};
    json_t *answer = json_loads(names, 0, NULL);
    top_source_init(&bed.source, "/door");
    assert_int_equal(top_source_take_names(&bed.source.model, answer), 0);
    json_decref(answer);
    assert_int_equal(view_share_open(&bed.share, &bed.source.view, 2, 3, 1), 0);
    fill(&bed.source.view);
    bed.source.attached = true;
    bed.source.error = 0;
    bed.source.answered_ns = NOW_NS;
    bed.source.counters = json_pack("{s:s, s:s, s:s, s:s, s:i, s:f}", "verdict", "alarm", "words",
                                    "nodes in recovery: 1 (branch)", "site", "s", "mode", "enforce", "epoch",
                                    17, "uptime_s", 61.0);
    *state = &bed;
    return 0;
}

static int close_bed(void **state)
{
    struct bed *bed = *state;
    free(bed->text);
    bed->source.attached = false;
    json_decref(bed->source.counters);
    top_source_drop_names(&bed->source.model);
    view_share_close(&bed->share);
    return 0;
}

static const char *draw(struct bed *bed, int64_t now_ns)
{
    size_t bytes = 0;
    free(bed->text);
    bed->text = NULL;
    FILE *out = open_memstream(&bed->text, &bytes);
    top_screen_draw(out, &bed->screen, &bed->source, now_ns);
    assert_int_equal(fclose(out), 0);
    return bed->text;
}

#define HEAD "alarm: nodes in recovery: 1 (branch)\n\nsite s, mode enforce, up 61 s, epoch 17\n"

static void nodes_come_worst_first_with_the_load_of_their_worst_phase(void **state)
{
    struct bed *bed = *state;
    assert_string_equal(draw(bed, NOW_NS), HEAD
        "[nodes]  hosts   meters   stages    worst first, 1 to 2 of 2\n"
        "node           kind      load A limit A    load  exposed   leased heat\n"
        "branch         branch A       -   200.0       -   105.0%   100.0%    - recovery\n"
        "main           main   B   110.0   200.0   55.0%    75.0%    70.0%  61%\n");
    bed->screen.order = TOP_NAME;
    bed->screen.columns = 110;
    assert_non_null(strstr(draw(bed, NOW_NS), "main                     main         B   110.0   200.0   "
                                              "55.0%    75.0%    70.0%  61.3%    128 s\n"));
    assert_non_null(strstr(bed->text, " leased   heat trips in\n"));
    bed->screen.columns = 128;
    assert_non_null(strstr(draw(bed, NOW_NS), "main                     main         B   110.0   200.0   "
                                              "55.0%    75.0%    70.0%  61.3%    128 s    100.0    110.0     "
                                              "90.5\n"));
    bed->screen.order = TOP_LOAD;
    assert_non_null(strstr(draw(bed, NOW_NS), "load first, 1 to 2 of 2\n"));
}

/* 27 of 20 MVA on the loss of feed-b, where 15 are exposed as it is. */
static void a_site_that_declares_losses_shows_the_worst_instead_of_what_is_leased(void **state)
{
    struct bed *bed = *state;
    const uint64_t tightest[SEQLOCK_WORDS] = {27000000, 20000000, 14000000, 20000000, 2 | 1 << 8};
    struct model *model = &bed->source.model;
    model->contingency_count = 3;
    snprintf(model->contingency[0].name, NAME_BYTES, "none");
    snprintf(model->contingency[2].name, NAME_BYTES, "feed-b");
    seqlock_write(&bed->source.view.node[4], tightest);
    assert_string_equal(draw(bed, NOW_NS), HEAD
        "[nodes]  hosts   meters   stages    worst first, 1 to 2 of 2\n"
        "node           kind      load A limit A    load  exposed    worst heat\n"
        "branch         branch A       -   200.0       -   105.0%     0.0%    - recovery\n"
        "main           main   B   110.0   200.0   55.0%    75.0%   135.0%  61%\n");
    bed->screen.columns = 110;
    draw(bed, NOW_NS);
    assert_non_null(strstr(bed->text, "main               main    B   110.0   200.0   55.0%    75.0%   "
                                      "135.0% feed-b      61.3%    128 s\n"));
    assert_non_null(strstr(bed->text, "   worst on loss of   heat trips in\n"));
}

static void the_names_of_contingencies_are_taken(void **state)
{
    (void)state;
    struct model model = {.name = ""};
    static const char *const lists[] = {"[\"none\", \"feed-a\"]",
                                        "[\"0\",\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\"]"};
    for (int i = 0; i < 2; i++) {
        json_t *answer = json_loads(names, 0, NULL);
        json_object_set_new(answer, "contingencies", json_loads(lists[i], 0, NULL));
        assert_int_equal(top_source_take_names(&model, answer), i ? -EPROTO : 0);
        json_decref(answer);
    }
    assert_int_equal(model.contingency_count, 2);
    assert_string_equal(model.contingency[1].name, "feed-a");
    top_source_drop_names(&model);
}

static void hosts_that_are_not_heard_come_first_and_say_so(void **state)
{
    struct bed *bed = *state;
    bed->screen.pane = TOP_HOSTS;
    assert_string_equal(draw(bed, NOW_NS), HEAD
        " nodes  [hosts]  meters   stages    worst first, 1 to 3 of 3\n"
        "host           state       lease    draw  exposed  exposed by   report ms\n"
        "h-2            unheard         -       -     10.3  unheard             -\n"
        "h-1            leased        4.2     5.9      6.1  lease            2000  QUIET\n"
        "h-3            leased        4.2     5.9      6.1  lease              12  +6.2\n");
}

static void a_meter_shows_its_fullest_phase_its_lowest_volts_and_its_state(void **state)
{
    struct bed *bed = *state;
    bed->screen.pane = TOP_METERS;
    const char *heading =
        "meter            node           state     age ms   fresh       kW       A      V\n";
    assert_non_null(strstr(draw(bed, NOW_NS), heading));
    assert_non_null(strstr(bed->text,
        "m-main           main           ok          20.0   100.0     30.0   110.0   99.5\n"));
    assert_non_null(strstr(draw(bed, NOW_NS + 90 * NS_PER_MS), " late       110.0 "));
    assert_non_null(strstr(draw(bed, NOW_NS + NS_PER_S), " silent    1020.0 "));
}

static void a_daemon_that_is_gone_is_told_and_its_rows_keep_their_age(void **state)
{
    struct bed *bed = *state;
    bed->screen.pane = TOP_METERS;
    bed->source.error = -ECONNREFUSED;
    const char *text = draw(bed, NOW_NS + 7 * NS_PER_S);
    assert_non_null(
        strstr(text, "gone: the daemon has not answered for 7 s (/door: Connection refused); this is"));
    assert_non_null(strstr(text, " ok          20.0 "));
    /* a report that came after the last answer has age 0 then */
    bed->screen.pane = TOP_HOSTS;
    bed->source.answered_ns -= NS_PER_S;
    assert_non_null(strstr(draw(bed, NOW_NS + 7 * NS_PER_S), "     6.1  lease               0  +6.2\n"));
    bed->source.answered_ns += NS_PER_S;
    bed->source.error = 0;
    bed->source.restarts = 2;
    assert_non_null(strstr(draw(bed, NOW_NS), "up 61 s, restarted 2x under top, epoch 17\n"));
}

static void before_the_first_answer_there_is_a_word_and_no_row(void **state)
{
    struct bed *bed = *state;
    struct top_source none;
    struct top_source before = bed->source;
    top_source_init(&none, "/door");
    none.error = -ENOENT;
    bed->source = none;
    assert_string_equal(draw(bed, NOW_NS), "no daemon: /door: No such file or directory; waiting for it\n\n\n"
        "[nodes]  hosts   meters   stages    worst first, 0 to 0 of 0\n"
        "node           kind      load A limit A    load  exposed   leased heat\n");
    bed->source = before;
}

/* Lines of a frame, none wider than the screen; escape sequences take no room. */
static uint32_t measure(const char *text, uint32_t columns)
{
    uint32_t lines = 1, used = 0;
    for (; *text; text++) {
        if (*text == '\033') {
            while (*text && !((*text >= 'A' && *text <= 'Z') || (*text >= 'a' && *text <= 'z')))
                text++;
            continue;
        }
        used = *text == '\n' || *text == '\r' ? 0 : used + 1;
        lines += *text == '\n';
        assert_true(used <= columns);
    }
    return lines;
}

static void a_frame_fills_the_terminal_exactly_whatever_its_size(void **state)
{
    struct bed *bed = *state;
    json_object_set_new(bed->source.counters, "latency_us",
                        json_pack("{s:{s:i, s:f}}", "a_stage_with_a_very_long_name", "n", 5, "p50", 1e12));
    json_object_set_new(bed->source.counters, "words",
                        json_string("words that go on and on and on and on and on and on and on and on and "
                                    "on and on and on and on and on"));
    bed->screen.terminal = bed->screen.colour = true;
    for (uint32_t columns = 10; columns <= 210; columns += 50) {
        for (uint32_t lines = 3; lines <= 63; lines += 10) {
            for (int pane = 0; pane < TOP_PANE_COUNT; pane++) {
                bed->screen.columns = columns;
                bed->screen.lines = lines;
                bed->screen.pane = (enum top_pane)pane;
                bed->screen.first = UINT32_MAX;
                assert_int_equal(measure(draw(bed, NOW_NS), columns), lines);
            }
        }
    }
}

static void scrolling_stops_at_the_last_row(void **state)
{
    struct bed *bed = *state;
    bed->screen.pane = TOP_HOSTS;
    bed->screen.lines = 7;      /* room for two rows */
    bed->screen.first = 99;
    assert_non_null(strstr(draw(bed, NOW_NS), "worst first, 2 to 3 of 3\n"));
    assert_int_equal(bed->screen.first, 1);
    assert_null(strstr(bed->text, "h-2 "));
}

static void nothing_in_a_name_steers_the_terminal(void **state)
{
    struct bed *bed = *state;
    strcpy(bed->source.model.node[1].name, "x\033[2Jy");
    assert_non_null(strstr(draw(bed, NOW_NS), "x?[2Jy "));
    assert_null(strchr(bed->text, '\033'));
}

static void colour_is_for_what_is_not_ordinary_and_never_without_a_word(void **state)
{
    struct bed *bed = *state;
    bed->screen.terminal = bed->screen.colour = true;
    const char *text = draw(bed, NOW_NS);
    assert_non_null(strstr(text, "\033[1;31malarm: "));
    assert_non_null(strstr(text, "\033[1;31mbranch  "));
    assert_non_null(strstr(text, "\nmain  "));
    bed->screen.colour = false;
    assert_null(strstr(draw(bed, NOW_NS), "\033[1;31m"));
    json_object_set_new(bed->source.counters, "verdict", json_string("ok"));
    bed->screen.colour = true;
    assert_non_null(strstr(draw(bed, NOW_NS), "\033[Hok: "));
}

static void names_that_do_not_fit_together_are_refused(void **state)
{
    (void)state;
    static const struct { const char *from, *to;
    } changes[] = {{"\"meter\": 0", "\"meter\": 1"},
                   {"\"node\": 0", "\"node\": 2"},
                   {"\"node\": 0", "\"node\": -1"},
                   {"\"h-3\"", "3"},
                   {"\"main\"", "\"a-name-of-more-than-thirty-one-characters\""},
                   {"\"nodes\"", "\"n\""},
                   {"\"site\"", "\"sit\""}};
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        char text[sizeof names + 64];
        struct model model = {.node_count = 5};
        const char *at = strstr(names, changes[i].from);
        snprintf(text, sizeof text, "%.*s%s%s", (int)(at - names), names, changes[i].to,
                 at + strlen(changes[i].from));
        json_t *answer = json_loads(text, 0, NULL);
        assert_non_null(answer);
        assert_int_equal(top_source_take_names(&model, answer), -EPROTO);
        assert_int_equal(model.node_count, 5);
        json_decref(answer);
    }
}

#define BED(test) cmocka_unit_test_setup_teardown(test, open_bed, close_bed)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BED(nodes_come_worst_first_with_the_load_of_their_worst_phase),
        BED(a_site_that_declares_losses_shows_the_worst_instead_of_what_is_leased),
        cmocka_unit_test(the_names_of_contingencies_are_taken),
        BED(hosts_that_are_not_heard_come_first_and_say_so),
        BED(a_meter_shows_its_fullest_phase_its_lowest_volts_and_its_state),
        BED(a_daemon_that_is_gone_is_told_and_its_rows_keep_their_age),
        BED(before_the_first_answer_there_is_a_word_and_no_row),
        BED(a_frame_fills_the_terminal_exactly_whatever_its_size),
        BED(scrolling_stops_at_the_last_row),
        BED(nothing_in_a_name_steers_the_terminal),
        BED(colour_is_for_what_is_not_ordinary_and_never_without_a_word),
        cmocka_unit_test(names_that_do_not_fit_together_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
