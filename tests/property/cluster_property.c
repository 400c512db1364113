/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arbitration as it runs, tiers included, against domain.md 4.6: its vectors and its ten invariants on random
 * claims at one node, where the judge solves tier by tier, by bisection in long double; that what is shared
 * anew in part comes to what is shared from nothing; and on random sites of several feeds that no limit of
 * any node, phase and contingency is passed, and that hardly anybody is held down where nothing above is
 * full: at most one of 500.
 */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chance.h"
#include "core/core.h"
#include "core/draw.h"
#include "model_builder.h"
#include "run.h"

enum { CLAIMS_MAX = 12, T_NS = 1000000000, GANGS = 6, PARTS_MAX = 100000 };

struct want {
    int64_t low, high;
    uint32_t weight, tier;
};

struct problem {
    uint32_t count;
    int64_t capacity;
    struct want want[CLAIMS_MAX];
    int64_t share[CLAIMS_MAX];
};

/* One node, a host a claim: a cap of 1 mW is a load of 1 mVA on phase A. */
struct site {
    struct model model;
    struct model_node node;
    struct model_host host[CLAIMS_MAX];
    struct model_host_type type[CLAIMS_MAX];
    struct core *core;
};

static uint64_t failures;
static uint64_t endless;            /* arbitrations that came to no end */
static uint64_t held, idle;         /* hosts held down, and those of them above which nothing is full */

__attribute__((format(printf, 3, 4))) static void broken(uint64_t seed, const struct problem *problem,
                                                         const char *format, ...)
{
    va_list arguments;
    if (failures++ >= 10)
        return;
    printf("FAILED: --seed %llu --cases 1: ", (unsigned long long)seed);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    if (problem)
        printf("\n  capacity %lld of", (long long)problem->capacity);
    for (uint32_t i = 0; problem && i < problem->count; i++)
        printf(" t%u(%u, %lld..%lld)=%lld", problem->want[i].tier, problem->want[i].weight,
               (long long)problem->want[i].low, (long long)problem->want[i].high,
               (long long)problem->share[i]);
    printf("\n");
}

static struct core *open_core(const struct model *model)
{
    struct core *core = aligned_alloc(64, (core_bytes(model) + 63) / 64 * 64);
    if (!core)
        abort();
    return core_init(core, model, 1, T_NS);
}

/* ---- one node ---- */

static void open_site(struct site *site, const struct problem *problem)
{
    memset(site, 0, sizeof *site);
    site->node = (struct model_node){.phases = 3, .limited = 1, .ancestor_count = 1, .meter = INDEX_NONE,
                                     .volts_ln_mv = 1000, .volts_low_mv = 1000,
                                     .host_count = problem->count};
    site->model = (struct model){
        .mode = MODE_ENFORCE, .node_count = 1, .host_count = problem->count, .type_count = problem->count,
        .contingency_count = 1, .node = &site->node, .host = site->host, .type = site->type};
    site->model.policy.lease_ns = NS_PER_S;
    site->model.policy.demand_hold_ns = 4 * NS_PER_S;
    for (uint32_t i = 0; i < problem->count; i++) {
        site->host[i] = (struct model_host){.type = i, .cord_count = 1};
        site->host[i].cord[0] = (struct model_cord){.phase_ppm = {PPM}, .share_ppm = {PPM}};
        site->type[i] = (struct model_host_type){
            .gain_ppm = PPM, .pf_min_ppm = PPM, .quantum_mw = 1, .phys_max_mw = INT64_C(1) << 41};
    }
    site->core = open_core(&site->model);
}

static void set_problem(struct site *site, const struct problem *problem)
{
    struct ledger_sums *sums = &site->core->ledger.node[0];
    sums->limit_mva[0][0] = sums->steady_mva[0][0] = problem->capacity;
    for (uint32_t i = 0; i < problem->count; i++) {
        struct ledger_host *h = &site->core->ledger.host[i];
        site->host[i].tier = (uint8_t)problem->want[i].tier;
        site->host[i].weight = problem->want[i].weight;
        site->host[i].fail_safe_mw = h->fail_safe_mw = problem->want[i].low;
        site->type[i].cap_max_mw = problem->want[i].high;
        h->bounded = true;
        h->newest_mw = 0;
        h->report_t_ns = T_NS;
        demand_init(&site->core->demand[i], T_NS);
        site->core->demand[i].draw_mw[0] = problem->want[i].high;
    }
}

static void arbitrate(struct core *core, uint32_t items)
{
    uint32_t first, parts = 0;
    struct cluster *cluster = &core->cluster;
    cluster_note_hosts(cluster);
    memset(core->ledger.moved.host, 1, core->model->host_count);
    memset(core->ledger.moved.node, 1, core->model->node_count);
    cluster_begin(cluster);
    while (cluster->phase != CLUSTER_IDLE && parts++ < PARTS_MAX)
        cluster_part(cluster, &core->ledger, core->demand, T_NS, items, &first);
    endless += cluster->phase != CLUSTER_IDLE || cluster->split_gangs;  /* the next one would not end */
}

static void solve_again(struct site *site, struct problem *problem)
{
    set_problem(site, problem);
    arbitrate(site->core, 64);
    for (uint32_t i = 0; i < problem->count; i++)
        problem->share[i] = site->core->cluster.draw_mw[i];
}

static void solve(struct problem *problem)
{
    struct site site;
    open_site(&site, problem);
    solve_again(&site, problem);
    free(site.core);
}

/* ---- the judge ---- */

static long double filled(const struct problem *problem, uint32_t tier, long double level, bool floors,
                          long double *share)
{
    long double sum = 0;
    for (uint32_t i = 0; i < problem->count; i++) {
        const struct want *want = &problem->want[i];
        if (want->tier != tier)
            continue;
        long double low = floors ? 0 : (long double)want->low;
        long double high = (long double)(floors ? want->low : want->high);
        share[i] = fminl(fmaxl(want->weight * level, low), high);
        sum += share[i];
    }
    return sum;
}

static void fill_tier(const struct problem *problem, uint32_t tier, long double budget, bool floors,
                      long double *share)
{
    long double low = 0, high = 1e18L;
    for (int turn = 0; turn < 200; turn++) {
        long double level = (low + high) / 2;
        if (filled(problem, tier, level, floors, share) > budget)
            high = level;
        else
            low = level;
    }
    filled(problem, tier, low, floors, share);
}

/* Floors first, tier by tier; then what is wanted above them, tier by tier. */
static void exactly(const struct problem *problem, long double *share)
{
    long double left = (long double)problem->capacity, sum[TIERS_MAX] = {0};
    for (uint32_t i = 0; i < problem->count; i++)
        share[i] = 0;
    for (uint32_t tier = 0; tier < TIERS_MAX; tier++) {
        fill_tier(problem, tier, left, true, share);
        for (uint32_t i = 0; i < problem->count; i++)
            sum[tier] += problem->want[i].tier == tier ? share[i] : 0;
        left -= sum[tier];
    }
    for (uint32_t tier = 0; tier < TIERS_MAX && left > 0.5L; tier++) {
        fill_tier(problem, tier, sum[tier] + left, false, share);
        left += sum[tier];
        for (uint32_t i = 0; i < problem->count; i++)
            left -= problem->want[i].tier == tier ? share[i] : 0;
    }
}

static void totals(const struct problem *problem, int64_t *low, int64_t *high, int64_t *share)
{
    *low = *high = *share = 0;
    for (uint32_t i = 0; i < problem->count; i++) {
        *low += problem->want[i].low;
        *high += problem->want[i].high;
        *share += problem->share[i];
    }
}

/* I1 to I4. A node that cannot carry the floors gives them tier by tier. */
static void judge(uint64_t seed, const struct problem *problem)
{
    long double exact[CLAIMS_MAX];
    int64_t low, high, sum;
    totals(problem, &low, &high, &sum);
    if (sum > problem->capacity)
        broken(seed, problem, "I1: the shares sum to %lld", (long long)sum);
    if (sum != (problem->capacity < high ? problem->capacity : high))
        broken(seed, problem, "I3: the shares sum to %lld", (long long)sum);
    exactly(problem, exact);
    for (uint32_t i = 0; i < problem->count; i++) {
        if ((problem->share[i] < problem->want[i].low && problem->capacity >= low) ||
            problem->share[i] > problem->want[i].high)
            broken(seed, problem, "I2: claim %u is outside its bounds", i);
        /* a unit of rounding, and the level's last bit */
        if (fabsl(exact[i] - (long double)problem->share[i]) > 1.5L)
            broken(seed, problem, "I4: claim %u should have %.3Lf", i, exact[i]);
    }
}

static struct problem draw(struct chance *chance)
{
    static const int64_t sizes[] = {5, 100, 10000, 100000000};
    struct problem problem = {.count = (uint32_t)chance_range(chance, 1, CLAIMS_MAX)};
    int64_t size = sizes[chance_range(chance, 0, 3)], low = 0, high = 0;
    uint32_t tiers = (uint32_t)chance_range(chance, 1, TIERS_MAX);
    uint32_t weights = chance_hit(chance, 0.5) ? 1 : (uint32_t)chance_range(chance, 2, 14);
    for (uint32_t i = 0; i < problem.count; i++) {
        struct want *want = &problem.want[i];
        want->low = chance_hit(chance, 0.3) ? 0 : chance_range(chance, 0, size);
        want->high = want->low + (chance_hit(chance, 0.1) ? 0 : chance_range(chance, 0, size));
        want->weight = (uint32_t)chance_range(chance, 1, weights);
        want->tier = (uint32_t)chance_range(chance, 0, tiers - 1);
        low += want->low;
        high += want->high;
    }
    problem.capacity =
        chance_hit(chance, 0.1) ? chance_range(chance, 0, low) : chance_range(chance, low, high);
    return problem;
}

static bool near(const struct problem *a, const struct problem *b, int64_t apart)
{
    for (uint32_t i = 0; i < a->count; i++)
        if (llabs(a->share[i] - b->share[i]) > apart)
            return false;
    return true;
}

/* I5, I6, I10: more capacity lowers nobody, a later tier's claim changes no earlier one, to ask for more does
 * not give less. */
static void judge_more(uint64_t seed, struct chance *chance, struct site *site, const struct problem *base)
{
    struct problem other = *base;
    other.capacity += chance_range(chance, 1, other.capacity / 4 + 3);
    solve_again(site, &other);
    for (uint32_t i = 0; i < base->count; i++)
        if (other.share[i] < base->share[i] - 1)
            broken(seed, &other, "I5: claim %u had %lld of %lld", i, (long long)base->share[i],
                   (long long)base->capacity);
    other = *base;
    uint32_t who = (uint32_t)chance_range(chance, 0, base->count - 1);
    other.want[who].high += chance_range(chance, 1, 1000);
    solve_again(site, &other);
    if (other.share[who] < base->share[who] - 1)
        broken(seed, &other, "I10: claim %u asked for more and got less than %lld", who,
               (long long)base->share[who]);
    for (uint32_t i = 0; i < base->count; i++)
        if (base->want[i].tier < base->want[who].tier && llabs(other.share[i] - base->share[i]) > 1)
            broken(seed, &other, "I6: claim %u of tier %u changed what %u has", who, base->want[who].tier, i);
}

/* I7, I8, I9. */
static void judge_symmetry(uint64_t seed, struct chance *chance, const struct problem *base)
{
    struct problem other = *base, back = *base;
    uint32_t turn = (uint32_t)chance_range(chance, 0, base->count - 1);
    for (uint32_t i = 0; i < base->count; i++)
        other.want[i] = base->want[(i + turn) % base->count];
    solve(&other);
    for (uint32_t i = 0; i < base->count; i++)
        back.share[(i + turn) % base->count] = other.share[i];
    if (!near(base, &back, 1))
        broken(seed, &back, "I7: turned by %u, the claims share differently", turn);
    other = *base;
    for (uint32_t i = 0; i < base->count; i++)
        other.want[i].weight *= 7;
    solve(&other);
    if (!near(base, &other, 1))
        broken(seed, &other, "I8: seven times every weight changes the shares");
    other = *base;
    solve(&other);
    if (!near(base, &other, 0))
        broken(seed, &other, "I9: the same again is something else");
}

static void random_case(uint64_t seed)
{
    struct chance chance = {seed * 7919 + 17};
    struct site site;
    struct problem problem = draw(&chance), fresh;
    open_site(&site, &problem);
    solve_again(&site, &problem);
    judge(seed, &problem);
    judge_more(seed, &chance, &site, &problem);
    judge_symmetry(seed, &chance, &problem);
    /* the site has seen three problems by now: what it takes over from them must not show */
    problem.want[0].tier = (problem.want[0].tier + 1) % TIERS_MAX;
    fresh = problem;
    solve_again(&site, &problem);
    solve(&fresh);
    if (!near(&problem, &fresh, 1))
        broken(seed, &problem, "shared anew in part, it differs from what it is from nothing");
    free(site.core);
}

/* ---- vectors ---- */

static void vector(const char *name, struct problem problem, const int64_t *wanted)
{
    solve(&problem);
    for (uint32_t i = 0; i < problem.count; i++)
        if (problem.share[i] != wanted[i]) {
            broken(0, &problem, "vector %s wants %lld for claim %u", name, (long long)wanted[i], i);
            return;
        }
}

/* domain.md 4.6 [C], in whole units. */
static void vectors(void)
{
    vector("three alike", (struct problem){3, 100, {{0, 50, 1, 0}, {0, 50, 1, 0}, {0, 50, 1, 0}}, {0}},
           (const int64_t[]){34, 33, 33});
    vector("level 40", (struct problem){3, 100, {{0, 20, 1, 0}, {0, 50, 1, 0}, {0, 100, 1, 0}}, {0}},
           (const int64_t[]){20, 40, 40});
    vector("a floor above the level",
           (struct problem){3, 100, {{10, 60, 1, 0}, {10, 60, 2, 0}, {30, 60, 1, 0}}, {0}},
           (const int64_t[]){23, 47, 30});
    vector("half units",
           (struct problem){4, 120, {{30, 35, 1, 0}, {10, 100, 1, 0}, {10, 90, 3, 0}, {5, 20, 2, 0}}, {0}},
           (const int64_t[]){30, 18, 52, 20});
    vector(
        "tiers",
        (struct problem){4, 640, {{100, 250, 1, 0}, {100, 250, 1, 0}, {50, 200, 1, 1}, {50, 200, 2, 1}}, {0}},
        (const int64_t[]){250, 250, 50, 90});
}

/* ---- whole sites ---- */

static void draw_demands(struct core *core, struct chance *chance, bool some)
{
    for (uint32_t h = 0; h < core->model->host_count; h++) {
        const struct model_host_type *type = &core->model->type[core->model->host[h].type];
        if (some && chance_hit(chance, core->model->gang_count ? 0.9 : 0.7))
            continue;
        core->ledger.host[h].bounded = chance_hit(chance, 0.9);
        core->ledger.host[h].exposed_draw_mw = draw_of_cap_mw(type, core->model->host[h].fail_safe_mw);
        core->ledger.host[h].report_t_ns = T_NS;
        demand_init(&core->demand[h], T_NS);
        /* a job wants much: else the slack rounds have little to hand out */
        int64_t least_mw = core->model->gang_count ? type->phys_max_mw / 2 : 0;
        core->demand[h].draw_mw[0] = chance_range(chance, least_mw, type->phys_max_mw);
    }
}

static double load_of(const struct core *core, uint32_t n, uint32_t c, uint32_t p)
{
    const struct model *model = core->model;
    double load = (double)(model->node[n].bad_mva[c][p] + model->node[n].other_mva[p]);
    for (uint32_t h = 0; h < model->host_count; h++)
        for (uint32_t j = 0; j < model->host[h].cord_count; j++) {
            const struct model_cord *cord = &model->host[h].cord[j];
            if (model_above(model, n, cord->node))
                load += (double)core->cluster.draw_mw[h] * cord->share_ppm[c] / 1e6 * cord->phase_ppm[p] /
                        (double)model->type[model->host[h].type].pf_min_ppm;
        }
    return load;
}

/* Full above this host: 95 % of what a limit leaves to governed hosts. */
static bool is_held(const struct core *core, uint32_t h, const bool *full)
{
    const struct model *model = core->model;
    for (uint32_t i = 0; i < model->node_count * model->contingency_count * PHASES; i++) {
        uint32_t n = i / PHASES / model->contingency_count;
        uint32_t c = i / PHASES % model->contingency_count, p = i % PHASES;
        if (!full[i])
            continue;
        for (uint32_t j = 0; j < model->host[h].cord_count; j++) {
            const struct model_cord *cord = &model->host[h].cord[j];
            if (cord->share_ppm[c] && cord->phase_ppm[p] && model_above(model, n, cord->node))
                return true;
        }
    }
    return false;
}

static void judge_site(uint64_t seed, const struct core *core)
{
    const struct model *model = core->model;
    uint32_t cells = model->node_count * model->contingency_count * PHASES;
    bool *full = calloc(cells, sizeof *full);
    for (uint32_t i = 0; i < cells; i++) {
        uint32_t n = i / PHASES / model->contingency_count;
        uint32_t c = i / PHASES % model->contingency_count, p = i % PHASES;
        double load = load_of(core, n, c, p), limit = (double)core->ledger.node[n].limit_mva[c][p];
        if (model->node[n].limited && load > limit + 1)
            broken(seed, NULL, "node %u, contingency %u, phase %u carries %.0f of %.0f", n, c, p, load,
                   limit);
        full[i] = model->node[n].limited && load >= 0.95 * limit;
    }
    for (uint32_t h = 0; h < model->host_count; h++) {
        if (core->cluster.tier[h] == CLUSTER_FIXED || model->host[h].gang < model->gang_count ||
            core->cluster.draw_mw[h] >= core->cluster.host_extent[h].most_mw)
            continue;
        held++;
        idle += !is_held(core, h, full);
    }
    free(full);
}

/* Jobs over hosts of any node, and some hosts without: a gang has one tier. */
static void draw_jobs(struct model *model, struct chance *chance)
{
    model->gang_count = GANGS;
    for (uint32_t h = 0; h < model->host_count; h++) {
        model->host[h].gang = (uint32_t)chance_range(chance, 0, 2 * GANGS);
        if (model->host[h].gang < GANGS)
            model->host[h].tier = (uint8_t)(model->host[h].gang % TIERS_MAX);
    }
}

static void site_case(uint64_t seed)
{
    struct chance chance = {seed * 31 + 5};
    struct model *model = model_build(seed, 20);
    for (uint32_t h = 0; h < model->host_count; h++)
        model->host[h].tier = (uint8_t)chance_range(&chance, 0, TIERS_MAX - 1);
    if (chance_hit(&chance, 0.5))
        draw_jobs(model, &chance);
    struct core *core = open_core(model);
    for (int turn = 0; turn < (model->gang_count ? 8 : 4); turn++) {
        draw_demands(core, &chance, turn > 0);
        arbitrate(core, (uint32_t)chance_range(&chance, 1, 64));
        judge_site(seed, core);
        if (endless) {
            broken(seed, NULL, "an arbitration came to no end, or its successor would not");
            endless = 0;
            break;
        }
    }
    free(core);
    model_unbuild(model);
}

int main(int argc, char **argv)
{
    struct run run = run_begin("cluster_property", 100000, 10000000);
    for (int i = 1; i < argc; i++)
        if (!run_option(&run, argc, argv, &i))
            return run_usage(&run, "");
    vectors();
    for (uint64_t i = 0; i < run.cases; i++)
        random_case(run.seed + i);
    for (uint64_t i = 0; i < (run.cases + 49) / 50; i++)
        site_case(run.seed + i);
    if (idle * 500 > held)      /* rounds that look for slack end somewhere */
        broken(run.seed, NULL, "%llu of %llu hosts held down without a full node above",
               (unsigned long long)idle, (unsigned long long)held);
    run_end(&run, failures);
    return failures ? 1 : 0;
}
