/* SPDX-License-Identifier: Apache-2.0 */
/* Every row of the table of meter protocols: it knows its own packets and no other's, and says what they
 * are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wire/crc.h"
#include "wire/meter.h"
#include "wire/upmu.h"

#define ARRIVAL_NS INT64_C(1751538645000000000)

struct packet {
    uint8_t data[SV_FRAME_MAX];
    uint32_t bytes;
};

static struct samples block_of(void)
{
    struct samples block = {
        .meter = 7, .sequence = 1, .period_ps = 125000000, .t0_ns = ARRIVAL_NS, .count = 8, .channels = 8};
    block.value[SAMPLES_VA][3] = 250;
    return block;
}

static struct packet raw_packet(void)
{
    struct packet packet;
    struct samples block = block_of();

    packet.bytes = raw_encode(&block, 0.0625F, 0.125F, packet.data, sizeof packet.data);
    return packet;
}

static struct packet sv_packet(void)
{
    struct packet packet;
    struct samples block = block_of();
    const struct sv_publisher publisher = {.tagged = true, .tag = 0x8000, .appid = 0x4000, .id = "m",
                                           .rate_hz = 8000, .synch = 2, .with_rate = true};

    packet.bytes = sv_encode(&publisher, &block, 0, packet.data, sizeof packet.data);
    return packet;
}

/* A header frame: good, and nothing to pass on. */
static struct packet c37_packet(void)
{
    struct packet packet = {.data = {0xAA, 0x12, 0, 18, 0, 7, 0, 0, 0, 1, 0, 0, 0, 0, 'h', 'i'}, .bytes = 18};
    uint16_t crc = crc_16(packet.data, 16);

    packet.data[16] = (uint8_t)(crc >> 8);
    packet.data[17] = (uint8_t)crc;
    return packet;
}

static struct packet upmu_packet(void)
{
    struct packet packet;
    struct upmu upmu = {.timestamp_ns = ARRIVAL_NS, .device_id = "PDU-A01-001", .device_id_bytes = 11,
                        .phase_count = 3, .frequency_hz = 60, .harmonic_count = 50};

    for (uint32_t i = 0; i < upmu.harmonic_count; i++)
        upmu.harmonic_pct[i] = 100.0 / (i + 1);
    packet.bytes = upmu_encode(&upmu, packet.data, sizeof packet.data);
    return packet;
}

static const struct {
    const char *name;
    bool ethernet;
    struct packet (*packet)(void);
    enum meter_kind kind;
} rows[] = {
    {"raw", false, raw_packet, METER_SAMPLES},
    {"sv", true, sv_packet, METER_SAMPLES},
    {"c37118", false, c37_packet, METER_NOTHING},
    {"upmu", false, upmu_packet, METER_MEASUREMENT},
};

static void every_protocol_knows_its_own_packets_alone(void **state)
{
    (void)state;
    assert_int_equal(meter_protocol_count, sizeof rows / sizeof *rows);
    for (uint32_t i = 0; i < meter_protocol_count; i++) {
        const struct meter_protocol *protocol = meter_protocol_named(rows[i].name);

        assert_ptr_equal(protocol, &meter_protocols[i]);
        assert_int_equal(protocol->ethernet, rows[i].ethernet);
        for (uint32_t k = 0; k < meter_protocol_count; k++) {
            struct packet packet = rows[k].packet();

            assert_true(packet.bytes > 0);
            assert_int_equal(protocol->match(packet.data, packet.bytes), i == k);
            assert_ptr_equal(meter_protocol_of(packet.data, packet.bytes, rows[k].ethernet),
                             &meter_protocols[k]);
            assert_null(meter_protocol_of(packet.data, packet.bytes, !rows[k].ethernet));
        }
    }
    assert_null(meter_protocol_named("ra"));
    assert_null(meter_protocol_named("raws"));
    assert_null(meter_protocol_named(""));
}

static void every_protocol_says_what_a_packet_is(void **state)
{
    (void)state;
    static union meter_stream stream;
    static struct meter_message message;

    for (uint32_t i = 0; i < meter_protocol_count; i++) {
        struct packet packet = rows[i].packet();

        memset(&stream, 0, sizeof stream);
        assert_int_equal(meter_protocols[i].decode(&stream, packet.data, packet.bytes, ARRIVAL_NS, &message),
            METER_ACCEPTED);
        assert_int_equal(message.kind, rows[i].kind);
        assert_int_equal(message.blocks, rows[i].kind == METER_SAMPLES);
        if (rows[i].kind == METER_SAMPLES)
            assert_true(message.samples[0].value[SAMPLES_VA][3] == 250 &&
                        message.samples[0].t0_ns == ARRIVAL_NS);
        if (rows[i].kind == METER_MEASUREMENT)
            assert_int_equal(message.upmu.harmonic_count, 50);
    }
}

static int64_t stamp_of(const struct meter_message *message)
{
    if (message->kind == METER_SAMPLES)
        return message->samples[0].t0_ns;
    return message->kind == METER_PHASORS ? message->phasors.t_ns : message->upmu.timestamp_ns;
}

/* What says the whole time itself is as late as it comes, whatever comes before it. */
static void only_sampled_values_are_timed_by_their_arrival(void **state)
{
    (void)state;
    static const int64_t late_ns[] = {NS_PER_S / 3, NS_PER_S, 1001 * NS_PER_MS, 2 * NS_PER_S,
                                      -3600 * NS_PER_S};
    static union meter_stream stream;
    static struct meter_message message;

    for (uint32_t i = 0; i < meter_protocol_count; i++) {
        bool by_arrival = false;
        for (size_t k = 0; k < sizeof late_ns / sizeof *late_ns; k++) {
            struct packet packet = rows[i].packet();
            memset(&stream, 0, sizeof stream);
            meter_protocols[i].decode(&stream, packet.data, packet.bytes, ARRIVAL_NS, &message);
            int64_t stamp_ns = stamp_of(&message);
            packet = rows[i].packet();
            memset(&stream, 0, sizeof stream);
            meter_protocols[i].decode(&stream, packet.data, packet.bytes, ARRIVAL_NS + late_ns[k], &message);
            by_arrival |= stamp_of(&message) != stamp_ns;
        }
        assert_int_equal(by_arrival, meter_protocols[i].ethernet);
    }
}

static void no_protocol_takes_a_packet_cut_short(void **state)
{
    (void)state;
    static union meter_stream stream;
    static struct meter_message message;

    for (uint32_t i = 0; i < meter_protocol_count; i++) {
        struct packet packet = rows[i].packet();
        uint32_t bytes = packet.bytes - 1;
        uint8_t *own = malloc(bytes);

        assert_non_null(own);
        memcpy(own, packet.data, bytes);
        memset(&stream, 0, sizeof stream);
        assert_int_not_equal(meter_protocols[i].decode(&stream, own, bytes, ARRIVAL_NS, &message),
                             METER_ACCEPTED);
        assert_int_equal(message.kind, METER_NOTHING);
        free(own);
    }
}

static void every_refusal_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (int i = 0; i < METER_REFUSAL_COUNT; i++) {
        assert_true(strlen(meter_refusal_name(i)) > 0 && strlen(meter_refusal_meaning(i)) > 0);
        for (int k = 0; k < i; k++)
            assert_string_not_equal(meter_refusal_name(i), meter_refusal_name(k));
    }
    assert_string_equal(meter_refusal_name(METER_REFUSAL_COUNT), "unknown");
    assert_string_equal(meter_refusal_name(-1), "unknown");
    assert_string_equal(meter_refusal_meaning(METER_REFUSAL_COUNT), "not a reason this build knows");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_protocol_knows_its_own_packets_alone),
        cmocka_unit_test(every_protocol_says_what_a_packet_is),
        cmocka_unit_test(only_sampled_values_are_timed_by_their_arrival),
        cmocka_unit_test(no_protocol_takes_a_packet_cut_short),
        cmocka_unit_test(every_refusal_has_a_name_of_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
