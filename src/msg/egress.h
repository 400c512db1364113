/* SPDX-License-Identifier: Apache-2.0 */
/* What decide hands to transmission: one cache line per lease. */
#ifndef FLYBALL_MSG_EGRESS_H
#define FLYBALL_MSG_EGRESS_H

#include "msg/limits.h"

/* Which rule gave the cap its value: the first word of an answer to "why was my job capped". */
enum egress_why {
    WHY_RENEWAL = 1,        /* nothing changed */
    WHY_CLAIM,              /* host unknown to this epoch: fail-safe */
    WHY_SHARE,              /* arbitration gave this share */
    WHY_CUT,                /* arbitration took watts for another host */
    WHY_GUARD_S,            /* I1a: sum of newest leases would pass the limit */
    WHY_GUARD_D,            /* I1b: exposure would pass the limit, raise withheld */
    WHY_EMERGENCY,          /* measured above a limit */
    WHY_FAIL_SAFE,          /* sent to fail-safe by the second stage or a failed renewal */
    WHY_LIMIT,              /* a limit fell (permit or feed lost, sag, order): cut to it in one go */
    WHY_ORDER,              /* a contract or maintenance order */
    WHY_HANDED,             /* first lease after a hand-over: the cap it had */
    WHY_LET_GO,             /* it asked to leave, and may have its own limits: it counts at phys_max */
};

/* A token response leaves by the same queue: kind FRAME_TOKEN_RESPONSE, `why` an enum token_reason, `echo`
 * the request's number, cap_mw what is granted, `floor_w` the alternative in W (down), `duration_us` retry
 * after; `incarnation` and `sequence` are 0. It is no lease: the ledger does not know it. */

struct egress {
    uint8_t kind;               /* enum frame_kind that leaves: lease or claim */
    uint8_t flags;              /* enum lease_flag */
    uint8_t why;                /* enum egress_why */
    uint8_t waited;             /* of the slot that caused it; WAITED_LATE: was late when it was decided */
    uint32_t host;
    uint64_t incarnation;
    uint64_t sequence;
    uint64_t echo;
    int64_t cap_mw;
    int64_t t_receive_ns;       /* of the slot that caused it */
    uint64_t slot_sequence;     /* of the slot that caused it */
    uint32_t duration_us;       /* D */
    uint32_t floor_w;
};

static_assert(sizeof(struct egress) == EGRESS_BYTES, "an egress record is one cache line");

#endif
