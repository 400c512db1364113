/* SPDX-License-Identifier: Apache-2.0 */
/* Which devices are the host's: agent and watchdog take the same by this. */
#ifndef FLYBALL_AGENT_ROSTER_H
#define FLYBALL_AGENT_ROSTER_H

#include "agent/config.h"
#include "agent/word.h"

/* setup: fills config->device: those that are listed, else those that the actuator finds and, up to
 * `devices`, unnamed ones ("") for those that are missing. 0; -ENODEV: there is none; -EINVAL: there are
 * more than `devices`; another -errno of the actuator. `why` says it in words. */
int roster_fill(struct config *config, char why[ACT_WHY_BYTES]);

/* any, the agent: says what it counts. */
void roster_tell(struct word *word, const struct config *config);

/* any, the watchdog: does the agent that is there count otherwise? One that told nothing does not. */
bool roster_differs(const struct word *word, const struct config *config);

#endif
