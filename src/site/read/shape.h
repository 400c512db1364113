/* SPDX-License-Identifier: Apache-2.0 */
/* What a site file is made of, for those who do not read one: the readers' own tables of fields, and how they
 * stand in each other. The JSON schema and `flyball import` walk it. */
#ifndef FLYBALL_SITE_SHAPE_H
#define FLYBALL_SITE_SHAPE_H

#include "site/read/fields.h"

struct shape_map {
    const char *name;           /* "node"; the file itself is "site" */
    const struct field *fields;
};

enum shape_short {              /* what may stand instead of a mapping */
    SHORT_NONE,
    SHORT_FIRST,                /* the value of its first field */
    SHORT_SUM,                  /* a value like that of its first field, for all of them together */
    SHORT_ONLY,                 /* nothing but the value of its first field */
    SHORT_OFF,                  /* the word off */
};

enum shape_whole {              /* what may stand instead of a whole list */
    WHOLE_LIST,
    WHOLE_ITEM,                 /* one item */
    WHOLE_ALL,                  /* the word all */
};

/* What a FIELD_LIST or FIELD_ANY holds. */
struct shape_child {
    const char *map, *key;
    const char *of;             /* name of a map; NULL: plain ids */
    uint8_t instead;            /* enum shape_short: of the mapping or of one item */
    uint8_t list, whole;        /* a list although the field is FIELD_ANY; enum shape_whole */
    uint32_t least, most;       /* items of a list */
};

enum { SHAPE_MAPS_MAX = 64 };

struct shape {
    uint32_t count;
    struct shape_map map[SHAPE_MAPS_MAX];
    struct field band[5][3], detect[6]; /* detect: is made from a shorter table */
};

/* setup: gathers every table. Returns 0, or -E2BIG when SHAPE_MAPS_MAX is too small. */
int shape_gather(struct shape *shape);

/* any: by name, NULL where there is none. */
const struct field *shape_fields(const struct shape *shape, const char *name);

/* any: NULL for a scalar, and for what nobody has described. */
const struct shape_child *shape_child(const char *map, const char *key);

/* any: 1 for the kinds that stand in one cell or behind one colon. */
int shape_is_scalar(const struct field *field);

#endif
