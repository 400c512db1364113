/* SPDX-License-Identifier: Apache-2.0 */
/* What only the files run*.c share. */
#ifndef FLYBALL_AGENT_RUN_INSIDE_H
#define FLYBALL_AGENT_RUN_INSIDE_H

#include "agent/run.h"

/* How the agent object reaches the process; `user` is the struct run. */
extern const struct agent_hooks run_hooks;

#endif
