/* SPDX-License-Identifier: Apache-2.0 */
/* What ptp4l 3.1.1 was seen to say, byte for byte, and what no ptp4l says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "time/ptp_message.h"

static const char status_own[] =
    "0d02006800000000000000000000000000000000000000fffe00000000000001047f00000000000000001234000002000001"
    "0034c000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000ff"
    "fe000000";
static const char parent_own[] =
    "0d02005600000000000000000000000000000000000000fffe00000000000002047f00000000000000001234000002000001"
    "00222002000000fffe00000000000000ffff7fffffff80f8feffff80000000fffe000000";
static const char status_body[] =
    "ffffffffffffff77184eb71e20f3df1500006b6000000000000000000000000000000000000000000001001122fffe334455";

static size_t bytes_of(const char *hex, uint8_t *out)
{
    size_t count = strlen(hex) / 2;
    for (size_t i = 0; i < count; i++) {
        unsigned int byte;
        assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
        out[i] = (uint8_t)byte;
    }
    return count;
}

static void an_ask_is_what_pmc_sends(void **state)
{
    (void)state;
    uint8_t ask[PTP_ASK_BYTES], seen[PTP_ASK_BYTES];
    const char *hex = "0d0200360000000000000000000000000000000000000000000000000000"
                      "0001047fffffffffffffffffffff000000000001" "0002c000";
    assert_int_equal(bytes_of(hex, seen), PTP_ASK_BYTES);
    ptp_message_ask(ask, PTP_TIME_STATUS, 0, 1);
    assert_memory_equal(ask, seen, sizeof ask);
    ptp_message_ask(ask, PTP_PARENT, 44, 0x1234);
    assert_int_equal(ask[4], 44);
    assert_int_equal(ask[30] << 8 | ask[31], 0x1234);
    assert_int_equal(ask[52] << 8 | ask[53], 0x2002);
}

static void a_clock_that_is_its_own_grandmaster_has_no_master(void **state)
{
    (void)state;
    uint8_t data[256];
    struct ptp_answer answer;
    size_t bytes = bytes_of(status_own, data);
    assert_int_equal(bytes, 104);
    assert_int_equal(ptp_message_read(data, bytes, &answer), 0);
    assert_int_equal(answer.sequence, 1);
    assert_int_equal(answer.set, PTP_TIME_STATUS);
    assert_int_equal(answer.status.master_offset_ns, 0);
    assert_false(answer.status.has_master);
    static const uint8_t own[8] = {0, 0, 0, 0xFF, 0xFE, 0, 0, 0};
    assert_memory_equal(answer.status.grandmaster, own, sizeof own);
}

static void offsets_are_signed_and_times_whole(void **state)
{
    (void)state;
    uint8_t data[256];
    struct ptp_answer answer;
    size_t bytes = bytes_of(status_own, data);
    assert_int_equal(bytes_of(status_body, data + 54), 50);
    assert_int_equal(ptp_message_read(data, bytes, &answer), 0);
    assert_int_equal(answer.status.master_offset_ns, -137);
    assert_int_equal(answer.status.ingress_ns, INT64_C(1751538645123456789));
    assert_true(answer.status.has_master);
    static const uint8_t master[8] = {0x00, 0x11, 0x22, 0xFF, 0xFE, 0x33, 0x44, 0x55};
    assert_memory_equal(answer.status.grandmaster, master, sizeof master);
}

/* Sums of what is taken, of the system clock and of monotonic time are no overflow. */
static void times_that_no_clock_has_are_refused(void **state)
{
    (void)state;
    static const struct { uint8_t first; bool good; } rows[] = {
        {0x80, false}, {0x7F, false}, {0x20, false}, {0xDF, false}, {0xC0, false},
        {0x1F, true},  {0xE0, true}};
    static const struct ptp_answer none;
    for (size_t i = 0; i < 2 * sizeof rows / sizeof rows[0]; i++) {
        uint8_t data[256];
        struct ptp_answer answer;
        size_t bytes = bytes_of(status_own, data);
        assert_int_equal(bytes_of(status_body, data + 54), 50);
        data[54 + i % 2 * 8] = rows[i / 2].first;
        assert_int_equal(ptp_message_read(data, bytes, &answer), rows[i / 2].good ? 0 : -EBADMSG);
        answer.sequence = 0;
        if (!rows[i / 2].good)
            assert_memory_equal(&answer, &none, sizeof none);
    }
}

static void a_parent_tells_class_and_accuracy(void **state)
{
    (void)state;
    uint8_t data[256];
    struct ptp_answer answer;
    size_t bytes = bytes_of(parent_own, data);
    assert_int_equal(ptp_message_read(data, bytes, &answer), 0);
    assert_int_equal(answer.sequence, 2);
    assert_int_equal(answer.set, PTP_PARENT);
    assert_int_equal(answer.parent.clock_class, 248);
    assert_int_equal(answer.parent.clock_accuracy, 0xFE);
    /* as it was after its grandmaster settings were set to class 6 */
    bytes_of("8006214e5d80", data + 54 + 18);
    assert_int_equal(ptp_message_read(data, bytes, &answer), 0);
    assert_int_equal(answer.parent.clock_class, 6);
    assert_int_equal(ptp_message_accuracy_ns(answer.parent.clock_accuracy), 100);
}

static size_t make(uint8_t *data, uint16_t set, const char *body)
{
    bytes_of(status_own, data);
    size_t count = bytes_of(body, data + 54);
    data[2] = 0;
    data[3] = (uint8_t)(54 + count);
    data[51] = (uint8_t)(2 + count);
    data[52] = (uint8_t)(set >> 8);
    data[53] = (uint8_t)set;
    return 54 + count;
}

static void properties_tell_the_leap_second_and_ports_their_state(void **state)
{
    (void)state;
    uint8_t data[256];
    struct ptp_answer answer;
    size_t bytes = make(data, PTP_TIME_PROPERTIES, "00250d20");
    assert_int_equal(ptp_message_read(data, bytes, &answer), 0);
    assert_int_equal(answer.properties.utc_offset_s, 37);
    assert_int_equal(answer.properties.flags, PTP_LEAP_61 | PTP_UTC_VALID | PTP_TIMESCALE);
    bytes = make(data, PTP_TIME_PROPERTIES, "fffe0020");
    assert_int_equal(ptp_message_read(data, bytes, &answer), 0);
    assert_int_equal(answer.properties.utc_offset_s, -2);
    const char *port = "001122fffe33445500010800000000000000000100030002fd02";
    bytes = make(data, PTP_PORT, port);
    assert_int_equal(ptp_message_read(data, bytes, &answer), 0);
    assert_int_equal(answer.port_state, PTP_UNCALIBRATED);
    data[64] = 200;
    assert_int_equal(ptp_message_read(data, bytes, &answer), 0);
    assert_int_equal(answer.port_state, 0);
}

static void an_error_in_place_of_an_answer_is_told_apart(void **state)
{
    (void)state;
    uint8_t data[256];
    struct ptp_answer answer;
    bytes_of(status_own, data);
    data[3] = 60;
    bytes_of("00020008" "00027777" "00000000", data + 48);
    assert_int_equal(ptp_message_read(data, 60, &answer), -EREMOTEIO);
    assert_int_equal(answer.sequence, 1);
    assert_int_equal(answer.set, 0);
}

static void what_is_cut_short_is_no_answer(void **state)
{
    (void)state;
    uint8_t data[256];
    struct ptp_answer answer;
    size_t bytes = bytes_of(status_own, data);
    for (size_t i = 0; i < bytes; i++)
        assert_int_equal(ptp_message_read(data, i, &answer), -EBADMSG);
    /* lengths that say less than the set has */
    for (unsigned int tlv = 0; tlv < 52; tlv++) {
        data[51] = (uint8_t)tlv;
        assert_int_equal(ptp_message_read(data, bytes, &answer), -EBADMSG);
    }
    data[51] = 53;
    assert_int_equal(ptp_message_read(data, bytes, &answer), -EBADMSG);
}

static void what_is_no_response_is_no_answer(void **state)
{
    (void)state;
    static const struct { size_t at; uint8_t value; } rows[] = {
        {0, 0x0B}, {1, 0x01}, {46, 0}, {46, 1}, {49, 3}, {52, 0x77}};
    uint8_t data[256];
    struct ptp_answer answer;
    size_t bytes = bytes_of(status_own, data);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t was = data[rows[i].at];
        data[rows[i].at] = rows[i].value;
        assert_int_equal(ptp_message_read(data, bytes, &answer), -EBADMSG);
        data[rows[i].at] = was;
    }
    data[1] = 0x12;     /* newer ones say 2.1, and transportSpecific may be anything */
    data[0] = 0x1D;
    assert_int_equal(ptp_message_read(data, bytes, &answer), 0);
}

static void only_some_classes_and_accuracies_say_something(void **state)
{
    (void)state;
    uint32_t good = 0;
    for (unsigned int i = 0; i < 256; i++)
        good += ptp_message_is_traceable((uint8_t)i);
    assert_int_equal(good, 6);
    assert_true(ptp_message_is_traceable(6) && ptp_message_is_traceable(140));
    assert_false(ptp_message_is_traceable(248) || ptp_message_is_traceable(52));
    assert_int_equal(ptp_message_accuracy_ns(0x20), 25);
    assert_int_equal(ptp_message_accuracy_ns(0x23), 1000);
    assert_int_equal(ptp_message_accuracy_ns(0x2F), 1000000000);
    assert_int_equal(ptp_message_accuracy_ns(0x31), -1);
    assert_int_equal(ptp_message_accuracy_ns(0xFE), -1);
    assert_int_equal(ptp_message_accuracy_ns(0x1F), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_ask_is_what_pmc_sends),
        cmocka_unit_test(a_clock_that_is_its_own_grandmaster_has_no_master),
        cmocka_unit_test(offsets_are_signed_and_times_whole),
        cmocka_unit_test(times_that_no_clock_has_are_refused),
        cmocka_unit_test(a_parent_tells_class_and_accuracy),
        cmocka_unit_test(properties_tell_the_leap_second_and_ports_their_state),
        cmocka_unit_test(an_error_in_place_of_an_answer_is_told_apart),
        cmocka_unit_test(what_is_cut_short_is_no_answer),
        cmocka_unit_test(what_is_no_response_is_no_answer),
        cmocka_unit_test(only_some_classes_and_accuracies_say_something),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
