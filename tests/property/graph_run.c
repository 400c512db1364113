/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/core.h"
#include "graph.h"
#include "msg/frame.h"

/* What the core is told where a fault is planted in it; the second ledger has heard the truth. */
static bool forge(struct trial *trial, struct slot *slot)
{
    struct graph *graph = (struct graph *)trial;
    enum graph_plant plant = graph->some->plant;
    if (plant == GRAPH_HELD && slot->kind == SLOT_REPORT && slot->report.state != HOST_BOOT)
        slot->report.held_ns += trial->model->type[trial->model->host[slot->report.host].type].actuation_ns;
    if (plant == GRAPH_OBEYED && slot->kind == SLOT_REPORT && slot->report.state != HOST_BOOT) {
        const struct ledger_host *known = &trial->core->ledger.host[slot->report.host];
        int64_t most_mw = known->newest_mw > known->fail_safe_mw ? known->newest_mw : known->fail_safe_mw;
        slot->report.readback_mw = slot->report.readback_mw < most_mw ? slot->report.readback_mw : most_mw;
        slot->report.cap_mw = slot->report.cap_mw < most_mw ? slot->report.cap_mw : most_mw;
    }
    if (plant == GRAPH_NEVER_STALE && slot->kind == SLOT_READING)
        slot->reading.current_ma[0] += (int64_t)(trial->slots % 7);
    return true;
}

/* The site as a core with a fault planted has it. */
static void misread(struct model *told, struct model_node *node, const struct model *model,
                    enum graph_plant plant)
{
    *told = *model;
    memcpy(node, model->node, model->node_count * sizeof *node);
    told->node = node;
    for (uint32_t n = 0; n < model->node_count; n++) {
        if (plant == GRAPH_NOBODY_BAD) {
            node[n].k = 0;
            memset(node[n].bad_mva, 0, sizeof node[n].bad_mva);
        }
        for (uint32_t e = 0; plant == GRAPH_READS_LOW && e < node[n].breaker.element_count; e++) {
            struct breaker_element *element = &node[n].breaker.element[e];
            element->pickup_ma += element->pickup_ma / 3;
            element->unit_ma += element->unit_ma / 3;
        }
    }
}

/* ---- what nobody has to believe: requests and forecasts, true ones and lies (P16) ---- */

/* What an operator may ask of a node: less, slower, or to be without it. Half of it is refused. */
static struct slot_order some_order(struct graph *graph, struct chance *chance)
{
    static const enum order_kind kinds[] = {ORDER_CAP, ORDER_RAMP, ORDER_LIFT, ORDER_TAKE_OUT,
                                            ORDER_PUT_BACK};
    const struct model *model = graph->trial.model;
    struct slot_order order = {.kind = kinds[chance_range(chance, 0, 4)], .number = ++graph->orders,
                               .contract = (uint32_t)chance_range(chance, 1, 4)};
    uint32_t c = (uint32_t)chance_range(chance, 0, model->contingency_count - 1);
    bool out = order.kind == ORDER_TAKE_OUT || order.kind == ORDER_PUT_BACK;
    order.node = out && model->contingency[c].lost_node < model->node_count
                     ? model->contingency[c].lost_node
                     : (uint32_t)chance_range(chance, 0, model->node_count - 1);
    int64_t most_mw = model->node[order.node].steady_ma * model->node[order.node].volts_ln_mv / 1000 * 3;
    order.value_mw = out ? 0 : most_mw / 100 * chance_range(chance, 1, 100);
    order.down_mw_per_s = order.kind == ORDER_RAMP ? order.value_mw : 0;
    order.within_ns = chance_range(chance, 0, 300) * NS_PER_MS;
    order.for_ns = chance_range(chance, 0, 600) * NS_PER_MS;
    return order;
}

static bool ask(struct graph *graph, struct chance *chance, uint32_t h)
{
    struct trial *trial = &graph->trial;
    const struct model_host_type *type = &trial->model->type[trial->model->host[h].type];
    struct slot slot;
    memset(&slot, 0, sizeof slot);
    graph->requests++;
    if (chance_hit(chance, 0.5)) {
        slot.kind = SLOT_TOKEN;
        slot.token = (struct token_request){.host = h, .request = (uint64_t)chance_range(chance, 1, 8)};
        slot.token.amount_mw = chance_range(chance, 0, 2 * type->phys_max_mw);
        slot.token.duration_ns = chance_range(chance, 0, 2000) * NS_PER_MS;
        return trial_feed(trial, &slot);
    }
    slot.kind = SLOT_ORDER;
    if (chance_hit(chance, 0.3)) {
        slot.order = some_order(graph, chance);
        return trial_feed(trial, &slot);
    }
    slot.order = (struct slot_order){.kind = ORDER_FORECAST, .node = h, .number = ++graph->orders};
    slot.order.value_mw = chance_range(chance, 0, 2 * type->phys_max_mw);
    slot.order.within_ns = chance_range(chance, 0, 500) * NS_PER_MS;
    slot.order.for_ns = chance_range(chance, 1, 1000) * NS_PER_MS;
    return trial_feed(trial, &slot);
}

static bool ask_all(struct graph *graph)
{
    struct trial *trial = &graph->trial;
    bool good = true, stands = trial->t_ns >= trial->stalled_until_ns;
    double part = graph->plan->asks * WORLD_STEP_NS / 1e9;
    if (!stands || graph->some->plain & PLAIN_REQUESTS || part <= 0)
        return true;
    for (uint32_t h = 0; good && h < trial->model->host_count; h++) {
        struct chance chance = {graph->plan->seed ^
                                (uint64_t)trial->world->t_ns * UINT64_C(0x9FB21C651E98DF25) ^
                                model_host_id(trial->model, h)};
        if (chance_hit(&chance, part))
            good = ask(graph, &chance, h);
    }
    return good;
}

/* ---- what is looked at after every step ---- */

/* P9: what is free and what is not are the level. */
static bool pools_add_up(struct graph *graph)
{
    struct trial *trial = &graph->trial;
    for (uint32_t n = 0; n < trial->model->node_count; n++) {
        struct pool_view view;
        if (!trial->model->node[n].level_mva)
            continue;
        pool_view(&trial->core->pools, n, &view);
        if (view.level_mva && view.forecast_mva + view.free_mva != view.level_mva)
            return trial_fail(trial, "node %u: %lld mVA forecast and %lld free are not the level of %lld", n,
                              (long long)view.forecast_mva, (long long)view.free_mva,
                              (long long)view.level_mva);
    }
    return true;
}

/* What an arbitration has given out is what it had: at every node that can carry its floors, in every
 * contingency and on every phase. Looked at when the last of its parts has been. */
static bool shares_fit(struct graph *graph)
{
    struct trial *trial = &graph->trial;
    const struct cluster *cluster = &trial->core->cluster;
    const struct shadow *shadow = trial->shadow;
    uint64_t committed = core_counters(trial->core)->ticks_committed;
    if (committed == graph->committed || pipeline_tick_open(trial->core))
        return true;
    graph->committed = committed;
    for (uint32_t n = 0; n < trial->model->node_count; n++) {
        if (!trial->model->node[n].limited || cluster->node[n].infeasible)
            continue;
        for (uint32_t i = 0; i < trial->model->contingency_count * PHASES; i++) {
            bool more = false;          /* than what nobody may take from them */
            double given_mva = 0, had_mva = (double)cluster->capacity_mva[n * cluster->cells + i];
            for (uint32_t at = shadow->first[n]; at < shadow->first[n + 1]; at++) {
                uint32_t h = shadow->part[at].host;
                double load = shadow->part[at].load[i / PHASES][i % PHASES];
                given_mva += load * (double)cluster->draw_mw[h];
                more |= load > 0 && cluster->tier[h] != CLUSTER_FIXED &&
                        cluster->draw_mw[h] > cluster->host_extent[h].least_mw;
            }
            if (more && given_mva > had_mva + 1)
                return trial_fail(trial,
                                  "arbitration gives %.0f mVA below node %u, contingency %u, phase %u, "
                                  "and had %.0f",
                                  given_mva, n, i / PHASES, i % PHASES, had_mva);
        }
    }
    return true;
}

/* "Leases lowered, receipts awaited, then safe to transfer": when that word is given, every survivor carries
 * for good what may flow without the node. */
static bool word_is_kept(struct graph *graph)
{
    struct trial *trial = &graph->trial;
    const struct model *model = trial->model;
    for (uint32_t place = 0; place < CONTINGENCIES_MAX; place++) {
        struct core_maintenance_view view;
        core_maintenance_view(trial->core, place, &view);
        bool safe = view.number && view.state == MAINTENANCE_SAFE, was = graph->safe[place];
        graph->safe[place] = safe;
        if (!safe || was)
            continue;
        graph->reached |= 1u << STATE_TAKEN_OUT;
        for (uint32_t i = 0; i < model->node_count * PHASES; i++) {
            uint32_t n = i / PHASES, p = i % PHASES;
            double d_mva = shadow_sum_mva(trial->shadow, SHADOW_EXPOSURE, n, view.contingency, p);
            if (model->node[n].limited && d_mva > (double)model->node[n].limit_mva[view.contingency][p] + 1)
                return trial_fail(
                    trial, "safe to be without node %u, but D of node %u would be %.0f mVA of %lld",
                    view.node, n, d_mva, (long long)model->node[n].limit_mva[view.contingency][p]);
        }
    }
    return true;
}

static void note_states(struct graph *graph)
{
    const struct trial *trial = &graph->trial;
    const struct core_counters *counters = core_counters(trial->core);
    uint64_t all = counters->recoveries_limit + counters->recoveries_sag + counters->recoveries_heat +
                   counters->recoveries_reset + counters->recoveries_foreign + counters->recoveries_told +
                   counters->recoveries_other;
    bool lending = trial->lent_steps > 0;
    graph->reached |= all ? 1u << STATE_RECOVERY : 0;
    graph->reached |= counters->emergencies ? 1u << STATE_EMERGENCY : 0;
    graph->reached |= lending ? 1u << STATE_LENDING : 0;
    graph->reached |= core_degraded(trial->core, DEGRADED_FEED)->entered ? 1u << STATE_CONTINGENCY : 0;
    graph->reached |= counters->stand_ins ? 1u << STATE_STOOD_IN : 0;
    graph->reached |= counters->fail_safes ? 1u << STATE_FAIL_SAFE : 0;
    graph->reached |= trial->in_force ? 1u << STATE_LOST : 0;
    graph->reached |= trial->handed ? 1u << STATE_HANDED : 0;
    graph->reached |= counters->tokens_granted ? 1u << STATE_GRANTED : 0;
}

static bool also(struct trial *trial)
{
    return ask_all((struct graph *)trial);
}

static bool step(struct graph *graph)
{
    struct trial *trial = &graph->trial;
    bool good = graph_faults_step(graph) && trial_run(trial, WORLD_STEP_NS, 0, 0) && pools_add_up(graph) &&
                graph_devices_step(graph) && shares_fit(graph) && word_is_kept(graph);
    note_states(graph);
    return good;
}

/* Nodes with D above what their curve admits. But for a limit that a sag has lowered: it stays until volts
 * were good for long, and below it fail-safe caps may not fit. */
static uint32_t nodes_over(const struct trial *trial)
{
    uint32_t over = 0;
    for (uint32_t n = 0; n < trial->model->node_count; n++) {
        const struct ledger_sums *sums = &trial->core->ledger.node[n];
        bool above = false;
        for (uint32_t i = 0; i < trial->model->contingency_count * PHASES; i++)
            above |= sums->exposed_mva[i / PHASES][i % PHASES] > sums->ceiling_mva[i / PHASES][i % PHASES];
        over += above && sums->scale_ppm == PPM;
    }
    return over;
}

/* "A recovery ends within X but for hosts known silent or bad": in fair weather there are none. */
static bool calms_down(struct graph *graph)
{
    struct trial *trial = &graph->trial;
    const struct model *model = trial->model;
    int64_t slowest_ns = 0, over_ns = 0;
    for (uint32_t t = 0; t < model->type_count; t++)
        if (model->type[t].actuation_ns > slowest_ns)
            slowest_ns = model->type[t].actuation_ns;
    /* what is late is through, agents have seen what happened to devices, a report more shows the claim */
    int64_t fair_ns = graph->plan->weather.slow_ns + 400 * NS_PER_MS;
    int64_t most_ns = fair_ns + 3 * model->policy.lease_ns + 4 * slowest_ns;
    graph_faults_end(graph);
    trial->world->weather.loss = trial->world->weather.slow = trial->world->weather.refuse = 0;
    trial->world->weather.twice = trial->world->weather.false_alarm = 0;
    for (int64_t end_ns = trial->world->t_ns + most_ns; trial->world->t_ns < end_ns;) {
        if (!step(graph))
            return false;
        over_ns = trial->core->ledger.over_count && nodes_over(trial) ? trial->world->t_ns : over_ns;
        if (trial->world->t_ns - over_ns > 100 * NS_PER_MS && trial->world->t_ns > end_ns - most_ns + fair_ns)
            return true;
    }
    return trial_fail(trial, "D of %u nodes is still above its ceiling %lld ms after all faults ended",
                      nodes_over(trial), (long long)(most_ns / NS_PER_MS));
}

static bool play(struct graph *graph)
{
    struct trial *trial = &graph->trial;
    while (trial->world->t_ns < graph->some->until_ns)
        if (!step(graph))
            return false;
    if (!graph->some->end || graph->plan->end == END_OPEN)
        return true;
    if (graph->plan->end == END_CALM)
        return calms_down(graph);
    graph_faults_end(graph);
    return trial_stop(trial);
}

static void tell(const struct graph *graph, bool good, struct graph_told *told)
{
    const struct trial *trial = &graph->trial;
    told->good = good;
    told->t_ns = trial->world->t_ns;
    told->nodes = trial->model->node_count;
    told->hosts = trial->model->host_count;
    told->slots = trial->slots;
    told->leases = trial->leases;
    told->reached = graph->reached;
    memcpy(told->complaint, trial->complaint, sizeof told->complaint);
}

/* Whole comparisons cost nodes x hosts: as often as they can be paid for. */
static void set_pace(struct trial *trial)
{
    uint32_t cells = trial->model->node_count * trial->model->host_count * trial->model->contingency_count;
    trial->books_every = 31 + cells / 4;
    trial->whole_every = 13 + cells / 64;
}

static void run_site(const struct graph_plan *plan, const struct graph_case *some, struct model *model,
                     struct graph_devices *devices, struct graph_told *told)
{
    struct graph *graph = malloc(sizeof *graph);
    struct weather weather = plan->weather;
    struct model misread_model;
    struct model_node *misread_node = NULL;
    bool other = some->plant == GRAPH_NOBODY_BAD || some->plant == GRAPH_READS_LOW;
    if (other)
        misread_node = aligned_alloc(64, model->node_count * sizeof *misread_node);
    if (!graph || (other && !misread_node))
        abort();
    graph_fit(plan, model, some->plain);
    graph_devices_draw(devices, model, plan->seed, some->plain & PLAIN_DEVICES);
    if (other)
        misread(&misread_model, misread_node, model, some->plant);
    if (some->plain & PLAIN_NETWORK)
        weather = (struct weather){.quick_ns = NS_PER_MS, .slow_ns = plan->weather.slow_ns,
                                   .clock_ppm = weather.clock_ppm, .sag_from_ns = INT64_MAX};
    if (some->plain & PLAIN_CLOCKS)
        weather.clock_ppm = 0;
    trial_open_apart(&graph->trial, plan->seed, model, other ? &misread_model : NULL, &weather);
    graph->plan = plan;
    graph->some = some;
    graph->devices = devices;
    graph->reached = 0;
    graph->committed = 0;
    memset(graph->safe, 0, sizeof graph->safe);
    graph->restart_ns = INT64_MAX;
    graph->orders = graph->requests = 0;
    memset(graph->on, 0, sizeof graph->on);
    graph->trial.forge = some->plant ? forge : NULL;
    graph->trial.also = also;
    set_pace(&graph->trial);
    tell(graph, play(graph), told);
    trial_close(&graph->trial);
    free(misread_node);
    free(graph);
}

void graph_run(const struct graph_plan *plan, const struct graph_case *some, struct graph_devices *devices,
               struct graph_told *told)
{
    struct model_form form = plan->form;
    memset(told, 0, sizeof *told);
    form.keep = some->cut ? &some->keep : NULL;
    form.plain = some->plain & ((1u << PLAIN_BITS) - 1);
    struct model *model = model_build_form(plan->seed, &form);
    if (model)
        run_site(plan, some, model, devices, told);
    told->empty = !model;
    told->good |= !model;
}
