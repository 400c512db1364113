/* SPDX-License-Identifier: Apache-2.0 */
/* Ids of one kind -> index, with the place of the first definition. */
#ifndef FLYBALL_SITE_NAMES_H
#define FLYBALL_SITE_NAMES_H

#include "msg/model.h"
#include "site/read/fields.h"

struct names_entry {
    const char *name;
    const struct tree *at;
    uint32_t index;
};

struct names {
    const char *noun;           /* "node" */
    bool silent; /* the section is broken: its names are not known, complaints about them help nobody */
    uint32_t slots;             /* a power of two, more than twice the names */
    struct names_entry *slot;
};

/* setup: room for `most` names. Returns 0 or -ENOMEM. */
int names_start(struct names *names, const char *noun, uint32_t most, struct scratch *scratch);

/* setup: a name that was there already becomes a finding, and 1 is returned. `name` must outlive
 * the table. */
uint32_t names_add(struct names *names, const char *name, const struct tree *at, uint32_t index,
                   struct findings *errors);

/* any: index, or INDEX_NONE. */
uint32_t names_find(const struct names *names, const char *name);

/* setup: the same for a reference in the file; an unknown one becomes a finding. */
uint32_t names_resolve(const struct names *names, const struct tree *reference, struct findings *errors);

/* setup: the same in the first of two tables that knows it; `which` says which. Messages use the first
 * noun. */
uint32_t names_resolve_either(const struct names *const names[2], const struct tree *reference,
                              struct findings *errors, uint32_t *which);

#endif
