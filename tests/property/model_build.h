/* SPDX-License-Identifier: Apache-2.0 */
/* A site while it is drawn: what model_builder.c, model_mesh.c and model_reduce.c share. */
#ifndef FLYBALL_TESTS_MODEL_BUILD_H
#define FLYBALL_TESTS_MODEL_BUILD_H

#include "chance.h"
#include "model_builder.h"

/* What was drawn of a node's limits, before there are sums. */
struct build_limits {
    double slack;
    int64_t other_mva[PHASES];
    bool instantaneous;
    int64_t part_pct[CONTINGENCIES_MAX][PHASES];
};

struct build {
    struct model model;
    struct model_node node[BUILT_NODES_MAX];
    struct model_host host[BUILT_HOSTS_MAX];
    struct model_host_type type[BUILT_TYPES_MAX];
    struct model_meter meter[BUILT_NODES_MAX];
    struct breaker_curve curve[BUILT_CURVES];
    struct chance chance;
    struct model_form form;
    uint32_t level[BUILT_NODES_MAX];
    struct build_limits limits[BUILT_NODES_MAX];
    uint32_t node_id[BUILT_NODES_MAX], host_id[BUILT_HOSTS_MAX];
    bool catches[BUILT_HOSTS_MAX];      /* the last cord carries nothing while another lives */
    uint32_t catcher;           /* node, or INDEX_NONE */
    uint32_t roots, depth, hosts_max;
};

/* A node hangs below another one, too. */
void build_add_ancestors(struct build *build, struct model_node *node, uint32_t parent);
bool build_cord_lives(const struct build *build, uint32_t node, uint32_t contingency);
void build_set_shares(struct build *build, struct model_host *host, uint32_t contingency);
/* Limits as drawn, for the loads that are there. */
void build_lay_limits(struct build *build, uint32_t node);

/* model_mesh.c */
void mesh_second_parent(struct build *build, struct model_node *node, uint32_t parent);
void mesh_cords(struct build *build, struct model_host *host);
void mesh_losses(struct build *build);

/* model_reduce.c: false where what is kept is no site. */
bool build_reduce(struct build *build);

#endif
