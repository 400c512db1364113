/* SPDX-License-Identifier: Apache-2.0 */
#include "core/order.h"

#include "core/cut.h"
#include "core/draw.h"
#include "core/guard.h"

/* What the sums can hold, and more than any hall draws; and more than any order is given for. */
#define VALUE_MAX_MW (INT64_C(4) * 1000 * 1000 * 1000 * 1000)
#define TIME_MAX_NS (INT64_C(10) * 366 * 24 * 3600 * NS_PER_S)

/* Hosts that a contract of this place may ask: those below a node; of a group all, and some are not below. */
struct asked { const uint32_t *run; uint32_t count; };

static struct asked hosts_of(const struct core *core, uint32_t place)
{
    const struct emergencies *e = &core->emergencies;
    if (place < core->model->node_count)
        return (struct asked){&e->below[e->below_first[place]], e->below_count[place]};
    return (struct asked){NULL, core->model->host_count};
}

/* Every host below at once, each the same part of its way down to its floor. */
static void trim_below(struct core *core, uint32_t place)
{
    const struct asked asked = hosts_of(core, place);
    struct contract_trim trim = {0};
    for (uint32_t i = 0; i < asked.count; i++)
        contract_weigh(&core->contracts, &core->ledger, place, asked.run ? asked.run[i] : i, core->t_ns,
                       &trim);
    contract_trim_scale(&core->contracts, place, &trim);
    if (trim.scale_ppm >= PPM)
        return;
    core->count.trims++;
    for (uint32_t i = 0; i < asked.count; i++) {
        uint32_t host = asked.run ? asked.run[i] : i;
        if (!asked.run && !contract_part_ppm(&core->contracts, host, place))
            continue;
        int64_t cap_mw = contract_trim_cap_mw(&core->contracts, &core->ledger, host, core->t_ns, &trim);
        if (cap_mw < 0)
            continue;
        bound_by(core, BOUND_CONTRACT, place);
        guard_send(core, host, cap_mw, 0, WHY_ORDER);
        core->held.term = BOUND_NOTHING;    /* also where nothing was sent */
    }
}

/* ---- what each may ask ---- */

/* An order may stay within the mode of the site file, never go beyond it. */
static enum order_refusal take_mode(struct core *core, const struct slot_order *order)
{
    if (order->mode > MODE_ENFORCE)
        return ORDER_REFUSED_VALUE;
    if (order->mode > core->model->mode)
        return ORDER_REFUSED_LOOSENS;
    if (core->mode != MODE_ENFORCE && order->mode == MODE_ENFORCE)
        emergency_restart(&core->emergencies, core->t_ns);
    core->mode = order->mode;
    ledger_enforce(&core->ledger, core->mode == MODE_ENFORCE);
    return ORDER_TAKEN;
}

static bool times_are_sane(const struct slot_order *order)
{
    return order->within_ns >= 0 && order->within_ns <= TIME_MAX_NS && order->for_ns >= 0 &&
           order->for_ns <= TIME_MAX_NS;
}

static bool is_rate(int64_t mw_per_s)
{
    return mw_per_s >= 0 && mw_per_s <= VALUE_MAX_MW;
}

/* Each of them is one, and hosts hang below: of several below one of them at least. */
static bool names_nodes(const struct core *core, const struct slot_order *order)
{
    bool named = order->also_count < ORDER_NODES_MAX, hosts = false;
    for (uint32_t i = 0; named && i <= order->also_count; i++) {
        uint32_t node = i == 0 ? order->node : order->also[i - 1];
        named = node < core->model->node_count;
        hosts |= named && core->emergencies.below_count[node];
    }
    return named && hosts;
}

static enum order_refusal take_contract(struct core *core, const struct slot_order *order)
{
    bool ramp = order->kind == ORDER_RAMP;
    if (!names_nodes(core, order))
        return ORDER_REFUSED_NODE;
    bool valued = ramp ? is_rate(order->value_mw) && is_rate(order->down_mw_per_s) &&
                             (order->value_mw || order->down_mw_per_s)
                       : order->value_mw > 0 && order->value_mw <= VALUE_MAX_MW;
    if (!valued || !times_are_sane(order))
        return ORDER_REFUSED_VALUE;
    enum order_refusal refusal = contract_give(&core->contracts, order, core->t_ns);
    if (refusal == ORDER_TAKEN && !ramp)
        trim_below(core, contract_place_of(&core->contracts, order->contract));
    return refusal;
}

/* The cap that a host needs for the draw that is expected of it. It makes room in time; it takes nothing that
 * is drawn. */
static enum order_refusal take_forecast(struct core *core, const struct slot_order *order)
{
    if (order->node >= core->model->host_count)
        return ORDER_REFUSED_NODE;
    const struct model_host_type *type = &core->model->type[core->model->host[order->node].type];
    if (order->value_mw < type->base_max_mw || order->value_mw > type->phys_max_mw ||
        !times_are_sane(order) || !order->for_ns)
        return ORDER_REFUSED_VALUE;
    int64_t from_ns = core->t_ns + order->within_ns;
    demand_forecast(&core->demand[order->node], draw_cap_within_mw(type, order->value_mw), from_ns,
                    from_ns + order->for_ns, core->t_ns);
    core->ledger.moved.host[order->node] = 1;
    return ORDER_TAKEN;
}

/* What may no longer be lent is cut in the slot of the order. */
static enum order_refusal take_maintenance(struct core *core, const struct slot_order *order)
{
    enum order_refusal refusal = order->kind == ORDER_TAKE_OUT
                                     ? maintenance_take_out(&core->maintenance, order)
                                     : maintenance_put_back(&core->maintenance, order);
    if (refusal != ORDER_TAKEN)
        return refusal;
    core->cluster.withdrawn = core->maintenance.withdrawn;
    permit_withdraw(&core->permits, core->maintenance.withdrawn, core->t_ns);
    cut_run(core);
    return ORDER_TAKEN;
}

static enum order_refusal carry_out(struct core *core, const struct slot_order *order)
{
    switch (order->kind) {
    case ORDER_MODE:
        return take_mode(core, order);
    case ORDER_CAP:
    case ORDER_RAMP:
        return take_contract(core, order);
    case ORDER_LIFT:
        return contract_lift(&core->contracts, order->contract);
    case ORDER_FORECAST:
        return take_forecast(core, order);
    case ORDER_TAKE_OUT:
    case ORDER_PUT_BACK:
        return take_maintenance(core, order);
    default:
        return ORDER_REFUSED_KIND;
    }
}

void order_take(struct core *core, const struct slot_order *order)
{
    enum order_refusal refusal = ORDER_REFUSED_NUMBER;
    if (order->number > core->order.newest) {
        core->order.newest = order->number;
        refusal = carry_out(core, order);
    }
    core->order.number = order->number;
    core->order.verdict = refusal;
    core->count.orders += refusal == ORDER_TAKEN;
    core->count.orders_refused += refusal != ORDER_TAKEN;
}

/* ---- as time goes on ---- */

void order_tick(struct core *core)
{
    contract_expire(&core->contracts, core->t_ns);
}

static void judge(struct core *core, uint32_t place, int64_t measured_mw)
{
    struct contract_finding finding = contract_reading(&core->contracts, place, measured_mw, core->t_ns);
    core->count.breaches += finding.breaches;
    if (finding.trim)
        trim_below(core, place);
}

/* What flows through a group is what all its meters show now; where one is silent nobody knows. */
static int64_t measured_together_mw(const struct core *core, uint32_t place, uint32_t node)
{
    bool member = false;
    int64_t sum_mw = 0;
    for (uint32_t i = 0; i < contract_nodes(&core->contracts, place); i++) {
        uint32_t one = contract_node(&core->contracts, place, i), meter = core->model->node[one].meter;
        if (meter == INDEX_NONE || core->detect[meter].measured_mw < 0)
            return -1;
        const struct model_meter *known = &core->model->meter[meter];
        if (core->t_ns - core->detect[meter].reading_t_ns > known->fresh_ns + known->period_ns)
            return -1;
        member |= one == node;
        sum_mw += core->detect[meter].measured_mw;
    }
    return member ? sum_mw : -1;
}

void order_reading(struct core *core, uint32_t node, int64_t measured_mw)
{
    judge(core, node, measured_mw);
    for (uint32_t groups = core->contracts.within[node]; groups; groups &= groups - 1) {
        uint32_t place = core->model->node_count + (uint32_t)__builtin_ctz(groups);
        int64_t sum_mw = measured_together_mw(core, place, node);
        if (sum_mw >= 0)
            judge(core, place, sum_mw);
    }
}
