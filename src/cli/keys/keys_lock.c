/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/keys/keys_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "auth/enlist.h"
#include "cli/cli.h"

int keys_lock(const char *key_path)
{
    char path[ENLIST_PATH_BYTES];
    if (snprintf(path, sizeof path, "%s.lock", key_path) >= (int)sizeof path)
        return -ENAMETOOLONG;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0 && flock(fd, LOCK_EX)) {
        int error = -errno;
        close(fd);
        return error;
    }
    return fd < 0 ? -errno : fd;
}

int keys_fail(const char *path, int error)
{
    fprintf(stderr, "flyball keys: %s: %s\n", path,
            error == -EBADMSG ? "a line is not that of a token"
            : error == -EPERM ? "others than its owner may open it, or it is somebody else's"
                              : strerror(-error));
    return error == -EBADMSG || error == -EPERM ? CLI_CONFIG : CLI_CONNECT;
}
