/* SPDX-License-Identifier: Apache-2.0 */
/* A file of keys is replaced whole or not at all: a disk that is full for a moment leaves the old one. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "auth/secret_file.h"

enum { ROWS = 1000, PATH_BYTES = 64 };

struct disk {
    char folder[PATH_BYTES], path[PATH_BYTES + 8], beside[PATH_BYTES + 16];
    uint32_t full_from, full_to;    /* rows while which nothing more goes onto it */
};

static void limit(rlim_t bytes)
{
    struct rlimit now;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &now), 0);
    now.rlim_cur = bytes < now.rlim_max ? bytes : now.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &now), 0);
}

static int fill(const void *what, FILE *out)
{
    const struct disk *disk = what;
    for (uint32_t i = 0; i < ROWS; i++) {
        if (i == disk->full_from)
            limit(BUFSIZ);
        if (i == disk->full_to)
            limit(RLIM_INFINITY);
        fprintf(out, "row %u of a file that is longer than one buffer\n", i);
    }
    limit(RLIM_INFINITY);
    return 0;
}

static void lay_out(struct disk *disk)
{
    *disk = (struct disk){.folder = "/tmp/flyball-secret-XXXXXX", .full_from = ROWS, .full_to = ROWS};
    signal(SIGXFSZ, SIG_IGN);
    assert_non_null(mkdtemp(disk->folder));
    snprintf(disk->path, sizeof disk->path, "%s/keys", disk->folder);
    snprintf(disk->beside, sizeof disk->beside, "%s.new", disk->path);
}

static void clear(const struct disk *disk)
{
    assert_int_equal(access(disk->beside, F_OK), -1);
    unlink(disk->path);
    assert_int_equal(rmdir(disk->folder), 0);
}

static uint32_t rows(const struct disk *disk)
{
    uint32_t count = 0, number;
    int end = 0;
    char line[128];
    FILE *in = fopen(disk->path, "re");
    assert_non_null(in);
    while (fgets(line, sizeof line, in)) {
        assert_int_equal(sscanf(line, "row %u of a file that is longer than one buffer%n", &number, &end), 1);
        assert_int_equal(number, count++);
        assert_int_equal(line[end], '\n');
    }
    fclose(in);
    return count;
}

static void a_disk_full_in_the_middle_leaves_the_old_file(void **state)
{
    (void)state;
    struct disk disk;
    struct stat before, after;
    lay_out(&disk);
    assert_int_equal(secret_file_write(disk.path, fill, &disk), 0);
    assert_int_equal(rows(&disk), ROWS);
    assert_int_equal(stat(disk.path, &before), 0);
    assert_int_equal(before.st_mode & 07777, 0600);
    disk.full_from = ROWS / 3;
    disk.full_to = ROWS / 2;
    assert_in_range(-secret_file_write(disk.path, fill, &disk), EIO, EFBIG);
    assert_int_equal(stat(disk.path, &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
    assert_int_equal(rows(&disk), ROWS);
    clear(&disk);
}

/* Of a writer that was killed, or a name that somebody laid there. */
static void what_stands_beside_is_written_over_not_followed(void **state)
{
    (void)state;
    struct disk disk;
    char other[PATH_BYTES + 8];
    lay_out(&disk);
    snprintf(other, sizeof other, "%s/other", disk.folder);
    assert_int_equal(symlink(other, disk.beside), 0);
    assert_int_equal(secret_file_write(disk.path, fill, &disk), 0);
    assert_int_equal(rows(&disk), ROWS);
    assert_int_equal(access(other, F_OK), -1);
    clear(&disk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_disk_full_in_the_middle_leaves_the_old_file),
        cmocka_unit_test(what_stands_beside_is_written_over_not_followed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
