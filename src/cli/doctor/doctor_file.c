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
    if (start < 0 || start >= DOCTOR_PATH_BYTES)
        return -ENAMETOOLONG;
    int rest = vsnprintf(path + start, DOCTOR_PATH_BYTES - (size_t)start, format, words);
    return rest >= 0 && rest < DOCTOR_PATH_BYTES - start ? 0 : -ENAMETOOLONG;
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
