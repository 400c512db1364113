/* SPDX-License-Identifier: Apache-2.0 */
/* domain.md 4.6 over a tree: sums go up, budgets come down. Every loop can stop after any item and go on
 * in the next part. */
#include "core/cluster.h"

#include "core/draw.h"

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

void cluster_init(struct cluster *cluster, const struct model *model)
{
    cluster->model = model;
    for (uint32_t host = 0; host < model->host_count; host++) {
        const struct model_cord *cord = &model->host[host].cord[0];
        const struct model_node *node = &model->node[cord->node];
        cluster->target_mw[host] = -1;
        for (uint32_t i = 0; i < node->ancestor_count * PHASES; i++)
            if (cord->phase_ppm[i % PHASES])
                cluster->node_phases[node->ancestor[i / PHASES]] |= (uint8_t)(1u << i % PHASES);
    }
}

void cluster_begin(struct cluster *cluster)
{
    cluster->phase = cluster->model->host_count ? CLUSTER_CLEAR : CLUSTER_IDLE;
    cluster->cursor = 0;
}

static void enter(struct cluster *cluster, enum cluster_phase phase)
{
    cluster->phase = (uint8_t)phase;
    cluster->cursor = 0;
    cluster->offered = 0;
    cluster->carry_node = INDEX_NONE;
}

/* ---- gather: what each host must have, can use, may have ---- */

/* The contingency in which the first cord carries most of the host. */
static uint32_t heaviest_contingency(const struct model *model, const struct model_cord *cord)
{
    uint32_t heaviest = 0;
    for (uint32_t c = 1; c < model->contingency_count; c++)
        heaviest = cord->share_ppm[c] > cord->share_ppm[heaviest] ? c : heaviest;
    return heaviest;
}

static int64_t apparent_mva(const struct model *model, uint32_t host, int64_t draw_mw)
{
    const struct model_host *h = &model->host[host];
    const struct model_cord *cord = &h->cord[0];
    uint32_t c = heaviest_contingency(model, cord);
    int64_t sum_mva = 0;
    for (uint32_t phase = 0; phase < PHASES; phase++)
        sum_mva += draw_on_phase_mva(cord, model->type[h->type].pf_min_ppm, c, phase, draw_mw);
    return sum_mva;
}

/* A host that cannot be told anything now: its exposure stands whatever we decide. */
static bool is_fixed(const struct cluster *cluster, const struct ledger_host *h, int64_t t_ns)
{
    return !h->bounded || t_ns - h->report_t_ns > cluster->model->policy.lease_ns;
}

/* The least a host may be given: its fail-safe cap costs nothing, but a contract may ask for less. */
static int64_t least_cap_mw(const struct cluster *cluster, const struct ledger *ledger, uint32_t host)
{
    int64_t fail_safe_mw = ledger->host[host].fail_safe_mw;
    if (!cluster->contracts || !contract_below_fail_safe(cluster->contracts, host))
        return fail_safe_mw;
    return smaller(fail_safe_mw, cluster->model->host[host].floor_mw);
}

static void gather(struct cluster *cluster, const struct ledger *ledger, const struct demand *demand,
                   uint32_t host, int64_t t_ns)
{
    const struct model *model = cluster->model;
    const struct model_host_type *type = &model->type[model->host[host].type];
    const struct ledger_host *h = &ledger->host[host];
    struct extent *extent = &cluster->host_extent[host];
    if (is_fixed(cluster, h, t_ns)) {
        int64_t exposed_mva = apparent_mva(model, host, h->exposed_draw_mw);
        *extent = (struct extent){exposed_mva, exposed_mva, exposed_mva};
    } else {
        int64_t useful_mw = demand_cap_mw(&demand[host], &model->policy, type, h->newest_mw);
        extent->least_mva =
            apparent_mva(model, host, draw_of_cap_mw(type, least_cap_mw(cluster, ledger, host)));
        extent->most_mva =
            larger(extent->least_mva, apparent_mva(model, host, draw_of_cap_mw(type, type->cap_max_mw)));
        extent->useful_mva =
            larger(extent->least_mva, apparent_mva(model, host, draw_of_cap_mw(type, useful_mw)));
    }
    uint32_t rack = model->host[host].cord[0].node;
    cluster->node_extent[rack].least_mva += extent->least_mva;
    cluster->node_extent[rack].useful_mva += extent->useful_mva;
    cluster->node_extent[rack].most_mva += extent->most_mva;
    cluster->node_weight[rack] += model->host[host].weight;
}

/* ---- sum: children into parents, each bounded by its own limit ---- */

/* What governed hosts may have below a node: the worst contingency, all phases they hang on together. */
static int64_t capacity_of(const struct cluster *cluster, const struct ledger *ledger, uint32_t node)
{
    const struct model *model = cluster->model;
    const struct model_node *n = &model->node[node];
    int64_t least_mva = INT64_MAX / 4;
    for (uint32_t c = 0; n->limited && c < model->contingency_count; c++) {
        int64_t sum_mva = 0;
        for (uint32_t phase = 0; phase < PHASES; phase++)
            if (cluster->node_phases[node] & 1u << phase)
                sum_mva +=
                    ledger->node[node].limit_mva[c][phase] - n->bad_mva[c][phase] - n->other_mva[phase];
        least_mva = smaller(least_mva, sum_mva);
    }
    if (cluster->contracts)
        least_mva = smaller(least_mva, contract_capacity_mva(cluster->contracts, node));
    if (cluster->pools)
        least_mva = smaller(least_mva, pool_capacity_mva(cluster->pools, node));
    return larger(least_mva, 0);
}

/* What everything below a node may claim from above: never more than the node itself can carry. */
static struct extent bounded_extent(const struct cluster *cluster, uint32_t node)
{
    struct extent below = cluster->node_extent[node];
    int64_t capacity = cluster->capacity_mva[node];
    return (struct extent){smaller(below.least_mva, capacity), smaller(below.useful_mva, capacity),
                           smaller(below.most_mva, capacity)};
}

static void sum_up(struct cluster *cluster, const struct ledger *ledger, uint32_t node)
{
    const struct model_node *n = &cluster->model->node[node];
    cluster->capacity_mva[node] = capacity_of(cluster, ledger, node);
    struct extent bounded = bounded_extent(cluster, node);
    /* stands for roots; others get theirs from above */
    cluster->node_claim[node].share = bounded.most_mva;
    if (!n->parent_count)
        return;
    struct extent *above = &cluster->node_extent[n->parent[0]];
    above->least_mva += bounded.least_mva;
    above->useful_mva += bounded.useful_mva;
    above->most_mva += bounded.most_mva;
    cluster->node_weight[n->parent[0]] += cluster->node_weight[node];
}

/* ---- offer and share: a node's budget over what hangs on it ---- */

static void offer(struct claim *claim, struct extent extent, uint32_t weight, bool plenty)
{
    claim->low = plenty ? extent.useful_mva : extent.least_mva;
    claim->high = plenty ? extent.most_mva : extent.useful_mva;
    claim->weight = weight ? weight : 1;
}

/* Offers to the next child or host of the node; false when all have been. The first look tells whether
 * there is plenty. */
static bool offer_next(struct cluster *cluster, const struct model_node *n)
{
    uint32_t i = cluster->offered++;
    if (i < n->child_count) {
        uint32_t child = n->child_first + i;
        offer(&cluster->node_claim[child], bounded_extent(cluster, child), cluster->node_weight[child],
              cluster->plenty);
        return true;
    }
    i -= n->child_count;
    if (i < n->host_count) {
        uint32_t host = n->host_first + i;
        offer(&cluster->host_claim[host], cluster->host_extent[host], cluster->model->host[host].weight,
              cluster->plenty);
        return true;
    }
    return false;
}

static void share_begin(struct cluster *cluster, const struct model_node *n)
{
    waterfill_begin(&cluster->fill, cluster->node_claim[cluster->cursor].share,
                    &cluster->node_claim[n->child_first], n->child_count, &cluster->host_claim[n->host_first],
                    n->host_count);
    cluster->phase = CLUSTER_SHARE;
}

static void share_next_node(struct cluster *cluster)
{
    cluster->cursor++;
    cluster->offered = 0;
    if (cluster->cursor == cluster->model->node_count)
        enter(cluster, CLUSTER_COMMIT);
    else
        cluster->phase = CLUSTER_OFFER;
}

static void offer_some(struct cluster *cluster, uint32_t *items)
{
    const struct model_node *n = &cluster->model->node[cluster->cursor];
    if (cluster->offered == 0)
        cluster->plenty =
            cluster->node_claim[cluster->cursor].share >= cluster->node_extent[cluster->cursor].useful_mva;
    while (*items) {
        (*items)--;
        if (!offer_next(cluster, n)) {
            share_begin(cluster, n);
            return;
        }
    }
}

/* ---- commit: from a share to a cap ---- */

static void commit(struct cluster *cluster, const struct ledger *ledger, uint32_t host, int64_t t_ns)
{
    const struct model *model = cluster->model;
    const struct model_host *h = &model->host[host];
    const struct model_host_type *type = &model->type[h->type];
    const struct model_cord *cord = &h->cord[0];
    if (is_fixed(cluster, &ledger->host[host], t_ns)) {
        cluster->target_mw[host] = -1;
        return;
    }
    if (cluster->carry_node != cord->node) {
        cluster->carry_node = cord->node;
        cluster->carry_mw = 0;
    }
    int64_t on_phases_ppm = 0;
    for (uint32_t phase = 0; phase < PHASES; phase++)
        on_phases_ppm += cord->phase_ppm[phase];
    int64_t through_mw = cluster->host_claim[host].share * type->pf_min_ppm / larger(on_phases_ppm, 1);
    int64_t draw_mw = through_mw * PPM / larger(cord->share_ppm[heaviest_contingency(model, cord)], 1);
    int64_t cap_mw = larger(draw_cap_within_mw(type, draw_mw), 0) + cluster->carry_mw;
    int64_t target_mw = smaller(cap_mw - cap_mw % type->quantum_mw, type->cap_max_mw);
    cluster->carry_mw = smaller(cap_mw - target_mw, type->quantum_mw);
    cluster->target_mw[host] = larger(target_mw, least_cap_mw(cluster, ledger, host));
}

/* ---- parts ---- */

/* One visit of the plain loops; true while the phase goes on. */
static bool visit(struct cluster *cluster, const struct ledger *ledger, const struct demand *demand,
                  int64_t t_ns)
{
    const struct model *model = cluster->model;
    uint32_t i = cluster->cursor++;
    switch (cluster->phase) {
    case CLUSTER_CLEAR:
        cluster->node_extent[i] = (struct extent){0};
        cluster->node_weight[i] = 0;
        return cluster->cursor < model->node_count;
    case CLUSTER_GATHER:
        gather(cluster, ledger, demand, i, t_ns);
        return cluster->cursor < model->host_count;
    case CLUSTER_SUM:
        sum_up(cluster, ledger, model->node_count - 1 - i);
        return cluster->cursor < model->node_count;
    default:
        commit(cluster, ledger, i, t_ns);
        return cluster->cursor < model->host_count;
    }
}

static void next_phase(struct cluster *cluster)
{
    static const uint8_t after[] = {
        [CLUSTER_CLEAR] = CLUSTER_GATHER, [CLUSTER_GATHER] = CLUSTER_SUM, [CLUSTER_SUM] = CLUSTER_OFFER,
        [CLUSTER_COMMIT] = CLUSTER_IDLE,
    };
    uint32_t cursor = cluster->cursor;
    enter(cluster, after[cluster->phase]);
    if (cluster->phase == CLUSTER_IDLE)
        cluster->cursor = cursor;   /* the caller acts on hosts up to here */
}

bool cluster_part(struct cluster *cluster, const struct ledger *ledger, const struct demand *demand,
                  int64_t t_ns, uint32_t items, uint32_t *first)
{
    *first = cluster->phase == CLUSTER_COMMIT ? cluster->cursor : 0;
    while (items && cluster->phase != CLUSTER_IDLE) {
        if (cluster->phase == CLUSTER_OFFER) {
            offer_some(cluster, &items);
        } else if (cluster->phase == CLUSTER_SHARE) {
            if (!waterfill_step(&cluster->fill, &items))
                break;
            share_next_node(cluster);
        } else {
            items--;
            if (!visit(cluster, ledger, demand, t_ns))
                next_phase(cluster);
        }
    }
    return cluster->phase == CLUSTER_COMMIT || cluster->phase == CLUSTER_IDLE;
}
