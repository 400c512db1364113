/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many hosts a node carries, and what makes it no more: safety.md section 6. With x times the hosts there
 * are, all alike in their proportions, on every phase and after every loss:
 *     static      x phys_max + other <= steady limit
 *     I1          x phys_max + other <= admissible            everything leased in full at once
 *     I2          x fail_safe + bad + other <= steady limit
 *                 x fail_safe + bad at boot + other <= 0.85 of the fastest definite edge
 * bad(n) is of the k largest hosts: it does not grow with x.
 */
#include <math.h>

#include "site/coordination/parts.h"

/* One phase after one loss, mVA. */
struct sums {
    double phys_max, fail_safe, floor, base, bad, boot_bad, other;
};

struct room {                   /* mVA of one phase */
    double steady, admissible, inrush;
    uint32_t hosts, k;
};

struct lends { double fixed, in_full, fail_safe, inrush; };

static double times(double limit, double used, double each)
{
    return each > 0 ? fmax(limit - used, 0) / each : INFINITY;
}

/* Of alike hosts exactly; of a mix nearly: which of them are the k largest is not worked out again. */
static struct sums relax(struct sums s, const struct room *room, enum coordination_relax how)
{
    double per_host = room->hosts ? 1.0 / room->hosts : 0;

    if (how == RELAX_FAIL_SAFE) {
        s.bad += room->k * (s.fail_safe - s.floor) * per_host;
        s.boot_bad += room->k * (s.fail_safe - s.floor) * per_host;
        s.fail_safe = s.floor;
    } else if (how == RELAX_BASE) {
        s.fail_safe -= 0.1 * s.base;
        s.phys_max -= 0.1 * s.base;
    } else if (how == RELAX_K && room->k) {
        s.bad *= (room->k - 1.0) / room->k;
        s.boot_bad *= (room->k - 1.0) / room->k;
    }
    return s;
}

static void take_lesser(struct lends *least, const struct sums *s, const struct room *room)
{
    least->fixed = fmin(least->fixed, times(room->steady, s->other, s->phys_max));
    least->in_full = fmin(least->in_full, times(room->admissible, s->other, s->phys_max));
    least->fail_safe = fmin(least->fail_safe, times(room->steady, s->bad + s->other, s->fail_safe));
    least->inrush = fmin(least->inrush, times(room->inrush, s->boot_bad + s->other, s->fail_safe));
}

static struct sums sums_of(const struct coordination_place *place, uint32_t c, uint32_t ph)
{
    const struct model *m = &place->site->model;
    const struct model_node *n = &m->node[place->node];
    const struct figures_node *f = &place->figures->node[place->node];
    struct sums s = {.phys_max = (double)f->phys_max_mva[c][ph], .fail_safe = (double)f->fail_safe_mva[c][ph],
                     .floor = (double)place->floor_mva[place->node][c][ph],
                     .base = (double)f->base_mva[c][ph], .bad = (double)n->bad_mva[c][ph],
                     .other = (double)n->other_mva[ph]};

    if (n->instant_peak_ma)
        s.boot_bad = (double)sums_largest_gaps(m, place->below, place->node, SUM_BOOT, c, ph);
    return s;
}

enum { CELLS = CONTINGENCIES_MAX * PHASES };

/* Of every phase and lasting loss that the node outlives and where a host draws. */
static uint32_t collect(const struct coordination_place *place, struct sums cell[CELLS])
{
    const struct model *m = &place->site->model;
    uint32_t count = 0;

    for (uint32_t c = 0; c < m->contingency_count; c++)
        for (uint32_t ph = 0; ph < PHASES && m->contingency[c].lasting &&
                              !(place->figures->outage.node[place->node] >> c & 1);
             ph++) {
            cell[count] = sums_of(place, c, ph);
            count += cell[count].phys_max > 0;
        }
    return count;
}

static struct lends lend(const struct sums cell[CELLS], uint32_t count, const struct room *room,
                         enum coordination_relax how)
{
    struct lends least = {INFINITY, INFINITY, INFINITY, INFINITY};

    for (uint32_t i = 0; i < count; i++) {
        struct sums s = relax(cell[i], room, how);

        take_lesser(&least, &s, room);
    }
    if (!count)
        return least;
    return (struct lends){least.fixed * room->hosts, least.in_full * room->hosts,
                          least.fail_safe * room->hosts, least.inrush * room->hosts};
}

/* Never below the steady limit: that is always admissible. */
static double admissible_a(const struct coordination_place *place, const struct coordination_node *row,
                           double hold_s, uint8_t *role, uint8_t *term)
{
    const struct model_node *n = &place->site->model.node[place->node];
    double a = coordination_admissible_a(&place->site->model, &n->breaker, coordination_settled_a(n), hold_s,
                                         role, term);

    return fmax(a, row->steady_a);
}

/* The parts of what flows at fail-safe where that is nearest to the limit. */
static void tell_parts(const struct sums cell[CELLS], uint32_t count, double volts,
                       struct coordination_node *row)
{
    double most = -1;

    for (uint32_t i = 0; i < count; i++) {
        const struct sums *s = &cell[i];

        if (s->fail_safe + s->bad + s->other <= most)
            continue;
        most = s->fail_safe + s->bad + s->other;
        row->base_a = s->base / volts;
        row->caps_a = (s->fail_safe - s->base) / volts;
        row->bad_a = s->bad / volts;
        row->other_a = s->other / volts;
    }
}

static void tell(const struct lends *l, struct coordination_node *row)
{
    row->hosts_static = l->fixed;
    row->hosts_in_full = row->obstacles ? l->fixed : l->in_full;
    row->hosts_fail_safe = fmin(l->fail_safe, l->inrush);
    row->hosts_leased = fmin(row->hosts_in_full, row->hosts_fail_safe);
    if (!isfinite(row->hosts_leased))
        row->term = LEASE_TERM_NONE;
    else if (row->hosts_in_full <= row->hosts_fail_safe)
        row->term = row->obstacles || row->admissible_a <= row->steady_a ? LEASE_TERM_STEADY
                                                                         : row->admissible_term;
    else
        row->term = l->inrush < l->fail_safe ? LEASE_TERM_INRUSH : LEASE_TERM_FAIL_SAFE;
}

void coordination_lend(const struct coordination_place *place, struct coordination_node *row)
{
    const struct model_node *n = &place->site->model.node[place->node];
    double volts = (double)n->volts_low_mv;
    struct sums cell[CELLS];
    uint32_t count = collect(place, cell);
    uint8_t role, term;

    row->limited = n->limited;
    row->obstacles = lend_obstacles(place->site, place->node);
    if (!n->limited)
        return;
    row->steady_a = (double)n->steady_ma / 1e3;
    row->admissible_a = admissible_a(place, row, row->hold_s, &row->admissible_role, &row->admissible_term);
    struct room room = {row->steady_a * volts, row->admissible_a * volts,
                        n->instant_peak_ma ? (double)n->instant_peak_ma / 1e3 * volts / sqrt(2) : INFINITY,
                        place->figures->node[place->node].hosts, n->k};
    struct lends l = lend(cell, count, &room, RELAX_COUNT);

    tell(&l, row);
    tell_parts(cell, count, volts, row);
    if (!row->obstacles)
        row->lent_a = fmax(fmin(row->full_a, row->admissible_a) - row->steady_a, 0);
    for (enum coordination_relax how = 0; how < RELAX_COUNT; how++) {
        struct room then = room;

        if (how == RELAX_TIME)
            then.admissible = admissible_a(place, row, row->hold_s / 2, &role, &term) * volts;
        l = lend(cell, count, &then, how);
        row->relaxed[how] = fmin(row->obstacles ? l.fixed : l.in_full, fmin(l.fail_safe, l.inrush));
    }
}
