/* SPDX-License-Identifier: Apache-2.0 */
/* flyball clock: asks the daemon's door how well it knows the time, and how meters' clocks stand to it. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/clock/clock_print.h"
#include "cli/door_client.h"

struct arguments {
    const char *door, *site;
    bool as_json;
};

static int parse(int argc, char **argv, struct arguments *arguments)
{
    static const struct option options[] = {
        {"door", required_argument, NULL, 'd'}, {"json", no_argument, NULL, 'j'}, {NULL, 0, NULL, 0}};
    int option;
    optind = 1;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == '?')
            return CLI_USAGE;
        if (option == 'd')
            arguments->door = optarg;
        arguments->as_json |= option == 'j';
    }
    if (argc - optind > 1 || (argc - optind == 1) == (arguments->door != NULL)) {
        fprintf(stderr, "flyball clock: give either the site file or --door PATH\n");
        return CLI_USAGE;
    }
    arguments->site = argv[optind];
    return CLI_OK;
}

static int show(const char *door, bool as_json)
{
    json_t *clock;
    char *text = door_client_told("clock", door, "clock", &clock);
    if (!text)
        return CLI_CONNECT;
    bool known = json_object_get(clock, "error") == NULL || json_object_get(clock, "state");
    int result = CLI_CONNECT;
    if (!known)
        fprintf(stderr, "flyball clock: %s: the flyballd there knows nothing of clocks\n", door);
    else if (as_json)
        fputs(text, stdout);
    else
        clock_print(stdout, clock);
    if (known)
        result = clock_is_well(clock) ? CLI_OK : CLI_ALARM;
    json_decref(clock);
    free(text);
    return result;
}

static int run_clock(int argc, char **argv)
{
    struct arguments arguments = {0};
    int result = parse(argc, argv, &arguments);
    if (result)
        return result;
    char door[DOOR_CLIENT_PATH_BYTES];
    result = door_client_find("clock", arguments.site, arguments.door, door);
    return result ? result : show(door, arguments.as_json);
}

const struct cli_verb cli_clock = {
    .name = "clock",
    .arguments = "SITE | --door PATH [--json]",
    .summary = "how well a running flyballd knows the time: source, state, uncertainty, grandmaster, steps, "
               "and how each meter's clock stands to it",
    .help =
        "SITE is the site file the daemon runs with. --door PATH asks that socket. Any local user may "
        "ask.\n"
        "No cap is raised by the time; a meter whose clock drifts loses its permit. A meter's offset is low "
        "by the quickest way here: that cannot be told apart.\n"
        "--json prints the daemon's answer as it is.\n"
        "Exit code: 0 locked and no meter off or doubted, 1 not so, 3 no daemon answers.\n",
    .run = run_clock,
};
