/* SPDX-License-Identifier: Apache-2.0 */
/* Histories that are drawn keep the premises, and what fails shrinks to what makes it fail. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "sim/history.h"
#include "tiny_site.h"

enum { HOURS = 3, SEEDS = 20 };

/* The demo with what a draw asks for: two hosts below any node may disobey at a time, one of each branch's
 * hosts hangs on both, either branch may be lost, and load that nobody governs stands on branch 1. */
static void init_model(struct model *model)
{
    tiny_site_init(model, &tiny_demo);
    tiny_site_policy(model);
    model->policy.rho_ppm = 10000;
    model->policy.feed_stable_ns = 10 * NS_PER_S;
    for (uint32_t n = 0; n < model->node_count; n++)
        model->node[n].k = 2;
    model->contingency_count = 2;
    model->contingency[1] =
        (struct model_contingency){.kind = CONTINGENCY_LOSS, .lasting = 1, .lost_node = 3};
    /* of that rack two hosts are fed by it alone */
    for (uint32_t h = 2; h < model->host_count; h++) {
        if (model->host[h].cord[0].node != 3)
            continue;
        model->host[h].cord[1] = model->host[h].cord[0];
        model->host[h].cord[1].node = 6;
        model->host[h].cord_count = 2;
    }
    for (uint32_t n = 0; n < 2; n++)
        for (int phase = 0; phase < PHASES; phase++)
            model->node[n].other_mva[phase] = 10 * 1000 * 1000;
}

static struct history drawn(const struct model *model, enum fault_level level, uint64_t seed)
{
    struct history history;
    assert_int_equal(history_draw(&history, model, level, seed, HOURS * 3600 * NS_PER_S), 0);
    return history;
}

static void the_same_seed_draws_the_same_history(void **state)
{
    struct model model;
    (void)state;
    init_model(&model);
    struct history a = drawn(&model, LEVEL_MANY, 5), b = drawn(&model, LEVEL_MANY, 5);
    struct history c = drawn(&model, LEVEL_MANY, 6);
    assert_int_equal(a.count, b.count);
    for (uint32_t i = 0; i < a.count; i++)
        assert_true(a.fault[i].kind == b.fault[i].kind && a.fault[i].at_ns == b.fault[i].at_ns &&
                    a.fault[i].for_ns == b.fault[i].for_ns && a.fault[i].amount == b.fault[i].amount &&
                    a.fault[i].place == b.fault[i].place);
    assert_true(c.count != a.count || c.fault[0].at_ns != a.fault[0].at_ns);
    history_finish(&a);
    history_finish(&b);
    history_finish(&c);
    tiny_site_finish(&model);
}

static void a_higher_level_draws_more_and_of_every_kind(void **state)
{
    struct model model;
    uint32_t count[LEVEL_COUNT] = {0}, kind[FAULT_KIND_COUNT] = {0};
    (void)state;
    init_model(&model);
    for (int level = LEVEL_NONE; level < LEVEL_COUNT; level++) {
        for (uint64_t seed = 1; seed <= SEEDS; seed++) {
            struct history history = drawn(&model, (enum fault_level)level, seed);
            count[level] += history.count;
            for (uint32_t i = 0; level == LEVEL_HOSTILE && i < history.count; i++)
                kind[history.fault[i].kind]++;
            history_finish(&history);
        }
    }
    assert_int_equal(count[LEVEL_NONE], 0);
    assert_in_range(count[LEVEL_SOME], SEEDS * HOURS * 40, SEEDS * HOURS * 75);
    assert_true(count[LEVEL_MANY] > 4 * count[LEVEL_SOME] && count[LEVEL_HOSTILE] > 2 * count[LEVEL_MANY]);
    for (int i = 0; i < FAULT_KIND_COUNT; i++) {
        bool of_sources = i >= FAULT_NO_START && i <= FAULT_TRANSFER;    /* where a workload describes them */
        if (!of_sources && i != FAULT_LEAVE && kind[i] < SEEDS)
            fail_msg("only %u of %s", kind[i], fault_name((enum fault_kind)i));
    }
    tiny_site_finish(&model);
}

static bool holds(const struct history *history, const struct fault *fault)
{
    for (uint32_t i = 0; i < history->count; i++) {
        if (fault_same(&history->fault[i], fault))
            return true;
    }
    return false;
}

/* Agents are told to stop where the site lets hosts go, in the place of some that died. The dice of all else
 * stay as they are; but an agent takes a moment to stop, and what premises forbid meanwhile is not drawn. */
static void agents_are_told_to_stop_where_they_may_ask_and_all_else_stays(void **state)
{
    struct model model;
    uint32_t told = 0, died = 0, all = 0, others = 0;
    (void)state;
    init_model(&model);
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        model.policy.let_go = 0;
        struct history without = drawn(&model, LEVEL_HOSTILE, seed);
        model.policy.let_go = 1;
        struct history with = drawn(&model, LEVEL_HOSTILE, seed);
        for (uint32_t i = 0; i < with.count; i++) {
            struct fault fault = with.fault[i];
            told += fault.kind == FAULT_LEAVE;
            died += fault.kind == FAULT_AGENT;
            fault.kind = fault.kind == FAULT_LEAVE ? FAULT_AGENT : fault.kind;
            others += !holds(&without, &fault);
        }
        for (uint32_t i = 0; i < without.count; i++)
            assert_int_not_equal(without.fault[i].kind, FAULT_LEAVE);
        all += with.count;
        history_finish(&with);
        history_finish(&without);
    }
    assert_true(told > (told + died) / 3 && died > (told + died) / 3);
    assert_true(others < all / 50);
    tiny_site_finish(&model);
}

/* More would be drawn than a history holds: the last hours have their share all the same. */
static void a_long_history_has_faults_to_its_end(void **state)
{
    const int64_t long_ns = 100 * 3600 * NS_PER_S;
    struct model model;
    struct history history;
    uint32_t last = 0;
    (void)state;
    init_model(&model);
    assert_int_equal(history_draw(&history, &model, LEVEL_HOSTILE, 7, long_ns), 0);
    assert_true(history.count < HISTORY_FAULTS_MAX);
    for (uint32_t i = 0; i < history.count; i++)
        last += history.fault[i].at_ns >= long_ns / 10 * 9;
    assert_in_range(last, history.count / 10 * 9 / 10, history.count / 10 * 11 / 10);
    history_finish(&history);
    tiny_site_finish(&model);
}

/* ---- premises, looked at from outside: at every beginning, all that stands ---- */

static bool stands(const struct fault *fault, int64_t t_ns, int64_t more_ns)
{
    int64_t slept_ns = fault->kind == FAULT_HOST_STEP ? (int64_t)(fault->amount * 1e9) : 0;
    return fault->at_ns <= t_ns && t_ns < fault->at_ns + fault->for_ns + slept_ns + more_ns;
}

static bool disobeys(enum fault_kind kind)
{
    return kind == FAULT_RESET || kind == FAULT_STICK || kind == FAULT_LIE || kind == FAULT_STALL ||
           kind == FAULT_OVERDRAW || kind == FAULT_OVERSHOOT || kind == FAULT_RAISE ||
           kind == FAULT_REBOOT || kind == FAULT_WATCHDOG || kind == FAULT_HOST_STEP;
}

static bool takes_its_power(const struct fault *fault, const struct model *model, uint32_t h)
{
    bool all = fault->kind == FAULT_DARK;
    for (uint32_t c = 0; c < model->host[h].cord_count; c++)
        all &= model_lies_below(model, model->host[h].cord[c].node, fault->place);
    return all;
}

static void count_disobedient(const struct history *history, const struct model *model, int64_t t_ns)
{
    const int64_t after_ns = 3 * model->policy.lease_ns;
    for (uint32_t n = 0; n < model->node_count; n++) {
        const struct fault node = {.place = n};
        uint32_t bad = 0;
        for (uint32_t h = 0; h < model->host_count; h++) {
            bool is_bad = false;
            for (uint32_t i = 0; i < history->count && history->fault[i].at_ns <= t_ns; i++) {
                const struct fault *fault = &history->fault[i];
                is_bad |= stands(fault, t_ns, after_ns) &&
                          (takes_its_power(fault, model, h) ||
                           (disobeys(fault->kind) && fault_strikes_host(fault, model, h)));
            }
            bad += is_bad && fault_strikes_host(&node, model, h);
        }
        assert_true(!model->node[n].limited || bad <= model->node[n].k);
    }
}

static void at_most_k_hosts_disobey_at_a_time_below_any_node(void **state)
{
    struct model model;
    uint32_t looked = 0;
    (void)state;
    init_model(&model);
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct history history;
        assert_int_equal(history_draw(&history, &model, LEVEL_HOSTILE, seed, 600 * NS_PER_S), 0);
        for (uint32_t i = 0; i < history.count; i++) {
            looked += disobeys(history.fault[i].kind);
            count_disobedient(&history, &model, history.fault[i].at_ns);
        }
        history_finish(&history);
    }
    assert_true(looked > 30);
    tiny_site_finish(&model);
}

static void nobody_disobeys_where_k_is_nothing(void **state)
{
    struct model model;
    (void)state;
    init_model(&model);
    for (uint32_t n = 0; n < model.node_count; n++)
        model.node[n].k = 0;
    struct history history = drawn(&model, LEVEL_HOSTILE, 1);
    assert_true(history.count > 1000);
    for (uint32_t i = 0; i < history.count; i++)
        assert_true(!disobeys(history.fault[i].kind));
    history_finish(&history);
    tiny_site_finish(&model);
}

static bool errs(enum fault_kind kind)
{
    return kind == FAULT_METER_ERROR || kind == FAULT_METER_DRIFT;
}

static bool is_power(enum fault_kind kind)
{
    return kind == FAULT_DARK || kind == FAULT_SAG;
}

static bool is_late(enum fault_kind kind)
{
    return kind == FAULT_METER_DELAY || kind == FAULT_METER_STEP || kind == FAULT_METER_RATE;
}

/* The plant has 0.6 of it there already. */
static bool leaves_other(const struct model *model, const struct fault *fault)
{
    bool leaves = true;
    for (uint32_t a = 0; a < model->node[fault->place].ancestor_count; a++) {
        const int64_t *mva = model->node[model->node[fault->place].ancestor[a]].other_mva;
        leaves &= fault->amount * 1e6 <= 0.4 * (double)(mva[0] + mva[1] + mva[2]);
    }
    return leaves;
}

static void losses_errors_and_rates_come_one_at_a_time(void **state)
{
    struct model model;
    (void)state;
    init_model(&model);
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct history history = drawn(&model, LEVEL_HOSTILE, seed);
        for (uint32_t i = 0; i < history.count; i++) {
            const struct fault *fault = &history.fault[i];
            assert_true(fault->kind != FAULT_DARK || fault->place == 3);
            assert_true(fault->kind != FAULT_HOST_RATE || fabs(fault->amount) <= 0.01);
            assert_true(fault->kind != FAULT_SAG || fault->amount <= 0.05);
            assert_true(fault->kind != FAULT_OTHER || leaves_other(&model, fault));
            for (uint32_t j = i; j-- > 0 && history.fault[j].at_ns > fault->at_ns - 1200 * NS_PER_S;) {
                const struct fault *before = &history.fault[j];
                bool both = stands(before, fault->at_ns, 0);
                assert_false(both && is_power(before->kind) && is_power(fault->kind));
                assert_false(both && errs(before->kind) && errs(fault->kind));
                assert_false(both && before->kind == FAULT_HOST_RATE && fault->kind == FAULT_HOST_RATE);
                assert_false(both && before->kind == FAULT_OTHER && fault->kind == FAULT_OTHER);
                assert_false(stands(before, fault->at_ns, 60 * NS_PER_S) && is_late(before->kind) &&
                             is_late(fault->kind) && before->place == fault->place);
            }
        }
        history_finish(&history);
    }
    tiny_site_finish(&model);
}

static void what_is_drawn_reads_back(void **state)
{
    struct model model;
    (void)state;
    init_model(&model);
    struct history history = drawn(&model, LEVEL_HOSTILE, 9);
    for (uint32_t i = 0; i < history.count; i++) {
        struct fault read;
        char text[160], why[160];
        fault_text(&history.fault[i], &model, text, sizeof text);
        if (fault_parse(text, &model, &read, why, sizeof why))
            fail_msg("%s: %s", text, why);
        assert_true(read.kind == history.fault[i].kind && read.amount == history.fault[i].amount &&
                    read.at_ns == history.fault[i].at_ns && read.for_ns == history.fault[i].for_ns);
    }
    history_finish(&history);
    tiny_site_finish(&model);
}

/* ---- shrinking ---- */

struct planted {
    uint32_t tries;
    bool passes;
};

/* A reset, and at least a second behind it a loss of a tenth or more that lasts for 40 ms or longer, and
 * 300 ms after its beginning to see it. */
static bool planted_fails(void *user, const struct history *history, int64_t until_ns)
{
    struct planted *planted = user;
    planted->tries++;
    for (uint32_t i = 0; !planted->passes && i < history->count; i++) {
        for (uint32_t j = 0; j < history->count; j++) {
            const struct fault *reset = &history->fault[i], *loss = &history->fault[j];
            if (reset->kind == FAULT_RESET && loss->kind == FAULT_LOSS && loss->amount >= 0.1 &&
                loss->for_ns >= 40 * NS_PER_MS && loss->at_ns >= reset->at_ns + NS_PER_S &&
                loss->at_ns + 300 * NS_PER_MS <= until_ns)
                return true;
        }
    }
    return false;
}

static void what_fails_shrinks_to_what_makes_it_fail(void **state)
{
    struct model model;
    (void)state;
    init_model(&model);
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct history history = drawn(&model, LEVEL_MANY, seed);
        struct planted planted = {0};
        int64_t until_ns = HOURS * 3600 * NS_PER_S;
        assert_true(history.count > 500);
        assert_int_equal(history_shrink(&history, &until_ns, planted_fails, &planted, 2000), 0);
        assert_int_equal(history.count, 2);
        assert_int_equal(history.fault[0].kind, FAULT_RESET);
        assert_int_equal(history.fault[1].kind, FAULT_LOSS);
        assert_true(history.fault[1].for_ns < 80 * NS_PER_MS && history.fault[1].amount < 0.21);
        assert_true(history.fault[0].at_ns < 2 * NS_PER_MS);
        assert_int_equal(until_ns, history.fault[1].at_ns + 300 * NS_PER_MS);
        planted.passes = false;
        assert_true(planted_fails(&planted, &history, until_ns));
        history_finish(&history);
    }
    tiny_site_finish(&model);
}

static void what_passes_stays_and_tries_are_bounded(void **state)
{
    struct model model;
    (void)state;
    init_model(&model);
    struct history history = drawn(&model, LEVEL_MANY, 1);
    struct planted planted = {.passes = true};
    uint32_t count = history.count;
    int64_t until_ns = HOURS * 3600 * NS_PER_S;
    assert_int_equal(history_shrink(&history, &until_ns, planted_fails, &planted, 2000), 0);
    assert_int_equal(history.count, count);
    assert_int_equal(planted.tries, 1);
    planted = (struct planted){0};
    assert_int_equal(history_shrink(&history, &until_ns, planted_fails, &planted, 25), 0);
    assert_int_equal(planted.tries, 25);
    assert_true(planted_fails(&planted, &history, until_ns));
    history_finish(&history);
    tiny_site_finish(&model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_seed_draws_the_same_history),
        cmocka_unit_test(a_higher_level_draws_more_and_of_every_kind),
        cmocka_unit_test(agents_are_told_to_stop_where_they_may_ask_and_all_else_stays),
        cmocka_unit_test(a_long_history_has_faults_to_its_end),
        cmocka_unit_test(at_most_k_hosts_disobey_at_a_time_below_any_node),
        cmocka_unit_test(nobody_disobeys_where_k_is_nothing),
        cmocka_unit_test(losses_errors_and_rates_come_one_at_a_time),
        cmocka_unit_test(what_is_drawn_reads_back),
        cmocka_unit_test(what_fails_shrinks_to_what_makes_it_fail),
        cmocka_unit_test(what_passes_stays_and_tries_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
