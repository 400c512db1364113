/* SPDX-License-Identifier: Apache-2.0 */
/* What a mesh has more of than a plain site: transfer switches, catchers, cords between all feeds, and losses
 * of nodes inside. */
#include <stdio.h>

#include "model_build.h"

static bool hangs_on(const struct build *build, const struct model_node *node, uint32_t other)
{
    for (uint32_t i = 0; i < node->ancestor_count; i++)
        if (node->ancestor[i] == other)
            return true;
    return other == build->catcher;
}

/* Transfer switches: further feeds, on earlier nodes, so that no cycle can close. */
void mesh_second_parent(struct build *build, struct model_node *node, uint32_t parent)
{
    while (node->parent_count < PARENTS_MAX && chance_hit(&build->chance, 0.15)) {
        uint32_t other = (uint32_t)chance_range(&build->chance, 0, parent);
        if (!hangs_on(build, node, other) &&
            node->ancestor_count + build->node[other].ancestor_count <= ANCESTORS_MAX)
            build_add_ancestors(build, node, other);
    }
}

static bool share_a_feed(const struct build *build, uint32_t a, uint32_t b)
{
    for (uint32_t root = 0; root < build->roots; root++)
        if (model_above(&build->model, root, a) && model_above(&build->model, root, b))
            return true;
    return false;
}

/* Mostly on feeds apart; sometimes two on one, or on one node below the other. */
void mesh_cords(struct build *build, struct model_host *host)
{
    struct chance *chance = &build->chance;
    for (uint32_t j = 1; j < host->cord_count; j++) {
        bool apart = chance_hit(chance, 0.8);
        for (int tries = 0; tries < 20; tries++) {
            host->cord[j].node = (uint32_t)chance_range(chance, 0, build->model.node_count - 1);
            if (host->cord[j].node != host->cord[0].node && host->cord[j].node != build->catcher &&
                (!apart || !share_a_feed(build, host->cord[0].node, host->cord[j].node)))
                break;
        }
    }
    if (build->catcher == INDEX_NONE || host->cord_count == CORDS_MAX || !chance_hit(chance, 0.5))
        return;
    host->cord[host->cord_count++].node = build->catcher;
    build->catches[host - build->host] = true;
}

static void may_be_lost(struct build *build, uint32_t n)
{
    struct model *model = &build->model;
    for (uint32_t c = 1; c < model->contingency_count; c++)
        if (model->contingency[c].lost_node == n)
            return;
    if (model->contingency_count == CONTINGENCIES_MAX || n == build->catcher)
        return;
    struct model_contingency *lost = &model->contingency[model->contingency_count++];
    snprintf(lost->name, NAME_BYTES, "lose-%u", n);
    lost->kind = CONTINGENCY_LOSS;
    lost->lasting = 1;
    lost->lost_node = n;
}

void mesh_losses(struct build *build)
{
    struct chance *chance = &build->chance;
    struct model *model = &build->model;
    snprintf(model->contingency[0].name, NAME_BYTES, "none");
    model->contingency[0].lost_node = INDEX_NONE;
    model->contingency_count = 1;
    for (uint32_t n = 0; n < build->roots && build->roots > 1; n++)
        if (chance_hit(chance, 0.8))
            may_be_lost(build, n);
    while (chance_hit(chance, 0.4))
        may_be_lost(build, (uint32_t)chance_range(chance, 0, model->node_count - 1));
    if (model->contingency_count < CONTINGENCIES_MAX && chance_hit(chance, 0.3)) {
        struct model_contingency *sag = &model->contingency[model->contingency_count++];
        snprintf(sag->name, NAME_BYTES, "sag");
        sag->kind = CONTINGENCY_SAG;
        sag->lost_node = INDEX_NONE;
    }
}
