/* SPDX-License-Identifier: Apache-2.0 */
/* What was accepted of a meter is not accepted again after any crash: at every moment, what stands on the
 * disk is above it. What that costs a meter, and what happens when the disk takes nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "loop/marks.h"
#include "rig.h"

#define MS NS_PER_MS
#define NOW_NS (INT64_C(1000) * NS_PER_S)
enum { METER = 1, TURN_MS = 20, RUN = 77 };

struct bed {
    struct rig_site site;
    struct marks marks;
    struct replay_window window[RIG_METERS];
    char folder[32], path[64], fresh[80], memory[64];
    FILE *notes;
    char *said;
    size_t said_bytes;
    int64_t now_ns;
    uint64_t accepted;          /* the highest */
    uint32_t refused;
};

static void start(struct bed *bed, uint64_t run, bool memory)
{
    assert_int_equal(marks_open(&bed->marks, &bed->site.model, bed->path, memory ? bed->memory : "", run,
                                bed->window, bed->notes), 0);
}

static int make_bed(void **state)
{
    static struct bed bed;
    memset(&bed, 0, sizeof bed);
    rig_site_init(&bed.site);
    snprintf(bed.folder, sizeof bed.folder, "/tmp/flyball-marks-XXXXXX");
    assert_non_null(mkdtemp(bed.folder));
    snprintf(bed.path, sizeof bed.path, "%s/site.marks", bed.folder);
    snprintf(bed.fresh, sizeof bed.fresh, "%s.new", bed.path);
    snprintf(bed.memory, sizeof bed.memory, "/dev/shm/flyball-marks-test-%d", (int)getpid());
    bed.notes = open_memstream(&bed.said, &bed.said_bytes);
    assert_non_null(bed.notes);
    bed.now_ns = NOW_NS;
    start(&bed, RUN, false);
    *state = &bed;
    return 0;
}

/* As a kill does it: nothing more is written. */
static void crash(struct bed *bed)
{
    *bed->marks.path = 0;
    marks_close(&bed->marks);
}

static int drop_bed(void **state)
{
    struct bed *bed = *state;
    crash(bed);
    fclose(bed->notes);
    free(bed->said);
    unlink(bed->path);
    unlink(bed->memory);
    rmdir(bed->fresh);
    unlink(bed->fresh);
    return rmdir(bed->folder);
}

static uint64_t on_disk_of(const struct bed *bed, uint32_t meter)
{
    uint64_t number[RIG_METERS], run;
    assert_int_equal(mark_file_read(bed->path, &bed->marks.names, number, &run), 0);
    return number[meter];
}

static uint64_t on_disk(const struct bed *bed)
{
    return on_disk_of(bed, METER);
}

/* As the lane does it. */
static int hear(struct bed *bed, uint64_t sequence)
{
    bool unheld;
    struct replay_window *window = &bed->window[METER];
    int refused = sequence > window->newest
        ? marks_admit(&bed->marks, METER, sequence, bed->now_ns, &unheld) : ACCEPTED;
    if (!refused)
        refused = replay_check(window, sequence);
    if (!refused && sequence > bed->accepted)
        bed->accepted = sequence;
    bed->refused += refused == REFUSED_UNMARKED;
    return refused;
}

/* A meter that says a frame every period_ms, its numbers going up by `step`, with the thread beside it. */
static uint64_t play(struct bed *bed, uint64_t sequence, uint64_t step, int64_t period_ms, int64_t for_ms)
{
    for (int64_t ms = 0; ms < for_ms; ms++) {
        bed->now_ns += MS;
        if (ms % TURN_MS == 0)
            marks_look(&bed->marks, bed->now_ns);
        if (ms % period_ms == 0)
            hear(bed, sequence += step);
        if (ms % 10 == 0 && bed->accepted)
            assert_true(on_disk(bed) >= bed->accepted);
    }
    return sequence;
}

static const struct { uint64_t first, step; int64_t period_ms; } kind[] = {
    {1, 1, 16}, {1795220356600946113, 16000000, 16}, {500, 1, 1000}, {1, 1, 4}, {7, 1, 9000},
};
enum { KINDS = sizeof kind / sizeof kind[0] };

static void the_disk_is_always_ahead_and_refuses_nobody_who_goes_on(void **state)
{
    struct bed *bed = *state;
    for (size_t i = 0; i < KINDS; i++) {
        int64_t warm_ms = 3000 + 2 * kind[i].period_ms;
        uint64_t number = play(bed, kind[i].first, kind[i].step, kind[i].period_ms, warm_ms);
        uint32_t refused = bed->refused;
        assert_true(refused && refused * kind[i].period_ms <= 200 + 3 * kind[i].period_ms);
        play(bed, number, kind[i].step, kind[i].period_ms, 20000);
        assert_int_equal(bed->refused, refused);
        assert_int_equal(atomic_load(&bed->marks.failures), 0);
        assert_true(atomic_load(&bed->marks.writes) < 100 + (uint64_t)i * 100);
        drop_bed(state);
        make_bed(state);
    }
}

static void after_a_crash_no_recording_passes_and_the_meter_goes_on(void **state)
{
    struct bed *bed = *state;
    for (size_t i = 0; i < KINDS; i++) {
        uint64_t number = play(bed, kind[i].first, kind[i].step, kind[i].period_ms,
                               5000 + 2 * kind[i].period_ms + 137 * (int64_t)i);
        uint64_t accepted = bed->accepted, back = 0;
        crash(bed);
        start(bed, RUN + 1, false);
        for (uint64_t old = kind[i].first; old <= accepted; old += (accepted - kind[i].first) / 100 + 1)
            assert_true(hear(bed, old) != ACCEPTED);
        assert_true(hear(bed, accepted) != ACCEPTED);
        int64_t lost_ns = 0;
        while (lost_ns < 100 * NS_PER_S && !back) {
            bed->accepted = 0;
            number = play(bed, number, kind[i].step, kind[i].period_ms, kind[i].period_ms);
            lost_ns += kind[i].period_ms * MS;
            back = bed->accepted;
        }
        /* the reserve, or one number; and two frames that ask for more */
        int64_t reserve_ns =
            kind[i].period_ms * MS > MARKS_AHEAD_NS ? kind[i].period_ms * MS : MARKS_AHEAD_NS;
        if (!back || lost_ns > reserve_ns + 2 * kind[i].period_ms * MS + 250 * MS)
            fail_msg("kind %zu: back after %lld ms", i, (long long)(lost_ns / MS));
        drop_bed(state);
        make_bed(state);
    }
}

static void a_jump_does_not_shut_a_meter_out_for_long(void **state)
{
    struct bed *bed = *state;
    play(bed, 1, 1, 16, 5000);
    uint64_t number = play(bed, UINT64_C(1) << 60, 1, 16, 5000);
    assert_true(on_disk(bed) >= bed->accepted && on_disk(bed) - number < 300);
    number = play(bed, UINT64_MAX - 1000, 1, 16, 5000);
    assert_true(bed->accepted == number);
}

static void a_disk_that_takes_nothing_stops_no_meter_and_is_shown(void **state)
{
    struct bed *bed = *state;
    uint64_t number = play(bed, 1, 1, 16, 5000), held = on_disk(bed);
    assert_false(marks_are_lapsed(&bed->marks, bed->now_ns));
    assert_int_equal(mkdir(bed->fresh, 0700), 0);           /* nothing can be made beside it */
    uint32_t refused = bed->refused;
    for (int64_t ms = 0; ms < 8000; ms++) {
        bed->now_ns += MS;
        if (ms % TURN_MS == 0)
            marks_look(&bed->marks, bed->now_ns);
        if (ms % 16 == 0)
            hear(bed, ++number);
    }
    assert_true(bed->accepted == number && bed->refused == refused);
    assert_true(marks_are_lapsed(&bed->marks, bed->now_ns));
    uint64_t failures = atomic_load(&bed->marks.failures);
    assert_true(failures > 5 && failures < 50 && on_disk(bed) == held);
    assert_int_equal(rmdir(bed->fresh), 0);
    marks_look(&bed->marks, bed->now_ns += MARKS_EVERY_NS);
    play(bed, number, 1, 16, 1000);
    assert_false(marks_are_lapsed(&bed->marks, bed->now_ns));
    assert_true(atomic_load(&bed->marks.failures) <= failures + 1);
}

static void a_write_that_hangs_counts_as_failed_until_it_ends(void **state)
{
    struct bed *bed = *state;
    uint64_t number = play(bed, 1, 1, 16, 5000);
    atomic_store(&bed->marks.began_ns, bed->now_ns);
    assert_int_equal(hear(bed, number + 1000), REFUSED_UNMARKED);
    bed->now_ns += MARKS_LATE_NS + 1;
    assert_true(marks_are_lapsed(&bed->marks, bed->now_ns));
    assert_int_equal(hear(bed, number + 1001), ACCEPTED);
    atomic_store(&bed->marks.began_ns, 0);
    assert_false(marks_are_lapsed(&bed->marks, bed->now_ns));
}

static void a_file_that_is_not_whole_is_told_and_written_anew(void **state)
{
    struct bed *bed = *state;
    play(bed, 1, 1, 16, 5000);
    crash(bed);
    assert_int_equal(truncate(bed->path, 30), 0);
    start(bed, RUN + 1, false);
    fflush(bed->notes);
    assert_non_null(strstr(bed->said, "not whole; what was recorded before this start may pass"));
    assert_int_equal(atomic_load(&bed->marks.failures), 1);
    marks_look(&bed->marks, bed->now_ns);
    hear(bed, 5);
    marks_look(&bed->marks, bed->now_ns += NS_PER_S);
    assert_true(on_disk(bed) >= 5);
}

static void memory_spares_the_meter_what_is_reserved(void **state)
{
    struct bed *bed = *state;
    crash(bed);
    start(bed, RUN, true);
    if (bed->marks.memory.fd < 0)
        skip();
    uint64_t number = play(bed, 1, 1, 16, 5000), accepted = bed->accepted;
    crash(bed);
    start(bed, RUN + 1, true);
    uint64_t reserved = on_disk(bed);
    marks_look(&bed->marks, bed->now_ns);       /* a look before anything was heard takes nothing back */
    assert_true(on_disk(bed) == reserved);
    assert_int_equal(hear(bed, accepted), REFUSED_DUPLICATE);
    assert_int_equal(hear(bed, accepted - 70), REFUSED_REORDERED);
    assert_int_equal(hear(bed, number + 1), ACCEPTED);
    number = play(bed, number + 1, 1, 16, 3000);
    marks_close(&bed->marks);                   /* a clean stop leaves the reserve, too */
    start(bed, RUN + 2, true);
    assert_int_equal(hear(bed, bed->accepted), REFUSED_DUPLICATE);
    assert_int_equal(hear(bed, number + 1), ACCEPTED);
    number = play(bed, number + 1, 1, 16, 3000);
    crash(bed);
    start(bed, RUN + 3, false);                 /* another run, without that memory */
    number = play(bed, number, 1, 16, 5000);
    accepted = bed->accepted;
    crash(bed);
    start(bed, RUN + 4, true);                  /* which is old now: the disk counts */
    assert_true(hear(bed, accepted) != ACCEPTED);
}

/* The site file names one meter less before METER, or one more: what memory knows is by name. */
static void memory_knows_a_meter_by_its_name(void **state)
{
    struct bed *bed = *state;
    crash(bed);
    start(bed, RUN, true);
    if (bed->marks.memory.fd < 0)
        skip();
    uint64_t number = play(bed, 1, 1, 16, 5000), accepted = bed->accepted;
    crash(bed);
    struct model *model = &bed->site.model;
    struct model_meter before[2];
    memcpy(before, model->meter, sizeof before);
    uint32_t count = model->meter_count;
    model->meter[0] = before[METER];
    model->meter_count = 1;
    start(bed, RUN + 1, true);
    assert_true(bed->window[0].seen);
    assert_int_equal(bed->window[0].newest, accepted);      /* exactly: not what is reserved */
    assert_true(on_disk_of(bed, 0) > accepted);
    uint64_t writes = atomic_load(&bed->marks.writes);
    for (int turn = 0; turn < 200; turn++) {
        bool unheld;
        marks_admit(&bed->marks, 0, ++number, bed->now_ns += 16 * MS, &unheld);
        marks_look(&bed->marks, bed->now_ns);
    }
    assert_true(atomic_load(&bed->marks.writes) > writes);
    crash(bed);
    memcpy(model->meter, before, sizeof before);
    model->meter_count = count;
    start(bed, RUN + 2, true);
    assert_int_equal(bed->window[METER].newest, number);
    for (uint32_t i = 0; i < count; i++)
        /* not heard of, and not what stood in its place */
        assert_true(i == METER || !bed->window[i].seen);
}

static void memory_that_is_not_whole_counts_for_nothing(void **state)
{
    struct bed *bed = *state;
    crash(bed);
    start(bed, RUN, true);
    if (bed->marks.memory.fd < 0)
        skip();
    play(bed, 1, 1, 16, 5000);
    uint64_t reserved = on_disk(bed), accepted = bed->accepted;
    static uint8_t whole[4096];
    size_t bytes = bed->marks.memory.bytes;
    crash(bed);
    FILE *file = fopen(bed->memory, "re");
    assert_non_null(file);
    assert_int_equal(fread(whole, 1, sizeof whole, file), bytes);
    fclose(file);
    for (size_t kept = 0; kept <= bytes + 8; kept++) {
        file = fopen(bed->memory, "we");
        assert_non_null(file);
        assert_int_equal(fwrite(whole, 1, kept, file), kept);
        fclose(file);
        start(bed, RUN + 1, true);
        assert_int_equal(bed->window[METER].newest, kept == bytes ? accepted : reserved);
        crash(bed);
    }
}

static void a_clean_stop_without_memory_leaves_the_number_itself(void **state)
{
    struct bed *bed = *state;
    uint64_t number = play(bed, 1, 1, 16, 5000);
    assert_true(on_disk(bed) > number);
    marks_close(&bed->marks);
    start(bed, RUN + 1, false);
    assert_true(on_disk(bed) == number);
    assert_int_equal(hear(bed, number), REFUSED_DUPLICATE);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, make_bed, drop_bed)
    const struct CMUnitTest tests[] = {
        CASE(the_disk_is_always_ahead_and_refuses_nobody_who_goes_on),
        CASE(after_a_crash_no_recording_passes_and_the_meter_goes_on),
        CASE(a_jump_does_not_shut_a_meter_out_for_long),
        CASE(a_disk_that_takes_nothing_stops_no_meter_and_is_shown),
        CASE(a_write_that_hangs_counts_as_failed_until_it_ends),
        CASE(a_file_that_is_not_whole_is_told_and_written_anew),
        CASE(memory_spares_the_meter_what_is_reserved),
        CASE(memory_knows_a_meter_by_its_name),
        CASE(memory_that_is_not_whole_counts_for_nothing),
        CASE(a_clean_stop_without_memory_leaves_the_number_itself),
    };
#undef CASE
    return cmocka_run_group_tests(tests, NULL, NULL);
}
