/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file of one-time tokens, beside the key file, mode 0600: what the controller keeps of each, one a line.
 *
 *     NAME ID POINT not-after=TIME [taken=KEY_ID-PROOF | used=KEY_ID-PROOF]
 *
 * A token itself stands nowhere. One that is taken has a key that may stand in the key file, and no host was
 * told that it does; of one that is used, one may have been (`auth/enlist.h`).
 */
#ifndef FLYBALL_AUTH_TOKENS_H
#define FLYBALL_AUTH_TOKENS_H

#include <stdbool.h>

#include "auth/enrol.h"

enum { TOKENS_MAX = HOSTS_MAX };    /* one a host */

enum tokens_state { TOKEN_FREE, TOKEN_TAKEN, TOKEN_USED };

struct tokens_row {
    char name[NAME_BYTES];              /* of the host it is for */
    struct enrol_stored stored;
    int64_t not_after_s;                /* UTC */
    uint8_t state;                      /* enum tokens_state */
    uint16_t key_id;                    /* where it is not free; 0 in a file of before it was kept */
    uint8_t proof[ENROL_PROOF_BYTES];   /* of that key: enrol_proof */
};

struct tokens {
    struct tokens_row *row;
    uint32_t count, room;
};

/* cold: 0, also where there is no file; -EBADMSG: a line is none; -EPERM: others may open it, or it is
 * somebody else's; or another -errno. On failure it is empty. */
int tokens_read(struct tokens *tokens, const char *path);

/* cold: a whole file beside it, synced, then under its name, without rows that ended before now_s; what is
 * taken stays, for its key is to be ended first. */
int tokens_write(const struct tokens *tokens, const char *path, int64_t now_s);

/* cold: rows that ended before now_s go; what is taken stays, as above. */
void tokens_drop(struct tokens *tokens, int64_t now_s);

/* cold: one more; earlier ones of that host go. -E2BIG, -ENOMEM. */
int tokens_add(struct tokens *tokens, const struct tokens_row *row);

/* any: NULL = none. */
struct tokens_row *tokens_find(const struct tokens *tokens, const uint8_t id[ENROL_ID_BYTES]);

void tokens_free(struct tokens *tokens);

/* any: 2 * bytes digits and their end; and back. */
void tokens_hex(const uint8_t *data, size_t bytes, char *text);
bool tokens_unhex(const char *text, uint8_t *data, size_t bytes);

#endif
