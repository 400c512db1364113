/* SPDX-License-Identifier: Apache-2.0 */
/* The one command that repeats a run of `flyball sim`. */
#ifndef FLYBALL_CLI_SIM_COMMAND_H
#define FLYBALL_CLI_SIM_COMMAND_H

#include "cli/sim/run.h"

/* any: as it was asked for, the seed said. */
void sim_command(const struct sim_run *run, FILE *out);

/* any: with every fault in words: of what is left when a history was shortened. */
void sim_command_of(const struct sim_run *run, const struct history *history, int64_t until_ns, FILE *out);

#endif
