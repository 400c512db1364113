/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/mac.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>

int auth_mac_open(struct auth_mac *mac)
{
    size_t tag_bytes = FRAME_TAG_BYTES;
    const uint8_t key[AUTH_KEY_BYTES] = {0};
    OSSL_PARAM size[] = {OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &tag_bytes),
                         OSSL_PARAM_construct_end()};
    EVP_MAC *kind = EVP_MAC_fetch(NULL, "SIPHASH", NULL);
    mac->context = kind ? EVP_MAC_CTX_new(kind) : NULL;
    EVP_MAC_free(kind);     /* the context keeps it */
    if (!kind)
        return -ENOTSUP;
    if (!mac->context)
        return -ENOMEM;
    /* whatever libcrypto makes at a first use, it makes here */
    uint8_t tag[FRAME_TAG_BYTES];
    if (!EVP_MAC_init(mac->context, key, sizeof key, size) ||
        !auth_mac_tag(mac, key, key, sizeof key, NULL, 0, tag)) {
        auth_mac_close(mac);
        return -ENOTSUP;
    }
    return 0;
}

void auth_mac_close(struct auth_mac *mac)
{
    EVP_MAC_CTX_free(mac->context);
    mac->context = NULL;
}

bool auth_mac_tag(struct auth_mac *mac, const uint8_t key[AUTH_KEY_BYTES], const uint8_t *first,
                  uint32_t first_bytes, const uint8_t *rest, uint32_t rest_bytes,
                  uint8_t tag[FRAME_TAG_BYTES])
{
    size_t bytes = 0;
    return EVP_MAC_init(mac->context, key, AUTH_KEY_BYTES, NULL) &&
           EVP_MAC_update(mac->context, first, first_bytes) &&
           (!rest_bytes || EVP_MAC_update(mac->context, rest, rest_bytes)) &&
           EVP_MAC_final(mac->context, tag, &bytes, FRAME_TAG_BYTES) && bytes == FRAME_TAG_BYTES;
}
