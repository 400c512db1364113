/* SPDX-License-Identifier: Apache-2.0 */
/* The primitive against the table that its authors publish: SipHash-2-4 with 128 bits, key 00 01 .. 0f,
 * message 00 01 .. of 0 to 63 bytes; every length is also held against the algorithm written down here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "auth/mac.h"

enum { MESSAGE_MAX = 1472 };

/* Of the authors' table (vectors_sip128): 0 and 1 bytes. */
static const struct { uint32_t bytes; const char *tag; } published[] = {
    {0, "a3817f04ba25a8e66df67214c7550293"},
    {1, "da87c1d86b99af44347659119b22fc45"},
};

static uint64_t turn(uint64_t value, int by)
{
    return value << by | value >> (64 - by);
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = turn(v[1], 13) ^ v[0];
    v[3] = turn(v[3], 16) ^ v[2];
    v[0] = turn(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = turn(v[1], 17) ^ v[2];
    v[3] = turn(v[3], 21) ^ v[0];
    v[2] = turn(v[2], 32);
}

static void compress(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    sip_round(v);
    sip_round(v);
    v[0] ^= word;
}

static uint64_t finish(uint64_t v[4])
{
    for (int i = 0; i < 4; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* After the paper of Aumasson and Bernstein, section 2, with the constants of the 128-bit variant. */
static void by_the_paper(const uint8_t key[16], const uint8_t *data, uint32_t bytes, uint8_t tag[16])
{
    uint64_t k[2], word, half[2];
    memcpy(k, key, sizeof k);
    uint64_t v[4] = {k[0] ^ UINT64_C(0x736f6d6570736575), k[1] ^ UINT64_C(0x646f72616e646f6d) ^ 0xee,
                     k[0] ^ UINT64_C(0x6c7967656e657261), k[1] ^ UINT64_C(0x7465646279746573)};
    uint32_t at = 0;
    for (; at + 8 <= bytes; at += 8) {
        memcpy(&word, data + at, sizeof word);
        compress(v, word);
    }
    word = (uint64_t)bytes << 56;
    for (uint32_t i = 0; at + i < bytes; i++)
        word |= (uint64_t)data[at + i] << (8 * i);
    compress(v, word);
    v[2] ^= 0xee;
    half[0] = finish(v);
    v[1] ^= 0xdd;
    half[1] = finish(v);
    memcpy(tag, half, sizeof half);
}

static void hex(const uint8_t tag[16], char text[33])
{
    for (int i = 0; i < 16; i++)
        snprintf(text + (size_t)2 * i, 3, "%02x", tag[i]);
}

static void tags_are_those_that_the_authors_publish(void **state)
{
    uint8_t key[16], data[64], tag[16];
    struct auth_mac mac;
    char text[33];
    (void)state;
    for (int i = 0; i < 64; i++)
        data[i] = (uint8_t)i;
    memcpy(key, data, sizeof key);
    assert_int_equal(auth_mac_open(&mac), 0);
    for (size_t i = 0; i < sizeof published / sizeof published[0]; i++) {
        assert_true(auth_mac_tag(&mac, key, data, published[i].bytes, NULL, 0, tag));
        hex(tag, text);
        assert_string_equal(text, published[i].tag);
    }
    auth_mac_close(&mac);
}

static void every_length_and_every_cut_gives_what_the_paper_says(void **state)
{
    static uint8_t data[MESSAGE_MAX];
    uint8_t key[16], tag[16], wanted[16];
    struct auth_mac mac;
    (void)state;
    for (uint32_t i = 0; i < MESSAGE_MAX; i++)
        data[i] = (uint8_t)(i * 151 + i / 256);
    assert_int_equal(auth_mac_open(&mac), 0);
    for (uint32_t bytes = 0; bytes <= MESSAGE_MAX; bytes++) {
        memset(key, (int)bytes, sizeof key);
        by_the_paper(key, data, bytes, wanted);
        uint32_t cut = bytes < 40 ? bytes : 40;
        assert_true(auth_mac_tag(&mac, key, data, cut, data + cut, bytes - cut, tag));
        assert_memory_equal(tag, wanted, sizeof tag);
    }
    auth_mac_close(&mac);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tags_are_those_that_the_authors_publish),
        cmocka_unit_test(every_length_and_every_cut_gives_what_the_paper_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
