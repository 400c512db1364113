/* SPDX-License-Identifier: Apache-2.0 */
/* What jobs and the desk say to each other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "agent/ask_words.h"

#define KW INT64_C(1000000)

static const struct {
    const char *text;
    struct ask_order order;
} good[] = {
    {"ask 12kW for 30s", {ASK_ASK, 1, 12 * KW, 30 * NS_PER_S, 0, ""}},
    {"ask 12.5kW for 500ms ahead 2s priority 0 job 123",
     {ASK_ASK, 0, 12500000, NS_PER_S / 2, 2 * NS_PER_S, "123"}},
    {"  ask   1W   for 5min  ", {ASK_ASK, 1, 1000, 300 * NS_PER_S, 0, ""}},
    {"ask 1W job a.b:c_d-e priority 255 for 1h", {ASK_ASK, 255, 1000, 3600 * NS_PER_S, 0, "a.b:c_d-e"}},
    {"extend for 30s", {ASK_EXTEND, 1, 0, 30 * NS_PER_S, 0, ""}},
    {"extend job 7 for 30s", {ASK_EXTEND, 1, 0, 30 * NS_PER_S, 0, "7"}},
    {"release", {ASK_RELEASE, 1, 0, 0, 0, ""}},
    {"release job 7", {ASK_RELEASE, 1, 0, 0, 0, "7"}},
    {"status\n", {ASK_STATUS, 1, 0, 0, 0, ""}},
};

#define WHERE_THEY_APPLY "'for', 'ahead', 'priority' or 'job', once each and where they apply"

static const struct {
    const char *text, *why;
} bad[] = {
    {"", "'ask', 'extend', 'release' or 'status', not 'nothing' (byte 1)"},
    {"grant 12kW", "'ask', 'extend', 'release' or 'status', not 'grant' (byte 1)"},
    {"ask", "a power in W, kW or MW is wanted, not 'nothing' (byte 4)"},
    {"ask 12", "a power in W, kW or MW is wanted, not '12' (byte 5)"},
    {"ask 12 kW for 1s", "a power in W, kW or MW is wanted, not '12' (byte 5)"},
    {"ask 12kV for 1s", "a power in W, kW or MW is wanted, not '12kV' (byte 5)"},
    {"ask 0W for 1s", "more than 0W, at most 1000MW, not '0W' (byte 5)"},
    {"ask -1W for 1s", "more than 0W, at most 1000MW, not '-1W' (byte 5)"},
    {"ask 1001MW for 1s", "more than 0W, at most 1000MW, not '1001MW' (byte 5)"},
    {"ask 99999999999999999999MW for 1s",
     "a power in W, kW or MW is wanted, not '99999999999999999999MW' (byte 5)"},
    {"ask 1W", "'for' and a time, not 'nothing' (byte 7)"},
    {"ask 1W for", "a time in ms, s, min or h is wanted, not 'nothing' (byte 11)"},
    {"ask 1W for 10", "a time in ms, s, min or h is wanted, not '10' (byte 12)"},
    {"ask 1W for 721h", "more than 0, at most 720h, not '721h' (byte 12)"},
    {"ask 1W for 0s", "more than 0, at most 720h, not '0s' (byte 12)"},
    {"ask 1W for 1s for 2s", WHERE_THEY_APPLY ", not 'for' (byte 15)"},
    {"ask 1W for 1s priority 256", "a priority is 0 to 255, not '256' (byte 24)"},
    {"ask 1W for 1s priority -1", "a priority is 0 to 255, not '-1' (byte 24)"},
    {"ask 1W for 1s job a/b", "a job's id is 1 to 47 letters, digits, or . : _ -, not 'a/b' (byte 19)"},
    {"ask 1W for 1s job", "a job's id is 1 to 47 letters, digits, or . : _ -, not 'nothing' (byte 18)"},
    {"extend for 1s ahead 1s", WHERE_THEY_APPLY ", not 'ahead' (byte 15)"},
    {"extend", "'for' and a time, not 'nothing' (byte 7)"},
    {"release for 1s", WHERE_THEY_APPLY ", not 'for' (byte 9)"},
    {"status job 1", "nothing follows 'status', not 'job' (byte 8)"},
    {"ask\t1W", "byte 4 is no printable ASCII"},
    {"status \xc3\xa9", "byte 8 is no printable ASCII"},
};

static void what_is_asked_is_read(void **state)
{
    struct ask_order order;
    char why[ASK_WHY_BYTES];
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        if (ask_words_read(good[i].text, strlen(good[i].text), &order, why))
            fail_msg("%s: %s", good[i].text, why);
        assert_int_equal(order.verb, good[i].order.verb);
        assert_int_equal(order.priority, good[i].order.priority);
        assert_int_equal(order.amount_mw, good[i].order.amount_mw);
        assert_int_equal(order.for_ns, good[i].order.for_ns);
        assert_int_equal(order.ahead_ns, good[i].order.ahead_ns);
        assert_string_equal(order.job, good[i].order.job);
    }
}

static void what_is_wrong_is_said_with_its_place(void **state)
{
    struct ask_order order;
    char why[ASK_WHY_BYTES];
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(ask_words_read(bad[i].text, strlen(bad[i].text), &order, why), -EINVAL);
        assert_string_equal(why, bad[i].why);
    }
}

static void a_request_that_is_too_long_is_refused(void **state)
{
    char text[ASK_REQUEST_BYTES + 1], why[ASK_WHY_BYTES];
    struct ask_order order;
    (void)state;
    memset(text, ' ', sizeof text);
    memcpy(text, "release", 7);
    assert_int_equal(ask_words_read(text, ASK_REQUEST_BYTES - 1, &order, why), 0);
    assert_int_equal(ask_words_read(text, ASK_REQUEST_BYTES, &order, why), -EINVAL);
    assert_string_equal(why, "a request has at most 255 bytes");
    for (size_t i = 0; i < 100; i++)
        memcpy(text + 2 * i, "a ", 2);
    assert_int_equal(ask_words_read(text, 200, &order, why), -EINVAL);
    assert_int_equal(ask_words_read("ask 1W for 1s job 12345678901234567890123456789012345678901234567", 65,
                                    &order, why), 0);
    assert_int_equal(ask_words_read("ask 1W for 1s job 123456789012345678901234567890123456789012345678", 66,
                                    &order, why), -EINVAL);
}

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static void any_bytes_are_understood_or_refused_and_nothing_else(void **state)
{
    static const char letters[] = "askfor extndlipyujb0123456789kMWmsh.:-_\n\0\xff";
    uint64_t seed = 0x9E3779B97F4A7C15, understood = 0;
    (void)state;
    print_message("seed %llx\n", (unsigned long long)seed);
    for (uint32_t i = 0; i < 200000; i++) {
        const char *from = good[next_random(&seed) % (sizeof good / sizeof good[0])].text;
        size_t bytes = strlen(from);
        char *exact = malloc(bytes), why[ASK_WHY_BYTES];
        struct ask_order order;
        memcpy(exact, from, bytes);
        for (uint64_t change = next_random(&seed) % 4; change > 0; change--)
            exact[next_random(&seed) % bytes] = letters[next_random(&seed) % (sizeof letters - 1)];
        int error = ask_words_read(exact, bytes, &order, why);
        assert_int_equal(error != 0, why[0] != 0);
        if (!error) {
            assert_true(order.verb != ASK_ASK || (order.amount_mw > 0 && order.for_ns > 0));
            assert_true(order.verb != ASK_EXTEND || order.for_ns > 0);
            assert_true(!order.job[0] || ask_words_is_job(order.job));
            understood++;
        }
        free(exact);
    }
    assert_true(understood > 10000 && understood < 190000);
}

static void answers_are_one_line_each(void **state)
{
    char line[ASK_LINE_BYTES];
    struct ask_answer answer = {.outcome = ASK_GRANTED, .amount_mw = 12 * KW, .for_ns = 32 * NS_PER_S,
                                .job = "123"};
    (void)state;
    assert_string_equal(ask_words_answer(&answer, line), "granted job=123 amount_mw=12000000 for_ms=32000\n");
    answer = (struct ask_answer){.outcome = ASK_DENIED, .reason = TOKEN_POOL_EMPTY, .alternative_mw = 8 * KW,
                                 .retry_after_ns = 100 * NS_PER_MS + 1, .job = "123"};
    assert_string_equal(ask_words_answer(&answer, line),
                        "denied job=123 reason=pool_empty alternative_mw=8000000 retry_after_ms=101\n");
    answer = (struct ask_answer){.outcome = ASK_RELEASED, .job = "123"};
    assert_string_equal(ask_words_answer(&answer, line), "released job=123\n");
    answer = (struct ask_answer){.outcome = ASK_AWAY, .retry_after_ns = NS_PER_S, .job = "uid-0"};
    assert_string_equal(ask_words_answer(&answer, line), "away job=uid-0 retry_after_ms=1000\n");
    const struct ask_grant grant = {.job = "9", .priority = 3, .amount_mw = KW, .end_ns = 7 * NS_PER_S};
    assert_string_equal(ask_words_grant(&grant, 2 * NS_PER_S, line),
                        "job=9 amount_mw=1000000 for_ms=5000 priority=3 state=lost\n");
}

static void every_reason_has_a_word_and_a_meaning(void **state)
{
    (void)state;
    for (uint32_t reason = TOKEN_WOULD_TRIP; reason < ASK_REASONS; reason++) {
        assert_string_not_equal(ask_words_reason(reason), "unknown");
        assert_true(strlen(ask_words_meaning(ask_words_reason(reason))) > 10);
    }
    assert_string_equal(ask_words_reason(ASK_REASONS), "unknown");
    assert_string_equal(ask_words_meaning("nonsense"), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_asked_is_read),
        cmocka_unit_test(what_is_wrong_is_said_with_its_place),
        cmocka_unit_test(a_request_that_is_too_long_is_refused),
        cmocka_unit_test(any_bytes_are_understood_or_refused_and_nothing_else),
        cmocka_unit_test(answers_are_one_line_each),
        cmocka_unit_test(every_reason_has_a_word_and_a_meaning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
