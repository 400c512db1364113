/* SPDX-License-Identifier: Apache-2.0 */
/* flyball maintenance: a node is taken out under load, and put back. */
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/cli.h"
#include "cli/door_client.h"
#include "cli/order/order_ask.h"
#include "cli/order/order_print.h"

enum { LOOK_MS = 200, LINE_BYTES = 512 };

struct arguments {
    const char *door, *site, *act, *node;
    bool no_wait;
};

static int usage(const char *text)
{
    fprintf(stderr, "flyball maintenance: %s; see flyball maintenance --help\n", text);
    return CLI_USAGE;
}

static const json_t *find(const json_t *orders, const char *node)
{
    size_t i;
    const json_t *item;
    json_array_foreach(json_object_get(orders, "maintenance"), i, item)
        if (!strcmp(json_string_value(json_object_get(item, "node")), node))
            return item;
    return NULL;
}

static bool is_safe(const json_t *item)
{
    const char *state = json_string_value(json_object_get(item, "state"));
    return state && !strcmp(state, "safe");
}

static int print_status(const char *door, const char *node)
{
    json_t *orders = order_list("maintenance", door);
    if (!orders)
        return CLI_CONNECT;
    size_t i, shown = 0;
    const json_t *item;
    bool safe = true;
    json_array_foreach(json_object_get(orders, "maintenance"), i, item) {
        if (node && strcmp(json_string_value(json_object_get(item, "node")), node))
            continue;
        order_print_maintenance(stdout, item);
        safe &= is_safe(item);
        shown++;
    }
    if (!shown)
        puts(node ? "it is not being taken out" : "nothing is being taken out");
    json_decref(orders);
    return safe ? CLI_OK : CLI_ALARM;
}

/* What stands against it is printed when it has changed. */
static void print_news(const json_t *item, char before[LINE_BYTES])
{
    char line[LINE_BYTES] = "";
    FILE *out = fmemopen(line, sizeof line, "w");
    if (!out)
        return;
    order_print_maintenance(out, item);
    fclose(out);
    if (!strcmp(line, before))
        return;
    strcpy(before, line);
    fputs(line, stdout);
    fflush(stdout);
}

static bool interrupted(const sigset_t *stop)
{
    const struct timespec rest = {.tv_nsec = LOOK_MS * 1000000L};
    return sigtimedwait(stop, NULL, &rest) > 0;
}

static int wait_until_safe(const struct arguments *arguments, const char *door, const sigset_t *stop)
{
    char before[LINE_BYTES] = "";
    while (!interrupted(stop)) {
        json_t *orders = order_list("maintenance", door);
        const json_t *item = orders ? find(orders, arguments->node) : NULL;
        bool safe = item && is_safe(item), gone = orders && !item;
        if (item)
            print_news(item, before);
        json_decref(orders);
        if (safe)
            return CLI_OK;
        if (gone)
            fprintf(stderr, "flyball maintenance: %s was put back meanwhile\n", arguments->node);
        if (gone || !orders)
            return gone ? CLI_ALARM : CLI_CONNECT;
    }
    fprintf(stderr, "\nflyball maintenance: the order stays in force: %s is still being taken out. "
            "`status` shows it, `put-back %s` ends it\n", arguments->node, arguments->node);
    return CLI_ALARM;
}

static int give(const struct arguments *arguments, const char *door, const char *kind)
{
    char request[ORDER_REQUEST_BYTES];
    if (strpbrk(arguments->node, "\t\n") || strlen(arguments->node) > 100)
        return usage("that is no name of a node");
    snprintf(request, sizeof request, "order\t%s\tnode=%s", kind, arguments->node);
    return order_give("maintenance", door, request);
}

static int take_out(const struct arguments *arguments, const char *door)
{
    sigset_t stop;
    sigemptyset(&stop);
    sigaddset(&stop, SIGINT);
    sigaddset(&stop, SIGTERM);
    sigprocmask(SIG_BLOCK, &stop, NULL);
    int result = give(arguments, door, "take_out");
    if (result == CLI_REFUSED)
        fprintf(stderr, "flyball maintenance: a node that is taken out is one whose loss is declared in "
                "redundancy:, or lies below one\n");
    if (result || arguments->no_wait)
        return result;
    return wait_until_safe(arguments, door, &stop);
}

static int parse(int argc, char **argv, struct arguments *arguments)
{
    static const struct option options[] = {
        {"door", required_argument, NULL, 'd'}, {"no-wait", no_argument, NULL, 'n'}, {NULL, 0, NULL, 0}};
    int option;
    optind = 1;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == '?')
            return CLI_USAGE;
        if (option == 'd')
            arguments->door = optarg;
        else
            arguments->no_wait = true;
    }
    int first = optind + (arguments->door ? 0 : 1);
    if (first >= argc)
        return usage("give the site file or --door PATH, and take-out, put-back or status");
    arguments->site = arguments->door ? NULL : argv[optind];
    arguments->act = argv[first];
    arguments->node = argc > first + 1 ? argv[first + 1] : NULL;
    bool status = !strcmp(arguments->act, "status"), out = !strcmp(arguments->act, "take-out");
    if (argc > first + 2 || (!status && !arguments->node) || (arguments->no_wait && !out))
        return usage("too many words, or too few");
    return status || out || !strcmp(arguments->act, "put-back") ? CLI_OK
                                                                : usage("take-out, put-back or status?");
}

static int run_maintenance(int argc, char **argv)
{
    struct arguments arguments = {0};
    char door[DOOR_CLIENT_PATH_BYTES];
    int result = parse(argc, argv, &arguments);
    if (!result)
        result = door_client_find("maintenance", arguments.site, arguments.door, door);
    if (result)
        return result;
    if (!strcmp(arguments.act, "status"))
        return print_status(door, arguments.node);
    return !strcmp(arguments.act, "take-out") ? take_out(&arguments, door)
                                              : give(&arguments, door, "put_back");
}

const struct cli_verb cli_maintenance = {
    .name = "maintenance",
    .arguments = "SITE | --door PATH  take-out NODE [--no-wait] | put-back NODE | status [NODE]",
    .summary = "take a node out under load: leases are lowered, then it is safe to transfer",
    .help =
        "take-out  leases fall to what every survivor of the loss of NODE may carry for good; waits for the\n"
        "          receipts, tells what stands against it, and prints SAFE TO TRANSFER. Ctrl-C leaves the\n"
        "          order in force. With --no-wait it comes back at once.\n"
        "put-back  ends it: what may be lent on that loss is lent again.\n"
        "status    what is being taken out, and whether it is safe.\n"
        "NODE is one whose loss is declared in redundancy:, or lies below one.\n"
        "Exit code: 0 safe (take-out, status) or taken, 1 not safe, 2 usage, 3 no daemon answers, 5 "
        "refused.\n",
    .run = run_maintenance,
};
