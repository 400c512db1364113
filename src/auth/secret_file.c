/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "record/folder.h"

static int write_whole(int fd, int (*fill)(const void *what, FILE *out), const void *what)
{
    FILE *out = fdopen(fd, "w");
    if (!out) {
        int error = -errno;
        close(fd);
        return error;
    }
    int error = fill(what, out);
    if (!error && (fflush(out) || fsync(fd)))
        error = -errno;
    if (fclose(out) && !error)
        error = -errno;
    return error;
}

int secret_file_write(const char *path, int (*fill)(const void *what, FILE *out), const void *what)
{
    char beside[4096];
    if (snprintf(beside, sizeof beside, "%s.XXXXXX", path) >= (int)sizeof beside)
        return -ENAMETOOLONG;
    int fd = mkostemp(beside, O_CLOEXEC);       /* mode 0600 */
    if (fd < 0)
        return -errno;
    int error = write_whole(fd, fill, what);
    if (!error && rename(beside, path))
        error = -errno;
    if (error)
        unlink(beside);
    return error ? error : folder_sync(path);
}

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
           a->st_mode == b->st_mode && a->st_uid == b->st_uid && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec && a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
           a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

bool secret_file_changed(const char *path, struct stat *seen)
{
    struct stat now = {0};
    if (stat(path, &now))
        now = (struct stat){0};
    bool changed = !is_same(&now, seen);
    *seen = now;
    return changed;
}
