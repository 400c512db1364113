/* SPDX-License-Identifier: Apache-2.0 */
/* flyball order: contracts, mode and forecasts, given to a running daemon. */
#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/door_client.h"
#include "cli/order/order_ask.h"
#include "cli/order/order_print.h"
#include "site/read/quantity.h"

struct arguments {
    const char *door, *within, *lasts, *name, *down;
    bool as_json;
    int words;
    char **word;                /* what is no option, the site file taken off */
};

struct request {
    char text[ORDER_REQUEST_BYTES];
    size_t used;
    bool bad;
};

static int usage(const char *text)
{
    fprintf(stderr, "flyball order: %s; see flyball order --help\n", text);
    return CLI_USAGE;
}

static void add(struct request *request, const char *key, const char *value)
{
    size_t room = sizeof request->text - request->used;
    int wrote = snprintf(request->text + request->used, room, "\t%s=%s", key, value);
    if (strpbrk(value, "\t\n") || wrote < 0 || (size_t)wrote >= room) {
        fprintf(stderr, "flyball order: '%.60s' is no name\n", value);
        request->bad = true;
        return;
    }
    request->used += (size_t)wrote;
}

static void add_quantity(struct request *request, const char *key, enum quantity what, const char *text,
                         int64_t scale)
{
    int64_t value;
    char number[24];
    if (!text)
        return;
    if (quantity_parse(what, text, &value) || value < 0 || value > INT64_MAX / scale) {
        fprintf(stderr, "flyball order: '%s' is not %s (%s)\n", text, quantity_noun(what),
                quantity_units(what));
        request->bad = true;
        return;
    }
    snprintf(number, sizeof number, "%lld", (long long)(value * scale));
    add(request, key, number);
}

static void add_times(struct request *request, const struct arguments *arguments)
{
    add_quantity(request, "within_ns", QUANTITY_TIME, arguments->within, 1);
    add_quantity(request, "for_ns", QUANTITY_TIME, arguments->lasts, 1);
}

/* W/s on the command line, mW/s at the door. */
static void add_ramp(struct request *request, const struct arguments *arguments)
{
    add(request, "node", arguments->word[1]);
    add_quantity(request, "value_mw", QUANTITY_RAMP, arguments->word[2], 1000);
    add_quantity(request, "down_mw_per_s", QUANTITY_RAMP,
                 arguments->down ? arguments->down : arguments->word[2], 1000);
}

static void fill(struct request *request, const struct arguments *arguments)
{
    const char *kind = arguments->word[0];
    request->used = (size_t)snprintf(request->text, sizeof request->text, "order\t%.20s", kind);
    if (!strcmp(kind, "mode")) {
        add(request, "mode", arguments->word[1]);
    } else if (!strcmp(kind, "lift")) {
        add(request, "name", arguments->word[1]);
    } else if (!strcmp(kind, "ramp")) {
        add_ramp(request, arguments);
    } else {
        add(request, strcmp(kind, "forecast") ? "node" : "host", arguments->word[1]);
        add_quantity(request, "value_mw", QUANTITY_POWER, arguments->word[2], 1);
    }
    if (arguments->name)
        add(request, "name", arguments->name);
    add_times(request, arguments);
}

static int list(const char *door, bool as_json)
{
    json_t *orders = order_list("order", door);
    if (!orders)
        return CLI_CONNECT;
    bool breached = false;
    size_t i;
    const json_t *item;
    json_array_foreach(json_object_get(orders, "contracts"), i, item)
        breached |= json_is_true(json_object_get(item, "breached"));
    if (as_json) {
        json_dumpf(orders, stdout, JSON_INDENT(1));
        puts("");
    } else {
        order_print(stdout, orders);
    }
    json_decref(orders);
    return breached ? CLI_ALARM : CLI_OK;
}

static const struct kind { const char *name; int words; bool times, named; } kinds[] = {
    {"cap", 3, true, true}, {"ramp", 3, true, true}, {"lift", 2, false, false},
    {"mode", 2, false, false}, {"forecast", 3, true, false}, {"list", 1, false, false}};

static const struct kind *kind_of(const char *name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (!strcmp(kinds[i].name, name))
            return &kinds[i];
    return NULL;
}

static int check(const struct arguments *arguments)
{
    const struct kind *kind = arguments->words ? kind_of(arguments->word[0]) : NULL;
    if (!kind)
        return usage("one of cap, ramp, lift, mode, forecast and list is needed");
    if (arguments->words != kind->words)
        return usage("too many words, or too few");
    if ((!kind->times && (arguments->within || arguments->lasts)) || (!kind->named && arguments->name) ||
        (arguments->down && strcmp(kind->name, "ramp")) || (arguments->as_json && strcmp(kind->name, "list")))
        return usage("an option that this order does not take");
    return CLI_OK;
}

static int parse(int argc, char **argv, struct arguments *arguments, const char **site)
{
    static const struct option options[] = {
        {"door", required_argument, NULL, 'd'}, {"within", required_argument, NULL, 'w'},
        {"for", required_argument, NULL, 'f'},  {"name", required_argument, NULL, 'n'},
        {"down", required_argument, NULL, 'o'}, {"json", no_argument, NULL, 'j'},
        {NULL, 0, NULL, 0}};
    int option;
    optind = 1;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == '?')
            return CLI_USAGE;
        const char **into[] = {['d'] = &arguments->door,
                               ['w'] = &arguments->within,
                               ['f'] = &arguments->lasts,
                               ['n'] = &arguments->name,
                               ['o'] = &arguments->down};
        if (option == 'j')
            arguments->as_json = true;
        else
            *into[option] = optarg;
    }
    int first = optind + (arguments->door ? 0 : 1);
    *site = arguments->door ? NULL : argv[optind];
    if (first > argc)
        return usage("give either the site file or --door PATH");
    arguments->words = argc - first;
    arguments->word = argv + first;
    return check(arguments);
}

static int run_order(int argc, char **argv)
{
    struct arguments arguments = {0};
    struct request request = {0};
    char door[DOOR_CLIENT_PATH_BYTES];
    const char *site;
    int result = parse(argc, argv, &arguments, &site);
    if (result)
        return result;
    bool lists = !strcmp(arguments.word[0], "list");
    if (!lists)
        fill(&request, &arguments);
    if (request.bad)
        return CLI_USAGE;
    result = door_client_find("order", site, arguments.door, door);
    if (result)
        return result;
    return lists ? list(door, arguments.as_json) : order_give("order", door, request.text);
}

const struct cli_verb cli_order = {
    .name = "order",
    .arguments =
        "SITE | --door PATH  cap NODE[,NODE...]|site POWER [--within T] [--for T] [--name N] | ramp NODE "
        "RATE [--down "
        "RATE]\n       [--for T] [--name N] | lift NAME | mode MODE | forecast HOST POWER [--within T] "
        "[--for T] | list [--json]",
    .summary = "give a running flyballd contract limits, a mode, forecasts; list what is in force",
    .help =
        "cap       the load of NODE, three phases together, is at most POWER, reached --within (1s) and "
        "kept\n"
        "          --for (2h); without --for until it is lifted. Every host below is cut at once, fairly,\n"
        "          none below its floor. Of several NODEs, and of all without a parent (site), the sum is.\n"
        "ramp      the sum of caps below NODE rises by at most RATE (50kW/s) and falls by at most --down.\n"
        "lift      ends the contract of that name: what --name said, else its node.\n"
        "mode      off, shadow, advise or enforce, at most what the site file says.\n"
        "forecast  HOST is expected to want POWER from --within on, --for so long.\n"
        "list      what is in force.\n"
        "An order is on the disk before it takes effect, and is in force again after a restart. None "
        "loosens\n"
        "what the site file bounds. Root, the daemon's own user and members of order_group may give one; "
        "list is open to all.\n"
        "Exit code: 0 taken, 1 logged but not answered, or list shows a breach, 2 usage, 3 no daemon "
        "answers,\n"
        "5 refused.\n",
    .run = run_order,
};
