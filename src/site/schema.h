/* SPDX-License-Identifier: Apache-2.0 */
/* A JSON schema (draft 7) of the site file, made from the tables that read it, for editors. */
#ifndef FLYBALL_SITE_SCHEMA_H
#define FLYBALL_SITE_SCHEMA_H

#include <stdio.h>

/* What the manual says of a key; "cords.node" for a key that has its own entry inside another's. */
struct schema_word {
    const char *section, *key, *text;
};

/* Ends with {0}; made from flyball-site(5) by tools/site-words when flyball is built. */
extern const struct schema_word site_words[];

/* setup: writes the schema. Returns 0; -EINVAL when a table has a list or a mapping that nobody described in
 * site/read/shape.c, or a key that `words` lacks (its name goes to `missing`, of 64 bytes); -ENOMEM; -EIO. */
int schema_write(const struct schema_word *words, FILE *out, char *missing);

#endif
