/* SPDX-License-Identifier: Apache-2.0 */
/* The shape of the site as arbitration walks it, and what every node can carry. */
#include "core/cluster_inside.h"
#include "core/sums.h"

enum { SHAPES_LOOKED_BACK = 16, LIMITS_AHEAD = 2 };
enum { LENT_RAISED_MILLI = 960, LENT_HELD_MILLI = 970 };     /* of what may be lent */

uint32_t cluster_cells(const struct model *model)
{
    return model->contingency_count * PHASES + CLUSTER_STEERED;
}

uint32_t cluster_cord_count(const struct model *model)
{
    uint32_t count = 0;
    for (uint32_t host = 0; host < model->host_count; host++)
        count += model->host[host].cord_count;
    return count;
}

uint32_t cluster_below_room(const struct model *model)
{
    uint32_t room = 0;
    for (uint32_t host = 0; host < model->host_count; host++)
        for (uint32_t j = 0; j < model->host[host].cord_count; j++)
            room += model->node[model->host[host].cord[j].node].ancestor_count;
    return room + CONTRACT_GROUPS_MAX * cluster_cord_count(model);
}

uint32_t cluster_other_room(const struct model *model)
{
    uint32_t room = 0, nodes = model->host_count ? model->node_count : 0;
    for (uint32_t n = 0; n < nodes; n++)
        room += (uint32_t)larger((int64_t)model->node[n].parent_count - 1, 0);
    return room + (contract_places(model) - model->node_count) * ORDER_NODES_MAX;
}

/* ---- shapes ---- */

static int64_t coefficient_of(const struct model_cord *cord, int64_t pf_ppm, uint32_t c, uint32_t phase)
{
    int64_t share = (int64_t)cord->share_ppm[c] * cord->phase_ppm[phase];   /* 10^-12 */
    int64_t scaled = (share * COEFFICIENT_ONE + PPM - 1) / PPM;
    return (scaled + pf_ppm - 1) / pf_ppm;
}

/* What a pool counts: all phases together, the contingency that loads the cord most. */
static int64_t pool_coefficient(const struct model *model, const struct model_cord *cord, int64_t pf_ppm)
{
    uint32_t heaviest = 0;
    int64_t coefficient = 0;
    for (uint32_t c = 1; c < model->contingency_count; c++)
        heaviest = cord->share_ppm[c] > cord->share_ppm[heaviest] ? c : heaviest;
    for (uint32_t phase = 0; phase < PHASES; phase++)
        coefficient += coefficient_of(cord, pf_ppm, heaviest, phase);
    return coefficient;
}

/* What a contract counts: the part of a host's watts that comes through this cord. */
static int64_t contract_coefficient(const struct model_host *h, const struct model_cord *cord)
{
    int64_t sum_ppm = 0;
    for (uint32_t j = 0; j < h->cord_count; j++)
        sum_ppm += h->cord[j].share_ppm[0];
    return sum_ppm ? (int64_t)cord->share_ppm[0] * COEFFICIENT_ONE / sum_ppm : 0;
}

static void make_shape(const struct cluster *cluster, const struct model_host *h,
                       const struct model_cord *cord, int64_t *made)
{
    uint32_t protects = cluster->cells - CLUSTER_STEERED;
    int64_t pf_ppm = cluster->model->type[h->type].pf_min_ppm;
    for (uint32_t i = 0; i < protects; i++)
        made[i] = coefficient_of(cord, pf_ppm, i / PHASES, i % PHASES);
    made[protects] = pool_coefficient(cluster->model, cord, pf_ppm);
    made[protects + 1] = contract_coefficient(h, cord);
}

static uint32_t shape_of(struct cluster *cluster, const struct model_host *h, const struct model_cord *cord)
{
    int64_t *made = &cluster->coefficient[(size_t)cluster->shape_count * cluster->cells];
    make_shape(cluster, h, cord, made);
    uint32_t back = (uint32_t)smaller(cluster->shape_count, SHAPES_LOOKED_BACK);
    for (uint32_t shape = cluster->shape_count - back; shape < cluster->shape_count; shape++) {
        const int64_t *known = &cluster->coefficient[(size_t)shape * cluster->cells];
        bool alike = true;
        for (uint32_t cell = 0; cell < cluster->cells; cell++)
            alike &= known[cell] == made[cell];
        if (alike)
            return shape;
    }
    return cluster->shape_count++;
}

static bool is_even(const struct model_cord *cord)
{
    return cord->phase_ppm[0] == cord->phase_ppm[1] && cord->phase_ppm[1] == cord->phase_ppm[2];
}

/* ---- what hangs below ---- */

static void count_cords(struct cluster *cluster)
{
    const struct model *model = cluster->model;
    for (uint32_t host = 0; host < model->host_count; host++) {
        for (uint32_t j = 0; j < model->host[host].cord_count; j++) {
            const struct model_node *node = &model->node[model->host[host].cord[j].node];
            cluster->node[node->ancestor[0]].own_cords++;
            for (uint32_t a = 0; a < node->ancestor_count; a++)
                cluster->node[node->ancestor[a]].cords++;
        }
    }
}

/* Room for a run a cord; the places behind a node's own cords are taken first to last as well. */
static void lay_runs(struct cluster *cluster)
{
    uint32_t first = 0;
    for (uint32_t n = 0; n < cluster->model->node_count; n++) {
        struct cluster_node counted = cluster->node[n];
        cluster->node[n] = (struct cluster_node){
            .first = first, .cords = counted.cords, .own_cords = counted.own_cords, .even = true};
        first += counted.cords;
    }
}

/* The host goes on the last of *count runs, or begins one. */
static void append(struct cluster_run *run, uint32_t *count, uint32_t host, uint32_t shape)
{
    struct cluster_run *last = *count ? &run[*count - 1] : NULL;
    if (last && last->shape == shape && last->host + last->count == host)
        last->count++;
    else
        run[(*count)++] = (struct cluster_run){host, 1, shape};
}

static void place_cord(struct cluster *cluster, uint32_t host, const struct model_cord *cord, uint32_t shape)
{
    const struct model_node *node = &cluster->model->node[cord->node];
    for (uint32_t a = 0; a < node->ancestor_count; a++) {
        struct cluster_node *above = &cluster->node[node->ancestor[a]];
        struct cluster_run *run = &cluster->below[above->first];
        if (a == 0)
            append(run, &above->own_count, host, shape);
        else
            append(run + above->own_cords, &above->count, host, shape);
        above->even &= is_even(cord);
    }
}

/* A node's own runs and those of the nodes below it close up. */
static void close_up(struct cluster *cluster)
{
    for (uint32_t n = 0; n < cluster->model->node_count; n++) {
        struct cluster_node *node = &cluster->node[n];
        struct cluster_run *run = &cluster->below[node->first];
        for (uint32_t i = 0; i < node->count; i++)
            run[node->own_count + i] = run[node->own_cords + i];
        node->count += node->own_count;
    }
}

static void place_cords(struct cluster *cluster)
{
    const struct model *model = cluster->model;
    for (uint32_t host = 0; host < model->host_count; host++) {
        for (uint32_t j = 0; j < CORDS_MAX; j++)
            cluster->cord_node[host][j] = INDEX_NONE;
        for (uint32_t j = 0; j < model->host[host].cord_count; j++) {
            const struct model_cord *cord = &model->host[host].cord[j];
            place_cord(cluster, host, cord, shape_of(cluster, &model->host[host], cord));
            cluster->cord_node[host][j] = cord->node;
            cluster->crossing |= j > 0 || !is_even(cord);
        }
    }
}

static void place_others(struct cluster *cluster)
{
    const struct model *model = cluster->model;
    uint32_t placed = 0;
    for (uint32_t n = 0; n < model->node_count; n++) {
        struct cluster_node *node = &cluster->node[n];
        node->other_first = placed;
        for (uint32_t child = n + 1; child < model->node_count; child++)
            for (uint32_t i = 1; i < model->node[child].parent_count; i++)
                if (model->node[child].parent[i] == n)
                    cluster->other[placed++] = child;
        node->other_count = placed - node->other_first;
    }
}

/* A node whose cords are all of one shape sums draws, not the loads of its children. */
static void note_alike(struct cluster *cluster)
{
    const struct model *model = cluster->model;
    for (uint32_t n = model->node_count; n-- > 0;) {
        struct cluster_node *node = &cluster->node[n];
        const struct cluster_run *run = &cluster->below[node->first];
        node->alike = true;
        node->shape = node->count ? run->shape : 0;
        for (uint32_t i = 1; i < node->count; i++)
            node->alike &= run[i].shape == run->shape;
    }
    for (uint32_t n = 0; n < model->node_count; n++)
        for (uint32_t i = 0; i < model->node[n].parent_count; i++)
            cluster->node[n].summed |= !cluster->node[model->node[n].parent[i]].alike;
}

static void note_above(struct cluster *cluster)
{
    for (uint32_t n = 0; n < cluster->model->node_count; n++) {
        const struct model_node *node = &cluster->model->node[n];
        for (uint32_t a = 0; a < ANCESTORS_MAX; a++)
            cluster->above[n][a] = a < node->ancestor_count ? (uint16_t)node->ancestor[a] : CLUSTER_NONE;
    }
}

void cluster_init(struct cluster *cluster, const struct model *model)
{
    cluster->model = model;
    cluster->cells = cluster_cells(model);
    cluster->places = model->node_count;
    cluster->group_below = cluster_below_room(model) - CONTRACT_GROUPS_MAX * cluster_cord_count(model);
    cluster->group_other =
        cluster_other_room(model) - (contract_places(model) - model->node_count) * ORDER_NODES_MAX;
    count_cords(cluster);
    lay_runs(cluster);
    place_cords(cluster);
    close_up(cluster);
    place_others(cluster);
    note_alike(cluster);
    note_above(cluster);
    cluster->steered = true;            /* what they leave stands nowhere yet */
    cluster->grain_mw = INT64_MAX;
    for (uint32_t type = 0; type < model->type_count; type++)
        cluster->grain_mw = smaller(cluster->grain_mw, model->type[type].quantum_mw);
    for (uint32_t host = 0; host < model->host_count; host++) {
        cluster->target_mw[host] = -1;
        cluster->bound_node[host] = INDEX_NONE;
    }
    cluster_gang_init(cluster);
}

/* ---- what a node can carry ---- */

/* What is lent is raised to less than may be lent, and held up to a little more: else everybody would come
 * down again as soon as heat has risen by anything, and after every time without readings, as in a
 * restart: D stands in for it. What stood there when the limit last moved is held, until S is below what may
 * be raised to; then it is over. */
static bool is_held(const struct ledger_sums *sums, uint32_t c, uint32_t phase)
{
    int64_t limit_mva = sums->limit_mva[c][phase];
    return limit_mva > sums->steady_mva[c][phase] &&
           sums->newest_mva[c][phase] > limit_mva / 1000 * LENT_RAISED_MILLI;
}

static int64_t given_out_mva(const struct ledger_sums *sums, uint32_t c, uint32_t phase)
{
    int64_t limit_mva = sums->limit_mva[c][phase], steady_mva = sums->steady_mva[c][phase];
    if (limit_mva <= steady_mva)
        return limit_mva;
    int64_t held_mva = smaller(sums->newest_mva[c][phase], limit_mva / 1000 * LENT_HELD_MILLI);
    return larger(steady_mva, larger(limit_mva / 1000 * LENT_RAISED_MILLI, held_mva));
}

/* The limit in force, less what no lease governs and what is kept free for protection. */
static int64_t room_mva(const struct cluster *cluster, const struct ledger *ledger, uint32_t node, uint32_t c,
                        uint32_t phase)
{
    const struct model *model = cluster->model;
    const struct model_node *n = &model->node[node];
    int64_t limit_mva = given_out_mva(&ledger->node[node], c, phase);
    if (!n->limited)
        return CLUSTER_NO_LIMIT;
    int64_t kept_mva = limit_mva / PPM * model->policy.headroom_ppm;
    return larger(limit_mva - kept_mva - sums_standing_mva(ledger, node, c, phase), 0);
}

static int64_t steered(const struct cluster *cluster, uint32_t node, uint32_t which)
{
    int64_t capacity = CLUSTER_NO_LIMIT;
    if (which == 0 && cluster->pools && node < cluster->model->node_count)
        capacity = smaller(capacity, pool_capacity_mva(cluster->pools, node));
    if (which == 1 && cluster->contracts)
        capacity = smaller(capacity, cluster->contracts->budget_mw[node]);
    return larger(capacity, 0);
}

void cluster_steer(struct cluster *cluster)
{
    bool now =
        (cluster->pools && cluster->pools->levels) || (cluster->contracts && cluster->contracts->count);
    cluster->look_at_all = cluster->given_up || now || cluster->steered;
    cluster->steered = now;
}

static bool set(int64_t *capacity_mva, int64_t room_mva)
{
    bool changed = *capacity_mva != room_mva;
    *capacity_mva = room_mva;
    return changed;
}

/* A load is rounded up, so what the sum of draws may be is rounded down: exactly as much as passes no
 * cell. */
static int64_t fits_mw(const struct cluster *cluster, uint32_t node)
{
    const int64_t *capacity_mva = &cluster->capacity_mva[(size_t)node * cluster->cells];
    const int64_t *coefficient =
        &cluster->coefficient[(size_t)cluster->node[node].shape * cluster->cells];
    int64_t fits = INT64_MAX;
    for (uint32_t cell = 0; cell < cluster->cells; cell++)
        if (coefficient[cell] && capacity_mva[cell] < WATERFILL_QUANTITY_MAX)
            fits = smaller(fits, (capacity_mva[cell] << COEFFICIENT_BITS) / coefficient[cell]);
    return fits;
}

/* By contingency and phase; what is held stays for as long as it is. */
static bool set_protects(struct cluster *cluster, const struct ledger *ledger, uint32_t node)
{
    int64_t *capacity_mva = &cluster->capacity_mva[(size_t)node * cluster->cells];
    uint32_t protects = cluster->cells - CLUSTER_STEERED;
    bool stands = ledger->moved.node && ledger->moved.node[node] == NODE_HELD, changed = false, held = false;
    for (uint32_t cell = 0; cell < protects; cell++) {
        uint32_t c = cell / PHASES, phase = cell % PHASES;
        bool is = is_held(&ledger->node[node], c, phase);
        held |= is;
        if (!is || !stands)
            changed |= set(&capacity_mva[cell], room_mva(cluster, ledger, node, c, phase));
    }
    if (ledger->moved.node)
        ledger->moved.node[node] = held ? NODE_HELD : 0;
    return changed;
}

static bool set_group(struct cluster *cluster, uint32_t node)
{
    int64_t *capacity_mva = &cluster->capacity_mva[(size_t)node * cluster->cells];
    bool changed = false;
    for (uint32_t cell = 0; cell < cluster->cells - CLUSTER_STEERED; cell++)
        changed |= set(&capacity_mva[cell], CLUSTER_NO_LIMIT);
    return changed;
}

/* Sums of a node take several lines of the cache; those that have moved are known. */
static void fetch_sums(const struct ledger *ledger, uint32_t node, uint32_t nodes)
{
    if (node >= nodes || !ledger->moved.node || !ledger->moved.node[node])
        return;
    for (size_t at = 0; at < sizeof ledger->node[node]; at += 64)
        __builtin_prefetch((const char *)&ledger->node[node] + at);
}

bool cluster_limits(struct cluster *cluster, const struct ledger *ledger, uint32_t node, uint32_t *items)
{
    int64_t *capacity_mva = &cluster->capacity_mva[(size_t)node * cluster->cells];
    uint32_t protects = cluster->cells - CLUSTER_STEERED, cost = COST_LIMITS;
    bool changed = false;
    bool group = node >= cluster->model->node_count;
    fetch_sums(ledger, node + LIMITS_AHEAD, cluster->model->node_count);
    if (group || !ledger->moved.node || ledger->moved.node[node]) {
        changed = group ? set_group(cluster, node) : set_protects(cluster, ledger, node);
        cost += protects * COST_CELL;
    }
    for (uint32_t which = 0; cluster->look_at_all && which < CLUSTER_STEERED; which++)
        changed |= set(&capacity_mva[protects + which], steered(cluster, node, which));
    cost += cluster->look_at_all ? COST_STEERED : 0;
    if (changed && cluster->node[node].alike) {
        cluster->node[node].fits_mw = fits_mw(cluster, node);
        cost += cluster->cells * COST_FITS;
    }
    cluster_spend(items, cost);
    return changed;
}
