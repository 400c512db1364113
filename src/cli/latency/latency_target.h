/* SPDX-License-Identifier: Apache-2.0 */
/* The process that is watched: its program, and the loop's threads and cores. */
#ifndef FLYBALL_CLI_LATENCY_TARGET_H
#define FLYBALL_CLI_LATENCY_TARGET_H

#include <stdint.h>
#include <sys/types.h>

#include "msg/limits.h"

enum { TARGET_THREADS_MAX = LANES_MAX + 1, TARGET_NAME_BYTES = 16, TARGET_PATH_BYTES = 64 };

struct target {
    pid_t pid;
    char program[TARGET_PATH_BYTES];    /* the kernel follows it, whatever became of the file */
    uint32_t threads;
    struct target_thread {
        pid_t tid;
        int32_t core;                   /* the only one that it may run on, else the last one it ran on */
        char name[TARGET_NAME_BYTES];
    } thread[TARGET_THREADS_MAX];
};

/* Who listens at that socket. A pid or -errno. */
pid_t target_of_door(const char *door);

/* 0; -ESRCH where there is no such process. One without threads of a loop has none here. */
int target_open(struct target *target, pid_t pid);

#endif
