/* SPDX-License-Identifier: Apache-2.0 */
/* What each host must have, can use, may have: looked at again only where something has happened to it. */
#include "core/cluster_inside.h"
#include "core/draw.h"

/* A host that cannot be told anything now: its exposure stands whatever we decide. */
bool cluster_is_fixed(const struct cluster *cluster, const struct ledger_host *h, int64_t t_ns)
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
int64_t cluster_least_cap_mw(const struct cluster *cluster, const struct ledger *ledger, uint32_t host)
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
    const struct model_host_type *type = &model->type[cluster->type[host]];
    bool scarce = cluster->bound_node[host] != INDEX_NONE;
    int64_t useful_mw = demand_cap_mw(&demand[host], &model->policy, type, h->newest_mw, scarce, t_ns);
    int64_t least_mw = draw_of_cap_mw(type, cluster_least_cap_mw(cluster, ledger, host));
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
    return smaller(wake_ns, demand_changes_ns(demand, t_ns));
}

static void look_at_host(struct cluster *cluster, const struct ledger *ledger, const struct demand *demand,
                   uint32_t host, int64_t t_ns)
{
    const struct ledger_host *h = &ledger->host[host];
    struct extent *before = &cluster->host_extent[host], now;
    uint8_t tier = cluster->own_tier[host];
    if (cluster_is_fixed(cluster, h, t_ns)) {
        tier = CLUSTER_FIXED;
        int64_t least_mw = draw_of_cap_mw(&cluster->model->type[cluster->type[host]],
                                          cluster_least_cap_mw(cluster, ledger, host));
        now = (struct extent){
            .least_mw = least_mw, .useful_mw = h->exposed_draw_mw, .most_mw = h->exposed_draw_mw};
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

static void fetch_moved(const struct cluster *cluster, const struct ledger *ledger,
                        const struct demand *demand, uint32_t host)
{
    if (host >= cluster->model->host_count || !ledger->moved.host || !ledger->moved.host[host])
        return;
    __builtin_prefetch(&ledger->host[host]);
    __builtin_prefetch(&demand[host]);
    __builtin_prefetch(&demand[host].probed_mw);
}

/* Of a host that nothing has happened to the wish is what it was. */
void cluster_gather(struct cluster *cluster, const struct ledger *ledger, const struct demand *demand,
                   int64_t t_ns, uint32_t *items)
{
    uint8_t *moved = ledger->moved.host;
    for (; *items && cluster->cursor < cluster->model->host_count; cluster->cursor++) {
        uint32_t host = cluster->cursor;
        uint8_t scarce = cluster->bound_node[host] != INDEX_NONE;
        fetch_moved(cluster, ledger, demand, host + CLUSTER_AHEAD);
        if (!cluster->look_at_all && moved && !moved[host] && scarce == cluster->was_scarce[host] &&
            t_ns < cluster->wake_ns[host]) {
            cluster_spend(items, host % 2);
            continue;
        }
        look_at_host(cluster, ledger, demand, host, t_ns);
        cluster->was_scarce[host] = scarce;
        cluster->wake_ns[host] = wakes_ns(cluster, &ledger->host[host], &demand[host], t_ns);
        if (moved && moved[host])
            moved[host] = cluster->refused[host] = 0;
        cluster_spend(items, COST_GATHER);
    }
}
