/* SPDX-License-Identifier: Apache-2.0 */
/* What a synchrophasor device sends: the decoders of c37.c and c37_config.c the other way round. */
#include <math.h>
#include <string.h>

#include "wire/c37_inside.h"
#include "wire/crc.h"

enum {
    SYNC = 0xAA, SHORT_NAME_BYTES = 16, GLOBAL_ID_BYTES = 16, FRACTION_MAX = 0xFFFFFF, CHECK_BYTES = 2,
    COUNT_MAX = INT16_MAX, FRAME_BYTES_MAX = UINT16_MAX,
};

#define RAD_PER_COUNT 1e-4
#define HZ_PER_COUNT 1e-3
#define HZ_PER_S_PER_COUNT 1e-2

/* Writes on as long as there is room, and counts beyond it. */
struct out {
    uint8_t *data;
    uint32_t at, room;
};

static void put8(struct out *out, uint32_t value)
{
    if (out->at < out->room)
        out->data[out->at] = (uint8_t)value;
    out->at++;
}

static void put16(struct out *out, uint32_t value)
{
    put8(out, value >> 8);
    put8(out, value);
}

static void put32(struct out *out, uint32_t value)
{
    put16(out, value >> 16);
    put16(out, value);
}

static void put_float(struct out *out, double value)
{
    float narrow = (float)value;
    uint32_t bits;

    memcpy(&bits, &narrow, sizeof bits);
    put32(out, bits);
}

static struct out begin(const struct c37_head *head, uint8_t *data, uint32_t room)
{
    struct out out = {.data = data, .room = room};

    put8(&out, SYNC);
    put8(&out, (uint32_t)head->type << 4 | head->version);
    put16(&out, 0);             /* the size is known at the end */
    put16(&out, head->id);
    put32(&out, head->soc);
    put32(&out, (uint32_t)head->time_quality << 24 | (head->fraction & FRACTION_MAX));
    return out;
}

static uint32_t finish(struct out *out, uint32_t bytes_max)
{
    uint32_t bytes = out->at + CHECK_BYTES;

    if (bytes > out->room || bytes > bytes_max)
        return 0;
    out->data[2] = (uint8_t)(bytes >> 8);
    out->data[3] = (uint8_t)bytes;
    put16(out, crc_16(out->data, out->at));
    return bytes;
}

/* Rounded; what is missing is the most negative count, what is too much the last one. */
static uint32_t count_of(double value, double per_count)
{
    double counts = per_count > 0 || per_count < 0 ? value / per_count : 0;

    if (!(counts - counts == 0))
        return (uint16_t)INT16_MIN;
    if (counts > COUNT_MAX || counts < -COUNT_MAX)
        return (uint16_t)(counts > 0 ? COUNT_MAX : -COUNT_MAX);
    return (uint16_t)(int16_t)(counts + (counts < 0 ? -0.5 : 0.5));
}

static uint32_t magnitude_of(double value, double per_count)
{
    double counts = per_count > 0 ? value / per_count : 0;

    if (!(counts > 0))
        return 0;
    return counts < UINT16_MAX ? (uint32_t)(counts + 0.5) : UINT16_MAX;
}

static void put_phasor(struct out *out, const struct c37_pmu *config, uint32_t index,
    const struct phasor *phasor)
{
    double factor = config->phasor[index].factor;

    if (config->format & C37_PHASORS_FLOAT) {
        put_float(out, phasor->first);
        put_float(out, phasor->second);
    } else if (config->format & C37_POLAR) {
        /* no count of a magnitude says that it is missing: the angle does */
        put16(out, magnitude_of(phasor->first, factor));
        put16(out, count_of(phasor->first - phasor->first == 0 ? phasor->second : NAN, RAD_PER_COUNT));
    } else {
        put16(out, count_of(phasor->first, factor));
        put16(out, count_of(phasor->second, factor));
    }
}

static void put_values(struct out *out, const struct c37_pmu *config, const struct phasors_pmu *pmu)
{
    put16(out, pmu->stat);
    for (uint32_t i = 0; i < config->phasors; i++)
        put_phasor(out, config, i, &pmu->phasor[i]);
    if (config->format & C37_FREQUENCY_FLOAT) {
        put_float(out, pmu->frequency_hz);
        put_float(out, pmu->rocof_hz_per_s);
    } else {
        put16(out, count_of(pmu->frequency_hz - (config->nominal_50 ? 50 : 60), HZ_PER_COUNT));
        put16(out, count_of(pmu->rocof_hz_per_s, HZ_PER_S_PER_COUNT));
    }
    for (uint32_t i = 0; i < config->analogs; i++) {
        const struct c37_analog_scale *scale = &config->analog[i];
        double value = (pmu->analog[i] - scale->offset) / scale->factor;

        if (config->format & C37_ANALOGS_FLOAT)
            put_float(out, value);
        else
            put16(out, count_of(value, 1));
    }
    for (uint32_t i = 0; i < config->digitals; i++)
        put16(out, pmu->digital[i]);
}

static bool is_shape(const struct c37_config *config)
{
    if (!config->pmus || config->pmus > PHASORS_PMUS_MAX || !config->time_base ||
        config->time_base > FRACTION_MAX)
        return false;
    for (uint32_t i = 0; i < config->pmus; i++)
        if (config->pmu[i].phasors > PHASORS_MAX || config->pmu[i].analogs > PHASORS_ANALOGS_MAX ||
            config->pmu[i].digitals > PHASORS_DIGITALS_MAX)
            return false;
    return true;
}

void c37_time(int64_t t_ns, uint32_t time_base, struct c37_head *head)
{
    uint64_t parts = ((uint64_t)(t_ns % NS_PER_S) * time_base + NS_PER_S / 2) / NS_PER_S;

    head->soc = (uint32_t)(t_ns / NS_PER_S + (parts == time_base));
    head->fraction = parts == time_base ? 0 : (uint32_t)parts;
}

uint32_t c37_data_encode(const struct c37_config *config, uint8_t version, const struct phasors *phasors,
    uint8_t *data, uint32_t room)
{
    struct c37_head head = {.type = C37_DATA, .version = version, .id = config->id,
                            .time_quality = phasors->time_quality};

    if (!is_shape(config) || phasors->pmus != config->pmus || phasors->t_ns < 0 ||
        phasors->t_ns / NS_PER_S >= UINT32_MAX)
        return 0;
    c37_time(phasors->t_ns, config->time_base, &head);
    struct out out = begin(&head, data, room);
    for (uint32_t i = 0; i < config->pmus; i++)
        put_values(&out, &config->pmu[i], &phasors->pmu[i]);
    return finish(&out, DATAGRAM_MAX);
}

static void put_name(struct out *out, bool third, const struct c37_text *name)
{
    uint32_t most = third ? C37_NAME_BYTES : SHORT_NAME_BYTES;
    uint32_t bytes = name->bytes < most ? name->bytes : most;

    if (third)
        put8(out, bytes);
    for (uint32_t i = 0; i < bytes; i++)
        put8(out, name->at[i]);
    for (uint32_t i = bytes; !third && i < SHORT_NAME_BYTES; i++)
        put8(out, ' ');
}

static void put_units(struct out *out, const struct c37_pmu *pmu)
{
    for (uint32_t i = 0; i < pmu->phasors; i++)
        put32(out, pmu->phasor[i].unit);
    for (uint32_t i = 0; i < pmu->analogs; i++)
        put32(out, pmu->analog[i].unit);
}

static void put_scales(struct out *out, const struct c37_pmu *pmu)
{
    for (uint32_t i = 0; i < pmu->phasors; i++) {
        put32(out, pmu->phasor[i].unit);
        put_float(out, pmu->phasor[i].factor);
        put_float(out, pmu->phasor[i].angle_rad);
    }
    for (uint32_t i = 0; i < pmu->analogs; i++) {
        put_float(out, pmu->analog[i].factor);
        put_float(out, pmu->analog[i].offset);
    }
}

static void put_place(struct out *out, const struct c37_pmu *pmu, const struct c37_place *place)
{
    put_float(out, place ? place->latitude_deg : INFINITY);
    put_float(out, place ? place->longitude_deg : INFINITY);
    put_float(out, place ? place->elevation_m : INFINITY);
    put8(out, (uint8_t)(pmu->class ? pmu->class : 'M'));
    put32(out, place ? (uint32_t)place->window_us : 0);
    put32(out, place ? (uint32_t)place->delay_us : 0);
}

static uint32_t put_pmu(struct out *out, bool third, const struct c37_pmu *pmu, const struct c37_text *name,
    const struct c37_place *place)
{
    uint32_t names = pmu->phasors + pmu->analogs + (uint32_t)pmu->digitals * C37_DIGITAL_NAMES;

    put_name(out, third, name);
    put16(out, pmu->id);
    for (uint32_t i = 0; third && i < GLOBAL_ID_BYTES; i++)
        put8(out, place ? place->global_id[i] : 0);
    put16(out, pmu->format);
    put16(out, pmu->phasors);
    put16(out, pmu->analogs);
    put16(out, pmu->digitals);
    for (uint32_t i = 0; i < names; i++)
        put_name(out, third, &name[1 + i]);
    third ? put_scales(out, pmu) : put_units(out, pmu);
    for (uint32_t i = 0; i < pmu->digitals; i++)
        put32(out, pmu->digital_unit[i]);
    if (third)
        put_place(out, pmu, place);
    put16(out, pmu->nominal_50);
    put16(out, pmu->changes);
    return 1 + names;
}

uint32_t c37_config_encode(const struct c37_config *config, const struct c37_head *head,
    const struct c37_text *names, const struct c37_place *places, uint8_t *data, uint32_t room)
{
    struct c37_head own = *head;
    bool third = config->type == C37_CFG3;

    if (!is_shape(config))
        return 0;
    own.type = config->type;
    own.id = config->id;
    struct out out = begin(&own, data, room);
    if (third)
        put16(&out, 0);
    put32(&out, config->time_base);
    put16(&out, config->pmus);
    for (uint32_t i = 0; i < config->pmus; i++)
        names += put_pmu(&out, third, &config->pmu[i], names, places ? &places[i] : NULL);
    put16(&out, (uint16_t)config->data_rate);
    return finish(&out, FRAME_BYTES_MAX);
}
