/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/doctor/doctor_change.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/doctor/doctor_file.h"

int doctor_open_notes(struct doctor *doctor)
{
    char path[DOCTOR_PATH_BYTES];
    if (snprintf(path, sizeof path, "%s" DOCTOR_NOTES, doctor->root) >= (int)sizeof path)
        return -ENAMETOOLONG;
    doctor->undo = fopen(path, "a+e");
    return doctor->undo ? 0 : -errno;
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

static bool is_line_of(const char *line, const char *path)
{
    size_t length = strlen(path);
    return !strncmp(line, path, length) && line[length] == '\t';
}

/* The oldest value is the one that is wanted back. */
static bool is_noted(FILE *notes, const char *path)
{
    char *line = NULL;
    size_t room = 0;
    bool found = false;
    rewind(notes);
    while (!found && getline(&line, &room, notes) > 0)
        found = is_line_of(line, path);
    free(line);
    return found;
}

/* On the disk when it returns. `at`: where the notes ended before, -1 where they did not grow. */
static int note(FILE *notes, const char *path, const char *before, off_t *at)
{
    *at = -1;
    if (is_noted(notes, path))
        return 0;
    if (fseeko(notes, 0, SEEK_END))
        return errno == ESPIPE ? 0 : -errno;
    *at = ftello(notes);
    if (fprintf(notes, "%s\t%s\n", path, before) < 0 || fflush(notes))
        return -EIO;
    return fsync(fileno(notes)) && errno != EINVAL ? -errno : 0;
}

int doctor_replace(const struct doctor *doctor, const char *value, const char *format, ...)
{
    char path[DOCTOR_PATH_BYTES], before[DOCTOR_TEXT_BYTES];
    off_t at;
    va_list words;
    va_start(words, format);
    int length = vsnprintf(path, sizeof path, format, words);
    va_end(words);
    if (length < 0 || length >= (int)sizeof path || !doctor->undo)
        return -EINVAL;
    length = doctor_read_all(doctor, before, sizeof before, path);
    if (length < 0)
        return length;
    if (length == sizeof before - 1)
        return -EOVERFLOW;
    before[strcspn(before, "\n")] = 0;
    keep_chosen(before);
    int error = note(doctor->undo, path, before, &at);
    if (error)
        return error;
    char whole[2 * DOCTOR_PATH_BYTES];
    snprintf(whole, sizeof whole, "%s%s", doctor->root, path);
    error = write_path(whole, value);
    if (error && at >= 0 && ftruncate(fileno(doctor->undo), at))
        return -errno;
    return error;
}

struct notes {
    char **line;
    size_t count, room;
};

static int add_line(struct notes *notes, char *line)
{
    if (notes->count == notes->room) {
        size_t room = notes->room ? 2 * notes->room : 64;
        char **more = realloc(notes->line, room * sizeof *more);
        if (!more)
            return -ENOMEM;
        notes->line = more;
        notes->room = room;
    }
    notes->line[notes->count++] = line;
    return 0;
}

static int read_notes(const char *path, struct notes *notes)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return -errno;
    char *line = NULL;
    size_t room = 0;
    int error = 0;
    while (!error && getline(&line, &room, file) > 0) {
        error = add_line(notes, line);
        if (!error)
            line = NULL;
        room = 0;
    }
    if (!error && ferror(file))
        error = -EIO;
    free(line);
    fclose(file);
    return error;
}

/* Of a path that is gone nothing can be put back, and nothing needs to be. */
static int put_back(const char *root, const char *line, FILE *out)
{
    char path[2 * DOCTOR_PATH_BYTES], value[DOCTOR_TEXT_BYTES];
    size_t name = strcspn(line, "\t");
    if (!line[name])
        return -EINVAL;
    if (snprintf(path, sizeof path, "%s%.*s", root, (int)name, line) >= (int)sizeof path ||
        snprintf(value, sizeof value, "%.*s", (int)strcspn(line + name + 1, "\n"), line + name + 1) >=
            (int)sizeof value)
        return -ENAMETOOLONG;
    int error = write_path(path, value);
    fprintf(out, "%s: %s%s%s\n", path + strlen(root), value, error ? ": not put back: " : "",
            error ? strerror(-error) : "");
    return error == -ENOENT ? 0 : error;
}

/* The lines that are left, in a file that takes the place of the old one whole. */
static int keep_notes(const char *path, const struct notes *notes)
{
    char fresh[2 * DOCTOR_PATH_BYTES + 8];
    snprintf(fresh, sizeof fresh, "%s.new", path);
    FILE *file = fopen(fresh, "we");
    if (!file)
        return -errno;
    for (size_t i = 0; i < notes->count; i++)
        if (notes->line[i])
            fputs(notes->line[i], file);
    int error = ferror(file) ? -EIO : 0;
    if (fclose(file) && !error)
        error = -errno;
    if (!error && rename(fresh, path))
        error = -errno;
    return error;
}

int doctor_undo(const char *root, FILE *out)
{
    char path[2 * DOCTOR_PATH_BYTES];
    struct notes notes = {0};
    int failed = 0;
    if (snprintf(path, sizeof path, "%s" DOCTOR_NOTES, root) >= (int)sizeof path)
        return -ENAMETOOLONG;
    int error = read_notes(path, &notes);
    for (size_t i = notes.count; !error && i-- > 0;) {
        if (put_back(root, notes.line[i], out)) {
            failed++;
            continue;
        }
        free(notes.line[i]);
        notes.line[i] = NULL;
    }
    if (!error && failed)
        error = keep_notes(path, &notes);
    else if (!error && unlink(path))
        error = -errno;
    for (size_t i = 0; i < notes.count; i++)
        free(notes.line[i]);
    free(notes.line);
    return error ? error : failed;
}
