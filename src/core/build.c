/* SPDX-License-Identifier: Apache-2.0 */
/* The decision's memory: one block, carved in order, and its state at the start. */
#include <string.h>

#include "core/core.h"

struct carver {
    uint8_t *base;              /* NULL while only the size is wanted */
    size_t used;
};

static void *carve(struct carver *carver, size_t count, size_t bytes)
{
    size_t at = carver->used;
    carver->used = (at + count * bytes + 63) / 64 * 64;
    return carver->base ? carver->base + at : NULL;
}

static void carve_cluster(struct cluster *cluster, const struct model *model, struct carver *carver)
{
    size_t cells = cluster_cells(model), cords = cluster_cord_count(model);
    cluster->host_extent = carve(carver, model->host_count, sizeof *cluster->host_extent);
    cluster->draw_mw = carve(carver, model->host_count, sizeof *cluster->draw_mw);
    cluster->target_mw = carve(carver, model->host_count, sizeof *cluster->target_mw);
    cluster->bound_node = carve(carver, model->host_count, sizeof *cluster->bound_node);
    cluster->bound_term = carve(carver, model->host_count, sizeof *cluster->bound_term);
    cluster->tier = carve(carver, model->host_count, sizeof *cluster->tier);
    cluster->changed = carve(carver, model->host_count, sizeof *cluster->changed);
    cluster->wake_ns = carve(carver, model->host_count, sizeof *cluster->wake_ns);
    cluster->refused = carve(carver, model->host_count, sizeof *cluster->refused);
    cluster->was_scarce = carve(carver, model->host_count, sizeof *cluster->was_scarce);
    cluster->type = carve(carver, model->host_count, sizeof *cluster->type);
    cluster->own_tier = carve(carver, model->host_count, sizeof *cluster->own_tier);
    cluster->weight = carve(carver, model->host_count, sizeof *cluster->weight);
    cluster->job = carve(carver, model->host_count, sizeof *cluster->job);
    cluster->cord_node = carve(carver, model->host_count, sizeof *cluster->cord_node);
    size_t places = contract_places(model);
    cluster->node = carve(carver, places, sizeof *cluster->node);
    cluster->above = carve(carver, model->node_count, sizeof *cluster->above);
    cluster->capacity_mva = carve(carver, places * cells, sizeof *cluster->capacity_mva);
    cluster->load_mva = carve(carver, places * cells, sizeof *cluster->load_mva);
    cluster->gang = carve(carver, model->gang_count, sizeof *cluster->gang);
    cluster->below = carve(carver, cluster_below_room(model), sizeof *cluster->below);
    cluster->other = carve(carver, cluster_other_room(model), sizeof *cluster->other);
    /* one more: a shape is made in place before it is found to be known */
    cluster->coefficient = carve(carver, (cords + (cords > 0)) * cells, sizeof *cluster->coefficient);
    cluster->claim = carve(carver, cords, sizeof *cluster->claim);
}

static void carve_permits(struct core *core, const struct model *model, struct carver *carver)
{
    core->fell.node = carve(carver, model->node_count, sizeof *core->fell.node);
    core->fell.marked = carve(carver, model->node_count, sizeof *core->fell.marked);
    core->permits.meter = carve(carver, model->meter_count, sizeof *core->permits.meter);
    core->permits.stand_in = carve(carver, model->meter_count, sizeof *core->permits.stand_in);
    core->permits.expiry = carve(carver, model->meter_count, sizeof *core->permits.expiry);
    core->permits.lender = carve(carver, model->meter_count, sizeof *core->permits.lender);
    core->permits.sum = carve(carver, model->node_count, sizeof *core->permits.sum);
    core->permits.draw_mw = carve(carver, model->host_count, sizeof *core->permits.draw_mw);
    core->permits.least_first = carve(carver, model->host_count, sizeof *core->permits.least_first);
    core->permits.least_ppm = carve(carver, permit_least_room(model), sizeof *core->permits.least_ppm);
    core->permits.dark = carve(carver, model->host_count, sizeof *core->permits.dark);
    core->permits.lit = carve(carver, model->host_count, sizeof *core->permits.lit);
    core->cuts.node = carve(carver, model->node_count, sizeof *core->cuts.node);
    core->cuts.kind = carve(carver, model->node_count, sizeof *core->cuts.kind);
    core->cuts.share_ppm = carve(carver, model->node_count, sizeof *core->cuts.share_ppm);
    core->cuts.scale_ppm = carve(carver, model->node_count, sizeof *core->cuts.scale_ppm);
    core->cuts.run = carve(carver, model->host_count, sizeof *core->cuts.run);
    core->cuts.shot_ns = carve(carver, model->host_count, sizeof *core->cuts.shot_ns);
    core->sent = carve(carver, model->host_count, sizeof *core->sent);
}

static void carve_contracts(struct contracts *contracts, const struct model *model, struct carver *carver)
{
    size_t places = contract_places(model);
    contracts->budget_mw = carve(carver, places, sizeof *contracts->budget_mw);
    contracts->drawn_mw = carve(carver, places, sizeof *contracts->drawn_mw);
    contracts->fail_safe_mw = carve(carver, places, sizeof *contracts->fail_safe_mw);
    contracts->within = carve(carver, model->node_count, sizeof *contracts->within);
    contracts->counted_mw = carve(carver, model->host_count, sizeof *contracts->counted_mw);
}

static void carve_core(struct core *core, const struct model *model, struct carver *carver)
{
    struct emergencies *e = &core->emergencies;
    core->ledger.host = carve(carver, model->host_count, sizeof *core->ledger.host);
    core->ledger.node = carve(carver, model->node_count, sizeof *core->ledger.node);
    core->ledger_moved.host = carve(carver, model->host_count, sizeof *core->ledger_moved.host);
    core->ledger_moved.node = carve(carver, model->node_count, sizeof *core->ledger_moved.node);
    core->demand = carve(carver, model->host_count, sizeof *core->demand);
    core->detect = carve(carver, model->meter_count, sizeof *core->detect);
    core->alerts.first =
        carve(carver, model->watch_count ? model->meter_count + 1 : 0, sizeof *core->alerts.first);
    core->alerts.watch = carve(carver, model->watch_count, sizeof *core->alerts.watch);
    core->alerts.row = carve(carver, model->alert_count, sizeof *core->alerts.row);
    core->heat.meter = carve(carver, model->meter_count, sizeof *core->heat.meter);
    core->bound = carve(carver, model->host_count, sizeof *core->bound);
    core->holds.node = carve(carver, model->node_count, sizeof *core->holds.node);
    core->dampers.node = carve(carver, model->node_count, sizeof *core->dampers.node);
    core->ramps.node = carve(carver, model->node_count, sizeof *core->ramps.node);
    core->pools.node = carve(carver, model->node_count, sizeof *core->pools.node);
    core->pools.host = carve(carver, model->host_count, sizeof *core->pools.host);
    core->tokens.host = carve(carver, model->host_count, sizeof *core->tokens.host);
    core->tokens.wait = carve(carver, model->node_count, sizeof *core->tokens.wait);
    core->degrade.meter = carve(carver, model->meter_count, sizeof *core->degrade.meter);
    core->degrade.witness = carve(carver, model->meter_count, sizeof *core->degrade.witness);
    core->degrade.host = carve(carver, model->host_count, sizeof *core->degrade.host);
    core->degrade.owed = carve(carver, model->host_count, sizeof *core->degrade.owed);
    core->recovery.node = carve(carver, model->node_count, sizeof *core->recovery.node);
    core->residual.host = carve(carver, model->host_count, sizeof *core->residual.host);
    core->residual.meter = carve(carver, model->meter_count, sizeof *core->residual.meter);
    core->residual.node = carve(carver, model->node_count, sizeof *core->residual.node);
    core->spectra.meter = carve(carver, model->meter_count, sizeof *core->spectra.meter);
    core->spectra.node = carve(carver, model->node_count + 1, sizeof *core->spectra.node);
    e->node = carve(carver, model->node_count, sizeof *e->node);
    e->below_first = carve(carver, model->node_count, sizeof *e->below_first);
    e->below_count = carve(carver, model->node_count, sizeof *e->below_count);
    e->below = carve(carver, emergency_below_room(model), sizeof *e->below);
    carve_cluster(&core->cluster, model, carver);
    carve_permits(core, model, carver);
    carve_contracts(&core->contracts, model, carver);
}

size_t core_bytes(const struct model *model)
{
    struct core nowhere;
    struct carver carver = {NULL, 0};
    carve(&carver, 1, sizeof nowhere);
    carve_core(&nowhere, model, &carver);
    return carver.used;
}

struct core *core_init(void *memory, const struct model *model, uint64_t epoch, int64_t t_ns)
{
    struct carver carver = {memory, 0};
    size_t bytes = core_bytes(model);
    for (size_t i = 0; i < bytes; i++)
        carver.base[i] = 0;
    struct core *core = carve(&carver, 1, sizeof *core);
    carve_core(core, model, &carver);
    core->model = model;
    core->epoch = epoch;
    core->mode = model->mode;
    core->t_ns = t_ns;
    core->second = t_ns / NS_PER_S;
    cluster_init(&core->cluster, model);
    ledger_init(&core->ledger, model, epoch, core->ledger.host, core->ledger.node);
    core->ledger.fell = core->fell;
    core->ledger.moved = core->ledger_moved;
    memset(core->ledger_moved.host, 1, model->host_count);
    memset(core->ledger_moved.node, 1, model->node_count);
    alert_init(&core->alerts, model);
    core->alerts.known = &core->spectra;
    heat_init(&core->heat, model);
    emergency_init(&core->emergencies, model, &core->heat);
    core->emergencies.permits = &core->permits;
    cut_init(core);
    recovery_init(&core->recovery, model, &core->ledger, &core->emergencies);
    hold_init(&core->holds, model);
    permit_init(&core->permits, model, &core->heat, &core->ledger, &core->holds);
    damper_init(&core->dampers, model);
    ramp_init(&core->ramps, model, t_ns);
    pool_init(&core->pools, model, &core->ledger, t_ns);
    token_init(&core->tokens, model, &core->ledger, &core->heat, &core->ramps, &core->pools);
    core->cluster.pools = &core->pools;
    degrade_init(&core->degrade, model, t_ns);
    core->residual.doubted = core->degrade.meter;
    core->residual.outgrown = &core->degrade.row[DEGRADED_ROOM];
    residual_init(&core->residual, model, &core->ledger, &core->permits, &core->heat, t_ns);
    core->spectra.meters = model->meter_count;
    core->spectra.nodes = model->node_count;
    contract_init(&core->contracts, model);
    maintenance_init(&core->maintenance, model);
    core->cluster.contracts = &core->contracts;
    for (uint32_t i = 0; i < model->host_count; i++)
        contract_note(&core->contracts, &core->ledger, i);
    for (uint32_t i = 0; i < model->host_count; i++)
        demand_init(&core->demand[i], t_ns);
    for (uint32_t i = 0; i < model->meter_count; i++)
        core->detect[i].measured_mw = -1;
    /* a start is the event: nobody has accepted this epoch yet */
    core->recovering = core->ledger.over_count > 0;
    core->count.recoveries = core->recovering;
    return core;
}
