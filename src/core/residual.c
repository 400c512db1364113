/* SPDX-License-Identifier: Apache-2.0 */
/* What is gathered while a window is open: by hosts, and by meters. */
#include "core/residual.h"

#include "core/compare.h"
#include "core/draw.h"
#include "core/heat.h"
#include "core/residual_inside.h"

enum { READ_THROUGH_PERCENT = 90, MEAN_REPORTS = 8 };
#define NEVER_NS (INT64_MIN / 2)
#define MEAN_US INT64_C(1000000)
/* 500 MW on a phase: what is summed up over a window fits */
#define POWER_MOST_MW INT64_C(500000000000)

/* ---- setup ---- */

/* A single-phase node counts on whichever phase its hosts hang on; without any, on all. At the start every
 * host stands in D at its most. */
static uint8_t phases_of(const struct residual *residual, uint32_t node)
{
    const struct model_node *n = &residual->model->node[node];
    uint8_t phases = 0;
    for (uint32_t p = 0; p < PHASES; p++)
        if (residual->ledger->node[node].exposed_mva[0][p] > n->bad_mva[0][p] + n->other_mva[p])
            phases |= (uint8_t)(1u << p);
    return phases ? phases : (1u << PHASES) - 1;
}

static void add_fail_safe(const struct residual *residual, uint32_t host, uint32_t c)
{
    const struct model *model = residual->model;
    const struct model_host *h = &model->host[host];
    const struct model_host_type *type = &model->type[h->type];
    int64_t draw_mw = draw_of_cap_mw(type, h->fail_safe_mw);
    for (uint32_t j = 0; j < h->cord_count; j++) {
        const struct model_node *node = &model->node[h->cord[j].node];
        for (uint32_t i = 0; i < node->ancestor_count * PHASES; i++)
            residual->node[node->ancestor[i / PHASES]].passed_mva[i % PHASES] +=
                draw_on_phase_mva(&h->cord[j], type->pf_min_ppm, c, i % PHASES, draw_mw);
    }
}

/* Under one contingency; the sums are made where what is learnt will stand, which is nothing yet. */
static void keep_least_spare(const struct residual *residual, uint32_t n, uint32_t c)
{
    const struct model_node *node = &residual->model->node[n];
    struct residual_node *r = &residual->node[n];
    for (uint32_t p = 0; p < PHASES; p++) {
        int64_t spare_mva =
            node->limit_mva[c][p] - node->bad_mva[c][p] - node->other_mva[p] - r->passed_mva[p];
        if (node->limited)
            r->spare_mva[p] = smaller(r->spare_mva[p], spare_mva);
        r->passed_mva[p] = 0;
    }
}

static void init_spare(const struct residual *residual)
{
    const struct model *model = residual->model;
    for (uint32_t n = 0; n < model->node_count; n++)
        for (uint32_t p = 0; p < PHASES; p++)
            residual->node[n].spare_mva[p] = INT64_MAX / 2;
    for (uint32_t c = 0; c < model->contingency_count; c++) {
        if (c && !model->contingency[c].lasting)
            continue;
        for (uint32_t h = 0; h < model->host_count; h++)
            add_fail_safe(residual, h, c);
        for (uint32_t n = 0; n < model->node_count; n++)
            keep_least_spare(residual, n, c);
    }
}

static void init_meter(struct residual *residual, uint32_t m, int64_t t_ns)
{
    const struct model *model = residual->model;
    uint32_t node = model->meter[m].node;
    bool own = model->node[node].meter == m;
    residual->meter[m] = (struct residual_meter){
        .node = own ? node : INDEX_NONE,
        .phases = (1u << PHASES) - 1,
        .begin_ns = INT64_MIN,
        .bucket_ns = t_ns,
        .mean_mw = {INT64_MIN, INT64_MIN, INT64_MIN},
    };
    if (own && model->node[node].phases == 1)
        residual->meter[m].phases = phases_of(residual, node);
    residual->meters += own;
}

void residual_init(struct residual *residual, const struct model *model, struct ledger *ledger,
                   struct permits *permits, const struct heat *heat, int64_t t_ns)
{
    residual->model = model;
    residual->ledger = ledger;
    residual->permits = permits;
    residual->meters = 0;
    residual->confirm_ns = 0;
    for (uint32_t m = 0; m < model->meter_count; m++) {
        init_meter(residual, m, t_ns);
        residual->confirm_ns = larger(residual->confirm_ns, heat->meter[m].respond_ns);
    }
    for (uint32_t h = 0; h < model->host_count; h++) {
        int64_t most_mw = model->type[model->host[h].type].phys_max_mw;
        residual->host[h] = (struct residual_host){
            .since_ns = NEVER_NS,
            .draw_mw = (uint32_t)smaller(most_mw, UINT32_MAX),
            .mean_mw = (uint32_t)smaller(most_mw, UINT32_MAX),
        };
    }
    if (residual->meters)
        init_spare(residual);
    residual_begin(residual, t_ns);
}

void residual_begin(struct residual *residual, int64_t t_ns)
{
    residual->phase = RESIDUAL_GATHERS;
    residual->begin_ns = t_ns + 1;      /* what was reported at this time belongs to the window before */
    residual->end_ns = residual->begin_ns + RESIDUAL_WINDOW_NS;
    residual->turns = residual->permits->feed_turns;
}

/* ---- hosts ---- */

static int64_t distance(int64_t a, int64_t b)
{
    return a > b ? a - b : b - a;
}

/* Since its newest report: as it said then, or at its most where it is silent. */
static struct residual_host up_to(const struct residual *residual, uint32_t host, int64_t silent_mw,
                                  int64_t t_ns)
{
    struct residual_host h = residual->host[host];
    int64_t from_ns = h.since_ns, dt_ns;
    if (from_ns < residual->begin_ns) {
        h.drawn_mw_ns = h.swung_mw_ns = 0;
        from_ns = residual->begin_ns;
    }
    dt_ns = smaller(t_ns, residual->end_ns) - from_ns;
    if (dt_ns <= 0)
        return h;
    bool silent = t_ns - h.since_ns > residual->model->policy.lease_ns;
    int64_t draw_mw = silent ? larger(h.draw_mw, smaller(silent_mw, UINT32_MAX)) : h.draw_mw;
    h.drawn_mw_ns += draw_mw * dt_ns;
    h.swung_mw_ns += distance(h.draw_mw, h.mean_mw) * dt_ns;
    return h;
}

void residual_report(struct residual *residual, uint32_t host, int64_t draw_mw, int64_t t_ns)
{
    if (!residual->meters)
        return;
    /* of the time that it was silent, what a lease allowed then is not known any more */
    struct residual_host h = up_to(residual, host, residual->ledger->host[host].phys_max_mw, t_ns);
    h.draw_mw = (uint32_t)smaller(larger(draw_mw, 0), UINT32_MAX);
    if (h.since_ns == NEVER_NS)
        h.mean_mw = h.draw_mw;
    h.mean_mw = (uint32_t)(h.mean_mw + ((int64_t)h.draw_mw - h.mean_mw) / MEAN_REPORTS);
    h.since_ns = t_ns;
    residual->host[host] = h;
}

struct residual_drawn residual_drawn(const struct residual *residual, uint32_t host, int64_t t_ns)
{
    struct residual_host h = up_to(residual, host, residual->ledger->host[host].exposed_draw_mw, t_ns);
    return (struct residual_drawn){h.drawn_mw_ns / RESIDUAL_WINDOW_NS, h.swung_mw_ns / RESIDUAL_WINDOW_NS};
}

/* ---- meters ---- */

/* The same volts and amperes again are no news (core/permit.c). */
static bool is_news(struct residual_meter *m, const struct reading *reading)
{
    bool news = false;
    for (uint32_t p = 0; p < PHASES; p++) {
        news |= m->last[p] != reading->voltage_mv[p] || m->last[PHASES + p] != reading->current_ma[p];
        m->last[p] = reading->voltage_mv[p];
        m->last[PHASES + p] = reading->current_ma[p];
    }
    return news;
}

static bool is_alive(const struct model_node *node, const struct reading *reading)
{
    for (uint32_t p = 0; p < node->phases; p++)
        if (reading->voltage_mv[p] < node->volts_ln_mv / 2)
            return false;
    return true;
}

static void begin_meter(struct residual_meter *m, int64_t begin_ns)
{
    if (m->begin_ns == begin_ns)
        return;
    m->begin_ns = begin_ns;
    m->spoilt = false;
    m->covered_us = m->apparent_mva_us = 0;
    for (uint32_t p = 0; p < PHASES; p++)
        m->power_mw_us[p] = m->swung_mw_us[p] = 0;
}

static int64_t bounded(int64_t power_mw)
{
    return smaller(larger(power_mw, 0), POWER_MOST_MW);
}

/* What is unsure counts as no less than what was read before. */
static void take_phase(struct residual_meter *m, const struct reading *reading, uint32_t p, int64_t dt_us,
                       int64_t period_us)
{
    int64_t power_mw = bounded(reading->power_mw[p]);
    if (reading->flags & READING_UNSURE)
        power_mw = larger(power_mw, m->mean_mw[p]);
    if (m->mean_mw[p] < 0)
        m->mean_mw[p] = power_mw;
    m->power_mw_us[p] += power_mw * dt_us;
    m->swung_mw_us[p] += distance(power_mw, m->mean_mw[p]) * dt_us;
    m->apparent_mva_us += bounded(reading->current_ma[p] * reading->voltage_mv[p] / 1000) * dt_us;
    m->mean_mw[p] += (power_mw - m->mean_mw[p]) * smaller(period_us, MEAN_US) / MEAN_US;
}

void residual_reading(struct residual *residual, const struct slot *slot, int64_t t_ns)
{
    const struct reading *reading = &slot->reading;
    struct residual_meter *m = &residual->meter[reading->meter];
    if (m->node == INDEX_NONE || reading->flags & (READING_PEAK | READING_EDGE))
        return;                 /* a crossing repeats what was read before, and stands for no time */
    const struct model_node *node = &residual->model->node[m->node];
    int64_t period_ns = residual->model->meter[reading->meter].period_ns;
    bool unsure = reading->flags & READING_UNSURE;
    if ((!unsure && !is_news(m, reading)) || !is_alive(node, reading))
        return;
    begin_meter(m, residual->begin_ns);
    m->spoilt |= unsure;
    int64_t to_ns = smaller(slot->t_receive_ns, t_ns) - reading->age_ns;
    int64_t from_ns = larger(to_ns - period_ns, residual->begin_ns);
    int64_t dt_us = larger(smaller(to_ns, residual->end_ns) - from_ns, 0) / 1000;
    if (m->covered_us > RESIDUAL_WINDOW_NS / 1000)
        dt_us = 0;      /* stamps overlap: all of it is covered */
    m->covered_us += dt_us;
    for (uint32_t p = 0; p < node->phases; p++)
        take_phase(m, reading, p, dt_us, period_ns / 1000);
}

bool residual_read_through(const struct residual *residual, uint32_t meter)
{
    const struct residual_meter *m = &residual->meter[meter];
    return m->begin_ns == residual->begin_ns && !residual->doubted[meter] &&
           m->covered_us >= RESIDUAL_WINDOW_NS / 1000 / 100 * READ_THROUGH_PERCENT;
}

int64_t residual_learnt_mva(const struct residual *residual, uint32_t node, uint32_t phase)
{
    uint32_t meter = residual->model->node[node].meter;
    bool own = meter != INDEX_NONE && residual->meter[meter].node == node;
    return residual->node[node].passed_mva[phase] + (own ? residual->meter[meter].learnt_mva[phase] : 0);
}
