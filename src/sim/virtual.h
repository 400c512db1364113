/* SPDX-License-Identifier: Apache-2.0 */
/* The closed loop in virtual time: plant, wire, network, the controller's own pipeline, and back. For
 * tuning without waiting, and for simulations that repeat. */
#ifndef FLYBALL_SIM_VIRTUAL_H
#define FLYBALL_SIM_VIRTUAL_H

#include "msg/order.h"
#include "sim/history.h"
#include "sim/plant.h"

enum virtual_to { TO_CONTROLLER_METER, TO_CONTROLLER_HOST, TO_HOST };

#define VIRTUAL_LOST INT64_C(-1)

/* What a caller does to a run beside its workload. */
struct virtual_watch {
    void *user;
    /* before every step of the plant; `core`: of the newest controller, dead or alive */
    void (*step)(void *user, struct plant *plant, const struct core *core);
    /* a datagram leaves: how much later than usual it arrives, or VIRTUAL_LOST. `index`: meter or host */
    int64_t (*post)(void *user, enum virtual_to to, uint32_t index, int64_t t_ns);
};

/* The controller stops, and after a gap in which nobody listens another one goes on from what it left. */
struct virtual_handover {
    int64_t at_ns, gap_ns;
    /* what came of it; arrays by host stand */
    int64_t *had_mw, *first_mw; /* newest cap of the one before, and first of the next; -1 = none */
    uint32_t lending;           /* nodes whose newest leases stood above their steady limit */
    struct core_counters next;  /* of the next one alone: outcome.governor is of both */
};

struct virtual_config {
    int64_t duration_ns;
    double loss;                /* share of datagrams that the network loses, both ways */
    uint64_t epoch;
    const struct slot_order *order; /* given at order_ns; NULL = none */
    int64_t order_ns;
    const struct virtual_watch *watch;      /* NULL = none */
    const struct model *believed;   /* what the controller takes the site for; NULL = what it is */
    int64_t lease_ns;               /* for so long a lease lasts, whatever it says; 0 = as it says */
    struct virtual_handover *handover;      /* NULL = none */
    bool learns_no_other;           /* meters teach the controller nothing of other loads (core/residual.h) */
    bool greedy;        /* every report asks for the largest cap: the guard alone says how much it may be */
    const struct history *history;  /* what goes wrong; NULL = nothing */
    bool wire;          /* messages go through the bytes of the wire: the same run, slower */
};

/* setup: runs to the outcome, which the caller finishes. 0 or -errno. */
int virtual_run(const struct model *model, const struct workload *workload,
                const struct virtual_config *config, struct outcome *outcome);

#endif
