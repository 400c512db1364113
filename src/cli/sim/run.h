/* SPDX-License-Identifier: Apache-2.0 */
/* One run of `flyball sim`: the site under the controller, what befalls it, and what it is compared with. */
#ifndef FLYBALL_CLI_SIM_RUN_H
#define FLYBALL_CLI_SIM_RUN_H

#include <stdio.h>

#include "cli/sim/options.h"
#include "site/site.h"

enum { SIM_DERATED, SIM_STATIC, SIM_ORACLE, SIM_BASELINES };

struct sim_run {
    const struct sim_options *options;
    struct site site;
    enum mode site_mode;                /* what the file says; played is enforce */
    struct traces traces;
    struct workload workload;
    struct history history;
    uint32_t *drawn;                    /* by fault: its number among those drawn; INDEX_NONE: given */
    int64_t duration_ns;                /* of what was drawn; the run ends at until_ns */
    int64_t until_ns;
    const struct scenario_bounds *bounds;       /* NULL: what always holds */
    struct outcome outcome;
    double baseline_j[SIM_BASELINES];
    uint32_t judgement_count, broken;
    struct judgement judgement[JUDGEMENTS_MAX];
};

/* setup: site, workload and history are made. CLI_OK or another code, the reason told on standard error;
 * sim_close in any case. */
int sim_open(struct sim_run *run, const struct sim_options *options);
void sim_close(struct sim_run *run);

/* setup: the controlled run, judged. 0 or -errno. */
int sim_run_once(struct sim_run *run, const struct history *history, int64_t until_ns,
                 struct outcome *outcome);
/* setup: the same and the baselines, into the run. 0 or -errno. */
int sim_run_whole(struct sim_run *run);

#endif
