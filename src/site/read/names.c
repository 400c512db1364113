/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "site/read/names.h"
#include "site/read/suggest.h"

/* FNV-1a; the table is never shown anything but names of at most NAME_BYTES. */
static uint32_t hash(const char *name)
{
    uint32_t h = 2166136261u;

    for (; *name; name++)
        h = (h ^ (uint8_t)*name) * 16777619u;
    return h;
}

int names_start(struct names *names, const char *noun, uint32_t most, struct scratch *scratch)
{
    *names = (struct names){.noun = noun, .slots = 16};
    while (names->slots < 2 * most + 2)
        names->slots *= 2;
    names->slot = scratch_take(scratch, names->slots * sizeof *names->slot);
    return names->slot ? 0 : -ENOMEM;
}

static struct names_entry *look(const struct names *names, const char *name)
{
    uint32_t i = hash(name) & (names->slots - 1);

    while (names->slot[i].name && strcmp(names->slot[i].name, name))
        i = (i + 1) & (names->slots - 1);
    return &names->slot[i];
}

uint32_t names_add(struct names *names, const char *name, const struct tree *at, uint32_t index,
                   struct findings *errors)
{
    struct names_entry *entry = look(names, name);

    if (entry->name) {
        finding_at(errors, at, "%s '%s' is there already, first at %u:%u, choose another id", names->noun,
                   name, entry->at->line, entry->at->column);
        return 1;
    }
    *entry = (struct names_entry){.name = name, .at = at, .index = index};
    return 0;
}

uint32_t names_find(const struct names *names, const char *name)
{
    if (!names->slots)      /* its section was not read */
        return INDEX_NONE;
    const struct names_entry *entry = look(names, name);

    return entry->name ? entry->index : INDEX_NONE;
}

static void offer_all(struct suggest *near, const struct names *names)
{
    for (uint32_t i = 0; names->slot && i < names->slots; i++)
        if (names->slot[i].name)
            suggest_offer(near, names->slot[i].name);
}

static void report_unknown(const struct names *const names[2], const struct tree *reference,
                           struct findings *errors)
{
    struct suggest near;

    suggest_start(&near, reference->text);
    for (uint32_t t = 0; t < 2 && errors->count < FINDINGS_MAX; t++)
        if (names[t])   /* past FINDINGS_MAX nobody reads it, and the search is long */
            offer_all(&near, names[t]);
    if (near.best)
        finding_at(errors, reference, "there is no %s '%s', did you mean '%s'?", names[0]->noun,
                   reference->text, near.best);
    else
        finding_at(errors, reference, "there is no %s '%s', define it or name one that exists",
                   names[0]->noun, reference->text);
}

uint32_t names_resolve_either(const struct names *const names[2], const struct tree *reference,
                              struct findings *errors, uint32_t *which)
{
    if (reference->kind != TREE_SCALAR) {
        finding_at(errors, reference, "the id of a %s must stand here, this is %s", names[0]->noun,
                   tree_kind_name(reference));
        return INDEX_NONE;
    }
    for (*which = 0; *which < 2 && names[*which]; ++*which) {
        uint32_t index = names_find(names[*which], reference->text);

        if (index != INDEX_NONE)
            return index;
    }
    if (!names[0]->silent)
        report_unknown(names, reference, errors);
    return INDEX_NONE;
}

uint32_t names_resolve(const struct names *names, const struct tree *reference, struct findings *errors)
{
    const struct names *const only[2] = {names, NULL};
    uint32_t which;

    return names_resolve_either(only, reference, errors, &which);
}
