/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of one flyball-agent, watched. */
#ifndef FLYBALL_CLI_LATENCY_AGENT_H
#define FLYBALL_CLI_LATENCY_AGENT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Watches process `pid` for that long, 0 = until a signal, and prints what it saw. An exit code of cli/cli.h;
 * told on standard error what went wrong. */
int latency_agent(pid_t pid, const char *provider, int64_t for_ns, bool json);

#endif
