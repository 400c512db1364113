/* SPDX-License-Identifier: Apache-2.0 */
/* Frames of an agent ascend over restarts, whatever its clock does; a disk that fails is told, and no start
 * hangs on it. */
#include <errno.h>
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

#include "agent/numbers.h"

#define UTC_NS UINT64_C(1795220356600946113)

static char folder[] = "/tmp/flyball-numbers-XXXXXX";
static char path[64], fresh[80];

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder + strlen(folder) - 6, "XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/numbers", folder);
    snprintf(fresh, sizeof fresh, "%s.new", path);
    return 0;
}

static int drop_folder(void **state)
{
    (void)state;
    unlink(path);
    rmdir(fresh);
    return rmdir(folder);
}

static uint64_t begin(uint64_t utc_ns)
{
    uint64_t first;
    assert_int_equal(numbers_begin(folder, utc_ns, &first), 0);
    return first;
}

static void a_clock_that_was_set_back_gives_no_number_twice(void **state)
{
    (void)state;
    static const uint64_t utc_ns[] = {UTC_NS, UTC_NS + 1, UTC_NS, UTC_NS - 3600000000000, UTC_NS + 1000000000,
                                      1, UTC_NS};
    uint64_t free_from = 0;
    for (size_t i = 0; i < sizeof utc_ns / sizeof utc_ns[0]; i++) {
        uint64_t first = begin(utc_ns[i]);
        assert_true(first >= utc_ns[i] && first >= free_from);
        free_from = first + NUMBERS_OF_A_RUN;
    }
    assert_true(begin(UTC_NS + UTC_NS / 8) == UTC_NS + UTC_NS / 8);
}

static void what_cannot_be_written_is_told_and_the_clock_serves(void **state)
{
    (void)state;
    uint64_t first = 0;
    begin(UTC_NS);
    assert_int_equal(mkdir(fresh, 0755), 0);
    assert_true(numbers_begin(folder, UTC_NS, &first) < 0);
    assert_true(first == UTC_NS + NUMBERS_OF_A_RUN);        /* what was read still counts */
    assert_int_equal(numbers_begin("/nowhere", UTC_NS, &first), -ENOENT);
    assert_true(first == UTC_NS);
}

static void damage_is_told_and_made_good(void **state)
{
    (void)state;
    static const char *const text[] = {"", "12", "x\n", "18446744073709551615\n"};
    for (size_t i = 0; i < sizeof text / sizeof text[0]; i++) {
        uint64_t first = 0;
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        assert_true(fputs(text[i], file) >= 0);
        assert_int_equal(fclose(file), 0);
        assert_int_equal(numbers_begin(folder, UTC_NS, &first), -EBADMSG);
        assert_true(first == UTC_NS);
        assert_true(begin(1) == UTC_NS + NUMBERS_OF_A_RUN);
    }
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, make_folder, drop_folder)
    const struct CMUnitTest tests[] = {
        CASE(a_clock_that_was_set_back_gives_no_number_twice),
        CASE(what_cannot_be_written_is_told_and_the_clock_serves),
        CASE(damage_is_told_and_made_good),
    };
#undef CASE
    return cmocka_run_group_tests(tests, NULL, NULL);
}
