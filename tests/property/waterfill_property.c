/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The allocator against domain.md 4.6: its vectors, its invariants I1 to I10 on random cases, and that a pass
 * in parts gives what a pass at once gives. The judge solves for lambda on its own, by bisection in long
 * double.
 */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chance.h"
#include "run.h"
#include "core/waterfill.h"

enum { CLAIMS_MAX = 40, STEPS_MAX = 1000000 };

struct problem {
    uint32_t count, split; /* the first `split` claims are one run, the rest the other */
    int64_t budget;
    struct claim claim[CLAIMS_MAX];
};

static uint64_t failures;
static const char *more = "";       /* what the command that repeats a case says besides */

__attribute__((format(printf, 3, 4))) static void broken(uint64_t seed, const struct problem *problem,
                                                         const char *format, ...)
{
    va_list arguments;
    if (failures++ >= 10)
        return;
    printf("FAILED: --seed %llu --cases 1%s: ", (unsigned long long)seed, more);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n  budget %lld of", (long long)problem->budget);
    for (uint32_t i = 0; i < problem->count; i++)
        printf(" (%u, %lld..%lld)=%lld", problem->claim[i].weight, (long long)problem->claim[i].low,
               (long long)problem->claim[i].high, (long long)problem->claim[i].share);
    printf("\n");
}

/* `part` items a step, 0 = all at once. False when it never ends. */
static bool solve(struct problem *problem, uint32_t part)
{
    struct waterfill fill;
    memset(&fill, 0xA5, sizeof fill);
    waterfill_begin(&fill, problem->budget, problem->claim, problem->count);
    for (int steps = 0; steps < STEPS_MAX; steps++) {
        uint32_t items = part ? part : UINT32_MAX;
        if (waterfill_step(&fill, &items))
            return items <= (part ? part : UINT32_MAX);
    }
    return false;
}

static void totals(const struct problem *problem, int64_t *low, int64_t *high, int64_t *share)
{
    *low = *high = *share = 0;
    for (uint32_t i = 0; i < problem->count; i++) {
        *low += problem->claim[i].low;
        *high += problem->claim[i].high;
        *share += problem->claim[i].share;
    }
}

/* The exact shares, before they are made whole. */
static void exactly(const struct problem *problem, long double *share)
{
    long double low = 0, high = 0;
    for (uint32_t i = 0; i < problem->count; i++)
        high = fmaxl(high, (long double)problem->claim[i].high / problem->claim[i].weight);
    for (int turn = 0; turn < 200; turn++) {
        long double level = (low + high) / 2, sum = 0;
        for (uint32_t i = 0; i < problem->count; i++) {
            const struct claim *claim = &problem->claim[i];
            share[i] = fminl(fmaxl(claim->weight * level, (long double)claim->low), (long double)claim->high);
            sum += share[i];
        }
        if (sum > (long double)problem->budget)
            high = level;
        else
            low = level;
    }
}

/* I1 to I3 exactly; I4 by distance from the exact solution, which is the only max-min one. */
static void judge_one(uint64_t seed, const struct problem *problem)
{
    int64_t low, high, sum;
    long double exact[CLAIMS_MAX];
    totals(problem, &low, &high, &sum);
    for (uint32_t i = 0; i < problem->count; i++)
        if (problem->claim[i].share < problem->claim[i].low ||
            problem->claim[i].share > problem->claim[i].high)
            broken(seed, problem, "I2: claim %u is outside its bounds", i);
    if (problem->budget < low) {
        if (sum != low)
            broken(seed, problem, "a budget below the lows gives everyone its low");
        return;
    }
    if (sum > problem->budget)
        broken(seed, problem, "I1: the shares sum to %lld", (long long)sum);
    if (sum != (problem->budget < high ? problem->budget : high))
        broken(seed, problem, "I3: the shares sum to %lld", (long long)sum);
    exactly(problem, exact);
    for (uint32_t i = 0; i < problem->count; i++)
        if (fabsl(exact[i] - (long double)problem->claim[i].share) > 1.001L)
            broken(seed, problem, "I4: claim %u should have %.3Lf", i, exact[i]);
}

/* "distribute the remainder by largest fractional part": a claim rounded down may not have a clearly larger
 * one. */
static void judge_remainder(uint64_t seed, const struct problem *problem)
{
    long double exact[CLAIMS_MAX], least_up = 2, most_down = -1;
    exactly(problem, exact);
    for (uint32_t i = 0; i < problem->count; i++) {
        const struct claim *claim = &problem->claim[i];
        long double fraction = exact[i] - floorl(exact[i]);
        if (fraction < 0.001L || fraction > 0.999L || claim->share == claim->high)
            continue;
        if ((long double)claim->share > exact[i])
            least_up = fminl(least_up, fraction);
        else
            most_down = fmaxl(most_down, fraction);
    }
    if (least_up < 2 && most_down >= 0 && most_down > least_up + 1 / 128.0L)
        broken(seed, problem, "fraction %.4Lf was rounded down and %.4Lf up", most_down, least_up);
}

static struct problem draw(struct chance *chance)
{
    struct problem problem = {
        .count = (uint32_t)chance_range(chance, 1, chance_hit(chance, 0.9) ? 8 : CLAIMS_MAX)};
    static const int64_t sizes[] = {5, 100, 10000, 100000000, INT64_C(100000000000)};
    int64_t size = sizes[chance_range(chance, 0, 4)], low, high, sum;
    uint32_t weights = chance_hit(chance, 0.5) ? 1 : (uint32_t)chance_range(chance, 2, 1000);
    problem.split = (uint32_t)chance_range(chance, 0, problem.count);
    for (uint32_t i = 0; i < problem.count; i++) {
        struct claim *claim = &problem.claim[i];
        claim->low = chance_hit(chance, 0.3) ? 0 : chance_range(chance, 0, size);
        claim->high = chance_hit(chance, 0.1) ? claim->low : claim->low + chance_range(chance, 0, size);
        claim->weight = (uint32_t)chance_range(chance, 1, weights);
        claim->share = -1;
    }
    totals(&problem, &low, &high, &sum);
    problem.budget = chance_range(chance, low, high);
    if (chance_hit(chance, 0.05))
        problem.budget = chance_hit(chance, 0.5) ? low / 2 : high + size;
    return problem;
}

/* Is nobody worse off by more than the unit that rounding may move? */
static bool none_lower(const struct problem *before, const struct problem *after)
{
    for (uint32_t i = 0; i < before->count; i++)
        if (after->claim[i].share < before->claim[i].share - 1)
            return false;
    return true;
}

static bool same(const struct problem *a, const struct problem *b, int64_t tolerance)
{
    for (uint32_t i = 0; i < a->count; i++)
        if (llabs(a->claim[i].share - b->claim[i].share) > tolerance)
            return false;
    return true;
}

static void judge_monotone(uint64_t seed, struct chance *chance, const struct problem *base)
{
    struct problem other = *base;
    other.budget += chance_range(chance, 0, other.budget / 4 + 3);
    solve(&other, 0);
    if (!none_lower(base, &other))
        broken(seed, &other, "I5: a budget of %lld gave somebody more", (long long)base->budget);
    other = *base;
    uint32_t who = (uint32_t)chance_range(chance, 0, base->count - 1);
    other.claim[who].high += chance_range(chance, 1, 1000);
    solve(&other, 0);
    if (other.claim[who].share < base->claim[who].share - 1)
        broken(seed, &other, "I10: claim %u asked for more and got less than %lld", who,
               (long long)base->claim[who].share);
}

static void judge_symmetry(uint64_t seed, struct chance *chance, const struct problem *base)
{
    struct problem other = *base, back = *base;
    uint32_t turn = (uint32_t)chance_range(chance, 0, base->count - 1);
    for (uint32_t i = 0; i < base->count; i++)
        other.claim[i] = base->claim[(i + turn) % base->count];
    solve(&other, 0);
    for (uint32_t i = 0; i < base->count; i++)
        back.claim[(i + turn) % base->count].share = other.claim[i].share;
    if (!same(base, &back, 1))
        broken(seed, &back, "I7: turned by %u, the claims share differently", turn);
    other = *base;
    for (uint32_t i = 0; i < base->count; i++)
        other.claim[i].weight *= 7;
    solve(&other, 0);
    if (!same(base, &other, 1))
        broken(seed, &other, "I8: seven times every weight changes the shares");
    other = *base;
    for (uint32_t i = 0; i < base->count; i++)
        other.claim[i].high =
            base->claim[i].share > base->claim[i].low ? base->claim[i].share : base->claim[i].low;
    solve(&other, 0);
    if (!same(base, &other, 0))
        broken(seed, base, "I9: shares offered back as highs are not what comes out");
}

/* I6: the second tier sees only what the first has left, so its claims cannot reach into it; two fills, as
 * the tree does. */
static void judge_tiers(uint64_t seed, struct chance *chance)
{
    struct problem first = draw(chance), second = draw(chance), again;
    int64_t low, high, sum;
    totals(&second, &low, &high, &sum);
    solve(&first, 0);
    again = first;
    second.budget = low;
    solve(&second, 0);
    solve(&again, 0);
    if (!same(&first, &again, 0))
        broken(seed, &again, "I6: another tier's fill changed this one");
}

static void random_case(uint64_t seed)
{
    struct chance chance = {seed * 7919 + 13};
    struct problem problem = draw(&chance);
    struct problem parts = problem, at_once = problem;
    if (!solve(&problem, 0)) {
        broken(seed, &problem, "it never ends");
        return;
    }
    judge_one(seed, &problem);
    judge_remainder(seed, &problem);
    if (!solve(&parts, (uint32_t)chance_range(&chance, 1, 9)) || !same(&problem, &parts, 0))
        broken(seed, &parts, "in parts it gives something else");
    if (!solve(&at_once, 0) || !same(&problem, &at_once, 0))
        broken(seed, &at_once, "a second time it gives something else");
    int64_t low, high, sum;
    totals(&problem, &low, &high, &sum);
    if (problem.budget < low)
        return;
    judge_monotone(seed, &chance, &problem);
    judge_symmetry(seed, &chance, &problem);
    judge_tiers(seed, &chance);
}

static void vector(const char *name, struct problem problem, const int64_t *wanted)
{
    problem.split = problem.count;
    solve(&problem, 0);
    for (uint32_t i = 0; i < problem.count; i++)
        if (problem.claim[i].share != wanted[i]) {
            broken(0, &problem, "vector %s wants %lld for claim %u", name, (long long)wanted[i], i);
            return;
        }
}

/* domain.md 4.6 [C], in whole units. */
static void vectors(void)
{
    vector("three alike", (struct problem){3, 0, 100, {{0, 50, 0, 1}, {0, 50, 0, 1}, {0, 50, 0, 1}}},
           (const int64_t[]){34, 33, 33});
    vector("level 40", (struct problem){3, 0, 100, {{0, 20, 0, 1}, {0, 50, 0, 1}, {0, 100, 0, 1}}},
           (const int64_t[]){20, 40, 40});
    vector("a floor above the level",
           (struct problem){3, 0, 100, {{10, 60, 0, 1}, {10, 60, 0, 2}, {30, 60, 0, 1}}},
           (const int64_t[]){23, 47, 30});
    vector("half units",
           (struct problem){4, 0, 120, {{30, 35, 0, 1}, {10, 100, 0, 1}, {10, 90, 0, 3}, {5, 20, 0, 2}}},
           (const int64_t[]){30, 18, 52, 20});
    vector("upper tier", (struct problem){2, 0, 500, {{100, 250, 0, 1}, {100, 250, 0, 1}}},
           (const int64_t[]){250, 250});
    vector("lower tier", (struct problem){2, 0, 140, {{50, 200, 0, 1}, {50, 200, 0, 2}}},
           (const int64_t[]){50, 90});
}

/* What the header promises, to the largest quantity and weight. */
static void extremes(uint64_t first, uint64_t cases)
{
    for (uint64_t seed = first; seed - first < cases; seed++) {
        struct chance chance = {seed};
        struct problem problem = {.count = (uint32_t)chance_range(&chance, 1, 6)};
        int64_t low, high, sum;
        problem.split = problem.count / 2;
        for (uint32_t i = 0; i < problem.count; i++) {
            struct claim *claim = &problem.claim[i];
            claim->high = (INT64_C(1) << chance_range(&chance, 1, 42)) - 1;    /* WATERFILL_QUANTITY_MAX */
            claim->low = chance_range(&chance, 0, claim->high);
            /* WATERFILL_WEIGHT_MAX */
            claim->weight = (uint32_t)((UINT64_C(1) << chance_range(&chance, 0, 20)) - 1) | 1;
        }
        totals(&problem, &low, &high, &sum);
        problem.budget = chance_range(&chance, low, high);
        if (!solve(&problem, 0))
            broken(seed, &problem, "extreme quantities: it never ends");
        else
            judge_one(seed, &problem);
    }
}

int main(int argc, char **argv)
{
    struct run run = run_begin("waterfill_property", 100000, 10000000);
    bool only_extremes = false;
    for (int i = 1; i < argc; i++) {
        if (run_option(&run, argc, argv, &i))
            continue;
        if (strcmp(argv[i], "--extremes") != 0)
            return run_usage(&run, " [--extremes]");
        only_extremes = true;
        more = " --extremes";
    }
    if (run.seed == 1 && !only_extremes)
        vectors();
    if (only_extremes)
        extremes(run.seed, run.cases);
    for (uint64_t i = 0; i < run.cases && !only_extremes; i++)
        random_case(run.seed + i);
    run_end(&run, failures);
    return failures ? 1 : 0;
}
