/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/replay_run.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/pipeline.h"

struct replay {
    const struct model *model;
    struct core *core;
    struct outbox outbox;
    struct replay_result *result;
    uint64_t newest_sequence;
    uint64_t agreed_sequence;   /* the newest slot when the last second was compared */
    bool owed;                  /* the pipeline closed a second; the journal's digest comes next */
    struct slot recent[REPLAY_BEFORE];  /* a ring by result->slots */
};

bool replay_is_exact(const struct replay_result *result)
{
    return result->seconds > 0 && !result->difference.what && result->missing == 0 && result->disorder == 0;
}

/* The pipeline trusts these indices. */
static bool fits(const struct model *model, const struct slot *slot)
{
    switch (slot->kind) {
    case SLOT_READING:
        return slot->reading.meter < model->meter_count;
    case SLOT_REPORT:
        return slot->report.host < model->host_count;
    case SLOT_TOKEN:
        return slot->token.host < model->host_count;
    case SLOT_REFUSED:
        return slot->refused.host < model->host_count;
    case SLOT_SPECTRUM:
        return slot->spectrum.meter < model->meter_count;
    case SLOT_QUALITY:
        return slot->quality.meter < model->meter_count;
    case SLOT_SWING:
        return slot->swing.node < model->node_count || slot->swing.node == INDEX_NONE;
    default:
        return slot->kind > 0 && slot->kind < SLOT_KIND_COUNT;
    }
}

static uint64_t earlier_second(const struct slot_digest *recorded, const struct slot_digest *replayed)
{
    if (!recorded || !replayed)
        return recorded ? recorded->second : replayed->second;
    return recorded->second < replayed->second ? recorded->second : replayed->second;
}

/* Keeps the first one only: digests run on, so every later second differs too. */
static void differ(struct replay *replay, const char *what, const struct slot_digest *recorded,
                   const struct slot_digest *replayed)
{
    struct replay_difference *difference = &replay->result->difference;
    uint64_t slots = replay->result->slots;

    if (difference->what)
        return;
    difference->what = what;
    difference->second = earlier_second(recorded, replayed);
    difference->sequence_first = replay->agreed_sequence + 1;
    difference->sequence_last = replay->newest_sequence;
    if (recorded)
        difference->recorded = *recorded;
    if (replayed)
        difference->replayed = *replayed;
    difference->before = slots < REPLAY_BEFORE ? (uint32_t)slots : REPLAY_BEFORE;
    for (uint32_t i = 0; i < difference->before; i++)
        difference->slot[i] = replay->recent[(slots - difference->before + i) % REPLAY_BEFORE];
}

static bool is_same(const struct slot_digest *a, const struct slot_digest *b)
{
    return a->second == b->second && a->digest == b->digest && a->decisions == b->decisions;
}

static void compare(struct replay *replay, const struct slot_digest *recorded)
{
    const struct slot_digest *replayed = &replay->outbox.digest;

    if (!replay->owed) {
        differ(replay, "the journal closes a second, the replay does not", recorded, NULL);
        return;
    }
    replay->owed = false;
    replay->result->seconds++;
    if (!is_same(recorded, replayed))
        differ(replay, "the digests differ", recorded, replayed);
    if (replay->result->difference.what)
        return;
    replay->result->agreed = *recorded;
    replay->agreed_sequence = replay->newest_sequence;
}

static void follow_sequence(struct replay *replay, uint64_t sequence)
{
    if (sequence <= replay->newest_sequence)
        replay->result->disorder++;
    else
        replay->result->missing += sequence - replay->newest_sequence - 1;
    replay->newest_sequence = sequence;
}

static void remember(struct replay *replay, const struct slot *slot)
{
    struct replay_difference *difference = &replay->result->difference;

    replay->recent[replay->result->slots % REPLAY_BEFORE] = *slot;
    if (difference->what && difference->after < REPLAY_AFTER)
        difference->slot[difference->before + difference->after++] = *slot;
    if (replay->result->slots == 0)
        replay->result->first_t_ns = slot->t_ns;
    replay->result->last_t_ns = slot->t_ns;
}

static void feed(struct replay *replay, const struct slot *slot)
{
    if (replay->owed)
        differ(replay, "the replay closes a second, the journal does not", NULL, &replay->outbox.digest);
    follow_sequence(replay, slot->sequence);
    remember(replay, slot);
    replay->result->slots++;
    replay->result->clock_free += (slot->marks & SLOT_CLOCK_FREE) != 0;
    replay->result->clock_stepped += (slot->marks & SLOT_CLOCK_STEPPED) != 0;
    pipeline_step(replay->core, slot, &replay->outbox);
    replay->result->decisions += replay->outbox.count;
    replay->owed = replay->outbox.digest_due;
}

static int feed_all(struct replay *replay, struct journal_reader *reader, char *error, size_t error_bytes)
{
    struct slot slot;
    int more;

    while ((more = journal_next(reader, &slot, error, error_bytes)) > 0) {
        if (!fits(replay->model, &slot)) {
            snprintf(error, error_bytes, "slot %" PRIu64 " names what the journal's site does not have",
                     slot.sequence);
            return -EBADMSG;
        }
        if (slot.kind == SLOT_DIGEST)
            compare(replay, &slot.digest);
        else
            feed(replay, &slot);
    }
    /* Slots dropped after the last one that was written leave no hole in the sequence. */
    if (journal_dropped(reader) > replay->result->missing)
        replay->result->missing = journal_dropped(reader);
    return more;
}

int replay_journal(struct journal_reader *reader, struct replay_result *result, char *error,
                   size_t error_bytes)
{
    const struct journal_start *start = journal_started(reader);
    struct replay replay = {.model = journal_model(reader), .result = result};
    size_t bytes = (core_bytes(replay.model) + 63) & ~(size_t)63;
    void *memory = aligned_alloc(64, bytes);
    int outcome = -ENOMEM;

    memset(result, 0, sizeof(*result));
    replay.outbox.capacity = replay.model->host_count + 1;
    replay.outbox.record = calloc(replay.outbox.capacity, sizeof(struct egress));
    if (memory && replay.outbox.record) {
        replay.core = core_init(memory, replay.model, start->epoch, start->t_ns);
        outcome = feed_all(&replay, reader, error, error_bytes);
    } else {
        snprintf(error, error_bytes, "out of memory");
    }
    free(replay.outbox.record);
    free(memory);
    return outcome;
}
