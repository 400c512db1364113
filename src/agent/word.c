/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/word.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

enum { TMPFS_IS = 0x01021994 };
#define RAMFS_IS 0x858458f6L

static int64_t clock_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

int64_t word_boottime_ns(void)
{
    return clock_ns(CLOCK_BOOTTIME);
}

int64_t word_monotonic_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

static int is_in_memory(const char *folder)
{
    struct statfs seen;
    if (statfs(folder, &seen))
        return -errno;
    return seen.f_type == TMPFS_IS || seen.f_type == RAMFS_IS ? 0 : -EINVAL;
}

/* A file that stays open, or -errno. */
static int open_in(const char *folder, const char *name)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path)
        return -ENAMETOOLONG;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    return fd < 0 ? -errno : fd;
}

static int lock_side(const char *folder, enum word_side side)
{
    int fd = open_in(folder, side == WORD_AGENT ? "agent.lock" : "watchdog.lock");
    if (fd < 0)
        return fd;
    if (!flock(fd, LOCK_EX | LOCK_NB))
        return fd;
    int error = errno == EWOULDBLOCK ? -EBUSY : -errno;
    close(fd);
    return error;
}

/* Under the lock: whoever comes first fills it in. */
static int fill_in(int fd, struct word **mapped)
{
    struct stat seen;
    if (fstat(fd, &seen))
        return -errno;
    if (seen.st_size && seen.st_size != (off_t)sizeof(struct word))
        return -EBADMSG;
    /* all of it now: a page that the file system cannot give later would end whoever touches it */
    if (fallocate(fd, 0, 0, sizeof(struct word)) &&
        (errno != EOPNOTSUPP || ftruncate(fd, sizeof(struct word))))
        return -errno;
    struct word *word = mmap(NULL, sizeof *word, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (word == MAP_FAILED)
        return -errno;
    uint64_t magic = atomic_load(&word->magic);
    if (magic && (magic != WORD_MAGIC || word->version != WORD_VERSION)) {
        munmap(word, sizeof *word);
        return -EBADMSG;
    }
    if (!magic) {
        word->version = WORD_VERSION;
        atomic_store(&word->deadline_ns, WORD_PASSED_NS);
        atomic_store(&word->magic, WORD_MAGIC);
    }
    *mapped = word;
    return 0;
}

static int map_word(const char *folder, struct word **mapped)
{
    int fd = open_in(folder, "word-2");
    if (fd < 0)
        return fd;
    int error = flock(fd, LOCK_EX) ? -errno : fill_in(fd, mapped);
    flock(fd, LOCK_UN);     /* the mapping would keep the lock with the open file */
    close(fd);
    return error;
}

int word_open(struct word_file *file, const char *folder, enum word_side side)
{
    *file = (struct word_file){.lock = -1};
    int error = is_in_memory(folder);
    if (error)
        return error;
    int lock = lock_side(folder, side);
    if (lock < 0)
        return lock;
    error = map_word(folder, &file->word);
    if (error)
        close(lock);
    else
        file->lock = lock;
    return error;
}

static int check(const struct word *word)
{
    uint64_t magic = atomic_load(&word->magic);
    if (!magic)
        return -EAGAIN;
    return magic == WORD_MAGIC && word->version == WORD_VERSION ? 0 : -EBADMSG;
}

static int map_to_read(int fd, const struct word **word)
{
    struct stat seen;
    if (fstat(fd, &seen))
        return -errno;
    if (seen.st_size != (off_t)sizeof(struct word))
        return seen.st_size ? -EBADMSG : -EAGAIN;
    void *at = mmap(NULL, sizeof(struct word), PROT_READ, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED)
        return -errno;
    *word = at;
    int error = check(*word);
    if (error)
        munmap(at, sizeof(struct word));
    return error;
}

int word_look(const char *folder, const struct word **word)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/word-2", folder) >= (int)sizeof path)
        return -ENAMETOOLONG;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return -errno;
    int error = map_to_read(fd, word);
    close(fd);
    return error;
}

void word_close(struct word_file *file)
{
    if (!file->word)
        return;
    munmap(file->word, sizeof *file->word);
    close(file->lock);
    *file = (struct word_file){.lock = -1};
}
