/* SPDX-License-Identifier: Apache-2.0 */
/* flyball why: asks the daemon's door which reading, which limit and which rule led to a cap. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/door_client.h"
#include "cli/status/status.h"
#include "cli/why/why.h"
#include "site/read/suggest.h"

enum { REQUEST_BYTES = 128 };

struct arguments {
    const char *door, *site, *name;
    bool as_json;
};

static void offer_all(struct suggest *suggest, json_t *list, const char *key)
{
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item) {
        const char *name = json_string_value(key ? json_object_get(item, key) : item);
        if (name)
            suggest_offer(suggest, name);
    }
}

/* Names are the daemon's own: the site file may have changed since it started. */
static void say_unknown(const char *door, const char *name)
{
    struct suggest suggest;
    json_t *names = door_client_ask(door, "names");
    suggest_start(&suggest, name);
    offer_all(&suggest, json_object_get(names, "hosts"), NULL);
    offer_all(&suggest, json_object_get(names, "nodes"), "id");
    fprintf(stderr, "flyball why: the daemon knows neither a host nor a node '%s'%s%s%s\n", name,
            suggest.best ? "; did you mean '" : "", suggest.best ? suggest.best : "",
            suggest.best ? "'?" : "");
    json_decref(names);
}

static int show(const char *door, const struct arguments *arguments)
{
    char request[REQUEST_BYTES];
    if (snprintf(request, sizeof request, "why %s", arguments->name) >= (int)sizeof request) {
        fprintf(stderr, "flyball why: no name is that long\n");
        return CLI_USAGE;
    }
    json_t *document;
    char *text = door_client_told("why", door, request, &document);
    if (!text)
        return CLI_CONNECT;
    int result = CLI_OK;
    if (json_object_get(document, "error")) {
        say_unknown(door, arguments->name);
        result = CLI_USAGE;
    } else if (arguments->as_json) {
        fputs(text, stdout);
    } else {
        why_print(stdout, document);
    }
    json_decref(document);
    free(text);
    return result;
}

static int run_why(int argc, char **argv)
{
    static const struct option options[] = {
        {"door", required_argument, NULL, 'd'}, {"json", no_argument, NULL, 'j'}, {NULL, 0, NULL, 0}};
    struct arguments arguments = {0};
    int option;
    optind = 1;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'd')
            arguments.door = optarg;
        else if (option == 'j')
            arguments.as_json = true;
        else
            return CLI_USAGE;
    }
    int wanted = arguments.door ? 1 : 2;
    if (argc - optind != wanted) {
        fprintf(stderr, "flyball why: give the site file or --door PATH, then one host or node\n");
        return CLI_USAGE;
    }
    arguments.site = arguments.door ? NULL : argv[optind];
    arguments.name = argv[argc - 1];
    char door[DOOR_CLIENT_PATH_BYTES];
    int result = door_client_find("why", arguments.site, arguments.door, door);
    return result ? result : show(door, &arguments);
}

const struct cli_verb cli_why = {
    .name = "why",
    .arguments = "SITE | --door PATH HOST|NODE [--json]",
    .summary = "why a host has its cap or a node its limit, and what would raise it",
    .help =
        "SITE is the site file the daemon runs with: its row of servers: names the door. --door PATH asks "
        "that socket.\n"
        "Of a host: its newest lease, the input that gave it that cap, which term holds it down, where, "
        "and the\n"
        "nodes above it. Of a node: its limits and what makes them, what is leased and may flow, and who "
        "holds most.\n"
        "--json prints the daemon's answer as it is.\n"
        "Exit code: 0 answered, 2 no such host or node, 3 no daemon answers.\n",
    .run = run_why,
};
