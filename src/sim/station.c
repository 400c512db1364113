/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/station.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "wire/cap.h"
#include "wire/frame.h"
#include "wire/upmu.h"

static void boot_host(struct station *station, uint32_t h, uint64_t epoch)
{
    const struct model *model = station->plant->model;
    const struct model_host_type *type = &model->type[model->host[h].type];
    struct holder_config config = {
        .host = h,
        .fail_safe_mw = model->host[h].fail_safe_mw,
        .phys_max_mw = type->phys_max_mw,
        .cap_max_mw = type->cap_max_mw,
        .report_ns = model->policy.report_ns,
        .actuation_ns = type->actuation_ns,
    };
    int64_t now_ns = station->plant->t_ns;
    uint64_t incarnation = (uint64_t)(station->realtime_ns + now_ns) + h;
    holder_init(&station->holder[h], &config, incarnation, epoch, now_ns);
}

static void start_host(struct station *station, uint32_t h)
{
    const struct model *model = station->plant->model;
    boot_host(station, h, 0);
    /* reports of many hosts do not all fall on the same moment */
    station->holder[h].last_report_ns += model->policy.report_ns * (int64_t)h / (int64_t)model->host_count;
    station->host_sequence[h] = (uint64_t)station->realtime_ns;
}

int station_init(struct station *station, struct plant *plant, int64_t realtime_ns)
{
    const struct model *model = plant->model;
    *station = (struct station){.plant = plant, .realtime_ns = realtime_ns};
    station->holder = calloc(model->host_count + 1, sizeof(*station->holder));
    station->at_cap = calloc(model->host_count + 1, sizeof(*station->at_cap));
    station->asking = calloc(model->host_count + 1, sizeof(*station->asking));
    station->dark = calloc(model->host_count + 1, sizeof(*station->dark));
    station->host_sequence = calloc(model->host_count + 1, sizeof(*station->host_sequence));
    station->meter_sequence = calloc(model->meter_count + 1, sizeof(*station->meter_sequence));
    if (!station->holder || !station->at_cap || !station->asking || !station->dark ||
        !station->host_sequence || !station->meter_sequence) {
        station_finish(station);
        return -ENOMEM;
    }
    plant->metered = true;
    for (uint32_t h = 0; h < model->host_count; h++)
        start_host(station, h);
    for (uint32_t m = 0; m < model->meter_count; m++)
        station->meter_sequence[m] = (uint64_t)realtime_ns;
    return 0;
}

void station_finish(struct station *station)
{
    free(station->holder);
    free(station->at_cap);
    free(station->asking);
    free(station->dark);
    free(station->host_sequence);
    free(station->meter_sequence);
    memset(station, 0, sizeof(*station));
}

static void send_frame(const struct station *station, enum frame_kind kind, uint32_t index, uint8_t *data,
                       uint32_t body_bytes, station_emit *emit, void *user)
{
    bool meter = kind == FRAME_MEASUREMENT;
    uint64_t *sequence = meter ? &station->meter_sequence[index] : &station->host_sequence[index];
    struct frame frame = {
        .kind = (uint8_t)kind,
        .sender = meter ? 0 : index,
        .sequence = ++*sequence,
        .body_bytes = body_bytes,
    };
    uint32_t bytes = body_bytes ? frame_encode(data, &frame) : 0;
    if (bytes)
        emit(user, meter ? STATION_METER : STATION_HOST, index, data, bytes);
}

static void send_meter(struct station *station, uint32_t m, station_emit *emit, void *user)
{
    struct plant *plant = station->plant;
    uint8_t data[DATAGRAM_MAX];
    struct upmu upmu;
    meter_read(&plant->meter[m], &plant->grid, station->realtime_ns + plant->t_ns,
               plant->workload->plant.meter_noise, &upmu);
    uint32_t body_bytes = upmu_encode(&upmu, data + FRAME_HEADER_BYTES, DATAGRAM_MAX - FRAME_HEADER_BYTES);
    plant->outcome.meter_frames[m]++;
    send_frame(station, FRAME_MEASUREMENT, m, data, body_bytes, emit, user);
}

static void send_report(struct station *station, uint32_t h, station_emit *emit, void *user)
{
    struct plant *plant = station->plant;
    uint8_t data[DATAGRAM_MAX];
    struct report report;
    holder_report(&station->holder[h], llround(plant->power_w[h] * 1e3), grid_psu_inputs(&plant->grid, h),
                  &report, plant->t_ns);
    uint32_t body_bytes = report_encode(&report, data + FRAME_HEADER_BYTES,
                                        DATAGRAM_MAX - FRAME_HEADER_BYTES);
    plant->outcome.reports_sent++;
    send_frame(station, FRAME_REPORT, h, data, body_bytes, emit, user);
}

static void ask_ahead(struct station *station, uint32_t h, station_emit *emit, void *user)
{
    uint8_t data[DATAGRAM_MAX];
    struct token_request request;
    if (!asking_due(&station->asking[h], station->plant, h, &request))
        return;
    uint32_t body_bytes = token_request_encode(&request, data + FRAME_HEADER_BYTES,
                                               DATAGRAM_MAX - FRAME_HEADER_BYTES);
    station->plant->outcome.tokens.asked++;
    send_frame(station, FRAME_TOKEN_REQUEST, h, data, body_bytes, emit, user);
}

/* A device tells that its limit holds it back; a little hysteresis against noise at the edge. */
static void look_at_cap(struct station *station, uint32_t h)
{
    const struct gpuhost *host = &station->plant->host[h];
    double bound_w = gpuhost_bound_w(host, host->cap_mw);
    station->at_cap[h] = host->demand_w > bound_w * (station->at_cap[h] ? 0.98 : 1.0);
    uint8_t flags = REPORT_PSU_KNOWN | (station->at_cap[h] ? REPORT_AT_CAP : 0);
    holder_flags(&station->holder[h], flags, station->plant->t_ns);
}

static void issue_write(struct station *station, uint32_t h, int64_t t_ns)
{
    uint32_t device;
    int64_t cap_mw;
    if (holder_next_write(&station->holder[h], &device, &cap_mw))
        gpuhost_write(&station->plant->host[h], cap_mw, t_ns);
}

/* The agent dies with its host, and starts anew with it, at driver defaults; one that sees its caps reset
 * starts a new incarnation. What it accepted of epochs it remembers. */
static bool is_up(struct station *station, uint32_t h)
{
    struct plant *plant = station->plant;
    bool dark = !plant->on[h] || !grid_host_live(&plant->grid, h);
    bool boots = station->dark[h] && !dark;
    bool reset = plant->t_ns - plant->workload->plant.notice_ns >= plant->reset_ns[h];
    station->dark[h] = dark;
    if (boots)
        gpuhost_reset(&plant->host[h]);
    if (!dark && (boots || reset)) {
        plant->reset_ns[h] = INT64_MAX;
        plant->written[h] = plant->host[h].writing = false;
        boot_host(station, h, station->holder[h].epoch);
    }
    return !dark;
}

static void step_host(struct station *station, uint32_t h, station_emit *emit, void *user)
{
    struct plant *plant = station->plant;
    struct holder *holder = &station->holder[h];
    if (!is_up(station, h))
        return;
    uint8_t wanted = holder->state_wanted;
    holder_time(holder, plant->t_ns);
    plant->outcome.caps.fail_safe_falls += wanted == HOST_LEASED && holder->state_wanted == HOST_FAIL_SAFE;
    if (plant->written[h]) {
        holder_written(holder, 0, plant->host[h].cap_mw, plant->t_ns);
        plant->outcome.caps.enforced++;
    }
    issue_write(station, h, plant->t_ns);
    look_at_cap(station, h);
    if (holder_report_due(holder, plant->t_ns))
        send_report(station, h, emit, user);
    ask_ahead(station, h, emit, user);
}

void station_step(struct station *station, station_emit *emit, void *user)
{
    struct plant *plant = station->plant;
    for (uint32_t i = 0; i < plant->due_count; i++)
        send_meter(station, plant->due[i], emit, user);
    for (uint32_t h = 0; h < plant->model->host_count; h++)
        step_host(station, h, emit, user);
}

/* False: it is no answer that can be read. */
static bool take_answer(struct station *station, uint32_t host, const struct frame *frame)
{
    struct token_response response;
    if (frame->kind != FRAME_TOKEN_RESPONSE ||
        token_response_decode(frame->body, frame->body_bytes, &response) != ACCEPTED)
        return false;
    asking_answer(&station->asking[host], &response, &station->plant->outcome.tokens);
    return true;
}

void station_receive(struct station *station, uint32_t host, const uint8_t *data, uint32_t bytes,
                     int64_t t_ns)
{
    struct plant *plant = station->plant;
    struct outcome_caps *caps = &plant->outcome.caps;
    struct frame frame;
    struct lease lease;
    if (!grid_host_live(&plant->grid, host))
        return;
    bool good = frame_decode(data, bytes, &frame) == ACCEPTED && frame.sender == host;
    if (good && take_answer(station, host, &frame))
        return;
    caps->received++;
    if (!good ||
        (frame.kind != FRAME_LEASE && frame.kind != FRAME_CLAIM) ||
        lease_decode(frame.body, frame.body_bytes, &lease) != ACCEPTED) {
        caps->undecodable++;
        return;
    }
    lease.host = host;
    int verdict = holder_lease(&station->holder[host], &lease, t_ns);
    if (verdict == HOLDER_UNSAVED_EPOCH) {      /* what is simulated here remembers at once */
        holder_epoch_saved(&station->holder[host], lease.epoch, t_ns);
        verdict = holder_lease(&station->holder[host], &lease, t_ns);
    }
    if (verdict == HOLDER_ACCEPTED)
        caps->accepted++;
    else
        caps->refused[verdict]++;
    issue_write(station, host, t_ns);
}
