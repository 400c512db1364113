/* SPDX-License-Identifier: Apache-2.0 */
/* What a port answers, byte by byte; to which VLAN; how often; and what it does not even keep. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "ip_rig.h"

enum { TCI_AT = 14, OTHER_VLAN = 101, VLAN = 100 };

/* Written out by hand: 198.51.100.2 asks everybody for 198.51.100.1, and is told. */
static const uint8_t arp_request[60] = {
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0xf1, 0xba, 0x11, 0x01, 0x02, 0x08, 0x06,
    0x00, 0x01, 0x08, 0x00, 0x06, 0x04, 0x00, 0x01, 0x02, 0xf1, 0xba, 0x11, 0x01, 0x02,
    0xc6, 0x33, 0x64, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xc6, 0x33, 0x64, 0x01,
};
static const uint8_t arp_reply[60] = {
    0x02, 0xf1, 0xba, 0x11, 0x01, 0x02, 0x02, 0xf1, 0xba, 0x11, 0x01, 0x01, 0x08, 0x06,
    0x00, 0x01, 0x08, 0x00, 0x06, 0x04, 0x00, 0x02, 0x02, 0xf1, 0xba, 0x11, 0x01, 0x01,
    0xc6, 0x33, 0x64, 0x01, 0x02, 0xf1, 0xba, 0x11, 0x01, 0x02, 0xc6, 0x33, 0x64, 0x02,
};

/* Summed with another program: type of service 0x10, identification 0x4321, 63 hops, 8 bytes of data. */
static const uint8_t echo_request[50] = {
    0x02, 0xf1, 0xba, 0x11, 0x01, 0x01, 0x02, 0xf1, 0xba, 0x11, 0x01, 0x02, 0x08, 0x00, 0x45, 0x10,
    0x00, 0x24, 0x43, 0x21, 0x00, 0x00, 0x3f, 0x01, 0xe4, 0x3d, 0xc6, 0x33, 0x64, 0x02, 0xc6, 0x33,
    0x64, 0x01, 0x08, 0x00, 0x26, 0x15, 0x12, 0x34, 0x00, 0x01, 0x67, 0x6f, 0x76, 0x65, 0x72, 0x6e,
    0x6f, 0x72,
};
static const uint8_t echo_reply[60] = {
    0x02, 0xf1, 0xba, 0x11, 0x01, 0x02, 0x02, 0xf1, 0xba, 0x11, 0x01, 0x01, 0x08, 0x00, 0x45, 0x10,
    0x00, 0x24, 0x00, 0x00, 0x40, 0x00, 0x40, 0x01, 0xe6, 0x5e, 0xc6, 0x33, 0x64, 0x01, 0xc6, 0x33,
    0x64, 0x02, 0x00, 0x00, 0x2e, 0x15, 0x12, 0x34, 0x00, 0x01, 0x67, 0x6f, 0x76, 0x65, 0x72, 0x6e,
    0x6f, 0x72,
};

static struct ip_rig rig;

static int make_rig(void **state)
{
    ip_rig_open(&rig, 0, 0);
    ip_rig_forget(&rig);
    *state = &rig;
    return 0;
}

static int make_vlan_rig(void **state)
{
    ip_rig_open(&rig, VLAN, 0);
    ip_rig_forget(&rig);
    *state = &rig;
    return 0;
}

static int drop_rig(void **state)
{
    (void)state;
    ip_rig_close(&rig);
    return 0;
}

static bool take(const uint8_t *frame, uint32_t length)
{
    bool aside = ip_rig_take(&rig, frame, length, 0, 0);
    ip_rig_turn(&rig, 0);
    return aside;
}

static void an_arp_request_is_answered_byte_for_byte(void **state)
{
    (void)state;
    assert_true(take(arp_request, sizeof arp_request));
    assert_int_equal(rig.sent, 1);
    assert_int_equal(rig.length[0], sizeof arp_reply);
    assert_memory_equal(rig.data[0], arp_reply, sizeof arp_reply);
    assert_true(take(arp_request, 42));         /* a peer that does not fill up its frames */
    assert_memory_equal(rig.data[1], arp_reply, sizeof arp_reply);
    assert_int_equal(ip_counted(&rig.ip, IP_ARP_ANSWERED), 2);
    assert_int_equal(ip_counted(&rig.ip, IP_ARP_LEARNED), 0);
}

/* RFC 5227: whoever is about to take our address asks as if it had none. */
static void a_probe_for_our_address_is_answered(void **state)
{
    (void)state;
    uint8_t probe[60];
    memcpy(probe, arp_request, sizeof probe);
    memset(probe + 28, 0, 4);
    assert_true(take(probe, sizeof probe));
    struct arp said = ip_rig_sent_arp(&rig, 0);
    assert_int_equal(said.operation, ARP_REPLY);
    assert_int_equal(said.sender_ipv4, IP_RIG_OWN);
    assert_int_equal(said.target_ipv4, 0);
    assert_int_equal(ip_counted(&rig.ip, IP_ADDRESS_CONFLICTS), 0);
}

static void an_echo_request_is_answered_byte_for_byte(void **state)
{
    (void)state;
    assert_true(take(echo_request, sizeof echo_request));
    assert_int_equal(rig.sent, 1);
    assert_int_equal(rig.length[0], sizeof echo_reply);
    assert_memory_equal(rig.data[0], echo_reply, sizeof echo_reply);
    assert_int_equal(ip_counted(&rig.ip, IP_ECHO_ANSWERED), 1);
}

/* What a device says of checksums is about UDP. */
static void an_echo_with_a_wrong_sum_is_refused_whatever_the_device_says(void **state)
{
    (void)state;
    uint8_t frame[sizeof echo_request];
    memcpy(frame, echo_request, sizeof frame);
    frame[49] ^= 1;
    assert_true(ip_rig_take(&rig, frame, sizeof frame, FRAME_SUMS_GOOD, 0));
    ip_rig_turn(&rig, 0);
    assert_int_equal(rig.sent, 0);
    assert_int_equal(ip_counted(&rig.ip, IP_ICMP_MALFORMED), 1);
    assert_true(ip_rig_take(&rig, echo_request, sizeof echo_request, FRAME_SUMS_GOOD, 0));
    ip_rig_turn(&rig, 0);
    assert_int_equal(rig.sent, 1);
}

static void seal(uint8_t *at, uint32_t bytes, uint8_t *sum)
{
    memset(sum, 0, 2);
    uint16_t made = (uint16_t)~sum_fold(sum_words(0, at, bytes));
    memcpy(sum, &made, 2);
}

struct edit {
    const char *what;
    uint32_t at;
    uint8_t bytes[4];
    uint32_t count, length;         /* length 0: as it was */
    enum ip_counter counter;        /* IP_COUNTER_COUNT: not even set aside */
};

static void try_edit(const uint8_t *whole, uint32_t bytes, const struct edit *edit, bool sealed)
{
    uint8_t frame[64];
    memcpy(frame, whole, bytes);
    memcpy(frame + edit->at, edit->bytes, edit->count);
    if (sealed) {
        seal(frame + 34, 16, frame + 36);
        seal(frame + 14, 20, frame + 24);
    }
    uint64_t before = edit->counter < IP_COUNTER_COUNT ? ip_counted(&rig.ip, edit->counter) : 0;
    bool aside = take(frame, edit->length ? edit->length : bytes);
    if (aside != (edit->counter < IP_COUNTER_COUNT) || rig.sent)
        fail_msg("%s: set aside %d, answers %u", edit->what, aside, rig.sent);
    if (aside && ip_counted(&rig.ip, edit->counter) != before + 1)
        fail_msg("%s: not counted as %s", edit->what, ip_counter_name(edit->counter));
}

static void what_is_wrong_with_a_message_is_counted_and_not_answered(void **state)
{
    (void)state;
    static const struct edit echo[] = {
        {"to another MAC", 5, {9}, 1, 0, IP_COUNTER_COUNT},
        {"to everybody's MAC", 0, {0xff, 0xff, 0xff, 0xff}, 4, 0, IP_COUNTER_COUNT},
        {"to another address", 33, {9}, 1, 0, IP_COUNTER_COUNT},
        {"TCP", 23, {6}, 1, 0, IP_COUNTER_COUNT},
        {"IPv6 by its type", 12, {0x86, 0xdd}, 2, 0, IP_COUNTER_COUNT},
        {"IPv6 by its version", 14, {0x65}, 1, 0, IP_ICMP_MALFORMED},
        {"more fragments", 20, {0x20}, 1, 0, IP_ICMP_MALFORMED},
        {"a later fragment", 21, {1}, 1, 0, IP_ICMP_MALFORMED},
        {"a packet of 27 bytes", 16, {0, 27}, 2, 0, IP_ICMP_MALFORMED},
        {"a packet longer than the frame", 16, {0, 37}, 2, 0, IP_ICMP_MALFORMED},
        {"cut short", 16, {0, 36}, 2, 49, IP_ICMP_MALFORMED},
        {"from a group's MAC", 6, {0x03}, 1, 0, IP_ICMP_MALFORMED},
        {"from nobody", 26, {0, 0, 0, 0}, 4, 0, IP_ICMP_MALFORMED},
        {"from a group", 26, {224, 0, 0, 1}, 4, 0, IP_ICMP_MALFORMED},
        {"from everybody", 26, {255, 255, 255, 255}, 4, 0, IP_ICMP_MALFORMED},
        {"from a loopback", 26, {127, 0, 0, 1}, 4, 0, IP_ICMP_MALFORMED},
        {"from our own address", 29, {1}, 1, 0, IP_ICMP_MALFORMED},
        {"from our own MAC", 11, {1}, 1, 0, IP_ICMP_MALFORMED},
        {"an answer", 34, {0}, 1, 0, IP_ICMP_IGNORED},
        {"unreachable", 34, {3, 3}, 2, 0, IP_ICMP_IGNORED},
        {"a code", 35, {1}, 1, 0, IP_ICMP_IGNORED},
    };
    for (size_t i = 0; i < sizeof echo / sizeof echo[0]; i++)
        try_edit(echo_request, sizeof echo_request, &echo[i], true);
    static const struct edit unsealed[] = {
        {"a wrong header sum", 24, {1, 2}, 2, 0, IP_ICMP_MALFORMED},
        {"a wrong message sum", 36, {1, 2}, 2, 0, IP_ICMP_MALFORMED},
    };
    for (size_t i = 0; i < sizeof unsealed / sizeof unsealed[0]; i++)
        try_edit(echo_request, sizeof echo_request, &unsealed[i], false);
}

static void what_is_wrong_with_arp_is_counted_and_not_answered(void **state)
{
    (void)state;
    static const struct edit arp[] = {
        {"to another MAC", 0, {2, 0, 0, 0}, 4, 0, IP_COUNTER_COUNT},
        {"about another address", 41, {9}, 1, 0, IP_COUNTER_COUNT},
        {"not Ethernet", 15, {6}, 1, 0, IP_ARP_MALFORMED},
        {"not IPv4", 16, {0x86, 0xdd}, 2, 0, IP_ARP_MALFORMED},
        {"a MAC of 8 bytes", 18, {8}, 1, 0, IP_ARP_MALFORMED},
        {"an address of 16 bytes", 19, {16}, 1, 0, IP_ARP_MALFORMED},
        {"RARP", 21, {3}, 1, 0, IP_ARP_MALFORMED},
        {"from a group's MAC", 22, {0x03}, 1, 0, IP_ARP_MALFORMED},
        {"from a group", 28, {224}, 1, 0, IP_ARP_MALFORMED},
        {"cut short", 0, {0xff}, 1, 41, IP_ARP_MALFORMED},
    };
    for (size_t i = 0; i < sizeof arp / sizeof arp[0]; i++)
        try_edit(arp_request, sizeof arp_request, &arp[i], false);
    uint8_t own[60];
    memcpy(own, arp_request, sizeof own);
    memcpy(own + 22, ip_rig_mac, 6);
    assert_true(take(own, sizeof own));
    assert_int_equal(rig.sent, 0);
    assert_int_equal(ip_counted(&rig.ip, IP_ARP_IGNORED), 1);
}

static void no_request_is_answered_beyond_the_mtu(void **state)
{
    (void)state;
    for (uint32_t bytes = IP_RIG_MTU; bytes <= IP_RIG_MTU + 1; bytes++) {
        uint8_t frame[2048] = {0};
        memcpy(frame, echo_request, 42);
        store16(frame + 16, bytes);
        seal(frame + 34, bytes - 20, frame + 36);
        seal(frame + 14, 20, frame + 24);
        assert_true(take(frame, bytes + 14));
        assert_int_equal(rig.sent, 1);
        assert_int_equal(rig.length[0], IP_RIG_MTU + 14);
        assert_int_equal(ip_counted(&rig.ip, IP_ICMP_MALFORMED), bytes - IP_RIG_MTU);
    }
}

/* ---- VLAN ---- */

static uint32_t tag(uint8_t *tagged, const uint8_t *frame, uint32_t length, uint16_t tci)
{
    memcpy(tagged, frame, 12);
    store16(tagged + 12, 0x8100);
    store16(tagged + TCI_AT, tci);
    memcpy(tagged + 16, frame + 12, length - 12);
    return length + 4;
}

static void a_port_with_a_vlan_takes_that_tag_in_either_form_and_answers_with_it(void **state)
{
    (void)state;
    static const struct { int tci; bool taken; } row[] = {
        {-1, false}, {0, false}, {0xE000, false}, {OTHER_VLAN, false}, {VLAN, true}, {0xF000 | VLAN, true}};
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        uint8_t tagged[64];
        uint32_t before = rig.sent, length = tag(tagged, arp_request, 60, (uint16_t)row[i].tci);
        bool in_bytes = row[i].tci < 0 ? take(arp_request, 60) : take(tagged, length);
        bool beside = ip_rig_take(&rig, arp_request, 60, row[i].tci < 0 ? 0 : FRAME_TAGGED,
                                  (uint16_t)row[i].tci);
        ip_rig_turn(&rig, 0);
        assert_int_equal(in_bytes, row[i].taken);
        assert_int_equal(beside, row[i].taken);
        assert_int_equal(rig.sent - before, row[i].taken ? 2 : 0);
    }
    uint8_t answer[64];
    tag(answer, arp_reply, 60, 5 << 13 | VLAN);
    for (uint32_t i = 0; i < rig.sent; i++) {
        assert_int_equal(rig.length[i], 60);
        assert_memory_equal(rig.data[i], answer, 60);
    }
}

static void echo_answers_carry_the_tag_at_the_least_priority(void **state)
{
    (void)state;
    uint8_t tagged[64], answer[64];
    assert_true(take(tagged, tag(tagged, echo_request, sizeof echo_request, 7 << 13 | VLAN)));
    tag(answer, echo_reply, 60, VLAN);
    assert_int_equal(rig.sent, 1);
    assert_memory_equal(rig.data[0], answer, 60);
}

static void a_port_without_a_vlan_takes_a_tag_that_gives_a_priority_only(void **state)
{
    (void)state;
    uint8_t tagged[64];
    assert_true(take(tagged, tag(tagged, arp_request, 60, 3 << 13)));
    assert_true(ip_rig_take(&rig, arp_request, 60, FRAME_TAGGED, 3 << 13));
    assert_false(take(tagged, tag(tagged, arp_request, 60, VLAN)));
    assert_false(ip_rig_take(&rig, arp_request, 60, FRAME_TAGGED, VLAN));
    tag(tagged, arp_request, 60, 0);
    assert_false(ip_rig_take(&rig, tagged, 64, FRAME_TAGGED, 0));   /* a second tag */
    ip_rig_turn(&rig, 0);
    assert_int_equal(rig.sent, 2);
    assert_memory_equal(rig.data[0], arp_reply, 60);
}

/* ---- how often ---- */

static uint32_t answered_of(const uint8_t *frame, uint32_t length, uint32_t count)
{
    uint32_t before = rig.sent;
    for (uint32_t i = 0; i < count; i++)
        take(frame, length);
    return rig.sent - before;
}

static void echo_is_answered_20_at_once_then_100_a_second(void **state)
{
    (void)state;
    ip_rig_turn(&rig, NS_PER_S);
    assert_int_equal(answered_of(echo_request, sizeof echo_request, 50), 20);
    assert_int_equal(ip_counted(&rig.ip, IP_RATE_LIMITED), 30);
    for (int i = 0; i < 100; i++) {
        ip_rig_turn(&rig, 9 * NS_PER_MS + 999999);
        assert_int_equal(answered_of(echo_request, sizeof echo_request, 1), 0);
        ip_rig_turn(&rig, 1);
        assert_int_equal(answered_of(echo_request, sizeof echo_request, 2), 1);
    }
    ip_rig_turn(&rig, 10 * NS_PER_S);
    ip_rig_forget(&rig);
    assert_int_equal(answered_of(echo_request, sizeof echo_request, 50), 20);
}

static void arp_is_answered_256_at_once_then_2000_a_second_beside_any_flood_of_echo(void **state)
{
    (void)state;
    ip_rig_turn(&rig, NS_PER_S);
    assert_int_equal(answered_of(echo_request, sizeof echo_request, 50), 20);
    assert_int_equal(answered_of(arp_request, sizeof arp_request, 300), 256);
    ip_rig_turn(&rig, 50 * NS_PER_MS);
    assert_int_equal(answered_of(arp_request, sizeof arp_request, 300), 100);
    assert_int_equal(ip_counted(&rig.ip, IP_RATE_LIMITED), 30 + 44 + 200);
}

/* ---- the queue ---- */

static void echo_waits_in_half_of_the_places_and_arp_in_all(void **state)
{
    (void)state;
    for (int i = 0; i < 40; i++)
        assert_true(ip_rig_take(&rig, echo_request, sizeof echo_request, 0, 0));
    assert_int_equal(ip_counted(&rig.ip, IP_OVERFLOWED), 24);
    for (int i = 0; i < 20; i++)
        assert_true(ip_rig_take(&rig, arp_request, sizeof arp_request, 0, 0));
    assert_int_equal(ip_counted(&rig.ip, IP_OVERFLOWED), 28);
    for (uint32_t worked = 4; worked <= 32; worked += 4) {      /* no turn works more than four */
        assert_int_equal(ip_turn(&rig.ip, rig.t_ns), 4);
        assert_int_equal(rig.sent, worked);
    }
    assert_int_equal(ip_turn(&rig.ip, rig.t_ns), 0);
    assert_int_equal(ip_counted(&rig.ip, IP_ECHO_ANSWERED), 16);
    assert_int_equal(ip_counted(&rig.ip, IP_ARP_ANSWERED), 16);
}

/* Three receive queues, three threads that put, one that takes: none keeps another out. */
static void the_queues_of_a_port_take_turns(void **state)
{
    (void)state;
    static struct ip_port ip;
    struct ip_config config = rig.ip.config;
    config.asides = 3;
    config.link = NULL;
    void *memory = aligned_alloc(64, (ip_bytes(IP_RIG_MTU, IP_RIG_NEIGHBOURS, 3) + 63) / 64 * 64);
    assert_non_null(memory);
    ip_init(&ip, &config, memory);
    const struct port_frame frame = {.data = (uint8_t *)(uintptr_t)arp_request, .length = sizeof arp_request};
    for (int i = 0; i < 40; i++)
        assert_true(ip_set_aside(&ip.aside[0], &frame));
    assert_true(ip_set_aside(&ip.aside[1], &frame));
    assert_true(ip_set_aside(&ip.aside[2], &frame));
    assert_int_equal(ip_counted(&ip, IP_OVERFLOWED), 8);
    ip_turn(&ip, rig.t_ns);
    assert_int_equal(ip_counted(&ip, IP_ARP_ANSWERED), 4);
    assert_int_equal(atomic_load(&ip.aside[1].head) + atomic_load(&ip.aside[2].head), 2);
    assert_int_equal(atomic_load(&ip.aside[0].head), 2);
    free(memory);
}

static void what_the_port_does_not_take_is_counted(void **state)
{
    (void)state;
    rig.takes = false;
    take(arp_request, sizeof arp_request);
    assert_int_equal(ip_counted(&rig.ip, IP_NOT_SENT), 1);
    assert_int_equal(ip_counted(&rig.ip, IP_ARP_ANSWERED), 0);
}

static void every_counter_has_a_name_and_a_meaning(void **state)
{
    (void)state;
    for (int i = 0; i < IP_COUNTER_COUNT; i++) {
        assert_true(strlen(ip_counter_name(i)) > 3 && strlen(ip_counter_meaning(i)) > 10);
        for (int j = 0; j < i; j++)
            assert_string_not_equal(ip_counter_name(i), ip_counter_name(j));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define RIG(name) cmocka_unit_test_setup_teardown(name, make_rig, drop_rig)
#define VLAN_RIG(name) cmocka_unit_test_setup_teardown(name, make_vlan_rig, drop_rig)
        RIG(an_arp_request_is_answered_byte_for_byte),
        RIG(a_probe_for_our_address_is_answered),
        RIG(an_echo_request_is_answered_byte_for_byte),
        RIG(an_echo_with_a_wrong_sum_is_refused_whatever_the_device_says),
        RIG(what_is_wrong_with_a_message_is_counted_and_not_answered),
        RIG(what_is_wrong_with_arp_is_counted_and_not_answered),
        RIG(no_request_is_answered_beyond_the_mtu),
        VLAN_RIG(a_port_with_a_vlan_takes_that_tag_in_either_form_and_answers_with_it),
        VLAN_RIG(echo_answers_carry_the_tag_at_the_least_priority),
        RIG(a_port_without_a_vlan_takes_a_tag_that_gives_a_priority_only),
        RIG(echo_is_answered_20_at_once_then_100_a_second),
        RIG(arp_is_answered_256_at_once_then_2000_a_second_beside_any_flood_of_echo),
        RIG(echo_waits_in_half_of_the_places_and_arp_in_all),
        RIG(the_queues_of_a_port_take_turns),
        RIG(what_the_port_does_not_take_is_counted),
        RIG(every_counter_has_a_name_and_a_meaning),
    };
    return cmocka_run_group_tests_name("what a port answers", tests, NULL, NULL);
}
