/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of arbitration share among themselves. */
#ifndef FLYBALL_CORE_CLUSTER_INSIDE_H
#define FLYBALL_CORE_CLUSTER_INSIDE_H

#include <stddef.h>

#include "core/cluster.h"
#include "core/compare.h"

/* What things take, in visits of about 3 ns. */
enum {
    COST_LIMITS = 2,            /* of a node that nothing has happened to */
    COST_STEERED = 8,           /* whose pool and contract are looked at */
    COST_CELL = 2,              /* of one whose limits may have moved: each of them */
    COST_FITS = 6,              /* and of one that has changed */
    COST_GATHER = 12,           /* of a host that is looked at */
    COST_MARK = 2,
    COST_NODE = 8,              /* beside what is done to its hosts */
    COST_COMMIT = 5,
    CLUSTER_AHEAD = 24,         /* accounts fetched before they are needed: they lie far apart */
};

/* In watts or mVA; sums of it and of what hosts draw stay far below INT64_MAX. */
#define CLUSTER_NO_LIMIT (INT64_MAX / 4)

static inline void cluster_spend(uint32_t *items, uint32_t cost)
{
    *items -= cost < *items ? cost : *items;
}

enum { COEFFICIENT_BITS = 20, COEFFICIENT_ONE = 1 << COEFFICIENT_BITS };

static inline int64_t loads_mva(int64_t draw_mw, int64_t coefficient)
{
    return (draw_mw * coefficient + COEFFICIENT_ONE - 1) >> COEFFICIENT_BITS;
}

/* What a watt of this shape counts in the cell being cut. Where all cords below a node are of one shape it is
 * shared in watts. */
static inline int64_t cut_coefficient(const struct cluster *cluster, uint32_t shape)
{
    if (cluster->visit.in_mw)
        return COEFFICIENT_ONE;
    return cluster->coefficient[(size_t)shape * cluster->cells + cluster->visit.cell];
}

/* rt: every node above a host is to be shared anew. */
void cluster_mark(struct cluster *cluster, uint32_t host);

/* rt: cannot be told anything now: its exposure stands whatever is decided. */
bool cluster_is_fixed(const struct cluster *cluster, const struct ledger_host *h, int64_t t_ns);

/* rt: the least cap a host may be given. */
int64_t cluster_least_cap_mw(const struct cluster *cluster, const struct ledger *ledger, uint32_t host);

/* rt: what hosts from the cursor on must have, can use, may have. */
void cluster_gather(struct cluster *cluster, const struct ledger *ledger, const struct demand *demand,
                    int64_t t_ns, uint32_t *items);

/* rt: an arbitration begins: do pools or contracts count in it? */
void cluster_steer(struct cluster *cluster);

/* rt: what the governed hosts below a node may load each of its cells with; true when that has changed. */
bool cluster_limits(struct cluster *cluster, const struct ledger *ledger, uint32_t node, uint32_t *items);

/* rt: one node's visit begins; then goes on, taking visits off *items, until true: its load and the draws
 * below it stand. */
void cluster_trim_begin(struct cluster *cluster, uint32_t node);
bool cluster_trim(struct cluster *cluster, uint32_t node, uint32_t *items);

/* rt: likewise: hosts that a node with room left holds down are let go, to be shared anew. */
void cluster_slack_begin(struct cluster *cluster, uint32_t node);
bool cluster_slack(struct cluster *cluster, uint32_t node, uint32_t *items);

/* rt: what a visit does to a run of hosts (cluster_pass.c). Sums are taken over runs of one shape; the last
 * one ends with the pass. */
void cluster_sum(struct cluster *cluster, const struct cluster_run *run);
void cluster_end_run(struct cluster *cluster);
void cluster_take_bands(struct cluster *cluster, const struct cluster_run *run);
void cluster_end_bands_run(struct cluster *cluster);
void cluster_make_claims(struct cluster *cluster, const struct cluster_run *run, struct claim *claim);
void cluster_cut(struct cluster *cluster, uint32_t node, const struct cluster_run *run,
                 const struct claim *claim);
void cluster_let_go(struct cluster *cluster, uint32_t node, const struct cluster_run *run);

/* rt: groups of nodes as contracts have them now. */
void cluster_take_groups(struct cluster *cluster);

/* setup */
void cluster_gang_init(struct cluster *cluster);

/* rt: takes a host's share into its gang; lowers it to what the slowest of its gang has. */
void cluster_gang_take(struct cluster *cluster, uint32_t host);
void cluster_gang_pace(struct cluster *cluster, uint32_t host);

/* any: the cap of `share` of this type's range (2^-32). */
int64_t cluster_gang_cap_mw(const struct model_host_type *type, uint64_t share);

#endif
