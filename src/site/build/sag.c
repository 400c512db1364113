/* SPDX-License-Identifier: Apache-2.0 */
/* How far volts that fall come down. */
#include <string.h>

#include "site/build/build.h"

/* A UPS regulates its output while its inverter feeds it. On its bypass, what is above comes through; which
 * state is on is not known, so the bypass counts where it is one of them. */
static bool holds_up(const struct site *site, uint32_t node)
{
    const struct site_equipment *equipment = &site->equipment[node];

    if (site->model.node[node].kind != NODE_UPS)
        return false;
    for (uint32_t i = 0; i < equipment->state_count; i++)
        if (strstr(equipment->state[i].name, "bypass"))
            return false;
    return true;
}

bool build_sags(const struct site *site, uint32_t node)
{
    const struct model_node *n = &site->model.node[node];

    if (holds_up(site, node))
        return false;
    for (uint32_t p = 0; p < n->parent_count; p++)
        if (build_sags(site, n->parent[p]))
            return true;
    return !n->parent_count;
}

void build_check_volts(struct draft *d, const struct draft_node *draft, const struct site *site,
                       uint32_t node)
{
    const struct model_node *n = &site->model.node[node];

    if (n->kind != NODE_UPS || holds_up(site, node) || !draft->volts_low.at)
        return;
    for (uint32_t p = 0; p < n->parent_count; p++) {
        const struct draft_node *above = &d->node[draft->parent_of[p]];

        if (draft->volts_low_ppm <= above->volts_low_ppm)
            continue;
        finding_at(
            d->errors, draft->volts_low.at,
            "node '%s' may be on its bypass, and then its volts are no higher than those of '%s', drop "
            "volts_low or that state",
            n->name, site->model.node[n->parent[p]].name);
        return;
    }
}
