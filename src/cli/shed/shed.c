/* SPDX-License-Identifier: Apache-2.0 */
/* flyball shed: takes the site's shed actions where fail-safe did not end an emergency; by hand, too. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/shed/shed_watch.h"
#include "loop/view_words.h"
#include "rt/clock.h"

struct arguments {
    const char *site, *server, *door, *state, *try_node, *restore_node;
    bool yes, list;
};

struct shed_verb {
    struct arguments arguments;
    struct site site;
    char door[sizeof(((struct site_server *)0)->door)], path[SHED_PATH_BYTES];
};

static int usage(const char *text)
{
    fprintf(stderr, "flyball shed: %s; see flyball shed --help\n", text);
    return CLI_USAGE;
}

/* What was shed can be restored also where the site file names no action there any more. */
static int find_node(const struct shed_verb *verb, const char *name, const struct shed_entry *known,
                     uint32_t *node)
{
    const struct model *model = &verb->site.model;
    for (*node = 0; *node < model->node_count; ++*node)
        if (!strcmp(model->node[*node].name, name))
            break;
    if (*node < model->node_count && (known || verb->site.shed_of[*node] != INDEX_NONE))
        return CLI_OK;
    fprintf(stderr, "flyball shed: %s '%s'%s; --list shows which nodes have one\n",
            *node < model->node_count ? "no shed action at node" : "no node", name,
            *node < model->node_count ? "" : " with a shed action");
    return CLI_USAGE;
}

static struct shed_now now_of(void)
{
    return (struct shed_now){clock_monotonic_ns(), time(NULL)};
}

static void print_command(const struct site_command *command)
{
    const char *word = command->text;
    for (uint32_t i = 0; i < command->count; i++, word += strlen(word) + 1)
        printf("%s%s", i ? " " : "", word);
    putchar('\n');
    fflush(stdout);
}

/* Here and now, below nobody. */
static bool run_here(const struct shed_told *told, char end[SHED_END_BYTES])
{
    const struct site_command *command = told->restore ? &told->action->restore : &told->action->command;
    char **environment = shed_environment(told);
    print_command(command);
    snprintf(end, SHED_END_BYTES, "out of memory");
    bool well = environment && shed_run(command, environment, told->action->timeout_ns, end);
    shed_environment_free(environment);
    printf("%s: %s\n", well ? "done" : "FAILED", end);
    return well;
}

static int rehearse(struct shed_verb *verb)
{
    char end[SHED_END_BYTES];
    uint32_t node;
    int result = find_node(verb, verb->arguments.try_node, NULL, &node);
    if (result)
        return result;
    const struct shed_told told = {.site = &verb->site, .node = node, .rehearsal = true, .tries = 1,
                                   .action = &verb->site.shed[verb->site.shed_of[node]], .measured_a = -1,
                                   .limit_a = -1};
    if (!verb->arguments.yes) {
        print_command(&told.action->command);
        return usage("that sheds for real: say --yes");
    }
    return run_here(&told, end) ? CLI_OK : CLI_ALARM;
}

/* The entry says meanwhile that it is being restored, and by this process. */
static int put_back(struct shed_book *book, const struct shed_entry *known, const struct shed_told *told)
{
    struct shed_entry before = *known, entry = *known;
    char end[SHED_END_BYTES] = "an operator said so";
    struct shed_now now = now_of();
    bool well = true, runs = shed_restore(told->action, &entry, &now) == SHED_ACT_RESTORE;
    if (runs) {
        shed_run_heed();        /* a new emergency ends it */
        entry.keeper = getpid();
        entry.keeper_start = shed_process_start(getpid());
    }
    int error = shed_book_put(book, &before, &entry, true);
    if (!error && runs) {
        before = entry;
        well = run_here(told, end);
        now = now_of();
        shed_ended(told->action, &entry, well, end, &now);
        error = shed_book_put(book, &before, &entry, true);
    }
    if (error)
        fprintf(stderr, "flyball shed: state file %s: %s\n", book->path,
                error == -EAGAIN ? "it changed meanwhile, look again" : strerror(-error));
    else if (!runs)
        printf("%s counts as restored; there is no restore command\n", entry.node);
    return error ? CLI_CONNECT : well ? CLI_OK : CLI_ALARM;
}

static int restore(struct shed_verb *verb, struct shed_book *book)
{
    char end[SHED_END_BYTES];
    uint32_t node;
    const struct shed_entry *known = shed_book_find(book, verb->arguments.restore_node);
    int result = find_node(verb, verb->arguments.restore_node, known, &node);
    if (result)
        return result;
    uint32_t action = verb->site.shed_of[node];
    const struct shed_told told = {.site = &verb->site, .node = node, .restore = true, .tries = 1,
                                   .action = action == INDEX_NONE ? NULL : &verb->site.shed[action],
                                   .measured_a = -1, .limit_a = -1};
    if (!verb->arguments.yes)
        return usage("that puts the load back for real: say --yes");
    if (known && (known->state == SHED_RUNNING || known->state == SHED_RESTORING)) {
        fprintf(stderr, "flyball shed: a command of that node is being run, wait for its end\n");
        return CLI_REFUSED;
    }
    if (known)
        return put_back(book, known, &told);
    puts("nothing is known to have been shed there");
    return !told.action->restore.count || run_here(&told, end) ? CLI_OK : CLI_ALARM;
}

static int list(const struct shed_verb *verb, const struct shed_book *book)
{
    const struct model *model = &verb->site.model;
    bool all_well = true;
    printf("%-20s %-20s %-13s %5s  %s\n", "node", "action", "state", "tries", "newest end");
    for (uint32_t i = 0; i < model->node_count; i++) {
        const struct shed_entry *entry = shed_book_find(book, model->node[i].name);
        uint32_t action = verb->site.shed_of[i];
        if (action == INDEX_NONE && !entry)
            continue;
        uint8_t at = entry ? entry->state : SHED_NONE;
        all_well &= at == SHED_NONE || at == SHED_OVER || at == SHED_RESTORED;
        printf("%-20s %-20s %-13s %5u  %s\n", model->node[i].name,
               action == INDEX_NONE ? "-" : verb->site.shed[action].name, view_words_shed(at),
               entry ? entry->tries : 0, entry && entry->end[0] ? entry->end : "-");
    }
    return all_well ? CLI_OK : CLI_ALARM;
}

/* What needs the state file and does not watch. */
static int by_hand(struct shed_verb *verb)
{
    struct shed_book book;
    int error = shed_book_open(&book, verb->path), result = CLI_CONNECT;
    if (error)
        fprintf(stderr, "flyball shed: state file %s: %s\n", verb->path,
                error == -EBADMSG ? "cannot be understood" : strerror(-error));
    else
        result = verb->arguments.list ? list(verb, &book) : restore(verb, &book);
    shed_book_close(&book);
    return result;
}

static int parse(int argc, char **argv, struct arguments *a)
{
    static const struct option options[] = {
        {"server", required_argument, NULL, 'v'}, {"door", required_argument, NULL, 'd'},
        {"state", required_argument, NULL, 's'},  {"try", required_argument, NULL, 't'},
        {"restore", required_argument, NULL, 'r'}, {"yes", no_argument, NULL, 'y'},
        {"list", no_argument, NULL, 'l'},         {NULL, 0, NULL, 0}};
    int option;
    optind = 1;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == '?')
            return CLI_USAGE;
        const char **into = option == 'v' ? &a->server : option == 'd' ? &a->door : option == 's' ? &a->state
                          : option == 't' ? &a->try_node : option == 'r' ? &a->restore_node : NULL;
        if (into)
            *into = optarg;
        a->yes |= option == 'y';
        a->list |= option == 'l';
    }
    if (optind + 1 != argc)
        return usage("one SITE is needed");
    if (a->list + (a->try_node != NULL) + (a->restore_node != NULL) > 1)
        return usage("one of --list, --try and --restore");
    if (a->yes && !a->try_node && !a->restore_node)
        return usage("--yes goes with --try or --restore");
    a->site = argv[optind];
    return CLI_OK;
}

static int find_paths(struct shed_verb *verb)
{
    const struct arguments *a = &verb->arguments;
    snprintf(verb->door, sizeof verb->door, "%s", a->door ? a->door : verb->site.server.door);
    snprintf(verb->site.server.door, sizeof verb->site.server.door, "%s", verb->door);
    if (!verb->door[0]) {
        fprintf(stderr, "flyball shed: %s names no door: add door: PATH to the row of servers:\n", a->site);
        return CLI_CONNECT;
    }
    if (a->state)
        snprintf(verb->path, sizeof verb->path, "%s", a->state);
    else
        shed_book_path(&verb->site.server, verb->path);
    return CLI_OK;
}

static bool has_actions(const struct site *site)
{
    for (uint32_t i = 0; i < site->model.node_count; i++)
        if (site->shed_of[i] != INDEX_NONE)
            return true;
    return false;
}

static int carry_out(struct shed_verb *verb)
{
    const struct arguments *a = &verb->arguments;
    if (!has_actions(&verb->site)) {
        fprintf(stderr, "flyball shed: no node of %s names a shed action\n", a->site);
        return CLI_CONFIG;
    }
    int result = find_paths(verb);
    if (result)
        return result;
    if (a->try_node)
        return rehearse(verb);
    return a->list || a->restore_node ? by_hand(verb) : shed_watch(&verb->site, verb->door, verb->path);
}

static int run_shed(int argc, char **argv)
{
    static struct shed_verb verb;
    signal(SIGCHLD, SIG_DFL);       /* who started it may ignore it: then no end of a command is seen */
    if (argc > 1 && !strcmp(argv[1], "--keep"))
        return shed_keep(argc - 2, argv + 2);
    int result = parse(argc, argv, &verb.arguments);
    if (result)
        return result;
    int error = site_load(&verb.site, verb.arguments.site, verb.arguments.server, stderr);
    if (error)
        return error == -EINVAL ? CLI_CONFIG : CLI_CONNECT;
    result = carry_out(&verb);
    site_unload(&verb.site);
    return result;
}

const struct cli_verb cli_shed = {
    .name = "shed",
    .arguments =
        "SITE [--server NAME] [--door PATH] [--state FILE] [--list | --try NODE | --restore NODE] [--yes]",
    .summary = "take the site's shed actions where fail-safe did not end an emergency",
    .help =
        "Watches the daemon's view and, at a node that names a shed action, runs its command once for each\n"
        "emergency that fail-safe did not end. Runs until a signal; belongs under a supervisor, beside the\n"
        "daemon. A start in the middle of such an emergency takes what was not taken yet, and nothing "
        "twice.\n"
        "That the daemon ends sheds nothing.\n\n"
        "  --server NAME   the row of servers: to use\n"
        "  --door PATH     the daemon's door; default: that of the row\n"
        "  --state FILE    what was taken; default: the door's path with .shed behind it\n"
        "  --list          every node with its action and what became of it\n"
        "  --try NODE      a rehearsal: runs NODE's command now (FLYBALL_REHEARSAL=yes)\n"
        "  --restore NODE  runs NODE's restore command, and counts it as restored\n"
        "  --yes           wanted by both: they are for real\n\n"
        "Exit code: 0 ok, 1 a command failed or a node is shed (--list), 2 usage, 3 no door or state file,\n"
        "or a daemon of another version, 4 the site has errors or no shed action, 5 another flyball shed\n"
        "watches.\n",
    .run = run_shed,
};
