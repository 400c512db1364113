/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/proto.h"

#include "msg/frame.h"

/* Seven bits of every byte close up, those of the first byte lowest. */
static uint64_t close_up(uint64_t word)
{
    word = (word & UINT64_C(0x007F007F007F007F)) | (word & UINT64_C(0x7F007F007F007F00)) >> 1;
    word = (word & UINT64_C(0x00003FFF00003FFF)) | (word & UINT64_C(0x3FFF00003FFF0000)) >> 2;
    return (word & UINT64_C(0x000000000FFFFFFF)) | (word & UINT64_C(0x0FFFFFFF00000000)) >> 4;
}

/* The other way round, of at most 56 bits. */
static uint64_t spread(uint64_t word)
{
    word = (word & UINT64_C(0x000000000FFFFFFF)) | (word & UINT64_C(0x00FFFFFFF0000000)) << 4;
    word = (word & UINT64_C(0x00003FFF00003FFF)) | (word & UINT64_C(0x0FFFC0000FFFC000)) << 2;
    return (word & UINT64_C(0x007F007F007F007F)) | (word & UINT64_C(0x3F803F803F803F80)) << 1;
}

#define MORE UINT64_C(0x8080808080808080)   /* of every byte the bit that says that another one follows */

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

/* Of a size that is known where it is copied: else it is a call. */
static inline void store(uint8_t *member, uint64_t value, uint32_t bytes)
{
    switch (bytes) {
    case 8:
        memcpy(member, &value, 8);
        break;
    case 4:
        memcpy(member, &value, 4);
        break;
    case 2:
        memcpy(member, &value, 2);
        break;
    default:
        memcpy(member, &value, 1);
        break;
    }
}

static inline uint64_t load(const uint8_t *member, uint32_t bytes)
{
    uint64_t value = 0;

    switch (bytes) {
    case 8:
        memcpy(&value, member, 8);
        break;
    case 4:
        memcpy(&value, member, 4);
        break;
    case 2:
        memcpy(&value, member, 2);
        break;
    case 1:
        memcpy(&value, member, 1);
        break;
    default:                    /* no such field */
        break;
    }
    return value;
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
    store(message + field->offset, value, field->bytes);
    return true;
}

/* Any field at all, known or not. */
static bool any_decode(const struct proto_field *table, uint32_t fields, struct proto_cursor *in,
    uint8_t *message)
{
    uint32_t tag;

    if (!proto_tag(in, &tag))
        return false;
    uint32_t number = tag >> 3;
    bool known = number < fields && table[number].bytes;

    return known ? field_decode(&table[number], in, tag, message) : proto_skip(in, tag);
}

/* Bytes of a known field with a tag of one byte and a value of up to eight, or 0: it takes the long way. A
 * value is read in one go: lengths change from one to the next, and a loop over bytes would be guessed wrong
 * by the processor every time. */
static inline uint32_t quick_decode(const struct proto_field *table, uint32_t fields, const uint8_t *at,
    uint8_t *message)
{
    uint64_t word, last;
    uint32_t bytes = 1 + sizeof word;

    if ((uint32_t)at[0] >> 3 >= fields)
        return 0;
    const struct proto_field *field = &table[at[0] >> 3];
    if (!field->bytes || field->wire != (at[0] & 7))
        return 0;
    memcpy(&word, at + 1, sizeof word);
    if (field->wire == PROTO_VARINT) {
        last = ~word & MORE;
        if (!last)
            return 0;
        word = close_up(word & (last ^ (last - 1)));
        bytes = 2 + ((uint32_t)__builtin_ctzll(last) >> 3);
    }
    if (word > field->max)
        return 0;
    store(message + field->offset, word, field->bytes);
    return bytes;
}

int proto_fields_decode(const struct proto_field *table, uint32_t fields, const uint8_t *body, uint32_t bytes,
    void *message)
{
    const uint8_t *at = body, *end = body + bytes;

    while (at < end) {
        uint32_t quick = 0;

        if (end - at > (ptrdiff_t)sizeof(uint64_t))
            quick = quick_decode(table, fields, at, message);
        at += quick;
        if (quick)
            continue;
        struct proto_cursor in = { at, end };
        if (!any_decode(table, fields, &in, message))
            return REFUSED_MALFORMED;
        at = in.at;
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

/* Bytes of a field whose tag takes one of them, written where nine may be. */
static inline uint32_t quick_encode(uint32_t tag, uint64_t value, uint8_t *at)
{
    uint64_t word = value;
    uint32_t bytes = sizeof word;

    at[0] = (uint8_t)tag;
    if ((tag & 7) == PROTO_VARINT) {
        bytes = (70 - (uint32_t)__builtin_clzll(value)) / 7;
        word = spread(value) | (MORE & ((UINT64_C(1) << 8 * (bytes - 1)) - 1));
    }
    memcpy(at + 1, &word, sizeof word);
    return 1 + bytes;
}

uint32_t proto_fields_encode(const struct proto_field *table, uint32_t fields, const void *message,
    uint8_t *body, uint32_t room)
{
    struct proto_writer out = { body, body + room, false };
    uint8_t *at = body;

    for (uint32_t number = 1; number < fields; number++) {
        const struct proto_field *field = &table[number];
        uint64_t value = load((const uint8_t *)message + field->offset, field->bytes);
        uint32_t tag = PROTO_TAG(number, field->wire);

        if (value > field->max)
            return 0;
        if (!value)
            continue;
        bool short_one = field->wire != PROTO_VARINT || value >> 56 == 0;
        if (short_one && tag < 0x80 && out.end - at > (ptrdiff_t)sizeof value) {
            at += quick_encode(tag, value, at);
        } else {
            out.at = at;
            field_encode(field, number, value, &out);
            at = out.at;
        }
    }
    return out.full ? 0 : (uint32_t)(at - body);
}
