/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/keys/keys_change.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { ID_MAX = 65535 };

/* Ids of a host are its own; those of meters are one range. */
static bool is_rival(const struct auth_row *row, enum auth_who who, const char *name)
{
    return row->who == who && (who == AUTH_METER || !strcmp(row->name, name));
}

static uint16_t free_id(const struct auth_keys *keys, enum auth_who who, const char *name)
{
    uint32_t most = 0;
    for (uint32_t i = 0; i < keys->count; i++)
        if (is_rival(&keys->row[i], who, name) && keys->row[i].id > most)
            most = keys->row[i].id;
    return most < ID_MAX ? (uint16_t)(most + 1) : 0;
}

static int add(struct keys_change *change, enum auth_who who, const char *name)
{
    struct auth_keys *keys = change->keys;
    struct auth_row *row = &keys->row[keys->count];     /* there is room: grow() */
    *row = (struct auth_row){.who = (uint8_t)who, .id = free_id(keys, who, name),
                             .not_before_s = change->now_s, .not_after_s = INT64_MAX};
    snprintf(row->name, sizeof row->name, "%s", name);
    if (getrandom(row->secret, sizeof row->secret, 0) != (ssize_t)sizeof row->secret)
        return -EIO;
    keys->count++;
    change->changed++;
    return row->id ? 0 : -EOVERFLOW;
}

/* Rows for one more key of each; the old block is erased. */
static int grow(struct keys_change *change)
{
    uint32_t more = change->model->host_count + change->model->meter_count;
    struct auth_keys grown = {.row = calloc(change->keys->count + more + 1, sizeof *grown.row)};
    if (!grown.row)
        return -ENOMEM;
    grown.count = change->keys->count;
    if (grown.count)
        memcpy(grown.row, change->keys->row, grown.count * sizeof *grown.row);
    auth_keys_free(change->keys);
    *change->keys = grown;
    return 0;
}

static int add_all(struct keys_change *change, int (*one)(struct keys_change *, enum auth_who, const char *))
{
    const struct model *model = change->model;
    const char *name = change->name;
    int error = grow(change);
    for (uint32_t i = 0; i < model->host_count && !error; i++)
        if (!name || !strcmp(name, model->host[i].name))
            error = one(change, AUTH_HOST, model->host[i].name);
    for (uint32_t i = 0; i < model->meter_count && !error; i++)
        if (!name || !strcmp(name, model->meter[i].name))
            error = one(change, AUTH_METER, model->meter[i].name);
    return !error && !change->changed ? -ENOENT : error;
}

int keys_make(struct keys_change *change)
{
    change->now_s = INT64_MIN;      /* a host whose clock is behind needs one at once */
    return add_all(change, add);
}

static int replace(struct keys_change *change, enum auth_who who, const char *name)
{
    struct auth_keys *keys = change->keys;
    uint32_t living = 0;
    for (uint32_t i = 0; i < keys->count; i++) {
        struct auth_row *row = &keys->row[i];
        if (row->who != who || strcmp(row->name, name) || row->revoked || change->now_s >= row->not_after_s)
            continue;
        living++;
        if (row->not_after_s > change->now_s + change->overlap_s)
            row->not_after_s = change->now_s + change->overlap_s;
    }
    change->name = living >= AUTH_KEYS_MAX ? name : change->name;
    return living >= AUTH_KEYS_MAX ? -E2BIG : add(change, who, name);
}

int keys_rotate(struct keys_change *change)
{
    return add_all(change, replace);
}

void keys_revoke(struct keys_change *change)
{
    for (uint32_t i = 0; i < change->keys->count; i++) {
        struct auth_row *row = &change->keys->row[i];
        if (strcmp(row->name, change->name) || row->revoked || (change->id && row->id != change->id))
            continue;
        row->revoked = true;
        change->changed++;
    }
}

uint32_t keys_print(const struct auth_keys *keys, const char *name, FILE *out)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < keys->count; i++) {
        if (strcmp(keys->row[i].name, name))
            continue;
        auth_row_print(&keys->row[i], out);
        count++;
    }
    return count;
}

bool keys_span(const char *text, int64_t *span_s)
{
    static const struct { const char *unit; int64_t s; } units[] = {
        {"s", 1}, {"min", 60}, {"h", 3600}, {"d", 86400}};
    char *end;
    long value = strtol(text, &end, 10);
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (end == text || value < 0 || value > 100000 || strcmp(end, units[i].unit))
            continue;
        *span_s = value * units[i].s;
        return true;
    }
    return false;
}
