/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "site/flow/outage.h"

bool outage_alive(const struct model *m, uint32_t node, uint32_t lost)
{
    const struct model_node *n = &m->node[node];

    if (node == lost)
        return false;
    for (uint32_t i = 0; i < n->parent_count; i++)
        if (outage_alive(m, n->parent[i], lost))
            return true;
    return !n->parent_count;
}

uint32_t outage_psus_left(const struct site *site, uint32_t host, uint32_t c)
{
    const struct model_host *h = &site->model.host[host];
    uint32_t left = 0;

    for (uint32_t j = 0; j < h->cord_count; j++)
        if (h->cord[j].share_ppm[c])        /* a cord without power has no share, every other has one */
            left += h->cord[j].psus;
    return left;
}

uint32_t outage_psus_needed(const struct site *site, uint32_t host)
{
    return site->redundancy.psus_needed[site->model.host[host].type];
}

static bool takes_all(const struct model *m, const struct model_host *h, uint32_t node)
{
    for (uint32_t j = 0; j < h->cord_count; j++)
        if (outage_alive(m, h->cord[j].node, node))
            return false;
    return true;
}

/* A switchboard above what may be lost is outside the scheme, and the file says so. */
static bool above_a_loss(const struct site *site, uint32_t node)
{
    const struct model *m = &site->model;

    for (uint32_t c = 1; c < m->contingency_count; c++) {
        if (m->contingency[c].kind != CONTINGENCY_LOSS)
            continue;
        const struct model_node *lost = &m->node[m->contingency[c].lost_node];

        for (uint32_t a = 1; a < lost->ancestor_count; a++)
            if (lost->ancestor[a] == node)
                return true;
    }
    return false;
}

uint32_t outage_common_node(const struct site *site, uint32_t host)
{
    const struct model *m = &site->model;
    const struct model_host *h = &m->host[host];
    const struct model_node *first = &m->node[h->cord[0].node];

    for (uint32_t a = 0; a < first->ancestor_count; a++) {
        const struct model_node *above = &m->node[first->ancestor[a]];

        bool source = above->kind == NODE_SOURCE || above->kind == NODE_GENERATOR;

        if (above->parent_count && !source && !above_a_loss(site, first->ancestor[a]) &&
            takes_all(m, h, first->ancestor[a]))
            return first->ancestor[a];
    }
    return INDEX_NONE;
}

/* The feed of a thing of which nothing is written is not known to die. */
static bool fed(const struct outage *o, const struct site_feed *feed, uint32_t c)
{
    for (uint32_t j = 0; j < feed->count; j++)
        if (!(o->node[feed->node[j]] >> c & 1))
            return true;
    return !feed->count;
}

static void find_power(struct outage *o, const struct site *site, uint32_t c)
{
    const struct model *m = &site->model;
    const struct site_redundancy *r = &site->redundancy;
    uint8_t bit = (uint8_t)(1u << c);

    /* parents stand before children: a node is dark with all its parents */
    for (uint32_t n = 0; n < m->node_count; n++) {
        bool dark = m->node[n].parent_count != 0;

        for (uint32_t p = 0; p < m->node[n].parent_count; p++)
            dark = dark && o->node[m->node[n].parent[p]] & bit;
        o->node[n] |= dark || n == m->contingency[c].lost_node ? bit : 0;
    }
    for (uint32_t h = 0; h < m->host_count; h++)
        o->host[h] |= outage_psus_left(site, h, c) < outage_psus_needed(site, h) ? bit : 0;
    for (uint32_t i = 0; i < m->meter_count; i++)
        o->meter[i] |= fed(o, &r->meter_feed[i], c) ? 0 : bit;
    for (uint32_t g = 0; g < r->gear_count; g++)
        o->gear[g] |= fed(o, &r->gear[g].feed, c) ? 0 : bit;
}

static bool left_of(const struct outage *o, const struct site *site, enum site_gear_kind kind, uint32_t c)
{
    const struct site_redundancy *r = &site->redundancy;

    for (uint32_t g = 0; g < r->gear_count; g++)
        if (r->gear[g].kind == kind && !(o->gear[g] >> c & 1))
            return true;
    return false;
}

static bool any_of(const struct site *site, enum site_gear_kind kind)
{
    const struct site_redundancy *r = &site->redundancy;

    for (uint32_t g = 0; g < r->gear_count; g++)
        if (r->gear[g].kind == kind)
            return true;
    return false;
}

enum { REACHED = 1, SEED = 2, NAMES_LINKS = 4 };        /* of gear */
enum { NAMED = 1, SERVED = 2 };                         /* of hosts and meters */

static bool dark(const struct outage *o, uint32_t gear, uint32_t c)
{
    return o->gear[gear] >> c & 1;
}

/* From what is reached over powered gear; a clock passes nothing on. */
static void spread(const struct outage *o, const struct site_redundancy *r, uint32_t c, uint8_t *gear)
{
    for (bool moved = true; moved;) {
        moved = false;
        for (uint32_t i = 0; i < r->link_count; i++) {
            const struct site_link *l = &r->link[i];

            if (l->end != END_GEAR || (gear[l->gear] & REACHED) == (gear[l->index] & REACHED))
                continue;
            uint32_t far = gear[l->gear] & REACHED ? l->index : l->gear;

            if (dark(o, far, c) || r->gear[far].kind == GEAR_PTP)
                continue;
            gear[far] |= REACHED;
            moved = true;
        }
    }
}

static void reach_switches(const struct outage *o, const struct site_redundancy *r, uint8_t without,
                           uint8_t *gear)
{
    for (uint32_t g = 0; g < r->gear_count; g++)
        if (r->gear[g].kind == GEAR_SWITCH && !(gear[g] & (REACHED | without)))
            gear[g] |= REACHED | SEED;
    spread(o, r, 0, gear);
}

/* Where ways begin: at controllers; where none is written behind a switch, at the switches that name no
 * links, or else at all of them: what is not written is not known to fail. */
static void find_seeds(const struct outage *o, const struct site_redundancy *r, uint8_t *gear)
{
    for (uint32_t i = 0; i < r->link_count; i++)
        if (r->link[i].end == END_GEAR)
            gear[r->link[i].gear] |= NAMES_LINKS;
    for (uint32_t g = 0; g < r->gear_count; g++)
        if (r->gear[g].kind == GEAR_CONTROLLER)
            gear[g] |= REACHED | SEED;
    spread(o, r, 0, gear);
    reach_switches(o, r, NAMES_LINKS, gear);
    reach_switches(o, r, 0, gear);
}

static void find_reached(const struct outage *o, const struct site_redundancy *r, uint32_t c, uint8_t *gear)
{
    for (uint32_t g = 0; g < r->gear_count; g++)
        gear[g] = (uint8_t)((gear[g] & ~REACHED) | (gear[g] & SEED && !dark(o, g, c) ? REACHED : 0));
    spread(o, r, c, gear);
}

static void mark(uint8_t *mark_of, uint32_t first, uint32_t count, bool reached)
{
    for (uint32_t i = first; i < first + count; i++)
        mark_of[i] |= NAMED | (reached ? SERVED : 0);
}

static void find_cut(struct outage *o, const struct site *site, uint32_t c, uint8_t *gear, uint8_t *host,
                     uint8_t *meter)
{
    const struct site_redundancy *r = &site->redundancy;
    const struct model *m = &site->model;
    uint8_t bit = (uint8_t)(1u << c);

    find_reached(o, r, c, gear);
    for (uint32_t h = 0; h < m->host_count; h++)
        host[h] = 0;
    for (uint32_t i = 0; i < m->meter_count; i++)
        meter[i] = 0;
    for (uint32_t i = 0; i < r->link_count; i++) {
        const struct site_link *l = &r->link[i];
        bool reached = gear[l->gear] & REACHED;

        if (l->end == END_HOST || l->end == END_ALL_HOSTS)
            mark(host, l->index, l->end == END_HOST ? 1 : m->host_count, reached);
        else if (l->end == END_METER || l->end == END_ALL_METERS)
            mark(meter, l->index, l->end == END_METER ? 1 : m->meter_count, reached);
    }
    for (uint32_t h = 0; h < m->host_count; h++)
        o->host_cut[h] |= host[h] == NAMED && !(o->host[h] & bit) ? bit : 0;
    for (uint32_t i = 0; i < m->meter_count; i++)
        o->meter[i] |= meter[i] == NAMED ? bit : 0;
}

int outage_open(struct outage *o, const struct site *site)
{
    const struct model *m = &site->model;
    const struct site_redundancy *r = &site->redundancy;
    uint8_t *at = calloc(1, m->node_count + 3 * (size_t)m->host_count + 2 * (size_t)m->meter_count +
                                2 * (size_t)r->gear_count + 1);

    *o = (struct outage){.memory = at};
    if (!at)
        return -ENOMEM;
    o->node = at;
    o->host = o->node + m->node_count;
    o->host_cut = o->host + m->host_count;
    o->meter = o->host_cut + m->host_count;
    o->gear = o->meter + m->meter_count;
    uint8_t *gear = o->gear + r->gear_count, *host = gear + r->gear_count, *meter = host + m->host_count;

    o->controllers = any_of(site, GEAR_CONTROLLER);
    o->clocks = any_of(site, GEAR_PTP);
    for (uint32_t c = 0; c < m->contingency_count; c++)
        find_power(o, site, c);
    find_seeds(o, r, gear);
    for (uint32_t c = 0; c < m->contingency_count; c++) {
        find_cut(o, site, c, gear, host, meter);
        o->no_controller |= (uint8_t)((o->controllers && !left_of(o, site, GEAR_CONTROLLER, c)) << c);
        o->no_clock |= (uint8_t)((o->clocks && !left_of(o, site, GEAR_PTP, c)) << c);
    }
    return 0;
}

void outage_close(struct outage *o)
{
    free(o->memory);
    *o = (struct outage){0};
}

enum outage_lend outage_lend(const struct site *site, const struct outage *o, uint32_t node, uint32_t c)
{
    const struct model_node *n = &site->model.node[node];

    if (!n->limited || n->meter == INDEX_NONE || o->node[node] >> c & 1)
        return LEND_FINE;
    if (o->no_controller >> c & 1)
        return LEND_NO_CONTROLLER;
    return o->meter[n->meter] >> c & 1 ? LEND_NO_METER : LEND_FINE;
}
