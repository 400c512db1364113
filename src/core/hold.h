/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hold(n) of safety.md section 9: after a lost permit or an emergency raises below a node wait, policy's
 * hold_least_ns at first, twice as long every time it happens again, up to hold_most_ns. After as long as
 * hold_most_ns without a cause it begins anew. Heat that came with the cause has to go first (heat_cooled).
 * A cut never waits.
 *
 * For status and why: `hold_view`.
 */
#ifndef FLYBALL_CORE_HOLD_H
#define FLYBALL_CORE_HOLD_H

#include <stdbool.h>

#include "core/heat.h"
#include "msg/model.h"

enum hold_cause { HOLD_EMERGENCY = 1, HOLD_PERMIT = 2 };   /* a set */

struct hold {
    uint8_t causes;             /* enum hold_cause that last now */
    bool hot;                   /* not cooled since the last cause */
    int64_t for_ns;             /* length of the present or the newest hold; 0 = none since it was calm */
    int64_t until_ns;           /* raises wait before this; INT64_MAX while a cause lasts */
};

struct holds {
    const struct model *model;
    struct hold *node;
    uint32_t held;              /* nodes with a hold that may still run: 0 spares every walk */
};

struct hold_view {
    uint8_t causes;             /* enum hold_cause that last now */
    bool hot;
    int64_t for_ns;             /* length of the present hold */
    int64_t left_ns;            /* from now; 0 = raises do not wait for time, INT64_MAX = a cause lasts */
};

/* setup: `node` stands, one per node of the model. */
void hold_init(struct holds *holds, const struct model *model);

/* rt: a cause is there (`on`) or is not; called as often as one likes, what changes it is the edge. */
void hold_observe(struct holds *holds, const struct heat *heat, uint32_t node, enum hold_cause cause, bool on,
                  int64_t t_ns);

/* rt: a reading of this node's meter was taken by heat. */
void hold_reading(struct holds *holds, const struct heat *heat, uint32_t node, int64_t t_ns);

/* rt: at a take-over, how the controller before had it. */
void hold_hand(struct holds *holds, uint32_t node, const struct hold *hold);

/* rt: its meter is silent, and leases alone hold the limit: emergency and heat are over as far as anybody can
 * tell. Time runs on. */
void hold_blind(struct holds *holds, const struct heat *heat, uint32_t node, int64_t t_ns);

/* rt: does time still run at this node? Heat apart. */
bool hold_runs(const struct holds *holds, uint32_t node, int64_t t_ns);

/* rt: may no cap of this host be raised now? The node that says so, or INDEX_NONE. */
uint32_t hold_forbids_raise(const struct holds *holds, uint32_t host, int64_t t_ns);

/* any, owner thread only */
void hold_view(const struct holds *holds, uint32_t node, int64_t t_ns, struct hold_view *view);

#endif
