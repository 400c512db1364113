/* SPDX-License-Identifier: Apache-2.0 */
#include "rt/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TEXT_BYTES = 8192, BUSY_TRIES = 20, BUSY_NS = 50000000 };

/* Its first line. */
static int read_line(const char *path, int flags, char text[TEXT_BYTES])
{
    int fd = open(path, flags | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    ssize_t got = read(fd, text, TEXT_BYTES - 1);
    int error = got < 0 ? -errno : got == TEXT_BYTES - 1 ? -EOVERFLOW : 0;
    close(fd);
    if (error)
        return error;
    text[got] = 0;
    text[strcspn(text, "\n")] = 0;
    return 0;
}

/* In one write, as the kernel's files want it; of an ordinary file whoever reads it meanwhile sees no less
 * than the line. */
static int write_line(const char *path, const char *line)
{
    char text[TEXT_BYTES + 1];
    size_t length = strlen(line);
    memcpy(text, line, length);
    text[length] = '\n';
    struct stat file;
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    errno = EIO;
    int error = write(fd, text, length + 1) == (ssize_t)length + 1 ? 0 : -errno;
    bool longer = !fstat(fd, &file) && S_ISREG(file.st_mode) && file.st_size > (off_t)length + 1;
    if (!error && longer && ftruncate(fd, (off_t)length + 1))
        error = -errno;
    close(fd);
    return error;
}

int rt_keeper_share(struct rt_keeper *keeper, const char *path)
{
    const struct timespec rest = {.tv_nsec = BUSY_NS};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    /* who holds it alone is putting back what is to be read next */
    for (int i = 0; i < BUSY_TRIES && flock(fd, LOCK_SH | LOCK_NB) && errno == EWOULDBLOCK; i++)
        nanosleep(&rest, NULL);
    keeper->shared = fd;
    keeper->sharing = true;
    return 0;
}

int rt_keeper_add(struct rt_keeper *keeper, const char *path, const char *left)
{
    char before[TEXT_BYTES];
    int error = read_line(path, O_RDWR, before);
    if (error)
        return error;
    if (strlen(left) >= TEXT_BYTES)
        return -EOVERFLOW;
    struct rt_kept *more = realloc(keeper->kept, (keeper->count + 1) * sizeof *more);
    if (!more)
        return -ENOMEM;
    keeper->kept = more;
    struct rt_kept *kept = &more[keeper->count];
    *kept = (struct rt_kept){.path = strdup(path), .before = strdup(before), .left = strdup(left)};
    if (kept->path && kept->before && kept->left) {
        keeper->count++;
        return 0;
    }
    free(kept->path);
    free(kept->before);
    free(kept->left);
    return -ENOMEM;
}

/* The kernel refuses for a moment where what the process had of it is not yet given back. */
static int put_back(const struct rt_kept *kept)
{
    const struct timespec rest = {.tv_nsec = BUSY_NS};
    char now[TEXT_BYTES];
    int error = read_line(kept->path, O_RDONLY, now);
    if (error)
        return error == -ENOENT ? 0 : error;        /* an interrupt that nobody has any more */
    if (strcmp(now, kept->left))
        return 0;
    for (int i = 0; i < BUSY_TRIES; i++) {
        error = write_line(kept->path, kept->before);
        if (error != -EBUSY)
            break;
        nanosleep(&rest, NULL);
    }
    return error;
}

/* The process that started this one waits for it, and is waited for by those who share: it is let go. */
static void outlive_others(int shared)
{
    if (!flock(shared, LOCK_EX | LOCK_NB) || errno != EWOULDBLOCK)
        return;
    pid_t later = fork();
    if (later > 0)
        _exit(0);
    while (later == 0 && flock(shared, LOCK_EX) && errno == EINTR)
        ;
}

/* Holds nothing but the lifeline and the lock, hears no signal meant for the process, waits for its end. */
static _Noreturn void keep(const struct rt_keeper *keeper, int lifeline)
{
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    setsid();
    prctl(PR_SET_NAME, "flyball-keeper");
    int shared = keeper->sharing ? fcntl(keeper->shared, F_DUPFD, STDERR_FILENO) : STDERR_FILENO;
    if (dup2(lifeline, STDIN_FILENO) < 0 || (keeper->sharing && dup2(shared, STDOUT_FILENO) < 0))
        _exit(1);
    close_range(keeper->sharing ? STDERR_FILENO : STDOUT_FILENO, ~0U, 0);
    char byte;
    while (read(STDIN_FILENO, &byte, 1) < 0 && errno == EINTR)
        ;
    if (keeper->sharing)
        outlive_others(STDOUT_FILENO);
    int failed = 0;
    for (size_t i = keeper->count; i-- > 0;)
        failed |= put_back(&keeper->kept[i]) != 0;
    _exit(failed);
}

static int start_process(struct rt_keeper *keeper)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC))
        return -errno;
    keeper->process = fork();
    if (keeper->process < 0) {
        int error = -errno;
        keeper->process = 0;
        close(ends[0]);
        close(ends[1]);
        return error;
    }
    if (keeper->process == 0) {
        /* With the writing end still open here, it would never see it close. */
        close(ends[1]);
        keep(keeper, ends[0]);
    }
    close(ends[0]);
    keeper->lifeline = ends[1];
    return 0;
}

int rt_keeper_start(struct rt_keeper *keeper)
{
    int written = 0;
    int error = start_process(keeper);
    if (error)
        return error;
    for (size_t i = 0; i < keeper->count; i++) {
        keeper->kept[i].error = write_line(keeper->kept[i].path, keeper->kept[i].left);
        written += !keeper->kept[i].error;
    }
    return written;
}

static int wait_for(pid_t process)
{
    int status = 0;
    while (waitpid(process, &status, 0) < 0)
        if (errno != EINTR)
            return -errno;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EIO;
}

int rt_keeper_end(struct rt_keeper *keeper)
{
    int error = 0;
    if (keeper->process) {
        close(keeper->lifeline);
        error = wait_for(keeper->process);
    }
    for (size_t i = 0; i < keeper->count; i++) {
        free(keeper->kept[i].path);
        free(keeper->kept[i].before);
        free(keeper->kept[i].left);
    }
    free(keeper->kept);
    if (keeper->sharing)
        close(keeper->shared);
    *keeper = (struct rt_keeper){0};
    return error;
}
