/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/safety/drill.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "sim/baseline.h"
#include "sim/virtual.h"

static double busy_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void note_trip(struct drill_result *result, const struct model *model, const struct outcome *outcome)
{
    if (!outcome->trip_count)
        return;
    const struct grid_trip *trip = &outcome->trip[0];
    snprintf(result->first_trip, sizeof result->first_trip, "%s at %.3f s by %s",
             model->node[trip->node].name, (double)trip->t_ns / 1e9, trip_element_name(trip->element));
}

static int govern(const struct drill *drill, const struct model *model, const struct workload *workload,
                  struct drill_result *result)
{
    struct history history = {0};
    struct outcome outcome;
    int error = history_draw(&history, model, drill->level, drill->seed, drill->duration_ns);
    if (!error)
        error = history_draw_sources(&history, model, workload, drill->level, drill->duration_ns);
    struct virtual_config config = {.duration_ns = drill->duration_ns, .epoch = 1, .history = &history};
    double begin_s = busy_s();
    if (!error)
        error = virtual_run(model, workload, &config, &outcome);
    result->busy_s = busy_s() - begin_s;
    result->faults = history.count;
    history_finish(&history);
    if (error)
        return error;
    result->figures = outcome.figures;
    result->energy_j = outcome.energy_j;
    result->demand_j = outcome.demand_j;
    result->warmup_s = (double)outcome.warmup_ns / 1e9;
    note_trip(result, model, &outcome);
    outcome_finish(&outcome);
    return 0;
}

static int compare(const struct drill *drill, const struct model *model, const struct workload *workload,
                   enum plant_mode mode, double *energy_j)
{
    struct outcome outcome;
    int error = baseline_run(model, workload, mode, drill->duration_ns, &outcome);
    if (error)
        return error;
    *energy_j = outcome.energy_j;
    outcome_finish(&outcome);
    return 0;
}

void drill_play(const struct drill *drill, const struct place *place, struct drill_result *result)
{
    const struct model *model = &place->site.model;
    struct workload workload = place->workload;
    memset(result, 0, sizeof *result);
    workload.seed = drill->seed;
    result->error = govern(drill, model, &workload, result);
    if (!result->error && drill->compared)
        result->error = compare(drill, model, &workload, PLANT_STATIC, &result->static_j);
    if (!result->error && drill->compared)
        result->error = compare(drill, model, &workload, PLANT_ORACLE, &result->oracle_j);
    result->done = true;
}

bool drill_failed(const struct drill_result *result)
{
    const struct figures *figures = &result->figures;
    return result->error || figures->trips || figures->guard_hits || figures->exposure_short;
}

void drill_command(const struct drill *drill, char *text, size_t bytes)
{
    char options[160];
    place_options(drill->place, options, sizeof options);
    snprintf(text, bytes,
             "build/src/cli/flyball sim %s --random --faults %s --seed %" PRIu64 " --duration %" PRId64 "s",
             options, history_level_name(drill->level), drill->seed, drill->duration_ns / NS_PER_S);
}
