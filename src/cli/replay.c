/* SPDX-License-Identifier: Apache-2.0 */
/* flyball replay: does the journal give the same decisions again. */
#include <inttypes.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/cli.h"
#include "cli/replay_run.h"

struct told {
    const struct model *model;
    struct replay_result result;
    double took_s;
    bool damaged;
    char note[200];             /* the damage, or where the journal is torn, or "" */
};

static double now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static bool is_exact(const struct told *told)
{
    return !told->damaged && replay_is_exact(&told->result);
}

static double times_real(const struct told *told)
{
    return (double)(told->result.last_t_ns - told->result.first_t_ns) * 1e-9 / told->took_s;
}

static double slots_per_s(const struct told *told)
{
    return (double)told->result.slots / told->took_s;
}

/* ---- as text ---- */

static void print_slot(const struct model *model, const struct slot *slot)
{
    static const char *const kind[SLOT_KIND_COUNT] = {"?",       "reading", "report", "tick",
                                                      "tick part", "refused", "order",  "digest",
                                                      "token",   "account", "handed", "spectrum",
                                                      "swing",   "quality"};

    printf("  %12" PRIu64 "  %14.6f s  %-9s", slot->sequence, (double)slot->t_ns * 1e-9, kind[slot->kind]);
    if (slot->kind == SLOT_READING)
        printf("  %s", model->meter[slot->reading.meter].name);
    else if (slot->kind == SLOT_REPORT)
        printf("  %s", model->host[slot->report.host].name);
    else if (slot->kind == SLOT_TOKEN)
        printf("  %s", model->host[slot->token.host].name);
    else if (slot->kind == SLOT_REFUSED)
        printf("  %s", model->host[slot->refused.host].name);
    else if (slot->kind == SLOT_TICK)
        printf("  %" PRIu64, slot->tick.number);
    putchar('\n');
}

static void print_side(const char *side, const struct slot_digest *digest)
{
    printf("  %s  digest %016" PRIx64 " after %" PRIu64 " decisions\n", side, digest->digest,
           digest->decisions);
}

static void print_difference(const struct told *told)
{
    const struct replay_difference *difference = &told->result.difference;

    printf("first difference: second %" PRIu64 ", slots %" PRIu64 " to %" PRIu64 ": %s\n", difference->second,
           difference->sequence_first, difference->sequence_last, difference->what);
    print_side("recorded", &difference->recorded);
    print_side("replayed", &difference->replayed);
    for (uint32_t i = 0; i < difference->before + difference->after; i++) {
        if (i == difference->before)
            puts("  -- the second is compared here --");
        print_slot(told->model, &difference->slot[i]);
    }
}

static void print_text(const struct told *told)
{
    const struct replay_result *result = &told->result;

    printf("%s: %" PRIu64 " seconds compared, %" PRIu64 " slots, %" PRIu64 " decisions\n",
           is_exact(told) ? "exact" : "NOT exact", result->seconds, result->slots, result->decisions);
    printf("digest %016" PRIx64 ", %.0f x real time, %.0f slots/s\n", result->agreed.digest, times_real(told),
           slots_per_s(told));
    if (result->seconds == 0)
        puts("nothing to compare: no second is closed in this journal");
    if (result->missing > 0)
        printf("missing: %" PRIu64 " slots were not recorded; decisions after them need not agree\n",
               result->missing);
    if (result->disorder > 0)
        printf("disorder: %" PRIu64 " slots stand after a later one\n", result->disorder);
    if (result->clock_free > 0)
        printf("clock: %" PRIu64 " slots while this machine's clock was not synchronised\n",
               result->clock_free);
    if (result->clock_stepped > 0)
        printf("clock: %" PRIu64 " readings of meters whose clock had just gone ahead\n",
               result->clock_stepped);
    if (told->note[0] && !told->damaged)
        printf("%s\n", told->note);
    if (result->difference.what)
        print_difference(told);
}

/* ---- as JSON ---- */

static json_t *hex(uint64_t value)
{
    char text[17];

    snprintf(text, sizeof(text), "%016" PRIx64, value);
    return json_string(text);
}

static json_t *difference_json(const struct replay_difference *difference)
{
    if (!difference->what)
        return json_null();
    return json_pack("{s:I, s:s, s:I, s:I, s:o, s:o}",
                     "second", (json_int_t)difference->second,
                     "what", difference->what,
                     "sequence_first", (json_int_t)difference->sequence_first,
                     "sequence_last", (json_int_t)difference->sequence_last,
                     "recorded", hex(difference->recorded.digest),
                     "replayed", hex(difference->replayed.digest));
}

static void print_json(const struct told *told)
{
    const struct replay_result *result = &told->result;
    json_t *all = json_pack("{s:b, s:I, s:I, s:I, s:I, s:o, s:o, s:I, s:b, s:b, s:s, s:f, s:f, s:I, s:I}",
                            "exact", is_exact(told),
                            "seconds", (json_int_t)result->seconds,
                            "slots", (json_int_t)result->slots,
                            "decisions", (json_int_t)result->decisions,
                            "missing", (json_int_t)result->missing,
                            "first_difference", difference_json(&result->difference),
                            "digest", hex(result->agreed.digest),
                            "disorder", (json_int_t)result->disorder,
                            "torn", told->note[0] && !told->damaged,
                            "damaged", (int)told->damaged,
                            "note", told->note,
                            "times_real", times_real(told),
                            "slots_per_s", slots_per_s(told),
                            "clock_free", (json_int_t)result->clock_free,
                            "clock_stepped", (json_int_t)result->clock_stepped);

    json_dumpf(all, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(all);
}

/* ---- the verb ---- */

static int replay_file(const char *path, bool json)
{
    struct told told = {0};
    struct journal_reader *reader;

    if (journal_open(&reader, path, told.note, sizeof(told.note))) {
        fprintf(stderr, "flyball: %s: %s\n", path, told.note);
        return CLI_CONNECT;
    }

    double began_s = now_s();

    told.model = journal_model(reader);
    told.damaged = replay_journal(reader, &told.result, told.note, sizeof(told.note)) != 0;
    told.took_s = now_s() - began_s + 1e-9;
    if (json)
        print_json(&told);
    else
        print_text(&told);
    if (told.damaged)
        fprintf(stderr, "flyball: %s: %s\n", path, told.note);
    journal_close(reader);
    return told.damaged ? CLI_CONNECT : is_exact(&told) ? CLI_OK : CLI_ALARM;
}

/* NULL when the arguments are not FILE and perhaps --json. */
static const char *parse(int argc, char **argv, bool *json)
{
    const char *path = NULL;

    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--json"))
            *json = true;
        else if (argv[i][0] == '-' || path)
            return NULL;
        else
            path = argv[i];
    }
    return path;
}

static int run(int argc, char **argv)
{
    bool json = false;
    const char *path = parse(argc, argv, &json);

    if (path)
        return replay_file(path, json);
    fputs("usage: flyball replay FILE [--json]\n", stderr);
    return CLI_USAGE;
}

const struct cli_verb cli_replay = {
    .name = "replay",
    .arguments = "FILE [--json]",
    .summary = "run a journal through the pipeline again: are the decisions the same",
    .help =
        "Reads FILE, a journal that flyballd wrote, feeds every input in it to the same pipeline, started\n"
        "the same way, and compares the digest of all decisions at the end of each second with the one\n"
        "recorded then. Prints how much was compared, how fast, and the first second that differs with the\n"
        "slots around it.\n\n"
        "  --json   one JSON object: exact, seconds, slots, decisions, missing, first_difference, digest,\n"
        "           disorder, torn, damaged, note, times_real, slots_per_s, clock_free, clock_stepped\n\n"
        "A journal that was not finished (the daemon runs, or crashed) is compared up to where it is torn.\n"
        "A second that was not closed is not compared. Slots that were not recorded make it not exact.\n\n"
        "Exit: 0 exact, 1 not exact (or nothing to compare, or slots missing), 2 usage, 3 FILE cannot be\n"
        "read or is damaged.\n",
    .run = run,
};
