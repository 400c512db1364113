/* SPDX-License-Identifier: Apache-2.0 */
/* Fail-safe caps that the file leaves open. */
#include <errno.h>

#include "site/build/build.h"
#include "site/fail_safe.h"
#include "site/flow/outage.h"

/* May the node pass its limit in every lasting state that it outlives? Where it may not, every watt of a
 * fail-safe cap is one less to hand out. */
static bool lends_always(const struct model *m, uint32_t node)
{
    const struct model_node *n = &m->node[node];

    for (uint32_t c = 0; n->limited && c < m->contingency_count; c++)
        if (m->contingency[c].lasting && outage_alive(m, node, m->contingency[c].lost_node) &&
            !(n->lend >> c & 1))
            return false;
    return true;
}

static bool all_lend(const struct model *m, const uint8_t *lends, const struct model_host *host)
{
    for (uint32_t j = 0; j < host->cord_count; j++) {
        const struct model_node *n = &m->node[host->cord[j].node];

        for (uint32_t a = 0; a < n->ancestor_count; a++)
            if (!lends[n->ancestor[a]])
                return false;
    }
    return true;
}

int build_fail_safe(struct draft *d, struct site *site)
{
    struct model *m = &site->model;
    uint8_t *lends = scratch_take(&d->scratch, m->node_count + 1);
    bool any = false;

    if (!lends)
        return -ENOMEM;
    for (uint32_t n = 0; n < m->node_count; n++)
        lends[n] = lends_always(m, n);
    for (uint32_t h = 0; h < m->host_count && d->policy.fail_safe.number != FAIL_SAFE_LOWEST; h++) {
        const struct draft_row *row = &d->row[d->host[d->host_order[h]].row];

        site->computed[h] =
            !row->fail_safe.at && !d->type[row->type_of].fail_safe.at &&
            (d->policy.fail_safe.number == FAIL_SAFE_LARGEST || all_lend(m, lends, &m->host[h]));
        any |= site->computed[h];
    }
    return any ? fail_safe_raise(m, site->computed, &d->scratch) : 0;
}
