/* SPDX-License-Identifier: Apache-2.0 */
/* The readers' side: the daemon's cold threads, and other processes over the memory that the door hands
 * out. */
#include <string.h>
#include <time.h>

#include "loop/view.h"

enum { READ_TRIES = 100, READ_REST_NS = 100000, ALIKE_PPM = 1000 };

struct view_layout view_layout(uint32_t nodes, uint32_t hosts, uint32_t meters)
{
    const uint64_t record = sizeof(struct seqlock);
    struct view_layout layout = {.counter = 0, .node = VIEW_COUNTER_RECORDS * record};
    layout.host = layout.node + nodes * VIEW_NODE_RECORDS * record;
    layout.meter = layout.host + hosts * record;
    layout.stale = layout.meter + meters * record;
    layout.end = layout.stale + meters * record;
    return layout;
}

static struct seqlock *at(void *memory, uint64_t offset)
{
    return (struct seqlock *)((uint8_t *)memory + offset);
}

void view_place(struct view *view, void *memory, uint32_t nodes, uint32_t hosts, uint32_t meters)
{
    struct view_layout layout = view_layout(nodes, hosts, meters);
    *view = (struct view){.counter = at(memory, layout.counter),
                          .node = at(memory, layout.node),
                          .host = at(memory, layout.host),
                          .meter = at(memory, layout.meter),
                          .stale = at(memory, layout.stale),
                          .nodes = nodes,
                          .hosts = hosts,
                          .meters = meters};
}

int64_t view_load_ppm(int64_t load_mva, int64_t limit_mva)
{
    if (limit_mva <= 0)
        return 0;
    /* reports may claim draws so large that their sum in ppm would not fit */
    return load_mva < INT64_MAX / PPM ? load_mva * PPM / limit_mva : load_mva / (limit_mva / PPM + 1);
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

uint32_t view_worst_phase(const struct view_node *node, const struct view_meter *meter)
{
    int64_t ppm[PHASES], most_ppm = 0;
    for (uint32_t i = 0; i < PHASES; i++) {
        ppm[i] = view_load_ppm(larger(node->exposure_mva[i], node->newest_mva[i]), node->limit_mva[i]);
        most_ppm = larger(most_ppm, ppm[i]);
    }
    uint32_t worst = PHASES;
    for (uint32_t i = 0; i < PHASES; i++) {
        if (ppm[i] + ALIKE_PPM < most_ppm)
            continue;
        if (worst == PHASES || (meter && meter->current_ma[i] > meter->current_ma[worst]))
            worst = i;
    }
    return worst;
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
    uint64_t sums[SEQLOCK_WORDS], limits[SEQLOCK_WORDS], heat[SEQLOCK_WORDS];
    if (!read_record(&view->node[node * VIEW_NODE_RECORDS], sums) ||
        !read_record(&view->node[node * VIEW_NODE_RECORDS + 1], limits) ||
        !read_record(&view->node[node * VIEW_NODE_RECORDS + 2], heat))
        return false;
    *record = (struct view_node){.measured_mw = (int64_t)limits[PHASES],
                                 .reading_t_ns = (int64_t)limits[PHASES + 1],
                                 .emergency = (sums[2 * PHASES] & 1) != 0,
                                 .recovery = (sums[2 * PHASES] & 2) != 0,
                                 .heat = {.heat_ppm = (int64_t)heat[0],
                                          .travel_ppm = (int64_t)heat[1],
                                          .trip_in_ns = (int64_t)heat[2],
                                          .admissible_ma = (int64_t)heat[3],
                                          .trips = (uint8_t)heat[4],
                                          .binds = (uint8_t)(heat[4] >> 8)}};
    for (uint32_t i = 0; i < PHASES; i++) {
        record->exposure_mva[i] = (int64_t)sums[i];
        record->newest_mva[i] = (int64_t)sums[PHASES + i];
        record->limit_mva[i] = (int64_t)limits[i];
    }
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
        .state = (uint8_t)word[5], .why = (uint8_t)(word[5] >> 8), .accepted = (word[5] >> 16 & 1) != 0,
        .basis = (uint8_t)(word[5] >> 24)};
    return true;
}

bool view_read_meter(const struct view *view, uint32_t meter, struct view_meter *record)
{
    uint64_t word[SEQLOCK_WORDS];
    if (!read_record(&view->meter[meter], word))
        return false;
    *record = (struct view_meter){
        .t_receive_ns = (int64_t)word[0], .age_ns = (int64_t)word[1], .power_mw = (int64_t)word[2],
        .current_ma = {(uint32_t)word[3], (uint32_t)(word[3] >> 32), (uint32_t)word[4]},
        .voltage_mv = {(uint32_t)(word[4] >> 32), (uint32_t)word[5], (uint32_t)(word[5] >> 32)}};
    return true;
}

bool view_read_stale(const struct view *view, uint32_t meter, struct view_stale *record)
{
    uint64_t word[SEQLOCK_WORDS];
    if (!read_record(&view->stale[meter], word))
        return false;
    *record = (struct view_stale){.t_ns = (int64_t)word[0], .count = word[1]};
    return true;
}

bool view_read_counters(const struct view *view, struct core_counters *counters)
{
    for (uint32_t i = 0; i < VIEW_COUNTER_RECORDS; i++) {
        uint64_t word[SEQLOCK_WORDS];
        if (!read_record(&view->counter[i], word))
            return false;
        size_t first = (size_t)i * sizeof word, left = sizeof *counters - first;
        memcpy((uint8_t *)counters + first, word, left < sizeof word ? left : sizeof word);
    }
    return true;
}
