/* SPDX-License-Identifier: Apache-2.0 */
/* flyball host: what a host did, out of the history that its agent keeps. */
#include <errno.h>
#include <getopt.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/history_file.h"
#include "cli/cli.h"
#include "cli/host/host_print.h"
#include "site/read/quantity.h"

enum { ROWS = 12 };

struct arguments {
    const char *host, *path;
    int64_t last_ns;
    uint32_t rows;
    bool json;
};

static bool take_span(const char *text, int64_t *last_ns)
{
    bool good = quantity_parse(QUANTITY_TIME, text, last_ns) == QUANTITY_OK && *last_ns >= NS_PER_S &&
                *last_ns <= HISTORY_SPAN_MAX_NS;
    if (!good)
        fprintf(stderr, "flyball host: --last wants a time from 1s to 168h, not '%s'\n", text);
    return good;
}

static bool take_rows(const char *text, uint32_t *rows)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    bool good = end != text && !*end && value >= 1 && value <= HOST_ROWS_MAX;
    if (good)
        *rows = (uint32_t)value;
    else
        fprintf(stderr, "flyball host: --rows wants a number from 1 to %d, not '%s'\n", HOST_ROWS_MAX, text);
    return good;
}

static int take_arguments(int argc, char **argv, struct arguments *arguments)
{
    static const struct option options[] = {
        {"last", required_argument, NULL, 'l'}, {"file", required_argument, NULL, 'f'},
        {"rows", required_argument, NULL, 'r'}, {"json", no_argument, NULL, 'j'}, {NULL, 0, NULL, 0}};
    int option;
    bool good = true;
    optind = 1;
    while (good && (option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'l')
            good = take_span(optarg, &arguments->last_ns);
        else if (option == 'f')
            arguments->path = optarg;
        else if (option == 'r')
            good = take_rows(optarg, &arguments->rows);
        else
            good = arguments->json = option == 'j';
    }
    if (good && argc - optind != 1) {
        fprintf(stderr, "flyball host: give the name of one host\n");
        good = false;
    }
    arguments->host = good ? argv[optind] : NULL;
    return good ? CLI_OK : CLI_USAGE;
}

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static int show(const struct arguments *arguments, const struct history_record *record, uint64_t count)
{
    struct host_sum *sum = malloc(sizeof *sum);
    if (!sum) {
        fprintf(stderr, "flyball host: no memory\n");
        return CLI_CONNECT;
    }
    int64_t periods = arguments->last_ns / HISTORY_PERIOD_NS;
    uint32_t bars = periods < HOST_BARS_MAX ? (uint32_t)periods : HOST_BARS_MAX;
    setlocale(LC_CTYPE, "");
    host_sum(sum, record, count, arguments->last_ns, arguments->rows, bars);
    if (arguments->json)
        host_json(stdout, arguments->host, sum, record, count, now_ns());
    else
        host_print(stdout, arguments->host, sum, now_ns(), !strcmp(nl_langinfo(CODESET), "UTF-8"));
    free(sum);
    return CLI_OK;
}

static int refused(const char *path, int error, const char *why)
{
    fprintf(stderr, "flyball host: %s %s%s\n", path, error == -ENOENT ? "cannot be opened: " : "", why);
    if (error == -ENOENT)
        fprintf(stderr, "flyball host: the agent of the host keeps it: run this there, or give a copy by "
                        "--file\n");
    return error == -EBADMSG || error == -EPROTO || error == -EXDEV ? CLI_REFUSED : CLI_CONNECT;
}

static int run_host(int argc, char **argv)
{
    struct arguments arguments = {.path = HISTORY_PATH, .last_ns = 60 * NS_PER_S, .rows = ROWS};
    struct history_file file;
    struct history_record *record;
    uint64_t count;
    char why[HISTORY_WHY_BYTES];
    int result = take_arguments(argc, argv, &arguments);
    if (result)
        return result;
    int error = history_file_open(&file, arguments.path, arguments.host, why);
    if (error)
        return refused(arguments.path, error, why);
    error = history_file_last(&file, arguments.last_ns, &record, &count);
    history_file_close(&file);
    if (error)
        return refused(arguments.path, error, strerror(-error));
    if (count) {
        result = show(&arguments, record, count);
    } else {
        fprintf(stderr, "flyball host: %s holds no sample yet\n", arguments.path);
        result = CLI_CONNECT;
    }
    free(record);
    return result;
}

const struct cli_verb cli_host = {
    .name = "host",
    .arguments = "HOST [--last TIME] [--file PATH] [--rows N] [--json]",
    .summary = "what a host did in the last minute, out of the history its agent keeps",
    .help =
        "Runs on the host itself, or anywhere on a copy of the file. HOST must be whose history it is.\n"
        "--last TIME      up to the newest sample, default 60s; 1s to 168h\n"
        "--file PATH      default " HISTORY_PATH "\n"
        "--rows N         rows of the table, default 12\n"
        "--json           one object with every sample\n",
    .run = run_host,
};
