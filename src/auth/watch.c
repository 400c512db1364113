/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/watch.h"

#include <errno.h>
#include <string.h>

#include "auth/secret_file.h"

static void count(_Atomic uint64_t *counter)
{
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

static void publish(struct auth_watch *watch, int64_t now_s)
{
    watch->due = auth_publish(watch->auth, &watch->keys, now_s) != 0;
    if (!watch->due)
        watch->published_s = now_s;
}

int auth_watch_open(struct auth_watch *watch, struct auth *auth, const char *path, int64_t now_s,
                    FILE *report)
{
    *watch = (struct auth_watch){.auth = auth};
    if (snprintf(watch->path, sizeof watch->path, "%s", path) >= (int)sizeof watch->path)
        return -ENAMETOOLONG;
    secret_file_changed(path, &watch->seen);    /* where there is none, the reading says so */
    int error = auth_keys_read(&watch->keys, path, report);
    if (!error)
        publish(watch, now_s);
    return error;
}

static void read_again(struct auth_watch *watch, FILE *report)
{
    struct auth_keys keys;
    if (auth_keys_read(&keys, watch->path, report)) {
        fprintf(report, "%s: the keys that were there stay\n", watch->path);
        count(&watch->failures);
        return;
    }
    auth_keys_free(&watch->keys);
    watch->keys = keys;
    watch->due = true;
    count(&watch->reloads);
}

/* A key came into force or ended since. */
static bool time_changed_something(const struct auth_watch *watch, int64_t now_s)
{
    for (uint32_t i = 0; i < watch->keys.count; i++) {
        const struct auth_row *row = &watch->keys.row[i];
        if (auth_row_in_force(row, watch->published_s) != auth_row_in_force(row, now_s))
            return true;
    }
    return false;
}

void auth_watch_look(struct auth_watch *watch, int64_t now_s, FILE *report)
{
    if (secret_file_changed(watch->path, &watch->seen))
        read_again(watch, report);
    if (watch->due || time_changed_something(watch, now_s))
        publish(watch, now_s);
    fflush(report);
}

void auth_watch_close(struct auth_watch *watch)
{
    auth_keys_free(&watch->keys);
}

static bool has_key(const struct auth_watch *watch, enum auth_who who, const char *name)
{
    for (uint32_t i = 0; i < watch->keys.count; i++) {
        const struct auth_row *row = &watch->keys.row[i];
        if (row->who == who && !strcmp(row->name, name) && auth_row_in_force(row, watch->published_s))
            return true;
    }
    return false;
}

uint32_t auth_watch_keyless(const struct auth_watch *watch, enum auth_who who, const char **name)
{
    const struct auth_names *names = &watch->auth->names;
    uint32_t peers = who == AUTH_HOST ? names->hosts : names->meters, keyless = 0;
    for (uint32_t i = 0; i < peers; i++) {
        const char *one = who == AUTH_HOST ? names->host(names->names, i) : names->meter(names->names, i);
        if (has_key(watch, who, one))
            continue;
        if (!keyless++)
            *name = one;
    }
    return keyless;
}
