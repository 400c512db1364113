/* SPDX-License-Identifier: Apache-2.0 */
/* Where a scenario strikes on a given site. */
#include <errno.h>

#include "sim/scenario.h"

struct striking {
    const struct scenario_strike *strike;
    const struct model *model;
    struct history *history;
    uint32_t busy;
    int result;
};

static bool host_below(const struct model *model, uint32_t host, uint32_t node)
{
    const struct fault there = {.place = node};
    return fault_strikes_host(&there, model, host);
}

static void strike_place(struct striking *striking, bool at_host, uint32_t place)
{
    const struct scenario_strike *strike = striking->strike;
    struct fault fault = {
        .kind = strike->kind, .at_host = at_host, .place = place, .amount = strike->amount,
        .at_ns = (int64_t)(strike->at_s * 1e9), .for_ns = (int64_t)(strike->for_s * 1e9),
    };
    if (!striking->result)
        striking->result = place == INDEX_NONE ? -ENOENT : history_add(striking->history, &fault);
}

/* Every `every`-th host below a node (INDEX_NONE: of the site), `most` of them at most; one at least. */
static void strike_hosts(struct striking *striking, uint32_t node, uint32_t every, uint32_t most)
{
    uint32_t seen = 0, struck = 0;
    for (uint32_t h = 0; h < striking->model->host_count && struck < most; h++) {
        if ((node != INDEX_NONE && !host_below(striking->model, h, node)) || seen++ % every)
            continue;
        strike_place(striking, true, h);
        struck++;
    }
    if (!struck)
        striking->result = -ENOENT;
}

/* Another limited node: below the same parent where there is one. */
static uint32_t find_beside(const struct model *model, uint32_t busy)
{
    uint32_t found = INDEX_NONE;
    for (uint32_t n = 0; n < model->node_count; n++) {
        const struct model_node *node = &model->node[n], *other = &model->node[busy];
        if (!node->limited || model_lies_below(model, n, busy) || model_lies_below(model, busy, n))
            continue;
        if (node->parent_count && other->parent_count && node->parent[0] == other->parent[0])
            return n;
        found = found == INDEX_NONE ? n : found;
    }
    return found;
}

static uint32_t find_leaf(const struct model *model, uint32_t busy)
{
    for (uint32_t n = 0; n < model->node_count; n++) {
        if (model_lies_below(model, n, busy) && model->node[n].host_count)
            return n;
    }
    return busy;
}

static uint32_t find_lost(const struct model *model)
{
    for (uint32_t c = 0; c < model->contingency_count; c++) {
        if (model->contingency[c].kind == CONTINGENCY_LOSS)
            return model->contingency[c].lost_node;
    }
    return find_leaf(model, workload_busiest(model));
}

static uint32_t find_switch(const struct model *model)
{
    for (uint32_t n = 0; n < model->node_count; n++) {
        if (model->node[n].parent_count > 1)
            return n;
    }
    return INDEX_NONE;
}

static uint32_t find_utility(const struct model *model)
{
    uint32_t n = find_switch(model);
    return n == INDEX_NONE ? n : model->node[n].parent[0];
}

static uint32_t find_kind(const struct model *model, enum node_kind kind)
{
    for (uint32_t n = 0; n < model->node_count; n++) {
        if (model->node[n].kind == kind)
            return n;
    }
    return INDEX_NONE;
}

static void strike(struct striking *striking)
{
    const struct model *model = striking->model;
    uint32_t busy = striking->busy, all = model->host_count, k = model->node[busy].k;
    k = k ? k : 1;
    switch (striking->strike->place) {
    case AT_BUSY: strike_place(striking, false, busy); break;
    case AT_LEAF: strike_place(striking, false, find_leaf(model, busy)); break;
    case AT_BESIDE: strike_place(striking, false, find_beside(model, busy)); break;
    case AT_HOST: strike_hosts(striking, busy, 1, 1); break;
    case AT_K_HOSTS: strike_hosts(striking, busy, 1, k); break;
    case AT_MORE_HOSTS: strike_hosts(striking, busy, 1, 3 * k); break;
    case AT_HALF: strike_hosts(striking, busy, 2, all); break;
    case AT_FEW: strike_hosts(striking, INDEX_NONE, 100, all); break;
    case AT_LOST: strike_place(striking, false, find_lost(model)); break;
    case AT_UTILITY: strike_place(striking, false, find_utility(model)); break;
    case AT_SWITCH: strike_place(striking, false, find_switch(model)); break;
    case AT_GENERATOR: strike_place(striking, false, find_kind(model, NODE_GENERATOR)); break;
    case AT_UPS: strike_place(striking, false, find_kind(model, NODE_UPS)); break;
    default: strike_place(striking, false, 0); break;
    }
}

int scenario_history(const struct scenario *scenario, const struct model *model, struct history *history)
{
    struct striking striking = {.model = model, .history = history, .busy = workload_busiest(model)};
    if (striking.busy == INDEX_NONE)
        return -ENOENT;
    for (int i = 0; i < SCENARIO_STRIKES_MAX && scenario->strike[i].at_s > 0; i++) {
        striking.strike = &scenario->strike[i];
        strike(&striking);
    }
    return striking.result;
}
