/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of the kernel that are changed while a process runs. A keeper process puts back what stood in them
 * when that process is gone for whatever reason, SIGKILL included: a signal handler could not promise that.
 * What somebody else has changed meanwhile he wants so: only what is still as it was left is put back.
 */
#ifndef FLYBALL_RT_KEEPER_H
#define FLYBALL_RT_KEEPER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct rt_kept {
    char *path, *before, *left; /* the first line that stood there, and the one that is written */
    int error;                  /* of the writing: 0 or -errno */
};

/* Starts as zeros. */
struct rt_keeper {
    struct rt_kept *kept;
    size_t count;
    pid_t process;              /* 0: none */
    int lifeline;               /* it acts when this end closes */
    int shared;                 /* open, with a shared lock, where `sharing` */
    bool sharing;
};

/* setup, first: several processes may want the same of the same files, one that takes over from another:
 * these name the same path here, any file that they can read. Whatever one of them has changed is put back
 * once the last has gone; until then its keeper waits. 0 or -errno. */
int rt_keeper_share(struct rt_keeper *keeper, const char *path);

/* setup: `left` will be written to the file `path`. Nothing is changed yet. 0; or -errno: it cannot be read,
 * is not to be written by this user, or -ENOMEM, and it is not in the list. */
int rt_keeper_add(struct rt_keeper *keeper, const char *path, const char *left);

/* setup, before any other thread exists (forks): starts the process, then writes all files of the list; their
 * `error` says which refused. How many were written; or -errno: no process, nothing written. */
int rt_keeper_start(struct rt_keeper *keeper);

/* setup: has all put back, waits until it stands (not for others who share it), forgets the list. 0, or -EIO
 * where a file refused; one that is gone did not. Harmless
 * where nothing was started. */
int rt_keeper_end(struct rt_keeper *keeper);

#endif
