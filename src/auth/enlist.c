/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/enlist.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "auth/auth.h"
#include "auth/secret_file.h"

/* No file looks like this, nor one that is away: it is read at the next look. */
static const struct stat unseen = {.st_size = -1};

int enlist_open(struct enlist *enlist, const char *keys_path, FILE *report)
{
    *enlist = (struct enlist){.keys_path = keys_path, .keys_seen = unseen, .tokens_seen = unseen,
                               .report = report};
    int length = snprintf(enlist->tokens_path, sizeof enlist->tokens_path, "%s.tokens", keys_path);
    if (length >= (int)sizeof enlist->tokens_path)
        return -ENAMETOOLONG;
    bool drawn = getrandom(enlist->secret, sizeof enlist->secret, 0) == (ssize_t)sizeof enlist->secret;
    return drawn ? 0 : -EIO;
}

void enlist_close(struct enlist *enlist)
{
    tokens_free(&enlist->tokens);
    auth_keys_free(&enlist->keys);
    OPENSSL_cleanse(enlist->secret, sizeof enlist->secret);
}

int enlist_look(struct enlist *enlist, bool *changed)
{
    *changed = secret_file_changed(enlist->tokens_path, &enlist->tokens_seen);
    if (*changed) {
        tokens_free(&enlist->tokens);
        enlist->tokens_error = tokens_read(&enlist->tokens, enlist->tokens_path);
    }
    return enlist->tokens_error;
}

/* Whoever sends the same again and again makes it read once. */
static int look_at_keys(struct enlist *enlist)
{
    if (secret_file_changed(enlist->keys_path, &enlist->keys_seen)) {
        auth_keys_free(&enlist->keys);
        enlist->keys_error = auth_keys_read(&enlist->keys, enlist->keys_path, enlist->report);
    }
    return enlist->keys_error;
}

/* What we wrote is read again, as if somebody else had: what stands in memory is what stands on the disk. */
static int write_tokens(struct enlist *enlist, int64_t now_s)
{
    enlist->tokens_seen = unseen;
    return tokens_write(&enlist->tokens, enlist->tokens_path, now_s);
}

static int write_keys(struct enlist *enlist)
{
    enlist->keys_seen = unseen;
    return auth_keys_write(&enlist->keys, enlist->keys_path);
}

static struct tokens_row *token_of(const struct enlist *enlist, const uint8_t *data, size_t bytes)
{
    uint8_t id[ENROL_ID_BYTES];
    return enrol_kind(data, bytes, id) ? tokens_find(&enlist->tokens, id) : NULL;
}

/* ---- hello ---- */

int enlist_hello(const struct enlist *enlist, int64_t now_s, const uint8_t *data, size_t bytes,
                 enum enlist_fate *fate, uint8_t reply[ENROL_REPLY_BYTES])
{
    struct enrol_key key;
    const struct tokens_row *row = token_of(enlist, data, bytes);
    *fate = !row ? ENLIST_UNKNOWN
            : row->state == TOKEN_USED ? ENLIST_SPENT
            : now_s >= row->not_after_s ? ENLIST_EXPIRED : ENLIST_GOOD;
    if (*fate != ENLIST_GOOD)
        return 0;
    int error = enrol_answer(&row->stored, row->name, enlist->secret, data, bytes, &key, reply);
    OPENSSL_cleanse(&key, sizeof key);
    if (error == -EBADMSG)
        *fate = ENLIST_FORGED;
    return error == -EBADMSG ? 0 : error;
}

/* ---- the key of a token ---- */

/* What stands in the key file for it; NULL = nothing, or somebody revoked it. */
static struct auth_row *key_of(const struct enlist *enlist, const struct tokens_row *token)
{
    uint8_t proof[ENROL_PROOF_BYTES];
    for (uint32_t i = 0; i < enlist->keys.count && token->key_id; i++) {
        struct auth_row *row = &enlist->keys.row[i];
        if (row->who == AUTH_HOST && row->id == token->key_id && !strcmp(row->name, token->name) &&
            !enrol_proof(row->secret, proof) && !memcmp(proof, token->proof, sizeof proof))
            return row->revoked ? NULL : row;
    }
    return NULL;
}

/* The key of a token that is taken ends, if it came as far as the file. */
static int undo(struct enlist *enlist, const struct tokens_row *token)
{
    struct auth_row *row = key_of(enlist, token);
    if (!row)
        return 0;
    row->revoked = true;
    return write_keys(enlist);
}

static int check_room(const struct enlist *enlist, const char *host, uint16_t key_id, int64_t now_s)
{
    uint32_t living = 0;
    for (uint32_t i = 0; i < enlist->keys.count; i++) {
        const struct auth_row *row = &enlist->keys.row[i];
        if (row->who != AUTH_HOST || strcmp(row->name, host) != 0)
            continue;
        if (row->id == key_id)
            return -EEXIST;
        living += !row->revoked && now_s < row->not_after_s;
    }
    return living < AUTH_KEYS_MAX ? 0 : -E2BIG;
}

static int add_key(struct enlist *enlist, const char *host, const struct enrol_key *key)
{
    struct auth_keys *keys = &enlist->keys;
    struct auth_keys more = {.row = calloc(keys->count + 1, sizeof *more.row), .count = keys->count + 1};
    if (!more.row)
        return -ENOMEM;
    memcpy(more.row, keys->row, keys->count * sizeof *more.row);
    struct auth_row *row = &more.row[keys->count];
    *row = (struct auth_row){.who = AUTH_HOST, .id = key->id, .not_before_s = INT64_MIN,
                             .not_after_s = INT64_MAX};
    memcpy(row->name, host, sizeof row->name);
    memcpy(row->secret, key->secret, sizeof row->secret);
    auth_keys_free(keys);
    *keys = more;
    return write_keys(enlist);
}

/* Steps 1 to 3. */
static int spend(struct enlist *enlist, struct tokens_row *token, const struct enrol_key *key, int64_t now_s)
{
    int error = token->state == TOKEN_TAKEN ? undo(enlist, token) : 0;
    if (!error)
        error = check_room(enlist, token->name, key->id, now_s);
    if (error)
        return error;
    token->state = TOKEN_TAKEN;
    token->key_id = key->id;
    error = enrol_proof(key->secret, token->proof);
    if (!error)
        error = write_tokens(enlist, now_s);
    if (!error)
        error = add_key(enlist, token->name, key);
    token->state = TOKEN_USED;
    if (!error)
        error = write_tokens(enlist, now_s);
    if (error)      /* memory is ahead of the disk */
        enlist->tokens_seen = enlist->keys_seen = unseen;
    return error;
}

/* ---- confirm ---- */

/* The exchange whose key stands in the file already goes to its end. */
static int end_again(struct enlist *enlist, struct tokens_row *token, int64_t now_s, enum enlist_fate *fate)
{
    *fate = token->state == TOKEN_USED ? ENLIST_REPEATED : ENLIST_GOOD;
    if (token->state == TOKEN_USED)
        return 0;
    token->state = TOKEN_USED;
    return write_tokens(enlist, now_s);
}

/* That of an exchange with this controller since its start. */
static int end_first(struct enlist *enlist, struct tokens_row *token, int64_t now_s, const uint8_t *data,
                     size_t bytes, enum enlist_fate *fate, uint8_t done[ENROL_DONE_BYTES])
{
    struct enrol_key key;
    uint8_t hello[ENROL_HELLO_BYTES], reply[ENROL_REPLY_BYTES];
    int error = enrol_hello_of(data, bytes, hello);
    if (!error)
        error = enrol_answer(&token->stored, token->name, enlist->secret, hello, sizeof hello, &key, reply);
    if (!error)
        error = enrol_take_confirm(&key, token->name, data, bytes, done);
    *fate = error == -EBADMSG ? ENLIST_FORGED : ENLIST_GOOD;
    if (!error)
        error = spend(enlist, token, &key, now_s);
    OPENSSL_cleanse(&key, sizeof key);
    return *fate == ENLIST_FORGED ? 0 : error;
}

static int confirm_token(struct enlist *enlist, struct tokens_row *token, int64_t now_s, const uint8_t *data,
                         size_t bytes, enum enlist_fate *fate, uint8_t done[ENROL_DONE_BYTES])
{
    const struct auth_row *row = token->state == TOKEN_FREE ? NULL : key_of(enlist, token);
    if (token->state != TOKEN_USED && now_s >= token->not_after_s) {
        *fate = ENLIST_EXPIRED;
        return row ? undo(enlist, token) : 0;
    }
    if (row) {
        struct enrol_key key = {.id = row->id};
        memcpy(key.secret, row->secret, sizeof key.secret);
        int error = enrol_take_confirm(&key, token->name, data, bytes, done);
        OPENSSL_cleanse(&key, sizeof key);
        if (error != -EBADMSG)
            return error ? error : end_again(enlist, token, now_s, fate);
    }
    *fate = ENLIST_SPENT;
    return token->state == TOKEN_USED ? 0 : end_first(enlist, token, now_s, data, bytes, fate, done);
}

int enlist_confirm(struct enlist *enlist, int64_t now_s, const uint8_t *data, size_t bytes,
                   enum enlist_fate *fate, struct enlist_host *host, uint8_t done[ENROL_DONE_BYTES])
{
    bool changed;
    int error = enlist_look(enlist, &changed);
    struct tokens_row *token = error ? NULL : token_of(enlist, data, bytes);
    *fate = ENLIST_UNKNOWN;
    if (!token)
        return error;
    memcpy(host->name, token->name, sizeof host->name);
    error = look_at_keys(enlist);
    if (!error)
        error = confirm_token(enlist, token, now_s, data, bytes, fate, done);
    host->key_id = token->key_id;
    return error;
}

int enlist_token(struct enlist *enlist, const struct tokens_row *row, int64_t now_s)
{
    bool changed;
    int error = enlist_look(enlist, &changed);
    for (uint32_t i = 0; i < enlist->tokens.count && !error; i++) {
        struct tokens_row *token = &enlist->tokens.row[i];
        if (token->state != TOKEN_TAKEN)
            continue;
        error = look_at_keys(enlist);
        if (!error)
            error = undo(enlist, token);
        token->state = TOKEN_FREE;
        token->key_id = 0;
    }
    if (!error)
        tokens_drop(&enlist->tokens, now_s);    /* they would take the room of others */
    if (!error)
        error = tokens_add(&enlist->tokens, row);
    return error ? error : write_tokens(enlist, now_s);
}
