/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/top/top_source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/door_client.h"
#include "rt/clock.h"

/* Less than this between the daemon's answer and our look at the clock is the way, not another clock. */
#define SAME_CLOCK_NS NS_PER_S

int64_t top_source_now_ns(const struct top_source *source)
{
    return clock_monotonic_ns() - source->behind_ns;
}

void top_source_init(struct top_source *source, const char *door)
{
    *source = (struct top_source){.door = door, .share.fd = -1, .error = -ENOTCONN};
}

void top_source_drop_names(struct model *model)
{
    free(model->node);
    free(model->meter);
    free(model->host);
    *model = (struct model){0};
}

static void detach(struct top_source *source)
{
    if (!source->attached)
        return;
    view_share_close(&source->share);
    top_source_drop_names(&source->model);
    source->attached = false;
}

void top_source_finish(struct top_source *source)
{
    detach(source);
    json_decref(source->counters);
    source->counters = NULL;
}

static bool take_name(char name[NAME_BYTES], const json_t *value)
{
    const char *text = json_string_value(value);
    if (!text || strlen(text) >= NAME_BYTES)
        return false;
    strcpy(name, text);
    return true;
}

static int64_t scaled(const json_t *row, const char *key, double factor)
{
    return (int64_t)(json_number_value(json_object_get(row, key)) * factor + 0.5);
}

static bool take_nodes(struct model *model, const json_t *list)
{
    size_t i;
    json_t *row;
    json_array_foreach(list, i, row) {
        struct model_node *node = &model->node[i];
        json_int_t meter = json_integer_value(json_object_get(row, "meter"));
        if (!take_name(node->name, json_object_get(row, "id")) || meter >= (json_int_t)model->meter_count)
            return false;
        node->kind = (uint8_t)json_integer_value(json_object_get(row, "kind"));
        node->phases = (uint8_t)json_integer_value(json_object_get(row, "phases"));
        node->limited = json_is_true(json_object_get(row, "limited"));
        node->volts_low_mv = scaled(row, "volts_low", 1e3);
        node->meter = meter < 0 ? INDEX_NONE : (uint32_t)meter;
    }
    return true;
}

static bool take_meters(struct model *model, const json_t *list)
{
    size_t i;
    json_t *row;
    json_array_foreach(list, i, row) {
        struct model_meter *meter = &model->meter[i];
        json_int_t node = json_integer_value(json_object_get(row, "node"));
        if (!take_name(meter->name, json_object_get(row, "id")) || node < 0 || node >= model->node_count)
            return false;
        meter->node = (uint32_t)node;
        meter->fresh_ns = scaled(row, "fresh_ms", 1e6);
        meter->period_ns = scaled(row, "period_ms", 1e6);
    }
    return true;
}

/* Of a daemon that names none nothing is declared. */
static bool take_contingencies(struct model *model, const json_t *list)
{
    size_t i;
    json_t *name;
    if (json_array_size(list) > CONTINGENCIES_MAX)
        return false;
    json_array_foreach(list, i, name)
        if (!take_name(model->contingency[i].name, name))
            return false;
    model->contingency_count = (uint32_t)json_array_size(list);
    return true;
}

static bool take_hosts(struct model *model, const json_t *list)
{
    size_t i;
    json_t *name;
    json_array_foreach(list, i, name)
        if (!take_name(model->host[i].name, name))
            return false;
    return true;
}

int top_source_take_names(struct model *model, const json_t *names)
{
    const json_t *nodes = json_object_get(names, "nodes"), *meters = json_object_get(names, "meters");
    const json_t *hosts = json_object_get(names, "hosts");
    size_t node_count = json_array_size(nodes), meter_count = json_array_size(meters);
    size_t host_count = json_array_size(hosts);
    if (!node_count || node_count > NODES_MAX || meter_count > METERS_MAX || host_count > HOSTS_MAX)
        return -EPROTO;
    struct model taken = {.node_count = (uint32_t)node_count, .meter_count = (uint32_t)meter_count,
                          .host_count = (uint32_t)host_count};
    taken.policy.lease_ns = scaled(names, "lease_ms", 1e6);
    taken.node = calloc(node_count, sizeof *taken.node);
    taken.meter = calloc(meter_count + 1, sizeof *taken.meter);
    taken.host = calloc(host_count + 1, sizeof *taken.host);
    if (!taken.node || !taken.meter || !taken.host ||
        !take_name(taken.name, json_object_get(names, "site")) || !take_nodes(&taken, nodes) ||
        !take_meters(&taken, meters) || !take_hosts(&taken, hosts) ||
        !take_contingencies(&taken, json_object_get(names, "contingencies"))) {
        top_source_drop_names(&taken);
        return -EPROTO;
    }
    *model = taken;
    return 0;
}

static uint64_t epoch_of(const json_t *answer)
{
    return (uint64_t)json_integer_value(json_object_get(answer, "epoch"));
}

/* Names and view of the start that `epoch` names. */
static int attach(struct top_source *source, uint64_t epoch)
{
    json_t *names = door_client_ask(source->door, "names");
    if (!names)
        return -errno;
    int error = epoch_of(names) == epoch ? top_source_take_names(&source->model, names) : -EAGAIN;
    json_decref(names);
    if (error)
        return error;
    error = door_client_view(source->door, &source->header, &source->share, &source->view);
    const struct model *model = &source->model;
    bool same = !error && source->header.epoch == epoch && source->header.nodes == model->node_count &&
                source->header.hosts == model->host_count && source->header.meters == model->meter_count;
    if (!same) {
        if (!error)
            view_share_close(&source->share);
        top_source_drop_names(&source->model);
        return error ? error : -EAGAIN;
    }
    int64_t behind_ns = clock_monotonic_ns() - source->header.t_now_ns;
    source->behind_ns = behind_ns >= 0 && behind_ns < SAME_CLOCK_NS ? 0 : behind_ns;
    source->attached = true;
    return 0;
}

void top_source_refresh(struct top_source *source)
{
    json_t *counters = door_client_ask(source->door, "counters");
    if (!counters) {
        source->error = -errno;
        return;
    }
    uint64_t epoch = epoch_of(counters);
    if (!source->attached || source->epoch != epoch) {
        detach(source);
        source->error = attach(source, epoch);
        if (source->error) {
            json_decref(counters);
            return;
        }
        source->restarts += source->epoch != 0;
        source->epoch = epoch;
    }
    json_decref(source->counters);
    source->counters = counters;
    source->error = 0;
    source->answered_ns = top_source_now_ns(source);
}
