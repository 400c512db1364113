/* SPDX-License-Identifier: Apache-2.0 */
/* cap.proto: Lease, Report, Claim, TokenRequest, TokenResponse. Same rules as upmu.h. A Claim has the field
 * numbers of a Lease and a frame kind of its own: lease_decode and lease_encode serve both, `flags` are
 * carried as they stand. */
#ifndef FLYBALL_WIRE_CAP_H
#define FLYBALL_WIRE_CAP_H

#include "msg/lease.h"
#include "msg/token.h"

/* rt: ACCEPTED or REFUSED_MALFORMED (also for negative or absurd quantities: caps and draws are within 0 .. 1
 * GW, durations within 0 .. 100 years, states and reasons known ones). The host is the frame's sender: `host`
 * comes back as 0. */
int lease_decode(const uint8_t *body, uint32_t bytes, struct lease *lease);
int report_decode(const uint8_t *body, uint32_t bytes, struct report *report);
int token_request_decode(const uint8_t *body, uint32_t bytes, struct token_request *request);
int token_response_decode(const uint8_t *body, uint32_t bytes, struct token_response *response);

/* rt: bytes written; 0 when they do not fit or when the decoder would refuse them. */
uint32_t lease_encode(const struct lease *lease, uint8_t *body, uint32_t room);
uint32_t report_encode(const struct report *report, uint8_t *body, uint32_t room);
uint32_t token_request_encode(const struct token_request *request, uint8_t *body, uint32_t room);
uint32_t token_response_encode(const struct token_response *response, uint8_t *body, uint32_t room);

#endif
