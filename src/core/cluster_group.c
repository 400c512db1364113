/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes that a contract bounds together, as arbitration sees them: one node more, above the roots, with their
 * cords below it, each once, and a single limit. */
#include "core/cluster_inside.h"

static void place_members(struct cluster *cluster, uint32_t g)
{
    const struct contract_group *group = &cluster->contracts->group[g];
    struct cluster_node *at = &cluster->node[cluster->model->node_count + g];
    at->other_first = cluster->group_other + g * ORDER_NODES_MAX;
    for (; at->other_count < group->count; at->other_count++) {
        cluster->other[at->other_first + at->other_count] = group->node[at->other_count];
        cluster->node[group->node[at->other_count]].summed = true;
    }
}

/* A cord hangs on one node, and stands in one of that node's own runs. */
static void place_cords(struct cluster *cluster, uint32_t g, uint32_t room)
{
    struct cluster_node *at = &cluster->node[cluster->model->node_count + g];
    at->first = cluster->group_below + g * room;
    for (uint32_t n = 0; n < cluster->model->node_count; n++) {
        const struct cluster_node *node = &cluster->node[n];
        if (!(cluster->contracts->within[n] >> g & 1))
            continue;
        for (uint32_t i = 0; i < node->own_count; i++)
            cluster->below[at->first + at->count++] = cluster->below[node->first + i];
        at->cords += node->own_cords;
    }
}

void cluster_take_groups(struct cluster *cluster)
{
    uint32_t room = cluster_cord_count(cluster->model), nodes = cluster->model->node_count;
    cluster->generation = cluster->contracts->generation;
    cluster->places = nodes;
    cluster->given_up = true;   /* all is shared anew */
    for (uint32_t g = 0; g < CONTRACT_GROUPS_MAX; g++) {
        cluster->node[nodes + g] = (struct cluster_node){0};
        if (!cluster->contracts->group[g].contracts)
            continue;
        cluster->places = nodes + g + 1;
        place_members(cluster, g);
        place_cords(cluster, g, room);
    }
}
