/* SPDX-License-Identifier: Apache-2.0 */
/* flyball keys: makes and changes the key file of a site, and cuts out of it what one host needs. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/keys/keys_change.h"
#include "cli/keys/keys_enrol.h"
#include "cli/keys/keys_lock.h"
#include "site/site.h"

struct options {
    const char *site, *server, *file, *name;
    const char *overlap;            /* "1d" */
    const char *valid, *time;       /* of a token; for how long it is served */
    const char *listen;
    long id;                        /* 0: every one */
};

struct desk {
    struct options options;
    struct site site;
    const char *path;               /* of the key file */
    struct auth_keys keys;
    int64_t now_s;
};

static int usage(const char *what)
{
    fprintf(stderr, "flyball keys: %s; see `flyball keys --help`\n", what);
    return CLI_USAGE;
}

static int parse_option(struct options *options, const char *name, const char *value)
{
    char *end;
    if (!strcmp(name, "--server"))
        options->server = value;
    else if (!strcmp(name, "--file"))
        options->file = value;
    else if (!strcmp(name, "--overlap"))
        options->overlap = value;
    else if (!strcmp(name, "--valid"))
        options->valid = value;
    else if (!strcmp(name, "--listen"))
        options->listen = value;
    else if (!strcmp(name, "--for"))
        options->time = value;
    else if (strcmp(name, "--id"))
        return usage("an option is --file, --server, --id, --overlap, --valid, --listen or --for");
    if (strcmp(name, "--id"))
        return CLI_OK;
    options->id = strtol(value, &end, 10);
    return *value && !*end && options->id >= 1 && options->id <= 65535 ? CLI_OK
                                                                      : usage("--id is 1 to 65535");
}

static int parse(int argc, char **argv, struct options *options)
{
    const char **place[] = {&options->site, &options->name};
    size_t words = 0;
    for (int i = 2; i < argc; i++) {
        int result = CLI_OK;
        if (strncmp(argv[i], "--", 2) && words < 2)
            *place[words++] = argv[i];
        else if (strncmp(argv[i], "--", 2))
            return usage("too many words");
        else if (i + 1 == argc)
            return usage("an option wants a value");
        else
            result = parse_option(options, argv[i], argv[i + 1]), i++;
        if (result)
            return result;
    }
    return options->site ? CLI_OK : usage("a SITE is needed");
}

static int fail(const struct desk *desk, int error)
{
    fprintf(stderr, "flyball keys: %s: %s\n", desk->path, strerror(-error));
    return error == -EINVAL ? CLI_CONFIG : CLI_CONNECT;
}

static int open_desk(struct desk *desk)
{
    const struct options *options = &desk->options;
    const char *server = options->server ? options->server : "";
    int error = site_load_unmeasured(&desk->site, options->site, server, stderr);
    if (error)
        return error == -EINVAL ? CLI_CONFIG : CLI_CONNECT;
    desk->now_s = (int64_t)time(NULL);
    desk->path = options->file ? options->file : desk->site.server.keys;
    if (desk->path[0])
        return CLI_OK;
    fprintf(stderr, "flyball keys: %s names no key file for this machine; write keys: PATH in a row of "
            "servers, or give --file\n", options->site);
    return CLI_CONFIG;
}

static int read_keys(struct desk *desk)
{
    int error = auth_keys_read(&desk->keys, desk->path, stderr);
    return !error ? CLI_OK : error == -EINVAL ? CLI_CONFIG : CLI_CONNECT;
}

static int write_keys(struct desk *desk, const char *done, uint32_t count)
{
    int error = auth_keys_write(&desk->keys, desk->path);
    if (error)
        return fail(desk, error);
    printf("%s: %" PRIu32 " key%s %s, %" PRIu32 " in it\n", desk->path, count, count == 1 ? "" : "s", done,
           desk->keys.count);
    return CLI_OK;
}

/* Its own writes only: `rotate` may come while a host enrols. */
static int changed(struct desk *desk, int (*change)(struct desk *))
{
    int lock = keys_lock(desk->path);
    if (lock < 0)
        return fail(desk, lock);
    int result = change(desk);
    close(lock);
    return result;
}

static int token(struct desk *desk)
{
    int64_t valid_s;
    if (!desk->options.name)
        return usage("token wants the NAME of a host");
    if (!keys_span(desk->options.valid ? desk->options.valid : "1h", &valid_s))
        return usage("--valid is a time such as 10min, 1h or 1d");
    return keys_token(&desk->site.model, desk->path, desk->options.name, valid_s);
}

static int serve(struct desk *desk)
{
    int64_t for_s = 0;
    if (!desk->options.listen)
        return usage("serve-enrol wants --listen ADDRESS[:PORT]");
    if (desk->options.time && !keys_span(desk->options.time, &for_s))
        return usage("--for is a time such as 10min, 1h or 1d");
    return keys_serve(desk->path, desk->options.listen, for_s);
}

static int make_it(struct desk *desk)
{
    struct keys_change change = {.keys = &desk->keys, .model = &desk->site.model, .now_s = desk->now_s};
    if (!access(desk->path, F_OK)) {
        fprintf(stderr, "flyball keys: %s is there already; rotate its keys, or move it away\n", desk->path);
        return CLI_REFUSED;
    }
    int error = keys_make(&change);
    return error ? fail(desk, error) : write_keys(desk, "made", change.changed);
}

static int rotate_it(struct desk *desk)
{
    struct keys_change change = {.keys = &desk->keys, .model = &desk->site.model, .now_s = desk->now_s,
                                 .name = desk->options.name};
    const char *overlap = desk->options.overlap ? desk->options.overlap : "1d";
    if (!keys_span(overlap, &change.overlap_s))
        return usage("--overlap is a time such as 90s, 10min, 2h or 1d");
    int result = read_keys(desk);
    if (result)
        return result;
    int error = keys_rotate(&change);
    if (error == -ENOENT)
        return usage("no host or meter of the site has that name");
    if (error == -E2BIG) {
        fprintf(stderr, "flyball keys: %s has %d keys in force or to come, as many as it may; revoke one\n",
                change.name, AUTH_KEYS_MAX);
        return CLI_REFUSED;
    }
    return error ? fail(desk, error) : write_keys(desk, "made", change.changed);
}

static int end_it(struct desk *desk)
{
    struct keys_change change = {.keys = &desk->keys, .name = desk->options.name,
                                 .id = (uint32_t)desk->options.id};
    if (!change.name)
        return usage("revoke wants the NAME of a host or meter");
    int result = read_keys(desk);
    if (result)
        return result;
    keys_revoke(&change);
    if (!change.changed) {
        fprintf(stderr, "flyball keys: %s has no such key of %s that is not revoked\n", desk->path,
                change.name);
        return CLI_REFUSED;
    }
    return write_keys(desk, "revoked", change.changed);
}

static int make(struct desk *desk)
{
    return changed(desk, make_it);
}

static int rotate(struct desk *desk)
{
    return changed(desk, rotate_it);
}

static int end_key(struct desk *desk)
{
    return changed(desk, end_it);
}

static int host(struct desk *desk)
{
    if (!desk->options.name)
        return usage("host wants the NAME of a host or meter");
    int result = read_keys(desk);
    if (result)
        return result;
    if (keys_print(&desk->keys, desk->options.name, stdout))
        return fflush(stdout) ? CLI_CONNECT : CLI_OK;
    fprintf(stderr, "flyball keys: %s has no key of %s\n", desk->path, desk->options.name);
    return CLI_REFUSED;
}

static int keys(int argc, char **argv)
{
    static const struct { const char *word; int (*run)(struct desk *); } word[] = {
        {"make", make}, {"rotate", rotate}, {"revoke", end_key}, {"host", host},
        {"token", token}, {"serve-enrol", serve}};
    struct desk desk = {.options = {.site = NULL}};
    size_t i = 0, words = sizeof word / sizeof word[0];
    if (argc > 1 && !strcmp(argv[1], "enrol"))
        return keys_enrol(argc, argv);
    while (i < words && (argc < 2 || strcmp(argv[1], word[i].word)))
        i++;
    if (i == words)
        return usage("make, rotate, revoke, host, token, serve-enrol or enrol is needed");
    int result = parse(argc, argv, &desk.options);
    if (result)
        return result;
    result = open_desk(&desk);
    if (!result)
        result = word[i].run(&desk);
    auth_keys_free(&desk.keys);
    site_unload(&desk.site);
    return result;
}

const struct cli_verb cli_keys = {
    .name = "keys",
    .arguments =
        "make|rotate|revoke|host|token|serve-enrol SITE [NAME] [--file FILE] [--server NAME] [--id N] "
        "[--overlap TIME] [--valid TIME] [--listen ADDRESS[:PORT]] [--for TIME] | enrol NAME "
        "--controller ADDRESS[:PORT] --file FILE [--token TOKEN] [--wait TIME]",
    .summary = "make, rotate and revoke the keys of hosts and meters",
    .help =
        "  make SITE             a new key file, mode 0600, with one key for each host and meter\n"
        "  rotate SITE [NAME]    one more key for each, or for NAME; those before end after --overlap\n"
        "  revoke SITE NAME      its keys, or the one with --id, are refused from now on\n"
        "  host SITE NAME        prints the lines of one host or meter: its own key file\n"
        "  token SITE NAME       prints a token by which that host gets a key, once, within --valid\n"
        "  serve-enrol SITE      gives hosts with a token their key, at --listen, and adds it to the file\n"
        "  enrol NAME            on the host: makes --file of a token, from standard input or --token\n"
        "  --file FILE           instead of keys: in the server's row\n"
        "  --server NAME         row of the site's `servers:`\n"
        "  --id N                revoke: that key alone\n"
        "  --overlap TIME        rotate: how long the keys before still count, such as 2h (1d)\n"
        "  --valid TIME          token: how long it may be used (1h)\n"
        "  --listen ADDRESS      serve-enrol: an IPv4 address of this machine, and :PORT (7003)\n"
        "  --for TIME            serve-enrol: how long; else until it is stopped\n"
        "  --controller ADDRESS  enrol: where it is served, and :PORT (7003)\n"
        "  --token TOKEN         enrol: where standard input has none; ps shows it to everybody\n"
        "  --wait TIME           enrol: for each of two answers (20s)\n",
    .run = keys,
};
