/* SPDX-License-Identifier: Apache-2.0 */
#include "tiny_site.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct tiny_shape tiny_demo = {.branches = 2, .racks = 3, .hosts = 10,
                                     .main_a = 600, .branch_a = 250, .rack_a = 150, .k = 1};

static const struct model_host_type gpu8 = {
    .name = "gpu8", .cap_min_mw = 1600000, .cap_max_mw = 8000000, .base_max_mw = 1500000, .gain_ppm = 1093750,
    .phys_max_mw = 10300000, .boot_mw = 12300000, .pf_min_ppm = 980000, .actuation_ns = 120 * NS_PER_MS,
    .quantum_mw = 100000,
};

static void init_node(struct model *model, uint32_t n, uint8_t kind, uint32_t parent, double amperes,
                      double steady)
{
    static const char *const name[NODE_KIND_COUNT] = {[NODE_MAIN] = "main", [NODE_BRANCH] = "branch",
        [NODE_RACK] = "rack"};
    struct model_node *node = &model->node[n];
    snprintf(node->name, sizeof(node->name), "%s-%u", name[kind], n);
    node->kind = kind;
    node->phases = 3;
    node->limited = 1;
    node->parent_count = parent != INDEX_NONE;
    node->parent[0] = parent;
    node->ancestor[node->ancestor_count++] = n;
    for (uint32_t above = parent; above != INDEX_NONE;) {
        node->ancestor[node->ancestor_count++] = above;
        above = model->node[above].parent_count ? model->node[above].parent[0] : INDEX_NONE;
    }
    node->meter = n;
    node->volts_ln_mv = 277128;
    node->volts_low_mv = 263272;
    node->rating_ma = node->long_time_ma = (int64_t)(amperes * 1e3);
    node->steady_ma = (int64_t)(amperes * steady * 1e3);
    for (int phase = 0; phase < PHASES; phase++)
        node->limit_mva[0][phase] = node->steady_ma * node->volts_low_mv / 1000;
    snprintf(model->meter[n].name, sizeof(model->meter[n].name), "m-%.28s", node->name);
    model->meter[n].node = n;
    model->meter[n].error_ppm = 10000;
    model->meter[n].period_ns = 16 * NS_PER_MS;
    model->meter[n].fresh_ns = 100 * NS_PER_MS;
}

static void init_host(struct model *model, uint32_t h, uint32_t rack)
{
    struct model_host *host = &model->host[h];
    snprintf(host->name, sizeof(host->name), "h-%03u", h);
    host->weight = 1;
    host->cord_count = 1;
    host->cord[0].node = rack;
    host->cord[0].psus = 2;
    host->cord[0].share_ppm[0] = PPM;
    for (int phase = 0; phase < PHASES; phase++)
        host->cord[0].phase_ppm[phase] = 333334;
    host->fail_safe_mw = host->floor_mw = 1600000;
}

void tiny_site_init(struct model *model, const struct tiny_shape *shape)
{
    uint32_t racks = shape->branches * shape->racks, node = 0, host = 0;
    memset(model, 0, sizeof(*model));
    snprintf(model->name, sizeof(model->name), "tiny");
    model->mode = MODE_ENFORCE;
    model->node_count = model->meter_count = 1 + shape->branches + racks;
    model->host_count = racks * shape->hosts;
    model->type_count = model->contingency_count = 1;
    model->node = calloc(model->node_count, sizeof(*model->node));
    model->meter = calloc(model->meter_count, sizeof(*model->meter));
    model->host = calloc(model->host_count, sizeof(*model->host));
    model->type = calloc(1, sizeof(*model->type));
    model->type[0] = gpu8;
    init_node(model, node++, NODE_MAIN, INDEX_NONE, shape->main_a, 0.9975);
    for (uint32_t b = 0; b < shape->branches; b++) {
        init_node(model, node, NODE_BRANCH, 0, shape->branch_a, 0.9975);
        for (int phase = 0; phase < PHASES; phase++) {
            model->node[node].other_mva[phase] = 333334;
            model->node[node].bad_mva[0][phase] = (int64_t)(shape->k * 7050000.0 / 0.98 / 3.0);
        }
        node++;
    }
    for (uint32_t r = 0; r < racks; r++) {
        init_node(model, node, NODE_RACK, 1 + r / shape->racks, shape->rack_a, 0.8);
        for (uint32_t i = 0; i < shape->hosts; i++)
            init_host(model, host++, node);
        node++;
    }
}

static void set_range(struct model *model, uint32_t n)
{
    struct model_node *node = &model->node[n];
    node->child_first = node->host_first = node->host_below_first = INDEX_NONE;
    for (uint32_t m = model->node_count; m-- > 0;) {
        if (!model->node[m].parent_count || model->node[m].parent[0] != n)
            continue;
        node->child_first = m;
        node->child_count++;
    }
    for (uint32_t h = model->host_count; h-- > 0;) {
        const struct model_node *rack = &model->node[model->host[h].cord[0].node];
        bool below = false;
        for (uint32_t a = 0; a < rack->ancestor_count; a++)
            below = below || rack->ancestor[a] == n;
        node->host_below_first = below ? h : node->host_below_first;
        node->host_below += below;
        if (model->host[h].cord[0].node != n)
            continue;
        node->host_first = h;
        node->host_count++;
    }
}

void tiny_site_policy(struct model *model)
{
    model->policy = (struct model_policy){
        .lease_ns = NS_PER_S, .report_ns = 100 * NS_PER_MS, .tick_ns = 20 * NS_PER_MS,
        .raise_after_emergency_ns = NS_PER_S, .emergency_clear_ns = NS_PER_S, .rho_ppm = 10000,
        .demand_hold_ns = 600 * NS_PER_MS, .demand_headroom_ppm = 50000,
    };
    for (uint32_t n = 0; n < model->node_count; n++)
        set_range(model, n);
}

void tiny_site_finish(struct model *model)
{
    free(model->node);
    free(model->meter);
    free(model->host);
    free(model->type);
    memset(model, 0, sizeof(*model));
}

void tiny_site_limit(struct model *model, uint32_t node, int64_t mva)
{
    for (int phase = 0; phase < PHASES; phase++) {
        model->node[node].limit_mva[0][phase] = mva;
        model->node[node].other_mva[phase] = 0;
        model->node[node].bad_mva[0][phase] = 0;
    }
}
