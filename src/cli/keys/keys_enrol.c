/* SPDX-License-Identifier: Apache-2.0 */
/* The host's end: a token becomes its key file. */
#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#include "agent/newcomer.h"
#include "cli/cli.h"
#include "cli/keys/keys_change.h"
#include "cli/keys/keys_enrol.h"

struct enrol {
    const char *name, *token, *controller, *file, *wait;
    int64_t wait_s;                 /* for each of two answers */
};

static int usage(const char *what)
{
    fprintf(stderr, "flyball keys: %s; see `flyball keys --help`\n", what);
    return CLI_USAGE;
}

static int parse(int argc, char **argv, struct enrol *enrol)
{
    const struct { const char *name, **place; } option[] = {
        {"--token", &enrol->token}, {"--controller", &enrol->controller}, {"--file", &enrol->file},
        {"--wait", &enrol->wait}};
    enum { OPTIONS = sizeof option / sizeof option[0] };
    for (int i = 2; i < argc; i++) {
        size_t o = 0;
        while (o < OPTIONS && strcmp(argv[i], option[o].name) != 0)
            o++;
        if (o < OPTIONS && i + 1 < argc)
            *option[o].place = argv[++i];
        else if (o < OPTIONS || !strncmp(argv[i], "--", 2) || enrol->name)
            return usage("enrol wants NAME --controller ADDRESS[:PORT] --file FILE, and may have --token");
        else
            enrol->name = argv[i];
    }
    if (!enrol->name || !enrol->controller || !enrol->file)
        return usage("enrol wants NAME --controller ADDRESS[:PORT] --file FILE, and may have --token");
    if (!keys_span(enrol->wait ? enrol->wait : "20s", &enrol->wait_s))
        return usage("--wait is a time such as 20s or 5min");
    return CLI_OK;
}

int keys_enrol(int argc, char **argv)
{
    struct enrol enrol = {.name = NULL};
    struct newcomer newcomer = {.program = "flyball keys"};
    uint8_t token[ENROL_TOKEN_BYTES];
    int result = parse(argc, argv, &enrol);
    if (result)
        return result;
    newcomer.name = enrol.name;
    newcomer.file = enrol.file;
    newcomer.controller = enrol.controller;
    newcomer.wait_s = enrol.wait_s;
    if (strlen(enrol.name) >= NAME_BYTES || !newcomer_address(enrol.controller, &newcomer.address))
        return usage("--controller is 10.0.0.1 or 10.0.0.1:7003, and a name has at most 31 bytes");
    if (!newcomer_token(enrol.token, token))
        return usage("a token is 32 hexadecimal digits, behind --token or on standard input");
    int error = newcomer_enrol(&newcomer, token, stdout, stderr);
    OPENSSL_cleanse(token, sizeof token);
    if (!error && !fflush(stdout))
        return CLI_OK;
    return error == -EEXIST ? CLI_REFUSED : CLI_CONNECT;
}
