/* SPDX-License-Identifier: Apache-2.0 */
/* events: of workload.yaml: `- {at: 12s, lose: feed-a}`, restore, reset. */
#include <fnmatch.h>
#include <stdbool.h>
#include <string.h>

#include "sim/amount.h"
#include "sim/workload_parts.h"

static const char *const kind_key[EVENT_KIND_COUNT] = {"lose", "restore", "reset"};

static struct fy_node *value_of(struct fy_node *map, const char *key)
{
    return fy_node_mapping_lookup_by_string(map, key, FY_NT);
}

static bool is_known(const char *key)
{
    bool known = !strcmp(key, "at");
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++)
        known = known || !strcmp(key, kind_key[kind]);
    return known;
}

/* Which of lose, restore, reset it is; EVENT_KIND_COUNT where it is none or several, and says so. */
static enum workload_event_kind find_kind(struct loader *loader, struct fy_node *node)
{
    enum workload_event_kind found = EVENT_KIND_COUNT;
    struct fy_node_pair *pair;
    int kinds = 0;
    for (void *walk = NULL; (pair = fy_node_mapping_iterate(node, &walk));) {
        if (!is_known(workload_text(fy_node_pair_key(pair))))
            workload_complain(loader, fy_node_pair_key(pair), "unknown key '%s'",
                              workload_text(fy_node_pair_key(pair)));
    }
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        if (!value_of(node, kind_key[kind]))
            continue;
        found = (enum workload_event_kind)kind;
        kinds++;
    }
    if (kinds == 1)
        return found;
    workload_complain(loader, node, "an event is one of lose, restore and reset");
    return EVENT_KIND_COUNT;
}

static void load_time(struct loader *loader, struct fy_node *node, struct workload_event *event)
{
    struct fy_node *at = value_of(node, "at");
    if (!at)
        workload_complain(loader, node, "an event needs `at`, a time since the start such as 12s");
    else if (!amount_time(workload_text(at), &event->at_ns) || event->at_ns < 0)
        workload_complain(loader, at, "at: '%s' is not a time such as 12s", workload_text(at));
}

static void load_node(struct loader *loader, struct fy_node *name, struct workload_event *event)
{
    for (uint32_t n = 0; n < loader->model->node_count; n++) {
        if (strcmp(loader->model->node[n].name, workload_text(name)))
            continue;
        event->node = n;
        return;
    }
    workload_complain(loader, name, "'%s' is no node of the site", workload_text(name));
}

static void load_hosts(struct loader *loader, struct fy_node *hosts, uint32_t index)
{
    struct fy_node *pattern;
    if (!fy_node_is_sequence(hosts)) {
        workload_complain(loader, hosts,
                          "reset: a list of names or patterns such as [\"a1-*\"] belongs here");
        return;
    }
    for (void *walk = NULL; (pattern = fy_node_sequence_iterate(hosts, &walk));) {
        bool found = false;
        for (uint32_t h = 0; h < loader->model->host_count; h++) {
            if (fnmatch(workload_text(pattern), loader->model->host[h].name, 0))
                continue;
            loader->workload->resets[h] |= 1u << index;
            found = true;
        }
        if (!found)
            workload_complain(loader, pattern, "'%s' fits no host of the site", workload_text(pattern));
    }
}

static void load_event(struct loader *loader, struct fy_node *node)
{
    struct workload *workload = loader->workload;
    uint32_t index = workload->event_count;
    struct workload_event *event = &workload->event[index];
    if (!fy_node_is_mapping(node)) {
        workload_complain(loader, node, "an event is a block such as {at: 12s, lose: feed-a}");
        return;
    }
    if (index == EVENTS_MAX) {
        workload_complain(loader, node, "more than %d events", EVENTS_MAX);
        return;
    }
    enum workload_event_kind kind = find_kind(loader, node);
    load_time(loader, node, event);
    if (kind == EVENT_KIND_COUNT)
        return;
    event->kind = kind;
    event->node = INDEX_NONE;
    workload->event_count++;
    struct fy_node *what = value_of(node, kind_key[kind]);
    if (kind == EVENT_RESET)
        load_hosts(loader, what, index);
    else
        load_node(loader, what, event);
}

void workload_load_events(struct loader *loader, struct fy_node *events)
{
    struct fy_node *node;
    if (!events)
        return;
    if (!fy_node_is_sequence(events)) {
        workload_complain(loader, events, "`events` is a list");
        return;
    }
    for (void *walk = NULL; (node = fy_node_sequence_iterate(events, &walk));)
        load_event(loader, node);
}
