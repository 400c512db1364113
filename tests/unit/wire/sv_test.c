/* SPDX-License-Identifier: Apache-2.0 */
/* Sampled values: the worked examples of the protocol notes both ways, and what a receiver makes of a
 * stream. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hex.h"
#include "wire/sv.h"

enum { RATE_HZ = 4800 };

#define ARRIVAL_NS (INT64_C(1751538645) * NS_PER_S)
#define PERIOD_NS(n) ((int64_t)(n) * NS_PER_S / RATE_HZ)

/* 600 A at -15 degrees, 277.128 V at 0, the first sample of a second. */
static const char example_a[] =
    "010ccd04000102000000000181008000" "88ba4000006c00000000" "6062" "800101" "a25d" "305b"
    "800a414944434d5530313031" "82020000" "830400000001" "850102" "8740"
    "000c819f00000000fff6d84000000000fffca621000000000000000000000000"
    "0000991800000000ffffb37400000000ffffb374000000000000000000000000";

/* F4800S2I4U4, the last two samples of a second. */
static const char example_b[] =
    "010ccd0400010200000000018100800088ba400000cb000000006081c0800102a281ba305b800a414944434d5530313031820212"
    "be"
    "8304000000018501028740000bd40100000000fff5867600000000fffea589000000000000000000000000000097350000000"
    "0ffff9fa800000000ffffc923000000000000000000000000305b800a414944434d5530313031820212bf8304000000018501"
    "028740000c347200000000fff6279600000000fffda3f80000000000000000000000000000989f00000000ffffa94900000000"
    "ffffbe1700000000ffffffff00000000";

static const struct sv_publisher publisher = {
    .to = {0x01, 0x0c, 0xcd, 0x04, 0x00, 0x01},
    .from = {0x02, 0, 0, 0, 0, 0x01},
    .tagged = true,
    .tag = 0x8000,
    .appid = 0x4000,
    .id = "AIDCMU0101",
    .conf_rev = 1,
    .rate_hz = RATE_HZ,
    .synch = SV_SYNCH_GLOBAL,
};

/* Counts of the data set, Ia Ib Ic In Va Vb Vc Vn, as values. */
static void put_counts(struct samples *block, uint32_t index, const int32_t count[SV_VALUES])
{
    static const uint8_t channel[SV_VALUES] = {SAMPLES_IA, SAMPLES_IB, SAMPLES_IC, SAMPLES_IN,
                                               SAMPLES_VA, SAMPLES_VB, SAMPLES_VC, SAMPLES_VN};
    for (int i = 0; i < SV_VALUES; i++)
        block->value[channel[i]][index] = (float)count[i] * (i < 4 ? 1e-3F : 1e-2F);
}

static void the_worked_examples_read_as_written(void **state)
{
    (void)state;
    static const int32_t want[SV_VALUES] = {819615, -600000, -219615, 0, 39192, -19596, -19596, 0};
    uint8_t data[SV_FRAME_MAX];
    struct sv_frame frame;
    uint32_t quality, bytes = hex_read(example_a, data);

    assert_int_equal(bytes, 126);
    assert_int_equal(sv_decode(data, bytes, &frame), METER_ACCEPTED);
    assert_true(frame.tagged && frame.tag == 0x8000 && frame.appid == 0x4000 && !frame.simulated);
    assert_int_equal(frame.asdus, 1);
    assert_memory_equal(frame.asdu[0].id, "AIDCMU0101", 10);
    assert_true(frame.asdu[0].smp_cnt == 0 && frame.asdu[0].conf_rev == 1 && frame.asdu[0].synch == 2);
    for (uint32_t i = 0; i < SV_VALUES; i++) {
        assert_int_equal(sv_value(&frame.asdu[0], i, &quality), want[i]);
        assert_int_equal(quality, 0);
    }
    bytes = hex_read(example_b, data);
    assert_int_equal(bytes, 221);
    assert_int_equal(sv_decode(data, bytes, &frame), METER_ACCEPTED);
    assert_int_equal(frame.asdus, 2);
    assert_true(frame.asdu[0].smp_cnt == 4798 && frame.asdu[1].smp_cnt == 4799);
    assert_int_equal(sv_value(&frame.asdu[1], 7, &quality), -1);
}

static void the_worked_examples_are_written_byte_for_byte(void **state)
{
    (void)state;
    static const int32_t a[SV_VALUES] = {819615, -600000, -219615, 0, 39192, -19596, -19596, 0};
    static const int32_t b[2][SV_VALUES] = {{775169, -686474, -88695, 0, 38709, -24664, -14045, 0},
                                            {799858, -645226, -154632, 0, 39071, -22199, -16873, -1}};
    uint8_t data[SV_FRAME_MAX], want[SV_FRAME_MAX];
    struct samples block = {.channels = 8, .count = 1};

    put_counts(&block, 0, a);
    uint32_t bytes = hex_read(example_a, want);
    assert_int_equal(sv_encode(&publisher, &block, 0, data, sizeof data), bytes);
    assert_memory_equal(data, want, bytes);
    block.count = 2;
    put_counts(&block, 0, b[0]);
    put_counts(&block, 1, b[1]);
    bytes = hex_read(example_b, want);
    assert_int_equal(sv_encode(&publisher, &block, 4798, data, sizeof data), bytes);
    assert_memory_equal(data, want, bytes);
    assert_int_equal(sv_encode(&publisher, &block, 4798, data, bytes - 1), 0);
}

static struct samples block_of(uint16_t count)
{
    struct samples block = {.channels = 6, .count = count};

    for (uint32_t k = 0; k < 6; k++)
        for (uint32_t i = 0; i < count; i++)
            block.value[k][i] = (float)((int)(k * 100 + i) - 250);
    return block;
}

/* What came out of one frame of `count` samples from `smp_cnt` on. */
struct got {
    int refusal;
    uint32_t blocks;
    struct samples block;
};

static struct got receive_from(const struct sv_publisher *from, struct sv_stream *stream,
    const struct samples *block, uint32_t smp_cnt, int64_t arrival_ns)
{
    uint8_t data[SV_FRAME_MAX];
    struct got got = {0};
    uint32_t bytes = sv_encode(from, block, smp_cnt, data, sizeof data);

    assert_true(bytes > 0);
    got.refusal = sv_receive(stream, data, bytes, arrival_ns, &got.block, &got.blocks);
    return got;
}

static struct got receive(struct sv_stream *stream, uint32_t smp_cnt, int64_t arrival_ns)
{
    struct samples block = block_of(2);

    return receive_from(&publisher, stream, &block, smp_cnt, arrival_ns);
}

static void the_second_is_that_of_the_arrival(void **state)
{
    (void)state;
    struct sv_stream stream = {.rate_hz = RATE_HZ};
    struct got got = receive(&stream, 4798, ARRIVAL_NS + NS_PER_MS);

    assert_int_equal(got.refusal, METER_ACCEPTED);
    assert_int_equal(got.blocks, 1);
    assert_int_equal(got.block.t0_ns, ARRIVAL_NS - NS_PER_S + PERIOD_NS(4798));
    assert_int_equal(got.block.meter, 0x4000);
    assert_int_equal(got.block.channels, 8);
    assert_int_equal(got.block.count, 2);
    assert_int_equal(got.block.period_ps, 208333333);
    assert_int_equal(got.block.flags, SAMPLES_LOCKED);
    assert_true(got.block.value[SAMPLES_IB][1] == 151 && got.block.value[SAMPLES_VC][0] == -50);
    assert_true(got.block.value[SAMPLES_IN][0] == 450 && got.block.value[SAMPLES_VN][0] == -450);
    got = receive(&stream, 0, ARRIVAL_NS - NS_PER_MS);          /* a clock that runs a little behind */
    assert_int_equal(got.block.t0_ns, ARRIVAL_NS);
    assert_int_equal(got.block.flags, SAMPLES_LOCKED);
    assert_int_equal(got.block.sequence, 2);
}

static void a_short_gap_is_filled_and_a_long_one_marked(void **state)
{
    (void)state;
    struct sv_stream stream = {.rate_hz = RATE_HZ};

    receive(&stream, 4798, ARRIVAL_NS);
    struct got got = receive(&stream, 4, ARRIVAL_NS);           /* 0 .. 3 are missing: 833 us */
    assert_int_equal(got.block.count, 6);
    assert_int_equal(got.block.flags, SAMPLES_LOCKED | SAMPLES_FILLED);
    assert_int_equal(got.block.t0_ns, ARRIVAL_NS);
    assert_int_equal(got.block.sequence, 2);
    for (int i = 0; i < 4; i++)
        assert_true(fabsf(got.block.value[SAMPLES_VA][i] - (-249 - (float)(i + 1) / 5)) < 1e-3F);
    assert_true(got.block.value[SAMPLES_VA][4] == -250);
    got = receive(&stream, 11, ARRIVAL_NS + PERIOD_NS(11));     /* 6 .. 10: 1.04 ms */
    assert_int_equal(got.block.count, 2);
    assert_int_equal(got.block.flags, SAMPLES_LOCKED | SAMPLES_GAP);
    assert_int_equal(got.block.sequence, 13);
}

/* From then on nobody may tell a way that became longer by whole seconds from one that did not. */
static void counts_that_go_on_keep_their_time_however_late(void **state)
{
    (void)state;
    static const int64_t late_ns[] = {NS_PER_S / 4 + 1, NS_PER_S - 1, NS_PER_S, 1001 * NS_PER_MS,
                                      2001 * NS_PER_MS, 3 * NS_PER_S};
    struct sv_publisher loose = publisher;
    struct samples block = block_of(8);

    loose.synch = SV_SYNCH_LOCAL;
    for (size_t i = 0; i < 2 * sizeof late_ns / sizeof *late_ns; i++) {
        const struct sv_publisher *from = i % 2 ? &publisher : &loose;
        struct sv_stream stream = {.rate_hz = RATE_HZ};
        struct got got = {0};

        for (uint32_t n = 0; n < 3 * RATE_HZ; n += 8) {
            int64_t came_ns = ARRIVAL_NS + PERIOD_NS(n + 8) + (n < RATE_HZ / 3 ? 0 : late_ns[i / 2]);
            got = receive_from(from, &stream, &block, n % RATE_HZ, came_ns);
            assert_int_equal(got.block.flags, i % 2 ? SAMPLES_LOCKED : 0);
            /* but for periods of 1/4800 s in whole ns */
            assert_in_range(got.block.t0_ns - ARRIVAL_NS - PERIOD_NS(n) + 2000, 0, 2001);
        }
    }
}

/* How many seconds of it were lost, and by how many the way became longer, no count says. */
static void a_silence_with_samples_missing_sets_the_time_and_says_so(void **state)
{
    (void)state;
    struct sv_publisher loose = publisher;
    struct samples block = block_of(2);

    loose.synch = SV_SYNCH_LOCAL;
    for (int i = 0; i < 2; i++) {
        const struct sv_publisher *from = i ? &publisher : &loose;
        uint32_t locked = i ? SAMPLES_LOCKED : 0;
        struct sv_stream stream = {.rate_hz = RATE_HZ};
        struct got got = receive_from(from, &stream, &block, 0, ARRIVAL_NS + PERIOD_NS(2));

        assert_int_equal(got.block.flags, locked);      /* of the first nothing was known before */
        got = receive_from(from, &stream, &block, 1200, ARRIVAL_NS + PERIOD_NS(1202));
        assert_int_equal(got.block.flags, locked | SAMPLES_GAP);        /* a quarter of a second was lost */
        assert_int_equal(got.block.t0_ns, ARRIVAL_NS + PERIOD_NS(1200));
        got = receive_from(from, &stream, &block, 1204, ARRIVAL_NS + PERIOD_NS(1206) + NS_PER_S);
        assert_int_equal(got.block.flags, locked | SAMPLES_GAP | SAMPLES_SET);
        assert_in_range(got.block.t0_ns - ARRIVAL_NS - PERIOD_NS(1204) - NS_PER_S, 0, 500000);
        for (uint32_t n = 0; n < SV_RESTARTS; n++)
            got = receive_from(from, &stream, &block, 100 + 2 * n, ARRIVAL_NS + PERIOD_NS(1300));
        assert_int_equal(got.block.flags, locked | SAMPLES_GAP | SAMPLES_SET);
    }
}

/* Up to a second that was lost is known by its silence: nobody sets the time, and older frames stay older. */
static void a_silence_that_explains_what_is_missing_is_a_loss(void **state)
{
    (void)state;
    static const uint32_t missing[] = {10, 1200, 2398, 2402, 3600, 4780};
    struct sv_publisher loose = publisher;
    struct samples block = block_of(2);

    loose.synch = SV_SYNCH_LOCAL;
    for (size_t i = 0; i < 2 * sizeof missing / sizeof missing[0]; i++) {
        const struct sv_publisher *from = i % 2 ? &publisher : &loose;
        struct sv_stream stream = {.rate_hz = RATE_HZ};
        uint32_t n = missing[i / 2] + 2;

        receive_from(from, &stream, &block, 0, ARRIVAL_NS + PERIOD_NS(2));
        struct got got = receive_from(from, &stream, &block, n,
                                      ARRIVAL_NS + PERIOD_NS(n + 2) + 40 * NS_PER_MS);
        assert_int_equal(got.blocks, 1);
        assert_int_equal(got.block.flags & SAMPLES_SET, 0);
        assert_int_equal(got.block.flags & SAMPLES_GAP, SAMPLES_GAP);
        assert_in_range(got.block.t0_ns - ARRIVAL_NS - PERIOD_NS(n) + 2, 0, 3);
        got = receive_from(from, &stream, &block, n > 1000 ? n - 1000 : n + 3800,
                           ARRIVAL_NS + PERIOD_NS(n + 20));
        assert_int_equal(got.refusal, METER_REORDERED);
    }
}

/* The wall clock is asked when a stream begins, and never again while its counts go on. */
static void a_wall_clock_that_is_set_moves_no_time(void **state)
{
    (void)state;
    struct sv_publisher loose = publisher;
    struct samples block = block_of(8);

    loose.synch = SV_SYNCH_LOCAL;
    for (int i = 0; i < 2; i++) {
        const struct sv_publisher *from = i ? &publisher : &loose;
        struct sv_stream stream = {.rate_hz = RATE_HZ, .unix_ahead_ns = ARRIVAL_NS};

        for (uint32_t n = 0; n < 2 * RATE_HZ; n += 8) {
            if (n == RATE_HZ / 2)
                stream.unix_ahead_ns -= NS_PER_S;       /* a leap second */
            if (n == RATE_HZ)
                stream.unix_ahead_ns += 3600 * NS_PER_S;
            struct got got = receive_from(from, &stream, &block, n % RATE_HZ, PERIOD_NS(n + 8));
            assert_int_equal(got.block.flags, i ? SAMPLES_LOCKED : 0);
            assert_in_range(got.block.t0_ns - ARRIVAL_NS - PERIOD_NS(n), 0, 1000);
        }
    }
}

/* One that was heard while another second ran stands where it is; one moved ahead is younger than it was. */
static void a_clock_that_becomes_global_says_so_where_that_moves_it_ahead(void **state)
{
    (void)state;
    static const int64_t way_ns[] = {5 * NS_PER_MS, -5 * NS_PER_MS, 0};
    static const uint32_t flags[] = {SAMPLES_GAP, SAMPLES_GAP | SAMPLES_SET, 0};
    struct sv_publisher loose = publisher;
    struct samples block = block_of(2);

    loose.synch = SV_SYNCH_LOCAL;
    for (size_t i = 0; i < sizeof way_ns / sizeof *way_ns; i++) {
        struct sv_stream stream = {.rate_hz = RATE_HZ};

        receive_from(&loose, &stream, &block, 0, ARRIVAL_NS + PERIOD_NS(2) + way_ns[i]);
        struct got got = receive(&stream, 2, ARRIVAL_NS + PERIOD_NS(4));
        assert_int_equal(got.block.flags, SAMPLES_LOCKED | flags[i]);
        assert_int_equal(got.block.t0_ns, ARRIVAL_NS + PERIOD_NS(2));
        got = receive_from(&loose, &stream, &block, 4, ARRIVAL_NS + PERIOD_NS(6));
        assert_int_equal(got.block.flags, 0);
    }
}

/* Heard behind a standstill: its times are those of then, and no reading looks older for it. */
static void a_stream_that_was_heard_late_at_first_is_not_pulled_back(void **state)
{
    (void)state;
    struct sv_publisher loose = publisher;
    struct samples block = block_of(8);
    struct sv_stream stream = {.rate_hz = RATE_HZ};

    loose.synch = SV_SYNCH_LOCAL;
    for (uint32_t n = 0; n < 3 * RATE_HZ; n += 8) {
        int64_t came_ns = ARRIVAL_NS + PERIOD_NS(n + 8) + (n ? 0 : NS_PER_S);
        struct got got = receive_from(&loose, &stream, &block, n % RATE_HZ, came_ns);

        assert_int_equal(got.block.flags, 0);
        assert_in_range(got.block.t0_ns - ARRIVAL_NS - PERIOD_NS(n), NS_PER_S - 10000, NS_PER_S);
    }
}

static void frames_seen_before_are_refused_until_they_go_on(void **state)
{
    (void)state;
    struct sv_stream stream = {.rate_hz = RATE_HZ};

    receive(&stream, 2000, ARRIVAL_NS);
    assert_int_equal(receive(&stream, 2000, ARRIVAL_NS).refusal, METER_DUPLICATE);
    assert_int_equal(receive(&stream, 1990, ARRIVAL_NS).refusal, METER_REORDERED);
    assert_int_equal(receive(&stream, 2002, ARRIVAL_NS + PERIOD_NS(2)).block.flags, SAMPLES_LOCKED);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(receive(&stream, 100 + 2 * i, ARRIVAL_NS).refusal, METER_REORDERED);
    struct got got = receive(&stream, 106, ARRIVAL_NS);
    assert_int_equal(got.blocks, 1);
    assert_true(got.block.flags & SAMPLES_GAP);
}

static void without_a_global_clock_counts_go_on_from_the_first_arrival(void **state)
{
    (void)state;
    static const uint8_t synch[] = {SV_SYNCH_NONE, SV_SYNCH_LOCAL, 5, 254};
    struct samples block = block_of(2);

    for (size_t s = 0; s < sizeof synch; s++) {
        struct sv_stream stream = {.rate_hz = RATE_HZ};
        struct sv_publisher loose = publisher;

        loose.synch = synch[s];
        struct got got = receive_from(&loose, &stream, &block, 1000, ARRIVAL_NS);
        assert_int_equal(got.block.t0_ns, ARRIVAL_NS - PERIOD_NS(2));
        assert_int_equal(got.block.flags, 0);
        got = receive_from(&loose, &stream, &block, 1002, ARRIVAL_NS + 40 * NS_PER_MS); /* late, not a gap */
        assert_int_equal(got.block.t0_ns, ARRIVAL_NS);
        assert_int_equal(got.block.flags, 0);
        got = receive_from(&loose, &stream, &block, 1004, ARRIVAL_NS + NS_PER_S / 4);
        assert_int_equal(got.block.flags, 0);
        got = receive_from(&loose, &stream, &block, 1006, ARRIVAL_NS);
        assert_int_equal(got.block.flags, 0);
    }
}

/* A clock of its own, 80 ppm beside true time, its frames under way for 1 to 3 ms: a minute later times are
 * still those of the earliest arrivals. */
static void a_clock_of_its_own_is_followed(void **state)
{
    (void)state;
    static const double drift[] = {80e-6, -80e-6};
    struct sv_publisher loose = publisher;
    struct samples block = block_of(8);

    loose.synch = SV_SYNCH_LOCAL;
    for (size_t d = 0; d < 2; d++) {
        struct sv_stream stream = {.rate_hz = RATE_HZ};
        int64_t off_ns = 0;

        for (uint32_t n = 0; n < 60 * RATE_HZ; n += 8) {
            int64_t true_ns = ARRIVAL_NS + (int64_t)((double)PERIOD_NS(n) * (1 + drift[d]));
            int64_t under_way_ns = NS_PER_MS + n * 7919 % 2000 * 1000;
            struct got got = receive_from(&loose, &stream, &block, n % RATE_HZ,
                                          true_ns + PERIOD_NS(8) + under_way_ns);

            assert_int_equal(got.blocks, 1);
            assert_int_equal(got.block.flags, 0);
            off_ns = got.block.t0_ns - true_ns;
        }
        assert_true(off_ns > 0 && off_ns < 4 * NS_PER_MS);
    }
}

/* Heard late at first, or on a way that becomes longer for good: counts go on at their rate, for that is all
 * that is known of the clock. */
static void a_way_that_changes_once_is_no_drift(void **state)
{
    (void)state;
    static const int64_t late_ns[][2] = {{30 * NS_PER_MS, 0}, {300 * NS_PER_MS, 0}, {0, 15 * NS_PER_MS},
                                         {0, NS_PER_S}, {0, 0}};
    struct sv_publisher loose = publisher;
    struct samples block = block_of(8);

    loose.synch = SV_SYNCH_LOCAL;
    for (size_t i = 0; i < sizeof late_ns / sizeof late_ns[0]; i++) {
        struct sv_stream stream = {.rate_hz = RATE_HZ};
        int64_t began_ns = ARRIVAL_NS + late_ns[i][0], t0_ns = 0;

        for (uint32_t n = 0; n < 20 * RATE_HZ; n += 8) {
            struct got got = receive_from(&loose, &stream, &block, n % RATE_HZ,
                                          ARRIVAL_NS + PERIOD_NS(n) + late_ns[i][n > 0]);

            assert_int_equal(got.blocks, 1);
            t0_ns = got.block.t0_ns - PERIOD_NS(n);
        }
        /* but for periods of 1/4800 s in whole ns, 12,000 times */
        assert_in_range(t0_ns - began_ns + PERIOD_NS(8) + 12000, 0, 12001);
    }
}

static void the_rate_is_said(void **state)
{
    (void)state;
    struct sv_stream stream = {.rate_hz = RATE_HZ};
    struct sv_publisher said = publisher;
    struct samples block = block_of(2);

    said.with_rate = true;
    said.rate_hz = 4000;
    struct got got = receive_from(&said, &stream, &block, 2, ARRIVAL_NS);
    assert_int_equal(got.refusal, METER_CONFIG_CHANGED);
    stream = (struct sv_stream){0};
    got = receive_from(&said, &stream, &block, 2, ARRIVAL_NS);
    assert_int_equal(got.blocks, 1);
    assert_int_equal(got.block.period_ps, 250000000);
    assert_int_equal(receive(&stream, 4001, ARRIVAL_NS).refusal, METER_CONFIG_CHANGED);
    assert_int_equal(stream.rate_hz, 4000);
}

static void the_rate_is_learnt_from_two_seconds_that_say_the_same(void **state)
{
    (void)state;
    struct sv_stream stream = {0};

    assert_int_equal(receive(&stream, 4796, ARRIVAL_NS).blocks, 0);
    assert_int_equal(receive(&stream, 4798, ARRIVAL_NS).blocks, 0);
    assert_int_equal(receive(&stream, 0, ARRIVAL_NS).blocks, 0);
    assert_int_equal(receive(&stream, 1498, ARRIVAL_NS).blocks, 0);
    assert_int_equal(receive(&stream, 0, ARRIVAL_NS + NS_PER_S).blocks, 0);  /* what lay between is lost */
    assert_int_equal(stream.rate_hz, 0);
    receive(&stream, 4798, ARRIVAL_NS);
    assert_int_equal(receive(&stream, 0, ARRIVAL_NS).blocks, 0);
    receive(&stream, 4798, ARRIVAL_NS);
    struct got got = receive(&stream, 0, ARRIVAL_NS);
    assert_int_equal(got.blocks, 1);
    assert_int_equal(stream.rate_hz, RATE_HZ);
}

/* The same loss in two seconds one after the other: wrong, but not for good. */
static void a_rate_that_was_learnt_wrong_is_forgotten(void **state)
{
    (void)state;
    struct sv_stream stream = {0};
    struct sv_publisher said = publisher;
    struct samples block = block_of(2);

    for (int i = 0; i < 2; i++) {
        receive(&stream, 1498, ARRIVAL_NS);
        receive(&stream, 0, ARRIVAL_NS);
    }
    assert_int_equal(stream.rate_hz, 1500);
    assert_int_equal(receive(&stream, 1500, ARRIVAL_NS).refusal, METER_CONFIG_CHANGED);
    assert_int_equal(stream.rate_hz, 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(receive(&stream, 4798, ARRIVAL_NS).blocks, 0);
        struct got got = receive(&stream, 0, ARRIVAL_NS);
        assert_int_equal(got.blocks, i);
        assert_true(!i || got.block.flags & SAMPLES_GAP);
    }
    assert_int_equal(stream.rate_hz, RATE_HZ);
    said.with_rate = true;
    said.rate_hz = 4000;
    assert_int_equal(receive_from(&said, &stream, &block, 2, ARRIVAL_NS).block.period_ps, 250000000);
    assert_int_equal(receive(&stream, 4001, ARRIVAL_NS).refusal, METER_CONFIG_CHANGED);
    assert_int_equal(stream.rate_hz, 4000);      /* it was said */
}

/* Example A with smpRate 4800 and no smpMod. */
static void a_rate_without_its_mode_may_be_by_the_second(void **state)
{
    (void)state;
    static const char hex[] =
        "010ccd04000102000000000181008000" "88ba4000007000000000" "6066" "800101" "a261" "305f"
        "800a414944434d5530313031" "82020000" "830400000001" "850102" "860212c0" "8740"
        "000c819f00000000fff6d84000000000fffca621000000000000000000000000"
        "0000991800000000ffffb37400000000ffffb374000000000000000000000000";
    static const struct sv_stream by[] = {{.rate_hz = RATE_HZ}, {.nominal_hz = 60},
                                          {.rate_hz = RATE_HZ, .nominal_hz = 60}};
    uint8_t data[SV_FRAME_MAX];
    uint32_t bytes = hex_read(hex, data), blocks;

    for (size_t i = 0; i < sizeof by / sizeof *by; i++) {
        struct sv_stream stream = by[i];
        struct samples block;

        assert_int_equal(sv_receive(&stream, data, bytes, ARRIVAL_NS, &block, &blocks), METER_ACCEPTED);
        assert_int_equal(blocks, 1);
        assert_int_equal(stream.rate_hz, RATE_HZ);
    }
    uint8_t *rate = memmem(data, bytes, "\x86\x02\x12\xc0", 4);
    struct sv_stream stream = {.nominal_hz = 60};
    struct samples block;

    assert_non_null(rate);
    rate[2] = 0;
    rate[3] = 80;                       /* of a period */
    assert_int_equal(sv_receive(&stream, data, bytes, ARRIVAL_NS, &block, &blocks), METER_ACCEPTED);
    assert_int_equal(stream.rate_hz, RATE_HZ);
}

static void another_meter_or_configuration_is_refused_by_name(void **state)
{
    (void)state;
    struct sv_stream stream = {.rate_hz = RATE_HZ};
    struct sv_publisher other = publisher;
    struct samples block = block_of(1);

    receive(&stream, 1, ARRIVAL_NS);
    other.appid = 0x4001;
    assert_int_equal(receive_from(&other, &stream, &block, 3, ARRIVAL_NS).refusal, METER_OTHER);
    other = publisher;
    other.id = "AIDCMU0102";
    assert_int_equal(receive_from(&other, &stream, &block, 3, ARRIVAL_NS).refusal, METER_OTHER);
    other = publisher;
    other.conf_rev = 2;
    assert_int_equal(receive_from(&other, &stream, &block, 3, ARRIVAL_NS).refusal, METER_CONFIG_CHANGED);
    assert_int_equal(receive(&stream, 3, ARRIVAL_NS + PERIOD_NS(3)).refusal, METER_ACCEPTED);
}

/* The quality of Ia stands behind its value: bytes 62 .. 65 of the frame of example A. */
static void quality_is(uint32_t quality, uint32_t flags, uint32_t invalid, uint32_t clipped)
{
    uint8_t data[SV_FRAME_MAX];
    struct sv_stream stream = {.rate_hz = RATE_HZ};
    struct samples block;
    uint32_t blocks, bytes = hex_read(example_a, data);

    for (int i = 0; i < 4; i++)
        data[66 + i] = (uint8_t)(quality >> (24 - 8 * i));
    assert_int_equal(sv_receive(&stream, data, bytes, ARRIVAL_NS, &block, &blocks), METER_ACCEPTED);
    assert_int_equal(block.flags, SAMPLES_LOCKED | flags);
    assert_int_equal(block.invalid, invalid << SAMPLES_IA);
    assert_int_equal(block.clipped, clipped << SAMPLES_IA);
}

static void quality_becomes_marks(void **state)
{
    (void)state;
    quality_is(0, 0, 0, 0);
    quality_is(1, SAMPLES_INVALID, 1, 0);
    quality_is(3, SAMPLES_INVALID, 1, 0);
    quality_is(SV_FAILURE, SAMPLES_INVALID, 1, 0);
    quality_is(SV_OLD_DATA, SAMPLES_INVALID, 1, 0);
    quality_is(SV_OVERFLOW, SAMPLES_CLIPPED, 0, 1);
    quality_is(SV_OUT_OF_RANGE, SAMPLES_CLIPPED, 0, 1);
    quality_is(SV_TEST, SAMPLES_SIMULATED, 0, 0);
    quality_is(SV_DERIVED | 1 << 9, 0, 0, 0);
}

static void what_does_not_fit_is_not_sent(void **state)
{
    (void)state;
    uint8_t data[SV_FRAME_MAX];
    struct samples block = block_of(9);
    struct sv_publisher wrong = publisher;
    struct sv_frame frame;

    assert_int_equal(sv_encode(&publisher, &block, 0, data, sizeof data), 0);
    block = block_of(8);
    uint32_t bytes = sv_encode(&publisher, &block, 4799, data, sizeof data);
    assert_int_equal(sv_decode(data, bytes, &frame), METER_ACCEPTED);
    assert_true(frame.asdus == 8 && frame.asdu[0].smp_cnt == 4799 && frame.asdu[1].smp_cnt == 0);
    assert_int_equal(sv_encode(&publisher, &block, RATE_HZ, data, sizeof data), 0);
    wrong.id = "";
    assert_int_equal(sv_encode(&wrong, &block, 0, data, sizeof data), 0);
    wrong.id = "12345678901234567890123456789012345";
    assert_int_equal(sv_encode(&wrong, &block, 0, data, sizeof data), 0);
    wrong = publisher;
    wrong.appid = 0x3FFF;
    assert_int_equal(sv_encode(&wrong, &block, 0, data, sizeof data), 0);
    block.value[SAMPLES_IA][0] = (float)NAN;
    block.value[SAMPLES_VB][1] = -1e30F;
    bytes = sv_encode(&publisher, &block, 0, data, sizeof data);
    struct sv_stream stream = {.rate_hz = RATE_HZ};
    struct samples back;
    uint32_t blocks;
    assert_int_equal(sv_receive(&stream, data, bytes, ARRIVAL_NS, &back, &blocks), METER_ACCEPTED);
    assert_true(back.clipped & 1 << SAMPLES_IA && back.clipped & 1 << SAMPLES_VB);
}

static void changed(uint32_t at, uint8_t value, int refusal)
{
    uint8_t data[SV_FRAME_MAX];
    struct sv_frame frame;
    uint32_t bytes = hex_read(example_a, data);

    data[at] = value;
    assert_int_equal(sv_decode(data, bytes, &frame), refusal);
}

static void forms_that_are_not_the_standards_are_refused(void **state)
{
    (void)state;
    uint8_t data[SV_FRAME_MAX + 1] = {0};
    struct sv_frame frame;
    uint32_t bytes = hex_read(example_a, data);

    assert_int_equal(sv_decode(data, SV_FRAME_MAX + 1, &frame), METER_MTU);
    assert_int_equal(sv_decode(data, bytes + 1, &frame), METER_OVERSIZED);
    for (uint32_t cut = 0; cut < bytes; cut++) {
        uint8_t *own = malloc(cut ? cut : 1);
        assert_non_null(own);
        memcpy(own, data, cut);
        assert_int_equal(sv_decode(own, cut, &frame), METER_TRUNCATED);
        free(own);
    }
    changed(0x10, 0x89, METER_MAGIC);
    changed(0x1a, 0x61, METER_MALFORMED);       /* savPdu */
    changed(0x1b, 0x80, METER_MALFORMED);       /* the indefinite form */
    changed(0x1b, 0x83, METER_MALFORMED);
    changed(0x1b, 0x63, METER_MALFORMED);       /* longer than the frame */
    changed(0x1b, 0x61, METER_MALFORMED);       /* a byte behind it */
    changed(0x1c, 0x81, METER_MALFORMED);       /* no count */
    changed(0x1e, 0, METER_SHAPE);
    changed(0x1e, 9, METER_SHAPE);
    changed(0x1e, 2, METER_MALFORMED);          /* one ASDU too few */
    changed(0x1f, 0xa3, METER_MALFORMED);
    changed(0x21, 0x31, METER_MALFORMED);
    changed(0x23, 0x81, METER_MALFORMED);       /* no name */
    changed(0x2f, 0x80, METER_MALFORMED);       /* the name twice */
    changed(0x30, 0x01, METER_MALFORMED);       /* smpCnt of one byte */
    changed(0x39, 0x86, METER_MALFORMED);       /* no smpSynch */
}

static void a_short_frame_may_be_padded(void **state)
{
    (void)state;
    uint8_t data[64] = {0};
    struct sv_frame frame;
    uint32_t bytes = hex_read("010ccd0400010200000000010800" "88ba", data);

    assert_int_equal(sv_decode(data, bytes, &frame), METER_TRUNCATED);
    bytes = hex_read("010ccd040001020000000001" "88ba4000002280000000" "6018800101a2133011" "800141"
                     "82020001" "830101" "850100" "87020000", data);
    assert_int_equal(sv_decode(data, bytes, &frame), METER_ACCEPTED);
    assert_true(frame.simulated && !frame.tagged && frame.asdu[0].data_bytes == 2);
    assert_int_equal(sv_decode(data, 64, &frame), METER_ACCEPTED);
    struct sv_stream stream = {.rate_hz = RATE_HZ};
    struct samples block;
    uint32_t blocks;
    assert_int_equal(sv_receive(&stream, data, bytes, ARRIVAL_NS, &block, &blocks), METER_SHAPE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_worked_examples_read_as_written),
        cmocka_unit_test(the_worked_examples_are_written_byte_for_byte),
        cmocka_unit_test(the_second_is_that_of_the_arrival),
        cmocka_unit_test(a_short_gap_is_filled_and_a_long_one_marked),
        cmocka_unit_test(counts_that_go_on_keep_their_time_however_late),
        cmocka_unit_test(a_silence_with_samples_missing_sets_the_time_and_says_so),
        cmocka_unit_test(a_silence_that_explains_what_is_missing_is_a_loss),
        cmocka_unit_test(a_wall_clock_that_is_set_moves_no_time),
        cmocka_unit_test(a_clock_that_becomes_global_says_so_where_that_moves_it_ahead),
        cmocka_unit_test(a_stream_that_was_heard_late_at_first_is_not_pulled_back),
        cmocka_unit_test(frames_seen_before_are_refused_until_they_go_on),
        cmocka_unit_test(without_a_global_clock_counts_go_on_from_the_first_arrival),
        cmocka_unit_test(a_clock_of_its_own_is_followed),
        cmocka_unit_test(a_way_that_changes_once_is_no_drift),
        cmocka_unit_test(the_rate_is_said),
        cmocka_unit_test(the_rate_is_learnt_from_two_seconds_that_say_the_same),
        cmocka_unit_test(a_rate_that_was_learnt_wrong_is_forgotten),
        cmocka_unit_test(a_rate_without_its_mode_may_be_by_the_second),
        cmocka_unit_test(another_meter_or_configuration_is_refused_by_name),
        cmocka_unit_test(quality_becomes_marks),
        cmocka_unit_test(what_does_not_fit_is_not_sent),
        cmocka_unit_test(forms_that_are_not_the_standards_are_refused),
        cmocka_unit_test(a_short_frame_may_be_padded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
