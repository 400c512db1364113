/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The protobuf wire format under upmu.c and cap.c: one cursor to read, one to write, and tables for messages
 * of plain numbers. Stricter than the format where a lax reading could hide a fault: a varint must fit 64
 * bits, a tag or length 32 bits in at most 5 bytes, a double must be finite, a known field must have its own
 * wire type.
 */
#ifndef FLYBALL_WIRE_PROTO_H
#define FLYBALL_WIRE_PROTO_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "fixed64 is copied, not swapped");

enum proto_wire {
    PROTO_VARINT = 0,
    PROTO_FIXED64 = 1,
    PROTO_BYTES = 2,
    PROTO_GROUP = 3,
    PROTO_GROUP_END = 4,
    PROTO_FIXED32 = 5,
};

enum { PROTO_NESTING_MAX = 8 };     /* groups in groups; proto3 has none of its own, but old senders may */

#define PROTO_TAG(number, wire) ((uint32_t)((number) << 3 | (wire)))

/* A cursor only moves forward; after a false the message is refused and the cursor is of no more use. */
struct proto_cursor {
    const uint8_t *at;
    const uint8_t *end;
};

struct proto_writer {
    uint8_t *at;
    uint8_t *end;
    bool full;                      /* something did not fit; nothing is written from then on */
};

/* rt: what proto_varint and proto_varint32 do when it is not one byte long. */
bool proto_varint_long(struct proto_cursor *in, uint64_t *value);
bool proto_varint32_long(struct proto_cursor *in, uint32_t *value);

/* rt: steps over the field whose tag was just read, whole groups included. */
bool proto_skip(struct proto_cursor *in, uint32_t tag);

/* rt */
static inline bool proto_varint(struct proto_cursor *in, uint64_t *value)
{
    if (in->at < in->end && *in->at < 0x80) {
        *value = *in->at++;
        return true;
    }
    return proto_varint_long(in, value);
}

/* rt: tags and lengths: at most 5 bytes and 32 bits. */
static inline bool proto_varint32(struct proto_cursor *in, uint32_t *value)
{
    if (in->at < in->end && *in->at < 0x80) {
        *value = *in->at++;
        return true;
    }
    return proto_varint32_long(in, value);
}

/* rt: false for field number 0, which no message may use. */
static inline bool proto_tag(struct proto_cursor *in, uint32_t *tag)
{
    return proto_varint32(in, tag) && *tag >= PROTO_TAG(1, 0);
}

/* rt */
static inline bool proto_fixed64(struct proto_cursor *in, uint64_t *value)
{
    if (in->end - in->at < (ptrdiff_t)sizeof *value)
        return false;
    memcpy(value, in->at, sizeof *value);
    in->at += sizeof *value;
    return true;
}

/* rt: bit 63 is set when `bits` are an infinity or a NaN: one more carries a full exponent into the sign's
 * place. Plain sums and ors, so a loop over many becomes vector code even without a 64-bit compare. */
static inline uint64_t proto_not_finite(uint64_t bits)
{
    return (bits & INT64_MAX) + (UINT64_C(1) << 52);
}

/* rt: false for infinities and NaN. -0.0 is a value like any other. */
static inline bool proto_double(struct proto_cursor *in, double *value)
{
    uint64_t bits;

    if (!proto_fixed64(in, &bits) || bits << 1 >= UINT64_C(0x7FF) << 53)
        return false;
    memcpy(value, &bits, sizeof bits);
    return true;
}

/* rt: any non-zero varint is true. */
static inline bool proto_bool(struct proto_cursor *in, int *value)
{
    uint64_t wide;

    if (!proto_varint(in, &wide))
        return false;
    *value = wide != 0;
    return true;
}

/* rt: `inside` spans the bytes of a length-delimited field and `in` stands behind them. */
static inline bool proto_bytes(struct proto_cursor *in, struct proto_cursor *inside)
{
    uint32_t bytes;

    if (!proto_varint32(in, &bytes) || bytes > (size_t)(in->end - in->at))
        return false;
    inside->at = in->at;
    inside->end = in->at += bytes;
    return true;
}

/* rt: the writers. `out->full` is looked at once, at the end. */
void proto_put_varint(struct proto_writer *out, uint64_t value);
void proto_put_raw(struct proto_writer *out, const void *data, size_t bytes);
uint32_t proto_varint_bytes(uint64_t value);

/* One field of a message that holds nothing but unsigned numbers. The number of a field is its place in the
 * table. */
struct proto_field {
    uint8_t wire;                   /* PROTO_VARINT or PROTO_FIXED64 */
    uint8_t bytes;                  /* of the member; 0: no such field */
    uint16_t offset;                /* of the member */
    uint64_t max;                   /* larger values are refused */
};

/* rt: ACCEPTED or REFUSED_MALFORMED. Members without a field in `body` keep what they held: pass a zeroed
 * message. */
int proto_fields_decode(const struct proto_field *table, uint32_t fields, const uint8_t *body, uint32_t bytes,
    void *message);

/* rt: bytes written; 0 when they do not fit or a member is above its maximum. Zeros are omitted. */
uint32_t proto_fields_encode(const struct proto_field *table, uint32_t fields, const void *message,
    uint8_t *body, uint32_t room);

#endif
