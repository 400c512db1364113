/* SPDX-License-Identifier: Apache-2.0 */
/* Synchrophasors: each meter of a stream is one of its PMUs, its phasors found by their names. */
#include "core/measure_phasors.h"
#include "loop/lane_road.h"

#define LEAST_APART_NS (31 * NS_PER_MS / 2)     /* a reading per 16 ms, give or take */

/* Volts where volts must be, amperes where amperes must: by the newest configuration. */
static bool find_place(const struct c37_pmu *pmu, uint64_t name, bool current, struct measure_place *place)
{
    for (uint32_t i = 0; i < pmu->phasors; i++) {
        if (pmu->phasor[i].name != name || pmu->phasor[i].current != current)
            continue;
        *place = (struct measure_place){i, pmu->phasor[i].angle_rad};
        return true;
    }
    return false;
}

static int find_places(const struct lane_road *road, const struct c37_pmu *pmu,
                       struct measure_place place[SITE_PHASORS])
{
    uint32_t phases = road->node->phases;
    for (uint32_t i = 0; i < SITE_PHASORS; i++)
        if (i % PHASES < phases && !find_place(pmu, road->phasor[i], i >= PHASES, &place[i]))
            return REFUSED_SHAPE;
    return ACCEPTED;
}

static double power_of(const struct measure_values *values)
{
    double power_w = 0;
    for (uint32_t p = 0; p < values->phases; p++)
        power_w += values->phase[p].active_w;
    return power_w;
}

/* Of frames that come faster than readings may: the largest current of those in between is not forgotten. */
static bool is_due(struct lane_road *road, struct measure_values *values)
{
    for (uint32_t p = 0; p < values->phases; p++)
        if (values->phase[p].current_a > road->most_a[p])
            road->most_a[p] = values->phase[p].current_a;
    int64_t apart_ns = values->t_ns - road->newest_ns;
    if (road->newest_ns && apart_ns >= 0 && apart_ns < LEAST_APART_NS)
        return false;
    double power_w = power_of(values), apart_s = (double)apart_ns / (double)NS_PER_S;
    if (road->newest_ns && apart_ns > 0 && apart_ns <= NS_PER_S)
        values->slope_w_per_s = (power_w - road->power_w) / apart_s;
    for (uint32_t p = 0; p < values->phases; p++) {
        values->phase[p].current_a = road->most_a[p];
        road->most_a[p] = 0;
    }
    road->newest_ns = values->t_ns;
    road->power_w = power_w;
    return true;
}

static int pass(struct lane *lane, uint32_t meter, const struct phasors *phasors, uint32_t pmu,
                int64_t t_receive_ns)
{
    struct lane_road *road = &lane->meters->road[meter];
    const struct c37_pmu *config = &lane->meters->road[road->first].stream->c37.config.pmu[pmu];
    struct measure_values values = {0};
    struct measure_place place[SITE_PHASORS] = {0};
    struct reading reading = {.meter = meter, .sequence = (uint64_t)phasors->t_ns};
    int refused = find_places(road, config, place);
    if (!refused)
        refused = measure_phasors(phasors, pmu, place, road->node->phases, &values);
    values.t_ns = phasors->t_ns;
    if (!refused)
        refused = measure_convert(&values, road->node, &reading);
    /* what is refused for what it says must take no number, and no current of those before */
    if (!refused)
        refused = lane_check_sequence(lane, &lane->meter_window[meter], false, reading.sequence,
                                      t_receive_ns);
    if (refused)
        return refused;
    if (!is_due(road, &values))
        return ACCEPTED;
    refused = measure_convert(&values, road->node, &reading);
    count_add(&lane->counters.unsure, !refused && values.flags & READING_UNSURE);
    return refused ? refused : lane_reading(lane, &reading, t_receive_ns);
}

int lane_road_phasors(struct lane *lane, uint32_t meter, int64_t t_receive_ns)
{
    const struct phasors *phasors = &lane->work->message.phasors;
    int refused = ACCEPTED;
    for (uint32_t m = meter; m != INDEX_NONE; m = lane->meters->road[m].next) {
        uint32_t pmu = 0;
        while (pmu < phasors->pmus && phasors->pmu[pmu].id != lane->meters->road[m].site->pmu)
            pmu++;
        int last = pmu < phasors->pmus ? pass(lane, m, phasors, pmu, t_receive_ns) : REFUSED_SHAPE;
        refused = last ? last : refused;
    }
    return refused;
}
