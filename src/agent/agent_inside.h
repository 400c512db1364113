/* SPDX-License-Identifier: Apache-2.0 */
/* What only the files agent*.c of this name share. */
#ifndef FLYBALL_AGENT_AGENT_INSIDE_H
#define FLYBALL_AGENT_AGENT_INSIDE_H

#include "agent/agent.h"

/* any: 1 to HOST_DEVICES_MAX. */
uint32_t agent_devices(const struct agent *agent);

/* any: a lease that has run out is noted. Before whatever may look at a lease. */
void agent_pass_time(struct agent *agent, int64_t now_ns);

/* any: stores the word, then hands out the writes that are due. After whatever may change either. */
void agent_settle(struct agent *agent, int64_t now_ns);

/* any: what devices and supplies show now, for reports (agent_device.c). */
void agent_tell_flags(struct agent *agent, int64_t now_ns);

/* any: a new incarnation of the same agent. */
void agent_renew(struct agent *agent, int64_t now_ns);

#endif
