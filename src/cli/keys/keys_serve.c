/* SPDX-License-Identifier: Apache-2.0 */
/* Hosts that show a token get a key. A process of its own: flyballd reads the key file again where that has
 * changed, and knows nothing of tokens. */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "agent/newcomer.h"
#include "auth/enlist.h"
#include "cli/cli.h"
#include "cli/keys/keys_enrol.h"
#include "cli/keys/keys_lock.h"

enum { LOOK_MS = 1000, DATAGRAM_BYTES = 256 };

/* What became of a datagram. X(symbol, name in the summary) */
#define FATES(X) \
    X(FATE_ANSWERED, "answered") X(FATE_ENROLLED, "enrolled") X(FATE_REPEATED, "repeated") \
    X(FATE_MALFORMED, "malformed") X(FATE_UNKNOWN, "unknown") X(FATE_FORGED, "forged") \
    X(FATE_SPENT, "spent") X(FATE_EXPIRED, "expired") X(FATE_FAILED, "failed")
#define FATE_SYMBOL(symbol, name) symbol,
#define FATE_NAME(symbol, name) name,
enum fate { FATES(FATE_SYMBOL) FATE_COUNT };
static const char *const fate_names[] = {FATES(FATE_NAME)};

/* Of each enum enlist_fate, for a hello and for a confirm. */
static const enum fate hello_fates[] = {
    [ENLIST_GOOD] = FATE_ANSWERED, [ENLIST_REPEATED] = FATE_REPEATED, [ENLIST_UNKNOWN] = FATE_UNKNOWN,
    [ENLIST_FORGED] = FATE_FORGED, [ENLIST_SPENT] = FATE_SPENT, [ENLIST_EXPIRED] = FATE_EXPIRED};

struct server {
    const char *key_path;
    struct enlist enlist;
    int socket;
    uint64_t fate[FATE_COUNT];
};

struct datagram {
    uint8_t data[DATAGRAM_BYTES];
    size_t bytes;
    struct sockaddr_in peer;
};

static int64_t now_s(void)
{
    return (int64_t)time(NULL);
}

/* Tokens made meanwhile; a file that cannot be read enrols nobody. Told once, and read once: who sends
 * much makes it look at the facts of the file alone. */
static void look(struct server *server)
{
    bool changed;
    int error = enlist_look(&server->enlist, &changed);
    if (error && changed)
        keys_fail(server->enlist.tokens_path, error);
}

static enum fate hello(struct server *server, const struct datagram *heard, struct datagram *answer)
{
    enum enlist_fate fate;
    look(server);
    int error = enlist_hello(&server->enlist, now_s(), heard->data, heard->bytes, &fate, answer->data);
    answer->bytes = !error && fate == ENLIST_GOOD ? ENROL_REPLY_BYTES : 0;
    return error ? FATE_FAILED : hello_fates[fate];
}

static enum fate confirm(struct server *server, const struct datagram *heard, struct datagram *answer)
{
    enum enlist_fate fate = ENLIST_UNKNOWN;
    struct enlist_host host = {.name = ""};
    int lock = keys_lock(server->key_path);
    int error = lock < 0 ? lock
                         : enlist_confirm(&server->enlist, now_s(), heard->data, heard->bytes, &fate, &host,
                                          answer->data);
    if (lock >= 0)
        close(lock);
    if (error) {
        fprintf(stderr, "flyball keys: %s: %s: not enrolled: %s\n", server->key_path, host.name,
                error == -E2BIG ? "it has as many keys in force as it may; revoke one" : strerror(-error));
        return FATE_FAILED;
    }
    answer->bytes = fate == ENLIST_GOOD || fate == ENLIST_REPEATED ? ENROL_DONE_BYTES : 0;
    if (fate == ENLIST_GOOD)
        printf("%s has key %u, asked from %s\n", host.name, host.key_id, inet_ntoa(heard->peer.sin_addr));
    return fate == ENLIST_GOOD ? FATE_ENROLLED : hello_fates[fate];
}

static void take(struct server *server)
{
    uint8_t id[ENROL_ID_BYTES];
    struct datagram heard, answer = {.bytes = 0};
    socklen_t peer_bytes = sizeof heard.peer;
    ssize_t got = recvfrom(server->socket, heard.data, sizeof heard.data, MSG_DONTWAIT,
                           (struct sockaddr *)&heard.peer, &peer_bytes);
    if (got < 0)
        return;
    heard.bytes = (size_t)got;
    int kind = enrol_kind(heard.data, heard.bytes, id);
    enum fate fate = kind == ENROL_HELLO     ? hello(server, &heard, &answer)
                     : kind == ENROL_CONFIRM ? confirm(server, &heard, &answer)
                                             : FATE_MALFORMED;
    server->fate[fate]++;
    if (answer.bytes)
        sendto(server->socket, answer.data, answer.bytes, 0, (const struct sockaddr *)&heard.peer,
               sizeof heard.peer);
    fflush(stdout);
}

static void serve(struct server *server, int stop, int64_t for_s)
{
    struct pollfd event[] = {{.fd = server->socket, .events = POLLIN}, {.fd = stop, .events = POLLIN}};
    int64_t end_s = for_s ? now_s() + for_s : INT64_MAX;
    while (!event[1].revents && now_s() < end_s)
        if (poll(event, 2, LOOK_MS) > 0 && event[0].revents)
            take(server);
}

static int open_socket(struct server *server, const char *listen)
{
    struct sockaddr_in address;
    if (!newcomer_address(listen, &address))
        return -EINVAL;
    server->socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (server->socket < 0 || bind(server->socket, (const struct sockaddr *)&address, sizeof address))
        return -errno;
    return 0;
}

int keys_serve(const char *key_path, const char *listen, int64_t for_s)
{
    struct server *server = calloc(1, sizeof *server);
    sigset_t ends;
    if (!server)
        return CLI_CONNECT;
    server->key_path = key_path;
    int error = enlist_open(&server->enlist, key_path, stderr);
    if (error) {
        free(server);
        return keys_fail(key_path, error);
    }
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    int stop = signalfd(-1, &ends, SFD_CLOEXEC);
    error = open_socket(server, listen);
    if (!error) {
        printf("answers at %s\n", listen);
        fflush(stdout);
        serve(server, stop, for_s);
        for (int i = 0; i < FATE_COUNT; i++)
            printf("%s\"%s\": %" PRIu64 "%s", i ? ", " : "{", fate_names[i], server->fate[i],
                   i + 1 < FATE_COUNT ? "" : "}\n");
    } else {
        fprintf(stderr, "flyball keys: --listen %s: %s\n", listen,
                error == -EINVAL ? "write it as 10.0.0.1 or 10.0.0.1:7003" : strerror(-error));
    }
    close(stop);
    if (server->socket > 0)
        close(server->socket);
    enlist_close(&server->enlist);
    OPENSSL_cleanse(server, sizeof *server);
    free(server);
    return !error ? CLI_OK : error == -EINVAL ? CLI_USAGE : CLI_CONNECT;
}
