/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/workload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void workload_defaults(struct workload *workload)
{
    memset(workload, 0, sizeof(*workload));
    workload->seed = 1;
    workload->duration_ns = 30 * NS_PER_S;
    /* domain.md 4.2, plant model for simulation */
    workload->plant = (struct workload_plant){
        .overshoot = 1.05, .overshoot_ns = 20 * NS_PER_MS,
        .write_mean_ns = 5 * NS_PER_MS, .write_sigma_ns = 2 * NS_PER_MS,
        .write_min_ns = 1 * NS_PER_MS, .write_max_ns = 12 * NS_PER_MS,
        .down_ns = 20 * NS_PER_MS, .up_ns = 150 * NS_PER_MS,
        .crest = 1.45, .regulation = 0.005, .meter_noise = 0.001,
        .notice_ns = 100 * NS_PER_MS, .work_exponent = 0.5,
    };
    workload->breakers = (struct workload_breakers){
        .tr_ns = NS_PER_S, .short_time_ns = 100 * NS_PER_MS,
        .short_time = 6, .instantaneous = 10, .initial_heat = 0.4,
    };
    workload->network = (struct workload_network){.delay_ns = 100 * NS_PER_US, .jitter_ns = 100 * NS_PER_US};
}

void workload_class_defaults(struct workload_class *class, enum workload_kind kind)
{
    static const struct workload_class usual[WORKLOAD_KIND_COUNT] = {
        [WORKLOAD_TRAIN] = {
            .compute_ns = 900 * NS_PER_MS, .compute_draw = 0.95, .communicate_ns = 300 * NS_PER_MS,
            .communicate_draw = 0.35, .checkpoint_every_ns = 30 * NS_PER_S, .checkpoint_ns = 2 * NS_PER_S,
            .checkpoint_draw = 0.20, .stopped_draw = 0.12},
        [WORKLOAD_INFERENCE] = {
            .quiet_ns = 4 * NS_PER_S, .quiet_draw = 0.15, .burst_ns = 3 * NS_PER_S, .burst_draw = 0.95},
        [WORKLOAD_STARTER] = {
            .groups = 3, .idle_ns = 6 * NS_PER_S, .idle_draw = 0.12, .ramp_ns = NS_PER_S,
            .full_ns = 5 * NS_PER_S, .full_draw = 0.95},
        /* 0.7 to 0.9 of its capacity on average: below equation (6) */
        [WORKLOAD_FINETUNE] = {
            .high_ns = 6 * NS_PER_S, .low_ns = 2 * NS_PER_S, .high_draw = 0.95, .beta = 0.4},
        [WORKLOAD_QUERIES] = {
            .rate_per_s = 2, .query_ns = 2 * NS_PER_S, .base_draw = 0.15, .query_draw = 0.1},
    };
    *class = usual[kind];
    class->kind = kind;
    class->noise = 0.01;
}

void workload_follow_traces(struct workload *workload, const struct trace_play *play,
                            const struct model *model)
{
    workload->trace = *play;
    workload->class_count = 1;
    workload->class[0] = (struct workload_class){.name = "traces", .kind = WORKLOAD_TRACE};
    memset(workload->class_of, 0, model->host_count);
}

void workload_unload(struct workload *workload)
{
    free(workload->class_of);
    free(workload->resets);
    workload->class_of = NULL;
    workload->resets = NULL;
}

void workload_event_text(const struct workload *workload, const struct model *model, uint32_t event,
                         char *text, size_t bytes)
{
    const struct workload_event *it = &workload->event[event];
    uint32_t hosts = 0;
    for (uint32_t h = 0; it->kind == EVENT_RESET && h < model->host_count; h++)
        hosts += workload->resets[h] >> event & 1;
    if (it->kind == EVENT_RESET)
        snprintf(text, bytes, "reset %u hosts", hosts);
    else
        snprintf(text, bytes, "%s %s", it->kind == EVENT_LOSE ? "lose" : "restore",
                 model->node[it->node].name);
}
