/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What jobs and the desk say to each other: one line of text each way.
 *
 *   ask AMOUNT for TIME [ahead TIME] [priority N] [job ID]     12kW, 12000W; 30s, 500ms, 5min
 *   extend for TIME [job ID]
 *   release [job ID]
 *   status
 *
 *   granted job=123 amount_mw=12000000 for_ms=32000
 *   denied job=123 reason=pool_empty alternative_mw=8000000 retry_after_ms=100
 *   released job=123          unknown job=123          away job=123 retry_after_ms=1000
 *   busy job=123 retry_after_ms=100                    refused TEXT
 */
#ifndef FLYBALL_AGENT_ASK_WORDS_H
#define FLYBALL_AGENT_ASK_WORDS_H

#include "agent/ask.h"

enum { ASK_REQUEST_BYTES = 256, ASK_LINE_BYTES = 256, ASK_WHY_BYTES = 160 };

/* Words for enum token_reason and ASK_HOST_LIMIT. X(symbol, word, meaning) */
#define ASK_REASON_WORDS(X) \
    X(TOKEN_WOULD_TRIP, "would_trip", "a device above would trip within the time") \
    X(TOKEN_PREDICTED_CONFLICT, "predicted_conflict", "a device above would be too near to tripping") \
    X(TOKEN_POOL_EMPTY, "pool_empty", "no room left, or none so fast") \
    X(TOKEN_PERMIT_MISSING, "permit_missing", "room is there only while a meter is believed, and none is") \
    X(ASK_HOST_LIMIT, "host_limit", "this host cannot draw so much together with what other jobs hold")

/* any: a request of `bytes` bytes; `job` stays empty where none is named. 0, or -EINVAL with why in words and
 * at which byte. */
int ask_words_read(const char *text, size_t bytes, struct ask_order *order, char why[ASK_WHY_BYTES]);

/* any: a line with its end. Returns `line`. */
const char *ask_words_answer(const struct ask_answer *answer, char line[ASK_LINE_BYTES]);

/* any: "job=123 amount_mw=... for_ms=... priority=0 state=held|lost" and the end of the line. */
const char *ask_words_grant(const struct ask_grant *grant, int64_t now_ns, char line[ASK_LINE_BYTES]);

/* any: a job's id: 1 to ASK_JOB_BYTES - 1 letters, digits, and . : _ - */
bool ask_words_is_job(const char *job);

/* any: "pool_empty", ... and its meaning. */
const char *ask_words_reason(uint32_t reason);
const char *ask_words_meaning(const char *reason);

#endif
