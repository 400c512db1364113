/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The damper (safety.md section 9, domain.md 4.5): counts changes of direction above one quantum of the sum
 * of caps below a node. More than policy.damper_changes in policy.damper_window_ns, and raises below wait:
 * 100 ms, doubling with every further change up to 1.6 s; calm again after 10 s with at most one. Cuts are
 * never delayed, but a cut whose only purpose is a raise that the damper, or hold(n), holds is not issued.
 *
 * Watts move cut first, confirmed, then raise. So what leaves within the time that a cut takes to be
 * confirmed is one move: a cut and the raise that it pays for are none, though a report lies between them.
 *
 * For status and why: `damper_view`.
 */
#ifndef FLYBALL_CORE_DAMPER_H
#define FLYBALL_CORE_DAMPER_H

#include <stdbool.h>

#include "msg/model.h"

enum { DAMPER_TURNS = DAMPER_CHANGES_MAX + 1 };     /* changes of direction that are remembered */

struct damper {
    int64_t quantum_mw;
    int64_t sum_mw;             /* of wall draw that caps below allow, but for a constant */
    int64_t extreme_mw;         /* farthest in the present direction */
    int64_t moved_ns;           /* the move that began then stands in sum_mw, but is not yet judged */
    int8_t direction;
    uint8_t newest;             /* of turn_ns */
    int64_t turn_ns[DAMPER_TURNS];
    int64_t hold_ns;            /* 0: calm */
    int64_t until_ns;           /* raises wait before this */
    /* targets less what was sent: of arbitration `noted`, and of the one before; only while something is
     * held */
    uint64_t noted;
    int64_t lacks_mw, lacked_mw;
};

struct dampers {
    const struct model *model;
    struct damper *node;
    int64_t move_ns;            /* a cut, until a report shows that it has held for A, and a tick */
    int64_t held_until_ns;      /* the latest until_ns of any: later nothing is held */
    uint64_t arbitration;       /* number of the open or the last one */
    /* held when it began; and when the one before began: that one is known whole */
    bool was_held, noting;
};

struct damper_view {
    uint32_t changes;           /* in the window */
    int64_t hold_ns;            /* length of the newest hold; 0 = calm */
    int64_t left_ns;            /* raises below wait for this long from now */
};

/* setup: `node` stands, one per node. */
void damper_init(struct dampers *dampers, const struct model *model);

/* rt: one move of the sum of caps at one node. */
void damper_move(struct damper *damper, const struct model_policy *policy, int64_t change_mw, int64_t t_ns);

/* rt: a lease changes what a host may draw by this much. */
void damper_sent(struct dampers *dampers, uint32_t host, int64_t change_mw, int64_t t_ns);

/* rt: an arbitration begins, the one before is through. `held_elsewhere`: raises wait somewhere for another
 * reason than a damper. */
void damper_arbitrate(struct dampers *dampers, bool held_elsewhere, int64_t t_ns);

/* rt: arbitration wants this host's draw to be `change_mw` above what it was last sent. */
void damper_target(struct dampers *dampers, uint32_t host, int64_t change_mw);

/* rt: the damped node that holds raises of this host now, or INDEX_NONE. */
uint32_t damper_forbids_raise(const struct dampers *dampers, uint32_t host, int64_t t_ns);

/* rt: did arbitration want less as a whole of any node above this host, or is that not known? If not, a cut
 * of it would only pay for somebody's raise. */
bool damper_wants_less(const struct dampers *dampers, uint32_t host);

/* rt: the damped node below which this host's cut would only pay for raises that are held, or INDEX_NONE. */
uint32_t damper_forbids_cut(const struct dampers *dampers, uint32_t host, int64_t t_ns);

/* any: in damped mode, from the first hold until 10 s with at most one change: a pool's loop turns down. */
bool damper_is_damped(const struct damper *damper, int64_t t_ns);

/* any, owner thread only */
void damper_view(const struct dampers *dampers, uint32_t node, int64_t t_ns, struct damper_view *view);

#endif
