/* SPDX-License-Identifier: Apache-2.0 */
#include "differ.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cap.pb-c.h"
#include "judge.h"
#include "msg/frame.h"
#include "upmu.pb-c.h"
#include "wire/cap.h"
#include "wire/detail.h"
#include "wire/upmu.h"

#define REQUIRE(condition, what) ((condition) ? (void)0 : disagree(what, __LINE__))

static _Noreturn void disagree(const char *what, int line)
{
    fprintf(stderr, "differ.c:%d: %s\n", line, what);
    abort();
}

static bool same_double(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

/* What the judge thinks of a body and what protobuf-c makes of it; NULL when our decoder ought to refuse. */
static ProtobufCMessage *reference(const ProtobufCMessageDescriptor *descriptor, const uint8_t *body,
    uint32_t bytes)
{
    static struct judgement judgement;
    ProtobufCMessage *message = protobuf_c_message_unpack(descriptor, NULL, bytes, body);
    bool accepts = message != NULL;

    if (message)
        protobuf_c_message_free_unpacked(message, NULL);
    judge(descriptor, body, bytes, &judgement);
    if (judgement.verdict == FORM_BROKEN)
        REQUIRE(!accepts, "protobuf-c accepts what the judge calls broken");
    if (judgement.verdict != FORM_GOOD)
        return NULL;
    REQUIRE(accepts != judgement.groups, "protobuf-c refuses what the judge calls good");

    message = protobuf_c_message_unpack(descriptor, NULL, judgement.bytes, judgement.body);
    REQUIRE(message != NULL, "protobuf-c refuses the rewritten body");
    return message;
}

static void same_phases(const struct upmu *ours, const PowerMeasurement *theirs)
{
    REQUIRE(ours->phase_count == theirs->n_phases, "phase count");
    for (uint32_t i = 0; i < ours->phase_count; i++) {
        const struct upmu_phase *a = &ours->phase[i];
        const PhaseData *b = theirs->phases[i];

        REQUIRE(same_double(a->voltage_rms_v, b->voltage_rms), "voltage");
        REQUIRE(same_double(a->current_rms_a, b->current_rms), "current");
        REQUIRE(same_double(a->power_active_w, b->power_active), "active power");
        REQUIRE(same_double(a->power_reactive_var, b->power_reactive), "reactive power");
        REQUIRE(same_double(a->power_apparent_va, b->power_apparent), "apparent power");
        REQUIRE(same_double(a->power_factor, b->power_factor), "power factor");
    }
}

static void same_quality(const struct upmu *ours, const PowerQuality *theirs)
{
    static const PowerQuality none = POWER_QUALITY__INIT;

    theirs = theirs ? theirs : &none;
    REQUIRE(same_double(ours->thd_voltage_pct, theirs->thd_voltage), "voltage THD");
    REQUIRE(same_double(ours->thd_current_pct, theirs->thd_current), "current THD");
    REQUIRE(same_double(ours->frequency_hz, theirs->frequency), "frequency");
    REQUIRE(!!ours->sag_detected == !!theirs->sag_detected, "sag");
    REQUIRE(!!ours->swell_detected == !!theirs->swell_detected, "swell");
    REQUIRE(ours->harmonic_count == theirs->n_harmonics, "harmonic count");
    for (uint32_t i = 0; i < ours->harmonic_count; i++)
        REQUIRE(same_double(ours->harmonic_pct[i], theirs->harmonics[i]), "harmonic");
}

static void same_features(const struct upmu *ours, const Features *theirs)
{
    static const Features none = FEATURES__INIT;

    theirs = theirs ? theirs : &none;
    REQUIRE(same_double(ours->dp_dt_mw_per_s, theirs->dp_dt), "dP/dt");
    REQUIRE(same_double(ours->peak_factor, theirs->peak_factor), "peak factor");
    REQUIRE(same_double(ours->load_factor, theirs->load_factor), "load factor");
    REQUIRE(same_double(ours->power_trend, theirs->power_trend), "power trend");
}

/* protobuf-c ends a string with a NUL and keeps no length: what stands behind a NUL inside an id it does not
 * say. */
static void same_measurement(const struct upmu *ours, const PowerMeasurement *theirs)
{
    size_t seen = strnlen(theirs->device_id, ours->device_id_bytes);

    REQUIRE(ours->timestamp_ns == theirs->timestamp_ns, "timestamp");
    REQUIRE(theirs->device_id[seen] == '\0', "device id longer than ours");
    REQUIRE(seen == ours->device_id_bytes || ours->device_id[seen] == '\0', "device id shorter than ours");
    REQUIRE(seen == 0 || memcmp(ours->device_id, theirs->device_id, seen) == 0, "device id");
    same_phases(ours, theirs);
    same_quality(ours, theirs->pq);
    same_features(ours, theirs->features);
}

static void upmu_returns(const struct upmu *upmu)
{
    uint8_t body[1 << 13];
    struct upmu back;
    uint32_t bytes = upmu_encode(upmu, body, sizeof body);

    REQUIRE(upmu_decode(body, bytes, &back) == ACCEPTED, "own encoding refused");
    PowerMeasurement *theirs = power_measurement__unpack(NULL, bytes, body);

    REQUIRE(theirs != NULL, "protobuf-c refuses our encoding");
    same_measurement(upmu, theirs);
    same_measurement(&back, theirs);
    power_measurement__free_unpacked(theirs, NULL);
}

bool differ_upmu(const uint8_t *body, uint32_t bytes)
{
    struct upmu ours;
    bool accepted = upmu_decode(body, bytes, &ours) == ACCEPTED;
    PowerMeasurement *theirs = (PowerMeasurement *)reference(&power_measurement__descriptor, body, bytes);
    bool expected = theirs && theirs->n_phases <= 3 && (!theirs->pq || theirs->pq->n_harmonics <= 64);

    REQUIRE(accepted == expected, accepted ? "accepted, and should not be" : "refused, and should not be");
    if (accepted) {
        same_measurement(&ours, theirs);
        upmu_returns(&ours);
    }
    if (theirs)
        power_measurement__free_unpacked(theirs, NULL);
    return accepted;
}

#define SAME(member) REQUIRE((uint64_t)ours->member == (uint64_t)theirs->member, #member)

static void same_lease(const struct lease *ours, const Flyball__Lease *theirs)
{
    REQUIRE(ours->host == 0, "host");
    SAME(incarnation); SAME(epoch); SAME(sequence); SAME(echo);
    SAME(cap_mw); SAME(floor_mw); SAME(duration_ns); SAME(flags); SAME(session);
    SAME(ramp_up_mw_per_s); SAME(ramp_down_mw_per_s); SAME(hysteresis_ns);
}

static void same_report(const struct report *ours, const Flyball__Report *theirs)
{
    REQUIRE(ours->host == 0, "host");
    SAME(incarnation); SAME(epoch); SAME(number); SAME(applied); SAME(held_ns); SAME(cap_mw);
    SAME(readback_mw); SAME(fail_safe_mw); SAME(phys_max_mw); SAME(draw_mw);
    SAME(state); SAME(flags); SAME(psu_inputs); SAME(session);
}

static void same_request(const struct token_request *ours, const Flyball__TokenRequest *theirs)
{
    REQUIRE(ours->host == 0, "host");
    SAME(request); SAME(amount_mw); SAME(duration_ns); SAME(priority); SAME(session);
}

static void same_response(const struct token_response *ours, const Flyball__TokenResponse *theirs)
{
    REQUIRE(ours->host == 0, "host");
    SAME(request); SAME(reason); SAME(granted_mw); SAME(alternative_mw); SAME(retry_after_ns);
}

static void same_device(const struct detail_device *ours, const Flyball__DeviceDetail *theirs)
{
    SAME(index); SAME(known); SAME(throttle); SAME(asked_mw); SAME(enforced_mw); SAME(draw_mw);
    SAME(average_mw); SAME(window_us); SAME(energy_mj); SAME(temperature_mc); SAME(clock_mhz);
    SAME(write_us); SAME(write_worst_us);
}

static void same_detail(const struct detail *ours, const Flyball__HostDetail *theirs)
{
    REQUIRE(ours->host == 0, "host");
    SAME(incarnation); SAME(marks); SAME(watchdog_us); SAME(write_errors); SAME(jobs);
    REQUIRE(strcmp(ours->version, theirs->version) == 0, "version");
    REQUIRE(ours->job_count == theirs->n_job, "job count");
    for (uint32_t i = 0; i < ours->job_count; i++)
        REQUIRE(strcmp(ours->job[i], theirs->job[i]) == 0, "job");
    REQUIRE(ours->device_count == theirs->n_device, "device count");
    for (uint32_t i = 0; i < ours->device_count; i++)
        same_device(&ours->device[i], theirs->device[i]);
}

/* Rules of detail.h that are about several fields together, which the judge does not look at. */
static bool detail_fits(const Flyball__HostDetail *theirs)
{
    for (size_t i = 1; i < theirs->n_device; i++)
        if (theirs->device[i - 1]->index >= theirs->device[i]->index)
            return false;
    return theirs->n_job <= DETAIL_JOBS_MAX && theirs->n_device <= HOST_DEVICES_MAX;
}

union cap_ours {
    struct detail detail;
    struct lease lease;
    struct report report;
    struct token_request request;
    struct token_response response;
};

static int cap_decode(enum cap_message message, const uint8_t *body, uint32_t bytes, union cap_ours *ours)
{
    switch (message) {
    case CAP_REPORT:
        return report_decode(body, bytes, &ours->report);
    case CAP_TOKEN_REQUEST:
        return token_request_decode(body, bytes, &ours->request);
    case CAP_TOKEN_RESPONSE:
        return token_response_decode(body, bytes, &ours->response);
    case CAP_DETAIL:
        return detail_decode(body, bytes, &ours->detail);
    default:
        return lease_decode(body, bytes, &ours->lease);
    }
}

static uint32_t cap_encode(enum cap_message message, const union cap_ours *ours, uint8_t *body, uint32_t room)
{
    switch (message) {
    case CAP_REPORT:
        return report_encode(&ours->report, body, room);
    case CAP_TOKEN_REQUEST:
        return token_request_encode(&ours->request, body, room);
    case CAP_TOKEN_RESPONSE:
        return token_response_encode(&ours->response, body, room);
    case CAP_DETAIL:
        return detail_encode(&ours->detail, body, room);
    default:
        return lease_encode(&ours->lease, body, room);
    }
}

/* A Claim has the members of a Lease in the same places: both were made from the same list of fields. */
static void cap_same(enum cap_message message, const union cap_ours *ours, const ProtobufCMessage *theirs)
{
    static_assert(sizeof(Flyball__Claim) == sizeof(Flyball__Lease), "a claim is a lease");
    switch (message) {
    case CAP_REPORT:
        same_report(&ours->report, (const Flyball__Report *)theirs);
        break;
    case CAP_TOKEN_REQUEST:
        same_request(&ours->request, (const Flyball__TokenRequest *)theirs);
        break;
    case CAP_TOKEN_RESPONSE:
        same_response(&ours->response, (const Flyball__TokenResponse *)theirs);
        break;
    case CAP_DETAIL:
        same_detail(&ours->detail, (const Flyball__HostDetail *)theirs);
        break;
    default:
        same_lease(&ours->lease, (const Flyball__Lease *)theirs);
    }
}

/* Its own, or those of messages in it. */
static bool has_unknown(const ProtobufCMessage *theirs)
{
    if (theirs->descriptor != &flyball__host_detail__descriptor)
        return theirs->n_unknown_fields > 0;
    const Flyball__HostDetail *detail = (const Flyball__HostDetail *)theirs;
    for (size_t i = 0; i < detail->n_device; i++)
        if (detail->device[i]->base.n_unknown_fields)
            return true;
    return theirs->n_unknown_fields > 0;
}

/* proto3 has one shortest form for these messages: our bytes and those of protobuf-c must be the same. */
static void cap_returns(enum cap_message message, const union cap_ours *ours, const ProtobufCMessage *theirs)
{
    uint8_t body[2048], expected[2048];
    size_t bytes = cap_encode(message, ours, body, sizeof body);

    REQUIRE(message != CAP_DETAIL || bytes <= DETAIL_BODY_MAX, "longer than the longest detail");
    if (has_unknown(theirs))
        return;                 /* protobuf-c would write those again */
    REQUIRE(bytes == protobuf_c_message_get_packed_size(theirs), "encoded length");
    protobuf_c_message_pack(theirs, expected);
    REQUIRE(memcmp(body, expected, bytes) == 0, "encoding");
}

bool differ_cap(enum cap_message message, const uint8_t *body, uint32_t bytes)
{
    static const ProtobufCMessageDescriptor *const descriptor[CAP_MESSAGES] = {
        &flyball__lease__descriptor, &flyball__claim__descriptor, &flyball__report__descriptor,
        &flyball__token_request__descriptor, &flyball__token_response__descriptor,
        &flyball__host_detail__descriptor,
    };
    union cap_ours ours;
    bool accepted = cap_decode(message, body, bytes, &ours) == ACCEPTED;
    ProtobufCMessage *theirs = reference(descriptor[message], body, bytes);
    bool expected = theirs && (message != CAP_DETAIL || detail_fits((const Flyball__HostDetail *)theirs));

    REQUIRE(accepted == expected, accepted ? "accepted, and should not be" : "refused, and should not be");
    if (!accepted) {
        if (theirs)
            protobuf_c_message_free_unpacked(theirs, NULL);
        return false;
    }
    cap_same(message, &ours, theirs);
    cap_returns(message, &ours, theirs);
    protobuf_c_message_free_unpacked(theirs, NULL);
    return true;
}
