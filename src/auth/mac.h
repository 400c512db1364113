/* SPDX-License-Identifier: Apache-2.0 */
/* The primitive: SipHash-2-4 with a tag of 128 bits, by libcrypto. bench/auth.c has it beside the others. */
#ifndef FLYBALL_AUTH_MAC_H
#define FLYBALL_AUTH_MAC_H

#include <stdbool.h>
#include <stdint.h>

#include "msg/frame.h"

enum { AUTH_KEY_BYTES = 16 };

/* A context of libcrypto: of one thread at a time. A key costs it nothing: it is set anew for every tag. */
struct auth_mac {
    struct evp_mac_ctx_st *context;
};

/* setup: 0, -ENOTSUP where libcrypto has no SipHash, -ENOMEM. */
int auth_mac_open(struct auth_mac *mac);
void auth_mac_close(struct auth_mac *mac);

/* rt: the tag of `first` and behind it `rest`, which may be empty. False: libcrypto failed, no tag. */
bool auth_mac_tag(struct auth_mac *mac, const uint8_t key[AUTH_KEY_BYTES], const uint8_t *first,
                  uint32_t first_bytes, const uint8_t *rest, uint32_t rest_bytes,
                  uint8_t tag[FRAME_TAG_BYTES]);

#endif
