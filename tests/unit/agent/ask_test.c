/* SPDX-License-Identifier: Apache-2.0 */
/* The desk of a host's jobs, against a controller that grants, denies, forgets and cannot be heard. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/ask.h"

#define KW  INT64_C(1000000)
#define START_NS (1000 * NS_PER_S)

/* As core/token.h has it: one reservation of the host, replaced by what is granted. */
struct controller {
    int64_t room_mw, reserved_mw, until_ns;
    uint64_t newest;
    uint32_t heard;
    struct token_request last;
};

struct scene {
    struct ask_desk desk;
    struct controller controller;
    int64_t now_ns;
};

static int begin(void **state)
{
    struct scene *scene = calloc(1, sizeof *scene);
    ask_init(&scene->desk, 7, 0, 1000);
    scene->now_ns = START_NS;
    scene->controller.room_mw = 20 * KW;
    ask_epoch(&scene->desk, 1, scene->now_ns);
    *state = scene;
    return 0;
}

static int end(void **state)
{
    free(*state);
    return 0;
}

static struct token_response decide(struct controller *controller, const struct token_request *request,
                                    int64_t now_ns)
{
    struct token_response response = {.host = request->host, .request = request->request};
    controller->heard++;
    controller->last = *request;
    if (request->amount_mw > controller->room_mw) {
        response.reason = TOKEN_POOL_EMPTY;
        response.alternative_mw = controller->room_mw;
        response.retry_after_ns = 100 * NS_PER_MS;
        return response;
    }
    int64_t for_ns = request->duration_ns < ASK_COVER_NS ? request->duration_ns : ASK_COVER_NS;
    controller->reserved_mw = request->amount_mw;
    controller->until_ns = now_ns + for_ns;
    response.granted_mw = response.alternative_mw = request->amount_mw;
    return response;
}

/* All that is to be said is said and heard, a millisecond each way. */
static void talk(struct scene *scene)
{
    struct token_request request;
    for (uint32_t i = 0; i < 200; i++) {
        scene->now_ns += NS_PER_MS;
        if (!ask_next(&scene->desk, scene->now_ns, &request))
            continue;
        struct token_response response = decide(&scene->controller, &request, scene->now_ns);
        scene->now_ns += NS_PER_MS;
        ask_answered(&scene->desk, &response, scene->now_ns);
    }
}

static struct ask_order order_of(const char *job, int64_t amount_mw, int64_t for_ns)
{
    struct ask_order order = {.verb = ASK_ASK, .priority = 1, .amount_mw = amount_mw, .for_ns = for_ns};
    snprintf(order.job, sizeof order.job, "%s", job);
    return order;
}

/* The answer, whether it came at once or had to be waited for. */
static struct ask_answer ask(struct scene *scene, const struct ask_order *order)
{
    struct ask_answer answer;
    struct ask_reply reply;
    ask_order(&scene->desk, 1, order, scene->now_ns, &answer);
    if (answer.outcome != ASK_WAITS)
        return answer;
    talk(scene);
    assert_true(ask_reply(&scene->desk, &reply));
    assert_int_equal(reply.client, 1);
    assert_string_equal(reply.answer.job, order->job);
    assert_false(ask_reply(&scene->desk, &reply));
    return reply.answer;
}

static struct ask_answer ask_for(struct scene *scene, const char *job, int64_t amount_mw, int64_t for_ns)
{
    const struct ask_order order = order_of(job, amount_mw, for_ns);
    return ask(scene, &order);
}

static void assert_granted(struct scene *scene, const char *job, int64_t amount_mw, int64_t for_ns)
{
    struct ask_answer answer = ask_for(scene, job, amount_mw, for_ns);
    assert_int_equal(answer.outcome, ASK_GRANTED);
    assert_int_equal(answer.amount_mw, amount_mw);
    assert_true(answer.for_ns <= for_ns && answer.for_ns > for_ns - NS_PER_S);
}

static void a_grant_is_asked_of_the_controller_and_ends_by_itself(void **state)
{
    struct scene *scene = *state;
    assert_granted(scene, "1", 12 * KW, 30 * NS_PER_S);
    assert_int_equal(scene->controller.reserved_mw, 12 * KW);
    assert_int_equal(scene->controller.last.host, 7);
    assert_int_equal(scene->controller.last.request, 1001);
    assert_int_equal(ask_total_mw(&scene->desk), 12 * KW);
    assert_true(scene->controller.until_ns >= scene->desk.grant[0].end_ns);
    scene->now_ns += 30 * NS_PER_S;
    talk(scene);
    assert_int_equal(ask_total_mw(&scene->desk), 0);
    assert_int_equal(scene->controller.reserved_mw, 0);
}

static void a_denial_has_reason_alternative_and_time(void **state)
{
    struct scene *scene = *state;
    struct ask_answer answer = ask_for(scene, "1", 25 * KW, 30 * NS_PER_S);
    assert_int_equal(answer.outcome, ASK_DENIED);
    assert_int_equal(answer.reason, TOKEN_POOL_EMPTY);
    assert_int_equal(answer.alternative_mw, 20 * KW);
    assert_int_equal(answer.retry_after_ns, 100 * NS_PER_MS);
    assert_granted(scene, "1", answer.alternative_mw, 30 * NS_PER_S);
}

static void jobs_of_one_host_are_asked_for_together_until_the_latest_end(void **state)
{
    struct scene *scene = *state;
    assert_granted(scene, "1", 5 * KW, 60 * NS_PER_S);
    assert_granted(scene, "2", 7 * KW, 10 * NS_PER_S);
    assert_int_equal(scene->controller.reserved_mw, 12 * KW);
    assert_true(scene->controller.until_ns >= scene->desk.grant[0].end_ns);
    struct ask_answer answer = ask_for(scene, "3", 9 * KW, NS_PER_S);
    assert_int_equal(answer.outcome, ASK_DENIED);
    assert_int_equal(answer.alternative_mw, 8 * KW);
    assert_int_equal(scene->controller.reserved_mw, 12 * KW);
    scene->now_ns += 10 * NS_PER_S;
    talk(scene);
    assert_int_equal(scene->controller.reserved_mw, 5 * KW);
}

static void a_job_has_one_grant_its_newest(void **state)
{
    struct scene *scene = *state;
    assert_granted(scene, "1", 5 * KW, 60 * NS_PER_S);
    assert_granted(scene, "1", 9 * KW, 60 * NS_PER_S);
    assert_int_equal(scene->controller.reserved_mw, 9 * KW);
    assert_granted(scene, "1", 4 * KW, 30 * NS_PER_S);
    talk(scene);
    assert_int_equal(scene->controller.reserved_mw, 4 * KW);
    assert_int_equal(scene->desk.grants, 1);
}

static void what_is_covered_already_troubles_nobody(void **state)
{
    struct scene *scene = *state;
    assert_granted(scene, "1", 9 * KW, 60 * NS_PER_S);
    talk(scene);
    uint32_t heard = scene->controller.heard;
    const struct ask_order order = order_of("1", 9 * KW, 30 * NS_PER_S);
    struct ask_answer answer;
    ask_order(&scene->desk, 1, &order, scene->now_ns, &answer);
    assert_int_equal(answer.outcome, ASK_GRANTED);
    assert_int_equal(scene->controller.heard, heard);
}

static void a_grant_can_be_extended_and_released(void **state)
{
    struct scene *scene = *state;
    struct ask_order order = order_of("1", 0, 60 * NS_PER_S);
    order.verb = ASK_EXTEND;
    assert_int_equal(ask(scene, &order).outcome, ASK_UNKNOWN);
    assert_granted(scene, "1", 9 * KW, 10 * NS_PER_S);
    struct ask_answer answer = ask(scene, &order);
    assert_int_equal(answer.outcome, ASK_GRANTED);
    assert_int_equal(answer.amount_mw, 9 * KW);
    assert_true(answer.for_ns > 59 * NS_PER_S);
    assert_true(scene->controller.until_ns >= scene->desk.grant[0].end_ns);
    order.verb = ASK_RELEASE;
    assert_int_equal(ask(scene, &order).outcome, ASK_RELEASED);
    talk(scene);
    assert_int_equal(scene->controller.reserved_mw, 0);
    assert_int_equal(scene->controller.last.amount_mw, 0);
    assert_int_equal(ask(scene, &order).outcome, ASK_UNKNOWN);
}

static void time_ahead_is_part_of_the_grant(void **state)
{
    struct scene *scene = *state;
    struct ask_order order = order_of("1", 9 * KW, 30 * NS_PER_S);
    order.ahead_ns = 5 * NS_PER_S;
    struct ask_answer answer = ask(scene, &order);
    assert_int_equal(answer.outcome, ASK_GRANTED);
    assert_true(answer.for_ns > 34 * NS_PER_S && answer.for_ns <= 35 * NS_PER_S);
}

static void more_than_the_host_can_draw_is_denied_here(void **state)
{
    struct scene *scene = *state;
    ask_init(&scene->desk, 7, 10 * KW, 1000);
    ask_epoch(&scene->desk, 1, scene->now_ns);
    assert_granted(scene, "1", 6 * KW, 60 * NS_PER_S);
    struct ask_answer answer = ask_for(scene, "2", 5 * KW, 60 * NS_PER_S);
    assert_int_equal(answer.outcome, ASK_DENIED);
    assert_int_equal(answer.reason, ASK_HOST_LIMIT);
    assert_int_equal(answer.alternative_mw, 4 * KW);
    assert_granted(scene, "1", 10 * KW, 60 * NS_PER_S);
}

/* ---- what is lost ---- */

static void an_answer_that_is_lost_costs_a_repetition_of_the_same_request(void **state)
{
    struct scene *scene = *state;
    const struct ask_order order = order_of("1", 9 * KW, 30 * NS_PER_S);
    struct ask_answer answer;
    struct token_request first, again;
    ask_order(&scene->desk, 1, &order, scene->now_ns, &answer);
    assert_true(ask_next(&scene->desk, scene->now_ns, &first));
    assert_false(ask_next(&scene->desk, scene->now_ns, &again));
    assert_int_equal(ask_due_ns(&scene->desk), scene->now_ns + ASK_AGAIN_NS);
    scene->now_ns += ASK_AGAIN_NS;
    assert_true(ask_next(&scene->desk, scene->now_ns, &again));
    assert_memory_equal(&first, &again, sizeof first);
    scene->now_ns += ASK_AGAIN_NS;
    assert_false(ask_next(&scene->desk, scene->now_ns, &again));    /* later and later */
    struct token_response response = decide(&scene->controller, &again, scene->now_ns);
    ask_answered(&scene->desk, &response, scene->now_ns);
    struct ask_reply reply;
    assert_true(ask_reply(&scene->desk, &reply));
    assert_int_equal(reply.answer.outcome, ASK_GRANTED);
    /* it stands from when it was first asked for: the controller may have granted it then */
    assert_int_equal(scene->desk.grant[0].end_ns, START_NS + 30 * NS_PER_S);
}

static void without_a_controller_the_answer_is_away_and_what_it_may_have_granted_is_taken_back(void **state)
{
    struct scene *scene = *state;
    const struct ask_order order = order_of("1", 9 * KW, 30 * NS_PER_S);
    struct ask_answer answer;
    struct ask_reply reply;
    struct token_request request;
    ask_order(&scene->desk, 1, &order, scene->now_ns, &answer);
    assert_true(ask_next(&scene->desk, scene->now_ns, &request));
    decide(&scene->controller, &request, scene->now_ns);
    assert_int_equal(scene->controller.reserved_mw, 9 * KW);
    scene->now_ns += ASK_ANSWER_NS;
    talk(scene);
    assert_true(ask_reply(&scene->desk, &reply));
    assert_int_equal(reply.answer.outcome, ASK_AWAY);
    assert_int_equal(scene->controller.reserved_mw, 0);
    assert_int_equal(ask_total_mw(&scene->desk), 0);
}

static void before_there_is_a_controller_nothing_is_sent_and_nobody_waits_for_long(void **state)
{
    struct scene *scene = *state;
    struct ask_answer answer;
    struct ask_reply reply;
    struct token_request request;
    ask_init(&scene->desk, 7, 0, 1000);
    const struct ask_order order = order_of("1", 9 * KW, 30 * NS_PER_S);
    ask_order(&scene->desk, 1, &order, scene->now_ns, &answer);
    assert_int_equal(answer.outcome, ASK_WAITS);
    assert_int_equal(ask_due_ns(&scene->desk), scene->now_ns + ASK_ANSWER_NS);
    assert_false(ask_next(&scene->desk, scene->now_ns + ASK_ANSWER_NS - 1, &request));
    assert_false(ask_reply(&scene->desk, &reply));
    assert_false(ask_next(&scene->desk, scene->now_ns + ASK_ANSWER_NS, &request));
    assert_true(ask_reply(&scene->desk, &reply));
    assert_int_equal(reply.answer.outcome, ASK_AWAY);
}

static void who_hangs_up_is_granted_nothing(void **state)
{
    struct scene *scene = *state;
    struct ask_answer answer;
    struct ask_reply reply;
    struct token_request request;
    const struct ask_order order = order_of("1", 9 * KW, 30 * NS_PER_S);
    ask_order(&scene->desk, 1, &order, scene->now_ns, &answer);
    assert_true(ask_next(&scene->desk, scene->now_ns, &request));
    struct token_response response = decide(&scene->controller, &request, scene->now_ns);
    ask_gone(&scene->desk, 1);
    ask_answered(&scene->desk, &response, scene->now_ns);
    talk(scene);
    assert_false(ask_reply(&scene->desk, &reply));
    assert_int_equal(ask_total_mw(&scene->desk), 0);
    assert_int_equal(scene->controller.reserved_mw, 0);
}

static void a_newer_controller_is_asked_again_under_a_new_number(void **state)
{
    struct scene *scene = *state;
    assert_granted(scene, "1", 5 * KW, 60 * NS_PER_S);
    assert_granted(scene, "2", 7 * KW, 60 * NS_PER_S);
    uint64_t number = scene->controller.last.request;
    scene->controller = (struct controller){.room_mw = 20 * KW};
    ask_epoch(&scene->desk, 2, scene->now_ns);
    assert_int_equal(ask_total_mw(&scene->desk), 0);
    talk(scene);
    assert_int_equal(ask_total_mw(&scene->desk), 12 * KW);
    assert_int_equal(scene->controller.reserved_mw, 12 * KW);
    assert_true(scene->controller.last.request > number);
    ask_epoch(&scene->desk, 2, scene->now_ns);
    assert_int_equal(ask_total_mw(&scene->desk), 12 * KW);
}

static void where_not_all_is_to_be_had_the_least_important_are_lost_and_come_back(void **state)
{
    struct scene *scene = *state;
    static const struct { const char *job; uint32_t priority; } jobs[] = {{"1", 3}, {"2", 0}, {"3", 3}};
    for (uint32_t i = 0; i < 3; i++) {
        struct ask_order order = order_of(jobs[i].job, 5 * KW, 60 * NS_PER_S);
        order.priority = jobs[i].priority;
        assert_int_equal(ask(scene, &order).outcome, ASK_GRANTED);
    }
    scene->controller = (struct controller){.room_mw = 11 * KW};
    ask_epoch(&scene->desk, 2, scene->now_ns);
    talk(scene);
    assert_int_equal(ask_total_mw(&scene->desk), 10 * KW);
    for (uint32_t i = 0; i < scene->desk.grants; i++)
        assert_int_equal(scene->desk.grant[i].standing, strcmp(scene->desk.grant[i].job, "3") != 0);
    assert_int_equal(scene->controller.reserved_mw, 10 * KW);
    scene->controller.room_mw = 20 * KW;
    talk(scene);
    assert_int_equal(ask_total_mw(&scene->desk), 15 * KW);
    assert_int_equal(scene->controller.reserved_mw, 15 * KW);
}

static void a_host_that_was_not_heard_asks_again(void **state)
{
    struct scene *scene = *state;
    assert_granted(scene, "1", 5 * KW, 60 * NS_PER_S);
    scene->controller.reserved_mw = 0;
    ask_unheard(&scene->desk, scene->now_ns);
    talk(scene);
    assert_int_equal(scene->controller.reserved_mw, 5 * KW);
    assert_int_equal(ask_total_mw(&scene->desk), 5 * KW);
}

static void a_grant_longer_than_a_controller_reserves_is_prolonged_in_time(void **state)
{
    struct scene *scene = *state;
    assert_granted(scene, "1", 5 * KW, 3 * 3600 * NS_PER_S);
    for (uint32_t minute = 0; minute < 170; minute++) {
        scene->now_ns += 59 * NS_PER_S;
        talk(scene);
        assert_true(scene->controller.until_ns > scene->now_ns);
        assert_int_equal(ask_total_mw(&scene->desk), 5 * KW);
    }
    assert_true(scene->controller.heard <= 6);
}

static void what_the_controller_may_not_hold_any_more_is_lost_where_it_denies_to_hold_it(void **state)
{
    struct scene *scene = *state;
    struct ask_answer answer;
    struct token_request request;
    assert_granted(scene, "1", 5 * KW, 60 * NS_PER_S);
    const struct ask_order order = order_of("2", 3 * KW, 30 * NS_PER_S);
    ask_order(&scene->desk, 2, &order, scene->now_ns, &answer);
    assert_true(ask_next(&scene->desk, scene->now_ns, &request));
    ask_gone(&scene->desk, 2);
    scene->controller.room_mw = 4 * KW;
    talk(scene);
    assert_int_equal(ask_total_mw(&scene->desk), 0);
    assert_int_equal(scene->desk.lost, 1);
    scene->controller.room_mw = 20 * KW;
    talk(scene);
    assert_int_equal(ask_total_mw(&scene->desk), 5 * KW);
    assert_int_equal(scene->controller.reserved_mw, 5 * KW);
}

static void a_grant_that_cannot_be_prolonged_is_lost_when_the_controller_lets_it_end(void **state)
{
    struct scene *scene = *state;
    assert_granted(scene, "1", 5 * KW, 3 * 3600 * NS_PER_S);
    int64_t covered_ns = scene->desk.covered_ns;
    scene->controller.room_mw = 0;
    while (scene->now_ns < covered_ns - 61 * NS_PER_S) {
        scene->now_ns += 59 * NS_PER_S;
        talk(scene);
        assert_int_equal(ask_total_mw(&scene->desk), 5 * KW);
    }
    scene->now_ns = covered_ns;
    talk(scene);
    assert_int_equal(ask_total_mw(&scene->desk), 0);
    assert_int_equal(scene->desk.grants, 1);
}

/* ---- who comes first ---- */

static void those_who_wait_are_asked_for_by_priority_then_in_turn(void **state)
{
    struct scene *scene = *state;
    static const uint32_t priority[] = {5, 5, 1, 9, 1};
    static const uint64_t expected[] = {0, 2, 4, 1, 3};     /* the first was on its way already */
    struct ask_answer answer;
    struct token_request request;
    struct ask_reply reply;
    for (uint64_t i = 0; i < 5; i++) {
        char job[4] = {(char)('a' + i)};
        struct ask_order order = order_of(job, KW, 30 * NS_PER_S);
        order.priority = priority[i];
        ask_order(&scene->desk, i, &order, scene->now_ns, &answer);
        assert_int_equal(answer.outcome, ASK_WAITS);
        if (i == 0)
            assert_true(ask_next(&scene->desk, scene->now_ns, &request));
    }
    struct token_response response = decide(&scene->controller, &request, scene->now_ns);
    ask_answered(&scene->desk, &response, scene->now_ns);
    talk(scene);
    for (uint64_t i = 0; i < 5; i++) {
        assert_true(ask_reply(&scene->desk, &reply));
        assert_int_equal(reply.client, expected[i]);
        assert_int_equal(reply.answer.outcome, ASK_GRANTED);
    }
}

static void the_desk_has_an_end_and_says_so(void **state)
{
    struct scene *scene = *state;
    struct ask_answer answer;
    uint32_t waits = 0, busy = 0;
    for (uint32_t i = 0; i < 100; i++) {
        char job[16];
        snprintf(job, sizeof job, "%u", i);
        const struct ask_order order = order_of(job, KW / 10, 30 * NS_PER_S);
        ask_order(&scene->desk, i, &order, scene->now_ns, &answer);
        waits += answer.outcome == ASK_WAITS;
        busy += answer.outcome == ASK_BUSY && answer.retry_after_ns > 0;
    }
    assert_int_equal(waits, ASK_WAITING_MAX);
    assert_int_equal(busy, 100 - ASK_WAITING_MAX);
}

/* Whatever clients do, the controller is asked at most fifty times a second. */
static void clients_that_never_rest_do_not_trouble_the_controller(void **state)
{
    struct scene *scene = *state;
    struct ask_answer answer;
    struct ask_reply reply;
    int64_t until_ns = scene->now_ns + NS_PER_S;
    for (uint32_t i = 0; scene->now_ns < until_ns; i++, scene->now_ns += NS_PER_MS) {
        struct token_request request;
        const struct ask_order order = order_of("1", 9 * KW + i, 30 * NS_PER_S);
        ask_order(&scene->desk, 1, &order, scene->now_ns, &answer);
        if (ask_next(&scene->desk, scene->now_ns, &request)) {
            struct token_response response = decide(&scene->controller, &request, scene->now_ns);
            ask_answered(&scene->desk, &response, scene->now_ns);
        }
        while (ask_reply(&scene->desk, &reply))
            ;
    }
    assert_true(scene->controller.heard <= 51);
    assert_true(scene->controller.heard >= 25);
}

#define IN_A_SCENE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_SCENE(a_grant_is_asked_of_the_controller_and_ends_by_itself),
        IN_A_SCENE(a_denial_has_reason_alternative_and_time),
        IN_A_SCENE(jobs_of_one_host_are_asked_for_together_until_the_latest_end),
        IN_A_SCENE(a_job_has_one_grant_its_newest),
        IN_A_SCENE(what_is_covered_already_troubles_nobody),
        IN_A_SCENE(a_grant_can_be_extended_and_released),
        IN_A_SCENE(time_ahead_is_part_of_the_grant),
        IN_A_SCENE(more_than_the_host_can_draw_is_denied_here),
        IN_A_SCENE(an_answer_that_is_lost_costs_a_repetition_of_the_same_request),
        IN_A_SCENE(without_a_controller_the_answer_is_away_and_what_it_may_have_granted_is_taken_back),
        IN_A_SCENE(before_there_is_a_controller_nothing_is_sent_and_nobody_waits_for_long),
        IN_A_SCENE(who_hangs_up_is_granted_nothing),
        IN_A_SCENE(a_newer_controller_is_asked_again_under_a_new_number),
        IN_A_SCENE(where_not_all_is_to_be_had_the_least_important_are_lost_and_come_back),
        IN_A_SCENE(a_host_that_was_not_heard_asks_again),
        IN_A_SCENE(a_grant_longer_than_a_controller_reserves_is_prolonged_in_time),
        IN_A_SCENE(what_the_controller_may_not_hold_any_more_is_lost_where_it_denies_to_hold_it),
        IN_A_SCENE(a_grant_that_cannot_be_prolonged_is_lost_when_the_controller_lets_it_end),
        IN_A_SCENE(those_who_wait_are_asked_for_by_priority_then_in_turn),
        IN_A_SCENE(the_desk_has_an_end_and_says_so),
        IN_A_SCENE(clients_that_never_rest_do_not_trouble_the_controller),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
