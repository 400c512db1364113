/* SPDX-License-Identifier: Apache-2.0 */
/* How the files of the sums go over cells. */
#ifndef FLYBALL_CORE_SUMS_INSIDE_H
#define FLYBALL_CORE_SUMS_INSIDE_H

#include "core/sums.h"

/* The cells of one node lie one behind the other, contingency by contingency: sums and limits are taken as
 * runs of them, without a branch inside, since every lease goes over all of them several times. */
enum { CELLS_MAX = CONTINGENCIES_MAX * PHASES };

/* Of the whole array: a pointer to its first row would be one to three cells. */
static inline int64_t *run_of(int64_t (*cells)[PHASES])
{
    return (int64_t *)(void *)cells;
}

static inline int64_t *cells_of(struct ledger_sums *sums, enum sum sum)
{
    return run_of(sum == SUM_EXPOSED ? sums->exposed_mva
                                     : sum == SUM_NEWEST ? sums->newest_mva : sums->safe_mva);
}

static inline int64_t pf_of(const struct ledger *ledger, uint32_t host)
{
    return ledger->model->type[ledger->model->host[host].type].pf_min_ppm;
}

#endif
