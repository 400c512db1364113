/* SPDX-License-Identifier: Apache-2.0 */
/* flyballd: loads the site, runs the loop until a signal or the time given, says how it went. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/cli.h"
#include "cli/quiet.h"
#include "loop/loop.h"

struct arguments {
    const char *site, *server, *journal, *summary, *orders;
    long seconds;               /* 0 = until a signal */
    bool take_over;
};

struct daemon {
    struct arguments arguments;
    struct site site;
    struct loop loop;
    struct quiet quiet;
};

static void print_help(FILE *out)
{
    fputs("usage: flyballd SITE [--server NAME] [--journal FILE] [--summary FILE] [--orders FILE]\n"
          "                [--seconds N] [--take-over]\n\n"
          "Governs the power of one site: reads meters and host reports, sends leases.\n\n"
          "  --server NAME    the row of servers: to use; default: this host's name, else the row named "
          "default\n"
          "  --journal FILE   records every input, for `flyball replay`; overrules the site file\n"
          "  --summary FILE   writes what `flyball status --json` shows, at the end (- = standard output)\n"
          "  --orders FILE    the log of orders; default: SITE.orders in the folder of the journal, else "
          "at\n                   the door\n"
          "  --seconds N      stops by itself\n"
          "  --take-over      waits, ready, until the flyballd that holds the ledger has ended\n"
          "  --help\n\n"
          "SIGTERM and SIGINT stop it cleanly: one that starts within D takes everything over; else leases\n"
          "run out.\n"
          "Exit codes: 0 stopped cleanly, 1 a hot thread stood still, 2 usage, 3 a port, file or device "
          "cannot be\n"
          "reached, 4 configuration invalid, 5 refused: another flyballd is there.\n",
          out);
}

static int parse(int argc, char **argv, struct arguments *arguments)
{
    static const struct option options[] = {
        {"server", required_argument, NULL, 's'},  {"journal", required_argument, NULL, 'j'},
        {"summary", required_argument, NULL, 'o'}, {"orders", required_argument, NULL, 'r'},
        {"seconds", required_argument, NULL, 'n'},
        {"take-over", no_argument, NULL, 't'},     {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0}};
    int option;
    char *end = NULL;
    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (option == 's')
            arguments->server = optarg;
        else if (option == 'j')
            arguments->journal = optarg;
        else if (option == 'r')
            arguments->orders = optarg;
        else if (option == 'o')
            arguments->summary = optarg;
        else if (option == 'n')
            arguments->seconds = strtol(optarg, &end, 10);
        else if (option == 't')
            arguments->take_over = true;
        else if (option == 'h')
            return print_help(stdout), CLI_OK;
        else
            return CLI_USAGE;
    }
    if (end && (*end || arguments->seconds <= 0))
        fprintf(stderr, "flyballd: --seconds wants a whole number, 1 or more\n");
    else if (optind + 1 != argc)
        fprintf(stderr, "flyballd: one SITE is needed; see flyballd --help\n");
    else
        end = NULL, arguments->site = argv[optind];
    if (!arguments->site)
        return CLI_USAGE;
    arguments->site = argv[optind];
    return -1;
}

/* Blocked before any thread exists, so that none but this one ever takes them. */
static void block_signals(sigset_t *stop)
{
    sigemptyset(stop);
    sigaddset(stop, SIGTERM);
    sigaddset(stop, SIGINT);
    sigaddset(stop, SIGHUP);
    sigprocmask(SIG_BLOCK, stop, NULL);
    signal(SIGXFSZ, SIG_IGN);   /* the journal takes a file size limit for a full disk */
}

static void wait_for_end(const sigset_t *stop, long seconds)
{
    struct timespec end, now;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += seconds;
    for (;;) {
        struct timespec left = {.tv_sec = 3600};
        clock_gettime(CLOCK_MONOTONIC, &now);
        int64_t left_ns = (end.tv_sec - now.tv_sec) * NS_PER_S + end.tv_nsec - now.tv_nsec;
        if (seconds && left_ns <= 0)
            return;
        if (seconds)
            left = (struct timespec){.tv_sec = left_ns / NS_PER_S, .tv_nsec = left_ns % NS_PER_S};
        int got = sigtimedwait(stop, NULL, &left);
        if (got == SIGTERM || got == SIGINT)
            return;
    }
}

static void say_taken(const struct loop *loop)
{
    if (!loop->ledger_path[0])
        return;
    printf("flyballd: ledger %s: %s", loop->ledger_path, account_state_words(loop->account_state));
    if (loop->account_state == ACCOUNT_WHOLE)
        printf(", %.0f ms old\n", (double)loop->ledger_age_ns / NS_PER_MS);
    else
        printf("; every host is claimed anew\n");
}

static void say_started(const struct daemon *daemon)
{
    const struct loop *loop = &daemon->loop;
    const struct model *model = &daemon->site.model;
    const struct site_server *server = &daemon->site.server;
    printf("flyballd: site %s, mode %s: %u meters, %u hosts, %u nodes; epoch %llu\n", model->name,
           site_mode_names[model->mode & 3], model->meter_count, model->host_count, model->node_count,
           (unsigned long long)loop->epoch);
    for (uint32_t i = 0; i < server->port_count; i++)
        printf("flyballd: port %s on %s\n%s%s%s", server->port[i].driver, server->port[i].interface,
               loop->port[i].note[0] ? "flyballd: " : "", loop->port[i].note,
               loop->port[i].note[0] ? "\n" : "");
    printf("flyballd: journal %s; door %s\n", loop->journal ? loop->journal_path : "none",
           loop->options.door[0] ? loop->options.door : "none");
    say_taken(loop);
    fflush(stdout);
}

static int write_summary(struct daemon *daemon)
{
    const char *path = daemon->arguments.summary;
    if (!path)
        return CLI_OK;
    FILE *out = strcmp(path, "-") ? fopen(path, "w") : stdout;
    if (out) {
        loop_document(&daemon->loop, out);
        if (!(out == stdout ? fflush(out) : fclose(out)))
            return CLI_OK;
    }
    fprintf(stderr, "flyballd: summary %s: %s\n", path, strerror(errno));
    return CLI_CONNECT;
}

static int exit_of(int error)
{
    if (error == -EINVAL)
        return CLI_CONFIG;
    if (error == -EINTR)
        return CLI_OK;
    return error == -EADDRINUSE ? CLI_REFUSED : CLI_CONNECT;
}

static int run(struct daemon *daemon, const sigset_t *stop)
{
    struct loop *loop = &daemon->loop;
    const struct site_server *server = &daemon->site.server;
    struct loop_options options = {.journal = daemon->arguments.journal ? daemon->arguments.journal
                                                                        : server->journal,
                                   .door = server->door,
                                   .orders = daemon->arguments.orders,
                                   .ledger = server->ledger,
                                   .take_over = daemon->arguments.take_over};
    int error = loop_build(loop, &daemon->site, &options);
    if (!error)
        error = loop_start(loop, stderr);
    int result = error ? exit_of(error) : CLI_OK;
    if (error)
        fprintf(stderr, "flyballd: %s\n", loop->error[0] ? loop->error : strerror(-error));
    else
        say_started(daemon);
    if (!error)
        wait_for_end(stop, daemon->arguments.seconds);
    loop_stop(loop);
    if (!error)
        result = write_summary(daemon);
    if (loop->journal_lost)
        fprintf(stderr, "flyballd: journal: %s\n",
                loop->journal_lost < 0 ? strerror((int)-loop->journal_lost)
                                       : "slots were dropped: the disk was behind");
    loop_close(loop);
    return result;
}

int main(int argc, char **argv)
{
    struct daemon daemon = {0};
    sigset_t stop;
    int result = parse(argc, argv, &daemon.arguments);
    if (result >= 0)
        return result;
    int error = site_load(&daemon.site, daemon.arguments.site, daemon.arguments.server, stderr);
    if (error)
        return error == -EINVAL ? CLI_CONFIG : CLI_CONNECT;
    if (!daemon.site.server.port_count) {
        fprintf(stderr, "flyballd: %s has no servers: section, so no port to listen on; add one with this "
                "machine's ports\n", daemon.arguments.site);
        site_unload(&daemon.site);
        return CLI_CONFIG;
    }
    block_signals(&stop);
    quiet_begin(&daemon.quiet, &daemon.site.server, stderr);
    result = run(&daemon, &stop);
    quiet_end(&daemon.quiet, stderr);
    site_unload(&daemon.site);
    return result;
}
