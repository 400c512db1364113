/* SPDX-License-Identifier: Apache-2.0 */
/* What devices answer: receipts, looks, samples; and what becomes of those that fail, reset or vanish. */
#include "agent/agent.h"

#include <errno.h>

#include "agent/agent_inside.h"
#include "core/compare.h"

/* Devices take caps in steps: what lies within one below what was asked is what was asked. */
#define GRAIN_MW INT64_C(1000)
#define RETRY_FIRST_NS (10 * NS_PER_MS)
#define RETRY_LAST_NS (50 * NS_PER_MS)

void agent_kept(struct agent *agent, uint32_t device, int64_t kept_mw)
{
    agent->device[device].kept_mw = kept_mw;
}

/* What it stands at by the news that is being looked at: in force, or hidden under somebody else's limit. */
static int64_t standing_mw(const struct agent *agent, uint32_t device, int64_t readback_mw)
{
    return larger(readback_mw, agent->device[device].kept_mw);
}

static int64_t whole_steps(int64_t asked_mw, int64_t readback_mw)
{
    return readback_mw < asked_mw && asked_mw - readback_mw < GRAIN_MW ? asked_mw : readback_mw;
}

static void lose(struct agent *agent, uint32_t device, int64_t now_ns)
{
    agent->counter[AGENT_LOSSES]++;
    agent->device[device].blind = false;
    agent->device[device].outdated = agent->device[device].busy;
    agent->device[device].retry_ns = INT64_MAX;
    holder_device(&agent->holder, device, true, now_ns);
    agent_renew(agent, now_ns);
}

static void find_again(struct agent *agent, uint32_t device, int64_t now_ns)
{
    agent->counter[AGENT_LOSSES]++;
    holder_device(&agent->holder, device, false, now_ns);
    agent_renew(agent, now_ns);
}

/* It may stand anywhere, and only a write can be done about that: nobody may take fail-safe for read back. */
static void go_blind(struct agent *agent, uint32_t device, int64_t now_ns)
{
    agent->counter[AGENT_BLIND]++;
    agent->device[device].blind = true;
    agent_tell_flags(agent, now_ns);
    agent_renew(agent, now_ns);
}

static void note_sight(struct agent *agent, uint32_t device, int64_t now_ns)
{
    bool was = agent->device[device].blind;
    agent->device[device].seen_ns = now_ns;
    agent->device[device].blind = false;
    if (was)
        agent_tell_flags(agent, now_ns);
}

static void fail_write(struct agent *agent, uint32_t device, int64_t now_ns)
{
    struct agent_device *failed = &agent->device[device];
    agent->counter[AGENT_WRITES_FAILED]++;
    failed->retry_wait_ns = smaller(larger(2 * failed->retry_wait_ns, RETRY_FIRST_NS), RETRY_LAST_NS);
    failed->retry_ns = now_ns + failed->retry_wait_ns;
}

/* Whether somebody else's limit is in force: below what was written, which is what is wanted. */
static void note_foreign(struct agent *agent, uint32_t device, int64_t readback_mw)
{
    const struct holder_device *held = &agent->holder.device[device];
    bool foreign = held->writing_mw < 0 && held->written_mw >= 0 && readback_mw < held->written_mw;
    agent->counter[AGENT_FOREIGN] += foreign && !agent->device[device].foreign;
    agent->device[device].foreign = foreign;
}

static void take_receipt(struct agent *agent, uint32_t device, int64_t applied_mw, int64_t readback_mw,
                         int64_t now_ns)
{
    int64_t in_force_mw = whole_steps(applied_mw, readback_mw);
    agent->device[device].last_error = 0;
    agent->device[device].retry_wait_ns = 0;
    note_sight(agent, device, now_ns);
    agent->holder.device[device].writing_mw = applied_mw;   /* the order may have been lowered on its way */
    holder_kept(&agent->holder, device, agent->device[device].kept_mw);
    holder_written(&agent->holder, device, in_force_mw, now_ns);
    note_foreign(agent, device, in_force_mw);
}

void agent_written(struct agent *agent, uint32_t device, int rc, int64_t applied_mw, int64_t readback_mw,
                   int64_t now_ns)
{
    struct agent_device *written = &agent->device[device];
    agent_pass_time(agent, now_ns);
    written->busy = false;
    bool outdated = written->outdated;
    written->outdated = false;
    if (rc)
        written->last_error = rc;
    if (agent->holder.device[device].lost || outdated) {
        /* what is asked of it by now waits in retry_ns */
    } else if (rc == -ENODEV) {
        lose(agent, device, now_ns);
    } else if (rc) {
        fail_write(agent, device, now_ns);
    } else if (standing_mw(agent, device, readback_mw) > applied_mw) {
        written->last_error = -EIO;     /* it took the write and did not obey */
        fail_write(agent, device, now_ns);
        holder_kept(&agent->holder, device, written->kept_mw);
        holder_seen(&agent->holder, device, readback_mw, now_ns);
    } else {
        take_receipt(agent, device, applied_mw, readback_mw, now_ns);
    }
    agent_settle(agent, now_ns);
}

/* A watchdog's write that comes to its end after the lease went on: fail-safe under a lease that asks for
 * more, and nobody's wish. Where it has not written since, somebody else means it. */
static bool is_late_fail_safe(const struct agent *agent, uint32_t device, int64_t readback_mw)
{
    const struct holder_device *held = &agent->holder.device[device];
    int64_t fail_safe_mw = agent_part_mw(agent, agent->config.holder.fail_safe_mw);
    return agent->holder.state_wanted == HOST_LEASED && held->writing_mw < 0 &&
           whole_steps(fail_safe_mw, readback_mw) == fail_safe_mw && readback_mw < held->written_mw &&
           agent->watchdog_writes != agent->device[device].watchdog_writes;
}

static void look(struct agent *agent, uint32_t device, int64_t readback_mw, int64_t now_ns)
{
    struct holder_device *held = &agent->holder.device[device];
    note_sight(agent, device, now_ns);
    if (held->writing_mw < 0 && held->written_mw >= 0 &&
        standing_mw(agent, device, readback_mw) > held->written_mw) {
        agent->counter[AGENT_RESETS]++;
        agent_renew(agent, now_ns);
        return;
    }
    if (held->readback_mw < 0)      /* its first write has not returned: nothing of it counts before */
        return;
    bool late = is_late_fail_safe(agent, device, readback_mw);
    int64_t in_force_mw = held->writing_mw < 0 ? whole_steps(held->written_mw, readback_mw) : readback_mw;
    holder_kept(&agent->holder, device, agent->device[device].kept_mw);
    holder_seen(&agent->holder, device, in_force_mw, now_ns);
    note_foreign(agent, device, in_force_mw);
    if (late)
        held->written_mw = -1;
}

void agent_seen(struct agent *agent, uint32_t device, int rc, int64_t readback_mw, int64_t now_ns)
{
    agent_pass_time(agent, now_ns);
    bool lost = agent->holder.device[device].lost;
    bool silent = now_ns - agent->device[device].seen_ns > agent->config.stale_ns;
    agent->device[device].last_error = rc;
    if (rc == -ENODEV && !lost)
        lose(agent, device, now_ns);
    else if (rc != -ENODEV && lost)
        find_again(agent, device, now_ns);
    if (rc && rc != -ENODEV && silent && !agent->device[device].blind)
        go_blind(agent, device, now_ns);
    if (!rc)
        look(agent, device, readback_mw, now_ns);
    agent_settle(agent, now_ns);
}

static int64_t cap_in_force_mw(const struct agent *agent, uint32_t device)
{
    int64_t readback_mw = agent->holder.device[device].readback_mw;
    return readback_mw >= 0 ? readback_mw : agent_part_mw(agent, agent->config.holder.cap_max_mw);
}

/* -1: not known. */
static int64_t device_draw_mw(const struct act_sample *sample)
{
    if (sample->valid & ACT_READ_DRAW)
        return sample->draw_mw;
    return sample->valid & ACT_READ_AVERAGE ? sample->average_mw : -1;
}

/* The cap holds it down, as it says itself, or because it draws as much; with a little hysteresis. */
static bool is_at_cap(const struct agent *agent, uint32_t device)
{
    const struct act_sample *sample = &agent->device[device].sample;
    bool was = agent->holder.flags & REPORT_AT_CAP;
    if (sample->valid & ACT_READ_THROTTLE && sample->throttle & ACT_THROTTLE_CAP)
        return true;
    return device_draw_mw(sample) * 100 >= cap_in_force_mw(agent, device) * (was ? 95 : 98);
}

void agent_tell_flags(struct agent *agent, int64_t now_ns)
{
    bool at_cap = false, blind = false;
    for (uint32_t i = 0; i < agent_devices(agent); i++) {
        at_cap |= agent->device[i].sampled_ns != INT64_MIN && is_at_cap(agent, i);
        blind |= agent->device[i].blind;
    }
    holder_flags(&agent->holder,
                 (uint8_t)((at_cap ? REPORT_AT_CAP : 0) | (agent->psu_known ? REPORT_PSU_KNOWN : 0) |
                           (blind ? REPORT_DEVICE_LOST : 0)), now_ns);
}

void agent_sampled(struct agent *agent, uint32_t device, const struct act_sample *sample, int64_t now_ns)
{
    agent_pass_time(agent, now_ns);
    agent->device[device].sample = *sample;
    agent->device[device].sampled_ns = now_ns;
    agent_tell_flags(agent, now_ns);
    agent_settle(agent, now_ns);
}

int64_t agent_draw_mw(const struct agent *agent, int64_t now_ns)
{
    int64_t sum_mw = 0;
    for (uint32_t i = 0; i < agent_devices(agent); i++) {
        const struct agent_device *device = &agent->device[i];
        bool fresh = device->sampled_ns != INT64_MIN &&
                     now_ns - device->sampled_ns <= agent->config.stale_ns;
        int64_t draw_mw = fresh ? device_draw_mw(&device->sample) : -1;
        if (agent->holder.device[i].lost)
            continue;
        sum_mw += draw_mw >= 0 ? draw_mw : cap_in_force_mw(agent, i);
    }
    return agent_wall_mw(&agent->config, sum_mw);
}
