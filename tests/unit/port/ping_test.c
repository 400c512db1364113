/* SPDX-License-Identifier: Apache-2.0 */
/* Echo requests as they leave, and which frames count as answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "port/ip/icmp.h"
#include "port/ip/ping.h"

static const struct endpoint us = {.mac = {2, 0, 0, 0, 0, 1}, .ipv4 = 0xC6336401},
                             them = {.mac = {2, 0, 0, 0, 0, 2}, .ipv4 = 0xC6336402};

/* A request from `from` to `them`, answered by the answering side of this port's own ICMP. */
static uint32_t answered(uint8_t *data, const struct endpoint *from, const struct endpoint *to,
                         uint16_t sequence)
{
    const struct ping ping = {.ipv4 = to->ipv4, .identifier = 0xF1BA, .sequence = sequence};
    uint8_t request[PING_FRAME_BYTES];
    struct port_frame frame = {.data = request, .length = ping_build(request, from, to->mac, &ping)};
    struct ethernet ethernet;
    struct icmp_echo echo;
    assert_int_equal(ethernet_parse(&frame, to->vlan, &ethernet), ACCEPTED);
    assert_int_equal(icmp_parse(&frame, &ethernet, 1500, &echo), ICMP_ANSWER);
    assert_int_equal(echo.ipv4, from->ipv4);
    return icmp_build(data, to, &echo);
}

static void a_request_has_the_length_and_sums_of_the_standard(void **state)
{
    const struct ping ping = {.ipv4 = them.ipv4, .identifier = 7, .sequence = 9};
    uint8_t data[PING_FRAME_BYTES];
    (void)state;
    assert_int_equal(ping_build(data, &us, them.mac, &ping), 14 + 20 + 8 + 56);
    assert_memory_equal(data, them.mac, 6);
    assert_memory_equal(data + 6, us.mac, 6);
    assert_int_equal(data[14 + 20], 8);                     /* echo request */
    assert_int_equal(load16(data + 14 + 20 + 4), 7);
    assert_int_equal(load16(data + 14 + 20 + 6), 9);
    assert_int_equal(sum_fold(sum_words(0, data + 14, 20)), 0xFFFF);
    assert_int_equal(sum_fold(sum_words(0, data + 34, 64)), 0xFFFF);
}

static void the_answer_says_who_and_to_which(void **state)
{
    uint8_t data[PING_FRAME_BYTES];
    struct ping ping;
    (void)state;
    struct port_frame frame = {.data = data, .length = answered(data, &us, &them, 513)};
    assert_true(ping_parse(&frame, &us, &ping));
    assert_int_equal(ping.ipv4, them.ipv4);
    assert_int_equal(ping.identifier, 0xF1BA);
    assert_int_equal(ping.sequence, 513);
}

static void a_vlan_is_carried_and_asked_for(void **state)
{
    struct endpoint tagged = us, far = them;
    uint8_t data[PING_FRAME_BYTES];
    struct ping ping;
    (void)state;
    tagged.vlan = far.vlan = 20;
    struct port_frame frame = {.data = data, .length = answered(data, &tagged, &far, 1)};
    assert_true(ping_parse(&frame, &tagged, &ping));
    assert_false(ping_parse(&frame, &us, &ping));
}

static void what_is_no_answer_to_us_is_left_alone(void **state)
{
    uint8_t data[PING_FRAME_BYTES];
    struct endpoint other = us;
    struct ping ping;
    (void)state;
    struct port_frame frame = {.data = data, .length = answered(data, &us, &them, 1)};
    other.ipv4++;
    assert_false(ping_parse(&frame, &other, &ping));
    frame.length = 14 + 20 + 7;                             /* cut short */
    assert_false(ping_parse(&frame, &us, &ping));
    frame.length = answered(data, &us, &them, 1);
    data[14 + 20 + 20] ^= 1;                                /* checksum */
    assert_false(ping_parse(&frame, &us, &ping));
    const struct ping request = {.ipv4 = us.ipv4};
    frame.length = ping_build(data, &them, us.mac, &request);       /* a request is no reply */
    assert_false(ping_parse(&frame, &us, &ping));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_has_the_length_and_sums_of_the_standard),
        cmocka_unit_test(the_answer_says_who_and_to_which),
        cmocka_unit_test(a_vlan_is_carried_and_asked_for),
        cmocka_unit_test(what_is_no_answer_to_us_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
