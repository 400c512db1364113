/* SPDX-License-Identifier: Apache-2.0 */
/* What hosts and meters say when a feed is lost, when caps are reset, and when power comes back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "sim/station.h"
#include "tiny_site.h"

enum { MAIN, BRANCH_A, BRANCH_B, RACK_OF_HOST_0, SECOND_RACK = 6, DUAL = 0, SINGLE = 1 };

struct bench {
    struct model model;
    struct workload workload;
    struct plant plant;
    struct station station;
    struct report last[60];         /* by host */
    uint32_t reports[60];
    double volts, amperes;          /* newest reading of branch A */
    uint32_t readings;
    struct token_request asked;     /* newest of host 1 */
    uint32_t requests;
    struct detail detail;           /* newest of host 1 */
    uint32_t details[60];           /* by host */
    uint64_t frame[60];             /* sequence of its newest frame */
};

static void take(void *user, const struct message *message)
{
    struct bench *bench = user;
    if (message->kind != FRAME_MEASUREMENT) {
        assert_true(message->sequence > bench->frame[message->index]);
        bench->frame[message->index] = message->sequence;
    }
    if (message->kind == FRAME_DETAIL) {
        bench->detail = message->index == SINGLE ? *message->detail : bench->detail;
        bench->details[message->index]++;
    } else if (message->kind == FRAME_TOKEN_REQUEST) {
        bench->asked = message->index == SINGLE ? message->request : bench->asked;
        bench->requests += message->index == SINGLE;
    } else if (message->kind == FRAME_REPORT) {
        bench->last[message->index] = message->report;
        bench->reports[message->index]++;
    } else if (message->index == BRANCH_A) {
        bench->volts = message->measured->phase[0].voltage_rms_v;
        bench->amperes = message->measured->phase[0].current_rms_a;
        bench->readings++;
    }
}

/* Host 0 hangs on both branches, two PSUs on each; host 1 on branch A alone. All want 60 % for ever. */
static void start(struct bench *bench)
{
    memset(bench, 0, sizeof(*bench));
    tiny_site_init(&bench->model, &tiny_demo);
    tiny_site_policy(&bench->model);
    bench->model.host[DUAL].cord[1] = bench->model.host[DUAL].cord[0];
    bench->model.host[DUAL].cord[1].node = SECOND_RACK;
    bench->model.host[DUAL].cord_count = 2;
    workload_defaults(&bench->workload);
    bench->workload.class_count = 1;
    workload_class_defaults(&bench->workload.class[0], WORKLOAD_STARTER);
    bench->workload.class[0].idle_draw = bench->workload.class[0].full_draw = 0.6;
    bench->workload.class_of = calloc(bench->model.host_count, 1);
    bench->workload.resets = calloc(bench->model.host_count, sizeof(uint32_t));
    bench->workload.plant.notice_ns = 50 * NS_PER_MS;
    assert_int_equal(plant_init(&bench->plant, &bench->model, &bench->workload, PLANT_VIRTUAL), 0);
    assert_int_equal(station_init(&bench->station, &bench->plant, NS_PER_S), 0);
}

static void at(struct bench *bench, int64_t at_ms, enum workload_event_kind kind, uint32_t node)
{
    bench->workload.event[bench->workload.event_count++] =
        (struct workload_event){.at_ns = at_ms * NS_PER_MS, .kind = kind, .node = node};
}

static void run_until(struct bench *bench, int64_t until_ms)
{
    while (bench->plant.t_ns < until_ms * NS_PER_MS) {
        plant_step(&bench->plant, NULL, NULL);
        station_step(&bench->station, take, bench);
    }
}

static void finish(struct bench *bench)
{
    station_finish(&bench->station);
    plant_finish(&bench->plant);
    workload_unload(&bench->workload);
    tiny_site_finish(&bench->model);
}

static void reports_say_which_psus_have_power(void **state)
{
    struct bench bench;
    (void)state;
    start(&bench);
    at(&bench, 1000, EVENT_LOSE, BRANCH_A);
    run_until(&bench, 1000);
    assert_true(bench.last[DUAL].flags & REPORT_PSU_KNOWN);
    assert_int_equal(bench.last[DUAL].psu_inputs, 0xF);
    assert_int_equal(bench.last[SINGLE].psu_inputs, 0x3);
    int64_t draw_mw = bench.last[DUAL].draw_mw;
    run_until(&bench, 1200);
    assert_int_equal(bench.last[DUAL].psu_inputs, 0xC);
    /* it draws what it drew, over the other feed */
    assert_true(llabs(bench.last[DUAL].draw_mw - draw_mw) < draw_mw / 10);
    assert_true(bench.plant.grid.node[SECOND_RACK].power_w[0] > (double)draw_mw / 1e3 / 3 * 0.9);
    finish(&bench);
}

static void a_meter_on_a_dead_feed_reads_nothing_and_goes_on_speaking(void **state)
{
    struct bench bench;
    (void)state;
    start(&bench);
    at(&bench, 1000, EVENT_LOSE, BRANCH_A);
    at(&bench, 2000, EVENT_RESTORE, BRANCH_A);
    run_until(&bench, 1000);
    assert_true(bench.volts > 270 && bench.amperes > 100);
    uint32_t before = bench.readings;
    run_until(&bench, 2000);
    assert_in_range(bench.readings - before, 60, 64);       /* every 16 ms */
    assert_true(bench.volts == 0 && bench.amperes == 0);
    run_until(&bench, 2100);
    assert_true(bench.volts > 270);
    finish(&bench);
}

static void answer(struct bench *bench, enum token_reason reason, int64_t alternative_mw)
{
    struct message message = {.kind = FRAME_TOKEN_RESPONSE, .index = SINGLE, .sequence = bench->requests,
                              .response = {.host = SINGLE, .reason = reason,
                                           .request = bench->asked.request,
                                           .alternative_mw = alternative_mw}};
    station_receive(&bench->station, SINGLE, &message, bench->plant.t_ns);
}

/* All hosts idle for 6 s, ramp for 1 s, run for 5 s. */
static void a_job_asks_before_its_ramp_and_takes_the_alternative(void **state)
{
    struct bench bench;
    (void)state;
    start(&bench);
    struct workload_class *class = &bench.workload.class[0];
    const struct outcome_tokens *tokens = &bench.plant.outcome.tokens;
    class->groups = 1;
    class->ask_ns = 300 * NS_PER_MS;
    class->full_draw = 0.8;
    run_until(&bench, 5690);
    assert_int_equal(bench.requests, 0);
    run_until(&bench, 5700);
    assert_int_equal(bench.requests, 1);
    int64_t phys_max_mw = bench.model.type[bench.model.host[SINGLE].type].phys_max_mw;
    assert_true(llabs(bench.asked.amount_mw - phys_max_mw * 8 / 10) < 1000);
    assert_true(llabs(bench.asked.duration_ns - 6300 * NS_PER_MS) <= 2 * NS_PER_MS);
    answer(&bench, TOKEN_POOL_EMPTY, 5000000);
    run_until(&bench, 5720);
    assert_int_equal(bench.requests, 2);
    assert_int_equal(bench.asked.amount_mw, 5000000);
    answer(&bench, TOKEN_POOL_EMPTY, 4000000);      /* so be it */
    run_until(&bench, 17600);
    assert_int_equal(bench.requests, 2);
    run_until(&bench, 17710);       /* the next ramp is at 18 s */
    assert_int_equal(bench.requests, 3);
    answer(&bench, TOKEN_GRANTED, 0);
    run_until(&bench, 18100);
    assert_int_equal(bench.requests, 3);
    assert_int_equal(tokens->granted, 1);
    assert_int_equal(tokens->denied[TOKEN_POOL_EMPTY], 2);
    assert_int_equal(bench.plant.outcome.caps.received, 0);
    finish(&bench);
}

static void a_host_without_power_is_silent_and_boots_when_it_has_power_again(void **state)
{
    struct bench bench;
    (void)state;
    start(&bench);
    at(&bench, 1000, EVENT_LOSE, BRANCH_A);
    at(&bench, 2000, EVENT_RESTORE, BRANCH_A);
    run_until(&bench, 1000);
    uint64_t incarnation = bench.last[SINGLE].incarnation, dual = bench.last[DUAL].incarnation;
    uint32_t before = bench.reports[SINGLE];
    assert_int_equal(bench.last[SINGLE].state, HOST_FAIL_SAFE);
    run_until(&bench, 2000);
    assert_int_equal(bench.reports[SINGLE], before);
    assert_true(bench.plant.power_w[SINGLE] == 0);
    run_until(&bench, 2002);
    assert_int_equal(bench.last[SINGLE].state, HOST_BOOT);
    run_until(&bench, 2200);
    assert_int_not_equal(bench.last[SINGLE].incarnation, incarnation);
    assert_int_equal(bench.last[SINGLE].state, HOST_FAIL_SAFE);
    assert_int_equal(bench.last[DUAL].incarnation, dual);   /* its other cord held it */
    finish(&bench);
}

/* Between the reset and the moment the agent sees it, the host draws what it wants and reports as before. */
static void caps_that_are_reset_hold_nothing_until_the_agent_notices(void **state)
{
    struct bench bench;
    (void)state;
    start(&bench);
    at(&bench, 1000, EVENT_RESET, INDEX_NONE);
    bench.workload.resets[SINGLE] = 1;
    run_until(&bench, 1000);
    uint64_t incarnation = bench.last[SINGLE].incarnation, other = bench.last[2].incarnation;
    double capped_w = bench.plant.power_w[SINGLE];
    assert_true(capped_w < 3300);
    run_until(&bench, 1049);
    assert_true(bench.plant.power_w[SINGLE] > capped_w + 500);
    assert_int_equal(bench.station.holder[SINGLE].incarnation, incarnation);
    run_until(&bench, 1053);
    assert_int_not_equal(bench.station.holder[SINGLE].incarnation, incarnation);
    assert_int_equal(bench.last[SINGLE].state, HOST_BOOT);
    run_until(&bench, 1400);
    assert_true(bench.plant.power_w[SINGLE] < capped_w + 50);
    assert_int_equal(bench.last[2].incarnation, other);
    finish(&bench);
}

/* In real time only: in virtual time nobody reads them, and no run changes because of them. */
static void hosts_that_are_up_tell_a_detail_each_second_once_asked_to(void **state)
{
    struct bench bench;
    (void)state;
    start(&bench);
    run_until(&bench, 1000);
    assert_int_equal(bench.details[SINGLE], 0);
    assert_int_equal(station_tell_details(&bench.station), 0);
    run_until(&bench, 5990);
    for (uint32_t h = 0; h < bench.model.host_count; h++)
        assert_int_equal(bench.details[h], 5);
    const struct detail_device *device = &bench.detail.device[0];
    assert_int_equal(bench.detail.incarnation, bench.last[SINGLE].incarnation);
    assert_int_equal(bench.detail.host, SINGLE);
    assert_int_equal(bench.detail.device_count, 1);
    assert_true(bench.detail.marks & DETAIL_WATCHDOG);
    assert_int_equal(device->asked_mw, bench.model.host[SINGLE].fail_safe_mw);
    assert_int_equal(device->enforced_mw, device->asked_mw);
    assert_true(device->draw_mw > 0 && device->draw_mw <= device->asked_mw + device->asked_mw / 10);
    assert_true(device->write_us > 0 && device->write_worst_us >= device->write_us);
    assert_int_equal(device->throttle, DETAIL_THROTTLE_CAP);
    bench.station.agent[SINGLE].dead = true;
    run_until(&bench, 7990);
    assert_int_equal(bench.details[SINGLE], 5);
    assert_int_equal(bench.details[2], 7);
    finish(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reports_say_which_psus_have_power),
        cmocka_unit_test(a_meter_on_a_dead_feed_reads_nothing_and_goes_on_speaking),
        cmocka_unit_test(a_job_asks_before_its_ramp_and_takes_the_alternative),
        cmocka_unit_test(a_host_without_power_is_silent_and_boots_when_it_has_power_again),
        cmocka_unit_test(hosts_that_are_up_tell_a_detail_each_second_once_asked_to),
        cmocka_unit_test(caps_that_are_reset_hold_nothing_until_the_agent_notices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
