/* SPDX-License-Identifier: Apache-2.0 */
/* Hand-written decoder against protobuf-c on one body. What judge.h does not explain aborts. */
#ifndef FLYBALL_FUZZ_DIFFER_H
#define FLYBALL_FUZZ_DIFFER_H

#include <stdbool.h>
#include <stdint.h>

enum cap_message { CAP_LEASE, CAP_CLAIM, CAP_REPORT, CAP_TOKEN_REQUEST, CAP_TOKEN_RESPONSE, CAP_DETAIL,
                   CAP_MESSAGES };

/* True when the decoders accepted the body. */
bool differ_upmu(const uint8_t *body, uint32_t bytes);
bool differ_cap(enum cap_message message, const uint8_t *body, uint32_t bytes);

#endif
