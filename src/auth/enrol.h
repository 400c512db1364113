/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A host gets its first key by a one-time token, over a network where others listen and send. Four datagrams;
 * neither token nor key is in any of them. docs/authentication.md has the reasons.
 *
 * The token is 16 random bytes. It gives an X25519 key pair: the host keeps the private half, the controller
 * stores the public one alone, which is never sent and from which nobody gets the token back. Both ends draw
 * a pair for this exchange, too. The key comes of both products and of all that was said:
 *
 *     hello    host -> controller   id | A | tag            by the stored half: who guesses is seen here
 *     reply    controller -> host   key id | id | B | tag
 *     confirm  host -> controller   hello | tag             by the key: so is who read the file
 *     done     controller -> host   id | tag                the key is in the controller's file
 *
 * The controller draws B of a secret of its own and of the hello: it keeps nothing of a hello, so no other
 * one, recorded or made up, pushes out an exchange that is under way. The tags of confirm and done are made
 * of the key alone, so both ends can go on with an exchange after a crash of either. What does not fit is
 * -EBADMSG, and is never answered.
 */
#ifndef FLYBALL_AUTH_ENROL_H
#define FLYBALL_AUTH_ENROL_H

#include <stddef.h>

#include "auth/mac.h"
#include "msg/limits.h"

enum {
    ENROL_TOKEN_BYTES = 16, ENROL_ID_BYTES = 8, ENROL_POINT_BYTES = 32, ENROL_TAG_BYTES = 32,
    ENROL_PROOF_BYTES = 8,
    ENROL_SECRET_BYTES = 32,            /* the controller's own, drawn at its start */
    ENROL_HELLO_BYTES = 80, ENROL_REPLY_BYTES = ENROL_HELLO_BYTES,
    ENROL_CONFIRM_BYTES = ENROL_HELLO_BYTES + ENROL_TAG_BYTES, ENROL_DONE_BYTES = 48,
};

enum enrol_kind { ENROL_HELLO = 1, ENROL_REPLY, ENROL_CONFIRM, ENROL_DONE };

/* What the controller keeps of a token. */
struct enrol_stored {
    uint8_t id[ENROL_ID_BYTES];
    uint8_t point[ENROL_POINT_BYTES];
};

struct enrol_host {
    char name[NAME_BYTES];
    struct enrol_stored stored;
    uint8_t token_private[ENROL_POINT_BYTES], own_private[ENROL_POINT_BYTES];
    uint8_t hello[ENROL_HELLO_BYTES];
};

/* What comes of an exchange: a row of a key file. */
struct enrol_key {
    uint16_t id;
    uint8_t secret[AUTH_KEY_BYTES];
};

/* cold: 0 or -EIO, where libcrypto or the kernel gives nothing. */
int enrol_store(const uint8_t token[ENROL_TOKEN_BYTES], struct enrol_stored *stored);

/* cold: knows this secret again, and tells nothing of it. 0 or -EIO. */
int enrol_proof(const uint8_t secret[AUTH_KEY_BYTES], uint8_t proof[ENROL_PROOF_BYTES]);

/* cold: kind of a datagram of this protocol and of whole length, with its token's id; 0 = none. */
int enrol_kind(const uint8_t *data, size_t bytes, uint8_t id[ENROL_ID_BYTES]);

/* cold, the host: begins. Sends hello, again and again until a reply is taken. */
int enrol_begin(struct enrol_host *host, const uint8_t token[ENROL_TOKEN_BYTES], const char *name);

/* cold, the host: 0 and what to send; the key counts once done has come. */
int enrol_take_reply(const struct enrol_host *host, const uint8_t *data, size_t bytes, struct enrol_key *key,
                     uint8_t confirm[ENROL_CONFIRM_BYTES]);
int enrol_take_done(const struct enrol_key *key, const char *name, const uint8_t id[ENROL_ID_BYTES],
                    const uint8_t *data, size_t bytes);

/* cold, the controller: of a token that is good, for the host of that name. 0: the reply is to be sent. The
 * same secret and hello give the same key and reply. */
int enrol_answer(const struct enrol_stored *stored, const char *name,
                 const uint8_t secret[ENROL_SECRET_BYTES], const uint8_t *data, size_t bytes,
                 struct enrol_key *key, uint8_t reply[ENROL_REPLY_BYTES]);

/* cold, the controller: the hello that stands in a confirm. */
int enrol_hello_of(const uint8_t *data, size_t bytes, uint8_t hello[ENROL_HELLO_BYTES]);

/* cold, the controller: 0: the host has the token and this key; done is to be sent once both are written. */
int enrol_take_confirm(const struct enrol_key *key, const char *name, const uint8_t *data, size_t bytes,
                       uint8_t done[ENROL_DONE_BYTES]);

#endif
