/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "site/derive.h"
#include "site/flow/sums.h"

int64_t sums_draw_mw(const struct model *model, const struct model_host *host, enum sum_kind kind)
{
    const struct model_host_type *type = &model->type[host->type];

    if (kind == SUM_FAIL_SAFE)
        return derive_draw_max_mw(type, host->fail_safe_mw);
    if (kind == SUM_FLOOR)
        return derive_draw_max_mw(type, host->floor_mw);
    if (kind == SUM_BASE)
        return type->base_max_mw;
    return kind == SUM_PHYS_MAX ? type->phys_max_mw : type->boot_mw;
}

static void add_cord(const struct model *model, const struct model_cord *cord, const int64_t mva[PHASES],
                     int64_t (*sum)[PHASES])
{
    const struct model_node *node = &model->node[cord->node];

    for (uint32_t a = 0; a < node->ancestor_count; a++)
        for (uint32_t ph = 0; ph < PHASES; ph++)
            sum[node->ancestor[a]][ph] += mva[ph];
}

void sums_hosts(const struct model *model, enum sum_kind kind, uint32_t contingency, int64_t (*sum)[PHASES])
{
    memset(sum, 0, model->node_count * sizeof *sum);
    for (uint32_t h = 0; h < model->host_count; h++) {
        const struct model_host *host = &model->host[h];
        int64_t draw = sums_draw_mw(model, host, kind), pf = model->type[host->type].pf_min_ppm, mva[PHASES];

        for (uint32_t j = 0; j < host->cord_count; j++) {
            for (uint32_t ph = 0; ph < PHASES; ph++)
                mva[ph] = derive_contribution_mva(draw, &host->cord[j], contingency, ph, pf);
            add_cord(model, &host->cord[j], mva, sum);
        }
    }
}

/* Has an earlier cord of this host passed through the node? */
static int counted(const struct model *model, const struct model_host *host, uint32_t cord, uint32_t node)
{
    for (uint32_t j = 0; j < cord; j++) {
        const struct model_node *earlier = &model->node[host->cord[j].node];

        for (uint32_t a = 0; a < earlier->ancestor_count; a++)
            if (earlier->ancestor[a] == node)
                return 1;
    }
    return 0;
}

void sums_count_hosts(const struct model *model, uint32_t *count)
{
    memset(count, 0, model->node_count * sizeof *count);
    for (uint32_t h = 0; h < model->host_count; h++)
        for (uint32_t j = 0; j < model->host[h].cord_count; j++) {
            const struct model_node *node = &model->node[model->host[h].cord[j].node];

            for (uint32_t a = 0; a < node->ancestor_count; a++)
                count[node->ancestor[a]] += !counted(model, &model->host[h], j, node->ancestor[a]);
        }
}

static void count_or_fill(struct sums_below *below, const struct model *model, uint32_t *fill)
{
    for (uint32_t h = 0; h < model->host_count; h++)
        for (uint32_t j = 0; j < model->host[h].cord_count; j++) {
            const struct model_node *node = &model->node[model->host[h].cord[j].node];

            for (uint32_t a = 0; a < node->ancestor_count; a++) {
                if (fill)
                    below->cord[fill[node->ancestor[a]]++] = h * CORDS_MAX + j;
                else
                    below->first[node->ancestor[a] + 1]++;
            }
        }
}

int sums_below_start(struct sums_below *below, const struct model *model, struct scratch *scratch)
{
    uint32_t nodes = model->node_count, *fill = scratch_take(scratch, (nodes + 1) * sizeof *fill);

    below->first = scratch_take(scratch, (nodes + 1) * sizeof *below->first);
    below->gap = scratch_take(scratch, (model->host_count + 1) * sizeof *below->gap);
    if (!fill || !below->first || !below->gap)
        return -ENOMEM;
    count_or_fill(below, model, NULL);
    for (uint32_t n = 0; n < nodes; n++)
        below->first[n + 1] += below->first[n];
    memcpy(fill, below->first, nodes * sizeof *fill);
    below->cord = scratch_take(scratch, (below->first[nodes] + 1) * sizeof *below->cord);
    if (!below->cord)
        return -ENOMEM;
    count_or_fill(below, model, fill);
    return 0;
}

static int falling(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;

    return a < b ? 1 : a > b ? -1 : 0;
}

int64_t sums_largest_gaps(const struct model *model, const struct sums_below *below, uint32_t node,
                          enum sum_kind kind, uint32_t contingency, uint32_t phase)
{
    uint32_t count = 0, before = INDEX_NONE, k = model->node[node].k;
    int64_t sum = 0;

    for (uint32_t i = below->first[node]; k && i < below->first[node + 1]; i++) {
        uint32_t h = below->cord[i] / CORDS_MAX;
        const struct model_host *host = &model->host[h];
        int64_t gap = sums_draw_mw(model, host, kind) - sums_draw_mw(model, host, SUM_FAIL_SAFE);

        if (h != before)
            below->gap[count++] = 0;
        before = h;
        below->gap[count - 1] += derive_contribution_mva(gap, &host->cord[below->cord[i] % CORDS_MAX],
                                                         contingency, phase,
                                                         model->type[host->type].pf_min_ppm);
    }
    if (k < count)
        qsort(below->gap, count, sizeof *below->gap, falling);
    for (uint32_t i = 0; i < k && i < count; i++)
        sum += below->gap[i];
    return sum;
}
