/* SPDX-License-Identifier: Apache-2.0 */
/* What the owner shows of the decision's state. */
#include "core/compare.h"
#include "core/core.h"
#include "core/permit.h"

const struct core_counters *core_counters(const struct core *core)
{
    return &core->count;
}

void core_alert_view(const struct core *core, uint32_t alert, struct core_alert_view *view)
{
    alert_view(&core->alerts, alert, view);
}

const struct degrade_row *core_degraded(const struct core *core, enum degradation row)
{
    return &core->degrade.row[row];
}

/* The contingency and phase in which a sum leaves least room; the first of equals. */
static struct core_sum tightest(const struct ledger_sums *sums, uint32_t contingencies,
                                const int64_t sum_mva[CONTINGENCIES_MAX][PHASES])
{
    struct core_sum least = {sum_mva[0][0], sums->limit_mva[0][0], 0, 0};
    for (uint32_t i = 1; i < contingencies * PHASES; i++) {
        uint32_t c = i / PHASES, phase = i % PHASES;
        if (sums->limit_mva[c][phase] - sum_mva[c][phase] < least.limit_mva - least.sum_mva)
            least = (struct core_sum){sum_mva[c][phase], sums->limit_mva[c][phase], (uint8_t)c,
                                      (uint8_t)phase};
    }
    return least;
}

/* What raises below the node wait for: time, or something that lasts (INT64_MAX). */
static void show_waits(const struct core *core, uint32_t node, struct core_node_view *view)
{
    struct hold_view hold;
    struct damper_view damper;
    hold_view(&core->holds, node, core->t_ns, &hold);
    damper_view(&core->dampers, node, core->t_ns, &damper);
    int64_t left_ns = larger(larger(hold.left_ns, hold.feed_left_ns), damper.left_ns);
    view->damped = damper.hold_ns > 0;
    view->hold_until_ns = hold.hot || left_ns == INT64_MAX ? INT64_MAX
                          : left_ns > 0                    ? core->t_ns + left_ns
                                                           : 0;
}

/* The least of the caps in force. */
static void show_contracts(const struct core *core, uint32_t node, struct core_node_view *view)
{
    for (uint32_t i = 0; core->contracts.count && i < CONTRACTS_MAX; i++) {
        const struct contract *item = &core->contracts.item[i];
        if (!item->number || item->place != node || item->kind != ORDER_CAP || core->t_ns < item->due_ns)
            continue;
        view->breach |= item->breached;
        if (!view->contract_mw || item->value_mw < view->contract_mw)
            view->contract_mw = item->value_mw;
    }
    view->contract_load_mw = view->contract_mw ? view->measured_mw : 0;
}

static void show_maintenance(const struct core *core, uint32_t node, struct core_node_view *view)
{
    for (uint32_t i = 0; core->maintenance.count && i < CONTINGENCIES_MAX; i++) {
        const struct maintenance_item *item = &core->maintenance.item[i];
        if (!item->number || item->node != node)
            continue;
        view->maintenance = item->state;
        view->awaited = item->found.hosts;
    }
}

static void show_steering(const struct core *core, uint32_t node, struct core_node_view *view)
{
    struct pool_view pool;
    struct ramp_view ramp;
    pool_view(&core->pools, node, &pool);
    ramp_view(&core->ramps, node, core->t_ns, &ramp);
    view->pool_level_mva = pool.level_mva;
    view->pool_load_mva = pool.forecast_mva;
    view->pool_credit_ppm = pool.credit_ppm;
    view->ramp_up_mw_per_s = ramp.rate_mw_per_s[RAMP_UP];
    view->ramp_down_mw_per_s = ramp.rate_mw_per_s[RAMP_DOWN];
}

static bool in_recovery(const struct core *core, uint32_t node)
{
    const struct ledger_sums *sums = &core->ledger.node[node];
    bool over = false;
    for (uint32_t i = 0; i < core->model->contingency_count * PHASES; i++)
        over |= sums->exposed_mva[i / PHASES][i % PHASES] > sums->ceiling_mva[i / PHASES][i % PHASES];
    return over;
}

static void show_recovery(const struct core *core, uint32_t node, struct core_node_view *view)
{
    const struct ledger_sums *sums = &core->ledger.node[node];
    const struct recovery_node *known = &core->recovery.node[node];
    view->recovery_by = sums->recovery_by;
    view->recovery = in_recovery(core, node);
    if (!view->recovery || known->since_ns == INT64_MAX)
        return;
    view->recovery_since_ns = known->since_ns;
    view->recovery_silent = known->held_by.silent;
    view->recovery_bad = known->held_by.bad;
    view->recovery_overdue = known->overdue;
}

void core_node_view(const struct core *core, uint32_t node, struct core_node_view *view)
{
    const struct ledger_sums *sums = &core->ledger.node[node];
    const struct model_node *known = &core->model->node[node];
    const struct emergency *emergency = &core->emergencies.node[node];
    uint32_t meter = known->meter;
    *view = (struct core_node_view){.measured_mw = -1, .reading_t_ns = -1, .permit = PERMIT_NONE};
    for (uint32_t phase = 0; phase < PHASES; phase++) {
        view->exposure_mva[phase] = sums->exposed_mva[0][phase];
        view->newest_mva[phase] = sums->newest_mva[0][phase];
        view->limit_mva[phase] = sums->limit_mva[0][phase];
        view->steady_mva[phase] = sums->steady_mva[0][phase];
        view->learnt_mva[phase] = residual_learnt_mva(&core->residual, node, phase);
    }
    view->outgrown = core->residual.node[node].outgrown;
    view->exposed = tightest(sums, core->model->contingency_count, sums->exposed_mva);
    view->raised_mva = sums->raised_mva[view->exposed.phase] - view->learnt_mva[view->exposed.phase];
    view->newest = tightest(sums, core->model->contingency_count, sums->newest_mva);
    if (meter != INDEX_NONE) {
        view->measured_mw = core->detect[meter].measured_mw;
        view->reading_t_ns = core->detect[meter].reading_t_ns;
    }
    show_recovery(core, node, view);
    view->permit = (uint8_t)permit_of(&core->permits, node);
    view->permit_since_ns = permit_since_ns(&core->permits, node);
    view->emergency = emergency->active;
    view->stage = (uint8_t)emergency_stage(emergency);
    view->stage_since_ns = view->stage ? emergency->stage_ns : 0;
    view->enforced = core->ledger.enforcing;
    show_waits(core, node, view);
    show_steering(core, node, view);
    show_contracts(core, node, view);
    show_maintenance(core, node, view);
    heat_view(&core->heat, &core->ledger, node, core->t_ns, &view->heat);
}

void core_order_view(const struct core *core, struct core_order_view *view)
{
    *view = core->order;
}

/* Nobody sees a breach where a meter is missing. */
static bool is_metered(const struct core *core, const struct contract *item)
{
    uint32_t count = item->number ? contract_nodes(&core->contracts, item->place) : 0;
    bool metered = count > 0;
    for (uint32_t i = 0; i < count; i++)
        metered &= core->model->node[contract_node(&core->contracts, item->place, i)].meter != INDEX_NONE;
    return metered;
}

void core_contract_view(const struct core *core, uint32_t place, struct core_contract_view *view)
{
    const struct contract *item = &core->contracts.item[place];
    *view = (struct core_contract_view){
        .number = item->number,
        .id = item->id,
        .node = item->number ? contract_node(&core->contracts, item->place, 0) : INDEX_NONE,
        .nodes = (uint8_t)(item->number ? contract_nodes(&core->contracts, item->place) : 0),
        .kind = item->kind,
        .metered = is_metered(core, item),
        .load_mw = item->mean_mw,
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
    if (ledger_is_let_go(h))
        return BASIS_LET_GO;
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
    const struct model_host *known = &core->model->host[host];
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
        .unretired = h->unretired_count,
        .flags = h->flags,
        .tier = known->tier,
        .gang = known->gang < core->model->gang_count ? (uint16_t)known->gang : UINT16_MAX,
        .reserved_mw = pool_reserved_mw(&core->pools, host, core->t_ns),
        .exposed_cap_mw = ledger_exposed_cap_mw(h),
        .fail_safe_mw = h->fail_safe_mw,
        .bound = core->bound[host],
    };
}

void core_node_sums(const struct core *core, uint32_t node, struct core_node_sums *sums)
{
    const struct ledger_sums *known = &core->ledger.node[node];
    *sums = (struct core_node_sums){
        .exposed_mva = known->exposed_mva,
        .limit_mva = known->limit_mva,
        .steady_mva = known->steady_mva,
        .safe_mva = known->safe_mva,
        .emergency = core->emergencies.node[node].active,
        .recovery = core->ledger.over_count && in_recovery(core, node),
    };
}

int64_t core_exposed_mw(const struct core *core, uint32_t host)
{
    const struct ledger_host *h = &core->ledger.host[host];
    return h->bounded ? ledger_exposed_cap_mw(h) : INT64_MAX;
}
