/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/upmu.h"

#include "wire/proto.h"

enum { DOUBLE_BYTES = 9 };      /* a one-byte tag and the value */

static uint64_t bits_of(double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static bool finite(const double *value, uint32_t count)
{
    uint64_t odd = 0;

    for (uint32_t i = 0; i < count; i++)
        odd |= proto_not_finite(bits_of(value[i]));
    return odd >> 63 == 0;
}

/* Only +0.0 is the default that proto3 omits. */
static uint32_t double_bytes(double value)
{
    return bits_of(value) ? DOUBLE_BYTES : 0;
}

static void put_double(struct proto_writer *out, uint32_t number, double value)
{
    uint64_t bits = bits_of(value);

    out->full |= !finite(&value, 1);    /* nothing leaves that a decoder would refuse */
    if (bits == 0)
        return;
    proto_put_varint(out, PROTO_TAG(number, PROTO_FIXED64));
    proto_put_raw(out, &bits, sizeof bits);
}

static void put_length(struct proto_writer *out, uint32_t number, uint32_t bytes)
{
    proto_put_varint(out, PROTO_TAG(number, PROTO_BYTES));
    proto_put_varint(out, bytes);
}

static void put_bool(struct proto_writer *out, uint32_t number, int value)
{
    if (!value)
        return;
    proto_put_varint(out, PROTO_TAG(number, PROTO_VARINT));
    proto_put_varint(out, 1);
}

/* A message of doubles in the order of their numbers. `keep`: written even when every value is a default. */
static void put_doubles(struct proto_writer *out, uint32_t number, const double *value, uint32_t count,
    bool keep)
{
    uint32_t bytes = 0;

    for (uint32_t i = 0; i < count; i++)
        bytes += double_bytes(value[i]);
    if (bytes == 0 && !keep)
        return;
    put_length(out, number, bytes);
    for (uint32_t i = 0; i < count; i++)
        put_double(out, i + 1, value[i]);
}

static void put_phase(struct proto_writer *out, const struct upmu_phase *phase)
{
    const double value[] = { phase->voltage_rms_v, phase->current_rms_a, phase->power_active_w,
        phase->power_reactive_var, phase->power_apparent_va, phase->power_factor };

    put_doubles(out, 3, value, sizeof value / sizeof *value, true);
}

static void put_features(struct proto_writer *out, const struct upmu *upmu)
{
    const double value[] = { upmu->dp_dt_mw_per_s, upmu->peak_factor, upmu->load_factor, upmu->power_trend };

    put_doubles(out, 5, value, sizeof value / sizeof *value, false);
}

static void put_harmonics(struct proto_writer *out, const struct upmu *upmu)
{
    uint32_t bytes = upmu->harmonic_count * (uint32_t)sizeof(double);

    if (bytes == 0)
        return;
    out->full |= !finite(upmu->harmonic_pct, upmu->harmonic_count);
    put_length(out, 3, bytes);
    proto_put_raw(out, upmu->harmonic_pct, bytes);
}

static uint32_t quality_bytes(const struct upmu *upmu)
{
    uint32_t run = upmu->harmonic_count * (uint32_t)sizeof(double);
    uint32_t bytes = double_bytes(upmu->thd_voltage_pct) + double_bytes(upmu->thd_current_pct)
        + double_bytes(upmu->frequency_hz);

    bytes += run ? 1 + proto_varint_bytes(run) + run : 0;
    return bytes + (upmu->sag_detected ? 2 : 0) + (upmu->swell_detected ? 2 : 0);
}

static void put_quality(struct proto_writer *out, const struct upmu *upmu)
{
    uint32_t bytes = quality_bytes(upmu);

    if (bytes == 0)
        return;
    put_length(out, 4, bytes);
    put_double(out, 1, upmu->thd_voltage_pct);
    put_double(out, 2, upmu->thd_current_pct);
    put_harmonics(out, upmu);
    put_double(out, 4, upmu->frequency_hz);
    put_bool(out, 5, upmu->sag_detected);
    put_bool(out, 6, upmu->swell_detected);
}

uint32_t upmu_encode(const struct upmu *upmu, uint8_t *body, uint32_t room)
{
    struct proto_writer out = { body, body + room, false };

    if (upmu->phase_count > PHASES || upmu->harmonic_count > HARMONICS_MAX)
        return 0;
    if (upmu->timestamp_ns) {
        proto_put_varint(&out, PROTO_TAG(1, PROTO_VARINT));
        proto_put_varint(&out, (uint64_t)upmu->timestamp_ns);
    }
    if (upmu->device_id_bytes) {
        put_length(&out, 2, upmu->device_id_bytes);
        proto_put_raw(&out, upmu->device_id, upmu->device_id_bytes);
    }
    for (uint32_t i = 0; i < upmu->phase_count; i++)
        put_phase(&out, &upmu->phase[i]);
    put_quality(&out, upmu);
    put_features(&out, upmu);
    return out.full ? 0 : (uint32_t)(out.at - body);
}
