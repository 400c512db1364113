/* SPDX-License-Identifier: Apache-2.0 */
#include "rt/thread.h"

#include <errno.h>
#include <sched.h>
#include <stddef.h>
#include <sys/prctl.h>

enum { TOUCHED_BYTES = 128 * 1024, PAGE_BYTES = 4096 };

int rt_spawn(pthread_t *thread, const char *name, void *(*run)(void *), void *argument)
{
    pthread_attr_t attributes;
    int error = pthread_attr_init(&attributes);
    if (error)
        return -error;
    error = pthread_attr_setstacksize(&attributes, RT_STACK_BYTES);
    if (!error)
        error = pthread_create(thread, &attributes, run, argument);
    pthread_attr_destroy(&attributes);
    if (error)
        return -error;
    pthread_setname_np(*thread, name);
    return 0;
}

int rt_sharp_timers(void)
{
    return prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL) ? -errno : 0;
}

int rt_pin(int core)
{
    if (core < 0)
        return 0;
    if (core >= CPU_SETSIZE)
        return -EINVAL;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)core, &set);
    return -pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

int rt_unpin(void)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    for (size_t core = 0; core < CPU_SETSIZE; core++)
        CPU_SET(core, &set);
    return -pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

int rt_fifo(int priority)
{
    if (priority <= 0)
        return 0;
    struct sched_param parameters = {.sched_priority = priority};
    return -pthread_setschedparam(pthread_self(), SCHED_FIFO, &parameters);
}

void rt_touch_stack(void)
{
    volatile unsigned char touched[TOUCHED_BYTES];
    for (size_t at = 0; at < sizeof touched; at += PAGE_BYTES)
        touched[at] = 0;
}
