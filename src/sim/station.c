/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/station.h"

#include <math.h>

#define AGENT_GONE_NS (2 * NS_PER_S)    /* as the watchdog of a real host has it: agent/watch.h */

static int64_t local_now_ns(const struct station *station, uint32_t h)
{
    return station_local_ns(station, h, station->plant->t_ns);
}

static void send_meter(struct station *station, uint32_t m, const struct upmu *upmu, station_emit *emit,
                       void *user)
{
    struct message message = {.kind = FRAME_MEASUREMENT, .index = m,
                              .sequence = ++station->meter_sequence[m], .measured = upmu};
    station->plant->outcome.meter_frames[m]++;
    emit(user, &message);
}

static void step_meter(struct station *station, uint32_t m, station_emit *emit, void *user)
{
    struct plant *plant = station->plant;
    struct upmu upmu;
    meter_read(&plant->meter[m], &plant->grid, plant->t_ns, station->realtime_ns + plant->t_ns,
               plant->workload->plant.meter_noise, &upmu);
    if (station_meter_takes(&station->meter[m], &station->faults, plant->model, m, plant->t_ns, &upmu))
        send_meter(station, m, &upmu, emit, user);
}

static void step_late_meters(struct station *station, station_emit *emit, void *user)
{
    struct upmu upmu;
    bool late = false;
    for (uint32_t m = 0; m < station->plant->model->meter_count; m++) {
        while (station_meter_late(&station->meter[m], station->plant->t_ns, &upmu))
            send_meter(station, m, &upmu, emit, user);
        late |= station->meter[m].strange || station->meter[m].count;
    }
    station->meters_late = late;
}

static void send_report(struct station *station, uint32_t h, station_emit *emit, void *user)
{
    struct plant *plant = station->plant;
    struct message message = {.kind = FRAME_REPORT, .index = h, .sequence = ++station->host_sequence[h]};
    holder_report(&station->holder[h], llround(plant->power_w[h] * 1e3), grid_psu_inputs(&plant->grid, h),
                  &message.report, local_now_ns(station, h));
    plant->outcome.reports_sent++;
    emit(user, &message);
}

static void ask_ahead(struct station *station, uint32_t h, station_emit *emit, void *user)
{
    struct token_request request;
    if (!asking_due(&station->asking[h], station->plant, h, &request))
        return;
    request.host = h;
    request.session = station->holder[h].session;
    struct message message = {.kind = FRAME_TOKEN_REQUEST, .index = h, .request = request,
                              .sequence = ++station->host_sequence[h]};
    station->plant->outcome.tokens.asked++;
    emit(user, &message);
}

/* A device tells that its limit holds it back; a little hysteresis against noise at the edge. */
static bool holds_down(const struct station *station, uint32_t h)
{
    const struct gpuhost *host = &station->plant->host[h];
    double bound_w = host->base_w + host->target_w;
    return host->demand_w > bound_w * (station->at_cap[h] ? 0.98 : 1.0);
}

static void look_at_cap(struct station *station, uint32_t h, int64_t now_ns)
{
    station->at_cap[h] = holds_down(station, h);
    uint8_t flags = REPORT_PSU_KNOWN | (station->at_cap[h] ? REPORT_AT_CAP : 0);
    holder_flags(&station->holder[h], flags, now_ns);
}

/* Drivers take one write after the other, whoever writes. */
static void issue_write(struct station *station, uint32_t h, int64_t t_ns)
{
    struct gpuhost *host = &station->plant->host[h];
    uint32_t device;
    int64_t cap_mw;
    if (host->writing || !holder_next_write(&station->holder[h], &device, &cap_mw))
        return;
    gpuhost_write(host, cap_mw, t_ns);
    struct station_agent *agent = &station->agent[h];
    agent->writer = WRITER_AGENT;
    agent->write_ns = host->write_done_ns - t_ns;
    if (agent->write_ns > agent->write_worst_ns)
        agent->write_worst_ns = agent->write_ns;
}

/* A process dies with its host, and starts anew with it, at driver defaults; an agent that sees its caps
 * reset starts a new incarnation. What it accepted of epochs it remembers. */
static bool is_up(struct station *station, uint32_t h)
{
    struct plant *plant = station->plant;
    const struct station_agent *agent = &station->agent[h];
    bool dark = !plant_host_powered(plant, h);
    bool boots = station->dark[h] && !dark;
    bool runs = !agent->dead && !agent->stopped && !agent->ended;
    bool reset = runs && plant->t_ns - plant->workload->plant.notice_ns >= plant->reset_ns[h];
    station->dark[h] = dark;
    if (boots)
        gpuhost_boot(&plant->host[h], plant->t_ns);
    if (!dark && (boots || reset)) {
        plant->reset_ns[h] = INT64_MAX;
        plant->written[h] = plant->host[h].writing = false;
        station_start_agent(station, h);
    }
    return !dark;
}

static void tell_watchdog(struct station *station, uint32_t h)
{
    int64_t deadline_ns = holder_deadline_ns(&station->holder[h]);
    bool plain = !deadline_ns || station->holder[h].let_go;
    station->agent[h].word_boottime_ns = deadline_ns + (plain ? 0 : station->agent[h].clock.slept_ns);
}

static void note_write(struct station *station, uint32_t h)
{
    struct station_agent *agent = &station->agent[h];
    if (!station->plant->written[h])
        return;
    agent->returned |= agent->writer == WRITER_AGENT;
    agent->writer = WRITER_NONE;
}

static void take_receipt(struct station *station, uint32_t h, int64_t now_ns)
{
    if (!station->agent[h].returned)
        return;
    station->agent[h].returned = false;
    holder_kept(&station->holder[h], 0, gpuhost_kept_mw(&station->plant->host[h]));
    holder_written(&station->holder[h], 0, gpuhost_readback_mw(&station->plant->host[h]), now_ns);
    station->plant->outcome.caps.enforced++;
}

/* Something may have changed on the device that no write of the agent did. */
static void look_at_device(struct station *station, uint32_t h, int64_t now_ns)
{
    struct station_agent *agent = &station->agent[h];
    const struct plant *plant = station->plant;
    if (plant->t_ns < agent->look_ns)
        return;
    bool again = plant->t_ns < agent->look_until_ns;
    agent->look_ns = again ? plant->t_ns + plant->workload->plant.notice_ns : INT64_MAX;
    if (station->holder[h].device[0].readback_mw < 0)
        return;
    holder_kept(&station->holder[h], 0, gpuhost_kept_mw(&plant->host[h]));
    holder_seen(&station->holder[h], 0, gpuhost_readback_mw(&plant->host[h]), now_ns);
}

static void look_at_clocks(struct station *station, uint32_t h, int64_t now_ns)
{
    struct station_agent *agent = &station->agent[h];
    if (!agent->jumped)
        return;
    agent->jumped = false;
    if (holder_clock(&station->holder[h], now_ns, now_ns + agent->clock.slept_ns, now_ns))
        holder_restart(&station->holder[h], station_new_incarnation(station, h), now_ns);
}

static void open_letters(struct station *station, uint32_t h)
{
    struct station_letters *letters = station->agent[h].letters;
    uint32_t count = letters ? letters->count : 0;
    for (uint32_t i = 0; i < count; i++) {
        letters->count = 0;
        station_receive(station, h, &letters->letter[i], station->plant->t_ns);
    }
}

static void step_agent(struct station *station, uint32_t h, station_emit *emit, void *user)
{
    struct plant *plant = station->plant;
    struct holder *holder = &station->holder[h];
    int64_t now_ns = local_now_ns(station, h);
    look_at_clocks(station, h, now_ns);
    open_letters(station, h);
    uint8_t wanted = holder->state_wanted;
    holder_time(holder, now_ns);
    plant->outcome.caps.fail_safe_falls += wanted == HOST_LEASED && holder->state_wanted == HOST_FAIL_SAFE;
    take_receipt(station, h, now_ns);
    look_at_device(station, h, now_ns);
    issue_write(station, h, plant->t_ns);
    look_at_cap(station, h, now_ns);
    if (holder_report_due(holder, now_ns))
        send_report(station, h, emit, user);
    ask_ahead(station, h, emit, user);
    tell_watchdog(station, h);
    if (station->agent[h].leaving)
        station_step_leaving(station, h, now_ns);
    station->agent[h].beat_boottime_ns = now_ns + station->agent[h].clock.slept_ns;
}

/* By the word, and where that says nothing by when the agent last showed itself. */
static bool is_armed(const struct station_agent *agent, int64_t boottime_ns)
{
    if (agent->word_boottime_ns)
        return boottime_ns >= agent->word_boottime_ns;
    return boottime_ns - agent->beat_boottime_ns > AGENT_GONE_NS;
}

/* It goes by BOOTTIME: a sleep does not make a lease longer. As long as the word has passed it looks, for
 * a reset may come later; so it does where fail-safe was in force and the agent is gone. */
static void step_watchdog(struct station *station, uint32_t h)
{
    struct plant *plant = station->plant;
    struct station_agent *agent = &station->agent[h];
    int64_t fail_safe_mw = plant->model->host[h].fail_safe_mw;
    int64_t boottime_ns = local_now_ns(station, h) + agent->clock.slept_ns;
    if (agent->watchdog_dead || !is_armed(agent, boottime_ns))
        return;
    if (plant->host[h].writing || gpuhost_kept_mw(&plant->host[h]) <= fail_safe_mw)
        return;
    gpuhost_write(&plant->host[h], fail_safe_mw, plant->t_ns);
    agent->writer = WRITER_WATCHDOG;
}

static int64_t sooner(int64_t left, int64_t right)
{
    return left < right ? left : right;
}

/* When something is due though nothing happens: of a host that does nothing but obey, by a clock that runs as
 * the plant's does. Others are looked at in every step. */
static int64_t next_due_ns(const struct station *station, uint32_t h)
{
    const struct plant *plant = station->plant;
    const struct station_agent *agent = &station->agent[h];
    const struct holder *holder = &station->holder[h];
    const struct asking *asking = &station->asking[h];
    bool plain = agent->clock.rate >= 0 && agent->clock.rate <= 0 && !agent->dead && !agent->stopped &&
        !agent->leaving && !agent->ended && !agent->jumped && !station->dark[h] &&
        plant->t_ns >= plant->asleep_until_ns[h];
    if (!plain || !holder->incarnation || plant->reset_ns[h] != INT64_MAX ||
        (asking->again && !asking->open))
        return INT64_MIN;
    int64_t due_ns = sooner(holder->last_report_ns + holder->config.report_ns, holder->receipt_due_ns);
    if (holder->state_wanted == HOST_LEASED)
        due_ns = sooner(due_ns, holder->deadline_ns);
    due_ns -= local_now_ns(station, h) - plant->t_ns;
    return sooner(due_ns, sooner(agent->look_ns, asking->look_ns));
}

static void step_host(struct station *station, uint32_t h, station_emit *emit, void *user)
{
    const struct station_agent *agent = &station->agent[h];
    station->wake_ns[h] = INT64_MIN;
    if (!is_up(station, h))
        return;
    note_write(station, h);
    if (station->plant->t_ns < station->plant->asleep_until_ns[h])
        return;
    if (!agent->dead && !agent->stopped && !agent->ended)
        step_agent(station, h, emit, user);
    else
        step_watchdog(station, h);
    station->wake_ns[h] = next_due_ns(station, h);
}

/* What happened on the host in the last step is something to its agent. */
static bool is_roused(const struct station *station, uint32_t h)
{
    const struct plant *plant = station->plant;
    return plant->written[h] || plant->supplied[h] == station->dark[h] || plant->reset_ns[h] != INT64_MAX ||
           holds_down(station, h) != station->at_cap[h];
}

void station_step(struct station *station, station_emit *emit, void *user)
{
    struct plant *plant = station->plant;
    for (uint32_t i = 0; i < plant->due_count; i++)
        step_meter(station, plant->due[i], emit, user);
    if (station->meters_late)
        step_late_meters(station, emit, user);
    for (uint32_t i = 0; i < plant->stirred_count; i++) {
        if (is_roused(station, plant->stirred[i]))
            station->wake_ns[plant->stirred[i]] = INT64_MIN;
    }
    for (uint32_t h = 0; h < plant->model->host_count; h++) {
        if (station->wake_ns[h] <= plant->t_ns)
            step_host(station, h, emit, user);
    }
    if (station->detail_ns)
        station_step_details(station, emit, user);
}

/* A process that is stopped finds in its socket what came meanwhile; one that is dead, or without power, or
 * asleep, has none. */
static bool hears(struct station *station, uint32_t host, const struct message *message)
{
    struct station_agent *agent = &station->agent[host];
    struct station_letters *letters = agent->letters;
    if (!plant_host_powered(station->plant, host) || agent->dead || agent->ended ||
        station->plant->t_ns < station->plant->asleep_until_ns[host])
        return false;
    if (!agent->stopped)
        return true;
    if (message && letters && letters->count < STATION_LETTERS_MAX)
        letters->letter[letters->count++] = *message;
    return false;
}

void station_receive(struct station *station, uint32_t host, const struct message *message, int64_t t_ns)
{
    struct plant *plant = station->plant;
    struct outcome_caps *caps = &plant->outcome.caps;
    bool good = message && message->index == host;
    if (!hears(station, host, message))
        return;
    station->wake_ns[host] = INT64_MIN;
    int64_t now_ns = station_local_ns(station, host, t_ns);
    if (good && message->kind == FRAME_TOKEN_RESPONSE) {
        asking_answer(&station->asking[host], &message->response, &plant->outcome.tokens);
        return;
    }
    caps->received++;
    if (!good || (message->kind != FRAME_LEASE && message->kind != FRAME_CLAIM)) {
        caps->undecodable++;
        return;
    }
    int verdict = holder_lease(&station->holder[host], &message->lease, now_ns);
    if (verdict == HOLDER_UNSAVED_EPOCH) {      /* what is simulated here remembers at once */
        holder_epoch_saved(&station->holder[host], message->lease.epoch, now_ns);
        verdict = holder_lease(&station->holder[host], &message->lease, now_ns);
    }
    if (verdict == HOLDER_ACCEPTED)
        caps->accepted++;
    else
        caps->refused[verdict]++;
    tell_watchdog(station, host);
    issue_write(station, host, t_ns);
}
