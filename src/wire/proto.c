/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/proto.h"

#include "msg/frame.h"

bool proto_varint_long(struct proto_cursor *in, uint64_t *value)
{
    uint64_t sum = 0;

    for (uint32_t shift = 0; shift < 70 && in->at < in->end; shift += 7) {
        uint8_t byte = *in->at++;

        if (shift == 63 && byte > 1)    /* the tenth byte has room for one bit */
            return false;
        sum |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80) {
            *value = sum;
            return true;
        }
    }
    return false;
}

bool proto_varint32_long(struct proto_cursor *in, uint32_t *value)
{
    const uint8_t *start = in->at;
    uint64_t wide;

    if (!proto_varint_long(in, &wide) || wide > UINT32_MAX || in->at - start > 5)
        return false;
    *value = (uint32_t)wide;
    return true;
}

static bool advance(struct proto_cursor *in, size_t bytes)
{
    if (bytes > (size_t)(in->end - in->at))
        return false;
    in->at += bytes;
    return true;
}

static bool skip_plain(struct proto_cursor *in, uint32_t wire)
{
    struct proto_cursor inside;
    uint64_t value;

    switch (wire) {
    case PROTO_VARINT:
        return proto_varint(in, &value);
    case PROTO_FIXED64:
        return advance(in, 8);
    case PROTO_BYTES:
        return proto_bytes(in, &inside);
    case PROTO_FIXED32:
        return advance(in, 4);
    default:
        return false;
    }
}

/* A stack of open groups instead of recursion: depth is bounded by an array, not by the caller's stack. */
bool proto_skip(struct proto_cursor *in, uint32_t tag)
{
    uint32_t open[PROTO_NESTING_MAX];
    uint32_t depth = 0;

    for (;;) {
        uint32_t wire = tag & 7;

        if (wire == PROTO_GROUP) {
            if (depth == PROTO_NESTING_MAX)
                return false;
            open[depth++] = tag >> 3;
        } else if (wire == PROTO_GROUP_END) {
            if (depth == 0 || open[--depth] != tag >> 3)
                return false;
        } else if (!skip_plain(in, wire)) {
            return false;
        }
        if (depth == 0)
            return true;
        if (!proto_tag(in, &tag))
            return false;
    }
}

uint32_t proto_varint_bytes(uint64_t value)
{
    uint32_t bytes = 1;

    while (value >>= 7)
        bytes++;
    return bytes;
}

void proto_put_raw(struct proto_writer *out, const void *data, size_t bytes)
{
    if (out->full || bytes > (size_t)(out->end - out->at)) {
        out->full = true;
        return;
    }
    if (bytes)
        memcpy(out->at, data, bytes);
    out->at += bytes;
}

void proto_put_varint(struct proto_writer *out, uint64_t value)
{
    uint8_t raw[10];
    uint32_t bytes = 0;

    for (; value >= 0x80; value >>= 7)
        raw[bytes++] = (uint8_t)(value | 0x80);
    raw[bytes++] = (uint8_t)value;
    proto_put_raw(out, raw, bytes);
}

static bool field_decode(const struct proto_field *field, struct proto_cursor *in, uint32_t tag,
    uint8_t *message)
{
    uint64_t value;

    if ((tag & 7) != field->wire)
        return false;
    if (field->wire == PROTO_VARINT ? !proto_varint(in, &value) : !proto_fixed64(in, &value))
        return false;
    if (value > field->max)
        return false;
    memcpy(message + field->offset, &value, field->bytes);
    return true;
}

int proto_fields_decode(const struct proto_field *table, uint32_t fields, const uint8_t *body, uint32_t bytes,
    void *message)
{
    struct proto_cursor in = { body, body + bytes };
    uint32_t tag;

    while (in.at < in.end) {
        if (!proto_tag(&in, &tag))
            return REFUSED_MALFORMED;
        uint32_t number = tag >> 3;
        bool known = number < fields && table[number].bytes;

        if (known ? !field_decode(&table[number], &in, tag, message) : !proto_skip(&in, tag))
            return REFUSED_MALFORMED;
    }
    return ACCEPTED;
}

static void field_encode(const struct proto_field *field, uint32_t number, uint64_t value,
    struct proto_writer *out)
{
    proto_put_varint(out, PROTO_TAG(number, field->wire));
    if (field->wire == PROTO_VARINT)
        proto_put_varint(out, value);
    else
        proto_put_raw(out, &value, sizeof value);
}

uint32_t proto_fields_encode(const struct proto_field *table, uint32_t fields, const void *message,
    uint8_t *body, uint32_t room)
{
    struct proto_writer out = { body, body + room, false };

    for (uint32_t number = 1; number < fields; number++) {
        const struct proto_field *field = &table[number];
        uint64_t value = 0;

        memcpy(&value, (const uint8_t *)message + field->offset, field->bytes);
        if (value > field->max)
            return 0;
        if (value)
            field_encode(field, number, value, &out);
    }
    return out.full ? 0 : (uint32_t)(out.at - body);
}
