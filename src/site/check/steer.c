/* SPDX-License-Identifier: Apache-2.0 */
/* What is written and does not do what it looks like: reserves that nobody lends, contracts that cannot be
 * kept, jobs over unlike hosts, more fault current below than above. */
#include <stdbool.h>

#include "site/build/build.h"
#include "site/derive.h"
#include "site/flow/sums.h"

/* A reserve is lent only where the loss leaves a meter and a controller (safety.md section 5, I5): of what is
 * not written down nobody can tell. */
static void warn_unwritten(struct draft *d, const struct site *site, uint32_t c, const struct tree *at)
{
    const struct model *m = &site->model;
    uint32_t unfed = 0, controllers = 0;

    for (uint32_t g = 0; g < site->redundancy.gear_count; g++)
        controllers += site->redundancy.gear[g].kind == GEAR_CONTROLLER;
    for (uint32_t n = 0; n < m->node_count; n++)
        unfed += m->node[n].lend >> c & 1 && !site->redundancy.meter_feed[m->node[n].meter].count;
    if (!controllers)
        finding_at(d->warnings, at,
                   "the reserve for %s is lent although no controller is written down: nobody can tell that "
                   "the loss leaves one, list controllers with their cords",
                   m->contingency[c].name);
    if (unfed)
        finding_at(d->warnings, at,
                   "the reserve for %s is lent at %u node%s whose meter has no cords written down: nobody "
                   "can tell that the loss leaves it",
                   m->contingency[c].name, unfed, unfed == 1 ? "" : "s");
}

static void warn_reserves(struct draft *d, const struct site *site)
{
    const struct model *m = &site->model;

    for (uint32_t c = 1; c < m->contingency_count; c++) {
        const struct draft_loss *loss = &d->redundancy.lost[c - 1];
        uint32_t lending = 0, asked = 0;

        if (m->contingency[c].kind != CONTINGENCY_LOSS || !site->redundancy.lend[c])
            continue;
        for (uint32_t n = 0; n < m->node_count; n++) {
            lending += m->node[n].lend >> c & 1;
            asked += m->node[n].lend & 1;
        }
        const struct tree *at = loss->reserve.at ? loss->reserve.at : loss->node.at;

        if (!asked)
            finding_at(
                d->warnings, at,
                "the reserve for %s is kept although it was to be lent: no node may pass its limit, say "
                "oversubscribe: yes",
                m->contingency[c].name);
        else if (m->contingency[c].witness == INDEX_NONE)
            finding_at(
                d->warnings, at,
                "the reserve for %s is kept although it was to be lent: no meter tells that it is alive, "
                "put one there or name one as witness",
                m->contingency[c].name);
        else if (!lending)
            finding_at(
                d->warnings, at,
                "the reserve for %s is kept although it was to be lent: no node that lends outlives it "
                "with its meter and a controller",
                m->contingency[c].name);
        else
            warn_unwritten(d, site, c, at);
    }
}

static uint32_t node_of(const struct site_contract *c, uint32_t i)
{
    return i ? c->also[i - 1] : c->node;
}

static bool is_bound(const struct model *m, const struct site_contract *c, uint32_t node)
{
    for (uint32_t i = 0; i <= c->also_count; i++)
        for (uint32_t a = 0; a < m->node[node].ancestor_count; a++)
            if (m->node[node].ancestor[a] == node_of(c, i))
                return true;
    return false;
}

/* Of hosts at fail-safe, with nothing lost; what hangs there by several cords counts once. */
static int64_t fail_safe_mw(const struct model *m, const struct site_contract *c)
{
    int64_t sum = 0;

    for (uint32_t h = 0; h < m->host_count; h++) {
        const struct model_host *host = &m->host[h];
        int64_t share = 0;

        for (uint32_t j = 0; j < host->cord_count; j++)
            share += is_bound(m, c, host->cord[j].node) ? host->cord[j].share_ppm[0] : 0;
        sum += derive_round_up(sums_draw_mw(m, host, SUM_FAIL_SAFE), share < PPM ? share : PPM, PPM);
    }
    return sum;
}

static const char *name_of(const struct model *m, const struct site_contract *c)
{
    return c->also_count ? "all its nodes" : m->node[c->node].name;
}

/* A group's load is known where every meter is: one that is missing hides every breach. */
static void warn_unmetered(struct draft *d, const struct model *m, const struct site_contract *c,
                           const struct tree *at)
{
    for (uint32_t i = 0; c->cap_mw && c->also_count && i <= c->also_count; i++)
        if (m->node[node_of(c, i)].meter == INDEX_NONE) {
            finding_at(d->warnings, at,
                       "contract '%s': node '%s' has no meter, so nobody sees a breach, put one there",
                       c->name, m->node[node_of(c, i)].name);
            return;
        }
}

static void warn_contracts(struct draft *d, const struct site *site)
{
    const struct model *m = &site->model;
    char cap[32], draw[32];

    for (uint32_t i = 0; i < site->contract_count; i++) {
        const struct site_contract *c = &site->contract[i];
        int64_t floor_mw = c->cap_mw ? fail_safe_mw(m, c) : 0;

        warn_unmetered(d, m, c, d->contract[i].at);
        if (floor_mw <= c->cap_mw)
            continue;
        finding_at(
            d->warnings, d->contract[i].cap.at,
            "contract '%s' allows %s at %s and hosts at fail-safe may draw %s there: no lease can keep "
            "it, lower fail_safe",
            c->name, quantity_write(QUANTITY_POWER, c->cap_mw, cap, sizeof cap), name_of(m, c),
            quantity_write(QUANTITY_POWER, floor_mw, draw, sizeof draw));
    }
}

/* A job is as fast as its slowest host: of unlike ones the same cap is not the same speed. */
static void warn_jobs(struct draft *d, const struct site *site)
{
    const struct model *m = &site->model;

    for (uint32_t gang = 0; gang < m->gang_count; gang++) {
        uint32_t first = INDEX_NONE;

        for (uint32_t h = 0; h < m->host_count; h++) {
            if (m->host[h].gang != gang)
                continue;
            first = first == INDEX_NONE ? h : first;
            if (m->host[h].type == m->host[first].type)
                continue;
            finding_at(
                d->warnings, d->row[d->host[d->host_order[h]].row].job.at,
                "job '%s' runs on hosts of unlike types (%s, %s): its caps are even, its speed may not be",
                site->job[gang].name, m->type[m->host[first].type].name, m->type[m->host[h].type].name);
            break;
        }
    }
}

static bool feeds_itself(const struct model_node *n)
{
    return n->kind == NODE_UPS || n->kind == NODE_GENERATOR || n->kind == NODE_SOURCE ||
           n->kind == NODE_TRANSFORMER;
}

/* Impedance only lowers it on the way down. */
static void warn_faults(struct draft *d, const struct site *site)
{
    const struct model *m = &site->model;

    for (uint32_t i = 0; i < m->node_count; i++) {
        const struct model_node *n = &m->node[i];
        int64_t above_ma = 0, own_ma = site->equipment[i].fault_ma;
        bool known = n->parent_count && own_ma && !feeds_itself(n);

        for (uint32_t p = 0; p < n->parent_count; p++) {
            int64_t fault_ma = site->equipment[n->parent[p]].fault_ma;

            known = known && fault_ma && m->node[n->parent[p]].volts_ln_mv == n->volts_ln_mv;
            above_ma = fault_ma > above_ma ? fault_ma : above_ma;
        }
        if (known && own_ma > above_ma)
            finding_at(d->warnings, d->node[d->node_order[i]].fault.at,
                       "node '%s' states a larger fault current than '%s' above it, correct one of the two",
                       n->name, m->node[n->parent[0]].name);
    }
}

static void warn_sag(struct draft *d, const struct site *site)
{
    const struct model *m = &site->model;
    bool lower = false;

    for (uint32_t c = 1; c < m->contingency_count; c++)
        for (uint32_t n = 0; m->contingency[c].kind == CONTINGENCY_SAG && n < m->node_count; n++)
            lower |= m->node[n].limit_mva[c][0] < m->node[n].limit_mva[0][0];
    if (d->sag.volts.at && !lower)
        finding_at(d->warnings, d->sag.volts.at,
                   "a sag to %s changes nothing: limits are those at lower volts already", d->sag.volts.text);
}

void check_steering(struct draft *d, const struct site *site)
{
    warn_reserves(d, site);
    warn_contracts(d, site);
    warn_jobs(d, site);
    warn_faults(d, site);
    warn_sag(d, site);
}
