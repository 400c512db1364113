/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ramps (safety.md sections 7 and 9, domain.md 4.3 and 4.7): how fast the sum of caps below a node may rise
 * and fall, in wall draw through that node. A bucket per direction fills with the rate up to 16 ms (or a
 * tick) of it; what a bucket lacks waits. Up to its cap a host may jump, so it is caps that are held to the
 * rate. A cut that protects takes what it needs, and so does a claim: then a bucket is in debt, and what is
 * voluntary waits longer. Racks without a ramp of their own share that of the node above.
 *
 * For status and why: `ramp_view`.
 */
#ifndef FLYBALL_CORE_RAMP_H
#define FLYBALL_CORE_RAMP_H

#include <stdbool.h>

#include "msg/model.h"

/* One bucket; rate 0: as it likes. */
struct ramp_bucket {
    int64_t rate_mw_per_s;
    int64_t most_mw;            /* it holds at most this */
    int64_t credit_mw;          /* as of t_ns; negative: in debt */
    int64_t rest;               /* mW * ns that are not yet a whole mW, 0 .. NS_PER_S - 1 */
    int64_t t_ns;
};

enum ramp_direction { RAMP_UP, RAMP_DOWN, RAMP_DIRECTIONS };

struct ramp_node {
    int64_t grain_mw;           /* largest step that one quantum of a cap below makes */
    struct ramp_bucket bucket[RAMP_DIRECTIONS];
    struct ramp_bucket ahead;   /* up, of what is granted ahead of time */
};

struct ramps {
    const struct model *model;
    struct ramp_node *node;
    uint32_t limited;           /* nodes with a rate: 0 spares every walk */
    uint32_t ordered_count;
    uint32_t ordered[CONTRACTS_MAX];    /* nodes whose rates an order has changed */
};

struct ramp_view {
    int64_t rate_mw_per_s[RAMP_DIRECTIONS];     /* in force; 0 = as it likes */
    int64_t credit_mw[RAMP_DIRECTIONS];         /* now */
};

/* any: a bucket of 16 ms of the rate, or least_mw; filled up to t_ns; how long until it holds `mw`. */
void ramp_bucket_set(struct ramp_bucket *bucket, int64_t rate_mw_per_s, int64_t least_mw, int64_t t_ns);
void ramp_bucket_fill(struct ramp_bucket *bucket, int64_t t_ns);
int64_t ramp_bucket_wait_ns(const struct ramp_bucket *bucket, int64_t mw);

/* setup: `node` stands, one per node; rates of the model. */
void ramp_init(struct ramps *ramps, const struct model *model, int64_t t_ns);

/* rt: sets the rates of a node from now on; -1: that of the model. 0: as it likes. */
void ramp_set(struct ramps *ramps, uint32_t node, int64_t up_mw_per_s, int64_t down_mw_per_s, int64_t t_ns);

/* rt: the same by order, and remembered in `ordered` while it differs from the model's. */
void ramp_order(struct ramps *ramps, uint32_t node, int64_t up_mw_per_s, int64_t down_mw_per_s, int64_t t_ns);

/* rt: how much of this change of a host's wall draw (up > 0, down < 0) the buckets above it hold now, same
 * sign; *node is where it waits, INDEX_NONE where all of it passes. */
int64_t ramp_allows_mw(struct ramps *ramps, uint32_t host, int64_t change_mw, int64_t t_ns, uint32_t *node);

/* rt: the change was made, allowed or not. */
void ramp_take(struct ramps *ramps, uint32_t host, int64_t change_mw, int64_t t_ns);

/* any, owner thread only */
void ramp_view(const struct ramps *ramps, uint32_t node, int64_t t_ns, struct ramp_view *view);

#endif
