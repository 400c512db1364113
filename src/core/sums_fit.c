/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the sums keep to their limits above one host, as they stand and with another draw of it. */
#include "core/compare.h"
#include "core/sums_inside.h"

/* What every cord of a host changes, and the most that all of them together may change in a cell. */
struct trial {
    int64_t delta_mva[CORDS_MAX][CELLS_MAX];
    int64_t most_mva;
};

/* Cell by cell. Where cords of the host meet a node carries the sum of what they change. */
static bool fits(const struct ledger *ledger, const struct model_host *h, uint32_t n, enum sum sum,
                 const struct trial *trial)
{
    struct ledger_sums *sums = &ledger->node[n];
    const int64_t *limit_mva = cells_run(sums->limit_mva), *sum_mva = cells_of(sums, sum);
    uint32_t cells = ledger->model->contingency_count * PHASES;
    int64_t left_mva[CELLS_MAX], least_mva = 0;
    for (uint32_t i = 0; i < cells; i++)
        left_mva[i] = limit_mva[i] - sum_mva[i];
    for (uint32_t j = 0; j < h->cord_count; j++)
        if (model_lies_below(ledger->model, h->cord[j].node, n))
            for (uint32_t i = 0; i < cells; i++)
                left_mva[i] -= trial->delta_mva[j][i];
    for (uint32_t i = 0; i < cells; i++)
        least_mva |= left_mva[i];
    return least_mva >= 0;
}

static bool fits_above(const struct ledger *ledger, uint32_t host, enum sum sum, const struct trial *trial)
{
    const struct model *model = ledger->model;
    const struct model_host *h = &model->host[host];
    uint32_t cells = model->contingency_count * PHASES;
    for (uint32_t j = 0; j < h->cord_count; j++) {
        const struct model_node *node = &model->node[h->cord[j].node];
        for (uint32_t a = 0; a < node->ancestor_count; a++) {
            struct ledger_sums *sums = &ledger->node[node->ancestor[a]];
            if (sums->left_mva[sum] > 0 && sums->left_mva[sum] >= trial->most_mva)
                continue;
            if (look_left_mva(sums, sum, cells) < trial->most_mva &&
                !fits(ledger, h, node->ancestor[a], sum, trial))
                return false;
        }
    }
    return true;
}

bool sums_fit(const struct ledger *ledger, uint32_t host, enum sum sum, int64_t old_mw, int64_t new_mw)
{
    struct trial trial;
    const struct model *model = ledger->model;
    const struct model_host *h = &model->host[host];
    if (old_mw == new_mw)
        return !sums_over(ledger, host, sum);
    trial.most_mva = 0;
    for (uint32_t j = 0; j < h->cord_count; j++) {
        cells_change_mva(&h->cord[j], model->contingency_count, pf_of(ledger, host), old_mw, new_mw,
                         trial.delta_mva[j]);
        trial.most_mva += cells_most_mva(trial.delta_mva[j], model->contingency_count * PHASES);
    }
    return fits_above(ledger, host, sum, &trial);
}

/* What its cords add at this node, of one contingency. */
static int64_t added_mva(const struct ledger *ledger, uint32_t host, uint32_t n, const struct trial *trial,
                         uint32_t cell)
{
    const struct model_cord *cord = ledger->model->host[host].cord;
    int64_t sum_mva = 0;
    for (uint32_t j = 0; j < ledger->model->host[host].cord_count; j++)
        if (model_lies_below(ledger->model, cord[j].node, n))
            sum_mva += trial->delta_mva[j][cell];
    return sum_mva;
}

static bool fits_safe(const struct ledger *ledger, uint32_t host, uint32_t n, const struct trial *trial)
{
    struct ledger_sums *sums = &ledger->node[n];
    const int64_t *steady_mva = cells_run(sums->steady_mva), *safe_mva = cells_of(sums, SUM_SAFE);
    for (uint32_t i = 0; i < ledger->model->contingency_count * PHASES; i++) {
        uint32_t c = i / PHASES;
        bool lasting = c == 0 || ledger->model->contingency[c].lasting;
        if (lasting && safe_mva[i] + added_mva(ledger, host, n, trial, i) > steady_mva[i])
            return false;
    }
    return true;
}

bool sums_fit_safe(const struct ledger *ledger, uint32_t host, int64_t old_mw, int64_t new_mw)
{
    struct trial trial;
    const struct model *model = ledger->model;
    const struct model_host *h = &model->host[host];
    for (uint32_t j = 0; j < h->cord_count; j++)
        cells_change_mva(&h->cord[j], model->contingency_count, pf_of(ledger, host), old_mw, new_mw,
                         trial.delta_mva[j]);
    for (uint32_t j = 0; j < h->cord_count; j++) {
        const struct model_node *node = &model->node[h->cord[j].node];
        for (uint32_t a = 0; a < node->ancestor_count; a++)
            if (!fits_safe(ledger, host, node->ancestor[a], &trial))
                return false;
    }
    return true;
}

bool sums_over(const struct ledger *ledger, uint32_t host, enum sum sum)
{
    const struct model *model = ledger->model;
    const struct model_host *h = &model->host[host];
    for (uint32_t j = 0; j < h->cord_count; j++) {
        const struct model_node *node = &model->node[h->cord[j].node];
        for (uint32_t a = 0; a < node->ancestor_count; a++)
            if (node_over(&ledger->node[node->ancestor[a]], sum, model->contingency_count * PHASES))
                return true;
    }
    return false;
}
