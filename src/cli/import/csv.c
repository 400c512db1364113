/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "cli/import/csv.h"
#include "site/read/text.h"

struct cursor {
    char *at, *end;
    uint32_t line, column;
    char separator;
    struct findings *errors;
};

/* One character on: continuation bytes of UTF-8 are no columns of their own. */
static void step(struct cursor *c)
{
    char was = *c->at++;

    if (was == '\n') {
        c->line++;
        c->column = 1;
    } else if (c->at == c->end || (*c->at & 0xC0) != 0x80) {
        c->column++;
    }
}

static int at_line_end(const struct cursor *c)
{
    return *c->at == '\n' || (*c->at == '\r' && c->at + 1 < c->end && c->at[1] == '\n');
}

static int fail(struct cursor *c, uint32_t line, uint32_t column, const char *what)
{
    findings_add(c->errors, line, column, "%s", what);
    return -EINVAL;
}

/* Behind the first quote: what is inside moves down over doubled quotes. */
static int read_quoted(struct cursor *c, struct csv_cell *cell)
{
    char *to = c->at + 1;

    cell->text = to;
    for (step(c); c->at < c->end; step(c)) {
        if (*c->at == '"') {
            if (c->at + 1 == c->end || c->at[1] != '"')
                break;
            step(c);
        }
        *to++ = *c->at;
    }
    if (c->at == c->end)
        return fail(c, cell->line, cell->column, "a quote opens here and is never closed, close it");
    step(c);
    while (c->at < c->end && *c->at == ' ')
        step(c);
    if (c->at < c->end && *c->at != c->separator && !at_line_end(c))
        return fail(c, c->line, c->column,
                    "text after the closing quote, put the whole cell in quotes and double those inside");
    *to = '\0';
    return 0;
}

/* Up to the separator; blanks around it do not count. `end` is where the text ends: there stands what the
 * caller has still to read. */
static int read_plain(struct cursor *c, struct csv_cell *cell, char **end)
{
    cell->text = *end = c->at;
    for (; c->at < c->end && *c->at != c->separator && !at_line_end(c); step(c)) {
        if (*c->at == '"')
            return fail(c, c->line, c->column,
                        "a quote inside a cell, put the whole cell in quotes and double those inside");
        if (*c->at == '\r')
            return fail(
                c, c->line, c->column,
                "a carriage return without a line feed, save the file with Windows or Unix line ends");
        if (*c->at != ' ')
            *end = c->at + 1;
    }
    return 0;
}

/* Reads one cell and what ends it. 1: more cells follow in this row, 0: the row is over, < 0: a finding. */
static int read_cell(struct cursor *c, struct csv_cell *cell)
{
    char *end = NULL;
    int more = 0;

    while (c->at < c->end && *c->at == ' ' && c->separator != ' ')
        step(c);
    *cell = (struct csv_cell){.line = c->line, .column = c->column};
    int rc = c->at < c->end && *c->at == '"' ? read_quoted(c, cell) : read_plain(c, cell, &end);

    if (rc)
        return rc;
    if (c->at < c->end) {
        more = *c->at == c->separator;
        if (*c->at == '\r')
            step(c);
        step(c);
    }
    if (end)
        *end = '\0';
    return more;
}

static int is_blank(const struct csv_cell *cell, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (*cell[i].text)
            return 0;
    return 1;
}

/* Reads a row to `into`; *count cells. */
static int read_row(struct cursor *c, struct csv_cell *into, uint32_t *count)
{
    int more = 1;

    for (*count = 0; more == 1; (*count)++) {
        if (*count == CSV_COLUMNS_MAX)
            return fail(c, c->line, c->column, "more than 256 cells in one row, is the separator right?");
        more = read_cell(c, &into[*count]);
    }
    return more;
}

/* Makes the row as wide as the header. */
static int fit(struct csv *csv, const struct csv_cell *row, uint32_t count, struct findings *errors)
{
    struct csv_cell *into = &csv->cell[(size_t)csv->rows * csv->columns];

    if (count > csv->columns && !is_blank(row + csv->columns, count - csv->columns)) {
        findings_add(errors, row[csv->columns].line, row[csv->columns].column,
                     "the row has %u cells and the header %u: a separator too many, a cell that needs "
                     "quotes, or a column without a name",
                     count, csv->columns);
        return -EINVAL;
    }
    if (count < csv->columns) {
        findings_add(errors, row[0].line, row[0].column,
                     "the row has %u cell%s and the header %u, write every separator", count,
                     count > 1 ? "s" : "", csv->columns);
        return -EINVAL;
    }
    memcpy(into, row, csv->columns * sizeof *into);
    csv->rows++;
    return 0;
}

static int read_rows(struct cursor *c, struct csv *csv, struct scratch *scratch)
{
    struct csv_cell row[CSV_COLUMNS_MAX];
    uint32_t count, lines = 1, room = 0, faults = 0;

    for (const char *at = c->at; at < c->end; at++)
        lines += *at == '\n';
    while (c->at < c->end) {
        if (read_row(c, row, &count))
            return -EINVAL;
        if (is_blank(row, count))
            continue;
        if (!csv->columns) {
            while (is_blank(&row[count - 1], 1))
                count--;
            csv->columns = count;
            room = lines < CSV_CELLS_MAX / count ? lines : CSV_CELLS_MAX / count;
            csv->cell = scratch_take(scratch, (size_t)room * count * sizeof *csv->cell);
            if (!csv->cell)
                return -ENOMEM;
        }
        if (csv->rows == room)
            return fail(c, row[0].line, row[0].column, "more than a million cells, no site needs that");
        faults += fit(csv, row, count, c->errors) != 0;
    }
    return faults ? -EINVAL : 0;
}

/* The separator that stands most often in the first row, outside quotes. */
static char guess_separator(const char *at, const char *end)
{
    static const char candidate[] = ",;\t";
    uint32_t seen[sizeof candidate] = {0}, best = 0;

    for (int quoted = 0; at < end && (quoted || *at != '\n'); at++) {
        const char *hit = memchr(candidate, *at, sizeof candidate - 1);

        quoted ^= *at == '"';
        if (!quoted && hit)
            seen[hit - candidate]++;
    }
    for (uint32_t i = 1; i < sizeof candidate - 1; i++)
        best = seen[i] > seen[best] ? i : best;
    return candidate[best];
}

/* Byte order mark and `sep=;` line, both written by spreadsheets. */
static int read_head(struct cursor *c)
{
    size_t bytes = (size_t)(c->end - c->at);

    if (bytes >= 2 && (!memcmp(c->at, "\xff\xfe", 2) || !memcmp(c->at, "\xfe\xff", 2)))
        return fail(c, 1, 1, "the file is UTF-16, save it as CSV UTF-8");
    if (bytes >= 3 && !memcmp(c->at, "\xef\xbb\xbf", 3))
        c->at += 3;
    if (text_check(c->at, (size_t)(c->end - c->at), c->errors))
        return -EINVAL;
    if (c->end - c->at >= 5 && !memcmp(c->at, "sep=", 4) && strchr(",;\t", c->at[4])) {
        char *line = memchr(c->at, '\n', (size_t)(c->end - c->at));

        c->separator = c->at[4];
        c->at = line ? line + 1 : c->end;
        c->line = 2;
    } else {
        c->separator = guess_separator(c->at, c->end);
    }
    return 0;
}

int csv_parse(char *text, size_t bytes, struct scratch *scratch, struct findings *errors, struct csv *csv)
{
    struct cursor c = {text, text + bytes, .line = 1, .column = 1, .errors = errors};
    int rc = read_head(&c);

    *csv = (struct csv){.separator = c.separator};
    text[bytes] = '\0';
    if (!rc)
        rc = read_rows(&c, csv, scratch);
    if (!rc && !csv->rows)
        rc = fail(&c, 1, 1, "the file is empty, its first row names the columns");
    return rc;
}
