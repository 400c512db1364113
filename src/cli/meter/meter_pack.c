/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/meter/meter_pack.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/raw.h"

enum { COUNTS = 32000, APPID_FIRST = 0x4000, APPID_LAST = 0x7FFF, TAG_PRIORITY = 4 << 13 };

#define SAMPLING_MIN_HZ 8000    /* of meters that send readings: at least that, inside */

static int refuse(struct meter_pack *pack, const char *why)
{
    snprintf(pack->why, sizeof pack->why, "%s", why);
    return -EINVAL;
}

static int begin_raw(struct meter_pack *pack)
{
    uint32_t channels = pack->ask.neutral ? 8 : 6;

    if (pack->block < 8 || pack->block > SAMPLES_MAX || (pack->block & (pack->block - 1)))
        return refuse(pack, "a raw datagram has 8, 16, 32, 64 or 128 samples");
    if (raw_bytes(channels, pack->block) > DATAGRAM_MAX)
        return refuse(pack, "so many samples do not fit a datagram: fewer in each");
    return 0;
}

static uint32_t take_raw(struct meter_pack *pack, uint32_t meter, const struct meter_block *block,
                         struct meter_packet *out)
{
    struct samples samples;

    meter_pack_samples(pack, meter, block, &samples);
    samples.sequence = pack->sequence[meter]++;
    out->bytes = raw_encode(&samples, (float)(pack->ask.volts_full / COUNTS),
                            (float)(pack->ask.amperes_full / COUNTS), out->data, sizeof out->data);
    return out->bytes > 0;
}

static int begin_sv(struct meter_pack *pack)
{
    if (pack->block < 1 || pack->block > SV_ASDUS_MAX)
        return refuse(pack, "a frame of sampled values has 1 to 8 samples");
    if (pack->ask.first + pack->ask.meters > APPID_LAST - APPID_FIRST + 1)
        return refuse(pack, "the APPID is 0x4000 and the meter's number: that is at most 16383");
    if (fabs(pack->rate_hz - nearbyint(pack->rate_hz)) > 0)
        return refuse(pack, "smpCnt counts whole samples a second");
    return 0;
}

static uint32_t take_sv(struct meter_pack *pack, uint32_t meter, const struct meter_block *block,
                        struct meter_packet *out)
{
    char name[METER_NAME_BYTES];
    uint32_t number = pack->ask.first + meter, rate_hz = (uint32_t)pack->rate_hz;
    struct samples samples;
    struct sv_publisher publisher = {
        .to = {0x01, 0x0C, 0xCD, 0x04, (uint8_t)(number >> 8 & 1), (uint8_t)number},
        .from = {0x02, 0, 0, 0, (uint8_t)(number >> 8), (uint8_t)number},
        .tagged = pack->ask.vlan >= 0, .tag = (uint16_t)(TAG_PRIORITY | (pack->ask.vlan & 0xFFF)),
        .appid = (uint16_t)(APPID_FIRST + number), .id = name, .conf_rev = 1, .rate_hz = rate_hz,
        .synch = pack->ask.synch, .with_rate = true};

    meter_pack_name(pack, meter, name);
    meter_pack_samples(pack, meter, block, &samples);
    out->bytes = sv_encode(&publisher, &samples, (uint32_t)(block->first % rate_hz), out->data,
                           sizeof out->data);
    return out->bytes > 0;
}

static const struct meter_packer packers[] = {
    {"raw", false, 8000, 32, begin_raw, take_raw},
    {"sv", true, 4800, 2, begin_sv, take_sv},
    {"c37118", false, 60, 0, meter_phasors_begin, meter_phasors_take},
    {"upmu", false, 62.5, 0, meter_reading_begin, meter_reading_take},
};

const struct meter_packer *meter_packer_named(const char *name)
{
    for (uint32_t k = 0; k < sizeof packers / sizeof *packers; k++)
        if (!strcmp(packers[k].name, name))
            return &packers[k];
    return NULL;
}

/* Readings need whole samples between them: the fewest that make at least SAMPLING_MIN_HZ. */
static void sample_for_readings(struct meter_pack *pack)
{
    pack->block = (uint32_t)ceil(SAMPLING_MIN_HZ / pack->rate_hz - 1e-9);
    pack->rate_hz *= pack->block;
}

int meter_pack_init(struct meter_pack *pack, const struct meter_packer *by, const struct meter_ask *ask)
{
    *pack = (struct meter_pack){.by = by, .ask = *ask};
    pack->rate_hz = ask->rate_hz > 0 ? ask->rate_hz : by->rate_hz;
    pack->block = ask->block ? ask->block : by->block;
    if (!by->block && ask->block)
        return refuse(pack, "this protocol sends readings, not blocks of samples: --rate says how often");
    if (!by->block)
        sample_for_readings(pack);
    if (pack->rate_hz < MEASURE_RATE_MIN_HZ || pack->rate_hz > MEASURE_RATE_MAX_HZ)
        return refuse(pack, "meters sample at 1 to 16 kHz");
    pack->period_ps = (uint32_t)llround(1e12 / pack->rate_hz);
    pack->sequence = calloc(ask->meters, sizeof *pack->sequence);
    return pack->sequence ? by->begin(pack) : -ENOMEM;
}

void meter_pack_finish(struct meter_pack *pack)
{
    free(pack->sequence);
    free(pack->measure);
    free(pack->out);
    meter_phasors_end(pack);
    free(pack->phasors);
    free(pack->newest);
    *pack = (struct meter_pack){0};
}

uint32_t meter_pack_name(const struct meter_pack *pack, uint32_t meter, char name[METER_NAME_BYTES])
{
    const char *pattern = pack->ask.site ? pack->ask.site[meter].name : pack->ask.name;
    const char *hash = pack->ask.site ? NULL : strchr(pattern, '#');
    int bytes = hash ? snprintf(name, METER_NAME_BYTES, "%.*s%u%s", (int)(hash - pattern), pattern,
                                pack->ask.first + meter, hash + 1)
                     : snprintf(name, METER_NAME_BYTES, "%s", pattern);

    return bytes < METER_NAME_BYTES ? (uint32_t)bytes : METER_NAME_BYTES - 1;
}

void meter_pack_samples(const struct meter_pack *pack, uint32_t meter, const struct meter_block *block,
                        struct samples *samples)
{
    *samples = (struct samples){
        .meter = pack->ask.first + meter, .t0_ns = block->t_ns, .period_ps = pack->period_ps,
        .count = (uint16_t)block->count, .channels = pack->ask.neutral ? 8 : 6,
        .flags = (pack->ask.synch == SV_SYNCH_GLOBAL ? SAMPLES_LOCKED : 0u) |
                 (pack->ask.nominal_hz < 55 ? SAMPLES_NOMINAL_50 : 0u)};
    for (uint32_t k = 0; k < block->count; k++)
        for (uint32_t c = 0; c < samples->channels; c++)
            samples->value[c][k] = (float)block->row[k][c];
}
