/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/scenario.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct scenario_table *const table[] = {
    &scenario_leases, &scenario_sums, &scenario_meters, &scenario_power, &scenario_control, &scenario_calm,
    &scenario_sources,
};

enum { TABLES = sizeof table / sizeof table[0] };

uint32_t scenario_count(void)
{
    uint32_t count = 0;
    for (uint32_t t = 0; t < TABLES; t++)
        count += table[t]->count;
    return count;
}

const struct scenario *scenario_at(uint32_t index)
{
    for (uint32_t t = 0; t < TABLES; t++) {
        if (index < table[t]->count)
            return &table[t]->row[index];
        index -= table[t]->count;
    }
    return NULL;
}

const struct scenario *scenario_find(const char *text)
{
    char number[8];
    for (uint32_t i = 0; i < scenario_count(); i++) {
        const struct scenario *scenario = scenario_at(i);
        snprintf(number, sizeof number, "%u", scenario->number);
        if (!strcmp(text, number) || !strcmp(text, scenario->name))
            return scenario;
    }
    return NULL;
}

const char *scenario_site_name(enum scenario_site site)
{
    static const char *const name[SCENARIO_SITES] = {
        "demo", "demo-2n", "scene-dense", "scene-fixed", "scene-phases", "scene-definite", "scene-tight",
        "scene-leaving", "scene-sources",
    };
    return name[site];
}

/* Seconds instead of minutes; nothing is late by dice. Supplies hold for a cycle. */
static void describe_sources(const struct scenario_sources *said, struct workload *workload,
                             const struct model *model)
{
    if (said->start_s <= 0)
        return;
    workload_describe_sources(workload, model);
    workload->plant.hold_up_ns = 16 * NS_PER_MS;
    for (uint32_t i = 0; i < workload->source_count; i++) {
        struct workload_source *source = &workload->source[i];
        source->start_ns = (int64_t)(said->start_s * 1e9);
        source->spread_ns = 0;
        source->battery_ns = (int64_t)(said->battery_s * 1e9);
        source->recharge_ns = (int64_t)(said->recharge_s * 1e9);
        source->walk_in_ns = (int64_t)(said->walk_in_s * 1e9);
        source->break_ns = (int64_t)(said->break_s * 1e9);
        source->retransfer_ns = (int64_t)(said->retransfer_s * 1e9);
    }
}

int scenario_workload(const struct scenario *scenario, const struct model *model, struct workload *workload)
{
    int result = workload_make(workload, model, scenario->demand);
    snprintf(workload->name, sizeof workload->name, "%s", scenario->name);
    workload->breakers.fast_edge = true;        /* every device at the edge of its band that hurts */
    workload->seed = scenario->number;
    workload->duration_ns = (int64_t)(scenario->duration_s * 1e9);
    workload->warmup_ns = (int64_t)(scenario->warmup_s * 1e9);
    describe_sources(&scenario->sources, workload, model);
    return result;
}

static double counted(const char *name, const struct core_counters *counters)
{
#define SCENARIO_COUNTER(field, word, meaning) \
    if (!strcmp(name, word)) \
        return (double)counters->field;
    CORE_COUNTERS(SCENARIO_COUNTER)
#undef SCENARIO_COUNTER
    return -1;      /* no such counter: no bound holds it */
}

struct judge {
    struct judgement *out;
    uint32_t count, broken;
};

static void put(struct judge *judge, const char *what, const char *unit, double measured, double bound,
                bool at_least)
{
    bool broken = at_least ? !(measured >= bound) : !(measured <= bound);
    if (judge->count == JUDGEMENTS_MAX)
        return;
    judge->out[judge->count++] = (struct judgement){what, unit, measured, bound, at_least, broken};
    judge->broken += broken;
}

static void put_where_bounded(struct judge *judge, const char *what, const char *unit, double measured,
                              double bound, bool at_least)
{
    if (bound > 0)
        put(judge, what, unit, measured, bound, at_least);
}

static void judge_bounds(struct judge *judge, const struct scenario_bounds *bounds,
                         const struct outcome *outcome)
{
    const struct figures *figures = &outcome->figures;
    double share = outcome->demand_j > 0 ? outcome->energy_j / outcome->demand_j : 1;
    put_where_bounded(judge, "overshoot", "W", figures->overshoot_w, bounds->overshoot_w, false);
    put_where_bounded(judge, "reaction", "ms", (double)figures->over_ns / 1e6, bounds->over_ms, false);
    put_where_bounded(judge, "heat", "of a trip", figures->worst_heat, bounds->heat, false);
    put_where_bounded(judge, "energy", "of what was wanted", share, bounds->energy_least, true);
    put_where_bounded(judge, "recovery", "s", (double)figures->recovery_ns / 1e9, bounds->recovery_s, false);
    put_where_bounded(judge, "tightness", "at p99", figures->tightness_p99, bounds->tightness, true);
    for (int i = 0; i < SCENARIO_COUNTS_MAX && bounds->count[i].name; i++) {
        const struct scenario_count *count = &bounds->count[i];
        double measured = counted(count->name, &outcome->governor);
        if (count->least > 0)
            put(judge, count->name, "times", measured, count->least, true);
        if (count->most < SCENARIO_ANY)
            put(judge, count->name, "times", measured, count->most, false);
    }
}

uint32_t scenario_judge(const struct scenario_bounds *bounds, const struct outcome *outcome,
                        struct judgement judgement[JUDGEMENTS_MAX], uint32_t *broken)
{
    const struct figures *figures = &outcome->figures;
    struct judge judge = {.out = judgement};
    put(&judge, "trips", "", (double)figures->trips, 0, false);
    put(&judge, "guard hits", "", (double)figures->guard_hits, 0, false);
    put(&judge, "short exposures", "", (double)figures->exposure_short, 0, false);
    if (bounds)
        judge_bounds(&judge, bounds, outcome);
    *broken = judge.broken;
    return judge.count;
}
