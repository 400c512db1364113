/* SPDX-License-Identifier: Apache-2.0 */
/* PowerMeasurement: a worked example byte for byte, both ways, and the limits of both. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hex.h"
#include "msg/frame.h"
#include "wire/upmu.h"

/* Time 1751538645123456789 ns, "PDU-A01-001", three equal phases, harmonics 100 0 10 0 6, sag: 302 bytes. */
#define PHASE_HEX \
    "1a36090000000000527140110000000000c4824019000000008094034121000000000004e540" \
    "2900000000a0500441314850fc1873d7ee3f"
static const char example_hex[] =
    "0895becf87e2e3ada718120b5044552d4130312d303031" PHASE_HEX PHASE_HEX PHASE_HEX
    "22470900000000000002401100000000000029401a28000000000000594000000000000000000000000000002440"
    "00000000000000000000000000001840210000000000004e402801"
    "2a240900000000000029c011000000000000f83f19000000000000e83f21000000000000c03f";

enum { EXAMPLE_BYTES = 302 };

static struct upmu example(void)
{
    struct upmu upmu = {
        .timestamp_ns = INT64_C(1751538645123456789), .device_id = "PDU-A01-001", .device_id_bytes = 11,
        .phase_count = 3, .thd_voltage_pct = 2.25, .thd_current_pct = 12.5, .frequency_hz = 60.0,
        .harmonic_count = 5, .harmonic_pct = { 100, 0, 10, 0, 6 }, .sag_detected = 1,
        .dp_dt_mw_per_s = -12.5, .peak_factor = 1.5, .load_factor = 0.75, .power_trend = 0.125,
    };

    for (int i = 0; i < 3; i++)
        upmu.phase[i] = (struct upmu_phase){ 277.125, 600.5, 160400, 43040, 166420, 0.9638 };
    return upmu;
}

static void assert_same(const struct upmu *a, const struct upmu *b)
{
    assert_int_equal(a->timestamp_ns, b->timestamp_ns);
    assert_int_equal(a->device_id_bytes, b->device_id_bytes);
    assert_memory_equal(a->device_id, b->device_id, a->device_id_bytes);
    assert_int_equal(a->phase_count, b->phase_count);
    assert_memory_equal(a->phase, b->phase, sizeof a->phase);
    assert_int_equal(a->harmonic_count, b->harmonic_count);
    assert_memory_equal(a->harmonic_pct, b->harmonic_pct, a->harmonic_count * sizeof(double));
    assert_memory_equal(&a->thd_voltage_pct, &b->thd_voltage_pct, 3 * sizeof(double));
    assert_int_equal(a->sag_detected, b->sag_detected);
    assert_int_equal(a->swell_detected, b->swell_detected);
    assert_memory_equal(&a->dp_dt_mw_per_s, &b->dp_dt_mw_per_s, 4 * sizeof(double));
}

static void worked_example_decodes_to_its_values(void **state)
{
    (void)state;
    uint8_t body[512];
    struct upmu upmu, expected = example();

    assert_int_equal(hex_read(example_hex, body), EXAMPLE_BYTES);
    assert_int_equal(upmu_decode(body, EXAMPLE_BYTES, &upmu), ACCEPTED);
    assert_same(&upmu, &expected);
}

static void worked_example_encodes_byte_for_byte(void **state)
{
    (void)state;
    uint8_t body[512], expected[512];
    struct upmu upmu = example();

    hex_read(example_hex, expected);
    assert_int_equal(upmu_encode(&upmu, body, sizeof body), EXAMPLE_BYTES);
    assert_memory_equal(body, expected, EXAMPLE_BYTES);
}

static void fifty_harmonics_without_sag_take_662_bytes(void **state)
{
    (void)state;
    uint8_t body[DATAGRAM_MAX];
    struct upmu upmu = example(), back;

    upmu.sag_detected = 0;
    upmu.harmonic_count = 50;
    for (int i = 0; i < 50; i++)
        upmu.harmonic_pct[i] = 100.0 / (i + 1);
    assert_int_equal(upmu_encode(&upmu, body, sizeof body), 662);
    assert_int_equal(upmu_decode(body, 662, &back), ACCEPTED);
    assert_same(&upmu, &back);
}

/* A body cut short is well formed only where a top-level field ends. */
static void every_truncation_is_refused_except_between_fields(void **state)
{
    (void)state;
    uint8_t body[512];
    struct upmu upmu;
    uint32_t accepted = 0;

    hex_read(example_hex, body);
    for (uint32_t bytes = 0; bytes < EXAMPLE_BYTES; bytes++) {
        uint8_t *exact = malloc(bytes ? bytes : 1);     /* its own block: a sanitizer sees a read past it */

        memcpy(exact, body, bytes);
        accepted += upmu_decode(exact, bytes, &upmu) == ACCEPTED;
        free(exact);
    }
    assert_int_equal(accepted, 7);  /* 0, and after the stamp, the id, three phases and pq */
}

static void encoder_never_writes_past_its_room(void **state)
{
    (void)state;
    uint8_t body[512];
    struct upmu upmu = example();

    for (uint32_t room = 0; room < EXAMPLE_BYTES; room++) {
        memset(body, 0xA5, sizeof body);
        assert_int_equal(upmu_encode(&upmu, body, room), 0);
        for (uint32_t i = room; i < sizeof body; i++)
            assert_int_equal(body[i], 0xA5);
    }
}

static void encoder_refuses_what_the_decoder_would(void **state)
{
    (void)state;
    uint8_t body[DATAGRAM_MAX];
    struct upmu upmu = example();

    upmu.phase[1].current_rms_a = __builtin_nan("");
    assert_int_equal(upmu_encode(&upmu, body, sizeof body), 0);
    upmu = example();
    upmu.harmonic_pct[4] = __builtin_inf();
    assert_int_equal(upmu_encode(&upmu, body, sizeof body), 0);
    upmu = example();
    upmu.phase_count = PHASES + 1;
    assert_int_equal(upmu_encode(&upmu, body, sizeof body), 0);
    upmu = example();
    upmu.harmonic_count = HARMONICS_MAX + 1;
    assert_int_equal(upmu_encode(&upmu, body, sizeof body), 0);
}

static void empty_body_is_a_message_of_defaults(void **state)
{
    (void)state;
    struct upmu upmu, zero = { 0 };

    memset(&upmu, 0xFF, sizeof upmu);
    assert_int_equal(upmu_decode((const uint8_t *)"", 0, &upmu), ACCEPTED);
    assert_same(&upmu, &zero);
    assert_int_equal(upmu_encode(&zero, (uint8_t[8]){ 0 }, 8), 0);  /* 0 bytes are the whole message */
}

static void phases_at_zero_are_kept(void **state)
{
    (void)state;
    uint8_t body[16];
    struct upmu upmu = { .phase_count = 3 }, back;

    assert_int_equal(upmu_encode(&upmu, body, sizeof body), 6);
    assert_memory_equal(body, "\x1a\0\x1a\0\x1a\0", 6);
    assert_int_equal(upmu_decode(body, 6, &back), ACCEPTED);
    assert_int_equal(back.phase_count, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(worked_example_decodes_to_its_values),
        cmocka_unit_test(worked_example_encodes_byte_for_byte),
        cmocka_unit_test(fifty_harmonics_without_sag_take_662_bytes),
        cmocka_unit_test(every_truncation_is_refused_except_between_fields),
        cmocka_unit_test(encoder_never_writes_past_its_room),
        cmocka_unit_test(encoder_refuses_what_the_decoder_would),
        cmocka_unit_test(empty_body_is_a_message_of_defaults),
        cmocka_unit_test(phases_at_zero_are_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
