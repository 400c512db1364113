/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "msg/limits.h"
#include "site/read/fields.h"
#include "site/read/suggest.h"

enum { LINE_BYTES = 400 };

static uint32_t read_id(const struct field *field, const struct tree *at, struct findings *errors)
{
    size_t length = strlen(at->text);

    if (!length || length >= NAME_BYTES) {
        finding_at(errors, at, "%s '%s' has %zu characters, use 1 to %d", field->key, at->text, length,
                   NAME_BYTES - 1);
        return 1;
    }
    for (const char *c = at->text; *c; c++) {
        int plain = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9');

        if (plain || (c > at->text && strchr("._-", *c)))
            continue;
        finding_at(errors, at, "%s '%s' is not a name, use letters, digits, '.', '_' and '-'", field->key,
                   at->text);
        return 1;
    }
    return 0;
}

static uint32_t read_text(const struct field *field, const struct tree *at, struct findings *errors)
{
    size_t length = strlen(at->text);

    if (!length && at->key == NULL)
        return 0;
    if (!length && !at->quoted) {
        finding_at(errors, at, "%s has no value, write one after the colon", field->key);
        return 1;
    }
    if (!field->most || length <= (size_t)field->most)
        return 0;
    finding_at(errors, at, "%s is %zu characters long, at most %" PRId64 " fit", field->key, length,
               field->most);
    return 1;
}

static int64_t most_of(const struct field *field)
{
    return field->least || field->most ? field->most : INT64_MAX;
}

static bool in_range(const struct field *field, int64_t number)
{
    return number >= field->least && number <= most_of(field);
}

static uint32_t check_range(const struct field *field, const struct tree *at, int64_t number,
                            struct findings *errors)
{
    int64_t most = most_of(field);
    char low[40], high[40];

    if (in_range(field, number))
        return 0;
    if (field->kind == FIELD_COUNT) {
        snprintf(low, sizeof low, "%" PRId64, field->least);
        snprintf(high, sizeof high, "%" PRId64, most);
    } else {
        quantity_write((enum quantity)field->quantity, field->least, low, sizeof low);
        if (!field->least)
            snprintf(low, sizeof low, "0");
        quantity_write((enum quantity)field->quantity, most, high, sizeof high);
    }
    if (most == INT64_MAX)
        finding_at(errors, at, "%s is %s, at least %s is possible", field->key, at->text, low);
    else
        finding_at(errors, at, "%s is %s, possible is %s to %s", field->key, at->text, low, high);
    return 1;
}

static uint32_t read_count(const struct field *field, const struct tree *at, int64_t *number,
                           struct findings *errors)
{
    enum quantity_fault fault = quantity_parse(QUANTITY_MEMORY, at->text, number);

    /* a count is a quantity that has no unit */
    if (fault == QUANTITY_NO_UNIT) {
        char with_unit[32];

        snprintf(with_unit, sizeof with_unit, "%sMiB", at->text);
        fault = quantity_parse(QUANTITY_MEMORY, with_unit, number);
        if (fault == QUANTITY_OK)
            return check_range(field, at, *number, errors);
    }
    finding_at(errors, at, "%s '%s' is not a whole number, write one without a unit", field->key, at->text);
    return 1;
}

static bool would_do(const struct field *field, const char *text)
{
    int64_t number;

    return quantity_parse((enum quantity)field->quantity, text, &number) == QUANTITY_OK &&
           in_range(field, number);
}

/* 0.95 for 95 %: a hundredfold that fits, of a number with a point. */
static bool whole_share(const struct field *field, const char *text, char *share, size_t bytes)
{
    int64_t hundredth;

    if (field->quantity != QUANTITY_RATIO || !strchr(text, '.') || strlen(text) + 2 > bytes)
        return false;
    snprintf(share, bytes, "%s%%", text);
    if (quantity_parse(QUANTITY_RATIO, share, &hundredth) != QUANTITY_OK || hundredth > INT64_MAX / 100)
        return false;
    quantity_write(QUANTITY_RATIO, hundredth * 100, share, bytes);
    return would_do(field, share);
}

/* "8s": a bare number with the usual unit, or where that does not fit the field, the next that does. */
static const char *with_unit(const struct field *field, const char *text, char *meant, size_t bytes)
{
    enum quantity what = (enum quantity)field->quantity;
    uint32_t usual = 0;
    char share[40];

    while (strcmp(quantity_unit(what, usual), quantity_usual_unit(what)))
        usual++;
    for (uint32_t i = usual + 1; i-- > 0;) {
        snprintf(meant, bytes, "%s%s", text, quantity_unit(what, i));
        if (!would_do(field, meant))
            continue;
        size_t used = strlen(meant);

        if (whole_share(field, text, share, sizeof share) && used < bytes)
            snprintf(meant + used, bytes - used, " or %s", share);
        return meant;
    }
    if (!whole_share(field, text, meant, bytes))
        snprintf(meant, bytes, "%s%s", text, quantity_usual_unit(what));
    return meant;
}

static uint32_t read_quantity(const struct field *field, const struct tree *at, int64_t *number,
                              struct findings *errors)
{
    for (uint32_t i = 0; field->words && field->words[i]; i++) {
        *number = FIELD_IS_WORD + i;
        if (!strcmp(at->text, field->words[i]))
            return 0;
    }
    enum quantity what = (enum quantity)field->quantity;
    char meant[96];

    switch (quantity_parse(what, at->text, number)) {
    case QUANTITY_OK:
        return check_range(field, at, *number, errors);
    case QUANTITY_NO_UNIT:
        finding_at(errors, at, "%s %s has no unit, write %s if that is meant (%s in %s)", field->key,
                   at->text, with_unit(field, at->text, meant, sizeof meant), quantity_noun(what),
                   quantity_units(what));
        return 1;
    case QUANTITY_TOO_FINE:
        finding_at(errors, at, "%s %s is finer than %s, round it", field->key, at->text,
                   quantity_base_unit(what));
        return 1;
    case QUANTITY_TOO_LARGE:
        finding_at(errors, at, "%s %s is larger than any that can be held, check it", field->key, at->text);
        return 1;
    case QUANTITY_NOT_NUMBER:
    case QUANTITY_WRONG_UNIT:
        break;
    }
    finding_at(errors, at, "%s '%s' is not %s, write a number in %s", field->key, at->text,
               quantity_noun(what), quantity_units(what));
    return 1;
}

/* "a, b or c", cut where the room ends. */
static void join(const char *const *words, char *line, size_t bytes)
{
    size_t used = 0;

    *line = '\0';
    for (uint32_t i = 0; words[i] && used < bytes - 1; i++) {
        const char *between = !i ? "" : words[i + 1] ? ", " : " or ";
        int more = snprintf(line + used, bytes - used, "%s%s", between, words[i]);

        used += more > 0 ? (size_t)more : 0;
    }
}

static uint32_t read_word(const struct field *field, const struct tree *at, int64_t *number,
                          struct findings *errors)
{
    char line[LINE_BYTES];

    for (int64_t i = 0; field->words[i]; i++) {
        if (strcmp(field->words[i], at->text))
            continue;
        *number = i;
        return 0;
    }
    struct suggest near;

    suggest_start(&near, at->text);
    for (uint32_t i = 0; field->words[i]; i++)
        suggest_offer(&near, field->words[i]);
    join(field->words, line, sizeof line);
    if (near.best)
        finding_at(errors, at, "%s '%s' is not known, did you mean '%s'? Possible are %s", field->key,
                   at->text, near.best, line);
    else
        finding_at(errors, at, "%s '%s' is not known, write %s", field->key, at->text, line);
    return 1;
}

static uint32_t read_switch(const struct field *field, const struct tree *at, int64_t *number,
                            struct findings *errors)
{
    int on = !strcmp(at->text, "yes") || !strcmp(at->text, "true");

    *number = on;
    if (on || !strcmp(at->text, "no") || !strcmp(at->text, "false"))
        return 0;
    finding_at(errors, at, "%s '%s' is neither yes nor no, write one of the two", field->key, at->text);
    return 1;
}

static uint32_t read_scalar(const struct field *field, const struct tree *at, int64_t *number,
                            struct findings *errors)
{
    if (read_text(&(struct field){.key = field->key}, at, errors))
        return 1;
    switch (field->kind) {
    case FIELD_ID:
        return read_id(field, at, errors);
    case FIELD_TEXT:
        return read_text(field, at, errors);
    case FIELD_COUNT:
        return read_count(field, at, number, errors);
    case FIELD_QUANTITY:
        return read_quantity(field, at, number, errors);
    case FIELD_WORD:
        return read_word(field, at, number, errors);
    default:
        return read_switch(field, at, number, errors);
    }
}

uint32_t field_read(const struct field *field, const struct tree *at, struct value *into,
                    struct findings *errors)
{
    uint8_t wanted = field->kind == FIELD_LIST ? TREE_LIST : TREE_SCALAR;
    int64_t number = 0;

    if (field->kind != FIELD_ANY && at->kind != wanted) {
        finding_at(errors, at, "%s must be %s, this is %s", field->key,
                   wanted == TREE_LIST ? "a list" : "a plain value", tree_kind_name(at));
        return 1;
    }
    if (wanted == TREE_SCALAR && field->kind != FIELD_ANY && read_scalar(field, at, &number, errors))
        return 1;
    *into = (struct value){.at = at, .number = number, .text = at->text};
    return 0;
}

static uint32_t refuse_key(const struct field *fields, const struct tree *key, const char *noun,
                           struct findings *errors)
{
    struct suggest near;
    const char *words[TREE_KEYS_MAX + 1] = {0};
    char line[LINE_BYTES];

    suggest_start(&near, key->text);
    for (uint32_t i = 0; fields[i].key && i < TREE_KEYS_MAX; i++) {
        words[i] = fields[i].key;
        suggest_offer(&near, fields[i].key);
    }
    join(words, line, sizeof line);
    if (near.best)
        finding_at(errors, key, "unknown key '%s' in %s, did you mean '%s'?", key->text, noun, near.best);
    else
        finding_at(errors, key, "unknown key '%s' in %s, known are %s", key->text, noun, line);
    return 1;
}

static uint32_t refuse_missing(const struct field *field, const struct tree *map, const char *noun,
                               struct findings *errors)
{
    char line[LINE_BYTES] = "";

    if (field->kind == FIELD_WORD)
        join(field->words, line, sizeof line);
    else if (field->kind == FIELD_QUANTITY)
        snprintf(line, sizeof line, "%s in %s", quantity_noun((enum quantity)field->quantity),
                 quantity_units((enum quantity)field->quantity));
    finding_at(errors, map, "%s has no '%s', add %s: ...%s%s%s", noun, field->key, field->key,
               *line ? " (" : "", line, *line ? ")" : "");
    return 1;
}

uint32_t fields_read(const struct field *fields, const struct tree *map, const char *noun, void *into,
                     struct findings *errors)
{
    uint32_t faults = 0;

    for (const struct field *field = fields; field->key; field++) {
        struct value *value = (struct value *)((char *)into + field->offset);

        *value = (struct value){.number = field->otherwise};
    }
    if (map->kind != TREE_MAP) {
        finding_at(errors, map, "%s must be a mapping of keys and values, this is %s", noun,
                   tree_kind_name(map));
        return 1;
    }
    for (const struct tree *child = map->first; child; child = child->next) {
        const struct field *field = fields;

        while (field->key && strcmp(field->key, child->key->text))
            field++;
        if (!field->key)
            faults += refuse_key(fields, child->key, noun, errors);
        else
            faults += field_read(field, child, (struct value *)((char *)into + field->offset), errors);
    }
    for (const struct field *field = fields; field->key; field++)
        if (field->required && !tree_get(map, field->key))
            faults += refuse_missing(field, map, noun, errors);
    return faults;
}
