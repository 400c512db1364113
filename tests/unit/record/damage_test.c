/* SPDX-License-Identifier: Apache-2.0 */
/* A small journal, damaged in every way that one byte or one cut can do it. Worth most under the address
 * sanitizer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "record/journal_format.h"
#include "sample.h"

enum { SLOTS = 11 };

static uint64_t seed;
static char path[200];
static uint8_t whole[64 << 10];
static size_t whole_bytes;

static void write_file(const uint8_t *data, size_t bytes)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, bytes), bytes);
    close(fd);
}

/* Three blocks, the last of them the end mark. */
static int write_small_journal(void **state)
{
    (void)state;
    struct sample sample;
    struct journal_writer *writer = NULL;
    struct slot slot;

    seed = (uint64_t)time(NULL);
    print_message("seed %llu\n", (unsigned long long)seed);
    sample_path(path, sizeof(path), "damage");
    sample_init(&sample);
    if (journal_create(&writer, path, &sample.model, &sample.start))
        return -1;
    for (uint64_t sequence = 1; sequence <= SLOTS; sequence++) {
        sample_slot(&slot, seed, sequence);
        journal_append(writer, &slot);
        if (sequence == 7)
            journal_flush(writer);
    }
    if (journal_finish(writer))
        return -1;

    int fd = open(path, O_RDONLY);
    ssize_t got = read(fd, whole, sizeof(whole));

    close(fd);
    whole_bytes = (size_t)got;
    return got > 0 && got < (ssize_t)sizeof(whole) ? 0 : -1;
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

static void assert_noticed(size_t place)
{
    struct sample_read read;

    sample_read_all(&read, path, seed);
    if (read.result == 0 && read.error[0] == '\0')
        fail_msg("byte %zu: nothing noticed", place);
    if (read.error[0] == '\0' || read.wrong != 0 || read.slots > SLOTS)
        fail_msg("byte %zu: %llu slots, %llu wrong, '%s'", place, (unsigned long long)read.slots,
                 (unsigned long long)read.wrong, read.error);
}

static void the_undamaged_journal_is_whole(void **state)
{
    (void)state;
    struct sample_read read;

    write_file(whole, whole_bytes);
    sample_read_all(&read, path, seed);
    assert_int_equal(read.result, 0);
    assert_string_equal(read.error, "");
    assert_int_equal(read.slots, SLOTS);
    assert_int_equal(read.wrong, 0);
}

static void every_flipped_byte_is_noticed(void **state)
{
    (void)state;
    static const uint8_t flips[] = {0x01, 0x80, 0xff};

    write_file(whole, whole_bytes);
    int fd = open(path, O_WRONLY);
    assert_true(fd >= 0);
    for (size_t place = 0; place < whole_bytes; place++) {
        for (size_t i = 0; i < sizeof(flips); i++) {
            uint8_t byte = whole[place] ^ flips[i];

            assert_int_equal(pwrite(fd, &byte, 1, (off_t)place), 1);
            assert_noticed(place);
        }
        assert_int_equal(pwrite(fd, &whole[place], 1, (off_t)place), 1);
    }
    close(fd);
    the_undamaged_journal_is_whole(NULL);
}

static void every_cut_is_noticed(void **state)
{
    (void)state;
    write_file(whole, whole_bytes);
    for (size_t length = whole_bytes; length-- > 0;) {
        assert_int_equal(truncate(path, (off_t)length), 0);
        assert_noticed(length);
    }
}

static void bytes_after_the_end_are_noticed(void **state)
{
    (void)state;
    write_file(whole, whole_bytes + 1);
    assert_noticed(whole_bytes);
}

static void a_block_left_out_or_repeated_is_noticed(void **state)
{
    (void)state;
    static uint8_t changed[sizeof(whole)];
    size_t last = whole_bytes - SLOT_BYTES;             /* the end mark */
    size_t second = last - (SLOTS - 7 + 1) * SLOT_BYTES; /* 4 slots and their head */

    memcpy(changed, whole, second);
    memcpy(changed + second, whole + last, SLOT_BYTES);
    write_file(changed, second + SLOT_BYTES);
    assert_noticed(second);

    memcpy(changed, whole, last);
    memcpy(changed + last, whole + second, whole_bytes - second);
    write_file(changed, last + whole_bytes - second);
    assert_noticed(last);
}

static void a_block_that_never_landed_ends_the_journal(void **state)
{
    (void)state;
    static uint8_t changed[sizeof(whole)];
    size_t second = whole_bytes - (SLOTS - 7 + 2) * SLOT_BYTES;
    struct sample_read read;

    memcpy(changed, whole, whole_bytes);
    memset(changed + second, 0, whole_bytes - SLOT_BYTES - second);
    write_file(changed, whole_bytes);
    sample_read_all(&read, path, seed);
    assert_int_equal(read.result, 0);
    assert_int_equal(read.slots, 7);
    assert_non_null(strstr(read.error, "never written"));
}

/* A head changed on purpose, its checksum made right again. */
static void write_with_head(const struct journal_head *changed)
{
    static uint8_t file[sizeof(whole)];
    struct journal_head head = *changed;
    struct crc32c crc;

    crc32c_init(&crc);
    head.head_crc = crc32c(&crc, 0, &head, offsetof(struct journal_head, head_crc));
    memcpy(file, whole, whole_bytes);
    memcpy(file, &head, sizeof(head));
    write_file(file, whole_bytes);
}

static void a_build_with_other_sizes_is_refused(void **state)
{
    (void)state;
    struct sample_read read;
    struct journal_head head;

    for (int section = 0; section < SECTION_COUNT; section++) {
        memcpy(&head, whole, sizeof(head));
        head.item_bytes[section] += 8;
        write_with_head(&head);
        sample_read_all(&read, path, seed);
        assert_int_equal(read.result, -ENOTSUP);
        assert_non_null(strstr(read.error, "another build"));

        memcpy(&head, whole, sizeof(head));
        head.item_count[section] = UINT32_MAX;
        write_with_head(&head);
        sample_read_all(&read, path, seed);
        assert_int_equal(read.result, -EBADMSG);
        assert_non_null(strstr(read.error, "at most"));
    }
    memcpy(&head, whole, sizeof(head));
    head.version++;
    write_with_head(&head);
    sample_read_all(&read, path, seed);
    assert_int_equal(read.result, -ENOTSUP);
}

/* Head and model each whole, but of different sites. */
static void a_model_that_counts_otherwise_than_the_head_is_refused(void **state)
{
    (void)state;
    static uint8_t kept[sizeof(whole)];
    struct sample_read read;
    struct journal_head head;
    struct crc32c crc;
    size_t place = sizeof(head) + offsetof(struct model, node_count);

    memcpy(kept, whole, sizeof(whole));
    memcpy(&head, whole, sizeof(head));
    whole[place]++;
    crc32c_init(&crc);
    head.model_crc = crc32c(&crc, 0, whole + sizeof(head), head.model_bytes);
    write_with_head(&head);
    memcpy(whole, kept, sizeof(whole));
    sample_read_all(&read, path, seed);
    assert_int_equal(read.result, -EBADMSG);
    assert_non_null(strstr(read.error, "disagree"));
}

/* The writer stores what it is given; the reader must not pass it on. */
static void a_model_with_an_index_out_of_range_is_refused(void **state)
{
    (void)state;
    struct sample_read read;

    for (int part = 0; part < 8; part++) {
        struct sample sample;
        struct journal_writer *writer = NULL;

        sample_init(&sample);
        uint32_t *index[] = {&sample.node[1].parent[0],   &sample.node[2].ancestor[0],
                             &sample.node[0].child_count, &sample.host[0].type,
                             &sample.host[1].cord[0].node, &sample.meter.node,
                             &sample.node[1].host_count, &sample.node[1].host_below};
        *index[part] = 77;
        unlink(path);
        assert_int_equal(journal_create(&writer, path, &sample.model, &sample.start), 0);
        assert_int_equal(journal_finish(writer), 0);
        sample_read_all(&read, path, seed);
        assert_int_equal(read.result, -EBADMSG);
        assert_non_null(strstr(read.error, "out of range"));
    }
}

/* A sample's model changed by one field, written and read back. */
static void assert_refused(const struct sample *changed, const char *words)
{
    struct sample_read read;
    struct sample sample = *changed;
    struct journal_writer *writer = NULL;

    sample.model.node = sample.node;
    sample.model.host = sample.host;
    sample.model.type = &sample.type;
    sample.model.meter = &sample.meter;
    sample.model.curve = sample.curve;
    unlink(path);
    assert_int_equal(journal_create(&writer, path, &sample.model, &sample.start), 0);
    assert_int_equal(journal_finish(writer), 0);
    sample_read_all(&read, path, seed);
    if (!words) {
        assert_int_equal(read.result, 0);
        return;
    }
    assert_int_equal(read.result, -EBADMSG);
    if (!strstr(read.error, words))
        fail_msg("'%s' expected in '%s'", words, read.error);
}

/* Node 1 has an image, a travel and a peak, two curves stand behind them: what a decision would look up
 * or divide by. */
static void a_breaker_or_curve_out_of_range_is_refused(void **state)
{
    (void)state;
    struct sample whole_sample, sample;
    struct breaker_element *element = sample.node[1].breaker.element;

    sample_init(&whole_sample);
    sample = whole_sample;
    assert_refused(&sample, NULL);
#define REFUSED(change, words) \
    do { \
        sample = whole_sample; \
        change; \
        assert_refused(&sample, words); \
    } while (0)
    REFUSED(sample.node[1].breaker.element_count = BREAKER_ELEMENTS_MAX + 1,
            "node 1: number of elements out of range");
    REFUSED(element[0].law = BREAKER_PEAK + 1, "law, role or reset of an element");
    REFUSED(element[1].role = ELEMENT_ROLE_COUNT, "law, role or reset of an element");
    REFUSED(element[1].reset = RESET_NEVER + 1, "law, role or reset of an element");
    REFUSED(element[2].pickup_ma = 0, "pickup or time of an element");
    REFUSED(element[1].reset_ns = -1, "pickup or time of an element");
    REFUSED(element[0].shortest_ns = -1, "pickup or time of an element");
    REFUSED(element[0].heat_fast_ns = 0, "time constant of an element");
    REFUSED(element[0].heat_fast_ns = element[0].heat_ns + 1, "time constant of an element");
    REFUSED(element[0].cool_ns = element[0].heat_ns - 1, "time constant of an element");
    REFUSED(element[1].unit_ma = 0, "unit or curve of an element");
    REFUSED(element[1].unit_ma = element[1].pickup_ma + 1, "unit or curve of an element");
    REFUSED(element[1].curve = SAMPLE_CURVES, "unit or curve of an element");
    REFUSED(sample.curve[1].rate[7] = sample.curve[1].rate[6] - 1, "curve 1: rate out of range");
    REFUSED(sample.curve[0].rate[0] = -1, "curve 0: rate out of range");
    REFUSED(sample.model.policy.rho_ppm = PPM, "clock rate or lease time");
    REFUSED(sample.model.policy.lease_ns = INT64_MAX, "clock rate or lease time");
    REFUSED(element[2].pickup_ma = INT64_MAX, "pickup or time of an element");
    REFUSED(sample.meter.period_ns = INT64_MAX, "meter 0: error or time");
    REFUSED(sample.meter.fresh_ns = -1, "meter 0: error or time");
#undef REFUSED
}

static void breakers_and_curves_come_back_as_they_were_written(void **state)
{
    (void)state;
    struct sample sample;
    struct journal_writer *writer = NULL;
    struct journal_reader *reader = NULL;
    char error[200];

    sample_init(&sample);
    unlink(path);
    assert_int_equal(journal_create(&writer, path, &sample.model, &sample.start), 0);
    assert_int_equal(journal_finish(writer), 0);
    assert_int_equal(journal_open(&reader, path, error, sizeof(error)), 0);
    const struct model *model = journal_model(reader);
    assert_int_equal(model->curve_count, SAMPLE_CURVES);
    assert_memory_equal(model->curve, sample.curve, sizeof(sample.curve));
    assert_memory_equal(&model->node[1].breaker, &sample.node[1].breaker, sizeof(struct breaker));
    assert_int_equal(model->node[1].breaker.element[1].curve, 1);
    journal_close(reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_undamaged_journal_is_whole),
        cmocka_unit_test(every_flipped_byte_is_noticed),
        cmocka_unit_test(every_cut_is_noticed),
        cmocka_unit_test(bytes_after_the_end_are_noticed),
        cmocka_unit_test(a_block_left_out_or_repeated_is_noticed),
        cmocka_unit_test(a_block_that_never_landed_ends_the_journal),
        cmocka_unit_test(a_build_with_other_sizes_is_refused),
        cmocka_unit_test(a_model_that_counts_otherwise_than_the_head_is_refused),
        cmocka_unit_test(a_model_with_an_index_out_of_range_is_refused),
        cmocka_unit_test(a_breaker_or_curve_out_of_range_is_refused),
        cmocka_unit_test(breakers_and_curves_come_back_as_they_were_written),
    };
    return cmocka_run_group_tests(tests, write_small_journal, remove_file);
}
