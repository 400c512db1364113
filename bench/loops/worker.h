/* SPDX-License-Identifier: Apache-2.0 */
/* The one thread on the receiving core that is none of flyball's: the meters of the floor and the loops on
 * kernel sockets are jobs of it, one at a time. */
#ifndef FLYBALL_BENCH_LOOPS_WORKER_H
#define FLYBALL_BENCH_LOOPS_WORKER_H

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>

enum { RECEIVING_CORE = 1, RECEIVING_PRIORITY = 80, CLIENT_CORE = 0, CLIENT_PRIORITY = 70 };

struct worker {
    pthread_t thread;
    sem_t begin;
    _Atomic bool on;            /* the job under way goes on */
    _Atomic bool busy;          /* there is a job */
    bool started, quit;
    void (*job)(struct worker *worker, void *argument);
    void *argument;
    int pin_error, fifo_error;  /* what was not permitted */
};

/* setup, from a thread of ordinary scheduling: pinned to the receiving core, SCHED_FIFO. 0 or -errno. */
int worker_open(struct worker *worker);
void worker_close(struct worker *worker);

/* Begins a job; it ends soon after worker_end. */
void worker_begin(struct worker *worker, void (*job)(struct worker *, void *), void *argument);
/* Tells the job to end; true when it has, false when it needs longer than a moment: it may wait for
 * something that its owner can give it. */
bool worker_end(struct worker *worker);

/* The job's: to go on? */
bool worker_on(struct worker *worker);

#endif
