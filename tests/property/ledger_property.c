/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lease theorem against random sites and histories (safety.md sections 3 to 5, domain.md P10): real
 * holders behind a bad network, devices that reset, agents that die, controllers that stall, stop and are
 * replaced. After every slot a second ledger, written from the text alone, must agree with what was sent;
 * after every step what the devices could draw is summed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"
#include "trial.h"

static struct weather draw_weather(struct chance *chance)
{
    static const double losses[] = {0, 0.02, 0.3};
    struct weather weather = {
        .loss = losses[chance_range(chance, 0, 2)],
        .quick_ns = chance_range(chance, 1, 30) * NS_PER_MS,
        .slow_ns = chance_range(chance, 50, 3000) * NS_PER_MS,
        .clock_ppm = 10000,
    };
    weather.twice = chance_hit(chance, 0.5) ? 0.05 : 0;
    weather.slow = chance_hit(chance, 0.5) ? 0.1 : 0;
    weather.partition = chance_hit(chance, 0.3) ? 0.1 : 0;
    weather.restart = chance_hit(chance, 0.4) ? 0.2 : 0;
    weather.reset = chance_hit(chance, 0.4) ? 0.1 : 0;
    weather.foreign = chance_hit(chance, 0.3) ? 0.2 : 0;
    weather.false_alarm = chance_hit(chance, 0.3) ? 0.003 : 0;
    weather.sag_from_ns = chance_hit(chance, 0.2) ? chance_range(chance, 1000, 3000) * NS_PER_MS : INT64_MAX;
    weather.sag_until_ns = chance_range(chance, 3000, 6000) * NS_PER_MS;
    weather.meter_dead = chance_hit(chance, 0.3) ? 0.5 : 0;
    weather.meter_frozen = chance_hit(chance, 0.3) ? 0.5 : 0;
    weather.feed_dark = chance_hit(chance, 0.3) ? 0.3 : 0;
    weather.meter_low = chance_hit(chance, 0.2) ? (double)chance_range(chance, 2, 100) / 1000 : 0;
    weather.refuse = chance_hit(chance, 0.3) ? 0.02 : 0;
    weather.mute = chance_hit(chance, 0.3) ? 0.1 : 0;
    return weather;
}

/* Agents whose own fail-safe cap is not what the site file says. */
static void mismatch(struct trial *trial)
{
    for (uint32_t h = 0; h < trial->model->host_count; h++) {
        struct world_host *host = &trial->world->host[h];
        if (!chance_hit(&trial->chance, 0.15))
            continue;
        host->config.fail_safe_mw =
            chance_range(&trial->chance, host->type->cap_min_mw, host->type->cap_max_mw);
        holder_init(&host->holder, &host->config, world_incarnation(trial->world, h), 0,
                    host->clock_offset_ns);
    }
}

static bool rough_case(struct trial *trial, uint64_t seed, bool is_long)
{
    struct chance chance = {seed};
    struct weather weather = draw_weather(&chance);
    trial_open(trial, seed, (uint32_t)chance_range(&chance, 2, is_long ? 48 : 20), &weather);
    if (chance_hit(&chance, 0.2))
        mismatch(trial);
    double stalls = chance_hit(&chance, 0.3) ? 0.2 : 0, takeovers = chance_hit(&chance, 0.3) ? 0.2 : 0;
    return trial_run(trial, (is_long ? 30 : 5) * NS_PER_S, stalls, takeovers) && trial_stop(trial);
}

/* A host that wants more either has all it can have, or some node above it is full to 95 %, bad(n)
 * as the site file bounds it. */
static bool has_its_due(struct trial *trial, uint32_t h)
{
    const struct model *model = trial->model;
    const struct model_host_type *type = &model->type[model->host[h].type];
    if (trial->shadow->host[h].newest_cap_mw + 2 * type->quantum_mw >= type->cap_max_mw)
        return true;
    for (uint32_t n = 0; n < model->node_count; n++)
        for (uint32_t i = 0; i < model->contingency_count * PHASES && model->node[n].limited; i++) {
            double load = (double)model->node[n].other_mva[i % PHASES] +
                          (double)model->node[n].bad_mva[i / PHASES][i % PHASES];
            for (uint32_t other = 0; other < model->host_count; other++)
                load += shadow_load(trial->shadow, n, i / PHASES, i % PHASES, other) *
                        shadow_exposure_mw(trial->shadow, other);
            double step = shadow_load(trial->shadow, n, i / PHASES, i % PHASES, h) * 2 *
                          (double)type->quantum_mw;
            double limit = (double)model->node[n].limit_mva[i / PHASES][i % PHASES];
            if (trial->shadow->above[n][h] && (load >= 0.95 * limit || load + step > limit))
                return true;
        }
    return false;
}

/* No device trips below the limit, as the site file's own rule for it has it: where one may
 * (model_builder.h), time to trip cuts what the limit allows, and nobody above is full for that. */
static void never_trip_below_limit(struct model *model, uint64_t seed)
{
    (void)seed;
    for (uint32_t n = 0; n < model->node_count; n++) {
        struct model_node *node = &model->node[n];
        struct breaker_element *image = &node->breaker.element[0];
        int64_t least_ma = node->steady_ma / 100 * 106;
        if (node->breaker.element_count && image->pickup_ma < least_ma)
            image->pickup_ma = least_ma;
    }
}

/* Tightness (safety.md section 12): zero trips are not bought by doing nothing. */
static bool calm_case(struct trial *trial, uint64_t seed)
{
    struct weather weather = {.quick_ns = NS_PER_MS, .sag_from_ns = INT64_MAX};
    trial_open_with(trial, seed, 20, &weather, never_trip_below_limit);
    for (uint32_t h = 0; h < trial->model->host_count; h++) {
        trial->world->host[h].demand_mw = trial->world->host[h].type->phys_max_mw;
        trial->world->host[h].demand_until_ns = INT64_MAX;
    }
    if (!trial_run(trial, 8 * NS_PER_S, 0, 0))
        return false;
    for (uint32_t h = 0; h < trial->model->host_count; h++) {
        if (trial->shadow->host[h].at_phys_max)
            return trial_fail(trial, "host %u never left phys_max in a perfect world", h);
        if (!has_its_due(trial, h))
            return trial_fail(trial, "host %u wants more, holds %lld mW, and no node above it is full", h,
                              (long long)trial->shadow->host[h].newest_cap_mw);
    }
    return true;
}

struct told {
    uint64_t lent_steps, stood_in_steps, stand_ins;
};

enum kind { ROUGH, CALM, LENT, STOOD_IN };

/* Hosts that want everything on a good network, so that much is lent, and meters and feeds that fail. */
static bool lent_case(struct trial *trial, uint64_t seed)
{
    struct chance chance = {seed ^ UINT64_C(0x13417)};
    struct weather weather = {.quick_ns = NS_PER_MS, .sag_from_ns = INT64_MAX};
    weather.meter_dead = chance_hit(&chance, 0.6) ? 0.5 : 0;
    weather.meter_frozen = chance_hit(&chance, 0.6) ? 0.5 : 0;
    weather.feed_dark = chance_hit(&chance, 0.6) ? 0.5 : 0;
    weather.loss = chance_hit(&chance, 0.3) ? 0.1 : 0;
    trial_open(trial, seed, 20, &weather);
    for (uint32_t h = 0; h < trial->model->host_count; h++) {
        trial->world->host[h].demand_mw = trial->world->host[h].type->phys_max_mw;
        trial->world->host[h].demand_until_ns = INT64_MAX;
    }
    return trial_run(trial, 10 * NS_PER_S, 0, 0);
}

/* Power that flows in at the top flows out below, once: what stands in for a meter adds it up. */
static void one_way_down(struct model *model, uint64_t seed)
{
    struct chance chance = {seed ^ UINT64_C(0x57A2D)};
    for (uint32_t m = 0; m < model->meter_count; m++)
        model->meter[m].fresh_ns = 100 * NS_PER_MS;
    for (uint32_t n = 0; n < model->node_count; n++) {
        struct model_node *node = &model->node[n];
        memset(node->other_mva, 0, sizeof node->other_mva);
        node->ancestor_count = 1;
        if (!node->parent_count)
            continue;
        const struct model_node *above = &model->node[node->parent[0]];
        node->parent_count = 1;
        for (uint32_t a = 0; a < above->ancestor_count; a++)
            node->ancestor[node->ancestor_count++] = above->ancestor[a];
        if (node->meter != INDEX_NONE && node->breaker.element_count && chance_hit(&chance, 0.9))
            node->lend |= 1;
    }
}

/* Meters that read window by window, die and freeze, over hosts that rise and fall: what is lent on others'
 * readings is held against true heat like everything else. */
static bool stood_in_case(struct trial *trial, uint64_t seed)
{
    struct chance chance = {seed ^ UINT64_C(0x13418)};
    struct weather weather = {.quick_ns = NS_PER_MS, .sag_from_ns = INT64_MAX};
    weather.meter_dead = 0.3;
    weather.meter_frozen = chance_hit(&chance, 0.6) ? 0.3 : 0;
    trial_open_with(trial, seed, 20, &weather, one_way_down);
    trial->windowed = true;
    for (uint32_t h = 0; h < trial->model->host_count; h++) {
        if (!chance_hit(&chance, 0.7))
            continue;           /* the world draws what it wants */
        trial->world->host[h].demand_mw = trial->world->host[h].type->phys_max_mw;
        trial->world->host[h].demand_until_ns = INT64_MAX;
    }
    return trial_run(trial, 10 * NS_PER_S, 0, 0);
}

static int one(uint64_t seed, enum kind kind, bool is_long, struct told *told)
{
    struct trial *trial = malloc(sizeof *trial);
    if (!trial)
        abort();
    bool good = kind == CALM   ? calm_case(trial, seed)
                : kind == LENT ? lent_case(trial, seed)
                : kind == STOOD_IN ? stood_in_case(trial, seed)
                               : rough_case(trial, seed, is_long);
    if (!good)
        printf("FAILED: --seed %llu --cases 1%s%s at %.3f s: %s\n", (unsigned long long)seed,
               kind == CALM   ? " --calm"
               : kind == LENT ? " --lent"
               : kind == STOOD_IN ? " --stood-in"
                              : "", is_long ? " --long" : "", (double)trial->t_ns / 1e9, trial->complaint);
    if (good && getenv("LEDGER_PROPERTY_TELL"))
        printf("seed %llu: %u hosts, %llu slots, %llu leases, %llu above fail-safe, %llu resets, "
               "%llu node-steps lent, heat %.3f\n",
               (unsigned long long)seed, trial->model->host_count, (unsigned long long)trial->slots,
               (unsigned long long)trial->leases, (unsigned long long)trial->above_fail_safe,
               (unsigned long long)trial->world->resets, (unsigned long long)trial->lent_steps,
               trial->hottest);
    told->lent_steps += trial->lent_steps;
    told->stood_in_steps += trial->stood_in_steps;
    told->stand_ins += core_counters(trial->core)->stand_ins;
    trial_close(trial);
    free(trial);
    return good ? 0 : 1;
}

/* The bit of the kind that an option asks for alone; 0: it is none. */
static unsigned only(const char *option)
{
    return !strcmp(option, "--calm") ? 1u << CALM
           : !strcmp(option, "--lent") ? 1u << LENT
           : !strcmp(option, "--stood-in") ? 1u << STOOD_IN
                                         : 0;
}

/* What was tried must have happened, too. */
static int tell_too_little(const struct told *told, uint64_t cases)
{
    bool lent = told->lent_steps >= 100 * cases, stood_in = told->stood_in_steps >= 10 * cases;
    if (!lent)
        printf("FAILED: leases passed the steady limit in %llu node-steps only\n",
               (unsigned long long)told->lent_steps);
    if (!stood_in)
        printf("FAILED: other meters held that in %llu node-steps only\n",
               (unsigned long long)told->stood_in_steps);
    return !lent + !stood_in;
}

int main(int argc, char **argv)
{
    struct run run = run_begin("ledger_property", 12, 200);
    unsigned kinds = 1u << ROUGH | 1u << CALM | 1u << LENT | 1u << STOOD_IN, all = kinds;
    for (int i = 1; i < argc; i++) {
        if (run_option(&run, argc, argv, &i))
            continue;
        if (!only(argv[i]))
            return run_usage(&run, " [--calm | --lent | --stood-in]");
        kinds = only(argv[i]);
    }
    int failures = 0;
    struct told told = {0};
    for (uint64_t i = 0; i < run.cases; i++)
        for (enum kind kind = ROUGH; kind <= STOOD_IN; kind++)
            failures += kinds >> kind & 1 ? one(run.seed + i, kind, run.is_long, &told) : 0;
    if (run.cases >= 10 && kinds == all)
        failures += tell_too_little(&told, run.cases);
    printf("%llu node-steps lent, %llu of them held by other meters, which stood in %llu times\n",
           (unsigned long long)told.lent_steps, (unsigned long long)told.stood_in_steps,
           (unsigned long long)told.stand_ins);
    run_end(&run, (uint64_t)failures);
    return failures ? 1 : 0;
}
