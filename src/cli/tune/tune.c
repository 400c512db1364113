/* SPDX-License-Identifier: Apache-2.0 */
/* flyball tune: measures this machine for a site and writes what it found into the site file. */
#include "cli/tune/tune.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/cli.h"
#include "rt/throttle.h"
#include "site/needs.h"

#define SECONDS_LEAST 0.1
#define SECONDS_MOST 600.0
#define SECONDS_USUAL 5.0
enum { WHY_BYTES = 512 };

static int usage(void)
{
    fputs("usage: flyball tune SITE [--seconds N] [--ages] [--dry-run] [--json] [--no-port]\n"
          "                    [--meters-netns NAME] [--hosts-netns NAME]\n",
          stderr);
    return CLI_USAGE;
}

static int parse(int argc, char **argv, struct tune_options *o)
{
    static const struct option options[] = {
        {"seconds", required_argument, NULL, 's'},      {"dry-run", no_argument, NULL, 'd'},
        {"ages", no_argument, NULL, 'a'},
        {"json", no_argument, NULL, 'j'},               {"no-port", no_argument, NULL, 'p'},
        {"meters-netns", required_argument, NULL, 'm'}, {"hosts-netns", required_argument, NULL, 'h'},
        {NULL, 0, NULL, 0}};
    int option;
    char *end = NULL;
    optind = 1;
    o->seconds = SECONDS_USUAL;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 's')
            o->seconds = strtod(optarg, &end);
        else if (option == 'a')
            o->ages = true;
        else if (option == 'd')
            o->dry_run = true;
        else if (option == 'j')
            o->json = true;
        else if (option == 'p')
            o->no_port = true;
        else if (option == 'm')
            o->meters_netns = optarg;
        else if (option == 'h')
            o->hosts_netns = optarg;
        else
            return -EINVAL;
    }
    bool seconds_good = !end || (end != optarg && !*end);
    if (optind + 1 != argc || !seconds_good || !(o->seconds >= SECONDS_LEAST && o->seconds <= SECONDS_MOST))
        return -EINVAL;
    o->site = argv[optind];
    return 0;
}

/* Whoever takes the connection, or keeps us from asking, is a daemon that governs: what follows would take
 * its core away from it. */
static bool daemon_answers(const char *door)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (!*door || strlen(door) >= sizeof address.sun_path)
        return false;
    memcpy(address.sun_path, door, strlen(door) + 1);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    bool nobody = connect(fd, (const struct sockaddr *)&address, sizeof address) &&
                  (errno == ENOENT || errno == ECONNREFUSED || errno == ENOTDIR);
    close(fd);
    return !nobody;
}

/* Nothing is half done at any moment: the file changes by one rename, and the keeper of rt/throttle.c puts RT
 * throttling back as soon as this process is gone. */
static void interrupted(int signal)
{
    static const char words[] = "\nflyball tune: interrupted; the site file is as it was\n";
    (void)signal;
    if (write(STDERR_FILENO, words, sizeof words - 1) < 0)
        _exit(CLI_CONNECT);
    _exit(CLI_ALARM);
}

static void hear_signals(bool hear)
{
    struct sigaction action = {.sa_handler = hear ? interrupted : SIG_IGN};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
}

struct step {
    const char *words;
    int (*measure)(struct tune *tune);
    bool ports;
};

static int measure(struct tune *tune)
{
    static const struct step steps[] = {
        {"hiccups", tune_hiccups, false},
        {"wake-ups", tune_wakes, false},
        {"stage costs", tune_stages, false},
        {"ports and the way to the hosts", tune_ports, true},
    };
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        if (steps[i].ports && tune->options.no_port) {
            tune_note(tune, "receive burst and way to the hosts: left out by --no-port");
            continue;
        }
        fprintf(stderr, "flyball tune: %s ...\n", steps[i].words);
        int error = steps[i].measure(tune);
        if (error) {
            fprintf(stderr, "flyball tune: %s: %s\n", steps[i].words, strerror(-error));
            return error;
        }
    }
    return 0;
}

static int any_too_small(const struct tune *tune)
{
    struct need need[NEEDS_MAX];
    uint32_t count = needs_find(&tune->site, &tune->found, need);
    for (uint32_t i = 0; i < count; i++)
        if (need[i].too_small)
            return CLI_ALARM;
    return CLI_OK;
}

static int report(struct tune *tune)
{
    char why[WHY_BYTES];
    if (tune->options.json)
        tune_print_json(tune, stdout);
    else if (tune->options.dry_run)
        tune_print_block(tune, stdout);
    else
        tune_print(tune, stdout);
    if (tune->options.dry_run)
        return any_too_small(tune);
    hear_signals(false);        /* from here on it takes milliseconds, and shall be whole */
    int error = tune_write(tune, why, sizeof why);
    if (error) {
        fprintf(stderr, "flyball tune: not written: %s\n", why);
        return error == -EINVAL || error == -ENOENT ? CLI_CONFIG : CLI_CONNECT;
    }
    fprintf(stderr, "flyball tune: written to the row %s of %s\n", tune->site.server.name,
            tune->options.site);
    return any_too_small(tune);
}

static int run_measured(struct tune *tune)
{
    const struct site_server *server = &tune->site.server;
    struct rt_throttle throttle = {0};
    hear_signals(true);
    tune_provenance(tune);
    tune->found.age = server->measured.age;     /* a daemon tells them, and none runs now */
    int error = server->lift_rt_throttling ? tune_unlifted(tune) : 0;
    /* while no other thread is there: it forks */
    int lifted = server->lift_rt_throttling ? rt_throttle_lift(&throttle, RT_THROTTLE_FILE) : 0;
    if (lifted < 0)
        tune_note(tune, "RT throttling not lifted: %s", strerror(-lifted));
    tune->found.throttling_lifted = server->lift_rt_throttling && lifted >= 0;
    if (!error)
        error = measure(tune);
    if (rt_throttle_restore(&throttle))
        fprintf(stderr, "flyball tune: RT throttling not put back to %ld\n", throttle.runtime_us);
    return error ? CLI_CONNECT : report(tune);
}

static int check_row(const struct tune *tune)
{
    const struct site_server *server = &tune->site.server;
    if (!server->port_count) {
        fprintf(stderr, "flyball tune: %s has no servers: section, so nowhere to write to; add a row for "
                "this machine\n", tune->options.site);
        return CLI_CONFIG;
    }
    if (!*server->door)
        fprintf(stderr, "flyball tune: the row names no door, so a running flyballd cannot be noticed\n");
    if (!tune->options.ages && daemon_answers(server->door)) {
        fprintf(stderr, "flyball tune: a flyballd answers at %s: measuring would take its core away from it; "
                "stop it first\n", server->door);
        return CLI_REFUSED;
    }
    return CLI_OK;
}

static int run_tune(int argc, char **argv)
{
    struct tune *tune = calloc(1, sizeof *tune);
    if (!tune)
        return CLI_CONNECT;
    if (parse(argc, argv, &tune->options)) {
        free(tune);
        return usage();
    }
    int error = site_load_unmeasured(&tune->site, tune->options.site, NULL, stderr);
    int result = error ? (error == -EINVAL ? CLI_CONFIG : CLI_CONNECT) : check_row(tune);
    if (!result && tune->options.ages)
        result = tune_ages(tune);
    if (!result)
        result = tune->options.ages ? report(tune) : run_measured(tune);
    site_unload(&tune->site);
    free(tune);
    return result;
}

const struct cli_verb cli_tune = {
    .name = "tune",
    .arguments =
        "SITE [--seconds N] [--ages] [--dry-run] [--json] [--no-port] [--meters-netns NAME] [--hosts-netns "
        "NAME]",
    .summary = "measure this machine for a site and write what is found into the site file",
    .help =
        "Measures, on the cores and at the priority that this machine's row of servers: names: how long the\n"
        "machine keeps a spinning thread from running (hiccups), how late sleepers wake, what a reading, a\n"
        "report, a part of a tick and an emergency cost with this site's model, what the ports absorb while\n"
        "nobody polls them, and how long the way to each host is. Says which terms of the site file are too\n"
        "small for that, and writes the figures into the row as `measured:`; nothing else in the file\n"
        "changes. Refused (5) while a flyballd answers at the row's door.\n\n"
        "  --seconds N          of each measurement; default 5\n"
        "  --ages               only how old readings were when they came, of the flyballd that runs: takes\n"
        "                       nobody's core, and what was measured before stays\n"
        "  --dry-run            prints the block instead, writes nothing\n"
        "  --json               the report as one JSON object\n"
        "  --no-port            leaves the ports alone: no receive burst, no way to the hosts\n"
        "  --meters-netns NAME, --hosts-netns NAME\n"
        "                       network namespaces from which frames reach the ports: the receive burst is\n"
        "                       then measured\n\n"
        "Exit: 0 written, every term large enough; 1 written, some term too small, or interrupted; 2 usage;\n"
        "3 a file or device cannot be reached; 4 the site file has errors or cannot be extended;\n"
        "5 a flyballd runs.\n",
    .run = run_tune,
};
