/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the process that takes shed actions (`flyball shed`) tells the daemon at its door: that it is there,
 * once a second, and what became of which action. Copies, so that status and the verdict need no file: what
 * is true stands in the state file of that process, which tells it anew after each start of the daemon.
 * Nothing here is seen by the loop.
 */
#ifndef FLYBALL_LOOP_SHED_DESK_H
#define FLYBALL_LOOP_SHED_DESK_H

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>

#include "loop/shed_states.h"
#include "site/site.h"

/* After so long without a word nobody listens. */
#define SHED_DEAF_NS (5 * NS_PER_S)

struct shed_row {
    uint8_t state;                  /* enum shed_state */
    uint32_t tries;
    int64_t wall_s;                 /* the state began */
    char end[SHED_END_BYTES];       /* how its newest command ended, "" = none yet */
};

struct shed_desk {
    const struct site *site;
    /* there is something to take: a node names an action, and leases are sent */
    bool expected;
    _Atomic int64_t heard_ns;       /* monotonic; at first the start of the daemon */
    pthread_mutex_t lock;           /* the rows: the door's thread, and who writes the summary */
    struct shed_row *row;           /* by node; NULL where no node names an action */
};

/* setup: 0 or -ENOMEM. */
int shed_desk_open(struct shed_desk *desk, const struct site *site, int64_t now_ns);
void shed_desk_close(struct shed_desk *desk);

/* cold, the door's thread: takes "shed\tbeat", or "shed\tnode=NAME\tstate=WORD\ttries=N\twall_s=N\tend=TEXT",
 * and answers by one JSON object. `request` is changed. */
void shed_desk_answer(struct shed_desk *desk, char *request, uint64_t epoch, int64_t now_ns, FILE *out);

/* cold, any thread */
struct shed_row shed_desk_read(struct shed_desk *desk, uint32_t node);
bool shed_desk_is_deaf(struct shed_desk *desk, int64_t now_ns);

#endif
