/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/sv.h"

#include <string.h>

enum {
    MAC_BYTES = 6, TPID = 0x8100, ETHERTYPE = 0x88BA, TAG_BYTES = 4,
    HEAD_BYTES = 8,             /* APPID, length, two reserved fields: `length` counts from APPID on */
    PADDED_BYTES = 64, SIMULATED = 0x8000,
    TAG_SAV_PDU = 0x60, TAG_COUNT = 0x80, TAG_SEQUENCE = 0xA2, TAG_ASDU = 0x30,
    TAG_ID = 0x80, TAG_SET = 0x81, TAG_SMP_CNT = 0x82, TAG_CONF_REV = 0x83, TAG_SYNCH = 0x85,
    TAG_SMP_RATE = 0x86, TAG_DATA = 0x87, TAG_SMP_MOD = 0x88,
    TAG_REFRESHED = 0x84, TAG_GRANDMASTER = 0x89, TIME_BYTES = 8,
    LONG_FORM = 0x80,
};

struct span {
    const uint8_t *at, *end;
};

/* One value: its tag and what it spans. */
struct tlv {
    uint8_t tag;
    struct span in;
};

static uint32_t get16(const uint8_t *at)
{
    return (uint32_t)at[0] << 8 | at[1];
}

static uint32_t get32(const uint8_t *at)
{
    return get16(at) << 16 | get16(at + 2);
}

static uint32_t span_bytes(struct span span)
{
    return (uint32_t)(span.end - span.at);
}

/* Lengths of one byte, or of two behind 0x81 or three behind 0x82; the indefinite form is none. */
static bool take_length(struct span *in, uint32_t *bytes)
{
    uint32_t more = 0;

    if (in->at == in->end)
        return false;
    *bytes = *in->at++;
    if (*bytes >= LONG_FORM) {
        more = *bytes - LONG_FORM;
        if (more < 1 || more > 2 || span_bytes(*in) < more)
            return false;
        *bytes = more == 1 ? *in->at : get16(in->at);
        in->at += more;
    }
    return *bytes <= span_bytes(*in);
}

static bool take_tlv(struct span *in, struct tlv *out)
{
    uint32_t bytes;

    if (in->at == in->end)
        return false;
    out->tag = *in->at++;
    if (!take_length(in, &bytes))
        return false;
    out->in.at = in->at;
    out->in.end = in->at += bytes;
    return true;
}

/* An INTEGER of 0 to 2^32 - 1: in up to four bytes, five where a zero keeps the sign away. */
static bool unsigned_of(struct span in, uint32_t max, uint32_t *value)
{
    uint64_t wide = 0;

    if (in.at == in.end || span_bytes(in) > 5 || (span_bytes(in) == 5 && *in.at))
        return false;
    for (; in.at < in.end; in.at++)
        wide = wide << 8 | *in.at;
    *value = (uint32_t)wide;
    return wide <= max;
}

static bool unsigned16_of(struct span in, uint16_t *value)
{
    uint32_t wide = 0;
    bool good = span_bytes(in) == sizeof *value && unsigned_of(in, UINT16_MAX, &wide);

    *value = (uint16_t)wide;
    return good;
}

/* False for a value that cannot be; one that is not known is passed over. */
static bool set_field(struct sv_asdu *asdu, const struct tlv *tlv)
{
    uint32_t value = 0;
    bool good;

    switch (tlv->tag) {
    case TAG_ID:
        asdu->id = tlv->in.at;
        asdu->id_bytes = span_bytes(tlv->in);
        return asdu->id_bytes > 0 && asdu->id_bytes <= SV_ID_BYTES;
    case TAG_SET:
        asdu->set = tlv->in.at;
        asdu->set_bytes = span_bytes(tlv->in);
        return true;
    case TAG_SMP_CNT:
        return unsigned16_of(tlv->in, &asdu->smp_cnt);
    case TAG_CONF_REV:
        return unsigned_of(tlv->in, UINT32_MAX, &asdu->conf_rev);
    case TAG_SYNCH:
        good = unsigned_of(tlv->in, UINT8_MAX, &value);
        asdu->synch = (uint8_t)value;
        return good;
    case TAG_SMP_RATE:
        return unsigned16_of(tlv->in, &asdu->smp_rate);
    case TAG_SMP_MOD:
        asdu->mod_said = true;
        return unsigned16_of(tlv->in, &asdu->smp_mod) && asdu->smp_mod <= 2;
    case TAG_REFRESHED:
    case TAG_GRANDMASTER:
        return span_bytes(tlv->in) == TIME_BYTES;
    case TAG_DATA:
        asdu->data = tlv->in.at;
        asdu->data_bytes = span_bytes(tlv->in);
        return true;
    default:
        return true;
    }
}

/* Fields stand in the order of their tags, each once; five must be there. */
static int decode_asdu(struct span in, struct sv_asdu *asdu)
{
    uint8_t before = TAG_ID - 1;
    uint32_t seen = 0;
    struct tlv tlv;
    const uint32_t needed = 1u << (TAG_ID - TAG_ID) | 1u << (TAG_SMP_CNT - TAG_ID) |
        1u << (TAG_CONF_REV - TAG_ID) | 1u << (TAG_SYNCH - TAG_ID) | 1u << (TAG_DATA - TAG_ID);

    *asdu = (struct sv_asdu){0};
    while (in.at < in.end) {
        if (!take_tlv(&in, &tlv) || tlv.tag <= before || !set_field(asdu, &tlv))
            return METER_MALFORMED;
        before = tlv.tag;
        seen |= tlv.tag < TAG_ID + 32 ? 1u << (tlv.tag - TAG_ID) : 0;
    }
    return (seen & needed) == needed ? METER_ACCEPTED : METER_MALFORMED;
}

static int decode_asdus(struct span in, uint32_t count, struct sv_frame *frame)
{
    struct tlv tlv;

    if (!count || count > SV_ASDUS_MAX)
        return METER_SHAPE;
    for (uint32_t i = 0; i < count; i++)
        if (!take_tlv(&in, &tlv) || tlv.tag != TAG_ASDU || decode_asdu(tlv.in, &frame->asdu[i]))
            return METER_MALFORMED;
    frame->asdus = count;
    return in.at == in.end ? METER_ACCEPTED : METER_MALFORMED;
}

/* savPdu: how many ASDUs, perhaps a signature that nobody here checks, and the ASDUs. */
static int decode_pdu(struct span in, struct sv_frame *frame)
{
    struct tlv pdu, tlv;
    uint32_t count;

    if (!take_tlv(&in, &pdu) || pdu.tag != TAG_SAV_PDU || in.at != in.end)
        return METER_MALFORMED;
    in = pdu.in;
    if (!take_tlv(&in, &tlv) || tlv.tag != TAG_COUNT || !unsigned_of(tlv.in, UINT16_MAX, &count))
        return METER_MALFORMED;
    do {
        if (!take_tlv(&in, &tlv) || tlv.tag > TAG_SEQUENCE)
            return METER_MALFORMED;
    } while (tlv.tag != TAG_SEQUENCE);
    return in.at == in.end ? decode_asdus(tlv.in, count, frame) : METER_MALFORMED;
}

static int check_length(uint32_t length, uint32_t left, uint32_t bytes)
{
    if (length < HEAD_BYTES || length > left)
        return METER_TRUNCATED;
    return left > length && bytes > PADDED_BYTES ? METER_OVERSIZED : METER_ACCEPTED;
}

int sv_decode(const uint8_t *data, uint32_t bytes, struct sv_frame *frame)
{
    uint32_t at = 2 * MAC_BYTES;

    if (bytes > SV_FRAME_MAX)
        return METER_MTU;
    if (bytes < at + 2)
        return METER_TRUNCATED;
    memcpy(frame->to, data, MAC_BYTES);
    memcpy(frame->from, data + MAC_BYTES, MAC_BYTES);
    frame->tagged = get16(data + at) == TPID;
    if (bytes < at + (frame->tagged ? TAG_BYTES : 0) + 2 + HEAD_BYTES)
        return METER_TRUNCATED;
    frame->tag = (uint16_t)(frame->tagged ? get16(data + at + 2) : 0);
    at += frame->tagged ? TAG_BYTES : 0;
    if (get16(data + at) != ETHERTYPE)
        return METER_MAGIC;
    at += 2;
    uint32_t length = get16(data + at + 2);
    int refusal = check_length(length, bytes - at, bytes);
    if (refusal)
        return refusal;
    frame->appid = (uint16_t)get16(data + at);
    frame->simulated = get16(data + at + 4) & SIMULATED;
    return decode_pdu((struct span){data + at + HEAD_BYTES, data + at + length}, frame);
}

bool sv_is_simulated(const struct sv_frame *frame)
{
    for (uint32_t i = 0; i < frame->asdus && !frame->simulated; i++)
        for (uint32_t k = 0; frame->asdu[i].data_bytes == SV_DATA_BYTES && k < SV_VALUES; k++)
            if (get32(frame->asdu[i].data + (size_t)k * 8 + 4) & SV_TEST)
                return true;
    return frame->simulated;
}

int32_t sv_value(const struct sv_asdu *asdu, uint32_t index, uint32_t *quality)
{
    const uint8_t *at = asdu->data + (size_t)index * 8;

    *quality = get32(at + 4);
    return (int32_t)get32(at);
}
