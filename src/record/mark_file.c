/* SPDX-License-Identifier: Apache-2.0 */
#include "record/mark_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "record/crc32c.h"
#include "record/folder.h"

enum { FILE_BYTES_MAX = 4 << 20 };
static const char title[] = "flyball marks 1\n", ending[] = "end ";

static uint32_t crc_of(const char *text, size_t bytes)
{
    struct crc32c table;
    crc32c_init(&table);
    return crc32c(&table, 0, text, bytes);
}

/* ---- reading ---- */

static int read_whole(const char *path, char **text, size_t *bytes)
{
    struct stat facts;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return -errno;
    int error = fstat(fd, &facts) ? -errno : 0;
    if (!error && (!S_ISREG(facts.st_mode) || facts.st_size > FILE_BYTES_MAX))
        error = -EBADMSG;
    *text = error ? NULL : calloc(1, (size_t)facts.st_size + 1);
    if (!error && !*text)
        error = -ENOMEM;
    ssize_t got = error ? 0 : read(fd, *text, (size_t)facts.st_size);
    if (!error && got != facts.st_size)
        error = got < 0 ? -errno : -EBADMSG;
    close(fd);
    *bytes = (size_t)got;
    return error;
}

/* The last line tells the checksum of all before it. */
static bool is_whole(const char *text, size_t bytes)
{
    char last[sizeof ending + 10];
    size_t length = sizeof ending - 1 + 9;
    if (bytes < sizeof title - 1 + length || memcmp(text, title, sizeof title - 1) != 0)
        return false;
    snprintf(last, sizeof last, "%s%08" PRIx32 "\n", ending, crc_of(text, bytes - length));
    return !memcmp(text + bytes - length, last, length);
}

/* Mostly where it stood when it was written. */
static uint32_t find(const struct mark_names *names, const char *name, uint32_t at)
{
    for (uint32_t i = 0; i < names->count; i++) {
        uint32_t index = (at + i) % names->count;
        if (!strcmp(names->name(names->names, index), name))
            return index;
    }
    return UINT32_MAX;
}

static void take_lines(char *text, const struct mark_names *names, uint64_t *number, uint64_t *run)
{
    char *rest = NULL;
    strtok_r(text, "\n", &rest);
    const char *line = strtok_r(NULL, "\n", &rest);
    if (!line || sscanf(line, "run %" SCNx64, run) != 1)
        *run = 0;
    for (uint32_t at = 0; (line = strtok_r(NULL, "\n", &rest)) && strncmp(line, ending, 4) != 0; at++) {
        char *name;
        uint64_t value = strtoull(line, &name, 10);
        uint32_t index = *name == ' ' && names->count ? find(names, name + 1, at) : UINT32_MAX;
        if (index != UINT32_MAX)
            number[index] = value;
    }
}

int mark_file_read(const char *path, const struct mark_names *names, uint64_t *number, uint64_t *run)
{
    char *text = NULL;
    size_t bytes;
    memset(number, 0, names->count * sizeof *number);
    *run = 0;
    int error = read_whole(path, &text, &bytes);
    if (!error && !is_whole(text, bytes))
        error = -EBADMSG;
    if (!error)
        take_lines(text, names, number, run);
    free(text);
    return error == -ENOENT ? 0 : error;
}

/* ---- writing ---- */

static int print(FILE *out, const struct mark_names *names, const uint64_t *number, uint64_t run)
{
    fprintf(out, "%srun %016" PRIx64 "\n", title, run);
    for (uint32_t i = 0; i < names->count; i++)
        fprintf(out, "%" PRIu64 " %s\n", number[i], names->name(names->names, i));
    return fflush(out) ? -errno : 0;
}

static int put(const char *path, const char *text, size_t bytes)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0)
        return -errno;
    ssize_t written = write(fd, text, bytes);
    int error = written < 0 ? -errno : written != (ssize_t)bytes ? -ENOSPC : fsync(fd) ? -errno : 0;
    return close(fd) && !error ? -errno : error;
}

int mark_file_write(const char *path, const struct mark_names *names, const uint64_t *number, uint64_t run)
{
    char fresh[PATH_MAX], *text = NULL;
    size_t bytes = 0;
    if (snprintf(fresh, sizeof fresh, "%s.new", path) >= (int)sizeof fresh)
        return -ENAMETOOLONG;
    FILE *out = open_memstream(&text, &bytes);
    int error = out ? print(out, names, number, run) : -ENOMEM;
    if (!error)
        fprintf(out, "%s%08" PRIx32 "\n", ending, crc_of(text, bytes));
    if (out && fclose(out) && !error)
        error = -ENOMEM;
    if (!error)
        error = put(fresh, text, bytes);
    free(text);
    if (!error && rename(fresh, path))
        error = -errno;
    return error ? error : folder_sync(path);
}
