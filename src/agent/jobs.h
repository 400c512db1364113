/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What jobs and people see of a running agent: the history of the host, the jobs on it, and the desk where
 * jobs ask for power. All of it beside the loop: what cannot be opened is told once, and the agent runs
 * without.
 */
#ifndef FLYBALL_AGENT_JOBS_H
#define FLYBALL_AGENT_JOBS_H

#include <stdio.h>

#include "agent/ask_service.h"
#include "agent/config.h"
#include "agent/history_keeper.h"
#include "agent/job_watch.h"

struct jobs {
    bool opened;
    struct history_keeper history;
    struct job_watch watch;
    struct ask_service ask;
    struct job_set set;         /* as the loop saw it last */
    int64_t detail_ns;          /* the next is due */
};

/* setup: opens what the configuration wants and starts its threads; `out` is told what is amiss. The
 * struct is zeroed before, and aligned as its type wants. */
void jobs_open(struct jobs *jobs, const struct config *config, int loop_fd, FILE *out);
/* setup: also of one that was never opened. False where a thread hangs on the disk: whoever calls ends the
 * process, and what the thread uses stays. */
bool jobs_close(struct jobs *jobs);

/* rt, every turn of the loop: a sample and a detail where one is due, requests of jobs to the controller.
 * `beat_ns`: the newest beat of the watchdog by CLOCK_BOOTTIME, 0 = none. */
void jobs_turn(struct jobs *jobs, struct agent *agent, int64_t now_ns, int64_t boottime_ns, int64_t beat_ns);

/* rt: an answer of the controller. */
void jobs_answered(struct jobs *jobs, const struct token_response *response);

/* any: what an agent knows of its host now, but for the clocks. */
void jobs_sample(const struct agent *agent, int64_t now_ns, struct history_sample *sample);

#endif
