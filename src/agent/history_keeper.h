/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes the history (history.h). The agent's loop leaves a sample in a queue: a store, no system call, and
 * it never waits. A thread of its own takes them to the file, so a disk that hangs holds up nothing else: the
 * queue holds 6 s, what comes after that is counted as lost, and the loop does not notice.
 *
 * The thread writes by pwrite, not into a mapping: a disk that fails gives an error that is counted, where a
 * mapping would give SIGBUS and end the agent. Nothing is synced: the kernel writes back when it likes, and
 * the newest seconds may be missing after a crash of the machine, not after one of the agent.
 */
#ifndef FLYBALL_AGENT_HISTORY_KEEPER_H
#define FLYBALL_AGENT_HISTORY_KEEPER_H

#include <pthread.h>
#include <stdatomic.h>

#include "agent/history.h"
#include "ring/spsc.h"

enum { HISTORY_QUEUE = 64, HISTORY_PATH_BYTES = 256 };

struct history_keeper {
    struct spsc queue;          /* from the loop */
    int64_t due_ns;             /* of the loop: the next sample */
    uint64_t places;
    uint64_t number;            /* of the newest record; the thread's */
    uint32_t lost_told;         /* of `lost`, the thread's */
    int fd;                     /* -1 = no history is kept */
    struct crc32c crc;
    pthread_t thread;
    bool running;
    _Atomic bool stop;
    _Atomic uint64_t written, lost, errors;
    _Alignas(64) struct history_sample place[HISTORY_QUEUE];
};

/* setup: opens the file at `path`, of `span_ns`, and goes on where its newest record stands. A file of
 * another host, version or size, or a damaged one, is kept beside as PATH.old, taking the place of one that
 * is there. All its bytes are taken from the disk now: a disk that fills later takes none of them back.
 * 0; -EINVAL span out of range; -ENOSPC and others of the disk, with why in words: the agent goes on without
 * a history. */
int history_keeper_open(struct history_keeper *keeper, const char *path, const char *host, int64_t span_ns,
                        char why[HISTORY_WHY_BYTES]);

/* setup: starts the thread. 0 or -errno. */
int history_keeper_start(struct history_keeper *keeper);

/* rt: is it time for a sample? Every HISTORY_PERIOD_NS; moments that were missed are not made up for. */
bool history_keeper_due(struct history_keeper *keeper, int64_t now_ns);

/* rt: leaves a sample for the thread. False: the queue is full, it is counted. */
bool history_keeper_note(struct history_keeper *keeper, const struct history_sample *sample);

/* any, the thread alone where it runs: writes all that waits. How many. */
uint32_t history_keeper_drain(struct history_keeper *keeper);

/* setup: ends the thread, writes what waits, closes. False: the thread hangs on the disk for a second;
 * what it uses must stay. */
bool history_keeper_close(struct history_keeper *keeper);

#endif
