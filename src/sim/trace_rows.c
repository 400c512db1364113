/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/trace_parts.h"

static const char header[] = "t_s,power_w";
static const double time_s_max = 4e9;
static const double span_s_max = 4e8;       /* ten usual distances of rows are nanoseconds within int64_t */
static const double power_w_max = 1e9;

/* A decimal number and nothing else: no hexadecimal, no infinity, no words. */
static bool read_number(const char *text, double *number)
{
    char *end;
    text += strspn(text, " \t");
    if (!*text || text[strspn(text, "+-.0123456789eE \t")])
        return false;
    *number = strtod(text, &end);
    return end != text && !end[strspn(end, " \t")] && isfinite(*number);
}

static void cut_end(char *line, size_t bytes)
{
    while (bytes > 0 && (line[bytes - 1] == '\n' || line[bytes - 1] == '\r'))
        line[--bytes] = '\0';
}

static int read_header(FILE *file, char **line, size_t *room, const char *path, FILE *report)
{
    ssize_t bytes = getline(line, room, file);
    if (bytes > 0)
        cut_end(*line, (size_t)bytes);
    if (bytes > 0 && !strcmp(*line, header))
        return 0;
    fprintf(report, "%s:1: the first line is not the header %s\n", path, header);
    return -EINVAL;
}

static int keep(struct trace_rows *rows, const struct trace_row *row)
{
    if (rows->count == TRACE_ROWS_MAX)
        return -E2BIG;
    if (rows->count == rows->room) {
        uint32_t room = rows->room ? 2 * rows->room : 4096;
        struct trace_row *grown = realloc(rows->row, room * sizeof(*grown));
        if (!grown)
            return -ENOMEM;
        rows->row = grown;
        rows->room = room;
    }
    rows->row[rows->count++] = *row;
    return 0;
}

/* What is wrong with it; TRACE_JUNK_COUNT: nothing. */
static enum trace_junk split(char *line, size_t bytes, double *t_s, double *power_w)
{
    char *comma = strchr(line, ',');
    if (strlen(line) != bytes || !comma || strchr(comma + 1, ','))
        return JUNK_COLUMNS;
    *comma = '\0';
    if (!read_number(line, t_s) || fabs(*t_s) > time_s_max)
        return JUNK_NUMBER;
    if (!read_number(comma + 1, power_w) || *power_w > power_w_max)
        return JUNK_NUMBER;
    return *power_w < 0 ? JUNK_NEGATIVE : TRACE_JUNK_COUNT;
}

static void refuse_row(struct trace *trace, enum trace_junk junk, uint32_t line)
{
    if (!trace->junk[junk]++)
        trace->junk_line[junk] = line;
}

static int refuse_far(const char *path, uint32_t line, double t_s, FILE *report)
{
    fprintf(report, "%s:%u: a time of %g s is more than %g s from the first\n", path, line, t_s, span_s_max);
    return -EINVAL;
}

static int read_rows(struct trace_rows *rows, struct trace *trace, FILE *file, char **line, size_t *room,
                     const char *path, FILE *report)
{
    double t_s = 0, power_w = 0, begin_s = 0;
    ssize_t bytes;
    int result = 0;
    for (uint32_t number = 2; !result && (bytes = getline(line, room, file)) >= 0; number++) {
        bool whole = (size_t)bytes == strlen(*line);
        cut_end(*line, (size_t)bytes);
        size_t length = strlen(*line);
        if (!length && whole)
            continue;
        enum trace_junk junk = split(*line, whole ? length : length + 1, &t_s, &power_w);
        struct trace_row row = {.power_w = power_w, .line = number};
        if (junk == TRACE_JUNK_COUNT && rows->count && fabs(t_s - begin_s) > span_s_max)
            return refuse_far(path, number, t_s, report);
        if (junk == TRACE_JUNK_COUNT) {
            begin_s = rows->count ? begin_s : t_s;
            row.t_ns = llround((t_s - begin_s) * 1e9);
            if (rows->count && row.t_ns <= rows->row[rows->count - 1].t_ns)
                junk = JUNK_TIME;
        }
        if (junk == TRACE_JUNK_COUNT)
            result = keep(rows, &row);
        else
            refuse_row(trace, junk, number);
    }
    return result ? result : ferror(file) ? -EIO : 0;
}

/* More than a tenth of rows not taken, or too few left to know a distance. */
static int judge(const struct trace *trace, const char *path, FILE *report)
{
    uint64_t junk = 0;
    uint32_t first = UINT32_MAX;
    for (int i = 0; i < TRACE_JUNK_COUNT; i++) {
        junk += trace->junk[i];
        if (trace->junk[i] && trace->junk_line[i] < first)
            first = trace->junk_line[i];
    }
    if (junk * TRACE_JUNK_SHARE > junk + trace->rows) {
        fprintf(report, "%s:%u: the first of %llu rows of %llu that cannot be taken: more than one in %d\n",
                path, first, (unsigned long long)junk, (unsigned long long)junk + trace->rows,
                TRACE_JUNK_SHARE);
        return -EINVAL;
    }
    if (trace->rows >= 2)
        return 0;
    fprintf(report, "%s:1: two rows at least are needed\n", path);
    return -EINVAL;
}

int trace_rows_read(struct trace_rows *rows, struct trace *trace, const char *path, FILE *report)
{
    char *line = NULL;
    size_t room = 0;
    FILE *file = fopen(path, "re");
    if (!file) {
        int error = errno;
        fprintf(report, "%s: %s\n", path, strerror(error));
        return -error;
    }
    int result = read_header(file, &line, &room, path, report);
    if (!result) {
        result = read_rows(rows, trace, file, &line, &room, path, report);
        if (result == -E2BIG)
            fprintf(report, "%s: more than %d rows\n", path, TRACE_ROWS_MAX);
        else if (result && result != -EINVAL)
            fprintf(report, "%s: %s\n", path, strerror(-result));
    }
    trace->rows = rows->count;
    free(line);
    fclose(file);
    return result ? result : judge(trace, path, report);
}
