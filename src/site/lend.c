/* SPDX-License-Identifier: Apache-2.0 */
#include "site/lend.h"

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
