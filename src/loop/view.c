/* SPDX-License-Identifier: Apache-2.0 */
/* The writers' side. */
#include "loop/view.h"

#include <string.h>

static_assert(sizeof(struct core_counters) % sizeof(uint64_t) == 0, "counters are whole words");

static void write_node(struct view *view, const struct core *core, uint32_t at)
{
    struct core_node_view node;
    core_node_view(core, at, &node);
    uint64_t sums[SEQLOCK_WORDS] = {0}, limits[SEQLOCK_WORDS] = {0};
    for (uint32_t i = 0; i < PHASES; i++) {
        sums[i] = (uint64_t)node.exposure_mva[i];
        sums[PHASES + i] = (uint64_t)node.newest_mva[i];
        limits[i] = (uint64_t)node.limit_mva[i];
    }
    sums[2 * PHASES] = (uint64_t)node.emergency | (uint64_t)node.recovery << 1;
    limits[PHASES] = (uint64_t)node.measured_mw;
    limits[PHASES + 1] = (uint64_t)node.reading_t_ns;
    const uint64_t heat[SEQLOCK_WORDS] = {
        (uint64_t)node.heat.heat_ppm, (uint64_t)node.heat.travel_ppm, (uint64_t)node.heat.trip_in_ns,
        (uint64_t)node.heat.admissible_ma, (uint64_t)node.heat.trips | (uint64_t)node.heat.binds << 8};
    seqlock_write(&view->node[at * VIEW_NODE_RECORDS], sums);
    seqlock_write(&view->node[at * VIEW_NODE_RECORDS + 1], limits);
    seqlock_write(&view->node[at * VIEW_NODE_RECORDS + 2], heat);
}

static void write_host(struct view *view, const struct core *core, uint32_t at)
{
    struct core_host_view host;
    core_host_view(core, at, &host);
    uint64_t word[SEQLOCK_WORDS] = {(uint64_t)host.lease_mw,
                                    (uint64_t)host.exposure_mw,
                                    (uint64_t)host.draw_mw,
                                    (uint64_t)host.report_t_ns,
                                    host.incarnation,
                                    (uint64_t)host.state | (uint64_t)host.why << 8 |
                                        (uint64_t)host.accepted << 16 | (uint64_t)host.basis << 24,
                                    0};
    seqlock_write(&view->host[at], word);
}

static void write_counters(struct view *view, const struct core *core, uint32_t at)
{
    const uint8_t *from = (const uint8_t *)core_counters(core);
    uint64_t word[SEQLOCK_WORDS] = {0};
    size_t first = (size_t)at * sizeof word, left = sizeof(struct core_counters) - first;
    memcpy(word, from + first, left < sizeof word ? left : sizeof word);
    seqlock_write(&view->counter[at], word);
}

void view_refresh(struct view *view, const struct core *core, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = view->next;
        if (at < VIEW_COUNTER_RECORDS)
            write_counters(view, core, at);
        else if ((at -= VIEW_COUNTER_RECORDS) < view->nodes)
            write_node(view, core, at);
        else if ((at -= view->nodes) < view->hosts)
            write_host(view, core, at);
        view->next = (view->next + 1) % (VIEW_COUNTER_RECORDS + view->nodes + view->hosts);
    }
}

void view_refresh_all(struct view *view, const struct core *core)
{
    view_refresh(view, core, VIEW_COUNTER_RECORDS + view->nodes + view->hosts);
}

void view_write_meter(struct view *view, uint32_t meter, const struct view_meter *record)
{
    const uint32_t *ma = record->current_ma, *mv = record->voltage_mv;
    uint64_t word[SEQLOCK_WORDS] = {(uint64_t)record->t_receive_ns,
                                    (uint64_t)record->age_ns,
                                    (uint64_t)record->power_mw,
                                    ma[0] | (uint64_t)ma[1] << 32,
                                    ma[2] | (uint64_t)mv[0] << 32,
                                    mv[1] | (uint64_t)mv[2] << 32,
                                    0};
    seqlock_write(&view->meter[meter], word);
}

void view_add_stale(struct view *view, uint32_t meter, int64_t t_ns)
{
    struct seqlock *record = &view->stale[meter];
    /* Relaxed: this thread alone writes the record. */
    uint64_t count = atomic_load_explicit(&record->word[1], memory_order_relaxed);
    const uint64_t word[SEQLOCK_WORDS] = {(uint64_t)t_ns, count + 1};
    seqlock_write(record, word);
}
