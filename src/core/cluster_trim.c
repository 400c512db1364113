/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One node of arbitration: what loads it, which of its cells is passed, the level at which those below fit.
 * Sums of children may lie above what a cut on another cord has left of them since; before a cut the cell is
 * summed anew, host by host.
 */
#include "core/bound.h"
#include "core/cluster_inside.h"

/* Over many cords a level is as good as another that uses a 16,000th more of the node. */
enum { ROUGH_BITS = 14, MANY_CORDS = 256, SUM_BITS = 3 };
__extension__ typedef __int128 wide;
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
    STEP_DONE,
};

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
    cluster->visit.at = cluster->visit.run = cluster->visit.place = 0;
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

/* ---- bands ---- */

/* Rounded down: draws of so much load the cell with no more than it carries. */
static int64_t capacity_in_mw(int64_t capacity_mva, int64_t coefficient)
{
    return (int64_t)(((wide)capacity_mva << COEFFICIENT_BITS) / coefficient);
}

static void begin_bands(struct cluster *cluster, uint32_t node, uint32_t cell)
{
    struct cluster_visit *visit = &cluster->visit;
    const struct cluster_node *n = &cluster->node[node];
    visit->cell = cell;
    visit->in_mw = n->alike;
    visit->capacity = cluster->capacity_mva[(size_t)node * cluster->cells + cell];
    if (n->alike)
        visit->capacity =
            capacity_in_mw(visit->capacity, cluster->coefficient[(size_t)n->shape * cluster->cells + cell]);
    visit->fixed_mva = visit->fixed_least_mva = 0;
    visit->fixed_mw = visit->fixed_least_mw = 0;
    for (uint32_t band = 0; band < CLUSTER_BANDS; band++)
        visit->band_mva[band] = visit->band_mw[band] = 0;
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
        begin_bands(cluster, node, chosen);
    } else {
        visit->exact = true;
        clear_load(cluster, node);
        enter(cluster, STEP_EXACT);
    }
    return true;
}

static void begin_claims(struct cluster *cluster, uint32_t node)
{
    const struct cluster_visit *visit = &cluster->visit;
    bool many = cluster->node[node].cords > MANY_CORDS;
    waterfill_open(&cluster->fill, cluster->node[node].level, many ? visit->capacity >> ROUGH_BITS : 0);
    cluster->fill.whole = cluster->grain_mw < GRAIN_MW;
    enter(cluster, STEP_CLAIMS);
}

/* Were every host at its floor: one that is not heard takes more only until it is. */
static bool carries_floors(const struct cluster_visit *visit)
{
    int64_t sum_mva = visit->fixed_least_mva;
    for (uint32_t tier = 0; tier < TIERS_MAX; tier++)
        sum_mva += visit->band_mva[tier];
    return sum_mva <= visit->capacity;
}

static void end_bands(struct cluster *cluster, uint32_t node)
{
    struct cluster_visit *visit = &cluster->visit;
    cluster_end_bands_run(cluster);
    int64_t sum_mva = visit->fixed_mva;
    uint32_t band = 0;
    for (; band < CLUSTER_BANDS; band++) {
        sum_mva += visit->band_mva[band];
        if (sum_mva > visit->capacity)
            break;
    }
    if (band == CLUSTER_BANDS) {    /* by rounding alone */
        visit->solved |= 1u << visit->cell;
        enter(cluster, STEP_CHOOSE);
        return;
    }
    visit->band = (uint8_t)band;
    begin_claims(cluster, node);
    if (band < TIERS_MAX && !carries_floors(visit)) {
        struct cluster_node *n = &cluster->node[node];
        cluster->floor_infeasible += !n->infeasible && !n->was_infeasible;
        cluster->floor_infeasible_node = node;
        n->infeasible = true;
    }
}

static void begin_fill(struct cluster *cluster)
{
    const struct cluster_visit *visit = &cluster->visit;
    waterfill_close(&cluster->fill, larger(visit->capacity - visit->fixed_mva, 0), cluster->claim);
    enter(cluster, STEP_FILL);
}

static void end_cut(struct cluster *cluster, uint32_t node)
{
    struct cluster_visit *visit = &cluster->visit;
    cluster_end_run(cluster);
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

/* ---- a visit ---- */

void cluster_trim_begin(struct cluster *cluster, uint32_t node)
{
    const struct cluster_node *n = &cluster->node[node];
    cluster->visit.solved = 0;
    cluster->visit.run_mw = 0;
    if (!n->alike)
        clear_load(cluster, node);
    cluster->visit.exact = n->alike || n->own_count == n->count;
    enter(cluster, n->alike ? STEP_EXACT : STEP_CHILDREN);
    if (cluster->round)
        return;
    cluster->node[node].cut = 0;
    cluster->node[node].was_infeasible = cluster->node[node].infeasible;
    cluster->node[node].infeasible = false;
}

static void step_over(struct cluster *cluster, uint32_t node, const struct cluster_run *run)
{
    struct claim *claim = &cluster->claim[cluster->visit.place];
    switch (cluster->visit.step) {
    case STEP_BANDS:
        cluster_take_bands(cluster, run);
        break;
    case STEP_CLAIMS:
        cluster_make_claims(cluster, run, claim);
        break;
    case STEP_CUT:
        cluster_cut(cluster, node, run, claim);
        break;
    case STEP_FREE:
        cluster_let_go(cluster, node, run);
        break;
    default:
        cluster_sum(cluster, run);
    }
}

static bool add_children(struct cluster *cluster, uint32_t node, uint32_t *items)
{
    uint32_t count = children_of(cluster, node) + cluster->node[node].other_count;
    for (; *items && cluster->visit.at < count; cluster->visit.at++, (*items)--)
        add_child(cluster, node);
    return cluster->visit.at == count;
}

/* As much of a step as there are items for; false when there is more of it. What only adds draws up goes over
 * several hosts for the time of one visit. */
static bool step_on(struct cluster *cluster, uint32_t node, uint32_t *items)
{
    struct cluster_visit *visit = &cluster->visit;
    const struct cluster_node *n = &cluster->node[node];
    bool plain = visit->step == STEP_OWN || visit->step == STEP_EXACT || visit->step == STEP_SUM;
    uint32_t runs = visit->step == STEP_OWN ? n->own_count : n->count, bits = plain ? SUM_BITS : 0;
    if (visit->step == STEP_CHILDREN)
        return add_children(cluster, node, items);
    for (; visit->run < runs; visit->run++, visit->at = 0) {
        const struct cluster_run *whole = &cluster->below[n->first + visit->run];
        uint64_t most = (uint64_t)*items << bits;
        struct cluster_run run = {whole->host + visit->at, whole->count - visit->at, whole->shape};
        run.count = (uint32_t)smaller(run.count, (int64_t)most);
        step_over(cluster, node, &run);
        visit->at += run.count;
        visit->place += run.count;
        *items -= (run.count + (1u << bits) - 1) >> bits;
        if (visit->at < whole->count)
            return false;
    }
    return true;
}

/* Most nodes are not passed; where one sum shows it, loads of cells are for those that ask. */
static void end_sum(struct cluster *cluster, uint32_t node)
{
    const struct cluster_node *n = &cluster->node[node];
    int64_t sum_mw = cluster->visit.run_mw;
    bool fits = n->alike && sum_mw <= n->fits_mw;
    if (n->alike && (!fits || n->summed))
        clear_load(cluster, node);
    cluster->visit.run_mw = sum_mw;
    if (!fits || n->summed)
        cluster_end_run(cluster);
    enter(cluster, fits ? STEP_DONE : STEP_CHOOSE);
}

static void end_step(struct cluster *cluster, uint32_t node)
{
    switch (cluster->visit.step) {
    case STEP_CHILDREN:
        enter(cluster, STEP_OWN);
        break;
    case STEP_OWN:
    case STEP_EXACT:
        end_sum(cluster, node);
        break;
    case STEP_BANDS:
        end_bands(cluster, node);
        break;
    case STEP_CLAIMS:
        begin_fill(cluster);
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
        if (cluster->visit.step == STEP_DONE)
            return true;
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
    cluster_end_run(cluster);
    cluster->visit.solved = slack_cells(cluster, node);
    enter(cluster, STEP_FREE);
    return !cluster->visit.solved;
}
