/* SPDX-License-Identifier: Apache-2.0 */
/* What a process has to say to people, without ever waiting for them: lines go into a queue in memory, and a
 * thread of its own writes them out. Where nobody reads, what does not fit is counted and told later. */
#ifndef FLYBALL_AGENT_SAYING_H
#define FLYBALL_AGENT_SAYING_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { SAYING_BYTES = 16 * 1024, SAYING_LINE_BYTES = 1024 };

struct saying {
    FILE *out;                  /* to print to; by whole lines */
    int fd;                     /* where it goes in the end */
    pthread_t thread;
    pthread_mutex_t lock;       /* held for copying alone */
    pthread_cond_t changed;
    uint64_t put, taken;        /* bytes */
    uint64_t lost;              /* lines that had no room, not told yet */
    bool stop;
    char line[SAYING_LINE_BYTES];       /* the stream's own */
    char byte[SAYING_BYTES];    /* those from taken to put, around */
};

/* setup: a thread that writes to `fd`, which stays the caller's. Zero it before. 0 or -errno. */
int saying_open(struct saying *saying, int fd);

/* setup: writes what is left, but waits no longer than until then (MONOTONIC). False: nobody reads; the
 * thread and what it uses stay. */
bool saying_close(struct saying *saying, int64_t until_ns);

#endif
