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
#include <stdlib.h>
#include <string.h>
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_digits_and_nothing_else),
        cmocka_unit_test(any_bytes_are_a_number_or_are_refused),
        cmocka_unit_test(files_are_read_and_written_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
