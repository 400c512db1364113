/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tags on frames: who may say what. docs/authentication.md has the reasons.
 *
 * A peer is a host or a meter. It has up to AUTH_KEYS_MAX keys at a time, told apart by the key id in the
 * frame's header, and each key is two: one for what goes up to the controller, one for what comes down, so
 * that nothing can be sent back to where it came from. The tag covers the header, its tag field as zeros, and
 * the body.
 *
 * Which keys are in force is decided where it is cold: auth_publish puts a whole new table beside the one in
 * use and turns to it. A hot thread takes the newest at the begin of its turn (auth_look) and needs neither a
 * clock nor a lock; a table is written over only once every user has looked away from it.
 */
#ifndef FLYBALL_AUTH_AUTH_H
#define FLYBALL_AUTH_AUTH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "auth/keys.h"
#include "auth/mac.h"
#include "msg/frame.h"

enum { AUTH_KEYS_MAX = 4, AUTH_USERS_MAX = 8, AUTH_PROBE_EVERY = 8 };

/* Whose end this is: the controller checks what goes up and seals what goes down, a peer the reverse. */
enum auth_end { AUTH_CONTROLLER, AUTH_PEER };

enum auth_key_state { AUTH_IN_FORCE = 1, AUTH_NOT_YET, AUTH_ENDED };

struct auth_key {
    uint16_t id;
    uint8_t state;                          /* enum auth_key_state */
    uint8_t reserved[5];
    uint8_t up[AUTH_KEY_BYTES], down[AUTH_KEY_BYTES];
};

/* Newest first: by not-before, then by place in the file. */
struct auth_peer {
    uint32_t count;
    struct auth_key key[AUTH_KEYS_MAX];
};

struct auth_table {
    struct auth_peer *peer;                 /* hosts, then meters */
    uint32_t *meter_of;                     /* by key id: the meter, or UINT32_MAX; NULL: no meters */
};

/* Whom it is about, by index; names are those of the key file. They outlive the struct. */
struct auth_names {
    uint32_t hosts, meters;
    const char *(*host)(const void *names, uint32_t index);
    const char *(*meter)(const void *names, uint32_t index);
    const void *names;
};

/* By kind of peer and name; sorted. */
struct auth_place {
    const char *name;
    uint32_t who;                           /* enum auth_who */
    uint32_t peer;
};

/* One thread's: made at the start. */
struct auth_user {
    struct auth *auth;
    const struct auth_table *table;
    struct auth_mac mac;
    _Atomic uint32_t looked;
};

struct auth {
    enum auth_end end;
    struct auth_names names;
    struct auth_table table[2];
    struct auth_place *place;
    /* by peer: id of the key under which it last spoke truly and anew; 0 = none yet */
    _Atomic uint16_t *heard;
    uint32_t *said;                         /* by peer: frames that this end sealed */
    _Atomic uint32_t published;             /* table[published & 1] is in use */
    struct auth_user user[AUTH_USERS_MAX];
    uint32_t users;
    void *memory;
};

/* setup: room for all peers, and contexts for `users` threads. No key is known yet. 0, -ENOMEM, -E2BIG, or
 * -ENOTSUP where libcrypto refuses the primitive. On failure auth_close frees what there is. */
int auth_open(struct auth *auth, enum auth_end end, const struct auth_names *names, uint32_t users);
void auth_close(struct auth *auth);

/* any: the peer of that name; UINT32_MAX: none of ours. */
uint32_t auth_find(const struct auth *auth, enum auth_who who, const char *name);

/* cold: the keys of a file as they stand at now_s (UTC, s) are in force from the users' next look on. Rows of
 * peers that are not ours are passed by. 0, or -EAGAIN while a user has not looked since the last time. */
int auth_publish(struct auth *auth, const struct auth_keys *keys, int64_t now_s);

/* cold: no user can see an older table than the newest any more. */
bool auth_is_seen(const struct auth *auth);

/* rt, the user's thread: once at the begin of every turn, and at least every second. */
void auth_look(struct auth_user *user);

/* rt: the peer of a host or a meter. */
static inline uint32_t auth_host(uint32_t host)
{
    return host;
}

static inline uint32_t auth_meter(const struct auth *auth, uint32_t meter)
{
    return auth->names.hosts + meter;
}

/* rt: whose key this is, index of the meter; UINT32_MAX = no meter's. A meter's frame names no sender. */
uint32_t auth_meter_of(const struct auth_user *user, uint16_t key_id);

/* rt: the frame that frame_decode took from `data`, from this peer: ACCEPTED, REFUSED_BARE, REFUSED_KEY (no
 * key of this peer has the id), REFUSED_KEY_ENDED (revoked, expired, not yet in force) or REFUSED_TAG. */
int auth_check(struct auth_user *user, uint32_t peer, const uint8_t *data, const struct frame *frame);

/* rt: what auth_check accepted was new as well: the peer holds this key, and is answered with it. */
void auth_heard(struct auth_user *user, uint32_t peer, uint16_t key_id);

/* rt: sets key id and tag of the frame that stands whole at `data`. The controller takes the key the peer
 * last used, or, before it has spoken or once that key has ended, the oldest in force. A peer takes the
 * key of the newest true answer, and for one in AUTH_PROBE_EVERY frames a newer one, so that a key may
 * come to either side first; before an answer came, all of those in force in turn. A meter hears no
 * answer: it takes the oldest in force until that ends, so new keys come to the controller first. 0,
 * -ENOKEY: it has none in force. One thread at a time seals for a peer. */
int auth_seal(struct auth_user *user, uint32_t peer, uint8_t *data, uint32_t bytes);

/* any: equal, in a time that does not depend on where they differ. */
bool auth_equal(const uint8_t *left, const uint8_t *right, size_t bytes);

#endif
