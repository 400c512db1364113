/* SPDX-License-Identifier: Apache-2.0 */
#include "core/maintenance.h"

void maintenance_init(struct maintenance *maintenance, const struct model *model)
{
    *maintenance = (struct maintenance){.model = model};
}

/* The declared loss that takes the node with it: its own, or that of something above it. */
static uint32_t covering_loss(const struct model *model, uint32_t node)
{
    for (uint32_t c = 1; c < model->contingency_count; c++)
        if (model->contingency[c].kind == CONTINGENCY_LOSS && model->contingency[c].lost_node == node)
            return c;
    for (uint32_t c = 1; c < model->contingency_count; c++)
        if (model->contingency[c].kind == CONTINGENCY_LOSS &&
            model_lies_below(model, node, model->contingency[c].lost_node))
            return c;
    return 0;
}

static void note_withdrawn(struct maintenance *maintenance)
{
    maintenance->withdrawn = 0;
    for (uint32_t i = 0; i < CONTINGENCIES_MAX; i++)
        if (maintenance->item[i].number)
            maintenance->withdrawn |= 1u << maintenance->item[i].contingency;
}

/* The place of a node that is being taken out, or a free one; CONTINGENCIES_MAX where there is none. */
static uint32_t place_of(const struct maintenance *maintenance, uint32_t node)
{
    uint32_t empty = CONTINGENCIES_MAX;
    for (uint32_t i = CONTINGENCIES_MAX; i-- > 0;) {
        if (!maintenance->item[i].number)
            empty = i;
        else if (maintenance->item[i].node == node)
            return i;
    }
    return empty;
}

/* A round that began before this order says nothing of it. */
static void begin_anew(struct maintenance *maintenance)
{
    maintenance->at = 0;
    maintenance->cursor = 0;
}

enum order_refusal maintenance_take_out(struct maintenance *maintenance, const struct slot_order *order)
{
    const struct model *model = maintenance->model;
    uint32_t contingency = order->node < model->node_count ? covering_loss(model, order->node) : 0;
    if (!contingency)
        return ORDER_REFUSED_NODE;
    uint32_t place = place_of(maintenance, order->node);
    if (place == CONTINGENCIES_MAX)
        return ORDER_REFUSED_FULL;
    maintenance->count += !maintenance->item[place].number;
    maintenance->item[place] = (struct maintenance_item){
        .number = order->number,
        .node = order->node,
        .contingency = contingency,
        .state = MAINTENANCE_LOWERING,
        .found = {.node = INDEX_NONE, .host = INDEX_NONE},
    };
    note_withdrawn(maintenance);
    begin_anew(maintenance);
    return ORDER_TAKEN;
}

enum order_refusal maintenance_put_back(struct maintenance *maintenance, const struct slot_order *order)
{
    uint32_t place = place_of(maintenance, order->node);
    if (place == CONTINGENCIES_MAX || !maintenance->item[place].number)
        return ORDER_REFUSED_NODE;
    maintenance->item[place] = (struct maintenance_item){0};
    maintenance->count--;
    note_withdrawn(maintenance);
    begin_anew(maintenance);
    return ORDER_TAKEN;
}

/* ---- the round: every node, then every host ---- */

/* The steady limit, lowered by events, whatever a permit would allow. */
static bool fits(const struct maintenance *maintenance, const struct ledger *ledger, uint32_t node,
                 uint32_t c)
{
    const struct model_node *n = &maintenance->model->node[node];
    const struct ledger_sums *sums = &ledger->node[node];
    for (uint32_t phase = 0; n->limited && phase < PHASES; phase++) {
        int64_t limit_mva = n->limit_mva[c][phase];
        limit_mva = sums->limit_mva[c][phase] < limit_mva ? sums->limit_mva[c][phase] : limit_mva;
        if (sums->exposed_mva[c][phase] > limit_mva || sums->newest_mva[c][phase] > limit_mva)
            return false;
    }
    return true;
}

static bool is_evidence(const struct maintenance *maintenance, const struct ledger *ledger, uint32_t host,
                        uint32_t lost, int64_t t_ns)
{
    const struct model_host *h = &maintenance->model->host[host];
    const struct ledger_host *account = &ledger->host[host];
    if (account->bounded && t_ns - account->report_t_ns <= maintenance->model->policy.lease_ns)
        return true;
    for (uint32_t j = 0; j < h->cord_count; j++)
        if (model_lies_below(maintenance->model, h->cord[j].node, lost))
            return false;
    return true;
}

static void visit(struct maintenance *maintenance, const struct ledger *ledger, int64_t t_ns)
{
    struct maintenance_item *item = &maintenance->item[maintenance->at];
    struct maintenance_round *open = &item->open;
    uint32_t i = maintenance->cursor++, nodes = maintenance->model->node_count;
    if (i == 0)
        *open = (struct maintenance_round){.node = INDEX_NONE, .host = INDEX_NONE};
    if (i < nodes && !fits(maintenance, ledger, i, item->contingency)) {
        open->node = open->nodes++ ? open->node : i;
    } else if (i >= nodes && !is_evidence(maintenance, ledger, i - nodes, item->node, t_ns)) {
        open->host = open->hosts++ ? open->host : i - nodes;
    }
}

static void close_round(struct maintenance *maintenance)
{
    struct maintenance_item *item = &maintenance->item[maintenance->at];
    bool safe = !item->open.nodes && !item->open.hosts;
    item->taken_back += item->state == MAINTENANCE_SAFE && !safe;
    item->state = safe ? MAINTENANCE_SAFE : MAINTENANCE_LOWERING;
    item->found = item->open;
    maintenance->cursor = 0;
    maintenance->at = (maintenance->at + 1) % CONTINGENCIES_MAX;
}

void maintenance_part(struct maintenance *maintenance, const struct ledger *ledger, int64_t t_ns,
                      uint32_t items)
{
    uint32_t all = maintenance->model->node_count + maintenance->model->host_count;
    while (maintenance->count && items) {
        if (!maintenance->item[maintenance->at].number) {
            maintenance->at = (maintenance->at + 1) % CONTINGENCIES_MAX;
            continue;
        }
        visit(maintenance, ledger, t_ns);
        items--;
        if (maintenance->cursor == all)
            close_round(maintenance);
    }
}
