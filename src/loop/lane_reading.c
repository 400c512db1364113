/* SPDX-License-Identifier: Apache-2.0 */
/* Readings into slots, and those that a meter works out itself into readings. */
#include <string.h>

#include "core/measure.h"
#include "loop/clocks.h"
#include "loop/lane_inside.h"
#include "loop/lane_meter.h"
#include "wire/upmu.h"

static uint32_t shown(int64_t value)
{
    if (value < 0)
        return 0;
    return value < UINT32_MAX ? (uint32_t)value : UINT32_MAX;
}

static void show_meter(struct lane *lane, const struct reading *reading, int64_t t_receive_ns, int64_t age_ns)
{
    struct view_meter record = {.t_receive_ns = t_receive_ns, .age_ns = age_ns,
                                .lag_ns = age_lag_ns(&lane->age[reading->meter]),
                                .lag_within_ns = lane->age[reading->meter].found_within_ns};
    uint32_t phases = lane->model->node[lane->model->meter[reading->meter].node].phases;
    for (uint32_t i = 0; i < phases && i < PHASES; i++) {
        record.power_mw += reading->power_mw[i];
        record.current_ma[i] = shown(reading->current_ma[i]);
        record.voltage_mv[i] = shown(reading->voltage_mv[i]);
    }
    view_write_meter(lane->view, reading->meter, &record);
}

/* What it waited for this port's poll is in its age, too. A stamp that nobody believes yet says nothing. */
static void judge_way(struct lane *lane, uint32_t meter, int64_t t_receive_ns, int64_t age_ns)
{
    int64_t way_ns = age_ns - lane->within_ns, budget_ns = lane->budget.budget_ns;
    if (budget_ns && age_ns != INT64_MAX && way_ns > budget_ns)
        budget_way_missed(&lane->budget, meter, t_receive_ns - lane->within_ns, way_ns);
}

int lane_reading(struct lane *lane, struct reading *reading, int64_t t_receive_ns)
{
    uint32_t meter = reading->meter;
    const struct model_meter *known = &lane->model->meter[meter];
    struct age *age = &lane->age[meter];
    age->period_ns = known->period_ns;
    int64_t age_ns = age_observe(age, t_receive_ns, lane->within_ns, reading->t_meter_ns);
    if (age->stepped) {
        count_add(&lane->counters.clock_steps, 1);
        view_add_step(lane->view, meter, t_receive_ns);
        age->stepped = false;
    }
    if (age_ns < INT64_MAX)
        histogram_record(&lane->age_seen.live, (uint64_t)age_ns);
    if (__builtin_expect(age_ns > lane->budget.budget_ns, 0))
        judge_way(lane, meter, t_receive_ns, age_ns);
    if (age_ns > known->fresh_ns - lane->model->policy.age_bound_ns) {
        view_add_stale(lane->view, meter, t_receive_ns);
        return REFUSED_STALE;
    }
    struct slot *slot = lane_admit(lane, CLASS_READING);
    if (!slot)
        return ACCEPTED;
    reading->t_arrival_ns = timebase_realtime_ns(lane->base, t_receive_ns);
    reading->age_ns = age_ns + lane->model->policy.age_bound_ns;
    if (clocks_doubt(lane->doubted, meter))
        reading->flags |= READING_UNSURE;
    slot->kind = SLOT_READING;
    slot->marks = t_receive_ns < age->doubted_until_ns ? SLOT_CLOCK_STEPPED : 0;
    if (slot->marks)
        reading->flags |= READING_UNSURE;
    slot->reading = *reading;
    lane_publish(lane, slot, reading->sequence, t_receive_ns);
    show_meter(lane, reading, t_receive_ns, age_ns + lane->model->policy.age_bound_ns);
    return ACCEPTED;
}

/* What is new must not be new again after a crash. */
static int check_mark(struct lane *lane, uint32_t meter, uint64_t sequence, int64_t t_receive_ns)
{
    bool unheld;
    if (!lane->marks || sequence <= lane->meter_window[meter].newest)
        return ACCEPTED;
    int refused = marks_admit(lane->marks, meter, sequence, t_receive_ns, &unheld);
    count_add(&lane->counters.unheld, !refused && unheld);
    return refused;
}

static int check_new(struct lane *lane, uint32_t meter, uint64_t sequence, int64_t t_receive_ns)
{
    int refused = check_mark(lane, meter, sequence, t_receive_ns);
    return refused ? refused : lane_check_sequence(lane, &lane->meter_window[meter], lane->trust.meters,
                                                   sequence, t_receive_ns);
}

int lane_measurement(struct lane *lane, const struct frame *frame, int64_t t_receive_ns)
{
    struct upmu upmu;
    int refused = upmu_decode(frame->body, frame->body_bytes, &upmu);
    if (refused)
        return refused;
    uint32_t meter = meter_names_find(lane->names, upmu.device_id, upmu.device_id_bytes);
    if (meter == INDEX_NONE)
        return REFUSED_UNKNOWN_METER;
    if (lane->meters && lane_meter_speaks(lane->meters, meter))
        return REFUSED_PROTOCOL;
    refused = trust_meter(&lane->trust, frame, meter);
    if (refused)
        return refused;
    struct reading reading = {.meter = meter, .sequence = frame->sequence};
    refused = measure_reading(&upmu, &lane->model->node[lane->model->meter[meter].node], &reading);
    if (refused)
        return refused;
    if (!lane_take(lane, lane->meter_sender, meter))
        return REFUSED_HELD;
    refused = check_new(lane, meter, frame->sequence, t_receive_ns);
    if (!refused)
        refused = lane_reading(lane, &reading, t_receive_ns);
    lane_leave(lane, lane->meter_sender, meter);
    return refused;
}

