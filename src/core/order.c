/* SPDX-License-Identifier: Apache-2.0 */
#include "core/order.h"

#include "core/cut.h"
#include "core/draw.h"
#include "core/guard.h"

/* What the sums can hold, and more than any hall draws; and more than any order is given for. */
#define VALUE_MAX_MW (INT64_C(4) * 1000 * 1000 * 1000 * 1000)
#define TIME_MAX_NS (INT64_C(10) * 366 * 24 * 3600 * NS_PER_S)

/* Every host below at once, each the same part of its way down to its floor. */
static void trim_below(struct core *core, uint32_t node)
{
    const struct emergencies *e = &core->emergencies;
    const uint32_t *run = &e->below[e->below_first[node]];
    struct contract_trim trim = {0};
    for (uint32_t i = 0; i < e->below_count[node]; i++)
        contract_weigh(&core->contracts, &core->ledger, node, run[i], core->t_ns, &trim);
    contract_trim_scale(&core->contracts, node, &trim);
    if (trim.scale_ppm >= PPM)
        return;
    core->count.trims++;
    for (uint32_t i = 0; i < e->below_count[node]; i++) {
        int64_t cap_mw = contract_trim_cap_mw(&core->contracts, &core->ledger, run[i], core->t_ns, &trim);
        if (cap_mw >= 0)
            guard_send(core, run[i], cap_mw, 0, WHY_ORDER);
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

static enum order_refusal take_contract(struct core *core, const struct slot_order *order)
{
    bool ramp = order->kind == ORDER_RAMP;
    if (order->node >= core->model->node_count || !core->emergencies.below_count[order->node])
        return ORDER_REFUSED_NODE;
    bool valued = ramp ? is_rate(order->value_mw) && is_rate(order->down_mw_per_s) &&
                             (order->value_mw || order->down_mw_per_s)
                       : order->value_mw > 0 && order->value_mw <= VALUE_MAX_MW;
    if (!valued || !times_are_sane(order))
        return ORDER_REFUSED_VALUE;
    enum order_refusal refusal = contract_give(&core->contracts, order, core->t_ns);
    if (refusal == ORDER_TAKEN && !ramp)
        trim_below(core, order->node);
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
                    from_ns + order->for_ns);
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

void order_reading(struct core *core, uint32_t node, int64_t measured_mw)
{
    struct contract_finding finding =
        contract_reading(&core->contracts, node, measured_mw, core->t_ns);
    core->count.breaches += finding.breaches;
    if (finding.trim)
        trim_below(core, node);
}
