/* SPDX-License-Identifier: Apache-2.0 */
/* The jobs of this host (job_scan.h) as a thread of its own last found them, every 2 s. */
#ifndef FLYBALL_AGENT_JOB_WATCH_H
#define FLYBALL_AGENT_JOB_WATCH_H

#include <pthread.h>
#include <stdatomic.h>

#include "agent/job_scan.h"

enum { JOB_ROOT_BYTES = 256 };
#define JOB_ROOT "/sys/fs/cgroup"

struct job_watch {
    char root[JOB_ROOT_BYTES];
    pthread_t thread;
    bool running;
    pthread_mutex_t lock;       /* of `newest`: held for a copy */
    pthread_cond_t wake;
    bool stop;
    struct job_set newest;
    _Atomic uint64_t looks, errors;
};

/* setup: starts the thread; `root` "" = JOB_ROOT. 0 or -errno. */
int job_watch_start(struct job_watch *watch, const char *root);
void job_watch_stop(struct job_watch *watch);

/* any: the newest set; false, and the set as it was, where the thread is just writing it. Never waits. */
bool job_watch_newest(struct job_watch *watch, struct job_set *set);

#endif
