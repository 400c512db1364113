/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which job a process belongs to, by the path of its cgroup: job and step of Slurm, or the UID of a
 * Kubernetes pod, as their daemons lay folders out under cgroups v1 and v2.
 *
 *   /slurm/uid_1000/job_123/step_0/task_0                               v1; slurm_NODE, too
 *   /system.slice/slurmstepd.scope/job_123/step_batch/user/task_0       v2; NODE_slurmstepd.scope, too
 *   /kubepods/burstable/pod1b4e28ba-2fa1-11d2-883f-0016d3cca427/...     cgroupfs driver
 *   /kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1b4e28ba_2fa1_11d2_883f_0016d3cca427.slice
 *
 * A path counts only from the top: a user may make folders of any name below those that are his.
 */
#ifndef FLYBALL_AGENT_JOB_H
#define FLYBALL_AGENT_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { JOB_POD_BYTES = 37, JOB_TEXT_BYTES = 40, JOB_PATH_MAX = 4096 };

enum job_kind { JOB_NONE = 0, JOB_SLURM = 1, JOB_POD = 2 };

/* Steps that have no number. */
enum job_step { JOB_STEP_NONE = -1, JOB_STEP_BATCH = -2, JOB_STEP_EXTERN = -3, JOB_STEP_INTERACTIVE = -4 };

struct job {
    uint32_t kind;              /* enum job_kind */
    uint32_t number;            /* of Slurm */
    int64_t step;               /* of Slurm: 0 up, or enum job_step */
    char pod[JOB_POD_BYTES];    /* UID with dashes; of a static pod 32 hex digits */
};

/* any: the path of one cgroup, from the root of its hierarchy on. False: it is no job's, and `job` is
 * JOB_NONE. Reads no further than `bytes`. */
bool job_of_path(const char *path, size_t bytes, struct job *job);

/* any: what /proc/PID/cgroup says: lines of "hierarchy:controllers:path". The first line that names a job
 * counts; one with a step goes before one without. */
bool job_of_lines(const char *text, size_t bytes, struct job *job);

/* any: may a folder of this path have folders of jobs below it? */
bool job_may_lie_below(const char *path, size_t bytes);

/* any: "123.0", "123.batch", "123", or the pod's UID; "" for none. */
const char *job_text(const struct job *job, char text[JOB_TEXT_BYTES]);

/* any: the same job, whatever the steps? */
bool job_is_same(const struct job *a, const struct job *b);

#endif
