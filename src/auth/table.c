/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/table.h"

#include <openssl/crypto.h>
#include <string.h>

static uint8_t state_of(const struct auth_row *row, int64_t now_s)
{
    if (row->revoked || now_s >= row->not_after_s)
        return AUTH_ENDED;
    return now_s < row->not_before_s ? AUTH_NOT_YET : AUTH_IN_FORCE;
}

/* The place of a key among those of its peer: in force before not yet before ended, of each the newest first.
 * Rows come newest first. */
static uint32_t rank(const struct auth_peer *peer, uint8_t state)
{
    uint32_t at = 0;
    while (at < peer->count && peer->key[at].state <= state)
        at++;
    return at;
}

static void add(struct auth_peer *peer, const struct auth_row *row, uint8_t state)
{
    uint32_t at = rank(peer, state);
    if (at == AUTH_KEYS_MAX)
        return;
    uint32_t moved = peer->count < AUTH_KEYS_MAX ? peer->count - at : AUTH_KEYS_MAX - 1 - at;
    memmove(&peer->key[at + 1], &peer->key[at], moved * sizeof peer->key[0]);
    struct auth_key *key = &peer->key[at];
    *key = (struct auth_key){.id = row->id, .state = state};
    memcpy(key->up, row->up, sizeof key->up);
    memcpy(key->down, row->down, sizeof key->down);
    peer->count += peer->count < AUTH_KEYS_MAX;
}

void auth_table_fill(const struct auth *auth, struct auth_table *table, const struct auth_keys *keys,
                     int64_t now_s)
{
    uint32_t peers = auth->names.hosts + auth->names.meters;
    OPENSSL_cleanse(table->peer, peers * sizeof *table->peer);
    for (uint32_t id = 0; table->meter_of && id < AUTH_KEY_IDS; id++)
        table->meter_of[id] = UINT32_MAX;
    for (uint32_t i = 0; i < keys->count; i++) {
        const struct auth_row *row = &keys->row[i];
        uint32_t peer = auth_find(auth, row->who, row->name);
        if (peer == UINT32_MAX)
            continue;
        add(&table->peer[peer], row, state_of(row, now_s));
        if (row->who == AUTH_METER)
            table->meter_of[row->id] = peer - auth->names.hosts;
    }
}

bool auth_row_in_force(const struct auth_row *row, int64_t now_s)
{
    return state_of(row, now_s) == AUTH_IN_FORCE;
}
