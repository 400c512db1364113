/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of sysfs: what is one, and that any bytes at all are one or are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "act/sysfs.h"

enum { FUZZ_RUNS = 200000, TEXT_BYTES = 24 };

static void numbers_are_digits_and_nothing_else(void **state)
{
    const struct {
        const char *text;
        int error;
        int64_t value;
    } row[] = {
        {"0\n", 0, 0},
        {"300000000\n", 0, 300000000},
        {"42", 0, 42},
        {"-7\n", 0, -7},
        {"9223372036854775807\n", 0, INT64_MAX},
        {"-9223372036854775808\n", 0, INT64_MIN},
        {"9223372036854775808\n", -ERANGE, 0},
        {"-9223372036854775809\n", -ERANGE, 0},
        {"", -EBADMSG, 0},
        {"\n", -EBADMSG, 0},
        {"-", -EBADMSG, 0},
        {"-\n", -EBADMSG, 0},
        {"+1\n", -EBADMSG, 0},
        {" 1\n", -EBADMSG, 0},
        {"1 \n", -EBADMSG, 0},
        {"1\n\n", -EBADMSG, 0},
        {"0x10\n", -EBADMSG, 0},
        {"N/A\n", -EBADMSG, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        int64_t value = 77;
        assert_int_equal(sysfs_parse(row[i].text, strlen(row[i].text), &value), row[i].error);
        assert_int_equal(value, row[i].error ? 77 : row[i].value);
    }
}

/* What is taken prints as what was read, leading zeros and the end apart. */
static void any_bytes_are_a_number_or_are_refused(void **state)
{
    const char alphabet[] = "0123456789-\n 9x";
    uint64_t seed = 20260101;
    uint32_t taken = 0;
    (void)state;
    print_message("seed %" PRIu64 "\n", seed);
    for (int run = 0; run < FUZZ_RUNS; run++) {
        char text[TEXT_BYTES], back[TEXT_BYTES + 1];
        size_t bytes = 0;
        int64_t value = 0;
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
        for (bytes = 0; bytes < (seed >> 59) % TEXT_BYTES; bytes++) {
            uint64_t draw = (seed ^ seed >> 29) * (2 * bytes + 3) >> 33;
            text[bytes] = alphabet[draw % (sizeof alphabet - 1)];
        }
        if (sysfs_parse(text, bytes, &value))
            continue;
        taken++;
        size_t digits = bytes - (text[bytes - 1] == '\n'), at = text[0] == '-';
        while (at + 1 < digits && text[at] == '0')
            at++;
        snprintf(back, sizeof back, "%" PRIu64, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
        assert_int_equal(strlen(back), digits - at);
        assert_memory_equal(back, text + at, digits - at);
    }
    assert_true(taken > FUZZ_RUNS / 1000);
}

static void files_are_read_and_written_whole(void **state)
{
    char folder[] = "/tmp/flyball-sysfs-XXXXXX", path[64], line[8];
    int64_t value = 0;
    (void)state;
    assert_non_null(mkdtemp(folder));
    assert_int_equal(sysfs_read(folder, "no", &value), -ENOENT);
    assert_int_equal(sysfs_write(folder, "no", 1), -ENOENT);
    snprintf(path, sizeof path, "%s/number", folder);
    fclose(fopen(path, "w"));
    assert_int_equal(sysfs_write(folder, "number", -123456789012), 0);
    assert_int_equal(sysfs_read(folder, "number", &value), 0);
    assert_int_equal(value, -123456789012);
    assert_int_equal(sysfs_write(folder, "number", 5), 0);
    assert_int_equal(sysfs_line(folder, "number", line, sizeof line), 0);
    assert_string_equal(line, "5");
    assert_int_equal(sysfs_write(folder, "number", 12345678), 0);
    assert_int_equal(sysfs_line(folder, "number", line, sizeof line), -ENAMETOOLONG);
    assert_int_equal(sysfs_error(-ENOENT), -ENODEV);
    assert_int_equal(sysfs_error(-EACCES), -EPERM);
    assert_int_equal(sysfs_error(-EBADMSG), -EBADMSG);
    assert_int_equal(sysfs_error(0), 0);
    unlink(path);
    assert_int_equal(rmdir(folder), 0);
}

static int open_files(void)
{
    int count = 0;
    DIR *at = opendir("/proc/self/fd");
    assert_non_null(at);
    while (readdir(at))
        count++;
    closedir(at);
    return count;
}

/* No file can be opened while it is `full`. */
static void fill_table(bool full)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = full ? 0 : limit.rlim_max < 1024 ? limit.rlim_max : 1024;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

struct shelf {
    char folder[32], path[48], other[48];
    struct sysfs_kept kept;
};

static void put_number(const char *path, int64_t value)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fprintf(file, "%" PRId64 "\n", value) > 0);
    assert_int_equal(fclose(file), 0);
}

static int make_shelf(void **state)
{
    struct shelf *shelf = (struct shelf *)calloc(1, sizeof *shelf);
    snprintf(shelf->folder, sizeof shelf->folder, "/tmp/flyball-sysfs-XXXXXX");
    assert_non_null(mkdtemp(shelf->folder));
    snprintf(shelf->path, sizeof shelf->path, "%s/number", shelf->folder);
    snprintf(shelf->other, sizeof shelf->other, "%s/other", shelf->folder);
    shelf->kept = SYSFS_NONE_KEPT;
    put_number(shelf->path, 7);
    *state = shelf;
    return 0;
}

static int drop_shelf(void **state)
{
    struct shelf *shelf = (struct shelf *)*state;
    sysfs_drop(&shelf->kept);
    unlink(shelf->path);
    int error = rmdir(shelf->folder);
    free(shelf);
    return error;
}

static int64_t kept_number(struct shelf *shelf)
{
    int64_t value = -1;
    assert_int_equal(sysfs_kept_read(&shelf->kept, shelf->folder, "number", &value), 0);
    return value;
}

static int write_kept(struct shelf *shelf, int64_t value)
{
    return sysfs_kept_write(&shelf->kept, sysfs_write(shelf->folder, "number", value), value);
}

static void what_is_kept_takes_two_descriptors_however_often_it_is_read(void **state)
{
    struct shelf *shelf = (struct shelf *)*state;
    int before = open_files();
    for (int i = 0; i < 20; i++)
        assert_int_equal(kept_number(shelf), 7);
    assert_int_equal(open_files(), before + 2);
    close(shelf->kept.read_fd);         /* half of it: the other half is not opened twice */
    shelf->kept.read_fd = -1;
    assert_int_equal(kept_number(shelf), 7);
    assert_int_equal(open_files(), before + 2);
    sysfs_drop(&shelf->kept);
    assert_int_equal(open_files(), before);
}

/* At the first look the table was full but for one. */
static void half_of_what_is_kept_is_made_whole(void **state)
{
    struct shelf *shelf = (struct shelf *)*state;
    int64_t value = 0;
    assert_int_equal(kept_number(shelf), 7);
    close(shelf->kept.write_fd);
    shelf->kept.write_fd = -1;
    fill_table(true);
    int refused = write_kept(shelf, 8);
    fill_table(false);
    assert_int_equal(refused, -EMFILE);
    assert_int_equal(kept_number(shelf), 7);
    fill_table(true);
    int written = write_kept(shelf, 123);
    int read = sysfs_kept_read(&shelf->kept, shelf->folder, "number", &value);
    fill_table(false);
    assert_int_equal(written, 0);
    assert_int_equal(read, 0);
    assert_int_equal(value, 123);
    assert_int_equal(kept_number(shelf), 123);
}

/* A driver that was loaded anew has a file of the same name that is another one. */
static void what_is_another_file_by_now_is_not_kept(void **state)
{
    struct shelf *shelf = (struct shelf *)*state;
    int64_t value = 0;
    assert_int_equal(kept_number(shelf), 7);
    int before = open_files();
    put_number(shelf->other, 99);
    assert_int_equal(rename(shelf->other, shelf->path), 0);
    assert_int_equal(kept_number(shelf), 99);
    assert_int_equal(open_files(), before);
    fill_table(true);
    int read = sysfs_kept_read(&shelf->kept, shelf->folder, "number", &value);
    int written = write_kept(shelf, 55);
    fill_table(false);
    assert_int_equal(read, 0);
    assert_int_equal(value, 99);
    assert_int_equal(written, 0);
    assert_int_equal(kept_number(shelf), 55);
    assert_int_equal(unlink(shelf->path), 0);
    assert_int_equal(sysfs_kept_read(&shelf->kept, shelf->folder, "number", &value), -ENOENT);
    assert_int_equal(open_files(), before - 2);         /* of a file that is gone nothing is kept */
    put_number(shelf->path, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_digits_and_nothing_else),
        cmocka_unit_test(any_bytes_are_a_number_or_are_refused),
        cmocka_unit_test(files_are_read_and_written_whole),
#define ON_SHELF(test) cmocka_unit_test_setup_teardown(test, make_shelf, drop_shelf)
        ON_SHELF(what_is_kept_takes_two_descriptors_however_often_it_is_read),
        ON_SHELF(half_of_what_is_kept_is_made_whole),
        ON_SHELF(what_is_another_file_by_now_is_not_kept),
#undef ON_SHELF
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
