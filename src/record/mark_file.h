/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers up to which frames of meters may have been accepted, kept twice.
 *
 * On the disk, a whole text file under its name or the one before it: what a crash of the machine leaves.
 *
 *     flyball marks 1
 *     run RUN
 *     NUMBER NAME
 *     end CRC
 *
 * In memory (tmpfs), stored to by the loop itself, without a system call: what a crash of the process leaves,
 * exact. It counts as newer than the disk's only where both are of the same run.
 */
#ifndef FLYBALL_RECORD_MARK_FILE_H
#define FLYBALL_RECORD_MARK_FILE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* Whose numbers: by index, no two the same. */
struct mark_names {
    uint32_t count;
    const char *(*name)(const void *names, uint32_t index);
    const void *names;
};

/* setup: number[i] is what the file says of that name, 0 where it says nothing; names that are not ours are
 * passed by. 0, also where there is no file; -EBADMSG: it is not whole; or another -errno. On failure all
 * numbers and *run are 0. */
int mark_file_read(const char *path, const struct mark_names *names, uint64_t *number, uint64_t *run);

/* cold: PATH has them, on the disk, when this returns 0; else -errno, and PATH has what it had. Writes
 * PATH.new beside it. */
int mark_file_write(const char *path, const struct mark_names *names, const uint64_t *number, uint64_t run);

struct mark_memory {
    int fd;                     /* -1 = none */
    void *memory;
    size_t bytes;
    _Atomic uint64_t *number;   /* by index */
};

/* setup: opens or makes PATH, on tmpfs. Where *run is not 0, before[i] is what it held of that name, and
 * is left as it was where it held nothing of it; else it is not whole, or new. -ENOTSUP: not in memory;
 * -EPERM: somebody else's, or others may write it. */
int mark_memory_open(struct mark_memory *memory, const char *path, const struct mark_names *names,
                     uint64_t *before, uint64_t *run);

/* setup: `number` stands in it, and it is this run's from now on. */
void mark_memory_begin(struct mark_memory *memory, const struct mark_names *names, const uint64_t *number,
                       uint64_t run);

void mark_memory_close(struct mark_memory *memory);

#endif
