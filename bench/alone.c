/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/alone.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#define LOCK_FILE "/run/lock/flyball-bench.lock"

/* The descriptor stays open for as long as the process lives; a child that is executed does not keep it. */
int bench_alone(const char *name, unsigned limit_s)
{
    int fd = open(LOCK_FILE, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return -errno;
    if (flock(fd, LOCK_EX | LOCK_NB)) {
        fprintf(stderr, "%s: waits for another bench in real time to end (%s)\n", name, LOCK_FILE);
        while (flock(fd, LOCK_EX))
            if (errno != EINTR)
                return -errno;
    }
    /* not handled, so that no thread has to run for it */
    signal(SIGALRM, SIG_DFL);
    alarm(limit_s);
    return 0;
}
