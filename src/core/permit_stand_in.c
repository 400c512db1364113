/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who stands in for a lost meter (safety.md section 11): silent or frozen, the node's permit is held on what
 * other meters leave for its load at most.
 *
 *   by_children  every node right below it has a meter that reads well, and nothing hangs on it directly: its
 *                current is at most the sum of theirs, and `other` of the node.
 *   by_parent    the parent's meter reads well: what it reads, less what those beside the node certainly
 *                carry.
 *
 * Active power is what adds up and may be taken from another: rms currents may not, for power factors differ.
 * What is left is turned into current by the lowest power factor of hosts below, `other` added in full, which
 * asks for hosts with a cord on one phase or on all three alike: from line to line a phase has no such power
 * factor. Meters err by their error e in volts and in amperes: by 1 / (1 - e)^2 - 1 of the apparent power.
 *
 * Meters read windows that begin apart and arrive apart; their own stamps tell whether one is missing. What
 * is taken off is the least that a neighbour has read in one or two spans, what is added up the most; where
 * one of its readings is missing, nothing is taken off, and D is added. So load that moves to this node and
 * back shows in the mean, and core/heat_stand_in.c says what a mean bounds.
 *
 * Not built, for nothing sound follows: across a transformer (phases mix) or a UPS (a battery stands between
 * its two sides); nodes of other volts, other phases, more than one parent; where the one that stands in is
 * lost itself, doubted, or reads volts below the lowest credible for long. Where an implausible meter is read
 * on, its node is not stood in for: reports and meters disagree, and the doubt is about both. A meter on the
 * other feed of the same hosts says nothing: shares bound what this feed carries by no more than the draw
 * less the least the other may carry, and that is 0.
 *
 * A bound that stays above D shows nobody to obey: then, where hosts report more than it, or where they do
 * not vouch for it, nobody stands in, and the permit is lost as it would have been. That takes the place of
 * an emergency at the node: a bound is not a measured load, and cuts nobody below the steady limit. When the
 * meter is back the permit goes on by it at once: nothing was lost, so no hold runs. What is lost is only
 * looked at while `lost_meters` is not 0.
 */
#include <stddef.h>

#include "core/breaker_inside.h"
#include "core/compare.h"
#include "core/permit_left.h"

/* ---- setup ---- */

static bool is_plain(const struct model_node *node)
{
    return node->kind != NODE_TRANSFORMER && node->kind != NODE_UPS;
}

static bool are_alike(const struct model_node *a, const struct model_node *b)
{
    return is_plain(a) && is_plain(b) && a->phases == b->phases && a->volts_ln_mv == b->volts_ln_mv;
}

static bool reads_own(const struct permits *permits, uint32_t node)
{
    uint32_t meter = permits->model->node[node].meter;
    return meter != INDEX_NONE && permits->meter[meter].node == node &&
           permits->model->meter[meter].error_ppm <= LEFT_ERROR_MOST_PPM;
}

static bool one_phase_or_all(const struct model_cord *cord)
{
    const uint32_t *ppm = cord->phase_ppm;
    return (ppm[0] == ppm[1] && ppm[1] == ppm[2]) || (ppm[0] != 0) + (ppm[1] != 0) + (ppm[2] != 0) == 1;
}

/* Of every node what its hosts are; `parent_may` is what it may be of its own. */
static void look_at_hosts(struct permits *permits)
{
    const struct model *model = permits->model;
    for (uint32_t h = 0; h < model->host_count; h++) {
        const struct model_host *host = &model->host[h];
        for (uint32_t j = 0; j < host->cord_count; j++) {
            const struct model_node *node = &model->node[host->cord[j].node];
            if (node->meter != INDEX_NONE)
                permits->stand_in[node->meter].children_may = false;
            for (uint32_t a = 0; a < node->ancestor_count; a++) {
                uint32_t meter = model->node[node->ancestor[a]].meter;
                if (meter == INDEX_NONE)
                    continue;
                struct permit_stand_in *s = &permits->stand_in[meter];
                s->pf_ppm = smaller(s->pf_ppm, larger(model->type[host->type].pf_min_ppm, 1));
                s->parent_may &= one_phase_or_all(&host->cord[j]);
            }
        }
    }
}

bool permit_adds_up(const struct permits *permits, uint32_t node, uint32_t child)
{
    const struct model *model = permits->model;
    uint32_t meter = model->node[child].meter;
    return reads_own(permits, child) && permits->meter[meter].counts_above &&
           are_alike(&model->node[node], &model->node[child]);
}

static bool children_add_up(const struct permits *permits, uint32_t node)
{
    const struct model *model = permits->model;
    const struct model_node *n = &model->node[node];
    for (uint32_t i = 0; i < n->child_count; i++) {
        uint32_t meter = model->node[n->child_first + i].meter;
        if (!permit_adds_up(permits, node, n->child_first + i) || !permits->heat->meter[meter].window_ns ||
            model->meter[meter].fresh_ns > model->meter[n->meter].fresh_ns)
            return false;
    }
    for (uint32_t other = 0; other < model->node_count; other++)
        for (uint32_t i = 1; i < model->node[other].parent_count; i++)
            if (model->node[other].parent[i] == node)
                return false;
    return n->child_count > 0;
}

static bool parent_reads_it(const struct permits *permits, uint32_t node)
{
    const struct model *model = permits->model;
    const struct model_node *n = &model->node[node];
    if (n->parent_count != 1 || !reads_own(permits, n->parent[0]))
        return false;
    uint32_t meter = model->node[n->parent[0]].meter;
    return permits->meter[meter].lends && are_alike(n, &model->node[n->parent[0]]) &&
           model->meter[meter].fresh_ns <= model->meter[n->meter].fresh_ns;
}

static int64_t span_of(const struct model *model, uint32_t node, int64_t span_ns)
{
    const struct model_node *n = &model->node[node];
    for (uint32_t i = 0; i < n->child_count; i++) {
        uint32_t meter = model->node[n->child_first + i].meter;
        if (meter != INDEX_NONE)
            span_ns = larger(span_ns, model->meter[meter].fresh_ns + 2 * model->meter[meter].period_ns);
    }
    return span_ns;
}

void permit_stand_in_init(struct permits *permits)
{
    const struct model *model = permits->model;
    permits->lost_meters = 0;
    for (uint32_t m = 0; m < model->meter_count; m++)
        permits->stand_in[m] = (struct permit_stand_in){
            .parent_may = true, .children_may = true, .pf_ppm = PPM,
            .span_ns = model->meter[m].fresh_ns + 2 * model->meter[m].period_ns};
    look_at_hosts(permits);
    for (uint32_t m = 0; m < model->meter_count; m++) {
        struct permit_stand_in *s = &permits->stand_in[m];
        uint32_t node = permits->meter[m].node;
        bool lends = permits->meter[m].lends;
        s->parent_may = s->parent_may && lends && parent_reads_it(permits, node);
        s->children_may = s->children_may && lends && children_add_up(permits, node);
        s->span_ns = span_of(model, node, s->span_ns);
        if (model->node[node].parent_count == 1)
            s->span_ns = span_of(model, model->node[node].parent[0], s->span_ns);
    }
}

/* ---- who may stand in ---- */

bool permit_reads_well(const struct permits *permits, uint32_t meter, int64_t t_ns)
{
    const struct permit_node *p = &permits->meter[meter];
    return p->armed && t_ns <= p->until_ns && p->low_ns < PERMIT_DOUBT_NS &&
           !permits->stand_in[meter].filtered && permits->ledger->node[p->node].scale_ppm == PPM;
}

static enum permit who(const struct permits *permits, uint32_t meter, int64_t t_ns)
{
    const struct permit_stand_in *s = &permits->stand_in[meter];
    uint32_t node = permits->meter[meter].node;
    const struct model_node *n = &permits->model->node[node];
    bool children = s->children_may && permits->sum[node].fresh_children == n->child_count;
    for (uint32_t i = 0; i < n->child_count && children; i++)
        children = permit_reads_well(permits, permits->model->node[n->child_first + i].meter, t_ns);
    if (children)
        return PERMIT_BY_CHILDREN;
    if (!s->parent_may)
        return PERMIT_NONE;
    uint32_t above = permits->model->node[n->parent[0]].meter;
    bool parent = permit_reads_well(permits, above, t_ns) && permits->meter[above].alone_ns < PERMIT_DOUBT_NS;
    return parent ? PERMIT_BY_PARENT : PERMIT_NONE;
}

/* So much above D is doubt: a bound of twice the steady limit, for as long as any doubt takes. */
static int64_t doubted_ma_ns(const struct model_node *node)
{
    return smaller(node->steady_ma, LEFT_MOST_MA) * PERMIT_DOUBT_NS;
}

enum permit permit_stands_in(const struct permits *permits, uint32_t meter, int64_t t_ns)
{
    const struct permit_stand_in *s = &permits->stand_in[meter];
    const struct permit_node *p = &permits->meter[meter];
    const struct model_node *node = &permits->model->node[p->node];
    bool doubted = p->low_ns >= PERMIT_DOUBT_NS || p->permit == PERMIT_IMPLAUSIBLE ||
                   permit_reads_nothing(p) || s->low_ns >= PERMIT_DOUBT_NS ||
                   s->alone_ns >= PERMIT_DOUBT_NS || s->over_ma_ns >= doubted_ma_ns(node);
    if (!s->lost || doubted || !permits->heat->meter[meter].started)
        return PERMIT_NONE;
    return who(permits, meter, t_ns);
}

/* ---- lost, and back ---- */

/* Meters right below `node` are needed, once more or once less. The one that is lost is among them: it notes
 * nothing before it is back. Only the first makes them forget, so many that are lost at once cost what they
 * are, not their square. */
static void need(struct permits *permits, uint32_t node, bool is, int64_t t_ns)
{
    const struct model_node *n = &permits->model->node[node];
    struct permit_stand_in *s = &permits->stand_in[n->meter];
    s->below_needed -= !is;
    if (!is || s->below_needed++)
        return;
    for (uint32_t i = 0; i < n->child_count; i++)
        if (permit_adds_up(permits, node, n->child_first + i))
            permit_left_forget(&permits->stand_in[permits->model->node[n->child_first + i].meter], t_ns);
}

static bool is_needed(const struct permits *permits, uint32_t node)
{
    const struct model_node *n = &permits->model->node[node];
    return n->parent_count == 1 && reads_own(permits, n->parent[0]) &&
           permits->stand_in[permits->model->node[n->parent[0]].meter].below_needed &&
           permit_adds_up(permits, n->parent[0], node);
}

static void set_lost(struct permits *permits, uint32_t meter, bool is, int64_t t_ns)
{
    struct permit_stand_in *s = &permits->stand_in[meter];
    uint32_t node = permits->meter[meter].node;
    if (s->lost == is || !(s->parent_may || s->children_may))
        return;
    s->lost = is;
    permits->lost_meters += is;
    permits->lost_meters -= !is;
    if (s->parent_may)
        need(permits, permits->model->node[node].parent[0], is, t_ns);
    if (s->children_may)
        need(permits, node, is, t_ns);
}

void permit_stand_in_begin(struct permits *permits, uint32_t meter, int64_t t_ns)
{
    struct permit_stand_in *s = &permits->stand_in[meter];
    s->by = PERMIT_NONE;
    s->over_ma_ns = s->low_ns = s->alone_ns = 0;
    s->stepped_ns = s->since_ns = t_ns;
    set_lost(permits, meter, true, t_ns);
}

void permit_stand_in_end(struct permits *permits, uint32_t meter)
{
    set_lost(permits, meter, false, 0);
}

/* ---- by how much, and whether that may be believed ---- */

/* A bound says something only where it is not above what leases allow, nor above what the curve admits: as
 * for a load that is measured. Over time, and by what neighbours read at the same time: their least of a
 * span makes heat's bound, and would make every pulse that they take part in look like load of this node. */
static void doubt(struct permits *permits, uint32_t meter, const struct heat_left *left, int64_t bound_mw,
                  int64_t t_ns)
{
    struct permit_stand_in *s = &permits->stand_in[meter];
    struct permit_node *p = &permits->meter[meter];
    const struct model_node *node = &permits->model->node[p->node];
    int64_t trigger_ma = permit_trigger_ma(permits, p->node, t_ns), over_ma = -LEFT_MOST_MA;
    int64_t dt_ns = smaller(t_ns - s->stepped_ns, permits->model->meter[meter].fresh_ns);
    for (uint32_t phase = 0; phase < node->phases; phase++) {
        int64_t most_ma = smaller(smaller(left->most_ma[phase], trigger_ma), LEFT_MOST_MA);
        over_ma = larger(over_ma, smaller(left->likely_ma[phase], 2 * most_ma) - most_ma);
    }
    if (t_ns - s->since_ns > 2 * s->span_ns)    /* neighbours are not known before one is over */
        s->over_ma_ns = permit_left_over_ma_ns(s->over_ma_ns, over_ma, dt_ns, 2 * doubted_ma_ns(node));
    bool low = permit_hosts_tell_more(permits, p->node, permit_highest_mw(p, bound_mw, t_ns));
    s->low_ns = smaller(permit_doubt_ns(s->low_ns, low, dt_ns), 2 * PERMIT_DOUBT_NS);
    s->alone_ns = permit_hosts_vouch(permits, p->node) ? 0 : s->alone_ns + dt_ns;
    s->stepped_ns = t_ns;
}

/* `all` is what lies right below the parent; NULL: the children stand in. */
static void step(struct permits *permits, uint32_t meter, const struct reading *reading,
                 const struct permit_beside *all, int64_t t_ns)
{
    enum permit by = all ? PERMIT_BY_PARENT : PERMIT_BY_CHILDREN;
    const struct model_meter *known = &permits->model->meter[reading->meter];
    struct permit_stand_in *s = &permits->stand_in[meter];
    const struct model_node *node = &permits->model->node[permits->meter[meter].node];
    struct heat_left left = {.volts_mv = permit_left_volts_mv(node, reading), .window_ns = known->period_ns,
                             .edge_ns = s->span_ns + 2 * known->fresh_ns, .first = s->by != by};
    if (who(permits, meter, t_ns) != by || !permits->heat->meter[meter].started || !left.volts_mv) {
        s->over_ma_ns = left.volts_mv ? s->over_ma_ns : 2 * doubted_ma_ns(node);    /* it says nothing */
        permit_follow(permits, meter, t_ns);
        return;
    }
    int64_t bound_mw = all ? permit_left_by_parent(permits, meter, reading, all, &left, t_ns)
                           : permit_left_by_children(permits, meter, &left, t_ns);
    if (left.first)
        s->edge_ma = 0;
    left.edge_more_ma = larger(left.edge_ma - s->edge_ma, 0);
    left.edge_ma = s->edge_ma = s->edge_ma + left.edge_more_ma;
    left.behind_gap = !left.first && permit_left_has_gap(known, s->by_stamp_ns, reading->t_meter_ns);
    s->by_stamp_ns = reading->t_meter_ns;
    s->by = (uint8_t)by;
    heat_stand_in(permits->heat, permits->ledger, meter, &left, t_ns);
    doubt(permits, meter, &left, bound_mw, t_ns);
    permit_follow(permits, meter, t_ns);
}

static void step_below(struct permits *permits, uint32_t node, const struct reading *reading, int64_t t_ns)
{
    const struct model *model = permits->model;
    const struct model_node *n = &model->node[node];
    struct permit_beside all;
    permit_left_add_up(permits, node, &all, t_ns);
    for (uint32_t i = 0; i < n->child_count; i++) {
        uint32_t meter = model->node[n->child_first + i].meter;
        if (meter != INDEX_NONE && permits->stand_in[meter].lost && permits->stand_in[meter].parent_may)
            step(permits, meter, reading, &all, t_ns);
    }
}

void permit_stand_in_reading(struct permits *permits, const struct reading *reading, int64_t t_ns)
{
    const struct model *model = permits->model;
    uint32_t node = permits->meter[reading->meter].node;
    const struct model_node *n = &model->node[node];
    if (permits->meter[reading->meter].repeats)
        return;
    if (is_needed(permits, node))
        permit_left_note(&permits->stand_in[reading->meter], &model->meter[reading->meter], reading, t_ns);
    if (permits->stand_in[reading->meter].below_needed)
        step_below(permits, node, reading, t_ns);
    if (n->parent_count != 1 || !reads_own(permits, n->parent[0]))
        return;
    uint32_t above = model->node[n->parent[0]].meter;
    if (permits->stand_in[above].lost && permits->stand_in[above].children_may &&
        model->node[n->parent[0]].child_first == node)
        step(permits, above, reading, NULL, t_ns);
}

void permit_stand_in_lapse(struct permits *permits, uint32_t meter, int64_t t_ns)
{
    const struct model *model = permits->model;
    const struct model_node *n = &model->node[permits->meter[meter].node];
    if (!permits->lost_meters || model->node[permits->meter[meter].node].meter != meter)
        return;
    for (uint32_t i = 0; i < n->child_count; i++) {
        uint32_t below = model->node[n->child_first + i].meter;
        if (below != INDEX_NONE && permits->stand_in[below].lost)
            permit_follow(permits, below, t_ns);
    }
    for (uint32_t i = 0; i < n->parent_count; i++) {
        uint32_t above = model->node[n->parent[i]].meter;
        if (above != INDEX_NONE && permits->stand_in[above].lost)
            permit_follow(permits, above, t_ns);
    }
}
