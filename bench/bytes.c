/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/bytes.h"

#include <stdlib.h>
#include <string.h>

#include "core/measure.h"
#include "wire/cap.h"
#include "wire/upmu.h"

uint32_t bytes_of_reading(uint8_t *data, const char *meter, uint64_t sequence, int64_t t_ns, double amperes)
{
    struct upmu upmu = {
        .timestamp_ns = t_ns,
        .device_id = meter,
        .device_id_bytes = (uint32_t)strlen(meter),
        .phase_count = PHASES,
        .frequency_hz = 60,
        .peak_factor = 1.42,
        .thd_current_pct = 12.5,
        .thd_voltage_pct = 2.25,
        .load_factor = 0.75,
    };
    /* a meter's own noise: one that repeats itself is frozen, and heats nothing */
    double volts = 277.0 + 0.001 * (double)(sequence % 8);
    for (uint32_t i = 0; i < PHASES; i++)
        upmu.phase[i] =
            (struct upmu_phase){volts, amperes, volts * amperes * 0.98, 43040, volts * amperes, 0.98};
    struct frame frame = {.kind = FRAME_MEASUREMENT, .sequence = sequence};
    frame.body_bytes = upmu_encode(&upmu, data + FRAME_HEADER_BYTES, 1024 - FRAME_HEADER_BYTES);
    return frame_encode(data, &frame);
}

/* As the lane does it: header, window, body, sense, slot. */
bool bytes_to_slot(const struct model *model, struct replay_window *window, uint32_t meter,
                   const uint8_t *data, uint32_t bytes, struct slot *slot)
{
    struct frame frame;
    struct upmu upmu;
    if (frame_decode(data, bytes, &frame) || upmu_decode(frame.body, frame.body_bytes, &upmu))
        return false;
    if (replay_check(&window[meter], frame.sequence))
        return false;
    slot->kind = SLOT_READING;
    slot->reading.meter = meter;
    slot->reading.sequence = frame.sequence;
    return measure_reading(&upmu, &model->node[model->meter[meter].node], &slot->reading) == ACCEPTED;
}

void bytes_of_leases(const struct hall *hall)
{
    for (uint32_t i = 0; i < hall->outbox.count; i++) {
        const struct egress *egress = &hall->outbox.record[i];
        uint8_t data[256];
        struct lease lease = {
            .host = egress->host,
            .incarnation = egress->incarnation,
            .epoch = 1,
            .sequence = egress->sequence,
            .echo = egress->echo,
            .cap_mw = egress->cap_mw,
            .duration_ns = egress->duration_us * NS_PER_US,
        };
        struct frame frame = {.kind = egress->kind, .sender = egress->host, .sequence = egress->sequence};
        frame.body_bytes = lease_encode(&lease, data + FRAME_HEADER_BYTES, sizeof data - FRAME_HEADER_BYTES);
        if (frame_encode(data, &frame) == 0)
            abort();
    }
}
