/* SPDX-License-Identifier: Apache-2.0 */
/* Many datagrams under way at once: when each was due, sent and answered, matched by the number that it and
 * its answer carry. */
#ifndef FLYBALL_BENCH_LOOPS_FLOW_H
#define FLYBALL_BENCH_LOOPS_FLOW_H

#include "bench/rtt_stand.h"

enum { FLOW_MAX = 32768 };

struct flow {
    struct rtt_stand *stand;
    bool echoes;                /* of the port alone; else reports, and the leases that answer them */
    uint64_t before;            /* the number of the last one before it */
    uint32_t sent, answered;
    int64_t due_ns[FLOW_MAX], sent_ns[FLOW_MAX];
    int64_t answered_ns[FLOW_MAX];      /* 0: not */
};

/* The stand is told what is to answer; the flow is empty. */
void flow_begin(struct flow *flow, struct rtt_stand *stand, bool echoes);
/* Nothing is under way any more; what was is forgotten. */
void flow_clear(struct flow *flow);
/* The stand stands still again. */
void flow_end(struct flow *flow);

/* Sends one that was due at that moment; room is the caller's business. */
void flow_send(struct flow *flow, int64_t due_ns);
/* One look; true where an answer was there. */
bool flow_take(struct flow *flow);
/* Until all have come, or none has for a while. */
void flow_take_rest(struct flow *flow);

/* `per_s` datagrams a second, each when it is due, until end_ns or until there is no room, and all answers to
 * them. */
void flow_at_rate(struct flow *flow, uint32_t per_s, int64_t end_ns);

#endif
