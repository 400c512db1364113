/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/derive.h"

enum { FIRST_ROWS = 64, ERRORS_MAX = 100, ID_MAX = 65535 };

struct reader {
    const char *path;
    FILE *report;
    struct auth_keys *keys;
    uint32_t room, line, errors;
};

__attribute__((format(printf, 3, 4)))
static void say(struct reader *reader, uint32_t line, const char *format, ...)
{
    va_list arguments;
    if (++reader->errors > ERRORS_MAX)
        return;
    fprintf(reader->report, "%s:%" PRIu32 ": error: ", reader->path, line);
    va_start(arguments, format);
    vfprintf(reader->report, format, arguments);
    va_end(arguments);
    fputc('\n', reader->report);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool read_secret(const char *text, uint8_t secret[AUTH_KEY_BYTES])
{
    if (strlen(text) != (size_t)2 * AUTH_KEY_BYTES)
        return false;
    for (int i = 0; i < AUTH_KEY_BYTES; i++) {
        int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        secret[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static bool read_id(const char *text, uint16_t *id)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    *id = (uint16_t)value;
    return *text >= '0' && *text <= '9' && !*end && value >= 1 && value <= ID_MAX;
}

/* Never shows a word that may be a key. */
static void read_extra(struct reader *reader, const char *word, struct auth_row *row)
{
    static const char before[] = "not-before=", after[] = "not-after=";
    int64_t *place = NULL;
    const char *value = word;
    if (!strncmp(word, before, sizeof before - 1))
        place = &row->not_before_s, value += sizeof before - 1;
    else if (!strncmp(word, after, sizeof after - 1))
        place = &row->not_after_s, value += sizeof after - 1;
    if (place && !auth_time_read(value, place))
        say(reader, reader->line, "'%s' is no time; write it as 2026-11-22T10:00:00Z, in UTC", value);
    else if (!place && strcmp(word, "revoked") != 0)
        say(reader, reader->line,
            "behind the key stands something that is none of not-before=TIME, not-after=TIME, revoked");
    row->revoked |= !strcmp(word, "revoked");
}

static void read_name(struct reader *reader, const char *who, const char *name, struct auth_row *row)
{
    row->who = !strcmp(who, "host") ? AUTH_HOST : !strcmp(who, "meter") ? AUTH_METER : 0;
    if (!row->who)
        say(reader, reader->line, "a line begins with host or meter");
    else if (strlen(name) >= sizeof row->name)
        say(reader, reader->line, "a name has at most %d bytes", NAME_BYTES - 1);
    else
        memcpy(row->name, name, strlen(name) + 1);
}

static void read_words(struct reader *reader, char *text, struct auth_row *row)
{
    static const char space[] = " \t\r\n";
    char *rest = NULL, *who = strtok_r(text, space, &rest), *name = strtok_r(NULL, space, &rest);
    char *id = strtok_r(NULL, space, &rest), *secret = strtok_r(NULL, space, &rest), *extra;
    if (!secret) {
        say(reader, reader->line, "a line is: host|meter NAME ID KEY [not-before=TIME] [not-after=TIME] "
            "[revoked]");
        return;
    }
    read_name(reader, who, name, row);
    if (!read_id(id, &row->id))
        say(reader, reader->line, "the key id is a whole number from 1 to %d", ID_MAX);
    if (!read_secret(secret, row->secret))
        say(reader, reader->line, "a key is %d hexadecimal digits", 2 * AUTH_KEY_BYTES);
    while ((extra = strtok_r(NULL, space, &rest)))
        read_extra(reader, extra, row);
    if (row->not_after_s <= row->not_before_s)
        say(reader, reader->line, "not-after is not behind not-before: the key would never be in force");
}

static struct auth_row *new_row(struct reader *reader)
{
    struct auth_keys *keys = reader->keys;
    if (keys->count == reader->room) {
        uint32_t room = reader->room ? 2 * reader->room : FIRST_ROWS;
        /* not realloc: it would leave keys behind where they stood */
        struct auth_row *more = calloc(room, sizeof *more);
        if (!more)
            return NULL;
        if (keys->count)
            memcpy(more, keys->row, keys->count * sizeof *more);
        if (keys->row)
            OPENSSL_cleanse(keys->row, keys->count * sizeof *keys->row);
        free(keys->row);
        keys->row = more;
        reader->room = room;
    }
    struct auth_row *row = &keys->row[keys->count++];
    *row = (struct auth_row){.line = reader->line, .not_before_s = INT64_MIN, .not_after_s = INT64_MAX};
    return row;
}

static int read_line(struct reader *reader, char *text)
{
    char *comment = strchr(text, '#');
    reader->line++;
    if (!strchr(text, '\n') && strlen(text) + 1 >= AUTH_LINE_BYTES) {
        say(reader, reader->line, "a line has at most %d bytes", AUTH_LINE_BYTES - 2);
        return -EINVAL;
    }
    if (comment)
        *comment = 0;
    if (!text[strspn(text, " \t\r\n")])
        return 0;
    if (reader->keys->count == AUTH_ROWS_MAX) {
        say(reader, reader->line, "a file has at most %d keys", AUTH_ROWS_MAX);
        return -EINVAL;
    }
    struct auth_row *row = new_row(reader);
    if (!row)
        return -ENOMEM;
    read_words(reader, text, row);
    return 0;
}

static int read_lines(struct reader *reader, FILE *in)
{
    char text[AUTH_LINE_BYTES];
    int error = 0;
    while (!error && fgets(text, sizeof text, in))
        error = read_line(reader, text);
    if (!error && ferror(in))
        error = -EIO;
    OPENSSL_cleanse(text, sizeof text);
    return error;
}

static int by_id(const void *left, const void *right)
{
    const struct auth_row *a = *(const struct auth_row *const *)left;
    const struct auth_row *b = *(const struct auth_row *const *)right;
    int name = a->who == AUTH_HOST && b->who == AUTH_HOST ? strcmp(a->name, b->name) : 0;
    if (a->who != b->who)
        return a->who < b->who ? -1 : 1;
    if (name || a->id != b->id)
        return name ? name : a->id < b->id ? -1 : 1;
    return a->line < b->line ? -1 : 1;
}

static int by_secret(const void *left, const void *right)
{
    const struct auth_row *a = *(const struct auth_row *const *)left;
    const struct auth_row *b = *(const struct auth_row *const *)right;
    int order = memcmp(a->secret, b->secret, sizeof a->secret);
    return order ? order : a->line < b->line ? -1 : 1;
}

static bool same_id(const struct auth_row *a, const struct auth_row *b)
{
    return a->who == b->who && a->id == b->id && (a->who == AUTH_METER || !strcmp(a->name, b->name));
}

static int check_doubles(struct reader *reader)
{
    const struct auth_keys *keys = reader->keys;
    const struct auth_row **row = calloc(keys->count + 1, sizeof *row);
    if (!row)
        return -ENOMEM;
    for (uint32_t i = 0; i < keys->count; i++)
        row[i] = &keys->row[i];
    qsort(row, keys->count, sizeof *row, by_id);
    for (uint32_t i = 1; i < keys->count; i++)
        if (same_id(row[i - 1], row[i]))
            say(reader, row[i]->line, "key id %u stands in line %" PRIu32 " already%s", row[i]->id,
                row[i - 1]->line, row[i]->who == AUTH_METER ? "; ids of meters are one range" : "");
    qsort(row, keys->count, sizeof *row, by_secret);
    for (uint32_t i = 1; i < keys->count; i++)
        if (!memcmp(row[i - 1]->secret, row[i]->secret, AUTH_KEY_BYTES))
            say(reader, row[i]->line, "this key stands in line %" PRIu32 " already", row[i - 1]->line);
    free(row);
    return 0;
}

/* The newest first: by not-before, then the later in the file. */
static int by_age(const void *left, const void *right)
{
    const struct auth_row *a = left, *b = right;
    if (a->not_before_s != b->not_before_s)
        return a->not_before_s > b->not_before_s ? -1 : 1;
    return a->line > b->line ? -1 : 1;
}

static int open_checked(const char *path, FILE *report, FILE **in)
{
    struct stat facts;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    int error = fd < 0 || fstat(fd, &facts) ? -errno : 0;
    if (error) {
        fprintf(report, "%s: error: %s\n", path, strerror(-error));
    } else if (!S_ISREG(facts.st_mode)) {
        fprintf(report, "%s: error: a key file is a regular file\n", path);
        error = -EINVAL;
    } else if (facts.st_mode & (S_IRWXG | S_IRWXO)) {
        fprintf(report, "%s: error: mode %04o: others than its owner may open it; chmod 0600, and if they "
                "could read it, make new keys\n", path, (unsigned)facts.st_mode & 07777);
        error = -EINVAL;
    } else if (facts.st_uid != geteuid() && facts.st_uid != 0) {
        fprintf(report, "%s: error: belongs to user %u; it must be this process's own or root's\n", path,
                (unsigned)facts.st_uid);
        error = -EINVAL;
    }
    *in = error ? NULL : fdopen(fd, "r");
    if (!error && !*in)
        error = -errno;
    if (!*in && fd >= 0)
        close(fd);
    return error;
}

int auth_keys_read(struct auth_keys *keys, const char *path, FILE *report)
{
    struct reader reader = {.path = path, .report = report, .keys = keys};
    char buffer[BUFSIZ];
    FILE *in;
    *keys = (struct auth_keys){0};
    int error = open_checked(path, report, &in);
    if (error)
        return error;
    setvbuf(in, buffer, _IOFBF, sizeof buffer);
    error = read_lines(&reader, in);
    fclose(in);
    OPENSSL_cleanse(buffer, sizeof buffer);
    if (!error)
        error = check_doubles(&reader);
    if (!error && !reader.errors && !keys->count)
        say(&reader, reader.line + 1, "no key stands in it");
    if (!error && reader.errors)
        error = -EINVAL;
    if (!error)
        error = auth_derive(keys->row, keys->count);
    if (error == -EIO)
        fprintf(report, "%s: error: not read or not derived to the end\n", path);
    if (error)
        auth_keys_free(keys);
    else
        qsort(keys->row, keys->count, sizeof *keys->row, by_age);
    return error;
}

void auth_keys_free(struct auth_keys *keys)
{
    if (keys->row)
        OPENSSL_cleanse(keys->row, keys->count * sizeof *keys->row);
    free(keys->row);
    *keys = (struct auth_keys){0};
}
