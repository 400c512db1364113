/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/sim/options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "sim/amount.h"

#define HOURS_MAX 10000.0

bool sim_keeps(const struct sim_options *options, uint32_t index)
{
    if (!options->keep_text)
        return true;
    for (uint32_t i = 0; i < options->keep_count; i++) {
        if (index >= options->keep[i].first && index <= options->keep[i].last)
            return true;
    }
    return false;
}

static int bad_value(const char *name, const char *value, const char *wanted)
{
    fprintf(stderr, "flyball sim: %s '%s' is not %s\n", name, value, wanted);
    return CLI_USAGE;
}

static int parse_level(struct sim_options *options, const char *value)
{
    for (int level = 0; level < LEVEL_COUNT; level++) {
        if (strcmp(history_level_name((enum fault_level)level), value))
            continue;
        options->level = (enum fault_level)level;
        return CLI_OK;
    }
    return bad_value("--faults", value, "none, some, many or hostile");
}

static int parse_seed(struct sim_options *options, const char *value)
{
    char *end;
    errno = 0;
    options->seed = strtoull(value, &end, 10);
    options->has_seed = true;
    bool good = *value >= '0' && *value <= '9' && !*end && !errno && options->seed <= INT64_MAX;
    return good ? CLI_OK : bad_value("--seed", value, "a whole number below 2^63");
}

static int parse_hours(struct sim_options *options, const char *value)
{
    bool good = amount_number(value, &options->hours) && options->hours > 0 && options->hours <= HOURS_MAX;
    return good ? CLI_OK : bad_value("--hours", value, "a number of hours, 10000 at most");
}

static int parse_time(const char *name, const char *value, int64_t *ns)
{
    bool good = amount_time(value, ns) && *ns > 0 && *ns <= (int64_t)(HOURS_MAX * 3600e9);
    return good ? CLI_OK : bad_value(name, value, "a time such as 30s");
}

static int parse_stagger(struct sim_options *options, const char *value)
{
    options->stagger_text = value;
    bool good = amount_time(value, &options->play.stagger_ns) && options->play.stagger_ns >= 0;
    return good ? CLI_OK : bad_value("--stagger", value, "a time such as 7s");
}

static int parse_scale(struct sim_options *options, const char *value)
{
    options->scale_text = value;
    return trace_scale_parse(&options->play, value) ? CLI_OK
        : bad_value("--scale", value, "a share of phys_max such as 95%, or a factor such as 12");
}

static int parse_scenario(struct sim_options *options, const char *value)
{
    options->scenario = scenario_find(value);
    return options->scenario ? CLI_OK : bad_value("--scenario", value, "one of those that --list shows");
}

static int parse_fault_option(struct sim_options *options, const char *value)
{
    if (options->fault_count == SIM_FAULTS_MAX) {
        fprintf(stderr, "flyball sim: more than %d times --fault\n", SIM_FAULTS_MAX);
        return CLI_USAGE;
    }
    options->fault[options->fault_count++] = value;
    return CLI_OK;
}

/* "3,17,40-45" */
static int parse_keep(struct sim_options *options, const char *value)
{
    const char *at = value;
    options->keep_text = value;
    if (!strcmp(value, "none"))
        return CLI_OK;
    while (options->keep_count < SIM_KEEP_MAX) {
        struct sim_range *range = &options->keep[options->keep_count];
        char *end;
        unsigned long first = strtoul(at, &end, 10), last = first;
        bool good = *at >= '0' && *at <= '9';
        if (good && *end == '-') {
            at = end + 1;
            last = strtoul(at, &end, 10);
            good = *at >= '0' && *at <= '9';
        }
        if (!good || last < first || last >= HISTORY_FAULTS_MAX || (*end && *end != ','))
            break;
        *range = (struct sim_range){(uint32_t)first, (uint32_t)last};
        options->keep_count++;
        if (!*end)
            return CLI_OK;
        at = end + 1;
    }
    return bad_value("--only", value, "a list of numbers such as 3,17,40-45, or none");
}

static int parse_option(struct sim_options *options, const char *name, const char *value)
{
    const struct { const char *name; const char **place; } text[] = {
        {"--server", &options->server}, {"--workload", &options->workload}, {"--json", &options->json},
        {"--trace", &options->trace},
    };
    for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++) {
        if (strcmp(text[i].name, name))
            continue;
        *text[i].place = value;
        return CLI_OK;
    }
    if (!strcmp(name, "--scenario"))
        return parse_scenario(options, value);
    if (!strcmp(name, "--faults"))
        return parse_level(options, value);
    if (!strcmp(name, "--seed"))
        return parse_seed(options, value);
    if (!strcmp(name, "--hours"))
        return parse_hours(options, value);
    if (!strcmp(name, "--fault"))
        return parse_fault_option(options, value);
    if (!strcmp(name, "--only"))
        return parse_keep(options, value);
    if (!strcmp(name, "--stagger"))
        return parse_stagger(options, value);
    if (!strcmp(name, "--scale"))
        return parse_scale(options, value);
    if (!strcmp(name, "--duration"))
        return parse_time(name, value, &options->duration_ns);
    if (!strcmp(name, "--until"))
        return parse_time(name, value, &options->until_ns);
    fprintf(stderr, "flyball sim: no option '%s'; see `flyball sim --help`\n", name);
    return CLI_USAGE;
}

/* Options without a value. */
static bool parse_flag(struct sim_options *options, const char *name)
{
    if (!strcmp(name, "--random"))
        return options->random = true;
    if (!strcmp(name, "--list"))
        return options->list = true;
    if (!strcmp(name, "--no-shrink"))
        return options->no_shrink = true;
    return false;
}

static int say(const char *what)
{
    fprintf(stderr, "flyball sim: %s; see `flyball sim --help`\n", what);
    return CLI_USAGE;
}

static int check_together(const struct sim_options *options, bool has_level)
{
    if (options->list)
        return CLI_OK;
    if (!options->site)
        return say("a SITE is needed");
    if (options->scenario && options->random)
        return say("--scenario and --random exclude each other");
    if (!options->scenario && !options->random && !options->fault_count && !options->trace)
        return say("one of --scenario, --random, --fault and --trace is needed");
    if (!options->trace && (options->stagger_text || options->scale_text))
        return say("--stagger and --scale belong to --trace");
    if (has_level && !options->random)
        return say("--faults belongs to --random");
    if (options->keep_text && !options->random && !options->scenario)
        return say("--only belongs to --random or --scenario");
    if (options->hours > 0 && options->duration_ns)
        return say("--hours and --duration exclude each other");
    return CLI_OK;
}

int sim_parse(int argc, char **argv, struct sim_options *options)
{
    bool has_level = false;
    memset(options, 0, sizeof *options);
    options->level = LEVEL_SOME;
    trace_scale_parse(&options->play, SIM_SCALE);
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "--", 2)) {
            if (options->site)
                return bad_value("argument", argv[i], "expected: one SITE only");
            options->site = argv[i];
            continue;
        }
        if (parse_flag(options, argv[i]))
            continue;
        if (i + 1 == argc) {
            fprintf(stderr, "flyball sim: '%s' wants a value\n", argv[i]);
            return CLI_USAGE;
        }
        has_level = has_level || !strcmp(argv[i], "--faults");
        int result = parse_option(options, argv[i], argv[i + 1]);
        if (result)
            return result;
        i++;
    }
    return check_together(options, has_level);
}
