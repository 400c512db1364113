/* SPDX-License-Identifier: Apache-2.0 */
/* The noisy neighbour: an ordinary process on each of the two cores that computes whenever it is let. */
#ifndef FLYBALL_BENCH_LOOPS_HOGS_H
#define FLYBALL_BENCH_LOOPS_HOGS_H

#include <stdbool.h>
#include <sys/types.h>

enum { HOGS = 2 };

struct hogs {
    pid_t pid[HOGS];            /* 0: none */
};

/* setup, before any other thread exists (forks): they stand still at first, and end with us. 0 or -errno. */
int hogs_open(struct hogs *hogs);
void hogs_close(struct hogs *hogs);

/* From now on they compute, or stand still. */
void hogs_let(struct hogs *hogs, bool compute);

#endif
