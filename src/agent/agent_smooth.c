/* SPDX-License-Identifier: Apache-2.0 */
/* What devices keep besides their cap, where they can: a floor below which they do not let their draw fall at
 * once, and ramps. A floor is never above a cap or fail-safe, and ends with its lease. */
#include "agent/agent.h"

#include <errno.h>

#include "agent/agent_inside.h"
#include "core/compare.h"

struct act_smooth agent_smooth(const struct agent *agent)
{
    const struct act_smooth *host = &agent->config.smooth;
    int64_t devices = agent_devices(agent);
    int64_t most_mw = smaller(agent->holder.wanted_mw, agent->config.holder.fail_safe_mw);
    int64_t floor_mw = smaller(most_mw, agent->floor_mw) / devices;
    if (!agent->config.smoothing || agent->holder.state_wanted != HOST_LEASED || floor_mw <= 0)
        return (struct act_smooth){.off = true};
    return (struct act_smooth){.floor_mw = floor_mw,
                               .ramp_up_mw_per_s = host->ramp_up_mw_per_s / devices,
                               .ramp_down_mw_per_s = host->ramp_down_mw_per_s / devices,
                               .hysteresis_ns = host->hysteresis_ns};
}

void agent_smoothed(struct agent *agent, uint32_t device, int rc)
{
    agent->counter[rc ? AGENT_UNSMOOTHED : AGENT_SMOOTHED]++;
    if (rc && rc != -ENOTSUP)
        agent->device[device].last_error = rc;
}
