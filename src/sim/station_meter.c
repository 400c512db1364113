/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/station_meter.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void station_meter_finish(struct station_meter *meter)
{
    free(meter->late);
    free(meter->due_ns);
    memset(meter, 0, sizeof(*meter));
}

static bool strikes(const struct fault *fault, const struct model *model, uint32_t index)
{
    return fault_scope(fault->kind) == FAULT_METER && model->node[fault->place].meter == index;
}

/* What it holds back moves to the start of a larger ring. */
static int make_room(struct station_meter *meter, uint32_t capacity)
{
    struct upmu *late = calloc(capacity, sizeof(*late));
    int64_t *due_ns = calloc(capacity, sizeof(*due_ns));
    if (!late || !due_ns) {
        free(late);
        free(due_ns);
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < meter->count; i++) {
        uint32_t at = (meter->first + i) % meter->capacity;
        late[i] = meter->late[at];
        due_ns[i] = meter->due_ns[at];
    }
    free(meter->late);
    free(meter->due_ns);
    meter->late = late;
    meter->due_ns = due_ns;
    meter->first = 0;
    meter->capacity = capacity;
    return 0;
}

int station_meter_change(struct station_meter *meter, const struct fault_set *set,
                         const struct model *model, uint32_t index)
{
    double later_ns = 0;
    bool frozen = false;
    meter->strange = 0;
    meter->silent = false;
    for (uint32_t i = 0; i < set->count; i++) {
        const struct fault *fault = &set->standing[i].fault;
        if (!strikes(fault, model, index))
            continue;
        meter->strange++;
        meter->silent |= fault->kind == FAULT_METER_SILENT;
        frozen |= fault->kind == FAULT_METER_FREEZE;
        later_ns += fault->kind == FAULT_METER_DELAY ? fault->amount * 1e9 : 0;
    }
    meter->holds = meter->holds && frozen;
    uint32_t needed = (uint32_t)fmin(later_ns / (double)model->meter[index].period_ns + 4, STATION_LATE_MAX);
    return later_ns > 0 && needed > meter->capacity ? make_room(meter, needed) : 0;
}

struct wrong {
    double gain;
    int64_t clock_ns, later_ns;
    bool frozen;
};

static double elapsed_share(const struct fault_standing *standing, int64_t t_ns)
{
    int64_t for_ns = standing->fault.for_ns;
    return for_ns > 0 ? fmin((double)(t_ns - standing->since_ns) / (double)for_ns, 1.0) : 1.0;
}

static void add(struct wrong *wrong, const struct fault_standing *standing, int64_t t_ns)
{
    const double amount = standing->fault.amount;
    switch (standing->fault.kind) {
    case FAULT_METER_ERROR: wrong->gain *= 1 + amount; break;
    case FAULT_METER_DRIFT: wrong->gain *= 1 + amount * elapsed_share(standing, t_ns); break;
    case FAULT_METER_FREEZE: wrong->frozen = true; break;
    case FAULT_METER_DELAY: wrong->later_ns += (int64_t)(amount * 1e9); break;
    case FAULT_METER_STEP: wrong->clock_ns += (int64_t)(amount * 1e9); break;
    case FAULT_METER_RATE: wrong->clock_ns += (int64_t)(amount * (double)(t_ns - standing->since_ns)); break;
    default: break;
    }
}

/* An error of its current transformers: voltage is right, all that has current in it is not. */
static void read_wrong(struct upmu *upmu, double gain)
{
    for (uint32_t i = 0; i < upmu->phase_count; i++) {
        upmu->phase[i].current_rms_a *= gain;
        upmu->phase[i].power_active_w *= gain;
        upmu->phase[i].power_reactive_var *= gain;
        upmu->phase[i].power_apparent_va *= gain;
    }
    upmu->dp_dt_mw_per_s *= gain;
    upmu->power_trend *= gain;
}

static void hold_back(struct station_meter *meter, const struct upmu *upmu, int64_t due_ns)
{
    if (!meter->capacity)
        return;
    if (meter->count == meter->capacity) {
        meter->first = (meter->first + 1) % meter->capacity;
        meter->count--;
    }
    uint32_t at = (meter->first + meter->count++) % meter->capacity;
    meter->late[at] = *upmu;
    meter->due_ns[at] = due_ns;
}

bool station_meter_takes(struct station_meter *meter, const struct fault_set *set,
                         const struct model *model, uint32_t index, int64_t t_ns, struct upmu *upmu)
{
    struct wrong wrong = {.gain = 1};
    if (!meter->strange)
        return true;
    for (uint32_t i = 0; i < set->count; i++) {
        if (strikes(&set->standing[i].fault, model, index))
            add(&wrong, &set->standing[i], t_ns);
    }
    int64_t timestamp_ns = upmu->timestamp_ns + wrong.clock_ns;
    read_wrong(upmu, wrong.gain);
    if (wrong.frozen && !meter->holds)
        meter->held = *upmu;
    meter->holds = wrong.frozen;
    if (wrong.frozen)
        *upmu = meter->held;
    upmu->timestamp_ns = timestamp_ns;
    if (wrong.later_ns > 0)
        hold_back(meter, upmu, t_ns + wrong.later_ns);
    return !meter->silent && wrong.later_ns <= 0;
}

bool station_meter_late(struct station_meter *meter, int64_t t_ns, struct upmu *upmu)
{
    /* one that is well again says at once what it still holds */
    while (meter->count && (!meter->strange || meter->due_ns[meter->first] <= t_ns)) {
        *upmu = meter->late[meter->first];
        meter->first = (meter->first + 1) % meter->capacity;
        meter->count--;
        if (!meter->silent)
            return true;
    }
    return false;
}
