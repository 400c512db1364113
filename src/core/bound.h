/* SPDX-License-Identifier: Apache-2.0 */
/* What held a cap down: the answer to "why was my job capped". Kept per host for the newest lease. */
#ifndef FLYBALL_CORE_BOUND_H
#define FLYBALL_CORE_BOUND_H

#include "msg/egress.h"

/* X(symbol, name, meaning) */
#define BOUND_TERMS(X) \
    X(BOUND_NOTHING, "nothing", "it has all it can use") \
    X(BOUND_CEILING, "ceiling", "the most its type may be set to") \
    X(BOUND_DEMAND, "demand", "what it has been seen to use, and its headroom") \
    X(BOUND_SHARE, "share", "its weighted share of what a node can carry") \
    X(BOUND_TIER, "tier", "hosts of a higher tier come first at that node") \
    X(BOUND_GANG, "gang", "the slowest host of its job: more would do no work") \
    X(BOUND_STEADY, "steady", "the newest leases together at a node's steady limit (I1a, I3)") \
    X(BOUND_CURVE, "curve", "the newest leases together at what a node's curve admits (I1a)") \
    X(BOUND_EXPOSURE, "exposure", "older leases that no report has retired yet (I1b)") \
    X(BOUND_LEVEL, "level", "measured or forecast load at the level of a node's pool") \
    X(BOUND_RAMP, "ramp", "the ramp of a node or of the site") \
    X(BOUND_CONTRACT, "contract", "a contract limit: site cap, demand response, schedule") \
    X(BOUND_HOLD, "hold", "raises wait after an emergency") \
    X(BOUND_DAMPER, "damper", "caps of a node changed direction too often") \
    X(BOUND_MAINTENANCE, "maintenance", "a node is being taken out") \
    X(BOUND_EMERGENCY, "emergency", "measured above what is admissible, or about to trip") \
    X(BOUND_CLAIM, "claim", "it has not yet shown that it obeys this controller") \
    X(BOUND_FAIL_SAFE, "fail_safe", "nothing above fail-safe may be sent")

#define BOUND_SYMBOL(symbol, name, meaning) symbol,
enum bound_term { BOUND_TERMS(BOUND_SYMBOL) BOUND_COUNT };
#undef BOUND_SYMBOL

/* Where it bound. `node` is INDEX_NONE where the term belongs to no node. A renewal keeps what gave the cap
 * its
 * value: the rule, the input and the time of it stand as they were until cap, term or node change. */
struct bound {
    uint8_t term;               /* enum bound_term */
    uint8_t contingency, phase; /* of the sum, where it is one */
    uint8_t why;                /* enum egress_why of the newest lease */
    uint32_t node;
    int64_t wanted_mw;          /* the cap it would have been sent else */
    int64_t cap_mw;             /* that was sent */
    int64_t sum_mva, limit_mva; /* at that node, contingency and phase; for watts, mW */
    int64_t t_ns;               /* slot time at which the newest lease was decided */
    int64_t echo_t_ns;          /* slot time of the report it answers: the host counts D from about then */
    int64_t since_ns;           /* slot time from which the cap stands, for this reason; and by this input: */
    uint64_t slot_sequence;     /* a reading, a report, a tick, an order */
    uint8_t slot_kind;          /* enum slot_kind */
    uint8_t rule;               /* enum egress_why of that lease */
    uint8_t reserved[2];
    uint32_t seen_of;           /* meter of the reading, host of the report, node of the order; INDEX_NONE */
    uint64_t seen_number;       /* of the frame, the report, the tick, the order */
    int64_t seen_mw;            /* read, drawn, ordered */
    uint32_t seen_ma[PHASES];   /* of a reading */
    uint32_t contract;          /* id of the contract that binds, where the term is one; else 0 */
};

/* What held a cap down before it came to the sums: set by whoever does it, until the lease is noted. */
struct bound_hold {
    uint8_t term;               /* enum bound_term; BOUND_NOTHING = nobody did */
    uint32_t node;              /* of a contract: the place it bounds */
};

struct core;

/* rt: of the lease about to be sent: this term holds it down, at this node. The first one stands. */
void bound_by(struct core *core, enum bound_term term, uint32_t node);

/* rt: notes what held the lease down that was sent to the host now; it stands in the sums. `why` is the rule
 * that gave it its cap, wanted_mw what was asked for. */
void bound_note(struct core *core, uint32_t host, int64_t wanted_mw, enum egress_why why);

#endif
