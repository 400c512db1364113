/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The watchdog: a process beside the agent that writes the fail-safe caps once the agent's word has passed,
 * and again for as long as it has passed and a device stands above. It goes by CLOCK_BOOTTIME, has a thread
 * and a handle of its own for each device, and needs nothing of the agent but the word.
 */
#ifndef FLYBALL_AGENT_WATCH_H
#define FLYBALL_AGENT_WATCH_H

#include <pthread.h>
#include <stdio.h>

#include "agent/config.h"
#include "agent/hand.h"
#include "agent/notify.h"
#include "agent/word.h"

/* An agent that has not shown itself for so long is gone: what it left, 0 too, is no promise any more. */
#define WATCH_AGENT_GONE_NS (2 * NS_PER_S)
/* between two looks at the word, and at a device while it has passed */
#define WATCH_POLL_NS (20 * NS_PER_MS)
/* between two looks at a device while the word stands: a handle that is no good any more is found by using
 * it, and that has to be before it is needed */
#define WATCH_KEEP_NS (300 * NS_PER_MS)
/* an agent that counts other devices for so long does not just start or end */
#define WATCH_DIFFERS_NS NS_PER_S

/* any: is fail-safe to be in force now? By the word, by when the agent last showed itself (0: never), and the
 * time, all BOOTTIME. */
bool watch_is_armed(int64_t deadline_ns, int64_t agent_beat_ns, int64_t boottime_ns);

/* any: when the word is to be looked at again. */
int64_t watch_next_ns(int64_t deadline_ns, int64_t boottime_ns);

/* any: what a device stands at: what is in force, or what it keeps and somebody else's lower limit hides. */
int64_t watch_standing_mw(const struct hand_seen *seen);

/* any: the cap to write on a device that stands at readback_mw (-1: not known); -1: none. */
int64_t watch_cap_mw(bool armed, int64_t readback_mw, int64_t fail_safe_mw);

struct watch_device {
    struct hand hand;
    struct word *word;
    int64_t fail_safe_mw;
    pthread_t thread;
    pthread_mutex_t *lock;      /* of all of them */
    pthread_cond_t *changed;
    const bool *stop;
    _Atomic uint64_t writes, failures;
    _Atomic int last_error;
};

struct watch {
    struct config config;
    struct word_file word;
    struct notify notify;
    uint32_t devices;
    struct hands hands;
    struct watch_device device[HOST_DEVICES_MAX];
    pthread_mutex_t lock;
    pthread_cond_t changed;     /* the word has passed, or the end is near */
    bool stop;
    bool agent_there, armed, told;
    int64_t differs_ns;         /* the agent counts other devices since then, BOOTTIME; 0 = it does not */
    uint64_t writes_told;
    int signal_fd;
    FILE *out;
};

/* setup: opens everything and says in `out` what is amiss. 0; -EBUSY: another watchdog runs; another
 * -errno. */
int watch_open(struct watch *watch, const struct config *config, FILE *out);

/* Until SIGTERM or SIGINT: 0. -EINVAL: the agent counts other devices, which is said; whoever starts it again
 * lists them anew, and without a watchdog the agent allows nothing above fail-safe. */
int watch_loop(struct watch *watch);

/* setup: false where a thread hangs in a driver: whoever calls ends the process at once. */
bool watch_close(struct watch *watch);

#endif
