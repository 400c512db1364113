/* SPDX-License-Identifier: Apache-2.0 */
/* flyball check: is this site file right, and what follows from it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/check/check.h"
#include "cli/cli.h"

const char *const check_kind_names[NODE_KIND_COUNT] = {
    "source", "main",        "distribution", "branch", "rack",
    "ups",    "transformer", "generator",    "bypass", "busway",
};
const char *const check_term_names[] = {
    "long-time setting", "fast edge of pickup", "definite stage", "conductor",
    "transformer",       "UPS kVA",             "UPS kW",         "source state",
    "no device",
};
const char *const check_gear_names[GEAR_KIND_COUNT] = {"controller", "switch", "ptp"};

double check_percent(int64_t ppm)
{
    return (double)((ppm + 999) / 1000) / 10;
}

static int parse(int argc, char **argv, struct check_options *o)
{
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--json"))
            o->json = true;
        else if (!strcmp(argv[i], "--all"))
            o->all = true;
        else if (!strcmp(argv[i], "--server") && i + 1 < argc)
            o->server = argv[++i];
        else if (!strcmp(argv[i], "--plot") && i + 1 < argc)
            o->plot = argv[++i];
        else if (!strcmp(argv[i], "--report") && i + 1 < argc)
            o->report = argv[++i];
        else if (!strcmp(argv[i], "--server"))
            return fprintf(stderr, "flyball check: --server wants a name\n"), -EINVAL;
        else if (!strcmp(argv[i], "--plot"))
            return fprintf(stderr, "flyball check: --plot wants a directory\n"), -EINVAL;
        else if (!strcmp(argv[i], "--report"))
            return fprintf(stderr, "flyball check: --report wants a file\n"), -EINVAL;
        else if (argv[i][0] == '-')
            return fprintf(stderr, "flyball check: there is no option '%s'\n", argv[i]), -EINVAL;
        else if (o->site)
            return fprintf(stderr, "flyball check: '%s' is one site file too many\n", argv[i]), -EINVAL;
        else
            o->site = argv[i];
    }
    return o->site ? 0 : (fprintf(stderr, "flyball check: a SITE is needed\n"), -EINVAL);
}

static int load(struct check *check)
{
    const struct check_options *o = &check->options;
    char *report = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&report, &bytes);

    if (!out)
        return -ENOMEM;
    int rc = site_load(&check->site, o->site, o->server ? o->server : "", out);

    if (!rc && check_drivers(check, out)) {
        site_unload(&check->site);
        rc = -EINVAL;
    }
    fclose(out);
    if (rc)
        fputs(report, stderr);
    if (rc && o->json)
        check_json_refusal(o, report);
    free(report);
    return rc;
}

static int warn(struct check *check)
{
    size_t bytes = 0;
    FILE *out = open_memstream(&check->warnings, &bytes);

    if (!out)
        return -ENOMEM;
    fputs(check->site.warnings, out);
    coordination_warn(&check->coordination, &check->site, check->options.site, out);
    return fclose(out) ? -ENOMEM : 0;
}

static int tell(struct check *check)
{
    int rc = figures_open(&check->figures, &check->site);

    if (!rc)
        rc = coordination_open(&check->coordination, &check->site, &check->figures);
    if (!rc)
        rc = warn(check);
    if (!rc)
        rc = check_machine_look(check);
    if (!rc && check->options.json)
        check_json(check);
    else if (!rc)
        rc = check_text(check);
    if (!rc && (check->options.plot || check->options.report))
        rc = check_study(check);
    free(check->warnings);
    coordination_close(&check->coordination);
    figures_close(&check->figures);
    return rc;
}

static int run(int argc, char **argv)
{
    struct check *check = calloc(1, sizeof *check);
    int code = CLI_CONNECT;

    if (!check)
        return CLI_CONNECT;
    if (parse(argc, argv, &check->options)) {
        fprintf(stderr,
                "usage: flyball check SITE [--json] [--all] [--server NAME] [--plot DIR] [--report FILE]\n");
        free(check);
        return CLI_USAGE;
    }
    int rc = load(check);

    if (rc) {
        code = rc == -EINVAL ? CLI_CONFIG : CLI_CONNECT;
    } else {
        if (!tell(check))
            code = CLI_OK;
        site_unload(&check->site);
    }
    free(check);
    return code;
}

const struct cli_verb cli_check = {
    .name = "check",
    .arguments = "SITE [--json] [--all] [--server NAME] [--plot DIR] [--report FILE]",
    .summary = "is this site file right, and what follows from it: limits, losses, memory",
    .help =
        "Reads SITE (a site.yaml), checks it whole and prints what the governor would work with: what each\n"
        "declared loss takes away and does to every node, the hosts that go dark, the current each node may\n"
        "carry for long, its hosts' load by phase, which rule binds and what would relax it; which devices\n"
        "are selective, how many hosts a node carries static and leased, how a dark site starts; and the\n"
        "memory and cores that this machine's row of servers takes. Changes nothing, needs no daemon.\n\n"
        "  --json         everything, as one JSON object; powers in mW, currents in mA, loads in mVA\n"
        "  --all          every node in every table: of a large hall only the fullest are shown\n"
        "  --server NAME  check the row NAME of servers:, not the one that fits this machine's host name\n"
        "  --plot DIR     time-current curves as SVG, a sheet per different chain of devices, into DIR\n"
        "  --report FILE  one HTML document with every setpoint, assumption, source and figure, to sign\n\n"
        "Errors stand on stderr, sorted by place, as\n"
        "  SITE:LINE:COLUMN: error: what is wrong, what would be right\n\n"
        "A limit is the least of: 0.8 of the long-time setting (1.0 where the device is `rated: 100%`),\n"
        "0.95 of the fast edge of its pickup at `ambient`, 0.95 of the fast edge of `short_time` and\n"
        "`instantaneous`, and `conductor`, `transformer`, `ups` and the weakest of `states` where given.\n"
        "With every host at its fail-safe cap, k hosts disobeying and `other` load at its bound, no node\n"
        "may pass it, nor after any loss listed in `redundancy`. A host with too few power supplies left\n"
        "still counts there.\n\n"
        "Exit: 0 ok, 2 usage, 3 a file cannot be read or written, 4 the site has errors.\n",
    .run = run,
};
