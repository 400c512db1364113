/* SPDX-License-Identifier: Apache-2.0 */
#include "loop/view.h"

#include <string.h>
#include <time.h>

static_assert(sizeof(struct core_counters) % sizeof(uint64_t) == 0, "counters are whole words");

enum { READ_TRIES = 100, READ_REST_NS = 100000 };

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

int64_t view_load_ppm(int64_t load_mva, int64_t limit_mva)
{
    if (limit_mva <= 0)
        return 0;
    /* reports may claim draws so large that their sum in ppm would not fit */
    return load_mva < INT64_MAX / PPM ? load_mva * PPM / limit_mva : load_mva / (limit_mva / PPM + 1);
}

static uint32_t worst_phase(const struct core_node_view *node)
{
    uint32_t worst = 0;
    int64_t worst_ppm = -1;
    for (uint32_t i = 0; i < PHASES; i++) {
        int64_t ppm = view_load_ppm(larger(node->exposure_mva[i], node->newest_mva[i]), node->limit_mva[i]);
        if (ppm <= worst_ppm)
            continue;
        worst = i;
        worst_ppm = ppm;
    }
    return worst;
}

static void write_node(struct view *view, const struct core *core, uint32_t at)
{
    struct core_node_view node;
    core_node_view(core, at, &node);
    uint32_t phase = worst_phase(&node);
    uint64_t word[SEQLOCK_WORDS] = {
        (uint64_t)node.exposure_mva[phase], (uint64_t)node.newest_mva[phase], (uint64_t)node.limit_mva[phase],
        (uint64_t)node.measured_mw, (uint64_t)node.reading_t_ns, node.emergency, node.recovery};
    seqlock_write(&view->node[at], word);
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
                                        (uint64_t)host.accepted << 16,
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
    uint64_t word[SEQLOCK_WORDS] = {
        (uint64_t)record->t_receive_ns, (uint64_t)record->age_ns, (uint64_t)record->power_mw,
        (uint64_t)record->current_ma, (uint64_t)record->voltage_mv, record->sequence, 0};
    seqlock_write(&view->meter[meter], word);
}

/* A writer that lost its core in the middle of a record comes back to it: the cold side waits a little. */
static bool read_record(const struct seqlock *record, uint64_t word[SEQLOCK_WORDS])
{
    const struct timespec rest = {.tv_nsec = READ_REST_NS};
    for (int i = 0; i < READ_TRIES; i++) {
        if (seqlock_read(record, word))
            return true;
        nanosleep(&rest, NULL);
    }
    return false;
}

bool view_read_node(const struct view *view, uint32_t node, struct view_node *record)
{
    uint64_t word[SEQLOCK_WORDS];
    if (!read_record(&view->node[node], word))
        return false;
    *record = (struct view_node){
        .exposure_mva = (int64_t)word[0], .newest_mva = (int64_t)word[1], .limit_mva = (int64_t)word[2],
        .measured_mw = (int64_t)word[3], .reading_t_ns = (int64_t)word[4],
        .emergency = word[5] != 0, .recovery = word[6] != 0};
    return true;
}

bool view_read_host(const struct view *view, uint32_t host, struct view_host *record)
{
    uint64_t word[SEQLOCK_WORDS];
    if (!read_record(&view->host[host], word))
        return false;
    *record = (struct view_host){
        .lease_mw = (int64_t)word[0], .exposure_mw = (int64_t)word[1], .draw_mw = (int64_t)word[2],
        .report_t_ns = (int64_t)word[3], .incarnation = word[4],
        .state = (uint8_t)word[5], .why = (uint8_t)(word[5] >> 8), .accepted = (word[5] >> 16 & 1) != 0};
    return true;
}

bool view_read_meter(const struct view *view, uint32_t meter, struct view_meter *record)
{
    uint64_t word[SEQLOCK_WORDS];
    if (!read_record(&view->meter[meter], word))
        return false;
    *record = (struct view_meter){
        .t_receive_ns = (int64_t)word[0], .age_ns = (int64_t)word[1], .power_mw = (int64_t)word[2],
        .current_ma = (int64_t)word[3], .voltage_mv = (int64_t)word[4], .sequence = word[5]};
    return true;
}

bool view_read_counters(const struct view *view, struct core_counters *counters)
{
    for (uint32_t at = 0; at < VIEW_COUNTER_RECORDS; at++) {
        uint64_t word[SEQLOCK_WORDS];
        if (!read_record(&view->counter[at], word))
            return false;
        size_t first = (size_t)at * sizeof word, left = sizeof *counters - first;
        memcpy((uint8_t *)counters + first, word, left < sizeof word ? left : sizeof word);
    }
    return true;
}
