/* SPDX-License-Identifier: Apache-2.0 */
/* HostDetail: what is sent comes back, the longest fits a datagram, and nothing strange gets in or out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "wire/detail.h"

enum { ROUNDS = 20000, ROOM = DATAGRAM_MAX - FRAME_HEADER_BYTES };

static uint64_t next_random(uint64_t *state)
{
    *state += UINT64_C(0x9E3779B97F4A7C15);     /* splitmix64 */

    uint64_t z = *state;

    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

/* Of every magnitude, and often 0 or the maximum. */
static uint64_t pick(uint64_t *state, uint64_t max)
{
    uint64_t dice = next_random(state) % 8;
    uint64_t value = next_random(state) >> next_random(state) % 64;

    if (dice < 2)
        return dice ? max : 0;
    return max == UINT64_MAX ? value : value % (max + 1);
}

static uint32_t word(uint64_t *state)
{
    return (uint32_t)pick(state, UINT32_MAX);
}

static void random_text(uint64_t *state, char *text, uint32_t shortest, uint32_t room)
{
    uint32_t bytes = shortest + (uint32_t)(next_random(state) % (room - shortest));

    for (uint32_t i = 0; i < bytes; i++)
        text[i] = (char)('!' + next_random(state) % ('~' - '!' + 1));
}

static struct detail_device random_device(uint64_t *state, uint8_t index)
{
    return (struct detail_device){
        .energy_mj = pick(state, UINT64_MAX), .asked_mw = word(state), .enforced_mw = word(state),
        .draw_mw = word(state), .average_mw = word(state), .window_us = word(state),
        .temperature_mc = (int32_t)word(state), .write_us = word(state), .write_worst_us = word(state),
        .known = (uint16_t)pick(state, UINT16_MAX), .clock_mhz = (uint16_t)pick(state, UINT16_MAX),
        .throttle = (uint8_t)pick(state, UINT8_MAX), .index = index,
    };
}

static struct detail random_detail(uint64_t *state)
{
    struct detail detail = {
        .incarnation = pick(state, UINT64_MAX), .watchdog_us = word(state), .write_errors = word(state),
        .marks = (uint16_t)pick(state, UINT16_MAX), .jobs = (uint16_t)pick(state, UINT16_MAX),
        .job_count = (uint8_t)(next_random(state) % (DETAIL_JOBS_MAX + 1)),
    };

    random_text(state, detail.version, 0, DETAIL_VERSION_BYTES);
    for (uint32_t i = 0; i < detail.job_count; i++)
        random_text(state, detail.job[i], 1, DETAIL_JOB_BYTES);
    for (uint8_t index = 0; index < HOST_DEVICES_MAX; index++)
        if (next_random(state) % 2)
            detail.device[detail.device_count++] = random_device(state, index);
    return detail;
}

static struct detail longest_detail(void)
{
    struct detail detail = {
        .incarnation = UINT64_MAX, .watchdog_us = UINT32_MAX, .write_errors = UINT32_MAX,
        .marks = UINT16_MAX, .jobs = UINT16_MAX, .job_count = DETAIL_JOBS_MAX,
        .device_count = HOST_DEVICES_MAX,
    };

    memset(detail.version, '~', sizeof detail.version - 1);
    for (uint32_t i = 0; i < DETAIL_JOBS_MAX; i++)
        memset(detail.job[i], '!', sizeof detail.job[i] - 1);
    for (uint8_t i = 0; i < HOST_DEVICES_MAX; i++)
        detail.device[i] = (struct detail_device){
            .energy_mj = UINT64_MAX, .asked_mw = UINT32_MAX, .enforced_mw = UINT32_MAX,
            .draw_mw = UINT32_MAX, .average_mw = UINT32_MAX, .window_us = UINT32_MAX,
            .temperature_mc = INT32_MIN, .write_us = UINT32_MAX, .write_worst_us = UINT32_MAX,
            .known = UINT16_MAX, .clock_mhz = UINT16_MAX, .throttle = UINT8_MAX, .index = i,
        };
    return detail;
}

static void any_detail_comes_back_as_sent(void **state)
{
    (void)state;
    uint64_t dice = (uint64_t)time(NULL);

    printf("%s: seed %llu\n", __func__, (unsigned long long)dice);
    for (int i = 0; i < ROUNDS; i++) {
        struct detail detail = random_detail(&dice), back;
        uint8_t body[ROOM];
        uint32_t bytes = detail_encode(&detail, body, sizeof body);

        assert_true(bytes <= DETAIL_BODY_MAX);
        assert_int_equal(detail_decode(body, bytes, &back), ACCEPTED);
        assert_memory_equal(&detail, &back, sizeof detail);
    }
}

static void the_longest_detail_takes_a_body_of_exactly_its_bound(void **state)
{
    (void)state;
    struct detail detail = longest_detail(), back;
    uint8_t body[ROOM];

    assert_int_equal(detail_encode(&detail, body, sizeof body), DETAIL_BODY_MAX);
    assert_int_equal(detail_decode(body, DETAIL_BODY_MAX, &back), ACCEPTED);
    assert_memory_equal(&detail, &back, sizeof detail);
}

static void no_room_is_written_past(void **state)
{
    (void)state;
    struct detail detail = longest_detail();
    uint8_t body[ROOM];

    for (uint32_t room = 0; room < DETAIL_BODY_MAX; room++) {
        memset(body, 0xA5, sizeof body);
        assert_int_equal(detail_encode(&detail, body, room), 0);
        for (uint32_t i = room; i < sizeof body; i++)
            assert_int_equal(body[i], 0xA5);
    }
}

#define BODY(literal) detail_decode((const uint8_t *)(literal), sizeof(literal) - 1, &detail)

static void strange_bodies_are_malformed(void **state)
{
    (void)state;
    struct detail detail;

    assert_int_equal(BODY(""), ACCEPTED);
    assert_int_equal(BODY("\x42\x00\x42\x02\x08\x0f"), ACCEPTED);                   /* devices 0 and 15 */
    assert_int_equal(detail.device_count, 2);
    assert_int_equal(detail.device[1].index, 15);
    assert_int_equal(BODY("\x42\x02\x08\x10"), REFUSED_MALFORMED);                  /* no sixteenth */
    assert_int_equal(BODY("\x42\x02\x08\x01\x42\x02\x08\x01"), REFUSED_MALFORMED);  /* twice */
    assert_int_equal(BODY("\x42\x02\x08\x02\x42\x00"), REFUSED_MALFORMED);          /* not ascending */
    assert_int_equal(BODY("\x42\x05\x20\xff\xff\xff\xff"), REFUSED_MALFORMED);      /* cut short */
    assert_int_equal(BODY("\x42\x06\x20\x80\x80\x80\x80\x10"), REFUSED_MALFORMED);  /* 4.3 MW */
    assert_int_equal(BODY("\x10\x80\x80\x04"), REFUSED_MALFORMED);                  /* marks of 17 bits */
    assert_int_equal(BODY("\x11\1\2\3\4\5\6\7\x08"), REFUSED_MALFORMED);            /* marks as fixed64 */
    assert_int_equal(BODY("\x32\x03" "abc\x32\x01" "d"), ACCEPTED);
    assert_string_equal(detail.version, "d");
    assert_int_equal(BODY("\x32\x18" "aaaaaaaaaaaaaaaaaaaaaaaa"), REFUSED_MALFORMED);
    assert_int_equal(BODY("\x3a\x00"), REFUSED_MALFORMED);                          /* a job without a name */
    assert_int_equal(BODY("\x3a\x02" "a b"), REFUSED_MALFORMED);
    assert_int_equal(BODY("\x3a\x02" "a\0"), REFUSED_MALFORMED);
    assert_int_equal(BODY("\x3a\x02" "a\x7f"), REFUSED_MALFORMED);
    assert_int_equal(BODY("\x3a\x02" "a\xc3"), REFUSED_MALFORMED);
    assert_int_equal(BODY("\x3a\1" "1\x3a\1" "2\x3a\1" "3\x3a\1" "4"), ACCEPTED);
    assert_int_equal(BODY("\x3a\1" "1\x3a\1" "2\x3a\1" "3\x3a\1" "4\x3a\1" "5"), REFUSED_MALFORMED);
    assert_int_equal(BODY("\x7a\x03" "abc\x42\x03\x78\x01\x08"), REFUSED_MALFORMED);
    assert_int_equal(BODY("\x7a\x03" "abc\x42\x02\x78\x01"), ACCEPTED);     /* unknown fields are skipped */
}

static void what_a_decoder_would_refuse_is_not_encoded(void **state)
{
    (void)state;
    const struct detail good = {
        .device_count = 2, .job_count = 1, .job = { "7.0" }, .version = "1",
        .device = { { .index = 1 }, { .index = 2 } },
    };
    struct detail bad[8];
    uint8_t body[ROOM];

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        bad[i] = good;
    bad[0].device[1].index = 1;
    bad[1].device[1].index = HOST_DEVICES_MAX;
    bad[2].device_count = HOST_DEVICES_MAX + 1;
    bad[3].job_count = DETAIL_JOBS_MAX + 1;
    bad[4].job[0][0] = '\0';
    bad[5].job[0][1] = ' ';
    memset(bad[6].version, 'v', sizeof bad[6].version);
    memset(bad[7].job[0], 'j', sizeof bad[7].job[0]);
    assert_true(detail_encode(&good, body, sizeof body) > 0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(detail_encode(&bad[i], body, sizeof body), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_detail_comes_back_as_sent),
        cmocka_unit_test(the_longest_detail_takes_a_body_of_exactly_its_bound),
        cmocka_unit_test(no_room_is_written_past),
        cmocka_unit_test(strange_bodies_are_malformed),
        cmocka_unit_test(what_a_decoder_would_refuse_is_not_encoded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
