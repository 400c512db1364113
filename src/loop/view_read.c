/* SPDX-License-Identifier: Apache-2.0 */
/* The readers' side: the daemon's cold threads, and other processes over the memory that the door hands
 * out. */
#include <string.h>
#include <time.h>

#include "core/compare.h"
#include "loop/view.h"

enum { READ_TRIES = 100, READ_REST_NS = 100000, ALIKE_PPM = 1000 };

struct view_layout view_layout(uint32_t nodes, uint32_t hosts, uint32_t meters)
{
    const uint64_t record = sizeof(struct seqlock);
    struct view_layout layout = {.counter = 0, .degraded = VIEW_COUNTER_RECORDS * record};
    layout.node = layout.degraded + DEGRADATION_COUNT * record;
    layout.host = layout.node + nodes * VIEW_NODE_RECORDS * record;
    layout.meter = layout.host + hosts * VIEW_HOST_RECORDS * record;
    layout.stale = layout.meter + meters * record;
    layout.detail = layout.stale + meters * record;
    layout.alert = layout.detail + hosts * VIEW_DETAIL_RECORDS * record;
    layout.end = layout.alert + ALERTS_MAX * VIEW_ALERT_RECORDS * record;
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
                          .degraded = at(memory, layout.degraded),
                          .node = at(memory, layout.node),
                          .host = at(memory, layout.host),
                          .meter = at(memory, layout.meter),
                          .stale = at(memory, layout.stale),
                          .detail = at(memory, layout.detail),
                          .alert = at(memory, layout.alert),
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

uint32_t view_worst_phase(const struct core_node_view *node, const struct view_meter *meter)
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

static bool read_records(const struct seqlock *record, uint32_t count, uint64_t word[][SEQLOCK_WORDS])
{
    for (uint32_t i = 0; i < count; i++)
        if (!read_record(&record[i], word[i]))
            return false;
    return true;
}

static struct core_sum sum_of(const uint64_t word[SEQLOCK_WORDS], uint32_t at)
{
    return (struct core_sum){(int64_t)word[2 * at], (int64_t)word[2 * at + 1],
                             (uint8_t)(word[4] >> 16 * at), (uint8_t)(word[4] >> (16 * at + 8))};
}

static struct heat_view heat_of(const uint64_t word[SEQLOCK_WORDS])
{
    return (struct heat_view){.heat_ppm = (int64_t)word[0],
                              .travel_ppm = (int64_t)word[1],
                              .trip_in_ns = (int64_t)word[2],
                              .admissible_ma = (int64_t)word[3],
                              .trips = (uint8_t)word[4],
                              .binds = (uint8_t)(word[4] >> 8)};
}

bool view_read_node(const struct view *view, uint32_t node, struct core_node_view *record)
{
    uint64_t word[VIEW_NODE_RECORDS][SEQLOCK_WORDS];
    if (!read_records(&view->node[node * VIEW_NODE_RECORDS], VIEW_NODE_RECORDS, word))
        return false;
    uint64_t flags = word[0][2 * PHASES];
    *record = (struct core_node_view){.exposed = sum_of(word[4], 0),
                                      .newest = sum_of(word[4], 1),
                                      .measured_mw = (int64_t)word[1][3],
                                      .reading_t_ns = (int64_t)word[1][4],
                                      .emergency = (flags & 1) != 0,
                                      .recovery = (flags & 2) != 0,
                                      .damped = (flags & 4) != 0,
                                      .breach = (flags & 8) != 0,
                                      .recovery_overdue = (flags & 16) != 0,
                                      .outgrown = (flags & 32) != 0,
                                      .recovery_by = (uint8_t)(flags >> 8),
                                      .permit = (uint8_t)(flags >> 16),
                                      .maintenance = (uint8_t)(flags >> 24),
                                      .awaited = (uint32_t)(flags >> 32),
                                      .permit_since_ns = (int64_t)word[1][5],
                                      .hold_until_ns = (int64_t)word[1][6],
                                      .contract_mw = (int64_t)word[2][5],
                                      .contract_load_mw = (int64_t)word[2][6],
                                      .ramp_up_mw_per_s = (int64_t)word[3][3],
                                      .ramp_down_mw_per_s = (int64_t)word[3][4],
                                      .stage_since_ns = (int64_t)word[3][5],
                                      .stage = (uint8_t)word[3][6],
                                      .enforced = (word[3][6] >> 8 & 1) != 0,
                                      .pool_level_mva = (int64_t)word[5][0],
                                      .pool_load_mva = (int64_t)word[5][1],
                                      .pool_credit_ppm = (int64_t)word[5][2],
                                      .recovery_since_ns = (int64_t)word[5][3],
                                      .raised_mva = (int64_t)word[5][5],
                                      .learnt_mva = {(int64_t)word[4][5], (int64_t)word[4][6],
                                                     (int64_t)word[5][6]},
                                      .recovery_silent = (uint32_t)word[5][4],
                                      .recovery_bad = (uint32_t)(word[5][4] >> 32),
                                      .heat = heat_of(word[2])};
    for (uint32_t i = 0; i < PHASES; i++) {
        record->exposure_mva[i] = (int64_t)word[0][i];
        record->newest_mva[i] = (int64_t)word[0][PHASES + i];
        record->limit_mva[i] = (int64_t)word[1][i];
        record->steady_mva[i] = (int64_t)word[3][i];
    }
    return true;
}

static struct bound bound_of(uint64_t word[VIEW_HOST_RECORDS][SEQLOCK_WORDS])
{
    return (struct bound){.term = (uint8_t)word[1][0],
                          .contingency = (uint8_t)(word[1][0] >> 8),
                          .phase = (uint8_t)(word[1][0] >> 16),
                          .slot_kind = (uint8_t)(word[1][0] >> 24),
                          .node = (uint32_t)(word[1][0] >> 32),
                          .why = (uint8_t)(word[0][5] >> 8),
                          .wanted_mw = (int64_t)word[1][1],
                          .sum_mva = (int64_t)word[1][2],
                          .limit_mva = (int64_t)word[1][3],
                          .cap_mw = (int64_t)word[0][0],
                          .t_ns = (int64_t)word[1][4],
                          .since_ns = (int64_t)word[2][6],
                          .rule = (uint8_t)(word[2][0] >> 8),
                          .slot_sequence = word[1][5],
                          .echo_t_ns = (int64_t)word[1][6],
                          .seen_of = (uint32_t)(word[2][0] >> 32),
                          .seen_number = word[2][1],
                          .seen_mw = (int64_t)word[2][2],
                          .seen_ma = {(uint32_t)word[2][3], (uint32_t)(word[2][3] >> 32),
                                      (uint32_t)word[2][4]},
                          .contract = (uint32_t)(word[2][4] >> 32)};
}

bool view_read_host(const struct view *view, uint32_t host, struct core_host_view *record)
{
    uint64_t word[VIEW_HOST_RECORDS][SEQLOCK_WORDS];
    if (!read_records(&view->host[host * VIEW_HOST_RECORDS], VIEW_HOST_RECORDS, word))
        return false;
    *record = (struct core_host_view){.lease_mw = (int64_t)word[0][0],
                                      .exposure_mw = (int64_t)word[0][1],
                                      .draw_mw = (int64_t)word[0][2],
                                      .report_t_ns = (int64_t)word[0][3],
                                      .incarnation = word[0][4],
                                      .state = (uint8_t)word[0][5],
                                      .why = (uint8_t)(word[0][5] >> 8),
                                      .accepted = (word[0][5] >> 16 & 1) != 0,
                                      .basis = (uint8_t)(word[0][5] >> 24),
                                      .unretired = (uint8_t)(word[0][5] >> 32),
                                      .flags = (uint8_t)(word[0][5] >> 40),
                                      .reserved_mw = (int64_t)(word[0][5] >> 48) * VIEW_RESERVED_MW,
                                      .exposed_cap_mw = (int64_t)word[0][6],
                                      .tier = (uint8_t)word[2][0],
                                      .gang = (uint16_t)(word[2][0] >> 16),
                                      .fail_safe_mw = (int64_t)word[2][5],
                                      .bound = bound_of(word)};
    return true;
}

static struct detail_device device_of(const uint64_t word[SEQLOCK_WORDS])
{
    return (struct detail_device){.asked_mw = (uint32_t)word[0],
                                  .enforced_mw = (uint32_t)(word[0] >> 32),
                                  .draw_mw = (uint32_t)word[1],
                                  .average_mw = (uint32_t)(word[1] >> 32),
                                  .energy_mj = word[2],
                                  .window_us = (uint32_t)word[3],
                                  .temperature_mc = (int32_t)(word[3] >> 32),
                                  .write_us = (uint32_t)word[4],
                                  .write_worst_us = (uint32_t)(word[4] >> 32),
                                  .known = (uint16_t)word[5],
                                  .clock_mhz = (uint16_t)(word[5] >> 16),
                                  .index = (uint8_t)(word[5] >> 32),
                                  .throttle = (uint8_t)(word[5] >> 40)};
}

static bool read_jobs(const struct seqlock *record, struct detail *detail)
{
    uint64_t word[VIEW_JOB_RECORDS][SEQLOCK_WORDS];
    if (!read_records(record, VIEW_JOB_RECORDS, word))
        return false;
    memcpy(detail->job, word, sizeof detail->job);
    return true;
}

static bool read_devices(const struct seqlock *record, struct detail *detail)
{
    uint64_t word[SEQLOCK_WORDS];
    for (uint32_t i = 0; i < detail->device_count; i++) {
        if (!read_record(&record[i], word))
            return false;
        detail->device[i] = device_of(word);
    }
    return true;
}

bool view_read_detail(const struct view *view, uint32_t host, struct detail *detail, int64_t *t_ns)
{
    const struct seqlock *record = &view->detail[host * VIEW_DETAIL_RECORDS];
    uint64_t word[SEQLOCK_WORDS];
    *detail = (struct detail){.host = host};
    *t_ns = 0;
    if (!read_record(record, word))
        return false;
    detail->incarnation = word[1];
    detail->watchdog_us = (uint32_t)word[2];
    detail->write_errors = (uint32_t)(word[2] >> 32);
    detail->marks = (uint16_t)word[3];
    detail->jobs = (uint16_t)(word[3] >> 16);
    detail->device_count = (uint8_t)(word[3] >> 32);
    detail->job_count = (uint8_t)(word[3] >> 40);
    memcpy(detail->version, &word[4], sizeof detail->version);
    *t_ns = (int64_t)word[0];
    return read_jobs(record + 1, detail) && read_devices(record + 1 + VIEW_JOB_RECORDS, detail);
}

bool view_read_degraded(const struct view *view, enum degradation at, struct degrade_row *row)
{
    uint64_t word[SEQLOCK_WORDS];
    if (!read_record(&view->degraded[at], word))
        return false;
    *row = (struct degrade_row){.now = (uint32_t)word[0],
                                .newest = (uint32_t)(word[0] >> 32),
                                .entered = word[1],
                                .left = word[2],
                                .since_ns = (int64_t)word[3]};
    return true;
}

bool view_read_meter(const struct view *view, uint32_t meter, struct view_meter *record)
{
    uint64_t word[SEQLOCK_WORDS];
    if (!read_record(&view->meter[meter], word))
        return false;
    *record = (struct view_meter){
        .t_receive_ns = (int64_t)word[0], .age_ns = (int64_t)(word[1] >> VIEW_WITHIN_BITS),
        .power_mw = (int64_t)word[2], .lag_ns = (int64_t)word[6],
        .lag_within_ns = (int64_t)(word[1] & ((UINT64_C(1) << VIEW_WITHIN_BITS) - 1)) * VIEW_WITHIN_NS,
        .current_ma = {(uint32_t)word[3], (uint32_t)(word[3] >> 32), (uint32_t)word[4]},
        .voltage_mv = {(uint32_t)(word[4] >> 32), (uint32_t)word[5], (uint32_t)(word[5] >> 32)}};
    return true;
}

bool view_read_stale(const struct view *view, uint32_t meter, struct view_stale *record)
{
    uint64_t word[SEQLOCK_WORDS];
    if (!read_record(&view->stale[meter], word))
        return false;
    *record = (struct view_stale){
        .t_ns = (int64_t)word[0], .count = word[1], .step_t_ns = (int64_t)word[2], .steps = word[3]};
    return true;
}

bool view_read_alert(const struct view *view, uint32_t alert, struct core_alert_view *record)
{
    uint64_t word[VIEW_ALERT_RECORDS][SEQLOCK_WORDS];
    if (!read_records(&view->alert[alert * VIEW_ALERT_RECORDS], VIEW_ALERT_RECORDS, word))
        return false;
    *record = (struct core_alert_view){.row = {.now = (uint32_t)word[0][0],
                                               .newest = (uint32_t)(word[0][0] >> 32),
                                               .entered = word[0][1],
                                               .left = word[0][2],
                                               .since_ns = (int64_t)word[0][3]},
                                       .newest_since_ns = (int64_t)word[0][4],
                                       .unknown = (uint32_t)word[0][5]};
    for (uint32_t i = 0; i < ALERT_VALUES_MAX; i++)
        record->value[i] = (int64_t)word[1][i];
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
