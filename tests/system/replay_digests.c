/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replay_digests [--deaf HOST] JOURNAL...: what this build decides, in lines that every build must print
 * alike. One line for each second of each journal, one for measure, whose doubles become integers, and one
 * for each of some meters, whose samples become readings.
 * --deaf leaves the reports of one host out: a difference that must show.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/measure.h"
#include "core/pipeline.h"
#include "meter_digest.h"
#include "record/journal.h"

enum { MEASURED = 200000 };

static uint64_t next_random(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9E3779B97F4A7C15));     /* splitmix64 */
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

/* At the halves of a thousandth, where rounding decides. */
static double near_half(uint64_t *state, uint64_t most)
{
    double value = ((double)(next_random(state) % (most * 1000)) + 0.5) / 1000.0;
    return next_random(state) % 8 ? value : -value;
}

static void hash(uint64_t *digest, int64_t value)
{
    *digest = (*digest ^ (uint64_t)value) * UINT64_C(0x100000001B3);
}

static void print_measure(void)
{
    static const struct model_node node = {.phases = PHASES};
    uint64_t state = 1, digest = UINT64_C(0xCBF29CE484222325);
    for (int i = 0; i < MEASURED; i++) {
        struct upmu upmu = {.timestamp_ns = 1, .phase_count = PHASES, .frequency_hz = 60};
        struct reading reading = {0};
        for (int p = 0; p < PHASES; p++) {
            upmu.phase[p].voltage_rms_v = near_half(&state, 500);
            upmu.phase[p].current_rms_a = near_half(&state, 5000);
            upmu.phase[p].power_active_w = near_half(&state, 900000);
        }
        upmu.dp_dt_mw_per_s = near_half(&state, 1000);
        hash(&digest, measure_reading(&upmu, &node, &reading));
        for (int p = 0; p < PHASES; p++) {
            hash(&digest, reading.voltage_mv[p]);
            hash(&digest, reading.current_ma[p]);
            hash(&digest, reading.power_mw[p]);
        }
        hash(&digest, reading.dp_dt_w_per_s);
    }
    printf("measure %016" PRIx64 "\n", digest);
}

static void *room(size_t bytes)
{
    void *memory = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (!memory)
        exit(3);
    return memory;
}

/* How hot the controller thinks every device is when the journal ends: digests show only what it did. */
static void print_heat(const struct core *core, const struct model *model)
{
    uint64_t digest = UINT64_C(0xCBF29CE484222325);
    uint32_t known = 0;
    for (uint32_t n = 0; n < model->node_count; n++) {
        struct core_node_view view;
        core_node_view(core, n, &view);
        known += view.heat.heat_ppm >= 0;
        hash(&digest, view.heat.heat_ppm);
        hash(&digest, view.heat.travel_ppm);
        hash(&digest, view.heat.trip_in_ns);
        hash(&digest, view.heat.admissible_ma);
        hash(&digest, view.heat.trips << 8 | view.heat.binds);
    }
    printf("heat %016" PRIx64 " of %u nodes\n", digest, known);
}

static int print_journal(const char *path, uint32_t deaf)
{
    struct journal_reader *reader;
    struct slot slot;
    char error[200];
    if (journal_open(&reader, path, error, sizeof error)) {
        fprintf(stderr, "replay_digests: %s: %s\n", path, error);
        return 3;
    }
    const struct model *model = journal_model(reader);
    const struct journal_start *start = journal_started(reader);
    struct outbox outbox = {.record = room(model->host_count * sizeof(struct egress)),
                            .capacity = model->host_count};
    struct core *core = core_init(room(core_bytes(model)), model, start->epoch, start->t_ns);
    int more;
    while ((more = journal_next(reader, &slot, error, sizeof error)) > 0) {
        if (slot.kind == SLOT_DIGEST || (slot.kind == SLOT_REPORT && slot.report.host == deaf))
            continue;
        pipeline_step(core, &slot, &outbox);
        if (outbox.digest_due)
            printf("second %" PRIu64 " %016" PRIx64 " %" PRIu64 "\n", outbox.digest.second,
                   outbox.digest.digest, outbox.digest.decisions);
    }
    print_heat(core, model);
    free(outbox.record);
    free(core);
    journal_close(reader);
    return more ? 3 : 0;
}

int main(int argc, char **argv)
{
    uint32_t deaf = INDEX_NONE;
    int first = 1, result = 0;
    if (argc > 2 && !strcmp(argv[1], "--deaf")) {
        deaf = (uint32_t)strtoul(argv[2], NULL, 10);
        first = 3;
    }
    print_measure();
    meter_digest_print();
    for (int i = first; i < argc && !result; i++)
        result = print_journal(argv[i], deaf);
    return result;
}
