/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs every numbered scenario on the site that its bounds are of, a line each. In the build whose rules can
 * be switched off, --rules-off runs each twice more, in a process of its own with its rule off: a scenario
 * that passes then has proved nothing and is a failure. So has one that breaks a bound without its rule
 * though nothing strikes (--still): what it says of the disturbance would hold of none, unless it says why.
 *
 * usage: scenarios --root DIR [--rules-off] [--only NAME] [--rule ID] [--figures]
 *
 * --child is how it calls itself, with --still HEAT where nothing is to strike: one line, as a remark.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/scenario.h"
#include "site/site.h"

enum { HOLDS = 0, BREAKS = 1, CANNOT = 2, UNKNOWN_RULE = 125 };

struct options {
    const char *program, *root, *only, *rule;
    bool rules_off, figures, child, still;
    const char *heat;           /* that still runs may reach */
    double *seen;               /* a run that is only looked at: the heat that it reached */
};

static const char *const site_path[SCENARIO_SITES] = {
    [SITE_PLAIN] = "config/demo/site.yaml",
    [SITE_2N] = "config/demo-2n/site.yaml",
    [SITE_DENSE] = "tests/sim/sites/dense.yaml",
    [SITE_FIXED] = "tests/sim/sites/fixed.yaml",
    [SITE_PHASES] = "tests/sim/sites/phases.yaml",
    [SITE_DEFINITE] = "tests/sim/sites/definite.yaml",
    [SITE_TIGHT] = "tests/sim/sites/tight.yaml",
    [SITE_LEAVING] = "tests/sim/sites/leaving.yaml",
    [SITE_SOURCES] = "tests/sim/sites/sources.yaml",
};

static void print_judgements(const struct judgement *judgement, uint32_t count, bool broken_only)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct judgement *it = &judgement[i];
        if (it->broken || !broken_only)
            printf("%s %s %.5g (%s %.5g)", i ? "," : "", it->what, it->measured,
                   it->at_least ? "least" : "most", it->bound);
    }
}

static void print_figures(const struct outcome *outcome)
{
    const struct figures *figures = &outcome->figures;
    printf("\n#   trips %g guard %g short %g | heat %.4f over %.0f W %.0f ms | energy %.4f recovery %.3f s "
           "tight %.4f throttled %.3f useful %.3f x%.0f\n# ",
           (double)figures->trips, (double)figures->guard_hits, (double)figures->exposure_short,
           figures->worst_heat, figures->overshoot_w, (double)figures->over_ns / 1e6,
           outcome->energy_j / outcome->demand_j, (double)figures->recovery_ns / 1e9, figures->tightness_p99,
           figures->throttled, figures->useful, figures->speed);
#define PRINT_COUNTER(field, name, meaning) \
    if (outcome->governor.field) \
        printf(" %s %g", name, (double)outcome->governor.field);
    CORE_COUNTERS(PRINT_COUNTER)
#undef PRINT_COUNTER
}

static void print_run(const struct options *options, const struct scenario *scenario,
                      const struct judgement *judgement, uint32_t count, uint32_t broken,
                      const struct outcome *outcome)
{
    printf("%s%s %u %s:", options->child ? "#   " : "", broken ? "not ok" : "ok", scenario->number,
           scenario->name);
    print_judgements(judgement, count, false);
    if (options->figures)
        print_figures(outcome);
    putchar('\n');
}

/* Counters of what strikes are none of a still run's; and hosts that fall to fail-safe by what strikes leave
 * breakers cooler than hosts that do not. */
static struct scenario_bounds bounds_of(const struct options *options, const struct scenario *scenario)
{
    struct scenario_bounds bounds = scenario->bounds;
    for (int i = 0; options->still && i < SCENARIO_COUNTS_MAX; i++)
        bounds.count[i].least = 0;
    if (options->heat)
        bounds.heat = fmax(bounds.heat, strtod(options->heat, NULL));
    return bounds;
}

static int run_on(const struct options *options, const struct scenario *scenario, const struct site *site)
{
    struct judgement judgement[JUDGEMENTS_MAX];
    struct workload workload;
    struct history history = {0};
    struct outcome outcome;
    uint32_t broken = 0, count = 0;
    int result = scenario_workload(scenario, &site->model, &workload);
    if (!result && !options->still)
        result = scenario_history(scenario, &site->model, &history);
    workload.breakers.device = site->device;
    workload.breakers.equipment = site->equipment;
    struct virtual_config config = {.duration_ns = workload.duration_ns, .epoch = 1, .history = &history,
                                    .greedy = scenario->greedy};
    if (!result)
        result = virtual_run(&site->model, &workload, &config, &outcome);
    if (!result) {
        struct scenario_bounds bounds = bounds_of(options, scenario);
        count = scenario_judge(&bounds, &outcome, judgement, &broken);
        if (options->seen)
            *options->seen = outcome.figures.worst_heat;
        else
            print_run(options, scenario, judgement, count, broken, &outcome);
        outcome_finish(&outcome);
    }
    history_finish(&history);
    workload_unload(&workload);
    return result ? CANNOT : broken ? BREAKS : HOLDS;
}

static int run_scenario(const struct options *options, const struct scenario *scenario)
{
    char path[4096];
    struct site site;
    snprintf(path, sizeof path, "%s/%s", options->root, site_path[scenario->site]);
    if (site_load(&site, path, "", stderr))
        return CANNOT;
    int result = run_on(options, scenario, &site);
    if (result == CANNOT)
        printf("not ok %u %s: could not run\n", scenario->number, scenario->name);
    site_unload(&site);
    fflush(stdout);
    return result;
}

/* In a process of its own, with a rule off: its exit code. */
static int run_without(const struct options *options, const struct scenario *scenario, const char *rule,
                       const char *heat)
{
    char name[128];
    int status = 0;
    snprintf(name, sizeof name, "rule:%s", rule);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        setenv("FLYBALL_SWITCH", name, 1);
        setenv("FLYBALL_SWITCH_CPU_MS", "60000", 0);
        execl(options->program, options->program, "--root", options->root, "--child", "--only",
              scenario->name, heat ? "--still" : options->figures ? "--figures" : NULL, heat, NULL);
        _exit(CANNOT);
    }
    if (child < 0 || waitpid(child, &status, 0) < 0)
        return CANNOT;
    return WIFEXITED(status) ? WEXITSTATUS(status) : CANNOT;
}

static const char *why_not(int result)
{
    return result == HOLDS ? "holds all the same" :
           result == UNKNOWN_RULE ? "this build cannot switch it" : "could not run";
}

/* What it breaks then is to be broken for the rule, not because nothing strikes. */
static int run_still(const struct options *options, const struct scenario *scenario, const char *rule)
{
    struct options look = *options;
    double seen = 0;
    char heat[32];
    look.still = true;
    look.seen = &seen;
    run_scenario(&look, scenario);
    snprintf(heat, sizeof heat, "%.4f", seen + 0.005);
    return run_without(options, scenario, rule, heat);
}

static bool fails_without(const struct options *options, const struct scenario *scenario)
{
    const char *rule = options->rule ? options->rule : scenario->rule;
    /* this very build keeps the bounds while nothing is off: what it breaks, it breaks for the rule */
    int result = run_scenario(options, scenario);
    if (result != HOLDS)
        return false;
    result = run_without(options, scenario, rule, NULL);
    if (result != BREAKS) {
        printf("not ok %u %s without its rule %s: %s\n", scenario->number, scenario->name, rule,
               why_not(result));
        return false;
    }
    if (!scenario->anyway && run_still(options, scenario, rule) != HOLDS) {
        printf("not ok %u %s breaks a bound without its rule %s though nothing strikes\n", scenario->number,
               scenario->name, rule);
        return false;
    }
    printf("ok %u %s breaks a bound without its rule %s%s%s\n", scenario->number, scenario->name, rule,
           scenario->anyway ? "; with nothing to strike it may, too: " : ", and none where nothing strikes",
           scenario->anyway ? scenario->anyway : "");
    return true;
}

static int parse(int argc, char **argv, struct options *options)
{
    options->program = argv[0];
    for (int i = 1; i < argc; i++) {
        const char **place = !strcmp(argv[i], "--root") ? &options->root :
            !strcmp(argv[i], "--only") ? &options->only : !strcmp(argv[i], "--rule") ? &options->rule : NULL;
        if (!strcmp(argv[i], "--rules-off"))
            options->rules_off = true;
        else if (!strcmp(argv[i], "--figures"))
            options->figures = true;
        else if (!strcmp(argv[i], "--child"))
            options->child = true;
        else if (!strcmp(argv[i], "--still") && i + 1 < argc)
            options->still = (options->heat = argv[++i]) != NULL;
        else if (place && i + 1 < argc)
            *place = argv[++i];
        else
            return -1;
    }
    return options->root ? 0 : -1;
}

int main(int argc, char **argv)
{
    struct options options = {0};
    uint32_t passed = 0, failed = 0;
    int worst = HOLDS;
    if (parse(argc, argv, &options)) {
        fputs("usage: scenarios --root DIR [--rules-off] [--only NAME] [--rule ID] [--figures]\n", stderr);
        return CANNOT;
    }
    for (uint32_t i = 0; i < scenario_count(); i++) {
        const struct scenario *scenario = scenario_at(i);
        if (options.only && scenario_find(options.only) != scenario)
            continue;
        int result = options.rules_off || options.rule ? (fails_without(&options, scenario) ? HOLDS : BREAKS)
                                                       : run_scenario(&options, scenario);
        worst = result > worst ? result : worst;
        passed += result == HOLDS;
        failed += result != HOLDS;
    }
    if (!options.child)
        printf("%u passed, %u failed\n", passed, failed);
    return passed + failed == 0 ? CANNOT : worst;
}
