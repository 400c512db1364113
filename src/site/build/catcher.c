/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One reserve for many blocks: a node with several parents, a later one of which hangs on the catcher, is a
 * transfer switch that leaves its own block only when that is lost. So what hangs below it counts on the
 * block as a cord does, and on the catcher as a cord of its own that carries nothing until then. A node above
 * block and catcher both counts it twice after that loss: more than flows, never less.
 */
#include <string.h>

#include "site/build/build.h"
#include "site/flow/outage.h"

uint32_t build_reserve_of(const struct site *site, uint32_t node)
{
    const struct model *m = &site->model;
    const struct model_node *n = &m->node[node];

    for (uint32_t p = 1; p < n->parent_count && site->redundancy.catcher != INDEX_NONE; p++)
        if (model_lies_below(m, n->parent[p], site->redundancy.catcher))
            return n->parent[p];
    return INDEX_NONE;
}

uint32_t build_switch_above(const struct site *site, uint32_t node)
{
    const struct model_node *n = &site->model.node[node];

    for (uint32_t a = 0; a < n->ancestor_count; a++)
        if (build_reserve_of(site, n->ancestor[a]) != INDEX_NONE)
            return n->ancestor[a];
    return INDEX_NONE;
}

/* Has the switch left its block? */
static bool transferred(const struct model *m, uint32_t transfer, uint32_t reserve, uint32_t lost)
{
    const struct model_node *n = &m->node[transfer];

    for (uint32_t p = 0; p < n->parent_count; p++)
        if (n->parent[p] != reserve && outage_alive(m, n->parent[p], lost))
            return false;
    return true;
}

void build_reserve_cords(struct draft *d, const struct site *site, const struct draft_row *row,
                         struct model_host *host)
{
    const struct model *m = &site->model;

    for (uint32_t j = 0; j < row->cord_count; j++) {
        const struct model_cord *own = &host->cord[j];
        uint32_t transfer = build_switch_above(site, own->node);

        if (transfer == INDEX_NONE)
            continue;
        if (host->cord_count == CORDS_MAX) {
            finding_at(
                d->errors, row->at,
                "host '%s' has more cords below transfer switches than count on the catcher too, at most "
                "%d together",
                draft_text(&row->id), CORDS_MAX);
            return;
        }
        struct model_cord *cord = &host->cord[host->cord_count++];

        *cord = (struct model_cord){.node = build_reserve_of(site, transfer)};
        memcpy(cord->phase_ppm, own->phase_ppm, sizeof cord->phase_ppm);
        for (uint32_t c = 0; c < m->contingency_count; c++)
            if (transferred(m, transfer, cord->node, m->contingency[c].lost_node))
                cord->share_ppm[c] = own->share_ppm[c];
    }
}

void build_check_catcher(struct draft *d, const struct site *site)
{
    if (site->redundancy.catcher == INDEX_NONE)
        return;
    for (uint32_t n = 0; n < site->model.node_count; n++)
        if (build_reserve_of(site, n) != INDEX_NONE)
            return;
    finding_at(d->errors, d->redundancy.catcher.at,
               "no node can be transferred to '%s', name it, or a node below it, behind the first of their "
               "parents",
               d->redundancy.catcher.text);
}
