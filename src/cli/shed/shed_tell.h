/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The thread that talks to the daemon's door, so that a door that answers late delays no action: it says once
 * a second that somebody listens, and tells every entry that has changed; all of them to a daemon that was
 * started anew. It says so only while the watching thread says of itself that it sees every node: else the
 * daemon is asked for its epoch and nothing that it would take for a listener, and its alarm tells the truth.
 */
#ifndef FLYBALL_CLI_SHED_TELL_H
#define FLYBALL_CLI_SHED_TELL_H

#include <pthread.h>

#include "cli/shed/shed_book.h"

struct shed_teller {
    const char *door;
    pthread_t thread;
    bool runs;
    pthread_mutex_t lock;           /* all below */
    pthread_cond_t news;
    bool stop;
    uint32_t count, room;
    struct shed_entry *entry;       /* what is to be told */
    uint64_t version;               /* of that */
    int64_t saw_ns;                 /* a turn of the one that watches ended and saw all; 0 = none yet */
    uint64_t epoch;                 /* of the daemon that answered last, 0 = none yet */
    int64_t answered_ns;            /* when; 0 = never */
    char refused[160];              /* what it said against it, "" = nothing */
};

/* setup: 0 or -errno. */
int shed_tell_start(struct shed_teller *teller, const char *door);
void shed_tell_stop(struct shed_teller *teller);

/* any: these are the entries now. */
void shed_tell(struct shed_teller *teller, const struct shed_book *book);

/* any: a turn has ended that saw every watched node. */
void shed_tell_saw(struct shed_teller *teller, int64_t now_ns);

/* any: is somebody there who watches. */
bool shed_tell_listens(struct shed_teller *teller, int64_t now_ns);

/* any: epoch of the daemon that answered last and when, and what it refused. */
uint64_t shed_tell_epoch(struct shed_teller *teller, int64_t *answered_ns, char refused[160]);

#endif
