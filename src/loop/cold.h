/* SPDX-License-Identifier: Apache-2.0 */
/* The cold threads beside the loop: the tap's reader (journal, clock discipline) and the watchdog. */
#ifndef FLYBALL_LOOP_COLD_H
#define FLYBALL_LOOP_COLD_H

#include "loop/crew.h"
#include "record/journal.h"

/* Reads the tap until it is told to stop and the tap is empty. */
struct drain {
    struct spsc *tap;
    struct journal_writer *journal;     /* NULL = none */
    struct timebase *base;
    int core;
    pthread_t thread;
    _Atomic bool stop;
    count_t slots;                      /* taken from the tap */
    count_t journal_dropped;            /* the disk was behind */
    count_t journal_bytes;              /* handed to the disk */
    count_t journal_errors;             /* refused writes, each tried again */
};

#define STALL_COUNTED_NS (INT64_C(100) * NS_PER_MS)
#define STALL_FATAL_NS (INT64_C(5) * NS_PER_S)

/* Looks at the heartbeats of the hot threads. A hot thread that stands still for STALL_FATAL_NS ends the
 * process: a supervisor starts it again, and until then the leases run out by themselves. */
struct watchdog {
    struct hot *hot;
    uint32_t hots;
    int core;
    int64_t counted_ns, fatal_ns;
    void (*fatal)(const struct hot *hot, int64_t stall_ns); /* does not return */
    pthread_t thread;
    _Atomic bool stop;
    uint64_t seen[HOTS_MAX];
    int64_t since_ns[HOTS_MAX];         /* the beat last moved */
    bool stalled[HOTS_MAX];
    count_t stalls;                     /* longer than counted_ns */
    count_t longest_ns;
};

/* cold: threads' bodies */
void *drain_run(void *drain);
void *watchdog_run(void *watchdog);

/* cold: one look at time now_ns; watchdog_start first. */
void watchdog_start(struct watchdog *watchdog, int64_t now_ns);
void watchdog_look(struct watchdog *watchdog, int64_t now_ns);

/* cold: takes everything that waits in the tap. Returns how many slots. */
uint32_t drain_some(struct drain *drain);

#endif
