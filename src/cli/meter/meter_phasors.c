/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Meters that send synchrophasors: two cycles under a triangle, as the P class of IEEE C37.118.1 (annex C)
 * has it, around each time of the whole rate. Beside the nominal frequency the magnitude is that of the
 * triangle's response taken back; the image at the sum of both frequencies stays, 0.01 % at 1 Hz.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/meter/meter_pack.h"

enum { CHANNELS = SAMPLES_IC + 1, TIME_BASE = 1000000, VERSION_2011 = 2, CYCLES_KEPT = 4 };
enum { CURRENT_UNIT = 1 << 24 };

/* What is said of the clock, by enum sv_synch: nothing is known of it; good to 1 ms; locked to UTC. */
static const uint8_t time_quality[] = {15, 7, 0};
static const uint16_t clock_stat[] = {
    PHASORS_UNSYNCED | 7 << PHASORS_QUALITY_SHIFT, PHASORS_UNSYNCED | 5 << PHASORS_QUALITY_SHIFT,
    1 << PHASORS_QUALITY_SHIFT};

static const double pi = 3.14159265358979323846;

struct turning {
    double x, y;
};

/* The newest rows, a ring. */
struct meter_phasors {
    double (*row)[CHANNELS];
    uint64_t newest;            /* number of the sample behind the newest one */
    uint64_t rows;              /* so far */
    double before_hz;
    uint64_t frames;
};

static uint32_t per_cycle(const struct meter_pack *pack)
{
    return (uint32_t)lround(pack->rate_hz / pack->ask.nominal_hz);
}

static uint32_t kept(const struct meter_pack *pack)
{
    return CYCLES_KEPT * per_cycle(pack) + 2 * pack->block;
}

/* Frames stand at whole shares of a second, cycles are whole samples: both count the samples. */
int meter_phasors_begin(struct meter_pack *pack)
{
    double frames_per_s = pack->rate_hz / pack->block;

    if (fabs(frames_per_s - nearbyint(frames_per_s)) > 1e-9 || frames_per_s > 240) {
        snprintf(pack->why, sizeof pack->why, "synchrophasors come 1 to 240 whole times a second");
        return -EINVAL;
    }
    while (fmod(nearbyint(frames_per_s) * pack->block, pack->ask.nominal_hz) > 0)
        pack->block++;
    pack->rate_hz = nearbyint(frames_per_s) * pack->block;
    pack->period_ps = (uint32_t)llround(1e12 / pack->rate_hz);
    if (pack->ask.first + pack->ask.meters - 1 > UINT16_MAX - 1 || !pack->ask.first) {
        snprintf(pack->why, sizeof pack->why, "the ID code is the meter's number: 1 to 65534");
        return -EINVAL;
    }
    pack->phasors = calloc(pack->ask.meters, sizeof *pack->phasors);
    if (!pack->phasors)
        return -ENOMEM;
    for (uint32_t m = 0; m < pack->ask.meters; m++) {
        pack->phasors[m].row = calloc(kept(pack), sizeof *pack->phasors[m].row);
        if (!pack->phasors[m].row)
            return -ENOMEM;
    }
    return 0;
}

void meter_phasors_end(struct meter_pack *pack)
{
    for (uint32_t m = 0; pack->phasors && m < pack->ask.meters; m++)
        free(pack->phasors[m].row);
}

static void keep(const struct meter_pack *pack, struct meter_phasors *of, const struct meter_block *block)
{
    for (uint32_t k = 0; k < block->count; k++)
        memcpy(of->row[(block->first + k) % kept(pack)], block->row[k], sizeof *of->row);
    of->newest = block->first + block->count;
    of->rows += block->count;
}

/* Rms, against a cosine of the nominal frequency that is at its top at each whole second. */
static struct turning phasor(const struct meter_pack *pack, const struct meter_phasors *of, uint64_t centre,
                             uint32_t channel)
{
    uint32_t cycle = per_cycle(pack);
    struct turning sum = {0, 0};

    for (uint32_t k = 0; k < 2 * cycle; k++) {
        uint64_t n = centre - cycle + k;
        double weight = 1 - fabs((double)k - cycle) / cycle, angle = 2 * pi * (double)(n % cycle) / cycle;
        double value = weight * of->row[n % kept(pack)][channel];

        sum.x += value * cos(angle);
        sum.y -= value * sin(angle);
    }
    sum.x *= sqrt(2.0) / cycle;
    sum.y *= sqrt(2.0) / cycle;
    return sum;
}

static struct turning positive(const struct turning phase[MEASURE_PHASES])
{
    struct turning sum = {0, 0};

    for (uint32_t p = 0; p < MEASURE_PHASES; p++) {
        double c = cos(2 * pi * p / 3), s = sin(2 * pi * p / 3);

        sum.x += phase[p].x * c - phase[p].y * s;
        sum.y += phase[p].x * s + phase[p].y * c;
    }
    return sum;
}

/* By the turn of the positive sequence over a cycle around the centre. */
static double frequency(const struct meter_pack *pack, const struct meter_phasors *of, uint64_t centre)
{
    uint32_t half = per_cycle(pack) / 2;
    struct turning early[MEASURE_PHASES], late[MEASURE_PHASES];

    for (uint32_t p = 0; p < MEASURE_PHASES; p++) {
        early[p] = phasor(pack, of, centre - half, p);
        late[p] = phasor(pack, of, centre + half, p);
    }
    struct turning a = positive(early), b = positive(late);
    double turned = atan2(b.y * a.x - b.x * a.y, b.x * a.x + b.y * a.y) / (2 * pi);

    return pack->ask.nominal_hz + turned * pack->rate_hz / (2.0 * half);
}

/* What the triangle leaves of a frequency so far beside the nominal one. */
static double response(const struct meter_pack *pack, double frequency_hz)
{
    double beside = pi * (frequency_hz / pack->ask.nominal_hz - 1);

    return fabs(beside) < 1e-9 ? 1 : sin(beside) * sin(beside) / (beside * beside);
}

static void fill(const struct meter_pack *pack, struct meter_phasors *of, uint64_t centre,
                 struct phasors_pmu *pmu)
{
    double hz = frequency(pack, of, centre), gain = 1 / response(pack, hz);
    struct turning at[CHANNELS];

    for (uint32_t c = 0; c < CHANNELS; c++) {
        at[c] = phasor(pack, of, centre, c);
        pmu->phasor[c].first = gain * hypot(at[c].x, at[c].y);
        pmu->phasor[c].second = atan2(at[c].y, at[c].x);
    }
    for (uint32_t p = 0; p < MEASURE_PHASES; p++)
        pmu->analog[0] += gain * gain * (at[p].x * at[SAMPLES_IA + p].x + at[p].y * at[SAMPLES_IA + p].y);
    pmu->stat = clock_stat[pack->ask.synch];
    pmu->frequency_hz = hz;
    pmu->rocof_hz_per_s = of->frames ? (hz - of->before_hz) * pack->rate_hz / pack->block : 0;
    of->before_hz = hz;
}

static void configure(const struct meter_pack *pack, uint32_t meter, struct c37_config *config)
{
    struct c37_pmu *pmu = &config->pmu[0];

    *config = (struct c37_config){
        .type = pack->ask.config_3 ? C37_CFG3 : C37_CFG2, .id = (uint16_t)(pack->ask.first + meter),
        .pmus = 1, .time_base = TIME_BASE, .data_rate = (int16_t)lround(pack->rate_hz / pack->block)};
    pmu->id = config->id;
    pmu->format = C37_POLAR | C37_PHASORS_FLOAT | C37_ANALOGS_FLOAT | C37_FREQUENCY_FLOAT;
    pmu->phasors = CHANNELS;
    pmu->analogs = 1;
    pmu->nominal_50 = pack->ask.nominal_hz < 55;
    pmu->class = 'P';
    for (uint32_t c = 0; c < CHANNELS; c++) {
        bool current = c >= SAMPLES_IA;
        uint32_t kind = (current ? 8u : 0) | (4 + c % MEASURE_PHASES);

        pmu->phasor[c].factor = 1;
        pmu->phasor[c].unit = pack->ask.config_3 ? kind << 8 : current ? CURRENT_UNIT : 0;
    }
    pmu->analog[0] = (struct c37_analog_scale){.factor = 1, .unit = CURRENT_UNIT};  /* 1: rms */
}

static uint32_t put_config(const struct meter_pack *pack, uint32_t meter, const struct c37_config *config,
                           int64_t t_ns, struct meter_packet *out)
{
    static const char *const channel[] = {"VA", "VB", "VC", "IA", "IB", "IC", "P_TOT_W"};
    struct c37_head head = {.version = VERSION_2011, .time_quality = time_quality[pack->ask.synch]};
    /* the triangle is two cycles, and its time tag is their middle */
    struct c37_place place = {.latitude_deg = INFINITY, .longitude_deg = INFINITY, .elevation_m = INFINITY,
                              .window_us = (int32_t)lround(2e6 / pack->ask.nominal_hz)};
    struct c37_text name[1 + CHANNELS + 1];
    char station[METER_NAME_BYTES];

    c37_time(t_ns, TIME_BASE, &head);
    name[0] = (struct c37_text){(const uint8_t *)station, meter_pack_name(pack, meter, station)};
    for (uint32_t c = 0; c < CHANNELS + 1; c++)
        name[1 + c] = (struct c37_text){(const uint8_t *)channel[c], (uint32_t)strlen(channel[c])};
    return out->bytes = c37_config_encode(config, &head, name, &place, out->data, sizeof out->data);
}

uint32_t meter_phasors_take(struct meter_pack *pack, uint32_t meter, const struct meter_block *block,
                            struct meter_packet *out)
{
    struct meter_phasors *of = &pack->phasors[meter];
    uint32_t cycle = per_cycle(pack), packets = 0;
    /* whole blocks behind the end, so that a cycle and a half lie behind the centre */
    uint32_t behind = (3 * cycle / 2 + pack->block) / pack->block * pack->block;
    uint64_t every = (uint64_t)llround(pack->ask.config_every_s * pack->rate_hz / pack->block);
    struct phasors phasors = {.pmus = 1, .time_quality = time_quality[pack->ask.synch]};
    struct c37_config config;

    keep(pack, of, block);
    if (of->rows < behind + 3 * cycle / 2 + 1)
        return 0;
    configure(pack, meter, &config);
    phasors.t_ns = block->t_ns + llround(((double)block->count - behind) / pack->rate_hz * 1e9);
    fill(pack, of, of->newest - behind, &phasors.pmu[0]);
    if (of->frames++ % (every ? every : 1) == 0)
        packets += put_config(pack, meter, &config, phasors.t_ns, &out[packets]) > 0;
    out[packets].bytes = c37_data_encode(&config, VERSION_2011, &phasors, out[packets].data,
                                         sizeof out[packets].data);
    pack->unmade += !out[packets].bytes;
    return packets + (out[packets].bytes > 0);
}
