/* SPDX-License-Identifier: Apache-2.0 */
/* What agents tell people once a second (msg/detail.h). Of a host's devices the plant plays one. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "sim/station.h"

int station_tell_details(struct station *station)
{
    uint32_t hosts = station->plant->model->host_count;
    station->detail_ns = calloc(hosts + 1, sizeof(*station->detail_ns));
    if (!station->detail_ns)
        return -ENOMEM;
    for (uint32_t h = 0; h < hosts; h++)        /* not all in the same moment */
        station->detail_ns[h] = station->plant->t_ns + DETAIL_EVERY_NS * (int64_t)h / (int64_t)hosts;
    return 0;
}

static uint32_t narrow(int64_t value)
{
    if (value < 0)
        return 0;
    return value < UINT32_MAX ? (uint32_t)value : UINT32_MAX;
}

static void fill_device(const struct station *station, uint32_t h, struct detail_device *device)
{
    const struct gpuhost *host = &station->plant->host[h];
    const struct station_agent *agent = &station->agent[h];
    const struct holder_device *held = &station->holder[h].device[0];
    *device = (struct detail_device){
        .known = DETAIL_KNOWN_DRAW | DETAIL_DRAW_IS_NOW | DETAIL_KNOWN_THROTTLE,
        .asked_mw = narrow(held->written_mw),
        .enforced_mw = narrow(held->readback_mw),
        .draw_mw = narrow(llround(fmax(station->plant->power_w[h] - host->base_w, 0) * 1e3)),
        .write_us = narrow(agent->write_ns / NS_PER_US),
        .write_worst_us = narrow(agent->write_worst_ns / NS_PER_US),
        .throttle = station->at_cap[h] ? DETAIL_THROTTLE_CAP : 0,
    };
    if (held->readback_mw >= 0)
        device->known |= DETAIL_KNOWN_ENFORCED;
    if (agent->write_ns)
        device->known |= DETAIL_KNOWN_WRITE;
    if (held->readback_mw >= 0 && held->readback_mw < held->written_mw)
        device->throttle |= DETAIL_THROTTLE_FOREIGN;
}

static void send_detail(struct station *station, uint32_t h, station_emit *emit, void *user)
{
    struct detail detail = {
        .incarnation = station->holder[h].incarnation,
        .host = h,
        .marks = station->agent[h].watchdog_dead ? 0 : DETAIL_WATCHDOG,
        .device_count = 1,
        .version = "plant",
    };
    struct message message = {.kind = FRAME_DETAIL, .index = h, .sequence = ++station->host_sequence[h],
                              .detail = &detail};
    fill_device(station, h, &detail.device[0]);
    station->plant->outcome.details_sent++;
    emit(user, &message);
}

static bool speaks(const struct station *station, uint32_t h)
{
    const struct station_agent *agent = &station->agent[h];
    return !agent->dead && !agent->stopped && !station->dark[h] &&
           station->plant->t_ns >= station->plant->asleep_until_ns[h];
}

void station_step_details(struct station *station, station_emit *emit, void *user)
{
    int64_t t_ns = station->plant->t_ns;
    for (uint32_t h = 0; h < station->plant->model->host_count; h++) {
        if (t_ns < station->detail_ns[h])
            continue;
        station->detail_ns[h] += DETAIL_EVERY_NS;
        if (speaks(station, h))
            send_detail(station, h, emit, user);
    }
}
