/* SPDX-License-Identifier: Apache-2.0 */
/* t_s,va,vb,vc,ia,ib,ic: seconds, volts, amperes. Lines that are empty or begin with # are left out. */
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/measure/recording.h"
#include "core/measure_meter.h"

enum { COLUMNS_MAX = SAMPLES_CHANNELS_MAX + 1, TIME = SAMPLES_CHANNELS_MAX, NAME_MAX_BYTES = 24,
       STEPS = 4096 };
#define T_MIN_S (-2e9)           /* times in ns of which differences are numbers */
#define T_MAX_S 4e9
#define BETWEEN 0.25            /* of a period: no sample lies there */
#define STAMP_S 1e-6            /* what times are rounded to at the worst, for the rate */

static const char *const column_name[COLUMNS_MAX] = {[SAMPLES_VA] = "va", [SAMPLES_VB] = "vb",
    [SAMPLES_VC] = "vc", [SAMPLES_IA] = "ia", [SAMPLES_IB] = "ib", [SAMPLES_IC] = "ic", [SAMPLES_VN] = "vn",
    [SAMPLES_IN] = "in", [TIME] = "t_s"};

struct csv_reader {
    struct recording *recording;
    uint32_t column[COLUMNS_MAX], columns;      /* which one each cell is */
    double *t_s;
    uint64_t *line;                             /* of each row */
    uint64_t room;
};

static int wrong(struct recording *recording, uint64_t line, const char *what)
{
    recording->line = line;
    snprintf(recording->what, sizeof recording->what, "%s", what);
    return -EINVAL;
}

static int wrong_cell(struct recording *recording, uint64_t line, const char *column, const char *what)
{
    recording->line = line;
    snprintf(recording->what, sizeof recording->what, "column %s: %s", column, what);
    return -EINVAL;
}

static bool is_end(char c)
{
    return c == '\0' || c == '\n' || c == '\r';
}

static const char *skip_blanks(const char *at)
{
    while (*at == ' ' || *at == '\t')
        at++;
    return at;
}

static int read_name(struct csv_reader *reader, uint64_t line, const char *name, size_t bytes)
{
    char shown[NAME_MAX_BYTES + 1];
    uint32_t which = 0;

    while (which < COLUMNS_MAX && (strlen(column_name[which]) != bytes ||
                                   strncmp(column_name[which], name, bytes)))
        which++;
    snprintf(shown, sizeof shown, "%.*s", (int)(bytes < NAME_MAX_BYTES ? bytes : NAME_MAX_BYTES), name);
    if (which == COLUMNS_MAX)
        return wrong_cell(reader->recording, line, shown,
                          "unknown; there are t_s, va, vb, vc, ia, ib, ic, vn, in");
    for (uint32_t k = 0; k < reader->columns; k++)
        if (reader->column[k] == which)
            return wrong_cell(reader->recording, line, shown, "twice");
    reader->column[reader->columns++] = which;
    return 0;
}

static bool has(const struct csv_reader *reader, uint32_t which)
{
    for (uint32_t k = 0; k < reader->columns; k++)
        if (reader->column[k] == which)
            return true;
    return false;
}

static int read_header(struct csv_reader *reader, uint64_t line, const char *at)
{
    struct recording *recording = reader->recording;

    for (;;) {
        at = skip_blanks(at);
        size_t bytes = strcspn(at, ",\r\n"), blank = bytes;

        while (blank && (at[blank - 1] == ' ' || at[blank - 1] == '\t'))
            blank--;
        int rc = read_name(reader, line, at, blank);

        if (rc)
            return rc;
        if (at[bytes] != ',')
            break;
        at += bytes + 1;
    }
    bool others = has(reader, SAMPLES_VB) && has(reader, SAMPLES_VC);

    if (!has(reader, TIME) || !has(reader, SAMPLES_VA))
        return wrong(recording, line, "the header lacks t_s or va");
    if (!others && (has(reader, SAMPLES_VB) || has(reader, SAMPLES_VC)))
        return wrong(recording, line, "the header has one of vb and vc only");
    recording->phases = others ? 3 : 1;
    recording->channels = has(reader, SAMPLES_VN) || has(reader, SAMPLES_IN) ? 8 : 6;
    if (recording->channels == 8 && !has(reader, SAMPLES_IN))
        return wrong(recording, line, "the header has vn without in");
    return 0;
}

static int read_row(struct csv_reader *reader, uint64_t line, const char *at)
{
    struct recording *recording = reader->recording;
    double *row = recording->value[recording->rows];

    memset(row, 0, sizeof *recording->value);
    for (uint32_t k = 0; k < reader->columns; k++) {
        const char *name = column_name[reader->column[k]];
        char *end;
        double value = strtod(at, &end);

        if (end == at || !isfinite(value))
            return wrong_cell(recording, line, name, "no number");
        bool is_time = reader->column[k] == TIME;
        if (is_time ? value < T_MIN_S || value > T_MAX_S : fabs(value) > RECORDING_VALUE_MAX)
            return wrong_cell(recording, line, name, "too large");
        *(is_time ? &reader->t_s[recording->rows] : &row[reader->column[k]]) = value;
        at = skip_blanks(end);
        if (k + 1 < reader->columns && *at != ',')
            return wrong_cell(recording, line, name, is_end(*at) ? "the last; the header has more"
                                                                 : "something behind the number");
        at += *at == ',' && k + 1 < reader->columns;
    }
    if (!is_end(*at))
        return wrong(recording, line, "more cells than the header has");
    reader->line[recording->rows++] = line;
    return 0;
}

static int make_room(struct csv_reader *reader)
{
    uint64_t before = reader->room;
    int rc = recording_room(reader->recording, &reader->room);

    if (rc || before == reader->room)
        return rc;
    void *t_s = realloc(reader->t_s, reader->room * sizeof *reader->t_s);

    if (t_s)
        reader->t_s = t_s;
    void *line = realloc(reader->line, reader->room * sizeof *reader->line);

    if (line)
        reader->line = line;
    return t_s && line ? 0 : -ENOMEM;
}

static int read_lines(struct csv_reader *reader, const char *text)
{
    int rc = 0;

    if (!strncmp(text, "\xEF\xBB\xBF", 3))
        text += 3;
    for (uint64_t line = 1; !rc && *text; line++) {
        const char *at = skip_blanks(text);

        if (!is_end(*at) && *at != '#') {
            rc = make_room(reader);
            if (!rc)
                rc = reader->columns ? read_row(reader, line, at) : read_header(reader, line, at);
        }
        text += strcspn(text, "\n");
        text += *text == '\n';
    }
    if (!rc && reader->recording->rows < 3)
        return wrong(reader->recording, 0, "fewer than three samples");
    return rc;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* The median of the first steps: a gap among them does not matter. */
static double usual_step_s(const struct csv_reader *reader)
{
    double step_s[STEPS];
    uint64_t steps = reader->recording->rows - 1 < STEPS ? reader->recording->rows - 1 : STEPS;

    for (uint64_t k = 0; k < steps; k++)
        step_s[k] = reader->t_s[k + 1] - reader->t_s[k];
    qsort(step_s, steps, sizeof *step_s, by_size);
    return step_s[steps / 2];
}

/* Times are rounded, so the rate is that of the whole file, and a whole number where it may be one. */
static int64_t period_of_ps(const struct csv_reader *reader)
{
    const struct recording *recording = reader->recording;
    double took_s = reader->t_s[recording->rows - 1] - reader->t_s[0];
    double rate_hz = (double)recording->number[recording->rows - 1] / took_s, whole_hz = round(rate_hz);

    if (fabs(rate_hz - whole_hz) <= rate_hz * 2 * STAMP_S / took_s)
        rate_hz = whole_hz;
    return llround(1e12 / rate_hz);
}

static int number_rows(struct csv_reader *reader)
{
    struct recording *recording = reader->recording;
    double step_s = usual_step_s(reader);

    if (!(step_s >= 0.99 / MEASURE_RATE_MAX_HZ && step_s <= 1.01 / MEASURE_RATE_MIN_HZ))
        return wrong(recording, reader->line[1], "samples come at less than 1 kHz or more than 16 kHz");
    recording->number[0] = 0;
    for (uint64_t k = 1; k < recording->rows; k++) {
        double steps = (reader->t_s[k] - reader->t_s[k - 1]) / step_s;

        if (steps <= 0)
            return wrong(recording, reader->line[k], "column t_s: not later than the line before");
        if (steps > 1e9 || fabs(steps - round(steps)) > BETWEEN + 0.001 * steps)
            return wrong(recording, reader->line[k], "column t_s: between two samples of the usual rate");
        recording->number[k] = recording->number[k - 1] + llround(steps);
    }
    recording->runs = 1;
    recording->run[0] = (struct recording_run){.period_ps = period_of_ps(reader), .rows = recording->rows,
                                               .t_ns = llround(reader->t_s[0] * 1e9)};
    return 0;
}

int recording_csv(struct recording *recording, const char *text)
{
    struct csv_reader reader = {.recording = recording};
    int rc;

    *recording = (struct recording){0};
    rc = read_lines(&reader, text);
    if (!rc)
        rc = number_rows(&reader);
    free(reader.t_s);
    free(reader.line);
    if (rc)
        recording_free(recording);
    return rc;
}
