/* SPDX-License-Identifier: Apache-2.0 */
/* Waveforms made without libm, so that every build begins with the same samples. */
#include "meter_digest.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/angle.h"
#include "core/measure_meter.h"

enum { SAMPLES = 60000, CHANNELS = 8, KINDS = 4, CLIP = 2000 };

struct kind { double rate_hz, mains_hz, nominal_hz, late_ns; uint32_t phases, block; };

static const struct kind kinds[KINDS] = {
    {8000, 60.37, 60, 0, 3, 64}, {4800, 49.2, 50, 12000, 3, 32}, {16000, 43.7, 50, -30000, 1, 128},
    {12800, 67.1, 60, 0, 3, 8}};

/* What came out so far: its digest, how many values, and which flags any of them had. */
struct digest {
    uint64_t hash, values;
    uint32_t flags;
};

static void hash_bytes(struct digest *digest, const void *from, size_t bytes)
{
    const unsigned char *byte = from;

    for (size_t k = 0; k < bytes; k++)
        digest->hash = (digest->hash ^ byte[k]) * UINT64_C(0x100000001B3);
}

/* Doubles that stand in a struct one behind the other, from an offset on: no padding is between them. */
static void hash_doubles(struct digest *digest, const void *from, size_t offset, size_t count)
{
    hash_bytes(digest, (const unsigned char *)from + offset, count * sizeof(double));
}

/* When it was, and what is wrong with it. */
static void hash_state(struct digest *digest, int64_t t_ns, uint32_t flags)
{
    hash_bytes(digest, &t_ns, sizeof t_ns);
    hash_bytes(digest, &flags, sizeof flags);
    digest->flags |= flags;
    digest->values++;
}

static double chance(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9E3779B97F4A7C15));     /* splitmix64 */

    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    return (double)((z ^ z >> 31) >> 11) * 0x1p-53 - 0.5;
}

/* What the voltage of a phase is multiplied by: a sag of the first, later nothing on all. */
static double depth_of(uint32_t n, uint32_t phase)
{
    if (n > SAMPLES - 5000 && n < SAMPLES - 1500)
        return 0.001;
    return n > SAMPLES / 2 && n < SAMPLES / 2 + 900 && !phase ? 0.6 : 1;
}

/* Harmonics, noise, a sag, an interruption, a step of load, a sample at the end of the scale. */
static void sample(const struct kind *kind, uint32_t n, uint64_t *state, double row[CHANNELS])
{
    double at = kind->mains_hz * n / kind->rate_hz, cosine, sine, fifth_cosine, fifth_sine;

    for (uint32_t p = 0; p < 3; p++) {
        double turn = at - p / 3.0, depth = depth_of(n, p);

        angle_turn(turn - 0.04, &cosine, &sine);
        angle_turn(5 * turn, &fifth_cosine, &fifth_sine);
        row[p] = depth * (391 * (sine + 0.04 * cosine + 0.03 * fifth_sine) + 4 * chance(state));
        row[3 + p] = (n > SAMPLES / 3 ? 800 : 300) * (sine + 0.1 * fifth_cosine) + 9 * chance(state);
    }
    if (n == SAMPLES / 4)
        row[3] = CLIP;
    row[6] = chance(state);
    row[7] = row[3] + row[4] + row[5];
}

static void hash_readings(struct digest *digest, const struct measure_out *out)
{
    const size_t first = offsetof(struct measure_cycles, frequency_hz);

    for (uint32_t k = 0; k < out->cycles_count; k++) {
        const struct measure_cycles *reading = &out->cycles[k];

        hash_doubles(digest, reading, first, (sizeof *reading - first) / sizeof(double));
        hash_bytes(digest, &reading->from_ns, sizeof reading->from_ns);
        hash_bytes(digest, &reading->cycles, sizeof reading->cycles);
        hash_state(digest, reading->t_ns, reading->flags);
    }
}

static void hash_events(struct digest *digest, const struct measure_out *out)
{
    for (uint32_t k = 0; k < out->events; k++) {
        const struct measure_event *event = &out->event[k];
        const uint32_t which[3] = {event->kind, event->phase, event->over};

        hash_doubles(digest, event, offsetof(struct measure_event, value), 1);
        hash_bytes(digest, &event->end_ns, sizeof event->end_ns);
        hash_bytes(digest, which, sizeof which);
        hash_state(digest, event->t_ns, event->flags);
    }
}

static void hash_out(struct digest *digest, const struct measure_out *out)
{
    for (uint32_t k = 0; k < out->ticks; k++) {
        hash_doubles(digest, &out->tick[k], offsetof(struct measure_tick, power_w), 6);
        hash_state(digest, out->tick[k].t_ns, out->tick[k].flags);
    }
    for (uint32_t k = 0; k < out->halves; k++) {
        hash_doubles(digest, &out->half[k], offsetof(struct measure_half, voltage_v), 3);
        hash_bytes(digest, &out->half[k].phase, sizeof out->half[k].phase);
        hash_state(digest, out->half[k].t_ns, out->half[k].flags);
    }
    for (uint32_t k = 0; k < out->features; k++) {
        hash_doubles(digest, &out->feature[k], offsetof(struct measure_feature, power_w), 8);
        hash_state(digest, out->feature[k].t_ns, out->feature[k].flags);
    }
    for (uint32_t k = 0; k < out->heats; k++) {
        hash_doubles(digest, &out->heat[k], offsetof(struct measure_heat, current_a), 4);
        hash_state(digest, out->heat[k].t_ns, out->heat[k].flags);
    }
    hash_events(digest, out);
    hash_readings(digest, out);
    hash_bytes(digest, &out->lost, sizeof out->lost);
}

static struct digest digest_of(const struct kind *kind)
{
    struct measure_config config = {.period_ps = (int64_t)(1e12 / kind->rate_hz), .phases = kind->phases,
        .channels = CHANNELS, .nominal_hz = kind->nominal_hz, .voltage_v = 277, .sag = 0.9, .swell = 1.1,
        .interruption = 0.05, .hysteresis = 0.02, .peak_a = 850, .slope_w_per_s = 30e6, .clip = CLIP};
    struct measure_meter *meter = malloc(sizeof *meter);
    struct measure_out *out = malloc(sizeof *out);
    struct digest digest = {.hash = UINT64_C(0xCBF29CE484222325)};
    uint64_t state = 7;

    for (uint32_t c = 0; c < CHANNELS; c++) {
        config.gain[c] = 1 + 0.001 * c;
        config.late_ns[c] = c == 4 ? kind->late_ns : 0;
    }
    if (!meter || !out || measure_meter_init(meter, &config))
        exit(3);
    for (uint32_t n = 0; n < SAMPLES; n += kind->block) {
        double row[MEASURE_BLOCK_MAX][CHANNELS];
        /* a short gap and a long one, and a clock that is set */
        int64_t first = n + (n > 40000 ? 3 : 0) + (n > 50000 ? 700 : 0), set_ns = n > 45000 ? 50000 : 0;
        struct measure_block block = {.row = row[0], .samples = kind->block, .first = first,
                                      .t_ns = first * config.period_ps / 1000 + set_ns};

        for (uint32_t k = 0; k < kind->block; k++)
            sample(kind, (uint32_t)first + k, &state, row[k]);
        if (measure_meter_block(meter, &block, out))
            exit(3);
        hash_out(&digest, out);
    }
    free(meter);
    free(out);
    return digest;
}

void meter_digest_print(void)
{
    for (uint32_t k = 0; k < KINDS; k++) {
        struct digest digest = digest_of(&kinds[k]);

        printf("meter %u %016" PRIx64 " of %" PRIu64 " values, flags %02" PRIx32 "\n", k, digest.hash,
               digest.values, digest.flags);
    }
}
