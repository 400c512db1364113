/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/doctor/doctor_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int __attribute__((format(printf, 3, 0)))
place(const struct doctor *doctor, char path[DOCTOR_PATH_BYTES], const char *format, va_list words)
{
    int start = snprintf(path, DOCTOR_PATH_BYTES, "%s", doctor->root);
    int rest = vsnprintf(path + start, DOCTOR_PATH_BYTES - (size_t)start, format, words);
    return start + rest < DOCTOR_PATH_BYTES ? 0 : -ENAMETOOLONG;
}

static int read_path(const char *path, char *text, size_t bytes)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    size_t length = 0;
    ssize_t got = 0;
    while (length < bytes - 1 && (got = read(fd, text + length, bytes - 1 - length)) > 0)
        length += (size_t)got;
    int error = got < 0 ? -errno : 0;
    close(fd);
    text[length] = 0;
    return error ? error : (int)length;
}

int doctor_read(const struct doctor *doctor, char *text, size_t bytes, const char *format, ...)
{
    char path[DOCTOR_PATH_BYTES];
    va_list words;
    va_start(words, format);
    int result = place(doctor, path, format, words);
    va_end(words);
    if (!result)
        result = read_path(path, text, bytes);
    if (result < 0) {
        *text = 0;
        return result;
    }
    text[strcspn(text, "\n")] = 0;
    return (int)strlen(text);
}

int doctor_read_all(const struct doctor *doctor, char *text, size_t bytes, const char *path)
{
    char whole[DOCTOR_PATH_BYTES];
    if (snprintf(whole, sizeof whole, "%s%s", doctor->root, path) >= (int)sizeof whole)
        return -ENAMETOOLONG;
    return read_path(whole, text, bytes);
}

int doctor_read_number(const struct doctor *doctor, int64_t *value, const char *format, ...)
{
    char path[DOCTOR_PATH_BYTES], text[64], *end;
    va_list words;
    va_start(words, format);
    int result = place(doctor, path, format, words);
    va_end(words);
    if (!result)
        result = read_path(path, text, sizeof text);
    if (result < 0)
        return result;
    *value = strtoll(text, &end, 10);
    return end == text ? -EINVAL : 0;
}

bool doctor_is_there(const struct doctor *doctor, const char *format, ...)
{
    char path[DOCTOR_PATH_BYTES];
    va_list words;
    va_start(words, format);
    int error = place(doctor, path, format, words);
    va_end(words);
    return !error && !access(path, F_OK);
}

int doctor_read_link(const struct doctor *doctor, char *name, size_t bytes, const char *format, ...)
{
    char path[DOCTOR_PATH_BYTES], target[DOCTOR_PATH_BYTES];
    va_list words;
    va_start(words, format);
    int error = place(doctor, path, format, words);
    va_end(words);
    if (error)
        return error;
    ssize_t length = readlink(path, target, sizeof target - 1);
    if (length < 0)
        return -errno;
    target[length] = 0;
    const char *last = strrchr(target, '/');
    snprintf(name, bytes, "%s", last ? last + 1 : target);
    return 0;
}

static int write_path(const char *path, const char *value)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_TRUNC);
    if (fd < 0)
        return -errno;
    ssize_t length = (ssize_t)strlen(value);
    int error = write(fd, value, (size_t)length) == length ? 0 : errno ? -errno : -EIO;
    if (close(fd) && !error)
        error = -errno;
    return error;
}

/* The word in brackets is the one chosen, in files that offer several: it alone can be written back. */
static void keep_chosen(char *text)
{
    char *open = strchr(text, '['), *close = open ? strchr(open, ']') : NULL;
    if (!close)
        return;
    *close = 0;
    memmove(text, open + 1, strlen(open + 1) + 1);
}

int doctor_replace(const struct doctor *doctor, const char *value, const char *format, ...)
{
    char path[DOCTOR_PATH_BYTES], before[DOCTOR_SAID_BYTES];
    va_list words;
    va_start(words, format);
    int error = place(doctor, path, format, words);
    va_end(words);
    if (error)
        return error;
    int length = read_path(path, before, sizeof before);
    if (length < 0)
        return length;
    before[strcspn(before, "\n")] = 0;
    keep_chosen(before);
    if (doctor->undo && (fprintf(doctor->undo, "%s\t%s\n", path + strlen(doctor->root), before) < 0 ||
                         fflush(doctor->undo) || (fsync(fileno(doctor->undo)) && errno != EINVAL)))
        return -EIO;
    return write_path(path, value);
}

enum { NOTES_MAX = 1024 };

static int put_back(const char *root, char *line, FILE *out)
{
    char path[DOCTOR_PATH_BYTES];
    char *value = strchr(line, '\t');
    if (!value)
        return -EINVAL;
    *value++ = 0;
    value[strcspn(value, "\n")] = 0;
    if (snprintf(path, sizeof path, "%s%s", root, line) >= (int)sizeof path)
        return -ENAMETOOLONG;
    int error = write_path(path, value);
    fprintf(out, "%s: %s%s%s\n", line, value, error ? ": not put back: " : "", error ? strerror(-error) : "");
    return error;
}

int doctor_undo(const char *root, const char *notes, FILE *out)
{
    char path[DOCTOR_PATH_BYTES];
    if (snprintf(path, sizeof path, "%s%s", root, notes) >= (int)sizeof path)
        return -ENAMETOOLONG;
    FILE *file = fopen(path, "re");
    if (!file)
        return -errno;
    char *line[NOTES_MAX];
    int count = 0, failed = 0;
    size_t room = 0;
    for (line[0] = NULL; count < NOTES_MAX - 1 && getline(&line[count], &room, file) > 0; room = 0)
        line[++count] = NULL;
    fclose(file);
    free(line[count]);
    while (count-- > 0) {
        failed += put_back(root, line[count], out) != 0;
        free(line[count]);
    }
    if (!failed && unlink(path))
        return -errno;
    return failed;
}
