/* SPDX-License-Identifier: Apache-2.0 */
/* Which jobs are on this host, by the folders of its cgroups. Reads folders: not for a thread that has a
 * deadline to keep. job_watch does it in one of its own. */
#ifndef FLYBALL_AGENT_JOB_SCAN_H
#define FLYBALL_AGENT_JOB_SCAN_H

#include "agent/job.h"

enum { JOBS_MAX = 64, JOB_SCAN_ENTRIES = 20000 };

struct job_set {
    uint32_t count;
    uint32_t more;              /* further jobs that found no place */
    bool cut;                   /* the look ended early: too many folders, or too long */
    /* each job once, with the step that tells most: the newest by number, else batch, interactive, extern */
    struct job job[JOBS_MAX];
};

/* any: looks below `root`, v1 or v2, at most at `entries` folders and until `until_ns` of CLOCK_MONOTONIC.
 * 0; -errno where the root cannot be read, and the set is empty. */
int job_scan(struct job_set *set, const char *root, uint32_t entries, int64_t until_ns);

/* any: adds one, or the better step of one that is there. */
void job_set_add(struct job_set *set, const struct job *job);

#endif
