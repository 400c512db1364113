/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/sim/shrink.h"

#include <string.h>

struct shrinking {
    struct sim_run *run;
    bool least_only;            /* all that the run broke are bounds that want more */
    uint32_t runs;
};

/* A run of no length has nothing of anything: what wants more is no witness of a shorter one, where
 * something else is. */
static bool counts(const struct shrinking *shrinking, uint32_t i)
{
    const struct judgement *judgement = &shrinking->run->judgement[i];
    return judgement->broken && judgement->at_least == shrinking->least_only;
}

static bool wants_more_only(const struct sim_run *run)
{
    for (uint32_t i = 0; i < run->judgement_count; i++) {
        if (run->judgement[i].broken && !run->judgement[i].at_least)
            return false;
    }
    return true;
}

/* One of the bounds that the run broke is broken, not another. */
static bool breaks_the_same(const struct shrinking *shrinking, const struct outcome *outcome)
{
    const struct sim_run *run = shrinking->run;
    struct judgement judgement[JUDGEMENTS_MAX];
    uint32_t broken, count = scenario_judge(run->bounds, outcome, judgement, &broken);
    for (uint32_t i = 0; i < count && i < run->judgement_count; i++) {
        if (judgement[i].broken && counts(shrinking, i))
            return true;
    }
    return false;
}

static bool fails(void *user, const struct history *history, int64_t until_ns)
{
    struct shrinking *shrinking = user;
    struct outcome outcome;
    memset(&outcome, 0, sizeof outcome);
    if (shrinking->least_only && until_ns < shrinking->run->until_ns)
        return false;
    shrinking->runs++;
    if (sim_run_once(shrinking->run, history, until_ns, &outcome))
        return false;
    bool same = breaks_the_same(shrinking, &outcome);
    outcome_finish(&outcome);
    return same;
}

int sim_shrink(struct sim_run *run, struct sim_shrunk *shrunk)
{
    struct shrinking shrinking = {.run = run, .least_only = wants_more_only(run)};
    int result = 0;
    memset(shrunk, 0, sizeof *shrunk);
    shrunk->until_ns = run->until_ns;
    for (uint32_t i = 0; !result && i < run->history.count; i++)
        result = history_add(&shrunk->history, &run->history.fault[i]);
    if (!result)
        result = history_shrink(&shrunk->history, &shrunk->until_ns, fails, &shrinking, SIM_SHRINK_RUNS);
    shrunk->runs = shrinking.runs;
    return result;
}
