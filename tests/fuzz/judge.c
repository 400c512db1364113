/* SPDX-License-Identifier: Apache-2.0 */
#include "judge.h"

#include <math.h>
#include <string.h>

enum { FIELDS_MAX = 16, GROUPS_MAX = 8, MERGED_ROOM = 1 << 13 };

__extension__ typedef unsigned __int128 wide;

struct reader {
    const uint8_t *at, *end;
    struct judgement *judgement;
};

struct sink {
    uint8_t *body;
    uint32_t bytes, room;
};

static bool broken(struct reader *in)
{
    in->judgement->verdict = FORM_BROKEN;
    return false;
}

static bool strict(struct reader *in, const char *rule)
{
    in->judgement->verdict = FORM_STRICT;
    in->judgement->rule = rule;
    return false;
}

static void put(struct sink *out, const void *data, uint32_t bytes)
{
    if (bytes > out->room - out->bytes)
        __builtin_trap();       /* a body of the judge is never longer than the original: raise the room */
    memcpy(out->body + out->bytes, data, bytes);
    out->bytes += bytes;
}

static void put_number(struct sink *out, uint64_t value)
{
    do {
        uint8_t byte = (uint8_t)((value & 127) + (value > 127 ? 128 : 0));

        put(out, &byte, 1);
        value /= 128;
    } while (value);
}

/* At most `longest` bytes; the sum is kept in 128 bits so that nothing is lost before it is compared. */
static bool number(struct reader *in, int longest, uint64_t max, uint64_t *value)
{
    wide sum = 0;

    for (int i = 0; i < longest; i++) {
        if (in->at == in->end)
            return broken(in);
        sum += (wide)(*in->at % 128) << (7 * i);
        if (*in->at++ >= 128)
            continue;
        if (sum > max)
            return strict(in, "number too wide");
        *value = (uint64_t)sum;
        return true;
    }
    return broken(in);
}

static bool tag(struct reader *in, uint64_t *value)
{
    if (!number(in, 5, UINT32_MAX, value))
        return false;
    return *value / 8 ? true : strict(in, "field number zero");
}

static bool take(struct reader *in, uint64_t bytes, struct reader *inside)
{
    if (bytes > (uint64_t)(in->end - in->at))
        return broken(in);
    *inside = (struct reader){ in->at, in->at + bytes, in->judgement };
    in->at += bytes;
    return true;
}

/* One field of any kind but a group. `inside`: the bytes of its value; a number spans its varint. */
static bool value_of(struct reader *in, uint64_t wire, struct reader *inside, uint64_t *value)
{
    const uint8_t *start = in->at;

    *value = 0;
    if (wire == 0 && number(in, 10, UINT64_MAX, value)) {
        *inside = (struct reader){ start, in->at, in->judgement };
        return true;
    }
    if (wire == 0)
        return false;
    if (wire == 1 || wire == 5)
        return take(in, wire == 1 ? 8 : 4, inside);
    if (wire == 2)
        return number(in, 5, UINT32_MAX, value) && take(in, *value, inside);
    return wire == 3 || wire == 4 ? strict(in, "group") : broken(in);
}

static bool group(struct reader *in, uint64_t opened, int depth)
{
    struct reader inside;
    uint64_t next, value;

    in->judgement->groups = true;
    if (depth > GROUPS_MAX)
        return strict(in, "groups nested too deep");
    for (;;) {
        if (!tag(in, &next))
            return strict(in, "group not closed");
        if (next % 8 == 4)
            return next / 8 == opened ? true : strict(in, "another group closed");
        if (next % 8 == 3 ? !group(in, next / 8, depth + 1) : !value_of(in, next % 8, &inside, &value))
            return strict(in, "group damaged");
    }
}

static uint32_t wire_of(const ProtobufCFieldDescriptor *field)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_DOUBLE:
    case PROTOBUF_C_TYPE_FIXED64:
        return 1;
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        return 2;
    default:
        return 0;
    }
}

static bool ends_with(const char *name, const char *end)
{
    size_t a = strlen(name), b = strlen(end);

    return a >= b && strcmp(name + a - b, end) == 0;
}

/* The ranges that cap.h promises, by the unit in the field's name. */
static uint64_t max_of(const ProtobufCFieldDescriptor *field)
{
    if (field->type == PROTOBUF_C_TYPE_UINT64 &&
        (ends_with(field->name, "_mw") || ends_with(field->name, "_mw_per_s")))
        return UINT64_C(1000000000) * 1000;
    if (field->type == PROTOBUF_C_TYPE_UINT64 && ends_with(field->name, "_ns"))
        return UINT64_C(36525) * 86400 * 1000000000;
    if (field->type == PROTOBUF_C_TYPE_UINT32 &&
        (strcmp(field->name, "psu_inputs") == 0 || strcmp(field->name, "marks") == 0 ||
         strcmp(field->name, "jobs") == 0 || strcmp(field->name, "known") == 0 ||
         strcmp(field->name, "clock_mhz") == 0))
        return 0xFFFF;
    if (strcmp(field->name, "throttle") == 0)
        return 0xFF;
    if (strcmp(field->name, "index") == 0)
        return 15;
    if (strcmp(field->name, "state") == 0)
        return 2;
    if (strcmp(field->name, "reason") == 0)
        return 4;
    return field->type == PROTOBUF_C_TYPE_UINT32 || field->type == PROTOBUF_C_TYPE_SINT32 ? UINT32_MAX
                                                                                          : UINT64_MAX;
}

static bool doubles(struct reader *run)
{
    for (; run->at < run->end; run->at += 8) {
        double value;

        if (run->end - run->at < 8)
            return broken(run);
        memcpy(&value, run->at, 8);
        if (!isfinite(value))
            return strict(run, "not finite");
    }
    return true;
}

/* What detail.h promises of its texts: how long they may be, and what may stand in them. */
static bool text(struct reader *in, const ProtobufCFieldDescriptor *field, const struct reader *inside)
{
    bool job = strcmp(field->name, "job") == 0, version = strcmp(field->name, "version") == 0;

    if (!job && !version)
        return true;
    if (inside->end - inside->at > (job ? 39 : 23) || (job && inside->at == inside->end))
        return strict(in, "length of a text");
    for (const uint8_t *at = inside->at; at < inside->end; at++)
        if (*at < 0x21 || *at > 0x7E)
            return strict(in, "a text that is not printable");
    return true;
}

static bool message(struct reader *in, const ProtobufCMessageDescriptor *descriptor, struct sink *out);

static bool known(struct reader *in, const ProtobufCFieldDescriptor *field, uint64_t wire, struct sink *out,
    struct sink *merged)
{
    bool repeated = field->label == PROTOBUF_C_LABEL_REPEATED;
    bool packed = repeated && field->type == PROTOBUF_C_TYPE_DOUBLE && wire == 2;
    struct reader inside, values;
    uint64_t value;

    if (wire != wire_of(field) && !packed)
        return strict(in, "wire type of a known field");
    if (!value_of(in, wire, &inside, &value))
        return false;
    values = inside;
    if (field->type == PROTOBUF_C_TYPE_DOUBLE && !doubles(&values))
        return false;
    if (wire == 0 && value > max_of(field))
        return strict(in, "out of range");
    if (field->type == PROTOBUF_C_TYPE_STRING && !text(in, field, &inside))
        return false;
    if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
        static uint8_t room[JUDGE_ROOM];
        struct sink own = { room, 0, sizeof room };

        if (!message(&inside, field->descriptor, repeated ? &own : merged))
            return false;
        if (!repeated)
            return true;
        inside = (struct reader){ room, room + own.bytes, in->judgement };
    }
    put_number(out, field->id * UINT64_C(8) + wire);
    if (wire == 2)
        put_number(out, (uint64_t)(inside.end - inside.at));
    put(out, inside.at, (uint32_t)(inside.end - inside.at));
    return true;
}

static bool field_of(struct reader *in, const ProtobufCMessageDescriptor *descriptor, struct sink *out,
    struct sink *merged, bool *present)
{
    const ProtobufCFieldDescriptor *field;
    struct reader inside;
    uint64_t next, value;

    if (!tag(in, &next))
        return false;
    field = protobuf_c_message_descriptor_get_field(descriptor, (unsigned)(next / 8));
    if (field) {
        size_t index = (size_t)(field - descriptor->fields);

        present[index] = true;
        return known(in, field, next % 8, out, &merged[index]);
    }
    return next % 8 == 3 ? group(in, next / 8, 1) : value_of(in, next % 8, &inside, &value);
}

/* Only one level of the schemas holds singular messages, so one set of rooms is enough. */
static bool message(struct reader *in, const ProtobufCMessageDescriptor *descriptor, struct sink *out)
{
    static uint8_t room[FIELDS_MAX][MERGED_ROOM];
    struct sink merged[FIELDS_MAX];
    bool present[FIELDS_MAX] = { false };

    for (size_t i = 0; i < FIELDS_MAX; i++)
        merged[i] = (struct sink){ room[i], 0, MERGED_ROOM };
    while (in->at < in->end)
        if (!field_of(in, descriptor, out, merged, present))
            return false;
    for (unsigned i = 0; i < descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &descriptor->fields[i];

        if (!present[i] || field->type != PROTOBUF_C_TYPE_MESSAGE
            || field->label == PROTOBUF_C_LABEL_REPEATED)
            continue;
        put_number(out, field->id * UINT64_C(8) + 2);
        put_number(out, merged[i].bytes);
        put(out, merged[i].body, merged[i].bytes);
    }
    return true;
}

void judge(const ProtobufCMessageDescriptor *descriptor, const uint8_t *body, uint32_t bytes,
    struct judgement *judgement)
{
    struct reader in = { body, body + bytes, judgement };
    struct sink out = { judgement->body, 0, JUDGE_ROOM };

    judgement->verdict = FORM_GOOD;
    judgement->rule = NULL;
    judgement->groups = false;
    message(&in, descriptor, &out);
    judgement->bytes = out.bytes;
}
