/* SPDX-License-Identifier: Apache-2.0 */
/* Sums of draws over the power graph (safety.md section 4), from the model alone. mVA by phase. */
#ifndef FLYBALL_SITE_SUMS_H
#define FLYBALL_SITE_SUMS_H

#include "msg/model.h"
#include "site/read/scratch.h"

enum sum_kind { SUM_FAIL_SAFE, SUM_PHYS_MAX, SUM_BOOT, SUM_BASE, SUM_FLOOR };

/* any: what a host may draw at the wall. */
int64_t sums_draw_mw(const struct model *model, const struct model_host *host, enum sum_kind kind);

/* any: sum over hosts and cords at every node, other(n) and bad(n) not included. `sum` has
 * node_count rows. */
void sums_hosts(const struct model *model, enum sum_kind kind, uint32_t contingency, int64_t (*sum)[PHASES]);

/* any: hosts with any cord at or below each node, each once. `count` has node_count entries. */
void sums_count_hosts(const struct model *model, uint32_t *count);

/* Cords at or below each node: entries of node n are cord[first[n]] .. cord[first[n + 1]] - 1, those of one
 * host adjacent. */
struct sums_below {
    uint32_t *first;            /* node_count + 1 */
    uint32_t *cord;             /* host * CORDS_MAX + cord */
    int64_t *gap;               /* room for one node's hosts */
};

/* setup: 0 or -ENOMEM. */
int sums_below_start(struct sums_below *below, const struct model *model, struct scratch *scratch);

/* any: sum over the k(n) largest of contribution(kind) - contribution(fail-safe) at node n: bad(n) for
 * SUM_PHYS_MAX. */
int64_t sums_largest_gaps(const struct model *model, const struct sums_below *below, uint32_t node,
                          enum sum_kind kind, uint32_t contingency, uint32_t phase);

#endif
