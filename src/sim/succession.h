/* SPDX-License-Identifier: Apache-2.0 */
/* Which controllers there are: one, none for a while, or one that lives on after another has started; and the
 * orders that each of them finds in the log when it starts. */
#ifndef FLYBALL_SIM_SUCCESSION_H
#define FLYBALL_SIM_SUCCESSION_H

#include "sim/controller.h"
#include "sim/fault.h"
#include "sim/random.h"

enum { ZOMBIES_MAX = 3, SUCCESSION_ORDERS_MAX = 32 };

/* One that goes on though another has started. */
struct zombie {
    struct controller controller;
    struct fault fault;         /* that made it one; ends with it */
};

/* What controllers of a run counted, one on top of the other, whichever of them live. */
struct succession_past {
    struct core_counters count;
    uint64_t missed;            /* controller.h */
};

struct succession {
    struct controller_setup setup;
    struct controller newest;   /* one that is dead stands here until the next starts */
    struct zombie zombie[ZOMBIES_MAX];
    uint32_t zombies;
    uint64_t epoch;             /* of the newest */
    uint32_t serial;
    uint32_t absences;          /* faults in force that keep a controller from starting */
    uint32_t pauses;
    bool leaves;                /* what the newest left is there for the next */
    int64_t died_ns;
    struct slot_order order[SUCCESSION_ORDERS_MAX];     /* in force, by number */
    uint32_t order_count;
    uint64_t order_number;
    struct { struct fault fault; uint32_t contract; } limit[SUCCESSION_ORDERS_MAX];     /* in force */
    uint32_t limit_count, contracts;    /* contracts: made by faults so far */
    /* by host, while zombies live: what does not pass between it and the newest, bit 0 up, bit 1 down */
    uint8_t *parted;
    struct random random;
    struct succession_past gone;        /* of controllers that are */
};

/* setup: the first controller. 0 or -ENOMEM; to be finished either way. */
int succession_init(struct succession *succession, const struct controller_setup *setup, uint64_t epoch,
                    uint64_t seed);
void succession_finish(struct succession *succession);

/* any: a fault of the controller begins or ends. 0 or -ENOMEM. */
int controller_fault(struct succession *succession, const struct fault *fault, bool begins, int64_t t_ns);

/* any: the newest dies, and may be gone on from; the next one starts, from what it left where `goes_on`. */
void succession_die(struct succession *succession, bool leaves, int64_t t_ns);
int succession_start(struct succession *succession, bool goes_on, int64_t t_ns);

/* any: an order is logged, and given to all that live. */
void succession_order(struct succession *succession, const struct slot_order *order, int64_t t_ns);

/* any: the i-th that lives, the newest first; NULL behind the last. */
struct controller *succession_living(struct succession *succession, uint32_t i);

/* any: by its number; NULL: it lives no more. */
struct controller *succession_find(struct succession *succession, uint32_t serial);

/* any: between this host and that controller, in that direction, nothing passes. */
bool succession_parts(const struct succession *succession, const struct controller *controller,
                      uint32_t host, bool up);

/* any: what all of them counted so far, those that are gone among them. */
struct succession_past succession_past(const struct succession *succession);

#endif
