/* SPDX-License-Identifier: Apache-2.0 */
/* flyball import: rows of CSV, checked cell by cell with the tables that read a site file, written as one. */
#ifndef FLYBALL_CLI_IMPORT_H
#define FLYBALL_CLI_IMPORT_H

#include <stdio.h>

#include "cli/import/csv.h"
#include "msg/limits.h"
#include "site/read/shape.h"

enum import_source {
    IMPORT_NODES,
    IMPORT_TYPES,
    IMPORT_HOSTS,
    IMPORT_METERS,
    IMPORT_DEVICES,
    IMPORT_SOURCES
};
enum { IMPORT_KEYS_MAX = 96, IMPORT_KEY_BYTES = 48 };

/* One column that a file may have: a key of the site file, or `outer.inner` of a mapping in it. */
struct import_key {
    char name[IMPORT_KEY_BYTES];
    struct field field;         /* of the value, or of one item of a list; its key is `name` */
    const char *outer;          /* NULL: a key of the row itself */
    const char *inner;          /* the key where it is written */
    const char *first;          /* a short form: its key in the mapping; NULL: it has none there */
    const struct field *list;   /* fields of one of its items, where it is a list */
};

/* One file. Values lie in keys order: value[row * key_count + key], text NULL where the cell is empty. */
struct import_table {
    enum import_source source;
    const char *path;
    char *text;                 /* of the file; the cells point into it */
    struct csv csv;
    uint32_t key_count;
    struct import_key key[IMPORT_KEYS_MAX];
    uint32_t rows;
    struct csv_cell *value;
    struct csv_cell *head;      /* first cell of each row */
    const char **comment;       /* of each row, NULL where there is none */
};

/* setup: the columns that the source's file may have. Returns 0 or -E2BIG. */
int import_keys(struct import_table *table, const struct shape *shape);

/* any: what a cell of that column holds, in a few words: "a current in mA, A or kA". Returns `text`. */
const char *import_says(const struct import_key *key, char *text, size_t bytes);

/* setup: after csv_parse: header to keys, cells to values; every fault is a finding. 0, -EINVAL or
 * -ENOMEM. */
int import_rows(struct import_table *table, struct scratch *scratch, struct findings *errors);

/* setup: is a cell of items good to be written? "a;b", and of cords NODE:PSUS:SHARE:PHASES, the rest from any
 * colon on may be left out. Every fault is a finding. */
void import_list_check(const struct import_key *key, const struct csv_cell *cell, struct findings *errors);

/* any: the same cell as a list of YAML. */
void import_list_write(const struct import_key *key, const char *text, FILE *out);

/* any: index of a key by name, or IMPORT_KEYS_MAX; the value of a row under it, NULL where there is none. */
uint32_t import_key_index(const struct import_table *table, const char *name);
const char *import_value(const struct import_table *table, uint32_t row, uint32_t key);

/* any: how many rows from `row` on are one row with `count`: 1, or more when ids and addresses run on and
 * all else is alike. `stem` (NAME_BYTES) becomes the id without its number. */
uint32_t import_alike(const struct import_table *hosts, uint32_t row, char *stem);

/* Where something of the written file came from. */
struct import_place {
    uint32_t line, column;      /* in the written file */
    const char *path;           /* of a CSV file, or the option that said it */
    uint32_t csv_line, csv_column;      /* 0 for an option */
};

struct import_out {
    FILE *out;
    uint32_t line, column;      /* of what is written next */
    uint32_t place_count, place_room;
    struct import_place *place;
    int failed;
};

struct import_wish {
    const char *site, *may_lose, *scheme;   /* may_lose NULL: nothing; ids between commas */
    struct import_table *table[IMPORT_SOURCES];     /* NULL: not given */
};

/* setup: writes the site file; places are in the order of the file. Returns 0 or -ENOMEM. */
int import_write(struct import_out *out, const struct import_wish *wish);

/* setup: prints the lines of a report about the written file with the places they came from. */
void import_report(const struct import_out *out, const char *report, const char *written, FILE *to);

#endif
