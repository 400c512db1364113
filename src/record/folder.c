/* SPDX-License-Identifier: Apache-2.0 */
#include "record/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int folder_sync(const char *path)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    int bytes = slash ? (int)(slash - path + 1) : 1;
    if (snprintf(folder, sizeof folder, "%.*s", bytes, slash ? path : ".") >= (int)sizeof folder)
        return -ENAMETOOLONG;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int error = fsync(fd) ? -errno : 0;
    close(fd);
    return error == -EINVAL ? 0 : error;
}
