/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/sim/run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "sim/baseline.h"

#define RANDOM_DURATION_NS (360 * NS_PER_S)

static int complain(const char *what, int error)
{
    fprintf(stderr, "flyball sim: %s: %s\n", what, strerror(-error));
    return CLI_CONNECT;
}

static int follow_traces(struct sim_run *run)
{
    const struct sim_options *options = run->options;
    struct trace_play play = options->play;
    if (!options->trace)
        return CLI_OK;
    int result = traces_load(&run->traces, options->trace, workload_step_ns(&run->workload), stderr);
    if (result)
        return result == -EINVAL ? CLI_CONFIG : CLI_CONNECT;
    play.traces = &run->traces;
    workload_follow_traces(&run->workload, &play, &run->site.model);
    return CLI_OK;
}

static int load_workload(struct sim_run *run)
{
    const struct sim_options *options = run->options;
    const struct model *model = &run->site.model;
    int result;
    if (options->workload)
        result = workload_load(&run->workload, options->workload, model, stderr);
    else if (options->scenario)
        result = scenario_workload(options->scenario, model, &run->workload);
    else
        result = workload_make(&run->workload, model, DEMAND_MIXED);
    if (result)
        return result == -EINVAL   ? CLI_CONFIG
               : options->workload ? CLI_CONNECT
                                   : complain("workload", result);
    if (options->has_seed)
        run->workload.seed = options->seed;
    run->workload.breakers.device = run->site.device;
    run->workload.breakers.equipment = run->site.equipment;
    return follow_traces(run);
}

static int64_t whole_duration_ns(const struct sim_run *run)
{
    const struct sim_options *options = run->options;
    if (options->hours > 0)
        return (int64_t)(options->hours * 3600e9);
    if (options->duration_ns)
        return options->duration_ns;
    bool own = options->workload || options->scenario;
    return own ? run->workload.duration_ns : RANDOM_DURATION_NS;
}

/* What was drawn or told by a scenario, less what --only leaves out. */
static int keep_only(struct sim_run *run)
{
    struct history *history = &run->history;
    uint32_t kept = 0;
    run->drawn = calloc(history->count + SIM_FAULTS_MAX + 1, sizeof *run->drawn);
    if (!run->drawn)
        return -ENOMEM;
    for (uint32_t i = 0; i < history->count; i++) {
        if (!sim_keeps(run->options, i))
            continue;
        run->drawn[kept] = i;
        history->fault[kept++] = history->fault[i];
    }
    history->count = kept;
    return 0;
}

static int draw_all(struct sim_run *run)
{
    const struct model *model = &run->site.model;
    const struct workload *workload = &run->workload;
    enum fault_level level = run->options->level;
    int result = history_draw(&run->history, model, level, workload->seed, run->duration_ns);
    if (!result)
        result = history_draw_sources(&run->history, model, workload, level, run->duration_ns);
    return result;
}

static int draw_history(struct sim_run *run)
{
    const struct sim_options *options = run->options;
    const struct model *model = &run->site.model;
    int result = 0;
    if (options->scenario && !options->fault_count)
        result = scenario_history(options->scenario, model, &run->history);
    else if (options->random)
        result = draw_all(run);
    if (result == -ENOENT) {
        fprintf(stderr, "flyball sim: %s has no place for scenario %s to strike\n", options->site,
                options->scenario->name);
        return CLI_USAGE;
    }
    if (!result)
        result = keep_only(run);
    return result ? complain("faults", result) : CLI_OK;
}

/* history_add puts a fault in its place by time: the numbers behind it move along. */
static void number_given(struct sim_run *run, const struct fault *fault)
{
    uint32_t place = run->history.count - 1;
    while (place > 0 && !fault_same(&run->history.fault[place], fault))
        place--;
    memmove(&run->drawn[place + 1], &run->drawn[place],
            (run->history.count - 1 - place) * sizeof *run->drawn);
    run->drawn[place] = INDEX_NONE;
}

static int add_given(struct sim_run *run)
{
    const struct sim_options *options = run->options;
    char why[160];
    for (uint32_t i = 0; i < options->fault_count; i++) {
        struct fault fault;
        memset(&fault, 0, sizeof fault);
        if (fault_parse(options->fault[i], &run->site.model, &fault, why, sizeof why)) {
            fprintf(stderr, "flyball sim: --fault '%s': %s\n", options->fault[i], why);
            return CLI_USAGE;
        }
        int result = history_add(&run->history, &fault);
        if (result)
            return complain("--fault", result);
        number_given(run, &fault);
    }
    return CLI_OK;
}

/* The bounds of a scenario are of its own site and its own workload. */
static const struct scenario_bounds *bounds_of(const struct sim_run *run)
{
    const struct sim_options *options = run->options;
    const struct scenario *scenario = options->scenario;
    if (!scenario || options->workload || options->trace ||
        strcmp(run->site.model.name, scenario_site_name(scenario->site)))
        return NULL;
    return &scenario->bounds;
}

int sim_open(struct sim_run *run, const struct sim_options *options)
{
    memset(run, 0, sizeof *run);
    run->options = options;
    const char *server = options->server ? options->server : "";
    int result = site_load_unmeasured(&run->site, options->site, server, stderr);
    if (result)
        return result == -EINVAL ? CLI_CONFIG : CLI_CONNECT;
    run->site_mode = (enum mode)run->site.model.mode;
    run->site.model.mode = MODE_ENFORCE;
    result = load_workload(run);
    if (result)
        return result;
    run->duration_ns = whole_duration_ns(run);
    run->until_ns = options->until_ns && options->until_ns < run->duration_ns ? options->until_ns
                                                                              : run->duration_ns;
    run->bounds = bounds_of(run);
    result = draw_history(run);
    return result ? result : add_given(run);
}

void sim_close(struct sim_run *run)
{
    outcome_finish(&run->outcome);
    history_finish(&run->history);
    workload_unload(&run->workload);
    traces_unload(&run->traces);
    site_unload(&run->site);
    free(run->drawn);
}

int sim_run_once(struct sim_run *run, const struct history *history, int64_t until_ns,
                 struct outcome *outcome)
{
    const struct scenario *scenario = run->options->scenario;
    struct virtual_config config = {.duration_ns = until_ns, .epoch = 1, .history = history,
                                    .greedy = scenario && scenario->greedy};
    return virtual_run(&run->site.model, &run->workload, &config, outcome);
}

static int run_baselines(struct sim_run *run)
{
    static const enum plant_mode mode[SIM_BASELINES] = {PLANT_DERATED, PLANT_STATIC, PLANT_ORACLE};
    for (int i = 0; i < SIM_BASELINES; i++) {
        struct outcome outcome;
        int result = baseline_run(&run->site.model, &run->workload, mode[i], run->until_ns, &outcome);
        if (result == -EINVAL)      /* no such plan fits the site: there is nothing to compare with */
            continue;
        if (result)
            return result;
        run->baseline_j[i] = outcome.energy_j;
        outcome_finish(&outcome);
    }
    return 0;
}

int sim_run_whole(struct sim_run *run)
{
    int result = sim_run_once(run, &run->history, run->until_ns, &run->outcome);
    if (result)
        return result;
    run->judgement_count = scenario_judge(run->bounds, &run->outcome, run->judgement, &run->broken);
    return run_baselines(run);
}
