/* SPDX-License-Identifier: Apache-2.0 */
/* flyball-agent: finds the verb, loads the file, runs it; one binary for the agent and its watchdog. */
#include <arpa/inet.h>
#include <errno.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/keyring.h"
#include "agent/newcomer.h"
#include "agent/probe.h"
#include "agent/ready.h"
#include "agent/run.h"
#include "agent/saying.h"
#include "agent/watch.h"

/* As of every flyball program. */
enum main_exit { EXIT_OK = 0, EXIT_USAGE = 2, EXIT_CONNECT = 3, EXIT_CONFIG = 4, EXIT_REFUSED = 5 };

/* Beside the exit code: a thread still uses what it was given. */
enum { HANGS = 256 };

static const char help[] =
    "usage: flyball-agent check FILE\n"
    "       flyball-agent run FILE [SUMMARY]\n"
    "       flyball-agent watch FILE\n"
    "       flyball-agent ready FILE\n"
    "       flyball-agent enrol FILE [ADDRESS[:PORT]]\n"
    "       flyball-agent probe [DRIVER]\n\n"
    "Holds this host to the power that flyballd leases to it; without a lease to its fail-safe cap.\n\n"
    "  check   reads the configuration and says what is wrong with it\n"
    "  run     the agent; SUMMARY is written at the end, - is standard output\n"
    "  watch   the watchdog: writes the fail-safe caps when the agent does not\n"
    "  ready   waits until the agent here has read back fail-safe caps: what draws power may begin\n"
    "  enrol   gets this host's first key by the token on standard input, of `flyball keys serve-enrol` at\n"
    "          ADDRESS (the controller's) and PORT (7003), and writes the file that `keys` names\n"
    "  probe   what an actuator finds on this machine, and how long each call takes; changes nothing\n\n"
    "Exit codes: 0 ok, 2 usage, 3 a file, address or device cannot be reached, 4 configuration invalid,\n"
    "5 refused: another one is there.\n";

static int exit_of(int error)
{
    if (error == -EINVAL || error == -EBADMSG)
        return EXIT_CONFIG;
    return error == -EBUSY ? EXIT_REFUSED : EXIT_CONNECT;
}

static int write_summary(const struct run *run, const char *path)
{
    FILE *out = strcmp(path, "-") ? fopen(path, "we") : stdout;
    if (out) {
        run_summary(run, out);
        if (!(out == stdout ? fflush(out) : fclose(out)))
            return EXIT_OK;
    }
    fprintf(stderr, "flyball-agent: %s: %s\n", path, strerror(errno));
    return EXIT_CONNECT;
}

/* What the watchdog can do without stops it not: it has no use for keys. */
static int check_keys(const struct config *config)
{
    struct keyring keyring = {0};
    int error = keyring_open(&keyring, config, stderr);
    keyring_close(&keyring, 0);
    return error;
}

static int run_agent(const struct config *config, const char *summary, FILE *out)
{
    struct run *run = aligned_alloc(_Alignof(struct run), sizeof *run);
    if (!run)
        return EXIT_CONNECT;
    int error = run_open(run, config, out);
    if (!error)
        error = run_loop(run);
    bool ended = run_close(run);
    int result = error ? exit_of(error) : EXIT_OK;
    if (!error && summary)
        result = write_summary(run, summary);
    if (!ended)
        return HANGS | result;  /* a thread hangs in a driver; what it uses must stay */
    free(run);
    return result;
}

static int run_watchdog(const struct config *config, FILE *out)
{
    struct watch *watch = malloc(sizeof *watch);
    if (!watch)
        return EXIT_CONNECT;
    int error = watch_open(watch, config, out);
    if (!error)
        error = watch_loop(watch);
    int result = error ? exit_of(error) : EXIT_OK;
    if (!watch_close(watch))
        return HANGS | result;
    free(watch);
    return result;
}

/* What they say goes through a queue: whoever reads it may stop for ever. */
static int run_verb(const char *verb, const struct config *config, const char *summary)
{
    struct saying *saying = calloc(1, sizeof *saying);
    if (!saying || saying_open(saying, STDERR_FILENO))
        return EXIT_CONNECT;
    int result = strcmp(verb, "run") ? run_watchdog(config, saying->out)
                                     : run_agent(config, summary, saying->out);
    if (!saying_close(saying, word_monotonic_ns() + NS_PER_S) || result & HANGS)
        _exit(result & ~HANGS);
    free(saying);
    return result;
}

/* A service runs as long as it may; who types a token waits for it. */
static int enrol(const struct config *config, const char *path, const char *controller)
{
    char own[INET_ADDRSTRLEN];
    struct in_addr address = {htonl(config->controller.ipv4)};
    uint8_t token[ENROL_TOKEN_BYTES];
    struct newcomer newcomer = {.program = "flyball-agent", .name = config->host, .file = config->keys,
                                .controller = controller, .wait_s = NEWCOMER_WAIT_S};
    if (!controller)
        newcomer.controller = inet_ntop(AF_INET, &address, own, sizeof own);
    if (!newcomer_address(newcomer.controller, &newcomer.address)) {
        fprintf(stderr, "flyball-agent: %s is no address; write it as 10.0.0.1 or 10.0.0.1:7003\n",
                controller);
        return EXIT_USAGE;
    }
    if (!config->keys[0]) {
        fprintf(stderr, "%s: error: keys: missing; it says where the key is to stand, such as "
                "keys = /etc/flyball/key\n", path);
        return EXIT_CONFIG;
    }
    if (!newcomer_token(NULL, token)) {
        fprintf(stderr, "flyball-agent: a token is 32 hexadecimal digits, on standard input\n");
        return EXIT_USAGE;
    }
    int error = newcomer_enrol(&newcomer, token, stdout, stderr);
    OPENSSL_cleanse(token, sizeof token);
    if (!error && !fflush(stdout))
        return EXIT_OK;
    return error == -EEXIST ? EXIT_REFUSED : EXIT_CONNECT;
}

/* `more`: a summary, or a controller. */
static int with_file(const char *verb, const char *path, const char *more)
{
    struct config config;
    int error = config_load(&config, path, stderr);
    if (error)
        return exit_of(error);
    if (!strcmp(verb, "ready")) {
        error = ready_wait(config.run, stdout);
        return error ? exit_of(error) : EXIT_OK;
    }
    if (!strcmp(verb, "enrol"))
        return enrol(&config, path, more);
    if (strcmp(verb, "check"))
        return run_verb(verb, &config, more);
    error = check_keys(&config);
    if (error)
        return exit_of(error);
    printf("%s: ok: host %s, %s to %s, %s\n", path, config.host, config.actuator,
           config.device_count ? "the devices listed" : "every device found",
           config.keys[0] ? "frames with tags" : "frames without tags");
    return EXIT_OK;
}

int main(int argc, char **argv)
{
    const char *verb = argc > 1 ? argv[1] : "";
    setvbuf(stderr, NULL, _IONBF, 0);
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    mallopt(M_ARENA_MAX, 1);    /* a thread's own would be 64 MiB of addresses, which count as locked */
    if (!strcmp(verb, "--help") || !strcmp(verb, "-h") || !strcmp(verb, "help"))
        return fputs(help, stdout), EXIT_OK;
    if (!strcmp(verb, "probe") && argc <= 3)
        return probe_all(argc == 3 ? argv[2] : NULL, stdout, stderr) ? EXIT_CONNECT : EXIT_OK;
    if (argc == 3 && (!strcmp(verb, "check") || !strcmp(verb, "run") || !strcmp(verb, "watch") ||
                      !strcmp(verb, "ready") || !strcmp(verb, "enrol")))
        return with_file(verb, argv[2], NULL);
    if (argc == 4 && (!strcmp(verb, "run") || !strcmp(verb, "enrol")))
        return with_file(verb, argv[2], argv[3]);
    fputs(help, stderr);
    return EXIT_USAGE;
}
