/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the pools share. */
#ifndef FLYBALL_CORE_POOL_INSIDE_H
#define FLYBALL_CORE_POOL_INSIDE_H

#include "core/pool.h"

/* rt: load of one phase: measured, or what hosts report and other(n) where nothing is. */
int64_t pool_load_mva(const struct pools *pools, uint32_t node, uint32_t phase);

/* setup: most_mva of every node. */
void pool_measure_most(struct pools *pools);

#endif
