/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/detail.h"

#include "wire/proto.h"

enum {
    DETAIL_FIELDS = 8,
    DEVICE_BODY_MAX = 72,       /* below 128: its length is one byte */
    HOST_BODY_MAX = 54 + DETAIL_JOBS_MAX * (1 + DETAIL_JOB_BYTES),     /* all but the devices */
};

/* The first of sixteen devices has index 0, which is not written. */
static_assert(HOST_BODY_MAX + HOST_DEVICES_MAX * (2 + DEVICE_BODY_MAX) - 2 == DETAIL_BODY_MAX,
              "the longest detail is as long as it says");

#define VARINT(member, max) \
    { PROTO_VARINT, sizeof(((struct detail_device *)0)->member), offsetof(struct detail_device, member), max }

/* Index = field number in cap.proto. The temperature stands here as the number that zigzag makes of it. */
static const struct proto_field device_fields[] = {
    [1] = VARINT(index, HOST_DEVICES_MAX - 1),
    [2] = VARINT(known, UINT16_MAX),
    [3] = VARINT(throttle, UINT8_MAX),
    [4] = VARINT(asked_mw, UINT32_MAX),
    [5] = VARINT(enforced_mw, UINT32_MAX),
    [6] = VARINT(draw_mw, UINT32_MAX),
    [7] = VARINT(average_mw, UINT32_MAX),
    [8] = VARINT(window_us, UINT32_MAX),
    [9] = VARINT(energy_mj, UINT64_MAX),
    [10] = VARINT(temperature_mc, UINT32_MAX),
    [11] = VARINT(clock_mhz, UINT16_MAX),
    [12] = VARINT(write_us, UINT32_MAX),
    [13] = VARINT(write_worst_us, UINT32_MAX),
};

enum { DEVICE_FIELDS = sizeof device_fields / sizeof *device_fields };

/* 0, -1, 1, -2 become 0, 1, 2, 3. */
static int32_t zigzag(int32_t value)
{
    uint32_t sign = value < 0 ? UINT32_MAX : 0;
    return (int32_t)(((uint32_t)value << 1) ^ sign);
}

static int32_t unzigzag(int32_t value)
{
    uint32_t wide = (uint32_t)value;
    return (int32_t)(wide >> 1 ^ (wide & 1 ? UINT32_MAX : 0));
}

/* ---- reading ---- */

static bool printable(const uint8_t *text, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        if (text[i] <= ' ' || text[i] > '~')
            return false;
    return true;
}

/* The whole of `text` is written: the last of several fields counts, whatever length the one before had. */
static bool text_decode(struct proto_cursor *in, char *text, size_t room)
{
    struct proto_cursor inside;

    if (!proto_bytes(in, &inside))
        return false;
    size_t bytes = (size_t)(inside.end - inside.at);
    if (bytes >= room || !printable(inside.at, bytes))
        return false;
    memset(text, 0, room);
    if (bytes)
        memcpy(text, inside.at, bytes);
    return true;
}

static bool job_decode(struct proto_cursor *in, struct detail *detail)
{
    if (detail->job_count == DETAIL_JOBS_MAX)
        return false;
    char *job = detail->job[detail->job_count++];
    return text_decode(in, job, DETAIL_JOB_BYTES) && *job;
}

static bool device_decode(struct proto_cursor *in, struct detail *detail)
{
    struct proto_cursor inside;

    if (detail->device_count == HOST_DEVICES_MAX || !proto_bytes(in, &inside))
        return false;
    struct detail_device *device = &detail->device[detail->device_count++];
    if (proto_fields_decode(device_fields, DEVICE_FIELDS, inside.at, (uint32_t)(inside.end - inside.at),
                            device))
        return false;
    device->temperature_mc = unzigzag(device->temperature_mc);
    return detail->device_count == 1 || device[-1].index < device->index;
}

static bool number_decode(struct proto_cursor *in, uint64_t max, uint64_t *value)
{
    return proto_varint(in, value) && *value <= max;
}

static bool short_decode(struct proto_cursor *in, uint16_t *value)
{
    uint64_t wide;
    if (!number_decode(in, UINT16_MAX, &wide))
        return false;
    *value = (uint16_t)wide;
    return true;
}

static bool word_decode(struct proto_cursor *in, uint32_t *value)
{
    uint64_t wide;
    if (!number_decode(in, UINT32_MAX, &wide))
        return false;
    *value = (uint32_t)wide;
    return true;
}

static bool detail_field(struct proto_cursor *in, uint32_t tag, struct detail *detail)
{
    switch (tag) {
    case PROTO_TAG(1, PROTO_FIXED64):
        return proto_fixed64(in, &detail->incarnation);
    case PROTO_TAG(2, PROTO_VARINT):
        return short_decode(in, &detail->marks);
    case PROTO_TAG(3, PROTO_VARINT):
        return word_decode(in, &detail->watchdog_us);
    case PROTO_TAG(4, PROTO_VARINT):
        return word_decode(in, &detail->write_errors);
    case PROTO_TAG(5, PROTO_VARINT):
        return short_decode(in, &detail->jobs);
    case PROTO_TAG(6, PROTO_BYTES):
        return text_decode(in, detail->version, DETAIL_VERSION_BYTES);
    case PROTO_TAG(7, PROTO_BYTES):
        return job_decode(in, detail);
    case PROTO_TAG(8, PROTO_BYTES):
        return device_decode(in, detail);
    default:
        return tag >> 3 > DETAIL_FIELDS && proto_skip(in, tag);     /* a known number has its wire type */
    }
}

int detail_decode(const uint8_t *body, uint32_t bytes, struct detail *detail)
{
    struct proto_cursor in = { body, body + bytes };
    uint32_t tag;

    memset(detail, 0, sizeof *detail);
    while (in.at < in.end)
        if (!proto_tag(&in, &tag) || !detail_field(&in, tag, detail))
            return REFUSED_MALFORMED;
    return ACCEPTED;
}

/* ---- writing ---- */

static void put_number(struct proto_writer *out, uint32_t number, uint64_t value)
{
    if (value == 0)
        return;
    proto_put_varint(out, PROTO_TAG(number, PROTO_VARINT));
    proto_put_varint(out, value);
}

static void put_bytes(struct proto_writer *out, uint32_t number, const void *data, size_t bytes)
{
    proto_put_varint(out, PROTO_TAG(number, PROTO_BYTES));
    proto_put_varint(out, bytes);
    proto_put_raw(out, data, bytes);
}

/* Bytes of a text in its room; the room itself where no NUL ends it or something else is not for print. */
static size_t text_bytes(const char *text, size_t room)
{
    size_t bytes = 0;
    while (bytes < room && text[bytes])
        bytes++;
    return printable((const uint8_t *)text, bytes) ? bytes : room;
}

static void put_text(struct proto_writer *out, uint32_t number, const char *text, size_t room)
{
    size_t bytes = text_bytes(text, room);
    if (bytes == room)
        out->full = true;       /* nothing leaves that a decoder would refuse */
    else if (bytes)
        put_bytes(out, number, text, bytes);
}

static void put_device(struct proto_writer *out, const struct detail_device *device)
{
    uint8_t body[DEVICE_BODY_MAX];
    struct detail_device row = *device;

    row.temperature_mc = zigzag(device->temperature_mc);
    put_bytes(out, 8, body, proto_fields_encode(device_fields, DEVICE_FIELDS, &row, body, sizeof body));
}

static bool speakable(const struct detail *detail)
{
    if (detail->device_count > HOST_DEVICES_MAX || detail->job_count > DETAIL_JOBS_MAX)
        return false;
    for (uint32_t i = 0; i < detail->job_count; i++)
        if (!detail->job[i][0])
            return false;
    for (uint32_t i = 0; i < detail->device_count; i++)
        if (detail->device[i].index >= HOST_DEVICES_MAX ||
            (i && detail->device[i - 1].index >= detail->device[i].index))
            return false;
    return true;
}

uint32_t detail_encode(const struct detail *detail, uint8_t *body, uint32_t room)
{
    struct proto_writer out = { body, body + room, false };

    if (!speakable(detail))
        return 0;
    if (detail->incarnation) {
        proto_put_varint(&out, PROTO_TAG(1, PROTO_FIXED64));
        proto_put_raw(&out, &detail->incarnation, sizeof detail->incarnation);
    }
    put_number(&out, 2, detail->marks);
    put_number(&out, 3, detail->watchdog_us);
    put_number(&out, 4, detail->write_errors);
    put_number(&out, 5, detail->jobs);
    put_text(&out, 6, detail->version, DETAIL_VERSION_BYTES);
    for (uint32_t i = 0; i < detail->job_count; i++)
        put_text(&out, 7, detail->job[i], DETAIL_JOB_BYTES);
    for (uint32_t i = 0; i < detail->device_count; i++)
        put_device(&out, &detail->device[i]);
    return out.full ? 0 : (uint32_t)(out.at - body);
}
