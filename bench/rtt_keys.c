/* SPDX-License-Identifier: Apache-2.0 */
/* Keys for both ends of rtt --auth, made for this run and thrown away. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench/rtt_side.h"
#include "loop/keys.h"

enum { ROWS_MAX = RTT_HOSTS + 1 };

static void make_rows(struct auth_keys *keys, const struct model *model)
{
    for (uint32_t i = 0; i < model->host_count + model->meter_count && i < ROWS_MAX; i++) {
        bool meter = i >= model->host_count;
        struct auth_row *row = &keys->row[keys->count++];
        *row = (struct auth_row){.who = meter ? AUTH_METER : AUTH_HOST, .id = 1, .line = i + 1,
                                 .not_before_s = INT64_MIN, .not_after_s = INT64_MAX};
        snprintf(row->name, sizeof row->name, "%s",
                 meter ? model->meter[i - model->host_count].name : model->host[i].name);
        memset(row->secret, (int)i + 1, sizeof row->secret);
    }
}

int rtt_keys_open(struct rtt_keys *keys, struct site *site, const char *suffix)
{
    struct auth_row row[ROWS_MAX];
    struct auth_keys made = {.row = row};
    const struct auth_names names = keys_names(&site->model);
    make_rows(&made, &site->model);
    snprintf(keys->path, sizeof keys->path, "/tmp/flyball-rtt-keys.%d.%s", (int)getpid(), suffix);
    int error = auth_keys_write(&made, keys->path);
    if (!error)
        error = auth_open(&keys->auth, AUTH_PEER, &names, 1);
    if (!error)
        error = auth_watch_open(&keys->watch, &keys->auth, keys->path, (int64_t)time(NULL), stderr);
    if (error)
        return error;
    auth_look(&keys->auth.user[0]);
    site->auth = (struct site_auth){.said = true, .hosts = true, .meters = true};
    snprintf(site->server.keys, sizeof site->server.keys, "%s", keys->path);
    keys->open = true;
    return 0;
}

void rtt_keys_close(struct rtt_keys *keys)
{
    if (keys->path[0])
        unlink(keys->path);
    auth_watch_close(&keys->watch);
    if (keys->open)
        auth_close(&keys->auth);
}

void rtt_keys_seal(struct rtt_keys *keys, bool meter, uint32_t index, uint8_t *data, uint32_t bytes)
{
    uint32_t peer = meter ? auth_meter(&keys->auth, index) : auth_host(index);
    if (keys->open && auth_seal(&keys->auth.user[0], peer, data, bytes))
        abort();
}

bool rtt_keys_true(struct rtt_keys *keys, const uint8_t *data, const struct frame *frame)
{
    if (!keys->open)
        return true;
    if (auth_check(&keys->auth.user[0], auth_host(frame->sender), data, frame))
        return false;
    auth_heard(&keys->auth.user[0], auth_host(frame->sender), frame->key_id);
    return true;
}
