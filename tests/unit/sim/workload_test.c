/* SPDX-License-Identifier: Apache-2.0 */
/* workload.yaml: what is read, and what is refused with its place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "sim/workload.h"
#include "tiny_site.h"

static int load_text(const char *text, struct workload *workload, char **findings)
{
    char path[] = "/tmp/flyball-workload-XXXXXX";
    struct model model;
    size_t bytes;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    tiny_site_init(&model, &tiny_demo);
    /* something for `sources` to describe: a UPS, a generator, a UPS without a limit */
    model.node[1].kind = model.node[3].kind = NODE_UPS;
    model.node[2].kind = NODE_GENERATOR;
    model.node[2].parent_count = model.node[3].limited = 0;
    FILE *report = open_memstream(findings, &bytes);
    int result = workload_load(workload, path, &model, report);
    fclose(report);
    unlink(path);
    tiny_site_finish(&model);
    return result;
}

static void a_good_file_is_read(void **state)
{
    struct workload workload;
    char *findings = NULL;
    (void)state;
    int result = load_text("workload: t\nseed: 42\nduration: 25s\nclasses:\n"
                           "  - {id: a, kind: train, hosts: [\"h-0[0-2]*\"], compute: 1500us,\n"
                           "     compute_draw: 80%}\n"
                           "  - {id: b, kind: starter, hosts: [\"h-0[3-5]*\"], groups: 4}\n"
                           "breakers: {tr: 2s, short_time: 5}\nplant: {step: 2ms}\n", &workload, &findings);
    assert_string_equal(findings, "");
    assert_int_equal(result, 0);
    assert_int_equal(workload.seed, 42);
    assert_int_equal(workload.duration_ns, 25 * NS_PER_S);
    assert_int_equal(workload.class[0].compute_ns, 1500000);
    assert_true(workload.class[0].compute_draw > 0.799 && workload.class[0].compute_draw < 0.801);
    assert_int_equal(workload.class[1].groups, 4);
    assert_int_equal(workload.class_of[29], 0);
    assert_int_equal(workload.class_of[30], 1);
    assert_int_equal(workload.breakers.tr_ns, 2 * NS_PER_S);
    assert_int_equal(workload_step_ns(&workload), 2 * NS_PER_MS);
    workload_unload(&workload);
    free(findings);
}

static void fine_tuning_queries_and_staggered_jobs_are_read(void **state)
{
    struct workload workload;
    char *findings = NULL;
    (void)state;
    int result =
        load_text("seed: 1\nplant: {step: 4ms}\nclasses:\n"
                  "  - {id: a, kind: train, hosts: [\"h-00*\"], stagger: 40ms, start: 2s, stop: 9s,\n"
                  "     stopped_draw: 11%}\n"
                  "  - {id: b, kind: finetune, hosts: [\"h-0[1-3]*\"], high: 3s, low: 1s, beta: 30%,\n"
                  "     high_draw: 90%}\n"
                  "  - {id: c, kind: queries, hosts: [\"h-0[45]*\"], rate: 3, query: 500ms, swing: 40%,\n"
                  "     day: 86400s, query_draw: 8%, base_draw: 12%}\n",
                  &workload, &findings);
    assert_string_equal(findings, "");
    assert_int_equal(result, 0);
    assert_int_equal(workload_step_ns(&workload), 4 * NS_PER_MS);
    assert_int_equal(workload.class[0].stagger_ns, 40 * NS_PER_MS);
    assert_int_equal(workload.class[0].start_ns, 2 * NS_PER_S);
    assert_int_equal(workload.class[0].stop_ns, 9 * NS_PER_S);
    assert_int_equal(workload.class[1].kind, WORKLOAD_FINETUNE);
    assert_int_equal(workload.class[1].low_ns, NS_PER_S);
    assert_true(workload.class[1].beta > 0.299 && workload.class[1].beta < 0.301);
    assert_int_equal(workload.class[2].day_ns, 86400 * NS_PER_S);
    assert_true(workload.class[2].rate_per_s > 2.999 && workload.class[2].rate_per_s < 3.001);
    workload_unload(&workload);
    free(findings);
}

static void events_are_read(void **state)
{
    struct workload workload;
    char *findings = NULL, text[80];
    struct model model;
    (void)state;
    tiny_site_init(&model, &tiny_demo);
    int result = load_text("seed: 1\nclasses:\n  - {id: a, kind: train, hosts: [\"*\"]}\nevents:\n"
                           "  - {at: 12s, lose: branch-2}\n  - {at: 0s, restore: main-0}\n"
                           "  - {reset: [\"h-00*\", \"h-030\"], at: 1500ms}\n", &workload, &findings);
    assert_string_equal(findings, "");
    assert_int_equal(result, 0);
    assert_int_equal(workload.event_count, 3);
    assert_int_equal(workload.event[0].at_ns, 12 * NS_PER_S);
    assert_int_equal(workload.event[0].kind, EVENT_LOSE);
    assert_int_equal(workload.event[0].node, 2);
    assert_int_equal(workload.event[1].kind, EVENT_RESTORE);
    assert_int_equal(workload.event[2].at_ns, 1500 * NS_PER_MS);
    assert_int_equal(workload.resets[9], 1u << 2);
    assert_int_equal(workload.resets[10], 0);
    assert_int_equal(workload.resets[30], 1u << 2);
    workload_event_text(&workload, &model, 0, text, sizeof(text));
    assert_string_equal(text, "lose branch-2");
    workload_event_text(&workload, &model, 2, text, sizeof(text));
    assert_string_equal(text, "reset 11 hosts");
    workload_unload(&workload);
    tiny_site_finish(&model);
    free(findings);
}

#define GOOD "seed: 1\nclasses: [{id: a, kind: train, hosts: [\"*\"]}]\n"
static void sources_are_read(void **state)
{
    struct workload workload;
    char *findings = NULL;
    (void)state;
    int result = load_text(GOOD "plant: {hold_up: 16ms}\nsources:\n"
                           "  - {node: branch-2, start: 7s, fails: 5%, cool: 90s}\n"
                           "  - {node: branch-1, battery: 3min, walk_in: 0s}\n",
                           &workload, &findings);
    assert_string_equal(findings, "");
    assert_int_equal(result, 0);
    assert_int_equal(workload.plant.hold_up_ns, 16 * NS_PER_MS);
    assert_int_equal(workload.source_count, 2);
    assert_int_equal(workload.source[0].node, 2);
    assert_int_equal(workload.source[0].kinds, SOURCE_GENERATOR);
    assert_int_equal(workload.source[0].start_ns, 7 * NS_PER_S);
    assert_int_equal(workload.source[0].spread_ns, 2 * NS_PER_S);       /* what is usual */
    assert_int_equal(workload.source[0].cool_ns, 90 * NS_PER_S);
    assert_true(workload.source[0].fails > 0.049 && workload.source[0].fails < 0.051);
    assert_int_equal(workload.source[1].kinds, SOURCE_UPS);
    assert_int_equal(workload.source[1].battery_ns, 180 * NS_PER_S);
    assert_int_equal(workload.source[1].walk_in_ns, 0);
    workload_unload(&workload);
    free(findings);
}

static void every_mistake_is_told_with_line_and_column(void **state)
{
    static const struct { const char *text, *finding; } bad[] = {
        {"seed: 1\nclasses:\n  - {id: a, kind: train, hosts: [\"*\"], burst: 1s}\n",
            ":3:40: error: 'burst' does not belong"},
        {"seed: 1\nclasses:\n  - {id: a, kind: train, hosts: [\"*\"]}\nspeed: 3\n",
            ":4:1: error: unknown key 'speed'"},
        {"seed: 1\nduration: 30\nclasses:\n  - {id: a, kind: train, hosts: [\"*\"]}\n",
            ":2:11: error: duration: '30' is not a time"},
        {"seed: x\nclasses:\n  - {id: a, kind: train, hosts: [\"*\"]}\n",
            ":1:7: error: `seed` is a whole number"},
        {"seed: 1\nclasses:\n  - {id: a, kind: train, hosts: [\"z*\"]}\n", ":3:35: error: 'z*' fits no host"},
        {"seed: 1\nclasses:\n  - {id: a, kind: train, hosts: [\"h-00*\"]}\n",
            "error: host h-010 follows no class"},
        {"seed: 1\nclasses:\n  - {id: a, kind: train, hosts: [\"*\", \"h-001\"]}\n",
            ":3:40: error: host h-001 follows 'a' already"},
        {"seed: 1\nclasses:\n  - {id: a, kind: train, hosts: [\"*\"], compute_draw: 120%}\n",
            ":3:54: error: compute_draw: '120%' is outside"},
        {"seed: 1\nclasses:\n  - {id: a, kind: bake, hosts: [\"*\"]}\n",
            ":3:19: error: `kind` is train, inference, starter, finetune or queries"},
        {"seed: 1\nclasses: [\n", "error"},
        {GOOD "events: {at: 1s}\n", ":3:10: error: `events` is a list"},
        {GOOD "events: [now]\n", ":3:10: error: an event is a block such as"},
        {GOOD "events:\n  - {at: 1s, lose: branch-9}\n", ":4:20: error: 'branch-9' is no node"},
        {GOOD "events:\n  - {at: 1, lose: main-0}\n", ":4:10: error: at: '1' is not a time"},
        {GOOD "events:\n  - {at: -1s, lose: main-0}\n", ":4:10: error: at: '-1s' is not a time"},
        {GOOD "events:\n  - {lose: main-0}\n", ":4:6: error: an event needs `at`"},
        {GOOD "events:\n  - {at: 1s}\n", ":4:6: error: an event is one of lose, restore and reset"},
        {GOOD "events:\n  - {at: 1s, lose: main-0, restore: main-0}\n", ":4:6: error: an event is one of"},
        {GOOD "events:\n  - {at: 1s, loose: main-0}\n", ":4:14: error: unknown key 'loose'"},
        {GOOD "events:\n  - {at: 1s, reset: h-001}\n", ":4:21: error: reset: a list of names"},
        {GOOD "events:\n  - {at: 1s, reset: [\"x*\"]}\n", ":4:23: error: 'x*' fits no host"},
        {GOOD "plant: {notice: 0s}\n", ":3:17: error: notice: '0s' is outside"},
        {GOOD "sources: {node: main-0}\n", ":3:11: error: `sources` is a list"},
        {GOOD "sources: [main-0]\n", ":3:11: error: a source is a block such as"},
        {GOOD "sources:\n  - {start: 3s}\n", ":4:6: error: a source needs `node`"},
        {GOOD "sources:\n  - {node: main-9}\n", ":4:12: error: a source needs `node`"},
        {GOOD "sources:\n  - {node: main-0}\n", ":4:12: error: 'main-0' is no generator at the top"},
        {GOOD "sources:\n  - {node: branch-1, start: 1s}\n",
            ":4:22: error: 'start' does not belong to this kind of source"},
        {GOOD "sources:\n  - {node: branch-1}\n  - {node: branch-1}\n",
            ":5:12: error: 'branch-1' is described already"},
        {GOOD "sources:\n  - {node: branch-2, start: 1s, spread: 2s}\n",
            ":4:12: error: 'branch-2' could start before it is asked to"},
        {GOOD "sources:\n  - {node: rack-3}\n", ":4:12: error: 'rack-3' is unlimited"},
        {GOOD "plant: {step: 3ms}\n", "error: plant: step is 1ms, 2ms or 4ms"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct workload workload;
        char *findings = NULL;
        assert_int_equal(load_text(bad[i].text, &workload, &findings), -EINVAL);
        if (!strstr(findings, bad[i].finding))
            fail_msg("case %d: '%s' not in: %s", (int)i, bad[i].finding, findings);
        free(findings);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_file_is_read),
        cmocka_unit_test(fine_tuning_queries_and_staggered_jobs_are_read),
        cmocka_unit_test(events_are_read),
        cmocka_unit_test(sources_are_read),
        cmocka_unit_test(every_mistake_is_told_with_line_and_column),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
