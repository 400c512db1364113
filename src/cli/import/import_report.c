/* SPDX-License-Identifier: Apache-2.0 */
/* The checker speaks of lines of the written file, which nobody has seen yet: its places become those of
 * cells. */
#include <stdlib.h>
#include <string.h>

#include "cli/import/import.h"

enum { PLACE_BYTES = 512, LINE_BYTES = 2048 };

/* The last place at or before line and column; NULL before the first. */
static const struct import_place *find(const struct import_out *o, uint32_t line, uint32_t column)
{
    uint32_t low = 0, high = o->place_count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct import_place *p = &o->place[middle];

        if (p->line < line || (p->line == line && p->column <= column))
            low = middle + 1;
        else
            high = middle;
    }
    return low ? &o->place[low - 1] : NULL;
}

/* `path:line:column`, or without the column for a row as a whole. */
static const char *name_place(const struct import_out *o, uint32_t line, uint32_t column, char *text)
{
    const struct import_place *p = find(o, line, column);

    if (!p)
        snprintf(text, PLACE_BYTES, "the site file");
    else if (p->csv_line && column == UINT32_MAX)
        snprintf(text, PLACE_BYTES, "%s:%u", p->path, p->csv_line);
    else if (p->csv_line)
        snprintf(text, PLACE_BYTES, "%s:%u:%u", p->path, p->csv_line, p->csv_column);
    else
        snprintf(text, PLACE_BYTES, "%s", p->path);
    return text;
}

/* "first at 12:7" and "(line 12)" inside a message speak of the written file too. */
static void print_text(const struct import_out *o, const char *text, FILE *to)
{
    char place[PLACE_BYTES];
    unsigned line, column;
    int used;

    while (*text) {
        used = 0;
        if (sscanf(text, "first at %u:%u%n", &line, &column, &used) == 2 && used) {
            fprintf(to, "first at %s", name_place(o, line, column, place));
        } else if (sscanf(text, "(line %u)%n", &line, &used) == 1 && used) {
            fprintf(to, "(%s)", name_place(o, line, UINT32_MAX, place));
        } else {
            used = 1;
            putc(*text, to);
        }
        text += used;
    }
    putc('\n', to);
}

void import_report(const struct import_out *o, const char *report, const char *written, FILE *to)
{
    char line[LINE_BYTES], place[PLACE_BYTES];
    size_t prefix = strlen(written);

    for (const char *end; *report; report = end + (*end == '\n')) {
        unsigned row = 0, column = 0;
        int used = 0;

        end = strchrnul(report, '\n');
        snprintf(line, sizeof line, "%.*s", (int)(end - report), report);
        const char *rest = !strncmp(line, written, prefix) ? line + prefix : line;

        if (sscanf(rest, ":%u:%u%n", &row, &column, &used) == 2)
            fputs(name_place(o, row, column, place), to);
        else
            fputs("the site file", to);
        print_text(o, rest + used, to);
    }
}
