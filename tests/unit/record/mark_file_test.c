/* SPDX-License-Identifier: Apache-2.0 */
/* Marks of meters on the disk and in memory: a process that dies at any step of a write, or a disk that is
 * full, leaves what was there or what is new, whole; damage is told. open, write, fsync and rename come by
 * here, so that one of them can be the last. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "record/mark_file.h"

enum { METERS = 3, STEPS_MAX = 16 };
static const char *const name[METERS] = {"feed a", "pdu-17", "pdu-18"};
static char folder[] = "/tmp/flyball-marks-XXXXXX";
static char path[64], fresh[80];

/* Of the child that is to die: steps that are left; 0 = nobody dies. */
static int steps_left;

static void step(void)
{
    if (steps_left && !--steps_left)
        _exit(9);
}

ssize_t __real_write(int fd, const void *data, size_t bytes);
ssize_t __wrap_write(int fd, const void *data, size_t bytes);
int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);

/* Also in the middle of it. */
ssize_t __wrap_write(int fd, const void *data, size_t bytes)
{
    step();
    if (steps_left == 1)
        bytes = (size_t)__real_write(fd, data, bytes / 2);
    step();
    return __real_write(fd, data, bytes);
}

int __wrap_fsync(int fd)
{
    step();
    return __real_fsync(fd);
}

int __wrap_rename(const char *from, const char *to)
{
    step();
    int error = __real_rename(from, to);
    step();
    return error;
}

static const char *name_of(const void *names, uint32_t index)
{
    return ((const char *const *)names)[index];
}

static const struct mark_names names = {METERS, name_of, name};

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder + strlen(folder) - 6, "XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/site.marks", folder);
    snprintf(fresh, sizeof fresh, "%s.new", path);
    return 0;
}

static int drop_folder(void **state)
{
    (void)state;
    unlink(path);
    unlink(fresh);
    return rmdir(folder);
}

static const uint64_t old[METERS] = {5, 1795220356600946113, UINT64_MAX}, new[METERS] = {6, UINT64_MAX, 0};

static void holds(const uint64_t *expected, uint64_t expected_run)
{
    uint64_t number[METERS] = {1, 2, 3}, run = 4;
    assert_int_equal(mark_file_read(path, &names, number, &run), 0);
    assert_memory_equal(number, expected, sizeof number);
    assert_true(run == expected_run);
}

static void what_was_written_comes_back(void **state)
{
    (void)state;
    const uint64_t none[METERS] = {0};
    holds(none, 0);
    assert_int_equal(mark_file_write(path, &names, old, 77), 0);
    holds(old, 77);
    assert_int_equal(mark_file_write(path, &names, new, UINT64_MAX), 0);
    holds(new, UINT64_MAX);
    assert_int_equal(access(fresh, F_OK), -1);
}

static void other_meters_keep_theirs(void **state)
{
    (void)state;
    static const char *const other[] = {"pdu-18", "new", "feed a"};
    const struct mark_names others = {3, name_of, other};
    uint64_t number[3], run;
    assert_int_equal(mark_file_write(path, &names, old, 77), 0);
    assert_int_equal(mark_file_read(path, &others, number, &run), 0);
    assert_true(number[0] == old[2] && number[1] == 0 && number[2] == old[0]);
}

static bool is_new(void)
{
    uint64_t number[METERS], run;
    assert_int_equal(mark_file_read(path, &names, number, &run), 0);
    assert_true(run == 77 || run == 78);
    assert_memory_equal(number, run == 77 ? old : new, sizeof number);
    return run == 78;
}

/* Where the write returned, what is new is there: what a caller was told to be held is held. */
static void a_process_may_die_at_every_step(void **state)
{
    (void)state;
    int died = 0, status = 0;
    bool was_new = false;
    for (int steps = 1; steps < STEPS_MAX; steps++) {
        assert_int_equal(mark_file_write(path, &names, old, 77), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (!child) {
            steps_left = steps;
            _exit(mark_file_write(path, &names, new, 78) ? 1 : 0);
        }
        assert_true(waitpid(child, &status, 0) == child && WIFEXITED(status));
        assert_true(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 9);
        died += WEXITSTATUS(status) == 9;
        bool now_new = is_new();
        assert_true(now_new || !was_new);       /* once renamed, it stays so for every later step */
        assert_true(now_new || WEXITSTATUS(status) == 9);
        was_new = now_new;
    }
    assert_true(died == 6 && was_new);
}

static void a_full_disk_leaves_what_was_there(void **state)
{
    (void)state;
    struct rlimit before, small;
    assert_int_equal(mark_file_write(path, &names, old, 77), 0);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_IGN);
    for (rlim_t room = 0; room < 80; room += 20) {
        small = (struct rlimit){.rlim_cur = room, .rlim_max = before.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
        int error = mark_file_write(path, &names, new, 78);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
        assert_true(error < 0);
        holds(old, 77);
    }
    assert_int_equal(mark_file_write(path, &names, new, 78), 0);
    holds(new, 78);
    assert_int_equal(mark_file_write("/nowhere/marks", &names, new, 78), -ENOENT);
}

static size_t slurp(char *text, size_t room)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t bytes = fread(text, 1, room, file);
    fclose(file);
    return bytes;
}

static int read_of(const char *text, size_t bytes)
{
    uint64_t number[METERS] = {1, 2, 3}, run = 4;
    const uint64_t none[METERS] = {0};
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fwrite(text, 1, bytes, file) == bytes);
    assert_int_equal(fclose(file), 0);
    int error = mark_file_read(path, &names, number, &run);
    if (error)
        assert_true(run == 0 && !memcmp(number, none, sizeof number));
    return error;
}

static void what_is_torn_or_damaged_is_told_and_counts_for_nothing(void **state)
{
    (void)state;
    char text[512];
    assert_int_equal(mark_file_write(path, &names, old, 77), 0);
    size_t bytes = slurp(text, sizeof text);
    assert_int_equal(read_of(text, bytes), 0);
    for (size_t cut = 0; cut < bytes; cut++)
        assert_int_equal(read_of(text, cut), -EBADMSG);
    for (size_t at = 0; at < bytes; at++) {
        text[at] ^= 1;
        assert_int_equal(read_of(text, bytes), -EBADMSG);
        text[at] ^= 1;
    }
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    uint64_t number[METERS], run;
    assert_true(mark_file_read(path, &names, number, &run) < 0);
    assert_int_equal(rmdir(path), 0);
}

static void memory_keeps_them_exactly_by_the_names_of_meters(void **state)
{
    (void)state;
    struct mark_memory memory;
    uint64_t before[METERS] = {0}, run = 9;
    char shared[64];
    snprintf(shared, sizeof shared, "/dev/shm/flyball-marks-%d", (int)getpid());
    int error = mark_memory_open(&memory, shared, &names, before, &run);
    if (error == -ENOTSUP || error == -ENOENT)
        skip();
    assert_int_equal(error, 0);
    assert_true(run == 0);                      /* it was made just now */
    mark_memory_begin(&memory, &names, old, 77);
    atomic_store(&memory.number[0], 8);         /* and nobody closes it: the process was killed */
    struct mark_memory again;
    assert_int_equal(mark_memory_open(&again, shared, &names, before, &run), 0);
    assert_true(run == 77 && before[0] == 8 && before[1] == old[1] && before[2] == old[2]);
    mark_memory_close(&again);
    static const char *const other[] = {"feed a", "pdu-18", "pdu-17"};
    const struct mark_names others = {METERS, name_of, other};
    assert_int_equal(mark_memory_open(&again, shared, &others, before, &run), 0);
    assert_true(run == 77 && before[0] == 8 && before[1] == old[2] && before[2] == old[1]);
    mark_memory_close(&again);
    assert_int_equal(chmod(shared, 0666), 0);
    assert_int_equal(mark_memory_open(&again, shared, &names, before, &run), -EPERM);
    mark_memory_close(&memory);
    unlink(shared);
    assert_int_equal(mark_memory_open(&again, path, &names, before, &run) == -ENOTSUP ||
                     again.fd >= 0, 1);         /* /tmp may be in memory */
    mark_memory_close(&again);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, make_folder, drop_folder)
    const struct CMUnitTest tests[] = {
        CASE(what_was_written_comes_back),
        CASE(other_meters_keep_theirs),
        CASE(a_process_may_die_at_every_step),
        CASE(a_full_disk_leaves_what_was_there),
        CASE(what_is_torn_or_damaged_is_told_and_counts_for_nothing),
        CASE(memory_keeps_them_exactly_by_the_names_of_meters),
    };
#undef CASE
    return cmocka_run_group_tests(tests, NULL, NULL);
}
