/* SPDX-License-Identifier: Apache-2.0 */
#include "frames.h"

#include <string.h>

#include "wire/cap.h"
#include "wire/frame.h"
#include "wire/upmu.h"

static uint32_t framed(uint8_t *data, const struct frames_from *from, uint8_t kind, uint32_t sender,
                       uint32_t body_bytes)
{
    struct frame frame = {
        .kind = kind, .sender = sender, .sequence = from->sequence, .body_bytes = body_bytes};
    uint32_t payload_bytes = frame_encode(data + UDP_HEADROOM, &frame);
    return udp_build(data, &from->from, &from->to, payload_bytes);
}

uint32_t frames_measurement(uint8_t *frame, const struct frames_from *from, const char *name,
                            int64_t stamp_ns)
{
    struct upmu upmu = {.timestamp_ns = stamp_ns,
                        .device_id = name,
                        .device_id_bytes = (uint32_t)strlen(name),
                        .phase_count = PHASES,
                        .frequency_hz = 60.0,
                        .peak_factor = 1.5};
    for (int i = 0; i < PHASES; i++)
        upmu.phase[i] = (struct upmu_phase){.voltage_rms_v = 277,
                                            .current_rms_a = 100,
                                            .power_active_w = 27000,
                                            .power_apparent_va = 27700,
                                            .power_factor = 0.97};
    uint8_t *body = frame + UDP_HEADROOM + FRAME_HEADER_BYTES;
    return framed(frame, from, FRAME_MEASUREMENT, 0, upmu_encode(&upmu, body, 1200));
}

uint32_t frames_report(uint8_t *frame, const struct frames_from *from, uint32_t host, uint64_t number)
{
    struct report report = {.incarnation = 5, .number = number, .cap_mw = 1600000, .readback_mw = 1600000,
                            .fail_safe_mw = 1600000, .phys_max_mw = 10300000, .draw_mw = 3000000,
                            .state = HOST_FAIL_SAFE};
    uint8_t *body = frame + UDP_HEADROOM + FRAME_HEADER_BYTES;
    return framed(frame, from, FRAME_REPORT, host, report_encode(&report, body, 1200));
}
