/* SPDX-License-Identifier: Apache-2.0 */
/* What the owner shows of the decision's state. */
#include "core/core.h"

const struct core_counters *core_counters(const struct core *core)
{
    return &core->count;
}

void core_node_view(const struct core *core, uint32_t node, struct core_node_view *view)
{
    const struct ledger_sums *sums = &core->ledger.node[node];
    uint32_t meter = core->model->node[node].meter;
    *view = (struct core_node_view){.measured_mw = -1, .reading_t_ns = -1};
    for (uint32_t phase = 0; phase < PHASES; phase++) {
        view->exposure_mva[phase] = sums->exposed_mva[0][phase];
        view->newest_mva[phase] = sums->newest_mva[0][phase];
        view->limit_mva[phase] = sums->limit_mva[0][phase];
        view->recovery |= view->exposure_mva[phase] > view->limit_mva[phase];
    }
    if (meter != INDEX_NONE) {
        view->measured_mw = core->detect[meter].measured_mw;
        view->reading_t_ns = core->detect[meter].reading_t_ns;
    }
    view->emergency = core->emergencies.node[node].active;
    heat_view(&core->heat, &core->ledger, node, core->t_ns, &view->heat);
}

void core_order_view(const struct core *core, struct core_order_view *view)
{
    *view = core->order;
}

void core_contract_view(const struct core *core, uint32_t place, struct core_contract_view *view)
{
    const struct contract *item = &core->contracts.item[place];
    *view = (struct core_contract_view){
        .number = item->number,
        .id = item->id,
        .node = item->node,
        .kind = item->kind,
        .due = core->t_ns >= item->due_ns,
        .breached = item->breached,
        .value_mw = item->value_mw,
        .down_mw_per_s = item->down_mw_per_s,
        .due_ns = item->due_ns,
        .until_ns = item->until_ns,
        .breaches = item->breaches,
    };
}

void core_maintenance_view(const struct core *core, uint32_t place, struct core_maintenance_view *view)
{
    const struct maintenance_item *item = &core->maintenance.item[place];
    *view = (struct core_maintenance_view){
        .number = item->number,
        .node = item->node,
        .contingency = item->contingency,
        .state = item->state,
        .nodes_above = item->found.nodes,
        .node_above = item->found.node,
        .hosts_open = item->found.hosts,
        .host_open = item->found.host,
        .taken_back = item->taken_back,
    };
}

static enum exposure_basis unbounded_basis(const struct ledger *ledger, const struct ledger_host *h)
{
    if (!ledger->enforcing)
        return BASIS_NOT_ENFORCED;
    if (!h->incarnation)
        return BASIS_UNHEARD;
    if (!h->accepted)
        return BASIS_NOT_ACCEPTED;
    if (h->flags & REPORT_DEVICE_LOST)
        return BASIS_DEVICE_LOST;
    return h->state == HOST_BOOT ? BASIS_BOOT : BASIS_NOT_SHOWN;
}

static enum exposure_basis basis_of(const struct ledger *ledger, const struct ledger_host *h)
{
    if (!h->bounded)
        return unbounded_basis(ledger, h);
    int64_t cap_mw = ledger_exposed_cap_mw(h);
    if (cap_mw <= h->fail_safe_mw)
        return BASIS_FAIL_SAFE;
    return cap_mw > h->newest_mw ? BASIS_OLDER_LEASE : BASIS_LEASE;
}

void core_host_view(const struct core *core, uint32_t host, struct core_host_view *view)
{
    const struct ledger_host *h = &core->ledger.host[host];
    *view = (struct core_host_view){
        .lease_mw = h->newest_mw,
        .exposure_mw = h->exposed_draw_mw,
        .draw_mw = h->draw_mw,
        .report_t_ns = h->report_t_ns,
        .incarnation = h->incarnation,
        .state = h->state,
        .why = core->bound[host].why,
        .basis = (uint8_t)basis_of(&core->ledger, h),
        .accepted = h->accepted,
    };
}
