/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/derive.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <string.h>

static const char salt[] = "flyball frame keys 1";

/* RFC 5869; info is "up host NAME" and the like, without its NUL. */
static bool derive(EVP_KDF_CTX *context, const struct auth_row *row, const char *way,
                   uint8_t out[AUTH_KEY_BYTES])
{
    char info[NAME_BYTES + 16], digest[] = "SHA256";
    struct auth_row copy = *row;
    int bytes = snprintf(info, sizeof info, "%s %s %s", way, row->who == AUTH_HOST ? "host" : "meter",
                         row->name);
    char salted[sizeof salt];
    memcpy(salted, salt, sizeof salt);
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, copy.secret, sizeof copy.secret),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, salted, sizeof salt - 1),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info, (size_t)bytes),
        OSSL_PARAM_construct_end()};
    return EVP_KDF_derive(context, out, AUTH_KEY_BYTES, parameters) == 1;
}

int auth_derive(struct auth_row *row, uint32_t count)
{
    EVP_KDF *kind = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *context = kind ? EVP_KDF_CTX_new(kind) : NULL;
    bool good = context != NULL;
    for (uint32_t i = 0; i < count && good; i++) {
        good = derive(context, &row[i], "up", row[i].up) && derive(context, &row[i], "down", row[i].down);
        EVP_KDF_CTX_reset(context);
    }
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kind);
    return good ? 0 : -EIO;
}
