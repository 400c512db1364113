/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/agent.h"

#include <string.h>

#include "agent/agent_inside.h"
#include "core/compare.h"
#include "probe/points.h"
#include "wire/cap.h"

static const char *const names[] = {
#define AGENT_COUNTER_NAME(symbol, name, meaning) name,
    AGENT_COUNTERS(AGENT_COUNTER_NAME)
#undef AGENT_COUNTER_NAME
};

static const char *const meanings[] = {
#define AGENT_COUNTER_MEANING(symbol, name, meaning) meaning,
    AGENT_COUNTERS(AGENT_COUNTER_MEANING)
#undef AGENT_COUNTER_MEANING
};

const char *agent_counter_name(enum agent_counter counter)
{
    return names[counter];
}

const char *agent_counter_meaning(enum agent_counter counter)
{
    return meanings[counter];
}

uint32_t agent_devices(const struct agent *agent)
{
    return agent->config.holder.devices ? agent->config.holder.devices : 1;
}

int64_t agent_wall_mw(const struct agent_config *config, int64_t devices_mw)
{
    int64_t efficiency_ppm = config->efficiency_ppm ? config->efficiency_ppm : PPM;
    return (devices_mw * PPM + efficiency_ppm - 1) / efficiency_ppm + config->base_mw;
}

int64_t agent_part_mw(const struct agent *agent, int64_t cap_mw)
{
    return cap_mw / agent_devices(agent);
}

void agent_init(struct agent *agent, const struct agent_config *config, const struct agent_hooks *hooks)
{
    *agent = (struct agent){
        .config = *config,
        .hooks = *hooks,
        .holder = {.boottime_least_ns = INT64_MIN, .boottime_most_ns = INT64_MAX},
        .word_boottime_ns = -1,
    };
    if (!agent->config.efficiency_ppm)
        agent->config.efficiency_ppm = PPM;
    if (!agent->config.stale_ns)
        agent->config.stale_ns = NS_PER_S;
    for (uint32_t i = 0; i < HOST_DEVICES_MAX; i++)
        agent->device[i] = (struct agent_device){.retry_ns = INT64_MAX, .sampled_ns = INT64_MIN,
                                                 .seen_ns = INT64_MIN, .kept_mw = -1};
}

void agent_start(struct agent *agent, const struct agent_birth *birth, int64_t now_ns)
{
    int64_t least_ns = agent->holder.boottime_least_ns, most_ns = agent->holder.boottime_most_ns;
    holder_init(&agent->holder, &agent->config.holder, birth->incarnation, birth->epoch, now_ns);
    agent->holder.boottime_least_ns = least_ns;
    agent->holder.boottime_most_ns = most_ns;
    agent->frame_sequence = birth->frame_sequence;
    agent->epoch_asked = birth->epoch;
    agent->silent = birth->silent;
    agent->raised_ns = now_ns;
    for (uint32_t i = 0; i < agent_devices(agent); i++)
        agent->device[i].seen_ns = now_ns;
    agent->started = true;
    agent_settle(agent, now_ns);
}

void agent_remember(struct agent *agent, uint64_t epoch, uint64_t frame_sequence, int64_t now_ns)
{
    agent->silent = false;
    agent->frame_sequence = frame_sequence;
    agent->epoch_asked = agent->holder.epoch = agent->holder.epoch_asked = epoch;
    holder_epoch_saved(&agent->holder, epoch, now_ns);
}

void agent_renew(struct agent *agent, int64_t now_ns)
{
    holder_restart(&agent->holder, agent->hooks.incarnation(agent->hooks.user), now_ns);
}

void agent_clock(struct agent *agent, int64_t before_ns, int64_t boottime_ns, int64_t after_ns)
{
    if (!holder_clock(&agent->holder, before_ns, boottime_ns, after_ns) || !agent->started)
        return;
    agent->counter[AGENT_SLEEPS]++;
    agent_renew(agent, after_ns);
    agent_settle(agent, after_ns);
}

bool agent_leave(struct agent *agent, int64_t now_ns)
{
    if (!agent->config.let_go)
        return false;
    holder_leave(&agent->holder, now_ns);
    return true;
}

/* Its incarnation is one that nobody hears of: where it was let go it has none by now. */
void agent_stop(struct agent *agent, int64_t now_ns)
{
    agent->stopped = true;
    if (!agent->holder.let_go)
        agent_renew(agent, now_ns);
    agent_settle(agent, now_ns);
}

bool agent_is_done(const struct agent *agent)
{
    return agent->holder.let_go ? holder_holds(&agent->holder) : !agent->word_boottime_ns;
}

void agent_pass_time(struct agent *agent, int64_t now_ns)
{
    bool leased = agent->holder.state_wanted == HOST_LEASED;
    holder_time(&agent->holder, now_ns);
    agent->counter[AGENT_FALLS] += leased && agent->holder.state_wanted != HOST_LEASED;
}

/* The earliest BOOTTIME that the deadline can be: a look at two clocks leaves a doubt. */
static void tell_word(struct agent *agent)
{
    int64_t deadline_ns = holder_deadline_ns(&agent->holder);
    int64_t word_ns = deadline_ns;
    if (deadline_ns && !agent->holder.let_go)
        word_ns = larger(deadline_ns + agent->holder.boottime_least_ns, 1);
    if (word_ns == agent->word_boottime_ns)
        return;
    agent->word_boottime_ns = word_ns;
    agent->hooks.word(agent->hooks.user, word_ns);
}

static void hand_out(struct agent *agent, uint32_t device, int64_t cap_mw)
{
    agent->device[device].retry_ns = INT64_MAX;
    agent->device[device].busy = true;
    agent->device[device].watchdog_writes = agent->watchdog_writes;
    agent->counter[AGENT_WRITES]++;
    agent->hooks.write(agent->hooks.user, device, cap_mw);
}

/* A write that failed stands in flight until it is tried again: as much may come to be in force. Less than it
 * is written at once. */
static void try_again(struct agent *agent, int64_t now_ns)
{
    for (uint32_t i = 0; i < agent_devices(agent); i++) {
        int64_t part_mw = holder_part_mw(&agent->holder, i);
        struct agent_device *device = &agent->device[i];
        struct holder_device *held = &agent->holder.device[i];
        bool cut = !held->lost && held->writing_mw > part_mw;
        if (device->busy || (now_ns < device->retry_ns && !cut))
            continue;
        device->retry_ns = INT64_MAX;
        if (held->lost || held->writing_mw < 0)
            continue;
        held->writing_mw = smaller(held->writing_mw, part_mw);
        hand_out(agent, i, held->writing_mw);
    }
}

void agent_settle(struct agent *agent, int64_t now_ns)
{
    uint32_t device;
    int64_t cap_mw;
    tell_word(agent);
    while (holder_next_write(&agent->holder, &device, &cap_mw)) {
        if (agent->device[device].busy)     /* of the time before it was lost; agent_written comes yet */
            agent->device[device].retry_ns = now_ns;
        else
            hand_out(agent, device, cap_mw);
    }
    try_again(agent, now_ns);
}

static void send_report(struct agent *agent, int64_t now_ns)
{
    struct report report;
    holder_report(&agent->holder, agent_draw_mw(agent, now_ns), agent->psu_inputs, &report, now_ns);
    uint32_t bytes = report_encode(&report, agent->out + FRAME_HEADER_BYTES,
                                   sizeof agent->out - FRAME_HEADER_BYTES);
    agent->counter[AGENT_REPORTS] += bytes > 0;
    if (!bytes)
        return;
    agent_frame_send(agent, FRAME_REPORT, bytes);
    probe_reported(agent->config.holder.host, report.number, report.cap_mw, now_ns);
}

void agent_turn(struct agent *agent, int64_t now_ns)
{
    agent_pass_time(agent, now_ns);
    agent_settle(agent, now_ns);
    if (!agent->stopped && !agent->silent && holder_report_due(&agent->holder, now_ns))
        send_report(agent, now_ns);
}

int64_t agent_due_ns(const struct agent *agent)
{
    const struct holder *holder = &agent->holder;
    int64_t due_ns = smaller(holder->last_report_ns + holder->config.report_ns, holder->receipt_due_ns);
    if (agent->stopped || agent->silent || holder->let_go)
        due_ns = INT64_MAX;
    if (holder->state_wanted == HOST_LEASED)
        due_ns = smaller(due_ns, holder->deadline_ns);
    for (uint32_t i = 0; i < agent_devices(agent); i++) {
        if (!agent->device[i].busy)
            due_ns = smaller(due_ns, agent->device[i].retry_ns);
    }
    return due_ns;
}

void agent_epoch_saved(struct agent *agent, uint64_t epoch, int64_t now_ns)
{
    holder_epoch_saved(&agent->holder, epoch, now_ns);
}

void agent_watchdog(struct agent *agent, bool there, uint64_t writes, int64_t now_ns)
{
    (void)now_ns;       /* what it changes comes with the next lease */
    agent->watchdog = there;
    agent->watchdog_writes = writes;
}

void agent_psu(struct agent *agent, bool known, uint8_t psus, uint16_t inputs, int64_t now_ns)
{
    bool was_known = agent->psu_known;
    agent->psu_known = known;
    agent->psus = known ? psus : 0;
    agent->psu_inputs = known ? inputs : 0;
    if (known != was_known)     /* no report may say that they are known and dark */
        agent_tell_flags(agent, now_ns);
}
