/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "site/check/findings.h"

/* A row that many nodes use says the same for each of them. */
static bool is_there(const struct findings *all, const struct finding *one)
{
    for (const struct finding *other = all->item; other < one; other++)
        if (other->line == one->line && other->column == one->column && !strcmp(other->text, one->text))
            return true;
    return false;
}

void findings_add(struct findings *all, uint32_t line, uint32_t column, const char *format, ...)
{
    if (all->count++ >= FINDINGS_MAX)
        return;
    struct finding *one = &all->item[all->count - 1];
    va_list arguments;

    one->line = line;
    one->column = column;
    one->order = all->count;
    va_start(arguments, format);
    vsnprintf(one->text, sizeof one->text, format, arguments);
    va_end(arguments);
    /* text of the file may hold anything: one finding is one line */
    for (char *c = one->text; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 127)
            *c = '?';
    all->count -= is_there(all, one);
}

static int by_place(const void *left, const void *right)
{
    const struct finding *a = left, *b = right;

    if (a->line != b->line)
        return a->line < b->line ? -1 : 1;
    if (a->column != b->column)
        return a->column < b->column ? -1 : 1;
    return a->order < b->order ? -1 : 1;
}

void findings_print(struct findings *all, const char *path, const char *severity, FILE *out)
{
    uint32_t kept = all->count < FINDINGS_MAX ? all->count : FINDINGS_MAX;

    qsort(all->item, kept, sizeof all->item[0], by_place);
    for (uint32_t i = 0; i < kept; i++) {
        const struct finding *one = &all->item[i];

        if (one->line)
            fprintf(out, "%s:%u:%u: %s: %s\n", path, one->line, one->column, severity, one->text);
        else
            fprintf(out, "%s: %s: %s\n", path, severity, one->text);
    }
    if (all->count > kept)
        fprintf(out, "%s: %s: %u more like these are not shown\n", path, severity, all->count - kept);
}
