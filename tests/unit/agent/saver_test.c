/* SPDX-License-Identifier: Apache-2.0 */
/* The thread that alone waits for the disk. A disk that hangs is a pipe in the place of a file. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/numbers.h"
#include "agent/saver.h"
#include "agent/word.h"
#include "record/epoch.h"

#define PATIENCE_NS (60 * NS_PER_S)

struct bench {
    char folder[32], epoch[48], numbers[48];
    struct saver saver;
    struct saver_news news;
};

static void put(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int make(void **state)
{
    struct bench *bench = calloc(1, sizeof *bench);
    snprintf(bench->folder, sizeof bench->folder, "/tmp/flyball-saver-XXXXXX");
    assert_non_null(mkdtemp(bench->folder));
    snprintf(bench->epoch, sizeof bench->epoch, "%s/epoch", bench->folder);
    snprintf(bench->numbers, sizeof bench->numbers, "%s/numbers", bench->folder);
    *state = bench;
    return 0;
}

static int drop(void **state)
{
    struct bench *bench = *state;
    unlink(bench->epoch);
    unlink(bench->numbers);
    int error = rmdir(bench->folder);
    free(bench);
    return error;
}

static void start(struct bench *bench)
{
    int wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    assert_int_equal(saver_open(&bench->saver, bench->folder, wake_fd), 0);
    assert_int_equal(saver_start(&bench->saver), 0);
}

static void wait_for_news(struct bench *bench)
{
    int64_t end_ns = word_monotonic_ns() + PATIENCE_NS;
    while (!saver_take(&bench->saver, &bench->news)) {
        assert_true(word_monotonic_ns() < end_ns);
        nanosleep(&(struct timespec){.tv_nsec = NS_PER_MS}, NULL);
    }
}

static void end(struct bench *bench)
{
    assert_true(saver_stop(&bench->saver, word_monotonic_ns() + PATIENCE_NS));
    close(bench->saver.wake_fd);
}

static void what_is_told_is_on_the_disk_already(void **state)
{
    struct bench *bench = *state;
    uint64_t mark = 0, before = 0;
    for (int run = 0; run < 3; run++) {
        start(bench);
        wait_for_news(bench);
        assert_true(bench->news.read);
        assert_int_equal(bench->news.read_error, 0);
        assert_int_equal(bench->news.numbers_error, 0);
        assert_int_equal(epoch_read(bench->numbers, &mark), 0);
        assert_true(mark == bench->news.first + NUMBERS_OF_A_RUN);
        assert_true(bench->news.first >= before);       /* what the run before may have used */
        before = mark;
        end(bench);
    }
}

/* Neither start nor loop waits; nothing is known before both files were looked at. */
static void a_disk_that_hangs_holds_up_nobody(void **state)
{
    struct bench *bench = *state;
    struct stat seen;
    assert_int_equal(mkfifo(bench->epoch, 0600), 0);
    start(bench);
    for (int i = 0; i < 50; i++) {
        assert_false(saver_take(&bench->saver, &bench->news));
        nanosleep(&(struct timespec){.tv_nsec = NS_PER_MS}, NULL);
    }
    assert_int_equal(stat(bench->numbers, &seen), -1);
    assert_false(saver_stop(&bench->saver, word_monotonic_ns() + 10 * NS_PER_MS));
    put(bench->epoch, "41\n");          /* it goes on: and ends, as it was asked to */
    assert_true(saver_stop(&bench->saver, word_monotonic_ns() + PATIENCE_NS));
    assert_true(saver_take(&bench->saver, &bench->news));
    assert_int_equal(bench->news.saved, 41);
    assert_int_equal(bench->news.read_error, 0);
    close(bench->saver.wake_fd);
}

static void an_epoch_that_was_read_is_raised_when_asked(void **state)
{
    struct bench *bench = *state;
    uint64_t saved = 0;
    put(bench->epoch, "41\n");
    start(bench);
    wait_for_news(bench);
    assert_int_equal(bench->news.saved, 41);
    saver_want(&bench->saver, 40);
    saver_want(&bench->saver, 44);
    wait_for_news(bench);
    assert_int_equal(bench->news.saved, 44);
    assert_int_equal(bench->news.error, 0);
    assert_true(bench->news.read);
    assert_int_equal(epoch_read(bench->epoch, &saved), 0);
    assert_int_equal(saved, 44);
    end(bench);
}

/* An epoch that is none ends it: no number is taken, nothing is written over. */
static void what_is_no_epoch_is_told_and_left(void **state)
{
    struct bench *bench = *state;
    struct stat seen;
    uint64_t saved;
    put(bench->epoch, "forty\n");
    start(bench);
    wait_for_news(bench);
    assert_int_equal(bench->news.read_error, -EBADMSG);
    saver_want(&bench->saver, 50);
    end(bench);
    assert_int_equal(epoch_read(bench->epoch, &saved), -EBADMSG);
    assert_int_equal(stat(bench->numbers, &seen), -1);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, make, drop)
    const struct CMUnitTest tests[] = {
        CASE(what_is_told_is_on_the_disk_already),
        CASE(a_disk_that_hangs_holds_up_nobody),
        CASE(an_epoch_that_was_read_is_raised_when_asked),
        CASE(what_is_no_epoch_is_told_and_left),
    };
#undef CASE
    return cmocka_run_group_tests(tests, NULL, NULL);
}
