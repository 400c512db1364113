/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "wire/sv.h"

enum {
    MAC_BYTES = 6, ID_MAX = 34, APPID_MIN = 0x4000, APPID_MAX = 0x7FFF, SIMULATED = 0x8000,
    /* smpCnt, confRev, smpSynch, head of the data, data */
    ASDU_FIXED_BYTES = 4 + 6 + 3 + 2 + SV_DATA_BYTES,
    RATE_BYTES = 4, HEAD_BYTES = 8, COUNT_TLV_BYTES = 3,
};

/* A length is known before what it spans: everything has a fixed size but the name. */
struct sizes {
    uint32_t id, asdu, sequence, pdu, frame;
};

static uint32_t length_bytes(uint32_t bytes)
{
    return bytes < 0x80 ? 1 : bytes < 0x100 ? 2 : 3;
}

/* Tag, length and value. */
static uint32_t tlv_bytes(uint32_t bytes)
{
    return 1 + length_bytes(bytes) + bytes;
}

static struct sizes measure(const struct sv_publisher *publisher, uint32_t asdus)
{
    struct sizes sizes = {0};

    while (publisher->id && sizes.id <= ID_MAX && publisher->id[sizes.id])
        sizes.id++;
    sizes.asdu = tlv_bytes(sizes.id) + ASDU_FIXED_BYTES + (publisher->with_rate ? 2 * RATE_BYTES : 0);
    sizes.sequence = asdus * tlv_bytes(sizes.asdu);
    sizes.pdu = COUNT_TLV_BYTES + tlv_bytes(sizes.sequence);
    sizes.frame = 2 * MAC_BYTES + (publisher->tagged ? 4 : 0) + 2 + HEAD_BYTES + tlv_bytes(sizes.pdu);
    return sizes;
}

static uint8_t *put16(uint8_t *at, uint32_t value)
{
    *at++ = (uint8_t)(value >> 8);
    *at++ = (uint8_t)value;
    return at;
}

static uint8_t *put32(uint8_t *at, uint32_t value)
{
    return put16(put16(at, value >> 16), value & 0xFFFF);
}

static uint8_t *put_head(uint8_t *at, uint8_t tag, uint32_t bytes)
{
    *at++ = tag;
    if (bytes >= 0x100) {
        *at++ = 0x82;
        return put16(at, bytes);
    }
    if (bytes >= 0x80)
        *at++ = 0x81;
    *at++ = (uint8_t)bytes;
    return at;
}

/* Beyond 32 bits, and for what is no number, the largest count and "overflow". */
static int32_t count_of(float value, float per_unit, uint32_t *quality)
{
    double counts = (double)value * (double)per_unit;

    if (counts > -2147483647.0 && counts < 2147483647.0)
        return (int32_t)(counts + (counts < 0 ? -0.5 : 0.5));
    *quality |= SV_OVERFLOW;
    return counts < 0 ? -INT32_MAX : INT32_MAX;
}

static uint8_t *put_phases(uint8_t *at, const struct samples *samples, uint32_t index, uint32_t first,
    uint32_t neutral, float per_unit)
{
    bool given = samples->channels > neutral;
    int64_t sum = 0;

    for (uint32_t k = first; k < first + PHASES; k++) {
        uint32_t quality = 0;
        int32_t count = count_of(samples->value[k][index], per_unit, &quality);

        sum += count;
        at = put32(put32(at, (uint32_t)count), quality | (samples->invalid >> k & 1));
    }
    uint32_t quality = given ? samples->invalid >> neutral & 1u : SV_DERIVED;
    if (given)
        sum = count_of(samples->value[neutral][index], per_unit, &quality);
    if (sum > INT32_MAX || sum < -INT32_MAX)
        quality |= SV_OVERFLOW;
    return put32(put32(at, (uint32_t)sum), quality);
}

static uint8_t *put_asdu(uint8_t *at, const struct sv_publisher *publisher, const struct sizes *sizes,
    const struct samples *samples, uint32_t index, uint32_t smp_cnt)
{
    at = put_head(at, 0x30, sizes->asdu);
    at = put_head(at, 0x80, sizes->id);
    memcpy(at, publisher->id, sizes->id);
    at = put16(put_head(at + sizes->id, 0x82, 2), smp_cnt);
    at = put32(put_head(at, 0x83, 4), publisher->conf_rev);
    at = put_head(at, 0x85, 1);
    *at++ = publisher->synch;
    if (publisher->with_rate)
        at = put16(put_head(at, 0x86, 2), publisher->rate_hz);
    at = put_head(at, 0x87, SV_DATA_BYTES);
    at = put_phases(at, samples, index, SAMPLES_IA, SAMPLES_IN, 1000);
    at = put_phases(at, samples, index, SAMPLES_VA, SAMPLES_VN, 100);
    return publisher->with_rate ? put16(put_head(at, 0x88, 2), 1) : at;
}

static uint8_t *put_ethernet(uint8_t *at, const struct sv_publisher *publisher, const struct sizes *sizes)
{
    memcpy(at, publisher->to, MAC_BYTES);
    memcpy(at + MAC_BYTES, publisher->from, MAC_BYTES);
    at += 2 * MAC_BYTES;
    if (publisher->tagged)
        at = put16(put16(at, 0x8100), publisher->tag);
    at = put16(put16(at, 0x88BA), publisher->appid);
    at = put16(at, HEAD_BYTES + tlv_bytes(sizes->pdu));
    return put32(at, publisher->simulated ? (uint32_t)SIMULATED << 16 : 0);
}

static bool may_publish(const struct sv_publisher *publisher, const struct samples *samples, uint32_t smp_cnt)
{
    return publisher->appid >= APPID_MIN && publisher->appid <= APPID_MAX &&
           publisher->rate_hz >= SV_RATE_MIN_HZ && publisher->rate_hz <= SV_RATE_MAX_HZ &&
           smp_cnt < publisher->rate_hz && samples->count > 0 && samples->count <= SV_ASDUS_MAX &&
           (samples->channels == 6 || samples->channels == 8);
}

uint32_t sv_encode(const struct sv_publisher *publisher, const struct samples *samples, uint32_t smp_cnt,
    uint8_t *data, uint32_t room)
{
    if (!may_publish(publisher, samples, smp_cnt))
        return 0;
    struct sizes sizes = measure(publisher, samples->count);
    if (!sizes.id || sizes.id > ID_MAX || sizes.frame > room || sizes.frame > SV_FRAME_MAX)
        return 0;
    uint8_t *at = put_ethernet(data, publisher, &sizes);
    at = put_head(at, 0x60, sizes.pdu);
    at = put_head(at, 0x80, 1);
    *at++ = (uint8_t)samples->count;
    at = put_head(at, 0xA2, sizes.sequence);
    for (uint32_t i = 0; i < samples->count; i++)
        at = put_asdu(at, publisher, &sizes, samples, i, (smp_cnt + i) % publisher->rate_hz);
    return (uint32_t)(at - data);
}
