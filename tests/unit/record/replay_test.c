/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A made-up run of the demo site through the real pipeline, recorded the way decide's tap does it, and
 * replayed by the verb; then the same run with one thing wrong with it. First argument: the site file.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "core/pipeline.h"
#include "record/journal.h"
#include "sample.h"
#include "site/site.h"

extern const struct cli_verb cli_replay;

enum { SECONDS = 5, SLOTS_PER_S = 400, EPOCH = 3, FIRST_S = 100 };

/* What may be done to the record of a run. 0 = nothing. */
struct harm {
    uint64_t leave_out;         /* the slot of this sequence is not recorded */
    uint64_t change_draw;       /* the first report from this sequence on is recorded wrong */
    uint64_t change_digest;     /* of this second, counted from FIRST_S */
    uint64_t change_decisions;  /* likewise */
    uint64_t leave_out_digest;
    uint64_t bad_host;          /* this slot names a host that the site does not have */
    uint64_t bad_meter;         /* ... or a meter */
    uint64_t repeat;            /* this slot is recorded twice */
    bool unfinished;
    uint64_t mark;              /* slots up to this sequence were taken by a clock that nobody kept */
};

static const char *site_path;
static struct site site;
static uint64_t random_state;
static char path[200], output[200];

static uint64_t random_below(uint64_t bound)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state % bound;
}

static int load_site(void **state)
{
    (void)state;
    random_state = (uint64_t)time(NULL) | 1;
    print_message("seed %llu\n", (unsigned long long)random_state);
    sample_path(path, sizeof(path), "replay");
    sample_path(output, sizeof(output), "replay-output");
    return site_load(&site, site_path, NULL, stderr);
}

static int unload_site(void **state)
{
    (void)state;
    unlink(path);
    unlink(output);
    site_unload(&site);
    return 0;
}

static int remove_file(void **state)
{
    (void)state;
    unlink(path);
    return 0;
}

static void make_reading(struct slot *slot)
{
    struct reading *reading = &slot->reading;
    const struct model *model = &site.model;

    slot->kind = SLOT_READING;
    reading->meter = (uint32_t)random_below(model->meter_count);
    const struct model_node *node = &model->node[model->meter[reading->meter].node];

    for (int phase = 0; phase < PHASES; phase++) {
        reading->voltage_mv[phase] = node->volts_ln_mv;
        reading->current_ma[phase] = node->steady_ma / 100 * (int64_t)random_below(120);
        reading->power_mw[phase] = node->volts_ln_mv * (reading->current_ma[phase] / 1000);
    }
    reading->t_arrival_ns = slot->t_ns;
    reading->crest_milli = 1414;
}

static void make_report(struct slot *slot)
{
    struct report *report = &slot->report;
    const struct model *model = &site.model;

    slot->kind = SLOT_REPORT;
    report->host = (uint32_t)random_below(model->host_count);
    const struct model_host *host = &model->host[report->host];

    report->incarnation = 1;
    report->epoch = EPOCH;
    report->number = slot->sequence;
    report->state = HOST_FAIL_SAFE;
    report->held_ns = 10 * NS_PER_S;
    report->cap_mw = report->readback_mw = report->fail_safe_mw = host->fail_safe_mw;
    report->phys_max_mw = model->type[host->type].phys_max_mw;
    report->draw_mw = (int64_t)random_below(8000) * 1000;
}

static void make_slot(struct slot *slot, uint64_t sequence, bool tick_open)
{
    memset(slot, 0, sizeof(*slot));
    slot->sequence = sequence;
    slot->t_ns = FIRST_S * NS_PER_S + (int64_t)sequence * (NS_PER_S / SLOTS_PER_S);
    slot->t_receive_ns = slot->t_ns;
    if (tick_open && sequence % 2 == 0) {
        slot->kind = SLOT_TICK_PART;
    } else if (sequence % 8 == 0) {
        slot->kind = SLOT_TICK;
        slot->tick.number = sequence / 8;
    } else if (random_below(3) == 0) {
        make_reading(slot);
    } else {
        make_report(slot);
    }
}

static void record_slot(struct journal_writer *writer, struct slot slot, struct harm *harm)
{
    if (slot.sequence == harm->leave_out)
        return;
    if (harm->change_draw && slot.sequence >= harm->change_draw && slot.kind == SLOT_REPORT) {
        slot.report.number += 1000000;      /* every later report of this host is stale in the replay */
        harm->change_draw = 0;
    }
    if (slot.sequence == harm->bad_host) {
        slot.kind = SLOT_REPORT;
        slot.report.host = site.model.host_count;
    }
    if (slot.sequence == harm->bad_meter) {
        slot.kind = SLOT_READING;
        slot.reading.meter = site.model.meter_count;
    }
    if (slot.sequence <= harm->mark)
        slot.marks = SLOT_CLOCK_FREE | (slot.sequence % 2 ? SLOT_CLOCK_STEPPED : 0);
    if (slot.sequence == harm->repeat)
        assert_true(journal_append(writer, &slot));
    assert_true(journal_append(writer, &slot));
}

static void record_digest(struct journal_writer *writer, const struct outbox *outbox, struct slot slot,
                          struct harm *harm)
{
    slot.kind = SLOT_DIGEST;
    slot.digest = outbox->digest;
    if (harm->change_digest && outbox->digest.second == harm->change_digest + FIRST_S)
        slot.digest.digest ^= 1;
    if (harm->change_decisions && outbox->digest.second == harm->change_decisions + FIRST_S)
        slot.digest.decisions++;
    if (!harm->leave_out_digest || outbox->digest.second != harm->leave_out_digest + FIRST_S)
        assert_true(journal_append(writer, &slot));
}

static void record_run(struct harm harm)
{
    size_t bytes = (core_bytes(&site.model) + 63) / 64 * 64;
    void *memory = aligned_alloc(64, bytes);
    struct outbox outbox = {.capacity = site.model.host_count + 1};
    struct journal_start start = {.epoch = EPOCH, .t_ns = FIRST_S * NS_PER_S + NS_PER_MS};
    struct journal_writer *writer = NULL;

    outbox.record = calloc(outbox.capacity, sizeof(struct egress));
    struct core *core = core_init(memory, &site.model, start.epoch, start.t_ns);

    assert_int_equal(journal_create(&writer, path, &site.model, &start), 0);
    for (uint64_t sequence = 1; sequence <= SECONDS * SLOTS_PER_S + SLOTS_PER_S / 2; sequence++) {
        struct slot slot;

        make_slot(&slot, sequence, pipeline_tick_open(core));
        pipeline_step(core, &slot, &outbox);
        record_slot(writer, slot, &harm);
        if (outbox.digest_due)
            record_digest(writer, &outbox, slot, &harm);
    }
    assert_int_equal(journal_finish(writer), 0);
    free(outbox.record);
    free(memory);
    if (harm.unfinished) {
        struct stat status;

        assert_int_equal(stat(path, &status), 0);
        assert_int_equal(truncate(path, status.st_size - 3000), 0);
    }
}

/* Runs the verb with its output in a file. Returns its exit code, and the object it printed. */
static int replay(json_t **said)
{
    char verb[] = "replay", option[] = "--json";
    char *arguments[] = {verb, path, option, NULL};
    int kept = dup(STDOUT_FILENO), file = open(output, O_CREAT | O_TRUNC | O_RDWR, 0600);

    fflush(stdout);
    dup2(file, STDOUT_FILENO);
    int code = cli_replay.run(3, arguments);
    fflush(stdout);
    dup2(kept, STDOUT_FILENO);
    close(kept);
    lseek(file, 0, SEEK_SET);
    *said = json_loadfd(file, 0, NULL);
    close(file);
    assert_non_null(*said);
    return code;
}

static json_int_t number(const json_t *said, const char *key)
{
    return json_integer_value(json_object_get(said, key));
}

static bool is_true(const json_t *said, const char *key)
{
    return json_is_true(json_object_get(said, key));
}

static void an_unharmed_run_replays_exactly(void **state)
{
    (void)state;
    json_t *said;

    record_run((struct harm){0});
    assert_int_equal(replay(&said), CLI_OK);
    assert_true(is_true(said, "exact"));
    assert_int_equal(number(said, "seconds"), SECONDS);
    assert_int_equal(number(said, "slots"), SECONDS * SLOTS_PER_S + SLOTS_PER_S / 2);
    assert_true(number(said, "decisions") > 100);
    assert_int_equal(number(said, "missing"), 0);
    assert_true(json_is_null(json_object_get(said, "first_difference")));
    assert_true(json_is_string(json_object_get(said, "digest")));
    assert_false(is_true(said, "torn"));
    json_decref(said);
}

static void slots_of_a_clock_that_nobody_kept_are_counted_and_decide_alike(void **state)
{
    (void)state;
    json_t *said;

    record_run((struct harm){.mark = 500});
    assert_int_equal(replay(&said), CLI_OK);
    assert_true(is_true(said, "exact"));
    assert_int_equal(number(said, "clock_free"), 500);
    assert_int_equal(number(said, "clock_stepped"), 250);
    json_decref(said);
    unlink(path);
    record_run((struct harm){0});
    assert_int_equal(replay(&said), CLI_OK);
    assert_int_equal(number(said, "clock_free"), 0);
    json_decref(said);
}

static void a_slot_left_out_is_missing_and_not_exact(void **state)
{
    (void)state;
    json_t *said;

    record_run((struct harm){.leave_out = 900});
    assert_int_equal(replay(&said), CLI_ALARM);
    assert_false(is_true(said, "exact"));
    assert_int_equal(number(said, "missing"), 1);
    json_decref(said);
}

static void assert_difference(struct harm harm, json_int_t second)
{
    json_t *said;

    record_run(harm);
    assert_int_equal(replay(&said), CLI_ALARM);
    assert_false(is_true(said, "exact"));
    assert_int_equal(number(json_object_get(said, "first_difference"), "second"), second);
    json_decref(said);
    unlink(path);
}

static void the_first_second_that_differs_is_named(void **state)
{
    (void)state;
    assert_difference((struct harm){.change_digest = 2}, 102);
    assert_difference((struct harm){.change_decisions = 4}, 104);
    assert_difference((struct harm){.leave_out_digest = 3}, 103);
}

static void another_input_makes_another_decision(void **state)
{
    (void)state;
    json_t *said;

    record_run((struct harm){.change_draw = 850});
    assert_int_equal(replay(&said), CLI_ALARM);
    assert_true(number(json_object_get(said, "first_difference"), "second") >= 102);
    json_decref(said);
}

/* In the last half second, which no digest covers: the order alone tells. */
static void a_slot_recorded_twice_is_not_exact(void **state)
{
    (void)state;
    json_t *said;

    record_run((struct harm){.repeat = SECONDS * SLOTS_PER_S + 100});
    assert_int_equal(replay(&said), CLI_ALARM);
    assert_false(is_true(said, "exact"));
    assert_true(json_is_null(json_object_get(said, "first_difference")));
    assert_int_equal(number(said, "disorder"), 1);
    json_decref(said);
}

static void a_torn_journal_is_compared_as_far_as_it_goes(void **state)
{
    (void)state;
    json_t *said;

    record_run((struct harm){.unfinished = true});
    assert_int_equal(replay(&said), CLI_OK);
    assert_true(is_true(said, "exact"));
    assert_true(is_true(said, "torn"));
    assert_in_range(number(said, "seconds"), SECONDS - 1, SECONDS);
    json_decref(said);
}

static void a_slot_that_names_an_unknown_host_or_meter_is_not_fed(void **state)
{
    (void)state;
    json_t *said;

    record_run((struct harm){.bad_host = 700});
    assert_int_equal(replay(&said), CLI_CONNECT);
    assert_true(is_true(said, "damaged"));
    assert_false(is_true(said, "exact"));
    json_decref(said);
    unlink(path);
    record_run((struct harm){.bad_meter = 700});
    assert_int_equal(replay(&said), CLI_CONNECT);
    json_decref(said);
}

static void what_cannot_be_read_or_understood_has_its_own_exit_code(void **state)
{
    (void)state;
    char verb[] = "replay", nowhere[] = "/nowhere/at/all.journal", wrong[] = "--wrong";
    char *missing[] = {verb, nowhere, NULL}, *unknown[] = {verb, nowhere, wrong, NULL};

    assert_int_equal(cli_replay.run(2, missing), CLI_CONNECT);
    assert_int_equal(cli_replay.run(3, unknown), CLI_USAGE);
    assert_int_equal(cli_replay.run(1, missing), CLI_USAGE);
    assert_int_equal(cli_replay.run(2, (char *[]){verb, (char *)(uintptr_t)site_path, NULL}), CLI_CONNECT);
}

#define REPLAY_TEST(name) cmocka_unit_test_teardown(name, remove_file)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        REPLAY_TEST(an_unharmed_run_replays_exactly),
        REPLAY_TEST(slots_of_a_clock_that_nobody_kept_are_counted_and_decide_alike),
        REPLAY_TEST(a_slot_left_out_is_missing_and_not_exact),
        REPLAY_TEST(the_first_second_that_differs_is_named),
        REPLAY_TEST(another_input_makes_another_decision),
        REPLAY_TEST(a_slot_recorded_twice_is_not_exact),
        REPLAY_TEST(a_torn_journal_is_compared_as_far_as_it_goes),
        REPLAY_TEST(a_slot_that_names_an_unknown_host_or_meter_is_not_fed),
        REPLAY_TEST(what_cannot_be_read_or_understood_has_its_own_exit_code),
    };

    if (argc < 2)
        return 2;
    site_path = argv[1];
    return cmocka_run_group_tests(tests, load_site, unload_site);
}
