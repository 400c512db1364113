/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal: the model's bytes, then every slot that decide processed, in order, with a digest of decisions each second.
 * Written by a cold thread through io_uring; a slow disk pauses the journal, never the loop. Read back by replay.
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
int journal_create(struct journal_writer **writer, const char *path, const struct model *model, const struct journal_start *start);

/* cold: queues one slot for writing; returns false when the disk is behind and the slot was dropped (counted). */
bool journal_append(struct journal_writer *writer, const struct slot *slot);

/* cold: pushes out what is buffered and reaps completions; does not wait. */
void journal_flush(struct journal_writer *writer);

/* cold: everything on disk, checksummed, closed. Returns slots dropped, or -errno. */
int64_t journal_finish(struct journal_writer *writer);

/* any: opens and checks header, model and checksums. On failure -errno and `error` says what and at which byte. */
int journal_open(struct journal_reader **reader, const char *path, char *error, size_t error_bytes);
const struct model *journal_model(const struct journal_reader *reader);
const struct journal_start *journal_started(const struct journal_reader *reader);

/* any: 1 and a slot, 0 at the end, -errno with `error` on damage. A torn tail (crash) ends the journal and is told. */
int journal_next(struct journal_reader *reader, struct slot *slot, char *error, size_t error_bytes);
void journal_close(struct journal_reader *reader);

#endif
