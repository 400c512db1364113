/* SPDX-License-Identifier: Apache-2.0 */
#include "record/epoch.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "record/folder.h"

enum { LINE_BYTES = 22 };       /* twenty digits, the end of the line, and one more that may not be there */

/* Digits and the end of the line, nothing else. */
static bool parse(const char *line, ssize_t bytes, uint64_t *epoch)
{
    uint64_t value = 0;
    if (bytes < 2 || bytes >= LINE_BYTES || line[bytes - 1] != '\n')
        return false;
    for (ssize_t i = 0; i + 1 < bytes; i++) {
        if (line[i] < '0' || line[i] > '9' || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(line[i] - '0'), &value))
            return false;
    }
    *epoch = value;
    return true;
}

int epoch_read(const char *path, uint64_t *epoch)
{
    char line[LINE_BYTES];
    *epoch = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return errno == ENOENT ? 0 : -errno;
    ssize_t bytes = read(fd, line, sizeof line);
    int error = bytes < 0 ? -errno : 0;
    close(fd);
    if (error)
        return error;
    return parse(line, bytes, epoch) ? 0 : -EBADMSG;
}

static int write_line(const char *path, uint64_t epoch)
{
    char line[LINE_BYTES + 1];
    int bytes = snprintf(line, sizeof line, "%" PRIu64 "\n", epoch);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0)
        return -errno;
    ssize_t written = write(fd, line, (size_t)bytes);
    int error = written < 0 ? -errno : written != bytes ? -ENOSPC : fsync(fd) ? -errno : 0;
    return close(fd) && !error ? -errno : error;
}

int epoch_write(const char *path, uint64_t epoch)
{
    char fresh[PATH_MAX];
    if (snprintf(fresh, sizeof fresh, "%s.new", path) >= (int)sizeof fresh)
        return -ENAMETOOLONG;
    int error = write_line(fresh, epoch);
    if (!error && rename(fresh, path))
        error = -errno;
    return error ? error : folder_sync(path);
}
