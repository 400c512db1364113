/* SPDX-License-Identifier: Apache-2.0 */
/* Progressive filling: all hosts rise together in proportion to their
 * weights; who has enough or meets a full node stops. */
#include <math.h>
#include <stdlib.h>

#include "sim/baseline.h"
#include "sim/capacity.h"

struct use {
    uint32_t bound;             /* index of (node, contingency, phase) */
    double va_per_w;
};

struct oracle_host {
    double base_w, weight;
    uint32_t use_first, use_count;
    bool rising;
};

struct oracle {
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

static uint32_t list_uses(const struct model *model, uint32_t host, struct use *use)
{
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
            if (!model->node[above].limited)
                continue;
            double share = (double)cord->share_ppm[contingency] / 1e6;
            use[count++] = (struct use){
                .bound = bound_index(above, contingency, phase),
                .va_per_w = share * (double)cord->phase_ppm[phase] / 1e6 / pf,
            };
        }
    }
    return count;
}

static void fill_oracle(struct oracle *oracle, const struct model *model)
{
    uint32_t next = 0;
    for (uint32_t h = 0; h < model->host_count; h++) {
        struct oracle_host *host = &oracle->host[h];
        host->base_w = (double)model->type[model->host[h].type].base_max_mw / 1e3;
        host->weight = model->host[h].weight ? model->host[h].weight : 1;
        host->use_first = next;
        host->use_count = list_uses(model, h, oracle->use + next);
        next += host->use_count;
    }
    for (uint32_t b = 0; b < oracle->bound_count; b++) {
        uint32_t node = b / (CONTINGENCIES_MAX * PHASES);
        uint32_t contingency = b / PHASES % CONTINGENCIES_MAX;
        oracle->room_va[b] = (double)capacity_room_mva(model, node, contingency, b % PHASES) / 1e3;
    }
}

struct oracle *oracle_create(const struct model *model)
{
    struct oracle *oracle = calloc(1, sizeof(*oracle));
    if (!oracle)
        return NULL;
    oracle->host_count = model->host_count;
    oracle->bound_count = model->node_count * CONTINGENCIES_MAX * PHASES;
    size_t uses = (size_t)model->host_count * CORDS_MAX * ANCESTORS_MAX * model->contingency_count * PHASES;
    oracle->host = calloc(model->host_count + 1, sizeof(*oracle->host));
    oracle->use = calloc(uses + 1, sizeof(*oracle->use));
    oracle->room_va = calloc(oracle->bound_count + 1, sizeof(*oracle->room_va));
    oracle->left_va = calloc(oracle->bound_count + 1, sizeof(*oracle->left_va));
    oracle->slope = calloc(oracle->bound_count + 1, sizeof(*oracle->slope));
    if (!oracle->host || !oracle->use || !oracle->room_va || !oracle->left_va || !oracle->slope) {
        oracle_destroy(oracle);
        return NULL;
    }
    fill_oracle(oracle, model);
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

void oracle_grant(void *user, const double *demand_w, double *granted_w)
{
    struct oracle *oracle = user;
    if (all_fits(oracle, demand_w, granted_w))
        return;
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
