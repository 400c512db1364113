/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/estate.h"

#include <stdio.h>
#include <string.h>

enum {
    STRIPS_PER_BRANCH = ESTATE_STRIPS / ESTATE_BRANCHES,
    BRANCHES_PER_DISTRIBUTION = ESTATE_BRANCHES / ESTATE_DISTRIBUTIONS,
    HOSTS_PER_STRIP = HALL_HOSTS / ESTATE_STRIPS,
    HOSTS_PER_BRANCH = HALL_HOSTS / ESTATE_BRANCHES,
    SPLIT_PPM = 550000,         /* half, and what power supplies share unevenly */
    SAG_PPM = 900000,
};

static void set_limits(struct model_node *n, int64_t steady_ma, int64_t bad_mva)
{
    static const uint32_t bad_ppm[ESTATE_CONTINGENCIES] = {SPLIT_PPM, PPM, PPM, SPLIT_PPM};
    n->rating_ma = n->long_time_ma = n->steady_ma = steady_ma;
    for (uint32_t i = 0; i < ESTATE_CONTINGENCIES * PHASES; i++) {
        uint32_t c = i / PHASES;
        int64_t limit_mva = steady_ma * n->volts_low_mv / 1000;
        n->limit_mva[c][i % PHASES] = c == 3 ? limit_mva / PPM * SAG_PPM : limit_mva;
        n->bad_mva[c][i % PHASES] = bad_mva / PPM * bad_ppm[c];
    }
}

static void add_node(struct model *model, uint32_t index, const char *name, uint8_t kind, uint32_t parent,
                     int64_t steady_ma)
{
    struct model_node *n = &model->node[index];
    snprintf(n->name, sizeof n->name, "%s-%u", name, index);
    n->kind = kind;
    n->phases = 3;
    n->rated_100pct = n->limited = 1;
    n->lend = kind == NODE_RACK ? 0 : 7;
    n->ancestor[n->ancestor_count++] = index;
    if (parent != INDEX_NONE) {
        n->parent_count = 1;
        n->parent[0] = parent;
        for (uint32_t i = 0; i < model->node[parent].ancestor_count; i++)
            n->ancestor[n->ancestor_count++] = model->node[parent].ancestor[i];
    }
    n->meter = index < ESTATE_METERS ? index : INDEX_NONE;
    n->k = 1;
    n->volts_ln_mv = 277128;
    n->volts_low_mv = 263271;
    set_limits(n, steady_ma, kind == NODE_RACK ? 0 : 2500000);
}

/* After the loss of a feed a branch carries 1 / 1.6 of what its hosts could draw, a distribution that of all
 * its branches, a main a little less than its distributions. */
static void add_feed(struct model *model, uint32_t feed)
{
    const struct model_host_type *type = &model->type[0];
    int64_t host_ma = type->phys_max_mw / 3 * 100 / 98 * 1000 / 263271;
    int64_t branch_ma = HOSTS_PER_BRANCH * host_ma * 10 / 16;
    uint32_t distribution = ESTATE_FIRST_DISTRIBUTION + feed * ESTATE_DISTRIBUTIONS;
    uint32_t branch = ESTATE_FIRST_BRANCH + feed * ESTATE_BRANCHES;
    uint32_t strip = ESTATE_FIRST_STRIP + feed * ESTATE_STRIPS;
    add_node(model, feed, "main", NODE_MAIN, INDEX_NONE, ESTATE_BRANCHES * branch_ma * 95 / 100);
    for (uint32_t i = 0; i < ESTATE_DISTRIBUTIONS; i++)
        add_node(model, distribution + i, "dist", NODE_DISTRIBUTION, feed,
                 BRANCHES_PER_DISTRIBUTION * branch_ma);
    for (uint32_t i = 0; i < ESTATE_BRANCHES; i++)
        add_node(model, branch + i, "branch", NODE_BRANCH, distribution + i / BRANCHES_PER_DISTRIBUTION,
                 branch_ma);
    for (uint32_t i = 0; i < ESTATE_STRIPS; i++)
        add_node(model, strip + i, "strip", NODE_RACK, branch + i / STRIPS_PER_BRANCH,
                 HOSTS_PER_STRIP * host_ma * 2);
    model->node[feed].child_first = distribution;
    model->node[feed].child_count = ESTATE_DISTRIBUTIONS;
    for (uint32_t i = 0; i < ESTATE_DISTRIBUTIONS; i++) {
        model->node[distribution + i].child_first = branch + i * BRANCHES_PER_DISTRIBUTION;
        model->node[distribution + i].child_count = BRANCHES_PER_DISTRIBUTION;
    }
    for (uint32_t i = 0; i < ESTATE_BRANCHES; i++) {
        model->node[branch + i].child_first = strip + i * STRIPS_PER_BRANCH;
        model->node[branch + i].child_count = STRIPS_PER_BRANCH;
    }
}

static void add_host(struct model *model, uint32_t i)
{
    struct model_host *h = &model->host[i];
    snprintf(h->name, sizeof h->name, "h%05u", i);
    h->weight = 1 + i % 3;
    h->tier = i / HOSTS_PER_STRIP % 2;
    h->gang = i / HOSTS_PER_BRANCH;     /* the hosts of a branch are one job */
    h->cord_count = ESTATE_FEEDS;
    h->fail_safe_mw = h->floor_mw = model->type[0].cap_min_mw;
    for (uint32_t feed = 0; feed < ESTATE_FEEDS; feed++) {
        uint32_t strip = ESTATE_FIRST_STRIP + feed * ESTATE_STRIPS + i / HOSTS_PER_STRIP;
        h->cord[feed] = (struct model_cord){
            .node = strip,
            .psus = 2,
            .phase_ppm = {333334, 333334, 333334},
            .share_ppm = {SPLIT_PPM, feed == 0 ? 0 : PPM, feed == 1 ? 0 : PPM, SPLIT_PPM},
        };
        if (feed > 0)
            continue;
        if (model->node[strip].host_count++ == 0)
            model->node[strip].host_first = i;
        for (uint32_t a = 0; a < model->node[strip].ancestor_count; a++)
            if (model->node[model->node[strip].ancestor[a]].host_below++ == 0)
                model->node[model->node[strip].ancestor[a]].host_below_first = i;
    }
}

static void name_contingency(struct model *model, uint32_t c, const char *name, uint8_t kind, uint32_t lost)
{
    struct model_contingency *contingency = &model->contingency[c];
    *contingency = (struct model_contingency){
        .kind = kind, .lasting = kind != CONTINGENCY_SAG, .lost_node = lost, .witness = lost};
    snprintf(contingency->name, sizeof contingency->name, "%s", name);
}

void estate_open(struct hall *hall)
{
    struct model *model = &hall->model;
    hall_allocate(hall, ESTATE_NODES, ESTATE_METERS);
    model->contingency_count = ESTATE_CONTINGENCIES;
    name_contingency(model, 0, "none", CONTINGENCY_NONE, INDEX_NONE);
    name_contingency(model, 1, "lose-a", CONTINGENCY_LOSS, 0);
    name_contingency(model, 2, "lose-b", CONTINGENCY_LOSS, 1);
    name_contingency(model, 3, "sag", CONTINGENCY_SAG, INDEX_NONE);
    model->gang_count = ESTATE_BRANCHES;
    model->policy.feed_stable_ns = 60 * NS_PER_S;
    for (uint32_t feed = 0; feed < ESTATE_FEEDS; feed++)
        add_feed(model, feed);
    for (uint32_t i = 0; i < HALL_HOSTS; i++)
        add_host(model, i);
    for (uint32_t i = 0; i < ESTATE_METERS; i++) {
        struct model_meter *m = &model->meter[i];
        snprintf(m->name, sizeof m->name, "m-%04u", i);
        m->node = i;
        m->error_ppm = 10000;
        m->period_ns = 16 * NS_PER_MS;
        m->fresh_ns = 100 * NS_PER_MS;
    }
    hall_add_curves(model);
    hall_start(hall);
}

void estate_amperes(const struct hall *hall, double amperes[ESTATE_METERS])
{
    memset(amperes, 0, ESTATE_METERS * sizeof *amperes);
    for (uint32_t host = 0; host < HALL_HOSTS; host++) {
        /* half over either cord, a third on each phase, at 277 V and a power factor of 0.98 */
        double flows = (double)hall->report[host].draw_mw / 1000 / ESTATE_FEEDS / PHASES / 277 / 0.98;
        for (uint32_t feed = 0; feed < ESTATE_FEEDS; feed++) {
            const struct model_node *strip =
                &hall->model.node[hall->model.host[host].cord[feed].node];
            for (uint32_t a = 1; a < strip->ancestor_count; a++)
                amperes[strip->ancestor[a]] += flows;
        }
    }
}
