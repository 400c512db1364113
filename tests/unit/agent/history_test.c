/* SPDX-License-Identifier: Apache-2.0 */
/* The history of a host: what is written is read back, and nothing that is not whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/history_file.h"
#include "agent/history_keeper.h"

enum { PLACES = 100 };
#define SPAN_NS (PLACES * HISTORY_PERIOD_NS)
#define START_NS (INT64_C(1700000000) * NS_PER_S)
#define ALL_NS INT64_C(1000000000000000)

struct place {
    char folder[64], path[96], old[104], fresh[104];
};

static int make_place(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    snprintf(place->folder, sizeof place->folder, "/tmp/history.XXXXXX");
    if (!mkdtemp(place->folder))
        return -1;
    snprintf(place->path, sizeof place->path, "%s/history", place->folder);
    snprintf(place->old, sizeof place->old, "%s.old", place->path);
    snprintf(place->fresh, sizeof place->fresh, "%s.new", place->path);
    *state = place;
    return 0;
}

static int remove_place(void **state)
{
    struct place *place = *state;
    unlink(place->path);
    unlink(place->old);
    unlink(place->fresh);
    rmdir(place->folder);
    free(place);
    return 0;
}

/* All members follow from the number, so a mixture of two would show. */
static struct history_sample sample_of(uint64_t number)
{
    return (struct history_sample){
        .realtime_ns = START_NS + (int64_t)number * HISTORY_PERIOD_NS,
        .energy_mj = number * 1000, .lease = number * 3, .asked_mw = (uint32_t)number * 7,
        .enforced_mw = (uint32_t)number * 11, .draw_mw = (uint32_t)number * 13,
        .temperature_mc = (int32_t)number * 17, .boottime_ms = (uint32_t)number * 100,
        .known = 31, .state = 2, .flags = (uint8_t)number, .throttle = (uint8_t)(number * 5)};
}

static void assert_is_sample(const struct history_record *record)
{
    struct history_sample expected = sample_of(record->number);
    assert_memory_equal(&record->sample, &expected, sizeof expected);
}

static struct history_keeper *open_keeper(const struct place *place, const char *host, int64_t span_ns)
{
    char why[HISTORY_WHY_BYTES] = "";
    struct history_keeper *keeper = aligned_alloc(64, (sizeof *keeper + 63) / 64 * 64);
    assert_non_null(keeper);
    int error = history_keeper_open(keeper, place->path, host, span_ns, why);
    if (error)
        print_error("%s\n", why);
    assert_int_equal(error, 0);
    return keeper;
}

static void close_keeper(struct history_keeper *keeper)
{
    history_keeper_close(keeper);
    free(keeper);
}

static void write_samples(struct history_keeper *keeper, uint64_t from, uint64_t to)
{
    for (uint64_t number = from; number <= to; number++) {
        struct history_sample sample = sample_of(number);
        assert_true(history_keeper_note(keeper, &sample));
        assert_int_equal(history_keeper_drain(keeper), 1);
    }
}

static uint64_t read_last(const struct place *place, int64_t last_ns, struct history_record **record)
{
    struct history_file file;
    char why[HISTORY_WHY_BYTES];
    uint64_t count;
    assert_int_equal(history_file_open(&file, place->path, "gpu-1", why), 0);
    assert_int_equal(history_file_last(&file, last_ns, record, &count), 0);
    history_file_close(&file);
    return count;
}

static void assert_reads(const struct place *place, int64_t last_ns, uint64_t from, uint64_t to)
{
    struct history_record *record;
    uint64_t count = read_last(place, last_ns, &record);
    assert_int_equal(count, to - from + 1);
    for (uint64_t i = 0; i < count; i++) {
        assert_int_equal(record[i].number, from + i);
        assert_is_sample(&record[i]);
    }
    free(record);
}

static void what_is_written_is_read_back_in_order_and_only_the_span_asked_for(void **state)
{
    struct place *place = *state;
    struct history_keeper *keeper = open_keeper(place, "gpu-1", SPAN_NS);
    assert_reads(place, ALL_NS, 1, 0);
    write_samples(keeper, 1, 30);
    assert_reads(place, ALL_NS, 1, 30);
    assert_reads(place, NS_PER_S, 21, 30);
    close_keeper(keeper);
    assert_reads(place, ALL_NS, 1, 30);
}

static void the_oldest_give_way_and_the_file_never_grows(void **state)
{
    struct place *place = *state;
    struct history_keeper *keeper = open_keeper(place, "gpu-1", SPAN_NS);
    struct stat what;
    write_samples(keeper, 1, PLACES * 3 + 17);
    assert_int_equal(stat(place->path, &what), 0);
    assert_int_equal(what.st_size, history_bytes(PLACES));
    assert_reads(place, ALL_NS, PLACES * 2 + 18, PLACES * 3 + 17);
    close_keeper(keeper);
}

static void an_agent_that_starts_again_goes_on_where_the_last_one_ended(void **state)
{
    struct place *place = *state;
    uint64_t number = 0;
    for (uint32_t life = 0; life < 5; life++) {
        struct history_keeper *keeper = open_keeper(place, "gpu-1", SPAN_NS);
        assert_int_equal(keeper->number, number);
        write_samples(keeper, number + 1, number + 43);
        number += 43;
        close_keeper(keeper);
    }
    assert_reads(place, ALL_NS, number - PLACES + 1, number);
}

static void change_file(const struct place *place, int64_t at, const void *data, size_t bytes)
{
    int fd = open(place->path, O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, data, bytes, at), bytes);
    close(fd);
}

/* The record of number PLACES + 5 begins to replace that of 5. */
static void a_record_half_written_is_none_wherever_it_was_cut(void **state)
{
    struct place *place = *state;
    struct history_keeper *keeper = open_keeper(place, "gpu-1", SPAN_NS);
    struct history_record fresh = {.sample = sample_of(PLACES + 5)}, *record;
    write_samples(keeper, 1, PLACES + 4);
    history_seal(&keeper->crc, &fresh, PLACES + 5);
    for (size_t cut = 1; cut < sizeof fresh; cut++) {
        change_file(place, HISTORY_HEADER_BYTES + 5 * HISTORY_RECORD_BYTES, &fresh, cut);
        uint64_t count = read_last(place, ALL_NS, &record);
        for (uint64_t i = 0; i < count; i++)
            assert_is_sample(&record[i]);
        assert_int_equal(count, PLACES - 1);
        assert_int_equal(record[count - 1].number, PLACES + 4);
        free(record);
        struct history_record before = {.sample = sample_of(5)};
        history_seal(&keeper->crc, &before, 5);
        change_file(place, HISTORY_HEADER_BYTES + 5 * HISTORY_RECORD_BYTES, &before, sizeof before);
    }
    change_file(place, HISTORY_HEADER_BYTES + 5 * HISTORY_RECORD_BYTES, &fresh, sizeof fresh);
    assert_reads(place, ALL_NS, 6, PLACES + 5);
    close_keeper(keeper);
}

static void any_bit_that_flips_takes_its_record_out_and_no_other(void **state)
{
    struct place *place = *state;
    struct history_keeper *keeper = open_keeper(place, "gpu-1", SPAN_NS);
    struct history_record good = {.sample = sample_of(33)}, *record;
    write_samples(keeper, 1, PLACES);
    history_seal(&keeper->crc, &good, 33);
    for (uint32_t bit = 0; bit < 8 * sizeof good; bit++) {
        struct history_record bad = good;
        ((uint8_t *)&bad)[bit / 8] ^= (uint8_t)(1u << bit % 8);
        change_file(place, HISTORY_HEADER_BYTES + 33 * HISTORY_RECORD_BYTES, &bad, sizeof bad);
        uint64_t count = read_last(place, ALL_NS, &record);
        assert_int_equal(count, PLACES - 1);
        for (uint64_t i = 0; i < count; i++)
            assert_is_sample(&record[i]);
        free(record);
    }
    close_keeper(keeper);
}

static void a_copy_that_was_cut_off_is_read_as_far_as_it_goes(void **state)
{
    struct place *place = *state;
    struct history_keeper *keeper = open_keeper(place, "gpu-1", SPAN_NS);
    write_samples(keeper, 1, 80);
    close_keeper(keeper);
    assert_int_equal(truncate(place->path, HISTORY_HEADER_BYTES + 41 * HISTORY_RECORD_BYTES - 7), 0);
    assert_reads(place, ALL_NS, 1, 39);
}

static int open_error(const struct place *place, const char *host, char why[HISTORY_WHY_BYTES])
{
    struct history_file file;
    int error = history_file_open(&file, place->path, host, why);
    if (!error)
        history_file_close(&file);
    return error;
}

static void what_is_no_history_of_this_host_is_refused_in_words(void **state)
{
    struct place *place = *state;
    char why[HISTORY_WHY_BYTES];
    const uint32_t version = 2;
    const char letter = 'x';
    assert_int_equal(open_error(place, "gpu-1", why), -ENOENT);
    close_keeper(open_keeper(place, "gpu-1", SPAN_NS));
    assert_int_equal(open_error(place, NULL, why), 0);
    assert_int_equal(open_error(place, "gpu-2", why), -EXDEV);
    assert_string_equal(why, "is the history of gpu-1, not of gpu-2");
    change_file(place, offsetof(struct history_header, places), &letter, 1);
    assert_int_equal(open_error(place, "gpu-1", why), -EBADMSG);
    assert_string_equal(why, "has a damaged header");
    change_file(place, offsetof(struct history_header, version), &version, sizeof version);
    assert_int_equal(open_error(place, "gpu-1", why), -EPROTO);
    assert_string_equal(why, "is a history of version 2, this program reads version 1");
    change_file(place, 0, &letter, 1);
    assert_int_equal(open_error(place, "gpu-1", why), -EBADMSG);
    assert_string_equal(why, "is no history of a host: it does not begin as one");
    assert_int_equal(truncate(place->path, 20), 0);
    assert_int_equal(open_error(place, "gpu-1", why), -EBADMSG);
    assert_string_equal(why, "is no history of a host: it is too short");
}

static void a_history_of_another_host_or_size_is_kept_beside(void **state)
{
    struct place *place = *state;
    struct history_record *record;
    struct history_keeper *keeper = open_keeper(place, "gpu-2", SPAN_NS);
    write_samples(keeper, 1, 9);
    close_keeper(keeper);
    keeper = open_keeper(place, "gpu-1", SPAN_NS);
    assert_int_equal(read_last(place, ALL_NS, &record), 0);
    free(record);
    assert_int_equal(access(place->old, F_OK), 0);
    write_samples(keeper, 1, 9);
    close_keeper(keeper);
    assert_int_equal(unlink(place->old), 0);
    close_keeper(open_keeper(place, "gpu-1", 2 * SPAN_NS));
    assert_int_equal(access(place->old, F_OK), 0);
    assert_int_equal(access(place->fresh, F_OK), -1);
}

static void who_else_may_write_the_file_is_not_believed(void **state)
{
    struct place *place = *state;
    struct history_keeper *keeper = open_keeper(place, "gpu-1", SPAN_NS);
    write_samples(keeper, 1, 9);
    close_keeper(keeper);
    assert_int_equal(chmod(place->path, 0666), 0);
    keeper = open_keeper(place, "gpu-1", SPAN_NS);
    assert_int_equal(keeper->number, 0);
    close_keeper(keeper);
}

static void what_the_queue_cannot_hold_is_counted_and_told_with_the_next_sample(void **state)
{
    struct place *place = *state;
    struct history_keeper *keeper = open_keeper(place, "gpu-1", SPAN_NS);
    struct history_sample sample = sample_of(1);
    struct history_record *record;
    for (uint32_t i = 0; i < HISTORY_QUEUE; i++)
        assert_true(history_keeper_note(keeper, &sample));
    for (uint32_t i = 0; i < 5; i++)
        assert_false(history_keeper_note(keeper, &sample));
    assert_int_equal(history_keeper_drain(keeper), HISTORY_QUEUE);
    assert_int_equal(keeper->lost, 5);
    uint64_t count = read_last(place, ALL_NS, &record), told = 0;
    for (uint64_t i = 0; i < count; i++)
        told += record[i].lost;
    free(record);
    assert_int_equal(count, HISTORY_QUEUE);
    assert_int_equal(told, 5);
    close_keeper(keeper);
}

static void a_disk_that_refuses_is_counted_and_holds_up_nothing(void **state)
{
    struct place *place = *state;
    struct history_keeper *keeper = open_keeper(place, "gpu-1", SPAN_NS);
    struct history_sample sample = sample_of(1);
    int writable = keeper->fd;
    keeper->fd = open(place->path, O_RDONLY | O_CLOEXEC);
    assert_true(history_keeper_note(keeper, &sample));
    assert_int_equal(history_keeper_drain(keeper), 1);
    assert_int_equal(keeper->errors, 1);
    assert_int_equal(keeper->written, 0);
    close(keeper->fd);
    keeper->fd = writable;
    write_samples(keeper, 1, 3);
    assert_reads(place, ALL_NS, 1, 3);
    close_keeper(keeper);
}

static void without_room_there_is_no_history_and_nothing_is_left_behind(void **state)
{
    struct place *place = *state;
    struct history_keeper keeper;
    char why[HISTORY_WHY_BYTES] = "";
    struct rlimit before, less = {4096, 4096};
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    less.rlim_max = before.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &less), 0);
    int error = history_keeper_open(&keeper, place->path, "gpu-1", SPAN_NS, why);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(error, -EFBIG);
    assert_non_null(strstr(why, "the disk has no room for it"));
    assert_int_equal(access(place->path, F_OK), -1);
    assert_int_equal(access(place->fresh, F_OK), -1);
    struct history_sample sample = sample_of(1);
    assert_false(history_keeper_due(&keeper, 0));
    assert_false(history_keeper_note(&keeper, &sample));
    assert_int_equal(history_keeper_start(&keeper), 0);
    history_keeper_close(&keeper);
}

static void a_span_that_is_out_of_range_is_refused(void **state)
{
    struct place *place = *state;
    struct history_keeper keeper;
    char why[HISTORY_WHY_BYTES];
    assert_int_equal(history_keeper_open(&keeper, place->path, "gpu-1", NS_PER_S, why), -EINVAL);
    assert_int_equal(history_keeper_open(&keeper, place->path, "gpu-1", INT64_MAX, why), -EINVAL);
    assert_int_equal(history_places(24 * 3600 * NS_PER_S), 864000);
    assert_int_equal(history_bytes(864000), 55300096);
}

static void samples_are_due_ten_times_a_second_and_missed_ones_are_not_made_up(void **state)
{
    struct place *place = *state;
    struct history_keeper *keeper = open_keeper(place, "gpu-1", SPAN_NS);
    uint32_t taken = 0;
    for (int64_t t_ns = 0; t_ns < NS_PER_S; t_ns += NS_PER_MS)
        taken += history_keeper_due(keeper, t_ns);
    assert_int_equal(taken, 10);
    taken = 0;
    for (int64_t t_ns = 60 * NS_PER_S; t_ns < 61 * NS_PER_S; t_ns += 7 * NS_PER_MS)
        taken += history_keeper_due(keeper, t_ns);
    assert_int_equal(taken, 10);
    close_keeper(keeper);
}

struct reader {
    const struct place *place;
    _Atomic bool stop;
    uint64_t looks, wrong;
};

static void *read_live(void *argument)
{
    struct reader *reader = argument;
    struct history_record *record;
    while (!atomic_load(&reader->stop)) {
        struct history_file file;
        char why[HISTORY_WHY_BYTES];
        uint64_t count = 0;
        reader->wrong += history_file_open(&file, reader->place->path, "gpu-1", why) != 0;
        reader->wrong += history_file_last(&file, ALL_NS, &record, &count) != 0;
        history_file_close(&file);
        for (uint64_t i = 0; i < count; i++) {
            struct history_sample expected = sample_of(record[i].number);
            reader->wrong += memcmp(&record[i].sample, &expected, sizeof expected) != 0;
            reader->wrong += i > 0 && record[i].number <= record[i - 1].number;
        }
        free(record);
        reader->looks++;
    }
    return NULL;
}

static void who_reads_while_it_is_written_sees_whole_records_only(void **state)
{
    struct place *place = *state;
    struct history_keeper *keeper = open_keeper(place, "gpu-1", SPAN_NS);
    struct reader reader = {.place = place};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, read_live, &reader), 0);
    write_samples(keeper, 1, 20000);
    atomic_store(&reader.stop, true);
    pthread_join(thread, NULL);
    assert_int_equal(reader.wrong, 0);
    assert_reads(place, ALL_NS, 20000 - PLACES + 1, 20000);
    close_keeper(keeper);
}

/* In the child: no cmocka, it dies at any moment. */
static void write_until_killed(const struct place *place, int told)
{
    struct history_keeper *keeper = open_keeper(place, "gpu-1", SPAN_NS);
    for (uint64_t number = keeper->number + 1;; number++) {
        struct history_sample sample = sample_of(number);
        history_keeper_note(keeper, &sample);
        history_keeper_drain(keeper);
        if (number % 64 == 0 && write(told, "x", 1) != 1)
            _exit(1);
    }
}

static void an_agent_that_is_killed_leaves_whole_records_and_the_next_goes_on(void **state)
{
    struct place *place = *state;
    uint64_t before = 0;
    for (uint32_t life = 0; life < 10; life++) {
        int told[2];
        char mark;
        assert_int_equal(pipe(told), 0);
        pid_t child = fork();
        if (!child)
            write_until_killed(place, told[1]);
        close(told[1]);
        for (uint32_t i = 0; i < 3 + life; i++)
            assert_int_equal(read(told[0], &mark, 1), 1);
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, NULL, 0), child);
        close(told[0]);
        struct history_record *record;
        uint64_t count = read_last(place, ALL_NS, &record);
        assert_true(count >= PLACES - 1);
        for (uint64_t i = 0; i < count; i++)
            assert_is_sample(&record[i]);
        assert_true(record[count - 1].number > before);
        before = record[count - 1].number;
        free(record);
    }
}

static void the_thread_takes_what_the_loop_leaves(void **state)
{
    struct place *place = *state;
    struct history_keeper *keeper = open_keeper(place, "gpu-1", SPAN_NS);
    assert_int_equal(history_keeper_start(keeper), 0);
    for (uint64_t number = 1; number <= 50; number++) {
        struct history_sample sample = sample_of(number);
        assert_true(history_keeper_note(keeper, &sample));
    }
    close_keeper(keeper);
    assert_reads(place, ALL_NS, 1, 50);
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_place, remove_place)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_FOLDER(what_is_written_is_read_back_in_order_and_only_the_span_asked_for),
        IN_A_FOLDER(the_oldest_give_way_and_the_file_never_grows),
        IN_A_FOLDER(an_agent_that_starts_again_goes_on_where_the_last_one_ended),
        IN_A_FOLDER(a_record_half_written_is_none_wherever_it_was_cut),
        IN_A_FOLDER(any_bit_that_flips_takes_its_record_out_and_no_other),
        IN_A_FOLDER(a_copy_that_was_cut_off_is_read_as_far_as_it_goes),
        IN_A_FOLDER(what_is_no_history_of_this_host_is_refused_in_words),
        IN_A_FOLDER(a_history_of_another_host_or_size_is_kept_beside),
        IN_A_FOLDER(who_else_may_write_the_file_is_not_believed),
        IN_A_FOLDER(what_the_queue_cannot_hold_is_counted_and_told_with_the_next_sample),
        IN_A_FOLDER(a_disk_that_refuses_is_counted_and_holds_up_nothing),
        IN_A_FOLDER(without_room_there_is_no_history_and_nothing_is_left_behind),
        IN_A_FOLDER(a_span_that_is_out_of_range_is_refused),
        IN_A_FOLDER(samples_are_due_ten_times_a_second_and_missed_ones_are_not_made_up),
        IN_A_FOLDER(who_reads_while_it_is_written_sees_whole_records_only),
        IN_A_FOLDER(an_agent_that_is_killed_leaves_whole_records_and_the_next_goes_on),
        IN_A_FOLDER(the_thread_takes_what_the_loop_leaves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
