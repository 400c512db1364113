/* SPDX-License-Identifier: Apache-2.0 */
/* A site with parts left out: nodes hang on what was next above, limits and devices follow the loads that are
 * left, and what stands in the model keeps its order. */
#include <stdlib.h>
#include <string.h>

#include "model_build.h"

struct reduction {
    struct build *build;
    struct build *was;
    uint32_t place[BUILT_NODES_MAX];    /* of an old node in the new site; INDEX_NONE: left out */
    uint32_t old[BUILT_NODES_MAX];      /* of a new one */
};

static bool keeps_node(const struct reduction *all, uint32_t n)
{
    const struct model_keep *keep = all->was->form.keep;
    return !keep || keep->node[n];
}

static bool keeps_host(const struct reduction *all, uint32_t h)
{
    const struct model_keep *keep = all->was->form.keep;
    return !keep || keep->host[h];
}

/* The node itself, or the next above that is kept. */
static uint32_t next_kept(const struct reduction *all, uint32_t n)
{
    while (n != INDEX_NONE && !keeps_node(all, n))
        n = all->was->node[n].parent_count ? all->was->node[n].parent[0] : INDEX_NONE;
    return n;
}

static uint32_t first_parent(const struct reduction *all, uint32_t n)
{
    const struct model_node *node = &all->was->node[n];
    return node->parent_count ? next_kept(all, node->parent[0]) : INDEX_NONE;
}

static uint32_t number_below(struct reduction *all, uint32_t above, uint32_t count)
{
    for (uint32_t n = 0; n < all->was->model.node_count; n++)
        if (keeps_node(all, n) && first_parent(all, n) == above) {
            all->place[n] = count;
            all->old[count++] = n;
        }
    return count;
}

/* Breadth first, so that the children of a node lie together. */
static void number_nodes(struct reduction *all)
{
    uint32_t count = number_below(all, INDEX_NONE, 0);
    for (uint32_t n = 0; n < count; n++) {
        all->build->node[n].child_first = count;
        count = number_below(all, all->old[n], count);
        all->build->node[n].child_count = count - all->build->node[n].child_first;
    }
    all->build->model.node_count = count;
}

static bool hang_node(struct reduction *all, uint32_t n)
{
    const struct model_node *was = &all->was->node[all->old[n]];
    struct model_node *node = &all->build->node[n];
    uint32_t child_first = node->child_first, child_count = node->child_count;
    bool single = all->was->form.plain & PLAIN_TRANSFERS;
    *node = *was;
    node->child_first = child_first;
    node->child_count = child_count;
    node->parent_count = 0;
    node->ancestor_count = 1;
    node->ancestor[0] = n;
    for (uint32_t i = 0; i < (single && was->parent_count ? 1 : was->parent_count); i++) {
        uint32_t kept = next_kept(all, was->parent[i]);
        uint32_t parent = kept == INDEX_NONE ? INDEX_NONE : all->place[kept];
        bool above = parent == INDEX_NONE;
        for (uint32_t a = 0; a < node->ancestor_count; a++)
            above |= node->ancestor[a] == parent;
        if (above)
            continue;
        if (parent > n)
            return false;
        build_add_ancestors(all->build, node, parent);
    }
    all->build->limits[n] = all->was->limits[all->old[n]];
    all->build->node_id[n] = all->old[n];
    return true;
}

static bool take_host(struct reduction *all, uint32_t h)
{
    struct build *build = all->build;
    uint32_t new = build->model.host_count++;
    struct model_host *host = &build->host[new];
    *host = all->was->host[h];
    build->host_id[new] = h;
    build->catches[new] = all->was->catches[h];
    if (all->was->form.plain & PLAIN_CORDS) {
        host->cord_count = 1;
        build->catches[new] = false;
    }
    for (uint32_t j = 0; j < host->cord_count; j++) {
        uint32_t kept = next_kept(all, host->cord[j].node);
        if (kept == INDEX_NONE)
            return false;
        host->cord[j].node = all->place[kept];
        for (uint32_t p = 0; p < PHASES && all->was->form.plain & PLAIN_PHASES; p++)
            host->cord[j].phase_ppm[p] = 333334;
    }
    return true;
}

/* Depth first, so that the hosts below any node lie together. */
static bool hang_hosts(struct reduction *all, uint32_t n)
{
    struct model *model = &all->build->model;
    struct model_node *node = &model->node[n];
    bool whole = true;
    node->host_first = node->host_below_first = model->host_count;
    for (uint32_t h = 0; h < all->was->model.host_count; h++)
        if (keeps_host(all, h) && next_kept(all, all->was->host[h].cord[0].node) == all->old[n])
            whole &= take_host(all, h);
    node->host_count = model->host_count - node->host_first;
    for (uint32_t i = 0; i < node->child_count; i++)
        whole &= hang_hosts(all, node->child_first + i);
    node->host_below = model->host_count - node->host_below_first;
    return whole;
}

static uint8_t lends(const struct reduction *all, uint32_t n, const uint32_t *was_c)
{
    const struct model_node *node = &all->build->node[n];
    unsigned lend = 0;
    for (uint32_t c = 0; c < all->build->model.contingency_count; c++)
        lend |= (unsigned)(all->was->node[all->old[n]].lend >> was_c[c] & 1) << c;
    bool may = node->meter != INDEX_NONE && node->breaker.element_count &&
               !(all->was->form.plain & PLAIN_LENDING);
    return may ? (uint8_t)lend : 0;
}

/* Losses of nodes that are there; was_c says which ones. */
static void take_losses(struct reduction *all, uint32_t was_c[CONTINGENCIES_MAX])
{
    struct model *model = &all->build->model;
    uint32_t count = 1;
    was_c[0] = 0;
    for (uint32_t c = 1; c < model->contingency_count && !(all->was->form.plain & PLAIN_LOSSES); c++) {
        struct model_contingency lost = model->contingency[c];
        if (lost.kind == CONTINGENCY_LOSS && !keeps_node(all, lost.lost_node))
            continue;
        if (lost.kind == CONTINGENCY_LOSS)
            lost.lost_node = all->place[lost.lost_node];
        model->contingency[count] = lost;
        was_c[count++] = c;
    }
    model->contingency_count = count;
    for (uint32_t n = 0; n < model->node_count; n++)
        for (uint32_t c = 1; c < count; c++)
            memcpy(all->build->limits[n].part_pct[c], all->was->limits[all->old[n]].part_pct[was_c[c]],
                   sizeof all->build->limits[n].part_pct[c]);
}

static void take_meters(struct reduction *all)
{
    struct model *model = &all->build->model;
    model->meter_count = 0;
    for (uint32_t n = 0; n < model->node_count; n++) {
        struct model_node *node = &model->node[n];
        if (node->meter == INDEX_NONE || all->was->form.plain & PLAIN_METERS) {
            node->meter = INDEX_NONE;
            continue;
        }
        model->meter[model->meter_count] = all->was->meter[node->meter];
        model->meter[model->meter_count].node = n;
        node->meter = model->meter_count++;
    }
    for (uint32_t c = 1; c < model->contingency_count; c++)
        model->contingency[c].witness = model->contingency[c].kind == CONTINGENCY_LOSS
                                            ? model->node[model->contingency[c].lost_node].meter
                                            : INDEX_NONE;
}

static int64_t scaled(int64_t ma, int64_t to, int64_t from)
{
    return ma == INT64_MAX ? ma : (int64_t)((double)ma * (double)to / (double)from) + 1;
}

/* Devices keep their places above the limit. */
static void lay_node(struct reduction *all, uint32_t n)
{
    struct build *build = all->build;
    struct model_node *node = &build->node[n];
    unsigned plain = all->was->form.plain;
    int64_t from = node->steady_ma;
    if (plain & PLAIN_OTHER)
        memset(build->limits[n].other_mva, 0, sizeof build->limits[n].other_mva);
    if (plain & PLAIN_K)
        node->k = 0;
    build_lay_limits(build, n);
    if (plain & PLAIN_CURVES)
        node->breaker.element_count = 0;
    for (uint32_t e = 0; e < node->breaker.element_count; e++) {
        struct breaker_element *element = &node->breaker.element[e];
        element->pickup_ma = scaled(element->pickup_ma, node->steady_ma, from);
        element->unit_ma = scaled(element->unit_ma, node->steady_ma, from);
        if (element->unit_ma > element->pickup_ma)
            element->unit_ma = element->pickup_ma;
        element->fast_above_ma = scaled(element->fast_above_ma, node->steady_ma, from);
    }
}

static bool reduce(struct reduction *all)
{
    struct model *model = &all->build->model;
    uint32_t was_c[CONTINGENCIES_MAX];
    bool whole = true;
    number_nodes(all);
    for (uint32_t n = 0; n < model->node_count; n++)
        whole = whole && hang_node(all, n);
    model->host_count = 0;
    for (uint32_t n = 0; whole && n < model->node_count; n++)
        if (!model->node[n].parent_count)
            whole = hang_hosts(all, n);
    if (!whole || !model->host_count)
        return false;
    take_losses(all, was_c);
    take_meters(all);
    for (uint32_t i = 0; i < model->host_count * model->contingency_count; i++)
        build_set_shares(all->build, &model->host[i / model->contingency_count],
                         i % model->contingency_count);
    for (uint32_t n = 0; n < model->node_count; n++) {
        lay_node(all, n);
        model->node[n].lend = lends(all, n, was_c);
    }
    return true;
}

bool build_reduce(struct build *build)
{
    struct reduction *all = malloc(sizeof *all);
    struct build *was = malloc(sizeof *was);
    if (!all || !was)
        abort();
    *was = *build;
    all->build = build;
    all->was = was;
    bool whole = reduce(all);
    free(was);
    free(all);
    return whole;
}
