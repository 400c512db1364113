/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/auth.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "auth/table.h"
#include "wire/frame.h"

static uint32_t peers_of(const struct auth *auth)
{
    return auth->names.hosts + auth->names.meters;
}

static int by_name(const void *left, const void *right)
{
    const struct auth_place *a = left, *b = right;
    return a->who != b->who ? (a->who < b->who ? -1 : 1) : strcmp(a->name, b->name);
}

static void list_names(struct auth *auth)
{
    const struct auth_names *names = &auth->names;
    for (uint32_t i = 0; i < names->hosts; i++)
        auth->place[i] = (struct auth_place){names->host(names->names, i), AUTH_HOST, i};
    for (uint32_t i = 0; i < names->meters; i++)
        auth->place[names->hosts + i] =
            (struct auth_place){names->meter(names->names, i), AUTH_METER, names->hosts + i};
    qsort(auth->place, peers_of(auth), sizeof *auth->place, by_name);
}

uint32_t auth_find(const struct auth *auth, enum auth_who who, const char *name)
{
    const struct auth_place key = {.name = name, .who = who};
    const struct auth_place *found = bsearch(&key, auth->place, peers_of(auth), sizeof key, by_name);
    return found ? found->peer : UINT32_MAX;
}

/* One block: names, both tables, what was said and heard. */
static int make_tables(struct auth *auth)
{
    size_t peers = peers_of(auth), ids = auth->names.meters ? AUTH_KEY_IDS : 0;
    size_t table_bytes = peers * sizeof(struct auth_peer) + ids * sizeof(uint32_t);
    size_t each = sizeof *auth->place + sizeof *auth->said + sizeof *auth->heard;
    char *at = calloc(1, peers * each + 2 * table_bytes);
    auth->memory = at;
    if (!at)
        return -ENOMEM;
    auth->place = (struct auth_place *)(void *)at;
    list_names(auth);
    at += peers * sizeof *auth->place;
    for (int i = 0; i < 2; i++) {
        auth->table[i].peer = (struct auth_peer *)(void *)at;
        auth->table[i].meter_of = ids ? (uint32_t *)(void *)(at + peers * sizeof(struct auth_peer)) : NULL;
        for (size_t id = 0; id < ids; id++)
            auth->table[i].meter_of[id] = UINT32_MAX;
        at += table_bytes;
    }
    auth->said = (uint32_t *)(void *)at;
    auth->heard = (_Atomic uint16_t *)(void *)(at + peers * sizeof *auth->said);
    return 0;
}

int auth_open(struct auth *auth, enum auth_end end, const struct auth_names *names, uint32_t users)
{
    *auth = (struct auth){.end = end, .names = *names};
    if (users > AUTH_USERS_MAX)
        return -E2BIG;
    int error = make_tables(auth);
    for (uint32_t i = 0; i < users && !error; i++) {
        struct auth_user *user = &auth->user[auth->users++];
        user->auth = auth;
        user->table = &auth->table[0];
        error = auth_mac_open(&user->mac);
    }
    return error;
}

void auth_close(struct auth *auth)
{
    size_t peers = peers_of(auth);
    for (uint32_t i = 0; i < auth->users; i++)
        auth_mac_close(&auth->user[i].mac);
    for (int i = 0; i < 2 && auth->memory; i++)
        OPENSSL_cleanse(auth->table[i].peer, peers * sizeof(struct auth_peer));
    free(auth->memory);
    *auth = (struct auth){0};
}

bool auth_is_seen(const struct auth *auth)
{
    uint32_t published = atomic_load_explicit(&auth->published, memory_order_relaxed);
    bool seen = true;
    /* acquire: pairs with auth_look; what that user did with the table before is over */
    for (uint32_t i = 0; i < auth->users; i++)
        seen &= atomic_load_explicit(&auth->user[i].looked, memory_order_acquire) == published;
    return seen;
}

int auth_publish(struct auth *auth, const struct auth_keys *keys, int64_t now_s)
{
    uint32_t next = atomic_load_explicit(&auth->published, memory_order_relaxed) + 1;
    if (!auth_is_seen(auth))
        return -EAGAIN;
    auth_table_fill(auth, &auth->table[next & 1], keys, now_s);
    /* release: pairs with auth_look; the table is whole for whoever sees its number */
    atomic_store_explicit(&auth->published, next, memory_order_release);
    return 0;
}

void auth_look(struct auth_user *user)
{
    /* acquire: pairs with auth_publish */
    uint32_t published = atomic_load_explicit(&user->auth->published, memory_order_acquire);
    if (published == atomic_load_explicit(&user->looked, memory_order_relaxed))
        return;
    user->table = &user->auth->table[published & 1];
    /* release: pairs with auth_is_seen; nothing of the table before is read from here on */
    atomic_store_explicit(&user->looked, published, memory_order_release);
}

uint32_t auth_meter_of(const struct auth_user *user, uint16_t key_id)
{
    return user->table->meter_of ? user->table->meter_of[key_id] : UINT32_MAX;
}

static const struct auth_key *find_key(const struct auth_peer *peer, uint16_t id)
{
    for (uint32_t i = 0; i < peer->count; i++)
        if (peer->key[i].id == id)
            return &peer->key[i];
    return NULL;
}

bool auth_equal(const uint8_t *left, const uint8_t *right, size_t bytes)
{
    return CRYPTO_memcmp(left, right, bytes) == 0;
}

/* The header as the tag covers it: its tag field as zeros. */
static bool tag_of(struct auth_user *user, const uint8_t *key, const uint8_t *data, uint32_t body_bytes,
                   uint8_t tag[FRAME_TAG_BYTES])
{
    uint8_t header[FRAME_HEADER_BYTES] = {0};
    memcpy(header, data, FRAME_HEADER_BYTES - FRAME_TAG_BYTES);
    return auth_mac_tag(&user->mac, key, header, sizeof header, data + FRAME_HEADER_BYTES, body_bytes, tag);
}

int auth_check(struct auth_user *user, uint32_t peer, const uint8_t *data, const struct frame *frame)
{
    uint8_t tag[FRAME_TAG_BYTES];
    if (!frame->key_id)
        return REFUSED_BARE;
    const struct auth_key *key = find_key(&user->table->peer[peer], frame->key_id);
    if (!key)
        return REFUSED_KEY;
    if (key->state != AUTH_IN_FORCE)
        return REFUSED_KEY_ENDED;
    const uint8_t *secret = user->auth->end == AUTH_CONTROLLER ? key->up : key->down;
    if (!tag_of(user, secret, data, frame->body_bytes, tag) || !auth_equal(tag, frame->tag, sizeof tag))
        return REFUSED_TAG;
    return ACCEPTED;
}

void auth_heard(struct auth_user *user, uint32_t peer, uint16_t key_id)
{
    /* relaxed: a number by itself; whoever reads it looks the key up in its own table */
    atomic_store_explicit(&user->auth->heard[peer], key_id, memory_order_relaxed);
}

/* The n-th key in force that is newer than `than` (NULL: all are), n modulo how many there are; NULL:
 * none. */
static const struct auth_key *nth_in_force(const struct auth_peer *peer, uint32_t n,
                                           const struct auth_key *than)
{
    const struct auth_key *in_force[AUTH_KEYS_MAX];
    uint32_t count = 0;
    for (uint32_t i = 0; i < peer->count && &peer->key[i] != than; i++)
        if (peer->key[i].state == AUTH_IN_FORCE)
            in_force[count++] = &peer->key[i];
    return count ? in_force[n % count] : NULL;
}

static const struct auth_key *oldest_in_force(const struct auth_peer *peer)
{
    const struct auth_key *key = NULL;
    for (uint32_t i = 0; i < peer->count; i++)
        if (peer->key[i].state == AUTH_IN_FORCE)
            key = &peer->key[i];
    return key;
}

static const struct auth_key *choose(const struct auth_user *user, uint32_t index, uint32_t said)
{
    const struct auth_peer *peer = &user->table->peer[index];
    uint16_t id = atomic_load_explicit(&user->auth->heard[index], memory_order_relaxed);
    const struct auth_key *key = id ? find_key(peer, id) : NULL;
    bool stands = key && key->state == AUTH_IN_FORCE;
    bool answered = index < user->auth->names.hosts;
    if (user->auth->end == AUTH_CONTROLLER || !answered)
        return stands ? key : oldest_in_force(peer);
    if (!stands)
        return nth_in_force(peer, said, NULL);
    if (said % AUTH_PROBE_EVERY)
        return key;
    const struct auth_key *newer = nth_in_force(peer, said / AUTH_PROBE_EVERY, key);
    return newer ? newer : key;
}

int auth_seal(struct auth_user *user, uint32_t peer, uint8_t *data, uint32_t bytes)
{
    struct frame frame;
    uint8_t tag[FRAME_TAG_BYTES];
    if (frame_decode(data, bytes, &frame) != ACCEPTED)
        return -EINVAL;
    const struct auth_key *key = choose(user, peer, user->auth->said[peer]++);
    if (!key)
        return -ENOKEY;
    frame_set_key(data, key->id);
    const uint8_t *secret = user->auth->end == AUTH_CONTROLLER ? key->down : key->up;
    if (!tag_of(user, secret, data, frame.body_bytes, tag))
        return -EIO;
    frame_set_tag(data, tag);
    return 0;
}
