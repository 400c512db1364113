/* SPDX-License-Identifier: Apache-2.0 */
#include "site/derive.h"
#include "site/lend.h"

/* Is there something that an overload harms and whose overload nobody wrote? A device that trips for less
 * than it carries for ever protects it. */
static bool carries_unknown(const struct site *site, uint32_t node)
{
    const struct model_node *n = &site->model.node[node];
    const struct site_equipment *e = &site->equipment[node];
    int64_t transformer_ma = derive_power_ma(e->transformer_mva, n->volts_ln_mv, n->phases);
    bool told = n->kind == NODE_UPS && e->overload_count;

    if (n->kind == NODE_GENERATOR || (e->state_count && !told))
        return true;
    if ((e->ups_mva || e->ups_mw) && !e->overload_count)
        return true;
    if (e->transformer_mva && !e->transformer_ns && (!n->long_time_ma || n->long_time_ma > transformer_ma))
        return true;
    return e->conductor_ma && !e->conductor_ns && (!n->long_time_ma || n->long_time_ma > e->conductor_ma);
}

uint32_t lend_obstacles(const struct site *site, uint32_t node)
{
    const struct model *m = &site->model;
    const struct model_node *n = &m->node[node];
    uint32_t set = 0;

    if (!n->breaker.element_count)
        set |= OBSTACLE_NO_CURVE;
    if (!site->note[node].settings_known)
        set |= OBSTACLE_NO_SETTINGS_FROM;
    if (n->meter == INDEX_NONE)
        set |= OBSTACLE_NO_METER;
    else if (m->meter[n->meter].period_ns > LEND_METER_NS)
        set |= OBSTACLE_SLOW_METER;
    /* the fundamental alone, over a filter's window: what heats beside it is not in them */
    if (n->meter != INDEX_NONE && site->meter[n->meter].protocol == PROTOCOL_C37118)
        set |= OBSTACLE_PHASORS;
    if (carries_unknown(site, node))
        set |= OBSTACLE_EQUIPMENT;
    return set;
}

uint32_t lend_witness(const struct site *site, const struct outage *outage, uint32_t c)
{
    const struct model *m = &site->model;
    uint32_t lost = m->contingency[c].lost_node;

    if (lost == INDEX_NONE)
        return INDEX_NONE;
    if (m->node[lost].meter != INDEX_NONE)
        return m->node[lost].meter;
    for (uint32_t n = 0; n < m->node_count; n++)
        if (outage->node[n] >> c & 1 && m->node[n].meter != INDEX_NONE)
            return m->node[n].meter;
    return INDEX_NONE;
}
