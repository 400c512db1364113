/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/job_watch.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "msg/limits.h"
#include "rt/thread.h"

#define EVERY_NS (2 * NS_PER_S)
#define LOOK_NS  (NS_PER_S / 2)

static struct timespec after(clockid_t clock, int64_t wait_ns)
{
    struct timespec at;
    clock_gettime(clock, &at);
    int64_t then_ns = at.tv_sec * NS_PER_S + at.tv_nsec + wait_ns;
    return (struct timespec){.tv_sec = then_ns / NS_PER_S, .tv_nsec = then_ns % NS_PER_S};
}

static void look(struct job_watch *watch, struct job_set *set)
{
    const struct timespec until = after(CLOCK_MONOTONIC, LOOK_NS);
    if (job_scan(set, watch->root, JOB_SCAN_ENTRIES, until.tv_sec * NS_PER_S + until.tv_nsec))
        atomic_fetch_add_explicit(&watch->errors, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&watch->looks, 1, memory_order_relaxed);
}

static void *keep_looking(void *argument)
{
    struct job_watch *watch = argument;
    struct job_set set;
    pthread_mutex_lock(&watch->lock);
    while (!watch->stop) {
        pthread_mutex_unlock(&watch->lock);
        look(watch, &set);
        pthread_mutex_lock(&watch->lock);
        watch->newest = set;
        const struct timespec until = after(CLOCK_MONOTONIC, EVERY_NS);
        while (!watch->stop && !pthread_cond_timedwait(&watch->wake, &watch->lock, &until))
            ;
    }
    pthread_mutex_unlock(&watch->lock);
    return NULL;
}

int job_watch_start(struct job_watch *watch, const char *root)
{
    pthread_condattr_t monotonic;
    memset(watch, 0, sizeof *watch);
    snprintf(watch->root, sizeof watch->root, "%s", root[0] ? root : JOB_ROOT);
    pthread_mutex_init(&watch->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&watch->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    int error = rt_spawn(&watch->thread, "jobs", keep_looking, watch);
    watch->running = !error;
    return error;
}

void job_watch_stop(struct job_watch *watch)
{
    if (!watch->running)
        return;
    pthread_mutex_lock(&watch->lock);
    watch->stop = true;
    pthread_cond_signal(&watch->wake);
    pthread_mutex_unlock(&watch->lock);
    pthread_join(watch->thread, NULL);
    watch->running = false;
}

bool job_watch_newest(struct job_watch *watch, struct job_set *set)
{
    if (!watch->running || pthread_mutex_trylock(&watch->lock))
        return false;
    *set = watch->newest;
    pthread_mutex_unlock(&watch->lock);
    return true;
}
