/* SPDX-License-Identifier: Apache-2.0 */
/* What devices keep besides their cap, where they can: a floor below which they do not let their draw fall at
 * once, and ramps. A floor is never above a cap or fail-safe, and ends with its lease. */
#include "agent/agent.h"

#include <errno.h>

#include "agent/agent_inside.h"
#include "core/compare.h"

static int64_t told_or(int64_t told, int64_t own)
{
    return told > 0 ? told : own;
}

struct act_smooth agent_smooth(const struct agent *agent)
{
    const struct act_smooth *host = &agent->config.smooth, *lease = &agent->smooth;
    int64_t devices = agent_devices(agent);
    int64_t most_mw = smaller(agent->holder.wanted_mw, agent->config.holder.fail_safe_mw);
    int64_t floor_mw = smaller(most_mw, lease->floor_mw) / devices;
    if (!agent->config.smoothing || agent->holder.state_wanted != HOST_LEASED || floor_mw <= 0)
        return (struct act_smooth){.off = true};
    int64_t up_mw_per_s = told_or(lease->ramp_up_mw_per_s, host->ramp_up_mw_per_s);
    int64_t down_mw_per_s = told_or(lease->ramp_down_mw_per_s, host->ramp_down_mw_per_s);
    return (struct act_smooth){.floor_mw = floor_mw,
                               .ramp_up_mw_per_s = up_mw_per_s / devices,
                               .ramp_down_mw_per_s = down_mw_per_s / devices,
                               .hysteresis_ns = told_or(lease->hysteresis_ns, host->hysteresis_ns)};
}

/* What devices draw by their newest samples; their caps where a sample is old. */
static int64_t devices_draw_mw(const struct agent *agent, int64_t now_ns)
{
    int64_t wall_mw = agent_draw_mw(agent, now_ns) - agent->config.base_mw;
    return wall_mw * agent->config.efficiency_ppm / PPM;
}

/* Every device is there and reads back at or below its part. */
static bool all_hold(const struct agent *agent)
{
    int64_t part_mw = agent_part_mw(agent, agent->holder.wanted_mw);
    for (uint32_t i = 0; i < agent_devices(agent); i++) {
        const struct holder_device *held = &agent->holder.device[i];
        if (held->lost || held->readback_mw < 0 || held->readback_mw > part_mw || held->writing_mw > part_mw)
            return false;
    }
    return true;
}

int64_t agent_fill_mw(const struct agent *agent, int64_t now_ns)
{
    bool holds = agent->holder.state_wanted == HOST_LEASED && all_hold(agent);
    int64_t cap_mw = agent->holder.wanted_mw + agent->reserve_mw;
    if (!agent->config.ballast_mw || !holds || now_ns >= agent->holder.deadline_ns)
        return 0;
    int64_t gap_mw = smaller(agent->smooth.floor_mw, cap_mw) - devices_draw_mw(agent, now_ns);
    return larger(smaller(gap_mw, agent->reserve_mw), 0);
}

void agent_smoothed(struct agent *agent, uint32_t device, int rc)
{
    agent->counter[rc ? AGENT_UNSMOOTHED : AGENT_SMOOTHED]++;
    if (rc && rc != -ENOTSUP)
        agent->device[device].last_error = rc;
}
