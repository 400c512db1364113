/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lease theorem (domain.md P10, safety.md section 3) against short random histories, many of them: loss,
 * delay, duplication, reordering, clocks fast and slow by 1 %, agents and controllers that die and come back,
 * hand-overs, controllers that do not know they are replaced, writes that stall. Whatever a device may let
 * flow stays within what the newest controller counts; and once nobody answers any more, every host is at
 * fail-safe within X. Then the same with one fault planted at a time: each has to be found.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lease_world.h"
#include "run.h"

enum { ROUGH_MS = 3500, END_MS = 2600 };
/* X = (D / (1 - rho) + A)(1 + rho) for D = 1 s, A = 100 ms, rho = 1 %, and a step at either end */
#define X_NS (INT64_C(1122) * NS_PER_MS + 2 * STEP_NS)

/* From here on nobody dies, and no write takes longer than it should. */
static bool calm(struct few *few)
{
    bool sound = true;
    few->rough = false;
    for (uint32_t h = 0; h < FEW_HOSTS; h++)
        sound &= few->host[h].alive && !few->host[h].stalled;
    return sound;
}

static bool fail(struct few *few, const char *rule)
{
    few->broken = rule;
    return false;
}

/* All controllers stop; letters under way still arrive. */
static bool nobody_answers(struct few *few)
{
    int64_t stop_ns = few->t_ns;
    bool sound = calm(few);
    for (uint32_t c = 0; c < CONTROLLERS; c++)
        few->controller[c].alive = false;
    while (sound && few->t_ns < stop_ns + END_MS * NS_PER_MS) {
        if (!few_step(few))
            return false;
        for (uint32_t h = 0; h < FEW_HOSTS && few->t_ns > stop_ns + X_NS; h++)
            if (few_worst_mw(few, h) > few->host[h].config.fail_safe_mw)
                return fail(few, "a host is above fail-safe later than X");
    }
    return true;
}

/* The newest controller alone goes on, hears and reaches all, and its limit falls to what fail-safe needs. */
static bool a_limit_falls(struct few *few)
{
    int64_t start_ns = few->t_ns, least_mw = 0, sum_mw;
    bool sound = calm(few);
    struct controller *c = &few->controller[few->newest];
    few->loss = few->slow = 0;
    few->letters = 0;
    for (uint32_t i = 0; i < CONTROLLERS; i++)
        few->controller[i].alive = i == few->newest;
    for (uint32_t h = 0; h < FEW_HOSTS; h++) {
        c->hears[h] = c->reaches[h] = true;
        least_mw += few->host[h].config.fail_safe_mw > FAIL_SAFE_MW ? few->host[h].config.fail_safe_mw
                                                                    : FAIL_SAFE_MW;
    }
    int64_t limit_mw = few->node.limit_mva[0][0];
    ledger_scale_limit(&c->ledger, 0, least_mw * PPM / limit_mw + 1);
    while (sound && few->t_ns < start_ns + X_NS + 400 * NS_PER_MS) {
        if (!few_step(few))
            return false;
        sum_mw = 0;
        for (uint32_t h = 0; h < FEW_HOSTS; h++)
            sum_mw += few_worst_mw(few, h);
        if (few->t_ns > start_ns + X_NS && sum_mw > c->node.limit_mva[0][0])
            return fail(few, "what is enforced passes a limit that fell longer than X ago");
    }
    return true;
}

static bool history(struct few *few, uint64_t seed, enum plant plant)
{
    few_open(few, seed, plant);
    while (few->t_ns < ROUGH_MS * NS_PER_MS)
        if (!few_step(few))
            return false;
    return seed % 2 ? nobody_answers(few) : a_limit_falls(few);
}

static const char *plant_name(enum plant plant)
{
#define PLANT_NAME(symbol, name) [symbol] = name,
    static const char *const names[] = {PLANTS(PLANT_NAME)};
#undef PLANT_NAME
    return names[plant];
}

static int sound_histories(struct few *few, uint64_t seed, uint64_t cases)
{
    uint64_t obeyed = 0, above = 0, handed = 0;
    for (uint64_t i = 0; i < cases; i++) {
        if (!history(few, seed + i, PLANT_NOTHING)) {
            printf("lease_property: --seed %llu: after %lld ms: %s (host %u)\n",
                   (unsigned long long)(seed + i), (long long)(few->t_ns / NS_PER_MS), few->broken,
                   few->broken_host);
            return 1;
        }
        obeyed += few->obeyed;
        above += few->above;
        handed += few->handed;
    }
    printf("lease_property: %llu histories; %llu leases obeyed, %llu above fail-safe, %llu hand-overs\n",
           (unsigned long long)cases, (unsigned long long)obeyed, (unsigned long long)above,
           (unsigned long long)handed);
    return above < cases || (cases > 100 && !handed);
}

/* Every planted fault is found within that many histories. */
static int planted_faults(struct few *few, uint64_t seed, uint64_t cases)
{
    int missed = 0;
    for (enum plant plant = PLANT_NOTHING + 1; plant < PLANT_COUNT; plant++) {
        uint64_t i = 0, found = 0, first = 0;
        for (; i < cases && found < 5; i++)
            if (!history(few, seed + i, plant) && !found++)
                first = i;
        printf("lease_property: %-55s %s (%llu of %llu; first at %llu)\n", plant_name(plant),
               found ? few->broken ? few->broken : "found" : "MISSED", (unsigned long long)found,
               (unsigned long long)i, (unsigned long long)first);
        missed += !found;
    }
    return missed;
}

int main(int argc, char **argv)
{
    struct run run = run_begin("lease_property", 20000, 200000);
    uint64_t planted = 20000;
    for (int i = 1; i < argc; i++) {
        if (run_option(&run, argc, argv, &i))
            continue;
        if (strcmp(argv[i], "--planted") != 0 || i + 1 >= argc)
            return run_usage(&run, " [--planted N]");
        planted = strtoull(argv[++i], NULL, 0);
    }
    struct few *few = malloc(sizeof *few);
    if (!few)
        return 1;
    int failures = sound_histories(few, run.seed, run.cases);
    if (!failures && planted)
        failures = planted_faults(few, run.seed, planted);
    free(few);
    run_end(&run, (uint64_t)failures);
    return failures ? 1 : 0;
}
