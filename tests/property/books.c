/* SPDX-License-Identifier: Apache-2.0 */
#include "books.h"

#include "core/draw.h"
#include "model_builder.h"

struct anew {
    int64_t exposed_mva, newest_mva, safe_mva, committed_mva, drawn_mva;
};

static void add_host(const struct core *core, uint32_t host, uint32_t n, uint32_t c, uint32_t phase,
                     struct anew *sum)
{
    const struct model_host *h = &core->model->host[host];
    const struct ledger_host *account = &core->ledger.host[host];
    const struct pool_host *pool = &core->pools.host[host];
    int64_t pf_ppm = core->model->type[h->type].pf_min_ppm;
    for (uint32_t j = 0; j < h->cord_count; j++) {
        const struct model_cord *cord = &h->cord[j];
        if (!model_above(core->model, n, cord->node))
            continue;
        int64_t committed_mw = pool->reserved_mw > pool->drawn_mw ? pool->reserved_mw : pool->drawn_mw;
        sum->exposed_mva += draw_on_phase_mva(cord, pf_ppm, c, phase, account->exposed_draw_mw);
        sum->newest_mva += draw_on_phase_mva(cord, pf_ppm, c, phase, account->newest_draw_mw);
        sum->safe_mva += draw_on_phase_mva(cord, pf_ppm, c, phase, account->safe_draw_mw);
        sum->committed_mva += draw_on_phase_mva(cord, pf_ppm, c, phase, committed_mw);
        sum->drawn_mva += draw_on_phase_mva(cord, pf_ppm, c, phase, pool->drawn_mw);
    }
}

static const char *cell_balances(const struct core *core, uint32_t n, uint32_t c, uint32_t phase,
                                 uint32_t *over)
{
    const struct model_node *node = &core->model->node[n];
    const struct ledger_sums *sums = &core->ledger.node[n];
    const struct pool *pool = &core->pools.node[n];
    int64_t standing_mva = node->bad_mva[c][phase] + node->other_mva[phase] + sums->raised_mva[phase];
    struct anew sum = {.exposed_mva = standing_mva, .newest_mva = standing_mva, .safe_mva = standing_mva};
    for (uint32_t host = 0; host < core->model->host_count; host++)
        add_host(core, host, n, c, phase, &sum);
    *over += sum.exposed_mva > sums->ceiling_mva[c][phase];
    if (sum.exposed_mva != sums->exposed_mva[c][phase])
        return "D is not the sum of its hosts";
    if (sum.newest_mva != sums->newest_mva[c][phase])
        return "S is not the sum of its hosts";
    if (sum.safe_mva != sums->safe_mva[c][phase])
        return "S at fail-safe is not the sum of its hosts";
    if (sum.committed_mva != pool_committed_mva(pool, c, phase))
        return "what is committed is not the sum of its hosts";
    if (sum.drawn_mva != pool->drawn_mva[c][phase])
        return "what is drawn is not the sum of its hosts";
    for (uint32_t i = 0; i < 2; i++)
        if (sums->left_mva[i] > 0 && sums->left_mva[i] > sums->limit_mva[c][phase] -
                                                             (i ? sum.newest_mva : sum.exposed_mva))
            return "less is left than is known to be left";
    if (sums->ceiling_mva[c][phase] < sums->limit_mva[c][phase])
        return "a ceiling is below its limit";
    return NULL;
}

/* All phases of the contingency in which a cord carries most of its host. */
static const char *claims_balance(const struct core *core, uint32_t n)
{
    const struct model *model = core->model;
    int64_t claim_mva = 0, held_mva = 0;
    for (uint32_t i = 0; i < model->host_count * CORDS_MAX * PHASES; i++) {
        uint32_t host = i / PHASES / CORDS_MAX, j = i / PHASES % CORDS_MAX, heaviest = 0;
        const struct model_host *h = &model->host[host];
        const struct model_cord *cord = &h->cord[j];
        const struct model_host_type *type = &model->type[h->type];
        int64_t drawn_mw = core->pools.host[host].drawn_mw, safe_mw = draw_of_cap_mw(type, h->fail_safe_mw);
        if (j >= h->cord_count || !model_above(model, n, cord->node))
            continue;
        for (uint32_t c = 1; c < model->contingency_count; c++)
            heaviest = cord->share_ppm[c] > cord->share_ppm[heaviest] ? c : heaviest;
        claim_mva += draw_on_phase_mva(cord, type->pf_min_ppm, heaviest, i % PHASES, drawn_mw);
        held_mva += draw_on_phase_mva(cord, type->pf_min_ppm, heaviest, i % PHASES,
                                      drawn_mw > safe_mw ? drawn_mw : safe_mw);
    }
    if (claim_mva != core->pools.node[n].claim_mva)
        return "what is claimed is not the sum of its hosts";
    return held_mva == core->pools.node[n].held_mva ? NULL : "what is held is not the sum of its hosts";
}

const char *books_balance(const struct core *core)
{
    uint32_t cells = core->model->contingency_count * PHASES, over = 0;
    const char *problem = NULL;
    for (uint32_t i = 0; !problem && i < core->model->node_count * cells; i++)
        problem = cell_balances(core, i / cells, i % cells / PHASES, i % PHASES, &over);
    for (uint32_t n = 0; !problem && n < core->model->node_count; n++)
        problem = claims_balance(core, n);
    if (!problem && over != core->ledger.over_count)
        problem = "cells over their ceiling are not as many as are counted";
    return problem;
}
