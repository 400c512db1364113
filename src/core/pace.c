/* SPDX-License-Identifier: Apache-2.0 */
#include "core/pace.h"

#include "core/draw.h"
#include "core/sums.h"

static const struct model_host_type *type_of(const struct core *core, uint32_t host)
{
    return &core->model->type[core->model->host[host].type];
}

/* What a host was told last; one that was told nothing yet stands at fail-safe. */
static int64_t told_mw(const struct core *core, uint32_t host, int64_t cap_mw)
{
    return cap_mw >= 0 ? cap_mw : core->model->host[host].fail_safe_mw;
}

static int64_t change_of_mw(const struct core *core, uint32_t host, int64_t old_mw, int64_t new_mw)
{
    return draw_of_cap_mw(type_of(core, host), new_mw) - draw_of_cap_mw(type_of(core, host), old_mw);
}

static int64_t waits(struct core *core, enum bound_term term, uint32_t node, int64_t cap_mw)
{
    core->paced.term = (uint8_t)term;
    core->paced.node = node;
    return cap_mw;
}

/* As far as the buckets reach, in whole quanta of the cap. */
static int64_t ramped_mw(struct core *core, uint32_t host, int64_t old_mw, int64_t cap_mw)
{
    const struct model_host_type *type = type_of(core, host);
    uint32_t node;
    if (!core->ramps.limited)
        return cap_mw;
    int64_t change_mw = change_of_mw(core, host, old_mw, cap_mw);
    int64_t allowed_mw = ramp_allows_mw(&core->ramps, host, change_mw, core->t_ns, &node);
    if (node == INDEX_NONE)
        return cap_mw;
    int64_t size_mw = allowed_mw < 0 ? -allowed_mw : allowed_mw;
    int64_t step_mw = size_mw * PPM / type->gain_ppm;
    step_mw -= step_mw % type->quantum_mw;
    return waits(core, BOUND_RAMP, node, cap_mw > old_mw ? old_mw + step_mw : old_mw - step_mw);
}

/* Up to fail-safe a host goes by itself when its lease runs out: a ramp does not hold that back. */
static int64_t raise_mw(struct core *core, uint32_t host, int64_t old_mw, int64_t cap_mw)
{
    int64_t always_mw = ledger_always_mw(&core->ledger, host);
    uint32_t node = hold_forbids_raise(&core->holds, host, core->t_ns);
    if (node != INDEX_NONE)
        return waits(core, BOUND_HOLD, node, old_mw);
    node = pool_forbids_raise(&core->pools, host, core->t_ns);
    if (node != INDEX_NONE)
        return waits(core, BOUND_LEVEL, node, old_mw);
    node = damper_forbids_raise(&core->dampers, host, core->t_ns);
    if (node != INDEX_NONE)
        return waits(core, BOUND_DAMPER, node, old_mw);
    if (cap_mw <= always_mw)
        return cap_mw;
    return ramped_mw(core, host, old_mw > always_mw ? old_mw : always_mw, cap_mw);
}

/* Arbitration and orders cut of their own will; everything else protects, and so does a cut while the newest
 * leases pass a limit, or what may be drawn does: others make room for a host that lost its cap. */
static int64_t cut_mw(struct core *core, uint32_t host, int64_t old_mw, int64_t cap_mw, enum egress_why why)
{
    uint32_t pool = pool_binds_above(&core->pools, host);
    if (why == WHY_CUT && pool != INDEX_NONE)
        return waits(core, BOUND_LEVEL, pool, cap_mw);
    if ((why != WHY_CUT && why != WHY_ORDER) || ledger_over_s(&core->ledger, host) ||
        sums_over(&core->ledger, host, SUM_EXPOSED))
        return cap_mw;
    uint32_t node = why == WHY_CUT ? damper_forbids_cut(&core->dampers, host, core->t_ns) : INDEX_NONE;
    if (node != INDEX_NONE)
        return waits(core, BOUND_DAMPER, node, old_mw);
    node = why == WHY_CUT ? hold_forbids_raise(&core->holds, host, core->t_ns) : INDEX_NONE;
    if (node != INDEX_NONE && !damper_wants_less(&core->dampers, host))
        return waits(core, BOUND_HOLD, node, old_mw);
    return ramped_mw(core, host, old_mw, cap_mw);
}

int64_t pace_cap_mw(struct core *core, uint32_t host, int64_t cap_mw, enum egress_why why)
{
    const struct ledger_host *h = &core->ledger.host[host];
    core->paced = (struct bound){.term = BOUND_NOTHING, .node = INDEX_NONE};
    if (h->newest_mw < 0 || cap_mw == h->newest_mw)
        return cap_mw;
    if (cap_mw < h->newest_mw)
        return cut_mw(core, host, h->newest_mw, cap_mw, why);
    return raise_mw(core, host, h->newest_mw, cap_mw);
}

void pace_sent(struct core *core, uint32_t host, int64_t old_mw, int64_t cap_mw)
{
    pool_note(&core->pools, host, core->t_ns);
    if (old_mw == cap_mw)
        return;
    int64_t change_mw = change_of_mw(core, host, told_mw(core, host, old_mw), cap_mw);
    ramp_take(&core->ramps, host, change_mw, core->t_ns);
    damper_sent(&core->dampers, host, change_mw, core->t_ns);
}

static void order_ramp(struct core *core, uint32_t node)
{
    int64_t up_mw_per_s, down_mw_per_s;
    contract_ramp(&core->contracts, node, &up_mw_per_s, &down_mw_per_s);
    ramp_order(&core->ramps, node, up_mw_per_s, down_mw_per_s, core->t_ns);
}

/* Ramps by contract come and go between two arbitrations: from the next on they count. */
static void follow_contracts(struct core *core)
{
    for (uint32_t i = core->ramps.ordered_count; i-- > 0;)
        order_ramp(core, core->ramps.ordered[i]);
    for (uint32_t i = 0; core->contracts.count && i < CONTRACTS_MAX; i++)
        if (core->contracts.item[i].number && core->contracts.item[i].kind == ORDER_RAMP)
            order_ramp(core, core->contracts.item[i].place);
}

void pace_begin(struct core *core)
{
    follow_contracts(core);
    damper_arbitrate(&core->dampers, core->holds.held > 0, core->t_ns);
}

void pace_target(struct core *core, uint32_t host)
{
    int64_t target_mw = core->cluster.target_mw[host], newest_mw = core->ledger.host[host].newest_mw;
    if (target_mw >= 0 && core->dampers.was_held)
        damper_target(&core->dampers, host,
                      change_of_mw(core, host, told_mw(core, host, newest_mw), target_mw));
}
