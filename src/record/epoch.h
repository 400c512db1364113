/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The highest epoch that a controller of this site has used on this machine: one line, a number, on the disk
 * before the first lease under it can leave. A wall clock that was set back gives no epoch that hosts have
 * seen, then, though the machine was started in between and the ledger in memory is gone.
 */
#ifndef FLYBALL_RECORD_EPOCH_H
#define FLYBALL_RECORD_EPOCH_H

#include <stdint.h>

/* setup: 0 and the epoch, 0 where there is no such file. -errno; -EBADMSG: what stands in it is no epoch. */
int epoch_read(const char *path, uint64_t *epoch);

/* setup: PATH has it, on the disk, when this returns 0; else -errno, and PATH has what it had. Writes
 * PATH.new beside it. */
int epoch_write(const char *path, uint64_t epoch);

#endif
