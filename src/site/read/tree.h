/* SPDX-License-Identifier: Apache-2.0 */
/* A YAML file as a plain tree in which every key and value knows its line and column. */
#ifndef FLYBALL_SITE_TREE_H
#define FLYBALL_SITE_TREE_H

#include <stddef.h>

#include "site/check/findings.h"
#include "site/read/scratch.h"

enum {
    TREE_BYTES_MAX = 16 << 20,  /* of a site file */
    TREE_DEPTH_MAX = 16,
    TREE_KEYS_MAX = 64,         /* of one mapping: many of a kind stand in a list */
    TREE_NODES_MAX = 1 << 20,
    TREE_TEXT_MAX = 255,        /* bytes of one value */
};

enum tree_kind { TREE_SCALAR, TREE_LIST, TREE_MAP };

struct tree {
    uint8_t kind;               /* enum tree_kind */
    uint8_t quoted;
    uint8_t flow;               /* a collection in brackets or braces */
    uint32_t line, column;      /* from 1 */
    uint32_t from, to;          /* bytes of the text; of a block collection up to the end of its last value */
    uint32_t count;             /* children */
    const char *text;           /* scalar */
    const struct tree *key;     /* of a mapping's child: its key, a scalar */
    struct tree *first, *last, *next;
};

/* setup: builds the tree of `bytes` of text. Findings say what is wrong. Returns the root, or NULL when the
 * text cannot be read to its end or is empty. The tree lives in `scratch`. */
struct tree *tree_parse(const char *text, size_t bytes, struct scratch *scratch, struct findings *errors);

/* setup: reads the file first. Returns 0, -EINVAL (findings) or another -errno (file trouble; no finding). */
int tree_load(const char *path, struct tree **root, struct scratch *scratch, struct findings *errors);

/* any: the value of a key of a mapping, or NULL. */
const struct tree *tree_get(const struct tree *map, const char *key);

/* any: "a mapping", "a list", "a plain value" for messages. */
const char *tree_kind_name(const struct tree *at);

#endif
