/* SPDX-License-Identifier: Apache-2.0 */
/* cap.proto: what is sent comes back, and no impossible quantity gets in or out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "msg/frame.h"
#include "wire/cap.h"

#define GIGAWATT_MW    INT64_C(1000000000000)
#define CENTURY_NS     INT64_C(3155760000000000000)

enum { ROUNDS = 20000, ROOM = 256 };

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

static int64_t pick_mw(uint64_t *state)
{
    return (int64_t)pick(state, (uint64_t)GIGAWATT_MW);
}

static int64_t pick_ns(uint64_t *state)
{
    return (int64_t)pick(state, (uint64_t)CENTURY_NS);
}

static struct lease random_lease(uint64_t *state)
{
    return (struct lease){
        .incarnation = pick(state, UINT64_MAX), .epoch = pick(state, UINT64_MAX),
        .sequence = pick(state, UINT64_MAX), .echo = pick(state, UINT64_MAX),
        .cap_mw = pick_mw(state), .floor_mw = pick_mw(state), .duration_ns = pick_ns(state),
        .flags = (uint32_t)pick(state, UINT32_MAX), .session = pick(state, UINT64_MAX),
    };
}

static struct report random_report(uint64_t *state)
{
    return (struct report){
        .incarnation = pick(state, UINT64_MAX), .epoch = pick(state, UINT64_MAX),
        .number = pick(state, UINT64_MAX), .applied = pick(state, UINT64_MAX),
        .held_ns = pick_ns(state), .cap_mw = pick_mw(state), .readback_mw = pick_mw(state),
        .fail_safe_mw = pick_mw(state), .phys_max_mw = pick_mw(state),
        .draw_mw = pick_mw(state), .psu_inputs = (uint16_t)pick(state, UINT16_MAX),
        .state = (uint8_t)pick(state, HOST_LEASED), .flags = (uint32_t)pick(state, UINT32_MAX),
        .session = pick(state, UINT64_MAX),
    };
}

static uint64_t seeded(const char *test)
{
    uint64_t seed = (uint64_t)time(NULL);

    printf("%s: seed %llu\n", test, (unsigned long long)seed);
    return seed;
}

static void any_lease_comes_back_as_sent(void **state)
{
    (void)state;
    uint64_t dice = seeded(__func__);

    for (int i = 0; i < ROUNDS; i++) {
        struct lease lease = random_lease(&dice), back;
        uint8_t body[ROOM];
        uint32_t bytes = lease_encode(&lease, body, sizeof body);

        assert_int_equal(lease_decode(body, bytes, &back), ACCEPTED);
        assert_memory_equal(&lease, &back, sizeof lease);
    }
}

static void any_report_comes_back_as_sent(void **state)
{
    (void)state;
    uint64_t dice = seeded(__func__);

    for (int i = 0; i < ROUNDS; i++) {
        struct report report = random_report(&dice), back;
        uint8_t body[ROOM];
        uint32_t bytes = report_encode(&report, body, sizeof body);

        assert_int_equal(report_decode(body, bytes, &back), ACCEPTED);
        assert_memory_equal(&report, &back, sizeof report);
    }
}

static void any_token_message_comes_back_as_sent(void **state)
{
    (void)state;
    uint64_t dice = seeded(__func__);

    for (int i = 0; i < ROUNDS; i++) {
        struct token_request request = {
            .request = pick(&dice, UINT64_MAX), .amount_mw = pick_mw(&dice), .duration_ns = pick_ns(&dice),
            .priority = (uint32_t)pick(&dice, UINT32_MAX) }, request_back;
        struct token_response response = {
            .request = pick(&dice, UINT64_MAX), .reason = (uint32_t)pick(&dice, TOKEN_PERMIT_MISSING),
            .granted_mw = pick_mw(&dice), .alternative_mw = pick_mw(&dice), .retry_after_ns = pick_ns(&dice),
        }, response_back;
        uint8_t body[ROOM];
        uint32_t bytes = token_request_encode(&request, body, ROOM);

        assert_int_equal(token_request_decode(body, bytes, &request_back), ACCEPTED);
        assert_memory_equal(&request, &request_back, sizeof request);
        bytes = token_response_encode(&response, body, ROOM);
        assert_int_equal(token_response_decode(body, bytes, &response_back), ACCEPTED);
        assert_memory_equal(&response, &response_back, sizeof response);
    }
}

static void a_lease_stands_on_the_wire_as_documented(void **state)
{
    (void)state;
    static const uint8_t wire[] = {
        0x09, 8, 7, 6, 5, 4, 3, 2, 1, 0x10, 3, 0x18, 0xAC, 0x02, 0x20, 0x05, 0x28, 0xC0, 0xE6, 0xD5, 0x02,
        0x30, 0x01, 0x38, 0x80, 0x94, 0xEB, 0xDC, 0x03, 0x40, 0x02,
    };
    const struct lease lease = {
        .host = 42, .incarnation = UINT64_C(0x0102030405060708), .epoch = 3, .sequence = 300, .echo = 5,
        .cap_mw = 5600064, .floor_mw = 1, .duration_ns = NS_PER_S, .flags = LEASE_EMERGENCY,
    };
    uint8_t body[ROOM];
    struct lease back;

    assert_int_equal(lease_encode(&lease, body, sizeof body), sizeof wire);
    assert_memory_equal(body, wire, sizeof wire);
    assert_int_equal(lease_decode(body, sizeof wire, &back), ACCEPTED);
    assert_int_equal(back.host, 0);     /* the frame's sender says who */
}

static void ramps_stand_behind_the_rest_and_only_where_there_are_any(void **state)
{
    (void)state;
    static const uint8_t wire[] = {0x30, 0x01, 0x50, 0x80, 0x89, 0x7A, 0x58, 0xE8, 0x07,
                                   0x60, 0x80, 0xE1, 0xEB, 0x17};
    const struct lease lease = {.floor_mw = 1, .ramp_up_mw_per_s = 2000000, .ramp_down_mw_per_s = 1000,
                                .hysteresis_ns = 50000000};
    const struct lease too_steep = {.ramp_down_mw_per_s = GIGAWATT_MW + 1};
    const struct lease too_long = {.hysteresis_ns = CENTURY_NS + 1};
    uint8_t body[ROOM];
    struct lease back;

    assert_int_equal(lease_encode(&lease, body, sizeof body), sizeof wire);
    assert_memory_equal(body, wire, sizeof wire);
    assert_int_equal(lease_decode(body, sizeof wire, &back), ACCEPTED);
    assert_memory_equal(&back, &lease, sizeof lease);
    assert_int_equal(lease_decode(body, 2, &back), ACCEPTED);   /* of one who tells none */
    assert_int_equal(back.ramp_up_mw_per_s | back.ramp_down_mw_per_s | back.hysteresis_ns, 0);
    assert_int_equal(lease_encode(&too_steep, body, sizeof body), 0);
    assert_int_equal(lease_encode(&too_long, body, sizeof body), 0);
}

static void the_host_never_crosses_inside_a_body(void **state)
{
    (void)state;
    const struct report report = { .host = 99 };
    uint8_t body[ROOM];
    struct report back;

    assert_int_equal(report_encode(&report, body, sizeof body), 0);
    memset(&back, 0xFF, sizeof back);
    assert_int_equal(report_decode(body, 0, &back), ACCEPTED);
    assert_memory_equal(&back, &(struct report){ 0 }, sizeof back);
}

static void quantities_end_at_a_gigawatt_and_a_century(void **state)
{
    (void)state;
    static const struct { int64_t cap_mw, duration_ns; int fits; } edge[] = {
        { GIGAWATT_MW, CENTURY_NS, 1 }, { GIGAWATT_MW + 1, 1, 0 }, { 1, CENTURY_NS + 1, 0 },
        { -1, 1, 0 }, { 1, -1, 0 }, { INT64_MIN, 1, 0 }, { INT64_MAX, 1, 0 },
    };

    for (size_t i = 0; i < sizeof edge / sizeof *edge; i++) {
        const struct lease lease = { .cap_mw = edge[i].cap_mw, .duration_ns = edge[i].duration_ns };
        uint8_t body[ROOM];

        assert_int_equal(lease_encode(&lease, body, sizeof body) > 0, edge[i].fits);
    }
}

#define REPORT(literal) report_decode((const uint8_t *)(literal), sizeof(literal) - 1, &report)
#define LEASE(literal) lease_decode((const uint8_t *)(literal), sizeof(literal) - 1, &lease)

static void impossible_values_are_malformed(void **state)
{
    (void)state;
    struct report report;
    struct lease lease;

    assert_int_equal(LEASE("\x28\x80\xa0\x94\xa5\x8d\x1d"), ACCEPTED);              /* 1 GW */
    assert_int_equal(lease.cap_mw, GIGAWATT_MW);
    assert_int_equal(LEASE("\x28\x81\xa0\x94\xa5\x8d\x1d"), REFUSED_MALFORMED);     /* and a milliwatt */
    assert_int_equal(LEASE("\x28\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), REFUSED_MALFORMED);
    assert_int_equal(LEASE("\x40\xff\xff\xff\xff\x0f"), ACCEPTED);
    assert_int_equal(LEASE("\x40\x80\x80\x80\x80\x10"), REFUSED_MALFORMED);         /* flags beyond 32 bits */
    assert_int_equal(LEASE("\x08\x01"), REFUSED_MALFORMED);                 /* incarnation is fixed64 */
    assert_int_equal(LEASE("\x11\1\2\3\4\5\6\7\x08"), REFUSED_MALFORMED);           /* epoch is a varint */
    assert_int_equal(LEASE("\x09\1\2\3\4\5\6\7"), REFUSED_MALFORMED);
    assert_int_equal(REPORT("\x58\x02"), ACCEPTED);
    assert_int_equal(REPORT("\x58\x03"), REFUSED_MALFORMED);                        /* no such state */
    assert_int_equal(REPORT("\x68\xff\xff\x03"), ACCEPTED);
    assert_int_equal(report.psu_inputs, UINT16_MAX);
    assert_int_equal(REPORT("\x68\x80\x80\x04"), REFUSED_MALFORMED);                /* 17 power supplies */
    assert_int_equal(REPORT("\x78\x01\x7b\x7c\x28\x07"), ACCEPTED);         /* unknown fields are skipped */
    assert_int_equal(report.held_ns, 7);
}

static void encoders_never_write_past_their_room(void **state)
{
    (void)state;
    uint64_t dice = seeded(__func__);
    struct report report = random_report(&dice);
    uint8_t body[ROOM];

    report.number |= 1;     /* at least one field */

    uint32_t needed = report_encode(&report, body, sizeof body);

    for (uint32_t room = 0; room < needed; room++) {
        memset(body, 0xA5, sizeof body);
        assert_int_equal(report_encode(&report, body, room), 0);
        for (uint32_t i = room; i < sizeof body; i++)
            assert_int_equal(body[i], 0xA5);
    }
    assert_int_equal(report_encode(&report, body, needed), needed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_lease_comes_back_as_sent),
        cmocka_unit_test(any_report_comes_back_as_sent),
        cmocka_unit_test(any_token_message_comes_back_as_sent),
        cmocka_unit_test(a_lease_stands_on_the_wire_as_documented),
        cmocka_unit_test(ramps_stand_behind_the_rest_and_only_where_there_are_any),
        cmocka_unit_test(the_host_never_crosses_inside_a_body),
        cmocka_unit_test(quantities_end_at_a_gigawatt_and_a_century),
        cmocka_unit_test(impossible_values_are_malformed),
        cmocka_unit_test(encoders_never_write_past_their_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
