/* SPDX-License-Identifier: Apache-2.0 */
/* P8 of the list of properties: the checksum of journal, log of orders and account. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "record/crc32c.h"

enum { BYTES = 64 * 1024, BITS = BYTES * 8 };

static int ascending(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* What an error changes of the sum hangs on the error alone: so two errors are told from none where no two
 * single ones change it alike, and a single one where it changes it at all. */
static void any_one_or_two_wrong_bits_of_a_block_are_seen(void **state)
{
    struct crc32c crc;
    uint8_t *block = calloc(1, BYTES);
    uint32_t *change = malloc(BITS * sizeof *change);
    (void)state;
    assert_non_null(block);
    assert_non_null(change);
    crc32c_init(&crc);
    for (uint32_t bit = 0; bit < 64; bit++) {   /* of the last bytes, whole sums */
        uint32_t right = crc32c(&crc, 0, block, BYTES);
        block[BYTES - 1 - bit / 8] ^= (uint8_t)(1u << bit % 8);
        change[bit] = right ^ crc32c(&crc, 0, block, BYTES);
        block[BYTES - 1 - bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    /* of a byte before: one more byte of zeros behind it */
    for (uint32_t bit = 64; bit < BITS; bit++) {
        uint32_t value = change[bit - 8];
        for (int step = 0; step < 8; step++)
            value = value & 1 ? value >> 1 ^ UINT32_C(0x82F63B78) : value >> 1;
        change[bit] = value;
    }
    for (uint32_t bit = 64; bit < BITS; bit += BITS / 61) {     /* and that is so */
        uint32_t right = crc32c(&crc, 0, block, BYTES);
        block[BYTES - 1 - bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(right ^ crc32c(&crc, 0, block, BYTES), change[bit]);
        block[BYTES - 1 - bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    qsort(change, BITS, sizeof *change, ascending);
    assert_int_not_equal(change[0], 0);
    for (uint32_t i = 1; i < BITS; i++)
        assert_int_not_equal(change[i], change[i - 1]);
    free(change);
    free(block);
}

static void the_check_value_of_the_standard_comes_out(void **state)
{
    struct crc32c crc;
    (void)state;
    crc32c_init(&crc);
    assert_int_equal(crc32c(&crc, 0, "123456789", 9), 0xE3069283);
    assert_int_equal(crc32c(&crc, crc32c(&crc, 0, "1234", 4), "56789", 5), 0xE3069283);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_one_or_two_wrong_bits_of_a_block_are_seen),
        cmocka_unit_test(the_check_value_of_the_standard_comes_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
