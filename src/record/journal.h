/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal: the model's bytes, then every slot that decide processed, in order, with a digest of
 * decisions each second. Written by a cold thread through io_uring; a slow disk pauses the journal, never
 * the loop. Read back by replay.
 */
#ifndef FLYBALL_RECORD_JOURNAL_H
#define FLYBALL_RECORD_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "msg/model.h"
#include "msg/slot.h"

struct journal_writer;
struct journal_reader;

struct journal_start {
    uint64_t epoch;
    int64_t t_ns;               /* given to core_init */
    int64_t realtime_ns;
};

/* cold: creates (never overwrites) PATH. 0 or -errno. */
int journal_create(struct journal_writer **writer, const char *path, const struct model *model,
                   const struct journal_start *start);

/* cold: queues one slot for writing; returns false when the disk is behind and the slot was dropped
 * (counted). One thread at a time uses a writer. A process that limits file sizes ignores SIGXFSZ: then
 * that is an error like a full disk. */
bool journal_append(struct journal_writer *writer, const struct slot *slot);

/* cold: pushes out what is buffered, reaps completions, and tries refused writes again, one of them
 * while the disk takes nothing; does not wait. */
void journal_flush(struct journal_writer *writer);

/* cold: everything on disk, checksummed, marked as ended, closed. Returns slots dropped, or -errno.
 * Frees the writer either way. */
int64_t journal_finish(struct journal_writer *writer);

/* any, the writer's thread: how it goes. */
struct journal_statistics {
    const char *method;         /* "io_uring", or "pwrite" where the kernel does not permit that */
    uint64_t slots, blocks, bytes;  /* handed to the disk */
    uint64_t dropped;           /* slots that found every buffer waiting for the disk */
    uint64_t write_errors;      /* refused writes; each is tried again */
    int last_error;             /* -errno of the newest one, 0 = none */
};
void journal_statistics(const struct journal_writer *writer, struct journal_statistics *statistics);

/* any: opens and checks header, model and checksums. On failure -errno and `error` says what and at
 * which byte. */
int journal_open(struct journal_reader **reader, const char *path, char *error, size_t error_bytes);
const struct model *journal_model(const struct journal_reader *reader);
const struct journal_start *journal_started(const struct journal_reader *reader);

/* any: 1 and a slot, 0 at the end, -errno with `error` on damage. A journal without an end mark (crash,
 * or still being written) ends where it is torn: 0, and `error` tells the byte; after a clean end
 * `error` is "". */
int journal_next(struct journal_reader *reader, struct slot *slot, char *error, size_t error_bytes);

/* any: slots that the writer dropped before the block last read. */
uint64_t journal_dropped(const struct journal_reader *reader);
void journal_close(struct journal_reader *reader);

#endif
