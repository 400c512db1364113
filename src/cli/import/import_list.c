/* SPDX-License-Identifier: Apache-2.0 */
/* A cell that holds several things: "ups-a:2;ups-b:2" -> [{node: ups-a, psus: 2}, {node: ups-b, psus: 2}]. */
#include <string.h>

#include "cli/import/import.h"

enum { PART_BYTES = 64 };

/* Keys of an item in the order of a cell. An item that is a plain id has one. */
static const char *const parts[] = {"node", "psus", "share", "phases", NULL};

static const struct field *part_field(const struct import_key *key, uint32_t part)
{
    const struct field *field = key->list;

    if (!field->key)
        return part ? NULL : field;
    while (parts[part] && field->key && strcmp(field->key, parts[part]))
        field++;
    return parts[part] && field->key ? field : NULL;
}

const char *import_says(const struct import_key *key, char *text, size_t bytes)
{
    enum quantity what = (enum quantity)key->field.quantity;
    size_t used = 0;

    if (key->list)
        snprintf(text, bytes, "%s", key->list->key ? "NODE:PSUS:SHARE:PHASES;..." : "ids between semicolons");
    else if (key->field.kind == FIELD_QUANTITY)
        snprintf(text, bytes, "%s in %s", quantity_noun(what), quantity_units(what));
    else if (key->field.kind == FIELD_COUNT)
        snprintf(text, bytes, "a whole number");
    else if (key->field.kind == FIELD_WORD)
        for (const char *const *word = key->field.words; *word && used < bytes; word++)
            used += (size_t)snprintf(text + used, bytes - used, "%s%s", used ? ", " : "", *word);
    else
        snprintf(text, bytes, "%s", key->field.kind == FIELD_SWITCH ? "yes, no"
                                    : key->field.kind == FIELD_ID   ? "an id"
                                                                    : "text");
    return text;
}

/* Copies up to a colon or semicolon without the blanks around it; returns where that stands. */
static const char *take(const char *at, char part[PART_BYTES])
{
    const char *end = at + strcspn(at, ":;");
    size_t bytes;

    while (*at == ' ')
        at++;
    bytes = at < end ? (size_t)(end - at) : 0;
    while (bytes && at[bytes - 1] == ' ')
        bytes--;
    if (bytes >= PART_BYTES)
        bytes = PART_BYTES - 1;
    memcpy(part, at, bytes);
    part[bytes] = '\0';
    return end;
}

static void check_part(const struct import_key *key, const char *text, uint32_t part,
                       const struct csv_cell *cell, struct findings *errors)
{
    const struct field *field = part_field(key, part);
    const struct tree at = {.kind = TREE_SCALAR, .quoted = 1, .line = cell->line, .column = cell->column,
                            .text = text};
    struct value value;

    if (!field) {
        findings_add(errors, cell->line, cell->column, "%s '%s': too many colons, write %s", key->name,
                     cell->text, key->list->key ? "NODE:PSUS:SHARE:PHASES;..." : "ids between semicolons");
        return;
    }
    if (!*text && part)
        return;
    struct field named = *field;

    if (!named.key)
        named.key = key->name;
    field_read(&named, &at, &value, errors);
}

void import_list_check(const struct import_key *key, const struct csv_cell *cell, struct findings *errors)
{
    char text[PART_BYTES];
    uint32_t part = 0;

    for (const char *at = cell->text;; at++) {
        at = take(at, text);
        check_part(key, text, part, cell, errors);
        part = *at == ':' ? part + 1 : 0;
        if (!*at || part > sizeof parts / sizeof parts[0])
            return;
    }
}

/* One item; returns where it ends. */
static const char *write_item(const struct import_key *key, const char *at, FILE *out)
{
    char text[PART_BYTES];
    uint32_t part = 0;
    int plain = at[strcspn(at, ":;")] != ':';

    fputs(plain ? "" : "{", out);
    for (;; at++, part++) {
        at = take(at, text);
        if (*text && !plain)
            fprintf(out, "%s%s: ", part ? ", " : "", part_field(key, part)->key);
        fputs(text, out);
        if (*at != ':')
            break;
    }
    fputs(plain ? "" : "}", out);
    return at;
}

void import_list_write(const struct import_key *key, const char *text, FILE *out)
{
    putc('[', out);
    for (const char *at = text;; at++) {
        at = write_item(key, at, out);
        if (!*at)
            break;
        fputs(", ", out);
    }
    putc(']', out);
}
