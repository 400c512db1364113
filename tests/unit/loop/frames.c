/* SPDX-License-Identifier: Apache-2.0 */
#include "frames.h"

#include <string.h>

#include "wire/cap.h"
#include "wire/detail.h"
#include "wire/frame.h"
#include "wire/upmu.h"

static struct port_frame framed(uint8_t *room, const struct frames_from *from, uint8_t kind,
                                uint32_t sender, uint32_t body_bytes)
{
    struct port_frame whole;
    struct frame frame = {
        .kind = kind, .sender = sender, .sequence = from->sequence, .body_bytes = body_bytes};
    udp_build(&whole, room, &from->from, &from->to, frame_encode(room + UDP_HEADROOM, &frame), 0);
    return whole;
}

struct port_frame frames_measurement(uint8_t *room, const struct frames_from *from, const char *name,
                                     int64_t stamp_ns)
{
    /* a meter's readings are never alike */
    struct upmu upmu = {.timestamp_ns = stamp_ns,
                        .device_id = name,
                        .device_id_bytes = (uint32_t)strlen(name),
                        .phase_count = PHASES,
                        .frequency_hz = 60.0,
                        .peak_factor = 1.5};
    for (int i = 0; i < PHASES; i++)
        upmu.phase[i] = (struct upmu_phase){.voltage_rms_v = 277 + 0.001 * (double)(from->sequence % 8),
                                            .current_rms_a = 100,
                                            .power_active_w = 27000,
                                            .power_apparent_va = 27700,
                                            .power_factor = 0.97};
    uint8_t *body = room + UDP_HEADROOM + FRAME_HEADER_BYTES;
    return framed(room, from, FRAME_MEASUREMENT, 0, upmu_encode(&upmu, body, 1200));
}

struct port_frame frames_report(uint8_t *room, const struct frames_from *from, uint32_t host,
                                uint64_t number)
{
    struct report report = {.incarnation = 5, .number = number, .cap_mw = 1600000, .readback_mw = 1600000,
                            .fail_safe_mw = 1600000, .phys_max_mw = 10300000, .draw_mw = 3000000,
                            .state = HOST_FAIL_SAFE};
    uint8_t *body = room + UDP_HEADROOM + FRAME_HEADER_BYTES;
    return framed(room, from, FRAME_REPORT, host, report_encode(&report, body, 1200));
}

struct port_frame frames_token_request(uint8_t *room, const struct frames_from *from, uint32_t host,
                                       uint64_t request)
{
    struct token_request body = {.request = request, .amount_mw = 2000000, .duration_ns = NS_PER_S};
    uint8_t *at = room + UDP_HEADROOM + FRAME_HEADER_BYTES;
    return framed(room, from, FRAME_TOKEN_REQUEST, host, token_request_encode(&body, at, 1200));
}

struct port_frame frames_detail(uint8_t *room, const struct frames_from *from, uint32_t host)
{
    struct detail detail = {.incarnation = 5, .version = "1", .jobs = 1, .job_count = 1, .job = {"7.0"},
                            .device_count = 1, .device = {{.asked_mw = 700000}}};
    uint8_t *at = room + UDP_HEADROOM + FRAME_HEADER_BYTES;
    return framed(room, from, FRAME_DETAIL, host, detail_encode(&detail, at, 1200));
}
