/* SPDX-License-Identifier: Apache-2.0 */
/* flyball plant: plays the electrical side of a site, in virtual time or on the network. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "sim/amount.h"
#include "sim/baseline.h"
#include "sim/live.h"
#include "sim/virtual.h"
#include "site/site.h"

struct options {
    const char *site, *server, *workload, *json;
    enum plant_mode mode;
    int64_t duration_ns;            /* 0: as the workload says */
    double loss;
    uint64_t seed;                  /* 0: as the workload says */
    struct live_config live;
};

static int bad_value(const char *name, const char *value, const char *wanted)
{
    fprintf(stderr, "flyball plant: %s '%s' is not %s\n", name, value, wanted);
    return CLI_USAGE;
}

static int parse_mode(struct options *options, const char *value)
{
    for (int mode = 0; mode < PLANT_MODE_COUNT; mode++) {
        if (strcmp(plant_mode_name((enum plant_mode)mode), value))
            continue;
        options->mode = (enum plant_mode)mode;
        return CLI_OK;
    }
    return bad_value("--mode", value, "ungoverned, derated, static, oracle, virtual or governed");
}

static int parse_seed(struct options *options, const char *value)
{
    char *end;
    options->seed = strtoull(value, &end, 10);
    return *value && !*end ? CLI_OK : bad_value("--seed", value, "a whole number");
}

static int parse_duration(struct options *options, const char *value)
{
    bool good = amount_time(value, &options->duration_ns) && options->duration_ns > 0;
    return good ? CLI_OK : bad_value("--duration", value, "a time such as 30s");
}

static int parse_loss(struct options *options, const char *value)
{
    bool good = amount_share(value, &options->loss) && options->loss >= 0 && options->loss <= 1;
    return good ? CLI_OK : bad_value("--loss", value, "a share such as 1%");
}

static int parse_option(struct options *options, const char *name, const char *value)
{
    const struct { const char *name; const char **place; } text[] = {
        {"--server", &options->server}, {"--workload", &options->workload}, {"--json", &options->json},
        {"--meters-netns", &options->live.meters_netns}, {"--hosts-netns", &options->live.hosts_netns},
        {"--keys", &options->live.keys},
    };
    for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++) {
        if (strcmp(text[i].name, name))
            continue;
        *text[i].place = value;
        return CLI_OK;
    }
    if (!strcmp(name, "--mode"))
        return parse_mode(options, value);
    if (!strcmp(name, "--duration"))
        return parse_duration(options, value);
    if (!strcmp(name, "--loss"))
        return parse_loss(options, value);
    if (!strcmp(name, "--seed"))
        return parse_seed(options, value);
    fprintf(stderr, "flyball plant: no option '%s'; see `flyball plant --help`\n", name);
    return CLI_USAGE;
}

static int parse(int argc, char **argv, struct options *options)
{
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "--", 2)) {
            if (options->site)
                return bad_value("argument", argv[i], "expected: one SITE only");
            options->site = argv[i];
            continue;
        }
        if (i + 1 == argc) {
            fprintf(stderr, "flyball plant: '%s' wants a value\n", argv[i]);
            return CLI_USAGE;
        }
        int result = parse_option(options, argv[i], argv[i + 1]);
        if (result)
            return result;
        i++;
    }
    if (options->site && options->workload)
        return CLI_OK;
    fputs("flyball plant: a SITE and --workload FILE are needed; see `flyball plant --help`\n", stderr);
    return CLI_USAGE;
}

static int play(const struct options *options, const struct site *site, const struct workload *workload,
                struct outcome *outcome)
{
    struct virtual_config closed = {.duration_ns = workload->duration_ns, .loss = options->loss, .epoch = 1};
    struct live_config live = options->live;
    char why[200] = "";
    int result;
    if (options->mode == PLANT_VIRTUAL) {
        result = virtual_run(&site->model, workload, &closed, outcome);
    } else if (options->mode == PLANT_GOVERNED) {
        live.duration_ns = workload->duration_ns;
        live.loss = options->loss;
        live.events = options->json && !strcmp(options->json, "-") ? stderr : stdout;
        result = live_run(site, workload, &live, outcome, why, sizeof(why));
    } else {
        result = baseline_run(&site->model, workload, options->mode, workload->duration_ns, outcome);
    }
    if (!result)
        return CLI_OK;
    fprintf(stderr, "flyball plant: %s%s%s\n", why, *why ? ": " : "", strerror(-result));
    return CLI_CONNECT;
}

static int show(const struct options *options, const struct site *site, const struct workload *workload,
                const struct outcome *outcome)
{
    bool to_stdout = options->json && !strcmp(options->json, "-");
    outcome_print(outcome, &site->model, workload, to_stdout ? stderr : stdout);
    if (!options->json)
        return CLI_OK;
    FILE *out = to_stdout ? stdout : fopen(options->json, "we");
    if (!out) {
        fprintf(stderr, "flyball plant: %s: %s\n", options->json, strerror(errno));
        return CLI_CONNECT;
    }
    outcome_json(outcome, &site->model, workload, out);
    fputc('\n', out);
    bool failed = ferror(out) || (!to_stdout && fclose(out));
    return failed ? CLI_CONNECT : CLI_OK;
}

static int run_site(const struct options *options, const struct site *site)
{
    struct workload workload;
    struct outcome outcome;
    int result = workload_load(&workload, options->workload, &site->model, stderr);
    if (result)
        return result == -EINVAL ? CLI_CONFIG : CLI_CONNECT;
    if (options->duration_ns)
        workload.duration_ns = options->duration_ns;
    if (options->seed)
        workload.seed = options->seed;
    workload.breakers.device = site->device;
    workload.breakers.equipment = site->equipment;
    result = play(options, site, &workload, &outcome);
    if (!result) {
        result = show(options, site, &workload, &outcome);
        outcome_finish(&outcome);
    }
    workload_unload(&workload);
    return result;
}

static int plant(int argc, char **argv)
{
    struct options options = {.mode = PLANT_UNGOVERNED};
    struct site site;
    int result = parse(argc, argv, &options);
    if (result)
        return result;
    result = site_load_unmeasured(&site, options.site, options.server, stderr);
    if (result)
        return result == -EINVAL ? CLI_CONFIG : CLI_CONNECT;
    result = run_site(&options, &site);
    site_unload(&site);
    return result;
}

const struct cli_verb cli_plant = {
    .name = "plant",
    .arguments = "SITE --workload FILE [--mode MODE] [--duration 30s] [--seed N] [--loss 1%] [--json FILE|-]",
    .summary = "play the electrical side of a site: hosts, wires, breakers, meters",
    .help =
        "  --workload FILE       what the hosts want to draw, and how breakers and hardware answer\n"
        "  --mode MODE           one of, all on the same demand:\n"
        "                          ungoverned  no caps at all (the default)\n"
        "                          derated     as many hosts as fit with 0.65 of every rating, uncapped\n"
        "                          static      the best fixed caps that are safe without a controller\n"
        "                          oracle      instant caps that know the future: the bound of what is safe\n"
        "                          virtual     the controller's own pipeline, in virtual time\n"
        "                          governed    in real time, on the network, against a running flyballd\n"
        "  --duration TIME       instead of the workload's own\n"
        "  --seed N              instead of the workload's own\n"
        "  --loss SHARE          of datagrams, both ways (virtual and governed)\n"
        "  --meters-netns NAME   governed: the namespace that meters speak from\n"
        "  --hosts-netns NAME    governed: the namespace that hosts speak from, with all their addresses\n"
        "  --keys FILE           governed: key file of all hosts and meters, where the site asks for tags\n"
        "  --server NAME         row of the site's `servers:` to speak to\n"
        "  --json FILE|-         the outcome as one JSON object; with `-` the words go to standard error\n",
    .run = plant,
};
