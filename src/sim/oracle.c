/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The weighted max-min of draws at each instant (oracle_fill.c).
 *
 * A node that may lend is bounded by what flows there now: its amperes at the level of its pool, above it
 * while burst credit lasts. What could flow after a loss, or before leases run out, is not held against it:
 * it may pass the steady limit up to what the curve admits, and no load at the level comes near that. After
 * a loss nothing is lent against it: then the steady limit holds, as where nothing is lent at all. So this
 * bounds what any controller reaches that obeys I1 to I5 from above.
 *
 * What was worked out holds until some demand has moved by ORACLE_MOVE of what its host can draw, credit came
 * or went, something was lost, or for ORACLE_HOLD_STEPS: a host never gets more than it wants meanwhile. That
 * costs the oracle less than 0.1 % of energy (baseline_test).
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/baseline.h"
#include "sim/capacity.h"
#include "sim/oracle_parts.h"

enum { ORACLE_HOLD_STEPS = 20 };
#define ORACLE_MOVE 0.005

struct use_at {
    uint32_t node, contingency;
};

struct oracle {
    const struct model *model;
    const struct grid *grid;    /* NULL: nothing is ever lost, volts are nominal */
    uint32_t present;           /* contingency that has come about, 0: none */
    double *credit_vas;         /* by node: burst credit left, worst phase */
    bool *bursts;               /* by node: there was some when grants were worked out */
    struct oracle_host *host;
    struct oracle_use *use;
    struct oracle_bound *bound;
    uint32_t *bound_at;         /* by node, contingency and phase: index + 1, 0: nobody uses it */
    uint32_t *user, *user_first;
    double *room_va;            /* by bound */
    struct oracle_fill fill;
    double *held_demand_w, *held_w;     /* by host: of the moment at which grants were worked out */
    uint32_t held_steps;
    bool exact, stale;
};

/* A bound gets its number when the first host uses it. */
static uint32_t bound_of(struct oracle *oracle, uint32_t node, uint32_t contingency, uint32_t phase)
{
    uint32_t *at = &oracle->bound_at[(node * CONTINGENCIES_MAX + contingency) * PHASES + phase];
    if (!*at) {
        oracle->bound[oracle->fill.bound_count] =
            (struct oracle_bound){.node = node, .contingency = (uint8_t)contingency, .phase = (uint8_t)phase};
        *at = ++oracle->fill.bound_count;
    }
    return *at - 1;
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

static uint32_t list_uses(struct oracle *oracle, uint32_t host, struct oracle_use *use)
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
            double va_per_w = share * (double)cord->phase_ppm[phase] / 1e6 / pf;
            if (va_per_w <= 0)
                continue;
            use[count++] = (struct oracle_use){
                .bound = bound_of(oracle, above, contingency, phase), .va_per_w = va_per_w};
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
    for (uint32_t b = 0; b < oracle->fill.bound_count; b++) {
        const struct oracle_bound *bound = &oracle->bound[b];
        if (bound->contingency == oracle->present && lends(oracle, &oracle->model->node[bound->node]))
            oracle->room_va[b] = level_va(oracle, bound->node, bound->phase);
        else
            oracle->room_va[b] = (double)capacity_room_mva(oracle->model, bound->node, bound->contingency,
                                                           bound->phase) / 1e3;
    }
    for (uint32_t n = 0; n < oracle->model->node_count; n++)
        oracle->bursts[n] = oracle->credit_vas[n] > 0;
}

/* By bound, the hosts that use it: a host with two cords below a node may stand there twice. */
static void list_users(struct oracle *oracle)
{
    uint32_t bounds = oracle->fill.bound_count;
    memset(oracle->user_first, 0, (bounds + 2) * sizeof(*oracle->user_first));
    for (uint32_t h = 0; h < oracle->fill.host_count; h++) {
        for (uint32_t i = 0; i < oracle->host[h].use_count; i++)
            oracle->user_first[oracle->use[oracle->host[h].use_first + i].bound + 2]++;
    }
    for (uint32_t b = 0; b < bounds; b++)
        oracle->user_first[b + 2] += oracle->user_first[b + 1];
    for (uint32_t h = 0; h < oracle->fill.host_count; h++) {
        for (uint32_t i = 0; i < oracle->host[h].use_count; i++) {
            uint32_t bound = oracle->use[oracle->host[h].use_first + i].bound;
            oracle->user[oracle->user_first[bound + 1]++] = h;
        }
    }
}

static void list_bounds(struct oracle *oracle)
{
    const struct model *model = oracle->model;
    uint32_t next = 0;
    size_t cells = (size_t)model->node_count * CONTINGENCIES_MAX * PHASES;
    oracle->fill.bound_count = 0;
    memset(oracle->bound_at, 0, cells * sizeof(*oracle->bound_at));
    for (uint32_t h = 0; h < model->host_count; h++) {
        struct oracle_host *host = &oracle->host[h];
        const struct model_host_type *type = &model->type[model->host[h].type];
        host->base_w = (double)type->base_max_mw / 1e3;
        host->phys_max_w = (double)type->phys_max_mw / 1e3;
        host->weight = model->host[h].weight ? model->host[h].weight : 1;
        host->use_first = next;
        host->use_count = list_uses(oracle, h, oracle->use + next);
        next += host->use_count;
    }
    list_users(oracle);
}

static bool take_memory(struct oracle *oracle, const struct model *model)
{
    struct oracle_fill *fill = &oracle->fill;
    size_t hosts = model->host_count + 1, nodes = model->node_count + 1;
    size_t bounds = nodes * CONTINGENCIES_MAX * PHASES + 2;
    size_t uses = hosts * CORDS_MAX * ANCESTORS_MAX * model->contingency_count * PHASES;
    oracle->host = calloc(hosts, sizeof(*oracle->host));
    oracle->use = calloc(uses, sizeof(*oracle->use));
    oracle->user = calloc(uses, sizeof(*oracle->user));
    oracle->bound = calloc(bounds, sizeof(*oracle->bound));
    oracle->bound_at = calloc(bounds, sizeof(*oracle->bound_at));
    oracle->user_first = calloc(bounds, sizeof(*oracle->user_first));
    oracle->room_va = calloc(bounds, sizeof(*oracle->room_va));
    oracle->credit_vas = calloc(nodes, sizeof(*oracle->credit_vas));
    oracle->bursts = calloc(nodes, sizeof(*oracle->bursts));
    oracle->held_demand_w = calloc(hosts, sizeof(*oracle->held_demand_w));
    oracle->held_w = calloc(hosts, sizeof(*oracle->held_w));
    fill->left_va = calloc(bounds, sizeof(*fill->left_va));
    fill->slope = calloc(bounds, sizeof(*fill->slope));
    fill->from_w = calloc(bounds, sizeof(*fill->from_w));
    fill->full_w = calloc(bounds, sizeof(*fill->full_w));
    fill->rise = calloc(hosts, sizeof(*fill->rise));
    fill->rising = calloc(hosts, sizeof(*fill->rising));
    return oracle->host && oracle->use && oracle->user && oracle->bound && oracle->bound_at &&
        oracle->user_first && oracle->room_va && oracle->credit_vas && oracle->bursts &&
        oracle->held_demand_w && oracle->held_w && fill->left_va && fill->slope && fill->from_w &&
        fill->full_w && fill->rise && fill->rising;
}

struct oracle *oracle_create(const struct model *model, const struct grid *grid)
{
    struct oracle *oracle = calloc(1, sizeof(*oracle));
    if (!oracle)
        return NULL;
    oracle->model = model;
    oracle->grid = grid;
    oracle->stale = true;
    if (!take_memory(oracle, model)) {
        oracle_destroy(oracle);
        return NULL;
    }
    oracle->fill.host_count = model->host_count;
    oracle->fill.host = oracle->host;
    oracle->fill.use = oracle->use;
    oracle->fill.user = oracle->user;
    oracle->fill.user_first = oracle->user_first;
    oracle->fill.room_va = oracle->room_va;
    for (uint32_t n = 0; n < model->node_count; n++)
        oracle->credit_vas[n] = (double)model->node[n].burst_credit_va_ns_max / 1e9;
    list_bounds(oracle);
    return oracle;
}

void oracle_be_exact(struct oracle *oracle)
{
    oracle->exact = true;
}

void oracle_destroy(struct oracle *oracle)
{
    if (!oracle)
        return;
    free(oracle->host);
    free(oracle->use);
    free(oracle->user);
    free(oracle->bound);
    free(oracle->bound_at);
    free(oracle->user_first);
    free(oracle->room_va);
    free(oracle->credit_vas);
    free(oracle->bursts);
    free(oracle->held_demand_w);
    free(oracle->held_w);
    free(oracle->fill.left_va);
    free(oracle->fill.slope);
    free(oracle->fill.from_w);
    free(oracle->fill.full_w);
    free(oracle->fill.rise);
    free(oracle->fill.rising);
    free(oracle);
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
    const double dt_s = (double)(oracle->grid ? oracle->grid->step_ns : PLANT_STEP_NS) / 1e9;
    for (uint32_t n = 0; n < oracle->model->node_count; n++) {
        const struct model_node *node = &oracle->model->node[n];
        double most_vas = (double)node->burst_credit_va_ns_max / 1e9, above_va = -INFINITY;
        if (most_vas <= 0 || !lends(oracle, node))
            continue;
        for (uint32_t phase = 0; phase < PHASES; phase++) {
            uint32_t b = oracle->bound_at[(n * CONTINGENCIES_MAX + oracle->present) * PHASES + phase];
            double over_va = (double)(node->level_burst_mva - node->level_mva) / 1e3;
            if (b > 0)
                above_va = fmax(above_va, (oracle->bursts[n] ? over_va : 0) - oracle->fill.left_va[b - 1]);
        }
        double change_vas = above_va > 0 ? -above_va * dt_s : -above_va / 10 * dt_s;
        oracle->credit_vas[n] = fmin(fmax(oracle->credit_vas[n] + change_vas, 0), most_vas);
        oracle->stale = oracle->stale || oracle->bursts[n] != (oracle->credit_vas[n] > 0);
    }
}

static bool moved(const struct oracle *oracle, const double *demand_w)
{
    for (uint32_t h = 0; h < oracle->fill.host_count; h++) {
        if (fabs(demand_w[h] - oracle->held_demand_w[h]) > ORACLE_MOVE * oracle->host[h].phys_max_w)
            return true;
    }
    return false;
}

void oracle_grant(void *user, const double *demand_w, double *granted_w)
{
    struct oracle *oracle = user;
    uint32_t present = find_present(oracle), hosts = oracle->fill.host_count;
    if (present != oracle->present) {
        oracle->present = present;
        oracle->stale = true;
        list_bounds(oracle);
    }
    if (oracle->stale || oracle->exact || ++oracle->held_steps >= ORACLE_HOLD_STEPS ||
        moved(oracle, demand_w)) {
        find_rooms(oracle);
        oracle_fill(&oracle->fill, demand_w, oracle->held_w);
        memcpy(oracle->held_demand_w, demand_w, hosts * sizeof(*demand_w));
        oracle->held_steps = 0;
        oracle->stale = false;
    }
    for (uint32_t h = 0; h < hosts; h++)
        granted_w[h] = fmin(oracle->held_w[h], demand_w[h]);
    count_credit(oracle);
}
