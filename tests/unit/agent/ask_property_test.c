/* SPDX-License-Identifier: Apache-2.0 */
/* Random jobs, a network that loses and repeats, controllers that come and go: what the desk says is granted
 * the controller holds, and once all is quiet it holds that and no more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/ask.h"

enum { JOBS = 6, CLIENTS = 10, FLIGHT_MAX = 256, RUNS = 60, STEPS = 4000 };
#define KW      INT64_C(1000000)
#define STEP_NS (5 * NS_PER_MS)

struct flight {
    bool answer;
    int64_t at_ns;
    struct token_request request;
    struct token_response response;
};

struct world {
    uint64_t seed;
    int64_t now_ns, room_mw, reserved_mw, until_ns;
    uint64_t epoch;
    bool quiet;                 /* nothing is lost, nobody asks */
    uint32_t flights;
    struct flight flight[FLIGHT_MAX];
    struct token_request remembered;    /* a request of the same number is answered the same */
    struct token_response said;
    struct ask_desk desk;
    bool waits[CLIENTS];
    uint64_t granted, denied, away, lost;
};

static uint64_t chance(struct world *world, uint64_t of)
{
    world->seed ^= world->seed << 13;
    world->seed ^= world->seed >> 7;
    world->seed ^= world->seed << 17;
    return world->seed % of;
}

static void fly(struct world *world, const struct flight *flight)
{
    uint64_t copies = world->quiet ? 1 : chance(world, 10) < 2 ? 0 : 1 + (chance(world, 20) == 0);
    for (; copies > 0 && world->flights < FLIGHT_MAX; copies--) {
        world->flight[world->flights] = *flight;
        world->flight[world->flights++].at_ns =
            world->now_ns + (int64_t)chance(world, world->quiet ? 10 : 150) * NS_PER_MS;
    }
}

static void decide(struct world *world, const struct token_request *request)
{
    struct flight flight = {.answer = true, .response = {.host = request->host, .request = request->request}};
    bool again = world->remembered.request == request->request;
    if (again) {
        flight.response = world->said;
    } else if (request->request < world->remembered.request) {
        return;                 /* the window of frames refuses what is older */
    } else if (request->amount_mw > world->room_mw) {
        flight.response.reason = TOKEN_POOL_EMPTY;
        flight.response.alternative_mw = world->room_mw;
        flight.response.retry_after_ns = 100 * NS_PER_MS;
    } else {
        world->reserved_mw = request->amount_mw;
        world->until_ns = world->now_ns + request->duration_ns;
    }
    world->remembered = *request;
    world->said = flight.response;
    fly(world, &flight);
}

static void land(struct world *world)
{
    for (uint32_t i = 0; i < world->flights; i++) {
        if (world->flight[i].at_ns > world->now_ns)
            continue;
        struct flight flight = world->flight[i];
        world->flight[i--] = world->flight[--world->flights];
        if (flight.answer)
            ask_answered(&world->desk, &flight.response, world->now_ns);
        else
            decide(world, &flight.request);
    }
}

static void count(struct world *world, const struct ask_answer *answer)
{
    world->granted += answer->outcome == ASK_GRANTED;
    world->denied += answer->outcome == ASK_DENIED;
    world->away += answer->outcome == ASK_AWAY;
}

static void order(struct world *world)
{
    struct ask_answer answer;
    uint64_t client = chance(world, CLIENTS), kind = chance(world, 10);
    struct ask_order order = {.verb = kind < 6 ? ASK_ASK : kind < 8 ? ASK_EXTEND : ASK_RELEASE,
                              .priority = (uint32_t)chance(world, 4),
                              .amount_mw = (int64_t)(1 + chance(world, 8)) * KW,
                              .for_ns = (int64_t)(1 + chance(world, 4000)) * NS_PER_MS};
    snprintf(order.job, sizeof order.job, "%u", (unsigned)chance(world, JOBS));
    if (world->waits[client])
        return;
    ask_order(&world->desk, client, &order, world->now_ns, &answer);
    world->waits[client] = answer.outcome == ASK_WAITS;
    count(world, &answer);
}

static void new_controller(struct world *world)
{
    world->epoch++;
    world->reserved_mw = 0;
    world->remembered = (struct token_request){0};
    world->flights = 0;
    ask_epoch(&world->desk, world->epoch, world->now_ns);
}

static void disturb(struct world *world)
{
    uint64_t kind = chance(world, 1000);
    if (kind < 100)
        order(world);
    else if (kind < 102)
        new_controller(world);
    else if (kind < 110)
        world->room_mw = (int64_t)(5 + chance(world, 30)) * KW;
    else if (kind < 112) {
        uint64_t client = chance(world, CLIENTS);
        ask_gone(&world->desk, client);
        world->waits[client] = false;
    }
}

/* While a request is on its way, what it asks for may be in force there already. */
static void assert_held(const struct world *world)
{
    const struct ask_desk *desk = &world->desk;
    int64_t latest_ns = 0, total_mw = ask_total_mw(desk);
    for (uint32_t i = 0; i < desk->grants; i++)
        if (desk->grant[i].standing && desk->grant[i].end_ns > latest_ns)
            latest_ns = desk->grant[i].end_ns;
    if (desk->open.any || desk->excess || !total_mw)
        return;
    assert_true(world->reserved_mw >= total_mw);
    assert_true(world->until_ns >= latest_ns);
}

static void step(struct world *world)
{
    struct token_request request;
    struct ask_reply reply;
    world->now_ns += STEP_NS;
    if (!world->quiet)
        disturb(world);
    land(world);
    while (ask_next(&world->desk, world->now_ns, &request)) {
        const struct flight flight = {.request = request};
        fly(world, &flight);
    }
    while (ask_reply(&world->desk, &reply)) {
        assert_true(world->waits[reply.client]);
        world->waits[reply.client] = false;
        count(world, &reply.answer);
    }
    assert_true(world->desk.grants <= ASK_GRANTS_MAX && world->desk.waits <= ASK_WAITING_MAX);
    assert_held(world);
    int64_t due_ns = ask_due_ns(&world->desk);
    assert_true(due_ns > world->now_ns);
}

static void settle(struct world *world)
{
    world->quiet = true;
    world->room_mw = 1000 * KW;
    for (uint32_t i = 0; i < 400; i++)
        step(world);
    for (uint32_t i = 0; i < 20 && (world->desk.open.any || world->desk.excess); i++)
        step(world);            /* a grant may have ended just now */
    assert_false(world->desk.open.any);
    assert_int_equal(world->desk.waits, 0);
    int64_t held_mw = world->now_ns < world->until_ns ? world->reserved_mw : 0;
    assert_int_equal(held_mw, ask_total_mw(&world->desk));
    for (uint32_t i = 0; i < world->desk.grants; i++)
        assert_true(world->desk.grant[i].standing);
    world->quiet = false;
}

static void what_is_granted_is_held_and_no_more_once_all_is_quiet(void **state)
{
    uint64_t granted = 0, denied = 0, away = 0, lost = 0;
    struct world *world = malloc(sizeof *world);
    (void)state;
    for (uint64_t run = 1; run <= RUNS; run++) {
        *world = (struct world){.seed = run * 0x9E3779B97F4A7C15, .now_ns = 1000 * NS_PER_S,
                                .room_mw = 20 * KW};
        ask_init(&world->desk, 0, 0, 0);
        new_controller(world);
        for (uint32_t i = 1; i <= STEPS; i++) {
            step(world);
            if (i % (STEPS / 4) == 0)
                settle(world);
        }
        granted += world->granted;
        denied += world->denied;
        away += world->away;
        lost += world->desk.lost;
    }
    print_message("granted %llu, denied %llu, away %llu, lost %llu\n", (unsigned long long)granted,
                  (unsigned long long)denied, (unsigned long long)away, (unsigned long long)lost);
    assert_true(granted > 1000 && denied > 100 && away > 10 && lost > 100);
    free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_granted_is_held_and_no_more_once_all_is_quiet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
