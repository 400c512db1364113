/* SPDX-License-Identifier: Apache-2.0 */
/* Faults as people write them read back as what they were; what is no fault is refused with the reason. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "sim/history.h"
#include "sim/random.h"
#include "tiny_site.h"

enum { DRAWS = 200 };

static double drawn_amount(struct random *random, enum fault_kind kind)
{
    switch (kind) {
    case FAULT_METER_STEP: return random_between(random, -10, 10);
    case FAULT_METER_ERROR: case FAULT_METER_DRIFT: case FAULT_HOST_RATE: case FAULT_METER_RATE:
        return random_between(random, -0.5, 0.5);
    default: return random_between(random, 0.01, 0.9);
    }
}

/* Makes node 1 what a fault of sources strikes. */
static void suit(struct model *model, enum fault_kind kind)
{
    struct model_node *node = &model->node[1];
    node->kind = NODE_BRANCH;
    node->parent_count = kind == FAULT_TRANSFER ? 2 : 1;
    if (kind == FAULT_NO_START || kind == FAULT_LATE_START) {
        node->kind = NODE_GENERATOR;
        node->parent_count = 0;
    }
    if (kind == FAULT_BATTERY || kind == FAULT_BYPASS)
        node->kind = NODE_UPS;
}

static bool takes_amount(enum fault_kind kind)
{
    struct model model;
    struct fault fault;
    char text[80], why[160];
    const char *length = fault_happens_once(kind) ? "" : " for 1s";
    tiny_site_init(&model, &tiny_demo);
    suit(&model, kind);
    snprintf(text, sizeof text, "%s %s at 1s%s", fault_name(kind), model.node[1].name, length);
    int with_place = fault_parse(text, &model, &fault, why, sizeof why);
    snprintf(text, sizeof text, "%s at 1s%s", fault_name(kind), length);
    int without = fault_parse(text, &model, &fault, why, sizeof why);
    tiny_site_finish(&model);
    return kind == FAULT_ZOMBIE || (with_place && without);
}

static void every_kind_reads_back_to_the_last_bit(void **state)
{
    struct model model;
    struct random random;
    (void)state;
    tiny_site_init(&model, &tiny_demo);
    random_init(&random, 7, RANDOM_DEMAND, 0);
    for (int i = 0; i < DRAWS * FAULT_KIND_COUNT; i++) {
        enum fault_kind kind = (enum fault_kind)(i % FAULT_KIND_COUNT);
        enum fault_scope scope = fault_scope(kind);
        struct fault fault = {.kind = kind, .at_ns = (int64_t)(random_unit(&random) * 4e15)}, read;
        char text[160], why[160] = "";
        suit(&model, kind);
        bool must_last = scope == FAULT_CONTROLLER && kind != FAULT_LIMIT;
        if (!fault_happens_once(kind) && (must_last || i % 3))
            fault.for_ns = 1 + (int64_t)(random_unit(&random) * 1e12);
        fault.amount = takes_amount(kind) ? drawn_amount(&random, kind) : 0;
        fault.at_host = (scope == FAULT_HOSTS || scope == FAULT_NETWORK) && i % 2;
        fault.place = fault.at_host ? (uint32_t)(random_bits(&random) % model.host_count)
                                    : scope == FAULT_CONTROLLER && kind != FAULT_LIMIT ? 0 : 1;
        int length = fault_text(&fault, &model, text, sizeof text);
        assert_in_range(length, 1, sizeof text - 1);
        if (fault_parse(text, &model, &read, why, sizeof why))
            fail_msg("%s: %s", text, why);
        assert_true(read.kind == fault.kind && read.at_ns == fault.at_ns && read.for_ns == fault.for_ns);
        assert_true(read.amount == fault.amount);
        assert_true(read.at_host == fault.at_host && read.place == fault.place);
    }
    tiny_site_finish(&model);
}

static void words_stand_for_what_they_say(void **state)
{
    struct model model;
    struct fault fault;
    char text[160], why[160];
    (void)state;
    tiny_site_init(&model, &tiny_demo);
    snprintf(text, sizeof text, "loss %s 50%% at 1500ms for 2min", model.node[1].name);
    assert_int_equal(fault_parse(text, &model, &fault, why, sizeof why), 0);
    assert_true(fault.kind == FAULT_LOSS && fault.place == 1 && !fault.at_host && fault.amount == 0.5);
    assert_true(fault.at_ns == 1500 * NS_PER_MS && fault.for_ns == 120 * NS_PER_S);
    fault_text(&fault, &model, text, sizeof text);
    assert_non_null(strstr(text, "50% at 1.5s for 120s"));
    snprintf(text, sizeof text, "reset %s at 12s", model.host[3].name);
    assert_int_equal(fault_parse(text, &model, &fault, why, sizeof why), 0);
    assert_true(fault.at_host && fault.place == 3 && fault.at_ns == 12 * NS_PER_S && !fault.for_ns);
    assert_int_equal(fault_parse("zombie at 3s for 4s", &model, &fault, why, sizeof why), 0);
    assert_true(fault.kind == FAULT_ZOMBIE && fault.amount == 0);
    tiny_site_finish(&model);
}

static void what_is_no_fault_is_refused_with_the_reason(void **state)
{
    static const struct { const char *text, *why; } bad[] = {
        {"", "a fault is missing"}, {"melt main at 1s", "no such fault"}, {"reset", "a place is missing"},
        {"reset nowhere at 1s", "no such node or host"}, {"reset main", "'at'"}, {"reset main at", "a time"},
        {"reset main at 12", "a time"}, {"reset main at -1s", "a time"}, {"loss main at 1s", "a share"},
        {"loss main 150% at 1s", "out of range"}, {"stall main 3 at 1s", "a time"},
        {"other main 40 at 1s", "a power"}, {"crash at 1s for", "a time"}, {"crash at 1s 2s", "'for'"},
        {"crash at 1s for 2s more", "too much"}, {"loss main nan% at 1s", "a share"},
        {"crash at 1s", "'for'"}, {"pause at 1s", "'for'"}, {"reset main at 1s for 2s", "it happens once"},
        {"host-step main 3s at 1s for 2s", "it happens once"}, {"sag main 95% at 1s", "out of range"},
        {"no-start main at 1s", "it strikes a generator"}, {"bypass main at 1s", "it strikes a generator"},
        {"transfer main at 1s", "it strikes a generator"},
        {"battery main 5% at 1s", "it strikes a generator"},
    };
    struct model model;
    struct fault fault;
    (void)state;
    tiny_site_init(&model, &tiny_demo);
    strcpy(model.node[0].name, "main");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char why[160] = "";
        if (fault_parse(bad[i].text, &model, &fault, why, sizeof why) != -EINVAL ||
            strncmp(why, bad[i].why, strlen(bad[i].why)))
            fail_msg("'%s': %s, not %s", bad[i].text, why, bad[i].why);
    }
    tiny_site_finish(&model);
}

/* Equals stay in the order in which they were given. */
static void a_history_stands_in_the_order_of_its_times(void **state)
{
    struct history history = {0};
    struct random random;
    (void)state;
    random_init(&random, 3, RANDOM_DEMAND, 0);
    for (uint32_t i = 0; i < 1000; i++) {
        struct fault fault = {.at_ns = (int64_t)(random_bits(&random) % 100), .place = i};
        assert_int_equal(history_add(&history, &fault), 0);
    }
    assert_int_equal(history.count, 1000);
    for (uint32_t i = 1; i < 1000; i++) {
        const struct fault *before = &history.fault[i - 1], *fault = &history.fault[i];
        assert_true(before->at_ns < fault->at_ns ||
                    (before->at_ns == fault->at_ns && before->place < fault->place));
    }
    history_finish(&history);
    assert_true(!history.fault && !history.count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_reads_back_to_the_last_bit),
        cmocka_unit_test(words_stand_for_what_they_say),
        cmocka_unit_test(what_is_no_fault_is_refused_with_the_reason),
        cmocka_unit_test(a_history_stands_in_the_order_of_its_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
