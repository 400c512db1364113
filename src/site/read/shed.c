/* SPDX-License-Identifier: Apache-2.0 */
/* Shed actions as written, and which of them a node names. */
#include <stdbool.h>
#include <string.h>

#include "site/read/draft.h"

enum { TRIES_MAX = 20, TRIES_USUAL = 3 };

#define TIME(name, member, low, high, usual) \
    {.key = name, .kind = FIELD_QUANTITY, .quantity = QUANTITY_TIME, .least = low, .most = high, \
     .otherwise = usual, .offset = offsetof(struct draft_shed, member)}
#define AT(member) .offset = offsetof(struct draft_shed, member)
static const struct field shed_fields[] = {
    {.key = "id", .kind = FIELD_ID, .required = 1, AT(id)},
    {.key = "command", .kind = FIELD_LIST, .required = 1, AT(command)},
    TIME("timeout", timeout, 100 * NS_PER_MS, 600 * NS_PER_S, 10 * NS_PER_S),
    {.key = "tries", .kind = FIELD_COUNT, .least = 1, .most = TRIES_MAX, .otherwise = TRIES_USUAL, AT(tries)},
    TIME("again", again, 100 * NS_PER_MS, 600 * NS_PER_S, NS_PER_S),
    {.key = "restore", .kind = FIELD_LIST, AT(restore)},
    TIME("restore_after", restore_after, NS_PER_S, 86400 * NS_PER_S, 0),
    FIELD_END};
#undef AT
#undef TIME

static const struct field word_fields[] = {
    {.key = "command", .kind = FIELD_TEXT, .most = TREE_TEXT_MAX}, FIELD_END};

const struct shape_map draft_shed_shapes[] = {{"shed", shed_fields}, {"word", word_fields}, {0}};

/* No shell takes it apart and none looks for it. */
static void check_program(struct draft *d, const char *key, const struct tree *at)
{
    const char *slash = strrchr(at->text, '/'), *last = slash ? slash + 1 : at->text;

    if (at->text[0] != '/')
        finding_at(d->errors, at,
                   "%s '%s' is no absolute path, and nothing looks for it: write one like /usr/local/sbin/%s",
                   key, at->text, last);
    else if (strpbrk(at->text, " \t"))
        finding_at(
            d->errors, at,
            "%s '%s' holds a blank, and no shell takes it apart: write every word as an item of its own", key,
            at->text);
    else if (!*last)
        finding_at(d->errors, at, "%s '%s' is a folder, name a program in it", key, at->text);
}

static void read_command(struct draft *d, const char *key, const struct value *list,
                         struct site_command *command)
{
    struct field word = word_fields[0];
    size_t used = 0;

    word.key = key;
    if (!list->at)
        return;
    if (!list->at->count)
        finding_at(d->errors, list->at, "%s is empty, name a program by its absolute path", key);
    for (const struct tree *at = list->at->first; at; at = at->next) {
        struct value one;

        if (field_read(&word, at, &one, d->errors))
            continue;
        size_t bytes = strlen(at->text) + 1;

        if (!command->count)
            check_program(d, key, at);
        if (command->count == SITE_COMMAND_WORDS || used + bytes > sizeof command->text) {
            finding_at(d->errors, at, "%s is longer than %d words of %d characters together, write a script",
                       key, SITE_COMMAND_WORDS, SITE_COMMAND_BYTES);
            return;
        }
        memcpy(command->text + used, at->text, bytes);
        used += bytes;
        command->count++;
    }
}

static void read_shed(struct draft *d, struct draft_shed *s, const struct tree *at, uint32_t index)
{
    s->at = at;
    fields_read(shed_fields, at, "a shed action", s, d->errors);
    if (at->kind != TREE_MAP)
        return;
    if (s->id.at && !strcmp(s->id.text, DRAFT_SHED_NONE))
        finding_at(d->errors, s->id.at,
                   "a shed action cannot be called none, for that is what a node says that has no action");
    else if (s->id.at)
        names_add(&d->shed_names, s->id.text, s->id.at, index, d->errors);
    read_command(d, "command", &s->command, &s->words);
    read_command(d, "restore", &s->restore, &s->restore_words);
    if (s->restore_after.at && !s->restore.at)
        finding_at(d->errors, s->restore_after.at,
                   "restore_after says when and nothing says how, add restore: [/path/of/program, ...]");
}

int draft_read_sheds(struct draft *d)
{
    uint32_t i = 0;
    int rc = draft_take_rows(d, &d->sheds_at, sizeof *d->shed, SITE_SHEDS_MAX, "shed actions",
                             (void **)&d->shed, &d->shed_count);

    if (!rc)
        rc = names_start(&d->shed_names, "shed action", d->shed_count, &d->scratch);
    const struct tree *at = !rc && d->sheds_at.at ? d->sheds_at.at->first : NULL;

    for (; at && i < d->shed_count; at = at->next, i++)
        read_shed(d, &d->shed[i], at, i);
    return rc;
}

uint32_t draft_shed_of(struct draft *d, const struct value *named)
{
    if (!named->at || !strcmp(named->text, DRAFT_SHED_NONE))
        return INDEX_NONE;
    return names_resolve(&d->shed_names, named->at, d->errors);
}
