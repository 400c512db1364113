/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What agent and watchdog share: a small file in memory that both map. The agent stores when fail-safe caps
 * are to be in force, whatever becomes of it; the watchdog writes them then. Each stores when it last was
 * alive. All times are CLOCK_BOOTTIME, ns: they count on while the machine sleeps.
 *
 * Each member stands for itself; none is read together with another, so no lock is needed.
 */
#ifndef FLYBALL_AGENT_WORD_H
#define FLYBALL_AGENT_WORD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "msg/limits.h"

#define WORD_MAGIC UINT64_C(0x314452574C464247)
enum { WORD_VERSION = 2 };

/* A deadline that has passed, for ever: what stands there before any agent has spoken. */
#define WORD_PASSED_NS INT64_C(1)

struct word {
    _Atomic uint64_t magic;             /* WORD_MAGIC once the rest is filled in */
    uint32_t version;
    _Atomic uint32_t devices;           /* of the agent; 0 = it has not told */
    _Atomic uint64_t incarnation;       /* of the newest agent process */
    _Atomic int64_t deadline_ns;        /* fail-safe from then on; 0 = it is in force */
    _Atomic int64_t agent_beat_ns, watchdog_beat_ns;    /* 0: never */
    /* of each device, as the agent counts them; 0 = none: told before `devices` */
    _Atomic int64_t fail_safe_mw[HOST_DEVICES_MAX];
    _Atomic uint64_t identities;        /* a digest of them, whatever their order; 0 = one is missing */
    _Atomic uint64_t watchdog_writes;   /* that have returned */
};

enum word_side { WORD_AGENT, WORD_WATCHDOG };

/* One that is open: the mapping, and the lock that keeps a second process of its side away. */
struct word_file {
    struct word *word;
    int lock;
};

/* setup: maps FOLDER/word-2, made where it is not there. 0; -EBUSY: a process of this side holds it already;
 * -EINVAL: the folder is not in memory (it would outlive a boot, and BOOTTIME does not); -EBADMSG: what
 * stands there is no such file; another -errno. */
int word_open(struct word_file *file, const char *folder, enum word_side side);
void word_close(struct word_file *file);

/* setup: maps it to be read alone; it is made by neither. 0; -ENOENT: no side has made it yet, -EAGAIN: it is
 * being filled in; -EBADMSG as above; another -errno. munmap of sizeof(struct word) frees. */
int word_look(const char *folder, const struct word **word);

/* any: CLOCK_BOOTTIME and CLOCK_MONOTONIC. */
int64_t word_boottime_ns(void);
int64_t word_monotonic_ns(void);

/* any: has the deadline passed at that time? Fail-safe that is in force has none. */
static inline bool word_has_passed(const struct word *word, int64_t boottime_ns)
{
    int64_t deadline_ns = atomic_load_explicit(&word->deadline_ns, memory_order_acquire);
    return deadline_ns && boottime_ns >= deadline_ns;
}

#endif
