/* SPDX-License-Identifier: Apache-2.0 */
/* What hosts draw and have been granted ahead, on every node above them: kept by difference, as the ledger's
 * sums are. */
#include "core/cells.h"
#include "core/compare.h"
#include "core/pool_inside.h"
#include "core/quantum.h"

/* What a meter said long ago tells nothing of now. */
static bool is_silent(const struct pools *pools, uint32_t n)
{
    if (pools->model->node[n].meter == INDEX_NONE)
        return true;
    const struct model_meter *meter = &pools->model->meter[pools->model->node[n].meter];
    return pools->t_ns - pools->node[n].measured_t_ns > 2 * (meter->fresh_ns + meter->period_ns);
}

int64_t pool_load_mva(const struct pools *pools, uint32_t n, uint32_t phase)
{
    const struct pool *pool = &pools->node[n];
    const struct model_node *node = &pools->model->node[n];
    if (pool->measured_mva[0] < 0 || is_silent(pools, n))
        return pool->drawn_mva[0][phase] + node->other_mva[phase];
    /* the one phase of a single-phase node is whichever its hosts hang on */
    return node->phases == 1 ? pool->drawn_mva[0][phase] ? pool->measured_mva[0] : 0
                             : pool->measured_mva[phase];
}

int64_t pool_forecast_mva(const struct pools *pools, uint32_t n, uint32_t phase, int64_t extra_mva)
{
    const struct pool *pool = &pools->node[n];
    return pool_load_mva(pools, n, phase) + pool->ahead_mva[0][phase] + extra_mva;
}

/* ---- changes ---- */

/* The contingency in which a cord carries most of the host: what arbitration counts. */
static uint32_t heaviest_of(const struct model *model, const struct model_cord *cord)
{
    uint32_t heaviest = 0;
    for (uint32_t c = 1; c < model->contingency_count; c++)
        heaviest = cord->share_ppm[c] > cord->share_ppm[heaviest] ? c : heaviest;
    return heaviest;
}

static int64_t fail_safe_draw_mw(const struct pools *pools, uint32_t host)
{
    const struct model_host *h = &pools->model->host[host];
    return draw_of_cap_mw(&pools->model->type[h->type], h->fail_safe_mw);
}

static int64_t over_phases_mva(const int64_t change_mva[PHASES])
{
    int64_t sum_mva = 0;
    for (uint32_t phase = 0; phase < PHASES; phase++)
        sum_mva += change_mva[phase];
    return sum_mva;
}

/* What a draw changes along one cord. */
struct drawn_change {
    int64_t drawn_mva[CELLS_MAX];
    int64_t claim_mva, held_mva;
};

static void work_out(const struct pools *pools, uint32_t host, uint32_t j, int64_t old_mw, int64_t new_mw,
                     struct drawn_change *change)
{
    const struct model *model = pools->model;
    const struct model_cord *cord = &model->host[host].cord[j];
    uint32_t heaviest = heaviest_of(model, cord);
    int64_t pf_ppm = model->type[model->host[host].type].pf_min_ppm;
    int64_t safe_mw = fail_safe_draw_mw(pools, host), held_mva[PHASES];
    cells_change_mva(cord, model->contingency_count, pf_ppm, old_mw, new_mw, change->drawn_mva);
    change->claim_mva = change->held_mva = over_phases_mva(&change->drawn_mva[heaviest * PHASES]);
    if (old_mw >= safe_mw && new_mw >= safe_mw)
        return;
    cells_of_share_mva(cord, pf_ppm, heaviest, larger(old_mw, safe_mw), larger(new_mw, safe_mw), held_mva);
    change->held_mva = over_phases_mva(held_mva);
}

static void add_drawn(struct pools *pools, uint32_t host, int64_t old_mw, int64_t new_mw)
{
    struct drawn_change change;
    const struct model *model = pools->model;
    const struct model_host *h = &model->host[host];
    for (uint32_t j = 0; j < h->cord_count; j++) {
        const struct model_node *node = &model->node[h->cord[j].node];
        work_out(pools, host, j, old_mw, new_mw, &change);
        for (uint32_t a = 0; a < node->ancestor_count; a++) {
            struct pool *pool = &pools->node[node->ancestor[a]];
            pool->claim_mva += change.claim_mva;
            pool->held_mva += change.held_mva;
            cells_add(cells_run(pool->drawn_mva), change.drawn_mva, model->contingency_count * PHASES);
        }
    }
}

/* What is reserved above a draw, on every node: `sign` enters it or takes it out. */
static void add_ahead(struct pools *pools, uint32_t host, const struct pool_host *h, int64_t sign)
{
    int64_t ahead_mva[CELLS_MAX];
    const struct model *model = pools->model;
    const struct model_host *hung = &model->host[host];
    uint32_t cells = model->contingency_count * PHASES;
    if (h->reserved_mw <= h->drawn_mw)
        return;
    for (uint32_t j = 0; j < hung->cord_count; j++) {
        const struct model_node *node = &model->node[hung->cord[j].node];
        cells_change_mva(&hung->cord[j], model->contingency_count, model->type[hung->type].pf_min_ppm,
                         h->drawn_mw, h->reserved_mw, ahead_mva);
        for (uint32_t i = 0; i < cells; i++)
            ahead_mva[i] *= sign;
        for (uint32_t a = 0; a < node->ancestor_count; a++)
            cells_add(cells_run(pools->node[node->ancestor[a]].ahead_mva), ahead_mva, cells);
    }
}

void pool_measure_most(struct pools *pools)
{
    const struct model *model = pools->model;
    for (uint32_t host = 0; host < model->host_count; host++) {
        int64_t safe_mw = fail_safe_draw_mw(pools, host);
        const struct model_host *h = &model->host[host];
        const struct model_host_type *type = &model->type[h->type];
        for (uint32_t i = 0; i < h->cord_count * PHASES; i++) {
            const struct model_cord *cord = &h->cord[i / PHASES];
            const struct model_node *node = &model->node[cord->node];
            int64_t most_mva = draw_on_phase_mva(cord, type->pf_min_ppm, heaviest_of(model, cord), i % PHASES,
                                                 draw_of_cap_mw(type, type->cap_max_mw));
            int64_t safe_mva = draw_on_phase_mva(cord, type->pf_min_ppm, heaviest_of(model, cord), i % PHASES,
                                                 safe_mw);
            for (uint32_t a = 0; a < node->ancestor_count; a++) {
                pools->node[node->ancestor[a]].most_mva += most_mva;
                pools->node[node->ancestor[a]].held_mva += safe_mva;
            }
        }
    }
}

void pool_reserve(struct pools *pools, uint32_t host, int64_t reserved_mw, int64_t until_ns)
{
    struct pool_host *h = &pools->host[host];
    add_ahead(pools, host, h, -1);
    h->reserved_mw = reserved_mw;
    h->until_ns = until_ns;
    add_ahead(pools, host, h, 1);
}

/* A host that was heard and is not any more: it may not even run. */
static bool is_gone(const struct pools *pools, uint32_t host, int64_t t_ns)
{
    const struct ledger_host *account = &pools->ledger->host[host];
    return account->incarnation && t_ns - account->report_t_ns > pools->model->policy.lease_ns;
}

static void expire(struct pools *pools, uint32_t host, int64_t t_ns)
{
    if (pools->host[host].reserved_mw &&
        (t_ns >= pools->host[host].until_ns || is_gone(pools, host, t_ns)))
        pool_reserve(pools, host, 0, 0);
}

void pool_note(struct pools *pools, uint32_t host, int64_t t_ns)
{
    if (!pools->levels)
        return;
    const struct ledger_host *account = &pools->ledger->host[host];
    const struct model_host *h = &pools->model->host[host];
    bool cut = account->bounded && account->exposed_draw_mw > account->newest_draw_mw;
    int64_t unconfirmed_mw = cut ? account->exposed_draw_mw - account->newest_draw_mw : 0;
    int64_t change_mw = unconfirmed_mw - pools->host[host].unconfirmed_mw;
    if (!change_mw)
        return;
    pools->host[host].unconfirmed_mw = unconfirmed_mw;
    for (uint32_t j = 0; j < h->cord_count; j++) {
        const struct model_node *node = &pools->model->node[h->cord[j].node];
        for (uint32_t a = 0; a < node->ancestor_count; a++) {
            struct pool *pool = &pools->node[node->ancestor[a]];
            pool->unconfirmed_mw += change_mw;
            pool->cut_ns = change_mw > 0 ? t_ns : pool->cut_ns;
        }
    }
}

/* Demands round up: a draw that wavers within a quantum changes nothing. */
void pool_report(struct pools *pools, uint32_t host, int64_t draw_mw, int64_t t_ns)
{
    struct pool_host *h = &pools->host[host];
    int64_t drawn_mw = (draw_mw + QUANTUM_HOST_MW - 1) / QUANTUM_HOST_MW * QUANTUM_HOST_MW;
    expire(pools, host, t_ns);
    if (drawn_mw == h->drawn_mw)
        return;
    add_drawn(pools, host, h->drawn_mw, drawn_mw);
    add_ahead(pools, host, h, -1);
    h->drawn_mw = drawn_mw;
    add_ahead(pools, host, h, 1);
}

void pool_tick(struct pools *pools, int64_t t_ns)
{
    uint32_t hosts = pools->model->host_count;
    pools->t_ns = t_ns;
    for (uint32_t i = 0; i < TICK_ITEMS_MAX && i < hosts; i++) {
        expire(pools, pools->swept, t_ns);
        pools->swept = pools->swept + 1 < hosts ? pools->swept + 1 : 0;
    }
}

int64_t pool_reserved_mw(const struct pools *pools, uint32_t host, int64_t t_ns)
{
    const struct pool_host *h = &pools->host[host];
    return t_ns < h->until_ns ? h->reserved_mw : 0;
}
