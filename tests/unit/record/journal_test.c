/* SPDX-License-Identifier: Apache-2.0 */
/* A journal that is written, finished and read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
    struct journal_writer *writer = sample_create(&sample, path);
    struct journal_statistics statistics;

    assert_non_null(writer);
    sample_append(writer, seed, 1, 100000, 977);
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
    struct journal_writer *writer = sample_create(&sample, path);

    assert_non_null(writer);
    assert_int_equal(journal_finish(writer), 0);
    assert_whole(0);
}

static void model_and_start_come_back(void **state)
{
    (void)state;
    struct sample sample;
    struct journal_writer *writer = sample_create(&sample, path);
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
    struct journal_writer *writer = sample_create(&sample, path), *second = NULL;

    assert_non_null(writer);
    sample_append(writer, seed, 1, 10, 5);
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

#define JOURNAL_TEST(name) cmocka_unit_test_setup_teardown(name, fresh_path, remove_file)

int main(void)
{
    const struct CMUnitTest tests[] = {
        JOURNAL_TEST(a_hundred_thousand_slots_come_back_as_they_went),
        JOURNAL_TEST(an_empty_journal_is_whole_too),
        JOURNAL_TEST(model_and_start_come_back),
        JOURNAL_TEST(a_journal_is_never_written_over),
        JOURNAL_TEST(a_path_that_cannot_be_made_is_an_error),
    };
    return cmocka_run_group_tests(tests, seed_and_print, NULL);
}
