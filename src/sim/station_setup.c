/* SPDX-License-Identifier: Apache-2.0 */
/* Hosts' clocks and the start of agents, of one and of all. */
#include "sim/station.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int64_t station_local_ns(const struct station *station, uint32_t host, int64_t t_ns)
{
    const struct station_clock *clock = &station->agent[host].clock;
    int64_t since_ns = t_ns - clock->at_ns;
    return clock->local_ns + since_ns + (int64_t)(clock->rate * (double)since_ns);
}

uint64_t station_new_incarnation(const struct station *station, uint32_t host)
{
    return (uint64_t)(station->realtime_ns + station->plant->t_ns) + host;
}

void station_start_agent(struct station *station, uint32_t h)
{
    const struct model *model = station->plant->model;
    const struct model_host_type *type = &model->type[model->host[h].type];
    struct station_agent *agent = &station->agent[h];
    struct holder *holder = &station->holder[h];
    struct holder_config config = {
        .host = h,
        .fail_safe_mw = model->host[h].fail_safe_mw,
        .phys_max_mw = type->phys_max_mw,
        .cap_max_mw = type->cap_max_mw,
        .report_ns = model->policy.report_ns,
        .actuation_ns = type->actuation_ns,
        .own_mw = {type->phys_max_mw},
    };
    int64_t now_ns = station_local_ns(station, h, station->plant->t_ns);
    holder_init(holder, &config, station_new_incarnation(station, h), holder->epoch, now_ns);
    holder_clock(holder, now_ns, now_ns + agent->clock.slept_ns, now_ns);
    agent->jumped = agent->returned = agent->leaving = agent->ended = false;
    agent->writer = station->plant->host[h].writing ? WRITER_GONE : WRITER_NONE;
    agent->word_boottime_ns = 0;
    if (agent->letters)
        agent->letters->count = 0;
}

static void start_host(struct station *station, uint32_t h)
{
    const struct model *model = station->plant->model;
    int64_t now_ns = station->plant->t_ns;
    station->agent[h] = (struct station_agent){.clock = {.at_ns = now_ns, .local_ns = now_ns},
                                               .look_ns = INT64_MAX};
    station_start_agent(station, h);
    /* reports of many hosts do not all fall on the same moment */
    station->holder[h].last_report_ns += model->policy.report_ns * (int64_t)h / (int64_t)model->host_count;
    station->host_sequence[h] = (uint64_t)station->realtime_ns;
}

int station_init(struct station *station, struct plant *plant, int64_t realtime_ns)
{
    const struct model *model = plant->model;
    *station = (struct station){.plant = plant, .realtime_ns = realtime_ns};
    station->holder = calloc(model->host_count + 1, sizeof(*station->holder));
    station->agent = calloc(model->host_count + 1, sizeof(*station->agent));
    station->wake_ns = calloc(model->host_count + 1, sizeof(*station->wake_ns));
    station->at_cap = calloc(model->host_count + 1, sizeof(*station->at_cap));
    station->asking = calloc(model->host_count + 1, sizeof(*station->asking));
    station->dark = calloc(model->host_count + 1, sizeof(*station->dark));
    station->host_sequence = calloc(model->host_count + 1, sizeof(*station->host_sequence));
    station->meter_sequence = calloc(model->meter_count + 1, sizeof(*station->meter_sequence));
    station->meter = calloc(model->meter_count + 1, sizeof(*station->meter));
    if (!station->holder || !station->agent || !station->wake_ns || !station->at_cap || !station->asking ||
        !station->dark || !station->host_sequence || !station->meter_sequence || !station->meter) {
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
    for (uint32_t h = 0; station->agent && h < station->plant->model->host_count; h++)
        free(station->agent[h].letters);
    for (uint32_t m = 0; station->meter && m < station->plant->model->meter_count; m++)
        station_meter_finish(&station->meter[m]);
    fault_set_finish(&station->faults);
    free(station->holder);
    free(station->agent);
    free(station->wake_ns);
    free(station->at_cap);
    free(station->asking);
    free(station->dark);
    free(station->detail_ns);
    free(station->host_sequence);
    free(station->meter_sequence);
    free(station->meter);
    memset(station, 0, sizeof(*station));
}
