/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/message.h"

#include "core/measure.h"
#include "wire/cap.h"
#include "wire/detail.h"
#include "wire/frame.h"
#include "wire/upmu.h"

static uint32_t encode_body(const struct message *message, uint8_t *body, uint32_t room)
{
    switch (message->kind) {
    case FRAME_MEASUREMENT: return upmu_encode(message->measured, body, room);
    case FRAME_REPORT: return report_encode(&message->report, body, room);
    case FRAME_DETAIL: return detail_encode(message->detail, body, room);
    case FRAME_LEASE:
    case FRAME_CLAIM: return lease_encode(&message->lease, body, room);
    case FRAME_TOKEN_REQUEST: return token_request_encode(&message->request, body, room);
    case FRAME_TOKEN_RESPONSE: return token_response_encode(&message->response, body, room);
    default: return 0;
    }
}

uint32_t message_encode(const struct message *message, uint8_t *data)
{
    struct frame frame = {
        .kind = message->kind,
        .sender = message->kind == FRAME_MEASUREMENT ? 0 : message->index,
        .sequence = message->sequence,
        .body_bytes = encode_body(message, data + FRAME_HEADER_BYTES, DATAGRAM_MAX - FRAME_HEADER_BYTES),
    };
    return frame.body_bytes ? frame_encode(data, &frame) : 0;
}

bool message_measure(struct message *message, const struct model *model)
{
    const struct upmu *upmu = message->measured;
    message->reading = (struct reading){.meter = message->index, .sequence = message->sequence};
    return !measure_reading(upmu, &model->node[model->meter[message->index].node], &message->reading);
}

static bool decode_measurement(const struct frame *frame, const struct model *model, uint32_t meter,
                               struct message *message)
{
    struct upmu upmu;
    if (meter >= model->meter_count || upmu_decode(frame->body, frame->body_bytes, &upmu) != ACCEPTED)
        return false;
    message->index = meter;
    message->measured = &upmu;
    return message_measure(message, model);
}

static bool decode_body(const struct frame *frame, const struct model *model, uint32_t meter,
                        struct message *message)
{
    const uint8_t *body = frame->body;
    switch (frame->kind) {
    case FRAME_MEASUREMENT: return decode_measurement(frame, model, meter, message);
    case FRAME_REPORT: return report_decode(body, frame->body_bytes, &message->report) == ACCEPTED;
    case FRAME_LEASE:
    case FRAME_CLAIM: return lease_decode(body, frame->body_bytes, &message->lease) == ACCEPTED;
    case FRAME_TOKEN_REQUEST:
        return token_request_decode(body, frame->body_bytes, &message->request) == ACCEPTED;
    case FRAME_TOKEN_RESPONSE:
        return token_response_decode(body, frame->body_bytes, &message->response) == ACCEPTED;
    default: return false;
    }
}

/* The host stands in the frame alone. */
static void name_host(struct message *message)
{
    if (message->kind == FRAME_REPORT)
        message->report.host = message->index;
    else if (message->kind == FRAME_TOKEN_REQUEST)
        message->request.host = message->index;
    else if (message->kind == FRAME_TOKEN_RESPONSE)
        message->response.host = message->index;
    else if (message->kind != FRAME_MEASUREMENT)
        message->lease.host = message->index;
}

bool message_decode(const uint8_t *data, uint32_t bytes, const struct model *model, uint32_t meter,
                    struct message *message)
{
    struct frame frame;
    *message = (struct message){0};
    if (frame_decode(data, bytes, &frame) != ACCEPTED || frame.sender >= model->host_count)
        return false;
    message->kind = frame.kind;
    message->sequence = frame.sequence;
    message->index = frame.sender;
    if (!decode_body(&frame, model, meter, message))
        return false;
    name_host(message);
    return true;
}
