/* SPDX-License-Identifier: Apache-2.0 */
/* What udp_parse takes and what it refuses, by vectors made by hand, by every refusal, and by flipping every
 * bit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "port/ip/udp.h"

enum { IP = 14, UDP = 34, FRAME_ROOM = 9300 };

static const struct endpoint meter = {
    .mac = {0x02, 0xf1, 0xba, 0x11, 0x01, 0x02}, .ipv4 = 0xC6336402 /* 198.51.100.2 */, .port = 40000};
static const struct endpoint us = {
    .mac = {0x02, 0xf1, 0xba, 0x11, 0x01, 0x01}, .ipv4 = 0xC6336401 /* 198.51.100.1 */, .port = 7001};

/* Written out by hand and summed with another program: 198.51.100.2:40000 -> 198.51.100.1:7001, "hello". */
static const uint8_t hello[] = {
    0x02, 0xf1, 0xba, 0x11, 0x01, 0x01, 0x02, 0xf1, 0xba, 0x11, 0x01, 0x02, 0x08, 0x00,
    0x45, 0xb8, 0x00, 0x21, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11, 0xe5, 0xa9,
    0xc6, 0x33, 0x64, 0x02, 0xc6, 0x33, 0x64, 0x01,
    0x9c, 0x40, 0x1b, 0x59, 0x00, 0x0d, 0xaf, 0xfd, 'h', 'e', 'l', 'l', 'o',
};

/* The frame as it comes: `room` begins with the four bytes that a tag would take. */
static uint32_t build_to(uint8_t *room, const struct endpoint *from, const struct endpoint *to,
                         uint32_t payload_bytes)
{
    struct port_frame frame;
    udp_build(&frame, room, from, to, payload_bytes, 0);
    assert_ptr_equal(frame.data, room + UDP_HEADROOM - UDP_HEADERS);
    assert_int_equal(frame.flags, 0);
    return frame.length;
}

/* The same with the payload at frame + UDP_HEADERS, where a receiver finds it. */
static uint32_t build(uint8_t *frame, uint32_t payload_bytes)
{
    uint8_t room[FRAME_ROOM];
    memcpy(room + UDP_HEADROOM, frame + UDP_HEADERS, payload_bytes);
    uint32_t length = build_to(room, &meter, &us, payload_bytes);
    memcpy(frame, room + UDP_HEADROOM - UDP_HEADERS, length);
    return length;
}

static int parse_datagram(const uint8_t *data, uint32_t length, struct udp_datagram *datagram)
{
    /* the parser only reads */
    const struct port_frame frame = {.data = (uint8_t *)(uintptr_t)data, .length = length};
    return udp_parse(&frame, &us, datagram);
}

static int parse(const uint8_t *frame, uint32_t length)
{
    struct udp_datagram datagram;
    return parse_datagram(frame, length, &datagram);
}

/* The textbook sum, two bytes at a time: shares nothing with the code under test. */
static uint16_t plain_sum(uint32_t sum, const uint8_t *data, uint32_t bytes)
{
    for (uint32_t i = 0; i < bytes; i++)
        sum += i % 2 ? data[i] : (uint32_t)data[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xFFFF) + (sum >> 16);
    return (uint16_t)sum;
}

static void put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void seal_ip(uint8_t *frame)
{
    put16(frame + IP + 10, 0);
    put16(frame + IP + 10, (uint16_t)~plain_sum(0, frame + IP, (frame[IP] & 15u) * 4));
}

static void seal_udp(uint8_t *frame, uint8_t *udp, uint32_t summed_bytes)
{
    put16(udp + 6, 0);
    uint32_t length = (uint32_t)(udp[4] << 8 | udp[5]);
    uint32_t pseudo = plain_sum(17 + length, frame + IP + 12, 8);
    put16(udp + 6, (uint16_t)~plain_sum(pseudo, udp, summed_bytes));
}

static void a_frame_written_by_hand_is_built_and_parsed(void **state)
{
    (void)state;
    uint8_t frame[64];
    memcpy(frame + UDP_HEADERS, "hello", 5);
    assert_int_equal(build(frame, 5), sizeof hello);
    assert_memory_equal(frame, hello, sizeof hello);

    struct udp_datagram datagram;
    assert_int_equal(parse_datagram(hello, sizeof hello, &datagram), ACCEPTED);
    assert_int_equal(datagram.payload_bytes, 5);
    assert_memory_equal(datagram.payload, "hello", 5);
    assert_int_equal(datagram.source.ipv4, meter.ipv4);
    assert_int_equal(datagram.source.port, meter.port);
    assert_memory_equal(datagram.source.mac, meter.mac, 6);
    assert_int_equal(datagram.destination_port, 7001);
}

static void every_length_carries_the_textbook_checksums(void **state)
{
    (void)state;
    uint8_t frame[FRAME_ROOM];
    for (uint32_t bytes = 0; bytes <= 1600; bytes++) {
        for (uint32_t i = 0; i < bytes; i++)
            frame[UDP_HEADERS + i] = (uint8_t)(i * 37 + bytes);
        uint32_t length = build(frame, bytes);
        assert_int_equal(length, UDP_HEADERS + bytes);
        uint32_t pseudo = plain_sum(17 + 8 + bytes, frame + IP + 12, 8);
        assert_int_equal(plain_sum(0, frame + IP, 20), 0xFFFF);
        assert_int_equal(plain_sum(pseudo, frame + UDP, 8 + bytes), 0xFFFF);
        assert_int_equal(parse(frame, length), ACCEPTED);
    }
}

static void ethernet_padding_behind_the_packet_is_ignored(void **state)
{
    (void)state;
    uint8_t frame[64];
    memset(frame, 0xEE, sizeof frame);
    frame[UDP_HEADERS] = 7;
    build(frame, 1);
    struct udp_datagram datagram;
    assert_int_equal(parse_datagram(frame, 60, &datagram), ACCEPTED);
    assert_int_equal(datagram.payload_bytes, 1);
}

static void ip_options_are_stepped_over(void **state)
{
    (void)state;
    for (uint32_t words = 1; words <= 10; words++) {
        uint8_t frame[256], plain[64];
        memset(plain + UDP_HEADERS, 0x5A, 9);
        build(plain, 9);
        memcpy(frame, plain, UDP);
        memset(frame + UDP, 1, words * 4);                  /* no-operation options */
        memcpy(frame + UDP + words * 4, plain + UDP, 17);
        frame[IP] = (uint8_t)(0x45 + words);
        put16(frame + IP + 2, 20 + words * 4 + 17);
        seal_ip(frame);
        struct udp_datagram datagram;
        assert_int_equal(parse_datagram(frame, UDP + words * 4 + 17, &datagram), ACCEPTED);
        assert_int_equal(datagram.payload_bytes, 9);
        assert_int_equal(datagram.payload[8], 0x5A);
    }
}

static void a_sum_that_comes_to_zero_is_sent_as_all_ones(void **state)
{
    (void)state;
    uint8_t frame[64];
    put16(frame + UDP_HEADERS, 0);
    build(frame, 2);
    /* The payload that brings the sum of everything else to 0xFFFF is the checksum itself. */
    memcpy(frame + UDP_HEADERS, frame + UDP + 6, 2);
    uint32_t length = build(frame, 2);
    assert_int_equal(frame[UDP + 6] << 8 | frame[UDP + 7], 0xFFFF);
    assert_int_equal(parse(frame, length), ACCEPTED);
}

/* One edit of a good frame, seals renewed or not, and the reason it must be refused for. */
struct refusal_case {
    const char *what;
    uint32_t at;
    uint8_t bytes[2];
    uint32_t count;
    bool sealed;            /* checksums made right again after the edit */
    int reason;
};

static const struct refusal_case cases[] = {
    {"another station's MAC", 5, {0x09}, 1, true, REFUSED_NOT_OURS},
    {"broadcast-like MAC", 0, {0xff, 0xff}, 2, true, REFUSED_NOT_OURS},
    {"ARP", 12, {0x08, 0x06}, 2, true, REFUSED_NOT_OURS},
    {"VLAN", 12, {0x81, 0x00}, 2, true, REFUSED_NOT_OURS},
    {"IPv6", 12, {0x86, 0xdd}, 2, true, REFUSED_NOT_OURS},
    {"IP version 6 under IPv4's type", IP, {0x65}, 1, true, REFUSED_NOT_OURS},
    {"header of 16 bytes", IP, {0x44}, 1, false, REFUSED_TRUNCATED},
    {"header longer than the packet", IP, {0x4f}, 1, false, REFUSED_TRUNCATED},
    {"total length beyond the frame", IP + 2, {0x00, 0x30}, 2, false, REFUSED_TRUNCATED},
    {"total length below the header", IP + 2, {0x00, 0x13}, 2, false, REFUSED_TRUNCATED},
    {"total length without room for UDP", IP + 2, {0x00, 0x1b}, 2, true, REFUSED_TRUNCATED},
    {"more fragments", IP + 6, {0x20, 0x00}, 2, true, REFUSED_FRAGMENT},
    {"a later fragment", IP + 6, {0x00, 0x01}, 2, true, REFUSED_FRAGMENT},
    {"the reserved flag", IP + 6, {0x80, 0x00}, 2, true, REFUSED_FRAGMENT},
    {"a header checksum", IP + 10, {0x12, 0x34}, 2, false, REFUSED_CHECKSUM},
    {"TCP", IP + 9, {6}, 1, true, REFUSED_NOT_OURS},
    {"another address", IP + 19, {9}, 1, true, REFUSED_NOT_OURS},
    {"another port", UDP + 2, {0x1b, 0x5a}, 2, true, REFUSED_NOT_OURS},
    {"UDP length beyond the packet", UDP + 4, {0x00, 0x40}, 2, true, REFUSED_TRUNCATED},
    {"UDP length below its header", UDP + 4, {0x00, 0x07}, 2, true, REFUSED_TRUNCATED},
    {"UDP length short of the packet", UDP + 4, {0x00, 0x0a}, 2, true, REFUSED_OVERSIZED},
    {"UDP checksum 0", UDP + 6, {0x00, 0x00}, 2, false, REFUSED_CHECKSUM},
    {"a wrong UDP checksum", UDP + 6, {0x12, 0x34}, 2, false, REFUSED_CHECKSUM},
    {"a payload byte", UDP_HEADERS, {'j'}, 1, false, REFUSED_CHECKSUM},
};

static void every_defect_is_refused_for_its_own_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct refusal_case *c = &cases[i];
        uint8_t frame[sizeof hello];
        memcpy(frame, hello, sizeof hello);
        memcpy(frame + c->at, c->bytes, c->count);
        if (c->sealed) {
            uint32_t claimed = (uint32_t)(frame[UDP + 4] << 8 | frame[UDP + 5]);
            seal_ip(frame);
            seal_udp(frame, frame + UDP, claimed < 13 ? claimed : 13);
        }
        int reason = parse(frame, sizeof frame);
        if (reason != c->reason)
            fail_msg("%s: refusal %d, expected %d", c->what, reason, c->reason);
    }
}

/* ---- what the device knows and does ---- */

static int parse_flagged(uint8_t *data, uint16_t flags)
{
    struct udp_datagram datagram;
    const struct port_frame frame = {.data = data, .length = sizeof hello, .flags = flags};
    return udp_parse(&frame, &us, &datagram);
}

static void sums_found_good_are_not_made_again_and_sums_found_bad_are_refused(void **state)
{
    (void)state;
    uint8_t frame[sizeof hello];
    memcpy(frame, hello, sizeof hello);
    assert_int_equal(parse_flagged(frame, FRAME_SUMS_GOOD), ACCEPTED);
    assert_int_equal(parse_flagged(frame, FRAME_SUMS_BAD), REFUSED_CHECKSUM);
    frame[UDP_HEADERS] ^= 1;
    assert_int_equal(parse_flagged(frame, 0), REFUSED_CHECKSUM);
    assert_int_equal(parse_flagged(frame, FRAME_SUMS_GOOD), ACCEPTED);
    frame[IP + 10] ^= 1;
    assert_int_equal(parse_flagged(frame, 0), REFUSED_CHECKSUM);
    assert_int_equal(parse_flagged(frame, FRAME_SUMS_GOOD), ACCEPTED);
    put16(frame + UDP + 6, 0);          /* none was made, so none can be good */
    assert_int_equal(parse_flagged(frame, FRAME_SUMS_GOOD), REFUSED_CHECKSUM);
}

/* RFC 768: the sum over addresses, protocol and length waits in the field for the device to go on from. */
static void a_device_that_fills_sums_gets_the_pseudo_headers(void **state)
{
    (void)state;
    uint8_t room[64];
    struct port_frame frame;
    memcpy(room + UDP_HEADROOM, "hello", 5);
    udp_build(&frame, room, &meter, &us, 5, PORT_FILLS_SUMS);
    assert_int_equal(frame.flags, FRAME_SUMS_LEFT);
    assert_int_equal(frame.length, sizeof hello);
    uint8_t *data = frame.data;
    assert_int_equal(data[IP + 10] << 8 | data[IP + 11], 0);
    assert_int_equal(data[UDP + 6] << 8 | data[UDP + 7], plain_sum(17 + 13, data + IP + 12, 8));
    put16(data + UDP + 6, (uint16_t)~plain_sum(0, data + UDP, 13));     /* what the device does */
    seal_ip(data);
    assert_memory_equal(data, hello, sizeof hello);
}

static void a_port_with_a_vlan_takes_and_makes_tagged_frames(void **state)
{
    (void)state;
    static const struct { int id; uint16_t vlan; int verdict; } row[] = {
        {-1, 100, REFUSED_NOT_OURS}, {0, 100, REFUSED_NOT_OURS}, {101, 100, REFUSED_NOT_OURS},
        {100, 100, ACCEPTED}, {100, 0, REFUSED_NOT_OURS}, {0, 0, ACCEPTED}, {-1, 0, ACCEPTED}};
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        uint8_t tagged[sizeof hello + 4];
        struct udp_datagram datagram;
        struct endpoint local = us;
        local.vlan = row[i].vlan;
        memcpy(tagged, hello, 12);
        put16(tagged + 12, 0x8100);
        put16(tagged + 14, 0xE000 | (uint32_t)row[i].id);
        memcpy(tagged + 16, hello + 12, sizeof hello - 12);
        struct port_frame in_bytes = {.data = tagged, .length = sizeof tagged};
        struct port_frame beside = {.data = (uint8_t *)(uintptr_t)hello, .length = sizeof hello,
                                    .flags = FRAME_TAGGED, .vlan_tci = (uint16_t)(0xE000 | row[i].id)};
        if (row[i].id < 0) {
            in_bytes = beside;
            in_bytes.flags = beside.flags = 0;
        }
        assert_int_equal(udp_parse(&in_bytes, &local, &datagram), row[i].verdict);
        assert_int_equal(udp_parse(&beside, &local, &datagram), row[i].verdict);
        if (row[i].verdict == ACCEPTED)
            assert_memory_equal(datagram.payload, "hello", 5);
    }
    uint8_t room[64];
    struct port_frame frame;
    struct endpoint from = meter;
    from.vlan = 100;
    memcpy(room + UDP_HEADROOM, "hello", 5);
    udp_build(&frame, room, &from, &us, 5, 0);
    assert_ptr_equal(frame.data, room);
    assert_int_equal(frame.length, sizeof hello + 4);
    assert_memory_equal(frame.data, hello, 12);
    assert_memory_equal(frame.data + 12, "\x81\x00\xa0\x64", 4);       /* priority 5, id 100 */
    assert_memory_equal(frame.data + 16, hello + 12, sizeof hello - 12);
}

static void fragments_are_refused_inside_a_vlan_too(void **state)
{
    (void)state;
    uint8_t tagged[sizeof hello + 4];
    memcpy(tagged, hello, 12);
    put16(tagged + 12, 0x8100);
    put16(tagged + 14, 100);
    memcpy(tagged + 16, hello + 12, sizeof hello - 12);
    put16(tagged + 4 + IP + 6, 0x2000);
    seal_ip(tagged + 4);
    struct endpoint local = us;
    struct udp_datagram datagram;
    local.vlan = 100;
    assert_int_equal(udp_parse(&(struct port_frame){.data = tagged, .length = sizeof tagged}, &local,
                               &datagram), REFUSED_FRAGMENT);
    assert_int_equal(udp_parse(&(struct port_frame){.data = tagged, .length = 17}, &local, &datagram),
                     REFUSED_TRUNCATED);
}

static void every_cut_is_refused_as_truncated(void **state)
{
    (void)state;
    for (uint32_t length = 0; length < sizeof hello; length++) {
        uint8_t *exact = malloc(length ? length : 1);      /* so that a sanitizer sees a read past the cut */
        memcpy(exact, hello, length);
        assert_int_equal(parse(exact, length), REFUSED_TRUNCATED);
        free(exact);
    }
}

static uint32_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33);
}

/* Every bit but those of the source MAC, which only the Ethernet check sequence covers and no answer depends
 * on. */
static void check_every_flip(uint8_t *frame, uint32_t length)
{
    for (uint32_t bit = 0; bit < length * 8; bit++) {
        uint32_t byte = bit / 8;
        frame[byte] ^= (uint8_t)(1u << bit % 8);
        int verdict = parse(frame, length);
        frame[byte] ^= (uint8_t)(1u << bit % 8);
        bool source_mac = byte >= 6 && byte < 12;
        if ((verdict == ACCEPTED) != source_mac)
            fail_msg("bit %u of byte %u of %u: verdict %d", bit % 8, byte, length, verdict);
    }
}

static void no_flipped_bit_gets_through(void **state)
{
    (void)state;
    uint64_t seed = (uint64_t)time(NULL), random = seed;
    print_message("seed %llu\n", (unsigned long long)seed);
    for (int round = 0; round < 40; round++) {
        uint8_t room[FRAME_ROOM], *frame = room + UDP_HEADROOM - UDP_HEADERS;
        struct endpoint from = meter, to = us;
        uint32_t bytes = next_random(&random) % 300;
        from.ipv4 = next_random(&random) * 2 + 1;
        from.port = (uint16_t)next_random(&random);
        for (uint32_t i = 0; i < bytes; i++)
            frame[UDP_HEADERS + i] = (uint8_t)next_random(&random);
        uint32_t length = build_to(room, &from, &to, bytes);
        struct udp_datagram datagram;
        assert_int_equal(parse_datagram(frame, length, &datagram), ACCEPTED);
        assert_int_equal(datagram.source.ipv4, from.ipv4);
        assert_int_equal(datagram.source.port, from.port);
        assert_int_equal(datagram.payload_bytes, bytes);
        assert_ptr_equal(datagram.payload, frame + UDP_HEADERS);
        check_every_flip(frame, length);
    }
}

static void random_bytes_never_pass(void **state)
{
    (void)state;
    uint64_t seed = (uint64_t)time(NULL), random = seed;
    print_message("seed %llu\n", (unsigned long long)seed);
    for (int round = 0; round < 200000; round++) {
        uint32_t length = next_random(&random) % 128;
        uint8_t frame[128];
        for (uint32_t i = 0; i < length; i++)
            frame[i] = (uint8_t)next_random(&random);
        if (length >= IP + 1 && round % 2) {               /* past the first gate */
            memcpy(frame, hello, IP);
            frame[IP] = 0x45;
        }
        assert_int_not_equal(parse(frame, length), ACCEPTED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_written_by_hand_is_built_and_parsed),
        cmocka_unit_test(every_length_carries_the_textbook_checksums),
        cmocka_unit_test(ethernet_padding_behind_the_packet_is_ignored),
        cmocka_unit_test(ip_options_are_stepped_over),
        cmocka_unit_test(a_sum_that_comes_to_zero_is_sent_as_all_ones),
        cmocka_unit_test(every_defect_is_refused_for_its_own_reason),
        cmocka_unit_test(sums_found_good_are_not_made_again_and_sums_found_bad_are_refused),
        cmocka_unit_test(a_device_that_fills_sums_gets_the_pseudo_headers),
        cmocka_unit_test(a_port_with_a_vlan_takes_and_makes_tagged_frames),
        cmocka_unit_test(fragments_are_refused_inside_a_vlan_too),
        cmocka_unit_test(every_cut_is_refused_as_truncated),
        cmocka_unit_test(no_flipped_bit_gets_through),
        cmocka_unit_test(random_bytes_never_pass),
    };
    return cmocka_run_group_tests_name("udp", tests, NULL, NULL);
}
