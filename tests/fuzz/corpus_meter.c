/* SPDX-License-Identifier: Apache-2.0 */
/* Seeds of meter_fuzz.c and comtrade_fuzz.c. */
#include <stdio.h>
#include <string.h>

#include "corpus_meter.h"
#include "wire/crc.h"
#include "wire/meter.h"

enum { STREAM = 6, RAW_STREAMS = 5, SV_STREAMS = 6, SEALED = 1, C37_CONFIG_ROOM = 2048 };

#define T0_NS INT64_C(1751538645000000000)

static struct samples block_of(uint64_t sequence, uint8_t channels, uint16_t count)
{
    struct samples block = {.meter = 7, .flags = SAMPLES_LOCKED, .sequence = sequence, .period_ps = 250000000,
                            .t0_ns = T0_NS + (int64_t)sequence * count * 250000, .count = count,
                            .channels = channels};
    for (uint32_t k = 0; k < channels; k++)
        for (uint32_t i = 0; i < count; i++)
            block.value[k][i] = (float)(i * 16 + k * 100) - 200;
    return block;
}

/* A packet of `bytes` stands at out + 3: its head before it. */
static uint32_t put_step(uint8_t how, uint32_t bytes, uint8_t *out)
{
    out[0] = how;
    out[1] = (uint8_t)bytes;
    out[2] = (uint8_t)(bytes >> 8);
    return 3 + bytes;
}

/* In order, early by one, lost, repeated, begun anew. */
static uint32_t raw_seed(uint32_t index, uint8_t *out)
{
    static const uint32_t sequence[RAW_STREAMS][STREAM] = {
        {1, 2, 3, 4, 5, 6}, {1, 3, 2, 4, 6, 7}, {1, 5, 6, 8, 8, 7}, {4294967295u, 0, 1, 3, 9, 8},
        {1000, 1, 2, 3, 4, 5},
    };
    uint32_t bytes = 1;

    out[0] = 0;
    for (uint32_t i = 0; i < STREAM; i++) {
        struct samples block = block_of(sequence[index][i], index & 1 ? 8 : 6, 8);
        if (index == 3)
            block.value[1][3] = 1e6F;
        bytes += put_step(SEALED, raw_encode(&block, 0.0625F, 0.125F, out + bytes + 3, SEED_ROOM - bytes - 3),
            out + bytes);
    }
    return bytes;
}

/* Rate known, learnt and said; one sample a frame and eight; gaps short and long; without a clock. */
static uint32_t sv_seed(uint32_t index, uint8_t *out)
{
    static const uint16_t count[SV_STREAMS][STREAM] = {
        {3998, 0, 2, 4, 6, 8}, {3998, 0, 3998, 0, 2, 4}, {10, 12, 15, 40, 40, 30},
        {2000, 100, 102, 104, 106, 108}, {5, 7, 9, 11, 13, 15}, {1, 3, 4000, 5, 7, 9},
    };
    struct sv_publisher publisher = {.tagged = index & 1, .tag = 0x8000, .appid = 0x4000, .id = "AIDCMU0101",
                                     .conf_rev = 1, .rate_hz = index == 5 ? 4800 : 4000, .synch = 2};
    uint32_t bytes = 1;

    out[0] = (uint8_t)(index == 1 || index == 4 ? 1 : 5);
    publisher.with_rate = index == 4;
    publisher.simulated = index == 3;
    for (uint32_t i = 0; i < STREAM; i++) {
        struct samples block = block_of(i, index & 2 ? 8 : 6, 2);
        publisher.synch = index == 2 && i > 3 ? 0 : 2;
        publisher.conf_rev = index == 0 && i == 5 ? 2 : 1;
        bytes +=
            put_step(2, sv_encode(&publisher, &block, count[index][i], out + bytes + 3,
                                  SEED_ROOM - bytes - 3), out + bytes);
    }
    return bytes;
}

static uint8_t *put16(uint8_t *at, uint32_t value)
{
    *at++ = (uint8_t)(value >> 8);
    *at++ = (uint8_t)value;
    return at;
}

static uint8_t *put_zeros(uint8_t *at, uint32_t bytes)
{
    memset(at, 0, bytes);
    return at + bytes;
}

static uint32_t c37_end(uint8_t *data, uint8_t *at)
{
    uint32_t bytes = (uint32_t)(at - data) + 2;

    put16(data + 2, bytes);
    put16(at, crc_16(data, bytes - 2));
    return bytes;
}

static uint8_t *c37_head(uint8_t *at, uint32_t type)
{
    *at++ = 0xAA;
    *at++ = (uint8_t)(type << 4 | 2);
    at = put16(at + 2, 101);
    at = put16(put16(at, 0x6865), 0x6866);
    return put_zeros(at, 4);
}

enum { PHASES_SENT = 3, ANALOGS_SENT = 2, C37_ORDERS = 4 };

static uint8_t *c37_pmu(uint8_t *at, bool third, uint32_t format)
{
    const uint32_t names = PHASES_SENT + ANALOGS_SENT + 16;

    at = third ? put_zeros(at, 1) : put_zeros(at, 16);
    at = put16(at, 101);
    at = put16(put_zeros(at, third ? 16 : 0), format);
    at = put16(put16(put16(at, PHASES_SENT), ANALOGS_SENT), 1);
    for (uint32_t i = 0; i < names; i++) {
        *at = 2;
        memcpy(at + third, "VA              ", 16);
        at += third ? 3 : 16;
    }
    for (uint32_t i = 0; i < PHASES_SENT; i++)
        at = third ? put_zeros(put16(put16(put16(put16(at, 0), 0x0400), 0x3f80), 0), 4)
                   : put16(put16(at, 0x000d), 0xf847);
    for (uint32_t i = 0; i < ANALOGS_SENT; i++)
        at = third ? put_zeros(put16(put16(at, 0x3f80), 0), 4) : put_zeros(at, 4);
    at = put_zeros(at, 4);
    if (third) {
        at = put_zeros(at, 12);
        *at++ = 'M';
        at = put_zeros(at, 8);
    }
    return put16(put16(at, 1), 9);
}

static uint32_t c37_config(uint8_t *data, uint32_t type, uint32_t format, uint32_t pmus)
{
    uint8_t *at = c37_head(data, type);

    at = type == C37_CFG3 ? put16(at, 0) : at;
    at = put16(put16(put16(at, 0x000F), 0x4240), pmus);
    for (uint32_t i = 0; i < pmus; i++)
        at = c37_pmu(at, type == C37_CFG3, format);
    return c37_end(data, put16(at, 50));
}

static uint32_t c37_data(uint8_t *data, uint32_t stat, uint32_t format, uint32_t pmus)
{
    uint8_t *at = c37_head(data, C37_DATA);

    for (uint32_t i = 0; i < pmus; i++) {
        at = put16(at, stat);
        at = put_zeros(at, PHASES_SENT * (format & C37_PHASORS_FLOAT ? 8u : 4u));
        at = put_zeros(at, format & C37_FREQUENCY_FLOAT ? 8 : 4);
        at = put16(put_zeros(at, ANALOGS_SENT * (format & C37_ANALOGS_FLOAT ? 4u : 2u)), 0x8000);
    }
    return c37_end(data, at);
}

/* Data before and behind their configuration, of every format, in both kinds of it; an announced change. */
static uint32_t c37_seed(uint32_t index, uint8_t *out)
{
    uint32_t format = index & 15, pmus = 1 + (index & 1), bytes = 1, type = index & 16 ? C37_CFG3 : C37_CFG2;

    out[0] = 2;
    bytes += put_step(SEALED, c37_data(out + bytes + 3, 0, format, pmus), out + bytes);
    bytes += put_step(SEALED, c37_config(out + bytes + 3, type, format, pmus), out + bytes);
    for (uint32_t i = 0; i < 4; i++)
        bytes += put_step(SEALED, c37_data(out + bytes + 3, i == 1 ? 0x0400 : 0, format, pmus), out + bytes);
    bytes += put_step(SEALED, c37_end(out + bytes + 3, put16(c37_head(out + bytes + 3, C37_COMMAND), 2)),
        out + bytes);
    return bytes;
}

/* CFGCNT of the last PMU counts one more. */
static uint32_t c37_changed(uint8_t *data, uint32_t bytes)
{
    data[bytes - 5]++;
    return c37_end(data, data + bytes - 2);
}

/* A change that is announced, a configuration that comes meanwhile, and data behind it: of another layout,
 * the same one again, one that counts one more, one of the other kind, likewise; data that are neither's; one
 * of either kind that ends before what it announces. */
static uint32_t c37_change_seed(uint32_t index, uint8_t *out)
{
    const uint32_t before = 0, behind = index == 0 || index == 5 ? C37_PHASORS_FLOAT : before;
    const uint32_t last = index == 5 ? C37_FREQUENCY_FLOAT : behind;
    const uint32_t kind = index == 3 || index == 4 || index == 7 ? C37_CFG3 : C37_CFG2;
    uint32_t bytes = 1;

    out[0] = 2;
    bytes += put_step(SEALED, c37_config(out + bytes + 3, C37_CFG2, before, 1), out + bytes);
    bytes += put_step(SEALED, c37_data(out + bytes + 3, 0x0400, before, 1), out + bytes);
    uint32_t length = c37_config(out + bytes + 3, kind, behind, 1);
    if (index == 2 || index == 4)
        length = c37_changed(out + bytes + 3, length);
    if (index >= 6)
        length = c37_end(out + bytes + 3, out + bytes + 3 + length / 2);
    bytes += put_step(SEALED, length, out + bytes);
    bytes += put_step(SEALED, c37_data(out + bytes + 3, 0x0400, before, 1), out + bytes);
    for (uint32_t i = 0; i < 2; i++)
        bytes += put_step(SEALED, c37_data(out + bytes + 3, 0, last, 1), out + bytes);
    return bytes;
}

/* Frame `number` of a configuration in several, with bytes `from` to `to` of its body. */
static uint32_t c37_part(uint8_t *data, uint32_t number, const uint8_t *body, uint32_t from, uint32_t to)
{
    uint8_t *at = put16(c37_head(data, C37_CFG3), number);

    memcpy(at, body + from, to - from);
    return c37_end(data, at + (to - from));
}

/* CFG-3 in three frames and data behind it; with one of them missing, twice, or in another's place. */
static uint32_t c37_parts_seed(uint32_t index, uint8_t *out)
{
    static const uint32_t order[C37_ORDERS][4] = {
        {1, 2, 0xFFFF, 0}, {1, 0xFFFF, 0, 0}, {1, 2, 2, 0xFFFF}, {2, 1, 0xFFFF, 0},
    };
    enum { HEAD = 16, CHECK = 2 };
    uint8_t whole[1024];
    uint32_t body = c37_config(whole, C37_CFG3, 0, 1) - HEAD - CHECK, bytes = 1;

    out[0] = 2;
    for (uint32_t i = 0; i < 4 && order[index][i]; i++) {
        uint32_t number = order[index][i], from = number == 1 ? 0 : number == 2 ? body / 3 : body / 3 * 2;
        uint32_t to = number == 1 ? body / 3 : number == 2 ? body / 3 * 2 : body;

        bytes += put_step(SEALED, c37_part(out + bytes + 3, number, whole + HEAD, from, to), out + bytes);
        bytes += put_step(SEALED, c37_data(out + bytes + 3, 0, 0, 1), out + bytes);
    }
    return bytes;
}

enum { C37_STREAMS = 32, C37_CHANGES = 8 };

static uint32_t upmu_seed(uint8_t *out)
{
    static const uint8_t body[] = {0x08, 0x05, 0x12, 0x01, 'm'};

    out[0] = 3;
    memcpy(out + 4, body, sizeof body);
    return 1 + put_step(0, sizeof body, out + 1);
}

uint32_t corpus_meter_seed(uint32_t index, uint8_t *out)
{
    if (index < RAW_STREAMS)
        return raw_seed(index, out);
    index -= RAW_STREAMS;
    if (index < SV_STREAMS)
        return sv_seed(index, out);
    index -= SV_STREAMS;
    if (index < C37_STREAMS)
        return c37_seed(index, out);
    index -= C37_STREAMS;
    if (index < C37_CHANGES)
        return c37_change_seed(index, out);
    index -= C37_CHANGES;
    if (index < C37_ORDERS)
        return c37_parts_seed(index, out);
    return index == C37_ORDERS ? upmu_seed(out) : 0;
}

#define CHANNELS "1,VA,A,PDU,kV,0.02,0,0,-32767,32767,800,1,S\r\n1,SAG,,PDU,0\r\n"
#define TIMES "03/07/2025,10:30:45.123456\r\n03/07/25,10:30:45.123706789\r\n"

static const struct {
    const char *cfg, *dat;
    uint32_t dat_bytes;
} recordings[] = {
    {"A,P,2013\r\n2,1A,1D\r\n" CHANNELS "60\r\n2\r\n8000,2\r\n50,4\r\n" TIMES
     "ASCII\r\n1\r\n-5h30,0\r\nB,3\r\n",
     "1,0,19596,0\r\n2,125,,0\r\n3,250,99999,1\r\n4,90000,-1.5e3,1\r\n\x1a", 0},
    {"A,P,1999\r\n2,1A,1D\r\n" CHANNELS "60\r\n1\r\n8000,4\r\n" TIMES "BINARY\r\n1\r\n",
     "\1\0\0\0\0\0\0\0\x8c\x4c\0\0\2\0\0\0\x7d\0\0\0\0\x80\1\0\4\0\0\0\xff\xff\xff\xff\1\0\1\0", 36},
    {"A,P,2013\r\n2,1A,1D\r\n" CHANNELS "50\r\n0\r\n0,4\r\n" TIMES "BINARY32\r\n",
     "\1\0\0\0\xf0\xff\xff\xff\x8c\x4c\0\0\1\0\2\0\0\0\x10\0\0\0\0\0\0\x80\0\0\3\0\0\0\x01\0\0\0\1\0\0\0\1\0",
     42},
    {"A,P,2013\n2,1A,1D\n" CHANNELS "50\n1\n1000,4\n" TIMES "FLOAT32\n2\nx,+1\n0,0\n",
     "\1\0\0\0\0\0\0\0\0\0\xc0\x3f\1\0\2\0\0\0\xe8\3\0\0\0\0\xc0\x7f\0\0", 28},
    {"A\xb6\xd4,\xd0\x90\n2,1A,1D\n1,Ua\xb6\xd4,A,,V,1.5e-3,0,,-1000000,1000000\n2,t\xe2\x84\xa6\\,1\n50\n3\n"
     "1200,2\n1200,4\n1e3,5\n09/17/15,10:52:52.98\n09/17/99,10:52:53\nASCII\n",
     "1,-77500,-000001,0\n2,-76666,+000025,0\n3,3444166,99999,1\n5,,1,0\n", 0},
    {"A,P,2001\n1,1A,0D\n1,V,,,MV,12345678901234567890.5,-0.00000000000000012345678901,1,,,,,\n\n1\n1000,"
     "3\n\n,\n"
     "ascii\n\n\n\n",
     "1,,1\n2,,2\n3,,3\n", 0},
};

uint32_t corpus_comtrade_seed(uint32_t index, uint8_t *out)
{
    const uint32_t count = sizeof recordings / sizeof *recordings;
    uint32_t which = index % count, bytes;

    if (index >= 2 * count)
        return 0;
    uint32_t cfg = (uint32_t)strlen(recordings[which].cfg);
    uint32_t dat = recordings[which].dat_bytes;
    bool text = !dat;
    dat = text ? (uint32_t)strlen(recordings[which].dat) : dat;
    if (index < count) {
        out[0] = (uint8_t)cfg;
        out[1] = (uint8_t)(cfg >> 8);
        memcpy(out + 2, recordings[which].cfg, cfg);
        bytes = 2 + cfg;
    } else if (text) {
        bytes = (uint32_t)sprintf((char *)out, "--- file type: HDR ---\nhello\n\n--- file type: CFG ---\n%s"
            "--- file type: INF ---\n--- file type: DAT ASCII ---\n", recordings[which].cfg);
    } else {
        bytes = (uint32_t)sprintf((char *)out, "--- file type: CFG ---\r\n%s\r\n--- file type: DAT BINARY: %u"
            " ---\r\n", recordings[which].cfg, dat);
    }
    memcpy(out + bytes, recordings[which].dat, dat);
    return bytes + dat;
}
