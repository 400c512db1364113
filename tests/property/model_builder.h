/* SPDX-License-Identifier: Apache-2.0 */
/* Random sites in memory that keep every rule of msg/model.h and I2 (safe with every host at fail-safe). Most
 * nodes with a limit have a device, quick enough that seconds heat it. */
#ifndef FLYBALL_TESTS_MODEL_BUILDER_H
#define FLYBALL_TESTS_MODEL_BUILDER_H

#include "msg/model.h"

enum { BUILT_NODES_MAX = 200, BUILT_HOSTS_MAX = 256, BUILT_TYPES_MAX = 3, BUILT_CURVES = 3 };

/* What is left out of a site that was drawn, to see whether it matters: a set. */
enum model_plain {
    PLAIN_LENDING = 1,          /* nothing is lent */
    PLAIN_LOSSES = 2,           /* nothing is lost: one contingency */
    PLAIN_CORDS = 4,            /* every host has its first cord only */
    PLAIN_PHASES = 8,           /* every cord loads three phases alike */
    PLAIN_OTHER = 16,           /* no load but that of hosts */
    PLAIN_K = 32,               /* nobody disobeys */
    PLAIN_TRANSFERS = 64,       /* every node has one parent */
    PLAIN_CURVES = 128,         /* no device */
    PLAIN_METERS = 256,         /* no meter */
    PLAIN_BITS = 9
};

/* Which nodes and hosts of a site that was drawn are there: by the numbers they were drawn with. */
struct model_keep {
    bool node[BUILT_NODES_MAX], host[BUILT_HOSTS_MAX];
};

struct model_form {
    uint32_t nodes_max, hosts_max;
    /* 0: one or two feeds, depth 2 to 5. Else a mesh of so many: deeper, with more transfer switches,
     * catchers, further losses and cords between any of them. */
    uint32_t feeds;
    uint32_t depth, children_max;       /* of a mesh */
    const struct model_keep *keep;      /* NULL: all */
    unsigned plain;             /* a set of enum model_plain */
};

/* setup: a site drawn from `seed`: one or two feeds, depth 2 to 5, at most `hosts_max` hosts. Freed by
 * model_unbuild. */
struct model *model_build(uint64_t seed, uint32_t hosts_max);
/* setup: NULL where what is kept is no site: no host, a feed for none, or a cord on a node that is not there.
 * What is left out changes nothing of what else the seed draws; limits follow what is left. */
struct model *model_build_form(uint64_t seed, const struct model_form *form);
void model_unbuild(struct model *model);

/* any: the numbers that a node and a host were drawn with. */
uint32_t model_node_id(const struct model *model, uint32_t node);
uint32_t model_host_id(const struct model *model, uint32_t host);

/* any: the largest wall draw under a cap, exact (safety.md section 2: c x overshoot / eta_min + base_max). */
double model_wall_mw(const struct model_host_type *type, double cap_mw);

/* any: whether a node carries part of what a cord carries. */
int model_above(const struct model *model, uint32_t node, uint32_t cord_node);

#endif
