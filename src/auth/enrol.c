/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/enrol.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

/* Places in every datagram. */
enum { AT_KIND = 4, AT_KEY_ID = 6, AT_ID = 8, AT_POINT = 16, AT_LONG_TAG = 48, AT_SHORT_TAG = 16 };
static const uint8_t magic[] = {'F', 'L', 'E', '1'};
static const char salt[] = "flyball enrolment 1";

static_assert(AT_LONG_TAG + ENROL_TAG_BYTES == ENROL_HELLO_BYTES, "the tag ends hello and reply");
static_assert(AT_SHORT_TAG + ENROL_TAG_BYTES == ENROL_CONFIRM_BYTES, "and confirm and done");

/* RFC 5869. */
static int expand(const void *from, size_t from_bytes, const void *with, size_t with_bytes, const char *info,
                  uint8_t *out, size_t out_bytes)
{
    char digest[] = "SHA256";
    EVP_KDF *kind = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *context = kind ? EVP_KDF_CTX_new(kind) : NULL;
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)from, from_bytes),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)(uintptr_t)with, with_bytes),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)(uintptr_t)info, strlen(info)),
        OSSL_PARAM_construct_end()};
    bool good = context && EVP_KDF_derive(context, out, out_bytes, parameters) == 1;
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kind);
    return good ? 0 : -EIO;
}

/* ---- X25519 ---- */

static int point_of(const uint8_t private[ENROL_POINT_BYTES], uint8_t point[ENROL_POINT_BYTES])
{
    size_t bytes = ENROL_POINT_BYTES;
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, private, ENROL_POINT_BYTES);
    bool good = key && EVP_PKEY_get_raw_public_key(key, point, &bytes) == 1 && bytes == ENROL_POINT_BYTES;
    EVP_PKEY_free(key);
    return good ? 0 : -EIO;
}

/* libcrypto refuses a product that is zero, which a point of small order gives: RFC 7748 section 6.1. */
static int product(const uint8_t private[ENROL_POINT_BYTES], const uint8_t point[ENROL_POINT_BYTES],
                   uint8_t out[ENROL_POINT_BYTES])
{
    size_t bytes = ENROL_POINT_BYTES;
    EVP_PKEY *own = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, private, ENROL_POINT_BYTES);
    EVP_PKEY *other = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, point, ENROL_POINT_BYTES);
    EVP_PKEY_CTX *context = own ? EVP_PKEY_CTX_new(own, NULL) : NULL;
    bool good = context && other && EVP_PKEY_derive_init(context) == 1 &&
                EVP_PKEY_derive_set_peer(context, other) == 1 && EVP_PKEY_derive(context, out, &bytes) == 1;
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(other);
    EVP_PKEY_free(own);
    return good ? 0 : -EBADMSG;
}

static int draw(uint8_t private[ENROL_POINT_BYTES], uint8_t point[ENROL_POINT_BYTES])
{
    if (getrandom(private, ENROL_POINT_BYTES, 0) != ENROL_POINT_BYTES)
        return -EIO;
    return point_of(private, point);
}

static int private_of(const uint8_t token[ENROL_TOKEN_BYTES], uint8_t private[ENROL_POINT_BYTES])
{
    return expand(token, ENROL_TOKEN_BYTES, salt, sizeof salt - 1, "token", private, ENROL_POINT_BYTES);
}

int enrol_store(const uint8_t token[ENROL_TOKEN_BYTES], struct enrol_stored *stored)
{
    uint8_t private[ENROL_POINT_BYTES];
    int error = private_of(token, private);
    if (!error)
        error = point_of(private, stored->point);
    if (!error)
        error = expand(token, ENROL_TOKEN_BYTES, salt, sizeof salt - 1, "id", stored->id, ENROL_ID_BYTES);
    OPENSSL_cleanse(private, sizeof private);
    return error;
}

/* ---- datagrams ---- */

static void begin(uint8_t *data, enum enrol_kind kind, uint16_t key_id, const struct enrol_stored *stored)
{
    memset(data, 0, AT_ID);
    memcpy(data, magic, sizeof magic);
    data[AT_KIND] = (uint8_t)kind;
    memcpy(data + AT_KEY_ID, &key_id, sizeof key_id);
    memcpy(data + AT_ID, stored->id, ENROL_ID_BYTES);
}

int enrol_kind(const uint8_t *data, size_t bytes, uint8_t id[ENROL_ID_BYTES])
{
    static const size_t length[] = {0, ENROL_HELLO_BYTES, ENROL_REPLY_BYTES, ENROL_CONFIRM_BYTES,
                                    ENROL_DONE_BYTES};
    if (bytes < ENROL_CONFIRM_BYTES || memcmp(data, magic, sizeof magic) != 0)
        return 0;
    int kind = data[AT_KIND];
    if (kind < ENROL_HELLO || kind > ENROL_DONE || bytes != length[kind])
        return 0;
    memcpy(id, data + AT_ID, ENROL_ID_BYTES);
    return kind;
}

/* What stands before it, whole, and the name of the host: so a token is bound to that. */
static int tag_of(const uint8_t key[ENROL_TAG_BYTES], const uint8_t *data, size_t bytes, const char *name,
                  uint8_t tag[ENROL_TAG_BYTES])
{
    uint8_t said[ENROL_HELLO_BYTES + NAME_BYTES] = {0};
    unsigned tag_bytes = 0;
    memcpy(said, data, bytes);
    memcpy(said + bytes, name, strnlen(name, NAME_BYTES - 1));
    return HMAC(EVP_sha256(), key, ENROL_TAG_BYTES, said, bytes + NAME_BYTES, tag, &tag_bytes) &&
           tag_bytes == ENROL_TAG_BYTES ? 0 : -EIO;
}

static int set_tag(uint8_t *data, size_t at, const uint8_t key[ENROL_TAG_BYTES], const char *name)
{
    return tag_of(key, data, at, name, data + at);
}

static int check_tag(const uint8_t *data, size_t at, const uint8_t key[ENROL_TAG_BYTES], const char *name)
{
    uint8_t tag[ENROL_TAG_BYTES];
    int error = tag_of(key, data, at, name, tag);
    return error ? error : CRYPTO_memcmp(tag, data + at, ENROL_TAG_BYTES) ? -EBADMSG : 0;
}

/* A datagram of that kind and of this token. */
static bool is_of(const uint8_t *data, size_t bytes, enum enrol_kind kind, const struct enrol_stored *stored)
{
    uint8_t id[ENROL_ID_BYTES];
    return enrol_kind(data, bytes, id) == (int)kind && !memcmp(id, stored->id, sizeof id);
}

/* The tag of hello needs nothing but what both have before. */
static int hello_key(const struct enrol_stored *stored, uint8_t key[ENROL_TAG_BYTES])
{
    return expand(stored->point, sizeof stored->point, salt, sizeof salt - 1, "hello", key, ENROL_TAG_BYTES);
}

/* Both products and the stored half, over all that was said up to the reply's tag. */
static int derive(struct enrol_secrets *secrets, const uint8_t products[2 * ENROL_POINT_BYTES],
                  const struct enrol_stored *stored, const uint8_t *hello, const uint8_t *reply,
                  const char *name)
{
    uint8_t from[3 * ENROL_POINT_BYTES], said[SHA256_DIGEST_LENGTH];
    uint8_t all[ENROL_HELLO_BYTES + AT_LONG_TAG + NAME_BYTES] = {0};
    memcpy(all, hello, ENROL_HELLO_BYTES);
    memcpy(all + ENROL_HELLO_BYTES, reply, AT_LONG_TAG);
    memcpy(all + ENROL_HELLO_BYTES + AT_LONG_TAG, name, strnlen(name, NAME_BYTES - 1));
    SHA256(all, sizeof all, said);
    memcpy(from, products, 2 * ENROL_POINT_BYTES);
    memcpy(from + 2 * ENROL_POINT_BYTES, stored->point, ENROL_POINT_BYTES);
    int error = expand(from, sizeof from, said, sizeof said, "key", secrets->key, sizeof secrets->key);
    if (!error)
        error = expand(from, sizeof from, said, sizeof said, "reply", secrets->reply, ENROL_TAG_BYTES);
    if (!error)
        error = expand(from, sizeof from, said, sizeof said, "confirm", secrets->confirm, ENROL_TAG_BYTES);
    if (!error)
        error = expand(from, sizeof from, said, sizeof said, "done", secrets->done, ENROL_TAG_BYTES);
    OPENSSL_cleanse(from, sizeof from);
    return error;
}

/* ---- the host ---- */

int enrol_begin(struct enrol_host *host, const uint8_t token[ENROL_TOKEN_BYTES], const char *name)
{
    uint8_t key[ENROL_TAG_BYTES];
    *host = (struct enrol_host){.key_id = 0};
    snprintf(host->name, sizeof host->name, "%s", name);
    int error = enrol_store(token, &host->stored);
    if (!error)
        error = private_of(token, host->token_private);
    begin(host->hello, ENROL_HELLO, 0, &host->stored);
    if (!error)
        error = draw(host->own_private, host->hello + AT_POINT);
    if (!error)
        error = hello_key(&host->stored, key);
    return error ? error : set_tag(host->hello, AT_LONG_TAG, key, host->name);
}

int enrol_take_reply(struct enrol_host *host, const uint8_t *data, size_t bytes,
                     uint8_t confirm[ENROL_CONFIRM_BYTES])
{
    uint8_t products[2 * ENROL_POINT_BYTES];
    if (!is_of(data, bytes, ENROL_REPLY, &host->stored))
        return -EBADMSG;
    int error = product(host->own_private, data + AT_POINT, products);
    if (!error)
        error = product(host->token_private, data + AT_POINT, products + ENROL_POINT_BYTES);
    if (!error)
        error = derive(&host->secrets, products, &host->stored, host->hello, data, host->name);
    OPENSSL_cleanse(products, sizeof products);
    if (!error)
        error = check_tag(data, AT_LONG_TAG, host->secrets.reply, host->name);
    if (error)
        return error;
    memcpy(&host->key_id, data + AT_KEY_ID, sizeof host->key_id);
    begin(confirm, ENROL_CONFIRM, 0, &host->stored);
    return set_tag(confirm, AT_SHORT_TAG, host->secrets.confirm, host->name);
}

int enrol_take_done(const struct enrol_host *host, const uint8_t *data, size_t bytes)
{
    if (!host->key_id || !is_of(data, bytes, ENROL_DONE, &host->stored))
        return -EBADMSG;
    return check_tag(data, AT_SHORT_TAG, host->secrets.done, host->name);
}

/* ---- the controller ---- */

int enrol_answer(struct enrol_desk *desk, const struct enrol_stored *stored, const char *name,
                 uint16_t key_id, const uint8_t *data, size_t bytes)
{
    uint8_t key[ENROL_TAG_BYTES], private[ENROL_POINT_BYTES], products[2 * ENROL_POINT_BYTES];
    if (!is_of(data, bytes, ENROL_HELLO, stored))
        return -EBADMSG;
    int error = hello_key(stored, key);
    if (!error)
        error = check_tag(data, AT_LONG_TAG, key, name);
    if (error)
        return error;
    *desk = (struct enrol_desk){.stored = *stored, .key_id = key_id};
    snprintf(desk->name, sizeof desk->name, "%s", name);
    memcpy(desk->hello, data, ENROL_HELLO_BYTES);
    begin(desk->reply, ENROL_REPLY, key_id, stored);
    error = draw(private, desk->reply + AT_POINT);
    if (!error)
        error = product(private, data + AT_POINT, products);
    if (!error)
        error = product(private, stored->point, products + ENROL_POINT_BYTES);
    if (!error)
        error = derive(&desk->secrets, products, stored, desk->hello, desk->reply, desk->name);
    OPENSSL_cleanse(private, sizeof private);
    OPENSSL_cleanse(products, sizeof products);
    return error ? error : set_tag(desk->reply, AT_LONG_TAG, desk->secrets.reply, desk->name);
}

int enrol_take_confirm(const struct enrol_desk *desk, const uint8_t *data, size_t bytes,
                       uint8_t done[ENROL_DONE_BYTES])
{
    if (!is_of(data, bytes, ENROL_CONFIRM, &desk->stored))
        return -EBADMSG;
    int error = check_tag(data, AT_SHORT_TAG, desk->secrets.confirm, desk->name);
    if (error)
        return error;
    begin(done, ENROL_DONE, 0, &desk->stored);
    return set_tag(done, AT_SHORT_TAG, desk->secrets.done, desk->name);
}
