/* SPDX-License-Identifier: Apache-2.0 */
/* The hosts below every node. */
#include "core/emergency.h"

uint32_t emergency_below_room(const struct model *model)
{
    uint32_t room = 0;
    for (uint32_t host = 0; host < model->host_count; host++)
        for (uint32_t j = 0; j < model->host[host].cord_count; j++)
            room += model->node[model->host[host].cord[j].node].ancestor_count;
    return room;
}

static void below_each(struct emergencies *e,
                       void (*take)(struct emergencies *e, uint32_t node, uint32_t host))
{
    const struct model *model = e->model;
    for (uint32_t host = 0; host < model->host_count; host++) {
        for (uint32_t j = 0; j < model->host[host].cord_count; j++) {
            const struct model_node *node = &model->node[model->host[host].cord[j].node];
            for (uint32_t a = 0; a < node->ancestor_count; a++)
                take(e, node->ancestor[a], host);
        }
    }
}

static void below_count(struct emergencies *e, uint32_t node, uint32_t host)
{
    (void)host;
    e->below_count[node]++;
}

/* Hosts come in ascending order, so a second cord's host stands right before. */
static void below_add(struct emergencies *e, uint32_t node, uint32_t host)
{
    uint32_t *run = &e->below[e->below_first[node]];
    uint32_t count = e->below_count[node];
    if (count && run[count - 1] == host)
        return;
    run[count] = host;
    e->below_count[node]++;
}

void emergency_below_init(struct emergencies *e)
{
    uint32_t first = 0;
    below_each(e, below_count);
    for (uint32_t n = 0; n < e->model->node_count; n++) {
        e->below_first[n] = first;
        first += e->below_count[n];
        e->below_count[n] = 0;
    }
    below_each(e, below_add);
}
