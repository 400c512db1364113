/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of proto3, and where we are stricter, one small body each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "msg/frame.h"
#include "wire/upmu.h"

#define ONE   "\0\0\0\0\0\0\xf0\x3f"
#define TWO   "\0\0\0\0\0\0\0\x40"
#define THREE "\0\0\0\0\0\0\x08\x40"
#define INF   "\0\0\0\0\0\0\xf0\x7f"
#define NAN_  "\x01\0\0\0\0\0\xf8\xff"

/* In a block of its own size, so that a sanitizer sees one byte too far. */
static int decode(const char *data, size_t bytes, struct upmu *upmu)
{
    static uint8_t *kept;       /* device_id points into it until the next call */

    free(kept);
    kept = malloc(bytes ? bytes : 1);
    assert_non_null(kept);
    memcpy(kept, data, bytes);
    return upmu_decode(kept, (uint32_t)bytes, upmu);
}

#define DECODE(literal) decode(literal, sizeof(literal) - 1, &upmu)
#define assert_accepted(literal) assert_int_equal(DECODE(literal), ACCEPTED)
#define assert_refused(literal) assert_int_equal(DECODE(literal), REFUSED_MALFORMED)

static void harmonics_come_packed_unpacked_and_in_split_runs(void **state)
{
    (void)state;
    struct upmu upmu;

    assert_accepted("\x22\x29\x1a\x08" ONE "\x19" TWO "\x1a\x10" THREE ONE "\x1a\x00\x1a\x00");
    assert_int_equal(upmu.harmonic_count, 4);
    assert_true(upmu.harmonic_pct[0] == 1 && upmu.harmonic_pct[1] == 2);
    assert_true(upmu.harmonic_pct[2] == 3 && upmu.harmonic_pct[3] == 1);
    assert_refused("\x22\x09\x1a\x07\0\0\0\0\0\0\0");
}

/* 64 values over `first` in one run, then one unpacked, must fail on the 65th whichever way it comes. */
static void the_65th_harmonic_is_refused_packed_or_not(void **state)
{
    (void)state;
    for (uint32_t first = 0; first <= HARMONICS_MAX + 1; first++) {
        for (uint32_t single = 0; first + single <= HARMONICS_MAX + 1; single++) {
            uint8_t body[1024] = { 0x22, 0, 0, 0x1A, (uint8_t)(first * 8 | 0x80), (uint8_t)(first * 8 >> 7) };
            uint32_t bytes = 6 + first * 8;
            struct upmu upmu;

            for (uint32_t i = 0; i < single; i++, bytes += 9)
                body[bytes] = 0x19;
            body[1] = (uint8_t)((bytes - 3) | 0x80);
            body[2] = (uint8_t)((bytes - 3) >> 7);
            assert_int_equal(upmu_decode(body, bytes, &upmu),
                first + single > HARMONICS_MAX ? REFUSED_MALFORMED : ACCEPTED);
        }
    }
}

static void the_last_of_a_singular_field_wins(void **state)
{
    (void)state;
    struct upmu upmu;

    assert_accepted("\x08\x05\x12\x01" "A\x08\x06\x12\x02" "BC");
    assert_int_equal(upmu.timestamp_ns, 6);
    assert_int_equal(upmu.device_id_bytes, 2);
    assert_memory_equal(upmu.device_id, "BC", 2);
    assert_accepted("\x12\x01" "A\x12\x00");
    assert_int_equal(upmu.device_id_bytes, 0);
}

static void a_singular_message_that_comes_twice_is_merged(void **state)
{
    (void)state;
    struct upmu upmu;

    assert_accepted("\x22\x15\x09" ONE "\x1a\x08" ONE "\x28\x01"
        "\x22\x17\x11" TWO "\x1a\x08" TWO "\x28\x00\x30\x01");
    assert_true(upmu.thd_voltage_pct == 1 && upmu.thd_current_pct == 2);
    assert_int_equal(upmu.harmonic_count, 2);
    assert_int_equal(upmu.sag_detected, 0);
    assert_int_equal(upmu.swell_detected, 1);
    assert_accepted("\x2a\x09\x09" ONE "\x2a\x12\x11" TWO "\x09" THREE);
    assert_true(upmu.dp_dt_mw_per_s == 3 && upmu.peak_factor == 2);
}

static void each_phase_starts_from_zero_and_a_fourth_is_refused(void **state)
{
    (void)state;
    struct upmu upmu;

    assert_accepted("\x1a\x09\x09" ONE "\x1a\x00\x1a\x09\x11" TWO);
    assert_int_equal(upmu.phase_count, 3);
    assert_true(upmu.phase[0].voltage_rms_v == 1 && upmu.phase[0].current_rms_a == 0);
    assert_true(upmu.phase[1].voltage_rms_v == 0);
    assert_true(upmu.phase[2].voltage_rms_v == 0 && upmu.phase[2].current_rms_a == 2);
    assert_refused("\x1a\x00\x1a\x00\x1a\x00\x1a\x00");
}

static void unknown_fields_of_every_wire_type_are_skipped(void **state)
{
    (void)state;
    struct upmu upmu;

    assert_accepted("\x30\x96\x01\x39" ONE "\x42\x03" "abc\x4d\1\2\3\4\x08\x07");
    assert_int_equal(upmu.timestamp_ns, 7);
    assert_accepted("\xf8\xff\xff\xff\x0f\x01");        /* the largest field number */
    assert_accepted("\x1a\x0b\x38\x01\x09" ONE);        /* in a phase */
    assert_accepted("\x22\x0b\x38\x01\x09" ONE);
    assert_accepted("\x2a\x0b\x38\x01\x09" ONE);
    assert_true(upmu.dp_dt_mw_per_s == 1);
    assert_accepted("\x31" NAN_);                       /* a double of whom nobody knows */
    assert_refused("\x36\x00");                         /* wire types 6 and 7 do not exist */
    assert_refused("\x37\x00");
    assert_refused("\x4d\1\2\3");
    assert_refused("\x39\1\2\3\4\5\6\7");
    assert_refused("\x42\x04" "abc");
}

static void unknown_groups_are_skipped_when_closed_and_at_most_8_deep(void **state)
{
    (void)state;
    struct upmu upmu;

    assert_accepted("\x33\x34\x08\x07");
    assert_int_equal(upmu.timestamp_ns, 7);
    assert_accepted("\x33\x38\x01\x3b\x42\x01\x3c\x3c\x34\x08\x09");    /* 3c inside a string is no end */
    assert_int_equal(upmu.timestamp_ns, 9);
    assert_accepted("\x33\x08\x05\x34");                /* a known number inside a group means nothing */
    assert_int_equal(upmu.timestamp_ns, 0);
    assert_accepted("\x33\x33\x33\x33\x33\x33\x33\x33\x34\x34\x34\x34\x34\x34\x34\x34");
    assert_refused("\x33\x33\x33\x33\x33\x33\x33\x33\x33\x34\x34\x34\x34\x34\x34\x34\x34\x34");
    assert_refused("\x33");
    assert_refused("\x34");
    assert_refused("\x33\x3c");
    assert_refused("\x33\x3b\x34\x3c");
    assert_refused("\x33\x00\x01\x34");               /* field number 0 */
    assert_refused("\x1a\x01\x33\x34");                 /* a group does not cross the end of its message */
}

static void a_known_field_of_another_wire_type_is_refused(void **state)
{
    (void)state;
    struct upmu upmu;

    assert_refused("\x09" ONE);
    assert_refused("\x10\x01");
    assert_refused("\x18\x01");
    assert_refused("\x0b\x0c");
    assert_refused("\x1a\x02\x08\x01");
    assert_refused("\x1a\x05\x0d\0\0\0\0");
    assert_refused("\x22\x02\x18\x01");
    assert_refused("\x22\x09\x29" ONE);     /* protobuf-c takes this double for a bool; we do not */
    assert_refused("\x2a\x02\x08\x01");
    assert_refused("\x28\x01");                         /* the last number of each message too */
    assert_refused("\x1a\x02\x30\x01");
    assert_refused("\x22\x09\x31" ONE);
    assert_refused("\x2a\x02\x20\x01");
}

static void varints_hold_64_bits_and_not_one_more(void **state)
{
    (void)state;
    struct upmu upmu;

    assert_accepted("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01");
    assert_int_equal(upmu.timestamp_ns, -1);
    assert_accepted("\x08\x85\x80\x80\x80\x80\x80\x80\x80\x80\x00");
    assert_int_equal(upmu.timestamp_ns, 5);
    assert_refused("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02");
    assert_refused("\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00");
    assert_refused("\x30\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00");
    assert_refused("\x08\x80");
    assert_refused("\x08");
}

static void tags_and_lengths_hold_32_bits_in_5_bytes(void **state)
{
    (void)state;
    struct upmu upmu;

    assert_accepted("\x88\x80\x80\x80\x00\x05");
    assert_int_equal(upmu.timestamp_ns, 5);
    assert_refused("\x88\x80\x80\x80\x80\x00\x05");
    assert_refused("\x88\x80\x80\x80\x10\x05");
    assert_accepted("\x12\x81\x80\x80\x80\x00" "A");
    assert_refused("\x12\x81\x80\x80\x80\x80\x00" "A");
    assert_refused("\x12\x81\x80\x80\x80\x10" "A");
    assert_refused("\x12\xff\xff\xff\xff\x0f" "A");
    assert_refused("\x00\x01");                         /* field number 0 */
    assert_refused("\x80\x00\x01");
}

static void doubles_must_be_finite_wherever_they_stand(void **state)
{
    (void)state;
    struct upmu upmu;

    assert_refused("\x1a\x09\x09" INF);
    assert_refused("\x1a\x09\x31" NAN_);
    assert_refused("\x22\x09\x21" NAN_);
    assert_refused("\x22\x09\x19" INF);
    assert_refused("\x22\x12\x1a\x10" ONE INF);
    assert_refused("\x2a\x09\x21" INF);
    assert_refused("\x2a\x12\x09" INF "\x09" ONE);      /* also when a later one would win */
    assert_accepted("\x1a\x09\x09\xff\xff\xff\xff\xff\xff\xef\x7f");    /* the largest finite double */
}

static void any_varint_but_zero_is_true(void **state)
{
    (void)state;
    struct upmu upmu;

    assert_accepted("\x22\x0d\x28\x02\x30\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01");
    assert_int_equal(upmu.sag_detected, 1);
    assert_int_equal(upmu.swell_detected, 1);
    assert_accepted("\x22\x05\x28\x80\x00\x30\x00");
    assert_int_equal(upmu.sag_detected, 0);
    assert_int_equal(upmu.swell_detected, 0);
}

/* The decoder is quicker when doubles come in order; what it reads must not depend on it. */
static void fields_may_come_in_any_order(void **state)
{
    (void)state;
    struct upmu upmu;

    assert_accepted("\x2a\x1b\x11" TWO "\x09" ONE "\x19" THREE);
    assert_true(upmu.dp_dt_mw_per_s == 1 && upmu.peak_factor == 2 && upmu.load_factor == 3);
    assert_accepted("\x2a\x14\x09" ONE "\x38\x01\x11" TWO "\x2a\x09\x21" THREE);
    assert_true(upmu.dp_dt_mw_per_s == 1 && upmu.peak_factor == 2 && upmu.power_trend == 3);
    assert_accepted("\x2a\x1b\x09" ONE "\x11" ONE "\x09" THREE);
    assert_true(upmu.dp_dt_mw_per_s == 3 && upmu.peak_factor == 1);
    assert_refused("\x2a\x11\x09" ONE "\x11\0\0\0\0\0\0\0");
}

static void minus_zero_is_kept_and_written(void **state)
{
    (void)state;
    struct upmu upmu;
    uint8_t body[32];

    assert_accepted("\x2a\x09\x09\0\0\0\0\0\0\0\x80");
    assert_true(__builtin_signbit(upmu.dp_dt_mw_per_s));
    assert_int_equal(upmu_encode(&upmu, body, sizeof body), 11);
    assert_memory_equal(body, "\x2a\x09\x09\0\0\0\0\0\0\0\x80", 11);
}

static void a_length_may_not_leave_its_message(void **state)
{
    (void)state;
    struct upmu upmu;

    assert_refused("\x12\x02" "A");
    assert_refused("\x1a\x0a\x09" ONE);
    assert_refused("\x22\x0a\x1a\x10" ONE ONE);         /* the run ends behind pq, though inside the body */
    assert_refused("\x1a\x05\x09" ONE);
    assert_accepted("\x12\x03" "A\0B");                 /* any byte may stand in an id */
    assert_int_equal(upmu.device_id_bytes, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(harmonics_come_packed_unpacked_and_in_split_runs),
        cmocka_unit_test(the_65th_harmonic_is_refused_packed_or_not),
        cmocka_unit_test(the_last_of_a_singular_field_wins),
        cmocka_unit_test(a_singular_message_that_comes_twice_is_merged),
        cmocka_unit_test(each_phase_starts_from_zero_and_a_fourth_is_refused),
        cmocka_unit_test(unknown_fields_of_every_wire_type_are_skipped),
        cmocka_unit_test(unknown_groups_are_skipped_when_closed_and_at_most_8_deep),
        cmocka_unit_test(a_known_field_of_another_wire_type_is_refused),
        cmocka_unit_test(varints_hold_64_bits_and_not_one_more),
        cmocka_unit_test(tags_and_lengths_hold_32_bits_in_5_bytes),
        cmocka_unit_test(doubles_must_be_finite_wherever_they_stand),
        cmocka_unit_test(any_varint_but_zero_is_true),
        cmocka_unit_test(fields_may_come_in_any_order),
        cmocka_unit_test(minus_zero_is_kept_and_written),
        cmocka_unit_test(a_length_may_not_leave_its_message),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
