/* SPDX-License-Identifier: Apache-2.0 */
#include "rt/wake.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "msg/limits.h"
#include "rt/clock.h"
#include "rt/thread.h"

enum { WAKE_STAMPS = 4096 };        /* a reader that is later than so many writes loses the oldest */

struct waker {
    int fd, core;
    int64_t period_ns;
    _Atomic int64_t written_ns[WAKE_STAMPS];    /* before write i, at i modulo; the eventfd orders them */
    _Atomic bool stop;
};

static int sleep_until(int64_t t_ns)
{
    const struct timespec until = {.tv_sec = t_ns / NS_PER_S, .tv_nsec = t_ns % NS_PER_S};
    int error;
    do
        error = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
    while (error == EINTR);
    return -error;
}

static void note(struct wake *wake, int64_t late_ns)
{
    if (late_ns < 0)
        late_ns = 0;
    wake->late_ns[wake->count++] = late_ns < UINT32_MAX ? (uint32_t)late_ns : UINT32_MAX;
}

int wake_sleep_run(struct wake *wake, int64_t period_ns, int64_t span_ns)
{
    int64_t start_ns = clock_monotonic_ns(), due_ns = start_ns;
    while (wake->count < wake->room && due_ns - start_ns < span_ns) {
        due_ns += period_ns;
        int error = sleep_until(due_ns);
        if (error)
            return error;
        int64_t t_ns = clock_monotonic_ns();
        note(wake, t_ns - due_ns);
        /* a moment that has passed meanwhile is no sleep */
        if (t_ns > due_ns)
            due_ns += (t_ns - due_ns) / period_ns * period_ns;
    }
    return 0;
}

static void *waker_run(void *argument)
{
    struct waker *waker = argument;
    int64_t due_ns = clock_monotonic_ns();
    rt_pin(waker->core);
    for (uint64_t i = 0; !atomic_load_explicit(&waker->stop, memory_order_acquire); i++) {
        const uint64_t one = 1;
        due_ns += waker->period_ns;
        if (sleep_until(due_ns))
            break;
        int64_t t_ns = clock_monotonic_ns();
        if (t_ns > due_ns)
            due_ns += (t_ns - due_ns) / waker->period_ns * waker->period_ns;
        atomic_store_explicit(&waker->written_ns[i % WAKE_STAMPS], clock_monotonic_ns(),
                              memory_order_relaxed);
        if (write(waker->fd, &one, sizeof one) != sizeof one)
            break;
    }
    return NULL;
}

static int read_all(struct wake *wake, struct waker *waker, int64_t span_ns)
{
    int64_t start_ns = clock_monotonic_ns();
    uint64_t seen = 0;
    while (wake->count < wake->room && clock_monotonic_ns() - start_ns < span_ns) {
        uint64_t writes;
        if (read(waker->fd, &writes, sizeof writes) != sizeof writes)
            return -errno;
        int64_t t_ns = clock_monotonic_ns();
        uint64_t first = writes < WAKE_STAMPS ? seen : seen + writes - WAKE_STAMPS / 2;
        seen += writes;
        /* several writes before one read: each of them has waited for it */
        for (uint64_t i = first; i < seen && wake->count < wake->room; i++)
            note(wake, t_ns - atomic_load_explicit(&waker->written_ns[i % WAKE_STAMPS],
                                                   memory_order_relaxed));
    }
    return 0;
}

int wake_event_run(struct wake *wake, int waker_core, int64_t period_ns, int64_t span_ns)
{
    struct waker *waker = calloc(1, sizeof *waker);
    pthread_t thread;
    if (!waker)
        return -ENOMEM;
    *waker = (struct waker){.fd = eventfd(0, EFD_CLOEXEC), .core = waker_core, .period_ns = period_ns};
    int error = waker->fd < 0 ? -errno : rt_spawn(&thread, "fb-waker", waker_run, waker);
    if (!error) {
        error = read_all(wake, waker, span_ns);
        atomic_store_explicit(&waker->stop, true, memory_order_release);
        pthread_join(thread, NULL);
    }
    if (waker->fd >= 0)
        close(waker->fd);
    free(waker);
    return error;
}

static int shorter_first(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return a < b ? -1 : a > b;
}

int64_t wake_quantile_ns(struct wake *wake, double q)
{
    if (!wake->count)
        return 0;
    qsort(wake->late_ns, wake->count, sizeof *wake->late_ns, shorter_first);
    double place = q * wake->count;
    uint32_t at = (uint32_t)place;
    if (at > 0 && place <= at)
        at--;
    return wake->late_ns[at < wake->count ? at : wake->count - 1];
}
