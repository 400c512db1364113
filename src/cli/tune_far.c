/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/tune_far.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "port/ip/udp.h"
#include "wire/cap.h"
#include "wire/frame.h"
#include "wire/upmu.h"

enum { FRAME_ROOM = UDP_HEADROOM + DATAGRAM_MAX, HARMONICS = 25, INCARNATION = 7 };

int tune_far_open(struct tune_far *far, const struct site *site, const struct loop *loop)
{
    const struct model *model = &site->model;
    *far = (struct tune_far){.site = site, .loop = loop, .sequence = loop->epoch};
    far->report = calloc(model->host_count + 1, sizeof *far->report);
    if (!far->report)
        return -ENOMEM;
    for (uint32_t i = 0; i < site->server.port_count; i++) {
        const struct site_port *row = &site->server.port[i];
        struct port_config config = {.driver = row->driver, .interface = row->interface, .mtu = row->mtu,
                                     .ring_frames = row->ring_frames, .queues = 1, .housekeeping_core = -1};
        int error = port_open(&far->port[i], &config);
        if (error)
            return error;
        far->ports++;
    }
    for (uint32_t h = 0; h < model->host_count; h++) {
        struct report *report = &far->report[h];
        report->incarnation = INCARNATION + h;
        report->state = HOST_FAIL_SAFE;
        report->cap_mw = report->readback_mw = model->host[h].fail_safe_mw;
        report->fail_safe_mw = model->host[h].fail_safe_mw;
        report->phys_max_mw = model->type[model->host[h].type].phys_max_mw;
        report->held_ns = 10 * NS_PER_S;    /* whatever took hold did so long enough ago to count */
    }
    return 0;
}

void tune_far_close(struct tune_far *far)
{
    while (far->ports)
        port_close(&far->port[--far->ports]);
    free(far->report);
    far->report = NULL;
}

static bool put(struct tune_far *far, uint32_t port, uint8_t *data, uint32_t ipv4, const struct frame *frame)
{
    const struct site_address *own = &far->site->server.port[port].own;
    struct endpoint from = {.ipv4 = ipv4, .port = own->port}, to = {.ipv4 = own->ipv4, .port = own->port};
    memcpy(from.mac, far->port[port].mac, sizeof from.mac);
    memcpy(to.mac, far->loop->port[port].mac, sizeof to.mac);
    uint32_t payload_bytes = frame->body_bytes ? frame_encode(data + UDP_HEADROOM, frame) : 0;
    if (!payload_bytes)
        return false;
    struct port_frame out;
    udp_build(&out, data, &from, &to, payload_bytes, far->port[port].offloads);
    return port_send(&far->port[port], 0, &out, 1) == 1;
}

static void fill_phases(const struct model_node *node, int64_t load_ppm, struct upmu *upmu)
{
    double volts = (double)node->volts_ln_mv / 1e3;
    double amperes = (double)node->steady_ma / 1e3 * (double)load_ppm / 1e6;
    upmu->phase_count = node->phases;
    for (uint32_t i = 0; i < upmu->phase_count; i++)
        upmu->phase[i] = (struct upmu_phase){.voltage_rms_v = volts,
                                             .current_rms_a = amperes,
                                             .power_active_w = 0.98 * volts * amperes,
                                             .power_reactive_var = 0.19 * volts * amperes,
                                             .power_apparent_va = volts * amperes,
                                             .power_factor = 0.98};
}

bool tune_far_reading(struct tune_far *far, uint32_t meter, int64_t load_ppm)
{
    const struct model *model = &far->site->model;
    const struct model_meter *m = &model->meter[meter];
    const struct timebase *base = &far->loop->base;
    uint8_t data[FRAME_ROOM];
    struct upmu upmu = {.timestamp_ns = timebase_realtime_ns(base, timebase_now_ns(base)),
                        .device_id = m->name,
                        .device_id_bytes = (uint32_t)strlen(m->name),
                        .frequency_hz = 60.0,
                        .peak_factor = 1.42,
                        .load_factor = 0.9,
                        .harmonic_count = HARMONICS};
    fill_phases(&model->node[m->node], load_ppm, &upmu);
    for (uint32_t i = 0; i < HARMONICS; i++)
        upmu.harmonic_pct[i] = 100.0 / (i + 1);
    struct frame frame = {.kind = FRAME_MEASUREMENT, .sequence = ++far->sequence};
    frame.body_bytes = upmu_encode(&upmu, data + UDP_HEADROOM + FRAME_HEADER_BYTES,
                                   DATAGRAM_MAX - FRAME_HEADER_BYTES);
    return put(far, 0, data, far->site->server.port[0].own.ipv4 + 1, &frame);
}

/* A host wants 95 % of all it can draw, and its cap holds it below that. */
bool tune_far_report(struct tune_far *far, uint32_t host)
{
    const struct model *model = &far->site->model;
    const struct model_host_type *type = &model->type[model->host[host].type];
    struct report *report = &far->report[host];
    uint8_t data[FRAME_ROOM];
    int64_t want_mw = type->phys_max_mw / 100 * 95;
    int64_t bound_mw = report->cap_mw / 100 * 95 + type->base_max_mw;
    report->number++;
    report->flags = want_mw > bound_mw ? REPORT_AT_CAP : 0;
    report->draw_mw = want_mw > bound_mw ? bound_mw : want_mw;
    struct frame frame = {.kind = FRAME_REPORT, .sender = host, .sequence = ++far->sequence};
    frame.body_bytes = report_encode(report, data + UDP_HEADROOM + FRAME_HEADER_BYTES,
                                     DATAGRAM_MAX - FRAME_HEADER_BYTES);
    return put(far, far->ports - 1, data, far->site->host_address[host].ipv4, &frame);
}

static void obey(struct tune_far *far, const struct port_frame *in)
{
    struct frame frame;
    struct lease lease;
    if (in->length < UDP_HEADERS ||
        frame_decode(in->data + UDP_HEADERS, in->length - UDP_HEADERS, &frame) != ACCEPTED ||
        lease_decode(frame.body, frame.body_bytes, &lease) != ACCEPTED ||
        frame.sender >= far->site->model.host_count)
        return;
    struct report *report = &far->report[frame.sender];
    report->epoch = lease.epoch;
    report->applied = lease.sequence;
    report->state = HOST_LEASED;
    report->cap_mw = report->readback_mw = lease.cap_mw;
    far->leases++;
}

void tune_far_obey(struct tune_far *far)
{
    struct port_frame frame[BURST_MAX];
    struct port *port = &far->port[far->ports - 1];
    for (uint32_t count; (count = port_receive(port, 0, frame, BURST_MAX)) > 0;)
        for (uint32_t i = 0; i < count; i++)
            obey(far, &frame[i]);
}
