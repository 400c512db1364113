/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/check/markup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Bytes of the character at `text`, 0 where it is none that XML 1.0 has. */
static size_t character(const unsigned char *text)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t bytes = *text < 0x80           ? 1
                   : (*text & 0xE0) == 0xC0 ? 2
                   : (*text & 0xF0) == 0xE0 ? 3
                   : (*text & 0xF8) == 0xF0 ? 4
                                            : 0;
    uint32_t code = bytes < 2 ? *text : *text & (0x7Fu >> bytes);

    for (size_t i = 1; i < bytes; i++) {
        if ((text[i] & 0xC0) != 0x80)
            return 0;
        code = code << 6 | (text[i] & 0x3F);
    }
    if (!bytes || code < least[bytes] || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000) ||
        code == 0xFFFE || code == 0xFFFF)
        return 0;
    return code >= ' ' || code == '\t' || code == '\n' ? bytes : 0;
}

static void put(FILE *out, const unsigned char *text, size_t bytes)
{
    switch (*text) {
    case '&':
        fputs("&amp;", out);
        break;
    case '<':
        fputs("&lt;", out);
        break;
    case '>':
        fputs("&gt;", out);
        break;
    case '"':
        fputs("&quot;", out);
        break;
    case '\'':
        fputs("&#39;", out);
        break;
    default:
        fwrite(text, 1, bytes, out);
    }
}

void markup_escape(FILE *out, const char *text)
{
    const unsigned char *at = (const unsigned char *)text;

    while (*at) {
        size_t bytes = character(at);

        if (bytes)
            put(out, at, bytes);
        else
            fputs("\xEF\xBF\xBD", out);
        at += bytes ? bytes : 1;
    }
}

void markup_format(FILE *out, const char *format, ...)
{
    char text[MARKUP_FORMAT_MAX];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    markup_escape(out, text);
}

/* 1 ours, 0 not there, -EEXIST somebody else's, or another -errno. */
static int whose(const char *path)
{
    char head[401];
    size_t n;
    FILE *in = fopen(path, "re");

    if (!in)
        return errno == ENOENT ? 0 : -errno;
    errno = 0;
    n = fread(head, 1, sizeof head - 1, in);
    int rc = !ferror(in) ? 0 : errno ? -errno : -EIO;

    fclose(in);
    head[n] = '\0';
    if (rc)
        return rc;
    return strstr(head, MARKUP_OURS) ? 1 : -EEXIST;
}

static int write_whole(int fd, const char *text, size_t bytes)
{
    while (bytes) {
        ssize_t n = write(fd, text, bytes);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        text += n;
        bytes -= (size_t)n;
    }
    return 0;
}

/* mkstemp makes files that only their owner reads; a drawing has the mode of any new file. */
static mode_t mode_of_new(void)
{
    mode_t mask = umask(0);

    umask(mask);
    return 0666 & ~mask;
}

static int write_beside(struct markup_file *file)
{
    snprintf(file->temporary, sizeof file->temporary, "%s.XXXXXX", file->path);
    int fd = mkostemp(file->temporary, O_CLOEXEC);

    if (fd < 0) {
        int rc = -errno;

        *file->temporary = '\0';
        return rc;
    }
    int rc = write_whole(fd, file->text, file->bytes);

    if (!rc && fchmod(fd, mode_of_new()))
        rc = -errno;
    if (!rc && fsync(fd))
        rc = -errno;
    if (close(fd) && !rc)
        rc = -errno;
    return rc;
}

static int put_in_place(struct markup_file *file)
{
    if (rename(file->temporary, file->path))
        return -errno;
    *file->temporary = '\0';
    return 0;
}

static int say(int rc, const char *path, char *fault, size_t bytes)
{
    if (rc == -EEXIST)
        snprintf(fault, bytes, "%s is there and flyball did not write it: name another place, or move it",
                 path);
    else
        snprintf(fault, bytes, "%s cannot be written: %s", path, strerror(-rc));
    return rc;
}

int markup_write(struct markup_file *file, size_t count, char *fault, size_t fault_bytes)
{
    int rc = 0;
    size_t at = 0;

    for (size_t i = 0; i < count; i++)
        *file[i].temporary = '\0';
    for (; !rc && at < count; at += !rc) {
        rc = whose(file[at].path);
        rc = rc > 0 ? 0 : rc;
    }
    for (at = rc ? at : 0; !rc && at < count; at += !rc)
        rc = write_beside(&file[at]);
    for (at = rc ? at : 0; !rc && at < count; at += !rc)
        rc = put_in_place(&file[at]);
    if (rc)
        say(rc, file[at].path, fault, fault_bytes);
    for (size_t i = 0; i < count; i++)
        if (*file[i].temporary)
            unlink(file[i].temporary);
    return rc;
}
