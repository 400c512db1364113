/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/cap.h"

#include "msg/frame.h"
#include "wire/proto.h"

#define POWER_MAX_MW    UINT64_C(1000000000000)         /* 1 GW */
#define DURATION_MAX_NS UINT64_C(3155760000000000000)   /* 100 years: added to any clock it still fits */
#define COUNT(table)    ((uint32_t)(sizeof(table) / sizeof *(table)))

#define VARINT(type, member, max) \
    { PROTO_VARINT, sizeof(((type *)0)->member), offsetof(type, member), max }
#define FIXED64(type, member) \
    { PROTO_FIXED64, sizeof(((type *)0)->member), offsetof(type, member), UINT64_MAX }

/* Index = field number in cap.proto. */
static const struct proto_field lease_fields[] = {
    [1] = FIXED64(struct lease, incarnation),
    [2] = VARINT(struct lease, epoch, UINT64_MAX),
    [3] = VARINT(struct lease, sequence, UINT64_MAX),
    [4] = VARINT(struct lease, echo, UINT64_MAX),
    [5] = VARINT(struct lease, cap_mw, POWER_MAX_MW),
    [6] = VARINT(struct lease, floor_mw, POWER_MAX_MW),
    [7] = VARINT(struct lease, duration_ns, DURATION_MAX_NS),
    [8] = VARINT(struct lease, flags, UINT32_MAX),
    [9] = FIXED64(struct lease, session),
    [10] = VARINT(struct lease, ramp_up_mw_per_s, POWER_MAX_MW),
    [11] = VARINT(struct lease, ramp_down_mw_per_s, POWER_MAX_MW),
    [12] = VARINT(struct lease, hysteresis_ns, DURATION_MAX_NS),
};

static const struct proto_field report_fields[] = {
    [1] = FIXED64(struct report, incarnation),
    [2] = VARINT(struct report, epoch, UINT64_MAX),
    [3] = VARINT(struct report, number, UINT64_MAX),
    [4] = VARINT(struct report, applied, UINT64_MAX),
    [5] = VARINT(struct report, held_ns, DURATION_MAX_NS),
    [6] = VARINT(struct report, cap_mw, POWER_MAX_MW),
    [7] = VARINT(struct report, readback_mw, POWER_MAX_MW),
    [8] = VARINT(struct report, fail_safe_mw, POWER_MAX_MW),
    [9] = VARINT(struct report, phys_max_mw, POWER_MAX_MW),
    [10] = VARINT(struct report, draw_mw, POWER_MAX_MW),
    [11] = VARINT(struct report, state, HOST_LEASED),
    [12] = VARINT(struct report, flags, UINT32_MAX),
    [13] = VARINT(struct report, psu_inputs, UINT16_MAX),
    [14] = FIXED64(struct report, session),
};

static const struct proto_field request_fields[] = {
    [1] = VARINT(struct token_request, request, UINT64_MAX),
    [2] = VARINT(struct token_request, amount_mw, POWER_MAX_MW),
    [3] = VARINT(struct token_request, duration_ns, DURATION_MAX_NS),
    [4] = VARINT(struct token_request, priority, UINT32_MAX),
    [5] = FIXED64(struct token_request, session),
};

static const struct proto_field response_fields[] = {
    [1] = VARINT(struct token_response, request, UINT64_MAX),
    [2] = VARINT(struct token_response, reason, TOKEN_PERMIT_MISSING),
    [3] = VARINT(struct token_response, granted_mw, POWER_MAX_MW),
    [4] = VARINT(struct token_response, alternative_mw, POWER_MAX_MW),
    [5] = VARINT(struct token_response, retry_after_ns, DURATION_MAX_NS),
};

int lease_decode(const uint8_t *body, uint32_t bytes, struct lease *lease)
{
    memset(lease, 0, sizeof *lease);
    return proto_fields_decode(lease_fields, COUNT(lease_fields), body, bytes, lease);
}

int report_decode(const uint8_t *body, uint32_t bytes, struct report *report)
{
    memset(report, 0, sizeof *report);
    return proto_fields_decode(report_fields, COUNT(report_fields), body, bytes, report);
}

int token_request_decode(const uint8_t *body, uint32_t bytes, struct token_request *request)
{
    memset(request, 0, sizeof *request);
    return proto_fields_decode(request_fields, COUNT(request_fields), body, bytes, request);
}

int token_response_decode(const uint8_t *body, uint32_t bytes, struct token_response *response)
{
    memset(response, 0, sizeof *response);
    return proto_fields_decode(response_fields, COUNT(response_fields), body, bytes, response);
}

uint32_t lease_encode(const struct lease *lease, uint8_t *body, uint32_t room)
{
    return proto_fields_encode(lease_fields, COUNT(lease_fields), lease, body, room);
}

uint32_t report_encode(const struct report *report, uint8_t *body, uint32_t room)
{
    return proto_fields_encode(report_fields, COUNT(report_fields), report, body, room);
}

uint32_t token_request_encode(const struct token_request *request, uint8_t *body, uint32_t room)
{
    return proto_fields_encode(request_fields, COUNT(request_fields), request, body, room);
}

uint32_t token_response_encode(const struct token_response *response, uint8_t *body, uint32_t room)
{
    return proto_fields_encode(response_fields, COUNT(response_fields), response, body, room);
}
