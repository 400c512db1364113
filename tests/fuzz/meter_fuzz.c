/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream of packets of one meter. The first byte says which protocol (0 raw, 1 sampled values, 2
 * synchrophasors, 3 a measurement, by its place in the table) and whether the rate of sampled values is known
 * (4); each packet stands behind a byte of how and two of length: 1 its checksums and lengths are made true,
 * 6 how far time goes before. What comes out must hold together, and with what came before but where a gap is
 * marked; what is written again must read the same; and what is measured of it must be numbers.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "measured.h"
#include "target.h"
#include "wire/crc.h"
#include "wire/meter.h"

enum { PACKETS_MAX = 64, STEP_BYTES = 3, RAW_MIN = 40, C37_MIN = 16 };

struct watched {
    union meter_stream stream;
    const struct meter_protocol *protocol;
    int64_t arrival_ns;
    bool begun;
    uint64_t next;              /* sequence that continues */
    int64_t next_ns;
    struct meter_message message;
    struct measured measured;
};

static void require(int condition)
{
    if (!condition)
        abort();
}

static void seal_raw(uint8_t *data, uint32_t bytes)
{
    if (bytes < RAW_MIN)
        return;
    memset(data + 36, 0, 4);
    uint32_t crc = crc_32c(0, data, bytes);
    memcpy(data + 36, &crc, sizeof crc);
}

static void seal_c37(uint8_t *data, uint32_t bytes)
{
    if (bytes < C37_MIN || bytes > UINT16_MAX)
        return;
    data[2] = (uint8_t)(bytes >> 8);
    data[3] = (uint8_t)bytes;
    uint16_t crc = crc_16(data, bytes - 2);
    data[bytes - 2] = (uint8_t)(crc >> 8);
    data[bytes - 1] = (uint8_t)crc;
}

/* A gap that is not marked is a fault; the packet's own sequence is what its blocks count. */
static void check_order(struct watched *watched, const struct samples *block, uint64_t units)
{
    int64_t span_ns = (int64_t)block->count * block->period_ps / 1000;

    if (watched->begun && !(block->flags & SAMPLES_GAP)) {
        require(block->sequence == watched->next);
        require(llabs(block->t0_ns - watched->next_ns) <= 2 * (int64_t)block->period_ps / 1000 + 20001);
    }
    watched->begun = true;
    watched->next = block->sequence + units;
    if (__builtin_add_overflow(block->t0_ns, span_ns, &watched->next_ns))
        watched->next_ns = INT64_MAX;
}

static void check_values(const struct samples *block)
{
    require(block->count >= 1 && block->count <= SAMPLES_MAX && block->period_ps > 0);
    require(block->channels == 6 || block->channels == 8);
    require(!(block->clipped >> block->channels) && !(block->invalid >> block->channels));
    require(!block->clipped || (block->flags & SAMPLES_CLIPPED));
    for (uint32_t k = 0; k < block->channels; k++)
        for (uint32_t i = 0; i < block->count; i++)
            require(isfinite(block->value[k][i]));
}

/* The most negative count alone, which no sender of ours makes, comes back one count smaller. */
static void check_raw_again(const uint8_t *data, uint32_t bytes)
{
    uint8_t again[DATAGRAM_MAX];
    struct samples block, back;
    float v_lsb, i_lsb;

    if (raw_decode(data, bytes, &block))
        return;
    memcpy(&v_lsb, data + 28, sizeof v_lsb);
    memcpy(&i_lsb, data + 32, sizeof i_lsb);
    require(raw_encode(&block, v_lsb, i_lsb, again, sizeof again) == bytes);
    require(!raw_decode(again, bytes, &back));
    require(back.t0_ns == block.t0_ns && back.sequence == block.sequence && back.clipped == block.clipped);
    for (uint32_t k = 0; k < block.channels; k++)
        for (uint32_t i = 0; i < block.count; i++) {
            float lsb = k < SAMPLES_IA || k == SAMPLES_VN ? v_lsb : i_lsb;
            float value = block.value[k][i], again_value = back.value[k][i];
            require(value == again_value || (value < -32767.5F * lsb && again_value == -32767 * lsb));
        }
}

static void check_sv_again(const uint8_t *data, uint32_t bytes)
{
    struct sv_frame frame;

    if (sv_decode(data, bytes, &frame))
        return;
    require(frame.asdus >= 1 && frame.asdus <= SV_ASDUS_MAX);
    for (uint32_t i = 0; i < frame.asdus; i++) {
        const struct sv_asdu *asdu = &frame.asdu[i];

        require(asdu->id >= data && asdu->id + asdu->id_bytes <= data + bytes);
        require(asdu->data >= data && asdu->data + asdu->data_bytes <= data + bytes);
        require(!asdu->set || asdu->set + asdu->set_bytes <= data + bytes);
    }
}

static void check_sv_written(const struct samples *block)
{
    uint8_t data[SV_FRAME_MAX];
    struct samples few = *block;
    struct sv_frame frame;
    const struct sv_publisher publisher = {
        .tagged = block->sequence & 1, .appid = 0x4000, .id = "fuzz", .rate_hz = 4000, .synch = 2,
        .with_rate = block->sequence & 2, .simulated = block->sequence & 4,
    };

    few.count = few.count > SV_ASDUS_MAX ? SV_ASDUS_MAX : few.count;
    uint32_t bytes = sv_encode(&publisher, &few, 3999, data, sizeof data);
    require(bytes > 0 && !sv_decode(data, bytes, &frame) && frame.asdus == few.count);
    require(frame.asdu[0].smp_cnt == 3999 && (few.count < 2 || frame.asdu[1].smp_cnt == 0));
    require(!sv_encode(&publisher, &few, 4000, data, sizeof data));
    require(!sv_encode(&publisher, &few, 0, data, bytes - 1));
}

static uint32_t none_of(double value)
{
    return !isfinite(value);
}

static void check_phasors(const struct phasors *phasors)
{
    require(phasors->pmus >= 1 && phasors->pmus <= PHASORS_PMUS_MAX);
    for (uint32_t i = 0; i < phasors->pmus; i++) {
        const struct phasors_pmu *pmu = &phasors->pmu[i];
        uint32_t none = none_of(pmu->frequency_hz) + none_of(pmu->rocof_hz_per_s);

        require(pmu->phasors <= PHASORS_MAX && pmu->analogs <= PHASORS_ANALOGS_MAX);
        require(pmu->digitals <= PHASORS_DIGITALS_MAX);
        for (uint32_t k = 0; k < pmu->phasors; k++) {
            require(none_of(pmu->phasor[k].first) == none_of(pmu->phasor[k].second));
            none += none_of(pmu->phasor[k].first);
        }
        for (uint32_t k = 0; k < pmu->analogs; k++)
            none += none_of(pmu->analog[k]);
        require(none == pmu->missing);
    }
}

/* Every name lies in its frame; there is none behind the last one. */
static void check_names(const uint8_t *data, uint32_t bytes)
{
    static struct c37_config config;
    uint16_t command;

    if (!c37_command_decode(data, bytes, &command))
        return;
    if (c37_config_decode(data, bytes, &config))
        return;
    require(config.data_bytes >= C37_MIN && config.data_bytes <= DATAGRAM_MAX);
    for (uint32_t i = 0; i < config.pmus; i++) {
        uint32_t names = config.pmu[i].phasors + config.pmu[i].analogs + config.pmu[i].digitals * 16u;

        for (uint32_t k = 0; k <= names; k++) {
            struct c37_text name = c37_name(data, &config, i, k);
            require(name.at >= data && name.at + name.bytes <= data + bytes);
        }
        require(c37_name(data, &config, i, names + 1).bytes == 0);
    }
    require(c37_name(data, &config, config.pmus, 0).bytes == 0);
}

static void check_message(struct watched *watched)
{
    const struct meter_message *message = &watched->message;
    bool raw = watched->protocol == &meter_protocols[0];

    if (message->kind == METER_PHASORS)
        check_phasors(&message->phasors);
    if (message->kind != METER_SAMPLES)
        return;
    require(message->blocks >= 1 && message->blocks <= METER_BLOCKS_MAX);
    for (uint32_t i = 0; i < message->blocks; i++) {
        check_values(&message->samples[i]);
        check_order(watched, &message->samples[i], raw ? 1 : message->samples[i].count);
        check_sv_written(&message->samples[i]);
        measured_block(&watched->measured, &message->samples[i]);
    }
}

static void step(struct watched *watched, uint8_t how, const uint8_t *data, uint32_t bytes)
{
    static const int64_t ahead_ns[4] = {4 * NS_PER_MS, 250000, NS_PER_S, -NS_PER_S};
    uint8_t *own = malloc(bytes ? bytes : 1);

    require(own != NULL);
    memcpy(own, data, bytes);
    if (how & 1 && watched->protocol == &meter_protocols[0])
        seal_raw(own, bytes);
    if (how & 1 && watched->protocol == &meter_protocols[2])
        seal_c37(own, bytes);
    watched->arrival_ns += ahead_ns[how >> 1 & 3];
    int refusal = watched->protocol->decode(&watched->stream, own, bytes, watched->arrival_ns,
        &watched->message);
    require(refusal >= METER_ACCEPTED && refusal < METER_REFUSAL_COUNT);
    require(meter_refusal_name(refusal) && meter_refusal_meaning(refusal));
    if (!refusal)
        check_message(watched);
    else
        require(watched->message.kind == METER_NOTHING);
    require(refusal || watched->protocol == &meter_protocols[3] ||
            meter_protocol_of(own, bytes, watched->protocol->ethernet) == watched->protocol);
    check_raw_again(own, bytes);
    check_sv_again(own, bytes);
    check_names(own, bytes);
    free(own);
}

static void finish(struct watched *watched)
{
    if (watched->protocol != &meter_protocols[0] ||
        !raw_flush(&watched->stream.raw, &watched->message.samples[0]))
        return;
    require(watched->message.samples[0].flags & SAMPLES_GAP);
    require(!raw_flush(&watched->stream.raw, &watched->message.samples[0]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static struct watched watched;

    if (!bytes)
        return 0;
    memset(&watched, 0, sizeof watched);
    watched.protocol = &meter_protocols[(data[0] & 3) % meter_protocol_count];
    require(meter_protocol_named(watched.protocol->name) == watched.protocol);
    require(!meter_protocol_named("none"));
    watched.arrival_ns = INT64_C(1751538645) * NS_PER_S;
    if (watched.protocol == &meter_protocols[1])
        watched.stream.sv = (struct sv_stream){.rate_hz = data[0] & 4 ? 4000 : 0, .nominal_hz = 50};
    data++;
    bytes--;
    for (int i = 0; bytes >= STEP_BYTES && i < PACKETS_MAX; i++) {
        size_t length = data[1] | (size_t)data[2] << 8;
        uint8_t how = data[0];

        data += STEP_BYTES;
        bytes -= STEP_BYTES;
        length = length < bytes ? length : bytes;
        step(&watched, how, data, (uint32_t)length);
        data += length;
        bytes -= length;
    }
    finish(&watched);
    return 0;
}
