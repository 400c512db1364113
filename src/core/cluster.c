/* SPDX-License-Identifier: Apache-2.0 */
/* Arbitration in order: what has changed, who shares anew, the cuts, gangs, caps. Every loop can stop after
 * any item and go on in the next part. */
#include "core/cluster.h"

#include "core/bound.h"
#include "core/cluster_inside.h"
#include "core/draw.h"

static void enter(struct cluster *cluster, enum cluster_phase phase)
{
    cluster->phase = (uint8_t)phase;
    cluster->cursor = 0;
    cluster->carry_node = INDEX_NONE;
    cluster->again = false;
    cluster->visit.at = cluster->visit.run = 0;
    cluster->visit.open = false;
}

/* Who was to share anew in an arbitration that is given up: all do in the next. */
static void forget_open(struct cluster *cluster)
{
    for (uint32_t host = 0; host < cluster->model->host_count; host++)
        cluster->changed[host] = false;
    for (uint32_t job = 0; job < cluster->model->gang_count; job++)
        cluster->gang[job].changed = 0;
    cluster->split_gangs = 0;
}

void cluster_begin(struct cluster *cluster)
{
    cluster->given_up = cluster->phase != CLUSTER_IDLE;
    if (cluster->given_up)
        forget_open(cluster);
    if (cluster->contracts && cluster->contracts->generation != cluster->generation)
        cluster_take_groups(cluster);
    cluster->any_dirty = false;
    cluster_steer(cluster);
    enter(cluster, cluster->model->host_count ? CLUSTER_LIMITS : CLUSTER_IDLE);
    cluster->round = 0;
}

void cluster_mark(struct cluster *cluster, uint32_t host)
{
    uint32_t job = cluster->job[host];
    if (!cluster->changed[host] && job != INDEX_NONE) {
        struct cluster_gang *gang = &cluster->gang[job];
        gang->lowest = CLUSTER_WHOLE;
        cluster->split_gangs += gang->changed++ == 0;
        cluster->split_gangs -= gang->changed == gang->members;
    }
    cluster->changed[host] = true;
    cluster->any_dirty = true;
    cluster->draw_mw[host] = cluster->host_extent[host].most_mw;
    cluster->bound_node[host] = INDEX_NONE;
    for (uint32_t j = 0; j < CORDS_MAX && cluster->cord_node[host][j] != INDEX_NONE; j++) {
        uint32_t own = cluster->cord_node[host][j];
        const uint16_t *node = cluster->above[own];
        if (cluster->node[own].marked)
            continue;
        cluster->node[own].marked = true;
        for (uint32_t a = 0; a < ANCESTORS_MAX && node[a] != CLUSTER_NONE; a++) {
            struct cluster_node *above = &cluster->node[node[a]];
            above->dirty = above->due = true;
        }
        uint32_t groups = cluster->contracts ? cluster->contracts->within[own] : 0;
        for (; groups; groups &= groups - 1) {
            struct cluster_node *above =
                &cluster->node[cluster->model->node_count + (uint32_t)__builtin_ctz(groups)];
            above->dirty = above->due = true;
        }
    }
}

/* ---- spread: a node that held somebody down and has changed is shared anew among all below ---- */

static void spread(struct cluster *cluster, uint32_t *items)
{
    struct cluster_node *node = &cluster->node[cluster->cursor];
    struct cluster_visit *visit = &cluster->visit;
    if (!node->dirty || node->spread || !node->cut) {
        (*items)--;
        cluster->cursor++;
        visit->at = visit->run = 0;
        return;
    }
    for (; visit->run < node->count; visit->run++, visit->at = 0) {
        const struct cluster_run *run = &cluster->below[node->first + visit->run];
        for (; *items && visit->at < run->count; visit->at++, cluster_spend(items, COST_MARK))
            if (!cluster->changed[run->host + visit->at])
                cluster_mark(cluster, run->host + visit->at);
        if (visit->at < run->count)
            return;
    }
    node->spread = true;
    cluster->again = true;      /* it may have marked a node above or of another feed */
}

/* A gang goes on as one: with one member all are shared anew. */
static void spread_gang(struct cluster *cluster, uint32_t host)
{
    uint32_t job = cluster->job[host];
    if (job != INDEX_NONE && cluster->gang[job].changed && !cluster->changed[host])
        cluster_mark(cluster, host);
}

/* ---- commit: from a share to a cap ---- */

static uint8_t term_of(const struct cluster *cluster, uint32_t host)
{
    const struct extent *extent = &cluster->host_extent[host];
    if (cluster->draw_mw[host] < extent->useful_mw)
        return cluster->bound_term[host];
    if (cluster->draw_mw[host] < extent->most_mw)
        return BOUND_DEMAND;
    return extent->useful_mw == extent->most_mw ? BOUND_CEILING : BOUND_NOTHING;
}

static void commit(struct cluster *cluster, const struct ledger *ledger, uint32_t host, int64_t t_ns)
{
    const struct model *model = cluster->model;
    const struct model_host_type *type = &model->type[cluster->type[host]];
    uint32_t own = cluster->cord_node[host][0];
    if (cluster->tier[host] == CLUSTER_FIXED || cluster_is_fixed(cluster, &ledger->host[host], t_ns)) {
        cluster->target_mw[host] = -1;
        return;
    }
    /* what a quantum cuts off one phase is nothing for a host on another */
    if (cluster->carry_node != own || !cluster->node[own].even) {
        cluster->carry_node = own;
        cluster->carry_mw = 0;
    }
    int64_t cap_mw = larger(draw_cap_within_mw(type, cluster->draw_mw[host]), 0) + cluster->carry_mw;
    int64_t target_mw = smaller(cap_mw - cap_mw % type->quantum_mw, type->cap_max_mw);
    cluster->carry_mw = smaller(cap_mw - target_mw, type->quantum_mw);
    cluster->bound_term[host] = term_of(cluster, host);
    cluster->target_mw[host] = larger(target_mw, cluster_least_cap_mw(cluster, ledger, host));
}

/* A lease costs far more than a visit: a part has as many of these hosts as it has leases to send at most. */
static void note_apart(struct cluster *cluster, uint32_t host, int64_t newest_mw)
{
    int64_t apart_mw = cluster->target_mw[host] - newest_mw;
    int64_t quantum_mw = cluster->model->type[cluster->type[host]].quantum_mw;
    if (cluster->target_mw[host] >= 0 && (apart_mw > quantum_mw || apart_mw < -quantum_mw))
        cluster->apart[cluster->apart_count++] = host;
}

static void forget_changed(struct cluster *cluster, uint32_t host)
{
    uint32_t job = cluster->job[host];
    if (cluster->changed[host] && job != INDEX_NONE) {
        struct cluster_gang *gang = &cluster->gang[job];
        cluster->split_gangs -= gang->changed && gang->changed < gang->members;
        gang->changed = 0;
    }
    cluster->changed[host] = false;
}

static void commit_some(struct cluster *cluster, const struct ledger *ledger, int64_t t_ns, uint32_t *items)
{
    for (; *items && cluster->cursor < cluster->model->host_count; cluster_spend(items, COST_COMMIT)) {
        uint32_t host = cluster->cursor++;
        __builtin_prefetch(&ledger->host[host + CLUSTER_AHEAD].newest_mw);
        if (cluster->node[cluster->cord_node[host][0]].dirty)
            commit(cluster, ledger, host, t_ns);
        note_apart(cluster, host, ledger->host[host].newest_mw);
        forget_changed(cluster, host);
        if (cluster->apart_count == CLUSTER_APART)
            *items = 0;
    }
}

/* ---- parts ---- */

static void look_at_node(struct cluster *cluster, const struct ledger *ledger, uint32_t node, uint32_t *items)
{
    struct cluster_node *n = &cluster->node[node];
    n->dirty = n->due = n->marked = n->spread = n->held = false;
    if (cluster_limits(cluster, ledger, node, items) || cluster->given_up)
        n->dirty = n->due = cluster->any_dirty = true;
}

static void note_held(struct cluster *cluster, uint32_t host)
{
    uint32_t node = cluster->bound_node[host];
    if (node != INDEX_NONE && cluster->draw_mw[host] < cluster->host_extent[host].most_mw)
        cluster->node[node].held = true;
}

static uint32_t count_of(const struct cluster *cluster)
{
    switch (cluster->phase) {
    case CLUSTER_LIMITS:
    case CLUSTER_SPREAD:
    case CLUSTER_TRIM:
    case CLUSTER_SLACK:
        return cluster->places;
    default:
        return cluster->model->host_count;
    }
}

static enum cluster_phase next_phase(const struct cluster *cluster)
{
    bool gangs = cluster->model->gang_count > 0, split = cluster->split_gangs > 0;
    bool look = (cluster->crossing || gangs) && cluster->round < CLUSTER_ROUNDS;
    switch (cluster->phase) {
    case CLUSTER_GATHER:
        return !cluster->any_dirty ? CLUSTER_COMMIT : split ? CLUSTER_JOBS : CLUSTER_SPREAD;
    case CLUSTER_SPREAD:
        return split ? CLUSTER_JOBS : cluster->again ? CLUSTER_SPREAD : CLUSTER_TRIM;
    case CLUSTER_TRIM:
        return gangs ? CLUSTER_GANG : look ? CLUSTER_PACE : CLUSTER_COMMIT;
    case CLUSTER_PACE:
        return look ? CLUSTER_SLACK : CLUSTER_COMMIT;
    case CLUSTER_SLACK:
        return cluster->again ? CLUSTER_TRIM : CLUSTER_COMMIT;
    case CLUSTER_COMMIT:
        return CLUSTER_IDLE;
    default:
        return (enum cluster_phase)(cluster->phase + 1);
    }
}

static void limits(struct cluster *cluster, const struct ledger *ledger, uint32_t *items)
{
    while (*items && cluster->cursor < cluster->places)
        look_at_node(cluster, ledger, cluster->cursor++, items);
}

static void over_hosts(struct cluster *cluster, uint32_t *items)
{
    uint32_t first = cluster->cursor, left = cluster->model->host_count - first;
    uint32_t end = first + (uint32_t)smaller(left, *items);
    for (uint32_t host = first; host < end; host++) {
        if (cluster->phase == CLUSTER_JOBS) {
            spread_gang(cluster, host);
        } else if (cluster->phase == CLUSTER_GANG) {
            cluster_gang_take(cluster, host);
        } else {
            cluster_gang_pace(cluster, host);
            note_held(cluster, host);
        }
    }
    cluster->cursor = end;
    *items -= end - first;
}

/* From the leaves to the roots. */
static void trim_some(struct cluster *cluster, uint32_t *items)
{
    uint32_t nodes = cluster->model->node_count;
    uint32_t node = cluster->cursor < nodes ? nodes - 1 - cluster->cursor : cluster->cursor;
    bool slack = cluster->phase == CLUSTER_SLACK;
    struct cluster_node *n = &cluster->node[node];
    if (slack ? n->held && n->cut : n->due) {
        if (!cluster->visit.open)
            (slack ? cluster_slack_begin : cluster_trim_begin)(cluster, node);
        cluster->visit.open = true;
        if (!(slack ? cluster_slack : cluster_trim)(cluster, node, items))
            return;
        cluster->visit.open = false;
        cluster_spend(items, COST_NODE);
    }
    if (slack)
        n->held = false;
    else
        n->due = n->marked = false;
    cluster->cursor++;
    cluster_spend(items, 1);
}

static void go_on(struct cluster *cluster, const struct ledger *ledger, const struct demand *demand,
                  int64_t t_ns, uint32_t *items)
{
    switch (cluster->phase) {
    case CLUSTER_LIMITS:
        limits(cluster, ledger, items);
        break;
    case CLUSTER_GATHER:
        cluster_gather(cluster, ledger, demand, t_ns, items);
        break;
    case CLUSTER_SPREAD:
        spread(cluster, items);
        break;
    case CLUSTER_TRIM:
    case CLUSTER_SLACK:
        trim_some(cluster, items);
        break;
    case CLUSTER_COMMIT:
        commit_some(cluster, ledger, t_ns, items);
        break;
    default:
        over_hosts(cluster, items);
    }
}

bool cluster_part(struct cluster *cluster, const struct ledger *ledger, const struct demand *demand,
                  int64_t t_ns, uint32_t items, uint32_t *first)
{
    *first = cluster->phase == CLUSTER_COMMIT ? cluster->cursor : 0;
    cluster->apart_count = 0;
    while (items && cluster->phase != CLUSTER_IDLE) {
        uint32_t count = count_of(cluster), cursor = cluster->cursor;
        if (cursor == count) {
            if (cluster->phase == CLUSTER_SLACK && cluster->again)
                cluster->round++;
            enter(cluster, next_phase(cluster));
            if (cluster->phase == CLUSTER_IDLE)
                cluster->cursor = cursor;   /* the caller acts on hosts up to here */
        } else {
            go_on(cluster, ledger, demand, t_ns, &items);
        }
    }
    if (cluster->phase == CLUSTER_COMMIT && cluster->cursor == cluster->model->host_count)
        cluster->phase = CLUSTER_IDLE;
    return cluster->phase == CLUSTER_COMMIT || cluster->phase == CLUSTER_IDLE;
}
