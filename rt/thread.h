/* SPDX-License-Identifier: Apache-2.0 */
/* Threads with a place and a priority. */
#ifndef FLYBALL_RT_THREAD_H
#define FLYBALL_RT_THREAD_H

#include <pthread.h>

enum { RT_STACK_BYTES = 1024 * 1024 };

/* setup: starts a thread with a small stack (locked memory counts all of it) and a name of at most 15
 * characters. 0 or -errno. */
int rt_spawn(pthread_t *thread, const char *name, void *(*run)(void *), void *argument);

/* setup: sleeps of the calling thread, and of those that it starts from now on, end when due: the kernel
 * joins the timers of ordinary threads over 50 us. Those in real time sleep so anyway. 0 or -errno. */
int rt_sharp_timers(void);

/* setup: the calling thread runs on this core only; -1 leaves it anywhere. 0 or -errno. */
int rt_pin(int core);

/* setup: the calling thread runs wherever its process may; threads start where the one that started them was
 * pinned. 0 or -errno. */
int rt_unpin(void);

/* setup: the calling thread becomes SCHED_FIFO at this priority; 0 leaves the scheduler alone. 0 or
 * -errno. */
int rt_fifo(int priority);

/* setup: touches the part of the stack that a hot thread may use, so that its first burst faults nothing
 * in. */
void rt_touch_stack(void);

#endif
