/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/raw.h"

#include <string.h>

#include "wire/crc.h"

enum {
    AT_MAGIC = 0,
    AT_VERSION = 4,
    AT_FLAGS = 5,
    AT_CHANNELS = 6,
    AT_SAMPLES = 7,
    AT_METER = 8,
    AT_SEQUENCE = 12,
    AT_T0 = 16,
    AT_PERIOD = 24,
    AT_V_LSB = 28,
    AT_I_LSB = 32,
    AT_CRC = 36,
    VERSION = 1,
    COUNT_MAX = 32767,
};

/* in 2116: times beyond have no differences in 64 bits */
#define T0_NS_MAX (INT64_C(1) << 62)

enum flag { LOCKED = 1, HOLDOVER = 2, CLIPPED = 4, GAP = 8, NOMINAL_50 = 16, TAI = 32, FLAGS_KNOWN = 63 };

static const char magic[4] = {'U', 'P', 'M', '1'};

static const struct {
    uint32_t wire, flag;
} flags[] = {
    {LOCKED, SAMPLES_LOCKED}, {HOLDOVER, SAMPLES_HOLDOVER}, {CLIPPED, SAMPLES_CLIPPED}, {GAP, SAMPLES_GAP},
    {NOMINAL_50, SAMPLES_NOMINAL_50}, {TAI, SAMPLES_TAI},
};

static_assert(AT_CRC + 4 == RAW_HEADER_BYTES, "the checksum ends the header");
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "fields are copied, not swapped");

uint32_t raw_bytes(uint32_t channels, uint32_t samples)
{
    return RAW_HEADER_BYTES + channels * samples * (uint32_t)sizeof(int16_t);
}

static uint32_t get32(const uint8_t *at)
{
    uint32_t value;

    memcpy(&value, at, sizeof value);
    return value;
}

static bool is_shape(uint32_t channels, uint32_t samples)
{
    bool power_of_two = (samples & (samples - 1)) == 0;

    return (channels == 6 || channels == 8) && samples >= 8 && samples <= SAMPLES_MAX && power_of_two;
}

static int check_size(const uint8_t *data, uint32_t bytes)
{
    if (bytes < sizeof magic || memcmp(data, magic, sizeof magic) != 0)
        return METER_MAGIC;
    if (bytes < RAW_HEADER_BYTES)
        return METER_TRUNCATED;
    if (data[AT_VERSION] != VERSION)
        return METER_VERSION;
    if (!is_shape(data[AT_CHANNELS], data[AT_SAMPLES]))
        return METER_SHAPE;
    uint32_t whole = raw_bytes(data[AT_CHANNELS], data[AT_SAMPLES]);
    if (whole > DATAGRAM_MAX)
        return METER_MTU;
    if (bytes != whole)
        return bytes < whole ? METER_TRUNCATED : METER_OVERSIZED;
    return METER_ACCEPTED;
}

/* The field of the checksum counts as zeros. */
static uint32_t checksum(const uint8_t *data, uint32_t bytes)
{
    static const uint8_t zeros[4];
    uint32_t crc = crc_32c(0, data, AT_CRC);

    crc = crc_32c(crc, zeros, sizeof zeros);
    return crc_32c(crc, data + RAW_HEADER_BYTES, bytes - RAW_HEADER_BYTES);
}

static bool is_scale(float lsb)
{
    return lsb >= 1e-9F && lsb < 1e6F;
}

static bool is_time(const struct samples *samples)
{
    return samples->t0_ns > 0 && samples->t0_ns < T0_NS_MAX && samples->period_ps >= RAW_PERIOD_PS_MIN &&
           samples->period_ps <= RAW_PERIOD_PS_MAX;
}

/* Sample by sample on the wire, channel by channel here. */
static void read_payload(const uint8_t *data, float v_lsb, float i_lsb, struct samples *samples)
{
    uint32_t channels = samples->channels;

    for (uint32_t k = 0; k < channels; k++) {
        bool voltage = k < SAMPLES_IA || k == SAMPLES_VN;
        float lsb = voltage ? v_lsb : i_lsb;
        int clipped = 0;

        for (uint32_t i = 0; i < samples->count; i++) {
            int16_t count;

            memcpy(&count, data + (i * channels + k) * sizeof count, sizeof count);
            samples->value[k][i] = (float)count * lsb;
            clipped |= count >= RAW_CLIPPED || count <= -RAW_CLIPPED;
        }
        samples->clipped |= (uint8_t)(clipped << k);
    }
    if (samples->clipped)
        samples->flags |= SAMPLES_CLIPPED;
}

static void read_flags(uint32_t wire, struct samples *samples)
{
    samples->flags = 0;
    for (uint32_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (wire & flags[i].wire)
            samples->flags |= flags[i].flag;
}

int raw_decode(const uint8_t *data, uint32_t bytes, struct samples *samples)
{
    float v_lsb, i_lsb;
    int refusal = check_size(data, bytes);

    if (refusal)
        return refusal;
    if (checksum(data, bytes) != get32(data + AT_CRC))
        return METER_CHECKSUM;
    memcpy(&v_lsb, data + AT_V_LSB, sizeof v_lsb);
    memcpy(&i_lsb, data + AT_I_LSB, sizeof i_lsb);
    samples->meter = get32(data + AT_METER);
    samples->sequence = get32(data + AT_SEQUENCE);
    samples->period_ps = get32(data + AT_PERIOD);
    memcpy(&samples->t0_ns, data + AT_T0, sizeof samples->t0_ns);
    if (data[AT_FLAGS] & ~FLAGS_KNOWN || !is_scale(v_lsb) || !is_scale(i_lsb) || !is_time(samples))
        return METER_MALFORMED;
    samples->channels = data[AT_CHANNELS];
    samples->count = data[AT_SAMPLES];
    samples->clipped = samples->invalid = 0;
    read_flags(data[AT_FLAGS], samples);
    read_payload(data + RAW_HEADER_BYTES, v_lsb, i_lsb, samples);
    return METER_ACCEPTED;
}

/* Not a number counts as the largest: it must not pass for a small one. */
static int16_t count_of(float value, float lsb)
{
    float counts = value / lsb;

    if (!(counts < COUNT_MAX))
        return COUNT_MAX;
    if (counts < -COUNT_MAX)
        return -COUNT_MAX;
    return (int16_t)(counts + (counts < 0 ? -0.5F : 0.5F));
}

static bool write_payload(const struct samples *samples, float v_lsb, float i_lsb, uint8_t *data)
{
    bool clipped = false;

    for (uint32_t i = 0; i < samples->count; i++)
        for (uint32_t k = 0; k < samples->channels; k++) {
            bool voltage = k < SAMPLES_IA || k == SAMPLES_VN;
            int16_t count = count_of(samples->value[k][i], voltage ? v_lsb : i_lsb);

            memcpy(data, &count, sizeof count);
            data += sizeof count;
            clipped |= count >= RAW_CLIPPED || count <= -RAW_CLIPPED;
        }
    return clipped;
}

uint32_t raw_encode(const struct samples *samples, float v_lsb, float i_lsb, uint8_t *data, uint32_t room)
{
    if (!is_shape(samples->channels, samples->count) || !is_scale(v_lsb) || !is_scale(i_lsb))
        return 0;
    uint32_t bytes = raw_bytes(samples->channels, samples->count);
    uint32_t sequence = (uint32_t)samples->sequence;
    if (bytes > DATAGRAM_MAX || bytes > room || !is_time(samples))
        return 0;
    memcpy(data, magic, sizeof magic);
    data[AT_VERSION] = VERSION;
    data[AT_FLAGS] = 0;
    for (uint32_t i = 0; i < sizeof flags / sizeof *flags; i++)
        data[AT_FLAGS] |= (uint8_t)(samples->flags & flags[i].flag ? flags[i].wire : 0);
    data[AT_CHANNELS] = samples->channels;
    data[AT_SAMPLES] = (uint8_t)samples->count;
    memcpy(data + AT_METER, &samples->meter, sizeof samples->meter);
    memcpy(data + AT_SEQUENCE, &sequence, sizeof sequence);
    memcpy(data + AT_T0, &samples->t0_ns, sizeof samples->t0_ns);
    memcpy(data + AT_PERIOD, &samples->period_ps, sizeof samples->period_ps);
    memcpy(data + AT_V_LSB, &v_lsb, sizeof v_lsb);
    memcpy(data + AT_I_LSB, &i_lsb, sizeof i_lsb);
    if (write_payload(samples, v_lsb, i_lsb, data + RAW_HEADER_BYTES))
        data[AT_FLAGS] |= CLIPPED;
    uint32_t crc = checksum(data, bytes);
    memcpy(data + AT_CRC, &crc, sizeof crc);
    return bytes;
}
