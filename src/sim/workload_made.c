/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/workload_made.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static double phys_max_w(const struct model *model, uint32_t host)
{
    return (double)model->type[model->host[host].type].phys_max_mw / 1e3;
}

/* What all hosts could draw through a node, watts at unity power factor. */
static double could_draw_w(const struct model *model, uint32_t node)
{
    double sum_w = 0;
    for (uint32_t h = 0; h < model->host_count; h++) {
        const struct model_host *host = &model->host[h];
        for (uint32_t j = 0; j < host->cord_count; j++) {
            if (model_lies_below(model, host->cord[j].node, node))
                sum_w += phys_max_w(model, h) * host->cord[j].share_ppm[0] / 1e6;
        }
    }
    return sum_w;
}

/* What a node may carry for long on all its phases. */
static double may_carry_w(const struct model *model, uint32_t node)
{
    double sum_va = 0;
    for (uint32_t p = 0; p < model->node[node].phases; p++)
        sum_va += (double)model->node[node].limit_mva[0][p] / 1e3;
    return sum_va;
}

uint32_t workload_busiest(const struct model *model)
{
    uint32_t busiest = INDEX_NONE;
    double most = 0;
    for (uint32_t n = 0; n < model->node_count; n++) {
        if (!model->node[n].limited)
            continue;
        double share = could_draw_w(model, n) / fmax(may_carry_w(model, n), 1);
        if (share <= most * (1 + 1e-9))
            continue;
        busiest = n;
        most = share;
    }
    return busiest;
}

static struct workload_class *add_class(struct workload *workload, const char *name, enum workload_kind kind)
{
    struct workload_class *class = &workload->class[workload->class_count++];
    workload_class_defaults(class, kind);
    memcpy(class->name, name, strlen(name) + 1);
    return class;
}

static void make_mixed(struct workload *workload, const struct model *model)
{
    static const uint8_t class_of_quarter[] = {0, 0, 1, 2};
    add_class(workload, "training", WORKLOAD_TRAIN);
    add_class(workload, "serving", WORKLOAD_INFERENCE);
    struct workload_class *starting = add_class(workload, "starting", WORKLOAD_STARTER);
    starting->groups = 5;
    starting->ask_ns = 300 * NS_PER_MS;
    for (uint32_t h = 0; h < model->host_count; h++)
        workload->class_of[h] = class_of_quarter[(uint64_t)h * 4 / model->host_count];
}

/* The share of the busiest node's limit, as a share of what its hosts can draw. */
static double draw_for(const struct model *model, double share_of_limit)
{
    uint32_t node = workload_busiest(model);
    if (node == INDEX_NONE)
        return fmin(share_of_limit, 1);
    return fmin(share_of_limit * may_carry_w(model, node) / could_draw_w(model, node), 1);
}

static void make_steady(struct workload *workload, double draw)
{
    struct workload_class *class = add_class(workload, "steady", WORKLOAD_TRAIN);
    class->compute_draw = class->communicate_draw = draw;
    class->checkpoint_every_ns = 0;
}

static void make_pulses(struct workload *workload, const struct model *model)
{
    struct workload_class *class = add_class(workload, "pulses", WORKLOAD_TRAIN);
    class->compute_ns = class->communicate_ns = NS_PER_S;
    class->compute_draw = draw_for(model, 1.3);
    class->communicate_draw = draw_for(model, 0.8);
    class->checkpoint_every_ns = 0;
}

int workload_make(struct workload *workload, const struct model *model, enum demand demand)
{
    workload_defaults(workload);
    memcpy(workload->name, "made", sizeof "made");
    workload->warmup_ns = 12 * NS_PER_S;
    workload->class_of = calloc(model->host_count + 1, sizeof *workload->class_of);
    workload->resets = calloc(model->host_count + 1, sizeof *workload->resets);
    if (!workload->class_of || !workload->resets) {
        workload_unload(workload);
        return -ENOMEM;
    }
    switch (demand) {
    case DEMAND_FULL: make_steady(workload, 0.97); break;
    case DEMAND_LOW: make_steady(workload, 0.33); break;
    case DEMAND_NEAR: make_steady(workload, draw_for(model, 0.8)); break;
    case DEMAND_PULSES: make_pulses(workload, model); break;
    case DEMAND_STARTS: add_class(workload, "starting", WORKLOAD_STARTER)->groups = 4; break;
    default: make_mixed(workload, model); break;
    }
    return 0;
}
