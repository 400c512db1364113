/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of a running daemon: made at the start, watched by a cold thread. */
#ifndef FLYBALL_LOOP_KEYS_H
#define FLYBALL_LOOP_KEYS_H

#include <pthread.h>

#include "auth/watch.h"
#include "loop/hot.h"
#include "site/site.h"
#include "time/timebase.h"

struct keys {
    bool open;                  /* tags are asked for */
    uint64_t session;           /* drawn at the start: random, not 0; leases carry it */
    struct auth auth;           /* one user for each lane, and the last for egress */
    struct auth_watch watch;
    const struct timebase *base;
    int core;
    pthread_t thread;
    _Atomic bool stop;
};

/* setup: the names of a site's hosts and meters, for auth_open. */
struct auth_names keys_names(const struct model *model);

/* setup: draws the session; no keys where the site asks for no tags. 0, or -errno and `why`; who has no
 * key is told to `notes`. */
int keys_open(struct keys *keys, const struct site *site, uint32_t lanes, const struct timebase *base,
              FILE *notes, char *why, size_t why_bytes);
void keys_close(struct keys *keys);

/* cold: the thread's body. */
void *keys_run(void *keys);

/* setup: lanes check and egress seals from now on. */
void keys_arm(struct keys *keys, const struct site *site, struct path *path);

#endif
