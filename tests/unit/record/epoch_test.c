/* SPDX-License-Identifier: Apache-2.0 */
/* The highest epoch used, on the disk: what comes back, what is refused, what a failed write leaves. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "record/epoch.h"

static char folder[] = "/tmp/flyball-epoch-XXXXXX";
static char path[64], fresh[80];

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder + strlen(folder) - 6, "XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/site.epoch", folder);
    snprintf(fresh, sizeof fresh, "%s.new", path);
    return 0;
}

static int drop_folder(void **state)
{
    (void)state;
    unlink(path);
    rmdir(fresh);
    unlink(fresh);
    return rmdir(folder);
}

static void put(const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void what_was_written_comes_back(void **state)
{
    (void)state;
    static const uint64_t epoch[] = {1, 1795220356600946113, UINT64_MAX, 7, 0};
    uint64_t found = 99;
    assert_int_equal(epoch_read(path, &found), 0);
    assert_int_equal(found, 0);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(epoch_write(path, epoch[i]), 0);
        assert_int_equal(epoch_read(path, &found), 0);
        assert_true(found == epoch[i]);
        assert_int_equal(access(fresh, F_OK), -1);
    }
}

static void what_is_no_epoch_is_refused(void **state)
{
    (void)state;
    static const char *const text[] = {
        "", "\n", "12", "12\n\n", " 12\n", "-1\n", "0x12\n", "12 \n", "12\n13\n", "18446744073709551616\n",
        "99999999999999999999\n", "000000000000000000000012\n", "epoch 12\n"};
    uint64_t found = 99;
    for (size_t i = 0; i < sizeof text / sizeof *text; i++) {
        put(text[i]);
        assert_int_equal(epoch_read(path, &found), -EBADMSG);
        assert_true(found == 0);
    }
}

static void what_cannot_be_read_is_said(void **state)
{
    (void)state;
    uint64_t found;
    assert_int_equal(mkdir(fresh, 0700), 0);
    assert_int_equal(epoch_read(fresh, &found), -EISDIR);
    assert_int_equal(rmdir(fresh), 0);
    assert_int_equal(symlink("/dev/null", path), 0);
    assert_int_equal(epoch_read(path, &found), -ELOOP);
}

/* A write that fails leaves what was there. */
static void a_write_that_fails_changes_nothing(void **state)
{
    (void)state;
    uint64_t found;
    assert_int_equal(epoch_write(path, 5), 0);
    assert_int_equal(mkdir(fresh, 0700), 0);
    assert_int_equal(epoch_write(path, 6), -EISDIR);
    assert_int_equal(epoch_read(path, &found), 0);
    assert_int_equal(found, 5);
    assert_int_equal(epoch_write("/nowhere/site.epoch", 6), -ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_written_comes_back, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(what_is_no_epoch_is_refused, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(what_cannot_be_read_is_said, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(a_write_that_fails_changes_nothing, make_folder, drop_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
