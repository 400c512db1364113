/* SPDX-License-Identifier: Apache-2.0 */
#include "rt/throttle.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static int read_runtime(int fd, long *runtime_us)
{
    char text[32];
    ssize_t got = pread(fd, text, sizeof text - 1, 0);
    if (got < 0)
        return -errno;
    text[got] = 0;
    char *end;
    *runtime_us = strtol(text, &end, 10);
    return end == text ? -EINVAL : 0;
}

static int write_runtime(int fd, long runtime_us)
{
    char text[32];
    int length = snprintf(text, sizeof text, "%ld\n", runtime_us);
    return pwrite(fd, text, (size_t)length, 0) == length ? 0 : -errno;
}

/* The keeper: holds nothing but the lifeline and the file, hears no signal meant for the daemon, waits for
 * the end. */
static _Noreturn void keep(int lifeline, int fd, long runtime_us)
{
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    setsid();
    prctl(PR_SET_NAME, "flyball-keeper");
    lifeline = fcntl(lifeline, F_DUPFD, 3);
    fd = fcntl(fd, F_DUPFD, 3);
    if (dup2(lifeline, STDIN_FILENO) < 0 || dup2(fd, STDOUT_FILENO) < 0)
        _exit(1);
    close_range(STDERR_FILENO, ~0U, 0);
    char byte;
    while (read(STDIN_FILENO, &byte, 1) < 0 && errno == EINTR)
        ;
    long now_us = -1;
    /* somebody who set it meanwhile wants it so */
    if (!read_runtime(STDOUT_FILENO, &now_us) && now_us >= 0)
        _exit(0);
    _exit(write_runtime(STDOUT_FILENO, runtime_us) ? 1 : 0);
}

static int start_keeper(struct rt_throttle *throttle, int fd)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC))
        return -errno;
    throttle->keeper = fork();
    if (throttle->keeper < 0) {
        int error = -errno;
        close(ends[0]);
        close(ends[1]);
        return error;
    }
    if (throttle->keeper == 0) {
        /* With the writing end still open here, the keeper would never see it close. */
        close(ends[1]);
        keep(ends[0], fd, throttle->runtime_us);
    }
    close(ends[0]);
    throttle->lifeline = ends[1];
    return 0;
}

int rt_throttle_lift(struct rt_throttle *throttle, const char *file)
{
    *throttle = (struct rt_throttle){.lifeline = -1, .keeper = -1};
    int fd = open(file, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int result = read_runtime(fd, &throttle->runtime_us);
    if (!result && throttle->runtime_us >= 0) {
        result = start_keeper(throttle, fd);
        if (!result) {
            int error = write_runtime(fd, -1);
            result = error ? error : 1;
        }
        if (result < 0)
            rt_throttle_restore(throttle);
    }
    close(fd);
    return result;
}

int rt_throttle_restore(struct rt_throttle *throttle)
{
    if (throttle->lifeline < 0)
        return 0;
    close(throttle->lifeline);
    throttle->lifeline = -1;
    int status = 0;
    while (waitpid(throttle->keeper, &status, 0) < 0)
        if (errno != EINTR)
            return -errno;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EIO;
}
