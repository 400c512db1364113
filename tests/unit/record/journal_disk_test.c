/* SPDX-License-Identifier: Apache-2.0 */
/* A journal whose disk, kernel or writer gives up, and where the kernel does its writing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
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
    sample_path(path, sizeof(path), "disk");
    return 0;
}

static int remove_file(void **state)
{
    (void)state;
    unlink(path);
    return 0;
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

/* The writer tells over a pipe how far it has flushed, and goes on until it is killed. */
static void write_until_killed(int progress)
{
    struct sample sample;
    struct journal_writer *writer = sample_create(&sample, path);

    for (uint64_t sequence = 1; writer; sequence += 100) {
        sample_append(writer, seed, sequence, sequence + 99, 50);
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

    struct journal_writer *writer = sample_create(&sample, path);

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

enum { FLUSHES = 50 };

/* Each flush asks with one block, however many wait; what the flushes before had under way comes back too. */
static bool asks_with_one_block(struct journal_writer *writer)
{
    struct journal_statistics before, after;

    for (int i = 0; i < FLUSHES; i++) {
        journal_flush(writer);
        usleep(2000);
    }
    journal_statistics(writer, &before);
    for (int i = 0; i < FLUSHES; i++) {
        journal_flush(writer);
        usleep(2000);
    }
    journal_statistics(writer, &after);
    uint64_t asked = after.write_errors - before.write_errors;
    return asked >= 1 && asked <= FLUSHES;
}

static void stay_full(void)
{
    struct journal_statistics statistics;
    struct journal_writer *writer = fill_the_disk(&statistics);

    if (!writer || statistics.write_errors == 0 || statistics.last_error != -EFBIG || statistics.dropped == 0)
        _exit(1);
    if (!asks_with_one_block(writer))
        _exit(3);
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
    sample_append(writer, seed, statistics.slots + 1, statistics.slots + 3000, 500);
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
    assert_true(read.dropped > 0);
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

    struct journal_writer *writer = sample_create(&sample, path);

    if (!writer)
        _exit(1);
    sample_append(writer, seed, 1, 5000, 100);
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

/* Cores that threads named iou-wrk-* of this process may run on, as the kernel lists them; "" without such a
 * thread. */
static void worker_cores(char *cores, size_t bytes)
{
    char name[64], line[200];
    DIR *tasks = opendir("/proc/self/task");
    const struct dirent *task;

    cores[0] = '\0';
    while (tasks && (task = readdir(tasks)) != NULL) {
        bool worker = false;

        snprintf(name, sizeof(name), "/proc/self/task/%.20s/status", task->d_name);
        FILE *status = fopen(name, "r");

        while (status && fgets(line, sizeof(line), status)) {
            worker |= !strncmp(line, "Name:\tiou-wrk", 13);
            if (worker && !strncmp(line, "Cpus_allowed_list:\t", 19))
                snprintf(cores, bytes, "%.60s", line + 19);
        }
        if (status)
            fclose(status);
    }
    if (tasks)
        closedir(tasks);
}

static void write_pinned(void)
{
    struct sample sample;
    char cores[100] = "";
    cpu_set_t first;

    CPU_ZERO(&first);
    CPU_SET(0, &first);
    if (sched_setaffinity(0, sizeof(first), &first))
        _exit(77);

    struct journal_writer *writer = sample_create(&sample, path);

    for (uint64_t sequence = 1; writer && sequence < 20000 && !cores[0]; sequence += 500) {
        sample_append(writer, seed, sequence, sequence + 499, 100);
        worker_cores(cores, sizeof(cores));
    }
    if (!writer || journal_finish(writer) < 0)
        _exit(1);
    _exit(!cores[0] ? 77 : strcmp(cores, "0\n") ? 2 : 0);
}

static void the_kernel_writes_on_the_cores_of_the_journal_thread(void **state)
{
    (void)state;
    int result = child_result(write_pinned);

    if (result == 77)
        skip();     /* this file system needs no worker, or core 0 may not be used */
    assert_int_equal(result, 0);
}

#define JOURNAL_TEST(name) cmocka_unit_test_setup_teardown(name, fresh_path, remove_file)

int main(void)
{
    const struct CMUnitTest tests[] = {
        JOURNAL_TEST(what_a_killed_writer_had_flushed_is_read_back),
        JOURNAL_TEST(a_full_disk_drops_counts_and_is_told_at_the_end),
        JOURNAL_TEST(a_disk_that_finds_room_again_loses_nothing_accepted),
        JOURNAL_TEST(the_kernel_writes_on_the_cores_of_the_journal_thread),
        JOURNAL_TEST(where_io_uring_is_forbidden_plain_writes_do_the_same),
    };
    return cmocka_run_group_tests(tests, seed_and_print, NULL);
}
