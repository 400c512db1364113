/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes that contracts bound together, and what flows through them: each cord once, wherever it hangs. */
#include "core/contract.h"
#include "core/draw.h"

static bool is_group(const struct contracts *contracts, uint32_t place)
{
    return place >= contracts->model->node_count;
}

static const struct contract_group *group_of(const struct contracts *contracts, uint32_t place)
{
    return &contracts->group[place - contracts->model->node_count];
}

uint32_t contract_nodes(const struct contracts *contracts, uint32_t place)
{
    return is_group(contracts, place) ? group_of(contracts, place)->count : 1;
}

uint32_t contract_node(const struct contracts *contracts, uint32_t place, uint32_t i)
{
    return is_group(contracts, place) ? group_of(contracts, place)->node[i] : place;
}

/* ---- the nodes of an order ---- */

/* Into its place, ascending; false where it is named twice, or lies above or below one named. */
static bool insert(const struct model *model, struct contract_group *group, uint32_t node)
{
    uint32_t at = group->count;
    for (uint32_t i = 0; i < group->count; i++)
        if (model_lies_below(model, node, group->node[i]) || model_lies_below(model, group->node[i], node))
            return false;
    for (; at > 0 && group->node[at - 1] > node; at--)
        group->node[at] = group->node[at - 1];
    group->node[at] = (uint16_t)node;
    group->count++;
    return true;
}

static bool collect(const struct model *model, const struct slot_order *order, struct contract_group *group)
{
    if (order->also_count >= ORDER_NODES_MAX || !insert(model, group, order->node))
        return false;
    for (uint32_t i = 0; i < order->also_count; i++)
        if (order->also[i] >= model->node_count || !insert(model, group, order->also[i]))
            return false;
    return true;
}

static bool is_same(const struct contract_group *a, const struct contract_group *b)
{
    bool same = a->count == b->count;
    for (uint32_t i = 0; same && i < a->count; i++)
        same = a->node[i] == b->node[i];
    return same;
}

/* ---- a group comes and goes ---- */

static void mark_within(struct contracts *contracts, uint32_t g)
{
    const struct contract_group *group = &contracts->group[g];
    for (uint32_t n = 0; n < contracts->model->node_count; n++) {
        bool within = false;
        for (uint32_t i = 0; !within && i < group->count; i++)
            within = model_lies_below(contracts->model, n, group->node[i]);
        contracts->within[n] = (contracts->within[n] & ~(1u << g)) | (within ? 1u << g : 0);
    }
}

/* By the same rounding, cord by cord, as every change of it later on. */
static void sum_up(struct contracts *contracts, uint32_t g)
{
    const struct model *model = contracts->model;
    uint32_t place = model->node_count + g;
    contracts->drawn_mw[place] = contracts->fail_safe_mw[place] = 0;
    for (uint32_t host = 0; host < model->host_count; host++) {
        const struct model_host *h = &model->host[host];
        int64_t safe_mw = draw_of_cap_mw(&model->type[h->type], h->fail_safe_mw);
        for (uint32_t j = 0; j < h->cord_count; j++) {
            if (!(contracts->within[h->cord[j].node] >> g & 1))
                continue;
            int64_t part = contract_cord_ppm(h, j);
            contracts->drawn_mw[place] += draw_ceil_div(contracts->counted_mw[host] * part, PPM);
            contracts->fail_safe_mw[place] += draw_ceil_div(safe_mw * part, PPM);
        }
    }
}

uint32_t contract_place(struct contracts *contracts, const struct slot_order *order,
                        enum order_refusal *refusal)
{
    struct contract_group wanted = {.contracts = 1};
    uint32_t empty = CONTRACT_GROUPS_MAX;
    if (!order->also_count)
        return order->node;
    *refusal = ORDER_REFUSED_NODE;
    if (order->kind != ORDER_CAP || !collect(contracts->model, order, &wanted))
        return INDEX_NONE;
    for (uint32_t g = CONTRACT_GROUPS_MAX; g-- > 0;) {
        if (!contracts->group[g].contracts) {
            empty = g;
        } else if (is_same(&contracts->group[g], &wanted)) {
            contracts->group[g].contracts++;
            return contracts->model->node_count + g;
        }
    }
    *refusal = ORDER_REFUSED_FULL;
    if (empty == CONTRACT_GROUPS_MAX)
        return INDEX_NONE;
    contracts->group[empty] = wanted;
    contracts->generation++;
    mark_within(contracts, empty);
    sum_up(contracts, empty);
    return contracts->model->node_count + empty;
}

void contract_place_leave(struct contracts *contracts, uint32_t place)
{
    if (!is_group(contracts, place))
        return;
    struct contract_group *group = &contracts->group[place - contracts->model->node_count];
    if (--group->contracts)
        return;
    *group = (struct contract_group){0};
    contracts->generation++;
    mark_within(contracts, place - contracts->model->node_count);
}
