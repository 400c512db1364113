/* SPDX-License-Identifier: Apache-2.0 */
/* Which hot threads a server's row asks for, and which lanes are whose. hot.h has the rule of who sends. */
#ifndef FLYBALL_LOOP_CREW_H
#define FLYBALL_LOOP_CREW_H

#include "loop/hot.h"
#include "site/site.h"

enum { HOTS_MAX = LANES_MAX + 1 };      /* a thread per lane, and one that decides */

struct crew_lane {
    uint8_t port, queue;        /* ports one after the other, their queues ascending */
};

struct crew_thread {
    char name[HOT_NAME_BYTES];  /* "fb-hot", "fb-decide", "fb-lane-N" by its first lane */
    uint32_t roles;             /* bits of enum hot_role */
    uint32_t lanes;             /* bits */
    int core;
};

struct crew {
    uint32_t lanes, threads;
    struct crew_lane lane[LANES_MAX];
    struct crew_thread thread[HOTS_MAX];    /* the first one decides */
    uint32_t sending_lane;      /* leases leave by its transmit queue */
    bool roaming;               /* a sender may move to a lane of the same port on another packet thread */
    bool look_again;            /* a sender may move between lanes that decide's thread does not poll */
};

/* setup: 0, or -EINVAL when the ports ask for more than LANES_MAX queues, or for none. */
int crew_make(struct crew *crew, const struct site_server *server);

#endif
