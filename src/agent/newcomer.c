/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/newcomer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libgen.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "auth/keys.h"
#include "auth/secret_file.h"
#include "auth/tokens.h"
#include "record/folder.h"

/* Asked again so often; a confirm alone for so long, then in turn with hello: the controller may have
 * begun anew and know nothing of what it answered. */
enum { AGAIN_MS = 500, CONFIRM_ALONE_MS = 2000, DATAGRAM_BYTES = 256 };

static const char confirm_line[] = "# confirm ";

/* What came of the reply. */
struct claim {
    bool there;
    struct enrol_key key;
    uint8_t confirm[ENROL_CONFIRM_BYTES];
    int64_t since_ms;
};

struct exchange {
    const struct newcomer *newcomer;
    FILE *report;
    char pending[NEWCOMER_PATH_BYTES];
    struct enrol_host host;
    struct claim claim;
    bool says_hello;
    uint32_t turn;
    int socket;
};

bool newcomer_address(const char *text, struct sockaddr_in *address)
{
    char host[INET_ADDRSTRLEN] = "", *end;
    const char *colon = strchr(text, ':');
    unsigned long port = colon ? strtoul(colon + 1, &end, 10) : NEWCOMER_PORT;
    size_t bytes = colon ? (size_t)(colon - text) : strlen(text);
    if (bytes >= sizeof host || (colon && (!colon[1] || *end)) || !port || port > UINT16_MAX)
        return false;
    memcpy(host, text, bytes);
    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    return inet_pton(AF_INET, host, &address->sin_addr) == 1;
}

bool newcomer_token(const char *text, uint8_t token[ENROL_TOKEN_BYTES])
{
    char line[4 * ENROL_TOKEN_BYTES] = "";
    if (text)
        snprintf(line, sizeof line, "%s", text);
    else if (!fgets(line, sizeof line, stdin))
        return false;
    line[strcspn(line, " \r\n")] = 0;
    bool good = tokens_unhex(line, token, ENROL_TOKEN_BYTES);
    OPENSSL_cleanse(line, sizeof line);
    return good;
}

/* The clock of the day may be set while a machine comes up. */
static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int fail(const struct exchange *exchange, const char *path, int error, const char *so)
{
    fprintf(exchange->report, "%s: %s: %s%s\n", exchange->newcomer->program, path, strerror(-error), so);
    return error;
}

/* ---- what is kept ---- */

/* A key file, with what is to be said of it as a comment. */
static int fill(const void *what, FILE *out)
{
    const struct exchange *exchange = what;
    char confirm[2 * ENROL_CONFIRM_BYTES + 1];
    struct auth_row row = {.who = AUTH_HOST, .id = exchange->claim.key.id, .not_before_s = INT64_MIN,
                           .not_after_s = INT64_MAX};
    snprintf(row.name, sizeof row.name, "%s", exchange->newcomer->name);
    memcpy(row.secret, exchange->claim.key.secret, sizeof row.secret);
    tokens_hex(exchange->claim.confirm, ENROL_CONFIRM_BYTES, confirm);
    fprintf(out, "%s%s\n", confirm_line, confirm);
    auth_row_print(&row, out);
    OPENSSL_cleanse(&row, sizeof row);
    return 0;
}

static bool read_confirm(const char *path, uint8_t confirm[ENROL_CONFIRM_BYTES])
{
    char line[AUTH_LINE_BYTES] = "";
    FILE *in = fopen(path, "re");
    bool good = in && fgets(line, sizeof line, in) && !strncmp(line, confirm_line, sizeof confirm_line - 1);
    if (in)
        fclose(in);
    line[strcspn(line, "\n")] = 0;
    return good && tokens_unhex(line + sizeof confirm_line - 1, confirm, ENROL_CONFIRM_BYTES);
}

/* What was begun with this token; anything else there is of another one, and is written over. */
static void read_claim(struct exchange *exchange)
{
    struct claim *claim = &exchange->claim;
    struct auth_keys keys;
    uint8_t id[ENROL_ID_BYTES];
    if (access(exchange->pending, F_OK) || !read_confirm(exchange->pending, claim->confirm) ||
        enrol_kind(claim->confirm, sizeof claim->confirm, id) != ENROL_CONFIRM ||
        memcmp(id, exchange->host.stored.id, sizeof id) != 0 ||
        auth_keys_read(&keys, exchange->pending, exchange->report))
        return;
    if (keys.count == 1 && keys.row[0].who == AUTH_HOST &&
        !strcmp(keys.row[0].name, exchange->newcomer->name)) {
        claim->key.id = keys.row[0].id;
        memcpy(claim->key.secret, keys.row[0].secret, sizeof claim->key.secret);
        claim->there = true;
        claim->since_ms = now_ms();
    }
    auth_keys_free(&keys);
}

/* The token is worth something still: where this cannot be written, nothing was said. */
static int keep(struct exchange *exchange, const struct enrol_key *key,
                const uint8_t confirm[ENROL_CONFIRM_BYTES])
{
    struct claim *claim = &exchange->claim;
    if (claim->there && claim->key.id == key->id && !memcmp(claim->key.secret, key->secret, AUTH_KEY_BYTES))
        return 0;
    *claim = (struct claim){.there = true, .key = *key, .since_ms = now_ms()};
    memcpy(claim->confirm, confirm, ENROL_CONFIRM_BYTES);
    int error = secret_file_write(exchange->pending, fill, exchange);
    return error ? fail(exchange, exchange->pending, error, "; the token is not spent") : 0;
}

static int finish(const struct exchange *exchange, FILE *out)
{
    const struct newcomer *newcomer = exchange->newcomer;
    int error = rename(exchange->pending, newcomer->file) ? -errno : folder_sync(newcomer->file);
    if (error)
        return fail(exchange, newcomer->file, error, "; try again with the same token");
    fprintf(out, "%s: key %u of %s, good as soon as flyballd has read it, within 2 s\n", newcomer->file,
            exchange->claim.key.id, newcomer->name);
    return 0;
}

/* ---- the exchange ---- */

static ssize_t say(struct exchange *exchange)
{
    const struct claim *claim = &exchange->claim;
    bool alone = claim->there && now_ms() - claim->since_ms < CONFIRM_ALONE_MS;
    exchange->says_hello = !claim->there || (!alone && exchange->turn++ % 2);
    return exchange->says_hello ? send(exchange->socket, exchange->host.hello, ENROL_HELLO_BYTES, 0)
                                : send(exchange->socket, claim->confirm, ENROL_CONFIRM_BYTES, 0);
}

/* One datagram before that time; 0: none came. */
static size_t hear(const struct exchange *exchange, uint8_t data[DATAGRAM_BYTES], int64_t until_ms)
{
    struct pollfd event = {.fd = exchange->socket, .events = POLLIN};
    int64_t left_ms = until_ms - now_ms();
    if (left_ms <= 0 || poll(&event, 1, (int)left_ms) <= 0)
        return 0;
    ssize_t got = recv(exchange->socket, data, DATAGRAM_BYTES, MSG_DONTWAIT);
    if (got >= 0)
        return (size_t)got;
    /* nobody there yet: at once it would be the same */
    nanosleep(&(struct timespec){.tv_nsec = AGAIN_MS / 10 * 1000000}, NULL);
    return 0;
}

/* Says it once, and hears what comes of it. 1: done; 0: not yet. A reply counts only while hello is what is
 * said
 * last: an old one is no reason to give up what may have been kept. */
static int turn(struct exchange *exchange)
{
    const struct newcomer *newcomer = exchange->newcomer;
    int64_t until_ms = now_ms() + AGAIN_MS;
    bool sent = say(exchange) >= 0;
    do {
        uint8_t data[DATAGRAM_BYTES], confirm[ENROL_CONFIRM_BYTES];
        struct enrol_key key;
        size_t got = hear(exchange, data, until_ms);
        if (exchange->claim.there && !enrol_take_done(&exchange->claim.key, newcomer->name,
                                                      exchange->host.stored.id, data, got))
            return 1;
        if (!exchange->says_hello || !sent || enrol_take_reply(&exchange->host, data, got, &key, confirm))
            continue;
        int error = keep(exchange, &key, confirm);
        OPENSSL_cleanse(&key, sizeof key);
        return error;
    } while (now_ms() < until_ms);
    return 0;
}

static int go(struct exchange *exchange, FILE *out)
{
    const struct newcomer *newcomer = exchange->newcomer;
    int64_t began_ms = now_ms(), wait_ms = newcomer->wait_s * 1000;
    int result = 0;
    while (!result &&
           now_ms() < (exchange->claim.there ? exchange->claim.since_ms : began_ms) + wait_ms)
        result = turn(exchange);
    if (result)
        return result > 0 ? finish(exchange, out) : result;
    fprintf(
        exchange->report,
        exchange->claim.there
            ? "%s: %s answered and did not say that the key is kept: try again with the same token; what was "
              "begun stands beside the key file\n"
            : "%s: no answer from %s: nobody serves there, or the token is wrong, spent, expired or "
              "another host's\n",
        newcomer->program, newcomer->controller);
    return -ETIMEDOUT;
}

/* Before a token is worth less: can the key file be made there? */
static int check_place(struct exchange *exchange)
{
    const struct newcomer *newcomer = exchange->newcomer;
    char folder[NEWCOMER_PATH_BYTES];
    if (!access(newcomer->file, F_OK))
        return fail(exchange, newcomer->file, -EEXIST, "; it is there already, move it away");
    if (snprintf(folder, sizeof folder, "%s", newcomer->file) >= (int)sizeof folder ||
        snprintf(exchange->pending, sizeof exchange->pending, "%s.enrolling", newcomer->file) >=
            (int)sizeof exchange->pending)
        return fail(exchange, newcomer->file, -ENAMETOOLONG, "");
    const char *above = dirname(folder);
    return access(above, W_OK | X_OK) ? fail(exchange, above, -errno, "; the token is not spent") : 0;
}

int newcomer_enrol(const struct newcomer *newcomer, const uint8_t token[ENROL_TOKEN_BYTES], FILE *out,
                   FILE *report)
{
    struct exchange exchange = {.newcomer = newcomer, .report = report, .socket = -1};
    int error = check_place(&exchange);
    if (error)
        return error;
    error = enrol_begin(&exchange.host, token, newcomer->name);
    if (error)
        fprintf(report, "%s: libcrypto has no X25519, HKDF or HMAC\n", newcomer->program);
    if (!error)
        exchange.socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (!error && (exchange.socket < 0 ||
                   connect(exchange.socket, (const struct sockaddr *)&newcomer->address,
                           sizeof newcomer->address)))
        error = fail(&exchange, newcomer->controller, -errno, "");
    if (!error) {
        read_claim(&exchange);
        error = go(&exchange, out);
    }
    if (exchange.socket >= 0)
        close(exchange.socket);
    OPENSSL_cleanse(&exchange, sizeof exchange);
    return error;
}
