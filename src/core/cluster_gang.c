/* SPDX-License-Identifier: Apache-2.0 */
/* Gangs: what the slowest member of a synchronous job has is what all of it has. */
#include "core/bound.h"
#include "core/cluster_inside.h"
#include "core/draw.h"

/* Up, so that the member whose share it is has its own cap back. */
int64_t cluster_gang_cap_mw(const struct model_host_type *type, uint64_t share)
{
    uint64_t range_mw = (uint64_t)(type->cap_max_mw - type->cap_min_mw);
    uint64_t whole_mw = range_mw * (share >> 32);
    return type->cap_min_mw + (int64_t)(whole_mw + ((range_mw * (share & (CLUSTER_WHOLE - 1)) +
                                                     CLUSTER_WHOLE - 1) >> 32));
}

/* The share of its range that a cap is, down. */
static uint64_t share_of(const struct model_host_type *type, int64_t cap_mw)
{
    int64_t range_mw = type->cap_max_mw - type->cap_min_mw;
    if (cap_mw >= type->cap_max_mw || range_mw <= 0)
        return CLUSTER_WHOLE;
    if (cap_mw <= type->cap_min_mw)
        return 0;
    return ((uint64_t)(cap_mw - type->cap_min_mw) << 32) / (uint64_t)range_mw;
}

/* Only a member that a node keeps below what it can use holds the others down. */
void cluster_gang_take(struct cluster *cluster, uint32_t host)
{
    uint32_t job = cluster->job[host];
    if (job == INDEX_NONE || cluster->tier[host] == CLUSTER_FIXED ||
        cluster->bound_node[host] == INDEX_NONE ||
        cluster->draw_mw[host] >= cluster->host_extent[host].useful_mw)
        return;
    struct cluster_gang *gang = &cluster->gang[job];
    const struct model_host_type *type = &cluster->model->type[cluster->model->host[host].type];
    uint64_t share = share_of(type, draw_cap_within_mw(type, cluster->draw_mw[host]));
    gang->lowest = share < gang->lowest ? share : gang->lowest;
}

void cluster_gang_pace(struct cluster *cluster, uint32_t host)
{
    uint32_t job = cluster->job[host];
    if (job == INDEX_NONE || cluster->tier[host] == CLUSTER_FIXED ||
        cluster->gang[job].lowest >= CLUSTER_WHOLE)
        return;
    const struct model_host_type *type = &cluster->model->type[cluster->model->host[host].type];
    int64_t pace_mw = cluster_gang_cap_mw(type, cluster->gang[job].lowest);
    int64_t draw_mw = larger(draw_of_cap_mw(type, pace_mw), cluster->host_extent[host].least_mw);
    if (cluster->draw_mw[host] <= draw_mw)
        return;
    cluster->draw_mw[host] = draw_mw;
    cluster->bound_node[host] = INDEX_NONE;
    cluster->bound_term[host] = BOUND_GANG;
    cluster->node[cluster->cord_node[host][0]].dirty = true;
}

/* Jobs do not mix what counts in sharing: the least weight and the last tier of its members are a gang's. */
void cluster_gang_init(struct cluster *cluster)
{
    const struct model *model = cluster->model;
    for (uint32_t g = 0; g < model->gang_count; g++)
        cluster->gang[g] = (struct cluster_gang){.lowest = CLUSTER_WHOLE, .weight = WEIGHT_MAX};
    for (uint32_t host = 0; host < model->host_count; host++) {
        const struct model_host *h = &model->host[host];
        if (h->gang >= model->gang_count)
            continue;
        struct cluster_gang *gang = &cluster->gang[h->gang];
        gang->weight = h->weight < gang->weight ? h->weight : gang->weight;
        gang->members++;
        gang->tier = h->tier > gang->tier ? h->tier : gang->tier;
    }
    for (uint32_t host = 0; host < model->host_count; host++) {
        uint32_t gang = model->host[host].gang;
        cluster->job[host] = gang < model->gang_count ? gang : INDEX_NONE;
    }
}
