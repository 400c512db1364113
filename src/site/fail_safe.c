/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Progressive filling: a level rises, every open host's cap is its weight times the level, between its
 * bounds; where a node is full, its hosts stay as they are. The left sides of I2 never fall as a cap rises:
 * draw grows by the gain, and bad(n), of which that host may be one, shrinks by no more. So each node has one
 * level at which it is full, and it only rises as other nodes stop some of its hosts.
 *
 * Real numbers here, with room kept for what rounding adds; check_fail_safe holds the result against the
 * ledger's integers.
 */
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "site/derive.h"
#include "site/fail_safe.h"

enum {
    STEPS = 40,                 /* of a bisection: below 1 mW of 10 MW */
    ROUNDING_MVA = 8,           /* more than rounding adds of one cord, down and up */
};

enum { BREAKS_LIMIT = 1, BREAKS_STAGE = 2 };        /* steady limit; fastest stage with k hosts starting */

struct filling {
    struct model *m;
    const uint8_t *open;
    struct sums_below below;
    double *level;              /* by host: where it stopped; INFINITY: it has not */
    double *full;               /* by node: level at which it is full, or one it is not full at before */
    uint8_t *stale;             /* by node: a host below it stopped since `full` was worked out */
    double most;                /* level that no cap follows any more */
    uint32_t count;             /* of the next three: hosts of the node under work */
    uint32_t *host;
    double *gap, *start_gap;    /* mVA of one phase: what it draws more when it disobeys, when it starts */
    double *sorted;
};

struct cell { uint32_t node, c, ph; };

static int take_room(struct filling *f, struct scratch *scratch)
{
    size_t nodes = f->m->node_count + 1, hosts = f->m->host_count + 1;

    f->level = scratch_take(scratch, hosts * sizeof *f->level);
    f->full = scratch_take(scratch, nodes * sizeof *f->full);
    f->stale = scratch_take(scratch, nodes);
    f->host = scratch_take(scratch, hosts * sizeof *f->host);
    f->gap = scratch_take(scratch, hosts * sizeof *f->gap);
    f->start_gap = scratch_take(scratch, hosts * sizeof *f->start_gap);
    f->sorted = scratch_take(scratch, hosts * sizeof *f->sorted);
    if (!f->level || !f->full || !f->stale || !f->host || !f->gap || !f->start_gap || !f->sorted)
        return -ENOMEM;
    return sums_below_start(&f->below, f->m, scratch);
}

static double cap_at(const struct filling *f, uint32_t h, double level)
{
    const struct model_host *host = &f->m->host[h];
    double low = (double)host->fail_safe_mw, high = (double)f->m->type[host->type].cap_max_mw;

    if (!f->open[h] || high <= low)
        return low;
    return fmin(fmax(fmin(level, f->level[h]) * host->weight, low), high);
}

/* The k-th largest of `count`, k from 0; what is larger stands before it then. */
static double largest(double *value, uint32_t count, uint32_t k)
{
    uint32_t low = 0, high = count;

    while (high - low > 1) {
        double pivot = value[low + (high - low) / 2];
        uint32_t above = low, same, i;

        for (i = low; i < high; i++)
            if (value[i] > pivot) {
                double moved = value[i];

                value[i] = value[above];
                value[above++] = moved;
            }
        for (same = above, i = above; i < high; i++)
            if (value[i] >= pivot) {
                double moved = value[i];

                value[i] = value[same];
                value[same++] = moved;
            }
        if (k >= above && k < same)
            return pivot;
        low = k < above ? low : same;
        high = k < above ? above : high;
    }
    return value[low];
}

static double sum_of_largest(struct filling *f, const double *gap, uint32_t k)
{
    double sum = 0;

    if (!k)
        return 0;
    memcpy(f->sorted, gap, f->count * sizeof *gap);
    if (k < f->count)
        largest(f->sorted, f->count, k - 1);
    for (uint32_t i = 0; i < k && i < f->count; i++)
        sum += f->sorted[i];
    return sum;
}

/* Hosts of one phase after one loss with caps at a level: their draw, and each one's gaps. */
static double gather(struct filling *f, const struct cell *at, double level)
{
    const struct model *m = f->m;
    double sum = 0;

    f->count = 0;
    for (uint32_t i = f->below.first[at->node]; i < f->below.first[at->node + 1]; i++) {
        uint32_t h = f->below.cord[i] / CORDS_MAX;
        const struct model_host *host = &m->host[h];
        const struct model_host_type *type = &m->type[host->type];
        const struct model_cord *cord = &host->cord[f->below.cord[i] % CORDS_MAX];
        double part = (double)cord->share_ppm[at->c] * cord->phase_ppm[at->ph] / (double)PPM /
                      (double)type->pf_min_ppm;
        double draw = fmin(cap_at(f, h, level) * (double)type->gain_ppm / (double)PPM +
                               (double)type->base_max_mw,
                           (double)type->phys_max_mw);

        if (!f->count || f->host[f->count - 1] != h) {
            f->host[f->count] = h;
            f->gap[f->count] = f->start_gap[f->count] = 0;
            f->count++;
        }
        sum += draw * part + ROUNDING_MVA;
        f->gap[f->count - 1] += ((double)type->phys_max_mw - draw) * part;
        f->start_gap[f->count - 1] += ((double)type->boot_mw - draw) * part;
    }
    return sum;
}

static bool bounded(const struct filling *f, const struct cell *at)
{
    return f->m->contingency[at->c].lasting &&
           f->m->node[at->node].limit_mva[at->c][at->ph] < DERIVE_NO_LIMIT;
}

/* Which halves of I2 a cell breaks, as a set. */
static uint32_t breaks(struct filling *f, const struct cell *at, double level)
{
    const struct model_node *n = &f->m->node[at->node];
    double used = gather(f, at, level) + (double)n->other_mva[at->ph];
    uint32_t set = 0;

    if (used + sum_of_largest(f, f->gap, n->k) > (double)n->limit_mva[at->c][at->ph])
        set |= BREAKS_LIMIT;
    if (n->instant_peak_ma &&
        used + sum_of_largest(f, f->start_gap, n->k) >
            (double)derive_limit_mva(derive_round_down(n->instant_peak_ma, 707106, PPM), n->volts_low_mv))
        set |= BREAKS_STAGE;
    return set;
}

static bool node_fits(struct filling *f, uint32_t node, double level)
{
    for (uint32_t i = 0; i < f->m->contingency_count * PHASES; i++) {
        const struct cell at = {node, i / PHASES, i % PHASES};

        if (bounded(f, &at) && breaks(f, &at, level))
            return false;
    }
    return true;
}

static double full_level(struct filling *f, uint32_t node, double low)
{
    double high = f->most;

    if (node_fits(f, node, high))
        return INFINITY;
    for (uint32_t i = 0; i < STEPS; i++) {
        double middle = (low + high) / 2;

        if (node_fits(f, node, middle))
            low = middle;
        else
            high = middle;
    }
    return low;
}

static void stop(struct filling *f, uint32_t h, double level)
{
    const struct model_host *host = &f->m->host[h];

    f->level[h] = level;
    for (uint32_t j = 0; j < host->cord_count; j++) {
        const struct model_node *n = &f->m->node[host->cord[j].node];

        for (uint32_t a = 0; a < n->ancestor_count; a++)
            f->stale[n->ancestor[a]] = 1;
    }
}

/* The largest gap but k. */
static double largest_but(struct filling *f, const double *gap, uint32_t k)
{
    if (k >= f->count)
        return -INFINITY;
    memcpy(f->sorted, gap, f->count * sizeof *gap);
    return largest(f->sorted, f->count, k);
}

/* Those of a full cell whose caps count there: a host that draws more than k others when it disobeys is among
 * the k whatever its cap, so it may rise on until it is like the next one. Returns how many stopped. */
static uint32_t stop_cell(struct filling *f, const struct cell *at, double level, uint32_t broken, bool all)
{
    uint32_t k = f->m->node[at->node].k, stopped = 0;

    gather(f, at, level);
    double next = largest_but(f, f->gap, k), next_start = largest_but(f, f->start_gap, k);

    for (uint32_t i = 0; i < f->count; i++) {
        uint32_t h = f->host[i];
        bool covered = (!(broken & BREAKS_LIMIT) || f->gap[i] > next + ROUNDING_MVA) &&
                       (!(broken & BREAKS_STAGE) || f->start_gap[i] > next_start + ROUNDING_MVA);

        if (!f->open[h] || f->level[h] <= level || !(f->gap[i] > 0) || (covered && !all))
            continue;
        stop(f, h, level);
        stopped++;
    }
    return stopped;
}

/* What goes above `level` by a hair stops, in the cells that are full then. */
static void stop_below(struct filling *f, uint32_t node, double level)
{
    double hair = fmax(level * 1e-9, 1);
    uint32_t stopped = 0;

    for (uint32_t all = 0; all < 2 && !stopped; all++)
        for (uint32_t i = 0; i < f->m->contingency_count * PHASES; i++) {
            const struct cell at = {node, i / PHASES, i % PHASES};

            uint32_t broken = bounded(f, &at) ? breaks(f, &at, level + hair) : 0;

            if (broken)
                stopped += stop_cell(f, &at, level, broken, all);
        }
    if (!stopped)               /* none there follows the level: it is full by what stands */
        f->full[node] = INFINITY;
}

static void fill(struct filling *f)
{
    for (;;) {
        uint32_t node = INDEX_NONE;

        for (uint32_t n = 0; n < f->m->node_count; n++)
            if (isfinite(f->full[n]) && (node == INDEX_NONE || f->full[n] < f->full[node]))
                node = n;
        if (node == INDEX_NONE)
            return;
        if (f->stale[node]) {
            f->stale[node] = 0;
            f->full[node] = full_level(f, node, f->full[node]);
        } else {
            stop_below(f, node, f->full[node]);
        }
    }
}

/* Down to whole quanta, but the largest cap of a range need not be one; never below what stood there. */
static void keep(struct filling *f)
{
    for (uint32_t h = 0; h < f->m->host_count; h++) {
        struct model_host *host = &f->m->host[h];
        const struct model_host_type *type = &f->m->type[host->type];
        int64_t cap_mw = (int64_t)(cap_at(f, h, f->most) + 0.5);

        if (cap_mw < type->cap_max_mw)
            cap_mw -= cap_mw % type->quantum_mw;
        if (cap_mw > host->fail_safe_mw)
            host->fail_safe_mw = cap_mw;
    }
}

int fail_safe_raise(struct model *model, const uint8_t *open, struct scratch *scratch)
{
    struct filling f = {.m = model, .open = open};

    if (take_room(&f, scratch))
        return -ENOMEM;
    for (uint32_t h = 0; h < model->host_count; h++) {
        double level = (double)model->type[model->host[h].type].cap_max_mw / model->host[h].weight;

        f.level[h] = INFINITY;
        if (open[h] && level > f.most)
            f.most = level;
    }
    memset(f.stale, 1, model->node_count);
    fill(&f);
    keep(&f);
    return 0;
}
