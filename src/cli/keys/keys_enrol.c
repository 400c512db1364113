/* SPDX-License-Identifier: Apache-2.0 */
/* The host's end: a token becomes its key file. */
#include <errno.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "auth/keys.h"
#include "auth/tokens.h"
#include "cli/cli.h"
#include "cli/keys/keys_change.h"
#include "cli/keys/keys_enrol.h"

enum { AGAIN_MS = 500 };

struct enrol {
    const char *name, *token, *controller, *file, *wait;
    int64_t wait_s;                 /* for each of two answers */
    struct enrol_host host;
    int socket;
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

/* From standard input where it is not among the words, which every process of the machine may read. */
static bool read_token(const struct enrol *enrol, uint8_t token[ENROL_TOKEN_BYTES])
{
    char line[4 * ENROL_TOKEN_BYTES] = "";
    if (enrol->token)
        snprintf(line, sizeof line, "%s", enrol->token);
    else if (!fgets(line, sizeof line, stdin))
        return false;
    line[strcspn(line, " \r\n")] = 0;
    bool good = tokens_unhex(line, token, ENROL_TOKEN_BYTES);
    OPENSSL_cleanse(line, sizeof line);
    return good;
}

/* The clock of the day may be set while a machine comes up. */
static int64_t now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

/* One datagram within AGAIN_MS; EAGAIN: none came. */
static ssize_t hear(const struct enrol *enrol, uint8_t *data, size_t room)
{
    struct pollfd event = {.fd = enrol->socket, .events = POLLIN};
    if (poll(&event, 1, AGAIN_MS) > 0)
        return recv(enrol->socket, data, room, MSG_DONTWAIT);
    errno = EAGAIN;
    return -1;
}

/* What is sent again until what comes is the answer to it: true. */
static bool ask(struct enrol *enrol, const uint8_t *say, size_t bytes, uint8_t confirm[ENROL_CONFIRM_BYTES],
                int64_t end_s)
{
    uint8_t data[256];
    while (now_s() < end_s) {
        ssize_t got = send(enrol->socket, say, bytes, 0) < 0 ? -1 : hear(enrol, data, sizeof data);
        if (got < 0) {
            if (errno != EAGAIN)    /* nobody there yet, or no way: at once it would be the same */
                nanosleep(&(struct timespec){.tv_nsec = AGAIN_MS * 1000000}, NULL);
            continue;
        }
        int error = confirm ? enrol_take_reply(&enrol->host, data, (size_t)got, confirm)
                            : enrol_take_done(&enrol->host, data, (size_t)got);
        if (!error)
            return true;
    }
    return false;
}

static int write_key(const struct enrol *enrol)
{
    struct auth_row row = {.who = AUTH_HOST, .id = enrol->host.key_id, .not_before_s = INT64_MIN,
                           .not_after_s = INT64_MAX};
    const struct auth_keys keys = {.row = &row, .count = 1};
    snprintf(row.name, sizeof row.name, "%s", enrol->name);
    memcpy(row.secret, enrol->host.secrets.key, sizeof row.secret);
    int error = auth_keys_write(&keys, enrol->file);
    OPENSSL_cleanse(&row, sizeof row);
    if (!error) {
        printf("%s: key %u of %s, good as soon as flyballd has read it, within 2 s\n", enrol->file,
               enrol->host.key_id, enrol->name);
        return CLI_OK;
    }
    fprintf(stderr, "flyball keys: %s: %s; the token is spent: ask for another one\n", enrol->file,
            strerror(-error));
    return CLI_CONNECT;
}

static int exchange(struct enrol *enrol, const struct sockaddr_in *controller)
{
    uint8_t confirm[ENROL_CONFIRM_BYTES];
    int64_t end_s = now_s() + enrol->wait_s;
    enrol->socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (enrol->socket < 0 ||
        connect(enrol->socket, (const struct sockaddr *)controller, sizeof *controller)) {
        fprintf(stderr, "flyball keys: --controller %s: %s\n", enrol->controller, strerror(errno));
        return CLI_CONNECT;
    }
    if (!ask(enrol, enrol->host.hello, ENROL_HELLO_BYTES, confirm, end_s)) {
        fprintf(stderr, "flyball keys: no answer from %s: nobody serves there, or the token is wrong, "
                "spent, expired or another host's\n", enrol->controller);
        return CLI_CONNECT;
    }
    if (!ask(enrol, confirm, sizeof confirm, NULL, end_s + enrol->wait_s)) {
        fprintf(stderr, "flyball keys: %s answered and did not say that the key is kept: ask for another "
                "token\n", enrol->controller);
        return CLI_CONNECT;
    }
    return write_key(enrol);
}

int keys_enrol(int argc, char **argv)
{
    struct enrol enrol = {.socket = -1};
    struct sockaddr_in controller;
    uint8_t token[ENROL_TOKEN_BYTES];
    int result = parse(argc, argv, &enrol);
    if (result)
        return result;
    if (strlen(enrol.name) >= NAME_BYTES || !keys_address(enrol.controller, &controller))
        return usage("--controller is 10.0.0.1 or 10.0.0.1:7003, and a name has at most 31 bytes");
    if (!access(enrol.file, F_OK)) {
        fprintf(stderr, "flyball keys: %s is there already; move it away\n", enrol.file);
        return CLI_REFUSED;
    }
    if (!read_token(&enrol, token))
        return usage("a token is 32 hexadecimal digits, behind --token or on standard input");
    if (enrol_begin(&enrol.host, token, enrol.name)) {
        fprintf(stderr, "flyball keys: libcrypto has no X25519, HKDF or HMAC\n");
        return CLI_CONNECT;
    }
    result = exchange(&enrol, &controller);
    if (enrol.socket >= 0)
        close(enrol.socket);
    OPENSSL_cleanse(&enrol.host, sizeof enrol.host);
    OPENSSL_cleanse(token, sizeof token);
    return result;
}
