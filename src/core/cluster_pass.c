/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a visit of a node does to a run of hosts: sums, bands, claims, the cut. Hosts of a run lie one behind
 * the other and their cords are of one shape, so a loop goes over plain arrays with one coefficient.
 */
#include "core/bound.h"
#include "core/cluster_inside.h"

enum {
    TIER_SLOTS = TIERS_MAX + 1, /* the last: cannot be told anything now */
    WEIGHT_BITS = 8,
};
static_assert(((int64_t)WEIGHT_MAX << (COEFFICIENT_BITS - WEIGHT_BITS)) <= WATERFILL_WEIGHT_MAX,
              "the weight of a claim in watts is a host's, whole");

static uint32_t slot_of(uint8_t tier)
{
    return (uint32_t)smaller(tier, TIERS_MAX);
}

/* ---- sums ---- */

void cluster_end_run(struct cluster *cluster)
{
    struct cluster_visit *visit = &cluster->visit;
    const int64_t *coefficient = &cluster->coefficient[(size_t)visit->shape * cluster->cells];
    for (uint32_t cell = 0; visit->run_mw && cell < cluster->cells; cell++)
        visit->load_mva[cell] += loads_mva(visit->run_mw, coefficient[cell]);
    visit->run_mw = 0;
}

/* Runs of one shape, one behind the other, are rounded up once. */
static void meet_shape(struct cluster *cluster, uint32_t shape)
{
    if (shape == cluster->visit.shape)
        return;
    cluster_end_run(cluster);
    cluster->visit.shape = shape;
}

void cluster_sum(struct cluster *cluster, const struct cluster_run *run)
{
    const int64_t *draw_mw = &cluster->draw_mw[run->host];
    int64_t sum_mw = 0;
    meet_shape(cluster, run->shape);
    for (uint32_t i = 0; i < run->count; i++)
        sum_mw += draw_mw[i];
    cluster->visit.run_mw += sum_mw;
}

/* ---- bands: where in what a host may have a band begins ---- */

static uint32_t edge_of(uint32_t tier, uint32_t band)
{
    return band <= tier               ? EDGE_NONE
           : band <= TIERS_MAX + tier ? EDGE_LEAST
           : band < CLUSTER_BANDS     ? EDGE_USEFUL
                                      : EDGE_MOST;
}

struct edges {
    uint8_t low[TIER_SLOTS], high[TIER_SLOTS];
};

static struct edges edges_of(uint32_t band)
{
    struct edges edges = {{0}, {0}};
    for (uint32_t tier = 0; tier < TIERS_MAX; tier++) {
        edges.low[tier] = (uint8_t)edge_of(tier, band);
        edges.high[tier] = (uint8_t)edge_of(tier, band + 1);
    }
    return edges;
}

void cluster_end_bands_run(struct cluster *cluster)
{
    struct cluster_visit *visit = &cluster->visit;
    int64_t coefficient = cut_coefficient(cluster, visit->shape);
    visit->fixed_mva += loads_mva(visit->fixed_mw, coefficient);
    visit->fixed_least_mva += loads_mva(visit->fixed_least_mw, coefficient);
    visit->fixed_mw = visit->fixed_least_mw = 0;
    for (uint32_t band = 0; band < CLUSTER_BANDS; band++) {
        visit->band_mva[band] += loads_mva(visit->band_mw[band], coefficient);
        visit->band_mw[band] = 0;
    }
}

void cluster_take_bands(struct cluster *cluster, const struct cluster_run *run)
{
    struct cluster_visit *visit = &cluster->visit;
    int64_t room_mw = 0;
    if (run->shape != visit->shape)
        cluster_end_bands_run(cluster);
    visit->shape = run->shape;
    for (uint32_t host = run->host; host < run->host + run->count; host++) {
        const int64_t *edge_mw = cluster->host_extent[host].edge_mw;
        int64_t draw_mw = cluster->draw_mw[host];
        uint32_t tier = cluster->tier[host];
        if (tier == CLUSTER_FIXED) {
            visit->fixed_mw += draw_mw;
            visit->fixed_least_mw += edge_mw[EDGE_LEAST];
            continue;
        }
        int64_t least_mw = smaller(edge_mw[EDGE_LEAST], draw_mw);
        int64_t useful_mw = smaller(edge_mw[EDGE_USEFUL], draw_mw);
        visit->band_mw[tier] += least_mw;
        visit->band_mw[TIERS_MAX + tier] += useful_mw - least_mw;
        room_mw += draw_mw - useful_mw;
    }
    visit->band_mw[CLUSTER_BANDS - 1] += room_mw;
}

/* ---- claims ---- */

static inline void make_claims(const struct cluster *cluster, const struct cluster_run *run,
                               int64_t coefficient, struct claim *claim)
{
    const struct edges edges = edges_of(cluster->visit.band);
    for (uint32_t i = 0; i < run->count; i++) {
        uint32_t host = run->host + i, slot = slot_of(cluster->tier[host]);
        const int64_t *edge_mw = cluster->host_extent[host].edge_mw;
        int64_t draw_mw = cluster->draw_mw[host];
        int64_t weight = (int64_t)cluster->weight[host] * coefficient >> WEIGHT_BITS;
        claim[i].low = loads_mva(smaller(edge_mw[edges.low[slot]], draw_mw), coefficient);
        claim[i].high = loads_mva(smaller(edge_mw[edges.high[slot]], draw_mw), coefficient);
        claim[i].weight = (uint32_t)larger(smaller(weight, WATERFILL_WEIGHT_MAX), 1);
    }
}

void cluster_make_claims(struct cluster *cluster, const struct cluster_run *run, struct claim *claim)
{
    if (cluster->visit.in_mw)
        make_claims(cluster, run, COEFFICIENT_ONE, claim);
    else
        make_claims(cluster, run, cut_coefficient(cluster, run->shape), claim);
    waterfill_take(&cluster->fill, claim, run->count);
}

/* ---- the cut ---- */

/* Under a contingency whose loan is withdrawn, a node that would lend is held at its steady limit by that.
 * Groups of nodes lend nothing. */
static bool is_withdrawn(const struct cluster *cluster, uint32_t node)
{
    const struct model *model = cluster->model;
    uint32_t contingency = cluster->visit.cell / PHASES;
    return node < model->node_count && (cluster->withdrawn & model->node[node].lend) >> contingency & 1;
}

static uint8_t term_of_cut(const struct cluster *cluster, uint32_t node, uint32_t host)
{
    const struct cluster_visit *visit = &cluster->visit;
    uint32_t tier = visit->band % TIERS_MAX;
    if (visit->cell >= cluster->cells - CLUSTER_STEERED)
        return visit->cell + 1 == cluster->cells ? BOUND_CONTRACT : BOUND_LEVEL;
    if (is_withdrawn(cluster, node))
        return BOUND_MAINTENANCE;
    return visit->band < CLUSTER_BANDS - 1 && cluster->tier[host] > tier ? BOUND_TIER : BOUND_SHARE;
}

/* The ends of a band are what they are, without the rounding of the way there and back. */
static inline void cut(struct cluster *cluster, uint32_t node, const struct cluster_run *run,
                       int64_t coefficient, const struct claim *claim)
{
    const struct edges edges = edges_of(cluster->visit.band);
    for (uint32_t i = 0; i < run->count; i++) {
        uint32_t host = run->host + i, slot = slot_of(cluster->tier[host]);
        const int64_t *edge_mw = cluster->host_extent[host].edge_mw;
        int64_t draw_mw;
        if (claim[i].share == claim[i].high)
            draw_mw = edge_mw[edges.high[slot]];
        else if (claim[i].share == claim[i].low)
            draw_mw = edge_mw[edges.low[slot]];
        else
            draw_mw = (int64_t)(((uint64_t)claim[i].share << COEFFICIENT_BITS) / (uint64_t)coefficient);
        if (draw_mw >= cluster->draw_mw[host] || slot == TIERS_MAX)
            continue;
        cluster->draw_mw[host] = draw_mw;
        cluster->node[cluster->cord_node[host][0]].dirty = true;        /* to be committed */
        cluster->bound_node[host] = node;
        cluster->bound_term[host] = term_of_cut(cluster, node, host);
    }
}

void cluster_cut(struct cluster *cluster, uint32_t node, const struct cluster_run *run,
                 const struct claim *claim)
{
    int64_t coefficient = cut_coefficient(cluster, run->shape);
    if (cluster->visit.in_mw)
        cut(cluster, node, run, COEFFICIENT_ONE, claim);
    else if (coefficient)
        cut(cluster, node, run, coefficient, claim);
    cluster_sum(cluster, run);
}

/* ---- slack ---- */

/* A host that loads a full cell of this node is held down by that one. */
void cluster_let_go(struct cluster *cluster, uint32_t node, const struct cluster_run *run)
{
    const int64_t *coefficient = &cluster->coefficient[(size_t)run->shape * cluster->cells];
    uint32_t full = cluster->node[node].cut & ~cluster->visit.solved, loads = 0;
    for (uint32_t cell = 0; cell < cluster->cells; cell++)
        loads |= (uint32_t)(coefficient[cell] != 0) << cell;
    if (loads & full || !(loads & cluster->visit.solved))
        return;
    for (uint32_t host = run->host; host < run->host + run->count; host++) {
        if (cluster->bound_node[host] != node)
            continue;
        cluster->again = true;
        cluster_mark(cluster, host);
    }
}
