/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration frames of C37.118: names of 16 bytes and units in CFG-1 and CFG-2, of any length and with
 * scales of floats in CFG-3. */
#include <stddef.h>

#include "wire/c37_inside.h"

enum {
    SHORT_NAME_BYTES = 16, TIME_BASE_MASK = 0xFFFFFF, UNIT_MASK = 0xFFFFFF, NOMINAL_50 = 1, CURRENT_3 = 8,
    GLOBAL_ID_BYTES = 16, PLACE_BYTES = 12, WINDOW_BYTES = 8, FRAME_EXTRA_BYTES = C37_HEADER_BYTES + 2,
};

#define UNIT_FACTOR 1e-5

static uint32_t names_of(const struct c37_pmu *pmu)
{
    return pmu->phasors + pmu->analogs + (uint32_t)pmu->digitals * C37_DIGITAL_NAMES;
}

static void skip_name(struct c37_cursor *in, bool long_names)
{
    const uint8_t *length = long_names ? c37_take(in, 1) : NULL;

    c37_take(in, length ? *length : long_names ? 0 : SHORT_NAME_BYTES);
}

static int read_counts(struct c37_cursor *in, struct c37_pmu *pmu)
{
    uint32_t phasors = c37_u16(in), analogs = c37_u16(in), digitals = c37_u16(in);

    if (phasors > PHASORS_MAX || analogs > PHASORS_ANALOGS_MAX || digitals > PHASORS_DIGITALS_MAX)
        return METER_SHAPE;
    pmu->phasors = (uint8_t)phasors;
    pmu->analogs = (uint8_t)analogs;
    pmu->digitals = (uint8_t)digitals;
    return METER_ACCEPTED;
}

static void read_units(struct c37_cursor *in, struct c37_pmu *pmu)
{
    for (uint32_t i = 0; i < pmu->phasors; i++) {
        uint32_t unit = c37_u32(in);

        pmu->phasor[i] = (struct c37_phasor_scale){.factor = (unit & UNIT_MASK) * UNIT_FACTOR, .unit = unit,
                                                   .current = unit >> 24 & 1};
    }
    for (uint32_t i = 0; i < pmu->analogs; i++)
        pmu->analog[i] = (struct c37_analog_scale){.factor = 1, .unit = c37_u32(in)};
}

static void read_scales(struct c37_cursor *in, struct c37_pmu *pmu)
{
    for (uint32_t i = 0; i < pmu->phasors; i++) {
        struct c37_phasor_scale *scale = &pmu->phasor[i];

        scale->unit = c37_u32(in);
        scale->current = scale->unit >> 8 & CURRENT_3;
        scale->factor = c37_float(in);
        scale->angle_rad = c37_float(in);
    }
    for (uint32_t i = 0; i < pmu->analogs; i++) {
        pmu->analog[i].unit = 0;
        pmu->analog[i].factor = c37_float(in);
        pmu->analog[i].offset = c37_float(in);
    }
}

/* Numbers that are none would make every value none. */
static bool scales_are_finite(const struct c37_pmu *pmu)
{
    double sum = 0;

    for (uint32_t i = 0; i < pmu->phasors; i++)
        sum += pmu->phasor[i].factor * 0 + pmu->phasor[i].angle_rad * 0;
    for (uint32_t i = 0; i < pmu->analogs; i++)
        sum += pmu->analog[i].factor * 0 + pmu->analog[i].offset * 0;
    return sum == 0;
}

/* Latitude and the like, which nobody here needs, and the class of the filter. */
static void read_place(struct c37_cursor *in, struct c37_pmu *pmu)
{
    c37_take(in, PLACE_BYTES);
    const uint8_t *class = c37_take(in, 1);
    c37_take(in, WINDOW_BYTES);
    pmu->class = class && (*class == 'M' || *class == 'P') ? (char)*class : 0;
}

static int read_pmu(const uint8_t *data, struct c37_cursor *in, bool third, struct c37_pmu *pmu)
{
    pmu->names_at = (uint32_t)(in->at - data);
    skip_name(in, third);
    pmu->id = c37_u16(in);
    if (third)
        c37_take(in, GLOBAL_ID_BYTES);
    pmu->format = c37_u16(in);
    int refusal = read_counts(in, pmu);
    if (refusal)
        return refusal;
    for (uint32_t i = 0; i < names_of(pmu); i++)
        skip_name(in, third);
    third ? read_scales(in, pmu) : read_units(in, pmu);
    for (uint32_t i = 0; i < pmu->digitals; i++)
        pmu->digital_unit[i] = c37_u32(in);
    pmu->class = 0;
    if (third)
        read_place(in, pmu);
    pmu->nominal_50 = c37_u16(in) & NOMINAL_50;
    pmu->changes = c37_u16(in);
    return !in->over && scales_are_finite(pmu) ? METER_ACCEPTED : METER_MALFORMED;
}

static uint32_t pmu_bytes(const struct c37_pmu *pmu)
{
    return 2 + pmu->phasors * (pmu->format & C37_PHASORS_FLOAT ? 8u : 4u) +
           (pmu->format & C37_FREQUENCY_FLOAT ? 8u : 4u) +
           pmu->analogs * (pmu->format & C37_ANALOGS_FLOAT ? 4u : 2u) + pmu->digitals * 2u;
}

uint64_t c37_name_print(const uint8_t *at, uint32_t bytes)
{
    uint64_t value = UINT64_C(14695981039346656037);

    for (uint32_t i = 0; i < bytes; i++)
        value = (value ^ at[i]) * UINT64_C(1099511628211);
    return value;
}

static void print_names(const uint8_t *data, struct c37_config *config, uint32_t pmu)
{
    for (uint32_t i = 0; i < config->pmu[pmu].phasors; i++) {
        struct c37_text name = c37_name(data, config, pmu, i + 1);

        config->pmu[pmu].phasor[i].name = c37_name_print(name.at, name.bytes);
    }
}

static int read_config(const uint8_t *data, struct c37_cursor *in, struct c37_config *config)
{
    bool third = config->type == C37_CFG3;
    uint32_t data_bytes = FRAME_EXTRA_BYTES;

    if (third && c37_u16(in) != 0)
        return METER_CONFIG_PARTS;
    config->time_base = c37_u32(in) & TIME_BASE_MASK;
    uint32_t pmus = c37_u16(in);
    if (in->over || !config->time_base)
        return METER_MALFORMED;
    if (!pmus || pmus > PHASORS_PMUS_MAX)
        return METER_SHAPE;
    config->pmus = (uint8_t)pmus;
    for (uint32_t i = 0; i < pmus; i++) {
        int refusal = read_pmu(data, in, third, &config->pmu[i]);
        if (refusal)
            return refusal;
        print_names(data, config, i);
        data_bytes += pmu_bytes(&config->pmu[i]);
    }
    config->data_rate = (int16_t)c37_u16(in);
    config->data_bytes = (uint16_t)data_bytes;
    if (in->over || in->at != in->end)
        return METER_MALFORMED;
    return data_bytes > DATAGRAM_MAX ? METER_MTU : METER_ACCEPTED;
}

int c37_config_read(const uint8_t *data, uint32_t bytes, struct c37_config *config)
{
    struct c37_cursor in = {.at = data + C37_HEADER_BYTES, .end = data + bytes};

    config->type = (enum c37_type)(data[1] >> 4);
    config->id = (uint16_t)(data[4] << 8 | data[5]);
    return read_config(data, &in, config);
}

int c37_config_decode(const uint8_t *data, uint32_t bytes, struct c37_config *config)
{
    struct c37_head head;
    int refusal = c37_check(data, bytes, &head);

    if (refusal)
        return refusal;
    if (head.type != C37_CFG1 && head.type != C37_CFG2 && head.type != C37_CFG3)
        return METER_MAGIC;
    return c37_config_read(data, bytes - 2, config);
}

static struct c37_text trimmed(const uint8_t *at, uint32_t bytes)
{
    while (bytes && (at[bytes - 1] == ' ' || at[bytes - 1] == 0))
        bytes--;
    return (struct c37_text){at, bytes};
}

/* The station's name stands before what else a PMU has; its channels' names behind that. */
static uint32_t between(bool third)
{
    return 2 + (third ? GLOBAL_ID_BYTES : 0) + 2 + 3 * 2;
}

struct c37_text c37_name(const uint8_t *data, const struct c37_config *config, uint32_t pmu, uint32_t index)
{
    bool third = config->type == C37_CFG3;

    if (pmu >= config->pmus || index > names_of(&config->pmu[pmu]))
        return (struct c37_text){data, 0};
    const uint8_t *at = data + config->pmu[pmu].names_at;
    for (uint32_t i = 0; i < index; i++)
        at += (third ? 1u + *at : SHORT_NAME_BYTES) + (i ? 0 : between(third));
    return third ? (struct c37_text){at + 1, *at} : trimmed(at, SHORT_NAME_BYTES);
}
