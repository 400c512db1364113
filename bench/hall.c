/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/hall.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HOSTS_PER_BRANCH = HALL_HOSTS / HALL_BRANCHES };

static const struct model_host_type host_type = {
    .name = "gpu8",
    .cap_min_mw = 1600000,
    .cap_max_mw = 8000000,
    .base_max_mw = 1500000,
    .gain_ppm = 1093750,
    .phys_max_mw = 10300000,
    .boot_mw = 12300000,
    .pf_min_ppm = 980000,
    .actuation_ns = 120 * NS_PER_MS,
    .quantum_mw = 100000,
};

static void add_node(struct model *model, uint32_t index, const char *name, uint8_t kind, uint32_t parent,
                     int64_t steady_ma)
{
    struct model_node *n = &model->node[index];
    snprintf(n->name, sizeof n->name, "%s-%u", name, index);
    n->kind = kind;
    n->phases = 3;
    n->rated_100pct = 1;
    n->limited = 1;
    n->parent_count = parent != INDEX_NONE;
    n->parent[0] = parent;
    n->ancestor[n->ancestor_count++] = index;
    for (uint32_t up = parent; up != INDEX_NONE;) {
        n->ancestor[n->ancestor_count++] = up;
        up = model->node[up].parent_count ? model->node[up].parent[0] : INDEX_NONE;
    }
    n->meter = index < HALL_METERS ? index : INDEX_NONE;
    n->k = 1;
    n->volts_ln_mv = 277128;
    n->volts_low_mv = 263271;
    n->rating_ma = n->long_time_ma = n->steady_ma = steady_ma;
    for (uint32_t phase = 0; phase < PHASES; phase++) {
        n->limit_mva[0][phase] = steady_ma * n->volts_low_mv / 1000;
        n->bad_mva[0][phase] = kind == NODE_RACK ? 0 : 2500000;
    }
}

static void hang(struct model *model, uint32_t node, uint32_t first, uint32_t count, bool hosts)
{
    struct model_node *n = &model->node[node];
    *(hosts ? &n->host_first : &n->child_first) = first;
    *(hosts ? &n->host_count : &n->child_count) = count;
}

static void add_nodes(struct model *model)
{
    /* 10.3 kW a host; a branch carries 1 / 1.6 of its hosts' maxima, parents carry a little more than
     * their children */
    int64_t host_ma = host_type.phys_max_mw / 3 * 100 / 98 * 1000 / 263271;
    int64_t branch_ma = HOSTS_PER_BRANCH * host_ma * 10 / 16;
    add_node(model, 0, "main", NODE_MAIN, INDEX_NONE, HALL_BRANCHES * branch_ma * 95 / 100);
    for (uint32_t i = 0; i < HALL_DISTRIBUTIONS; i++)
        add_node(model, 1 + i, "dist", NODE_DISTRIBUTION, 0, HALL_BRANCHES / HALL_DISTRIBUTIONS * branch_ma);
    for (uint32_t i = 0; i < HALL_BRANCHES; i++)
        add_node(model, HALL_FIRST_BRANCH + i, "branch", NODE_BRANCH,
                 1 + i / (HALL_BRANCHES / HALL_DISTRIBUTIONS), branch_ma);
    for (uint32_t i = 0; i < HALL_RACKS; i++)
        add_node(model, HALL_FIRST_RACK + i, "rack", NODE_RACK,
                 HALL_FIRST_BRANCH + i / (HALL_RACKS / HALL_BRANCHES), HALL_HOSTS_PER_RACK * host_ma * 2);
    hang(model, 0, 1, HALL_DISTRIBUTIONS, false);
    for (uint32_t i = 0; i < HALL_DISTRIBUTIONS; i++)
        hang(model, 1 + i, HALL_FIRST_BRANCH + i * (HALL_BRANCHES / HALL_DISTRIBUTIONS),
             HALL_BRANCHES / HALL_DISTRIBUTIONS, false);
    for (uint32_t i = 0; i < HALL_BRANCHES; i++)
        hang(model, HALL_FIRST_BRANCH + i, HALL_FIRST_RACK + i * (HALL_RACKS / HALL_BRANCHES),
             HALL_RACKS / HALL_BRANCHES, false);
    for (uint32_t i = 0; i < HALL_RACKS; i++)
        hang(model, HALL_FIRST_RACK + i, i * HALL_HOSTS_PER_RACK, HALL_HOSTS_PER_RACK, true);
}

static void add_hosts_and_meters(struct model *model)
{
    for (uint32_t i = 0; i < HALL_HOSTS; i++) {
        struct model_host *h = &model->host[i];
        snprintf(h->name, sizeof h->name, "h%05u", i);
        h->weight = 1 + i % 3;
        h->cord_count = 1;
        h->fail_safe_mw = h->floor_mw = host_type.cap_min_mw;
        h->cord[0] = (struct model_cord){
            .node = HALL_FIRST_RACK + i / HALL_HOSTS_PER_RACK,
            .psus = 4,
            .phase_ppm = {333334, 333334, 333334},
            .share_ppm = {PPM},
        };
    }
    for (uint32_t i = 0; i < HALL_METERS; i++) {
        struct model_meter *m = &model->meter[i];
        snprintf(m->name, sizeof m->name, "m-%04u", i);
        m->node = i;
        m->error_ppm = 10000;
        m->period_ns = 16 * NS_PER_MS;
        m->fresh_ns = 100 * NS_PER_MS;
    }
}

enum { CURVE_SQUARE, CURVE_DEFINITE, CURVE_COUNT };

/* Travel per 2^30 ns where M = 1 takes 230 s, less with its square; and 90 ms at any current. */
static void add_curve_tables(struct model *model)
{
    model->curve = calloc(CURVE_COUNT, sizeof *model->curve);
    model->curve_count = CURVE_COUNT;
    for (int i = 0; i < CURVE_POINTS; i++) {
        double m = (double)(1 << i / CURVE_STEPS) * (1 + (double)(i % CURVE_STEPS) / CURVE_STEPS);
        double one = (double)HEAT_ONE * 1073741824.0;
        model->curve[CURVE_SQUARE].rate[i] = (int64_t)(one / 230e9 * m * m) + 1;
        model->curve[CURVE_DEFINITE].rate[i] = (int64_t)(one / 90e6) + 1;
    }
}

/* 8 s at 6 Ir with memory: an image and the timer; short-time at 5.58 Ir; instantaneous at 9 Ir. */
static void add_breaker(struct model_node *node)
{
    int64_t rated_ma = node->long_time_ma;
    node->breaker.element_count = 4;
    node->breaker.element[0] = (struct breaker_element){
        .law = BREAKER_IMAGE, .role = ELEMENT_LONG_TIME, .pickup_ma = rated_ma * 105 / 100,
        .heat_ns = 180 * NS_PER_S, .heat_fast_ns = 160 * NS_PER_S, .fast_above_ma = 6 * rated_ma,
        .cool_ns = 260 * NS_PER_S, .shortest_ns = NS_PER_S};
    node->breaker.element[1] = (struct breaker_element){
        .law = BREAKER_TRAVEL, .role = ELEMENT_LONG_TIME, .reset = RESET_AT_ONCE, .curve = CURVE_SQUARE,
        .pickup_ma = rated_ma * 105 / 100, .unit_ma = rated_ma, .shortest_ns = NS_PER_S};
    node->breaker.element[2] = (struct breaker_element){
        .law = BREAKER_TRAVEL, .role = ELEMENT_SHORT_TIME, .reset = RESET_DECAY, .curve = CURVE_DEFINITE,
        .pickup_ma = rated_ma * 558 / 100, .unit_ma = rated_ma * 558 / 100, .reset_ns = NS_PER_S / 2,
        .shortest_ns = 90 * NS_PER_MS};
    node->breaker.element[3] = (struct breaker_element){
        .law = BREAKER_PEAK, .role = ELEMENT_INSTANTANEOUS, .pickup_ma = 9 * rated_ma};
}

void hall_add_curves(struct model *model)
{
    add_curve_tables(model);
    for (uint32_t i = 0; i < model->meter_count; i++)
        add_breaker(&model->node[model->meter[i].node]);
}

static void set_policy(struct model *model)
{
    model->policy = (struct model_policy){
        .lease_ns = NS_PER_S,
        .report_ns = 100 * NS_PER_MS,
        .tick_ns = 20 * NS_PER_MS,
        .raise_after_emergency_ns = 100 * NS_PER_MS,
        .emergency_clear_ns = NS_PER_S,
        .rho_ppm = 10000,
        .demand_hold_ns = 600 * NS_PER_MS,
        .demand_headroom_ppm = 50000,
        .power_pct = {1000000, 950000},
        .current_pct = {1000000, 950000},
        .sag_pct = {900000, 920000},
        .swell_pct = {1100000, 1080000},
        .dp_dt_w_per_s = {50000000, 40000000},
    };
}

/* As the site reader lays them. */
static void *lines(size_t bytes)
{
    void *array = aligned_alloc(CACHE_LINE, bytes);
    if (!array)
        abort();
    return memset(array, 0, bytes);
}

void hall_allocate(struct hall *hall, uint32_t nodes, uint32_t meters)
{
    struct model *model = &hall->model;
    *hall = (struct hall){.t_ns = NS_PER_S};
    snprintf(model->name, sizeof model->name, "hall");
    model->mode = MODE_ENFORCE;
    model->node_count = nodes;
    model->host_count = HALL_HOSTS;
    model->type_count = 1;
    model->meter_count = meters;
    model->contingency_count = 1;
    set_policy(model);
    model->node = lines(model->node_count * sizeof *model->node);
    model->host = lines(model->host_count * sizeof *model->host);
    model->meter = calloc(model->meter_count, sizeof *model->meter);
    model->type = calloc(1, sizeof *model->type);
    hall->report = calloc(model->host_count, sizeof *hall->report);
    hall->outbox.record = calloc(model->host_count, sizeof *hall->outbox.record);
    hall->outbox.capacity = model->host_count;
    model->type[0] = host_type;
}

void hall_start(struct hall *hall)
{
    struct model *model = &hall->model;
    if (arena_open(&hall->arena, core_bytes(model) + 64))
        abort();
    hall->core = core_init(arena_take(&hall->arena, core_bytes(model), 64), model, 1, hall->t_ns);
}

void hall_open(struct hall *hall, bool curves)
{
    hall_allocate(hall, HALL_FIRST_RACK + HALL_RACKS, HALL_METERS);
    add_nodes(&hall->model);
    add_hosts_and_meters(&hall->model);
    if (curves)
        hall_add_curves(&hall->model);
    hall_start(hall);
}

void hall_close(struct hall *hall)
{
    arena_close(&hall->arena);
    free(hall->model.node);
    free(hall->model.host);
    free(hall->model.meter);
    free(hall->model.type);
    free(hall->model.curve);
    free(hall->report);
    free(hall->outbox.record);
}

void hall_step(struct hall *hall, struct slot *slot)
{
    slot->sequence = ++hall->sequence;
    slot->t_ns = slot->t_receive_ns = hall->t_ns;
    pipeline_step(hall->core, slot, &hall->outbox);
    if (hall->outbox.digest_due)
        hall->digest = hall->outbox.digest.digest;
    for (uint32_t i = 0; i < hall->outbox.count; i++) {     /* every host obeys at once */
        const struct egress *egress = &hall->outbox.record[i];
        struct report *report = &hall->report[egress->host];
        report->applied = egress->sequence;
        report->epoch = 1;
        report->state = HOST_LEASED;
        report->cap_mw = report->readback_mw = egress->cap_mw;
    }
}

void hall_reports(struct hall *hall, int64_t (*draw_mw)(uint32_t host, void *context), void *context)
{
    for (uint32_t host = 0; host < hall->model.host_count; host++) {
        struct report *report = &hall->report[host];
        struct slot slot = {.kind = SLOT_REPORT};
        int64_t bound_mw = report->cap_mw * 100 / 96 + host_type.base_max_mw,
                want_mw = draw_mw(host, context);
        report->host = host;
        report->incarnation = 7 + host;
        report->number++;
        report->held_ns = NS_PER_S;
        report->fail_safe_mw = host_type.cap_min_mw;
        report->phys_max_mw = host_type.phys_max_mw;
        report->flags = want_mw > bound_mw ? REPORT_AT_CAP : 0;
        report->draw_mw = want_mw > bound_mw ? bound_mw : want_mw;
        slot.report = *report;
        hall_step(hall, &slot);
    }
}

void hall_tick(struct hall *hall)
{
    struct slot tick = {.kind = SLOT_TICK};
    hall_step(hall, &tick);
    while (pipeline_tick_open(hall->core)) {
        struct slot part = {.kind = SLOT_TICK_PART};
        hall_step(hall, &part);
    }
}

static int64_t full_draw(uint32_t host, void *context)
{
    (void)host;
    (void)context;
    return host_type.phys_max_mw * 95 / 100;
}

void hall_warm_up(struct hall *hall)
{
    for (uint32_t host = 0; host < hall->model.host_count; host++) {
        struct report *report = &hall->report[host];
        report->state = HOST_FAIL_SAFE;
        report->cap_mw = report->readback_mw = host_type.cap_min_mw;
    }
    for (int round = 0; round < 8; round++) {
        hall_reports(hall, full_draw, NULL);
        hall_tick(hall);
        hall->t_ns += 20 * NS_PER_MS;
    }
}
