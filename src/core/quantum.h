/* SPDX-License-Identifier: Apache-2.0 */
/* The grain of watts by level of the tree (safety.md section 7): grants round down to it, demands round
 * up. */
#ifndef FLYBALL_CORE_QUANTUM_H
#define FLYBALL_CORE_QUANTUM_H

#include "msg/model.h"

#define QUANTUM_HOST_MW    INT64_C(100000)
#define QUANTUM_RACK_MW    INT64_C(1000000)
#define QUANTUM_CLUSTER_MW INT64_C(10000000)
#define QUANTUM_SITE_MW    INT64_C(1000000000)

/* any: of a node by its place: what hosts hang on is a rack, what hangs on nothing the site, else a cluster;
 * but never more than a hundredth of what it carries, or rounding would cost more than it calms. */
static inline int64_t quantum_of_mw(const struct model_node *node)
{
    static const int64_t levels[] = {QUANTUM_SITE_MW, QUANTUM_CLUSTER_MW, QUANTUM_RACK_MW};
    int64_t place_mw = node->host_count ? QUANTUM_RACK_MW : QUANTUM_CLUSTER_MW;
    int64_t carries_mw = 0;
    for (uint32_t phase = 0; phase < PHASES; phase++)
        carries_mw += node->limited && phase < node->phases ? node->limit_mva[0][phase] : 0;
    if (!node->parent_count)
        place_mw = QUANTUM_SITE_MW;
    for (uint32_t i = 0; i < sizeof levels / sizeof *levels; i++)
        if (levels[i] <= place_mw && (!node->limited || levels[i] <= carries_mw / 100))
            return levels[i];
    return QUANTUM_HOST_MW;
}

#endif
