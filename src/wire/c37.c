/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/c37.h"

#include <math.h>
#include <string.h>

#include "wire/c37_inside.h"
#include "wire/crc.h"

enum { SYNC = 0xAA, VERSION_MAX = 2, FRACTION_MASK = 0xFFFFFF, COMMAND_BYTES = 18 };

#define RAD_PER_COUNT 1e-4
#define HZ_PER_COUNT 1e-3
#define HZ_PER_S_PER_COUNT 1e-2

const uint8_t *c37_take(struct c37_cursor *in, uint32_t bytes)
{
    const uint8_t *at = in->at;

    if (in->over || (uint32_t)(in->end - at) < bytes) {
        in->over = true;
        return NULL;
    }
    in->at += bytes;
    return at;
}

uint16_t c37_u16(struct c37_cursor *in)
{
    const uint8_t *at = c37_take(in, 2);

    return (uint16_t)(at ? at[0] << 8 | at[1] : 0);
}

uint32_t c37_u32(struct c37_cursor *in)
{
    uint32_t high = c37_u16(in);

    return high << 16 | c37_u16(in);
}

double c37_float(struct c37_cursor *in)
{
    uint32_t bits = c37_u32(in);
    float value;

    memcpy(&value, &bits, sizeof value);
    return (double)value;
}

int c37_check(const uint8_t *data, uint32_t bytes, struct c37_head *head)
{
    if (bytes < 2 || data[0] != SYNC || data[1] >> 4 > C37_CFG3)
        return METER_MAGIC;
    if (bytes < C37_FRAME_MIN)
        return METER_TRUNCATED;
    head->type = (enum c37_type)(data[1] >> 4);
    head->version = data[1] & 15;
    head->bytes = (uint16_t)(data[2] << 8 | data[3]);
    if (head->version < 1 || head->version > VERSION_MAX)
        return METER_VERSION;
    if (head->bytes < C37_FRAME_MIN)
        return METER_MALFORMED;
    if (head->bytes != bytes)
        return head->bytes > bytes ? METER_TRUNCATED : METER_OVERSIZED;
    if (crc_16(data, bytes - 2) != (uint16_t)(data[bytes - 2] << 8 | data[bytes - 1]))
        return METER_CHECKSUM;
    struct c37_cursor in = {.at = data + 4, .end = data + C37_HEADER_BYTES};
    head->id = c37_u16(&in);
    head->soc = c37_u32(&in);
    uint32_t fraction = c37_u32(&in);
    head->time_quality = (uint8_t)(fraction >> 24);
    head->fraction = fraction & FRACTION_MASK;
    return METER_ACCEPTED;
}

/* From behind the header to the checksum, of a frame that c37_check passed. */
static struct c37_cursor body_of(const uint8_t *data, const struct c37_head *head)
{
    return (struct c37_cursor){.at = data + C37_HEADER_BYTES, .end = data + head->bytes - 2};
}

static bool is_finite(double value)
{
    return value - value == 0;
}

/* Infinite is as missing as no number at all. */
static double counted(struct phasors_pmu *pmu, double value)
{
    if (is_finite(value))
        return value;
    pmu->missing++;
    return NAN;
}

/* The most negative count stands for a value that is missing. */
static double of_count(int16_t count, double factor)
{
    return count == INT16_MIN ? NAN : count * factor;
}

static void read_phasor(struct c37_cursor *in, const struct c37_pmu *config, uint32_t index,
    struct phasors_pmu *pmu)
{
    struct phasor *phasor = &pmu->phasor[index];
    double factor = config->phasor[index].factor;

    if (config->format & C37_PHASORS_FLOAT) {
        phasor->first = c37_float(in);
        phasor->second = c37_float(in);
    } else if (config->format & C37_POLAR) {
        phasor->first = c37_u16(in) * factor;
        phasor->second = of_count((int16_t)c37_u16(in), RAD_PER_COUNT);
    } else {
        phasor->first = of_count((int16_t)c37_u16(in), factor);
        phasor->second = of_count((int16_t)c37_u16(in), factor);
    }
    bool whole = is_finite(phasor->first) && is_finite(phasor->second);
    if (!whole)
        *phasor = (struct phasor){NAN, NAN};
    pmu->missing = (uint16_t)(pmu->missing + !whole);
}

static void read_frequency(struct c37_cursor *in, const struct c37_pmu *config, struct phasors_pmu *pmu)
{
    if (config->format & C37_FREQUENCY_FLOAT) {
        pmu->frequency_hz = counted(pmu, c37_float(in));
        pmu->rocof_hz_per_s = counted(pmu, c37_float(in));
        return;
    }
    double off_hz = of_count((int16_t)c37_u16(in), HZ_PER_COUNT);
    pmu->frequency_hz = counted(pmu, (config->nominal_50 ? 50 : 60) + off_hz);
    pmu->rocof_hz_per_s = counted(pmu, of_count((int16_t)c37_u16(in), HZ_PER_S_PER_COUNT));
}

static void read_analog(struct c37_cursor *in, const struct c37_pmu *config, uint32_t index,
    struct phasors_pmu *pmu)
{
    const struct c37_analog_scale *scale = &config->analog[index];
    double value = config->format & C37_ANALOGS_FLOAT ? c37_float(in) : of_count((int16_t)c37_u16(in), 1);

    pmu->analog[index] = counted(pmu, scale->factor * value + scale->offset);
}

static void read_pmu(struct c37_cursor *in, const struct c37_pmu *config, struct phasors_pmu *pmu)
{
    pmu->id = config->id;
    pmu->polar = config->format & C37_POLAR;
    pmu->phasors = config->phasors;
    pmu->analogs = config->analogs;
    pmu->digitals = config->digitals;
    pmu->missing = 0;
    pmu->stat = c37_u16(in);
    for (uint32_t i = 0; i < config->phasors; i++)
        read_phasor(in, config, i, pmu);
    read_frequency(in, config, pmu);
    for (uint32_t i = 0; i < config->analogs; i++)
        read_analog(in, config, i, pmu);
    for (uint32_t i = 0; i < config->digitals; i++)
        pmu->digital[i] = c37_u16(in);
}

int c37_data_decode(const struct c37_config *config, const uint8_t *data, uint32_t bytes,
    struct phasors *phasors)
{
    struct c37_head head;
    int refusal = c37_check(data, bytes, &head);

    if (refusal)
        return refusal;
    if (head.type != C37_DATA)
        return METER_MAGIC;
    if (head.id != config->id)
        return METER_OTHER;
    if (head.bytes != config->data_bytes)
        return METER_CONFIG_CHANGED;
    if (head.fraction >= config->time_base)
        return METER_MALFORMED;
    struct c37_cursor in = body_of(data, &head);
    phasors->id = head.id;
    phasors->time_quality = head.time_quality;
    phasors->pmus = config->pmus;
    phasors->t_ns = head.soc * NS_PER_S + head.fraction * NS_PER_S / config->time_base;
    for (uint32_t i = 0; i < config->pmus; i++)
        read_pmu(&in, &config->pmu[i], &phasors->pmu[i]);
    return METER_ACCEPTED;
}

int c37_command_decode(const uint8_t *data, uint32_t bytes, uint16_t *command)
{
    struct c37_head head;
    int refusal = c37_check(data, bytes, &head);

    if (refusal)
        return refusal;
    if (head.type != C37_COMMAND)
        return METER_MAGIC;
    if (head.bytes < COMMAND_BYTES)
        return METER_TRUNCATED;
    struct c37_cursor in = body_of(data, &head);
    *command = c37_u16(&in);
    return METER_ACCEPTED;
}

/* A change that was made counts up CFGCNT; where the kind of frame is the same, so does all it says. */
static bool differs(const struct c37_stream *stream)
{
    const struct c37_config *now = &stream->config, *next = &stream->next;

    if (now->type == next->type)
        return stream->print != stream->next_print;
    if (now->pmus != next->pmus || now->data_bytes != next->data_bytes)
        return true;
    for (uint32_t i = 0; i < now->pmus; i++)
        if (now->pmu[i].changes != next->pmu[i].changes)
            return true;
    return false;
}

static void switch_over(struct c37_stream *stream)
{
    stream->config = stream->next;
    stream->print = stream->next_print;
    stream->held = false;
    stream->known = true;
}

static int end_known(struct c37_stream *stream, int refusal)
{
    stream->known = stream->pending = stream->held = false;
    return refusal;
}

static bool is_part(const uint8_t *data, const struct c37_head *head)
{
    struct c37_cursor in = body_of(data, head);

    return head->type == C37_CFG3 && c37_u16(&in) != 0;
}

/* While a change is announced, data still come as they did before. `bytes` are without the checksum. */
static int take_config(struct c37_stream *stream, const uint8_t *data, uint32_t bytes)
{
    int refusal = c37_config_read(data, bytes, &stream->next);

    if (refusal)
        return end_known(stream, refusal);
    stream->next_print = crc_32c(0, data + C37_HEADER_BYTES, bytes - C37_HEADER_BYTES);
    if (stream->known && stream->pending)
        stream->held = differs(stream);
    else
        switch_over(stream);
    return METER_ACCEPTED;
}

static int take_part(struct c37_stream *stream, const uint8_t *data, uint32_t bytes)
{
    uint32_t joined_bytes;
    int refusal = c37_parts_take(&stream->parts, data, bytes, &joined_bytes);

    if (refusal)
        return refusal == METER_DUPLICATE ? refusal : end_known(stream, refusal);
    return joined_bytes ? take_config(stream, stream->parts.joined, joined_bytes) : METER_ACCEPTED;
}

static bool is_pending(const struct phasors *phasors)
{
    bool pending = false;

    for (uint32_t i = 0; i < phasors->pmus; i++)
        pending |= !!(phasors->pmu[i].stat & PHASORS_CONFIG_PENDING);
    return pending;
}

/* Data while a new configuration is held: under which of the two they are is what their marks say. Where they
 * would fit both and say one thing under the one and another under the other, nobody knows. */
static int take_between(struct c37_stream *stream, const uint8_t *data, uint32_t bytes,
    struct phasors *phasors)
{
    int next_refusal = c37_data_decode(&stream->next, data, bytes, phasors);
    bool made = !next_refusal && !is_pending(phasors);
    int refusal = c37_data_decode(&stream->config, data, bytes, phasors);

    if (refusal && refusal != METER_CONFIG_CHANGED)
        return refusal;
    if (!refusal && is_pending(phasors) && !made)
        return METER_ACCEPTED;
    if (!made || (!refusal && is_pending(phasors)))
        return end_known(stream, METER_CONFIG_CHANGED);
    switch_over(stream);
    stream->pending = false;
    return c37_data_decode(&stream->config, data, bytes, phasors);
}

static int take_known(struct c37_stream *stream, const uint8_t *data, uint32_t bytes, struct phasors *phasors)
{
    int refusal = c37_data_decode(&stream->config, data, bytes, phasors);

    if (refusal == METER_CONFIG_CHANGED)
        return end_known(stream, refusal);
    if (refusal)
        return refusal;
    bool pending = is_pending(phasors);
    if (stream->pending && !pending)
        return end_known(stream, METER_CONFIG_CHANGED);
    stream->pending = pending;
    return METER_ACCEPTED;
}

static int take_data(struct c37_stream *stream, const uint8_t *data, uint32_t bytes, struct phasors *phasors,
    uint32_t *frames)
{
    if (!stream->known)
        return METER_CONFIG_UNKNOWN;
    int refusal = stream->pending && stream->held ? take_between(stream, data, bytes, phasors)
                                                  : take_known(stream, data, bytes, phasors);
    *frames = !refusal;
    return refusal;
}

int c37_receive(struct c37_stream *stream, const uint8_t *data, uint32_t bytes, struct phasors *phasors,
    uint32_t *frames)
{
    struct c37_head head;
    int refusal = c37_check(data, bytes, &head);

    *frames = 0;
    if (refusal)
        return refusal;
    if (stream->named && head.id != stream->id)
        return METER_OTHER;
    stream->named = true;
    stream->id = head.id;
    if (head.type == C37_DATA)
        return take_data(stream, data, bytes, phasors, frames);
    if (is_part(data, &head))
        return take_part(stream, data, bytes);
    if (head.type == C37_CFG2 || head.type == C37_CFG3)
        return take_config(stream, data, bytes - 2);
    return METER_ACCEPTED;
}
