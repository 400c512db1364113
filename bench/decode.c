/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decode [--json] [--samples N] [--seed S]: the hand-written measurement decoder against protobuf-c with an
 * arena, in one process, taking turns: a sample is a batch of decodes of one of them, and the next sample is
 * the other's. The machine's noise then meets both alike, and the ratio of the medians is what counts.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench_commit.h"
#include "msg/frame.h"
#include "upmu.pb-c.h"
#include "wire/upmu.h"

enum { BATCH = 64, COPIES = 16, SAMPLES = 20000, ARENA_BYTES = 4096, BIN_MAX = 4096, WARM_UP = 200 };

/* One body in a few copies, so that neither decoder runs on one cache line set alone. */
struct subject {
    uint32_t bytes;
    uint8_t body[COPIES][DATAGRAM_MAX];
    uint32_t hand_bin[BIN_MAX];         /* samples by whole nanoseconds a decode */
    uint32_t reference_bin[BIN_MAX];
    double hand_ns, reference_ns;       /* medians */
};

struct arena {
    size_t used;
    _Alignas(16) uint8_t room[ARENA_BYTES];
};

static void *arena_alloc(void *data, size_t bytes)
{
    struct arena *arena = data;
    void *block = arena->room + arena->used;

    arena->used += (bytes + 15) & ~(size_t)15;
    return arena->used <= sizeof arena->room ? block : NULL;
}

static void arena_free(void *data, void *block)
{
    (void)data;
    (void)block;
}

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static uint64_t next_random(uint64_t *state)
{
    *state += UINT64_C(0x9E3779B97F4A7C15);     /* splitmix64 */

    uint64_t z = *state;

    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

static double near(double value, uint64_t *state)
{
    return value * (1 + (double)(next_random(state) % 1000) / 1e5);
}

/* 302 bytes: the worked example's shape. 684: fifty harmonics and the longest id. */
static uint32_t make_body(uint32_t harmonics, const char *id, uint64_t *state, uint8_t *body)
{
    struct upmu upmu = {
        .timestamp_ns = INT64_C(1751538645123456789), .device_id = id,
        .device_id_bytes = (uint32_t)strlen(id), .phase_count = 3,
        .thd_voltage_pct = near(2.25, state), .thd_current_pct = near(12.5, state),
        .frequency_hz = near(60, state), .harmonic_count = harmonics, .sag_detected = 1,
        .dp_dt_mw_per_s = near(-12.5, state), .peak_factor = 1.5, .load_factor = 0.75, .power_trend = 0.125,
    };

    for (int i = 0; i < PHASES; i++)
        upmu.phase[i] = (struct upmu_phase){ near(277, state), near(600, state), near(160400, state),
            near(43040, state), near(166420, state), 0.9638 };
    for (uint32_t i = 0; i < harmonics; i++)
        upmu.harmonic_pct[i] = near(100.0 / (i + 1), state);
    return upmu_encode(&upmu, body, DATAGRAM_MAX);
}

static int64_t hand_batch(const struct subject *subject, double *sink)
{
    int64_t start = now_ns();

    for (int i = 0; i < BATCH; i++) {
        struct upmu upmu;

        if (upmu_decode(subject->body[i % COPIES], subject->bytes, &upmu) != ACCEPTED)
            abort();
        *sink += upmu.power_trend;
    }
    return now_ns() - start;
}

static int64_t reference_batch(const struct subject *subject, double *sink)
{
    static struct arena arena;
    ProtobufCAllocator allocator = { arena_alloc, arena_free, &arena };
    int64_t start = now_ns();

    for (int i = 0; i < BATCH; i++) {
        arena.used = 0;

        const uint8_t *body = subject->body[i % COPIES];
        PowerMeasurement *message = power_measurement__unpack(&allocator, subject->bytes, body);

        if (!message)
            abort();
        *sink += message->features->power_trend;
    }
    return now_ns() - start;
}

static void record(uint32_t *bin, int64_t batch_ns)
{
    int64_t each = batch_ns / BATCH;

    bin[each < BIN_MAX ? each : BIN_MAX - 1]++;
}

/* The median within its bin by linear interpolation: the bins are one nanosecond wide. */
static double median(const uint32_t *bin, uint32_t samples)
{
    double half = samples / 2.0, below = 0;

    for (int ns = 0; ns < BIN_MAX; ns++) {
        if (bin[ns] && below + bin[ns] >= half)
            return ns + (half - below) / bin[ns];
        below += bin[ns];
    }
    return BIN_MAX;
}

static void measure(struct subject *subject, uint32_t samples, double *sink)
{
    for (int i = 0; i < WARM_UP; i++) {
        hand_batch(subject, sink);
        reference_batch(subject, sink);
    }
    for (uint32_t i = 0; i < samples; i++) {
        record(subject->hand_bin, hand_batch(subject, sink));
        record(subject->reference_bin, reference_batch(subject, sink));
    }
    subject->hand_ns = median(subject->hand_bin, samples);
    subject->reference_ns = median(subject->reference_bin, samples);
}

/* Pairs [nanoseconds, samples], bins without samples left out. */
static void print_bins(const char *name, const uint32_t *bin)
{
    const char *comma = "";

    printf(", \"%s\": [", name);
    for (int ns = 0; ns < BIN_MAX; ns++) {
        if (!bin[ns])
            continue;
        printf("%s[%d, %u]", comma, ns, bin[ns]);
        comma = ", ";
    }
    printf("]");
}

static void print_subject(const struct subject *subject)
{
    printf("\"body_%u\": {\"bytes\": %u, \"hand_ns\": %.1f, \"reference_ns\": %.1f, \"ratio\": %.3f",
        subject->bytes, subject->bytes, subject->hand_ns, subject->reference_ns,
        subject->hand_ns / subject->reference_ns);
    print_bins("hand_histogram_ns", subject->hand_bin);
    print_bins("reference_histogram_ns", subject->reference_bin);
    printf("}");
}

/* The worse of the two bodies. */
static double worst_ratio(const struct subject *subject)
{
    double a = subject[0].hand_ns / subject[0].reference_ns, b = subject[1].hand_ns / subject[1].reference_ns;

    return a > b ? a : b;
}

static void print_json(const struct subject *subject, uint32_t samples, uint64_t seed, double duration_s)
{
    printf("{\"bench\": \"decode\", \"n\": %u, \"batch\": %d, \"seed\": %llu, \"commit\": \"%s\", "
        "\"driver\": \"memory\", \"duration_s\": %.3f, \"ratio\": %.3f, ", samples, BATCH,
        (unsigned long long)seed, BENCH_COMMIT, duration_s, worst_ratio(subject));
    print_subject(&subject[0]);
    printf(", ");
    print_subject(&subject[1]);
    printf("}\n");
}

static void print_text(const struct subject *subject, uint32_t samples)
{
    for (int i = 0; i < 2; i++)
        printf("%u bytes: hand %.1f ns, protobuf-c with an arena %.1f ns, ratio %.3f (medians of %u x %d)\n",
            subject[i].bytes, subject[i].hand_ns, subject[i].reference_ns,
            subject[i].hand_ns / subject[i].reference_ns, samples, BATCH);
}

int main(int argc, char **argv)
{
    static struct subject subject[2];
    uint32_t samples = SAMPLES;
    uint64_t seed = 1, state;
    int json = 0;
    double sink = 0;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            json = 1;
        } else if (strcmp(argv[i], "--samples") == 0 && i + 1 < argc) {
            samples = (uint32_t)strtoul(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc) {
            seed = strtoull(argv[++i], NULL, 10);
        } else {
            fprintf(stderr, "usage: decode [--json] [--samples N] [--seed S]\n");
            return 2;
        }
    }
    state = seed;
    for (int i = 0; i < COPIES; i++) {
        subject[0].bytes = make_body(5, "PDU-A01-001", &state, subject[0].body[i]);
        subject[1].bytes = make_body(50, "HALL-02/ROW-C/RPP-07/BRANCH-012", &state, subject[1].body[i]);
    }

    int64_t start = now_ns();

    measure(&subject[0], samples, &sink);
    measure(&subject[1], samples, &sink);

    double duration_s = (double)(now_ns() - start) / 1e9;

    if (json)
        print_json(subject, samples, seed, duration_s);
    else
        print_text(subject, samples);
    return sink == 0;
}
