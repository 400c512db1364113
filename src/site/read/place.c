/* SPDX-License-Identifier: Apache-2.0 */
#include "site/read/place.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "site/read/tree.h"

/* Of the line in which `at` stands: the byte behind its last one, line end not counted. */
static size_t end_of_line(const char *text, size_t bytes, size_t at)
{
    const char *end = memchr(text + at, '\n', bytes - at);
    size_t line = end ? (size_t)(end - text) : bytes;
    return end && line > at && text[line - 1] == '\r' ? line - 1 : line;
}

/* As the line of `at` ends; the last one of a file may end without: then as its first one does. */
static const char *line_end(const char *text, size_t bytes, size_t at)
{
    const char *end = memchr(text + at, '\n', bytes - at);
    if (!end)
        end = memchr(text, '\n', bytes);
    return end && end > text && end[-1] == '\r' ? "\r\n" : "\n";
}

static const struct tree *find_row(const struct tree *root, const char *name)
{
    const struct tree *rows = tree_get(root, "servers");
    for (const struct tree *row = rows && rows->kind == TREE_LIST ? rows->first : NULL; row;
         row = row->next) {
        const struct tree *named = row->kind == TREE_MAP ? tree_get(row, "name") : NULL;
        if (named && named->kind == TREE_SCALAR && !strcmp(named->text, name))
            return row;
    }
    return NULL;
}

/* The parser's places are trusted only where the text there says the same. */
static bool places_hold(const char *text, size_t bytes, const struct tree *row)
{
    for (const struct tree *child = row->first; child; child = child->next) {
        const struct tree *key = child->key;
        size_t length = strlen(key->text);
        if (key->quoted || key->from + length > bytes || memcmp(text + key->from, key->text, length))
            return false;
        if (child->to > bytes || child->to < child->from)
            return false;
    }
    return row->first && row->to <= bytes && (!row->flow || text[row->to - 1] == '}');
}

static void into_flow(const struct tree *row, const struct tree *old, struct place *place)
{
    place->style.column = row->column;      /* from 1: the column behind the brace */
    place->style.flow = true;
    place->from = old ? old->key->from : row->last->to;
    place->to = old ? old->to : place->from;
    if (old)
        return;
    snprintf(place->lead, sizeof place->lead, ",%s", place->style.eol);
    place->indent = place->style.column;
}

static void into_block(const char *text, size_t bytes, const struct tree *row, const struct tree *old,
                       struct place *place)
{
    place->style.column = row->first->key->column - 1;
    place->from = old ? old->key->from : end_of_line(text, bytes, row->to);
    place->to = old ? end_of_line(text, bytes, old->to) : place->from;
    if (old)
        return;
    snprintf(place->lead, sizeof place->lead, "%s", place->style.eol);
    place->indent = place->style.column;
}

static int find(const char *text, size_t bytes, const struct tree *root, const char *name,
                struct place *place, char *why, size_t why_bytes)
{
    const struct tree *row = find_row(root, name);
    if (!row) {
        snprintf(why, why_bytes, "servers: has no row named '%s'", name);
        return -ENOENT;
    }
    if (!places_hold(text, bytes, row)) {
        snprintf(why, why_bytes, "%u:%u: this row is written in a way that cannot be extended by a program; "
                 "write its keys plainly, or paste the block by hand", row->line, row->column);
        return -EINVAL;
    }
    const struct tree *old = tree_get(row, "measured");
    place->replaces = old != NULL;
    place->style.eol = line_end(text, bytes, row->from);
    if (row->flow)
        into_flow(row, old, place);
    else
        into_block(text, bytes, row, old, place);
    return 0;
}

int place_find(const char *text, size_t bytes, const char *row, struct place *place, char *why,
               size_t why_bytes)
{
    struct findings *errors = calloc(1, sizeof *errors);
    struct scratch scratch = {0};
    int rc = -ENOMEM;
    *place = (struct place){0};
    snprintf(why, why_bytes, "out of memory");
    if (!errors)
        return rc;
    const struct tree *root = tree_parse(text, bytes, &scratch, errors);
    if (root)
        rc = find(text, bytes, root, row, place, why, why_bytes);
    else
        rc = -EINVAL;
    if (!root && errors->count)
        snprintf(why, why_bytes, "%u:%u: %s", errors->item[0].line, errors->item[0].column,
                 errors->item[0].text);
    scratch_free(&scratch);
    free(errors);
    return rc;
}

char *place_fill(const char *text, size_t bytes, const struct place *place, const struct measured *measured,
                 size_t *made)
{
    char *whole = NULL;
    FILE *out = open_memstream(&whole, made);
    if (!out)
        return NULL;
    fwrite(text, 1, place->from, out);
    fprintf(out, "%s%*s", place->lead, (int)place->indent, "");
    measured_write(measured, &place->style, out);
    fwrite(text + place->to, 1, bytes - place->to, out);
    if (fclose(out)) {
        free(whole);
        return NULL;
    }
    return whole;
}
