/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/upmu.h"

#include "msg/frame.h"
#include "wire/proto.h"

/* Field number of a message of doubles -> member of the struct it is written to; 0 is no field. */
static const uint16_t phase_member[] = {
    0,
    offsetof(struct upmu_phase, voltage_rms_v),
    offsetof(struct upmu_phase, current_rms_a),
    offsetof(struct upmu_phase, power_active_w),
    offsetof(struct upmu_phase, power_reactive_var),
    offsetof(struct upmu_phase, power_apparent_va),
    offsetof(struct upmu_phase, power_factor),
};

static const uint16_t features_member[] = {
    0,
    offsetof(struct upmu, dp_dt_mw_per_s),
    offsetof(struct upmu, peak_factor),
    offsetof(struct upmu, load_factor),
    offsetof(struct upmu, power_trend),
};

enum { PHASE_FIELDS = 6, QUALITY_FIELDS = 6, FEATURES_FIELDS = 4, MEASUREMENT_FIELDS = 5 };

/* A field that no case took: of a known number it has the wrong wire type. */
static bool skip_unknown(struct proto_cursor *in, uint32_t tag, uint32_t known)
{
    return tag >> 3 > known && proto_skip(in, tag);
}

/* The run that encoders write: every field once, in order. Whatever else there is, doubles_decode reads. */
static inline bool doubles_in_order(struct proto_cursor *in, const uint16_t *member, uint32_t fields,
    void *base)
{
    enum { FIELD_BYTES = 1 + sizeof(double) };
    uint64_t odd = 0;

    for (uint32_t n = 1; n <= fields && in->end - in->at >= FIELD_BYTES; n++) {
        uint64_t bits;

        if (*in->at != PROTO_TAG(n, PROTO_FIXED64))
            break;
        memcpy(&bits, in->at + 1, sizeof bits);
        memcpy((uint8_t *)base + member[n], &bits, sizeof bits);
        odd |= proto_not_finite(bits);
        in->at += FIELD_BYTES;
    }
    return odd >> 63 == 0;
}

static inline bool doubles_decode(struct proto_cursor in, const uint16_t *member, uint32_t fields, void *base)
{
    if (!doubles_in_order(&in, member, fields, base))
        return false;
    while (in.at < in.end) {
        uint32_t tag;
        double value;

        if (!proto_tag(&in, &tag))
            return false;
        if ((tag & 7) != PROTO_FIXED64 || tag >> 3 > fields) {
            if (!skip_unknown(&in, tag, fields))
                return false;
            continue;
        }
        if (!proto_double(&in, &value))
            return false;
        memcpy((uint8_t *)base + member[tag >> 3], &value, sizeof value);
    }
    return true;
}

static bool phase_decode(struct proto_cursor *in, struct upmu *upmu)
{
    struct proto_cursor inside;

    if (upmu->phase_count == PHASES || !proto_bytes(in, &inside))
        return false;
    return doubles_decode(inside, phase_member, PHASE_FIELDS, &upmu->phase[upmu->phase_count++]);
}

static bool harmonic_decode(struct proto_cursor *in, struct upmu *upmu)
{
    return upmu->harmonic_count < HARMONICS_MAX
        && proto_double(in, &upmu->harmonic_pct[upmu->harmonic_count++]);
}

/* A packed run: copied whole, then looked through without a branch per value. */
static bool harmonics_decode(struct proto_cursor *in, struct upmu *upmu)
{
    struct proto_cursor run;
    uint64_t odd = 0;

    if (!proto_bytes(in, &run))
        return false;
    size_t bytes = (size_t)(run.end - run.at);
    if (bytes % sizeof(double) || bytes / sizeof(double) > HARMONICS_MAX - upmu->harmonic_count)
        return false;
    memcpy(&upmu->harmonic_pct[upmu->harmonic_count], run.at, bytes);
    upmu->harmonic_count += (uint32_t)(bytes / sizeof(double));
    for (const uint8_t *at = run.at; at < run.end; at += sizeof(double)) {
        uint64_t bits;

        memcpy(&bits, at, sizeof bits);
        odd |= proto_not_finite(bits);
    }
    return odd >> 63 == 0;
}

static bool quality_field(struct proto_cursor *in, uint32_t tag, struct upmu *upmu)
{
    switch (tag) {
    case PROTO_TAG(1, PROTO_FIXED64):
        return proto_double(in, &upmu->thd_voltage_pct);
    case PROTO_TAG(2, PROTO_FIXED64):
        return proto_double(in, &upmu->thd_current_pct);
    case PROTO_TAG(3, PROTO_BYTES):
        return harmonics_decode(in, upmu);
    case PROTO_TAG(3, PROTO_FIXED64):
        return harmonic_decode(in, upmu);
    case PROTO_TAG(4, PROTO_FIXED64):
        return proto_double(in, &upmu->frequency_hz);
    case PROTO_TAG(5, PROTO_VARINT):
        return proto_bool(in, &upmu->sag_detected);
    case PROTO_TAG(6, PROTO_VARINT):
        return proto_bool(in, &upmu->swell_detected);
    default:
        return skip_unknown(in, tag, QUALITY_FIELDS);
    }
}

/* A second `pq` adds to the first (proto3 merges a singular message that comes twice): clear nothing. */
static bool quality_decode(struct proto_cursor *in, struct upmu *upmu)
{
    struct proto_cursor inside;
    uint32_t tag;

    if (!proto_bytes(in, &inside))
        return false;
    while (inside.at < inside.end)
        if (!proto_tag(&inside, &tag) || !quality_field(&inside, tag, upmu))
            return false;
    return true;
}

static bool features_decode(struct proto_cursor *in, struct upmu *upmu)
{
    struct proto_cursor inside;

    return proto_bytes(in, &inside) && doubles_decode(inside, features_member, FEATURES_FIELDS, upmu);
}

static bool timestamp_decode(struct proto_cursor *in, struct upmu *upmu)
{
    uint64_t value;

    if (!proto_varint(in, &value))
        return false;
    upmu->timestamp_ns = (int64_t)value;
    return true;
}

static bool device_decode(struct proto_cursor *in, struct upmu *upmu)
{
    struct proto_cursor id;

    if (!proto_bytes(in, &id))
        return false;
    upmu->device_id = (const char *)id.at;
    upmu->device_id_bytes = (uint32_t)(id.end - id.at);
    return true;
}

static bool measurement_field(struct proto_cursor *in, uint32_t tag, struct upmu *upmu)
{
    switch (tag) {
    case PROTO_TAG(1, PROTO_VARINT):
        return timestamp_decode(in, upmu);
    case PROTO_TAG(2, PROTO_BYTES):
        return device_decode(in, upmu);
    case PROTO_TAG(3, PROTO_BYTES):
        return phase_decode(in, upmu);
    case PROTO_TAG(4, PROTO_BYTES):
        return quality_decode(in, upmu);
    case PROTO_TAG(5, PROTO_BYTES):
        return features_decode(in, upmu);
    default:
        return skip_unknown(in, tag, MEASUREMENT_FIELDS);
    }
}

/* Everything but the harmonics, of which only the first harmonic_count are ever looked at. */
static void clear(struct upmu *upmu)
{
    memset(upmu, 0, offsetof(struct upmu, harmonic_pct));
    memset(&upmu->sag_detected, 0, sizeof *upmu - offsetof(struct upmu, sag_detected));
}

int upmu_decode(const uint8_t *body, uint32_t bytes, struct upmu *upmu)
{
    struct proto_cursor in = { body, body + bytes };
    uint32_t tag;

    clear(upmu);
    while (in.at < in.end)
        if (!proto_tag(&in, &tag) || !measurement_field(&in, tag, upmu))
            return REFUSED_MALFORMED;
    return ACCEPTED;
}
