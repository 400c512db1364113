/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "site/build/build.h"
#include "site/derive.h"
#include "site/flow/sums.h"

/* One block for all arrays: it is allocated at setup, then only read. */
static int take_memory(const struct draft *d, struct site *site)
{
    struct model *m = &site->model;
    size_t nodes = d->node_count * sizeof *m->node, hosts = d->host_count * sizeof *m->host;
    size_t types = d->type_count * sizeof *m->type, meters = d->meter_count * sizeof *m->meter;
    size_t addresses = d->host_count * sizeof *site->host_address, notes = d->node_count * sizeof *site->note;
    size_t curves = BREAKER_CURVES_MAX * sizeof *m->curve, devices = d->node_count * sizeof *site->device;
    size_t equipment = d->node_count * sizeof *site->equipment, all = nodes + hosts + types + meters;
    size_t roads = d->meter_count * sizeof *site->meter;
    size_t bytes = all + curves + devices + equipment + roads + addresses + notes + 1;
    bytes += CACHE_LINE - bytes % CACHE_LINE;
    char *at = aligned_alloc(CACHE_LINE, bytes);

    if (!at)
        return -ENOMEM;
    memset(at, 0, bytes);
    site->memory = at;
    /* widest alignment first: all but addresses and notes are multiples of 8 */
    m->node = (struct model_node *)at;
    m->host = (struct model_host *)(at += nodes);
    m->type = (struct model_host_type *)(at += hosts);
    m->meter = (struct model_meter *)(at += types);
    m->curve = (struct breaker_curve *)(at += meters);
    site->device = (struct site_device *)(at += curves);
    site->equipment = (struct site_equipment *)(at += devices);
    site->meter = (struct site_meter *)(at += equipment);
    site->host_address = (struct site_address *)(at += roads);
    site->note = (struct site_note *)(at += addresses);
    m->node_count = d->node_count;
    m->host_count = d->host_count;
    m->type_count = d->type_count;
    m->meter_count = d->meter_count;
    return 0;
}

static void set_name(char into[NAME_BYTES], const char *name)
{
    snprintf(into, NAME_BYTES, "%s", name);
}

static void add_contingency(struct model *m, enum contingency_kind kind, const char *name, uint32_t lost)
{
    struct model_contingency *c = &m->contingency[m->contingency_count++];

    *c = (struct model_contingency){.kind = (uint8_t)kind, .lasting = kind != CONTINGENCY_SAG,
                                    .lost_node = lost, .witness = INDEX_NONE};
    set_name(c->name, name);
}

/* Losses stand before a sag, so that their places follow those of may_lose. */
static void build_contingencies(const struct draft *d, struct model *m)
{
    add_contingency(m, CONTINGENCY_NONE, "none", INDEX_NONE);
    for (uint32_t i = 0; i < d->redundancy.lost_count; i++) {
        const struct draft_node *lost = &d->node[d->redundancy.lost[i].node_of];

        add_contingency(m, CONTINGENCY_LOSS, lost->id.text, lost->rank);
    }
    if (d->sag.volts.at)
        add_contingency(m, CONTINGENCY_SAG, "sag", INDEX_NONE);
}

void build_types(const struct draft *d, struct model *m)
{
    for (uint32_t i = 0; i < d->type_count; i++) {
        const struct draft_type *t = &d->type[d->type_order[i]];
        struct model_host_type *out = &m->type[i];

        set_name(out->name, t->id.text);
        out->cap_min_mw = t->cap_min.number;
        out->cap_max_mw = t->cap_max.number;
        out->base_max_mw = t->base.number;
        out->gain_ppm = derive_gain_ppm(t->overshoot.number, t->efficiency.number);
        out->phys_max_mw = t->phys_max.number;
        out->input_max_mw = t->input_max.at ? t->input_max.number : 0;
        out->boot_mw = t->phys_max.number + t->inrush.number;
        out->pf_min_ppm = t->power_factor.number;
        out->actuation_ns = t->actuation.number;
        out->quantum_mw = t->quantum.number;
        out->ramp_up_mw_per_s = t->ramp_up.number * 1000;
        out->ramp_down_mw_per_s = t->ramp_down.number * 1000;
        out->hysteresis_ns = t->hysteresis.number;
    }
}

void build_policy(const struct draft *d, struct model *m)
{
    const struct draft_policy *p = &d->policy;
    struct model_threshold *const threshold[] = {&m->policy.power_pct, &m->policy.current_pct,
                                                 &m->policy.sag_pct, &m->policy.swell_pct,
                                                 &m->policy.dp_dt_w_per_s};

    m->policy.lease_ns = p->lease.number;
    m->policy.report_ns = p->report.number;
    m->policy.tick_ns = p->tick.number;
    m->policy.raise_after_emergency_ns = p->raise.number;
    m->policy.emergency_clear_ns = p->clear.number;
    m->policy.age_bound_ns = p->age_bound.number;
    m->policy.rho_ppm = p->rho.number;
    m->policy.demand_hold_ns = p->demand_hold.number;
    m->policy.demand_headroom_ppm = p->demand_headroom.number;
    m->policy.hold_least_ns = p->hold.least.number;
    m->policy.hold_most_ns = p->hold.most.number;
    m->policy.damper_window_ns = p->damper.window.number;
    m->policy.damper_changes = (uint32_t)p->damper.changes.number;
    m->policy.headroom_ppm = (uint32_t)p->headroom.number;
    m->policy.feed_stable_ns = p->feed_stable.number;
    m->policy.let_go = p->let_go.number != 0;
    for (uint32_t i = 0; i < sizeof threshold / sizeof threshold[0]; i++)
        *threshold[i] = (struct model_threshold){d->detect.band[i].high.number, d->detect.band[i].low.number};
}

int build_bad(struct draft *d, struct model *m)
{
    struct sums_below below = {0};

    if (sums_below_start(&below, m, &d->scratch))
        return -ENOMEM;
    for (uint32_t n = 0; n < m->node_count; n++)
        for (uint32_t c = 0; c < m->contingency_count; c++)
            for (uint32_t ph = 0; ph < PHASES; ph++)
                m->node[n].bad_mva[c][ph] = sums_largest_gaps(m, &below, n, SUM_PHYS_MAX, c, ph);
    return 0;
}

int build_model(struct draft *d, struct site *site)
{
    struct model *m = &site->model;

    if (take_memory(d, site))
        return -ENOMEM;
    set_name(m->name, d->name.text);
    m->mode = (uint32_t)d->mode.number;
    build_contingencies(d, m);
    site->redundancy.catcher =
        d->redundancy.catcher_of == INDEX_NONE ? INDEX_NONE : d->node[d->redundancy.catcher_of].rank;
    build_policy(d, m);
    build_types(d, m);
    if (build_nodes(d, site))
        return -ENOMEM;
    build_check_catcher(d, site);
    build_breakers(d, site);
    build_meters(d, site);
    if (d->errors->count)
        return 0;
    build_hosts(d, site);
    if (d->errors->count)
        return 0;
    int rc = build_settings(d, site);

    rc = rc ? rc : build_redundancy(d, site);
    if (rc || d->errors->count)
        return rc;
    rc = build_jobs(d, site);
    rc = rc ? rc : build_sheds(d, site);
    rc = rc ? rc : build_lending(d, site);
    rc = rc ? rc : build_fail_safe(d, site);
    build_contracts(d, site);
    rc = rc ? rc : build_alerts(d, site);
    return rc ? rc : build_bad(d, m);
}
