/* SPDX-License-Identifier: Apache-2.0 */
/* Shed actions that are never taken, and nodes where one is missing. */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "site/build/build.h"
#include "site/flow/sums.h"

/* Emergencies are seen where a meter covers a device. */
static bool may_come(const struct model_node *n)
{
    return n->limited && n->meter != INDEX_NONE;
}

static bool says_none(const struct draft *d, const struct draft_node *node)
{
    const struct value *said = node->shed.at ? &node->shed : &d->policy.shed;

    return said->at && !strcmp(said->text, DRAFT_SHED_NONE);
}

static void warn_never(struct draft *d, const struct site *site)
{
    for (uint32_t i = 0; i < site->model.node_count; i++) {
        const struct model_node *n = &site->model.node[i];
        const struct draft_node *node = &d->node[d->node_order[i]];

        if (node->shed.at && site->shed_of[i] != INDEX_NONE && !may_come(n))
            finding_at(d->warnings, node->shed.at,
                       "node '%s' names a shed action and has no %s: no emergency is seen there, it is never "
                       "taken", n->name, n->limited ? "meter" : "limit");
    }
}

static void warn_unnamed(struct draft *d, const struct site *site)
{
    for (uint32_t s = 0; s < site->shed_count; s++) {
        bool named = false;

        for (uint32_t i = 0; i < site->model.node_count; i++)
            named |= site->shed_of[i] == s;
        if (!named)
            finding_at(d->warnings, d->shed[s].id.at,
                       "shed action '%s' is named by no node and not by policy: it is never taken",
                       site->shed[s].name);
    }
}

/* Could the hosts below pass the limit, were none of them to obey? What is lent counts on obedience
 * anyway. */
static bool may_pass(const struct site *site, uint32_t node, const int64_t draw_mva[PHASES])
{
    const struct model_node *n = &site->model.node[node];
    bool pass = n->lend & 1;

    for (uint32_t phase = 0; phase < PHASES; phase++)
        pass |= draw_mva[phase] + n->other_mva[phase] > n->limit_mva[0][phase];
    return pass;
}

/* A site without any such section is asked only where it lends: there nothing but obedience keeps the
 * limit. */
static bool is_missed(const struct draft *d, const struct site *site, uint32_t node,
                      const int64_t draw_mva[PHASES])
{
    const struct model_node *n = &site->model.node[node];

    if (!may_come(n) || site->shed_of[node] != INDEX_NONE || says_none(d, &d->node[d->node_order[node]]))
        return false;
    return n->lend & 1 || (site->shed_count && may_pass(site, node, draw_mva));
}

static int warn_missing(struct draft *d, const struct site *site)
{
    enum { NAMED = 3 };
    const struct model *m = &site->model;
    int64_t(*draw)[PHASES] = scratch_take(&d->scratch, (m->node_count + 1) * sizeof *draw);
    char line[NAMED * (NAME_BYTES + 2) + 8] = "";
    uint32_t count = 0, first = INDEX_NONE;
    size_t used = 0;

    if (!draw)
        return -ENOMEM;
    sums_hosts(m, SUM_PHYS_MAX, 0, draw);
    for (uint32_t i = 0; i < m->node_count; i++) {
        if (!is_missed(d, site, i, draw[i]))
            continue;
        if (count < NAMED)
            used += (size_t)snprintf(line + used, sizeof line - used, "%s%s", count ? ", " : "",
                                     m->node[i].name);
        first = count++ ? first : i;
    }
    if (count)
        finding_at(
            d->warnings, d->node[d->node_order[first]].at,
            "%u node%s (%s%s): no shed action: what fail-safe does not end there goes on until a device "
            "trips, name one with shed:, or none",
            count, count > 1 ? "s" : "", line, count > NAMED ? ", ..." : "");
    return 0;
}

int check_sheds(struct draft *d, const struct site *site)
{
    warn_never(d, site);
    warn_unnamed(d, site);
    return warn_missing(d, site);
}
