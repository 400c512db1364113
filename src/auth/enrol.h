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
 *     confirm  host -> controller   id | tag                by the private half: so is who read the file
 *     done     controller -> host   id | tag                the key is in the controller's file
 *
 * What does not fit is -EBADMSG, and is never answered.
 */
#ifndef FLYBALL_AUTH_ENROL_H
#define FLYBALL_AUTH_ENROL_H

#include <stddef.h>

#include "auth/mac.h"
#include "msg/limits.h"

enum {
    ENROL_TOKEN_BYTES = 16, ENROL_ID_BYTES = 8, ENROL_POINT_BYTES = 32, ENROL_TAG_BYTES = 32,
    ENROL_HELLO_BYTES = 80, ENROL_REPLY_BYTES = ENROL_HELLO_BYTES,
    ENROL_CONFIRM_BYTES = 48, ENROL_DONE_BYTES = ENROL_CONFIRM_BYTES,
};

enum enrol_kind { ENROL_HELLO = 1, ENROL_REPLY, ENROL_CONFIRM, ENROL_DONE };

/* What the controller keeps of a token. */
struct enrol_stored {
    uint8_t id[ENROL_ID_BYTES];
    uint8_t point[ENROL_POINT_BYTES];
};

/* Of one exchange, at both ends. */
struct enrol_secrets {
    uint8_t key[AUTH_KEY_BYTES];        /* the secret of the row */
    uint8_t reply[ENROL_TAG_BYTES], confirm[ENROL_TAG_BYTES], done[ENROL_TAG_BYTES];
};

struct enrol_host {
    char name[NAME_BYTES];
    struct enrol_stored stored;
    uint8_t token_private[ENROL_POINT_BYTES], own_private[ENROL_POINT_BYTES];
    uint8_t hello[ENROL_HELLO_BYTES];
    struct enrol_secrets secrets;
    uint16_t key_id;
};

struct enrol_desk {
    char name[NAME_BYTES];
    struct enrol_stored stored;
    uint8_t hello[ENROL_HELLO_BYTES], reply[ENROL_REPLY_BYTES];
    struct enrol_secrets secrets;
    uint16_t key_id;
};

/* cold: 0 or -EIO, where libcrypto or the kernel gives nothing. */
int enrol_store(const uint8_t token[ENROL_TOKEN_BYTES], struct enrol_stored *stored);

/* cold: kind of a datagram of this protocol and of whole length, with its token's id; 0 = none. */
int enrol_kind(const uint8_t *data, size_t bytes, uint8_t id[ENROL_ID_BYTES]);

/* cold, the host: begins. Sends hello, again and again until a reply is taken. */
int enrol_begin(struct enrol_host *host, const uint8_t token[ENROL_TOKEN_BYTES], const char *name);

/* cold, the host: 0 and what to send; the key stands in host->secrets, but counts once done has come. */
int enrol_take_reply(struct enrol_host *host, const uint8_t *data, size_t bytes,
                     uint8_t confirm[ENROL_CONFIRM_BYTES]);
int enrol_take_done(const struct enrol_host *host, const uint8_t *data, size_t bytes);

/* cold, the controller: of a token that is good, for the host of that name. 0: desk->reply is to be sent. */
int enrol_answer(struct enrol_desk *desk, const struct enrol_stored *stored, const char *name,
                 uint16_t key_id, const uint8_t *data, size_t bytes);

/* cold, the controller: 0: the host has the token and the key; done is to be sent once both are written. */
int enrol_take_confirm(const struct enrol_desk *desk, const uint8_t *data, size_t bytes,
                       uint8_t done[ENROL_DONE_BYTES]);

#endif
