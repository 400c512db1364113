/* SPDX-License-Identifier: Apache-2.0 */
/* A hand-built model: one main, `branches` branches, `racks` racks
 * under each, `hosts` hosts in each rack, 480 V. */
#ifndef FLYBALL_TESTS_TINY_SITE_H
#define FLYBALL_TESTS_TINY_SITE_H

#include "msg/model.h"

struct tiny_shape {
    uint32_t branches, racks, hosts;
    double main_a, branch_a, rack_a;
    uint32_t k;
};

/* The shape of config/demo/site.yaml. */
extern const struct tiny_shape tiny_demo;

void tiny_site_init(struct model *model, const struct tiny_shape *shape);
void tiny_site_finish(struct model *model);

/* Policy as the demo has it, and the tree's ranges that the controller walks. */
void tiny_site_policy(struct model *model);

/* Room for hosts on a limited node becomes exactly this many mVA per phase. */
void tiny_site_limit(struct model *model, uint32_t node, int64_t mva);

#endif
