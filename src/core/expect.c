/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a report will touch is known from its host, and at ten thousand hosts hardly any of it is in a near
 * cache. It is fetched while the slot before is decided on, in three goes, each when what says where the next
 * one lies has arrived: what belongs to the host; where the host hangs; the sums above it. Nothing depends on
 * it.
 */
#include "core/expect.h"

#include <stddef.h>

enum { NEAR_ANCESTORS = 2 };

static inline void fetch(const void *at, size_t bytes)
{
    for (size_t i = 0; i < bytes; i += CACHE_LINE)
        __builtin_prefetch((const char *)at + i);
}

void pipeline_expect(struct core *core, const struct slot *next)
{
    uint32_t host = next->report.host;
    if (next->kind != SLOT_REPORT)
        return;
    core->expected = host + 1;
    fetch(&core->model->host[host], offsetof(struct model_host, cord[2]));
    fetch(&core->ledger.host[host], offsetof(struct ledger_host, unretired[2]));
    fetch(&core->pools.host[host], sizeof core->pools.host[host]);
    fetch(&core->demand[host], sizeof core->demand[host]);
    fetch(&core->bound[host], sizeof core->bound[host] + CACHE_LINE);
    fetch(&core->permits.draw_mw[host], 1);
    fetch(&core->permits.least_first[host], 1);
    fetch(&core->sent[host], sizeof core->sent[host]);
    fetch(&core->contracts.counted_mw[host], 1);
    fetch(&core->cluster.target_mw[host], 1);
    fetch(&core->degrade.host[host], 1);
    fetch(&core->residual.host[host], sizeof core->residual.host[host]);
}

void expect_way(const struct core *core)
{
    uint32_t host = core->expected - 1;
    if (!core->expected)
        return;
    for (uint32_t j = 0; j < core->model->host[host].cord_count; j++)
        fetch(core->model->node[core->model->host[host].cord[j].node].ancestor, 1);
    fetch(&core->permits.least_ppm[core->permits.least_first[host]], CACHE_LINE);
}

/* Ancestors farther up stand above so many hosts that they are near anyhow. Which nodes these are arbitration
 * has at hand. */
static void expect_sums(const struct core *core, uint32_t own)
{
    size_t cells_bytes = core->model->contingency_count * PHASES * sizeof(int64_t);
    for (uint32_t a = 0; a < NEAR_ANCESTORS && core->cluster.above[own][a] != CLUSTER_NONE; a++) {
        const struct ledger_sums *sums = &core->ledger.node[core->cluster.above[own][a]];
        fetch(sums, offsetof(struct ledger_sums, exposed_mva) + cells_bytes);
        fetch(sums->highest_mva, sizeof sums->highest_mva + cells_bytes);
    }
}

/* What is known of a host lies far from what is known of the one before: all of it at once, not in turn. */
void expect_lease(const struct core *core, uint32_t host)
{
    const uint32_t *own = core->cluster.cord_node[host];
    fetch(&core->model->host[host], offsetof(struct model_host, cord[2]));
    fetch(&core->ledger.host[host], offsetof(struct ledger_host, unretired[2]));
    fetch(&core->bound[host], sizeof core->bound[host]);
    fetch(&core->sent[host], sizeof core->sent[host]);
    fetch(&core->contracts.counted_mw[host], 1);
    for (uint32_t j = 0; j < CORDS_MAX && own[j] != INDEX_NONE; j++) {
        fetch(core->model->node[own[j]].ancestor, 1);
        expect_sums(core, own[j]);
    }
}

static void expect_cord(const struct core *core, const struct model_cord *cord)
{
    const struct model_node *node = &core->model->node[cord->node];
    size_t cells_bytes = core->model->contingency_count * PHASES * sizeof(int64_t);
    for (uint32_t a = 0; a < node->ancestor_count && a < NEAR_ANCESTORS; a++) {
        const struct pool *pool = &core->pools.node[node->ancestor[a]];
        fetch(pool, offsetof(struct pool, drawn_mva) + cells_bytes);
        fetch(&core->permits.sum[node->ancestor[a]], 1);
    }
    expect_sums(core, cord->node);
}

void expect_above(struct core *core)
{
    uint32_t host = core->expected - 1;
    if (!core->expected)
        return;
    for (uint32_t j = 0; j < core->model->host[host].cord_count; j++)
        expect_cord(core, &core->model->host[host].cord[j]);
    core->expected = 0;
}
