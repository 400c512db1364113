/* SPDX-License-Identifier: Apache-2.0 */
/* Power asked for ahead of time, and the answer (safety.md section 7). */
#ifndef FLYBALL_MSG_TOKEN_H
#define FLYBALL_MSG_TOKEN_H

#include "msg/limits.h"

enum token_reason {
    TOKEN_GRANTED = 0,
    TOKEN_WOULD_TRIP = 1,
    TOKEN_PREDICTED_CONFLICT = 2,
    TOKEN_POOL_EMPTY = 3,
    TOKEN_PERMIT_MISSING = 4,
    TOKEN_REASONS
};

struct token_request {
    uint32_t host;
    uint32_t priority;          /* 0 highest */
    uint64_t request;           /* number chosen by the asker, echoed */
    int64_t amount_mw;
    int64_t duration_ns;
    uint64_t session;           /* as in a report */
};

struct token_response {
    uint32_t host;
    uint32_t reason;            /* enum token_reason */
    uint64_t request;
    int64_t granted_mw;
    int64_t alternative_mw;     /* largest amount that would have been granted */
    int64_t retry_after_ns;
};

#endif
