/* SPDX-License-Identifier: Apache-2.0 */
/* Which columns a file may have, and what its cells say. */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "cli/import/import.h"
#include "site/read/suggest.h"

enum { UNIT_BYTES = 8, UNKNOWN = IMPORT_KEYS_MAX, COMMENT, EMPTY };

static const struct {
    const char *map, *noun;
} sources[IMPORT_SOURCES] = {
    [IMPORT_NODES] = {"node", "a node"},
    [IMPORT_TYPES] = {"type", "a host type"},
    [IMPORT_HOSTS] = {"host", "a host"},
    [IMPORT_METERS] = {"meter", "a meter"},
    [IMPORT_DEVICES] = {"device", "a device"},
};

static int add(struct import_table *t, const struct field *field, const char *outer, uint8_t required)
{
    struct import_key *key = &t->key[t->key_count];

    if (t->key_count == IMPORT_KEYS_MAX)
        return -E2BIG;
    *key = (struct import_key){.field = *field, .outer = outer, .inner = field->key};
    snprintf(key->name, sizeof key->name, "%s%s%s", outer ? outer : "", outer ? "." : "", field->key);
    key->field.key = key->name;
    key->field.required = required;
    t->key_count++;
    return 0;
}

/* A list: the items of one cell. A mapping: a column for each of its keys, and one for its short form. */
static int add_child(struct import_table *t, const struct shape *shape, const struct field *field,
                     const struct shape_child *child)
{
    static const struct field id[] = {{.kind = FIELD_ID}, FIELD_END};
    const struct field *inner = child->of ? shape_fields(shape, child->of) : id;
    struct field item = *inner;
    int rc = 0;

    item.key = field->key;
    if (field->kind == FIELD_LIST && child->of && strcmp(child->of, "cord"))
        return 0;       /* a cell holds ids and cords, no other items */
    if (field->kind == FIELD_LIST) {
        rc = add(t, &item, NULL, field->required);
        if (!rc)
            t->key[t->key_count - 1].list = child->of ? inner : id;
        return rc;
    }
    if (child->instead == SHORT_FIRST || child->instead == SHORT_SUM)
        rc = add(t, &item, NULL, 0);
    if (!rc && child->instead == SHORT_FIRST)
        t->key[t->key_count - 1].first = inner->key;
    for (; !rc && inner->key; inner++)
        if (shape_is_scalar(inner))
            rc = add(t, inner, field->key, field->required && inner->required);
    return rc;
}

int import_keys(struct import_table *t, const struct shape *shape)
{
    const char *map = sources[t->source].map;
    int rc = 0;

    for (const struct field *field = shape_fields(shape, map); !rc && field->key; field++) {
        const struct shape_child *child = shape_child(map, field->key);

        if (shape_is_scalar(field))
            rc = add(t, field, NULL, field->required);
        else if (child)
            rc = add_child(t, shape, field, child);
    }
    return rc;
}

uint32_t import_key_index(const struct import_table *t, const char *name)
{
    uint32_t k = 0;

    while (k < t->key_count && strcmp(t->key[k].name, name))
        k++;
    return k < t->key_count ? k : IMPORT_KEYS_MAX;
}

const char *import_value(const struct import_table *t, uint32_t row, uint32_t key)
{
    return key < t->key_count ? t->value[(size_t)row * t->key_count + key].text : NULL;
}

/* "Long time [A]" -> "long_time", "A". Only other.A and its like have capitals. */
static void read_header(const char *text, char *name, char *unit)
{
    size_t length = strcspn(text, "[(");
    const char *open = text + length;
    size_t within = *open ? strcspn(open + 1, "])") : 0;

    while (length && text[length - 1] == ' ')
        length--;
    if (length >= IMPORT_KEY_BYTES)
        length = IMPORT_KEY_BYTES - 1;
    for (size_t i = 0; i < length; i++)
        name[i] = text[i] == ' ' || text[i] == '-' ? '_' : (char)tolower((unsigned char)text[i]);
    name[length] = '\0';
    *unit = '\0';
    if (within && within < UNIT_BYTES)
        snprintf(unit, UNIT_BYTES, "%.*s", (int)within, open + 1);
}

/* What the header says: a key, COMMENT, EMPTY or UNKNOWN for each column, and its unit. */
struct header {
    uint32_t key[CSV_COLUMNS_MAX];
    char unit[CSV_COLUMNS_MAX][UNIT_BYTES];
    uint8_t meant[IMPORT_KEYS_MAX];     /* there is a column for it, perhaps a misspelt one */
};

static uint32_t refuse_column(const struct import_table *t, const struct csv_cell *cell, const char *name,
                              struct header *header, struct findings *errors)
{
    struct suggest near;

    suggest_start(&near, name);
    for (uint32_t k = 0; k < t->key_count; k++)
        suggest_offer(&near, t->key[k].name);
    suggest_offer(&near, "comment");
    if (near.best) {
        findings_add(errors, cell->line, cell->column, "unknown column '%s', did you mean '%s'?", cell->text,
                     near.best);
        uint32_t k = import_key_index(t, near.best);

        if (k < t->key_count)
            header->meant[k] = 1;
    } else {
        findings_add(errors, cell->line, cell->column,
                     "unknown column '%s', columns are the keys of %s in flyball-site(5), and comment",
                     cell->text, sources[t->source].noun);
    }
    return UNKNOWN;
}

static int check_unit(const struct import_key *key, const struct csv_cell *cell, const char *unit,
                      struct findings *errors)
{
    enum quantity what = (enum quantity)key->field.quantity;
    const char *known;

    if (!*unit)
        return 0;
    if (key->field.kind != FIELD_QUANTITY) {
        findings_add(errors, cell->line, cell->column, "column '%s' has no unit, take [%s] out", key->name,
                     unit);
        return -EINVAL;
    }
    for (uint32_t i = 0; (known = quantity_unit(what, i)); i++)
        if (!strcmp(known, unit))
            return 0;
    findings_add(errors, cell->line, cell->column, "unit '%s' of column '%s' is not known, write %s", unit,
                 key->name, quantity_units(what));
    return -EINVAL;
}

static uint32_t read_column(const struct import_table *t, uint32_t column, struct header *header,
                            struct findings *errors)
{
    const struct csv_cell *cell = &t->csv.cell[column];
    char name[IMPORT_KEY_BYTES];
    uint32_t key = 0;

    read_header(cell->text, name, header->unit[column]);
    if (!*name)
        return EMPTY;
    if (!strcmp(name, "comment"))
        return COMMENT;
    while (key < t->key_count && strcasecmp(t->key[key].name, name))
        key++;
    if (key == t->key_count)
        return refuse_column(t, cell, name, header, errors);
    header->meant[key] = 1;
    for (uint32_t c = 0; c < column; c++) {
        if (header->key[c] != key)
            continue;
        findings_add(errors, cell->line, cell->column, "column '%s' is there twice, drop one", cell->text);
        return UNKNOWN;
    }
    return check_unit(&t->key[key], cell, header->unit[column], errors) ? UNKNOWN : key;
}

/* A comma in a number may stand for a point or for thousands: nobody guesses. */
static int refuse_comma(const struct import_key *key, const struct csv_cell *cell, struct findings *errors)
{
    const char *comma = strchr(cell->text, ',');
    uint8_t kind = key->field.kind;

    if (!comma || comma == cell->text || (kind != FIELD_QUANTITY && kind != FIELD_COUNT) || key->list)
        return 0;
    if (!isdigit((unsigned char)comma[-1]) || !isdigit((unsigned char)comma[1]))
        return 0;
    findings_add(errors, cell->line, cell->column,
                 "%s '%s' has a comma, write decimals with a point and thousands without anything", key->name,
                 cell->text);
    return 1;
}

/* A bare number takes the unit of its column. Returns the text, or NULL when memory is short. */
static const char *with_unit(const struct import_key *key, const char *text, const char *unit,
                             struct scratch *scratch)
{
    int64_t number;

    if (!*unit || quantity_parse((enum quantity)key->field.quantity, text, &number) != QUANTITY_NO_UNIT)
        return text;
    size_t bytes = strlen(text) + UNIT_BYTES;
    char *both = scratch_take(scratch, bytes);

    if (both)
        snprintf(both, bytes, "%s%s", text, unit);
    return both;
}

static int read_value(struct import_table *t, uint32_t row, uint32_t k, const struct csv_cell *cell,
                      const char *unit, struct scratch *scratch, struct findings *errors)
{
    const struct import_key *key = &t->key[k];
    struct csv_cell *into = &t->value[(size_t)row * t->key_count + k];
    struct value value;

    *into = *cell;
    if (refuse_comma(key, cell, errors))
        return 0;
    into->text = with_unit(key, cell->text, unit, scratch);
    if (!into->text)
        return -ENOMEM;
    const struct tree at = {.kind = TREE_SCALAR, .quoted = 1, .line = cell->line, .column = cell->column,
                            .text = into->text};

    if (key->list)
        import_list_check(key, into, errors);
    else if (strlen(into->text) > TREE_TEXT_MAX)
        findings_add(errors, cell->line, cell->column, "%s is %zu bytes long, at most %d fit", key->name,
                     strlen(into->text), TREE_TEXT_MAX);
    else
        field_read(&key->field, &at, &value, errors);
    return 0;
}

static int read_row(struct import_table *t, uint32_t row, const struct header *header,
                    struct scratch *scratch, struct findings *errors)
{
    const struct csv_cell *cell = &t->csv.cell[(size_t)(row + 1) * t->csv.columns];
    int rc = 0;

    t->head[row] = cell[0];
    for (uint32_t c = 0; !rc && c < t->csv.columns; c++) {
        uint32_t k = header->key[c];

        if (k < t->key_count && t->key[k].field.required && !*cell[c].text)
            findings_add(errors, cell[c].line, cell[c].column, "%s has no '%s', fill the cell in",
                         sources[t->source].noun, t->key[k].name);
        if (!*cell[c].text || k == UNKNOWN)
            continue;
        if (k == COMMENT)
            t->comment[row] = cell[c].text;
        else if (k == EMPTY)
            findings_add(errors, cell[c].line, cell[c].column,
                         "a cell below no column name, name the column");
        else
            rc = read_value(t, row, k, &cell[c], header->unit[c], scratch, errors);
    }
    return rc;
}

int import_rows(struct import_table *t, struct scratch *scratch, struct findings *errors)
{
    struct header *header = scratch_take(scratch, sizeof *header);
    uint32_t before = errors->count;
    int rc = 0;

    t->rows = t->csv.rows - 1;
    t->value = scratch_take(scratch, ((size_t)t->rows * t->key_count + 1) * sizeof *t->value);
    t->head = scratch_take(scratch, (t->rows + 1) * sizeof *t->head);
    t->comment = scratch_take(scratch, (t->rows + 1) * sizeof *t->comment);
    if (!header || !t->value || !t->head || !t->comment)
        return -ENOMEM;
    for (uint32_t c = 0; c < t->csv.columns; c++)
        header->key[c] = read_column(t, c, header, errors);
    for (uint32_t k = 0; k < t->key_count; k++)
        if (t->key[k].field.required && !header->meant[k])
            findings_add(errors, 1, 1, "there is no column '%s', add it", t->key[k].name);
    if (!t->rows)
        findings_add(errors, 1, 1, "there is no row below the header, write one or leave the file out");
    for (uint32_t row = 0; !rc && row < t->rows; row++)
        rc = read_row(t, row, header, scratch, errors);
    return rc ? rc : errors->count == before ? 0 : -EINVAL;
}
