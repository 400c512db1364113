/* SPDX-License-Identifier: Apache-2.0 */
/* The smallest case found in which the same rule is broken: a prefix of the history, then fewer faults, hosts
 * and nodes, each in halves, quarters and so on down to single ones, then whole kinds of things. Over again
 * until nothing more can go. */
#include <ctype.h>
#include <string.h>

#include "graph.h"

#define LATER_NS (300 * NS_PER_MS)

struct shrinking {
    const struct graph_plan *plan;
    struct graph_devices *devices;
    struct graph_case *some;    /* fails */
    char rule[512];
    uint32_t runs, runs_max;
};

/* A complaint without its numbers. */
static void rule_of(const char *complaint, char *rule, size_t bytes)
{
    size_t used = 0;
    for (; *complaint && used + 1 < bytes; complaint++)
        if (!isdigit((unsigned char)*complaint) && *complaint != '.' && *complaint != '-')
            rule[used++] = *complaint;
    rule[used] = '\0';
}

/* Fails by the same rule, may it be a little later: then this is the case from now on, and what follows the
 * failure is left out. */
static bool still_fails(struct shrinking *shrinking, struct graph_case *less)
{
    int64_t later_ns = less->until_ns + LATER_NS, most_ns = shrinking->plan->duration_ns;
    struct graph_told told;
    char rule[512];
    if (shrinking->runs >= shrinking->runs_max)
        return false;
    shrinking->runs++;
    less->until_ns = later_ns < most_ns ? later_ns : most_ns;
    graph_run(shrinking->plan, less, shrinking->devices, &told);
    if (told.good)
        return false;
    rule_of(told.complaint, rule, sizeof rule);
    if (strcmp(rule, shrinking->rule) != 0)
        return false;
    *shrinking->some = *less;
    if (told.t_ns < less->until_ns) {   /* and what fails before a step is still looked at */
        shrinking->some->end = false;
        shrinking->some->until_ns = told.t_ns + WORLD_STEP_NS;
    } else if (told.t_ns == less->until_ns)
        shrinking->some->end = false;
    return true;
}

enum what { FAULTS, HOSTS, NODES };

static bool *members(struct graph_case *some, enum what what)
{
    return what == FAULTS ? some->fault : what == HOSTS ? some->keep.host : some->keep.node;
}

/* Leaves out runs of `size` of what is there; how many times that went well. */
static uint32_t leave_out(struct shrinking *shrinking, enum what what, uint32_t all, uint32_t size)
{
    uint32_t well = 0;
    for (uint32_t from = 0; from < all;) {
        struct graph_case less = *shrinking->some;
        bool *member = members(&less, what);
        uint32_t gone = 0;
        for (; from < all && gone < size; from++) {
            gone += member[from];
            member[from] = false;
        }
        less.cut |= what != FAULTS;
        well += gone && still_fails(shrinking, &less);
    }
    return well;
}

static uint32_t leave_out_all(struct shrinking *shrinking, enum what what, uint32_t all)
{
    uint32_t well = 0, size = 1;
    while (size < all)
        size *= 2;
    for (; size >= 1; size /= 2)
        well += leave_out(shrinking, what, all, size);
    return well;
}

static uint32_t make_plain(struct shrinking *shrinking)
{
    uint32_t well = 0;
    for (uint32_t bit = 0; bit < PLAIN_ALL_BITS; bit++) {
        struct graph_case less = *shrinking->some;
        if (less.plain >> bit & 1)
            continue;
        less.plain |= 1u << bit;
        well += still_fails(shrinking, &less);
    }
    return well;
}

uint32_t graph_shrink(const struct graph_plan *plan, struct graph_case *some, struct graph_devices *devices,
                      uint32_t runs)
{
    struct shrinking shrinking = {.plan = plan, .devices = devices, .some = some, .runs_max = runs};
    struct graph_told told;
    graph_run(plan, some, devices, &told);
    rule_of(told.complaint, shrinking.rule, sizeof shrinking.rule);
    struct graph_case prefix = *some;
    uint32_t well = still_fails(&shrinking, &prefix);
    while (well) {
        well = leave_out_all(&shrinking, FAULTS, plan->fault_count);
        well += leave_out_all(&shrinking, HOSTS, plan->hosts);
        well += leave_out_all(&shrinking, NODES, plan->nodes);
        well += make_plain(&shrinking);
    }
    return shrinking.runs;
}
