/* SPDX-License-Identifier: Apache-2.0 */
/* The raw sample datagram: what is sent comes back, what is damaged does not, and order is kept or marked. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wire/crc.h"
#include "wire/raw.h"

enum { PERIOD_PS = 125000000, BLOCK = 32, BLOCK_NS = BLOCK * 125000 };

#define T0_NS INT64_C(1751538645000000000)
#define V_LSB 0.0625F
#define I_LSB 0.125F

static struct samples block_of(uint64_t sequence, uint8_t channels, uint16_t count)
{
    struct samples block = {.meter = 7, .flags = SAMPLES_LOCKED, .sequence = sequence, .period_ps = PERIOD_PS,
                            .t0_ns = T0_NS + (int64_t)sequence * BLOCK_NS, .count = count,
                            .channels = channels};
    for (uint32_t k = 0; k < channels; k++)
        for (uint32_t i = 0; i < count; i++)
            block.value[k][i] = (float)((int)(i * 37 + k * 1001) - 4000) * 0.125F;
    return block;
}

static uint32_t packet_of(uint64_t sequence, uint8_t *packet)
{
    struct samples block = block_of(sequence, 6, BLOCK);

    return raw_encode(&block, V_LSB, I_LSB, packet, DATAGRAM_MAX);
}

static void reseal(uint8_t *packet, uint32_t bytes)
{
    memset(packet + 36, 0, 4);
    uint32_t crc = crc_32c(0, packet, bytes);
    memcpy(packet + 36, &crc, sizeof crc);
}

static void checksums_are_the_standards(void **state)
{
    (void)state;
    const uint8_t *digits = (const uint8_t *)"123456789";
    uint8_t zeros[32] = {0};

    assert_int_equal(crc_32c(0, digits, 9), 0xE3069283);
    assert_int_equal(crc_32c(crc_32c(0, digits, 3), digits + 3, 6), 0xE3069283);
    assert_int_equal(crc_32c(0, zeros, 32), 0x8A9136AA);       /* RFC 3720, B.4 */
    assert_int_equal(crc_16(digits, 9), 0x29B1);
}

static void sizes_are_those_of_the_format(void **state)
{
    (void)state;
    uint8_t packet[DATAGRAM_MAX], large[2000];
    struct samples block = block_of(1, 6, 128);

    assert_int_equal(raw_bytes(6, 32), 424);
    assert_int_equal(raw_bytes(6, 128), 1576);
    assert_int_equal(packet_of(1, packet), 424);
    assert_int_equal(raw_encode(&block, V_LSB, I_LSB, large, sizeof large), 0);
    memcpy(large, packet, RAW_HEADER_BYTES);
    large[7] = 128;
    assert_int_equal(raw_decode(large, 1576, &block), METER_MTU);
    assert_string_equal(meter_refusal_name(METER_MTU), "mtu");
}

static void any_block_comes_back_as_sent(void **state)
{
    (void)state;
    static const uint16_t counts[] = {8, 16, 32, 64, 128};
    uint8_t packet[DATAGRAM_MAX];

    for (uint8_t channels = 6; channels <= 8; channels = (uint8_t)(channels + 2))
        for (size_t c = 0; c < 5; c++) {
            struct samples sent = block_of(UINT32_MAX, channels, counts[c]), back = {0};
            sent.flags = SAMPLES_HOLDOVER | SAMPLES_GAP | SAMPLES_NOMINAL_50 | SAMPLES_TAI;
            uint32_t bytes = raw_encode(&sent, V_LSB, I_LSB, packet, sizeof packet);
            if (counts[c] == 128) {
                assert_int_equal(bytes, 0);
                continue;
            }
            assert_int_equal(bytes, raw_bytes(channels, counts[c]));
            assert_int_equal(raw_decode(packet, bytes, &back), METER_ACCEPTED);
            assert_int_equal(back.meter, 7);
            assert_int_equal(back.sequence, UINT32_MAX);
            assert_int_equal(back.flags, sent.flags);
            assert_int_equal(back.t0_ns, sent.t0_ns);
            assert_int_equal(back.period_ps, PERIOD_PS);
            assert_int_equal(back.count, counts[c]);
            assert_int_equal(back.channels, channels);
            assert_memory_equal(back.value, sent.value, channels * sizeof sent.value[0]);
        }
}

static void the_layout_is_the_one_documented(void **state)
{
    (void)state;
    uint8_t packet[DATAGRAM_MAX];
    struct samples block = block_of(0x01020304, 6, 8);
    static const uint8_t head[] = {'U', 'P', 'M', '1', 1, 1, 6, 8, 7, 0, 0, 0, 4, 3, 2, 1};
    int16_t counts[6];

    assert_int_equal(raw_encode(&block, V_LSB, I_LSB, packet, sizeof packet), 136);
    assert_memory_equal(packet, head, sizeof head);
    memcpy(counts, packet + 40 + sizeof counts, sizeof counts);    /* the second sample of each channel */
    for (int k = 0; k < 6; k++)
        assert_int_equal(counts[k], (37 + k * 1001 - 4000) * (k < 3 ? 2 : 1));
}

static void values_at_the_end_of_the_range_are_clipped(void **state)
{
    (void)state;
    uint8_t packet[DATAGRAM_MAX];
    struct samples block = block_of(1, 8, 8), back;

    block.value[SAMPLES_IB][3] = 5000;
    block.value[SAMPLES_VN][7] = (float)NAN;
    block.value[SAMPLES_VA][0] = -1e9F;
    uint32_t bytes = raw_encode(&block, V_LSB, I_LSB, packet, sizeof packet);
    assert_int_equal(raw_decode(packet, bytes, &back), METER_ACCEPTED);
    assert_int_equal(back.clipped, 1 << SAMPLES_IB | 1 << SAMPLES_VN | 1 << SAMPLES_VA);
    assert_true(back.flags & SAMPLES_CLIPPED);
    assert_true(back.value[SAMPLES_IB][3] == 32767 * I_LSB && back.value[SAMPLES_VA][0] == -32767 * V_LSB);
    block = block_of(1, 6, 8);
    block.value[SAMPLES_IA][0] = 32759 * I_LSB;
    bytes = raw_encode(&block, V_LSB, I_LSB, packet, sizeof packet);
    assert_int_equal(raw_decode(packet, bytes, &back), METER_ACCEPTED);
    assert_int_equal(back.clipped, 0);
    block.value[SAMPLES_IA][0] = -32760 * I_LSB;
    bytes = raw_encode(&block, V_LSB, I_LSB, packet, sizeof packet);
    assert_int_equal(raw_decode(packet, bytes, &back), METER_ACCEPTED);
    assert_int_equal(back.clipped, 1 << SAMPLES_IA);
}

static void every_damaged_bit_is_noticed(void **state)
{
    (void)state;
    uint8_t packet[DATAGRAM_MAX];
    struct samples block;
    uint32_t bytes = packet_of(5, packet);

    for (uint32_t bit = 0; bit < bytes * 8; bit++) {
        packet[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_not_equal(raw_decode(packet, bytes, &block), METER_ACCEPTED);
        packet[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (uint32_t cut = 0; cut < bytes; cut++) {
        uint8_t *own = malloc(cut ? cut : 1);
        assert_non_null(own);
        memcpy(own, packet, cut);
        assert_int_equal(raw_decode(own, cut, &block), cut < 4 ? METER_MAGIC : METER_TRUNCATED);
        free(own);
    }
    assert_int_equal(raw_decode(packet, bytes + 1, &block), METER_OVERSIZED);
}

static void sealed_with(uint32_t at, uint32_t width, uint64_t value, int refusal)
{
    uint8_t packet[DATAGRAM_MAX];
    struct samples block;
    uint32_t bytes = packet_of(5, packet);

    memcpy(packet + at, &value, width);
    reseal(packet, bytes);
    assert_int_equal(raw_decode(packet, bytes, &block), refusal);
}

static void impossible_headers_are_refused_though_sealed(void **state)
{
    (void)state;
    sealed_with(8, 4, 9, METER_ACCEPTED);
    sealed_with(0, 4, 0, METER_MAGIC);
    sealed_with(4, 1, 2, METER_VERSION);
    sealed_with(5, 1, 64, METER_MALFORMED);
    sealed_with(6, 1, 7, METER_SHAPE);
    sealed_with(7, 1, 31, METER_SHAPE);
    sealed_with(7, 1, 4, METER_SHAPE);
    sealed_with(16, 8, 0, METER_MALFORMED);
    sealed_with(24, 4, 0, METER_MALFORMED);
    sealed_with(24, 4, RAW_PERIOD_PS_MIN - 1, METER_MALFORMED);
    sealed_with(24, 4, RAW_PERIOD_PS_MAX + 1u, METER_MALFORMED);
    sealed_with(28, 4, 0, METER_MALFORMED);
    sealed_with(28, 4, 0x30000000, METER_MALFORMED);        /* 4.7e-10 */
    sealed_with(28, 4, 0x7fc00000, METER_MALFORMED);
    sealed_with(32, 4, 0x7f800000, METER_MALFORMED);
    sealed_with(32, 4, 0xbf800000, METER_MALFORMED);
}

struct got {
    int refusal;
    uint32_t blocks;
    uint64_t sequence[RAW_BLOCKS_MAX];
    bool gap[RAW_BLOCKS_MAX];
};

static struct got receive(struct raw_stream *stream, const struct samples *block)
{
    uint8_t packet[DATAGRAM_MAX];
    struct samples out[RAW_BLOCKS_MAX];
    struct got got = {0};
    uint32_t bytes = raw_encode(block, V_LSB, I_LSB, packet, sizeof packet);

    got.refusal = raw_receive(stream, packet, bytes, out, &got.blocks);
    for (uint32_t i = 0; i < got.blocks; i++) {
        got.sequence[i] = out[i].sequence;
        got.gap[i] = out[i].flags & SAMPLES_GAP;
    }
    return got;
}

/* Block `sequence` in; `count` blocks out, the first `first`, in order; gap bits as in `gaps`. */
static void expect(struct raw_stream *stream, uint64_t sequence, uint32_t count, uint64_t first, int gaps)
{
    struct samples block = block_of(sequence, 6, BLOCK);
    struct got got = receive(stream, &block);

    assert_int_equal(got.refusal, METER_ACCEPTED);
    assert_int_equal(got.blocks, count);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(got.sequence[i], first + i);
        assert_int_equal(got.gap[i], gaps >> i & 1);
    }
}

static void refused(struct raw_stream *stream, uint64_t sequence, int refusal)
{
    struct samples block = block_of(sequence, 6, BLOCK);
    struct got got = receive(stream, &block);

    assert_int_equal(got.refusal, refusal);
    assert_int_equal(got.blocks, 0);
}

static void one_packet_that_comes_early_waits(void **state)
{
    (void)state;
    struct raw_stream stream = {0};
    struct samples block;

    expect(&stream, 10, 1, 10, 0);
    expect(&stream, 12, 0, 0, 0);
    refused(&stream, 12, METER_DUPLICATE);
    expect(&stream, 11, 2, 11, 0);
    expect(&stream, 14, 0, 0, 0);
    expect(&stream, 15, 2, 14, 1);              /* 13 is given up */
    refused(&stream, 13, METER_REORDERED);
    refused(&stream, 14, METER_DUPLICATE);
    expect(&stream, 17, 0, 0, 0);
    assert_int_equal(raw_flush(&stream, &block), 1);
    assert_true(block.sequence == 17 && (block.flags & SAMPLES_GAP));
    assert_int_equal(raw_flush(&stream, &block), 0);
    expect(&stream, 20, 1, 20, 1);
    expect(&stream, 21, 1, 21, 0);
}

static void numbers_of_32_bits_go_on_behind_the_last_one(void **state)
{
    (void)state;
    struct raw_stream stream = {0};
    struct samples block = block_of(UINT32_MAX, 6, BLOCK);

    assert_int_equal(receive(&stream, &block).blocks, 1);
    block.sequence = 0;                         /* as sent */
    block.t0_ns += BLOCK_NS;
    struct got got = receive(&stream, &block);
    assert_int_equal(got.blocks, 1);
    assert_int_equal(got.sequence[0], INT64_C(1) << 32);
    assert_false(got.gap[0]);
}

static void moved(int64_t off_ns, bool gap)
{
    struct raw_stream stream = {0};
    struct samples block = block_of(2, 6, BLOCK);

    expect(&stream, 1, 1, 1, 0);
    block.t0_ns += off_ns;
    struct got got = receive(&stream, &block);
    assert_int_equal(got.blocks, 1);
    assert_int_equal(got.gap[0], gap);
}

static void time_that_steps_is_a_gap(void **state)
{
    (void)state;
    moved(0, false);
    moved(20000, false);
    moved(-20000, false);
    moved(20001, true);
    moved(-20001, true);
    moved(NS_PER_S, true);
    moved((INT64_C(1) << 62) - 1 - T0_NS - 2 * BLOCK_NS, true);
}

static void times_beyond_2116_are_refused(void **state)
{
    (void)state;
    static const int64_t far[] = {INT64_MAX, INT64_C(1) << 62};
    struct samples block = block_of(1, 6, BLOCK);
    uint8_t packet[DATAGRAM_MAX];
    uint32_t bytes = packet_of(1, packet);

    for (size_t i = 0; i < sizeof far / sizeof *far; i++) {
        memcpy(packet + 16, &far[i], sizeof far[i]);
        reseal(packet, bytes);
        assert_int_equal(raw_decode(packet, bytes, &block), METER_MALFORMED);
        block.t0_ns = far[i];
        assert_int_equal(raw_encode(&block, V_LSB, I_LSB, packet + bytes, DATAGRAM_MAX - bytes), 0);
    }
    block = block_of(1, 6, BLOCK);
    block.t0_ns = (INT64_C(1) << 62) - 1;
    assert_int_equal(raw_encode(&block, V_LSB, I_LSB, packet, sizeof packet), bytes);
    assert_int_equal(raw_decode(packet, bytes, &block), METER_ACCEPTED);
}

static void another_rate_or_shape_is_followed_behind_a_gap(void **state)
{
    (void)state;
    struct raw_stream stream = {0};
    struct samples block = block_of(2, 6, BLOCK);

    expect(&stream, 1, 1, 1, 0);
    block.period_ps = PERIOD_PS / 2;
    assert_true(receive(&stream, &block).gap[0]);
    struct samples wide = block_of(3, 8, BLOCK);
    wide.period_ps = PERIOD_PS / 2;
    wide.t0_ns = block.t0_ns + BLOCK_NS / 2;
    assert_true(receive(&stream, &wide).gap[0]);
    wide.sequence++;
    wide.t0_ns += BLOCK_NS / 2;
    assert_false(receive(&stream, &wide).gap[0]);
}

static void a_sender_that_begins_anew_is_believed_at_its_fourth_packet(void **state)
{
    (void)state;
    struct raw_stream stream = {0};

    expect(&stream, 100000, 1, 100000, 0);
    refused(&stream, 1, METER_REORDERED);
    refused(&stream, 2, METER_REORDERED);
    expect(&stream, 100001, 1, 100001, 0);      /* the old one is still there: it counts anew */
    refused(&stream, 3, METER_REORDERED);
    refused(&stream, 4, METER_REORDERED);
    refused(&stream, 5, METER_REORDERED);
    expect(&stream, 6, 1, 6, 1);
    expect(&stream, 7, 1, 7, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checksums_are_the_standards),
        cmocka_unit_test(sizes_are_those_of_the_format),
        cmocka_unit_test(any_block_comes_back_as_sent),
        cmocka_unit_test(the_layout_is_the_one_documented),
        cmocka_unit_test(values_at_the_end_of_the_range_are_clipped),
        cmocka_unit_test(every_damaged_bit_is_noticed),
        cmocka_unit_test(impossible_headers_are_refused_though_sealed),
        cmocka_unit_test(one_packet_that_comes_early_waits),
        cmocka_unit_test(numbers_of_32_bits_go_on_behind_the_last_one),
        cmocka_unit_test(time_that_steps_is_a_gap),
        cmocka_unit_test(times_beyond_2116_are_refused),
        cmocka_unit_test(another_rate_or_shape_is_followed_behind_a_gap),
        cmocka_unit_test(a_sender_that_begins_anew_is_believed_at_its_fourth_packet),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
