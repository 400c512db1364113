/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/ballast.h"

#include <errno.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "ring/arena.h"

#define TURN_NS (10 * NS_PER_MS)
enum { STACK_BYTES = 64 * 1024, NICE_LAST = 19, SPINS = 1000 };

static int64_t monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

int64_t ballast_level_ppm(const struct ballast *ballast, int64_t now_ns)
{
    bool told = now_ns < atomic_load_explicit(&ballast->until_ns, memory_order_acquire);
    return told ? atomic_load_explicit(&ballast->level_ppm, memory_order_relaxed) : 0;
}

/* Looks every few microseconds whether it is still to. */
static void burn(const struct ballast *ballast, int64_t began_ns)
{
    int64_t now_ns = began_ns;
    while (now_ns - began_ns < TURN_NS * ballast_level_ppm(ballast, now_ns) / PPM) {
        for (volatile uint32_t spin = 0; spin < SPINS; spin++)
            ;
        now_ns = monotonic_ns();
    }
}

static void *fill(void *user)
{
    struct ballast *ballast = ((struct ballast_thread *)user)->ballast;
    pthread_setname_np(pthread_self(), "fb-ballast");
    /* of this thread alone, as Linux has it; one that may not must not stand in the way of the agent's own */
    if (setpriority(PRIO_PROCESS, 0, NICE_LAST))
        return NULL;
    arena_seal_thread();
    while (!atomic_load(&ballast->stop)) {
        int64_t began_ns = monotonic_ns();
        burn(ballast, began_ns);
        int64_t rest_ns = began_ns + TURN_NS - monotonic_ns();
        if (rest_ns > 0)
            nanosleep(&(struct timespec){.tv_nsec = rest_ns}, NULL);
    }
    return NULL;
}

int ballast_start(struct ballast *ballast, int64_t most_mw, uint32_t threads)
{
    pthread_attr_t stack;
    int error = 0;
    ballast->most_mw = most_mw;
    if (most_mw <= 0)
        return 0;
    if (!threads || threads > BALLAST_THREADS_MAX)
        return -EINVAL;
    pthread_attr_init(&stack);
    pthread_attr_setstacksize(&stack, STACK_BYTES);
    while (!error && ballast->threads < threads) {
        struct ballast_thread *thread = &ballast->thread[ballast->threads];
        thread->ballast = ballast;
        error = pthread_create(&thread->thread, &stack, fill, thread);
        ballast->threads += !error;
    }
    pthread_attr_destroy(&stack);
    if (error)
        ballast_stop(ballast);
    return -error;
}

void ballast_stop(struct ballast *ballast)
{
    atomic_store(&ballast->stop, true);
    atomic_store(&ballast->until_ns, 0);
    for (; ballast->threads; ballast->threads--)
        pthread_join(ballast->thread[ballast->threads - 1].thread, NULL);
}

/* A thread that may not burn has ended: it counts nothing. */
int64_t ballast_burnt_ns(const struct ballast *ballast)
{
    int64_t sum_ns = 0;
    for (uint32_t i = 0; i < ballast->threads; i++) {
        clockid_t clock;
        struct timespec burnt;
        if (!pthread_getcpuclockid(ballast->thread[i].thread, &clock) && !clock_gettime(clock, &burnt))
            sum_ns += burnt.tv_sec * NS_PER_S + burnt.tv_nsec;
    }
    return sum_ns;
}

void ballast_set(struct ballast *ballast, int64_t fill_mw, int64_t now_ns, int64_t deadline_ns)
{
    if (ballast->most_mw <= 0)
        return;
    int64_t part_mw = fill_mw < 0 ? 0 : fill_mw < ballast->most_mw ? fill_mw : ballast->most_mw;
    int64_t full_mw = atomic_load_explicit(&ballast->full_mw, memory_order_relaxed);
    full_mw = full_mw > ballast->most_mw ? full_mw : ballast->most_mw;  /* never more than was asked for */
    atomic_store_explicit(&ballast->level_ppm, part_mw * PPM / full_mw, memory_order_relaxed);
    int64_t until_ns = now_ns + BALLAST_HOLD_NS;
    atomic_store_explicit(&ballast->until_ns, deadline_ns < until_ns ? deadline_ns : until_ns,
                          memory_order_release);
}
