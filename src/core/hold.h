/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hold(n) of safety.md section 9: after an emergency raises below a node wait, policy's hold_least_ns at
 * first, twice as long every time it happens again, up to hold_most_ns. After as long as hold_most_ns without
 * a cause it begins anew. Heat that came with the emergency has to go first (heat_cooled). After a lost
 * permit only what it lent waits, by a length of its own: core/permit.c gives no permit back while hold_runs,
 * and without one the limit in force is the steady one. What stays within that needs no reading, so a meter
 * that comes and goes costs nobody a raise within it. A cut never waits.
 *
 * For status and why: `hold_view`.
 */
#ifndef FLYBALL_CORE_HOLD_H
#define FLYBALL_CORE_HOLD_H

#include <stdbool.h>

#include "core/heat.h"
#include "msg/model.h"

enum hold_cause { HOLD_EMERGENCY, HOLD_PERMIT, HOLD_CAUSES };

/* What one cause holds: all raises, or those above the steady limit. */
struct hold_wait {
    bool on;                    /* the cause lasts now */
    bool hot;                   /* not cooled since the last emergency */
    int64_t for_ns;             /* length of the present or the newest hold; 0 = none since it was calm */
    int64_t until_ns;           /* raises wait before this; INT64_MAX while the cause lasts */
};

struct hold {
    struct hold_wait of[HOLD_CAUSES];
};

struct holds {
    const struct model *model;
    struct hold *node;
    uint32_t held;              /* nodes with an emergency's hold that may still run: 0 spares every walk */
};

struct hold_view {
    bool hot;
    int64_t for_ns;             /* length of the present hold of all raises */
    int64_t left_ns;            /* of it, from now; 0 = raises do not wait for time, INT64_MAX = it lasts */
    int64_t lent_for_ns, lent_left_ns;  /* of raises above the steady limit, by a lost permit */
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

/* rt: does time still run at this node, by whatever cause? Heat apart. */
bool hold_runs(const struct holds *holds, uint32_t node, int64_t t_ns);

/* rt: may no cap of this host be raised now, however little? The node that says so, or INDEX_NONE. */
uint32_t hold_forbids_raise(const struct holds *holds, uint32_t host, int64_t t_ns);

/* any, owner thread only */
void hold_view(const struct holds *holds, uint32_t node, int64_t t_ns, struct hold_view *view);

#endif
