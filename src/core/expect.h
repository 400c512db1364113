/* SPDX-License-Identifier: Apache-2.0 */
/* The next report, which pipeline_expect told of. */
#ifndef FLYBALL_CORE_EXPECT_H
#define FLYBALL_CORE_EXPECT_H

#include "core/core.h"

/* rt: half way through the slot before: where its host hangs is fetched. */
void expect_way(const struct core *core);

/* rt: a lease to this host is weighed soon: what that looks at is fetched. */
void expect_lease(const struct core *core, uint32_t host);

/* rt: at its end: sums of the nodes above it are. */
void expect_above(struct core *core);

#endif
