/* SPDX-License-Identifier: Apache-2.0 */
/* What an order is about: from names, which outlive a model, to numbers, which do not. */
#include <stdio.h>
#include <string.h>

#include "loop/orders.h"

static bool find_node(const struct model *model, const char *name, uint32_t *index)
{
    for (*index = 0; *index < model->node_count; ++*index)
        if (!strcmp(model->node[*index].name, name))
            return true;
    return false;
}

static bool find_host(const struct model *model, const char *name, uint32_t *index)
{
    for (*index = 0; *index < model->host_count; ++*index)
        if (!strcmp(model->host[*index].name, name))
            return true;
    return false;
}

static bool add_node(struct slot_order *order, uint32_t node)
{
    if (order->node == INDEX_NONE)
        order->node = node;
    else if (order->also_count < ORDER_NODES_MAX - 1)
        order->also[order->also_count++] = (uint16_t)node;
    else
        return false;
    return true;
}

/* Every node that nothing feeds. */
static bool add_roots(const struct model *model, struct slot_order *order)
{
    bool added = true;
    for (uint32_t n = 0; n < model->node_count; n++)
        if (!model->node[n].parent_count)
            added &= add_node(order, n);
    return added && order->node != INDEX_NONE;
}

/* Names of nodes with commas between them. A node that is called like the whole site is that node. */
static bool find_nodes(const struct model *model, const char *subject, struct slot_order *order)
{
    char names[ORDER_SUBJECT_BYTES], *rest = names, *name;
    uint32_t node;
    snprintf(names, sizeof names, "%s", subject);
    order->node = INDEX_NONE;
    order->also_count = 0;
    if (!strcmp(subject, ORDER_SITE) && !find_node(model, subject, &node))
        return add_roots(model, order);
    while ((name = strsep(&rest, ",")))
        if (!find_node(model, name, &node) || !add_node(order, node))
            return false;
    return true;
}

bool orders_resolve(const struct model *model, struct order_entry *entry)
{
    uint32_t kind = entry->order.kind;
    if (kind == ORDER_MODE || kind == ORDER_LIFT || entry->order.contract >= ORDERS_SITE_CONTRACT)
        return true;
    if (kind == ORDER_FORECAST)
        return find_host(model, entry->subject, &entry->order.node);
    if (kind == ORDER_CAP)
        return find_nodes(model, entry->subject, &entry->order);
    return find_node(model, entry->subject, &entry->order.node);
}
