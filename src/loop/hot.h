/* SPDX-License-Identifier: Apache-2.0 */
/* The hot threads: one that does everything to completion, or one for packets and one for decisions. Same
 * turns. */
#ifndef FLYBALL_LOOP_HOT_H
#define FLYBALL_LOOP_HOT_H

#include <pthread.h>

#include "loop/decide.h"
#include "loop/egress.h"
#include "loop/lane.h"

enum hot_role { HOT_PACKETS = 1, HOT_DECIDE = 2 };
enum hot_state { HOT_STARTING, HOT_READY, HOT_FAILED, HOT_ENDED };

/* Slots of one turn before the lanes are polled again. */
enum { TURN_SLOTS = 64 };

/* How a stop runs down the path: packets stop coming in, then decisions, then leases stop going out. */
enum hot_stop { STOP_NO, STOP_ASKED, STOP_RECEIVED, STOP_DECIDED };

/* The hot half of the loop, shared by its threads. */
struct path {
    struct lane *lane;
    uint32_t lanes;
    struct decide *decide;
    struct egress_stage *egress;
    /* of the ports that own their address, each with the lane whose thread owns it */
    struct { struct ip_port *port; uint32_t lane; } ip[LANES_MAX];
    uint32_t ips;
    _Atomic int stop;               /* enum hot_stop */
};

struct hot {
    struct path *path;
    uint32_t roles;
    int core, priority;
    pthread_t thread;
    int pin_error, fifo_error;      /* valid once ready: what was not permitted */
    int attach_error;
    _Atomic int state;              /* enum hot_state */
    _Alignas(64) count_t beat;      /* turns, watched from outside */
};

/* setup: the thread's body. Pins itself, attaches its queues, seals, says ready, turns until the stop
 * reaches it. */
void *hot_run(void *hot);

/* rt: one turn of a thread with these roles. Returns whether anything was done. */
bool hot_turn(struct path *path, uint32_t roles);

#endif
