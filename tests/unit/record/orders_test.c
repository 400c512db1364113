/* SPDX-License-Identifier: Apache-2.0 */
/* The log of orders: what is in it is whole, and a crash leaves it so. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "record/orders.h"

enum { RECORD_BYTES = 432, READ_MAX = 8 };

struct bed {
    char folder[64], path[96];
    struct order_entry read[READ_MAX];
    uint32_t count;
};

static uint32_t syncs;
static int sync_error;

/* In the place of the C library's: what the disk says here is this test's. */
int fdatasync(int fd)
{
    assert_true(fd >= 0);
    syncs++;
    errno = sync_error;
    return sync_error ? -1 : 0;
}

static int open_bed(void **state)
{
    struct bed *bed = calloc(1, sizeof *bed);
    strcpy(bed->folder, "/tmp/flyball-orders-XXXXXX");
    if (!mkdtemp(bed->folder))
        return -1;
    snprintf(bed->path, sizeof bed->path, "%s/log", bed->folder);
    *state = bed;
    return 0;
}

static int close_bed(void **state)
{
    struct bed *bed = *state;
    char beside[128];
    for (int i = 0; i < 3; i++) {
        snprintf(beside, sizeof beside, "%s%s", bed->path, (const char *[]){"", ".old", ".new"}[i]);
        unlink(beside);
    }
    int error = rmdir(bed->folder);
    free(bed);
    return error;
}

static void take(void *context, const struct order_entry *entry)
{
    struct bed *bed = context;
    assert_in_range(bed->count, 0, READ_MAX - 1);
    bed->read[bed->count++] = *entry;
}

static struct orders_log reopen(struct bed *bed)
{
    struct orders_log log;
    bed->count = 0;
    assert_int_equal(orders_open(&log, bed->path, take, bed), 0);
    return log;
}

static struct order_entry sample(uint64_t number)
{
    return (struct order_entry){
        .order = {.kind = ORDER_CAP, .number = number, .value_mw = 1000 * (int64_t)number},
        .given_ns = 5,
        .uid = 1000,
        .subject = "main",
        .contract = "peak"};
}

static void write_three(struct bed *bed)
{
    struct orders_log log = reopen(bed);
    for (uint64_t number = 1; number <= 3; number++) {
        struct order_entry entry = sample(number);
        assert_int_equal(orders_append(&log, &entry), 0);
    }
    assert_int_equal(log.newest, 3);
    orders_close(&log);
}

static void nothing_is_made_before_the_first_order(void **state)
{
    struct bed *bed = *state;
    struct orders_log log = reopen(bed);
    assert_int_equal(access(bed->path, F_OK), -1);
    assert_int_equal(log.newest, 0);
    orders_close(&log);
}

static void what_was_written_is_read_back_in_order(void **state)
{
    struct bed *bed = *state;
    write_three(bed);
    struct orders_log log = reopen(bed);
    assert_int_equal(bed->count, 3);
    assert_int_equal(log.newest, 3);
    for (uint64_t number = 1; number <= 3; number++) {
        struct order_entry entry = sample(number);
        assert_memory_equal(&bed->read[number - 1], &entry, sizeof entry);
    }
    orders_close(&log);
}

/* Killed in the middle of a record: cut off, and what is written next stands whole. */
static void a_record_that_broke_off_is_cut(void **state)
{
    struct bed *bed = *state;
    for (off_t bytes = 2 * RECORD_BYTES + 1; bytes < 3 * RECORD_BYTES; bytes += 71) {
        write_three(bed);
        assert_int_equal(truncate(bed->path, bytes), 0);
        struct orders_log log = reopen(bed);
        struct order_entry entry = sample(9);
        assert_int_equal(bed->count, 2);
        assert_int_equal(log.newest, 2);
        assert_int_equal(orders_append(&log, &entry), 0);
        orders_close(&log);
        log = reopen(bed);
        assert_int_equal(bed->count, 3);
        assert_int_equal(log.newest, 9);
        assert_int_equal(log.damaged, 0);
        orders_close(&log);
        unlink(bed->path);
    }
}

static void a_damaged_record_is_skipped_and_counted(void **state)
{
    struct bed *bed = *state;
    for (off_t at = RECORD_BYTES; at < 2 * RECORD_BYTES; at += 13) {
        write_three(bed);
        int fd = open(bed->path, O_RDWR);
        uint8_t byte;
        assert_int_equal(pread(fd, &byte, 1, at), 1);
        byte ^= 0x10;
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
        close(fd);
        struct orders_log log = reopen(bed);
        assert_int_equal(bed->count, 2);
        assert_int_equal(log.damaged, 1);
        assert_int_equal(log.newest, 3);
        orders_close(&log);
        unlink(bed->path);
    }
}

static void one_at_a_time_holds_it(void **state)
{
    struct bed *bed = *state;
    write_three(bed);
    struct orders_log first = reopen(bed), second;
    assert_int_equal(orders_open(&second, bed->path, NULL, NULL), -EADDRINUSE);
    orders_close(&first);
    assert_int_equal(orders_open(&second, bed->path, NULL, NULL), 0);
    orders_close(&second);
}

static void where_it_cannot_be_written_the_order_is_refused(void **state)
{
    struct bed *bed = *state;
    struct orders_log log;
    struct order_entry entry = sample(1);
    char path[160];
    snprintf(path, sizeof path, "%s/nowhere/log", bed->folder);
    assert_int_equal(orders_open(&log, path, NULL, NULL), 0);
    assert_int_equal(orders_append(&log, &entry), -ENOENT);
    assert_int_equal(log.newest, 0);
    orders_close(&log);
}

/* ---- compaction ---- */

static off_t bytes_of(const char *path)
{
    struct stat file;
    return stat(path, &file) ? -1 : file.st_size;
}

static int64_t log_bytes(const struct bed *bed)
{
    struct stat what;
    assert_int_equal(stat(bed->path, &what), 0);
    return what.st_size;
}

static void an_order_that_the_disk_does_not_take_leaves_nothing_behind(void **state)
{
    struct bed *bed = *state;
    write_three(bed);
    struct orders_log log = reopen(bed);
    struct order_entry entry = sample(4);
    syncs = 0;
    assert_int_equal(orders_append(&log, &entry), 0);
    assert_int_equal(syncs, 1);
    int64_t bytes = log_bytes(bed);
    entry = sample(5);
    sync_error = EIO;
    assert_int_equal(orders_append(&log, &entry), -EIO);
    assert_int_equal(log_bytes(bed), bytes);
    assert_int_equal(log.newest, 4);
    sync_error = 0;
    assert_int_equal(orders_append(&log, &entry), 0);
    orders_close(&log);
    log = reopen(bed);
    assert_int_equal(bed->count, 5);
    assert_int_equal(bed->read[4].order.number, 5);
    orders_close(&log);
}

static void compaction_leaves_what_is_in_force_and_the_newest_number(void **state)
{
    struct bed *bed = *state;
    char old[128];
    write_three(bed);
    struct orders_log log = reopen(bed);
    struct order_entry kept = sample(2), more = sample(4);
    assert_int_equal(orders_compact(&log, &kept, 1), 0);
    assert_int_equal(bytes_of(bed->path), 2 * RECORD_BYTES);
    snprintf(old, sizeof old, "%s.old", bed->path);
    assert_int_equal(bytes_of(old), 3 * RECORD_BYTES);      /* what was, for whoever wants to know */
    assert_int_equal(orders_compact(&log, &kept, 1), 0);    /* nothing is left to take out */
    assert_int_equal(bytes_of(old), 3 * RECORD_BYTES);
    assert_int_equal(orders_append(&log, &more), 0);
    orders_close(&log);
    log = reopen(bed);
    assert_int_equal(log.newest, 4);
    assert_int_equal(bed->count, 2);
    assert_memory_equal(&bed->read[0], &kept, sizeof kept);
    assert_memory_equal(&bed->read[1], &more, sizeof more);
    orders_close(&log);
    /* an order that is over had the newest number */
    log = reopen(bed);
    assert_int_equal(orders_compact(&log, &kept, 1), 0);
    orders_close(&log);
    log = reopen(bed);
    assert_int_equal(bed->count, 1);
    assert_int_equal(log.newest, 4);
    orders_close(&log);
}

/* Killed at any byte of the new file: the old one is what there is, and the next compaction goes through. */
static void a_crash_while_it_is_written_leaves_the_old_log(void **state)
{
    struct bed *bed = *state;
    char made[128], old[128];
    snprintf(made, sizeof made, "%s.new", bed->path);
    snprintf(old, sizeof old, "%s.old", bed->path);
    for (off_t bytes = 0; bytes <= 2 * RECORD_BYTES; bytes += 61) {
        unlink(bed->path);
        write_three(bed);
        struct orders_log log = reopen(bed);
        struct order_entry kept = sample(1);
        assert_int_equal(orders_compact(&log, &kept, 1), 0);
        orders_close(&log);
        assert_int_equal(rename(bed->path, made), 0);       /* as if it had not come so far */
        assert_int_equal(rename(old, bed->path), 0);
        assert_int_equal(truncate(made, bytes), 0);
        log = reopen(bed);
        assert_int_equal(bed->count, 3);
        assert_int_equal(log.newest, 3);
        assert_int_equal(orders_compact(&log, &kept, 1), 0);
        assert_int_equal(access(made, F_OK), -1);
        orders_close(&log);
        log = reopen(bed);
        assert_int_equal(bed->count, 1);
        orders_close(&log);
    }
}

/* A tail that is no record at all, and one whose bytes were turned. */
static void damage_at_the_end_costs_the_last_order_alone(void **state)
{
    struct bed *bed = *state;
    write_three(bed);
    FILE *file = fopen(bed->path, "r+b");
    fseek(file, 2 * RECORD_BYTES + 40, SEEK_SET);
    fputc(0x5A, file);
    fseek(file, 0, SEEK_END);
    fputs("noise behind the last one", file);
    fclose(file);
    struct orders_log log = reopen(bed);
    struct order_entry kept[2] = {sample(1), sample(2)};
    assert_int_equal(log.damaged, 1);
    assert_int_equal(bed->count, 2);
    assert_int_equal(bytes_of(bed->path), 3 * RECORD_BYTES);
    assert_int_equal(orders_compact(&log, kept, 1), 0);
    orders_close(&log);
    log = reopen(bed);
    assert_int_equal(log.damaged, 0);
    assert_int_equal(bed->count, 1);
    assert_int_equal(log.newest, 2);
    orders_close(&log);
}

static void nobody_else_has_the_log_while_it_is_compacted(void **state)
{
    struct bed *bed = *state;
    struct orders_log other;
    write_three(bed);
    struct orders_log log = reopen(bed);
    struct order_entry kept = sample(1);
    assert_int_equal(orders_open(&other, bed->path, NULL, NULL), -EADDRINUSE);
    assert_int_equal(orders_compact(&log, &kept, 1), 0);
    assert_int_equal(orders_open(&other, bed->path, NULL, NULL), -EADDRINUSE);
    orders_close(&log);
    assert_int_equal(orders_open(&other, bed->path, NULL, NULL), 0);
    orders_close(&other);
}

/* Records of one node each: they are not taken for damaged ones and dropped. */
static void a_log_of_an_older_version_is_refused_whole(void **state)
{
    struct bed *bed = *state;
    struct orders_log log;
    char record[144] = "FORD";
    FILE *file = fopen(bed->path, "wb");
    fwrite(record, sizeof record, 1, file);
    fclose(file);
    assert_int_equal(orders_open(&log, bed->path, take, bed), -EPROTONOSUPPORT);
    assert_int_equal(bytes_of(bed->path), 144);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, open_bed, close_bed)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(nothing_is_made_before_the_first_order),
        CASE(what_was_written_is_read_back_in_order),
        CASE(a_record_that_broke_off_is_cut),
        CASE(a_damaged_record_is_skipped_and_counted),
        CASE(one_at_a_time_holds_it),
        CASE(where_it_cannot_be_written_the_order_is_refused),
        CASE(an_order_that_the_disk_does_not_take_leaves_nothing_behind),
        CASE(compaction_leaves_what_is_in_force_and_the_newest_number),
        CASE(a_crash_while_it_is_written_leaves_the_old_log),
        CASE(damage_at_the_end_costs_the_last_order_alone),
        CASE(nobody_else_has_the_log_while_it_is_compacted),
        CASE(a_log_of_an_older_version_is_refused_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
