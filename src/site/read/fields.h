/* SPDX-License-Identifier: Apache-2.0 */
/* The schema as tables: a mapping of the site file is read into a struct of values by a list of fields. */
#ifndef FLYBALL_SITE_FIELDS_H
#define FLYBALL_SITE_FIELDS_H

#include "site/read/quantity.h"
#include "site/read/tree.h"

struct value {
    const struct tree *at;      /* NULL: not in the file, the default stands in `number` */
    int64_t number;             /* quantity in base units, count, word's place, switch */
    const char *text;           /* scalars, as written */
};

enum field_kind {
    FIELD_ID = 1,       /* a name: letters, digits, . _ - */
    FIELD_TEXT,         /* any scalar; `most` bounds its bytes */
    FIELD_COUNT,        /* a whole number without unit */
    FIELD_QUANTITY,     /* or one of `words`, if any: FIELD_IS_WORD and its place */
    FIELD_WORD,         /* one of `words` */
    FIELD_SWITCH,       /* yes or no */
    FIELD_LIST,
    FIELD_ANY,          /* the reader of the section looks itself */
};

#define FIELD_IS_WORD INT64_MIN

struct field {
    const char *key;
    uint8_t kind;               /* enum field_kind */
    uint8_t quantity;           /* enum quantity */
    uint8_t required;
    size_t offset;              /* of the struct value */
    int64_t least, most;        /* of count, quantity; both 0 = 0 and up */
    int64_t otherwise;          /* default */
    const char *const *words;   /* ends with NULL */
};

/* The end of a table of fields. */
#define FIELD_END {0}

/* setup: reads `map` into the struct at `into`; `noun` names it in messages ("node"). Every fault becomes a
 * finding; the value then counts as absent. Returns the number of faults. */
uint32_t fields_read(const struct field *fields, const struct tree *map, const char *noun, void *into,
                     struct findings *errors);

/* setup: reads one scalar as `field` says. Returns 0 or 1 fault (a finding). */
uint32_t field_read(const struct field *field, const struct tree *at, struct value *into,
                    struct findings *errors);

/* any: a finding at a place of the tree. */
#define finding_at(errors, where, ...) findings_add(errors, (where)->line, (where)->column, __VA_ARGS__)

#endif
