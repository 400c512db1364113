/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model_build.h"

/* The rounding of a sum may add this much per host and cord; I2 must hold with it. */
#define ROUNDING_MVA 8

enum { K_MAX = 16 };

double model_wall_mw(const struct model_host_type *type, double cap_mw)
{
    return cap_mw * (double)type->gain_ppm / 1e6 + (double)type->base_max_mw;
}

int model_above(const struct model *model, uint32_t node, uint32_t cord_node)
{
    const struct model_node *below = &model->node[cord_node];
    for (uint32_t i = 0; i < below->ancestor_count; i++)
        if (below->ancestor[i] == node)
            return 1;
    return 0;
}

void build_add_ancestors(struct build *build, struct model_node *node, uint32_t parent)
{
    const struct model_node *above = &build->node[parent];
    for (uint32_t i = 0; i < above->ancestor_count; i++) {
        uint32_t j = 0;
        while (j < node->ancestor_count && node->ancestor[j] != above->ancestor[i])
            j++;
        if (j == node->ancestor_count)
            node->ancestor[node->ancestor_count++] = above->ancestor[i];
    }
    node->parent[node->parent_count++] = parent;
}

static void add_node(struct build *build, uint32_t parent)
{
    uint32_t n = build->model.node_count++;
    struct model_node *node = &build->node[n];
    build->node_id[n] = n;
    snprintf(node->name, sizeof node->name, "node-%u", n);
    node->phases = 3;
    node->rated_100pct = 1;
    node->meter = INDEX_NONE;
    node->limited = parent == INDEX_NONE || chance_hit(&build->chance, 0.85);
    node->k = node->limited ? (uint32_t)chance_range(&build->chance, 0, 3) : 0;
    node->volts_ln_mv = 277128;
    node->volts_low_mv = 263272;
    node->ancestor[node->ancestor_count++] = n;
    if (parent == INDEX_NONE) {
        node->kind = NODE_MAIN;
        return;
    }
    build_add_ancestors(build, node, parent);
    build->level[n] = build->level[parent] + 1;
    node->kind = build->level[n] + 1 == build->depth ? NODE_RACK : NODE_BRANCH;
    if (build->form.feeds) {
        mesh_second_parent(build, node, parent);
        return;
    }
    /* A transfer switch: a second feed, on an earlier node, so that no cycle can close. */
    uint32_t other = (uint32_t)chance_range(&build->chance, 0, parent);
    if (chance_hit(&build->chance, 0.08) && !model_above(&build->model, other, n) &&
        node->ancestor_count + build->node[other].ancestor_count <= ANCESTORS_MAX)
        build_add_ancestors(build, node, other);
}

static void grow_tree(struct build *build)
{
    for (uint32_t i = 0; i < build->roots; i++)
        add_node(build, INDEX_NONE);
    for (uint32_t n = 0; n < build->model.node_count; n++) {
        struct model_node *node = &build->node[n];
        node->child_first = build->model.node_count;
        if (build->level[n] + 1 >= build->depth || n == build->catcher)
            continue;
        uint32_t children = (uint32_t)chance_range(&build->chance, 1, build->form.children_max);
        while (children-- && build->model.node_count < build->form.nodes_max)
            add_node(build, n);
        node->child_count = build->model.node_count - node->child_first;
    }
}

static void draw_types(struct build *build)
{
    struct chance *chance = &build->chance;
    build->model.type_count = (uint32_t)chance_range(chance, 1, BUILT_TYPES_MAX);
    for (uint32_t t = 0; t < build->model.type_count; t++) {
        struct model_host_type *type = &build->type[t];
        snprintf(type->name, sizeof type->name, "type-%u", t);
        type->quantum_mw = chance_hit(chance, 0.7) ? 100000 : 7000;
        type->cap_min_mw = type->quantum_mw * chance_range(chance, 5, 20);
        type->cap_max_mw = type->cap_min_mw + type->quantum_mw * chance_range(chance, 10, 80);
        type->base_max_mw = chance_range(chance, 0, 4000000);
        type->gain_ppm = chance_range(chance, 1000000, 1250000);
        type->phys_max_mw =
            (int64_t)ceil(model_wall_mw(type, (double)type->cap_max_mw)) + chance_range(chance, 0, 2000000);
        type->boot_mw = type->phys_max_mw + 1000000;
        type->pf_min_ppm = chance_range(chance, 850000, 1000000);
        type->actuation_ns = chance_range(chance, 60, 250) * NS_PER_MS;
    }
}

static void draw_phases(struct chance *chance, struct model_cord *cord)
{
    uint32_t first = (uint32_t)chance_range(chance, 0, 2);
    switch (chance_range(chance, 0, 3)) {
    case 0: cord->phase_ppm[first] = 1000000; break;
    case 1: cord->phase_ppm[first] = cord->phase_ppm[(first + 1) % PHASES] = 500000; break;
    default:
        for (uint32_t p = 0; p < PHASES; p++)
            cord->phase_ppm[p] = 333334;
    }
}

static uint32_t draw_cord_node(struct build *build, const struct model_host *host)
{
    uint32_t node = host->cord[0].node;
    for (int tries = 0; tries < 20 && node == host->cord[0].node; tries++)
        node = (uint32_t)chance_range(&build->chance, 0, build->model.node_count - 1);
    return node;
}

static void add_host(struct build *build, uint32_t node)
{
    struct chance *chance = &build->chance;
    uint32_t h = build->model.host_count++;
    struct model_host *host = &build->host[h];
    build->host_id[h] = h;
    snprintf(host->name, sizeof host->name, "host-%u", h);
    host->type = (uint32_t)chance_range(chance, 0, build->model.type_count - 1);
    host->weight = (uint32_t)chance_range(chance, 1, 4);
    host->cord_count = chance_hit(chance, build->roots >= 2 ? 0.7 : 0.15) ? 2 : 1;
    if (host->cord_count == 2 && chance_hit(chance, 0.1))
        host->cord_count = 3;
    host->cord[0].node = node;
    if (build->form.feeds)
        mesh_cords(build, host);
    for (uint32_t j = 0; j < host->cord_count; j++) {
        if (j > 0 && !build->form.feeds)
            host->cord[j].node = draw_cord_node(build, host);
        host->cord[j].psus = 2;
        draw_phases(chance, &host->cord[j]);
    }
    const struct model_host_type *type = &build->type[host->type];
    int64_t steps = (type->cap_max_mw - type->cap_min_mw) / type->quantum_mw;
    host->fail_safe_mw = type->cap_min_mw + type->quantum_mw * chance_range(chance, 0, steps / 2);
    host->floor_mw = chance_hit(chance, 0.5) ? host->fail_safe_mw : type->cap_min_mw;
}

/* Depth first, so that the hosts below any node lie together. */
static void place_hosts(struct build *build, uint32_t n)
{
    struct model_node *node = &build->node[n];
    node->host_below_first = node->host_first = build->model.host_count;
    bool hangs = (node->child_count == 0 && n != build->catcher) || chance_hit(&build->chance, 0.1);
    uint32_t wanted = hangs ? (uint32_t)chance_range(&build->chance, 1, 6) : 0;
    while (wanted-- && build->model.host_count < build->hosts_max)
        add_host(build, n);
    node->host_count = build->model.host_count - node->host_first;
    for (uint32_t i = 0; i < node->child_count; i++)
        place_hosts(build, node->child_first + i);
    node->host_below = build->model.host_count - node->host_below_first;
}

/* Contingencies: none; with two feeds the loss of either; sometimes a sag (lower limits, same load). */
static void name_contingencies(struct build *build)
{
    struct model *model = &build->model;
    static const char *const names[] = {"none", "lose-a", "lose-b", "sag"};
    uint32_t losses = build->roots == 2 ? 2 : 0;
    model->contingency_count = 1 + losses;
    for (uint32_t c = 0; c < 1 + losses; c++)
        snprintf(model->contingency[c].name, NAME_BYTES, "%s", names[c]);
    if (chance_hit(&build->chance, 0.3))
        snprintf(model->contingency[model->contingency_count++].name, NAME_BYTES, "%s", names[3]);
    for (uint32_t c = 1; c < model->contingency_count; c++) {
        struct model_contingency *lost = &model->contingency[c];
        bool sag = strcmp(lost->name, "sag") == 0;
        lost->kind = sag ? CONTINGENCY_SAG : CONTINGENCY_LOSS;
        lost->lasting = !sag;
        lost->lost_node = sag ? INDEX_NONE : c - 1;
    }
}

/* What is lost takes everything along that hangs on nothing else. */
bool build_cord_lives(const struct build *build, uint32_t n, uint32_t contingency)
{
    const struct model_contingency *lost = &build->model.contingency[contingency];
    const struct model_node *node = &build->node[n];
    bool lives = !node->parent_count;
    if (lost->kind != CONTINGENCY_LOSS)
        return true;
    for (uint32_t i = 0; i < node->parent_count; i++)
        lives |= build_cord_lives(build, node->parent[i], contingency);
    return lives && n != lost->lost_node;
}

void build_set_shares(struct build *build, struct model_host *host, uint32_t c)
{
    static const uint32_t split_ppm[] = {0, 1000000, 550000, 400000};
    uint32_t living = 0, h = (uint32_t)(host - build->host);
    uint32_t steady = host->cord_count - build->catches[h];
    for (uint32_t j = 0; j < steady; j++)
        living += build_cord_lives(build, host->cord[j].node, c);
    for (uint32_t j = 0; j < steady; j++)
        host->cord[j].share_ppm[c] = build_cord_lives(build, host->cord[j].node, c) ? split_ppm[living] : 0;
    if (build->catches[h])
        host->cord[steady].share_ppm[c] =
            !living && build_cord_lives(build, host->cord[steady].node, c) ? 1000000 : 0;
}

/* mVA on one phase of a node per mW at the wall of a host, every cord at the most it may carry. */
static double phase_load(const struct model *model, const struct model_host *host, unsigned cords,
                         uint32_t c, uint32_t p)
{
    double load = 0;
    for (uint32_t j = 0; j < host->cord_count; j++)
        if (cords >> j & 1)
            load += (double)host->cord[j].share_ppm[c] / 1e6 * (double)host->cord[j].phase_ppm[p] / 1e6;
    return load * 1e6 / (double)model->type[host->type].pf_min_ppm;
}

/* Sums of one node, phase and contingency: at fail-safe, with everything at its physical maximum, and
 * bad(n). */
static void node_sums(const struct build *build, uint32_t k, const unsigned *cords, uint32_t c, uint32_t p,
                      double *safe, double *full, double *bad)
{
    double worst[K_MAX] = {0};
    const struct model *model = &build->model;
    *safe = *full = *bad = 0;
    for (uint32_t h = 0; h < model->host_count; h++) {
        if (!cords[h])
            continue;
        const struct model_host_type *type = &build->type[build->host[h].type];
        double load = phase_load(model, &build->host[h], cords[h], c, p);
        double low = load * ceil(model_wall_mw(type, (double)build->host[h].fail_safe_mw));
        double gap = load * (double)type->phys_max_mw - low;
        *safe += low;
        *full += low + gap;
        for (uint32_t i = 0; i < k; i++)
            if (gap > worst[i]) {
                double smaller = worst[i];
                worst[i] = gap;
                gap = smaller;
            }
    }
    for (uint32_t i = 0; i < k; i++)
        *bad += worst[i];
}

/* Which cords of each host a node is above. */
static void cords_below(const struct build *build, uint32_t n, unsigned cords[BUILT_HOSTS_MAX])
{
    for (uint32_t h = 0; h < build->model.host_count; h++) {
        cords[h] = 0;
        for (uint32_t j = 0; j < build->host[h].cord_count; j++)
            cords[h] |= model_above(&build->model, n, build->host[h].cord[j].node) ? 1u << j : 0;
    }
}

static void draw_limits(struct build *build, uint32_t n)
{
    static const int64_t slack_pct[] = {0, 3, 10, 30, 60, 120};
    struct build_limits *limits = &build->limits[n];
    struct chance *chance = &build->chance;
    limits->slack = (double)slack_pct[chance_range(chance, 0, 5)] / 100;
    for (uint32_t p = 0; p < PHASES; p++)
        limits->other_mva[p] = chance_hit(chance, 0.5) ? chance_range(chance, 0, 2000000) : 0;
    limits->instantaneous = chance_hit(chance, 0.5);
    for (uint32_t i = PHASES; i < build->model.contingency_count * PHASES; i++)
        limits->part_pct[i / PHASES][i % PHASES] = chance_range(chance, 85, 100);
}

/* I2 holds by construction: each limit lies at or above the sum at fail-safe, with a slack drawn per node. */
void build_lay_limits(struct build *build, uint32_t n)
{
    struct model_node *node = &build->node[n];
    const struct build_limits *limits = &build->limits[n];
    unsigned cords[BUILT_HOSTS_MAX];
    double need[CONTINGENCIES_MAX][PHASES], most = 1000;
    cords_below(build, n, cords);
    memcpy(node->other_mva, limits->other_mva, sizeof node->other_mva);
    for (uint32_t i = 0; i < build->model.contingency_count * PHASES; i++) {
        uint32_t c = i / PHASES, p = i % PHASES;
        double safe, full, bad;
        node_sums(build, node->k, cords, c, p, &safe, &full, &bad);
        node->bad_mva[c][p] = (int64_t)ceil(bad) + 2 * node->k;
        need[c][p] = safe + (double)(node->bad_mva[c][p] + node->other_mva[p]) +
                     (double)(ROUNDING_MVA * (build->model.host_count + 1));
        most = fmax(most, need[c][p] + limits->slack * (full - safe));
    }
    node->steady_ma = (int64_t)ceil(most * 1000 / (double)node->volts_low_mv);
    node->rating_ma = node->long_time_ma = node->steady_ma;
    node->instant_peak_ma = limits->instantaneous ? 8 * node->steady_ma : 0;
    for (uint32_t i = 0; i < build->model.contingency_count * PHASES; i++) {
        uint32_t c = i / PHASES, p = i % PHASES;
        double limit = (double)(node->steady_ma * node->volts_low_mv / 1000);
        if (c > 0)
            limit = fmax(ceil(need[c][p]), limit * (double)limits->part_pct[c][p] / 100);
        node->limit_mva[c][p] = node->limited ? (int64_t)limit : INT64_MAX;
    }
}

static void set_policy(struct build *build)
{
    build->model.policy = (struct model_policy){
        .lease_ns = NS_PER_S,
        .report_ns = 100 * NS_PER_MS,
        .tick_ns = 20 * NS_PER_MS,
        .raise_after_emergency_ns = 100 * NS_PER_MS,
        .emergency_clear_ns = NS_PER_S,
        .rho_ppm = 10000,
        .demand_hold_ns = 600 * NS_PER_MS,
        .demand_headroom_ppm = 50000,
        .power_pct = {980000, 900000},
        .current_pct = {980000, 900000},
        .sag_pct = {900000, 920000},
        .swell_pct = {1100000, 1080000},
        .feed_stable_ns = 500 * NS_PER_MS,
    };
}

static void add_meters(struct build *build)
{
    for (uint32_t n = 0; n < build->model.node_count; n++) {
        if (!build->node[n].limited || !chance_hit(&build->chance, 0.8))
            continue;
        uint32_t m = build->model.meter_count++;
        build->node[n].meter = m;
        build->meter[m] = (struct model_meter){
            .node = n, .error_ppm = 10000, .period_ns = 16 * NS_PER_MS, .fresh_ns = 100 * NS_PER_MS};
        snprintf(build->meter[m].name, NAME_BYTES, "meter-%u", m);
    }
}

/* Travel at M = 1 in 0.3, 3 and 30 s, for the first whatever the current, else by its square. */
static void draw_curves(struct build *build)
{
    static const double seconds[BUILT_CURVES] = {0.3, 3, 30};
    for (int i = 0; i < BUILT_CURVES * CURVE_POINTS; i++) {
        int curve = i / CURVE_POINTS, point = i % CURVE_POINTS;
        double m = (double)(1 << point / CURVE_STEPS) * (1 + (double)(point % CURVE_STEPS) / CURVE_STEPS);
        build->curve[curve].rate[point] =
            (int64_t)((double)HEAT_ONE * 1.073741824 / seconds[curve] * (curve ? m * m : 1)) + 1;
    }
    build->model.curve = build->curve;
    build->model.curve_count = BUILT_CURVES;
}

/* The image's fast edge at 0.9 to 1.3 of the steady limit: below 1 time to trip says so before the limit. */
static void draw_breaker(struct chance *chance, struct model_node *node)
{
    struct breaker_element *image = &node->breaker.element[0], *travel = &node->breaker.element[1];
    node->breaker.element_count = (uint32_t)chance_range(chance, 1, 3);
    *image = (struct breaker_element){
        .law = BREAKER_IMAGE, .role = ELEMENT_LONG_TIME, .fast_above_ma = 6 * node->steady_ma,
        .pickup_ma = node->steady_ma / 100 * chance_range(chance, 90, 130) + 1,
        .heat_ns = chance_range(chance, 1, 30) * NS_PER_S};
    image->heat_fast_ns = image->heat_ns * 9 / 10;
    image->cool_ns = image->heat_ns * 12 / 10;
    *travel = (struct breaker_element){
        .law = BREAKER_TRAVEL, .role = ELEMENT_INVERSE,
        .reset = (uint8_t)chance_range(chance, RESET_AT_ONCE, RESET_NEVER),
        .curve = (uint32_t)chance_range(chance, 0, BUILT_CURVES - 1), .reset_ns = 2 * NS_PER_S,
        .pickup_ma = node->steady_ma / 100 * chance_range(chance, 105, 300) + 100};
    travel->unit_ma = travel->pickup_ma * chance_range(chance, 80, 100) / 100;
    node->breaker.element[2] = (struct breaker_element){
        .law = BREAKER_PEAK, .role = ELEMENT_INSTANTANEOUS, .pickup_ma = 9 * node->steady_ma};
}

/* A chance of their own: what else a seed draws stays as it was. */
static void draw_breakers(struct build *build, uint64_t seed)
{
    struct chance chance = {seed ^ UINT64_C(0xB4EA4E4)};
    draw_curves(build);
    for (uint32_t n = 0; n < build->model.node_count; n++)
        if (build->node[n].limited && chance_hit(&chance, 0.7))
            draw_breaker(&chance, &build->node[n]);
}

/* Half of the nodes that may be oversubscribed are, and reserves are lent where feeds may be lost. */
static void draw_lending(struct build *build, uint64_t seed)
{
    struct chance chance = {seed ^ UINT64_C(0x1E4D)};
    struct model *model = &build->model;
    for (uint32_t c = 1; c < model->contingency_count; c++) {
        struct model_contingency *lost = &model->contingency[c];
        lost->witness = lost->kind == CONTINGENCY_SAG ? INDEX_NONE : build->node[lost->lost_node].meter;
    }
    for (uint32_t n = 0; n < model->node_count; n++) {
        struct model_node *node = &build->node[n];
        if (!node->limited || node->meter == INDEX_NONE || !node->breaker.element_count ||
            chance_hit(&chance, 0.3))
            continue;
        node->lend = (uint8_t)chance_range(&chance, 1, (1 << model->contingency_count) - 1);
        build->meter[node->meter].fresh_ns = 250 * NS_PER_MS;
    }
}

struct model *model_build(uint64_t seed, uint32_t hosts_max)
{
    enum { NODES = 24, HOSTS = 64 };
    const struct model_form form = {
        .nodes_max = NODES, .hosts_max = hosts_max < HOSTS ? hosts_max : HOSTS, .children_max = 3};
    return model_build_form(seed, &form);
}

static void draw_site(struct build *build, uint64_t seed)
{
    struct model *model = &build->model;
    model->mode = MODE_ENFORCE;
    model->node = build->node;
    model->host = build->host;
    model->type = build->type;
    model->meter = build->meter;
    snprintf(model->name, NAME_BYTES, "random");
    set_policy(build);
    grow_tree(build);
    draw_types(build);
    for (uint32_t n = 0; n < build->roots; n++)
        place_hosts(build, n);
    if (build->form.feeds)
        mesh_losses(build);
    else
        name_contingencies(build);
    for (uint32_t i = 0; i < model->host_count * model->contingency_count; i++)
        build_set_shares(build, &build->host[i / model->contingency_count], i % model->contingency_count);
    for (uint32_t n = 0; n < model->node_count; n++) {
        draw_limits(build, n);
        build_lay_limits(build, n);
    }
    add_meters(build);
    draw_breakers(build, seed);
    draw_lending(build, seed);
}

struct model *model_build_form(uint64_t seed, const struct model_form *form)
{
    struct build *build = calloc(1, sizeof *build);
    if (!build)
        abort();
    build->chance.state = seed;
    build->form = *form;
    build->hosts_max = form->hosts_max < BUILT_HOSTS_MAX ? form->hosts_max : BUILT_HOSTS_MAX;
    build->roots = form->feeds ? form->feeds : (uint32_t)chance_range(&build->chance, 1, 2);
    build->depth = form->feeds ? form->depth : (uint32_t)chance_range(&build->chance, 2, 5);
    build->catcher = form->feeds >= 3 && chance_hit(&build->chance, 0.4) ? form->feeds - 1 : INDEX_NONE;
    draw_site(build, seed);
    if ((form->keep || form->plain) && !build_reduce(build)) {
        model_unbuild(&build->model);
        return NULL;
    }
    return &build->model;
}

static const struct build *build_of(const struct model *model)
{
    return (const struct build *)(const void *)((const char *)model - offsetof(struct build, model));
}

uint32_t model_node_id(const struct model *model, uint32_t node)
{
    return build_of(model)->node_id[node];
}

uint32_t model_host_id(const struct model *model, uint32_t host)
{
    return build_of(model)->host_id[host];
}

void model_unbuild(struct model *model)
{
    free((char *)model - offsetof(struct build, model));
}
