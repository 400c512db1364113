/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Progressive filling: all hosts rise together in proportion to their weights; who has enough or meets a full
 * node stops.
 *
 * A node that may lend is bounded by what flows there now: its amperes at the level of its pool, above it
 * while burst credit lasts. What could flow after a loss, or before leases run out, is not held against it:
 * it may pass the steady limit up to what the curve admits, and no load at the level comes near that. After
 * a loss nothing is lent against it: then the steady limit holds, as where nothing is lent at all. So this
 * bounds what any controller reaches that obeys I1 to I5 from above.
 */
#include <math.h>
#include <stdlib.h>

#include "sim/baseline.h"
#include "sim/capacity.h"

struct use {
    uint32_t bound;             /* index of (node, contingency, phase) */
    double va_per_w;
};

struct use_at {
    uint32_t node, contingency;
};

struct oracle_host {
    double base_w, weight;
    uint32_t use_first, use_count;
    bool rising;
};

struct oracle {
    const struct model *model;
    const struct grid *grid;    /* NULL: nothing is ever lost, volts are nominal */
    uint32_t present;           /* contingency that has come about, 0: none */
    double *credit_vas;         /* by node: burst credit left, worst phase */
    uint32_t host_count, bound_count;
    struct oracle_host *host;
    struct use *use;
    double *room_va;            /* by bound */
    double *left_va, *slope;    /* scratch of one instant */
};

static uint32_t bound_index(uint32_t node, uint32_t contingency, uint32_t phase)
{
    return (node * CONTINGENCIES_MAX + contingency) * PHASES + phase;
}

static bool lends(const struct oracle *oracle, const struct model_node *node)
{
    return !oracle->present && node->lend & 1 && node->level_mva > 0;
}

/* Whether draws are held to a limit there: not what is dark, nor losses whose reserve is lent. */
static bool is_bound(const struct oracle *oracle, uint32_t node, uint32_t contingency)
{
    const struct model_node *n = &oracle->model->node[node];
    if (!n->limited || (oracle->grid && !oracle->grid->node[node].live))
        return false;
    return contingency == oracle->present || !(n->lend >> contingency & 1);
}

/* What a cord carries: at a pool what truly flows, else the most that may. */
static double share_at(const struct oracle *oracle, const struct model_host *host, uint32_t cord,
                       const struct use_at *at)
{
    double share = (double)host->cord[cord].share_ppm[at->contingency] / 1e6, all = 0;
    if (at->contingency != oracle->present || !lends(oracle, &oracle->model->node[at->node]))
        return share;
    for (uint32_t j = 0; j < host->cord_count; j++)
        all += (double)host->cord[j].share_ppm[at->contingency] / 1e6;
    return all > 0 ? share / all : 0;
}

static uint32_t list_uses(const struct oracle *oracle, uint32_t host, struct use *use)
{
    const struct model *model = oracle->model;
    const struct model_host *h = &model->host[host];
    double pf = (double)model->type[h->type].pf_min_ppm / 1e6;
    uint32_t count = 0;
    for (uint32_t i = 0; i < h->cord_count; i++) {
        const struct model_cord *cord = &h->cord[i];
        const struct model_node *node = &model->node[cord->node];
        uint32_t bounds = node->ancestor_count * model->contingency_count * PHASES;
        for (uint32_t k = 0; k < bounds; k++) {
            uint32_t above = node->ancestor[k / (model->contingency_count * PHASES)];
            uint32_t contingency = k / PHASES % model->contingency_count, phase = k % PHASES;
            if (!is_bound(oracle, above, contingency))
                continue;
            double share = share_at(oracle, h, i, &(struct use_at){above, contingency});
            use[count++] = (struct use){
                .bound = bound_index(above, contingency, phase),
                .va_per_w = share * (double)cord->phase_ppm[phase] / 1e6 / pf,
            };
        }
    }
    return count;
}

static double level_va(const struct oracle *oracle, uint32_t node, uint32_t phase)
{
    const struct model_node *n = &oracle->model->node[node];
    int64_t level_mva = oracle->credit_vas[node] > 0 ? n->level_burst_mva : n->level_mva;
    double volts = (double)n->volts_ln_mv / 1e3, other_va = (double)n->other_mva[phase] / 1e3;
    if (oracle->grid) {
        volts = oracle->grid->node[node].volts[phase];
        other_va = grid_other_w(oracle->grid, node, phase);
    }
    return (double)level_mva / (double)n->volts_low_mv * volts - other_va;
}

static void find_rooms(struct oracle *oracle)
{
    for (uint32_t b = 0; b < oracle->bound_count; b++) {
        uint32_t node = b / (CONTINGENCIES_MAX * PHASES), phase = b % PHASES;
        uint32_t contingency = b / PHASES % CONTINGENCIES_MAX;
        if (contingency == oracle->present && lends(oracle, &oracle->model->node[node]))
            oracle->room_va[b] = level_va(oracle, node, phase);
        else
            oracle->room_va[b] = (double)capacity_room_mva(oracle->model, node, contingency, phase) / 1e3;
    }
}

static void fill_oracle(struct oracle *oracle)
{
    const struct model *model = oracle->model;
    uint32_t next = 0;
    for (uint32_t h = 0; h < model->host_count; h++) {
        struct oracle_host *host = &oracle->host[h];
        host->base_w = (double)model->type[model->host[h].type].base_max_mw / 1e3;
        host->weight = model->host[h].weight ? model->host[h].weight : 1;
        host->use_first = next;
        host->use_count = list_uses(oracle, h, oracle->use + next);
        next += host->use_count;
    }
}

struct oracle *oracle_create(const struct model *model, const struct grid *grid)
{
    struct oracle *oracle = calloc(1, sizeof(*oracle));
    if (!oracle)
        return NULL;
    oracle->model = model;
    oracle->grid = grid;
    oracle->host_count = model->host_count;
    oracle->bound_count = model->node_count * CONTINGENCIES_MAX * PHASES;
    size_t uses = (size_t)model->host_count * CORDS_MAX * ANCESTORS_MAX * model->contingency_count * PHASES;
    oracle->host = calloc(model->host_count + 1, sizeof(*oracle->host));
    oracle->use = calloc(uses + 1, sizeof(*oracle->use));
    oracle->room_va = calloc(oracle->bound_count + 1, sizeof(*oracle->room_va));
    oracle->left_va = calloc(oracle->bound_count + 1, sizeof(*oracle->left_va));
    oracle->slope = calloc(oracle->bound_count + 1, sizeof(*oracle->slope));
    oracle->credit_vas = calloc(model->node_count + 1, sizeof(*oracle->credit_vas));
    if (!oracle->host || !oracle->use || !oracle->room_va || !oracle->left_va || !oracle->slope ||
        !oracle->credit_vas) {
        oracle_destroy(oracle);
        return NULL;
    }
    for (uint32_t n = 0; n < model->node_count; n++)
        oracle->credit_vas[n] = (double)model->node[n].burst_credit_va_ns_max / 1e9;
    fill_oracle(oracle);
    return oracle;
}

void oracle_destroy(struct oracle *oracle)
{
    if (!oracle)
        return;
    free(oracle->host);
    free(oracle->use);
    free(oracle->room_va);
    free(oracle->left_va);
    free(oracle->slope);
    free(oracle->credit_vas);
    free(oracle);
}

static void spend(struct oracle *oracle, const struct oracle_host *host, double watts)
{
    for (uint32_t i = 0; i < host->use_count; i++) {
        const struct use *use = &oracle->use[host->use_first + i];
        oracle->left_va[use->bound] -= use->va_per_w * watts;
    }
}

static void tilt(struct oracle *oracle, const struct oracle_host *host, double sign)
{
    for (uint32_t i = 0; i < host->use_count; i++) {
        const struct use *use = &oracle->use[host->use_first + i];
        oracle->slope[use->bound] += sign * use->va_per_w * host->weight;
    }
}

static bool all_fits(struct oracle *oracle, const double *demand_w, double *granted_w)
{
    for (uint32_t b = 0; b < oracle->bound_count; b++)
        oracle->left_va[b] = oracle->room_va[b];
    for (uint32_t h = 0; h < oracle->host_count; h++) {
        granted_w[h] = demand_w[h];
        spend(oracle, &oracle->host[h], demand_w[h]);
    }
    for (uint32_t h = 0; h < oracle->host_count; h++) {
        const struct oracle_host *host = &oracle->host[h];
        for (uint32_t i = 0; i < host->use_count; i++) {
            if (oracle->left_va[oracle->use[host->use_first + i].bound] < 0)
                return false;
        }
    }
    return true;
}

/* Everyone at what no cap governs; who wants more starts to rise. Returns how many. */
static uint32_t start_rising(struct oracle *oracle, const double *demand_w, double *granted_w)
{
    uint32_t rising = 0;
    for (uint32_t b = 0; b < oracle->bound_count; b++) {
        oracle->left_va[b] = oracle->room_va[b];
        oracle->slope[b] = 0;
    }
    for (uint32_t h = 0; h < oracle->host_count; h++) {
        struct oracle_host *host = &oracle->host[h];
        granted_w[h] = fmin(demand_w[h], host->base_w);
        spend(oracle, host, granted_w[h]);
        host->rising = demand_w[h] > granted_w[h];
        if (!host->rising)
            continue;
        tilt(oracle, host, 1.0);
        rising++;
    }
    return rising;
}

static bool meets_bound(const struct oracle *oracle, const struct oracle_host *host)
{
    for (uint32_t i = 0; i < host->use_count; i++) {
        if (oracle->left_va[oracle->use[host->use_first + i].bound] <= 1e-6)
            return true;
    }
    return false;
}

/* How far all may rise together until the first one is satisfied or the first bound is met. */
static double next_stop(const struct oracle *oracle, const double *demand_w, const double *granted_w)
{
    double rise = INFINITY;
    for (uint32_t h = 0; h < oracle->host_count; h++) {
        const struct oracle_host *host = &oracle->host[h];
        if (host->rising)
            rise = fmin(rise, (demand_w[h] - granted_w[h]) / host->weight);
    }
    for (uint32_t b = 0; b < oracle->bound_count; b++) {
        if (oracle->slope[b] > 1e-12)
            rise = fmin(rise, fmax(oracle->left_va[b], 0) / oracle->slope[b]);
    }
    return rise;
}

static uint32_t find_present(const struct oracle *oracle)
{
    for (uint32_t c = 1; oracle->grid && c < oracle->model->contingency_count; c++) {
        const struct model_contingency *lost = &oracle->model->contingency[c];
        if (lost->kind == CONTINGENCY_LOSS && !oracle->grid->node[lost->lost_node].live)
            return c;
    }
    return 0;
}

/* Credit goes with what flows above the level and comes back at a tenth of what flows below it. */
static void count_credit(struct oracle *oracle)
{
    const double dt_s = (double)PLANT_STEP_NS / 1e9;
    for (uint32_t n = 0; n < oracle->model->node_count; n++) {
        const struct model_node *node = &oracle->model->node[n];
        double most_vas = (double)node->burst_credit_va_ns_max / 1e9, above_va = -INFINITY;
        if (!lends(oracle, node) || most_vas <= 0)
            continue;
        for (uint32_t phase = 0; phase < PHASES; phase++) {
            uint32_t b = bound_index(n, oracle->present, phase);
            double over_va = (double)(node->level_burst_mva - node->level_mva) / 1e3;
            double level = oracle->credit_vas[n] > 0 ? over_va : 0;
            above_va = fmax(above_va, level - oracle->left_va[b]);
        }
        double change_vas = above_va > 0 ? -above_va * dt_s : -above_va / 10 * dt_s;
        oracle->credit_vas[n] = fmin(fmax(oracle->credit_vas[n] + change_vas, 0), most_vas);
    }
}

static void fill_up(struct oracle *oracle, const double *demand_w, double *granted_w)
{
    uint32_t rising = start_rising(oracle, demand_w, granted_w);
    while (rising > 0) {
        double rise = next_stop(oracle, demand_w, granted_w);
        for (uint32_t b = 0; b < oracle->bound_count; b++)
            oracle->left_va[b] -= oracle->slope[b] * rise;
        for (uint32_t h = 0; h < oracle->host_count; h++) {
            struct oracle_host *host = &oracle->host[h];
            if (host->rising)
                granted_w[h] += rise * host->weight;
        }
        for (uint32_t h = 0; h < oracle->host_count; h++) {
            struct oracle_host *host = &oracle->host[h];
            if (!host->rising || (granted_w[h] < demand_w[h] - 1e-9 && !meets_bound(oracle, host)))
                continue;
            host->rising = false;
            tilt(oracle, host, -1.0);
            rising--;
        }
    }
}

void oracle_grant(void *user, const double *demand_w, double *granted_w)
{
    struct oracle *oracle = user;
    uint32_t present = find_present(oracle);
    if (present != oracle->present) {
        oracle->present = present;
        fill_oracle(oracle);
    }
    find_rooms(oracle);
    if (!all_fits(oracle, demand_w, granted_w))
        fill_up(oracle, demand_w, granted_w);
    count_credit(oracle);
}
