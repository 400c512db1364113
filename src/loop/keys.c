/* SPDX-License-Identifier: Apache-2.0 */
#include "loop/keys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "rt/thread.h"

enum { REST_MS = 50 };

static const char *host_name(const void *model, uint32_t index)
{
    return ((const struct model *)model)->host[index].name;
}

static const char *meter_name(const void *model, uint32_t index)
{
    return ((const struct model *)model)->meter[index].name;
}

struct auth_names keys_names(const struct model *model)
{
    return (struct auth_names){.hosts = model->host_count, .meters = model->meter_count, .host = host_name,
                               .meter = meter_name, .names = model};
}

static int64_t now_s(const struct keys *keys)
{
    return timebase_realtime_ns(keys->base, timebase_now_ns(keys->base)) / NS_PER_S;
}

static void tell_keyless(const struct keys *keys, enum auth_who who, const char *noun, FILE *notes)
{
    const char *name = "";
    uint32_t count = auth_watch_keyless(&keys->watch, who, &name);
    if (count)
        fprintf(notes, "flyballd: %u %s%s no key in force in %s, %s %s: nothing that it says is accepted\n",
                count, noun, count == 1 ? " has" : "s have", keys->watch.path,
                count == 1 ? "it is" : "the first is", name);
}

/* What stood in the file, in the one line that a start has for what went wrong. */
static int read_file(struct keys *keys, const char *path, char *why, size_t why_bytes)
{
    char *said = NULL;
    size_t bytes = 0;
    FILE *report = open_memstream(&said, &bytes);
    if (!report)
        return -ENOMEM;
    int error = auth_watch_open(&keys->watch, &keys->auth, path, now_s(keys), report);
    fclose(report);
    if (error)
        snprintf(why, why_bytes, "keys: %.400s", said && *said ? said : strerror(-error));
    size_t length = strlen(why);
    if (error && length && why[length - 1] == '\n')
        why[length - 1] = 0;
    free(said);
    return error;
}

/* 0 says that there is none. */
static int draw_session(uint64_t *session)
{
    do {
        if (getrandom(session, sizeof *session, 0) != (ssize_t)sizeof *session)
            return -EIO;
    } while (!*session);
    return 0;
}

int keys_open(struct keys *keys, const struct site *site, uint32_t lanes, const struct timebase *base,
              FILE *notes, char *why, size_t why_bytes)
{
    const struct auth_names names = keys_names(&site->model);
    keys->base = base;
    keys->core = site->server.housekeeping_core;
    int error = draw_session(&keys->session);
    if (error || (!site->auth.hosts && !site->auth.meters))
        return error;
    keys->open = true;
    error = auth_open(&keys->auth, AUTH_CONTROLLER, &names, lanes + 1);
    if (error) {
        snprintf(why, why_bytes, "keys: %s", error == -ENOTSUP ? "libcrypto has no SipHash"
                                                               : strerror(-error));
        return error;
    }
    error = read_file(keys, site->server.keys, why, why_bytes);
    if (!error && site->auth.hosts)
        tell_keyless(keys, AUTH_HOST, "host", notes);
    if (!error && site->auth.meters)
        tell_keyless(keys, AUTH_METER, "meter", notes);
    return error;
}

void keys_close(struct keys *keys)
{
    if (!keys->open)
        return;
    auth_watch_close(&keys->watch);
    auth_close(&keys->auth);
    keys->open = false;
}

void *keys_run(void *argument)
{
    struct keys *keys = argument;
    const struct timespec rest = {.tv_nsec = REST_MS * NS_PER_MS};
    rt_pin(keys->core);
    for (uint32_t turn = 1; !atomic_load_explicit(&keys->stop, memory_order_acquire); turn++) {
        nanosleep(&rest, NULL);
        if (turn % (AUTH_LOOK_MS / REST_MS) == 0)
            auth_watch_look(&keys->watch, now_s(keys), stderr);
    }
    return NULL;
}

void keys_arm(struct keys *keys, const struct site *site, struct path *path)
{
    for (uint32_t i = 0; i < path->lanes; i++)
        path->lane[i].trust = (struct trust){.user = keys->open ? &keys->auth.user[i] : NULL,
                                             .hosts = site->auth.hosts,
                                             .meters = site->auth.meters,
                                             .session = keys->session};
    path->egress->session = keys->session;
    path->egress->auth = site->auth.hosts ? &keys->auth.user[path->lanes] : NULL;
}
