/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers in decimal digits: bit for bit what the C library reads, within the bounds that the header
 * states. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wire/decimal.h"

enum { ROUNDS = 200000 };

static bool read_double(const char *text, double *value)
{
    return decimal_double((const uint8_t *)text, (uint32_t)strlen(text), value);
}

static void check_exact(const char *text)
{
    double value, wanted = strtod(text, NULL);

    assert_true(read_double(text, &value));
    if (memcmp(&value, &wanted, sizeof value) != 0)
        fail_msg("%s read as %.17g, not %.17g", text, value, wanted);
}

static void numbers_are_the_nearest_double(void **state)
{
    (void)state;
    static const char *const text[] = {
        "0", "-0", "+7", "1.", ".5", "-0.0197614394128323", "476.287334382534", "9007199254740993e-1",
        "0.1234567890123456789", "18446744073709551.615", "123456789012345e22", "5e-22", "1.5E+22",
        "0000000000000000000000000000000001.5", "1234567890123456.789", "9999999999999999999e-19",
    };
    for (size_t i = 0; i < sizeof text / sizeof *text; i++)
        check_exact(text[i]);
}

static void random_numbers_are_the_nearest_double(void **state)
{
    (void)state;
    uint64_t seed = 7;

    for (int i = 0; i < ROUNDS; i++) {
        char text[64];

        seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        uint64_t digits = seed >> (seed >> 58 & 31);
        int places = (int)(seed >> 40 & 15);
        if (i & 1)
            snprintf(text, sizeof text, "-%llu.%04u", (unsigned long long)(digits % 100000000000),
                (unsigned)(seed >> 33 & 8191));
        else
            snprintf(text, sizeof text, "%llue-%d",
                     (unsigned long long)(digits % UINT64_C(9999999999999999999)), places);
        check_exact(text);
    }
}

static void beyond_that_ten_units_in_the_last_place_are_the_most(void **state)
{
    (void)state;
    static const char *const text[] = {
        "1.234567890123456789e200", "9.87654321e-250", "123456789012345678901234", "1e300", "4.9e-299",
        "1234567890123456789e9",    "3.4028235E+38"};
    for (size_t i = 0; i < sizeof text / sizeof *text; i++) {
        double value, wanted = strtod(text[i], NULL);
        int64_t a, b;

        assert_true(read_double(text[i], &value) || i == 3);
        if (i == 3)
            continue;
        memcpy(&a, &value, sizeof a);
        memcpy(&b, &wanted, sizeof b);
        assert_true(llabs(a - b) <= 10);
    }
}

static void anything_else_is_no_number(void **state)
{
    (void)state;
    static const char *const text[] = {"",
                                       " ",
                                       "-",
                                       ".",
                                       "e5",
                                       "1e",
                                       "1e+",
                                       "1,5",
                                       "0x10",
                                       "nan",
                                       "inf",
                                       "1 2",
                                       "1.2.3",
                                       "--1",
                                       "1e301",
                                       "1e-400",
                                       "1e99999999999999999999"};
    double value;

    for (size_t i = 0; i < sizeof text / sizeof *text; i++)
        assert_false(read_double(text[i], &value));
    assert_true(read_double(" \t1e3\r", &value) && value == 1000);
}

static void whole_numbers_are_exact(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool good;
        int64_t value;
    } row[] = {
        {"-77500", true, -77500}, {"+000025", true, 25}, {"999999999999999999", true, 999999999999999999},
        {"0", true, 0}, {" 12 ", true, 12}, {"1000000000000000000", false, 0}, {"1.0", false, 0},
        {"1e3", false, 0}, {"", false, 0}, {"-", false, 0}, {"12x", false, 0},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        int64_t value = 0;

        assert_int_equal(decimal_integer((const uint8_t *)row[i].text, (uint32_t)strlen(row[i].text), &value),
            row[i].good);
        assert_int_equal(value, row[i].value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_the_nearest_double),
        cmocka_unit_test(random_numbers_are_the_nearest_double),
        cmocka_unit_test(beyond_that_ten_units_in_the_last_place_are_the_most),
        cmocka_unit_test(anything_else_is_no_number),
        cmocka_unit_test(whole_numbers_are_exact),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
