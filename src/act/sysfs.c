/* SPDX-License-Identifier: Apache-2.0 */
#include "act/sysfs.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NUMBER_BYTES = 24 };

int sysfs_parse(const char *text, size_t bytes, int64_t *value)
{
    int64_t number = 0;
    size_t at = 0;
    bool minus = bytes && text[0] == '-';
    if (bytes && text[bytes - 1] == '\n')
        bytes--;
    if (minus)
        at = 1;
    if (at >= bytes)
        return -EBADMSG;
    for (; at < bytes; at++) {
        if (text[at] < '0' || text[at] > '9')
            return -EBADMSG;
        int64_t digit = text[at] - '0';
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, minus ? -digit : digit, &number))
            return -ERANGE;
    }
    *value = number;
    return 0;
}

static int open_file(const char *folder, const char *name, int flags)
{
    char path[2 * ACT_PATH_BYTES];
    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path)
        return -ENAMETOOLONG;
    int fd = open(path, flags | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

/* The bytes that one read gives: attributes come whole. */
static ssize_t read_file(const char *folder, const char *name, char *text, size_t room)
{
    int fd = open_file(folder, name, O_RDONLY);
    if (fd < 0)
        return fd;
    ssize_t bytes = read(fd, text, room);
    int error = errno;
    close(fd);
    return bytes < 0 ? -error : bytes;
}

int sysfs_read(const char *folder, const char *name, int64_t *value)
{
    char text[NUMBER_BYTES];
    ssize_t bytes = read_file(folder, name, text, sizeof text);
    return bytes < 0 ? (int)bytes : sysfs_parse(text, (size_t)bytes, value);
}

int sysfs_write(const char *folder, const char *name, int64_t value)
{
    char text[NUMBER_BYTES];
    int length = snprintf(text, sizeof text, "%" PRId64 "\n", value);
    int fd = open_file(folder, name, O_WRONLY | O_TRUNC);
    if (fd < 0)
        return fd;
    ssize_t written = write(fd, text, (size_t)length);
    int error = written < 0 ? -errno : written != length ? -EIO : 0;
    return close(fd) && !error ? -errno : error;
}

/* Needs no descriptor. A device that was made anew has the same names and other files. */
static bool is_still(int fd, const char *path)
{
    struct stat here, kept;
    if (stat(path, &here))
        return errno != ENOENT;
    return !fstat(fd, &kept) && here.st_dev == kept.st_dev && here.st_ino == kept.st_ino;
}

static void keep_one(int *fd, const char *path, int flags)
{
    if (*fd >= 0 && is_still(*fd, path))
        return;
    if (*fd >= 0)
        close(*fd);
    *fd = open(path, flags | O_NONBLOCK | O_CLOEXEC);
}

static void keep(struct sysfs_kept *kept, const char *folder, const char *name)
{
    char path[2 * ACT_PATH_BYTES];
    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path)
        return;
    keep_one(&kept->read_fd, path, O_RDONLY);
    keep_one(&kept->write_fd, path, O_WRONLY);
}

void sysfs_drop(struct sysfs_kept *kept)
{
    if (kept->read_fd >= 0)
        close(kept->read_fd);
    if (kept->write_fd >= 0)
        close(kept->write_fd);
    *kept = SYSFS_NONE_KEPT;
}

bool sysfs_exhausted(int error)
{
    return error == -EMFILE || error == -ENFILE;
}

int sysfs_kept_read(struct sysfs_kept *kept, const char *folder, const char *name, int64_t *value)
{
    char text[NUMBER_BYTES];
    int error = sysfs_read(folder, name, value);
    keep(kept, folder, name);
    if (!sysfs_exhausted(error) || kept->read_fd < 0)
        return error;
    ssize_t bytes = pread(kept->read_fd, text, sizeof text, 0);
    return bytes < 0 ? -errno : sysfs_parse(text, (size_t)bytes, value);
}

/* An attribute of sysfs has no length to be cut; a file that stands in for one has. */
int sysfs_kept_write(const struct sysfs_kept *kept, int error, int64_t value)
{
    char text[NUMBER_BYTES];
    if (!sysfs_exhausted(error) || kept->write_fd < 0)
        return error;
    int length = snprintf(text, sizeof text, "%" PRId64 "\n", value);
    ssize_t written = pwrite(kept->write_fd, text, (size_t)length, 0);
    if (written != length)
        return written < 0 ? -errno : -EIO;
    if (ftruncate(kept->write_fd, length) && errno != EINVAL && errno != EPERM)
        return -errno;
    return 0;
}

int sysfs_line(const char *folder, const char *name, char *line, size_t room)
{
    ssize_t bytes = read_file(folder, name, line, room);
    if (bytes < 0)
        return (int)bytes;
    char *end = (char *)memchr(line, '\n', (size_t)bytes);
    if (!end && bytes == (ssize_t)room)
        return -ENAMETOOLONG;
    if (end)
        *end = '\0';
    else
        line[bytes] = '\0';
    return 0;
}

int sysfs_error(int error)
{
    switch (error) {
    case -ENOENT:
    case -ENXIO: return -ENODEV;
    case -EACCES:
    case -EROFS: return -EPERM;
    default: return error;
    }
}

int sysfs_class(const struct act *act, const char *class, char root[ACT_PATH_BYTES], DIR **at,
                char why[ACT_WHY_BYTES])
{
    const char *top = act->place.root[0] ? act->place.root : "/sys";
    if (snprintf(root, ACT_PATH_BYTES, "%s/class/%s", top, class) >= ACT_PATH_BYTES)
        return -ENAMETOOLONG;
    *at = opendir(root);
    if (*at)
        return 0;
    int error = -errno;
    snprintf(why, ACT_WHY_BYTES, "%.120s: %s", root, strerror(-error));
    return error;
}

static int by_identity(const void *a, const void *b)
{
    return strcmp(((const struct act_device *)a)->identity, ((const struct act_device *)b)->identity);
}

void sysfs_order(struct act *act)
{
    qsort(act->device, act->count, sizeof act->device[0], by_identity);
}

void sysfs_close(struct act *act)
{
    for (uint32_t i = 0; i < act->count; i++)
        free(act->device[i].own);
    act->count = 0;
}
