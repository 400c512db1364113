/* SPDX-License-Identifier: Apache-2.0 */
#include "whole.h"

#include <stdlib.h>
#include <string.h>

#include "core/core.h"

struct outcome {
    int64_t target_mw[BUILT_HOSTS_MAX];
    struct extent extent[BUILT_HOSTS_MAX];
    uint8_t tier[BUILT_HOSTS_MAX];
    uint8_t term[BUILT_HOSTS_MAX];
    uint64_t capacity;          /* of all nodes and cells, added up */
};

/* A wish or a limit that something has happened to is looked at anyway; here all others are, too. What is
 * held at a node is what stood there when its limit moved: looking alone changes none of it. */
static void look_at_everything(struct core *core)
{
    for (uint32_t h = 0; h < core->model->host_count; h++)
        core->cluster.wake_ns[h] = 0;
    for (uint32_t n = 0; n < core->model->node_count; n++)
        if (!core->ledger.moved.node[n])
            core->ledger.moved.node[n] = NODE_HELD;
}

static bool arbitrate(struct trial *trial, struct slot slot, struct outcome *outcome)
{
    struct core *core = trial->core;
    const struct cluster *cluster = &core->cluster;
    pipeline_step(core, &slot, &trial->twin_outbox);
    slot.kind = SLOT_TICK_PART;
    memset(&slot.tick, 0, sizeof slot.tick);
    for (int parts = 0; pipeline_tick_open(core); parts++) {
        if (parts > 100000)
            return trial_fail(trial, "an arbitration never commits");
        pipeline_step(core, &slot, &trial->twin_outbox);
    }
    for (uint32_t h = 0; h < trial->model->host_count; h++) {
        outcome->target_mw[h] = cluster->target_mw[h];
        outcome->extent[h] = cluster->host_extent[h];
        outcome->tier[h] = cluster->tier[h];
        outcome->term[h] = cluster->bound_term[h];
    }
    outcome->capacity = 0;
    for (uint32_t i = 0; i < cluster->places * cluster->cells; i++)
        outcome->capacity = outcome->capacity * 31 + (uint64_t)cluster->capacity_mva[i];
    return true;
}

static bool compare(struct trial *trial, const struct outcome *changed, const struct outcome *all)
{
    if (changed->capacity != all->capacity)
        return trial_fail(trial, "a node's limit has moved and was not looked at");
    for (uint32_t h = 0; h < trial->model->host_count; h++) {
        if (changed->tier[h] != all->tier[h] ||
            memcmp(&changed->extent[h], &all->extent[h], sizeof all->extent[h]) != 0)
            return trial_fail(trial, "the wish of host %u has moved and was not looked at", h);
        if (changed->target_mw[h] != all->target_mw[h] || changed->term[h] != all->term[h])
            return trial_fail(trial, "host %u has %lld mW by what has changed, %lld by everything", h,
                              (long long)changed->target_mw[h], (long long)all->target_mw[h]);
    }
    return true;
}

bool whole_agrees(struct trial *trial, const struct slot *tick)
{
    size_t bytes = core_bytes(trial->model);
    static struct outcome changed, all;
    if (pipeline_tick_open(trial->core))
        return true;            /* this tick begins none */
    void *saved = malloc(bytes);
    if (!saved)
        abort();
    memcpy(saved, trial->core, bytes);
    bool ended = arbitrate(trial, *tick, &changed);
    memcpy(trial->core, saved, bytes);
    look_at_everything(trial->core);
    ended = ended && arbitrate(trial, *tick, &all);
    memcpy(trial->core, saved, bytes);
    free(saved);
    return ended && compare(trial, &changed, &all);
}
