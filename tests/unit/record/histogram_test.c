/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "record/crc32c.h"
#include "record/histogram.h"

enum { VALUES = 20000 };

static uint64_t random_state;

/* xorshift64* (Vigna 2016): enough for test data, and the same everywhere. */
static uint64_t random_word(void)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return random_state * UINT64_C(0x2545F4914F6CDD1D);
}

static int seed_and_print(void **state)
{
    (void)state;
    random_state = (uint64_t)time(NULL) | 1;
    print_message("seed %llu\n", (unsigned long long)random_state);
    return 0;
}

static int by_size(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static uint64_t reference_quantile(const uint64_t *sorted, double q)
{
    uint64_t rank = 1;

    while ((double)rank < q * VALUES)
        rank++;
    return sorted[rank - 1];
}

static void quantiles_are_within_a_32nd_of_a_sorted_reference(void **state)
{
    (void)state;
    static struct histogram histogram;
    static uint64_t value[VALUES];
    static const double quantile[] = {0, 0.001, 0.1, 0.25, 0.5, 0.9, 0.99, 0.999, 0.9999, 1};

    memset(&histogram, 0, sizeof(histogram));
    for (int i = 0; i < VALUES; i++) {
        value[i] = random_word() >> (24 + random_word() % 40);
        histogram_record(&histogram, value[i]);
    }
    qsort(value, VALUES, sizeof(value[0]), by_size);
    for (size_t i = 0; i < sizeof(quantile) / sizeof(quantile[0]); i++) {
        uint64_t expected = reference_quantile(value, quantile[i]);
        uint64_t found = histogram_quantile(&histogram, quantile[i]);

        assert_true(found >= expected);
        assert_true(found - expected <= expected / 32);
    }
    assert_int_equal(histogram_quantile(&histogram, 1), value[VALUES - 1]);
}

static void every_bucket_holds_exactly_its_range(void **state)
{
    (void)state;
    static struct histogram histogram;

    for (uint32_t bucket = 0; bucket + 1 < HISTOGRAM_BUCKETS; bucket++) {
        uint64_t low = histogram_bucket_floor(bucket), high = histogram_bucket_floor(bucket + 1) - 1;

        assert_true(high >= low);
        memset(&histogram, 0, sizeof(histogram));
        histogram_record(&histogram, low);
        histogram_record(&histogram, high);
        assert_int_equal(histogram.bucket[bucket], 2);
    }
    assert_int_equal(histogram_bucket_floor(0), 0);
    assert_int_equal(histogram_bucket_floor(HISTOGRAM_BUCKETS - 1), UINT64_C(63) << 34);
}

static void values_above_the_range_count_and_the_maximum_is_exact(void **state)
{
    (void)state;
    static struct histogram histogram;

    memset(&histogram, 0, sizeof(histogram));
    assert_int_equal(histogram_quantile(&histogram, 0.5), 0);
    histogram_record(&histogram, 5);
    histogram_record(&histogram, UINT64_C(1) << 50);
    assert_int_equal(histogram.bucket[HISTOGRAM_BUCKETS - 1], 1);
    assert_int_equal(histogram_quantile(&histogram, 0.5), 5);
    assert_int_equal(histogram_quantile(&histogram, 0.51), UINT64_C(1) << 50);
    assert_int_equal(histogram.max_ns, UINT64_C(1) << 50);
    assert_int_equal(histogram.sum_ns, (UINT64_C(1) << 50) + 5);
}

static void merged_histograms_equal_one_that_saw_everything(void **state)
{
    (void)state;
    static struct histogram one, half[2];

    memset(&one, 0, sizeof(one));
    memset(half, 0, sizeof(half));
    for (int i = 0; i < VALUES; i++) {
        uint64_t value = random_word() >> (30 + random_word() % 30);

        histogram_record(&one, value);
        histogram_record(&half[i % 3 == 0], value);
    }

    struct histogram other = half[1];

    histogram_merge(&half[1], &half[0]);
    assert_memory_equal(&one, &half[1], sizeof(one));
    histogram_merge(&half[0], &other);
    assert_memory_equal(&one, &half[0], sizeof(one));
}

/* RFC 3720 appendix B.4 and the check value of the CRC catalogue. */
static void the_checksum_gives_published_values(void **state)
{
    (void)state;
    struct crc32c crc;
    uint8_t bytes[32];

    crc32c_init(&crc);
    assert_int_equal(crc32c(&crc, 0, "123456789", 9), 0xE3069283);
    memset(bytes, 0, sizeof(bytes));
    assert_int_equal(crc32c(&crc, 0, bytes, sizeof(bytes)), 0x8A9136AA);
    memset(bytes, 0xff, sizeof(bytes));
    assert_int_equal(crc32c(&crc, 0, bytes, sizeof(bytes)), 0x62A8AB43);
    for (uint8_t i = 0; i < 32; i++)
        bytes[i] = i;
    assert_int_equal(crc32c(&crc, 0, bytes, sizeof(bytes)), 0x46DD794E);
    for (size_t cut = 0; cut <= sizeof(bytes); cut++) {
        uint32_t first = crc32c(&crc, 0, bytes, cut);
        assert_int_equal(crc32c(&crc, first, bytes + cut, sizeof(bytes) - cut), 0x46DD794E);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantiles_are_within_a_32nd_of_a_sorted_reference),
        cmocka_unit_test(every_bucket_holds_exactly_its_range),
        cmocka_unit_test(values_above_the_range_count_and_the_maximum_is_exact),
        cmocka_unit_test(merged_histograms_equal_one_that_saw_everything),
        cmocka_unit_test(the_checksum_gives_published_values),
    };
    return cmocka_run_group_tests(tests, seed_and_print, NULL);
}
