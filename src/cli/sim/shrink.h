/* SPDX-License-Identifier: Apache-2.0 */
/* The shortest history found that still fails as the run did. */
#ifndef FLYBALL_CLI_SIM_SHRINK_H
#define FLYBALL_CLI_SIM_SHRINK_H

#include "cli/sim/run.h"

struct sim_shrunk {
    struct history history;
    int64_t until_ns;
    uint32_t runs;
};

/* setup: of a run that broke something; ended by history_finish. 0 or -ENOMEM. */
int sim_shrink(struct sim_run *run, struct sim_shrunk *shrunk);

#endif
