/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/watch.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent/roster.h"
#include "agent/watch_inside.h"
#include "ring/arena.h"

enum { WATT_MW = 1000 };

bool watch_is_armed(int64_t deadline_ns, int64_t agent_beat_ns, int64_t boottime_ns)
{
    if (deadline_ns)
        return boottime_ns >= deadline_ns;
    return boottime_ns - agent_beat_ns > WATCH_AGENT_GONE_NS;
}

int64_t watch_next_ns(int64_t deadline_ns, int64_t boottime_ns)
{
    int64_t poll_ns = boottime_ns + WATCH_POLL_NS;
    return deadline_ns > boottime_ns && deadline_ns < poll_ns ? deadline_ns : poll_ns;
}

int64_t watch_cap_mw(bool armed, int64_t readback_mw, int64_t fail_safe_mw)
{
    return armed && (readback_mw < 0 || readback_mw > fail_safe_mw) ? fail_safe_mw : -1;
}

int64_t watch_standing_mw(const struct hand_seen *seen)
{
    return seen->enforced_mw > seen->kept_mw ? seen->enforced_mw : seen->kept_mw;
}

bool watch_word_is_armed(const struct word *word)
{
    return watch_is_armed(atomic_load_explicit(&word->deadline_ns, memory_order_acquire),
                          atomic_load_explicit(&word->agent_beat_ns, memory_order_relaxed),
                          word_boottime_ns());
}

/* One look, and a write where it is needed. The word is looked at again right before the write: what it is
 * about may have been leased anew while the driver answered. */
static void guard(struct watch_device *device)
{
    struct hand_seen seen;
    int64_t now_ns = word_monotonic_ns();
    hand_find(&device->hand, now_ns);
    int rc = hand_read_back(&device->hand, &seen, now_ns);
    int64_t cap_mw = watch_cap_mw(watch_word_is_armed(device->word), rc ? -1 : watch_standing_mw(&seen),
                                  device->fail_safe_mw);
    if (rc == -ENODEV || cap_mw < 0)
        return;
    rc = hand_apply(&device->hand, cap_mw, now_ns);
    atomic_store(&device->last_error, rc);
    atomic_fetch_add(rc ? &device->failures : &device->writes, 1);
    atomic_fetch_add(&device->word->watchdog_writes, 1);
}

/* Or until it is time for a look at the device. */
static bool wait_until_armed(struct watch_device *device)
{
    int64_t until_ns = word_monotonic_ns() + WATCH_KEEP_NS;
    struct timespec until = {.tv_sec = until_ns / NS_PER_S, .tv_nsec = until_ns % NS_PER_S};
    pthread_mutex_lock(device->lock);
    while (!*device->stop && !watch_word_is_armed(device->word) &&
           pthread_cond_clockwait(device->changed, device->lock, CLOCK_MONOTONIC, &until) != ETIMEDOUT)
        ;
    bool go_on = !*device->stop;
    pthread_mutex_unlock(device->lock);
    return go_on;
}

static void *guard_device(void *user)
{
    struct watch_device *device = user;
    pthread_setname_np(pthread_self(), "fb-guard");
    arena_seal_thread();
    while (wait_until_armed(device)) {
        guard(device);
        if (watch_word_is_armed(device->word))
            nanosleep(&(struct timespec){.tv_nsec = WATCH_POLL_NS}, NULL);
    }
    return NULL;
}

void *(*const watch_thread)(void *) = guard_device;

static void say(struct watch *watch, bool armed, bool there)
{
    uint64_t writes = 0, failures = 0;
    for (uint32_t i = 0; i < watch->devices; i++) {
        writes += atomic_load(&watch->device[i].writes);
        failures += atomic_load(&watch->device[i].failures);
    }
    if (!watch->told || armed != watch->armed || there != watch->agent_there)
        fprintf(watch->out,
                "flyball-agent watch: the agent is %s; %s; %" PRIu64 " writes, %" PRIu64 " failed\n",
                there ? "there" : "gone", armed ? "fail-safe is to be in force" : "its word stands", writes,
                failures);
    watch->told = true;
    watch->armed = armed;
    watch->agent_there = there;
}

/* Ends the wait at a BOOTTIME: relative, since a sleep of the machine only makes it come sooner. */
static bool is_asked_to_end(struct watch *watch, int64_t until_ns)
{
    struct pollfd from = {.fd = watch->signal_fd, .events = POLLIN};
    int64_t wait_ns = until_ns - word_boottime_ns();
    struct timespec wait = {.tv_nsec = wait_ns > 0 ? wait_ns : 0};
    return ppoll(&from, 1, &wait, NULL) > 0;
}

/* True: it has counted other devices for too long. */
static bool agent_differs(struct watch *watch, bool there, int64_t now_ns)
{
    const struct word *word = watch->word.word;
    if (!there || !roster_differs(word, &watch->config)) {
        watch->differs_ns = 0;
        return false;
    }
    if (!watch->differs_ns)
        watch->differs_ns = now_ns;
    if (now_ns - watch->differs_ns < WATCH_DIFFERS_NS)
        return false;
    fprintf(watch->out,
            "flyball-agent watch: the agent counts %u devices, %" PRId64 " W for each, and here are %u, or "
            "others: it started while one was away, or with another file; restart it\n",
            atomic_load(&word->devices), atomic_load(&word->fail_safe_mw[0]) / WATT_MW, watch->devices);
    return true;
}

int watch_loop(struct watch *watch)
{
    struct word *word = watch->word.word;
    int64_t next_ns;
    do {
        int64_t now_ns = word_boottime_ns();
        int64_t deadline_ns = atomic_load_explicit(&word->deadline_ns, memory_order_acquire);
        int64_t beat_ns = atomic_load_explicit(&word->agent_beat_ns, memory_order_relaxed);
        bool armed = watch_is_armed(deadline_ns, beat_ns, now_ns);
        /* whoever guards other devices than the agent has is not there */
        bool guards = !roster_differs(word, &watch->config);
        atomic_store_explicit(&word->watchdog_beat_ns, guards ? now_ns : 0, memory_order_relaxed);
        if (armed) {
            pthread_mutex_lock(&watch->lock);
            pthread_cond_broadcast(&watch->changed);
            pthread_mutex_unlock(&watch->lock);
        }
        bool there = now_ns - beat_ns <= WATCH_AGENT_GONE_NS;
        say(watch, armed, there);
        if (agent_differs(watch, there, now_ns))
            return -EINVAL;
        notify_alive(&watch->notify, word_monotonic_ns());
        next_ns = watch_next_ns(deadline_ns, now_ns);
    } while (!is_asked_to_end(watch, next_ns));
    return 0;
}
