/* SPDX-License-Identifier: Apache-2.0 */
/* How far volts that fall come down. */
#include <string.h>

#include "site/build/build.h"

/* A UPS regulates its output while its inverter feeds it. In any other state (bypass, eco, maintenance) what
 * is above comes through; which state is on is not known, so one such counts where it is among them. */
static bool feeds_by_inverter(const char *state)
{
    static const char *const by_inverter[] = {"ups", "inverter", "battery"};

    for (size_t i = 0; i < sizeof by_inverter / sizeof by_inverter[0]; i++)
        if (!strcmp(state, by_inverter[i]))
            return true;
    return false;
}

static bool holds_up(const struct site *site, uint32_t node)
{
    const struct site_equipment *equipment = &site->equipment[node];

    if (site->model.node[node].kind != NODE_UPS)
        return false;
    for (uint32_t i = 0; i < equipment->state_count; i++)
        if (!feeds_by_inverter(equipment->state[i].name))
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

/* A UPS that may let volts through to a node, nothing that regulates them between; INDEX_NONE: none. */
static uint32_t let_through(const struct site *site, uint32_t node)
{
    const struct model_node *n = &site->model.node[node];

    if (n->kind == NODE_UPS)
        return holds_up(site, node) ? INDEX_NONE : node;
    if (n->kind == NODE_TRANSFORMER)
        return INDEX_NONE;
    for (uint32_t p = 0; p < n->parent_count; p++) {
        uint32_t ups = let_through(site, n->parent[p]);

        if (ups != INDEX_NONE)
            return ups;
    }
    return INDEX_NONE;
}

void build_check_volts(struct draft *d, const struct draft_node *draft, const struct site *site,
                       uint32_t node)
{
    const struct model_node *n = &site->model.node[node];
    uint32_t ups = let_through(site, node);

    if (ups == INDEX_NONE || !draft->volts_low.at)
        return;
    for (uint32_t p = 0; p < n->parent_count; p++) {
        const struct draft_node *above = &d->node[draft->parent_of[p]];

        if ((ups != node && let_through(site, n->parent[p]) == INDEX_NONE) ||
            draft->volts_low_ppm <= above->volts_low_ppm)
            continue;
        finding_at(d->errors, draft->volts_low.at,
                   "node '%s' may be on its bypass, and then the volts of '%s' are no higher than those of "
                   "'%s', drop volts_low or that state",
                   site->model.node[ups].name, n->name, site->model.node[n->parent[p]].name);
        return;
    }
}
