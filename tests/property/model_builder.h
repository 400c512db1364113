/* SPDX-License-Identifier: Apache-2.0 */
/* Random sites in memory that keep every rule of msg/model.h and I2 (safe with every host at fail-safe). Most
 * nodes with a limit have a device, quick enough that seconds heat it. */
#ifndef FLYBALL_TESTS_MODEL_BUILDER_H
#define FLYBALL_TESTS_MODEL_BUILDER_H

#include "msg/model.h"

enum { BUILT_NODES_MAX = 24, BUILT_HOSTS_MAX = 64, BUILT_TYPES_MAX = 3, BUILT_CURVES = 3 };

/* setup: a site drawn from `seed`: one or two feeds, depth 2 to 5, at most `hosts_max` hosts. Freed by
 * model_unbuild. */
struct model *model_build(uint64_t seed, uint32_t hosts_max);
void model_unbuild(struct model *model);

/* any: the largest wall draw under a cap, exact (safety.md section 2: c x overshoot / eta_min + base_max). */
double model_wall_mw(const struct model_host_type *type, double cap_mw);

/* any: whether a node carries part of what a cord carries. */
int model_above(const struct model *model, uint32_t node, uint32_t cord_node);

#endif
