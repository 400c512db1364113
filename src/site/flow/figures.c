/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "site/derive.h"
#include "site/flow/figures.h"
#include "site/flow/sums.h"

static int64_t (*cell_of(struct figures_node *node, enum sum_kind kind, uint32_t c))[PHASES]
{
    if (kind == SUM_BASE)
        return &node->base_mva[c];
    return kind == SUM_FAIL_SAFE ? &node->fail_safe_mva[c] : &node->phys_max_mva[c];
}

static int sum_up(struct figures *f, const struct model *m)
{
    static const enum sum_kind kinds[] = {SUM_BASE, SUM_FAIL_SAFE, SUM_PHYS_MAX};
    int64_t(*sum)[PHASES] = calloc(m->node_count + 1, sizeof *sum);

    if (!sum)
        return -ENOMEM;
    for (uint32_t c = 0; c < m->contingency_count; c++)
        for (uint32_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
            sums_hosts(m, kinds[k], c, sum);
            for (uint32_t n = 0; n < m->node_count; n++)
                memcpy(cell_of(&f->node[n], kinds[k], c), sum[n], sizeof sum[n]);
        }
    free(sum);
    return 0;
}

static int count_hosts(struct figures *f, const struct model *m)
{
    uint32_t *count = calloc(m->node_count + 1, sizeof *count);

    if (!count)
        return -ENOMEM;
    sums_count_hosts(m, count);
    for (uint32_t n = 0; n < m->node_count; n++)
        f->node[n].hosts = count[n];
    free(count);
    return 0;
}

int figures_open(struct figures *f, const struct site *site)
{
    const struct model *m = &site->model;

    *f = (struct figures){.node = calloc(m->node_count + 1, sizeof *f->node)};
    int rc = f->node ? sum_up(f, m) : -ENOMEM;

    if (!rc)
        rc = count_hosts(f, m);
    if (!rc)
        rc = outage_open(&f->outage, site);
    if (rc)
        figures_close(f);
    return rc;
}

void figures_close(struct figures *f)
{
    outage_close(&f->outage);
    free(f->node);
    *f = (struct figures){0};
}

int64_t figures_steady_mva(const struct site *site, const struct figures *f, uint32_t node, uint32_t c,
                           uint32_t phase)
{
    const struct model_node *n = &site->model.node[node];

    return f->node[node].fail_safe_mva[c][phase] + n->bad_mva[c][phase] + n->other_mva[phase];
}

struct figures_peak figures_peak(const struct site *site, const struct figures *f, uint32_t node,
                                 uint32_t first, uint32_t last)
{
    const struct model_node *n = &site->model.node[node];
    struct figures_peak peak = {0};

    for (uint32_t c = first; c <= last && c < site->model.contingency_count; c++) {
        if (!site->model.contingency[c].lasting)
            continue;
        for (uint32_t ph = 0; ph < PHASES && !(f->outage.node[node] >> c & 1); ph++) {
            int64_t mva = figures_steady_mva(site, f, node, c, ph), ppm = 0;

            if (n->limited && n->limit_mva[c][ph])
                ppm = derive_round_up(mva, PPM, n->limit_mva[c][ph]);
            if (!peak.any || ppm > peak.ppm || (ppm == peak.ppm && mva > peak.mva))
                peak = (struct figures_peak){true, c, ph, mva, ppm};
        }
    }
    return peak;
}

int64_t figures_unbalance_ppm(const struct figures *f, uint32_t node)
{
    const int64_t *mva = f->node[node].phys_max_mva[0];
    int64_t most = mva[0], least = mva[0];

    for (uint32_t ph = 1; ph < PHASES; ph++) {
        most = mva[ph] > most ? mva[ph] : most;
        least = mva[ph] < least ? mva[ph] : least;
    }
    return most ? derive_round_down(most - least, PPM, most) : 0;
}

int64_t figures_times(const struct site *site, const struct figures *f, uint32_t node)
{
    const struct model_node *n = &site->model.node[node];
    int64_t times = 0;

    for (uint32_t c = 0; n->limited && c < site->model.contingency_count; c++)
        for (uint32_t ph = 0; ph < PHASES && !(f->outage.node[node] >> c & 1); ph++) {
            int64_t one = derive_round_down(f->node[node].phys_max_mva[c][ph], 1000,
                                            n->limit_mva[c][ph] ? n->limit_mva[c][ph] : 1);

            times = one > times ? one : times;
        }
    return times;
}
