/* SPDX-License-Identifier: Apache-2.0 */
/* What a process changes stands again when it is gone, unless somebody has changed it meanwhile. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "rt/keeper.h"
#include "rt/throttle.h"

enum { TRIES = 1000, TRY_NS = 10000000 };

struct room {
    char folder[32];
    char path[3][64];
    struct rt_keeper keeper;
};

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void assert_reads(const char *path, const char *wanted)
{
    char text[64] = "";
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(fgets(text, sizeof text, file));
    fclose(file);
    assert_string_equal(text, wanted);
}

static int open_room(void **state)
{
    struct room *room = calloc(1, sizeof *room);
    assert_non_null(room);
    strcpy(room->folder, "/tmp/flyball-keeper-XXXXXX");
    assert_non_null(mkdtemp(room->folder));
    for (int i = 0; i < 3; i++) {
        snprintf(room->path[i], sizeof room->path[i], "%s/%d", room->folder, i);
        write_file(room->path[i], i ? "0-3\n" : "950000\n");
    }
    *state = room;
    return 0;
}

static int close_room(void **state)
{
    struct room *room = *state;
    rt_keeper_end(&room->keeper);
    for (int i = 0; i < 3; i++)
        unlink(room->path[i]);
    assert_int_equal(rmdir(room->folder), 0);
    free(room);
    return 0;
}

static void what_was_written_is_put_back_at_the_end(void **state)
{
    struct room *room = *state;
    assert_int_equal(rt_keeper_add(&room->keeper, room->path[0], "-1"), 0);
    assert_int_equal(rt_keeper_add(&room->keeper, room->path[1], "0"), 0);
    assert_reads(room->path[0], "950000\n");
    assert_int_equal(rt_keeper_start(&room->keeper), 2);
    assert_reads(room->path[0], "-1\n");
    assert_reads(room->path[1], "0\n");
    assert_int_equal(rt_keeper_end(&room->keeper), 0);
    assert_reads(room->path[0], "950000\n");
    assert_reads(room->path[1], "0-3\n");
    assert_reads(room->path[2], "0-3\n");
}

static void what_somebody_changed_meanwhile_stays(void **state)
{
    struct room *room = *state;
    assert_int_equal(rt_keeper_add(&room->keeper, room->path[1], "0"), 0);
    assert_int_equal(rt_keeper_add(&room->keeper, room->path[2], "0"), 0);
    assert_int_equal(rt_keeper_start(&room->keeper), 2);
    write_file(room->path[1], "2\n");
    assert_int_equal(rt_keeper_end(&room->keeper), 0);
    assert_reads(room->path[1], "2\n");
    assert_reads(room->path[2], "0-3\n");
}

static void what_cannot_be_read_is_not_in_the_list(void **state)
{
    struct room *room = *state;
    assert_int_equal(rt_keeper_add(&room->keeper, "/nowhere/at/all", "0"), -ENOENT);
    assert_int_equal(room->keeper.count, 0);
    assert_int_equal(rt_keeper_end(&room->keeper), 0);
}

/* Like a kernel file that refuses: it cannot be opened for writing any more. */
static void a_file_that_is_gone_is_told_and_the_others_are_written(void **state)
{
    struct room *room = *state;
    assert_int_equal(rt_keeper_add(&room->keeper, room->path[1], "0"), 0);
    assert_int_equal(rt_keeper_add(&room->keeper, room->path[2], "0"), 0);
    assert_int_equal(unlink(room->path[1]), 0);
    assert_int_equal(rt_keeper_start(&room->keeper), 1);
    assert_int_equal(room->keeper.kept[0].error, -ENOENT);
    assert_int_equal(room->keeper.kept[1].error, 0);
    assert_int_equal(rt_keeper_end(&room->keeper), 0);      /* nobody misses it */
    assert_reads(room->path[2], "0-3\n");
}

static void what_cannot_be_put_back_is_told(void **state)
{
    struct room *room = *state;
    assert_int_equal(rt_keeper_add(&room->keeper, room->path[1], "0"), 0);
    assert_int_equal(rt_keeper_add(&room->keeper, room->path[2], "0"), 0);
    assert_int_equal(rt_keeper_start(&room->keeper), 2);
    assert_int_equal(unlink(room->path[1]), 0);
    assert_int_equal(mkdir(room->path[1], 0700), 0);
    assert_int_equal(rt_keeper_end(&room->keeper), -EIO);
    assert_reads(room->path[2], "0-3\n");
    assert_int_equal(rmdir(room->path[1]), 0);
}

/* The process is killed; the keeper is nobody's child then. */
static void it_is_put_back_after_a_kill(void **state)
{
    struct room *room = *state;
    const struct timespec rest = {.tv_nsec = TRY_NS};
    struct stat now;
    pid_t process = fork();
    if (!process) {
        int error = rt_keeper_add(&room->keeper, room->path[0], "-1");
        if (error || rt_keeper_start(&room->keeper) != 1)
            _exit(1);
        kill(getpid(), SIGKILL);
    }
    int status;
    assert_int_equal(waitpid(process, &status, 0), process);
    assert_true(WIFSIGNALED(status));
    for (int i = 0; i < TRIES && !stat(room->path[0], &now) && now.st_size != 7; i++)
        nanosleep(&rest, NULL);
    assert_reads(room->path[0], "950000\n");
}

static void throttling_is_lifted_once_and_put_back(void **state)
{
    struct room *room = *state;
    struct rt_throttle throttle, second;
    assert_int_equal(rt_throttle_lift(&throttle, room->path[0]), 1);
    assert_int_equal(throttle.runtime_us, 950000);
    assert_reads(room->path[0], "-1\n");
    assert_int_equal(rt_throttle_lift(&second, room->path[0]), 0);
    assert_int_equal(rt_throttle_restore(&second), 0);
    assert_reads(room->path[0], "-1\n");
    assert_int_equal(rt_throttle_restore(&throttle), 0);
    assert_reads(room->path[0], "950000\n");
    write_file(room->path[0], "none\n");
    assert_int_equal(rt_throttle_lift(&throttle, room->path[0]), -EINVAL);
    assert_reads(room->path[0], "none\n");
}

/* One that takes over found it lifted: what the first one lifted stays until the second has gone, too. */
static void throttling_stays_lifted_for_one_that_takes_over(void **state)
{
    struct room *room = *state;
    const struct timespec rest = {.tv_nsec = TRY_NS};
    struct rt_throttle first, second;
    struct stat now;
    assert_int_equal(rt_throttle_lift(&first, room->path[0]), 1);
    assert_int_equal(rt_throttle_lift(&second, room->path[0]), 0);
    assert_int_equal(rt_throttle_restore(&first), 0);       /* does not wait for the second */
    nanosleep(&rest, NULL);
    assert_reads(room->path[0], "-1\n");
    assert_int_equal(rt_throttle_restore(&second), 0);
    for (int i = 0; i < TRIES && !stat(room->path[0], &now) && now.st_size != 7; i++)
        nanosleep(&rest, NULL);
    assert_reads(room->path[0], "950000\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_room, close_room)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_written_is_put_back_at_the_end),
        TEST(what_somebody_changed_meanwhile_stays),
        TEST(what_cannot_be_read_is_not_in_the_list),
        TEST(a_file_that_is_gone_is_told_and_the_others_are_written),
        TEST(what_cannot_be_put_back_is_told),
        TEST(it_is_put_back_after_a_kill),
        TEST(throttling_is_lifted_once_and_put_back),
        TEST(throttling_stays_lifted_for_one_that_takes_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
