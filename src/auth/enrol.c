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
enum { AT_KIND = 4, AT_KEY_ID = 6, AT_ID = 8, AT_POINT = 16, AT_LONG_TAG = 48, AT_DONE_TAG = 16 };
static const uint8_t magic[] = {'F', 'L', 'E', '1'};
static const char salt[] = "flyball enrolment 1";

static_assert(AT_LONG_TAG + ENROL_TAG_BYTES == ENROL_HELLO_BYTES, "the tag ends hello and reply");
static_assert(AT_DONE_TAG + ENROL_TAG_BYTES == ENROL_DONE_BYTES, "and done; confirm has one more");

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

int enrol_proof(const uint8_t secret[AUTH_KEY_BYTES], uint8_t proof[ENROL_PROOF_BYTES])
{
    return expand(secret, AUTH_KEY_BYTES, salt, sizeof salt - 1, "proof", proof, ENROL_PROOF_BYTES);
}

/* ---- datagrams ---- */

static void begin(uint8_t *data, enum enrol_kind kind, uint16_t key_id, const uint8_t id[ENROL_ID_BYTES])
{
    memset(data, 0, AT_ID);
    memcpy(data, magic, sizeof magic);
    data[AT_KIND] = (uint8_t)kind;
    memcpy(data + AT_KEY_ID, &key_id, sizeof key_id);
    memcpy(data + AT_ID, id, ENROL_ID_BYTES);
}

int enrol_kind(const uint8_t *data, size_t bytes, uint8_t id[ENROL_ID_BYTES])
{
    static const size_t length[] = {0, ENROL_HELLO_BYTES, ENROL_REPLY_BYTES, ENROL_CONFIRM_BYTES,
                                    ENROL_DONE_BYTES};
    if (bytes < ENROL_DONE_BYTES || memcmp(data, magic, sizeof magic) != 0)
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
    uint8_t said[ENROL_CONFIRM_BYTES + NAME_BYTES] = {0};
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
static bool is_of(const uint8_t *data, size_t bytes, enum enrol_kind kind,
                  const uint8_t token[ENROL_ID_BYTES])
{
    uint8_t id[ENROL_ID_BYTES];
    return enrol_kind(data, bytes, id) == (int)kind && !memcmp(id, token, sizeof id);
}

/* The tag of hello needs nothing but what both have before. */
static int hello_key(const struct enrol_stored *stored, uint8_t key[ENROL_TAG_BYTES])
{
    return expand(stored->point, sizeof stored->point, salt, sizeof salt - 1, "hello", key, ENROL_TAG_BYTES);
}

/* What only both ends of one exchange can make: the secret of the row, and the key of the reply's tag. Both
 * products and the stored half, over all that was said up to that tag. */
static int derive(const uint8_t products[2 * ENROL_POINT_BYTES], const struct enrol_stored *stored,
                  const uint8_t *hello, const uint8_t *reply, const char *name,
                  uint8_t secret[AUTH_KEY_BYTES], uint8_t reply_key[ENROL_TAG_BYTES])
{
    uint8_t from[3 * ENROL_POINT_BYTES], said[SHA256_DIGEST_LENGTH];
    uint8_t all[ENROL_HELLO_BYTES + AT_LONG_TAG + NAME_BYTES] = {0};
    memcpy(all, hello, ENROL_HELLO_BYTES);
    memcpy(all + ENROL_HELLO_BYTES, reply, AT_LONG_TAG);
    memcpy(all + ENROL_HELLO_BYTES + AT_LONG_TAG, name, strnlen(name, NAME_BYTES - 1));
    SHA256(all, sizeof all, said);
    memcpy(from, products, 2 * ENROL_POINT_BYTES);
    memcpy(from + 2 * ENROL_POINT_BYTES, stored->point, ENROL_POINT_BYTES);
    int error = expand(from, sizeof from, said, sizeof said, "key", secret, AUTH_KEY_BYTES);
    if (!error)
        error = expand(from, sizeof from, said, sizeof said, "reply", reply_key, ENROL_TAG_BYTES);
    OPENSSL_cleanse(from, sizeof from);
    return error;
}

/* Of confirm and done: of what stands in both key files, and apart from the keys of frames by its salt. */
static int tag_key(const struct enrol_key *key, const char *info, uint8_t out[ENROL_TAG_BYTES])
{
    return expand(key->secret, sizeof key->secret, salt, sizeof salt - 1, info, out, ENROL_TAG_BYTES);
}

/* ---- the host ---- */

int enrol_begin(struct enrol_host *host, const uint8_t token[ENROL_TOKEN_BYTES], const char *name)
{
    uint8_t key[ENROL_TAG_BYTES];
    *host = (struct enrol_host){.name = ""};
    snprintf(host->name, sizeof host->name, "%s", name);
    int error = enrol_store(token, &host->stored);
    if (!error)
        error = private_of(token, host->token_private);
    begin(host->hello, ENROL_HELLO, 0, host->stored.id);
    if (!error)
        error = draw(host->own_private, host->hello + AT_POINT);
    if (!error)
        error = hello_key(&host->stored, key);
    return error ? error : set_tag(host->hello, AT_LONG_TAG, key, host->name);
}

int enrol_take_reply(const struct enrol_host *host, const uint8_t *data, size_t bytes, struct enrol_key *key,
                     uint8_t confirm[ENROL_CONFIRM_BYTES])
{
    uint8_t products[2 * ENROL_POINT_BYTES], tag[ENROL_TAG_BYTES];
    struct enrol_key made;
    if (!is_of(data, bytes, ENROL_REPLY, host->stored.id))
        return -EBADMSG;
    int error = product(host->own_private, data + AT_POINT, products);
    if (!error)
        error = product(host->token_private, data + AT_POINT, products + ENROL_POINT_BYTES);
    if (!error)
        error = derive(products, &host->stored, host->hello, data, host->name, made.secret, tag);
    OPENSSL_cleanse(products, sizeof products);
    if (!error)
        error = check_tag(data, AT_LONG_TAG, tag, host->name);
    memcpy(&made.id, data + AT_KEY_ID, sizeof made.id);
    if (!error)
        error = made.id ? tag_key(&made, "confirm", tag) : -EBADMSG;
    if (error)
        return error;
    *key = made;
    memcpy(confirm, host->hello, ENROL_HELLO_BYTES);
    confirm[AT_KIND] = ENROL_CONFIRM;
    return set_tag(confirm, ENROL_HELLO_BYTES, tag, host->name);
}

int enrol_take_done(const struct enrol_key *key, const char *name, const uint8_t id[ENROL_ID_BYTES],
                    const uint8_t *data, size_t bytes)
{
    uint8_t tag[ENROL_TAG_BYTES];
    if (!is_of(data, bytes, ENROL_DONE, id))
        return -EBADMSG;
    int error = tag_key(key, "done", tag);
    return error ? error : check_tag(data, AT_DONE_TAG, tag, name);
}

/* ---- the controller ---- */

/* What is drawn for this hello: nobody foretells it, and no state keeps it. */
static int draw_for(const uint8_t secret[ENROL_SECRET_BYTES], const uint8_t *hello, uint16_t *key_id,
                    uint8_t private[ENROL_POINT_BYTES])
{
    uint8_t drawn[sizeof *key_id];
    int error = expand(secret, ENROL_SECRET_BYTES, hello, ENROL_HELLO_BYTES, "private", private,
                       ENROL_POINT_BYTES);
    if (!error)
        error = expand(secret, ENROL_SECRET_BYTES, hello, ENROL_HELLO_BYTES, "key id", drawn, sizeof drawn);
    if (!error)
        memcpy(key_id, drawn, sizeof drawn);
    *key_id = !error && *key_id ? *key_id : 1;
    return error;
}

int enrol_answer(const struct enrol_stored *stored, const char *name,
                 const uint8_t secret[ENROL_SECRET_BYTES], const uint8_t *data, size_t bytes,
                 struct enrol_key *key, uint8_t reply[ENROL_REPLY_BYTES])
{
    uint8_t tag[ENROL_TAG_BYTES], private[ENROL_POINT_BYTES], products[2 * ENROL_POINT_BYTES];
    if (!is_of(data, bytes, ENROL_HELLO, stored->id))
        return -EBADMSG;
    int error = hello_key(stored, tag);
    if (!error)
        error = check_tag(data, AT_LONG_TAG, tag, name);
    if (error)
        return error;
    error = draw_for(secret, data, &key->id, private);
    begin(reply, ENROL_REPLY, key->id, stored->id);
    if (!error)
        error = point_of(private, reply + AT_POINT);
    if (!error)
        error = product(private, data + AT_POINT, products);
    if (!error)
        error = product(private, stored->point, products + ENROL_POINT_BYTES);
    if (!error)
        error = derive(products, stored, data, reply, name, key->secret, tag);
    OPENSSL_cleanse(private, sizeof private);
    OPENSSL_cleanse(products, sizeof products);
    return error ? error : set_tag(reply, AT_LONG_TAG, tag, name);
}

int enrol_hello_of(const uint8_t *data, size_t bytes, uint8_t hello[ENROL_HELLO_BYTES])
{
    uint8_t id[ENROL_ID_BYTES];
    if (enrol_kind(data, bytes, id) != ENROL_CONFIRM)
        return -EBADMSG;
    memcpy(hello, data, ENROL_HELLO_BYTES);
    hello[AT_KIND] = ENROL_HELLO;
    return 0;
}

int enrol_take_confirm(const struct enrol_key *key, const char *name, const uint8_t *data, size_t bytes,
                       uint8_t done[ENROL_DONE_BYTES])
{
    uint8_t id[ENROL_ID_BYTES], tag[ENROL_TAG_BYTES];
    if (enrol_kind(data, bytes, id) != ENROL_CONFIRM)
        return -EBADMSG;
    int error = tag_key(key, "confirm", tag);
    if (!error)
        error = check_tag(data, ENROL_HELLO_BYTES, tag, name);
    if (error)
        return error;
    begin(done, ENROL_DONE, 0, id);
    error = tag_key(key, "done", tag);
    return error ? error : set_tag(done, AT_DONE_TAG, tag, name);
}
