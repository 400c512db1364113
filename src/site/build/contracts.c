/* SPDX-License-Identifier: Apache-2.0 */
/* Contracts as written, in terms of the model: one node, several, or all that nothing feeds. */
#include <stdio.h>

#include "site/build/build.h"

/* What flows through both would count twice in what the meters show. */
static void add_node(struct draft *d, const struct model *m, const struct draft_contract *from,
                     const struct tree *at, uint32_t node, struct site_contract *out)
{
    for (uint32_t i = 0; out->node != INDEX_NONE && i <= out->also_count; i++) {
        uint32_t other = i ? out->also[i - 1] : out->node;
        bool below = model_lies_below(m, node, other);

        if (below || model_lies_below(m, other, node))
            finding_at(d->errors, at,
                       "contract '%s': '%s' lies below '%s' and counts there, name one of them",
                       draft_text(&from->id), m->node[below ? node : other].name,
                       m->node[below ? other : node].name);
    }
    if (out->node == INDEX_NONE)
        out->node = node;
    else if (out->also_count < ORDER_NODES_MAX - 1)
        out->also[out->also_count++] = (uint16_t)node;
    else
        finding_at(d->errors, at, "contract '%s' bounds more than %d nodes together, that is the most",
                   draft_text(&from->id), ORDER_NODES_MAX);
}

static void add_roots(struct draft *d, const struct model *m, const struct draft_contract *from,
                      struct site_contract *out)
{
    for (uint32_t n = 0; n < m->node_count; n++)
        if (!m->node[n].parent_count)
            add_node(d, m, from, from->node.at, n, out);
}

static void add_named(struct draft *d, const struct model *m, const struct draft_contract *from,
                      struct site_contract *out)
{
    const struct tree *at = from->nodes.at ? from->nodes.at->first : from->node.at;

    for (uint32_t i = 0; i < from->node_count; i++, at = at->next)
        add_node(d, m, from, at, d->node[from->node_of[i]].rank, out);
}

void build_contracts(struct draft *d, struct site *site)
{
    for (uint32_t i = 0; i < d->contract_count; i++) {
        const struct draft_contract *from = &d->contract[i];
        struct site_contract *out = &site->contract[i];

        *out = (struct site_contract){.node = INDEX_NONE,
                                      .from_s = (uint32_t)from->from_s,
                                      .to_s = (uint32_t)from->to_s,
                                      .days = from->days_of,
                                      .cap_mw = from->cap.number,
                                      .ramp_up_mw_per_s = from->ramp.up.number * 1000,
                                      .ramp_down_mw_per_s = from->ramp.down.number * 1000};
        snprintf(out->name, sizeof out->name, "%s", from->id.text);
        if (from->whole)
            add_roots(d, &site->model, from, out);
        else
            add_named(d, &site->model, from, out);
        if (out->also_count && from->ramp_at.at)
            finding_at(d->errors, from->ramp_at.at,
                       "contract '%s' has a ramp over several nodes, write one for each of them",
                       draft_text(&from->id));
    }
    site->contract_count = d->contract_count;
}
