/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/loops/worker.h"

#include <time.h>

#include "rt/clock.h"
#include "rt/thread.h"

#define MOMENT_NS (2 * NS_PER_MS)

static void *run(void *argument)
{
    struct worker *worker = argument;
    worker->pin_error = rt_pin(RECEIVING_CORE);
    worker->fifo_error = rt_fifo(RECEIVING_PRIORITY);
    rt_touch_stack();
    for (;;) {
        while (sem_wait(&worker->begin))
            continue;
        if (worker->quit)
            return NULL;
        worker->job(worker, worker->argument);
        /* release: what the job left is seen by whoever sees it gone */
        atomic_store_explicit(&worker->busy, false, memory_order_release);
    }
}

int worker_open(struct worker *worker)
{
    sem_init(&worker->begin, 0, 0);
    int error = rt_spawn(&worker->thread, "loops-receiver", run, worker);
    worker->started = !error;
    return error;
}

void worker_close(struct worker *worker)
{
    if (!worker->started)
        return;
    worker->quit = true;
    sem_post(&worker->begin);
    pthread_join(worker->thread, NULL);
    sem_destroy(&worker->begin);
}

void worker_begin(struct worker *worker, void (*job)(struct worker *, void *), void *argument)
{
    worker->job = job;
    worker->argument = argument;
    atomic_store_explicit(&worker->on, true, memory_order_relaxed);
    atomic_store_explicit(&worker->busy, true, memory_order_relaxed);
    sem_post(&worker->begin);
}

bool worker_end(struct worker *worker)
{
    const struct timespec rest = {.tv_nsec = 20000};
    int64_t give_up_ns = clock_monotonic_ns() + MOMENT_NS;
    atomic_store_explicit(&worker->on, false, memory_order_relaxed);
    /* acquire: pairs with run */
    while (atomic_load_explicit(&worker->busy, memory_order_acquire)) {
        if (clock_monotonic_ns() > give_up_ns)
            return false;
        nanosleep(&rest, NULL);
    }
    return true;
}

bool worker_on(struct worker *worker)
{
    return atomic_load_explicit(&worker->on, memory_order_relaxed);
}
