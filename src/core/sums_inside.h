/* SPDX-License-Identifier: Apache-2.0 */
/* How the files of the sums go over cells. */
#ifndef FLYBALL_CORE_SUMS_INSIDE_H
#define FLYBALL_CORE_SUMS_INSIDE_H

#include "core/cells.h"
#include "core/compare.h"
#include "core/sums.h"

/* Of a node without a limit: differences of it and of any sum stay within an int64_t. */
#define SUMS_NO_LIMIT_MVA (INT64_MAX / 2)

static inline int64_t *cells_of(struct ledger_sums *sums, enum sum sum)
{
    return cells_run(sum == SUM_EXPOSED ? sums->exposed_mva
                                     : sum == SUM_NEWEST ? sums->newest_mva : sums->safe_mva);
}

static inline int64_t pf_of(const struct ledger *ledger, uint32_t host)
{
    return ledger->model->type[ledger->model->host[host].type].pf_min_ppm;
}

/* The least that D or S leaves in any cell of a node, looked at cell by cell; what is left above nought is
 * remembered. */
static inline int64_t look_left_mva(struct ledger_sums *sums, enum sum sum, uint32_t cells)
{
    const int64_t *limit_mva = cells_run(sums->limit_mva), *sum_mva = cells_of(sums, sum);
    int64_t least_mva = INT64_MAX;
    for (uint32_t i = 0; i < cells; i++)
        least_mva = smaller(least_mva, limit_mva[i] - sum_mva[i]);
    sums->left_mva[sum] = larger(least_mva, 0);
    return least_mva;
}

static inline bool node_over(struct ledger_sums *sums, enum sum sum, uint32_t cells)
{
    return sums->left_mva[sum] <= 0 && look_left_mva(sums, sum, cells) < 0;
}

#endif
