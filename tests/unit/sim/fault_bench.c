/* SPDX-License-Identifier: Apache-2.0 */
#include "fault_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

struct bench *bench_start(double draw)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    assert_non_null(bench);
    tiny_site_init(&bench->model, &tiny_demo);
    tiny_site_policy(&bench->model);
    workload_defaults(&bench->workload);
    bench->workload.class_count = 1;
    workload_class_defaults(&bench->workload.class[0], WORKLOAD_STARTER);
    bench->workload.class[0].idle_draw = bench->workload.class[0].full_draw = draw;
    bench->workload.class[0].noise = 0;
    bench->workload.class_of = calloc(bench->model.host_count, 1);
    bench->workload.plant.notice_ns = 50 * NS_PER_MS;
    bench->watched = BENCH_BRANCH;
    assert_int_equal(plant_init(&bench->plant, &bench->model, &bench->workload, PLANT_VIRTUAL), 0);
    assert_int_equal(station_init(&bench->station, &bench->plant, NS_PER_S), 0);
    return bench;
}

void bench_finish(struct bench *bench)
{
    station_finish(&bench->station);
    plant_finish(&bench->plant);
    workload_unload(&bench->workload);
    tiny_site_finish(&bench->model);
    free(bench);
}

static void take(void *user, const struct message *message)
{
    struct bench *bench = user;
    if (message->kind == FRAME_REPORT) {
        bench->last[message->index] = message->report;
        bench->reports[message->index]++;
        bench->last_ns[message->index] = bench->plant.t_ns;
    } else if (message->index == bench->watched && bench->frames < BENCH_FRAMES_MAX) {
        bench->frame[bench->frames].upmu = *message->measured;
        bench->frame[bench->frames++].t_ns = bench->plant.t_ns;
    }
}

void bench_run(struct bench *bench, int64_t until_ms)
{
    while (bench->plant.t_ns < until_ms * NS_PER_MS) {
        plant_step(&bench->plant, NULL, NULL);
        station_step(&bench->station, take, bench);
    }
}

void bench_fault(struct bench *bench, const char *text, bool begins)
{
    struct fault fault;
    char whole[120], why[120] = "";
    bool once = !strncmp(text, "reset ", 6) || !strncmp(text, "host-step ", 10);
    snprintf(whole, sizeof(whole), "%s at 1s%s", text, once ? "" : " for 2s");
    if (fault_parse(whole, &bench->model, &fault, why, sizeof(why)))
        fail_msg("%s: %s", whole, why);
    assert_int_equal(plant_fault(&bench->plant, &fault, begins), 0);
    assert_int_equal(station_fault(&bench->station, &fault, begins), 0);
}

static void answer(struct bench *bench, uint32_t host, int64_t cap_w, int64_t duration_ms, uint32_t flags)
{
    struct message message = {
        .kind = FRAME_LEASE, .index = host, .sequence = ++bench->lease_sequence,
        .lease = {.host = host, .incarnation = bench->last[host].incarnation, .epoch = 1,
                  .sequence = bench->lease_sequence, .echo = bench->last[host].number,
                  .cap_mw = cap_w * 1000, .duration_ns = duration_ms * NS_PER_MS, .flags = flags}};
    station_receive(&bench->station, host, &message, bench->plant.t_ns);
}

void bench_lease(struct bench *bench, uint32_t host, int64_t cap_w, int64_t duration_ms)
{
    answer(bench, host, cap_w, duration_ms, 0);
}

void bench_let_go(struct bench *bench, uint32_t host, int64_t cap_w)
{
    answer(bench, host, cap_w, 1000, LEASE_LET_GO);
}

double bench_volts(const struct bench *bench, uint32_t node)
{
    return bench->plant.grid.node[node].volts[0];
}

double bench_amperes(const struct bench *bench, uint32_t node)
{
    return bench->plant.grid.node[node].amperes[0];
}
