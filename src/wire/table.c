/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "wire/meter.h"
#include "wire/upmu.h"

enum { MAC_PAIR_BYTES = 12, TAG_BYTES = 4, UPMU_TIME_TAG = 0x08, UPMU_DEVICE_TAG = 0x12 };

#define NAME(symbol, name, meaning) [symbol] = name,
#define MEANING(symbol, name, meaning) [symbol] = meaning,

static const char *const names[METER_REFUSAL_COUNT] = {[METER_ACCEPTED] = "accepted", METER_REFUSALS(NAME)};
static const char *const meanings[METER_REFUSAL_COUNT] = {
    [METER_ACCEPTED] = "well formed and new", METER_REFUSALS(MEANING)
};

const char *meter_refusal_name(int refusal)
{
    return refusal >= 0 && refusal < METER_REFUSAL_COUNT ? names[refusal] : "unknown";
}

const char *meter_refusal_meaning(int refusal)
{
    return refusal >= 0 && refusal < METER_REFUSAL_COUNT ? meanings[refusal]
                                                         : "not a reason this build knows";
}

static bool match_raw(const uint8_t *data, uint32_t bytes)
{
    return bytes >= 4 && memcmp(data, "UPM1", 4) == 0;
}

static int decode_raw(union meter_stream *stream, const uint8_t *data, uint32_t bytes, int64_t arrival_ns,
    struct meter_message *message)
{
    (void)arrival_ns;
    int refusal = raw_receive(&stream->raw, data, bytes, message->samples, &message->blocks);

    message->kind = message->blocks ? METER_SAMPLES : METER_NOTHING;
    return refusal;
}

static bool match_sv(const uint8_t *data, uint32_t bytes)
{
    static const uint8_t tag[2] = {0x81, 0x00}, type[2] = {0x88, 0xBA};
    uint32_t at = MAC_PAIR_BYTES;

    if (bytes >= at + TAG_BYTES + 2 && memcmp(data + at, tag, 2) == 0)
        at += TAG_BYTES;
    return bytes >= at + 2 && memcmp(data + at, type, 2) == 0;
}

static int decode_sv(union meter_stream *stream, const uint8_t *data, uint32_t bytes, int64_t arrival_ns,
    struct meter_message *message)
{
    int refusal = sv_receive(&stream->sv, data, bytes, arrival_ns, &message->samples[0], &message->blocks);

    message->kind = message->blocks ? METER_SAMPLES : METER_NOTHING;
    return refusal;
}

static bool match_c37(const uint8_t *data, uint32_t bytes)
{
    return bytes >= C37_FRAME_MIN && data[0] == 0xAA && data[1] >> 4 <= C37_CFG3;
}

static int decode_c37(union meter_stream *stream, const uint8_t *data, uint32_t bytes, int64_t arrival_ns,
    struct meter_message *message)
{
    uint32_t frames;

    (void)arrival_ns;
    message->blocks = 0;
    int refusal = c37_receive(&stream->c37, data, bytes, &message->phasors, &frames);
    message->kind = frames ? METER_PHASORS : METER_NOTHING;
    return refusal;
}

/* Protobuf has no magic: a measurement begins with its time or its meter's name. */
static bool match_upmu(const uint8_t *data, uint32_t bytes)
{
    return bytes >= 2 && (data[0] == UPMU_TIME_TAG || data[0] == UPMU_DEVICE_TAG);
}

static int decode_upmu(union meter_stream *stream, const uint8_t *data, uint32_t bytes, int64_t arrival_ns,
    struct meter_message *message)
{
    (void)stream;
    (void)arrival_ns;
    message->blocks = 0;
    bool good = upmu_decode(data, bytes, &message->upmu) == 0;
    message->kind = good ? METER_MEASUREMENT : METER_NOTHING;
    return good ? METER_ACCEPTED : METER_MALFORMED;
}

const struct meter_protocol meter_protocols[] = {
    {"raw", false, sizeof(struct raw_stream), match_raw, decode_raw},
    {"sv", true, sizeof(struct sv_stream), match_sv, decode_sv},
    {"c37118", false, sizeof(struct c37_stream), match_c37, decode_c37},
    {"upmu", false, 0, match_upmu, decode_upmu},
};
const uint32_t meter_protocol_count = sizeof meter_protocols / sizeof *meter_protocols;

const struct meter_protocol *meter_protocol_named(const char *name)
{
    for (uint32_t i = 0; i < meter_protocol_count; i++) {
        const char *own = meter_protocols[i].name;
        uint32_t k = 0;

        while (own[k] && own[k] == name[k])
            k++;
        if (own[k] == name[k])
            return &meter_protocols[i];
    }
    return NULL;
}

const struct meter_protocol *meter_protocol_of(const uint8_t *data, uint32_t bytes, bool ethernet)
{
    for (uint32_t i = 0; i < meter_protocol_count; i++)
        if (meter_protocols[i].ethernet == ethernet && meter_protocols[i].match(data, bytes))
            return &meter_protocols[i];
    return NULL;
}
