/* SPDX-License-Identifier: Apache-2.0 */
/* What is in a journal, for the daemon's tests: one JSON object. Decides all of it again and compares the
 * digests. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/pipeline.h"
#include "record/journal.h"

struct tally {
    unsigned long long slots, digests, digests_wrong, gaps, ticks, reports, readings;
    uint64_t sequence;
};

struct replayed {
    struct core *core;
    struct outbox outbox;
};

static void start(struct replayed *replayed, const struct journal_reader *reader)
{
    const struct model *model = journal_model(reader);
    const struct journal_start *began = journal_started(reader);
    void *memory = aligned_alloc(64, (core_bytes(model) + 63) / 64 * 64);
    struct egress *record = calloc(model->host_count, sizeof *record);
    if (!memory || !record)
        exit(2);
    replayed->core = core_init(memory, model, began->epoch, began->t_ns);
    replayed->outbox = (struct outbox){.record = record, .capacity = model->host_count};
}

static void take(struct tally *tally, struct replayed *replayed, const struct slot *slot)
{
    if (slot->kind == SLOT_DIGEST) {
        const struct slot_digest *again = &replayed->outbox.digest;
        bool same = replayed->outbox.digest_due && again->second == slot->digest.second &&
                    again->digest == slot->digest.digest && again->decisions == slot->digest.decisions;
        tally->digests++;
        tally->digests_wrong += !same;
        return;
    }
    pipeline_step(replayed->core, slot, &replayed->outbox);
    tally->slots++;
    tally->gaps += slot->sequence != tally->sequence + 1;
    tally->sequence = slot->sequence;
    tally->ticks += slot->kind == SLOT_TICK;
    tally->reports += slot->kind == SLOT_REPORT;
    tally->readings += slot->kind == SLOT_READING;
}

int main(int argc, char **argv)
{
    struct journal_reader *reader;
    struct replayed replayed;
    struct tally tally = {0};
    struct slot slot;
    char error[256] = "";
    if (argc != 2 || journal_open(&reader, argv[1], error, sizeof error)) {
        fprintf(stderr, "daemon_journal: %s\n", error);
        return 2;
    }
    start(&replayed, reader);
    int got;
    while ((got = journal_next(reader, &slot, error, sizeof error)) > 0)
        take(&tally, &replayed, &slot);
    printf("{\"slots\": %llu, \"gaps\": %llu, \"ticks\": %llu, \"reports\": %llu, \"readings\": %llu, "
           "\"digests\": %llu, "
           "\"digests_wrong\": %llu, \"clean_end\": %s}\n",
           tally.slots, tally.gaps, tally.ticks, tally.reports, tally.readings, tally.digests,
           tally.digests_wrong, got == 0 && !error[0] ? "true" : "false");
    journal_close(reader);
    free(replayed.core);
    free(replayed.outbox.record);
    return 0;
}
