/* SPDX-License-Identifier: Apache-2.0 */
/* Arbitration in order: what has changed, who shares anew, the cuts, gangs, caps. Every loop can stop after
 * any item and go on in the next part. */
#include "core/cluster.h"

#include "core/bound.h"
#include "core/cluster_inside.h"
#include "core/draw.h"

enum { HOSTS_PASSED_BY = 8 };           /* for the time of one that is looked at */

static void enter(struct cluster *cluster, enum cluster_phase phase)
{
    cluster->phase = (uint8_t)phase;
    cluster->cursor = 0;
    cluster->carry_node = INDEX_NONE;
    cluster->again = false;
    cluster->visit.at = cluster->visit.run = 0;
    cluster->visit.open = false;
}

void cluster_begin(struct cluster *cluster)
{
    cluster->given_up = cluster->phase != CLUSTER_IDLE;
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
        const struct model_node *node = &cluster->model->node[own];
        if (cluster->node[own].marked)
            continue;
        cluster->node[own].marked = true;
        for (uint32_t a = 0; a < node->ancestor_count; a++) {
            struct cluster_node *above = &cluster->node[node->ancestor[a]];
            above->dirty = above->due = true;
        }
    }
}

/* ---- gather: what each host must have, can use, may have ---- */

/* A host that cannot be told anything now: its exposure stands whatever we decide. */
static bool is_fixed(const struct cluster *cluster, const struct ledger_host *h, int64_t t_ns)
{
    return !h->bounded || t_ns - h->report_t_ns > cluster->model->policy.lease_ns;
}

/* A wish that moves within its own headroom is the same wish. */
static int64_t calm_mw(int64_t before_mw, int64_t now_mw)
{
    bool same = now_mw <= before_mw ? before_mw - now_mw <= before_mw / CLUSTER_CALM
                                    : now_mw - before_mw <= before_mw / (2 * CLUSTER_CALM);
    return same ? before_mw : now_mw;
}

static int64_t calmed_mw(const struct extent *before, const struct extent *now)
{
    int64_t calm = calm_mw(before->useful_mw, now->useful_mw);
    return smaller(larger(calm, now->least_mw), now->most_mw);
}

static bool is_same(const struct extent *before, const struct extent *now)
{
    bool same = true;
    for (uint32_t edge = 0; edge < EXTENT_EDGES; edge++)
        same &= before->edge_mw[edge] == now->edge_mw[edge];
    return same;
}

/* The least a host may be given: its fail-safe cap costs nothing, but a contract may ask for less. */
static int64_t least_cap_mw(const struct cluster *cluster, const struct ledger *ledger, uint32_t host)
{
    int64_t fail_safe_mw = ledger->host[host].fail_safe_mw;
    if (!cluster->contracts || !contract_below_fail_safe(cluster->contracts, host))
        return fail_safe_mw;
    return smaller(fail_safe_mw, cluster->model->host[host].floor_mw);
}

static struct extent extent_of(const struct cluster *cluster, const struct ledger *ledger,
                               const struct demand *demand, uint32_t host, int64_t t_ns)
{
    const struct model *model = cluster->model;
    const struct ledger_host *h = &ledger->host[host];
    const struct model_host_type *type = &model->type[model->host[host].type];
    bool scarce = cluster->bound_node[host] != INDEX_NONE;
    int64_t useful_mw = demand_cap_mw(&demand[host], &model->policy, type, h->newest_mw, scarce, t_ns);
    int64_t least_mw = draw_of_cap_mw(type, least_cap_mw(cluster, ledger, host));
    int64_t most_mw = larger(least_mw, draw_of_cap_mw(type, type->cap_max_mw));
    useful_mw = larger(least_mw, smaller(most_mw, draw_of_cap_mw(type, useful_mw)));
    return (struct extent){.least_mw = least_mw, .useful_mw = useful_mw, .most_mw = most_mw};
}

/* When a wish may be another by time alone: a forecast begins or ends, or the host has been silent too
 * long. */
static int64_t wakes_ns(const struct cluster *cluster, const struct ledger_host *h,
                        const struct demand *demand, int64_t t_ns)
{
    int64_t silent_ns = h->report_t_ns + cluster->model->policy.lease_ns + 1;
    int64_t wake_ns = silent_ns > t_ns ? silent_ns : INT64_MAX;
    if (demand->forecast_from_ns > t_ns)
        wake_ns = smaller(wake_ns, demand->forecast_from_ns);
    if (demand->forecast_until_ns > t_ns)
        wake_ns = smaller(wake_ns, demand->forecast_until_ns);
    return wake_ns;
}

static void look_at_host(struct cluster *cluster, const struct ledger *ledger, const struct demand *demand,
                   uint32_t host, int64_t t_ns)
{
    const struct ledger_host *h = &ledger->host[host];
    struct extent *before = &cluster->host_extent[host], now;
    uint32_t job = cluster->job[host];
    uint8_t tier = job != INDEX_NONE ? cluster->gang[job].tier : cluster->model->host[host].tier;
    cluster->weight[host] =
        job != INDEX_NONE ? cluster->gang[job].weight : cluster->model->host[host].weight;
    if (is_fixed(cluster, h, t_ns)) {
        tier = CLUSTER_FIXED;
        now = (struct extent){
            .least_mw = h->exposed_draw_mw, .useful_mw = h->exposed_draw_mw, .most_mw = h->exposed_draw_mw};
    } else {
        now = extent_of(cluster, ledger, demand, host, t_ns);
        if (now.useful_mw < now.most_mw && tier == cluster->tier[host])
            now.useful_mw = calmed_mw(before, &now);
    }
    if (!cluster->given_up && tier == cluster->tier[host] && is_same(before, &now))
        return;
    *before = now;
    cluster->tier[host] = tier;
    cluster_mark(cluster, host);
}

/* Of a host that nothing has happened to the wish is what it was. */
static void gather(struct cluster *cluster, const struct ledger *ledger, const struct demand *demand,
                   int64_t t_ns, uint32_t *items)
{
    uint8_t *moved = ledger->moved.host;
    uint32_t left = *items * HOSTS_PASSED_BY;
    for (; left && cluster->cursor < cluster->model->host_count; cluster->cursor++) {
        uint32_t host = cluster->cursor, cost = 1;
        uint8_t scarce = cluster->bound_node[host] != INDEX_NONE;
        if (cluster->look_at_all || !moved || moved[host] || scarce != cluster->was_scarce[host] ||
            t_ns >= cluster->wake_ns[host]) {
            look_at_host(cluster, ledger, demand, host, t_ns);
            cluster->was_scarce[host] = scarce;
            cluster->wake_ns[host] = wakes_ns(cluster, &ledger->host[host], &demand[host], t_ns);
            if (moved)
                moved[host] = 0;
            cost = HOSTS_PASSED_BY;
        }
        left -= cost < left ? cost : left;
    }
    *items = left / HOSTS_PASSED_BY;
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
        for (; *items && visit->at < run->count; visit->at++, (*items)--)
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
    const struct model_host_type *type = &model->type[model->host[host].type];
    uint32_t own = cluster->cord_node[host][0];
    if (cluster->tier[host] == CLUSTER_FIXED || is_fixed(cluster, &ledger->host[host], t_ns)) {
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
    cluster->target_mw[host] = larger(target_mw, least_cap_mw(cluster, ledger, host));
}

/* A host whose lease is about to change costs a part far more than one that is left alone. */
static void commit_next(struct cluster *cluster, const struct ledger *ledger, int64_t t_ns, uint32_t *items)
{
    uint32_t host = cluster->cursor++, cost = 1, job = cluster->job[host];
    if (cluster->node[cluster->cord_node[host][0]].dirty)
        commit(cluster, ledger, host, t_ns);
    int64_t apart_mw = cluster->target_mw[host] - ledger->host[host].newest_mw;
    int64_t quantum_mw = cluster->model->type[cluster->model->host[host].type].quantum_mw;
    if (cluster->target_mw[host] >= 0 && (apart_mw > quantum_mw || apart_mw < -quantum_mw))
        cost = CLUSTER_COMMIT_ITEMS;
    if (cluster->changed[host] && job != INDEX_NONE)
        cluster->gang[job].changed = 0;
    cluster->changed[host] = false;
    *items -= cost < *items ? cost : *items;
}

/* ---- parts ---- */

static void look_at_node(struct cluster *cluster, const struct ledger *ledger, uint32_t node)
{
    struct cluster_node *n = &cluster->node[node];
    n->dirty = n->due = n->marked = n->spread = n->held = false;
    if (cluster_limits(cluster, ledger, node) || cluster->given_up)
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
        return cluster->model->node_count;
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
    for (; *items && cluster->cursor < cluster->model->node_count; (*items)--)
        look_at_node(cluster, ledger, cluster->cursor++);
}

/* What is done to hosts of gangs, and after gangs, is done to so many for the time of a visit. */
static void over_hosts(struct cluster *cluster, uint32_t *items)
{
    uint32_t count = cluster->model->host_count, first = cluster->cursor;
    uint64_t most = (uint64_t)first + (uint64_t)*items * HOSTS_PASSED_BY;
    uint32_t end = most < count ? (uint32_t)most : count;
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
    *items -= (end - first + HOSTS_PASSED_BY - 1) / HOSTS_PASSED_BY;
}

/* From the leaves to the roots. */
static void trim_some(struct cluster *cluster, uint32_t *items)
{
    uint32_t node = cluster->model->node_count - 1 - cluster->cursor;
    bool slack = cluster->phase == CLUSTER_SLACK;
    struct cluster_node *n = &cluster->node[node];
    if (slack ? n->held && n->cut : n->due) {
        if (!cluster->visit.open)
            (slack ? cluster_slack_begin : cluster_trim_begin)(cluster, node);
        cluster->visit.open = true;
        if (!(slack ? cluster_slack : cluster_trim)(cluster, node, items))
            return;
        cluster->visit.open = false;
    }
    if (slack)
        n->held = false;
    else
        n->due = n->marked = false;
    cluster->cursor++;
    *items -= *items > 0;
}

static void go_on(struct cluster *cluster, const struct ledger *ledger, const struct demand *demand,
                  int64_t t_ns, uint32_t *items)
{
    switch (cluster->phase) {
    case CLUSTER_LIMITS:
        limits(cluster, ledger, items);
        break;
    case CLUSTER_GATHER:
        gather(cluster, ledger, demand, t_ns, items);
        break;
    case CLUSTER_SPREAD:
        spread(cluster, items);
        break;
    case CLUSTER_TRIM:
    case CLUSTER_SLACK:
        trim_some(cluster, items);
        break;
    case CLUSTER_COMMIT:
        commit_next(cluster, ledger, t_ns, items);
        break;
    default:
        over_hosts(cluster, items);
    }
}

bool cluster_part(struct cluster *cluster, const struct ledger *ledger, const struct demand *demand,
                  int64_t t_ns, uint32_t items, uint32_t *first)
{
    *first = cluster->phase == CLUSTER_COMMIT ? cluster->cursor : 0;
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
