/* SPDX-License-Identifier: Apache-2.0 */
/* A controller in virtual time: the real decision behind what a lane checks before it, and its ticks. There
 * may be several at a time; each has what it knows, and nothing else. */
#ifndef FLYBALL_SIM_CONTROLLER_H
#define FLYBALL_SIM_CONTROLLER_H

#include "core/pipeline.h"
#include "loop/age.h"
#include "sim/message.h"
#include "wire/frame.h"

enum { CONTROLLER_WAITING_MAX = 16384 };    /* messages that a port holds for one that stands still */

struct controller;

struct controller_input {
    bool is_order;
    union {
        struct message message;
        struct slot_order order;
    };
};

typedef void controller_send(void *user, const struct controller *from, const struct message *message,
                             int64_t t_ns);

/* Of all controllers of a run. */
struct controller_setup {
    const struct model *model;  /* what they take the site for */
    int64_t lease_ns;           /* for so long a lease lasts, whatever it says; 0 = as it says */
    bool greedy;                /* every report asks for the largest cap */
    bool learns_no_other;
    int64_t realtime_ns;        /* UTC at time 0 */
    controller_send *send;
    void *user;
};

struct controller {
    const struct controller_setup *setup;
    struct core *core;
    struct outbox outbox;
    struct replay_window *meter_window, *host_window;
    struct age *age;            /* by meter */
    uint64_t *frame_sequence;   /* of leases, by host */
    uint64_t slot_sequence, tick, epoch;
    uint32_t serial;            /* of the run: the first is 1 */
    bool dead, paused;
    struct controller_input *waiting;   /* what arrived while it stood still */
    uint32_t waiting_count, waiting_room;
    uint64_t missed;            /* what found no room among these */
};

/* setup: knows nothing. 0 or -ENOMEM; to be finished either way. */
int controller_init(struct controller *controller, const struct controller_setup *setup, uint64_t epoch,
                    uint32_t serial, int64_t t_ns);
void controller_finish(struct controller *controller);

/* setup: right after controller_init: goes on from what the one before left gap_ns ago. What is older than a
 * lease, or was left by one that had seen a newer epoch, counts for nothing, as in loop/ledger.c. */
void controller_take_over(struct controller *controller, struct controller *before, int64_t gap_ns,
                          int64_t t_ns);

/* any: a message is there. One that stands still hears it later. t_ns must not fall. */
void controller_hear(struct controller *controller, const struct message *message, int64_t t_ns);

/* any: an order. */
void controller_order(struct controller *controller, const struct slot_order *order, int64_t t_ns);

/* any: time has come up to t_ns: ticks that are due. */
void controller_time(struct controller *controller, int64_t t_ns);

/* any: stands still from now on; goes on, and works off what waits. */
void controller_pause(struct controller *controller);
void controller_resume(struct controller *controller, int64_t t_ns);

#endif
