/* SPDX-License-Identifier: Apache-2.0 */
/* infrastructure: controllers, switches and clocks with their cords, and whom they serve. */
#include <errno.h>
#include <string.h>

#include "site/read/draft.h"

static const char *const kind_words[] = {"controller", "switch", "ptp", NULL};
_Static_assert(sizeof kind_words / sizeof kind_words[0] == GEAR_KIND_COUNT + 1, "a word for every kind");

#define AT(member) .offset = offsetof(struct draft_gear, member)
static const struct field gear_fields[] = {
    {.key = "id", .kind = FIELD_ID, .required = 1, AT(id)},
    {.key = "kind", .kind = FIELD_WORD, .words = kind_words, .required = 1, AT(kind)},
    {.key = "cords", .kind = FIELD_LIST, .required = 1, AT(cords)},
    {.key = "hosts", .kind = FIELD_ANY, AT(hosts)},
    {.key = "meters", .kind = FIELD_ANY, AT(meters)},
    {.key = "links", .kind = FIELD_LIST, AT(links)},
    FIELD_END};
#undef AT

const struct shape_map draft_gear_shapes[] = {{"gear", gear_fields}, {0}};

uint32_t draft_read_feed(struct draft *d, const struct value *cords, struct draft_feed *feed)
{
    uint32_t faults = 0;

    *feed = (struct draft_feed){0};
    if (cords->at && !cords->at->count)
        finding_at(d->errors, cords->at, "cords is empty, name at least one node");
    for (const struct tree *at = cords->at ? cords->at->first : NULL; at; at = at->next) {
        if (feed->count == CORDS_MAX) {
            finding_at(d->errors, at, "more than %d cords, that is the most", CORDS_MAX);
            return faults + 1;
        }
        uint32_t node = names_resolve(&d->node_names, at, d->errors);

        if (node != INDEX_NONE)
            feed->node_of[feed->count++] = node;
        faults += node == INDEX_NONE;
    }
    return faults;
}

static void add_link(struct draft *d, uint32_t gear, enum site_end end, uint32_t index, bool of_row)
{
    d->link[d->link_count++] = (struct draft_link){gear, (uint32_t)end, index, of_row};
}

static void read_name(struct draft *d, uint32_t gear, enum site_end end, const struct tree *at)
{
    const struct names *const table[3][2] = {[END_HOST] = {&d->host_names, &d->row_names},
                                             [END_METER] = {&d->meter_names, NULL},
                                             [END_GEAR] = {&d->gear_names, NULL}};
    uint32_t which, index = names_resolve_either(table[end], at, d->errors, &which);

    if (index == INDEX_NONE)
        return;
    if (end == END_GEAR && index == gear)
        finding_at(d->errors, at, "'%s' is linked to itself, name what it is plugged into", at->text);
    else
        add_link(d, gear, end, index, which == 1);
}

/* `all`, or a list of names. */
static void read_served(struct draft *d, uint32_t gear, const char *key, const struct value *served,
                        enum site_end end)
{
    const struct tree *at = served->at;

    if (!at)
        return;
    if (d->gear[gear].kind.at && d->gear[gear].kind.number == GEAR_PTP) {
        finding_at(d->errors, at, "a ptp serves whoever listens, drop %s", key);
        return;
    }
    if (at->kind == TREE_SCALAR && !strcmp(at->text, "all")) {
        add_link(d, gear, end == END_HOST ? END_ALL_HOSTS : END_ALL_METERS, 0, false);
        return;
    }
    if (at->kind != TREE_LIST) {
        finding_at(d->errors, at, "%s must be a list of ids or the word all", key);
        return;
    }
    for (at = at->first; at; at = at->next)
        read_name(d, gear, end, at);
}

static int has_cords(const struct tree *server)
{
    const struct tree *name = server->kind == TREE_MAP ? tree_get(server, "name") : NULL;
    const struct tree *cords = name ? tree_get(server, "cords") : NULL;

    return cords && name->kind == TREE_SCALAR && cords->kind == TREE_LIST &&
           strlen(name->text) < SITE_GEAR_BYTES;
}

/* A server that names its cords is a controller. The reader of servers looks at the rest of the row. */
static void read_server_cords(struct draft *d, const struct tree *server)
{
    struct draft_gear *gear = &d->gear[d->gear_count];
    const struct tree *name = tree_get(server, "name"), *cords = tree_get(server, "cords");

    gear->at = server;
    gear->id = (struct value){.at = name, .text = name->text};
    gear->kind = (struct value){.at = name, .number = GEAR_CONTROLLER};
    gear->cords = (struct value){.at = cords};
    names_add(&d->gear_names, name->text, name, d->gear_count++, d->errors);
    draft_read_feed(d, &gear->cords, &gear->feed);
}

static void read_gear(struct draft *d, const struct tree *at)
{
    struct draft_gear *gear = &d->gear[d->gear_count];

    gear->at = at;
    fields_read(gear_fields, at, "an item of infrastructure", gear, d->errors);
    if (gear->id.at)
        names_add(&d->gear_names, gear->id.text, gear->id.at, d->gear_count, d->errors);
    draft_read_feed(d, &gear->cords, &gear->feed);
    d->gear_count++;
}

static uint32_t children(const struct value *list)
{
    return list->at ? list->at->count + 1 : 0;
}

/* Names may point forward: whom they serve is read once all are known. */
static int read_links(struct draft *d)
{
    uint32_t most = 0;

    for (uint32_t g = 0; g < d->gear_count; g++)
        most += children(&d->gear[g].hosts) + children(&d->gear[g].meters) + children(&d->gear[g].links);
    d->link = scratch_take(&d->scratch, (most + 1) * sizeof *d->link);
    if (!d->link)
        return -ENOMEM;
    for (uint32_t g = 0; g < d->gear_count; g++) {
        const struct tree *at = d->gear[g].links.at;

        read_served(d, g, "hosts", &d->gear[g].hosts, END_HOST);
        read_served(d, g, "meters", &d->gear[g].meters, END_METER);
        for (at = at ? at->first : NULL; at; at = at->next)
            read_name(d, g, END_GEAR, at);
    }
    return 0;
}

int draft_read_gear(struct draft *d)
{
    const struct tree *rows = d->gear_at.at, *servers = d->servers_at.at;
    uint32_t count = (rows ? rows->count : 0) + (servers ? servers->count : 0);

    if (count > SITE_GEAR_MAX) {
        finding_at(d->errors, rows ? rows : servers, "%u controllers, switches and clocks, at most %d", count,
                   SITE_GEAR_MAX);
        return 0;
    }
    d->gear = scratch_take(&d->scratch, (count + 1) * sizeof *d->gear);
    if (!d->gear || names_start(&d->gear_names, "item of infrastructure", count, &d->scratch))
        return -ENOMEM;
    d->gear_names.silent = !d->gear_at.at && tree_get(d->root, "infrastructure");
    for (const struct tree *at = rows ? rows->first : NULL; at; at = at->next)
        read_gear(d, at);
    for (const struct tree *at = servers ? servers->first : NULL; at; at = at->next)
        if (has_cords(at))
            read_server_cords(d, at);
    return read_links(d);
}
