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
    int64_t draw_mw = cluster->draw_mw[host];
    if (gang->lowest < CLUSTER_WHOLE && gang->lowest_type == cluster->type[host] &&
        draw_mw >= gang->lowest_mw)
        return;
    const struct model_host_type *type = &cluster->model->type[cluster->type[host]];
    uint64_t share = share_of(type, draw_cap_within_mw(type, draw_mw));
    if (share >= gang->lowest)
        return;
    gang->lowest = share;
    gang->lowest_type = cluster->type[host];
    gang->lowest_mw = draw_mw;
    gang->paced_type = INDEX_NONE;
}

static int64_t paced_mw(const struct cluster *cluster, struct cluster_gang *gang, uint32_t type)
{
    if (gang->paced_type != type) {
        const struct model_host_type *model_type = &cluster->model->type[type];
        gang->paced_type = type;
        gang->paced_mw = draw_of_cap_mw(model_type, cluster_gang_cap_mw(model_type, gang->lowest));
    }
    return gang->paced_mw;
}

void cluster_gang_pace(struct cluster *cluster, uint32_t host)
{
    uint32_t job = cluster->job[host];
    if (job == INDEX_NONE || cluster->tier[host] == CLUSTER_FIXED ||
        cluster->gang[job].lowest >= CLUSTER_WHOLE)
        return;
    int64_t draw_mw = larger(paced_mw(cluster, &cluster->gang[job], cluster->type[host]),
                             cluster->host_extent[host].least_mw);
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
        cluster->gang[g] =
            (struct cluster_gang){.lowest = CLUSTER_WHOLE, .weight = WEIGHT_MAX, .paced_type = INDEX_NONE};
    for (uint32_t host = 0; host < model->host_count; host++) {
        const struct model_host *h = &model->host[host];
        if (h->gang >= model->gang_count)
            continue;
        struct cluster_gang *gang = &cluster->gang[h->gang];
        gang->weight = (uint32_t)smaller(h->weight, gang->weight);
        gang->members++;
        gang->tier = (uint8_t)larger(h->tier, gang->tier);
    }
    cluster_note_hosts(cluster);
}

void cluster_note_hosts(struct cluster *cluster)
{
    const struct model *model = cluster->model;
    for (uint32_t host = 0; host < model->host_count; host++) {
        const struct model_host *h = &model->host[host];
        const struct cluster_gang *gang = h->gang < model->gang_count ? &cluster->gang[h->gang] : NULL;
        cluster->job[host] = gang ? h->gang : INDEX_NONE;
        cluster->type[host] = h->type;
        cluster->own_tier[host] = gang ? gang->tier : h->tier;
        cluster->weight[host] = gang ? gang->weight : h->weight;
    }
}
