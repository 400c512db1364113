/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "graph.h"

/* Most sites are small, so that many can be tried; some are as large as any. */
static struct model_form draw_form(struct chance *chance)
{
    static const struct { double part; uint32_t nodes_from, nodes_to, hosts_to, depth_to; } sizes[] = {
        {0.62, 1, 8, 6, 4}, {0.28, 3, 24, 14, 6}, {0.085, 16, 64, 48, 6}, {0.015, 100, 200, 256, 6}};
    double part = (double)(chance_next(chance) >> 11) * 0x1p-53;
    uint32_t size = 0;
    while (size < 3 && part > sizes[size].part)
        part -= sizes[size++].part;
    struct model_form form = {
        .nodes_max = (uint32_t)chance_range(chance, sizes[size].nodes_from, sizes[size].nodes_to),
        .depth = (uint32_t)chance_range(chance, size < 2 ? 1 : 4, sizes[size].depth_to),
        .children_max = (uint32_t)chance_range(chance, size < 3 ? 2 : 4, size < 3 ? 4 : 6)};
    form.hosts_max = (uint32_t)chance_range(chance, size < 2 ? 1 : 16, sizes[size].hosts_to);
    form.feeds = (uint32_t)chance_range(chance, 1, form.nodes_max < 4 ? form.nodes_max : 4);
    return form;
}

/* Everything as the site files have it, or three times as quick, so that more happens in a short history. */
static void draw_policy(struct chance *chance, struct model_policy *policy)
{
    if (chance_hit(chance, 0.75)) {
        policy->lease_ns = chance_range(chance, 240, 500) * NS_PER_MS;
        policy->report_ns = policy->lease_ns / chance_range(chance, 6, 8);
        policy->raise_after_emergency_ns = 40 * NS_PER_MS;
        policy->emergency_clear_ns = 200 * NS_PER_MS;
        policy->demand_hold_ns = 200 * NS_PER_MS;
        policy->feed_stable_ns = 200 * NS_PER_MS;
    }
    policy->hold_least_ns = chance_hit(chance, 0.5) ? chance_range(chance, 50, 1000) * NS_PER_MS : 0;
    policy->hold_most_ns = 60 * NS_PER_S;
    policy->damper_window_ns = chance_hit(chance, 0.3) ? NS_PER_S : 0;
    policy->damper_changes = 3;
}

static struct weather draw_weather(struct chance *chance)
{
    struct weather weather = {
        .quick_ns = chance_range(chance, 1, 20) * NS_PER_MS,
        .slow_ns = chance_range(chance, 30, 800) * NS_PER_MS,
        .clock_ppm = 10000,
        .sag_from_ns = INT64_MAX,
    };
    weather.loss = chance_hit(chance, 0.3) ? 0.02 : 0;
    weather.slow = chance_hit(chance, 0.3) ? 0.05 : 0;
    weather.twice = chance_hit(chance, 0.3) ? 0.05 : 0;
    weather.refuse = chance_hit(chance, 0.2) ? 0.02 : 0;
    weather.false_alarm = chance_hit(chance, 0.15) ? 0.003 : 0;
    return weather;
}

/* Devices that are quick to obey, as new ones are. */
static void quicken(struct model *model, bool quick)
{
    for (uint32_t t = 0; quick && t < model->type_count; t++)
        model->type[t].actuation_ns = model->type[t].actuation_ns / 3 + 10 * NS_PER_MS;
}

static void draw_pools(struct model *model, uint64_t seed)
{
    for (uint32_t n = 0; n < model->node_count; n++) {
        struct model_node *node = &model->node[n];
        struct chance chance = {seed * 7 + model_node_id(model, n)};
        if (node->limited && chance_hit(&chance, 0.3)) {
            node->level_mva = node->limit_mva[0][0] / 100 * chance_range(&chance, 50, 90);
            node->level_burst_mva = node->level_mva + node->level_mva / 16;
            node->burst_credit_va_ns_max = node->level_mva / 1000 * chance_range(&chance, 0, 2) * NS_PER_S;
        }
        if (chance_hit(&chance, 0.1))
            node->ramp_up_mw_per_s = 1000000 * chance_range(&chance, 10, 400);
        if (chance_hit(&chance, 0.1))
            node->ramp_down_mw_per_s = 1000000 * chance_range(&chance, 10, 400);
    }
}

void graph_fit(const struct graph_plan *plan, struct model *model, unsigned plain)
{
    model->policy = plan->policy;
    quicken(model, plan->policy.lease_ns < NS_PER_S);
    if (!(plain & PLAIN_POOLS))
        draw_pools(model, plan->seed);
}

struct model *graph_draw(uint64_t seed, struct graph_plan *plan)
{
    struct chance chance = {seed * 13 + 7};
    memset(plan, 0, sizeof *plan);
    plan->seed = seed;
    plan->form = draw_form(&chance);
    struct model *model = model_build_form(seed, &plan->form);
    plan->nodes = model->node_count;
    plan->hosts = model->host_count;
    plan->policy = model->policy;
    draw_policy(&chance, &plan->policy);
    plan->weather = draw_weather(&chance);
    plan->end = (enum graph_end)chance_range(&chance, 0, END_COUNT - 1);
    plan->asks = chance_hit(&chance, 0.4) ? 4 : 0;
    plan->in_step = chance_hit(&chance, 0.5);
    /* long enough to come to lend; sites of many hosts for as long as they can be paid for */
    bool small = plan->hosts <= 16, quick = plan->policy.lease_ns < NS_PER_S;
    int64_t most_ms = quick ? small ? 900 : 700 : small ? 1800 : 1200;
    plan->duration_ns = chance_range(&chance, most_ms / 3, most_ms) * NS_PER_MS;
    uint32_t most = chance_hit(&chance, 0.2) ? 0 : chance_hit(&chance, 0.3) ? GRAPH_FAULTS_MAX : 6;
    plan->fault_count = (uint32_t)chance_range(&chance, 0, most);
    for (uint32_t i = 0; i < plan->fault_count; i++)
        plan->fault[i] = graph_fault_draw(&chance, plan, plan->duration_ns);
    return model;
}

void graph_whole(const struct graph_plan *plan, enum graph_plant plant, struct graph_case *all)
{
    memset(all, 0, sizeof *all);
    all->seed = plan->seed;
    all->until_ns = plan->duration_ns;
    all->plant = plant;
    all->end = true;
    memset(all->keep.node, true, plan->nodes * sizeof all->keep.node[0]);
    memset(all->keep.host, true, plan->hosts * sizeof all->keep.host[0]);
    memset(all->fault, true, plan->fault_count * sizeof all->fault[0]);
}
