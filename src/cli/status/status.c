/* SPDX-License-Identifier: Apache-2.0 */
/* flyball status: asks the daemon's door, says the verdict first. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/door_client.h"
#include "cli/status/status.h"

enum { PAGE_COLUMNS = 100 };

struct arguments {
    const char *door, *site;
    bool as_json, all;
    uint32_t parts;
};

static int show(const char *door, const struct arguments *arguments)
{
    json_t *status;
    char *text = door_client_told("status", door, "status", &status);
    if (!text)
        return CLI_CONNECT;
    struct status_choice choice = {.parts = arguments->parts ? arguments->parts : STATUS_EVERYTHING,
                                   .whole = arguments->parts || arguments->all,
                                   .zeros = arguments->all,
                                   .columns = PAGE_COLUMNS};
    if (arguments->as_json)
        fputs(text, stdout);
    else
        status_print(stdout, status, &choice);
    int result = strcmp(status_word(status, "verdict"), "alarm") ? CLI_OK : CLI_ALARM;
    json_decref(status);
    free(text);
    return result;
}

static int parse(int argc, char **argv, struct arguments *arguments)
{
    static const struct option options[] = {
        {"door", required_argument, NULL, 'd'},  {"json", no_argument, NULL, 'j'},
        {"all", no_argument, NULL, 'a'},         {"nodes", no_argument, NULL, STATUS_NODES},
        {"meters", no_argument, NULL, STATUS_METERS}, {"hosts", no_argument, NULL, STATUS_HOSTS},
        {"stages", no_argument, NULL, STATUS_STAGES}, {"counters", no_argument, NULL, STATUS_COUNTERS},
        {"budget", no_argument, NULL, STATUS_BUDGET},
        {"degraded", no_argument, NULL, STATUS_DEGRADED}, {"alerts", no_argument, NULL, STATUS_ALERTS},
        {NULL, 0, NULL, 0}};
    int option;
    optind = 1;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'd')
            arguments->door = optarg;
        else if (option == 'j')
            arguments->as_json = true;
        else if (option == 'a')
            arguments->all = true;
        else if (option == '?')
            return CLI_USAGE;
        else
            arguments->parts |= (uint32_t)option;
    }
    if (argc - optind > 1 || (argc - optind == 1) == (arguments->door != NULL)) {
        fprintf(stderr, "flyball status: give either the site file or --door PATH\n");
        return CLI_USAGE;
    }
    if (arguments->as_json && (arguments->all || arguments->parts)) {
        fprintf(stderr, "flyball status: --json is the whole answer: it goes with no selection\n");
        return CLI_USAGE;
    }
    arguments->site = argv[optind];
    return CLI_OK;
}

static int run_status(int argc, char **argv)
{
    struct arguments arguments = {0};
    int result = parse(argc, argv, &arguments);
    if (result)
        return result;
    char door[DOOR_CLIENT_PATH_BYTES];
    result = door_client_find("status", arguments.site, arguments.door, door);
    return result ? result : show(door, &arguments);
}

const struct cli_verb cli_status = {
    .name = "status",
    .arguments =
        "SITE | --door PATH [--degraded] [--alerts] [--nodes] [--meters] [--hosts] [--stages] [--budget] "
        "[--counters] [--all] [--json]",
    .summary = "is all well? verdict, what is degraded, alerts, nodes, meters, hosts, latencies, counters "
               "of a running flyballd",
    .help = "SITE is the site file the daemon runs with: its row of servers: names the door. --door PATH "
            "asks that socket. Any local user may ask.\n"
            "Without a selection everything fits a page: the worst rows of each part, and counters that "
            "should not move.\n"
            "--degraded --alerts --nodes --meters --hosts --stages --budget --counters print every row "
            "of these parts, --all every row of all parts\n"
            "and the counters that are zero. --json prints the daemon's answer as it is.\n"
            "Exit code: 0 ok or starting, 1 alarm, 3 no daemon answers.\n",
    .run = run_status,
};
