/* SPDX-License-Identifier: Apache-2.0 */
/* Files of drawings and reports are there whole or not at all, whichever call fails. */
#include <errno.h>
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/check/markup.h"

/* The linker sends the library's calls here (--wrap). */
enum { CALL_OPEN, CALL_MODE, CALL_WRITE, CALL_SYNC, CALL_RENAME, CALLS };
static int left[CALLS];         /* calls until one fails; below 0 = never */

int __real_mkostemp64(char *path, int flags);
int __real_fchmod(int fd, mode_t mode);
ssize_t __real_write(int fd, const void *from, size_t bytes);
int __real_fsync(int fd);
int __real_rename(const char *from, const char *to);
int __wrap_mkostemp64(char *path, int flags);
int __wrap_fchmod(int fd, mode_t mode);
ssize_t __wrap_write(int fd, const void *from, size_t bytes);
int __wrap_fsync(int fd);
int __wrap_rename(const char *from, const char *to);

static int fails(int call)
{
    if (left[call] < 0 || left[call]--)
        return 0;
    errno = ENOSPC;
    return 1;
}

int __wrap_mkostemp64(char *path, int flags)
{
    return fails(CALL_OPEN) ? -1 : __real_mkostemp64(path, flags);
}

int __wrap_fchmod(int fd, mode_t mode)
{
    return fails(CALL_MODE) ? -1 : __real_fchmod(fd, mode);
}

/* A disk takes half of it first. */
ssize_t __wrap_write(int fd, const void *from, size_t bytes)
{
    return fails(CALL_WRITE) ? -1 : __real_write(fd, from, bytes > 1 ? bytes / 2 : bytes);
}

int __wrap_fsync(int fd)
{
    return fails(CALL_SYNC) ? -1 : __real_fsync(fd);
}

int __wrap_rename(const char *from, const char *to)
{
    return fails(CALL_RENAME) ? -1 : __real_rename(from, to);
}

#define OLD "<!-- " MARKUP_OURS " --> as it was"
#define NEW "<!-- " MARKUP_OURS " --> as it shall be, and longer"
enum { FILES = 3 };

struct bed {
    char folder[64];
    struct markup_file file[FILES];
};

static void put(const char *path, const char *text)
{
    FILE *out = fopen(path, "we");

    assert_non_null(out);
    assert_true(fputs(text, out) >= 0);
    assert_int_equal(fclose(out), 0);
}

static const char *get(const char *path)
{
    static char text[256];
    FILE *in = fopen(path, "re");

    if (!in)
        return "";
    text[fread(text, 1, sizeof text - 1, in)] = '\0';
    fclose(in);
    return text;
}

/* Two files of ours are there already, the third is not. */
static int set_up(void **state)
{
    static char text[] = NEW;
    struct bed *bed = calloc(1, sizeof *bed);

    assert_non_null(bed);
    strcpy(bed->folder, "/tmp/flyball-study-XXXXXX");
    assert_non_null(mkdtemp(bed->folder));
    for (int i = 0; i < FILES; i++) {
        snprintf(bed->file[i].path, sizeof bed->file[i].path, "%s/%d.svg", bed->folder, i);
        bed->file[i].text = text;
        bed->file[i].bytes = strlen(text);
        if (i < 2)
            put(bed->file[i].path, OLD);
    }
    for (int call = 0; call < CALLS; call++)
        left[call] = -1;
    *state = bed;
    return 0;
}

static int tear_down(void **state)
{
    struct bed *bed = *state;

    for (int i = 0; i < FILES; i++)
        unlink(bed->file[i].path);
    rmdir(bed->folder);
    free(bed);
    return 0;
}

static size_t count_files(const struct bed *bed)
{
    char pattern[96];
    glob_t found;

    snprintf(pattern, sizeof pattern, "%s/*", bed->folder);
    int rc = glob(pattern, 0, NULL, &found);
    size_t count = rc ? 0 : found.gl_pathc;

    globfree(&found);
    return count;
}

static void all_are_replaced(void **state)
{
    struct bed *bed = *state;
    char fault[256] = "";
    struct stat is;
    mode_t mask = umask(0);

    umask(mask);
    assert_int_equal(markup_write(bed->file, FILES, fault, sizeof fault), 0);
    for (int i = 0; i < FILES; i++) {
        assert_string_equal(get(bed->file[i].path), NEW);
        assert_int_equal(stat(bed->file[i].path, &is), 0);
        assert_int_equal(is.st_mode & 0777, 0666 & ~mask);
    }
    assert_int_equal(count_files(bed), FILES);
}

static void what_fails_before_a_rename_changes_nothing(void **state)
{
    struct bed *bed = *state;
    char fault[256];

    for (int call = CALL_OPEN; call < CALL_RENAME; call++)
        for (int after = 0; after < FILES; after++) {
            left[call] = after;
            *fault = '\0';
            assert_int_equal(markup_write(bed->file, FILES, fault, sizeof fault), -ENOSPC);
            assert_non_null(strstr(fault, "No space left on device"));
            assert_non_null(strstr(fault, bed->folder));
            assert_string_equal(get(bed->file[0].path), OLD);
            assert_string_equal(get(bed->file[1].path), OLD);
            assert_int_equal(count_files(bed), 2);
        }
}

static void a_rename_that_fails_leaves_whole_files(void **state)
{
    struct bed *bed = *state;
    char fault[256];

    left[CALL_RENAME] = 1;
    assert_int_equal(markup_write(bed->file, FILES, fault, sizeof fault), -ENOSPC);
    assert_string_equal(get(bed->file[0].path), NEW);
    assert_string_equal(get(bed->file[1].path), OLD);
    assert_int_equal(count_files(bed), 2);
}

static void a_file_of_somebody_else_stops_all(void **state)
{
    struct bed *bed = *state;
    char fault[256];

    put(bed->file[2].path, "site: mine\n");
    assert_int_equal(markup_write(bed->file, FILES, fault, sizeof fault), -EEXIST);
    assert_non_null(strstr(fault, "2.svg is there and flyball did not write it"));
    assert_string_equal(get(bed->file[0].path), OLD);
    assert_string_equal(get(bed->file[2].path), "site: mine\n");
    assert_int_equal(count_files(bed), FILES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_are_replaced, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_fails_before_a_rename_changes_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_rename_that_fails_leaves_whole_files, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_of_somebody_else_stops_all, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
