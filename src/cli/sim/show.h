/* SPDX-License-Identifier: Apache-2.0 */
/* What came of a run of `flyball sim`, in words and as JSON. */
#ifndef FLYBALL_CLI_SIM_SHOW_H
#define FLYBALL_CLI_SIM_SHOW_H

#include "cli/sim/run.h"
#include "cli/sim/shrink.h"

/* any: every scenario, a line each. */
void sim_show_list(FILE *out);
void sim_show(const struct sim_run *run, FILE *out);
void sim_show_shrunk(const struct sim_run *run, const struct sim_shrunk *shrunk, FILE *out);

/* any: one object; `shrunk` NULL: nothing was shortened. 0 or -ENOMEM. */
int sim_json(const struct sim_run *run, const struct sim_shrunk *shrunk, FILE *out);

#endif
