/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/jobs.h"

#include <stdio.h>
#include <time.h>

#include "agent/jobs_detail.h"

enum { FILE_BYTES = CONFIG_PATH_BYTES + 16 };

static int64_t utc_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* ---- setup ---- */

static void open_history(struct jobs *jobs, const struct config *config, FILE *out)
{
    char path[FILE_BYTES], why[HISTORY_WHY_BYTES] = "";
    jobs->history.fd = -1;
    if (!config->history_ns)
        return;
    snprintf(path, sizeof path, "%s/history", config->state);
    if (history_keeper_open(&jobs->history, path, config->host, config->history_ns, why))
        fprintf(out, "flyball-agent: no history is kept: %s\n", why);
    else if (history_keeper_start(&jobs->history))
        fprintf(out, "flyball-agent: no history is kept: its thread cannot be started\n");
}

static void open_ask(struct jobs *jobs, const struct config *config, int loop_fd, FILE *out)
{
    char path[FILE_BYTES], why[ASK_SOCKET_WHY_BYTES] = "";
    const struct ask_config ask = {.path = path, .group = config->ask_group,
                                   .host = config->agent.holder.host,
                                   .most_mw = config->agent.holder.phys_max_mw,
                                   .number = (uint64_t)utc_ns(), .loop_fd = loop_fd};
    snprintf(path, sizeof path, "%s/ask", config->run);
    if (ask_service_open(&jobs->ask, &ask, why))
        fprintf(out, "flyball-agent: jobs cannot ask for power: %s\n", why);
    else if (ask_service_start(&jobs->ask))
        fprintf(out, "flyball-agent: jobs cannot ask for power: the thread cannot be started\n");
}

void jobs_open(struct jobs *jobs, const struct config *config, int loop_fd, FILE *out)
{
    jobs->opened = true;
    open_history(jobs, config, out);
    open_ask(jobs, config, loop_fd, out);
    if (job_watch_start(&jobs->watch, config->cgroups))
        fprintf(out, "flyball-agent: jobs are not looked for: the thread cannot be started\n");
}

bool jobs_close(struct jobs *jobs)
{
    if (!jobs->opened)
        return true;
    jobs->opened = false;
    ask_service_close(&jobs->ask);
    job_watch_stop(&jobs->watch);
    return history_keeper_close(&jobs->history);
}

/* ---- a sample ---- */

static uint32_t narrow_mw(int64_t power_mw)
{
    return power_mw < 0 ? 0 : power_mw > UINT32_MAX ? UINT32_MAX : (uint32_t)power_mw;
}

static void add_device(const struct agent *agent, uint32_t i, int64_t *enforced_mw,
                       struct history_sample *sample)
{
    const struct agent_device *device = &agent->device[i];
    const struct act_sample *newest = &device->sample;
    bool there = !agent->holder.device[i].lost && device->sampled_ns != INT64_MIN;
    int64_t readback_mw = agent->holder.device[i].readback_mw;
    *enforced_mw += readback_mw > 0 ? readback_mw : 0;
    if (readback_mw < 0 || agent->holder.device[i].lost)
        sample->known &= (uint8_t)~HISTORY_ENFORCED;
    if (!there || !(newest->valid & ACT_READ_ENERGY))
        sample->known &= (uint8_t)~HISTORY_ENERGY;
    if (!there)
        return;
    sample->energy_mj += (uint64_t)newest->energy_mj;
    if (newest->valid & ACT_READ_THROTTLE)
        sample->throttle |= (uint8_t)newest->throttle;
    if (!(newest->valid & ACT_READ_TEMPERATURE))
        return;
    bool hotter = !(sample->known & HISTORY_TEMPERATURE) || newest->temperature_mc > sample->temperature_mc;
    sample->temperature_mc = hotter ? newest->temperature_mc : sample->temperature_mc;
    sample->known |= HISTORY_TEMPERATURE;
}

void jobs_sample(const struct agent *agent, int64_t now_ns, struct history_sample *sample)
{
    int64_t enforced_mw = 0;
    uint32_t devices = agent->config.holder.devices ? agent->config.holder.devices : 1;
    *sample = (struct history_sample){
        .known = HISTORY_ASKED | HISTORY_ENFORCED | HISTORY_DRAW | HISTORY_ENERGY,
        .asked_mw = narrow_mw(agent->holder.wanted_mw), .draw_mw = narrow_mw(agent_draw_mw(agent, now_ns)),
        .lease = agent->holder.applied, .state = agent->holder.state, .flags = agent->holder.flags};
    for (uint32_t i = 0; i < devices; i++)
        add_device(agent, i, &enforced_mw, sample);
    sample->enforced_mw = narrow_mw(enforced_mw);
    if (!(sample->known & HISTORY_ENERGY))
        sample->energy_mj = 0;
}

/* ---- every turn ---- */

static void keep_sample(struct jobs *jobs, const struct agent *agent, int64_t now_ns, int64_t boottime_ns)
{
    struct history_sample sample;
    jobs_sample(agent, now_ns, &sample);
    sample.realtime_ns = utc_ns();
    sample.boottime_ms = (uint32_t)(boottime_ns / NS_PER_MS);
    history_keeper_note(&jobs->history, &sample);
}

static void tell_detail(struct jobs *jobs, struct agent *agent, int64_t now_ns, int64_t beat_age_ns)
{
    struct detail detail;
    jobs->detail_ns = now_ns + DETAIL_EVERY_NS;
    job_watch_newest(&jobs->watch, &jobs->set);
    jobs_detail(agent, &jobs->set, beat_age_ns, jobs->history.fd >= 0, &detail);
    jobs_detail_send(agent, &detail);
}

void jobs_turn(struct jobs *jobs, struct agent *agent, int64_t now_ns, int64_t boottime_ns, int64_t beat_ns)
{
    struct token_request request;
    if (now_ns >= jobs->detail_ns)
        tell_detail(jobs, agent, now_ns, beat_ns && boottime_ns >= beat_ns ? boottime_ns - beat_ns : -1);
    if (history_keeper_due(&jobs->history, now_ns))
        keep_sample(jobs, agent, now_ns, boottime_ns);
    ask_service_state(&jobs->ask, agent->holder.epoch, agent->counter[AGENT_FALLS]);
    while (!agent->silent && ask_service_request(&jobs->ask, &request))
        agent_ask(agent, &request, now_ns);
}

void jobs_answered(struct jobs *jobs, const struct token_response *response)
{
    ask_service_answered(&jobs->ask, response);
}
