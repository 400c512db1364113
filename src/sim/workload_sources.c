/* SPDX-License-Identifier: Apache-2.0 */
/* sources: of workload.yaml: how its generators, UPSs and transfer switches behave. */
#include <string.h>

#include "sim/workload_parts.h"

#define SOURCE(key, unit, member, low, high, kinds) \
    {key, unit, offsetof(struct workload_source, member), low, high, kinds}
static const struct workload_field source_field[] = {
    SOURCE("start", UNIT_TIME, start_ns, 0, 600, SOURCE_GENERATOR),
    SOURCE("spread", UNIT_TIME, spread_ns, 0, 600, SOURCE_GENERATOR),
    SOURCE("fails", UNIT_SHARE, fails, 0, 0.9, SOURCE_GENERATOR),
    SOURCE("cool", UNIT_TIME, cool_ns, 0, 3600, SOURCE_GENERATOR),
    SOURCE("battery", UNIT_TIME, battery_ns, 0, 86400, SOURCE_UPS),
    SOURCE("recharge", UNIT_TIME, recharge_ns, 1, 86400, SOURCE_UPS),
    SOURCE("walk_in", UNIT_TIME, walk_in_ns, 0, 600, SOURCE_UPS),
    SOURCE("break", UNIT_TIME, break_ns, 0, 60, SOURCE_SWITCH),
    SOURCE("retransfer", UNIT_TIME, retransfer_ns, 0, 3600, SOURCE_SWITCH),
    {0},
};
#undef SOURCE

struct workload_source workload_usual_source(const struct model *model, uint32_t node)
{
    const struct model_node *n = &model->node[node];
    struct workload_source source = {.node = node};
    if (n->kind == NODE_GENERATOR && !n->parent_count) {
        source.kinds |= SOURCE_GENERATOR;
        source.start_ns = 10 * NS_PER_S;
        source.spread_ns = 2 * NS_PER_S;
        source.cool_ns = 60 * NS_PER_S;
    }
    if (n->kind == NODE_UPS) {
        source.kinds |= SOURCE_UPS;
        source.battery_ns = 300 * NS_PER_S;
        source.recharge_ns = 3600 * NS_PER_S;
        source.walk_in_ns = 10 * NS_PER_S;
    }
    if (n->parent_count > 1) {
        source.kinds |= SOURCE_SWITCH;
        source.break_ns = 100 * NS_PER_MS;
        source.retransfer_ns = 60 * NS_PER_S;
    }
    return source;
}

void workload_describe_sources(struct workload *workload, const struct model *model)
{
    workload->source_count = 0;
    for (uint32_t n = 0; n < model->node_count && workload->source_count < SOURCES_MAX; n++) {
        struct workload_source source = workload_usual_source(model, n);
        if (source.kinds)
            workload->source[workload->source_count++] = source;
    }
}

static uint32_t find_node(const struct model *model, const char *name)
{
    for (uint32_t n = 0; n < model->node_count; n++) {
        if (!strcmp(model->node[n].name, name))
            return n;
    }
    return INDEX_NONE;
}

static bool is_described(const struct workload *workload, uint32_t node)
{
    for (uint32_t i = 0; i < workload->source_count; i++) {
        if (workload->source[i].node == node)
            return true;
    }
    return false;
}

/* What has no limit has no size either. */
static bool has_size(const struct model *model, const struct workload_source *source)
{
    return source->kinds == SOURCE_SWITCH || model->node[source->node].limited;
}

static bool refuses(struct loader *loader, struct fy_node *name, const struct workload_source *source)
{
    int before = loader->errors;
    if (!source->kinds)
        workload_complain(loader, name, "'%s' is no generator at the top, no UPS, and has one parent at most",
                          workload_text(name));
    else if (!has_size(loader->model, source))
        workload_complain(loader, name, "'%s' is unlimited: nobody knows how large it is",
                          workload_text(name));
    else if (is_described(loader->workload, source->node))
        workload_complain(loader, name, "'%s' is described already", workload_text(name));
    else if (loader->workload->source_count == SOURCES_MAX)
        workload_complain(loader, name, "more than %d sources", SOURCES_MAX);
    return loader->errors > before;
}

static void load_source(struct loader *loader, struct fy_node *map)
{
    static const char *const own[] = {"node", NULL};
    struct workload *workload = loader->workload;
    struct fy_node *name = fy_node_mapping_lookup_by_string(map, "node", FY_NT);
    uint32_t node = find_node(loader->model, workload_text(name));
    if (!name || node == INDEX_NONE) {
        workload_complain(loader, name ? name : map, "a source needs `node`, a node of the site");
        return;
    }
    struct workload_source source = workload_usual_source(loader->model, node);
    if (refuses(loader, name, &source))
        return;
    workload_set_fields(loader, map, source_field, &source, "source", source.kinds, own);
    if (source.spread_ns > source.start_ns)
        workload_complain(loader, name, "'%s' could start before it is asked to: spread is more than start",
                          workload_text(name));
    workload->source[workload->source_count++] = source;
}

void workload_load_sources(struct loader *loader, struct fy_node *sources)
{
    struct fy_node *node;
    if (!sources)
        return;
    if (!fy_node_is_sequence(sources)) {
        workload_complain(loader, sources, "`sources` is a list");
        return;
    }
    for (void *walk = NULL; (node = fy_node_sequence_iterate(sources, &walk));) {
        if (fy_node_is_mapping(node))
            load_source(loader, node);
        else
            workload_complain(loader, node, "a source is a block such as {node: gen-a, start: 10s}");
    }
}
