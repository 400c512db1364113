/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One node of arbitration: what loads it, which of its cells is passed, the level at which those below fit.
 * Sums of children may lie above what a cut on another cord has left of them since; before a cut the cell is
 * summed anew, host by host.
 */
#include "core/bound.h"
#include "core/cluster_inside.h"

/* Over many cords a level is as good as another that uses a 16,000th more of the node. */
enum { ROUGH_BITS = 14, MANY_CORDS = 256 };
#define GRAIN_MW 1000               /* where caps have such a grain, nobody has to hand out the last mVA */

enum step {
    STEP_CHILDREN,
    STEP_OWN,
    STEP_CHOOSE,
    STEP_EXACT,     /* the node seems to be passed: its cells anew, cord by cord */
    STEP_BANDS,
    STEP_CLAIMS,
    STEP_FILL,
    STEP_CUT,
    STEP_SUM,       /* these two in the look for slack */
    STEP_FREE,
};

/* ---- sums over cords: a run of one shape costs one addition a cord ---- */

static void end_run(struct cluster *cluster)
{
    struct cluster_visit *visit = &cluster->visit;
    const int64_t *coefficient = &cluster->coefficient[(size_t)visit->shape * cluster->cells];
    for (uint32_t cell = 0; visit->run_mw && cell < cluster->cells; cell++)
        visit->load_mva[cell] += loads_mva(visit->run_mw, coefficient[cell]);
    visit->run_mw = 0;
}

static void take_cord(struct cluster *cluster, const struct cluster_cord *cord)
{
    if (cord->shape != cluster->visit.shape) {
        end_run(cluster);
        cluster->visit.shape = cord->shape;
    }
    cluster->visit.run_mw += cluster->draw_mw[cord->host];
}

static void clear_load(struct cluster *cluster, uint32_t node)
{
    struct cluster_visit *visit = &cluster->visit;
    visit->load_mva = &cluster->load_mva[(size_t)node * cluster->cells];
    for (uint32_t cell = 0; cell < cluster->cells; cell++)
        visit->load_mva[cell] = 0;
    visit->run_mw = 0;
}

static void enter(struct cluster *cluster, enum step step)
{
    cluster->visit.step = (uint8_t)step;
    cluster->visit.at = 0;
}

/* Children by their first parent; a group has none. */
static uint32_t children_of(const struct cluster *cluster, uint32_t node)
{
    return node < cluster->model->node_count ? cluster->model->node[node].child_count : 0;
}

static void add_child(struct cluster *cluster, uint32_t node)
{
    uint32_t i = cluster->visit.at, children = children_of(cluster, node);
    uint32_t child = i < children ? cluster->model->node[node].child_first + i
                                  : cluster->other[cluster->node[node].other_first + i - children];
    const int64_t *load_mva = &cluster->load_mva[(size_t)child * cluster->cells];
    for (uint32_t cell = 0; cell < cluster->cells; cell++)
        cluster->visit.load_mva[cell] += load_mva[cell];
}

/* ---- bands: where in what a host may have a band begins ---- */

static int64_t begins_mw(const struct cluster *cluster, uint32_t host, uint32_t band)
{
    const struct extent *extent = &cluster->host_extent[host];
    uint32_t tier = cluster->tier[host];
    int64_t at_mw = band <= tier               ? 0
                    : band <= TIERS_MAX + tier ? extent->least_mw
                    : band < CLUSTER_BANDS     ? extent->useful_mw
                                               : extent->most_mw;
    return smaller(at_mw, cluster->draw_mw[host]);
}

static void take_bands(struct cluster *cluster, const struct cluster_cord *cord)
{
    struct cluster_visit *visit = &cluster->visit;
    int64_t coefficient = cluster->coefficient[(size_t)cord->shape * cluster->cells + visit->cell];
    const struct extent *extent = &cluster->host_extent[cord->host];
    int64_t draw_mw = cluster->draw_mw[cord->host], all_mva = loads_mva(draw_mw, coefficient);
    uint32_t tier = cluster->tier[cord->host];
    if (tier == CLUSTER_FIXED) {
        visit->fixed_mva += all_mva;
        return;
    }
    int64_t least_mva = loads_mva(smaller(extent->least_mw, draw_mw), coefficient);
    int64_t useful_mva = loads_mva(smaller(extent->useful_mw, draw_mw), coefficient);
    visit->band_mva[tier] += least_mva;
    visit->band_mva[TIERS_MAX + tier] += useful_mva - least_mva;
    visit->band_mva[CLUSTER_BANDS - 1] += all_mva - useful_mva;
}

static void begin_bands(struct cluster *cluster, uint32_t cell)
{
    struct cluster_visit *visit = &cluster->visit;
    visit->cell = cell;
    visit->fixed_mva = 0;
    for (uint32_t band = 0; band < CLUSTER_BANDS; band++)
        visit->band_mva[band] = 0;
    enter(cluster, STEP_BANDS);
}

/* The cell most passed is likely the one with the lowest level. */
static bool choose_cell(struct cluster *cluster, uint32_t node)
{
    struct cluster_visit *visit = &cluster->visit;
    const int64_t *capacity_mva = &cluster->capacity_mva[(size_t)node * cluster->cells];
    uint32_t chosen = cluster->cells;
    int64_t most_ppm = -1;
    for (uint32_t cell = 0; cell < cluster->cells; cell++) {
        int64_t over_mva = visit->load_mva[cell] - capacity_mva[cell];
        if (over_mva <= 0 || visit->solved & 1u << cell)
            continue;
        int64_t ppm = over_mva / (capacity_mva[cell] / PPM + 1);
        if (ppm > most_ppm) {
            most_ppm = ppm;
            chosen = cell;
        }
    }
    if (chosen == cluster->cells)
        return false;
    if (visit->exact) {
        begin_bands(cluster, chosen);
    } else {
        visit->exact = true;
        clear_load(cluster, node);
        enter(cluster, STEP_EXACT);
    }
    return true;
}

static void end_bands(struct cluster *cluster, uint32_t node)
{
    struct cluster_visit *visit = &cluster->visit;
    int64_t capacity_mva = cluster->capacity_mva[(size_t)node * cluster->cells + visit->cell];
    int64_t sum_mva = visit->fixed_mva;
    uint32_t band = 0;
    for (; band < CLUSTER_BANDS; band++) {
        sum_mva += visit->band_mva[band];
        if (sum_mva > capacity_mva)
            break;
    }
    if (band == CLUSTER_BANDS) {    /* by rounding alone */
        visit->solved |= 1u << visit->cell;
        enter(cluster, STEP_CHOOSE);
        return;
    }
    visit->band = (uint8_t)band;
    if (band < TIERS_MAX) {
        struct cluster_node *n = &cluster->node[node];
        cluster->floor_infeasible += !n->infeasible && !n->was_infeasible;
        cluster->floor_infeasible_node = node;
        n->infeasible = true;
    }
    enter(cluster, STEP_CLAIMS);
}

static void make_claim(struct cluster *cluster, const struct cluster_cord *cord, struct claim *claim)
{
    const struct cluster_visit *visit = &cluster->visit;
    int64_t coefficient = cluster->coefficient[(size_t)cord->shape * cluster->cells + visit->cell];
    const struct model_host *h = &cluster->model->host[cord->host];
    bool gang = h->gang < cluster->model->gang_count;
    int64_t weight = (int64_t)(gang ? cluster->gang[h->gang].weight : h->weight) * coefficient >> 8;
    *claim = (struct claim){.weight = (uint32_t)larger(smaller(weight, WATERFILL_WEIGHT_MAX), 1)};
    if (cluster->tier[cord->host] == CLUSTER_FIXED || !coefficient)
        return;
    claim->low = loads_mva(begins_mw(cluster, cord->host, visit->band), coefficient);
    claim->high = loads_mva(begins_mw(cluster, cord->host, visit->band + 1u), coefficient);
}

static void begin_fill(struct cluster *cluster, uint32_t node)
{
    const struct cluster_visit *visit = &cluster->visit;
    int64_t capacity_mva = cluster->capacity_mva[(size_t)node * cluster->cells + visit->cell];
    waterfill_begin(&cluster->fill, larger(capacity_mva - visit->fixed_mva, 0), cluster->claim,
                    cluster->node[node].count, cluster->claim, 0);
    bool many = cluster->node[node].count > MANY_CORDS;
    waterfill_aim(&cluster->fill, cluster->node[node].level, many ? capacity_mva >> ROUGH_BITS : 0);
    cluster->fill.whole = cluster->grain_mw < GRAIN_MW;
    enter(cluster, STEP_FILL);
}

/* ---- the cut ---- */

static uint8_t term_of_cut(const struct cluster *cluster, uint32_t host)
{
    const struct cluster_visit *visit = &cluster->visit;
    uint32_t tier = visit->band % TIERS_MAX;
    if (visit->cell >= cluster->cells - CLUSTER_STEERED)
        return visit->cell + 1 == cluster->cells ? BOUND_CONTRACT : BOUND_LEVEL;
    return visit->band < CLUSTER_BANDS - 1 && cluster->tier[host] > tier ? BOUND_TIER : BOUND_SHARE;
}

static void cut(struct cluster *cluster, uint32_t node, const struct cluster_cord *cord,
                const struct claim *claim)
{
    uint32_t host = cord->host;
    int64_t coefficient = cluster->coefficient[(size_t)cord->shape * cluster->cells + cluster->visit.cell];
    if (!coefficient || cluster->tier[host] == CLUSTER_FIXED)
        return;
    int64_t draw_mw = claim->share;
    if (coefficient != COEFFICIENT_ONE)
        draw_mw = claim->share * COEFFICIENT_ONE / coefficient;
    /* the ends of a band are what they are, without the rounding of the way there and back */
    if (claim->share == claim->low)
        draw_mw = begins_mw(cluster, host, cluster->visit.band);
    if (claim->share == claim->high)
        draw_mw = begins_mw(cluster, host, cluster->visit.band + 1u);
    if (draw_mw >= cluster->draw_mw[host])
        return;
    cluster->draw_mw[host] = draw_mw;
    cluster->node[cluster->model->host[host].cord[0].node].dirty = true;    /* to be committed */
    cluster->bound_node[host] = node;
    cluster->bound_term[host] = term_of_cut(cluster, host);
}

static void end_cut(struct cluster *cluster, uint32_t node)
{
    struct cluster_visit *visit = &cluster->visit;
    end_run(cluster);
    cluster->node[node].cut |= 1u << visit->cell;
    cluster->node[node].level = cluster->fill.level;
    visit->solved |= 1u << visit->cell;
    enter(cluster, STEP_CHOOSE);
}

/* ---- slack: room that later cuts have freed ---- */

/* Cells that were cut, bit by bit, and have more than a 64th part of room by now. */
static uint32_t slack_cells(const struct cluster *cluster, uint32_t node)
{
    const int64_t *capacity_mva = &cluster->capacity_mva[(size_t)node * cluster->cells];
    uint32_t slack = 0;
    for (uint32_t cell = 0; cell < cluster->cells; cell++)
        if (cluster->visit.load_mva[cell] < capacity_mva[cell] - capacity_mva[cell] / 64)
            slack |= 1u << cell;
    return slack & cluster->node[node].cut;
}

/* A host that loads a full cell of this node is held down by that one. */
static void let_go(struct cluster *cluster, uint32_t node, const struct cluster_cord *cord)
{
    const int64_t *coefficient = &cluster->coefficient[(size_t)cord->shape * cluster->cells];
    uint32_t full = cluster->node[node].cut & ~cluster->visit.solved;
    bool loads_slack = false;
    if (cluster->bound_node[cord->host] != node)
        return;
    for (uint32_t cell = 0; cell < cluster->cells; cell++) {
        if (coefficient[cell] && full & 1u << cell)
            return;
        loads_slack |= coefficient[cell] && cluster->visit.solved & 1u << cell;
    }
    if (!loads_slack)
        return;
    cluster->again = true;
    cluster_mark(cluster, cord->host);
}

/* ---- a visit ---- */

void cluster_trim_begin(struct cluster *cluster, uint32_t node)
{
    clear_load(cluster, node);
    cluster->visit.solved = 0;
    cluster->visit.exact = cluster->node[node].own_count == cluster->node[node].count;
    enter(cluster, STEP_CHILDREN);
    if (cluster->round)
        return;
    cluster->node[node].cut = 0;
    cluster->node[node].was_infeasible = cluster->node[node].infeasible;
    cluster->node[node].infeasible = false;
}

/* What a step does to the things from the cursor on, up to `end`. */
static void step_over(struct cluster *cluster, uint32_t node, uint32_t end)
{
    struct cluster_visit *visit = &cluster->visit;
    const struct cluster_node *n = &cluster->node[node];
    const struct cluster_cord *cord = &cluster->below[n->first];
    uint32_t i = visit->at;
    switch (visit->step) {
    case STEP_CHILDREN:
        for (; visit->at < end; visit->at++)
            add_child(cluster, node);
        break;
    case STEP_BANDS:
        for (; i < end; i++)
            take_bands(cluster, &cord[i]);
        break;
    case STEP_CLAIMS:
        for (; i < end; i++)
            make_claim(cluster, &cord[i], &cluster->claim[i]);
        break;
    case STEP_CUT:
        for (; i < end; i++) {
            cut(cluster, node, &cord[i], &cluster->claim[i]);
            take_cord(cluster, &cord[i]);
        }
        break;
    case STEP_FREE:
        for (; i < end; i++)
            let_go(cluster, node, &cord[i]);
        break;
    default:
        for (; i < end; i++)
            take_cord(cluster, &cord[i]);
    }
    visit->at = end;
}

/* As much of a step as there are items for; false when there is more of it. */
static bool step_on(struct cluster *cluster, uint32_t node, uint32_t *items)
{
    struct cluster_visit *visit = &cluster->visit;
    const struct cluster_node *n = &cluster->node[node];
    uint32_t count = visit->step == STEP_CHILDREN ? children_of(cluster, node) + n->other_count
                     : visit->step == STEP_OWN    ? n->own_count
                                                  : n->count;
    uint32_t now = count - visit->at < *items ? count - visit->at : *items;
    step_over(cluster, node, visit->at + now);
    *items -= now;
    return visit->at == count;
}

static void end_step(struct cluster *cluster, uint32_t node)
{
    switch (cluster->visit.step) {
    case STEP_CHILDREN:
        enter(cluster, STEP_OWN);
        break;
    case STEP_OWN:
    case STEP_EXACT:
        end_run(cluster);
        enter(cluster, STEP_CHOOSE);
        break;
    case STEP_BANDS:
        end_bands(cluster, node);
        break;
    case STEP_CLAIMS:
        begin_fill(cluster, node);
        break;
    default:
        end_cut(cluster, node);
    }
}

bool cluster_trim(struct cluster *cluster, uint32_t node, uint32_t *items)
{
    for (;;) {
        if (cluster->visit.step == STEP_CHOOSE) {
            if (!choose_cell(cluster, node))
                return true;
        } else if (cluster->visit.step == STEP_FILL) {
            if (!waterfill_step(&cluster->fill, items))
                return false;
            clear_load(cluster, node);
            enter(cluster, STEP_CUT);
        }
        if (!step_on(cluster, node, items))
            return false;
        end_step(cluster, node);
    }
}

void cluster_slack_begin(struct cluster *cluster, uint32_t node)
{
    clear_load(cluster, node);
    enter(cluster, STEP_SUM);
}

bool cluster_slack(struct cluster *cluster, uint32_t node, uint32_t *items)
{
    if (!step_on(cluster, node, items))
        return false;
    if (cluster->visit.step == STEP_FREE)
        return true;
    end_run(cluster);
    cluster->visit.solved = slack_cells(cluster, node);
    enter(cluster, STEP_FREE);
    return !cluster->visit.solved;
}
