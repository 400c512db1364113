/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "site/coordination/parts.h"

const char *const coordination_term_words[LEASE_TERM_COUNT] = {
#define COORDINATION_SYMBOL(symbol, words) words,
    COORDINATION_LEASE_TERMS(COORDINATION_SYMBOL)
#undef COORDINATION_SYMBOL
};

const char *const coordination_relax_words[RELAX_COUNT] = {
#define COORDINATION_SYMBOL(symbol, words) words,
    COORDINATION_RELAXES(COORDINATION_SYMBOL)
#undef COORDINATION_SYMBOL
};

/* What the ledger's sums do not hold: every host starting, every cap at its floor. */
static int sum_up(struct coordination_place *place, const struct model *m, struct scratch *scratch)
{
    int64_t(*sum)[PHASES] = scratch_take(scratch, (m->node_count + 1) * sizeof *sum);

    place->boot_mva = scratch_take(scratch, (m->node_count + 1) * sizeof *place->boot_mva);
    place->floor_mva = scratch_take(scratch, (m->node_count + 1) * sizeof *place->floor_mva);
    if (!sum || !place->boot_mva || !place->floor_mva)
        return -ENOMEM;
    for (uint32_t c = 0; c < m->contingency_count; c++) {
        sums_hosts(m, SUM_BOOT, c, sum);
        for (uint32_t n = 0; n < m->node_count; n++)
            memcpy(place->boot_mva[n][c], sum[n], sizeof sum[n]);
        sums_hosts(m, SUM_FLOOR, c, sum);
        for (uint32_t n = 0; n < m->node_count; n++)
            memcpy(place->floor_mva[n][c], sum[n], sizeof sum[n]);
    }
    return 0;
}

static int find_slowest(struct coordination_place *place, const struct model *m, struct scratch *scratch)
{
    place->actuation_ns = scratch_take(scratch, (m->node_count + 1) * sizeof *place->actuation_ns);
    if (!place->actuation_ns)
        return -ENOMEM;
    for (uint32_t h = 0; h < m->host_count; h++)
        for (uint32_t j = 0; j < m->host[h].cord_count; j++) {
            const struct model_node *node = &m->node[m->host[h].cord[j].node];
            int64_t own_ns = m->type[m->host[h].type].actuation_ns;

            for (uint32_t a = 0; a < node->ancestor_count; a++)
                if (own_ns > place->actuation_ns[node->ancestor[a]])
                    place->actuation_ns[node->ancestor[a]] = own_ns;
        }
    return 0;
}

static int look_at_nodes(struct coordination *coordination, const struct site *site,
                         const struct figures *figures)
{
    const struct model *m = &site->model;
    struct response response;
    struct scratch scratch = {0};
    struct sums_below below = {0};
    struct coordination_place place = {.site = site, .figures = figures, .below = &below};
    int rc = sums_below_start(&below, m, &scratch);

    if (!rc)
        rc = sum_up(&place, m, &scratch);
    if (!rc)
        rc = find_slowest(&place, m, &scratch);
    needs_response(m, &response);
    place.fresh_ns = response.fresh_ns;
    for (place.node = 0; place.node < m->node_count && !rc; place.node++) {
        struct coordination_node *row = &coordination->node[place.node];

        coordination_time(&place, row);
        coordination_lend(&place, row);
        coordination_boot(&place, row);
    }
    scratch_free(&scratch);
    return rc;
}

int coordination_open(struct coordination *coordination, const struct site *site,
                      const struct figures *figures)
{
    *coordination = (struct coordination){0};
    coordination->node = calloc((size_t)site->model.node_count + 1, sizeof *coordination->node);
    int rc = coordination->node ? coordination_find_pairs(coordination, site) : -ENOMEM;

    if (!rc)
        rc = look_at_nodes(coordination, site, figures);
    if (rc)
        coordination_close(coordination);
    return rc;
}

void coordination_close(struct coordination *coordination)
{
    free(coordination->pair);
    free(coordination->node);
    *coordination = (struct coordination){0};
}
