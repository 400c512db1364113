/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The door: a local SEQPACKET socket, served by one cold thread, one peer after the other. A request is one
 * packet with one word. "status", "counters", "names" and "orders" are answered by one JSON document over as
 * many packets as it takes, "why NAME" (why.h) likewise, "view" by one packet: struct view_header of
 * view_share.h with a descriptor of the view's memory (SCM_RIGHTS). An order (door_orders.h) is answered by
 * one JSON object once core has decided on it, and only to those whom door_peer.h lets; so is what the
 * process tells that takes shed actions (shed_desk.h). Then the connection
 * ends; so it does after 2 s, answered or not.
 */
#ifndef FLYBALL_LOOP_DOOR_H
#define FLYBALL_LOOP_DOOR_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>

#include "loop/count.h"

enum { DOOR_PACKET_BYTES = 32 * 1024, DOOR_REQUEST_BYTES = 512 };

struct loop;

struct door {
    struct loop *loop;
    const char *path;
    int listener;               /* -1 = closed */
    int core;
    pthread_t thread;
    _Atomic bool stop;
    count_t answered, refused;
};

/* setup: makes the socket at door->path (and its folder), taking the place of one that nobody listens on. 0
 * or -errno;
 * -EADDRINUSE when another daemon answers there. */
int door_open(struct door *door);
void door_close(struct door *door);

/* cold: the thread's body. */
void *door_run(void *door);

#endif
