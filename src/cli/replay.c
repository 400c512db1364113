/* SPDX-License-Identifier: Apache-2.0 */
/* `flyball replay`: the journal's slots through the same pipeline, digests compared second by second. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/replay.h"
#include "core/pipeline.h"
#include "record/journal.h"

enum { BEFORE = 6, AFTER = 4 };         /* slots shown around the first difference */

struct replay {
    struct journal_reader *reader;
    const struct model *model;
    struct core *core;
    struct outbox outbox;
    uint64_t slots, decisions, seconds, gaps, disorder;
    uint64_t newest_sequence, second_first;     /* second_first: of the second now open */
    uint64_t digests;                           /* recorded ones read; the newest of them matched if no difference */
    bool owed;                                  /* the pipeline closed a second, its digest is due in the journal */
    struct slot_digest last;
    int64_t first_t_ns, last_t_ns;
    double took_s;
    struct {
        const char *what;                       /* NULL: none */
        struct slot_digest recorded, replayed;
        uint64_t sequence_first, sequence_last;
        uint32_t before, after;
        struct slot slot[BEFORE + AFTER];
    } difference;
    struct slot recent[BEFORE];                 /* a ring by `slots` */
    char error[200];                            /* damage, or where the journal is torn */
};

static uint64_t missing(const struct replay *replay)
{
    uint64_t dropped = journal_dropped(replay->reader);

    return dropped > replay->gaps ? dropped : replay->gaps;
}

static bool is_exact(const struct replay *replay)
{
    return replay->seconds > 0 && !replay->difference.what && missing(replay) == 0 && replay->disorder == 0;
}

/* An index that the pipeline would trust. */
static bool fits(const struct model *model, const struct slot *slot)
{
    switch (slot->kind) {
    case SLOT_READING:
        return slot->reading.meter < model->meter_count;
    case SLOT_REPORT:
        return slot->report.host < model->host_count;
    case SLOT_REFUSED:
        return slot->refused.host < model->host_count;
    default:
        return slot->kind > 0 && slot->kind < SLOT_KIND_COUNT;
    }
}

static void differ(struct replay *replay, const char *what, const struct slot_digest *recorded)
{
    if (replay->difference.what)
        return;
    replay->difference.what = what;
    replay->difference.recorded = recorded ? *recorded : (struct slot_digest){0};
    replay->difference.replayed = replay->owed ? replay->outbox.digest : (struct slot_digest){0};
    replay->difference.sequence_first = replay->second_first;
    replay->difference.sequence_last = replay->newest_sequence;

    uint32_t count = replay->slots < BEFORE ? (uint32_t)replay->slots : BEFORE;

    for (uint32_t i = 0; i < count; i++)
        replay->difference.slot[i] = replay->recent[(replay->slots - count + i) % BEFORE];
    replay->difference.before = count;
}

static bool same_digest(const struct slot_digest *a, const struct slot_digest *b)
{
    return a->second == b->second && a->digest == b->digest && a->decisions == b->decisions;
}

static void compare(struct replay *replay, const struct slot_digest *recorded)
{
    if (!replay->owed)
        differ(replay, "the journal closes a second that the replay does not", recorded);
    else if (!same_digest(recorded, &replay->outbox.digest))
        differ(replay, "the digests differ", recorded);
    else
        replay->last = *recorded;
    replay->seconds += replay->owed;
    replay->owed = false;
    replay->second_first = replay->newest_sequence;
}

static void remember(struct replay *replay, const struct slot *slot)
{
    replay->recent[replay->slots % BEFORE] = *slot;
    if (replay->difference.what && replay->difference.after < AFTER)
        replay->difference.slot[replay->difference.before + replay->difference.after++] = *slot;
    if (replay->slots == 0) {
        replay->first_t_ns = slot->t_ns;
        replay->second_first = slot->sequence;
    }
    replay->last_t_ns = slot->t_ns;
}

static void follow_sequence(struct replay *replay, uint64_t sequence)
{
    if (sequence > replay->newest_sequence + 1)
        replay->gaps += sequence - replay->newest_sequence - 1;
    if (sequence <= replay->newest_sequence)
        replay->disorder++;
    replay->newest_sequence = sequence;
}

static void take(struct replay *replay, const struct slot *slot)
{
    if (slot->kind == SLOT_DIGEST) {
        compare(replay, &slot->digest);
        return;
    }
    if (replay->owed)
        differ(replay, "the replay closes a second that the journal does not", NULL);
    follow_sequence(replay, slot->sequence);
    remember(replay, slot);
    replay->slots++;
    pipeline_step(replay->core, slot, &replay->outbox);
    replay->decisions += replay->outbox.count;
    replay->owed = replay->outbox.digest_due;
}

/* Returns 0 at the journal's end, -errno on damage with replay->error filled. */
static int take_all(struct replay *replay)
{
    struct slot slot;
    int result;

    while ((result = journal_next(replay->reader, &slot, replay->error, sizeof(replay->error))) > 0) {
        if (!fits(replay->model, &slot)) {
            snprintf(replay->error, sizeof(replay->error), "slot %" PRIu64 " names what the site does not have",
                     slot.sequence);
            return -1;
        }
        take(replay, &slot);
    }
    return result;
}

static double now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static int run(struct replay *replay)
{
    const struct journal_start *start = journal_started(replay->reader);
    size_t bytes = (core_bytes(replay->model) + 63) & ~(size_t)63;
    void *memory = aligned_alloc(64, bytes);
    int result = -1;

    replay->outbox.capacity = replay->model->host_count + 1;
    replay->outbox.record = calloc(replay->outbox.capacity, sizeof(struct egress));
    if (memory && replay->outbox.record) {
        replay->core = core_init(memory, replay->model, start->epoch, start->t_ns);

        double began_s = now_s();

        result = take_all(replay);
        replay->took_s = now_s() - began_s;
    } else {
        snprintf(replay->error, sizeof(replay->error), "out of memory");
    }
    free(replay->outbox.record);
    free(memory);
    return result;
}

/* ---- what is said about it ---- */

static void print_slot(const struct model *model, const struct slot *slot)
{
    static const char *const kind[SLOT_KIND_COUNT] = {"?", "reading", "report", "tick", "tick part",
                                                      "refused", "order", "digest"};

    printf("  %12" PRIu64 "  %14.6f s  %-9s ", slot->sequence, (double)slot->t_ns * 1e-9, kind[slot->kind]);
    if (slot->kind == SLOT_READING)
        printf("%s", model->meter[slot->reading.meter].name);
    else if (slot->kind == SLOT_REPORT)
        printf("%s", model->host[slot->report.host].name);
    else if (slot->kind == SLOT_REFUSED)
        printf("%s", model->host[slot->refused.host].name);
    else if (slot->kind == SLOT_TICK)
        printf("%" PRIu64, slot->tick.number);
    putchar('\n');
}

static void print_difference(const struct replay *replay)
{
    uint32_t count = replay->difference.before + replay->difference.after;

    printf("first difference: second %" PRIu64 ", slots %" PRIu64 " to %" PRIu64 ": %s\n",
           replay->difference.recorded.second ? replay->difference.recorded.second
                                              : replay->difference.replayed.second,
           replay->difference.sequence_first, replay->difference.sequence_last, replay->difference.what);
    printf("  recorded digest %016" PRIx64 " after %" PRIu64 " decisions\n",
           replay->difference.recorded.digest, replay->difference.recorded.decisions);
    printf("  replayed digest %016" PRIx64 " after %" PRIu64 " decisions\n",
           replay->difference.replayed.digest, replay->difference.replayed.decisions);
    for (uint32_t i = 0; i < count; i++) {
        if (i == replay->difference.before)
            puts("  -- here the second is compared --");
        print_slot(replay->model, &replay->difference.slot[i]);
    }
}

static double span_s(const struct replay *replay)
{
    return (double)(replay->last_t_ns - replay->first_t_ns) * 1e-9;
}

static void print_text(const struct replay *replay, bool damaged)
{
    double took_s = replay->took_s > 0 ? replay->took_s : 1e-9;

    printf("%s: %" PRIu64 " seconds compared, %" PRIu64 " slots, %" PRIu64 " decisions, digest %016" PRIx64 "\n",
           is_exact(replay) && !damaged ? "exact" : "NOT exact", replay->seconds, replay->slots,
           replay->decisions, replay->last.digest);
    printf("speed: %.0f x real time, %.0f slots/s\n", span_s(replay) / took_s, (double)replay->slots / took_s);
    if (replay->seconds == 0)
        puts("nothing to compare: no second is closed in this journal");
    if (missing(replay) > 0)
        printf("missing: %" PRIu64 " slots were not recorded, so decisions after them cannot agree\n",
               missing(replay));
    if (replay->disorder > 0)
        printf("disorder: %" PRIu64 " slots stand after a later one\n", replay->disorder);
    if (replay->error[0])
        printf("%s: %s\n", damaged ? "damage" : "note", replay->error);
    if (replay->difference.what)
        print_difference(replay);
}

static void print_json(const struct replay *replay, bool damaged)
{
    double took_s = replay->took_s > 0 ? replay->took_s : 1e-9;

    printf("{\"exact\": %s, \"seconds\": %" PRIu64 ", \"slots\": %" PRIu64 ", \"decisions\": %" PRIu64
           ", \"missing\": %" PRIu64 ", ",
           is_exact(replay) && !damaged ? "true" : "false", replay->seconds, replay->slots, replay->decisions,
           missing(replay));
    if (replay->difference.what)
        printf("\"first_difference\": {\"second\": %" PRIu64 ", \"sequence_first\": %" PRIu64
               ", \"sequence_last\": %" PRIu64 ", \"recorded\": \"%016" PRIx64 "\", \"replayed\": \"%016" PRIx64
               "\"}, ",
               replay->difference.recorded.second ? replay->difference.recorded.second
                                                  : replay->difference.replayed.second,
               replay->difference.sequence_first, replay->difference.sequence_last,
               replay->difference.recorded.digest, replay->difference.replayed.digest);
    else
        printf("\"first_difference\": null, ");
    printf("\"digest\": \"%016" PRIx64 "\", \"disorder\": %" PRIu64 ", \"torn\": %s, \"damaged\": %s, "
           "\"times_real\": %.1f, \"slots_per_s\": %.0f}\n",
           replay->last.digest, replay->disorder, replay->error[0] && !damaged ? "true" : "false",
           damaged ? "true" : "false", span_s(replay) / took_s, (double)replay->slots / took_s);
}

int replay_file(const char *path, bool json)
{
    struct replay replay = {0};

    if (journal_open(&replay.reader, path, replay.error, sizeof(replay.error))) {
        fprintf(stderr, "flyball: %s: %s\n", path, replay.error);
        return CLI_CONNECT;
    }
    replay.model = journal_model(replay.reader);

    bool damaged = run(&replay) != 0;

    if (json)
        print_json(&replay, damaged);
    else
        print_text(&replay, damaged);
    if (damaged)
        fprintf(stderr, "flyball: %s: %s\n", path, replay.error);

    int result = damaged ? CLI_CONNECT : is_exact(&replay) ? CLI_OK : CLI_ALARM;

    journal_close(replay.reader);
    return result;
}
