/* SPDX-License-Identifier: Apache-2.0 */
/* The key file while a program runs: read anew where it changed, and looked at anew as time passes. What is
 * wrong in it is said once, and the keys that were there stay. */
#ifndef FLYBALL_AUTH_WATCH_H
#define FLYBALL_AUTH_WATCH_H

#include <sys/stat.h>

#include "auth/auth.h"

enum { AUTH_LOOK_MS = 1000, AUTH_PATH_BYTES = 256 };

struct auth_watch {
    struct auth *auth;
    char path[AUTH_PATH_BYTES];
    struct auth_keys keys;                  /* the newest good ones */
    struct stat seen;                       /* the file that was read last, good or not */
    int64_t published_s;                    /* the states of keys in use are those of that time */
    bool due;                               /* to be published: new, or a user had not looked yet */
    _Atomic uint64_t reloads, failures;     /* new keys taken over; looks that found what cannot be used */
};

/* setup: reads and publishes; what is wrong goes to `report`. 0 or -errno. */
int auth_watch_open(struct auth_watch *watch, struct auth *auth, const char *path, int64_t now_s,
                    FILE *report);

/* cold, every AUTH_LOOK_MS: a key that was revoked in the file, or whose time ends, is refused two looks
 * later at the latest. */
void auth_watch_look(struct auth_watch *watch, int64_t now_s, FILE *report);

/* cold: the secrets are erased. */
void auth_watch_close(struct auth_watch *watch);

/* setup: peers of ours that have no key in force, the first of them in *name (untouched where all have). */
uint32_t auth_watch_keyless(const struct auth_watch *watch, enum auth_who who, const char **name);

#endif
