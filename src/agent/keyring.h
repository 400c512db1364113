/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of a running agent (docs/authentication.md): read at the start, and again by a thread of its own
 * where the file changed or a key's time came. The loop turns to the newest without waiting for either. */
#ifndef FLYBALL_AGENT_KEYRING_H
#define FLYBALL_AGENT_KEYRING_H

#include <pthread.h>

#include "agent/config.h"
#include "auth/watch.h"

struct keyring {
    bool opened;                /* the configuration names a file */
    char host[NAME_BYTES];
    struct auth auth;           /* one peer, this host; user 0 is the loop's */
    struct auth_watch watch;
    FILE *out;
    pthread_t thread;           /* 0: not started */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool stop;
};

/* setup: nothing where the configuration names no file. What is wrong with the file goes to `out`, with its
 * place. 0; -EINVAL: it is wrong, or has no key of this host; another -errno. Zeroed before, and not moved
 * later. */
int keyring_open(struct keyring *keyring, const struct config *config, FILE *out);

/* setup: the thread that looks at the file. 0 or -errno. */
int keyring_start(struct keyring *keyring);

/* rt, the loop: once at the begin of every turn. */
void keyring_look(struct keyring *keyring);

/* setup: whom agent_auth is given; NULL: frames are bare. */
struct auth_user *keyring_user(struct keyring *keyring);

/* setup: asks the thread to end, waits for it until then (MONOTONIC) and erases the keys. False: the disk
 * holds it, and everything stays. */
bool keyring_close(struct keyring *keyring, int64_t until_ns);

#endif
