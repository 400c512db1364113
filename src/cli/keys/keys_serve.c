/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens are made, and hosts that show one get a key. A process of its own: flyballd reads the key file again
 * where that has changed, and knows nothing of tokens. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "auth/auth.h"
#include "auth/keys.h"
#include "auth/tokens.h"
#include "cli/cli.h"
#include "cli/keys/keys_enrol.h"

enum { PATH_BYTES = 4096, PENDING_MAX = TOKENS_MAX, LOOK_MS = 1000 };

/* What became of a datagram. X(symbol, name in the summary) */
#define FATES(X) \
    X(FATE_ANSWERED, "answered") X(FATE_ENROLLED, "enrolled") X(FATE_REPEATED, "repeated") \
    X(FATE_MALFORMED, "malformed") X(FATE_UNKNOWN, "unknown") X(FATE_FORGED, "forged") \
    X(FATE_SPENT, "spent") X(FATE_EXPIRED, "expired") X(FATE_FAILED, "failed")
#define FATE_SYMBOL(symbol, name) symbol,
#define FATE_NAME(symbol, name) name,
enum fate { FATES(FATE_SYMBOL) FATE_COUNT };
static const char *const fate_names[] = {FATES(FATE_NAME)};

struct pending {
    struct enrol_desk desk;
    bool open, done;
};

struct server {
    const char *key_path;
    char tokens_path[PATH_BYTES];
    struct tokens tokens;           /* as of the last look */
    int socket;
    struct pending pending[PENDING_MAX];
    uint32_t newest;
    uint64_t fate[FATE_COUNT];
};

static int64_t now_s(void)
{
    return (int64_t)time(NULL);
}

bool keys_address(const char *text, struct sockaddr_in *address)
{
    char host[INET_ADDRSTRLEN] = "", *end;
    const char *colon = strchr(text, ':');
    unsigned long port = colon ? strtoul(colon + 1, &end, 10) : ENROL_PORT;
    size_t bytes = colon ? (size_t)(colon - text) : strlen(text);
    if (bytes >= sizeof host || (colon && (!colon[1] || *end)) || !port || port > UINT16_MAX)
        return false;
    memcpy(host, text, bytes);
    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    return inet_pton(AF_INET, host, &address->sin_addr) == 1;
}

int keys_lock(const char *key_path)
{
    char path[PATH_BYTES];
    if (snprintf(path, sizeof path, "%s.lock", key_path) >= (int)sizeof path)
        return -ENAMETOOLONG;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0 && flock(fd, LOCK_EX)) {
        int error = -errno;
        close(fd);
        return error;
    }
    return fd < 0 ? -errno : fd;
}

static int fail(const char *path, int error)
{
    fprintf(stderr, "flyball keys: %s: %s\n", path,
            error == -EBADMSG ? "a line is not that of a token"
            : error == -EPERM ? "others than its owner may open it, or it is somebody else's"
                              : strerror(-error));
    return error == -EBADMSG || error == -EPERM ? CLI_CONFIG : CLI_CONNECT;
}

/* ---- a token ---- */

static int keep(const char *key_path, const struct tokens_row *row)
{
    char path[PATH_BYTES];
    struct tokens tokens;
    snprintf(path, sizeof path, "%s.tokens", key_path);
    int lock = keys_lock(key_path);
    if (lock < 0)
        return fail(key_path, lock);
    int error = tokens_read(&tokens, path);
    if (!error)
        error = tokens_add(&tokens, row);
    if (!error)
        error = tokens_write(&tokens, path, now_s());
    tokens_free(&tokens);
    close(lock);
    return error ? fail(path, error) : CLI_OK;
}

int keys_token(const struct model *model, const char *key_path, const char *name, int64_t valid_s)
{
    uint8_t token[ENROL_TOKEN_BYTES];
    char text[2 * ENROL_TOKEN_BYTES + 1], until[AUTH_TIME_BYTES];
    struct tokens_row row = {.not_after_s = now_s() + valid_s};
    uint32_t host = 0;
    while (host < model->host_count && strcmp(model->host[host].name, name) != 0)
        host++;
    if (host == model->host_count) {
        fprintf(stderr, "flyball keys: no host of the site has the name %s\n", name);
        return CLI_USAGE;
    }
    snprintf(row.name, sizeof row.name, "%s", name);
    if (getrandom(token, sizeof token, 0) != (ssize_t)sizeof token || enrol_store(token, &row.stored))
        return fail("a token", -EIO);
    int result = keep(key_path, &row);
    if (result)
        return result;
    tokens_hex(token, sizeof token, text);
    auth_time_text(row.not_after_s, until);
    fprintf(stderr, "flyball keys: good once, for %s, until %s; it is kept nowhere\n", name, until);
    printf("%s\n", text);
    OPENSSL_cleanse(token, sizeof token);
    OPENSSL_cleanse(text, sizeof text);
    return fflush(stdout) ? CLI_CONNECT : CLI_OK;
}

/* ---- who serves ---- */

static struct pending *pending_of(struct server *server, const uint8_t id[ENROL_ID_BYTES])
{
    for (uint32_t i = 0; i < PENDING_MAX; i++) {
        struct pending *pending = &server->pending[i];
        if (pending->open && !memcmp(pending->desk.stored.id, id, ENROL_ID_BYTES))
            return pending;
    }
    return NULL;
}

/* Is a token of that id good now? */
static enum fate judge(const struct tokens *tokens, const uint8_t id[ENROL_ID_BYTES],
                       const struct tokens_row **row)
{
    *row = tokens_find(tokens, id);
    if (!*row)
        return FATE_UNKNOWN;
    if ((*row)->used)
        return FATE_SPENT;
    return now_s() >= (*row)->not_after_s ? FATE_EXPIRED : FATE_ANSWERED;
}

static enum fate hello(struct server *server, const uint8_t *data, size_t bytes,
                       const uint8_t id[ENROL_ID_BYTES], const uint8_t **answer)
{
    const struct tokens_row *row;
    struct pending *pending = pending_of(server, id);
    uint16_t key_id = 0;
    enum fate fate = judge(&server->tokens, id, &row);
    if (fate != FATE_ANSWERED)
        return fate;
    if (pending && pending->done)
        return FATE_SPENT;
    if (!pending || memcmp(pending->desk.hello, data, bytes) != 0) {
        struct enrol_desk desk;
        while (!key_id)     /* drawn: of a host with four keys it is one of them once in 16,000 times */
            if (getrandom(&key_id, sizeof key_id, 0) != (ssize_t)sizeof key_id)
                return FATE_FAILED;
        int error = enrol_answer(&desk, &row->stored, row->name, key_id, data, bytes);
        if (error)
            return error == -EBADMSG ? FATE_FORGED : FATE_FAILED;
        pending = pending ? pending : &server->pending[server->newest++ % PENDING_MAX];
        *pending = (struct pending){.desk = desk, .open = true};
    } else {
        fate = FATE_REPEATED;
    }
    *answer = pending->desk.reply;
    return fate;
}

static bool has_id(const struct auth_keys *keys, const struct enrol_desk *desk)
{
    for (uint32_t i = 0; i < keys->count; i++)
        if (keys->row[i].who == AUTH_HOST && keys->row[i].id == desk->key_id &&
            !strcmp(keys->row[i].name, desk->name))
            return true;
    return false;
}

static int add_key(const char *path, const struct enrol_desk *desk)
{
    struct auth_keys keys, more;
    int error = auth_keys_read(&keys, path, stderr);
    if (error)
        return error;
    more = (struct auth_keys){.row = calloc(keys.count + 1, sizeof *more.row), .count = keys.count + 1};
    error = !more.row ? -ENOMEM : has_id(&keys, desk) ? -EEXIST : 0;
    if (!error) {
        struct auth_row *row = &more.row[keys.count];
        if (keys.count)
            memcpy(more.row, keys.row, keys.count * sizeof *more.row);
        *row = (struct auth_row){.who = AUTH_HOST, .id = desk->key_id, .not_before_s = INT64_MIN,
                                 .not_after_s = INT64_MAX};
        memcpy(row->name, desk->name, sizeof row->name);
        memcpy(row->secret, desk->secrets.key, sizeof row->secret);
        error = auth_keys_write(&more, path);
    }
    if (more.row)
        auth_keys_free(&more);
    auth_keys_free(&keys);
    return error;
}

static uint32_t living_of(const struct auth_keys *keys, const char *host)
{
    uint32_t living = 0;
    for (uint32_t i = 0; i < keys->count; i++) {
        const struct auth_row *row = &keys->row[i];
        living += row->who == AUTH_HOST && !strcmp(row->name, host) && !row->revoked &&
                  now_s() < row->not_after_s;
    }
    return living;
}

/* The token is spent on the disk before the key is anywhere: what fails between costs a token. */
static int spend(struct server *server, const struct enrol_desk *desk, enum fate *fate)
{
    const struct tokens_row *row;
    tokens_free(&server->tokens);
    int error = tokens_read(&server->tokens, server->tokens_path);
    if (error)
        return error;
    *fate = judge(&server->tokens, desk->stored.id, &row);
    if (*fate != FATE_ANSWERED)
        return 0;
    /* a file of keys that is not there or not whole costs no token, and is never replaced by one row */
    struct auth_keys keys;
    error = auth_keys_read(&keys, server->key_path, stderr);
    if (error)
        return error;
    error = living_of(&keys, desk->name) < AUTH_KEYS_MAX ? 0 : -E2BIG;
    auth_keys_free(&keys);
    if (error)
        return error;
    *fate = FATE_ENROLLED;
    tokens_find(&server->tokens, desk->stored.id)->used = true;
    error = tokens_write(&server->tokens, server->tokens_path, now_s());
    return error ? error : add_key(server->key_path, desk);
}

static enum fate confirm(struct server *server, const uint8_t *data, size_t bytes,
                         const uint8_t id[ENROL_ID_BYTES], uint8_t done[ENROL_DONE_BYTES])
{
    enum fate fate = FATE_REPEATED;
    struct pending *pending = pending_of(server, id);
    if (!pending)
        return tokens_find(&server->tokens, id) ? FATE_SPENT : FATE_UNKNOWN;
    int error = enrol_take_confirm(&pending->desk, data, bytes, done);
    if (error)
        return error == -EBADMSG ? FATE_FORGED : FATE_FAILED;
    if (pending->done)
        return fate;
    int lock = keys_lock(server->key_path);
    error = lock < 0 ? lock : spend(server, &pending->desk, &fate);
    if (lock >= 0)
        close(lock);
    if (error) {
        fprintf(stderr, "flyball keys: %s: %s: not enrolled: %s\n", server->key_path, pending->desk.name,
                strerror(-error));
        pending->open = false;
        return FATE_FAILED;
    }
    pending->done = fate == FATE_ENROLLED;
    return fate;
}

static void take(struct server *server)
{
    uint8_t data[256], id[ENROL_ID_BYTES], done[ENROL_DONE_BYTES];
    struct sockaddr_in from;
    socklen_t from_bytes = sizeof from;
    const uint8_t *answer = NULL;
    size_t answer_bytes = ENROL_REPLY_BYTES;
    ssize_t got = recvfrom(server->socket, data, sizeof data, MSG_DONTWAIT, (struct sockaddr *)&from,
                           &from_bytes);
    if (got < 0)
        return;
    enum fate fate = FATE_MALFORMED;
    int kind = enrol_kind(data, (size_t)got, id);
    if (kind == ENROL_HELLO) {
        fate = hello(server, data, (size_t)got, id, &answer);
    } else if (kind == ENROL_CONFIRM) {
        fate = confirm(server, data, (size_t)got, id, done);
        answer = fate == FATE_ENROLLED || fate == FATE_REPEATED ? done : NULL;
        answer_bytes = sizeof done;
    }
    server->fate[fate]++;
    if (answer)
        sendto(server->socket, answer, answer_bytes, 0, (const struct sockaddr *)&from, sizeof from);
    if (fate == FATE_ENROLLED)
        printf("%s has key %u, asked from %s\n", pending_of(server, id)->desk.name,
               pending_of(server, id)->desk.key_id, inet_ntoa(from.sin_addr));
    fflush(stdout);
}

/* Tokens made meanwhile; a file that cannot be read enrols nobody. */
static void look(struct server *server)
{
    tokens_free(&server->tokens);
    int error = tokens_read(&server->tokens, server->tokens_path);
    if (error)
        fail(server->tokens_path, error);
}

static void serve(struct server *server, int stop, int64_t for_s)
{
    struct pollfd event[] = {{.fd = server->socket, .events = POLLIN}, {.fd = stop, .events = POLLIN}};
    int64_t end_s = for_s ? now_s() + for_s : INT64_MAX, looked_s = 0;
    while (!event[1].revents && now_s() < end_s) {
        if (now_s() != looked_s) {
            look(server);
            looked_s = now_s();
        }
        if (poll(event, 2, LOOK_MS) > 0 && event[0].revents)
            take(server);
    }
}

static int open_socket(struct server *server, const char *listen)
{
    struct sockaddr_in address;
    if (!keys_address(listen, &address))
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
    snprintf(server->tokens_path, sizeof server->tokens_path, "%s.tokens", key_path);
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    int stop = signalfd(-1, &ends, SFD_CLOEXEC), error = open_socket(server, listen);
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
    tokens_free(&server->tokens);
    OPENSSL_cleanse(server, sizeof *server);
    free(server);
    return !error ? CLI_OK : error == -EINVAL ? CLI_USAGE : CLI_CONNECT;
}
