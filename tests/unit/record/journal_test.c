/* SPDX-License-Identifier: Apache-2.0 */
/* A journal that is written, finished and read; and one whose disk, kernel or writer gives up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sample.h"

static uint64_t seed;
static char path[200];

static int seed_and_print(void **state)
{
    (void)state;
    seed = (uint64_t)time(NULL);
    print_message("seed %llu\n", (unsigned long long)seed);
    return 0;
}

static int fresh_path(void **state)
{
    (void)state;
    sample_path(path, sizeof(path), "journal");
    return 0;
}

static int remove_file(void **state)
{
    (void)state;
    unlink(path);
    return 0;
}

static struct journal_writer *create(struct sample *sample)
{
    struct journal_writer *writer = NULL;

    sample_init(sample);
    if (journal_create(&writer, path, &sample->model, &sample->start))
        return NULL;
    return writer;
}

/* Appends first..last, flushing now and then; a dropped slot is offered again until the disk has caught
 * up. */
static void append_all(struct journal_writer *writer, uint64_t first, uint64_t last, uint64_t flush_every)
{
    for (uint64_t sequence = first; sequence <= last; sequence++) {
        struct slot slot;

        sample_slot(&slot, seed, sequence);
        while (!journal_append(writer, &slot))
            journal_flush(writer);
        if (sequence % flush_every == 0)
            journal_flush(writer);
    }
}

static void assert_whole(uint64_t slots)
{
    struct sample_read read;

    sample_read_all(&read, path, seed);
    assert_string_equal(read.error, "");
    assert_int_equal(read.result, 0);
    assert_int_equal(read.slots, slots);
    assert_int_equal(read.wrong, 0);
}

static void a_hundred_thousand_slots_come_back_as_they_went(void **state)
{
    (void)state;
    struct sample sample;
    struct journal_writer *writer = create(&sample);
    struct journal_statistics statistics;

    assert_non_null(writer);
    append_all(writer, 1, 100000, 977);
    journal_statistics(writer, &statistics);
    print_message("written through %s\n", statistics.method);
    assert_int_equal(statistics.slots, 100000);
    assert_int_equal(statistics.write_errors, 0);
    assert_true(journal_finish(writer) >= 0);
    assert_whole(100000);
}

static void an_empty_journal_is_whole_too(void **state)
{
    (void)state;
    struct sample sample;
    struct journal_writer *writer = create(&sample);

    assert_non_null(writer);
    assert_int_equal(journal_finish(writer), 0);
    assert_whole(0);
}

static void model_and_start_come_back(void **state)
{
    (void)state;
    struct sample sample;
    struct journal_writer *writer = create(&sample);
    struct journal_reader *reader;
    char error[200];

    assert_non_null(writer);
    assert_int_equal(journal_finish(writer), 0);
    assert_int_equal(journal_open(&reader, path, error, sizeof(error)), 0);

    const struct model *model = journal_model(reader);

    assert_memory_equal(model->node, sample.node, sizeof(sample.node));
    assert_memory_equal(model->host, sample.host, sizeof(sample.host));
    assert_memory_equal(model->type, &sample.type, sizeof(sample.type));
    assert_memory_equal(model->meter, &sample.meter, sizeof(sample.meter));
    assert_memory_equal(model, &sample.model, offsetof(struct model, node));
    assert_memory_equal(journal_started(reader), &sample.start, sizeof(sample.start));
    journal_close(reader);
}

static void a_journal_is_never_written_over(void **state)
{
    (void)state;
    struct sample sample;
    struct journal_writer *writer = create(&sample), *second = NULL;

    assert_non_null(writer);
    append_all(writer, 1, 10, 5);
    assert_int_equal(journal_create(&second, path, &sample.model, &sample.start), -EEXIST);
    assert_int_equal(journal_finish(writer), 0);
    assert_whole(10);
}

static void a_path_that_cannot_be_made_is_an_error(void **state)
{
    (void)state;
    struct sample sample;
    struct journal_writer *writer = NULL;
    struct journal_reader *reader = NULL;
    char error[200];

    sample_init(&sample);
    assert_int_equal(journal_create(&writer, "/nowhere/x.journal", &sample.model, &sample.start), -ENOENT);
    assert_int_equal(journal_open(&reader, "/nowhere/x.journal", error, sizeof(error)), -ENOENT);
    assert_string_equal(error, "No such file or directory");
    assert_int_equal(journal_open(&reader, "/", error, sizeof(error)), -EISDIR);
}

/* The writer tells over a pipe how far it has flushed, and goes on until it is killed. */
static void write_until_killed(int progress)
{
    struct sample sample;
    struct journal_writer *writer = create(&sample);

    for (uint64_t sequence = 1; writer; sequence += 100) {
        append_all(writer, sequence, sequence + 99, 50);
        if (write(progress, &sequence, sizeof(sequence)) < 0)
            break;
    }
    _exit(1);
}

static void what_a_killed_writer_had_flushed_is_read_back(void **state)
{
    (void)state;
    for (uint64_t rounds = 1; rounds <= 4; rounds++) {
        int progress[2];
        uint64_t reached = 0;
        struct sample_read read_back;

        unlink(path);
        assert_int_equal(pipe(progress), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            write_until_killed(progress[1]);
        while (reached < rounds * 8000)
            assert_int_equal(read(progress[0], &reached, sizeof(reached)), sizeof(reached));
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, NULL, 0), child);
        close(progress[0]);
        close(progress[1]);
        sample_read_all(&read_back, path, seed);
        assert_int_equal(read_back.result, 0);
        assert_non_null(strstr(read_back.error, "torn at byte"));
        assert_int_equal(read_back.wrong, 0);
        /* At most what was in flight is lost: 64 buffers of 50 slots. */
        assert_true(read_back.slots + 64 * 50 >= reached);
    }
}

static int child_result(void (*work)(void))
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        work();
        _exit(99);
    }
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

enum { LIMIT_BYTES = 300000 };

/* Offers slots to a file that may hold about a thousand until some were dropped and the disk's refusal is
 * known. */
static struct journal_writer *fill_the_disk(struct journal_statistics *statistics)
{
    struct sample sample;
    struct slot slot;

    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){LIMIT_BYTES, RLIM_INFINITY});

    struct journal_writer *writer = create(&sample);

    if (!writer)
        return NULL;
    for (int tries = 0; tries < 2000; tries++) {
        journal_statistics(writer, statistics);
        if (statistics->dropped > 0 && statistics->write_errors > 0)
            break;
        for (sample_slot(&slot, seed, statistics->slots + 1); journal_append(writer, &slot);) {
            journal_statistics(writer, statistics);
            sample_slot(&slot, seed, statistics->slots + 1);
        }
        journal_flush(writer);
        usleep(1000);
    }
    return writer;
}

static void stay_full(void)
{
    struct journal_statistics statistics;
    struct journal_writer *writer = fill_the_disk(&statistics);

    if (!writer || statistics.write_errors == 0 || statistics.last_error != -EFBIG || statistics.dropped == 0)
        _exit(1);
    _exit(journal_finish(writer) == -EFBIG ? 0 : 2);
}

static void a_full_disk_drops_counts_and_is_told_at_the_end(void **state)
{
    (void)state;
    struct sample_read read;
    struct stat status;

    assert_int_equal(child_result(stay_full), 0);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_size, LIMIT_BYTES);
    sample_read_all(&read, path, seed);
    assert_int_equal(read.result, 0);
    assert_non_null(strstr(read.error, "torn at byte"));
    assert_int_equal(read.wrong, 0);
    assert_in_range(read.slots, 800, LIMIT_BYTES / SLOT_BYTES);
}

static void be_given_room(void)
{
    struct journal_statistics statistics;
    struct journal_writer *writer = fill_the_disk(&statistics);

    if (!writer || statistics.dropped == 0)
        _exit(1);
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){RLIM_INFINITY, RLIM_INFINITY});
    append_all(writer, statistics.slots + 1, statistics.slots + 3000, 500);
    _exit(journal_finish(writer) >= 1 ? 0 : 2);
}

enum { ACCEPTED_MIN = 64 * 255 };   /* every buffer was full when the first slot was dropped */

static void a_disk_that_finds_room_again_loses_nothing_accepted(void **state)
{
    (void)state;
    struct sample_read read;

    assert_int_equal(child_result(be_given_room), 0);
    sample_read_all(&read, path, seed);
    assert_int_equal(read.result, 0);
    assert_string_equal(read.error, "");
    assert_int_equal(read.wrong, 0);
    assert_true(read.slots >= ACCEPTED_MIN + 3000);
}

static void write_without_uring(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_io_uring_setup, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof(filter) / sizeof(filter[0]), filter};
    struct journal_statistics statistics;
    struct sample sample;

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
        _exit(77);

    struct journal_writer *writer = create(&sample);

    if (!writer)
        _exit(1);
    append_all(writer, 1, 5000, 100);
    journal_statistics(writer, &statistics);
    if (strcmp(statistics.method, "pwrite"))
        _exit(2);
    _exit(journal_finish(writer) == 0 ? 0 : 3);
}

static void where_io_uring_is_forbidden_plain_writes_do_the_same(void **state)
{
    (void)state;
    int result = child_result(write_without_uring);

    if (result == 77)
        skip();     /* no seccomp here */
    assert_int_equal(result, 0);
    assert_whole(5000);
}

#define JOURNAL_TEST(name) cmocka_unit_test_setup_teardown(name, fresh_path, remove_file)

int main(void)
{
    const struct CMUnitTest tests[] = {
        JOURNAL_TEST(a_hundred_thousand_slots_come_back_as_they_went),
        JOURNAL_TEST(an_empty_journal_is_whole_too),
        JOURNAL_TEST(model_and_start_come_back),
        JOURNAL_TEST(a_journal_is_never_written_over),
        JOURNAL_TEST(a_path_that_cannot_be_made_is_an_error),
        JOURNAL_TEST(what_a_killed_writer_had_flushed_is_read_back),
        JOURNAL_TEST(a_full_disk_drops_counts_and_is_told_at_the_end),
        JOURNAL_TEST(a_disk_that_finds_room_again_loses_nothing_accepted),
        JOURNAL_TEST(where_io_uring_is_forbidden_plain_writes_do_the_same),
    };
    return cmocka_run_group_tests(tests, seed_and_print, NULL);
}
