/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several writes to one file in flight, through io_uring; where a machine does not permit io_uring, the
 * same calls write at once with pwrite. The caller keeps the data until the write is reaped. One cold
 * thread at a time.
 */
#ifndef FLYBALL_RECORD_DISK_H
#define FLYBALL_RECORD_DISK_H

#include <liburing.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { DISK_DEPTH = 64 };

struct disk_done {
    uint32_t tag;
    int32_t result;             /* bytes written, or -errno */
};

struct disk {
    int fd;
    bool uring_used;
    pid_t placed;               /* thread whose kernel workers were told where they may run, 0 = none yet */
    struct io_uring uring;
    uint32_t in_flight;
    struct disk_done done[DISK_DEPTH];  /* without io_uring: written, not reaped yet */
    uint32_t done_first;
};

/* cold: 0, or -errno for another reason than io_uring being absent or forbidden. */
int disk_open(struct disk *disk, int fd);
void disk_close(struct disk *disk);

/* cold: starts a write; false when DISK_DEPTH are in flight. */
bool disk_write(struct disk *disk, uint32_t tag, const void *data, uint32_t bytes, uint64_t offset);

/* cold: the next write that ended. With `wait` false, and always when nothing is in flight: false when there
 * is none. */
bool disk_reap(struct disk *disk, bool wait, struct disk_done *done);

#endif
