/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hot threads: one that does everything to completion, or one that decides and one per core of the lanes.
 * Same turns.
 *
 * A queue of a port, both ways, belongs to the thread of its lane: a port has as many transmit queues as
 * receive queues. Leases leave by one lane of the hosts' port: the first that lies on the deciding thread, so
 * that nothing has to cross, else that of queue 0. The thread of that lane is the one that sends them.
 */
#ifndef FLYBALL_LOOP_HOT_H
#define FLYBALL_LOOP_HOT_H

#include <pthread.h>

#include "loop/decide.h"
#include "loop/egress.h"
#include "loop/lane.h"

enum hot_role { HOT_RECEIVE = 1, HOT_DECIDE = 2, HOT_SEND = 4 };
enum hot_state { HOT_STARTING, HOT_READY, HOT_FAILED, HOT_ENDED };

/* Slots of one turn before the lanes are polled again. */
enum { TURN_SLOTS = 64, HOT_NAME_BYTES = 16 };

/* How a stop runs down the path: packets stop coming in, on every thread; then decisions, then leases stop
 * going out. */
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
    bool stale;                 /* what the ports hold at the start came while we waited: thrown away */
    _Atomic int stop;               /* enum hot_stop */
    _Atomic uint32_t receiving;     /* threads with lanes that have not stopped receiving */
};

struct hot {
    struct path *path;
    char name[HOT_NAME_BYTES];
    uint32_t roles;                 /* bits of enum hot_role */
    uint32_t lanes;                 /* bit i: lane i of the path is this thread's */
    int core, priority;
    int64_t runtime_ns, period_ns;  /* of SCHED_DEADLINE; 0: SCHED_FIFO at the priority */
    pthread_t thread;
    /* valid once ready: what was not permitted; pin_error -EBUSY: not with its deadline, which it has */
    int pin_error, scheduler_error;
    int attach_error;
    uint32_t attach_lane;           /* the lane it is about */
    _Atomic int state;              /* enum hot_state */
    struct gap gap;                 /* times in which it did not run */
    bool received;                  /* the thread's own: it has left path->receiving */
    _Alignas(64) count_t beat;      /* turns, watched from outside */
};

/* setup: the thread's body. Pins itself, attaches its queues, seals, says ready, turns until the stop
 * reaches it. Whoever starts it has counted it into path->receiving if it receives. */
void *hot_run(void *hot);

/* rt: one turn while the stop is at `stop`. Returns whether anything was done. */
bool hot_turn(struct hot *hot, int stop);

#endif
