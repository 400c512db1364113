/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/lane_packets.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "../tests/unit/wire/c37_frames.h"
#include "../tests/unit/wire/hex.h"
#include "wire/crc.h"
#include "wire/sv.h"

#define TURN 6.283185307179586
enum { NUMBER_FIRST = 1000, APPID_FIRST = 0x4001, AT_ID = 4, AT_SOC = 6, AT_FRACTION = 11,
       DATA_BYTES = 84, PMU_ID = 101 };

static const struct frames_from from = {
    .from = {.mac = {2, 0, 0, 0, 0, 9}, .ipv4 = 0xCB007102, .port = 9000},
    .to = {.mac = {2, 0, 0, 0, 0, 1}, .ipv4 = 0xCB007101, .port = 7001}};

int64_t packets_at_ns(const struct packets_kind *kind, uint32_t number)
{
    return (int64_t)number * kind->samples * NS_PER_S / kind->rate_hz;
}

void packets_samples(const struct packets_kind *kind, uint32_t number, struct samples *samples)
{
    *samples = (struct samples){.flags = SAMPLES_LOCKED, .count = (uint16_t)kind->samples, .channels = 6,
                                .period_ps = (uint32_t)((1000000000000 + kind->rate_hz / 2) / kind->rate_hz),
                                .t0_ns = PACKETS_START_NS + packets_at_ns(kind, number)};
    for (uint32_t i = 0; i < kind->samples; i++) {
        double t_s = (double)((uint64_t)number * kind->samples + i) / kind->rate_hz;
        double beside = sqrt(2) * (1 + 4e-4 * sin(TURN * 171.39 * t_s));

        for (uint32_t c = 0; c < 6; c++) {
            double angle = TURN * (60 * t_s - (double)(c % 3) / 3);

            samples->value[c][i] = (float)(c < 3 ? 277 * beside * cos(angle)
                                                 : 600 * beside * cos(angle - 0.3));
        }
    }
}

static struct port_frame datagram(uint8_t *room, uint32_t bytes)
{
    struct port_frame frame;

    udp_build(&frame, room, &from.from, &from.to, bytes, 0);
    return frame;
}

static struct port_frame make_raw(const struct packets_kind *kind, const struct samples *samples, uint32_t m,
                                  uint32_t number, uint8_t *room)
{
    struct samples own = *samples;

    (void)kind;
    own.meter = NUMBER_FIRST + m;
    own.sequence = number;
    return datagram(room, raw_encode(&own, 0.02F, 0.125F, room + UDP_HEADROOM, PACKETS_ROOM - UDP_HEADROOM));
}

static struct port_frame make_sv(const struct packets_kind *kind, const struct samples *samples, uint32_t m,
                                 uint32_t number, uint8_t *room)
{
    struct sv_publisher publisher = {.to = {1, 0x0C, 0xCD, 4, 0, 1}, .from = {2, 0, 0, 0, 0, 5},
        .tagged = true, .tag = 0x8000, .appid = (uint16_t)(APPID_FIRST + m), .id = "flyballMU",
        .conf_rev = 1, .rate_hz = kind->rate_hz, .synch = SV_SYNCH_GLOBAL};
    uint32_t counter = (uint32_t)((uint64_t)number * kind->samples % kind->rate_hz);

    return (struct port_frame){.data = room,
                               .length = sv_encode(&publisher, samples, counter, room, PACKETS_ROOM)};
}

/* A frame of the one that all are made from, with another ID code and another time. */
static struct port_frame dressed(uint8_t *room, uint32_t bytes, uint32_t m, int64_t t_ns)
{
    uint8_t *frame = room + UDP_HEADROOM;
    uint32_t soc = (uint32_t)(t_ns / NS_PER_S), us = (uint32_t)(t_ns % NS_PER_S / NS_PER_US);

    frame[AT_ID] = (uint8_t)((NUMBER_FIRST + m) >> 8);
    frame[AT_ID + 1] = (uint8_t)(NUMBER_FIRST + m);
    for (uint32_t i = 0; i < 4; i++)
        frame[AT_SOC + i] = (uint8_t)(soc >> (8 * (3 - i)));
    for (uint32_t i = 0; i < 3; i++)
        frame[AT_FRACTION + i] = (uint8_t)(us >> (8 * (2 - i)));
    uint16_t crc = crc_16(frame, bytes - 2);

    frame[bytes - 2] = (uint8_t)(crc >> 8);
    frame[bytes - 1] = (uint8_t)crc;
    return datagram(room, bytes);
}

struct port_frame packets_config(uint32_t m, uint8_t *room)
{
    return dressed(room, hex_read(cfg2_hex, room + UDP_HEADROOM), m, PACKETS_START_NS);
}

static struct port_frame make_c37(const struct packets_kind *kind, const struct samples *samples, uint32_t m,
                                  uint32_t number, uint8_t *room)
{
    (void)samples;
    return dressed(room, hex_read(locked_hex, room + UDP_HEADROOM), m,
                   PACKETS_START_NS + packets_at_ns(kind, number));
}

static struct port_frame make_upmu(const struct packets_kind *kind, const struct samples *samples, uint32_t m,
                                   uint32_t number, uint8_t *room)
{
    struct frames_from own = from;
    char name[NAME_BYTES];

    (void)samples;
    own.sequence = number + 1;
    snprintf(name, sizeof name, "m-%u", m);
    return frames_measurement(room, &own, name, PACKETS_START_NS + packets_at_ns(kind, number));
}

const struct packets_kind packets_kind[PACKETS_KINDS] = {
    {"raw_8", PROTOCOL_RAW, 8000, 8, make_raw}, {"raw_32", PROTOCOL_RAW, 8000, 32, make_raw},
    {"raw_64", PROTOCOL_RAW, 8000, 64, make_raw}, {"sv_2", PROTOCOL_SV, 4800, 2, make_sv},
    {"c37118", PROTOCOL_C37118, 60, 1, make_c37}, {"upmu", PROTOCOL_UPMU, 62, 1, make_upmu},
};

void packets_said(const struct packets_kind *kind, uint32_t m, struct site_meter *said)
{
    static const char *const phasor[SITE_PHASORS] = {"VA", "VB", "VC", "IA", "IB", "IC"};

    *said = (struct site_meter){
        .protocol = (uint8_t)kind->protocol,
        .measure = {.phases = 3, .nominal_hz = 60, .voltage_v = 277, .current_a = 800, .sag = 0.9,
                    .swell = 1.1, .interruption = 0.05, .hysteresis = 0.02, .peak_a = 2000,
                    .slope_w_per_s = 50e6}};
    for (uint32_t c = 0; c < MEASURE_CHANNELS; c++)
        said->measure.gain[c] = 1;
    if (kind->protocol == PROTOCOL_UPMU)
        return;
    said->number = kind->protocol == PROTOCOL_SV ? APPID_FIRST + m : NUMBER_FIRST + m;
    if (kind->protocol == PROTOCOL_SV) {
        strcpy(said->svid, "flyballMU");
        said->rate_hz = kind->rate_hz;
    }
    said->pmu = PMU_ID;
    for (uint32_t i = 0; i < SITE_PHASORS && kind->protocol == PROTOCOL_C37118; i++)
        strcpy(said->phasor[i], phasor[i]);
}
