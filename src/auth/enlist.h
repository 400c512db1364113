/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A token becomes a key, in two files that no single write changes both of. Each step is on the disk before
 * the next one begins:
 *
 *     1. the token is taken, by that key       nothing stands in the key file
 *     2. the key stands in the key file        no host was told
 *     3. the token is used                     a host may have been told, from here on
 *     4. done leaves
 *
 * Whoever crashes between 1 and 3 leaves a token that is taken. The exchange that took it may end, if its key
 * is there; another one with this token revokes that key first: nobody was told that it counts. One that is
 * used gives a second key to nobody, and says done again to the very host that has the first.
 */
#ifndef FLYBALL_AUTH_ENLIST_H
#define FLYBALL_AUTH_ENLIST_H

#include <sys/stat.h>

#include "auth/keys.h"
#include "auth/tokens.h"

enum { ENLIST_PATH_BYTES = 4096 };

/* What a datagram came to. */
enum enlist_fate {
    ENLIST_GOOD,        /* a hello that is to be answered; a confirm that made a key */
    ENLIST_REPEATED,    /* a confirm that made one before */
    ENLIST_UNKNOWN, ENLIST_FORGED, ENLIST_SPENT, ENLIST_EXPIRED,
};

/* Both files, read again where they changed. */
struct enlist {
    const char *keys_path;
    char tokens_path[ENLIST_PATH_BYTES];
    struct tokens tokens;
    struct auth_keys keys;
    struct stat tokens_seen, keys_seen;
    int tokens_error, keys_error;       /* of the last reading */
    uint8_t secret[ENROL_SECRET_BYTES];
    FILE *report;                       /* for what is wrong with the key file, with its place */
};

/* setup: the token file is KEYS.tokens. 0, -EIO, -ENAMETOOLONG. */
int enlist_open(struct enlist *enlist, const char *keys_path, FILE *report);
void enlist_close(struct enlist *enlist);

/* cold: the tokens as they stand on the disk. *changed: other than at the last look. 0, or as tokens_read. */
int enlist_look(struct enlist *enlist, bool *changed);

/* cold, after enlist_look: 0 and the fate; where that is good, the reply. -EIO. */
int enlist_hello(const struct enlist *enlist, int64_t now_s, const uint8_t *data, size_t bytes,
                 enum enlist_fate *fate, uint8_t reply[ENROL_REPLY_BYTES]);

/* cold, holding the lock of both files: 0 and the fate, with `done` where that is good or repeated, and
 * the name and key of the host. -EINVAL: the key file is not good; -E2BIG: the host has AUTH_KEYS_MAX;
 * -EEXIST: one of that id; or another -errno: nobody was told anything, and the same confirm may come
 * again. */
struct enlist_host {
    char name[NAME_BYTES];
    uint16_t key_id;
};
int enlist_confirm(struct enlist *enlist, int64_t now_s, const uint8_t *data, size_t bytes,
                   enum enlist_fate *fate, struct enlist_host *host, uint8_t done[ENROL_DONE_BYTES]);

/* cold, holding the lock: one more token. Those that are taken are free again, their keys revoked. 0, as
 * tokens_add, or another -errno. */
int enlist_token(struct enlist *enlist, const struct tokens_row *row, int64_t now_s);

#endif
