/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arbitration: weighted max-min down the tree of nodes, once a tick, in parts of at most TICK_ITEMS_MAX
 * visits. First everyone gets what it can use (from fail-safe up), then what is left is given out as room to
 * grow. Shares are apparent power (mVA over all phases) along each host's first cord; the guard holds every
 * share against every cord, phase and contingency before it leaves.
 */
#ifndef FLYBALL_CORE_CLUSTER_H
#define FLYBALL_CORE_CLUSTER_H

#include "core/contract.h"
#include "core/demand.h"
#include "core/ledger.h"
#include "core/pool.h"
#include "core/waterfill.h"

/* What one host or everything below one node must have, can use, may have at most. */
struct extent {
    int64_t least_mva, useful_mva, most_mva;
};

enum cluster_phase {
    CLUSTER_IDLE,
    CLUSTER_CLEAR,
    CLUSTER_GATHER,
    CLUSTER_SUM,
    CLUSTER_OFFER,
    CLUSTER_SHARE,
    CLUSTER_COMMIT
};

struct cluster {
    const struct model *model;
    const struct contracts *contracts;  /* NULL: none */
    const struct pools *pools;          /* NULL: none */
    struct extent *host_extent, *node_extent;
    struct claim *host_claim, *node_claim;
    int64_t *capacity_mva;      /* by node: what governed hosts below it may have */
    uint32_t *node_weight;
    uint8_t *node_phases;       /* by node: bit p set when a host below hangs on phase p */
    int64_t *target_mw;         /* by host: the cap of the last committed arbitration, -1 = none */
    uint8_t phase;              /* enum cluster_phase */
    uint32_t cursor;            /* host or node of this phase */
    uint32_t offered;           /* children of the node under the cursor that were offered to */
    bool plenty;                /* the node under the cursor can give everyone below what it can use */
    struct waterfill fill;
    uint32_t carry_node;        /* error diffusion of cap quanta inside one rack */
    int64_t carry_mw;
};

/* setup: the arrays stand, zeroed. */
void cluster_init(struct cluster *cluster, const struct model *model);

/* rt: begins an arbitration; an open one is given up (its parts changed nothing). A site without hosts has
 * nothing to share and stays idle. */
void cluster_begin(struct cluster *cluster);

/* rt: visits at most *items things; returns true when targets of hosts from *first up to cluster->cursor
 * are ready to be acted on (phase CLUSTER_COMMIT). Idle again when the last host was committed. */
bool cluster_part(struct cluster *cluster, const struct ledger *ledger, const struct demand *demand,
                  int64_t t_ns, uint32_t items, uint32_t *first);

#endif
